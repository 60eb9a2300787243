"""The results of one study: a folder of parquet tables, seen as lazy frames with units and meanings."""

from __future__ import annotations

import difflib
import html
import json
import tomllib
import warnings
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from taut._catalogue import SCHEMA_VERSIONS, remedy
from taut._errors import NoResults, NoSuchTable


def load(folder: str | PathLike[str]) -> Results:
    """Opens a folder that `taut run` wrote; nothing but its manifest is read before it is asked for."""
    return Results(folder)


class Results:
    """The tables of a study as lazy polars frames, `run.cells` or `run["cells"]`, and what is known of them."""

    # Tables that `taut` can write; `__getattr__` makes the frames. Written out for editors and type checkers.
    cells: pl.LazyFrame
    trajectory: pl.LazyFrame
    solutions: pl.LazyFrame
    predictions: pl.LazyFrame
    modes: pl.LazyFrame
    arrivals: pl.LazyFrame
    factors: pl.LazyFrame
    curves: pl.LazyFrame
    parameters: pl.LazyFrame
    hessian: pl.LazyFrame
    samples: pl.LazyFrame
    claims: pl.LazyFrame
    timing: pl.LazyFrame

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        #: The manifest as it is: title, study text, metrics, cells, parts, fingerprint, …
        self.manifest: dict[str, Any] = _manifest(self.folder)
        self._columns: dict[str, dict[str, dict[str, str]]] = {}
        version = str(self.manifest.get("schema_version"))
        if version not in SCHEMA_VERSIONS:
            warnings.warn(
                f"{self.folder}: its tables have layout {version}, and this reader was tried with "
                f"{', '.join(SCHEMA_VERSIONS)}; if a column is missing, install the reader that came with your `taut`",
                stacklevel=3,
            )

    # ------------------------------------------------------------------ tables

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are there."""
        return tuple(name for name in self._names() if self._parts(name))

    def table(self, name: str) -> pl.LazyFrame:
        """One table as a lazy frame; `run.modes` and `run["modes"]` are the same."""
        return pl.scan_parquet(self._parts_or_error(name), glob=False)

    def __getitem__(self, name: str) -> pl.LazyFrame:
        return self.table(name)

    def __getattr__(self, name: str) -> pl.LazyFrame:
        # Only called for names that are not there otherwise. Dunders are asked for by copy, pickle and notebooks.
        if name.startswith("_"):
            raise AttributeError(name)
        return self.table(name)

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def __dir__(self) -> list[str]:
        annotated = set(type(self).__annotations__)
        return sorted((set(super().__dir__()) - annotated) | set(self.tables))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.tables)

    def with_axes(self, table: str = "trajectory") -> pl.LazyFrame:
        """A table with the swept values and the replicate `seed` of every cell beside its rows."""
        frame = self.table(table)
        if table == "cells":
            return frame
        there = set(frame.collect_schema().names())
        axes = [name for name in (*self.axes, "seed") if name not in there]
        return frame.join(self.cells.select("cell", *axes), on="cell", how="left", maintain_order="left")

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The columns of `cells` that hold swept values; the replicate is `seed` and not among them."""
        names = self.cells.collect_schema().names()
        return tuple(names[names.index("solver") + 1 : names.index("n")])

    # ------------------------------------------------------------------ units and meanings

    def units(self, table: str) -> dict[str, str]:
        """The unit of every column; empty where there is none, `1` for pure numbers."""
        return {name: entry.get("unit", "") for name, entry in self._entries(table).items()}

    def docs(self, table: str) -> dict[str, str]:
        """The meaning of every column, in a sentence."""
        return {name: entry.get("doc", "") for name, entry in self._entries(table).items()}

    def columns(self, table: str) -> pl.DataFrame:
        """Name, type, unit and meaning of every column of a table, one row each."""
        schema, units, docs = self.table(table).collect_schema(), self.units(table), self.docs(table)
        return pl.DataFrame(
            {
                "column": schema.names(),
                "type": [str(kind) for kind in schema.dtypes()],
                "unit": [units.get(name, "") for name in schema.names()],
                "doc": [docs.get(name, "") for name in schema.names()],
            },
            schema={"column": pl.String, "type": pl.String, "unit": pl.String, "doc": pl.String},
        )

    def label(self, table: str, column: str, name: str | None = None) -> str:
        """A label for an axis: the column's name, or `name`, with its unit in brackets."""
        entries = self._entries(table)
        if column not in entries:
            raise KeyError(f"`{table}` has no column `{column}`{_meant(column, list(entries))}")
        unit = entries[column].get("unit", "")
        name = column.replace("_", " ") if name is None else name
        return name if unit in ("", "1") else f"{name}  [{unit}]"

    def _entries(self, table: str) -> dict[str, dict[str, str]]:
        if table not in self._columns:
            footer = pl.read_parquet_metadata(self._parts_or_error(table)[0])
            self._columns[table] = json.loads(footer.get("taut.columns", "{}"))
        return self._columns[table]

    # ------------------------------------------------------------------ the study

    @property
    def title(self) -> str:
        return str(self.manifest.get("title", ""))

    @property
    def question(self) -> str:
        return str(self.manifest.get("question", ""))

    @property
    def study_text(self) -> str:
        """The study as it was written, with its comments."""
        return str(self.manifest["study"])

    @cached_property
    def study(self) -> dict[str, Any]:
        """The study, parsed."""
        return tomllib.loads(self.study_text)

    @cached_property
    def complete(self) -> bool:
        """Whether every cell of the study is there; a run that was stopped goes on when it is run again."""
        return self._count("cells") == int(self.manifest["cells"])

    # ------------------------------------------------------------------ how it looks

    def __repr__(self) -> str:
        lines = [f"{self.title}", f"  {self._state()}"]
        lines += [f"  claims: {verdicts}"] if (verdicts := self._verdicts()) else []
        lines += [f"  {name:<12} {rows:>10,} rows  {columns:>4} columns" for name, rows, columns in self._sizes()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'><code>{html.escape(name)}</code></td>"
            f"<td>{rows:,}</td><td>{columns}</td></tr>"
            for name, rows, columns in self._sizes()
        )
        verdicts = self._verdicts()
        claims = f"<p>claims: {html.escape(verdicts)}</p>" if verdicts else ""
        return (
            f"<p><strong>{html.escape(self.title)}</strong><br>{html.escape(self.question)}</p>"
            f"<p>{html.escape(self._state())}</p>{claims}"
            f"<table><thead><tr><th style='text-align:left'>table</th><th>rows</th><th>columns</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    def _state(self) -> str:
        of = int(self.manifest["cells"])
        states = dict(self.cells.group_by("status").len().sort("status").collect().iter_rows()) if "cells" in self else {}
        there = sum(states.values())
        what = ", ".join(f"{count:,} {status}" for status, count in states.items()) or "none yet"
        axes = f"; axes: {', '.join(self.axes)}" if there and self.axes else ""
        missing = "" if there == of else f"; {of - there:,} of {of:,} are still to come, run the study again"
        return f"{self.folder}: cells: {what}{axes}{missing}"

    def _verdicts(self) -> str:
        if "claims" not in self:
            return ""
        # The worst of its groups is the verdict of a claim, as `taut check` counts.
        of_claim = pl.coalesce(
            pl.when((pl.col("verdict") == verdict).any()).then(pl.lit(verdict))
            for verdict in ("skipped", "fails", "undecided", "holds")
        )
        claims = self.claims.group_by("claim").agg(verdict=of_claim)
        counts = claims.group_by("verdict").len().sort("verdict").collect()
        return ", ".join(f"{verdict} {count}" for verdict, count in counts.iter_rows())

    def _sizes(self) -> list[tuple[str, int, int]]:
        return [(name, self._count(name), len(self[name].collect_schema())) for name in self.tables]

    def _count(self, name: str) -> int:
        return int(self[name].select(pl.len()).collect().item()) if self._parts(name) else 0

    # ------------------------------------------------------------------ files

    def _names(self) -> list[str]:
        names = [str(name) for name in self.manifest.get("tables", [])]
        # Tables that come after the run, such as `claims`, need not be in the manifest.
        later = (path.name for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        return names + sorted(name for name in later if name not in names)

    def _parts(self, name: str) -> list[Path]:
        # A part in the making has a name that does not end in `.parquet`.
        return sorted((self.folder / name).glob("*.parquet")) if name.isidentifier() else []

    def _parts_or_error(self, name: str) -> list[Path]:
        parts = self._parts(name)
        if parts:
            return parts
        if name in self.manifest.get("tables", []):
            raise NoResults(f"{self.folder}: no part of `{name}` is finished yet; run the study again to go on")
        if how := remedy(name):
            raise NoSuchTable(f"{self.folder} has no table `{name}`: {how}")
        there = self.tables
        raise NoSuchTable(
            f"{self.folder}: there is no table `{name}`{_meant(name, there)}; there are {', '.join(there)}"
        )


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        near = [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []
        raise NoResults(
            f"{folder} is {'a file' if folder.exists() else 'not there'}, and a folder of results is due"
            f"{_meant(folder.name, near)}; `taut run STUDY` writes results/NAME"
        )
    path = folder / "manifest.json"
    if not path.is_file():
        inside = sorted(inner.parent.name for inner in folder.glob("*/manifest.json"))
        hint = f"; it holds results in {', '.join(inside[:8])}" if inside else "; `taut run STUDY` writes such a folder"
        raise NoResults(f"{folder} holds no results of `taut`: there is no manifest.json in it{hint}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoResults(f"{path} is no JSON ({error}); run the study again, or restore the file") from None
    if not isinstance(manifest, dict) or not {"study", "tables", "cells"} <= manifest.keys():
        raise NoResults(f"{path} is not a manifest of `taut`: `study`, `tables` and `cells` are due in it")
    return manifest


def _meant(name: str, names: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""

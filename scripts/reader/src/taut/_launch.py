"""Runs a study through the program `taut` and opens what it wrote."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from taut._errors import NoBinary, RunFailed
from taut._results import Results

MEANING = {
    1: "an internal error",
    2: "a mistake in the study, or a folder that holds another one",
    3: "a cell failed or diverged; the tables are there, `taut.load` opens them and `cells.reason` says why",
    75: "it was stopped; run it again to go on",
}


def binary() -> Path:
    """The program: $TAUT, or `taut` on the PATH."""
    named = os.environ.get("TAUT")
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoBinary(f"TAUT={named} is no program that can be started; let it name target/release/taut")
    else:
        found = shutil.which("taut")
        if found is None:
            raise NoBinary(
                "there is no program `taut` on the PATH; build it with `cargo build --release` and let the environment "
                "variable TAUT name it: TAUT=…/target/release/taut"
            )
    return Path(found)


def run(
    study: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    set: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    force: bool = False,
) -> Results:
    """Runs a study and opens its results. What is finished already is not computed again.

    `out` is where the tables go, results/<name of the study file> unless told otherwise. `set` changes fields of the
    study for this run, `{"data.curve.noise": 0.3, "seed": {"count": 20}}`, as `--set` does; that is then another study,
    so it wants an `out` of its own. `force` moves a folder with another study aside.
    """
    study = Path(study)
    folder = Path("results") / study.stem if out is None else Path(out)
    command = [str(binary()), "--color", "never", "run", str(study), "--out", str(folder), "--json", "--quiet"]
    for path, value in (set or {}).items():
        command += ["--set", f"{path}={toml(value)}"]
    if threads is not None:
        command += ["--threads", str(threads)]
    if force:
        command += ["--force"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip()
        meaning = MEANING.get(done.returncode, "see below")
        raise RunFailed(
            f"`taut run {study}` ended with {done.returncode}: {meaning}\n\n{said}", done.returncode, said, folder
        )
    return Results(folder)


def toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        return repr(value) if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, str | Path):
        # A JSON string is a TOML string but for DEL, which TOML wants escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key))} = {toml(inner)}" for key, inner in value.items()) + " }"
    if hasattr(value, "tolist"):
        return toml(value.tolist())  # a NumPy array or number
    if isinstance(value, list | tuple | range):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    raise TypeError(f"{value!r} ({type(value).__name__}) has no form in TOML; use numbers, texts, lists and dicts")

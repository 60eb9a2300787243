"""Theory beside training: the rows of a theory against the trained rows of the same cell."""

from typing import Literal

import polars as pl

from taut._catalogue import KEYS
from taut._errors import NothingToCompare
from taut._results import Results


def theory_gap(
    run: Results,
    metric: str,
    *,
    table: str = "trajectory",
    on: Literal["time", "step", "end"] = "time",
    theory: str | None = None,
    where: pl.Expr | None = None,
    relative_to: str | None = None,
) -> pl.DataFrame:
    """How far training is from what theory says, row by row.

    Every row of a theory in `table` is set beside the trained row of the same cell and

    * `on="time"`: the same training time (+inf is the limit), and the same mode, factor, … where the table has them;
    * `on="step"`: the same step instead;
    * `on="end"`: the last trained row, whenever that was. For theories that speak of the limit only, where
      training was stopped before it.

    `where` keeps some rows first; it may use the columns of the table, the swept values and `seed`. The gap is relative
    to the theory's value, or to a column of the trained row, `relative_to`.

    Returns one row per pair: the swept values, `seed`, `cell`, `source` (the theory's name), the keys, `trained`,
    `theory`, `gap` = trained − theory, and `relative_gap` = |gap| / |what it is relative to|, which is 0 where both
    agree exactly.
    """
    if table not in KEYS:
        raise NothingToCompare(f"`{table}` has no rows of theories beside trained ones; try {', '.join(KEYS)}")
    frame = run.with_axes(table)
    names = frame.collect_schema().names()
    for column in (metric, relative_to):
        if column is not None and column not in names:
            raise NothingToCompare(f"`{table}` has no column `{column}`; its columns: {', '.join(run[table].collect_schema().names())}")
    keys = [{"time": on}.get(key, key) if on == "step" else key for key in KEYS[table]]
    if on == "end":
        keys = [key for key in keys if key != "time"]
    about = [name for name in (*run.axes, "seed", "cell") if name in names]
    if where is not None:
        frame = frame.filter(where)
    if on == "end" and "time" in names:
        frame = frame.filter(pl.col("time") == pl.col("time").max().over("cell", "source"))
    base = [relative_to] if relative_to else []
    trained = frame.filter(pl.col("source") == "trained").select(
        *about, *keys, pl.col(metric).alias("trained"), *(pl.col(name).alias("_base") for name in base)
    )
    said = pl.col("source") == theory if theory else ~pl.col("source").is_in(["trained", "solved", "target"])
    theories = frame.filter(said, pl.col(metric).is_not_null()).select(
        "cell", *keys, "source", pl.col(metric).alias("theory")
    )
    gap = pl.col("trained") - pl.col("theory")
    size = pl.col("_base" if base else "theory").abs()
    pairs = (
        trained.join(theories, on=["cell", *keys], how="inner")
        .with_columns(
            gap=gap,
            relative_gap=pl.when(pl.col("trained") == pl.col("theory")).then(0.0).otherwise(gap.abs() / size),
        )
        .select(*about, "source", *keys, "trained", "theory", "gap", "relative_gap")
        .sort(*about, "source", *keys)
        .collect()
    )
    if pairs.is_empty():
        raise NothingToCompare(_why(run, frame, table, metric, on, theory))
    return pairs


def _why(run: Results, frame: pl.LazyFrame, table: str, metric: str, on: str, theory: str | None) -> str:
    """Why there is nothing to compare, and what to try."""
    rows = frame.filter(pl.col(metric).is_not_null())
    sources = rows.select(pl.col("source").unique().sort()).collect().to_series().to_list()
    theories = [source for source in sources if source not in ("trained", "solved", "target")]
    where = f"{run.folder}: `{table}.{metric}`"
    if not theories:
        return f"{where} has no rows of a theory; name one in the study, [record] theory = [\"…\"] (`taut list theories`)"
    if theory is not None and theory not in theories:
        return f"{where} has no rows of `{theory}`; there are rows of {', '.join(theories)}"
    if "trained" not in sources:
        return f"{where} has no trained rows here; look at `where`"
    other = "end" if on != "end" else "time"
    return f'{where}: no row of {", ".join(theories)} has the {on} of a trained row; try on="{other}"'

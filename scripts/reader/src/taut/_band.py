"""A band over replicates: the middle and two quantiles of a value, one row per point of a figure."""

from collections.abc import Sequence
from typing import TypeVar

import polars as pl

from taut._errors import TautError

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def replicate_band(
    frame: pl.DataFrame | pl.LazyFrame,
    value: str,
    *,
    by: Sequence[str],
    over: str = "seed",
    quantiles: tuple[float, float, float] = (0.1, 0.5, 0.9),
) -> pl.DataFrame:
    """`low`, `middle` and `high` of `value` over replicates, for every combination of `by`, and how many there were.

    A group with two rows of one replicate is an error: it mixes what should be apart, such as two values of an axis
    or rows of two sources. Null is left out; NaN, as after divergence, counts as larger than any number.
    """
    low, middle, high = quantiles
    if not 0 <= low <= middle <= high <= 1:
        raise ValueError(f"quantiles = {quantiles}: three numbers from 0 to 1 in ascending order are due")
    lazy = frame.lazy()
    names = lazy.collect_schema().names()
    missing = [name for name in (value, over, *by) if name not in names]
    if missing:
        hint = "; `run.with_axes(table)` brings the swept values and `seed`" if "cell" in names else ""
        raise TautError(f"the frame has no column {', '.join(f'`{name}`' for name in missing)}{hint}")
    rows = lazy.select(*by, over, value).filter(pl.col(value).is_not_null()).collect()
    twice = rows.select(*by, over).filter(pl.struct(*by, over).is_duplicated())
    if not twice.is_empty():
        first = twice.row(0, named=True)
        again = [name for name in names if name not in (*by, over, value)]
        raise TautError(
            f"`{over}` {first[over]} has several rows at {', '.join(f'{name} = {first[name]!r}' for name in by)}: filter "
            f"the frame, or add to `by` what tells them apart (of {', '.join(again) or 'which nothing is left'})"
        )
    kept = pl.col(value)
    return (
        rows.group_by(*by)
        .agg(
            low=kept.quantile(low, "linear"),
            middle=kept.quantile(middle, "linear"),
            high=kept.quantile(high, "linear"),
            replicates=pl.len(),
        )
        .sort(*by)
    )

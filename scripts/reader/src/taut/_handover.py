"""Tables for people who would rather work in pandas or DuckDB; neither needs pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from taut._errors import TautError
from taut._results import Results

if TYPE_CHECKING:
    import duckdb
    import pandas


def to_pandas(frame: pl.DataFrame | pl.LazyFrame) -> pandas.DataFrame:
    """A frame for pandas, column by column. Whole numbers and truths with nulls become pandas' nullable types;
    among real numbers null becomes NaN, which is what pandas means by it."""
    try:
        import pandas
    except ImportError:
        raise TautError("pandas is not installed; try: pip install pandas") from None
    table = frame.lazy().collect()
    return pandas.DataFrame({series.name: _column(pandas, series) for series in table.iter_columns()})


def _column(pandas: Any, series: pl.Series) -> Any:
    if series.dtype.is_float():
        return series.to_numpy()
    if series.dtype.is_integer():
        return pandas.array(series.to_list(), dtype="Int64") if series.null_count() else series.to_numpy()
    if series.dtype == pl.Boolean:
        return pandas.array(series.to_list(), dtype="boolean") if series.null_count() else series.to_numpy()
    return pandas.array(series.to_list(), dtype="string")


def to_duckdb(run: Results, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with one view per table, which reads the parquet files when it is asked: nothing is copied."""
    try:
        import duckdb
    except ImportError:
        raise TautError("duckdb is not installed; try: pip install duckdb") from None
    connection = duckdb.connect() if connection is None else connection
    for name in run.tables:
        # DuckDB takes a path for a pattern, in which brackets would stand for sets of letters.
        parts = ", ".join(_literal(str(part.resolve())) for part in run._parts(name))
        connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM read_parquet([{parts}])')
    return connection


def _literal(path: str) -> str:
    pattern = "".join(f"[{letter}]" if letter in "[*?" else letter for letter in path)
    return "'" + pattern.replace("'", "''") + "'"

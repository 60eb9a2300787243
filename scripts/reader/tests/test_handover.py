"""The same numbers in pandas and DuckDB, without pyarrow."""

import polars as pl
import pytest

import taut


def test_pandas_has_the_same_columns_and_numbers(run: taut.Results) -> None:
    pandas = pytest.importorskip("pandas")
    frame = taut.to_pandas(run.trajectory)
    assert list(frame.columns) == run.trajectory.collect_schema().names()
    assert len(frame) == run.trajectory.select(pl.len()).collect().item()
    assert str(frame["step"].dtype) == "Int64" and frame["step"].isna().sum() > 0
    assert str(frame["cell"].dtype) == "int64"
    means = frame[frame["source"] == "trained"].groupby("cell")["risk"].mean()
    same = run.trajectory.filter(pl.col("source") == "trained").group_by("cell").agg(pl.col("risk").mean()).collect()
    assert means.loc[same["cell"].to_list()].to_list() == pytest.approx(same["risk"].to_list(), rel=1e-14)
    assert pandas.isna(taut.to_pandas(run.cells)["reason"]).all()
    assert taut.to_pandas(run.cells)["precision_ok"].dtype == bool


def test_duckdb_reads_the_parts_in_place(run: taut.Results) -> None:
    pytest.importorskip("duckdb")
    connection = taut.to_duckdb(run)
    rows = connection.sql(
        "SELECT decay, count(*) AS rows, max(risk) AS worst FROM trajectory JOIN cells USING (cell) "
        "WHERE source = 'trained' GROUP BY decay ORDER BY decay"
    ).fetchall()
    same = (
        run.with_axes("trajectory")
        .filter(pl.col("source") == "trained")
        .group_by("decay")
        .agg(rows=pl.len(), worst=pl.col("risk").max())
        .sort("decay")
        .collect()
    )
    assert rows == same.rows()
    assert taut.to_duckdb(run, connection) is connection

"""Theory beside training, and bands over replicates."""

import math

import polars as pl
import pytest

import taut


def test_the_limit_is_set_beside_the_limit(run: taut.Results) -> None:
    pairs = taut.theory_gap(run, "bending_energy")
    assert pairs.columns == [
        "decay", "seed", "cell", "source", "time", "trained", "theory", "gap", "relative_gap",
    ]  # fmt: skip
    assert pairs.height == 6 and pairs["time"].to_list() == [math.inf] * 6
    assert set(pairs["source"]) == {"min_norm_limit"}
    assert pairs["relative_gap"].max() < 1e-9
    exact = (pairs["trained"] - pairs["theory"]).to_list()
    assert pairs["gap"].to_list() == exact


def test_modes_are_compared_mode_by_mode(run: taut.Results) -> None:
    pairs = taut.theory_gap(run, "filter", table="modes", where=pl.col("decay") == 2.0)
    assert set(pairs["decay"]) == {2.0}
    assert pairs.select("cell", "time", "mode").is_unique().all()
    assert pairs["gap"].abs().max() < 1e-9
    steps = taut.theory_gap(run, "filter", table="modes", on="step", where=pl.col("decay") == 2.0)
    assert "step" in steps.columns and steps.height == pairs.filter(pl.col("time").is_finite()).height


def test_the_end_is_the_last_row_of_either(run: taut.Results) -> None:
    pairs = taut.theory_gap(run, "risk", on="end")
    assert pairs.height == 6 and "time" not in pairs.columns
    with pytest.raises(taut.NothingToCompare, match='try on="end"'):
        taut.theory_gap(run, "risk", where=(pl.col("source") != "trained") | pl.col("time").is_finite())
    stopped = (pl.col("source") != "trained") | pl.col("time").is_finite()
    assert taut.theory_gap(run, "risk", on="end", where=stopped).height == 6


def test_the_size_of_a_gap_can_be_a_column(run: taut.Results) -> None:
    pairs = taut.theory_gap(run, "strength", table="modes", relative_to="value")
    beside = pairs.join(
        run.modes.filter(pl.col("source") == "trained").select("cell", "time", "mode", "value").collect(),
        on=["cell", "time", "mode"],
    ).filter(pl.col("gap") != 0, pl.col("value") > 0)
    assert (beside["relative_gap"] - beside["gap"].abs() / beside["value"]).abs().max() in (None, 0.0)


def test_nothing_to_compare_says_why(run: taut.Results) -> None:
    with pytest.raises(taut.NothingToCompare, match="no column `rsk`"):
        taut.theory_gap(run, "rsk")
    with pytest.raises(taut.NothingToCompare, match="no rows of theories"):
        taut.theory_gap(run, "risk", table="solutions")
    with pytest.raises(taut.NothingToCompare, match="no rows of `gauss`; there are rows of min_norm_limit"):
        taut.theory_gap(run, "risk", theory="gauss")
    with pytest.raises(taut.NothingToCompare, match="name one in the study"):
        taut.theory_gap(run, "risk", where=pl.col("source") == "trained")
    with pytest.raises(taut.NothingToCompare, match="no trained rows"):
        taut.theory_gap(run, "risk", where=pl.col("source") != "trained")


def test_a_band_holds_the_quantiles_of_every_group(run: taut.Results) -> None:
    trained = run.with_axes("trajectory").filter(pl.col("source") == "trained")
    band = taut.replicate_band(trained, "risk", by=["decay", "time"])
    assert band.columns == ["decay", "time", "low", "middle", "high", "replicates"]
    assert set(band["replicates"]) <= {1, 2, 3}
    here = band.filter(pl.col("decay") == 0.0, pl.col("time") == math.inf)
    risks = sorted(trained.filter(pl.col("decay") == 0.0, pl.col("time") == math.inf).collect()["risk"])
    assert here["replicates"].item() == 3 and here["middle"].item() == risks[1]
    # Of three numbers, the quantile 0.1 lies a fifth of the way from the first to the second.
    assert here["low"].item() == pytest.approx(risks[0] + 0.2 * (risks[1] - risks[0]), rel=1e-12)


def test_a_band_that_mixes_what_should_be_apart_is_refused(run: taut.Results) -> None:
    with pytest.raises(taut.TautError, match=r"`seed` \d has several rows at time = .*decay"):
        taut.replicate_band(run.with_axes("trajectory"), "risk", by=["time"])
    with pytest.raises(taut.TautError, match="with_axes"):
        taut.replicate_band(run.trajectory, "risk", by=["decay", "time"])
    with pytest.raises(ValueError, match="ascending"):
        taut.replicate_band(run.cells, "final_risk", by=["decay"], quantiles=(0.9, 0.5, 0.1))


def test_nulls_do_not_count_as_replicates() -> None:
    frame = pl.DataFrame({"seed": [0, 1, 2], "x": [1, 1, 1], "value": [1.0, None, 3.0]})
    band = taut.replicate_band(frame, "value", by=["x"])
    assert band.row(0, named=True) == {"x": 1, "low": 1.2, "middle": 2.0, "high": 2.8, "replicates": 2}

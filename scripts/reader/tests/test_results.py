"""Opening a folder: tables, units, meanings, the study, and what is said when something is missing."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import taut


def test_tables_are_lazy_and_reached_by_name_and_by_key(run: taut.Results) -> None:
    assert run.tables == ("cells", "trajectory", "modes", "solutions", "predictions", "timing")
    assert isinstance(run.cells, pl.LazyFrame)
    assert run.cells.collect().equals(run["cells"].collect())
    assert run.cells.collect().height == 6
    assert "modes" in run and "curves" not in run
    assert "modes" in dir(run) and "curves" not in dir(run)


def test_units_and_meanings_come_from_the_footers(run: taut.Results) -> None:
    assert run.units("trajectory")["bending_energy"] == "y²/x³"
    assert run.docs("trajectory")["source"].startswith("who produced the row")
    columns = run.columns("trajectory")
    assert columns["column"].to_list() == run.trajectory.collect_schema().names()
    assert columns.filter(pl.col("column") == "step")["unit"].item() == "steps"
    assert run.label("trajectory", "bending_energy") == "bending energy  [y²/x³]"
    assert run.label("modes", "filter", "fraction learned") == "fraction learned"
    with pytest.raises(KeyError, match="did you mean `risk`"):
        run.label("trajectory", "rsk")


def test_every_column_of_every_table_has_a_meaning(run: taut.Results) -> None:
    for table in run.tables:
        assert run.columns(table).filter(pl.col("doc") == "").is_empty(), table


def test_the_study_and_its_axes(run: taut.Results) -> None:
    assert run.study["train"]["until"]["steps"] == 1e6
    assert run.question == "Does the reader read?"
    assert run.axes == ("decay",)
    assert run.manifest["cells"] == 6
    assert run.complete


def test_axes_stand_beside_rows(run: taut.Results) -> None:
    rows = run.with_axes("trajectory").collect()
    assert rows.height == run.trajectory.select(pl.len()).collect().item()
    assert rows.select("decay", "seed").unique().height == 6
    assert run.with_axes("cells").collect_schema() == run.cells.collect_schema()


def test_a_look_at_it(run: taut.Results) -> None:
    assert "6 finished; axes: decay" in repr(run)
    page = run._repr_html_()
    assert "Six &lt;small&gt; cells" in page and "<small>" not in page


def test_verdicts_on_claims(run: taut.Results, claimed: taut.Results) -> None:
    verdicts = dict(claimed.claims.select("says", "verdict").collect().iter_rows())
    assert verdicts == {"There are six cells": "holds", "The mean squared error is above 10": "fails"}
    assert "claims: fails 1, holds 1" in repr(claimed) and "claims" not in repr(run)
    assert "claims: fails 1, holds 1" in claimed._repr_html_()


def test_a_table_that_was_not_recorded_says_how_to_get_it(run: taut.Results) -> None:
    with pytest.raises(taut.NoSuchTable, match=re.escape('tables = ["curves"]')):
        _ = run.curves
    with pytest.raises(taut.NoSuchTable, match="taut check"):
        _ = run["claims"]
    with pytest.raises(taut.NoSuchTable, match="did you mean `trajectory`"):
        _ = run.trajectoy
    assert not hasattr(run, "curves")
    assert getattr(run, "curves", None) is None


def test_a_folder_that_holds_no_results(run: taut.Results, tmp_path: Path) -> None:
    with pytest.raises(taut.NoResults, match="is not there"):
        taut.load(tmp_path / "nowhere")
    with pytest.raises(taut.NoResults, match=re.escape("did you mean `it's [a] folder`")):
        taut.load(run.folder.parent / "it's a folder")
    with pytest.raises(taut.NoResults, match="is a file"):
        taut.load(run.folder / "manifest.json")
    with pytest.raises(taut.NoResults, match="no manifest.json in it"):
        taut.load(tmp_path)
    with pytest.raises(taut.NoResults, match=r"it holds results in .*it's \[a\] folder"):
        taut.load(run.folder.parent)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(taut.NoResults, match="is no JSON"):
        taut.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(taut.NoResults, match="not a manifest of `taut`"):
        taut.load(tmp_path)


def test_a_run_that_was_stopped(run: taut.Results, tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(run.folder, stopped)
    for part in stopped.glob("*/*.parquet"):
        part.unlink()
    begun = taut.load(stopped)
    assert begun.tables == () and not begun.complete
    assert "6 of 6 are still to come" in repr(begun)
    with pytest.raises(taut.NoResults, match="no part of `cells` is finished yet"):
        _ = begun.cells


def test_another_layout_is_read_with_a_warning(run: taut.Results, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(run.folder, other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "schema_version": "999"}))
    with pytest.warns(UserWarning, match="layout 999"):
        assert taut.load(other).cells.collect().height == 6

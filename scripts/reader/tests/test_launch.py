"""Running a study from Python."""

from pathlib import Path

import polars as pl
import pytest

import taut
from taut._launch import toml


def test_a_second_run_computes_nothing(run: taut.Results, study: Path) -> None:
    before = {part: part.stat().st_mtime_ns for part in run.folder.glob("*/*.parquet")}
    again = taut.run(study, out=run.folder)
    assert again.complete
    assert before == {part: part.stat().st_mtime_ns for part in run.folder.glob("*/*.parquet")}


def test_fields_can_be_set(binary: Path, study: Path, tmp_path: Path) -> None:
    changed = {"data.curve.noise": 0.3, "seed": {"count": 2}, "record.tables": [], "train.until.steps": 1e3}
    run = taut.run(study, out=tmp_path / "set", set=changed, threads=1)
    assert run.study["data"]["curve"]["noise"] == 0.3
    assert run.cells.collect().height == 4
    assert "modes" not in run


def test_another_study_in_the_folder_is_refused(run: taut.Results, study: Path) -> None:
    with pytest.raises(taut.RunFailed, match="another") as failed:
        taut.run(study, out=run.folder, set={"data.curve.noise": 0.3})
    assert failed.value.code == 2 and "noise" in failed.value.said
    assert run.cells.collect().height == 6


def test_force_moves_it_aside(binary: Path, study: Path, tmp_path: Path) -> None:
    taut.run(study, out=tmp_path / "here", set={"seed": {"count": 3}})
    run = taut.run(study, out=tmp_path / "here", set={"seed": {"count": 2}}, force=True)
    assert run.cells.select(pl.col("seed").n_unique()).collect().item() == 2
    assert (tmp_path / "here.old-1" / "manifest.json").is_file()


def test_a_mistake_in_the_study_is_told_with_its_place(binary: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('title = "no data"\n[model]\nfeatures = "identity"\n')
    with pytest.raises(taut.RunFailed, match="data") as failed:
        taut.run(wrong, out=tmp_path / "out")
    assert failed.value.code == 2
    assert not (tmp_path / "out").exists()


def test_no_program_is_told_with_what_to_build(monkeypatch: pytest.MonkeyPatch, study: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("TAUT", str(tmp_path / "taut"))
    with pytest.raises(taut.NoBinary, match="TAUT=.*is no program"):
        taut.run(study)
    monkeypatch.delenv("TAUT")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(taut.NoBinary, match="cargo build --release"):
        taut.run(study)


def test_values_as_toml_writes_them() -> None:
    assert toml({"a b": [1, 2.5, True], "c": 'say "é"\n'}) == '{ "a b" = [1, 2.5, true], "c" = "say \\"é\\"\\n" }'
    assert [toml(value) for value in (1e9, 1e-12, float("inf"), float("-inf"), float("nan"))] == [
        "1000000000.0", "1e-12", "inf", "-inf", "nan",
    ]  # fmt: skip
    assert toml(Path("data/points.csv")) == '"data/points.csv"'
    assert toml(range(3)) == "[0, 1, 2]"
    with pytest.raises(TypeError, match="no form in TOML"):
        toml(object())

"""Results to test with: a study of a few cells, run by the program itself."""

from pathlib import Path

import pytest

import taut

STUDY = """
title    = "Six <small> cells"
question = "Does the reader read?"

[data.curve]
target  = { sine = { frequency = 1.5 } }
samples = 8
design  = "uniform"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre-orthonormal", degree = 12 } }

[train]
until = { steps = 1e6 }

[record]
times   = { geometric = 12 }
limit   = true
metrics = ["train_mse", "risk", "bending_energy", "turning_points"]
tables  = ["modes"]
theory  = ["min_norm_limit", "mode_filters"]

[sweep]
seed = { count = 3 }
"model.features.polynomial.decay" = [0.0, 2.0]
"""


@pytest.fixture(scope="session")
def binary() -> Path:
    try:
        return taut.binary()
    except taut.NoBinary as missing:
        pytest.skip(f"these tests run a study: {missing}")


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("studies") / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def run(binary: Path, study: Path) -> taut.Results:
    # Brackets and a quote: folders that a glob or an SQL text would misread.
    return taut.run(study, out=study.parent / "it's [a] folder")


@pytest.fixture(scope="session")
def claimed(binary: Path, study: Path) -> taut.Results:
    """The same study with a claim that holds and one that does not."""
    path = study.parent / "claimed.toml"
    claims = """
[[claim]]
says     = "There are six cells"
sql      = "SELECT count(*) AS cells FROM cells"
at_least = 6

[[claim]]
says     = "The mean squared error is above 10"
sql      = "SELECT max(train_mse) AS worst FROM trajectory"
at_least = 10
"""
    path.write_text(STUDY + claims, encoding="utf-8")
    return taut.run(path, out=study.parent / "claimed")

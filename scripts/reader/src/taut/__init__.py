"""Reads what `taut run` wrote: tables as lazy polars frames, with units, and theory beside training.

    import taut

    run = taut.load("results/panel_polynomial")
    run.cells                                      # a polars LazyFrame
    run.units("trajectory")["bending_energy"]      # 'y²/x³'
    taut.theory_gap(run, "bending_energy")         # trained against every theory that predicts it
"""

from taut._band import replicate_band
from taut._errors import NoBinary, NoResults, NoSuchTable, NothingToCompare, RunFailed, TautError
from taut._gap import theory_gap
from taut._handover import to_duckdb, to_pandas
from taut._launch import binary, run
from taut._results import Results, load

__version__ = "0.1.0"

__all__ = [
    "NoBinary",
    "NoResults",
    "NoSuchTable",
    "NothingToCompare",
    "Results",
    "RunFailed",
    "TautError",
    "binary",
    "load",
    "replicate_band",
    "run",
    "theory_gap",
    "to_duckdb",
    "to_pandas",
]

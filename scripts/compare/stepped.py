"""taut's closed form against JAX stepping the same descent, in alternation.

Runs stepped.toml (a million steps per cell) and stepped_jax.py in turn, and prints wall time per cell, the ratio
with its spread, and the training errors of both after JAX's number of steps, which should be alike (the points
are drawn from the same law by different generators). taut's figure holds start-up and parquet writing, JAX's
neither start-up nor compilation. JAX may take fewer steps than taut: its time is then scaled up to taut's steps,
in proportion, and the output says so. Measure on a quiet machine.

usage: stepped.py TAUT [ROUNDS] [THREADS] [JAX_CELLS] [JAX_STEPS]
       (needs jax and polars)
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

import polars as pl

HERE = pathlib.Path(__file__).parent
STUDY = HERE / "stepped.toml"


def run_taut(binary, threads, *overrides):
    """Wall seconds, and the median training error in the last row."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            [binary, "run", STUDY, *overrides, "--out", f"{folder}/out", "--threads", str(threads), "--quiet"],
            check=True,
        )
        seconds = time.perf_counter() - began
        error = pl.read_parquet(f"{folder}/out/cells/*.parquet")["final_train_mse"].median()
    return seconds, error


def run_jax(cells, steps):
    command = [sys.executable, HERE / "stepped_jax.py", str(cells), str(steps)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(binary, rounds=3, threads=2, jax_cells=2000, jax_steps=10_000):
    study = tomllib.loads(STUDY.read_text())
    cells, steps = study["sweep"]["seed"]["count"], int(study["train"]["until"]["steps"])
    scaled = "" if jax_steps == steps else f" (scaled in proportion from {jax_steps} steps)"
    ratios = []
    for _ in range(rounds):
        ours = run_taut(binary, threads)[0] / cells
        jax = run_jax(jax_cells, jax_steps)
        theirs = jax["nanoseconds_per_cell_and_step"] * 1e-9 * steps
        ratios.append(theirs / ours)
        print(f"{steps} steps of one cell: taut {ours * 1e6:.1f} microseconds, JAX {theirs * 1e3:.1f} milliseconds"
              f"{scaled}, ratio {ratios[-1]:.0f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.0f} (from {min(ratios):.0f} to {max(ratios):.0f})")
    _, error = run_taut(binary, threads, "--set", f"train.until.steps={jax_steps}")
    print(f"median training error after {jax_steps} steps: taut {error:.3e} over {cells} cells, "
          f"JAX {jax['median_last_error']:.3e} over {jax_cells}")


if __name__ == "__main__":
    main(sys.argv[1], *(int(float(a)) for a in sys.argv[2:]))

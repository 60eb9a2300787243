"""taut against JAX on sweeps of deep linear networks, in alternation.

Runs deep_linear.toml and deep_linear_jax.py in turn and prints wall time per cell and step, the ratio with its spread,
and the median largest singular value at the end, which should be alike (both draw from the same law, by different
generators). taut's figure holds start-up, data, singular values and parquet writing; JAX's neither start-up nor
compilation. Measure on a quiet machine.

usage: deep_linear.py TAUT [WIDTH] [CELLS] [STEPS] [ROUNDS] [THREADS]
       (needs jax, numpy and polars)
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import polars as pl

HERE = pathlib.Path(__file__).parent


def run_taut(binary, width, cells, steps, threads):
    values = [2.0 + (0.2 - 2.0) * i / (width - 1) for i in range(width)]
    low, high = (scale / width**0.5 for scale in (1e-3, 1e-1))
    overrides = [
        f"data.teacher.inputs={width}", f"data.teacher.outputs={width}", f"data.teacher.samples={2 * width}",
        f"data.teacher.singular_values={values}", f"train.until.steps={steps}",
        f"model.init.gaussian.scale={{ logspace = [{low}, {high}], count = {cells} }}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "run", HERE / "deep_linear.toml", "--out", f"{folder}/out", "--threads", str(threads), "--quiet"]
        began = time.perf_counter()
        subprocess.run(command + [part for override in overrides for part in ("--set", override)], check=True)
        seconds = time.perf_counter() - began
        modes = pl.read_parquet(f"{folder}/out/modes/*.parquet")
        last = modes.filter((pl.col("step") == steps) & (pl.col("mode") == 1))
    return seconds / (cells * steps) * 1e6, last["strength"].median()


def run_jax(width, cells, steps):
    command = [sys.executable, HERE / "deep_linear_jax.py", "3", str(width), str(cells), str(steps)]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return done["microseconds"], done["largest_singular_value"]


def main(binary, width=64, cells=64, steps=2000, rounds=3, threads=2):
    ratios = []
    for _ in range(rounds):
        (ours, our_value), (theirs, their_value) = run_taut(binary, width, cells, steps, threads), run_jax(width, cells, steps)
        ratios.append(theirs / ours)
        print(f"taut {ours:.3f}  jax {theirs:.3f}  microseconds per cell and step  ratio {ratios[-1]:.2f}  "
              f"(largest singular values {our_value:.4f} and {their_value:.4f})")
    print(f"median ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(sys.argv[1], *(int(float(a)) for a in sys.argv[2:]))

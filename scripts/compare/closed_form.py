"""taut against NumPy on closed-form polynomial descent, in alternation.

Runs the study beside this script and closed_form_numpy.py in turn and prints wall time per cell and
save time (start-up and parquet writing are in taut's figure), their ratio with its spread, and
taut's peak memory. Measure on a quiet machine: NumPy's BLAS threads suffer most from company.

usage: closed_form.py TAUT [CELLS] [ROUNDS] [THREADS]
"""

import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent


def run_taut(binary, cells, threads):
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            [binary, "run", HERE / "closed_form.toml", "--set", f"sweep.seed.count={cells}", "--out", f"{folder}/out",
             "--threads", str(threads), "--quiet"],
            check=True,
        )
        seconds = time.perf_counter() - began
    return seconds


def rows_per_cell(binary):
    plan = subprocess.run(
        [binary, "plan", HERE / "closed_form.toml", "--json", "--set", "sweep.seed.count=1"],
        check=True, capture_output=True, text=True,
    )
    tables = {t["name"]: t["rows"] for t in json.loads(plan.stdout)["tables"]}
    return tables["trajectory"]


def run_numpy():
    done = subprocess.run([sys.executable, HERE / "closed_form_numpy.py"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["microseconds_per_row"]


def main(binary, cells=10_000, rounds=5, threads=2):
    rows = cells * rows_per_cell(binary)
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        ours.append(run_taut(binary, cells, threads) / rows * 1e6)
        theirs.append(run_numpy())
        ratios.append(theirs[-1] / ours[-1])
        print(f"taut {ours[-1]:.2f}  numpy {theirs[-1]:.2f}  microseconds per cell and save time  ratio {ratios[-1]:.2f}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"median ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f}), "
          f"largest peak memory of a child {peak:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1], *(int(float(a)) for a in sys.argv[2:]))

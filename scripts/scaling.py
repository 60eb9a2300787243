#!/usr/bin/env python3
"""Measures how taut's cost grows with width, depth, samples, cells, threads and save times, beside what arithmetic says.

    cargo build --release
    python scripts/scaling.py                        # a few minutes; docs/performance.md and docs/scaling.png

Cost is processor time of whole runs, the least of several, so that other work on the machine counts little; a run with
less to do is taken off, so that start-up does not count. Threads are measured by wall time. The picture needs
matplotlib (scripts/requirements.txt) and is left out without it.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PEERS = HOME / "scripts/peers"
sys.path.insert(0, str(PEERS))

import pages  # noqa: E402

DEEP = """
title = "Three factors, for timing"

[data.teacher]
inputs  = 10
outputs = 10
matrix  = "gaussian"
samples = 64
noise   = 0.1

[model]
features        = "identity"
parametrization = { deep-linear = { depth = 3 } }
init            = { gaussian = { scale = 0.05 } }

[train]
step_size = { absolute = 1e-3 }
solver    = "stepped"
until     = { steps = 100 }

[record]
times   = { linear = 2 }
metrics = ["loss"]

[sweep]
seed = { count = 8 }
"""

ROWS = """
title = "A diagonal network, for timing"

[data.gaussian]
samples = 100
inputs  = 400

[model]
features        = "identity"
parametrization = { hadamard-power = { depth = 2 } }
init            = { constant = { scale = 0.1 } }

[train]
step_size = { absolute = 1e-3 }
solver    = "stepped"
until     = { steps = 100 }

[record]
times   = { linear = 2 }
metrics = ["loss"]

[sweep]
seed = { count = 8 }
"""

TARGET_FLOPS = 4e9  # of a run, or so: some tenths of a second


@dataclass(frozen=True)
class Sweep:
    """One axis: its values, what one of them costs by arithmetic, and how it is run."""

    name: str
    along: str                 # what stands at the axis of the picture
    work: str
    values: tuple
    expected: float            # the exponent that arithmetic gives
    because: str
    study: str
    settings: callable         # value → overrides
    flops: callable            # value → flops per step of all cells
    fitted: tuple = (0, math.inf)   # values between these are fitted
    of: callable = float       # what the cost is a power of


def square(width):
    return [f"data.teacher.inputs={width}", f"data.teacher.outputs={width}", f"data.teacher.samples={2 * width}"]


def factors(width, depth=3, cells=8):
    return cells * (3 * depth - 2) * 2.0 * width**3


WIDTH = (4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
SWEEPS = (
    Sweep("width, small", "width", "three factors, eight cells side by side", WIDTH, 3, "products of square matrices, beside what grows with their entries", DEEP,
          square, factors, fitted=(6, 20)),
    Sweep("width, large", "width", "three factors, eight cells", WIDTH, 3, "products of square matrices", DEEP,
          square, factors, fitted=(32, 128)),
    Sweep("depth", "3 · depth − 2", "factors 10 × 10, eight cells", (2, 3, 4, 6, 9, 13), 1, "3N − 2 products for N = 2 to 13 factors", DEEP,
          lambda depth: [f"model.parametrization.deep-linear.depth={depth}"], lambda depth: factors(10, depth), of=lambda n: 3 * n - 2),
    Sweep("samples of factors", "samples", "three factors 10 × 10", (20, 80, 320, 1280), 0, "second moments are all that a step reads", DEEP,
          lambda samples: [f"data.teacher.samples={samples}"], lambda samples: factors(10)),
    Sweep("samples of rows", "samples", "u² − v² of 400 inputs", (25, 50, 100, 200, 400), 1, "two products with the rows", ROWS,
          lambda samples: [f"data.gaussian.samples={samples}"], lambda samples: 8 * 4.0 * 400 * samples),
    Sweep("cells", "cells", "three factors 10 × 10", (8, 16, 32, 64, 128, 256), 1, "cells know nothing of each other", DEEP,
          lambda cells: [f"sweep.seed.count={cells}"], lambda cells: factors(10, cells=cells)),
)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HOME / "target"))
    options.add_argument("--taut", type=Path, default=target / "release/taut", help="the program (default: %(default)s)")
    options.add_argument("--best-of", type=int, default=5, help="runs of which the fastest counts (default: %(default)s)")
    options.add_argument("--quick", action="store_true", help="less work and two runs, to see that everything runs")
    options.add_argument("--output", type=Path, default=HOME / "docs/performance.md", help="the page (default: %(default)s)")
    options.add_argument("--picture", type=Path, help="PNG to write (default: scaling.png beside the page)")
    options.add_argument("--json", type=Path, help="a file for all figures")
    options = options.parse_args()
    if not options.taut.is_file():
        sys.exit(f"{options.taut} is not there; build it with `cargo build --release`, or name it by --taut")
    if options.quick:
        options.best_of = 2
    options.picture = options.picture or options.output.parent / "scaling.png"
    with tempfile.TemporaryDirectory() as work:
        found = measure(Bench(options, Path(work)))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    drawn = draw(found, options.picture)
    text = section(found, options, drawn)
    print(text)
    pages.put(options.output, "scaling", text)


class Bench:
    """Where taut runs."""

    def __init__(self, options, work):
        self.taut, self.best_of, self.work = options.taut.resolve(), options.best_of, work
        self.flops = TARGET_FLOPS / (10 if options.quick else 1)

    def run(self, study, settings, threads=1):
        """Processor and wall seconds of one run: both the least of several."""
        file = self.work / "study.toml"
        file.write_text(study)
        command = [str(self.taut), "run", str(file), "--threads", str(threads), "--out", str(self.work / "out"), "--quiet"]
        command += [part for setting in settings for part in ("--set", setting)]
        processor, wall = math.inf, math.inf
        for _ in range(self.best_of):
            shutil.rmtree(self.work / "out", ignore_errors=True)
            began, child = time.perf_counter(), subprocess.Popen(command)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                sys.exit(f"{' '.join(command)} ended with {child.returncode}")
            wall, processor = min(wall, time.perf_counter() - began), min(processor, used.ru_utime + used.ru_stime)
        return processor, wall

    def per_step(self, study, settings, flops):
        """Microseconds of one step of all cells: what 3k steps take more than k."""
        steps = max(20, int(self.flops / flops / 4))
        few, _ = self.run(study, [*settings, f"train.until.steps={steps}"])
        many, _ = self.run(study, [*settings, f"train.until.steps={3 * steps}"])
        return 1e6 * (many - few) / (2 * steps)


def measure(bench):
    found, kept = [], {}
    for sweep in SWEEPS:
        costs = []
        for value in sweep.values:
            settings = tuple(sweep.settings(value))
            if (sweep.study, settings) not in kept:
                kept[sweep.study, settings] = bench.per_step(sweep.study, settings, sweep.flops(value))
            costs.append(kept[sweep.study, settings])
        found.append(entry(sweep, list(sweep.values), costs, "µs per step of all cells"))
        report(found[-1])
    found.append(save_times(bench))
    report(found[-1])
    if (os.cpu_count() or 1) > 1:
        found.append(threads(bench))
        report(found[-1])
    return found


def save_times(bench):
    """A closed form at more and more times; two times are taken off."""
    study = (PEERS / "closed_form.toml").read_text()
    settings = lambda times: [f"sweep.seed.count={100}", f"record.times={{ linear = {times} }}"]  # noqa: E731
    values = [101, 201, 401, 801, 1601]
    none, _ = bench.run(study, settings(2))
    costs = [1e6 * (bench.run(study, settings(times))[0] - none) / 100 for times in values]
    sweep = Sweep("save times", "save times", "degree 50 in closed form, all metrics", (), 1, "every time is a formula and a row", "", None, None)
    return entry(sweep, values, costs, "µs per cell")


def threads(bench):
    """Wall time of one sweep on one thread, and on all."""
    values = list(range(1, (os.cpu_count() or 1) + 1))
    steps = max(20, int(16 * bench.flops / factors(64, cells=16)))
    settings = [*square(64), "sweep.seed.count=16", f"train.until.steps={steps}"]
    costs = [1e3 * bench.run(DEEP, settings, count)[1] for count in values]
    sweep = Sweep("threads", "threads", "three factors 64 × 64, 16 cells", (), -1, "nothing is shared but the writer", "", None, None)
    return entry(sweep, values, costs, "ms of wall time")


def entry(sweep, values, costs, unit):
    low, high = sweep.fitted
    points = [(sweep.of(v), c) for v, c in zip(values, costs) if low <= v <= high and c > 0]
    return {
        "name": sweep.name, "along": sweep.along, "work": sweep.work, "expected": sweep.expected, "because": sweep.because,
        "values": [sweep.of(v) for v in values], "costs": costs, "unit": unit, "exponent": slope(points),
        "from": points[0][0], "to": points[-1][0],
    }


def slope(points):
    """The exponent of a power law, by least squares in the logarithms."""
    x, y = [math.log(p[0]) for p in points], [math.log(p[1]) for p in points]
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y)) / sum((a - middle) ** 2 for a in x)


def report(one):
    print(f"{one['name']}: exponent {one['exponent']:.2f}, by arithmetic {one['expected']}", file=sys.stderr, flush=True)


def section(found, options, drawn):
    program = subprocess.run([str(options.taut), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    lines = ["**Little work per run, to see that everything runs: no figures to cite.**", ""] if options.quick else []
    lines += [
        f"Measured {date.today().isoformat()}, {program}, the best of {options.best_of} runs. Cost is processor time of a step of all cells "
        "on one thread, start-up taken off; of save times, of a cell; of threads, wall time.", "",
        "```sh", "python scripts/scaling.py", "```", "",
        "| cost along | work | from … to | measured exponent | by arithmetic | because |", "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['name']} | {one['work']} | {one['from']:.0f} … {one['to']:.0f} | {one['exponent']:.2f} | {one['expected']} | {one['because']} |"
        for one in found
    ]
    if drawn:
        lines += ["", f"![Cost along each axis, measured and by arithmetic]({options.picture.name})"]
    return "\n".join(lines)


def draw(found, picture):
    """Measured costs as points, the power that arithmetic gives as a line through them."""
    try:
        import matplotlib
    except ImportError:
        print("matplotlib is not installed: no picture (pip install -r scripts/requirements.txt)", file=sys.stderr)
        return False
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ink, quiet, theory, measured = "#222222", "#7a7a7a", "#b5480f", "#2f6f8f"
    plt.rcParams.update({
        "font.family": "sans-serif", "font.sans-serif": ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"], "font.size": 9.5,
        "text.color": ink, "axes.edgecolor": quiet, "axes.labelcolor": ink, "axes.linewidth": 0.7,
        "axes.spines.top": False, "axes.spines.right": False, "xtick.color": quiet, "ytick.color": quiet,
        "xtick.labelcolor": ink, "ytick.labelcolor": ink,
    })
    panels = {}
    for one in found:
        panels.setdefault(one["name"].split(",")[0], []).append(one)
    columns = (len(panels) + 1) // 2
    figure, axes = plt.subplots(2, columns, figsize=(2.9 * columns, 5.6))
    for ax, (name, parts) in zip(axes.flat, panels.items()):
        for one in parts:
            inside = [x for x in one["values"] if one["from"] <= x <= one["to"]]
            heights = [c for x, c in zip(one["values"], one["costs"]) if one["from"] <= x <= one["to"] and c > 0]
            # Through the middle of the fitted points, in the logarithms.
            level = math.exp(sum(math.log(c) - one["expected"] * math.log(x) for x, c in zip(inside, heights)) / len(heights))
            ax.plot(inside, [level * x ** one["expected"] for x in inside], color=theory, linewidth=1.4, dashes=(4, 2))
        ax.plot(parts[0]["values"], parts[0]["costs"], "o", color=measured, markersize=4.5)
        ax.set_xscale("log")
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        if high / low < 10:
            middle = math.sqrt(low * high)
            ax.set_ylim(middle / math.sqrt(10), middle * math.sqrt(10))
        ax.set_title(name, fontsize=11, weight="bold", loc="left", pad=17)
        told = ", ".join(f"{one['exponent']:.2f}" for one in parts)
        ax.text(0, 1.03, f"exponent {told}; by arithmetic {parts[0]['expected']}", transform=ax.transAxes, color=quiet, fontsize=8.5)
        ax.set_xlabel(parts[0]["along"], labelpad=2)
        ax.set_ylabel(parts[0]["unit"], labelpad=2)
        values = parts[0]["values"]
        ax.set_xticks(values if len(values) <= 6 else values[::3])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        low, high = ax.get_ylim()
        if high / low < 300:
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.12g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(which="minor", length=0)
    for ax in list(axes.flat)[len(panels):]:
        ax.set_axis_off()
        ax.plot([], [], "o", color=measured, markersize=4.5, label="measured")
        ax.plot([], [], color=theory, linewidth=1.4, dashes=(4, 2), label="by arithmetic, through\nthe middle of the points")
        ax.legend(loc="center left", frameon=False, fontsize=9.5)
    figure.tight_layout(w_pad=1.2, h_pad=1.6)
    figure.savefig(picture, dpi=160, metadata={"Software": None})
    print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB", file=sys.stderr)
    return True


if __name__ == "__main__":
    main()

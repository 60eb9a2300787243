"""What the lessons share: where studies are, where tables go, and how figures look."""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

#: The studies of the catalogue.
STUDIES = ROOT / "experiments"

#: Where the lessons put their tables: `results/lessons` of the clone, or $TAUT_LESSONS.
RESULTS = Path(os.environ.get("TAUT_LESSONS", ROOT / "results/lessons"))
RESULTS.mkdir(parents=True, exist_ok=True)

# The program of this clone, unless $TAUT or the PATH has another.
if "TAUT" not in os.environ and (ROOT / "target/release/taut").is_file():
    os.environ["TAUT"] = str(ROOT / "target/release/taut")

plt.style.use(HERE / "lesson.mplstyle")
pl.Config.set_tbl_rows(20)
pl.Config.set_fmt_str_lengths(90)

# The colours of Okabe and Ito, which readers of every colour vision tell apart.
BLUE, ORANGE, GREEN, RED, SKY, PINK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"
INK, QUIET = "#222222", "#767676"

#: Theory is dashed and dark, and lies on top of what was measured.
THEORY = {"color": INK, "linestyle": (0, (4, 3)), "linewidth": 1.1, "zorder": 5}


def end_label(ax, x, y, text, color, **more):
    """Names a line at its right end, in its own colour, which spares the reader a legend."""
    ax.annotate(
        text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=color, annotation_clip=False, **more
    )

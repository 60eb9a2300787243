"""Draws the README's picture from the tables of `experiments/panel_polynomial.toml`.

    python scripts/picture.py results/panel_polynomial docs/panel_polynomial.png

One column per basis. Above: the fit after 0, 1, 10, … steps. Below: its bending energy along the
path, with what theory says of the limit and what random interpolators of the same points have.
Every number comes from the tables; only the ten points are read from the study's data file.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

try:
    import matplotlib
    import polars as pl
except ImportError as missing:
    sys.exit(f"{missing.name} is not installed; try: pip install -r scripts/requirements.txt")

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import NullLocator

HOME = Path(__file__).resolve().parent.parent
COLUMNS = [
    ("monomial", r"Monomials  $x^k$"),
    ("legendre-orthonormal", r"Legendre, orthonormal"),
    ("legendre-orthonormal-w2", r"Legendre / $(1+k)^2$"),
]
FIRST, LAST = 1, 1e9  # the steps shown
SHOWN = (-1.75, 1.95)  # the values shown; monomials leave far beyond
DECADES = ["1", "$10^3$", "$10^6$", "$10^9$"]
INK, QUIET, BAND, THEORY = "#222222", "#7a7a7a", "#e7b98a", "#b5480f"

# Light for early steps, dark for late ones, and readable without colour vision.
PATH = LinearSegmentedColormap.from_list("path", plt.get_cmap("viridis")([0.88, 0.7, 0.5, 0.3, 0.12, 0.0]))
STEPS = LogNorm(FIRST, LAST)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("results", type=Path, help="folder that `taut run` wrote")
    options.add_argument("picture", type=Path, help="PNG to write")
    options.add_argument("--dataset", default="mid", help="point set: end, mid (default) or irr")
    options.add_argument("--points", type=Path, default=HOME / "experiments/data/panel_points.csv")
    options = options.parse_args()

    plt.rcParams.update(
        {
            "font.family": "sans-serif",
            "font.sans-serif": ["Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
            "font.size": 9.5,
            "mathtext.fontset": "dejavusans",
            "text.color": INK,
            "axes.edgecolor": QUIET,
            "axes.labelcolor": INK,
            "axes.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": QUIET,
            "ytick.color": QUIET,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
        }
    )
    tables = Tables(options.results, options.dataset)
    points = pl.read_csv(options.points, comment_prefix="#").filter(pl.col("dataset") == options.dataset)
    figure, axes = plt.subplots(
        2, len(COLUMNS), figsize=(10, 6.1), sharex="row", sharey="row", height_ratios=[1.12, 1]
    )
    figure.subplots_adjust(left=0.075, right=0.925, top=0.9, bottom=0.085, wspace=0.11, hspace=0.29)
    for i, (basis, title) in enumerate(COLUMNS):
        cell = tables.cell(basis)
        draw_fits(axes[0, i], cell, points, tables.target, first=i == 0)
        marks = draw_bending(axes[1, i], cell, first=i == 0)
        axes[0, i].set_title(title, fontsize=12, weight="bold", pad=22)
        bent = cell["final_bending_energy"] / cell["least_bending_energy"]
        much = f"{bent:.1f}" if bent < 10 else f"{float(f'{bent:.2g}'):,.0f}"
        subtitle = f"ends with {much} × the least bending"
        axes[0, i].text(0.5, 1.035, subtitle, transform=axes[0, i].transAxes, ha="center", color=QUIET)
    name_marks(axes[1, -1], marks)
    draw_scale(figure, axes)
    figure.savefig(options.picture, dpi=160, metadata={"Software": None})
    print(f"{options.picture}: {options.picture.stat().st_size / 1000:.0f} kB")


class Tables:
    """The tables of a finished run, for one point set."""

    def __init__(self, folder: Path, dataset: str) -> None:
        self.folder, self.dataset = folder, dataset
        study = tomllib.loads(json.loads((folder / "manifest.json").read_text())["study"])
        line = study["data"]["curve"]["target"]["line"]
        self.target = lambda x: line["intercept"] + line["slope"] * x
        self.cells = self.scan("cells").filter(pl.col("dataset") == dataset).collect()

    def scan(self, table: str) -> pl.LazyFrame:
        return pl.scan_parquet(self.folder / table / "*.parquet")

    def cell(self, basis: str) -> dict:
        """What the two panels of one column need."""
        row = self.cells.row(by_predicate=pl.col("basis") == basis, named=True)
        here = pl.col("cell") == row["cell"]
        path = self.scan("trajectory").filter(here).collect()
        trained = path.filter(pl.col("source") == "trained")
        curves = self.scan("curves").filter(here & (pl.col("source") == "trained")).collect()
        draws = (
            self.scan("solutions")
            .filter(here & (pl.col("solution") == "random-interpolator") & (pl.col("variant") == "same"))
            .select("bending_energy")
            .collect()["bending_energy"]
        )
        return {
            **row,
            "path": trained.filter(pl.col("step") >= 1).select("step", "bending_energy"),
            "limit": path.filter(pl.col("source") == "min_norm_limit")["bending_energy"][0],
            "curves": curves,
            "quartiles": (draws.quantile(0.25), draws.quantile(0.75)),
            "smoother": (draws < row["final_bending_energy"]).mean(),
            "draws": len(draws),
        }


def draw_fits(ax, cell: dict, points: pl.DataFrame, target, first: bool) -> None:
    """The fit at one save time per decade, early to late; the limit on top."""
    curves = cell["curves"]
    done = cell["residual_rms_below_1em6_step"]
    saved = curves.filter(pl.col("step") >= 1)["step"].unique().sort()
    wanted = sorted({saved[(saved.cast(float).log10() - k).abs().arg_min()] for k in range(0, 10)})
    # After interpolation the curve does not change; one curve of those is enough.
    for step in [s for s in wanted if s < done]:
        curve = curves.filter(pl.col("step") == step).sort("x")
        ax.plot(curve["x"], curve["f"], color=PATH(STEPS(step)), linewidth=1.4)
    limit = curves.filter(pl.col("step").is_null()).sort("x")
    ax.plot(limit["x"], limit["f"], color=PATH(STEPS(min(done, LAST))), linewidth=1.9)
    ax.plot([-1, 1], [target(-1), target(1)], color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=4)
    ax.plot(
        points["x"], points["y"], "o", markersize=6, color="white", markeredgecolor=INK, markeredgewidth=1.3, zorder=5
    )
    ax.set(xlim=(-1.03, 1.03), ylim=SHOWN)
    ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "", "0", "", "1"])
    ax.set_yticks([-1, 0, 1], ["−1", "0", "1"])
    ax.set_xlabel(r"$x$", labelpad=1)
    if first:
        ax.set_ylabel(r"fit  $f(x)$")
        ax.annotate(
            "target", (0.13, target(0.13)), xytext=(0.3, -0.25), color=INK,
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkB": 2},
        )
    furthest = limit["f"].abs().max()
    if furthest > SHOWN[1]:
        ax.text(0, -1.45, f"|f| reaches {furthest:.0f} at the ends", ha="center", va="center", color=QUIET)


def draw_bending(ax, cell: dict, first: bool) -> dict:
    """Bending energy along the path, coloured like the fits above."""
    low, high = cell["quartiles"]
    ax.axhspan(low, high, color=BAND, alpha=0.55, linewidth=0)
    ax.axhline(cell["limit"], color=THEORY, linewidth=1.3, linestyle=(0, (5, 3)), zorder=3)
    step = cell["path"]["step"].cast(float).to_list()
    bending = cell["path"]["bending_energy"].to_list()
    pairs = list(zip(step, bending))
    line = LineCollection([pairs[i : i + 2] for i in range(len(pairs) - 1)], cmap=PATH, norm=STEPS, linewidth=2.6)
    line.set_array(step[:-1])
    line.set_capstyle("round")
    ax.add_collection(line)
    ax.set(xscale="log", yscale="log", xlim=(FIRST, LAST), ylim=(1e-3, 3e10))
    ax.set_xticks([1, 1e3, 1e6, 1e9], DECADES)
    ax.set_yticks([1, 1e3, 1e6, 1e9], DECADES)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("gradient-descent step", labelpad=2)
    interpolates = cell["residual_rms_below_1em3_step"]
    at = cell["at_interpolation_bending_energy"]
    ax.plot([interpolates], [at], "o", markersize=6.5, color="white", markeredgecolor=INK, markeredgewidth=1.3, zorder=5)
    share = cell["smoother"]
    verdict = f"{share:.0%}" if share >= 0.01 else f"{round(share * cell['draws'])} of {cell['draws']}"
    ax.text(0.97, 0.2, verdict, transform=ax.transAxes, ha="right", va="bottom", fontsize=14, weight="bold")
    ax.text(
        0.97, 0.055, "random interpolants\nare smoother", transform=ax.transAxes, ha="right", va="bottom", linespacing=1.1
    )
    if first:
        ax.set_ylabel(r"bending energy  $\int (f'')^2\,dx$")
    return {"circle": (interpolates, at), "limit": cell["limit"], "band": cell["quartiles"]}


def name_marks(ax, marks: dict) -> None:
    """What dashes, band and circle are, said once where there is room."""
    ax.text(1.6, marks["limit"] * 1.7, "limit, by theory", color=THEORY, va="bottom")
    ax.text(1.6, marks["band"][1] * 1.7, "middle half of random interpolants", color="#8a5a28", va="bottom")
    step, bending = marks["circle"]
    ax.annotate(
        "through all points", (step, bending), xytext=(step * 1.5, bending * 12), va="bottom", ha="left", color=INK,
        arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkB": 5, "relpos": (0.05, 0)},
    )


def draw_scale(figure, axes) -> None:
    """One colour scale for all panels."""
    box = axes[0, -1].get_position()
    scale = figure.colorbar(
        plt.cm.ScalarMappable(norm=STEPS, cmap=PATH), cax=figure.add_axes([0.94, box.y0, 0.011, box.height])
    )
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)
    scale.ax.set_yticks([1, 1e3, 1e6, 1e9], DECADES)
    scale.ax.yaxis.set_minor_locator(NullLocator())
    scale.ax.set_title("step", fontsize=9.5, pad=6)


if __name__ == "__main__":
    main()

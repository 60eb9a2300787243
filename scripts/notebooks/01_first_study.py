# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · A first study: from a question to a figure
#
# **Question.** A polynomial of degree 30 is fitted to 12 noisy points by gradient descent. It has 31
# coefficients for 12 points, so in the end it goes through all of them. Does it help to make high degrees
# *expensive*? And if it does, when should one stop?
#
# This lesson goes once through the whole circle: write a study, run it, look at its tables, draw a figure,
# and hold one number against a claim.
#
# ## The model
#
# $$ f_\theta(x) = \sum_{k=0}^{30} \theta_k\,\frac{\sqrt{2k+1}\,P_k(x)}{(1+k)^s}, \qquad
#    L(\theta) = \frac{1}{2n}\sum_{i=1}^{n}\bigl(y_i - f_\theta(x_i)\bigr)^2 , \qquad \theta^{(0)} = 0, $$
#
# with Legendre polynomials $P_k$. The **decay** $s$ divides feature $k$ by $(1+k)^s$. That changes nothing
# about which functions can be written down, but a high degree now needs a large coefficient, and descent from
# zero is slow to make coefficients large.
#
# Descent is linear here, so it can be written down for any step. With $\Phi$ the $n\times 31$ matrix of
# features at the points, $\lambda_i$ the eigenvalues of $\Phi^\top\Phi/n$ and a step size $\eta$, the part of
# the data along mode $i$ that has been learned after $t$ steps is
#
# $$ g_i(t) = 1 - (1-\eta\lambda_i)^t . $$
#
# This is why the study below can ask for $10^9$ steps: nobody makes them one by one.

# %%
import matplotlib.pyplot as plt
import polars as pl
import taut

from lesson import BLUE, GREEN, INK, QUIET, RED, RESULTS, end_label

# %% [markdown]
# ## The study
#
# A study is a text that says what is fitted, what fits it, how it moves, and what is swept. Each of the 50
# replicates (`seed`) draws its own points and its own noise, the same ones for every decay. It may also state
# what it expects, as a **claim**: a query over its own tables, with a bound that is written down *before* the
# first run.

# %%
STUDY = '''
title    = "Does feature decay tame a degree-30 polynomial?"
question = "And if it does, when should one stop?"

[data.curve]
target  = { sine = { frequency = 1.5 } }     # sin(1.5 pi x)
samples = 12
design  = "uniform"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre-orthonormal", degree = 30 } }

[train]
until = { steps = 1e9 }                      # descent from zero, step size 1/lambda_max

[sweep]
seed = { count = 50 }
"model.features.polynomial.decay" = [0.0, 1.0, 2.0]

[[claim]]
says     = "Decay 2 lowers the median of the best risk on the path at least tenfold"
sql      = """
SELECT median(CASE WHEN decay = 0.0 THEN best_risk END) / median(CASE WHEN decay = 2.0 THEN best_risk END) AS factor
FROM cells
"""
at_least = 10.0
'''
path = RESULTS / "first_study.toml"
path.write_text(STUDY, encoding="utf-8");

# %%
run = taut.run(path, out=RESULTS / "first_study")
run

# %% [markdown]
# A second call computes nothing: finished cells stay where they are. 3 decays × 50 replicates are 150
# **cells**, and the table `cells` has one row for each.

# %%
run.cells.select("cell", "seed", "decay", "rank", "best_risk", "best_risk_step", "final_risk").head(5).collect()

# %% [markdown]
# Every column carries its unit and its meaning. The **risk** is the mean squared error against the noise-free
# target over the whole interval, which we can know because we chose the target.

# %%
run.columns("trajectory").filter(pl.col("column").is_in(["step", "time", "train_mse", "risk", "bending_energy"]))

# %% [markdown]
# ## What a fit looks like
#
# Curves are large, so they are written only on request; `samples`, the points of every cell, come with them.
# We ask for both in a variant of the study with a single replicate. It is another study, so it goes to
# another folder. The cells themselves are the same ones, with the same `key`: a cell is known by what it
# *is*, not by the sweep around it.

# %%
one = taut.run(
    path,
    out=RESULTS / "first_study_curves",
    set={"seed": {"count": 1}, "record.tables": ["curves"], "record.times": {"steps": [0, 10, 1e4, 1e9]}},
)
assert set(one.cells.collect()["key"]) <= set(run.cells.collect()["key"])

# %%
curves, samples = one.with_axes("curves").collect(), one.with_axes("samples").collect()

figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.9), sharex=True, sharey=True)
for ax, decay in zip(axes, [0.0, 2.0]):
    here = curves.filter(pl.col("decay") == decay).sort("x")
    for step, color in [(10, "#9ecae1"), (10_000, "#4292c6"), (1_000_000_000, "#08306b")]:
        fit = here.filter(pl.col("source") == "trained", pl.col("step") == step)
        ax.plot(fit["x"], fit["f"], color=color, label=f"$10^{len(str(step)) - 1}$ steps")
    target = here.filter(pl.col("source") == "target")
    ax.plot(target["x"], target["f"], color=INK, linewidth=1, linestyle=(0, (5, 3)), label="target")
    points = samples.filter(pl.col("decay") == decay)
    ax.plot(points["x"], points["y"], "o", color="white", markeredgecolor=INK, zorder=5, label="points")
    ax.set(title=f"decay $s$ = {decay:.0f}", xlabel="$x$", xticks=[-1, -0.5, 0, 0.5, 1], ylim=(-2.2, 2.2))
axes[0].set_ylabel("fit $f(x)$")
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right center");

# %% [markdown]
# **What to notice.** Without decay every degree costs the same, and of all functions through the points
# descent ends at the one with the least sum of squares of its coefficients. It swings about zero wherever
# there is no point. With decay the smooth part comes first: after $10^4$ steps there is a good fit wherever
# there are points. But look at the end of training, dark blue: to reach the last few hundredths of the noise
# it must bend violently, and it leaves the picture.
#
# ## The risk along the way
#
# Fifty replicates make a median and a band. `replicate_band` takes quantiles over `seed` for every
# combination of the other columns, and refuses a frame in which one replicate would be counted twice.

# %%
trained = run.with_axes("trajectory").filter(pl.col("source") == "trained", pl.col("step") >= 1)
band = taut.replicate_band(trained, "risk", by=["decay", "step"], quantiles=(0.25, 0.5, 0.75))

line = run.solutions.filter(pl.col("solution") == "linear-fit").select("cell", line_risk="risk")
cells = run.cells.join(line, on="cell").collect()

figure, ax = plt.subplots()
for decay, color in zip([0.0, 1.0, 2.0], [RED, GREEN, BLUE]):
    here = band.filter(pl.col("decay") == decay)
    ax.fill_between(here["step"], here["low"], here["high"], color=color, alpha=0.18, linewidth=0)
    ax.plot(here["step"], here["middle"], color=color)
    end_label(ax, here["step"][-1], here["middle"][-1], f"decay {decay:.0f}", color)
ax.axhline(cells["line_risk"].median(), color=QUIET, linewidth=1, linestyle=(0, (2, 2)))
ax.text(1.2, cells["line_risk"].median() * 1.06, "least-squares line, median", color=QUIET, va="bottom", fontsize=9)
ax.set(xscale="log", yscale="log", xlim=(1, 1e9), ylim=(5e-3, 30))
ax.set(xlabel="gradient-descent step", ylabel=run.label("trajectory", "risk"))
ax.set_title("Median and middle half of 50 replicates");

# %% [markdown]
# **What to notice.**
#
# * Decay buys a deep valley: a fit more than twenty times better, *if somebody stops in time*.
# * The valley has a price. At the end, decay 2 has a larger median risk than no decay at all, and a band that
#   reaches above 1: where two points happen to lie close together, their noise makes the interpolant steep,
#   and smooth functions that are steep at one place go far astray at others.
# * The step at which to stop moves over orders of magnitude with the decay, and it is found here with
#   knowledge of the target, which a practitioner does not have (exercise 2).

# %%
summary = (
    cells.group_by("decay")
    .agg(
        pl.col("best_risk", "final_risk", "line_risk").median(),
        better_than_line=(pl.col("best_risk") < pl.col("line_risk")).mean(),
        ends_worse_than_line=(pl.col("final_risk") > pl.col("line_risk")).mean(),
    )
    .sort("decay")
)
summary

# %% [markdown]
# And the claim? It was held against the tables when the run ended, and `taut check` does it again at any
# time.

# %%
run.claims.select("says", "value", "lower", "margin", "verdict").collect()

# %% [markdown]
# ## Exercises
#
# 1. Take the noise away: `taut.run(path, out=RESULTS / "no_noise", set={"data.curve.noise": 0.0})`. How much
#    does stopping early gain now, for each decay? What was the hill at the end of training made of?
# 2. Nobody knows the target, so nobody can stop at `best_risk_step`. Append `[choose]` with `by = ["loo"]` to
#    the study: leave-one-out then chooses a step for every cell. Compare `chosen_loo_risk` with `best_risk`.
#
# ## The number
#
# The factor is 23.68. Tables depend on the study and its seed alone, so it is reproduced to rounding; 0.1 %
# leaves room for processors that round differently, and for the digits written here. Whether it is more than
# luck of the draw is another matter: the replicates are paired, so we count them. If decay were a coin toss,
# 40 or more wins of 50 would have a chance of $10^{-5}$.

# %%
median = {row["decay"]: row["best_risk"] for row in summary.iter_rows(named=True)}
factor = median[0.0] / median[2.0]
pairs = cells.pivot("decay", index="seed", values="best_risk")
wins = (pairs["2.0"] < pairs["0.0"]).sum()
print(f"best risk: {median[0.0]:.4f} without decay, {median[2.0]:.4f} with decay 2: {factor:.2f} times lower")
print(f"lower in {wins} of {pairs.height} replicates")

assert abs(factor / 23.68 - 1) < 1e-3, factor
assert wins >= 40, wins

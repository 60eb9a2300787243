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
# # 5 · Double descent: why the error peaks at $p=n$, and when it comes down again
#
# **Question.** Statistics books say that the error on new data falls and then rises with the number of
# parameters. Then came plots in which it falls *again* beyond the point where the data are fitted exactly.
# Where is the peak, can it be calculated, and does the second descent always come?
#
# ## A case in which everything can be calculated
#
# There are $D=100$ independent Gaussian inputs and a signal $\beta$ of length 1 in a random direction; $n=40$
# rows with noise $\sigma$. The model sees the first $p$ inputs only. It is fitted by least squares, and from
# $p>n$ on by the interpolant of least norm, which is where gradient descent from zero ends. With
# $\beta_{\mathrm{in}}$ and $\beta_{\mathrm{out}}$ the seen and unseen parts, what is not seen acts as noise
# of variance $\tau^2=\lVert\beta_{\mathrm{out}}\rVert^2+\sigma^2$, and the expected error on new points (free
# of noise) is *exactly*
#
# $$ \mathbb E\,\mathrm{err}(p) + \sigma^2 =
#   \begin{cases}
#     \tau^2\Bigl(1+\dfrac{p}{n-p-1}\Bigr) & p\le n-2,\\[2ex]
#     \infty & n-1\le p\le n+1,\\[1ex]
#     \lVert\beta_{\mathrm{in}}\rVert^2\Bigl(1-\dfrac np\Bigr)+\tau^2\Bigl(1+\dfrac{n}{p-n-1}\Bigr) & p\ge n+2
#   \end{cases} $$
#
# (Belkin, Hsu and Xu 2019). The peak is no mystery: the variance of least squares is $\tau^2\sum_i 1/s_i^2$
# over the singular values of the design, and a square Gaussian matrix has one that is nearly zero.

# %%
import matplotlib.pyplot as plt
import polars as pl
import taut

from lesson import BLUE, GREEN, ORANGE, QUIET, RED, RESULTS, STUDIES, THEORY, end_label

# %%
run = taut.run(STUDIES / "double_descent_isotropic.toml", out=RESULTS / "double_descent_isotropic")
run

# %% [markdown]
# 500 draws for each of 17 numbers of features. Draws have heavy tails near the peak, so we look at medians
# and a band, and at means beside them.

# %%
fits = (
    run.solutions.filter(pl.col("solution") == "min-norm")
    .join(run.cells.select("cell", "seed", "features"), on="cell")
    .select("cell", "seed", "features", "test_error", "train_mse")
)
band = taut.replicate_band(fits, "test_error", by=["features"])
means = fits.group_by("features").agg(pl.col("test_error", "train_mse").mean()).sort("features").collect()
expected = (
    run.with_axes("predictions")
    .group_by("quantity", "features")
    .agg(pl.col("value").mean())
    .sort("features")
    .collect()
)
exact = expected.filter(pl.col("quantity") == "ridgeless_mean_test_error")
best_ridge = expected.filter(pl.col("quantity") == "optimal_ridge_test_error")

# %%
figure, ax = plt.subplots(figsize=(7.6, 4.6))
ax.fill_between(band["features"], band["low"], band["high"], color=BLUE, alpha=0.2, linewidth=0)
ax.plot(band["features"], band["middle"], color=BLUE, label="median and 10–90 % of 500 draws")
ax.plot(means["features"], means["test_error"], "o", color="white", markeredgecolor=BLUE, label="mean of 500 draws")
for side in (exact["features"] <= 38, exact["features"] >= 42):
    ax.plot(exact.filter(side)["features"], exact.filter(side)["value"], **THEORY)
ax.plot([], [], **THEORY, label="exact expectation")
ax.plot(best_ridge["features"], best_ridge["value"], ":", color=GREEN, label="best ridge penalty, by theory")
fitted = means["train_mse"].clip(1e-3)  # zero from p = n on, which a logarithm can't show
ax.plot(means["features"], fitted, color=ORANGE, linewidth=1.2, label="error on the 40 training rows")
ax.axhline(1, color=QUIET, linewidth=0.8)
ax.text(101, 1, "$f = 0$", color=QUIET, va="center")
ax.axvline(40, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
ax.text(40.8, 1.2e4, "$p = n$", color=QUIET, va="center")
ax.set(yscale="log", ylim=(1e-2, 2e4), xlim=(0, 100), xlabel="features $p$ of 100")
ax.set_ylabel(run.label("solutions", "test_error", "error on new points"))
ax.legend(fontsize=8.5, loc="upper left");

# %% [markdown]
# **What to notice.**
#
# * The mean follows the dashes, except where they are infinite. There the *sample* mean is a number, but a
#   meaningless one: it hangs on a few draws, lies far above the median, and another 500 draws would give
#   another.
# * The second descent ends below the first. But look at the grey line: it is the error of predicting *zero*.
#   In this example the textbook's U has no bottom below it, because each of the hundred inputs matters as
#   much as any other. Only from about 72 features on is fitting better than not fitting. A second descent
#   below the first says little if the first was no good (exercise 1).
# * The best ridge penalty has no peak (dotted). Double descent is what happens *without* regularisation, and
#   with too little of it.
#
# ## The published figure
#
# 15 points of $y = 2x+\cos 25x$, *without any noise*, fitted with Legendre polynomials $P_1,\dots,P_k$
# (Schaeffer et al. 2023). Same points, drawn by the published code.

# %%
legendre = taut.run(STUDIES / "double_descent_legendre.toml", out=RESULTS / "double_descent_legendre")
published = {1: 0.511, 10: 14.1, 15: 6.73e6, 16: 6.42e4, 20: 30.1, 25: 0.463, 30: 0.351, 50: 0.52, 200: 0.556}
fits_15 = legendre.solutions.filter(pl.col("solution") == "min-norm").join(
    legendre.cells.select("cell", "seed", "degree"), on="cell"
)
medians = taut.replicate_band(fits_15, "test_error", by=["degree"], quantiles=(0.25, 0.5, 0.75))

figure, ax = plt.subplots()
ax.fill_between(medians["degree"], medians["low"], medians["high"], color=BLUE, alpha=0.2, linewidth=0)
ax.plot(medians["degree"], medians["middle"], color=BLUE, label="median and middle half of 30 sets of points")
ax.plot(list(published), list(published.values()), "x", color=RED, zorder=5, label="published median")
ax.axvline(15, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
ax.text(15.5, 5e8, "$k = n$", color=QUIET, va="center")
ax.set(xscale="log", yscale="log", xlim=(1, 200), ylim=(0.1, 1e9), xlabel="degree $k$, number of features")
ax.set_ylabel(legendre.label("solutions", "test_error", "error on new points"))
ax.set_xticks([1, 2, 5, 10, 15, 30, 50, 100, 200], ["1", "2", "5", "10", "15", "30", "50", "100", "200"])
ax.minorticks_off()
ax.legend(loc="upper left", fontsize=9);

# %% [markdown]
# **What to notice.** There is no noise, and yet the peak is at seven million. What is amplified is the part
# of the target that $k<15$ polynomials cannot follow, $\cos 25x$: for the least-squares fit that *is* noise.
# Beyond $k=n$ it takes twice as many features as points to get below the straight line at $k=1$ (0.511), at
# $k = 25$ and $30$, and then the error slowly rises again.
#
# ## The second descent is not a law
#
# Ten points of a line with noise, the points of lesson 2. Below $p=n$ all bases of polynomials are the same
# model. Beyond, the interpolant of least norm is another one in each. The expected risk is exact, over the
# noise.

# %%
degrees = taut.run(STUDIES / "double_descent_degrees.toml", out=RESULTS / "double_descent_degrees")
risk = degrees.with_axes("predictions").filter(pl.col("quantity") == "expected_risk").sort("degree").collect()

figure, ax = plt.subplots(figsize=(7.6, 4.2))
for basis, name, color, lift in [
    ("monomial", "monomials", RED, 1),
    ("chebyshev", "Chebyshev", GREEN, 0.8),
    ("legendre-orthonormal", "Legendre, orthonormal", ORANGE, 1.25),
    ("legendre-orthonormal-w2", "Legendre / $(1+k)^2$", BLUE, 1),
]:
    line = risk.filter(pl.col("basis") == basis)
    ax.plot(line["degree"] + 1, line["value"], "o-", markersize=3, color=color)
    end_label(ax, 51, line["value"][-1] * lift, name, color)
straight = risk.filter(pl.col("degree") == 1)["value"][0]
ax.axhline(straight, color=QUIET, linewidth=0.8)
ax.text(51, straight * 1.1, "a straight line", color=QUIET, ha="right", va="bottom", fontsize=9)
ax.axvline(10, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
ax.text(10.4, 900, "$p = n$", color=QUIET)
ax.set(yscale="log", xlim=(0, 51), ylim=(3e-3, 2e3), xlabel="features $p$ = degree + 1", ylabel="expected risk  [y²]");

# %% [markdown]
# **What to notice.** In raw monomials there is *no* second descent: the error goes on climbing, to a hundred
# times the peak of the others. Without weights there is one, and then a slow ascent towards the risk of a fit
# that is zero away from the points. With weights it comes down and stays, and ends five times *above* the
# straight line. More parameters than data need not overfit; whether they do is decided by the basis.
#
# ## Exercises
#
# 1. Let the first inputs matter more: `"data.gaussian.covariance": {"power-law": {"exponent": 1.0}}` and
#    `"record.theory": []` (the formula is for equal inputs), with 100 draws. Where is the bottom of the U
#    now? Does the second descent reach it?
# 2. Run `optimal_ridge_has_no_peak.toml` (a minute) and redraw the first figure with its measured ridge
#    solutions in place of the dotted line.
#
# ## The numbers
#
# * The largest median is at $p=n=40$.
# * Six and more features away from the peak, the mean of 500 draws is the exact expectation within four
#   standard errors, at each of 12 places. (Closer, the variance itself is infinite or nearly so, and standard
#   errors mean nothing.)
# * The published medians are met to all printed digits: half a unit in the third.
# * At degree 9 all six bases have the expected risk 4.08465713: one and the same interpolant, $10^{-8}$ for
#   the digits printed.

# %%
paired = fits.join(
    run.predictions.filter(pl.col("quantity") == "ridgeless_mean_test_error").select("cell", exact="value"), on="cell"
)
errors = (
    paired.filter((pl.col("features") <= 34) | (pl.col("features") >= 46))
    .group_by("features")
    .agg(gap=(pl.col("test_error") - pl.col("exact")).mean(), spread=(pl.col("test_error") - pl.col("exact")).std())
    .select("features", standard_errors=pl.col("gap").abs() / (pl.col("spread") / 500**0.5))
    .collect()
)
peak = band.sort("middle")["features"][-1]
middle = dict(medians.select("degree", "middle").iter_rows())
digits = {k: float(f"{middle[k]:.3g}") for k in published}
print(f"peak at p = {peak}; away from it off by at most {errors['standard_errors'].max():.1f} standard errors")
print("medians:", digits)

assert peak == 40
assert errors.height == 12 and errors["standard_errors"].max() < 4
assert digits == published
at_nine = risk.filter(pl.col("degree") == 9)
assert at_nine.height == 6 and (at_nine["value"] - 4.08465713).abs().max() < 1e-8
climbing = risk.filter(pl.col("basis") == "monomial", pl.col("degree") >= 9)["value"]
assert climbing.is_sorted()

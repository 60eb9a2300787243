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
# # 2 · A degree-50 polynomial on ten points: five sentences, checked
#
# **Question.** It is a favourite of introductory talks: fit ten points near a line with a polynomial of
# degree 50, by gradient descent from zero. One then hears that
#
# 1. the fit gets wigglier and wigglier until it goes through all points,
# 2. and then the wiggles stop growing;
# 3. a *random* polynomial through the points would be extremely wiggly, and descent finds an unusually smooth
#    one;
# 4. so descent minimises the error plus an implicit wiggliness penalty;
# 5. and whoever stops early does better still.
#
# Which of these are true? And of what do they depend?
#
# ## What can be said without a computer
#
# Fifty-one coefficients $\theta$ multiply fifty-one features $\varphi_k(x)$, and $\Phi_{ik}=\varphi_k(x_i)$
# has rank 10. Descent from zero never leaves the row space of $\Phi$, so it ends at the one interpolant
# there,
#
# $$ \theta_\infty = \Phi^{+}y = \arg\min\bigl\{\lVert\theta\rVert_2 : \Phi\theta = y\bigr\}. $$
#
# That is a theorem, and it settles sentence 2. It also says what the implicit penalty *is*: the norm of the
# coefficients. Which function has small coefficients is decided by the **basis**. A measure of wiggliness
# that knows nothing of bases is the bending energy
#
# $$ R(f) = \int_{-1}^{1} f''(x)^2\,\mathrm{d}x . $$
#
# As rivals we draw random interpolants $\theta_\infty + \sigma P z$ with $z\sim\mathcal N(0, I)$, where $P$
# projects onto the null space of $\Phi$ and $\sigma = \lVert\theta_\infty\rVert/\sqrt{51-10}$: what they add
# to $\theta_\infty$ is, in root mean square, as long as $\theta_\infty$ itself. These are also the limits of
# descent from a random start.

# %%
import matplotlib.pyplot as plt
import polars as pl
import taut
from matplotlib.colors import LogNorm

from lesson import BLUE, GREEN, INK, ORANGE, QUIET, RED, RESULTS, STUDIES, THEORY

# %%
run = taut.run(STUDIES / "panel_polynomial.toml", out=RESULTS / "panel_polynomial")
run

# %% [markdown]
# Fourteen bases, three sets of ten points: 42 cells. (In one of them the rank is 9: `fourier` has period 2
# and cannot tell $x=-1$ from $x=1$, both of which are in the set `end`.) Three bases on the point set `mid`
# tell most of the story:
#
# * raw **monomials** $x^k$;
# * **orthonormal Legendre** polynomials, in which every degree costs the same;
# * the same **divided by $(1+k)^2$**, in which high degrees are expensive.
#
# ## The fit on its way, and its bending energy

# %%
BASES = {
    "monomial": "monomials $x^k$",
    "legendre-orthonormal": "Legendre, orthonormal",
    "legendre-orthonormal-w2": "Legendre / $(1+k)^2$",
}
here = pl.col("dataset") == "mid"
trained = pl.col("source") == "trained"
curves = run.with_axes("curves").filter(here, pl.col("basis").is_in(list(BASES))).collect()
path = run.with_axes("trajectory").filter(here, pl.col("basis").is_in(list(BASES))).collect()
points = run.with_axes("samples").filter(here).collect()
random = (
    run.solutions.filter(pl.col("solution") == "random-interpolator", pl.col("variant") == "same")
    .join(run.cells.select("cell", "dataset", "basis", "final_bending_energy"), on="cell")
    .select("dataset", "basis", "draw", "bending_energy", "final_bending_energy")
    .collect()
)

# %%
saved = curves["step"].drop_nulls().unique().sort()
decades = [saved[(saved.cast(float).log10() - k).abs().arg_min()] for k in range(10)]
color = LogNorm(1, 1e9)

figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.2), sharex="row", sharey="row")
for (top, bottom), (basis, title) in zip(axes.T, BASES.items()):
    fits = curves.filter(trained, pl.col("basis") == basis).sort("x")
    for step in decades:
        fit = fits.filter(pl.col("step") == step)
        top.plot(fit["x"], fit["f"], color=plt.cm.viridis_r(color(step)), linewidth=1.4)
    dots = points.filter(pl.col("basis") == basis)
    top.plot(dots["x"], dots["y"], "o", color="white", markeredgecolor=INK, zorder=5)
    top.set(title=title, xlabel="$x$", ylim=(-1.6, 2.0))

    line = path.filter(trained, pl.col("basis") == basis, pl.col("step").is_between(1, 1e9))
    limit = path.filter(pl.col("source") == "min_norm_limit", pl.col("basis") == basis)["bending_energy"].item()
    draws = random.filter(here, pl.col("basis") == basis)["bending_energy"]
    bottom.axhspan(draws.quantile(0.25), draws.quantile(0.75), color=ORANGE, alpha=0.35, linewidth=0)
    bottom.scatter(line["step"], line["bending_energy"], c=line["step"], cmap="viridis_r", norm=color, s=9)
    bottom.axhline(limit, **THEORY)
    bottom.set(xscale="log", yscale="log", xlim=(1, 1e9), ylim=(1e-3, 1e10), xlabel="gradient-descent step")
axes[0, 0].set_ylabel("fit $f(x)$")
axes[1, 0].set_ylabel(run.label("trajectory", "bending_energy", "bending energy $R(f)$"))
axes[1, 2].text(1.6, limit * 2, "limit, by theory", fontsize=9, va="bottom")
high = draws.quantile(0.75)
axes[1, 2].text(1.6, high * 2.5, "middle half of 4000\nrandom interpolants", color="#8a5a00", fontsize=9);

# %% [markdown]
# **What to notice.** Colour is the step, from yellow to violet, above and below.
#
# * *Sentence 1.* With weights the bending energy climbs and climbs. In raw monomials it does not: the first
#   steps move all powers together, $x^{50}$ among them, and are partly taken back. The energy falls by 97 %
#   before it grows by seven orders of magnitude. No theorem forbids that: what must grow is
#   $\lVert\theta\rVert$, and $R$ is another quadratic form in $\theta$.
# * *Sentence 2.* Every path ends on the dashes, which come from a program that never saw a step.
# * *Sentence 3.* With weights the band of random interpolants lies three orders of magnitude above the end of
#   descent. In monomials descent ends *inside* the band, and its fit leaves the picture on both sides.
#
# ## Is a random interpolant smoother? Fourteen bases, three sets of points

# %%
share = (
    random.group_by("basis", "dataset")
    .agg(smoother=(pl.col("bending_energy") < pl.col("final_bending_energy")).mean())
    .sort("smoother")
)
order = share.group_by("basis").agg(pl.col("smoother").mean()).sort("smoother", "basis")["basis"].to_list()

figure, ax = plt.subplots(figsize=(7.6, 4.6))
for dataset, marker, dot in [("end", "s", BLUE), ("mid", "o", RED), ("irr", "^", GREEN)]:
    rows = share.filter(pl.col("dataset") == dataset)
    places = [order.index(basis) for basis in rows["basis"]]
    ax.plot(rows["smoother"], places, marker, color=dot, label=dataset, alpha=0.85)
ax.set_yticks(range(len(order)), order)
ax.grid(axis="y", color="#e6e6e6", linewidth=0.8)
ax.axvline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
ax.set(xlim=(-0.01, 0.6), xlabel="share of 4000 random interpolants that are smoother than descent's")
ax.set_title("At one half, descent is no smoother than a random rival")
ax.legend(title="points", loc="lower right");

# %% [markdown]
# **What to notice.** Sentence 3 is true, as it is told, for features whose weights fall with their degree:
# none of the rivals is smoother for `w2`, and at most 0.25 % for `w1`. For those without weights it depends
# on the points: in Chebyshev polynomials none of the rivals is smoother on two sets of points, and 38 % are
# on the third. For monomials, the basis in which most people would write the polynomial down, it is a third
# to a half: the violent bending lies in $\theta_\infty$ itself, and all rivals share it.
#
# The other sentences in one table: the largest fall below the running maximum (sentence 1), how far the end
# is from the least bending that interpolation allows (sentence 4), and what stopping in time would gain
# (sentence 5).

# %%
cells = run.cells.filter(here).collect()
verdicts = cells.select(
    "basis",
    largest_fall="largest_drop_bending_energy",
    bending_over_least=pl.col("final_bending_energy") / pl.col("least_bending_energy"),
    turning_points=pl.col("final_turning_points").cast(int),
    risk_at_end_over_best=pl.col("final_risk") / pl.col("best_risk"),
).sort("bending_over_least")
verdicts

# %% [markdown]
# **What to notice.** *Sentence 4* is nearly exact for cosines with weights, 0.6 % above the least bending
# energy, because there $\lVert\theta\rVert^2$ nearly *is* the bending energy. For orthonormal Legendre
# polynomials descent ends with 36 turning points and 360,000 times the bending that is necessary: the penalty
# is implicit, but it is not on wiggles. *Sentence 5* is true where smooth things are learned first. Where all
# modes have nearly one speed, in the rows with 30 and more turning points, stopping gains 17 % at best and
# mostly nothing: signal and noise come in together. (And in `fourier-w2` it gains little because a line is
# not periodic, so that nothing in this basis is a good fit.)
#
# And before all this: *fit a line first.* How many of the 42 ends of training does the least-squares line
# beat?

# %%
line = run.solutions.filter(pl.col("solution") == "linear-fit").select("cell", line_risk="risk")
beaten = (
    run.cells.join(line, on="cell")
    .select(
        end=(pl.col("line_risk") < pl.col("final_risk")).sum(),
        best=(pl.col("line_risk") < pl.col("best_risk")).sum(),
    )
    .collect()
    .row(0, named=True)
)
print(f"of 42 cells, the line beats {beaten['end']} ends of training and {beaten['best']} best points of the path")

# %% [markdown]
# ## Exercises
#
# 1. Change the law of the rivals. `variant == "unit"` adds null-space noise with $\sigma = 1$, and `"ball"`
#    draws from all interpolants with coefficients no longer than $10\lVert\theta_\infty\rVert$. For which
#    bases does sentence 3 change its verdict? What does that say about "a random interpolant"?
# 2. Show that $R(\theta^{(t)})$ grows monotonically for *every* $y$ if $V^\top\! R\,V$ is diagonal in the
#    right singular vectors of $\Phi$, and find $2\times2$ matrices for which it first grows and then falls to
#    nearly zero.
#
# ## The numbers
#
# * The limit is a theorem, so training must meet it to rounding. Rounding grows with the condition number of
#   $\Phi$, here at most $2.4\cdot10^6$, so $10^{-9}$ is what double precision owes us; it is $5\cdot10^{-15}$.
# * In monomials 31.3 % of 4000 draws are smoother. The standard error of such a share is
#   $\sqrt{0.313\cdot0.687/4000}=0.7\,\%$; another seed would stay within three of them.
# * With weights it is none of 4000. That bounds the true share by $3/4000$ with 95 % confidence (the rule of
#   three).

# %%
gap = taut.theory_gap(run, "bending_energy")
smoother = {row["basis"]: row["smoother"] for row in share.filter(here).iter_rows(named=True)}
print(f"limit: off by at most {gap['relative_gap'].max():.0e} in {gap.height} cells")
weighted = smoother["legendre-orthonormal-w2"]
print(f"smoother than descent: {smoother['monomial']:.1%} in monomials, {weighted:.1%} with weights")

assert gap.height == 42 and gap["relative_gap"].max() < 1e-9
assert abs(smoother["monomial"] - 0.313) < 3 * (0.313 * 0.687 / 4000) ** 0.5
assert weighted == 0
assert beaten == {"end": 42, "best": 41}

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
# # 6 · Rich and lazy: the size of the start chooses the norm
#
# **Question.** A linear model $f(x)=\beta^\top x$ is trained by gradient flow, but not in $\beta$: its
# parameters are $u$ and $v$ with $\beta_j = u_j^2 - v_j^2$, all started at $\alpha$. There are 150 inputs and
# 50 rows, so infinitely many $\beta$ fit. Which one does training find? It is often said that such networks
# "find sparse solutions". Do they?
#
# ## The answer, in closed form
#
# With $r$ the residuals, $\dot u_j = 2u_j\,(X^\top r)_j/n$ and $\dot v_j = -2v_j\,(X^\top r)_j/n$. So
# $u_jv_j$ stays $\alpha^2$, and
#
# $$ \beta(t) = 2\alpha^2\sinh\bigl(X^\top\nu(t)\bigr) $$
#
# for some $\nu\in\mathbb R^{50}$. If training fits the data, these are just the conditions for a minimum of
#
# $$ Q_\alpha(\beta) = \alpha^2\sum_j q\!\left(\frac{\beta_j}{\alpha^2}\right),\qquad
#    q(z) = 2-\sqrt{4+z^2}+z\,\mathrm{arsinh}\frac z2 $$
#
# among all $\beta$ with $X\beta=y$ (Woodworth et al. 2020). And $q$ has two faces:
#
# * $|z|\ll1$, a **large start**: $q\approx z^2/4$. The least *Euclidean* norm, as if one had trained $\beta$
#   itself. Parameters hardly move in relation to their size: the *lazy* or kernel regime.
# * $|z|\gg1$, a **small start**: $q\approx|z|\ln|z|$, and the logarithm varies little. Nearly the least
#   $\ell_1$ norm, which is sparse: the *rich* regime.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
import taut

from lesson import BLUE, GREEN, INK, ORANGE, RED, RESULTS, STUDIES, THEORY

# %%
z = np.logspace(-2, 4, 400)
q = 2 - np.sqrt(4 + z**2) + z * np.arcsinh(z / 2)
figure, ax = plt.subplots(figsize=(5.6, 3.5))
ax.plot(z, q, color=BLUE)
ax.plot(z, z**2 / 4, **THEORY)
ax.plot(z[z > 3], (z * np.log(z))[z > 3], **{**THEORY, "linestyle": ":"})
ax.text(0.03, 3e-3, "$z^2/4$", color=INK)
ax.text(250, 90, r"$|z|\,\ln|z|$", color=INK)
ax.set(xscale="log", yscale="log", ylim=(1e-5, 1e6), xlabel=r"$z = \beta_j/\alpha^2$", ylabel="$q(z)$");

# %% [markdown]
# ## The runs
#
# The study of the catalogue without its noisy half, and with the parameters written down at every save time.
# The truth has five coefficients of $\pm1$ and 145 zeros, and there is no noise. Small starts need long
# times: about a quarter of a minute.

# %%
run = taut.run(
    STUDIES / "kernel_to_rich.toml",
    out=RESULTS / "kernel_to_rich",
    set={
        "data.gaussian.noise": 0.0,
        "seed": {"count": 1},
        "record.tables": ["parameters"],
        "record.times": {"geometric": 200},
    },
)
run

# %% [markdown]
# ## 150 coefficients on their way

# %%
beta = run.with_axes("parameters").filter(pl.col("tensor") == "beta", pl.col("source") == "trained").collect()
largest = beta.filter(pl.col("alpha") == 0.001, pl.col("time") == pl.col("end"), pl.col("value").abs() > 0.5)["row"]

figure, axes = plt.subplots(2, 2, figsize=(9.2, 5.6), sharey=True)
for (path, end), alpha, title, shown in zip(axes, [3.0, 0.001], ["lazy", "rich"], [(1e-4, 2), (0.3, 1e3)]):
    here = beta.filter(pl.col("alpha") == alpha).sort("time")
    last = here.filter(pl.col("time") == pl.col("end"))
    end.vlines(last["row"], 0, last["value"], color=BLUE, linewidth=1)
    for row in range(150):
        line = here.filter(pl.col("row") == row, pl.col("time") > 0)
        if row in largest:
            path.plot(line["time"], line["value"], color=RED, linewidth=1.3, zorder=3)
            end.vlines(row, 0, line["value"][-1], color=RED, linewidth=2)
        else:
            path.plot(line["time"], line["value"], color=BLUE, linewidth=0.5)
    path.set(xscale="log", xlim=shown, title=rf"{title}, $\alpha = {alpha:g}$", ylabel=r"coefficient $\beta_j$")
    end.set_title("at the end")
axes[1, 0].set_xlabel("training time")
axes[1, 1].set_xlabel("number $j$ of the input");

# %% [markdown]
# **What to notice.** From the large start all coefficients move at once. In the end the five that matter
# (red) are the largest, some barely, at less than half their size; the rest of the signal is smeared over the
# 145 others. On new points the error is 3.1, where predicting zero would have 5. From the small start nothing
# happens at first; then five coefficients step out, overshoot a little, and settle at $\pm1$, and the others
# stay behind. Same data, same model, same loss.
#
# ## The size of the start, from one end to the other

# %%
cells = run.cells.sort("alpha").collect()
quantity = dict(run.predictions.group_by("quantity").agg(pl.col("value").first()).collect().iter_rows())
least_l1, power = quantity["basis_pursuit_l1_norm"], quantity["excess_l1_exponent"]
gap = taut.theory_gap(run, "predictor_l1_norm", on="end").sort("alpha")

figure, axes = plt.subplots(1, 3, figsize=(10.2, 3.7))
alpha = cells["alpha"].to_numpy()
axes[0].plot(alpha, cells["final_test_error"], "o-", color=ORANGE)
axes[0].set(title="error on new points", ylim=(1e-6, 10))

axes[1].plot(alpha, cells["final_predictor_l1_norm"] - least_l1, "o", color=RED)
axes[1].plot(alpha, gap["theory"] - least_l1, **THEORY)
axes[1].text(0.25, 0.02, r"minimum of $Q_\alpha$", fontsize=9)
axes[1].set(title=r"$\ell_1$ norm above the least", ylim=(1e-3, 30))

axes[2].plot(alpha, cells["final_distance_to_min_norm"], "o", color=BLUE)
fourth = cells["final_distance_to_min_norm"][-2] * (alpha[-3:] / alpha[-2]) ** -4.0
axes[2].plot(alpha[-3:], fourth, **{**THEORY, "color": GREEN})
axes[2].text(1.0, 1e-5, r"$\alpha^{-4}$", color=GREEN)
axes[2].set(title=r"distance from least $\ell_2$ norm", ylim=(1e-7, 10))
for ax in axes:
    ax.set(xscale="log", yscale="log", xlabel=r"start $\alpha$", xticks=[1e-3, 1e-1, 10])

# %% [markdown]
# **What to notice.**
#
# * Dots are trained, dashes come from a program that minimises $Q_\alpha$ and never trains. Training is
#   *exactly* between two norms.
# * On the right: the fourth power. The next term of $q$ is smaller by $z^2\sim\alpha^{-4}$.
# * In the middle: how small must the start be? The excess falls as $\alpha^{2(1-\gamma)}$, where $\gamma<1$
#   is a margin of the data: how close the nearest useless input is to being useful. It can be computed, and
#   here the power is 1.22.
#
# And the famous sentence? "Finds sparse solutions" holds for small starts only; from $\alpha=1$ on, training
# finds the least Euclidean norm, like any linear regression. The theorem also says how small is small
# *enough*: for an $\ell_1$ norm within 10 % of the least,

# %%
enough = (
    run.predictions.filter(pl.col("quantity") == "sufficient_alpha_for_l1", pl.col("parameter") == 0.1)
    .select(pl.col("value").max())
    .collect()
    .item()
)
first = cells.filter(pl.col("final_predictor_l1_norm") < 1.1 * least_l1)["alpha"].max()
print(f"α ≤ {enough:.0e} is sufficient by the theorem; α = {first} was enough")

# %% [markdown]
# A bound can be true, and empty.
#
# ## Exercises
#
# 1. Put the noise back (`"data.gaussian.noise": 0.1`). The power drops below 0.1: from $\alpha=0.01$ to
#    $0.001$ hardly anything is gained in $\ell_1$ norm. Is the test error still better than from $\alpha=1$?
#    Why is there no contradiction?
# 2. Show that $u_jv_j$ is conserved by the flow. What does gradient *descent* with step size $\eta$ do to it
#    in one step, and towards which regime does that push?
#
# ## The numbers
#
# * The $\ell_1$ norm at the end is that of the minimiser of $Q_\alpha$ within $10^{-5}$. What remains is
#   time: the smallest starts were stopped at a loss of some $10^{-9}$, so residuals of $10^{-4}$, and their
#   norm is still short by parts in $10^6$.
# * From $\alpha=1$ to $3$ the distance from the least norm falls 81 times to leading order. The next order is
#   $\alpha^{-4}$ of that, a per cent at $\alpha=1$: between 80 and 81.
# * The power between $\alpha=0.003$ and $0.001$ is 1.29, and 1.22 is the limit for $\alpha\to0$: 8 % apart.

# %%
at = {row["alpha"]: row for row in cells.iter_rows(named=True)}
fall = at[1.0]["final_distance_to_min_norm"] / at[3.0]["final_distance_to_min_norm"]
excess = {a: at[a]["final_predictor_l1_norm"] - least_l1 for a in (0.003, 0.001)}
measured = math.log(excess[0.003] / excess[0.001]) / math.log(3)
print(f"minimiser of Q: within {gap['relative_gap'].max():.0e}; from 1 to 3 the distance falls {fall:.1f} times")
print(f"power of the excess: {measured:.2f} measured, {power:.2f} predicted")

assert gap.height == 9 and gap["relative_gap"].max() < 1e-5
assert 80 < fall < 81
assert abs(measured / power - 1) < 0.08
assert at[0.001]["final_test_error"] * 1e5 < at[1.0]["final_test_error"]

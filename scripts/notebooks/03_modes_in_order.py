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
# # 3 · Modes in order: what a deep linear network learns first
#
# **Question.** A network of two linear layers, $W = W_2W_1$, computes nothing that one layer could not. Yet
# it learns differently: one hears that it picks up the strongest structure of the data first, waits, then the
# next one, each in a sudden step. Is that so, when does each step come, and what must be true of the start?
#
# ## One mode
#
# Take whitened inputs and a target with singular values $s_1 > s_2 > \dots$. If the layers start aligned with
# its singular vectors and balanced, gradient flow keeps them so, and the strength $u_a$ of each mode in the
# product moves by itself:
#
# $$ \frac{\mathrm{d}u}{\mathrm{d}t} = 2u\,(s-u)
#    \qquad\Longrightarrow\qquad
#    u(t) = \frac{s}{1 + \bigl(\tfrac{s}{u_0}-1\bigr)e^{-2st}},
#    \qquad
#    t_{1/2} = \frac{1}{2s}\ln\Bigl(\frac{s}{u_0}-1\Bigr). $$
#
# A single layer would follow $s(1-e^{-t})$ for every mode at once. Here growth needs something that has grown
# already, so there is a plateau, then a sigmoid, and the order is that of $1/s$, as long as the seeds $u_0$
# do not differ by much.
#
# (Saxe, McClelland and Ganguli 2014. Time is in units in which one layer would need a time of 1.)
#
# ## Many modes, from a random start
#
# A real start is random: entries $\sigma\,\mathcal N(0,1)$, aligned with nothing. Which $u_0$ goes into the
# formula? Not $u_a^\top W(0)\,v_a$, which is often quoted and can even be negative. With
# $p_a = \tfrac12(W_1v_a + W_2^\top u_a)$, the part of both layers that will grow, and the Gram matrix
# factored as $(p_a^\top p_b) = L\,\mathrm{diag}(d)\,L^\top$, the seed is $d_a$: every mode loses what
# stronger modes have used already. The theory `random_start_modes` predicts the whole path from these seeds;
# it sees the start, and not one step of training.

# %%
import math

import matplotlib.pyplot as plt
import polars as pl
import taut

from lesson import BLUE, INK, RED, RESULTS, STUDIES, THEORY, end_label

# %% [markdown]
# Eight modes, 30 hidden units, starts of different size. The study of the catalogue has four small starts; we
# add three that are not small, ask for the arrival of every mode, and look more often, so that arrivals are
# read off closely.

# %%
run = taut.run(
    STUDIES / "saxe_modes_separated.toml",
    out=RESULTS / "modes_in_order",
    set={
        "model.init.gaussian.scale": [1e-12, 1e-9, 1e-6, 1e-3, 1e-2, 1e-1, 0.3],
        "record.tables": ["modes", "arrivals"],
        "record.times": {"linear": 2501},
    },
)
run

# %% [markdown]
# ## Training and theory

# %%
modes = run.with_axes("modes").filter(pl.col("time") <= 130, pl.col("mode") <= 8).collect()

figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.0), sharey=True)
for ax, scale, end in zip(axes, [1e-9, 0.1], [130, 3]):
    for mode in range(1, 9):
        here = modes.filter(pl.col("scale") == scale, pl.col("mode") == mode, pl.col("time") <= end).sort("time")
        for source, style in [("trained", {"color": plt.cm.viridis(mode / 9.5)}), ("random_start_modes", THEORY)]:
            line = here.filter(pl.col("source") == source)
            ax.plot(line["time"], line["projection"], **style)
        end_label(ax, line["time"][-1], here["value"][0], f"$s_{mode}$" if end > 3 else "", INK, fontsize=8)
    ax.set(xlabel="training time $t$", xlim=(0, end), ylim=(-0.1, 2.2))
axes[0].set_title(r"start $\sigma = 10^{-9}$")
axes[1].set_title(r"start $\sigma = 0.1$")
axes[0].set_ylabel(r"strength $u_a^\top W v_a$ of the mode");

# %% [markdown]
# **What to notice.** On the left, coloured lines are measured and dashes are predicted; they cannot be told
# apart. The staircase is there, and the waits are long: for the last mode a hundred times what a single layer
# would need.
#
# On the right the start has the size of an ordinary one, $1/\sqrt{30}=0.18$ for 30 hidden units. Nothing
# waits, modes 3 and 4 cross, the weak ones are far from their curves from the first moment on, and all are
# half learned in less time than the first one needed on the left. "Deep linear networks learn the most
# important structure first" is a statement about *small starts*.
#
# ## In which order did they arrive?

# %%
arrivals = run.with_axes("arrivals").filter(pl.col("mode") <= 8).collect()
arrivals.filter(pl.col("source") == "trained").sort("mode", "scale").pivot("scale", index="mode", values="order")

# %% [markdown]
# ## How small is small?
#
# The error of the sigmoids should vanish as $\sigma^{2(1-s_{a+1}/s_a)}$. The closest pair here has
# $s_{a+1}/s_a = \tfrac34$, so we expect the square root of $\sigma$.

# %%
gap = taut.theory_gap(run, "projection", table="modes", relative_to="value", where=pl.col("mode") <= 8)
worst = gap.group_by("scale").agg(pl.col("relative_gap").max()).sort("scale")

figure, ax = plt.subplots(figsize=(6.4, 3.8))
ax.plot(worst["scale"], worst["relative_gap"], "o-", color=BLUE)
ax.plot([1e-12, 1e-3], [6e-7, 6e-7 * (1e-3 / 1e-12) ** 0.5], **THEORY)
ax.text(3e-9, 4e-6, r"slope $\frac{1}{2}$", color=INK)
ax.axhline(1, color=RED, linewidth=0.8)
ax.text(1e-12, 1.3, "as large as the mode itself", color=RED, va="bottom", fontsize=9)
ax.set(xscale="log", yscale="log", ylim=(1e-7, 30), xlabel=r"size $\sigma$ of the start")
ax.set_ylabel(r"largest $|u - \mathrm{theory}|\,/\,s$");

# %% [markdown]
# ## And which seed?
#
# The half times that follow from three candidates for $u_0$, against what was measured, from
# $\sigma = 10^{-9}$:

# %%
predicted = (
    run.with_axes("predictions")
    .filter(pl.col("scale") == 1e-9, pl.col("quantity").str.starts_with("half_time"))
    .select("quantity", mode=pl.col("parameter").cast(int), predicted="value")
    .collect()
    .pivot("quantity", index="mode", values="predicted")
)
trained = arrivals.filter(pl.col("source") == "trained")
measured = trained.filter(pl.col("scale") == 1e-9).select("mode", "value", measured="time")
half_times = measured.join(predicted, on="mode").sort("mode")
half_times

# %% [markdown]
# **What to notice.** The naive seed is off by up to two units of time, because a projection of a random start
# can be nearly zero by accident. The diagonal seed $\lVert p_a\rVert^2$ is right for the first mode and late
# modes come later than it says. The seeds $d_a$ are right for all.
#
# ## Exercises
#
# 1. A network of $N\ge3$ layers has $\dot u = N u^{2-2/N}(s-u)$. Show that the wait grows like a power of
#    $1/u_0$, where for $N=2$ it is a logarithm. Check with three layers,
#    `"model.parametrization": {"deep-linear": {"widths": [30, 30]}}`, from starts of 0.02 and 0.01.
# 2. Give modes 2 and 3 the same value (`"data.teacher.singular_values"`). What happens to the error from
#    small starts, and for which modes? Why does the sum of the two fare better than either?
#
# ## The numbers
#
# * From $10^{-9}$ and below every mode is on its sigmoid within $10^{-3}s$ at all times: the error is of
#   order $\sqrt\sigma = 3\cdot10^{-5}$, and a factor of 30 is for the constant.
# * The half time of every mode is $\ln(s/u_0-1)/2s$ within 0.001. Arrivals are read off straight lines
#   between rows that are $h=0.1$ apart. In the middle of the sigmoid, where $u''=0$, that costs up to
#   $0.016\cdot2s^2h^3 \approx 10^{-4}$; the rest is the error of the sigmoid.
# * Order is kept up to $\sigma = 10^{-2}$, and lost at 0.1, in this draw.

# %%
seeds = run.with_axes("predictions").filter(pl.col("scale") == 1e-9, pl.col("quantity") == "seed").collect()
check = half_times.join(seeds.select(mode=pl.col("parameter").cast(int), u0="value"), on="mode")
formula = [math.log(s / u0 - 1) / (2 * s) for s, u0 in check.select("value", "u0").iter_rows()]
off = max(abs(t - f) for t, f in zip(check["measured"], formula))
small = worst.filter(pl.col("scale") <= 1e-9)["relative_gap"].max()
print(f"off the sigmoid by at most {small:.1e} s; off the half times by at most {off:.1e}")

assert small < 1e-3
assert off < 1e-3
in_order = trained.group_by("scale").agg(kept=(pl.col("order") == pl.col("mode")).all()).sort("scale")
assert in_order["kept"].to_list() == [True] * 5 + [False] * 2

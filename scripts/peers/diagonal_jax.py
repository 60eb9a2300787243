"""The diagonal network u² − v² from many starts in JAX: jit, vmap over starts, scan over steps, float64.

Gradients by hand. Compilation is not in the time.
"""

import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

import peer

jax.config.update("jax_enable_x64", True)
STEP_SIZE = 0.01


def main():
    options = peer.arguments(__doc__)
    x, y = map(jnp.array, peer.rows(options.folder))
    samples, inputs = x.shape

    def residual(u, v):
        return x @ (u * u - v * v) - y

    def step(state, _):
        u, v = state
        slope = 2 * STEP_SIZE / samples * (x.T @ residual(u, v))
        return (u - slope * u, v + slope * v), None

    def segment(state, _):
        (u, v), _ = jax.lax.scan(step, state, None, length=options.steps // options.saves)
        return (u, v), (0.5 * jnp.mean(residual(u, v) ** 2), jnp.abs(u * u - v * v).sum())

    def run(scale):
        return jax.lax.scan(segment, (jnp.full(inputs, scale), jnp.full(inputs, scale)), None, length=options.saves)[1]

    starts = jnp.array(peer.axis(options))
    compiled = jax.jit(jax.vmap(run)).lower(starts).compile()
    began = time.perf_counter()
    losses, norms = jax.block_until_ready(compiled(starts))
    seconds = time.perf_counter() - began
    peer.report(f"JAX {jax.__version__}", options, seconds, zip(losses[:, -1], norms[:, -1]))


if __name__ == "__main__":
    main()

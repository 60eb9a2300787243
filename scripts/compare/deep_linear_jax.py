"""Deep linear networks by full-batch descent in JAX: jit, vmap over cells, scan over steps, float64.

Second moments instead of samples, singular values of the product at every save time. Prints one JSON object with the
wall time per cell and step, without compilation.

usage: deep_linear_jax.py [DEPTH] [WIDTH] [CELLS] [STEPS] [SAVES]
"""

import json
import os
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
STEP_SIZE, NOISE = 0.05, 0.1


def problem(width, samples, draws):
    u, _ = np.linalg.qr(draws.normal(size=(width, width)))
    v, _ = np.linalg.qr(draws.normal(size=(width, width)))
    x = draws.normal(size=(width, samples))
    y = u * np.linspace(2.0, 0.2, width) @ v.T @ x + NOISE * draws.normal(size=(width, samples))
    return jnp.array(x @ x.T / samples), jnp.array(y @ x.T / samples)


def main(depth=3, width=64, cells=64, steps=2000, saves=20):
    draws = np.random.default_rng(0)
    sxx, syx = problem(width, 2 * width, draws)
    scales = np.geomspace(1e-3, 1e-1, cells)[:, None, None, None] / np.sqrt(width)
    start = jnp.array(draws.normal(size=(cells, depth, width, width)) * scales)

    def product(w):
        out = w[0]
        for factor in range(1, depth):
            out = w[factor] @ out
        return out

    def loss(w):
        p = product(w)
        return 0.5 * jnp.trace(p @ sxx @ p.T) - jnp.trace(p @ syx.T)

    gradient = jax.grad(loss)

    def segment(w, _):
        w, _ = jax.lax.scan(lambda w, _: (w - STEP_SIZE * gradient(w), None), w, None, length=steps // saves)
        return w, (loss(w), jnp.linalg.svd(product(w), compute_uv=False))

    compiled = jax.jit(jax.vmap(lambda w: jax.lax.scan(segment, w, None, length=saves))).lower(start).compile()
    began = time.perf_counter()
    _, (losses, values) = compiled(start)
    values.block_until_ready()
    seconds = time.perf_counter() - began
    print(json.dumps({
        "seconds": seconds, "microseconds": seconds / (cells * steps) * 1e6,
        "largest_singular_value": float(jnp.median(values[:, -1, 0])), "loss": float(jnp.median(losses[:, -1])),
    }))


if __name__ == "__main__":
    main(*(int(float(a)) for a in sys.argv[1:]))

"""Polynomial descent step by step in JAX: jit, vmap over cells, scan over steps, float64.

Degree 50 in monomials, 10 points per cell, step size 1/lambda_max, the training error at LOGS even times.
Prints one JSON object with the wall time per cell and step; compilation is not in it.

usage: stepped_jax.py [CELLS] [STEPS] [LOGS]
"""

import json
import os
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

DEGREE, SAMPLES = 50, 10


def draw(cells):
    draws = np.random.default_rng(0)
    x = np.sort(draws.uniform(-1, 1, size=(cells, SAMPLES)), axis=1)
    y = 0.1 + 0.8 * x + 0.2 * draws.normal(size=(cells, SAMPLES))
    phi = np.stack([x**k for k in range(DEGREE + 1)], axis=-1)
    step = 1.0 / np.linalg.norm(phi, 2, axis=(1, 2)) ** 2  # 1/lambda_max of phi'phi/n, with the gradient's 1/n
    return jnp.array(phi), jnp.array(y), jnp.array(step)


def descend(phi, y, step, steps, logs):
    """The training error after every steps/logs steps from zero."""

    def update(theta, _):
        return theta - step * (phi.T @ (phi @ theta - y)), None

    def stretch(theta, _):
        theta, _ = jax.lax.scan(update, theta, None, length=steps // logs)
        return theta, jnp.mean((phi @ theta - y) ** 2)

    return jax.lax.scan(stretch, jnp.zeros(DEGREE + 1), None, length=logs)[1]


def main(cells=2000, steps=10_000, logs=100):
    jax.config.update("jax_enable_x64", True)
    inputs = draw(cells)
    run = jax.jit(jax.vmap(lambda phi, y, step: descend(phi, y, step, steps, logs))).lower(*inputs).compile()
    began = time.perf_counter()
    errors = run(*inputs).block_until_ready()
    seconds = time.perf_counter() - began
    print(json.dumps({"cells": cells, "steps": steps, "seconds": seconds,
                      "nanoseconds_per_cell_and_step": seconds / (cells * steps) * 1e9,
                      "median_last_error": float(jnp.median(errors[:, -1]))}))


if __name__ == "__main__":
    main(*(int(float(a)) for a in sys.argv[1:]))

"""Polynomial descent step by step in JAX: jit, vmap over cells, scan over steps, float64; the training error at even times.

Points come from curve.csv (columns replicate, x, y), the step size is 1/lambda_max. Compilation is not in the time.
"""

import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

import peer

jax.config.update("jax_enable_x64", True)
DEGREE = 50


def main():
    options = peer.arguments(__doc__)
    table = np.loadtxt(options.folder / "curve.csv", delimiter=",", skiprows=1)[:, 1:]
    points = table.reshape(options.cells, -1, 2)
    design = np.stack([np.vander(x, DEGREE + 1, increasing=True) for x in points[:, :, 0]])
    step_sizes = jnp.array([np.linalg.norm(phi, 2) ** -2 for phi in design])
    design, values = jnp.array(design), jnp.array(points[:, :, 1])

    def run(phi, y, step_size):
        def step(theta, _):
            return theta - step_size * (phi.T @ (phi @ theta - y)), None

        def segment(theta, _):
            theta, _ = jax.lax.scan(step, theta, None, length=options.steps // options.saves)
            return theta, jnp.mean((phi @ theta - y) ** 2)

        return jax.lax.scan(segment, jnp.zeros(DEGREE + 1), None, length=options.saves)[1]

    compiled = jax.jit(jax.vmap(run)).lower(design, values, step_sizes).compile()
    began = time.perf_counter()
    errors = jax.block_until_ready(compiled(design, values, step_sizes))
    seconds = time.perf_counter() - began
    peer.report(f"JAX {jax.__version__}", options, seconds, ((error,) for error in errors[:, -1]))


if __name__ == "__main__":
    main()

"""Three factors under full-batch descent in JAX: automatic gradients, jit, vmap over cells, scan over steps, float64.

Compilation is not in the time.
"""

import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

import peer

jax.config.update("jax_enable_x64", True)


def main():
    options = peer.arguments(__doc__)
    problem = {name: jnp.array(matrix) for name, matrix in peer.tensors(options.folder / "problem.csv").items()}
    start = [jnp.array(np.tile(factor, (options.cells, 1, 1))) for factor in peer.factors(options.folder)]
    step_sizes = jnp.array(peer.axis(options))

    def product(w):
        out = w[0]
        for factor in w[1:]:
            out = factor @ out
        return out

    def loss(w):
        p = product(w)
        return 0.5 * jnp.sum((p @ problem["Sxx"]) * p) - jnp.sum(p * problem["Syx"]) + 0.5 * problem["trSyy"][0, 0]

    def run(w, step_size):
        def step(w, _):
            return [factor - step_size * slope for factor, slope in zip(w, jax.grad(loss)(w))], None

        def segment(w, _):
            w, _ = jax.lax.scan(step, w, None, length=options.steps // options.saves)
            return w, (loss(w), jnp.linalg.svd(product(w), compute_uv=False))

        return jax.lax.scan(segment, w, None, length=options.saves)[1]

    compiled = jax.jit(jax.vmap(run)).lower(start, step_sizes).compile()
    began = time.perf_counter()
    losses, values = jax.block_until_ready(compiled(start, step_sizes))
    seconds = time.perf_counter() - began
    peer.report(f"JAX {jax.__version__}", options, seconds, zip(losses[:, -1], values[:, -1, 0]))


if __name__ == "__main__":
    main()

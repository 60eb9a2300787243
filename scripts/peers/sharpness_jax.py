"""Ten factors with the largest eigenvalue of the Hessian every five steps in JAX, float64.

The eigenvalue comes from 20 power iterations of Hessian-vector products, begun where the last ones ended. `--mode vmap`
runs all cells at once, `--mode one` one after another, as programs of papers do. Compilation is not in the time.
"""

import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

import peer

jax.config.update("jax_enable_x64", True)
EVERY, ITERATIONS = 5, 20


def main():
    options = peer.arguments(__doc__)
    x, y = map(jnp.array, peer.rows(options.folder))
    start = [jnp.array(factor) for factor in peer.factors(options.folder)]
    draws = np.random.default_rng(0)
    direction = [jnp.array(draws.normal(size=factor.shape)) for factor in start]

    def loss(w):
        product = w[0]
        for factor in w[1:]:
            product = factor @ product
        return 0.5 * jnp.mean((x @ product[0] - y) ** 2)

    slope = jax.grad(loss)

    def sharpness(w, direction):
        def iterate(direction, _):
            image = jax.jvp(slope, (w,), (direction,))[1]
            norm = jnp.sqrt(sum(jnp.sum(part * part) for part in image))
            return [part / norm for part in image], norm

        length = jnp.sqrt(sum(jnp.sum(part * part) for part in direction))
        direction, norms = jax.lax.scan(iterate, [part / length for part in direction], None, length=ITERATIONS)
        return direction, norms[-1]

    def run(step_size):
        def step(w, _):
            return [factor - step_size * part for factor, part in zip(w, slope(w))], None

        def segment(state, _):
            w, direction = state
            w, _ = jax.lax.scan(step, w, None, length=EVERY)
            direction, value = sharpness(w, direction)
            return (w, direction), (loss(w), value)

        return jax.lax.scan(segment, (start, direction), None, length=options.steps // EVERY)[1]

    step_sizes = jnp.array(peer.axis(options))
    if options.mode == "vmap":
        compiled = jax.jit(jax.vmap(run)).lower(step_sizes).compile()
        began = time.perf_counter()
        losses, values = jax.block_until_ready(compiled(step_sizes))
        seconds = time.perf_counter() - began
        rows = zip(losses[:, -1], values[:, -1])
    else:
        compiled = jax.jit(run).lower(step_sizes[0]).compile()
        began = time.perf_counter()
        paths = [jax.block_until_ready(compiled(step_size)) for step_size in step_sizes]
        seconds = time.perf_counter() - began
        rows = [(losses[-1], values[-1]) for losses, values in paths]
    peer.report(f"JAX {jax.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

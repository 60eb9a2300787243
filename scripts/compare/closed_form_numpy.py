"""The same sweep in NumPy: thin SVD, any step at once, one cell after another.

Metrics: training error, risk on a grid, bending energy through the monomial Gram matrix, total
variation on a grid of 1001 points. Prints one JSON object with the wall time per cell and save time.

usage: closed_form_numpy.py [CELLS] [STEPS] [SAVES]
"""

import json
import sys
import time

import numpy as np

DEGREE, SAMPLES = 50, 10


def bending_gram(degree):
    """Integrals of (x^i)'' (x^j)'' over [-1, 1]."""
    k = np.arange(degree + 1)
    factor = k * (k - 1)
    power = k[:, None] + k[None, :] - 3
    even = (power % 2 == 1) & (factor[:, None] * factor[None, :] > 0)
    return np.where(even, factor[:, None] * factor[None, :] * 2.0 / np.where(power == 0, 1, power), 0.0)


def main(cells=200, last=1_000_000, saves=100):
    draws = np.random.default_rng(0)
    x = np.sort(draws.uniform(-1, 1, size=(cells, SAMPLES)), axis=1)
    y = 0.1 + 0.8 * x + 0.2 * draws.normal(size=(cells, SAMPLES))
    steps = np.unique(np.round(np.geomspace(1, last, saves)).astype(int))
    grid = np.linspace(-1, 1, 1001)
    on_grid = np.stack([grid**k for k in range(DEGREE + 1)], axis=-1)
    target, gram = 0.1 + 0.8 * grid, bending_gram(DEGREE)
    began = time.perf_counter()
    check = 0.0
    for cell in range(cells):
        phi = np.stack([x[cell] ** k for k in range(DEGREE + 1)], axis=-1)
        u, s, vt = np.linalg.svd(phi, full_matrices=False)
        eta = 1.0 / s[0] ** 2
        learned = -np.expm1(steps[:, None] * np.log1p(-np.minimum(eta * s**2, 1 - 1e-16)))
        theta = (learned / s * (u.T @ y[cell])) @ vt
        error = ((theta @ phi.T - y[cell]) ** 2).mean(axis=1)
        f = theta @ on_grid.T
        risk = ((f - target) ** 2).mean(axis=1)
        bending = np.einsum("ij,jk,ik->i", theta, gram, theta)
        variation = np.abs(np.diff(f, axis=1)).sum(axis=1)
        check += error[-1] + risk[-1] + bending[-1] + variation[-1]
    seconds = time.perf_counter() - began
    rows = cells * len(steps)
    print(json.dumps({"cells": cells, "rows": rows, "seconds": seconds, "microseconds_per_row": seconds / rows * 1e6}))


if __name__ == "__main__":
    main(*(int(float(a)) for a in sys.argv[1:]))

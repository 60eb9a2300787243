"""Polynomial descent in closed form in NumPy: one thin SVD per cell, then any step at once, one cell after another.

Four metrics: training error, risk on a grid, bending energy by the Gram matrix of second derivatives of monomials, total
variation on a grid of 1001 points. Points come from curve.csv (columns replicate, x, y).
"""

import numpy as np

import peer

DEGREE = 50


def bending_gram(degree):
    """Integrals of (x^i)'' (x^j)'' over [-1, 1]."""
    k = np.arange(degree + 1)
    factor = np.outer(k * (k - 1), k * (k - 1))
    power = k[:, None] + k[None, :] - 3
    return np.where((power % 2 == 1) & (factor > 0), 2.0 * factor / np.where(power < 1, 1, power), 0.0)


def main():
    options = peer.arguments(__doc__)
    table = np.loadtxt(options.folder / "curve.csv", delimiter=",", skiprows=1)[:, 1:]
    points = table.reshape(options.cells, -1, 2)
    steps = np.unique(np.round(np.geomspace(1, options.steps, options.saves)))
    grid = np.linspace(-1, 1, 1001)
    on_grid = np.vander(grid, DEGREE + 1, increasing=True)
    target, gram = 0.1 + 0.8 * grid, bending_gram(DEGREE)

    def run(x, y):
        phi = np.vander(x, DEGREE + 1, increasing=True)
        u, s, vt = np.linalg.svd(phi, full_matrices=False)
        learned = -np.expm1(steps[:, None] * np.log1p(-np.minimum((s / s[0]) ** 2, 1 - 1e-16)))
        theta = (learned / s * (u.T @ y)) @ vt
        error = ((theta @ phi.T - y) ** 2).mean(axis=1)
        f = theta @ on_grid.T
        risk = ((f - target) ** 2).mean(axis=1)
        bending = np.einsum("ij,jk,ik->i", theta, gram, theta)
        variation = np.abs(np.diff(f, axis=1)).sum(axis=1)
        assert np.isfinite(risk + variation).all()
        return error[-1], bending[-1]

    work = lambda cells: [run(points[cell, :, 0], points[cell, :, 1]) for cell in cells]  # noqa: E731
    seconds, rows = peer.timed(work, options.cells, options.processes)
    options.saves = len(steps)
    peer.report(f"NumPy {np.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

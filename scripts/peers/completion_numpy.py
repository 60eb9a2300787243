"""Deep matrix completion in NumPy, one cell after another: gradients by hand, the residual dense and masked."""

import numpy as np

import peer
from descent_numpy import descend


def main():
    options = peer.arguments(__doc__)
    problem, start, relative = peer.tensors(options.folder / "problem.csv"), peer.factors(options.folder), peer.axis(options)
    target, mask = problem["target"], problem["mask"]
    # The curvature of a balanced network at the minimum.
    curvature = len(start) * np.linalg.norm(mask * target, 2) ** (2 - 2 / len(start))

    def residual(w):
        return mask * (w - target)

    def loss(w):
        return 0.5 * np.sum((mask * (w - target)) ** 2)

    def run(step_size):
        return descend(start, step_size, residual, loss, options.steps, options.saves)

    work = lambda cells: [run(relative[cell] / curvature) for cell in cells]  # noqa: E731
    seconds, rows = peer.timed(work, options.cells, options.processes)
    peer.report(f"NumPy {np.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

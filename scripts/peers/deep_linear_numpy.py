"""Three factors under full-batch descent in NumPy, one cell after another: gradients by hand from second moments."""

import numpy as np

import peer
from descent_numpy import descend


def main():
    options = peer.arguments(__doc__)
    problem, start, step_sizes = peer.tensors(options.folder / "problem.csv"), peer.factors(options.folder), peer.axis(options)
    sxx, syx, constant = problem["Sxx"], problem["Syx"], 0.5 * problem["trSyy"][0, 0]

    def residual(w):
        return w @ sxx - syx

    def loss(w):
        return 0.5 * np.sum((w @ sxx) * w) - np.sum(w * syx) + constant

    def run(step_size):
        return descend(start, step_size, residual, loss, options.steps, options.saves)

    seconds, rows = peer.timed(lambda cells: [run(step_sizes[cell]) for cell in cells], options.cells, options.processes)
    peer.report(f"NumPy {np.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

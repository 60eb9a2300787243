"""Three factors under full-batch descent in NumPy, one cell after another: gradients by hand from second moments."""

import numpy as np

import peer


def main():
    options = peer.arguments(__doc__)
    problem, start, step_sizes = peer.tensors(options.folder / "problem.csv"), peer.factors(options.folder), peer.axis(options)
    sxx, syx, constant = problem["Sxx"], problem["Syx"], 0.5 * problem["trSyy"][0, 0]

    def run(step_size):
        w = [factor.copy() for factor in start]
        for step in range(1, options.steps + 1):
            below = [None, w[0]]
            for factor in w[1:]:
                below.append(factor @ below[-1])
            above = below.pop() @ sxx - syx
            gradients = []
            for factor, under in zip(reversed(w), reversed(below)):
                gradients.append(above if under is None else above @ under.T)
                if under is not None:
                    above = factor.T @ above
            for factor, gradient in zip(reversed(w), gradients):
                factor -= step_size * gradient
            if step % (options.steps // options.saves) == 0:
                product = np.linalg.multi_dot(w[::-1])
                loss = 0.5 * np.sum((product @ sxx) * product) - np.sum(product * syx) + constant
                values = np.linalg.svd(product, compute_uv=False)
        return loss, values[0]

    seconds, rows = peer.timed(lambda cells: [run(step_sizes[cell]) for cell in cells], options.cells, options.processes)
    peer.report(f"NumPy {np.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

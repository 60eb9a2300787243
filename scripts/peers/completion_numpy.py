"""Deep matrix completion in NumPy, one cell after another: gradients by hand, the residual dense and masked."""

import numpy as np

import peer


def main():
    options = peer.arguments(__doc__)
    problem, start, relative = peer.tensors(options.folder / "problem.csv"), peer.factors(options.folder), peer.axis(options)
    target, mask = problem["target"], problem["mask"]
    # The curvature of a balanced network at the minimum.
    curvature = len(start) * np.linalg.norm(mask * target, 2) ** (2 - 2 / len(start))

    def run(step_size):
        w = [factor.copy() for factor in start]
        for step in range(1, options.steps + 1):
            below = [None, w[0]]
            for factor in w[1:]:
                below.append(factor @ below[-1])
            above = mask * (below.pop() - target)
            gradients = []
            for factor, under in zip(reversed(w), reversed(below)):
                gradients.append(above if under is None else above @ under.T)
                if under is not None:
                    above = factor.T @ above
            for factor, gradient in zip(reversed(w), gradients):
                factor -= step_size * gradient
            if step % (options.steps // options.saves) == 0:
                product = np.linalg.multi_dot(w[::-1])
                loss = 0.5 * np.sum((mask * (product - target)) ** 2)
                values = np.linalg.svd(product, compute_uv=False)
        return loss, values[0]

    work = lambda cells: [run(relative[cell] / curvature) for cell in cells]  # noqa: E731
    seconds, rows = peer.timed(work, options.cells, options.processes)
    peer.report(f"NumPy {np.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

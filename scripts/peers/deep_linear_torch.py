"""Three factors under full-batch descent in PyTorch, float64, with automatic gradients.

`--mode loop` trains one cell after another, as most programs of papers do; `--mode batch` all of them by batched products.
"""

import time

import torch

import peer

torch.set_default_dtype(torch.float64)


def main():
    options = peer.arguments(__doc__)
    torch.set_num_threads(options.threads)
    problem = {name: torch.tensor(matrix) for name, matrix in peer.tensors(options.folder / "problem.csv").items()}
    sxx, syx, constant = problem["Sxx"], problem["Syx"], 0.5 * problem["trSyy"][0, 0]
    start = [torch.tensor(factor) for factor in peer.factors(options.folder)]
    step_sizes = torch.tensor(peer.axis(options))

    def product(w):
        out = w[0]
        for factor in w[1:]:
            out = factor @ out
        return out

    def losses(w):
        p = product(w)
        return (0.5 * (p @ sxx) * p - p * syx).sum(dim=(-2, -1)) + constant

    def descend(w, update):
        for step in range(1, options.steps + 1):
            gradients = torch.autograd.grad(losses(w).sum(), w)
            with torch.no_grad():
                for factor, gradient in zip(w, gradients):
                    update(factor, gradient)
                if step % (options.steps // options.saves) == 0:
                    last = losses(w), torch.linalg.svdvals(product(w))
        return last

    def alone(step_size):
        w = [factor.clone().requires_grad_() for factor in start]
        loss, values = descend(w, lambda factor, gradient: factor.sub_(gradient, alpha=step_size))
        return loss, values[0]

    def together():
        w = [factor.repeat(options.cells, 1, 1).requires_grad_() for factor in start]
        scale = step_sizes[:, None, None]
        loss, values = descend(w, lambda factor, gradient: factor.sub_(scale * gradient))
        return zip(loss, values[:, 0])

    began = time.perf_counter()
    rows = list(together() if options.mode == "batch" else map(alone, step_sizes.tolist()))
    seconds = time.perf_counter() - began
    peer.report(f"PyTorch {torch.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

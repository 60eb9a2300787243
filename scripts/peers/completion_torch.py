"""Deep matrix completion in PyTorch, float64, automatic gradients, one cell after another."""

import time

import torch

import peer

torch.set_default_dtype(torch.float64)


def main():
    options = peer.arguments(__doc__)
    torch.set_num_threads(options.threads)
    problem = {name: torch.tensor(matrix) for name, matrix in peer.tensors(options.folder / "problem.csv").items()}
    target, mask = problem["target"], problem["mask"]
    start = [torch.tensor(factor) for factor in peer.factors(options.folder)]
    curvature = len(start) * torch.linalg.matrix_norm(mask * target, 2).item() ** (2 - 2 / len(start))

    def product(w):
        out = w[0]
        for factor in w[1:]:
            out = factor @ out
        return out

    def loss(w):
        return 0.5 * ((mask * (product(w) - target)) ** 2).sum()

    def run(step_size):
        w = [factor.clone().requires_grad_() for factor in start]
        optimizer = torch.optim.SGD(w, lr=step_size)
        for step in range(1, options.steps + 1):
            optimizer.zero_grad()
            loss(w).backward()
            optimizer.step()
            if step % (options.steps // options.saves) == 0:
                with torch.no_grad():
                    last = loss(w), torch.linalg.svdvals(product(w))[0]
        return last

    # The first step of an optimizer imports a compiler, which takes a second: not in the time.
    spare = torch.zeros(1, requires_grad=True)
    spare.sum().backward()
    torch.optim.SGD([spare], lr=0.1).step()
    began = time.perf_counter()
    rows = [run(relative / curvature) for relative in peer.axis(options)]
    seconds = time.perf_counter() - began
    peer.report(f"PyTorch {torch.__version__}", options, seconds, rows)


if __name__ == "__main__":
    main()

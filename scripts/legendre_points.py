"""Draws the inputs of a published double descent in Legendre polynomials, and checks its medians.

Stream: NumPy's legacy Mersenne twister, np.random.seed(0), drawn from once, k slowest and repeats within:
15 points uniform on [-1, 1] each, kept in the order drawn. Values are y = 2x + cos(25x), without noise.

Writes experiments/data/legendre_double_descent.csv (k, repeat, x, y: 30 k x 30 repeats x 15 points) and
experiments/data/legendre_test_points.csv (x, y: 1000 even points, ends included), every number with the
shortest decimals that read back to the same double. Then fits P_1 ... P_k (no constant) by pseudo-inverse and
prints the median over repeats of the mean squared error at the test points beside the published one.

usage: legendre_points.py
"""

import pathlib

import numpy as np

DATA = pathlib.Path(__file__).parent.parent / "experiments" / "data"
DEGREES = [*range(1, 26), 30, 40, 50, 100, 200]
REPEATS, SAMPLES, TEST_POINTS = 30, 15, 1000
PUBLISHED = {1: "0.511", 10: "14.1", 15: "6.73e+06", 16: "6.42e+04", 20: "30.1", 25: "0.463", 30: "0.351", 50: "0.52", 200: "0.556"}


def values(x):
    return 2 * x + np.cos(25 * x)


def draws():
    """(k, repeat, x) in the order of the stream."""
    np.random.seed(0)
    for k in DEGREES:
        for repeat in range(REPEATS):
            yield k, repeat, np.random.uniform(-1, 1, size=SAMPLES)


def features(x, k):
    """P_1 ... P_k."""
    return np.polynomial.legendre.legvander(x, k)[:, 1:]


def write(name, header, rows):
    lines = [",".join(header)] + [",".join(repr(number) for number in row) for row in rows]
    (DATA / name).write_text("\n".join(lines) + "\n")


def main():
    sets = list(draws())
    rows = [(k, repeat, *pair) for k, repeat, x in sets for pair in zip(x.tolist(), values(x).tolist())]
    write("legendre_double_descent.csv", ["k", "repeat", "x", "y"], rows)
    at = np.linspace(-1, 1, TEST_POINTS)
    write("legendre_test_points.csv", ["x", "y"], zip(at.tolist(), values(at).tolist()))

    errors = {k: [] for k in DEGREES}
    for k, _, x in sets:
        fit = features(at, k) @ (np.linalg.pinv(features(x, k)) @ values(x))
        errors[k].append(np.mean((fit - values(at)) ** 2))
    for k in DEGREES:
        print(f"k = {k:3}  median test error {np.median(errors[k]):.3g}  published {PUBLISHED.get(k, '-')}")
    missed = [k for k, printed in PUBLISHED.items() if f"{np.median(errors[k]):.3g}" != printed]
    if missed:
        raise SystemExit(f"not the published medians at k = {missed}")


if __name__ == "__main__":
    main()

"""Draws the problems that taut and its peers are given as files, with the standard library alone."""

import csv
import random

PRECISE = "{:.17g}".format


def long_form(file, tensors):
    """A CSV tensor,row,col,value of matrices, which are lists of rows."""
    with open(file, "w", newline="") as out:
        write = csv.writer(out)
        write.writerow(["tensor", "row", "col", "value"])
        for name, matrix in tensors.items():
            for i, row in enumerate(matrix):
                for j, value in enumerate(row):
                    write.writerow([name, i, j, PRECISE(value)])


def gaussian(draws, rows, columns, deviation=1.0):
    return [[draws.gauss(0.0, deviation) for _ in range(columns)] for _ in range(rows)]


def times_transpose(a, b):
    """A times the transpose of B."""
    return [[sum(x * y for x, y in zip(left, right)) for right in b] for left in a]


def start(folder, draws, shapes, deviation):
    tensors = {f"W{layer + 1}": gaussian(draws, *shape, deviation) for layer, shape in enumerate(shapes)}
    long_form(folder / "start.csv", tensors)


def teacher(folder, width, depth=3):
    """Second moments of 2·width samples of a random teacher under noise, and a start from which modes grow at once."""
    draws = random.Random(width)
    samples = 2 * width
    x = gaussian(draws, width, samples)
    w = gaussian(draws, width, width, 1.0 / width**0.5)
    columns = list(zip(*x))
    y = [[value + draws.gauss(0.0, 0.1) for value in row] for row in times_transpose(w, columns)]
    mean = lambda matrix: [[value / samples for value in row] for row in matrix]  # noqa: E731
    squares = sum(value * value for row in y for value in row) / samples
    long_form(folder / "problem.csv", {"Sxx": mean(times_transpose(x, x)), "Syx": mean(times_transpose(y, x)), "trSyy": [[squares]]})
    start(folder, draws, [(width, width)] * depth, 0.5 / width**0.5)


def completion(folder, size=100, rank=5, observed=2000, depth=3):
    """A matrix of low rank and norm `size`, some of its entries, and a small start."""
    draws = random.Random(size)
    target = times_transpose(gaussian(draws, size, rank), gaussian(draws, size, rank))
    norm = sum(value * value for row in target for value in row) ** 0.5
    target = [[value * size / norm for value in row] for row in target]
    seen = set(draws.sample(range(size * size), observed))
    mask = [[float(i * size + j in seen) for j in range(size)] for i in range(size)]
    long_form(folder / "problem.csv", {"target": target, "mask": mask})
    start(folder, draws, [(size, size)] * depth, 1e-3 ** (1 / depth) / size**0.5)


def rows(folder, samples, inputs, slopes, noise, shapes=(), deviation=0.0):
    """Gaussian rows with values of a given line under noise; columns x1, x2, …, y."""
    draws = random.Random(inputs)
    with open(folder / "rows.csv", "w", newline="") as out:
        write = csv.writer(out)
        write.writerow([f"x{j + 1}" for j in range(inputs)] + ["y"])
        for _ in range(samples):
            x = [draws.gauss(0.0, 1.0) for _ in range(inputs)]
            y = sum(slope * value for slope, value in zip(slopes, x)) + draws.gauss(0.0, noise)
            write.writerow([PRECISE(value) for value in [*x, y]])
    if shapes:
        start(folder, draws, shapes, deviation)


def curve(folder, cells, samples=10):
    """Noisy points of a line for every replicate; columns replicate, x, y."""
    draws = random.Random(0)
    with open(folder / "curve.csv", "w", newline="") as out:
        write = csv.writer(out)
        write.writerow(["replicate", "x", "y"])
        for replicate in range(cells):
            for x in sorted(draws.uniform(-1.0, 1.0) for _ in range(samples)):
                write.writerow([replicate, PRECISE(x), PRECISE(0.1 + 0.8 * x + draws.gauss(0.0, 0.2))])

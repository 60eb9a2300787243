"""What the peers have in common: their arguments, the problem's files, the clock, and the one object that they print."""

import argparse
import csv
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np


def arguments(about):
    """FOLDER --cells --steps --saves --low --high --processes --mode, as compare_peers.py gives them."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("folder", type=Path, help="where problem.csv, start.csv or rows.csv are")
    options.add_argument("--cells", type=int, required=True)
    options.add_argument("--steps", type=int, required=True)
    options.add_argument("--saves", type=int, required=True, help="times at which the path is looked at")
    options.add_argument("--low", type=float, default=1.0, help="the first value of the axis")
    options.add_argument("--high", type=float, default=1.0, help="the last one")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--mode", default="")
    return options.parse_args()


def axis(options):
    """The values that cells differ in: step sizes or starts, evenly spaced in the logarithm."""
    return np.geomspace(options.low, options.high, options.cells)


def tensors(file):
    """The matrices of a file in the long form tensor,row,col,value."""
    entries = {}
    with open(file, newline="") as lines:
        for name, row, column, value in list(csv.reader(lines))[1:]:
            entries.setdefault(name, []).append((int(row), int(column), float(value)))
    out = {}
    for name, found in entries.items():
        matrix = np.zeros((1 + max(e[0] for e in found), 1 + max(e[1] for e in found)))
        for row, column, value in found:
            matrix[row, column] = value
        out[name] = matrix
    return out


def factors(folder):
    """W1 … WN of the start, the one next to the inputs first."""
    found = tensors(folder / "start.csv")
    return [found[f"W{layer + 1}"] for layer in range(len(found))]


def rows(folder):
    """Inputs, one row per sample, and values."""
    table = np.loadtxt(folder / "rows.csv", delimiter=",", skiprows=1)
    return np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()


def timed(work, cells, processes):
    """Seconds for work(cells), cells dealt to so many processes that begin at once; and its rows in order."""
    if processes == 1:
        began = time.perf_counter()
        rows = work(range(cells))
        return time.perf_counter() - began, rows
    context = multiprocessing.get_context("fork")
    ready, answers = context.Barrier(processes), context.Queue()

    def share(first):
        mine = range(first, cells, processes)
        ready.wait()
        began = time.perf_counter()
        rows = work(mine)
        answers.put((time.perf_counter() - began, list(zip(mine, rows))))

    started = [context.Process(target=share, args=(first,)) for first in range(processes)]
    for process in started:
        process.start()
    found = [answers.get() for _ in started]
    for process in started:
        process.join()
    return max(seconds for seconds, _ in found), [row for _, row in sorted(pair for _, some in found for pair in some)]


def report(package, options, seconds, rows):
    """Prints time, sizes, and for every cell the two numbers that taut is asked for as well."""
    print(json.dumps({
        "package": package, "seconds": seconds, "cells": options.cells, "steps": options.steps, "saves": options.saves,
        "rows": [[float(value) for value in row] for row in rows],
    }))

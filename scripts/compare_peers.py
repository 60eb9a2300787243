#!/usr/bin/env python3
"""Runs taut and programs of other packages on the same work in turn, and writes what came out into docs/performance.md.

    cargo build --release
    python scripts/compare_peers.py                  # all of it, some ten minutes: for a quiet machine
    python scripts/compare_peers.py --quick --only w10,closed --output /tmp/performance.md

Needs nothing but Python's own library for taut's side; peers whose package (numpy, jax, torch) this Python does not have
are skipped with a word. Every round runs, case by case: taut, its peers, taut on one thread; and before them the
machine's multiply-adds. A ratio is of two times of one round. Before the first round each pair is held against each
other: from the same files both must end at the same numbers.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PEERS = HOME / "scripts/peers"
sys.path.insert(0, str(PEERS))

import pages  # noqa: E402
from cases import CASES, small  # noqa: E402

PLATEAU = ["experiments/sharpness_plateau.toml", "experiments/sharpness_plateau_large_step.toml"]


def main():
    options = read_options()
    cases = [case for case in CASES if not options.only or case.name in options.only]
    if options.quick:
        cases = [small(case) for case in cases]
    skipped = sorted({peer.needs for case in cases for peer in case.peers if not importlib.util.find_spec(peer.needs)})
    for package in skipped:
        say(f"{package} is not installed for {sys.executable}: its programs are skipped")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(options, Path(work), skipped)
        checks = {case.name: bench.check(case) for case in cases}
        rounds = []
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            rounds.append({"peak": bench.peak(), **{case.name: bench.round(case) for case in cases}})
        plateau = None if options.quick or (options.only and "sharpness" not in options.only) else bench.plateau()
    found = pages.summary(cases, rounds, checks, {
        "threads": options.threads, "machine": machine(rounds), "taut": version(options.taut), "skipped": skipped,
        "plateau": plateau, "quick": options.quick, "date": date.today().isoformat(), "python": sys.version.split()[0],
    })
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    text = pages.comparison(found)
    print(text)
    pages.put(options.output, "peers", text)
    say(f"written into {options.output}")


def read_options():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HOME / "target"))
    options.add_argument("--taut", type=Path, default=target / "release/taut", help="the program (default: %(default)s)")
    options.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="NAMES",
                         help="cases, joined by commas: " + ", ".join(case.name for case in CASES))
    options.add_argument("--rounds", type=int, help="default 3, with --quick 1")
    options.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything runs; no figures to cite")
    options.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="of taut and of the peers (default: %(default)s)")
    options.add_argument("--output", type=Path, default=HOME / "docs/performance.md", help="the page (default: %(default)s)")
    options.add_argument("--json", type=Path, help="a file for all figures")
    options = options.parse_args()
    unknown = set(options.only) - {case.name for case in CASES}
    if unknown:
        sys.exit(f"no such case: {', '.join(map(repr, sorted(unknown)))}; there are: {', '.join(case.name for case in CASES)}")
    if options.rounds is not None and options.rounds < 1:
        sys.exit(f"--rounds {options.rounds}: at least one")
    if not options.taut.is_file():
        sys.exit(f"{options.taut} is not there; build it with `cargo build --release`, or name it by --taut")
    options.taut = options.taut.resolve()
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


class Bench:
    """Where taut and the peers run."""

    def __init__(self, options, work, skipped):
        self.options, self.work, self.skipped = options, work, skipped
        self.meter = None if options.quick else pages.meter()

    def peak(self):
        """Gflop/s of fused multiply-adds; nothing if the program that measures them cannot be built here."""
        if not self.meter:
            return None
        return json.loads(self.run([self.meter, self.options.threads, 0.5]).stdout)

    def peers(self, case):
        return [peer for peer in case.peers if peer.needs not in self.skipped]

    def run(self, command, threads=None, **more):
        """A finished process on so many cores, which speaks on failure."""
        threads = threads or self.options.threads
        names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
        environment = {**os.environ, **dict.fromkeys(names, str(more.pop("blas", threads))), "PYTHONDONTWRITEBYTECODE": "1"}
        cores = sorted(os.sched_getaffinity(0))[:threads] if hasattr(os, "sched_getaffinity") else None
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, preexec_fn=pin, **more)
        if done.returncode:
            sys.exit(f"{' '.join(str(part) for part in command)[:400]}\nended with {done.returncode}:\n{done.stderr[-3000:]}")
        return done

    def folder(self, case, cells):
        """The study and its files, drawn once for every number of cells that matters."""
        folder = self.work / f"{case.name}-{cells if case.axis is None else 'all'}"
        if not folder.exists():
            folder.mkdir()
            shutil.copy(PEERS / case.study, folder)
            case.draw(folder, cells)
        return folder

    def settings(self, case, cells, steps, saves):
        """The overrides that give the study these sizes."""
        found = [f"train.until.steps={steps}", *case.overrides]
        if case.axis:
            path, low, high = case.axis
            found.append(f'sweep."{path}"={{ logspace = [{low}, {high}], count = {cells} }}' if cells > 1 else f"{path}={low}")
        else:
            found.append(f"sweep.seed.count={cells}")
        if case.name == "closed":
            found.append(f"record.times.geometric={saves}")
        elif case.name != "sharpness":
            found.append(f"record.times.linear={saves + 1}")
        return [part for setting in found for part in ("--set", setting)]

    def taut(self, case, threads, cells=None, steps=None, saves=None):
        """Wall seconds of a whole process, and what it says of itself."""
        cells, steps, saves = cells or case.cells, steps or case.steps, saves or case.saves
        folder = self.folder(case, 0)
        out = folder / "out"
        command = [self.options.taut, "run", folder / case.study, *self.settings(case, cells, steps, saves)]
        began = time.perf_counter()
        done = self.run([*command, "--out", out, "--threads", threads, "--quiet", "--json"], threads)
        seconds = time.perf_counter() - began
        shutil.rmtree(out)
        return seconds, json.loads(done.stdout)

    def peer(self, case, peer, extra=()):
        saves = peer.saves or case.saves
        folder = self.folder(case, peer.cells)
        command = [sys.executable, PEERS / peer.script, folder, "--cells", peer.cells, "--steps", peer.steps, "--saves", saves]
        if case.axis:
            command += ["--low", case.axis[1], "--high", case.axis[2]]
        processes = self.options.threads if peer.processes else 1
        command += ["--processes", processes, "--threads", self.options.threads, *(["--mode", peer.mode] if peer.mode else [])]
        return json.loads(self.run([*command, *extra], blas=1 if peer.processes else self.options.threads).stdout)

    def check(self, case):
        """The largest relative difference between the numbers of taut and of every peer at the peer's sizes."""
        found = {}
        for peer in self.peers(case):
            saves = peer.saves or case.saves
            theirs = [list(column) for column in zip(*self.peer(case, peer)["rows"])]
            ours = self.numbers(case, peer.cells, peer.steps, saves, len(theirs))
            worst = max(difference(sorted(a), sorted(b)) for a, b in zip(ours, theirs))
            found[peer.name] = worst
            say(f"{case.name}: taut and {peer.name} differ by {worst:.1e} in what they find")
            if not worst <= case.within:
                sys.exit(f"{case.name}: taut and {peer.name} do not do the same work: {worst:.1e} is more than {case.within:g}")
        return found

    def numbers(self, case, cells, steps, saves, columns):
        """What taut finds for every cell, asked by claims over its tables, so that no reader of parquet is needed."""
        folder = self.folder(case, cells)
        study = folder / "check.toml"
        questions = [case.loss, case.shown][:columns]
        claims = "".join(
            f'\n[[claim]]\nsays = "{column}"\nsql = """{sql.format(steps=steps)}"""\ngroup_by = ["cell"]\nat_least = -1e300\n'
            for column, sql in enumerate(questions)
        )
        study.write_text((folder / case.study).read_text() + claims)
        settings = self.settings(case, cells, steps, saves)
        settings += [part for override in case.check for part in ("--set", override)]
        out = folder / "out"
        done = self.run([self.options.taut, "run", study, *settings, "--out", out, "--quiet", "--json"])
        shutil.rmtree(out)
        found = json.loads(done.stdout)["claims"]
        return [[group["value"] for group in claim["groups"]] for claim in found]

    def round(self, case):
        """Microseconds per unit of everybody, in turn."""
        threads = self.options.threads
        scale = lambda seconds, cells, steps, saves: 1e6 * seconds / case.units(cells, steps, saves)  # noqa: E731
        saves = case.saves if case.unit != "cell and save time" else self.rows(case)
        seconds, told = self.taut(case, threads)
        idle, _ = self.taut(case, threads, cells=1, steps=10 if case.axis else None)
        found = {
            "taut": scale(seconds, case.cells, case.steps, saves), "seconds": seconds, "start_up": idle,
            "writing": told.get("writing_seconds"), "waited": told.get("waited_for_writing_seconds"), "peers": {},
        }
        for peer in self.peers(case):
            done = self.peer(case, peer)
            found["peers"][peer.name] = scale(done["seconds"], done["cells"], done["steps"], done["saves"])
            found.setdefault("packages", []).append(done["package"])
        if threads > 1:
            alone, _ = self.taut(case, 1)
            found["one_thread"] = alone
        say(f"  {case.name}: taut {found['taut']:.4g}; " + "; ".join(f"{n} {t:.4g}" for n, t in found["peers"].items()) + f" µs per {case.unit}")
        return found

    def rows(self, case):
        """Save times of a cell: of a geometric grid some coincide."""
        folder = self.folder(case, 0)
        plan = [self.options.taut, "plan", folder / case.study, *self.settings(case, 1, case.steps, case.saves)]
        tables = json.loads(self.run([*plan, "--json"]).stdout)["tables"]
        return next(table["rows"] for table in tables if table["name"] == "trajectory")

    def plateau(self):
        """Wall seconds of the published study, all 1600 runs, theory and claims included."""
        seconds = 0.0
        for study in PLATEAU:
            out = self.work / "plateau"
            began = time.perf_counter()
            self.run([self.options.taut, "run", HOME / study, "--out", out, "--threads", self.options.threads, "--quiet"])
            seconds += time.perf_counter() - began
            shutil.rmtree(out)
        say(f"the whole study of the sharpness plateau: {seconds:.1f} s")
        return seconds


def difference(ours, theirs):
    """The largest difference relative to the number itself, or to a millionth of the largest one."""
    if len(ours) != len(theirs):
        return float("inf")
    floor = 1e-6 * max(map(abs, theirs))
    return max(abs(a - b) / max(abs(b), floor) for a, b in zip(ours, theirs))


def machine(rounds):
    """Processor, cores, vectors."""
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    peak = rounds[0]["peak"]
    vectors = peak["vectors"].split("(")[0].replace("V4", "AVX-512").replace("V3", "AVX2") if peak else "unknown vectors"
    return {"model": model, "cores": os.cpu_count(), "vectors": vectors}


def version(taut):
    return subprocess.run([str(taut), "--version"], check=True, capture_output=True, text=True).stdout.strip()


def say(words):
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Runs the shards of a study on a Ray cluster.

    python -m taut.ray STUDY --shards N [--out DIR] [--address auto]

Every node needs the program `taut` and the results folder under the same paths. Exit codes are those of `taut run`: 0, 3 if a
cell failed or diverged without leave, 75 if something is still to do, 2 for a mistake in the study or the command line.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from taut import _shard
from taut._errors import NoBinary
from taut._launch import binary
from taut._shard import STOPPED, USAGE, Ended
from taut._shards import Lost, run_all

OUT = "where the tables go, on a disk that all nodes share"
RETRIES = "how often a shard that was stopped, killed or lost with its node is started again"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m taut.ray",
        description="Runs the shards of a study as tasks of a Ray cluster, then collects their tables.",
        epilog="Run it again to go on: what is finished is kept.",
    )
    add = parser.add_argument
    add("study", type=Path, help="the study, a TOML file")
    add("--shards", type=int, required=True, metavar="N", help="into how many shards the cells are dealt")
    add("--out", type=Path, metavar="DIR", help=f"{OUT}; default results/<name of the study file>")
    add("--address", metavar="ADDRESS", help="the cluster: auto, or host:port; default $RAY_ADDRESS, or this machine")
    add("--threads", type=int, default=1, metavar="N", help="threads of a shard, and cores that Ray keeps for it")
    add("--retries", type=int, default=5, metavar="N", help=f"{RETRIES}; default 5")
    add("--taut", type=Path, metavar="PATH", help="the program on every node; default $TAUT, or from the PATH")
    add("--set", action="append", default=[], metavar="PATH=VALUE", help="as `taut run` takes it; repeatable")
    add("--quick", action="store_true", help="the small version of the study")
    add("--yes", action="store_true", help="run also beyond the study's [budget], which is held against every shard")
    options = parser.parse_args(given)
    for name, least in [("shards", 1), ("threads", 1), ("retries", 0)]:
        if getattr(options, name) < least:
            parser.error(f"--{name} {getattr(options, name)}: at least {least}")
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Runs all shards and collects; the exit code."""
    options = arguments(given)
    try:
        program = (options.taut or binary()).absolute()
    except NoBinary as missing:
        return _error(str(missing))
    try:
        ray = _ray()
    except ImportError:
        return _error("this needs the package ray, which only `python -m taut.ray` uses: pip install ray")
    results = Path("results") / "quick" if options.quick else Path("results")
    out = (options.out or results / options.study.stem).absolute()
    command = [str(program), "--color", "never", "run", str(options.study.absolute()), "--out", str(out)]
    command += ["--threads", str(options.threads)]
    command += ["--quick"] if options.quick else []
    command += ["--yes"] if options.yes else []
    for change in options.set:
        command += ["--set", change]

    try:
        _connect(ray, options.address)
    except ConnectionError as error:
        return _error(f"there is no Ray cluster at {options.address or '$RAY_ADDRESS'}: {error}")
    cores = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if cores < options.threads:
        _say(f"no node has the {options.threads} cores of a shard, the largest has {cores:g}: waiting for one that has")
    # After Ray has set its own: a polite end of the driver is the same as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pool = RayPool(ray, command, options.shards, options.threads)
    try:
        tally = run_all(pool, range(options.shards), options.retries, _say)
    except KeyboardInterrupt:
        _say("stopping; what is finished is kept, run the same command to go on")
        pool.stop()
        return STOPPED
    finally:
        ray.shutdown()
    if tally.code == USAGE:
        return USAGE
    collected = subprocess.run([program, "collect", out], check=False).returncode
    return tally.code or collected


class RayPool:
    """Shards as Ray tasks; Ray itself retries nothing, so that every start is counted and told."""

    def __init__(self, ray: ModuleType, command: Sequence[str], shards: int, cpus: int) -> None:
        self._ray, self._command, self._shards = ray, list(command), shards
        # Sent whole: nodes need no package of ours.
        ray.cloudpickle.register_pickle_by_value(_shard)
        self._task = ray.remote(num_cpus=cpus, max_retries=0)(_on_a_node)
        self._running: dict[Any, int] = {}

    def start(self, shard: int) -> None:
        """Starts a shard when a node has room for it."""
        command = [*self._command, "--shard", f"{shard}/{self._shards}"]
        self._running[self._task.remote(_shard.run_shard, command, shard)] = shard

    def next(self) -> tuple[int, Ended | Lost]:
        """Waits for any shard."""
        [ended], _ = self._ray.wait(list(self._running), num_returns=1)
        shard = self._running.pop(ended)
        try:
            return shard, self._ray.get(ended)
        except self._ray.exceptions.RayTaskError:
            raise  # our own mistake, not the cluster's
        except self._ray.exceptions.RayError as lost:
            return shard, Lost(f"was lost with its worker or node ({type(lost).__name__})")

    def stop(self) -> None:
        """Interrupts the tasks, which tell their programs to stop, and waits for them."""
        for task in self._running:
            self._ray.cancel(task, force=False, recursive=True)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=_shard.PATIENCE + 5)
        self._running.clear()


def _on_a_node(run_shard: Any, command: list[str], shard: int) -> Ended:
    """What a task does."""
    import ray

    return run_shard(command, shard, ray.get_runtime_context().get_node_id()[:8])  # type: ignore[no-any-return]


def _ray() -> ModuleType:
    """Ray, with its reports to its makers off unless they were asked for."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    return ray


def _connect(ray: ModuleType, address: str | None) -> None:
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, logging_level="warning")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _error(text: str) -> int:
    _say(f"error: {text}")
    return USAGE


if __name__ == "__main__":
    sys.exit(main())

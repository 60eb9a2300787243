"""One shard of a study as a process of its own, which does not outlive the worker that started it.

Standard library alone: Ray sends these functions to machines that need to hold the program `taut` and nothing else of ours.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STOPPED = 75
"""The exit code of `taut` for: stopped early, run it again to go on."""

USAGE = 2
"""Its exit code for a mistake in the study or the command line."""

PATIENCE = 20.0
"""Seconds for a program that was told to stop; it needs five."""

LOOK_UP = 0.2
"""Seconds between looks at interrupts: Ray's do not end a system call."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ended:
    """How a shard ended: its exit code (negative for a signal), the last lines that it said, and where it ran."""

    shard: int
    code: int
    said: str
    node: str = ""

    @property
    def again(self) -> bool:
        """Whether running it again can help: it was stopped or killed."""
        return self.code == STOPPED or self.code < 0 or self.code > 128


def run_shard(command: Sequence[str], shard: int, node: str = "") -> Ended:
    """Runs a command to its end. Interrupted, it tells the command to stop and waits for it before it raises."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509, it takes no locks
        )
    except OSError as error:
        return Ended(shard, USAGE, f"{command[0]} cannot be started on node {node}: {error.strerror}", node)
    try:
        while True:
            try:
                said = process.communicate(timeout=LOOK_UP)[1]
                break
            except subprocess.TimeoutExpired:
                continue
    except BaseException:  # KeyboardInterrupt above all: that is how Ray cancels
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        raise
    return Ended(shard, process.returncode, "\n".join(said.strip().splitlines()[-12:]), node)


def _dies_with(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes the program: ask the kernel for TERM when its parent dies."""
    if not sys.platform.startswith("linux"):
        return None
    # Looked up here: after a fork only what is already there is safe to use.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    term = int(signal.SIGTERM)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, term, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(STOPPED)

    return ask

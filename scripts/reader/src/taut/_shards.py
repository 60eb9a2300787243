"""All shards of a study to their ends, over whatever starts them: again where that can help, and no further than that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from taut._shard import STOPPED, USAGE, Ended

CELLS = 3
"""The exit code of `taut` for: a cell failed, or diverged without leave."""


class Lost(Exception):
    """A worker or its machine is gone, and the shard on it."""


class Pool(Protocol):
    """Whatever runs shards."""

    def start(self, shard: int) -> None:
        """Starts a shard, now or when there is room."""

    def next(self) -> tuple[int, Ended | Lost]:
        """Waits for any shard that was started, and says how it ended."""

    def stop(self) -> None:
        """Tells all shards to stop, and waits for them."""


@dataclass
class Tally:
    """What has become of the shards."""

    shards: int
    done: int = 0
    with_bad_cells: int = 0
    given_up: list[int] = field(default_factory=list)
    failed: dict[int, Ended] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The exit code that they add up to: an error, something missing, a bad cell, or nothing of that."""
        if self.failed:
            return next(iter(self.failed.values())).code
        if self.given_up:
            return STOPPED
        return CELLS if self.with_bad_cells else 0


def run_all(pool: Pool, shards: Iterable[int], retries: int, say: Callable[[str], None]) -> Tally:
    """Starts every shard and waits for all. A shard that was stopped, killed or lost is started again, at most `retries`
    times; one that ended with an error is not. A mistake in the study or the command line stops the others: they
    would say the same."""
    todo = list(shards)
    tally, tried = Tally(len(todo)), dict.fromkeys(todo, 0)
    begun = time.monotonic()
    for shard in todo:
        pool.start(shard)
    running = len(todo)
    while running:
        shard, end = pool.next()
        running -= 1
        if isinstance(end, Lost) or end.again:
            why = str(end) if isinstance(end, Lost) else _how(end)
            if tried[shard] < retries:
                tried[shard] += 1
                say(f"shard {shard} {why}; again ({tried[shard]} of {retries})")
                pool.start(shard)
                running += 1
            else:
                say(f"shard {shard} {why}; given up after {retries + 1} starts, what it finished is kept")
                tally.given_up.append(shard)
            continue
        if end.code in (0, CELLS):
            tally.done += 1
            tally.with_bad_cells += end.code == CELLS
            where = f" on {end.node}" if end.node else ""
            bad = "; some cells failed or diverged, their rows say why" if end.code == CELLS else ""
            say(f"{tally.done} of {tally.shards} shards after {time.monotonic() - begun:.0f} s: {shard}{where}{bad}")
            continue
        say(f"shard {shard} ended with {end.code}, which running again does not mend:\n{end.said}")
        tally.failed[shard] = end
        if end.code == USAGE:
            pool.stop()
            break
    return tally


def _how(end: Ended) -> str:
    if end.code == STOPPED:
        return "was stopped early"
    return f"was killed by signal {-end.code if end.code < 0 else end.code - 128}"

"""Shards run to their ends: which ends are tried again, and what they add up to. Without Ray and without the program."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from taut._shard import Ended, run_shard
from taut._shards import Lost, Tally, run_all


class Script:
    """A pool whose shards end as written, one end per start."""

    def __init__(self, ends: dict[int, list[int | Lost]]) -> None:
        self.ends = {shard: deque(codes) for shard, codes in ends.items()}
        self.queue: deque[int] = deque()
        self.starts: list[int] = []
        self.stopped = False

    def start(self, shard: int) -> None:
        self.starts.append(shard)
        self.queue.append(shard)

    def next(self) -> tuple[int, Ended | Lost]:
        shard = self.queue.popleft()
        end = self.ends[shard].popleft()
        return shard, end if isinstance(end, Lost) else Ended(shard, end, f"said by {shard}", "n1")

    def stop(self) -> None:
        self.stopped = True


def outcome(ends: dict[int, list[int | Lost]], retries: int = 2) -> tuple[Tally, Script, list[str]]:
    pool, said = Script(ends), list[str]()
    return run_all(pool, sorted(ends), retries, said.append), pool, said


def test_shards_that_end_well_are_started_once() -> None:
    tally, pool, said = outcome({0: [0], 1: [0], 2: [0]})
    assert (tally.code, tally.done, pool.starts) == (0, 3, [0, 1, 2])
    assert said[-1].startswith("3 of 3 shards") and "n1" in said[-1]


def test_stopped_killed_and_lost_shards_are_started_again() -> None:
    tally, pool, said = outcome({0: [75, 0], 1: [-9, 139, 0], 2: [Lost("was lost with its node"), 0]})
    assert (tally.code, tally.done) == (0, 3)
    assert sorted(pool.starts) == [0, 0, 1, 1, 1, 2, 2]
    text = "\n".join(said)
    for what in [
        "0 was stopped early; again (1 of 2)",
        "signal 9",
        "signal 11; again (2 of 2)",
        "2 was lost with its node",
    ]:
        assert what in text


def test_a_shard_is_given_up_after_its_retries() -> None:
    tally, pool, said = outcome({0: [75, 75, 75], 1: [0]})
    assert (tally.code, tally.given_up, pool.starts.count(0)) == (75, [0], 3)
    assert any("given up after 3 starts" in line for line in said)
    assert outcome({0: [-9]}, retries=0)[0].code == 75


def test_bad_cells_are_final_and_told() -> None:
    tally, pool, said = outcome({0: [3], 1: [0]})
    assert (tally.code, tally.done, pool.starts) == (3, 2, [0, 1])
    assert any("rows say why" in line for line in said)


def test_errors_are_final_and_the_others_go_on() -> None:
    tally, pool, said = outcome({0: [1], 1: [75, 0], 2: [3]})
    assert (tally.code, tally.done, pool.stopped) == (1, 2, False)
    assert any("said by 0" in line for line in said)


def test_a_mistake_in_the_study_stops_all() -> None:
    tally, pool, _ = outcome({0: [2], 1: [0]})
    assert (tally.code, pool.stopped) == (2, True)


def test_a_shard_says_how_it_ended() -> None:
    end = run_shard([sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"], 4, "n2")
    assert end == Ended(4, 3, "why", "n2") and not end.again
    assert run_shard([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], 0).code == -9
    assert all(Ended(0, code, "").again for code in (75, -15, 137))
    missing = run_shard(["/no/such/taut"], 0, "n2")
    assert missing.code == 2 and "/no/such/taut cannot be started on node n2" in missing.said


STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(75)); print('up', flush=True); time.sleep(60)"


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_an_interrupted_worker_stops_its_program(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    program = f"import os, pathlib; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n{STUBBORN}"
    worker = f"from taut._shard import run_shard; import sys\nrun_shard([sys.executable, '-c', {program!r}], 0)"
    process = subprocess.Popen([sys.executable, "-c", worker], stderr=subprocess.DEVNULL)
    pid = written(mark)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0 and gone(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child that its parent died")
def test_a_program_dies_with_its_worker(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    program = f"import os, pathlib; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n{STUBBORN}"
    worker = f"from taut._shard import run_shard; import sys\nrun_shard([sys.executable, '-c', {program!r}], 0)"
    process = subprocess.Popen([sys.executable, "-c", worker], stderr=subprocess.DEVNULL)
    pid = written(mark)
    process.kill()
    process.wait()
    assert gone(pid)


def written(mark: Path) -> int:
    for _ in range(400):
        if mark.exists() and (text := mark.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(f"{mark} was not written")

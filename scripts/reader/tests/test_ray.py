"""The driver for Ray, over a Ray that runs everything at once in this process."""

import stat
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taut import ray as driver
from taut._shard import run_shard


class RayError(Exception): ...


class RayTaskError(RayError): ...


class NodeDied(RayError): ...


class Task:
    """What a start gives; a key, as Ray's references are."""

    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.SimpleNamespace]:
    """The few words of Ray that the driver uses; `lose` names starts on which a node dies."""
    ray = types.ModuleType("ray")
    state = types.SimpleNamespace(lose=set(), starts=0, cpus=None, address="unset", shut=False)

    def remote(num_cpus: int, max_retries: int) -> Callable[[Any], Any]:
        assert max_retries == 0
        state.cpus = num_cpus

        def wrapped(function: Callable[..., Any]) -> Any:
            def start(*given: Any) -> Any:
                state.starts += 1
                lost = state.starts in state.lose
                return Task(NodeDied("gone") if lost else function(*given))

            return types.SimpleNamespace(remote=start)

        return wrapped

    def get(task: Any) -> Any:
        if isinstance(task.value, Exception):
            raise task.value
        return task.value

    def init(address: str | None, **_: Any) -> None:
        state.address = address

    ray.remote, ray.get, ray.init = remote, get, init  # type: ignore[attr-defined]
    ray.wait = lambda tasks, num_returns, timeout=None: (tasks[:num_returns], tasks[num_returns:])  # type: ignore[attr-defined]
    ray.is_initialized, ray.cancel = lambda: False, lambda *_, **__: None  # type: ignore[attr-defined]
    ray.nodes = lambda: [{"Alive": True, "Resources": {"CPU": 3.0}}, {"Alive": False, "Resources": {}}]  # type: ignore[attr-defined]
    ray.shutdown = lambda: setattr(state, "shut", True)  # type: ignore[attr-defined]
    ray.cloudpickle = types.SimpleNamespace(register_pickle_by_value=lambda _: None)  # type: ignore[attr-defined]
    ray.exceptions = types.SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)  # type: ignore[attr-defined]
    context = types.SimpleNamespace(get_node_id=lambda: "0123456789")
    ray.get_runtime_context = lambda: context  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray", ray)
    yield state


def program(folder: Path, body: str) -> Path:
    path = folder / "taut"
    path.write_text(f"#!/bin/sh\necho \"$@\" >>'{folder}/calls'\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_every_shard_runs_and_the_tables_are_collected(
    fake: types.SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taut = program(tmp_path, "exit 0")
    given = ["a study.toml", "--shards", "3", "--out", str(tmp_path / "out"), "--taut", str(taut), "--threads", "4"]
    assert driver.main([*given, "--set", 'title="x"', "--quick", "--address", "auto"]) == 0
    said = calls(tmp_path)
    assert len(said) == 4 and said[3] == f"collect {tmp_path}/out"
    for shard in range(3):
        assert said[shard].endswith(f'--threads 4 --quick --set title="x" --shard {shard}/3')
        assert f"run {Path.cwd()}/a study.toml --out {tmp_path}/out" in said[shard]
    assert (fake.cpus, fake.address, fake.shut) == (4, "auto", True)
    assert "no node has the 4 cores of a shard, the largest has 3" in capsys.readouterr().err


def test_a_lost_node_costs_a_start(
    fake: types.SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.lose = {2}
    given = ["s.toml", "--shards", "3", "--out", str(tmp_path / "o"), "--taut", str(program(tmp_path, "exit 0"))]
    assert driver.main(given) == 0
    assert fake.starts == 4
    assert "lost with its worker or node (NodeDied); again (1 of 5)" in capsys.readouterr().err


def test_exit_codes_are_those_of_run(fake: types.SimpleNamespace, tmp_path: Path) -> None:
    def ends(body: str, more: tuple[str, ...] = ()) -> int:
        taut = program(tmp_path, body)
        return driver.main(["s.toml", "--shards", "2", "--out", str(tmp_path / "o"), "--taut", str(taut), *more])

    # Every shard says that it is done, and yet something is missing.
    assert ends('[ "$1" = collect ] && exit 75; exit 0') == 75
    assert ends('[ "$1" = collect ] && exit 0; exit 3') == 3
    assert ends('[ "$1" = collect ] && exit 0; exit 75', ("--retries", "1")) == 75
    assert ends("echo wrong >&2; exit 2") == 2


def test_ray_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert driver.main(["s.toml", "--shards", "2", "--taut", str(program(tmp_path, "exit 0"))]) == 2
    assert "pip install ray" in capsys.readouterr().err


def test_nothing_but_the_driver_needs_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert driver.arguments(["s.toml", "--shards", "2"]).retries == 5
    assert run_shard(["true"], 0).code == 0
    for wrong in (["s.toml"], ["s.toml", "--shards", "0"], ["s.toml", "--shards", "2", "--retries", "-1"]):
        with pytest.raises(SystemExit) as left:
            driver.arguments(wrong)
        assert left.value.code == 2

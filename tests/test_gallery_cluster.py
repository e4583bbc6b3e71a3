"""Galleries built by many processes that may die, and by a real Dask cluster, one of whose processes is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convanim.errors import ConvanimError
from convanim.gallery import build, runner
from convanim.gallery.description import Entry
from convanim.gallery.runner import dask
from convanim.gallery.work import Result, Task
from support.galleries import TEXT, everything, here, put
from support.needs import need_module

#: Builds a folder on a cluster of three processes, and kills the first worker that has a task.
CLUSTER = """
import json, os, signal, sys, threading, time

def main():
    from distributed import Client, LocalCluster
    from convanim.cli.commands import main as convanim
    from convanim.gallery import build, digest
    from convanim.gallery.runner import dask

    folder = sys.argv[1]
    with LocalCluster(3, processes=True, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        pids = [worker.process.pid for worker in cluster.workers.values()]
        with dask(address) as executor:
            def progress(done, total):
                if done == 5:
                    os.kill(pids[0], signal.SIGKILL)
            report = build(folder, executor=executor, progress=progress)
        print(json.dumps({"made": len(report.made), "failed": report.failed, "alive": pid_alive(pids[0])}))
        sys.stdout.flush()
        digest.__version__ = "0"  # of this process alone
        digest.versions.cache_clear()
        convanim(["gallery", "build", "--folder", folder, "--executor", f"dask:{address}"])

def pid_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

if __name__ == "__main__":
    main()
"""


def texts(count: int) -> dict[str, str]:
    return {f"e{i:03}": TEXT.replace("3x3", f"{3 + i % 5}x{3 + i // 5}") for i in range(count)}


def test_a_cluster_of_which_a_worker_is_killed(tmp_path: Path) -> None:
    need_module("distributed", promised=True)
    one, other = put(tmp_path / "one", **texts(60)), put(tmp_path / "other", **texts(60))
    (tmp_path / "cluster.py").write_text(CLUSTER)
    command = [sys.executable, str(tmp_path / "cluster.py"), str(one)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout.splitlines()[0])
    assert (told["made"], told["failed"]) == (60, {})
    here(other)
    assert everything(one) == everything(other)
    assert done.returncode == 2  # a worker of another version is refused
    assert "has convanim 0.1.0, and here it is 0; install the same versions there." in done.stderr


def test_a_cluster_that_is_not_there() -> None:
    need_module("distributed", promised=True)
    with pytest.raises(ConvanimError, match="there is no Dask cluster at"), dask("nowhere"):
        pass


def test_dask_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConvanimError, match=r"pip install 'convanim\[distributed\]'"), dask("localhost:1"):
        pass


class Odd(Executor):
    """An executor whose workers do what a test needs; `_max_workers` is their number."""

    _max_workers = 2

    def __init__(self, does: Any) -> None:
        self.does, self.most, self.given = does, 0, 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given += 1
        try:
            future.set_result(self.does(fn, *args) if args else fn())
        except Exception as error:
            future.set_exception(error)
        return future


def test_workers_that_are_another_program_are_refused(tmp_path: Path) -> None:
    def does(fn: Any, task: Task) -> Result:
        made = fn(task)
        return replace(made, versions=made.versions | {"numpy": "0.1"})

    report = build(put(tmp_path, a=TEXT), executor=Odd(does))
    assert "a.toml: its worker runs another version of the program (numpy 0.1, here " in report.failed["a"]
    assert not (tmp_path / "a.txt").exists()


def test_an_executor_that_fails_is_told(tmp_path: Path) -> None:
    def does(fn: Any, task: Task) -> Result:
        if task.name == "b":
            raise ValueError("lost")
        return fn(task)

    report = build(put(tmp_path, a=TEXT, b=TEXT, c=TEXT), executor=Odd(does))
    assert report.made == ["a", "c"]
    assert report.failed == {"b": "b.toml: its worker failed (ValueError lost); build it again."}


def test_a_process_that_dies_is_replaced_and_only_its_entry_fails() -> None:
    def does(fn: Any, task: Task) -> Result:
        if task.name == "e2":
            raise BrokenExecutor("killed")
        return fn(task)

    started: list[Odd] = []

    def start() -> Executor:
        started.append(Odd(does))
        return started[-1]

    entry = Entry(layer="Conv(2)", input="3x3", formats=("txt",))
    found = {r.name: r for r in runner.run((Task(f"e{i}", entry, {}) for i in range(9)), start, 3, own=True)}
    assert sorted(found) == [f"e{i}" for i in range(9)]
    assert "worker process was killed twice" in found["e2"].error
    assert not [name for name, result in found.items() if result.error and name != "e2"]
    assert len(started) == 3


class Refuses(Odd):
    """An executor that accepts some tasks, then raises in `submit` that a worker is dead."""

    def __init__(self, takes: int) -> None:
        super().__init__(lambda fn, task: fn(task))
        self.takes = takes

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.given == self.takes:
            raise BrokenExecutor("a child process terminated abruptly")
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("takes", [0, 1, 3, 7])
@pytest.mark.parametrize("ahead", [1, 4])
def test_a_process_that_dies_between_two_tasks_is_replaced(takes: int, ahead: int) -> None:
    entry = Entry(layer="Conv(2)", input="3x3", formats=("txt",))
    started: list[Odd] = []

    def start() -> Executor:
        started.append(Odd(lambda fn, task: fn(task)) if started else Refuses(takes))
        return started[-1]

    found = [*runner.run((Task(f"e{i}", entry, {}) for i in range(9)), start, ahead, own=True)]
    assert sorted(result.name for result in found) == [f"e{i}" for i in range(9)]
    assert [result.error for result in found if result.error] == []
    assert len(started) == 2


def test_an_executor_that_takes_nothing(tmp_path: Path) -> None:
    entry = Entry(layer="Conv(2)", input="3x3", formats=("txt",))
    with pytest.raises(ConvanimError, match="cannot be started, or end while they start; use jobs=1, or in a script"):
        list(runner.run((Task(f"e{i}", entry, {}) for i in range(3)), lambda: Refuses(0), 2, own=True))
    report = build(put(tmp_path, a=TEXT, b=TEXT), executor=Refuses(0))
    told = "its worker failed (BrokenExecutor a child process terminated abruptly); build it again."
    assert report.failed == {name: f"{name}.toml: {told}" for name in "ab"}


def test_tasks_are_taken_a_few_at_a_time() -> None:
    taken = 0

    def tasks() -> Any:
        nonlocal taken
        for i in range(50):
            taken += 1
            yield Task(f"e{i}", None, {})  # type: ignore[arg-type]

    results = runner.run(tasks(), lambda: Odd(lambda fn, task: Result(task.name)), 4, own=True)
    next(results)
    assert taken == 4
    assert len(list(results)) == 49


def test_a_real_process_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[Any] = []

    def local(jobs: int) -> Executor:
        pools.append(runner.Processes(jobs))
        return pools[-1]

    def progress(done: int, total: int) -> None:
        if done == 3:
            os.kill(next(iter(pools[0]._processes)), 9)

    monkeypatch.setattr("convanim.gallery.builder.Processes", local)
    report = build(put(tmp_path, **texts(30)), jobs=2, progress=progress)
    assert (len(report.made), report.failed, len(pools)) == (30, {}, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX's")
def test_workers_end_with_the_build_that_is_killed(tmp_path: Path) -> None:
    put(tmp_path, **texts(60))
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--jobs", "2", "--folder", str(tmp_path)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:  # type: ignore[call-overload]
        while not list(tmp_path.glob("*.txt")) and process.poll() is None:
            time.sleep(0.02)
        process.kill()
    for _ in range(200):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the workers outlive the build")

"""Galleries with many entries: memory, streamed pages, the order of work, and early ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from convanim.cli.commands import main
from convanim.gallery import build, check, read_folder, runner
from convanim.gallery.description import Entry, command
from convanim.gallery.digest import of_bytes
from convanim.gallery.records import Records, read_manifest
from convanim.gallery.work import Task, work
from support.galleries import CONV, TEXT, everything, here, put

#: A program without `if __name__ == "__main__"` that builds a gallery with processes.
UNGUARDED = "import sys; from convanim.gallery import build; build(sys.argv[1], jobs=2)\n"


def many(count: int) -> dict[str, str]:
    return {f"entry-{i:05}": TEXT + f'seed = {i}\ntags = ["sweep"]\n' for i in range(count)}


class Copies(Executor):
    """Returns the files of a single entry for every entry, under its own name."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.one = work(Task("one", Entry(layer="Conv(2)", input="3x3", formats=("txt",)), {}))

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        name, future = args[0].name, Future[Any]()
        self.names.append(name)
        ((_, data),), record = self.one.files.items(), self.one.record
        assert record
        told = structs.replace(record.files["one.txt"], bytes=of_bytes(data + name.encode()))
        new = structs.replace(record, description=args[0].description, files={f"{name}.txt": told})
        future.set_result(replace(self.one, name=name, files={f"{name}.txt": data + name.encode()}, record=new))
        return future


# Memory.


def test_an_entry_more_takes_less_than_two_kilobytes(tmp_path: Path) -> None:
    executor = Copies()

    def peak(folder: Path) -> int:
        tracemalloc.start()
        try:
            report = build(folder, executor=executor)
            assert not report.failed
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def clear() -> None:
        for folder in folders:
            for path in folder.iterdir():
                if path.suffix != ".toml":
                    path.unlink()

    folders = [put(tmp_path / str(count), **many(count)) for count in (100, 400)]
    for folder in folders:  # loads everything once
        build(folder, executor=executor)
    for what in ("made", "found right"):
        more = []
        for _ in range(2):  # in one of them the interpreter's table of names may grow
            if what == "made":
                clear()
            few, many_more = map(peak, folders)
            more.append((many_more - few) / 300)
        assert any(0 < each < 2000 for each in more), (what, more)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT, b=CONV, c=TEXT))
    path = tmp_path / "manifest.json"
    assert read_manifest(path).told() == path.read_bytes()


# The order of work.


def test_long_ones_come_first(tmp_path: Path) -> None:
    put(tmp_path, a=CONV, b=CONV.replace("3x3", "5x5"), c=CONV.replace("3x3", "4x4"))
    here(tmp_path)
    put(tmp_path, d=TEXT)
    for path in tmp_path.glob("?.toml"):
        path.write_text(path.read_text() + "seed = 1\n")
    executor = Copies()
    build(tmp_path, executor=executor)
    assert executor.names == ["d", "b", "c", "a"]


# Light and dark.


def test_an_entry_for_light_and_dark_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, up=CONV + 'theme = "auto"\nformats = ["gif", "png"]\nselect = "last"\n')
    assert here(tmp_path).made == ["up"]
    drawn = {f"up-{theme}.{kind}" for theme in ("light", "dark") for kind in ("gif", "png")}
    files = drawn | {"stills/up-light.png", "stills/up-dark.png"}
    assert files == {name for name in everything(tmp_path) if name.endswith((".gif", ".png"))}
    assert check(tmp_path) == []
    assert here(tmp_path).kept == ["up"]
    page, table = (tmp_path / "index.html").read_text("utf-8"), (tmp_path / "README.md").read_text("utf-8")
    for name in drawn:
        assert f'<a href="{name}">' in page
        assert f'<a href="{name}">' in table
    assert (
        '<source media="(prefers-color-scheme: dark)" srcset="stills/up-dark.png"><img src="stills/up-light.png"'
        in table
    )
    assert 'data-gif="up-light.gif"' in page
    words = command("up", read_folder(tmp_path).entries["up"]).split()
    assert words[-3:] == ["auto", "-o", "up.gif"] or "--theme auto" in " ".join(words)
    other = tmp_path / "typed"
    other.mkdir()
    with pytest.raises(SystemExit) as ended:
        main([*words[1:-1], str(other / "up.gif")])
    assert (ended.value.code or 0) == 0, capsys.readouterr()
    for name in ("up-light.gif", "up-dark.gif"):
        assert (other / name).read_bytes() == (tmp_path / name).read_bytes()
    (tmp_path / "up-dark.gif").unlink()
    assert [found[:2] for found in check(tmp_path)] == [("up", "missing")]
    put(tmp_path, up=CONV + 'formats = ["gif", "png"]\nselect = "last"\n')  # and one theme again
    assert set(here(tmp_path, prune=True).removed) == files - {"up-dark.gif"}


def test_light_and_dark_want_a_format_with_colours(tmp_path: Path) -> None:
    report = here(put(tmp_path, up=TEXT + 'theme = "auto"\n'))
    told = "up.toml line 5: theme auto writes two pictures, and txt has no colours; use .gif, "
    assert report.failed["up"].startswith(told)
    put(tmp_path, up=CONV + 'theme = "auto"\n', **{"up-dark": CONV})
    assert "its file up-dark.gif is also that of" in read_folder(tmp_path).broken["up-dark"]


# Early ends, and changes during a build.


@pytest.mark.parametrize("cancel", [False, True])
def test_an_executor_that_its_owner_shuts_down(tmp_path: Path, cancel: bool) -> None:
    with ThreadPoolExecutor(1) as executor:

        def progress(done: int, total: int) -> None:
            if done == 1:
                executor.shutdown(wait=False, cancel_futures=cancel)

        report = build(put(tmp_path, **many(12)), executor=executor, progress=progress)
    assert 1 <= len(report.made) < 12
    assert len(report.made) + len(report.failed) == 12
    assert all("its worker failed (" in told and "Error" in told for told in report.failed.values())
    assert ("CancelledError" in str(report.failed)) == cancel
    again = here(tmp_path)
    assert (len(again.kept), len(again.made), again.failed) == (len(report.made), 12 - len(report.made), {})


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("end", [None, KeyboardInterrupt])
def test_ctrl_c_is_answered_by_the_one_that_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: type[BaseException] | None
) -> None:
    pools: list[Any] = []
    workers: list[Any] = []

    def local(jobs: int) -> Executor:
        pools.append(runner.Processes(jobs))
        return pools[-1]

    def progress(done: int, total: int) -> None:
        if done == 1:
            workers.extend(pools[0]._processes.values())
            for worker in workers:
                os.kill(worker.pid, signal.SIGINT)
            if end:
                raise end

    monkeypatch.setattr("convanim.gallery.builder.Processes", local)
    put(tmp_path, **many(30))
    if end is None:  # ignored by a worker
        assert len(build(tmp_path, jobs=2, progress=progress).made) == 30
        assert {worker.exitcode for worker in workers} == {0}
    else:  # ended by the build, with its task
        with pytest.raises(end):
            build(tmp_path, jobs=2, progress=progress)
        assert {worker.exitcode for worker in workers} == {-signal.SIGTERM}
        report = build(tmp_path, jobs=1)
        assert (len(report.made), report.failed) == (30 - len(report.kept), {})
    assert len(pools) == 1


def test_a_program_that_does_not_guard_its_beginning_is_told(tmp_path: Path) -> None:
    (tmp_path / "unguarded.py").write_text(UNGUARDED)
    put(tmp_path / "g", **many(3))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "unguarded.py"), str(tmp_path / "g")],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 1
    assert (
        'end while they start; use jobs=1, or in a script call the build under if __name__ == "__main__":.'
        in done.stderr
    )
    assert len(here(tmp_path / "g").made) == 3


def test_a_file_that_changes_or_goes_while_a_build_is_at_work(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text("1,2\n3,4\n")
        put(tmp_path, **{name: f'layer = "Conv(2)"\ninput = "{name}.csv"\nformats = ["txt"]\n'})

    def progress(done: int, total: int) -> None:
        if done == 1:
            (tmp_path / "b.csv").write_text("5,6\n7,8\n")
            (tmp_path / "c.csv").unlink()

    report = build(tmp_path, jobs=1, progress=progress)
    assert report.made == ["a", "b"]
    assert "c.toml line 2: input 'c.csv' cannot be read" in report.failed["c"]
    assert b"7" in (tmp_path / "b.txt").read_bytes()
    assert here(tmp_path).kept == ["a", "b"]  # the records have the actual sources
    (tmp_path / "b.csv").write_text("1,2\n3,4\n")
    assert here(tmp_path, "b").made == ["b"]


def test_a_build_knows_what_the_one_before_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another build may end between a build's start and its lock."""
    put(tmp_path, a=TEXT)
    real, ours = Records.building, [True]

    def building(folder: Path) -> Any:
        if ours:
            ours.clear()
            here(folder)
        return real(folder)

    monkeypatch.setattr(Records, "building", building)
    assert here(tmp_path).kept == ["a"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input", "[[1, 2], [3, inf]]"),
        ("input", "[[1, 2], [3, 2000-01-01]]"),
        ("bias", "nan"),
        ("hold_last", "inf"),
    ],
)
def test_values_that_are_no_numbers(tmp_path: Path, key: str, value: str) -> None:
    text = TEXT if key != "input" else TEXT.replace('input = "3x3"\n', "")
    put(tmp_path, a=text + f"{key} = {value}\n")
    line = 4 if key == "input" else 5
    assert (
        f"a.toml line {line}: {key} contains a value that is not a finite number" in read_folder(tmp_path).broken["a"]
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the length of a socket's path is Linux's")
def test_a_temporary_folder_with_a_long_path_is_told(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.toml").write_text('layer = "Conv(2)"\ninput = "3x3"\nwidth = 240\nformats = ["txt"]\n')
    long = tmp_path / ("x" * 100)
    long.mkdir()
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--folder", str(tmp_path), "--jobs"]
    for jobs, code in (("2", 2), ("1", 0)):
        done = subprocess.run(
            [*command, jobs], capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(long)}
        )
        assert done.returncode == code, done.stderr
        if code:
            assert "is too long for the sockets of workers; set TMPDIR to a folder with a short path" in done.stderr
            assert "or use --jobs 1." in done.stderr
    assert list(long.iterdir()) == []

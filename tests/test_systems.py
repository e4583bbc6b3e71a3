"""Differences of other systems, simulated: no fork, no locks, other rules for paths and open files.

This does not replace tests on Windows and macOS, where the workflow `systems` runs the whole suite.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest

from convanim.cli.files import target_of
from convanim.errors import ConvanimError
from convanim.gallery import build, check, runner
from convanim.gallery.description import check_name
from convanim.write.files import numbered, whole_file, whole_series
from convanim.write.formats import pick_format

ENTRY = 'layer = "Conv(2)"\ninput = "3x3"\nformats = ["gif"]\nwidth = 480\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    for name in ("a", "b", "c"):
        (gallery / f"{name}.toml").write_text(f'title = "{name}"\n{ENTRY}')
    return gallery


def refuse(*_: Any) -> Any:
    # The error of Windows while another program has the file open.
    raise PermissionError(13, "The process cannot access the file because it is being used by another process")


def test_a_gallery_is_made_by_processes_that_are_spawned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "sys", SimpleNamespace(platform="win32"))
    with runner.Processes(2) as executor:
        assert executor._mp_context.get_start_method() == "spawn"  # type: ignore[attr-defined]
        assert executor.submit(len, "x").result()
        assert sorted(build(folder, executor=executor).made) == ["a", "b", "c"]
    assert not check(folder, jobs=1)


def test_a_gallery_without_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert sorted(build(folder, jobs=1).made) == ["a", "b", "c"]
    assert not check(folder, jobs=1)


def test_a_file_that_another_program_has_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", refuse)
    with (
        pytest.raises(ConvanimError, match=r"a\.gif cannot be written: the process cannot access"),
        whole_file(tmp_path / "a.gif") as file,
    ):
        file.write(b"new")
    with pytest.raises(ConvanimError, match="cannot be written"), whole_series(tmp_path / "a-%d.png") as numbers:
        numbers(1).close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]
    assert (tmp_path / "a.gif").read_bytes() == b"old"


def test_a_gallery_file_that_another_program_has_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(folder, jobs=1)
    (folder / "a.toml").write_text(f'title = "other"\n{ENTRY}')
    before = (folder / "a.gif").read_bytes()
    with monkeypatch.context() as windows:
        windows.setattr(Path, "replace", refuse)
        with pytest.raises(ConvanimError, match="cannot be written"):
            build(folder, ["a"], jobs=1)
    assert (folder / "a.gif").read_bytes() == before
    assert not list(folder.glob(".convanim*"))


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "lpt9.x", "aux"])
def test_names_that_windows_keeps(name: str) -> None:
    with pytest.raises(ConvanimError, match="Windows"):
        check_name(name)


@pytest.mark.parametrize("name", ["a:b", r"a\b", r"C:\a", "a.", "a ", "a?", "a|b", '"a"', "a<b"])
def test_names_that_windows_takes_for_something_else(name: str) -> None:
    with pytest.raises(ConvanimError, match="use letters, digits, - and _"):
        check_name(name)


@pytest.mark.parametrize("name", [r"C:\out\a.gif", r"\\server\share\a.GIF", r"out\a.gif", "C:a.gif"])
def test_the_suffix_of_a_windows_path_is_the_format(name: str) -> None:
    assert pick_format(PureWindowsPath(name), None) == "gif"  # type: ignore[arg-type]
    assert numbered(PureWindowsPath(r"C:\50%d\a-%03d.png"))  # type: ignore[arg-type]
    assert not numbered(PureWindowsPath(r"C:\%d\a.png"))  # type: ignore[arg-type]
    assert target_of(name, None) == (Path(name), None)


def test_what_only_posix_has_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    def piped() -> None:
        os.mkfifo(tmp_path / "pipe")

    def plain() -> None:
        (tmp_path / "file").touch()

    make = pytest.Function.from_parent
    items = [make(request.node.parent, name=str(test), callobj=test) for test in (piped, plain)]
    conftest = request.config.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))
    monkeypatch.delattr(os, "mkfifo")
    conftest.pytest_collection_modifyitems(items)
    assert [[mark.name for mark in item.iter_markers()] for item in items] == [["skip"], []]

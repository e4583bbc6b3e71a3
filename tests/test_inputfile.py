"""Reading files never waits, never fills memory, and reports each error in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import convanim as ca
from convanim.draw import themefile
from convanim.errors import ConvanimError
from convanim.gallery import build
from convanim.page import fonts
from convanim.scene import spoken
from convanim.system.inputfile import open_regular, parse_toml, read_bytes
from convanim.template import read
from convanim.typed import read_array, read_picture
from convanim.write.tracefile import load
from support.galleries import TEXT, put

#: Reads a file for the first time in four threads at once.
THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from convanim.{module} import {name}
start = threading.Barrier(4)
def first():
    start.wait()
    {name}("{file}")
threads = [threading.Thread(target=first) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
READERS: dict[str, Callable[[Path], object]] = {
    "trace.json": load,
    "look.toml": read,
    "theme.toml": themefile.read,
    "x.npy": lambda path: read_array(str(path), what="--input"),
    "x.csv": lambda path: read_array(str(path), what="--input"),
    "x.png": lambda path: read_picture(str(path), what="--input"),
}
#: Small TOML files that cost a naive parser gigabytes, a traceback or its stack.
HOSTILE = {
    "dots": f"{'a.' * 50_000}a = 1",
    "quoted dots": " . ".join(['"a"'] * 50_000) + " = 1",
    "dots in a head": f"[{'a.' * 50_000}a]",
    "dots inline": f"x = {{ y = 1, {'a.' * 50_000}a = 1 }}",
    "digits": f"about = {'9' * 5000}",
    "hexadecimal digits": f"about = 0x{'f' * 5000}",
    "digits inside": f"x = {{ y = [[{'9' * 5000}]] }}",
    "lists": f"about = {'[' * 5000}",
    "deep lists": f"about = {'[' * 100}{']' * 100}",
    "tables": f"about = {'{a = ' * 5000}",
}


@posix
@pytest.mark.parametrize("kind", ["pipe", "endless"])
@pytest.mark.parametrize("name", READERS)
def test_no_reader_waits_or_fills_memory(name: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ConvanimError, match="not a regular file"):
        READERS[name](path)


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1234")
    assert read_bytes(tmp_path / "a", 4) == b"1234"
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_bytes(tmp_path / "a", 3)


@posix
def test_a_link_is_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to("a")
    assert read_bytes(tmp_path / "b", 4) == b"1"
    for mode in ("rb", "ab"):
        with pytest.raises(OSError, match="it is a link"):
            open_regular(tmp_path / "b", mode, follow=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_toml_is_refused_wherever_toml_is_read(name: str, tmp_path: Path) -> None:
    text = HOSTILE[name]
    with pytest.raises(ValueError, match=r"parts \(at line|300 digits|nested too deeply|\(at "):
        parse_toml(text)
    (tmp_path / "own.toml").write_text(text)
    for reader in (read, themefile.read):
        with pytest.raises(ConvanimError, match="is not TOML: "):
            reader(tmp_path / "own.toml")
    with pytest.raises(ConvanimError, match=r"lang/de\.toml: "):
        spoken.read("de", text.encode())
    put(tmp_path / "g", a=text, b=TEXT)
    report = build(tmp_path / "g", jobs=1)
    assert (report.made, list(report.failed)) == (["b"], ["a"])
    assert report.failed["a"].startswith("a.toml is not TOML: ")
    (tmp_path / "g" / "a.toml").rename(tmp_path / "g" / "gallery.toml")
    with pytest.raises(ConvanimError, match=r"gallery\.toml is not TOML"):
        build(tmp_path / "g", jobs=1)


def test_ordinary_toml_is_what_it_was() -> None:
    text = "a.b.c = 1\n'x.y'.\"z.z\" = [[1.5, -2]]\nt = '''\nwww.a.b.c.d\n'''\n[d.e]\nf = {g.h = 0xff}\n"
    assert parse_toml(text) == {
        "a": {"b": {"c": 1}},
        "x.y": {"z.z": [[1.5, -2]]},
        "t": "www.a.b.c.d\n",
        "d": {"e": {"f": {"g": {"h": 255}}}},
    }


def test_a_number_that_is_too_long_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(f"[page]\nwidth = {'9' * 5000}\n")
    with pytest.raises(ConvanimError, match="line 2: this is not TOML: a whole number has more than 300 digits"):
        read(tmp_path / "own.toml")


BOOKKEEPING = ("manifest.json", ".cache.json", ".journal", "gallery.toml", "a.toml", "x.csv", "own.toml", "README.md")


@posix
@pytest.mark.parametrize("kind", ["pipe", "endless"])
@pytest.mark.parametrize("name", BOOKKEEPING)
def test_a_gallery_waits_for_none_of_its_files(name: str, kind: str, tmp_path: Path) -> None:
    reads = 'layer = "Conv(2)"\nwidth = 640\nformats = ["txt"]\n'
    put(tmp_path, a=reads + 'input = "x.csv"\ntemplate = "own.toml"\n', b=TEXT, own="")
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    (tmp_path / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    command = [sys.executable, "-m", "convanim", "gallery", "build", "b", "a", "--jobs", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("Error: ")
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_font_that_is_asked_for_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fonts.ASKED, str(tmp_path))
    with pytest.raises(ConvanimError, match="is not a file"):
        list(fonts.candidates())


@pytest.mark.parametrize(
    ("module", "name", "file"),
    [
        ("template.files", "read", "default"),
        ("draw.theme", "load", "dark"),
        ("scene.spoken", "catalogue", "de"),
        ("write.tracefile", "load", "a.json"),
    ],
)
def test_files_are_first_read_in_several_threads(module: str, name: str, file: str, tmp_path: Path) -> None:
    ca.Conv(2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]]).save(tmp_path / "a.json")
    (tmp_path / "first.py").write_text(THREADS.format(module=module, name=name, file=file))
    for _ in range(3):  # without care, most of these processes end by a segmentation fault
        done = subprocess.run([sys.executable, "first.py"], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")

"""Files are written completely or not at all, and other programs can read them.

Full disks, signals and closed streams are real, in real processes.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import convanim as ca
from convanim.errors import ConvanimError
from convanim.write.files import whole_file
from convanim.write.png import write_png
from convanim.write.tracefile import load, write_trace
from support.decoders import decode_gifsicle
from support.needs import need

# A process with a limited file size (none for -1), which always receives Ctrl-C.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
if int(sys.argv[1]) >= 0:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from convanim.cli.commands import main
main(sys.argv[2:])
"""
CONV = ["conv", "--input", "5x5", "--kernel", "3", "--width", "640"]


def limited(size: int, *arguments: object) -> list[str]:
    # Without bytecode, whose files would be cut off as well, and make later imports fail.
    return [sys.executable, "-B", "-c", LIMITED, str(size), *map(str, arguments)]


def put(path: Path, data: bytes = b"new", error: BaseException | None = None) -> None:
    with whole_file(path) as file:
        file.write(data)
        if error:
            raise error


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


# One file.


def test_it_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    with whole_file(path) as file:
        file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    put(path)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.gif"]


@pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt(), ConvanimError("no", "yes"), MemoryError()])
def test_the_old_file_outlives_a_failure(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        put(path, error=error)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.gif"]


def test_what_the_disk_says_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match=r"a\.gif cannot be written: no space left on device; ") as caught:
        put(tmp_path / "a.gif", error=OSError(28, "No space left on device"))
    assert caught.value.exit_code == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
@pytest.mark.usefixtures("mask")
def test_permissions_are_those_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    os.umask(umask)
    put(tmp_path / "a.gif")
    assert stat.S_IMODE((tmp_path / "a.gif").stat().st_mode) == mode
    assert os.umask(umask) == umask


@pytest.mark.parametrize(
    "name", ["a" * 251 + ".gif", "🎉" * 62 + ".gif", "é" * 125 + ".gif", "%d.gif", "-.gif", " .gif"]
)
def test_every_name_that_the_file_system_takes(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(
    "name", ["a" * 252 + ".gif", "b" * 300 + "/a.gif", "nowhere/a.gif", "file/a.gif", "a\0.gif", "."]
)
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConvanimError):
        put(tmp_path / name)
    assert names(tmp_path) == ["file"]


def test_a_link_still_leads_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "old.gif").write_bytes(b"old")
    (tmp_path / "link.gif").symlink_to("old.gif")
    put(tmp_path / "link.gif")
    assert (tmp_path / "link.gif").read_bytes() == b"new"
    assert names(tmp_path) == ["link.gif", "old.gif"]


def test_a_device_or_pipe_is_never_replaced(tmp_path: Path) -> None:
    # For root the same would happen to /dev/null.
    pipe = tmp_path / "pipe.gif"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        put(pipe)
        assert os.read(reader, 10) == b"new"
    except ConvanimError:
        pass  # a refusal is fine, too
    finally:
        os.close(reader)
        assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["a.gif", "a-%d.png"])
def test_a_loop_of_links_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a.gif").symlink_to("a.gif")
    with pytest.raises(ConvanimError, match=r"cannot be written: too many levels of symbolic links|does not exist"):
        put(tmp_path / (name if "%" not in name else f"loop/{name}"))
    assert names(tmp_path) == ["a.gif", "loop"]


def test_a_link_that_leads_nowhere_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "link.gif").symlink_to("new.gif")
    put(tmp_path / "link.gif")
    assert (tmp_path / "new.gif").read_bytes() == b"new"


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as served:
        served.bind("a.gif")
        with pytest.raises(ConvanimError, match=r"a\.gif cannot be written: no such device"):
            put(tmp_path / "a.gif")
    assert stat.S_ISSOCK((tmp_path / "a.gif").stat().st_mode)


#: Runs without root's privileges, so that a folder's mode can refuse access.
ORDINARY = """
import ctypes, os, sys
if os.geteuid() == 0:
    header, no_capability = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, no_capability) == 0
from convanim.cli.commands import main
main(sys.argv[1:])
"""


@pytest.mark.skipif(
    sys.platform != "linux" and getattr(os, "geteuid", int)() == 0, reason="root may do everything there"
)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "gallery", "entries", "input"])
def test_what_may_not_be_opened_is_told(tmp_path: Path, kind: str) -> None:
    locked, pipe = tmp_path / "locked", tmp_path / "pipe.gif"
    if kind == "device":
        try:
            os.mknod(pipe, stat.S_IFCHR | 0o444, Path("/dev/null").stat().st_rdev)  # a read-only /dev/null
        except PermissionError:
            pytest.skip("only root may make a device, and not in every container")
    (locked / "in").mkdir(parents=True)
    if kind != "device":
        os.mkfifo(pipe)
    pipe.chmod(0o444)
    locked.chmod(0o600)  # without x, its contents are inaccessible
    command = {
        "pipe": [*CONV, "-o", pipe],
        "device": [*CONV, "-o", pipe],
        "folder": [*CONV, "-o", locked / "in" / "a.gif"],
        "gallery": ["gallery", "build", "--folder", locked / "in"],
        "entries": ["gallery", "check", "--folder", locked],
        "input": ["conv", "--input", locked / "in" / "a.csv", "--kernel", "2", "-o", tmp_path / "a.gif"],
    }[kind]
    done = subprocess.run([sys.executable, "-c", ORDINARY, *map(str, command)], capture_output=True, check=False)
    locked.chmod(0o700)
    check(done, "ermission denied")
    assert names(tmp_path) == ["locked", "pipe.gif"]


# Many files.


def test_a_series_shows_what_the_gif_shows(tmp_path: Path) -> None:
    trace = ca.ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]])
    animation = trace.animate(width=640, motion="step")
    animation.save(tmp_path / "a.gif")
    saved = animation.save(tmp_path / "a-%03d.png")
    pictures = [np.array(Image.open(p).convert("RGB")) for p in sorted(tmp_path.glob("*.png"))]
    assert saved.frames == len(pictures) == animation.scene.beats.total
    # A GIF shows only the last frame of a quick placement, and equal consecutive frames as one.
    shown = [pictures[shot.frame] for shot in animation.plan.shots]
    assert len(shown) < len(pictures)
    seen = [p for i, p in enumerate(shown) if i == 0 or (p != shown[i - 1]).any()]
    for (picture, _), wanted in zip(decode_gifsicle(tmp_path / "a.gif"), seen, strict=True):
        np.testing.assert_array_equal(picture, wanted)


@pytest.mark.parametrize("name", ["a-%d-%d.png", "100%-%d.png", "%s-%d.png", "%02d.png", "%%d.png", "%d%.png"])
def test_other_percent_signs_in_the_name_of_a_series(tmp_path: Path, name: str) -> None:
    animation = ca.Conv(kernel_size=2).trace(np.ones((3, 3)), np.ones((2, 2))).animate(width=640)
    animation.save(tmp_path / name)
    assert len(names(tmp_path)) == animation.scene.beats.total == 10


def test_a_series_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a-3.png").mkdir()
    (tmp_path / "a-2.png").write_bytes(b"old")
    animation = ca.Conv(kernel_size=2).trace(np.ones((3, 3)), np.ones((2, 2))).animate(width=640)
    with pytest.raises(ConvanimError):
        animation.save(tmp_path / "a-%d.png")
    assert names(tmp_path) == ["a-2.png", "a-3.png"]
    assert (tmp_path / "a-2.png").read_bytes() == b"old"


def test_a_frame_that_is_selected_twice_is_counted_as_it_is_written(tmp_path: Path) -> None:
    animation = ca.Conv(kernel_size=2).trace(np.ones((3, 3)), np.ones((2, 2))).animate(width=640, select="0,1,0")
    assert animation.save(tmp_path / "a-%d.png").frames == len(names(tmp_path)) == 2


# Formats.


@settings(max_examples=50)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)), st.text())
def test_a_png_is_read_back_to_the_pixel(pixels: Any, comment: str) -> None:
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 114, 178], [1, 2, 3]], np.uint8)
    comment = comment.replace("\0", "")
    file = io.BytesIO()
    write_png(file, pixels, colours, comment)
    with Image.open(file) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.array(image.convert("RGB")), colours[pixels])
        assert image.text["Comment"] == comment  # type: ignore[attr-defined]


def test_ffmpeg_reads_the_same_png(tmp_path: Path) -> None:
    colours = np.arange(255 * 3, dtype=np.uint16).reshape(255, 3).astype(np.uint8)
    pixels = np.arange(510, dtype=np.uint16).reshape(17, 30).astype(np.uint8) % 255
    with whole_file(tmp_path / "a.png") as file:
        write_png(file, pixels, colours, "×")
    picture = subprocess.run(
        [need("ffmpeg"), "-v", "error", "-i", tmp_path / "a.png", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        check=True,
        capture_output=True,
    ).stdout
    np.testing.assert_array_equal(np.frombuffer(picture, np.uint8).reshape(17, 30, 3), colours[pixels])


@pytest.mark.parametrize("op", [ca.Conv(2, 1, 1), ca.ConvTranspose(2, 2, dilation=2), ca.Conv((1, 2), padding="same")])
def test_a_json_adds_up_by_itself(tmp_path: Path, op: Any) -> None:
    kernel = [[0.1, -2.0]] if op.kernel_size == (1, 2) else [[0.1, -2.0], [3.0, 1e-9]]
    done = op.trace([[1.0, 2.5, -3.0], [4.0, 5.0, 1e6]], kernel, 7)
    with whole_file(tmp_path / "a.json") as file:
        write_trace(file, done)
    told = json.loads((tmp_path / "a.json").read_text("utf-8"))
    x, w, seen = np.array(told["input"]), np.array(told["weight"]), np.zeros(told["canvas"])
    for step in told["steps"]:
        pairs = zip(step["reads"], step["factors"], step["terms"], strict=True)
        assert all(x[tuple(r)] * w[tuple(f)] == term for r, f, term in pairs)
        for place, value in zip(step["writes"], step["written"], strict=True):
            seen[tuple(place)] = value
    np.testing.assert_array_equal(seen, told["output"])
    np.testing.assert_array_equal(seen[0], done.output)
    np.testing.assert_array_equal(load(tmp_path / "a.json").output, done.output)


@pytest.mark.parametrize("layer", ["--input 3x3x3 --kernel 2", "--input 300x300 --kernel 2 --stride 9"])
def test_what_no_page_holds_can_be_saved_as_json(tmp_path: Path, layer: str) -> None:
    # The hint of a picture's error.
    command = limited(-1, "conv", *layer.split(), "-o", tmp_path / "a.json")
    done = subprocess.run(command, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["steps"]


# Processes.


def check(done: subprocess.CompletedProcess[bytes], *says: str) -> None:
    err = done.stderr.decode()
    assert done.returncode == 2, err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    for said in (*says, ";"):
        assert said in err


@pytest.mark.parametrize("size", [0, 1500])
@pytest.mark.parametrize("name", ["a.gif", "a.png", "a-%d.png", "a.txt", "a.json"])
def test_a_disk_that_fills_up(tmp_path: Path, name: str, size: int) -> None:
    done = subprocess.run(limited(size, *CONV, "-o", tmp_path / name), capture_output=True, check=False)
    check(done, "cannot be written")
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["gif", "png", "txt", "json"])
def test_a_full_standard_output(kind: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = limited(-1, *CONV, "-o", "-", "--format", kind)
        check(subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE), "standard output", "no space")


def test_a_temporary_folder_that_is_full(tmp_path: Path) -> None:
    command = limited(0, *CONV, "-o", "-", "--format", "gif")
    done = subprocess.run(command, check=False, capture_output=True, cwd=tmp_path)
    if done.returncode:  # no pair may be needed
        check(done)
    assert names(tmp_path) == []


def test_a_file_that_is_done_stays_done_without_its_closing_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(limited(-1, *CONV, "-o", tmp_path / "a.txt"), check=False, stdout=full, stderr=full)
    assert (done.returncode == 0) == (names(tmp_path) == ["a.txt"])


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_streams_that_are_closed(tmp_path: Path, closed: str) -> None:
    words = f'exec "$0" -m convanim {" ".join(CONV)} -o - --format gif {closed}'
    done = subprocess.run(["bash", "-c", words, sys.executable], capture_output=True, check=False, cwd=tmp_path)
    if closed == ">&-":
        check(done, "standard output")
    else:
        assert (done.returncode, done.stdout[-1:]) == (0, b";")


@pytest.mark.parametrize("name", ["a.gif", "a-%d.png", "a.txt"])
def test_interrupted_half_way(tmp_path: Path, name: str) -> None:
    long = ["conv", "--input", "96x96", "--kernel", "3x3", "--seconds-per-step", "0.05", "-o", tmp_path / name]
    command = limited(-1, *long)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # Wait until the scratch folder has contents: when it has just been created, it may not be registered yet.
        while not list(tmp_path.glob(".convanim.*/*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told, err = process.communicate()
    assert (process.returncode, told) == (130, b"")
    assert [line for line in err.decode().splitlines() if line] == ["Error: interrupted; nothing was written."]
    assert names(tmp_path) == []

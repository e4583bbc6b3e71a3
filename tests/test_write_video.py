"""MP4 and WebM: ffprobe reads the metadata, ffmpeg decodes the pictures, and a bad ffmpeg is reported."""

from __future__ import annotations

import gc
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim import ConvTranspose
from convanim.errors import ConvanimError
from convanim.write import formats, video
from convanim.write.video import VideoWriter
from support.commands import run
from support.decoders import decode_ffmpeg
from support.needs import need, need_module

need_module("imageio_ffmpeg", promised=True)
KINDS = pytest.mark.parametrize("kind", ["mp4", "webm"])
INK = np.array([[255, 255, 255], [0, 0, 0], [200, 30, 40], [20, 90, 220]], np.uint8)
#: The maximum mean difference of a channel, of 255, by the codecs and half the resolution in colour.
LOSS = 4


def blocks(*inks: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A frame of vertical stripes in these inks."""
    return np.repeat(np.array([inks], np.uint8), -(-width // len(inks)), axis=1)[:, :width].repeat(height, axis=0)


def written(path: Path, frames: list[tuple[np.ndarray, int]], **options: Any) -> Path:
    with path.open("wb") as file:
        size = frames[0][0].shape[::-1]
        with VideoWriter(file, size, INK, container=path.suffix[1:], **options) as writer:
            for frame, milliseconds in frames:
                writer.add(frame, milliseconds)
    return path


def probed(path: Path) -> dict[str, Any]:
    command = [need("ffprobe"), "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", path]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {**told["format"], **told["streams"][0], "words": json.dumps(told["format"]["tags"], ensure_ascii=False)}


def apart(got: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(got.astype(int) - wanted).mean())


@KINDS
def test_a_film_is_what_ffprobe_and_ffmpeg_say(kind: str, tmp_path: Path) -> None:
    trace = ConvTranspose(kernel_size=2).trace([[1, 2]], [[1, 2], [3, 4]])
    animation = trace.animate(width=321, height=241, select="0,2,last", hold_last=1.3)
    saved = animation.save(tmp_path / f"a.{kind}")
    told = probed(tmp_path / f"a.{kind}")
    assert (saved.width, saved.height) == (told["width"], told["height"]) == (322, 242)
    assert (told["codec_name"], told["pix_fmt"]) == ({"mp4": "h264", "webm": "vp9"}[kind], "yuv420p")
    assert told["r_frame_rate"] == told["avg_frame_rate"] == "25/1"
    assert saved.frames == int(told["nb_read_frames"]) == round(25 * saved.seconds)
    assert abs(float(told["duration"]) - saved.seconds) < 0.04
    assert animation.alt in told["words"]
    clip = decode_ffmpeg(tmp_path / f"a.{kind}")
    end = 0
    for number, shot in enumerate(animation.plan.shots):
        wanted = np.pad(animation.pixels(number), ((0, 1), (0, 1), (0, 0)), "edge")
        middle, end = (2 * end + shot.milliseconds) // 2, end + shot.milliseconds
        assert apart(clip[middle // 40][0], wanted) < LOSS


def test_the_index_of_an_mp4_comes_before_its_pictures(tmp_path: Path) -> None:
    data = written(tmp_path / "a.mp4", [(blocks(0, 1), 400)]).read_bytes()
    boxes, at = [], 0
    while at < len(data):
        boxes.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    assert boxes.index(b"moov") < boxes.index(b"mdat")


@KINDS
def test_times_do_not_drift_and_each_picture_is_seen(kind: str, tmp_path: Path) -> None:
    inks = [int(i) for i in np.random.default_rng(0).integers(0, 4, 60)]
    times = [50 if i % 2 else 90 for i in range(60)]
    clip = decode_ffmpeg(written(tmp_path / f"a.{kind}", [(blocks(i), t) for i, t in zip(inks, times, strict=True)]))
    assert len(clip) == round(sum(times) / 40)
    end = 0
    for ink, time in zip(inks, times, strict=True):
        first, end = round(end / 40 + 1e-9), end + time
        assert apart(clip[first][0], np.broadcast_to(INK[ink], clip[0][0].shape)) < LOSS


@KINDS
def test_the_same_bytes_every_time(kind: str, tmp_path: Path) -> None:
    frames = [(blocks(*np.random.default_rng(i).integers(0, 4, 9)), 130) for i in range(9)]
    (tmp_path / "more").mkdir()
    first, second = (written(folder / f"a.{kind}", frames, comment="x") for folder in (tmp_path, tmp_path / "more"))
    assert first.read_bytes() == second.read_bytes()


# --- wrong input, and an ffmpeg that does not do its work -------------------------------------------------------------


@pytest.fixture
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for files; after the test it and the temporary folder must be empty."""
    temporary, out = tmp_path / "temporary", tmp_path / "out"
    temporary.mkdir()
    out.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield out
    assert not [*out.iterdir(), *temporary.iterdir()]


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def refused(out: Path, **look: Any) -> str:
    animation = ConvTranspose(kernel_size=2).trace([[1, 2]], [[1, 2], [3, 4]]).animate(width=320, **look)
    with pytest.raises(ConvanimError) as caught:
        animation.save(out / "a.mp4")
    return str(caught.value)


def test_without_the_extra_it_is_said_before_any_work(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    done = run("conv", "--input", "3x3", "--kernel", "2", "-o", str(nothing_left / "a.webm"))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "without imageio_ffmpeg; pip install 'convanim[video]'" in done.err


@pytest.mark.parametrize("exe", ["nowhere/ffmpeg", "."])
def test_a_variable_that_names_no_program(exe: str, nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", exe)
    assert f"IMAGEIO_FFMPEG_EXE is {exe!r}, which does not run: " in refused(nothing_left)


def test_no_ffmpeg_at_all(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    monkeypatch.setattr("imageio_ffmpeg._utils._get_ffmpeg_exe", lambda: None)
    assert "there is no ffmpeg; pip install 'convanim[video]'" in refused(nothing_left)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo '[mux @ 0xabc] first' >&2; echo '[mux @ 0xabc] No space left.' >&2; exit 1", "No space left"),
        ("head -c 500000 >/dev/null; echo tired >&2; kill -9 $$", "tired"),
        ("cat >/dev/null", "it said nothing"),
        ('cat >/dev/null; for last; do :; done; [ "$last" = - ] || echo junk >"$last"', "it said nothing"),
    ],
    ids=["at once", "half-way", "no file", "no video"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio-ffmpeg leaves its pipe open
def test_an_ffmpeg_that_dies_leaves_nothing_and_its_last_line_is_told(
    script: str, words: str, nothing_left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", program(tmp_path / "ffmpeg", script))
    told = refused(nothing_left)
    gc.collect()
    assert f"ffmpeg stopped before the end: {words}; " in told
    assert "0xabc" not in told


def test_a_video_that_lacks_its_end_is_noticed(
    nothing_left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = need("ffmpeg")
    cut = f'{real} "$@" || exit; for last in "$@"; do :; done; [ "$last" = - ] || truncate -s -900 "$last"'
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", program(tmp_path / "ffmpeg", cut))
    assert "ffmpeg stopped before the end" in refused(nothing_left)


def test_standard_error_is_given_back_even_where_there_is_none(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from test_write_video import blocks, written\n"
        "written(Path(sys.argv[1]), [(blocks(0, 1), 80)])\n"
        "try: os.fstat(2)\n"
        "except OSError: print('closed')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.mp4")]
    closed = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, text=True, check=True)
    assert closed.stdout == "closed\n"
    assert not subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("look", "words"),
    [
        ({"plays": 3}, "a .mp4 cannot say that it plays 3 times"),
        ({"seconds_per_step": 0.03}, "a frame of 30 ms is shorter than one of a video, which has 25 a second"),
        ({"max_size": 500}, "max size 500 bytes is too small"),
    ],
)
def test_what_a_video_cannot_keep_is_refused(look: dict[str, Any], words: str, nothing_left: Path) -> None:
    assert words in refused(nothing_left, **look)


def test_a_video_is_no_picture_of_a_readme(tmp_path: Path) -> None:
    trace = ConvTranspose(kernel_size=2).trace([[1, 2]], [[1, 2], [3, 4]])
    with pytest.raises(ConvanimError, match=re.escape("mp4 is not a picture that a page can show; use .gif, .webp")):
        trace.animate().save_pair(tmp_path / "a.mp4")
    with pytest.raises(ConvanimError, match=r"a-%d\.mp4 names a series of files"):
        trace.animate().save(tmp_path / "a-%d.mp4")


def test_the_rate_of_motion_is_that_of_the_file() -> None:
    assert formats.MOVING == video.TICK
    trace = ConvTranspose(kernel_size=2).trace([[1, 2]], [[1, 2], [3, 4]])
    file = io.BytesIO()
    animation = trace.animate(width=320, motion="smooth", select="0,1")
    clip_gif = animation.save(io.BytesIO(), "gif").frames
    assert animation.save(file, "mp4").frames == round(25 * animation.plan.seconds) > clip_gif

"""Animated WebP and PNG: independent decoders show each picture at its time, and read plays and comments."""

from __future__ import annotations

import io
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convanim import ConvTranspose
from convanim.errors import ConvanimError
from convanim.write.apng import ApngWriter
from convanim.write.formats import FORMATS
from convanim.write.patches import PatchWriter
from convanim.write.webp import WebpWriter
from support.decoders import Clip, assert_same_show, decode_ffmpeg, decode_pillow
from support.needs import need

WRITERS = {"webp": WebpWriter, "apng": ApngWriter}
KINDS = pytest.mark.parametrize("kind", WRITERS)
INK = np.array([[255, 255, 255], [0, 0, 0], [200, 30, 40]], np.uint8)


def written(kind: str, frames: list[tuple[np.ndarray, int]], palette: np.ndarray = INK, **options: Any) -> bytes:
    file = io.BytesIO()
    with WRITERS[kind](file, frames[0][0].shape[::-1], palette, **options) as writer:
        for frame, milliseconds in frames:
            writer.add(frame, milliseconds)
    return file.getvalue()


@st.composite
def shows(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """A palette of up to 255 colours, and frames that partly or completely repeat the frame before."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([1, 2, 3, 16, 255]))
    palette = seed.choice(256**3, count, replace=False).astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].copy()
    frame = seed.integers(0, count, draw(st.tuples(st.integers(1, 12), st.integers(1, 12))), np.uint8)
    frames = []
    for _ in range(draw(st.integers(1, 6))):
        frames.append((frame, draw(st.integers(20, 500))))
        top, left = (int(seed.integers(0, side)) for side in frame.shape)
        frame = frame.copy()
        part = frame[top : top + 4, left : left + 5]
        part[...] = seed.integers(0, count, part.shape)
    return palette, frames


@KINDS
@given(shows())
@settings(deadline=None, max_examples=60)
def test_the_picture_at_each_time_is_the_one_that_was_added(kind: str, show: Any) -> None:
    palette, frames = show
    data = written(kind, frames, palette)
    wanted: Clip = [(palette[frame], milliseconds) for frame, milliseconds in frames]
    got = decode_pillow(io.BytesIO(data))  # type: ignore[arg-type]
    if len(got) == 1:  # Pillow has no duration for a still
        np.testing.assert_array_equal(got[0][0], wanted[0][0])
    else:
        assert_same_show(got, wanted)


def test_ffmpeg_sees_the_same_in_a_png(tmp_path: Path) -> None:
    frames = [(np.array([[0, 1, 0], [2, 2, 0]], np.uint8), 300), (np.array([[0, 1, 1], [2, 0, 0]], np.uint8), 40)]
    (tmp_path / "a.apng").write_bytes(written("apng", frames))
    got = decode_ffmpeg(tmp_path / "a.apng")
    assert [ms for _, ms in got] == [300, 40]
    for (picture, _), (frame, _) in zip(got, frames, strict=True):
        np.testing.assert_array_equal(picture, INK[frame])


def test_the_webp_tools_find_no_error_and_the_times(tmp_path: Path) -> None:
    frames = [(np.full((5, 7), i, np.uint8), ms) for i, ms in enumerate((300, 41, 2000))]
    frames[1][0][0, 0] = 0
    (tmp_path / "a.webp").write_bytes(written("webp", frames, plays=2))
    told = subprocess.run([need("webpinfo"), tmp_path / "a.webp"], capture_output=True, text=True, check=True).stdout
    assert "No error detected" in told
    assert [int(ms) for ms in re.findall(r"Duration: (\d+)", told)] == [300, 41, 2000]
    info = subprocess.run([need("webpmux"), "-info", tmp_path / "a.webp"], capture_output=True, text=True, check=True)
    assert "Loop Count : 2" in info.stdout
    assert "Number of frames: 3" in info.stdout


@KINDS
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_both_count_plays_where_a_gif_counts_repeats(kind: str, plays: int) -> None:
    data = written(kind, [(np.zeros((1, 1), np.uint8), 50)], plays=plays)
    at = data.index(b"acTL" if kind == "apng" else b"ANIM") + 8
    assert struct.unpack_from(">I" if kind == "apng" else "<4xH", data, at)[0] == plays


@KINDS
def test_a_time_that_is_too_long_for_one_image_is_shared_by_several(kind: str) -> None:
    longest = WRITERS[kind].longest
    frames = [(np.array([[0, 1]], np.uint8), 2 * longest + 7), (np.array([[1, 1]], np.uint8), 90)]
    got = decode_pillow(io.BytesIO(written(kind, frames)))  # type: ignore[arg-type]
    assert len(got) == 4
    assert sum(ms for _, ms in got[:3]) == 2 * longest + 7
    assert all((picture == INK[frames[0][0]]).all() for picture, _ in got[:3])


@KINDS
@pytest.mark.parametrize(
    ("frames", "options", "words"),
    [
        ([(np.zeros((1, 1), np.uint8), 19)], {}, "browsers do not keep 19 ms"),
        ([(np.zeros((1, 70000), np.uint8), 50)], {}, "cannot be 70000 x 1 px"),
        ([(np.zeros((1, 1), np.uint8), 50)], {"plays": 2**31}, "cannot play 2147483648 times"),
    ],
)
def test_what_a_container_cannot_hold_is_refused(kind: str, frames: Any, options: Any, words: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(words)):
        written(kind, frames, **options)


@KINDS
def test_without_frames_and_after_an_error_nothing_is_written(kind: str) -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="at least one frame"), WRITERS[kind](file, (1, 1), INK):
        pass
    writer: PatchWriter = WRITERS[kind](file, (1, 1), INK)
    writer.add(np.zeros((1, 1), np.uint8), 50)
    with pytest.raises(KeyError), writer:
        raise KeyError
    assert file.getvalue() == b""


@KINDS
@pytest.mark.parametrize("motion", ["step", "smooth"])
def test_an_animation_is_to_the_pixel_and_the_millisecond_what_the_gif_shows(
    kind: str, motion: str, tmp_path: Path
) -> None:
    trace = ConvTranspose(kernel_size=2, stride=2).trace([[1, 2], [3, 4]], [[1, 0], [2, 1]])
    animation = trace.animate(width=481, height=271, motion=motion, hold_last=4.5, plays=2)
    for suffix in ("gif", kind):
        saved = animation.save(tmp_path / f"a.{suffix}")
        assert (saved.width, saved.height) == (481, 271)
    assert_same_show(decode_pillow(tmp_path / f"a.{kind}"), decode_pillow(tmp_path / "a.gif"))
    again = io.BytesIO()
    animation.save(again, kind)
    assert again.getvalue() == (tmp_path / f"a.{kind}").read_bytes()
    assert len(again.getvalue()) < (tmp_path / "a.gif").stat().st_size
    with Image.open(again) as image:
        words = image.info["xmp"].decode() if kind == "webp" else "".join(map(str, image.text.values()))  # type: ignore[attr-defined]
        assert image.info["loop"] == 2
    assert animation.alt in words
    assert "step 1 of 16" in words


@KINDS
def test_a_size_is_kept_by_giving_up_frames_or_the_sentence_says_what_would_do(kind: str, tmp_path: Path) -> None:
    trace = ConvTranspose(kernel_size=2, stride=2).trace([[1, 2], [3, 4]], [[1, 0], [2, 1]])
    path = tmp_path / f"a.{kind}"
    whole = trace.animate(width=480, motion="smooth").save(path).size
    saved = trace.animate(width=480, motion="smooth", max_size=whole * 2 // 3).save(path)
    assert saved.size <= whole * 2 // 3
    assert "to stay under" in saved.given_up
    path.unlink()
    with pytest.raises(ConvanimError, match="max size 900 bytes is too small"):
        trace.animate(width=480, max_size=900).save(path)
    assert not list(tmp_path.iterdir())


def test_every_picture_format_can_be_named_in_the_help() -> None:
    from convanim.write.formats import listed

    assert all(f".{suffix}" in listed() for suffix in FORMATS)

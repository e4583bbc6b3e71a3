"""The GIF writer, checked by Pillow, gifsicle and ffmpeg: the picture at each time is the one that was added."""

import gc
import io
import subprocess
import sys
import tempfile
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count, groupby
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from convanim.errors import ConvanimError
from convanim.write import gif as gif_module
from convanim.write.gif import _KEPT, Box, GifWriter, Pixels, _holes
from convanim.write.patches import Spare
from support.decoders import Clip, assert_same_show, decode_ffmpeg, decode_gifsicle, decode_pillow
from support.needs import need

Step = tuple[Pixels, int, Box | None]
DECODERS = [decode_pillow, decode_gifsicle, decode_ffmpeg]
INK = np.array([[255, 255, 255], [0, 0, 0], [200, 30, 30]], np.uint8)


def colours(n: int) -> Pixels:
    """Return n different colours, none of which consists of the zeros that pad a table."""
    return np.stack([np.arange(1, n + 1), np.arange(n, 0, -1), np.full(n, 77)], axis=1).astype(np.uint8)


def written(steps: Iterable[Step], palette: Pixels, **options: object) -> bytes:
    """Write the steps from one reused buffer, as by a caller that draws in place."""
    file, gif, buffer = io.BytesIO(), None, np.empty(0, np.uint8)
    for frame, milliseconds, changed in steps:
        if gif is None:
            gif = GifWriter(file, frame.shape[::-1], palette, **options)  # type: ignore[arg-type]
            buffer = np.empty_like(frame)
        buffer[...] = frame
        gif.add(buffer, milliseconds, changed)
        buffer[...] = 0
    assert gif is not None
    gif.close()
    return file.getvalue()


def show(steps: Iterable[Step], palette: Pixels) -> Clip:
    return [(palette[frame], milliseconds) for frame, milliseconds, _ in steps]


def animation(seed: int, size: tuple[int, int], n: int, frames: int) -> list[Step]:
    """Rectangles and specks on a flat background; some frames repeat the one before, or the first."""
    rng = np.random.default_rng(seed)
    height, width = size
    frame = rng.integers(0, n, size, np.uint8) if seed % 2 else np.full(size, rng.integers(n), np.uint8)
    steps: list[Step] = [(frame, 20, None)]
    for _ in range(frames - 1):
        kind, frame, changed = rng.integers(6), steps[-1][0].copy(), None
        if kind == 0:
            frame = steps[0][0].copy()
        elif kind > 1:
            top, left = int(rng.integers(height)), int(rng.integers(width))
            bottom, right = int(rng.integers(top, height)) + 1, int(rng.integers(left, width)) + 1
            part = frame[top:bottom, left:right]
            drawn = rng.integers(0, n, part.shape) if kind == 2 else rng.integers(n)
            part[...] = np.where(rng.random(part.shape) < rng.choice([0.02, 0.3, 1]), drawn, part)
            changed = (top, left, bottom, right) if kind % 2 else None
        steps.append((frame, int(rng.choice([20, 30, 500, 12340])), changed))
    return steps


def decoded(data: bytes, decode: Callable[[Path], Clip]) -> Clip:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "it.gif"
        path.write_bytes(data)
        return decode(path)


def gifsicle(data: bytes, *options: str) -> bytes:
    return subprocess.run([need("gifsicle"), *options], input=data, check=True, capture_output=True).stdout


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    n=st.sampled_from([1, 2, 3, 4, 7, 8, 40, 127, 128, 254, 255]),
    frames=st.integers(1, 9),
)
def test_picture_at_each_time(seed: int, size: tuple[int, int], n: int, frames: int) -> None:
    steps = animation(seed, size, n, frames)
    assert_same_show(decoded(written(steps, colours(n)), decode_pillow), show(steps, colours(n)))


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    ("seed", "size", "n"),
    [(1, (33, 50), 40), (2, (120, 200), 5), (3, (1, 1), 3), (4, (1, 70), 255), (5, (90, 1), 2), (7, (200, 300), 255)],
)
def test_picture_at_each_time_in_each_program(
    decode: Callable[[Path], Clip], seed: int, size: tuple[int, int], n: int
) -> None:
    steps = animation(seed, size, n, 12)
    assert_same_show(decoded(written(steps, colours(n)), decode), show(steps, colours(n)))


@pytest.mark.parametrize("decode", DECODERS)
def test_full_palette_and_every_index(decode: Callable[[Path], Clip]) -> None:
    every = np.arange(255, dtype=np.uint8).reshape(15, 17)
    steps: list[Step] = [(every, 50, None), (every[::-1, ::-1].copy(), 50, None), (every, 50, None)]
    assert_same_show(decoded(written(steps, colours(255)), decode), show(steps, colours(255)))


def test_images_that_are_encoded_late_keep_their_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one image is encoded, the next ones are made in other memory."""
    encode = gif_module._code

    def late(pixels: Pixels, bits: int, scratch: IO[bytes]) -> bytes:
        time.sleep(0.01)
        return encode(pixels, bits, scratch)

    steps = animation(8, (40, 60), 20, 12)
    monkeypatch.setattr(gif_module, "_code", late)
    assert_same_show(decoded(written(steps, colours(20)), decode_pillow), show(steps, colours(20)))


def test_equal_neighbours_are_one_image_with_the_sum_of_their_times() -> None:
    a, b = np.zeros((4, 5), np.uint8), np.ones((4, 5), np.uint8)
    steps: list[Step] = [(a, 20, None), (a, 50, (0, 0, 0, 0)), (b, 30, None), (b, 30, (1, 1, 3, 3)), (a, 1000, None)]
    data = written(steps, INK)
    assert data.count(b"\x21\xf9\x04") == 3
    assert [duration for _, duration in decoded(data, decode_pillow)] == [70, 60, 1000]


def test_only_the_tight_rectangle_is_written() -> None:
    a = np.zeros((60, 80), np.uint8)
    b = a.copy()
    b[20:30, 40:55] = 1
    b[22, 60] = 2
    for changed in (None, (10, 20, 40, 80)):
        info = gifsicle(written([(a, 50, None), (b, 50, changed)], INK), "--info").decode()
        assert "image #1 21x10 at 40,20 transparent 3" in info
        assert info.count("disposal asis") == 2


def test_changes_outside_of_the_promised_rectangle_are_not_looked_at() -> None:
    a, b = np.zeros((6, 6), np.uint8), np.zeros((6, 6), np.uint8)
    b[0, 0] = b[4, 4] = 1
    (_, _), (second, _) = decoded(written([(a, 50, None), (b, 50, (3, 3, 6, 6))], INK), decode_pillow)
    assert (second[4, 4] == INK[1]).all()
    assert (second[0, 0] == INK[0]).all()


@pytest.mark.parametrize("decode", [decode_pillow, decode_gifsicle])
@pytest.mark.parametrize("milliseconds", [655_350, 655_360, 1_310_710, 2_000_000])
def test_delays_of_more_than_sixteen_bits(decode: Callable[[Path], Clip], milliseconds: int) -> None:
    a, b = np.zeros((3, 3), np.uint8), np.ones((3, 3), np.uint8)
    steps: list[Step] = [(a, milliseconds, None), (b, 20, None), (a, milliseconds, None)]
    clip = decoded(written(steps, INK), decode)
    assert_same_show(clip, show(steps, INK))
    assert min(duration for _, duration in clip) >= 20  # a remainder of 10 ms would be played as 100 ms


@pytest.mark.parametrize(
    ("plays", "loop", "told"),
    [(0, 0, "loop forever"), (1, None, None), (2, 1, "loop count 1"), (3, 2, "loop count 2"), (65536, 65535, "65535")],
)
def test_plays(plays: int, loop: int | None, told: str | None) -> None:
    data = written([(np.zeros((2, 2), np.uint8), 50, None), (np.ones((2, 2), np.uint8), 50, None)], INK, plays=plays)
    assert Image.open(io.BytesIO(data)).info.get("loop") == loop
    info = gifsicle(data, "--info").decode()
    assert ("loop" not in info) if told is None else (told in info)


@pytest.mark.parametrize("comment", ["conv2d 3x3, stride 2", "x" * 255, "y" * 256, "é → 3 × 3 " * 60])
def test_comment(comment: str) -> None:
    data = written([(np.zeros((2, 2), np.uint8), 50, None)], INK, comment=comment)
    assert Image.open(io.BytesIO(data)).info["comment"].decode() == comment
    if comment.isascii():
        assert f"comment {comment}" in gifsicle(data, "--info").decode()


def test_no_comment_no_block() -> None:
    assert b"\x21\xfe" not in written([(np.zeros((2, 2), np.uint8), 50, None)], INK)


def test_same_bytes_twice_and_the_same_without_the_rectangle() -> None:
    steps = animation(11, (40, 60), 20, 10)
    assert any(changed for _, _, changed in steps)
    data = written(steps, colours(20), comment="c")
    assert data == written(steps, colours(20), comment="c")
    assert data == written([(frame, ms, None) for frame, ms, _ in steps], colours(20), comment="c")


@pytest.mark.parametrize(("n", "bits"), [(1, 2), (3, 2), (4, 3), (7, 3), (8, 4), (127, 7), (128, 8), (255, 8)])
def test_smallest_table_and_code_size(n: int, bits: int) -> None:
    data = written([(np.zeros((2, 3), np.uint8), 50, None)], colours(n), plays=1)
    assert data[:6] == b"GIF89a"
    assert data[10] & 7 == bits - 1
    after_table = 13 + 3 * 2**bits
    assert data[after_table : after_table + 3] == b"\x21\xf9\x04"
    assert data[after_table + 8 + 10] == 2  # the picture needs no more
    assert data[-2:] == b"\0;"


def opaque_by_definition(new: list[int], same: list[bool]) -> list[int]:
    """Check the gaps one by one: those between changed pixels keep their colours if they are short."""
    opaque = [not unchanged for unchanged in same]
    start = 0
    for unchanged, run in groupby(same):
        end = start + len(list(run))
        if unchanged and start > 0 and end < len(new):
            changes = sum(new[i] != new[i - 1] for i in range(start, end + 1))
            if end - start <= _KEPT[min(changes, len(_KEPT) - 1)]:
                opaque[start:end] = [True] * (end - start)
        start = end
    return [place for place, kept in enumerate(opaque) if kept]


LENGTHS = sorted({1, 2, 3, *(int(n) + more for n in _KEPT[:-1] for more in (-1, 0, 1))})


@settings(derandomize=True, deadline=None, max_examples=300)
@given(runs=st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.sampled_from(LENGTHS)), min_size=1))
def test_gaps_keep_their_colours_where_a_hole_would_cut_runs(runs: list[tuple[bool, int, int]]) -> None:
    same = [unchanged for unchanged, _, length in runs for _ in range(length)]
    new = [colour for _, colour, length in runs for _ in range(length)]
    got = opaque(np.array([new], np.uint8), ~np.array([same]))
    assert np.flatnonzero(got).tolist() == opaque_by_definition(new, same)
    assert set(got.ravel().tolist()) <= {0, 255}


@pytest.mark.parametrize(("changes", "longest"), [*enumerate(_KEPT.tolist())])
def test_the_longest_gap_that_keeps_its_colours(changes: int, longest: int) -> None:
    for length in (max(longest, changes), max(longest, changes) + 1):
        new = np.zeros((1, length + 2), np.uint8)
        new[0, 1 : changes + 1] = np.arange(changes) % 2 + 1  # on the way in, and along
        new[0, changes + 1 :] = new[0, changes]
        assert np.count_nonzero(opaque(new, ends(length + 2))) == (length + 2 if length <= longest else 2)


def test_changes_are_counted_in_the_longest_gap() -> None:
    """As many changes as fit in a byte."""
    assert _KEPT.max() < 255
    every_pixel = np.arange(_KEPT.max() + 2)[None] % 2
    assert np.count_nonzero(opaque(every_pixel.astype(np.uint8), ends(_KEPT.max() + 2))) == 2


def opaque(colours: Pixels, differs: NDArray[np.bool_]) -> Pixels:
    """Return the mask of pixels that keep their colours, made in memory that still holds that of another image."""
    spare = Spare(colours.size + 3)
    for name in ("mask", "changes"):
        spare.array(name, 1, colours.size + 3)[:] = np.arange(colours.size + 3) % 3
    return ~_holes(colours, differs, spare)


def ends(length: int) -> NDArray[np.bool_]:
    """A row of pixels of which only the first and the last one have changed."""
    return np.isin(np.arange(length), (0, length - 1))[None]


def test_codes_have_no_more_bits_than_an_image_needs() -> None:
    a = np.zeros((9, 9), np.uint8)
    b, c = a.copy(), a.copy()
    b[4, 4], c[2, 2:5] = 20, (6, 0, 6)
    data = written([(a, 50, None), (b, 50, None), (c, 50, None)], colours(200), plays=1)
    controls = [i for i in range(len(data)) if data[i : i + 3] == b"\x21\xf9\x04"]
    assert [data[i + 8 + 10] for i in controls] == [2, 5, 3]
    assert [data[i + 6] for i in controls[1:]] == [21, 7]  # transparent indices


def test_nearly_nothing_is_left_for_gifsicle() -> None:
    """Twenty-five frames of flat cells with smooth digits and a line of text that is replaced."""
    ground = np.array([[255, 255, 255], [86, 180, 233], [240, 228, 66], [0, 158, 115]])
    levels = np.round(ground[:, None] * (1 - np.arange(5)[:, None] / 5)).astype(np.uint8)
    palette = np.concatenate([levels.reshape(-1, 3), np.zeros((1, 3), np.uint8)])  # black ink is the last colour
    font = ImageFont.load_default(18)
    rng = np.random.default_rng(0)

    def tile(text: str, width: int, height: int, role: int, border: bool = True) -> Pixels:
        image = Image.new("L", (width, height))
        ImageDraw.Draw(image).text((width // 2, height // 2), text, font=font, fill=255, anchor="mm")
        ink = np.asarray(image).astype(int) * 5 // 255
        drawn = np.where(ink == 5, 20, role * 5 + ink).astype(np.uint8)
        if border:
            drawn[[0, -1]] = drawn[:, [0, -1]] = 20
        return drawn

    steps: list[Step] = []
    page = np.zeros((440, 800), np.uint8)
    values = rng.integers(-99, 100, (7, 7))
    for step in range(25):
        row, column = divmod(step, 5)
        for i, j in np.ndindex(7, 7):
            active = row <= i < row + 3 and column <= j < column + 3
            page[80 + 50 * i : 130 + 50 * i, 20 + 50 * j : 70 + 50 * j] = tile(str(values[i, j]), 50, 50, 1 + active)
        total = str(values[row : row + 3, column : column + 3].sum())
        page[80 + 50 * row : 130 + 50 * row, 500 + 50 * column : 550 + 50 * column] = tile(total, 50, 50, 3)
        terms = " + ".join(map(str, values[row : row + 3, column : column + 3].ravel()))
        page[30:60, 20:780] = tile(f"{terms} = {total}", 760, 30, 0, border=False)
        steps.append((page.copy(), 500, None))
    used, indices = np.unique(np.stack([frame for frame, _, _ in steps]), return_inverse=True)
    frames = indices.reshape(25, 440, 800).astype(np.uint8)
    data = written([(frame, 500, None) for frame in frames], palette[used])
    assert_same_show(decoded(data, decode_pillow), [(palette[used][frame], 500) for frame in frames])
    assert len(gifsicle(data, "-O3")) > 0.99 * len(data)


def test_memory_is_flat_over_the_frames() -> None:
    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    rng = np.random.default_rng(0)
    frame = rng.integers(0, 3, (100, 200), np.uint8)
    with GifWriter(Nowhere(), (200, 100), INK) as gif:  # type: ignore[arg-type]
        gif.add(frame, 50)
        tracemalloc.start()
        try:
            for number in range(300):
                frame[number % 100] = rng.integers(0, 3, 200, np.uint8)
                gif.add(frame, 50)
                if number == 20:
                    early = tracemalloc.get_traced_memory()[0]
            assert tracemalloc.get_traced_memory()[0] < early + 20_000  # an image kept for each frame would be 1 MB
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "use 20 ms or more"), (10, "100 ms"), (-20, "use 20 ms or more"), (25, "use 20 or 30"), (1001, "1001 ms")],
)
def test_delays_that_would_not_be_kept(milliseconds: int, said: str) -> None:
    gif = GifWriter(io.BytesIO(), (2, 2), INK)
    with pytest.raises(ConvanimError, match=said):
        gif.add(np.zeros((2, 2), np.uint8), milliseconds)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (65536, 1), (1, 65536), (-1, 3)])
def test_sizes_that_do_not_fit(size: tuple[int, int]) -> None:
    with pytest.raises(ConvanimError, match=f"{size[0]} x {size[1]} px"):
        GifWriter(io.BytesIO(), size, INK)


def test_the_widest_picture() -> None:
    steps: list[Step] = [(np.zeros((1, 65535), np.uint8), 50, None), (np.ones((1, 65535), np.uint8), 50, None)]
    assert_same_show(decoded(written(steps, INK), decode_pillow), show(steps, INK))


@pytest.mark.parametrize("plays", [-1, 65537])
def test_plays_that_do_not_fit(plays: int) -> None:
    with pytest.raises(ConvanimError, match=f"cannot play {plays} times"):
        GifWriter(io.BytesIO(), (2, 2), INK, plays=plays)


def test_too_many_colours() -> None:
    with pytest.raises(ConvanimError, match="256 colours"):
        GifWriter(io.BytesIO(), (2, 2), np.zeros((256, 3), np.uint8))


@pytest.mark.parametrize("palette", [np.zeros((0, 3), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 3))])
def test_what_is_not_a_palette(palette: Pixels) -> None:
    with pytest.raises(ValueError, match="palette of shape"):
        GifWriter(io.BytesIO(), (2, 2), palette)


@pytest.mark.parametrize("frame", [np.zeros((2, 3), np.uint8), np.zeros((3, 2)), np.full((3, 2), 3, np.uint8)])
def test_what_is_not_a_frame(frame: Pixels) -> None:
    gif = GifWriter(io.BytesIO(), (2, 3), INK)
    with pytest.raises(ValueError, match="frame"):
        gif.add(frame, 50)
    gif.add(np.zeros((3, 2), np.uint8), 50)
    with pytest.raises(ValueError, match="frame"):
        gif.add(frame, 50)


@pytest.mark.parametrize("changed", [(-1, 0, 2, 2), (0, 0, 4, 2), (0, 2, 3, 1), (2, 0, 1, 2)])
def test_what_is_not_a_rectangle(changed: Box) -> None:
    gif = GifWriter(io.BytesIO(), (2, 3), INK)
    gif.add(np.zeros((3, 2), np.uint8), 50)
    with pytest.raises(ValueError, match="changed rectangle"):
        gif.add(np.ones((3, 2), np.uint8), 50, changed)


def test_the_end() -> None:
    file = io.BytesIO()
    gif = GifWriter(file, (2, 2), INK)
    with pytest.raises(ValueError, match="at least one frame"):
        gif.close()
    gif.add(np.zeros((2, 2), np.uint8), 50)
    gif.close()
    end = file.tell()
    gif.close()
    assert file.tell() == end
    with pytest.raises(ValueError, match="after close"):
        gif.add(np.ones((2, 2), np.uint8), 50)


@pytest.mark.parametrize("index", [200, 255])  # 255 marks holes while they are made
def test_a_frame_that_is_refused_changes_nothing(index: int) -> None:
    rng = np.random.default_rng(3)
    frames = [rng.integers(0, 3, (9, 12), np.uint8) for _ in range(8)]
    file = io.BytesIO()
    with GifWriter(file, (12, 9), INK) as gif:
        for frame in frames:
            gif.add(frame, 50)
            wrong = frame.copy()
            wrong[rng.integers(9), :] = index
            with pytest.raises(ValueError, match=f"index {index} in a frame"):
                gif.add(wrong, 50)
    assert_same_show(decoded(file.getvalue(), decode_pillow), show([(frame, 50, None) for frame in frames], INK))


def test_an_image_that_cannot_be_encoded_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    encode, images = gif_module._code, count()

    def full(pixels: Pixels, bits: int, scratch: IO[bytes]) -> bytes:
        if next(images) == 1:
            raise ConvanimError("the temporary folder is full", "make room")
        return encode(pixels, bits, scratch)

    monkeypatch.setattr(gif_module, "_code", full)
    file = io.BytesIO()
    gif = GifWriter(file, (3, 2), INK)
    for number in range(6):
        with suppress(ConvanimError):
            gif.add(np.full((2, 3), number % 3, np.uint8), 50)
    for _ in range(2):
        with pytest.raises(ConvanimError, match="is full"):
            gif.close()
    assert not file.getvalue().endswith(b";")


def test_an_abandoned_writer_is_gone_at_once() -> None:
    gif = GifWriter(io.BytesIO(), (3, 2), INK)
    for number in range(6):
        gif.add(np.full((2, 3), number % 3, np.uint8), 50)
    there = weakref.ref(gif)
    gc.disable()
    try:
        del gif
        assert there() is None
    finally:
        gc.enable()


#: Leaves many writers in cycles, of which some are collected while the thread of another one starts.
ABANDONED = """
import gc, io
import numpy as np
from convanim.write.gif import GifWriter
gc.set_threshold(7)
for _ in range(1000):
    gif = GifWriter(io.BytesIO(), (3, 2), np.array([[255, 255, 255], [0, 0, 0]], np.uint8))
    gif.itself = gif
    for number in range(2):
        gif.add(np.full((2, 3), number, np.uint8), 50)
"""


def test_abandoned_writers_block_no_other_one() -> None:
    subprocess.run([sys.executable, "-c", ABANDONED], check=True, timeout=120)


def stop_half_way(file: io.BytesIO) -> None:
    with GifWriter(file, (2, 2), INK) as gif:
        gif.add(np.zeros((2, 2), np.uint8), 50)
        raise KeyError("half way")


def test_a_failed_run_is_not_ended() -> None:
    file = io.BytesIO()
    with pytest.raises(KeyError, match="half way"):
        stop_half_way(file)
    assert not file.getvalue().endswith(b";")

"""Writes GIF89a (https://www.w3.org/Graphics/GIF/spec-gif89a.txt) frame by frame, with one exact palette.

Only changed pixels are encoded. Pillow's LZW encoder, in C, takes a large part of the time of a frame, so it runs in a
thread while the next frames are drawn. Memory is constant: the current picture, the images that wait to be encoded or
for their delay, and arrays that are used again for every image.
"""

from __future__ import annotations

import struct
import tempfile
import weakref
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import IO, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convanim.errors import ConvanimError
from convanim.write.patches import SHORTEST, AnimationWriter, Box, Pixels, Spare

LONGEST = 65535  # centiseconds, pixels and repeats alike are 16-bit numbers in a GIF
_KEEP = 1 << 2  # disposal method 1 (keep the image), shifted to its bits in the flags
_HOLED = _KEEP | 1  # the same, with a transparent index
#: The maximum length in px of an unchanged gap between changed pixels that keeps its colours instead of becoming
#: transparent, by the number of colour changes into, within and out of it: 0, 1, ... 4 or more.
#: Found by a search over frames of all layouts, at rest and in motion. No length exceeds 254, as changes are
#: counted in bytes.
_KEPT = np.array([250, 100, 40, 12, 0])


#: An image to encode: where its data goes, its pixels, and the bits of an index.
_Task = tuple[Future[bytes], Pixels, int]


class _Coded(NamedTuple):
    """An image that is being encoded, its flags and its transparent index."""

    data: Future[bytes]
    flags: int
    hole: int


class GifWriter(AnimationWriter):
    """Write an animated GIF; index n of a palette of n colours is reserved for transparent pixels.

    Raises:
        ConvanimError: a size, a number of colours or a number of plays that a GIF cannot hold.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> with GifWriter(file, (2, 1), np.array([[255, 255, 255], [0, 0, 0]], np.uint8)) as gif:
        ...     gif.add(np.array([[0, 1]], np.uint8), 500)
        >>> Image.open(file).info["duration"]
        500
    """

    name, widest, most_plays, longest = "GIF", LONGEST, LONGEST + 1, LONGEST
    late = 2  # one that waits for its duration, and one before it: large images and small ones take turns

    def __init__(
        self, file: BinaryIO, size: tuple[int, int], palette: Pixels, *, plays: int = 0, comment: str = ""
    ) -> None:
        super().__init__(file, size, palette, plays=plays)
        if palette.ndim != 2 or palette.shape[1] != 3 or palette.dtype != np.uint8 or not len(palette):
            raise ValueError(f"palette of shape {palette.shape} and dtype {palette.dtype}, not (n >= 1, 3) uint8")
        if len(palette) > 255:
            raise ConvanimError(f"{len(palette)} colours do not fit the palette of a GIF", "use 255 or fewer")
        self._clear = len(palette)  # the transparent index, above every colour
        # The palette and the transparent index fit 2 ** bits entries; LZW has no code size below 2.
        self._bits = max(2, self._clear.bit_length())
        self._coder = _Coder()
        file.write(_header(size, palette, self._bits) + _loop(plays) + _comment(comment))

    def _coded(self, pixels: Pixels, differs: NDArray[np.bool_] | None) -> _Coded:
        if differs is None:  # opaque: nothing shows through the first image
            return _Coded(self._start(pixels.copy(), self._checked(pixels)), _KEEP, self._clear)
        holes = _holes(pixels, differs, self._spare)
        holed = np.bitwise_or(pixels, holes, out=pixels)  # 255 in holes; the largest index is sought with 0 there
        # The transparent index follows the largest index in use, so that codes have as few bits as possible.
        hole = self._checked(np.subtract(holed, holes, out=holes)) + 1
        holes.fill(hole)
        return _Coded(self._start(np.minimum(holed, holes, out=holed), hole), _HOLED, hole)

    def _still(self, image: _Coded) -> _Coded:
        return _Coded(self._coder.start(np.full((1, 1), image.hole, np.uint8), self._bits), _HOLED, image.hole)

    def _start(self, pixels: Pixels, largest: int) -> Future[bytes]:
        return self._coder.start(pixels, max(2, largest.bit_length()))

    def _checked(self, colours: Pixels) -> int:
        """Return the largest index. One that the palette lacks would be transparent, or corrupt the code."""
        largest = int(colours.max())
        if largest >= self._clear:
            raise ValueError(f"index {largest} in a frame, but the palette has {self._clear} colours")
        return largest

    def _image(self, box: Box, image: _Coded, delay: int) -> bytes:
        top, left, bottom, right = box
        control = struct.pack("<3sBHBB", b"\x21\xf9\x04", image.flags, delay, image.hole, 0)
        return control + struct.pack("<cHHHHB", b",", left, top, right - left, bottom - top, 0) + image.data.result()

    def _ticks(self, milliseconds: int) -> int:
        return _centiseconds(milliseconds)

    def _finish(self) -> None:
        # The comment is after the last image, where it delays no picture.
        self._file.write(_comment("\n".join(self._said)) + b";")

    def _release(self) -> None:
        self._coder.stop()


def _holes(colours: Pixels, differs: NDArray[np.bool_], spare: Spare) -> Pixels:
    """Find the pixels of a rectangle that become transparent: unchanged ones, except some gaps between changes.

    Transparent pixels always beat opaque ones on flat cells with numbers (32 to 71 % of the bytes, 3/4 of the time), so
    nothing is encoded twice. But a hole interrupts runs of one colour. Where text replaces text, or an outline moves
    over the background, the gap has the colour of its neighbours: if it keeps its colours, one run continues
    through it. The more often the colour changes in a gap, the sooner a hole is shorter.

    Args:
        colours: (H, W), C-contiguous.
        differs: (H, W), which pixels have changed.
        spare: memory to work in.

    Returns:
        A mask of 255 for holes, and 0 for pixels that keep their colours.
    """
    mask = np.subtract(differs.view(np.uint8), np.uint8(1), out=spare.array("mask", *differs.shape))
    holes, flat = mask.ravel(), colours.ravel()  # in the order of encoding, across rows
    changes = spare.array("changes", *differs.shape).ravel()
    turns = np.not_equal(holes[1:], holes[:-1], out=changes[:-1].view(bool))
    ends = turns.nonzero()[0][1 if holes[0] else 0 :]
    if len(ends) < 2:
        return mask
    # From the last pixel before each gap to the next changed one.
    ends = ends[: len(ends) // 2 * 2]
    ends[1::2] += 1
    starts, lengths = ends[::2], ends[1::2] - ends[::2]
    # 1 for a pixel whose colour is not that of the next one; of the last one, it is never used.
    np.not_equal(flat[1:], flat[:-1], out=changes[:-1].view(bool))
    # The sums from each start to its end. Those of long gaps overflow and are never used, like those between gaps.
    sums = np.add.reduceat(changes, ends, dtype=np.uint8)[::2]
    kept = (lengths <= _KEPT.take(sums, mode="clip") + 1).nonzero()[0]
    starts, lengths = starts.take(kept) + 1, lengths.take(kept) - 1
    ends = lengths.cumsum()
    gaps = np.repeat(starts - (ends - lengths), lengths)
    holes[gaps + np.arange(len(gaps))] = 0
    return mask


def _centiseconds(milliseconds: int) -> int:
    if milliseconds < SHORTEST:
        raise ConvanimError(f"browsers show a GIF frame of {milliseconds} ms for 100 ms", f"use {SHORTEST} ms or more")
    delay, rest = divmod(milliseconds, 10)
    if rest:
        hint = f"use {delay * 10} or {delay * 10 + 10}"
        raise ConvanimError(f"the duration of a GIF frame is a multiple of 10 ms, not {milliseconds} ms", hint)
    return delay


def _header(size: tuple[int, int], palette: Pixels, bits: int) -> bytes:
    # Flags: a global table, 8 bits of colour resolution, its size; then background colour 0, no aspect ratio.
    return struct.pack("<6sHHBBB", b"GIF89a", *size, 0xF0 | bits - 1, 0, 0) + palette.tobytes().ljust(3 << bits, b"\0")


def _loop(plays: int) -> bytes:
    # Netscape's block counts repeats: N is N + 1 plays, 0 forever, and one play has no block at all.
    return b"" if plays == 1 else b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", max(plays - 1, 0), 0)


def _comment(text: str) -> bytes:
    data = text.encode()
    blocks = (data[i : i + 255] for i in range(0, len(data), 255))
    return b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0" if data else b""


class _Coder:
    """Encodes images one after the other in a thread of its own."""

    def __init__(self) -> None:
        # Pillow releases the GIL only while it encodes into a real file.
        try:
            scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the thread
        except OSError:
            raise ConvanimError(
                "the temporary folder cannot be written", "set TMPDIR to a folder with enough room"
            ) from None
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        Thread(target=_encode, args=(self._tasks, scratch), name="gif", daemon=True).start()
        # An abandoned writer leaves no file and no thread behind. This may happen within any call in any thread, even
        # while another one starts; an executor would wait for a lock there, and this queue never does.
        self.stop = weakref.finalize(self, self._tasks.put, None)

    def start(self, pixels: Pixels, bits: int) -> Future[bytes]:
        """Start to encode an image as LZW data, from C-contiguous (H, W) indices below 2 ** bits."""
        if not self.stop.alive:
            raise ValueError("an image after the end")
        data: Future[bytes] = Future()
        self._tasks.put((data, pixels, bits))
        return data


def _encode(tasks: SimpleQueue[_Task | None], scratch: IO[bytes]) -> None:
    """Encode all images of a queue, up to None."""
    with scratch:
        while task := tasks.get():
            data, pixels, bits = task
            try:
                data.set_result(_code(pixels, bits, scratch))
            except BaseException as error:  # is raised where the data is asked for
                data.set_exception(error)


def _code(pixels: Pixels, bits: int, scratch: IO[bytes]) -> bytes:
    height, width = pixels.shape
    # Mode L shares the array's memory. Encoding takes 2.6 to 3.4 ns per pixel.
    image = Image.frombuffer("L", (width, height), pixels, "raw", "L", 0, 1)
    encoder = Image._getencoder("L", "gif", ("L", bits, 0), ())
    encoder.setimage(image.im, (0, 0, width, height))
    scratch.seek(0)
    status = encoder.encode_to_file(scratch.fileno(), 1 << 16)
    if status < 0:
        raise ConvanimError(
            f"the temporary folder {tempfile.gettempdir()} is full", "set TMPDIR to a folder with enough room"
        )
    length = scratch.tell()
    scratch.seek(0)
    return bytes([bits]) + scratch.read(length) + b"\0"

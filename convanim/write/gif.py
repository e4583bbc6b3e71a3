"""Writes GIF89a (https://www.w3.org/Graphics/GIF/spec-gif89a.txt) frame by frame, with one exact palette.

Only changed pixels are encoded. Pillow's LZW encoder, in C, takes most of the time of a frame, so it runs in a thread
while the next frame is drawn. Memory is constant: the current picture and one image that waits for its delay.
"""

from __future__ import annotations

import struct
import tempfile
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import IO, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convanim.errors import ConvanimError

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # top, left, bottom, right

LONGEST = 65535  # centiseconds, pixels and repeats alike are 16-bit numbers in a GIF
SHORTEST = 20  # ms: browsers play delays of 0 and 1 cs as 10 cs
_KEEP = 1 << 2  # disposal method 1 (keep the image), shifted to its bits in the flags
_TRANSPARENT = 1  # the flag for a transparent index
#: The maximum length in px of an unchanged gap between changed pixels that keeps its colours instead of becoming
#: transparent, by the number of colour changes into, within and out of it: 0, 1, ... 4 or more.
#: Found by a search over frames of all layouts, at rest and in motion. No length exceeds 254, as changes are
#: counted in bytes.
_KEPT = np.array([250, 100, 40, 12, 0])


class GifWriter:
    """Write an animated GIF to a binary file as its frames arrive; a context manager.

    Equal consecutive frames become one image with the sum of their durations. The same input gives the same bytes.
    The file stays open; after an exception inside the `with` the GIF is incomplete.

    Args:
        file: the output file; only `write` is needed.
        size: (width, height) in px.
        palette: (n, 3) uint8 RGB, n from 1 to 255; index n is reserved for transparent pixels.
        plays: the number of times that the animation runs; 0 means forever.
        comment: the text of a comment block; empty for none.

    Attributes:
        images: the number of images written; complete when the writer is closed.

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

    def __init__(
        self, file: BinaryIO, size: tuple[int, int], palette: Pixels, *, plays: int = 0, comment: str = ""
    ) -> None:
        width, height = size
        if not (1 <= width <= LONGEST and 1 <= height <= LONGEST):
            raise ConvanimError(f"a GIF cannot be {width} x {height} px", f"use sides of 1 to {LONGEST} px")
        if palette.ndim != 2 or palette.shape[1] != 3 or palette.dtype != np.uint8 or not len(palette):
            raise ValueError(f"palette of shape {palette.shape} and dtype {palette.dtype}, not (n >= 1, 3) uint8")
        if len(palette) > 255:
            raise ConvanimError(f"{len(palette)} colours do not fit the palette of a GIF", "use 255 or fewer")
        if not 0 <= plays <= LONGEST + 1:
            raise ConvanimError(f"a GIF cannot play {plays} times", f"use 1 to {LONGEST + 1}, or 0 to repeat forever")
        self._file, self._closed, self._shape = file, False, (height, width)
        self._clear = len(palette)  # the transparent index, above every colour
        # The palette and the transparent index fit 2 ** bits entries; LZW has no code size below 2.
        self._bits = max(2, self._clear.bit_length())
        self._shown: Pixels | None = None  # the picture after the last frame
        self._said: list[str] = []
        self._coder = _Coder()
        self._waiting: Future[bytes] | None = None  # the latest image, ...
        self._flags, self._hole = 0, self._clear  # ... its flags and transparent index ...
        self._delay = 0  # ... and its delay so far, cs
        self.images = 0
        file.write(_header(size, palette, self._bits) + _loop(plays) + _comment(comment))

    def add(self, frame: Pixels, milliseconds: int, changed: Box | None = None) -> None:
        """Show a picture for some time.

        Args:
            frame: (H, W) uint8 palette indices; the caller may overwrite it after the call.
            milliseconds: a multiple of 10, and 20 or more.
            changed: a rectangle in px, bottom and right exclusive, outside of which the frame equals the last one.
                None if that is unknown: then whole frames are compared.

        Raises:
            ConvanimError: a duration that a GIF cannot hold or that browsers do not support.
        """
        if self._closed or frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {frame.shape} {frame.dtype}, not {self._shape} uint8, or after close")
        delay = _centiseconds(milliseconds)
        if self._shown is None:
            first = frame.copy(order="C")
            self._hold(first, 0, 0, _KEEP, self._checked(first))  # opaque: nothing shows through the first image
            self._shown = first
        else:
            self._add_difference(self._shown, frame, changed or (0, 0, *self._shape))
        self._delay += delay

    def _add_difference(self, shown: Pixels, frame: Pixels, changed: Box) -> None:
        """Hold the smallest rectangle around the changes; nothing if the frames are equal."""
        top, left, bottom, right = changed
        if not (0 <= top <= bottom <= self._shape[0] and 0 <= left <= right <= self._shape[1]):
            raise ValueError(f"changed rectangle {changed} outside of a frame of {self._shape}")
        differs = shown[top:bottom, left:right] != frame[top:bottom, left:right]
        rows = np.flatnonzero(differs.any(axis=1))
        if not len(rows):
            return
        columns = np.flatnonzero(differs.any(axis=0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        new = np.ascontiguousarray(frame[top:bottom, left:right][box])
        opaque = _opaque(new, np.flatnonzero(differs[box]))
        colours = new.ravel()[opaque]
        # The transparent index follows the largest index in use, so that codes have as few bits as possible.
        hole = self._checked(colours) + 1
        pixels = np.full(new.shape, hole, np.uint8)
        pixels.ravel()[opaque] = colours
        self._hold(pixels, top + int(rows[0]), left + int(columns[0]), _KEEP | _TRANSPARENT, hole)
        shown[top:bottom, left:right][box] = new  # the first image shares this array, but has been encoded by now

    def _checked(self, colours: Pixels) -> int:
        """Return the largest index. One that the palette lacks would be transparent, or corrupt the code."""
        largest = int(colours.max())
        if largest >= self._clear:
            raise ValueError(f"index {largest} in a frame, but the palette has {self._clear} colours")
        return largest

    def _hold(self, pixels: Pixels, top: int, left: int, flags: int, largest: int) -> None:
        """Encode an image until its delay is known, and write the image that waited.

        `largest` is the largest index in use; if the flags say so, it is the transparent one.
        """
        image = self._coder.start(pixels, top, left, max(2, largest.bit_length()))
        self._flush()
        self._hole = largest if flags & _TRANSPARENT else self._clear
        self._waiting, self._flags, self._delay = image, flags, 0

    def _flush(self) -> None:
        """Write the waiting image; a delay over 65535 cs is continued by images of one transparent pixel."""
        if self._waiting is None:
            return
        # In nearly equal parts: a remainder of 1 cs would be played as 10 cs.
        parts = -(-self._delay // LONGEST)
        for part in range(parts):
            if part == 1:
                self._flags |= _TRANSPARENT
                self._waiting = self._coder.start(np.full((1, 1), self._hole, np.uint8), 0, 0, self._bits)
            delay = (self._delay + part) // parts
            control = struct.pack("<3sBHBB", b"\x21\xf9\x04", self._flags, delay, self._hole, 0)
            self._file.write(control + self._waiting.result())
            self.images += 1

    def say(self, line: str) -> None:
        """Add a line to the comment after the last image, where it delays no picture."""
        self._said.append(line)

    def close(self) -> None:
        """Write the last image and the trailer; a second call does nothing. ValueError if no frame was added."""
        if self._shown is None:
            raise ValueError("a GIF needs at least one frame")
        if not self._closed:
            self._flush()
            self._file.write(_comment("\n".join(self._said)) + b";")
            self._closed = True
            self._coder.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._coder.stop()


def _opaque(colours: Pixels, changed: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find the pixels of a rectangle that keep their colours: the changed ones, and some gaps between them.

    Transparent pixels always beat opaque ones on flat cells with numbers (32 to 71 % of the bytes, 3/4 of the time), so
    nothing is encoded twice. But a hole interrupts runs of one colour. Where text replaces text, or an outline moves
    over the background, the gap has the colour of its neighbours: if it keeps its colours, one run continues
    through it. The more often the colour changes in a gap, the sooner a hole is shorter.

    Args:
        colours: (H, W), C-contiguous.
        changed: (n,) increasing positions in the order of encoding, across rows.
    """
    lengths = np.diff(changed)  # from one changed pixel to the next; the gap lies between them
    short = np.flatnonzero((lengths > 1) & (lengths <= _KEPT[0] + 1))
    if not len(short):
        return changed
    starts, lengths = changed[short], lengths[short]
    ends = lengths.cumsum()
    first = ends - lengths
    # The positions of every gap and of the pixel before it.
    places = np.repeat(starts - first, lengths) + np.arange(ends[-1])
    flat = colours.ravel()
    differ = flat[places] != flat[places + 1]
    changes = np.add.reduceat(differ.view(np.uint8), first, dtype=np.uint8)
    kept = np.repeat(lengths <= _KEPT.take(changes, mode="clip") + 1, lengths)
    kept[first] = False  # these are changed pixels
    return np.concatenate([changed, places[kept]])


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
            self._scratch = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by stop
        except OSError:
            raise ConvanimError(
                "the temporary folder cannot be written", "set TMPDIR to a folder with enough room"
            ) from None
        self._thread = ThreadPoolExecutor(1, "gif")
        # An abandoned writer leaves no file open.
        self.stop = weakref.finalize(self, _end, self._thread, self._scratch)

    def start(self, pixels: Pixels, top: int, left: int, bits: int) -> Future[bytes]:
        """Start to encode an image: its descriptor and LZW data, from C-contiguous (H, W) indices below 2 ** bits."""
        return self._thread.submit(self._code, pixels, top, left, bits)

    def _code(self, pixels: Pixels, top: int, left: int, bits: int) -> bytes:
        height, width = pixels.shape
        # Mode L shares the array's memory. Encoding takes 2.6 to 3.4 ns per pixel.
        image = Image.frombuffer("L", (width, height), pixels, "raw", "L", 0, 1)
        encoder = Image._getencoder("L", "gif", ("L", bits, 0), ())
        encoder.setimage(image.im, (0, 0, width, height))
        self._scratch.seek(0)
        status = encoder.encode_to_file(self._scratch.fileno(), 1 << 16)
        if status < 0:
            raise ConvanimError(
                f"the temporary folder {tempfile.gettempdir()} is full", "set TMPDIR to a folder with enough room"
            )
        length = self._scratch.tell()
        self._scratch.seek(0)
        head = struct.pack("<cHHHHBB", b",", left, top, width, height, 0, bits)
        return head + self._scratch.read(length) + b"\0"


def _end(thread: ThreadPoolExecutor, scratch: IO[bytes]) -> None:
    # Closed by the thread itself after its last task; waiting here could deadlock.
    try:
        thread.submit(scratch.close)
    except RuntimeError:  # the interpreter is exiting, and the thread with it
        scratch.close()
    thread.shutdown(wait=False)

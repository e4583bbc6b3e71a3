"""The base of the writers of animations: timed images that hold only what changed.

Pillow writes WebP and PNG, too, but keeps every frame in memory (WebP: a list of them; PNG: a copy of each), and has
no transparent holes in a PNG. Here memory is constant: the current picture, the images that wait for their duration or
are still encoded, and arrays that are used again. The same input gives the same bytes.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections import deque
from typing import IO, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # top, left, bottom, right

#: The minimum duration, ms: browsers show anything much shorter for 100 ms.
SHORTEST = 20
#: The bytes that are kept in memory before they are moved to disk.
_SPOOL = 1 << 24


class Writer(ABC):
    """A context manager that closes a file at its end, and after an exception only releases what it holds."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left."""

    @abstractmethod
    def _release(self) -> None:
        """Release threads, temporary files and programs; a second call does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._release()


class Spare:
    """Arrays that are used again for every frame, since allocating new ones takes longer than filling them.

    Args:
        pixels: the number of pixels of a page.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels, self._kept = pixels, dict[str, Pixels]()

    def array(self, name: str, rows: int, columns: int) -> Pixels:
        """The array of a name, (rows, columns), with whatever it held before."""
        if name not in self._kept:
            self._kept[name] = np.empty(self._pixels, np.uint8)
        return self._kept[name][: rows * columns].reshape(rows, columns)


class AnimationWriter(Writer):
    """Write an animation as its frames arrive; a context manager.

    Equal consecutive frames become one image with the sum of their durations. The file stays open; after an exception
    inside the `with` it is incomplete.

    Args:
        file: the output file; only `write` is needed.
        size: (width, height) in px.
        palette: (n, 3) uint8 RGB, n from 1 to 255.
        plays: the number of times that the animation runs; 0 means forever.
        comment: the program and command that made the file.

    Attributes:
        images: the number of images written; complete when the writer is closed.

    Raises:
        ConvanimError: a size or a number of plays that the container cannot hold.
    """

    #: The container's name, and its limits: px of a side, plays, ticks of one image.
    name: str
    widest: int
    most_plays: int
    longest: int
    #: Rectangles begin at multiples of this number of px.
    grid = 1
    #: The number of images that may still be encoded while a new one is made.
    late = 0

    def __init__(
        self, file: BinaryIO, size: tuple[int, int], palette: Pixels, *, plays: int = 0, comment: str = ""
    ) -> None:
        width, height = size
        if not (1 <= width <= self.widest and 1 <= height <= self.widest):
            raise ConvanimError(f"a {self.name} cannot be {width} x {height} px", f"use sides of 1 to {self.widest} px")
        if not 0 <= plays <= self.most_plays:
            raise ConvanimError(
                f"a {self.name} cannot play {plays} times", f"use 1 to {self.most_plays}, or 0 to repeat forever"
            )
        self.images = 0
        self._file, self._size, self._palette, self._plays = file, size, palette, plays
        self._comment, self._said, self._closed = comment, list[str](), False
        self._spare, self._differs = Spare(width * height), bytearray(width * height)
        self._shown: Pixels | None = None  # the picture after the last frame
        self._waiting: tuple[Box, Any] | None = None  # the latest image, and ...
        self._delay = 0  # ... its duration so far, in ticks
        self._late: deque[tuple[Box, Any, int]] = deque()  # the images before it that are not written yet
        self._held = 0  # the number of images so far

    def add(self, frame: Pixels, milliseconds: int, changed: Box | None = None) -> None:
        """Show a picture for some time.

        Args:
            frame: (H, W) uint8 palette indices; the caller may overwrite it after the call.
            milliseconds: 20 or more, and for a GIF a multiple of 10.
            changed: a rectangle in px, bottom and right exclusive, outside of which the frame equals the last one.
                None if that is unknown: then whole frames are compared.

        Raises:
            ConvanimError: a duration that the container cannot hold or that browsers do not support.
        """
        shape = self._size[::-1]
        if self._closed or frame.shape != shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {frame.shape} {frame.dtype}, not {shape} uint8, or after close")
        delay = self._ticks(milliseconds)
        if self._shown is None:
            first = frame.copy(order="C")
            self._hold((0, 0, *shape), first, None)
            self._shown = first
        else:
            self._add_difference(self._shown, frame, changed or (0, 0, *shape))
        self._delay += delay

    def _add_difference(self, shown: Pixels, frame: Pixels, changed: Box) -> None:
        """Hold the smallest rectangle around the changes; nothing if the frames are equal."""
        top, left, bottom, right = map(int, changed)  # NumPy's integers have no to_bytes
        if not (0 <= top <= bottom <= len(shown) and 0 <= left <= right <= shown.shape[1]):
            raise ValueError(f"changed rectangle {changed} outside of a frame of {shown.shape}")
        top = top // self.grid * self.grid
        # Whole rows are one loop, which is quicker than a rectangle; and a search of bytes stops at the first change.
        width = shown.shape[1]
        count = (bottom - top) * width
        differs = np.frombuffer(self._differs, bool, count).reshape(-1, width)
        np.not_equal(shown[top:bottom], frame[top:bottom], out=differs)
        ends = self._differs.find(1, 0, count), self._differs.rfind(1, 0, count)
        if ends[0] < 0:
            return
        rows = [at // width for at in ends]
        columns = np.flatnonzero(differs[rows[0] : rows[1] + 1].any(axis=0))
        above, left = (int(at[0]) // self.grid * self.grid for at in (rows, columns))
        below, right = (int(at[-1]) + 1 for at in (rows, columns))
        box = top + above, left, top + below, right
        place = np.s_[box[0] : box[2], left:right]
        # No image shares memory with one that may still be encoded.
        new = self._spare.array(f"new {self._held % (self.late + 1)}", below - above, right - left)
        new[:] = frame[place]
        self._hold(box, new, differs[above:below, left:right])
        shown[place] = frame[place]

    def _hold(self, box: Box, pixels: Pixels, differs: NDArray[np.bool_] | None) -> None:
        """Encode an image until its duration is known; that of the image that waited is known now."""
        image = self._coded(pixels, differs)
        self._flush()
        self._waiting, self._delay = (box, image), 0
        self._held += 1

    def _flush(self) -> None:
        """Write the images whose durations are known; one beyond the limit is continued by images without changes."""
        if self._waiting is not None:
            (box, image), self._waiting = self._waiting, None
            # In nearly equal parts, as a very short remainder would be played for longer.
            parts = -(-self._delay // self.longest)
            for part in range(parts):
                if part == 1:
                    box, image = (0, 0, 1, 1), self._still(image)
                self._late.append((box, image, (self._delay + part) // parts))
        self._write_late(max(0, self.late - 1))

    def _write_late(self, left: int) -> None:
        """Write images until this number is left; one that cannot be written stays."""
        while len(self._late) > left:
            self._write(self._image(*self._late[0]))
            self._late.popleft()
            self.images += 1

    def say(self, line: str) -> None:
        """Add a line to the file's comment."""
        self._said.append(line)

    def close(self) -> None:
        """Write the last image and the end of the file; a second call does nothing. ValueError without any frame."""
        if self._shown is None:
            raise ValueError(f"a {self.name} needs at least one frame")
        if not self._closed:
            self._flush()
            self._write_late(0)
            self._finish()
            self._closed = True
            self._release()

    def _ticks(self, milliseconds: int) -> int:
        """A duration in the container's unit; ms unless it has another one."""
        if milliseconds < SHORTEST:
            raise ConvanimError(f"browsers do not keep {milliseconds} ms of a frame", f"use {SHORTEST} ms or more")
        return milliseconds

    def _write(self, data: bytes) -> None:
        """Write an image."""
        self._file.write(data)

    @abstractmethod
    def _coded(self, pixels: Pixels, differs: NDArray[np.bool_] | None) -> Any:
        """The encoded image; unchanged pixels are holes through which the last picture shows.

        Both arrays are used again, `pixels` after `late` more images. It may be changed, except for the first image:
        that one is the current picture.
        """

    def _still(self, image: Any) -> Any:
        """An encoded image of one pixel that changes nothing after another image."""
        return self._coded(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.bool_))

    @abstractmethod
    def _image(self, box: Box, image: Any, delay: int) -> bytes:
        """An encoded image with its position and duration, as in the file."""

    @abstractmethod
    def _finish(self) -> None:
        """Write the end of the file."""


class PatchWriter(AnimationWriter):
    """Write an animation whose header contains the number of images: the file is written at the end, or not at all.

    Until then the images are in memory, and in a temporary file when they grow.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._body: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - closed by _release

    def _write(self, data: bytes) -> None:
        self._body.write(data)

    @abstractmethod
    def _ends(self, length: int) -> tuple[bytes, bytes]:
        """The parts of the file before all images, with their length, and after them."""

    def _finish(self) -> None:
        head, tail = self._ends(self._body.tell())
        self._body.seek(0)
        self._file.write(head)
        while data := self._body.read(1 << 20):
            self._file.write(data)
        self._file.write(tail)

    def _release(self) -> None:
        self._body.close()

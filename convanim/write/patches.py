"""The base of animated WebP and PNG writers: timed images that hold only what changed.

Pillow writes both containers, too, but keeps every frame in memory (WebP: a list of them; PNG: a copy of each), and has
no transparent holes in a PNG. Here memory is constant: the current picture, and a file that is moved to disk when it
grows. The same input gives the same bytes.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # top, left, bottom, right

#: The minimum duration, ms: browsers show anything much shorter for 100 ms.
SHORTEST = 20
#: The bytes that are kept in memory before they are moved to disk.
_SPOOL = 1 << 24


class PatchWriter(ABC):
    """Write an animated picture as its frames arrive; a context manager.

    Equal consecutive frames become one image with the sum of their durations. The file is written at the end, since
    its header contains the number of images. It stays open; after an exception inside the `with` nothing is written.

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

    #: The container's name, and its limits: px of a side, plays, ms of one image.
    name: str
    widest: int
    most_plays: int
    longest: int
    #: Rectangles begin at multiples of this number of px.
    grid = 1

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
        self._comment, self._said = comment, list[str]()
        self._body = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - closed by __exit__
        self._shown: Pixels | None = None
        self._waiting: tuple[Box, bytes] | None = None  # the latest image, and ...
        self._delay = 0  # ... its duration so far, ms

    def add(self, frame: Pixels, milliseconds: int, changed: Box | None = None) -> None:
        """Show a picture for some time.

        Args:
            frame: (H, W) uint8 palette indices; the caller may overwrite it after the call.
            milliseconds: 20 or more.
            changed: a rectangle in px, bottom and right exclusive, outside of which the frame equals the last one.
                None if that is unknown.

        Raises:
            ConvanimError: a duration that browsers do not support.
        """
        if milliseconds < SHORTEST:
            raise ConvanimError(f"browsers do not keep {milliseconds} ms of a frame", f"use {SHORTEST} ms or more")
        if self._shown is None:
            self._shown = frame.copy()
            self._hold((0, 0, *frame.shape), None)
        else:
            top, left, bottom, right = map(int, changed or (0, 0, *frame.shape))  # NumPy's integers have no to_bytes
            differs = self._shown[top:bottom, left:right] != frame[top:bottom, left:right]
            rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
            if len(rows):
                box = (
                    (top + int(rows[0])) // self.grid * self.grid,
                    (left + int(columns[0])) // self.grid * self.grid,
                    top + int(rows[-1]) + 1,
                    left + int(columns[-1]) + 1,
                )
                place = np.s_[box[0] : box[2], box[1] : box[3]]
                differs = self._shown[place] != frame[place]
                self._shown[place] = frame[place]
                self._hold(box, differs)
        self._delay += milliseconds

    def _hold(self, box: Box, differs: NDArray[np.bool_] | None) -> None:
        """Encode a rectangle of the current picture until its duration is known, and write the image that waited."""
        assert self._shown is not None  # noqa: S101 - for the type checker
        image = self._coded(self._shown[box[0] : box[2], box[1] : box[3]], differs)
        self._flush()
        self._waiting, self._delay = (box, image), 0

    def _flush(self) -> None:
        """Write the waiting image; a duration beyond the limit is continued by images that change nothing."""
        if self._waiting is None:
            return
        box, image = self._waiting
        parts = -(-self._delay // self.longest)
        for part in range(parts):
            if part == 1:
                box, image = (0, 0, 1, 1), self._coded(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.bool_))
            self._body.write(self._image(box, image, (self._delay + part) // parts))
            self.images += 1

    def say(self, line: str) -> None:
        """Add a line to the file's comment."""
        self._said.append(line)

    @abstractmethod
    def _coded(self, pixels: Pixels, differs: NDArray[np.bool_] | None) -> bytes:
        """The encoded image; unchanged pixels are holes through which the last picture shows."""

    @abstractmethod
    def _image(self, box: Box, data: bytes, milliseconds: int) -> bytes:
        """An encoded image with its position and duration, as in the file."""

    @abstractmethod
    def _ends(self, length: int) -> tuple[bytes, bytes]:
        """The parts of the file before all images, with their length, and after them."""

    def close(self) -> None:
        """Write the file. ValueError if no frame was added."""
        if self._shown is None:
            raise ValueError(f"a {self.name} needs at least one frame")
        self._flush()
        head, tail = self._ends(self._body.tell())
        self._body.seek(0)
        self._file.write(head)
        while data := self._body.read(1 << 20):
            self._file.write(data)
        self._file.write(tail)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._body.close()

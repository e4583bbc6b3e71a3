"""A contact sheet: several frames with labels on one page, for a handout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convanim.draw.palette import Palette
from convanim.errors import ConvanimError
from convanim.language.words import Catalogue, say, translate
from convanim.page import SMALLEST, glyphs

Pixels = NDArray[np.uint8]
#: The maximum side and number of pixels of a sheet, which other programs open without complaint.
LARGEST_SIDE, MOST_PIXELS = 16_384, 100_000_000


class Sheet:
    """A page of tiles in reading order, each with a label under it.

    Args:
        palette: the palette of the frames; the sheet has no other colours.
        size: (width, height) of a frame, px.
        count: the number of frames.
        columns: the number of columns, at most the number of frames.

    Attributes:
        pixels: (H, W) palette indices.

    Raises:
        ConvanimError: the sheet would be too large.
    """

    def __init__(self, palette: Palette, size: tuple[int, int], count: int, columns: int) -> None:
        if not 1 <= columns <= 64:
            raise ConvanimError(f"a sheet of {columns} columns is not possible", "use 1 to 64, like `sheet=4`")
        self._columns = min(columns, count)
        self._wide, self._high = size
        self._label = max(SMALLEST, round(min(size) / 32))
        self._gap = max(4, round(min(size) / 90))
        rows = -(-count // self._columns)
        width, height = self._columns * (self._wide + self._gap) + self._gap, rows * self._row + self._gap
        if max(width, height) > LARGEST_SIDE or width * height > MOST_PIXELS:
            part = min(LARGEST_SIDE / max(width, height), (MOST_PIXELS / (width * height)) ** 0.5)
            raise ConvanimError(
                f"a sheet of {count} frames of {self._wide}×{self._high} px in {self._columns} columns is "
                f"{width}×{height} px, too large for one file",
                f"use `width={max(120, int(0.95 * part * self._wide))}` or less, or fewer frames with `select`",
            )
        self._line = palette.solid("line")
        self._ink = palette.ramp("page", "muted")
        self.pixels: Pixels = np.full((height, width), palette.solid("page"), np.uint8)
        self._count = 0

    @property
    def _row(self) -> int:
        return self._high + self._gap + 2 * self._label

    def add(self, frame: Pixels, label: str) -> None:
        """Put the next frame (H, W) into its tile."""
        top, left = self.corner(self._count)
        high, wide = frame.shape
        # A thin border, as frames may have the sheet's background.
        self.pixels[top - 1 : top + high + 1, left - 1 : left + wide + 1] = self._line
        self.pixels[top : top + high, left : left + wide] = frame
        drawn = glyphs.line(label, self._label)
        y = top + high + round(1.4 * self._label) - drawn.rise
        part = drawn.coverage[:, :wide]
        self.pixels[y : y + part.shape[0], left : left + part.shape[1]] = self._ink[part]
        self._count += 1

    def corner(self, number: int) -> tuple[int, int]:
        """The upper left pixel (top, left) of a tile, counted from 0."""
        row, column = divmod(number, self._columns)
        return self._gap + row * self._row, self._gap + column * (self._wide + self._gap)


def label(frame: int, step: int, words: Catalogue | None = None) -> str:
    """The label of a tile: the frame's number, and its step if it has one.

    Example:
        >>> label(2, 0), label(8, 3)
        ('frame 2', 'frame 8, step 3')
    """
    told = say("frame {n}, step {step}", n=frame, step=step) if step else say("frame {n}", n=frame)
    return translate(told, words)

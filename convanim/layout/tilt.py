"""A tilted place: a grid whose cells are parallelograms, each side a step of whole pixels.

Knows the geometry of such cells, and how text is fitted into one. Must not know how a place was found, or colours. A
step along a row and one down a column are whole numbers of px, so every cell has the same pixels, moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import floor, hypot
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs
from convanim.layout.page import Box, Place, Text
from convanim.scene.frame import Panel


class Step(NamedTuple):
    """A step on the page, px: to the right, and down."""

    x: int
    y: int


class Lattice(NamedTuple):
    """The steps from one cell to the next: `along` a row, up and to the right; `down` a column, down and to the right.

    Example:
        >>> Lattice(Step(46, -15), Step(34, 24)).area
        1614
    """

    along: Step
    down: Step

    @property
    def area(self) -> int:
        """The pixels of a cell."""
        return self.along.x * self.down.y - self.along.y * self.down.x

    @property
    def size(self) -> tuple[int, int]:
        """The height and width of the box around a cell, px."""
        return self.down.y - self.along.y, self.along.x + self.down.x

    def at(self, row: float, column: float) -> tuple[float, float]:
        """The (x, y) of a corner of cells, from that of the first one, px."""
        return column * self.along.x + row * self.down.x, column * self.along.y + row * self.down.y

    def largest(self, wide: float, tall: float, inset: float) -> float:
        """How often a rectangle may be enlarged to fit into the middle of a cell, so many px away from its sides."""
        (ax, ay), (dx, dy) = self.along, self.down
        across = (self.area - 2 * inset * hypot(dx, dy)) / (wide * dy + tall * dx)
        down = (self.area - 2 * inset * hypot(ax, ay)) / (wide * -ay + tall * ax)
        return max(0.0, min(across, down))

    def ends(self, wide: float, tall: float, inset: float) -> NDArray[np.bool_]:
        """Where a rectangle may end, so many px away from a cell's sides: (h + 1, w + 1) of the box around the cell."""
        (ax, ay), (dx, dy) = self.along, self.down
        high, across = self.size
        y, x = np.arange(high + 1)[:, None] + ay, np.arange(across + 1)[None, :]
        over = inset * hypot(dx, dy), inset * hypot(ax, ay)
        free = np.ones((high + 1, across + 1), bool)
        for right, foot in ((x, y), (x - wide, y), (x, y - tall), (x - wide, y - tall)):
            column, row = right * dy - foot * dx, foot * ax - right * ay
            free &= (column >= over[0]) & (column <= self.area - over[0])
            free &= (row >= over[1]) & (row <= self.area - over[1])
        return free


@dataclass(frozen=True, eq=False)
class Tilt(Place):
    """Where a tilted panel lies; `x`, `y` are the corner of its first cell, and `pitch` is the root of a cell's area.

    Attributes:
        lattice: the steps from cell to cell.
        corner: where the small text of a cell ends: the x of its right end and its baseline, from the upper left corner
            of the box around the cell, px.
    """

    lattice: Lattice = Lattice(Step(0, 0), Step(0, 0))  # noqa: RUF009 - a tuple
    corner: tuple[int, int] = (0, 0)

    @property
    def inside(self) -> tuple[int, int]:
        """The height and width of a drawn cell, px."""
        return self.lattice.size

    def leaning(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What is marked in a square cell, marked in the box around a tilted one."""
        (ax, ay), (dx, dy) = self.lattice
        high, wide = self.lattice.size
        y, x = np.arange(high)[:, None] + 0.5 + ay, np.arange(wide)[None, :] + 0.5
        column, row = (x * dy - y * dx) / self.lattice.area, (y * ax - x * ay) / self.lattice.area
        inside = (column >= 0) & (column < 1) & (row >= 0) & (row < 1)
        side = len(mask)
        rows, columns = (np.clip((part * side).astype(int), 0, side - 1) for part in (row, column))
        out: NDArray[np.bool_] = inside & mask[rows, columns]
        return out

    def node(self, row: float, column: float) -> tuple[int, int]:
        """The (x, y) of the first corner of a cell, px; between two cells, too."""
        x, y = self.lattice.at(row, column)
        return self.x + _nearest(x), self.y + _nearest(y)

    def at(self, row: float, column: float) -> tuple[int, int]:
        """The upper left corner (y, x) of the box around a cell, px; between two cells, too."""
        x, y = self.node(row, column)
        return y + self.lattice.along.y, x

    def corners(self, top: float, left: float, bottom: float, right: float) -> tuple[tuple[int, int], ...]:
        """The (x, y) of the corners of some cells, once around."""
        return self.node(top, left), self.node(top, right), self.node(bottom, right), self.node(bottom, left)

    @cached_property
    def box(self) -> Box:
        """The box around the grid with its outer lines."""
        rows, columns = self.panel.shape
        xs, ys = zip(*self.corners(0, 0, rows, columns), strict=True)
        return Box(min(ys) - self.line, min(xs) - self.line, max(ys) + self.line, max(xs) + self.line)

    def cell(self, row: int, column: int) -> Box:
        """The box around a cell."""
        x, y = self.node(row, column)
        high, wide = self.lattice.size
        return Box(y + self.lattice.along.y, x, y + self.lattice.along.y + high, x + wide)

    def number_text(self, text: str, bold: bool = False) -> Text:
        """A number in the middle of a cell; the pen is relative to the box around it."""
        high, wide = self.lattice.size
        x = round((wide - glyphs.width(text, self.number, bold)) / 2)
        return Text(text, x, round((high + glyphs.CAPITALS * self.number) / 2), self.number, bold)

    def holds(self, note: str) -> bool:
        """Whether a note is no longer than the longest one that its panel told of."""
        return glyphs.width(note, self.note) <= glyphs.width(self.panel.notes, self.note) + 0.5

    def note_text(self, text: str, *, centred: bool = False) -> Text:
        """A note to the right of the number; the pen is relative to the box around the cell."""
        right, baseline = self.corner
        return Text(text, round(right - glyphs.width(text, self.note)), baseline, self.note)


def _nearest(at: float) -> int:
    """The nearest whole number; of halves always the one above, so that cells stay side by side while they move."""
    return floor(at + 0.5 + 1e-6)


def number_size(panel: Panel, lattice: Lattice, line: int, most: int, least: int) -> int:
    """The size of a panel's numbers in such cells, px, at most `most`; 0 where that is less than `least`.

    Args:
        line: width of the lines between cells, px.
    """
    if panel.colours is not None:
        return 0
    size = min(most, int(lattice.largest(_widest(panel), glyphs.CAPITALS, line / 2 + 0.5)))
    return size if size >= least else 0


def written(panel: Panel, lattice: Lattice, line: int) -> float:
    """How large a panel's numbers may be in such cells, with half of the longest note beside them, px."""
    wide = _widest(panel) + 0.3 * glyphs.width(panel.notes, 100) / 100
    return lattice.largest(wide, glyphs.CAPITALS, line / 2 + 0.5)


def sizes(panel: Panel, lattice: Lattice, line: int, most: int, least: int) -> tuple[int, int, tuple[int, int]]:
    """The sizes of a panel's numbers and notes in such cells, px, 0 for what cannot be read, and where notes end."""
    number = number_size(panel, lattice, line, most, least)
    if not number or not panel.notes:
        return number, 0, (0, 0)
    best, found, note = 0, (number, 0, (0, 0)), least - 1
    for smaller in range(number, max(least, round(0.64 * number)) - 1, -1):  # which leaves more room for the note
        corner = None
        while note < max(least, round(0.7 * smaller)) and (at := _corner(panel, lattice, smaller, note + 1, line)):
            note, corner = note + 1, at
        if corner and smaller**2 * note > best:
            best, found = smaller**2 * note, (smaller, note, corner)
    return found


def _widest(panel: Panel) -> float:
    """The width of the widest number in parts of its size; bold, because it is while it is new."""
    return glyphs.width(panel.numerals.widest(panel.values), 100, bold=True) / 100


def _corner(panel: Panel, lattice: Lattice, number: int, note: int, line: int) -> tuple[int, int] | None:
    """Where the longest note may end beside or under the number: as far to the lower right as it can stand."""
    wide, tall = glyphs.width(panel.notes, note), glyphs.CAPITALS * note
    high, across = lattice.size
    gap = max(1.0, 0.2 * note)
    beside = (across + _widest(panel) * number) / 2 + gap
    foot = (high + glyphs.CAPITALS * number) / 2 + gap
    free = lattice.ends(wide, tall, line / 2 + 0.5)
    baseline, right = np.arange(high + 1)[:, None], np.arange(across + 1)[None, :]
    free &= (right - wide >= beside) | (baseline - tall >= foot)
    if not free.any():
        return None
    row, column = np.unravel_index(np.where(free, right + 1.5 * baseline, -1).argmax(), free.shape)
    return int(column), int(row)

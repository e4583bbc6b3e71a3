"""A tilted place: a grid whose cells are parallelograms, each side a step of whole pixels.

Knows the geometry of such cells, and how text is fitted into one. Must not know how a place was found, or colours. A
step along a row and one down a column are whole numbers of px, so every cell has the same pixels, moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

from convanim import glyphs
from convanim.layout.page import SMALLEST, Box, Place, Text
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

    def within(self, left: float, top: float, right: float, bottom: float, inset: float) -> bool:
        """Whether a rectangle, given from a cell's first corner, keeps so many px away from all its sides."""
        (ax, ay), (dx, dy) = self.along, self.down
        for x, y in product((left, right), (top, bottom)):
            # Where the corner lies across each pair of sides, as a part of the cell.
            column, row = (x * dy - y * dx) / self.area, (y * ax - x * ay) / self.area
            over = inset * (ax**2 + ay**2) ** 0.5 / self.area, inset * (dx**2 + dy**2) ** 0.5 / self.area
            if not (over[1] <= column <= 1 - over[1] and over[0] <= row <= 1 - over[0]):
                return False
        return True


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

    def node(self, row: int, column: int) -> tuple[int, int]:
        """The (x, y) of the first corner of a cell, px."""
        x, y = self.lattice.at(row, column)
        return self.x + int(x), self.y + int(y)

    def corners(self, top: int, left: int, bottom: int, right: int) -> tuple[tuple[int, int], ...]:
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


def sizes(panel: Panel, lattice: Lattice, line: int, most: int) -> tuple[int, int, tuple[int, int]]:
    """The sizes of a panel's numbers and notes in such cells, 0 for what cannot be read, and where notes end.

    Args:
        line: width of the lines between cells, px.
        most: the largest numbers, px.
    """
    if panel.colours is not None:
        return 0, 0, (0, 0)
    number = next((n for n in range(most, SMALLEST - 1, -1) if _number(panel, lattice, n, line)), 0)
    if not number or not panel.notes:
        return number, 0, (0, 0)
    for smaller in range(number, max(SMALLEST, round(0.64 * number)) - 1, -1):  # which may leave room for the note
        for note in range(max(SMALLEST, round(0.7 * smaller)), SMALLEST - 1, -1):
            for corner in _corners(panel, lattice, smaller, note, line):
                return smaller, note, corner
    return number, 0, (0, 0)


def _middle(panel: Panel, lattice: Lattice, size: int) -> tuple[float, float, float, float]:
    """The rectangle of the widest number, from the box around a cell."""
    wide = glyphs.width(panel.numerals.widest(panel.values), size, bold=True)  # bold, because it is while it is new
    tall = glyphs.CAPITALS * size
    high, across = lattice.size
    return (across - wide) / 2, (high - tall) / 2, (across + wide) / 2, (high + tall) / 2


def _number(panel: Panel, lattice: Lattice, size: int, line: int) -> bool:
    left, top, right, bottom = _middle(panel, lattice, size)
    lift = lattice.along.y
    return lattice.within(left, top + lift, right, bottom + lift, line / 2 + 0.5)


def _corners(panel: Panel, lattice: Lattice, number: int, note: int, line: int) -> Iterator[tuple[int, int]]:
    """Where the longest note may end beside the number: as near as it can stand to the number's lower right."""
    _, _, beside, foot = _middle(panel, lattice, number)
    wide, tall = glyphs.width(panel.notes, note), glyphs.CAPITALS * note
    high, across = lattice.size
    lift = lattice.along.y
    gap = max(1.0, 0.2 * note)
    for baseline in range(high, round(high / 2), -1):
        for right in range(across, round(across / 2), -1):
            apart = right - wide >= beside + gap or baseline - tall >= foot + gap
            if apart and lattice.within(right - wide, baseline - tall + lift, right, baseline + lift, line / 2 + 0.5):
                yield right, baseline

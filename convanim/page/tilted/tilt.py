"""A tilted place: a grid whose cells are parallelograms with whole-pixel sides, so that all have the same pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import floor, hypot

import numpy as np

from convanim.page import glyphs
from convanim.page.lattice import Lattice, Point, Step
from convanim.page.page import Place
from convanim.page.texts import Box, Text
from convanim.scene.frame import Panel


@dataclass(frozen=True, eq=False)
class Tilt(Place):
    """The place of a tilted panel; `x`, `y` are the corner of its first cell, `pitch` the square root of a cell's area.

    Attributes:
        lattice: the vectors between cells.
        corner: the end of the small text in a cell: the x of its right end and its baseline, relative to the upper left
            corner of the cell's box, px.
    """

    lattice: Lattice = Lattice(Step(0, 0), Step(0, 0))  # noqa: RUF009 - a tuple
    corner: tuple[int, int] = (0, 0)

    @cached_property
    def inside(self) -> tuple[int, int]:
        """The height and width of a drawn cell, px."""
        return self.lattice.size

    @property
    def tilted(self) -> bool:
        """Whether its cells are parallelograms."""
        return True

    def spot(self, row: float, column: float) -> Point:
        """A point of a cell, given as fractions of its sides, relative to the upper left corner of its box."""
        x, y = self.lattice.at(row, column)
        return x, y - self.lattice.along.y

    def node(self, row: float, column: float) -> tuple[int, int]:
        """The (x, y) of the first corner of a cell, px; row and column may be fractions."""
        x, y = self.lattice.at(row, column)
        return self.x + _nearest(x), self.y + _nearest(y)

    def at(self, row: float, column: float) -> tuple[int, int]:
        """The upper left corner (y, x) of a cell's box, px; row and column may be fractions."""
        x, y = self.node(row, column)
        return y + self.lattice.along.y, x

    def corners(self, top: float, left: float, bottom: float, right: float) -> tuple[tuple[int, int], ...]:
        """The (x, y) of the corners of a rectangle of cells, in order around it."""
        return self.node(top, left), self.node(top, right), self.node(bottom, right), self.node(bottom, left)

    def inner(self, top: int, left: int, bottom: int, right: int, thick: int) -> tuple[tuple[Point, Point], ...]:
        """The sides of an outline inside a rectangle of cells."""
        inset = min(0.3, (0.5 * self.line + thick + 1) * self.pitch / self.lattice.area)
        ends = ((top, left, 1, 1), (top, right, 1, -1), (bottom, right, -1, -1), (bottom, left, -1, 1))
        points = [self.lattice.at(row + inset * down, column + inset * along) for row, column, down, along in ends]
        around = [(self.x + x, self.y + y) for x, y in points]
        return tuple(zip(around, (*around[1:], around[0]), strict=True))

    def hull(self, top: float, left: float, bottom: float, right: float, pad: float = 0.0) -> tuple[Point, ...]:
        """The corners of a rectangle of cells with the lines around it, enlarged by `pad` px."""
        (ax, ay), (dx, dy) = self.lattice
        away = (self.line / 2 + pad) / self.lattice.area
        down, along = away * hypot(ax, ay), away * hypot(dx, dy)
        ends = (
            (top - down, left - along),
            (top - down, right + along),
            (bottom + down, right + along),
            (bottom + down, left - along),
        )
        return tuple((self.x + x, self.y + y) for x, y in (self.lattice.at(*end) for end in ends))

    @cached_property
    def box(self) -> Box:
        """The box around the grid with its outer lines."""
        rows, columns = self.panel.shape
        xs, ys = zip(*self.corners(0, 0, rows, columns), strict=True)
        return Box(min(ys) - self.line, min(xs) - self.line, max(ys) + self.line, max(xs) + self.line)

    def cell(self, row: int, column: int) -> Box:
        """The box around a cell."""
        (y, x), (high, wide) = self.at(row, column), self.inside
        return Box(y, x, y + high, x + wide)

    def holds(self, note: str) -> bool:
        """Whether a note is no longer than the panel's longest one."""
        return glyphs.width(note, self.note) <= glyphs.width(self.panel.notes, self.note) + 0.5

    def note_text(self, text: str, *, centred: bool = False) -> Text:
        """A note to the right of the number; its x and baseline are relative to the cell's box."""
        right, baseline = self.corner
        return Text(text, round(right - glyphs.width(text, self.note)), baseline, self.note)


def _nearest(at: float) -> int:
    """Round half up, always in the same direction, so that moving cells stay side by side."""
    return floor(at + 0.5 + 1e-6)


def number_size(panel: Panel, lattice: Lattice, line: int, most: int, least: int) -> int:
    """The size of a panel's numbers in such cells, px, at most `most`; 0 if that is less than `least`.

    Args:
        line: the width of the lines between cells, px.
    """
    if panel.colours is not None:
        return 0
    size = min(most, int(lattice.largest(_widest(panel), glyphs.CAPITALS, line / 2 + 0.5)))
    return size if size >= least else 0


def written(panel: Panel, lattice: Lattice, line: int) -> float:
    """The maximum size of a panel's numbers in such cells, beside half of the longest note, px."""
    wide = _widest(panel) + 0.3 * glyphs.width(panel.notes, 100) / 100
    return lattice.largest(wide, glyphs.CAPITALS, line / 2 + 0.5)


def sizes(
    panel: Panel, lattice: Lattice, line: int, most: int, least: int, smallest: int
) -> tuple[int, int, tuple[int, int]]:
    """The sizes of a panel's numbers and notes in such cells, px (0 if unreadable), and where notes end.

    Args:
        least, smallest: the minimum sizes of numbers and of notes, px.
    """
    number = number_size(panel, lattice, line, most, least)
    if not number or not panel.notes:
        return number, 0, (0, 0)
    best, found, note = 0, (number, 0, (0, 0)), smallest - 1
    for smaller in range(number, max(least, round(0.64 * number)) - 1, -1):  # leaves more room for the note
        corner = None
        while note < max(smallest, round(0.7 * smaller)) and (at := _corner(panel, lattice, smaller, note + 1, line)):
            note, corner = note + 1, at
        if corner and smaller**2 * note > best:
            best, found = smaller**2 * note, (smaller, note, corner)
    return found


def _widest(panel: Panel) -> float:
    """The width of the widest number as a fraction of its size, in bold, as a new number is."""
    return glyphs.width(panel.numerals.widest(panel.values), 100, bold=True) / 100


def _corner(panel: Panel, lattice: Lattice, number: int, note: int, line: int) -> tuple[int, int] | None:
    """Where the longest note may end beside or under the number, as far to the lower right as possible."""
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

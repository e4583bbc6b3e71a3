"""A lattice: the whole-pixel vectors between neighbouring cells of a grid, whose cells are parallelograms."""

from __future__ import annotations

from math import hypot
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: (x, y) in px.
Point: TypeAlias = tuple[float, float]


class Step(NamedTuple):
    """A vector on the page, px: to the right, and down."""

    x: int
    y: int


class Lattice(NamedTuple):
    """The vectors to the next cell: `along` a row (right and up) and `down` a column (right and down).

    Example:
        >>> Lattice(Step(46, -15), Step(34, 24)).area
        1614
    """

    along: Step
    down: Step

    @property
    def area(self) -> int:
        """The area of a cell, px²."""
        return self.along.x * self.down.y - self.along.y * self.down.x

    @property
    def size(self) -> tuple[int, int]:
        """The height and width of the box around a cell, px."""
        return self.down.y - self.along.y, self.along.x + self.down.x

    def at(self, row: float, column: float) -> tuple[float, float]:
        """The (x, y) of a corner of a cell, relative to that of the first cell, px."""
        return column * self.along.x + row * self.down.x, column * self.along.y + row * self.down.y

    def largest(self, wide: float, tall: float, inset: float) -> float:
        """The factor by which a rectangle can grow in the middle of a cell, `inset` px away from its sides."""
        (ax, ay), (dx, dy) = self.along, self.down
        across = (self.area - 2 * inset * hypot(dx, dy)) / (wide * dy + tall * dx)
        down = (self.area - 2 * inset * hypot(ax, ay)) / (wide * -ay + tall * ax)
        return max(0.0, min(across, down))

    def ends(self, wide: float, tall: float, inset: float) -> NDArray[np.bool_]:
        """A mask (h + 1, w + 1) of a cell's box: where a rectangle's lower right corner may lie, `inset` px inside."""
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

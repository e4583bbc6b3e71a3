"""The stage: the grid that the window slides over, which is the input with inserted zeros, padding and cropping.

All positions are (row, column) of the panel that shows the stage; a single axis is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.layers import Axis
from convanim.scene.frame import Cell, Cells, Outline, Role, lattice
from convanim.trace.taps import Ints


@dataclass(frozen=True)
class Line:
    """The stage along one axis.

    Attributes:
        size: the number of cells shown, including those that negative padding crops.
        first, gap: the positions of the input's cells are first, first + gap, ...
        count: the number of input cells.
        lead, tail: the number of cropped cells at each end.
        unused: the number of cells at the end that no window reaches.
        axis: the axis of the layer, whose windows start at `lead`.
    """

    size: int
    first: int
    gap: int
    count: int
    lead: int
    tail: int
    unused: int
    axis: Axis

    @classmethod
    def of(cls, axis: Axis) -> Line:
        """The stage of a layer along one axis."""
        if not axis.transposed:
            return cls(axis.stage, axis.before, 1, axis.input, 0, 0, axis.unused, axis)
        before, after = axis.ring
        size = max(before, 0) + axis.spread + max(after, 0)
        lead, tail = max(-before, 0), max(-after, 0)
        return cls(size, max(before, 0), axis.stride, axis.input, lead, tail, 0, axis)

    @property
    def spread(self) -> int:
        """The size of the input with its inserted zeros."""
        return (self.count - 1) * self.gap + 1

    @property
    def places(self) -> Ints:
        """The positions of the input's cells after zeros are inserted."""
        return self.first + self.gap * np.arange(self.count)

    @property
    def together(self) -> Ints:
        """Their positions before that: side by side, centred."""
        return self.first + (self.spread - self.count) // 2 + np.arange(self.count)

    @property
    def distance(self) -> Ints:
        """The distance of each cell from the input, which is its layer of the padding; 0 inside."""
        at = np.arange(self.size)
        last = self.first + self.spread - 1
        return np.maximum(np.maximum(self.first - at, at - last), 0)

    def window(self, step: int) -> tuple[int, int]:
        """The range of cells under the kernel at an output position, end exclusive."""
        first, end = self.axis.window(step)
        return self.lead + first, self.lead + end


#: A single axis is drawn as one row; this is the other axis.
ACROSS = Line(1, 0, 1, 1, 0, 0, 0, Axis(1, 1, 1))


def lines(axes: tuple[Axis, ...]) -> tuple[Line, ...]:
    """The stage along rows and columns, after the depth if there are three axes."""
    along = tuple(Line.of(a) for a in axes)
    return (ACROSS, *along) if len(along) == 1 else along


def window_at(along: Sequence[Line], cell: Cell) -> tuple[Outline, tuple[Cell, ...]]:
    """The outline of an output cell's window on a stage of rows and columns, and the cells under the kernel."""
    (rows, columns), (top, bottom), (left, right) = along, *(n.window(at) for n, at in zip(along, cell, strict=True))
    under = lattice(range(top, bottom, rows.axis.dilation), range(left, right, columns.axis.dilation))
    return Outline(top, left, bottom, right, Role.KERNEL), under


def roles(*along: Line, unused: bool = True, ring: Role = Role.PADDING) -> Cells:
    """The role of each cell of the finished stage.

    Args:
        along: the stage along each axis.
        unused: whether cells that no window reaches have the role UNUSED.
        ring: the role of padding.
    """
    out = np.full([line.size for line in along], Role.INSERTED, np.uint8)
    out[np.ix_(*(line.places for line in along))] = Role.DATA
    out[layers(*along) > 0] = ring
    for axis, line in enumerate(along):
        at = np.arange(line.size)
        cropped = (at < line.lead) | (at >= line.size - line.tail)
        np.moveaxis(out, axis, 0)[cropped] = Role.CROPPED
        if unused:
            np.moveaxis(out, axis, 0)[at >= line.size - line.unused] = Role.UNUSED
    return out


def layers(*along: Line) -> NDArray[np.int64]:
    """The layer of padding that each cell belongs to; 0 inside."""
    layer: NDArray[np.int64] = reduce(np.maximum.outer, (line.distance for line in along))
    return layer


def laid(along: tuple[Line, ...], x: NDArray[Any]) -> NDArray[Any]:
    """An input (C, *n) on the finished stage (C, *sizes), with zeros around and between."""
    out = np.zeros((len(x), *(line.size for line in along)), x.dtype)
    out[np.ix_(np.arange(len(x)), *(line.places for line in along))] = x.reshape(len(x), *(n.count for n in along))
    return out

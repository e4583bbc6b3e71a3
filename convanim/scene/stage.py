"""The stage: what the window slides over, and which cell of it is what.

Knows the geometry of the padded input, or of the spread and padded one, with what a negative ring crops. Must not know
frames or order. All positions are (row, column) of the panel that shows the stage, where a single axis is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.ops import Axis
from convanim.scene.frame import Cell, Cells, Outline, Role, lattice
from convanim.taps import Ints


@dataclass(frozen=True)
class Line:
    """The stage along one axis.

    Attributes:
        size: cells shown, those that a negative ring crops included.
        first, gap: the input's cells stand at first, first + gap, ...
        count: how many there are.
        lead, tail: cells at the ends that are cropped.
        unused: cells at the end that no window reaches.
        stride, dilation, kernel: of the window; it starts at `lead`.
    """

    size: int
    first: int
    gap: int
    count: int
    lead: int
    tail: int
    unused: int
    stride: int
    dilation: int
    kernel: int

    @classmethod
    def of(cls, axis: Axis) -> Line:
        """The stage of a layer along one axis."""
        if not axis.transposed:
            return cls(
                axis.stage, axis.before, 1, axis.input, 0, 0, axis.unused, axis.stride, axis.dilation, axis.kernel
            )
        before, after = axis.ring
        size = max(before, 0) + axis.spread + max(after, 0)
        lead, tail = max(-before, 0), max(-after, 0)
        return cls(size, max(before, 0), axis.stride, axis.input, lead, tail, 0, 1, axis.dilation, axis.kernel)

    @property
    def spread(self) -> int:
        """Size of the input with its inserted zeros."""
        return (self.count - 1) * self.gap + 1

    @property
    def places(self) -> Ints:
        """Where the input's cells stand once the zeros are inserted."""
        return self.first + self.gap * np.arange(self.count)

    @property
    def together(self) -> Ints:
        """Where they stand before: side by side, in the middle of where they will be."""
        return self.first + (self.spread - self.count) // 2 + np.arange(self.count)

    @property
    def distance(self) -> Ints:
        """How far each cell lies outside of the input: its layer of the padding ring; 0 inside."""
        at = np.arange(self.size)
        last = self.first + self.spread - 1
        return np.maximum(np.maximum(self.first - at, at - last), 0)

    def window(self, step: int) -> tuple[int, int]:
        """The first cell under the kernel at an output position, and the one after the last."""
        start = self.lead + step * self.stride
        return start, start + self.dilation * (self.kernel - 1) + 1


#: A single axis is drawn as one row; this is the axis across it.
ACROSS = Line(1, 0, 1, 1, 0, 0, 0, 1, 1, 1)


def lines(axes: tuple[Axis, ...]) -> tuple[Line, ...]:
    """The stage's rows and columns; of three axes the depth before them."""
    along = tuple(Line.of(a) for a in axes)
    return (ACROSS, *along) if len(along) == 1 else along


def window_at(along: Sequence[Line], cell: Cell) -> tuple[Outline, tuple[Cell, ...]]:
    """The window of an output cell on a stage of rows and columns: its outline, and the cells under the kernel."""
    (rows, columns), (top, bottom), (left, right) = along, *(n.window(at) for n, at in zip(along, cell, strict=True))
    under = lattice(range(top, bottom, rows.dilation), range(left, right, columns.dilation))
    return Outline(top, left, bottom, right, Role.KERNEL), under


def roles(*along: Line, unused: bool = True, ring: Role = Role.PADDING) -> Cells:
    """The role of each cell of the finished stage; with or without telling which ones no window reaches.

    Args:
        along: the stage along each axis.
        ring: what padding is.
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
    """The layer of the padding ring that each cell belongs to; 0 inside."""
    layer: NDArray[np.int64] = reduce(np.maximum.outer, (line.distance for line in along))
    return layer


def laid(along: tuple[Line, ...], x: NDArray[Any]) -> NDArray[Any]:
    """An input (C, *n) as it stands on the finished stage (C, *sizes), with zeros around and between."""
    out = np.zeros((len(x), *(line.size for line in along)), x.dtype)
    out[np.ix_(np.arange(len(x)), *(line.places for line in along))] = x.reshape(len(x), *(n.count for n in along))
    return out

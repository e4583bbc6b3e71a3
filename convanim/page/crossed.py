"""Counts the numbers of the lower plane that the lines between two planes would cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convanim.page import glyphs
from convanim.page.lattice import Lattice
from convanim.scene import Contents

#: Lines between planes, (n, 2, 2): each from (row, column) on the lower plane to (row, column) on the upper one.
Lines = NDArray[np.float64]
#: The number of placements that are sampled.
SEEN = 6


def lines(scene: Contents) -> Lines:
    """The lines of a sample of placements, in cells of the planes.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> lines(s)[2].tolist()
        [[2.0, 2.0], [1.0, 1.0]]
    """
    found = []
    for step in sorted({round(at) - 1 for at in np.linspace(1, scene.beats.steps, SEEN)}):
        for link in scene.links(step):
            window, cell = _corners(*link.window[:4]), _corners(*link.cell, *(at + 1 for at in link.cell))
            found += list(zip(cell, window, strict=True) if link.stamps else zip(window, cell, strict=True))
    return np.array(found, float).reshape(-1, 2, 2)


def _corners(top: int, left: int, bottom: int, right: int) -> list[tuple[int, int]]:
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def crossed(ends: Lines, shape: tuple[int, int], lattice: Lattice, up: Sequence[int], size: int, wide: float) -> int:
    """The number of times that a line crosses a number.

    Args:
        ends: the ends of the lines, in cells.
        shape: the rows and columns of the lower plane.
        up: the first corner of the upper plane relative to that of the lower one, (x, y) px.
        size, wide: the size and the width of a number, px.

    Example:
        >>> from convanim.page.lattice import Step
        >>> straight = np.array([[[1.5, 0], [0, 0]]])
        >>> crossed(straight, (2, 3), Lattice(Step(20, 0), Step(0, 20)), (60, 0), 10, 8)
        3
        >>> crossed(straight - [[0.5, 0], [0, 0]], (2, 3), Lattice(Step(20, 0), Step(0, 20)), (60, 20), 10, 8)
        0
    """
    step = np.array((lattice.down, lattice.along), float)
    starts, ways = ends[:, 0] @ step, (ends[:, 1] @ step + up) - ends[:, 0] @ step
    rows, columns = np.indices(shape) + 0.5
    middles = np.stack([rows.ravel(), columns.ravel()], axis=1) @ step
    half = np.array((wide / 2, glyphs.CAPITALS * size / 2))
    # The part of its length that a line spends inside a number's box, along each axis.
    way = np.where(ways == 0, 1e-9, ways)[:, None]
    one, other = ((middles + side * half - starts[:, None]) / way for side in (-1, 1))
    first, last = np.minimum(one, other).max(axis=2), np.maximum(one, other).min(axis=2)
    return int(np.count_nonzero((first < last) & (last > 0) & (first < 1)))

"""The paths of moving cells, in cells of a panel: spreading, growing, turning, and the light of a passing window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.scene.frame import Cell, Float, Grid, Role

#: The maximum number of cells that move one by one; more would be confusing and slow to draw.
MOST = 1000
#: The maximum number of cells that move together to places that lie differently.
FEW = 100

Floats = tuple[Float, ...]
Mask = NDArray[np.bool_]


def cell(name: str, grid: Grid, row: int, column: int, at: tuple[float, float] | None = None, **more: Any) -> Float:
    """A cell of a grid as a moving cell, at its own position or another."""
    colour = None
    if grid.colours is not None:
        red, green, blue = grid.colours[row, column].tolist()
        colour = (red, green, blue)
    where: tuple[float, float] = at or (row, column)
    role = more.pop("role", int(grid.roles[row, column]))
    return Float(name, where[0], where[1], role, grid.values[row, column], colour=colour, **more)


def touched(clip: tuple[float, float, float, float], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The cells of a grid that a rectangle overlaps."""
    top, left, bottom, right = clip
    rows = range(max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom))))
    columns = range(max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right))))
    return [(r, c) for r in rows for c in columns]


# Spreading.


def spread(then: Grid, now: Grid) -> tuple[tuple[Any, Any], tuple[Any, Any]] | None:
    """The old and new positions of an input's rows and columns, if it has been spread."""
    if not (now.roles == Role.INSERTED).any() or now.roles.size > MOST:
        return None
    places = []
    for grid in (then, now):
        data = grid.roles == Role.DATA
        rows, columns = np.flatnonzero(data.any(axis=1)), np.flatnonzero(data.any(axis=0))
        present = _hull(grid.roles != Role.NONE)
        if not len(rows) or not data[np.ix_(rows, columns)].all():
            return None
        if present != (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1):
            return None  # the cells around it would have to move, too
        places.append((rows, columns))
    (a, b), (c, d) = places
    if len(a) != len(c) or len(b) != len(d) or (np.array_equal(a, c) and np.array_equal(b, d)):
        return None
    if not np.array_equal(then.values[np.ix_(a, b)], now.values[np.ix_(c, d)]):
        return None
    return (a, c), (b, d)


def spreading(name: str, now: Grid, rows: tuple[Any, Any], columns: tuple[Any, Any], part: float) -> Floats:
    """The moving cells of an input that spreads; the zeros emerge from under the values."""
    found = []
    for r, c in np.argwhere(now.roles != Role.NONE).tolist():
        start = [float(np.interp(n, there, here)) for n, (here, there) in ((r, rows), (c, columns))]
        at = (start[0] + (r - start[0]) * part, start[1] + (c - start[1]) * part)
        found.append((int(r in rows[1]) + int(c in columns[1]), cell(name, now, r, c, at=at)))
    return tuple(f for _, f in sorted(found, key=lambda pair: pair[0]))


# Growing.

Box = tuple[int, int, int, int]


def _hull(there: Mask) -> Box | None:
    """The rectangle (top, left, bottom, right) that a mask fills exactly, otherwise None."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return (top, left, bottom, right) if there[top:bottom, left:right].all() else None


def ring(then: Grid, now: Grid) -> tuple[Box, Box] | None:
    """The old rectangle and the new one around it, if nothing but a ring of cells has been added."""
    inner, outer = _hull(then.roles != Role.NONE), _hull(now.roles != Role.NONE)
    if not inner or not outer:
        return None
    around = outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    return (inner, outer) if around else None


def growing(name: str, now: Grid, new: Mask, ring: tuple[Box, Box], part: float) -> Floats:
    """The moving cells of a ring, which emerges from under the rectangle inside it."""
    inner, outer = ring
    floats = []
    for r, c in np.argwhere(new).tolist():
        at, low, high = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
        for axis, n in ((0, r), (1, c)):
            first, last, start, stop = inner[axis], inner[axis + 2], outer[axis], outer[axis + 2]
            hidden = (first - start) if n < first else (last - stop) if n >= last else 0
            at[axis] = n + hidden * (1 - part)
            low[axis], high[axis] = (start, first) if n < first else (last, stop) if n >= last else (first, last)
        note, clip = now.notes.get((r, c), ""), (low[0], low[1], high[0], high[1])
        floats.append(cell(name, now, r, c, at=(at[0], at[1]), note=note, clip=clip, under=True))
    return tuple(floats)


# Turning.


def turning(name: str, then: Grid, part: float) -> Floats:
    """The moving cells of a kernel that turns about its middle as one rigid block."""
    return tuple(cell(name, then, r, c, turn=part) for r, c in np.ndindex(*then.roles.shape))


# Flying.

Route = Callable[[float], tuple[float, float]]


def _straight(part: float) -> tuple[float, float]:
    return part, part


def _down_first(part: float) -> tuple[float, float]:
    return _smooth(2 * part), _smooth(2 * part - 1)


def _across_first(part: float) -> tuple[float, float]:
    return _smooth(2 * part - 1), _smooth(2 * part)


def _smooth(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return 3 * part * part - 2 * part**3


def route(starts: Sequence[Cell], ends: Sequence[Cell]) -> Route | None:
    """The fractions of the way down and across at each moment, such that no two cells overlap; None if there are none.

    Example:
        >>> route([(0, 0), (0, 1)], [(4, 4), (4, 5)])(0.25)
        (0.25, 0.25)
        >>> route([(0, 0), (0, 1)], [(0, 0), (1, 0)])(0.25)
        (0.5, 0.0)
    """
    here, there = np.array(starts, float), np.array(ends, float)
    if (there - here == there[0] - here[0]).all():
        return _straight
    if len(here) > FEW:
        return None
    apart = [a[:, None] - a[None] for a in (here, there)]
    other = ~np.eye(len(here), dtype=bool)
    for way in (_straight, _down_first, _across_first):
        parts = (np.array(way(part)) for part in np.linspace(0, 1, 41))
        if all((np.abs(apart[0] + (apart[1] - apart[0]) * p).max(axis=2)[other] > 1 - 1e-9).all() for p in parts):
            return way
    return None

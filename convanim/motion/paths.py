"""Where cells are on their way: spreading, growing, turning, or under a light that passes.

Knows the geometry of each motion, in cells of a panel. Must not know which frames these lie between.
"""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.scene.frame import Float, Grid, Role

#: More cells than these are not moved one by one: nobody could follow them, and they take time to draw.
MOST = 1000
#: So many cells a tall kernel may reach beyond its sides while it turns.
BESIDE = 0.5

Floats = tuple[Float, ...]
Mask = NDArray[np.bool_]


def cell(name: str, grid: Grid, row: int, column: int, at: tuple[float, float] | None = None, **more: Any) -> Float:
    """A cell of a grid as one that floats, at its own place or another."""
    colour = None
    if grid.colours is not None:
        red, green, blue = grid.colours[row, column].tolist()
        colour = (red, green, blue)
    where: tuple[float, float] = at or (row, column)
    role = more.pop("role", int(grid.roles[row, column]))
    return Float(name, where[0], where[1], role, grid.values[row, column], colour=colour, **more)


def touched(clip: tuple[float, float, float, float], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The cells of a grid that a rectangle covers at least a part of."""
    top, left, bottom, right = clip
    rows = range(max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom))))
    columns = range(max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right))))
    return [(r, c) for r in rows for c in columns]


# Spreading.


def spread(then: Grid, now: Grid) -> tuple[tuple[Any, Any], tuple[Any, Any]] | None:
    """Where the rows and the columns of an input stood, and where they stand, if it has been spread."""
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
            return None  # something lies around it that would have to move, too
        places.append((rows, columns))
    (a, b), (c, d) = places
    if len(a) != len(c) or len(b) != len(d) or (np.array_equal(a, c) and np.array_equal(b, d)):
        return None
    if not np.array_equal(then.values[np.ix_(a, b)], now.values[np.ix_(c, d)]):
        return None
    return (a, c), (b, d)


def spreading(name: str, now: Grid, rows: tuple[Any, Any], columns: tuple[Any, Any], part: float) -> Floats:
    """The cells of the spread input on their way; the zeros come out from under the values."""
    found = []
    for r, c in np.argwhere(now.roles != Role.NONE).tolist():
        start = [float(np.interp(n, there, here)) for n, (here, there) in ((r, rows), (c, columns))]
        at = (start[0] + (r - start[0]) * part, start[1] + (c - start[1]) * part)
        found.append((int(r in rows[1]) + int(c in columns[1]), cell(name, now, r, c, at=at)))
    return tuple(f for _, f in sorted(found, key=lambda pair: pair[0]))


# Growing.

Box = tuple[int, int, int, int]


def _hull(there: Mask) -> Box | None:
    """The rectangle (top, left, bottom, right) that cells fill, or None if they fill none."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return (top, left, bottom, right) if there[top:bottom, left:right].all() else None


def ring(then: Grid, now: Grid) -> tuple[Box, Box] | None:
    """The rectangle that was there and the one around it that has come, if this is all that has come."""
    inner, outer = _hull(then.roles != Role.NONE), _hull(now.roles != Role.NONE)
    if not inner or not outer:
        return None
    around = outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    return (inner, outer) if around else None


def growing(name: str, now: Grid, new: Mask, ring: tuple[Box, Box], part: float) -> Floats:
    """The cells of a ring that come out from under what it lies around."""
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
    """The cells of a kernel on their way around its middle: upright and apart from each other.

    They stay inside the panel, but for half a cell at the sides of a tall one: titles stand above, and there is room
    beside. The cells of a single row or column have no room to turn in: those at one end pass over those at the other.
    """
    high, wide = then.roles.shape
    if min(high, wide) == 1:
        return _swapping(name, then, part)
    turn = part * pi
    along, aside = cos(turn), sin(turn)
    middle = (high - 1) / 2, (wide - 1) / 2
    larger = max(abs(along), abs(aside))
    reach = [abs(along) * middle[i] + abs(aside) * middle[1 - i] + larger / 2 for i in (0, 1)]
    room = high / 2, wide / 2 + (BESIDE if high > wide else 0)
    near = min(1.0, room[0] / reach[0], room[1] / reach[1])
    size = near * larger
    floats = []
    for r in range(high):
        for c in range(wide):
            down, across = (r - middle[0]) * near, (c - middle[1]) * near
            at = (across * aside + down * along, across * along - down * aside)
            place = (high / 2 + at[0] - size / 2, wide / 2 + at[1] - size / 2)
            floats.append(cell(name, then, r, c, at=place, size=size))
    return tuple(floats)


def _swapping(name: str, then: Grid, part: float) -> Floats:
    """The cells of one row or column on their way to its other end, those that began at the end under the others."""
    high, wide = then.roles.shape
    cells = [(r, c) for r in range(high) for c in range(wide)]
    ways = [(r, c, high - 1 - 2 * r, wide - 1 - 2 * c) for r, c in reversed(cells)]
    return tuple(cell(name, then, r, c, at=(r + down * part, c + across * part)) for r, c, down, across in ways)

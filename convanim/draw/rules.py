"""The lines between tilted cells, and around a moving one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convanim.draw.shapes import Shape, Shapes, Stroke, length
from convanim.page import Place
from convanim.scene.frame import Grid, Role

#: Roles with dashed lines around their cells.
DASHED = frozenset({Role.PADDING, Role.CROPPED, Role.COPIED, Role.EMPTY})
#: The lines around a cell of each role: 0 none, 1 dashed, 2 solid. Between two cells the larger number counts.
LINED = np.array([0 if role == Role.NONE else 1 if role in DASHED else 2 for role in Role], np.uint8)


def lines(place: Place, grid: Grid) -> Shapes:
    """The lines between the cells of a grid: solid at filled cells, dashed at padding, pale where cells will come."""
    if not (place.line and place.tilted):  # upright cells are cards with gaps
        return ()
    kind = np.pad(LINED[grid.roles], 1)
    above, beside = np.maximum(kind[:-1], kind[1:])[:, 1:-1], np.maximum(kind[:, :-1], kind[:, 1:])[1:-1]
    out: list[Shape] = []
    for across, kinds in ((True, above), (False, beside.T)):
        for wanted, ink in ((0, "ghost"), (2, "line"), (1, "dash"))[0 if place.ghosts else 1 :]:
            dash = dash_length(place, across=across) if wanted == 1 else 0.0
            found = []
            for i, first, last in _runs(kinds == wanted, apart=bool(dash)):
                corners = (i, first, i, last) if across else (first, i, last, i)
                found.append(place.corners(*corners)[::2])
            if found:
                out.append(Stroke(tuple(found), place.line, ink, dash))
    return tuple(out)


def _runs(there: NDArray[np.bool_], *, apart: bool) -> Iterator[tuple[int, int, int]]:
    """The runs of True in each row: (row, first, one after the last); or each cell on its own if `apart`."""
    if apart:
        yield from ((row, column, column + 1) for row, column in np.argwhere(there).tolist())
        return
    ends = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(ends == 1).tolist(), np.argwhere(ends == -1).tolist()
    yield from ((row, first, last) for (row, first), (_, last) in zip(starts, stops, strict=True))


def dash_length(place: Place, *, across: bool = True) -> float:
    """The length of a dash along a row or down a column of tilted cells, px."""
    # The number of dashes makes each side of a cell end with a gap.
    long = length((0, 0), place.lattice.along if across else place.lattice.down)
    return long / 2 / max(1, round(long / 2 / max(2.0, place.pitch / 9)))


def edges(
    place: Place, x: int, y: int, *, dashed: bool, wanted: tuple[tuple[bool, ...], ...] = ((True, True), (True, True))
) -> Iterator[Stroke]:
    """The lines around a tilted cell whose box begins at (x, y).

    Args:
        wanted: whether to draw those above and below it, and on its left and right.
    """
    corners = [(x + right, y + low) for right, low in place.area]
    for across, ends, some in ((True, ((0, 1), (3, 2)), wanted[0]), (False, ((0, 3), (1, 2)), wanted[1])):
        found = tuple((corners[a], corners[b]) for (a, b), want in zip(ends, some, strict=True) if want)
        if place.line and found:
            dash = dash_length(place, across=across) if dashed else 0.0
            yield Stroke(found, place.line, "dash" if dashed else "line", dash)

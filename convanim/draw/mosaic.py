"""Grids whose cells are so small that nothing stands between them: all cells at once, as one shape."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.draw import theme
from convanim.draw.ramps import ramp, step
from convanim.draw.shapes import Ink, Mosaic
from convanim.page import Box, Place
from convanim.scene.frame import COLOURLESS, Emphasis, Grid, Role

#: Where several cells share a pixel, the role that counts most is shown: a thin ring must not vanish.
RANKS = (
    *(Role.NONE, Role.INSERTED, Role.PENDING, Role.DATA, Role.KERNEL, Role.PRODUCT, Role.DONE, Role.OVERLAP),
    *(Role.COPIED, Role.CROPPED, Role.UNUSED, Role.EMPTY, Role.PADDING),
)
_RANK = np.array([RANKS.index(role) for role in Role], np.uint8)
_ROLE = np.array(RANKS, np.uint8)
#: Roles without a shade of their own, whose marks there is no room for: a ring around a grid is seen by its colour.
_MARKED = {
    Role.PADDING: "ring",
    Role.EMPTY: "ghost",
    Role.CROPPED: "cropped.hatch",
    Role.UNUSED: "unused.hatch",
}
_PLAIN = (Emphasis.QUIET, Emphasis.DIFFERENT)
# Masks by role, and by role and emphasis.
_HAS_VALUE = np.isin(np.arange(len(Role)), tuple(theme.SHADED))
_HEATED, _SHADED, _COLOURED = (
    np.outer(np.isin(np.arange(len(Role)), tuple(some)), ~np.isin(np.arange(len(Emphasis)), _PLAIN))
    for some in (theme.HEATED, theme.SHADED, {*Role} - COLOURLESS)
)
Values = NDArray[Any]


def mosaic(
    place: Place, grid: Grid, part: tuple[slice, slice] | None = None, shades: NDArray[np.uint16] | None = None
) -> Mosaic:
    """The cells of a dense grid, or of a part of its pixels, given in rows and columns of pixels or of cells.

    Args:
        part: the rows and columns, in cells if each has one or more pixels, otherwise in pixels.
        shades: the shades of all values, if they are known and no cells share a pixel.
    """
    rows, columns = part or (slice(0, side) for side in pixels(place))
    roles, emphasis, values, colours = _cells(place, grid, rows, columns)
    inks = _inks(place)
    numbers = inks.roles[roles, emphasis]
    where = None
    if place.panel.heat or place.shaded:
        valued = (_HEATED if place.panel.heat else _SHADED)[roles, emphasis]
        numbers = np.where(valued, shaded(place, values) if shades is None else shades[rows, columns], numbers)
    elif colours is not None:
        where = _COLOURED[roles, emphasis]
    down, across = place.tall or place.pitch, place.pitch
    top, left = place.y + rows.start * down, place.x + columns.start * across
    box = Box(top, left, top + len(roles) * down, left + roles.shape[1] * across)
    return Mosaic(box, inks.names, numbers, colours, where)


def shaded(place: Place, values: Values) -> NDArray[np.uint16]:
    """The numbers of the inks of some values."""
    return (_inks(place).first + step(place, values)).astype(np.uint16)


def pixels(place: Place) -> tuple[int, int]:
    """The rows and columns in which a dense grid is drawn: its cells, or its pixels if several cells share one."""
    rows, columns = (ceil(side / _per(place, axis) - 1e-9) for axis, side in enumerate(place.panel.shape))
    return rows, columns


def _per(place: Place, axis: int) -> float:
    """The number of cells per pixel along an axis; a row of a strip is one pixel row, however tall."""
    return 1.0 if place.tall and axis == 0 else place.per


def covering(place: Place, rows: slice, columns: slice) -> tuple[slice, slice]:
    """The part of a mosaic that some rows and columns of cells lie in: every pixel that shows one of them."""
    if place.per == 1:
        return rows, columns
    down, across = (
        _pixels_of(_edges(place, axis, slice(0, most))[:-1], cells)
        for axis, (most, cells) in enumerate(zip(pixels(place), (rows, columns), strict=True))
    )
    return down, across


def _pixels_of(firsts: NDArray[np.int64], cells: slice) -> slice:
    """The pixels that show some cells, given the first cell of each pixel."""
    at = int(np.searchsorted(firsts, cells.start, "left"))
    within = int(np.searchsorted(firsts, cells.start, "right")) - 1  # a pixel may begin with an earlier cell
    return slice(min(at, within), int(np.searchsorted(firsts, cells.stop, "left")))


class _Names:
    """The inks of a panel by number.

    Attributes:
        names: all inks; those of values begin with `first`.
        roles: the number for each role and emphasis.
    """

    def __init__(self, place: Place) -> None:
        names: list[Ink] = []
        self.roles = np.zeros((len(Role), len(Emphasis)), np.uint16)
        for role in Role:
            for emphasis in Emphasis:
                name = theme.fill(role, emphasis, bare=True)
                if emphasis not in _PLAIN:
                    name = _MARKED.get(role, name)
                if name not in names:
                    names.append(name)
                self.roles[role, emphasis] = names.index(name)
        self.first = len(names)
        self.names: tuple[Ink, ...] = (*names, *(ramp(place) if place.shaded or place.panel.heat else ()))


@lru_cache(maxsize=64)
def _inks(place: Place) -> _Names:
    return _Names(place)


def _cells(
    place: Place, grid: Grid, rows: slice, columns: slice
) -> tuple[Values, Values, Values, NDArray[np.uint8] | None]:
    """The roles, emphases, values and colours of a part of a grid, several cells in one where they share a pixel."""
    if place.per == 1:
        where = rows, columns
        colours = None if grid.colours is None else grid.colours[where]
        return grid.roles[where], grid.emphasis[where], grid.values[where], colours
    edges = [_edges(place, axis, some) for axis, some in enumerate((rows, columns))]
    if place.per < 1:  # some cells have a pixel more than others
        there = np.ix_(*(at[:-1] for at in edges))
        colours = None if grid.colours is None else grid.colours[there]
        return grid.roles[there], grid.emphasis[there], grid.values[there], colours
    cells = tuple(slice(int(at[0]), int(at[-1])) for at in edges)
    starts = [at[:-1] - at[0] for at in edges]

    def reduced(array: Values, way: np.ufunc, **more: Any) -> Values:
        return np.asarray(way.reduceat(way.reduceat(array, starts[0], axis=0, **more), starts[1], axis=1, **more))

    own = grid.roles[cells]
    roles = _ROLE[reduced(_RANK[own], np.maximum)]
    emphasis = reduced(grid.emphasis[cells], np.maximum)
    # The mean of the cells that have a value.
    valued = _HAS_VALUE[own]
    count = np.maximum(reduced(valued, np.add, dtype=np.int64), 1)
    values = np.where(valued & np.isfinite(grid.values[cells]), grid.values[cells], 0)
    mean = reduced(values, np.add, dtype=np.float64) / count
    if grid.colours is None:
        return roles, emphasis, mean, None
    shown = np.where(valued[..., None], grid.colours[cells], 0)
    colours = np.rint(reduced(shown, np.add, dtype=np.int64) / count[..., None]).astype(np.uint8)
    return roles, emphasis, mean, colours


def _edges(place: Place, axis: int, pixels: slice) -> NDArray[np.int64]:
    """The first cells of some pixels along an axis, and the one after the last."""
    at = np.floor(np.arange(pixels.start, pixels.stop + 1) * _per(place, axis) + 1e-9).astype(np.int64)
    return np.minimum(at, place.panel.shape[axis])

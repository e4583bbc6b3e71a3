"""Cells on their way in tilted planes: inside one, and from one to another or from a flat panel.

Knows where such a cell is, and into which shape it leans on its way. Must not know how cells look, or what moves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from convanim.draw.raster.strokes import Blends
from convanim.draw.raster.tilted import SIDES, TiltedGrid
from convanim.layout import SMALLEST, Box, Page, Place, Tilt
from convanim.layout.tilt import Lattice, Step, number_size
from convanim.scene.frame import Float, Grid, Role

Pixels = NDArray[np.uint8]
#: What two cells share that lie side by side all the way: (row, column) on the way and at its other end.
Spot = tuple[float, ...]
#: Shapes between two panels that are kept.
KEPT = 60


def spot(f: Float, down: int = 0, across: int = 0) -> Spot:
    """Where a cell is, or one so many cells further, such that equal ones are equal."""
    end = (0.0, 0.0) if f.towards is None else (f.towards[1] - f.row, f.towards[2] - f.column)
    return round(f.row + down, 4), round(f.column + across, 4), round(end[0], 4), round(end[1], 4)


class Leaning:
    """Draws floats that are in a tilted plane, or on the way to or from one.

    Args:
        page: where the panels lie.
        blends: what strokes make of the colours below.
        grids: the tilted panels.
        lined: for each role the lines around its cells: 0 none, 1 dashed, 2 solid.
    """

    def __init__(self, page: Page, blends: Blends, grids: Mapping[str, TiltedGrid], lined: NDArray[np.uint8]) -> None:
        self._page, self._blends, self._grids, self._lined = page, blends, grids, lined
        self._between: OrderedDict[tuple[object, ...], TiltedGrid] = OrderedDict()
        self._lids: dict[tuple[object, ...], tuple[Box, NDArray[np.bool_]]] = {}

    def takes(self, f: Float) -> bool:
        """Whether it is a cell that leans somewhere on its way."""
        return f.role != Role.NONE and (f.panel in self._grids or (f.towards or ("",))[0] in self._grids)

    def draw(self, pixels: Pixels, f: Float, among: Collection[Spot]) -> Box | None:
        """Draw one: the box of the pixels that it may touch, None if it cannot be seen.

        Args:
            among: where the cells are that move with it; between two of them there is one line.
        """
        whole = float(f.row).is_integer() and float(f.column).is_integer()
        if f.clip is not None and whole and not f.under:
            sides = 0  # the light on a cell that is there with its lines
        else:
            beside = (spot(f, -1), spot(f, 1), spot(f, 0, -1), spot(f, 0, 1))
            sides = SIDES & sum((there not in among) << i for i, there in enumerate(beside))
        clip = None
        if f.clip is not None:
            top, left, bottom, right = f.clip
            clip = top - f.row, left - f.column, bottom - f.row, right - f.column
        place = self._page.places[f.panel]
        if f.towards is None and f.size == 1 and isinstance(place, Tilt):
            return self._grids[f.panel].floating(pixels, f, place.node(f.row, f.column), sides, clip)
        name, row, column = f.towards or (f.panel, f.row, f.column)
        other = self._page.places[name]
        grid = self._shape(place, other, f.part, f.size)
        # First where the first cell of the panel is, for all that go the same way; then by whole steps from there.
        start, end = _corner(place), _corner(other, row - f.row, column - f.column)
        x, y = (round(a + (b - a) * f.part) for a, b in zip(start, end, strict=True))
        right, down = grid.place.lattice.at(f.row, f.column)
        return grid.floating(pixels, f, (x + round(right), y + round(down)), sides, clip)

    def _shape(self, start: Place, end: Place, part: float, size: float) -> TiltedGrid:
        """How cells are drawn between two panels: of a shape and size between theirs."""
        here, there = _lattice(start), _lattice(end)
        if here == there and size == 1:
            return self._grids[start.panel.name]
        (ax, ay), (dx, dy) = (
            (round((a[0] + (b[0] - a[0]) * part) * size), round((a[1] + (b[1] - a[1]) * part) * size))
            for a, b in zip(here, there, strict=True)
        )
        key = start.panel.name, end.panel.name, ax, ay, dx, dy, part < 0.5
        if key not in self._between:
            lattice = Lattice(Step(max(ax, 2), ay), Step(dx, max(dy, 2)))
            line = (start if part < 0.5 else end).line
            number = 0
            if start.number:  # it stays one on the way to a panel whose cells have no room for it
                last = end.number or max(SMALLEST, start.number * end.pitch // start.pitch)
                number = number_size(
                    start.panel, lattice, line, round(start.number + (last - start.number) * part), SMALLEST
                )
            tilt = Tilt(
                *(start.panel, 0, 0, round(lattice.area**0.5), line, number, 0, start.title, None),
                # Numbers that find no room on the way are left out: no shade stands for them.
                *(start.low, start.high, start.plain or (start.number > 0 and not number)),
                lattice=lattice,
            )
            self._between[key] = TiltedGrid(tilt, self._blends, self._lined)
            if len(self._between) > KEPT:
                self._between.popitem(last=False)
        return self._between[key]

    def cover(self, pixels: Pixels, base: Pixels, place: Tilt, grid: Grid) -> None:
        """Lay all cells of a plane that are there, with their lines, over what comes out from under them."""
        there = grid.roles != Role.NONE
        rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
        if len(rows):
            hull = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
            key = place.panel.name, hull
            if key not in self._lids:
                self._lids[key] = _lid(place, hull, pixels.shape)
            box, mask = self._lids[key]
            where = np.s_[box.top : box.bottom, box.left : box.right]
            np.copyto(pixels[where], base[where], where=mask)


def _lattice(place: Place) -> Lattice:
    """The steps from cell to cell; of a flat panel, too."""
    return place.lattice if isinstance(place, Tilt) else Lattice(Step(place.pitch, 0), Step(0, place.pitch))


def _corner(place: Place, row: float = 0, column: float = 0) -> tuple[float, float]:
    """The (x, y) of the first corner of a cell, in the middle of its lines, px."""
    right, down = _lattice(place).at(row, column)
    half = 0 if isinstance(place, Tilt) else place.line // 2
    return place.x + half + right, place.y + half + down


def _lid(place: Tilt, hull: tuple[int, int, int, int], shape: Sequence[int]) -> tuple[Box, NDArray[np.bool_]]:
    """The box around some cells, and which of its pixels are theirs, with the greater part of the lines around them."""
    xs, ys = zip(*place.corners(*hull), strict=True)
    pad = place.line
    top, left = max(min(ys) - pad, 0), max(min(xs) - pad, 0)
    box = Box(top, left, min(max(ys) + pad, shape[0]), min(max(xs) + pad, shape[1]))
    (ax, ay), (dx, dy) = place.lattice
    y = np.arange(box.top, box.bottom)[:, None] + 0.5 - place.y
    x = np.arange(box.left, box.right)[None, :] + 0.5 - place.x
    area = place.lattice.area
    column, row = (x * dy - y * dx) / area, (y * ax - x * ay) / area
    wide, tall = (place.line / 2 * float(np.hypot(*step)) / area for step in (place.lattice.down, place.lattice.along))
    mask = (row >= hull[0] - tall) & (column >= hull[1] - wide) & (row < hull[2] + tall) & (column < hull[3] + wide)
    return box, mask

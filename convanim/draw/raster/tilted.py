"""Grids of tilted cells: every distinct cell is drawn once, and put in where it lies.

Knows the geometry of a tilted place, and how cells look. Must not know files or time, nor what joins two grids.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.draw.raster.cells import KEPT, Sprites
from convanim.draw.raster.strokes import Blends, Stroke, around, cut, draw
from convanim.layout import Box, Tilt
from convanim.scene.frame import Emphasis, Float, Grid

Pixels = NDArray[np.uint8]
#: Bits for the sides and corners of a cell: first those that are lined, then those that are dashed.
_PARTS = 8
#: The sides of a cell that floats: above, below, on the left, on the right.
SIDES = 0b1111


class _Ring(NamedTuple):
    """The outer halves of the lines around a cell: from its first corner in px, and in parts of the cell."""

    stroke: Stroke
    row: NDArray[np.float64]
    column: NDArray[np.float64]


class TiltedGrid:
    """Draws a panel whose cells are parallelograms.

    Lines lie half in one cell and half in the next, so a ring of cells that are not there surrounds the panel and has
    the outer halves.

    Args:
        place: where it lies.
        blends: what strokes make of the colours below.
        lined: for each role the lines around its cells: 0 none, 1 dashed, 2 solid.
    """

    def __init__(self, place: Tilt, blends: Blends, lined: NDArray[np.uint8]) -> None:
        self.place, self._blends, self._lined = place, blends, lined
        self._sprites = Sprites(blends.palette)
        self._paper = np.full(place.inside, blends.palette.solid("page"), np.uint8)
        self._cells: OrderedDict[tuple[int, int], tuple[Pixels, Pixels]] = OrderedDict()
        self._covers: dict[int, NDArray[np.bool_]] = {}
        self._signs: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._rings: dict[tuple[int, bool], _Ring] = {}
        self._measure()

    def _measure(self) -> None:
        """Which pixels of the box around a cell are the cell's, and how much its sides and corners cover of each."""
        lattice, line = self.place.lattice, self.place.line
        (ax, ay), (dx, dy) = lattice
        high, wide = lattice.size
        # The middles of the pixels from the first corner, twice, to stay with whole numbers: cells then share no pixel.
        y, x = 2 * (np.arange(high)[:, None] + ay) + 1, 2 * np.arange(wide)[None, :] + 1
        column, row, whole = x * dy - y * dx, y * ax - x * ay, 2 * lattice.area
        self._inside = (column >= 0) & (column < whole) & (row >= 0) & (row < whole)
        self._row, self._column = row / whole, column / whole
        long, tall = float(np.hypot(ax, ay)), float(np.hypot(dx, dy))
        sides = []
        for away, length, along, own in (
            (row / 2 / long, lattice.area / long, column / whole, long),
            (column / 2 / tall, lattice.area / tall, row / whole, tall),
        ):
            dashes = self._dashing(along, own)
            sides += [(away, dashes), (away - length, dashes)]
        ends = [np.hypot(x / 2 - p, y / 2 - q) for p, q in ((0, 0), (ax, ay), (dx, dy), (ax + dx, ay + dy))]
        thin = line > 0
        self._solid = [cut(away, line) * self._inside * thin for away in (*(a for a, _ in sides), *ends)]
        dashed = [cut(away, line) * dashes * self._inside * thin for away, dashes in sides]
        self._dashed = [*dashed, *(self._solid[4:])]

    def _dashing(self, along: NDArray[np.float64], length: float) -> NDArray[np.bool_]:
        """Where there is a dash, given the part of a side."""
        dash = max(2.0, self.place.pitch / 9)
        dashes: NDArray[np.bool_] = np.floor(along * 2 * max(1, round(length / 2 / dash))) % 2 == 0
        return dashes

    def draw(self, base: Pixels, grid: Grid, before: Grid | None) -> list[Box]:
        """Put in the cells that changed; the boxes around them."""
        notes = grid.notes if self.place.note else {}
        rows, columns = grid.roles.shape
        changed = np.ones(grid.roles.shape, bool) if before is None else _changed(grid, before, notes)
        # Cells that are not there at first need not be cleared.
        wanted = np.zeros((rows + 2, columns + 2), bool)
        wanted[1:-1, 1:-1] = changed
        if before is None or not np.array_equal(self._lined[grid.roles], self._lined[before.roles]):
            signs = self._sign(grid)
            gone = self._signs if before is not None else np.zeros_like(signs)
            wanted |= signs != gone
            self._signs = signs
        else:
            gone = self._signs
        at = np.argwhere(wanted)
        if not len(at):
            return []
        palette = self._blends.palette
        for r, c in at.tolist():
            row, column = r - 1, c - 1
            sign = int(self._signs[r, c])
            top, left, bottom, right = self.place.cell(row, column)
            if not (0 <= row < rows and 0 <= column < columns):
                # Nothing but the lines may be touched: words and the page lie here.
                lined = self._cover(sign | int(gone[r, c]))
                cut = np.s_[max(-top, 0) : len(base) - top, max(-left, 0) : base.shape[1] - left]
                part = base[max(top, 0) : bottom, max(left, 0) : right]  # the far ends may lie beside the page
                np.copyto(part, self._cell(self._paper, sign)[cut], where=lined[cut])
                continue
            own = -1
            if grid.colours is not None:
                own = int(palette.nearest(grid.colours[row : row + 1, column])[0])
            drawn = self._sprites.of(
                *(self.place, int(grid.roles[row, column]), int(grid.emphasis[row, column])),
                *(grid.values[row, column].item(), notes.get((row, column), ""), own),
            )
            np.copyto(base[top:bottom, left:right], self._cell(drawn, sign), where=self._inside)
        # Of the ring only the lines are drawn, and those lie on the edge of the grid.
        first, last = np.maximum(at.min(axis=0) - 1, 0), np.minimum(at.max(axis=0), (rows, columns))
        ends = self.place.corners(int(first[0]), int(first[1]), int(last[0]), int(last[1]))
        return [around(ends, self.place.line)]

    def _cover(self, sign: int) -> NDArray[np.bool_]:
        """The pixels of a cell that some of its lines may touch."""
        if sign not in self._covers:
            both = sign | sign >> _PARTS
            some = [part for i, part in enumerate(self._solid) if both >> i & 1]
            self._covers[sign] = np.maximum.reduce(some) > 0 if some else np.zeros_like(self._inside)
        return self._covers[sign]

    def _cell(self, drawn: Pixels, sign: int) -> Pixels:
        """A cell with its lines."""
        key = id(drawn), sign
        kept = self._cells.get(key)
        if kept is None or kept[0] is not drawn:
            out = drawn
            for parts, first, ink in ((self._dashed, _PARTS, "dash"), (self._solid, 0, "line")):
                some = [part for i, part in enumerate(parts) if sign >> (first + i) & 1]
                if some:
                    out = self._blends.table(ink)[np.maximum.reduce(some), out]
            kept = self._cells[key] = drawn, out  # what is kept keeps its id
            if len(self._cells) > KEPT:
                self._cells.popitem(last=False)
        return kept[1]

    def _sign(self, grid: Grid) -> NDArray[np.int64]:
        """For each cell, those of the ring included, which of its sides and corners have which lines."""
        kind = np.pad(self._lined[grid.roles], 2)
        if not self.place.line:
            kind[:] = 0
        beside = np.maximum(kind[:, :-1], kind[:, 1:])  # on the line between two columns
        above = np.maximum(kind[:-1], kind[1:])
        corner = np.maximum(above[:, :-1], above[:, 1:])
        parts = (
            *(above[:-1, 1:-1], above[1:, 1:-1], beside[1:-1, :-1], beside[1:-1, 1:]),
            *(corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]),
        )
        out = np.zeros(parts[0].shape, np.int64)
        for i, part in enumerate(parts):
            out |= (part == 2).astype(np.int64) << i | (part == 1).astype(np.int64) << (_PARTS + i)
        return out

    # Cells on their way.

    def floating(
        self,
        pixels: Pixels,
        f: Float,
        at: tuple[int, int],
        sides: int = SIDES,
        clip: tuple[float, float, float, float] | None = None,
    ) -> Box | None:
        """Draw a cell wherever it is: the box of the pixels that it may touch, None if it cannot be seen.

        Args:
            at: the (x, y) of its first corner, px.
            sides: those on which its lines have an outer half, too.
            clip: (top, left, bottom, right) in parts of the cell: only that part of it is seen.
        """
        palette, (x, y) = self._blends.palette, at
        own = -1 if f.colour is None else int(palette.nearest(np.array(f.colour, np.uint8)))
        note = f.note if self.place.note else ""
        drawn = self._sprites.of(self.place, f.role, f.emphasis, f.value, note, own)
        dashed = self._lined[f.role] == 1 and f.emphasis != Emphasis.ACTIVE
        all_sides = (1 << _PARTS) - 1
        cell = self._cell(drawn, (all_sides << _PARTS if dashed else all_sides) if self.place.line else 0)
        high, wide = self.place.lattice.size
        top, pad = y + self.place.lattice.along.y, ceil(self.place.line / 2) + 1
        page = Box(0, 0, *pixels.shape)
        box = Box(max(top, 0), max(x, 0), min(top + high, page.bottom), min(x + wide, page.right))
        if box.top >= box.bottom or box.left >= box.right:
            return None
        seen = self._inside
        if clip and (clip[0] > 0 or clip[1] > 0 or clip[2] < 1 or clip[3] < 1):
            row, column = self._row, self._column
            seen = seen & (row >= clip[0]) & (column >= clip[1]) & (row < clip[2]) & (column < clip[3])
        part = np.s_[box.top - top : box.bottom - top, box.left - x : box.right - x]
        np.copyto(pixels[box.top : box.bottom, box.left : box.right], cell[part], where=seen[part])
        if self.place.line and sides:
            self._halves(
                pixels, at, self._ring(sides, dashed=dashed), self._blends.table("dash" if dashed else "line"), clip
            )
        return Box(max(box.top - pad, 0), max(box.left - pad, 0), box.bottom + pad, box.right + pad)

    @staticmethod
    def _halves(
        pixels: Pixels,
        at: tuple[int, int],
        ring: _Ring,
        table: Pixels,
        clip: tuple[float, float, float, float] | None,
    ) -> None:
        """Draw the outer halves of lines, where they are on the page and in a part of the panel."""
        (rows, columns, cover), (x, y) = ring.stroke, at
        seen = (rows + y >= 0) & (rows + y < pixels.shape[0]) & (columns + x >= 0) & (columns + x < pixels.shape[1])
        if clip:
            seen &= (ring.row >= clip[0]) & (ring.row < clip[2]) & (ring.column >= clip[1]) & (ring.column < clip[3])
        draw(pixels, x, y, Stroke(rows[seen], columns[seen], cover[seen]), table)

    def _ring(self, sides: int, *, dashed: bool) -> _Ring:
        """What lines cover outside of the cell, on some of its sides."""
        kept = self._rings.get((sides, dashed))
        if kept is not None:
            return kept
        lattice, line = self.place.lattice, self.place.line
        (ax, ay), (dx, dy) = lattice
        high, wide = lattice.size
        pad = ceil(line / 2) + 1
        rows = np.arange(ay - pad, ay + high + pad)[:, None]
        columns = np.arange(-pad, wide + pad)[None, :]
        y, x = rows + 0.5, columns + 0.5
        column, row = (x * dy - y * dx) / lattice.area, (y * ax - x * ay) / lattice.area
        cover = np.zeros(row.shape, np.uint8)
        for i, (beyond, (px, py), (qx, qy)) in enumerate(
            (
                (row < 0, (0, 0), (ax, ay)),
                (row >= 1, (dx, dy), (ax, ay)),
                (column < 0, (0, 0), (dx, dy)),
                (column >= 1, (ax, ay), (dx, dy)),
            )
        ):
            if sides >> i & 1:
                length = float(np.hypot(qx, qy))
                along = np.clip(((x - px) * qx + (y - py) * qy) / length**2, 0, 1)
                near = cut(np.hypot(x - px - along * qx, y - py - along * qy), line) * beyond
                cover = np.maximum(cover, near * self._dashing(along, length) if dashed else near)
        found = cover > 0
        at = np.broadcast_to(rows, cover.shape)[found], np.broadcast_to(columns, cover.shape)[found]
        ring = self._rings[sides, dashed] = _Ring(Stroke(*at, cover[found]), row[found], column[found])
        return ring


def _changed(grid: Grid, before: Grid, notes: object) -> NDArray[np.bool_]:
    """Which cells look different from before."""
    changed: NDArray[np.bool_] = (grid.roles != before.roles) | (grid.emphasis != before.emphasis)
    if grid.values is not before.values:
        changed |= grid.values != before.values
    if notes or before.notes:
        for cell in {*grid.notes, *before.notes}:
            if grid.notes.get(cell) != before.notes.get(cell):
                changed[cell] = True
    if grid.colours is not before.colours:
        if grid.colours is None or before.colours is None:
            changed[:] = True
        else:
            changed |= (grid.colours != before.colours).any(axis=2)
    return changed

"""Moving cells over the page at rest, within a panel or from one panel to another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from convanim.draw.cells import KEPT, Cells
from convanim.draw.rules import DASHED, edges
from convanim.draw.shapes import Clipped, Fill, Placed, Point, Points, Rest, Shape, Shapes, Words
from convanim.draw.turns import Turns
from convanim.page import SMALLEST, Box, Page, Place, Tilt
from convanim.page.lattice import Lattice, Step
from convanim.page.tilted.tilt import number_size
from convanim.scene.frame import COLOURLESS, Emphasis, Float, Frame, Grid, Role


class Floats:
    """Composes moving cells.

    Args:
        page: the layout of the page.
        cells: the shapes of cells.
        panel: the shapes of a panel at rest.
    """

    def __init__(self, page: Page, cells: Cells, panel: Callable[[Place, Grid], Shapes]) -> None:
        self.page, self._cells, self._panel = page, cells, panel
        self._turns = Turns(page, cells)
        self._lined: OrderedDict[tuple[object, ...], tuple[Shapes, Shapes]] = OrderedDict()
        self._between: OrderedDict[tuple[object, ...], Place] = OrderedDict()

    def of(self, frame: Frame, *, flying: bool) -> Iterator[Shape]:
        """Moving cells: if `flying`, those between panels, which are in front of the outlines."""
        drawn = (f for f in frame.floats if (f.towards is not None) == flying and self._seen(f))
        for (panel, under), group in groupby(drawn, key=lambda f: (f.panel, f.under)):
            place, floats = self.page.places[panel], list(group)
            yield from self._group(place, floats)
            if under and (inside := _there(place, frame.grids[panel])):
                yield Rest(self._panel(place, frame.grids[panel]), inside)

    def _seen(self, f: Float) -> bool:
        """Whether both ends of a cell's way are on the page."""
        return all(name in self.page.places for name in (f.panel, f.towards[0] if f.towards else f.panel))

    def _group(self, place: Place, floats: Sequence[Float]) -> Iterator[Shape]:
        """Cells that move together, with a single line between neighbouring tilted cells."""
        if floats[0].turn:
            yield from self._turns.of(place, floats)
            return
        among = {_spot(f) for f in floats if f.role != Role.NONE}
        for f in floats:
            if f.role == Role.NONE:
                yield from self._note(place, f)
                continue
            shape, at = self.moved(place, f)
            own = f.colour if f.colour is not None and f.role not in COLOURLESS - {Role.PADDING} else None
            cell = self._cells.of(shape, f.role, f.emphasis, f.value, f.note if shape.note else "", own)
            dashed = f.role in DASHED and f.emphasis != Emphasis.ACTIVE
            clip = _clip(place, shape, f, at)
            x, y = at[0], at[1] + shape.lattice.along.y
            lined = Placed(x, y, self._around(shape, cell, dashed=dashed))
            yield Clipped((lined,), inside=clip) if clip else lined
            still = float(f.row).is_integer() and float(f.column).is_integer()
            if not shape.tilted or (f.clip is not None and still and not f.under):
                continue  # it has its own lines, or those of the cell at that place
            beside = ((_spot(f, -1), _spot(f, 1)), (_spot(f, 0, -1), _spot(f, 0, 1)))
            wanted = tuple(tuple(there not in among for there in some) for some in beside)
            area = tuple((x + right, y + low) for right, low in shape.area)
            for stroke in edges(shape, x, y, dashed=dashed, wanted=wanted):
                yield Clipped((stroke,), inside=clip, outside=area)

    def _note(self, place: Place, f: Float) -> Iterator[Shape]:
        """The small text of a cell over the page."""
        if place.note and place.holds(f.note):
            text, (top, left) = place.note_text(f.note), place.at(f.row, f.column)
            inset = 0 if place.tilted else place.line
            text = text._replace(x=text.x + left + inset, baseline=text.baseline + top + inset)
            yield Words(text, "kernel.factor", "kernel.fill")

    def moved(self, place: Place, f: Float) -> tuple[Place, tuple[int, int]]:
        """The interpolated place of a moving cell, and the (x, y) of its first corner."""
        name, row, column = f.towards or (f.panel, f.row, f.column)
        other = self.page.places[name]
        if not (place.tilted or other.tilted):
            (top, left), (down, across) = place.at(f.row, f.column), other.at(row, column)
            if f.towards is not None:
                top, left = round(top + (down - top) * f.part[0]), round(left + (across - left) * f.part[1])
            return self._shape(place, other, f), (left, top)
        if f.towards is None:
            (x, y), *_ = place.corners(f.row, f.column, f.row + 1, f.column + 1)
            return place, (x, y)
        shape = self._shape(place, other, f)
        # First for the first cell of the panel, for all that move alike, then by whole steps.
        start, end = _corner(place), _corner(other, row - f.row, column - f.column)
        x, y = (round(a + (b - a) * part) for a, b, part in zip(start, end, reversed(f.part), strict=True))
        along, low = shape.lattice.at(f.row, f.column)
        return shape, (x + round(along), y + round(low))

    def _shape(self, start: Place, end: Place, f: Float) -> Place:
        """The interpolated shape and size of a cell between two panels."""
        alike = start is end or (start.tilted and end.tilted and start.lattice == end.lattice)
        if alike:
            return start
        part = sum(f.part) / 2
        (ax, ay), (dx, dy) = (
            (round(a[0] + (b[0] - a[0]) * part), round(a[1] + (b[1] - a[1]) * part))
            for a, b in zip(start.lattice, end.lattice, strict=True)
        )
        # A number stays readable on the way to a panel whose cells have no room for it.
        last = end.number or max(SMALLEST, start.number * end.pitch // start.pitch)
        number = max(1, round(start.number + (last - start.number) * part)) if start.number else 0
        line = (start if part < 0.5 else end).line
        key = start.panel.name, end.panel.name, ax, ay, dx, dy, line, number
        if key not in self._between:
            if not (start.tilted or end.tilted):
                # Both are whole pixels, so that no cell of a large grid is narrower than it is drawn.
                made = replace(
                    start, pitch=max(line + 1, ax), line=line, number=number, per=1.0, tall=max(line + 1, dy)
                )
            else:
                lattice = Lattice(Step(max(ax, 2), ay), Step(dx, max(dy, 2)))
                fits = number_size(start.panel, lattice, line, number, SMALLEST) if number else 0
                made = Tilt(
                    *(start.panel, 0, 0, round(lattice.area**0.5), line, fits, 0, start.title, None),
                    # Numbers that do not fit on the way are left out, and not replaced by a shade.
                    *(start.low, start.high, start.plain or (start.number > 0 and not fits)),
                    lattice=lattice,
                )
            self._between[key] = made
            if len(self._between) > KEPT:
                self._between.popitem(last=False)
        return self._between[key]

    def _around(self, place: Place, cell: Shapes, *, dashed: bool) -> Shapes:
        """A cell with the lines around it, relative to their upper left corner."""
        if not place.line:
            return cell
        key = place.lattice, place.line, id(cell), dashed
        kept = self._lined.get(key)
        if kept is None or kept[0] is not cell:
            kept = self._lined[key] = cell, _with_lines(place, cell, dashed=dashed)  # a cached object keeps its id
            if len(self._lined) > KEPT:
                self._lined.popitem(last=False)
        return kept[1]


def _with_lines(place: Place, cell: Shapes, *, dashed: bool) -> Shapes:
    if place.tilted:
        return (*cell, *edges(place, 0, 0, dashed=dashed))
    high, wide = (side + 2 * place.line for side in place.inside)  # hides the cells below it in the gaps, too
    return Fill(Box(0, 0, high, wide), "page"), Placed(place.line, place.line, cell)


def _spot(f: Float, down: int = 0, across: int = 0) -> tuple[float, ...]:
    """The position and target of a cell, or of one some cells further, as a key that groups equal movements."""
    end = (0.0, 0.0) if f.towards is None else (f.towards[1] - f.row, f.towards[2] - f.column)
    return round(f.row + down, 4), round(f.column + across, 4), round(end[0], 4), round(end[1], 4)


def _there(place: Place, grid: Grid) -> Points:
    """The corners of a rectangle around all cells that are there, with their lines."""
    there = grid.roles != Role.NONE
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return ()
    return place.hull(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _clip(place: Place, shape: Place, f: Float, at: tuple[int, int]) -> Points:
    """The corners of the visible part of a moving cell; () for all of it.

    Args:
        at: the (x, y) of its first corner.
    """
    if f.clip is None or f.towards is not None:
        return ()
    top, left, bottom, right = f.clip
    if not shape.tilted:
        return place.hull(top, left, bottom, right)
    ends = top - f.row, left - f.column, bottom - f.row, right - f.column
    top, left, bottom, right = ends
    corners = ((top, left), (top, right), (bottom, right), (bottom, left))
    return tuple((at[0] + x, at[1] + y) for x, y in (shape.lattice.at(*corner) for corner in corners))


def _corner(place: Place, row: float = 0, column: float = 0) -> Point:
    """The (x, y) of the first corner of a cell, in the middle of its lines, px."""
    right, down = place.lattice.at(row, column)
    half = 0 if place.tilted else place.line // 2
    return place.x + half + right, place.y + half + down

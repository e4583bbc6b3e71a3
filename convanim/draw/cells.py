"""The shapes of a cell: its fill, the mark of its role, its number and its note."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.draw import theme
from convanim.draw.palette import Colour
from convanim.draw.ramps import ramp, step
from convanim.draw.rules import DASHED
from convanim.draw.shapes import Card, Fill, Hatch, Ink, Poly, Ring, Shape, Shapes, Words, rectangle
from convanim.page import Box, Place, Text, glyphs
from convanim.scene.frame import COLOURLESS, Emphasis, Grid, Role

#: The size of the cache of cells; beyond it, the oldest one is dropped.
KEPT = 1500
#: Emphases that hide the shade of a count.
_OVER = (Emphasis.QUIET, Emphasis.DIFFERENT)
#: The minimum side of an upright cell with a line around it, and that of one with a line twice as thick, px.
_LINED_FROM, _THICK_FROM = 14, 100


class Cells:
    """The cells of an animation, each created on first use.

    Args:
        covered: whether cells under the window are coloured; if not, only its outline marks it.
    """

    def __init__(self, *, covered: bool) -> None:
        self._covered = covered
        self._cells: OrderedDict[tuple[object, ...], Shapes] = OrderedDict()
        self._asked: dict[tuple[object, ...], tuple[Place, Shapes]] = {}
        self._shades: dict[Place, dict[float, str]] = {}

    def of(self, place: Place, role: int, emphasis: int, value: float, note: str, own: Colour | None = None) -> Shapes:
        """A cell without the lines around it, relative to its upper left corner; equal cells share the same object.

        Args:
            role, emphasis: those of the cell, as integers.
            note: the small text in its corner, "" for none.
            own: the colour of a picture's cell.
        """
        # Most cells look as they did in an earlier frame; a place that is kept keeps its id.
        asked = id(place), role, emphasis, value, note, own
        known = self._asked.get(asked)
        if known is None or known[0] is not place:
            if len(self._asked) > KEPT:
                self._asked.clear()
            known = self._asked[asked] = place, self._of(place, role, emphasis, value, note, own)
        return known[1]

    def _of(self, place: Place, role: int, emphasis: int, value: float, note: str, own: Colour | None) -> Shapes:
        if emphasis == Emphasis.ACTIVE and (own or not self._covered):  # the window's outline marks it
            emphasis = Emphasis.NONE
        core = own if role == Role.PADDING and emphasis not in (Emphasis.QUIET, Emphasis.DIFFERENT) else None
        if role in COLOURLESS or emphasis in (Emphasis.QUIET, Emphasis.DIFFERENT):
            own = None
        shown = role not in (Role.NONE, Role.PENDING, Role.EMPTY)
        if place.tilted and role in theme.ZEROS:  # planes show only the terms that count
            shown, note = False, ""
        text = place.panel.numerals.text(value) if shown and place.number else ""
        counted = place.panel.heat and role in theme.HEATED and emphasis not in _OVER
        # Symbols that do not fit leave the colour of the role: a shade would have no value to show.
        plain = place.number or place.plain or not place.panel.numerals.measures
        bare = not place.number
        paper = theme.fill(Role(role), Emphasis(emphasis), bare=bare)
        if counted:
            paper = self._shade(place, value)
        shaded = not (plain or counted) and role in theme.SHADED and emphasis not in _OVER
        fill: Ink = own or (self._shade(place, value) if shaded else paper)
        key = (place.lattice, place.line, place.number, place.note, role, emphasis, text, note, fill, paper, core)
        shapes = self._cells.get(key)
        if shapes is None:
            shaded = shaded or fill != paper or bool(counted and not plain)
            made = _cell(place, Role(role), Emphasis(emphasis), text, note, fill, paper, shaded=shaded)
            if core:  # shows both its own colour and that it is padding
                side = place.pitch - place.line
                first = floor((side - 1 - max(1, side / 4)) / 2) + 1
                made = (*made, _block(place, first / side, first / side, 1 - first / side, 1 - first / side, core))
            shapes = self._cells[key] = made
            if len(self._cells) > KEPT:
                self._cells.popitem(last=False)
        return shapes

    def _shade(self, place: Place, value: float) -> str:
        """The ink of a value on the ramp of its panel."""
        if place not in self._shades:  # many values at once take hardly longer than one
            self._shades[place] = _shaded(place, np.unique(place.panel.values))
        known = self._shades[place].get(value)
        return known or _shaded(place, np.array([value]))[value]


def _shaded(place: Place, values: NDArray[Any]) -> dict[float, str]:
    """The inks of some values on the ramp of their panel."""
    inks = ramp(place)
    return dict(zip(values.tolist(), (inks[at] for at in step(place, values).tolist()), strict=True))


def _cell(
    place: Place, role: Role, emphasis: Emphasis, text: str, note: str, fill: Ink, paper: str, *, shaded: bool
) -> Shapes:
    area = place.area
    box = rectangle(area)
    side = place.pitch - place.line
    if box and role == Role.NONE and place.ghosts:  # a thin, pale outline, or if the cell is small, a pale box
        small = side < _LINED_FROM
        return (Card(box, "pending.fill", 0),) if small else (Card(box, "page", 0), Ring(box, "ghost", place.radius, 1))
    radius = place.radius if fill == paper and not shaded else 0
    out: list[Shape] = [Card(box, fill, radius) if box else Poly(area, fill)]
    quiet = emphasis != Emphasis.ACTIVE
    lined = box is not None and side >= _LINED_FROM and role in DASHED
    if box and lined:
        out.append(Ring(box, "ring", radius, 2 if side >= _THICK_FROM else 1))
    if quiet and role in theme.HATCH:
        out.append(Hatch(area, theme.HATCH[role], max(4, place.inside[0] // 6), role != Role.CROPPED))
    elif quiet and _marked(place, role, shaded=shaded):
        out += _mark(place, role, side)
    clear = 2 if role in theme.HATCH else 0  # keeps the hatching away from the number
    written: list[tuple[Text, str]] = []
    if text:
        written.append((place.number_text(text, bold=theme.bold(role, emphasis)), theme.ink(role, emphasis)))
    for line, ink in written:
        if len(out) > 1 + lined:
            out.append(Fill(_room(line, clear, place.inside), paper))
        out.append(Words(line, ink, paper))
    if note and place.holds(note):
        line = place.note_text(note, centred=role == Role.OVERLAP)
        ink = "text" if paper.startswith("heat.") else theme.note_ink(role, emphasis)
        if ink == "kernel.factor":
            line = line._replace(bold=box is not None)
            room, ground = _room(line, max(clear, 2), place.inside), "kernel.fill"
            out.append(Card(room, ground, max(2, round(line.size / 4)) if paper in theme.CHIPS else 0, paper))
        else:
            room, ground = _room(line, max(clear, 1), place.inside), paper
            out.append(Fill(room, ground))
        out.append(Words(line, ink, ground))
    return tuple(out)


def _room(text: Text, clear: int, inside: tuple[int, int]) -> Box:
    """The box of a text in a cell, with a margin."""
    drawn = glyphs.line(text.text, text.size, text.bold)
    (high, wide), top = drawn.coverage.shape, text.baseline - drawn.rise
    return Box(
        max(top - clear, 0),
        max(text.x - clear, 0),
        min(top + high + clear, inside[0]),
        min(text.x + wide + clear, inside[1]),
    )


def _marked(place: Place, role: Role, *, shaded: bool) -> bool:
    if role == Role.PADDING:  # the line around it marks it, if there is room for lines
        return not place.line or (not place.tilted and place.pitch - place.line < _LINED_FROM)
    return role in theme.MARK and not (shaded and role in theme.SHADED)


def _mark(place: Place, role: Role, side: int) -> Iterator[Shape]:
    """The mark of a role in a cell."""
    ink = theme.MARK[role]
    if role == Role.COPIED:  # a folded corner
        fold = 1 - (max(2, side // 6) + 0.5) / side
        yield Poly(tuple(place.spot(*at) for at in ((0, fold), (0, 1), (1 - fold, 1))), ink)
    elif role == Role.EMPTY:  # a small cross in the centre
        thick, reach = (max(1, round(side / 40)) - 0.5) / side, max(2, side / 4.5) / 2 / side - 1e-6
        half = [(-reach, -reach), (-reach, thick - reach), (reach - thick, reach)]
        ends = [*half, *((-y, -x) for y, x in half)]
        for lean in (1, -1):
            yield Poly(tuple(place.spot(0.5 + y, 0.5 + lean * x) for y, x in ends), ink)
    else:  # the remains of a dashed line
        yield _block(place, 0, 0, 1 / side, 1 / side, ink)


def _block(place: Place, top: float, left: float, bottom: float, right: float, ink: Ink) -> Shape:
    """A rectangle in a cell, given as fractions of its sides."""
    points = tuple(place.spot(*at) for at in ((top, left), (top, right), (bottom, right), (bottom, left)))
    if place.tilted:
        return Poly(points, ink)
    (x, y), _, (end, foot), _ = points
    return Fill(Box(round(y), round(x), round(foot), round(end)), ink)


def visible(place: Place, grid: Grid) -> NDArray[np.bool_]:
    """A mask of the cells that are drawn; the outlines of tilted cells that are not there yet are lines."""
    shown: NDArray[np.bool_] = (grid.roles != Role.NONE) | (place.ghosts and not place.tilted)
    return shown


def changed(place: Place, grid: Grid, before: Grid | None) -> NDArray[np.bool_]:
    """A mask of the cells to draw: those that look different from before, or if there was nothing, all."""
    return visible(place, grid) if before is None else differing(grid, before, notes=bool(place.note))


def differing(grid: Grid, before: Grid, *, notes: bool) -> NDArray[np.bool_]:
    """A mask of the cells that look different from before.

    Args:
        notes: whether the small text in their corners is shown.
    """
    found: NDArray[np.bool_] = (grid.roles != before.roles) | (grid.emphasis != before.emphasis)
    if grid.values is not before.values:
        found |= grid.values != before.values
    if notes and (grid.notes or before.notes):
        for cell in {*grid.notes, *before.notes}:
            if grid.notes.get(cell) != before.notes.get(cell):
                found[cell] = True
    if grid.colours is not before.colours:
        if grid.colours is None or before.colours is None:
            found[:] = True
        else:
            found |= (grid.colours != before.colours).any(axis=2)
    return found

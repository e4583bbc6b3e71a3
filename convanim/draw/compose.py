"""A frame as a display list: what each cell, line, outline and word consists of, decided once for every renderer.

Knows the page, roles and emphasis, and inks by name. Must not know colours, pixels that are there already, or files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from math import floor

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs, theme
from convanim.draw.shapes import (
    Clipped,
    Fill,
    Hatch,
    Ink,
    Placed,
    Point,
    Points,
    Poly,
    Rest,
    Shape,
    Shapes,
    Stroke,
    Words,
    length,
    rectangle,
)
from convanim.layout import SMALLEST, Box, Page, Place, Text, Tilt
from convanim.layout.lattice import Lattice, Step
from convanim.layout.tilt import number_size
from convanim.palette import SHADES, STEPS
from convanim.scene.frame import COLOURLESS, Emphasis, Float, Frame, Grid, Link, Outline, Role

Colour = tuple[int, int, int]
#: Cells that are kept; beyond, the one made first goes.
KEPT = 1500
#: Roles with dashed lines around their cells.
DASHED = frozenset({Role.PADDING, Role.CROPPED, Role.COPIED, Role.EMPTY})
#: The grid lines around a cell of each role: 0 none, 1 dashed, 2 solid. Between two cells the greater one counts.
LINED = np.array([0 if role == Role.NONE else 1 if role in DASHED else 2 for role in Role], np.uint8)
#: What hides a count: the kernel over it, or the paper of what is not looked at.
_OVER = (Emphasis.ACTIVE, Emphasis.QUIET, Emphasis.DIFFERENT)
#: Letters that lines leave in front of them: those on the lines under a window, and those between planes.
_NUMBERS, _LETTERS = ("text", "muted"), ("text", "muted", "kernel.factor", "overlap.factor")
#: How far the lines between planes keep from letters, in parts of the size of numbers: digits are no further apart.
AROUND = 0.24


class Composer:
    """Says what the frames of one page consist of.

    Args:
        page: where the panels lie.
        steps: how many placements the scene has.
    """

    def __init__(self, page: Page, steps: int) -> None:
        self.page, self._steps = page, steps
        self._cells: OrderedDict[tuple[object, ...], Shapes] = OrderedDict()
        self._lined: OrderedDict[tuple[object, ...], tuple[Shapes, Shapes]] = OrderedDict()
        self._between: OrderedDict[tuple[object, ...], Place] = OrderedDict()

    def frame(self, frame: Frame) -> Shapes:
        """The whole of a frame, back to front."""
        return (*self.rest(frame), *self.over(frame))

    def rest(self, frame: Frame) -> Shapes:
        """The page at rest: words and grids, without what lies over them."""
        out: list[Shape] = [Fill(Box(0, 0, self.page.height, self.page.width), "page"), *self.fixed()]
        for shapes in self.words(frame).values():
            out += shapes
        for name, place in self.page.places.items():
            out += self.panel(place, frame.grids[name])
        return tuple(out)

    # Words.

    def fixed(self) -> Shapes:
        """What is the same in all frames: the title, the signs between panels, scales."""
        page = self.page
        texts = [(page.title, "text"), *((text, "muted") for text in (page.detail, *page.signs))]
        out: list[Shape] = [Words(text, ink, "page") for text, ink in texts if text.text]
        for place in page.places.values():
            out += _scale(place)
        return tuple(out)

    def words(self, frame: Frame) -> dict[str, Shapes]:
        """What is written in a frame, by the place that it has on the page; what changes replaces what was there."""
        page, out = self.page, dict[str, Shapes]()
        for i, tab in enumerate(page.tabs):
            current = i == frame.phase
            out[f"tab {i}"] = (
                Words(tab.current, "text", "page") if current else Words(tab.idle, "muted", "page"),
                Fill(tab.underline, "kernel.stroke" if current else "line"),
            )
        for i, lines in enumerate(page.said(frame.captions)):
            out[f"caption {i}"] = _written(lines, "text")
        if page.counts:
            out["counter"] = _written([page.counted(frame.step, self._steps)], "muted")
        for name, place in page.places.items():
            if place.panel.titles:
                out[f"title {name}"] = _written([place.title._replace(text=frame.grids[name].title)], "text")
        return out

    # Grids.

    def panel(self, place: Place, grid: Grid) -> Shapes:
        """A panel at rest: its cells, and the lines between them."""
        rows, columns = np.nonzero(grid.roles != Role.NONE)
        cells = [self.at(place, grid, row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]
        return (*cells, *lines(place, grid))

    def at(self, place: Place, grid: Grid, row: int, column: int) -> Placed:
        """One cell of a grid, where it lies."""
        own = None if grid.colours is None else _colour(grid.colours[row, column])
        note = grid.notes.get((row, column), "") if place.note else ""
        top, left, _, _ = place.cell(row, column)
        role, emphasis = int(grid.roles[row, column]), int(grid.emphasis[row, column])
        return Placed(left, top, self.cell(place, role, emphasis, grid.values[row, column].item(), note, own))

    def cell(
        self, place: Place, role: int, emphasis: int, value: float, note: str, own: Colour | None = None
    ) -> Shapes:
        """A cell without the lines around it, from its upper left corner; for equal cells the very same shapes.

        Args:
            role, emphasis: of the cell, as whole numbers.
            note: the small text in its corner, "" for none.
            own: its own colour, for a cell of a picture.
        """
        if emphasis == Emphasis.ACTIVE and (own or not self.page.motion_colours):  # the window's outline says it
            emphasis = Emphasis.NONE
        core = own if role == Role.PADDING and emphasis not in (Emphasis.QUIET, Emphasis.DIFFERENT) else None
        if role in COLOURLESS or emphasis in (Emphasis.QUIET, Emphasis.DIFFERENT):
            own = None
        shown = role not in (Role.NONE, Role.PENDING, Role.EMPTY)
        text = place.panel.numerals.text(value) if shown and place.number else ""
        counted = place.panel.heat and role in theme.HEATED and emphasis not in _OVER
        paper = f"heat.{theme.heat(value, place.high)}" if counted else theme.fill(Role(role), Emphasis(emphasis))
        # Letters that find no room leave the colour of their role: there is nothing that a shade could measure.
        plain = place.number or place.plain or not place.panel.numerals.measures
        fill: Ink = own or (paper if plain or counted else _shade(place, role, emphasis, value))
        key = (place.lattice, place.line, place.number, place.note, role, emphasis, text, note, fill, paper, core)
        shapes = self._cells.get(key)
        if shapes is None:
            shaded = fill != paper or bool(counted and not plain)
            made = _cell(place, Role(role), Emphasis(emphasis), text, note, fill, paper, shaded=shaded)
            if core:  # its colour is known, and that it is padding, too
                side = place.pitch - place.line
                first = floor((side - 1 - max(1, side / 4)) / 2) + 1
                made = (*made, _block(place, first / side, first / side, 1 - first / side, 1 - first / side, core))
            shapes = self._cells[key] = made
            if len(self._cells) > KEPT:
                self._cells.popitem(last=False)
        return shapes

    # What lies over the grids.

    def over(self, frame: Frame) -> Iterator[Shape]:
        """What lies over the page at rest, back to front: cells on their way, outlines, links."""
        yield from self._floats(frame, flying=False)
        for name, place in self.page.places.items():
            for outline in frame.grids[name].outlines:
                yield from self._outline(place, outline)
        yield from self._links(frame)
        yield from self._floats(frame, flying=True)

    def _outline(self, place: Place, outline: Outline) -> Iterator[Shape]:
        """A frame around some cells; dashed, it is thin and lies inside of them, where no number reaches."""
        top, left, bottom, right, role, dashed, down, across = outline
        ink = theme.STROKE[role]
        if dashed:
            thick = max(1, round(0.4 * self.page.stroke))
            if not place.tilted:
                thick = min(thick, max(1, (place.pitch - place.line) // 20))
            for side in place.inner(top, left, bottom, right, thick):
                wide = length(*side)
                # Odd, so that a dash lies in either corner.
                count = int(wide) // max(2, place.pitch // 7) // 2 * 2 + 1
                yield Stroke((side,), thick, ink, dash=wide / count)
            return
        if role == Role.KERNEL and place.line and not (down or across):  # dashes would look frayed under the kernel
            inner = [place.rule(row, left, row, right) for row in range(top + 1, bottom)]
            inner += [place.rule(top, column, bottom, column) for column in range(left + 1, right)]
            if inner:
                yield Stroke(tuple(inner), place.line, "line", behind=_NUMBERS)
        thick = min(self.page.stroke, max(2, place.pitch // 6))
        corners = place.ring(top + down, left + across, bottom + down, right + across, thick)
        yield Stroke(((*corners, corners[0]),), thick, ink)

    def _links(self, frame: Frame) -> Iterator[Shape]:
        """The lines between cells that belong together; the plane that they end behind hides them."""
        if not self.page.links:
            return
        for link in frame.links:
            if link.panel not in self.page.places or link.other not in self.page.places:
                continue
            one, other = self.page.places[link.panel], self.page.places[link.other]
            if one.tilted and other.tilted:
                yield self._between_planes(link, one, other)
            elif link.cells and self.page.links == "fan":
                yield self._fan(link, one, other)

    def _between_planes(self, link: Link, one: Place, other: Place) -> Shape:
        """From the corners of the window to those of the cell."""
        row, column = (at + by for at, by in zip(link.cell, link.moved, strict=True))
        top, left, bottom, right, _, _, down, across = link.window
        window = one.corners(top + down, left + across, bottom + down, right + across)
        pairs = tuple(zip(window, other.corners(row, column, row + 1, column + 1), strict=True))
        upper = one if link.stamps else other
        # Lines end beside a number rather than between its digits or in the middle of one.
        halo = max(1, round(0.4 * self.page.stroke), round(AROUND * max(one.number, other.number)))
        stroke = Stroke(pairs, max(1.0, 0.36 * self.page.stroke), "muted", behind=_LETTERS, halo=halo)
        rows, columns = upper.panel.shape
        return Clipped((stroke,), outside=upper.hull(0, 0, rows, columns, pad=max(0.5, 1 - upper.line / 2)))

    def _fan(self, link: Link, one: Place, other: Place) -> Shape:
        """From each cell under the window to the one cell."""
        out, down = self.page.stroke // 2, one.y < other.y

        def end(place: Place, cell: tuple[int, int], moved: tuple[float, float], *, lower: bool) -> Point:
            top, left = place.at(cell[0] + moved[0], cell[1] + moved[1])
            side = place.pitch + place.line
            return left + side // 2, (top - out) if lower else (top + side + out)

        at = end(other, link.cell, link.moved, lower=down)
        by = link.window.down, link.window.across
        pairs = tuple((end(one, cell, by, lower=not down), at) for cell in link.cells)
        halo = max(1, round(0.4 * self.page.stroke))
        return Stroke(pairs, max(1.0, 0.4 * self.page.stroke), "kernel.stroke", behind=_LETTERS, halo=halo)

    # Cells on their way.

    def _floats(self, frame: Frame, *, flying: bool) -> Iterator[Shape]:
        """Cells on their way: `flying` those from one panel to another, which pass over the outlines, too."""
        drawn = (f for f in frame.floats if (f.towards is not None) == flying and self._seen(f))
        for (panel, under), group in groupby(drawn, key=lambda f: (f.panel, f.under)):
            place, floats = self.page.places[panel], list(group)
            yield from self._group(place, floats)
            if under and (inside := _there(place, frame.grids[panel])):
                yield Rest(self.panel(place, frame.grids[panel]), inside)

    def _seen(self, f: Float) -> bool:
        """Whether both ends of its way are on the page."""
        return all(name in self.page.places for name in (f.panel, f.towards[0] if f.towards else f.panel))

    def _group(self, place: Place, floats: Sequence[Float]) -> Iterator[Shape]:
        """Cells that move together; between two tilted ones that stay side by side there is one line."""
        among = {_spot(f) for f in floats if f.role != Role.NONE}
        for f in floats:
            if f.role == Role.NONE:
                yield from self._note(place, f)
                continue
            shape, at = self._moved(place, f)
            own = f.colour if f.colour is not None and f.role not in COLOURLESS - {Role.PADDING} else None
            cell = self.cell(shape, f.role, f.emphasis, f.value, f.note if shape.note else "", own)
            dashed = f.role in DASHED and f.emphasis != Emphasis.ACTIVE
            clip = _clip(place, shape, f, at)
            x, y = at[0], at[1] + shape.lattice.along.y
            lined = Placed(x, y, self._around(shape, cell, dashed=dashed))
            yield Clipped((lined,), inside=clip) if clip else lined
            still = float(f.row).is_integer() and float(f.column).is_integer()
            if not shape.tilted or (f.clip is not None and still and not f.under):
                continue  # its lines are its own, or those of the cell that is there
            beside = ((_spot(f, -1), _spot(f, 1)), (_spot(f, 0, -1), _spot(f, 0, 1)))
            wanted = tuple(tuple(there not in among for there in some) for some in beside)
            area = tuple((x + right, y + low) for right, low in shape.area)
            for stroke in _edges(shape, x, y, dashed=dashed, wanted=wanted):
                yield Clipped((stroke,), inside=clip, outside=area)

    def _note(self, place: Place, f: Float) -> Iterator[Shape]:
        """The small text of a cell over what is there already."""
        if place.note and place.holds(f.note):
            text, (top, left) = place.note_text(f.note), place.at(f.row, f.column)
            inset = 0 if place.tilted else place.line
            text = text._replace(x=text.x + left + inset, baseline=text.baseline + top + inset)
            paper = theme.fill(Role.KERNEL, Emphasis.ACTIVE)
            yield Words(text, theme.note_ink(Role.KERNEL, Emphasis.ACTIVE), paper)

    def _moved(self, place: Place, f: Float) -> tuple[Place, tuple[int, int]]:
        """How a cell is drawn on its way, of a shape and size between two; and the (x, y) of its first corner."""
        name, row, column = f.towards or (f.panel, f.row, f.column)
        other = self.page.places[name]
        if not (place.tilted or other.tilted):
            (top, left), (down, across) = place.at(f.row, f.column), other.at(row, column)
            if f.towards is not None:
                top, left = round(top + (down - top) * f.part), round(left + (across - left) * f.part)
            return self._shape(place, other, f), (left, top)
        if f.towards is None and f.size == 1:
            (x, y), *_ = place.corners(f.row, f.column, f.row + 1, f.column + 1)
            return place, (x, y)
        shape = self._shape(place, other, f)
        # First where the first cell of the panel is, for all that go the same way; then by whole steps from there.
        start, end = _corner(place), _corner(other, row - f.row, column - f.column)
        x, y = (round(a + (b - a) * f.part) for a, b in zip(start, end, strict=True))
        along, low = shape.lattice.at(f.row, f.column)
        return shape, (x + round(along), y + round(low))

    def _shape(self, start: Place, end: Place, f: Float) -> Place:
        """How cells are drawn between two panels: of a shape and size between theirs."""
        alike = start is end or (start.tilted and end.tilted and start.lattice == end.lattice)
        if alike and f.size == 1:
            return start
        part, size = f.part if f.towards is not None else 0.0, f.size
        (ax, ay), (dx, dy) = (
            (round((a[0] + (b[0] - a[0]) * part) * size), round((a[1] + (b[1] - a[1]) * part) * size))
            for a, b in zip(start.lattice, end.lattice, strict=True)
        )
        # A number stays one on the way to a panel whose cells have no room for it.
        last = end.number or max(SMALLEST, start.number * end.pitch // start.pitch)
        number = max(1, round((start.number + (last - start.number) * part) * size)) if start.number else 0
        line = (start if part < 0.5 else end).line
        key = start.panel.name, end.panel.name, ax, ay, dx, dy, line, number
        if key not in self._between:
            if not (start.tilted or end.tilted):
                made = replace(start, pitch=max(line + 1, ax), line=line, number=number)
                made = replace(made, note=start.note if size == 1 else 0)
            else:
                lattice = Lattice(Step(max(ax, 2), ay), Step(dx, max(dy, 2)))
                fits = number_size(start.panel, lattice, line, number, SMALLEST) if number else 0
                made = Tilt(
                    *(start.panel, 0, 0, round(lattice.area**0.5), line, fits, 0, start.title, None),
                    # Numbers that find no room on the way are left out: no shade stands for them.
                    *(start.low, start.high, start.plain or (start.number > 0 and not fits)),
                    lattice=lattice,
                )
            self._between[key] = made
            if len(self._between) > KEPT:
                self._between.popitem(last=False)
        return self._between[key]

    def _around(self, place: Place, cell: Shapes, *, dashed: bool) -> Shapes:
        """A cell with the lines around it, from the upper left corner of these."""
        if not place.line:
            return cell
        key = place.lattice, place.line, id(cell), dashed
        kept = self._lined.get(key)
        if kept is None or kept[0] is not cell:
            kept = self._lined[key] = cell, _with_lines(place, cell, dashed=dashed)  # what is kept keeps its id
            if len(self._lined) > KEPT:
                self._lined.popitem(last=False)
        return kept[1]


def _with_lines(place: Place, cell: Shapes, *, dashed: bool) -> Shapes:
    if place.tilted:
        return (*cell, *_edges(place, 0, 0, dashed=dashed))
    line, side = place.line, place.pitch
    out: list[Shape] = [Fill(Box(0, 0, side + line, side + line), "page" if dashed else "line")]
    if dashed:
        ends = (line / 2, side + line / 2)
        sides = tuple(edge for at in ends for edge in (((0, at), (side, at)), ((at, 0), (at, side))))
        out.append(Stroke(sides, line, "dash", _dash(place)))
    return (*out, Placed(line, line, cell))


def _cell(
    place: Place, role: Role, emphasis: Emphasis, text: str, note: str, fill: Ink, paper: str, *, shaded: bool
) -> Shapes:
    area = place.area
    box = rectangle(area)
    out: list[Shape] = [Fill(box, fill) if box else Poly(area, fill)]
    side = place.pitch - place.line
    quiet = emphasis != Emphasis.ACTIVE
    if quiet and role in theme.HATCH:
        out.append(Hatch(area, theme.HATCH[role], max(4, place.inside[0] // 6), role != Role.CROPPED))
    elif quiet and _marked(place, role, shaded=shaded):
        out += _mark(place, role, side, numbered=bool(text))
    clear = 2 if role in theme.HATCH else 0  # a quiet place for the number among the hatching
    written: list[tuple[Text, str]] = []
    if text:
        written.append((place.number_text(text, bold=emphasis in theme.BOLD), theme.ink(role, emphasis)))
    if note and place.holds(note):
        ink = "text" if paper.startswith("heat.") else theme.note_ink(role, emphasis)
        written.append((place.note_text(note, centred=role == Role.OVERLAP), ink))
    for line, ink in written:
        if len(out) > 1:
            out.append(Fill(_room(line, clear, place.inside), paper))
        out.append(Words(line, ink, paper))
    return tuple(out)


def _room(text: Text, clear: int, inside: tuple[int, int]) -> Box:
    """The pixels that a text covers in a cell, with a margin."""
    drawn = glyphs.line(text.text, text.size, text.bold)
    (high, wide), top = drawn.coverage.shape, text.baseline - drawn.rise
    return Box(
        max(top - clear, 0),
        max(text.x - clear, 0),
        min(top + high + clear, inside[0]),
        min(text.x + wide + clear, inside[1]),
    )


def _marked(place: Place, role: Role, *, shaded: bool) -> bool:
    if role == Role.PADDING:  # the dashes around it say it, where there is room for lines
        return not place.line
    return role in theme.MARK and not (shaded and role in theme.SHADED)


def _mark(place: Place, role: Role, side: int, *, numbered: bool) -> Iterator[Shape]:
    """The mark of a role, in a cell of so many px with or without a number."""
    ink = theme.MARK[role]
    if role == Role.INSERTED:  # a dot in each corner, or in the middle: a zero that was put between others
        dot, away = max(1, round(side / (21 if numbered else 8))), max(1, side // 11)
        dot += 0 if numbered else (side - dot) % 2  # in the very middle
        starts = (away, side - away - dot) if numbered else ((side - dot) // 2,)
        for row in starts:
            for column in starts:
                yield _block(place, row / side, column / side, (row + dot) / side, (column + dot) / side, ink)
    elif role == Role.COPIED:  # a folded corner
        fold = 1 - (max(2, side // 6) + 0.5) / side
        yield Poly(tuple(place.spot(*at) for at in ((0, fold), (0, 1), (1 - fold, 1))), ink)
    elif role == Role.EMPTY:  # a small cross in the middle: nothing is here
        thick, reach = (max(1, round(side / 40)) - 0.5) / side, max(2, side / 4.5) / 2 / side - 1e-6
        half = [(-reach, -reach), (-reach, thick - reach), (reach - thick, reach)]
        ends = [*half, *((-y, -x) for y, x in half)]
        for lean in (1, -1):
            yield Poly(tuple(place.spot(0.5 + y, 0.5 + lean * x) for y, x in ends), ink)
    else:  # what is left of a dashed line
        yield _block(place, 0, 0, 1 / side, 1 / side, ink)


def _block(place: Place, top: float, left: float, bottom: float, right: float, ink: Ink) -> Shape:
    """A rectangle in a cell, given in parts of its sides."""
    points = tuple(place.spot(*at) for at in ((top, left), (top, right), (bottom, right), (bottom, left)))
    if place.tilted:
        return Poly(points, ink)
    (x, y), _, (end, foot), _ = points
    return Fill(Box(round(y), round(x), round(foot), round(end)), ink)


def _shade(place: Place, role: int, emphasis: int, value: float) -> str:
    """The ink that stands for a value where there is no room for numbers."""
    plain = emphasis in (Emphasis.QUIET, Emphasis.DIFFERENT)
    if plain or (role not in theme.SHADED and emphasis != Emphasis.ACTIVE):
        return theme.fill(Role(role), Emphasis(emphasis))
    kind = "kernel" if emphasis == Emphasis.ACTIVE else place.panel.shade
    low, high = place.low, place.high
    if place.signed:  # two ramps that meet at nothing
        kind, value, low, high = "negative" if value < 0 else kind, abs(value), 0, max(-low, high)
    part = (value - low) / (high - low) if high > low else 0.5
    return f"shade.{kind}.{int(min(SHADES - 1, max(0, part * SHADES)))}"  # a part of infinity stays at an end


def _scale(place: Place) -> Iterator[Shape]:
    """What explains a shade: both ends, and a bar between."""
    if place.scale is None:
        return
    least, bar, greatest = place.scale
    yield Words(least, "muted", "page")
    yield Words(greatest, "muted", "page")
    inks = [f"shade.{place.panel.shade}.{i}" for i in range(SHADES)]
    if place.signed:
        inks = [*(f"shade.negative.{i}" for i in reversed(range(SHADES))), *inks]
    if place.panel.heat:
        inks = [f"heat.{i}" for i in range(STEPS["heat"])]
    high, wide = bar.bottom - bar.top, bar.right - bar.left
    along = max(high, wide)
    for i, ink in enumerate(inks):
        first, last = (-(-n * along // len(inks)) for n in (i, i + 1))
        if first < last:
            across = Box(bar.top, bar.left + first, bar.bottom, bar.left + last)
            yield Fill(across if wide >= high else Box(bar.bottom - last, bar.left, bar.bottom - first, bar.right), ink)


def _written(lines: Iterable[Text], ink: str) -> Shapes:
    return tuple(Words(text, ink, "page") for text in lines if text.text)


def lines(place: Place, grid: Grid) -> Shapes:
    """All lines between the cells of a grid: solid beside a filled cell, dashed around padding, none beside nothing."""
    if not place.line:
        return ()
    kind = np.pad(LINED[grid.roles], 1)
    above, beside = np.maximum(kind[:-1], kind[1:])[:, 1:-1], np.maximum(kind[:, :-1], kind[:, 1:])[1:-1]
    out: list[Shape] = []
    for across, kinds in ((True, above), (False, beside.T)):
        for wanted, ink in ((2, "line"), (1, "dash")):
            dash = _dash(place, across=across) if wanted == 1 else 0.0
            found = []
            for i, first, last in _runs(kinds == wanted, apart=bool(dash)):
                corners = (i, first, i, last) if across else (first, i, last, i)
                found.append(place.rule(*corners, ends=not dash))
            if found:
                out.append(Stroke(tuple(found), place.line, ink, dash))
    return tuple(out)


def _runs(there: NDArray[np.bool_], *, apart: bool) -> Iterator[tuple[int, int, int]]:
    """Where each row has neighbours that are there: (row, first, one after the last); or each `apart`."""
    if apart:
        yield from ((row, column, column + 1) for row, column in np.argwhere(there).tolist())
        return
    edges = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    yield from ((row, first, last) for (row, first), (_, last) in zip(starts, stops, strict=True))


def _dash(place: Place, *, across: bool = True) -> float:
    """The length of a dash along a row of cells, or down a column, px."""
    if not place.tilted:
        return max(2, round(place.pitch / 9))
    # So many that each side of a cell ends with a gap.
    long = length((0, 0), place.lattice.along if across else place.lattice.down)
    return long / 2 / max(1, round(long / 2 / max(2.0, place.pitch / 9)))


def _edges(
    place: Place, x: int, y: int, *, dashed: bool, wanted: tuple[tuple[bool, ...], ...] = ((True, True), (True, True))
) -> Iterator[Stroke]:
    """The lines around a tilted cell, the box around which begins at (x, y).

    Args:
        wanted: those above and below it, on its left and right.
    """
    corners = [(x + right, y + low) for right, low in place.area]
    for across, ends, some in ((True, ((0, 1), (3, 2)), wanted[0]), (False, ((0, 3), (1, 2)), wanted[1])):
        found = tuple((corners[a], corners[b]) for (a, b), want in zip(ends, some, strict=True) if want)
        if place.line and found:
            dash = _dash(place, across=across) if dashed else 0.0
            yield Stroke(found, place.line, "dash" if dashed else "line", dash)


def _spot(f: Float, down: int = 0, across: int = 0) -> tuple[float, ...]:
    """Where a cell is and where it goes, or one so many cells further, such that equal ones are equal."""
    end = (0.0, 0.0) if f.towards is None else (f.towards[1] - f.row, f.towards[2] - f.column)
    return round(f.row + down, 4), round(f.column + across, 4), round(end[0], 4), round(end[1], 4)


def _there(place: Place, grid: Grid) -> Points:
    """The corners of a rectangle over all cells that are there, with their lines."""
    there = grid.roles != Role.NONE
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return ()
    return place.hull(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _clip(place: Place, shape: Place, f: Float, at: tuple[int, int]) -> Points:
    """The corners of what is seen of a cell on its way, () for all of it.

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


def _colour(own: Sequence[int]) -> Colour:
    red, green, blue = own
    return int(red), int(green), int(blue)

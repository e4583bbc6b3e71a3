"""Composes a frame as a display list: the shapes of every cell, line, outline and text, for all renderers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from convanim.draw import theme
from convanim.draw.cells import Cells, visible
from convanim.draw.floats import Floats
from convanim.draw.mosaic import mosaic
from convanim.draw.palette import Colour
from convanim.draw.ramps import ramp
from convanim.draw.rules import lines
from convanim.draw.shapes import (
    Card,
    Clipped,
    Fill,
    Placed,
    Point,
    Ring,
    Shape,
    Shapes,
    Stroke,
    Veil,
    Words,
    around,
    length,
)
from convanim.draw.wires import LETTERS, Wires, lens_lines, slanted
from convanim.page import Box, Page, Place, Text
from convanim.page.page import Tab
from convanim.page.texts import headed
from convanim.scene.caption import WAITING
from convanim.scene.frame import Frame, Grid, Link, Outline, Role

#: Inks of letters in front of lines: under a window, and between planes.
_NUMBERS = ("text", "muted", "zero")
#: The distance between lines and letters as a fraction of the numbers' size: digits are no further apart.
AROUND = 0.24


class Composer:
    """Composes the frames of one page.

    Args:
        page: the layout of the page.
        steps: the number of placements of the scene.
    """

    def __init__(self, page: Page, steps: int) -> None:
        self.page, self._steps = page, steps
        self.cells = Cells(covered=page.motion_colours)
        self._floats = Floats(page, self.cells, self.panel)
        self._wires = Wires(page, max(1, page.stroke // 2))
        self._said: tuple[object, list[Shapes]] = None, []
        self._titles: dict[str, tuple[str, Shapes]] = {}
        self._tabs: dict[int, dict[str, Shapes]] = {}

    def frame(self, frame: Frame) -> Shapes:
        """All shapes of a frame, back to front."""
        return (*self.rest(frame), *self.over(frame))

    def rest(self, frame: Frame) -> Shapes:
        """The page at rest: texts and grids, without the shapes over them."""
        out: list[Shape] = [Fill(Box(0, 0, self.page.height, self.page.width), "page"), *self.fixed()]
        for shapes in self.words(frame).values():
            out += shapes
        for name, place in self.page.places.items():
            out += self.panel(place, frame.grids[name])
        return tuple(out)

    # Texts.

    def fixed(self) -> Shapes:
        """The texts that are the same in all frames: the title, the signs between panels, scales."""
        page = self.page
        texts = (text for text in (page.detail, *page.signs) if text.text)
        out: list[Shape] = [*_title(page.title), *(Words(text, "muted", "page") for text in texts)]
        out += [Words(head, "text", "page") for head in page.heads]
        out += [Fill(rule, "line") for rule in page.rules]
        for place in page.places.values():
            out += _scale(place)
            if place.dense:  # zero is the page's colour, so only a line shows where the grid ends
                top, left, bottom, right = place.box
                edge = ((left - 0.5, top - 0.5), (right + 0.5, top - 0.5), (right + 0.5, bottom + 0.5))
                out.append(Stroke(((*edge, (left - 0.5, bottom + 0.5), edge[0]),), 1, "ring"))
        return tuple(out)

    def words(self, frame: Frame, said: Sequence[tuple[Text, ...]] | None = None) -> dict[str, Shapes]:
        """The texts of a frame by their place on the page; a changed text replaces the old one.

        Args:
            said: the texts of its captions, if they are known.
        """
        page = self.page
        if frame.phase not in self._tabs:
            self._tabs[frame.phase] = {
                f"tab {i}": _tab(tab, current=i == frame.phase) for i, tab in enumerate(page.tabs)
            }
        out = dict(self._tabs[frame.phase])
        if said is not None:
            captions = [_written(texts, "text") for texts in said]
        else:
            if self._said[0] is not frame.captions:  # they stay the same while something moves
                self._said = frame.captions, [_written(texts, "text") for texts in page.said(frame.captions)]
            captions = self._said[1]
        out |= {f"caption {i}": shapes for i, shapes in enumerate(captions)}
        if page.counts:
            out["counter"] = _written([page.counted(frame.step, self._steps)], "muted")
            done, rest = page.progress(frame.step, self._steps)
            out["progress"] = Fill(done, "kernel.stroke"), Fill(rest, "inserted.fill")
        for name, place in page.places.items():
            if place.panel.titles:
                title = frame.grids[name].title
                kept = self._titles.get(name)
                if kept is None or kept[0] is not title:
                    kept = self._titles[name] = title, _title(place.titled(title))
                out[f"title {name}"] = kept[1]
        return out

    # Grids.

    def panel(self, place: Place, grid: Grid) -> Shapes:
        """A panel at rest: its cells, and the lines between them."""
        if place.dense:
            return (mosaic(place, grid),)
        rows, columns = np.nonzero(visible(place, grid))
        cells = [self.at(place, grid, row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]
        return (*cells, *lines(place, grid))

    def at(self, place: Place, grid: Grid, row: int, column: int) -> Placed:
        """One cell of a grid, at its place."""
        own = None if grid.colours is None else _colour(grid.colours[row, column])
        note = grid.notes.get((row, column), "") if place.note else ""
        top, left, _, _ = place.cell(row, column)
        role, emphasis = int(grid.roles[row, column]), int(grid.emphasis[row, column])
        return Placed(left, top, self.cells.of(place, role, emphasis, grid.values[row, column].item(), note, own))

    # Shapes over the grids.

    def over(self, frame: Frame) -> Iterator[Shape]:
        """The shapes over the page at rest, back to front: moving cells, links, outlines."""
        yield from self._floats.of(frame, flying=False)
        yield from self._links(frame)
        for name, place in self.page.places.items():
            if place.dense:
                yield from _given(place, frame.grids[name])
            for outline in frame.grids[name].outlines:
                yield from self._outline(place, outline)
        yield from self._floats.of(frame, flying=True)

    def _outline(self, place: Place, outline: Outline) -> Iterator[Shape]:
        """An outline around some cells; if dashed, it is thin and lies inside of them, where no number reaches."""
        top, left, bottom, right, role, dashed, down, across = outline
        ink = theme.STROKE[role]
        if dashed:
            thick = max(1, round(0.4 * self.page.stroke))
            if not place.tilted:
                thick = min(thick, max(1, (place.pitch - place.line) // 20))
            for side in place.inner(top, left, bottom, right, thick):
                wide = length(*side)
                # Odd, so that there is a dash in each corner.
                count = int(wide) // max(2, place.pitch // 7) // 2 * 2 + 1
                yield Stroke((side,), thick, ink, dash=wide / count)
            return
        if (
            role == Role.KERNEL and place.line and place.tilted and not (down or across)
        ):  # dashes would show beside the kernel's outline
            inner = [place.corners(row, left, row, right)[::2] for row in range(top + 1, bottom)]
            inner += [place.corners(top, column, bottom, column)[::2] for column in range(left + 1, right)]
            if inner:
                yield Stroke(tuple(inner), place.line, "line", behind=_NUMBERS)
        thick = min(self.page.stroke, max(2, place.pitch // 6))
        ends = top + down, left + across, bottom + down, right + across
        if place.tilted:
            corners = place.corners(*ends)
            yield Stroke(((*corners, corners[0]),), thick, ink)
            return
        around = (thick + place.line) // 2  # the corners of outline and cell have the same centre
        yield Ring(place.frame(*ends, thick), ink, place.radius + around if place.line > 1 else 0, thick)

    def _links(self, frame: Frame) -> Iterator[Shape]:
        """The links from windows to cells."""
        for link in frame.links:
            if link.panel not in self.page.places or link.other not in self.page.places:
                continue
            one, other = self.page.places[link.panel], self.page.places[link.other]
            lenses = [
                place for place in self.page.places.values() if (place.panel.magnifies or "")[:1] == (link.panel,)
            ]
            if one.tilted and other.tilted:
                for lens in lenses:
                    yield from slanted(link, one, lens, max(1.0, 0.3 * self.page.stroke))
                yield from self._between_planes(link, one, other)
            elif lenses or self.page.paired:
                alone = _alone(link, frame.links)
                passed = lenses or [place for place in self.page.places.values() if place.panel.shade == "kernel"]
                yield from lens_lines(link, one, other if alone else None, passed, max(2.0, 0.4 * self.page.stroke))
            elif link.cells and self.page.links == "fan":
                yield self._fan(link, one, other)
            elif link.cells and _alone(link, frame.links) and not (one.tilted or other.tilted):
                yield from self._wires.of(link)

    def _between_planes(self, link: Link, one: Place, other: Place) -> Iterator[Shape]:
        """A translucent pyramid from the window to the cell, below the numbers."""
        row, column = (at + by for at, by in zip(link.cell, link.moved, strict=True))
        top, left, bottom, right, _, _, down, across = link.window
        window = one.corners(top + down, left + across, bottom + down, right + across)
        cell = other.corners(row, column, row + 1, column + 1)
        yield Clipped((Veil(around((*window, *cell)), "kernel.stroke"),), outside=window)
        yield Stroke(
            tuple(zip(window, cell, strict=True)), max(1.0, 0.3 * self.page.stroke), "kernel.stroke", behind=LETTERS
        )

    def _fan(self, link: Link, one: Place, other: Place) -> Shape:
        """Lines from each cell under the window to the single cell."""
        out, down = self.page.stroke // 2, one.y < other.y

        def end(place: Place, cell: tuple[int, int], moved: tuple[float, float], *, lower: bool) -> Point:
            top, left = place.at(cell[0] + moved[0], cell[1] + moved[1])
            high, wide = place.inside
            return left + (wide + 2 * place.line) // 2, (top - out) if lower else (top + high + 2 * place.line + out)

        at = end(other, link.cell, link.moved, lower=down)
        by = link.window.down, link.window.across
        pairs = tuple((end(one, cell, by, lower=not down), at) for cell in link.cells)
        halo = max(1, round(0.4 * self.page.stroke))
        return Stroke(pairs, max(1.0, 0.4 * self.page.stroke), "kernel.stroke", behind=LETTERS, halo=halo)


def _given(place: Place, grid: Grid) -> Iterator[Shape]:
    """A line around the input inside of padding that copies it, where cells have no room for marks."""
    if Role.COPIED in grid.roles.tobytes():  # quicker than a comparison of all
        rows, columns = (np.flatnonzero((grid.roles == Role.DATA).any(axis=axis)) for axis in (1, 0))
        if len(rows):
            ends = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
            yield Ring(place.frame(*ends, 1), "line", 0, 1)


def _alone(link: Link, links: Sequence[Link]) -> bool:
    """Whether no other link begins or ends in the same panels: those of several planes would cross each other."""
    ends = {link.panel, link.other}
    return not any(ends & {other.panel, other.other} for other in links if other is not link)


def _scale(place: Place) -> Iterator[Shape]:
    """The scale of a shade: both ends, and a bar between them."""
    if place.scale is None:
        return
    least, bar, greatest = place.scale
    yield Words(least, "muted", "page")
    yield Words(greatest, "muted", "page")
    inks = ramp(place)
    high, wide = bar.bottom - bar.top, bar.right - bar.left
    along = max(high, wide)
    for i, ink in enumerate(inks):
        first, last = (-(-n * along // len(inks)) for n in (i, i + 1))
        if first < last:
            across = Box(bar.top, bar.left + first, bar.bottom, bar.left + last)
            yield Fill(across if wide >= high else Box(bar.bottom - last, bar.left, bar.bottom - first, bar.right), ink)


def _tab(tab: Tab, *, current: bool) -> Shapes:
    """A phase's number in a dot, and its name; the current one stands out by colour and weight."""
    if not current:
        dot = _dot(tab.dot, "inserted.fill", "page")
        return dot, Words(tab.number, "text", "inserted.fill"), Words(tab.idle, "muted", "page")
    rim = max(1, round((tab.dot.bottom - tab.dot.top) / 12))
    top, left, bottom, right = tab.dot
    inner = Box(top + rim, left + rim, bottom - rim, right - rim)
    dots = _dot(tab.dot, "kernel.stroke", "page"), _dot(inner, "kernel.lit", "kernel.stroke")
    return (*dots, Words(tab.number, "text", "kernel.lit"), Words(tab.current, "text", "page"))


def _title(title: Text) -> Shapes:
    """A title, with what is said about it in grey."""
    inks = zip(headed(title), ("text", "muted"), strict=False)
    return tuple(Words(text, ink, "page") for text, ink in inks if text.text)


def _dot(box: Box, ink: str, paper: str) -> Card:
    return Card(box, ink, (box.bottom - box.top) // 2, paper)


def _written(texts: Iterable[Text], ink: str) -> Shapes:
    """Texts on the page; a number with a mark stands on a chip in the colour of its role."""
    out: list[Shape] = []
    for text in texts:
        if text.chipped:
            waits = text.mark == WAITING
            paper = "pending.fill" if waits else f"{text.mark}.lit"
            out.append(Card(text.chip, paper, max(2, round(0.2 * text.size))))
            out += [] if waits else [Words(text, "text", paper)]
        elif text.text:
            out.append(Words(text, "muted" if text.mark else ink, "page"))
    return tuple(out)


def _colour(own: Sequence[int]) -> Colour:
    red, green, blue = own
    return int(red), int(green), int(blue)

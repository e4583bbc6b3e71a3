"""Frames as data for a player: shapes, each stored once, and what changes from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil, floor
from typing import Any

import numpy as np

from convanim.draw.cells import changed
from convanim.draw.compose import Composer
from convanim.draw.regions import part_within
from convanim.draw.rules import LINED, lines
from convanim.draw.shapes import (
    VEIL,
    Card,
    Clipped,
    Fill,
    Hatch,
    Ink,
    Placed,
    Points,
    Poly,
    Rest,
    Ring,
    Shape,
    Shapes,
    Stroke,
    Veil,
    Words,
    bounds,
)
from convanim.draw.theme import Theme
from convanim.page import Page, Place, Text, glyphs
from convanim.page.lens import magnified
from convanim.scene.frame import Frame, Grid

#: Letters are stored at this size, px, and offsets between them in tenths of a px.
EM, TENTHS = 500, 10
#: Offsets that differ by less than this from those of the advances are not stored, px.
NEAR = 0.35


class Tables:
    """Everything that is stored once: the colours, letters and cells of some drawings.

    Attributes:
        inks: the names of colours, or the colours of pictures, and their numbers.
        glyphs: letters, with their number, advance and SVG path of `EM` px.
        sprites: the shapes of cells below the lines between planes, and those above them, by their number.
        known: cells by their identity, each with its number; a kept object keeps its identity.
    """

    def __init__(self) -> None:
        self.inks: dict[Ink, int] = {}
        self.glyphs: dict[tuple[str, bool], tuple[int, float, str]] = {}
        self.sprites: list[tuple[list[Any], list[Any]]] = [([], [])]
        self.known: dict[int, tuple[Shapes, int]] = {}
        self._numbers: dict[str, int] = {}
        self._lines: dict[tuple[str, int, bool], list[list[int]]] = {}

    def ink(self, ink: Ink) -> int:
        """The number of a colour."""
        return self.inks.setdefault(ink, len(self.inks))

    def glyph(self, letter: str, *, bold: bool) -> tuple[int, float, str]:
        """The number, advance and path of a letter."""
        key = letter, bold
        if key not in self.glyphs:
            outline, advance = glyphs.outlines(letter, EM, bold), _short(glyphs.width(letter, EM, bold))
            self.glyphs[key] = len(self.glyphs), advance, _path(outline[0]) if outline else ""
        return self.glyphs[key]

    def line(self, text: str, size: int, *, bold: bool) -> list[list[int]]:
        """The glyphs of a text, and their offsets unless these follow from the advances."""
        key = text, size, bold
        if key not in self._lines:
            found = [self.glyph(letter, bold=bold) for letter in text]
            pens = [0.0, *accumulate(size * advance / EM for _, advance, _ in found)]
            offsets = [pen for pen, (_, _, path) in zip(pens, found, strict=False) if path]
            real = [outline.x for outline in glyphs.outlines(text, size, bold)]
            made = [[number for number, _, _ in found]]
            if not all(abs(a - b) < NEAR for a, b in zip(offsets, real, strict=True)):
                placed = iter(real)
                made.append([round(next(placed) * TENTHS) if path else 0 for _, _, path in found])
            self._lines[key] = made
        return self._lines[key]

    def sprite(self, lower: list[Any], upper: list[Any]) -> int:
        """The number of a cell; equal cells share it."""
        key = repr((lower, upper))
        if key not in self._numbers:
            self._numbers[key] = len(self.sprites)
            self.sprites.append((lower, upper))
        return self._numbers[key]

    def data(self, themes: Sequence[Theme], named: Sequence[str]) -> dict[str, Any]:
        """The tables as data; the inks of these names are among the colours."""
        numbers = {name: self.ink(name) for name in named}
        return {
            "em": EM,
            "tenths": TENTHS,
            "colours": [colours(self.inks, theme) for theme in themes],
            "named": numbers,
            "glyphs": [[advance, path] for _, advance, path in self.glyphs.values()],
            "sprites": self.sprites,
        }


def colours(inks: Iterable[Ink], theme: Theme) -> list[str]:
    """Inks as #rrggbb."""
    return ["#%02x%02x%02x" % (theme.colour(ink) if isinstance(ink, str) else ink) for ink in inks]


class Drawing:
    """The frames of one page as nested lists of numbers.

    A shape is a list that begins with its kind:

    - `["f", ink, x, y, width, height, radius]` is a rectangle, or a line of some width around one if that follows,
    - `["p", ink, [x, y, ...], opacity]` a polygon,
    - `["s", ink, width, [[x, y, ...], ...], dash, cap]` some lines,
    - `["w", ink, size, x, baseline, [glyph, ...], [offset, ...]]` a text; its offsets are left out if they follow
      from the advances of its glyphs,
    - `["g", x, y, sprite]` a sprite, and
    - `["c", inside, outside, [shape, ...]]` shapes inside of one polygon and outside of another.

    Args:
        page: the layout of the page.
        steps: the number of placements of the scene.
        tables: what the drawings of several pages share.
    """

    def __init__(self, page: Page, steps: int, tables: Tables | None = None) -> None:
        self.page, self._composer, self.tables = page, Composer(page, steps), tables or Tables()
        self._panels = list(page.places)
        sizes = [place.panel.shape[0] * place.panel.shape[1] for place in page.places.values()]
        self._first = dict(zip(self._panels, [0, *np.cumsum(sizes).tolist()], strict=False))
        self._before: Frame | None = None
        self._words: dict[str, Shapes] = {}

    @property
    def panels(self) -> list[dict[str, Any]]:
        """The outline of a cell of each panel, relative to the cell, and the position of each cell, row by row."""
        out = []
        for name, place in self.page.places.items():
            rows, columns = place.panel.shape
            boxes = [place.cell(row, column) for row in range(rows) for column in range(columns)]
            at = [number for box in boxes for number in (box.left, box.top)]
            out.append({"name": name, "shape": [rows, columns], "area": _flat(place.area), "at": at})
        return out

    def fixed(self) -> list[Any]:
        """The shapes that are the same in all frames."""
        return list(map(self._shape, self._composer.fixed()))

    def add(self, frame: Frame) -> dict[str, Any]:
        """What a frame changes: cells and texts; and what it has over them, and the cells that it reads and writes."""
        frame = magnified(self.page, frame)
        before = {} if self._before is None else self._before.grids
        cells = [
            number
            for name, place in self.page.places.items()
            for number in self._cells(place, frame.grids[name], before.get(name), self._first[name])
        ]
        said = self.page.said(frame.captions)
        words = self._composer.words(frame, said)
        new = {key: shapes for key, shapes in words.items() if self._words.get(key) != shapes}
        self._before, self._words = frame, words
        under: list[Any] = []
        over: list[Any] = []
        for shape in self._composer.over(frame):
            behind = isinstance(shape, Clipped) or (isinstance(shape, Stroke) and shape.behind)
            (under if behind else over).append(self._shape(shape))
        ruled = {
            name: [self._shape(line) for line in lines(place, frame.grids[name])]
            for name, place in self.page.places.items()
            if place.tilted and (name not in before or _relined(frame.grids[name], before[name]))
        }
        found: dict[str, Any] = {"c": cells, "l": ruled, "t": {k: list(map(self._shape, v)) for k, v in new.items()}}
        found |= {"u": under, "o": over}
        for key, places in (("r", frame.reads), ("w", frame.writes)):
            found[key] = [
                self._first[name] + row * self.page.places[name].panel.shape[1] + column
                for name, there in places.items()
                if name in self.page.places
                for row, column in there
            ]
        found["k"] = list(self._terms(frame, said, found["r"], found["w"]))
        return {key: value for key, value in found.items() if value}

    def _terms(
        self, frame: Frame, said: Sequence[Sequence[Text]], reads: list[int], writes: list[int]
    ) -> Iterator[list[int]]:
        """The numbers of a caption that stand for cells: the cell, and the box of the number on the page."""
        for caption, texts in zip(frame.captions, said, strict=False):
            chips = [text for text in texts if text.chipped]
            cells = [reads[number] for number in caption.numbers if number < len(reads)]
            if len(writes) != 1 or len(cells) != sum(text.mark == "data" for text in chips):
                continue  # some terms are left out, or stand for cells in several panels
            left = iter(cells)
            cell = writes[0]
            for text in chips:
                cell = next(left) if text.mark == "data" else writes[0] if text.mark == "done" else cell
                top, start, bottom, end = text.chip
                yield [cell, start, top, end - start, bottom - top]

    def _cells(self, place: Place, grid: Grid, before: Grid | None, first: int) -> Iterator[int]:
        """The numbers of changed cells, each followed by that of its sprite."""
        if grid is before:
            return
        rows, columns = np.nonzero(changed(place, grid, before))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            shapes = self._composer.at(place, grid, row, column).shapes
            yield first + row * place.panel.shape[1] + column
            yield self._sprite(shapes)

    def _sprite(self, shapes: Shapes) -> int:
        known = self.tables.known.get(id(shapes))
        if known is None:
            start = letters_of(shapes)
            lower, upper = (list(map(self._shape, part)) for part in (shapes[:start], shapes[start:]))
            known = self.tables.known[id(shapes)] = shapes, self.tables.sprite(lower, upper)
        return known[1]

    def _shape(self, shape: Shape) -> list[Any]:  # noqa: PLR0911 - one for each kind
        match shape:
            case Fill(box, ink):
                return ["f", self.tables.ink(ink), box.left, box.top, box.right - box.left, box.bottom - box.top, 0]
            case Card(box, ink, radius):
                return [
                    "f",
                    self.tables.ink(ink),
                    box.left,
                    box.top,
                    box.right - box.left,
                    box.bottom - box.top,
                    radius,
                ]
            case Ring((top, left, bottom, right), ink, radius, thick):
                half, wide, high = thick / 2, right - left - thick, bottom - top - thick
                middle = [_short(at) for at in (left + half, top + half, wide, high, max(0, radius - half))]
                return ["f", self.tables.ink(ink), *middle, thick]
            case Poly(points, ink):
                return ["p", self.tables.ink(ink), _flat(points), 1]
            case Veil(points, ink):
                return ["p", self.tables.ink(ink), _flat(points), VEIL]
            case Stroke():
                cap = int(not shape.dash and any(a[0] != b[0] and a[1] != b[1] for a, *_, b in shape.lines))
                return [
                    *("s", self.tables.ink(shape.ink), _short(shape.width), [_flat(line) for line in shape.lines]),
                    *(_short(shape.dash), cap),
                ]
            case Hatch(area, ink, gap, falls):
                lines = [_flat(line) for line in lines_of(area, gap, falls=falls)]
                return ["s", self.tables.ink(ink), 0.7, lines, 0, 0]
            case Words(text, ink):
                return self._text(text.text, text.size, text.bold, self.tables.ink(ink), text.x, text.baseline)
            case Placed(x, y, shapes):
                return ["g", x, y, self._sprite(shapes)]
            case Clipped(shapes, inside, outside):
                return ["c", _flat(inside), _flat(outside), list(map(self._shape, shapes))]
            case Rest(shapes, inside):
                return ["c", _flat(inside), [], list(map(self._shape, shapes))]
        raise AssertionError(shape)

    def _text(self, text: str, size: int, bold: bool, ink: int, x: float, baseline: float) -> list[Any]:
        return ["w", ink, size, _short(x), baseline, *self.tables.line(text, size, bold=bold)]


def _relined(grid: Grid, before: Grid) -> bool:
    return grid is not before and not np.array_equal(LINED[grid.roles], LINED[before.roles])


def letters_of(shapes: Shapes) -> int:
    """The position of the first shape of a cell's texts, with the ground that is cleared for them."""
    for i, shape in enumerate(shapes):
        if isinstance(shape, Words):
            return i - (i > 1 and isinstance(shapes[i - 1], Fill | Card))
    return len(shapes)


def lines_of(area: Points, gap: int, *, falls: bool) -> Iterator[Points]:
    """The lines of a hatching within an area."""
    _, left, _, right = bounds(area)
    low, *_, high = sorted((y - x if falls else x + y) for x, y in area)
    for step in range(ceil(low / gap), floor(high / gap) + 1):
        at = step * gap
        line = ((left, left + at), (right, right + at)) if falls else ((left, at - left), (right, at - right))
        if part := part_within(line, area):
            yield part


def printed(text: str) -> str:
    """A text without the characters that XML cannot have."""
    return "".join(letter if letter == "\n" or letter.isprintable() else " " for letter in text)


def _short(number: float) -> float:
    """A number with at most two decimals."""
    rounded = round(float(number), 2)
    return int(rounded) if rounded.is_integer() else rounded


def _flat(points: Sequence[tuple[float, float]]) -> list[float]:
    return [_short(number) for point in points for number in point]


def _path(letter: glyphs.Outline) -> str:
    """A letter as an SVG path with y downwards, in whole px."""
    whole = np.rint(letter.points * (1, -1)).astype(int).tolist()
    out, at = [], 0
    lengths = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("z", 0)}
    codes = letter.codes.tolist()
    while at < len(codes):
        command, count = lengths[codes[at]]
        out.append(command + " ".join(f"{x} {y}" for x, y in whole[at : at + count]).replace(" -", "-"))
        at += max(count, 1)
    return "".join(out)

"""A page: the places of panels and texts in whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np

from convanim.language.words import Catalogue, say, translate
from convanim.page import glyphs
from convanim.page.lattice import Lattice, Point, Step
from convanim.page.style import SMALLEST
from convanim.page.texts import Box, Slot, Text, around, headed, in_column, in_line, in_two
from convanim.scene.caption import Caption
from convanim.scene.frame import Panel

#: The minimum side of a cell with round corners (px), and the ratio of its side to their radius.
ROUND_FROM, ROUND = 14, 11
#: The minimum distance between a number and the note below it, px.
CLEAR = 3


class Tab(NamedTuple):
    """A phase along the top of the page: its number in a dot, and its name, bold while the phase is current."""

    dot: Box
    number: Text
    idle: Text
    current: Text


class Scale(NamedTuple):
    """The legend of a shade: its least value, a bar from low to high, its greatest value."""

    low: Text
    bar: Box
    high: Text

    @property
    def box(self) -> Box:
        """The box around all of it."""
        return around([self.low.box, self.bar, self.high.box])

    def moved(self, across: int, down: int) -> Scale:
        """The legend further to the right and further down, px."""
        low, bar, high = self
        return Scale(low.moved(across, down), bar.moved(across, down), high.moved(across, down))


@dataclass(frozen=True, eq=False)
class Place:
    """The position of a panel's grid, and how its cells are drawn.

    Attributes:
        x, y: the upper left corner, px.
        pitch: the distance from one cell to the next, px, of which `line` is the gap, or the line between tilted cells.
        number: the size of the numbers in px, 0 if cells are shaded or show a picture's colours instead.
        note: the size of the small text in the corner of cells, 0 for none.
        title: the position of the title.
        scale: the legend of a shade; None for no legend.
        low, high: the values at the ends of the shade.
        plain: whether cells have the colour of their role instead of a shade.
        per: the number of cells per pixel along each axis, more than 1 in a grid with more cells than the page has
            pixels for; `pitch` is 1 then.
        tall: the height of a row in a strip of narrow cells, px, whatever `per` is; 0 if cells are square.
    """

    panel: Panel
    x: int
    y: int
    pitch: int
    line: int
    number: int
    note: int
    title: Text
    scale: Scale | None
    low: float
    high: float
    plain: bool = False
    per: float = 1.0
    tall: int = 0

    @property
    def dense(self) -> bool:
        """Whether its cells are so small that nothing stands between them: they are drawn all at once."""
        return not (self.line or self.number or self.tilted)

    @property
    def shaded(self) -> bool:
        """Whether cells are shaded by value."""
        return not (self.number or self.plain) and self.panel.colours is None and self.panel.numerals.measures

    @property
    def ghosts(self) -> bool:
        """Whether outlines show where cells will come, so that the title is never far from what is seen of the grid."""
        return not self.panel.aside

    @property
    def signed(self) -> bool:
        """Whether the values have both signs, so that the shade has a ramp for each."""
        return self.low < 0 < self.high

    @cached_property
    def box(self) -> Box:
        """The box around the grid with its outer lines."""
        foot, end = self.at(*self.panel.shape)
        return Box(self.y, self.x, foot + self.line, end + self.line)

    @cached_property
    def inside(self) -> tuple[int, int]:
        """The height and width of a drawn cell, px."""
        wide = max(self.pitch, ceil(self.pitch / self.per - 1e-9)) - self.line
        return self.tall - self.line if self.tall else wide, wide

    @cached_property
    def radius(self) -> int:
        """The radius of the corners of a cell, px; 0 if cells are too small for round ones."""
        side = self.pitch - self.line
        return round(side / ROUND) if side >= ROUND_FROM else 0

    @property
    def tilted(self) -> bool:
        """Whether its cells are parallelograms."""
        return False

    @cached_property
    def lattice(self) -> Lattice:
        """The vectors from cell to cell."""
        high, wide = self.inside
        return Lattice(Step(wide + self.line, 0), Step(0, high + self.line))

    @cached_property
    def area(self) -> tuple[Point, ...]:
        """The corners of a cell, relative to the upper left corner of the box around it."""
        return tuple(self.spot(row, column) for row, column in ((0, 0), (0, 1), (1, 1), (1, 0)))

    def spot(self, row: float, column: float) -> Point:
        """A point of a cell, given as fractions of its sides, relative to its upper left corner."""
        high, wide = self.inside
        return column * wide, row * high

    def corners(self, top: float, left: float, bottom: float, right: float) -> tuple[tuple[int, int], ...]:
        """The (x, y) of the corners of a rectangle of cells with the lines above and on the left, once around it."""
        (y, x), (foot, end) = self.at(top, left), self.at(bottom, right)
        return (x, y), (end, y), (end, foot), (x, foot)

    def frame(self, top: float, left: float, bottom: float, right: float, thick: int) -> Box:
        """The box around an outline of this thickness in the gaps around a rectangle of cells."""
        small = self.pitch / self.per < 3 * thick  # a line inside would hide the cells
        out = thick if small else (thick - self.line) // 2
        y, x = self.at(top, left)
        end = x + round((right - left) * self.pitch / self.per) + self.line
        foot = y + round((bottom - top) * (self.tall or self.pitch / self.per)) + self.line
        return Box(y - out, x - out, foot + out, end + out)

    def inner(self, top: int, left: int, bottom: int, right: int, thick: int) -> tuple[tuple[Point, Point], ...]:
        """The sides of an outline inside a rectangle of cells."""
        first, last, half = self.cell(top, left), self.cell(bottom - 1, right - 1), thick / 2
        ys, xs = (first.top + half, last.bottom - half), (first.left + half, last.right - half)
        across = tuple(((first.left, y), (last.right, y)) for y in ys)
        return (*across, *(((x, first.top), (x, last.bottom)) for x in xs))

    def hull(self, top: float, left: float, bottom: float, right: float, pad: float = 0.0) -> tuple[Point, ...]:
        """The corners of a rectangle of cells with the lines around it, enlarged by `pad` px."""
        (x, y), _, (end, foot), _ = self.corners(top, left, bottom, right)
        near, top, far, low = x - pad, y - pad, end + self.line + pad, foot + self.line + pad
        return (near, top), (far, top), (far, low), (near, low)

    def cell(self, row: int, column: int) -> Box:
        """The box of a cell without the gaps around it."""
        top, left = (at + self.line for at in self.at(row, column))
        high, wide = self.inside
        return Box(top, left, top + high, left + wide)

    def at(self, row: float, column: float) -> tuple[int, int]:
        """The upper left corner (y, x) of a cell with the gap around it, px; row and column may be fractions.

        The rounding error is the same for all cells that differ by whole rows and columns.
        """
        if self.per == 1:
            return self.y + round(row * (self.tall or self.pitch)), self.x + round(column * self.pitch)
        # The pixel that holds the cell, or the edge of the grid.
        down = round(row * self.tall) if self.tall else ceil(row / self.per - 1e-9)
        return self.y + down, self.x + ceil(column / self.per - 1e-9)

    def titled(self, title: str) -> Text:
        """The title of a frame; a panel with few titles shows the part before the comma, or its own."""
        titles = self.panel.titles
        head = headed(Text(title, 0, 0, 1))[0].text
        said = title if title in ("", *titles) else head if head in titles else titles[0]
        return self.title._replace(text=said)

    def number_text(self, text: str, bold: bool = False) -> Text:
        """A number centred in a cell, or above a note; x and baseline are relative to the corner of the cell's box."""
        high, wide = self.inside
        x, baseline = round((wide - glyphs.width(text, self.number, bold)) / 2), middle(high, self.number)
        if self.note:
            baseline = min(baseline, note_top(self.panel.notes, high, self.note) - CLEAR)
        return Text(text, x, baseline, self.number, bold)

    def holds(self, note: str) -> bool:
        """Whether a note fits into a cell: the panel's longest does, but others may be too long."""
        return glyphs.width(note, self.note) <= self.pitch - self.line - 2

    def note_text(self, text: str, *, centred: bool = False) -> Text:
        """A note at a cell's lower edge, on the right or centred; its position is relative to the cell's corner."""
        side = self.pitch - self.line
        free = side - glyphs.width(text, self.note)
        # A bracket that touches an outline would look like a part of it.
        edge = max(4, 0.08 * side) if inked(self.panel.notes)[1] else max(1, 0.05 * side)
        x = round(free / 2) if centred else max(0, round(free - edge))
        return Text(text, x, note_base(self.panel.notes, side, self.note), self.note)


@dataclass(frozen=True, eq=False)
class Page:
    """The page of an animation.

    Attributes:
        bar: the height of the progress bar along the bottom edge, px.
        counts: whether the step count and the progress bar are shown.
        smallest: the minimum size of captions, px.
        motion_colours: whether cells under the window are lit.
        heads, rules: the titles of two stories, and the hairline between them.
        links: how linked cells are joined: "planes", "fan", or "" for wires.
        words: the catalogue of its language, None for English.
    """

    width: int
    height: int
    title: Text
    detail: Text
    tabs: tuple[Tab, ...]
    places: dict[str, Place]
    signs: tuple[Text, ...]
    captions: tuple[Slot, ...]
    counter: Text
    stroke: int
    bar: int
    counts: bool = True
    smallest: int = SMALLEST
    motion_colours: bool = True
    words: Catalogue | None = None
    links: str = ""
    heads: tuple[Text, ...] = ()
    rules: tuple[Box, ...] = ()

    @property
    def paired(self) -> bool:
        """Whether it has two grids without gaps for wires, and besides them only a kernel or a magnified window."""
        others = [p for p in self.places.values() if p.panel.shade != "kernel" and not p.panel.magnifies]
        return len(others) == 2 and all(place.dense for place in others)

    def progress(self, step: int, steps: int) -> tuple[Box, Box]:
        """The bar along the bottom edge: the part for the first steps, and the rest."""
        top, end = self.height - self.bar, round(self.width * step / max(1, steps))
        return Box(top, 0, self.height, end), Box(top, end, self.height, self.width)

    def counted(self, step: int, steps: int) -> Text:
        """The step count in the corner; empty before the first step."""
        if not step:
            return self.counter._replace(text="")
        text = counted(step, steps, self.words)
        # Right-aligned: digits are all of one width, so the text stays still.
        return self.counter._replace(text=text, x=self.counter.x - round(glyphs.width(text, self.counter.size)))

    def said(self, captions: Sequence[Caption]) -> list[tuple[Text, ...]]:
        """The texts of a frame's captions; remarks below each other have the same size."""
        lines = [self.lines(i, caption) for i, caption in enumerate(captions[: len(self.captions)])]
        if self.rules or any(caption.subject for caption in captions):
            return lines
        size = min((text.size for texts in lines for text in texts), default=0)
        return [tuple(text._replace(size=size) for text in texts) for texts in lines]

    def lines(self, line: int, caption: Caption) -> tuple[Text, ...]:
        """A caption's text: in as many lines as its slot has, or in two if nothing else is near and it is too long.

        Example:
            >>> from convanim.page import layout
            >>> from convanim.layers import Conv
            >>> from convanim.scene import scene
            >>> page = layout(scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])), 1280, 720)
            >>> [text.size for text in page.lines(0, Caption(remark="short"))]
            [25]
            >>> [text.size for text in page.lines(0, Caption(remark="a long one " * 12))]
            [18, 18]
        """
        slot = self.captions[line]
        if slot.lines > 1:
            return in_column(slot, caption)
        alone = len(self.captions) == 1 or (self.rules and line == len(self.captions) - 1)
        two = in_two(slot, caption, self.height - self.bar) if alone else ()
        return two or in_line(slot, caption)


def counted(step: int, steps: int, words: Catalogue | None = None) -> str:
    """The step count in the language of a catalogue."""
    return translate(say("{n} of {steps}", n=step, steps=steps), words)


def middle(side: int, size: int) -> int:
    """The baseline that centres capitals in this height."""
    return round((side + glyphs.CAPITALS * size) / 2)


@lru_cache(maxsize=256)
def inked(text: str) -> tuple[float, float]:
    """The ascent of a text (at least that of capitals) and its descent, as fractions of its size.

    Example:
        >>> inked("×3")[1], inked("[1,3]")[1] > 0.1
        (0.0, True)
    """
    drawn = glyphs.line(text, 100)
    rows = np.flatnonzero((drawn.coverage > drawn.coverage.max(initial=0) // 2).any(axis=1))
    if not len(rows):
        return glyphs.CAPITALS, 0.0
    drop = max(0, int(rows[-1]) + 1 - drawn.rise)
    # Round letters overshoot the baseline a little, which does not count.
    return max(glyphs.CAPITALS, (drawn.rise - int(rows[0])) / 100), drop / 100 if drop > 3 else 0.0


def note_base(notes: str, side: int, size: int) -> int:
    """The baseline of the notes in a cell, given the longest one."""
    return side - max(1, round(0.07 * side)) - ceil(inked(notes)[1] * size)


def note_top(notes: str, side: int, size: int) -> int:
    """The top of the notes in a cell, given the longest one."""
    rise, drop = inked(notes)
    return note_base(notes, side, size) - (round if not drop else ceil)(rise * size)

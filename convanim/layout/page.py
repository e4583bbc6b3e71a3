"""A page: places, texts and boxes, in whole pixels.

Knows what has a place and how text is fitted into it. Must not know how the places were found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np

from convanim import glyphs
from convanim.layout.lattice import Lattice, Point, Step
from convanim.layout.style import SMALLEST
from convanim.scene.frame import Caption, Panel
from convanim.words import Catalogue, say, translate

#: What parts the clauses of a caption, of which the last ones may be left out: the first of these that it has.
CLAUSES = "; ", ", "
#: A caption is rather set smaller than shortened down to one part of its size, and never smaller than another.
NEARLY, LEAST = 0.8, 0.7
#: From this character on scripts have no spaces between words.
WORDLESS = "\u2e80"


class Box(NamedTuple):
    """A rectangle in px: [top, bottom) x [left, right)."""

    top: int
    left: int
    bottom: int
    right: int


class Text(NamedTuple):
    """A line of text: where its pen starts, its baseline, its size in px."""

    text: str
    x: int
    baseline: int
    size: int
    bold: bool = False

    @property
    def box(self) -> Box:
        """The pixels that it may cover, from the top of the capitals to the end of the descenders."""
        high, low = round(glyphs.CAPITALS * self.size), round(0.24 * self.size)
        right = self.x + round(glyphs.width(self.text, self.size, self.bold))
        return Box(self.baseline - high, self.x, self.baseline + low, right)


class Tab(NamedTuple):
    """A phase's name along the top, drawn bold while it is current, over a line."""

    idle: Text
    current: Text
    underline: Box


@dataclass(frozen=True, eq=False)
class Place:
    """Where a panel's grid lies and how its cells are drawn.

    Attributes:
        x, y: its upper left corner, px.
        pitch: from one cell to the next, px; `line` of them are the grid line.
        number: size of the numbers in px, 0 where a shade stands for them, or a picture's own colours.
        note: size of the small text in the corner, 0 for none.
        title: its pen and baseline.
        scale: what explains a shade (its low end, the bar, its high end), None where there is none.
        low, high: the values that the ends of a shade stand for.
        plain: no shade stands for its values: cells have the colour of their role.
    """

    panel: Panel
    x: int
    y: int
    pitch: int
    line: int
    number: int
    note: int
    title: Text
    scale: tuple[Text, Box, Text] | None
    low: float
    high: float
    plain: bool = False

    @property
    def shaded(self) -> bool:
        """Whether a shade stands for its values."""
        return not (self.number or self.plain) and self.panel.colours is None and self.panel.numerals.measures

    @property
    def signed(self) -> bool:
        """Whether its numbers lie on both sides of zero: a shade then has a ramp for either."""
        return self.low < 0 < self.high

    @property
    def box(self) -> Box:
        """The grid with its outer lines."""
        rows, columns = self.panel.shape
        return Box(self.y, self.x, self.y + rows * self.pitch + self.line, self.x + columns * self.pitch + self.line)

    @property
    def inside(self) -> tuple[int, int]:
        """The height and width of a drawn cell, px."""
        return self.pitch - self.line, self.pitch - self.line

    @property
    def tilted(self) -> bool:
        """Whether its cells are parallelograms."""
        return False

    @cached_property
    def lattice(self) -> Lattice:
        """The steps from cell to cell."""
        return Lattice(Step(self.pitch, 0), Step(0, self.pitch))

    @property
    def area(self) -> tuple[Point, ...]:
        """The corners of a cell, from its upper left corner."""
        high, wide = self.inside
        return (0, 0), (wide, 0), (wide, high), (0, high)

    def spot(self, row: float, column: float) -> Point:
        """A point of a cell, given in parts of its sides, from its upper left corner."""
        high, wide = self.inside
        return column * wide, row * high

    def corners(self, top: float, left: float, bottom: float, right: float) -> tuple[tuple[int, int], ...]:
        """The (x, y) of the corners of some cells with the lines above them and on their left, once around."""
        (y, x), (foot, end) = self.at(top, left), self.at(bottom, right)
        return (x, y), (end, y), (end, foot), (x, foot)

    def rule(self, top: int, left: int, bottom: int, right: int, *, ends: bool = True) -> tuple[Point, Point]:
        """Both ends of a line between cells, from one corner of cells to another one in its row or column.

        Args:
            ends: whether the far end reaches over the line that crosses it there.
        """
        (y, x), (foot, end), half = self.at(top, left), self.at(bottom, right), self.line / 2
        more = self.line if ends else 0
        if top == bottom:
            return (x, y + half), (end + more, y + half)
        return (x + half, y), (x + half, foot + more)

    def ring(self, top: float, left: float, bottom: float, right: float, thick: int) -> tuple[Point, ...]:
        """The corners of a frame of this thickness around some cells."""
        out = (thick - self.line) // 2 - thick / 2
        y, x = self.at(top, left)
        end = x + round((right - left) * self.pitch) + self.line
        foot = y + round((bottom - top) * self.pitch) + self.line
        return (x - out, y - out), (end + out, y - out), (end + out, foot + out), (x - out, foot + out)

    def inner(self, top: int, left: int, bottom: int, right: int, thick: int) -> tuple[tuple[Point, Point], ...]:
        """The sides of a frame inside of some cells."""
        first, last, half = self.cell(top, left), self.cell(bottom - 1, right - 1), thick / 2
        ys, xs = (first.top + half, last.bottom - half), (first.left + half, last.right - half)
        across = tuple(((first.left, y), (last.right, y)) for y in ys)
        return (*across, *(((x, first.top), (x, last.bottom)) for x in xs))

    def hull(self, top: float, left: float, bottom: float, right: float, pad: float = 0.0) -> tuple[Point, ...]:
        """The corners of some cells with the lines around them, and some px more on every side."""
        (x, y), _, (end, foot), _ = self.corners(top, left, bottom, right)
        near, top, far, low = x - pad, y - pad, end + self.line + pad, foot + self.line + pad
        return (near, top), (far, top), (far, low), (near, low)

    def cell(self, row: int, column: int) -> Box:
        """A cell without its grid lines."""
        top, left = self.y + row * self.pitch + self.line, self.x + column * self.pitch + self.line
        return Box(top, left, top + self.pitch - self.line, left + self.pitch - self.line)

    def at(self, row: float, column: float) -> tuple[int, int]:
        """The upper left corner (y, x) of a cell with its grid lines, px; between two cells, too.

        A cell that moves by whole cells moves by whole pitches: what is rounded is the same for all of them.
        """
        return self.y + round(row * self.pitch), self.x + round(column * self.pitch)

    def number_text(self, text: str, bold: bool = False) -> Text:
        """A number in the middle of a cell; the pen is relative to the cell's corner."""
        side = self.pitch - self.line
        x = round((side - glyphs.width(text, self.number, bold)) / 2)
        return Text(text, x, middle(side, self.number), self.number, bold)

    def holds(self, note: str) -> bool:
        """Whether a note fits into a cell: the panel's longest does, others may be too long for it."""
        return glyphs.width(note, self.note) <= self.pitch - self.line - 2

    def note_text(self, text: str, *, centred: bool = False) -> Text:
        """A note at a cell's lower edge, on the right or centred; the pen is relative to the cell's corner."""
        side = self.pitch - self.line
        free = side - glyphs.width(text, self.note)
        # A bracket beside a frame would look like a part of it.
        edge = max(4, 0.08 * side) if inked(self.panel.notes)[1] else max(1, 0.05 * side)
        x = round(free / 2) if centred else max(0, round(free - edge))
        return Text(text, x, note_base(self.panel.notes, side, self.note), self.note)


@dataclass(frozen=True, eq=False)
class Page:
    """The page of an animation.

    Attributes:
        counts: whether the step count is shown.
        smallest: no caption is set smaller than this, px.
        motion_colours: whether cells take the kernel's colour under the window.
        links: how linked cells are joined: "planes", "fan", or "" where they are not.
        words: those of its language, None for English.
    """

    width: int
    height: int
    title: Text
    detail: Text
    tabs: tuple[Tab, ...]
    places: dict[str, Place]
    signs: tuple[Text, ...]
    captions: tuple[Text, ...]
    caption_width: int
    counter: Text
    stroke: int
    counts: bool = True
    smallest: int = SMALLEST
    motion_colours: bool = True
    words: Catalogue | None = None
    links: str = ""

    def counted(self, step: int, steps: int) -> Text:
        """The step count in the corner, or an empty text before the first step."""
        if not step:
            return self.counter._replace(text="")
        text = counted(step, steps, self.words)
        # The total's digits keep the right edge still: digits are all of one width.
        return self.counter._replace(text=text, x=self.counter.x - round(glyphs.width(text, self.counter.size)))

    def said(self, captions: Sequence[Caption]) -> list[tuple[Text, ...]]:
        """The texts of a frame's captions: remarks that stand below each other have one size."""
        lines = [self.lines(i, caption) for i, caption in enumerate(captions[: len(self.captions)])]
        if any(caption.subject for caption in captions):
            return lines
        size = min((text.size for texts in lines for text in texts), default=0)
        return [tuple(text._replace(size=size) for text in texts) for texts in lines]

    def lines(self, line: int, caption: Caption) -> tuple[Text, ...]:
        """A caption's text, in two lines where it is the only caption and would be too long for one.

        Example:
            >>> from convanim.layout import layout
            >>> from convanim.ops import Conv
            >>> from convanim.scene import scene
            >>> page = layout(scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])), 1280, 720)
            >>> [text.size for text in page.lines(0, Caption(remark="short"))]
            [25]
            >>> [text.size for text in page.lines(0, Caption(remark="a long one " * 12))]
            [18, 18]
        """
        place, text = self.captions[line], caption.text()
        if len(self.captions) == 1 and not caption.subject:
            size = max(self.smallest, round(LEAST * place.size))
            long = glyphs.width(text, round(NEARLY * place.size)) > self.caption_width
            two = _halves(text, size) if long else None
            # Both are where the one line is, half of a line above its middle and half of a line below.
            apart, down = round(1.3 * size), round(glyphs.CAPITALS * (size - place.size) / 2)
            first = place.baseline + down - apart // 2
            fits = two and max(glyphs.width(half, size) for half in two) <= self.caption_width
            if two and fits and first + apart + round(0.24 * size) <= self.height:
                return tuple(Text(half, place.x, first + i * apart, size) for i, half in enumerate(two))
        return (self.caption(line, caption),)

    def caption(self, line: int, caption: Caption) -> Text:
        """A caption's text, with as many of its terms or clauses as fit at its size, or nearly.

        What still does not fit is set smaller, but stays a caption (`LEAST`), and then ends after a whole word.
        """
        place = self.captions[line]

        def fits(text: str, part: float = 1) -> bool:
            return glyphs.width(text, round(part * place.size)) <= self.caption_width

        text, most = caption.text(), len(caption.terms)
        if caption.subject and most <= 2 and not fits(text):
            caption = replace(caption, remark="")
            text = caption.text()
        while not fits(text) and most > 2:
            most -= 1
            text = caption.text(most)
        if not caption.subject and not fits(text, NEARLY):
            text = _shortened(text, fits)
        least = max(self.smallest, round(LEAST * place.size))
        size = next((size for size in range(place.size, least, -1) if fits(text, size / place.size)), least)
        while not fits(text, size / place.size) and most > 0:
            most -= 1
            text = caption.text(most)
        if not fits(text, size / place.size):
            text = _cut(text, size, self.caption_width)
        return place._replace(text=text, size=size)


def counted(step: int, steps: int, words: Catalogue | None = None) -> str:
    """The step count in the words of a catalogue."""
    return translate(say("step {n} / {steps}", n=step, steps=steps), words)


def _shortened(text: str, fits: Callable[[str], bool]) -> str:
    """As many of the clauses of a text, the first ones, as fit; at least the first one."""
    between = next((some for some in CLAUSES if some in text), CLAUSES[0])
    clauses = text.split(between)
    tried = [between.join([*clauses[:n], "…"]) for n in range(len(clauses) - 1, 0, -1)]
    return next(filter(fits, tried), tried[-1] if tried else text)


def _ends(text: str) -> list[int]:
    """Where words of a text end, or could end in a script without spaces."""
    return [n for n in range(1, len(text)) if text[n] == " " or max(text[n - 1], text[n]) >= WORDLESS]


def _halves(text: str, size: int) -> tuple[str, str] | None:
    """A text in two lines, as long as each other as words allow."""
    tried = [(text[:n].rstrip(), text[n:].lstrip()) for n in _ends(text)]
    return min(tried, key=lambda two: max(glyphs.width(half, size) for half in two), default=None)


def _cut(text: str, size: int, width: float) -> str:
    """The first words of a text that fit; where words are not parted by spaces, the first characters."""
    tried = (text[:n].rstrip(" ,;:") + " …" for n in reversed(_ends(text)))
    return next((some for some in tried if glyphs.width(some, size) <= width), "…")


def middle(side: int, size: int) -> int:
    """The baseline that puts capitals in the middle of a side."""
    return round((side + glyphs.CAPITALS * size) / 2)


@lru_cache(maxsize=256)
def inked(text: str) -> tuple[float, float]:
    """How far a text rises over its baseline, at least as capitals do, and drops below it, in parts of its size.

    Example:
        >>> inked("×3")[1], inked("[1,3]")[1] > 0.1
        (0.0, True)
    """
    drawn = glyphs.line(text, 100)
    rows = np.flatnonzero((drawn.coverage > drawn.coverage.max(initial=0) // 2).any(axis=1))
    if not len(rows):
        return glyphs.CAPITALS, 0.0
    drop = max(0, int(rows[-1]) + 1 - drawn.rise)
    # What is round reaches a little below the line, and is not meant to.
    return max(glyphs.CAPITALS, (drawn.rise - int(rows[0])) / 100), drop / 100 if drop > 3 else 0.0


def note_base(notes: str, side: int, size: int) -> int:
    """The baseline of the notes in a cell, of which this is the longest."""
    return side - max(1, round(0.07 * side)) - ceil(inked(notes)[1] * size)


def note_top(notes: str, side: int, size: int) -> int:
    """Where the notes in a cell begin, of which this is the longest."""
    rise, drop = inked(notes)
    return note_base(notes, side, size) - (round if not drop else ceil)(rise * size)

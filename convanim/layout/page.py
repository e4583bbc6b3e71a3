"""A page: places, texts and boxes, in whole pixels.

Knows what has a place and how text is fitted into it. Must not know how the places were found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs
from convanim.layout.style import SMALLEST
from convanim.scene.frame import Caption, Panel
from convanim.words import Catalogue, say, translate


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

    def leaning(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What is marked in a square cell, marked in a cell as it lies here."""
        return mask

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
        x = round(free / 2) if centred else max(0, round(free - max(1, 0.05 * side)))
        return Text(text, x, side - max(1, round(0.07 * side)), self.note)


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

    def caption(self, line: int, caption: Caption) -> Text:
        """A caption's text, with as many of its terms as fit; what still does not is set smaller."""
        place = self.captions[line]
        text, most = caption.text(), len(caption.terms)
        if caption.subject and most <= 2 and glyphs.width(text, place.size) > self.caption_width:
            caption = replace(caption, remark="")
            text = caption.text()
        while glyphs.width(text, place.size) > self.caption_width and most > 2:
            most -= 1
            text = caption.text(most)
        while glyphs.width(text, place.size) > self.caption_width and place.size > self.smallest:
            place = place._replace(size=place.size - 1)
        if glyphs.width(text, place.size) > self.caption_width:
            text = _cut(text, place.size, self.caption_width)
        return place._replace(text=text)


def counted(step: int, steps: int, words: Catalogue | None = None) -> str:
    """The step count in the words of a catalogue."""
    return translate(say("step {n} / {steps}", n=step, steps=steps), words)


def _cut(text: str, size: int, width: float) -> str:
    while text and glyphs.width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def middle(side: int, size: int) -> int:
    """The baseline that puts capitals in the middle of a side."""
    return round((side + glyphs.CAPITALS * size) / 2)

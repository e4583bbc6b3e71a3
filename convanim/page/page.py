"""A page: the places of panels and texts in whole pixels, and the fitting of text into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np

from convanim.language.words import WORDLESS, Catalogue, Said, join, parts_of, say, translate
from convanim.page import glyphs
from convanim.page.lattice import Lattice, Point, Step
from convanim.page.style import SMALLEST
from convanim.scene.caption import REMARK, Caption, Span
from convanim.scene.frame import Panel

#: Separators of a caption's clauses, of which the last may be left out; the first separator that occurs counts.
CLAUSES = "; ", ", "
#: The minimum side of a cell with round corners (px), and the ratio of its side to their radius.
ROUND_FROM, ROUND = 14, 11
#: A caption is reduced to the first fraction of its size before it is shortened, and never below the second.
NEARLY, LEAST = 0.8, 0.7
#: The distance from what a title names to what is said about it, as a fraction of the size; no more than ", " takes.
AFTER = 0.45
#: The room in a chip beside its number, and above and below it, as fractions of the size.
BESIDE, ABOVE = 0.22, 0.26
#: The minimum distance between a number and the note below it, px.
CLEAR = 3


class Box(NamedTuple):
    """A rectangle in px: [top, bottom) x [left, right)."""

    top: int
    left: int
    bottom: int
    right: int

    def moved(self, across: int, down: int) -> Box:
        """The box further to the right and further down, px."""
        return Box(self.top + down, self.left + across, self.bottom + down, self.right + across)

    def meets(self, other: Box) -> bool:
        """Whether the two boxes overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def around(boxes: Iterable[Box]) -> Box:
    """The box around some boxes."""
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return Box(min(tops), min(lefts), max(bottoms), max(rights))


class Text(NamedTuple):
    """A line of text: the x of its start, its baseline and its size in px.

    Attributes:
        mark: the role whose chip it stands on, or another mark of a caption's span, "" for none.
    """

    text: str
    x: int
    baseline: int
    size: int
    bold: bool = False
    mark: str = ""

    @property
    def chipped(self) -> bool:
        """Whether it stands on a chip."""
        return self.mark not in ("", REMARK)

    @property
    def chip(self) -> Box:
        """The box of the chip under a number with a mark."""
        beside, above = round(BESIDE * self.size), round(ABOVE * self.size)
        right = self.x + round(glyphs.width(self.text, self.size, self.bold))
        top = self.baseline - round(glyphs.CAPITALS * self.size)
        return Box(top - above, self.x - beside, self.baseline + above, right + beside)

    @property
    def box(self) -> Box:
        """The box that the text may cover, from the top of capitals to the bottom of descenders."""
        if self.chipped:
            return self.chip
        high, low = round(glyphs.CAPITALS * self.size), round(0.24 * self.size)
        right = self.x + round(glyphs.width(self.text, self.size, self.bold))
        return Box(self.baseline - high, self.x, self.baseline + low, right)

    def moved(self, across: int, down: int) -> Text:
        """The text further to the right and further down, px."""
        return self._replace(x=self.x + across, baseline=self.baseline + down)


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

    @property
    def box(self) -> Box:
        """The box around the grid with its outer lines."""
        foot, end = self.at(*self.panel.shape)
        return Box(self.y, self.x, foot + self.line, end + self.line)

    @property
    def inside(self) -> tuple[int, int]:
        """The height and width of a drawn cell, px."""
        return self.pitch - self.line, self.pitch - self.line

    @property
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
        return Lattice(Step(self.pitch, 0), Step(0, self.pitch))

    @property
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
        foot = y + round((bottom - top) * self.pitch / self.per) + self.line
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
        return Box(top, left, top + self.pitch - self.line, left + self.pitch - self.line)

    def at(self, row: float, column: float) -> tuple[int, int]:
        """The upper left corner (y, x) of a cell with the gap around it, px; row and column may be fractions.

        The rounding error is the same for all cells that differ by whole rows and columns.
        """
        if self.per != 1:  # the pixel that holds the cell, or the edge of the grid
            return self.y + ceil(row / self.per - 1e-9), self.x + ceil(column / self.per - 1e-9)
        return self.y + round(row * self.pitch), self.x + round(column * self.pitch)

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
    captions: tuple[Text, ...]
    caption_width: int
    counter: Text
    stroke: int
    bar: int
    counts: bool = True
    smallest: int = SMALLEST
    motion_colours: bool = True
    words: Catalogue | None = None
    links: str = ""

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
        if any(caption.subject for caption in captions):
            return lines
        size = min((text.size for texts in lines for text in texts), default=0)
        return [tuple(text._replace(size=size) for text in texts) for texts in lines]

    def lines(self, line: int, caption: Caption) -> tuple[Text, ...]:
        """A caption's text, in two lines if it is the only caption and too long for one.

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
        place, text = self.captions[line], caption.text()
        if len(self.captions) == 1 and not caption.subject:
            size = max(self.smallest, round(LEAST * place.size))
            long = glyphs.width(text, round(NEARLY * place.size)) > self.caption_width
            two = _halves(text, size) if long else None
            # The two lines are centred on the place of the single line.
            apart, down = round(1.3 * size), round(glyphs.CAPITALS * (size - place.size) / 2)
            first = place.baseline + down - apart // 2
            fits = two and max(glyphs.width(half, size) for half in two) <= self.caption_width
            if two and fits and first + apart + round(0.24 * size) <= self.height - self.bar:
                return tuple(Text(half, place.x, first + i * apart, size) for i, half in enumerate(two))
        return self.caption(line, caption)

    def caption(self, line: int, caption: Caption) -> tuple[Text, ...]:
        """A caption in pieces, with as many of its terms or clauses as fit at about its full size.

        If it still does not fit, it is reduced down to `LEAST`, then cut after a whole word.
        """
        place = self.captions[line]

        def fits(spans: Sequence[Span], part: float = 1) -> bool:
            return wide(spans, round(part * place.size)) <= self.caption_width

        spans, most = caption.spans(), len(caption.terms)
        if caption.subject and not fits(spans):
            caption = replace(caption, remark="")
            spans = caption.spans()
        while not fits(spans) and most > 2:
            most -= 1
            spans = caption.spans(most)
        if not caption.subject and not fits(spans, NEARLY):
            spans = ((_shortened(caption.text(), lambda text: fits(((text, ""),))), ""),)
        least = max(self.smallest, round(LEAST * place.size))
        size = next((size for size in range(place.size, least, -1) if fits(spans, size / place.size)), least)
        while not fits(spans, size / place.size) and most > 0:
            most -= 1
            spans = caption.spans(most)
        if not fits(spans, size / place.size):
            spans = ((_cut(caption.text(most), size, self.caption_width), ""),)
        return set_out(spans, place._replace(size=size), self.caption_width) or (place,)


def wide(spans: Sequence[Span], size: int) -> int:
    """The width of a caption's pieces with their chips, px."""
    texts = set_out(spans, Text("", 0, 0, size))
    return texts[-1].box.right if texts else 0


def set_out(spans: Sequence[Span], at: Text, width: int = 0) -> tuple[Text, ...]:
    """The pieces of a caption one after the other, from a place on; numbers with a mark are bold, on chips.

    Args:
        width: the width of the caption, px. If there is room, a remark begins in its middle, so that it stays in place
            while the sum before it changes.
    """
    texts, x, room = [], float(at.x), round(BESIDE * at.size)
    for i, (text, mark) in enumerate(spans):
        piece = at._replace(text=text, mark=mark)
        piece = piece._replace(bold=piece.chipped)
        beside = room if piece.chipped else 0
        if mark == REMARK and width:
            stop = at.x + width // 2
            x = stop if x < stop and stop + wide(spans[i:], at.size) <= at.x + width else x
            width = 0
        texts.append(piece._replace(x=round(x + beside)))
        x += glyphs.width(text, at.size, piece.bold) + 2 * beside
    return tuple(texts)


def headed(title: Text) -> tuple[Text, ...]:
    """A title as what it names, in bold, and what is said about it: "input", and "padded" beside it."""
    name, *rest = parts_of(title.text)
    if not rest or not isinstance(title.text, Said) or title.text.between in ("", " "):  # "output 1" is one name
        return (title,)
    named = title._replace(text=name)
    x = title.x + round(glyphs.width(name, title.size, bold=True) + AFTER * title.size)
    return named, title._replace(text=join(title.text.between, rest), x=x, bold=False)


def counted(step: int, steps: int, words: Catalogue | None = None) -> str:
    """The step count in the language of a catalogue."""
    return translate(say("{n} of {steps}", n=step, steps=steps), words)


def _shortened(text: str, fits: Callable[[str], bool]) -> str:
    """The first clauses of a text, as many as fit but at least one."""
    between = next((some for some in CLAUSES if some in text), CLAUSES[0])
    clauses = text.split(between)
    tried = [between.join([*clauses[:n], "…"]) for n in range(len(clauses) - 1, 0, -1)]
    return next(filter(fits, tried), tried[-1] if tried else text)


def _ends(text: str) -> list[int]:
    """The indices where words end, or where a script without spaces may be cut."""
    return [n for n in range(1, len(text)) if text[n] == " " or max(text[n - 1], text[n]) >= WORDLESS]


def _halves(text: str, size: int) -> tuple[str, str] | None:
    """A text broken into two lines of about the same length; None if it has only one word."""
    tried = [(text[:n].rstrip(), text[n:].lstrip()) for n in _ends(text)]
    return min(tried, key=lambda two: max(glyphs.width(half, size) for half in two), default=None)


def _cut(text: str, size: int, width: float) -> str:
    """The first words of a text that fit; for scripts without spaces, the first characters."""
    tried = (text[:n].rstrip(" ,;:") + " …" for n in reversed(_ends(text)))
    return next((some for some in tried if glyphs.width(some, size) <= width), "…")


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

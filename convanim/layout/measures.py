"""The lengths of a page: they scale with its size.

Knows which sizes a page may have. Must not know scenes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from convanim.errors import ConvanimError
from convanim.layout.style import HEIGHT, SMALLEST, USUAL, WIDTH, Style
from convanim.ops import Operation, times

#: Cells smaller than this (px) cannot be told apart.
SMALLEST_CELL = 4
#: Grid lines go away in cells smaller than this (px).
LINES_FROM = 7
LARGEST_SIDE, SMALLEST_SIDE = 4096, 120
#: Cells grow where no grid has so many rows or columns, until it is as large as one that has.
SMALL_FROM = 5
#: Numbers grow with such cells up to so many times their usual size.
MOST_GROWN = 1.3


def page_size(width: int | None, height: int | None, shape: tuple[int, int] = (WIDTH, HEIGHT)) -> tuple[int, int]:
    """The page's size in px; one side alone gives a page of a shape, by default 16:9.

    Raises:
        ConvanimError: too small to hold words, or larger than a frame should be.

    Example:
        >>> page_size(640, None)
        (640, 360)
        >>> page_size(540, None, (1080, 1080))
        (540, 540)
    """
    for name, side in (("width", width), ("height", height)):
        if side is not None and not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise ConvanimError(
                f"page {name} {side} px is not between {SMALLEST_SIDE} and {LARGEST_SIDE} px",
                f"use for example --width {WIDTH} or --width 640",
            )
    if width is None and height is None:
        return shape
    like = math.gcd(*shape)
    told = f"a page of {shape[0] // like}:{shape[1] // like}"
    if width is None:
        width = round((height or 0) * shape[0] / shape[1])
        if not SMALLEST_SIDE <= width <= LARGEST_SIDE:
            raise ConvanimError(f"{told} and {height} px height is {width} px wide", "give a --width, too")
    if height is None:
        height = round(width * shape[1] / shape[0])
        if not SMALLEST_SIDE <= height <= LARGEST_SIDE and shape != (WIDTH, HEIGHT):
            raise ConvanimError(f"{told} and {width} px width is {height} px high", "give a --height, too")
    return width, height


def fits(op: Operation, sizes: Sequence[int]) -> None:
    """Refuse a layer that no page can show over an input of these sizes, before anything is computed for it.

    Raises:
        ConvanimError: more cells along an axis than the largest page has room for.
    """
    cells, most = [a.stage for a in op.axes(sizes)], LARGEST_SIDE // SMALLEST_CELL
    if max(cells) > most:
        raise ConvanimError(
            f"{op} slides over {times(cells)} cells, too many for any page",
            f"use at most {most} along an axis, or write the numbers with -o FILE.json",
        )


@dataclass(frozen=True)
class Measures:
    """The lengths of a page of some size, px.

    Attributes:
        width, height: of the page, px.
        captions: how many lines of them there are.
        style: how the page is set.
        most: the rows or columns of the largest grid, where its cells may grow; 0 where they may not.
    """

    width: int
    height: int
    captions: int
    style: Style = USUAL
    most: int = 0

    @cached_property
    def scale(self) -> float:
        """The page's size against the one that lengths are given for."""
        return min(self.width / WIDTH, self.height / HEIGHT)

    def of(self, length: float, least: int = 1) -> int:
        """A length on this page, px, and never less than `least`."""
        return max(least, round(length * self.scale))

    def type(self, size: float, least: int) -> int:
        """A size of the style on this page, px; never less than `least`, unless the style says so."""
        scale = min(self.width / self.style.width, self.height / self.style.height)
        return max(self.smallest, min(least, round(size)), round(size * scale))

    @cached_property
    def smallest(self) -> int:
        """The size of the smallest text, px."""
        return max(SMALLEST, math.ceil(self.style.smallest / 100 * self.height))

    @cached_property
    def sizes(self) -> tuple[int, int, int]:
        """The three sizes of type, px: title, caption, everything small."""
        style = self.style
        return self.type(style.title_size, 15), self.type(style.caption_size, 12), self.type(style.small_size, 10)

    @cached_property
    def cell(self) -> int:
        """The largest side of a cell, px."""
        if not 0 < self.most < SMALL_FROM:
            return self._usual_cell
        scale = min(self.width / self.style.width, self.height / self.style.height)
        small = round(self.style.small / 100 * self.style.height * scale)
        return max(self._usual_cell, min(small, SMALL_FROM * self._usual_cell // self.most))

    @cached_property
    def _usual_cell(self) -> int:
        """The largest side of a cell in a grid that is not small, px."""
        scale = min(self.width / self.style.width, self.height / self.style.height)
        return max(12, round(self.style.cell * scale))

    def number(self, side: int) -> int:
        """The largest size of a number in a cell of this side, px: in the cells of small grids it grows with them."""
        grown = side / self._usual_cell if self.most else 1
        return self.type(self.style.number_size * min(max(1, grown), MOST_GROWN), 1)

    @property
    def sign(self) -> int:
        """The size of the signs between panels, px."""
        return max(self.of(44, 18), self.smallest)

    @property
    def margin(self) -> int:
        """The empty edge, px."""
        return self.of(56, 12)

    @cached_property
    def _head(self) -> tuple[int, int, int]:
        """The baselines of the title and of the phases, and where both end: what is not there takes no room."""
        big, _, small = self.sizes
        heading = self.style.title or self.style.detail
        grown = big - self.of(30, 15) if heading else -self.of(46, 20)
        title = self.of(62, 26) + round(0.73 * grown)
        more = small - self.of(18, 10)
        phases = self.of(108, 46) + grown + round(0.73 * more)
        return title, phases, self.of(142, 62) + grown + (more if self.style.phases else -self.of(46, 20))

    @property
    def title_baseline(self) -> int:
        """Where the title stands."""
        return self._head[0]

    @property
    def phases_baseline(self) -> int:
        """Where the names of the phases stand."""
        return self._head[1]

    @property
    def top(self) -> int:
        """Where the panels' titles may start."""
        return self._head[2]

    @property
    def bottom(self) -> int:
        """Where the captions start."""
        return self.height - (self.of(42, 21) + self.captions * self.caption_line if self.captions else self.of(30, 10))

    @property
    def caption_line(self) -> int:
        """From one caption's baseline to the next, px."""
        return round(1.35 * self.sizes[1])

    @property
    def title_line(self) -> int:
        """From a panel's title's top to the grid under it."""
        return round(1.6 * self.sizes[2]) if self.style.panel_titles else self.of(8, 4)

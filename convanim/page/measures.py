"""The sizes, margins and baselines of a page, in px, scaled to the page's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from convanim.errors import ConvanimError
from convanim.page.style import HEIGHT, SMALLEST, USUAL, WIDTH, Style

#: The minimum side of a cell of a small grid and of a tilted cell, px: smaller ones are indistinguishable.
SMALLEST_CELL = 4
#: The minimum size of the numbers in cells, px; smaller ones are not read, and their cells are shaded by value.
DIGITS = 13
#: The side of a kernel's cell in which most numbers have that size, px.
READ = 30
#: The same for a cell with a factor under its number.
ROOMY = 34
#: The minimum side of a shaded cell with a gap to the next one, px: gaps between smaller ones would look like a net.
GAPS_FROM = 20
#: The minimum size of a cell (px) with a gap to the next one.
LINES_FROM = 7
#: The number of cells along a side from which several of them may share a pixel, and shades make a picture.
FITTED_FROM = 24
LARGEST_SIDE, SMALLEST_SIDE = 4096, 120
#: A layer whose grids all have fewer rows and columns than this has larger cells.
SMALL_FROM = 5
#: The maximum factor by which numbers grow with such cells.
MOST_GROWN = 1.3


def page_size(width: int | None, height: int | None, shape: tuple[int, int] = (WIDTH, HEIGHT)) -> tuple[int, int]:
    """The page's size (width, height) in px; a missing side follows from `shape`, by default 16:9.

    Raises:
        ConvanimError: a side is too small for text, or too large for a frame.

    Example:
        >>> page_size(640, None)
        (640, 360)
        >>> page_size(540, None, (1080, 1080))
        (540, 540)
    """
    for name, side in (("width", width), ("height", height)):
        if side is not None and not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise ConvanimError(
                f"`{name}` {side} is not between {SMALLEST_SIDE} and {LARGEST_SIDE} px",
                f"use for example `width={WIDTH}` or `width=640`",
            )
    if width is None and height is None:
        return shape
    like = math.gcd(*shape)
    told = f"a page of {shape[0] // like}:{shape[1] // like}"
    if width is None:
        width = round((height or 0) * shape[0] / shape[1])
        if not SMALLEST_SIDE <= width <= LARGEST_SIDE:
            raise ConvanimError(f"{told} and {height} px height is {width} px wide", "give `width`, too")
    if height is None:
        height = round(width * shape[1] / shape[0])
        if not SMALLEST_SIDE <= height <= LARGEST_SIDE and shape != (WIDTH, HEIGHT):
            raise ConvanimError(f"{told} and {width} px width is {height} px high", "give `height`, too")
    return width, height


@dataclass(frozen=True)
class Measures:
    """The lengths of a page, px.

    Attributes:
        width, height: the page's size, px.
        captions: the number of caption lines.
        style: the style of the page.
        most: the maximum rows or columns of any grid if small grids may grow, 0 if not.
        strips: whether the grids are strips of one axis, whose columns line up.
        column: the width of a column at the left that holds the titles and captions of two stories, px.
        head: the height of the lines above each of two stories that hold its title and its caption, px.
        storied: whether there are two stories.
    """

    width: int
    height: int
    captions: int
    style: Style = USUAL
    most: int = 0
    strips: bool = False
    column: int = 0
    head: int = 0
    storied: bool = False

    @cached_property
    def scale(self) -> float:
        """The ratio of the page's size to the size that lengths are given for."""
        return min(self.width / WIDTH, self.height / HEIGHT)

    def of(self, length: float, least: int = 1) -> int:
        """A length scaled to this page, px, at least `least`."""
        return max(least, round(length * self.scale))

    def type(self, size: float, least: int) -> int:
        """A text size of the style scaled to this page, px, at least `least` unless the style itself is smaller."""
        scale = min(self.width / self.style.width, self.height / self.style.height)
        return max(self.smallest, min(least, round(size)), round(size * scale))

    @cached_property
    def smallest(self) -> int:
        """The minimum size of text, px."""
        return max(SMALLEST, math.ceil(self.style.smallest / 100 * self.height))

    @cached_property
    def sizes(self) -> tuple[int, int, int]:
        """The three text sizes, px: title, caption and small text."""
        style = self.style
        return self.type(style.title_size, 15), self.type(style.caption_size, 12), self.type(style.small_size, 10)

    @cached_property
    def cell(self) -> int:
        """The maximum side of a cell, px."""
        if not 0 < self.most < SMALL_FROM:
            return self._usual_cell
        scale = min(self.width / self.style.width, self.height / self.style.height)
        small = round(self.style.small / 100 * self.style.height * scale)
        return max(self._usual_cell, min(small, SMALL_FROM * self._usual_cell // self.most))

    @cached_property
    def _usual_cell(self) -> int:
        """The maximum side of a cell in a grid that is not small, px."""
        scale = min(self.width / self.style.width, self.height / self.style.height)
        return max(12, round(self.style.cell * scale))

    def number(self, side: int) -> int:
        """The maximum size of a number in a cell of this side, px; in small grids it grows with the cells."""
        grown = side / self._usual_cell if self.most else 1
        return self.type(self.style.number_size * min(max(1, grown), MOST_GROWN), 1)

    @property
    def sign(self) -> int:
        """The size of the signs between panels, px."""
        return max(self.of(44, 18), self.smallest)

    @property
    def margin(self) -> int:
        """The margin of the page, px."""
        return self.of(56, 12)

    @property
    def left(self) -> int:
        """The left edge of the area for panels, px."""
        return self.margin + self.column

    @property
    def room(self) -> int:
        """The width of the area for panels, px."""
        return self.width - self.margin - self.left

    @cached_property
    def _head(self) -> tuple[int, int, int]:
        """The baselines of title and phases, and the bottom of the heading, px; missing parts take no room."""
        big, _, small = self.sizes
        heading = self.style.title or self.style.detail
        grown = big - self.of(30, 15) if heading else -self.of(46, 20)
        title = self.of(62, 26) + round(0.73 * grown)
        more = small - self.of(18, 10)
        phases = self.of(108, 46) + grown + round(0.73 * more)
        return title, phases, self.of(142, 62) + grown + (more if self.style.phases else -self.of(46, 20))

    @property
    def title_baseline(self) -> int:
        """The baseline of the title, px."""
        return self._head[0]

    @property
    def phases_baseline(self) -> int:
        """The baseline of the phases' names, px."""
        return self._head[1]

    @property
    def top(self) -> int:
        """The top of the area for panels and their titles, px."""
        return self._head[2]

    @property
    def bottom(self) -> int:
        """The bottom of the area for panels, px, where the captions start."""
        return self.height - (self.of(42, 21) + self.captions * self.caption_line if self.captions else self.of(30, 10))

    @property
    def caption_line(self) -> int:
        """The distance between the baselines of captions, px."""
        return round(1.35 * self.sizes[1])

    @property
    def title_line(self) -> int:
        """The distance from the top of a panel's title to its grid, px."""
        return round(1.6 * self.sizes[2]) if self.style.panel_titles else self.of(8, 4)

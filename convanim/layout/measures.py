"""The lengths of a page: they scale with its size.

Knows which sizes a page may have. Must not know scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from convanim.errors import ConvanimError
from convanim.ops import Operation, times

#: All lengths are given for a page of this size (px) and scale with it.
WIDTH, HEIGHT = 1280, 720
#: Cells smaller than this (px) cannot be told apart.
SMALLEST_CELL = 4
#: Grid lines go away in cells smaller than this (px).
LINES_FROM = 7
LARGEST_SIDE, SMALLEST_SIDE = 4096, 120


def page_size(width: int | None, height: int | None) -> tuple[int, int]:
    """The page's size in px; one side alone gives a page of 16:9.

    Raises:
        ConvanimError: too small to hold words, or larger than a frame should be.

    Example:
        >>> page_size(640, None)
        (640, 360)
    """
    for name, side in (("width", width), ("height", height)):
        if side is not None and not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise ConvanimError(
                f"a page's {name} of {side} px is outside of {SMALLEST_SIDE} to {LARGEST_SIDE} px",
                f"use for example --width {WIDTH} or --width 640",
            )
    if width is None:
        width = WIDTH if height is None else round(height * WIDTH / HEIGHT)
        if width > LARGEST_SIDE:
            raise ConvanimError(f"a page of 16:9 and {height} px height is {width} px wide", "give a --width, too")
    return width, round(width * HEIGHT / WIDTH) if height is None else height


def fits(op: Operation, sizes: Sequence[int]) -> None:
    """Refuse a layer that no page can show over an input of these sizes, before anything is computed for it.

    Raises:
        ConvanimError: more cells along an axis than the largest page has room for.
    """
    cells, most = [a.stage for a in op.axes(sizes)], LARGEST_SIDE // SMALLEST_CELL
    if max(cells) > most:
        raise ConvanimError(
            f"{op} slides over {times(cells)} cells, too many for any page",
            f"use at most {most} along an axis, or -o FILE.json for the numbers",
        )


@dataclass(frozen=True)
class Measures:
    """The lengths of a page of some size, px."""

    width: int
    height: int
    captions: int

    @cached_property
    def scale(self) -> float:
        """The page's size against the one that lengths are given for."""
        return min(self.width / WIDTH, self.height / HEIGHT)

    def of(self, length: float, least: int = 1) -> int:
        """A length on this page, px, and never less than `least`."""
        return max(least, round(length * self.scale))

    @cached_property
    def sizes(self) -> tuple[int, int, int]:
        """The three sizes of type, px: title, caption, everything small."""
        return self.of(30, 15), self.of(25, 12), self.of(18, 10)

    @property
    def margin(self) -> int:
        """The empty edge, px."""
        return self.of(56, 12)

    @property
    def top(self) -> int:
        """Where the panels' titles may start."""
        return self.of(142, 62)

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
        return round(1.6 * self.sizes[2])

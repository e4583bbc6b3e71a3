"""The display list: the shapes of a picture as data, back to front, which every renderer paints."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import hypot
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convanim.page import Box, Text

#: The opacity of a veil.
VEIL = 0.13
#: The name of a colour in the theme, or a picture's colour as (red, green, blue), 0 to 255.
Ink: TypeAlias = str | tuple[int, int, int]
#: (x, y) in px; a pixel covers one unit, so its centre is at a half.
Point: TypeAlias = tuple[float, float]
Points: TypeAlias = tuple[Point, ...]


class Fill(NamedTuple):
    """A rectangle of whole pixels."""

    box: Box
    ink: Ink


class Card(NamedTuple):
    """A rectangle of whole pixels with round corners, whose antialiased edges are blended with `paper`."""

    box: Box
    ink: Ink
    radius: int
    paper: str = "page"


class Ring(NamedTuple):
    """A line along the inside of a rectangle with round corners, whose antialiased edges are blended with `paper`."""

    box: Box
    ink: str
    radius: int
    thick: int
    paper: str = "page"

    @property
    def sides(self) -> tuple[Box, ...]:
        """The rectangles between the corners, which it covers in full."""
        (top, left, bottom, right), _, _, thick, _ = self
        cut = len(self.bend)
        return (
            *(Box(y, left + cut, y + thick, right - cut) for y in (top, bottom - thick)),
            *(Box(top + cut, x, bottom - cut, x + thick) for x in (left, right - thick)),
        )

    @property
    def bend(self) -> NDArray[np.uint8]:
        """The coverage of the upper left corner, 0 to 255."""
        return bend(self.radius, self.thick)

    @property
    def bends(self) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
        """The (x, y) and the coverage of each corner."""
        (top, left, bottom, right), part = self.box, self.bend
        far, low = right - len(part), bottom - len(part)
        yield from ((left, top, part), (far, top, part[:, ::-1]), (left, low, part[::-1]), (far, low, part[::-1, ::-1]))


class Poly(NamedTuple):
    """A filled convex polygon without antialiasing; polygons with a common side have no common pixel."""

    points: Points
    ink: Ink


class Veil(NamedTuple):
    """A translucent convex polygon, which tints the shapes below it."""

    points: Points
    ink: str


class Stroke(NamedTuple):
    """Straight lines of one width, painted as one shape, so that nothing is painted twice where they meet.

    Horizontal and vertical lines end at their points and have square corners, so that they cover whole pixels. Others
    are antialiased and have round caps and joins.

    Attributes:
        lines: two or more points each; equal ends close the line.
        width: px.
        dash: the length of dashes and gaps, px; each side of a line begins with a dash. 0 for a solid line.
        behind: the inks of letters in front of the lines.
        halo: the distance between the lines and these letters, px.
        filled: whether the closed lines are filled, too: a polygon whose corners are as round as the line is wide.
    """

    lines: tuple[Points, ...]
    width: float
    ink: Ink
    dash: float = 0.0
    behind: tuple[str, ...] = ()
    halo: int = 0
    filled: bool = False


class Hatch(NamedTuple):
    """Diagonal lines, one pixel wide and `gap` px apart along a row, through the origin.

    They rise to the right, or fall if `falls` is true.
    """

    area: Points
    ink: Ink
    gap: int
    falls: bool


class Words(NamedTuple):
    """A line of text in an ink, on a background that its antialiased edges are blended with."""

    text: Text
    ink: Ink
    paper: Ink


class Mosaic(NamedTuple):
    """Equal rectangles without gaps that fill a box: all cells of a grid at once.

    Attributes:
        box: whole pixels for each row and column.
        inks: the inks, by number.
        numbers: the number of each rectangle's ink, (rows, columns).
        colours, own: (rows, columns, 3), and a mask of the rectangles that have these colours instead; None for none.
    """

    box: Box
    inks: tuple[Ink, ...]
    numbers: NDArray[np.uint16]
    colours: NDArray[np.uint8] | None = None
    own: NDArray[np.bool_] | None = None

    def pixels(self, cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One item for each rectangle as one for each pixel of the box."""
        top, left, bottom, right = self.box
        high, wide = (bottom - top) // len(cells), (right - left) // cells.shape[1]
        return cells.repeat(high, axis=0).repeat(wide, axis=1) if high * wide > 1 else cells


class Placed(NamedTuple):
    """Shapes that are moved: a cell that is drawn once and used in many places.

    The first shape, a Fill, a Card or a Poly, is the ground under the others, which may be cut off at its edges.
    """

    x: int
    y: int
    shapes: Shapes


class Clipped(NamedTuple):
    """Shapes that are clipped to the inside of one convex polygon, and to the outside of another."""

    shapes: Shapes
    inside: Points = ()
    outside: Points = ()


class Rest(NamedTuple):
    """The page at rest, painted over later shapes inside a convex polygon; `shapes` are its shapes there."""

    shapes: Shapes
    inside: Points


Shape: TypeAlias = Fill | Card | Mosaic | Ring | Poly | Veil | Stroke | Hatch | Words | Placed | Clipped | Rest
Shapes: TypeAlias = tuple[Shape, ...]


def rectangle(points: Points) -> Box | None:
    """The box of a polygon if it is an upright rectangle of whole pixels, otherwise None.

    Example:
        >>> rectangle(((1, 2), (5, 2), (5, 4), (1, 4)))
        Box(top=2, left=1, bottom=4, right=5)
    """
    if len(points) != 4:
        return None
    (left, top), second, (right, bottom), fourth = points
    whole = all(float(at).is_integer() for at in (left, top, right, bottom))
    if not whole or second != (right, top) or fourth != (left, bottom):
        return None
    return Box(int(top), int(left), int(bottom), int(right))


@lru_cache(maxsize=64)
def corner(radius: int) -> NDArray[np.uint8]:
    """The coverage of the upper left corner of a card, 0 to 255: (radius, radius)."""
    at = (np.arange(8 * radius) + 0.5) / 8
    inside = (radius - at[:, None]) ** 2 + (radius - at) ** 2 <= radius**2
    found: NDArray[np.uint8] = np.rint(255 * inside.reshape(radius, 8, radius, 8).mean(axis=(1, 3))).astype(np.uint8)
    return found


@lru_cache(maxsize=64)
def bend(radius: int, thick: int) -> NDArray[np.uint8]:
    """The coverage of the upper left corner of a ring, 0 to 255: (n, n).

    Example:
        >>> bend(0, 2).tolist(), bend(3, 1)[2].tolist()
        ([[255, 255], [255, 255]], [243, 20, 0])
    """
    side, hole = max(radius, thick), max(0, radius - thick)
    cover = np.full((side, side), 255, np.int64)
    cover[:radius, :radius] = corner(radius)
    cover[side - hole :, side - hole :] -= corner(hole)
    return cover.clip(0).astype(np.uint8)


def rounded(card: Card) -> NDArray[np.uint8]:
    """The coverage of each pixel of a card's box, 0 to 255: (height, width)."""
    cover = np.full((card.box.bottom - card.box.top, card.box.right - card.box.left), 255, np.uint8)
    if r := card.radius:
        part = corner(r)
        for rows, cut in ((np.s_[:r], part), (np.s_[-r:], part[::-1])):
            cover[rows, :r], cover[rows, -r:] = cut, cut[:, ::-1]
    return cover


def bounds(points: Points) -> tuple[float, float, float, float]:
    """The (top, left, bottom, right) of some points."""
    xs, ys = zip(*points, strict=True)
    return min(ys), min(xs), max(ys), max(xs)


@lru_cache(maxsize=1024)  # an outline stays for several frames
def upright(stroke: Stroke) -> bool:
    """Whether all lines of a stroke are horizontal or vertical."""
    return not stroke.filled and all(a[0] == b[0] or a[1] == b[1] for line in stroke.lines for a, b in pairwise(line))


@lru_cache(maxsize=1024)
def boxes(stroke: Stroke) -> tuple[Box, ...]:
    """The rectangles of whole pixels that a horizontal or vertical stroke covers.

    Example:
        >>> [box[1::2] for box in boxes(Stroke((((0, 0.5), (7, 0.5)),), 1, "dash", dash=2))]
        [(0, 2), (4, 6)]
    """
    return tuple(_boxes(stroke))


def _boxes(stroke: Stroke) -> Iterator[Box]:
    half = stroke.width / 2
    for line in stroke.lines:
        join = half if line[0] == line[-1] else 0.0
        for (x, y), (to_x, to_y) in pairwise(line):
            left, right = min(x, to_x), max(x, to_x)
            top, bottom = min(y, to_y), max(y, to_y)
            across = top == bottom
            start, end = (left, right) if across else (top, bottom)
            middle = top if across else left
            near, far = round(middle - half), round(middle + half)
            for first, last in _dashes(start - join, end + join, stroke.dash):
                yield Box(near, first, far, last) if across else Box(first, near, last, far)


def _dashes(start: float, end: float, dash: float) -> Iterator[tuple[int, int]]:
    """The starts and ends of dashes: a pixel is painted if its start lies in a dash."""
    if not dash:
        yield round(start), round(end)
        return
    length, number = round(end - start), 0
    while (first := _ceil(number * dash)) < length:
        yield round(start) + first, round(start) + min(length, _ceil((number + 1) * dash))
        number += 2


def _ceil(at: float) -> int:
    return -int(-(at - 1e-9) // 1)


def around(points: Points) -> Points:
    """The convex hull of some points, once around it (Andrew's monotone chain).

    Example:
        >>> around(((0, 0), (4, 0), (2, 1), (4, 4), (0, 4)))
        ((0, 0), (4, 0), (4, 4), (0, 4))
    """
    halves: list[list[Point]] = []
    for way in (sorted(set(points)), sorted(set(points), reverse=True)):
        half: list[Point] = []
        for x, y in way:
            while len(half) > 1:
                (ax, ay), (bx, by) = half[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                half.pop()
            half.append((x, y))
        halves.append(half[:-1])
    return tuple(halves[0] + halves[1])


def length(a: Point, b: Point) -> float:
    """The distance between two points, px."""
    return hypot(b[0] - a[0], b[1] - a[1])

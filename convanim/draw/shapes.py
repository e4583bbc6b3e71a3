"""The display list: what a picture consists of, as data, back to front.

Knows a handful of shapes with whole-pixel places and inks by name. Must not know themes' colours, frames or files: what
a cell looks like is decided once, in `compose`, and every renderer paints the same shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import hypot
from typing import NamedTuple, TypeAlias

from convanim.layout import Box, Text

#: The name of a colour of the theme, or a picture's own colour as (red, green, blue), 0 to 255.
Ink: TypeAlias = str | tuple[int, int, int]
#: (x, y) in px; a pixel covers one unit, so its middle lies at a half.
Point: TypeAlias = tuple[float, float]
Points: TypeAlias = tuple[Point, ...]


class Fill(NamedTuple):
    """A rectangle of whole pixels."""

    box: Box
    ink: Ink


class Poly(NamedTuple):
    """A filled convex polygon without antialiasing: polygons that share a side share no pixel."""

    points: Points
    ink: Ink


class Stroke(NamedTuple):
    """Straight lines of one width, painted as one: where they meet nothing is painted twice.

    Upright lines end at their points and have square corners, so that they cover whole pixels. Slanted ones are
    antialiased and have round ends and corners.

    Attributes:
        lines: each of two points or more; one that ends where it begins is closed.
        width: px.
        dash: length of a dash and of a gap, px; each side of a line begins with a dash. 0 for a solid line.
        behind: the inks of letters that are in front of the lines.
        halo: the distance that the lines keep from these letters, px.
    """

    lines: tuple[Points, ...]
    width: float
    ink: Ink
    dash: float = 0.0
    behind: tuple[str, ...] = ()
    halo: int = 0


class Hatch(NamedTuple):
    """Diagonal lines, one pixel wide and `gap` px apart along a row, that cross the origin.

    They rise to the right, or fall where `falls` is true.
    """

    area: Points
    ink: Ink
    gap: int
    falls: bool


class Words(NamedTuple):
    """A line of text in an ink, on a paper: what its edges are mixed with."""

    text: Text
    ink: Ink
    paper: Ink


class Placed(NamedTuple):
    """Shapes that are moved: a cell that is drawn once and used in many places.

    The first shape, a Fill or a Poly, is the ground that the others lie on; they may be cut off at its edges.
    """

    x: int
    y: int
    shapes: Shapes


class Clipped(NamedTuple):
    """Shapes of which only the part inside of one convex polygon, and outside of another, is seen."""

    shapes: Shapes
    inside: Points = ()
    outside: Points = ()


class Rest(NamedTuple):
    """The page at rest over what was drawn since, inside of a convex polygon: `shapes` are what it shows there."""

    shapes: Shapes
    inside: Points


Shape: TypeAlias = Fill | Poly | Stroke | Hatch | Words | Placed | Clipped | Rest
Shapes: TypeAlias = tuple[Shape, ...]


def rectangle(points: Points) -> Box | None:
    """The box of a polygon that is an upright rectangle of whole pixels, None for others.

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


def bounds(points: Points) -> tuple[float, float, float, float]:
    """The (top, left, bottom, right) of some points."""
    xs, ys = zip(*points, strict=True)
    return min(ys), min(xs), max(ys), max(xs)


def upright(stroke: Stroke) -> bool:
    """Whether all lines of a stroke run along rows or columns of pixels."""
    return all(a[0] == b[0] or a[1] == b[1] for line in stroke.lines for a, b in pairwise(line))


def boxes(stroke: Stroke) -> Iterator[Box]:
    """The rectangles of whole pixels that an upright stroke covers.

    Example:
        >>> [box[1::2] for box in boxes(Stroke((((0, 0.5), (7, 0.5)),), 1, "dash", dash=2))]
        [(0, 2), (4, 6)]
    """
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
    """Where dashes begin and end: a pixel has the ink when the place where it begins lies in a dash."""
    if not dash:
        yield round(start), round(end)
        return
    length, number = round(end - start), 0
    while (first := _ceil(number * dash)) < length:
        yield round(start) + first, round(start) + min(length, _ceil((number + 1) * dash))
        number += 2


def _ceil(at: float) -> int:
    return -int(-(at - 1e-9) // 1)


def length(a: Point, b: Point) -> float:
    """The distance between two points, px."""
    return hypot(b[0] - a[0], b[1] - a[1])

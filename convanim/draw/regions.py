"""Geometry of shapes: convex polygons clipped by each other, and the parts of lines that avoid letters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, hypot

import numpy as np
from numpy.typing import NDArray

from convanim.draw.shapes import (
    Card,
    Fill,
    Hatch,
    Mosaic,
    Placed,
    Point,
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
    boxes,
    upright,
)
from convanim.page import Box, glyphs

Line = tuple[Point, Point]
#: A visible region: the whole page for None, otherwise disjoint convex polygons, or () for nothing.
Region = tuple[Points, ...] | None
#: The (left, top, right, bottom) of an area on the page, px.
Area = tuple[float, float, float, float]


def shifted(points: Points, x: float, y: float) -> Points:
    """Points moved by (x, y)."""
    return tuple((a + x, b + y) for a, b in points)


def corners(box: Box, x: float = 0, y: float = 0) -> Points:
    """The corners of a box moved by (x, y)."""
    top, left, bottom, right = box
    return shifted(((left, top), (right, top), (right, bottom), (left, bottom)), x, y)


def ground_of(shape: Shape) -> Points:
    """The corners of the first shape of a cell, which covers all others."""
    if isinstance(shape, Fill | Card):
        return corners(Box(0, 0, shape.box.bottom, shape.box.right))
    if isinstance(shape, Poly):
        return shape.points
    raise TypeError(f"{type(shape).__name__} cannot be the ground of a cell")


def area_of(shape: Shape, x: float, y: float) -> Area:
    """The area in which a shape moved by (x, y) may draw."""
    match shape:
        case Fill(box, _) | Card(box, _) | Mosaic(box) | Ring(box, _):
            top, left, bottom, right = map(float, box)
        case Words(text, _, _):
            drawn = glyphs.line(text.text, text.size, text.bold)
            top, left = text.baseline - drawn.rise, text.x
            bottom, right = top + drawn.coverage.shape[0], left + drawn.coverage.shape[1]
        case Poly(points, _) | Veil(points, _) | Hatch(points, _, _, _) | Rest(_, points):
            top, left, bottom, right = bounds(points)
        case Stroke(lines, width):
            top, left, bottom, right = bounds(tuple(point for line in lines for point in line))
            top, left, bottom, right = top - width, left - width, bottom + width, right + width
        case _:
            raise TypeError(f"{type(shape).__name__} is more than one shape")
    return left + x, top + y, right + x, bottom + y


def holds(ground: Points, shape: Shape, x: float, y: float) -> bool:
    """Whether a shape moved by (x, y) certainly lies inside a convex polygon, so that it need not be clipped."""
    match shape:
        case Fill(box, _) | Card(box, _) | Mosaic(box) | Ring(box, _):
            points = corners(box)
        case Poly(points, _) | Hatch(points, _, _, _):
            pass
        case Words():
            left, top, right, bottom = area_of(shape, 0, 0)
            points = ((left, top), (right, bottom), (left, bottom), (right, top))
        case Placed(left, top, shapes):
            points = shifted(ground_of(shapes[0]), left, top)
        case Stroke() if upright(shape) and not shape.halo:
            points = tuple(point for box in boxes(shape) for point in corners(box))
        case _:
            return False
    moved = shifted(points, x, y)
    return all(min(_side(a, b, p) for p in moved) >= -1e-9 for a, b in _sides(ground))


def _sides(area: Points) -> Iterator[Line]:
    """The sides of a convex polygon, all with the polygon on the same side."""
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*area, area[0])))
    around = area if turn > 0 else area[::-1]
    yield from pairwise((*around, around[0]))


def _side(a: Point, b: Point, p: Point) -> float:
    """The signed distance of a point from a line, as a fraction of the line's length."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _half(area: Points, a: Point, b: Point, sign: int) -> Points:
    """The part of a convex polygon on one side of a line."""
    out: list[Point] = []
    for p, q in pairwise((*area, area[0])) if area else ():
        here, there = sign * _side(a, b, p), sign * _side(a, b, q)
        if here >= 0:
            out.append(p)
        if here * there < 0:
            part = here / (here - there)
            out.append((p[0] + (q[0] - p[0]) * part, p[1] + (q[1] - p[1]) * part))
    return tuple(out) if len(out) > 2 else ()


_EVERYTHING: Points = ((-1e5, -1e5), (1e5, -1e5), (1e5, 1e5), (-1e5, 1e5))


def cut(region: Region, inside: Points = (), outside: Points = ()) -> Region:
    """The part of a region inside one convex polygon and outside another."""
    if inside:
        if region is None:
            region = (inside,)
        else:
            for a, b in _sides(inside):
                region = tuple(part for area in region if (part := _half(area, a, b, 1)))
    if outside:
        left, rest = [], (_EVERYTHING,) if region is None else region
        for a, b in _sides(outside):
            left += [part for area in rest if (part := _half(area, a, b, -1))]
            rest = tuple(part for area in rest if (part := _half(area, a, b, 1)))
        region = tuple(left)
    return region


def part_within(line: Line, area: Points) -> Line | None:
    """The part of a line inside a convex polygon."""
    (ax, ay), (bx, by) = line
    first, last = 0.0, 1.0
    for a, b in _sides(area):
        here, there = _side(a, b, line[0]), _side(a, b, line[1])
        if here < 0 and there < 0:
            return None
        if here * there < 0:
            part = here / (here - there)
            first, last = (max(first, part), last) if here < 0 else (first, min(last, part))
    if first >= last:
        return None
    return (ax + (bx - ax) * first, ay + (by - ay) * first), (ax + (bx - ax) * last, ay + (by - ay) * last)


def parts_beside(line: Line, width: float, letters: NDArray[np.bool_]) -> Iterator[Line]:
    """The parts of a line that keep their distance from letters."""
    (ax, ay), (bx, by) = line
    long = hypot(bx - ax, by - ay)
    count = max(2, ceil(long * 4) + 1)
    parts = np.linspace(0, 1, count)
    hidden = np.zeros(count, bool)
    for off in (0.0, -width / 2 + 0.25, width / 2 - 0.25):
        x = ax + (bx - ax) * parts - (by - ay) / max(long, 1e-9) * off
        y = ay + (by - ay) * parts + (bx - ax) / max(long, 1e-9) * off
        rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
        seen = (rows >= 0) & (rows < letters.shape[0]) & (columns >= 0) & (columns < letters.shape[1])
        hidden |= letters[rows * seen, columns * seen] & seen
    if not hidden.any():
        yield line
        return
    edges = np.flatnonzero(np.diff(np.pad(~hidden, 1).astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        if last - first > 1:
            start, end = parts[first], parts[last - 1]
            yield (ax + (bx - ax) * start, ay + (by - ay) * start), (ax + (bx - ax) * end, ay + (by - ay) * end)


def written(shapes: Shapes, x: float = 0, y: float = 0) -> Iterator[tuple[Words, float, float]]:
    """The texts of a page at rest, and the offset of each."""
    for shape in shapes:
        if isinstance(shape, Words):
            yield shape, x, y
        elif isinstance(shape, Placed):
            yield from written(shape.shapes, x + shape.x, y + shape.y)

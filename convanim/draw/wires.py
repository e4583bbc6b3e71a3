"""Wires on a flat page: the link from a window to the cell that it writes, along the gaps between cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor
from typing import NamedTuple

from convanim.draw.shapes import Point, Stroke
from convanim.page import Box, Page, Place
from convanim.scene.frame import Link

#: The minimum distance between a wire and a sign, px.
CLEAR = 4


class _Node(NamedTuple):
    """Something that a wire reaches; the first axis is across the wire, and the second along it, px.

    Attributes:
        start, end: its sides along the wire.
        box: its whole panel, whose gaps the wire follows.
        at: the positions across the wire at which it may leave.
    """

    start: float
    end: float
    box: Box
    at: Sequence[float]


def wire(page: Page, link: Link, width: int) -> Iterator[Stroke]:
    """The wire of a link, through the panels between both, such as a kernel; nothing while something moves."""
    one, other = page.places[link.panel], page.places[link.other]
    if link.window.down or link.window.across or any(link.moved) or not (one.line and other.line):
        return
    down = one.box.left < other.box.right and other.box.left < one.box.right
    row, column = link.cell
    ends = (
        _cells(one, link.window[:4], width, down=down),
        _cells(other, (row, column, row + 1, column + 1), width, down=down),
    )
    first, last = sorted(ends, key=lambda node: node.box.left)
    others = {name: place for name, place in page.places.items() if name not in (link.panel, link.other)}
    passed = [name for name, place in others.items() if _passed(first.box, _box(place, down=down), last.box)]
    if first.box.right >= last.box.left:
        return
    nodes = [_whole(_box(others[name], down=down), width) for name in passed]
    nodes.sort(key=lambda node: node.box.left)
    signs = [_turned(text.box) if down else text.box for text in page.signs]
    lines = list(_through([first, *nodes, last], signs, width))
    met = [place.box for name, place in others.items() if name not in passed]
    met += [
        place.title._replace(text=max(place.panel.titles, key=len, default="")).box for place in page.places.values()
    ]
    if any(_crosses(line, _turned(box) if down else box) for line in lines for box in met):
        return
    for node in nodes:
        (top, left, bottom, right), half = node.box, width / 2
        lines += [((left, y), (right, y)) for y in (top + half, bottom - half)]
        lines += [((x, top), (x, bottom)) for x in (left + half, right - half)]
    yield Stroke(tuple(((b, a), (d, c)) for (a, b), (c, d) in lines) if down else tuple(lines), width, "kernel.stroke")


def _crosses(line: tuple[Point, Point], box: Box) -> bool:
    """Whether a horizontal or vertical line crosses a box, or comes close to it."""
    (ax, ay), (bx, by) = line
    top, left, bottom, right = box
    across = min(ax, bx) < right + CLEAR and max(ax, bx) > left - CLEAR
    return bottom > top and across and min(ay, by) < bottom + CLEAR and max(ay, by) > top - CLEAR


def _box(place: Place, *, down: bool) -> Box:
    return _turned(place.box) if down else place.box


def _passed(first: Box, box: Box, last: Box) -> bool:
    """Whether a panel stands in a row between two others."""
    beside = all(box.top < end.bottom and end.top < box.bottom for end in (first, last))
    return beside and first.right <= box.left and box.right <= last.left


def _cells(place: Place, cells: tuple[int, ...], width: int, *, down: bool) -> _Node:
    """A rectangle of cells: a wire leaves it in the gap between two of them, or else beside it."""
    (top, left, bottom, right), half = cells, place.line / 2
    (y, x), (foot, end) = place.at(top, left), place.at(bottom, right)
    first, last = (left, right) if down else (top, bottom)
    sides = range(first + 1, last) or range(first, last + 1)
    gaps = [_whole_pixels(place.at(i, i)[1 if down else 0] + half, width) for i in sides]
    return _Node(*((y, foot) if down else (x, end)), _box(place, down=down), gaps)


def _whole(box: Box, width: int) -> _Node:
    """A panel with a frame around it, which a wire may reach anywhere away from its corners."""
    top, left, bottom, right = box
    framed = Box(top - width, left - width, bottom + width, right + width)
    inner = range(top + 2 * width, bottom - 2 * width + 1)
    return _Node(framed.left, framed.right, framed, [_whole_pixels(at, width) for at in inner])


def _through(nodes: Sequence[_Node], signs: Sequence[Box], width: int) -> Iterator[tuple[Point, Point]]:
    """Straight lines from one node to the next, beside the signs between them."""
    for one, other in pairwise(nodes):
        met = [box for box in signs if one.box.right <= box.left and box.right <= other.box.left]
        free = [at for at in other.at if not any(box.top - CLEAR < at < box.bottom + CLEAR for box in met)] or other.at
        start = min(one.at, key=lambda at: min(abs(at - to) for to in free))
        end = min(free, key=lambda at: abs(at - start))
        turn = _whole_pixels((one.box.right + min([other.box.left, *(box.left for box in met)])) / 2, width)
        low, high, half = min(start, end), max(start, end), width / 2
        yield (one.end, start), (turn + half, start)
        yield (turn, low - half), (turn, high + half)
        yield (turn - half, end), (other.start, end)


def _whole_pixels(middle: float, width: int) -> float:
    """The middle of a line of this width that covers whole pixels."""
    return floor(middle) + width % 2 / 2


def _turned(box: Box) -> Box:
    """A box with its axes exchanged."""
    return Box(box.left, box.top, box.right, box.bottom)

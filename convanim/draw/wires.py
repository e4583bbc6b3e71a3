"""Wires on a flat page: the link from a window to the cell that it writes, along the gaps between cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor
from typing import NamedTuple

from convanim.draw.shapes import Point, Ring, Stroke
from convanim.page import Box, Page, Place
from convanim.page.texts import around
from convanim.scene.frame import Link

#: The inks of letters in front of lines between grids.
LETTERS = ("text", "muted", "zero", "kernel.factor", "overlap.factor")
#: The minimum distance between a wire and a sign, px.
CLEAR = 4


def lens_lines(link: Link, one: Place, other: Place | None, lenses: Sequence[Place], width: float) -> Iterator[Stroke]:
    """Thin lines from a window to its magnified copy or to the kernel, if there is one, and on to the written cell.

    Args:
        one, other: the places of the window and of the single cell; None if no line leads there.
        lenses: the magnified window; for a picture that of each channel. Where it has no room, the kernel.
    """
    if link.window.down or link.window.across:
        return
    top, left, bottom, right = link.window[:4]
    window = Box(*one.at(top, left), *one.at(bottom, right))
    ends = [window, *([around([place.box for place in lenses])] if lenses else [])]
    if other and not (lenses and link.stamps):
        row, column = link.cell
        ends.append(Box(*other.at(row, column), *other.at(row + 1, column + 1)))
    for near, far in pairwise(ends):
        if near.right <= far.left or far.right <= near.left:
            x, to = (near.right, far.left) if near.right <= far.left else (near.left, far.right)
            lines = (((x, near.top), (to, far.top)), ((x, near.bottom), (to, far.bottom)))
        else:
            y, down = (near.bottom, far.top) if near.bottom <= far.top else (near.top, far.bottom)
            lines = (((near.left, y), (far.left, down)), ((near.right, y), (far.right, down)))
        yield Stroke(lines, width, "kernel.stroke", behind=LETTERS)


def slanted(link: Link, one: Place, lens: Place, width: float) -> Iterator[Stroke]:
    """Dashed lines from the nearest corner of a window on a tilted plane to both near corners of its magnified copy."""
    if link.window.down or link.window.across:
        return
    start = max(one.corners(*link.window[:4]))
    top, left, bottom, _ = lens.box
    ends = (left, top), (left, bottom)
    yield Stroke(tuple((start, end) for end in ends), width, "kernel.stroke", dash=6 * width, behind=LETTERS)


class _Node(NamedTuple):
    """Something that a wire reaches; the first axis is across the wire, and the second along it, px.

    Attributes:
        start, end: its sides along the wire.
        box: its whole panel, whose gaps the wire follows.
        at: the positions across the wire at which it may leave; if `free`, those between both ends as well.
        radius: that of the corners of its frame, px.
    """

    start: float
    end: float
    box: Box
    at: Sequence[float]
    free: bool = False
    radius: int = 0


class _Way(NamedTuple):
    """What lies between and beside two panels.

    Attributes:
        nodes: the panels to pass through.
        signs: the signs between panels.
        others: what must not be crossed.
        avoided: the panels between that take no part in the step, such as the other channels of a shuffle.
    """

    nodes: tuple[_Node, ...]
    signs: tuple[Box, ...]
    others: tuple[Box, ...]
    avoided: tuple[Box, ...]


class Wires:
    """The wires of a page.

    Args:
        page: the layout of the page.
        width: the width of the wires, px.
    """

    def __init__(self, page: Page, width: int) -> None:
        self._page, self._width = page, width
        self._ways: dict[tuple[str, ...], _Way] = {}
        self._latest: tuple[Link, tuple[Ring | Stroke, ...]] | None = None

    def of(self, link: Link) -> tuple[Ring | Stroke, ...]:
        """The wire of a link, through the panels between its ends, such as a kernel; nothing while something moves."""
        if self._latest is None or self._latest[0] != link:  # a placement has several frames
            self._latest = link, tuple(self._of(link))
        return self._latest[1]

    def _of(self, link: Link) -> Iterator[Ring | Stroke]:
        one, other = self._page.places[link.panel], self._page.places[link.other]
        if link.window.down or link.window.across or any(link.moved) or not (one.line and other.line):
            return
        down = one.box.left < other.box.right and other.box.left < one.box.right
        row, column = link.cell
        cells = _cells(other, (row, column, row + 1, column + 1), self._width, down=down)
        ends = _cells(one, link.window[:4], self._width, down=down), cells
        first, last = sorted(ends, key=lambda node: node.box.left)
        if first.box.right >= last.box.left:
            return
        key = link.panel, link.other
        if key not in self._ways:
            self._ways[key] = self._way(key, first.box, last.box, down=down)
        nodes, signs, others, avoided = self._ways[key]
        if avoided:
            lines = list(_below(first, avoided, last, self._width))
        else:
            lines = list(_through([first, *nodes, last], signs, self._width))
        if any(_crosses(line, box) for box in _near(lines, others) for line in lines):
            return
        for node in nodes:
            box = _turned(node.box) if down else node.box
            yield Ring(box, "kernel.stroke", node.radius, self._width)
        turned = tuple(((b, a), (d, c)) for (a, b), (c, d) in lines) if down else tuple(lines)
        yield Stroke(turned, self._width, "kernel.stroke")

    def _way(self, ends: tuple[str, ...], first: Box, last: Box, *, down: bool) -> _Way:
        others = {name: _box(place, down=down) for name, place in self._page.places.items() if name not in ends}
        passed = [name for name, box in others.items() if _passed(first, box, last)]
        avoided = [box for name, box in others.items() if name in passed and not self._page.places[name].panel.aside]
        found = (_whole(others[name], self._width, self._page.places[name]) for name in passed if not avoided)
        nodes = sorted(found, key=lambda node: node.start)
        titles = [
            place.title._replace(text=max(place.panel.titles, key=len, default="")).box
            for place in self._page.places.values()
        ]
        signs = [text.box for text in self._page.signs]
        if down:
            titles, signs = [_turned(box) for box in titles], [_turned(box) for box in signs]
        kept = [box for name, box in others.items() if name not in passed]
        return _Way(tuple(nodes), tuple(signs), (*kept, *titles), tuple(avoided))


def _near(lines: Sequence[tuple[Point, Point]], boxes: Sequence[Box]) -> list[Box]:
    """The boxes at the height of some lines; usually none is."""
    ys = [y for line in lines for _, y in line]
    top, bottom = min(ys) - CLEAR, max(ys) + CLEAR
    return [box for box in boxes if box.top < bottom and box.bottom > top]


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


def _whole(box: Box, width: int, place: Place) -> _Node:
    """A panel with a frame around it, which a wire may reach anywhere away from its corners."""
    top, left, bottom, right = box
    framed = Box(top - width, left - width, bottom + width, right + width)
    inner = [_whole_pixels(at, width) for at in (top + 2 * width, bottom - 2 * width)]
    radius = place.radius + place.line + width if place.line > 1 else 0
    return _Node(framed.left, framed.right, framed, inner, free=True, radius=radius)


def _through(nodes: Sequence[_Node], signs: Sequence[Box], width: int) -> Iterator[tuple[Point, Point]]:
    """Straight lines from one node to the next, beside the signs between them."""
    for one, other in pairwise(nodes):
        met = [box for box in signs if one.box.right <= box.left and box.right <= other.box.left]
        starts = [_nearest(one, at) for at in other.at] if one.free else one.at
        start, end = min(((at, _nearest(other, at, met)) for at in starts), key=lambda pair: abs(pair[1] - pair[0]))
        turn = _whole_pixels((one.box.right + min([other.box.left, *(box.left for box in met)])) / 2, width)
        low, high, half = min(start, end), max(start, end), width / 2
        yield (one.end, start), (turn + half, start)
        yield (turn, low - half), (turn, high + half)
        yield (turn - half, end), (other.start, end)


def _below(one: _Node, avoided: Sequence[Box], other: _Node, width: int) -> Iterator[tuple[Point, Point]]:
    """Straight lines from one node to the other, below the panels between them."""
    low = _whole_pixels(max(box.bottom for box in avoided) + 3 * width, width)
    ends = max(one.at), max(other.at)
    turns = [
        _whole_pixels((a + b) / 2, width)
        for a, b in (
            (one.box.right, min(box.left for box in avoided)),
            (max(box.right for box in avoided), other.box.left),
        )
    ]
    half = width / 2
    for at, turn, end in zip(ends, turns, (one.end, other.start), strict=True):
        yield (min(end, turn - half), at), (max(end, turn + half), at)
        yield (turn, min(at, low) - half), (turn, max(at, low) + half)
    yield (turns[0] - half, low), (turns[1] + half, low)


def _nearest(node: _Node, at: float, signs: Sequence[Box] = ()) -> float:
    """The position nearest to this one at which a wire may reach a node, above or below the signs before it."""
    if not signs:
        return min(max(at, node.at[0]), node.at[-1]) if node.free else min(node.at, key=lambda here: abs(here - at))

    def beside(here: float) -> bool:
        return not any(box.top - CLEAR < here < box.bottom + CLEAR for box in signs)

    there = list(node.at)
    if node.free:
        part = node.at[0] % 1  # that of a line on whole pixels
        edges = [edge + part for box in signs for edge in (box.top - CLEAR, box.bottom + CLEAR)]
        there = [min(max(here, node.at[0]), node.at[-1]) for here in (at, *edges, *node.at)]
    return min(filter(beside, there), key=lambda here: abs(here - at), default=there[0])


def _whole_pixels(middle: float, width: int) -> float:
    """The middle of a line of this width that covers whole pixels."""
    return floor(middle) + width % 2 / 2


def _turned(box: Box) -> Box:
    """A box with its axes exchanged."""
    return Box(box.left, box.top, box.right, box.bottom)

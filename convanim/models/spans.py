"""Extents: the first and the last cell of the input under each cell of a model, as if the input had no borders.

Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks (2019), of which this is
the generalisation to transposed convolutions, resizing and branches: the ends are followed backwards, cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, gcd, lcm

from convanim.layers import Axis, Resampled
from convanim.layers.adaptive import Adapted
from convanim.models.graph import Graph, Joined

#: The maximum number of neighbouring cells whose receptive fields are compared: they repeat after that many.
PERIOD = 64
#: The first and the last cell of an extent, which may lie in the padding; None if nothing is read.
Extent = tuple[int, int] | None


class Spans:
    """The extents along one axis of the first cells of every node, until they repeat.

    Args:
        graph: the layers.
        i: the axis.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.models.graph import Node, Read
        >>> conv = Node("a", "", (8,), reads=(Read(0, Conv(3, padding=1).axes((8,))),))
        >>> Spans(Graph("m", (Node("input", "", (8,)), conv)), 0).of(1)
        [(-1, 1)]
    """

    def __init__(self, graph: Graph, i: int) -> None:
        self.nodes, self.i = graph.nodes, i
        self.periods, self._rough = list[int](), list[bool]()
        # By how many cells of the input the extents move from one period of a node to the next; None if they do not.
        self._shifts: list[int | None] = []
        for node in self.nodes:
            reads = [(read.source, read.axes[i]) for read in node.reads]
            self.periods.append(lcm(*(_period(axis, self.periods[source]) for source, axis in reads)))
            self._rough.append(any(_rough(axis) or self._rough[source] for source, axis in reads))
            moved = {self._moved(source, axis) for source, axis in reads} if reads else {1}
            self._shifts.append(moved.pop() if len(moved) == 1 else None)
        self._ends: list[dict[int, Extent]] = [{} for _ in self.nodes]
        self._find()

    def first(self, number: int) -> range:
        """The cells of a node whose extents differ."""
        return range(min((self.nodes[number].sizes or (0,) * (self.i + 1))[self.i], self.periods[number], PERIOD))

    def of(self, number: int) -> list[Extent]:
        """The extents of the first cells of a node."""
        return [self._end(number, cell) for cell in self.first(number)]

    def through(self, source: int, axis: Axis, cell: int) -> Extent:
        """The extent of a cell as far as one of the maps that it reads leads."""
        there = back(axis, cell, cell)
        found = [self._end(source, c) for c in self._needed(source, *there)] if there else []
        kept = [extent for extent in found if extent]
        return (min(first for first, _ in kept), max(last for _, last in kept)) if kept else None

    def _moved(self, source: int, axis: Axis) -> int | None:
        """The shift of the node that is added now, as far as one of the maps that it reads tells."""
        step, shift = step_of(axis), self._shifts[source]
        if step is None or shift is None or isinstance(axis, Adapted | Joined):
            return None
        return int(self.periods[-1] * step / self.periods[source] * shift)

    def _place(self, number: int, cell: int) -> tuple[int, int]:
        """The cell of the first period whose extent is the same, and by how many cells of the input it is moved."""
        shift = self._shifts[number]
        if shift is None:
            return cell, 0
        times, first = divmod(cell, self.periods[number])
        return first, times * shift

    def _end(self, number: int, cell: int) -> Extent:
        first, moved = self._place(number, cell)
        extent = self._ends[number][first]
        return extent and (extent[0] + moved, extent[1] + moved)

    def _needed(self, number: int, first: int, last: int) -> Iterator[int]:
        """The cells between two others whose extents lead to that of all of them."""
        yield from range(first, last + 1) if self._rough[number] else {first, last}

    def _find(self) -> None:
        # From the last node to the first one: which cells are asked for. Back to the last one: their extents.
        asked: list[set[int]] = [set(self.first(n)) for n in range(len(self.nodes))]
        for number in range(len(self.nodes) - 1, 0, -1):
            if self.nodes[number].passes:
                asked[self.nodes[number].reads[0].source] |= asked[number]
                continue
            for source, axes in self.nodes[number].reads:
                for cell in asked[number]:
                    if there := back(axes[self.i], cell, cell):
                        asked[source].update(self._place(source, c)[0] for c in self._needed(source, *there))
        self._ends[0] = {cell: (cell, cell) for cell in asked[0]}
        for number, node in enumerate(self.nodes[1:], start=1):
            if node.passes:
                self._ends[number] = self._ends[node.reads[0].source]
                continue
            for cell in asked[number]:
                parts = [self.through(source, axes[self.i], cell) for source, axes in node.reads]
                kept = [part for part in parts if part]
                self._ends[number][cell] = (min(a for a, _ in kept), max(b for _, b in kept)) if kept else None


def _rough(axis: Axis) -> bool:
    """Whether the extents of neighbouring cells need not grow, as some cells read nothing."""
    gaps = axis.transposed and not isinstance(axis, Resampled) and (axis.reach < axis.stride or axis.dilation > 1)
    return gaps or isinstance(axis, Joined) or (isinstance(axis, Resampled) and axis.way == "nails")


def _period(axis: Axis, before: int) -> int:
    """The number of output cells after which the windows over a map of some period repeat."""
    if isinstance(axis, Adapted | Joined):
        return axis.output
    if isinstance(axis, Resampled) and axis.place == "align_corners":
        up, down = max(axis.output - 1, 1), axis.input - 1
    elif isinstance(axis, Resampled):
        up, down = axis.ratio
    else:
        up, down = (axis.stride, 1) if axis.transposed else (1, axis.stride)
    return up * before // gcd(up * before, down)


def step_of(axis: Axis) -> Fraction | None:
    """The distance of neighbouring output cells in cells of the input; None if there is none.

    Example:
        >>> [str(step_of(Axis(4, n, 2, 2, transposed=up))) for n, up in ((2, False), (8, True))]
        ['2', '1/2']
    """
    if isinstance(axis, Resampled):
        if axis.input == 1:  # one cell, which is repeated
            return None
        if axis.place == "align_corners":
            return Fraction(axis.input - 1, axis.output - 1) if axis.output > 1 else None
        return Fraction(axis.ratio[1], axis.ratio[0])
    if isinstance(axis, Adapted) and (axis.output == 1 or not axis.regular):
        return None
    return Fraction(1, axis.stride) if axis.transposed else Fraction(axis.stride)


def back(axis: Axis, first: int, last: int) -> Extent:
    """The extent that the cells `first` to `last` of an output read, as if the input went on beyond its borders.

    Example:
        >>> back(Axis(5, 5, 3, before=1, after=1), 0, 0), back(Axis(3, 5, 3, 2, 1, 1, transposed=True), 1, 1)
        ((-1, 1), (0, 1))
    """
    if isinstance(axis, Resampled):
        return _resampled(axis, first, last)
    if isinstance(axis, Joined):
        low, high = max(first - axis.before, 0), min(last - axis.before, axis.input - 1)
        return (low, high) if low <= high else None
    if isinstance(axis, Adapted):  # windows of their own, which have no padding
        low, high = (min(max(cell, 0), axis.output - 1) for cell in (first, last))
        return axis.window(low)[0], axis.window(high)[1] - 1
    s, p, d, most = axis.stride, axis.before, axis.dilation, axis.reach - 1
    if not axis.transposed:
        return first * s - p, last * s - p + most

    def meets(cell: int) -> bool:  # whether a stamp lands on one of the cells
        low, high = max(0, first + p - cell * s), min(most, last + p - cell * s)
        return -(-low // d) * d <= high

    met = [c for c in range(-(-(first + p - most) // s), (last + p) // s + 1) if meets(c)]
    return (met[0], met[-1]) if met else None


def _resampled(axis: Resampled, first: int, last: int) -> Extent:
    up, down = axis.ratio
    if axis.input == 1:
        return 0, 0
    if axis.way == "nails":
        low, high = -(-first // up), last // up
        return (low, high) if low <= high else None
    if axis.place == "align_corners":
        step, shift = Fraction(axis.input - 1, max(axis.output - 1, 1)), Fraction(0)
    else:
        step, shift = Fraction(down, up), Fraction(1, 2) if axis.place == "half_pixel" else Fraction(0)
    low_at, high_at = ((cell + shift) * step - shift for cell in (first, last))
    if axis.way == "bilinear":
        return floor(low_at), ceil(high_at)
    return _nearest(low_at, axis.rounding), _nearest(high_at, axis.rounding)


def _nearest(at: Fraction, rounding: str) -> int:
    half = Fraction(1, 2)
    return {"floor": floor(at), "up": floor(at + half), "down": ceil(at - half)}[rounding]

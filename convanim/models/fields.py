"""Receptive fields, effective strides and padding offsets of all layers, and the cells that depend on each other.

Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks (2019), of which this is
the generalisation to transposed convolutions, resizing and branches: the extents are followed backwards, cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import ceil, floor, gcd, lcm

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers import Axis, Resampled, times
from convanim.models.graph import Graph, Node
from convanim.trace.engine import taps_of

#: The maximum number of neighbouring cells whose receptive fields are compared: they repeat after that many.
PERIOD = 64
#: The first and the last cell of an extent, which may lie in the padding; None if nothing is read.
Extent = tuple[int, int] | None
#: Cells of a map: for each of some rectangles, one mask per axis. Their union is what is meant.
Cells = tuple[tuple[NDArray[np.bool_], ...], ...]


@dataclass(frozen=True)
class Field:
    """How one axis of a layer's output lies over the input of the chain.

    Attributes:
        stride: the distance of neighbouring cells in cells of the input; None if it is not constant.
        size: the size of the receptive field in cells, padding included; the largest one if they differ.
        offset: the number of cells by which the field of the first cell begins before the input.
    """

    stride: Fraction | None
    size: int
    offset: int


def fields(graph: Graph) -> list[tuple[Field, ...] | None]:
    """The field of each node along each axis; None for those whose positions are not followed.

    Example:
        >>> from convanim.layers import Conv, MaxPool
        >>> from convanim.models.graph import Read
        >>> conv, pool = Conv(3, padding=1).axes((8,)), MaxPool(2).axes((8,))
        >>> nodes = Node("input", "", (8,)), Node("a", "", (8,), reads=(Read(0, conv),))
        >>> graph = Graph("m", (*nodes, Node("b", "", (4,), reads=(Read(1, pool),))))
        >>> fields(graph)[2]
        (Field(stride=Fraction(2, 1), size=4, offset=1),)
    """
    found: list[tuple[Field, ...] | None] = []
    periods: list[list[int]] = []
    for number, node in enumerate(graph.nodes):
        ranks = range(len(node.sizes or ()))
        periods.append([lcm(*(_period(read.axes[i], periods[read.source][i]) for read in node.reads)) for i in ranks])
        here = tuple(_field(graph, number, i, found, periods[number][i]) for i in ranks)
        found.append(None if node.sizes is None else here)
    return found


def _period(axis: Axis, before: int) -> int:
    """The number of output cells after which the windows over a map of some period repeat."""
    if type(axis) is not Axis and not isinstance(axis, Resampled):
        return axis.output
    if isinstance(axis, Resampled) and axis.place == "align_corners":
        up, down = max(axis.output - 1, 1), axis.input - 1
    elif isinstance(axis, Resampled):
        up, down = axis.ratio
    else:
        up, down = (axis.stride, 1) if axis.transposed else (1, axis.stride)
    return up * before // gcd(up * before, down)


def _field(graph: Graph, number: int, i: int, before: Sequence[tuple[Field, ...] | None], period: int) -> Field:
    node = graph.nodes[number]
    if not number:
        return Field(Fraction(1), 1, 0)
    if node.passes:
        return _known(before, node.reads[0].source)[i]
    strides = [stride for stride in _strides(node, i, before) if stride is not None]
    stride = strides[0] if strides else None
    extents = [extent for extent in _extents(graph, number, i, period) if extent]
    if not extents:
        return Field(stride, 0, 0)
    return Field(stride, max(last - first + 1 for first, last in extents), -extents[0][0])


def _known(found: Sequence[tuple[Field, ...] | None], number: int) -> tuple[Field, ...]:
    return found[number] or ()


def _strides(node: Node, i: int, before: Sequence[tuple[Field, ...] | None]) -> list[Fraction | None]:
    """The effective stride of each branch that a node reads."""
    steps = []
    for source, axes in node.reads:
        here, step = _known(before, source)[i].stride, step_of(axes[i])
        steps.append(None if here is None or step is None else here * step)
    return steps


def _extents(graph: Graph, number: int, i: int, period: int) -> Iterator[Extent]:
    """The extents, in the input, of the cells after which everything repeats."""
    for cell in range(min((graph.nodes[number].sizes or ())[i], period, PERIOD)):
        yield extent(graph, number, i, cell)


def extent(graph: Graph, number: int, i: int, cell: int) -> Extent:
    """The first and the last cell of the input, along axis i, under a cell of a node; they may lie in the padding."""
    wanted: dict[int, Extent] = {number: (cell, cell)}
    for here in range(number, 0, -1):
        if (found := wanted.pop(here, None)) is None:
            continue
        for source, axes in graph.nodes[here].reads:
            wanted[source] = _union(wanted.get(source), back(axes[i], *found))
    return wanted.get(0)


def _union(a: Extent, b: Extent) -> Extent:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), max(a[1], b[1])


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
    if type(axis) is not Axis and (axis.output == 1 or not axis.regular):
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
    if type(axis) is not Axis:  # windows of their own, which have no padding
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


def merged(graph: Graph, found: Sequence[tuple[Field, ...] | None]) -> Graph:
    """The graph with a fault at each layer whose branches do not fit together.

    Branches meet with different effective strides, or they are shifted by a cell of the map or more: the mean centres
    of their receptive fields are compared. Causal layers, whose fields end with the same cell, fit.
    """
    return replace(graph, nodes=tuple(_compared(graph, n, node, found) for n, node in enumerate(graph.nodes)))


def _compared(graph: Graph, number: int, node: Node, found: Sequence[tuple[Field, ...] | None]) -> Node:
    if not node.merges or node.sizes is None:
        return node
    faults: list[str] = []
    for i in range(len(node.sizes)):
        strides = {s for s in _strides(node, i, found) if s is not None}
        if len(strides) > 1:
            told = " ".join(map(str, sorted(strides)))
            faults.append(say("the branches that meet here have different effective strides: {strides}", strides=told))
            continue
        ends = [_ends(graph, read.source, read.axes[i], i, node.sizes[i]) for read in node.reads]
        ends = [some for some in ends if some]
        apart = max(map(_centre, ends)) - min(map(_centre, ends)) if ends and strides else Fraction(0)
        causal = len(node.sizes) == 1 and len({tuple(last for _, last in some) for some in ends}) == 1
        if strides and apart >= min(strides) and not causal:
            faults.append(
                say("the branches that meet here are shifted by {n}, in cells of the input", n=f"{float(apart):g}")
            )
    return replace(node, faults=(*node.faults, *dict.fromkeys(faults)))


def _ends(graph: Graph, source: int, axis: Axis, i: int, cells: int) -> list[tuple[int, int]]:
    """The extents of the first cells; none of what is repeated or covers everything."""
    found = []
    for cell in range(min(cells, PERIOD) if step_of(axis) is not None else 0):
        there = back(axis, cell, cell)
        ends = [one for c in there or () if (one := extent(graph, source, i, c))]
        if ends:
            found.append((ends[0][0], ends[-1][1]))
    return found


def _centre(extents: Sequence[tuple[int, int]]) -> Fraction:
    return Fraction(sum(first + last for first, last in extents), 2 * len(extents))


# --- the cells themselves ---------------------------------------------------------------------------------------------


@cache
def sources(axis: Axis) -> tuple[tuple[int, ...], ...]:
    """The input cells, without padding, that each cell of the output reads along an axis.

    Example:
        >>> sources(Axis(4, 2, 3, 2, 1, 0))
        ((0, 1), (1, 2, 3))
    """
    taps = taps_of(axis)
    order = np.lexsort((taps.source, taps.target))
    parts = np.split(taps.source[order], np.cumsum(np.bincount(taps.target, minlength=axis.output))[:-1])
    return tuple(tuple(np.unique(part).tolist()) for part in parts)


def reached(graph: Graph, number: int, cell: Sequence[int]) -> dict[int, Cells]:
    """The cells of every earlier node that one cell depends on.

    Args:
        number: the number of the node.
        cell: the cell, one index per axis.

    Raises:
        ConvanimError: the node has no such cell.

    Returns:
        rectangles by the number of the node; in a chain there is one, branches may have several.
    """
    sizes = graph.nodes[number].sizes
    if sizes is None:
        raise ConvanimError(f"{graph.nodes[number].name} has no positions that are followed", "name an earlier layer")
    if len(cell) != len(sizes) or not all(0 <= c < n for c, n in zip(cell, sizes, strict=True)):
        told = f"cell {tuple(cell)} is outside of {graph.nodes[number].name}, which is {times(sizes)}"
        raise ConvanimError(told, f"use 0 to {times([n - 1 for n in sizes])}")
    found: dict[int, Cells] = {number: (tuple(np.arange(n) == c for c, n in zip(cell, sizes, strict=True)),)}
    for here in range(number, 0, -1):
        for source, axes in graph.nodes[here].reads if here in found else ():
            found[source] = _pruned((*found.get(source, ()), *(_through(axes, part) for part in found[here])))
    return found


def _through(axes: Sequence[Axis], part: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], ...]:
    masks = []
    for axis, above in zip(axes, part, strict=True):
        below, table = np.zeros(axis.input, bool), sources(axis)
        for target in np.flatnonzero(above):
            below[list(table[target])] = True
        masks.append(below)
    return tuple(masks)


def _pruned(parts: Cells) -> Cells:
    """The rectangles that are not inside another one, and not empty."""
    kept: list[tuple[NDArray[np.bool_], ...]] = []
    for part in sorted(parts, key=lambda part: -float(np.prod([m.sum() for m in part], dtype=float))):
        inside = any(all((m <= k).all() for m, k in zip(part, other, strict=True)) for other in kept)
        if not inside and all(m.any() for m in part):
            kept.append(part)
    return tuple(kept)


def mask(cells: Cells, sizes: Sequence[int]) -> NDArray[np.bool_]:
    """The cells of some rectangles as one mask."""
    found = np.zeros(tuple(sizes), bool)
    for part in cells:
        found[np.ix_(*map(np.flatnonzero, part))] = True
    return found

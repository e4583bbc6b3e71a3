"""Receptive fields, effective strides and padding offsets of all layers, and branches that do not fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from convanim.language.words import say
from convanim.models.graph import Graph, Joined, Node
from convanim.models.spans import Spans, step_of

#: Effective strides that differ by less than this factor are no fault: a map was resized to the size of another one.
CLOSE = Fraction(9, 8)


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


def analysed(graph: Graph) -> tuple[Graph, list[tuple[Field, ...] | None]]:
    """The field of each node along each axis, and the graph with a fault where branches do not fit together.

    Fields are None where positions are not followed. Branches meet with different effective strides, or they are
    shifted by a cell of the map or more: the mean centres of their receptive fields are compared. Causal layers, whose
    fields end with the same cell, fit.

    Example:
        >>> from convanim.layers import Conv, MaxPool
        >>> from convanim.models.graph import Read
        >>> conv, pool = Conv(3, padding=1).axes((8,)), MaxPool(2).axes((8,))
        >>> nodes = Node("input", "", (8,)), Node("a", "", (8,), reads=(Read(0, conv),))
        >>> graph = Graph("m", (*nodes, Node("b", "", (4,), reads=(Read(1, pool),))))
        >>> analysed(graph)[1][2]
        (Field(stride=Fraction(2, 1), size=4, offset=1),)
    """
    spans, found = _spans(graph), list[tuple[Field, ...] | None]()
    for number, node in enumerate(graph.nodes):
        here = tuple(_field(node, number, i, along, found) for i, along in enumerate(spans) if node.sizes)
        found.append(here or None)
    compared = tuple(_compared(number, node, spans, found) for number, node in enumerate(graph.nodes))
    return replace(graph, nodes=compared), found


def _spans(graph: Graph) -> list[Spans]:
    """The extents along each axis of the maps."""
    rank = max((len(node.sizes) for node in graph.nodes if node.sizes), default=0)
    square = all(len(set(read.axes)) == 1 for node in graph.nodes for read in node.reads)
    if square and len(set(graph.nodes[0].sizes or ())) == 1:
        return [Spans(graph, 0)] * rank
    return [Spans(graph, i) for i in range(rank)]


def _field(node: Node, number: int, i: int, along: Spans, before: Sequence[tuple[Field, ...] | None]) -> Field:
    if not number:
        return Field(Fraction(1), 1, 0)
    strides = [stride for stride in _strides(node, i, before) if stride is not None]
    extents = [extent for extent in along.of(number) if extent]
    size = max((last - first + 1 for first, last in extents), default=0)
    return Field(strides[0] if strides else None, size, -extents[0][0] if extents else 0)


def _strides(node: Node, i: int, before: Sequence[tuple[Field, ...] | None]) -> list[Fraction | None]:
    """The effective stride of each branch that a node reads."""
    steps = []
    for source, axes in node.reads:
        here, step = (before[source] or ())[i].stride, step_of(axes[i])
        steps.append(None if here is None or step is None else here * step)
    return steps


def _compared(number: int, node: Node, spans: Sequence[Spans], found: Sequence[tuple[Field, ...] | None]) -> Node:
    joined = any(isinstance(axis, Joined) for read in node.reads for axis in read.axes)
    if not node.merges or node.sizes is None or joined:
        return node
    faults: list[str] = []
    notes: list[str] = []
    for i in range(len(node.sizes)):
        strides = {s for s in _strides(node, i, found) if s is not None}
        if len(strides) > 1:
            told = " ".join(map(str, sorted(strides)))
            close = max(strides) < min(strides) * CLOSE
            said = say("the branches that meet here have different effective strides: {strides}", strides=told)
            (notes if close else faults).append(said)
            continue
        kept = [read for read in node.reads if step_of(read.axes[i]) is not None]  # not what is repeated
        parts = [[spans[i].through(r.source, r.axes[i], cell) for cell in spans[i].first(number)] for r in kept]
        ends = [some for part in parts if (some := [extent for extent in part if extent])]
        apart = max(map(_centre, ends)) - min(map(_centre, ends)) if ends and strides else Fraction(0)
        causal = len(node.sizes) == 1 and len({tuple(last for _, last in some) for some in ends}) == 1
        if strides and apart >= min(strides) and not causal:
            faults.append(
                say("the branches that meet here are shifted by {n}, in cells of the input", n=f"{float(apart):g}")
            )
    return replace(node, faults=(*node.faults, *dict.fromkeys(faults)), notes=(*node.notes, *dict.fromkeys(notes)))


def _centre(extents: Sequence[tuple[int, int]]) -> Fraction:
    return Fraction(sum(first + last for first, last in extents), 2 * len(extents))

"""The table of the layers of a model, as lines of text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from convanim.language.words import translate
from convanim.layers import times
from convanim.models.fields import Field
from convanim.models.graph import Graph, Node


class Row:
    """One layer in the table.

    Attributes:
        name, kind, line: its name, its operation in the framework, and its line in convanim's notation, or "".
        input, output: the shapes, with channels and without the batch; None if unknown.
        parameters: how many numbers it has learned.
        stride, field, offset: the effective stride, the receptive field and its offset, one per axis; None where
            positions are not followed.
        notes, faults: sentences about it.
    """

    def __init__(self, graph: Graph, number: int, found: tuple[Field, ...] | None) -> None:
        node = graph.nodes[number]
        self.name, self.kind, self.line = node.name, node.kind, str(node.op) if node.op else ""
        source = graph.nodes[node.reads[0].source] if node.reads else None
        self.input, self.output = (None if one is None else shape_of(one) for one in (source, node))
        self.parameters = node.parameters
        self.stride = None if found is None else tuple(one.stride for one in found)
        self.field = None if found is None else tuple(one.size for one in found)
        self.offset = None if found is None else tuple(one.offset for one in found)
        self.notes, self.faults = node.notes, node.faults

    def facts(self) -> dict[str, Any]:
        """The row as data for `--json`."""
        stride = None if self.stride is None else [None if s is None else float(s) for s in self.stride]
        told = {"name": self.name, "kind": self.kind, "layer": self.line or None}
        sizes = {"input": self.input, "output": self.output, "parameters": self.parameters}
        field = {"effective_stride": stride, "receptive_field": self.field, "padding_offset": self.offset}
        return told | sizes | field | {"notes": [*map(str, self.notes)], "faults": [*map(str, self.faults)]}


def shape_of(node: Node) -> tuple[int, ...] | None:
    """The shape of the output of a node, channels first and without the batch; None if it is not known."""
    if node.sizes is None:
        return node.shape and node.shape[1:]
    return (*((node.channels,) if node.channels else ()), *node.sizes)


def joined(numbers: Sequence[Any] | None, sign: str = "×") -> str:
    """Numbers per axis as one text; a single one if all are the same.

    Example:
        >>> joined((3, 3)), joined((3, 1)), joined(None), joined((None, None))
        ('3', '3×1', '', '–')
    """
    if not numbers:
        return ""
    texts = ["–" if n is None else str(n) for n in numbers]
    return texts[0] if len(set(texts)) == 1 else sign.join(texts)


def table(graph: Graph, rows: Sequence[Row]) -> Iterator[str]:
    """The lines of the table, and of the sentences below it."""
    shape, learned = shape_of(graph.nodes[0]), sum(row.parameters for row in rows)
    yield f"{graph.name}: input {times(shape) if shape else '?'}, {learned:,} parameters"
    for note in graph.notes:
        yield f"  {translate(note, None)}"
    yield ""
    heads = ("layer", "operation", "output", "parameters", "stride", "field", "offset")
    cells = [
        (
            *(row.name, row.kind, times(row.output) if row.output else "?"),
            f"{row.parameters:,}" if row.parameters else "",
            *(joined(row.stride), joined(row.field), joined(row.offset)),
        )
        for row in rows
    ]
    wide = [max(len(line[i]) for line in (heads, *cells)) for i in range(len(heads))]
    for line in (heads, *cells):
        pieces = [f"{c:<{w}}" if i < 3 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(line, wide, strict=True))]
        yield "  ".join(pieces).rstrip()
    said = [
        (row.name, text, mark) for row in rows for mark, some in (("!", row.faults), ("", row.notes)) for text in some
    ]
    if said:
        yield ""
    for name, text, mark in said:
        yield f"{mark or '·'} {name}: {text}."
    lines = [(row.name, row.line) for row in rows if row.line]
    if lines:
        yield ""
        longest = max(len(name) for name, _ in lines)
        yield from (f"{name:<{longest}}  {line}" for name, line in lines)

"""The receptive view: the input cells that one output cell depends on, if a layer is applied several times.

Sources: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks (2019); for the paths Luo,
Li, Urtasun and Zemel, Understanding the effective receptive field in deep convolutional neural networks (2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convanim.errors import ConvanimError
from convanim.explanation.arithmetic import count, per_axis
from convanim.language.numerals import MINUS, Numerals, unique
from convanim.language.words import plural, say
from convanim.layers import Axis, Operation
from convanim.scene.caption import Caption
from convanim.scene.captions import heading, plain_detail
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Emphasis,
    Frame,
    Grid,
    Link,
    Panel,
    Phase,
    Role,
    around,
    in_rows,
)
from convanim.trace import Trace
from convanim.trace.engine import taps_of
from convanim.trace.taps import Ints

#: The maximum number of layers, of which each needs a grid.
MOST = 4
DEPENDS = plural("{n} layer: one cell depends on {cells}", "{n} layers: one cell depends on {cells}")


def stacked(op: Operation, sizes: tuple[int, ...]) -> list[tuple[Axis, ...]]:
    """The axes of a layer that is applied to its own output, until one cell depends on every input cell.

    Example:
        >>> from convanim.layers import Conv
        >>> [layer[0].output for layer in stacked(Conv(3), (9, 9))]
        [7, 5, 3, 1]
    """
    layers = [op.axes(sizes)]
    while len(layers) < MOST and not all(paths(along)[-1].all() for along in zip(*layers, strict=True)):
        try:
            more = [*layers, op.axes(tuple(axis.output for axis in layers[-1]))]
        except ConvanimError:  # the output is smaller than the kernel
            break
        if _reached(more) == _reached(layers):
            break
        layers = more
    return layers


def _reached(layers: list[tuple[Axis, ...]]) -> list[int]:
    """The number of input cells along each axis that the middle cell of the last output depends on."""
    return [int(np.count_nonzero(paths(along)[-1])) for along in zip(*layers, strict=True)]


def paths(along: tuple[Axis, ...]) -> list[Ints]:
    """The number of paths from each cell of an axis to the middle cell of the last output, the last output first.

    Args:
        along: the same axis of each layer, the first layer first.

    Example:
        >>> from convanim.layers import Conv
        >>> [row.tolist() for row in paths((*Conv(3).axes((5,)), *Conv(3).axes((3,))))]
        [[1], [1, 1, 1], [1, 2, 3, 2, 1]]
    """
    last = np.zeros(along[-1].output, np.int64)
    last[(len(last) - 1) // 2] = 1
    found = [last]
    for axis in reversed(along):
        taps, below = taps_of(axis), np.zeros(axis.input, np.int64)
        np.add.at(below, taps.source, found[-1][taps.target])
        found.append(below)
    return found


class ReceptiveScene(PlacementScene):
    """The cells that one cell of the last output depends on, layer by layer from the output back to the input.

    Args:
        trace: with one channel and one or two axes.
        shown: not used, as paths have no letters.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace.by_output()
        self.traces = (self.trace,)
        self.layers = stacked(trace.op, tuple(axis.input for axis in trace.axes))
        self.title, self.detail = (
            heading(trace, say("{layer}, receptive field", layer=trace.op.words)),
            plain_detail(trace),
        )
        self.phases = (Phase("back", say("from one output cell back to the input"), say("back")),)
        rows = [paths(along) for along in zip(*self.layers, strict=True)]
        rows = rows if len(rows) == 2 else [[np.ones(1, np.int64)] * len(rows[0]), *rows]
        #: The paths from each cell, (rows, columns), of the last output first and of the input last.
        self.counts = [np.outer(*both) for both in zip(*rows, strict=True)]
        depth = len(self.layers)
        names = [("input", say("input")), *((f"map {n}", say("after layer {n}", n=n)) for n in range(1, depth + 1))]
        most = max(int(counts.max()) for counts in self.counts)
        shown = np.arange(most + 1) if most < 2**10 else unique(np.concatenate([c.ravel() for c in self.counts]))
        panels = tuple(
            Panel(name, counts.shape, (title,), Numerals(shown), shown, heat=most, follows="input" if n else "")
            for n, ((name, title), counts) in enumerate(zip(names, self.counts[::-1], strict=True))
        )
        self.blocks = in_rows(panels, len(trace.axes))
        self.beats = Beats(1, depth, 1, 1, 1)
        asked = Caption(remark=say("each number counts the paths from its cell to this one"))
        self._opening = [Frame(0, self._grids(0), (asked,))]
        cells = count(int((self.counts[-1] > 0).sum()), "input cell")
        self._closing = [Frame(0, self._grids(depth), (Caption(remark=DEPENDS(depth, cells=cells)),), depth)]

    def _cells(self, back: int) -> tuple[tuple[int, int], ...]:
        """The cells that are reached after going back through some layers."""
        return tuple((row, column) for row, column in np.argwhere(self.counts[back]).tolist())

    def _grids(self, back: int, *, new: bool = False) -> dict[str, Grid]:
        """The grids after going back through some layers; the last of them is `new`."""
        grids = {}
        for n, (panel, counts) in enumerate(zip(self.panels, self.counts[::-1], strict=True)):
            layer = len(self.layers) - n
            reached = np.where(counts > 1, Role.OVERLAP, np.where(counts > 0, Role.DONE, Role.PENDING))
            known = layer <= back
            roles = reached if known else np.full(counts.shape, Role.PENDING)
            fresh = Emphasis.WRITTEN if new and layer == back else Emphasis.NONE
            emphasis = np.where(counts > 0, fresh, Emphasis.NONE).astype(np.uint8)
            outlines = (around(self._cells(layer), Role.KERNEL),) if known and counts.any() else ()
            values = counts if known else np.zeros_like(counts)
            grids[panel.name] = Grid(panel.titles[0], roles.astype(np.uint8), values, emphasis, {}, outlines)
        return grids

    def links(self, step: int) -> tuple[Link, ...]:
        """None: a step leads from many cells to many."""
        return ()

    def _placement(self, number: int, ahead: int) -> Frame:
        below, above = self.panels[-2 - number].name, self.panels[-1 - number].name
        return Frame(
            0,
            self._grids(number + 1, new=True),
            (self._caption(number),),
            number + 1,
            reads={above: self._cells(number)},
            writes={below: self._cells(number + 1)},
        )

    def _caption(self, number: int) -> Caption:
        """The size of the receptive field in the input of a layer, from the size in its output."""
        sizes, axes = [1] * len(self.layers[0]), self.layers[-1 - number]
        for layer in self.layers[::-1][:number]:
            sizes = [_read(size, axis) for size, axis in zip(sizes, layer, strict=True)]
        read = [_read(size, axis) for size, axis in zip(sizes, axes, strict=True)]
        reached = np.argwhere(self.counts[number + 1]).T[-len(read) :]
        there = [int(np.ptp(places)) + 1 if places.size else 0 for places in reached]
        clipped = any(n < size for n, size in zip(there, read, strict=True))
        terms: tuple[Any, ...] = ()
        if not all(axis.regular for layer in self.layers for axis in layer):  # windows of several sizes
            read = there
        elif len({(size, axis.stride, axis.reach) for size, axis in zip(sizes, axes, strict=True)}) == 1:
            terms = (f"({sizes[0]} {MINUS} 1)·{axes[0].stride}", str(axes[0].reach))
        remark = say("partly padding") if clipped else ""
        return Caption(say("receptive field"), terms, per_axis(read), remark)


def _read(size: int, axis: Axis) -> int:
    """The number of input cells that a number of consecutive output cells reads along an axis, padding included."""
    return (size - 1) * axis.stride + axis.reach

"""The cells that depend on each other: of every layer, those that a cell of a later layer reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.layers import Axis, times
from convanim.models.graph import Graph
from convanim.trace.engine import taps_of

#: Cells of a map: for each of some rectangles, one mask per axis. Their union is what is meant.
Cells = tuple[tuple[NDArray[np.bool_], ...], ...]


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

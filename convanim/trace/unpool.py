"""Traces of max unpooling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from convanim.errors import ConvanimError, shortly
from convanim.layers import MaxUnpool, times
from convanim.trace import oracle
from convanim.trace.arrays import Array, numbers
from convanim.trace.core import Order, Trace
from convanim.trace.given import Given, taken_in
from convanim.trace.pools import PoolTrace
from convanim.trace.step import Block
from convanim.trace.taps import Ints


class UnpoolTrace(Trace):
    """A trace of a max unpooling, which moves each value to its index; see `Trace`.

    `places` are the flat indices (C, *n) in each channel of the output. `pooled` are the sizes of the pooling's input,
    input, in which an index may be another cell, or None if they are unknown.
    """

    op: MaxUnpool
    _mode = "set"

    def __init__(
        self,
        op: MaxUnpool,
        x: Array,
        places: Ints,
        output: tuple[int, ...],
        *,
        given: Given,
        order: Order = "gather",
        pooled: tuple[int, ...] | None = None,
    ) -> None:
        self.places, self._output, self.pooled = places, output, pooled
        flat = places.reshape(len(x), -1)
        # The value that remains in each cell of the output: of several the last one.
        self._stays = np.full((len(x), prod(output)), -1)
        for channel, row in enumerate(flat):
            self._stays[channel, row] = np.arange(len(row))
        super().__init__(op, x, op.sized(op.axes(x.shape[1:]), output), len(x), given, order)

    def _arrays(self) -> tuple[Any, ...]:
        return self.x, self.places, self._output

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnpoolTrace):
            return False if isinstance(other, Trace) else NotImplemented
        mine, theirs = ((t.op, t.order, t._given, t._output) for t in (self, other))
        return mine == theirs and np.array_equal(self.x, other.x) and np.array_equal(self.places, other.places)

    __hash__ = None

    def _apply(self) -> Array:
        out = np.zeros((len(self.x), prod(self._output)), self.x.dtype)
        np.put_along_axis(out, self.places.reshape(len(self.x), -1), self.x.reshape(len(self.x), -1), axis=1)
        return out.reshape(len(self.x), *self._output)

    def _block(self, start: int, stop: int) -> Block:
        cells = np.array(np.unravel_index(np.arange(start, stop), self.cells))
        if self.order == "scatter":
            reads, there = list(cells), np.ones(stop - start, bool)
            writes = [cells[0], *np.unravel_index(self.places[tuple(cells)], self._output)]
        else:
            writes = list(cells)
            source = self._stays.reshape(self._answer.shape)[tuple(cells)]
            there = source >= 0
            reads = [cells[0], *np.unravel_index(np.maximum(source, 0), self.x.shape[1:])]
        r, w = ([a[:, None, None] for a in arrays] for arrays in (reads, writes))
        return Block((stop - start, 1, 1), r, [], w, np.ones((), np.int64), there[:, None, None])

    def _ask(self, *arrays: Any) -> Array:
        return oracle.unpool(arrays[0], self.places, self._output)

    def _taps_a_step(self) -> int:
        return 1


def trace(
    op: MaxUnpool,
    x: ArrayLike | PoolTrace,
    indices: ArrayLike | None = None,
    output_size: int | Sequence[int] | Literal["default"] | None = None,
    order: Order = "gather",
) -> UnpoolTrace:
    """Trace an unpooling; implements `MaxUnpool.trace`."""
    if isinstance(output_size, str) and output_size != "default":
        raise ConvanimError(
            f"`output_size` {shortly(output_size)} is not a size", 'give sizes, like `output_size=(5, 5)`, or "default"'
        )
    wanted = None if isinstance(output_size, str) else output_size
    if isinstance(x, Trace):
        if not isinstance(x, PoolTrace) or x.op.combine != "max":
            raise ConvanimError(f"{x.op} does not have positions of maxima", "give the trace of a MaxPool")
        if indices is not None:
            raise ConvanimError("the trace of a pooling has its own indices", "leave `indices` out")
        x.bounded()
        if (x.where < 0).any():
            cell = np.argwhere(x.where < 0)[0, 1:].tolist()
            raise ConvanimError(
                f"the window of output {cell} of {x.op} held only padding, so its maximum has no position",
                "pool with less padding",
            )
        before = x.x.shape[1:]
        sized = op.sized(op.axes(x.answer.shape[1:]), before if output_size is None else wanted)
        return unpooled(op, x.answer, x.where, tuple(a.output for a in sized), x._given, order, before)
    if indices is None:
        raise ConvanimError("an unpooling needs the positions of the maxima", "give indices, or a trace of MaxPool")
    inner, given = taken_in(op, numbers("input", x))
    places = numbers("indices", indices)
    if places.dtype.kind != "i":
        raise ConvanimError("the indices are not whole numbers", "give the indices of a max pooling")
    if places.shape != given.outward(inner).shape:
        raise ConvanimError(
            f"the indices have shape {times(places.shape)}, but the input has {times(given.outward(inner).shape)}",
            "give one index for each value",
        )
    where, _ = taken_in(op, places, len(inner.shape) - 1)
    output = tuple(a.output for a in op.sized(op.axes(inner.shape[1:]), wanted))
    if op.convention == "onnx":
        first = np.arange(len(where)).reshape(-1, *(1,) * len(output)) * prod(output)
        wrong = np.argwhere((where < first) | (where >= first + prod(output)))
        if len(wrong):
            channel, place = int(wrong[0][0]), int(where[tuple(wrong[0])])
            raise ConvanimError(
                f"index {place} is not in channel {channel} of an output of {times(output)}",
                f"use {channel * prod(output)} to {(channel + 1) * prod(output) - 1}: "
                "ONNX counts on from channel to channel",
            )
        where = where - first
    return unpooled(op, inner, where, output, given, order)


def unpooled(
    op: MaxUnpool,
    x: Array,
    places: Ints,
    output: tuple[int, ...],
    given: Given,
    order: Order = "gather",
    pooled: tuple[int, ...] | None = None,
) -> UnpoolTrace:
    """The trace of an unpooling of (C, *n) to the sizes `output`."""
    op.sized(op.axes(x.shape[1:]), output)
    wrong = places[(places < 0) | (places >= prod(output))]
    if len(wrong):
        way = f"use 0 to {prod(output) - 1}"
        if pooled is not None:
            way = f"{op.rules.title} refuses it too: give the output size of what was pooled, {times(pooled, 'x')}"
        raise ConvanimError(f"index {wrong[0]} is not in an output of {times(output)}", way)
    return UnpoolTrace(op, x, places, output, given=given, order=order, pooled=pooled)

"""Traces of pixel shuffle and unshuffle, which move values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convanim.layers import Shuffle
from convanim.trace import oracle
from convanim.trace.arrays import Array, numbers
from convanim.trace.core import Order, Trace
from convanim.trace.given import Given, taken_in
from convanim.trace.taps import Ints


class ShuffleTrace(Trace):
    """A trace of pixel shuffle or unshuffle, which move each value to one position; see `Trace`."""

    op: Shuffle
    _mode = "set"

    def __init__(self, op: Shuffle, x: Array, *, given: Given, order: Order = "gather") -> None:
        super().__init__(op, x, op.axes(x.shape[1:]), op.channels(len(x)), given, order)

    def _deep(self, channel: Any, row: Any, column: Any) -> Any:
        """The deep channel for this row and column of a block in a flat channel."""
        r, flat = self.op.factor, min(self.channels, len(self.x))
        part = row * r + column
        return part * flat + channel if self.op.depth_first else channel * r**2 + part

    def _apply(self) -> Array:
        r = self.op.factor
        deep, flat = max(self.channels, len(self.x)), min(self.channels, len(self.x))
        out = np.zeros((self.channels, *(a.output for a in self.axes)), self.x.dtype)
        for i in range(r):
            for j in range(r):
                channels = self._deep(np.arange(flat), i, j)
                if self.channels < deep:
                    out[:, i::r, j::r] = self.x[channels]
                else:
                    out[channels] = self.x[:, i::r, j::r]
        return out

    def _meet(self, own: Ints, k: Sequence[Ints]) -> tuple[Ints, Any]:
        flat = min(self.channels, len(self.x))
        own_is_flat = (self.order == "gather") == self.op.transposed
        if own_is_flat or flat == max(self.channels, len(self.x)):  # if r is 1, flat and deep are the same
            return self._deep(own[:, None, None], *(a[:, None] for a in k)), True
        # A deep channel meets its flat one at one position of the block only.
        r2 = self.op.factor**2
        met = own % flat if self.op.depth_first else own // r2
        other = met[:, None, None]
        return other, self._deep(other, *(a[:, None] for a in k)) == own[:, None, None]

    def _ask(self, *arrays: Array) -> Array:
        return oracle.shuffle(arrays[0], self.op.factor, depth_first=self.op.depth_first, up=self.op.transposed)


def trace(op: Shuffle, x: ArrayLike, order: Order = "gather") -> ShuffleTrace:
    """Trace a pixel shuffle or unshuffle; implements its `trace`."""
    inner, given = taken_in(op, numbers("input", x))
    channels = op.channels(len(inner))
    # The output has channels that the input did not have.
    return ShuffleTrace(op, inner, given=Given(given.planar and channels == 1, given.batch, given.last), order=order)


again = ShuffleTrace

"""Traces of fixed upsampling, whose taps have fixed weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convanim.layers import Upsample
from convanim.layers.axis import resampled
from convanim.trace import oracle
from convanim.trace.arrays import Array, numbers
from convanim.trace.core import Order, Trace
from convanim.trace.engine import summed
from convanim.trace.given import Given, taken_in
from convanim.trace.taps import Ints


class UpsampleTrace(Trace):
    """A trace of a fixed upsampling, whose taps have fixed weights; see `Trace`."""

    op: Upsample

    def __init__(self, op: Upsample, x: Array, *, given: Given, order: Order = "gather") -> None:
        self._floats = op.mode == "bilinear"
        super().__init__(op, x, op.axes(x.shape[1:]), len(x), given, order)

    def _apply(self) -> Array:
        x = self.x.astype(np.float64) if self._floats else self.x
        return summed(x, self.axes)

    def _weigh(self, reads: Sequence[Ints], writes: Sequence[Ints], k: Sequence[Ints], numbers: Sequence[Ints]) -> Any:
        weight: Any = 1
        for taps, at in zip(self.taps, numbers, strict=True):
            weight = weight * (taps.weight if taps.weight is not None else np.ones(1))[at]
        return list(k), weight if self._floats else weight.astype(np.int64)

    def _ask(self, *arrays: Array) -> Array:
        x = arrays[0]
        axes = resampled(self.axes)
        return oracle.upsample(x, [(a.output, a.ratio, a.way, a.place, a.rounding) for a in axes])


def trace(op: Upsample, x: ArrayLike, order: Order = "gather") -> UpsampleTrace:
    """Trace a fixed upsampling; implements its `trace`."""
    inner, given = taken_in(op, numbers("input", x))
    return UpsampleTrace(op, inner, given=given, order=order)


again = UpsampleTrace

"""Traces of poolings."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convanim.errors import CheckFailed, ConvanimError
from convanim.layers import Pooling
from convanim.trace import oracle
from convanim.trace.arrays import Array, check_bound, largest, numbers
from convanim.trace.core import Order, Trace
from convanim.trace.engine import maxima, summed, under
from convanim.trace.given import Given, taken_in
from convanim.trace.taps import Ints


class PoolTrace(Trace):
    """A trace of a pooling, which combines its windows as `op.combine` says; see `Trace`.

    `indices` are the flat indices of the maxima, in the output's shape, counted row by row in each channel (in the
    onnx convention through all channels), -1 if a window covers nothing but padding; only for `MaxPool`.
    """

    op: Pooling

    def __init__(self, op: Pooling, x: Array, *, given: Given, order: Order = "gather") -> None:
        axes = op.axes(x.shape[1:])
        if op.combine == "max":
            self._mode, self._start = "max", np.iinfo(np.int64).min
            self._empty = not under(axes, padding=False).all()
            if self._empty and x.dtype.kind == "i":
                x = x.astype(np.float64)
            if x.dtype.kind == "f":
                self._start = -np.inf
        if op.combine == "mean":
            self._counts = under(axes, padding=op.counts_padding)
            if not self._counts.all():
                cell = np.argwhere(self._counts == 0)[0].tolist()
                raise ConvanimError(
                    f"the window of output {cell} of {op} holds only padding, which has no average",
                    "use less `padding`, or `count_include_pad=True`",
                )
        if op.combine == "norm":
            # PyTorch takes the mean over the part of a window inside the input, times the cells of a full window.
            shown = under(axes, padding=True)
            self._scale = prod(a.kernel for a in axes) / shown if op.convention == "torch" else np.ones(shown.shape)
        super().__init__(op, x, axes, len(x), given, order)

    def _apply(self) -> Array:
        if self.op.combine == "max":
            return self._maxima[0]
        return self._finished(summed(self._enter(self.x, np.ones((), np.int64)), self.axes))

    @property
    def _maxima(self) -> tuple[Array, Ints]:
        if "maxima" not in self._kept:
            self._kept["maxima"] = maxima(self.x, self.axes, self._start)
        found: tuple[Array, Ints] = self._kept["maxima"]
        return found

    @property
    def _where(self) -> Ints:
        return self._maxima[1]

    @property
    def indices(self) -> Ints:
        """The flat indices of the maxima, as in the layer's convention."""
        if self.op.combine != "max":
            raise ConvanimError(f"{self.op} does not have positions of maxima", "use MaxPool")
        where = self._where
        if self.op.convention == "onnx":
            planes = np.arange(len(where)).reshape(-1, *(1,) * len(self.axes)) * prod(self.x.shape[1:])
            where = np.where(where < 0, where, where + planes)
        return np.asarray(self._given.outward(where))

    @property
    def where(self) -> Ints:
        """The flat indices of the maxima, (C, *o), counted in each channel whatever the convention."""
        return self._where

    def _enter(self, values: Array, weights: Array) -> Array:
        if self.op.combine != "norm":
            return values
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray((np.abs(values) if self._sizes else values.astype(np.float64)) ** float(self.op.power))

    @property
    def _sizes(self) -> bool:
        return self.op.convention == "onnx"

    def _gathered(self, terms: Array, there: Any, cells: Ints) -> Array:
        if self.op.combine == "max":
            return np.asarray(np.where(there, terms, self._start).max(axis=1, initial=self._start))
        return self._combined(np.where(there, terms, 0).sum(axis=1), tuple(cells.T[1:]))

    def _combined(self, sums: Array, at: Any) -> Array:
        if self.op.combine == "mean":
            return np.asarray(sums / self._counts[at])
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray((sums * self._scale[at]) ** (1 / self.op.power))

    def _finished(self, canvas: Array) -> Array:
        return canvas if self.op.combine == "max" else self._combined(canvas, slice(None))

    def _told(self, terms: Array, target: Ints) -> dict[str, Any]:
        if self.op.combine == "max":
            return {"winner": int(terms.argmax())} if len(terms) else {}
        return {"divisor": int(self._counts[tuple(target[0, 1:])])} if self.op.combine == "mean" else {}

    def _ask(self, *arrays: Array) -> Array:
        size, stride, dilation = ([getattr(a, n) for a in self.axes] for n in ("kernel", "stride", "dilation"))
        padding, out = [(a.before, a.after) for a in self.axes], [a.output for a in self.axes]
        torch = self.op.convention == "torch"
        if not all(a.regular for a in self.axes):
            return oracle.adaptive_pool(arrays[0], self.op.combine, out)
        return oracle.pool(
            *(arrays[0], self.op.combine, size, stride, padding, dilation, out),
            counted=self.op.counts_padding, p=self.op.power, signed=torch, rescaled=torch,
        )  # fmt: skip

    def verify(self) -> None:
        """Check the output against replay and oracle, and the indices of the maxima against the input."""
        super().verify()
        if self.op.combine == "max":
            flat, where = self.x.reshape(len(self.x), -1), self._where.reshape(len(self.x), -1)
            found = np.take_along_axis(flat, np.maximum(where, 0), axis=1).reshape(self._answer.shape)
            if not np.where(self._where < 0, self._answer == self._start, found == self._answer).all():
                raise CheckFailed(
                    f"the maxima of {self.op} are not where it says", "please report this layer and input"
                )


def trace(op: Pooling, x: ArrayLike, order: Order = "gather") -> PoolTrace:
    """Trace a pooling; implements its `trace`."""
    inner, given = taken_in(op, numbers("input", x))
    return again(op, inner, given, order)


def again(op: Pooling, x: Array, given: Given, order: Order = "gather") -> PoolTrace:
    """The trace of a pooling over (C, *n)."""
    axes = op.axes(x.shape[1:])
    many = prod(a.kernel for a in axes)
    floats = x.dtype.kind == "f"
    if op.combine == "norm":
        check_bound(_power(largest(x), op) * many, True)
    elif op.combine == "mean":
        check_bound(largest(x) * many, floats)
    done = PoolTrace(op, x, given=given, order=order)
    if op.combine == "norm" and np.isnan(done.answer).any():
        cell = np.argwhere(np.isnan(done.answer))[0, 1:].tolist()
        raise ConvanimError(
            f"the sum of powers under the window of output {cell} of {op} is negative and has no root",
            "use an even `norm_type`, or `convention` onnx, which takes absolute values",
        )
    if op.combine == "norm" and np.isinf(done.answer).any():
        raise ConvanimError(f"a root of {op} is too large for a 64-bit float", "use a larger `norm_type`")
    return done


def _power(value: Any, op: Pooling) -> float:
    try:
        return float(float(value) ** float(op.power))
    except OverflowError:
        return float("inf")

"""Traces of Unfold and Fold, which move each value between the picture and a column of its window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convanim.errors import ConvanimError
from convanim.layers import times
from convanim.layers.columns import Columns, Fold
from convanim.trace import oracle
from convanim.trace.arrays import Array, check_bound, largest, numbers
from convanim.trace.core import Order, Trace
from convanim.trace.given import Given, taken_in
from convanim.trace.taps import Ints


class ColumnsTrace(Trace):
    """A trace of an Unfold or a Fold; see `Trace`.

    The columns are stored by the position of their window: (C·k·k, *positions) instead of (C·k·k, L).
    """

    op: Columns

    def __init__(self, op: Columns, x: Array, *, given: Given, order: Order = "gather") -> None:
        axes = op.places if isinstance(op, Fold) else op.axes(x.shape[1:])
        if tuple(a.input for a in axes) != x.shape[1:] or (isinstance(op, Fold) and len(x) % op.block):
            raise ConvanimError(f"{op} does not take columns of {times(x.shape)}", "give the columns of its windows")
        self._mode = "add" if op.transposed else "set"
        super().__init__(op, x, axes, op.channels(len(x)), given, order)

    @property
    def output(self) -> Array:
        """The columns of an Unfold, (C·k·k, L), or the picture of a Fold, (C, H, W); in a batch if the input was."""
        return self._outward(self.answer if self.op.transposed else self.columns(self.answer))

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The sizes of the picture and of the matrix, the input first."""
        if self.op.transposed:
            return self.columns(self.x).shape, self.shape[1:]
        return self.x.shape[1:], (self.channels, prod(self.shape[1:]))

    @property
    def listed(self) -> Array:
        """The columns of an Unfold as one matrix, or the channels of a Fold."""
        return self.answer if self.op.transposed else self.columns(self.answer)[None]

    @property
    def given(self) -> tuple[int, ...]:
        """The input's shape as it was given."""
        return self._outward(self.columns(self.x)).shape if self.op.transposed else super().given

    def _outward(self, array: Array) -> Array:
        return array[None] if self._given.batch else array

    @staticmethod
    def columns(array: Array) -> Array:
        """Columns by position, (rows, *positions), as a matrix (rows, L)."""
        return array.reshape(len(array), -1)

    def _apply(self) -> Array:
        op, channels = self.op, max(len(self.x), self.channels) // self.op.block
        sizes = [a.output if op.transposed else a.input for a in self.axes]
        canvas = np.zeros(
            (channels, *(n + a.before + a.after for n, a in zip(sizes, self.axes, strict=True))), self.x.dtype
        )
        inside = (slice(None), *(slice(a.before, a.before + n) for n, a in zip(sizes, self.axes, strict=True)))
        positions = [a.input if op.transposed else a.output for a in self.axes]
        out = self.x if op.transposed else np.zeros((self.channels, *positions), self.x.dtype)
        if not op.transposed:
            canvas[inside] = self.x
        for row, k in enumerate(product(*(range(a.kernel) for a in self.axes))):
            under = tuple(
                slice(i * a.dilation, i * a.dilation + (n - 1) * a.stride + 1, a.stride)
                for i, a, n in zip(k, self.axes, positions, strict=True)
            )
            if op.transposed:
                canvas[(slice(None), *under)] += self.x[row :: op.block]
            else:
                out[row :: op.block] = canvas[(slice(None), *under)]
        return canvas[inside] if op.transposed else out

    def _meet(self, own: Ints, k: Sequence[Ints]) -> tuple[Ints, Any]:
        rows = np.ravel_multi_index(tuple(k), [a.kernel for a in self.axes])[:, None]
        if (self.order == "gather") == self.op.transposed:  # a channel of the picture meets all rows of its columns
            return own[:, None, None] * self.op.block + rows, True
        return (own // self.op.block)[:, None, None], rows == (own % self.op.block)[:, None, None]

    def _ask(self, *arrays: Array) -> Array:
        kernel, stride, dilation, padding = (
            [getattr(a, n) for a in self.axes] for n in ("kernel", "stride", "dilation", "before")
        )
        if not self.op.transposed:
            return oracle.unfold(arrays[0], kernel, stride, padding, dilation)
        return oracle.fold(arrays[0], [a.output for a in self.axes], kernel, stride, padding, dilation)


def trace(op: Columns, x: ArrayLike, order: Order = "gather") -> ColumnsTrace:
    """Trace an Unfold or a Fold; implements their `trace`."""
    array = numbers("input", x)
    if not isinstance(op, Fold):
        inner, given = taken_in(op, array)
        return ColumnsTrace(op, inner, given=given, order=order)
    batch = array.ndim == 3 and len(array) == 1
    if array.ndim != 2 and not batch:
        raise ConvanimError(f"columns of shape {times(array.shape)} are not a matrix", "give (C·k·k, L)")
    matrix = array[0] if batch else array
    axes = op.axes(matrix.shape)
    check_bound(largest(matrix) * op.block, matrix.dtype.kind == "f")
    inner = matrix.reshape(len(matrix), *(a.input for a in axes))
    return ColumnsTrace(op, inner, given=Given(batch=batch), order=order)


again = ColumnsTrace

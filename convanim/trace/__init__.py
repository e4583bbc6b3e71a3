"""The trace: every multiplication of a layer over an input, in order and with its values.

A trace holds arrays and creates a step on request, so a trace of a million placements costs no more than its arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convanim.layers import Columns, MaxUnpool, Operation, Pooling, Shuffle, Upsample, Weighted
from convanim.trace.arrays import Array
from convanim.trace.columns import ColumnsTrace, trace_columns
from convanim.trace.conv import ConvTrace, trace_conv
from convanim.trace.core import Order, Trace
from convanim.trace.fixed import ShuffleTrace, UpsampleTrace, trace_shuffle, trace_upsample
from convanim.trace.given import Given
from convanim.trace.pools import PoolTrace, UnpoolTrace, pooled, trace_pool, trace_unpool
from convanim.trace.step import Step

#: How each kind of operation is traced: over what a user gives, and over an input (C, *n) with its layout, if it takes
#: nothing else.
_MAKERS: tuple[tuple[type[Operation], Callable[..., Trace], Callable[..., Trace] | None], ...] = (
    (Weighted, trace_conv, None),
    (Pooling, trace_pool, pooled),
    (MaxUnpool, trace_unpool, None),
    (Upsample, trace_upsample, UpsampleTrace),
    (Shuffle, trace_shuffle, ShuffleTrace),
    (Columns, trace_columns, ColumnsTrace),
)


def trace(op: Operation, *given: Any, **options: Any) -> Trace:
    """Trace an operation with the arguments of its `trace` method; `order` is "gather" or "scatter".

    Example:
        >>> from convanim.layers import Conv
        >>> trace(Conv(kernel_size=1), [1, 2, 3], [2]).output.tolist()
        [2, 4, 6]
    """
    make = next(make for kind, make, _ in _MAKERS if isinstance(op, kind))
    return make(op, *given, **options)


def traced_again(op: Operation, x: Array, given: Given, order: Order) -> Trace:
    """Trace an operation that takes nothing but an input, over an input (C, *n)."""
    make = next(again for kind, _, again in _MAKERS if isinstance(op, kind))
    if make is None:
        raise TypeError(f"{op} takes more than an input")
    return make(op, x, given=given, order=order)


__all__ = [
    "ColumnsTrace",
    "ConvTrace",
    "Order",
    "PoolTrace",
    "ShuffleTrace",
    "Step",
    "Trace",
    "UnpoolTrace",
    "UpsampleTrace",
    "trace",
    "traced_again",
]

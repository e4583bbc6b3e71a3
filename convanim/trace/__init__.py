"""The trace: every multiplication of a layer over an input, in order and with its values.

A trace holds arrays and creates a step on request, so a trace of a million placements costs no more than its arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convanim.layers import MaxUnpool, Operation, Pooling, Shuffle, Upsample, Weighted
from convanim.trace.conv import ConvTrace, trace_conv
from convanim.trace.core import Order, Trace
from convanim.trace.fixed import ShuffleTrace, UpsampleTrace, trace_shuffle, trace_upsample
from convanim.trace.pools import PoolTrace, UnpoolTrace, trace_pool, trace_unpool
from convanim.trace.step import Step

_MAKERS: tuple[tuple[type[Operation], Callable[..., Trace]], ...] = (
    (Weighted, trace_conv),
    (Pooling, trace_pool),
    (MaxUnpool, trace_unpool),
    (Upsample, trace_upsample),
    (Shuffle, trace_shuffle),
)


def trace(op: Operation, *given: Any, **options: Any) -> Trace:
    """Trace an operation with the arguments of its `trace` method; `order` is "gather" or "scatter".

    Example:
        >>> from convanim.layers import Conv
        >>> trace(Conv(kernel_size=1), [1, 2, 3], [2]).output.tolist()
        [2, 4, 6]
    """
    make = next(make for kind, make in _MAKERS if isinstance(op, kind))
    return make(op, *given, **options)


__all__ = [
    "ConvTrace",
    "Order",
    "PoolTrace",
    "ShuffleTrace",
    "Step",
    "Trace",
    "UnpoolTrace",
    "UpsampleTrace",
    "trace",
]

"""The trace: every multiplication of a layer over an input, in order and with its values.

A trace holds arrays and creates a step on request, so a trace of a million placements costs no more than its arrays.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convanim.layers import Operation
from convanim.trace.arrays import Array
from convanim.trace.convolutions import ConvTrace
from convanim.trace.core import Order, Trace
from convanim.trace.given import Given
from convanim.trace.pools import PoolTrace
from convanim.trace.shuffle import ShuffleTrace
from convanim.trace.step import Step
from convanim.trace.unpool import UnpoolTrace
from convanim.trace.upsample import UpsampleTrace


def trace(op: Operation, *given: Any, **options: Any) -> Trace:
    """Trace an operation with the arguments of its `trace` method; `order` is "gather" or "scatter".

    Example:
        >>> from convanim.layers import Conv
        >>> trace(Conv(kernel_size=1), [1, 2, 3], [2]).output.tolist()
        [2, 4, 6]
    """
    made: Trace = _family(op).trace(op, *given, **options)
    return made


def traced_again(op: Operation, x: Array, given: Given, order: Order) -> Trace:
    """Trace an operation that takes nothing but an input, over an input (C, *n)."""
    made: Trace = _family(op).again(op, x, given=given, order=order)
    return made


def _family(op: Operation) -> Any:
    return import_module(f"convanim.trace.{op.family}")


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
    "traced_again",
]

"""The trace: every multiplication of a layer over an input, in order and with its values.

A trace holds arrays and creates a step on request, so a trace of a million placements costs no more than its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from convanim.layers import Operation, Weighted
from convanim.trace.arrays import Array
from convanim.trace.convolutions import ConvTrace
from convanim.trace.core import Order, Trace
from convanim.trace.given import Given, one_item
from convanim.trace.part import Part, Wanted, numbers_of
from convanim.trace.pools import PoolTrace
from convanim.trace.shuffle import ShuffleTrace
from convanim.trace.step import Step
from convanim.trace.unpool import UnpoolTrace
from convanim.trace.upsample import UpsampleTrace


def trace(
    op: Operation, x: Any, *given: Any, batch: int | None = None, channels: Wanted = None, **options: Any
) -> Trace:
    """Trace an operation with the arguments of its `trace` method; `order` is "gather" or "scatter".

    Args:
        batch: the item of a batch; None for the first one of several, which a warning tells.
        channels: the numbers of the input channels to draw. A layer without weights is followed in these alone.

    Example:
        >>> from convanim.layers import Conv
        >>> trace(Conv(kernel_size=1), [1, 2, 3], [2]).output.tolist()
        [2, 4, 6]
    """
    x, given, item = one_item(op, x, given, batch)
    if isinstance(op, Weighted):
        options["channels"] = channels
    made: Trace = _family(op).trace(op, x, *given, **options)
    if channels is not None and not isinstance(op, Weighted):
        made = of_channels(made, numbers_of("channels", channels, len(made.x)))
    made.item = item
    return made


def of_channels(trace: Trace, numbers: Sequence[int]) -> Trace:
    """The trace of some channels of a layer that treats each of them alone.

    Example:
        >>> from convanim.layers import MaxPool
        >>> of_channels(MaxPool(1).trace([[[1]], [[2]], [[3]]]), (2,)).output.tolist()
        [[[3]]]
    """
    made = traced_again(trace.op, trace.x[list(numbers)], trace.how_given, trace.order)
    inputs = tuple(trace.part.inputs[n] for n in numbers) if trace.part else tuple(numbers)
    made.part, made.item = Part(inputs, inputs, trace.whole), trace.item
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
    "of_channels",
    "trace",
    "traced_again",
]

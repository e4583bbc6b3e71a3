"""Traces of depthwise and separable convolutions, as the plain convolutions that they are for their input."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from convanim.errors import ConvanimError
from convanim.layers import Conv, DepthwiseConv, SeparableConv, times
from convanim.trace.arrays import Array, numbers
from convanim.trace.convolutions import ConvTrace
from convanim.trace.convolutions import trace as convolution
from convanim.trace.core import Trace
from convanim.trace.given import taken_in
from convanim.trace.part import Part, Wanted, numbers_of
from convanim.trace.step import Step

#: How many channels are drawn by default of more than `MOST`, of the input and of the output of the whole layer.
SOME, MOST = 3, 4


class SeparableTrace(Trace):
    """A depthwise convolution and the pointwise one that reads its output, one after the other: see `Trace`.

    Attributes:
        depthwise: the trace of the first layer with all of its channels.
        pointwise: the trace of the second layer, whose input is the output of the first.
        drawn: the numbers of the input channels to draw; None for as many as can be looked at.
    """

    op: SeparableConv
    part: Part

    def __init__(self, op: SeparableConv, depthwise: ConvTrace, pointwise: ConvTrace, drawn: tuple[int, ...] | None):
        self.depthwise, self.pointwise, self.drawn = depthwise, pointwise, drawn
        inputs = tuple(range(len(depthwise.x)))
        self.part = Part(inputs, pointwise.part.outputs, (len(inputs), pointwise.whole[1]))
        super().__init__(op, depthwise.x, depthwise.axes, pointwise.channels, pointwise.how_given, "gather")

    def _arrays(self) -> tuple[Any, ...]:
        return (*self.depthwise._arrays(), *self.pointwise._arrays()[1:])

    def _apply(self) -> Array:
        return self.pointwise.answer.copy()

    def by_input(self) -> Self:
        """None: both layers gather."""
        raise ConvanimError(f"{self.op} has no order of its input's cells", "follow one of its two layers")

    def __len__(self) -> int:
        return len(self.depthwise) + len(self.pointwise)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[i] for i in range(len(self))[number]]
        first = len(self.depthwise)
        number = range(len(self))[number]
        return self.depthwise[number] if number < first else self.pointwise[number - first]

    def __iter__(self) -> Iterator[Step]:
        yield from self.depthwise
        yield from self.pointwise

    @property
    def layers(self) -> tuple[Trace, ...]:
        """The traces of both layers."""
        return self.depthwise, self.pointwise

    @property
    def terms(self) -> int:
        """The maximum number of terms in all steps."""
        return sum(one.terms for one in self.layers)

    def bounded(self) -> None:
        """Refuse two layers of which one is too large to check and to show: see `Trace.bounded`."""
        for one in self.layers:
            one.bounded()

    def replay(self) -> Array:
        """The output (C_out, *o) computed again, from the steps alone."""
        return self.pointwise.replay()

    def verify(self) -> None:
        """Check both layers, the second of which reads the output of the first: see `Trace.verify`."""
        for one in self.layers:
            one.verify()

    def hidden(self) -> Iterator[str]:
        """Sentences about the channels that are not drawn because they are too many to be looked at."""
        some = max(1, SOME // self.op.depth_multiplier)
        if self.drawn is None and len(self.x) > some and len(self.x) * self.op.depth_multiplier > MOST:
            yield f"{some} of the {len(self.x)} input channels are shown; choose others with `channels`."
        if self.channels > MOST:
            yield f"{MOST} of the {self.channels} output channels are shown; choose others with `out_channels`."

    def fitted(self) -> SeparableTrace:
        """The same with as many channels as can be looked at."""
        drawn, each = self.drawn, self.op.depth_multiplier
        if drawn is None:
            few = len(self.x) * each <= MOST
            drawn = tuple(range(len(self.x) if few else max(1, SOME // each)))
        mixed = self.pointwise if self.channels <= MOST else self.pointwise.only(MOST)
        made = SeparableTrace(self.op, self.depthwise, mixed, drawn)
        made.item = self.item
        return made

    def seen(self) -> tuple[ConvTrace, ConvTrace]:
        """Both layers as they are drawn: the first one without the other channels, the second with their sum."""
        each = self.op.depth_multiplier
        kept = [c * each + m for c in self.drawn or range(len(self.x)) for m in range(each)]
        second = copy(self.pointwise)
        second.part = replace(second.part, drawn=tuple(kept))
        return self.depthwise.only(kept), second

    def __repr__(self) -> str:
        return f"<Trace of {self.op} over {times(self.x.shape)}: {len(self)} steps of two layers>"


def trace(
    op: DepthwiseConv,
    x: ArrayLike,
    weight: ArrayLike,
    *others: Any,
    depthwise_bias: ArrayLike | None = None,
    channels: Wanted = None,
    out_channels: Wanted = None,
) -> Trace:
    """Trace a depthwise convolution, or a separable one; implements `op.trace`.

    Args:
        others: the bias of a depthwise convolution; the pointwise weights of a separable one, and its bias.

    Raises:
        ConvanimError: as for `Conv.trace`.
    """
    x, weight = numbers("input", x), numbers("weight", weight)
    rank = op.rank or max(1, weight.ndim - 2 if weight.ndim > 2 else weight.ndim)
    planes, _ = taken_in(op, x, rank)
    op.takes((*planes.shape[1:], len(planes)) if op.rules.last else planes.shape)
    first, *rest = op.layers(len(planes))
    weight = of_groups(op, weight, len(planes), rank)
    if weight.ndim == rank and first.out_channels != 1:
        weight = _for_all(first, weight)
    if x.ndim == rank and (first.out_channels != 1 or rest):
        x = np.expand_dims(x, -1 if op.rules.last else 0)
    if not isinstance(op, SeparableConv):
        bias = others[0] if others else None
        return convolution(first, x, weight, bias, channels=channels, out_channels=out_channels)
    pointwise, bias = (*others, None)[:2]
    drawn = None if channels is None else numbers_of("channels", channels, len(planes))
    depthwise = convolution(first, x, weight, depthwise_bias)
    mixed = convolution(rest[0], depthwise.output, pointwise, bias, out_channels=out_channels)
    return SeparableTrace(op, depthwise, mixed, drawn)


def of_groups(op: DepthwiseConv, weight: Array, channels: int, rank: int) -> Array:
    """Depthwise weights as those of groups: Keras's (*k, C, m) become (*k, 1, C · m); others are so already.

    Raises:
        ConvanimError: they are for another number of channels.
    """
    each = op.depth_multiplier
    if op.convention != "keras" or weight.ndim != rank + 2 or weight.shape[-2:] == (1, channels * each):
        return weight
    *size, inputs, kernels = weight.shape
    if (inputs, kernels) != (channels, each):
        raise ConvanimError(
            f"the depthwise weight {times(weight.shape)} is for {inputs} channels with {kernels} kernels each",
            f"give one of {times((*size, channels, each), 'x')}",
        )
    return weight.reshape(*size, 1, -1)


def _for_all(first: Conv, kernel: Array) -> Array:
    """One kernel for each output channel, in the layout of the convention."""
    whole = np.broadcast_to(kernel, (first.out_channels or 1, 1, *kernel.shape))
    return np.moveaxis(whole, (0, 1), (-1, -2)) if first.rules.last else whole

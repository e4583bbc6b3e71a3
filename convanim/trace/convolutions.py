"""Traces of convolution and transposed convolution, and the frameworks' layouts of weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convanim.errors import ConvanimError
from convanim.layers import Conv, Weighted, times
from convanim.layers.convolutions import check_groups, check_weight
from convanim.trace import oracle
from convanim.trace.arrays import Array, check_bound, largest, numbers, per_channel, total_size
from convanim.trace.core import Order, Trace
from convanim.trace.engine import convolved
from convanim.trace.given import Given, taken_in
from convanim.trace.part import Part, Wanted, parted
from convanim.trace.taps import Ints


class ConvTrace(Trace):
    """A trace of a layer with weights: see `Trace`.

    `part` says which channels of the layer are followed and drawn; `op` is a layer of the groups that are followed.
    """

    op: Weighted
    weight: Array
    part: Part

    def __init__(
        self,
        op: Weighted,
        x: Array,
        weight: Array,
        bias: Array | None,
        *,
        given: Given,
        order: Order = "gather",
        part: Part | None = None,
    ) -> None:
        self.weight, self.bias = weight, bias
        self._cropped = op.transposed
        channels = weight.shape[1] * op.groups if op.transposed else weight.shape[0]
        inputs = len(x)
        self.part = part or Part(tuple(range(inputs)), tuple(range(channels)), (inputs, channels), op.groups)
        super().__init__(op, x, op.axes(x.shape[1:]), channels, given, order)

    def _arrays(self) -> tuple[Any, ...]:
        return self.x, self.weight, self.bias

    def _apply(self) -> Array:
        shape = (self.channels, *(a.output for a in self.axes))
        out = convolved(self.x, self.weight, self.axes, self.op.groups, shape, transposed=self.op.transposed)
        return out if self.bias is None else out + per_channel(self.bias, out)

    def _meet(self, own: Ints, k: Sequence[Ints]) -> tuple[Ints, Any]:
        # A channel meets all channels of its group.
        inputs, outputs = len(self.x) // self.op.groups, self.channels // self.op.groups
        mine, others = (inputs, outputs) if self.order == "scatter" else (outputs, inputs)
        return ((own // mine * others)[:, None] + np.arange(others))[:, :, None], True

    def _weigh(self, reads: Sequence[Ints], writes: Sequence[Ints], k: Sequence[Ints], numbers: Sequence[Ints]) -> Any:
        inputs, outputs = len(self.x) // self.op.groups, self.channels // self.op.groups
        # PyTorch's layout: the first axis of the weight counts all channels, the second those inside a group.
        first, second = (reads[0], writes[0] % outputs) if self.op.transposed else (writes[0], reads[0] % inputs)
        factors = [first, second, *k]
        return factors, self.weight[tuple(factors)]

    def _gathered(self, terms: Array, there: Any, cells: Ints) -> Array:
        total = super()._gathered(terms, there, cells)
        return total if self.bias is None else total + self.bias[cells[:, 0]]

    def _finished(self, canvas: Array) -> Array:
        if self.op.transposed:
            canvas = canvas[(slice(None), *(a.kept for a in self.axes))]
        return canvas if self.bias is None else canvas + per_channel(self.bias, canvas)

    @property
    def _pairs(self) -> int:
        return self.channels * len(self.x) // self.op.groups

    def _taps_a_step(self) -> int:
        return int(self.weight[0].size) * (self.channels if self.op.groups == 1 else 1)

    def _ask(self, *arrays: Any) -> Array:
        x, weight, bias = arrays
        stride, dilation = [a.stride for a in self.axes], [a.dilation for a in self.axes]
        padding = [(a.before, a.after) for a in self.axes]
        if self.op.transposed:
            sizes = [a.output for a in self.axes]
            answer = oracle.transpose(x, weight, stride, padding, dilation, self.op.groups, sizes)
        else:
            answer = oracle.convolve(x, weight, stride, padding, dilation, self.op.groups, self.axes[0].mode)
        return answer if bias is None else answer + per_channel(bias, answer)

    def only(self, out_channels: Wanted) -> ConvTrace:
        """The trace of some of the output channels that are followed, given by their positions among them.

        Example:
            >>> done = Conv(1).trace([[[1]]], [[[[2]]], [[[3]]], [[[4]]]]).only([2])
            >>> done.output.tolist(), done.part.outputs
            ([[[4]]], (2,))
        """
        op, x, weight, bias, part = parted(self.op, self.x, self.weight, self.bias, None, out_channels)
        made = assembled(op, x, weight, bias, self._given, self.order, part.within(self.part))
        made.item = self.item
        return made

    @property
    def kernel(self) -> Array:
        """The weight as it was given: not yet rotated where a layer flips it, or for JAX's transposed layers."""
        return _rotated(self.weight) if self.op.held_rotated else self.weight

    def backward(self, grad: ArrayLike | None = None) -> ConvTrace:
        """The gradient of a convolution with respect to its input: the transposed layer with the same weights.

        Args:
            grad: the gradient with respect to the output, in the output's shape; ones by default.

        Raises:
            ConvanimError: the layer is not a convolution, its padding is not zeros, or the gradient has another shape.

        Example:
            >>> done = Conv(kernel_size=2).trace([1, 2, 3], [10, 1])
            >>> done.backward([1, 2]).output.tolist()
            [10, 21, 2]
        """
        if not isinstance(self.op, Conv):
            raise ConvanimError(f"the gradient of {self.op} cannot be shown", "use the gradient of a convolution")
        if len(self.part.outputs) < self.part.whole[1]:
            raise ConvanimError("the gradient needs all output channels", "leave `out_channels` out")
        op = self.op.backward(self.x.shape[1:])
        shape = self.output.shape
        dy = np.ones(shape, self.x.dtype) if grad is None else numbers("gradient", grad)
        if dy.shape != shape:
            raise ConvanimError(
                f"the gradient has shape {times(dy.shape)}, but the output has {times(shape)}",
                "give both the same shape",
            )
        rank = len(self.axes)
        planar = len(self.x) == 1 and self._given.planar
        dy, _ = taken_in(self.op, dy, rank)
        return assembled(op, dy, self.weight, None, Given(planar, self._given.batch, self._given.last))


def _rotated(weight: Array) -> Array:
    return np.flip(weight, axis=tuple(range(2, weight.ndim)))


def trace(
    op: Weighted,
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    order: Order = "gather",
    channels: Wanted = None,
    out_channels: Wanted = None,
) -> ConvTrace:
    """Trace a layer over an input and weights in its convention's layout; implements `op.trace`."""
    check_weight(op, getattr(weight, "shape", ()))
    x, weight = numbers("input", x), numbers("weight", weight)
    x, weight, given = _with_channels(op, x, weight)
    rows = weight.shape[1] * op.groups if op.transposed else weight.shape[0]
    if bias is not None:
        flat = numbers("bias", bias).reshape(-1)
        if len(flat) not in (1, rows):
            raise ConvanimError(f"the bias has {len(flat)} values for {rows} output channels", f"give 1 or {rows}")
        bias = np.broadcast_to(flat, (rows,))
    if given.planar and {op.in_channels, op.out_channels} - {None, 1}:  # one of the layer's channels, and one kernel
        if channels is not None or out_channels is not None:
            raise ConvanimError(
                f"an input of {times(x.shape[1:])} has no channels to choose from",
                f"give one with the {op.in_channels or 1} channels of {op}",
            )
        return assembled(op, x, weight, bias, given, order)
    parts = parted(op, x, weight, bias, channels, out_channels)
    return assembled(*parts[:4], given, order, parts[4])


def assembled(
    op: Weighted,
    x: Array,
    weight: Array,
    bias: Array | None,
    given: Given,
    order: Order = "gather",
    part: Part | None = None,
) -> ConvTrace:
    """The trace of arrays with channels: x (C, *n), and weights in PyTorch's layout."""
    arrays = [x, weight] if bias is None else [x, weight, bias]
    floats = any(a.dtype.kind == "f" for a in arrays)
    # No partial sum exceeds this: the largest input times all weights.
    total = largest(x) * total_size(weight) + (0 if bias is None else largest(bias))
    check_bound(total, floats)
    if floats:
        arrays = [a.astype(np.float64) for a in arrays]
    return ConvTrace(op, *arrays, *([None] if bias is None else []), given=given, order=order, part=part)


def _with_channels(op: Weighted, x: Array, weight: Array) -> tuple[Array, Array, Given]:
    """The input and weight with channel axes in PyTorch's layout, and how the input was given."""
    if not x.ndim or not 1 <= weight.ndim <= 5 or (weight.ndim != x.ndim and weight.ndim < 3):
        raise ConvanimError(
            f"an input {_shape(x)} and a weight {_shape(weight)} do not make a layer of one to three axes",
            "give a kernel with the input's axes, or weights (C_out, C_in, ...)",
        )
    bare = _is_bare(op, x, weight)
    rank = x.ndim if bare else weight.ndim - 2
    if not bare and weight.ndim < 3:
        raise ConvanimError(
            f"{op} has {op.rank} axes, and the kernel {_shape(weight)} has {weight.ndim}",
            "give a kernel and an input with as many axes as the layer's arguments name",
        )
    if not bare and not rank <= x.ndim <= rank + 2:
        raise ConvanimError(
            f"a weight of shape {times(weight.shape)} cannot be combined with an input of shape {times(x.shape)}",
            "give a kernel with the input's axes, or (C_out, C_in, ...) weights for an input with or without channels",
        )
    weight = weight[None, None] if bare else _in_torch_layout(op, weight)
    if op.held_rotated:
        weight = _rotated(weight)
    if not bare and x.ndim > rank:
        op.takes(x.shape[-1 - rank :])
    x, given = taken_in(op, x, rank)
    kernel = weight.shape[2:]
    asked = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * len(kernel)
    if kernel != asked:
        raise ConvanimError(
            f"the weight's kernel is {times(kernel)} but kernel_size asks for {times(asked)}", "make them the same"
        )
    channels = len(x)
    whole, in_group = weight.shape[:2]
    check_groups(op, channels, x.shape[1:])
    if whole % op.groups:
        raise ConvanimError(
            f"`groups` {op.groups} does not divide the {whole} channels of the weight {times(weight.shape)}",
            "use a common divisor",
        )
    expected = whole if op.transposed else in_group * op.groups
    if expected != channels:
        raise ConvanimError(
            f"the input has {channels} channels but the weight {times(weight.shape)} is for {expected}",
            f"give an input with {expected} channels, which come {'last' if op.rules.last else 'first'}",
        )
    outputs = in_group * op.groups if op.transposed else whole
    if not bare and op.out_channels is not None and outputs > op.out_channels:
        raise ConvanimError(
            f"the weight {times(weight.shape)} makes {outputs} channels, and the layer has {op.out_channels}",
            "give the weights of those alone",
        )
    return x, weight, Given(given.planar and outputs == 1, given.batch, given.last)


def _is_bare(op: Weighted, x: Array, weight: Array) -> bool:
    """Whether a weight is the kernel alone, for an input without channels that is not a batch of 1."""
    if weight.ndim != x.ndim or op.rank not in (None, x.ndim):
        return False
    if x.ndim != 3 or op.rank == 3:
        return x.ndim < 3 or op.rank == 3
    # (1, C, L) with (C_out, C_in, k), or (D, H, W) with a kernel of three axes: kernel_size decides.
    k = op.kernel_size
    return weight.shape == (k, k, k) or len(x) > 1 or _in_torch_layout(op, weight).shape[2] != k


def _in_torch_layout(op: Weighted, weight: Array) -> Array:
    """Weights of any convention in PyTorch's layout: channels first, a transposed layer's input channels before all."""
    if not op.rules.last:
        return weight
    first, second = np.moveaxis(weight, (-2, -1), (0, 1)), np.moveaxis(weight, (-1, -2), (0, 1))
    # For a transposed layer Keras puts the output's channels before the input's; JAX always has the input's first.
    return first if op.transposed and not op.rules.rotates else second


def _shape(array: Array) -> str:
    return f"of shape {times(array.shape)}" if array.ndim else "without axes"

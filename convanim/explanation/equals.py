"""The transposed convolution that equals a fixed upsampling, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.explanation.arithmetic import shortest
from convanim.language.words import join, say
from convanim.layers import ConvTranspose, Resampled, Upsample
from convanim.trace import ConvTrace, UpsampleTrace
from convanim.trace.convolutions import assembled

Array = NDArray[Any]


class Line(NamedTuple):
    """A transposed convolution along one axis.

    Attributes:
        weight: (k,), integers if the upsampling copies, otherwise floats.
        stride, padding, output_padding: those of the layer.
        reason: why it differs from the upsampling at the border; "" if it does not.
    """

    weight: Array
    stride: int
    padding: int
    output_padding: int
    reason: str = ""


class Equal(NamedTuple):
    """An upsampling as a transposed convolution.

    Attributes:
        layer: the layer, or the closest one; None if no stride fits.
        weights: its weights along each axis, (k,) each; the kernel is their outer product.
        reason: why the layer differs from the upsampling, or why there is none; "" if all cells are equal.
    """

    layer: ConvTranspose | None
    weights: tuple[Array, ...]
    reason: str

    @property
    def exact(self) -> bool:
        """Whether the layer gives the same output in every cell."""
        return self.layer is not None and not self.reason

    @property
    def kernel(self) -> Array:
        """The weights of all axes together, (*k)."""
        return np.asarray(reduce(np.multiply.outer, self.weights))


def equal_layer(op: Upsample, sizes: Sequence[int]) -> Equal:
    """The transposed convolution that gives the same output as an upsampling, for an input of these sizes.

    - Nearest by an integer factor s: s ones with stride s. Coordinates half_pixel and asymmetric are equal here: for
      the output cell t = q·s + r, 0 <= r < s, one reads floor(t / s) = q, the other floor((2t + 1) / 2s) =
      q + floor((2r + 1) / 2s) = q, as 2r + 1 < 2s.
    - Nails by s: a single one with stride s, and output padding s - 1 for the zeros after the last one.
    - Bilinear with align_corners, where o - 1 = t(i - 1): the tent 1/t ... 1 ... 1/t of 2t - 1 cells with stride t and
      padding t - 1, which crops its ends exactly at the corners.
    - Bilinear by an integer factor otherwise: also a tent, but only inside. Beyond the centres of the outermost cells
      the upsampling repeats them, and the tent fades out.

    Raises:
        ConvanimError: the upsampling does not fit such an input.

    Source: Odena, Dumoulin and Olah, Deconvolution and checkerboard artifacts (2016); Long, Shelhamer and Darrell,
    Fully convolutional networks (2015), for the tent as the first weights of a layer.

    Example:
        >>> found = equal_layer(Upsample(scale_factor=3), (4, 4))
        >>> found.layer, found.weights[0].tolist(), found.exact
        (ConvTranspose(kernel_size=3, stride=3), [1, 1, 1], True)
        >>> equal_layer(Upsample(scale_factor=2, mode="bilinear"), (4,)).reason
        'at the border the outermost cell is repeated; inside it is ConvTranspose(kernel_size=4, stride=2, padding=1)'
    """
    lines: list[Line] = []
    for axis in op.axes(sizes):
        found = _along(axis)  # type: ignore[arg-type]
        if isinstance(found, str):
            return Equal(None, (), found)
        lines.append(found)
    size, stride, padding, extra = (shortest(v) for v in zip(*((len(n.weight), *n[1:4]) for n in lines), strict=True))
    layer = ConvTranspose(size, stride, padding, output_padding=extra)
    reason = next((n.reason for n in lines if n.reason), "")
    return Equal(
        layer, tuple(n.weight for n in lines), reason and join("; ", [reason, say("inside it is {layer}", layer=layer)])
    )


def equal_trace(trace: UpsampleTrace) -> ConvTrace | None:
    """The trace of the layer that equals an upsampling, for the same input and channel by channel; None without one.

    Example:
        >>> done = Upsample(scale_factor=2).trace([1, 2])
        >>> equal_trace(done).output.tolist() == done.output.tolist()
        True
    """
    found = equal_layer(trace.op, trace.x.shape[1:])
    if not found.exact or found.layer is None:
        return None
    channels = len(trace.x)
    kernel = np.broadcast_to(found.kernel, (channels, 1, *found.kernel.shape))
    return assembled(replace(found.layer, groups=channels), trace.x, kernel, None, trace.how_given)


def _along(axis: Resampled) -> Line | str:
    """The layer along one axis, or the reason why there is none."""
    corners = axis.way == "bilinear" and axis.place == "align_corners"
    if axis.input == 1 and axis.way != "nails":  # its only cell is copied everywhere
        return Line(np.ones(axis.output, np.int64), axis.output, 0, 0)
    if corners and axis.output == 1:
        return say("the output is a single cell")
    factor = Fraction(axis.output - 1, axis.input - 1) if corners else Fraction(*axis.ratio)
    if factor.denominator > 1:
        if corners:
            return say("(o − 1) / (i − 1) = {factor} is no whole number, and a stride is", factor=factor)
        return say("the factor {factor} is no whole number, and a stride is", factor=factor)
    s = int(factor)
    if axis.way == "bilinear" and s > 1:
        return _tent(s, axis.place)
    if axis.way == "nearest" and axis.place == "asymmetric" and axis.rounding == "down" and s > 2:
        return say("ONNX rounds a place to the nearest cell, so that a cell's copies begin before its own place")
    copies = s if axis.way == "nearest" else 1
    return Line(np.ones(copies, np.int64), s, 0, s - 1 if axis.way == "nails" else 0)


def _tent(s: int, place: str) -> Line:
    """The weights of bilinear upsampling by an integer factor."""
    if place == "half_pixel":
        # Relative to the input cell, output cell m is at (2m + 1) / 2s - 1/2; for even s, none is at its centre.
        m = np.arange(2 * s - s % 2) - s // 2
        return Line(
            1 - np.abs(2 * m + 1 - s) / (2 * s), s, s // 2, 0, say("at the border the outermost cell is repeated")
        )
    tent = 1 - np.abs(np.arange(1 - s, s)) / s
    if place == "asymmetric":
        return Line(tent, s, s - 1, s - 1, say("at the end the outermost cell is repeated"))
    return Line(tent, s, s - 1, 0)

"""Requests for convolutions and transposed convolutions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from convanim.errors import ConvanimError
from convanim.layers import Weighted, times
from convanim.layers.convolutions import check_groups, check_weight
from convanim.typed import examples, read_array
from convanim.typed.cells import MAX_FILLED
from convanim.typed.request.asked import (
    Request,
    arguments,
    bias_of,
    is_shape,
    of_axes,
    spatial,
    typed_shape,
    unbatched,
)
from convanim.typed.request.chosen import one_item, options_of, rows_of

#: The range of a kernel's random numbers, which differ from the input's, and have both signs.
LOWEST, HIGHEST = -2, 2


def weighted(kind: type[Weighted]) -> Callable[[Any, bool, dict[str, Any]], Request]:
    """A function that creates a layer of this kind from an input, whether it is in colour, and the options."""

    def make(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
        kernel, seed = typed["kernel"], typed.get("seed") or 0
        fill: Any = typed.get("fill") or "example"
        mean = averages(kernel, colours, typed)
        several = (typed.get("groups") or 1) > 1 and x.ndim == 3  # groups need channels, so one of the axes is theirs
        axes = 2 if colours or several else x.ndim if x.ndim < 4 else x.ndim - 2  # four axes are a batch with channels
        if isinstance(kernel, int) or (isinstance(kernel, str) and re.fullmatch(r"\s*\d+\s*", kernel, re.ASCII)):
            kernel = "x".join([str(kernel).strip()] * axes)  # one number stands for all axes
        weight = read_array(kernel, what="`kernel`", fill=fill, seed=seed + 1, low=LOWEST, high=HIGHEST)
        made = arguments("transposed" if kind.transposed else "conv", kind, typed)
        if colours and weight.ndim == 2:
            made.setdefault("groups", 3)  # each colour separately
        window = weight.shape
        last = typed.get("convention") in ("keras", "jax")
        full = weight.ndim == x.ndim > 3  # both have channels and an axis for batch or outputs
        if weight.ndim == x.ndim == 3 and len(x) == 1 and _of_channels(weight, x, last=last):
            x = x[0]  # a line with channels
        x = unbatched(x, x.ndim - 2 if full else weight.ndim, last=last, channels=full)
        x, item = (x, None) if full else one_item(x, weight.ndim)
        if weight.ndim == x.ndim + 1:
            window = weight.shape[:-2] if last else weight.shape[2:]
        elif weight.ndim not in (x.ndim, x.ndim - 1) or (colours and weight.ndim == 3):
            raise ConvanimError(
                f"`kernel` is {typed_shape(weight.shape)} but `input` is {typed_shape(x.shape)}",
                "give both the same number of axes; a row of a picture is [[1,0,-1]]",
            )
        made["kernel_size"] = window[0] if len(set(window)) == 1 else tuple(window)
        of_axes(len(window), typed, made)
        op = kind(**made)
        if mean:
            weight, fill = np.full(weight.shape, share(op, window)), None
        if colours and op.rules.last:
            x = np.moveaxis(x, 0, -1)
        if fill == "example" and is_shape(kernel):
            weight = example_kernel(op, weight, x)
        if weight.ndim == x.ndim and typed.get("out_channels") is not None:
            x = np.expand_dims(x, -1 if op.rules.last else 0)  # a single channel
        filled = weight.ndim == x.ndim - 1
        if filled:
            weight = for_channels(op, x, weight, typed, fill, seed)
        options = options_of(typed, made=filled)
        return Request(op, (x, weight, bias_of(typed)), spatial(op, x, len(window)), options=options, item=item)

    return make


def _of_channels(weight: Any, x: Any, *, last: bool) -> bool:
    """Whether weights of three axes are (C_out, C_in, k), or (k, C_in, C_out), for a line with channels (1, C, L)."""
    inputs, kernel = (weight.shape[1], weight.shape[0]) if last else (weight.shape[1], weight.shape[2])
    channels, length = (x.shape[2], x.shape[1]) if last else (x.shape[1], x.shape[2])
    return inputs == channels and kernel <= length and weight.shape != x.shape and (weight.shape[0] > 1 or last)


def averages(kernel: Any, colours: bool, typed: dict[str, Any]) -> bool:
    """Whether the default kernel is a mean: for colours, if neither its numbers nor a fill were given.

    With consecutive numbers, every sum would be white.
    """
    return colours and typed.get("fill") is None and is_shape(kernel)


def example_kernel(op: Weighted, weight: Any, x: Any) -> Any:
    """Example values for weights with or without channels, which fit the number of products in a sum.

    Example:
        >>> from convanim.layers import Conv
        >>> example_kernel(Conv(2), np.zeros((2, 2)), np.zeros((4, 4))).tolist()
        [[2, 3], [1, 2]]
        >>> example_kernel(Conv(2), np.zeros((2, 2)), np.zeros((3, 4, 4))).tolist()  # sums of twelve products
        [[2, 1], [-2, 2]]
    """
    rank = len(op.kernel_size) if isinstance(op.kernel_size, tuple) else min(2, weight.ndim)
    channels = 1
    if x.ndim > rank:
        channels = (x.shape[-1] if op.rules.last else x.shape[-rank - 1]) // op.groups
    return examples.kernel(op, weight.shape, max(1, channels))


def share(op: Weighted, window: tuple[int, ...]) -> float:
    """The weight with which colours keep their brightness: for the mean of a window, or of the stamps in a cell.

    Example:
        >>> from convanim.layers import Conv, ConvTranspose
        >>> share(Conv(2), (2, 2)), share(ConvTranspose(4, stride=2), (4, 4)), share(ConvTranspose(2, stride=3), (2, 2))
        (0.25, 0.25, 1.0)
    """
    strides = op.stride if isinstance(op.stride, tuple) else (op.stride,) * len(window)
    parts = [min(1.0, s / k) if op.transposed else 1 / k for s, k in zip(strides, window, strict=True)]
    return math.prod(parts)


def for_channels(op: Weighted, x: Any, kernel: Any, typed: dict[str, Any], fill: Any, seed: int) -> Any:
    """Weights for an input with channels, from a kernel without any, in the layout of the convention.

    A kernel given by its numbers is used for every channel, and so is one without a fill; a filled shape gives each
    channel numbers of its own.
    """
    channels = x.shape[-1] if op.rules.last else x.shape[0]
    outputs = rows_of(typed.get("out_channels"), op.groups)
    if outputs < 1:
        raise ConvanimError(f"`out_channels` {outputs} is not positive", "use 1 or more")
    op.takes(x.shape)
    check_groups(op, channels, spatial(op, x, x.ndim - 1))
    if outputs % op.groups:
        more = -(-outputs // op.groups) * op.groups
        raise ConvanimError(
            f"`out_channels` {outputs} is not a multiple of the {op.groups} groups", f"use `out_channels` {more}"
        )
    first, second = (channels, outputs // op.groups) if op.transposed else (outputs, channels // op.groups)
    shape = (first, second, *kernel.shape)
    check_weight(op, shape)
    if (cells := math.prod(shape)) > MAX_FILLED and fill != "none":
        raise ConvanimError(
            f"`kernel` has {cells:,} cells with all channels, {times(shape)}, and at most {MAX_FILLED:,} are supported",
            "use a smaller kernel, or fewer `out_channels`",
        )
    if fill == "example" and is_shape(typed["kernel"]):
        weight = example_kernel(op, np.broadcast_to(0, shape), x)
    elif fill is not None and is_shape(typed["kernel"]):
        weight = read_array(typed_shape(shape), what="`kernel`", fill=fill, seed=seed + 1, low=LOWEST, high=HIGHEST)
    else:
        weight = np.broadcast_to(kernel, shape)
    if not op.rules.last:
        return weight
    straight = op.transposed and not op.rules.rotates
    return np.moveaxis(weight, (0, 1), (-2, -1) if straight else (-1, -2))

"""The arrays that a trace is made of: what is taken in and what is refused.

Knows numbers, shapes and channels. Must not know taps or order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convanim.errors import ConvanimError
from convanim.ops import Operation, times

Array = NDArray[Any]


def numbers(what: str, given: ArrayLike) -> Array:
    """An array of int64 or float64 of our own, or a `ConvanimError` that says what is wrong with `what`."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, OverflowError, RuntimeError):  # RuntimeError: other libraries' arrays that object
        raise ConvanimError(
            f"the {what} is ragged or not numbers", "give rows of equal length, like [[0, 1], [2, 3]]; detach a tensor"
        ) from None
    if array.dtype.kind not in "biuf":
        held = "text" if array.dtype.kind in "US" else array.dtype
        raise ConvanimError(f"the {what} holds {held}, not 64-bit numbers", "give integers or floats")
    if array.size == 0:
        raise ConvanimError(f"the {what} is empty: its shape is {array.shape}", "give at least one cell")
    if array.dtype.kind == "f" and not hasattr(given, "dtype") and not _holds_floats(given):
        # numpy turns a list of integers too large for it into floats without a word.
        raise ConvanimError(f"the {what} holds integers beyond 64-bit ones", "use smaller integers, or floats")
    if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
        raise ConvanimError(
            f"the {what} holds {array.max()}, beyond 64-bit integers", "use smaller integers, or floats"
        )
    with np.errstate(over="ignore"):  # of longer floats, which become infinite and are refused
        # A copy: a trace does not change.
        array = np.array(array, np.float64 if array.dtype.kind == "f" else np.int64)
    if not np.isfinite(array).all():
        # A trace proves itself by equality, and NaN equals nothing.
        raise ConvanimError(f"the {what} holds NaN or infinity", "give finite numbers")
    array.flags.writeable = False
    return array


def _holds_floats(given: Any) -> bool:
    return any(isinstance(v, float | np.floating) for v in np.array(given, object).ravel().tolist())


def with_channels(op: Operation, x: Array, weight: Array) -> tuple[Array, Array, bool]:
    """Input and weight with their channel axes, and whether the output goes without."""
    if not x.ndim or not 1 <= weight.ndim - 2 * (weight.ndim != x.ndim) <= 3:
        raise ConvanimError(
            f"an input {_shape(x)} and a weight {_shape(weight)} are no layer of one to three axes",
            "give a kernel with the input's axes, or weights (C_out, C_in, ...)",
        )
    bare = weight.ndim == x.ndim  # the kernel alone, and an input without channels
    full = weight.ndim - 2
    if bare:
        weight = weight[None, None]
    elif full not in (x.ndim, x.ndim - 1):
        raise ConvanimError(
            f"a weight of shape {times(weight.shape)} does not go with an input of shape {times(x.shape)}",
            "give a kernel with the input's axes, or (C_out, C_in, ...) weights for an input with or without channels",
        )
    planar = bare or full == x.ndim
    x = x[None] if planar else x
    kernel = weight.shape[2:]
    asked = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * len(kernel)
    if kernel != asked:
        raise ConvanimError(
            f"the weight's kernel is {times(kernel)} but kernel_size asks for {times(asked)}", "make them the same"
        )
    channels = len(x)
    whole, in_group = weight.shape[:2]
    if channels % op.groups or whole % op.groups:
        raise ConvanimError(
            f"groups {op.groups} does not divide {channels} and {whole} channels", "use a common divisor"
        )
    expected = whole if op.transposed else in_group * op.groups
    if expected != channels:
        raise ConvanimError(
            f"the input has {channels} channels but the weight {times(weight.shape)} is for {expected}",
            "give an input (C, ...) with as many channels as the weight has, groups included",
        )
    outputs = in_group * op.groups if op.transposed else whole
    return x, weight, planar and outputs == 1


def bound(x: Array, weight: Array, bias: Array | None = None) -> Any:
    """No partial sum exceeds this: the largest input times all weights. Python numbers, which do not wrap."""
    total = _largest(x) * sum(abs(w) for w in weight.ravel().tolist())
    return total + (0 if bias is None else _largest(bias))


def _largest(array: Array) -> Any:
    return max(abs(array.min().item()), abs(array.max().item()))


def _shape(array: Array) -> str:
    return f"of shape {times(array.shape)}" if array.ndim else "without axes"


def absolute(array: Array | None) -> Any:
    """The sizes of the numbers; None stays None."""
    return None if array is None else np.abs(array)


def same(a: Array | None, b: Array | None) -> bool:
    """Whether two arrays, or two absences, are equal, type included."""
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and np.array_equal(a, b)


def per_channel(bias: Array, like: Array) -> Array:
    """A bias (C,) in a shape that is added to every cell of its channel in `like` (C, *n)."""
    return bias.reshape(-1, *(1,) * (like.ndim - 1))

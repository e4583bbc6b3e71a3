"""Validation and conversion of a trace's arrays."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convanim.errors import ConvanimError

Array = NDArray[Any]


def numbers(what: str, given: ArrayLike) -> Array:
    """A copy of an array as int64 or float64; a `ConvanimError` about `what` if that is impossible."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, OverflowError, RuntimeError):  # RuntimeError: arrays of other libraries may refuse
        raise ConvanimError(
            f"the {what} is ragged or has non-numbers",
            "give rows of equal length, like [[0, 1], [2, 3]]; detach a tensor first",
        ) from None
    if array.size == 0:
        raise ConvanimError(f"the {what} is empty: its shape is {array.shape}", "give at least one cell")
    if array.dtype.kind == "O" and all(isinstance(value, int | float) for value in array.flat):
        raise ConvanimError(f"the {what} holds integers beyond 64 bits", "use smaller integers, or floats")
    if array.dtype.kind not in "biuf":
        hint = "give np.real(x) or np.abs(x)" if array.dtype.kind == "c" else "give integers or floats"
        raise ConvanimError(f"the {what} holds {_contents(array)} instead of real numbers", hint)
    if array.dtype.kind == "f" and not hasattr(given, "dtype"):
        # numpy silently converts integers that are too large for it to floats, and integers beside floats.
        listed = np.array(given, object).ravel().tolist()
        if not any(isinstance(value, float | np.floating) for value in listed):
            raise ConvanimError(f"the {what} holds integers beyond 64 bits", "use smaller integers, or floats")
        lost = [value for value in listed if isinstance(value, int) and float(value) != value]
        if lost:
            raise ConvanimError(
                f"the {what} holds {lost[0]} beside floats, and as a float it would be {float(lost[0]):.0f}",
                "use smaller integers, or integers alone",
            )
    if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
        raise ConvanimError(
            f"the {what} holds {array.max()}, beyond 64-bit integers", "use smaller integers, or floats"
        )
    with np.errstate(over="ignore"):  # longer floats become infinite and are refused below
        # A copy, since a trace must not change.
        array = np.array(array, np.float64 if array.dtype.kind == "f" else np.int64)
    if not np.isfinite(array).all():
        # A trace is verified by equality, and NaN equals nothing.
        raise ConvanimError(f"the {what} holds NaN or infinity", "give finite numbers")
    array.flags.writeable = False
    return array


def _contents(array: Array) -> str:
    """A description of an array's contents that are not real numbers, for an error message."""
    if array.dtype.kind == "O":
        found = next(value for value in array.flat if not isinstance(value, int | float))
        return "None" if found is None else f"{type(found).__name__} objects"
    return {"U": "text", "S": "text", "c": "complex numbers"}.get(array.dtype.kind, f"{array.dtype} values")


def check_bound(total: Any, floats: bool) -> None:
    """Refuse sums that may exceed 64 bits; `total` is a Python number, which does not overflow."""
    if not floats and total > np.iinfo(np.int64).max:
        raise ConvanimError("a sum can exceed 64 bits", "use smaller integers, or floats")
    if floats and not isfinite(total):
        raise ConvanimError("a sum can be too large for a 64-bit float", "use smaller values")


def largest(array: Array) -> Any:
    """The largest absolute value, as a Python number."""
    return max(abs(array.min().item()), abs(array.max().item()))


def total_size(array: Array) -> Any:
    """The sum of the absolute values, as a Python number, which does not overflow."""
    if array.dtype.kind == "f":
        return np.abs(array).sum().item()
    if largest(array) * array.size <= np.iinfo(np.int64).max:
        return np.abs(array).sum().item()
    return sum(abs(number) for number in array.ravel().tolist())


def absolute(array: Array | None) -> Any:
    """The absolute values; None stays None."""
    return None if array is None else np.abs(array)


def same(a: Array | None, b: Array | None) -> bool:
    """Whether two arrays (or None) are equal, including their types."""
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and np.array_equal(a, b)


def per_channel(bias: Array, like: Array) -> Array:
    """A bias (C,) in a shape that broadcasts over its channels in `like` (C, *n)."""
    return bias.reshape(-1, *(1,) * (like.ndim - 1))

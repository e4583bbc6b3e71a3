"""The channels and the item of a batch that a request chooses."""

from __future__ import annotations

import re
import warnings
from typing import Any

from convanim.errors import ConvanimError, ConvanimWarning, shortly, whole
from convanim.typed.request.asked import typed_shape

#: The highest number that is read, more than any layer has channels.
MOST = 2**20
_LIST = re.compile(r"\[?\s*(\d{1,7}(?:\s*,\s*\d{1,7})*)\s*,?\s*\]?", re.ASCII)
_RANGE = re.compile(r"\[?\s*(\d{1,7})\s*\.\.\s*(\d{1,7})\s*\]?", re.ASCII)


def channels_of(name: str, value: Any) -> int | tuple[int, ...] | None:
    """Numbers of channels as typed, or a single number; None if none were given.

    Raises:
        ConvanimError: these are no numbers.

    Example:
        >>> [channels_of("channels", text) for text in ("3", "0,3", "4..6", "[5]", "5,", None)]
        [3, (0, 3), (4, 5, 6), (5,), (5,), None]
    """
    if value is None or whole(value):
        return value if value is None else int(value)
    if isinstance(value, list | tuple) and value and all(map(whole, value)):
        return tuple(map(int, value))
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.isdigit() and len(text) < 30:
        return int(text)
    if found := _RANGE.fullmatch(text):
        first, last = int(found[1]), int(found[2])
        if first <= last < MOST:
            return tuple(range(first, last + 1))
    elif found := _LIST.fullmatch(text):
        return tuple(int(number) for number in found[1].split(","))
    count = " for how many," if name == "out_channels" else ""
    raise ConvanimError(
        f"`{name}` {shortly(value)} are not numbers of channels", f"type 4{count} or 0,3 or 4..7 for which ones"
    )


def rows_of(wanted: int | tuple[int, ...] | None, groups: int) -> int:
    """The number of output channels for which a kernel is made: one per group, or up to the last one that is wanted.

    Example:
        >>> rows_of(None, 2), rows_of(3, 1), rows_of((0, 5), 4)
        (2, 3, 8)
    """
    if wanted is None:
        return groups
    return -(-(max(wanted) + 1) // groups) * groups if isinstance(wanted, tuple) else wanted


def options_of(typed: dict[str, Any], *, made: bool = False) -> dict[str, Any]:
    """The channels that are chosen, as arguments of `op.trace`.

    Args:
        made: whether the kernel was made for a number of output channels, which then needs no choice.
    """
    channels, outputs = typed.get("channels"), typed.get("out_channels")
    told = {"channels": (channels,) if isinstance(channels, int) else channels}
    told["out_channels"] = None if made and isinstance(outputs, int) else outputs
    return {name: value for name, value in told.items() if value is not None}


def one_item(x: Any, axes: int) -> tuple[Any, tuple[int, int] | None]:
    """The first item of a batch of several for a layer of `axes` axes, with a note; another input unchanged."""
    if x.ndim != axes + 2 or len(x) == 1:
        return x, None
    told = f"item 0 of the batch of {len(x)} is shown; choose another one with `batch`"
    warnings.warn(ConvanimWarning(f"{told}, from 0 to {len(x) - 1}."), stacklevel=2)
    return x[0], (0, len(x))


def item_of(x: Any, batch: int | None) -> tuple[Any, tuple[int, int] | None]:
    """An item of an input, with its number and the size of the batch; without a number the input as it is.

    Raises:
        ConvanimError: the input is no batch, or has no such item.
    """
    if batch is None:
        return x, None
    if x.ndim < 3:
        raise ConvanimError(
            f"`batch` {batch} needs a batch, and `input` {typed_shape(x.shape)} has {x.ndim} axes", "leave it out"
        )
    if not 0 <= batch < len(x):
        raise ConvanimError(
            f"`batch` {batch} does not exist: `input` {typed_shape(x.shape)} has {len(x)} items",
            f"use `batch` 0 to {len(x) - 1}",
        )
    return x[batch], (batch, len(x)) if len(x) > 1 else None

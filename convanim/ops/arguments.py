"""What a layer's arguments may be: sizes, padding, words.

Knows how each is checked and refused. Must not know which layer they are for.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from convanim.errors import ConvanimError
from convanim.ops.axis import LARGEST

Sizes = int | tuple[int, ...]
Padding = int | str | tuple[int | tuple[int, int], ...]


PADDING_WORDS = ("valid", "same", "same_lower", "full")


def near(word: str, known: Sequence[str] | dict[str, Any]) -> str:
    """A hint for a word that is not known: the near one, or all that are."""
    close = difflib.get_close_matches(word, known, 1, 0.4)
    return f"did you mean {close[0]}" if close else "use one of " + ", ".join(known)


def whole(name: str, value: Any, lowest: int) -> int:
    """A whole number from `lowest` to `LARGEST`, or a `ConvanimError` that names the argument."""
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or isinstance(value, bool):
        raise ConvanimError(f"{name} {short(value)} is not a whole number", f"use {lowest} or more")
    if number < lowest:
        raise ConvanimError(f"{name} {short(number)} is too small", f"use {lowest} or more")
    if number > LARGEST:
        raise ConvanimError(f"{name} {short(number)} is too large", f"use at most {LARGEST}")
    return int(number)


def short(value: Any) -> str:
    """A wrong value as a sentence can hold it: one line, 40 characters."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python does not write integers of thousands of digits
        text = "of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."


def sizes_of(name: str, value: Any, lowest: int) -> Sizes:
    """One whole number for every axis, or a tuple of one each."""
    if not isinstance(value, (tuple, list)):
        return whole(name, value, lowest)
    if not value:
        raise ConvanimError(f"{name} {value!r} is empty", "give one number, or one for every axis")
    return tuple(whole(name, v, lowest) for v in value)


def padding_of(value: Any) -> Padding:
    """Padding as it may be given: a word, a number, one an axis, or one (before, after) pair an axis."""
    if isinstance(value, str):
        if value not in PADDING_WORDS:
            raise ConvanimError(f"padding {short(value)} is not known", near(value, PADDING_WORDS))
        return value
    if isinstance(value, (tuple, list)) and value:
        return tuple(_sides(v) if isinstance(v, (tuple, list)) else whole("padding", v, 0) for v in value)
    if isinstance(value, (tuple, list)):
        raise ConvanimError(f"padding {value!r} is empty", "give one number, or one for every axis")
    return whole("padding", value, 0)


def _sides(value: Sequence[Any]) -> tuple[int, int]:
    if len(value) != 2:
        raise ConvanimError(f"padding {short(value)} is not a (before, after) pair", "give two numbers, like (0, 1)")
    return whole("padding", value[0], 0), whole("padding", value[1], 0)


def at(sizes: Sizes, i: int) -> int:
    """The size along axis i."""
    return sizes if isinstance(sizes, int) else sizes[i]


def pair(padding: int | tuple[int | tuple[int, int], ...], i: int) -> tuple[int, int]:
    """The padding (before, after) along axis i."""
    here = padding if isinstance(padding, int) else padding[i]
    return (here, here) if isinstance(here, int) else here


def halves(total: int, word: str) -> tuple[int, int]:
    """A total padding as (before, after): the smaller half first, for 'same_lower' the larger one."""
    small, large = total // 2, total - total // 2
    return (large, small) if word == "same_lower" else (small, large)

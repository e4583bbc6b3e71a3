"""Checks of a layer's arguments: sizes, padding, words, flags."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from numbers import Real
from typing import Any

from convanim.commands import COMMANDS
from convanim.errors import ConvanimError
from convanim.layers.axis import LARGEST
from convanim.layers.conventions import KNOWN, named

Sizes = int | tuple[int, ...]
Padding = int | str | tuple[int | tuple[int, int], ...]
Factors = int | float | tuple[int | float, ...]

PADDING_WORDS = ("valid", "same", "same_upper", "same_lower", "full", "causal")
#: The words of an argument that an option of a command sets.
_WORDS = {name: one.choices for command in COMMANDS.values() for one in command.arguments for name in one.fields}

#: Names of the same argument in different frameworks.
_ALIKE = (
    "kernel_size ksize kernel k filter_size window window_size pool_size kernel_shape window_shape kernel_width",
    "stride strides s step subsample window_strides",
    "padding pad pads p border_mode",
    "dilation dilations dilation_rate rate d atrous_rate kernel_dilation rhs_dilation",
    "groups group num_groups feature_group_count",
    "in_channels in_features in_planes input_channels nin",
    "out_channels filters features out_features num_filters nb_filter out_planes output_channels nout",
    "scale_factor factor scale scales upscale_factor downscale_factor r block_size blocksize size",
    "output_padding out_padding adj",
    "norm_type p norm",
    "mode interpolation method",
    "bias use_bias",
)


def alike(word: str, known: Collection[str]) -> str | None:
    """The known argument that a word of another framework means, or None.

    Example:
        >>> alike("ksize", ("strides", "pool_size")), alike("ksize", ("mode",))
        ('pool_size', None)
    """
    for names in map(str.split, _ALIKE):
        if word.lower() in names and (found := [name for name in names if name in known]):
            return found[0]
    return None


def near(word: str, known: Collection[str]) -> str:
    """A hint for an unknown word: its synonym, a similar word, or all known words."""
    close = [same] if (same := alike(word, known)) else difflib.get_close_matches(word, known, 1, 0.7)
    return f"did you mean {close[0]}" if close else "use one of " + ", ".join(known)


def whole(name: str, value: Any, lowest: int) -> int:
    """A whole number from `lowest` to `LARGEST`; otherwise a `ConvanimError` that names the argument."""
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or isinstance(value, bool):
        raise ConvanimError(f"`{name}` {short(value)} is not a whole number", f"use {lowest} or more")
    if number < lowest:
        raise ConvanimError(f"`{name}` {short(number)} is too small", f"use {lowest} or more")
    if number > LARGEST:
        raise ConvanimError(f"`{name}` {short(number)} is too large", f"use at most {LARGEST}")
    return int(number)


def short(value: Any) -> str:
    """A wrong value, shortened for a message to one line of 40 characters."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python refuses to convert integers of thousands of digits
        text = "of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."


def sizes_of(name: str, value: Any, lowest: int = 1) -> Sizes:
    """One whole number for all axes, or a tuple with one for each."""
    if not isinstance(value, (tuple, list)):
        return whole(name, value, lowest)
    if not value:
        raise ConvanimError(f"`{name}` {value!r} is empty", "give one number, or one number per axis")
    return tuple(whole(name, v, lowest) for v in value)


def sizes_or_kept(name: str, value: Any) -> Sizes | tuple[int | None, ...]:
    """One whole number for all axes, or a tuple with one for each, or None for an axis that keeps its size."""
    if not isinstance(value, (tuple, list)) or None not in value:
        return sizes_of(name, value)
    return tuple(optional(partial(whole, lowest=1), name, v) for v in value)


def padding_of(name: str, value: Any) -> Padding:
    """Padding in any of its forms: a word, an int, one int per axis, or one (before, after) pair per axis."""
    if isinstance(value, str):
        return word_of(name, value, PADDING_WORDS)
    if isinstance(value, (tuple, list)) and value:
        return tuple(_sides(v) if isinstance(v, (tuple, list)) else whole(name, v, 0) for v in value)
    if isinstance(value, (tuple, list)):
        raise ConvanimError(f"`{name}` {value!r} is empty", "give one number, or one number per axis")
    return whole(name, value, 0)


def _sides(value: Sequence[Any]) -> tuple[int, int]:
    if len(value) != 2:
        raise ConvanimError(f"`padding` {short(value)} is not a (before, after) pair", "give two numbers, like (0, 1)")
    return whole("padding", value[0], 0), whole("padding", value[1], 0)


def word_of(name: str, value: Any, known: Sequence[str]) -> str:
    """One of the known words."""
    if value not in known:
        shown = near(value, known) if isinstance(value, str) else "use one of " + ", ".join(known)
        raise ConvanimError(f"`{name}` {short(value)} is not known", shown)
    return str(value)


def convention_of(name: str, value: Any) -> str:
    """The name of a convention, given by any of its names."""
    return word_of(name, named(value) if isinstance(value, str) else value, tuple(KNOWN))


def flag_of(name: str, value: Any) -> bool:
    """True or False, and nothing that is merely truthy."""
    if not isinstance(value, bool):
        raise ConvanimError(f"`{name}` {short(value)} is not a bool", "use True or False")
    return value


def positive(name: str, value: Any) -> int | float:
    """A finite number above zero."""
    given: Any = value if isinstance(value, Real) and not isinstance(value, bool) else -1
    if not 0 < given <= LARGEST:
        raise ConvanimError(f"`{name}` {short(value)} is not a number above 0", f"use for example 2, at most {LARGEST}")
    number = float(given)
    return int(number) if number.is_integer() else number


def factors_of(name: str, value: Any) -> Factors:
    """One number above zero for all axes, or a tuple with one for each."""
    if isinstance(value, (tuple, list)) and value:
        return tuple(positive(name, v) for v in value)
    return positive(name, value)


def optional(check: Callable[[str, Any], Any], name: str, value: Any) -> Any:
    """None, which leaves the choice to the convention, or a value that passes a check."""
    return None if value is None else check(name, value)


#: The check of each argument by name; an argument means the same in every layer.
CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "kernel_size": sizes_of,
    "stride": partial(optional, sizes_of),
    "padding": padding_of,
    "output_size": sizes_or_kept,
    "dilation": sizes_of,
    "output_padding": partial(optional, partial(sizes_of, lowest=0)),
    "groups": partial(whole, lowest=1),
    "in_channels": partial(optional, partial(whole, lowest=1)),
    "out_channels": partial(optional, partial(whole, lowest=1)),
    "padding_mode": partial(word_of, known=_WORDS["padding_mode"]),
    "flip": partial(optional, flag_of),
    "convention": convention_of,
    "ceil_mode": flag_of,
    "transpose_kernel": flag_of,
    "count_include_pad": partial(optional, flag_of),
    "norm_type": positive,
    "size": partial(optional, sizes_of),
    "scale_factor": partial(optional, factors_of),
    "mode": partial(word_of, known=_WORDS["mode"]),
    "align_corners": flag_of,
    "coordinates": partial(optional, partial(word_of, known=_WORDS["coordinates"])),
    "depth_multiplier": partial(whole, lowest=1),
    "upscale_factor": partial(whole, lowest=1),
    "downscale_factor": partial(whole, lowest=1),
    "order": partial(optional, partial(word_of, known=_WORDS["order"])),
}


def at(sizes: Any, i: int) -> Any:
    """The size along axis i."""
    return sizes[i] if isinstance(sizes, tuple) else sizes


def pair(padding: int | tuple[int | tuple[int, int], ...], i: int) -> tuple[int, int]:
    """The padding (before, after) along axis i."""
    here = padding if isinstance(padding, int) else padding[i]
    return (here, here) if isinstance(here, int) else here

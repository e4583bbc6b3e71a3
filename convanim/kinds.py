"""Values of the kinds that an animation can be asked with.

Knows what a trace, a number, a text and a flag are. Must not know what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly, whole
from convanim.layout import LAYOUTS
from convanim.trace import Trace

#: What to give for an option that takes one of a few words, and got something else.
HINTS = {"motion": "use step or smooth", "layout": f"use one of {', '.join(LAYOUTS)}"}


def of_their_kinds(
    *, traces: Iterable[Any], numbers: dict[str, Any], texts: dict[str, Any], flags: dict[str, Any]
) -> None:
    """Refuse what Python would let through to where nobody expects it; None is the same as not given.

    Raises:
        ConvanimError: a value is of another kind.
    """
    for value in traces:
        if not isinstance(value, Trace):
            raise ConvanimError(f"{shortly(value)} is not a trace", "use the result of a layer's trace method")
    for name, value in numbers.items():
        if not whole(value) and (value is not None or name == "plays"):
            raise ConvanimError(f"{name} {shortly(value)} is not a whole number", "give an int")
    for name, value in texts.items():
        if not isinstance(value, str | None):
            raise ConvanimError(f"{name} {shortly(value)} is not a string", HINTS.get(name, "give a str"))
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_ | None):
            raise ConvanimError(f"{name} {shortly(value)} is not a bool", "use True or False")

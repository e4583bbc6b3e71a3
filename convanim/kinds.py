"""Checks the types of an animation's options."""

from __future__ import annotations

from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly, whole
from convanim.look import OPTIONS, Look
from convanim.page import LAYOUTS
from convanim.trace import Trace

#: Options whose values are checked elsewhere.
CHECKED_LATER = {"lang", "dpi"}


def of_their_kinds(trace: Any, look: Look) -> None:
    """Refuse options of the wrong type, which Python would accept until they fail somewhere else.

    Raises:
        ConvanimError: an option has another type than the one that `Look` names.
    """
    for value in (trace, *([] if look.beside is None else [look.beside])):
        if not isinstance(value, Trace):
            raise ConvanimError(f"{shortly(value)} is not a trace", "use the result of a layer's trace method")
    for option in OPTIONS.values():
        name, value = option.words, getattr(look, option.name)
        kind, _, none = option.annotation.partition(" | ")
        if (value is None and none) or option.name in CHECKED_LATER:
            continue
        option.check(value)
        if kind == "int" and not none.startswith("str") and not whole(value):
            raise ConvanimError(f"`{name}` {shortly(value)} is not a whole number", "give an int")
        if option.annotation in ("str", "str | None") and not isinstance(value, str):
            hint = f"use one of {', '.join(LAYOUTS)}" if name == "layout" else "give a str"
            raise ConvanimError(f"`{name}` {shortly(value)} is not a string", hint)
        if kind == "bool" and not isinstance(value, bool | np.bool_):
            raise ConvanimError(f"`{name}` {shortly(value)} is not a bool", "use True or False")

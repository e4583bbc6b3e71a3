"""Checks the types of an animation's options."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly, whole
from convanim.look import Look
from convanim.page import LAYOUTS
from convanim.trace import Trace

#: Options with a few possible values, which are checked elsewhere.
CHECKED_LATER = {"align", "lang", "renderer", "text", "dpi"}
#: Hints for options with a few possible words.
HINTS = {"motion": "use step or smooth", "layout": f"use one of {', '.join(LAYOUTS)}"}


def of_their_kinds(trace: Any, look: Look) -> None:
    """Refuse options of the wrong type, which Python would accept until they fail somewhere else.

    Raises:
        ConvanimError: an option has another type than the one that `Look` names.
    """
    for value in (trace, *([] if look.beside is None else [look.beside])):
        if not isinstance(value, Trace):
            raise ConvanimError(f"{shortly(value)} is not a trace", "use the result of a layer's trace method")
    for option in fields(look):
        name, value = option.name.replace("_", " "), getattr(look, option.name)
        kind, _, none = option.type.partition(" | ")
        if (value is None and none) or option.name in CHECKED_LATER:
            continue
        if kind == "int" and not none.startswith("str") and not whole(value):
            raise ConvanimError(f"`{name}` {shortly(value)} is not a whole number", "give an int")
        if option.type in ("str", "str | None") and not isinstance(value, str):
            raise ConvanimError(f"`{name}` {shortly(value)} is not a string", HINTS.get(name, "give a str"))
        if kind == "bool" and not isinstance(value, bool | np.bool_):
            raise ConvanimError(f"`{name}` {shortly(value)} is not a bool", "use True or False")

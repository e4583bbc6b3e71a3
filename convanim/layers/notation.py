"""The notation of layers: parses text into an operation, the inverse of `str(op)`. Text is never executed."""

from __future__ import annotations

import ast
import warnings
from dataclasses import fields

from convanim.errors import ConvanimError
from convanim.layers.arguments import near
from convanim.layers.kinds import KINDS
from convanim.layers.operation import Operation
from convanim.layers.reading import NAMES, from_line
from convanim.layers.reading.names import unknown

#: Names of layers that only frameworks have.
_THEIRS = {"make_node", *NAMES} - set(KINDS)

LONGEST_NOTATION = 1000


def _of_a_framework(text: str) -> bool:
    """Whether a text looks like code of a framework: a dotted or framework-only name, an assignment or a list."""
    head = text.strip().partition("(")[0].strip()
    theirs = "." in head or "=" in head or head.startswith("[") or head.split("(")[0] in _THEIRS
    return theirs and "(" in text


def parse(text: str) -> Operation:
    """Parse the notation of a layer, the inverse of `str`. The text is data and never executed.

    A line of PyTorch, Keras, Flax or ONNX is read too: see `from_line`.

    Raises:
        ConvanimError: the layer is unknown, or its arguments are invalid.

    Example:
        >>> parse("ConvTranspose(3, stride=2)")
        ConvTranspose(kernel_size=3, stride=2)
        >>> parse("torch.nn.Conv2d(1, 1, 3, padding=1)")
        Conv(kernel_size=(3, 3), padding=1, in_channels=1, out_channels=1)
    """
    if _of_a_framework(text):
        return from_line(text)
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    form = "write it like ConvTranspose(kernel_size=3, stride=2)"
    if len(text) > LONGEST_NOTATION:
        raise ConvanimError(f"{shown} is {len(text)} characters long, too long for a layer", form)
    try:
        with warnings.catch_warnings():  # about odd literals, which are refused below
            warnings.simplefilter("ignore")
            call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError
        name = call.func.id
        if name not in KINDS:
            raise unknown(name, f"{name!r} in {shown}")
        positional = [ast.literal_eval(node) for node in call.args]
        named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg is not None}
        if len(named) != len(call.keywords):
            raise ValueError
    except ConvanimError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ConvanimError(f"{shown} is not a layer", form) from None
    kind = KINDS[name]
    arguments = [f.name for f in fields(kind)]
    places = [f.name for f in fields(kind) if not f.kw_only]
    for word in named:
        if word not in arguments:
            raise ConvanimError(f"{word!r} in {shown} is not an argument of {name}", near(word, arguments))
    placed = places[: len(positional)]
    if len(positional) > len(places) or set(placed) & set(named):
        raise ConvanimError(f"{shown} gives an argument twice or without its name", f"use names after {places[-1]}")
    needed = kind.required()
    if missing := [word for word in needed if word not in {*placed, *named}]:
        form = ", ".join(f"{word}=2" for word in needed)
        raise ConvanimError(f"{shown} has no {missing[0]}", f"write it like {name}({form})")
    return kind(*positional, **named)

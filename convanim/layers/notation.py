"""The notation of layers: parses text into an operation, the inverse of `str(op)`. Text is never executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import near
from convanim.layers.kinds import KINDS as WITH_COMMANDS
from convanim.layers.operation import Operation
from convanim.layers.separable import KINDS as OTHERS

# The readers of the frameworks' lines are imported when there is a text to read, as most commands have none.
if TYPE_CHECKING:
    from convanim.layers.reading import Line

#: Every layer that has a notation.
KINDS = WITH_COMMANDS | OTHERS

#: Words of ONNX's attributes, and of layers that Flax prints, whose names are those of ours.
_MARKS = ("kernel_shape=", "pads=", "auto_pad=", "( # Param", "# attributes")

LONGEST_NOTATION = 1000


def _of_a_framework(text: str) -> bool:
    """Whether a text looks like code of a framework rather than like one of our own layers.

    That is a dotted or framework-only name, an assignment, a list, a line of a printed model, a call around another, or
    attributes as only ONNX has them or Flax prints them.
    """
    from convanim.layers.reading import NAMES

    head = text.strip().partition("(")[0].strip()
    named = head not in KINDS and head in {"make_node", "partial", *NAMES}
    theirs = not head.isidentifier() or named or (head not in KINDS and text.count("(") > 1)
    return "(" in text and (theirs or any(word in text for word in _MARKS))


def parse(text: str | Any, values: Mapping[str, Any] | None = None) -> Operation:
    """Parse the notation of a layer, the inverse of `str`. The text is data and never executed.

    A line of PyTorch, Keras, Flax or ONNX is read too: see `from_line`.

    Args:
        text: the layer, or a layer of PyTorch, Keras, Flax or tinygrad in memory.
        values: the numbers that names in a line stand for.

    Raises:
        ConvanimError: the layer is unknown, or its arguments are invalid.

    Example:
        >>> parse("ConvTranspose(3, stride=2)")
        ConvTranspose(kernel_size=3, stride=2)
        >>> parse("torch.nn.Conv2d(1, 1, 3, padding=1)")
        Conv(kernel_size=(3, 3), padding=1, in_channels=1, out_channels=1)
    """
    if not isinstance(text, str):
        from convanim.layers.reading.modules import of_module

        return of_module(text).op
    return read(text, values).op


def read(text: str, values: Mapping[str, Any] | None = None) -> Line:
    """The same, with a sentence about each part of a line that is not drawn.

    Raises:
        ConvanimError: as for `parse`.

    Example:
        >>> read("weight_norm(nn.Conv1d(1, 1, 3))").notes
        ('weight_norm is not drawn',)
    """
    from convanim.layers.reading import Line, read_line

    return read_line(text, values) if _of_a_framework(text) else Line(_own(text))


def _own(text: str) -> Operation:
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
            from convanim.layers.reading.names import unknown

            raise unknown(name, f"{name!r} in {shown}")
        positional = [ast.literal_eval(node) for node in call.args]
        named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg is not None}
        if len(named) != len(call.keywords):
            raise ValueError
    except ConvanimError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        if text.lstrip().startswith("<"):  # a printed object
            form = "give the line that makes it, as it does not say its arguments; in Python, give the layer itself"
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
    if len(positional) > 2 and "kernel_size" in placed and all(isinstance(value, int) for value in positional):
        meant = ", ".join(f"{word}={value!r}" for word, value in zip(placed, positional, strict=False))
        raise ConvanimError(
            f"{shown} would be {name}({meant}) here, and PyTorch would take the first two numbers for channels",
            f"write {name}({meant}), or nn.{name}2d({', '.join(map(repr, positional))})",
        )
    needed = kind.required()
    if missing := [word for word in needed if word not in {*placed, *named}]:
        form = ", ".join(f"{word}=2" for word in needed)
        raise ConvanimError(f"{shown} has no {missing[0]}", f"write it like {name}({form})")
    return kind(*positional, **named)

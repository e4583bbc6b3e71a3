"""Code as data: parses a line of Python into calls with their arguments, without executing it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import near, short

#: The maximum length of a line; the longest that convanim writes has about 600 characters.
LONGEST_LINE = 4000

#: Where the calls of each framework are at home, as they are written.
TORCH = ("", "nn", "torch.nn")
KERAS = ("", "layers", "keras.layers", "tf.keras.layers", "tensorflow.keras.layers")
ONNX = ("", "helper", "onnx.helper")


@dataclass(frozen=True)
class Call:
    """A call: its name, including dots, and its arguments."""

    name: str
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> str:
        """The name after the last dot."""
        return self.name.rpartition(".")[2]

    @property
    def home(self) -> str:
        """The name before the last dot."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Unread:
    """Code that is neither a literal nor a call, such as the name of an array or an initialiser."""

    text: str


@dataclass(frozen=True)
class Pad:
    """A layer that pads its input, or crops it if a number is negative."""

    pads: tuple[tuple[int, int], ...]
    mode: str = "zeros"
    fill: float = 0


def taken_apart(text: str) -> Call | list[Any]:
    """A line as a call or a list of calls. An assignment is read as its value, layer(...)(x) as the layer.

    Raises:
        ConvanimError: the line is not a call.
    """
    shown = short(text)
    if len(text) > LONGEST_LINE:
        raise ConvanimError(
            f"{shown} is {len(text)} characters long, which is too long for a layer", "give a single line"
        )
    try:
        with warnings.catch_warnings():  # about odd literals
            warnings.simplefilter("ignore")
            body = ast.parse(text.strip().rstrip(",")).body
        statement = body[0] if len(body) == 1 else None
        node = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        value = _value(node) if node is not None else None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        value = None
    if not isinstance(value, Call | list):
        raise ConvanimError(f"{shown} is not a layer", "write it like torch.nn.Conv2d(1, 1, kernel_size=3)")
    return value


def _value(node: ast.expr) -> Any:
    with suppress(ValueError, TypeError):
        return ast.literal_eval(node)
    if isinstance(node, ast.List | ast.Tuple):
        inside = [_value(part) for part in node.elts]
        return inside if isinstance(node, ast.List) else tuple(inside)
    if isinstance(node, ast.Lambda):
        return _value(node.body)
    if not isinstance(node, ast.Call):
        return Unread(ast.unparse(node))
    if isinstance(node.func, ast.Call):
        return _value(node.func)
    return _call(node)


def _call(node: ast.Call) -> Any:
    name = ast.unparse(node.func)
    given = tuple(_value(part) for part in node.args)
    if name == "float" and given in (("inf",), ("-inf",)):
        return float(given[0])
    named = {word.arg or "**": _value(word.value) for word in node.keywords}
    return Call(name, given, named)


def bound(
    call: Call, names: Sequence[str], ignored: Collection[str] = (), needs: str = "", **only: Sequence[Any]
) -> dict[str, Any]:
    """A call's arguments by name, without those that do not change the arithmetic.

    Args:
        names: the positional arguments in order.
        ignored: arguments that do not change the arithmetic: channels, names, types, initialisers.
        needs: the required argument.
        only: arguments that are supported with some values only, which are then left out, too.

    Raises:
        ConvanimError: an unknown argument, or an unsupported value.
    """
    if len(call.given) > len(names):
        raise ConvanimError(f"{call.name} has more than {len(names)} positional arguments", "give arguments by name")
    told = dict(zip(names, call.given, strict=False))
    for word, value in call.named.items():
        if word in told:
            raise ConvanimError(f"{word} of {call.name} is given twice", "give it once")
        told[word] = value
    kept: dict[str, Any] = {}
    for word, value in told.items():
        if word in ignored:
            continue
        if word in only:
            if value not in only[word]:
                raise ConvanimError(
                    f"{word}={short(value)} of {call.name} changes the result of the layer and is not supported",
                    f"leave it out, or use {' or '.join(map(repr, only[word]))}",
                )
            continue
        if word not in names:
            raise ConvanimError(f"{word!r} is not a known argument of {call.name}", near(word, list(names)))
        if isinstance(value, Unread | Call):
            raise ConvanimError(
                f"{word} of {call.name} is {short(getattr(value, 'text', call.name))}, not a number", "write the number"
            )
        kept[word] = tuple(value) if isinstance(value, list) else value
    if needs and needs not in kept:
        raise ConvanimError(f"{call.name} has no {needs}", f"write it like {needs}=3")
    return kept


def channels(call: Call, names: Sequence[str], **spelled: str) -> dict[str, Any]:
    """A call's numbers of channels by convanim's names, if they are numbers; `names` is as for `bound`.

    Example:
        >>> channels(Call("Conv2D", (8, 3)), ("filters", "kernel_size"), out_channels="filters")
        {'out_channels': 8}
    """
    told = dict(zip(names, call.given, strict=False)) | call.named
    found = {ours: told.get(theirs) for ours, theirs in spelled.items()}
    return {ours: count for ours, count in found.items() if isinstance(count, int) and not isinstance(count, bool)}


def each(value: Any, rank: int) -> Any:
    """One value per axis, which keeps the number of axes."""
    return value if isinstance(value, tuple) else (value,) * rank

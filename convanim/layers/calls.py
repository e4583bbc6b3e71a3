"""Calls as data: their arguments by name, and the errors for those that are not numbers."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import near, short

#: Words that a printed model shows without quotes.
WORDS = frozenset(("same", "valid", "zeros", "reflect", "replicate", "circular", "nearest", "linear", "bilinear"))

#: The padding modes of numpy.pad and of the functions that are named after it.
PADS = {"constant": "zeros", "reflect": "reflect", "symmetric": "symmetric", "edge": "replicate", "wrap": "circular"}

#: Where the calls of each framework are at home, as they are written.
TORCH = ("", "nn", "torch.nn", "tinygrad.nn", "eqx.nn", "equinox.nn", "mlx.nn", "paddle.nn")
KERAS = ("", "layers", "keras.layers", "tf.keras.layers", "tensorflow.keras.layers")
ONNX = ("", "helper", "onnx.helper")


@dataclass(frozen=True)
class Call:
    """A call: its name, including dots, its arguments, and sentences about what is left out of it."""

    name: str
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list, compare=False)
    #: The code of the call.
    node: ast.expr | None = field(default=None, compare=False, repr=False)
    #: The value that it is a method of, if that has calls.
    on: Any = None
    #: The kernel, if the line has its values.
    kernel: list[Any] = field(default_factory=list, compare=False)

    @property
    def text(self) -> str:
        """The code of the call, or its name."""
        return ast.unparse(self.node) if self.node else self.name

    @property
    def last(self) -> str:
        """The name after the last dot."""
        return self.name.rpartition(".")[2]

    @property
    def home(self) -> str:
        """The name before the last dot."""
        return self.name.rpartition(".")[0] if self.on is None else "x"


@dataclass(frozen=True)
class Unread:
    """Code that is neither a literal nor a call, such as the name of an array.

    It has the name without a value in it, and the calls in it.
    """

    node: ast.expr
    unknown: str = ""
    inside: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """The code."""
        return ast.unparse(self.node)


def holds(value: Any) -> bool:
    """Whether there is a call in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    inside = value.inside if isinstance(value, Unread) else value if isinstance(value, list | tuple) else ()
    return isinstance(value, Call) or any(map(holds, inside))


@dataclass(frozen=True)
class Pad:
    """A layer that pads its input, or crops it if a number is negative."""

    pads: tuple[tuple[int, int], ...]
    mode: str = "zeros"
    fill: float = 0


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
    told = _told(call, names, needs)
    kept: dict[str, Any] = {}
    # A printed model has no quotes.
    told = {word: v.text if isinstance(v, Unread) and v.text in WORDS else v for word, v in told.items()}
    for word, value in told.items():
        if word == "activation" and not (isinstance(value, str | None) and value in (None, "linear")):
            call.notes.append(f"the activation of {call.name} is not drawn")
            continue
        if word == "data_format" and str(value).lower() in ("channels_first", "nchw", "ncw", "ncdhw"):
            call.notes.append(f"{word}={value!r} of {call.name} is ignored: the channels come last in the picture")
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
        if (unread := _unread(value)) is not None:
            raise not_a_number(word, call, unread)
        kept[word] = tuple(value) if isinstance(value, list) else value
    if needs and needs not in kept:
        raise ConvanimError(f"{call.name} has no {needs}", f"write it like {needs}=3")
    return kept


def _told(call: Call, names: Sequence[str], needs: str) -> dict[str, Any]:
    """All arguments by name."""
    if len(call.given) > len(names):
        raise ConvanimError(f"{call.name} has more than {len(names)} positional arguments", "give arguments by name")
    if hidden := _hidden(call, needs):
        raise ConvanimError(f"{hidden} of {call.name} hides its arguments", "write them in its place, or leave it out")
    told = dict(zip(names, call.given, strict=False))
    for word, value in call.named.items():
        if word in told:
            raise ConvanimError(f"{word} of {call.name} is given twice", "give it once")
        told[word] = value
    return told


def not_a_number(word: str, call: Call, value: Unread | Call) -> ConvanimError:
    """The error for an argument whose value a line does not state."""
    name = value.unknown if isinstance(value, Unread) else value.text
    number = 1 if word in ("padding", "stride", "strides", "dilation", "dilation_rate", "groups") else 3
    more = f", or say what the name stands for with `set` '{name}={number}'" if 0 < len(name) <= 80 else ""
    return ConvanimError(f"{word} of {call.name} is {value.text[:60]}, not a number", f"write the number{more}")


def _hidden(call: Call, needs: str) -> str:
    """The *args or **kwargs that may have arguments of meaning; *args before a named kernel are numbers of channels."""
    starred = [part for part in call.given if isinstance(part, Unread) and isinstance(part.node, ast.Starred)]
    if "**" in call.named:
        return f"**{call.named['**'].text[:60]}"
    if starred and not (needs in call.named and starred == [call.given[-1]]):
        return starred[0].text[:60]
    return ""


def _unread(value: Any) -> Unread | Call | None:
    """The first part of a value that is not a number."""
    if isinstance(value, Unread | Call):
        return value
    parts = value if isinstance(value, list | tuple) else ()
    return next((found for part in parts if (found := _unread(part)) is not None), None)


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

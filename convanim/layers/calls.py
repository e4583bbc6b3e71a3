"""Code as data: parses a line of Python into calls with their arguments, without executing it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import near, short
from convanim.layers.evaluated import Unknown, evaluated

#: The maximum length of a line; the longest that convanim writes has about 600 characters.
LONGEST_LINE = 4000

#: The name before a layer of a printed model, as in "(conv1): Conv2d(...)".
_PRINTED = re.compile(r"\s*\([\w.]+\):\s*")
#: What may follow a line that was copied from a list.
_END = re.compile(r",?\s*(#[^\n]*)?\Z")
#: A node in ONNX's text form, as in "y = MaxPool <kernel_shape = [3, 3]> (x)".
_ONNX_TEXT = re.compile(
    r"(?:[\w.%, ]+=\s*)?(?:[\w.]+\.)?(?P<kind>[A-Z]\w+)\s*(?:<(?P<before>[^<>]*)>)?"
    r"\s*\((?P<inputs>[\w.%, ]*)\)\s*(?:<(?P<after>[^<>]*)>)?"
)
#: Words that a printed model shows without quotes.
WORDS = frozenset(("same", "valid", "zeros", "reflect", "replicate", "circular", "nearest", "linear", "bilinear"))

#: Where the calls of each framework are at home, as they are written.
TORCH = ("", "nn", "torch.nn")
KERAS = ("", "layers", "keras.layers", "tf.keras.layers", "tensorflow.keras.layers")
ONNX = ("", "helper", "onnx.helper")


@dataclass(frozen=True)
class Call:
    """A call: its name, including dots, its arguments, and sentences about what is left out of it."""

    name: str
    given: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list, compare=False)

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
    """Code that is neither a literal nor a call, such as the name of an array, and the name without a value in it."""

    text: str
    unknown: str = ""


@dataclass(frozen=True)
class Pad:
    """A layer that pads its input, or crops it if a number is negative."""

    pads: tuple[tuple[int, int], ...]
    mode: str = "zeros"
    fill: float = 0


def expressions(text: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """The values of a line, or of several lines: calls, lists of calls, numbers, or code that is not read.

    Assignments, `return` and the like are read as their values, layer(...)(x) as the layer after what is called in x.
    Lines of a printed model lose their names.

    Args:
        text: the lines.
        values: the numbers that names in them stand for, such as {"k": 3}; shapes of arrays are tuples.

    Raises:
        ConvanimError: this is not code.
    """
    shown = short(text)
    if len(text) > LONGEST_LINE:
        raise ConvanimError(
            f"{shown} is {len(text)} characters long, which is too long for a layer", "give a single line"
        )
    try:
        with warnings.catch_warnings():  # about odd literals
            warnings.simplefilter("ignore")
            read = [_value(node, values or {}) for tree in _trees(text) for node in _nodes(tree.body)]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        read = []
    if not any(isinstance(value, Call | list | tuple) for value in read):
        raise ConvanimError(f"{shown} is not a layer", "write it like torch.nn.Conv2d(1, 1, kernel_size=3)")
    return read


def _trees(text: str) -> Iterator[ast.Module]:
    """The syntax trees of some lines, in whatever form they were copied."""
    if any(_PRINTED.match(line) for line in text.splitlines()):
        for line in text.splitlines():
            bare = _PRINTED.sub("", line).strip().rstrip(",")
            if _PRINTED.match(line) and bare.count("(") == bare.count(")"):  # not the beginning of a container
                yield ast.parse(bare)
        return
    if (nodes := [_node(line) for line in text.strip().splitlines() if line.strip()]) and all(nodes):
        yield from (ast.parse(node) for node in nodes if node)
        return
    bare = _END.sub("", dedent(text).strip())
    try:
        yield ast.parse(bare)
    except SyntaxError:
        lines = [_END.sub("", line.strip()) for line in bare.splitlines()]
        if len(lines) == 1:
            raise
        yield from (ast.parse(line) for line in lines)


def _node(line: str) -> str | None:
    """A node of ONNX's text form, as the call that makes it; None for another line."""
    found = _ONNX_TEXT.fullmatch(line.strip().rstrip(","))
    if found is None or not (found["before"] or found["after"]):
        return None
    attributes = re.sub(r"(\w+)\s*:\s*\w+\s*=", r"\1=", found["before"] or found["after"])
    names = [name.strip().lstrip("%") for name in found["inputs"].split(",")]
    return f"make_node({found['kind']!r}, {names!r}, ['y'], {attributes})"


def _nodes(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    """The expressions of some statements."""
    for statement in body:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.expr):
            yield value
        yield from _nodes(getattr(statement, "body", ()))


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    with suppress(ValueError, TypeError, SyntaxError):
        return ast.literal_eval(node)
    unknown = ""
    try:
        return evaluated(node, values)
    except Unknown as error:
        unknown = str(error)
    except (ValueError, TypeError, ArithmeticError):
        pass
    if isinstance(node, ast.List | ast.Tuple):
        inside = [_value(part, values) for part in node.elts]
        return inside if isinstance(node, ast.List) else tuple(inside)
    if isinstance(node, ast.Lambda):
        return _value(node.body, values)
    if isinstance(node, ast.Call):
        return _call(node, values)
    if isinstance(node, ast.BinOp):  # a residual connection
        parts = [_value(side, values) for side in (node.left, node.right)]
        if calls := [part for part in parts if isinstance(part, Call | list)]:
            return calls
    return Unread(ast.unparse(node), unknown)


def _call(node: ast.Call, values: Mapping[str, Any]) -> Any:
    given = tuple(_value(part, values) for part in node.args)
    if isinstance(node.func, ast.Call):  # a layer called on its input
        return [*(part for part in given if isinstance(part, Call | list)), _value(node.func, values)]
    name = ast.unparse(node.func)
    if name == "float" and given in (("inf",), ("-inf",)):
        return float(given[0])
    named = {word.arg or "**": _value(word.value, values) for word in node.keywords}
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):  # nn.Conv2d(1, 1, 3).to("cpu")
        return Call(node.func.attr, (_value(node.func.value, values), *given), named)
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
    # A printed model has no quotes.
    told = {word: v.text if isinstance(v, Unread) and v.text in WORDS else v for word, v in told.items()}
    for word, value in told.items():
        if word == "activation" and not (isinstance(value, str | None) and value in (None, "linear")):
            call.notes.append(f"the activation of {call.name} is not drawn")
            continue
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
            raise not_a_number(word, call, value)
        kept[word] = tuple(value) if isinstance(value, list) else value
    if needs and needs not in kept:
        raise ConvanimError(f"{call.name} has no {needs}", f"write it like {needs}=3")
    return kept


def not_a_number(word: str, call: Call, value: Unread | Call) -> ConvanimError:
    """The error for an argument whose value a line does not state."""
    text, name = (value.text, value.unknown or value.text) if isinstance(value, Unread) else (value.name, value.name)
    return ConvanimError(
        f"{word} of {call.name} is {text[:60]}, not a number",
        f"write the number, or say what the name stands for with `set` '{name[:60]}=3'",
    )


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

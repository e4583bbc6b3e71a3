"""Reads layers of other frameworks: a line of their code is parsed as data and becomes an operation.

Nothing is executed, and nothing is guessed: an unsupported argument that changes the arithmetic is refused by name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from convanim.errors import ConvanimError
from convanim.layers.arguments import at, short
from convanim.layers.calls import Call, Pad, Unread, holds
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.kinds import modules
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, Pool
from convanim.layers.reading import flax, functions, keras, onnx, scipy, torch
from convanim.layers.reading.names import foreign, kind_of, unknown
from convanim.layers.separable import SeparableConv
from convanim.layers.syntax import expressions

__all__ = ["NAMES", "Line", "from_line", "in_a_row", "read_call", "read_line"]

#: The modules that read calls; the first that knows a call reads it, and `onnx` reads the nodes of a graph.
_READERS = (torch, keras, flax, functions, scipy, *modules())
#: The names of the calls.
NAMES = tuple(name for reader in _READERS for name in reader.NAMES)


class Line(NamedTuple):
    """What a line means: an operation, sentences about the parts of the line that are not drawn, and its kernel.

    The kernel, as nested lists, is None unless the line has its values.
    """

    op: Operation
    notes: tuple[str, ...] = ()
    kernel: Any = None


def from_line(text: str, values: Mapping[str, Any] | None = None) -> Operation:
    """The operation that a line of PyTorch, Keras, Flax, Haiku, TensorFlow, JAX or ONNX defines.

    The line is parsed as data and never executed.

    Layers may be written torch.nn.Conv2d, nn.Conv2d or Conv2d, keras.layers.Conv2D, layers.Conv2D or Conv2D,
    flax.linen.Conv or nn.Conv, onnx.helper.make_node("Conv", ...), or as functions: F.max_pool2d(x, 2). They may be
    assigned to a name, added to a model, called on an input, wrapped, printed, or in a Sequential with the padding
    before or the crop after them. Numbers of channels are kept; names, types and initialisers are left out.

    Args:
        text: the line, or several lines with one layer.
        values: the numbers that names in the line stand for, such as {"k": 3}; the shape of an array is a tuple.

    Raises:
        ConvanimError: the line is not such a layer, or has an unsupported argument that changes its result.

    Example:
        >>> from_line("self.up = nn.ConvTranspose2d(16, 33, 3, stride=2)")
        ConvTranspose(kernel_size=(3, 3), stride=2, in_channels=16, out_channels=33)
        >>> from_line('keras.layers.Conv2D(8, 3, padding="same")')
        Conv(kernel_size=(3, 3), padding='same', out_channels=8, convention='keras')
        >>> from_line('onnx.helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2], pads=[0, 1])')
        MaxPool(kernel_size=(2,), padding=((0, 1),), convention='onnx')
        >>> from_line("weight_norm(nn.Conv1d(1, 1, k, padding=(k - 1) // 2))", {"k": 5})
        Conv(kernel_size=(5,), padding=2, in_channels=1, out_channels=1)
    """
    return read_line(text, values).op


def read_line(text: str, values: Mapping[str, Any] | None = None) -> Line:
    """The same, with a sentence about each part of the line that is not drawn.

    Raises:
        ConvanimError: as for `from_line`.

    Example:
        >>> read_line("x = F.relu(nn.Conv2d(1, 1, 3)(x))").notes
        ('F.relu is not drawn',)
    """
    notes: list[str] = []
    parts = [part for value in expressions(text, values, notes) for part in _parts(value, notes)]
    constants: dict[str, Any] = dict(values or {})
    read: list[Operation | Pad] = []
    errors: list[ConvanimError] = []
    unread: list[tuple[int, str]] = []  # and after how many layers
    for part in parts:
        try:
            layer = _layer(part, constants)
        except _NotALayer as error:
            errors.append(error.told)
            notes.append(f"{part.name} is not drawn")
            unread.append((len(read), part.name))
            continue
        if layer is not None:
            read.append(layer)
        notes += part.notes
    if not read and errors:
        raise errors[0]
    op = _single(read)
    if op is None:
        several = [str(layer) for layer in read if isinstance(layer, Operation)]
        told = f" but {len(several)}: {', '.join(several[:3])}" if several[1:] else ""
        one = f", such as {first}" if several[1:] and len(first := " ".join(parts[0].text.split())) < 120 else ""
        raise ConvanimError(
            f"{short(text)} is not a single layer{told}",
            f"give one of them{one}"
            if one
            else "give one layer, with the padding before it or, for a transposed layer, the crop after it",
        )
    between = [name for after, name in unread if after == len(read) - 1 > 0]
    if isinstance(op, SeparableConv) and between:
        notes.append(f"the pointwise layer reads the output of the depthwise one without {' and '.join(between)}")
    return Line(op, tuple(dict.fromkeys(notes)), next((part.kernel[0] for part in parts if part.kernel), None))


def _single(read: list[Operation | Pad]) -> Operation | None:
    """The operation of one layer, or of a layer with the padding before or the crop after it."""
    match read:
        case [Operation() as op]:
            return op
        case [Pad() as pad, Operation() as op]:
            return _padded(pad, op)
        case [ConvTranspose() as op, Pad() as crop]:
            return _cropped(op, crop)
        case [*before, Conv() as first, Conv() as second] if len(before) < 2 and (both := in_a_row(first, second)):
            return _single([*before, both])
    return None


def in_a_row(first: Conv, second: Conv) -> SeparableConv | None:
    """A depthwise convolution and the pointwise one after it as one layer; None for two others."""
    inputs, mixed = first.in_channels or 0, first.out_channels or 0
    if first.groups < 2 or first.groups != inputs or type(first) is not Conv:
        return None
    rank = second.rank or 2
    if any(at(second.kernel_size, i) > 1 for i in range(rank)):
        return None
    moves = any((a.stride, a.before, a.after) != (1, 0, 0) for a in second.axes((1,) * rank))
    if moves or second.groups > 1 or second.convention != first.convention:
        return None
    if second.in_channels not in (None, mixed):
        raise ConvanimError(
            f"{second} takes {second.in_channels} channels, and {first} before it makes {mixed}", "make them the same"
        )
    given: dict[str, Any] = {f.name: getattr(first, f.name) for f in fields(first)}
    given |= {"groups": 1, "depth_multiplier": mixed // inputs, "out_channels": second.out_channels}
    return SeparableConv(**given)


#: Calls that hold layers or put them into their place, and are not worth a word.
_HOLDERS = {
    *("Sequential", "ModuleList", "ModuleDict", "OrderedDict", "append", "add", "extend", "insert", "add_module"),
    *("register_module", "setattr", "Model", "Input", "to", "cuda", "cpu", "eval", "train", "double", "float", "half"),
    *("size", "format", "view", "reshape", "print", "len", "super"),
}
#: Attributes that only ONNX's layers have.
_OF_ONNX = {"kernel_shape", "pads", "auto_pad"}
_KNOWN = {name.rpartition(".")[2] for name in NAMES} | {"make_node", "Lambda", "Resizing", "pad", "conv"}


def _parts(value: Any, notes: list[str]) -> Iterator[Call]:
    """The calls of layers in a value, in their order, without what is around them."""
    if isinstance(value, Unread) and isinstance(value.node, ast.Subscript) and value.inside:
        notes.append(f"[{ast.unparse(value.node.slice)}] after the call is not drawn")
    if isinstance(value, Unread | dict):
        value = value.inside if isinstance(value, Unread) else list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _parts(part, notes)
    if not isinstance(value, Call):
        return
    value = functions.of_graph(_node(value))
    inside = [part for part in (value.on, *value.given, *value.named.values()) if holds(part)]
    function = isinstance(inside[0], Call) and inside[0].last if value.last == "Lambda" and inside else "pad"
    if value.last in _KNOWN and function == "pad":
        if value.last.islower() and value.last != "make_node":  # a function, whose input may be that of another
            first = value.on if value.on is not None else (value.given or (None,))[0]
            yield from _parts([part for part in inside[:1] if part is first], notes)
        yield value
    elif inside:
        yield from _parts(inside, notes)
        if value.last not in _HOLDERS:
            notes.append(f"{value.name} is not drawn")
    elif value.last not in _HOLDERS:
        yield value


def _node(call: Call) -> Call:
    """A call such as `op.Conv(x, w, kernel_shape=[3, 3])` as the node of ONNX that it makes."""
    theirs = call.home == "op" or (call.home == "" and _OF_ONNX & set(call.named))
    if call.last not in onnx.KINDS or not theirs:
        return call
    inputs = [part.text if isinstance(part, Unread | Call) else part for part in call.given]
    return Call("make_node", (call.last, inputs, ["y"]), call.named, call.notes, call.node)


class _NotALayer(Exception):
    """A call that is not a layer with a picture, and the error for it."""

    def __init__(self, told: ConvanimError) -> None:
        super().__init__(told)
        self.told = told


def read_call(call: Call) -> Operation | Pad | None:
    """The operation of a call of a layer, or None if no framework has it.

    Raises:
        ConvanimError: an unsupported argument.
    """
    return next((found for reader in _READERS if (found := reader.read(call)) is not None), None)


def _layer(part: Call, constants: dict[str, Any]) -> Operation | Pad | None:
    found = read_call(part)
    if found is not None:
        return found
    if part.last == "make_node":
        return onnx.read(part, constants)
    close = [] if foreign(part.name) else get_close_matches(part.last, NAMES, 1, 0.8)
    if close and part.last[:1].isupper() and kind_of(part.last)[0] == kind_of(close[0])[0]:
        raise ConvanimError(f"{short(part.name)} is not a known layer", f"did you mean {close[0]}")
    raise _NotALayer(unknown(part.name, short(part.name), theirs=True))


def _padded(pad: Pad, op: Operation) -> Operation:
    """A layer with the padding before it. Only PyTorch's and SciPy's conventions have numeric padding for it."""
    given: dict[str, Any] = {f.name: getattr(op, f.name) for f in fields(op)}
    if given.get("padding", 0) not in (0, "valid"):
        raise ConvanimError(
            f"{op} has padding in addition to the padding before it", "give all of the padding in one of the two places"
        )
    given["padding"] = pad.pads
    if isinstance(op, Conv) and pad.fill == 0:
        convention = op.convention if op.convention == "scipy" else "torch"
        return type(op)(**given | {"padding_mode": pad.mode, "convention": convention})
    rank = len(pad.pads)
    if isinstance(op, Pool) and pad.mode == "zeros" and not op.ceil_mode:
        # ONNX's convention does not limit the padding of a pooling.
        given |= {"stride": tuple(op.step(i) for i in range(rank)), "convention": "onnx"}
        if isinstance(op, AvgPool) and pad.fill == 0:
            return AvgPool(**given | {"count_include_pad": True})
        if isinstance(op, LpPool) and pad.fill == 0:
            signed = op.norm_type % 2 != 0 and op.convention == "torch"
            return LpPool(**given | {"convention": "torch" if signed else "onnx"})
        if isinstance(op, MaxPool) and pad.fill == float("-inf"):
            return MaxPool(**given)
    if isinstance(op, Conv):
        raise ConvanimError(
            f"the padding before {op} has the value {short(pad.fill)}, and convolutions pad with zeros or with copies",
            "use the value 0, or a copy such as reflect",
        )
    raise ConvanimError(f"{op} cannot be combined with the padding before it", "give the layer alone")


def _cropped(op: ConvTranspose, pad: Pad) -> ConvTranspose:
    """A transposed layer with the crop after it; zeros at its end are output padding."""
    if op.padding not in (0, "valid") or any(before > 0 for before, _ in pad.pads):
        raise ConvanimError(f"{op} cannot be combined with the crop after it", "give the layer alone")
    crops, extras = [], []
    for i, (before, after) in enumerate(pad.pads):
        k, s, d = at(op.kernel_size, i), at(op.stride, i), at(op.dilation, i)
        extra = at(op.output_padding, i)
        if extra is None:  # the output padding that Keras adds to 'valid'
            extra = max(s - d * (k - 1) - 1, 0)
        # Output padding that is cropped again cancels out.
        back = min(extra, max(-after, 0))
        crops.append((-before, max(-after, 0) - back))
        extras.append(extra - back + max(after, 0))
    return replace(op, padding=tuple(crops), output_padding=tuple(extras), convention="torch")

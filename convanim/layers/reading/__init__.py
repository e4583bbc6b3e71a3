"""Reads layers of other frameworks: a line of their code is parsed as data and becomes an operation.

Nothing is executed, and nothing is guessed: an unsupported argument that changes the arithmetic is refused by name.
"""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import at, short
from convanim.layers.calls import Call, Pad, taken_apart
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.kinds import modules
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, Pool
from convanim.layers.reading import flax, keras, onnx, torch
from convanim.layers.reading.names import kind_of, unknown

__all__ = ["NAMES", "from_line"]

#: The modules that read calls; the first that knows a call reads it, and `onnx` reads the nodes of a graph.
_READERS = (torch, keras, flax, *modules())
#: The names of the calls.
NAMES = tuple(name for reader in _READERS for name in reader.NAMES)


def from_line(text: str) -> Operation:
    """The operation that a line of PyTorch, Keras, Flax or ONNX defines. The line is parsed as data and never executed.

    Layers may be written torch.nn.Conv2d, nn.Conv2d or Conv2d, keras.layers.Conv2D, layers.Conv2D or Conv2D,
    flax.linen.Conv or nn.Conv, onnx.helper.make_node("Conv", ...). They may be assigned to a name, called on an input,
    or in a Sequential with the padding before or the crop after them. Numbers of channels are kept; names, types and
    initialisers are left out.

    Raises:
        ConvanimError: the line is not such a layer, or has an unsupported argument that changes its result.

    Example:
        >>> from_line("self.up = nn.ConvTranspose2d(16, 33, 3, stride=2)")
        ConvTranspose(kernel_size=(3, 3), stride=2, in_channels=16, out_channels=33)
        >>> from_line('keras.layers.Conv2D(8, 3, padding="same")')
        Conv(kernel_size=(3, 3), padding='same', out_channels=8, convention='keras')
        >>> from_line('onnx.helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2], pads=[0, 1])')
        MaxPool(kernel_size=(2,), padding=((0, 1),), convention='onnx')
    """
    whole = taken_apart(text)
    parts = whole if isinstance(whole, list) else [whole]
    if isinstance(whole, Call) and whole.last == "Sequential":
        parts = [part for given in whole.given for part in (given if isinstance(given, list) else [given])]
    constants: dict[str, Any] = {}
    read = [layer for part in parts if (layer := _layer(part, constants)) is not None]
    if len(read) == 1 and isinstance(read[0], Operation):
        return read[0]
    if len(read) == 2:
        first, second = read
        if isinstance(first, Pad) and isinstance(second, Operation):
            return _padded(first, second)
        if isinstance(first, ConvTranspose) and isinstance(second, Pad):
            return _cropped(first, second)
    raise ConvanimError(
        f"{short(text)} is not a single layer",
        "give one layer, with the padding before it or, for a transposed layer, the crop after it",
    )


def _layer(part: Any, constants: dict[str, Any]) -> Operation | Pad | None:
    if not isinstance(part, Call):
        raise ConvanimError(f"{short(getattr(part, 'text', part))} is not a layer", "write it like nn.Conv2d(1, 1, 3)")
    for reader in _READERS:
        found: Operation | Pad | None = reader.read(part)
        if found is not None:
            return found
    if part.last == "make_node":
        return onnx.read(part, constants)
    close = get_close_matches(part.last, NAMES, 1, 0.8)
    if close and part.last[:1].isupper() and kind_of(part.last)[0] == kind_of(close[0])[0]:
        raise ConvanimError(f"{short(part.name)} is not a known layer", f"did you mean {close[0]}")
    raise unknown(part.last, short(part.name), theirs=True)


def _padded(pad: Pad, op: Operation) -> Operation:
    """A layer with the padding before it. Only PyTorch's convention has numeric padding for all layers."""
    given: dict[str, Any] = {f.name: getattr(op, f.name) for f in fields(op)}
    if given.get("padding", 0) not in (0, "valid"):
        raise ConvanimError(
            f"{op} has padding in addition to the padding before it", "give all of the padding in one of the two places"
        )
    given["padding"] = pad.pads
    if isinstance(op, Conv) and pad.fill == 0:
        return Conv(**given | {"padding_mode": pad.mode, "convention": "torch"})
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

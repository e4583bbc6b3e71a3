"""The calls that a Keras model makes on an input without values: its layers, and the operations between them.

Keras is not imported: whoever has a model has loaded it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers import DepthwiseConv
from convanim.layers.calls import PADS, Call
from convanim.models.graph import INPUT
from convanim.models.memory import MODES, Recording, Step, alike, call, layer, padded, sliced

_EXPORT = 'export it with model.export("m.onnx", format="onnx"), and give m.onnx'


def record(model: Any, x: Any) -> Recording:
    """The calls of a model.

    Args:
        model: a `keras.Model` of any kind, which is left as it was.
        x: its input, or the shape of it, with or without a batch, channels last.

    Raises:
        ConvanimError: the model does not take the input, or it calls what Keras does not record.
    """
    keras = sys.modules["keras"]
    shape = tuple(x) if isinstance(x, tuple | list) else tuple(x.shape)
    given = getattr(model, "inputs", None)
    if given and not shape:
        shape = tuple(given[0].shape)[1:]
    rank = len(given[0].shape) - 2 if given else _rank(model)
    shape = shape[len(shape) == rank + 2 :]
    if len(shape) < 2 or None in shape or min(shape) < 1:
        raise ConvanimError("the model needs the shape of its input", "give one with channels, such as `x=(32, 32, 3)`")
    start = keras.Input(batch_shape=(1, *shape))
    recording = Recording(type(model).__name__, "Keras", start.shape, -1)
    with _restored(model):
        try:
            _follow(recording, {id(start): INPUT}, "", model, ([start] if given and given[1:] else start,), {})
        except ConvanimError:
            raise
        except Exception as error:  # whatever a framework raises
            told = " ".join(str(error).split())[:160] or type(error).__name__
            raise ConvanimError(f"{recording.name} cannot be followed: {told}", _EXPORT) from None
    return recording


def _rank(model: Any) -> int:
    """The number of axes of the maps of a model without inputs."""
    found = (re.search(r"(?:Conv|Pooling|Sampling|Padding)([123])D", type(part).__name__) for part in _parts(model))
    return next((int(one[1]) for one in found if one), 2)


def _parts(part: Any) -> list[Any]:
    """The layers of a model and the layers in them."""
    return [*part._flatten_layers()] if hasattr(part, "_flatten_layers") else [*part.layers]


@contextmanager
def _restored(model: Any) -> Iterator[None]:
    """Leave the layers as if they had not been called."""
    kept = {id(part): (part, len(part._inbound_nodes), len(part._outbound_nodes)) for part in _parts(model)}
    try:
        yield
    finally:
        for part, *counts in kept.values():
            del part._inbound_nodes[counts[0] :], part._outbound_nodes[counts[1] :]


def _follow(
    recording: Recording, names: dict[int, str], path: str, part: Any, given: Sequence[Any], named: dict[str, Any]
) -> Any:
    """Call a part of a model, record the calls in it, and return what it makes."""
    made = part.call(*given, **named)
    known = [*_tensors((given, named))]
    for node in _nodes([*_tensors(made)], {id(one) for one in known}):
        operation, name = node.operation, f"{path}/{node.operation.name}".strip("/")
        inside = {word: value for word, value in node.arguments.kwargs.items() if word not in ("mask", "training")}
        if hasattr(operation, "layers") or not type(operation).__module__.startswith("keras."):
            count = len(recording.steps)
            try:
                out = _follow(recording, names, name, operation, node.arguments.args, inside)
            except Exception:  # it calls what Keras does not record
                del recording.steps[count:]
                _add(recording, names, name, node, {})
                continue
            for ours, theirs in zip(_tensors(out), node.output_tensors, strict=False):
                names[id(theirs)] = names.get(id(ours), "")
            known += [out]  # an id is that of another tensor when this one is gone
            continue
        first = node.input_tensors[0] if node.input_tensors else None
        if type(operation).__name__ == "ConvertToTensor" and id(first) in names:  # of Keras itself
            names[id(node.output_tensors[0])] = names[id(first)]
            continue
        _add(
            recording, names, name, node, {} if first is None else _does(operation, first, node.arguments.args, inside)
        )
    recording.kept.append((made, known))
    return made


def _add(recording: Recording, names: dict[int, str], name: str, node: Any, does: dict[str, Any]) -> None:
    """Record a call, if it depends on the input."""
    read = [names[id(one)] for one in node.input_tensors if id(one) in names]
    made = [recording.value(one.shape) for one in node.output_tensors]
    names.update(zip(map(id, node.output_tensors), made, strict=True))
    if read:
        learned = recording.count([*getattr(node.operation, "weights", ())])
        kind = type(node.operation).__name__
        recording.steps.append(Step(name, kind, read, made, parameters=learned, **does))


def _tensors(value: Any) -> Iterator[Any]:
    """All tensors in a value."""
    if hasattr(value, "_keras_history"):
        yield value
    elif isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)


def _nodes(made: Sequence[Any], known: set[int]) -> list[Any]:
    """The calls that lead from known tensors to others, each after those that it needs."""
    found: dict[int, Any] = {}
    waiting = [(tensor, False) for tensor in reversed(made)]
    while waiting:
        tensor, done = waiting.pop()
        if id(tensor) in known or tensor._keras_history is None:
            continue
        operation, number, _ = tensor._keras_history
        node = operation._inbound_nodes[number]
        if done:
            found.setdefault(id(node), node)
        elif id(node) not in found:
            waiting.append((tensor, True))
            waiting += [(one, False) for one in reversed(node.input_tensors)]
    return [*found.values()]


def _does(operation: Any, x: Any, given: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """What a layer or an operation does, as fields of a `Step`."""
    kind, rank = type(operation).__name__, len(x.shape)
    rule = alike(kind)
    told: dict[str, Any] = {}
    if kind == "GetItem":
        return sliced(given[1], rank)
    if kind == "Pad":
        return padded(operation.pad_width, MODES.get(PADS.get(operation.mode, ""), operation.mode))
    if kind.startswith(("ZeroPadding", "Cropping")):
        word = "padding" if kind.startswith("Zero") else "cropping"
        around = _tuples(getattr(operation, word))
        return call(Call(f"keras.layers.{kind}", (), {word: around}), rank, -1)
    if rule in ("Concat", "Softmax", "LayerNormalization", "Split"):
        axis = getattr(operation, "axis", -1)
        told = {"axis": axis[0] if isinstance(axis, tuple | list) and len(axis) == 1 else axis}
        if not isinstance(told["axis"], int):
            told, rule = {}, "InstanceNormalization"
    elif rule == "ReduceMean":
        axis = operation.axis
        axes = [*range(rank)] if axis is None else [axis] if isinstance(axis, int) else [*axis]
        told = {"axes": axes, "keepdims": int(operation.keepdims)}
    elif kind == "Permute":
        told = {"perm": [0, *operation.dims]}
    elif rule == "Transpose":
        order = getattr(operation, "axes", None)
        told, rule = ({"perm": [*order]}, rule) if order else ({}, "")
    if rule:
        return {"op_type": rule, "told": told}
    if kind == "Resize" and getattr(operation, "data_format", "channels_last") == "channels_last":
        height, width = operation.size
        return call(Call("keras.layers.Resizing", (height, width, operation.interpolation)), rank, -1)
    does = layer(operation)
    if type(does.get("op")) is DepthwiseConv:
        (does["op"],) = does["op"].layers(x.shape[-1])
    return does


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, tuple | list) else value

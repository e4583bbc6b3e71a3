"""Reads a model in memory that is a sequence of layers, of PyTorch or Keras; no framework is imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers import Weighted
from convanim.layers.reading.modules import of_module
from convanim.models.graph import INPUT, Graph, Node, Read, still, uneven

#: Layers that act on each cell alone, by the beginnings of their names.
_POINTWISE = (
    *("ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid"),
    *("Tanh", "Hardtanh", "Hardswish", "Hardsigmoid", "Softplus", "Softsign", "Threshold", "Identity", "Dropout"),
    *(
        "AlphaDropout",
        "BatchNorm",
        "BatchNormalization",
        "LocalResponseNorm",
        "SpatialDropout",
        "Activation",
        "Rescaling",
    ),
    *("GaussianNoise", "GaussianDropout", "InputLayer"),
)
_SCALED = ("InstanceNorm", "GroupNorm", "LayerNorm", "GroupNormalization", "LayerNormalization", "Softmax")
_EXPORT = {
    "torch": 'export it with torch.onnx.export(model, x, "m.onnx"), and give m.onnx',
    "keras": 'export it with model.export("m.onnx", format="onnx"), and give m.onnx',
}


def known(model: Any) -> bool:
    """Whether a value looks like a model of PyTorch or Keras."""
    return hasattr(model, "named_modules") or hasattr(model, "layers")


def home_of(model: Any) -> str:
    """The framework of a model; those of Keras on PyTorch are modules of PyTorch, too."""
    return "keras" if hasattr(model, "layers") and hasattr(model, "get_config") else "torch"


def layers_of(model: Any) -> Iterator[tuple[str, Any]]:
    """The layers of a sequence, with their names, and those of sequences within it.

    Raises:
        ConvanimError: a part of it is not a sequence, so that the way through it is not known.
    """
    home = home_of(model)
    parts = model.named_children() if home == "torch" else ((part.name, part) for part in model.layers)
    for name, part in parts:
        if type(part).__name__ == "Sequential":
            yield from ((f"{name}.{inner}", layer) for inner, layer in layers_of(part))
        elif list(part.children()) if home == "torch" else hasattr(part, "layers"):
            raise ConvanimError(f"{name} is a {type(part).__name__}, whose layers need not be in a row", _EXPORT[home])
        else:
            yield name, part


def read(model: Any, given: Sequence[int]) -> Graph:
    """The layers of a `Sequential`.

    Args:
        model: of PyTorch or Keras.
        given: the shape of the input with its channels, with or without a batch, in the order of the framework.

    Raises:
        ConvanimError: it is not a sequence of layers, or the input does not fit.
    """
    called, home = type(model).__name__, home_of(model)
    if called != "Sequential" and not (
        home == "keras" and any(k.__name__ == "Sequential" for k in type(model).__mro__)
    ):
        raise ConvanimError(f"{called} is not a Sequential, so the order of its layers is not known", _EXPORT[home])
    last = home == "keras"
    rank = next((rank for _, layer in layers_of(model) if (rank := _rank(layer))), 0)
    shape = tuple(int(n) for n in given)[len(given) == rank + 2 :]
    if len(shape) < 2 or min(shape) < 1:
        raise ConvanimError("the model needs the shape of its input", "give one with channels, such as `x=(3, 32, 32)`")
    sizes, channels = (shape[:-1], shape[-1]) if last else (shape[1:], shape[0])
    nodes = [Node(INPUT, "", sizes, channels, shape=shape)]
    for name, layer in layers_of(model):
        if type(layer).__name__ != "InputLayer":
            nodes.append(_node(name, layer, len(nodes) - 1, nodes[-1], last=last))
    return Graph(called, tuple(nodes))


def _node(name: str, layer: Any, source: int, before: Node, *, last: bool) -> Node:
    kind, number = type(layer).__name__, _parameters(layer)
    made, sizes = Node(name, kind, parameters=number), before.sizes
    if sizes is None:
        return made
    if kind.startswith(_POINTWISE) or kind.startswith(_SCALED):
        told = say("{kind} depends on the whole map; its receptive field is that of its cells alone", kind=kind)
        notes: tuple[str, ...] = (told,) if kind.startswith(_SCALED) else ()
        here = Read(source, still(sizes))
        return replace(made, sizes=sizes, channels=before.channels, reads=(here,), shape=before.shape, notes=notes)
    if kind in ("Flatten", "Linear", "Dense", "Reshape", "Unflatten"):
        return replace(made, notes=(say("{kind} ends the chain: its output has no positions", kind=kind),))
    try:
        op, told_notes, _ = of_module(layer)
        axes = op.axes(sizes)
        channels = before.channels or 1
        if isinstance(op, Weighted):
            if op.in_channels not in (None, channels):
                raise ConvanimError(f"it takes {op.in_channels} channels, and its input has {channels}")
            channels = op.out_channels or channels
        else:
            channels = op.channels(channels)
    except ConvanimError as error:
        return replace(made, faults=(str(error).rstrip("."),))
    out = tuple(op.outputs(axes))
    shape = (*out, channels) if last else (channels, *out)
    notes = (*told_notes, *uneven(op, axes))
    return replace(made, op=op, sizes=out, channels=channels, reads=(Read(source, axes),), shape=shape, notes=notes)


def _rank(layer: Any) -> int:
    """The number of axes of a layer; 0 if it does not determine it."""
    try:
        return of_module(layer).op.rank or 0
    except ConvanimError:
        return 0


def _parameters(layer: Any) -> int:
    if callable(getattr(layer, "count_params", None)) and getattr(layer, "built", True):
        return int(layer.count_params())
    if callable(getattr(layer, "parameters", None)):
        return sum(prod(one.shape) for one in layer.parameters())
    return 0

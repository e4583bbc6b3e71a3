"""One layer of a model as a trace: with its real weights, and its real activations where they can be computed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.animation import Animation
from convanim.errors import ConvanimError, ConvanimWarning, shortly
from convanim.layers import MaxUnpool, Operation, PixelShuffle, Weighted
from convanim.live import ROUNDING, SHOWN, show, watch
from convanim.models.graph import Node
from convanim.models.nodes import Reading
from convanim.models.onnxfile import OnnxFile
from convanim.trace import Trace

#: The maximum number of input channels that are shown, as each has a grid.
INPUTS = 3
#: The maximum number of values in the input of one layer.
MOST = 2**24

Array = NDArray[Any]


def trace_of(file: OnnxFile, reading: Reading, number: int, given: Array | None, wanted: Sequence[int] | None) -> Trace:
    """The trace of a layer of a file.

    Args:
        number: its number in the graph.
        given: the input of the model; None for a seeded input of the layer.
        wanted: the numbers of the output channels to show; by default the first ones.

    Raises:
        ConvanimError: the layer has no animation, or its weights cannot be read.
    """
    graph, made = reading.graph, reading.made.get(number)
    node = graph.nodes[number]
    op = node.op
    if op is None or made is None or isinstance(op, MaxUnpool):
        able = [one.name for one in graph.nodes if one.op is not None][:3]
        why = (*node.faults, *node.notes)[:1] or (f"{node.kind} has no animation",)
        raise ConvanimError(
            f"{node.name} cannot be shown: {why[0]}", f"use a layer such as {', '.join(able)}" if able else ""
        )
    read = graph.nodes[node.reads[0].source]
    shape = (read.channels or 1, *(read.sizes or ()))
    if prod(shape) > MOST:
        raise ConvanimError(f"the input of {node.name} has {prod(shape):,} values", f"use at most {MOST:,}")
    weights = [name for name in made.input[1:] if name] if isinstance(op, Weighted) else []
    learned = _weights(file, weights)
    fed = None if given is None else {reading.source: _fed(file, reading, given)}
    x, answer = _activations(file, node, made, fed, shape)
    return _traced(op, node, x, learned, answer, wanted)


def _weights(file: OnnxFile, names: Sequence[str]) -> list[Array]:
    try:
        return [_finite(one, "its weights") for one in file.evaluate(names, {})] if names else []
    except ConvanimError as error:
        raise ConvanimError(f"its weights cannot be computed: {error.message}", error.hint) from None


def _activations(
    file: OnnxFile, node: Node, made: Any, given: Mapping[str, Array] | None, shape: tuple[int, ...]
) -> tuple[Array, Array | None]:
    """The input of a layer, and its own output if the evaluator can compute both."""
    why = "no `input` is given"
    if given is not None:
        try:
            x = _plain(file.evaluate([made.input[0]], given)[0])
        except ConvanimError as error:
            why = error.message
        else:
            with suppress(ConvanimError):  # it has its own limits
                return x, _plain(file.evaluate([made.output[0]], given)[0])
            return x, None
    warnings.warn(
        ConvanimWarning(f"the input of {node.name} is seeded, and not an activation of the model: {why}."), stacklevel=4
    )
    filled: Array = np.random.default_rng(0).integers(0, 10, shape)
    return filled, None


def _fed(file: OnnxFile, reading: Reading, given: Array) -> Array:
    """The input as the model takes it: with a batch, and of its type."""
    shape = reading.graph.nodes[0].shape or given.shape
    if given.ndim == len(shape) and len(given) > shape[0]:
        warnings.warn(ConvanimWarning(f"the first of the {len(given)} items of the batch is used."), stacklevel=5)
        given = given[: shape[0]]
    fed: Array = given.reshape(shape).astype(file.kind(reading.source))
    return fed


def _plain(values: Array) -> Array:
    """The first item of a batch, as numbers that are finite."""
    return _finite(np.asarray(values)[0], "its activations")


def _finite(values: Array, what: str) -> Array:
    """Values as whole numbers or floats of 64 bits."""
    with np.errstate(all="ignore"):
        kept: Array = values if values.dtype.kind in "cOSU" else values.astype(float)
        if kept.dtype.kind != "f" or not np.isfinite(kept).all():
            raise ConvanimError(f"{what} are not finite numbers")
        return values.astype(np.int64) if values.dtype.kind in "iub" else kept


def _traced(
    op: Operation, node: Node, x: Array, learned: Sequence[Array], answer: Array | None, wanted: Sequence[int] | None
) -> Trace:
    told: list[str] = []
    if isinstance(op, Weighted):
        done = _weighted(op, node, x, learned, answer, wanted, told)
    else:
        kept = _channels(op, len(x), wanted)
        if len(kept) < len(x):
            told.append(f"{len(kept)} of the {len(x)} channels are shown")
        done = op.trace(x[kept])  # type: ignore[attr-defined]
        _compare(done, None if answer is None else answer[_written(op, kept)])
    for text in told:
        warnings.warn(ConvanimWarning(f"{text}."), stacklevel=4)
    return done


def _channels(op: Operation, count: int, wanted: Sequence[int] | None) -> list[int]:
    """The numbers of the input channels that are shown of a layer without weights."""
    if isinstance(op, PixelShuffle):  # those of one output channel
        parts, outputs = op.factor**2, count // op.factor**2
        first = (wanted or [0])[0]
        _exists(wanted or (), outputs)
        return [i * outputs + first if op.depth_first else first * parts + i for i in range(parts)]
    _exists(wanted or (), count)
    return list(wanted) if wanted else list(range(min(count, INPUTS)))


def _written(op: Operation, kept: Sequence[int]) -> Any:
    return slice(0, 0) if op.channels(len(kept)) != len(kept) else list(kept)


def _exists(wanted: Sequence[int], count: int) -> None:
    if bad := [n for n in wanted if not 0 <= n < count]:
        raise ConvanimError(f"`out_channels` {bad[0]} does not exist: there are {count}", f"use 0 to {count - 1}")


def _weighted(
    op: Weighted, node: Node, x: Array, learned: Sequence[Array], answer: Array | None, wanted: Sequence[int] | None,
    told: list[str],
) -> Trace:  # fmt: skip
    weight, bias = learned[0], learned[1] if learned[1:] else None
    outputs, inputs = op.out_channels or 1, op.in_channels or 1
    each, every = outputs // op.groups, inputs // op.groups
    _exists(wanted or (), outputs)
    if op.groups == 1:
        into, of = list(wanted) if wanted else list(range(min(outputs, SHOWN))), list(range(min(inputs, INPUTS)))
        weight = weight[of][:, into] if op.transposed else weight[into][:, of]
        shown = replace(op, in_channels=len(of), out_channels=len(into))
    else:  # whole groups, as many as there is room for
        first = {n // each for n in wanted} if wanted else range(max(1, min(op.groups, INPUTS // every, SHOWN // each)))
        groups = sorted(first)
        of = [g * every + i for g in groups for i in range(every)]
        into = [g * each + i for g in groups for i in range(each)]
        weight = weight[of] if op.transposed else weight[into]
        shown = replace(op, groups=len(groups), in_channels=len(of), out_channels=len(into))
    if len(into) < outputs:
        told.append(f"{len(into)} of the {outputs} output channels are shown; choose others with `out_channels`")
    if len(of) < inputs and op.groups == 1:
        told.append(f"the sums are over the first {len(of)} of the {inputs} input channels only")
    done = shown.trace(x[of], weight, None if bias is None else bias[into])
    _compare(done, answer[into] if answer is not None and (op.groups > 1 or len(of) == inputs) else None)
    return done


def _compare(done: Trace, theirs: Array | None) -> None:
    """Warn if the evaluator's output differs by more than rounding."""
    if theirs is None or theirs.size != done.output.size:
        return
    off = float(np.abs(theirs.reshape(done.output.shape) - done.output).max(initial=0))
    if off > ROUNDING * max(1.0, float(np.abs(theirs).max(initial=0))):
        told = f"the output of ONNX's evaluator differs by up to {off:.3g}."
        warnings.warn(ConvanimWarning(told), stacklevel=5)


def watched(model: Any, name: str, x: Array | None, wanted: Sequence[int] | None, look: Mapping[str, Any]) -> Animation:
    """The animation of a layer of a model in memory.

    Raises:
        ConvanimError: no input has been given, or the layer cannot be shown.
    """
    if x is None:
        raise ConvanimError(f"{name} needs the input of the model", "give an array instead of a shape")
    if hasattr(model, "named_modules"):
        import sys

        torch = sys.modules.get("torch")
        given = (
            x if torch is None else torch.as_tensor(x, dtype=next((p.dtype for p in model.parameters()), torch.float32))
        )
        return watch(model, name, given, out_channels=wanted, **look)
    for layer in model.layers:
        if layer.name == name:
            return show(layer, x, out_channels=wanted, **look)
        x = layer(x)
    raise ConvanimError(f"the model has no layer {shortly(name)}", "use a name of model.layers")

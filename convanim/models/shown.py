"""One layer of a model as a trace: with its real weights, and its real activations where they can be computed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.animation import Animation
from convanim.errors import ConvanimError, ConvanimWarning
from convanim.layers import MaxUnpool, Operation, PixelShuffle, Weighted
from convanim.live import ROUNDING, SHOWN, watch
from convanim.models.graph import Graph, Node
from convanim.models.nodes import QUANTISED, Reading
from convanim.models.onnxfile import OnnxFile
from convanim.trace import Trace

#: The maximum number of input channels that are shown, as each has a grid.
INPUTS = 3
#: The maximum number of values in the input of one layer.
MOST = 2**24

Array = NDArray[Any]
#: The numbers of some channels; None for a choice by default.
Some = int | Sequence[int] | None


def trace_of(
    file: OnnxFile, reading: Reading, number: int, given: Array | None, channels: Some = None, out: Some = None
) -> Trace:
    """The trace of a layer of a file.

    Args:
        number: its number in the graph.
        given: the input of the model; None for a seeded input of the layer.
        channels: the numbers of the input channels to draw; the sums are over all of them.
        out: the numbers of the output channels to show, or how many of them; by default the first ones.

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
    if node.kind in QUANTISED:
        told = f"the weights of {node.name} are quantised, and their scales are not drawn"
        raise ConvanimError(told, "give the model before it was quantised")
    read = graph.nodes[node.reads[0].source]
    shape = (read.channels or 1, *(read.sizes or ()))
    if prod(shape) > MOST:
        raise ConvanimError(f"the input of {node.name} has {prod(shape):,} values", f"use at most {MOST:,}")
    weights = [name for name in made.input[1:] if name] if isinstance(op, Weighted) else []
    learned = _weights(file, weights)
    fed = None if given is None else {reading.source: _fed(file, reading, given)}
    x, answer = _activations(file, node, made, fed, shape)
    return _traced(op, x, learned, answer, channels, out)


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
    op: Operation, x: Array, learned: Sequence[Array], answer: Array | None, channels: Some, out: Some
) -> Trace:
    done: Trace
    if isinstance(op, Weighted):
        bias = learned[1] if learned[1:] else None
        count = op.out_channels or 1
        if out is None and count > SHOWN:
            out = SHOWN
            _warn(f"{SHOWN} of the {count} output channels are shown; choose others with `out_channels`.")
        done = op.trace(x, learned[0], bias, channels=channels, out_channels=out)
        _compare(done, answer if answer is None or done.part is None else answer[list(done.part.outputs)])
        return done
    if out is not None:
        raise ConvanimError("`out_channels` is for layers with weights", "choose with `channels`")
    if isinstance(op, PixelShuffle):  # the channels of one output channel
        parts, outputs = op.factor**2, len(x) // op.factor**2
        kept = [i * outputs if op.depth_first else i for i in range(parts)]
        return op.trace(x[kept])
    kept = list(range(min(len(x), INPUTS)))
    if channels is None and len(kept) < len(x):
        channels = kept
        _warn(f"{len(kept)} of the {len(x)} channels are shown; choose others with `channels`.")
    done = op.trace(x, channels=channels)  # type: ignore[attr-defined]
    if answer is not None and len(answer) == len(x) and channels is not None:
        answer = answer[[channels] if isinstance(channels, int) else list(channels)]
    _compare(done, answer)
    return done


def _warn(text: str) -> None:
    warnings.warn(ConvanimWarning(text), stacklevel=5)


def _compare(done: Trace, theirs: Array | None) -> None:
    """Warn if the evaluator's output differs by more than rounding."""
    if theirs is None or theirs.size != done.output.size:
        return
    off = float(np.abs(theirs.reshape(done.output.shape) - done.output).max(initial=0))
    if off > ROUNDING * max(1.0, float(np.abs(theirs).max(initial=0))):
        _warn(f"the output of ONNX's evaluator differs by up to {off:.3g}.")


def watched(model: Any, graph: Graph, number: int, x: Array | None, look: Mapping[str, Any]) -> Animation:
    """The animation of a layer of a model in memory.

    Raises:
        ConvanimError: no input has been given, or the layer cannot be shown.
    """
    name = graph.nodes[number].name
    if x is None:
        raise ConvanimError(f"{name} needs the input of the model", "give an array instead of a shape")
    given: Any = x[None] if x.ndim < len(graph.nodes[0].shape or ()) else x
    torch = sys.modules.get("torch")
    if torch is not None and not hasattr(model, "get_config"):
        kind = next((one.dtype for one in model.parameters()), torch.float32)
        given = torch.as_tensor(given, dtype=kind)
    return watch(model, name, given, **look)

"""Layers with their own weights, as they are in a model in memory: their traces and animations."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.animation import Animation
from convanim.errors import ConvanimError, ConvanimWarning, shortly
from convanim.layers import DepthwiseConv, Operation, SeparableConv, Weighted, times
from convanim.layers.reading.modules import of_module
from convanim.trace import Trace

#: The number of output channels that are shown by default.
SHOWN = 4
#: The greatest difference from the module's own output that is taken for rounding, relative to its largest value.
ROUNDING = 1e-4
#: The same for weights of 16 bits.
HALF = 2e-2


def show(
    module: Any,
    x: Any,
    *,
    batch: int = 0,
    channels: int | Sequence[int] | None = None,
    out_channels: int | Sequence[int] | None = None,
    **look: Any,
) -> Animation:
    """The animation of a layer with its own weights.

    Args:
        module: as for `trace_module`.
        x: its input.
        batch: the item of a batch.
        channels: the numbers of the input channels to draw; the sums are over all of them.
        out_channels: the numbers of the output channels to show, or how many of them.
        look: options of `convanim.look.Look`, such as `view` or `theme`.

    Raises:
        ConvanimError: as for `trace_module` and `Trace.animate`.
    """
    trace = trace_module(module, x, batch=batch, channels=channels, out_channels=out_channels)
    return Animation(trace, **look)


def trace_module(
    module: Any,
    x: Any,
    *,
    batch: int = 0,
    channels: int | Sequence[int] | None = None,
    out_channels: int | Sequence[int] | None = None,
) -> Trace:
    """The trace of a layer of PyTorch, Keras, Flax's nnx or tinygrad with its own weights; nothing is imported.

    The output is compared with the module's own on the same input; a warning tells a difference beyond rounding.

    Args:
        module: a layer, such as `torch.nn.Conv2d(3, 8, 3)`.
        x: its input, with or without a batch: an array or a tensor, in the framework's order of axes.
        batch: the item of a batch.
        channels: the numbers of the input channels to draw. Each sum is over all of them, drawn or not.
        out_channels: the numbers of the output channels to compute, or how many of them; by default all, or the first
            4 of a layer with more.

    Raises:
        ConvanimError: no layer that can be shown, an input that does not fit, or a channel that does not exist.

    Example:
        >>> class Conv1d:  # stands for torch.nn.Conv1d
        ...     __module__ = "torch.nn"
        ...     in_channels, out_channels, kernel_size = 1, 1, (2,)
        ...     weight, bias = np.array([[[1.0, -1.0]]]), np.array([0.5])
        >>> trace_module(Conv1d(), [[3, 1, 4]]).output.tolist()
        [[2.5, -2.5]]
    """
    op, notes, _ = of_module(module)
    for note in notes:
        _warn(f"{note}.")
    given = array(x)
    item = _item(op, given, batch)
    chosen: dict[str, Any] = {} if channels is None else {"channels": channels}
    done: Trace
    if isinstance(op, SeparableConv):
        (weight, bias), (pointwise, last) = _of_both(module)
        chosen |= {"depthwise_bias": bias, "out_channels": out_channels}
        done = op.trace(item, weight, pointwise, last, **chosen)
    elif isinstance(op, Weighted):
        weight, bias = _weights(module)
        if out_channels is None and not isinstance(op, DepthwiseConv):
            out_channels = _shown(op, weight)
        done = op.trace(item, weight, bias, **chosen, out_channels=out_channels)
    else:
        done = op.trace(item, **chosen)  # type: ignore[attr-defined]
    batched = given.ndim > item.ndim
    _compare(module, x, done, batched, batch)
    if batched and len(given) > 1:
        done.item = batch % len(given), len(given)
    return done


def watch(model: Any, name: str, x: Any, **options: Any) -> Animation:
    """The animation of an inner layer of a PyTorch or Keras model, with the activations that reach it.

    Args:
        model: a `torch.nn.Module`, or a Keras model with inputs.
        name: the layer, as in `model.named_modules()`: "features.3"; in Keras as in `layer.name`.
        x: the input of the model, a tensor.
        options: as for `show`.

    Raises:
        ConvanimError: there is no such layer, the input does not reach it, or the model drops values at random.
    """
    layers = dict(model.named_modules()) if hasattr(model, "named_modules") else {}
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(model, keras.Model):
        if not getattr(model, "inputs", None):
            raise ConvanimError("the Keras model has no inputs yet", "begin it with keras.Input, or call it once")
        layers = {layer.name: layer for layer in model.layers}
    if name not in layers:
        from difflib import get_close_matches

        close = get_close_matches(name, layers, 3, 0.4) or [layer for layer in layers if layer][:3]
        hint = f"use one of its layers, such as {', '.join(close)}" if close else "give a torch.nn.Module"
        raise ConvanimError(f"the model has no layer {shortly(name)}", hint)
    if keras is not None and hasattr(layers[name], "get_config"):
        with _quiet():
            reached = keras.Model(model.inputs, layers[name].input)(x, training=False)
        return show(layers[name], reached, **options)
    if getattr(model, "training", False) and any("Dropout" in type(part).__name__ for part in layers.values()):
        raise ConvanimError(
            "the model is in training mode, where its dropout changes values", "call model.eval() first"
        )
    seen: list[Any] = []
    handle = layers[name].register_forward_pre_hook(lambda part, given: seen.append(_kept(given[0])))
    try:
        called(model, x)
    finally:
        handle.remove()
    if not seen:
        raise ConvanimError(f"the input does not reach {name}", "name a layer that the model uses")
    if len(seen) > 1:
        told = f"{name} is used {len(seen)} times, and its first use is shown."
        _warn(told)
    return show(layers[name], seen[0], **options)


def _warn(told: str) -> None:
    """Warn at the line that called this module."""
    frame, level = sys._getframe(1), 2
    while frame.f_globals.get("__name__") == __name__ and frame.f_back:
        frame, level = frame.f_back, level + 1
    warnings.warn(ConvanimWarning(told), stacklevel=level)


def _kept(x: Any) -> Any:
    """A copy of a tensor, which a later layer may change in place."""
    return x.clone() if hasattr(x, "clone") else x


def array(values: Any) -> NDArray[Any]:
    """A tensor of any framework as an array, without its gradient.

    Raises:
        ConvanimError: these are no numbers.
    """
    with _quiet():
        if hasattr(values, "detach"):
            values = values.detach()
        if str(getattr(values, "dtype", "")).endswith("bfloat16") and hasattr(values, "float"):
            values = values.float()
        for step in ("cpu", "numpy"):
            if callable(getattr(values, step, None)):
                values = getattr(values, step)()
        found = np.asarray(getattr(values, "value", values))
    if found.dtype.kind not in "iufb":
        raise ConvanimError(f"{shortly(values)} is not an array of numbers", "give an array or a tensor")
    return found


def _item(op: Operation, x: NDArray[Any], batch: int) -> NDArray[Any]:
    """One item of a batch; an array without a batch as it is."""
    rank = op.rank or max(x.ndim - 2, 1)
    if x.ndim < rank + 2:
        return x
    if not -len(x) <= batch < len(x):
        raise ConvanimError(f"item {batch} of the batch does not exist: it has {len(x)}", f"use 0 to {len(x) - 1}")
    item: NDArray[Any] = x[batch]
    return item


def _weights(module: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The kernel and the bias of a layer, in its framework's order of axes."""
    if hasattr(module, "get_weights"):
        with _quiet():
            weights = [array(part) for part in module.get_weights()]
        if not weights:
            raise ConvanimError("the layer has no weights yet", "call it on an input once, or build it")
        return weights[0], weights[1] if weights[1:] else None
    if getattr(module, "scope", None) is not None:  # a layer of Flax's linen that is bound to its variables
        own = module.variables.get("params", {})
        weight, bias = own.get("kernel"), own.get("bias")
    else:
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        weight = getattr(module, "kernel", None) if weight is None else weight
    if weight is None:
        raise ConvanimError("the layer has no weights of its own", "give them, as in parse(...).trace(x, w)")
    try:
        with _quiet():
            without = bias is None or isinstance(bias, bool) or getattr(bias, "value", 0) is None
        return array(weight), None if without else array(bias)
    except (NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, ConvanimError):
            raise
        raise ConvanimError("the layer has no weights yet", "call it on an input once, or build it") from None


def _of_both(module: Any) -> list[tuple[NDArray[Any], NDArray[Any] | None]]:
    """The kernel and the bias of both layers of a separable convolution, which is one layer in Keras."""
    if not hasattr(module, "get_weights"):
        return [_weights(part) for part in module]
    with _quiet():
        found = [array(part) for part in module.get_weights()]
    if not found:
        raise ConvanimError("the layer has no weights yet", "call it on an input once, or build it")
    return [(found[0], None), (found[1], found[2] if found[2:] else None)]


def _shown(op: Weighted, weight: NDArray[Any]) -> int | None:
    """The number of output channels to show by default; None for all of them."""
    count = op.out_channels
    if count is None:
        count = weight.shape[-2 if op.transposed else -1] if op.rules.last else weight.shape[int(op.transposed)]
    if op.groups > 1 or count <= SHOWN:
        return None
    _warn(f"{SHOWN} of the {count} output channels are shown; choose others with `out_channels`.")
    return SHOWN


@contextmanager
def _quiet() -> Iterator[None]:
    """Calls of a framework: without gradients, and without its own warnings."""
    torch = sys.modules.get("torch")
    with warnings.catch_warnings(), nullcontext() if torch is None else torch.no_grad():
        warnings.simplefilter("ignore")
        yield


def homes_of(module: Any) -> set[str]:
    """The packages that a module's class and those that it derives from are at home in."""
    return {kind.__module__.partition(".")[0] for kind in type(module).__mro__}


def called(module: Any, x: Any) -> Any:
    """What a module makes of an array, or of a tensor of its framework.

    Raises:
        ConvanimError: the module does not take it.
    """
    torch, homes = sys.modules.get("torch"), homes_of(module)
    try:
        with _quiet():
            if torch is not None and "torch" in homes and "keras" not in homes:
                given = x if hasattr(x, "detach") else torch.as_tensor(np.asarray(x, np.float32))
                weight = getattr(module, "weight", None)
                x = given.to(weight) if hasattr(weight, "detach") else given
            elif "tinygrad" in homes and isinstance(x, np.ndarray | list | tuple):
                x = sys.modules["tinygrad"].Tensor(np.asarray(x, np.float32))
            done = module(x)
    except Exception as error:  # whatever a framework raises
        told = f"the module does not take this input: {str(error).splitlines()[0][:120]}" if str(error) else "no reason"
        raise ConvanimError(told, "give an input that the module takes") from None
    return done[0] if isinstance(done, tuple) else done  # of a pooling with its indices


def _compare(module: Any, x: Any, done: Trace, batched: bool, batch: int) -> None:
    """Warn if the module's own output differs by more than rounding."""
    if not callable(module):
        return
    op, ours = done.op, done.output
    if not batched and {"keras", "tf_keras", "tinygrad"} & homes_of(module):  # which take batches only
        x, batched, batch = array(x)[None], True, 0
    theirs = array(called(module, x))
    theirs = theirs[batch] if batched else theirs
    partly = done.part is not None and len(done.part.outputs) < done.whole[1]
    if done.part is not None and partly:
        theirs = np.take(theirs, done.part.outputs, -1 if op.rules.last else 0)
    if callable(activation := getattr(module, "activation", None)):
        if partly and getattr(activation, "__name__", "") in ("softmax", "log_softmax"):
            return  # which needs the channels that are not computed
        with _quiet():
            ours = array(activation(ours.astype(theirs.dtype)))
    if theirs.size != ours.size:
        told = f"the module's own output is {times(theirs.shape)}, and this one {times(ours.shape)}"
        raise ConvanimError(told, "report this layer as a fault of convanim")
    off = float(np.abs(theirs.reshape(ours.shape) - ours).max(initial=0))
    half = str(getattr(getattr(module, "weight", None), "dtype", "")).endswith("float16")
    if off > (HALF if half else ROUNDING) * max(1.0, float(np.abs(theirs).max(initial=0))):
        _warn(f"the module's own output differs by up to {off:.3g}.")

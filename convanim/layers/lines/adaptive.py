"""The lines of adaptive and global poolings in every framework, read and written.

Read are layers and functions, and the mean or maximum over all axes.
"""

from __future__ import annotations

import re
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePool
from convanim.layers.arguments import short
from convanim.layers.calls import KERAS, ONNX, TORCH, Call, bound, each
from convanim.layers.code import Code, NoLine, Place, Written, one_or_each
from convanim.layers.code import call as written

NAMES = (
    *(f"Adaptive{kind}Pool{rank}d" for kind in ("Avg", "Max") for rank in (1, 2, 3)),
    *(f"adaptive_{kind}_pool{rank}d" for kind in ("avg", "max") for rank in (1, 2, 3)),
    *(f"{kind}Pooling{rank}D" for kind in ("GlobalAverage", "GlobalMax", "AdaptiveAverage", "AdaptiveMax")
      for rank in (1, 2, 3)),
)  # fmt: skip
_FUNCTIONS = ("", "F", "functional", "nn.functional", "torch.nn.functional")
#: Functions of arrays whose result is one value per channel, if they reduce the spatial axes.
_REDUCED = {"mean": "Avg", "reduce_mean": "Avg", "max": "Max", "amax": "Max", "reduce_max": "Max"}
#: Arguments that change the shape or the place of the result only.
_NOTHING = ("data_format", "keepdims", "keepdim", "name", "dtype", "device", "return_indices")


def read(call: Call) -> AdaptivePool | None:
    """The operation of a call, or None if it is no such pooling.

    Raises:
        ConvanimError: an unsupported argument, or axes that are not the spatial ones.
    """
    for pattern, homes in ((r"Adaptive(Avg|Max)Pool([123])d", TORCH),
                           (r"adaptive_(avg|max)_pool([123])d", _FUNCTIONS)):  # fmt: skip
        found = re.fullmatch(pattern, call.last)
        if found and call.home in homes:
            names = ("input", "output_size") if call.last.islower() else ("output_size",)
            got = bound(call, (*names, "return_indices"), ("input", *_NOTHING), "output_size")
            return _made(found[1], each(got["output_size"], int(found[2])), "torch")
    found = re.fullmatch(r"(Global|Adaptive)(Average|Avg|Max)Pool(?:ing)?([123])D", call.last)
    if found and call.home in KERAS:
        needs = "" if found[1] == "Global" else "output_size"
        got = bound(call, (*[needs] * bool(needs), "data_format", "keepdims"), _NOTHING, needs)
        return _made(found[2], each(got.get("output_size", 1), int(found[3])), "keras")
    if call.last == "make_node" and call.home in ONNX:
        found = re.fullmatch(r"Global(Average|Max)Pool", str((*call.given, "")[0]))
        if found:
            bound(Call(found[0], call.given[1:], call.named), ("inputs", "outputs"), ("inputs", "outputs", "name"))
            return _made(found[1], 1, "onnx")
    if call.last in _REDUCED and call.home in ("np", "numpy", "jnp", "jax.numpy", "torch", "tf", "keras.ops"):
        return _reduced(call, ("input", "axis"))
    if call.last in _REDUCED and call.home.isidentifier():  # x.mean(axis=(1, 2))
        return _reduced(call, ("axis",))
    return None


def _made(kind: str, size: Any, convention: str) -> AdaptivePool:
    made = AdaptiveMaxPool if kind.lower() == "max" else AdaptiveAvgPool
    return made(size, convention=convention)


def _reduced(call: Call, names: tuple[str, ...]) -> AdaptivePool:
    """The global pooling of a reduction over the spatial axes, whose places tell where the channels are."""
    spelled = {"dim": "axis", "axis": "axis", "x": "input", "a": "input"}
    call = Call(call.name, call.given, {spelled.get(word, word): value for word, value in call.named.items()})
    axes = bound(call, (*names, "keepdims"), ("input", *_NOTHING), "axis")["axis"]
    axes = tuple(sorted(axes if isinstance(axes, tuple) else (axes,)))
    for rank in (1, 2, 3):
        for first, convention in ((1, "jax"), (-rank - 1, "jax"), (2, "torch"), (-rank, "torch")):
            if axes == tuple(range(first, first + rank)):
                return _made(_REDUCED[call.last], (1,) * rank, convention)
    raise ConvanimError(
        f"axis={short(axes)} of {call.name} are not the spatial axes of a batch",
        "write (1, 2) for an input (N, H, W, C), or (2, 3) for (N, C, H, W)",
    )


def torch(op: AdaptivePool, place: Place) -> Written:
    """PyTorch's layer, which has any output size."""
    size = op.output_size if isinstance(op.output_size, int) else one_or_each(op.output_size)
    return written(f"torch.nn.Adaptive{'Max' if op.combine == 'max' else 'Avg'}Pool{place.rank}d", size), ""


def keras(op: AdaptivePool, place: Place) -> Written:
    """Keras's layer, which is another one for a global pooling."""
    named = f"{'Max' if op.combine == 'max' else 'Average'}Pooling{place.rank}D"
    if _is_global(place):
        return written(f"keras.layers.Global{named}", keepdims=True), ""
    if any(a.output > a.input for a in place.axes):
        raise NoLine("none: some backends of Keras leave cells of an output larger than the input undefined")
    return written(f"keras.layers.Adaptive{named}", place.each("output")), ""


def jax(op: AdaptivePool, place: Place) -> Written:
    """A reduction for a global pooling, a pooling with equal windows, or the windows one by one."""
    how = op.combine
    if _is_global(place):
        return written(f"jax.numpy.{how}", Code("x"), axis=tuple(range(1, place.rank + 1)), keepdims=True), ""
    if _is_regular(place):
        named = f"flax.linen.{'max' if how == 'max' else 'avg'}_pool"
        return written(named, Code("x"), place.every("kernel"), strides=place.every("stride")), ""
    code = Code("x")
    for i, axis in enumerate(place.axes, start=1):
        n, o = axis.input, axis.output
        part = f"{code}[{':, ' * i}t * {n} // {o} : -((t + 1) * -{n} // {o})]"
        code = written("jax.numpy.stack", Code(f"[{part}.{how}({i}) for t in range({o})]"), i)
    return code, "JAX has no adaptive pooling: this takes its windows along one axis after the other"


def onnx(op: AdaptivePool, place: Place) -> Written:
    """A node for a global pooling or for equal windows."""
    named = "MaxPool" if op.combine == "max" else "AveragePool"
    if _is_global(place):
        return written("onnx.helper.make_node", f"Global{named}", ["x"], ["y"]), ""
    if not _is_regular(place):
        raise NoLine(f"none: ONNX has no adaptive pooling; {named} comes closest, whose windows are all alike")
    kernel, strides = list(place.every("kernel")), list(place.every("stride"))
    return written("onnx.helper.make_node", named, ["x"], ["y"], kernel_shape=kernel, strides=strides), ""


def _is_global(place: Place) -> bool:
    return set(place.every("output")) == {1}


def _is_regular(place: Place) -> bool:
    """Whether a pooling with a kernel has the same windows."""
    return all(place.every("regular"))

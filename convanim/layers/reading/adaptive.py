"""Reads adaptive and global poolings: layers and functions of all frameworks, and the mean or maximum over all axes."""

from __future__ import annotations

import re
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from convanim.layers.arguments import short
from convanim.layers.operation import Operation
from convanim.layers.reading import keras, onnx, torch
from convanim.layers.reading.calls import Call, bound, each

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


def read(call: Call) -> Operation | None:
    """The operation of a call, or None if it is no such pooling.

    Raises:
        ConvanimError: an unsupported argument, or axes that are not the spatial ones.
    """
    for pattern, homes in ((r"Adaptive(Avg|Max)Pool([123])d", torch.HOMES),
                           (r"adaptive_(avg|max)_pool([123])d", _FUNCTIONS)):  # fmt: skip
        found = re.fullmatch(pattern, call.last)
        if found and call.home in homes:
            names = ("input", "output_size") if call.last.islower() else ("output_size",)
            got = bound(call, (*names, "return_indices"), ("input", *_NOTHING), "output_size")
            return _made(found[1], each(got["output_size"], int(found[2])), "torch")
    found = re.fullmatch(r"(Global|Adaptive)(Average|Avg|Max)Pool(?:ing)?([123])D", call.last)
    if found and call.home in keras.HOMES:
        needs = "" if found[1] == "Global" else "output_size"
        got = bound(call, (*[needs] * bool(needs), "data_format", "keepdims"), _NOTHING, needs)
        return _made(found[2], each(got.get("output_size", 1), int(found[3])), "keras")
    if call.last == "make_node" and call.home in onnx.HOMES:
        found = re.fullmatch(r"Global(Average|Max)Pool", str((*call.given, "")[0]))
        if found:
            bound(Call(found[0], call.given[1:], call.named), ("inputs", "outputs"), ("inputs", "outputs", "name"))
            return _made(found[1], 1, "onnx")
    if call.last in _REDUCED and call.home in ("np", "numpy", "jnp", "jax.numpy", "torch", "tf", "keras.ops"):
        return _reduced(call, ("input", "axis"))
    if call.last in _REDUCED and call.home.isidentifier():  # x.mean(axis=(1, 2))
        return _reduced(call, ("axis",))
    return None


def _made(kind: str, size: Any, convention: str) -> Operation:
    made = AdaptiveMaxPool if kind.lower() == "max" else AdaptiveAvgPool
    return made(size, convention=convention)


def _reduced(call: Call, names: tuple[str, ...]) -> Operation:
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

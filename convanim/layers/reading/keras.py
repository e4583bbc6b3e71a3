"""Reads layers of keras.layers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.calls import KERAS, PADS, Call, Pad, bound, channels, each
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, MaxPool
from convanim.layers.resize import Upsample
from convanim.layers.separable import DepthwiseConv, SeparableConv

_ABOUT = ("initializer", "regularizer", "constraint")
_NOTHING = (
    *(
        "filters",
        "data_format",
        "activation",
        "use_bias",
        "activity_regularizer",
        "name",
        "dtype",
        "trainable",
        "input_shape",
    ),
    *(f"{what}_{about}" for what in ("kernel", "bias") for about in _ABOUT),
)
_SPELLED = {"strides": "stride", "dilation_rate": "dilation", "pool_size": "kernel_size", "size": "scale_factor"}


def _named(got: dict[str, Any], rank: int) -> dict[str, Any]:
    told = {_SPELLED.get(word, word): value for word, value in got.items() if value is not None}
    if isinstance(told.get("padding"), str):
        told["padding"] = told["padding"].lower()
    return told | {"kernel_size": each(told["kernel_size"], rank), "convention": "keras"}


def _conv(call: Call, rank: int) -> Operation:
    names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups", "activation")
    got = bound(call, names, _NOTHING, "kernel_size")
    return Conv(**_named(got, rank), **channels(call, names, out_channels="filters"))


def _transposed(call: Call, rank: int) -> Operation:
    order = ("output_padding", "data_format") if rank < 3 else ("data_format", "output_padding")
    names = ("filters", "kernel_size", "strides", "padding", *order, "dilation_rate", "activation")
    got = bound(call, names, _NOTHING, "kernel_size")
    return ConvTranspose(**_named(got, rank), **channels(call, names, out_channels="filters"))


def _depthwise(call: Call, kind: str, rank: int) -> Operation:
    counts = ("filters",) if kind == "Separable" else ()
    last = ("dilation_rate", "depth_multiplier") if counts else ("depth_multiplier", "data_format", "dilation_rate")
    middle = ("data_format",) if counts else ()
    names = (*counts, "kernel_size", "strides", "padding", *middle, *last, "activation")
    about = tuple(f"{what}_{end}" for what in ("depthwise", "pointwise") for end in _ABOUT)
    named = _named(bound(call, names, (*_NOTHING, *about), "kernel_size"), rank)
    if not counts:
        return DepthwiseConv(**named)
    return SeparableConv(**named, **channels(call, names, out_channels="filters"))


def _pool(kind: Callable[..., Operation]) -> Callable[[Call, int], Operation]:
    def read(call: Call, rank: int) -> Operation:
        got = bound(call, ("pool_size", "strides", "padding", "data_format"), _NOTHING)
        return kind(**_named({"pool_size": 2} | got, rank))

    return read


def _upsample(call: Call, rank: int) -> Operation:
    names = {1: ("size",), 2: ("size", "data_format", "interpolation"), 3: ("size", "data_format")}[rank]
    got = bound(call, names, _NOTHING)
    mode = got.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise ConvanimError(f"interpolation={mode!r} of {call.name} is not supported", "use nearest or bilinear")
    return Upsample(scale_factor=each(got.get("size", 2), rank), mode=mode, convention="keras")


def _resizing(call: Call) -> Operation:
    names = ("height", "width", "interpolation")
    plain = dict.fromkeys(("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"), (False,))
    got = bound(call, names, _NOTHING, "width", **plain)
    if "height" not in got:
        raise ConvanimError(f"{call.name} has no height", "write it like Resizing(8, 8)")
    mode = got.get("interpolation", "bilinear")
    if mode not in ("nearest", "bilinear"):
        raise ConvanimError(f"interpolation={mode!r} of {call.name} is not supported", "use nearest or bilinear")
    # Keras's own layers upsample by whole factors; PyTorch has half-pixel coordinates for other sizes, too.
    return Upsample(size=(got["height"], got["width"]), mode=mode, coordinates="half_pixel")


_RANKED: dict[str, Callable[[Call, int], Operation]] = {
    "MaxPooling": _pool(MaxPool),
    "MaxPool": _pool(MaxPool),
    "AveragePooling": _pool(AvgPool),
    "AvgPool": _pool(AvgPool),
    "UpSampling": _upsample,
}
_KINDS = {**{f"{name}{r}D": (f, r) for name, f in _RANKED.items() for r in (1, 2, 3)},
          **{f"Conv{r}D": (_conv, r) for r in (1, 2, 3)},
          **{f"Conv{r}DTranspose": (_transposed, r) for r in (1, 2, 3)},
          **{f"Convolution{r}D": (_conv, r) for r in (1, 2, 3)}}  # fmt: skip
NAMES = (*_KINDS, *(f"{kind}Conv{rank}D" for kind in ("Depthwise", "Separable") for rank in (1, 2)), "Resizing")


def read(call: Call) -> Operation | Pad | None:
    """The operation of a call, or None if keras.layers has no layer of this name."""
    if call.home not in KERAS:
        return None
    if call.last in _KINDS:
        make, rank = _KINDS[call.last]
        return make(call, rank)
    if call.last == "Resizing":
        return _resizing(call)
    if found := re.fullmatch(r"(Depthwise|Separable)Conv([12])D", call.last):
        return _depthwise(call, found[1], int(found[2]))
    if call.last == "Lambda" and call.given and isinstance(call.given[0], Call):
        return _padding_function(call.given[0])
    found = re.fullmatch(r"(ZeroPadding|Cropping)([123])D", call.last)
    return _pad(call, found[1], int(found[2])) if found else None


def _pad(call: Call, name: str, rank: int) -> Pad:
    word = "padding" if name == "ZeroPadding" else "cropping"
    around: Any = bound(call, (word, "data_format"), ("data_format", "name")).get(word, 1)
    if rank == 1 and isinstance(around, tuple) and len(around) == 2 and isinstance(around[0], int):
        around = (around,)
    pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in each(around, rank))
    sign = 1 if name == "ZeroPadding" else -1
    return Pad(tuple((sign * before, sign * after) for before, after in pairs))


def _padding_function(call: Call) -> Pad | None:
    if call.last != "pad":
        return None
    got = bound(call, ("x", "pad_width", "mode", "constant_values"), ("x",), "pad_width")
    mode = PADS.get(got.get("mode", "constant"))
    if mode is None:
        raise ConvanimError(f"mode={got['mode']!r} of {call.name} is not supported", "use constant or reflect")
    return Pad(tuple(tuple(pair) for pair in got["pad_width"][1:-1]), mode, got.get("constant_values", 0))

"""Reads layers of torch.nn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.calls import TORCH, Call, Pad, bound, channels, each
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, MaxUnpool
from convanim.layers.resize import PixelShuffle, PixelUnshuffle, Upsample

_COUNTS = {"in_channels": "in_channels", "out_channels": "out_channels"}
#: Arguments without a part in the arithmetic: of PyTorch, Equinox, MLX and Paddle.
_NOTHING = (*_COUNTS, "bias", "device", "dtype", "use_bias", "key", "weight_attr", "bias_attr")
_PADS = {
    "Zero": "zeros",
    "Constant": "zeros",
    "Reflection": "reflect",
    "Replication": "replicate",
    "Circular": "circular",
}


def _conv(call: Call, rank: int) -> Operation:
    every = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")
    names = every[_lazy(call) :]
    got = bound(call, (*names, "padding_mode"), _NOTHING, "kernel_size")
    return Conv(**got | {"kernel_size": each(got["kernel_size"], rank)}, **_counts(call, names))


def _lazy(call: Call) -> bool:
    """Whether a layer learns its number of input channels from its input; printed, it says that they are 0."""
    return call.last.startswith("Lazy") and not (call.given[:1] == (0,) and "kernel_size" in call.named)


def _transposed(call: Call, rank: int) -> Operation:
    every = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding")
    last = ("dilation", "groups", "bias") if call.home.startswith("tinygrad") else ("groups", "bias", "dilation")
    names = (*every, *last)[_lazy(call) :]
    got = bound(
        call,
        (*names, "padding_mode"),
        _NOTHING,
        "kernel_size",
        padding_mode=("zeros",),
    )
    return ConvTranspose(**got | {"kernel_size": each(got["kernel_size"], rank)}, **_counts(call, names))


def _counts(call: Call, names: Sequence[str]) -> dict[str, Any]:
    """The numbers of channels that are known."""
    return {word: count for word, count in channels(call, names, **_COUNTS).items() if count or word != "in_channels"}


def _pool(kind: Callable[..., Operation], *names: str) -> Callable[[Call, int], Operation]:
    def read(call: Call, rank: int) -> Operation:
        got = bound(call, names, ("return_indices",), "kernel_size", divisor_override=(None,))
        got = {word: value for word, value in got.items() if value is not None}
        return kind(**got | {"kernel_size": each(got["kernel_size"], rank)})

    return read


def _upsample(call: Call, rank: int) -> Operation:
    names = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor")
    got = bound(call, names, recompute_scale_factor=(None, False))
    got = {word: value for word, value in got.items() if value is not None}
    mode = got.pop("mode", "nearest")
    ranks = {"linear": 1, "bilinear": 2, "trilinear": 3}
    if mode in ranks:
        for word in ("size", "scale_factor"):
            if word in got:
                got[word] = each(got[word], ranks[mode])
        return Upsample(**got, mode="bilinear")
    if mode not in ("nearest", "nearest-exact"):
        raise ConvanimError(f"mode={mode!r} of {call.name} is not supported", "use nearest, nearest-exact or bilinear")
    return Upsample(**got, coordinates="half_pixel" if mode == "nearest-exact" else None)


def _upsampling(mode: str) -> Callable[[Call, int], Operation]:
    def read(call: Call, rank: int) -> Operation:
        got = {
            word: each(value, 2) for word, value in bound(call, ("size", "scale_factor")).items() if value is not None
        }
        return Upsample(**got, mode="bilinear", align_corners=True) if mode == "Bilinear" else Upsample(**got)

    return read


def _shuffle(kind: Callable[..., Operation], name: str) -> Callable[[Call, int], Operation]:
    return lambda call, rank: kind(**bound(call, (name,), needs=name))


_WINDOW = ("kernel_size", "stride", "padding")
_RANKED: dict[str, Callable[[Call, int], Operation]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "LazyConv": _conv,
    "LazyConvTranspose": _transposed,
    "MaxPool": _pool(MaxPool, *_WINDOW, "dilation", "return_indices", "ceil_mode"),
    "AvgPool": _pool(AvgPool, *_WINDOW, "ceil_mode", "count_include_pad", "divisor_override"),
    "LPPool": _pool(LpPool, "norm_type", "kernel_size", "stride", "ceil_mode"),
    "MaxUnpool": _pool(MaxUnpool, *_WINDOW),
}
_OTHERS: dict[str, Callable[[Call, int], Operation]] = {
    "Upsample": _upsample,
    **{f"Upsampling{mode}2d": _upsampling(mode) for mode in ("Nearest", "Bilinear")},
    "PixelShuffle": _shuffle(PixelShuffle, "upscale_factor"),
    "PixelUnshuffle": _shuffle(PixelUnshuffle, "downscale_factor"),
}
NAMES = (*(f"{name}{rank}d" for name in _RANKED for rank in (1, 2, 3)), *_OTHERS)


def read(call: Call) -> Operation | Pad | None:
    """The operation of a call, or None if torch.nn has no layer of this name."""
    if call.home not in TORCH:
        return None
    if call.last in _OTHERS:
        return _OTHERS[call.last](call, 0)
    if call.home == "paddle.nn" and (found := re.fullmatch(r"(Conv|MaxPool)([123])D(Transpose)?", call.last)):
        return _RANKED[f"{found[1]}{found[3] or ''}"](call, int(found[2]))
    found = re.fullmatch(r"(\w+?)([123])d", call.last)
    if found and found[1] in _RANKED:
        return _RANKED[found[1]](call, int(found[2]))
    if found and found[1].endswith("Pad") and found[1][:-3] in _PADS:
        return _pad(call, found[1][:-3], int(found[2]))
    return None


def _pad(call: Call, name: str, rank: int) -> Pad:
    got = bound(call, ("padding", "value"), needs="padding")
    around: Any = got["padding"]
    around = (around,) * 2 * rank if isinstance(around, int) else around
    if len(around) != 2 * rank or not all(isinstance(side, int) for side in around):
        raise ConvanimError(f"padding {around} of {call.name} is not {2 * rank} numbers", "give two numbers per axis")
    pads = tuple((around[2 * i], around[2 * i + 1]) for i in reversed(range(rank)))
    return Pad(pads, _PADS[name], got.get("value", 0))

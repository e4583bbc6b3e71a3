"""Reads layers of flax.linen."""

from __future__ import annotations

from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import at
from convanim.layers.calls import Call, bound, channels, each
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, MaxPool

HOMES = ("nn", "linen", "flax.linen", "nnx", "flax.nnx")
NAMES = ("nn.Conv", "nn.ConvTranspose", "max_pool", "avg_pool")
_NOTHING = (
    *(
        "features",
        "in_features",
        "use_bias",
        "dtype",
        "param_dtype",
        "precision",
        "kernel_init",
        "bias_init",
        "name",
        "parent",
    ),
    *("promote_dtype", "conv_general_dilated", "conv_general_dilated_cls", "preferred_element_type"),
)


def read(call: Call) -> Operation | None:
    """The operation of a call, or None if flax.linen has no layer of this name."""
    if call.last in ("max_pool", "avg_pool") and call.home in ("", *HOMES):
        return _pool(call)
    if call.home not in HOMES or call.last not in ("Conv", "ConvTranspose"):
        return None
    if call.home.endswith("nnx"):  # numbers of channels come first
        counts = dict(zip(("in_features", "out_features"), call.given, strict=False)) | call.named
        named = {
            word: value for word, value in call.named.items() if word not in ("in_features", "out_features", "rngs")
        }
        features = counts.get("out_features", 1)
        call = Call(f"nn.{call.last}", (features, *call.given[2:]), named, call.notes)
        if type(counts.get("in_features")) is int:
            call.named["in_features"] = counts["in_features"]
    return _conv(call) if call.last == "Conv" else _transposed(call)


def _padding(given: Any, rank: int) -> Any:
    if isinstance(given, str):
        return given.lower()
    pairs = tuple((p, p) if isinstance(p, int) else tuple(p) for p in each(given, rank))
    return tuple((p[0], p[0]) if len(p) == 1 else p for p in pairs)


def _shape(call: Call, got: dict[str, Any], word: str) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The kernel size, which Flax requires for every axis, and the stride."""
    kernel = got[word]
    if not isinstance(kernel, tuple):
        raise ConvanimError(
            f"{word} {kernel} of {call.name} does not determine the number of axes", "write it like (3, 3)"
        )
    return kernel, {"stride": got["strides"]} if got.get("strides") is not None else {}


def _pool(call: Call) -> Operation:
    names = ("inputs", "window_shape", "strides", "padding", "count_include_pad")
    got = bound(call, names, ("inputs",), "window_shape")
    kernel, more = _shape(call, got, "window_shape")
    more["padding"] = _padding(got.get("padding", "VALID"), len(kernel))
    if call.last == "max_pool":
        if "count_include_pad" in got:
            raise ConvanimError(f"{call.name} has no count_include_pad", "leave it out")
        return MaxPool(kernel, **more, convention="jax")
    return AvgPool(kernel, **more, count_include_pad=got.get("count_include_pad"), convention="jax")


def _conv(call: Call) -> Operation:
    names = ("features", "kernel_size", "strides", "padding", "input_dilation", "kernel_dilation")
    got = bound(
        call, (*names, "feature_group_count"), _NOTHING, "kernel_size", mask=(None,),
        input_dilation=(None, 1, (1,), (1, 1), (1, 1, 1)),
    )  # fmt: skip
    kernel, more = _shape(call, got, "kernel_size")
    more["dilation"] = got.get("kernel_dilation") or 1
    more |= channels(call, names, in_channels="in_features", out_channels="features")
    padding = _padding(got.get("padding", "SAME"), len(kernel))
    if padding in ("circular", "reflect"):  # pads for the window, whatever the stride
        more["padding_mode"] = padding
        reaches = [at(more["dilation"], i) * (k - 1) for i, k in enumerate(kernel)]
        padding = tuple((reach // 2, (reach + 1) // 2) for reach in reaches)
    return Conv(kernel, **more, padding=padding, groups=got.get("feature_group_count", 1), convention="jax")


def _transposed(call: Call) -> Operation:
    names = ("features", "kernel_size", "strides", "padding", "kernel_dilation")
    got = bound(call, (*names, "transpose_kernel"), _NOTHING, "kernel_size", mask=(None,))
    kernel, more = _shape(call, got, "kernel_size")
    more |= channels(call, names, in_channels="in_features", out_channels="features")
    dilation = got.get("kernel_dilation") or 1
    padding = _padding(got.get("padding", "SAME"), len(kernel))
    rotated = got.get("transpose_kernel") or False
    return ConvTranspose(kernel, **more, padding=padding, dilation=dilation, transpose_kernel=rotated, convention="jax")

"""Reads functions of arrays, whose kernel is an array, too: those of PyTorch, TensorFlow and JAX; and Haiku."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.calls import Call, Pad, Unread, bound, each
from convanim.layers.operation import Operation
from convanim.layers.reading import flax, keras, torch
from convanim.layers.resize import PixelShuffle, PixelUnshuffle
from convanim.layers.separable import DepthwiseConv

_TORCH = ("F", "functional", "nn.functional", "torch.nn.functional", "torch", "paddle.nn.functional")
#: The operators of a graph of PyTorch, before the name of an overload.
_ATEN = re.compile(r"(?:torch\.ops\.)?aten\.(?P<name>\w+?)(?:\.\w+)?")
_TF = ("tf.nn", "tensorflow.nn", "nn")
_LAX = ("lax", "jax.lax")
_HAIKU = ("hk", "haiku")
_OPS = ("keras.ops", "ops", "keras.operations")
#: The functions of TensorFlow 1 that make layers.
_LAYERS_OF_TF = ("tf.layers", "tf.compat.v1.layers", "slim", "tf.contrib.slim", "tf_slim")
NAMES = (
    *(f"{name}{rank}d" for name in ("conv", "conv_transpose", "max_pool", "avg_pool", "lp_pool") for rank in (1, 2, 3)),
    *("interpolate", "upsample", "pixel_shuffle", "pixel_unshuffle", "conv_general_dilated"),
    *(
        "max_pool",
        "avg_pool",
        "conv2d_transpose",
        "depthwise_conv2d",
        "separable_conv2d",
        "depth_to_space",
        "space_to_depth",
    ),
)
#: The functions of torch.nn.functional without a kernel of numbers, and the layers with the same arguments.
_LAYERS = {
    **{f"{kind}_pool{rank}d": f"{layer}Pool{rank}d" for kind, layer in (("max", "Max"), ("avg", "Avg"), ("lp", "LP"))
       for rank in (1, 2, 3)},
    **{"interpolate": "Upsample", "upsample": "Upsample", "pixel_shuffle": "PixelShuffle"},
    "pixel_unshuffle": "PixelUnshuffle",
}  # fmt: skip
_ARRAYS = ("input", "x", "lhs", "value", "inputs")


def read(call: Call) -> Operation | Pad | None:
    """The operation of a call, or None if it is another function.

    Raises:
        ConvanimError: an unsupported argument, or a kernel whose shape the line does not state.
    """
    if call.home in _OPS and call.last in ("conv", "conv_transpose", "depthwise_conv", "separable_conv"):
        return _tensorflow(_with_rank(call))
    found = re.fullmatch(r"(conv|conv_transpose)([123])d", call.last)
    if call.home in _TORCH and found:
        return _torch(call, transposed=found[1] != "conv", rank=int(found[2]))
    if call.home.isidentifier() and call.home not in (*_TORCH, *_TF, *_LAX, *_HAIKU, *_LAYERS_OF_TF):
        return _method(call)
    if call.last in _LAYERS and call.home in _TORCH:
        made: Operation | Pad | None = torch.read(_without_input(call, f"nn.{_LAYERS[call.last]}"))
        return made
    if call.last == "pad" and call.home in _TORCH:
        return _pad(call)
    if call.home in _LAYERS_OF_TF:
        return _first_tensorflow(call)
    if call.home in _TF:
        return _tensorflow(call)
    if call.home in _LAX:
        return _lax_transposed(call) if call.last == "conv_transpose" else _lax(call)
    return _haiku(call) if call.home in _HAIKU else None


def of_graph(call: Call) -> Call:
    """An operator of PyTorch's graphs, such as torch.ops.aten.convolution.default, as the function that it is."""
    operator = None if call.on is not None else _ATEN.fullmatch(call.name)
    if operator is None:
        return call
    home, name = "torch.nn.functional", re.sub(r"^_|_with_indices$", "", operator["name"])
    if name != "convolution":
        return Call(f"{home}.{name}", call.given, call.named, call.notes, call.node)
    order = ("input", "weight", "bias", "stride", "padding", "dilation", "transposed", "output_padding", "groups")
    told = dict(zip(order, call.given, strict=False)) | call.named
    rank = len(told["stride"]) if isinstance(told.get("stride"), list | tuple) else 2
    transposed = told.pop("transposed", False) is True
    if not transposed:
        told.pop("output_padding", None)
    return Call(f"{home}.conv{'_transpose' * transposed}{rank}d", (), told, call.notes, call.node)


def _without_input(call: Call, name: str) -> Call:
    """The call of a layer, from that of a function whose first argument is the input."""
    named = {word: value for word, value in call.named.items() if word not in (*_ARRAYS, "antialias")}
    given = call.given if len(named) < len(call.named) - ("antialias" in call.named) else call.given[1:]
    return Call(name, given, named, call.notes)


def _method(call: Call) -> Operation | Pad | None:
    """The operation of a method of tinygrad's tensors, such as x.max_pool2d((3, 3)), whose arguments have their order.

    PyTorch's tensors have no such methods.
    """
    if call.last in ("conv2d", "conv_transpose2d"):
        order = ("weight", "bias", "groups", "stride", "dilation", "padding", "output_padding")
        told = dict(zip(order, call.given, strict=False)) | call.named
        rank = len(_shape(call, "weight", told.get("weight"))) - 2
        around = told.get("padding")
        if isinstance(around, tuple | list) and len(around) == 2 * rank:  # both sides, the last axis first
            told["padding"] = tuple((around[i], around[i + 1]) for i in reversed(range(0, 2 * rank, 2)))
        return _torch(Call(call.name, (), told, call.notes), transposed="trans" in call.last, rank=rank)
    if call.last in ("max_pool2d", "avg_pool2d"):
        names = ("kernel_size", "stride", "dilation", "padding", "ceil_mode")
        told = {"kernel_size": (2, 2)} | dict(zip(names, call.given, strict=False)) | call.named
        return torch.read(Call(f"nn.{_LAYERS[call.last]}", (), told, call.notes))
    return None


def _shape(call: Call, word: str, value: Any) -> tuple[int, ...]:
    """The shape of an array: as the value of its name, or of a call such as torch.randn(8, 3, 3, 3)."""
    if isinstance(value, tuple | list) and value and all(type(size) is int for size in value):
        return tuple(value)
    if isinstance(value, Call) and re.fullmatch(
        r"randn?|zeros|ones|empty|Parameter|normal|truncated_normal|Variable", value.last
    ):
        inner = value.given[0] if len(value.given) == 1 else value.given
        return _shape(call, word, inner)
    text = value.text if isinstance(value, Unread | Call) else word
    name = value.unknown if isinstance(value, Unread) and value.unknown else text
    found = re.search(r"([123])d", call.last)
    kernel = (3,) * (int(found[1]) if found else 2)
    like = (*kernel, 3, 64) if word == "filters" else (64, 3, *kernel)
    raise ConvanimError(
        f"{word} of {call.name} is {text[:60]}, an array of unknown shape",
        f"say which shape it has with `set` '{name[:80]}={'x'.join(map(str, like))}'",
    )


def _torch(call: Call, *, transposed: bool, rank: int) -> Operation:
    order = ("stride", "padding", "output_padding", "groups", "dilation") if transposed else (
        "stride", "padding", "dilation", "groups")  # fmt: skip
    told = dict(zip(("input", "weight", "bias", *order), call.given, strict=False)) | call.named
    shape = _shape(call, "weight", told.get("weight"))
    if len(shape) != rank + 2:
        raise ConvanimError(
            f"the weight of {call.name} has {len(shape)} axes", f"give one of {rank + 2}: channels, then the kernel"
        )
    groups = told.get("groups", 1)
    groups = groups if type(groups) is int else 1
    counts = (shape[0], shape[1] * groups) if transposed else (shape[1] * groups, shape[0])
    named = {word: value for word, value in told.items() if word not in ("input", "x", "weight", "bias")}
    if isinstance(named.get("padding"), str):  # Paddle spells it in capitals
        named["padding"] = named["padding"].lower()
    kind = "ConvTranspose" if transposed else "Conv"
    if rank not in (1, 2, 3):
        raise ConvanimError(f"the weight of {call.name} has {len(shape)} axes", "give one of 3 to 5 axes")
    made = torch.read(Call(f"nn.{kind}{rank}d", (*counts, shape[2:]), named, call.notes))
    assert isinstance(made, Operation)  # noqa: S101 - the name of a layer
    return made


def _pad(call: Call) -> Pad:
    told = bound(call, ("input", "pad", "mode", "value"), ("input",), "pad")
    around, modes = told["pad"], {"constant": "zeros", "reflect": "reflect", "replicate": "replicate"}
    mode = (modes | {"circular": "circular"}).get(told.get("mode", "constant"))
    if not isinstance(around, tuple) or len(around) % 2 or mode is None:
        raise ConvanimError(
            f"the padding of {call.name} is not supported", "give two numbers per axis, the last axis first"
        )
    pairs = tuple((around[i], around[i + 1]) for i in reversed(range(0, len(around), 2)))
    return Pad(pairs, mode, told.get("value") or 0)


def _spatial(value: Any, rank: int, *, last: bool = True) -> Any:
    """The numbers of the spatial axes, from those of all axes of a batch."""
    if isinstance(value, tuple | list) and len(value) == rank + 2:
        return tuple(value[1:-1] if last else value[2:])
    return tuple(value) if isinstance(value, list) else value


def _tensorflow(call: Call) -> Operation | None:
    if call.last in ("depth_to_space", "space_to_depth"):
        factor = bound(call, ("input", "block_size", "data_format"), ("input", "data_format"), "block_size")[
            "block_size"
        ]
        return (PixelShuffle if call.last == "depth_to_space" else PixelUnshuffle)(factor, convention="keras")
    if call.last in ("convolution", "atrous_conv2d") and call.home != "nn":
        call = _with_rank(call)
    found = re.fullmatch(r"(depthwise_|separable_)?conv([123])d(_transpose)?", call.last)
    pool = re.fullmatch(r"(max|avg)_pool([123])?d?", call.last)
    if found and "filters" not in call.named and call.home == "nn" and len(call.given) < 2:
        return None
    if found:
        rank = int(found[2])
        middle = ("output_shape", "strides", "padding") if found[3] else ("strides", "padding")
        middle = ("pointwise_filter", *middle) if found[1] == "separable_" else middle
        names = ("input", "filters", *middle, "data_format", "dilations", "name")
        told = dict(zip(names, call.given, strict=False)) | call.named
        told["filters"] = told.pop("filter", told.pop("depthwise_filter", told.get("filters")))
        shape = _shape(call, "filters", told["filters"])
        if len(shape) != rank + 2:
            raise ConvanimError(
                f"the filters of {call.name} have {len(shape)} axes", f"give {rank + 2}: the kernel, then the channels"
            )
        if "output_shape" in told:
            call.notes.append(f"the output_shape of {call.name} follows from the input here")
        named = {
            "kernel_size": shape[:-2],
            "strides": _spatial(told.get("strides", 1), rank),
            "padding": told.get("padding", "valid"),
            "dilation_rate": _spatial(told.get("dilations") or 1, rank),
        }
        if found[1]:  # the filters are (*k, C, m)
            kind = found[1].partition("_")[0].capitalize()
            named |= {"depth_multiplier": shape[-1]}
            if kind == "Separable":
                named["filters"] = _shape(call, "pointwise_filter", told.get("pointwise_filter"))[-1]
            made = keras.read(Call(f"layers.{kind}Conv{rank}D", (), named, call.notes))
            return replace(made, in_channels=shape[-2]) if isinstance(made, DepthwiseConv) else None
        named["filters"] = shape[-2 if found[3] else -1]
        made = keras.read(Call(f"layers.Conv{rank}D{'Transpose' * bool(found[3])}", (), named, call.notes))
        return made if isinstance(made, Operation) else None
    if pool and call.home != "nn":
        told = dict(zip(("input", "ksize", "strides", "padding", "data_format", "name"), call.given, strict=False))
        told |= call.named
        size = told.get("ksize", 2)
        rank = int(pool[2] or (len(size) - 2 if isinstance(size, tuple | list) and len(size) > 2 else 2))
        named = {
            "pool_size": _spatial(size, rank),
            "strides": _spatial(told.get("strides", size), rank),
            "padding": told.get("padding", "valid"),
        }
        kind = {"max": "MaxPooling", "avg": "AveragePooling"}[pool[1]]
        made = keras.read(Call(f"layers.{kind}{rank}D", (), named, call.notes))
        return made if isinstance(made, Operation) else None
    return None


def _with_rank(call: Call) -> Call:
    """A convolution of TensorFlow or keras.ops whose name does not say its number of axes, as the one that does."""
    word = "depthwise_kernel" if call.last == "separable_conv" else "kernel" if call.home in _OPS else "filters"
    more = ["pointwise_kernel"] if call.last == "separable_conv" else []
    more += ["rate"] if call.last == "atrous_conv2d" else ["strides"]
    last = ["output_padding"] if call.last == "conv_transpose" else []
    names = ("input", word, *more, "padding", *last, "data_format", "dilations")
    spelled = {"inputs": "input", "value": "input", "filter": word, "dilation_rate": "dilations"}
    told = {spelled.get(name, name): v for name, v in call.named.items()}
    told = dict(zip(names, call.given, strict=False)) | told
    if told.get("output_padding") is not None:
        raise ConvanimError(f"output_padding of {call.name} is not read", "write keras.layers.Conv2DTranspose")
    rank = len(_shape(call, word, told.get(word))) - 2
    ours = {word: "filters", "rate": "dilations", "pointwise_kernel": "pointwise_filter"}
    named = {ours.get(name, name): v for name, v in told.items() if name != "output_padding"}
    kind = call.last.partition("_conv")[0] + "_" if call.last in ("depthwise_conv", "separable_conv") else ""
    end = "_transpose" if call.last == "conv_transpose" else ""
    return Call(f"tf.nn.{kind}conv{rank}d{end}", (), named, call.notes)


def _first_tensorflow(call: Call) -> Operation | Pad | None:
    """The operation of a function such as tf.layers.conv2d or slim.conv2d, which has the arguments of a Keras layer."""
    found = re.fullmatch(
        r"(separable_conv|conv|max_pool|average_pool|avg_pool)(?:ing)?([123])d(_transpose)?", call.last
    )
    if not found:
        return None
    conv = "conv" in found[1]
    slim, size = "slim" in call.home, "kernel_size" if conv else "pool_size"
    middle = ["depth_multiplier"] if slim and found[1] == "separable_conv" else []
    names = ("inputs", *(["filters"] if conv else []), size, *middle, "strides", "padding")
    spelled = {"num_outputs": "filters", "kernel_size": size, "stride": "strides", "rate": "dilation_rate"}
    told = dict(zip(names, call.given, strict=False)) | {spelled.get(word, word): v for word, v in call.named.items()}
    kept = {
        word: v for word, v in told.items() if word in (*names[1:], "dilation_rate", "depth_multiplier", "activation")
    }
    if slim:
        kept = {"padding": "SAME" if conv else "VALID"} | kept
        kept = kept if conv else {"strides": 2} | kept
        call.notes.append(f"the activation and the normalisation that {call.name} may have are not drawn")
    kinds = {"conv": "Conv", "max_pool": "MaxPooling", "separable_conv": "SeparableConv"}
    kind = kinds.get(found[1], "AveragePooling")
    if kind == "SeparableConv" and kept.get("filters", 0) is None:  # as slim spells a depthwise layer
        kind = "DepthwiseConv"
        del kept["filters"]
    return keras.read(Call(f"layers.{kind}{found[2]}D{'Transpose' * bool(found[3])}", (), kept, call.notes))


def _lax(call: Call) -> Operation | None:
    if call.last not in ("conv_general_dilated", "conv"):
        return None
    names: Sequence[str] = (
        "lhs",
        "rhs",
        "window_strides",
        "padding",
        "lhs_dilation",
        "rhs_dilation",
        "dimension_numbers",
    )
    told = dict(zip((*names, "feature_group_count"), call.given, strict=False)) | call.named
    if told.get("lhs_dilation") not in (None, (1,), (1, 1), (1, 1, 1)):
        raise ConvanimError(
            f"lhs_dilation of {call.name} inserts zeros into the input",
            "write jax.lax.conv_transpose, or ConvTranspose",
        )
    shape = _shape(call, "rhs", told.get("rhs"))
    numbers = told.get("dimension_numbers")
    first = not (isinstance(numbers, tuple | list) and len(numbers) > 1 and str(numbers[1]).endswith("IO"))
    kernel, counts = (shape[2:], shape[:2]) if first else (shape[:-2], (shape[-1], shape[-2]))
    named = {
        "kernel_size": kernel,
        "features": counts[0],
        "strides": told.get("window_strides") or 1,
        "padding": told.get("padding", "VALID"),
        "kernel_dilation": told.get("rhs_dilation"),
        "feature_group_count": told.get("feature_group_count", 1),
    }
    if first:
        call.notes.append(f"the channels of {call.name} come first, and those of convanim's jax convention last")
    return flax.read(Call("nn.Conv", (), named, call.notes))


def _lax_transposed(call: Call) -> Operation | None:
    names = ("lhs", "rhs", "strides", "padding", "rhs_dilation", "dimension_numbers", "transpose_kernel")
    told = dict(zip(names, call.given, strict=False)) | call.named
    shape, numbers = _shape(call, "rhs", told.get("rhs")), told.get("dimension_numbers")
    first = isinstance(numbers, tuple | list) and len(numbers) > 1 and str(numbers[1]).startswith(("IO", "OI"))
    kernel, counts = (shape[2:], shape[:2]) if first else (shape[:-2], shape[-2:])
    if first and str(numbers[1]).startswith("O"):  # type: ignore[index]
        counts = counts[::-1]
    turned = told.get("transpose_kernel") is True
    named = {
        "kernel_size": kernel,
        "features": counts[0] if turned else counts[1],
        "strides": told.get("strides") or 1,
        "padding": told.get("padding", "VALID"),
        "kernel_dilation": told.get("rhs_dilation"),
        "transpose_kernel": turned,
    }
    if first:
        call.notes.append(f"the channels of {call.name} come first, and those of convanim's jax convention last")
    return flax.read(Call("nn.ConvTranspose", (), named, call.notes))


def _haiku(call: Call) -> Operation | None:
    if found := re.fullmatch(r"DepthwiseConv([123])D", call.last):
        return _haiku_depthwise(call, int(found[1]))
    found = re.fullmatch(r"Conv([123])D(Transpose)?", call.last)
    if found:
        rank = int(found[1])
        names = ("output_channels", "kernel_shape", "stride", *(["output_shape"] if found[2] else ["rate"]), "padding")
        told = dict(zip(names, call.given, strict=False)) | call.named
        named = {
            "features": told.get("output_channels", 1),
            "kernel_size": each(_listed(told.get("kernel_shape")), rank),
            "strides": each(_listed(told.get("stride", 1)), rank),
            "padding": told.get("padding", "SAME"),
        }
        if not found[2]:
            named |= {
                "kernel_dilation": _listed(told.get("rate", 1)),
                "feature_group_count": told.get("feature_group_count", 1),
            }
        return flax.read(Call(f"nn.{'ConvTranspose' if found[2] else 'Conv'}", (), named, call.notes))
    pool = re.fullmatch(r"(Max|Avg)Pool|(max|avg)_pool", call.last)
    if pool:
        names = ("window_shape", "strides", "padding") if pool[1] else ("value", "window_shape", "strides", "padding")
        told = dict(zip(names, call.given, strict=False)) | call.named
        size = _listed(told.get("window_shape"))
        rank = len(size) - 2 if isinstance(size, tuple) and len(size) > 2 else 2
        named = {
            "window_shape": each(_spatial(size, rank), rank),
            "strides": each(_spatial(_listed(told.get("strides", 1)), rank), rank),
            "padding": told.get("padding", "VALID"),
        }
        return flax.read(Call(f"nn.{(pool[1] or pool[2]).lower()}_pool", (), named, call.notes))
    return None


def _haiku_depthwise(call: Call, rank: int) -> Operation:
    names = ("channel_multiplier", "kernel_shape", "stride", "padding")
    got = bound(call, names, ("with_bias", "w_init", "b_init", "data_format", "name"), "kernel_shape")
    padding = got.get("padding", "SAME")
    return DepthwiseConv(
        each(got["kernel_shape"], rank),
        got.get("stride", 1),
        padding.lower() if isinstance(padding, str) else padding,
        depth_multiplier=got.get("channel_multiplier", 1),
        convention="jax",
    )


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

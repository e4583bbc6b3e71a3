"""Reads ONNX nodes: a single node, or a list with constants and padding before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import short
from convanim.layers.calls import ONNX, Call, Pad, bound
from convanim.layers.convolutions import Conv, ConvTranspose, Weighted
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, MaxUnpool
from convanim.layers.resize import PixelShuffle, PixelUnshuffle, Upsample

KINDS: dict[str, type[Operation]] = {
    **{"Conv": Conv, "ConvTranspose": ConvTranspose, "MaxPool": MaxPool},
    **{"AveragePool": AvgPool, "LpPool": LpPool, "MaxUnpool": MaxUnpool},
}
_SPELLED = {
    "kernel_shape": "kernel_size",
    "strides": "stride",
    "dilations": "dilation",
    "group": "groups",
    "p": "norm_type",
}
_NOTHING = ("inputs", "outputs", "name", "doc_string", "domain", "storage_order", "onnx_name")
_AUTO = {"VALID": "valid", "SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}


def read(node: Call, constants: dict[str, Any]) -> Operation | Pad | None:
    """The operation of a node; None for a constant, which is added to `constants`, and for other calls than make_node.

    Raises:
        ConvanimError: an unsupported operator or attribute.
    """
    if node.last != "make_node" or node.home not in ONNX:
        return None
    kind = node.given[0] if node.given else node.named.get("op_type")
    rest = Call(f"{kind}", node.given[1:], {word: v for word, v in node.named.items() if word != "op_type"})
    inputs = rest.given[0] if rest.given else rest.named.get("inputs", ())
    if kind == "Constant":
        got = bound(rest, ("inputs", "outputs", "value_ints", "value_floats", "value_float"), _NOTHING)
        outputs = rest.given[1] if len(rest.given) > 1 else rest.named.get("outputs", ("",))
        constants[outputs[0]] = next(iter(got.values()), ())
        return None
    if kind == "Pad":
        return _pad(rest, constants.get(inputs[1], ()))
    if kind == "Resize":
        return _resize(
            rest,
            {
                word: constants[name]
                for word, name in zip(("", "", "scales", "sizes"), inputs, strict=False)
                if name in constants
            },
        )
    if kind in ("DepthToSpace", "SpaceToDepth"):
        got = bound(rest, ("inputs", "outputs", "blocksize", "mode"), _NOTHING, "blocksize")
        made: Any = PixelShuffle if kind == "DepthToSpace" else PixelUnshuffle
        shuffle: Operation = made(got["blocksize"], order=got.get("mode"), convention="onnx")
        return shuffle
    if kind not in KINDS:
        raise ConvanimError(f"the operator {short(kind)} is not supported", "use one of " + ", ".join(KINDS))
    if "kernel_shape" not in rest.named and issubclass(KINDS[kind], Weighted):
        shape = constants.get(inputs[1]) if len(inputs) > 1 else None
        if not isinstance(shape, tuple):
            weight = inputs[1] if len(inputs) > 1 else "w"
            raise ConvanimError(
                f"{kind} has no kernel_shape, and the shape of {weight} is not known",
                f"write kernel_shape=[3, 3], or say which shape it has with `set` '{weight}=64x3x3x3'",
            )
        rest.named["kernel_shape"] = list(shape[2:])
    if rest.named.pop("output_shape", None) is not None:
        rest.notes.append("the output_shape of ConvTranspose follows from the input here")
    layer = _layer(KINDS[kind], rest)
    node.notes.extend(rest.notes)
    return layer


def _layer(kind: type[Operation], node: Call) -> Operation:
    names = ("inputs", "outputs", *_SPELLED, "pads", "auto_pad", "output_padding", "ceil_mode", "count_include_pad")
    got = bound(node, names, _NOTHING, "kernel_shape")
    told = {_SPELLED.get(word, word): value for word, value in got.items()}
    for word in ("ceil_mode", "count_include_pad"):
        if word in told:
            told[word] = bool(told[word])
    auto, pads = told.pop("auto_pad", "NOTSET"), told.pop("pads", None)
    if auto != "NOTSET":
        if auto not in _AUTO:
            raise ConvanimError(f"auto_pad={auto!r} of {node.name} is not known", "use one of " + ", ".join(_AUTO))
        told["padding"] = _AUTO[auto]
    elif pads is not None:
        rank = len(told["kernel_size"])
        if len(pads) != 2 * rank:
            raise ConvanimError(f"pads {pads} of {node.name} are not {2 * rank} numbers", "give two numbers per axis")
        told["padding"] = tuple(zip(pads[:rank], pads[rank:], strict=True))
    try:
        return kind(**told, convention="onnx")
    except TypeError:
        raise ConvanimError(f"{node.name} has an attribute of another operator", "leave it out") from None


def _pad(node: Call, flat: Sequence[int]) -> Pad:
    got = bound(node, ("inputs", "outputs", "mode"), _NOTHING)
    modes = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    mode, half = modes.get(got.get("mode", "constant")), len(flat) // 2
    if mode is None or half < 3:
        raise ConvanimError(
            "the Pad node is not supported", "give its pads as a Constant that includes the batch and the channels"
        )
    return Pad(tuple(zip(flat[2:half], flat[half + 2 :], strict=True)), mode)


def _resize(node: Call, told: dict[str, Any]) -> Operation:
    names = ("inputs", "outputs", "axes", "mode", "coordinate_transformation_mode", "nearest_mode")
    got = bound(node, names, _NOTHING, antialias=(0,), exclude_outside=(0,), extrapolation_value=(0, 0.0))
    scale = {"scale_factor": told["scales"]} if "scales" in told else {"size": told.get("sizes", ())}
    if "axes" not in got:
        scale = {word: value[2:] for word, value in scale.items()}
    if not next(iter(scale.values())):
        raise ConvanimError("the Resize node does not state its scales", "give them as a Constant in the list of nodes")
    place = got.get("coordinate_transformation_mode", "half_pixel")
    rounding = got.get("nearest_mode", "round_prefer_floor")
    if got.get("mode", "nearest") == "linear":
        return Upsample(**scale, mode="bilinear", coordinates=place, convention="onnx")
    known = {
        ("half_pixel", "round_prefer_floor"): "onnx",
        ("asymmetric", "round_prefer_floor"): "onnx",
        ("half_pixel", "round_prefer_ceil"): "torch",
        ("asymmetric", "floor"): "torch",
    }
    if got.get("mode", "nearest") != "nearest" or (place, rounding) not in known:
        raise ConvanimError(
            f"Resize with {got.get('mode')}, {place} and {rounding} is not supported", "use half_pixel coordinates"
        )
    return Upsample(**scale, coordinates=place, convention=known[place, rounding])

"""The operation of an ONNX node, whatever the version of its operator; what differs between versions is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers import Operation
from convanim.layers.calls import Call
from convanim.layers.reading import onnx as reading
from convanim.layers.reading import read_call

#: Attributes with a number for each axis, or with two.
_LENGTHS = {**dict.fromkeys(("kernel_shape", "strides", "dilations", "output_padding"), 1), "pads": 2}


def operation(call: Call, constants: dict[str, Any], shape: Sequence[int], opset: int) -> Operation:
    """The operation of a node.

    Args:
        call: the node, as a call of make_node.
        constants: the values of its inputs that are constants, and the shape of its kernel.
        shape: of its first input, (N, C, *sizes).
        opset: the version of the operators.

    Raises:
        ConvanimError: an operator, an attribute or a version that is not supported.
    """
    kind, inputs, outputs = call.given
    told = dict(call.named)
    for word, each in _LENGTHS.items():
        if word in told and len(told[word]) != each * (len(shape) - 2):
            raise ConvanimError(f"{word} has {len(told[word])} numbers for {len(shape) - 2} axes")
    if kind == "ConvTranspose":
        told = _placed(told, constants[inputs[1]], shape[2:], opset)
    if kind in ("Upsample", "Resize"):
        inputs, told = _resized(kind, inputs, told, constants, shape, opset)
        kind = "Resize"
    made = Call("make_node", (kind, inputs, outputs), told)
    found = read_call(made) or reading.read(made, constants)
    if not isinstance(found, Operation):
        raise ConvanimError(f"{kind} is not supported")
    return plain(found)


def plain(op: Operation) -> Operation:
    """The same operation with one number for all axes where they agree, which is shorter to read."""
    short: dict[str, Any] = {}
    for name in ("stride", "dilation", "padding", "output_padding"):
        value = getattr(op, name, None)
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
            short[name] = value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value
    kept = {name: value for name, value in short.items() if not isinstance(value, tuple)}
    return replace(op, **kept) if kept else op


def _placed(told: dict[str, Any], weight: Sequence[int], sizes: Sequence[int], opset: int) -> dict[str, Any]:
    """The attributes of a transposed convolution with its crop in numbers.

    `output_shape` leads to the crop by the rule of the operator's text.
    """
    word = told.get("auto_pad", "NOTSET")
    rank = len(sizes)
    strides = told.get("strides") or [1] * rank
    wanted = told.pop("output_shape", None)
    if wanted is None:
        if opset < 11 and word.startswith("SAME") and set(strides) != {1}:
            raise ConvanimError(
                f"auto_pad {word} of ConvTranspose has two meanings before opset 11", "convert the model to opset 11"
            )
        return told
    if not rank <= len(wanted) <= rank + 2:
        raise ConvanimError(f"output_shape has {len(wanted)} numbers for {rank} axes")
    wanted = wanted[-rank:]
    kernel = told.get("kernel_shape") or list(weight[2:])
    dilations, extra = told.get("dilations") or [1] * rank, told.get("output_padding") or [0] * rank
    totals = [
        s * (n - 1) + more + (k - 1) * d + 1 - out
        for s, n, more, k, d, out in zip(strides, sizes, extra, kernel, dilations, wanted, strict=True)
    ]
    if min(totals) < 0:
        raise ConvanimError(f"output_shape {wanted} is larger than the stamps reach", "use output_padding")
    if opset < 11 and any(total % 2 for total in totals):
        raise ConvanimError(
            "output_shape with an odd padding has another meaning before opset 11", "convert the model to opset 11"
        )
    small = [total // 2 for total in totals]
    large = [total - half for total, half in zip(totals, small, strict=True)]
    before, after = (small, large) if word == "SAME_UPPER" else (large, small)
    return {**told, "auto_pad": "NOTSET", "pads": [*before, *after]}


def _resized(
    kind: str, inputs: list[str], told: dict[str, Any], constants: dict[str, Any], shape: Sequence[int], opset: int
) -> tuple[list[str], dict[str, Any]]:
    """The inputs and attributes of a resizing as since opset 11, over all axes, whatever its version."""
    told = {word: value for word, value in told.items() if word != "cubic_coeff_a" or told.get("mode") == "cubic"}
    if told.pop("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise ConvanimError("keep_aspect_ratio_policy is supported as stretch only")
    told["mode"] = {"bilinear": "linear"}.get(mode := told.get("mode", "nearest"), mode)  # bilinear is of Upsample-1
    if told["mode"] not in ("nearest", "linear"):
        raise ConvanimError(f"the mode {mode} is not supported", "use nearest or linear")
    old = kind == "Upsample" or opset < 11
    if old:
        inputs, told = _old(inputs, told, constants)
    axes = [a % len(shape) for a in told.pop("axes", range(len(shape)))]
    whole: dict[int, tuple[Any, ...]] = {}
    for place, usual in ((2, (1.0,) * len(shape)), (3, tuple(shape))):
        given = constants.get(inputs[place]) if len(inputs) > place else None
        if not given:
            continue
        if len(given) != len(axes):
            raise ConvanimError(f"it has {len(given)} sizes or scales for {len(axes)} axes")
        along = dict(zip(axes, given, strict=True))
        whole[place] = tuple(along.get(i, n) for i, n in enumerate(usual))
        if whole[place][:2] != usual[:2]:
            raise ConvanimError("it resizes the batch or the channels")
        constants[inputs[place]] = whole[place]
    sizes = [float(n) for n in whole.get(3, ())[2:]] or [s * n for s, n in zip(whole.get(2, ()), shape, strict=False)][
        2:
    ]
    if old and told["mode"] == "nearest" and any(out < n for out, n in zip(sizes, shape[2:], strict=False)):
        raise ConvanimError("opset 10 does not say how nearest rounds in smaller maps", "convert the model to opset 11")
    place = told.get("coordinate_transformation_mode", "half_pixel")
    if place in ("pytorch_half_pixel", "half_pixel_symmetric"):
        if any(int(size) != size or size < 2 for size in sizes):
            raise ConvanimError(f"{place} is not supported for an output of one cell or of a rounded size")
        told["coordinate_transformation_mode"] = "half_pixel"
    return inputs, told


def _old(inputs: list[str], told: dict[str, Any], constants: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The inputs and attributes of Upsample, and of Resize in opset 10, as since opset 11."""
    told = {**told, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    if "height_scale" in told:
        told["scales"] = [1.0, 1.0, told.pop("height_scale"), told.pop("width_scale")]
    if "scales" in told:  # an attribute before opset 9
        constants["scales "] = tuple(told.pop("scales"))
        inputs = [inputs[0], "scales "]
    return [inputs[0], "", *inputs[1:]], told

"""ONNX's code for opset 22: a node from "x" (channels first) and "w" to "y", or a list of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    Pool,
    Shuffle,
    Upsample,
)
from convanim.layers.axis import resampled
from convanim.layers.code import (
    Code,
    NoLine,
    Place,
    Writers,
    Written,
    averages_padding,
    call,
    factors,
    flipped,
    is_exact,
    is_whole,
    scaled_beyond,
    several,
    signed,
)

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
_AUTO = {"same": "SAME_UPPER", "same_upper": "SAME_UPPER", "same_lower": "SAME_LOWER"}


def _node(kind: str, reads: Sequence[str] = ("x",), writes: str = "y", /, **attributes: Any) -> Code:
    return call("onnx.helper.make_node", kind, list(reads), [writes], **attributes)


def _nodes(*parts: str) -> Code:
    return several("[", parts, "]")


def _pads(pads: Sequence[tuple[int, int]]) -> list[int] | None:
    """All paddings before, then all after; None (which is left out) for no padding."""
    flat = [side for sides in zip(*pads, strict=True) for side in sides]
    return flat if any(flat) else None


def _usual(values: Sequence[int], usual: int = 1) -> list[int] | None:
    """The values, or None (which is left out) if all are the default."""
    return None if set(values) == {usual} else list(values)


def _window(place: Place) -> dict[str, Any]:
    return {"kernel_shape": list(place.every("kernel")), "strides": _usual(place.every("stride"))}


def _padding(op: Any, place: Place, pads: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Padding as a word if the layer has one, otherwise as numbers."""
    # With a stride beyond the window, or dilation, runtimes disagree about these words.
    plain = all(a.kernel >= a.stride and a.dilation == 1 for a in place.axes)
    if op.convention == "onnx" and op.padding in _AUTO and plain:
        return {"auto_pad": _AUTO[op.padding]}
    return {"pads": _pads(pads)}


def _padded(pads: Sequence[tuple[int, int]], mode: str, inputs: str, output: str) -> list[Code]:
    """The nodes that pad, or crop if a number is negative; batch and channels come first."""
    flat = _pads([(0, 0), (0, 0), *pads]) or []
    sizes = _node("Constant", [], "around", value_ints=flat)
    return [sizes, _node("Pad", [inputs, "around"], output, mode=mode)]


def _conv(op: Conv, place: Place) -> Written:
    rest: dict[str, Any] = {
        "dilations": _usual(place.every("dilation")),
        "group": None if op.groups == 1 else op.groups,
    }
    if op.padding_mode == "zeros" or not any(map(any, place.pads)):
        node = _node("Conv", ["x", "w"], **_window(place), **_padding(op, place, place.pads), **rest)
        return node, "; ".join(flipped(op))
    if op.padding_mode == "symmetric":
        raise NoLine("none: ONNX's Pad has no symmetric mode; reflect, without the cell at the edge, comes closest")
    pad = _padded(place.pads, _MODES[op.padding_mode], "x", "padded")
    return _nodes(*pad, _node("Conv", ["padded", "w"], **_window(place), **rest)), "; ".join(flipped(op))


def _transposed(op: ConvTranspose, place: Place) -> Written:
    notes = flipped(op)
    # Output cells beyond the stamps are output padding; the rest of the full result is cropped.
    # Output padding must be less than the stride: the specification allows the dilation, too, but no runtime does.
    most = [a.stride - 1 for a in place.axes]
    over = [a.output + a.before - a.full for a in place.axes]
    extras = [a.output_padding if op.convention == "onnx" else max(o, 0) for a, o in zip(place.axes, over, strict=True)]
    own = all(a.before >= 0 and e <= m and e >= o for a, e, m, o in zip(place.axes, extras, most, over, strict=True))
    if not own:
        extras = [min(max(o, 0), m) for o, m in zip(over, most, strict=True)]
    rest: dict[str, Any] = {
        "dilations": _usual(place.every("dilation")),
        "output_padding": _usual(extras, 0),
        "group": None if op.groups == 1 else op.groups,
    }
    if own:
        crops = [(a.before, e - o) for a, e, o in zip(place.axes, extras, over, strict=True)]
        return _node("ConvTranspose", ["x", "w"], **_window(place), **_padding(op, place, crops), **rest), "; ".join(
            notes
        )
    left = [(-a.before, o - e) for a, o, e in zip(place.axes, over, extras, strict=True)]
    if any(side > 0 for pair in left for side in pair):
        notes.append("the zeros that are added have no bias")
    if not any(map(any, left)):
        return _node("ConvTranspose", ["x", "w"], **_window(place), **rest), "; ".join(notes)
    layer = _node("ConvTranspose", ["x", "w"], "full", **_window(place), **rest)
    return _nodes(layer, *_padded(left, "constant", "full", "y")), "; ".join(notes)


def _pool(op: Pool, place: Place) -> Written:
    given: dict[str, Any] = {**_window(place), "dilations": _usual(place.every("dilation"))}
    wide = any(max(*p, *c) >= a.kernel for a, p, c in zip(place.axes, place.pads, place.covered, strict=True))
    ceil: dict[str, Any] = {"ceil_mode": 1} if op.ceil_mode and not isinstance(op.padding, str) else {}
    if op.combine == "norm":
        if scaled_beyond(op, place):
            return (
                "",
                "none: PyTorch scales up the sums of windows that stick out; LpPool with ceil_mode=1 comes closest",
            )
        if signed(op) and op.convention != "onnx":
            raise NoLine(f"none: LpPool takes powers of sizes, without signs; LpPool of p={op.power} comes closest")
        if op.power != int(op.power):
            raise NoLine(f"none: LpPool takes whole numbers, not p={op.power}; the nearest comes closest")
        if wide:
            raise NoLine(
                "none that runs: runtimes refuse padding of the kernel size or more; Pad before it comes closest"
            )
        if op.convention == "onnx":
            return _node("LpPool", **given, p=int(op.power), **_padding(op, place, place.pads), **ceil), ""
        return _node("LpPool", **given, p=int(op.power), pads=_pads(place.covered)), ""
    if wide:
        raise NoLine("none that runs: runtimes refuse padding of the kernel size or more; Pad before it comes closest")
    name = "MaxPool" if op.combine == "max" else "AveragePool"
    counted: dict[str, Any] = {"count_include_pad": 1} if averages_padding(op, place) else {}
    if op.convention == "onnx" or averages_padding(op, place):
        return _node(name, **given, **_padding(op, place, place.pads), **ceil, **counted), ""
    # Cells beyond the padding are like padding: they do not win, and are not included.
    return _node(name, **given, pads=_pads(place.covered)), ""


def _upsample(op: Upsample, place: Place) -> Written:
    if op.mode == "nails":
        sizes = list(factors(place))
        return (
            "",
            f"none: ONNX has no bed of nails; ConvTranspose with a kernel of one 1 and strides={sizes} comes closest",
        )
    axes = list(range(2, 2 + place.rank))
    ratios = [a.ratio[0] / a.ratio[1] for a in resampled(place.axes)]
    by_size = op.place == "align_corners" or (not is_whole(place) and is_exact(place))
    if by_size:
        sizes_node = _node("Constant", [], "sizes", value_ints=list(place.every("output")))
    else:
        sizes_node = _node("Constant", [], "scales", value_floats=[float(r) for r in ratios])
    nearest = op.mode == "nearest"
    rounding = {a.rounding for a in resampled(place.axes)}
    near = {"floor": "floor", "up": "round_prefer_ceil"}.get(rounding.pop()) if nearest else None
    resize = _node(
        "Resize",
        ["x", "", "", "sizes"] if by_size else ["x", "", "scales"],
        axes=axes,
        mode="nearest" if nearest else "linear",
        coordinate_transformation_mode=op.place,
        nearest_mode=near,
    )
    return _nodes(sizes_node, resize), ""


def _shuffle(op: Shuffle, place: Place) -> Written:
    if op.transposed:
        return _node("DepthToSpace", blocksize=op.factor, mode="DCR" if op.depth_first else "CRD"), ""
    if op.depth_first:
        return _node("SpaceToDepth", blocksize=op.factor), ""
    raise NoLine(
        "none: SpaceToDepth has the order DCR only; Reshape and Transpose of the channels after it come closest"
    )


def _unpool(op: MaxUnpool, place: Place) -> Written:
    node = _node("MaxUnpool", ["x", "indices"], **_window(place), pads=_pads(place.pads))
    return node, "indices count all channels through"


#: The function that writes the line of each kind of operation.
WRITERS: Writers = (
    (Conv, _conv),
    (ConvTranspose, _transposed),
    *((kind, _pool) for kind in (MaxPool, AvgPool, LpPool)),
    (MaxUnpool, _unpool),
    (Upsample, _upsample),
    (Shuffle, _shuffle),
)

"""Keras's code: layers of keras.layers, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    DepthwiseConv,
    LpPool,
    MaxPool,
    MaxUnpool,
    Pool,
    SeparableConv,
    Shuffle,
    Upsample,
)
from convanim.layers.arguments import at
from convanim.layers.code import (
    Code,
    NoLine,
    Place,
    Writers,
    Written,
    averages_padding,
    call,
    copies,
    factors,
    flipped,
    is_exact,
    is_whole,
    meets_padding,
    one_or_each,
    several,
)
from convanim.layers.conventions import crop, ring

_BOTH = "Keras takes no stride together with dilation"
_HERE = "'same' pads this way at this input size; at another it may not"


def _around(pads: Sequence[tuple[int, int]]) -> Any:
    """Padding in the form of Keras's layers."""
    return tuple(pads) if len(pads) > 1 else pads[0]


def _padded(pads: Sequence[tuple[int, int]], layer: Code, mode: str = "zeros", fill: Code | None = None) -> Code:
    """A layer after a padding layer, or alone if there is nothing to pad."""
    if not any(map(any, pads)):
        return layer
    if mode == "zeros" and fill is None:
        pad = call(f"keras.layers.ZeroPadding{len(pads)}D", _around(pads))
    else:
        widths = ((0, 0), *pads, (0, 0))
        inner = call("keras.ops.pad", Code("x"), widths, mode=mode if fill is None else None, constant_values=fill)
        pad = call("keras.layers.Lambda", Code(f"lambda x: {inner}"))
    return several("keras.Sequential([", [pad, layer], "])")


def _usual(value: Any, usual: Any) -> Any:
    return None if value == usual else value


def _conv(op: Conv, place: Place) -> Written:
    stride, dilation = place.each("stride"), place.each("dilation")
    if max(place.every("stride")) > 1 and max(place.every("dilation")) > 1:
        raise NoLine(f"none: {_BOTH}; every {stride}-th cell of the output with strides=1 comes closest")
    if op.padding_mode in ("replicate", "circular") and any(map(any, place.pads)):
        mode = "edge" if op.padding_mode == "replicate" else "wrap"
        raise NoLine(f'none: Keras pads with zeros; keras.ops.pad with mode="{mode}", on JAX or PyTorch, comes closest')

    def means(word: str) -> bool:
        return op.padding_mode == "zeros" and place.pads == [
            ring(word, "keras", a.input, a.stride, a.reach) for a in place.axes
        ]

    causal = "causal" if place.rank == 1 else None
    word = next((w for w in ("same", causal) if w and any(map(any, place.pads)) and means(w)), None)
    if op.convention == "keras" and op.padding != "causal":
        word = _usual(op.padding if isinstance(op.padding, str) else None, "valid")
    kind, counts, more = "Conv", [place.outputs], {"groups": _usual(op.groups, 1)}
    if isinstance(op, DepthwiseConv):
        kind, counts = ("SeparableConv", [place.outputs]) if isinstance(op, SeparableConv) else ("DepthwiseConv", [])
        more = {"depth_multiplier": _usual(op.depth_multiplier, 1)}
    layer = call(
        f"keras.layers.{kind}{place.rank}D",
        *counts,
        place.each("kernel"),
        strides=_usual(stride, 1),
        padding=word,
        dilation_rate=_usual(dilation, 1),
        **more,
    )
    if word is not None:
        at_this_size = word == "same" and op.convention != "keras" and any(a.stride > 1 for a in place.axes)
        return layer, "; ".join([*[_HERE] * at_this_size, *flipped(op)])
    return _padded(place.pads, layer, op.padding_mode), "; ".join(flipped(op))


def _transposed(op: ConvTranspose, place: Place) -> Written:
    if op.groups > 1:
        raise NoLine(f"none: Conv{place.rank}DTranspose has no groups; one layer for each group comes closest")
    if max(place.every("stride")) > 1 and max(place.every("dilation")) > 1:
        raise NoLine(f"none: {_BOTH}; keras.ops.conv_transpose has no way either")
    notes = flipped(op)
    named = f"keras.layers.Conv{place.rank}DTranspose"
    given = {"strides": _usual(place.each("stride"), 1), "dilation_rate": _usual(place.each("dilation"), 1)}
    kept = [(a.before, a.output) for a in place.axes]
    if op.convention == "keras":
        word = _usual(op.padding if isinstance(op.padding, str) else None, "valid")
        told = {"padding": word, "output_padding": op.output_padding}
        # The output has one cell less than TensorFlow's own rule allows, but the other backends support it.
        short = word == "same" and op.output_padding is not None
        short = short and any(a.reach % 2 == 0 and at(op.output_padding, i) == 0 for i, a in enumerate(place.axes))
        layer = call(named, place.outputs, place.each("kernel"), **given, **told)
        return (
            layer,
            "TensorFlow refuses output padding 0 with an even kernel; the other backends do it" if short else "",
        )
    for word in ("valid", "same"):
        cuts = [crop(word, None, "keras", a.input, a.stride, a.reach) for a in place.axes]
        if kept == [(c.before, c.output) for c in cuts]:
            return call(named, place.outputs, place.each("kernel"), **given, padding=_usual(word, "valid")), "; ".join(
                notes
            )
    # Extra cells are cropped, and missing cells are zeros.
    sizes = [crop("valid", None, "keras", a.input, a.stride, a.reach).output for a in place.axes]
    before = [a.before for a in place.axes]
    after = [n - a.before - a.output for n, a in zip(sizes, place.axes, strict=True)]
    cropped = [(max(b, 0), max(a, 0)) for b, a in zip(before, after, strict=True)]
    added = [(max(-b, 0), max(-a, 0)) for b, a in zip(before, after, strict=True)]
    parts = [call(named, place.outputs, place.each("kernel"), **given)]
    # Zeros first: a crop must leave something.
    if any(map(any, added)):
        parts.append(call(f"keras.layers.ZeroPadding{place.rank}D", _around(added)))
        notes.append("the zeros that are added have no bias")
    if any(map(any, cropped)):
        parts.append(call(f"keras.layers.Cropping{place.rank}D", _around(cropped)))
    return several("keras.Sequential([", parts, "])"), "; ".join(notes)


def _pool(op: Pool, place: Place) -> Written:
    average = op.combine == "mean"
    named = f"keras.layers.{'Average' if average else 'Max'}Pooling{place.rank}D"
    if any(a.dilation > 1 for a in place.axes):
        closest = "a DepthwiseConv with weights 1 / k" if average else "keras.ops.max over shifted slices"
        raise NoLine(f"none: Keras's pooling has no dilation; {closest} comes closest")
    size = place.each("kernel")
    given: dict[str, Any] = {"strides": _usual(place.each("stride"), size)}
    if not meets_padding(place):
        fits = all((a.input - a.kernel) // a.stride + 1 == a.output for a in place.axes)
        if fits and not (op.convention == "keras" and op.padding == "same"):
            return call(named, size, **given), ""
    same = [
        (ring("same", "keras", a.input, a.stride, a.kernel)[0], -(-a.input // a.stride)) == (a.before, a.output)
        for a in place.axes
    ]
    # Its padding is never included, and never wins.
    if all(same) and not averages_padding(op, place):
        at_this_size = op.convention != "keras" and any(a.stride > 1 for a in place.axes)
        return call(named, size, **given, padding="same"), _HERE if at_this_size else ""
    if op.combine == "max":
        return _padded(place.covered, call(named, size, **given), fill=Code('float("-inf")')), ""
    if averages_padding(op, place) and not any(a.beyond for a in place.axes):
        return _padded(place.covered, call(named, size, **given)), ""
    beyond = averages_padding(op, place) and any(a.beyond for a in place.axes)
    why = "Keras has no ceil_mode" if beyond else "padding that Keras does not count is 'same' only, which differs here"
    raise NoLine(f"none: {why}; {named}({size}) on the padded input comes closest")


def _upsample(op: Upsample, place: Place) -> Written:
    whole = is_whole(place)
    if op.mode == "nails":
        kept = one_or_each(factors(place))
        layer = f"Conv{place.rank}DTranspose({place.inputs}, 1, strides={kept})"
        raise NoLine(f"none: Keras has no bed of nails; {layer} with the identity as its weights comes closest")
    if op.mode == "nearest" and whole and copies(place, "asymmetric", "floor"):
        return call(f"keras.layers.UpSampling{place.rank}D", one_or_each(factors(place))), ""
    if op.place != "half_pixel" or (op.mode == "nearest" and not copies(place, "half_pixel", "up")):
        how = "a bilinear layer" if op.mode == "bilinear" else "a nearest layer by fractions"
        raise NoLine(f"none: {how} has half_pixel coordinates in Keras, rounded up; Resizing comes closest")
    if place.rank != 2:
        axes = "axis" if place.rank == 1 else "axes"
        raise NoLine(f"none: Keras resizes pictures, not {place.rank} {axes}; UpSampling{place.rank}D comes closest")
    if whole:
        return call("keras.layers.UpSampling2D", one_or_each(factors(place)), interpolation="bilinear"), ""
    if not is_exact(place):
        raise NoLine(
            "none: Resizing takes sizes, and a factor that was rounded down is not their ratio; it comes closest"
        )
    return call("keras.layers.Resizing", *place.every("output"), interpolation=op.mode), ""


def _shuffle(op: Shuffle, place: Place) -> Written:
    r, up = op.factor, op.transposed
    if op.depth_first and r > 1:
        return call(f"keras.ops.{'depth_to_space' if up else 'space_to_depth'}", Code("x"), r), ""
    height, width = place.every("output" if not up else "input")
    channels = min(place.inputs, place.outputs)
    parts = (-1, height, width, channels, r, r) if up else (-1, height, r, width, r, channels)
    # If r is 1, nothing moves in any order; Keras's own function refuses that.
    turn = (0, 1, 4, 2, 5, 3) if up else (0, 1, 3, 5, 2, 4)
    shape = (-1, *place.every("output"), place.outputs)
    inner = call("keras.ops.transpose", call("keras.ops.reshape", Code("x"), parts), turn)
    code = call("keras.ops.reshape", inner, shape)
    return code, f"keras.ops.{'depth_to_space' if up else 'space_to_depth'} has the order DCR only"


def _norm(op: LpPool, place: Place) -> Written:
    average = f"AveragePooling{place.rank}D of x ** {op.norm_type}"
    raise NoLine(f"none: Keras has no Lp pooling; the root of {average} comes closest")


def _unpool(op: MaxUnpool, place: Place) -> Written:
    raise NoLine(f"none: Keras has no max unpooling; UpSampling{place.rank}D comes closest, which copies")


#: The function that writes the line of each kind of operation.
WRITERS: Writers = (
    (Conv, _conv),
    (ConvTranspose, _transposed),
    (LpPool, _norm),
    (MaxPool, _pool),
    (AvgPool, _pool),
    (MaxUnpool, _unpool),
    (Upsample, _upsample),
    (Shuffle, _shuffle),
)

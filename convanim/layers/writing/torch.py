"""PyTorch's code: layers of torch.nn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.layers import (
    AvgPool,
    Axis,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    Pool,
    Resampled,
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
    copies,
    factors,
    flipped,
    is_exact,
    is_whole,
    last_end,
    one_or_each,
    scaled_beyond,
    several,
    signed,
)
from convanim.layers.conventions import ring

_PADS = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def _pad(pads: Sequence[tuple[int, int]], mode: str = "zeros", fill: Code | None = None) -> Code:
    """A layer that pads, or crops if a number is negative; PyTorch begins with the last axis."""
    around = tuple(side for pair in reversed(pads) for side in pair)
    if fill is not None:
        return call(f"torch.nn.ConstantPad{len(pads)}d", around, fill)
    return call(f"torch.nn.{_PADS[mode]}{len(pads)}d", around)


def _after(pads: Sequence[tuple[int, int]], layer: Code, **how: Any) -> Code:
    """A layer after a padding layer, or alone if there is nothing to pad."""
    return several("torch.nn.Sequential(", [_pad(pads, **how), layer] if any(map(any, pads)) else [layer], ")")


def _usual(value: Any, usual: Any) -> Any:
    """The value, or None (which is left out) if it is the default."""
    return None if value == usual else value


def _conv(op: Conv, place: Place) -> Written:
    pads: Any = place.pads
    if op.padding_mode == "symmetric" and any(map(any, pads)):
        raise NoLine("none: PyTorch has no symmetric padding; reflect, without the cell at the edge, comes closest")
    even = all(before == after for before, after in pads)
    # PyTorch's own 'same' requires stride 1, and puts the larger half at the end.
    same = all(a.stride == 1 and pair == ring("same", "torch", a.input, 1, a.reach) for a, pair in _each(place))
    word = "same" if same and (op.padding == "same" or not even) and any(map(any, pads)) else None
    inside = word or (_usual(one_or_each([before for before, _ in pads]), 0) if even else None)
    layer = call(
        f"torch.nn.Conv{place.rank}d",
        place.inputs,
        place.outputs,
        kernel_size=place.each("kernel"),
        stride=_usual(place.each("stride"), 1),
        padding=inside,
        dilation=_usual(place.each("dilation"), 1),
        groups=_usual(op.groups, 1),
        padding_mode=_usual(op.padding_mode, "zeros") if inside else None,
    )
    return (layer if even or word else _after(pads, layer, mode=op.padding_mode)), "; ".join(flipped(op))


def _each(place: Place) -> list[tuple[Axis, tuple[int, int]]]:
    return list(zip(place.axes, place.pads, strict=True))


def _transposed(op: ConvTranspose, place: Place) -> Written:
    # With equal crops on both sides, the difference at the end is output padding.
    extras = [a.output - (a.full - 2 * a.before) for a in place.axes]
    most = [max(a.stride, a.dilation) - 1 for a in place.axes]
    own = all(a.before >= 0 and 0 <= e <= m for a, e, m in zip(place.axes, extras, most, strict=True))
    crops = [a.before if own else 0 for a in place.axes]
    if not own:
        extras = [min(max(a.output + a.before - a.full, 0), m) for a, m in zip(place.axes, most, strict=True)]
    layer = call(
        f"torch.nn.ConvTranspose{place.rank}d",
        place.inputs,
        place.outputs,
        kernel_size=place.each("kernel"),
        stride=_usual(place.each("stride"), 1),
        padding=_usual(one_or_each(crops), 0),
        output_padding=_usual(one_or_each(extras), 0),
        dilation=_usual(place.each("dilation"), 1),
        groups=_usual(op.groups, 1),
    )
    notes = flipped(op)
    if own:
        return layer, "; ".join(notes)
    left = [(-a.before, a.output + a.before - a.full - e) for a, e in zip(place.axes, extras, strict=True)]
    if any(side > 0 for pair in left for side in pair):
        notes.append("the zeros that are added have no bias")
    return several("torch.nn.Sequential(", [layer, _pad(left)], ")"), "; ".join(notes)


def _pool(op: Pool, place: Place) -> Written:
    if op.combine != "max":
        _undilated("AvgPool", place)
    for ceil in (op.ceil_mode, not op.ceil_mode):
        if (code := _pooled(op, place, ceil)) is not None:
            return code, ""
    if op.combine == "max":
        return _after(place.covered, _window(op, place), fill=Code('float("-inf")')), ""
    if averages_padding(op, place):
        for ceil in (False, True):
            cells = [a.input + sum(pair) for a, pair in zip(place.axes, place.own, strict=True)]
            inner = [c >= a.reach and _size(a, c, 0, ceil) == a.output for a, c in zip(place.axes, cells, strict=True)]
            fits = ceil or not any(a.beyond for a in place.axes)
            if all(inner) and fits:
                return _after(place.own, _window(op, place, ceil_mode=ceil or None)), ""
    raise NoLine(
        "none: AvgPool pads both sides alike; AvgPool of the padded input, "
        "divided by AvgPool of padded ones, comes closest"
    )


def _undilated(named: str, place: Place) -> None:
    if any(a.dilation > 1 for a in place.axes):
        raise NoLine(
            f"none: {named} has no dilation; a convolution of each channel with weights 1 and dilation gives the sums"
        )


def _size(axis: Axis, cells: int, pad: int, ceil: bool) -> int:
    """The output size that PyTorch gives for a padding on both sides."""
    rest = cells + 2 * pad - axis.reach
    size = rest // axis.stride + 1
    return size + (ceil and rest % axis.stride > 0 and size * axis.stride < cells + pad)


def _pooled(op: Pool, place: Place, ceil: bool) -> Code | None:
    """The layer with its own padding, the one before the input on both sides, if that gives the same result."""
    for a in place.axes:
        small = a.input + 2 * a.before < a.reach
        if small or a.before > a.kernel // 2 or _size(a, a.input, a.before, ceil) != a.output:
            return None
        # Padding that is included must be the same on both sides, or out of reach of the windows.
        counts = averages_padding(op, place) and a.before != a.after
        if counts and last_end(a) > a.input + min(a.before, a.after):
            return None
    pads = _usual(one_or_each([a.before for a in place.axes]), 0)
    counted = op.combine == "mean" and not op.counts_padding and (pads is not None or None)
    return _window(op, place, padding=pads, ceil_mode=ceil or None, count_include_pad=False if counted else None)


def _window(op: Pool, place: Place, **more: Any) -> Code:
    """A pooling layer, whose stride is the kernel size by default."""
    size, stride = place.each("kernel"), place.each("stride")
    padding, dilation = more.pop("padding", None), _usual(place.each("dilation"), 1)
    named = "MaxPool" if op.combine == "max" else "AvgPool"
    told = {"stride": _usual(stride, size), "padding": padding, "dilation": dilation, **more}
    return call(f"torch.nn.{named}{place.rank}d", kernel_size=size, **told)


def _norm(op: LpPool, place: Place) -> Written:
    if signed(op) and op.convention == "onnx":
        raise NoLine(
            f"none: LPPool takes powers of the values with their signs; LPPool{place.rank}d of x.abs() comes closest"
        )
    _undilated("LPPool", place)
    layer = {"kernel_size": place.each("kernel"), "stride": _usual(place.each("stride"), place.each("kernel"))}
    named = f"torch.nn.LPPool{place.rank}d"
    if not scaled_beyond(op, place):
        return _after(place.covered, call(named, op.norm_type, **layer)), ""
    # A window beyond the input is scaled up: it must extend beyond it here, too.
    if all(_size(a, a.padded, 0, True) == a.output for a in place.axes):
        return _after(place.pads, call(named, op.norm_type, **layer, ceil_mode=True)), ""
    raise NoLine("none: LPPool has no padding of its own, and with it around the input ceil_mode gives one window more")


def _unpool(op: MaxUnpool, place: Place) -> Written:
    layer = {"kernel_size": place.each("kernel"), "stride": _usual(place.each("stride"), place.each("kernel"))}
    # The indices say where the values go: only the sum of the padding matters, for the size.
    total = [a.before + a.after for a in place.axes]
    half = _usual(one_or_each([t // 2 for t in total]), 0)
    if not any(t % 2 for t in total):
        return call(f"torch.nn.MaxUnpool{place.rank}d", **layer, padding=half), "called with (x, indices)"
    if any(t % 2 and a.stride == 1 for t, a in zip(total, place.axes, strict=True)):
        raise NoLine("none: MaxUnpool pads both sides alike; crop the output of one with less padding")
    sizes = place.every("output")
    functional = f"torch.nn.functional.max_unpool{place.rank}d"
    return call(functional, Code("x"), Code("indices"), **layer, padding=half, output_size=sizes), ""


def _upsample(op: Upsample, place: Place) -> Written:
    if op.mode == "nails":
        ones = call("torch.ones", place.inputs, 1, *(1,) * place.rank, dtype=Code("x.dtype"))
        stride = factors(place)
        extra = {"stride": stride, "output_padding": tuple(f - 1 for f in stride), "groups": _usual(place.inputs, 1)}
        return call(f"torch.nn.functional.conv_transpose{place.rank}d", Code("x"), ones, **extra), ""
    if op.mode == "bilinear" and op.place == "asymmetric":
        raise NoLine("none: Upsample has no asymmetric coordinates; half_pixel, its default, comes closest")
    nearest = "nearest" if copies(place, "asymmetric", "floor") else "nearest-exact"
    if op.mode == "nearest" and nearest == "nearest-exact" and not copies(place, "half_pixel", "up"):
        raise NoLine(
            "none: Upsample copies another cell where a place lies between two; mode nearest-exact comes closest"
        )
    whole = is_whole(place)
    linear = ("linear", "bilinear", "trilinear")[place.rank - 1]
    # PyTorch computes with the factor even if the size was rounded down; JAX and Keras compute with the sizes.
    if op.scale_factor is not None and (op.convention in ("torch", "onnx") or not is_exact(place)):
        how: dict[str, Any] = {"scale_factor": op.scale_factor}
    else:
        how = {"scale_factor": one_or_each(factors(place))} if whole else {"size": place.every("output")}
    mode = _usual(nearest if op.mode == "nearest" else linear, "nearest")
    if "scale_factor" in how and any(_forgets(op, a, place, mode) for a in resampled(place.axes)):
        raise NoLine("none: here PyTorch forgets the factor and copies whole cells; the same layer comes closest")
    return call("torch.nn.Upsample", **how, mode=mode, align_corners=(op.place == "align_corners") or None), ""


def _forgets(op: Upsample, axis: Resampled, place: Place, mode: str | None) -> bool:
    """Whether PyTorch (UpSample.h) ignores the factor here, and copies other cells than the factor says.

    It copies an axis whose size is unchanged, and in small pictures doubles one of twice the size, whatever the factor.
    """
    if op.place == "align_corners":
        return False
    (up, down), n, o = axis.ratio, axis.input, axis.output
    if op.mode == "bilinear":
        return o == n > 1 and up != down
    quick = mode is None and place.rank == 2 and o in (n, 2 * n) and sum(place.every("output")) <= 128
    return quick and any(min(t * down // up, n - 1) != t * n // o for t in range(o))


def _shuffle(op: Shuffle, place: Place) -> Written:
    r, up = op.factor, op.transposed
    name = "shuffle" if up else "unshuffle"
    if not op.depth_first:
        return call(f"torch.nn.Pixel{name.capitalize()}", r), ""
    parts = ("(1, ({0}, -1))" if up else "(1, (-1, {0}))").format(r * r)
    turn = f".unflatten{parts}.transpose(1, 2).flatten(1, 2)"
    functional = f"torch.nn.functional.pixel_{name}"
    code = f"{functional}(x{turn}, {r})" if up else f"{functional}(x, {r}){turn}"
    return code, f"Pixel{name.capitalize()} has the order CRD only: the channels are put into it"


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

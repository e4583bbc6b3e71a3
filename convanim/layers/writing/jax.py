"""JAX's code: expressions of `x` (channels last) and `w`, in jax.lax, jax.image and flax.linen."""

from __future__ import annotations

from typing import Any

from convanim.layers import AvgPool, Conv, ConvTranspose, LpPool, MaxPool, MaxUnpool, Pool, Shuffle, Upsample
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
    is_exact,
    meets_padding,
    scaled_beyond,
    signed,
    window,
)

_LAYOUTS = (("NWC", "WIO", "NWC"), ("NHWC", "HWIO", "NHWC"), ("NDHWC", "DHWIO", "NDHWC"))
_MODES = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}
X, W = Code("x"), Code("w")


def _usual(values: tuple[int, ...]) -> tuple[int, ...] | None:
    """The values, or None (which is left out) if all are 1."""
    return None if set(values) == {1} else values


def _word(op: Conv | ConvTranspose | Pool, pads: Any) -> Any:
    """Padding as a word if the layer has one, otherwise as pairs."""
    own = op.convention == "jax" and op.padding in ("same", "same_lower", "valid")
    return str(op.padding).upper() if own else tuple(pads)


def _conv(op: Conv, place: Place) -> Written:
    x, pads = X, _word(op, place.pads)
    if op.padding_mode != "zeros":
        x = call("jax.numpy.pad", X, ((0, 0), *place.pads, (0, 0)), mode=_MODES[op.padding_mode])
        pads = "VALID"
    code = call(
        "jax.lax.conv_general_dilated",
        x,
        _turned(place) if op.flip else W,
        place.every("stride"),
        pads,
        rhs_dilation=_usual(place.every("dilation")),
        dimension_numbers=_LAYOUTS[place.rank - 1],
        feature_group_count=None if op.groups == 1 else op.groups,
    )
    return code, ""


def _turned(place: Place) -> Code:
    """The weight, rotated by 180 degrees."""
    return Code("w[" + ", ".join(["::-1"] * place.rank) + "]")


def _transposed(op: ConvTranspose, place: Place) -> Written:
    own = op.transpose_kernel and op.groups == 1
    still = own or not op.rules.rotates or all(k == 1 for k in place.every("kernel"))
    w = W if still else _turned(place)
    pads = _word(op, [a.ring for a in place.axes])
    told: dict[str, Any] = {
        "rhs_dilation": _usual(place.every("dilation")),
        "dimension_numbers": _LAYOUTS[place.rank - 1],
        "transpose_kernel": own or None,
    }
    if op.groups == 1:
        note = "" if still else "JAX does not rotate the kernel unless transpose_kernel=True, which also swaps channels"
        return call("jax.lax.conv_transpose", X, w, place.every("stride"), pads, **told), note
    rings = tuple(a.ring for a in place.axes)
    told = {"lhs_dilation": _usual(place.every("stride")), **told, "feature_group_count": op.groups}
    code = call("jax.lax.conv_general_dilated", X, w, (1,) * place.rank, rings, **told)
    return code, f"conv_transpose has no groups: this inserts the zeros itself; w is (..., C_in / {op.groups}, C_out)"


def _reduced(what: Code, start: str, how: str, place: Place, pads: Any = None) -> Code:
    def whole(sizes: tuple[int, ...]) -> tuple[int, ...]:
        return (1, *sizes, 1)

    around = ((0, 0), *(place.covered if pads is None else pads), (0, 0))
    dilation = _usual(place.every("dilation"))
    return call(
        "jax.lax.reduce_window",
        what,
        Code(start),
        Code(f"jax.lax.{how}"),
        whole(place.every("kernel")),
        whole(place.every("stride")),
        around,
        window_dilation=None if dilation is None else whole(dilation),
    )


def _inside(code: Code) -> str:
    return code.replace("\n", "\n    ")


def _pool(op: Pool, place: Place) -> Written:
    beyond = any(a.beyond for a in place.axes)
    padded = averages_padding(op, place)
    plain = all(a.dilation == 1 for a in place.axes)
    pads = _word(op, place.covered) if meets_padding(place) or op.convention == "jax" else None
    if pads == "VALID":
        pads = None
    given = {"strides": _usual(place.every("stride")), "padding": pads}
    if op.combine == "max":
        if plain:
            return call("flax.linen.max_pool", X, place.every("kernel"), **given), ""
        return _reduced(X, "-jax.numpy.inf", "max", place), ""
    if plain and not (padded and beyond):
        counted = None if padded or not meets_padding(place) else False
        return call("flax.linen.avg_pool", X, place.every("kernel"), **given, count_include_pad=counted), ""
    sums = _reduced(X, "0.0", "add", place)
    if not meets_padding(place) or (padded and not beyond):
        return f"{sums} / {window(place)}", ""
    # Each sum is divided by the number of cells that count: those of the input, or of the padded input.
    ones, pads = Code("jax.numpy.ones_like(x)"), None
    if padded:
        ones = call("jax.numpy.pad", ones, ((0, 0), *place.own, (0, 0)), constant_values=1)
        pads = [(0, whole[1] - own[1]) for whole, own in zip(place.covered, place.own, strict=True)]
    return f"(\n    {_inside(sums)}\n    / {_inside(_reduced(ones, '0.0', 'add', place, pads))}\n)", ""


def _norm(op: LpPool, place: Place) -> Written:
    if scaled_beyond(op, place):
        return (
            "",
            "none: JAX has no Lp pooling, and PyTorch scales up what sticks out; jax.lax.reduce_window comes closest",
        )
    sizes = "jax.numpy.abs(x)" if signed(op) and op.convention == "onnx" else "x"
    sums = _reduced(Code(f"{sizes} ** {op.norm_type}"), "0.0", "add", place)
    return f"{sums} ** (1 / {op.norm_type})", "JAX has no Lp pooling: this is its sum"


def _upsample(op: Upsample, place: Place) -> Written:
    if op.mode == "nails":
        inside = tuple((0, f - 1, f - 1) for f in factors(place))
        return call("jax.lax.pad", X, Code("0.0"), ((0, 0, 0), *inside, (0, 0, 0))), ""
    if not copies(place, "half_pixel", "up") if op.mode == "nearest" else op.place != "half_pixel":
        told = "none: jax.image.resize has half_pixel coordinates, rounded up"
        raise NoLine(f"{told}; it comes closest, or jax.image.scale_and_translate")
    if not is_exact(place):
        raise NoLine("none: jax.image.resize takes sizes, and a factor that was rounded down is not their ratio")
    shape = (Code("len(x)"), *place.every("output"), Code("x.shape[-1]"))
    smaller = any(a.output < a.input for a in place.axes)
    way = {"nearest": "nearest", "bilinear": "linear"}[op.mode]
    still = False if smaller and op.mode == "bilinear" else None
    return call("jax.image.resize", X, shape, way, antialias=still), ""


def _shuffle(op: Shuffle, place: Place) -> Written:
    r, up, deep = op.factor, op.transposed, op.depth_first
    height, width = place.every("input" if up else "output")
    if up:
        inside, turn = ((r, r, -1), (0, 1, 3, 2, 4, 5)) if deep else ((-1, r, r), (0, 1, 4, 2, 5, 3))
        parts: Any = (Code("len(x)"), height, width, *inside)
    else:
        parts = (Code("len(x)"), height, r, width, r, Code("x.shape[-1]"))
        turn = (0, 1, 3, 2, 4, 5) if deep else (0, 1, 3, 5, 2, 4)
    shape = (Code("len(x)"), *place.every("output"), -1)
    code = call("x.reshape", *parts) + call(".transpose", *turn) + call(".reshape", *shape)
    return code, f"JAX has no pixel {'' if up else 'un'}shuffle: this moves the axes"


def _unpool(op: MaxUnpool, place: Place) -> Written:
    raise NoLine(
        "none: JAX has no max unpooling; jax.numpy.zeros(n).at[indices].set(values), on flat planes, comes closest"
    )


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

"""Requests for layers without weights: pooling, unpooling, upsampling, pixel shuffle."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly
from convanim.layers import KINDS, Fold, MaxPool, MaxUnpool, Operation, PixelShuffle, PixelUnshuffle, Unfold, Upsample
from convanim.typed import read_array, read_number
from convanim.typed.request.asked import Request, common, each, of_axes, padding_of, spatial, unbatched

_POOLS: dict[Any, type[Any]] = {
    kind.record.options.get("mode", "max"): kind for kind in KINDS.values() if kind.record.command == "pool"
}


def fixed(op: Operation, x: Any, colours: bool) -> Request:
    """A request for a layer without weights."""
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    x = _planar(op, x)
    rank = op.rank if op.rank is not None else min(x.ndim, 2) if x.ndim < 4 else 3
    return Request(op, (x,), spatial(op, x, rank))


def pool(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A max, average, Lp or adaptive pooling."""
    mode = typed.get("mode") or "max"
    needs, other = ("output_size", "kernel") if "output_size" in _POOLS[mode].required() else ("kernel", "output_size")
    if typed.get(needs) is None:
        example = (
            "`output_size` 3, or 1 for one window over the whole input" if needs == "output_size" else "`kernel` 2"
        )
        raise ConvanimError(f"`mode` {mode} needs `{needs}`", f"use for example {example}")
    if needs == "output_size":
        unused = (other, "stride", "ceil_mode", "count_include_pad", "norm_type")
        given = [name for name in unused if typed.get(name)]
        given += [
            name for name, usual in (("padding", 0), ("dilation", 1)) if str(typed.get(name) or usual) != str(usual)
        ]
    else:
        given = [other] * (typed.get(other) is not None)
    if given:
        raise ConvanimError(f"`{given[0]}` cannot be combined with `mode` {mode}", "leave it out")
    if needs == "output_size":
        return fixed(_POOLS[mode](each(typed, needs), **common(typed)), x, colours)
    arguments = _window(x, colours, typed) | {
        "dilation": each(typed, "dilation", 1),
        "ceil_mode": bool(typed.get("ceil_mode")),
    }
    for option, wanted in (("count_include_pad", "avg"), ("norm_type", "lp")):
        if typed.get(option) is not None:
            if mode != wanted:
                raise ConvanimError(f"`{option}` cannot be combined with `mode` {mode}", f"use `mode` {wanted}")
            arguments[option] = typed[option]
    op = _POOLS[mode](**arguments)
    return fixed(op, x, colours)


def unpool(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A max unpooling of a pooling's input or, with `indices`, of pooled values."""
    window = _window(x, colours, typed)
    op = MaxUnpool(**window)
    size: Any = typed.get("output_size")
    if size is not None and str(size).strip() != "default":
        if not re.search(r"\d", str(size)):
            raise ConvanimError(f"`output_size` {shortly(size)} is not a size", "write sizes, like 5x5, or default")
        size = each(typed, "output_size")
    if typed.get("indices") is None:
        pooling = MaxPool(**window)
        pooled = fixed(pooling, x, colours)
        sizes = tuple(axis.output for axis in pooling.axes(pooled.sizes))
        done = pooled.given[0] if typed.get("fill") == "none" else pooled.trace()
        return Request(op, (done, None, size), sizes, output_size=size)
    fill: Any = "none" if typed.get("fill") == "none" else "range"
    indices = _planar(op, read_array(typed["indices"], what="`indices`", fill=fill))
    made = fixed(op, x, colours)
    return replace(made, given=(*made.given, indices, size), output_size=size)


def upsample(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A fixed upsampling, by default by a factor of 2."""
    arguments = common(typed) | {"mode": typed.get("mode") or "nearest"}
    if typed.get("size") is not None:
        arguments["size"] = each(typed, "size")
    if typed.get("scale_factor") is not None or typed.get("size") is None:
        told = typed.get("scale_factor") or 2
        if isinstance(told, str):
            factors = tuple(read_number(part, what="`scale_factor`") for part in re.split("[xX×]", told))
            told = factors[0] if len(factors) == 1 else factors
        arguments["scale_factor"] = told
    if typed.get("align_corners"):
        arguments["align_corners"] = True
    if typed.get("coordinates") is not None:
        arguments["coordinates"] = typed["coordinates"]
    return fixed(Upsample(**arguments), x, colours)


def columns(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """An Unfold, or with an output size a Fold."""
    arguments = common(typed) | {
        "kernel_size": each(typed, "kernel"),
        "stride": each(typed, "stride", 1),
        "padding": padding_of(typed),
        "dilation": each(typed, "dilation", 1),
    }
    of_axes(2, typed, arguments)
    if "output_size" not in typed:
        return fixed(Unfold(**arguments), x, colours)
    return fixed(Fold(each(typed, "output_size"), **arguments), x, colours)


def shuffle(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A pixel shuffle, or its inverse."""
    arguments = common(typed) | ({"order": typed["order"]} if typed.get("order") else {})
    factor = typed.get("factor", 2)
    return fixed(
        PixelUnshuffle(factor, **arguments) if typed.get("inverse") else PixelShuffle(factor, **arguments), x, colours
    )


def _planar(op: Operation, x: Any) -> Any:
    """The plane in a batch of one with one channel; another batch of one stays, since it may be three axes, too."""
    plane = unbatched(x, 2, last=op.rules.last)
    return plane if plane.ndim == 2 and op.rank in (None, 2) else x


def _window(x: Any, colours: bool, typed: dict[str, Any]) -> dict[str, Any]:
    arguments = common(typed) | {
        "kernel_size": each(typed, "kernel"),
        "stride": each(typed, "stride"),
        "padding": padding_of(typed),
    }
    kernel, padding = arguments["kernel_size"], arguments["padding"]
    if isinstance(kernel, tuple):
        of_axes(len(kernel), typed, arguments)
    elif isinstance(padding, tuple) and len(padding) == 1:  # 1:2 would turn an axis of a plane into channels
        of_axes(2 if colours or x.ndim == 3 else min(x.ndim, 3), typed, arguments)
    return arguments

"""What was typed, as a layer and what it is given.

Knows the text of options and which layer takes which. Must not know a command line's library, or what is done with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convanim.errors import ConvanimError
from convanim.ops import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    Operation,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
    Weighted,
    parse,
    times,
)
from convanim.source import read_array, read_number, read_padding, read_picture, read_sizes
from convanim.source.files import PICTURES

_SHAPE = re.compile(r"\s*\d+(\s*[xX×]\s*\d+)*\s*", re.ASCII)
_POOLS: dict[str, type[Any]] = {"max": MaxPool, "avg": AvgPool, "lp": LpPool}


@dataclass(frozen=True, eq=False)
class Request:
    """A layer with what it is given.

    Attributes:
        op: the layer.
        given: what `op.trace` takes.
        sizes: of the input, without channels.
        colours: whether the input is a picture with colours.
    """

    op: Operation
    given: tuple[Any, ...]
    sizes: tuple[int, ...]
    colours: bool = False

    def trace(self) -> Any:
        """The trace of the layer."""
        return self.op.trace(*self.given)  # type: ignore[attr-defined]


def request(kind: str, **typed: Any) -> Request:
    """A layer from the text of its options.

    Args:
        kind: conv, transposed, pool, unpool, upsample or shuffle.
        typed: the options' values by name; `x` is the input.

    Raises:
        ConvanimError: a value that cannot be read, or that does not go with another.

    Example:
        >>> asked = request("pool", x="4x4", kernel="2", mode="max")
        >>> asked.op, asked.trace().output.tolist()
        (MaxPool(kernel_size=2), [[6, 8], [14, 16]])
    """
    if typed.get("seed", 0) < 0:
        raise ConvanimError(f"--seed {typed['seed']} is negative", "use 0 or more")
    if typed["x"].strip() == (typed.get("kernel") or "").strip() == "-":
        raise ConvanimError("--input and --kernel cannot both be read from standard input", "put one into a file")
    x, colours = _input(**{name: typed.get(name) for name in ("x", "fill", "seed", "resize", "grey")})
    made = _MAKERS[kind](x, colours, typed)
    return replace(made, colours=colours)


def _input(x: Any, fill: Any, seed: Any, resize: str | None, grey: bool | None) -> tuple[Any, bool]:
    """The input, and whether it has colours (and so three channels, first)."""
    picture = x.strip().lower().endswith(PICTURES)
    if picture:
        wanted = None if resize is None else read_sizes(resize, what="--resize")
        planes = read_picture(x.strip(), what="--input", resize=wanted)
        if grey:
            return read_picture(x.strip(), what="--input", resize=wanted, colour=False), False
        coloured = bool((planes != planes[0]).any())
        return (planes, True) if coloured else (planes[0], False)
    if resize is not None:
        raise ConvanimError(f"--resize {resize} is for pictures, and --input {x[:40]!r} is none", "leave it out")
    return read_array(x, what="--input", fill=fill or "range", seed=seed or 0), False


def _weighted(kind: type[Weighted]) -> Callable[[Any, bool, dict[str, Any]], Request]:
    def make(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
        kernel, seed = typed["kernel"], typed.get("seed") or 0
        fill: Any = typed.get("fill") or "range"
        axes = 2 if colours else x.ndim
        if re.fullmatch(r"\s*\d+\s*", kernel, re.ASCII):
            kernel = "x".join([kernel.strip()] * axes)  # one number: the same along every axis of the input
        # The kernel's random numbers are others than the input's, and of both signs.
        weight = read_array(kernel, what="--kernel", fill=fill, seed=seed + 1, low=-2, high=2)
        arguments = _common(typed) | {
            "stride": _each(typed, "stride", 1),
            "padding": read_padding(typed.get("padding") or "0", what="--padding"),
            "dilation": _each(typed, "dilation", 1),
        }
        groups = typed.get("groups")
        if colours and weight.ndim == 2 and groups is None:
            groups = 3  # each colour by itself
        arguments["groups"] = 1 if groups is None else groups
        if typed.get("output_padding") is not None:
            arguments["output_padding"] = _each(typed, "output_padding")
        if typed.get("padding_mode") not in (None, "zeros"):
            arguments["padding_mode"] = typed["padding_mode"]
        spatial = weight.shape
        if weight.ndim == x.ndim + 1:
            last = typed.get("convention") in ("keras", "jax")
            spatial = weight.shape[:-2] if last else weight.shape[2:]
        elif weight.ndim not in (x.ndim, x.ndim - 1) or (colours and weight.ndim == 3):
            raise ConvanimError(
                f"--kernel is {_typed(weight.shape)} but --input is {_typed(x.shape)}",
                "give both the same number of axes; a row of a picture is [[1,0,-1]]",
            )
        arguments["kernel_size"] = spatial[0] if len(set(spatial)) == 1 else tuple(spatial)
        op = kind(**arguments)
        if colours and op.rules.last:
            x = np.moveaxis(x, 0, -1)
        if weight.ndim == x.ndim and typed.get("out_channels") is not None:
            x = np.expand_dims(x, -1 if op.rules.last else 0)  # one channel that several are made of
        if weight.ndim == x.ndim - 1:
            weight = _for_channels(op, x, weight, typed, fill, seed)
        elif typed.get("out_channels") is not None:
            raise ConvanimError("--out-channels is said by the --kernel already", "leave it out")
        bias = None if typed.get("bias") is None else read_number(typed["bias"], what="--bias")
        return Request(op, (x, weight, bias), _spatial(op, x, len(spatial)))

    return make


def _for_channels(op: Weighted, x: Any, kernel: Any, typed: dict[str, Any], fill: Any, seed: int) -> Any:
    """Weights for an input with channels from a kernel that says nothing of them, in the layout of the convention.

    A kernel of given numbers is every channel's; where only its shape is given, each channel has numbers of its own.
    """
    channels = x.shape[-1] if op.rules.last else x.shape[0]
    outputs = op.groups if typed.get("out_channels") is None else typed["out_channels"]
    if outputs < 1:
        raise ConvanimError(f"--out-channels {outputs} is not positive", "use 1 or more")
    if channels % op.groups or outputs % op.groups:
        raise ConvanimError(
            f"--groups {op.groups} does not divide {channels} and {outputs} channels", "use a common divisor"
        )
    first, second = (channels, outputs // op.groups) if op.transposed else (outputs, channels // op.groups)
    shape = (first, second, *kernel.shape)
    if _SHAPE.fullmatch(typed["kernel"]):
        weight = read_array(_typed(shape), what="--kernel", fill=fill, seed=seed + 1, low=-2, high=2)
    else:
        weight = np.broadcast_to(kernel, shape)
    if not op.rules.last:
        return weight
    straight = op.transposed and op.convention == "jax"
    return np.moveaxis(weight, (0, 1), (-2, -1) if straight else (-1, -2))


def _layer(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A layer from its notation; the kernel's values are typed or counted up."""
    op = parse(typed["notation"])
    if isinstance(op, MaxUnpool):
        raise ConvanimError(f"{op} needs the places of the maxima", "use convanim unpool")
    if not isinstance(op, Weighted):
        for name in ("kernel", "bias"):
            if typed.get(name) is not None:
                raise ConvanimError(f"--{name} does not go with {op}, which has no weights", "leave it out")
        return _fixed(op, x, colours)
    rank = op.rank or (2 if colours else min(x.ndim, 3))
    size = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * rank
    kernel = typed.get("kernel") or _typed(size)
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    weight = read_array(kernel, what="--kernel", fill=typed.get("fill") or "range", seed=(typed.get("seed") or 0) + 1)
    if weight.ndim == x.ndim - 1:
        weight = _for_channels(op, x, weight, typed | {"kernel": kernel}, "range", 0)
    bias = None if typed.get("bias") is None else read_number(typed["bias"], what="--bias")
    return Request(op, (x, weight, bias), _spatial(op, x, len(size)))


def compared(first: str, second: str, **typed: Any) -> tuple[Request, Request]:
    """Two layers, each from its notation, over one input; `typed` is that of a layer, without its convention.

    An input with channels is typed with the channels first, whatever the conventions.
    """
    both = []
    for notation in (first, second):
        asked = request("layer", notation=notation, **typed)
        if asked.op.rules.last and len(asked.sizes) < asked.given[0].ndim and not asked.colours:
            x = np.moveaxis(asked.given[0], 0, -1)
            asked = replace(asked, given=(x, *asked.given[1:]))
        both.append(asked)
    return both[0], both[1]


def _pool(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    mode = typed.get("mode") or "max"
    arguments = _window(typed) | {"dilation": _each(typed, "dilation", 1), "ceil_mode": bool(typed.get("ceil_mode"))}
    for option, wanted in (("count_include_pad", "avg"), ("norm_type", "lp")):
        if typed.get(option) is not None:
            if mode != wanted:
                raise ConvanimError(
                    f"--{option.replace('_', '-')} does not go with --mode {mode}", f"use --mode {wanted}"
                )
            arguments[option] = typed[option]
    op = _POOLS[mode](**arguments)
    return _fixed(op, x, colours)


def _unpool(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    op = MaxUnpool(**_window(typed))
    if typed.get("indices") is None:
        pooling = MaxPool(**_window(typed))
        pooled = _fixed(pooling, x, colours)
        done = pooled.trace()
        return Request(op, (done,), done.answer.shape[1:])
    indices = read_array(typed["indices"], what="--indices")
    made = _fixed(op, x, colours)
    return replace(made, given=(*made.given, indices))


def _upsample(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    arguments = _common(typed) | {"mode": typed.get("mode") or "nearest"}
    if typed.get("size") is not None:
        arguments["size"] = _each(typed, "size")
    if typed.get("scale_factor") is not None or typed.get("size") is None:
        told = typed.get("scale_factor") or "2"
        factors = [read_number(part, what="--scale-factor") for part in re.split("[xX×]", told)]
        arguments["scale_factor"] = factors[0] if len(factors) == 1 else tuple(factors)
    if typed.get("align_corners"):
        arguments["align_corners"] = True
    if typed.get("coordinates") is not None:
        arguments["coordinates"] = typed["coordinates"]
    return _fixed(Upsample(**arguments), x, colours)


def _shuffle(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    arguments = _common(typed) | ({"order": typed["order"]} if typed.get("order") else {})
    factor = typed.get("factor", 2)
    return _fixed(
        PixelUnshuffle(factor, **arguments) if typed.get("inverse") else PixelShuffle(factor, **arguments), x, colours
    )


_MAKERS: dict[str, Callable[[Any, bool, dict[str, Any]], Request]] = {
    "conv": _weighted(Conv),
    "transposed": _weighted(ConvTranspose),
    "pool": _pool,
    "unpool": _unpool,
    "upsample": _upsample,
    "shuffle": _shuffle,
    "layer": _layer,
}


def _fixed(op: Operation, x: Any, colours: bool) -> Request:
    """A layer without weights over an input."""
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    rank = op.rank if op.rank is not None else min(x.ndim, 2) if x.ndim < 4 else 3
    return Request(op, (x,), _spatial(op, x, rank))


def _spatial(op: Operation, x: Any, rank: int) -> tuple[int, ...]:
    if x.ndim == rank:
        return tuple(x.shape)
    return tuple(x.shape[:-1][-rank:] if op.rules.last else x.shape[-rank:])


def _window(typed: dict[str, Any]) -> dict[str, Any]:
    return _common(typed) | {
        "kernel_size": _each(typed, "kernel"),
        "stride": _each(typed, "stride"),
        "padding": read_padding(typed.get("padding") or "0", what="--padding"),
    }


def _common(typed: dict[str, Any]) -> dict[str, Any]:
    return {"convention": typed.get("convention") or "torch"}


def _each(typed: dict[str, Any], name: str, default: int | None = None) -> Any:
    """One size for all axes, or one each, or what holds where none was typed."""
    if typed.get(name) is None:
        return default
    sizes = read_sizes(typed[name], what=f"--{name.replace('_', '-')}")
    return sizes[0] if len(sizes) == 1 else sizes


def _typed(shape: Sequence[int]) -> str:
    """A shape as it is typed: 3x3."""
    return times(shape).replace("×", "x")

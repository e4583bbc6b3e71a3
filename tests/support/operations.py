"""Operations of every kind under every convention, with inputs, for hypothesis.

`cases(kind)` draws an operation, the sizes that it meets and its channels, and traces it over small random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
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
)
from convanim.layers.conventions import KNOWN

#: The conventions that have each kind of layer.
OF = {
    Conv: ["torch", "keras", "jax", "onnx"],
    ConvTranspose: ["torch", "keras", "jax", "onnx"],
    MaxPool: ["torch", "keras", "jax", "onnx"],
    AvgPool: ["torch", "keras", "jax", "onnx"],
    LpPool: ["torch", "onnx"],
    AdaptiveMaxPool: ["torch", "torch", "keras", "jax", "onnx"],
    AdaptiveAvgPool: ["torch", "torch", "keras", "jax", "onnx"],
    MaxUnpool: ["torch", "onnx"],
    Upsample: ["torch", "keras", "jax", "onnx"],
    PixelShuffle: ["torch", "keras", "jax", "onnx"],
    PixelUnshuffle: ["torch", "keras", "jax", "onnx"],
}


@dataclass(frozen=True)
class Drawn:
    """An operation, its input and its trace."""

    op: Operation
    sizes: tuple[int, ...]
    channels: tuple[int, int]
    trace: Any
    indices: Any = None

    @property
    def x(self) -> Any:
        """The input (C, *n), float64."""
        return self.trace.x.astype(float)


@st.composite
def operations(draw: st.DrawFn, kind: type[Operation]) -> tuple[Operation, tuple[int, ...]]:
    """An operation of a kind, and sizes that fit it."""
    convention = draw(st.sampled_from(OF[kind]))
    rank = 2 if kind in (PixelShuffle, PixelUnshuffle) else draw(st.sampled_from([1, 2, 2, 2, 3]))
    most = 3 if rank == 3 else 4
    sizes = tuple(draw(st.lists(st.integers(1, most + 3), min_size=rank, max_size=rank)))

    def each(number: Any) -> Any:
        return draw(number | st.tuples(*[number] * rank))

    given = arguments(draw, kind, convention, rank, each, most)
    try:
        op = kind(**given, convention=convention)
        op.axes(sizes)
    except ConvanimError:
        reject()
    return op, sizes


def arguments(draw: Any, kind: type[Operation], convention: str, rank: int, each: Any, most: int) -> dict[str, Any]:
    """Arguments that usually fit each other."""
    if kind in (PixelShuffle, PixelUnshuffle):
        name = "upscale_factor" if kind is PixelShuffle else "downscale_factor"
        return {name: draw(st.integers(1, 3)), "order": draw(st.sampled_from([None, "CRD", "DCR"]))}
    if kind in (AdaptiveAvgPool, AdaptiveMaxPool):
        number = st.just(1) if convention in ("jax", "onnx") else st.integers(1, most + 3)
        kept = st.none() | number if convention == "torch" else number
        return {"output_size": draw(number | st.tuples(*[kept] * rank))}
    if kind is Upsample:
        return upsampling(draw, convention, rank, each)
    weighted = kind in (Conv, ConvTranspose)
    given: dict[str, Any] = {"kernel_size": each(st.integers(1, most))}
    if weighted or draw(st.booleans()):
        given["stride"] = each(st.integers(1, most))
    words = KNOWN[convention].words["conv" if kind is Conv else "transposed" if weighted else "pool"]
    side = st.integers(0, 3) if weighted else st.integers(0, 2)
    if KNOWN[convention].numbers and draw(st.integers(0, 2)):
        given["padding"] = draw(side | st.tuples(*[side | st.tuples(side, side)] * rank))
    else:
        given["padding"] = draw(st.sampled_from((words if kind is not MaxUnpool else ()) or (0,)))
    if kind is not MaxUnpool and draw(st.integers(0, 2)) == 0:
        given["dilation"] = each(st.integers(1, 3 if most == 4 else 2))
    if kind in (MaxPool, AvgPool, LpPool) and convention in ("torch", "onnx"):
        given["ceil_mode"] = draw(st.booleans())
    if kind is Conv:
        given["padding_mode"] = draw(
            st.sampled_from([*["zeros"] * 12, "reflect", "symmetric", "replicate", "circular"])
        )
        given["flip"] = draw(st.sampled_from([None, None, None, True]))
    if kind is AvgPool and convention != "keras":
        given["count_include_pad"] = draw(st.sampled_from([None, True, False]))
    if kind is LpPool:
        given["norm_type"] = draw(st.sampled_from([1, 2, 3, 4]))
    if kind is ConvTranspose and convention != "jax" and draw(st.booleans()):
        given["output_padding"] = each(st.integers(0, 2))
    return given


def upsampling(draw: Any, convention: str, rank: int, each: Any) -> dict[str, Any]:
    mode = draw(st.sampled_from(["nearest", "nearest", "bilinear", "bilinear", "nails"]))
    if mode == "nails" or convention == "keras" or draw(st.booleans()):
        given: dict[str, Any] = {"mode": mode, "scale_factor": each(st.integers(1, 4))}
    elif draw(st.booleans()):
        given = {"mode": mode, "size": each(st.integers(1, 9))}
    else:
        given = {"mode": mode, "scale_factor": each(st.sampled_from([0.5, 1, 1.5, 2, 2.5]))}
    if mode == "nearest":
        given["coordinates"] = draw(st.sampled_from([None, None, "half_pixel", "asymmetric"]))
    elif mode == "bilinear":
        given["coordinates"] = draw(st.sampled_from([None, None, "half_pixel", "asymmetric", "align_corners"]))
        given["align_corners"] = given["coordinates"] is None and draw(st.booleans())
    return given


@st.composite
def cases(draw: st.DrawFn, kind: type[Operation]) -> Drawn:
    """An operation with its input and weights, traced."""
    op, sizes = draw(operations(kind))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    last = op.rules.last

    def numbers(shape: tuple[int, ...]) -> Any:
        return chance.integers(-9, 10, shape).astype(float)

    def given_as(x: Any) -> Any:
        return np.moveaxis(x, 0, -1) if last else x

    try:
        if isinstance(op, Conv | ConvTranspose):
            groups, ins, outs = draw(
                st.sampled_from([(1, 1, 1), (1, 2, 3), (1, 3, 2), (2, 1, 1), (2, 2, 1), (2, 1, 2)])
            )
            op = type(op)(**{**settings_of(op), "groups": groups})
            kernel = tuple(a.kernel for a in op.axes(sizes))
            first, second = (ins * groups, outs) if op.transposed else (outs * groups, ins)
            shape = (first, second, *kernel) if not last else (*kernel, second, first)
            if last and op.transposed and op.convention == "jax":
                shape = (*kernel, first, second)
            x = numbers((ins * groups, *sizes))
            return Drawn(op, sizes, (ins * groups, outs * groups), op.trace(given_as(x), numbers(shape)))
        if isinstance(op, MaxUnpool):
            return unpooled(draw, op, sizes, chance)
        planes = draw(st.integers(1, 2)) * (op.factor**2 if isinstance(op, PixelShuffle) else 1)
        rank_told = op.rank if op.rank is not None else None
        x = numbers((planes, *sizes))
        if isinstance(op, LpPool) and op.norm_type % 2:
            x = abs(x)
        trace = op.trace(given_as(x)) if rank_told or len(sizes) > 1 else with_rank(op, given_as(x))
    except ConvanimError:
        reject()
    return Drawn(op, sizes, (planes, trace.channels), trace)


def with_rank(op: Operation, x: Any) -> Any:
    """The trace of an operation with one axis and channels, for which the number of axes must be given."""
    name = next(iter(op.required()), "") or ("size" if op.size is not None else "scale_factor")
    return type(op)(**{**settings_of(op), name: (getattr(op, name),)}).trace(x)


def settings_of(op: Operation) -> dict[str, Any]:
    return dict(vars(op))


def unpooled(draw: Any, op: MaxUnpool, sizes: tuple[int, ...], chance: Any) -> Drawn:
    planes = draw(st.integers(1, 2))
    output = tuple(a.output for a in op.axes(sizes))
    many, room = int(np.prod(sizes)), int(np.prod(output))
    if many > room:
        reject()
    places = np.array([chance.permutation(room)[:many] for _ in range(planes)]).reshape(planes, *sizes)
    x = chance.integers(1, 10, places.shape).astype(float)
    offsets = np.arange(planes).reshape(-1, *(1,) * len(sizes)) * room
    shown = places + offsets if op.convention == "onnx" else places
    if len(sizes) == 1 and op.rank is None:
        op = MaxUnpool(**{**settings_of(op), "kernel_size": (op.kernel_size,)})
    return Drawn(op, sizes, (planes, planes), op.trace(x, shown), places)

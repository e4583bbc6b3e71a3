"""Layers without weights, for hypothesis: pooling, unpooling, fixed upsampling and pixel shuffle.

Each strategy draws from the whole parameter space of its layer under every convention that has it, with an input in
the convention's layout. `wanted` comes from `definitions`: plain loops that share nothing with convanim.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from convanim.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    LpPool,
    MaxPool,
    MaxUnpool,
    Operation,
    PixelShuffle,
    PixelUnshuffle,
    Pool,
    Upsample,
)

from . import definitions
from .weighted import LAST, Given, numbers

POOLS: dict[str, type[Pool]] = {"max": MaxPool, "mean": AvgPool, "norm": LpPool}
POOL_WORDS = {
    "torch": [],
    "keras": ["valid", "same"],
    "jax": ["valid", "same", "same_lower"],
    "onnx": ["valid", "same", "same_upper", "same_lower"],
}


@dataclass(frozen=True)
class Case:
    """A drawn layer without weights."""

    op: Operation
    x: Any = field(repr=False)  # nested lists, as a user would type them
    array: Any = field(repr=False)  # the same, (C, *n)
    arguments: dict[str, Any]  # as `definitions` takes them
    given: Given  # the output, not the input
    values: str
    more: tuple[Any, ...] = field(default=(), repr=False)  # the other inputs
    places: Any = field(default=None, repr=False)  # of an unpooling, counted in each channel

    def trace(self) -> Any:
        """Trace the layer."""
        return self.op.trace(self.x, *self.more)

    @property
    def convention(self) -> str:
        return self.op.convention


def each(draw: st.DrawFn, rank: int, number: st.SearchStrategy[Any]) -> Any:
    """One number for all axes, or one per axis."""
    return draw(number | st.tuples(*[number] * rank))


def along(value: Any, i: int) -> Any:
    """The value along an axis."""
    return value[i] if isinstance(value, tuple) else value


def picture(
    draw: st.DrawFn, convention: str, sizes: tuple[int, ...], *, values: str, channels: int | None = None
) -> tuple[Any, Given]:
    """An input (C, *n), and how it is given."""
    shown = draw(st.sampled_from([1, 1, 2, 3])) if channels is None else channels
    planar = shown == 1 and draw(st.booleans())
    batch = not planar and draw(st.integers(0, 3)) == 0
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    return np.array(numbers(values, (shown, *sizes), chance)), Given(planar, batch, convention in LAST)


def settled(value: Any, rank: int, given: Given) -> Any:
    """An argument per axis, which determines the number of axes if the input alone does not."""
    plain = (rank < 3 and given.planar) or (rank == 2 and not given.planar and not given.batch)
    return value if isinstance(value, tuple) or plain else (value,) * rank


VALUES = st.sampled_from(["small", "small", "large", "eighths", "floats"])


@st.composite
def pools(draw: st.DrawFn, combine: str, conventions: tuple[str, ...] = ("torch", "keras", "jax", "onnx")) -> Case:
    """Pooling layers: max, mean or norm."""
    if combine == "norm":
        conventions = tuple(c for c in conventions if c in ("torch", "onnx"))
    convention = draw(st.sampled_from(conventions))
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    most = {1: 5, 2: 4, 3: 2}[rank]
    kernel = each(draw, rank, st.integers(1, most))
    arguments: dict[str, Any] = {"kernel": kernel}
    if draw(st.booleans()):
        arguments["stride"] = each(draw, rank, st.integers(1, most + 2))
    dilation = arguments["dilation"] = each(draw, rank, st.integers(1, 3) if draw(st.booleans()) else st.just(1))
    reaches = [along(dilation, i) * (along(kernel, i) - 1) + 1 for i in range(rank)]
    words = POOL_WORDS[convention]
    if convention == "keras" or (words and draw(st.booleans())):
        arguments["padding"] = draw(st.sampled_from(words))
    elif draw(st.booleans()):
        # PyTorch limits the padding to half of the kernel; the others have no limit.
        limits = [along(kernel, i) // 2 if convention == "torch" else reaches[i] + 1 for i in range(rank)]
        counted = draw(st.booleans())
        if combine == "mean" and convention != "torch":
            limits = [1 if along(kernel, i) > 1 else 0 for i in range(rank)] if not counted else limits
        sides = [st.integers(0, limit) | st.tuples(*[st.integers(0, limit)] * 2) for limit in limits]
        arguments["padding"] = draw(st.integers(0, min(limits)) | st.tuples(*sides))
    if convention in ("torch", "onnx"):
        arguments["ceil_mode"] = draw(st.booleans())
    more: dict[str, Any] = {}
    values = draw(VALUES)
    if combine == "mean":
        choices = [None, False] if convention == "keras" else [None, True, False]
        more["count_include_pad"] = draw(st.sampled_from(choices))
    if combine == "norm":
        more["norm_type"] = draw(st.sampled_from([1, 2, 3, 2.5]))
    sizes = tuple(draw(st.integers(1, most + 6 - rank)) + r - 1 for r in reaches)
    x, given = picture(draw, convention, sizes, values=values)
    if combine == "norm" and convention == "torch" and more["norm_type"] in (1, 3, 2.5):
        x = np.abs(x)  # the root of a negative sum is undefined
    spoken = {k: v for k, v in (arguments | more).items() if v is not None and k != "kernel"}
    op = POOLS[combine](settled(kernel, rank, given), **spoken, convention=convention)
    asked = arguments | more | {"convention": convention}
    if asked.get("padding") == "same_upper":  # ONNX's name for it
        asked["padding"] = "same"
    return Case(op, given.outward(x).tolist(), x, asked, given, values)


@st.composite
def adaptive_pools(draw: st.DrawFn, conventions: tuple[str, ...] = ("torch", "keras", "jax", "onnx")) -> Case:
    """Adaptive poolings; JAX and ONNX have the global one only."""
    convention = draw(st.sampled_from(conventions))
    kind = draw(st.sampled_from([AdaptiveAvgPool, AdaptiveMaxPool]))
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    most = {1: 12, 2: 7, 3: 4}[rank]
    sizes = tuple(draw(st.lists(st.integers(1, most), min_size=rank, max_size=rank)))
    number = st.just(1) if convention in ("jax", "onnx") else st.integers(1, most)
    size = draw(number | st.tuples(*[number | st.none() if convention == "torch" else number] * rank))
    values = draw(VALUES)
    x, given = picture(draw, convention, sizes, values=values)
    size = settled(size, rank, given)
    op = kind(size, convention=convention)
    return Case(op, given.outward(x).tolist(), x, {"output_size": size}, given, values)


def pooled(case: Case) -> Any:
    """The output (C, *o) of a pooling, and the indices of maxima."""
    kind = {"max": definitions.max_pool, "mean": definitions.avg_pool, "norm": definitions.lp_pool}
    return kind[case.op.combine](case.array, **case.arguments)


@st.composite
def unpools(draw: st.DrawFn) -> Case:
    """Unpooling layers with arbitrary indices, some of them repeated."""
    convention = draw(st.sampled_from(["torch", "onnx"]))
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    most = {1: 5, 2: 4, 3: 2}[rank]
    kernel = each(draw, rank, st.integers(1, most))
    arguments: dict[str, Any] = {}
    if draw(st.booleans()):
        arguments["stride"] = each(draw, rank, st.integers(1, most + 2))
    usual: Any = arguments.get("stride", kernel if convention == "torch" else 1)
    if draw(st.booleans()):
        arguments["padding"] = each(draw, rank, st.integers(0, 2) | st.tuples(st.integers(0, 1), st.integers(0, 1)))
        if isinstance(arguments["padding"], tuple) and not (
            len(arguments["padding"]) == rank and any(isinstance(p, tuple) for p in arguments["padding"])
        ):
            # A single (before, after) pair is not one number per axis.
            arguments["padding"] = tuple(p if isinstance(p, int) else p[0] for p in arguments["padding"])[:rank]
            arguments["padding"] += (0,) * (rank - len(arguments["padding"]))
    sizes, outputs = [], []
    for i in range(rank):
        k, s, p = along(kernel, i), along(usual, i), along(arguments.get("padding", 0), i)
        lost = sum(p) if isinstance(p, tuple) else 2 * p
        n = draw(st.integers(1, most + 1))
        while (n - 1) * s + k - lost < 1:
            n += 1
        sizes.append(n)
        outputs.append((n - 1) * s + k - lost)
    size: tuple[int, ...] | None = None
    if draw(st.booleans()):
        ranges = [(max(1, o - along(usual, i) + 1), o + along(usual, i) - 1) for i, o in enumerate(outputs)]
        size = tuple(draw(st.integers(*pair)) for pair in ranges)
    values = draw(VALUES)
    x, given = picture(draw, convention, tuple(sizes), values=values)
    outputs = list(size or outputs)
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    cells = int(np.prod(outputs))
    places = np.array([chance.randrange(cells) for _ in range(x.size)]).reshape(x.shape)
    told = places
    if convention == "onnx":  # counts through all channels
        told = places + cells * np.arange(len(x)).reshape(-1, *(1,) * rank)
    more = (given.outward(told).tolist(), size)
    op = MaxUnpool(settled(kernel, rank, given), **arguments, convention=convention)
    return Case(op, given.outward(x).tolist(), x, {"output_sizes": outputs}, given, values, more, places)


@st.composite
def upsamples(draw: st.DrawFn, conventions: tuple[str, ...] = ("torch", "keras", "jax", "onnx")) -> Case:
    """Fixed upsampling by size or by factor, also to smaller sizes, in every mode and with all coordinate systems."""
    convention = draw(st.sampled_from(conventions))
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    mode = draw(st.sampled_from(["nearest", "bilinear", "nails"]))
    arguments: dict[str, Any] = {"mode": mode}
    if mode == "bilinear":
        how = draw(st.sampled_from([{}, {"align_corners": True}, *_coordinates("half_pixel asymmetric align_corners")]))
        arguments |= how
    elif mode == "nearest":
        arguments |= draw(st.sampled_from([{}, *_coordinates("half_pixel asymmetric")]))
    whole = mode == "nails" or convention == "keras"
    sizes = tuple(draw(st.integers(1, {1: 9, 2: 6, 3: 3}[rank])) for _ in range(rank))
    smoothed = convention == "jax" and mode == "bilinear"  # never to smaller sizes, which it would smooth
    if whole:
        arguments["scale_factor"] = each(draw, rank, st.integers(1, 4))
    elif draw(st.booleans()):
        lowest = max(sizes) if smoothed else 1
        arguments["size"] = each(draw, rank, st.integers(lowest, lowest + 11))
    else:
        factors = [1, 1.1, 1.5, 2, 2.5, 3, 3.7, 4] + ([] if smoothed else [0.3, 0.5, 0.7])
        arguments["scale_factor"] = each(draw, rank, st.sampled_from(factors))
        # Large enough for one output cell.
        sizes = tuple(max(n, int(np.ceil(1 / along(arguments["scale_factor"], i)))) for i, n in enumerate(sizes))
    values = draw(st.sampled_from(["small", "large", "eighths", "floats"]))
    x, given = picture(draw, convention, sizes, values=values)
    spoken = dict(arguments)
    for name in {"size", "scale_factor"} & set(spoken):
        spoken[name] = settled(spoken[name], rank, given)
    op = Upsample(**spoken, convention=convention)
    return Case(op, given.outward(x).tolist(), x, arguments | {"convention": convention}, given, values)


def _coordinates(words: str) -> list[dict[str, str]]:
    return [{"coordinates": word} for word in words.split()]


@st.composite
def shuffles(draw: st.DrawFn, up: bool | None = None) -> Case:
    """Pixel shuffle (up) and unshuffle."""
    up = draw(st.booleans()) if up is None else up
    convention = draw(st.sampled_from(["torch", "keras", "jax", "onnx"]))
    order = draw(st.sampled_from([None, "CRD", "DCR"]))
    r = draw(st.integers(1, 3))
    channels = draw(st.integers(1, 3)) * (r**2 if up else 1)
    sizes = tuple(draw(st.integers(1, 4)) * (1 if up else r) for _ in range(2))
    values = draw(VALUES)
    x, given = picture(draw, convention, sizes, values=values, channels=channels)
    outputs = channels // r**2 if up else channels * r**2
    given_out = Given(given.planar and outputs == 1, given.batch, given.last)
    named = {} if order is None else {"order": order}
    op = (PixelShuffle if up else PixelUnshuffle)(r, **named, convention=convention)
    meant = order or ("CRD" if convention == "torch" else "DCR")
    return Case(op, given.outward(x).tolist(), x, {"r": r, "order": meant}, given_out, values)

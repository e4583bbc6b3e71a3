"""Scenes of every kind of layer, for hypothesis, to test properties that all scenes have."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convanim.errors import ConvanimError
from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
)
from convanim.scene import Scene, scene
from convanim.scene.window.unpool import UnpoolScene
from convanim.trace import Trace

KINDS = ("planes", "pool", "unpool", "upsample", "shuffle")


def walked(trace: Trace) -> Scene:
    """The scene in which a layer's own window slides."""
    return scene(trace, "reading" if isinstance(trace.op, Upsample) else None)


def numbers(draw: st.DrawFn, shape: tuple[int, ...], low: int = -9) -> Any:
    """Small integers with many zeros, or quarters."""
    if draw(st.booleans()):
        return draw(arrays(np.int64, shape, elements=st.integers(low, 9) | st.just(0)))
    return draw(arrays(np.float64, shape, elements=st.integers(low * 4, 40).map(lambda n: n / 4)))


@st.composite
def pooled(draw: st.DrawFn, kinds: tuple[Any, ...] = (MaxPool, AvgPool, LpPool)) -> Trace:
    """A pooling of one to three axes and up to three channels."""
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    kind = draw(st.sampled_from(kinds))
    kernel = draw(st.tuples(*[st.integers(1, 3)] * rank))
    options: dict[str, Any] = {
        "stride": draw(st.none() | st.integers(1, 3)),
        "padding": draw(st.just(0) | st.just(tuple(k // 2 for k in kernel))),
        "dilation": draw(st.just(1) | st.integers(1, 2)),
        "ceil_mode": draw(st.booleans()),
        "convention": draw(st.sampled_from(["torch", "torch", "onnx"])),
    }
    if kind is AvgPool:
        options["count_include_pad"] = draw(st.none() | st.booleans())
    if kind is LpPool:
        options["norm_type"] = draw(st.sampled_from([1, 2, 3, 2.5]))
    channels = draw(st.integers(1, 3 if rank < 3 else 1))
    x = numbers(draw, (channels, *draw(st.tuples(*[st.integers(2, 5)] * rank))), low=0 if kind is LpPool else -9)
    try:
        trace: Trace = kind(kernel, **options).trace(x)
    except ConvanimError:
        reject()
    return trace


@st.composite
def planar(draw: st.DrawFn) -> Trace:
    """A convolution or transposed one over channels, groups or three axes."""
    deep = draw(st.booleans())
    rank = 3 if deep else draw(st.sampled_from([1, 2, 2]))
    groups, inputs, outputs = draw(
        st.sampled_from([(1, 1, 1)] if deep else [(1, 2, 1), (1, 3, 2), (2, 1, 1), (2, 2, 1)])
    )
    kernel = draw(st.tuples(*[st.integers(1, 2)] * rank))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, 1))
    x = numbers(draw, (groups * inputs, *draw(st.tuples(*[st.integers(1, 3)] * rank))))
    transposed = draw(st.booleans())
    shape = (groups * inputs, outputs) if transposed else (groups * outputs, inputs)
    weight = numbers(draw, (*shape, *kernel))
    bias = draw(st.none() | st.just([(-1) ** i * 2 * i + 1 for i in range(groups * outputs)]))
    kind: Any = ConvTranspose if transposed else Conv
    options = {} if transposed else {"padding_mode": draw(st.sampled_from(["zeros", "zeros", "replicate"]))}
    try:
        trace: Trace = kind(kernel, stride, padding, groups=groups, **options).trace(x, weight, bias)
    except ConvanimError:
        reject()
    return trace


@st.composite
def upsampled(draw: st.DrawFn) -> Trace:
    """A fixed upsampling of one to three axes."""
    rank = draw(st.sampled_from([1, 2, 2, 3]))
    mode = draw(st.sampled_from(["nearest", "bilinear", "nails"]))
    factor = draw(st.integers(1, 3) if mode == "nails" else st.sampled_from([1, 2, 3, 1.5, 2.5]))
    align = mode == "bilinear" and draw(st.booleans())
    sizes = draw(st.tuples(*[st.integers(1, 3 if rank < 3 else 2)] * rank))
    x = numbers(draw, (draw(st.integers(1, 2)), *sizes))
    try:
        trace: Trace = Upsample(scale_factor=(factor,) * rank, mode=mode, align_corners=align).trace(x)
    except ConvanimError:
        reject()
    return trace


@st.composite
def shuffled(draw: st.DrawFn) -> Trace:
    """A pixel shuffle or unshuffle."""
    r, high, wide = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    flat = 1 if r == 3 else draw(st.integers(1, 2))
    order = draw(st.sampled_from(["CRD", "DCR"]))
    shape = (flat * r * r, high, wide), (flat, high * r, wide * r)
    op: Any = draw(st.sampled_from([PixelShuffle, PixelUnshuffle]))(r, order=order)
    trace: Trace = op.trace(numbers(draw, shape[not op.transposed]))
    return trace


@st.composite
def shown(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> tuple[Trace, Scene]:
    """A trace of any kind that is shown as planes, and its scene."""
    kind = draw(st.sampled_from(kinds))
    makers: dict[str, Any] = {"planes": planar, "pool": pooled, "upsample": upsampled, "shuffle": shuffled}
    if kind != "unpool":
        trace: Trace = draw(makers[kind]())
        try:
            return trace, walked(trace)
        except ConvanimError as refusal:
            if "pictures show up to" not in str(refusal):
                raise
            reject()
    pool = draw(pooled((MaxPool,)))
    try:
        trace = MaxUnpool(pool.op.kernel_size, pool.op.stride, convention=pool.op.convention).trace(pool)  # type: ignore[attr-defined]
    except ConvanimError:
        reject()
    try:
        return trace, UnpoolScene(trace, draw(st.none() | st.just(pool)))  # type: ignore[arg-type]
    except ConvanimError:
        reject()

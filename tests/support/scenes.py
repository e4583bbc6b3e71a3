"""Traces and scenes of every kind of layer, for hypothesis, and the contents of their frames."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

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
from convanim.scene import VIEWS, Scene, Shown, scene
from convanim.scene.frame import Frame, Role
from convanim.scene.window.unpool import UnpoolScene
from convanim.trace import ConvTrace, Trace

from .operations import OF, cases

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
    modes = st.sampled_from(["zeros", "zeros", "replicate"])
    options = {} if transposed else {"padding_mode": draw(modes), "flip": draw(st.booleans())}
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
            if "a picture shows at most" not in str(refusal):
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


@st.composite
def small(draw: st.DrawFn, transposed: bool | None = None, most: int = 4, **options: Any) -> ConvTrace:
    """A trace of a convolution or a transposed one, over mixed integers, with or without a bias."""
    rank = draw(st.sampled_from([2, 2, 1]))
    kernel, stride, dilation = (draw(st.tuples(*[st.integers(1, n)] * rank)) for n in (4, 3, 2))
    padding = draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * rank))
    sizes = draw(st.tuples(*[st.integers(1, most)] * rank))
    numbers = st.integers(-9, 9)
    x, weight = (np.array(draw(st.lists(numbers, min_size=n, max_size=n))) for n in map(prod, (sizes, kernel)))
    kind = ConvTranspose if (draw(st.booleans()) if transposed is None else transposed) else Conv
    if kind is ConvTranspose:
        limits = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
        options["output_padding"] = draw(st.tuples(*(st.integers(0, n) for n in limits)))
    try:
        op: Any = kind(kernel, stride, padding, dilation=dilation, **options)
        trace: ConvTrace = op.trace(x.reshape(sizes), weight.reshape(kernel), draw(st.none() | numbers))
    except ConvanimError:
        reject()
    return trace


#: The padding modes, and numpy's names for them.
PADS: dict[str, Any] = {
    **{"zeros": "constant", "reflect": "reflect", "symmetric": "symmetric"},
    **{"replicate": "edge", "circular": "wrap"},
}
#: Kinds of arrays: small numbers with many zeros, long ones, exact fractions, and floats that must be rounded.
NUMBERS: dict[str, tuple[type, st.SearchStrategy[Any]]] = {
    "small": (np.int64, st.integers(-9, 9) | st.just(0)),
    "long": (np.int64, st.integers(-(10**9), 10**9)),
    "quarters": (np.float64, st.integers(-40, 40).map(lambda n: n / 4)),
    "floats": (np.float64, st.floats(-50, 50, allow_subnormal=False)),
}


@st.composite
def drawn(draw: st.DrawFn, most: int = 5, kernels: int = 3, numbers: tuple[str, ...] = tuple(NUMBERS)) -> Trace:
    """A trace that can be drawn: one channel, one or two axes."""
    rank = draw(st.sampled_from([2, 2, 1]))
    each = st.tuples(*[st.integers(1, 3)] * rank)
    kernel = draw(st.tuples(*[st.integers(1, kernels)] * rank))
    stride, dilation = draw(each), draw(each | st.just((1,) * rank))
    padding = draw(
        st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3)) | st.sampled_from([(0, 0), (1, 1)])] * rank)
    )
    sizes = draw(st.tuples(*[st.integers(1, most)] * rank))
    dtype, values = NUMBERS[draw(st.sampled_from(numbers))]
    x = draw(arrays(dtype, sizes, elements=values))
    weight = draw(arrays(dtype, kernel, elements=values))
    bias = draw(st.none() | values)
    try:
        if draw(st.booleans()):
            extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
            op: Any = ConvTranspose(kernel, stride, padding, dilation=dilation, output_padding=extra)
        else:
            mode = draw(st.just("zeros") | st.sampled_from(list(PADS)))
            op = Conv(kernel, stride, padding, dilation=dilation, padding_mode=mode)
        trace: Trace = op.trace(x, weight, bias)
    except ConvanimError:
        reject()
    return trace


def frames(s: Scene) -> list[Frame]:
    return [s.frame(i) for i in range(s.beats.total)]


def facts(frame: Frame) -> tuple[Any, ...]:
    """The contents of a frame, as values that do not change when an array does."""
    grids = {
        name: (g.title, g.roles.tolist(), g.values.tolist(), g.emphasis.tolist(), dict(g.notes), g.outlines)
        for name, g in frame.grids.items()
    }
    return frame.phase, frame.step, frame.captions, grids


def number(text: str) -> Fraction:
    return Fraction(text.strip("()").replace("−", "-"))


#: The views in which a window or a stamp moves; the others have tests of their own.
WALKED = {"transposed": VIEWS["transposed"][:3], "conv": VIEWS["conv"][:1]}


def result_of(s: Scene, frame: Frame) -> list[NDArray[Any]]:
    """The output values that a frame shows as done, of each view in it."""
    shown = [frame.grids[p.name] for p in s.panels if p.name.split()[-1] in ("output", "canvas")]
    return [g.values[g.roles == Role.DONE] for g in shown]


#: The values of each argument, and a word of the sentence that names it.
WEIGHTED: dict[str, tuple[list[Any], str]] = {
    "kernel_size": ([1, 2, 3], "kernel"),
    "stride": ([1, 2, 3], "stride"),
    "padding": ([0, 1, ((0, 1),) * 2, ((1, 0), (0, 0))], ""),
    "dilation": ([1, 2], "dilation"),
}
POOL = {**WEIGHTED, "padding": ([0, 1], ""), "ceil_mode": ([False, True], "rounds its size up")}
ARGUMENTS: dict[Any, dict[str, tuple[list[Any], str]]] = {
    Conv: {
        **WEIGHTED,
        "padding_mode": (["zeros", "reflect", "symmetric", "replicate", "circular"], "padding mode"),
        "flip": ([False, True], "kernel"),
    },
    ConvTranspose: {**WEIGHTED, "output_padding": ([0, 1, 2], "output padding")},
    MaxPool: POOL,
    AvgPool: {**POOL, "count_include_pad": ([True, False], "average")},
    LpPool: {**POOL, "norm_type": ([1, 2, 4], "norm")},
    Upsample: {
        "scale_factor": ([1, 1.5, 2, 3], "factor"),
        "mode": (["nearest", "bilinear"], "mode"),
        "coordinates": (["half_pixel", "asymmetric"], "coordinates"),
    },
}


def traced(op: Any, x: Any) -> Trace:
    """A trace with a kernel of nines to fives."""
    if not isinstance(op, Conv | ConvTranspose):
        done: Trace = op.trace(x)
        return done
    k: Any = op.kernel_size
    convolved: Trace = op.trace(x, 9 - np.arange(k**2).reshape((k, k)))
    return convolved


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Trace, Trace, str, str]:
    """Two traces over one input whose layers differ in one argument, the argument, and its word."""
    kind = draw(st.sampled_from(list(ARGUMENTS)))
    choices = ARGUMENTS[kind]
    chosen = {name: draw(st.sampled_from(values)) for name, (values, _) in choices.items()}
    changed = draw(st.sampled_from(list(choices)))
    other = draw(st.sampled_from([v for v in choices[changed][0] if v != chosen[changed]]))
    x = draw(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=5, max_size=5))
    try:
        a, b = (traced(kind(**arguments), x) for arguments in (chosen, {**chosen, changed: other}))
    except ConvanimError:
        reject()
    return a, b, changed, choices[changed][1]


@st.composite
def compared_traces(draw: st.DrawFn) -> tuple[Trace, Trace]:
    """Two layers over one input, of the same kind or of two kinds."""
    one = draw(st.one_of(drawn(most=4, numbers=("small", "quarters")), pooled(), upsampled(), planar(), shuffled()))
    x, rank = one.x, len(one.axes)
    if rank > 2:
        reject()
    kernel = draw(st.integers(1, 3))
    options: dict[str, Any] = {"stride": draw(st.integers(1, 3)), "padding": draw(st.integers(0, 1))}
    weight = draw(arrays(np.int64, (kernel,) * rank, elements=st.integers(-3, 3)))
    try:
        kind = draw(st.sampled_from(["same", "conv", "transposed", "max", "mean", "upsample"]))
        if kind == "same":
            return one, one
        if kind in ("conv", "transposed") and len(x) == 1:
            layer: Any = (Conv if kind == "conv" else ConvTranspose)(kernel, **options)
            return one, layer.trace(x[0], weight)
        if kind == "upsample":
            return one, Upsample(scale_factor=(kernel,) * rank).trace(x)
        pool: Any = AvgPool if kind == "mean" else MaxPool
        return one, pool((kernel,) * rank, **options).trace(x)
    except ConvanimError:
        reject()


@st.composite
def coloured(draw: st.DrawFn) -> tuple[Trace, Scene]:
    """A picture as the input of a layer that keeps its channels separate."""
    x = draw(arrays(np.int64, (3, draw(st.integers(2, 4)), draw(st.integers(2, 4))), elements=st.integers(0, 255)))
    k, s, p = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 1))
    weight = draw(arrays(np.int64, (3, 1, k, k), elements=st.integers(-1, 2)))
    bias = draw(st.none() | st.just([5, -5, 0]))
    kinds: list[Any] = [
        lambda: Conv(k, s, p, groups=3).trace(x, weight, bias),
        lambda: Conv(k, s, min(p, 1), groups=3, padding_mode="replicate").trace(x, weight),
        lambda: Conv(k, s, p, groups=3, flip=True).trace(x, weight),
        lambda: ConvTranspose(k, s, p, groups=3).trace(x, weight, bias),
        lambda: MaxPool(2, s, 1).trace(x),
        lambda: AvgPool(2, s, p, ceil_mode=True).trace(x),
        lambda: Upsample(scale_factor=2, mode=draw(st.sampled_from(["nearest", "bilinear", "nails"]))).trace(x),
    ]
    try:
        trace = draw(st.sampled_from(kinds))()
    except ConvanimError:
        reject()
    return trace, scene(trace, None, Shown(colours=True, saturate=draw(st.booleans())))


@st.composite
def any_scene(draw: st.DrawFn) -> Scene:
    """A scene of any kind of layer under any convention, in any of its views."""
    kind = draw(st.sampled_from(list(OF)))
    trace = draw(cases(kind)).trace if draw(st.booleans()) or kind not in (Conv, ConvTranspose) else draw(drawn())
    named = trace.op.record.command
    try:
        return scene(trace, draw(st.sampled_from(VIEWS[named])), Shown(symbols=draw(st.integers(0, 3)) == 3))
    except ConvanimError:
        reject()


def some_frames(s: Scene) -> Iterator[Frame]:
    """The opening, six frames of the placements, and the end."""
    opening, steps = s.beats.opening, s.beats.steps * s.beats.each
    chosen = {*range(opening), *(opening + i * steps // 6 for i in range(6)), *range(opening + steps, s.beats.total)}
    return (s.frame(i) for i in sorted(chosen) if i < s.beats.total)

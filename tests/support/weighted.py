"""Layers with their inputs, for hypothesis, and their outputs in plain loops.

`layers()` draws from the whole parameter space: both operations, the four conventions with their padding words, one to
three axes, strides beyond the kernel, dilation, even kernels, padding of every form and mode and beyond the kernel,
output padding up to its limit and by default, groups, channels, ints and floats, with and without a bias, batches of
one. Inputs and weights are in the convention's layout. The meaning of a layer comes from `definitions`, which shares
nothing with convanim; only `Case.op` is convanim's.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from convanim.layers import Conv, ConvTranspose, Operation

from . import definitions

#: Settings for properties of whole layers: at least 500 examples, or as many as a profile has.
thorough = settings(max_examples=max(500, settings.default.max_examples))


#: Groups, and the numbers of channels read and written in each of them.
CHANNELS = [(1, 1, 1), (1, 1, 1), (1, 1, 2), (1, 3, 1), (1, 2, 2), (2, 1, 1), (2, 2, 1), (3, 1, 2)]

CONVENTIONS = ("torch", "keras", "jax", "onnx")
#: Conventions with channels last.
LAST = ("keras", "jax")

#: The padding words of each framework, and 'full' where padding is numeric.
WORDS = {
    False: {
        "torch": ["valid", "same", "full"],
        "keras": ["valid", "same", "causal"],
        "jax": ["valid", "same", "same_lower", "full", "causal"],
        "onnx": ["valid", "same", "same_upper", "same_lower", "full"],
    },
    True: {
        "torch": ["valid", "full"],
        "keras": ["valid", "same"],
        "jax": ["valid", "same"],
        "onnx": ["valid", "same", "same_upper", "same_lower", "full"],
    },
}


@dataclass(frozen=True)
class Line:
    """One axis of a drawn layer, in numbers; `extra` is the output padding."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    extra: int = 0


@dataclass(frozen=True)
class Given:
    """The form in which an input (C, *n) is given: without a channel axis, in a batch of one, with channels last."""

    planar: bool
    batch: bool
    last: bool

    def outward(self, array: Any) -> Any:
        """An array (C, *n) as it is given."""
        if self.planar:
            return array[0]
        turned = np.moveaxis(array, 0, -1) if self.last else array
        return turned[None] if self.batch else turned


@dataclass(frozen=True)
class Case:
    """A drawn layer: convanim's operation and its inputs, and the same layer as plain numbers."""

    op: Operation
    x: Any = field(repr=False)  # nested lists, as a user would type them
    weight: Any = field(repr=False)
    bias: list[int] | list[float] | None
    arrays: tuple[Any, Any] = field(repr=False)  # the same, (C, *n) and in PyTorch's layout
    arguments: dict[str, Any] = field(repr=False)  # the arguments of the layer
    lines: tuple[Line, ...]
    mode: str
    groups: int
    inputs: int
    outputs: int
    given: Given  # the output, not the input
    values: str  # "small" and "large" ints; "eighths" (floats whose sums are exact); "floats"; "weights" (int input)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(line.size for line in self.lines)

    @property
    def exact(self) -> bool:
        return self.values != "floats"

    def trace(self, **options: Any) -> Any:
        """Trace the layer."""
        return self.op.trace(self.x, self.weight, self.bias, **options)

    @cached_property
    def stamped(self) -> Any:
        """The weight in PyTorch's layout and meaning: JAX's transposed layers, and a flip, have it rotated by 180°."""
        weight = self.arrays[1]
        turned = self.op.convention == "jax" if self.op.transposed else self.arguments["flip"]
        return np.flip(weight, axis=tuple(range(2, weight.ndim))) if turned else weight


def reach(line: Line) -> int:
    """The extent of a dilated kernel in cells."""
    return line.dilation * (line.kernel - 1) + 1


def output_size(line: Line, *, transposed: bool) -> int:
    """A layer's output size along an axis; for a convolution, the number of positions at which the window fits."""
    if transposed:
        return (line.size - 1) * line.stride + reach(line) - line.before - line.after + line.extra
    padded, placements = line.size + line.before + line.after, 0
    while placements * line.stride + reach(line) <= padded:
        placements += 1
    return placements


def plain(case: Case) -> Any:
    """The output (C_out, *o) in plain loops, according to the layer's framework."""
    named = {name: case.arguments[name] for name in case.arguments if name != "kernel_size"}
    if named["padding"] == "same_upper":  # ONNX's name for it
        named["padding"] = "same"
    if case.op.transposed and case.op.convention == "keras" and named["padding"] == 0:
        named["padding"] = "valid"  # its default
    answer = (definitions.conv_transpose if case.op.transposed else definitions.conv)(*case.arrays, **named)
    if case.bias is None:
        return answer
    return answer + np.array(case.bias).reshape(-1, *(1,) * len(case.lines))


def agree(got: Any, wanted: Any, case: Any) -> bool:
    """Whether an output is as expected: exactly, or up to rounding for floats whose sums round."""
    if got.shape != wanted.shape or (got.dtype.kind == "i") != (case.values in ("small", "large")):
        return False
    # At most 1000 terms of 100 * 100, whose rounding errors are far below this.
    return bool((got == wanted).all()) if case.exact else bool(np.allclose(got, wanted, rtol=1e-9, atol=1e-7))


def numbers(kind: str, shape: tuple[int, ...], chance: random.Random) -> Any:
    """Nested lists of a shape, including negative numbers and zeros."""
    draw = {
        "small": lambda: chance.randint(-9, 9),
        "large": lambda: chance.randint(-(2**24), 2**24),
        "eighths": lambda: chance.randint(-80, 80) / 8,
        "floats": lambda: chance.uniform(-100, 100),
    }[kind]
    return np.array([draw() for _ in range(math.prod(shape))]).reshape(shape).tolist()


def line_of(
    given: Any, extra: int | None, numbers: tuple[int, int, int, int], *, transposed: bool, convention: str
) -> Line:
    """An axis in numbers: the meaning of a word or (before, after) for this size, kernel, stride and dilation."""
    n, k, s, d = numbers
    given = "same" if given == "same_upper" else given
    if not transposed:
        return Line(n, k, s, d, *definitions.conv_sides(given, n, k, s, d))
    if convention == "keras" and given == (0, 0):
        given = "valid"
    out, before = definitions.transposed_axis(given, n, k, s, d, extra, None, convention)
    full = (n - 1) * s + d * (k - 1) + 1
    if isinstance(given, str) and convention in ("keras", "jax"):
        # Their words determine the size; cells beyond the stamps count as output padding.
        return Line(n, k, s, d, before, max(full - before - out, 0), max(out + before - full, 0))
    after = full - before - out + (extra or 0)
    if isinstance(given, str):
        return Line(n, k, s, d, before, max(after, 0), (extra or 0) + max(-after, 0))
    return Line(n, k, s, d, before, after, extra or 0)


def fits(line: Line, mode: str, *, transposed: bool) -> bool:
    """Whether a layer has an output along an axis, and enough input cells for its padding to copy."""
    most = {"reflect": line.size - 1, "circular": line.size, "symmetric": line.size}.get(mode, math.inf)
    return output_size(line, transposed=transposed) > 0 and max(line.before, line.after) <= most


@st.composite
def layers(  # noqa: PLR0915 - one draw after the other
    draw: st.DrawFn,
    transposed: bool | None = None,
    ranks: tuple[int, ...] = (1, 2, 3),
    conventions: tuple[str, ...] = CONVENTIONS,
    modes: tuple[str, ...] = ("zeros", "zeros", "zeros", "reflect", "symmetric", "replicate", "circular"),
) -> Case:
    """Layers with inputs, small enough for loops in Python."""
    if transposed is None:
        transposed = draw(st.booleans())
    convention = draw(st.sampled_from(conventions))
    rank = draw(st.sampled_from(ranks))
    most = {1: 5, 2: 4, 3: 2}[rank]  # the maximum kernel size, for short loops
    mode = "zeros" if transposed else draw(st.sampled_from(modes))

    def each(lowest: int, highest: int) -> int | tuple[int, ...]:
        """One number for all axes, or one per axis."""
        number = st.integers(lowest, highest)
        return draw(number | st.tuples(*[number] * rank))

    def along(value: Any, i: int) -> Any:
        return value[i] if isinstance(value, tuple) else value

    kernel, stride, dilation = each(1, most), each(1, most + 1), each(1, 3)
    side = st.integers(0, most + 2)  # also beyond the kernel
    words = [word for word in WORDS[transposed][convention] if rank == 1 or word != "causal"]
    in_numbers = st.just(0) | side | st.tuples(*[side | st.tuples(side, side)] * rank)
    padding = draw(st.sampled_from([0, *words]) if convention == "keras" else in_numbers | st.sampled_from(words))
    if convention == "torch" and padding == "same":
        stride = 1
    if convention == "keras" and np.max(stride) > 1:
        dilation = 1
    extra: int | tuple[int, ...] | None = None
    if transposed and convention != "jax" and draw(st.booleans()):
        limits = [
            along(stride, i) - 1 if convention == "keras" else max(along(stride, i), along(dilation, i)) - 1
            for i in range(rank)
        ]
        extra = draw(st.integers(0, min(limits)) | st.tuples(*(st.integers(0, limit) for limit in limits)))

    lines = []
    for i in range(rank):
        here = along(padding, i)
        here = (here, here) if isinstance(here, int) else here
        rest = tuple(along(v, i) for v in (kernel, stride, dilation))

        def line(n: int, here: Any = here, rest: Any = rest, i: int = i) -> Line:
            return line_of(here, along(extra, i), (n, *rest), transposed=transposed, convention=convention)

        least = next(n for n in range(1, 1000) if fits(line(n), mode, transposed=transposed))
        sizes = range(least, least + most + (4 if rank < 3 else 1))
        # "same" with a stride pads each size differently, so a larger input may have too little to copy.
        lines.append(line(draw(st.sampled_from([n for n in sizes if fits(line(n), mode, transposed=transposed)]))))

    groups, ins, outs = draw(st.sampled_from(CHANNELS))
    inputs, outputs = groups * ins, groups * outs
    planar = inputs == 1 and draw(st.booleans())
    bare = planar and outputs == 1 and draw(st.booleans())  # the kernel alone
    # (1, C, L) with weights (k, k, k) could also be three axes and their kernel, unless kernel_size has one axis.
    cube = rank == 1 and inputs // (1 if transposed else groups) == outputs // (groups if transposed else 1) == kernel
    batch = not planar and not cube and draw(st.integers(0, 3)) == 0
    values = draw(st.sampled_from(["small", "small", "large", "eighths", "floats", "weights"]))
    of_input, of_weight = ("small", "eighths") if values == "weights" else (values, values)
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    extent, kernels = tuple(line.size for line in lines), tuple(line.kernel for line in lines)
    first, second = (inputs, outputs) if transposed else (outputs, inputs)
    x = np.array(numbers(of_input, (inputs, *extent), chance))
    weight = np.array(numbers(of_weight, (first, second // groups, *kernels), chance))
    bias = draw(st.sampled_from([None, 1, outputs]))
    arguments = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    arguments["convention"] = convention
    if transposed:
        arguments["output_padding"] = extra
    else:
        arguments |= {"padding_mode": mode, "flip": draw(st.sampled_from([None, None, False, True]))}
    left_out = [name for name, value in arguments.items() if value is None]
    last = convention in LAST
    return Case(
        op=(ConvTranspose if transposed else Conv)(**{n: v for n, v in arguments.items() if n not in left_out}),
        x=Given(planar, batch, last).outward(x).tolist(),
        weight=(weight[0, 0] if bare else in_layout(weight, convention, transposed=transposed)).tolist(),
        bias=None if bias is None else numbers(of_weight, (bias,), chance),
        arrays=(x, weight),
        arguments=arguments,
        lines=tuple(lines),
        mode=mode,
        groups=groups,
        inputs=inputs,
        outputs=outputs,
        given=Given(planar and outputs == 1, batch, last),
        values=values,
    )


def in_layout(weight: Any, convention: str, *, transposed: bool) -> Any:
    """Convert a weight from PyTorch's layout to a convention's.

    Keras: Conv (*k, in, out), ConvTranspose (*k, out, in). Flax: (*k, in, out) for both.
    """
    if convention not in LAST:
        return weight
    swapped = transposed and convention == "jax"
    return np.moveaxis(weight, (0, 1), (-2, -1) if swapped else (-1, -2))


#: Well-known figures by their published names: notation, input, output, and placements or None.
FIELD = [
    ("no_padding_no_strides", "Conv(3)", 4, 2),
    ("arbitrary_padding_no_strides", "Conv(4, padding=2)", 5, 6),
    ("same_padding_no_strides", "Conv(3, padding=1)", 5, 5),
    ("full_padding_no_strides", "Conv(3, padding=2)", 5, 7),
    ("no_padding_strides", "Conv(3, 2)", 5, 2),
    ("padding_strides", "Conv(3, 2, padding=1)", 5, 3),
    ("padding_strides_odd", "Conv(3, 2, padding=1)", 6, 3),
    ("dilation", "Conv(3, dilation=2)", 7, 3),
    ("no_padding_no_strides_transposed", "ConvTranspose(3)", 2, 4),
    ("arbitrary_padding_no_strides_transposed", "ConvTranspose(4, padding=2)", 6, 5),
    ("same_padding_no_strides_transposed", "ConvTranspose(3, padding=1)", 5, 5),
    ("full_padding_no_strides_transposed", "ConvTranspose(3, padding=2)", 7, 5),
    ("no_padding_strides_transposed", "ConvTranspose(3, 2)", 2, 5),
    ("padding_strides_transposed", "ConvTranspose(3, 2, padding=1)", 3, 5),
    ("padding_strides_odd_transposed", "ConvTranspose(3, 2, padding=1, output_padding=1)", 3, 6),
    ("numerical_no_padding_no_strides", "Conv(3)", 5, 3),
    ("numerical_padding_strides", "Conv(3, 2, padding=1)", 5, 3),
    ("conv_S1P0", "Conv(3)", 5, 3),
    ("conv_S1P1", "Conv(3, padding=1)", 5, 5),
    ("conv_S2P0", "Conv(3, 2)", 5, 2),
    ("conv_S2P1", "Conv(3, 2, padding=1)", 5, 3),
    ("conv_S2P3", "Conv(3, 2, padding=3)", 5, 5),
    ("conv_S3P2", "Conv(3, 3, padding=2)", 5, 3),
    ("transposed_conv_S1P0", "ConvTranspose(3)", 3, 5),
    ("transposed_conv_S1P1", "ConvTranspose(3, padding=1)", 5, 5),
    ("transposed_conv_S2P0", "ConvTranspose(3, 2)", 2, 5),
    ("transposed_conv_S2P1", "ConvTranspose(3, 2, padding=1)", 3, 5),
    ("alphabet_conv", "Conv(3)", 5, 3),
    ("alphabet_conv_s2", "Conv(3, 2, padding=1)", 5, 3),
    ("alphabet_conv_transposed", "ConvTranspose(3)", 3, 5),
    ("alphabet_conv_s2_transposed", "ConvTranspose(3, 2, padding=1)", 3, 5),
]

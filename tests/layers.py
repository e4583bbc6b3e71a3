"""Layers with their inputs, for hypothesis, and their answers in plain loops.

`layers()` draws over the whole parameter space: both operations, one to three axes, strides beyond the kernel,
dilation, even kernels, padding of every form and beyond the kernel, output padding up to its limit, groups, channels,
ints and floats, with and without a bias. `plain` is the oracle: nested loops written from the definition. What a layer
means is worked out here a second time, from the published formulas; only `Case.op` is convanim's.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.ops import Conv, ConvTranspose, Operation

#: For properties of whole layers: never fewer than 500, and as many as a profile asks for.
thorough = settings(max_examples=max(500, settings.default.max_examples))


#: Groups, and channels read and written in each of them.
CHANNELS = [(1, 1, 1), (1, 1, 1), (1, 1, 2), (1, 3, 1), (1, 2, 2), (2, 1, 1), (2, 2, 1), (3, 1, 2)]


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
class Case:
    """A drawn layer: convanim's operation, what it is given, and the same layer as plain numbers."""

    op: Operation
    x: Any = field(repr=False)  # nested lists, as a person would give them
    weight: Any = field(repr=False)
    bias: list[int] | list[float] | None
    lines: tuple[Line, ...]
    groups: int
    inputs: int
    outputs: int
    planar: bool  # given without a channel axis
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

    @property
    def arrays(self) -> tuple[Any, Any]:
        """Input and weight as arrays with all their channel axes."""
        first, second = (self.inputs, self.outputs) if self.op.transposed else (self.outputs, self.inputs)
        kernel = [line.kernel for line in self.lines]
        x, weight = np.array(self.x), np.array(self.weight)
        return x.reshape(self.inputs, *self.sizes), weight.reshape(first, second // self.groups, *kernel)


def reach(line: Line) -> int:
    """Cells from the first to the last one under the kernel."""
    return line.dilation * (line.kernel - 1) + 1


def output_size(line: Line, *, transposed: bool) -> int:
    """A layer's output along an axis; of a convolution by counting the places where the window fits."""
    if transposed:
        return (line.size - 1) * line.stride + reach(line) - line.before - line.after + line.extra
    padded, placements = line.size + line.before + line.after, 0
    while placements * line.stride + reach(line) <= padded:
        placements += 1
    return placements


def plain(case: Case) -> Any:
    """The output (C_out, *o) as an array: every wide = narrow * stride - padding + k * dilation, one at a time."""
    transposed = case.op.transposed
    out_sizes = [output_size(line, transposed=transposed) for line in case.lines]
    axes = []
    for line, out in zip(case.lines, out_sizes, strict=True):
        wide_size, narrow_size = (out, line.size) if transposed else (line.size, out)
        taps = []
        for narrow in range(narrow_size):
            for k in range(line.kernel):
                wide = narrow * line.stride - line.before + k * line.dilation
                if 0 <= wide < wide_size:
                    taps.append((narrow, wide, k) if transposed else (wide, narrow, k))
        axes.append(taps)
    x, weight = (a.tolist() for a in case.arrays)
    ins, outs = case.inputs // case.groups, case.outputs // case.groups
    answer = {}
    for place in product(range(case.outputs), *map(range, out_sizes)):
        answer[place] = case.bias[place[0] % len(case.bias)] if case.bias is not None else 0
    for taps in product(*axes):
        read, write, k = zip(*taps, strict=True)
        for g in range(case.groups):
            for i in range(ins):
                value = at(x[g * ins + i], read)
                for o in range(outs):
                    first, second = (g * ins + i, o) if transposed else (g * outs + o, i)
                    answer[(g * outs + o, *write)] += value * at(weight[first][second], k)
    return np.array(list(answer.values())).reshape(case.outputs, *out_sizes)


def at(nested: Any, place: tuple[int, ...]) -> Any:
    """One number out of nested lists."""
    for i in place:
        nested = nested[i]
    return nested


def agree(got: Any, wanted: Any, case: Case) -> bool:
    """Whether an answer is the wanted one: to the last bit, or up to rounding for floats whose sums round."""
    if got.shape != wanted.shape or (got.dtype.kind == "i") != (case.values in ("small", "large")):
        return False
    # 1000 terms of at most 100 * 100 at most; their rounding errors are far below this.
    return bool((got == wanted).all()) if case.exact else bool(np.allclose(got, wanted, rtol=1e-9, atol=1e-7))


def numbers(kind: str, shape: tuple[int, ...], chance: random.Random) -> Any:
    """Nested lists of a shape, negative numbers and zeros included."""
    draw = {
        "small": lambda: chance.randint(-9, 9),
        "large": lambda: chance.randint(-(2**24), 2**24),
        "eighths": lambda: chance.randint(-80, 80) / 8,
        "floats": lambda: chance.uniform(-100, 100),
    }[kind]
    return np.array([draw() for _ in range(math.prod(shape))]).reshape(shape).tolist()


def halves(total: int, word: str) -> tuple[int, int]:
    """A padding in two parts: 'same' gives the smaller half first, 'same_lower' the larger."""
    small, large = total // 2, total - total // 2
    return (large, small) if word == "same_lower" else (small, large)


def in_words(word: str, line: Line, *, transposed: bool) -> Line:
    """An axis with the padding that a word means."""
    span = reach(line)
    if word in ("valid", "full"):
        both = 0 if word == "valid" else span - 1
        return Line(line.size, line.kernel, line.stride, line.dilation, both, both, line.extra)
    if transposed:  # i * s cells: the crop is what goes beyond, and what is missing comes at the end
        before, after = halves(max(span - line.stride, 0), word)
        return Line(line.size, line.kernel, line.stride, line.dilation, before, after, max(line.stride - span, 0))
    wanted = math.ceil(line.size / line.stride)
    before, after = halves(max(0, (wanted - 1) * line.stride + span - line.size), word)
    return Line(line.size, line.kernel, line.stride, line.dilation, before, after)


def least_size(line: Line, *, transposed: bool) -> int:
    """The smallest input for which an axis has any output."""
    size = 1
    while True:
        if output_size(Line(size, *list(vars(line).values())[1:]), transposed=transposed) > 0:
            return size
        size += 1


@st.composite
def layers(draw: st.DrawFn, transposed: bool | None = None, ranks: tuple[int, ...] = (1, 2, 3)) -> Case:
    """Layers with inputs, small enough for loops in Python."""
    if transposed is None:
        transposed = draw(st.booleans())
    rank = draw(st.sampled_from(ranks))
    most = {1: 5, 2: 4, 3: 2}[rank]  # of a kernel, so that the loops stay short

    def each(lowest: int, highest: int) -> int | tuple[int, ...]:
        """One number for every axis, or one an axis."""
        number = st.integers(lowest, highest)
        return draw(number | st.tuples(*[number] * rank))

    def along(value: Any, i: int) -> Any:
        return value[i] if isinstance(value, tuple) else value

    kernel, stride, dilation = each(1, most), each(1, most + 1), each(1, 3)
    side = st.integers(0, most + 2)  # beyond the kernel too
    padding = draw(
        st.just(0)
        | side
        | st.tuples(*[side | st.tuples(side, side)] * rank)
        | st.sampled_from(["valid", "same", "same_lower", "full"])
    )
    limits = [max(along(stride, i), along(dilation, i)) - 1 for i in range(rank)]
    named_same = isinstance(padding, str) and padding.startswith("same")
    extra: int | tuple[int, ...] = 0
    if transposed and not named_same:
        extra = draw(st.integers(0, min(limits)) | st.tuples(*(st.integers(0, limit) for limit in limits)))

    lines = []
    for i in range(rank):
        pair = (0, 0) if isinstance(padding, str) else along(padding, i)
        pair = pair if isinstance(pair, tuple) else (pair, pair)
        line = Line(1, along(kernel, i), along(stride, i), along(dilation, i), *pair, along(extra, i))
        if isinstance(padding, str) and not named_same:
            line = in_words(padding, line, transposed=transposed)
        least = 1 if named_same else least_size(line, transposed=transposed)
        line = Line(draw(st.integers(least, least + most + (3 if rank < 3 else 0))), *list(vars(line).values())[1:])
        lines.append(in_words(padding, line, transposed=transposed) if named_same else line)

    groups, ins, outs = draw(st.sampled_from(CHANNELS))
    inputs, outputs = groups * ins, groups * outs
    planar = inputs == 1 and draw(st.booleans())
    bare = planar and outputs == 1 and draw(st.booleans())  # the kernel alone
    values = draw(st.sampled_from(["small", "small", "large", "eighths", "floats", "weights"]))
    of_input, of_weight = ("small", "eighths") if values == "weights" else (values, values)
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    sizes, kernels = tuple(line.size for line in lines), tuple(line.kernel for line in lines)
    first, second = (inputs, outputs) if transposed else (outputs, inputs)
    x = numbers(of_input, sizes if planar else (inputs, *sizes), chance)
    weight = numbers(of_weight, kernels if bare else (first, second // groups, *kernels), chance)
    bias = draw(st.sampled_from([None, 1, outputs]))
    given = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Case(
        op=ConvTranspose(**given, output_padding=extra) if transposed else Conv(**given),
        x=x,
        weight=weight,
        bias=None if bias is None else numbers(of_weight, (bias,), chance),
        lines=tuple(lines),
        groups=groups,
        inputs=inputs,
        outputs=outputs,
        planar=planar and outputs == 1,
        values=values,
    )


def refused(make: Any, *named: str) -> ConvanimError:
    """The error that something is refused with: one short line that names these, with a hint; the asker's fault."""
    with pytest.raises(ConvanimError) as caught:
        make()
    error = caught.value
    assert error.exit_code == 2
    assert error.hint
    assert "\n" not in str(error)
    assert len(str(error)) < 700
    for name in named:
        assert name in error.message
    return error


#: The figures that the field already shows, by their published names: notation, input, output, placements or None.
FIELD = [
    ("no_padding_no_strides", "Conv(3)", 4, 2),
    ("arbitrary_padding_no_strides", "Conv(4, padding=2)", 5, 6),
    ("same_padding_no_strides", "Conv(3, padding=1)", 5, 5),
    ("full_padding_no_strides", "Conv(3, padding=2)", 5, 7),
    ("no_padding_strides", "Conv(3, 2)", 5, 2),
    ("padding_strides", "Conv(3, 2, 1)", 5, 3),
    ("padding_strides_odd", "Conv(3, 2, 1)", 6, 3),
    ("dilation", "Conv(3, dilation=2)", 7, 3),
    ("no_padding_no_strides_transposed", "ConvTranspose(3)", 2, 4),
    ("arbitrary_padding_no_strides_transposed", "ConvTranspose(4, padding=2)", 6, 5),
    ("same_padding_no_strides_transposed", "ConvTranspose(3, padding=1)", 5, 5),
    ("full_padding_no_strides_transposed", "ConvTranspose(3, padding=2)", 7, 5),
    ("no_padding_strides_transposed", "ConvTranspose(3, 2)", 2, 5),
    ("padding_strides_transposed", "ConvTranspose(3, 2, 1)", 3, 5),
    ("padding_strides_odd_transposed", "ConvTranspose(3, 2, 1, output_padding=1)", 3, 6),
    ("numerical_no_padding_no_strides", "Conv(3)", 5, 3),
    ("numerical_padding_strides", "Conv(3, 2, 1)", 5, 3),
    ("conv_S1P0", "Conv(3)", 5, 3),
    ("conv_S1P1", "Conv(3, padding=1)", 5, 5),
    ("conv_S2P0", "Conv(3, 2)", 5, 2),
    ("conv_S2P1", "Conv(3, 2, 1)", 5, 3),
    ("conv_S2P3", "Conv(3, 2, 3)", 5, 5),
    ("conv_S3P2", "Conv(3, 3, 2)", 5, 3),
    ("transposed_conv_S1P0", "ConvTranspose(3)", 3, 5),
    ("transposed_conv_S1P1", "ConvTranspose(3, padding=1)", 5, 5),
    ("transposed_conv_S2P0", "ConvTranspose(3, 2)", 2, 5),
    ("transposed_conv_S2P1", "ConvTranspose(3, 2, 1)", 3, 5),
    ("alphabet_conv", "Conv(3)", 5, 3),
    ("alphabet_conv_s2", "Conv(3, 2, 1)", 5, 3),
    ("alphabet_conv_transposed", "ConvTranspose(3)", 3, 5),
    ("alphabet_conv_s2_transposed", "ConvTranspose(3, 2, 1)", 3, 5),
]

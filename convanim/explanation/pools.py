"""Explanations of poolings."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convanim.explanation.arithmetic import (
    count,
    output_formula,
    output_sum,
)
from convanim.explanation.blocks import named, rows_of, window_block, words
from convanim.layers import (
    AdaptivePool,
    AvgPool,
    Axis,
    MaxPool,
    Pool,
    Pooling,
)

#: The maximum number of output cells that are listed.
MOST_PLACES = 8


def blocks(op: Pooling, axes: Sequence[Axis], asked: None) -> list[str]:
    """The blocks of an explanation."""
    if isinstance(op, AdaptivePool):
        return [adapted_windows(op, axes), pooling(op, axes)]
    assert isinstance(op, Pool)  # noqa: S101 - there is no other
    leaves = "the windows leave" if op.ceil_mode else "the floor leaves"
    return [pooled_size(op, axes), window_block(axes, leaves), *words(op, axes), pooling(op, axes)]


def pooled_size(op: Pool, axes: Sequence[Axis]) -> str:
    """A pooling's output size, rounded down or up."""

    def up(text: str) -> str:
        return text.replace("⌊", "⌈").replace("⌋", "⌉") if op.ceil_mode and not isinstance(op.padding, str) else text

    rows = [("in letters", "o = " + up(output_formula(False)))]
    for name, a in named(axes):
        rows.append((name, f"o = {up(output_sum(a))} = {a.output + _left_out(op, a)}"))
        if _left_out(op, a):
            rows.append(("", f"{_left_out(op, a)} less, as no window starts after the input: {a.output}"))
    return rows_of("Output size", rows)


def _left_out(op: Pool, axis: Axis) -> int:
    """The number of windows that rounding up would add, but that would start in the padding."""
    up = op.ceil_mode and not isinstance(op.padding, str)
    rest = axis.padded - axis.reach
    return (-(-rest // axis.stride) if up else rest // axis.stride) + 1 - axis.output


def adapted_windows(op: AdaptivePool, axes: Sequence[Axis]) -> str:
    """The windows of an adaptive pooling, and the pooling with a kernel that has the same ones."""
    rows = [("in letters", "output cell t reads input cells ⌊t·i / o⌋ to ⌈(t + 1)·i / o⌉ − 1")]
    for name, a in named(axes):
        windows = [f"{first}–{end - 1}" for first, end in map(a.window, range(min(a.output, MOST_PLACES)))]
        rows.append(
            (name, f"i = {a.input}, o = {a.output}: " + "   ".join([*windows, *["…"] * (a.output > MOST_PLACES)]))
        )
        rows.append(("", f"each window has {in_words(a.sizes)}"))
    equal = "none, as the windows differ in their sizes or distances"
    if all(a.regular for a in axes):
        sizes = [tuple(getattr(a, name) for a in axes) for name in ("kernel", "stride")]
        kernel, stride = (each[0] if len(set(each)) == 1 else each for each in sizes)
        many = any(a.output > 1 for a in axes)
        equal = str((MaxPool if op.combine == "max" else AvgPool)(kernel, stride if many else None))
    return rows_of("Windows", [*rows, ("equal layer", equal)])


def in_words(sizes: tuple[int, int]) -> str:
    """The smallest and the largest number of cells in a window: 2 to 3 cells."""
    least, most = sizes
    return count(most, "cell") if least == most else f"{least} to {count(most, 'cell')}"


def pooling(op: Pooling, axes: Sequence[Axis]) -> str:
    """The values that a pooling takes from its windows."""
    windows, cells = (
        prod(a.output for a in axes),
        in_words((prod(a.sizes[0] for a in axes), prod(a.sizes[1] for a in axes))),
    )
    rows = [("windows", f"{count(windows, 'window')} of {cells}, in each channel by itself")]
    if op.combine == "max":
        rows.append(("taken", "the maximum" + "; padding is never the maximum" * isinstance(op, Pool)))
    if op.combine == "mean":
        counted = "counts as zeros" if op.counts_padding else "does not count"
        padding = f"the mean; padding {counted}, and cells beyond it never count"
        rows.append(
            ("taken", padding if isinstance(op, Pool) else "the mean: the sum divided by the cells in its window")
        )
    if op.combine == "norm":
        sizes = "sizes of the values" if op.convention == "onnx" else "values with their signs"
        rows.append(("taken", f"(sum of x^{op.power})^(1/{op.power}), of the {sizes}; padding adds nothing"))
        if op.convention == "torch" and any(a.beyond for a in axes):
            rows.append(("", "where a window sticks out, its sum is scaled up to a whole window"))
    overlap = any(a.window(0)[1] > a.window(1)[0] for a in axes if a.output > 1)
    rows.append(("overlap", "windows share cells" if overlap else "none: no cell is in two windows"))
    return rows_of("Work", rows)

"""Explanations of a layer: its arithmetic with its own numbers, and its code in every framework."""

from __future__ import annotations

from collections.abc import Sequence

from convanim.errors import ConvanimError
from convanim.explanation.blocks import output_block, window_block, words
from convanim.explanation.fixed import (
    adapted_windows,
    in_columns,
    places,
    pooled_size,
    pooling,
    shuffling,
    unpooling,
    upsampled_size,
)
from convanim.explanation.weighted import summary, transposed_block, work
from convanim.layers import AdaptivePool, Axis, Columns, MaxUnpool, Operation, Pool, Shuffle, Upsample, Weighted, times
from convanim.layers.arguments import short
from convanim.layers.writing import lines

__all__ = ["explain", "sized"]


def explain(op: Operation, sizes: Sequence[int], output_size: int | Sequence[int] | str | None = None) -> str:
    """The arithmetic of a layer for an input of these sizes, as text of several lines.

    Args:
        output_size: the output size of a max unpooling, as in its `trace`.

    Raises:
        ConvanimError: not an operation, an input that does not fit, or an output size that is impossible.

    Example:
        >>> from convanim.layers import Conv
        >>> print(explain(Conv(kernel_size=3, stride=2), (6, 6)).splitlines()[0])
        Conv(kernel_size=3, stride=2)   6×6 → 2×2
    """
    axes, outputs = sized(op, sizes, output_size)
    blocks = [f"{op}   {times(sizes)} → {times(outputs)}"]
    match op:
        case Weighted():
            own = [output_block(axes), transposed_block(axes) if op.transposed else window_block(axes)]
            blocks += [*own, *words(op, axes), summary(axes), work(op, axes)]
        case AdaptivePool():
            blocks += [adapted_windows(op, axes), pooling(op, axes)]
        case Pool():
            leaves = "the windows leave" if op.ceil_mode else "the floor leaves"
            blocks += [pooled_size(op, axes), window_block(axes, leaves), *words(op, axes), pooling(op, axes)]
        case MaxUnpool():
            blocks += [output_block(axes), unpooling(axes, outputs if output_size else None)]
        case Upsample():
            blocks += [upsampled_size(op, axes), places(op, axes)]
        case Columns():
            blocks.append(in_columns(op, axes))
        case Shuffle():
            blocks.append(shuffling(op, axes))
    return "\n\n".join([*blocks, _frameworks(op, sizes)])


def sized(
    op: Operation, sizes: Sequence[int], output_size: int | Sequence[int] | str | None = None
) -> tuple[tuple[Axis, ...], list[int]]:
    """The axes of a layer for an input of these sizes, and the sizes of its output.

    Raises:
        ConvanimError: as for `explain`.
    """
    if not isinstance(op, Operation):
        raise ConvanimError(f"{short(op)} is not a layer", "use one like Conv(kernel_size=3)")
    axes = op.axes(sizes)
    asked = axes
    if output_size is not None:
        if not isinstance(op, MaxUnpool):
            raise ConvanimError(f"{op} takes no output_size", "leave it out: it belongs to MaxUnpool")
        if not isinstance(output_size, str):
            asked = op.sized(axes, output_size)
    return axes, op.outputs(asked)


def _frameworks(op: Operation, sizes: Sequence[int]) -> str:
    """The code of each framework, at the left edge of lines of its own, so that it can be copied."""
    if len(sizes) > 3:
        return "In other frameworks\n  no framework has a layer with this number of axes"
    told = []
    for line in lines(op, sizes):
        told.append(f"  {line.framework:<8} {line.note}".rstrip())
        told += [f"    {row}" for row in line.code.splitlines()]
    return "\n".join(["In other frameworks", *told])

"""Explanations of a layer: its arithmetic with its own numbers, and its code in every framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from convanim.errors import ConvanimError
from convanim.language.printed import Printed
from convanim.layers import Axis, MaxUnpool, Operation, times
from convanim.layers.arguments import short

__all__ = ["explain", "sized"]


def explain(op: Operation, sizes: Sequence[int], output_size: int | Sequence[int] | str | None = None) -> Printed:
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
    known = import_module(f"convanim.explanation.{op.family}")
    blocks = known.blocks(op, axes, outputs if output_size else None)
    told = [times(_whole(op, name, some)) for name, some in (("in_channels", sizes), ("out_channels", outputs))]
    return Printed("\n\n".join([f"{op}   {told[0]} → {told[1]}", *blocks, _frameworks(op, sizes)]))


def _whole(op: Operation, name: str, sizes: Sequence[int]) -> list[int]:
    """Sizes with the number of channels of the layer, if it knows that of the input and of the output."""
    if not getattr(op, "in_channels", None) or not getattr(op, "out_channels", None):
        return list(sizes)
    count: int = getattr(op, name)
    return [*sizes, count] if op.rules.last else [count, *sizes]


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
    from convanim.layers.writing import lines

    told = []
    for line in lines(op, sizes):
        told.append(f"  {line.framework:<8} {line.note}".rstrip())
        told += [f"    {row}" for row in line.code.splitlines()]
    return "\n".join(["In other frameworks", *told])

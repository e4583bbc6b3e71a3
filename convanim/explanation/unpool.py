"""Explanations of max unpooling."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convanim.explanation.blocks import output_block, rows_of
from convanim.layers import (
    Axis,
    MaxUnpool,
    times,
)


def blocks(op: MaxUnpool, axes: Sequence[Axis], asked: Sequence[int] | None) -> list[str]:
    """The blocks of an explanation, for an output of the requested sizes, if any."""
    return [output_block(axes), unpooling(axes, asked)]


def unpooling(axes: Sequence[Axis], asked: Sequence[int] | None) -> str:
    """The numbers of restored values and of zeros, in an output of the requested sizes, if any."""
    usual = [a.output for a in axes]
    given, made = prod(a.input for a in axes), prod(asked or usual)
    size = "the formula's; the pooling's input may have been up to a stride larger or smaller"
    if asked and list(asked) != usual:
        size = f"{times(asked)}, as asked; without it the formula's {times(usual)}"
    rows = [
        ("values", f"{given}, each to the place where the maximum was"),
        ("zeros", f"{max(made - given, 0)} or more of {made} cells"),
        ("output size", size),
    ]
    return rows_of("Values go back", rows)

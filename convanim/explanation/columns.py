"""Explanations of Unfold and Fold."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convanim.explanation.arithmetic import (
    output_sum,
)
from convanim.explanation.blocks import named, rows_of
from convanim.layers import Axis, times
from convanim.layers.columns import Columns


def blocks(op: Columns, axes: Sequence[Axis], asked: None) -> list[str]:
    """The rows and columns of an Unfold or a Fold, and how many windows lie over a cell."""
    folds = op.transposed
    slid = [(a.output, a.input) if folds else (a.input, a.output) for a in axes]
    shapes = ["(C, H, W)", "(C·k·k, L)"]
    kernel, positions = (times([a.kernel for a in axes], "·"), times([o for _, o in slid], "·"))
    rows = [
        ("in letters", " → ".join(shapes[::-1] if folds else shapes)),
        ("k·k", f"{kernel} = {op.block} rows for each channel: row c·{op.block} + i·{axes[1].kernel} + j is"),
        ("", "row i, column j of the window in channel c"),
        ("L", f"{positions} = {prod(o for _, o in slid)} columns, one for each position of the window, row by row"),
    ]
    for (name, a), (_, o) in zip(named(axes), slid, strict=False):
        wide = Axis(a.output, a.input, a.kernel, a.stride, a.before, a.after, a.dilation) if folds else a
        rows.append((name, f"{output_sum(wide)} = {o} positions"))
    overlap = any(a.stride < a.reach for a in axes)
    shared = "windows share cells" if overlap else "no cell is in two windows"
    if folds:
        shared += ", and the values that meet there add up" if overlap else ""
        rows.append(("overlap", shared))
        rows.append(
            ("no inverse" if overlap else "inverse", "Fold of Unfold is the picture times the windows over each cell")
        )
    else:
        rows.append(("overlap", shared))
        rows.append(("convolution", "the kernels as rows (C_out, C·k·k), times these columns"))
    return [rows_of("Columns", rows)]

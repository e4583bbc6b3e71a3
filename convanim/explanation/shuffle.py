"""Explanations of pixel shuffle and unshuffle."""

from __future__ import annotations

from collections.abc import Sequence

from convanim.explanation.arithmetic import (
    count,
)
from convanim.explanation.blocks import named, rows_of
from convanim.layers import (
    Axis,
    Shuffle,
)


def blocks(op: Shuffle, axes: Sequence[Axis], asked: None) -> list[str]:
    """The target of each channel."""
    r = op.factor
    whole, parts = "(C, H·r, W·r)", "(C·r², H, W)"
    first, second = (parts, whole) if op.transposed else (whole, parts)
    channel = "(i·r + j)·C + c" if op.depth_first else "c·r² + i·r + j"
    rows = [
        ("in letters", f"{first} → {second}, r = {r}"),
        ("channels", f"each cell of {r}×{r} is one place of {count(r * r, 'channel')}"),
        ("order", f"{'DCR' if op.depth_first else 'CRD'}: row i, column j of channel c is channel {channel}"),
        ("work", "none: every value is moved once"),
        *((name, f"{a.input} → {a.output}") for name, a in named(axes)),
    ]
    return [rows_of("Values move", rows)]

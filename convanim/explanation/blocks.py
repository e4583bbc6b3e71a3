"""Blocks of an explanation that several kinds of layers share."""

from __future__ import annotations

from collections.abc import Sequence

from convanim.explanation.arithmetic import (
    alike,
    count,
    output_formula,
    output_sum,
)
from convanim.layers import (
    Axis,
    Pool,
    Weighted,
)


def named(axes: Sequence[Axis]) -> list[tuple[str, Axis]]:
    """Each axis with its name; a single unnamed one if all agree."""
    names = {1: ["along the line"], 2: ["rows", "columns"], 3: ["depth", "rows", "columns"]}
    known = names.get(len(axes), [f"axis {i}" for i in range(len(axes))])
    return [("every axis", axes[0])] if alike(axes) and len(axes) > 1 else list(zip(known, axes, strict=True))


def rows_of(head: str, rows: Sequence[tuple[str, str]]) -> str:
    """A heading and rows of two columns below it."""
    width = max(len(left) for left, _ in rows)
    return "\n".join([head, *(f"  {left:<{width}}  {right}" for left, right in rows)])


def output_block(axes: Sequence[Axis]) -> str:
    """The output's size as a formula and in numbers."""
    rows = [("in letters", "o = " + output_formula(axes[0].transposed))]
    rows += [(name, f"o = {output_sum(a)} = {a.output}") for name, a in named(axes)]
    return rows_of("Output size", rows)


def window_block(axes: Sequence[Axis], leaves: str = "the floor leaves") -> str:
    """The stage of a window, and the cells that it leaves unused."""
    rows = []
    for name, a in named(axes):
        rows.append((name, f"padding {a.before} before and {a.after} after: {a.input} → {a.stage}, stride {a.stride}"))
        if a.unused:
            rows.append(("", f"{leaves} {count(a.unused, 'cell')} at the end unused"))
        if a.beyond:
            rows.append(("", f"the last window sticks out by {count(a.beyond, 'cell')} beyond the padding"))
    return rows_of("A window slides over the padded input", rows)


def words(op: Weighted | Pool, axes: Sequence[Axis]) -> list[str]:
    """The meaning of a padding word, in numbers."""
    if not isinstance(op.padding, str):
        return []
    cut = "cropped" if op.transposed else "padded"
    rows = []
    for name, a in named(axes):
        more = f", {count(-a.before, 'zero')} added before" if a.before < 0 else ""
        extra = f", {a.output_padding} more kept at the end" if a.output_padding else ""
        rows.append((name, f"{max(a.before, 0)} before and {a.after} after are {cut}{more}{extra}"))
    return [rows_of(f"Padding {op.padding!r} in {op.rules.title}", rows)]

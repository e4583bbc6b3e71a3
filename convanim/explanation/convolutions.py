"""Blocks of an explanation for convolution and transposed convolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from convanim.explanation.arithmetic import (
    count,
    evenness,
    multiplications,
    overlap,
    per_axis,
    remainder,
    rings,
    sides,
)
from convanim.explanation.blocks import named, output_block, rows_of, window_block, words
from convanim.language.numerals import MINUS
from convanim.layers import (
    Axis,
    Operation,
    Weighted,
    times,
)

#: The maximum length of an overlap pattern, which repeats anyway.
LONGEST_PATTERN = 24


def blocks(op: Weighted, axes: Sequence[Axis], asked: None) -> list[str]:
    """The blocks of an explanation."""
    own = [output_block(axes), transposed_block(axes) if op.transposed else window_block(axes)]
    if op.slides_rotated and not op.transposed:
        own[1] += "\n  the kernel is rotated by 180° before it slides: a convolution, not a cross-correlation"
    return [*own, *words(op, axes), summary(axes), work(op, axes)]


def transposed_block(axes: Sequence[Axis]) -> str:
    """Both views of a transposed layer."""
    gather, scatter = [], []
    for name, a in named(axes):
        before, after = a.ring
        extra = " + op" if a.output_padding else ""
        gather += [
            (name, f"zeros inserted    s − 1 = {a.stride - 1} between neighbours: {a.input} → {a.spread}"),
            ("", f"ring of padding   d(k − 1) − p = {before} before, d(k − 1) − p′{extra} = {after} after"),
            ("", f"then              {a.spread} → {a.stage}; the kernel, rotated by 180°, slides with stride 1"),
        ]
        # Padding of more than d(k − 1), which some conventions allow, is the opposite of a crop.
        crop = max(0, a.before), max(0, a.after)
        kept, added = min(a.output_padding, crop[1]), a.canvas - a.full
        keeps = f"; output padding keeps {kept} of that" if kept else ""
        wider = min(a.before, a.after) < 0
        by = [*["the wider ring"] * wider, *["output padding"] * (a.output_padding > kept)]
        adds = f"; {' and '.join(by)} add{'s' * (len(by) < 2)} {added} that no product reaches" if added else ""
        scatter.append(
            (
                name,
                f"canvas (i − 1)·s + d(k − 1) + 1 = {a.full}, crop {crop[0]} before and {crop[1]} after{keeps}{adds}",
            )
        )
    return "\n\n".join(
        rows_of(head, [(left, right.replace(" -", " " + MINUS)) for left, right in rows])
        for head, rows in (
            ("By zero insertion: the same result as a convolution", gather),
            ("By overlap-add: every input value stamps the kernel", scatter),
        )
    )


def summary(axes: Sequence[Axis]) -> str:
    """The comparison of standard and transposed convolution as a table, with this layer's numbers in its row."""
    head = ("operation", "zeros inserted", "padding", "stride", "output size")
    standard = ("standard", "0", "p", "s", "⌊(i + 2p − d(k−1) − 1)/s⌋ + 1")
    transposed = ("transposed", "s − 1", "d(k−1) − p", "1", "(i − 1)s + d(k−1) + 1 − 2p + op")
    inserted = per_axis([a.stride - 1 if a.transposed else 0 for a in axes])
    stride = per_axis([1 if a.transposed else a.stride for a in axes])
    own = ("this layer", inserted, sides(rings(axes)), stride, times([a.output for a in axes]))
    table = [head, standard, transposed, own]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in table)


def work(op: Operation, axes: Sequence[Axis]) -> str:
    """The number of multiplications, and where products overlap."""
    placements, kernel = prod(a.output for a in axes), prod(a.kernel for a in axes)
    done = multiplications(axes)
    others = "; the others meet a zero" if placements * kernel > done else ""
    rows = [
        ("multiplications", f"{done} that involve an input value, for each pair of channels"),
        ("", f"({count(placements, 'placement')} × {count(kernel, 'weight')} = {placements * kernel}{others})"),
    ]
    rows += _of_all_channels(op, axes, done)
    warnings = []
    for name, a in named(axes):
        if op.transposed:
            pattern = " ".join(str(overlap(a, cell)) for cell in range(min(a.output, LONGEST_PATTERN)))
            shown = pattern + (" …" if a.output > LONGEST_PATTERN else "")
            rows.append(("overlap counts", f"{shown}   ({name})"))
            warnings += _uneven(name, a)
    return "\n".join([rows_of("Work", rows), *warnings])


def _of_all_channels(op: Operation, axes: Sequence[Axis], done: int) -> Iterator[tuple[str, str]]:
    """The work of the whole layer, if its numbers of channels are known."""
    inputs, outputs = getattr(op, "in_channels", None), getattr(op, "out_channels", None)
    if not inputs or not outputs:
        return
    groups = getattr(op, "groups", 1)
    pairs, weights = inputs * outputs // groups, prod(a.kernel for a in axes)
    told = f"{inputs} × {outputs} = {pairs}" if groups == 1 else f"{inputs} × {outputs} / {groups} = {pairs}"
    yield "in all", f"{done * pairs:,} multiplications for {told} pairs of channels"
    yield "parameters", f"{pairs * weights:,} weights, and {count(outputs, 'bias')} if it has them"
    size = outputs * prod(a.output for a in axes)
    yield "output", f"{size:,} numbers, {4 * size / 1e6:,.2g} MB as 32-bit floats"


def _uneven(name: str, axis: Axis) -> list[str]:
    even, fewest, most = evenness(axis)
    if even or axis.input == 1:
        return []
    s, k = axis.stride, axis.kernel
    cures = [c for c in (k - k % s, k - k % s + s) if c > 0]
    cure = " or ".join(map(str, cures)) if axis.dilation == 1 else ""
    told = f"; kernel size {cure} would be even" if cure else ""
    return [
        f"warning: the overlap is uneven ({name}): {fewest} to {most} products per cell, as {remainder(axis)}{told}"
    ]

"""Traces as CSV: a row for each product of every step, for spreadsheets and for debugging."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from math import isfinite
from typing import Any, BinaryIO

import numpy as np

from convanim.errors import ConvanimError
from convanim.trace import Trace
from convanim.trace.part import Part

#: The names of the last spatial axes.
AXES = ("slice", "row", "column")
#: The maximum number of rows below the header, which is that of a spreadsheet.
MOST_ROWS = 2**20 - 1


def write_csv(file: BinaryIO, done: Trace) -> None:
    """Write a trace as a header and a row for each product.

    A window that reads padding only has one row without a product, and an input cell that reaches no output cell has
    none. Every value is a number or empty, so that no spreadsheet takes it for a formula. Indices and steps begin at 0.
    An index of an output cell that lies outside the output belongs to a product that a transposed layer crops.

    Raises:
        ConvanimError: there are more than `MOST_ROWS` rows.

    Example:
        >>> from io import BytesIO
        >>> from convanim.layers import Conv
        >>> file = BytesIO()
        >>> write_csv(file, Conv(2).trace([1, 2, 3], [4, 5]))
        >>> print(file.getvalue().decode().rstrip())
        step,output_column,input_column,kernel_column,input,factor,product,total,output
        0,0,0,0,1,4,4,4,14
        0,0,1,1,2,5,10,14,14
        1,1,1,0,2,4,8,8,23
        1,1,2,1,3,5,15,23,23
    """
    if done.terms > MOST_ROWS:
        raise ConvanimError(
            f"{done.op} has up to {done.terms:,} products, and a .csv has at most {MOST_ROWS:,} rows",
            "use a smaller input, a smaller kernel or fewer channels",
        )
    part = StringIO()
    writer = csv.writer(part, lineterminator="\n")
    for row in _rows(done):
        writer.writerow(row)
        if part.tell() > 2**16:
            file.write(part.getvalue().encode())
            part.seek(0)
            part.truncate()
    file.write(part.getvalue().encode())


def _rows(done: Trace) -> Iterator[list[Any]]:
    # The numbers of channels and groups are those of the whole layer.
    every = Part(tuple(range(len(done.x))), tuple(range(done.channels)), done.whole, getattr(done.op, "groups", 1))
    part = done.part or every
    rank, groups = len(done.axes), part.groups
    first = 0 if max(part.whole) > 1 else 1  # without channels, their index is left out
    names = ("channel", *AXES[-rank:])[first:]
    kernel = rank if done[0].factors.shape[1] else 0  # an unpooling has none
    yield [
        "step",
        *["group"] * (groups > 1),
        *(f"output_{name}" for name in names),
        *(f"input_{name}" for name in names),
        *(f"kernel_{name}" for name in AXES[-rank:] if kernel),
        *("input", "factor", "product", "total", "output"),
    ]

    def numbered(cell: Sequence[int], channels: Sequence[int]) -> list[int]:
        return [channels[cell[0]], *cell[1:]][first:]

    def grouped(cell: Sequence[int]) -> list[int]:
        return [part.outputs[cell[0]] * groups // part.whole[1]] if groups > 1 else []

    cropped = [0, *(a.kept.start if done.canvas[1:] != done.shape[1:] else 0 for a in done.axes)]
    totals: dict[tuple[int, ...], Any] = {}  # the cells of a canvas; a window writes a single cell
    for step in done:
        largest = step.mode == "max" or step.winner is not None
        cells = [tuple(cell) for cell in (step.writes - cropped).tolist()]
        heads = [[step.number, *grouped(cell), *numbered(cell, part.outputs)] for cell in cells]
        ends = [_output(done, cell) for cell in cells]
        reads = [numbered(cell, part.inputs) for cell in step.reads.tolist()]
        factors = step.factors[:, step.factors.shape[1] - kernel :].tolist()
        numbers = [column.tolist() for column in (step.values, step.weights, step.terms)]
        if step.phase == "slide":
            so_far = (np.maximum if largest else np.add).accumulate(step.terms).tolist()
            if not reads:
                yield [*heads[0], *[None] * (len(names) + kernel + 4), *ends]
            heads, ends = heads * len(reads), ends * len(reads)
        else:
            so_far = []
            for cell, term in zip(cells, numbers[-1], strict=True):
                before = totals.get(cell)
                totals[cell] = term if before is None else max(before, term) if largest else before + term
                so_far.append(totals[cell])
        for head, place, factor, value, weight, term, total, end in zip(
            heads, reads, factors, *numbers, so_far, ends, strict=True
        ):
            yield [*head, *place, *factor, value, weight, term, total, end]


def _output(done: Trace, cell: tuple[int, ...]) -> int | float | None:
    """The value of an output cell; None for one that is cropped, and for the maximum of an empty window."""
    if not all(0 <= i < n for i, n in zip(cell, done.shape, strict=True)):
        return None
    value: int | float = done.answer[cell].item()
    return value if isfinite(value) else None

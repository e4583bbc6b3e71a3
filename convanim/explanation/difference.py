"""The differences between the outputs of two layers over one input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.explanation.arithmetic import count
from convanim.language.numerals import beside
from convanim.language.words import both, join, say
from convanim.layers.axis import resampled
from convanim.trace import Trace

#: Float outputs count as equal up to this fraction of their maximum, as the order of additions differs.
ROUNDING = 1e-12
#: The ways to align two outputs: by index, or by position.
ALIGNS = ("index", "cells")


@dataclass(frozen=True, eq=False)
class Difference:
    """The differences between the outputs of two traces. Cells are (channel, *place), from the upper left corner.

    Args:
        a, b: two traces with the same number of axes.
        align: "index" compares output cells of the same index; "cells" those of the same position, which have the same
            window (or write the same cell of the canvas) and differ in index by the padding or crop.

    Raises:
        ConvanimError: the numbers of axes differ, or the outputs cannot be aligned.

    Example:
        >>> from convanim.layers import Conv
        >>> a, b = (Conv(2, padding=p).trace([1, 2, 3], [1, 1]) for p in (0, ((1, 0),)))
        >>> Difference(a, b).told
        '0 of 2 common cells equal; the first that differs is output[0]: 3 and 1'
    """

    a: Trace
    b: Trace
    align: str = "index"

    def __post_init__(self) -> None:
        if len(self.a.axes) != len(self.b.axes):
            raise ConvanimError(
                f"{self.a.op} has {len(self.a.axes)} axes and {self.b.op} {len(self.b.axes)}",
                "compare layers over one input",
            )
        if self.align not in ALIGNS:
            raise ConvanimError(f"`align` {self.align!r} is unknown", f"use {' or '.join(ALIGNS)}")
        if not all(n > 0 for n in self.common):
            raise ConvanimError("the two outputs have no position in common", 'use `align="index"`')

    @cached_property
    def starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The first common cell in the output of each, (C, *o)."""
        shifts = [0, *self._shifts()]
        return tuple(max(0, -n) for n in shifts), tuple(max(0, n) for n in shifts)

    def _shifts(self) -> Iterator[int]:
        """The offset of the same position in the second output, along each axis."""
        for i, (a, b) in enumerate(zip(self.a.axes, self.b.axes, strict=True)):
            if self.align == "index":
                yield 0
                continue
            shaped = not resampled((a, b)) and a.regular and b.regular
            if not shaped or a.transposed != b.transposed or a.stride != b.stride:
                raise ConvanimError(
                    f"{self.a.op} and {self.b.op} cannot be aligned: only layers of one direction and of equal "
                    "strides can be",
                    'use `align="index"`',
                )
            apart = a.before - b.before if a.transposed else b.before - a.before
            step = 1 if a.transposed else a.stride
            if apart % step:
                raise ConvanimError(
                    f"{self.a.op} and {self.b.op} cannot be aligned: along axis {i} their windows are "
                    f"{count(abs(apart), 'cell')} apart, which is not a multiple of the stride {step}",
                    'use `align="index"`',
                )
            yield apart // step

    @cached_property
    def common(self) -> tuple[int, ...]:
        """The number of common cells along each axis, (C, *o)."""
        shapes = zip((self.a.shape, self.b.shape), self.starts, strict=True)
        one, two = ([n - start for n, start in zip(shape, starts, strict=True)] for shape, starts in shapes)
        return tuple(map(min, one, two))

    @cached_property
    def shared(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The common cells as slices of each output."""
        one, two = (
            tuple(slice(start, start + n) for start, n in zip(starts, self.common, strict=True))
            for starts in self.starts
        )
        return one, two

    @property
    def firsts(self) -> tuple[tuple[int, ...], ...]:
        """The first common cell that differs, in the output of each; empty if there is none."""
        if self.first is None:
            return ()
        return tuple(tuple(n + s for n, s in zip(self.first, starts, strict=True)) for starts in self.starts)

    @cached_property
    def equal(self) -> NDArray[np.bool_]:
        """A mask of the common cells that are equal, (C, *o): integers exactly, floats up to rounding."""
        a, b = (t.answer[part] for t, part in zip((self.a, self.b), self.shared, strict=True))
        if a.dtype.kind == b.dtype.kind == "i":
            return np.asarray(a == b)
        largest = max(np.abs(v[np.isfinite(v)]).max(initial=0) for v in (a, b))
        with np.errstate(invalid="ignore"):  # infinity minus infinity
            return np.asarray((a == b) | (np.abs(a - b) <= ROUNDING * largest))

    @cached_property
    def first(self) -> tuple[int, ...] | None:
        """The first common cell that differs, row by row from the first common one; None if there is none."""
        cells = np.argwhere(~self.equal)
        return tuple(cells[0].tolist()) if len(cells) else None

    @property
    def sized(self) -> bool:
        """Whether every cell of each output is compared."""
        return self.a.shape == self.b.shape == self.common

    @property
    def none(self) -> bool:
        """Whether the outputs do not differ at all."""
        return self.sized and self.first is None

    @property
    def names(self) -> tuple[str, str]:
        """The names of both layers: their frameworks, if those distinguish them."""
        a, b = self.a.op.rules.title, self.b.op.rules.title
        return (a, b) if a != b else (say("the first"), say("the second"))

    @property
    def only(self) -> tuple[int, int]:
        """The number of cells that only the first output has, and only the second."""
        shared = prod(self.common)
        return self.a.answer.size - shared, self.b.answer.size - shared

    @cached_property
    def values(self) -> tuple[str, str]:
        """Both values of the first cell that differs, as text; empty if there is none."""
        if self.first is None:
            return "", ""
        one, two = (t.answer[cell].item() for t, cell in zip((self.a, self.b), self.firsts, strict=True))
        return beside(one, two)

    @property
    def place(self) -> str:
        """The first cell that differs as text, with its channel if there are several; "" for none."""
        if self.first is None:
            return ""
        bare = max(self.a.channels, self.b.channels) == 1
        cells = [f"[{','.join(map(str, cell[bare:]))}]" for cell in dict.fromkeys(self.firsts)]
        return both([join("", [say("output"), cells[0]]), *cells[1:]])

    @property
    def told(self) -> str:
        """A summary: how many cells are equal, and the first that differs with both values."""
        cells = count(self.equal.size, "cell" if self.sized else "common cell")
        text = say("{n} of {cells} equal", n=self.equal.sum(), cells=cells)
        if self.first is None:
            return text
        one, two = self.values
        return say("{text}; the first that differs is {cell}: {a} and {b}", text=text, cell=self.place, a=one, b=two)

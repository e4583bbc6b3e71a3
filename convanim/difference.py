"""Where the answers of two layers over one input differ.

Knows two traces and their cells. Must not know why they differ, or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from convanim.arithmetic import count
from convanim.errors import ConvanimError
from convanim.numerals import beside
from convanim.trace import Trace
from convanim.words import join, say

#: Answers of floats are equal up to this part of the largest of them: the order of additions differs.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Difference:
    """Where the answers of two traces differ. Cells are (channel, *place), compared from the upper left corner.

    Args:
        a, b: two traces with as many axes.

    Raises:
        ConvanimError: they have not as many axes.

    Example:
        >>> from convanim.ops import Conv
        >>> a, b = (Conv(2, padding=p).trace([1, 2, 3], [1, 1]) for p in (0, ((1, 0),)))
        >>> Difference(a, b).told
        '0 of 2 common cells equal; the first that differs is output[0]: 3 and 1'
    """

    a: Trace
    b: Trace

    def __post_init__(self) -> None:
        if len(self.a.axes) != len(self.b.axes):
            raise ConvanimError(
                f"{self.a.op} has {len(self.a.axes)} axes and {self.b.op} {len(self.b.axes)}",
                "compare layers over one input",
            )

    @cached_property
    def common(self) -> tuple[int, ...]:
        """How many cells both have along each axis, (C, *o)."""
        return tuple(map(min, self.a.shape, self.b.shape))

    @cached_property
    def equal(self) -> NDArray[np.bool_]:
        """Which of the common cells are equal, (C, *o): integers to the last digit, floats up to rounding."""
        a, b = (t.answer[tuple(slice(n) for n in self.common)] for t in (self.a, self.b))
        if a.dtype.kind == b.dtype.kind == "i":
            return np.asarray(a == b)
        largest = max(np.abs(v[np.isfinite(v)]).max(initial=0) for v in (a, b))
        with np.errstate(invalid="ignore"):  # infinity, which is equal to itself, less infinity
            return np.asarray((a == b) | (np.abs(a - b) <= ROUNDING * largest))

    @cached_property
    def first(self) -> tuple[int, ...] | None:
        """The first common cell that differs, row by row; None where there is none."""
        cells = np.argwhere(~self.equal)
        return tuple(cells[0].tolist()) if len(cells) else None

    @property
    def sized(self) -> bool:
        """Whether the outputs have the same size."""
        return self.a.shape == self.b.shape

    @property
    def none(self) -> bool:
        """Whether the answers do not differ at all."""
        return self.sized and self.first is None

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called: their frameworks, where those tell them apart."""
        a, b = self.a.op.rules.title, self.b.op.rules.title
        return (a, b) if a != b else (say("the first"), say("the second"))

    @property
    def only(self) -> tuple[int, int]:
        """How many cells only the first has, and only the second."""
        shared = prod(self.common)
        return self.a.answer.size - shared, self.b.answer.size - shared

    @cached_property
    def values(self) -> tuple[str, str]:
        """Both values of the first cell that differs, as they are read; empty where there is none."""
        if self.first is None:
            return "", ""
        one, two = (t.answer[self.first].item() for t in (self.a, self.b))
        return beside(one, two)

    @property
    def place(self) -> str:
        """The first cell that differs as it is written, with its channel where there are several; "" for none."""
        if self.first is None:
            return ""
        inside = self.first if max(self.a.channels, self.b.channels) > 1 else self.first[1:]
        return join("", [say("output"), f"[{','.join(map(str, inside))}]"])

    @property
    def told(self) -> str:
        """How many cells are equal, and the first that differs with both values."""
        cells = count(self.equal.size, "cell" if self.sized else "common cell")
        text = say("{n} of {cells} equal", n=self.equal.sum(), cells=cells)
        if self.first is None:
            return text
        one, two = self.values
        return say("{text}; the first that differs is {cell}: {a} and {b}", text=text, cell=self.place, a=one, b=two)

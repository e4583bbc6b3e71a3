"""Steps: one placement of the kernel, and blocks of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convanim.trace.taps import Ints

Array = NDArray[Any]
Mode = Literal["set", "add", "max"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One placement of the kernel: what it reads, multiplies and writes.

    All index arrays have one row for each cell and one column for each axis, the channel first.

    Attributes:
        phase: "slide" (a window gathers one output cell) or "stamp" (an input cell scatters its products).
        number: its position in the order, from 0.
        reads: (n, 1 + rank) input cells.
        factors: (n, 2 + rank) indices in the weight; for a layer without weights (n, rank) positions in the window.
        values, weights, terms: (n,) what is read, what it is multiplied by, and what enters the result: the
            products, the values of a pooling, their powers in an Lp pooling.
        writes: (m, 1 + rank) cells of the output (slide, m = 1) or of the canvas (stamp, m = n).
        written: (m,) the value that is set there (slide: the result with its bias) or added there (stamp).
        mode: "set" or "add"; "max" for stamps of a maximum.
        winner: the index of the maximum among the reads, the first of equal ones; None if there is none.
        divisor: the divisor of a mean, otherwise 1.

    Example:
        >>> from convanim.layers import Conv
        >>> print(Conv(kernel_size=2).trace([1, 2, 3], [4, 5])[1])
        slide 1: output[0, 1] = input[0, 1]·4 (2·4) + input[0, 2]·5 (3·5) = 23
    """

    phase: str
    number: int
    reads: Ints
    factors: Ints
    values: Array
    weights: Array
    terms: Array
    writes: Ints
    written: Array
    mode: Mode
    winner: int | None = None
    divisor: int = 1

    def __str__(self) -> str:
        """The step in one line: its reads times its factors, and where it writes; indices begin with the channel."""
        pairs = zip(self.reads.tolist(), self.values.tolist(), self.weights.tolist(), strict=True)
        terms = " + ".join(f"input{place}·{weight} ({value}·{weight})" for place, value, weight in pairs)
        if self.mode == "set" and self.phase == "slide":
            part = f" / {self.divisor}" if self.divisor != 1 else ""
            won = f" (max: input{self.reads[self.winner].tolist()})" if self.winner is not None else ""
            told = f"({terms}){part}" if part else terms or 0
            return f"{self.phase} {self.number}: output{self.writes[0].tolist()} = {told}{won} = {self.written[0]}"
        sign = {"add": "+=", "set": "=", "max": "max="}[self.mode]
        cells = ", ".join(
            f"{place} {sign} {term}" for place, term in zip(self.writes.tolist(), self.written, strict=True)
        )
        if not len(self.reads):
            return f"{self.phase} {self.number}: nothing is read"
        return f"{self.phase} {self.number}: input{self.reads[0].tolist()} = {self.values[0]}; canvas {cells}"


@dataclass(frozen=True)
class Block:
    """Consecutive steps as arrays that broadcast to `shape`: (steps, channels read, positions in the kernel).

    Cells are index arrays, one per axis; `there` is a mask of the taps that exist. The indices of the others are
    arbitrary.
    """

    shape: tuple[int, int, int]
    reads: Sequence[Ints]
    factors: Sequence[Ints]
    writes: Sequence[Ints]
    weights: Array
    there: NDArray[np.bool_]

    def flat(self, array: Array) -> Array:
        """An array of the block with one row per step and one column per tap."""
        return np.broadcast_to(array, self.shape).reshape(self.shape[0], -1)

    def of(self, step: int, arrays: Literal["reads", "factors", "writes"]) -> Ints:
        """The cells or factors of one of the steps, with one row per existing tap and one column per axis."""
        if arrays not in self._rows:
            columns: Sequence[Ints] = getattr(self, arrays)
            none = np.zeros((self.shape[0], prod(self.shape[1:]), 0), int)
            self._rows[arrays] = np.stack(list(map(self.flat, columns)), axis=-1) if columns else none
        found: Ints = self._rows[arrays][step][self._there[step]]
        return found

    def weighed(self, step: int) -> Array:
        """The weights of one of the steps, one per existing tap."""
        found: Array = self._weights[step][self._there[step]]
        return found

    @cached_property
    def _there(self) -> NDArray[np.bool_]:
        return self.flat(self.there)

    @cached_property
    def _weights(self) -> Array:
        return self.flat(self.weights)

    @cached_property
    def _rows(self) -> dict[str, Ints]:
        return {}

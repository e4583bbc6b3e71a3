"""One placement of the kernel, and many of them at once.

Knows cells, factors and values. Must not know how they are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convanim.taps import Ints

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One placement of the kernel: what it reads, multiplies and writes.

    All index arrays have a row for each cell and a column for each axis, the channel first.

    Attributes:
        phase: "slide" (a window gathers one output cell) or "stamp" (an input cell scatters its products).
        number: its place in the order, from 0.
        reads: (n, 1 + rank) input cells.
        factors: (n, 2 + rank) places in the weight.
        values, weights, terms: (n,) what was read, what it was multiplied with, and the products.
        writes: (m, 1 + rank) cells of the output (slide, m = 1) or of the canvas (stamp, m = n).
        written: (m,) what is set there (slide: the sum, bias included) or added there (stamp).
        mode: "set" or "add".
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
    mode: Literal["set", "add"]


@dataclass(frozen=True)
class Block:
    """Some steps in a row, as arrays with a row a step and a column a tap; `there` says which taps exist."""

    reads: Ints
    factors: Ints
    writes: Ints
    there: NDArray[np.bool_]

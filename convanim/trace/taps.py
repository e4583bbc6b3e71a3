"""Taps: which cell touches which.

Along one axis every operation is one relation between a wide side and a narrow side,

    wide = narrow * stride - padding + k * dilation,

and a tap is one (wide, narrow, k) that satisfies it: one multiplication. Convolution reads wide and writes narrow; the
transposed convolution has the same taps in the opposite direction. Grouped by the written cell they are a window
that slides (gather), grouped by the read cell a kernel that is stamped (scatter). A fixed upsampling is a set of
taps with weights of their own.

Taps are kept for one axis at a time: a few hundred numbers, of which the product over the axes is taken on demand
only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: Marks a missing tap in a table of taps.
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Taps:
    """The taps along one axis, as arrays of equal length: cell read, cell written, position in the kernel, weight.

    `weight` is None if the weights are the kernel's.

    Example:
        >>> conv = Taps.along(wide=5, narrow=2, kernel=3, stride=2)
        >>> conv.source[conv.by_target()].tolist()        # a window slides: what each output cell reads
        [[0, 1, 2], [2, 3, 4]]
        >>> conv.T.target[conv.T.by_source()].tolist()    # the transpose stamps: where each input cell writes
        [[0, 1, 2], [2, 3, 4]]
        >>> conv.T.overlap().tolist()                     # how many products end in each cell of the transpose
        [1, 1, 2, 1, 1]
    """

    source: Ints
    target: Ints
    k: Ints
    sources: int
    targets: int
    kernel: int
    weight: NDArray[np.float64] | None = None

    @classmethod
    def along(
        cls,
        wide: int,
        narrow: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        mode: str = "zeros",
    ) -> Taps:
        """The taps of a convolution, which reads the wide side.

        Taps outside of it are left out; with a padding mode they read the cell that is copied there.
        """
        first = np.arange(narrow) * stride - padding
        return cls.under(first, first + dilation * (kernel - 1) + 1, wide, kernel, dilation, mode)

    @classmethod
    def under(cls, first: Ints, end: Ints, wide: int, kernel: int, dilation: int = 1, mode: str = "zeros") -> Taps:
        """The taps of windows from the cells `first` to before `end`, of at most `kernel` cells each."""
        n, k = (grid.ravel() for grid in np.indices((len(first), kernel)))
        w = first[n] + k * dilation
        if mode != "zeros":
            return cls(folded(w, wide, mode), n, k, wide, len(first), kernel)
        inside = (w >= 0) & (w < np.minimum(end, wide)[n])
        return cls(w[inside], n[inside], k[inside], wide, len(first), kernel)

    @classmethod
    def resampled(
        cls,
        input: int,
        output: int,
        way: str,
        place: str,
        ratio: tuple[int, int],
        rounding: str = "floor",
        most: int | None = None,
    ) -> Taps:
        """The taps of a fixed upsampling; those of a cell are in the order of the cells read.

        Args:
            way: "nearest", "bilinear" or "nails".
            place: the coordinate system: "half_pixel", "asymmetric" or "align_corners".
            ratio: output / input as a fraction.
            rounding: the nearest cell is the "floor" of the position, or the position rounded, halves "up" or "down".
            most: the maximum number of output cells.
        """
        up, down = ratio
        t = np.arange(output if most is None else min(output, most))
        if way == "nails":
            t = t[t % up == 0]
            return cls(t // up, t, np.zeros_like(t), input, output, 1, np.ones(len(t)))
        if way == "nearest":
            # The position is at / of in integers: one on the edge between two cells must not depend on float rounding.
            at, of = (2 * t * down, 2 * up) if place == "asymmetric" else ((2 * t + 1) * down - up, 2 * up)
            cell = {"floor": at // of, "up": (at + up) // of, "down": -((up - at) // of)}[rounding]
            cell = np.clip(cell, 0, input - 1)
            first = np.searchsorted(cell, cell)
            return cls(cell, t, t - first, input, output, int((t - first).max()) + 1, np.ones(len(t)))
        # The position as a fraction: whole cells, and a part of `of` equal parts.
        if place == "align_corners":
            at, of = t * (input - 1), max(output - 1, 1)
        elif place == "asymmetric":
            at, of = t * down, up
        else:
            at, of = (2 * t + 1) * down - up, 2 * up
        at = np.clip(at, 0, (input - 1) * of)
        cell, part = at // of, (at % of) / of
        two = part > 0
        source = np.concatenate([cell, cell[two] + 1])
        target, k = np.concatenate([t, t[two]]), np.repeat([0, 1], [len(t), int(two.sum())])
        weight = np.concatenate([1 - part, part[two]])
        order = np.lexsort((k, target))
        return cls(source[order], target[order], k[order], input, output, 2, weight[order])

    @property
    def T(self) -> Taps:  # noqa: N802 - the transpose is spelled as numpy spells it
        """The same taps in the opposite direction."""
        return Taps(self.target, self.source, self.k, self.targets, self.sources, self.kernel, self.weight)

    def by_target(self) -> Ints:
        """Gather: for each written cell the numbers of its taps, (targets, most), padded with `NOWHERE`."""
        return _grouped(self.target, self.targets)

    def by_source(self) -> Ints:
        """Scatter: for each read cell the numbers of its taps, (sources, most), padded with `NOWHERE`."""
        return _grouped(self.source, self.sources)

    def overlap(self) -> Ints:
        """The number of taps that end in each target cell."""
        return np.bincount(self.target, minlength=self.targets)

    def runs(self) -> Iterator[tuple[int, slice, slice]]:
        """For each position k of the kernel that has taps: the cells read and written, as two slices of equal length.

        Only for taps without a padding mode and without weights of their own.
        """
        for k in range(self.kernel):
            here = self.k == k
            if here.any():
                yield k, _as_slice(self.source[here]), _as_slice(self.target[here])

    def matrix(self) -> NDArray[Any]:
        """The taps' own weights as a matrix (targets, sources)."""
        out = np.zeros((self.targets, self.sources))
        np.add.at(out, (self.target, self.source), 1.0 if self.weight is None else self.weight)
        return out


def folded(cells: Ints, size: int, mode: str) -> Ints:
    """The cells that padding copies.

    Args:
        mode: "reflect" mirrors at the edge without repeating it, "symmetric" with, "replicate" copies the edge, and
            "circular" the cells from the other end.

    Example:
        >>> [folded(np.arange(-2, 6), 4, mode).tolist() for mode in ("reflect", "symmetric")]
        [[2, 1, 0, 1, 2, 3, 2, 1], [1, 0, 0, 1, 2, 3, 3, 2]]
        >>> [folded(np.arange(-2, 6), 4, mode).tolist() for mode in ("replicate", "circular")]
        [[0, 0, 0, 1, 2, 3, 3, 3], [2, 3, 0, 1, 2, 3, 0, 1]]
    """
    if mode == "replicate":
        return np.clip(cells, 0, size - 1)
    if mode == "circular":
        return cells % size
    if mode == "symmetric":
        back = cells % (2 * size)
        return np.minimum(back, 2 * size - 1 - back)
    around = max(2 * (size - 1), 1)
    back = cells % around
    return np.minimum(back, around - back) if size > 1 else np.zeros_like(cells)


def _grouped(by: Ints, groups: int) -> Ints:
    """The numbers of the taps of each group, in order, as a table."""
    order = np.argsort(by, kind="stable")
    counts = np.bincount(by, minlength=groups)
    starts = np.cumsum(counts) - counts
    table = np.full((groups, max(int(counts.max(initial=0)), 1)), NOWHERE)
    table[by[order], np.arange(len(by)) - np.repeat(starts, counts)] = order
    return table


def _as_slice(cells: Ints) -> slice:
    # For a fixed k the relation is linear, so the cells are an arithmetic progression.
    step = int(cells[1] - cells[0]) if len(cells) > 1 else 1
    return slice(int(cells[0]), int(cells[-1]) + 1, step)

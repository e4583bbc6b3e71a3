"""Taps: which cell touches which.

Along one axis every operation is one relation between a wide side and a narrow side,

    wide = narrow * stride - padding + k * dilation,

and a tap is one (wide, narrow, k) that satisfies it: one multiplication. Convolution reads wide and writes narrow; the
transposed convolution is the same taps read the other way. Grouped by the cell that is written they are a window that
slides (gather), grouped by the cell that is read a kernel that is stamped (scatter).

Knows numpy and positions. Must not know values, layers or order. Kept one axis at a time: a few hundred numbers, and
the product over the axes is taken only for what is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: In a table of taps: there is no cell at that place.
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Taps:
    """The taps along one axis, as three arrays of the same length: cell read, cell written, place in the kernel.

    Example:
        >>> conv = Taps.along(wide=5, narrow=2, kernel=3, stride=2)
        >>> conv.by_target().tolist()                     # a window slides: what each output cell reads
        [[0, 1, 2], [2, 3, 4]]
        >>> conv.T.by_source().tolist()                   # the transpose stamps: where each input cell writes
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

    @classmethod
    def along(cls, wide: int, narrow: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Taps:
        """The taps of a convolution, which reads the wide side; those that fall outside of it are left out."""
        n, k = (grid.ravel() for grid in np.indices((narrow, kernel)))
        w = n * stride - padding + k * dilation
        inside = (w >= 0) & (w < wide)
        return cls(w[inside], n[inside], k[inside], wide, narrow, kernel)

    @property
    def T(self) -> Taps:  # noqa: N802 - the transpose is spelled as numpy spells it
        """The same taps read the other way round."""
        return Taps(self.target, self.source, self.k, self.targets, self.sources, self.kernel)

    def by_target(self) -> Ints:
        """Gather: a (targets, kernel) table of the cell read at each place of the kernel, or `NOWHERE`."""
        table = np.full((self.targets, self.kernel), NOWHERE)
        table[self.target, self.k] = self.source
        return table

    def by_source(self) -> Ints:
        """Scatter: a (sources, kernel) table of the cell written from each place of the kernel, or `NOWHERE`."""
        return self.T.by_target()

    def overlap(self) -> Ints:
        """How many taps end in each target cell."""
        return np.bincount(self.target, minlength=self.targets)

    def runs(self) -> Iterator[tuple[int, slice, slice]]:
        """For each place k of the kernel that has taps: the cells read and written, as two slices of equal length."""
        for k in range(self.kernel):
            here = self.k == k
            if here.any():
                yield k, _as_slice(self.source[here]), _as_slice(self.target[here])


def _as_slice(cells: Ints) -> slice:
    # For a fixed k the relation is linear, so the cells are an arithmetic progression.
    step = int(cells[1] - cells[0]) if len(cells) > 1 else 1
    return slice(int(cells[0]), int(cells[-1]) + 1, step)

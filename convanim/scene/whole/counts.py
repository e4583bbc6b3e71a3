"""Overlap counts: the number of products per output cell, why they are even or not, and the nearest even kernel size.

Source: Odena, Dumoulin and Olah, Deconvolution and checkerboard artifacts (2016).
"""

from __future__ import annotations

from math import prod

import numpy as np

from convanim.explanation.arithmetic import count, even_kernel, evenness, remainder, shortest
from convanim.language.words import join, say
from convanim.layers import Axis, ConvTranspose
from convanim.scene.caption import Caption
from convanim.trace import ConvTrace, Trace, UnpoolTrace
from convanim.trace.taps import Ints, Taps

#: A single axis is counted as one row.
ACROSS = Taps.along(1, 1, 1)


class Counts:
    """The number of taps that end in each cell of a layer's canvas (rows, columns), after any number of its steps.

    Example:
        >>> stamps = ConvTranspose(3, 2).trace([1, 2, 3], [1, 1, 1]).by_input()
        >>> Counts(stamps).after(2).tolist(), Counts(stamps).all.tolist()
        ([[1, 1, 2, 1, 1, 0, 0]], [[1, 1, 2, 1, 2, 1, 1]])
    """

    def __init__(self, trace: Trace) -> None:
        self.trace, self.axes = trace, trace.axes
        #: Whether these are the counts of a transposed convolution, whose stamps overlap.
        self.stamps = trace.op.transposed and trace.weight is not None
        high, wide = (1, *trace.canvas[1:])[-2:]
        self.shape = high, wide
        self.all = self.after(len(trace))
        self.cuts = trace.canvas[1:] != trace.shape[1:]
        self.kept = _two(tuple(a.kept for a in trace.axes)) if self.cuts else (slice(0, high), slice(0, wide))
        self.inside = self._inside()

    def after(self, steps: int) -> Ints:
        """The counts after the first `steps` input cells have been stamped, or output cells gathered."""
        trace = self.trace
        if isinstance(trace, UnpoolTrace):
            landed = np.bincount(trace.places.ravel()[:steps], minlength=prod(self.shape))
            return landed.reshape(self.shape)
        rows, columns = trace.taps if len(trace.taps) == 2 else (ACROSS, trace.taps[0])
        if trace.order == "gather":
            counts = np.outer(rows.overlap(), columns.overlap())
            return np.where(np.arange(counts.size).reshape(counts.shape) < steps, counts, 0)
        # Full rows of the input, and a part of the next one.
        done, part = divmod(steps, columns.sources)
        above, here, some = (
            np.bincount(taps.target[met], minlength=taps.targets)
            for taps, met in (
                (rows, rows.source < done),
                (rows, rows.source == done),
                (columns, columns.source < part),
            )
        )
        return np.outer(above, columns.overlap()) + np.outer(here, some)

    def _inside(self) -> tuple[slice, slice] | None:
        """The slices of the output where every possible stamp lands, without border cells; None if there are none."""
        if not self.stamps:
            return None
        pairs = [
            (
                max(a.lead + a.reach - a.stride, a.kept.start, a.lead),
                min(a.lead + a.input * a.stride, a.kept.stop, a.lead + a.full),
            )
            for a in self.axes
        ]
        return _two(tuple(slice(*pair) for pair in pairs)) if all(a < b for a, b in pairs) else None

    @property
    def uneven(self) -> bool:
        """Whether this is a layer whose stamps overlap unevenly."""
        return self.stamps and any(not evenness(a)[0] and a.input > 1 for a in self.axes)

    def verdict(self) -> Caption:
        """The counts, and why they are even or uneven."""
        here = self.all[self.inside or self.kept]
        least, most = int(here.min()), int(here.max())
        if self.trace.order == "gather":
            cells = count(most, "input cell")
            if least == most:
                return Caption(remark=say("every window reads {cells}: even", cells=cells))
            if not all(a.regular for a in self.axes):
                return Caption(
                    remark=say("windows read {n} to {cells}: they follow from the sizes", cells=cells, n=least)
                )
            told = say("inside {cells}, at the border down to {n}: padding is not read", cells=cells, n=least)
            return Caption(remark=told)
        if not self.stamps:
            products = count(most, "product")
            if least == most:
                return Caption(remark=say("every output cell gets {products}: even", products=products))
            return Caption(remark=say("output cells get {n} to {products}", n=least, products=products))
        why = _why(self.axes)
        even, fewest, greatest = zip(*map(evenness, self.axes), strict=True)
        if all(even):
            if least == most == prod(greatest):
                told = say("{products} everywhere inside", products=count(most, "product"))
            else:
                products = count(prod(greatest), "product")
                told = say("too small an input for any cell to get all {products}", products=products)
            return Caption(remark=say("{why}: even, {told}", why=why, told=told))
        if least == most:
            products = count(prod(greatest), "product")
            told = say(
                "{why}: uneven, {n} to {products} inside a larger output", why=why, n=prod(fewest), products=products
            )
            return Caption(remark=told)
        told = say("{why}: cells get {n} to {products}", why=why, n=least, products=count(most, "product"))
        pattern = say("stripes") if sum(even) or len(even) == 1 else say("a checkerboard")
        return Caption(remark=join(", ", [told, pattern]))


def _two(slices: tuple[slice, ...]) -> tuple[slice, slice]:
    rows, columns = slices if len(slices) == 2 else (slice(0, 1), *slices)
    return rows, columns


def _why(axes: tuple[Axis, ...]) -> str:
    deciding = {(a.kernel % a.stride, a.kernel, a.stride, a.dilation) for a in axes}
    if len(deciding) == 1:
        return remainder(axes[0])
    names = (say("rows"), say("columns"))
    return join("; ", [join(" ", [name, remainder(a)]) for name, a in zip(names, axes, strict=True)])


def cured(trace: Trace) -> ConvTrace | None:
    """The transposed layer with the nearest kernel sizes that overlap evenly, over the same input; None without any.

    Its padding gives an output of nearly the layer's own size; of two, the larger one.

    Example:
        >>> cured(ConvTranspose(3, 2, 1, output_padding=1).trace([1, 2, 3], [1, 1, 1])).op
        ConvTranspose(kernel_size=4, stride=2, padding=1)
    """
    sizes = [even_kernel(a) if a.input > 1 else a.kernel for a in trace.axes]
    if None in sizes:
        return None
    kernel = tuple(k for k in sizes if k is not None)
    crops = []
    for k, a in zip(kernel, trace.axes, strict=True):
        whole_size = (a.input - 1) * a.stride + a.dilation * (k - 1) + 1
        crops.append(min(range((whole_size - 1) // 2 + 1), key=lambda p: abs(whole_size - 2 * p - a.output)))
    stride, dilation = (tuple(getattr(a, n) for a in trace.axes) for n in ("stride", "dilation"))
    op = ConvTranspose(*(shortest(v) for v in (kernel, stride, tuple(crops))), dilation=shortest(dilation))
    done: ConvTrace = op.trace(trace.x[0], np.ones(kernel, np.int64))
    return done

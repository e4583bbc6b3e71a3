"""The answer of a layer, by one multiplication of slices for each place of the kernel.

Knows taps and values. Must not know steps or order.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from convanim.ops import Axis, Operation
from convanim.taps import Taps
from convanim.trace.arrays import Array, per_channel


def taps_of(axis: Axis, *, cropped: bool = False) -> Taps:
    """The taps of one axis; `cropped` keeps those that the crop of a transposed layer throws away."""
    shape = {"kernel": axis.kernel, "stride": axis.stride, "dilation": axis.dilation}
    if not axis.transposed:
        return Taps.along(axis.input, axis.output, padding=axis.before, **shape)
    if cropped:
        return Taps.along(axis.canvas, axis.input, **shape).T
    return Taps.along(axis.output, axis.input, padding=axis.before, **shape).T


def apply(
    op: Operation, x: Array, weight: Array, bias: Array | None, taps: tuple[Taps, ...], shape: tuple[int, ...]
) -> Array:
    """The output by one multiplication of slices for each place of the kernel."""
    out = np.zeros(shape, x.dtype)
    inputs, outputs = len(x) // op.groups, shape[0] // op.groups
    for places in product(*(t.runs() for t in taps)):
        k, source, target = zip(*places, strict=True)
        factor = weight[(slice(None), slice(None), *k)]
        for g in range(op.groups):
            into, of = slice(g * outputs, (g + 1) * outputs), slice(g * inputs, (g + 1) * inputs)
            read = x[(of, *source)]
            part = factor[of].T if op.transposed else factor[into]
            # One channel needs no matrix product, and is what is mostly drawn.
            out[(into, *target)] += part[0, 0] * read if part.size == 1 else np.tensordot(part, read, 1)
    return out if bias is None else out + per_channel(bias, out)

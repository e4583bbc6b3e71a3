"""The output of a layer from array slices, independent of the order of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from convanim.layers import Axis, Resampled
from convanim.trace.arrays import Array, largest
from convanim.trace.taps import NOWHERE, Ints, Taps, folded

#: The number of cells laid out for one matrix product: large enough for numpy, small enough for memory.
BESIDE = 2**22

#: float64 holds all integers below this exactly, so that sums of integers can use its fast arithmetic.
EXACT = 2**53
#: A position in the kernel, one index per axis; the cells read and the cells written, one slice per axis.
Run = tuple[Any, Any, Any]


def taps_of(axis: Axis, *, cropped: bool = False, most: int | None = None) -> Taps:
    """The taps of one axis; `cropped` includes those that a transposed layer crops.

    For a fixed upsampling, `most` limits them to those of the first output cells.
    """
    if isinstance(axis, Resampled):
        return Taps.resampled(axis.input, axis.output, axis.way, axis.place, axis.ratio, axis.rounding, most)
    k, s, d = axis.kernel, axis.stride, axis.dilation
    if not axis.transposed:
        first, end = (cells - axis.before for cells in windows(axis))
        return Taps.under(first, end, axis.input, k, d, axis.mode)
    if cropped:
        return Taps.along(axis.canvas, axis.input, k, s, -axis.lead, d).T
    return Taps.along(axis.output, axis.input, k, s, axis.before, d).T


def windows(axis: Axis, start: int = 0, stop: int | None = None) -> tuple[Ints, Ints]:
    """The windows of consecutive output cells, by default of all, as (first, end) on the stage."""
    first, end = axis.window(np.arange(start, axis.output if stop is None else stop))  # type: ignore[arg-type]
    return np.asarray(first), np.asarray(end)


def runs_of(axes: Sequence[Axis]) -> Iterator[Run]:
    """For each position in the kernel that has taps: the position, the cells read and the cells written, as slices.

    With a padding mode the cells read are those of the padded input: see `padded`.
    """
    along = []
    for a in axes:
        if a.mode == "zeros":
            along.append(list(taps_of(a).runs()))
        else:
            along.append(list(Taps.along(a.padded, a.output, a.kernel, a.stride, dilation=a.dilation).runs()))
    for places in product(*along):
        k, source, target = zip(*places, strict=True)
        yield k, source, target


def padded(x: Array, axes: Sequence[Axis]) -> Array:
    """The input (C, *n) with the copies that a padding mode puts around it; zeros are not stored."""
    for i, a in enumerate(axes, start=1):
        if a.mode != "zeros":
            x = x.take(folded(np.arange(-a.before, a.input + a.after), a.input, a.mode), axis=i)
    return x


def convolved(
    x: Array, weight: Array, axes: Sequence[Axis], groups: int, shape: tuple[int, ...], *, transposed: bool
) -> Array:
    """The sums of products (C_out, *o), without a bias."""
    x = padded(x, axes)
    out = np.zeros(shape, x.dtype)
    inputs, outputs = len(x) // groups, shape[0] // groups
    if inputs == outputs == 1 or transposed:
        for k, source, target in runs_of(axes):
            factor = weight[(..., *k)]
            for g in range(groups):
                into, of = _group(g, outputs), _group(g, inputs)
                part: Array = factor[of].T if transposed else factor[into]
                read: Array = x[(of, *source)]
                # One channel, the most frequent case, needs no matrix product.
                out[(into, *target)] += part[0, 0] * read if part.size == 1 else _mixed(part, read)
        return out
    if x.dtype.kind == "i" and largest(x) * float(np.abs(weight.astype(float)).sum()) < EXACT:
        floats = _laid_out(x.astype(float), weight.astype(float), axes, groups, out.astype(float))
        return floats.astype(np.int64)
    return _laid_out(x, weight, axes, groups, out)


def _laid_out(x: Array, weight: Array, axes: Sequence[Axis], groups: int, out: Array) -> Array:
    """The sums of many channels as a matrix product, for as many positions of the kernel at once as fit in memory."""
    shape, inputs, outputs = out.shape, len(x) // groups, len(out) // groups
    runs = list(runs_of(axes))
    cells = prod(shape[1:])
    some = max(1, min(len(runs), BESIDE // (inputs * cells)))
    beside = np.zeros((some, inputs, *shape[1:]), x.dtype)
    for g in range(groups):
        into, of = _group(g, outputs), _group(g, inputs)
        for first in range(0, len(runs), some):
            here = runs[first : first + some]
            for row, (_, source, target) in zip(beside, here, strict=False):
                if prod(s.stop - s.start for s in target) != cells:
                    row[:] = 0
                row[(slice(None), *target)] = x[(of, *source)]
            factors = np.stack([weight[(into, slice(None), *k)] for k, _, _ in here], axis=1)
            flat = beside[: len(here)].reshape(len(here) * inputs, cells)
            out[into] += (factors.reshape(outputs, -1) @ flat).reshape(outputs, *shape[1:])
    return out


def _group(number: int, channels: int) -> Any:
    return slice(number * channels, (number + 1) * channels)


def _mixed(part: Array, read: Array) -> Array:
    mixed: Array = part @ np.ascontiguousarray(read).reshape(len(read), -1)
    return mixed.reshape(len(part), *read.shape[1:])


def summed(x: Array, axes: Sequence[Axis]) -> Array:
    """The sum under each window, (C, *o), each cell times the weight of its tap, one axis after the other."""
    for i, axis in enumerate(axes, start=1):
        taps = taps_of(axis)
        weight = np.ones(len(taps.k)) if taps.weight is None else taps.weight
        if x.dtype.kind == "i" and not (weight % 1).any():
            weight = weight.astype(np.int64)
        shape = list(x.shape)
        shape[i] = taps.targets
        out = np.zeros(shape, np.result_type(x, weight))
        along = (1,) * i + (-1,) + (1,) * (x.ndim - i - 1)
        for column in taps.by_target().T:
            target = np.flatnonzero(column != NOWHERE)
            here = column[target]
            read = x.take(taps.source[here], axis=i) * weight[here].reshape(along)
            np.moveaxis(out, i, 0)[target] += np.moveaxis(read, i, 0)
        x = out
    return x


def maxima(x: Array, axes: Sequence[Axis], lowest: float) -> tuple[Array, Ints]:
    """The maximum under each window, (C, *o), and its flat index in its channel; -1 for none.

    Of equal values the first one counts, row by row: along the last axis first, then among the rows.
    """
    where = np.broadcast_to(np.arange(prod(x.shape[1:])).reshape(x.shape[1:]), x.shape)
    for i, axis in reversed(list(enumerate(axes, start=1))):
        taps = taps_of(axis)
        x, where = np.moveaxis(x, i, 0), np.moveaxis(where, i, 0)
        best, found = np.full((taps.targets, *x.shape[1:]), lowest, x.dtype), np.full((taps.targets, *x.shape[1:]), -1)
        for column in taps.by_target().T:
            target = np.flatnonzero(column != NOWHERE)
            source = taps.source[column[target]]
            new = (where[source] >= 0) & ((x[source] > best[target]) | (found[target] < 0))
            best[target] = np.where(new, x[source], best[target])
            found[target] = np.where(new, where[source], found[target])
        x, where = np.moveaxis(best, 0, i), np.moveaxis(found, 0, i)
    return np.ascontiguousarray(x), np.ascontiguousarray(where)


def under(axes: Sequence[Axis], *, padding: bool) -> Array:
    """The number of cells under each window, (*o), with or without padding, but none beyond it."""
    counts = []
    for a in axes:
        low, high = (0, a.padded) if padding else (a.before, a.before + a.input)
        held = np.empty(a.output, np.int64)
        for at in range(0, a.output, BESIDE // 16):
            some = held[at : at + BESIDE // 16]
            first, end = windows(a, at, at + len(some))
            # The first position of the kernel at or after each end.
            edges = np.maximum(low, first), np.minimum(high, end)
            start, stop = (-((first - edge) // a.dilation) for edge in edges)
            some[:] = np.maximum(stop - start, 0)
        counts.append(held)
    total = counts[0]
    for count in counts[1:]:
        total = np.multiply.outer(total, count)
    return np.asarray(total)

"""The oracle: the outputs of layers computed from the definition, as an independent check.

It pads, inserts zeros and takes windows with numpy's own functions, and shares no code with the engine (no taps, layers
or traces).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
Pairs = Sequence[tuple[int, int]]


def convolve(
    x: Array,
    weight: Array,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    mode: str = "zeros",
) -> Array:
    """Cross-correlation of x (C, *n) with weight (C_out, C / groups, *k): (C_out, *o).

    Negative padding crops; `mode` is the padding mode in PyTorch's words.

    Example:
        >>> x = np.arange(1, 10).reshape(1, 3, 3)
        >>> convolve(x, np.array([[[[1, 2], [3, 4]]]]), (1, 1), ((0, 0), (0, 0)), (1, 1), 1).tolist()
        [[[37, 47], [67, 77]]]
    """
    rank = x.ndim - 1
    around: Any = ((0, 0), *((max(a, 0), max(b, 0)) for a, b in padding))
    words: dict[str, Any] = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}  # others as in NumPy
    grown = np.pad(x, around, mode=words.get(mode, mode))
    for axis, (a, b) in enumerate(padding, start=1):
        grown = np.take(grown, range(max(-a, 0), grown.shape[axis] - max(-b, 0)), axis=axis)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    windows = sliding_window_view(grown, reach, axis=tuple(range(1, rank + 1)))
    windows = windows[(slice(None), *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]
    out, per = weight.shape[0] // groups, weight.shape[1]
    place, inside = "abc"[:rank], "xyz"[:rank]
    return np.concatenate(
        [
            np.einsum(
                f"i{place}{inside},oi{inside}->o{place}",
                windows[g * per : (g + 1) * per],
                weight[g * out : (g + 1) * out],
            )
            for g in range(groups)
        ]
    )


def transpose(
    x: Array,
    weight: Array,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    output: Sequence[int],
) -> Array:
    """Transposed convolution of x (C, *n) with weight (C, C_out / groups, *k) to the sizes `output`: (C_out, *output).

    Computed by zero insertion and a convolution with the rotated kernel.

    Example:
        >>> x, w = np.array([[[0, 1], [2, 3]]]), np.array([[[[4, 1], [2, 3]]]])
        >>> transpose(x, w, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, (3, 3)).tolist()
        [[[0, 4, 1], [8, 16, 6], [4, 12, 9]]]
    """
    spread = np.zeros((len(x), *((n - 1) * s + 1 for n, s in zip(x.shape[1:], stride, strict=True))), x.dtype)
    spread[(slice(None), *(slice(None, None, s) for s in stride))] = x
    rings = []
    for (before, _), size, o, d, k in zip(padding, spread.shape[1:], output, dilation, weight.shape[2:], strict=True):
        first = d * (k - 1) - before
        rings.append((first, o + d * (k - 1) - size - first))
    turned = np.flip(weight, axis=tuple(range(2, weight.ndim)))
    per = len(x) // groups
    swapped = np.concatenate([turned[g * per : (g + 1) * per].swapaxes(0, 1) for g in range(groups)])
    return convolve(spread, swapped, (1,) * len(stride), rings, dilation, groups)


def pool(
    x: Array,
    combine: str,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    output: Sequence[int],
    *,
    counted: bool = False,
    p: float = 0,
    signed: bool = False,
    rescaled: bool = False,
) -> Array:
    """Pooling of x (C, *n) to the sizes `output`: (C, *output).

    Args:
        combine: "max", "mean" or "norm".
        counted: whether a mean includes the padding.
        p: the power of the norm; `signed` takes powers of the values instead of their absolute values, `rescaled`
            compensates for cells of a window beyond the padding.

    Example:
        >>> pool(np.array([[1, 2, 3]]), "max", (2,), (1,), ((0, 0),), (1,), (2,)).tolist()
        [[2, 3]]
    """
    rank = x.ndim - 1
    stage = [
        max(n + a + b, (o - 1) * s + d * (k - 1) + 1)
        for n, (a, b), o, s, d, k in zip(x.shape[1:], padding, output, stride, dilation, size, strict=True)
    ]
    # The windows of values, of cells of the input, and of cells of the padded input.
    ends = [s - n - a for s, n, (a, _) in zip(stage, x.shape[1:], padding, strict=True)]
    beyond = [s - n - a - b for s, n, (a, b) in zip(stage, x.shape[1:], padding, strict=True)]
    laid = np.pad(x, ((0, 0), *((a, end) for (a, _), end in zip(padding, ends, strict=True))))
    own = np.pad(np.ones_like(x[:1]), ((0, 0), *((a, end) for (a, _), end in zip(padding, ends, strict=True))))
    ringed = np.pad(np.ones_like(x[:1]), ((0, 0), *padding), constant_values=1)
    layers = []
    for plane in (laid, own, np.pad(ringed, ((0, 0), *((0, end) for end in beyond)))):
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True)]
        windows = sliding_window_view(plane, reach, axis=tuple(range(1, rank + 1)))
        at = (slice(None), *(slice(None, o * s, s) for o, s in zip(output, stride, strict=True)))
        windows = windows[(*at, *(slice(None, None, d) for d in dilation))]
        layers.append(windows.reshape(*windows.shape[: rank + 1], -1))
    values, inside, around = layers
    if combine == "max":
        lowest = np.iinfo(x.dtype).min if x.dtype.kind == "i" else -np.inf
        return np.asarray(np.where(inside > 0, values, lowest).max(axis=-1))
    if combine == "mean":
        return np.asarray(values.sum(axis=-1) / (around if counted else inside).sum(axis=-1))
    with np.errstate(invalid="ignore", over="ignore"):
        powers = np.where(inside > 0, (values if signed else np.abs(values)).astype(np.float64) ** float(p), 0)
        scale = np.prod(size) / around.sum(axis=-1) if rescaled else 1.0
        return np.asarray((powers.sum(axis=-1) * scale) ** (1 / p))


def adaptive_pool(x: Array, combine: str, output: Sequence[int]) -> Array:
    """Adaptive pooling of x (C, *n) to the sizes `output`: (C, *output).

    An output cell is i / o input cells wide, and its window is all cells that it touches.

    Example:
        >>> adaptive_pool(np.array([[1, 2, 3, 4, 6]]), "max", (2,)).tolist()
        [[3, 6]]
    """
    out = np.empty((len(x), *output), x.dtype if combine == "max" else np.float64)
    for cell in np.ndindex(*output):
        edges = [
            (Fraction(t * n, o), Fraction((t + 1) * n, o)) for t, n, o in zip(cell, x.shape[1:], output, strict=True)
        ]
        window = x[(slice(None), *(slice(floor(a), ceil(b)) for a, b in edges))].reshape(len(x), -1)
        out[(slice(None), *cell)] = window.max(axis=1) if combine == "max" else window.sum(axis=1) / window.shape[1]
    return out


def unpool(x: Array, places: Array, output: Sequence[int]) -> Array:
    """Each value of x (C, *n) at its flat index in an output of these sizes: (C, *output).

    Example:
        >>> unpool(np.array([[5, 7]]), np.array([[1, 2]]), (4,)).tolist()
        [[0, 5, 7, 0]]
    """
    out = []
    for plane, where in zip(x.reshape(len(x), -1).tolist(), places.reshape(len(x), -1).tolist(), strict=True):
        kept = dict(zip(where, plane, strict=True))
        out.append([kept.get(cell, 0) for cell in range(int(np.prod(output)))])
    return np.array(out, x.dtype).reshape(len(x), *output)


def unfold(
    x: Array, size: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Array:
    """The windows of x (C, *n) as columns by their position: (C * prod(size), *positions).

    Example:
        >>> unfold(np.array([[1, 2, 3]]), (2,), (1,), (0,), (1,)).tolist()
        [[1, 2], [2, 3]]
    """
    rank = x.ndim - 1
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True)]
    windows = sliding_window_view(
        np.pad(x, ((0, 0), *((p, p) for p in padding))), reach, axis=tuple(range(1, rank + 1))
    )
    windows = windows[(slice(None), *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]
    positions = windows.shape[1 : rank + 1]
    turned = np.moveaxis(windows, range(1, rank + 1), range(-rank, 0))
    return turned.reshape(-1, *positions)


def fold(
    x: Array,
    output: Sequence[int],
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Array:
    """The columns x (C * prod(size), *positions) added at the cells that they were taken from: (C, *output).

    Example:
        >>> fold(np.array([[1, 2], [2, 3]]), (3,), (2,), (1,), (0,), (1,)).tolist()
        [[1, 4, 3]]
    """
    channels, cells = len(x) // int(np.prod(size)), int(np.prod(output))
    # Where each value of a column was taken from, counted from 1 through all channels; 0 is padding.
    source = unfold(np.arange(1, channels * cells + 1).reshape(channels, *output), size, stride, padding, dilation)
    sums = np.zeros(channels * cells + 1, x.dtype)
    np.add.at(sums, source.ravel(), x.ravel())
    return sums[1:].reshape(channels, *output)


def upsample(x: Array, axes: Sequence[tuple[int, tuple[int, int], str, str, str]]) -> Array:
    """Fixed upsampling of x (C, *n), for each axis (output, ratio, way, place, rounding): (C, *o).

    Interpolates with numpy's `interp`, which repeats the border.

    Example:
        >>> upsample(np.array([[0.0, 4.0]]), [(4, (2, 1), "bilinear", "half_pixel", "floor")]).tolist()
        [[0.0, 1.0, 3.0, 4.0]]
    """
    for i, (output, ratio, way, place, rounding) in enumerate(axes, start=1):
        n = x.shape[i]
        scale = Fraction(*ratio)
        if way == "nails":
            grown = np.zeros((*x.shape[:i], output, *x.shape[i + 1 :]), x.dtype)
            grown[(slice(None),) * i + (slice(None, None, int(scale)),)] = x
            x = grown
            continue
        at = [Fraction(t) / scale for t in range(output)]
        if place == "half_pixel":
            at = [(t + Fraction(1, 2)) / scale - Fraction(1, 2) for t in range(output)]
        if place == "align_corners":
            at = [Fraction(t * (n - 1), max(output - 1, 1)) for t in range(output)]
        if way == "nearest":
            half = Fraction(1, 2)
            cells = [{"floor": floor(a), "up": floor(a + half), "down": ceil(a - half)}[rounding] for a in at]
            x = np.take(x, [min(n - 1, max(0, c)) for c in cells], axis=i)
        else:
            line = np.array([float(min(max(a, Fraction(0)), Fraction(n - 1))) for a in at])
            rows = np.moveaxis(x, i, -1)
            mixed = [np.interp(line, np.arange(n), row) for row in rows.reshape(-1, n)]
            x = np.moveaxis(np.array(mixed).reshape(*rows.shape[:-1], output), -1, i)
    return x


def shuffle(x: Array, r: int, *, depth_first: bool, up: bool) -> Array:
    """Pixel shuffle of x (C, H, W) by r, or unshuffle if `up` is false.

    Example:
        >>> shuffle(np.array([[[1]], [[2]], [[3]], [[4]]]), 2, depth_first=False, up=True).tolist()
        [[[1, 2], [3, 4]]]
    """
    channels, high, wide = x.shape
    if up:
        shape = (r, r, channels // r**2) if depth_first else (channels // r**2, r, r)
        order = (2, 3, 0, 4, 1) if depth_first else (0, 3, 1, 4, 2)
        return x.reshape(*shape, high, wide).transpose(order).reshape(-1, high * r, wide * r)
    parts = x.reshape(channels, high // r, r, wide // r, r)
    order = (2, 4, 0, 1, 3) if depth_first else (0, 2, 4, 1, 3)
    return parts.transpose(order).reshape(-1, high // r, wide // r)

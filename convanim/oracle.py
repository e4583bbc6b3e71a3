"""The oracle: the same answers from the definition, by other means.

Pads, inserts zeros and takes windows with numpy's own tools. Shares no code with the engine (no taps, no layers, no
traces), so that an agreement of the two means something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[Any]
Pairs = Sequence[tuple[int, int]]


def convolve(
    x: Array, weight: Array, stride: Sequence[int], padding: Pairs, dilation: Sequence[int], groups: int
) -> Array:
    """Cross-correlation of x (C, *n) with weight (C_out, C / groups, *k): (C_out, *o).

    A negative padding crops.

    Example:
        >>> x = np.arange(1, 10).reshape(1, 3, 3)
        >>> convolve(x, np.array([[[[1, 2], [3, 4]]]]), (1, 1), ((0, 0), (0, 0)), (1, 1), 1).tolist()
        [[[37, 47], [67, 77]]]
    """
    rank = x.ndim - 1
    grown = np.pad(x, ((0, 0), *((max(a, 0), max(b, 0)) for a, b in padding)))
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

    By zero insertion and a convolution with the rotated kernel.

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

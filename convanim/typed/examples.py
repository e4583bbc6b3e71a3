"""Example values for arrays that are given as a shape, chosen so that the numbers on a page cannot be mixed up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.layers import Weighted

#: The powers of 26 modulo 53, which are all numbers from 1 to 52 in an order without a pattern that one sees.
MIXED = np.array([pow(26, n, 53) for n in range(52)])
#: Inputs: of one digit, none of which is a weight; and for layers without weights, without a tie among neighbours.
ONE_DIGIT, DISTINCT = MIXED % 6 + 4, MIXED
#: Weights by the number of products in a sum: with inputs of one digit, most sums stay below 100.
WEIGHTS = {4: (2, 3, 1), 9: (2, 1, -1), 27: (2, 1, -2), math.inf: (2, -3, 1)}


def example(shape: Sequence[int], values: NDArray[Any] = ONE_DIGIT) -> NDArray[Any]:
    """An input with these values, row by row, and again from the first one.

    Example:
        >>> example((3, 3)).tolist()
        [[5, 6, 8], [7, 8, 4], [9, 4, 9]]
    """
    return np.resize(values, tuple(shape))


def kernel(op: Weighted, shape: Sequence[int], channels: int) -> NDArray[Any]:
    """Weights of this shape for a layer that adds the products of this many channels; each row is moved by one.

    Example:
        >>> from convanim.layers import Conv, ConvTranspose
        >>> kernel(ConvTranspose(3, stride=2), (3, 3), 1).tolist(), kernel(Conv(5), (5,), 1).tolist()
        ([[2, 3, 1], [1, 2, 3], [3, 1, 2]], [2, 1, -1, 2, 1])
    """
    size = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * min(2, len(shape))
    stride = op.stride if isinstance(op.stride, tuple) else (op.stride,) * len(size)
    # A window of a transposed layer meets an input value in one of `stride` cells.
    products = channels * math.prod(-(-k // s) if op.transposed else k for k, s in zip(size, stride, strict=True))
    weights = np.array(next(some for most, some in WEIGHTS.items() if products <= most))
    at = np.zeros(tuple(shape), np.int64)
    for step, indices in zip((1, 2, 1, 2, 1), np.indices(at.shape)[::-1], strict=False):
        at += step * indices
    found: NDArray[Any] = weights[at % len(weights)]
    return found

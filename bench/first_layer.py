"""The first layer of many networks, by a trace and by plain NumPy: 224x224x3, 64 filters 7x7, stride 2, padding 3.

Both get the same arrays. NumPy computes 32-bit floats in 32 bits, half the work; a trace always uses 64 bits.

Usage: python bench/first_layer.py time DTYPE REPEATS    the minimum seconds of each, in turns, as JSON
       python bench/first_layer.py trace|numpy|nothing DTYPE    do that once, for its peak memory
"""

import json
import sys
import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convanim import Conv
from convanim.trace import Trace

KERNEL, STRIDE, PADDING = 7, 2, 3


def given(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    shapes = (3, 224, 224), (64, 3, KERNEL, KERNEL)
    x, weight = (draw.standard_normal(shape, np.dtype(dtype)) for shape in shapes)
    return x, weight


def traced(x: np.ndarray, weight: np.ndarray) -> Trace:
    return Conv(kernel_size=KERNEL, stride=STRIDE, padding=PADDING).trace(x, weight)


def plain(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    windows = sliding_window_view(padded, (KERNEL, KERNEL), axis=(1, 2))[:, ::STRIDE, ::STRIDE]
    return np.tensordot(weight, windows, ((1, 2, 3), (0, 3, 4)))


def seconds(dtype: str, repeats: int) -> list[float]:
    """The minimum seconds of a trace, and of plain NumPy, run in turns."""
    layer = given(dtype)
    assert np.allclose(traced(*layer).output, plain(*layer), atol=1e-3)
    rounds = []
    for _ in range(repeats):
        start = time.perf_counter()
        traced(*layer)
        middle = time.perf_counter()
        plain(*layer)
        rounds.append((middle - start, time.perf_counter() - middle))
    return [min(column) for column in zip(*rounds, strict=True)]


if __name__ == "__main__":
    what, dtype = sys.argv[1:3]
    if what == "time":
        print(json.dumps(seconds(dtype, int(sys.argv[3]))))
    elif what != "nothing":
        kept = {"trace": traced, "numpy": plain}[what](*given(dtype))

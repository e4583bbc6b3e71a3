"""The definitions of each framework's layers in plain loops: an oracle for every operation and convention.

Nothing here is shared with convanim. An input is always (C, *n), and a weight always has PyTorch's layout: conv
(C_out, C_in / groups, *k), transposed (C_in, C_out / groups, *k). There are one to three spatial axes; a number stands
for all axes, a tuple has one value for each. Padding is a number, one number or one (before, after) pair per axis, or a
word. The sources:

- torch: PyTorch 2.13, aten/src/ATen/native (Pool.h, UpSample.h) and torch/nn/functional.py;
- keras: Keras 3.15 on TensorFlow 2.21, keras/src/backend/common/backend_utils.py;
- jax: JAX 0.10, jax/_src/lax/convolution.py and image/scale.py; Flax 0.12, flax/linen/linear.py and pooling.py;
- onnx: the text of each operator at opset 28, also where the package's own evaluator differs.

Layers that a framework refuses are computed all the same if its formula has a meaning.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import getitem
from typing import Any

import numpy as np

HALF = Fraction(1, 2)

#: Whether an average includes the padding by default, in each framework.
COUNTS_PADDING = {"torch": True, "keras": False, "jax": True, "onnx": False}


def conv(x, weight, *, stride=1, padding=0, dilation=1, groups=1, convention="torch", padding_mode="zeros", flip=None):
    """y[o, t] = sum of w[o, i, k] * x[i, t * stride - before + k * dilation]; all frameworks agree on it. With a flip
    it is w[o, i, K - 1 - k], as in mathematics."""
    x, weight = np.asarray(x), np.asarray(weight)
    if flip:
        weight = np.flip(weight, axis=tuple(range(2, weight.ndim)))
    rank, mode = x.ndim - 1, padding if padding in ("circular", "reflect") else padding_mode
    sizes, axes = [], []
    for n, k, s, d, given in by_axis(rank, x.shape[1:], weight.shape[2:], stride, dilation, sides(padding, rank)):
        before, after = conv_sides(given, n, k, s, d)
        sizes.append(max((n + before + after - reach(k, d)) // s + 1, 0))
        axes.append([conv_taps(t * s - before, k, d, n, mode) for t in range(sizes[-1])])
    ins, outs = len(x) // groups, len(weight) // groups
    planes, weights, cells = x.tolist(), weight.tolist(), []
    for o, *windows in product(range(len(weight)), *axes):
        total = 0
        for tap in product(*windows):
            read, k = zip(*tap, strict=True)
            for i in range(ins):
                total += at(planes[o // outs * ins + i], read) * at(weights[o][i], k)
        cells.append(total)
    return array(cells, len(weight), sizes)


def conv_taps(start: int, kernel: int, dilation: int, size: int, mode: str) -> list[tuple[int, int]]:
    """The (cell read, k) of a window along an axis. Zeros are not read; other modes read a cell of the input."""
    taps = []
    for k in range(kernel):
        cell = start + k * dilation
        if mode == "circular":
            cell %= size
        elif mode == "symmetric":  # the edge is repeated
            cell %= 2 * size
            cell = min(cell, 2 * size - 1 - cell)
        elif mode == "replicate":
            cell = min(max(cell, 0), size - 1)
        elif mode == "reflect":  # the edge is not repeated
            cell %= max(2 * (size - 1), 1)
            cell = min(cell, 2 * (size - 1) - cell)
        if 0 <= cell < size:
            taps.append((cell, k))
    return taps


def conv_sides(given: Any, size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """The padding (before, after) along an axis. 'same' is that of tf.nn.convolution, lax.padtype_to_pads and ONNX
    SAME_UPPER, with ceil(n / s) outputs; PyTorch's is its case of stride 1. 'causal' is that of keras.layers.Conv1D
    and flax.linen.Conv; 'circular' and 'reflect' are flax.linen.Conv's, whatever the stride; 'full' is convanim's."""
    if not isinstance(given, str):
        return given
    span = reach(kernel, dilation)
    if given.startswith("same"):
        return halves(max((-(-size // stride) - 1) * stride + span - size, 0), given)
    around = ((span - 1) // 2, span // 2)
    known = {"valid": (0, 0), "full": (span - 1, span - 1), "causal": (span - 1, 0)}
    return {**known, "circular": around, "reflect": around}[given]


def conv_transpose(
    x, weight, *, stride=1, padding=0, dilation=1, groups=1, output_padding=None, output_shape=None, convention="torch"
):
    """Output cell t gets x[n] * w[k] for t = n * stride - before + k * dilation; w rotated by 180° for jax, which is
    lax.conv_transpose with its transpose_kernel=False. `output_shape` is ONNX's."""
    x, weight = np.asarray(x), np.asarray(weight)
    if convention == "jax":
        weight = np.flip(weight, axis=tuple(range(2, weight.ndim)))
    rank = x.ndim - 1
    given = (x.shape[1:], weight.shape[2:], stride, dilation, sides(padding, rank), output_padding, output_shape)
    sizes, axes = [], []
    for n, k, s, d, side, extra, wanted in by_axis(rank, *given):
        size, before = transposed_axis(side, n, k, s, d, extra, wanted, convention)
        places = ((i, i * s - before + j * d, j) for i in range(n) for j in range(k))
        if side == "circular":
            places = ((i, cell % size, j) for i, cell, j in places)
        sizes.append(max(size, 0))
        axes.append([place for place in places if 0 <= place[1] < size])
    ins, outs = len(x) // groups, weight.shape[1]
    planes, weights = x.tolist(), weight.tolist()
    cells = dict.fromkeys(product(range(outs * groups), *map(range, sizes)), 0)
    for tap in product(*axes):
        read, write, k = zip(*tap, strict=True)
        for i, o in product(range(len(x)), range(outs)):
            cells[(i // ins * outs + o, *write)] += at(planes[i], read) * at(weights[i][o], k)
    return array(cells.values(), outs * groups, sizes)


def transposed_axis(given, n, k, s, d, extra, wanted, convention) -> tuple[int, int]:
    """The output size along an axis, and the number of cells cropped before it (negative: zeros are added there)."""
    span = reach(k, d)
    natural = (n - 1) * s + span
    same = isinstance(given, str) and given.startswith("same")
    if wanted is not None or (same and convention == "onnx"):
        total = natural + (extra or 0) - (wanted or n * s)  # halves round down below zero too, as onnx.reference does
        return wanted or n * s, total - total // 2 if given == "same_lower" else total // 2
    if same:  # Keras and lax; an output padding is Keras's alone
        out = n * s if extra is None else (n - 1) * s + span % 2 + extra
        return out, halves(max(natural - out, 0), given)[0]
    if given == "circular":  # flax.linen.ConvTranspose shifts the canvas of 'VALID' and wraps it into n * s cells
        missing = (n * s - max(natural, n * s)) % (2 * n * s)
        return n * s, -((missing + 1) // 2)
    if given == "valid" and convention in ("keras", "jax"):
        return natural + (max(s - span, 0) if extra is None else extra), 0
    if convention == "jax" and not isinstance(given, str):  # numbers pad the zero-inserted input
        before, after = (span - 1 - side for side in given)
    else:
        before, after = conv_sides(given, n, k, s, d)
    return natural - before - after + (extra or 0), before


def max_pool(x, *, convention="torch", **layer):
    """The maximum of each window, and its flat index in its plane; -inf and -1 for nothing but padding."""
    values, indices = [], []
    sizes, windows = pool_windows(x, convention, **layer)
    for plane, places, _ in windows:
        best = max(places, key=lambda place: at(plane, place), default=None)
        values.append(-math.inf if best is None else at(plane, best))
        indices.append(-1 if best is None else flat(best, np.shape(plane)))
    return array(values, len(x), sizes), array(indices, len(x), sizes)


def avg_pool(x, *, count_include_pad=None, convention="torch", **layer):
    """The mean of each window, with or without the padding, and never with cells beyond it."""
    include = COUNTS_PADDING[convention] if count_include_pad is None else count_include_pad
    cells = []
    sizes, windows = pool_windows(x, convention, **layer)
    for plane, places, padded in windows:
        divisor = padded if include else len(places)
        cells.append(sum(at(plane, place) for place in places) / divisor if divisor else math.nan)
    return array(cells, len(x), sizes)


def lp_pool(x, *, kernel, norm_type=2, convention="torch", **layer):
    """The p-norm of each window: ONNX LpPool-22. torch.nn.functional.lp_pool2d takes powers of the values with their
    signs, so that an odd p may end in the root of a negative number, a nan; and it multiplies an average by the size of
    the whole kernel, so that windows that stick out give too much."""
    whole, cells = math.prod(k for (k,) in by_axis(np.ndim(x) - 1, kernel)), []
    sizes, windows = pool_windows(x, convention, kernel=kernel, **layer)
    for plane, places, padded in windows:
        values = [at(plane, place) for place in places]
        if convention == "onnx":
            cells.append(sum(abs(v) ** norm_type for v in values) ** (1 / norm_type))
        elif math.isinf(norm_type):
            cells.append(float((max if norm_type > 0 else min)(map(abs, values))))
        else:
            cells.append(power(sum(power(v, norm_type) for v in values) / padded * whole, 1 / norm_type))
    return array(cells, len(x), sizes)


def adaptive_pool(x, output_size):
    """The windows of AdaptiveAveragePooling.cpp, start_index and end_index: for each output cell (plane, its cells)."""
    x = np.asarray(x)
    sizes, axes = [], []
    for n, wanted in by_axis(x.ndim - 1, x.shape[1:], output_size):
        out = n if wanted is None else wanted
        axes.append(
            [range(math.floor(Fraction(t * n, out)), math.ceil(Fraction((t + 1) * n, out))) for t in range(out)]
        )
        sizes.append(out)
    return sizes, [(plane, list(product(*window))) for plane, *window in product(x.tolist(), *axes)]


def adaptive_avg_pool(x, output_size):
    """The mean of the cells under each window."""
    sizes, windows = adaptive_pool(x, output_size)
    return array([sum(at(plane, c) for c in cells) / len(cells) for plane, cells in windows], len(x), sizes)


def adaptive_max_pool(x, output_size):
    """The maximum under each window, and its flat index in its plane, the first of equal ones."""
    sizes, windows = adaptive_pool(x, output_size)
    best = [(plane, max(cells, key=lambda place: at(plane, place))) for plane, cells in windows]
    values = array([at(plane, place) for plane, place in best], len(x), sizes)
    return values, array([flat(place, np.shape(plane)) for plane, place in best], len(x), sizes)


def pool_windows(x, convention, *, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The output sizes; and for each window its plane, its cells of the input, and their number with the padding.
    The default stride is the kernel size in PyTorch and Keras, and 1 in Flax and ONNX."""
    x = np.asarray(x)
    stride = (kernel if convention in ("torch", "keras") else 1) if stride is None else stride
    sizes, axes, rank = [], [], x.ndim - 1
    for n, k, s, d, given in by_axis(rank, x.shape[1:], kernel, stride, dilation, sides(padding, rank)):
        before, after = conv_sides(given, n, k, s, d)
        sizes.append(pool_size(n, reach(k, d), s, before, after, ceil_mode and not isinstance(given, str)))
        windows = [range(t * s - before, t * s - before + reach(k, d), d) for t in range(sizes[-1])]
        axes.append([([c for c in w if 0 <= c < n], sum(c < n + after for c in w)) for w in windows])
    chosen = []
    for plane, *window in product(x.tolist(), *axes):
        cells, padded = zip(*window, strict=True)
        chosen.append((plane, list(product(*cells)), math.prod(padded)))
    return sizes, chosen


def pool_size(n: int, span: int, stride: int, before: int, after: int, ceil_mode: bool) -> int:
    """pooling_output_shape of PyTorch's Pool.h, and ONNX's text: no window starts in the padding at the end."""
    rest = n + before + after - span
    if not ceil_mode:
        return max(rest // stride + 1, 0)
    size = -(-rest // stride) + 1
    return max(size - ((size - 1) * stride >= n + before), 0)


def windows_of(sizes, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of torch.nn.Unfold in order: for each the cells of the picture, None for padding."""
    axes = []
    for n, k, d, p, s in by_axis(len(sizes), tuple(sizes), kernel_size, dilation, padding, stride):
        count = (n + 2 * p - reach(k, d)) // s + 1
        axes.append([[t * s - p + j * d for j in range(k)] for t in range(count)])
    inside = [range(n) for n in sizes]
    for window in product(*axes):
        yield [c if all(i in r for i, r in zip(c, inside, strict=True)) else None for c in product(*window)]


def unfold(x, **layer):
    """A column for each window: the cells of the first channel, then of the next; padding is zero."""
    planes = np.asarray(x).tolist()
    windows = windows_of(np.shape(x)[1:], **layer)
    columns = [[0 if c is None else at(plane, c) for plane in planes for c in cells] for cells in windows]
    return np.array(columns).T


def fold(columns, output_size, **layer):
    """Every value of a column added to its cell; what falls on padding is lost."""
    matrix, sizes = np.asarray(columns).T.tolist(), next(zip(*by_axis(2, output_size, 0), strict=True))
    windows = list(windows_of(sizes, **layer))
    channels = len(matrix[0]) // len(windows[0])
    sums = dict.fromkeys(product(range(channels), *map(range, sizes)), 0)
    for column, cells in zip(matrix, windows, strict=True):
        for (channel, cell), value in zip(product(range(channels), cells), column, strict=True):
            if cell is not None:
                sums[channel, *cell] += value
    return array(sums.values(), channels, sizes)


def max_unpool(x, indices, output_sizes):
    """Every value at its flat index in its plane, zeros elsewhere; of several values in one cell the last one stays."""
    cells: list[Any] = []
    for values, places in zip(np.asarray(x), np.asarray(indices), strict=True):
        plane = dict.fromkeys(range(math.prod(output_sizes)), 0)
        plane.update(zip(places.ravel().tolist(), values.ravel().tolist(), strict=True))
        cells += plane.values()
    return array(cells, len(x), output_sizes)


def upsample(x, *, size=None, scale_factor=None, mode="nearest", coordinates=None, convention="torch", **options):
    """Nearest, linear along every axis ('bilinear'), or a bed of nails: the value at the first of its cells. Options:
    align_corners; rounding, ONNX's nearest_mode; antialias, with which jax.image.resize smooths what it makes smaller
    unless it is False. `coordinates` is ONNX's coordinate_transformation_mode."""
    x = np.asarray(x)
    antialias = options.get("antialias", convention == "jax")
    default = "asymmetric" if convention == "torch" and mode == "nearest" else "half_pixel"
    coordinates = "align_corners" if options.get("align_corners") else coordinates or default
    floors = "round_prefer_ceil" if coordinates == "half_pixel" else "floor"
    rounding = options.get("rounding", "round_prefer_floor" if convention == "onnx" else floors)
    sizes, axes = [], []
    for n, wanted, scale in by_axis(x.ndim - 1, x.shape[1:], size, scale_factor):
        out, ratio = resized(n, wanted, scale, convention)
        if convention == "torch" and mode == "bilinear" and out == n:
            ratio = Fraction(1)  # UpSample.h copies such an axis whatever the scale
        places = [source(t, n, out, ratio, coordinates) for t in range(out)]
        if mode == "nails":
            axes.append([[(t * n // out, 1)] if t % (out // n) == 0 else [] for t in range(out)])
        elif mode == "nearest":
            axes.append([[(nearest(place, n, rounding), 1)] for place in places])
        else:
            axes.append([smooth(place, n, max(ratio, 1)) if antialias else linear(place, n) for place in places])
        sizes.append(out)
    cells = []
    for plane, *windows in product(x.tolist(), *axes):
        total: Any = 0
        for tap in product(*windows):
            place, weights = zip(*tap, strict=True)
            total += at(plane, place) if mode != "bilinear" else math.prod(weights) * Fraction(at(plane, place))
        cells.append(float(total) if mode == "bilinear" else total)
    return array(cells, len(x), sizes)


def resized(n: int, wanted: int | None, scale: float | None, convention: str) -> tuple[int, Fraction]:
    """The output size along an axis, and the input cells per output cell, from the scale itself in PyTorch and ONNX."""
    if scale is None or convention not in ("torch", "onnx"):
        out = wanted or math.floor(n * scale)
        return out, Fraction(n, out)
    if convention == "onnx":  # it keeps scales as floats of 32 bits
        scale = float(np.float32(scale))
        return math.floor(n * Fraction(scale)), 1 / Fraction(scale)
    return math.floor(n * scale), 1 / Fraction(scale).limit_denominator(10**9)  # 1.3 means 13/10


def source(t: int, n: int, out: int, ratio: Fraction, coordinates: str) -> Fraction:
    """The position of output cell t in the input."""
    if coordinates == "align_corners" or (coordinates == "pytorch_half_pixel" and out == 1):
        return Fraction(t * (n - 1), max(out - 1, 1))
    return t * ratio if coordinates == "asymmetric" else (t + HALF) * ratio - HALF


def nearest(where: Fraction, n: int, rounding: str) -> int:
    """The cell that an output cell copies. PyTorch's 'nearest' is floor(t * ratio), 'asymmetric' here; its
    'nearest-exact', jax.image.resize and Keras are floor((t + 1/2) * ratio), 'half_pixel'. ONNX rounds the position,
    halves down by default."""
    up, down = math.floor(where + HALF), math.ceil(where - HALF)
    known = {"round_prefer_floor": down, "round_prefer_ceil": up, "floor": math.floor(where), "ceil": math.ceil(where)}
    return min(max(known[rounding], 0), n - 1)


def linear(where: Fraction, n: int) -> list[tuple[int, Fraction]]:
    """The two neighbours and their weights; a position beyond the centre of a border cell counts as that centre."""
    where = min(max(where, Fraction(0)), Fraction(n - 1))
    low = math.floor(where)
    return [(low, 1 - (where - low)), (min(low + 1, n - 1), where - low)]


def smooth(where: Fraction, n: int, width: Fraction) -> list[tuple[int, Fraction]]:
    """The tent of jax.image.resize (compute_weight_mat), as wide as an output cell; its weights add up to 1."""
    tent = [max(1 - abs(where - i) / width, Fraction(0)) for i in range(n)]
    return [(i, weight / sum(tent)) for i, weight in enumerate(tent)]


def pixel_shuffle(x, r, order="CRD"):
    """Convert channels to blocks of r x r cells: CRD from channel c * r² + block, as torch.nn.PixelShuffle; DCR from
    channel block * C + c, as tf.nn.depth_to_space, keras.ops.nn.depth_to_space, and ONNX by default."""
    x = np.asarray(x)
    blocks, sizes = r ** (x.ndim - 1), [n * r for n in x.shape[1:]]
    planes, channels, cells = x.tolist(), len(x) // blocks, []
    for c, *place in product(range(channels), *map(range, sizes)):
        block = flat([t % r for t in place], [r] * len(place))
        channel = c * blocks + block if order == "CRD" else block * channels + c
        cells.append(at(planes[channel], [t // r for t in place]))
    return array(cells, channels, sizes)


def pixel_unshuffle(x, r, order="CRD"):
    """Convert blocks of r x r cells to channels: torch.nn.PixelUnshuffle (CRD), tf.nn.space_to_depth and ONNX (DCR)."""
    x = np.asarray(x)
    blocks, sizes = list(product(range(r), repeat=x.ndim - 1)), [n // r for n in x.shape[1:]]
    pairs = product(range(len(x)), blocks) if order == "CRD" else ((c, b) for b in blocks for c in range(len(x)))
    planes, cells = x.tolist(), []
    for (c, block), *place in product(pairs, *map(range, sizes)):
        cells.append(at(planes[c], [t * r + b for t, b in zip(place, block, strict=True)]))
    return array(cells, len(x) * len(blocks), sizes)


def by_axis(rank: int, *values: Any) -> Iterable[tuple[Any, ...]]:
    """The values of one axis after the other; a value that is not a tuple stands for all axes."""
    return zip(*(tuple(v) if isinstance(v, (tuple, list)) else (v,) * rank for v in values), strict=True)


def sides(padding: Any, rank: int) -> list[Any]:
    """Padding as a word or a (before, after) pair for every axis."""
    return [(side, side) if isinstance(side, int) else side for (side,) in by_axis(rank, padding)]


def reach(kernel: int, dilation: int) -> int:
    """The extent of a dilated kernel in cells."""
    return dilation * (kernel - 1) + 1


def halves(total: int, word: str) -> tuple[int, int]:
    """A total in two parts, the smaller one first, or last for 'same_lower'."""
    small, large = total // 2, total - total // 2
    return (large, small) if word == "same_lower" else (small, large)


def power(base: float, exponent: float) -> float:
    """A power that is nan where Python's is complex."""
    return math.nan if base < 0 and exponent != int(exponent) else base**exponent


def flat(place: Sequence[int], sizes: Sequence[int]) -> int:
    """The flat index of a position, in row-major order."""
    return sum(i * math.prod(sizes[axis + 1 :]) for axis, i in enumerate(place))


def at(nested: Any, place: Sequence[int]) -> Any:
    """One number of nested lists."""
    return reduce(getitem, place, nested)


def array(cells: Iterable[Any], channels: int, sizes: Sequence[int]) -> Any:
    """Python numbers as an array (C, *n): ints stay ints."""
    return np.array(list(cells)).reshape(channels, *sizes)

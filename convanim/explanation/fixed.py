"""Blocks of an explanation for layers without weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convanim.explanation.arithmetic import (
    count,
    output_formula,
    output_sum,
)
from convanim.explanation.blocks import named, rows_of
from convanim.layers import (
    AdaptivePool,
    AvgPool,
    Axis,
    Columns,
    MaxPool,
    Pool,
    Pooling,
    Resampled,
    Shuffle,
    Upsample,
    times,
)

#: The maximum number of output cells of an upsampling that are listed.
MOST_PLACES = 8


def pooled_size(op: Pool, axes: Sequence[Axis]) -> str:
    """A pooling's output size, rounded down or up."""

    def up(text: str) -> str:
        return text.replace("⌊", "⌈").replace("⌋", "⌉") if op.ceil_mode and not isinstance(op.padding, str) else text

    rows = [("in letters", "o = " + up(output_formula(False)))]
    for name, a in named(axes):
        rows.append((name, f"o = {up(output_sum(a))} = {a.output + _left_out(op, a)}"))
        if _left_out(op, a):
            rows.append(("", f"{_left_out(op, a)} less, as no window starts after the input: {a.output}"))
    return rows_of("Output size", rows)


def _left_out(op: Pool, axis: Axis) -> int:
    """The number of windows that rounding up would add, but that would start in the padding."""
    up = op.ceil_mode and not isinstance(op.padding, str)
    rest = axis.padded - axis.reach
    return (-(-rest // axis.stride) if up else rest // axis.stride) + 1 - axis.output


def adapted_windows(op: AdaptivePool, axes: Sequence[Axis]) -> str:
    """The windows of an adaptive pooling, and the pooling with a kernel that has the same ones."""
    rows = [("in letters", "output cell t reads input cells ⌊t·i / o⌋ to ⌈(t + 1)·i / o⌉ − 1")]
    for name, a in named(axes):
        windows = [f"{first}–{end - 1}" for first, end in map(a.window, range(min(a.output, MOST_PLACES)))]
        rows.append(
            (name, f"i = {a.input}, o = {a.output}: " + "   ".join([*windows, *["…"] * (a.output > MOST_PLACES)]))
        )
        rows.append(("", f"each window has {in_words(a.sizes)}"))
    equal = "none, as the windows differ in their sizes or distances"
    if all(a.regular for a in axes):
        sizes = [tuple(getattr(a, name) for a in axes) for name in ("kernel", "stride")]
        kernel, stride = (each[0] if len(set(each)) == 1 else each for each in sizes)
        many = any(a.output > 1 for a in axes)
        equal = str((MaxPool if op.combine == "max" else AvgPool)(kernel, stride if many else None))
    return rows_of("Windows", [*rows, ("equal layer", equal)])


def in_words(sizes: tuple[int, int]) -> str:
    """The smallest and the largest number of cells in a window: 2 to 3 cells."""
    least, most = sizes
    return count(most, "cell") if least == most else f"{least} to {count(most, 'cell')}"


def pooling(op: Pooling, axes: Sequence[Axis]) -> str:
    """The values that a pooling takes from its windows."""
    windows, cells = (
        prod(a.output for a in axes),
        in_words((prod(a.sizes[0] for a in axes), prod(a.sizes[1] for a in axes))),
    )
    rows = [("windows", f"{count(windows, 'window')} of {cells}, in each channel by itself")]
    if op.combine == "max":
        rows.append(("taken", "the maximum" + "; padding is never the maximum" * isinstance(op, Pool)))
    if op.combine == "mean":
        counted = "counts as zeros" if op.counts_padding else "does not count"
        padding = f"the mean; padding {counted}, and cells beyond it never count"
        rows.append(
            ("taken", padding if isinstance(op, Pool) else "the mean: the sum divided by the cells in its window")
        )
    if op.combine == "norm":
        sizes = "sizes of the values" if op.convention == "onnx" else "values with their signs"
        rows.append(("taken", f"(sum of x^{op.power})^(1/{op.power}), of the {sizes}; padding adds nothing"))
        if op.convention == "torch" and any(a.beyond for a in axes):
            rows.append(("", "where a window sticks out, its sum is scaled up to a whole window"))
    overlap = any(a.window(0)[1] > a.window(1)[0] for a in axes if a.output > 1)
    rows.append(("overlap", "windows share cells" if overlap else "none: no cell is in two windows"))
    return rows_of("Work", rows)


def unpooling(axes: Sequence[Axis], asked: Sequence[int] | None) -> str:
    """The numbers of restored values and of zeros, in an output of the requested sizes, if any."""
    usual = [a.output for a in axes]
    given, made = prod(a.input for a in axes), prod(asked or usual)
    size = "the formula's; the pooling's input may have been up to a stride larger or smaller"
    if asked and list(asked) != usual:
        size = f"{times(asked)}, as asked; without it the formula's {times(usual)}"
    rows = [
        ("values", f"{given}, each to the place where the maximum was"),
        ("zeros", f"{max(made - given, 0)} or more of {made} cells"),
        ("output size", size),
    ]
    return rows_of("Values go back", rows)


def upsampled_size(op: Upsample, axes: Sequence[Axis]) -> str:
    """An upsampling's output size."""
    rows = [("in letters", "o as it is given" if op.size is not None else "o = ⌊i · factor⌋")]
    for i, (name, a) in enumerate(named(axes)):
        factor = op.scale_factor[i] if isinstance(op.scale_factor, tuple) else op.scale_factor
        rows.append((name, f"o = {a.output}" if op.size is not None else f"o = ⌊{a.input} · {factor}⌋ = {a.output}"))
    return rows_of("Output size", rows)


#: The position of output cell t in the input, as a formula; u is the number of input cells per output cell.
_COORDINATES = {
    "half_pixel": "(t + ½)·u − ½, from centre to centre",
    "asymmetric": "t·u, from edge to edge",
    "align_corners": "t·(i − 1)/(o − 1), corners on corners",
}
_ROUNDED = {"floor": "rounded down", "up": "rounded, a half up", "down": "rounded, a half down"}


def places(op: Upsample, axes: Sequence[Axis]) -> str:
    """The positions of output cells between input cells, and the cells that they read."""
    if op.mode == "nails":
        rows = [("output cell t", "holds input cell t / factor where that is whole, and 0 elsewhere")]
    else:
        rows = [("output cell t", f"lies at {_COORDINATES[op.place]} ({op.place})")]
    for name, a in named(axes):
        if isinstance(a, Resampled) and op.mode != "nails":
            up, down = a.ratio
            rows.append((name, f"u = {down}/{up}" if up > 1 else f"u = {down}"))
        if isinstance(a, Resampled) and op.mode == "nearest":
            rows.append(("", f"the place is {_ROUNDED[a.rounding]}, and that cell copied"))
        if op.mode == "bilinear":
            rows.append(("", "its two neighbours are mixed, the outermost cell where there is but one"))
        rows.append(("", "reads " + _reads(a)))
    return rows_of("Coordinates", rows)


def _reads(axis: Axis) -> str:
    """The first output cells with what they read: 0 ← 0, 1 ← 0.75·0 + 0.25·1."""
    from convanim.trace.engine import taps_of  # late, since explanations of other layers need no trace

    taps = taps_of(axis, most=MOST_PLACES)
    weights = [1.0] * len(taps.source) if taps.weight is None else taps.weight.tolist()
    told: dict[int, list[str]] = {}
    for source, target, weight in zip(taps.source.tolist(), taps.target.tolist(), weights, strict=True):
        told.setdefault(target, []).append(f"x{source}" if weight == 1 else f"{weight:.3g}·x{source}")
    cells = [" + ".join(told.get(t, ["0"])) for t in range(min(axis.output, MOST_PLACES))]
    return "   ".join(cells) + ("   …" if axis.output > MOST_PLACES else "")


def in_columns(op: Columns, axes: Sequence[Axis]) -> str:
    """The rows and columns of an Unfold or a Fold, and how many windows lie over a cell."""
    folds = op.transposed
    slid = [(a.output, a.input) if folds else (a.input, a.output) for a in axes]
    shapes = ["(C, H, W)", "(C·k·k, L)"]
    kernel, positions = (times([a.kernel for a in axes], "·"), times([o for _, o in slid], "·"))
    rows = [
        ("in letters", " → ".join(shapes[::-1] if folds else shapes)),
        ("k·k", f"{kernel} = {op.block} rows for each channel: row c·{op.block} + i·{axes[1].kernel} + j is"),
        ("", "row i, column j of the window in channel c"),
        ("L", f"{positions} = {prod(o for _, o in slid)} columns, one for each position of the window, row by row"),
    ]
    for (name, a), (_, o) in zip(named(axes), slid, strict=False):
        wide = Axis(a.output, a.input, a.kernel, a.stride, a.before, a.after, a.dilation) if folds else a
        rows.append((name, f"{output_sum(wide)} = {o} positions"))
    overlap = any(a.stride < a.reach for a in axes)
    shared = "windows share cells" if overlap else "no cell is in two windows"
    if folds:
        shared += ", and the values that meet there add up" if overlap else ""
        rows.append(("overlap", shared))
        rows.append(
            ("no inverse" if overlap else "inverse", "Fold of Unfold is the picture times the windows over each cell")
        )
    else:
        rows.append(("overlap", shared))
        rows.append(("convolution", "the kernels as rows (C_out, C·k·k), times these columns"))
    return rows_of("Columns", rows)


def shuffling(op: Shuffle, axes: Sequence[Axis]) -> str:
    """The target of each channel."""
    r = op.factor
    whole, parts = "(C, H·r, W·r)", "(C·r², H, W)"
    first, second = (parts, whole) if op.transposed else (whole, parts)
    channel = "(i·r + j)·C + c" if op.depth_first else "c·r² + i·r + j"
    rows = [
        ("in letters", f"{first} → {second}, r = {r}"),
        ("channels", f"each cell of {r}×{r} is one place of {count(r * r, 'channel')}"),
        ("order", f"{'DCR' if op.depth_first else 'CRD'}: row i, column j of channel c is channel {channel}"),
        ("work", "none: every value is moved once"),
        *((name, f"{a.input} → {a.output}") for name, a in named(axes)),
    ]
    return rows_of("Values move", rows)

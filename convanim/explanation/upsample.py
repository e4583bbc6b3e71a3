"""Explanations of fixed upsampling."""

from __future__ import annotations

from collections.abc import Sequence

from convanim.explanation.blocks import named, rows_of
from convanim.layers import (
    Axis,
    Resampled,
    Upsample,
)

#: The maximum number of output cells that are listed.
MOST_PLACES = 8


def blocks(op: Upsample, axes: Sequence[Axis], asked: None) -> list[str]:
    """The blocks of an explanation."""
    return [upsampled_size(op, axes), places(op, axes)]


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

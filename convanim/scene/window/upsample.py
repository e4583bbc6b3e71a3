"""Fixed upsampling: each output cell reads the nearest one to four input cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Factors, Numerals, unique
from convanim.language.words import join, marked, rejoin, say
from convanim.layers import Resampled, times
from convanim.layers.axis import resampled
from convanim.scene.caption import Caption
from convanim.scene.captions import left_out, output_cell, place, product_sum, rules
from convanim.scene.frame import (
    Cells,
    Frame,
    Outline,
    Phase,
    Role,
)
from convanim.scene.window.stage import ACROSS, Line
from convanim.scene.window.window import Seen, WindowScene
from convanim.trace import Step, UpsampleTrace

#: The phase of each mode, in a few words and in one, and the name of the mode.
WAYS = {
    "nearest": Phase("nearest", say("copy the nearest cell"), say("copy")),
    "bilinear": Phase("bilinear", say("mix the nearest cells"), say("mix")),
    "nails": Phase("nails", say("put zeros between the cells"), say("insert")),
}
MODES = {"nearest": say("nearest"), "bilinear": say("bilinear"), "nails": say("nails")}
#: The remarks on the position of an output cell.
PLACES = {
    "half_pixel": say("measured from cell centre to cell centre"),
    "asymmetric": say("measured from cell edge to cell edge"),
    "align_corners": say("corners aligned"),
}


class UpsampleScene(WindowScene):
    """Every output cell reads the nearest input cells, times their weights.

    Args:
        trace: of an upsampling in gather order.
        words: the names of the channels.

    Raises:
        ConvanimError: too many planes to show.
    """

    trace: UpsampleTrace

    def _detail(self) -> str:
        return resizing(self.trace)

    def _axes(self) -> list[Resampled]:
        return resampled(self.trace.axes)

    def _lines(self) -> tuple[Line, ...]:
        along = tuple(Line(a.input, 0, 1, a.input, 0, 0, 0, a) for a in self.trace.axes)
        return (ACROSS, *along) if len(along) == 1 else along

    def _results(self) -> Cells:
        """Cells between the nails are inserted zeros."""
        hit: Cells = np.ones((1,) * len(self.trace.axes), np.uint8)
        for i, taps in enumerate(self.trace.taps):
            along = np.moveaxis(taps.overlap().reshape(-1, *(1,) * (len(self.trace.axes) - 1)) > 0, 0, i)
            hit = hit & along
        out = np.where(hit, Role.DONE, Role.INSERTED).astype(np.uint8)
        return np.broadcast_to(out, self.trace.shape)

    def _phases(self) -> tuple[Phase, ...]:
        return (WAYS[self.trace.op.mode],)

    def _open(self) -> list[Frame]:
        told = say("input {size}, {told}", size=times(self.trace.x.shape[1:]), told=rejoin(self.detail, ", "))
        return [self._set(0, self.stage_roles, self.stage_values, told)]

    def look(self, step: Step, *, written: bool) -> Seen:
        """What a placement shows on the stage, and its arithmetic."""
        cell = step.writes[0].tolist()
        if not len(step.reads):
            subject = output_cell(cell, self.right.channels)
            return Seen(Caption(subject, (), "0", say("no nail here: a zero between them")))
        spots = [self._on_stage(r) for r in step.reads.tolist()]
        planes = sorted({p for p, _, _ in spots})
        rows, columns = sorted({r for _, r, _ in spots}), sorted({c for _, _, c in spots})
        # An input cell and its neighbour along each axis.
        window = Outline(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1, Role.KERNEL)
        notes: dict[int, dict[tuple[int, int], str]] = {p: {} for p in planes}
        if self.trace.op.mode == "bilinear":
            for (p, r, c), weight in zip(spots, step.weights.tolist(), strict=True):
                notes[p][r, c] = f"×{self._weights.text(weight)}"
        active = dict.fromkeys(planes, (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)))
        return Seen(self._caption(step), active, notes, dict.fromkeys(planes, (window,)))

    def _caption(self, step: Step) -> Caption:
        cell = step.writes[0].tolist()
        subject = output_cell(cell, self.right.channels)
        if self.trace.op.mode != "bilinear":
            source = join("", [say("input"), place(step.reads[0, 1:].tolist())])
            return Caption(subject, (source,), marked(self.numerals[1].text(step.written[0].item()), "done"))
        x, answer = self.numerals
        return replace(product_sum(step, (x, self._weights, answer), None, ""), subject=subject)

    @property
    def _weights(self) -> Numerals:
        if not hasattr(self, "_weight_numerals"):
            weight: NDArray[np.float64] = np.ones(1)
            for taps in self.trace.taps:
                own = np.ones(1) if taps.weight is None else unique(taps.weight)
                weight = unique(np.multiply.outer(weight, own))
            self._weight_numerals, self._weight_values = Factors(weight), weight
        return self._weight_numerals

    def _notes(self) -> tuple[str, str]:
        if self.trace.op.mode != "bilinear":
            return "", ""
        return "×" + self._weights.widest(self._weight_values), ""

    def closing(self) -> Caption:
        """The last caption: the size of the output."""
        sizes = [a.output for a in self.trace.axes]
        if self.trace.op.size is not None:
            return Caption(say("output size"), (), times(sizes), say("as asked"))
        told = [f"{a.input}·{_ratio(a)}" for a in self._axes()]
        floors = [bool(a.input * a.ratio[0] % a.ratio[1]) for a in self._axes()]
        told = [f"⌊{t}⌋" if floor else t for t, floor in zip(told, floors, strict=True)]
        if len(set(told)) == 1:
            return Caption(say("output size"), tuple(told[:1]), str(sizes[0]))
        return Caption(say("output size"), (" × ".join(told),), times(sizes))


def resizing(trace: UpsampleTrace) -> str:
    """An upsampling's arguments for the corner of a page.

    Example:
        >>> from convanim.layers import Upsample
        >>> resizing(Upsample(scale_factor=2, mode="nails").trace([1, 2]))
        'nails   factor 2'
    """
    op, axes = trace.op, resampled(trace.axes)
    ratios = [_ratio(a) for a in axes]
    factor = say("factor {n}", n=ratios[0] if len(set(ratios)) == 1 else "×".join(ratios))
    if op.size is not None:
        factor = say("size {n}", n=times([a.output for a in axes]))
    where = [PLACES[op.place]] if op.mode != "nails" else []
    return join("   ", [*left_out(trace), *([rules(op)] if rules(op) else []), MODES[op.mode], factor, *where])


def _ratio(axis: Resampled) -> str:
    up, down = axis.ratio
    text = f"{up / down:.4g}"
    return text if float(text) * down == up else f"{up}/{down}"

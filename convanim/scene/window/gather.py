"""Scenes in which a window slides: convolution, and transposed convolution by zero insertion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.explanation.arithmetic import arguments, count, per_axis, rings
from convanim.language.numerals import Factors, Numerals
from convanim.language.words import join, plural, say
from convanim.layers import Axis, times
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, place, product_sum
from convanim.scene.frame import (
    Blocks,
    Cells,
    Emphasis,
    Frame,
    Grid,
    Outline,
    Panel,
    Phase,
    Places,
    Role,
    Turn,
    flat,
    in_rows,
    lattice,
    whole,
)
from convanim.scene.whole.letters import Letters
from convanim.scene.window.stage import layers, roles
from convanim.scene.window.window import Seen, WindowScene
from convanim.trace import ConvTrace, Step
from convanim.trace.engine import padded
from convanim.trace.taps import folded

#: The maximum number of frames in which padding grows.
RINGS = 3
#: Remarks for padding modes that copy values.
COPIES = {
    "reflect": say("the ring copies the input, mirrored at its edge"),
    "symmetric": say("the ring copies the input, mirrored with its edge"),
    "replicate": say("the ring copies the nearest cell of the edge"),
    "circular": say("the ring copies the input from its other end"),
}
KERNEL = say("kernel")
INSERT = Phase("insert", say("insert zeros"), say("insert"))
PAD, CROP = say("pad"), say("crop")
SLIDE = Phase("slide", say("slide"), say("slide"))
#: What stride does to the input of a transposed layer.
INSERTS = plural("insert {n} zero between {what}", "insert {n} zeros between {what}")
#: The emphasis of the kernel's cells by the role of the cells below: the terms of the sum are lit, those of zeros not.
_LIT = np.full(len(Role), Emphasis.ACTIVE, np.uint8)
_LIT[[Role.INSERTED, Role.PADDING]] = Emphasis.NONE


class GatherScene(WindowScene):
    """A window slides over one plane: the opening prepares the stage step by step, then each output cell is computed.

    Args:
        trace: in gather order, with one channel and one or two axes.
        symbols: letters with indices instead of numbers.
    """

    trace: ConvTrace
    _takes_over = False

    def __init__(self, trace: ConvTrace, *, symbols: bool = False) -> None:
        self.letters = Letters(trace) if symbols else None
        self.mode = trace.axes[0].mode
        self._ring = Role.PADDING if self.mode == "zeros" else Role.COPIED
        self.kernel = flat(self.letters.kernel if self.letters else trace.kernel[0, 0])
        self._factor = self.letters.numerals[1] if self.letters else Factors(self.kernel)
        # The kernel as it slides.
        self._rotates = trace.op.slides_rotated
        self.slid = self.kernel[::-1, ::-1] if self._rotates else self.kernel
        self._factors = [f"×{self._factor.text(v)}" for v in self.slid.ravel().tolist()]
        super().__init__(trace)

    def _prepare(self) -> None:
        self._origins = self._copied()

    def _numbers(self) -> tuple[NDArray[Any], NDArray[Any], tuple[Numerals, Numerals]]:
        if not self.letters:
            return super()._numbers()
        x, _, answer = self.letters.numerals
        return self.letters.x[None], self.letters.answer, (x, answer)

    def _roles(self) -> Cells:
        return roles(*self.lines, ring=self._ring)

    def _values(self) -> NDArray[Any]:
        return super()._values() if self.mode == "zeros" else padded(self.x, self.trace.axes)

    def _blocks(
        self, left: tuple[Panel, ...], aside: tuple[tuple[Panel, ...], ...], right: tuple[Panel, ...]
    ) -> Blocks:
        stage = replace(left[0], titles=self._titles("stage"))
        return in_rows((stage, *aside[0], *right), len(self.trace.axes))

    def _aside(self) -> tuple[tuple[Panel, ...], ...]:
        looked_up = ("kernel", self.kernel.shape, self._titles("kernel"), self._factor, self.kernel)
        return ((Panel(*looked_up, aside=True, shade="kernel"),),)

    def _names(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """None: its only planes are named by what they show."""
        return (), ()

    def _titles(self, name: str) -> tuple[str, ...]:
        """Every title that a panel has in the opening."""
        return tuple(dict.fromkeys(frame.grids[name].title for frame in self._opening))

    def _title(self, plane: int) -> str:
        return self._opening[-1].grids["stage"].title

    def _beside(self, step: Step | None, *, written: bool) -> dict[str, Grid]:
        kernel = self._opening[-1].grids["kernel"]
        if step is None:
            return {"kernel": kernel}
        rows, columns = self._windows(step.writes[0].tolist())[1]
        lit = _LIT[self.stage_roles[0][rows, columns]]
        return {"kernel": Grid(kernel.title, kernel.roles, kernel.values, lit, turn=kernel.turn)}

    def _notes(self) -> tuple[str, str]:
        return max(self._factors, key=len), ""

    def _phases(self) -> tuple[Phase, ...]:
        return phases(self.trace, SLIDE)

    # The opening prepares the stage.

    def _open(self) -> list[Frame]:
        if not self.op.transposed:
            rows, columns = self.lines
            laid = [self._set_out(rows.places, columns.places), *self._pad()]
            return [*laid, *(self._rotate(laid[-1].grids["stage"]) if self._rotates else ())]
        set_out = [*self._insert(), *self._pad()]
        set_out += self._rotate(set_out[-1].grids["stage"])
        told = moved_by_one(self.trace.axes)
        return [*set_out, *[replace(set_out[-1], phase=3, captions=(Caption(remark=told),))] * bool(told)]

    def _frame(
        self, phase: int, stage: Grid, kernel: NDArray[Any], remark: str, title: str = KERNEL, turn: Turn = Turn.GIVEN
    ) -> Frame:
        grids = {
            "stage": stage,
            "kernel": replace(whole(title, Role.KERNEL, kernel), turn=turn),
            "output": whole(OUTPUT, Role.PENDING, self.answer[0]),
        }
        return Frame(phase, grids, (Caption(remark=remark),))

    def _set_out(self, at_rows: NDArray[Any], at_columns: NDArray[Any], remark: str = "") -> Frame:
        """The input's cells at these rows and columns, with inserted zeros between them."""
        shown = np.zeros(self.stage_roles[0].shape, np.uint8)
        values = np.zeros_like(self.stage_values[0])
        given = np.ix_(at_rows, at_columns)
        shown[at_rows[0] : at_rows[-1] + 1, at_columns[0] : at_columns[-1] + 1] = Role.INSERTED
        shown[given], values[given] = Role.DATA, flat(self.x[0])
        words = [say("input"), *[say("zeros inserted")] * bool((shown == Role.INSERTED).any())]
        if not remark:
            told = arguments(self.trace.axes, ", ")
            remark = say("input {size}, {told}", size=times(self.trace.x.shape[1:]), told=told)
        return self._frame(0, Grid(join(", ", words), shown, values, np.zeros_like(shown)), self.kernel, remark)

    def _insert(self) -> list[Frame]:
        rows, columns = self.lines
        frames = [self._set_out(rows.together, columns.together)]
        what = say("columns") if len(self.trace.axes) == 2 else say("cells")
        if columns.gap > 1 and columns.count > 1:
            remark = INSERTS(columns.gap - 1, what=what)
            frames.append(self._set_out(rows.together, columns.places, remark))
        if rows.gap > 1 and rows.count > 1:
            remark = INSERTS(rows.gap - 1, what=say("rows"))
            frames.append(self._set_out(rows.places, columns.places, remark))
        if len(frames) == 1:
            strides = all(n.gap == 1 for n in self.lines)
            why = say("no neighbours that zeros could come between")
            why = say("stride 1: there is nothing to insert") if strides else why
            frames.append(self._set_out(rows.places, columns.places, why))
        return frames

    def _pad(self) -> list[Frame]:
        """Padding grows layer by layer; with negative padding, cells are crossed out instead."""
        layer = layers(*self.lines)
        thickest = int(layer.max())
        phase = int(self.op.transposed)
        inserted = any(n.gap > 1 and n.count > 1 for n in self.lines)
        cropped = bool((self.stage_roles[0] == Role.CROPPED).any())
        words = [say("input")] + [say("zeros inserted")] * inserted
        words += [say("padded")] * (thickest > 0) + [say("cropped")] * cropped
        frames = []
        if thickest or cropped or self.op.transposed:
            reached = roles(*self.lines, unused=False, ring=self._ring)
            for most in sorted({-(-thickest * i // RINGS) for i in range(1, RINGS + 1)}):
                shown = np.where(layer <= most, reached, Role.NONE).astype(np.uint8)
                notes = {cell: note for cell, note in self._origins.items() if layer[cell] <= most}
                stage = Grid(join(", ", words), shown, self.stage_values[0], np.zeros_like(shown), notes)
                frames.append(self._frame(phase, stage, self.kernel, self._pad_remark()))
        if any(n.unused for n in self.lines):
            calm = np.zeros_like(self.stage_roles[0])
            notes = {cell: note for cell, note in self._origins.items() if self.stage_roles[0][cell] == Role.COPIED}
            stage = Grid(join(", ", words), self.stage_roles[0], self.stage_values[0], calm, notes)
            frames.append(self._frame(phase, stage, self.kernel, say("no window reaches the hatched cells")))
        return frames

    def _copied(self) -> dict[tuple[int, int], str]:
        """For each padding cell that copies, the position of the input cell that it copies."""
        if self.mode == "zeros":
            return {}
        held = [folded(np.arange(n.size) - n.first, n.count, self.mode) for n in self.lines]
        cells = np.argwhere(roles(*self.lines, unused=False) == Role.PADDING).tolist()
        rank = len(self.trace.axes)
        return {(r, c): place((int(held[0][r]), int(held[1][c]))[-rank:]) for r, c in cells}

    def _pad_remark(self) -> str:
        if self.mode != "zeros":
            return join(": ", [self.mode, COPIES[self.mode]])
        axes = self.trace.axes
        ringed = rings(axes)
        first, last = ringed[0]
        if not any(map(any, ringed)):
            return say("there is nothing to pad")
        if first == last and len(set(ringed)) == 1:
            if first < 0:
                return say("crop {cells} on every side", cells=count(-first, "cell"))
            if len({(a.kernel, a.dilation, a.before) for a in axes}) == 1:
                return padded_by(axes)
            return say("pad by {n}", n=first)
        names = ((say("above"), say("below")), (say("left"), say("right")))[2 - len(axes) :]
        ends = [(n, end) for pair, both in zip(ringed, names, strict=True) for n, end in zip(pair, both, strict=True)]
        added, cropped = (
            join(", ", [say("{n} {end}", n=n, end=end) for n, end in some])
            for some in ([(n, end) for n, end in ends if n > 0], [(-n, end) for n, end in ends if n < 0])
        )
        parts = [say("zeros added: {where}", where=added)] * bool(added)
        parts += [say("cells cropped: {where}", where=cropped)] * bool(cropped)
        told = join("; ", parts)
        return say("{told} (output padding {n})", told=told, n=_extra(axes)) if _extra(axes) else told

    def _rotate(self, stage: Grid) -> list[Frame]:
        phase = len(self.phases) - 2
        if not self._rotates:
            remark = say("{name} does not turn the kernel: it slides as it is given", name=self.op.rules.title)
            return [self._frame(phase, stage, self.kernel, remark)]
        first = self._frame(phase, stage, self.kernel, say("to slide, first turn the kernel by 180 degrees"))
        high, wide = self.kernel.shape
        rotated = join(", ", [KERNEL, say("turned")])
        if high == wide == 1:
            return [self._frame(phase, stage, self.kernel, say("a kernel of one cell stays as it is"), rotated)]
        if 1 in (high, wide):
            told = say("turn by 180 degrees: end to end")
            return [first, self._frame(phase, stage, self.slid, told, rotated, Turn.ROTATED)]
        half = say("turn by 180 degrees: left to right …")
        mirrored = self._frame(
            phase, stage, self.kernel[:, ::-1], half, join(", ", [KERNEL, say("mirrored")]), Turn.MIRRORED
        )
        turned = self._frame(
            phase, stage, self.slid, say("turn by 180 degrees: … and top to bottom"), rotated, Turn.ROTATED
        )
        return [first, mirrored, turned]

    # The sliding window.

    def look(self, step: Step, *, written: bool) -> Seen:
        """The window with the terms of its sum."""
        _, (rows, columns), window = self._windows(step.writes[0].tolist())
        under = lattice(*(range(s.start, s.stop, s.step) for s in (rows, columns)))
        nothing = "" if len(step.terms) else self._nothing(self.stage_roles[0][rows, columns])
        if self.letters:
            caption = self.letters.sum(step, nothing)
        else:
            bias = None if self.trace.bias is None else self.trace.bias[0].item()
            numerals = self.numerals[0], self._factor, self.numerals[1]
            caption = product_sum(step, numerals, bias, nothing, len(under))
        notes = dict(zip(under, self._factors, strict=True))
        return Seen(caption, {0: (rows, columns)}, {0: notes}, {0: (Outline(*window, Role.KERNEL),)})

    def reads(self, step: Step) -> Places:
        """The cells of the stage that a placement reads; none where the window meets only zeros."""
        return {"stage": (), **super().reads(step)}

    @staticmethod
    def _nothing(under: NDArray[np.uint8]) -> str:
        """The remark for a window without input values: what it covers instead."""
        names = {Role.INSERTED: say("an inserted zero"), Role.PADDING: say("padding")}
        met = [n for r, n in names.items() if (under == r).any()]
        what = met[0] if len(met) == 1 else say("{a} or {b}", a=met[0], b=met[1])
        return say("every input under the window is {what}", what=what)


def padding(axes: tuple[Axis, ...]) -> Phase:
    """The phase in which padding grows around the input, or in which negative padding crops it."""
    ringed = [n for pair in rings(axes) for n in pair]
    if min(ringed) < 0:
        return Phase("pad", say("pad and crop"), say("pad")) if max(ringed) > 0 else Phase("pad", CROP, CROP)
    return Phase("pad", PAD, PAD)


def phases(trace: ConvTrace, slide: Phase) -> tuple[Phase, ...]:
    """The phases of a window with weights, of which the last one slides."""
    pad, op = padding(trace.axes), trace.op
    if op.transposed:
        return INSERT, pad, turning(op.slides_rotated), slide
    pads = [pad] * any(map(any, rings(trace.axes)))
    return (*pads, *[turning(rotates=True)] * op.slides_rotated, slide)


def turning(rotates: bool) -> Phase:
    """The phase in which the kernel is turned, or kept as it is given."""
    if rotates:
        return Phase("rotate", say("turn the kernel"), say("turn"))
    return Phase("as given", say("kernel as given"), say("as given"))


def moved_by_one(axes: Sequence[Axis]) -> str:
    """Why the window of a transposed layer moves by one cell, whatever the stride; "" for stride 1."""
    stride = per_axis([a.stride for a in axes])
    return "" if stride == "1" else say("slide by 1: the stride {n} became the zeros", n=stride)


def padded_by(axes: Sequence[Axis]) -> str:
    """The number of zeros on every side, and for a transposed layer the sum that it follows from."""
    a, ((n, _), *_) = axes[0], rings(axes)
    if not a.transposed:
        return say("pad by {n}", n=n)
    if a.dilation == 1:
        return say("pad by {n} = kernel {k} − 1 − padding {p}", n=n, k=a.kernel, p=a.before)
    return say("pad by {n} = dilation {d} · (kernel {k} − 1) − padding {p}", n=n, d=a.dilation, k=a.kernel, p=a.before)


def _extra(axes: Any) -> str:
    extra = [a.output_padding for a in axes]
    return per_axis(extra) if any(extra) else ""

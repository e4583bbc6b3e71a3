"""The scene that counts: how many products end in each cell of the output.

Knows the phases of that view. Must not know pixels or time. A transposed layer stamps its kernel and adds 1 wherever
it lands; beside one whose stamps overlap unevenly stands the same layer with the nearest kernel size that would be
even. Of other layers each window counts what it reads.
"""

from __future__ import annotations

import numpy as np

from convanim.arithmetic import arguments, count, per_axis, sides
from convanim.numerals import Numerals
from convanim.ops import Conv
from convanim.scene.captions import OUTPUT, heading, place
from convanim.scene.counts import Counts, cured
from convanim.scene.frame import (
    Beats,
    Caption,
    Cells,
    Emphasis,
    Frame,
    Grid,
    OneBlock,
    Outline,
    Panel,
    Phase,
    Role,
    flat,
    whole,
)
from convanim.scene.stage import lines, roles
from convanim.scene.upsample import resizing
from convanim.taps import Ints
from convanim.trace import Trace, UpsampleTrace
from convanim.words import join, plural, say

LESS = plural("{told}, the window's other {n} is padding", "{told}, the window's other {n} are padding")
#: Up to so many placements are each shown in two frames: what is read, then what it adds.
TWO = 16


class OverlapScene(OneBlock):
    """How many taps end in each output cell, growing placement by placement, and why that is even or not.

    Args:
        trace: with one channel and one or two axes.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace.by_input() if trace.op.transposed else trace.by_output()
        own = Counts(self.trace)
        other = cured(trace) if own.uneven else None
        self.layers = {"output": own} | ({"cured": Counts(other.by_input())} if other else {})
        self.traces = tuple(layer.trace for layer in self.layers.values())
        self.captions = len(self.layers)
        self.title = heading(trace, say("{layer}, overlap", layer=trace.op.words))
        self.detail = resizing(trace) if isinstance(trace, UpsampleTrace) else arguments(trace.axes)
        self._titles = self._name()
        self._slides = self.trace.order == "gather"
        self.x = flat(trace.x[0])
        self._read_roles, self._read_values = self._reading()
        self._most = max(1, *(int(layer.all.max()) for layer in self.layers.values()))
        self._crops = any(layer.cuts for layer in self.layers.values())
        # The layer itself may have nothing to crop where the one beside it has.
        cut = next((layer for layer in self.layers.values() if layer.cuts), own)
        crop = Phase(say("crop p = {n}", n=sides([(a.before, a.after) for a in cut.axes])), say("crop"))
        walk = Phase(say("stamp and count"), say("stamp"))
        walk = Phase(say("slide and count"), say("slide")) if self._slides else walk
        self.phases = (
            walk,
            *([crop] if self._crops else []),
            Phase(say("even or uneven"), say("even?")),
        )
        self.panels = self._panels()
        self.rows = tuple((p,) for p in self.panels) if len(trace.axes) == 1 else (self.panels,)
        each = 2 if len(self.trace) <= TWO and not self._slides else 1
        self.beats = Beats(1, len(self.trace), each, 1 + 2 * self._crops, self.trace.cells[-1])

    def _name(self) -> dict[str, str]:
        if len(self.layers) == 1:
            slides = self.trace.order == "gather"
            reads = say("input cells read by each window")
            return {"output": reads if slides else say("products in each output cell")}
        own, other = (layer.axes for layer in self.layers.values())
        kernel, new = (per_axis([a.kernel for a in axes]) for axes in (own, other))
        crop, usual = (sides([(a.before, a.after) for a in axes]) for axes in (other, own))
        told = [say("kernel {new} instead of {n}", new=new, n=kernel)]
        told += [say("padding {n}", n=crop)] if crop != usual else []
        return {"output": say("products: kernel {n}", n=kernel), "cured": join(", ", told)}

    def _reading(self) -> tuple[Cells, Ints]:
        """What is read, as roles and values: the input, or what the window slides over."""
        if not self._slides:
            return np.full(self.x.shape, Role.DATA, np.uint8), self.x
        rows, columns = lines(self.trace.axes)
        shown = roles(rows, columns)
        values = np.zeros(shown.shape, self.x.dtype)
        if isinstance(self.trace.op, Conv) and self.trace.op.padding_mode != "zeros":
            copied = flat(self.trace.padded[0])
            values[: copied.shape[0], : copied.shape[1]] = copied
        values[np.ix_(rows.places, columns.places)] = self.x
        return shown, values

    def _panels(self) -> tuple[Panel, ...]:
        title = join(", ", [say("input"), *[say("padded")] * bool((self._read_roles == Role.PADDING).any())])
        first = Panel(
            "input", self._read_roles.shape, (title,), Numerals(self.x), self._read_values,
            aside=not self._slides, shade="data",
        )  # fmt: skip
        counts = np.arange(self._most + 1)
        return first, *(
            Panel(name, layer.shape, (self._titles[name],), Numerals(counts), counts, heat=self._most, group="counts")
            for name, layer in self.layers.items()
        )

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        opening, steps, each, closing, _ = self.beats
        if number < opening:
            return self._open()
        step, part = divmod(number - opening, each)
        if step < steps:
            return self._place(step, landed=part == each - 1)
        return self._close(number - opening - steps * each, closing)

    def _input(self, emphasis: Cells | None = None, *outlines: Outline) -> Grid:
        calm = np.zeros(self._read_roles.shape, np.uint8) if emphasis is None else emphasis
        return Grid(self.panels[0].titles[0], self._read_roles, self._read_values, calm, {}, outlines)

    def _lines(self, *captions: Caption) -> tuple[Caption, ...]:
        return (*captions, *[Caption()] * (self.captions - len(captions)))

    def _open(self) -> Frame:
        grids = {
            name: whole(self._titles[name], Role.PENDING, np.zeros_like(layer.all))
            for name, layer in self.layers.items()
        }
        told = say("each output cell counts the input cells that its window reads")
        if not self._slides:
            told = say("every input cell adds 1 to each cell that its stamp reaches")
        return Frame(0, {"input": self._input(), **grids}, self._lines(Caption(remark=told)))

    def _place(self, number: int, *, landed: bool) -> Frame:
        if self._slides:
            return self._slide(number)
        read = np.zeros(self.x.shape, np.uint8)
        at = np.unravel_index(number, self.x.shape)
        read[at] = Emphasis.WRITTEN
        row, column = (int(i) for i in at)
        source = Outline(row, column, row + 1, column + 1, Role.DATA)
        grids, captions = {"input": self._input(read, source)}, []
        for name, layer in self.layers.items():
            grid, caption = self._stamp(name, layer, number, landed=landed)
            grids[name] = grid
            captions.append(caption)
        return Frame(0, grids, tuple(captions), number + 1)

    def _stamp(self, name: str, layer: Counts, number: int, *, landed: bool) -> tuple[Grid, Caption]:
        """What one input cell adds to a layer's counts, or where it is about to."""
        step = layer.trace[number]
        before = layer.after(number)
        shown = layer.after(number + 1) if landed else before
        cells = (*(np.zeros((1, len(step.writes)), np.int64)), *step.writes[:, 1:].T)[-2:]
        emphasis = np.zeros(layer.shape, np.uint8)
        outlines: tuple[Outline, ...] = ()
        if len(step.writes):
            emphasis[cells] = Emphasis.WRITTEN if landed else Emphasis.NONE
            (top, bottom), (left, right) = ((int(c.min()), int(c.max()) + 1) for c in cells)
            outlines = (Outline(top, left, bottom, right, Role.KERNEL),)
        states = np.where(shown == 0, Role.PENDING, np.where(shown == 1, Role.DONE, Role.OVERLAP)).astype(np.uint8)
        met = int((before[cells] > 0).sum())
        subject = say("input cell {n}", n=number + 1)
        if len(step.reads):
            subject = join("", [say("input"), place(step.reads[0, 1:].tolist())])
        told = say("{cell} adds 1 to {cells}", cell=subject, cells=count(len(step.writes), "cell"))
        if len(self.layers) > 1:
            told = join(": ", [say("kernel {n}", n=per_axis([a.kernel for a in layer.axes])), told])
        if met:
            told = say("{told}, {n} of them hit before", told=told, n=met)
        return Grid(self._titles[name], states, shown, emphasis, {}, outlines), Caption(remark=told)

    def _slide(self, number: int) -> Frame:
        """A window, the input cells that it reads, and their number in the output."""
        layer, step = self.layers["output"], self.trace[number]
        at = (0, *step.writes[0, 1:].tolist())[-2:]
        rows, columns = lines(self.trace.axes)
        (top, bottom), (left, right) = rows.window(at[0]), columns.window(at[1])
        under = np.zeros(self._read_roles.shape, bool)
        under[top : bottom : rows.dilation, left : right : columns.dilation] = True
        copies = isinstance(self.trace.op, Conv) and self.trace.op.padding_mode != "zeros"
        read = under if copies else under & (self._read_roles == Role.DATA)
        emphasis = np.where(read, Emphasis.ACTIVE, Emphasis.NONE).astype(np.uint8)
        counts = layer.after(number + 1)
        states = np.full(counts.size, Role.PENDING, np.uint8)
        states[: number + 1] = Role.DONE
        new = np.zeros(counts.shape, np.uint8)
        new[at] = Emphasis.WRITTEN
        cell = Outline(at[0], at[1], at[0] + 1, at[1] + 1, Role.DONE)
        grids = {
            "input": self._input(emphasis, Outline(top, left, bottom, right, Role.KERNEL)),
            "output": Grid(self._titles["output"], states.reshape(counts.shape), counts, new, {}, (cell,)),
        }
        many, places = int(counts[at]), int(under.sum())
        name = join("", [OUTPUT, place(step.writes[0, 1:].tolist())])
        told = say("{cell} reads {cells}", cell=name, cells=count(many, "input cell"))
        told = LESS(places - many, told=told) if many < places else told
        return Frame(0, grids, (Caption(remark=told),), number + 1)

    def _close(self, number: int, closing: int) -> Frame:
        """The crop, in two frames where there is one; then the counts, and what they mean."""
        last = number == closing - 1
        grids = {"input": self._input()}
        for name, layer in self.layers.items():
            states = np.where(layer.all > 1, Role.OVERLAP, Role.DONE).astype(np.uint8)
            if number:
                states[:] = Role.CROPPED
            states[layer.kept] = np.where(layer.all > 1, Role.OVERLAP, Role.DONE)[layer.kept]
            outlines = [_around(layer.kept, Role.DONE)] if layer.cuts and not last else []
            if last and layer.inside and layer.inside != layer.kept:
                outlines.append(_around(layer.inside, Role.KERNEL))
            calm = np.zeros(layer.shape, np.uint8)
            grids[name] = Grid(self._titles[name], states, layer.all, calm, {}, tuple(outlines))
        verdicts = self._lines(*(layer.verdict() for layer in self.layers.values()))
        crop = Caption(remark=say("padding of a transposed layer is what is cut off"))
        phase = len(self.phases) - 1 if last else 1
        return Frame(phase, grids, verdicts if last else self._lines(crop), len(self.trace))


def _around(part: tuple[slice, slice], role: Role) -> Outline:
    rows, columns = part
    return Outline(rows.start, columns.start, rows.stop, columns.stop, role)

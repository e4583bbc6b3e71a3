"""The overlap view: the number of products that end in each output cell.

A transposed layer adds 1 wherever its kernel is stamped. If its stamps overlap unevenly, the layer with the nearest
even kernel size is shown beside it. For other layers, each window counts the cells that it reads.
"""

from __future__ import annotations

import numpy as np

from convanim.explanation.arithmetic import count, per_axis, sides
from convanim.language.numerals import Numerals
from convanim.language.words import join, plural, say
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, heading, place, plain_detail
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Cells,
    Emphasis,
    Frame,
    Grid,
    Link,
    Outline,
    Panel,
    Phase,
    Role,
    around,
    flat,
    in_rows,
    placed,
    whole,
)
from convanim.scene.stamp.canvas import cropping
from convanim.scene.whole.counts import Counts, cured
from convanim.scene.window.stage import lines, roles, window_at
from convanim.scene.window.upsample import resizing
from convanim.trace import Step, Trace, UpsampleTrace
from convanim.trace.taps import Ints

LESS = plural("{told}, the window's other {n} is padding", "{told}, the window's other {n} are padding")
#: Up to this many placements have two frames each: the reading, then the count.
TWO = 16


class OverlapScene(PlacementScene):
    """The number of taps per output cell, growing placement by placement, and why it is even or uneven.

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
        self.detail = resizing(trace) if isinstance(trace, UpsampleTrace) else plain_detail(trace)
        self._titles = self._name()
        self._slides = self.trace.order == "gather"
        self.x = flat(trace.x[0])
        self._read_roles, self._read_values = self._reading()
        self._most = max(1, *(int(layer.all.max()) for layer in self.layers.values()))
        self._crops = any(layer.cuts for layer in self.layers.values())
        # The layer itself may have no crop although the one beside it has one.
        self._cut = next((layer for layer in self.layers.values() if layer.cuts), own)
        crop = Phase("crop", say("crop"), say("crop"))
        walk = Phase("stamp", say("stamp and count"), say("stamp"))
        walk = Phase("slide", say("slide and count"), say("slide")) if self._slides else walk
        self.phases = (
            walk,
            *([crop] if self._crops else []),
            Phase("even", say("even or uneven?"), say("even?")),
        )
        self.blocks = in_rows(self._panels(), len(trace.axes))
        self._opening = [self._open()]
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

    @property
    def _copies(self) -> bool:
        """Whether padding holds copied values, which are read."""
        return any(axis.mode != "zeros" for axis in self.trace.axes)

    def _reading(self) -> tuple[Cells, Ints]:
        """The roles and values of the grid that is read: the input or the stage."""
        if not self._slides:
            return np.full(self.x.shape, Role.DATA, np.uint8), self.x
        rows, columns = lines(self.trace.axes)
        shown = roles(rows, columns)
        values = np.zeros(shown.shape, self.x.dtype)
        if self._copies:
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

    def links(self, step: int) -> tuple[Link, ...]:
        """The input cell of a stamp and the cells that count it, or the cells that a window reads."""
        if not self._slides:
            found = (self._landing(name, layer.trace[step]) for name, layer in self.layers.items())
            return tuple(link for link in found if link)
        at = divmod(step, self.layers["output"].shape[1])
        window, under = window_at(lines(self.trace.axes), at)
        read = under if self._copies else tuple(c for c in under if self._read_roles[c] == Role.DATA)
        return (Link("input", window, read, "output", at),)

    def _landing(self, name: str, step: Step) -> Link | None:
        """The link of a stamp in a layer; None if all of it is cropped."""
        cells = tuple((row, column) for *_, row, column in ((0, *w[1:]) for w in step.writes.tolist()))
        at = divmod(step.number, self.x.shape[1])
        return Link(name, around(cells, Role.KERNEL), cells, "input", at, stamps=True) if cells else None

    def _placement(self, number: int, ahead: int) -> Frame:
        if self._slides:
            return self._slide(number)
        landed = not ahead
        read = np.zeros(self.x.shape, np.uint8)
        at = divmod(number, self.x.shape[1])
        read[at] = Emphasis.WRITTEN
        grids, captions, links = {"input": self._input(read, around([at], Role.DATA))}, [], []
        for name, layer in self.layers.items():
            grid, caption, link = self._stamp(name, layer, number, landed=landed)
            grids[name] = grid
            captions.append(caption)
            links += [link] if link else []
        return Frame(0, grids, tuple(captions), number + 1, **placed(links, written=landed))

    def _stamp(self, name: str, layer: Counts, number: int, *, landed: bool) -> tuple[Grid, Caption, Link | None]:
        """The stamp of an input cell in a layer's counts, before or after it has `landed`."""
        step = layer.trace[number]
        before = layer.after(number)
        shown = layer.after(number + 1) if landed else before
        link = self._landing(name, step)
        cells = tuple(np.transpose(link.cells)) if link else ([], [])
        emphasis = np.zeros(layer.shape, np.uint8)
        emphasis[cells] = Emphasis.WRITTEN if landed else Emphasis.NONE
        states = np.where(shown == 0, Role.PENDING, np.where(shown == 1, Role.DONE, Role.OVERLAP)).astype(np.uint8)
        met = int((before[cells] > 0).sum())
        subject = say("input cell {n}", n=number + 1)
        if len(step.reads):
            subject = join("", [say("input"), place(step.reads[0, 1:].tolist())])
        told = say("{cell} adds 1 to {cells}", cell=subject, cells=count(len(step.writes), "cell"))
        if len(self.layers) > 1:
            told = join(": ", [say("kernel {n}", n=per_axis([a.kernel for a in layer.axes])), told])
        if met:
            told = say("{told}, {n} of them already written", told=told, n=met)
        grid = Grid(self._titles[name], states, shown, emphasis, {}, (link.window,) if link else ())
        return grid, Caption(remark=told), link

    def _slide(self, number: int) -> Frame:
        """A window, the input cells that it reads, and their number in the output cell."""
        layer, step = self.layers["output"], self.trace[number]
        (link,) = self.links(number)
        at = link.cell
        emphasis = np.zeros(self._read_roles.shape, np.uint8)
        emphasis[tuple(np.transpose(link.cells))] = Emphasis.ACTIVE
        counts = layer.after(number + 1)
        states = np.full(counts.size, Role.PENDING, np.uint8)
        states[: number + 1] = Role.DONE
        new = np.zeros(counts.shape, np.uint8)
        new[at] = Emphasis.WRITTEN
        cell = around([at], Role.DONE)
        grids = {
            "input": self._input(emphasis, link.window),
            "output": Grid(self._titles["output"], states.reshape(counts.shape), counts, new, {}, (cell,)),
        }
        many, places = int(counts[at]), len(window_at(lines(self.trace.axes), at)[1])
        name = join("", [OUTPUT, place(step.writes[0, 1:].tolist())])
        told = say("{cell} reads {cells}", cell=name, cells=count(many, "input cell"))
        told = LESS(places - many, told=told) if many < places else told
        return Frame(0, grids, (Caption(remark=told),), number + 1, **placed([link]))

    def _closed(self, number: int) -> Frame:
        """The crop (two frames, if there is one), then the counts and their meaning."""
        last = number == self.beats.closing - 1
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
        crop = Caption(remark=cropping(self._cut.axes))
        phase = len(self.phases) - 1 if last else 1
        return Frame(phase, grids, verdicts if last else self._lines(crop), len(self.trace))


def _around(part: tuple[slice, slice], role: Role) -> Outline:
    rows, columns = part
    return Outline(rows.start, columns.start, rows.stop, columns.stop, role)

"""The overlap-add view of transposed convolution, in which the kernel is stamped onto a canvas."""

from __future__ import annotations

from typing import Any

import numpy as np

from convanim.explanation.arithmetic import per_axis
from convanim.language.words import join, marked, plural, say
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, detail, heading, place, size_formula
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Emphasis,
    Frame,
    Grid,
    Link,
    Move,
    Outline,
    Panel,
    Phase,
    Role,
    around,
    in_rows,
    lattice,
    placed,
    still,
    whole,
)
from convanim.scene.stamp.canvas import Canvas, LetteredCanvas, covered, cropped_by, cropping, landing, stamped
from convanim.trace import ConvTrace, Trace

INPUT, PRODUCT = say("input"), say("product")
#: Remarks: every input value scales the kernel, and a stamp meets others.
SCALES = plural(
    "the {what} value scales the kernel; the products are added up",
    "each of the {n} {what} values scales the kernel; the products are added up",
)
MEETS = plural("{n} cell overlaps: {sum}", "{n} cells overlap: {sum}")
#: The maximum number of stamps with three frames each (read, scale, add), and with two; more have one.
THREE, TWO = 16, 49


class ScatterScene(PlacementScene):
    """Every input cell scales the kernel, and the product is added to a canvas, which is cropped in the end.

    Args:
        trace: of a transposed layer in scatter order, with one channel and one or two axes.
        symbols: letters with indices instead of numbers.
        reads, writes: the names of its input and output.
    """

    def __init__(self, trace: ConvTrace, *, symbols: bool = False, reads: str = INPUT, writes: str = OUTPUT) -> None:
        self.trace, self.op = trace, trace.op
        self._reads, self._writes = reads, writes
        self.traces: tuple[Trace, ...] = (trace,)
        self.title, self.detail = heading(trace), detail(trace)
        self._symbols, self.canvas = symbols, LetteredCanvas(trace) if symbols else Canvas(trace)
        self.x, self.kernel, self.answer = self.canvas.x, self.canvas.kernel, self.canvas.answer
        self.shape = self.canvas.shape
        # A convention whose kernel slides as it is given stamps it rotated.
        self._kernel_title = say("kernel") if self.op.rules.rotates else join(", ", [say("kernel"), say("turned")])
        axes = trace.axes
        self._before = (0, *(a.kept.start for a in axes))[-2:]
        self._cuts = self.shape != self.answer.shape
        # Output padding is shown during the crop, even if nothing is cropped.
        self._crops = self._cuts or any(a.output_padding for a in axes)
        self._asked = any(a.before or a.after for a in axes)
        self._name = say("full result") if self._crops else writes
        each = 3 if len(trace) <= THREE else 2 if len(trace) <= TWO else 1

        self.phases = self._phases()
        self.blocks = in_rows(self._panels(), len(axes))
        self._opening, self._closing = [self._open()], self._close()
        self.beats = Beats(1, len(trace), each, len(self._closing), axes[-1].input)

    def _phases(self) -> tuple[Phase, ...]:
        bias = (Phase("bias", say("add the bias"), say("bias")),) if self.canvas.bias else ()
        edge = Phase("crop", say("crop"), say("crop"))
        if not self._asked:
            edge = Phase("output padding", say("output padding"), say("pad"))
        return (
            Phase("read", say("read a value"), say("read")),
            Phase("scale", say("scale the kernel"), say("scale")),
            Phase("add", say("add the product"), say("add")),
            # Without a crop, no frame would be in that phase.
            *([edge] if self._crops else []),
            *bias,
        )

    def _panels(self) -> tuple[Panel, ...]:
        x, kernel, product, total = self.canvas.numerals
        note, kernels, out = self.canvas.longest_note(), (self._kernel_title,), self._writes
        titles = (out, join(", ", [out, say("cropped")]), self._canvas_title) if self._crops else (out,)
        looked_up: Any = {"aside": True}
        return (
            Panel("input", self.x.shape, (self._reads,), x, self.x, shade="data", **looked_up),
            Panel("kernel", self.kernel.shape, kernels, kernel, self.kernel, sign="×", shade="kernel", **looked_up),
            Panel(
                *("stamp", self.kernel.shape, (PRODUCT,), product, self.canvas.products),
                sign="=",
                shade="product",
                **looked_up,
            ),
            Panel("canvas", self.shape, titles, total, self.canvas.shown, note),
        )

    @property
    def _canvas_title(self) -> str:
        if not self._crops:
            return self._writes
        what = say("full result") if self._writes == OUTPUT else self._writes
        return join(", ", [what, say("before cropping")]) if self._asked else what

    def _grids(self, canvas: Grid, stamp: Grid | None = None, read: tuple[int, int] | None = None) -> dict[str, Grid]:
        grids = {
            "input": whole(self._reads, Role.DATA, self.x),
            "kernel": whole(self._kernel_title, Role.KERNEL, self.kernel),
            "stamp": stamp or whole(PRODUCT, Role.PENDING, self.kernel),
            "canvas": canvas,
        }
        if read:
            mark = np.zeros(self.x.shape, np.uint8)
            mark[read] = Emphasis.WRITTEN
            grids["input"] = still(grids["input"], emphasis=mark, outlines=(around([read], Role.DATA),))
        return grids

    def _open(self) -> Frame:
        canvas = whole(self._canvas_title, Role.PENDING, np.zeros(self.shape, self.canvas.shown.dtype))
        remark = SCALES(self.x.size, what=self._reads)
        if not self.op.rules.rotates:
            name = self.op.rules.title
            remark = say("{name} slides the kernel as it is given, so it is stamped turned by 180 degrees", name=name)
        return Frame(0, self._grids(canvas), (Caption(remark=remark),))

    def links(self, step: int) -> tuple[Link, ...]:
        """The link between the input cell of a stamp and the canvas cells that it is added to."""
        return (landing(self.trace.axes, self.x.shape[1], step),)

    def _placement(self, number: int, ahead: int) -> Frame:
        """A part of a stamp: the last frame adds the product, the one before scales the kernel, the first reads."""
        step, (link,) = self.trace[number], self.links(number)
        at, where = link.cell, link.window
        cells = self.canvas.cells(step)
        before, hit = self.canvas.after(number), self.canvas.hit(number)
        shown = np.where(hit, Role.DONE, Role.PENDING).astype(np.uint8)
        source = join("", [self._reads, place(step.reads[0, 1:].tolist())])
        times_kernel = stamped(self.canvas.value(step))
        product = whole(PRODUCT, Role.PRODUCT, self.canvas.product(step))
        calm = np.zeros(self.shape, np.uint8)
        if ahead == 2:
            canvas = Grid(self._canvas_title, shown, before, calm)
            value = Caption(source, (), marked(self.canvas.value(step), "data"))
            return Frame(0, self._grids(canvas, None, at), (value,), number + 1, reads={"input": (at,)})
        if ahead == 1:
            canvas = Grid(self._canvas_title, shown, before, calm, {}, (where,))
            gaps = say("with gaps, as the kernel is dilated") if any(a.dilation > 1 for a in self.trace.axes) else ""
            caption = Caption(PRODUCT, (say("{cell} · kernel", cell=source),), times_kernel, gaps)
            waiting = placed([link], written=False)
            return Frame(1, self._grids(canvas, product, at), (caption,), number + 1, **waiting)
        notes = self.canvas.notes(number)
        after = self.canvas.after(number + 1)
        overlap = hit[cells]
        shown[cells] = np.where(overlap, Role.OVERLAP, Role.DONE)
        calm[cells] = Emphasis.WRITTEN
        canvas = Grid(self._canvas_title, shown, after, calm, notes, (where,))
        met = int(overlap.sum())
        remark: str = say("no overlap")
        if met:
            cell, *more = notes
            one = join("", [self.canvas.sum(number, cell), ", …" * bool(more)])
            # Sums of letters are long.
            remark = one if self._symbols else MEETS(met, sum=one)
        subject = join("", [self._name, covered(self.trace.axes, where)])
        caption = Caption(subject, (times_kernel,), "", remark, relation="+=")
        stamp = Move("stamp", lattice(*map(range, self.kernel.shape)), "canvas", link.cells)
        return Frame(2, self._grids(canvas, product, at), (caption,), number + 1, **placed([link]), moves=(stamp,))

    def _close(self) -> list[Frame]:
        """Cropping, the bias, and the result."""
        canvas, hit = self.canvas.after(len(self.trace)), self.canvas.hit(len(self.trace))
        rows, columns = (slice(b, b + o) for b, o in zip(self._before, self.answer.shape, strict=True))
        inside = Outline(rows.start, columns.start, rows.stop, columns.stop, Role.DONE)
        shown = np.full(self.shape, Role.CROPPED, np.uint8)
        shown[rows, columns] = Role.DONE
        title = join(", ", [self._writes, say("cropped")]) if self._cuts else self._writes
        frames = []
        if self._crops:
            grown = np.where(hit, Role.DONE, Role.PENDING).astype(np.uint8)
            edges = (inside, *self._kept(rows, columns))
            whole_canvas = Grid(self._canvas_title, grown, canvas, np.zeros(self.shape, np.uint8), {}, edges)
            frames.append(self._last(3, whole_canvas, self._crop_caption()))
            frames.append(self._last(3, still(whole_canvas, roles=shown, outlines=edges), self._crop_caption()))
        finished = self.canvas.result(rows, columns)
        result = Grid(title, shown, finished, np.zeros(self.shape, np.uint8))
        if self.canvas.bias:
            added = Caption(remark=say("add the bias {value} to every output cell", value=self.canvas.bias))
            frames.append(self._last(len(self.phases) - 1, result, added))
        # Without crop and bias, the result is the canvas itself.
        phase = len(self.phases) - 1 if frames else 2
        return [*frames, self._last(phase, result, size_formula(self.trace.axes))]

    def _kept(self, rows: slice, columns: slice) -> list[Outline]:
        """Outlines of the rows and columns that output padding keeps, the last ones of the output."""
        extra = (0, *(a.output_padding for a in self.trace.axes))[-2:]
        # A crop at the end may leave less than that.
        top, left = max(rows.stop - extra[0], rows.start), max(columns.stop - extra[1], columns.start)
        edges = [(top, columns.start), (rows.start, left)]
        return [
            Outline(top, left, rows.stop, columns.stop, Role.KERNEL)
            for (top, left), n in zip(edges, extra, strict=True)
            if n
        ]

    def _last(self, phase: int, canvas: Grid, caption: Caption) -> Frame:
        return Frame(phase, self._grids(canvas), (caption,), len(self.trace))

    def _crop_caption(self) -> Caption:
        axes = self.trace.axes
        extra = [a.output_padding for a in axes]
        crop, more = cropped_by(axes), per_axis(extra)
        told = cropping(axes)
        if any(a.canvas > a.full for a in axes):
            added = say("output padding {n} adds the outlined edge, which no product reaches in full", n=more)
            told = join("; ", [*[crop] * self._asked, added])
        elif any(extra):
            told = say("{crop}, but output padding {n} keeps the outlined edge", crop=crop, n=more)
        return Caption(remark=told)

"""Pictures in their own colours under transposed convolution by overlap-add, where colours add."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Numerals
from convanim.language.words import join, say
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
    Phase,
    Role,
    around,
    flat,
    in_rows,
    lattice,
    placed,
)
from convanim.scene.stamp.canvas import covered, cropping, landed, landing
from convanim.scene.tints import (
    CHANNELS,
    Colours,
    check,
    clipped,
    distinct,
    kernel_panels,
    picture,
    picture_panel,
    tinted,
)
from convanim.scene.window.stage import ACROSS
from convanim.scene.window.window import TWO
from convanim.trace import ConvTrace, Trace

INPUT, PRODUCT = say("input"), say("product")


class StampScene(PlacementScene):
    """Every cell of a picture stamps its colour times the kernel; overlapping colours add up.

    Args:
        trace: of a transposed convolution with three groups over three channels, in scatter order.
        saturate: whether captions say that values beyond 255 clip.

    Raises:
        ConvanimError: the input is not a picture, or the layer mixes its channels.
    """

    captions = 2

    def __init__(self, trace: ConvTrace, *, saturate: bool = False) -> None:
        check(trace)
        self.trace, self.saturate = trace, saturate
        self.traces: tuple[Trace, ...] = (trace,)
        self.title, self.detail = heading(trace), join("   ", [detail(trace), say("groups {n}", n=3)])
        self.x = np.stack([flat(c) for c in trace.x])
        self.weight = np.stack([flat(w) for w in trace.weight[:, 0]])
        self.answer = np.stack([flat(c) for c in trace.answer])
        axes = trace.axes
        high, wide = (1, *trace.canvas[1:])[-2:]
        self.shape = high, wide
        kept = (slice(0, ACROSS.size), *(a.kept for a in axes))[-2:]
        self._kept: tuple[slice, slice] = (kept[0], kept[1])
        self._cuts = self.shape != self.answer.shape[1:]
        self._to, self._held = 0, self._blank()  # the canvas after the latest stamp; its arrays are never modified
        self._picture = tinted(self.x)
        asides, self._aside = kernel_panels(trace.weight[:, 0], "×")
        colours, products = self._survey()
        last = (Phase("crop", say("crop"), say("crop")),) * self._cuts
        last += (Phase("bias", say("add the bias"), say("bias")),) * (trace.bias is not None)
        adding = Phase("add", say("add the product"), say("add"))
        self.phases = (Phase("scale", say("scale the kernel"), say("scale")), adding, *last)
        stamp = (int(self.weight.shape[1]), int(self.weight.shape[2]))
        panels = (
            picture_panel("input", INPUT, self._picture.shape[:2], distinct(self._picture)),
            *asides,
            replace(picture_panel("stamp", PRODUCT, stamp, products), aside=True, sign="="),
            picture_panel("canvas", OUTPUT, self.shape, colours),
        )
        self.blocks = in_rows(panels, len(axes))
        self._opening, self._closing = [self._open()], self._close()
        count = self.x[0].size
        self.beats = Beats(1, count, 2 if count <= TWO else 1, len(self._closing), axes[-1].input)

    def _blank(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        return np.zeros((3, *self.shape), self.answer.dtype), np.zeros(self.shape, np.int64)

    def _cells(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The rows and columns of the canvas cells that a stamp covers."""
        (link,) = self.links(number)
        rows, columns = np.transpose(link.cells)
        return rows, columns

    def _product(self, number: int) -> NDArray[Any]:
        row, column = divmod(number, self.x.shape[2])
        product: NDArray[Any] = self.x[:, row, column][:, None, None] * self.weight
        return product

    def _after(self, stamps: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The canvas (3, rows, columns) after the first `stamps` stamps, and a mask of the cells that were hit."""
        if stamps < self._to:
            self._to, self._held = 0, self._blank()
        if self._to < stamps:
            canvas, hits = (a.copy() for a in self._held)
            landed(canvas, hits, self.x, self.weight, self.trace.axes, (self._to, stamps))
            self._held, self._to = (canvas, hits), stamps
        return self._held[0], self._held[1] > 0

    def _survey(self) -> tuple[Colours, Colours]:
        """Every colour that the canvas and the product ever show."""
        seen, products = [tinted(self.answer), np.zeros((1, 3), np.uint8)], [np.zeros((1, 3), np.uint8)]
        for n in range(self.x[0].size):
            rows, columns = self._cells(n)
            seen.append(np.unique(tinted(self._after(n + 1)[0][:, rows, columns]), axis=0))
            products.append(np.unique(tinted(self._product(n)).reshape(-1, 3), axis=0))
        seen.append(tinted(self._after(self.x[0].size)[0] + self._bias()))
        return distinct(*seen), distinct(*products)

    def _bias(self) -> NDArray[Any]:
        zeros = np.zeros(3, self.answer.dtype)
        return (zeros if self.trace.bias is None else self.trace.bias)[:, None, None]

    def _grids(self, canvas: Grid, number: int | None = None) -> dict[str, Grid]:
        size = self._picture.shape[:2]
        calm, more = np.zeros(size, np.uint8), tuple[Outline, ...]()
        shape = self.weight.shape[1:]
        stamp = picture(PRODUCT, np.full(shape, Role.PENDING, np.uint8), np.zeros((*shape, 3), np.uint8))
        if number is not None:
            at = divmod(number, size[1])
            calm[at], more = Emphasis.WRITTEN, (around([at], Role.DATA),)
            product = tinted(self._product(number))
            stamp = picture(PRODUCT, np.full(shape, Role.PRODUCT, np.uint8), product)
        source = picture(INPUT, np.full(size, Role.DATA, np.uint8), self._picture, emphasis=calm, outlines=more)
        return {"input": source, **self._aside, "stamp": stamp, "canvas": canvas}

    def _open(self) -> Frame:
        canvas = picture(OUTPUT, np.full(self.shape, Role.PENDING, np.uint8), tinted(self._blank()[0]))
        remark = say("every cell stamps the kernel in its colour; where stamps overlap, the colours add")
        return Frame(0, self._grids(canvas), (Caption(remark=remark), Caption()))

    def links(self, step: int) -> tuple[Link, ...]:
        """The link between the input cell of a stamp and the canvas cells that it is added to."""
        return (landing(self.trace.axes, self.x.shape[2], step),)

    def _placement(self, number: int, ahead: int) -> Frame:
        before, hit = self._after(number)
        rows, columns = self._cells(number)
        met = np.zeros(self.shape, bool)
        met[rows, columns] = hit[rows, columns]
        roles = np.where(hit, Role.DONE, Role.PENDING).astype(np.uint8)
        fresh = np.zeros(self.shape, np.uint8)
        (link,) = self.links(number)
        outline, at = link.window, link.cell
        told = say("{cell} · kernel", cell=join("", [INPUT, place(at[-len(self.trace.axes) :])]))
        if ahead:
            canvas = picture(OUTPUT, roles, tinted(before), outlines=(outline,))
            values = self.x[:, at[0], at[1]].tolist()
            numerals = Numerals(self.x)
            named = zip(CHANNELS, values, strict=True)
            colour = join(", ", [join(" ", [c, numerals.text(v)]) for c, v in named])
            caption = Caption(PRODUCT, (told,), "", colour)
            waiting = placed([link], written=False)
            return Frame(0, self._grids(canvas, number), (caption, Caption()), number + 1, **waiting)
        after, _ = self._after(number + 1)
        fresh[rows, columns] = Emphasis.WRITTEN
        roles[rows, columns] = Role.DONE
        roles[met] = Role.OVERLAP
        canvas = picture(OUTPUT, roles, tinted(after), emphasis=fresh, outlines=(outline,))
        caption = Caption(join("", [OUTPUT, covered(self.trace.axes, outline)]), (told,), "", relation="+=")
        if not met.any():
            caption = replace(caption, remark=say("no overlap"))
        captions = caption, self._sums(before, after, met)
        stamp = Move("stamp", lattice(*map(range, self.weight.shape[1:])), "canvas", link.cells)
        return Frame(1, self._grids(canvas, number), captions, number + 1, **placed([link]), moves=(stamp,))

    def _sums(self, before: NDArray[Any], after: NDArray[Any], met: NDArray[np.bool_]) -> Caption:
        """The three sums of one cell where stamps overlap: `[0,4]: red 255 + 0 = 255, green ...`."""
        if not met.any():
            return Caption()
        cells = np.argwhere(met)
        # The most instructive cell: one where colours mix, or exceed the range.
        sums = after[:, cells[:, 0], cells[:, 1]]
        row, column = cells[int(sums.sum(axis=0).argmax())].tolist()
        numerals = Numerals(after, before, after - before)
        parts = []
        for name, old, new in zip(
            CHANNELS, before[:, row, column].tolist(), after[:, row, column].tolist(), strict=True
        ):
            sum_of = f"{numerals.text(old)} + {numerals.text(new - old)} = {numerals.text(new)}"
            text = join(" ", [name, sum_of])
            remark = clipped(new, saturate=self.saturate)
            parts.append(join("", [text, " (", remark, ")"]) if remark else text)
        where = place((row, column)[-len(self.trace.axes) :])
        return Caption(remark=join(": ", [where, join(", ", parts)]))

    def _close(self) -> list[Frame]:
        """Cropping, the bias, and the result, which is black where no product lands."""
        count = self.x[0].size
        canvas, hit = self._after(count)
        rows, columns = self._kept
        inside = Outline(rows.start, columns.start, rows.stop, columns.stop, Role.DONE)
        roles = np.full(self.shape, Role.CROPPED, np.uint8)
        roles[rows, columns] = Role.DONE
        frames: list[tuple[int, Grid, Caption]] = []
        if self._cuts:
            grown = np.where(hit, Role.DONE, Role.PENDING).astype(np.uint8)
            crop = Caption(remark=cropping(self.trace.axes))
            frames.append((2, picture(OUTPUT, grown, tinted(canvas), outlines=(inside,)), crop))
        if self.trace.bias is not None:
            canvas = canvas + self._bias()
            named = zip(CHANNELS, self.trace.bias.tolist(), strict=True)
            told = join(", ", [join(" ", [n, f"{b:g}"]) for n, b in named])
            bias = Caption(remark=say("add the bias to every output cell: {values}", values=told))
            frames.append((len(self.phases) - 1, picture(OUTPUT, roles, tinted(canvas)), bias))
        frames.append((len(self.phases) - 1, picture(OUTPUT, roles, tinted(canvas)), size_formula(self.trace.axes)))
        black = say("black where no product lands") if not hit[rows, columns].all() else ""
        return [
            Frame(phase, self._grids(grid), (caption, Caption(remark=black if grid is frames[-1][1] else "")), count)
            for phase, grid, caption in frames
        ]

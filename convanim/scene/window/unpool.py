"""Max unpooling: every value returns to the position of its maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Numerals
from convanim.language.words import join, marked, parts_of, rejoin, say
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, detail, heading, output_cell, place, size_formula
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Blocks,
    Cells,
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
    placed,
)
from convanim.scene.window.pool import PoolScene
from convanim.scene.window.slab import Slab, check
from convanim.scene.window.window import SURVEYED, TWO, Where
from convanim.trace import PoolTrace, Trace, UnpoolTrace

#: The number of frames for the pooling that is undone.
POOLED = 4
POOLED_CELLS = say("pooled")
ZEROS = say("zeros elsewhere")


class UnpoolScene(PlacementScene):
    """Every pooled value goes to its position, with zeros elsewhere; before that, if given, the pooling is shown.

    Args:
        trace: of an unpooling.
        pool: the trace of the max pooling that it undoes.
        words: the names of the channels.

    Raises:
        ConvanimError: too many planes to show.
    """

    def __init__(self, trace: UnpoolTrace, pool: PoolTrace | None = None, words: Sequence[str] = ()) -> None:
        self.trace, self.op = trace.by_input(), trace.op
        self.traces: tuple[Trace, ...] = (self.trace, pool) if pool is not None else (self.trace,)
        self.title, self.detail = heading(trace), detail(trace)
        self._output = trace.shape[1:]
        named = tuple(words) if len(words) == len(trace.x) else ()
        self.left = Slab("input", say("input"), len(trace.x), trace.x.shape[1:], named, given=True)
        self.right = Slab("output", OUTPUT, len(trace.x), self._output, named)
        check(self.op, self.left, self.right)
        self.x, self.answer = self.left.planes(trace.x), self.right.planes(trace.answer)
        self.numerals = Numerals(trace.x), Numerals(trace.answer)
        self._spots = np.stack(np.unravel_index(trace.places.reshape(-1), self._output), axis=-1).tolist()
        each = prod(trace.x.shape[1:])
        targets = [self.right.at((number // each, *spot)) for number, spot in enumerate(self._spots)]
        self._targets = np.array(targets, np.int64).T
        # The notes of cells whose flat index is another position in rows of another length.
        self._moved: list[Any] = []
        if trace.pooled is not None and trace.pooled[1:] != self._output[1:]:
            self._moved = np.stack(np.unravel_index(trace.places.reshape(-1), trace.pooled), axis=-1).tolist()
        self._pool = PoolScene(pool.by_output(), words) if pool is not None else None
        undone = Phase("pool", say("pool and remember where"), say("pool"))
        put = say("unpool") if self._moved else say("put each value where it was")
        self.phases = (*((undone,) if self._pool else ()), Phase("unpool", put, say("unpool")))
        self._opening = self._open()
        self.blocks = self._blocks()
        self.beats = Beats(
            len(self._opening), len(self.trace), 2 if len(self.trace) <= TWO else 1, 1, trace.axes[-1].input
        )

    def _blocks(self) -> Blocks:
        notes = ""
        if len(self.trace) <= SURVEYED:
            notes = max((place(spot) for spot in self._spots), key=len)
        mid = self.left.panels(self.numerals[0], self.x, notes, holds="input")
        mid = tuple(replace(panel, titles=(title,)) for panel, title in zip(mid, self._titles, strict=True))
        right = self.right.panels(self.numerals[1], self.answer, holds="output")
        before: tuple[Panel, ...] = ()
        if self._pool:
            named = (p for p in self._pool.panels if p.name in self._pool.left.names)
            before = tuple(replace(p, name=f"pooled {p.name}") for p in named)
        if len(self.trace.axes) == 1:
            return (tuple((p,) for p in (*before, *mid, *right)),)
        if self.left.count == 1:
            return (((*before, *mid, *right),),)
        return (tuple(row for row in (before, mid, right) if row),)

    @property
    def _titles(self) -> tuple[str, ...]:
        if self._pool and self.left.count == 1:
            return (POOLED_CELLS,)
        return tuple(join(", ", [POOLED_CELLS, t]) for t in self.left.titles) if self._pool else self.left.titles

    # Frames.

    def _after(self, values: int) -> tuple[Cells, NDArray[Any]]:
        """The roles and values of the output (planes, rows, columns) after the first `values` values."""
        shown, held = np.full(self.answer.shape, Role.PENDING, np.uint8), np.zeros_like(self.answer)
        to = tuple(self._targets[:, :values])
        shown[to], held[to] = Role.DONE, self.trace.x.reshape(-1)[:values]
        return shown, held

    def _to(self, number: int) -> tuple[int, int, int]:
        """The target of a value: plane, row and column of the output."""
        plane, row, column = self._targets[:, number].tolist()
        return plane, row, column

    def _open(self) -> list[Frame]:
        frames = []
        if self._pool:
            frames = [self._pooling(self._pool, i) for i in range(POOLED)]
        remark = say("each value goes to the place of its maximum; all else becomes zero")
        if self._moved:
            remark = say("places count cells of the output, whose rows are not as long as those that were pooled")
        return [*frames, Frame(len(self.phases) - 1, self._grids(0), (Caption(remark=remark),))]

    def _pooling(self, scene: PoolScene, part: int) -> Frame:
        """A frame of the pooling: a share of its windows is done after each, and all in the last one."""
        opening, steps, each, _, _ = scene.beats
        done = steps * part // (POOLED - 1)
        numbers = {0: 0, POOLED - 1: scene.beats.total - 1}
        frame = scene.frame(numbers.get(part, opening + max(done, 1) * each - 1))
        grids = dict(self._grids(0, pooled=False))
        size = self.x[0].size
        for i, name in enumerate(self.left.names):
            shown = np.full(size, Role.PENDING, np.uint8)
            shown[: max(0, done - i * size)] = Role.DONE
            shown = shown.reshape(self.left.shape)
            notes = {cell: note for cell, note in grids[name].notes.items() if shown[cell] == Role.DONE}
            grids[name] = replace(grids[name], roles=shown, notes=notes)
        for name in scene.left.names:
            grids[f"pooled {name}"] = frame.grids[name]
        if part == 0:
            told = rejoin(scene.detail, ", ")
            remark = say("first the pooling that is undone: max pooling, {told}", told=told)
            return Frame(0, grids, (Caption(remark=remark),))
        if part == POOLED - 1:
            return Frame(0, grids, (Caption(remark=say("the green cells were maxima: their places are remembered")),))
        (caption,) = frame.captions
        subject = join("", [POOLED_CELLS, *parts_of(caption.subject)[1:]])
        return Frame(0, grids, (replace(caption, subject=subject),))

    def _grids(
        self, values: int, at: int | None = None, *, written: bool = False, pooled: bool = True, final: bool = False
    ) -> dict[str, Grid]:
        """The grids after the first `values` values, with the current one at `at`."""
        shown, held = self._after(values)
        grids: dict[str, Grid] = {}
        if self._pool and pooled:
            last = self._pool.frame(self._pool.beats.total - 1)
            grids |= {f"pooled {name}": last.grids[name] for name in self._pool.left.names}
        source = None if at is None else self.left.place(at)
        target = None if at is None else self._to(at)
        size = self.x[0].size
        for i, (name, title) in enumerate(zip(self.left.names, self._titles, strict=True)):
            calm = np.zeros(self.left.shape, np.uint8)
            role = Role.DONE if self._pool else Role.DATA
            notes: dict[Where, str] = {}
            outlines: tuple[Outline, ...] = ()
            if len(self.trace) <= SURVEYED:
                wide = self.left.shape[1]
                notes = {divmod(j, wide): place(s) for j, s in enumerate(self._spots[i * size : (i + 1) * size])}
            if source and source[0] == i:
                calm[source[1:]] = Emphasis.ACTIVE
                outlines = (around([source[1:]], Role.KERNEL),)
            grids[name] = Grid(title, np.full(self.left.shape, role, np.uint8), self.x[i], calm, notes, outlines)
        for i, (name, title) in enumerate(zip(self.right.names, self.right.titles, strict=True)):
            calm, roles = np.zeros(self.right.shape, np.uint8), shown[i]
            outlines = ()
            if final:
                roles = np.where(roles == Role.DONE, Role.DONE, Role.INSERTED).astype(np.uint8)
            if target and target[0] == i:
                calm[target[1:]] = Emphasis.WRITTEN if written else Emphasis.NONE
                outlines = (around([target[1:]], Role.DONE),)
            grids[name] = Grid(title, roles, held[i], calm, {}, outlines)
        return grids

    def _placement(self, number: int, ahead: int) -> Frame:
        written = not ahead
        grids = self._grids(number + written, number, written=written)
        caption = self._caption(number, written=written)
        (link,) = self.links(number)
        moves = (Move(link.panel, link.cells, link.other, (link.cell,)),) if written else ()
        done = placed([link], written=written)
        return Frame(len(self.phases) - 1, grids, (caption,), number + 1, **done, moves=moves)

    def _closed(self, number: int) -> Frame:
        steps = self.beats.steps
        return Frame(len(self.phases) - 1, self._grids(steps, final=True), (self._size(),), steps)

    def links(self, step: int) -> tuple[Link, ...]:
        """The link between a value's cell and its target."""
        (plane, row, column), (target, *to) = self.left.place(step), self._to(step)
        window = around([(row, column)], Role.KERNEL)
        ends = self.left.names[plane], window, ((row, column),), self.right.names[target], (to[0], to[1])
        return (Link(*ends),)

    def _caption(self, number: int, *, written: bool) -> Caption:
        step = self.trace[number]
        target = output_cell(step.writes[0].tolist(), self.right.channels)
        what = POOLED_CELLS if self._pool else say("input")
        source = output_cell(step.reads[0].tolist(), self.left.channels, what)
        value = marked(self.numerals[0].text(step.values[0].item()), "done") if written else ""
        plane, row, column = self._to(number)
        taken = self._after(number)[0][plane][row, column] == Role.DONE
        remark = say("the same place once more: the last value stays") if taken else say("where the maximum was")
        if self._moved and self._moved[number] != self._spots[number]:
            remark = say("the maximum was at {cell}", cell=place(self._moved[number]))
        return Caption(target, (source,), value, remark)

    def _size(self) -> Caption:
        usual = tuple((a.input - 1) * a.stride + a.kernel - a.before - a.after for a in self.trace.axes)
        if usual == self._output:
            return replace(size_formula(self.trace.axes), remark=ZEROS)
        sizes = "×".join(map(str, self._output))
        as_pooled = say("as the pooling's input was; zeros elsewhere")
        return Caption(say("output size"), (), sizes, as_pooled if self._output == self.trace.pooled else ZEROS)

"""Unfold and Fold: the window over the picture beside the matrix of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.explanation.arithmetic import count, rings
from convanim.language.numerals import Numerals
from convanim.language.words import join, marked, plural, say
from convanim.layers import Axis, times
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, factor, plain_detail, span
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Cell,
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
    whole,
)
from convanim.scene.window.slab import Slab, check, wrapped
from convanim.scene.window.stage import laid, lines, roles, window_at
from convanim.scene.window.window import TWO
from convanim.trace import Trace
from convanim.trace.columns import ColumnsTrace

#: The largest matrix that is drawn; its numbers would be too small to read beyond that.
MOST_ROWS, MOST_COLUMNS = 36, 64
COLUMNS = say("columns")
MET = plural("{n} cell already had a sum", "{n} cells already had a sum")
ZEROS = plural("{n} cell of padding is a zero", "{n} cells of padding are zeros")


class ColumnsScene(PlacementScene):
    """The window of each position, and the column that is written from it (Unfold) or added to it (Fold).

    Args:
        trace: of an Unfold or a Fold, in any order.

    Raises:
        ConvanimError: too many rows, columns or channels to show.
    """

    def __init__(self, trace: ColumnsTrace) -> None:
        self.trace, self.op = trace, trace.op
        self.traces: tuple[Trace, ...] = (trace,)
        self._folds = trace.op.transposed
        matrix = trace.columns(trace.x if self._folds else trace.answer)
        self._fit(*matrix.shape)
        self.matrix = matrix
        picture = trace.answer if self._folds else trace.x
        rows, columns = matrix.shape
        shapes = times(picture.shape if len(picture) > 1 else picture.shape[1:]), f"{rows}×{columns}"
        self.title = join("   ", [trace.op.words, " → ".join(shapes[::-1] if self._folds else shapes)])
        axes = tuple(_slid(a) if self._folds else a for a in trace.axes)
        self._axes, self.lines = axes, lines(axes)
        self.detail = plain_detail(trace, axes)
        self.slab = Slab(
            *(("output", OUTPUT) if self._folds else ("stage", say("input"))),
            len(picture),
            tuple(line.size for line in self.lines),
            given=not self._folds,
        )
        check(self.op, self.slab)
        ring = Role.CROPPED if self._folds else Role.PADDING
        self._roles = roles(*self.lines, unused=not self._folds, ring=ring)
        self._values = laid(self.lines, picture)
        self._windows = [window_at(self.lines, divmod(t, axes[1].output)) for t in range(columns)]
        self.numerals = Numerals(trace.x, trace.answer) if self._folds else Numerals(trace.x)
        self.phases = self._phases()
        known = np.append(trace.answer.ravel(), self._partial()) if self._folds else trace.x
        holds: tuple[Any, Any] = ("output", "input") if self._folds else ("input", "output")
        most = int(self._after(columns)[1].max()) if self._folds else 1
        notes = f"Σ{most}" if most > 1 else ""
        planes = self.slab.panels(self.numerals, known, notes, shade="data", holds=holds[0])
        column = Panel("columns", matrix.shape, (COLUMNS,), self.numerals, trace.x, shade="product", holds=holds[1])
        sides_of = wrapped(planes), ((column,),)
        self.blocks = sides_of[::-1] if self._folds else sides_of
        each = 2 if columns <= TWO else 1
        self.beats = Beats(1, columns, each, 1, axes[1].output)
        self._opening = [Frame(0, self._grids(0), (Caption(remark=self._begins()),))]
        self._closing = [Frame(len(self.phases) - 1, self._grids(columns), (self._ends(),), columns)]

    def _fit(self, rows: int, columns: int) -> None:
        if rows > MOST_ROWS or columns > MOST_COLUMNS:
            raise ConvanimError(
                f"{self.op} has {columns} columns of {rows} rows here, but a picture shows at most {MOST_COLUMNS} "
                f"columns of {MOST_ROWS}",
                "use a smaller picture, a larger `stride` or a smaller kernel, or write the numbers with "
                "`save('FILE.json')`",
            )

    def _phases(self) -> tuple[Phase, ...]:
        if self._folds:
            return (Phase("add", say("add each column at its window"), say("add")),)
        slide = Phase("slide", say("slide: each window becomes a column"), say("slide"))
        pad = Phase("pad", say("pad"), say("pad"))
        return (pad, slide) if any(map(any, rings(self._axes))) else (slide,)

    def _begins(self) -> str:
        rows, columns = self.matrix.shape
        if self._folds:
            return say(
                "{n} columns for as many windows; values that meet in a cell add up, and Σ says how many", n=columns
            )
        return say("{n} windows of {cells} become as many columns", n=columns, cells=count(rows, "value"))

    def _ends(self) -> Caption:
        rows, columns = self.matrix.shape
        if self._folds:
            counts = self._after(columns)[1][self._roles == Role.DATA]
            least, most = int(counts.min()), int(counts.max())
            told = say("each cell is a sum of {values}", values=count(most, "value"))
            if least < most:
                told = say("each cell is a sum of {n} to {values}", n=least, values=count(most, "value"))
            return Caption(remark=told)
        high, wide = (a.kernel for a in self._axes)
        size = f"({self.slab.channels}·{high}·{wide}) × ({'·'.join(str(a.output) for a in self._axes)})"
        return Caption(say("output size"), (size,), f"{rows}×{columns}")

    # The state after some columns.

    def _after(self, columns: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The sums of the first columns of a Fold in the picture, (C, rows, columns), and the windows on each cell."""
        sums = np.zeros((self.slab.channels, *self._roles.shape), self.matrix.dtype)
        counts = np.zeros(self._roles.shape, np.int64)
        for number in range(columns):
            at = tuple(np.transpose(self._windows[number][1]))
            sums[(slice(None), *at)] += self.matrix[:, number].reshape(self.slab.channels, -1)
            counts[at] += 1
        return sums, counts

    def _partial(self) -> NDArray[Any]:
        """Bounds of all sums that are ever shown."""
        values = self.matrix
        return np.array([values[values < 0].sum(), values[values > 0].sum()])

    def _grids(self, done: int, at: int | None = None) -> dict[str, Grid]:
        """The picture and the columns once some columns are `done`, with the window of one position."""
        window, under = self._windows[at] if at is not None else (None, ())
        cells = tuple(np.transpose(under)) if under else ([], [])
        written = at is not None and done > at
        values, shown, notes = self._values, self._roles, dict[Cell, str]()
        emphasis = np.zeros(shown.shape, np.uint8)
        emphasis[cells] = Emphasis.WRITTEN if written and self._folds else Emphasis.ACTIVE
        if self._folds:
            values, counts = self._after(done)
            states = np.where(counts > 1, Role.OVERLAP, np.where(counts > 0, Role.DONE, Role.PENDING))
            meeting = np.argwhere((counts > 1) & (shown == Role.DATA)).tolist()
            notes = {(row, column): f"Σ{counts[row, column]}" for row, column in meeting}
            if done == len(self._windows):
                states = np.maximum(states, Role.DONE)
            shown = np.where(shown == Role.CROPPED, Role.CROPPED, states).astype(np.uint8)
        grids = {
            name: Grid(title, shown, plane, emphasis, notes, (window,) if window else ())
            for name, title, plane in zip(self.slab.names, self.slab.titles, values, strict=True)
        }
        grids["columns"] = self._column(done, at, written=written)
        return grids

    def _column(self, done: int, at: int | None, *, written: bool) -> Grid:
        grid = whole(COLUMNS, Role.DATA if self._folds else Role.PENDING, self.matrix)
        if not self._folds:
            grid.roles[:, :done] = Role.DONE
        outlines: tuple[Outline, ...] = ()
        if at is not None:
            grid.emphasis[:, at] = Emphasis.ACTIVE if self._folds else Emphasis.WRITTEN * written
            outlines = (Outline(0, at, len(self.matrix), at + 1, Role.KERNEL if self._folds else Role.DONE),)
        return Grid(COLUMNS, grid.roles, grid.values, grid.emphasis, {}, outlines)

    # Frames.

    def _placement(self, number: int, ahead: int) -> Frame:
        written = not ahead
        done = placed(links := self.links(number), written=written)
        column = {"columns": tuple((row, number) for row in range(len(self.matrix)))}
        picture = {link.panel: tuple(c for c in link.cells if self._roles[c] == Role.DATA) for link in links}
        done["reads"], writes = (column, picture) if self._folds else (picture, column)
        done["writes"] = writes if written else {}
        if written and not self._folds:
            done["moves"] = tuple(self._move(link) for link in links if picture[link.panel])
        return Frame(
            len(self.phases) - 1, self._grids(number + written, number), (self._caption(number),), number + 1, **done
        )

    def links(self, step: int) -> tuple[Link, ...]:
        """The links between the window on each channel and the first row of that channel in its column."""
        window, cells = self._windows[step]
        return tuple(
            Link(name, window, cells, "columns", (channel * self.op.block, step), stamps=self._folds)
            for channel, name in enumerate(self.slab.names)
        )

    def _move(self, link: Link) -> Move:
        first, column = link.cell
        pairs = [(cell, (first + k, column)) for k, cell in enumerate(link.cells) if self._roles[cell] == Role.DATA]
        cells, places = zip(*pairs, strict=True)
        return Move(link.panel, cells, "columns", places)

    def _caption(self, number: int) -> Caption:
        values = tuple(marked(factor(self.numerals.text(v)), "data") for v in self.matrix[:, number].tolist())
        cells = self._windows[number][1]
        name = say("column {n}", n=number)
        if not self._folds:
            zeros = sum(self._roles[cell] == Role.PADDING for cell in cells) * self.slab.channels
            return Caption(name, values, remark=ZEROS(zeros) if zeros else "", between=", ")
        before = self._after(number)[1]
        met = sum(before[cell] > 0 for cell in cells if self._roles[cell] == Role.DATA)
        kept = [cell for cell in cells if self._roles[cell] == Role.DATA]
        if not kept:
            return Caption(name, remark=say("its whole window is cropped"))
        inside = around(kept, Role.KERNEL)
        ends = zip(inside[:2], inside[2:4], self._axes, strict=True)
        subject = join("", [OUTPUT, span([(a - axis.before, b - axis.before, axis.dilation) for a, b, axis in ends])])
        told = [name, *[MET(int(met))] * bool(met)]
        return Caption(subject, values, remark=join(": ", told), relation="+=", between=", ")


def _slid(axis: Axis) -> Axis:
    """The axis of the window over a Fold's picture."""
    return Axis(axis.output, axis.input, axis.kernel, axis.stride, axis.before, axis.after, axis.dilation)

"""The matrix view: a layer as a matrix of output cells by input cells, times the flattened input.

The matrix of a transposed layer is the transpose of a convolution's. If it would be too tall for a page, it is drawn as
that convolution's own matrix, and read by columns instead of rows.

Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), section 4.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.explanation.arithmetic import arguments, count, shortest
from convanim.language.numerals import Numerals
from convanim.language.words import join, say
from convanim.layers import Axis, Conv, times
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, heading, plain_detail, product_sum
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Blocks,
    Emphasis,
    Frame,
    Grid,
    Link,
    Panel,
    Phase,
    Places,
    Role,
    Rows,
    around,
    flat,
    placed,
    still,
    whole,
)
from convanim.scene.whole.letters import Letters
from convanim.trace import ConvTrace, Step, Trace
from convanim.trace.taps import Taps

KERNEL = say("kernel")
#: The maximum number of rows or columns that can be shown.
MOST = 64
#: A matrix of more rows than this, and fewer columns, is transposed, as pages are wide.
TALLEST = 20
#: Up to this many rows have two frames each: the row is placed, then its sum is written.
TWO = 49
#: A single axis has one row.
ACROSS = Taps.along(1, 1, 1)


class Entries(NamedTuple):
    """A layer's matrix (outputs, inputs): its values, and the number of taps in each entry."""

    values: NDArray[Any]
    taps: NDArray[np.int64]


def entries(trace: ConvTrace, weight: NDArray[Any] | None = None) -> Entries:
    """The matrix of a layer with one channel: its output is `values @ x.ravel()` plus the bias.

    Args:
        trace: in any order.
        weight: values used instead of its kernel's.

    Example:
        >>> line = Conv(kernel_size=2).trace([1, 2, 3], [4, 5])
        >>> entries(line).values.tolist()
        [[4, 5, 0], [0, 4, 5]]
        >>> entries(line.backward()).values.tolist()
        [[4, 0], [5, 4], [0, 5]]
    """
    weight = flat(trace.weight[0, 0] if weight is None else weight)
    taps = trace.by_output().taps
    rows, columns = (ACROSS, taps[0]) if len(taps) == 1 else taps
    targets, sources = (
        np.add.outer(a * n, b).ravel()
        for a, b, n in (
            (rows.target, columns.target, columns.targets),
            (rows.source, columns.source, columns.sources),
        )
    )
    values = np.zeros((rows.targets * columns.targets, rows.sources * columns.sources), weight.dtype)
    met = np.zeros(values.shape, np.int64)
    np.add.at(values, (targets, sources), weight[np.ix_(rows.k, columns.k)].ravel())
    np.add.at(met, (targets, sources), 1)
    return Entries(values, met)


def forward(axes: tuple[Axis, ...]) -> Conv | None:
    """The convolution whose matrix is the transpose of a transposed layer's; None if there is none.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> forward(ConvTranspose(3, 2, 1, output_padding=1).axes((3, 3)))
        Conv(kernel_size=3, stride=2, padding=1)
    """
    kernel, stride, dilation = (shortest([getattr(a, n) for a in axes]) for n in ("kernel", "stride", "dilation"))
    try:
        op = Conv(kernel, stride, shortest([(a.before, a.after) for a in axes]), dilation=dilation)
        sizes = [a.output for a in op.axes([a.output for a in axes])]
    except ConvanimError:
        return None
    return op if sizes == [a.input for a in axes] else None


class MatrixScene(PlacementScene):
    """A layer as a matrix times its input, one output cell after the other, in step with the grids.

    Args:
        trace: of a convolution or a transposed one, with one channel and one or two axes.
        symbols: letters with indices instead of numbers.
        turned: draw the matrix transposed, and read it by columns; by default, only if it would be too tall.

    Raises:
        ConvanimError: the matrix is too large, or an entry would be a sum of symbols.
    """

    def __init__(self, trace: ConvTrace, *, symbols: bool = False, turned: bool | None = None) -> None:
        self.trace, self.op = trace.by_output(), trace.op
        self.traces: tuple[Trace, ...] = (self.trace,)
        self.title, self.detail = (
            heading(trace, say("{layer} as a matrix", layer=trace.op.words)),
            plain_detail(trace),
        )
        outputs, inputs = trace.answer.size, trace.x.size
        if max(outputs, inputs) > MOST:
            raise ConvanimError(
                f"the matrix of {trace.op} over {times(trace.x.shape[1:])} has {outputs}×{inputs} entries, more than "
                f"a picture can show",
                f"use at most {MOST} input and {MOST} output cells, or another `view`",
            )
        self.letters = Letters(trace) if symbols else None
        numbers = (trace.x[0], trace.kernel[0, 0], trace.answer[0])
        if self.letters:
            numbers = self.letters.x, self.letters.kernel, self.letters.answer
        self.x, self.kernel, self.answer = map(flat, numbers)
        self.matrix, self.taps = entries(trace, self.letters.weight if self.letters else None)
        if self.letters and self.taps.max() > 1:
            raise ConvanimError(
                f"`padding mode` {trace.axes[0].mode} makes entries of the matrix of {trace.op} sums of weights, "
                "which have no symbol",
                "leave `symbols` out, or pad with zeros",
            )
        self.turned = outputs > max(inputs, TALLEST) if turned is None else turned
        x, kernel, answer = self.letters.numerals if self.letters else map(Numerals, (self.x, self.matrix, self.answer))
        self.numerals: tuple[Numerals, Numerals, Numerals] = x, kernel, answer
        self.phases = (
            Phase("flatten", say("flatten the input"), say("flatten")),
            Phase("matrix", say("lay the kernel out in a matrix"), say("matrix")),
            Phase(
                "multiply",
                say("multiply column by column") if self.turned else say("multiply row by row"),
                say("multiply"),
            ),
        )
        self.blocks = self._blocks()
        self._opening = [self._open(number) for number in range(2)]
        self.beats = Beats(2, len(self.trace), 2 if len(self.trace) <= TWO else 1, 1, trace.axes[-1].output)

    def _blocks(self) -> Blocks:
        """The grids stacked vertically, and beside them the matrix with the vectors along its edges."""
        x, kernel, answer = self.numerals
        small: Rows = (
            (Panel("input", self.x.shape, (say("input"),), x, self.x, shade="data"),),
            (Panel("kernel", self.kernel.shape, (KERNEL,), kernel, self.kernel, aside=True, shade="kernel"),),
            (Panel("output", self.answer.shape, (OUTPUT,), answer, self.answer),),
        )
        if len(self.trace.axes) == 1:  # a single axis is already flat
            small = small[1:2]
        shape = self._laid(self.matrix).shape
        weights = self.matrix[self.taps > 0] if self.taps.any() else self.kernel
        matrix = Panel("matrix", shape, (self._matrix_title(),), kernel, weights, shade="kernel", group="matrix")
        flat_x = self._vector("flat input", say("input"), self.x, across=not self.turned, numerals=x, shade="data")
        flat_y = self._vector("flat output", OUTPUT, self.answer, across=self.turned, numerals=answer, shade="done")
        # The input is beside the start of the lines that are read, the output beside their end.
        return small, ((flat_x, matrix), (flat_y,)) if self.turned else ((flat_x,), (matrix, flat_y))

    def _vector(
        self, name: str, what: str, values: NDArray[Any], *, across: bool, numerals: Numerals, shade: str
    ) -> Panel:
        """A flattened grid along an edge of the matrix."""
        shape = (1, values.size) if across else (values.size, 1)
        title = join(", ", [what, say("flattened")]) if across and len(self.trace.axes) > 1 else what
        return Panel(name, shape, (title,), numerals, values, shade=shade, group="matrix", follows="matrix")

    def _matrix_title(self) -> str:
        size = times(self._laid(self.matrix).shape)
        if not self.turned:
            return say("matrix {size}", size=size)
        if self.op.transposed:
            return say("matrix of the convolution, {size}: read its columns", size=size)
        return say("matrix transposed to {size}: read its columns", size=size)

    def _laid(self, cells: NDArray[Any]) -> NDArray[Any]:
        """The matrix's cells as they are drawn, transposed or not."""
        return cells.T if self.turned else cells

    def _grids(self, done: int, *, laid: bool = True) -> dict[str, Grid]:
        """All panels at rest after the first `done` output cells; the matrix once it is `laid` out."""
        states = np.full(self.answer.shape, Role.PENDING, np.uint8)
        states.ravel()[:done] = Role.DONE
        calm = np.zeros(states.shape, np.uint8)
        filled = np.where(self.taps > 0, Role.KERNEL if laid else Role.PENDING, Role.PENDING).astype(np.uint8)
        grids = {
            "input": whole(say("input"), Role.DATA, self.x),
            "kernel": whole(KERNEL, Role.KERNEL, self.kernel),
            "output": Grid(OUTPUT, states, self.answer, calm),
            "matrix": Grid(
                self._matrix_title(), self._laid(filled), self._laid(self.matrix), np.zeros_like(self._laid(filled))
            ),
        }
        shapes = {p.name: (p.shape, p.titles[0]) for p in self.panels}
        for name, source in (("flat input", grids["input"]), ("flat output", grids["output"])):
            shape, title = shapes[name]
            roles, values, emphasis = (a.reshape(shape) for a in (source.roles, source.values, source.emphasis))
            grids[name] = Grid(title, roles, values, emphasis)
        return {name: grid for name, grid in grids.items() if name in shapes}

    def _open(self, number: int) -> Frame:
        rows, columns = self.matrix.shape
        size, values = times(self.trace.x.shape[1:]), count(columns, "value")
        told = say("input {size}, row by row: {values} in a line", size=size, values=values)
        if len(self.trace.axes) == 1:
            told = say("input {size}, {told}", size=size, told=arguments(self.trace.axes, ", "))
        if number:
            size = f"{rows}×{columns}"
            told = say("{size}: a row for each output cell, a column for each input cell", size=size)
            if self.op.transposed:
                conv = forward(self.trace.axes)
                told = say("{size}, the transpose of the matrix of a convolution", size=size)
                if conv:
                    told = say("{size}, the transpose of the matrix of {layer}", size=size, layer=conv)
            if self.turned and self.op.transposed:
                told = say("{told}: that matrix, read by columns", told=told)
            elif self.turned:
                told = say("{told}; drawn transposed", told=told)
        return Frame(number, self._grids(0, laid=number > 0), (Caption(remark=told),))

    def _placement(self, number: int, ahead: int) -> Frame:
        """A row of the matrix times the input: the entries with a tap and their inputs; in the last frame the sum."""
        step, written = self.trace[number], not ahead
        grids = self._grids(number + written)
        read = np.zeros(self.x.shape, np.uint8)
        read[_cells(step.reads[:, 1:])] = Emphasis.ACTIVE
        new = np.zeros(self.answer.shape, np.uint8)
        new.ravel()[number] = Emphasis.WRITTEN if written else Emphasis.NONE
        entry = np.zeros(self.matrix.shape, np.uint8)
        entry[number, self.taps[number] > 0] = Emphasis.ACTIVE
        links = self.links(number)
        # A row of nothing but padding reads nothing, but is written all the same.
        outlines = {"output": around([divmod(number, self.answer.shape[1])], Role.DONE)}
        outlines |= {link.panel: link.window for link in links}
        outlines |= {link.other: around([link.cell], Role.DONE) for link in links}
        emphasis = {
            "input": read,
            "kernel": self._used(step),
            "output": new,
            "matrix": self._laid(entry),
            "flat input": read,
            "flat output": new,
        }
        for name in grids:
            drawn = (outlines[name],) if name in outlines else ()
            marked = emphasis[name].reshape(grids[name].roles.shape)
            grids[name] = still(grids[name], emphasis=marked, outlines=drawn)
        caption = self._sum(step)
        if not written and not self.letters:
            caption = replace(caption, waits=True)
        done = placed(links, written=written, reads=self._reads(step))
        if written and "output" in grids:
            done["writes"]["output"] = (divmod(number, self.answer.shape[1]),)
        return Frame(2, grids, (caption,), number + 1, **done)

    def _reads(self, step: Step) -> Places:
        """The input cells that a placement reads, in the input and in the flattened input."""
        rows, columns = _cells(step.reads[:, 1:])
        cells = tuple(zip(rows.tolist(), columns.tolist(), strict=True))
        along = [row * self.x.shape[1] + column for row, column in cells]
        flat = {"flat input": tuple((n, 0) if self.turned else (0, n) for n in along)}
        return flat if len(self.trace.axes) == 1 else {"input": cells, **flat}

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of a row of the matrix with its sum and the input cells; padding has no column in a matrix."""
        length = self.matrix.shape[1]
        cells = [(step, int(column)) for column in np.flatnonzero(self.taps[step])]
        window, at = [(step, 0), (step, length - 1)], (step, 0)
        if self.turned:
            cells, window, at = [(c, r) for r, c in cells], [(c, r) for r, c in window], (0, step)
        found = [Link("matrix", around(window, Role.KERNEL), tuple(cells), "flat output", at)]
        read = self._reads(self.trace[step]).get("input", ())  # a single axis is already flat
        if read:
            cell = divmod(step, self.answer.shape[1])
            found.append(Link("input", around(read, Role.KERNEL), read, "output", cell))
        return tuple(found)

    def _used(self, step: Step) -> NDArray[np.uint8]:
        """The kernel's cells that a placement uses, which are the entries of its row."""
        used = np.zeros(self.trace.weight.shape[2:], np.uint8)
        used[tuple(step.factors[:, 2:].T)] = Emphasis.WRITTEN
        return np.flip(used) if self.op.held_rotated else used

    def _sum(self, step: Step) -> Caption:
        nothing = say("no input value is read: the row is empty")
        if self.letters:
            return self.letters.sum(step, nothing)
        bias = None if self.trace.bias is None else self.trace.bias[0].item()
        return product_sum(step, self.numerals, bias, nothing)

    def _closed(self, number: int) -> Frame:
        rows, columns = self.matrix.shape
        filled = int((self.taps > 0).sum())
        what = say("output = matrix · input")
        if self.trace.bias is not None:
            what = say("output = matrix · input + bias")
        size = f"{rows}·{columns} = {rows * columns}"
        told = say("{what}: {n} of {size} entries hold a weight", what=what, n=filled, size=size)
        return Frame(2, self._grids(self.answer.size), (Caption(remark=told),), self.beats.steps)


def _cells(places: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Positions of one or two axes as rows and columns."""
    columns = places[:, -1]
    return (places[:, -2] if places.shape[1] == 2 else np.zeros_like(columns)), columns

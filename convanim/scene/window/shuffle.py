"""Pixel shuffle and unshuffle: every value moves between its channel and its position in a block of r x r cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.language.numerals import Numerals
from convanim.language.words import join, say
from convanim.layers import times
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, heading, left_out, output_cell, place, rules, span
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Blocks,
    Cell,
    Cells,
    Emphasis,
    Frame,
    Grid,
    Link,
    Move,
    Outline,
    Phase,
    Role,
    around,
    placed,
)
from convanim.scene.window.slab import ROW, Slab, wrapped
from convanim.trace import ShuffleTrace, Trace

#: Colours of the channels of a block; with too many channels, of the rows of a block.
KINDS = (Role.DATA, Role.KERNEL, Role.DONE, Role.PRODUCT)
#: Up to this many values move one by one, more in blocks of r x r.
SINGLY = 36
#: The maximum number of channels that can be shown: those of a block of 3 x 3.
MOST = 9


class ShuffleScene(PlacementScene):
    """Values move one by one, or block by block if there are many, from their channel to their position.

    Args:
        trace: of a pixel shuffle or unshuffle, in gather order.

    Raises:
        ConvanimError: too many channels to show.
    """

    def __init__(self, trace: ShuffleTrace) -> None:
        self.trace, self.op = trace, trace.op
        self.traces: tuple[Trace, ...] = (trace,)
        self.title, self.detail = heading(trace), self._detail()
        self.left = Slab("input", say("input"), len(trace.x), trace.x.shape[1:], given=True)
        self.right = Slab("output", OUTPUT, trace.channels, trace.shape[1:])
        for slab in (self.left, self.right):
            if slab.count > MOST:
                told = f"{slab.count} {slab.title} channels, but a picture shows at most {MOST}"
                raise ConvanimError(
                    f"{self.op} has {told}",
                    "use fewer channels, or write the numbers with `save('FILE.json')`",
                )
        self.answer = trace.answer
        self.numerals = Numerals(trace.x)
        # The source of each output cell in the input, as indices (3, C, H, W).
        self._source = np.array(np.unravel_index(self._from(), trace.x.shape))
        r = self.op.factor
        down = not self.op.transposed
        # A shuffle has its blocks of r x r in the output, an unshuffle in the input.
        self._cells = np.indices(trace.shape)
        flat = self._source if down else self._cells
        deep = self._cells[0] if down else self._source[0]
        self._place_of: NDArray[np.int64] = np.zeros(max(len(trace.x), trace.channels), np.int64)
        self._place_of[deep.ravel()] = (flat[1] % r * r + flat[2] % r).ravel()
        self._roles_left, self._roles_right = self._colour(len(trace.x), down), self._colour(trace.channels, not down)
        cell = flat[0] * (flat[1].max() // r + 1) * (flat[2].max() // r + 1)
        cell = cell + flat[1] // r * (flat[2].max() // r + 1) + flat[2] // r
        singly = self.answer.size <= SINGLY
        # The placement of each output cell.
        order = np.lexsort((self._place_of[deep.ravel()], cell.ravel()))
        turn = np.zeros(self.answer.size, np.int64)
        turn[order] = np.arange(len(order)) if singly else cell.ravel()[order]
        self._turn: NDArray[np.int64] = turn.reshape(self.answer.shape)
        moving = Phase("move", say("move each value"), say("move"))
        self.phases: tuple[Phase, ...] = (moving,)
        self.blocks = self._blocks()
        row = min(trace.axes[-1].input if not down else trace.axes[-1].output, trace.axes[-1].input)
        steps = int(self._turn.max()) + 1
        self.beats = Beats(1, steps, 1, 1, min(row * r * r if singly else row, steps))
        self._opening, self._closing = [self._first()], [Frame(0, self._grids(steps, None), (self._size(),), steps)]

    def _detail(self) -> str:
        op = self.op
        told = [*left_out(self.trace), *([rules(op)] if rules(op) else []), say("factor {n}", n=op.factor)]
        channels = min(len(self.trace.x), self.trace.channels)
        if channels > 1:  # of a single one the order is the same in either case
            apart = say("the channels of a block stand {n} apart", n=channels)
            told.append(apart if op.depth_first else say("the channels of a block stand side by side"))
        return join("   ", told)

    def _from(self) -> NDArray[np.int64]:
        """The flat index of the source of each output cell in the input."""
        numbers: NDArray[np.int64] = np.zeros(self.trace.shape, np.int64)
        for step in self.trace:
            numbers[tuple(step.writes[0])] = np.ravel_multi_index(tuple(step.reads[0]), self.trace.x.shape)
        return numbers

    def _colour(self, channels: int, flat: bool) -> Cells:
        """The roles of one side: by position in the block on the flat side, by channel on the deep side."""
        r = self.op.factor
        # A colour that occurred twice in a block would suggest that the channels are related.
        each = 1 if r * r <= len(KINDS) else r
        kinds = np.array(KINDS, np.uint8)[np.arange(r * r) // each]
        if not flat:
            of = kinds[self._place_of][:channels]
            return np.broadcast_to(of[:, None, None], (channels, *self._side(flat)))
        rows, columns = np.indices(self._side(flat))
        return np.broadcast_to(kinds[rows % r * r + columns % r], (channels, *rows.shape))

    def _side(self, flat: bool) -> tuple[int, ...]:
        """The rows and columns of the flat or the deep side."""
        return self.trace.shape[1:] if flat == self.op.transposed else self.trace.x.shape[1:]

    def _blocks(self) -> Blocks:
        note = f"c{self.left.count - 1}" if self.left.count > 1 else place([n - 1 for n in self.left.shape])
        left = self.left.panels(self.numerals, self.trace.x, shade="data", holds="input")
        right = self.right.panels(self.numerals, self.trace.x, note, shade="data", holds="output")
        a_row = self.op.factor if self.op.factor > 2 else ROW
        return wrapped(left, a_row), wrapped(right, a_row)

    def _first(self) -> Frame:
        r = self.op.factor
        way = say("{n} channels become one of blocks of {r}×{r}", n=r * r, r=r)
        if not self.op.transposed:
            way = say("one channel of blocks of {r}×{r} becomes {n} channels", n=r * r, r=r)
        told = join(": ", [way, say("no value changes, each moves")])
        return Frame(0, self._grids(0, None), (Caption(remark=told),))

    def _placement(self, number: int, ahead: int) -> Frame:
        links = self.links(number)
        # The movements of a whole block would be too many to follow.
        moves = tuple(Move(link.panel, link.cells, link.other, (link.cell,)) for link in links if len(links) == 1)
        grids, caption = self._grids(number + 1, number), self._caption(number)
        return Frame(0, grids, (caption,), number + 1, **placed(links), moves=moves)

    def links(self, step: int) -> tuple[Link, ...]:
        """The link between the source and the target of each value that moves."""
        found = []
        for plane, *to in np.argwhere(self._turn == step).tolist():
            channel, *cell = self._source[:, plane, to[0], to[1]].tolist()
            window = around([(cell[0], cell[1])], Role.KERNEL)
            ends = self.left.names[channel], window, ((cell[0], cell[1]),), self.right.names[plane], (to[0], to[1])
            found.append(Link(*ends))
        return tuple(found)

    def _grids(self, done: int, at: int | None) -> dict[str, Grid]:
        moved, now = self._turn < done, self._turn == at
        source = tuple(self._source[:, now])
        grids: dict[str, Grid] = {}
        active = np.zeros(self.trace.x.shape, np.uint8)
        for i, (name, title) in enumerate(zip(self.left.names, self.left.titles, strict=True)):
            here = [(int(r), int(c)) for p, r, c in zip(*source, strict=True) if p == i]
            grids[name] = Grid(title, self._roles_left[i], self.trace.x[i], active[i], {}, _each(here))
        shown = np.where(moved, self._roles_right, Role.PENDING).astype(np.uint8)
        fresh = np.where(now, Emphasis.WRITTEN, Emphasis.NONE).astype(np.uint8)
        for i, (name, title) in enumerate(zip(self.right.names, self.right.titles, strict=True)):
            notes: Mapping[tuple[int, int], str] = {
                (int(r), int(c)): self._told(i, r, c) for r, c in np.argwhere(moved[i])
            }
            here = [(int(r), int(c)) for r, c in np.argwhere(now[i])]
            grids[name] = Grid(title, shown[i], self.answer[i], fresh[i], notes, _each(here))
        return grids

    def _told(self, channel: int, row: int, column: int) -> str:
        """The note of an output cell about its source: the channel, or the position if there is one channel."""
        source = self._source[:, channel, row, column].tolist()
        return f"c{source[0]}" if self.left.count > 1 else place(source[1:])

    def _caption(self, number: int) -> Caption:
        targets = np.argwhere(self._turn == number)
        values = tuple(self.numerals.text(v) for v in self.answer[self._turn == number].tolist())
        channel, row, column = targets[0].tolist()
        if len(targets) == 1:
            source = output_cell(self._source[:, channel, row, column].tolist(), self.left.count, say("input"))
            target = output_cell((channel, row, column), self.right.count)
            return Caption(target, (source,), values[0])
        if not self.op.transposed:
            return Caption(join("", [OUTPUT, f"[:, {row},{column}]"]), values, between=", ")
        r = self.op.factor
        inside = span([(row, row + r, 1), (column, column + r, 1)]).strip("[]")
        subject = join("", [OUTPUT, f"[{channel}, {inside}]" if self.right.count > 1 else f"[{inside}]"])
        return Caption(subject, values, between=", ")

    def _size(self) -> Caption:
        a = self.trace.axes[-1]
        sign = "·" if self.op.transposed else " / "
        sizes = [b.output for b in self.trace.axes]
        told = [f"{b.input}{sign}{self.op.factor}" for b in self.trace.axes]
        if len(set(told)) == 1:
            return Caption(say("output size"), (told[0],), str(a.output))
        return Caption(say("output size"), (" × ".join(f"({t})" for t in told),), times(sizes))


def _each(cells: list[Cell]) -> tuple[Outline, ...]:
    """An outline around each of some cells."""
    return tuple(around([cell], Role.KERNEL) for cell in cells)

"""The base of scenes in which a window visits planes: the stage is prepared, each placement lands and is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Numerals
from convanim.language.words import say
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, detail, heading, size_formula
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
    Panel,
    Phase,
    Places,
    Role,
    around,
    by_panel,
    lattice,
    placed,
)
from convanim.scene.window.slab import ROW, Slab, check, crowded, wrapped
from convanim.scene.window.stage import Line, laid, lines, roles
from convanim.trace import Step, Trace
from convanim.trace.taps import Ints

#: Up to this many placements have two frames each: the window lands, then the result is written.
TWO = 49
#: Up to this many placements, output cells keep their notes and all intermediate numbers are known in advance.
SURVEYED = 400

Where = tuple[int, int]


@dataclass(frozen=True)
class Seen:
    """What a placement shows on the planes of the stage.

    Attributes:
        caption: the arithmetic of the placement.
        active: the rows and columns under the window.
        notes, outlines: by plane; the window's outline is the first of an active plane.
        quiet: the planes that take no part in it.
    """

    caption: Caption
    active: Mapping[int, tuple[slice, slice]] = field(default_factory=dict)
    notes: Mapping[int, dict[Where, str]] = field(default_factory=dict)
    outlines: Mapping[int, tuple[Outline, ...]] = field(default_factory=dict)
    quiet: frozenset[int] = frozenset()


class WindowScene(PlacementScene):
    """A window over the planes of a stage: opening frames, one or two frames for each output cell, the result.

    Args:
        trace: in gather order.
        words: the names of the channels, such as red, green and blue.

    Raises:
        ConvanimError: too many planes to show.
    """

    #: What its output is called.
    result = OUTPUT

    def __init__(self, trace: Trace, words: Sequence[str] = ()) -> None:
        self.trace, self.op = trace, trace.op
        self.traces: tuple[Trace, ...] = (trace,)
        self.lines = self._lines()
        self.drawn = self._drawn()
        self._order = {channel: plane for plane, channel in enumerate(self.drawn)}
        self.title, self.detail = heading(trace), self._detail()
        sizes = tuple(line.size for line in self.lines)[-len(trace.axes) :]
        inputs, outputs = self._names(tuple(words))
        self.left = Slab("stage", say("input"), len(self.drawn), sizes, inputs, given=True)
        self.right = Slab("output", self.result, trace.channels, trace.shape[1:], outputs)
        check(self.op, self.left, self.right)
        self._prepare()
        shape = (len(self.drawn), *(line.size for line in self.lines))
        self.stage_roles: Cells = self.left.planes(np.broadcast_to(self._roles(), shape))
        self.x, answer, self.numerals = self._numbers()
        self.stage_values, self.answer = self.left.planes(self._values()), self.right.planes(answer)
        # Always the same objects, so that renderers need not compare their values.
        self._stage_planes, self._output_planes = tuple(self.stage_values), tuple(self.answer)
        self.phases = self._phases()
        self._pending = self._whole(Role.PENDING)
        self.done_roles = self.right.planes(self._results())
        self._resting: dict[int, Grid] = {}
        self._opening = self._open()
        notes, finite = self._notes(), self.answer[np.isfinite(self.answer)]
        left = self.left.panels(self.numerals[0], self.stage_values, notes[0], shade="data", holds="input")
        right = self.right.panels(self.numerals[1], finite if finite.size else np.zeros(1), notes[1], holds="output")
        aside = self._aside()
        self.blocks = self._blocks(left, aside, right)
        self.others = crowded(left, aside, right) if len(trace.axes) > 1 else ()
        self.beats = Beats(len(self._opening), len(trace), 2 if len(trace) <= TWO else 1, 1, trace.axes[-1].output)

    # Methods that each kind of layer implements.

    def _prepare(self) -> None:
        """Prepare what depends on the values, after the number of planes has been checked."""

    def _drawn(self) -> tuple[int, ...]:
        """The channels of the input that are drawn, in order."""
        return tuple(range(len(self.trace.x)))

    def _names(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the channels of the input and of the output, if they have some.

        Otherwise their numbers in the whole layer, if those are not counted from 0 or belong to a single channel.
        """
        inputs, outputs = (words if len(words) == n else () for n in (len(self.drawn), self.trace.channels))
        if (part := self.trace.part) is None:
            return inputs, outputs
        read, written = tuple(part.inputs[c] for c in self.drawn), part.outputs
        if not inputs and _named(read, part.whole[0]):
            inputs = tuple(say("channel {n}", n=c) for c in read)
        if not outputs and _named(written, part.whole[1]):
            outputs = tuple(map(str, written))
        return inputs, outputs

    def _detail(self) -> str:
        return detail(self.trace)

    def _lines(self) -> tuple[Line, ...]:
        return lines(self.trace.axes)

    def _numbers(self) -> tuple[NDArray[Any], NDArray[Any], tuple[Numerals, Numerals]]:
        """What stands in the cells of the input (C, *n) and of the output (C, *o), and its formatting."""
        return self.trace.x, self.trace.answer, (Numerals(self.trace.x), Numerals(self.trace.answer))

    def _roles(self) -> Cells:
        """The roles of the finished stage, without channels."""
        return roles(*self.lines)

    def _values(self) -> NDArray[Any]:
        """The values of the finished stage, (C, *sizes)."""
        return laid(self.lines, self.x)

    def _results(self) -> Cells:
        """The roles of the finished output, (C, *o)."""
        return np.full(self.trace.shape, Role.DONE, np.uint8)

    def _phases(self) -> tuple[Phase, ...]:
        raise NotImplementedError

    def _open(self) -> list[Frame]:
        """The frames that set the stage."""
        raise NotImplementedError

    def look(self, step: Step, *, written: bool) -> Seen:
        """What a placement shows on the stage, and its arithmetic."""
        raise NotImplementedError

    def _marks(self, placements: int) -> Ints:
        """The cells of the stage that keep a mark after the first placements, (n, 3): plane, row and column."""
        return np.empty((0, 3), np.int64)

    def _remembered(self, plane: int, cells: int) -> dict[Where, str]:
        """The notes of the first `cells` cells in a plane of the output."""
        return {}

    def _aside(self) -> tuple[tuple[Panel, ...], ...]:
        """Rows of panels under the stage."""
        return ()

    def _beside(self, step: Step | None, *, written: bool) -> dict[str, Grid]:
        """The grids of those panels at a placement, or at the end."""
        return {}

    def _notes(self) -> tuple[str, str]:
        """The longest notes on the stage and on the output."""
        return "", ""

    def closing(self) -> Caption:
        """The last caption: the size of the output."""
        return size_formula(self.trace.axes)

    # The page.

    def _blocks(
        self, left: tuple[Panel, ...], aside: tuple[tuple[Panel, ...], ...], right: tuple[Panel, ...]
    ) -> Blocks:
        if len(self.trace.axes) == 1:  # each long strip has its own row
            return ((*((p,) for p in left), *aside, *((p,) for p in right)),)
        if aside and len(left) > ROW:  # the planes need the whole width
            *above, last = aside
            return ((left, *above, (*last, *right)) if len(right) <= ROW else (left, *aside, right),)
        return (*wrapped(left), *aside), wrapped(right)

    # Frames.

    def _set(self, phase: int, shown: Cells, values: NDArray[Any], remark: str) -> Frame:
        """A frame of the opening, from the stage's roles and values, (planes, rows, columns)."""
        calm = np.zeros(self.left.shape, np.uint8)
        named = zip(self.left.names, self.left.titles, shown, values, strict=True)
        stage = {name: Grid(title, r, v, calm) for name, title, r, v in named}
        beside = self._beside(None, written=False)
        return Frame(phase, {**stage, **beside, **self._pending}, (Caption(remark=remark),))

    def _placement(self, number: int, ahead: int) -> Frame:
        """A placement: the window, and in its last frame the result in the output."""
        if self._latest is None or self._latest.number != number:  # a placement has several frames
            self._latest = self.trace[number]
        step, written = self._latest, not ahead
        seen = self.look(step, written=written)
        caption = seen.caption if written else replace(seen.caption, waits=True)
        marks = self._marks(number)
        stage = {name: self._plane(i, marks, seen) for i, name in enumerate(self.left.names)}
        grids = {**stage, **self._beside(step, written=written), **self._written(number, written=written)}
        links = self.joined(number, seen)
        done = placed(links, written=written, reads=self.reads(step))
        if written and self._takes_over:
            done["moves"] = self._moves(step, links)
        return Frame(len(self.phases) - 1, grids, (caption,), number + 1, **done)

    _latest: Step | None = None

    #: Whether values may be copied unchanged; not with a kernel, even for a factor of one.
    _takes_over = True

    def _moves(self, step: Step, links: Sequence[Link]) -> tuple[Move, ...]:
        """The value that is copied unchanged: a maximum, or the only one under the window."""
        single = len(step.reads) == 1 and [len(link.cells) for link in links] == [1]
        at = 0 if single else step.winner
        if at is None or step.values[at] != step.written[0]:
            return ()
        plane, row, column = self._on_stage(step.reads[at].tolist())
        return (Move(self.left.names[plane], ((row, column),), links[0].other, (links[0].cell,)),)

    def reads(self, step: Step) -> Places:
        """The cells of the stage that a placement reads, by plane."""
        channels, *along = step.reads.T.tolist()
        lines = self.lines[len(self.lines) - len(along) :]
        spots = ([line.first + line.gap * at for at in some] for line, some in zip(lines, along, strict=True))
        found: dict[int, list[Cell]] = {}
        for channel, *spot in zip(channels, *spots, strict=True):
            if channel in self._order:
                plane, row, column = self.left.at((self._order[channel], *spot))
                found.setdefault(plane, []).append((row, column))
        return by_panel((self.left.names[plane], tuple(cells)) for plane, cells in found.items())

    def _on_stage(self, cell: Sequence[int]) -> tuple[int, int, int]:
        """The position of an input cell (drawn channel, *place) on the stage: plane, row and column."""
        channel, *along = cell
        lines = self.lines[len(self.lines) - len(along) :]
        return self.left.at((channel, *(line.first + line.gap * at for line, at in zip(lines, along, strict=True))))

    def links(self, step: int) -> tuple[Link, ...]:
        """The links between the window on each plane and the output cell of a placement."""
        return self.joined(step, self.look(self.trace[step], written=True))

    def joined(self, number: int, seen: Seen) -> tuple[Link, ...]:
        """The links of a placement, given what it shows."""
        plane, *cell = self.right.place(number)
        found = []
        for i, where in seen.active.items():
            cells = lattice(*(range(*s.indices(n)) for s, n in zip(where, self.left.shape, strict=True)))
            window = seen.outlines[i][0]
            found.append(Link(self.left.names[i], window, cells, self.right.names[plane], (cell[0], cell[1])))
        return tuple(found)

    def _plane(self, plane: int, marks: Ints, seen: Seen) -> Grid:
        """A plane of the stage at a placement; the same object as before if nothing happens on it."""
        if plane not in seen.active and plane not in seen.quiet and plane not in seen.outlines:
            return self._rest(plane, marks)
        shown, kept = self._marked(plane, marks)
        emphasis = np.zeros(shown.shape, np.uint8)
        if plane in seen.quiet:
            emphasis[:] = Emphasis.QUIET
        if plane in seen.active:
            emphasis[seen.active[plane]] = Emphasis.ACTIVE
        notes, outlines = seen.notes.get(plane, {}), kept + seen.outlines.get(plane, ())
        return Grid(self._title(plane), shown, self._stage_planes[plane], emphasis, notes, outlines)

    def _title(self, plane: int) -> str:
        """The title of a plane of the finished stage."""
        return self.left.titles[plane]

    def _rest(self, plane: int, marks: Ints) -> Grid:
        """A plane at rest; a grid that stays the same object is not drawn again."""
        shown, outlines = self._marked(plane, marks)
        kept = self._resting.get(plane)
        if kept is None or kept.outlines != outlines or not np.array_equal(kept.roles, shown):
            calm = np.zeros(shown.shape, np.uint8)
            kept = Grid(self._title(plane), shown, self._stage_planes[plane], calm, {}, outlines)
            self._resting[plane] = kept
        return kept

    def _marked(self, plane: int, marks: Ints) -> tuple[Cells, tuple[Outline, ...]]:
        """The roles of a plane with the marks that earlier placements left, and outlines around those."""
        if not len(marks):
            return self.stage_roles[plane].copy(), ()
        rows, columns = marks[marks[:, 0] == plane, 1:].T
        shown = self.stage_roles[plane].copy()
        shown[rows, columns] = Role.DONE
        cells = dict.fromkeys(zip(rows.tolist(), columns.tolist(), strict=True)) if len(self.trace) <= TWO else ()
        return shown, tuple(around([cell], Role.DONE)._replace(dashed=True) for cell in cells)

    def _whole(self, role: Role) -> dict[str, Grid]:
        calm = np.zeros(self.right.shape, np.uint8)
        shown = np.full(self.right.shape, role, np.uint8)
        named = zip(self.right.names, self.right.titles, self._output_planes, strict=True)
        return {name: Grid(title, shown, values, calm) for name, title, values in named}

    def _written(self, number: int, *, written: bool) -> dict[str, Grid]:
        """The output at a placement: earlier planes are done, later ones pending."""
        here, row, column = self.right.place(number)
        size = self.answer[0].size
        grids = dict(self._pending)
        for plane in range(here):
            grids[self.right.names[plane]] = self._finished[plane]
        shown = np.full(size, Role.PENDING, np.uint8)
        done = number - here * size + written
        shown[:done] = self.done_roles[here].ravel()[:done]
        new = np.zeros(self.right.shape, np.uint8)
        new[row, column] = Emphasis.WRITTEN if written else Emphasis.NONE
        cell = around([(row, column)], Role.DONE)
        grids[self.right.names[here]] = Grid(
            *(self.right.titles[here], shown.reshape(self.right.shape), self._output_planes[here], new),
            self._remembered(here, done),
            (cell,),
        )
        return grids

    @property
    def _finished(self) -> list[Grid]:
        if not hasattr(self, "_finished_grids"):
            calm, size = np.zeros(self.right.shape, np.uint8), self.answer[0].size
            self._finished_grids = [
                Grid(title, self.done_roles[i], self._output_planes[i], calm, self._remembered(i, size))
                for i, title in enumerate(self.right.titles)
            ]
        return self._finished_grids

    def _closed(self, number: int) -> Frame:
        marks = self._marks(self.beats.steps)
        stage = {name: self._rest(i, marks) for i, name in enumerate(self.left.names)}
        output = dict(zip(self.right.names, self._finished, strict=True))
        grids = {**stage, **self._beside(None, written=True), **output}
        return Frame(len(self.phases) - 1, grids, (self.closing(),), self.beats.steps)

    # Helpers for the kinds of layers.

    def _windows(self, cell: Sequence[int]) -> tuple[list[int], tuple[slice, slice], tuple[int, int, int, int]]:
        """The window of an output cell (channel, *place): its slices, rows and columns, and outline."""
        along = [
            (*line.window(at), line.axis.dilation)
            for line, at in zip(self.lines, (0, *cell[1:])[-len(self.lines) :], strict=True)
        ]
        depths = list(range(*along[0])) if len(along) == 3 else [0]
        (top, bottom, tall), (left, right, wide) = along[-2:]
        return depths, (slice(top, bottom, tall), slice(left, right, wide)), (top, left, bottom, right)


def _named(numbers: tuple[int, ...], count: int) -> bool:
    """Whether channels of a layer that has so many need their numbers as names."""
    return numbers != tuple(range(len(numbers))) or len(numbers) == 1 < count

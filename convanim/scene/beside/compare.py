"""Compares two layers over one input in lockstep: where their outputs are equal, where they first differ, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.explanation.compare import why
from convanim.explanation.difference import Difference
from convanim.language.numerals import unique
from convanim.language.words import both, join, say
from convanim.layers import times
from convanim.scene.beside.pair import Pair
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Beats,
    Blocks,
    Emphasis,
    Frame,
    Grid,
    Link,
    Outline,
    Panel,
    Phase,
    Role,
    Rows,
    panels_of,
)
from convanim.trace import Trace

if TYPE_CHECKING:
    from convanim.scene.contents import Scene

#: The maximum length of a layer's heading, in characters.
LONGEST = 40
#: With more panels than this in total, only the planes of inputs and outputs are shown.
CROWD = 12
#: The group of the panels that show an output.
GROUP = "outputs"


#: Names of layers at the start of a line, if no framework distinguishes them.
FIRST = {"the first": say("The first"), "the second": say("The second")}


class State(IntEnum):
    """The state of an output cell in comparison with the other output."""

    EQUAL = 0
    DIFFERENT = 1
    ALONE = 2  # the other output does not have this cell


class CompareScene:
    """Two layers over the same input; at the end, cells that differ are marked and the first of them outlined.

    Args:
        a, b: traces over the same input values, of any layers that have scenes.
        make: creates the scene of each.
        align: which cells correspond; see `Difference`.

    Raises:
        ConvanimError: the inputs differ, or a layer cannot be drawn.

    Example:
        >>> from convanim.layers import Conv
        >>> a, b = (Conv(2, padding=((p, 1),)).trace([1, 2, 3], [1, 1]) for p in (0, 1))
        >>> from convanim.scene import scene
        >>> s = CompareScene(a, b, scene)
        >>> [caption.text() for caption in s.frame(s.beats.total - 1).captions]
        ['', '', '0 of 3 common cells equal; the first that differs is output[0]: 3 and 1; \
padding is 0:1 in the first and 1 in the second']
    """

    captions = 3
    detail = ""

    def __init__(self, a: Trace, b: Trace, make: Callable[[Trace], Scene], align: str = "index") -> None:
        if not np.array_equal(a.x, b.x):
            raise ConvanimError(f"{a.op} and {b.op} have different inputs", "compare layers over the same input")
        self.difference = Difference(a, b, align)
        self._pair = Pair(make(a), make(b))
        self.traces = self._pair.traces
        # The results come first, then their differences.
        opening, steps, each, closing, row = self._pair.beats
        self.beats = Beats(opening, steps, each, closing + 1, row)
        self.title = self._title()
        self._states = [self._stated(t, part) for t, part in zip((a, b), self.difference.shared, strict=True)]
        self.phases = self._phases()
        self.blocks = self._blocks(len(a.axes))
        self.stories = self._heading(a), self._heading(b)
        self.panels = panels_of(self.blocks)
        self._opening = (*(Caption(remark=_notation(t)) for t in (a, b)), Caption())
        self._closing = Caption(), Caption(), Caption(remark=join("; ", [self.difference.told, why(a, b, align)]))

    def _title(self) -> str:
        d = self.difference
        into, one, two = (times(v) for v in (*d.a.sizes, d.b.sizes[1]))
        words = [t.op.words for t in (d.a, d.b)]
        named = d.a.op.convention != d.b.op.convention
        if words[0] != words[1]:
            head = both([words[0], d.b.op.called[0]])
        else:
            head = join(": ", [words[0], both(d.names)]) if named else say("{layer}, compared", layer=words[0])
        sizes = [f"{into} → {one}", *([two] if one != two else [])]
        return join("   ", [head, both(sizes)])

    def _stated(self, trace: Trace, part: tuple[slice, ...]) -> NDArray[np.uint8]:
        """The state of each cell of an output, (C, *o)."""
        states = np.full(trace.shape, State.ALONE, np.uint8)
        states[part] = np.where(self.difference.equal, State.EQUAL, State.DIFFERENT)
        return states

    def _phases(self) -> tuple[Phase, ...]:
        """The phases; the last one is a legend of the marks on the outputs."""
        met = unique(np.concatenate([states.ravel() for states in self._states]))
        legend = {State.DIFFERENT: say("bold = different"), State.ALONE: say("dashed = only in one")}
        marks = join(", ", [told for state, told in legend.items() if state in met])
        word = say("compare")
        return (
            Phase("prepare", say("prepare"), say("prepare")),
            Phase("compute", say("compute"), say("compute")),  # short, since the legend behind it is long
            Phase("compare", join(": ", [word, marks]) if marks else word, word),
        )

    # The page.

    def _blocks(self, rank: int) -> Blocks:
        """The rows of both layers, whose grids stand under those of the first one where they correspond."""
        one = self._rows(self._pair.above, self._pair.above.panels, self.difference.a, rank)
        two = self._rows(self._pair.below, self._pair.lower, self.difference.b, rank)
        if rank > 1 and len(one) == len(two) == 1:
            same = len(one[0]) == len(two[0])
            pairs = zip(*((row if same else (row[0], row[-1])) for row in (one[0], two[0])), strict=True)
            leads = {other.name: lead.name for lead, other in pairs}
            two = (tuple(replace(p, follows=leads.get(p.name, "")) for p in two[0]),)
        return ((*one, *two),)

    def _rows(self, shown: Scene, panels: Sequence[Panel], trace: Trace, rank: int) -> Rows:
        """The panels of one scene: with two grids the kernels between them, as on a page of their own."""
        dressed = [self._dressed(panel) for panel in panels]
        if not any(p.group == GROUP for p in dressed):
            raise ConvanimError(
                f"the scene of {trace.op} shows no output to compare",
                "print the differences instead, with convanim compare without -o",
            )
        walked, aside = ([p for p in dressed if p.aside == looked_up] for looked_up in (False, True))
        if len(walked) == 2 and rank > 1:
            return ((walked[0], *(replace(p, follows="") for p in aside), walked[1]),)
        if len(walked) == 2:
            # All strips are left-aligned.
            leads = next(p.name for p in self._pair.above.panels if not p.aside)
            first = replace(walked[0], follows=leads if walked[0].layer else "")
            return (first,), (replace(walked[1], follows=first.name), *aside)
        # Several planes keep their scene's arrangement, with the outputs at the end of the first row.
        named = {old.name: new for old, new in zip(shown.panels, dressed, strict=True)}
        # With many planes, those that distinguish the layers are shown; kernels and sums would leave no room.
        crowd = len(self._pair.above.panels) + len(self._pair.lower) > CROWD
        found = [
            [row for some in block if (row := [named[p.name] for p in some if not (crowd and p.aside)])]
            for block in shown.blocks
        ]
        first_block, *later = [rows for rows in found if rows]
        merged = [[*first_block[0], *(p for rows in later for row in rows for p in row)], *first_block[1:]]
        return tuple(map(tuple, merged))

    def _dressed(self, panel: Panel) -> Panel:
        """A panel that shares the cell size and the range of its counterpart in the other scene."""
        if panel.holds == "output":
            values = [t.answer[np.isfinite(t.answer)] for t in (self.difference.a, self.difference.b)]
            return replace(panel, group=GROUP, values=np.union1d(*values))
        return replace(panel, group="inputs") if panel.holds else panel

    def _heading(self, trace: Trace) -> str:
        """The difference from the other layer: the convention, and the arguments that differ."""
        d = self.difference
        other = d.b if trace is d.a else d.a
        if type(trace.op) is not type(other.op):
            return _cut(_notation(trace))
        names = [f.name for f in fields(trace.op) if f.name != "convention"]
        differ = [(n, getattr(trace.op, n)) for n in names if getattr(trace.op, n) != getattr(other.op, n)]
        told = ", ".join(f"{n}={value!r}" for n, value in differ if value is not None)
        name = d.names[0] if trace is d.a else d.names[1]
        name = FIRST.get(name, name)
        if trace.op.convention != other.op.convention:
            return _cut(join(": ", [name, told]) if told else name)
        return _cut(told or name)

    # Frames.

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of both layers at a placement."""
        return self._pair.links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        last = number == self.beats.total - 1
        now = self._pair.at(number - last)
        phase = ("opening", "steps", "closing").index(now.stage)
        captions: tuple[Caption, ...] = now.above.captions[0], now.below.captions[0], Caption()
        captions = self._closing if last else captions if number else self._opening
        step = 0 if now.stage == "opening" else min(now.number + 1, self.beats.steps)
        step = self.beats.steps if now.stage == "closing" else step
        grids = {**now.grids, **self._compared(now.grids)}
        return Frame(phase, {p.name: grids[p.name] for p in self.panels}, captions, step, **now.done)

    def _compared(self, grids: dict[str, Grid]) -> dict[str, Grid]:
        """The outputs with their differences marked."""
        outputs = [p for p in self.panels if p.group == GROUP]
        panels = [[p for p in outputs if p.layer == layer] for layer in (0, 1)]
        done = []
        for some, states in zip(panels, self._states, strict=True):
            written = [~np.isin(grids[p.name].roles, (Role.PENDING, Role.NONE)).ravel() for p in some]
            done.append(np.concatenate(written).reshape(states.shape))
        parts = self.difference.shared
        both = done[0][parts[0]] & done[1][parts[1]]
        out = {}
        for i, (some, states, part) in enumerate(zip(panels, self._states, parts, strict=True)):
            other = np.zeros(states.shape, bool)
            other[part] = both & (states[part] == State.DIFFERENT)
            first = np.zeros(states.shape, bool)
            if self.difference.first is not None and both[self.difference.first]:
                first[self.difference.firsts[i]] = True
            planes = [v.reshape(len(some), *some[0].shape) for v in (other, first, states == State.ALONE)]
            for panel, *marks in zip(some, *planes, strict=True):
                out[panel.name] = _marked(grids[panel.name], *marks)
        return out


def _marked(grid: Grid, other: NDArray[Any], first: NDArray[Any], alone: NDArray[Any]) -> Grid:
    """An output with its differing cells marked, the first of them outlined, and cells that only it has framed."""
    at_rest = grid.emphasis == Emphasis.NONE
    emphasis = np.where(other & at_rest, Emphasis.DIFFERENT, grid.emphasis).astype(np.uint8)
    outlines = [*_frames(alone), *grid.outlines]
    outlines += [Outline(r, c, r + 1, c + 1, Role.OVERLAP) for r, c in np.argwhere(first).tolist()]
    return replace(grid, emphasis=emphasis, outlines=tuple(outlines))


def _frames(cells: NDArray[Any]) -> list[Outline]:
    """Outlines around the cells outside the common part: below and right of it, above and left of it."""
    high, wide = cells.shape
    if cells.all():
        return [Outline(0, 0, high, wide, Role.OVERLAP, dashed=True)]
    (top, *_, bottom), (left, *_, right) = (
        [*found, found[-1]] for found in (np.flatnonzero((~cells).any(axis=i)).tolist() for i in (1, 0))
    )
    bottom, right = bottom + 1, right + 1
    found = [(bottom, 0, high, wide), (top, right, bottom, wide), (0, 0, top, wide), (top, 0, bottom, left)]
    return [Outline(*box, Role.OVERLAP, dashed=True) for box in found if box[0] < box[2] and box[1] < box[3]]


def _notation(trace: Trace) -> str:
    """A layer's notation without what its convention implies."""
    return str(trace.op).replace("kernel_size=", "").replace(f", convention={trace.op.convention!r}", "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

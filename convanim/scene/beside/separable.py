"""A depthwise convolution, and then the pointwise one that reads its output: two layers in a row on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convanim.errors import ConvanimError
from convanim.language.words import join, say
from convanim.layers import times
from convanim.scene.captions import detail, heading
from convanim.scene.frame import Beats, Blocks, Frame, Link, Panel, Phase, panels_of
from convanim.scene.window.planes import PlanesScene
from convanim.scene.window.slab import wrapped
from convanim.trace import ConvTrace
from convanim.trace.separable import SeparableTrace

#: The prefix of the names of the second layer's panels.
MIXED = "mixed "
#: The number of output planes in a row, beside the channels.
ROW = 2


class _Filter(PlanesScene):
    """The depthwise layer, whose output is not yet that of the whole layer."""

    result = say("filtered")

    def _weight_title(self, output: int, channel: int, depth: int, *, turned: bool) -> str:
        title = super()._weight_title(output, channel, depth, turned=turned)
        return join(" ", [say("kernel"), str(self.trace.part.outputs[output])]) if title else ""


class _Mix(PlanesScene):
    """The pointwise layer.

    Args:
        read: the titles of the planes that it reads.
    """

    def __init__(self, trace: ConvTrace, read: Sequence[str]) -> None:
        self._read = tuple(read)
        super().__init__(trace)

    def _names(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._read, super()._names(words)[1]


class SeparableScene:
    """Each channel is filtered by a kernel of its own; then each output cell mixes the filtered channels.

    Each channel has a row, from its input to its weight in the sum.

    Args:
        trace: of a separable convolution over one or two axes.

    Raises:
        ConvanimError: it has three axes, or too many channels are to be drawn.

    Example:
        >>> from convanim.layers import SeparableConv
        >>> x, depthwise, pointwise = [[[1, 2, 3]], [[4, 5, 6]]], [[[[1, 1]]], [[[1, -1]]]], [[[[10]], [[1]]]]
        >>> s = SeparableScene(SeparableConv((1, 2)).trace(x, depthwise, pointwise))
        >>> for step in (2, 5):
        ...     print(s.frame(s.beats.opening + s.beats.each * step - 1).captions[0].text())
        filtered[0, 0,1] = 2·1 + 3·1 = 5
        output[0,0] = 30 − 1 = 29   one sum per channel
    """

    captions = 1

    def __init__(self, trace: SeparableTrace) -> None:
        if len(trace.axes) > 2:
            raise ConvanimError(
                f"{trace.op} over {times(trace.x.shape)} has {len(trace.axes)} axes, and at most two are drawn",
                "draw one of its two layers",
            )
        first, second = trace.seen()
        self._filter = _Filter(first)
        self._mix = _Mix(second, self._filter.right.titles)
        self.traces = trace, first
        self.title = heading(trace)
        self.detail = detail(trace, len(self._filter.drawn))
        one, two = self._filter.beats, self._mix.beats
        self.beats = Beats(one.opening, one.steps + two.steps, min(one.each, two.each), 1, one.row)
        filters = Phase("filter", say("filter each channel"), say("filter"))
        self.phases = *self._filter.phases[:-1], filters, Phase("mix", say("mix the channels"), say("mix"))
        # The planes between both layers are written by the first one and read by the second.
        self._ours = {panel.name: MIXED + panel.name for panel in self._mix.panels}
        self._ours |= dict(zip(self._mix.left.names, self._filter.right.names, strict=True))
        self.blocks = self._arranged(len(trace.axes))
        self.panels = panels_of(self.blocks)
        opened, closed = self._mix.frame(0).grids, self._filter.frame(one.total - 1).grids
        self._pending = {name: grid for name, grid in self._renamed(opened).items() if name not in closed}
        self._filtered = closed

    def _arranged(self, axes: int) -> Blocks:
        """A row for each channel, and beside them the sum and the output."""
        own = {panel.name: replace(panel, follows="") for panel in self._filter.panels}
        theirs = [self._theirs(panel) for panel in self._mix.panels]
        weights = {panel.name: panel for panel in theirs if panel.shade == "kernel"}
        strips = tuple((panel,) for panel in theirs if panel.shade == "product")
        results = [panel for panel in theirs if panel.holds == "output"]
        each = len(self._mix.left.names) // len(self._filter.left.names)
        channels = []
        for i, (plane, kernel) in enumerate(zip(self._filter.left.names, self._filter.kernels, strict=True)):
            some = range(i * each, (i + 1) * each)
            read = [replace(own[self._filter.right.names[n]], holds="") for n in some]
            channels.append((own[plane], own[kernel], *read, *(weights[MIXED + self._mix.kernels[n]] for n in some)))
        if axes == 1:  # strips are wide, and low enough to stand above each other
            return ((*channels, *strips, *wrapped(results, ROW)),)
        return tuple(channels), (*strips, *wrapped(results, ROW))

    def _theirs(self, panel: Panel) -> Panel:
        """A panel of the pointwise layer by its name on this page."""
        group = MIXED + panel.group if panel.group else ""
        return replace(panel, name=self._ours[panel.name], follows="", group=group)

    def _renamed(self, grids: Mapping[str, Any]) -> dict[str, Any]:
        return {self._ours[name]: grid for name, grid in grids.items()}

    # Frames.

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        opening, steps, each, _, _ = self.beats
        if number < opening:
            frame = self._filter.frame(number)
            return replace(frame, grids={**frame.grids, **self._pending})
        step, part = divmod(number - opening, each)
        if step >= steps:
            grids = {**self._filtered, **self._renamed(self._mix.frame(self._mix.beats.total - 1).grids)}
            return Frame(len(self.phases) - 1, grids, (self._filter.closing(),), steps)
        first = self._filter.beats.steps
        if step < first:
            frame = self._filter.frame(_at(self._filter.beats, step, part - each))
            return replace(frame, grids={**frame.grids, **self._pending})
        frame = self._mix.frame(_at(self._mix.beats, step - first, part - each))
        reads, writes = self._renamed(frame.reads), self._renamed(frame.writes)
        grids = {**self._filtered, **self._renamed(frame.grids)}
        links = tuple(map(self._linked, frame.links))
        return replace(
            frame, phase=len(self.phases) - 1, grids=grids, step=step + 1, links=links, reads=reads, writes=writes
        )

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of a placement of the layer that makes it."""
        first = self._filter.beats.steps
        return self._filter.links(step) if step < first else tuple(map(self._linked, self._mix.links(step - first)))

    def _linked(self, link: Link) -> Link:
        return link._replace(panel=self._ours[link.panel], other=self._ours[link.other])


def _at(beats: Beats, step: int, back: int) -> int:
    """The number of a frame of a placement, counted back from the end of it."""
    return beats.opening + (step + 1) * beats.each + back

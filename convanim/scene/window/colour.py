"""Pictures in their own colours under a sliding window: each output cell gets red, green and blue at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.language.words import join, say
from convanim.scene.caption import Caption
from convanim.scene.captions import OUTPUT, place
from convanim.scene.contents import PlacementScene
from convanim.scene.frame import (
    Beats,
    Cells,
    Emphasis,
    Frame,
    Grid,
    Link,
    Move,
    Outline,
    Panel,
    Role,
    Turn,
    around,
    by_panel,
    in_rows,
    placed,
)
from convanim.scene.tints import (
    CHANNELS,
    Colours,
    check,
    clipped,
    distinct,
    finds_edges,
    kernel_panels,
    picture,
    picture_panel,
    tinted,
)
from convanim.scene.window.planes import PlanesScene
from convanim.scene.window.pool import PoolScene
from convanim.scene.window.upsample import UpsampleScene
from convanim.scene.window.window import TWO, WindowScene
from convanim.trace import ConvTrace, PoolTrace, Trace, UpsampleTrace


class ColourScene(PlacementScene):
    """A window slides over a picture, and each output cell gets its red, green and blue at once.

    Args:
        trace: of a layer that processes three channels separately, in gather order: a convolution with three groups, a
            pooling, a fixed upsampling.
        saturate: whether captions say that values beyond 255 clip. If not, the result of a kernel that finds edges,
            which has both signs, is shown by its absolute values.

    Raises:
        ConvanimError: the input is not a picture, or the layer mixes its channels.
    """

    captions = len(CHANNELS)

    def __init__(self, trace: Trace, *, saturate: bool = False) -> None:
        check(trace)
        self.trace, self.saturate = trace, saturate
        self.traces: tuple[Trace, ...] = (trace,)
        self._inner = _planes_of(trace)
        self.title, self.detail, self.phases = self._inner.title, self._inner.detail, self._inner.phases
        self._cells = len(trace) // len(CHANNELS)
        self._stage = self._tinted(self._inner.stage_values)
        self._edges = not saturate and finds_edges(trace)
        self._title = join(", ", [OUTPUT, say("absolute values")]) if self._edges else OUTPUT
        self._output = tinted(np.abs(self._inner.answer) if self._edges else self._inner.answer)
        asides: tuple[Panel, ...] = ()
        given: dict[str, Grid] = {}
        if isinstance(trace, ConvTrace):
            asides, given = kernel_panels(trace.kernel[:, 0])
        #: The kernels as they slide; the opening ends with their turn.
        self._aside = given
        if isinstance(trace, ConvTrace) and trace.op.slides_rotated:
            asides, self._aside = _turned(asides, given)
        last = self._inner.beats.opening - 1
        self._opening = [self._open(i, given if i < last else self._aside) for i in range(last + 1)]
        self._rest = picture(say("input"), self._inner.stage_roles[0], self._stage)
        black = np.zeros((1, 3), np.uint8)
        panels = (
            replace(
                picture_panel("stage", say("input"), self._stage.shape[:2], distinct(self._stage, black)),
                notes=self._inner.panels[0].notes if len(asides) == 1 else "",
            ),
            *asides,
            picture_panel("output", self._title, self._output.shape[:2], distinct(self._output)),
        )
        self.blocks = in_rows(panels, len(trace.axes))
        each = 2 if self._cells <= TWO else 1
        self.beats = Beats(len(self._opening), self._cells, each, 1, trace.axes[-1].output)

    def _tinted(self, planes: NDArray[Any]) -> Colours:
        return tinted(planes)

    def _open(self, number: int, kernels: dict[str, Grid]) -> Frame:
        inner = self._inner.frame(number)
        first, second, third = (inner.grids[name] for name in self._inner.left.names)
        colours = self._tinted(np.stack([first.values, second.values, third.values]))
        grids = {"stage": picture(say("input"), first.roles, colours), **kernels, "output": self._out(0)}
        remark = inner.captions[0].remark
        return Frame(inner.phase, grids, (Caption(remark=remark), Caption(), Caption()))

    def _out(self, done: int, at: int | None = None) -> Grid:
        """The output after its first cells, with an outline around the current one."""
        shape = self._output.shape[:2]
        roles: Cells = np.full(self._cells, Role.PENDING, np.uint8)
        roles[:done] = self._inner.done_roles[0].ravel()[:done]
        emphasis, more = np.zeros(self._cells, np.uint8), tuple[Outline, ...]()
        if at is not None:
            emphasis[at] = Emphasis.WRITTEN if done > at else Emphasis.NONE
            more = (around([divmod(at, shape[1])], Role.DONE),)
        # An inserted zero is black, as every zero is.
        roles = np.where(roles == Role.INSERTED, Role.DONE, roles).astype(np.uint8).reshape(shape)
        return picture(self._title, roles, self._output, emphasis=emphasis.reshape(shape), outlines=more)

    def _closed(self, number: int) -> Frame:
        grids = {"stage": self._rest, **self._aside, "output": self._out(self._cells)}
        return Frame(len(self.phases) - 1, grids, (self._inner.closing(), Caption(), Caption()), self._cells)

    def _placement(self, step: int, ahead: int) -> Frame:
        rest, written = self._rest, not ahead
        seen = [self._inner.look(self.trace[step + c * self._cells], written=False) for c in range(len(CHANNELS))]
        emphasis = np.zeros(rest.roles.shape, np.uint8)
        for where in list(seen[0].active.values())[:1]:
            emphasis[where] = Emphasis.ACTIVE
        outlines = next(iter(seen[0].outlines.values()), ())
        notes = next(iter(seen[0].notes.values()), {}) if len(self._aside) == 1 else {}
        stage = replace(rest, emphasis=emphasis, outlines=outlines, notes=notes)
        captions = tuple(self._caption(c, step, s.caption, written=written) for c, s in enumerate(seen))
        grids = {"stage": stage, **self._aside, "output": self._out(step + written, step)}
        links = self._merged(self._inner.joined(step, seen[0]))
        read = self._inner.reads(self.trace[step])
        done = placed(links, written=written, reads=by_panel(("stage", cells) for cells in read.values()))
        for link in links if written and not self._aside else ():
            (cell, *more), to = link.cells, link.cell
            if not more and (self._stage[cell] == self._output[to]).all():
                done["moves"] = (Move(link.panel, (cell,), link.other, (to,)),)
        return Frame(len(self.phases) - 1, grids, captions, step + 1, **done)

    @staticmethod
    def _merged(links: tuple[Link, ...]) -> tuple[Link, ...]:
        """The link of a picture, from that of one of its channels."""
        return tuple(link._replace(panel="stage", other="output") for link in links)

    def links(self, step: int) -> tuple[Link, ...]:
        """The link between the window of a placement and its output cell."""
        return self._merged(self._inner.links(step))

    def _caption(self, channel: int, step: int, caption: Caption, *, written: bool) -> Caption:
        """The caption of a channel: `red[1,2] = 255 + 255 = 510   clips at 255`."""
        value = self._inner.answer[channel].ravel()[step].item()
        row, column = divmod(step, self._output.shape[1])
        where = place((row, column)[-len(self.trace.axes) :])
        terms = caption.terms
        if terms and all(t.endswith("·1") for t in terms):
            terms = tuple(t.removesuffix("·1") for t in terms)
        remark = clipped(abs(value) if self._edges else value, saturate=self.saturate) or (
            caption.remark if not terms else ""
        )
        subject = join("", [CHANNELS[channel], where])
        if not written:
            return replace(caption, subject=subject, terms=terms, result="", remark="")
        # A copied value is not repeated as a result.
        result = "" if terms == (caption.result,) and not caption.opens else caption.result
        return replace(caption, subject=subject, terms=terms, result=result, remark=remark)


def _planes_of(trace: Trace) -> WindowScene:
    """The scene of the same layer plane by plane, which provides its windows and sums."""
    if isinstance(trace, PoolTrace):
        return PoolScene(trace, CHANNELS)
    if isinstance(trace, UpsampleTrace):
        return UpsampleScene(trace, CHANNELS)
    assert isinstance(trace, ConvTrace)  # noqa: S101 - the others are not offered
    return PlanesScene(trace, CHANNELS)


def _turned(panels: tuple[Panel, ...], grids: dict[str, Grid]) -> tuple[tuple[Panel, ...], dict[str, Grid]]:
    """The kernels turned by 180 degrees, and their panels with both titles."""
    done = {
        name: replace(
            grid, title=join(", ", [grid.title, say("turned")]), values=grid.values[::-1, ::-1], turn=Turn.ROTATED
        )
        for name, grid in grids.items()
    }
    return tuple(replace(panel, titles=(*panel.titles, done[panel.name].title)) for panel in panels), done

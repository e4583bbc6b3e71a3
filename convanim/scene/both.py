"""Two scenes in lockstep: the two views of one transposed convolution, ending in the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convanim.scene.captions import size_formula
from convanim.scene.frame import Beats, Caption, Cells, Frame, Grid, OneBlock, Phase, Role, still
from convanim.scene.gather import GatherScene
from convanim.scene.scatter import ScatterScene
from convanim.trace import ConvTrace, Trace


class BothScene(OneBlock):
    """Zero insertion above, overlap-add below; a stamp falls whenever the window has moved far enough.

    Args:
        trace: of a transposed layer, with one channel and one or two axes.
    """

    captions = 2

    def __init__(self, trace: ConvTrace) -> None:
        self._above, self._below = GatherScene(trace.by_output()), ScatterScene(trace.by_input())
        self.traces: tuple[Trace, ...] = self._above.trace, self._below.trace
        self.trace, self.title, self.detail = trace, self._above.title, self._above.detail
        *prepare, slide = self._above.phases
        _, _, _, *finish = self._below.phases
        self.phases = (*prepare, Phase(f"{slide.label} | stamp and add", "slide | stamp"), *finish)
        above = self._above.panels
        below = tuple(replace(p, name=f"below {p.name}") for p in self._below.panels)
        (stage, turned, output), (*parts, canvas) = above, below
        # Where values turn into shade, equal ones must look equal in both.
        shown = np.union1d(output.values, canvas.values)
        output, canvas = replace(output, values=shown), replace(canvas, values=shown)
        self.rows = ((stage, output, canvas), (turned, *parts))
        if len(trace.axes) == 1:  # long strips: each walked one has a row of its own
            self.rows = ((stage, turned), (output,), tuple(parts), (canvas,))
        self.panels = tuple(panel for row in self.rows for panel in row)
        opening, steps, _, _, row = self._above.beats
        self.beats = Beats(opening, steps, 1, self._below.beats.closing, row)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        opening, steps, _, closing, _ = self.beats
        slid = min(max(number - opening + 1, 0), steps)
        twice = self._above.beats.each
        # Each placement in its last frame, with the sum written; then the result.
        above = self._above.frame(number if number < opening else opening + slid * twice - (number < opening + steps))
        stamps, each = self._below.beats.steps, self._below.beats.each
        if number < opening:
            below, phase = self._below.frame(0), above.phase
            captions = above.captions[0], Caption()
        elif number < opening + steps:
            # After slide n of N, ceil(n M / N) of M stamps have fallen: both end together.
            fallen, before = -(-slid * stamps // steps), -(-(slid - 1) * stamps // steps)
            below, phase = self._below.frame(self._below.beats.opening + fallen * each - 1), above.phase
            if fallen == before:  # the next stamp is not due yet: what is there rests
                grids = {name: still(grid, roles=_settled(grid.roles)) for name, grid in below.grids.items()}
                below = replace(below, grids=grids, captions=(Caption(),))
            captions = above.captions[0], below.captions[0]
        else:
            last = number - opening - steps
            below = self._below.frame(self._below.beats.opening + stamps * each + last)
            phase = len(self._above.phases) + below.phase - 3
            same = Caption(remark="both ways give the same numbers")
            captions = (size_formula(self.trace.axes), same if last == closing - 1 else below.captions[0])
        return Frame(phase, {**above.grids, **_renamed(below)}, captions, above.step)


def _settled(roles: Cells) -> Cells:
    return np.where(roles == Role.OVERLAP, np.uint8(Role.DONE), roles)


def _renamed(frame: Frame) -> dict[str, Grid]:
    return {f"below {name}": grid for name, grid in frame.grids.items()}

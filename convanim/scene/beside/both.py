"""Both views of a transposed convolution in lockstep, with the same results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convanim.language.words import say
from convanim.scene.beside.pair import Pair, finishing, side_by_side
from convanim.scene.caption import Caption
from convanim.scene.captions import size_formula
from convanim.scene.frame import (
    Blocks,
    Frame,
    Link,
    panels_of,
)
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.window.gather import GatherScene
from convanim.trace import ConvTrace


class BothScene:
    """Zero insertion above, overlap-add below; a stamp falls as soon as the window has moved far enough.

    Args:
        trace: of a transposed layer, with one channel and one or two axes.
    """

    captions = 3

    def __init__(self, trace: ConvTrace) -> None:
        above, below = GatherScene(trace.by_output()), ScatterScene(trace.by_input())
        # The window sets the pace: with much cropping, several stamps fall during one of its steps.
        self._pair = Pair(above, below, steps=above.beats.steps)
        self.trace, self.traces, self.beats = trace, self._pair.traces, self._pair.beats._replace(row=above.beats.row)
        self.title, self.detail = above.title, above.detail
        self.phases = side_by_side(self._pair.above, self._pair.below, say("stamp and add"))
        (stage, turned, output), (*parts, canvas) = above.panels, self._pair.lower
        # If values are shaded, equal values must look equal in both.
        shown = np.union1d(output.values, canvas.values)
        output, canvas = replace(output, values=shown), replace(canvas, values=shown, follows=output.name)
        self.stories = say("Zero insertion"), say("Overlap-add")
        self.blocks: Blocks = (((stage, turned, output), (*parts, canvas)),)
        if len(trace.axes) == 1:  # long strips: each grid that a window visits has its own row
            canvas = replace(canvas, follows="")
            self.blocks = (((stage, turned), (output,), tuple(parts), (canvas,)),)
        self.panels = panels_of(self.blocks)

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of both views at a placement."""
        return self._pair.links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        now = self._pair.at(number)
        phase, (slid,), (stamped,), same = now.above.phase, now.above.captions, now.below.captions, Caption()
        if now.stage == "opening":
            stamped = Caption()
        elif now.stage == "closing":
            phase = finishing(self.phases, self._pair.below.phases[now.below.phase])
            slid = size_formula(self.trace.axes)
            if now.number == self.beats.closing - 1:
                same = Caption(remark=say("both ways give the same numbers"))
        return Frame(phase, now.grids, (slid, stamped, same), now.above.step, **now.done, moves=now.stamps)

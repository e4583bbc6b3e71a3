"""A convolution in lockstep with its gradient, which uses the same taps in the opposite direction."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike

from convanim.language.words import join, say
from convanim.layers import times
from convanim.scene.beside.pair import Pair, finishing, side_by_side
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Blocks,
    Frame,
    Link,
    panels_of,
)
from convanim.scene.stamp.canvas import cropped_by
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.window.gather import GatherScene
from convanim.trace import ConvTrace

#: Names of the gradients that a backward pass reads and writes.
READS, WRITES = say("grad output"), say("grad input")


class BackwardScene:
    """A window gathers an output cell, and the gradient of that cell is stamped where the window lies.

    Args:
        trace: of a convolution whose padding is zeros, with one channel and one or two axes.
        grad: the gradient with respect to the output, in the output's shape; ones by default.

    Raises:
        ConvanimError: the gradient is no transposed convolution, or has another shape than the output.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), section 4.1.

    Example:
        >>> from convanim.layers import Conv
        >>> s = BackwardScene(Conv(kernel_size=2).trace([1, 2, 3], [10, 1]), [1, 2])
        >>> [caption.text() for caption in s.frame(s.beats.opening + 1).captions]
        ['output[1] = 2·10 + 3·1 = 23', 'grad input += 2 · kernel   1 cell overlaps: 1 + 20 = 21', '']
    """

    captions = 3

    def __init__(self, trace: ConvTrace, grad: ArrayLike | None = None) -> None:
        self.trace = trace.by_output()
        above = GatherScene(self.trace)
        below = ScatterScene(self.trace.backward(grad).by_input(), reads=READS, writes=WRITES)
        self._pair = Pair(above, below)
        self.traces, self.beats, self.detail = self._pair.traces, self._pair.beats, above.detail
        into, out = (times([getattr(a, n) for a in trace.axes]) for n in ("input", "output"))
        name = say("{layer} and its gradient", layer=trace.op.words)
        self.title = join("   ", [name, f"{into} → {out} → {into}"])
        self.phases = side_by_side(self._pair.above, self._pair.below, say("stamp the gradient"))
        (stage, kernel, output), (given, again, stamp, canvas) = above.panels, self._pair.lower
        # The window and the stamp cover the same cells of two grids, which are aligned, and so are both ends of a link.
        canvas, given = replace(canvas, follows=stage.name), replace(given, follows=output.name)
        self.stories = say("Forward"), say("Backward")
        # The gradient flows from right to left, below the values that it belongs to: product = kernel × gradient.
        stamp, again, given = replace(stamp, sign=""), replace(again, sign="="), replace(given, sign="×")
        self.blocks: Blocks = (((stage, kernel, output), (canvas, stamp, again, given)),)
        if len(trace.axes) == 1:
            self.blocks = (((stage,), (output, kernel), (canvas,), (given, again, stamp)),)
        self.panels = panels_of(self.blocks)

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of both passes at a placement."""
        return self._pair.links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        now = self._pair.at(number)
        forward, back, same = now.above.captions[0], now.below.captions[0], Caption()
        phase = now.above.phase
        if now.stage == "steps":
            # Without cell indices: those of the full result are not those of the input if that is padded.
            back = replace(back, subject=WRITES)
        elif now.stage == "closing":
            phase = finishing(self.phases, self._pair.below.phases[now.below.phase])
            back = Caption(remark=self._crop())
            if now.number == self.beats.closing - 1:
                told = say("the same taps, read the other way round")
                same = Caption(
                    remark=join("; ", [told, say("the backward pass of one is the forward pass of the other")])
                )
        return Frame(phase, now.grids, (forward, back, same), now.above.step, **now.done, moves=now.stamps)

    def _crop(self) -> str:
        """The remark for the crop: padding is no input, and cells that the floor leaves unused have no gradient."""
        axes = self.trace.axes
        told: list[str] = []
        if any(a.before or a.after for a in axes):
            crop = cropped_by(axes)
            told.append(say("{crop}: padding is no input and needs no gradient", crop=crop))
        if any(a.unused for a in axes):
            told.append(say("what no window reaches has gradient 0"))
        return join("; ", told)

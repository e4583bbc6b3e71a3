"""A fixed upsampling in lockstep with the transposed convolution that equals it, or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace

from convanim.errors import ConvanimError
from convanim.explanation.equals import equal_layer, equal_trace
from convanim.language.words import both, join, parts_of, say
from convanim.layers import times
from convanim.scene.beside.pair import Pair, finishing, side_by_side
from convanim.scene.caption import Caption
from convanim.scene.captions import heading
from convanim.scene.frame import (
    Blocks,
    Frame,
    Link,
    panels_of,
)
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.window.upsample import UpsampleScene
from convanim.trace import Trace, UpsampleTrace


class EqualScene:
    """An upsampling, and the overlap-add of the transposed convolution that equals it, with the same results.

    If no layer equals it, the upsampling alone, and the reason at the end.

    Args:
        trace: of an upsampling, with one channel and one or two axes.

    Raises:
        ConvanimError: several channels, or three axes.

    Example:
        >>> from convanim.layers import Upsample
        >>> for op in (Upsample(scale_factor=2), Upsample(scale_factor=2, mode="bilinear")):
        ...     s = EqualScene(op.trace([1, 2]))
        ...     print([caption.text() for caption in s.frame(s.beats.total - 1).captions])
        ['', 'ConvTranspose(kernel_size=2, stride=2) with ones as weights', 'both ways give the same numbers']
        ['no transposed convolution equals it: at the border the outermost cell is repeated', \
'inside it is ConvTranspose(kernel_size=4, stride=2, padding=1)']
    """

    def __init__(self, trace: UpsampleTrace) -> None:
        if len(trace.x) > 1 or len(trace.axes) > 2:
            raise ConvanimError(
                f"{trace.op} over {times(trace.x.shape)} cannot be shown beside its equivalent layer",
                "give an input of one channel, such as 5x5, or use `view` reading",
            )
        self.trace = trace.by_output()
        self._found = equal_layer(trace.op, trace.x.shape[1:])
        self._above = UpsampleScene(self.trace)
        other = equal_trace(trace)
        self.detail = self._above.detail
        self._pair = None if other is None else Pair(self._above, ScatterScene(other.by_input()))
        self.traces: tuple[Trace, ...] = (self._pair or self._above).traces
        self.stories: tuple[str, ...] = ()
        self.captions = 3 if self._pair else 2
        if self._pair is None:
            self.title = self._above.title
            self.phases, self.blocks, self.beats = self._above.phases, self._above.blocks, self._above.beats
            self.panels = self._above.panels
            return
        self.title = heading(trace, say("{layer} and its equal transposed convolution", layer=trace.op.words))
        self.beats = self._pair.beats
        self.phases = side_by_side(self._pair.above, self._pair.below, say("stamp and add"))
        self.blocks = self._blocks(self._pair, len(trace.axes))
        self.stories = trace.op.words, say("Transposed convolution")
        self.panels = panels_of(self.blocks)

    def _blocks(self, pair: Pair, rank: int) -> Blocks:
        x, output = self._above.panels
        given, kernel, stamp, canvas = pair.lower
        x, canvas = (replace(p, follows=output.name) for p in (x, canvas)) if rank > 1 else (x, canvas)
        if rank > 1:
            return (((x, output), (given, kernel, stamp, canvas)),)
        return (((x,), (output,), (given, kernel, stamp), (canvas,)),)

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of both layers at a placement."""
        return (self._pair or self._above).links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        last = number == self.beats.total - 1
        if self._pair is None:
            frame = self._above.frame(number)
            return replace(frame, captions=self._reason() if last else (*frame.captions, Caption()))
        now = self._pair.at(number)
        phase, captions = now.above.phase, (*now.above.captions, *now.below.captions, Caption())
        if now.stage == "closing":
            phase = finishing(self.phases, self._pair.below.phases[now.below.phase])
            if last:
                same = say("both ways give the same numbers")
                captions = Caption(), Caption(remark=self._named()), Caption(remark=same)
        return Frame(phase, now.grids, captions, now.above.step, **now.done, moves=now.stamps)

    def _named(self) -> str:
        """The layer, and its weights along the axes."""
        ways = [say("ones") if (w == 1).all() else say("a tent") for w in self._found.weights]
        if all(w.size == 1 for w in self._found.weights):
            return say("{layer} with a single one as its weight", layer=self._found.layer)
        return say("{layer} with {what} as weights", layer=self._found.layer, what=both(dict.fromkeys(ways)))

    def _reason(self) -> tuple[Caption, Caption]:
        told, *inside = parts_of(self._found.reason)
        none = say("no transposed convolution equals it: {why}", why=told)
        return Caption(remark=none), Caption(remark=join("; ", inside))

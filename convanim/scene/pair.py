"""Two scenes in lockstep: both begin and end together, however many steps each of them has.

Knows which frame of each is shown when. Must not know what the two scenes are, or what is said about them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convanim.scene.frame import Beats, Blocks, Caption, Cells, Frame, Grid, Link, Move, Panel, Phase, Role, still
from convanim.trace import Trace
from convanim.words import say

if TYPE_CHECKING:  # the registry of scenes knows what is made of pairs
    from convanim.scene import Scene

#: What the names of the second scene's panels begin with.
BELOW = "below "
#: The phases of a scene that stamps which run beside the one that walks.
STAMPING = ("read", "scale", "add")


class Moment(NamedTuple):
    """One moment of a pair.

    Attributes:
        above, below: the frame that each of the scenes shows.
        stage: "opening", "steps" or "closing".
        number: the frame within that stage, from 0.
        moved: for each of the two whether it has made a step since the frame before; outside of the steps, neither.
        made: how many steps of its own each has made.
        links: those of both, by the names that their panels have in the pair.
    """

    above: Frame
    below: Frame
    stage: str
    number: int
    moved: tuple[bool, bool]
    made: tuple[int, int]
    links: tuple[Link, ...]

    @property
    def done(self) -> dict[str, Any]:
        """What both join, read and write, as the fields of their frame. What they take over would cross."""
        reads, writes = (
            {**getattr(self.above, what), **{BELOW + name: cells for name, cells in getattr(self.below, what).items()}}
            for what in ("reads", "writes")
        )
        return {"links": self.links, "reads": reads, "writes": writes}

    @property
    def stamps(self) -> tuple[Move, ...]:
        """What the second scene takes over."""
        return tuple(m._replace(panel=BELOW + m.panel, other=BELOW + m.other) for m in self.below.moves)

    @property
    def grids(self) -> dict[str, Grid]:
        """The grids of both, by the names that their panels have in the pair."""
        return {**self.above.grids, **{BELOW + name: grid for name, grid in self.below.grids.items()}}


class Pair:
    """When each of two scenes shows which of its frames.

    The openings begin together, and the shorter one waits. After step n of N a scene of M steps has made n M / N of
    them, rounded up: so both make their first step at once, and end at once. Each step shows the last frame that the
    scene has for it, with its sum written. The closings begin together, too.

    Args:
        above, below: scenes with at least one opening and one closing frame.
        steps: N; without it, as many as the one that has more.
        rest: what a frame is turned into while its scene waits for the other; without it, what is at rest: no window,
            no emphasis, no captions.

    Example:
        >>> from convanim.ops import ConvTranspose
        >>> from convanim.scene.gather import GatherScene
        >>> from convanim.scene.scatter import ScatterScene
        >>> t = ConvTranspose(kernel_size=2).trace([1, 2], [1, 1])
        >>> pair = Pair(GatherScene(t.by_output()), ScatterScene(t.by_input()))
        >>> [pair.at(pair.beats.opening + n).made for n in range(3)]
        [(1, 1), (2, 2), (3, 2)]
    """

    def __init__(
        self, above: Scene, below: Scene, steps: int | None = None, rest: Callable[[Frame], Frame] | None = None
    ) -> None:
        self.above, self.below = above, below
        self.traces: tuple[Trace, ...] = (*above.traces, *below.traces)
        one, two = above.beats, below.beats
        steps = max(one.steps, two.steps) if steps is None else steps
        # The first row ends where the slower of the two first rows does.
        row = max(-(-b.row * steps // b.steps) for b in (one, two))
        self.beats = Beats(max(one.opening, two.opening), steps, 1, max(one.closing, two.closing), min(row, steps))
        self._rest = rest or at_rest

    @property
    def lower(self) -> tuple[Panel, ...]:
        """The panels of the second scene, by the names that they have in the pair."""
        return tuple(
            replace(
                p, name=BELOW + p.name, layer=1, **{k: BELOW + v for k in ("group", "follows") if (v := getattr(p, k))}
            )
            for p in self.below.panels
        )

    def at(self, number: int) -> Moment:
        """What both show in a frame of the pair, from 0."""
        opening, steps, _, _, _ = self.beats
        stage, number = ("opening", number) if number < opening else ("steps", number - opening)
        if stage == "steps" and number >= steps:
            stage, number = "closing", number - steps
        above, below = (self._show(s, stage, number) for s in (self.above, self.below))
        moved, done = zip(*(self._steps(s, stage, number) for s in (self.above, self.below)), strict=True)
        return Moment(above, below, stage, number, moved, done, self.links(number) if stage == "steps" else ())

    def links(self, step: int) -> tuple[Link, ...]:
        """What both join at a placement of the pair: a scene that waits at rest joins nothing."""
        found: list[Link] = []
        for scene, name in ((self.above, ""), (self.below, BELOW)):
            moved, done = self._steps(scene, "steps", step)
            if moved or self._rest is not at_rest:
                own = scene.links(done - 1)
                found += [link._replace(panel=name + link.panel, other=name + link.other) for link in own]
        return tuple(found)

    def _steps(self, scene: Scene, stage: str, number: int) -> tuple[bool, int]:
        """Whether a scene makes a step of its own, and how many it has made."""
        own, steps = scene.beats.steps, self.beats.steps
        if stage != "steps":
            return False, own if stage == "closing" else 0
        before, done = -(-number * own // steps), -(-(number + 1) * own // steps)
        return before < done, done

    def _show(self, scene: Scene, stage: str, number: int) -> Frame:
        """The frame that a scene shows."""
        opening, steps, each, closing, _ = scene.beats
        if stage == "opening":
            return scene.frame(min(number, opening - 1))
        if stage == "closing":
            return scene.frame(opening + steps * each + min(number, closing - 1))
        moved, done = self._steps(scene, stage, number)
        frame = scene.frame(opening + done * each - 1)
        return frame if moved else self._rest(frame)


def side_by_side(walked: Scene, stamped: Scene, told: str) -> tuple[Phase, ...]:
    """The phases of a scene that walks beside one that stamps: what sets the stage, both at work, what finishes."""
    *prepare, walk = walked.phases
    both = walk._replace(beside=Phase("stamp", told, say("stamp")))
    return (*prepare, both, *(phase for phase in stamped.phases if phase.key not in STAMPING))


def finishing(phases: tuple[Phase, ...], phase: Phase) -> int:
    """The number of a phase of the scene that stamps among those of the two; while it stamps, that of both at work."""
    return next(i for i, p in enumerate(phases) if (p.beside if phase.key in STAMPING else p.key == phase.key))


def at_rest(frame: Frame) -> Frame:
    """A frame in which nothing happens: the one before, without window, emphasis and captions."""
    grids = {name: still(grid, roles=_settled(grid.roles)) for name, grid in frame.grids.items()}
    return Frame(frame.phase, grids, tuple(Caption() for _ in frame.captions), frame.step)


def _settled(roles: Cells) -> Cells:
    return np.where(roles == Role.OVERLAP, np.uint8(Role.DONE), roles)


def panels_of(blocks: Blocks) -> tuple[Panel, ...]:
    """All panels of some blocks, block by block and row by row."""
    return tuple(panel for block in blocks for row in block for panel in row)

"""Two scenes in lockstep, which begin and end together whatever their numbers of steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from convanim.language.words import say
from convanim.scene.frame import (
    Beats,
    Frame,
    Grid,
    Link,
    Move,
    Panel,
    Phase,
)
from convanim.trace import Trace

if TYPE_CHECKING:  # the registry imports this module
    from convanim.scene.contents import Scene

#: The prefix of the names of the second scene's panels.
BELOW = "below "
#: The phases of a stamping scene that run beside the sliding one.
STAMPING = ("read", "scale", "add")


class Moment(NamedTuple):
    """One moment of a pair.

    Attributes:
        above, below: the frames of the two scenes.
        stage: "opening", "steps" or "closing".
        number: the number of the frame within that stage, from 0.
        moved: for each scene, whether it has made a step since the last frame; only during the steps.
        made: the number of steps that each has made.
        links: the links of both, with the pair's panel names.
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
        """The links, reads and writes of both, as fields of their frame. Moves are left out, as they would cross."""
        reads, writes = (
            {**getattr(self.above, what), **{BELOW + name: cells for name, cells in getattr(self.below, what).items()}}
            for what in ("reads", "writes")
        )
        return {"links": self.links, "reads": reads, "writes": writes}

    @property
    def stamps(self) -> tuple[Move, ...]:
        """The moves of the second scene."""
        return tuple(m._replace(panel=BELOW + m.panel, other=BELOW + m.other) for m in self.below.moves)

    @property
    def grids(self) -> dict[str, Grid]:
        """The grids of both, by the pair's panel names."""
        return {**self.above.grids, **{BELOW + name: grid for name, grid in self.below.grids.items()}}


class Pair:
    """The frames that two scenes show at the same time.

    The openings begin together, and the shorter one waits. After step n of N a scene of M steps has made n M / N of
    them, rounded up, so both make their first step at once and end at once. Each step shows the last frame that the
    scene has for it, with its sum written, and a scene that waits for the other still shows its last step, so that
    its numbers remain explained. The closings begin together, too.

    Args:
        above, below: scenes with at least one opening and one closing frame.
        steps: N; by default the larger number of steps.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> from convanim.scene.window.gather import GatherScene
        >>> from convanim.scene.stamp.scatter import ScatterScene
        >>> t = ConvTranspose(kernel_size=2).trace([1, 2], [1, 1])
        >>> pair = Pair(GatherScene(t.by_output()), ScatterScene(t.by_input()))
        >>> [pair.at(pair.beats.opening + n).made for n in range(3)]
        [(1, 1), (2, 2), (3, 2)]
    """

    def __init__(self, above: Scene, below: Scene, steps: int | None = None) -> None:
        self.above, self.below = above, below
        self.traces: tuple[Trace, ...] = (*above.traces, *below.traces)
        one, two = above.beats, below.beats
        steps = max(one.steps, two.steps) if steps is None else steps
        # The first row ends when both scenes have completed theirs.
        row = max(-(-b.row * steps // b.steps) for b in (one, two))
        self.beats = Beats(max(one.opening, two.opening), steps, 1, max(one.closing, two.closing), min(row, steps))

    @property
    def lower(self) -> tuple[Panel, ...]:
        """The panels of the second scene, by the pair's names."""
        return tuple(
            replace(
                p, name=BELOW + p.name, layer=1, **{k: BELOW + v for k in ("group", "follows") if (v := getattr(p, k))}
            )
            for p in self.below.panels
        )

    def at(self, number: int) -> Moment:
        """The moment of a frame of the pair, from 0."""
        opening, steps, _, _, _ = self.beats
        stage, number = ("opening", number) if number < opening else ("steps", number - opening)
        if stage == "steps" and number >= steps:
            stage, number = "closing", number - steps
        above, below = (self._show(s, stage, number) for s in (self.above, self.below))
        moved, done = zip(*(self._steps(s, stage, number) for s in (self.above, self.below)), strict=True)
        return Moment(above, below, stage, number, moved, done, self.links(number) if stage == "steps" else ())

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of both scenes at a placement of the pair; a scene that waits has those of its last step."""
        found: list[Link] = []
        for scene, name in ((self.above, ""), (self.below, BELOW)):
            own = scene.links(self._steps(scene, "steps", step)[1] - 1)
            found += [link._replace(panel=name + link.panel, other=name + link.other) for link in own]
        return tuple(found)

    def _steps(self, scene: Scene, stage: str, number: int) -> tuple[bool, int]:
        """Whether a scene makes a step, and the number of steps that it has made."""
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
        return frame if moved else replace(frame, reads={}, writes={}, moves=())  # it still shows what it did


def side_by_side(walked: Scene, stamped: Scene, told: str) -> tuple[Phase, ...]:
    """The phases of a sliding scene beside a stamping one: the opening, both at work, the closing."""
    *prepare, walk = walked.phases
    both = walk._replace(beside=Phase("stamp", told, say("stamp")))
    return (*prepare, both, *(phase for phase in stamped.phases if phase.key not in STAMPING))


def finishing(phases: tuple[Phase, ...], phase: Phase) -> int:
    """The number of a phase of the stamping scene among the phases of both; while it stamps, that of both at work."""
    return next(i for i, p in enumerate(phases) if (p.beside if phase.key in STAMPING else p.key == phase.key))

"""The sequence of frames that is shown, including those in motion between frames of the scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Frame,
    Turn,
)
from convanim.timing.motion.paths import MOST
from convanim.timing.motion.tween import Tween
from convanim.timing.pace import Shot
from convanim.timing.timeline import TURN, eased


def moving(frame: Callable[[int], Frame], shots: Sequence[Shot], tick: int) -> Iterator[tuple[Frame, int]]:
    """The frames that are shown, including those in motion, and the duration of each in ms.

    Args:
        frame: returns the frame of a number.
        shots: the frames to show, and their durations; motion takes its time from the frame that it leads to.
        tick: the duration of a frame in motion, ms; 0 for no motion.
    """
    before: Frame | None = None
    at = 0
    while at < len(shots):
        here, time = frame(shots[at].frame), shots[at].milliseconds
        words: tuple[Caption, ...] | None = None
        most = None
        mirrored = any(grid.turn == Turn.MIRRORED for grid in here.grids.values())
        if tick and before is not None and at + 1 < len(shots) and mirrored:
            after = frame(shots[at + 1].frame)
            if _turns(before, here, after):  # the rotation is one motion over several frames
                words, most = here.captions, TURN
                here, time, at = after, time + shots[at + 1].milliseconds, at + 1
        parts = eased(time, tick, *([most] if most else [])) if tick and before is not None else []
        tween = Tween(before, here) if before is not None and parts else None
        if tween and tween.moves:
            for part in parts:
                way = tween.frame(part)
                yield (replace(way, captions=words) if words and part < 0.5 else way), tick
            time -= tick * len(parts)
        yield here, time
        before, at = here, at + 1


def _turns(before: Frame, here: Frame, after: Frame) -> bool:
    """Whether a kernel is rotated between two frames and mirrored in the one between them."""
    three = [frame.grids for frame in (before, here, after)]
    return any(
        [grids[name].turn for grids in three if name in grids] == list(Turn) and grid.roles.size <= MOST
        for name, grid in after.grids.items()
    )

"""The frames that are shown one after the other, with those on the way between them.

Knows how long each is shown. Must not know what moves in a frame, but for a turn of which more than one frame tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from convanim.motion.paths import MOST
from convanim.motion.tween import Tween
from convanim.scene.frame import Caption, Frame, Turn
from convanim.timeline import TURN, Shot, eased


def moving(frame: Callable[[int], Frame], shots: Sequence[Shot], tick: int) -> Iterator[tuple[Frame, int]]:
    """The frames that are shown, with those on the way between them, and for how many ms each.

    Args:
        frame: the frame of a number.
        shots: which frames, and how long; what is on the way takes its time from the frame that it leads to.
        tick: ms of a frame on the way; 0 for none.
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
            if _turns(before, here, after):  # the turn is one motion, however many frames tell of it
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
    """Whether a kernel that is rotated between two frames is mirrored in the one between them."""
    three = [frame.grids for frame in (before, here, after)]
    return any(
        [grids[name].turn for grids in three if name in grids] == list(Turn) and grid.roles.size <= MOST
        for name, grid in after.grids.items()
    )

"""The frames that are shown one after the other, with those on the way between them.

Knows how long each is shown. Must not know what moves in a frame, but for a turn of which more than one frame tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from convanim.motion.paths import MOST, turned
from convanim.motion.tween import Tween
from convanim.scene.frame import Caption, Frame, Role
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
        if tick and before is not None and at + 1 < len(shots) and _retitled(before, here):
            after = frame(shots[at + 1].frame)
            if _half_turned(before, here, after):  # the turn is one motion, however many frames tell of it
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


def _retitled(before: Frame, after: Frame) -> list[str]:
    """The kernels whose titles have changed."""
    both = before.grids.keys() & after.grids.keys()
    panels = [(name, before.grids[name], after.grids[name]) for name in sorted(both)]
    return [name for name, then, now in panels if then.title != now.title and (now.roles == Role.KERNEL).all()]


def _half_turned(before: Frame, here: Frame, after: Frame) -> bool:
    """Whether a kernel that is turned between two frames is mirrored in the one between them."""
    return any(
        name in _retitled(before, here)
        and name in _retitled(before, after)
        and turned(before.grids[name], after.grids[name])
        and np.array_equal(before.grids[name].values[:, ::-1], here.grids[name].values)
        and after.grids[name].roles.size <= MOST
        for name in _retitled(here, after)
    )

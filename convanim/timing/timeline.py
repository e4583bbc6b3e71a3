"""The timing of an animation: which frames are shown, and the duration of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convanim.errors import ConvanimError
from convanim.scene.frame import Beats

#: Default durations in ms of a frame of each kind.
OPENING, PREPARING, CLOSING, HOLD_LAST = 1600, 900, 1400, 3000
#: Default duration of a frame of a placement, by the number of frames that a placement has.
STEP = {1: 600, 2: 500, 3: 600}
#: The minimum duration of the first placement, in which one learns to read the page, ms.
FIRST = 2_000
#: The default maximum duration of an animation, ms.
LONGEST = 30_000
#: The maximum duration of its first row, and the minimum duration of a step, ms.
FIRST_ROW, BRIEFEST = 8_000, 80
#: GIF counts in centiseconds, and browsers slow down frames shorter than two of them.
TICK, SHORTEST = 10, 20
#: The maximum duration of a motion, and of the rotation of a kernel, ms.
MOTION, TURN = 480, 960
#: The minimum rest after a motion, and the minimum duration of a frame with motion, ms: eight frames and the rest.
REST, TOO_BRIEF = 160, 480


class Shot(NamedTuple):
    """The number of a frame, and its duration."""

    frame: int
    milliseconds: int


@dataclass(frozen=True)
class Plan:
    """The frames that are shown, and how many are left out.

    Attributes:
        shots: the frames in order.
        left_out: the number of placements that are not shown one by one.
        steps: the total number of placements.
    """

    shots: Sequence[Shot]
    left_out: int = 0
    steps: int = 0

    @property
    def seconds(self) -> float:
        """The total duration in seconds."""
        return sum(s.milliseconds for s in self.shots) / 1000


def milliseconds(seconds: float, what: str) -> int:
    """A duration in ms that every viewer supports.

    Raises:
        ConvanimError: less than 0.02 s, or not a whole number of centiseconds, the unit of GIF files.

    Example:
        >>> milliseconds(0.25, "--seconds-per-step")
        250
    """
    if not isinstance(seconds, int | float):
        raise ConvanimError(f"{what} {seconds!r} is not a number", "give seconds, like 0.5")
    if not SHORTEST / 1000 <= seconds <= 3600:  # NaN fails too
        short = "use 0.02 or more: browsers show anything shorter for 0.1 s"
        raise ConvanimError(
            f"{what} {seconds:g} is not between {SHORTEST / 1000} and 3600 seconds",
            "use 3600 or less" if seconds > 3600 else short,
        )
    ticks = seconds * 1000 / TICK
    if abs(ticks - round(ticks)) > 1e-6:
        raise ConvanimError(
            f"{what} {seconds:g} is not a multiple of 0.01 seconds, the unit of GIF files",
            f"use {round(ticks) * TICK / 1000:g}",
        )
    return round(ticks) * TICK


def plan(
    beats: Beats,
    *,
    seconds_per_step: float | None = None,
    hold_first: float | None = None,
    hold_last: float | None = None,
    longest: float = LONGEST / 1000,
    select: str | None = None,
) -> Plan:
    """Which frames are shown, and for how long.

    Args:
        seconds_per_step: the duration of a placement. By default the animation lasts at most `longest`: it shows the
            first row step by step, then shortens the steps and, if necessary, skips some.
        hold_first: the duration of the first frame in seconds, 1.6 by default if no frames are selected.
        hold_last: the duration of the last frame in seconds, 3 by default; it holds for a single frame, too.
        longest: the maximum duration in seconds, if `seconds_per_step` is not given.
        select: frames to show, such as "0,4,8", "2..6", "last", "all" or "step:12".

    Raises:
        ConvanimError: a file cannot store the duration, or a selected frame does not exist.

    Example:
        >>> plan(Beats(opening=1, steps=4, each=1, closing=1, row=2)).seconds
        8.4
    """
    last = HOLD_LAST if hold_last is None else milliseconds(hold_last, "`hold last`")
    opening = [OPENING, *[PREPARING] * (beats.opening - 1)]
    closing = [*[CLOSING] * (beats.closing - 1), last]
    most = milliseconds(longest, "longest")
    free = most - sum(opening) - sum(closing[:-1]) - HOLD_LAST  # a longer hold is added on top
    if seconds_per_step is not None:
        steps = _even(beats, milliseconds(seconds_per_step, "`seconds per step`"))
    elif select is not None or beats.steps * beats.each * STEP[beats.each] + _more(beats) <= free:
        steps = _slow_start(beats, [Shot(i, STEP[beats.each]) for i in range(beats.steps * beats.each)])
    else:
        steps = _slow_start(beats, _paced(beats, max(free - FIRST, most // 3)))
    before = [Shot(i, ms) for i, ms in enumerate(opening)]
    done = beats.opening + beats.steps * beats.each
    after = [Shot(done + i, ms) for i, ms in enumerate(closing)]
    shots = [*before, *(Shot(beats.opening + i, ms) for i, ms in steps), *after]
    if select is not None:
        time = dict(shots)
        # A frame that its placement has no time for lasts as long as the placement.
        shots = [Shot(i, time.get(i, steps[-1].milliseconds)) for i in selected(select, beats.total, beats)]
        shots[-1] = Shot(shots[-1].frame, last)
    if hold_first is not None:
        first = milliseconds(hold_first, "`hold first`")
        shots[0] = Shot(shots[0].frame, first if shots[1:] else last)
    if select is not None:
        return Plan(shots, 0, beats.steps)
    shown = {i // beats.each for i, _ in steps}
    return Plan(shots, beats.steps - len(shown), beats.steps)


def _more(beats: Beats) -> int:
    """The time that the first placement takes beyond the usual time of its frames, ms."""
    return max(0, FIRST - beats.each * STEP[beats.each]) if beats.steps else 0


def _slow_start(beats: Beats, steps: list[Shot]) -> list[Shot]:
    """The placements with more time for the first one, in its last frame, which shows the result."""
    more = max(0, FIRST - sum(ms for i, ms in steps if i < beats.each))
    return [Shot(i, ms + more * (i == beats.each - 1)) for i, ms in steps]


def _even(beats: Beats, step: int) -> list[Shot]:
    """Each placement for `step` ms in total; if that is too short for its frames, only its last one."""
    part = step // beats.each // TICK * TICK
    if part < SHORTEST:
        return [Shot((i + 1) * beats.each - 1, step) for i in range(beats.steps)]
    parts = [part] * (beats.each - 1) + [step - part * (beats.each - 1)]
    return [Shot(i * beats.each + j, ms) for i in range(beats.steps) for j, ms in enumerate(parts)]


def _paced(beats: Beats, free: int) -> list[Shot]:
    """The placements within `free` ms: the first row one by one, then shorter steps, skipping some if necessary."""
    frames = beats.steps * beats.each
    first = min(beats.row * beats.each, frames)
    share = free if first == frames else min(FIRST_ROW, 4 * free // 5)
    slow = max(BRIEFEST, min(STEP[beats.each], share // first // TICK * TICK))
    if slow * first > share:  # a very long row skips steps, too
        first = free // 2 // slow
    rest, room = frames - first, free - slow * first
    fast = min(slow, max(BRIEFEST, room // max(rest, 1) // TICK * TICK))
    shown = min(rest, room // fast)
    # The placements are evenly spaced and include the last one.
    leaps = [first + rest * (i + 1) // shown - 1 for i in range(shown)] if shown else []
    return [*(Shot(i, slow) for i in range(first)), *(Shot(i, fast) for i in leaps)]


def handful(beats: Beats, most: int = 8) -> list[int]:
    """The default frames of a contact sheet: the end of the opening, some placements, the result.

    The placements move down and across the output at the same time: with even steps in their number, all windows could
    lie in one column at an edge.

    Example:
        >>> handful(Beats(opening=3, steps=25, each=2, closing=2, row=5), 6)
        [2, 4, 16, 40, 52, 54]
    """
    count = min(beats.steps, max(1, most - 2))
    across = max(1, min(beats.row, beats.steps))
    down = -(-beats.steps // across)
    gaps = max(1, count - 1)
    numbers: list[int] = []
    for i in range(count):
        row, column = ((2 * i * (sides - 1) + gaps) // (2 * gaps) for sides in (down, across))
        number = max(row * across + column + 1, numbers[-1] + 1 if numbers else 1)
        numbers.append(min(number, beats.steps - (count - 1 - i)))  # the last row may be incomplete
    shown = [beats.opening + n * beats.each - 1 for n in numbers]
    return sorted({max(0, beats.opening - 1), *shown, beats.total - 1})


def eased(milliseconds: int, tick: int, most: int = MOTION) -> list[float]:
    """The fractions of a motion, from 0 to 1, that a frame has time for, with ease-in and ease-out.

    Args:
        milliseconds: the duration of the frame, including the motion towards it.
        tick: the duration of each fraction, ms.
        most: the maximum duration of the motion, ms.

    Example:
        >>> [round(part, 2) for part in eased(480, 80)]
        [0.1, 0.35, 0.65, 0.9]
        >>> eased(470, 80)
        []
    """
    if milliseconds < TOO_BRIEF:
        return []
    count = min(most // tick, (milliseconds - REST) // tick)
    return [3 * t * t - 2 * t * t * t for t in ((i + 1) / (count + 1) for i in range(count))]


def selected(text: str, total: int, beats: Beats | None = None) -> list[int]:
    """The frame numbers of a selection.

    Args:
        text: frames from 0, such as "0,4,8", "2..6", "last" or "all"; placements from 1, as in the step count,
            such as "step:12" or "step:3..5", select their last frames.
        total: the number of frames.
        beats: the frames of each placement; required for step:.

    Example:
        >>> selected("0,2..4,last", 9)
        [0, 2, 3, 4, 8]
        >>> selected("step:2", 6, Beats(opening=1, steps=2, each=2, closing=1, row=2))
        [4]
    """
    form = "write frames like 0,4,8 or 2..6 or last or all, or steps like step:12"
    chosen: list[int] = []
    for part in text.split(","):
        word = part.strip()
        if word == "all":
            chosen += range(total)
            continue
        match = re.fullmatch(r"(step:)?(\d{1,9}|last)(?:\.\.(\d{1,9}|last))?", word, re.ASCII)
        if not match or (match[1] and beats is None):
            raise ConvanimError(f"`select` {word[:40]!r} is not a selection of frames", form)
        first, most, things = (1, beats.steps, "steps") if match[1] and beats else (0, total - 1, "frames")
        start, stop = (most if w == "last" else int(w) for w in (match[2], match[3] or match[2]))
        if not first <= min(start, stop) <= max(start, stop) <= most:
            count = most if first else total
            raise ConvanimError(f"`select` {word!r} goes beyond the {count} {things}", f"use {first} to {most}")
        if stop < start:
            swapped = f"{match[1] or ''}{match[3]}..{match[2]}"
            raise ConvanimError(f"`select` {word!r} runs backwards", f"write {swapped}")
        numbers = range(start, stop + 1)
        chosen += [beats.opening + n * beats.each - 1 for n in numbers] if match[1] and beats else numbers
    return chosen

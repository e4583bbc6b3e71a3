"""The timing of an animation: which frames are shown, and the duration of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convanim.errors import ConvanimError
from convanim.scene.frame import Beats
from convanim.timing.pace import LONGEST, MOVED, REST, SHORTEST, STEP, TICK, Shot, even, paced, unhurried
from convanim.timing.reading import Read

#: The maximum duration of a motion, and of the rotation of a kernel, ms.
MOTION, TURN = 360, 960


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
    said: Mapping[int, Read] | None = None,
    seconds_per_step: float | None = None,
    hold_first: float | None = None,
    hold_last: float | None = None,
    longest: float = LONGEST / 1000,
    select: str | None = None,
) -> Plan:
    """Which frames are shown, and for how long.

    Args:
        said: what some frames say, by number, so that there is time to read it.
        seconds_per_step: the duration of a placement. By default the animation lasts at most `longest`: it shows the
            first row step by step, then shortens the steps and, if necessary, skips some.
        hold_first: the duration of the first frame in seconds.
        hold_last: the duration of the last frame in seconds; it holds for a single frame, too.
        longest: the maximum duration in seconds, if `seconds_per_step` is not given.
        select: frames to show, such as "0,4,8", "2..6", "last", "all" or "step:12".

    Raises:
        ConvanimError: a file cannot store the duration, or a selected frame does not exist.

    Example:
        >>> plan(Beats(opening=1, steps=4, each=1, closing=1, row=2)).seconds
        8.28
    """
    said, held = said or {}, dict[int, int]()
    if hold_first is not None:
        held[0] = milliseconds(hold_first, "`hold first`")
    if hold_last is not None:
        held[beats.total - 1] = milliseconds(hold_last, "`hold last`")
    if select is not None:
        return Plan(_chosen(beats, said, selected(select, beats.total, beats), seconds_per_step, held), 0, beats.steps)
    if seconds_per_step is not None:
        shots = even(beats, said, milliseconds(seconds_per_step, "`seconds per step`"), held)
    else:
        shots = paced(beats, said, milliseconds(longest, "longest"), held)
    last = beats.opening + beats.steps * beats.each
    shown = {(shot.frame - beats.opening) // beats.each for shot in shots if beats.opening <= shot.frame < last}
    return Plan(shots, beats.steps - len(shown), beats.steps)


def _chosen(
    beats: Beats, said: Mapping[int, Read], frames: list[int], step: float | None, held: Mapping[int, int]
) -> list[Shot]:
    """Selected frames; the first and the last of them are held."""
    time = dict.fromkeys(frames, STEP[beats.each]) | unhurried(beats, said, {})
    if step is not None:
        ms = milliseconds(step, "`seconds per step`")
        time |= {i: ms for i in frames if 0 <= i - beats.opening < beats.steps * beats.each}
        time |= dict(even(beats, said, ms, {}))
    shots = [Shot(i, time[i]) for i in frames]
    last = held.get(beats.total - 1, time[beats.total - 1])
    shots[0] = Shot(shots[0].frame, held.get(0, shots[0].milliseconds))
    shots[-1] = Shot(shots[-1].frame, last)
    return shots


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
    if milliseconds < MOVED:
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

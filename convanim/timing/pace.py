"""The pace of an animation: what is new is shown for as long as it takes to read, what repeats gets faster."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from math import isqrt
from typing import NamedTuple

from convanim.scene.frame import Beats
from convanim.timing.reading import Read, time

#: The minimum durations of a frame of each kind, ms.
OPENING, PREPARING, CLOSING, HOLD_LAST = 1600, 900, 1400, 3000
#: The duration of a frame of a placement in the first row, by the number of frames that a placement has, ms.
STEP = {1: 600, 2: 500, 3: 600}
#: The minimum duration of the first placement, in which one learns to read the page, ms.
FIRST = 2_000
#: The default maximum duration of an animation, and the share of it that the repeating placements have at least.
LONGEST, SHARE = 30_000, 4
#: The maximum duration of the first row if placements are left out, and the minimum duration of a placement, ms.
FIRST_ROW, BRIEFEST = 8_000, 80
#: The minimum duration of each placement in a first row that is shown as a whole, ms, and how many of a longer one are.
READABLE, SINGLY = 200, 12
#: The number of rows from which the others are shown row by row, and the maximum duration of a row, ms.
ROWS, ROWWISE = 12, 320
#: GIF counts in centiseconds, and browsers slow down frames shorter than two of them.
TICK, SHORTEST = 10, 20
#: The minimum rest after a motion, and the minimum duration of a frame with motion, ms: eight frames and the rest.
REST, MOVED = 160, 480
#: The duration of a placement in one row as a percentage of that in the row before: the first that is fast enough.
RATIOS = range(80, 25, -5)


class Shot(NamedTuple):
    """The number of a frame, and its duration."""

    frame: int
    milliseconds: int


def paced(beats: Beats, said: Mapping[int, Read], most: int, held: Mapping[int, int]) -> list[Shot]:
    """The frames of an animation that lasts `most` ms at most, and the duration of each.

    If reading everything would take too long, the opening shows only the last frame of each phase. If that is still too
    long, its frames are shorter, then all others.

    Args:
        said: what the frames say, by number; none if the page has no captions.
        held: chosen durations of the first and the last frame, which are kept even if they take longer, ms.
    """
    usual = _usual(beats)
    once, least = unhurried(beats, said, held), min(sum(usual), most // SHARE)
    if sum(once.values()) + sum(usual) <= most:
        return sorted([*_shots(once), *_placed(beats, dict(enumerate(usual, 1)))])
    if sum(once.values()) + least > most:
        once = unhurried(beats, said, held, _ends(beats, said))
    placement, target = set(range(beats.opening, beats.opening + beats.each)), most - least
    once = _squeezed(once, {*held, *placement, beats.total - 1}, target, MOVED)
    once = _squeezed(once, {*once} - placement, target, FIRST // beats.each)
    once = _squeezed(once, {*held}, target, SHORTEST)
    room = max(most - sum(once.values()), least)
    return sorted([*_shots(once), *_placed(beats, _hurried(beats, room))])


def even(beats: Beats, said: Mapping[int, Read], step: int, held: Mapping[int, int]) -> list[Shot]:
    """All frames, with `step` ms for each placement; if that is too short for its frames, only its last one."""
    once = {i: ms for i, ms in unhurried(beats, said, held).items() if not 0 <= i - beats.opening < beats.each}
    return sorted([*_shots(once), *_placed(beats, dict.fromkeys(range(beats.steps), step), SHORTEST)])


def unhurried(
    beats: Beats, said: Mapping[int, Read], held: Mapping[int, int], opening: Iterable[int] | None = None
) -> dict[int, int]:
    """The durations in ms of the frames of the opening, of the first placement and of the closing, by number.

    Args:
        opening: the frames of the opening that are shown; None for all.
    """
    first = range(beats.opening, beats.opening + beats.each * min(1, beats.steps))
    closing = range(beats.total - beats.closing, beats.total)
    least = {i: OPENING if i == 0 else PREPARING for i in (range(beats.opening) if opening is None else opening)}
    least |= dict.fromkeys(first, STEP[beats.each]) | dict.fromkeys(closing, CLOSING)
    least[beats.total - 1] = HOLD_LAST
    durations: dict[int, int] = {}
    before: Read | None = None
    for number, ms in least.items():
        now = said.get(number)
        durations[number] = max(ms, time(None if number == closing.start else before, now) if now else 0)
        before = now
    if first:  # its last frame shows the result
        durations[first[-1]] += max(0, FIRST - sum(durations[i] for i in first))
    return durations | dict(held)


def _ends(beats: Beats, said: Mapping[int, Read]) -> list[int]:
    """The first frame, and the last frame of each phase of the opening."""
    phases = [said[i].phase if i in said else 0 for i in range(beats.opening)]
    last = beats.opening - 1
    return [i for i in range(beats.opening) if i in (0, last) or phases[i] != phases[i + 1] or not said]


def _squeezed(durations: dict[int, int], kept: Container[int], most: int, least: int) -> dict[int, int]:
    """Durations that are shorter by one factor, `least` ms at least, so that they take `most` ms; some are kept."""
    total = sum(ms for i, ms in durations.items() if i not in kept)
    room = most - sum(ms for i, ms in durations.items() if i in kept)
    if total <= room:
        return durations
    share = max(0, room)
    return {i: ms if i in kept else max(least, ms * share // total // TICK * TICK) for i, ms in durations.items()}


# The placements after the first.


def _usual(beats: Beats) -> list[int]:
    """The durations of all placements but the first if there is time, ms; none if there are too many to count."""
    if beats.steps * BRIEFEST > 3_600_000:
        return [3_600_001]
    base = beats.each * STEP[beats.each]
    return _rows(beats, base, RATIOS[0], min(base, MOVED))


def _rows(beats: Beats, base: int, ratio: int, least: int) -> list[int]:
    """Durations that get shorter from row to row; the last placement takes as long as the first ones."""
    width = beats.row if beats.row < beats.steps else max(4, isqrt(beats.steps))
    times, ms = [], base
    for number in range(1, beats.steps):
        if number % width == 0:
            ms = ms * ratio // 100
        times.append(max(least, ms // TICK * TICK))
    return [*times[:-1], base] if times else []


def _hurried(beats: Beats, room: int) -> dict[int, int]:
    """The durations of the placements but the first within `room` ms, by number; some may be left out."""
    base, rest = beats.each * STEP[beats.each], beats.steps - 1
    if rest * BRIEFEST <= room:
        paces = [(base, ratio, least) for least in (min(base, MOVED), BRIEFEST) for ratio in RATIOS]
        paces += [(ms, RATIOS[-1], BRIEFEST) for ms in range(base, BRIEFEST, -TICK)]
        tried = (_rows(beats, *pace) for pace in [*paces, (BRIEFEST, 100, BRIEFEST)])
        return dict(enumerate(next(times for times in tried if sum(times) <= room), 1))
    end = max(BRIEFEST, min(base, room // 8 // TICK * TICK))
    room -= end
    first = min(beats.row - 1, rest - 1)
    share = min(FIRST_ROW, 4 * room // 5)
    if first * READABLE > share:  # only the first ones of a long row
        first = min(first, SINGLY, share // BRIEFEST)
    slow = max(BRIEFEST, min(base, share // max(first, 1) // TICK * TICK))
    room -= slow * first
    leaps = _leaps(beats, first, min(rest - 1 - first, room // BRIEFEST))
    pause = max(BRIEFEST, min(ROWWISE, slow, room // max(len(leaps), 1) // TICK * TICK))
    return dict.fromkeys(range(1, first + 1), slow) | dict.fromkeys(leaps, pause) | {rest: end}


def _leaps(beats: Beats, first: int, most: int) -> list[int]:
    """The placements that are shown between the first ones and the last: one in each row, or in fewer if they are many.

    They move down and across the output at the same time. In a single row they are evenly spaced.
    """
    rest = beats.steps - 1
    rows = -(-beats.steps // beats.row)
    if rows < ROWS or most < 1:
        others = rest - 1 - first
        return [first + others * (i + 1) // (most + 1) + 1 for i in range(most)]
    shown = min(most, rows - 1)
    there = (1 + i * (rows - 1) // shown for i in range(shown))
    across = beats.row - 1
    return [n for row in there if first < (n := min(row * beats.row + across * row // rows, rest)) < rest]


def _shots(durations: Mapping[int, int]) -> Iterator[Shot]:
    return (Shot(i, ms) for i, ms in durations.items())


def _placed(beats: Beats, durations: Mapping[int, int], least: int = MOVED) -> Iterator[Shot]:
    """The frames of placements; if one has no time for all of its frames, `least` ms each, only for its last one."""
    for number, ms in durations.items():
        start, part = beats.opening + number * beats.each, ms // beats.each // TICK * TICK
        if beats.each > 1 and part >= least:
            yield from (Shot(start + i, part) for i in range(beats.each - 1))
        else:
            part = 0
        yield Shot(start + beats.each - 1, ms - part * (beats.each - 1))

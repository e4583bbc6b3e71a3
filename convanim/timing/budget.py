"""The size limit of a file, and what an animation gives up, in which order, to stay below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from convanim.errors import ConvanimError
from convanim.scene.frame import Beats
from convanim.timing.pace import Shot
from convanim.timing.timeline import Plan

#: Bytes of each unit.
UNITS = {"": 1, "b": 1, "bytes": 1, **{f"{p}b": 1000**n for n, p in enumerate("kmg", 1)}}
UNITS |= {f"{p}ib": 1024**n for n, p in enumerate("kmg", 1)}
#: Factors by which frames in motion get longer before there are none: from 25 a second to 16.7, 12.5 and 8.33.
SLOWER = (1.5, 2, 3)
#: The size in bytes up to which an animation moves if nothing else is asked for, and that of a file kept in memory.
SMALL, KEPT = 1_000_000, 8_000_000
#: The room for a longer command in the file's comment, which names the size, in bytes.
SLACK = 32


def read_size(size: int | str, what: str = "`max size`") -> int:
    """A size in bytes; KB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024.

    Raises:
        ConvanimError: the text is not a size, or not one that a file could have.

    Example:
        >>> read_size("1.5 MB"), read_size("2KiB"), read_size(700)
        (1500000, 2048, 700)
    """
    form = "write it like 1MB, 500KB or 80000"
    if isinstance(size, bool) or not (isinstance(size, str) or hasattr(size, "__index__")):
        raise ConvanimError(f"{what} {size!r} is not a size", form)
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?([a-z]*)", str(size).strip().lower(), re.ASCII)
    if not match or match[2] not in UNITS:
        raise ConvanimError(f"{what} {str(size)[:40]!r} is not a size", form)
    whole, _, part = match[1].partition(".")
    # Integer arithmetic: as a float, 1.1 MB would be a byte too small.
    number: int = int(whole + part) * UNITS[match[2]] // 10 ** len(part)
    if number < 1:
        raise ConvanimError(f"{what} {str(size)[:40]!r} is too small for any file", form)
    return number


def told(size: int) -> str:
    """A size in bytes in the form in which it is typed.

    Example:
        >>> told(1_500_000), told(42_000), told(41_201)
        ('1.5MB', '42KB', '41201 bytes')
    """
    for unit, many in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= many and size % (many // 100) == 0:
            return f"{size / many:g}{unit}"
    return f"{size} bytes"


@dataclass(frozen=True)
class Rung:
    """One way to show an animation, and what it gives up.

    Attributes:
        plan: the frames, and their durations.
        tick: the duration of a frame in motion, ms; 0 for no motion.
        given_up: a description of what is given up, "" for nothing.
    """

    plan: Plan
    tick: int
    given_up: str = ""


def rungs(asked: Rung, beats: Beats | None) -> Iterator[Rung]:
    """Ways to show an animation, each of which gives up more: first the rate, then motion, then placements.

    Args:
        asked: the requested way, which gives up nothing.
        beats: the frames of each placement; None if none may be left out.

    Example:
        >>> [rung.tick for rung in rungs(Rung(Plan([Shot(0, 900)]), 40), None)]
        [40, 60, 80, 120, 0]
    """
    yield asked
    tweens = ""
    if asked.tick:
        for slower in SLOWER:
            tick = round(asked.tick * slower / 10) * 10
            yield Rung(asked.plan, tick, f"{1000 / tick:.3g} frames a second")
        tweens = "no tweens"
        yield Rung(asked.plan, 0, tweens)
    if beats is None:
        return
    first, last = beats.opening, beats.opening + beats.steps * beats.each
    shots = asked.plan.shots
    before = [shot for shot in shots if shot.frame < first]
    after = [shot for shot in shots if shot.frame >= last]
    time: dict[int, int] = {}
    for frame, milliseconds in shots:
        if first <= frame < last:
            step = (frame - first) // beats.each
            time[step] = time.get(step, 0) + milliseconds
    alone = [Shot(first + (step + 1) * beats.each - 1, ms) for step, ms in time.items()]
    told_of = [tweens] * bool(tweens)
    if len(alone) < len(shots) - len(before) - len(after):
        told_of.append("one frame for each placement")
        yield Rung(replace(asked.plan, shots=[*before, *alone, *after]), 0, ", ".join(told_of))
    # The placements are evenly spaced and include the last one.
    kept = len(alone) * 3 // 4
    while kept:
        some = [alone[len(alone) * (i + 1) // kept - 1] for i in range(kept)]
        plan = Plan([*before, *some, *after], beats.steps - kept, beats.steps)
        yield Rung(plan, 0, ", ".join([*told_of, "fewer placements"]))
        kept = kept * 3 // 4


class _Full(Exception):
    """More was written than the limit allows."""


class _Scale:
    """A file that counts its bytes, stops when there are too many, and keeps those of a small file."""

    def __init__(self, most: int | None) -> None:
        self._most, self.size = most, 0
        self.kept: list[bytes] | None = []

    def write(self, data: bytes) -> int:
        self.size += len(data)
        if self._most is not None and self.size > self._most:
            raise _Full
        if self.size > KEPT:
            self.kept = None
        if self.kept is not None:
            self.kept.append(bytes(data))
        return len(data)


#: Writes the file of a rung, with the same bytes each time, and returns its number of images and seconds.
Write = Callable[[Rung, BinaryIO], tuple[int, float]]


@dataclass(frozen=True)
class Fitted:
    """The way to show an animation that has been chosen.

    Attributes:
        rung: this way; `given_up` names the limit.
        data: the file if it has been written, otherwise None.
        frames, seconds: its number of images and their duration if it has been written.
    """

    rung: Rung
    data: bytes | None = None
    frames: int = 0
    seconds: float = 0.0


def fitted(most: int, asked: Rung, beats: Beats | None, write: Write) -> Fitted:
    """The first way to show an animation whose file is no larger than this many bytes.

    Args:
        most: the limit in bytes.
        asked, beats: as for `rungs`.
        write: writes the file of a rung.

    Raises:
        ConvanimError: even the last way is too large; the message says what it needs.
    """
    for rung in rungs(asked, beats):
        words = f"{rung.given_up} to stay under {told(most)}" if rung.given_up else ""
        if found := _tried(most, replace(rung, given_up=words), write):
            return found
    scale = _Scale(None)
    write(rung, cast(BinaryIO, scale))
    raise too_large(most, scale.size)


def smooth_if_small(asked: Rung, write: Write) -> Fitted:
    """The requested motion if the file stays under `SMALL` with it, otherwise none, at any size."""
    words = f"no motion, which files over {told(SMALL)} have with --motion smooth only"
    return _tried(SMALL, asked, write) or Fitted(Rung(asked.plan, 0, words))


def _tried(most: int, rung: Rung, write: Write) -> Fitted | None:
    scale = _Scale(most)
    try:
        frames, seconds = write(rung, cast(BinaryIO, scale))
    except _Full:
        return None
    return Fitted(rung, None if scale.kept is None else b"".join(scale.kept), frames, seconds)


def too_large(most: int, size: int) -> ConvanimError:
    """The error if the smallest possible file has this size."""
    least = -(-(size + SLACK) // 1000) * 1000
    return ConvanimError(
        f"`max size` {told(most)} is too small: this file needs at least {size:,} bytes",
        f"use {told(least)} or more, or a smaller page",
    )

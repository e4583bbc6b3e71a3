"""The kinds of file that an animation can become, each with what writes it.

Knows which format a name stands for, and what each of them holds. Must not know what somebody asked for, but for the
number of columns of a contact sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from convanim import description
from convanim.errors import ConvanimError, shortly
from convanim.film import Film
from convanim.motion import moving
from convanim.scene import pick_view
from convanim.scene.frame import Frame
from convanim.timeline import Shot, handful
from convanim.trace import Trace

if TYPE_CHECKING:
    from convanim.draw.raster import Raster

Progress = Callable[[int, int], None]
#: So many placements are told in a file's comment.
TOLD = 49


@dataclass(frozen=True)
class Saved:
    """What was written.

    Attributes:
        path: the file, or None for a stream.
        format: gif, png, txt or json.
        width, height: of the page in px, 0 for text.
        frames: how many there are in the file; the steps of a trace.
        seconds: how long they last, 0 where a file has no time.
        size: bytes.
        left_out: placements that are not shown, of `steps`.
        given_up: what was done to keep a size, in words; "" for nothing.
    """

    path: Path | None
    format: str
    width: int
    height: int
    frames: int
    seconds: float
    size: int
    left_out: int
    steps: int
    given_up: str = ""


def gif(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write an animated GIF: the number of images in it, as equal frames are one, and how many seconds they last."""
    from convanim.write.gif import GifWriter

    raster = film.raster()
    comment, told = f"{film.comment}\n{film.alt}", description.Transcript(film.scene, TOLD, film.words)

    def heard(number: int) -> Frame:
        frame = film.scene.frame(number)
        told.add(number, frame)
        return frame

    shots = film.plan.shots if film.selected else _seen(film, raster)
    with GifWriter(file, film.size, raster.palette.colours, plays=film.plays, comment=comment) as writer:
        time, whole = 0, sum(shot.milliseconds for shot in shots)
        for frame, milliseconds in moving(heard, shots, film.tick):
            picture = raster.draw(frame)
            writer.add(picture.pixels, milliseconds, picture.changed)
            time += milliseconds
            progress(round(len(film) * time / whole), len(film))
        writer.say(told.text())
    return writer.images, whole / 1000


def _seen(film: Film, raster: Raster) -> Sequence[Shot]:
    """What is shown without the frames before and after the placements that look like the one beside them.

    On a page without phases and captions a kernel that turns is nothing to wait for, where it is not shown either. The
    first frame and the last one stay, since they are held for a reason of their own.
    """
    shots, beats = film.plan.shots, film.scene.beats
    if film.page.tabs:  # each phase is seen at least there
        return shots
    done = beats.opening + beats.steps * beats.each
    opening = [shot.frame for shot in shots if shot.frame < beats.opening]
    closing = [shot.frame for shot in shots if shot.frame >= done]
    looks = {
        n: sha256(raster.draw(film.scene.frame(n)).pixels.tobytes()).digest()
        for part in (opening, closing)
        for n in part
    }
    alike = {b for a, b in pairwise(opening) if looks[a] == looks[b]}
    alike |= {a for a, b in pairwise(closing) if looks[a] == looks[b]}  # at the end it is the last one that stays
    return [shot for shot in shots if shot.frame not in alike]


def png(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write the last of the frames shown as a PNG."""
    draw_png(film, file, film.plan.shots[-1].frame)
    progress(1, 1)
    return 1, 0.0


def draw_png(film: Film, file: BinaryIO, number: int, raster: Raster | None = None) -> None:
    """Write the frame of a number as a PNG; a raster may be used for several."""
    from convanim.write.png import write_png

    raster = raster or film.raster()
    frame = film.scene.frame(number)
    picture, said = raster.draw(frame), description.said(film.scene, number, frame, film.words)
    write_png(file, picture.pixels, raster.palette.colours, film.comment, f"{film.alt} {said}".rstrip())


def sheet(film: Film, file: BinaryIO, columns: int, progress: Progress) -> tuple[int, int, int]:
    """Write several frames in one PNG: its width and height, px, and how many frames it holds."""
    from convanim.draw.raster.sheet import Sheet, label
    from convanim.write.png import write_png

    numbers = [shot.frame for shot in film.plan.shots] if film.selected else handful(film.scene.beats, 2 * columns)
    raster = film.raster()
    page = Sheet(raster.palette, film.size, len(numbers), columns)
    for i, number in enumerate(numbers, start=1):
        frame = film.scene.frame(number)
        page.add(raster.draw(frame).pixels, label(number, frame.step, film.words))
        progress(i, len(numbers))
    write_png(file, page.pixels, raster.palette.colours, film.comment, film.alt)
    high, wide = page.pixels.shape
    return wide, high, len(numbers)


def txt(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write the frames as text."""
    from convanim.draw.text import frame_text, heading

    file.write(heading(film.scene, film.title).encode())
    for i, shot in enumerate(film.plan.shots, start=1):
        frame = film.scene.frame(shot.frame)
        captions, words = film.settings.style.captions, film.words
        text = frame_text(film.scene, frame, shot.frame, shot.milliseconds, captions=captions, words=words)
        file.write(b"\n" + text.encode())
        progress(i, len(film))
    return len(film), film.plan.seconds


def save_trace(trace: Trace, path: Path | BinaryIO, view: str | None = None) -> Saved:
    """Check a trace and write it as JSON, in the order of a view; it need not be one that can be drawn.

    Raises:
        ConvanimError: a place that cannot be written.
        CheckFailed: the trace disagrees with its replay or with the oracle.
    """
    from convanim.write import tracefile

    done = trace.by_input() if pick_view(trace.op, view) == "overlap-add" else trace.by_output()
    size = tracefile.save(done, path)
    return Saved(path if isinstance(path, Path) else None, "json", 0, 0, len(done), 0.0, size, 0, len(done))


#: What writes each format that is made of frames; json is made of a trace.
WRITERS: dict[str, Callable[[Film, BinaryIO, Progress], tuple[int, float]]] = {"gif": gif, "png": png, "txt": txt}
#: The formats that need a page.
DRAWN = ("gif", "png")


def pick_format(target: Path | None, given: str | None = None) -> str:
    """The format that a file's suffix, or a choice, stands for.

    Raises:
        ConvanimError: it is none that is known, or there is neither.

    Example:
        >>> pick_format(Path("up.GIF"))
        'gif'
    """
    kinds = [*WRITERS, "json"]
    known = ", ".join(f".{kind}" for kind in kinds)
    if given is not None:
        if not isinstance(given, str):
            raise ConvanimError(f"format {shortly(given)} is not a text", f"use one of {', '.join(kinds)}")
        if given.lower() not in kinds:
            raise ConvanimError(f"format {given!r} is not known", f"use one of {', '.join(kinds)}")
        return given.lower()
    if target is None:
        raise ConvanimError("a stream has no suffix to tell the format", f"give a format: {', '.join(kinds)}")
    kind = target.suffix.lower().removeprefix(".")
    if kind not in kinds:
        what = f"the suffix {target.suffix!r} of {target.name}" if kind else f"{target.name!r} without a suffix"
        raise ConvanimError(f"{what} is no known format", f"use one of {known}")
    return kind


class Counting:
    """A file that counts what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file, self.size = file, 0

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        self.size += len(data)
        return int(self._file.write(data) or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

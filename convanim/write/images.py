"""Films as pixels: the frames that each such file has, with the words about them.

The modules that draw and write are imported on use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from convanim.write import vectors
from convanim.write.vectors import TOLD, Progress

if TYPE_CHECKING:
    from convanim.draw.axes import Canvas
    from convanim.draw.raster import Raster
    from convanim.scene.frame import Frame
    from convanim.timing.pace import Shot
    from convanim.write.film import Film
    from convanim.write.patches import Box, Pixels


class _Writer(Protocol):
    """A container that is written frame by frame."""

    images: int

    def add(self, frame: Pixels, milliseconds: int, changed: Box | None = None) -> None: ...
    def say(self, line: str) -> None: ...
    def __enter__(self) -> _Writer: ...
    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...


def container(suffix: str) -> Callable[..., _Writer]:
    """The container of the animations of a suffix; any other than these is a video."""
    if suffix == "gif":
        from convanim.write.gif import GifWriter

        return GifWriter
    if suffix == "webp":
        from convanim.write.webp import WebpWriter

        return WebpWriter
    if suffix == "apng":
        from convanim.write.apng import ApngWriter

        return ApngWriter
    from convanim.write.video import VideoWriter

    return partial(VideoWriter, container=suffix)


def animated(suffix: str, film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Draw the frames, including those in motion, one after the other into a container."""
    from convanim.scene import description
    from convanim.timing.motion import moving

    raster = film.raster()
    comment, told = f"{film.comment}\n{film.alt}", description.Transcript(film.scene, TOLD, film.words)
    lines: list[str] = []

    def heard(number: int) -> Frame:
        frame = film.scene.frame(number)
        if line := told.add(number, frame):
            lines.append(line)
        return frame

    shots = film.plan.shots if film.selected else _seen(film, raster)
    with container(suffix)(file, film.size, raster.palette.colours, plays=film.plays, comment=comment) as written:
        time, whole = 0, sum(shot.milliseconds for shot in shots)
        for frame, milliseconds in moving(heard, shots, film.tick):
            picture = raster.draw(frame)
            written.add(picture.pixels, milliseconds, picture.changed)
            time += milliseconds
            progress(round(len(film) * time / whole), len(film))
        written.say("\n".join([*lines, *told.rest()]))
    return written.images, whole / 1000


def _seen(film: Film, raster: Raster | Canvas) -> Sequence[Shot]:
    """The shots without frames of the opening and closing that look like their neighbours.

    On a page without phases and captions, for example, nothing shows that a hidden kernel is rotated. The first frame
    and the last one always stay, with their own durations.
    """
    shots, beats = film.plan.shots, film.scene.beats
    if film.page.tabs:  # each phase is visible there
        return shots
    from hashlib import sha256  # slow to import

    done = beats.opening + beats.steps * beats.each
    opening = [shot.frame for shot in shots if shot.frame < beats.opening]
    closing = [shot.frame for shot in shots if shot.frame >= done]
    looks = {
        n: sha256(raster.draw(film.scene.frame(n)).pixels.tobytes()).digest()
        for part in (opening, closing)
        for n in part
    }
    alike = {b for a, b in pairwise(opening) if looks[a] == looks[b]}
    alike |= {a for a, b in pairwise(closing) if looks[a] == looks[b]}  # in the closing the last one stays
    return [shot for shot in shots if shot.frame not in alike]


def png(film: Film) -> Callable[[BinaryIO, int], None]:
    """A function that writes a frame; matplotlib draws those with a resolution of their own."""
    if film.dpi is not None:
        from convanim.write.vector import write_dots

        draw, dpi = vectors.figure_of(film), film.dpi

        def write(file: BinaryIO, number: int) -> None:
            figure, told = draw(number)
            write_dots(file, figure, dpi, film.comment, told)

        return write
    raster = film.raster()
    return lambda file, number: draw_png(film, file, number, raster)


def draw_png(film: Film, file: BinaryIO, number: int, raster: Raster | Canvas | None = None) -> None:
    """Write the frame of a number as a PNG; `raster` can be reused for several."""
    from convanim.scene import description
    from convanim.write.png import write_png

    raster = raster or film.raster()
    frame = film.scene.frame(number)
    picture, said = raster.draw(frame), description.said(film.scene, number, frame, film.words)
    write_png(file, picture.pixels, raster.palette.colours, film.comment, f"{film.alt} {said}".rstrip())


def sheet(film: Film, file: BinaryIO, columns: int, progress: Progress) -> tuple[int, int, int]:
    """Write several frames in one PNG, and return its width and height, px, and the number of frames."""
    from convanim.draw.raster.sheet import Sheet, label
    from convanim.timing.timeline import handful
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


def video_slide(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write one slide with the video."""
    from convanim.scene.description import transcript
    from convanim.write.pptx import write_video

    done = animated("mp4", film, content := BytesIO(), progress)
    draw_png(film, poster := BytesIO(), film.plan.shots[-1].frame)
    frames = (shot.frame for shot in film.plan.shots)
    notes = "\n".join(transcript(film.scene, words=film.words, frames=frames))
    write_video(film, file, content.getvalue(), poster.getvalue(), notes)
    return done

"""Films as vectors, slides, pages and text: the frames that each such file has, with the words about them.

The modules that draw and write are imported on use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convanim.write.film import Film

Progress = Callable[[int, int], None]
#: The maximum number of placements that a file's comment describes.
TOLD = 49


def figure_of(film: Film) -> Callable[[int], tuple[Figure, str]]:
    """A function that draws the frame of a number on a figure, which is reused, and describes it."""
    from convanim.draw.axes import page_figure
    from convanim.scene import description

    figure, axes = page_figure(film.page)
    artist = film.artist(0, text=film.text)
    axes.add_artist(artist)

    def draw(number: int) -> tuple[Figure, str]:
        frame = film.scene.frame(number)
        artist.show(frame)
        return figure, f"{film.alt} {description.said(film.scene, number, frame, film.words)}".rstrip()

    return draw


def svg(film: Film) -> Callable[[BinaryIO, int], None]:
    """A function that writes a frame; matplotlib writes those whose text is editable."""
    if film.text == "editable" or film.renderer == "matplotlib":
        return vector("svg", film)
    from convanim.scene import description
    from convanim.write.svg import write_svg

    def write(file: BinaryIO, number: int) -> None:
        said = description.said(film.scene, number, film.scene.frame(number), film.words)
        write_svg(film, file, number, str(film.title or film.scene.title), f"{film.alt} {said} {film.comment}")

    return write


def animated_svg(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write an SVG that plays."""
    from convanim.scene.description import Transcript
    from convanim.write.svg import write_animated

    told = Transcript(film.scene, TOLD, film.words)
    shots = film.plan.shots
    lines = [line for shot in shots if (line := told.add(shot.frame, film.scene.frame(shot.frame)))]
    about = "\n".join([film.alt, *lines, *told.rest(), film.comment])
    write_animated(film, file, shots, str(film.title or film.scene.title), about)
    progress(len(film), len(film))
    return len(film), film.plan.seconds


def pdf(film: Film) -> Callable[[BinaryIO, int], None]:
    """A function that writes a frame; matplotlib writes those whose text is editable."""
    if film.text == "editable" or film.renderer == "matplotlib":
        return vector("pdf", film)
    from convanim.scene import description
    from convanim.write.pdf import write_pdf

    def write(file: BinaryIO, number: int) -> None:
        said = description.said(film.scene, number, film.scene.frame(number), film.words)
        about = f"{film.alt} {said} {film.comment}"
        write_pdf(film, file, [number], str(film.title or film.scene.title), about, lambda pages: None)

    return write


def vector(kind: str, film: Film) -> Callable[[BinaryIO, int], None]:
    """A function that writes a frame by matplotlib."""
    from convanim.write import vector

    draw, title = figure_of(film), str(film.title or film.scene.title)

    def write(file: BinaryIO, number: int) -> None:
        figure, told = draw(number)
        if kind == "svg":
            vector.write_svg(file, figure, title, f"{told} {film.comment}")
        elif kind == "pdf":
            vector.write_pdf(file, [figure], title, f"{told} {film.comment}")
        else:
            vector.write_pgf(file, figure)

    return write


def pages(film: Film, file: BinaryIO, progress: Progress) -> int:
    """Write each of the frames on a page of one PDF."""
    numbers, title = [shot.frame for shot in film.plan.shots], str(film.title or film.scene.title)
    about = f"{film.alt} {film.comment}"

    def done(pages: int) -> None:
        progress(pages, len(numbers))

    if film.text == "editable" or film.renderer == "matplotlib":
        from convanim.write import vector

        draw = figure_of(film)

        def figures() -> Iterator[Figure]:
            for i, number in enumerate(numbers, start=1):
                yield draw(number)[0]
                done(i)

        vector.write_pdf(file, figures(), title, about)
    else:
        from convanim.write.pdf import write_pdf

        write_pdf(film, file, numbers, title, about, done)
    return len(numbers)


def slides(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write a slide for each frame."""
    from convanim.scene import description
    from convanim.write.pptx import write_slides

    def said(number: int) -> str:
        return description.said(film.scene, number, film.scene.frame(number), film.words)

    numbers = [shot.frame for shot in film.plan.shots]
    write_slides(film, file, numbers, said, lambda slides: progress(slides, len(numbers)))
    return len(numbers), 0.0


def tex(film: Film, path: Path) -> dict[str, bytes]:
    """The files for LaTeX beside a PDF."""
    from convanim.write.tex import WAYS

    return WAYS[str(film.tex)](path, film.alt, [shot.milliseconds for shot in film.plan.shots])


def html(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write a page with the player."""
    from convanim.write.html import every_step, write_html

    shots = film.plan.shots if film.selected else every_step(film)
    write_html(film, file, shots, progress)
    return len(shots), sum(shot.milliseconds for shot in shots) / 1000


def script(film: Film, path: Path) -> dict[str, bytes]:
    """The script of a page as a file beside it."""
    from convanim.write.html import SCRIPT, script

    return {SCRIPT: script()}


def txt(film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
    """Write the frames as text."""
    from convanim.draw.text import frame_text, heading
    from convanim.language.words import say, translate

    file.write(heading(film.scene, film.title).encode())
    for i, shot in enumerate(film.plan.shots, start=1):
        frame = film.scene.frame(shot.frame)
        captions, words = film.settings.style.captions, film.words
        text = frame_text(film.scene, frame, shot.frame, shot.milliseconds, captions=captions, words=words)
        file.write(b"\n" + text.encode())
        progress(i, len(film))
    if left := film.plan.left_out:
        rest = say("{n} of {steps} steps are not listed", n=f"{left:,}", steps=f"{film.plan.steps:,}")
        file.write(f"\n{translate(rest, film.words)} (--select all)\n".encode())
    return len(film), film.plan.seconds

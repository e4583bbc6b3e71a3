"""Writes presentations: a slide for each frame in native shapes that can be edited, or one slide with the video."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.util import Emu, Pt

from convanim.draw.compose import Composer
from convanim.page import Text, glyphs
from convanim.page.lens import magnified
from convanim.page.texts import headed
from convanim.write.drawing import printed
from convanim.write.drawingml import LINE, PX, RISE, TYPEFACE, Slide

if TYPE_CHECKING:
    from convanim.write.film import Film

#: The layouts of python-pptx's own template.
_TITLE_ONLY, _BLANK = 5, 6
#: The earliest time of a file in an archive, so that the bytes do not depend on the clock.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Deck:
    """A presentation whose slides have the size of the page.

    Args:
        film: the animation.
    """

    def __init__(self, film: Film) -> None:
        self._film: Film = film
        self._made: Any = Presentation()
        self._made.slide_width, self._made.slide_height = (Emu(side * PX) for side in film.size)
        about = self._made.core_properties
        about.title, about.subject, about.comments = (
            printed(str(film.title or film.scene.title)),
            printed(film.alt)[:255],  # the longest that the format allows
            printed(film.comment)[:255],
        )
        about.author = about.last_modified_by = "convanim"

    def slide(self, notes: str) -> Any:
        """A new slide with the title of the page and with notes."""
        title = self._film.page.title
        layout = self._made.slide_layouts[_TITLE_ONLY if title.text else _BLANK]
        slide = self._made.slides.add_slide(layout)
        fill = slide.background.fill
        fill.solid()
        fill.fore_color.rgb = self._colour("page")
        if title.text:
            self._entitle(slide.shapes.title, title)
        if notes:
            slide.notes_slide.notes_text_frame.text = printed(notes)
        return slide

    def _entitle(self, shape: Any, title: Text) -> None:
        """Put the title where the page has it."""
        parts = headed(title)
        last = parts[-1]
        right = last.x + glyphs.width(last.text, last.size, last.bold)
        shape.left, shape.top = title.x * PX, round((title.baseline - RISE * title.size) * PX)
        shape.width, shape.height = round(1.1 * (right - title.x) * PX), round(LINE * title.size * PX)
        frame = shape.text_frame
        frame.word_wrap, frame.vertical_anchor = False, MSO_ANCHOR.MIDDLE
        frame.margin_left = frame.margin_top = frame.margin_right = frame.margin_bottom = 0
        line = frame.paragraphs[0]
        line.alignment = PP_ALIGN.LEFT
        for i, part in enumerate(parts):
            run = line.add_run()
            run.text = printed(("  " if i else "") + part.text)
            run.font.size, run.font.bold, run.font.name = Pt(0.75 * part.size), part.bold, TYPEFACE
            run.font.color.rgb = self._colour("muted" if i else "text")

    def _colour(self, ink: str) -> Any:
        colour: Any = RGBColor  # its functions have no types
        return colour(*map(int, self._film.theme.colour(ink)))

    def save(self, file: BinaryIO) -> None:
        """Write the presentation, with the same bytes on every run."""
        self._made.save(written := BytesIO())
        with zipfile.ZipFile(written) as old, zipfile.ZipFile(whole := BytesIO(), "w") as new:
            for entry in old.infolist():
                fixed = zipfile.ZipInfo(entry.filename, _EPOCH)
                fixed.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(fixed, old.read(entry), compresslevel=9)
        file.write(whole.getvalue())


def write_slides(
    film: Film, file: BinaryIO, numbers: Sequence[int], said: Callable[[int], str], done: Callable[[int], object]
) -> None:
    """Write a slide for each of the frames, with what is said of it as its notes."""
    deck, composer = Deck(film), Composer(film.page, film.scene.beats.steps)
    for i, number in enumerate(numbers, start=1):
        told = said(number)
        slide = deck.slide(told)
        drawn = Slide(film, magnified(film.page, film.scene.frame(number)), composer)
        slide.shapes._spTree.append(parse_xml(drawn.group(f"{film.alt} {told}".rstrip())))
        done(i)
    deck.save(file)


def write_video(film: Film, file: BinaryIO, video: bytes, poster: bytes, notes: str) -> None:
    """Write one slide with a video, which shows a picture until it plays."""
    deck = Deck(film)
    slide = deck.slide(notes)
    wide, high = (side * PX for side in film.size)
    movie = slide.shapes.add_movie(BytesIO(video), 0, 0, wide, high, BytesIO(poster), "video/mp4")
    movie._element.nvPicPr.cNvPr.set("descr", printed(film.alt))
    movie.name = "video"
    deck.save(file)

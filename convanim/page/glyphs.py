"""Text as coverage, drawn by matplotlib's FreeType, once for each distinct word and for all themes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.page import fonts
from convanim.system import compiled

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

Coverage = NDArray[np.uint8]

_ft2font = compiled.load("ft2font")
#: The version of the font engine, which affects the pixels of text.
FREETYPE: str = _ft2font.__freetype_version__
#: DejaVu Sans is part of matplotlib, so the same version draws the same pixels on every machine.
FILES = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
#: The height of capitals and digits as a fraction of the size.
CAPITALS = 0.729
#: Words are drawn whole, for their kerning; numbers and signs separately, as they recur in other sums.
_WORDS = re.compile(r"\d+|[^\W\d]+|\s+|.")
_KEPT = 4096


class Word(NamedTuple):
    """A drawn word: its coverage 0..255, its offset to the right of and above the pen, and its advance."""

    coverage: Coverage
    left: int
    top: int
    advance: float


class Line(NamedTuple):
    """A drawn line of text; `rise` rows are above the baseline, and the first column is at the pen."""

    coverage: Coverage
    rise: int


class Outline(NamedTuple):
    """A letter as curves, y upwards: its pen's position, and vertices (n, 2) and codes (n,) of a matplotlib path.

    Attributes:
        x: the distance to the right of the line's pen, px.
        points: px relative to the letter's own pen.
        bold: the px by which its strokes have to be widened to look bold, for a font without a bold face.
    """

    x: float
    points: NDArray[np.float64]
    codes: NDArray[np.uint8]
    bold: float


class Run(NamedTuple):
    """A part of a line in one font, and its distance to the right of the line's pen, px."""

    text: str
    x: float
    family: str
    file: Path


class Face(NamedTuple):
    """A font, its characters, and whether its strokes have to be widened to look bold."""

    font: FT2Font
    known: frozenset[int]
    thicken: bool = False


@cache
def _usual(bold: bool) -> Face:
    return _open(compiled.folder() / "mpl-data" / "fonts" / "ttf" / FILES[bold])


@cache
def _open(path: Path, thicken: bool = False) -> Face:
    try:
        font = _ft2font.FT2Font(str(path))
    except RuntimeError:
        raise ConvanimError(f"{path} is not a readable font", "name a .ttf, .otf or .ttc, or remove it") from None
    return Face(font, frozenset(font.get_charmap()), thicken)


@cache
def _face(character: str, bold: bool) -> Face:
    """The font for a character; a character that no font has is an error, as it would become a box."""
    if ord(character) in _usual(bold).known:
        return _usual(bold)
    for regular, heavy in fonts.candidates(character):
        face = _open(heavy or regular, bold and heavy is None) if bold else _open(regular)
        if ord(character) in face.known:
            return face
    raise ConvanimError(f"no font here has {character!r}", fonts.advice(character))


def _split(text: str, bold: bool) -> Iterator[str]:
    """The words of a line, each in one font."""
    known = _usual(bold).known
    for word in _WORDS.findall(text):
        if word.isascii() or all(ord(c) in known for c in word):
            yield word
        else:
            yield from ("".join(some) for _, some in groupby(word, lambda c: id(_face(c, bold))))


def _set(text: str, size: float, bold: bool) -> Face:
    """The font of a word, with the word set in it."""
    for character in text:  # checks that each one is available
        face = _face(character, bold)
    face.font.set_size(size, 72)  # at 72 dots per inch a point is a pixel
    # Light hinting sharpens the horizontals only: steady widths, crisp digits.
    face.font.set_text(text, 0, flags=_ft2font.LoadFlags.TARGET_LIGHT)
    return face


@lru_cache(_KEPT)
def _advance(text: str, size: float, bold: bool) -> float:
    """The advance of a word, px, without drawing it: layouts measure text that is never drawn."""
    return float(_set(text, size, bold).font.get_width_height()[0] / 64)


@lru_cache(_KEPT)
def _word(text: str, size: float, bold: bool) -> Word:
    """A word in one font, drawn once."""
    font, _, thicken = _set(text, size, bold)
    width, height = font.get_width_height()
    descent = font.get_descent()
    if text.isspace():
        word = Word(np.zeros((0, 0), np.uint8), 0, 0, width / 64)
    else:
        font.draw_glyphs_to_bitmap(antialiased=True)
        # FreeType counts in 1/64 px; the bitmap starts a row above the highest one with ink.
        word = Word(
            np.array(font.get_image()), font.get_bitmap_offset()[0] // 64, (height - descent) // 64 + 1, width / 64
        )
    return word._replace(coverage=_thickened(word.coverage, size / 22)) if thicken and word.coverage.size else word


def _thickened(coverage: Coverage, by: float) -> Coverage:
    """Coverage with strokes widened by some px to the right, for a font without a bold face."""
    tall, wide = coverage.shape
    out = np.zeros((tall, wide + ceil(by)), np.uint8)
    out[:, :wide] = coverage
    for shift in range(1, ceil(by) + 1):
        ink = coverage * min(1, by - shift + 1)  # a fraction of a px is paler
        np.maximum(out[:, shift : shift + wide], np.rint(ink).astype(np.uint8), out=out[:, shift : shift + wide])
    return out


@lru_cache(maxsize=4096)  # most parts of a caption recur
def width(text: str, size: float, bold: bool = False) -> float:
    """The advance of a line of text, in px.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> width("0", 20) < width("00", 20)
        True
    """
    return sum(_advance(w, size, bold) for w in _split(text, bold))


@lru_cache(maxsize=256)  # some megabytes
def line(text: str, size: float, bold: bool = False) -> Line:
    """A line of text as coverage 0..255, which is cached and therefore read-only.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> line("H", 20).coverage.max()
        np.uint8(255)
    """
    placed, pen = [], 0.0
    for token in _split(text, bold):
        word = _word(token, size, bold)
        if word.coverage.size:
            placed.append((word, max(0, round(pen) + word.left)))
        pen += word.advance
    if not placed:
        return Line(np.zeros((1, max(1, round(pen))), np.uint8), 1)
    rise = max(word.top for word, _ in placed)
    depth = max(len(word.coverage) - word.top for word, _ in placed)
    out = np.zeros((rise + depth, max(x + word.coverage.shape[1] for word, x in placed)), np.uint8)
    for word, x in placed:
        height, wide = word.coverage.shape
        here = out[rise - word.top : rise - word.top + height, x : x + wide]
        np.maximum(here, word.coverage, out=here)
    out.flags.writeable = False
    return Line(out, rise)


def outlines(text: str, size: float, bold: bool = False) -> list[Outline]:
    """The letters of a line as curves, for renderers without pixels, at the positions of those of `line`.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> [round(letter.x, 1) for letter in outlines("H H", 20)]
        [0.0, 21.4]
    """
    out, pen = [], 0.0
    for token in _split(text, bold):
        at, before = pen, None
        for character in token:
            font, _, thicken = _face(character, bold)
            points, codes, advance = _curves(character, size, bold)
            index = font.get_char_index(ord(character))
            if before is not None:
                font.set_size(size, 72)
                at += font.get_kerning(before, index, _ft2font.Kerning.DEFAULT) / 64
            if len(points):
                out.append(Outline(at, points, codes, size / 22 if thicken else 0.0))
            at, before = at + advance, index
        pen += _word(token, size, bold).advance
    return out


@lru_cache(maxsize=1024)
def _curves(character: str, size: float, bold: bool) -> tuple[NDArray[np.float64], NDArray[np.uint8], float]:
    """A letter's vertices and codes, without hinting, as it may be scaled; and its advance, px."""
    font = _face(character, bold).font
    font.set_size(size, 72)
    advance = font.load_char(ord(character), flags=_ft2font.LoadFlags.NO_HINTING).linearHoriAdvance / 65536
    points, codes = font.get_path()
    return points, codes.astype(np.uint8), advance


def runs(text: str, size: float, bold: bool = False) -> list[Run]:
    """The parts of a line by font, for renderers that set text themselves.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> [(run.text, run.family) for run in runs("3 × 3", 20)]
        [('3 × 3', 'DejaVu Sans')]
    """
    out: list[Run] = []
    pen = 0.0
    for token in _split(text, bold):
        font = _face(token[0], bold).font
        file = Path(str(font.fname))
        if out and out[-1].file == file:
            out[-1] = out[-1]._replace(text=out[-1].text + token)
        else:
            out.append(Run(token, pen, font.family_name, file))
        pen += _word(token, size, bold).advance
    return out

"""Text as coverage and as curves; the letters of a word stand where their widths put them, not at whole pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.page import faces
from convanim.page.faces import FREETYPE, Face
from convanim.system import agg

__all__ = ["CAPITALS", "FREETYPE", "Line", "Outline", "Run", "line", "outlines", "runs", "width"]

Coverage = NDArray[np.uint8]

#: The height of capitals and digits as a fraction of the size.
CAPITALS = 0.728
#: Words are drawn whole, for their kerning; numbers and signs separately, as they recur in other sums.
_WORDS = re.compile(r"\d+|[^\W\d]+|\s+|.")
#: A word begins at a whole multiple of this fraction of a pixel, so that few copies of it are drawn.
_PARTS = 4
_KEPT = 1024


class Setting(NamedTuple):
    """A word in one font: its glyphs, the position of each, and its advance, as fractions of the size."""

    face: Face
    glyphs: tuple[int, ...]
    xs: tuple[float, ...]
    advance: float


class Word(NamedTuple):
    """A drawn word: its coverage 0..255, and its offset to the right of and above the pen."""

    coverage: Coverage
    left: int
    top: int


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


def _split(text: str, bold: bool) -> Iterator[str]:
    """The words of a line, each in one font."""
    usual = faces.usual(bold)
    for word in _WORDS.findall(text):
        if all(usual.has(c) for c in word):
            yield word
        else:
            yield from ("".join(some) for _, some in groupby(word, lambda c: id(faces.of(c, bold))))


@lru_cache(_KEPT)
def _set(word: str, bold: bool) -> Setting:
    """A word as the glyphs of its font, with kerning."""
    face = faces.of(word[0], bold)
    glyphs, xs, pen = tuple(face.glyphs(word)), [], 0.0
    for i, glyph in enumerate(glyphs):
        if i and not word[0].isdecimal():  # figures have one width
            pen += face.kerning(glyphs[i - 1], glyph)
        xs.append(pen)
        pen += face.advance(glyph)
    return Setting(face, glyphs, tuple(xs), pen)


@lru_cache(_KEPT)
def _placed(text: str, bold: bool) -> tuple[tuple[tuple[str, float], ...], float]:
    """The words of a line with the pen's position for each, and the advance of all, as fractions of the size."""
    out, pen = [], 0.0
    for word in _split(text, bold):
        out.append((word, pen))
        pen += _set(word, bold).advance
    return tuple(out), pen


@lru_cache(_KEPT)
def _word(word: str, size: float, bold: bool, part: int) -> Word | None:
    """A word in one font, drawn once for each part of a pixel that its pen is to the right of one; None for spaces."""
    letters = list(_letters(word, size, bold, hinted=True))
    if not letters:
        return None
    points = np.concatenate([letter.points + np.array([letter.x + part / _PARTS, 0]) for letter in letters])
    codes = np.concatenate([letter.codes for letter in letters])
    around = letters[0].bold / 2
    (left, low), (right, high) = (points.min(axis=0) - around).tolist(), (points.max(axis=0) + around).tolist()
    left, low, right, high = floor(left), floor(low), ceil(right), ceil(high)
    cover = agg.fill(points - (left, low), codes, (high - low, right - left), letters[0].bold)
    return Word(cover, left, high)


def _letters(word: str, size: float, bold: bool, *, hinted: bool = False) -> Iterator[Outline]:
    """The letters of a word that have ink."""
    face, glyphs, xs, _ = _set(word, bold)
    thicken = size / 22 if face.thicken else 0.0
    for glyph, x in zip(glyphs, xs, strict=True):
        points, codes = face.curves(glyph, size, hinted=hinted)
        if len(points):
            yield Outline(x * size, points, codes, thicken)


def width(text: str, size: float, bold: bool = False) -> float:
    """The advance of a line of text, in px.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> width("0", 20) < width("00", 20)
        True
    """
    return _placed(text, bold)[1] * size


@lru_cache(_KEPT // 2)  # some megabytes, up to ten on the largest pages
def line(text: str, size: float, bold: bool = False) -> Line:
    """A line of text as coverage 0..255, which is cached and therefore read-only.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> line("H", 20).coverage.max()
        np.uint8(255)
    """
    placed = []
    words, advance = _placed(text, bold)
    for token, pen in words:
        whole, part = divmod(round(pen * size * _PARTS), _PARTS)
        word = _word(token, size, bold, part)
        if word:
            placed.append((word, max(0, whole + word.left)))
    if not placed:
        return Line(np.zeros((1, max(1, round(advance * size))), np.uint8), 1)
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
        [0.0, 20.5]
    """
    return [
        letter._replace(x=pen * size + letter.x)
        for word, pen in _placed(text, bold)[0]
        for letter in _letters(word, size, bold)
    ]


def runs(text: str, size: float, bold: bool = False) -> list[Run]:
    """The parts of a line by font, for renderers that set text themselves.

    Raises:
        ConvanimError: a character that the font does not have.

    Example:
        >>> [(run.text, run.family) for run in runs("3 × 3", 20)]
        [('3 × 3', 'Inter')]
    """
    out: list[Run] = []
    for word, pen in _placed(text, bold)[0]:
        face = _set(word, bold).face
        if out and out[-1].file == face.file:
            out[-1] = out[-1]._replace(text=out[-1].text + word)
        else:
            out.append(Run(word, pen * size, face.family, face.file))
    return out

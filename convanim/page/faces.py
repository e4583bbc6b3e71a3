"""Fonts as matplotlib's FreeType reads them: the glyphs of characters, their widths and their curves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.assets import templates
from convanim.errors import ConvanimError
from convanim.page import fonts
from convanim.system import compiled

_ft2font = compiled.load("ft2font")
#: The version of the font engine, which affects the pixels of text.
FREETYPE: str = _ft2font.__freetype_version__
#: Inter is part of this package, and DejaVu Sans, for signs that Inter lacks, of matplotlib: so the same versions draw
#: the same pixels on every machine. `docs/fonts.py` describes what differs from Inter as it is published.
FILES = {False: ("Inter-Regular.ttf", "DejaVuSans.ttf"), True: ("Inter-Bold.ttf", "DejaVuSans-Bold.ttf")}
#: Widths are measured at this size (px), where FreeType's rounding does not matter.
_MEASURED = 1000


class Face:
    """A font at any size.

    Args:
        path: its file.
        thicken: whether its strokes have to be widened to look bold.

    Raises:
        ConvanimError: the file is not a font.
    """

    def __init__(self, path: Path, *, thicken: bool = False) -> None:
        try:
            self._font: Any = _ft2font.FT2Font(str(path))
        except (RuntimeError, OSError):
            raise ConvanimError(f"{path} is not a readable font", "name a .ttf, .otf or .ttc, or remove it") from None
        self.file, self.thicken, self.family = path, thicken, str(self._font.family_name)
        self._size = 0.0
        self._advances: dict[int, float] = {}
        self._curves: dict[tuple[int, float, bool], tuple[NDArray[np.float64], NDArray[np.uint8]]] = {}

    def has(self, character: str) -> bool:
        """Whether the font has a character."""
        return bool(self._font.get_char_index(ord(character)))

    def glyphs(self, text: str) -> list[int]:
        """The glyph of each character."""
        return [self._font.get_char_index(ord(c)) for c in text]

    def advance(self, glyph: int) -> float:
        """The distance from a glyph to the next one, as a fraction of the size."""
        if glyph not in self._advances:
            self._set(_MEASURED)
            loaded = self._font.load_glyph(glyph, flags=_ft2font.LoadFlags.NO_HINTING)
            self._advances[glyph] = loaded.linearHoriAdvance / 65536 / _MEASURED
        return self._advances[glyph]

    def kerning(self, first: int, second: int) -> float:
        """What has to be added to the distance between two glyphs, as a fraction of the size."""
        self._set(_MEASURED)
        return float(self._font.get_kerning(first, second, _ft2font.Kerning.UNFITTED) / 64 / _MEASURED)

    def curves(self, glyph: int, size: float, *, hinted: bool) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """The outline of a glyph in px from its pen, y upwards, as vertices (n, 2) and codes (n,) of a matplotlib path.

        Args:
            hinted: whether its horizontal edges are moved to whole pixels; widths and vertical edges never are.
        """
        key = glyph, size, hinted
        if key not in self._curves:
            self._set(size)
            flags = _ft2font.LoadFlags
            self._font.load_glyph(glyph, flags=flags.TARGET_LIGHT if hinted else flags.NO_HINTING)
            points, codes = self._font.get_path()
            self._curves[key] = points, codes.astype(np.uint8)
        return self._curves[key]

    def _set(self, size: float) -> None:
        if size != self._size:
            self._font.set_size(size, 72)  # at 72 dots per inch a point is a pixel
            self._size = size


@cache
def usual(bold: bool) -> Face:
    """The font of most characters.

    Raises:
        ConvanimError: the installation lacks it.
    """
    file = templates() / "fonts" / FILES[bold][0]
    try:
        return _open(file)
    except ConvanimError as error:
        raise ConvanimError(error.message, "reinstall convanim, which comes with this font") from None


@cache
def _open(path: Path, thicken: bool = False) -> Face:
    return Face(path, thicken=thicken)


@cache
def of(character: str, bold: bool) -> Face:
    """The font for a character.

    Raises:
        ConvanimError: no font has it: it would become a box.
    """
    if usual(bold).has(character):
        return usual(bold)
    face = _open(compiled.folder() / "mpl-data" / "fonts" / "ttf" / FILES[bold][1])
    if face.has(character):
        return face
    for regular, heavy in fonts.candidates(character):
        face = _open(heavy or regular, bold and heavy is None) if bold else _open(regular)
        if face.has(character):
            return face
    raise ConvanimError(f"no font here has {character!r}", fonts.advice(character))

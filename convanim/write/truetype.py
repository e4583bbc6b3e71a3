"""Makes a TrueType font of outlines: the letters that some pages use, to be embedded in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

from convanim.write.drawing import EM

#: TrueType has no cubic curves, which some fonts of the system have; theirs may be off by this, of `EM` units.
_OFF = 0.5
#: The beginning of 1970 in seconds since 1904, as fonts count.
_EPOCH = 2_082_844_800


def truetype(letters: Sequence[tuple[float, str]]) -> bytes:
    """A font whose glyphs are these letters, each an advance and an SVG path of `EM` px; glyph 0 is empty.

    It has the tables that a PDF needs, and nothing that could be installed.

    Example:
        >>> truetype([(300, "M0 0L100 0L100-100z")])[:4]
        b'\\x00\\x01\\x00\\x00'
    """
    found = {".notdef": (0.0, ""), **{f"g{number}": letter for number, letter in enumerate(letters)}}
    built = FontBuilder(EM, isTTF=True)
    built.updateHead(created=_EPOCH, modified=_EPOCH)  # the same letters make the same font
    built.setupGlyphOrder(list(found))
    built.setupGlyf({name: _glyph(path) for name, (_, path) in found.items()})
    left = {name: getattr(built.font["glyf"][name], "xMin", 0) for name in found}
    built.setupHorizontalMetrics({name: (round(advance), left[name]) for name, (advance, _) in found.items()})
    built.setupHorizontalHeader(ascent=EM, descent=-EM // 4)
    built.setupMaxp()
    built.save(file := BytesIO())
    return file.getvalue()


def _glyph(path: str) -> object:
    drawn = TTGlyphPen(None)
    pen = Cu2QuPen(drawn, _OFF)
    for command, numbers in re.findall(r"([A-Zz])([^A-Zz]*)", path):
        values = [int(number) for number in re.findall(r"-?\d+", numbers)]
        points = [(x, -y) for x, y in zip(values[::2], values[1::2], strict=True)]
        match command:
            case "M":
                pen.moveTo(*points)
            case "L":
                pen.lineTo(*points)
            case "Q":
                pen.qCurveTo(*points)
            case "C":
                pen.curveTo(*points)
            case "z":
                pen.closePath()
    return drawn.glyph()

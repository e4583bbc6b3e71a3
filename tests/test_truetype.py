"""Fonts made of outlines: fontTools reads them back."""

from __future__ import annotations

from io import BytesIO

from fontTools.misc.timeTools import timestampToString
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from convanim.write.truetype import truetype

QUADRATIC = "M50 0L150-100Q200-150 250-100z"
CUBIC = "M0 0C0-120 200-120 200 0z"


def test_glyphs_have_their_outlines_and_advances() -> None:
    font = TTFont(BytesIO(truetype([(300.4, QUADRATIC), (120, "")])))
    glyphs = font.getGlyphSet()
    names = font.getGlyphOrder()
    assert len(names) == 3
    assert [font["hmtx"][name] for name in names] == [(0, 0), (300, 50), (120, 0)]
    pen = DecomposingRecordingPen(glyphs)
    glyphs[names[1]].draw(pen)
    assert ("lineTo", ((150, 100),)) in pen.value
    assert ("qCurveTo", ((200, 150), (250, 100))) in pen.value


def test_cubic_curves_become_quadratic_ones() -> None:
    font = TTFont(BytesIO(truetype([(200, CUBIC)])))
    glyphs = font.getGlyphSet()
    pen = BoundsPen(glyphs)
    glyphs[font.getGlyphOrder()[1]].draw(pen)
    assert pen.bounds is not None
    assert all(abs(a - b) <= 1 for a, b in zip(pen.bounds, (0, 0, 200, 90), strict=True))


def test_no_date_is_stored() -> None:
    head = TTFont(BytesIO(truetype([(300, QUADRATIC)])))["head"]
    assert {timestampToString(head.created), timestampToString(head.modified)} == {"Thu Jan  1 00:00:00 1970"}

"""Glyphs: coverage on the baseline, and advances that add up."""

import re
from itertools import pairwise

import numpy as np
import pytest
from fontTools.pens.statisticsPen import StatisticsPen
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.page import faces, glyphs

SETTINGS = settings(max_examples=80)
SIZES = (9, 10, 12, 15, 18, 25, 30, 44)
#: All characters of scenes.
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCKLPS−·×+=≈()[],.:;|/⌊⌋…°→′ "
LINES = st.text(LETTERS, min_size=1, max_size=24)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_digits_have_one_width(size: int, bold: bool) -> None:
    advances = {glyphs.width(digit, size, bold) for digit in "0123456789"}
    assert len(advances) == 1
    assert glyphs.width("2024", size, bold) == pytest.approx(4 * advances.pop(), abs=0.5)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("word", ["minimum", "padding", "Hill", "million", "80868", "ooooo", "phblq", "input"])
def test_letters_are_as_far_apart_as_the_font_says(word: str, size: int, bold: bool) -> None:
    """The centres of the ink, with those of the outlines, which fontTools reads without FreeType."""
    font = TTFont(faces.usual(bold).file)
    names, kerning = [font.getBestCmap()[ord(letter)] for letter in word], font["kern"].kernTables[0]
    pen, ends, ideal, shapes = 0.0, [], [], font.getGlyphSet()
    for before, name in pairwise([None, *names]):
        pen += kerning.kernTable.get((before, name), 0)
        shapes[name].draw(centre := StatisticsPen(shapes))
        ideal.append(pen + centre.meanX)
        ends.append((pen + font["glyf"][name].xMin, pen + font["glyf"][name].xMax))
        pen += font["hmtx"][name][0]
    ink = glyphs.line(word, size, bold).coverage.sum(axis=0, dtype=float)
    per_unit, columns = size / font["head"].unitsPerEm, np.arange(len(ink))
    between = [(end + first) / 2 * per_unit for (_, end), (first, _) in pairwise(ends)]
    found = []
    for start, end in pairwise([0, *between, len(ink)]):  # a column between two letters belongs to both in part
        part = ink * np.clip(np.minimum(columns + 1, end) - np.maximum(columns, start), 0, 1)
        found.append((part * (columns + 0.5)).sum() / part.sum())
    assert np.diff(found) == pytest.approx(np.diff(ideal) * per_unit, abs=1 / 3)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_capitals_and_digits_stand_on_the_baseline(size: int, bold: bool) -> None:
    for letter in "H147EF":
        drawn = glyphs.line(letter, size, bold)
        inked = np.flatnonzero((drawn.coverage > 100).any(axis=1))
        # The top is that of capitals, up to a row added by hinting.
        assert abs(inked[0] + glyphs.CAPITALS * size - drawn.rise) < 1.5, letter
        assert abs(inked[-1] + 1 - drawn.rise) <= 1, letter  # the last row with ink is the one above the baseline


def test_descenders_hang_below_the_baseline_and_hyphens_stand_above_it() -> None:
    low, high = glyphs.line("p", 30), glyphs.line("−", 30)
    assert 4 <= len(low.coverage) - low.rise <= round(0.24 * 30) + 1
    assert 0 < np.flatnonzero(high.coverage.any(axis=1))[-1] < high.rise - 5


@pytest.mark.parametrize("size", SIZES)
def test_the_same_letters_meet_on_one_baseline(size: int) -> None:
    """A word beside one with a descender keeps its pixels and height."""
    alone, beside = glyphs.line("H", size), glyphs.line("H p", size)
    high, wide = alone.coverage.shape
    top = beside.rise - alone.rise
    np.testing.assert_array_equal(beside.coverage[top : top + high, :wide], alone.coverage)


@SETTINGS
@given(LINES, st.sampled_from(SIZES), st.booleans())
def test_a_line_is_as_wide_as_its_words(text: str, size: int, bold: bool) -> None:
    words = re.findall(r"\d+|[^\W\d]+|\s+|.", text)
    assert glyphs.width(text, size, bold) == pytest.approx(sum(glyphs.width(w, size, bold) for w in words))
    drawn = glyphs.line(text, size, bold)
    assert drawn.coverage.dtype == np.uint8
    # Ink may extend a little beyond the last advance, for example of a slanted or hinted letter.
    assert drawn.coverage.shape[1] <= glyphs.width(text, size, bold) + 0.15 * size + 2
    assert drawn.rise <= 1.1 * size
    assert len(drawn.coverage) - drawn.rise <= 0.3 * size + 1


@SETTINGS
@given(LINES, st.sampled_from(SIZES))
def test_a_longer_line_starts_as_the_shorter_one_does(text: str, size: int) -> None:
    short, long = glyphs.line(f"{text} ", size), glyphs.line(f"{text} 8", size)
    high, wide = short.coverage.shape
    if short.coverage.any():
        top = long.rise - short.rise
        np.testing.assert_array_equal(long.coverage[top : top + high, :wide], short.coverage)


def test_larger_is_wider_and_bold_is_not_narrower() -> None:
    for text in ("0", "kernel, turned", "output[1,2] = 5·2 + 6·1 = 16"):
        widths = [glyphs.width(text, size) for size in range(9, 60)]
        assert all(a <= b for a, b in pairwise(widths))
        assert all(glyphs.width(text, size, bold=True) >= glyphs.width(text, size) for size in SIZES)


@pytest.mark.parametrize("text", [" ", "   ", "\u00a0"])
def test_spaces_alone_leave_no_ink(text: str) -> None:
    drawn = glyphs.line(text, 20)
    assert not drawn.coverage.any()
    assert glyphs.width(text, 20) > 0


def test_nothing_is_nothing() -> None:
    assert glyphs.width("", 20) == 0
    assert not glyphs.line("", 20).coverage.any()


@pytest.mark.parametrize("text", ["🙂", "output 🙂", "ไทย"])
def test_a_character_that_the_font_lacks_is_named(text: str) -> None:
    for ask in (glyphs.width, glyphs.line):
        with pytest.raises(ConvanimError, match=r"no font here has .* install a font .* CONVANIM_FONT") as refusal:
            ask(text, 20)
        missing = next(c for c in text if ord(c) > 0x5FF)
        assert repr(missing) in str(refusal.value)


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x00b", "\x1b[0m"])
def test_a_character_without_a_picture_is_refused(text: str) -> None:
    with pytest.raises(ConvanimError):
        glyphs.line(text, 20)


def test_a_line_drawn_again_without_its_cached_words_is_the_same() -> None:
    texts = [f"{a}·{b} + (−{a}) = {a * b}" for a, b in zip(range(40), range(7, 47), strict=True)]
    kept = [glyphs.line(text, 17) for text in texts]
    for cached in (glyphs.line, glyphs._word):
        cached.cache_clear()
    for text, before in zip(reversed(texts), reversed(kept), strict=True):
        after = glyphs.line(text, 17)
        assert after.rise == before.rise
        np.testing.assert_array_equal(after.coverage, before.coverage)


def test_a_cached_line_cannot_be_changed_by_who_draws_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        glyphs.line("42", 20).coverage[:] = 0

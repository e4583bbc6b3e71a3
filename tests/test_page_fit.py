"""Pages that fit what is shown: captions of whole clauses, many planes, wide grids, words that do not run into values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_template_pages import STYLES

from convanim import glyphs
from convanim.layout import layout
from convanim.ops import Conv, MaxPool
from convanim.render.raster import Raster
from convanim.scene import Scene, compared, scene
from convanim.scene.frame import Caption
from convanim.spoken import Spoken, catalogue
from convanim.theme import load

LEAST = 0.7


def counting(*shape: int) -> Any:
    return np.arange(1, np.prod(shape) + 1).reshape(shape)


def unlike() -> Scene:
    """Two layers that differ in many ways."""
    x = counting(5, 5)
    return compared(Conv(3).trace(x, counting(3, 3)), MaxPool(2).trace(x))


# --- captions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STYLES))
@pytest.mark.parametrize("lang", ["en", "de", "fr", "es"])
def test_differences_are_left_out_as_a_whole(name: str, lang: str) -> None:
    words = catalogue(lang)
    s = Spoken(unlike(), words) if words else unlike()
    style = STYLES[name]
    page = layout(s, style.width, style.height, style=style, words=words)
    for number in range(s.beats.total):
        for i, caption in enumerate(s.frame(number).captions[: len(page.captions)]):
            text, whole = page.caption(i, caption), caption.text()
            assert text.size >= LEAST * page.captions[i].size - 0.5
            assert glyphs.width(text.text, text.size) <= page.caption_width
            if text.text != whole and not caption.terms:
                assert text.text.endswith("; …")
                assert whole.split("; ")[: text.text.count("; ")] == text.text.split("; ")[:-1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("abcdef ,:", min_size=1, max_size=60).map(str.strip).filter(bool), min_size=1, max_size=5),
    st.sampled_from([320, 480, 640, 1280]),
)
def test_no_caption_is_cut_in_a_word_or_set_too_small(clauses: list[str], width: int) -> None:
    page = layout(scene(Conv(2).trace(counting(2, 2), counting(2, 2))), width, width * 9 // 16)
    whole = "; ".join(clauses)
    text = page.caption(0, Caption(remark=whole))
    assert text.size >= max(page.smallest, LEAST * page.captions[0].size - 0.5)
    assert glyphs.width(text.text, text.size) <= page.caption_width
    if text.text != whole:
        kept = text.text.removesuffix("…").rstrip(" ")
        assert whole.startswith(kept)
        assert not kept or whole[len(kept)] in " ,;:" or kept.endswith(";")


def test_a_long_sum_keeps_its_result() -> None:
    page = layout(scene(Conv(2).trace(counting(2, 2), counting(2, 2))), 320, 180)
    text = page.caption(0, Caption("output[0,0]", ("123456·123456", "98765·98765", "1·1"), "12345678901"))
    assert text.text == "output[0,0] = … + 1·1 = 12345678901"
    assert glyphs.width(text.text, text.size) <= page.caption_width


def test_a_long_remark_takes_two_lines_and_leaves_nothing_behind() -> None:
    s = scene(Conv(2).trace(counting(2, 2), counting(2, 2)))
    page = layout(s, 1280, 720)
    remarks = ["short", "a long one " * 12, "shorter", "another long one " * 9, ""]
    lines = [page.lines(0, Caption(remark=remark.strip())) for remark in remarks]
    assert [len(some) for some in lines] == [1, 2, 1, 2, 1]
    assert " ".join(line.text for line in lines[1]) == remarks[1].strip()
    raster, frame = Raster(s, page, load("light")), s.frame(0)
    for remark in remarks:
        shown = replace(frame, captions=(Caption(remark=remark.strip()),))
        assert (raster.draw(shown).pixels == Raster(s, page, load("light")).draw(shown).pixels).all()

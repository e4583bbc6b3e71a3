"""Pages that fit their contents: whole clauses, many planes, wide grids, notes apart from values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.language.words import join
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool, Upsample
from convanim.page import Place, Text, glyphs, layout
from convanim.page.texts import headed, in_line
from convanim.scene import Scene, Shown, compared, scene
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    arrangements,
)
from convanim.scene.spoken import Spoken, catalogue
from support.pages import STYLES, check_apart, ink, numbers_of, told

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
            texts, whole, slot = page.lines(i, caption), caption.text(), page.captions[i]
            assert texts[-1].size >= LEAST * slot.text.size - 0.5
            assert max(text.box.right for text in texts) <= slot.text.x + slot.width
            rows = [told([t for t in texts if t.baseline == row]) for row in sorted({t.baseline for t in texts})]
            text = " ".join(" ".join(rows).split())
            if text != " ".join(whole.split()) and not caption.terms:
                assert text.endswith(("; …", ", …"))
                assert whole.startswith(text[: -len("; …")])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text("abcdef ,:", min_size=1, max_size=60).map(str.strip).filter(bool), min_size=1, max_size=5),
    st.sampled_from([320, 480, 640, 1280]),
)
def test_no_caption_is_cut_in_a_word_or_set_too_small(clauses: list[str], width: int) -> None:
    page = layout(scene(Conv(2).trace(counting(2, 2), counting(2, 2))), width, width * 9 // 16)
    whole = "; ".join(clauses)
    (text,) = in_line(page.captions[0], Caption(remark=whole))
    assert text.size >= max(page.smallest, LEAST * page.captions[0].text.size - 0.5)
    assert glyphs.width(text.text, text.size) <= page.captions[0].width
    if text.text != whole:
        kept = text.text.removesuffix("…").rstrip(" ")
        assert whole.startswith(kept)
        assert not kept or whole[len(kept)] in " ,;:" or kept.endswith(";")


def test_a_long_sum_keeps_its_result() -> None:
    page = layout(scene(Conv(2).trace(counting(2, 2), counting(2, 2))), 320, 180)
    sum_of = Caption("output[0,0]", ("1·1", "98765·98765", "123456·123456"), "12345678901", weights=(1, 2, 3))
    (text,) = in_line(page.captions[0], sum_of)
    assert text.text == "output[0,0] = 123456·123456 + … = 12345678901"
    assert glyphs.width(text.text, text.size) <= page.captions[0].width


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


# --- many planes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STYLES))
@pytest.mark.parametrize("channels", [5, 8])
def test_a_page_of_every_template_has_room_for_eight_channels(name: str, channels: int) -> None:
    style = STYLES[name]
    s = scene(Conv(3).trace(counting(channels, 5, 5), counting(1, channels, 3, 3)))
    page = layout(s, style.width, style.height, style=style)
    check_apart(s, page)
    for place in page.places.values():
        shaded = [p for p in page.places.values() if p.shaded and p.panel.shade == place.panel.shade]
        full = channels == 8 and name in ("default", "solarized")  # without room for a scale in any place
        assert not shaded or not style.scales or full or any(p.scale for p in shaded), place.panel.name


def test_many_planes_keep_their_kernels_in_every_arrangement() -> None:
    s = scene(Conv(3).trace(counting(7, 4, 4), counting(6, 7, 3, 3)))
    names = sorted(panel.name for panel in s.panels)
    for blocks in arrangements(s):
        assert sorted(p.name for block in blocks for row in block for p in row) == names
        assert max(len(row) for block in blocks for row in block) <= 4
    assert arrangements(scene(Conv(3).trace(counting(4, 4, 4), counting(1, 4, 3, 3)))) == ()


def test_a_comparison_of_many_planes_shows_them_rather_than_kernels() -> None:
    x = counting(3, 5, 5)
    s = compared(Conv((3, 3, 3)).trace(x, counting(3, 3, 3)), Conv((5, 5, 5), padding=2).trace(x, counting(5, 5, 5)))
    assert {panel.name.removeprefix("below ").split()[0] for panel in s.panels} == {"stage", "output"}
    for name in STYLES:
        style = STYLES[name]
        page = layout(s, style.width, style.height, style=style)
        check_apart(s, page)
        assert min(place.pitch for place in page.places.values()) >= style.height / 180


# --- wide grids -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [14, 30])
def test_wide_grids_stand_above_each_other_on_the_usual_page(columns: int) -> None:
    s = scene(Conv(3, padding=1).trace(counting(3, columns), counting(3, 3)))
    page = layout(s, 1280, 720)
    check_apart(s, page)
    assert page.places["stage"].box.bottom < page.places["output"].box.top
    assert page.places["stage"].box.right - page.places["stage"].box.left > 0.6 * page.width
    assert all(place.number or (columns == 30 and place.shaded) for place in page.places.values())


@pytest.mark.parametrize("shape", [(5, 5), (6, 6), (14, 3), (3, 5)])
def test_other_grids_stay_beside_each_other(shape: tuple[int, int]) -> None:
    page = layout(scene(Conv(3, padding=1).trace(counting(*shape), counting(3, 3))), 1280, 720)
    assert page.places["stage"].box.right < page.places["kernel"].x < page.places["output"].x


# --- notes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STYLES))
@pytest.mark.parametrize("shape", [(4, 6), (6, 6), (8, 8), (2, 6, 6)])
@pytest.mark.parametrize("other", [None, AvgPool(2)])
def test_places_of_maxima_touch_neither_numbers_nor_frames(name: str, shape: tuple[int, ...], other: Any) -> None:
    style, x = STYLES[name], counting(*shape)
    pooled = MaxPool(2).trace(x)
    s = scene(pooled) if other is None else compared(pooled, other.trace(x))
    page = layout(s, style.width, style.height, style=style)
    for place, number, note in numbers_of(s, page):
        if not note or "[" not in note.text:
            continue
        side, frame = place.pitch - place.line, (page.stroke + 1) // 2
        top, left, bottom, right = ink(note)
        assert top > ink(number).bottom, (number, note)
        assert left >= frame, note
        assert max(bottom, right) <= side - frame, note


def test_terms_with_subscripts_are_left_out_where_they_would_be_too_small() -> None:
    trace = ConvTranspose(3, 2).trace(counting(3, 3), counting(3, 3))
    for width in (640, 1280, 2560):
        page = layout(scene(trace, "overlap-add", Shown(symbols=True)), width, width * 9 // 16)
        assert all(not place.note or 0.65 * place.note >= page.smallest - 0.5 for place in page.places.values())
    assert page.places["canvas"].note


# --- two layers, and the two halves of a page -----------------------------------------------------------------------


def middle(place: Place) -> float:
    return (place.box.left + place.box.right) / 2


@pytest.mark.parametrize("mode", ["nails", "nearest"])
@pytest.mark.parametrize("factor", [2, 3])
def test_an_upsampling_and_its_layer_stand_on_one_axis_the_input_above(mode: str, factor: int) -> None:
    s = scene(Upsample(scale_factor=factor, mode=mode).trace(counting(4)))
    page = layout(s, 1280, 720, arrangement="row")
    check_apart(s, page)
    names = ["input" if "input" in page.places else "stage", "output", "below input", "below canvas"]
    walked = [page.places[name] for name in names]
    assert [p.y for p in walked] == sorted(p.y for p in walked)
    assert max(map(middle, walked)) - min(map(middle, walked)) <= 1


@pytest.mark.parametrize("name", sorted(set(STYLES) - {"square"}))
def test_compared_strips_stand_on_one_axis_with_fans(name: str) -> None:
    """On a square page there is no room beside the kernels."""
    style, x = STYLES[name], counting(9)
    s = compared(*(Conv(3, padding=p).trace(x, counting(3)) for p in (0, 1)))
    page = layout(s, style.width, style.height, style=style, arrangement="compare")
    check_apart(s, page)
    assert page.links == "fan"
    walked = [page.places[below + name] for below in ("", "below ") for name in ("stage", "output")]
    assert max(map(middle, walked)) - min(map(middle, walked)) <= 1


def test_fans_take_no_number_away() -> None:
    x = counting(9)
    s = compared(*(Conv(3, padding=p).trace(x, counting(3)) for p in (0, 1)))
    for width, height in ((640, 260), (480, 270), (1280, 400), (1280, 500)):
        page = layout(s, width, height, arrangement="compare")
        flat = layout(s, width, height)
        assert [p.number > 0 for p in page.places.values()] == [p.number > 0 for p in flat.places.values()]


@pytest.mark.parametrize("name", ["default", "slide", "readme", "paper"])
def test_compared_layers_stand_in_rows_with_their_grids_below_each_other(name: str) -> None:
    style = STYLES[name]
    page = layout(unlike(), style.width, style.height, style=style)
    assert page.places["stage"].x == page.places["below stage"].x
    assert page.places["output"].x == page.places["below output"].x
    (rule,) = page.rules
    assert page.places["stage"].box.bottom < rule.top < rule.bottom < page.places["below stage"].y


def test_the_halves_of_a_page_are_apart() -> None:
    style, x = STYLES["square"], counting(5, 5)
    modes = ("zeros", "reflect")
    s = compared(*(Conv(3, padding=1, padding_mode=mode).trace(x, counting(3, 3)) for mode in modes))
    page = layout(s, 1080, 1080, style=style)
    check_apart(s, page)
    heading = page.places["below stage"].title._replace(text="X").box.top
    assert heading - page.places["stage"].box.bottom >= 20


# --- scales and sums ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "slide", "square"])
def test_sums_are_read_where_there_is_room_for_them(name: str) -> None:
    style = STYLES[name]
    s = scene(Conv(3).trace(counting(2, 5, 5), counting(1, 2, 3, 3)))
    page = layout(s, style.width, style.height, style=style)
    check_apart(s, page)
    assert all(place.number for place in page.places.values())


def test_an_upright_scale_runs_from_its_foot_to_its_head() -> None:
    s, style = scene(Conv(3).trace(counting(5, 5, 5), counting(1, 5, 3, 3))), STYLES["slide"]
    page = layout(s, 1280, 720, style=style)
    upright = [p for p in page.places.values() if p.scale and p.scale[1].bottom - p.scale[1].top > 40]
    assert upright
    raster = Raster(s, page, load("light"))
    pixels = raster.draw(s.frame(0)).pixels
    for place in upright:
        assert place.scale
        low, bar, high = place.scale
        assert high.baseline < low.baseline
        steps = [raster.palette.solid("page"), *raster.palette.shade(place.panel.shade)]
        assert pixels[bar.bottom - 1, bar.left] == steps[0]
        assert pixels[bar.top, bar.right - 1] == steps[-1]


# --- lines and turns ------------------------------------------------------------------------------------------------


def test_lines_between_planes_do_not_run_through_numbers() -> None:
    s = scene(Conv(2).trace([[1000000, 2000000], [3000000, 4000000]], [[999, 1], [1, 1]]))
    page = layout(s, 1280, 720, arrangement="isometric")
    frame = s.frame(s.beats.opening)
    drawn, bare = (Raster(s, page, load("light")).draw(f).pixels for f in (frame, replace(frame, links=())))
    letters = np.isin(bare, Raster(s, page, load("light")).palette.inked(("text", "muted")))
    stage = page.places["stage"]
    for row, column in np.ndindex(2, 2):
        cell = stage.cell(row, column)
        top, left, bottom, right = ink(stage.number_text(stage.panel.numerals.text(1000000 * (2 * row + column + 1))))
        where = np.s_[cell.top + top : cell.top + bottom, cell.left + left : cell.left + right]
        assert (drawn[where] == bare[where])[letters[where]].all()
    assert (drawn != bare).any()


@pytest.mark.parametrize("lang", ["en", "de", "es", "fr"])
@pytest.mark.parametrize("size", [10, 17, 30])
def test_a_title_says_its_state_in_grey_and_takes_no_more_room_for_it(lang: str, size: int) -> None:
    s = scene(ConvTranspose(3, 2, 1).trace(np.ones((3, 3), int), np.ones((3, 3), int)))
    s = s if lang == "en" else Spoken(s, catalogue(lang))
    titles = [s.title, *(title for panel in s.panels for title in panel.titles)]
    assert sum(len(headed(Text(title, 7, 20, size, bold=True))) == 2 for title in titles) >= 4
    for title in titles:
        name, *rest = headed(Text(title, 7, 20, size, bold=True))
        assert name.bold
        for state in rest:
            assert not state.bold
            assert name.box.right < state.x
            assert state.box.right <= Text(title, 7, 20, size, bold=True).box.right + 1
    for whole_title in ("my own title, with a comma", join(" ", ["output", "1"])):
        plain = Text(whole_title, 7, 20, size, bold=True)
        assert headed(plain) == (plain,)

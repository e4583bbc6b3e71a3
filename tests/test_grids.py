"""Places of grids: the arrangement with the largest cells, larger cells in small grids, and scales for shades."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Page, Style, layout
from convanim.page.kin import Kin
from convanim.page.measures import Measures
from convanim.page.seen import seen
from convanim.scene import Scene, compared, scene
from convanim.scene.frame import Role, arrangements
from convanim.scene.spoken import Spoken, catalogue
from convanim.trace import Trace
from support.pages import STYLES, attempt, check_apart, laid_out, large, looked_at
from support.scenes import drawn, pairs

FILTERED = settings(
    deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=30
)


def counting(rows: int, columns: int | None = None) -> Any:
    return np.arange(1, rows * (columns or rows) + 1).reshape(rows, columns or rows)


def two(size: int = 6) -> Scene:
    """Two convolutions over one input, the second with stride 2."""
    a, b = (Conv(3, s, 1).trace(counting(size), counting(3)) for s in (1, 2))
    return compared(a, b)


def smallest(page: Page) -> int:
    return min(place.pitch for place in page.places.values())


def read(page: Page) -> int:
    return sum(place.number > 0 for place in page.places.values())


# --- arrangements ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STYLES))
def test_two_stories_stand_in_rows_with_a_hairline_between_them(name: str) -> None:
    style = STYLES[name]
    both = scene(ConvTranspose(3, 2, 1).trace(counting(3), counting(3)), "both")
    for s in (both, two()):
        page = layout(s, style.width, style.height, style=style)
        check_apart(s, page)
        places, (rule,) = page.places, page.rules
        first, second = ([p for p in places.values() if p.panel.layer == story] for story in (0, 1))
        assert max(p.box.bottom for p in first) < rule.top
        assert rule.bottom < min((p.title if style.panel_titles else p).box.top for p in second)
        for row in (first, second):  # each is read from left to right, and its grids have one axis
            assert [p.x for p in row] == sorted(p.x for p in row)
            axis = {(p.box.top + p.box.bottom) // 2 for p in row}
            assert max(axis) - min(axis) <= 2
        assert (len(page.heads) >= 2) == style.panel_titles
        assert len(page.captions) == (3 if style.captions else 0)


def test_grids_of_two_layers_that_correspond_stand_below_each_other() -> None:
    places = layout(two(), 1080, 1080, style=STYLES["square"]).places
    assert all(places[n].x == places["below " + n].x for n in ("stage", "kernel", "output"))


@settings(FILTERED, max_examples=12)
@given(pairs(), st.sampled_from(sorted(STYLES)), st.sampled_from([(1, 1), (2, 2), (1, 2)]))
def test_stories_of_any_layers_stand_apart(
    case: tuple[Trace, Trace, str, str], name: str, part: tuple[int, int]
) -> None:
    try:
        s = compared(*case[:2])
    except ConvanimError:  # other layers cannot be compared
        reject()
    style = STYLES[name]
    page, _ = attempt(s, style.width // part[1], style.height // part[0], style=style)
    if page is None:
        reject()
    check_apart(s, page)


def test_a_pool_has_its_output_under_that_of_a_convolution() -> None:
    x = counting(6)
    s = compared(Conv(3, padding=1).trace(x, counting(3)), MaxPool(2).trace(x))
    page = layout(s, 1080, 1080, style=STYLES["square"])
    assert page.places["output"].x == page.places["below output"].x
    assert page.places["output"].box.bottom < page.places["below output"].box.top
    assert page.places["output"].pitch == page.places["below output"].pitch


def test_other_arrangements_hold_the_same_panels_in_every_language_and_style() -> None:
    s = scene(Conv(3).trace(np.ones((8, 4, 4), int), np.ones((8, 8, 3, 3), int)))
    german = catalogue("de")
    assert german
    for shown in (s, Spoken(s, german), seen(s, Style(kernel=False))):
        names = sorted(p.name for block in shown.blocks for row in block for p in row)
        titles = {p.name: p.titles for block in shown.blocks for row in block for p in row}
        assert arrangements(shown)
        for blocks in arrangements(shown):
            panels = [p for block in blocks for row in block for p in row]
            assert sorted(p.name for p in panels) == names
            assert {p.name: p.titles for p in panels} == titles
    assert arrangements(scene(Conv(2).trace(counting(3), counting(2)))) == ()


@pytest.mark.parametrize("name", sorted(STYLES))
def test_the_whole_film_keeps_one_arrangement(name: str) -> None:
    style, s = STYLES[name], two()
    page = layout(s, style.width, style.height, style=style)
    raster, before = Raster(s, page, load("light")), None
    for frame in list(looked_at(s))[::9]:
        picture = raster.draw(frame)
        assert (Raster(s, page, load("light")).draw(frame).pixels == picture.pixels).all()
        if before is not None:
            top, left, bottom, right = picture.changed
            same = before == picture.pixels
            same[top:bottom, left:right] = True
            assert same.all()
        before = picture.pixels.copy()


@pytest.mark.parametrize("name", ["default", "square", "paper"])
def test_the_canvas_of_both_ways_shows_its_numbers(name: str) -> None:
    s = scene(ConvTranspose(3, 2, 1).trace(counting(3), [[1, 2, 1], [2, 4, 2], [1, 2, 1]]), "both")
    style = STYLES[name]
    page = layout(s, style.width, style.height, style=style)
    check_apart(s, page)
    assert all(place.number for place in page.places.values())
    assert page.places["below canvas"].x == page.places["output"].x


# --- small layers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "slide", "square", "readme", "paper"])
def test_cells_and_numbers_of_a_small_layer_grow(name: str) -> None:
    style = STYLES[name]
    s = scene(Conv(2).trace(counting(2), counting(2)))
    grown, usual = (layout(s, style.width, style.height, style=z) for z in (style, replace(style, small=0)))
    assert {p.pitch for p in usual.places.values()} == {style.cell}
    for place in grown.places.values():
        assert style.cell < place.pitch <= round(style.small / 100 * style.height)
        assert place.number >= usual.places[place.panel.name].number
    # Small text beside the numbers stays small.
    assert max(p.note for p in grown.places.values()) <= style.caption_size
    check_apart(s, grown)


@given(st.integers(2, 9), st.integers(1, 3), st.sampled_from(sorted(STYLES)))
@FILTERED
def test_a_smaller_layer_does_not_get_larger_grids(size: int, kernel: int, name: str) -> None:
    """A grid is no larger than one of 5 × 5 of the largest cells, and from that size on no cell grows."""
    if kernel > size:
        reject()
    style = STYLES[name]
    s = scene(Conv(kernel).trace(counting(size), counting(kernel)))
    page, usual = (layout(s, style.width, style.height, style=z) for z in (style, replace(style, small=0)))
    if size >= 5:
        assert [p.box for p in page.places.values()] == [p.box for p in usual.places.values()]
    assert all(p.pitch * size <= 5 * style.cell for p in page.places.values()) or size >= 5
    assert smallest(page) >= smallest(usual)


def test_cells_grow_in_proportion_on_another_page() -> None:
    s = scene(Conv(2).trace(counting(2), counting(2)))
    large, half = (smallest(layout(s, 1280 // n, 720 // n)) for n in (1, 2))
    assert abs(large - 2 * half) <= 2
    assert smallest(layout(s, 1080, 1080)) < large  # a page of the same height, but narrower


# --- numbers, terms and shade ---------------------------------------------------------------------------------------


@FILTERED
@given(laid_out(large() | drawn()))
def test_terms_never_take_the_numbers_away(case: tuple[Scene, Page]) -> None:
    """Terms are under the sums if they fit, else there are only sums; if those do not fit, neither would they alone."""
    s, page = case
    m = Measures(page.width, page.height, s.captions)
    bare = tuple(tuple(tuple(replace(p, notes="") for p in row) for row in rows) for rows in s.blocks)
    with_terms, without = Kin(s.blocks, m), Kin(bare, m)
    for panel in s.panels:
        for pitch in range(4, 100, 3):
            read_with, read_without = (k.sizes(k.panels[panel.name], pitch)[0] > 0 for k in (with_terms, without))
            assert read_with == read_without


def test_cells_without_room_for_terms_show_sums() -> None:
    trace = ConvTranspose(5, 2).trace(counting(5), np.ones((5, 5), int))
    s = scene(trace, "overlap-add")
    page = layout(s, 1280, 720)
    canvas = page.places["canvas"]
    assert canvas.number
    assert not canvas.note
    grids = [f.grids["canvas"] for f in looked_at(s)]
    assert any((g.roles == Role.OVERLAP).any() for g in grids)


@pytest.mark.parametrize(
    ("s", "name"),
    [
        (two(), "slide"),
        (scene(ConvTranspose(3, 2).trace(counting(6), counting(3))), "slide"),
        (scene(ConvTranspose(3, 2).trace(counting(6), counting(3))), "readme"),
        (scene(ConvTranspose(3).trace(counting(5), counting(3)), "both"), "readme"),
        (scene(ConvTranspose(3).trace(counting(5), counting(3)), "both"), "slide"),
    ],
)
def test_a_shade_has_a_scale_where_room_is_left(s: Scene, name: str) -> None:
    style = STYLES[name]
    page = layout(s, style.width, style.height, style=style)
    check_apart(s, page)
    told = {(p.panel.shade, p.low, p.high) for p in page.places.values() if p.scale}
    shaded = {(p.panel.shade, p.low, p.high) for p in page.places.values() if p.shaded}
    assert shaded
    assert told == shaded
    bare = layout(s, style.width, style.height, style=replace(style, scales=False))
    assert read(bare) == read(page)
    assert not any(p.scale for p in bare.places.values())

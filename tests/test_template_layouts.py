"""Templates in layouts with planes and strips: space, text sizes, and pages that are too small."""

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, PixelShuffle
from convanim.page import Page, layout, page_size
from convanim.page.row import strips
from convanim.page.tilted.isometric import planes
from convanim.page.tilted.stack import hull
from convanim.scene import VIEWS, Scene, scene
from support.pages import STYLES, attempt, check_apart, ends, filled, large, meet, sizes, tilts, words
from support.scenes import drawn, shown

FILTERED = settings(
    deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], max_examples=40
)
WALKED = {"transposed": VIEWS["transposed"][:2], "conv": VIEWS["conv"][:1]}
LINE = np.arange(1, 8)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Scene, str]:
    """Scenes of two planes or of strips, of every kind of layer, and their layout."""
    if draw(st.integers(0, 3)) == 0:
        _, s = draw(shown(("pool", "unpool", "upsample")))
    else:
        trace = draw(large() | drawn())
        s = scene(trace, draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"])))
    if strips(s):
        return s, "row"
    if planes(s) is None:
        reject()
    return s, "isometric"


@st.composite
def pages(draw: st.DrawFn) -> tuple[Scene, Page, str]:
    s, arrangement = draw(scenes())
    name = draw(st.sampled_from(sorted(STYLES)))
    style, part = STYLES[name], draw(st.sampled_from([1, 2]))
    page, refusal = attempt(s, style.width // part, style.height // part, style=style, arrangement=arrangement)
    if page is None:
        assert re.search("smaller input|width=", refusal), refusal
        reject()
    return s, page, name


@FILTERED
@given(pages())
def test_nothing_overlaps_or_leaves_the_page_and_text_can_be_read(case: tuple[Scene, Page, str]) -> None:
    s, page, name = case
    if page.links == "fan":
        check_apart(s, page)
    else:
        two = [ends(place) for place in tilts(page)]
        assert not (filled(page, two[0]) & filled(page, two[1])).any(), "the planes meet"
        whole = filled(page, hull([point for polygon in two for point in polygon]))
        things = list(words(s, page))
        for thing, (top, left, bottom, right) in things:
            assert min(top, left) >= 0, thing
            assert bottom <= page.height, thing
            assert right <= page.width, thing
            assert not whole[top:bottom, left:right].any(), f"{thing} lies on the planes"
        assert not [pair for pair in combinations(things, 2) if meet(pair[0][1], pair[1][1])]
    least = 0.022 * page.height if name == "slide" else 9
    assert min(sizes(s, page), default=least) >= least


@settings(FILTERED, max_examples=8)
@given(scenes(), st.sampled_from(sorted(STYLES)), st.sampled_from([160, 240, 320]))
def test_a_page_that_is_too_small_names_the_smallest_that_works(case: tuple[Scene, str], name: str, width: int) -> None:
    s, arrangement = case
    style = STYLES[name]
    shape = style.width, style.height
    try:
        small = page_size(width, None, shape)
    except ConvanimError:
        reject()
    page, hint = attempt(s, *small, style=style, arrangement=arrangement)
    asked = re.search(r"width=(\d+)(?:, height=(\d+))? or more", hint)
    if page is not None or not asked:
        reject()
    better = page_size(int(asked[1]), None, shape)
    assert asked[2] in (None, str(better[1])), "the page has its template's shape"
    assert layout(s, *better, style=style, arrangement=arrangement)
    less = page_size(int(asked[1]) - 1, None, shape)
    assert attempt(s, *less, style=style, arrangement=arrangement)[0] is None, f"{less} would do, not only {asked[1]}"


@pytest.mark.parametrize("view", ["zero-insertion", "overlap-add"])
@pytest.mark.parametrize("name", sorted(STYLES))
def test_strips_have_their_page_in_every_template(name: str, view: str) -> None:
    style = STYLES[name]
    for s in (scene(Conv(3).trace(LINE, [1, 2, 1])), scene(ConvTranspose(3, 2).trace(LINE[:4], [1, 2, 1]), view)):
        page = layout(s, style.width, style.height, style=style, arrangement="row")
        check_apart(s, page)
        assert page.links == "fan"


@pytest.mark.parametrize("name", ["slide", "readme"])
@pytest.mark.parametrize("view", ["matrix", "backward"])
def test_scales_do_not_drive_numbers_away(name: str, view: str) -> None:
    """A scale beside a shaded grid takes no room that numbers need."""
    size = 4 if view == "matrix" else 5
    op = Conv(3) if view == "matrix" else Conv(3, 2, 1)
    s = scene(op.trace(np.arange(1, size * size + 1).reshape(size, size), np.arange(1, 10).reshape(3, 3)), view)
    style = STYLES[name]
    page = layout(s, style.width, style.height, style=style)
    shaded = [place for place in page.places.values() if place.shaded]
    assert any(place.scale for place in shaded) or (name, view) == ("slide", "backward")
    bare = layout(s, style.width, style.height, style=replace(style, scales=False))
    assert [place.number > 0 for place in page.places.values()] == [place.number > 0 for place in bare.places.values()]


def test_cells_without_numbers_are_nearly_of_a_size() -> None:
    op = ConvTranspose(3, 2, 1)
    s = scene(op.trace(np.arange(9).reshape(3, 3), np.arange(9).reshape(3, 3)), "both")
    style = STYLES["minimal"]
    pitches = [place.pitch for place in layout(s, style.width, style.height, style=style).places.values()]
    assert max(pitches) <= 1.5 * min(pitches)


def test_what_is_looked_up_is_not_larger_than_what_is_walked_over() -> None:
    s = scene(Conv(3).trace(np.arange(48).reshape(3, 4, 4), np.ones((1, 3, 3, 3), int)))
    style = STYLES["square"]
    page = layout(s, style.width, style.height, style=style)
    walked = max(place.pitch for place in page.places.values() if not place.panel.aside)
    assert all(place.pitch <= 1.25 * walked for place in page.places.values())


@pytest.mark.parametrize(
    "s",
    [
        scene(PixelShuffle(2).trace(np.arange(24).reshape(4, 2, 3))),
        scene(Conv(3).trace(np.arange(48).reshape(3, 4, 4), np.ones((1, 3, 3, 3), int))),
        scene(Conv(3).trace(np.arange(16).reshape(4, 4), np.arange(9).reshape(3, 3)), "matrix"),
    ],
    ids=["shuffle", "channels", "matrix"],
)
def test_blocks_stand_above_each_other_where_cells_get_larger(s: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    style = STYLES["square"]
    page = layout(s, style.width, style.height, style=style)
    check_apart(s, page)
    monkeypatch.setattr("convanim.page.grids.MUCH", float("inf"))
    wide = layout(s, style.width, style.height, style=replace(style, wrap=False))
    assert min(p.pitch for p in page.places.values()) > 1.08 * min(p.pitch for p in wide.places.values())
    upper, lower = ([page.places[p.name].box for row in rows for p in row] for rows in s.blocks)
    assert max(box.bottom for box in upper) < min(box.top for box in lower)

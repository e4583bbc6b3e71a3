"""Strips joined by fans of lines, and the choice of a layout."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from convanim.animation import Animation
from convanim.draw.axes import Canvas
from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import LAYOUTS, Page, layout
from convanim.page.row import strips
from convanim.scene import Scene, scene
from convanim.scene.frame import Role
from convanim.timing.motion import Tween
from support.pages import PAGES, attempt, check_apart, large, standing
from support.scenes import WALKED, drawn, shown

#: Layers of other ranks, or too large for their page, are filtered out.
FILTERED = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
LINE, PLANE = np.arange(1, 6), np.arange(1, 17).reshape(4, 4)


@st.composite
def joined(draw: st.DrawFn, pages: tuple[tuple[int, int], ...] = tuple(PAGES)) -> tuple[Scene, Page]:
    """Scenes of one axis, of every kind of layer, on a page."""
    if draw(st.integers(0, 3)) == 0:
        _, s = draw(shown(("pool", "unpool", "upsample")))
    else:
        trace = draw(large() | drawn())
        s = scene(trace, draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"])))
    if strips(s) is None:
        reject()
    page, hint = attempt(s, *draw(st.sampled_from(pages)), arrangement="row", captions=draw(st.booleans()))
    if page is None:
        assert "smaller input" in hint or "width=" in hint
        reject()
    return s, page


@settings(FILTERED, max_examples=25)
@given(joined())
def test_nothing_overlaps_and_lines_meet_no_words(case: tuple[Scene, Page]) -> None:
    s, page = case
    check_apart(s, page)
    things = [(name, box) for name, box in standing(page) if not name.startswith("grid ")]
    for link in s.frame(s.beats.opening + s.beats.each - 1).links:
        upper, lower = sorted((page.places[link.panel].box, page.places[link.other].box))
        assert lower.top - upper.bottom >= 20, "there is no room for lines"
        left, right = min(upper.left, lower.left), max(upper.right, lower.right)
        for name, box in things:
            across = box.left < right and left < box.right
            assert not (across and box.top < lower.top and upper.bottom < box.bottom), f"{name}: {s.title}"


@settings(FILTERED, max_examples=8)
@given(joined(((480, 270), (640, 360))), st.randoms(use_true_random=False))
def test_a_frame_looks_the_same_after_any_other(case: tuple[Scene, Page], random: Any) -> None:
    s, page = case
    raster, before = Raster(s, page, load("light")), None
    for number in [0, *(random.randrange(s.beats.total) for _ in range(4)), s.beats.total - 1]:
        picture = raster.draw(s.frame(number))
        np.testing.assert_array_equal(
            picture.pixels, Raster(s, page, load("light")).draw(s.frame(number)).pixels, f"frame {number}: {s.title}"
        )
        if before is not None:
            outside = before != picture.pixels
            outside[picture.changed.top : picture.changed.bottom, picture.changed.left : picture.changed.right] = False
            assert not outside.any()
        before = picture.pixels.copy()


@pytest.mark.parametrize("view", ["zero-insertion", "overlap-add"])
def test_a_line_for_each_cell_of_the_kernel_and_none_for_its_gaps(view: str) -> None:
    s = scene(ConvTranspose(3, 2, dilation=2).trace(LINE, [1, 2, 3]), view)
    page = layout(s, 1280, 720, arrangement="row")
    raster = Raster(s, page, load("light"))
    frame = s.frame(s.beats.opening + 2 * s.beats.each + s.beats.each - 1)
    pixels = raster.draw(frame).pixels
    (link,) = frame.links
    window, point = page.places[link.panel], page.places[link.other]
    down = window.y < point.y
    # Close to the window the lines are separate, one at the centre of each cell.
    y = window.box.bottom + page.stroke if down else window.box.top - page.stroke
    inked = np.flatnonzero(pixels[y] != raster.palette.solid("page"))
    groups = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    middles = [(cell.left + cell.right) / 2 for cell in (window.cell(*c) for c in link.cells)]
    assert len(groups) == len(middles) == 3
    for group, middle in zip(groups, middles, strict=True):
        assert abs(group.mean() - middle) < window.pitch / 4


LONG = {
    "sliding": (Conv(5).trace(np.arange(200) % 10, [2, 1, -1, 2, 1]), None),
    "fitted": (Conv(5, padding=2).trace(np.arange(2000) % 10, [2, 1, -1, 2, 1]), None),
    "zeros inserted": (ConvTranspose(5, 2).trace(np.arange(60) % 9, [1, 2, 3, 2, 1]), None),
    "stamps": (ConvTranspose(5, 2).trace(np.arange(400) % 9, [1, 2, 3, 2, 1]), "overlap-add"),
    "pool": (MaxPool((2,)).trace(np.arange(300)[None] % 11), None),
}


@pytest.mark.parametrize("layout", ["row", "flat"])
@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize("name", LONG)
def test_long_strips_are_tall_enough_to_be_looked_at(name: str, width: int, layout: str) -> None:
    trace, view = LONG[name]
    if name == "pool" and layout == "flat":
        return
    animation = Animation(trace, view=view, width=width, layout=None if name == "pool" else layout)
    page, s, raster = animation.page, animation.scene, animation.raster()
    strips_of = [place for place in page.places.values() if max(place.panel.shape) > 50]
    assert len(strips_of) == 2
    one, other = (place.box.bottom - place.box.top for place in strips_of)
    assert one == other >= 0.028 * width
    if any(place.per > 1 for place in strips_of):
        assert re.search(r"input fitted to \d+ pixels", page.detail.text), "a strip has no rows"
    first = s.beats.opening + s.beats.each - 1
    for step in (0, 1, s.beats.steps // 2, s.beats.steps // 2 + 1):
        frame = s.frame(first + step * s.beats.each)
        pixels = raster.draw(frame).pixels
        np.testing.assert_array_equal(pixels, Raster(s, page, load("light")).draw(frame).pixels)
    last = raster.palette.colours[raster.draw(s.frame(s.beats.total - 1)).pixels]
    for place in strips_of:
        top, left, bottom, right = place.box
        rows = last[top:bottom, left:right]
        assert (rows == rows[:1]).all(), "each cell is as tall as its strip"
        assert len(np.unique(rows[0], axis=0)) > 4, "its values are seen"


@pytest.mark.parametrize("name", ["sliding", "fitted", "zeros inserted"])
def test_matplotlib_draws_long_strips_with_the_same_pixels(name: str) -> None:
    animation = Animation(*LONG[name][:1], width=640)
    frame = animation.scene.frame(animation.scene.beats.total - 1)
    raster, canvas = (kind(animation.scene, animation.page, load("light")) for kind in (Raster, Canvas))
    rgb = raster.palette.colours[raster.draw(frame).pixels]
    for place in animation.page.places.values():
        top, left, bottom, right = place.box
        inner = np.s_[top + 2 : bottom - 2, left + 2 : right - 2]
        assert (canvas.colours(frame)[inner] == rgb[inner]).mean() > 0.99


def test_the_cells_of_long_strips_stay_as_tall_while_they_spread() -> None:
    s = scene(LONG["zeros inserted"][0])
    page, place = layout(s, 640, 360, arrangement="row"), layout(s, 640, 360, arrangement="row").places["stage"]
    raster, paper = Raster(s, page, load("light")), np.array(load("light").colour("page"))
    spread = next(i for i in range(s.beats.opening) if (s.frame(i + 1).grids["stage"].roles == Role.INSERTED).any())
    tween = Tween(s.frame(spread), s.frame(spread + 1))
    for part in (0.3, 0.7):
        rgb = raster.palette.colours[raster.draw(tween.frame(part)).pixels]
        top, left, bottom, right = place.box
        rows = rgb[top + 2 : bottom - 2, left:right]
        assert (rows == rows[:1]).all()
        assert (rows[0] != paper).any()


@pytest.mark.parametrize(
    ("trace", "view", "chosen"),
    [
        (Conv(2).trace(LINE, [1, 1]), None, "row"),
        (Conv(2).trace(PLANE, PLANE[:2, :2]), None, "flat"),
        (Conv(2).trace(PLANE, PLANE[:2, :2]), "matrix", "matrix"),
        (ConvTranspose(2).trace(PLANE, PLANE[:2, :2]), "both", "flat"),
        (MaxPool(2).trace(np.ones((3, 4, 4))), None, "slices"),
        (Conv((2, 2, 2)).trace(np.ones((3, 3, 3)), np.ones((2, 2, 2))), None, "slices"),
        (MaxPool((2,)).trace(np.ones((2, 6))), None, "slices"),
    ],
)
def test_the_layer_chooses_its_layout_and_refuses_others(trace: Any, view: str | None, chosen: str) -> None:
    assert Animation(trace, view=view).layout == chosen
    assert Animation(trace, view=view, layout=chosen).layout == chosen
    suits = {chosen} | ({"flat"} if chosen == "row" else set())
    suits |= {"isometric", "matrix"} if chosen == "flat" and view is None else set()
    suits |= {"matrix"} if chosen == "row" else set()
    for name in set(LAYOUTS) - suits:
        with pytest.raises(ConvanimError) as refusal:
            Animation(trace, view=view, layout=name)
        assert "layout=" in refusal.value.hint or "leave " in refusal.value.hint


def test_a_layout_that_is_not_known_is_told_the_near_word() -> None:
    with pytest.raises(ConvanimError, match="not known") as refusal:
        Animation(Conv(2).trace(LINE, [1, 1]), layout="rows")
    assert refusal.value.hint == "did you mean row"


def test_two_layers_are_compared_in_one_layout_only() -> None:
    a, b = (Conv(2, padding=p).trace(PLANE, PLANE[:2, :2]) for p in (0, 1))
    assert Animation(a, beside=b).layout == Animation(a, beside=b, layout="compare").layout == "compare"
    with pytest.raises(ConvanimError, match="a comparison of two layers"):
        Animation(a, beside=b, layout="isometric")
    with pytest.raises(ConvanimError, match="two layers"):
        Animation(a, layout="compare")


def test_matrix_is_a_view_and_a_layout() -> None:
    trace = Conv(2).trace(PLANE, PLANE[:2, :2])
    assert Animation(trace, layout="matrix").view == "matrix"
    with pytest.raises(ConvanimError, match="cannot be combined with view 'overlap'"):
        Animation(trace, layout="matrix", view="overlap")
    with pytest.raises(ConvanimError, match="convolutions"):
        Animation(MaxPool(2).trace(PLANE), layout="matrix")


@pytest.mark.parametrize("dilation", [1, 2])
def test_a_fan_goes_with_its_window(dilation: int) -> None:
    s = scene(Conv(2, dilation=dilation).trace(LINE, [3, 5]))
    first = s.beats.opening + s.beats.each - 1
    tween = Tween(s.frame(first), s.frame(first + 1))
    page = layout(s, 640, 360, arrangement="row")
    (there,) = tween.after.links
    seen = []
    for part in (0.2, 0.5, 0.8):
        frame = tween.frame(part)
        (link,) = frame.links
        assert link.cells == there.cells
        assert len(link.cells) == 2
        raster = Raster(s, page, load("light"))
        one, other = (raster.palette.colours[raster.draw(f).pixels] for f in (frame, replace(frame, links=())))
        columns = np.flatnonzero((one != other).any(axis=(0, 2)))
        seen.append((columns[0], columns[-1]))
    pitch = page.places["stage"].pitch
    for end in (0, 1):
        moved = np.diff([ends[end] for ends in seen])
        assert np.abs(moved - 0.3 * pitch).max() <= 2, "it moves as far as the window"

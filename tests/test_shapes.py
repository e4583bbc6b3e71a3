"""The display list: the meaning of shapes, and frames that are drawn at once or step by step."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.draw.compose import Composer
from convanim.draw.raster import Raster, palette
from convanim.draw.raster.paint import Painter, hull, inside
from convanim.draw.shapes import Card, Fill, Ring, Stroke, Words, boxes, rectangle
from convanim.draw.theme import load
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Box, Text, layout
from convanim.page.lens import magnified
from convanim.scene import Scene, scene
from convanim.system import agg
from convanim.timing.motion import Tween

COUNT = np.arange(1, 17).reshape(4, 4)
SCENES: dict[str, tuple[Scene, str | None]] = {
    "flat": (scene(ConvTranspose(3, 2, 1).trace(COUNT[:3, :3], COUNT[:3, :3])), None),
    "stamps": (scene(ConvTranspose(3, 2, 1).trace(COUNT[:2, :2], COUNT[:3, :3]), "overlap-add"), None),
    "tilted": (scene(Conv(3, padding=1).trace(COUNT, COUNT[:3, :3])), "isometric"),
    "row": (scene(Conv(2).trace([1, 2, 3, 4], [1, 1])), "row"),
    "shaded": (scene(Conv(3).trace(np.arange(900).reshape(30, 30) % 7 - 3, COUNT[:3, :3])), None),
    "pool": (scene(MaxPool(2).trace(COUNT)), None),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_list_painted_at_once_is_the_frame_that_grew_from_those_before(name: str, look: str) -> None:
    s, arrangement = SCENES[name]
    page, theme = layout(s, 640, 360, arrangement=arrangement), load(look)
    raster, composer, painter = Raster(s, page, theme), Composer(page, s.beats.steps), Painter(palette(page, theme))
    first = s.beats.opening
    frames: list[Any] = [s.frame(n) for n in range(0, s.beats.total, max(1, s.beats.total // 7))]
    frames += [Tween(s.frame(first), s.frame(first + 1)).frame(0.4), s.frame(s.beats.total - 1)]
    for frame in (magnified(page, frame) for frame in frames):
        grown = raster.draw(frame).pixels
        whole = np.zeros_like(grown)
        rest = whole.copy()
        for shape in composer.rest(frame):
            painter.paint(rest, shape, rest)
        whole[:] = rest
        for shape in composer.over(frame):
            painter.paint(whole, shape, rest)
        assert (grown != whole).mean() < 0.001, "only where two slanted lines meet"


def test_an_upright_dashed_stroke_begins_with_a_dash() -> None:
    stroke = Stroke((((2, 3.5), (12, 3.5)),), 1, "dash", dash=3)
    assert [(box.left, box.right) for box in boxes(stroke)] == [(2, 5), (8, 11)]
    assert {(box.top, box.bottom) for box in boxes(stroke)} == {(3, 4)}


def test_a_closed_upright_stroke_has_square_corners() -> None:
    corners = ((1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0))
    found = list(boxes(Stroke(((*corners, corners[0]),), 2, "line")))
    assert min(box.left for box in found) == 0
    assert max(box.right for box in found) == 6
    assert (min(box.top for box in found), max(box.bottom for box in found)) == (0, 5)


@pytest.mark.parametrize(("radius", "thick"), [(0, 1), (0, 3), (9, 2), (12, 5)])
@pytest.mark.parametrize(("x", "y"), [(5, 7), (-4, 30), (60, 66), (200, 200)])
def test_a_ring_on_a_page_is_the_same_on_a_part_of_one(radius: int, thick: int, x: int, y: int) -> None:
    s, _ = SCENES["flat"]
    painter = Painter(palette(layout(s, 640, 360), load("light")))
    page, part = np.zeros((90, 100), np.uint8), np.zeros((90, 200), np.uint8)[:, 50:150]
    for right in (30, 47, 30):
        ring = Ring(Box(2, 3, 28, right), "kernel.stroke", radius, thick)
        boxes = [painter.paint(pixels, ring, pixels, x, y) for pixels in (page, part)]
        assert boxes[0] == boxes[1]
        np.testing.assert_array_equal(page, part)
    assert page.any() == (x < 100)


def test_a_number_that_reaches_over_its_chip_is_painted_whole() -> None:
    s, _ = SCENES["flat"]
    painter = Painter(palette(layout(s, 640, 360), load("light")))
    chip = Card(Box(20, 20, 40, 60), "data.lit", 4)
    for text, x in (("12", 30), ("123456789", 22), ("12", 18)):
        shapes = chip, Words(Text(text, x, 35, 14, bold=True), "text", "data.lit")
        apart, first, again = (np.full((60, 200), painter.palette.solid("page"), np.uint8) for _ in range(3))
        wanted = [painter.paint(apart, shape, apart) for shape in shapes]
        for pixels in (first, again):
            assert painter.texts(pixels, shapes) == hull(wanted)
            np.testing.assert_array_equal(pixels, apart)


whole = st.integers(-9, 30)


@given(st.tuples(whole, whole), st.tuples(st.integers(2, 20), st.integers(-9, 0)), st.tuples(whole, st.integers(2, 20)))
def test_parallelograms_that_share_a_side_share_no_pixel_and_leave_none(
    at: tuple[int, int], along: tuple[int, int], down: tuple[int, int]
) -> None:
    if along[0] * down[1] - along[1] * down[0] <= 0:
        return
    seen = np.zeros((200, 200), int)
    for row in range(2):
        for column in range(2):
            x, y = (60 + at[i] + column * along[i] + row * down[i] for i in (0, 1))
            points = ((x, y), (x + along[0], y + along[1]), (x + along[0] + down[0], y + along[1] + down[1]))
            box, mask = inside((*points, (x + down[0], y + down[1])), seen.shape)
            seen[box.top : box.bottom, box.left : box.right] += mask
    assert seen.max() == 1
    assert seen.sum() == 4 * (along[0] * down[1] - along[1] * down[0])


@pytest.mark.parametrize("dash", [0.0, 4.0])
def test_the_core_of_agg_draws_what_the_public_renderer_draws(dash: float, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [np.array([[3.0, 4.5], [31.0, 17.0], [12.5, 33.0]]), np.array([[1.0, 1.0], [20.0, 2.0], [1.0, 1.0]])]
    ours = agg.cover([path.copy() for path in paths], (40, 36), 2.4, dash)
    monkeypatch.setattr(agg, "_core", lambda: agg._public)
    np.testing.assert_array_equal(agg.cover(paths, (40, 36), 2.4, dash), ours)
    assert ours.max() == 255


def test_a_core_that_takes_other_arguments_is_replaced_by_the_public_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.backends import _backend_agg

    agg._core.cache_clear()
    monkeypatch.setitem(vars(_backend_agg), "RendererAgg", lambda *_: object())
    assert agg._core() is agg._public
    agg._core.cache_clear()


def test_shapes_are_whole_where_they_rest() -> None:
    s, _ = SCENES["flat"]
    page = layout(s, 640, 360)
    for shape in Composer(page, s.beats.steps).frame(s.frame(s.beats.total - 1)):
        if isinstance(shape, Fill):
            assert all(isinstance(at, int) for at in shape.box)
        elif isinstance(shape, Words):
            assert isinstance(shape.text.x, int)
            assert isinstance(shape.text.baseline, int)


def test_only_upright_rectangles_of_whole_pixels_are_boxes() -> None:
    assert rectangle(((0, 0), (3, 0), (3, 2), (0, 2))) == (0, 0, 2, 3)
    assert rectangle(((0, 0), (3, 0), (3.5, 2), (0, 2))) is None
    assert rectangle(((0, 0), (3, 1), (4, 3), (1, 2))) is None

"""Wide pages: the upper plane is further right, cells are larger, and lines avoid numbers where that is cheap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Page, Tilt, glyphs, layout
from convanim.page.crossed import SEEN, crossed, lines
from convanim.page.tilted.isometric import planes
from convanim.page.tilted.tilt import Lattice, Step
from convanim.scene import Scene, scene
from support.pages import STYLES

NINE = np.arange(1, 10).reshape(3, 3)
COUNT = np.arange(1, 37).reshape(6, 6)
SCENES = {
    "zeros": scene(ConvTranspose(3, 2, 1).trace(NINE, NINE)),
    "stamps": scene(ConvTranspose(3, 2, 1).trace(NINE, NINE), "overlap-add"),
    "stride": scene(Conv(3, 2, 1).trace(COUNT[:5, :5], NINE)),
    "dilation": scene(Conv(3, dilation=2).trace(COUNT, NINE)),
    "pool": scene(MaxPool(2).trace(COUNT[None, :4, :4])),
}
#: The area of a cell on a page of 1280 x 720 with the upper plane directly above the lower one, px².
UPRIGHT = {"zeros": 1530, "stamps": 2232, "stride": 2232, "dilation": 3480, "pool": 6287}


def both(s: Scene, page: Page) -> tuple[Tilt, Tilt]:
    lower, upper = (page.places[panel.name] for panel in planes(s) or ())
    assert isinstance(lower, Tilt)
    assert isinstance(upper, Tilt)
    return lower, upper


def middle(place: Tilt) -> tuple[float, float]:
    rows, columns = place.panel.shape
    x, y = place.lattice.at(rows / 2, columns / 2)
    return place.x + x, place.y + y


@pytest.mark.parametrize("name", SCENES)
def test_the_upper_plane_goes_to_the_right_and_cells_get_the_height(name: str) -> None:
    lower, upper = both(SCENES[name], layout(SCENES[name], 1280, 720, arrangement="isometric"))
    right, up = middle(upper)[0] - middle(lower)[0], middle(lower)[1] - middle(upper)[1]
    assert 0 < right <= 0.8 * up, "it no longer stands above"
    assert lower.lattice.area > 1.35 * UPRIGHT[name]
    assert lower.lattice == upper.lattice
    rise, fall = -lower.lattice.along.y / lower.lattice.along.x, lower.lattice.down.y / lower.lattice.down.x
    assert 0.2 < rise < 0.6, "rows no longer rise, or rise too much to be read"
    assert fall > 0.3


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [(1080, 1080), (720, 540), (540, 960)])
def test_on_other_pages_it_stands_right_above(name: str, size: tuple[int, int]) -> None:
    lower, upper = both(SCENES[name], layout(SCENES[name], *size, arrangement="isometric"))
    assert abs(middle(lower)[0] - middle(upper)[0]) <= 1


def test_what_is_looked_up_grows_where_there_is_room_but_not_as_large_as_the_planes() -> None:
    small = scene(Conv(2).trace(COUNT[:2, :2], COUNT[:2, :2]))
    page = layout(small, 1280, 720, arrangement="isometric")
    assert 46 < page.places["kernel"].pitch <= 0.8 * both(small, page)[0].pitch + 1
    large = scene(Conv(5).trace(np.arange(784).reshape(28, 28), COUNT[:5, :5]))
    page = layout(large, 1280, 720, arrangement="isometric")
    assert page.places["kernel"].pitch == 46, "it never takes room from the planes"


def test_a_kernel_too_large_for_numbers_is_shaded_with_a_scale_under_it() -> None:
    s = scene(Conv(24).trace(np.ones((26, 26), int), np.arange(576).reshape(24, 24)))
    page = layout(s, 640, 360, arrangement="isometric")
    place = page.places["kernel"]
    assert not place.number
    assert place.scale is not None
    low, bar, high = place.scale
    assert (low.text, high.text) == ("0", "575")
    assert bar.top > place.box.bottom
    lower, upper = both(s, page)
    assert max(high.box.right, place.box.right) < min(lower.box.left, upper.box.right)


def test_a_kernel_too_high_to_stand_beside_planes_makes_them_flat() -> None:
    s = scene(Conv((40, 1)).trace(np.ones((41, 2), int), np.ones((40, 1), int)))
    page = layout(s, 320, 180, arrangement="isometric")
    assert not any(place.tilted for place in page.places.values())
    assert all(place.box.bottom <= page.height for place in page.places.values())


def test_a_kernel_higher_than_the_page_is_refused() -> None:
    s = scene(Conv((20, 1)).trace(np.ones((21, 2), int), np.ones((20, 1), int)))
    with pytest.raises(ConvanimError, match="does not fit"):
        layout(s, 240, 135, arrangement="isometric")


@pytest.mark.parametrize("name", ["zeros", "stride", "dilation"])
def test_factors_can_be_read_beside_their_numbers(name: str) -> None:
    lower, _ = both(SCENES[name], layout(SCENES[name], 1280, 720, arrangement="isometric"))
    assert lower.note >= 12
    assert lower.number >= 1.3 * lower.note


def test_a_slide_has_its_factors_where_they_are_large_enough() -> None:
    s = SCENES["dilation"]
    lower, _ = both(s, layout(s, 1280, 720, arrangement="isometric", style=STYLES["slide"]))
    assert lower.note >= 0.022 * 720


def test_few_placements_stand_for_all() -> None:
    s = scene(Conv(2).trace(np.ones((9, 9), int), COUNT[:2, :2]))
    found = lines(s)
    assert found.shape == (4 * SEEN, 2, 2)
    assert found[0].tolist() == [[0, 0], [0, 0]]
    assert found[-2].tolist() == [[9, 9], [8, 8]]
    np.testing.assert_array_equal(found[:, 0] - found[:, 1], np.tile([[0, 0], [0, 1], [1, 1], [1, 0]], (SEEN, 1)))


@settings(max_examples=25)
@given(st.data())
def test_lines_that_cross_numbers_are_those_with_a_point_in_one(data: st.DataObject) -> None:
    """Checked by following each line with more steps than a number has pixels."""
    step = st.integers(8, 30)
    lattice = Lattice(Step(data.draw(step), -data.draw(step)), Step(data.draw(step), data.draw(step)))
    cell = st.tuples(st.integers(0, 5), st.integers(0, 5))
    ends = np.array(data.draw(st.lists(st.tuples(cell, cell), min_size=1, max_size=3)), float)
    up = data.draw(st.tuples(st.integers(-40, 200), st.integers(-200, 0)))
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    size, wide = 10, 7.0
    sure = maybe = 0
    for start, end in ends:
        one, other = np.array(lattice.at(*start)), np.array(lattice.at(*end)) + up
        path = one + np.linspace(0, 1, 2000)[:, None] * (other - one)
        for row, column in np.ndindex(*shape):
            away = np.abs(path - lattice.at(row + 0.5, column + 0.5)) / (wide / 2, glyphs.CAPITALS * size / 2)
            nearest = away.max(axis=1).min()
            sure += nearest < 0.9
            maybe += nearest < 1.1
    assert sure <= crossed(ends, shape, lattice, up, size, wide) <= maybe

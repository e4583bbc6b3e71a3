"""The inset beside two tilted planes: the window's numbers where cells have no room for them."""

from math import ceil

import numpy as np
import pytest

from convanim.draw.compose import Composer
from convanim.draw.shapes import Placed, Stroke, Words
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool
from convanim.look import Look
from convanim.page import Page, Place, Tilt, glyphs, layout
from convanim.page.lens import magnified
from convanim.page.measures import DIGITS
from convanim.scene import Scene, Shown, scene
from convanim.scene.frame import Frame, Role
from convanim.template import settle
from support.pages import STYLES, check_apart, tilts

NINE = np.arange(1, 10).reshape(3, 3)
COUNT = np.arange(1, 82).reshape(9, 9) % 9 + 1
SCENES = {
    "zeros": scene(ConvTranspose(3, 2, 1).trace(NINE, NINE)),
    "stamps": scene(ConvTranspose(3, 2, 1).trace(NINE, NINE), "overlap-add"),
    "stride": scene(Conv(3, 2, 1).trace(COUNT[:5, :5], NINE - 5)),
    "large kernel": scene(Conv(5).trace(COUNT, COUNT[:5, :5])),
    "pool": scene(MaxPool(2).trace(COUNT[None, :4, :4])),
    "mean": scene(AvgPool(2).trace(COUNT[None, :4, :4])),
}


def page_of(s: Scene, width: int = 640, name: str = "default") -> Page:
    return layout(s, width, width * 9 // 16, arrangement="isometric", style=STYLES[name])


def placement(s: Scene, step: int) -> Frame:
    return s.frame(s.beats.opening + step * s.beats.each - 1)


def inset(page: Page) -> dict[str, Place]:
    return {name: place for name, place in page.places.items() if place.panel.magnifies}


SIZES = [("default", 1), ("default", 2), ("readme", 1), ("slide", 1), ("square", 1), ("paper", 1), ("paper", 2)]


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize(("template", "part"), SIZES)
def test_numbers_stand_in_a_plane_only_where_a_digit_is_13_px_high(name: str, template: str, part: int) -> None:
    s, style = SCENES[name], STYLES[template]
    page = layout(s, style.width // part, style.height // part, arrangement="isometric", style=style)
    for place in tilts(page):
        assert not place.number or glyphs.CAPITALS * place.number >= DIGITS - 0.5
    (link,) = s.links(0)
    window = page.places[link.panel]
    if not window.number or (window.panel.notes and window.note < DIGITS):
        shown = inset(page)
        assert shown, "nothing shows the numbers"
        assert min(place.number for place in shown.values()) >= DIGITS
        assert all(place.note for place in shown.values() if place.panel.notes)
    check_apart_from_planes(s, page)


@pytest.mark.parametrize("name", ["pool", "mean"])
def test_a_small_page_has_the_numbers_of_planes_that_have_room(name: str) -> None:
    page = page_of(SCENES[name])
    assert all(place.number for place in tilts(page))


def check_apart_from_planes(s: Scene, page: Page) -> None:
    """Flat grids and their titles neither meet nor leave the page; test_isometric checks the planes."""
    places = {name: place for name, place in page.places.items() if not isinstance(place, Tilt)}
    check_apart(s, Page(**{**vars(page), "places": places}))


@pytest.mark.parametrize("name", ["zeros", "stride", "large kernel"])
def test_the_sum_can_be_read_in_the_inset(name: str) -> None:
    s = SCENES[name]
    page = page_of(s)
    for step in range(1, s.beats.steps + 1):
        frame = magnified(page, placement(s, step))
        lens, result = frame.grids["lens"], frame.grids["result"]
        factors = np.zeros(lens.values.shape)
        for at, note in lens.notes.items():
            factors[at] = float(note[1:].replace("−", "-"))
        assert result.values[0, 0] == (lens.values * factors).sum()
        assert result.roles[0, 0] == Role.DONE
        (link,) = frame.links
        assert result.values[0, 0] == frame.grids["output"].values[link.cell]


def test_the_inset_of_a_stamp_shows_what_is_added_up() -> None:
    s = SCENES["stamps"]
    page = page_of(s)
    assert [place.panel.titles for place in inset(page).values()] == [("window",)]
    frame = magnified(page, placement(s, 5))
    assert frame.grids["lens"].notes
    assert (frame.grids["lens"].values == frame.grids["canvas"].values[2:5, 2:5]).all()


def test_planes_beside_an_inset_show_what_cells_are_and_not_their_values() -> None:
    page = page_of(SCENES["stride"])
    assert all(place.plain and not place.shaded and not place.scale for place in tilts(page))
    large = page_of(scene(Conv(3).trace(np.arange(784).reshape(28, 28) % 10, NINE)), 1280)
    assert all(place.shaded for place in tilts(large)), "a picture is seen by its values"
    assert inset(large)


def test_the_inset_is_empty_without_a_window() -> None:
    s = SCENES["stride"]
    page = page_of(s)
    for number in (0, s.beats.total - 1):
        frame = magnified(page, s.frame(number))
        for name in inset(page):
            assert (frame.grids[name].roles == Role.NONE).all()
            assert frame.grids[name].title == ""


def test_lines_lead_from_the_window_to_the_inset_and_cross_nothing_in_it() -> None:
    s = SCENES["zeros"]
    page = page_of(s)
    boxes = [place.box for place in inset(page).values()]
    for step in range(1, s.beats.steps + 1):
        frame = magnified(page, placement(s, step))
        strokes = [o for o in Composer(page, s.beats.steps).over(frame) if isinstance(o, Stroke) and o.dash]
        (stroke,) = (o for o in strokes if any(b[0] == boxes[0].left for _, b in o.lines))
        (link,) = frame.links
        corners = page.places[link.panel].corners(*link.window[:4])
        for start, (x, _) in stroke.lines:
            assert start in corners
            assert x == min(box.left for box in boxes), "the lines end where the inset begins"


def test_zeros_that_were_put_there_are_blank_in_planes() -> None:
    s = SCENES["zeros"]
    page = page_of(s, 1280)
    stage = page.places["stage"]
    assert stage.number
    assert not inset(page)
    frame = placement(s, 8)
    composer = Composer(page, s.beats.steps)
    grid = frame.grids["stage"]
    for row, column in np.ndindex(*grid.roles.shape):
        cell: Placed = composer.at(stage, grid, row, column)
        texts = [shape for shape in cell.shapes if isinstance(shape, Words)]
        assert bool(texts) == (grid.roles[row, column] == Role.DATA)


@pytest.mark.parametrize("what", ["letters", "no numbers", "a picture", "a page without room"])
def test_there_is_no_inset_for(what: str) -> None:
    s, page = SCENES["stride"], None
    if what == "letters":
        page = page_of(scene(Conv(3).trace(COUNT[:5, :5], NINE), None, Shown(symbols=True)))
        assert all(place.number for place in page.places.values()), "no shade could stand for them"
    elif what == "no numbers":
        page = layout(s, 640, 360, arrangement="isometric", style=settle(Look(numbers=False)).style)
        assert all(place.shaded for place in tilts(page))
    elif what == "a picture":
        picture = np.zeros((3, 4, 4), int)
        t = Conv(1, groups=3).trace(picture, np.ones((3, 1, 1, 1), int))
        page = page_of(scene(t, None, Shown(colours=True)))
    else:
        page = page_of(s, 320)
    assert not inset(page)


def test_the_inset_speaks_the_language_of_the_page() -> None:
    page = Conv(3).trace(COUNT, NINE).animate(lang="de", layout="isometric", width=640).page
    assert [place.panel.titles for place in inset(page).values()] == [("Fenster",), ("Ergebnis",)]


def test_the_smallest_numbers_of_planes_are_as_high_as_13_px() -> None:
    assert ceil(DIGITS / glyphs.CAPITALS) == 18

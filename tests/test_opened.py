"""Layers with many channels: the current sum at reading size, and all planes small beside it."""

import re

import numpy as np
import pytest

from convanim.draw.compose import Composer
from convanim.draw.shapes import Stroke
from convanim.layers import Conv, ConvTranspose
from convanim.page import Page, Place, layout
from convanim.page.lens import magnified
from convanim.page.measures import DIGITS
from convanim.scene import Scene, scene
from convanim.scene.frame import Frame, Role
from support.pages import STYLES, check_apart


def counting(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape) * 7 % 10


def weights(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape) * 5 % 7 - 3


SCENES = {
    "eight": scene(Conv(3).trace(counting(8, 6, 6), weights(8, 8, 3, 3))),
    "strided": scene(Conv(3, 2, 1).trace(counting(8, 7, 7), weights(8, 8, 3, 3))),
    "transposed": scene(ConvTranspose(3, 2, 1).trace(counting(8, 3, 3), weights(8, 8, 3, 3))),
    "groups": scene(Conv(3, groups=2).trace(counting(8, 6, 6), weights(8, 4, 3, 3))),
    "dilated": scene(Conv(2, dilation=2).trace(counting(8, 6, 6), weights(8, 8, 2, 2))),
    "one output": scene(Conv(3).trace(counting(5, 6, 6), weights(1, 5, 3, 3))),
}


def page_of(s: Scene, name: str = "slide") -> Page:
    style = STYLES[name]
    return layout(s, style.width, style.height, style=style)


def placement(s: Scene, step: int) -> Frame:
    return s.frame(s.beats.opening + step * s.beats.each - 1)


def windows(page: Page) -> list[Place]:
    return [place for name, place in page.places.items() if name.startswith("window ")]


def written(page: Page) -> Place:
    return page.places.get("current") or page.places["output"]


@pytest.mark.parametrize("name", SCENES)
def test_what_is_read_on_a_slide_can_be_read(name: str) -> None:
    s = SCENES[name]
    page = page_of(s)
    check_apart(s, page)
    kernels = [place for place in page.places.values() if place.panel.shade == "kernel"]
    read = [*windows(page), *kernels, page.places["sums"], written(page)]
    assert len(windows(page)) == len(kernels) == len(s.traces[0].x)
    assert min(place.number for place in read) >= max(DIGITS, 0.022 * page.height)


@pytest.mark.parametrize("width", [480, 560, 640])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_few_channels_stand_in_lines_on_a_small_page(width: int, outputs: int) -> None:
    s = scene(Conv(3).trace(counting(3, 6, 6), weights(outputs, 3, 3, 3)))
    page = layout(s, width, width * 9 // 16)
    check_apart(s, page)
    kernels = [place for place in page.places.values() if place.panel.shade == "kernel"]
    if width < 560:  # there is no room for digits
        assert not windows(page)
        return
    for line in zip(s.panels[:3], windows(page), kernels, strict=True):
        assert len({place.y for place in (page.places[line[0].name], *line[1:])}) == 1
    assert min(place.number for place in (*windows(page), *kernels, page.places["sums"], written(page))) >= DIGITS
    assert min(page.places[panel.name].pitch for panel in s.panels[:3]) >= 6


@pytest.mark.parametrize("name", SCENES)
def test_each_window_times_its_kernel_is_a_sum_of_the_strip(name: str) -> None:
    s = SCENES[name]
    page = page_of(s)
    for step in np.linspace(1, s.beats.steps, 5).astype(int).tolist():
        frame = magnified(page, placement(s, step))
        sums = []
        for place in windows(page):
            grid = frame.grids[place.panel.name]
            kernel = frame.grids[place.panel.name.replace("window", "kernel")].values
            if (grid.roles != Role.NONE).any():
                gap = (len(grid.values) - 1) // (len(kernel) - 1)
                sums.append((grid.values[::gap, ::gap] * kernel).sum())
        assert sums == frame.grids["sums"].values[0].tolist()
        (other,) = {link.other for link in frame.links}
        cell = frame.links[0].cell
        shown = frame.grids[written(page).panel.name]
        assert shown.values[cell] == frame.grids[other].values[cell] == sum(sums)
        assert shown.title in written(page).panel.titles


def test_planes_that_the_sum_does_not_read_are_pale_and_have_no_window() -> None:
    s = SCENES["groups"]
    page = page_of(s)
    frame = magnified(page, placement(s, s.beats.steps))
    there = [bool((frame.grids[p.panel.name].roles != Role.NONE).any()) for p in windows(page)]
    assert there == [False] * 4 + [True] * 4
    strokes = [o for o in Composer(page, s.beats.steps).over(frame) if isinstance(o, Stroke)]
    assert len(strokes) == 4, "two lines from each window to its copy"


def test_small_planes_stand_for_all_channels() -> None:
    s = SCENES["eight"]
    page = page_of(s)
    small = [page.places[f"{kind} {i}"] for kind in ("stage", "output") for i in range(8)]
    assert not any(place.number or place.shaded for place in small)
    assert min(place.pitch for place in small) >= 5
    assert min(place.line for place in small) >= 1, "single cells"
    assert page.places["stage 0"].panel.titles == ("input",)
    assert not any(page.places[f"stage {i}"].panel.titles for i in range(1, 8))


def test_at_the_end_the_last_plane_of_the_output_is_shown_and_at_the_beginning_the_first() -> None:
    s = SCENES["eight"]
    page = page_of(s)
    for number, name in ((0, "output 0"), (s.beats.total - 1, "output 7")):
        frame = magnified(page, s.frame(number))
        assert frame.grids["current"] is frame.grids[name]


def test_titles_go_without_what_is_said_about_the_kernels() -> None:
    s = SCENES["transposed"]
    page = page_of(s)
    frame = placement(s, 1)
    place = page.places["kernel 3"]
    assert frame.grids["kernel 3"].title == "w[3,0], turned"
    assert place.titled(frame.grids["kernel 3"].title).text == "w[3,0]"
    assert place.titled("").text == ""


@pytest.mark.parametrize("width", [640, 1280])
def test_every_title_is_in_the_language_of_the_scene(width: int) -> None:
    page = Conv(3).trace(counting(3, 6, 6), weights(2, 3, 3, 3)).animate(width=width, lang="de").page
    words = " ".join(title for place in page.places.values() for title in place.panel.titles)
    assert ("Kern" if width == 640 else "w[0,0]") in words
    assert not set(re.findall("[a-z]+", words)) & {"kernel", "input", "output", "channel", "window"}


def test_channels_that_can_be_read_already_stay_side_by_side() -> None:
    s = scene(Conv(3).trace(counting(3, 6, 6), weights(2, 3, 3, 3)))
    page = page_of(s)
    assert not windows(page)
    assert all(place.number for place in page.places.values())


@pytest.mark.parametrize("what", ["no numbers", "a page without room"])
def test_planes_are_as_before_for(what: str) -> None:
    s = SCENES["eight"]
    page = page_of(s, "minimal") if what == "no numbers" else layout(s, 640, 360)
    assert not windows(page)
    assert "stage 7" in page.places

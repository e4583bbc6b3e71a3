"""The places of cells that are not there yet: pale outlines from the first frame on, so that titles are near."""

from math import hypot
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from convanim.draw.compose import Composer, visible
from convanim.draw.raster import Raster
from convanim.draw.rules import lines
from convanim.draw.shapes import Card, Placed, Ring, Stroke
from convanim.draw.theme import load, themes
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Box, Page, Place, layout
from convanim.page.lens import magnified
from convanim.scene import Scene, scene
from convanim.scene.frame import Grid, Role
from support.pages import both, hull, looked_at
from test_template_layouts import pages

#: The largest distance of a title to its grid on a page of 1280 px, px.
NEAR = 16
Points = list[tuple[float, float]]


def counting(*shape: int) -> Any:
    return np.arange(1, np.prod(shape) + 1).reshape(shape)


UP = scene(ConvTranspose(3, 2, 1).trace(counting(3, 3), counting(3, 3)))


def apart(box: Box, area: Points) -> float:
    """The distance of a box to a convex polygon, px."""
    corners: Points = [(x, y) for y in (box.top, box.bottom) for x in (box.left, box.right)]
    box_sides = [(corners[a], corners[b]) for a, b in ((0, 1), (1, 3), (3, 2), (2, 0))]
    sides = list(zip(area, [*area[1:], area[0]], strict=True))
    if _inside(corners[0], area):
        return 0.0
    found = [_to_side(p, *side) for p in corners for side in sides]
    return min(found + [_to_side(p, *side) for p in area for side in box_sides])


def _inside(p: tuple[float, float], area: Points) -> bool:
    turns = [
        (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
        for a, b in zip(area, [*area[1:], area[0]], strict=True)
    ]
    return all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)


def _to_side(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    (x, y), (dx, dy) = (p[0] - a[0], p[1] - a[1]), (b[0] - a[0], b[1] - a[1])
    part = min(1.0, max(0.0, (x * dx + y * dy) / (dx * dx + dy * dy or 1)))
    return hypot(x - part * dx, y - part * dy)


def seen_of(place: Place, grid: Grid) -> Points:
    """The corners of what is seen of a grid in a frame: its cells, and the outlines of those that will come."""
    shown = visible(place, grid)
    # The label of a plane stands where the whole plane will be, even if its cells are too small for lines.
    if place.tilted and (not place.line or any(isinstance(s, Stroke) and s.ink == "ghost" for s in lines(place, grid))):
        shown = np.ones_like(shown)
    rows, columns = np.nonzero(shown)
    return list(place.hull(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1))


@settings(max_examples=40)
@given(pages())
def test_a_title_is_near_its_grid_in_every_frame(case: tuple[Scene, Page, str]) -> None:
    s, page, name = case
    near = NEAR * max(1.0, page.width / 1280)
    for frame in (magnified(page, frame) for frame in looked_at(s)):
        for panel, place in page.places.items():
            title = place.titled(frame.grids[panel].title) if place.panel.titles else place.title
            if title.text:
                # The scale of a plane stands under its title.
                label = hull(both(title), place.scale.box) if place.scale and place.tilted else both(title)
                away = apart(label, seen_of(place, frame.grids[panel]))
                assert away <= near, f"{title.text!r} is {away:.0f} px from its grid: {s.title}, {name}"


@pytest.mark.parametrize("look", themes())
def test_cells_that_will_come_are_outlined_from_the_first_frame_on(look: str) -> None:
    page = layout(UP, 1280, 720)
    raster = Raster(UP, page, load(look))
    ghost = raster.palette.solid("ghost")
    top, left, bottom, right = page.places["stage"].cell(0, 0)
    first = raster.draw(UP.frame(0)).pixels[top:bottom, left:right].copy()
    assert (first[:, first.shape[1] // 2] == ghost).sum() == 2  # above and below
    assert (first[1:-1, 3:-3] == raster.palette.solid("page")).mean() > 0.9
    for number in range(1, UP.beats.opening):
        last = raster.draw(UP.frame(number)).pixels[top:bottom, left:right]
    assert UP.frame(UP.beats.opening - 1).grids["stage"].roles[0, 0] == Role.PADDING
    assert not (last == ghost).any()


def test_every_cell_of_the_finished_stage_is_drawn_in_every_frame() -> None:
    for op, x in ((Conv(3, padding=1), counting(4, 4)), (MaxPool(3, 2, 1), counting(5, 5))):
        s = scene(op.trace(x, counting(3, 3)) if isinstance(op, Conv) else op.trace(x))
        composer = Composer(page := layout(s, 1280, 720), s.beats.steps)
        place = page.places["stage"]
        for number in range(s.beats.total):
            shapes = composer.panel(place, s.frame(number).grids["stage"])
            assert sum(isinstance(shape, Placed) for shape in shapes) == np.prod(place.panel.shape)
        ground, outline = composer.at(place, s.frame(0).grids["stage"], 0, 0).shapes
        assert isinstance(ground, Card)
        assert isinstance(outline, Ring)
        assert (ground.ink, outline.ink) == ("page", "ghost")


def test_small_cells_that_will_come_are_pale_boxes() -> None:
    s = scene(Conv(3, padding=1).trace(np.ones((40, 40), int), counting(3, 3)))
    page = layout(s, 640, 360)
    (only,) = Composer(page, 1).at(page.places["stage"], s.frame(0).grids["stage"], 0, 0).shapes
    assert isinstance(only, Card)
    assert only.ink == "pending.fill"


def test_kernels_of_other_groups_stay_blank() -> None:
    s = scene(Conv(2, groups=2).trace(counting(2, 3, 3), counting(2, 1, 2, 2)))
    page, frame = layout(s, 1280, 720), s.frame(0)
    blank = [name for name, grid in frame.grids.items() if (grid.roles == Role.NONE).all()]
    assert blank
    for name in blank:
        assert not visible(page.places[name], frame.grids[name]).any()

"""The line from a window to the cell that it writes follows gaps, and meets neither numbers nor words."""

import numpy as np
import pytest
from hypothesis import assume, given, settings

from convanim import Conv, ConvanimError, ConvTranspose, PixelShuffle
from convanim.draw.shapes import Stroke, boxes
from convanim.draw.wires import Wires
from convanim.page import Box, layout
from convanim.scene import scene
from support.scenes import shown

UP = ConvTranspose(3, 2, 1).trace(np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3))


def covered(s, page, step):
    """The rectangles of the line of a placement, as (top, left, bottom, right)."""
    return [box for link in s.links(step) for shape in Wires(page, 2).of(link) for box in rectangles(shape)]


def rectangles(shape):
    """The rectangles of a line, or those along the sides of a ring with its corners."""
    if isinstance(shape, Stroke):
        return boxes(shape)
    (top, left, bottom, right), thick = shape.box, shape.thick
    rows = [Box(y, left, y + thick, right) for y in (top, bottom - thick)]
    return [*rows, *(Box(top, x, bottom, x + thick) for x in (left, right - thick))]


def test_it_starts_at_the_window_and_ends_at_the_cell():
    s = scene(UP)
    page = layout(s, 1280, 720)
    (link,) = s.links(7)
    tops, lefts, bottoms, rights = np.array(covered(s, page, 7)).T
    window, cell = page.places["stage"].hull(*link.window[:4]), page.places["output"].at(*link.cell)
    assert lefts.min() == window[1][0] - page.places["stage"].line
    assert rights.max() == cell[1]
    assert min(bottoms.max(), window[2][1]) > max(tops.min(), window[0][1])


@pytest.mark.parametrize("steps", [range(25)])
def test_every_part_meets_the_next_one(steps):
    s = scene(UP)
    page = layout(s, 1280, 720)
    for step in steps:
        parts = covered(s, page, step)
        reached, left = [parts[0]], parts[1:]
        while left:
            met = [b for b in left if any(_touch(a, b) for a in reached)]
            assert met, "a part of the line touches no other"
            reached += met
            left = [b for b in left if b not in met]


def _touch(a, b):
    return a.top <= b.bottom and b.top <= a.bottom and a.left <= b.right and b.left <= a.right


def test_nothing_is_drawn_where_the_line_would_cross_another_grid():
    s = scene(Conv(3).trace(np.ones((3, 5, 5), int), np.ones((1, 3, 3, 3), int)))
    page = layout(s, 1280, 720)
    grids = [place.box for place in page.places.values()]
    ends = {name for link in s.links(0) for name in (link.panel, link.other)}
    for box in covered(s, page, 0):
        inside = [
            g for g in grids if g.top < box.top and box.bottom < g.bottom and g.left < box.left and box.right < g.right
        ]
        assert all(g in [page.places[name].box for name in ends] for g in inside)


@settings(max_examples=30)
@given(shown())
def test_it_never_covers_a_cell_that_is_not_at_its_ends(case):
    _, s = case
    try:
        page = layout(s, 1280, 720)
    except ConvanimError:
        assume(False)
    for step in {0, s.beats.steps - 1} if s.beats.steps else ():
        for box in covered(s, page, step):
            for place in page.places.values():
                if place.tilted or box.bottom - box.top > 2:  # the upright parts stand between the grids
                    continue
                ys = [place.cell(row, 0) for row in range(place.panel.shape[0])]
                over = place.box.left < box.left and box.right < place.box.right
                assert not over or not any(y.top < box.top and box.bottom < y.bottom for y in ys)


def test_it_passes_below_the_channels_that_take_no_part():
    s = scene(PixelShuffle(2).trace(np.arange(16).reshape(4, 2, 2)))
    page = layout(s, 1280, 720)
    (link,) = s.links(5)
    parts = covered(s, page, 5)
    assert parts
    shut = [place.box for name, place in page.places.items() if name not in (link.panel, link.other)]
    between = [box for box in shut if page.places[link.panel].box.right < box.left]
    assert len(between) == 2
    assert all(part.top >= max(box.bottom for box in between) for part in parts if any(_met(part, b) for b in between))


def _met(part, box):
    return part.left < box.right and part.right > box.left

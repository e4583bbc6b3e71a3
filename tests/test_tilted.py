"""Drawing of tilted cells: pictures, caches, dashed outlines, cells beside the page."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convanim.draw import cells, floats
from convanim.draw.cells import differing
from convanim.draw.raster import Raster, paint
from convanim.draw.theme import STROKE, load
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Page, Tilt, layout
from convanim.scene import Scene, Shown, scene
from convanim.scene.frame import Emphasis, Float, Role, whole
from convanim.timing.motion import Tween
from support.pages import filled

COUNT = np.arange(1, 17).reshape(4, 4)


def colours(raster: Raster, frame: Any) -> NDArray[np.uint8]:
    drawn: NDArray[np.uint8] = raster.palette.colours[raster.draw(frame).pixels]
    return drawn


def tilt(page: Page, name: str) -> Tilt:
    place = page.places[name]
    assert isinstance(place, Tilt)
    return place


def test_a_picture_keeps_its_own_colours_in_a_plane() -> None:
    picture = np.zeros((3, 4, 4), int)
    picture[0], picture[2, :2] = 240, 120
    s = scene(Conv(1, groups=3).trace(picture, np.ones((3, 1, 1, 1), int)), None, Shown(colours=True))
    page = layout(s, 640, 360, arrangement="isometric")
    raster, frames = Raster(s, page, load("light")), [s.frame(n) for n in range(s.beats.total)]
    drawn = [colours(raster, frame) for frame in frames]
    np.testing.assert_array_equal(drawn[-1], colours(Raster(s, page, load("light")), frames[-1]))
    output = tilt(page, "output")
    for row, own in ((0, (240, 0, 120)), (3, (240, 0, 0))):
        top, left, bottom, right = output.cell(row, 3)
        x, y = (left + right) // 2, (top + bottom) // 2
        assert np.abs(drawn[-1][y, x].astype(int) - own).max() <= 8
        assert (drawn[0][y, x] != drawn[-1][y, x]).any(), "it is there before it was computed"


def test_cells_change_where_their_own_colours_do() -> None:
    plain = whole("input", Role.DATA, COUNT)
    one = replace(plain, colours=np.zeros((4, 4, 3), np.uint8))
    shade = np.zeros((4, 4, 3), np.uint8)
    shade[2, 1, 0] = 200
    other = replace(plain, colours=shade)
    assert np.argwhere(differing(one, other, notes=True)).tolist() == [[2, 1]]
    assert not differing(one, replace(one, title="another"), notes=True).any()
    assert differing(one, plain, notes=True).all()
    assert differing(plain, one, notes=True).all()


@pytest.mark.parametrize("view", ["zero-insertion", "overlap-add"])
def test_what_is_no_longer_kept_is_drawn_again(view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s: Scene = scene(ConvTranspose(2, 2).trace(COUNT[:2, :2], COUNT[:2, :2]), view)
    page = layout(s, 640, 360, arrangement="isometric")
    landed = s.beats.opening + s.beats.each - 1
    tween = Tween(s.frame(landed - 1), s.frame(landed))
    frames = [*(tween.frame(part) for part in (0.2, 0.5, 0.8)), *(s.frame(n) for n in range(s.beats.total))]
    usual = Raster(s, page, load("light"))
    seen = [colours(usual, frame) for frame in frames]
    monkeypatch.setattr(cells, "KEPT", 1)
    monkeypatch.setattr(floats, "KEPT", 1)
    monkeypatch.setattr(paint, "KEPT", 1)
    forgetful = Raster(s, page, load("light"))
    for frame, expected in zip(frames, seen, strict=True):
        np.testing.assert_array_equal(colours(forgetful, frame), expected)
    assert len(forgetful._composer._floats._between) <= 1
    assert len(forgetful._painter._sprites) <= 1


def test_what_won_keeps_a_dashed_frame_inside_its_cell() -> None:
    s = scene(MaxPool(2).trace(COUNT[None]))
    page = layout(s, 1280, 720, arrangement="isometric")
    look = load("light")
    frame = s.frame(s.beats.opening + 2 * s.beats.each - 1)
    (won,) = [(name, o) for name, grid in frame.grids.items() for o in grid.outlines if o.dashed]
    place = tilt(page, won[0])
    ink = look.colour(STROKE[won[1].role])
    inked = (colours(Raster(s, page, look), frame) == ink).all(axis=2)
    cell = filled(page, list(place.corners(*won[1][:4])))
    assert (won[1].top, won[1].left) == (1, 1), "the first window's largest value"
    inner = np.zeros_like(cell)
    (x, y), parts = place.node(1.5, 1.5), 60
    for part in np.linspace(0, 1, parts):  # along a side, at the distance of the dashes
        at = place.node(1.04, 1 + part)
        inner[at[1] - 2 : at[1] + 3, at[0]] = True
    share = (inked & inner & cell).any(axis=0)[inner.any(axis=0)].mean()
    assert 0.3 < share < 0.9, "dashes and gaps"
    assert not inked[y - 8 : y + 8, x - 8 : x + 8].any(), "no dash reaches the number"


def test_a_cell_beside_the_page_is_not_drawn() -> None:
    s = scene(Conv(2).trace(COUNT, COUNT[:2, :2]))
    page = layout(s, 640, 360, arrangement="isometric")
    raster, frame = Raster(s, page, load("light")), s.frame(0)
    before = raster.draw(frame).pixels.copy()
    for far in (-40, 40):
        cell = Float("stage", far, far / 2, Role.DATA, 5, Emphasis.NONE)
        np.testing.assert_array_equal(raster.draw(replace(frame, floats=(cell,))).pixels, before)
    near = Float("stage", 0.5, 0.5, Role.DATA, 5, Emphasis.NONE)
    assert (raster.draw(replace(frame, floats=(near,))).pixels != before).any()

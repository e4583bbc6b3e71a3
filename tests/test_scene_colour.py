"""Pictures in their own colours: input and output cell by cell, and their captions."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool, PixelShuffle
from convanim.page import layout
from convanim.scene import Scene, Shown
from convanim.scene import scene as made
from convanim.scene.frame import COLOURLESS, Grid, Role
from convanim.trace import Trace
from support.scenes import coloured, facts, frames

RED, GREEN, BLUE, WHITE = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]
PICTURE = np.moveaxis(np.array([[RED, GREEN], [BLUE, WHITE]]), -1, 0)
YELLOW, BLACK = [255, 255, 0], [0, 0, 0]


def scene(trace, view=None, **shown):
    """A scene with options."""
    return made(trace, view, Shown(**shown))


def result(s: Scene) -> Grid:
    last = s.frame(s.beats.total - 1)
    return last.grids.get("output") or last.grids["canvas"]


@settings(max_examples=60)
@given(coloured())
def test_the_result_has_the_colours_of_the_output(case: tuple[Trace, Scene]) -> None:
    trace, s = case
    grid = result(s)
    assert grid.colours is not None
    wanted = np.clip(np.rint(trace.answer), 0, 255)
    there = grid.roles != Role.CROPPED
    assert grid.colours[there].T.tolist() == wanted.reshape(3, -1).tolist()


@settings(max_examples=60)
@given(coloured())
def test_every_frame_keeps_its_panels_colours_and_can_be_drawn(case: tuple[Trace, Scene]) -> None:
    _, s = case
    page = layout(s, 1280, 720)
    raster = Raster(s, page, load("light"))
    kept = frames(s)
    told = [facts(f) for f in kept]
    for frame in kept:
        raster.draw(frame)
        assert set(frame.grids) == {p.name for p in s.panels}
        assert len(frame.captions) == s.captions
        for panel in s.panels:
            grid = frame.grids[panel.name]
            assert grid.roles.shape == grid.emphasis.shape == grid.values.shape == panel.shape
            assert grid.title in panel.titles
            if panel.colours is not None and grid.colours is not None:
                known = {tuple(c) for c in panel.colours.tolist()}
                shown = grid.colours[~np.isin(grid.roles, list(COLOURLESS))].reshape(-1, 3)
                assert {tuple(c) for c in shown.tolist()} <= known
    assert [facts(s.frame(i)) for i in reversed(range(s.beats.total))] == told[::-1]
    assert [f.step for f in kept].count(0) == s.beats.opening


def test_stamps_add_their_colours_and_leave_black_where_none_lands() -> None:
    ones = np.ones((3, 1, 3, 3), int)
    colours = result(scene(ConvTranspose(3, 2, groups=3).trace(PICTURE, ones), colours=True)).colours
    assert colours is not None
    assert colours[0, :, :].tolist() == [RED, RED, YELLOW, GREEN, GREEN]
    s = scene(ConvTranspose(1, 2, groups=3).trace(PICTURE, np.ones((3, 1, 1, 1), int)), colours=True)
    stripes = result(s).colours
    assert stripes is not None
    assert stripes[0].tolist() == [RED, BLACK, GREEN]
    assert s.frame(s.beats.total - 1).captions[1].text() == "black where no product lands"


@pytest.mark.parametrize(("saturate", "said"), [(True, "clips at 255"), (False, "its colour stops at 255")])
def test_what_no_colour_has_is_said(saturate: bool, said: str) -> None:
    ones = np.ones((3, 1, 2, 2), int)
    s = scene(Conv(2, groups=3).trace(PICTURE, ones), colours=True, saturate=saturate)
    lines = [c.text() for c in s.frame(s.beats.total - 2).captions]
    assert lines == [f"{c}[0,0] = 255 + 255 = 510   {said}" for c in ("red", "green", "blue")]
    stamps = scene(ConvTranspose(2, groups=3).trace(PICTURE, ones), colours=True, saturate=saturate)
    assert any(f"510 ({said})" in c.text() for f in frames(stamps) for c in f.captions)


ONES = np.ones
KERNELS = ONES((3, 1, 1, 1), int)
REFUSED: list[tuple[Trace, dict[str, Any], str]] = [
    (Conv(2).trace(PICTURE, ONES((3, 3, 2, 2), int)), {"colours": True}, "mixes the channels"),
    (MaxPool(2).trace(ONES((2, 2, 2), int)), {"colours": True}, "2 input and 2 output channels"),
    (MaxPool(2).trace(PICTURE * 2), {"colours": True}, "holds 0 to 510"),
    (PixelShuffle(1).trace(PICTURE), {"colours": True}, "a pixel shuffle cannot be shown in colours"),
    (MaxPool(2).trace(PICTURE), {"saturate": True}, "saturate needs a picture with colours"),
    (
        ConvTranspose(2, groups=3).trace(PICTURE, ONES((3, 1, 2, 2), int)),
        {"view": "both", "colours": True},
        "cannot be shown",
    ),
]


@pytest.mark.parametrize(("trace", "options", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_is_no_picture_is_refused_in_a_sentence(trace: Trace, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(said)) as refusal:
        scene(trace, **options)
    assert refusal.value.hint

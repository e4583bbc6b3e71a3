"""Two tilted planes: nothing overlaps, is cut off or moves; checked by geometry and by rendered pixels."""

from dataclasses import replace
from io import BytesIO
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convanim.animation import Animation
from convanim.draw.compose import Composer
from convanim.draw.raster import Raster, paint
from convanim.draw.theme import fill, load, themes
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Page, Style, Text, Tilt, glyphs, layout
from convanim.page.tilted.isometric import planes
from convanim.page.tilted.stack import hull
from convanim.scene import VIEWS, Scene, scene
from convanim.scene.frame import Emphasis, Role
from convanim.timing.motion import Tween, moving
from convanim.timing.timeline import plan
from support.pages import (
    PAGES,
    attempt,
    check_apart,
    ends,
    filled,
    ink,
    large,
    looked_at,
    meet,
    numbers_of,
    tilts,
    words,
)
from support.scenes import drawn, shown

Pixels = NDArray[np.uint8]
COUNT = np.arange(1, 17).reshape(4, 4)
#: Layers of other ranks, or too large for their page, are filtered out.
FILTERED = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
#: The views in which a window or a stamp visits one plane.
WALKED = {"transposed": VIEWS["transposed"][:2], "conv": VIEWS["conv"][:1]}


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Scenes of two planes, of every kind of layer."""
    if draw(st.integers(0, 3)) == 0:
        _, s = draw(shown(("pool", "unpool", "upsample")))
    else:
        trace = draw(large() | drawn())
        s = scene(trace, draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"])))
    if planes(s) is None:
        reject()
    return s


@st.composite
def tilted(draw: st.DrawFn, pages: tuple[tuple[int, int], ...] = tuple(PAGES)) -> tuple[Scene, Page]:
    s = draw(scenes())
    page, hint = attempt(s, *draw(st.sampled_from(pages)), arrangement="isometric", captions=draw(st.booleans()))
    if page is None:
        assert "smaller input" in hint or "width=" in hint
        reject()
    assume(tilts(page))  # planes of many cells are flat
    return s, page


def inside(place: Tilt, row: int, column: int, x: float, y: float) -> bool:
    """Whether a point is in a cell: on the same side of all its edges."""
    points = place.corners(row, column, row + 1, column + 1)
    turned = [
        (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        for (ax, ay), (bx, by) in zip(points, (*points[1:], points[0]), strict=True)
    ]
    return min(turned) >= 0 or max(turned) <= 0


@settings(FILTERED, max_examples=25)
@given(tilted())
def test_nothing_overlaps_and_nothing_leaves_the_page(case: tuple[Scene, Page]) -> None:
    s, page = case
    two = [ends(place) for place in tilts(page)]
    xs, ys = zip(*(point for polygon in two for point in polygon), strict=True)
    out = page.stroke // 2 + 1
    assert min(xs) >= out and min(ys) >= out and max(xs) <= page.width - out and max(ys) <= page.height - out  # noqa: PT018
    assert not (filled(page, two[0]) & filled(page, two[1])).any(), "the planes meet"
    # There are lines between the planes: texts stay out of the area that they may cross.
    whole = filled(page, hull([point for polygon in two for point in polygon]))
    things = list(words(s, page))
    for name, (top, left, bottom, right) in things:
        assert top >= 0 and left >= 0 and bottom <= page.height and right <= page.width, f"{name}: {s.title}"  # noqa: PT018
        assert not whole[top:bottom, left:right].any(), f"{name} lies on the planes: {s.title}"
    for (a, one), (b, other) in combinations(things, 2):
        assert not meet(one, other), f"{a} {one} and {b} {other} on {page.width}×{page.height}: {s.title}"


@settings(FILTERED, max_examples=15)
@given(tilted())
def test_numbers_and_notes_stay_in_their_cells_and_apart(case: tuple[Scene, Page]) -> None:
    s, page = case
    for place, number, note in numbers_of(s, page):
        if not isinstance(place, Tilt):
            continue
        top, left, _, _ = place.cell(0, 0)
        for text in (number, note):
            if text is None or (text is note and not place.holds(text.text)):  # not shown
                continue
            assert all(inside(place, 0, 0, left + x, top + y) for x, y in inked(text)), f"{text}: {s.title}"
        if note is not None and place.holds(note.text):
            assert not meet(ink(number), ink(note)), f"{number} {note}: {s.title}"


def inked(text: Text) -> list[tuple[float, float]]:
    """The centres of the pixels that a text covers by half or more."""
    line = glyphs.line(text.text, text.size, text.bold)
    rows, columns = np.nonzero(line.coverage > 127)
    return list(zip((columns + text.x + 0.5).tolist(), (rows + text.baseline - line.rise + 0.5).tolist(), strict=True))


@settings(FILTERED, max_examples=10)
@given(tilted(((640, 360), (480, 480))), st.randoms(use_true_random=False), st.sampled_from(themes()))
def test_a_frame_looks_the_same_after_any_other(case: tuple[Scene, Page], random: Any, look: str) -> None:
    s, page = case
    raster = Raster(s, page, load(look))
    assert len(raster.palette.colours) <= 255
    order = [*range(min(3, s.beats.total)), *(random.randrange(s.beats.total) for _ in range(4)), s.beats.total - 1]
    before = None
    for number in order:
        picture = raster.draw(s.frame(number))
        alone = Raster(s, page, load(look)).draw(s.frame(number))
        np.testing.assert_array_equal(picture.pixels, alone.pixels, f"frame {number} after {order}: {s.title}")
        if before is not None:
            top, left, bottom, right = picture.changed
            assert top >= 0 and left >= 0 and bottom <= page.height and right <= page.width  # noqa: PT018
            outside = before != picture.pixels
            outside[top:bottom, left:right] = False
            assert not outside.any(), f"frame {number} after {order}: {s.title}"
        before = picture.pixels.copy()


@settings(FILTERED, max_examples=12)
@given(tilted(((640, 360), (480, 480))), st.sampled_from(themes()))
def test_a_frame_on_the_way_looks_the_same_after_any_other(case: tuple[Scene, Page], look: str) -> None:
    s, page = case
    raster = Raster(s, page, load(look))
    assert len(raster.palette.colours) <= 255
    before = None
    for i, (frame, _) in enumerate(moving(s.frame, plan(s.beats).shots[:8], 160)):
        picture = raster.draw(frame)
        if i % 2:
            alone = Raster(s, page, load(look)).draw(frame)
            np.testing.assert_array_equal(picture.pixels, alone.pixels, f"{i}: {s.title}")
        if before is not None:
            top, left, bottom, right = picture.changed
            assert top >= 0 and left >= 0 and bottom <= page.height and right <= page.width  # noqa: PT018
            outside = before != picture.pixels
            outside[top:bottom, left:right] = False
            assert not outside.any(), f"{i}: {s.title}"
        before = picture.pixels.copy()


@pytest.mark.parametrize("start", [0, 1, 2])
@pytest.mark.parametrize("width", [480, 1280])
def test_what_spreads_or_grows_in_a_plane_begins_and_ends_where_it_stood_and_stands(start: int, width: int) -> None:
    s = scene(ConvTranspose(3, 2, 1).trace(COUNT[:3, :3], COUNT[:3, :3]))
    page = layout(s, width, round(width * 9 / 16), arrangement="isometric")
    before, after = s.frame(start), s.frame(start + 1)
    tween = Tween(before, after)
    assert tween.frame(0.5).floats
    for part, whole in ((1e-9, before), (1 - 1e-9, after)):
        place = page.places["stage"]
        assert isinstance(place, Tilt)
        top, left, bottom, right = place.box
        seen = []
        for frame in (tween.frame(part), whole):
            raster = Raster(s, page, load("light"))
            pixels = raster.palette.colours[raster.draw(frame).pixels][top:bottom, left:right]
            seen.append(pixels.astype(int))
        other = np.abs(seen[0] - seen[1]).max(axis=2) > 24
        # The outer ends of dashes may differ, and hatching behind others shows beside their lines.
        assert other.sum() <= 0.02 * other.size, f"{other.sum()} of {other.size}"


@pytest.mark.parametrize("width", [960, 1280])
def test_a_product_leans_into_the_plane_that_it_lands_on(width: int) -> None:
    s = scene(ConvTranspose(3, 2, 1).trace(COUNT[:3, :3], COUNT[:3, :3]), "overlap-add")
    page = layout(s, width, round(width * 9 / 16), arrangement="isometric")
    landed = s.beats.opening + s.beats.each - 1
    tween = Tween(s.frame(landed - 1), s.frame(landed))
    look = load("light")
    paper = look.colour(fill(Role.PRODUCT, Emphasis.NONE))
    canvas, stamp = page.places["canvas"], page.places["stamp"]
    assert isinstance(canvas, Tilt)

    def papers(part: float) -> NDArray[np.bool_]:
        raster = Raster(s, page, look)
        found: NDArray[np.bool_] = (raster.palette.colours[raster.draw(tween.frame(part)).pixels] == paper).all(axis=2)
        top, left, bottom, right = stamp.box
        found[top:bottom, left:right] = False  # the cell that it has left
        return found

    # It fills the cells that it is added to, except lines and numbers, and nothing beside them.
    window = filled(page, list(canvas.corners(0, 0, 3, 3)))
    there = papers(1 - 1e-9)
    assert not (there & ~window).any()
    assert (there & window).sum() > 0.6 * window.sum()
    # On the way its shape is between both.
    (ax, ay), (dx, dy) = (0.8 * np.array(step) for step in canvas.lattice)
    ax, dy = ax + 0.2 * stamp.pitch, dy + 0.2 * stamp.pitch
    area = 9 * (ax * dy - ay * dx)
    assert 0.6 * area < papers(0.8).sum() < area


def test_a_product_whose_numbers_find_no_room_on_the_way_goes_without() -> None:
    s = scene(ConvTranspose(3, 2).trace(np.arange(81).reshape(9, 9), COUNT[:3, :3]), "overlap-add")
    page = layout(s, 1000, 563, arrangement="isometric")
    assert page.places["stamp"].number
    assert not page.places["canvas"].number
    composer = Composer(page, s.beats.steps)
    landed = s.beats.opening + s.beats.each - 1
    tween = Tween(s.frame(landed - 1), s.frame(landed))
    found = []
    for part in (0.1, 0.5, 0.9):
        flying = [composer._floats.moved(page.places[f.panel], f)[0] for f in tween.frame(part).floats if f.towards]
        assert not any(place.shaded for place in flying), "no shade stands for them, since the panel has numbers"
        found += flying
    assert any(not place.number for place in found)


def test_a_value_on_its_way_passes_over_the_lines() -> None:
    s = scene(MaxPool(2).trace(COUNT[None]))
    page = layout(s, 640, 360, arrangement="isometric")
    written = s.beats.opening + s.beats.each - 1
    tween = Tween(s.frame(written - 1), s.frame(written))
    frame = tween.frame(0.5)
    assert len(frame.floats) == 1
    raster = Raster(s, page, load("light"))
    one, other = (raster.palette.colours[raster.draw(f).pixels] for f in (frame, replace(frame, links=())))
    lines = (one != other).any(axis=2)
    lower, upper = (page.places[panel.name] for panel in planes(s) or ())
    assert isinstance(lower, Tilt)
    assert isinstance(upper, Tilt)
    start, end = lower.corners(1, 1, 2, 2), upper.corners(0, 0, 1, 1)
    cell = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in zip(start, end, strict=True)]
    middle = tuple(sum(at) / 4 for at in zip(*cell, strict=True))
    inner = [(m + 0.9 * (x - m), n + 0.9 * (y - n)) for (x, y), (m, n) in ((corner, middle) for corner in cell)]
    assert lines.any()
    assert not (lines & filled(page, inner)).any()


def test_every_cell_has_the_same_pixels_and_none_has_two_cells() -> None:
    s = scene(Conv(2).trace(COUNT, COUNT[:2, :2]))
    page = layout(s, 640, 360, arrangement="isometric")
    for place in tilts(page):
        seen = np.zeros((page.height, page.width), int)
        mask = paint.inside(place.area, place.inside)[1]
        for row, column in product(*map(range, place.panel.shape)):
            top, left, bottom, right = place.cell(row, column)
            seen[top:bottom, left:right] += mask
        assert seen.max() == 1
        assert seen.sum() == place.panel.values.size * place.lattice.area


@pytest.mark.parametrize("view", WALKED["transposed"])
def test_a_pyramid_leads_from_the_window_to_the_cell(view: str) -> None:
    s = scene(ConvTranspose(3, 2, 1).trace(COUNT, COUNT[:3, :3]), view)
    page = layout(s, 1280, 720, arrangement="isometric", style=Style(numbers=False))
    lower, upper = (page.places[panel.name] for panel in planes(s) or ())
    raster, frame = Raster(s, page, load("light")), s.frame(s.beats.opening + 5 * s.beats.each + s.beats.each - 1)
    one, other = (raster.palette.colours[raster.draw(f).pixels] for f in (frame, replace(frame, links=())))
    lines = (one != other).any(axis=2)
    around = filled(page, hull(ends(upper) + ends(lower)))
    around |= np.roll(around, 2, 0) | np.roll(around, -2, 0)  # half of an edge may lie outside
    assert not (lines & ~around).any()
    (link,) = frame.links
    window = page.places[link.panel].corners(*link.window[:4])
    cell = page.places[link.other].corners(*link.cell, *(at + 1 for at in link.cell))
    whole = filled(page, hull([*window, *cell]))
    assert (lines & whole).sum() > 0.5 * whole.sum() - filled(page, list(window)).sum()
    for (ax, ay), (bx, by) in zip(window, cell, strict=True):  # each edge is there, from one end to the other
        for part in np.linspace(0.1, 0.9, 9):
            x, y = round(ax + (bx - ax) * part), round(ay + (by - ay) * part)
            assert lines[y - 2 : y + 3, x - 2 : x + 3].any()


def test_words_and_what_is_looked_up_stay_where_they_are() -> None:
    s = scene(Conv(3).trace(COUNT, COUNT[:3, :3]))  # every factor is part of every sum
    page = layout(s, 640, 360, arrangement="isometric")
    raster = Raster(s, page, load("dark"))
    top, left, bottom, right = page.places["kernel"].box
    seen = [raster.draw(frame).pixels[top:bottom, left:right].copy() for frame in looked_at(s) if frame.links]
    assert all((one == seen[0]).all() for one in seen)


def test_a_page_too_small_is_refused_with_one_that_would_do() -> None:
    s = scene(Conv(2).trace(np.ones((20, 20), int), [[1, 1], [1, 1]]))
    with pytest.raises(ConvanimError, match="does not fit") as refusal:
        layout(s, 160, 120, arrangement="isometric")
    width = int(refusal.value.hint.split("width=")[1].split()[0].strip(","))
    assert layout(s, width, round(width * 3 / 4), arrangement="isometric").links == "planes"


@pytest.mark.parametrize(
    ("side", "size", "tilted"),
    [
        (28, (1280, 720), True),
        (28, (480, 270), False),
        (64, (1280, 720), False),
        (224, (1280, 720), False),
        (600, (640, 360), False),
    ],
)
def test_planes_of_many_cells_are_flat_where_tilted_ones_are_too_small(
    side: int, size: tuple[int, int], tilted: bool
) -> None:
    s = scene(ConvTranspose(3).trace(np.arange(side**2).reshape(side, side) % 9, COUNT[:3, :3]))
    page = layout(s, *size, arrangement="isometric")
    assert page.links == ("planes" if tilted else "")
    assert all(page.places[name].tilted == tilted for name in ("stage", "output"))
    if not tilted:
        flat = layout(s, *size)
        assert [place.box for place in page.places.values()] == [place.box for place in flat.places.values()]
    animation = Animation(s.traces[0], width=size[0], height=size[1], layout="isometric", select="0")
    told = animation.save(BytesIO(), "gif").fitted
    assert ("planes are drawn flat" in told) == (not tilted)


@pytest.mark.parametrize(
    "s",
    [
        scene(Conv(2).trace([1, 2, 3], [1, 1])),
        scene(ConvTranspose(2).trace(COUNT, COUNT[:2, :2]), "both"),
        scene(MaxPool(2).trace(np.ones((2, 4, 4)))),
        scene(Conv(2).trace(COUNT, COUNT[:2, :2]), "matrix"),
    ],
    ids=["one axis", "two ways", "channels", "a matrix"],
)
def test_other_scenes_are_refused(s: Scene) -> None:
    assert planes(s) is None
    with pytest.raises(ConvanimError, match="one input plane"):
        layout(s, 1280, 720, arrangement="isometric")


def test_flat_pages_are_as_before() -> None:
    s = scene(Conv(2).trace(COUNT, COUNT[:2, :2]))
    page = layout(s, 640, 360)
    assert (page.links, tilts(page)) == ("", [])
    check_apart(s, page)


def test_a_style_without_shades_has_none_beside_the_planes_either() -> None:
    s = scene(Conv(2).trace(COUNT, COUNT[:2, :2]))
    page = layout(s, 640, 360, arrangement="isometric", style=Style(shades=False, numbers=False))
    assert [name for name, place in page.places.items() if place.shaded] == []

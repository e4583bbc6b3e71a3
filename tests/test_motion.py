"""Motion: the frames between two frames, drawn, timed and written; and files below a size limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from convanim.animation import Animation
from convanim.draw.compose import Composer
from convanim.draw.raster import Raster
from convanim.draw.shapes import Stroke
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool, MaxUnpool, PixelShuffle
from convanim.page import Page, layout
from convanim.page.lens import magnified
from convanim.scene import VIEWS, Scene, scene
from convanim.scene.frame import Emphasis, Float, Frame, Role, Turn
from convanim.timing import budget
from convanim.timing.budget import SMALL, fitted, read_size, rungs, smooth_if_small, told
from convanim.timing.motion import Tween, moving
from convanim.timing.motion.paths import route
from convanim.timing.pace import REST, Shot
from convanim.timing.timeline import MOTION, eased, plan
from convanim.write.formats import MOVING
from support.commands import run
from support.decoders import decode_pillow, picture_at
from support.scenes import shown, small

MANY = settings(max_examples=20)
UP = ConvTranspose(3, 2, 1).trace(np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A scene of any kind of layer, in any of its views."""
    if draw(st.booleans()):
        return draw(shown())[1]
    trace = draw(small(most=3))
    try:
        return scene(trace, draw(st.sampled_from(VIEWS["transposed" if trace.op.transposed else "conv"])))
    except ConvanimError:  # not all layers have all views
        reject()


def neighbours(s: Scene, most: int = 12) -> Iterator[tuple[Frame, Frame]]:
    """Consecutive frames: the opening, the first placements, and the end."""
    total = s.beats.total
    numbers = {*range(min(most, total - 1)), *range(max(0, total - 4), total - 1)}
    return ((s.frame(n), s.frame(n + 1)) for n in sorted(numbers))


def way(s: Scene, start: int) -> Tween:
    return Tween(s.frame(start), s.frame(start + 1))


def pixels(s: Scene, frame: Frame) -> Any:
    return Raster(s, layout(s, 1280, 720), load("light")).draw(frame).pixels


# --- what moves ----------------------------------------------------------------------------------------------------


def test_the_input_spreads_and_zeros_come_out_from_between() -> None:
    s = scene(UP)
    halfway = way(s, 0).frame(0.5)
    at = {f.value: (f.row, f.column) for f in halfway.floats if f.role == Role.DATA}
    together, apart = s.frame(0).grids["stage"], s.frame(1).grids["stage"]
    for value in range(1, 10):
        (here,), (there,) = (np.argwhere((g.values == value) & (g.roles == Role.DATA)) for g in (together, apart))
        assert at[value] == tuple((here + there) / 2)
    first_data = next(i for i, f in enumerate(halfway.floats) if f.role == Role.DATA)
    assert {f.role for f in halfway.floats[:first_data]} == {Role.INSERTED}, "zeros lie under the values"
    assert not (halfway.grids["stage"].roles != Role.NONE).any()


def test_a_ring_comes_out_from_under_what_it_lies_around() -> None:
    s = scene(UP)
    tween = way(s, 2)
    ring = tween.frame(0.25).floats
    assert len(ring) == 24
    assert all(f.under and f.role == Role.PADDING for f in ring)
    assert min(f.row for f in ring) == 0.75
    assert max(f.column for f in ring) == 5.25
    assert tween.frame(0.25).grids["stage"].roles[0, 0] == Role.NONE
    assert s.frame(3).grids["stage"].roles[0, 0] == Role.PADDING, "the scene's own frame stays as it is"


def turned(s: Scene, page: Page, frame: Frame) -> list[list[tuple[float, float]]]:
    """The corners of the turning cells of a frame, px."""
    shapes = Composer(page, s.beats.steps).over(magnified(page, frame))
    return [list(shape.lines[0][:-1]) for shape in shapes if isinstance(shape, Stroke) and shape.filled]


@pytest.mark.parametrize("options", [{}, {"width": 480, "height": 270}, {"arrangement": "isometric"}])
def test_a_kernel_turns_as_one_block_that_shrinks_only_where_there_is_no_room(options: dict[str, Any]) -> None:
    s = scene(UP)
    page = layout(s, **{"width": 1280, "height": 720} | options)
    first, last = s.frame(4), s.frame(6)
    assert (first.grids["kernel"].title, last.grids["kernel"].title) == ("kernel", "kernel, turned")
    tween = Tween(first, last)
    assert [f.value for f in tween.frame(0.5).floats] == list(range(1, 10))
    at_rest = np.array(turned(s, page, tween.frame(1e-9))).reshape(-1, 2)
    place = page.places["kernel"]
    box, half = place.box, (place.panel.shape[0] * place.pitch - place.line) / 2
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    others = [other.box for name, other in page.places.items() if name != "kernel"]
    room = min(max(b.left - x, x - b.right, b.top - y, y - b.bottom) for b in others) - 2
    assert (np.abs(at_rest.min(axis=0) - (box.left, box.top)) < 12).all(), (
        "round corners are drawn around the corners of the line"
    )
    for part in np.linspace(0.01, 0.99, 33):
        now = np.array(turned(s, page, tween.frame(part))).reshape(-1, 2)
        for some in (at_rest, now):
            np.testing.assert_allclose(some.mean(axis=0), at_rest.mean(axis=0), atol=1e-6)
        # All distances within the block stay as they are, or become smaller alike where it would touch another grid.
        apart, wanted = (np.linalg.norm(some[:, None] - some[None], axis=2) for some in (now, at_rest))
        reach = half * (abs(np.cos(np.pi * part)) + abs(np.sin(np.pi * part)))
        np.testing.assert_allclose(apart, min(1, room / reach) * wanted, atol=1e-6)
        angle = np.arctan2(*(now[3] - now[0])[::-1]) - np.arctan2(*(at_rest[3] - at_rest[0])[::-1])
        assert np.cos(angle) == pytest.approx(np.cos(np.pi * part), abs=1e-6)


@MANY
@given(st.tuples(st.integers(1, 6), st.integers(1, 6)), st.sampled_from(["auto", "isometric"]), st.floats(0.05, 0.95))
def test_a_turning_kernel_of_any_shape_touches_nothing(kernel: tuple[int, int], name: str, part: float) -> None:
    assume(max(kernel) > 1)
    s = scene(ConvTranspose(kernel, 2).trace(np.ones((3, 3), int), np.ones(kernel, int)))
    page = layout(s, 1280, 720, **({} if name == "auto" else {"arrangement": name}))
    first = next(n for n in range(s.beats.opening) if s.frame(n).grids["kernel"].turn == Turn.ROTATED) - 1
    before = next(s.frame(n) for n in range(first, -1, -1) if s.frame(n).grids["kernel"].turn == Turn.GIVEN)
    cells = np.array(turned(s, page, Tween(before, s.frame(first + 1)).frame(part)))
    assert len(cells) == np.prod(kernel)
    low, high = cells.reshape(-1, 2).min(axis=0), cells.reshape(-1, 2).max(axis=0)
    assert (low >= 0).all()
    assert (high <= (page.width, page.height)).all()
    others = [place.hull(0, 0, *place.panel.shape) for other, place in page.places.items() if other != "kernel"]
    others += [
        ((d.left, d.top), (d.right, d.top), (d.right, d.bottom), (d.left, d.bottom))
        for d in (tab.dot for tab in page.tabs)
    ]
    block = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
    for other in map(np.array, others):
        sides = np.roll(other, -1, axis=0) - other
        axes = [*(sides[:, ::-1] * (1, -1)), np.array((1, 0)), np.array((0, 1))]
        along = [(block @ axis, other @ axis) for axis in axes]
        assert any(a.max() <= b.min() or b.max() <= a.min() for a, b in along)


def test_the_mirrored_kernel_is_a_part_of_the_turn() -> None:
    s = scene(UP)
    p = plan(s.beats)
    titles = {f.grids["kernel"].title for f, _ in moving(s.frame, p.shots, MOVING)}
    assert titles == {"kernel", "", "kernel, turned"}, "its corners pass over the title"
    assert {s.frame(n).grids["kernel"].title for n in range(7)} == {"kernel", "kernel, mirrored", "kernel, turned"}


def test_a_line_is_turned_before_anything_slides() -> None:
    s = scene(ConvTranspose(3, 2).trace([1, 2, 3], [1, 2, 3]))
    for frame, _ in moving(s.frame, plan(s.beats).shots, MOVING):
        if frame.floats and frame.floats[0].panel == "kernel":
            assert frame.step == 0


def test_a_window_slides_and_lights_what_it_passes() -> None:
    s = scene(Conv(3).trace(np.arange(25).reshape(5, 5), np.ones((3, 3), int)))
    tween = way(s, s.beats.opening + 1)
    frame = tween.frame(0.25)
    (window,) = frame.grids["stage"].outlines
    assert (window.left, window.across, window.down) == (1, -0.75, 0)
    cells, notes = ([f for f in frame.floats if (f.role == Role.NONE) == alone] for alone in (False, True))
    assert {(f.row, f.column) for f in cells} == {(r, c) for r in range(3) for c in range(4)}
    assert {f.emphasis for f in cells} == {Emphasis.ACTIVE}
    assert {f.clip for f in cells} == {(0, 0.25, 3, 3.25)}
    assert [(f.row, f.column, f.note) for f in notes] == [(r, c + 0.25, "×1") for r in range(3) for c in range(3)]
    assert not frame.grids["stage"].emphasis.any()
    (cell,) = frame.grids["output"].outlines
    assert (cell.left, cell.across) == (1, -0.75)


def test_factors_do_not_cross_the_numbers_on_the_way_to_another_row() -> None:
    s = scene(Conv(3).trace(np.arange(25).reshape(5, 5), np.ones((3, 3), int)))
    floats = way(s, s.beats.opening + 5).frame(0.5).floats
    assert {f.clip for f in floats} == {(0.5, 1, 3.5, 4)}
    assert not any(f.note for f in floats)


def test_a_window_with_gaps_lights_only_its_taps() -> None:
    s = scene(Conv(2, dilation=2).trace(np.arange(25).reshape(5, 5), np.ones((2, 2), int)))
    clips = {f.clip for f in way(s, s.beats.opening + 1).frame(0.5).floats if f.role != Role.NONE}
    assert clips == {(r, c + 0.5, r + 1, c + 1.5) for r in (0, 2) for c in (0, 2)}


def test_what_is_written_in_a_cell_stays_while_a_window_passes_over_it() -> None:
    pool = MaxPool(2).trace(np.arange(16).reshape(1, 4, 4))
    s = scene(MaxUnpool(2).trace(pool))
    tween = way(s, s.beats.opening + s.beats.each - 1)
    frame = tween.frame(0.5)
    name = next(f.panel for f in frame.floats)
    notes = tween.after.grids[name].notes
    assert notes
    assert frame.grids[name].notes == notes
    assert {(f.row, f.column): f.note for f in frame.floats} == {cell: notes[cell] for cell in ((0, 0), (0, 1))}


def test_a_product_lands_on_the_canvas() -> None:
    s = scene(UP, "overlap-add")
    frame = way(s, 2).frame(0.5)
    assert [f.towards for f in frame.floats] == [("canvas", r, c) for r in range(3) for c in range(3)]
    assert [f.value for f in frame.floats] == list(range(1, 10))
    assert {(f.panel, f.role) for f in frame.floats} == {("stamp", Role.PRODUCT)}
    assert (frame.grids["canvas"].roles == Role.PENDING).all(), "it is added when it has landed"
    assert not frame.grids["canvas"].emphasis.any()


def test_the_stamp_before_is_at_rest_while_the_next_one_flies() -> None:
    s = scene(Conv(3, 2, 1).trace(np.arange(25).reshape(5, 5), np.ones((3, 3), int)), "backward")
    for before, after in neighbours(s, 60):
        frame = Tween(before, after).frame(0.5)
        if any(f.towards for f in frame.floats):
            assert all((g.roles != Role.OVERLAP).all() and not g.notes for n, g in frame.grids.items() if "canvas" in n)
            assert any((g.roles == Role.OVERLAP).any() for g in after.grids.values()) or after.step == 1


def test_a_product_lands_beside_the_window_that_slides() -> None:
    s = scene(UP, "both")
    landing = [t for t in (Tween(a, b) for a, b in neighbours(s, 60)) if any(f.towards for f in t.frame(0.5).floats)]
    assert len(landing) == 9


@pytest.mark.parametrize(
    ("trace", "panel"),
    [
        (MaxPool(2).trace(np.arange(16).reshape(4, 4)), "stage"),
        (PixelShuffle(2).trace(np.arange(16).reshape(4, 2, 2)), "input 1"),
    ],
)
def test_a_value_that_is_taken_over_is_carried(trace: Any, panel: str) -> None:
    s = scene(trace)
    carried = [f for a, b in neighbours(s) for f in Tween(a, b).frame(0.5).floats if f.towards]
    assert panel in {f.panel for f in carried}
    assert {f.towards[0] for f in carried if f.towards} == {"output"}


def test_a_kernel_of_one_carries_nothing() -> None:
    s = scene(Conv(1).trace([[1, 2], [3, 4]], [[1]]))
    assert not any(f.towards for a, b in neighbours(s) for f in Tween(a, b).frame(0.5).floats)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ([(0, 0), (0, 1), (1, 0), (1, 1)], [(0, 0), (1, 0), (2, 0), (3, 0)]),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], [(0, 0), (0, 1), (0, 2), (0, 3)]),
        ([(0, 2), (4, 1)], [(3, 3), (7, 2)]),
    ],
)
def test_cells_that_fly_together_never_meet(starts: list[tuple[int, int]], ends: list[tuple[int, int]]) -> None:
    way = route(starts, ends)
    assert way is not None
    assert (way(0), way(1)) == ((0, 0), (1, 1))
    for part in np.linspace(0, 1, 41):
        now = np.array(starts) + (np.array(ends) - starts) * way(part)
        for a, b in combinations(now.tolist(), 2):
            assert max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 1 - 1e-9


def test_cells_that_would_have_to_pass_through_each_other_do_not_fly() -> None:
    assert route([(0, 0), (0, 1)], [(0, 1), (0, 0)]) is None


def covered(grid: Any, floats: list[Float]) -> tuple[Any, Any]:
    """How many cells of a panel cover each point, ten to a cell and side, and how many of them are data."""
    rows, columns = grid.roles.shape
    y, x = (np.arange(10 * n) / 10 + 0.05 for n in (rows, columns))
    count = np.repeat(np.repeat(grid.roles != Role.NONE, 10, 0), 10, 1).astype(int)
    data = np.zeros_like(count)
    for f in floats:
        top, left, bottom, right = f.clip or (0, 0, rows, columns)
        seen_rows = (y >= max(f.row, top) - 1e-9) & (y < min(f.row + 1, bottom) - 1e-9)
        seen_columns = (x >= max(f.column, left) - 1e-9) & (x < min(f.column + 1, right) - 1e-9)
        count += np.outer(seen_rows, seen_columns)
        if f.role == Role.DATA:
            data += np.outer(seen_rows, seen_columns)
    return count, data


def full(grid: Any) -> bool:
    there = grid.roles != Role.NONE
    return bool(there[np.ix_(there.any(axis=1), there.any(axis=0))].all())


@MANY
@given(scenes(), st.floats(0.02, 0.98))
def test_no_tween_has_gaps_or_overlapping_values(s: Scene, part: float) -> None:
    for before, after in neighbours(s, 10):
        frame = Tween(before, after).frame(part)
        for name, grid in frame.grids.items():
            floats = [f for f in frame.floats if f.panel == name and f.role != Role.NONE]
            if any(f.turn for f in floats):
                assert all(f.turn == floats[0].turn for f in floats)
                continue
            flying, own = [f for f in floats if f.towards], [f for f in floats if not f.towards]
            for a, b in combinations(flying, 2):
                assert a.towards is not None
                assert b.towards is not None
                parts = [
                    here + (there - here) * p
                    for here, there, p in (
                        (a.row - b.row, a.towards[1] - b.towards[1], a.part[0]),
                        (a.column - b.column, a.towards[2] - b.towards[2], a.part[1]),
                    )
                ]
                assert a.towards[0] != b.towards[0] or max(map(abs, parts)) > 1 - 1e-9
            if name in before.grids and full(before.grids[name]) and full(after.grids[name]):
                count, data = covered(grid, own)
                assert data.max(initial=0) <= 1 or any(f.clip for f in own), "a value lies on another one"
                shown = np.ix_(count.any(axis=1), count.any(axis=0))
                assert count[shown].all(), "there is a gap between the cells"


# --- how it is drawn -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 1, 2])
@pytest.mark.parametrize("width", [1280, 480])
def test_what_spreads_or_grows_begins_and_ends_where_it_stood_and_stands(start: int, width: int) -> None:
    s = scene(UP)
    page = layout(s, width, width * 9 // 16)
    box = page.places["stage"].box
    where = np.s_[box.top : box.bottom, box.left : box.right]
    tween = way(s, start)
    assert tween.moves
    assert tween.frame(0) is tween.before
    assert tween.frame(1) is tween.after
    for part, end in ((1e-9, tween.before), (1 - 1e-9, tween.after)):
        raster = Raster(s, page, load("light"))
        drawn, wanted = (raster.draw(f).pixels[where].copy() for f in (tween.frame(part), end))
        # Where a dashed line ends on a solid one, either may be in front.
        lines = [raster.palette.solid("line"), raster.palette.solid("dash")]
        crossing = np.isin(wanted, lines) & np.isin(drawn, lines)
        assert ((drawn == wanted) | crossing).all()


def test_a_turn_begins_and_ends_where_the_kernel_stood_and_stands() -> None:
    s = scene(UP)
    box = layout(s, 1280, 720).places["kernel"].box
    tween = Tween(s.frame(4), s.frame(6))
    for part, end in ((1e-9, tween.before), (1 - 1e-9, tween.after)):
        drawn, wanted = pixels(s, tween.frame(part)), pixels(s, end)
        where = np.s_[box.top : box.bottom, box.left : box.right]
        np.testing.assert_array_equal(drawn[where], wanted[where])


@MANY
@given(scenes(), st.floats(0.05, 0.95))
def test_what_stays_stays_and_nothing_leaves_the_page(s: Scene, part: float) -> None:
    try:
        page = layout(s, 1280, 720)
    except ConvanimError:
        assume(False)
    for before, after in neighbours(s, 6):
        tween = Tween(before, after)
        frame = tween.frame(part)
        assert (frame.captions, frame.phase, frame.step) == (after.captions, after.phase, after.step)
        for f in frame.floats:
            top, left = page.places[f.panel].at(f.row, f.column)
            # Clipped cells are limited by their clip, which is inside the panel.
            if f.clip is None:
                assert 0 <= top < page.height
                assert 0 <= left < page.width
            else:
                rows, columns = frame.grids[f.panel].roles.shape
                assert 0 <= f.clip[0] < f.clip[2] <= rows
                assert 0 <= f.clip[1] < f.clip[3] <= columns
            if f.towards is not None:
                assert f.towards[0] in page.places
        # Panels without motion, and all texts, are those of the second frame.
        drawn, wanted = (pixels(s, replace(f, links=())) for f in (frame, after))  # the way to a cell moves with it
        for name, place in page.places.items():
            moved = frame.grids[name] is not after.grids[name] or any(f.panel == name for f in frame.floats)
            if moved or any(f.towards for f in frame.floats):
                margin = page.stroke
                box = place.box
                drawn[box.top - margin : box.bottom + margin, box.left - margin : box.right + margin] = 0
                wanted[box.top - margin : box.bottom + margin, box.left - margin : box.right + margin] = 0
        if not any(f.towards for f in frame.floats) and not any(
            frame.grids[n].title != after.grids[n].title for n in page.places
        ):
            np.testing.assert_array_equal(drawn, wanted)


@MANY
@given(scenes(), st.sampled_from(["light", "dark"]))
def test_a_frame_on_the_way_looks_the_same_after_any_other(s: Scene, look: str) -> None:
    try:
        page = layout(s, 1280, 720)
    except ConvanimError:
        assume(False)
    raster = Raster(s, page, load(look))
    shots = plan(s.beats).shots[:9]
    before = None
    for i, (frame, _) in enumerate(moving(s.frame, shots, 160)):
        picture = raster.draw(frame)
        if i % 3 == 0:
            alone = Raster(s, page, load(look)).draw(frame).pixels
            np.testing.assert_array_equal(picture.pixels, alone)
        if before is not None:
            changed = np.argwhere(before != picture.pixels)
            top, left, bottom, right = picture.changed
            assert 0 <= top <= bottom <= page.height
            assert 0 <= left <= right <= page.width
            if len(changed):
                assert (changed.min(axis=0) >= (top, left)).all()
                assert (changed.max(axis=0) < (bottom, right)).all()
        before = picture.pixels.copy()


# --- when ----------------------------------------------------------------------------------------------------------


@given(st.integers(2, 500).map(lambda n: 10 * n), st.sampled_from([40, 80, 120, 160]))
def test_the_parts_of_a_motion(milliseconds: int, tick: int) -> None:
    parts = eased(milliseconds, tick)
    assert len(parts) * tick <= max(0, min(MOTION, milliseconds - REST))
    assert all(0 < part < 1 for part in parts)
    assert parts == sorted(set(parts))
    np.testing.assert_allclose(np.array(parts) + parts[::-1], 1)


@MANY
@given(scenes(), st.sampled_from([0, 40, 80, 160]), st.sampled_from([None, 0.1, 0.3, 0.9]))
def test_what_is_on_the_way_takes_no_time_of_its_own(s: Scene, tick: int, pace: float | None) -> None:
    p = plan(s.beats, seconds_per_step=pace)
    few = p.shots[:14]
    told_of = list(moving(s.frame, few, tick))
    assert sum(ms for _, ms in told_of) == sum(shot.milliseconds for shot in few)
    assert all(ms >= 20 for _, ms in told_of)
    rest = [frame for frame, _ in told_of if not frame.floats and not any(_moved(frame))]
    assert len(rest) in (len(few), len(few) - 1), "every frame is seen at rest, but for one that a turn passes through"
    if not tick:
        assert len(told_of) == len(few)


def _moved(frame: Frame) -> Iterator[bool]:
    return (bool(o.down or o.across) for grid in frame.grids.values() for o in grid.outlines)


def test_a_gif_shows_at_each_time_what_is_planned(tmp_path: Path) -> None:
    a = UP.animate(width=480, motion="smooth")
    saved = a.save(tmp_path / "up.gif")
    clip = decode_pillow(tmp_path / "up.gif")
    assert sum(ms for _, ms in clip) == round(1000 * a.plan.seconds) == round(1000 * saved.seconds)
    raster, end = Raster(a.scene, a.page, a.theme), 0
    assert len(clip) <= saved.frames
    for frame, ms in moving(a.scene.frame, a.plan.shots, MOVING):
        end += ms
        wanted = raster.palette.colours[raster.draw(frame).pixels]
        np.testing.assert_array_equal(picture_at(clip, end - 1), wanted)
        np.testing.assert_array_equal(picture_at(clip, end - ms), wanted)


def test_files_without_time_have_whole_frames_only(tmp_path: Path) -> None:
    for name in ("a.txt", "a.png"):
        for motion in ("step", "smooth"):
            UP.animate(width=640, motion=motion, made_by="a test").save(tmp_path / f"{motion}-{name}")
        assert (tmp_path / f"step-{name}").read_bytes() == (tmp_path / f"smooth-{name}").read_bytes()


def test_an_unknown_motion() -> None:
    with pytest.raises(ConvanimError, match="motion 'smoth' is not known; did you mean smooth"):
        UP.animate(motion="smoth")
    with pytest.raises(ConvanimError, match="use auto or step or smooth"):
        UP.animate(motion=3)


# --- how much it may weigh -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "size"),
    [("1MB", 10**6), ("500KB", 500_000), ("2 MB", 2 * 10**6), ("1.1mb", 1_100_000), ("3KiB", 3072), ("700", 700)],
)
def test_sizes(typed: str, size: int) -> None:
    assert read_size(typed) == read_size(size) == read_size(told(size)) == size


@pytest.mark.parametrize("typed", ["", "MB", "-1KB", "1XB", "1,5MB", "0", "0.0001KB", "1e3", "٣KB", True, 1.5, []])
def test_no_sizes(typed: Any) -> None:
    with pytest.raises(ConvanimError, match="write it like"):
        read_size(typed)


@settings(max_examples=8)
@given(small(most=3), st.sampled_from(["step", "smooth"]), st.integers(1, 100_000))
def test_a_file_keeps_its_size_or_the_size_that_is_named_works(trace: Any, motion: str, most: int) -> None:
    def save(size: int) -> int:
        file = BytesIO()
        saved = Animation(trace, width=320, motion=motion, max_size=size).save(file, "gif")
        assert len(file.getvalue()) == saved.size <= size
        assert bool(saved.given_up) == (saved.size < whole)
        return saved.size

    free = BytesIO()
    try:
        whole = Animation(trace, width=320, motion=motion).save(free, "gif").size
    except ConvanimError:  # the page is too small
        assume(False)
    try:
        save(most)
    except ConvanimError as error:
        named = read_size(error.hint.split(" or more")[0].removeprefix("use "))
        assert most < named
        assert save(named) <= named
    assert save(whole) == whole


def test_the_rate_goes_first_then_what_is_on_the_way_then_placements() -> None:
    trace = ConvTranspose(2).trace([[1, 2], [3, 4]], [[1, 2], [3, 4]])
    sizes: dict[str, int] = {}
    limit = 10**9
    while True:
        try:
            saved = trace.animate(motion="smooth", width=320, max_size=limit).save(BytesIO(), "gif")
        except ConvanimError:
            break
        sizes[saved.given_up.split(" to stay")[0]] = saved.left_out
        limit = saved.size - 1
    names = list(sizes)
    alone = "no tweens, one frame for each placement"
    rates = [f"{rate} frames a second" for rate in ("16.7", "12.5", "8.33")]
    assert names[:6] == ["", *rates, "no tweens", alone]
    assert set(names[6:]) == {f"{alone}, fewer placements"}
    assert sizes[names[-1]] == 8, "the last placement is always shown"


def test_selected_frames_are_not_left_out() -> None:
    with pytest.raises(ConvanimError, match="is too small: this file needs at least"):
        UP.animate(select="0..9", width=480, max_size=5000).save(BytesIO(), "gif")


def test_rungs_leave_the_opening_and_the_end() -> None:
    s = scene(UP)
    p = plan(s.beats)
    for rung in rungs(rungs_start := next(rungs(_asked(p), None)), s.beats):
        numbers = [shot.frame for shot in rung.plan.shots]
        assert numbers == sorted(numbers)
        assert numbers[: s.beats.opening] == list(range(s.beats.opening))
        assert numbers[-2:] == [s.beats.total - 2, s.beats.total - 1]
    assert rungs_start.plan is p


def _asked(p: Any) -> Any:
    from convanim.timing.budget import Rung

    return Rung(p, MOVING)


def test_the_first_rung_that_fits_is_taken() -> None:
    asked = _asked(plan(scene(UP).beats))
    tried: list[int] = []

    def write(rung: Any, file: Any) -> tuple[int, float]:
        tried.append(rung.tick)
        file.write(bytes(1000 if rung.tick < 80 else 500))
        return 3, 1.5

    assert fitted(600, asked, None, write).rung.tick == 80
    assert tried == [40, 60, 80]


def test_a_file_is_written_once_if_it_is_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _asked(plan(scene(UP).beats))

    def write(rung: Any, file: Any) -> tuple[int, float]:
        file.write(b"12345")
        file.write(b"67890")
        return 3, 1.5

    assert fitted(10, asked, None, write).data == smooth_if_small(asked, write).data == b"1234567890"
    monkeypatch.setattr(budget, "KEPT", 9)
    assert fitted(10, asked, None, write) == budget.Fitted(asked, None, 3, 1.5)
    monkeypatch.setattr(budget, "SMALL", 9)
    assert (smooth_if_small(asked, write).data, smooth_if_small(asked, write).rung.tick) == (None, 0)


def written(kind: str, **look: Any) -> tuple[bytes, str]:
    file = BytesIO()
    saved = UP.animate(width=400, made_by="a test", **look).save(file, kind)
    return file.getvalue(), saved.given_up


@pytest.mark.parametrize("kind", ["gif", "webp", "apng"])
def test_a_small_file_moves_and_a_large_one_does_not(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (smooth, _), (step, _) = (written(kind, motion=motion) for motion in ("smooth", "step"))
    assert len(step) < len(smooth) < SMALL
    assert written(kind) == written(kind, motion="auto") == (smooth, "")
    monkeypatch.setattr(budget, "SMALL", len(smooth))
    assert written(kind) == (smooth, "")
    monkeypatch.setattr(budget, "SMALL", len(smooth) - 1)
    data, given_up = written(kind)
    assert data == step
    assert "--motion smooth" in given_up
    assert written(kind, motion="smooth") == (smooth, "")


def test_a_size_limit_replaces_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "SMALL", 100)
    smooth, _ = written("gif", motion="smooth")
    assert written("gif", max_size=len(smooth)) == (smooth, "")
    less, given_up = written("gif", max_size=len(smooth) - 1)
    assert given_up.startswith("16.7 frames a second to stay under")
    assert len(less) < len(smooth)


def test_progress_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "SMALL", 20_000)
    told_of: list[tuple[int, int]] = []
    UP.animate(width=400).save(BytesIO(), "gif", progress=lambda *now: told_of.append(now))
    assert told_of == sorted(told_of)
    assert told_of[-1][0] == told_of[-1][1]


def test_selected_frames_do_not_move_unless_it_is_asked_for() -> None:
    assert written("gif", select="0..5") == written("gif", select="0..5", motion="step")
    assert len(written("gif", select="0..5", motion="smooth")[0]) > len(written("gif", select="0..5")[0])


def test_a_video_always_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr(budget, "SMALL", 100)
    assert written("mp4") == written("mp4", motion="smooth")


def test_both_files_of_a_pair_move_or_none_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pair(**look: Any) -> tuple[list[int], set[str]]:
        # Between planes each theme mixes other colours, so that the sizes differ.
        made = UP.animate(width=400, layout="isometric", **look).save_pair(tmp_path / "a.gif")
        sizes = [(tmp_path / f"a-{theme}.gif").stat().st_size for theme in ("light", "dark")]
        assert sizes == [made.light.size, made.dark.size]
        return sizes, {made.light.given_up, made.dark.given_up}

    smooth, _ = pair(motion="smooth")
    step, _ = pair(motion="step")
    assert pair() == (smooth, {""})
    asked: list[Any] = []

    def only_the_first_is_small(rung: Any, write: Any) -> Any:
        asked.append(rung)
        monkeypatch.setattr(budget, "SMALL", [10**9, 100][len(asked) - 1])
        return smooth_if_small(rung, write)

    monkeypatch.setattr("convanim.animation.smooth_if_small", only_the_first_is_small)
    sizes, words = pair()
    assert sizes == step
    assert len(asked) == 2
    assert all("--motion smooth" in given_up for given_up in words)


def test_nothing_is_written_that_is_too_large(tmp_path: Path) -> None:
    for name in ("a.gif", "a.png", "a.txt"):
        with pytest.raises(ConvanimError, match=r"use .* or more"):
            UP.animate(width=640, max_size="1KB").save(tmp_path / name)
    with pytest.raises(ConvanimError, match="max size cannot be combined with"):
        UP.animate(max_size="1KB").save(tmp_path / "a.json")
    with pytest.raises(ConvanimError, match=r"use .* or more"):
        UP.animate(width=640, max_size="1KB").save(tmp_path / "a-%d.png")
    assert not list(tmp_path.iterdir())


def test_at_the_shell(tmp_path: Path) -> None:
    words = ["transposed", "--input", "3x3", "--kernel", "3x3", "--stride", "2", "--width", "480", "--motion", "smooth"]

    def smooth(*more: str) -> Any:
        return run(*words, *more)

    assert smooth("-o", str(tmp_path / "a.gif")).code == 0
    size = (tmp_path / "a.gif").stat().st_size
    done = smooth("--max-size", str(size * 9 // 10), "-o", str(tmp_path / "b.gif"))
    assert done.code == 0
    assert f"to stay under {told(size * 9 // 10)}" in done.out
    assert (tmp_path / "b.gif").stat().st_size <= size * 9 // 10
    for more in (["--max-size", "9XB"], ["--max-size", "1KB"], ["--motion", "smoth"]):
        refused = smooth(*more, "-o", str(tmp_path / "c.gif"))
        assert refused.code == 2, refused.err
    assert smooth("--max-size", "1MB", "-o", str(tmp_path / "c.json")).code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gif", "b.gif"]


def test_a_kernel_that_gives_way_to_that_of_another_channel_does_not_turn() -> None:
    s = scene(ConvTranspose(2).trace(np.ones((1, 2, 2), int), np.ones((1, 2, 2, 2), int)))
    frames = [s.frame(i) for i in range(s.beats.total)]
    turning = [
        number
        for number, (before, after) in enumerate(pairwise(frames))
        if any(f.panel == "kernel" for f in Tween(before, after).frame(0.5).floats)
    ]
    # All kernels are alike, and look the same rotated: the only rotation is before the window slides.
    assert [s.phases[frames[number + 1].phase].key for number in turning] == ["rotate"]


def test_a_shot_alone_moves_nothing() -> None:
    s = scene(UP)
    assert [ms for _, ms in moving(s.frame, [Shot(0, 3000)], 80)] == [3000]

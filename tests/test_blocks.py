"""Layout of artificial scenes: blocks side by side, panels that follow others, groups, many planes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.text import frame_text
from convanim.draw.theme import load
from convanim.page import Page, layout
from convanim.page.measures import DIGITS
from convanim.page.texts import in_line
from convanim.scene.frame import Blocks, Panel, Role
from support.made import Made, grid, panel
from support.pages import PAGES, attempt, both, check_apart, standing

NUMBERS = {"digits": (0, 10), "signed": (-9, 10), "long": (-(10**6), 10**6)}


@st.composite
def made(draw: st.DrawFn) -> Made:
    """Blocks of rows of panels of all kinds; some follow an earlier one, some share a group."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups, followed, count = ["", "", "one", "two"], [""], 0
    blocks = []
    for _ in range(draw(st.integers(1, 3))):
        rows: list[tuple[Panel, ...]] = []
        for _ in range(draw(st.integers(1, 3))):
            row: list[Panel] = []
            for _ in range(draw(st.integers(1, 3))):
                shape = draw(st.tuples(st.integers(1, 9), st.sampled_from([1, 2, 3, 5, 9, 30])))
                values = numbers.integers(*NUMBERS[draw(st.sampled_from(sorted(NUMBERS)))], shape)
                # Following in crossed order would be a contradiction; a single follower per row cannot cross.
                free = not any(p.follows for p in row)
                options: dict[str, Any] = {
                    "group": draw(st.sampled_from(groups)),
                    "follows": draw(st.sampled_from(followed)) if free else "",
                    "sign": draw(st.sampled_from(["", "", "=", "×"])),
                    "aside": draw(st.booleans()),
                    "notes": draw(st.sampled_from(["", "", "×−3"])),
                    "heat": draw(st.sampled_from([0, 0, 9])),
                    "colours": draw(st.sampled_from([None, None, np.zeros((1, 3), np.uint8)])),
                }
                title = draw(st.sampled_from(["", "input", "input, zeros inserted, padded", "channel 7"]))
                p = replace(panel(f"panel {count}", values, **options), titles=(title,))
                row.append(p)
                count += 1
            rows.append(tuple(row))
            if not any(p.follows for p in row):
                followed.append(row[0].name)
        blocks.append(tuple(rows))
    return Made(tuple(blocks))


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[Made, Page]:
    s = draw(made())
    page, _ = attempt(s, *draw(st.sampled_from([*PAGES, (2560, 1440)])))
    if page is None:
        reject()
    return s, page


@pytest.fixture(autouse=True, scope="module")
def rows_stay_rows() -> Iterator[None]:
    """Keep blocks as they are given, although a page might prefer them stacked."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("convanim.page.grids.broken", lambda blocks: ())
        yield


# A layout with many grids takes a second or two, so every property is checked on the same ones.
@settings(max_examples=20)
@given(laid_out())
def test_blocks_of_any_kind_stand_apart_alike_and_in_order(case: tuple[Made, Page]) -> None:
    check_apart(*case)
    check_alike(*case)
    check_rows(*case)
    check_ink(*case)


def check_alike(s: Made, page: Page) -> None:
    """What belongs together looks alike."""
    row_of = {p.name: (b, r) for b, block in enumerate(s.blocks) for r, row in enumerate(block) for p in row}
    for name, place in page.places.items():
        for other in page.places.values():
            if place.panel.group and place.panel.group == other.panel.group:
                assert (place.pitch, place.line, place.number) == (other.pitch, other.line, other.number)
        if place.panel.follows:
            leader = page.places[place.panel.follows]
            assert place.pitch == leader.pitch
            if row_of[name] == row_of[leader.panel.name]:
                assert place.y == leader.y
            elif row_of[name][0] == row_of[leader.panel.name][0]:
                assert place.x == leader.x


def check_rows(s: Made, page: Page) -> None:
    """Rows are read from left to right, and blocks stand side by side."""
    edges = []
    for block in s.blocks:
        for row in block:
            assert all(page.places[a.name].box.right <= page.places[b.name].box.left for a, b in pairwise(row))
        boxes = [page.places[p.name].box for row in block for p in row]
        edges.append((min(b.left for b in boxes), max(b.right for b in boxes)))
        for above, below in pairwise(block):
            lowest = max(page.places[p.name].box.bottom for p in above)
            assert lowest <= min(page.places[p.name].y for p in below)
    assert all(a[1] < b[0] for a, b in pairwise(edges))


def check_ink(s: Made, page: Page) -> None:
    """Only what is placed has ink."""
    grids = {p.name: grid(p, colours=np.zeros((*p.shape, 3), np.uint8)) for p in s.panels if p.colours is not None}
    s = Made(s.blocks, grids)
    raster = Raster(s, page, load("light"))
    free = np.ones((page.height, page.width), bool)
    said = [("caption", both(text)) for text in in_line(page.captions[0], s.frame(0).captions[0])]
    for _, (top, left, bottom, right) in [*standing(page), *said]:
        free[max(top, 0) : bottom, max(left, 0) : right] = False
    assert (raster.draw(s.frame(0)).pixels[free] == raster.palette.solid("page")).all()


# --- examples ------------------------------------------------------------------------------------------------------


def matrix() -> Made:
    """Three small grids on the left; the flattened input over the matrix, the output beside it."""
    x, k, y = np.arange(25).reshape(5, 5), np.ones((3, 3), int), np.arange(9).reshape(3, 3)
    left = ((panel("input", x),), (panel("kernel", k, aside=True),), (panel("output", y),))
    strip = panel("flat", x.reshape(1, 25), follows="matrix")
    column = panel("column", y.reshape(9, 1), follows="matrix", sign="=")
    return Made((left, ((strip,), (panel("matrix", np.eye(9, 25, dtype=int)), column))))


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360)])
def test_the_input_stands_over_the_columns_of_the_matrix_and_the_output_beside_its_rows(size: tuple[int, int]) -> None:
    s = matrix()
    page = layout(s, *size)
    check_apart(s, page)
    at = page.places
    for i in range(25):
        assert at["flat"].cell(0, i)[1::2] == at["matrix"].cell(0, i)[1::2]
    for i in range(9):
        assert at["column"].cell(i, 0)[::2] == at["matrix"].cell(i, 0)[::2]
    # Both blocks are centred vertically, and the strip is close to the panel that it belongs to.
    assert at["matrix"].y - at["flat"].box.bottom < at["matrix"].y - at["input"].y
    # On the smallest page, the cells of the matrix are too small for readable numbers, and are shaded.
    assert at["matrix"].number >= DIGITS if size != (640, 360) else at["matrix"].number == 0


def planes(count: int, size: int, title: str = "channel {}") -> Made:
    """A row of channels, under each of them its kernel, and the output."""
    some = np.arange(size * size).reshape(size, size) % 10
    stages = tuple(
        replace(panel(f"stage {i}", some, group="stages", shade="data"), titles=(title.format(i),))
        for i in range(count)
    )
    kernels = tuple(
        panel(f"kernel {i}", np.ones((3, 3), int), group="kernels", follows=f"stage {i}", aside=True)
        for i in range(count)
    )
    return Made((stages, kernels, (panel("output", some[2:, 2:]),)))


@pytest.mark.parametrize("size", [(1280, 720), (640, 360)])
@pytest.mark.parametrize("count", [2, 3, 8])
def test_planes_stand_in_a_row_and_their_kernels_under_them(count: int, size: tuple[int, int]) -> None:
    s = planes(count, 7)
    page = layout(s, *size)
    check_apart(s, page)
    for i in range(count):
        assert page.places[f"kernel {i}"].x == page.places[f"stage {i}"].x
    assert len({page.places[f"stage {i}"].y for i in range(count)}) == 1


def test_one_scale_serves_a_group() -> None:
    few = [panel(f"stage {i}", np.full((30, 30), 7 * i), group="stages", shade="data") for i in range(3)]
    s = Made((tuple(few),))
    page = layout(s, 640, 360)
    assert [bool(page.places[p.name].scale) for p in few] == [True, False, False]
    assert {(place.low, place.high) for place in page.places.values()} == {(0, 14)}
    low, _, high = page.places["stage 0"].scale or pytest.fail("no scale")
    assert (low.text, high.text) == ("0", "14")
    colours = [Raster(s, page, load("light")).draw(s.frame(0)).pixels[p.y + 9, p.x + 9] for p in page.places.values()]
    assert len(set(colours)) == 3


def test_numbers_go_away_in_all_of_a_group_at_once() -> None:
    short, long = panel("a", np.eye(5, dtype=int)), panel("b", 10**12 * np.eye(5, dtype=int))
    apart = layout(Made(((short, long),)), 640, 360)
    assert bool(apart.places["a"].number) > bool(apart.places["b"].number)
    together = layout(Made(((replace(short, group="g"), replace(long, group="g")),)), 640, 360)
    assert not together.places["a"].number
    assert not together.places["b"].number


def test_a_wide_title_runs_on_over_panels_without_any() -> None:
    s = planes(8, 7, "")
    first = replace(s.panels[0], titles=("input, zeros inserted, padded: eight channels",))
    s = Made(((first, *s.panels[1:8]), s.panels[8:16], s.panels[16:]))
    page = layout(s, 640, 360)
    check_apart(s, page)
    assert page.places["stage 7"].x - page.places["stage 0"].x > 7 * page.places["stage 0"].pitch * 7


def test_a_row_as_wide_as_its_block_leaves_its_height_to_the_others() -> None:
    wide, tall = panel("wide", np.arange(60).reshape(2, 30)), panel("tall", np.arange(25).reshape(5, 5))
    page = layout(Made(((wide,), (tall,))), 640, 360)
    share = (page.places["tall"].y - page.places["wide"].y) // 2
    assert page.places["tall"].pitch * 5 > share


def test_blocks_are_told_one_after_the_other() -> None:
    a, b, c = panel("a", [[1]]), panel("b", [[2]]), panel("c", [[3]])
    blocks: Blocks = (((a,), (b,)), ((c,),))
    s = Made(blocks)
    lines = frame_text(s, s.frame(0), 0, 100).splitlines()
    assert lines[1:-1] == ["a", "1", "b", "2", "c", "3"]


def test_panels_in_another_order_than_those_that_they_follow_are_a_mistake_in_the_scene() -> None:
    a, b = panel("a", [[1]]), panel("b", [[2]])
    crossed = (panel("c", [[3]], follows="b"), panel("d", [[4]], follows="a"))
    with pytest.raises(AssertionError, match="another order"):
        layout(Made(((a, b), crossed)), 640, 360)


def test_a_role_is_no_part_of_the_layout() -> None:
    p = panel("p", [[1, 2]])
    assert layout(Made(((p,),), {"p": grid(p, Role.DATA)}), 640, 360).places["p"].box == (
        layout(Made(((p,),)), 640, 360).places["p"].box
    )


def test_a_tall_panel_that_gets_more_height_takes_no_width_from_the_small_ones_beside_it() -> None:
    walked = panel("stage", np.arange(1000).reshape(20, 50) % 10)
    tall = panel("input", np.arange(200).reshape(20, 10) % 10, aside=True)
    small = [panel(f"kernel {i}", np.ones((3, 3), int), aside=True) for i in range(3)]
    page = layout(Made(((walked,), (tall, *small))), 720, 1000)
    assert page.places["kernel 0"].pitch >= 26  # the maximum of a kernel's cells on this page
    assert page.places["kernel 0"].number

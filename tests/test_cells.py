"""Cells of artificial scenes: the look of each role, emphasis and kind of panel, in pixels and in text."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convanim.draw.raster import Raster
from convanim.draw.text import frame_text
from convanim.draw.theme import load
from convanim.page import layout
from convanim.scene.frame import Emphasis, Outline, Panel, Role, still
from support.colours import commonest, contrast
from support.made import Made, cell, grid, panel, shot

Pixels = NDArray[np.uint8]
LOOKS = ("light", "dark")


def full(shape: Any, what: int) -> NDArray[np.uint8]:
    return np.full(shape, what, np.uint8)


@pytest.mark.parametrize("shade", ["data", "kernel", "product", "done"])
def test_a_panel_says_which_ramp_stands_for_its_values(shade: str) -> None:
    p = panel("any name", np.arange(1600).reshape(40, 40), shade=shade)
    page, rgb = shot(Made(((p,),), {p.name: grid(p, Role.PRODUCT)}))
    _, bar, _ = page.places[p.name].scale or pytest.fail("a shade without its scale")
    for name, at, corner in (("page", bar.left, 0), (f"shade.{shade}_high", bar.right - 1, 39)):
        wanted = load("light").colour(name)
        assert tuple(rgb[bar.top, at]) == commonest(cell(page, rgb, p.name, corner, corner)) == wanted


# --- quiet cells: equal to what they are compared with --------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("role", [Role.DATA, Role.DONE, Role.OVERLAP, Role.PENDING, Role.KERNEL])
def test_a_quiet_cell_is_paper_with_a_muted_number(role: Role, look: str) -> None:
    p = panel("output", [[5, 6], [7, 8]], notes="1 + 4")
    s = Made(((p,),), {"output": grid(p, role, emphasis=full((2, 2), Emphasis.QUIET), notes={(0, 0): "1 + 4"})})
    page, rgb = shot(s, look=look)
    drawn = cell(page, rgb, "output", 0, 1)
    paper, muted = load(look).colour("page"), load(look).colour("muted")
    assert commonest(drawn) == paper
    inks = {tuple(c) for c in drawn.reshape(-1, 3).tolist()} - {paper}
    assert (muted in inks) == (role != Role.PENDING)
    assert all(contrast(c, paper) <= contrast(muted, paper) + 0.01 for c in inks)


def test_a_quiet_cell_without_a_number_is_as_pale_as_one_without_a_value() -> None:
    p = panel("output", 800 + np.arange(1600).reshape(40, 40))
    emphasis = full((40, 40), Emphasis.QUIET)
    emphasis[0, 0] = Emphasis.NONE
    page, rgb = shot(Made(((p,),), {"output": grid(p, emphasis=emphasis)}))
    assert not page.places["output"].number
    assert (cell(page, rgb, "output", 39, 39) == load("light").colour("pending.fill")).all()
    assert (cell(page, rgb, "output", 0, 0) == load("light").colour("shade.done.4")).all()


def test_text_puts_a_quiet_cell_in_brackets() -> None:
    p = panel("output", [[5, 6]])
    emphasis = np.array([[Emphasis.QUIET, Emphasis.NONE]], np.uint8)
    s = Made(((p,),), {"output": grid(p, emphasis=emphasis)})
    assert frame_text(s, s.frame(0), 0, 100).splitlines()[1:3] == ["output", "(5)   6"]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("role", [Role.DONE, Role.DATA, Role.INSERTED])
def test_a_cell_that_differs_is_filled_and_bold_whatever_its_role(role: Role, look: str) -> None:
    p = panel("output", [[88, 88]])
    emphasis = np.array([[Emphasis.DIFFERENT, Emphasis.NONE]], np.uint8)
    page, rgb = shot(Made(((p,),), {"output": grid(p, role, emphasis=emphasis)}), look=look)
    one, other = (cell(page, rgb, "output", 0, i) for i in (0, 1))
    fill = load(look).colour("overlap.fill")
    assert commonest(one) == fill != commonest(other)
    assert max(contrast(tuple(c), fill) for c in one.reshape(-1, 3).tolist()) >= 4.5
    # Not by colour alone: bold strokes cover more of a cell.
    strokes = [(drawn != commonest(drawn)).any(axis=-1).mean() for drawn in (one, other)]
    assert strokes[0] > strokes[1]


def test_a_cell_that_differs_is_filled_where_a_shade_stands_for_values_too() -> None:
    p = panel("output", np.arange(1600).reshape(40, 40))
    emphasis = full((40, 40), Emphasis.NONE)
    emphasis[0, 0] = Emphasis.DIFFERENT
    page, rgb = shot(Made(((p,),), {"output": grid(p, emphasis=emphasis)}))
    assert (cell(page, rgb, "output", 0, 0) == load("light").colour("overlap.fill")).all()


def test_text_puts_a_sign_before_a_cell_that_differs() -> None:
    p = panel("output", [[5, 6]])
    emphasis = np.array([[Emphasis.DIFFERENT, Emphasis.NONE]], np.uint8)
    s = Made(((p,),), {"output": grid(p, emphasis=emphasis)})
    assert frame_text(s, s.frame(0), 0, 100).splitlines()[1:3] == ["output", "≠5  6"]


# --- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("role", [Role.DONE, Role.OVERLAP])
def test_a_count_is_filled_by_how_many_there_are(role: Role, look: str) -> None:
    counts = np.outer([1, 2, 1, 2, 1], [0, 1, 2, 1, 2])
    p = panel("counts", counts, heat=4)
    page, rgb = shot(Made(((p,),), {"counts": grid(p, role)}), look=look)
    assert page.places["counts"].number
    assert page.places["counts"].scale is None
    fills = {n: {commonest(cell(page, rgb, "counts", *at)) for at in np.argwhere(counts == n)} for n in (0, 1, 2, 4)}
    assert [len(f) for f in fills.values()] == [1, 1, 1, 1]
    colour = load(look).colour
    (none,), *_, (most,) = fills.values()
    assert (none, most) == (colour("page"), colour("shade.heat_high"))
    assert len(set.union(*fills.values())) == 4
    shown = cell(page, rgb, "counts", 1, 2)
    assert max(contrast(tuple(c), most) for c in shown.reshape(-1, 3).tolist()) >= 7


def test_a_count_of_another_role_or_under_the_kernel_looks_as_ever() -> None:
    p = panel("counts", [[1, 1, 1, 1]], heat=4)
    g = grid(p, roles=np.array([[Role.DATA, Role.PENDING, Role.DONE, Role.DONE]], np.uint8))
    emphasis = np.array([[0, 0, Emphasis.ACTIVE, Emphasis.QUIET]], np.uint8)
    page, rgb = shot(Made(((p,),), {"counts": replace(g, emphasis=emphasis)}))
    fills = [commonest(cell(page, rgb, "counts", 0, i)) for i in range(4)]
    assert fills == [load("light").colour(name) for name in ("data.fill", "pending.fill", "heat.2", "page")]


def test_many_counts_without_numbers_have_a_scale_from_none_to_the_most() -> None:
    counts = np.arange(1600).reshape(40, 40) % 13
    p = panel("counts", counts, heat=12)
    page, rgb = shot(Made(((p,),)))
    low, bar, high = page.places["counts"].scale or pytest.fail("a shade without its scale")
    assert (low.text, high.text) == ("0", "12")
    along = [tuple(c) for c in rgb[bar.top, bar.left : bar.right].tolist()]
    assert len(dict.fromkeys(along)) == 9
    seen = {n: commonest(cell(page, rgb, "counts", 0, n)) for n in range(13)}
    order = [along.index(seen[n]) for n in range(13)]
    assert order == sorted(order)
    assert (seen[0], seen[12]) == (along[0], along[-1])
    assert seen[0] != seen[1]


# --- pictures in their own colours ----------------------------------------------------------------------------------


def picture(*shape: int, seed: int = 0, **options: Any) -> tuple[Panel, NDArray[np.uint8]]:
    """A panel of random colours, and the colours (rows, columns, 3)."""
    colours = np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)
    return panel("picture", np.zeros(shape, int), colours=colours.reshape(-1, 3), **options), colours


@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_has_its_exact_colours_where_they_fit(look: str) -> None:
    p, colours = picture(9, 9)
    page, rgb = shot(Made(((p, panel("output", [[1, 2], [3, 4]])),), {p.name: grid(p, colours=colours)}), look=look)
    for at in np.ndindex(9, 9):
        assert (cell(page, rgb, p.name, *at) == colours[at]).all(), at
    assert (page.places[p.name].number, page.places[p.name].scale) == (0, None)
    assert page.places["output"].number  # a scale takes no room from it


def test_more_colours_than_there_is_room_for_are_close_and_always_the_same() -> None:
    p, colours = picture(20, 40)
    s = Made(((p,),), {p.name: grid(p, colours=colours)})
    page, rgb = shot(s)
    assert len(Raster(s, page, load("light")).palette.colours) <= 255
    shown = np.array([cell(page, rgb, p.name, *at)[0, 0] for at in np.ndindex(20, 40)], int)
    away = np.sqrt(((shown - colours.reshape(-1, 3)) ** 2).sum(axis=1))
    assert away.max() < 60
    assert away.mean() < 25
    np.testing.assert_array_equal(rgb, shot(s)[1])


def test_a_window_over_a_picture_is_its_outline() -> None:
    p, colours = picture(4, 4)
    emphasis = full((4, 4), Emphasis.NONE)
    emphasis[:2, :2] = Emphasis.ACTIVE
    roles = full((4, 4), Role.DATA)
    roles[0] = Role.PADDING
    window = Outline(0, 0, 2, 2, Role.KERNEL)
    s = Made(((p,),), {p.name: grid(p, roles=roles, emphasis=emphasis, outlines=(window,), colours=colours)})
    page, rgb = shot(s)
    stroke, padding = load("light").colour("kernel.stroke"), load("light").colour("padding.fill")
    assert commonest(cell(page, rgb, p.name, 1, 0)) == tuple(colours[1, 0])
    assert commonest(cell(page, rgb, p.name, 0, 0)) == commonest(cell(page, rgb, p.name, 0, 3)) == padding
    top, left, _, _ = page.places[p.name].cell(0, 0)
    assert (rgb[top - 2, left + 5] == stroke).all()


def test_a_picture_that_changes_is_drawn_anew_only_where_it_does() -> None:
    p, first = picture(4, 4)
    second = first.copy()
    second[2, 1] = (1, 2, 3)
    p = replace(p, colours=np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)]))
    s = Made(((p,),), {p.name: grid(p, colours=first)}, {p.name: grid(p, colours=second)})
    page = layout(s, 640, 360)
    raster = Raster(s, page, load("light"))
    raster.draw(s.frame(0))
    drawn = raster.draw(s.frame(1))
    place = page.places[p.name]
    top, left, bottom, right = place.cell(2, 1)
    assert (raster.palette.colours[drawn.pixels[top:bottom, left:right]] == (1, 2, 3)).all()
    assert drawn.changed == place.cell(2, 1)
    np.testing.assert_array_equal(drawn.pixels, Raster(s, page, load("light")).draw(s.frame(1)).pixels)


def test_a_mean_of_colours_has_the_nearest_colour_of_the_page() -> None:
    p, colours = picture(4, 4)
    page = layout(Made(((p,),), {p.name: grid(p, colours=colours)}), 640, 360)
    palette = Raster(Made(((p,),), {p.name: grid(p, colours=colours)}), page, load("light")).palette
    given = colours.reshape(-1, 3)
    mean = (given[:1].astype(int) + 1).clip(0, 255).astype(np.uint8)
    near = palette.colours[palette.nearest(mean)][0].astype(int)
    others = ((palette.colours.astype(int) - mean.astype(int)) ** 2).sum(axis=1)
    assert ((near - mean.astype(int)) ** 2).sum() == others.min()


def test_text_tells_a_colour_in_hexadecimal() -> None:
    p, _ = picture(1, 3)
    colours = np.array([[[255, 0, 16], [1, 2, 3], [9, 9, 9]]], np.uint8)
    roles = np.array([[Role.DATA, Role.DATA, Role.PADDING]], np.uint8)
    g = grid(p, roles=roles, emphasis=np.array([[0, Emphasis.ACTIVE, 0]], np.uint8), colours=colours)
    s = Made(((p,),), {p.name: g})
    assert frame_text(s, s.frame(0), 0, 100).splitlines()[2] == "  #ff0010 [#010203]         ○"


def test_a_picture_at_rest_keeps_its_colours() -> None:
    p, colours = picture(2, 2)
    assert still(grid(p, colours=colours)).colours is colours


# --- dashed outlines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_a_dashed_outline_lies_inside_its_cell_and_leaves_the_number_alone(width: int) -> None:
    p = panel("input", [[5, 888], [7, 8]], shade="data")
    winner = Outline(0, 1, 1, 2, Role.DONE, dashed=True)
    s = Made(((p,),), {"input": grid(p, Role.DATA)}, {"input": grid(p, Role.DATA, outlines=(winner,))})
    size = width, width * 9 // 16
    (page, plain), (_, marked) = (shot(s, n, width=size[0], height=size[1]) for n in (0, 1))
    stroke = load("light").colour("done.stroke")
    top, left, bottom, right = page.places["input"].cell(0, 1)
    changed = (plain != marked).any(axis=2)
    assert not np.delete(changed, np.s_[top:bottom], axis=0).any()
    assert not np.delete(changed, np.s_[left:right], axis=1).any()
    inside = cell(page, marked, "input", 0, 1)
    assert {tuple(c) for c in marked[changed].tolist()} == {stroke}
    corners = inside[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == stroke).all()
    assert 0.3 < (inside[0] == stroke).all(axis=1).mean() < 0.8
    thick = max(1, round(0.05 * len(inside)))
    assert not changed[top + thick : bottom - thick, left + thick : right - thick].any()
    box = page.places["input"].number_text("888").box
    assert not changed[top + box.top : top + box.bottom - 3, left + box.left : left + box.right].any()


def test_a_dashed_outline_that_goes_leaves_nothing_behind() -> None:
    p = panel("input", np.arange(1600).reshape(40, 40))
    kept = Outline(3, 4, 5, 6, Role.DATA, dashed=True)
    s = Made(((p,),), {"input": grid(p, outlines=(kept,))}, {})
    page = layout(s, 640, 360)
    raster = Raster(s, page, load("light"))
    raster.draw(s.frame(0))
    np.testing.assert_array_equal(
        raster.draw(s.frame(1)).pixels, Raster(s, page, load("light")).draw(s.frame(1)).pixels
    )


def test_counts_of_one_group_are_filled_alike() -> None:
    a, b = panel("a", [[1, 2]], heat=2, group="counts"), panel("b", [[2, 4]], heat=4, group="counts")
    page, rgb = shot(Made(((a, b),)))
    assert commonest(cell(page, rgb, "a", 0, 1)) == commonest(cell(page, rgb, "b", 0, 0))

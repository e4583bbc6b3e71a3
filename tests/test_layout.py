"""Layout: on every page nothing overlaps, is cut off or moves; checked by boxes and by rendered pixels."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.page import SMALLEST, Page, layout, page_size
from convanim.page.lens import magnified
from convanim.page.texts import in_line
from convanim.scene import Scene, scene
from convanim.scene.frame import Role
from convanim.trace import Trace
from support.pages import (
    attempt,
    check_apart,
    ink,
    laid_out,
    large,
    looked_at,
    meet,
    numbers_of,
    spoken,
    standing,
    told,
)
from support.scenes import drawn

SETTINGS = settings(max_examples=50)


@SETTINGS
@given(laid_out(large() | drawn()))
def test_nothing_overlaps_and_nothing_leaves_the_page(case: tuple[Scene, Page]) -> None:
    check_apart(*case)


def test_the_scale_of_a_narrow_shaded_grid_stays_on_the_page() -> None:
    s = scene(Conv(3).trace(np.full((3, 3), -99999), np.ones((3, 3), int)))
    page = layout(s, 400, 300)
    check_apart(s, page)
    Raster(s, page, load("light")).draw(s.frame(0))


def test_signs_stand_between_grids_also_where_each_has_a_row() -> None:
    s = scene(ConvTranspose(3, 2).trace([1, 2, 3], [1, 2, 1]), "overlap-add")
    page = layout(s, 1280, 720)
    assert [sign.text for sign in page.signs] in ([], ["×", "="])
    check_apart(s, page)


@SETTINGS
@given(laid_out(large() | drawn()))
def test_numbers_and_notes_stay_in_their_cells_and_apart(case: tuple[Scene, Page]) -> None:
    s, page = case
    for place, number, note in numbers_of(s, page):
        side = place.pitch - place.line
        texts = [number] if note is None else [number, note]
        for text in texts:
            top, left, bottom, right = ink(text)
            inside = top >= 0 and left >= 0 and bottom <= side and right <= side
            assert inside, f"{text} in a cell of {side} px of {place.panel.name}: {s.title}"
        if note:
            assert not meet(ink(number), ink(note)), f"{number} and {note} in {side} px: {s.title}"


@SETTINGS
@given(laid_out(large() | drawn()))
def test_what_is_written_can_be_read(case: tuple[Scene, Page]) -> None:
    s, page = case
    texts = [page.title, page.detail, *(t.idle for t in page.tabs), *page.signs, page.counter]
    texts += [slot.text for slot in page.captions]
    texts += [place.title for place in page.places.values()]
    texts += [text for p in page.places.values() if p.scale for text in (p.scale[0], p.scale[2])]
    assert all(text.size >= SMALLEST for text in texts)
    for name, place in page.places.items():
        assert place.number == 0 or place.number >= SMALLEST, name
        assert place.note == 0 or place.note >= SMALLEST, name
        assert not (place.number and place.scale), name  # only a shade has a scale
    for frame in looked_at(s):
        for i, _ in enumerate(page.captions):
            fitted, whole = told(in_line(page.captions[i], frame.captions[i])), frame.captions[i]
            spans = "".join(text for text, _ in whole.spans())
            assert bool(fitted) == bool(whole.text())
            assert spans.startswith(fitted) or "…" in fitted


def test_a_shortened_caption_keeps_its_result() -> None:
    trace = Conv(9).trace(np.full((9, 9), -123456), np.full((9, 9), 7))
    s = scene(trace)
    page = layout(s, 640, 360)
    text = told(in_line(page.captions[0], s.frame(s.beats.total - 2).captions[0]))
    assert re.fullmatch(r"(−123456 · 7 \+ )+… = −69999552", text), text


# --- the page's size, its title, and what is refused --------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_sizes", "wanted"),
    [((None, None), (1280, 720)), ((640, None), (640, 360)), ((None, 1080), (1920, 1080)), ((500, 400), (500, 400))],
)
def test_one_side_gives_the_other(given_sizes: tuple[int | None, int | None], wanted: tuple[int, int]) -> None:
    assert page_size(*given_sizes) == wanted


@pytest.mark.parametrize("sizes", [(119, None), (4097, None), (640, 5000), (0, 0), (-640, 360)])
def test_a_page_out_of_range_is_refused(sizes: tuple[int, int | None]) -> None:
    with pytest.raises(ConvanimError, match="not between 120 and 4096 px; use for example"):
        page_size(*sizes)


def test_a_title_of_ones_own_must_fit() -> None:
    s = scene(Conv(2).trace(np.ones((3, 3), int), np.ones((2, 2), int)))
    assert layout(s, 640, 360, title="Blur").title.text == "Blur"
    with pytest.raises(ConvanimError, match="is wider than the page"):
        layout(s, 640, 360, title="A title that goes on " * 9)


@settings(max_examples=30)
@given(large(), st.sampled_from([240, 320, 640]))
def test_a_page_that_is_too_small_says_which_width_would_do(trace: Trace, width: int) -> None:
    s = scene(trace)
    page, hint = attempt(s, *page_size(width, None))
    if page is None and (asked := re.search(r"width=(\d+)", hint)):
        layout(s, *page_size(int(asked[1]), None))


def test_many_stamps_on_a_large_page_keep_their_numbers_in_their_cells() -> None:
    """Meanwhile the canvas holds −100000, in the end only 5000 and −5000: neighbours differ by one."""
    x = np.tile(20 - abs(np.arange(-20, 21))[:, None], (1, 11))
    s = scene(ConvTranspose((2, 1)).trace(x, [[5_000], [-5_000]]), "overlap-add")
    page = layout(s, 4096, 4096)
    assert page.places["canvas"].number
    for place, number, _ in numbers_of(s, page):
        top, left, bottom, right = ink(number)
        side = place.pitch - place.line
        assert top >= 0 and left >= 0 and bottom <= side and right <= side, number  # noqa: PT018


# --- the same by pixels --------------------------------------------------------------------------------------------

PIXELS = settings(max_examples=25)


@PIXELS
@given(laid_out(large() | drawn()))
def test_only_what_is_placed_has_ink_and_the_edge_has_none(case: tuple[Scene, Page]) -> None:
    s, page = case
    raster = Raster(s, page, load("light"))
    paper = raster.palette.solid("page")
    free = np.ones((page.height, page.width), bool)
    for _, (top, left, bottom, right) in [*standing(page), *spoken(s, page)]:
        free[max(top, 0) : bottom, max(left, 0) : right] = False
    for frame in (replace(frame, links=()) for frame in looked_at(s)):
        pixels = raster.draw(frame).pixels
        assert (pixels[free] == paper).all()
        inner = pixels[: page.height - page.bar]  # the progress bar lies along the edge
        edge = np.concatenate([inner[:4].ravel(), inner[-4:].ravel(), inner[:, :4].ravel(), inner[:, -4:].ravel()])
        assert (edge == paper).all()


@PIXELS
@given(laid_out(large() | drawn()))
def test_ink_does_not_touch_the_edge_of_its_cell(case: tuple[Scene, Page]) -> None:
    """A cut-off number would leave ink in the outermost pixels of its cell."""
    s, page = case
    raster = Raster(s, page, load("dark"))
    for frame in (replace(magnified(page, frame), links=()) for frame in looked_at(s)):
        pixels = raster.draw(frame).pixels
        for name, place in page.places.items():
            grid = frame.grids[name]
            # Hatching, folded corners, dashes or dots of padding, and outlines do reach the edge.
            marked = (Role.NONE, Role.CROPPED, Role.UNUSED, Role.COPIED, Role.PADDING, Role.EMPTY)
            plain = ~np.isin(grid.roles, marked)
            for o in grid.outlines:
                rows, columns = np.indices(grid.roles.shape)
                near = (rows >= o.top - 1) & (rows <= o.bottom) & (columns >= o.left - 1) & (columns <= o.right)
                inner = (rows > o.top) & (rows < o.bottom - 1) & (columns > o.left) & (columns < o.right - 1)
                plain &= ~near | inner
            for row, column in np.argwhere(plain).tolist()[:200]:
                top, left, bottom, right = place.cell(row, column)
                cell = pixels[top:bottom, left:right]
                high, wide = (np.s_[max(n // 8, 1) : n - max(n // 8, 1)] for n in cell.shape)  # between round corners
                sides = [cell[0, wide], cell[high, 0], cell[-1, wide], cell[high, -1]]
                # The chip of a factor in the lower right corner may reach the edge.
                ring = np.concatenate(sides[:2] if (row, column) in grid.notes else sides)
                assert len(set(ring.tolist())) <= 1, f"{name}[{row},{column}]: {s.title}"

"""Properties of every template on every page: nothing overlaps, is cut off or moves, and all text is readable."""

import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.page import Page, Style, layout, page_size
from convanim.scene import VIEWS, Scene, scene
from convanim.template import templates
from convanim.trace import Trace
from support.pages import STYLES, attempt, check_apart, ink, large, looked_at, meet, numbers_of, sizes
from support.scenes import drawn, shown

SETTINGS = settings(max_examples=30, deadline=None)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A layer in one of its views."""
    trace: Trace = draw(large() | drawn())
    views = VIEWS["transposed"][:3] if trace.op.transposed else VIEWS["conv"][:1]
    return scene(trace, draw(st.sampled_from(views)))


@st.composite
def pages(draw: st.DrawFn, names: tuple[str, ...] = tuple(STYLES)) -> tuple[Scene, Page, str]:
    """A scene on a template's page, of its own size or half of it, unless that is too small."""
    s, name = draw(scenes()), draw(st.sampled_from(names))
    style = STYLES[name]
    size = draw(st.sampled_from([(style.width, style.height), (style.width // 2, style.height // 2)]))
    page, refusal = attempt(s, *size, style=style)
    if page is None:
        assert re.search("smaller input|width=", refusal), refusal
        reject()
    return s, page, name


@SETTINGS
@given(pages())
def test_nothing_overlaps_leaves_its_cell_or_the_page(case: tuple[Scene, Page, str]) -> None:
    s, page, _ = case
    check_apart(s, page)
    for place, number, note in numbers_of(s, page):
        side = place.pitch - place.line
        for text in (number, *([note] if note else [])):
            top, left, bottom, right = ink(text)
            assert min(top, left) >= 0, text
            assert max(bottom, right) <= side, text
        assert not note or not meet(ink(number), ink(note))


@SETTINGS
@given(pages(("slide", "readme", "paper", "square")))
def test_the_smallest_text_can_be_read(case: tuple[Scene, Page, str]) -> None:
    s, page, name = case
    least = 0.022 * page.height if name == "slide" else 9
    assert min(sizes(s, page)) >= least


@settings(max_examples=12, deadline=None)
@given(pages())
def test_nothing_that_stays_moves(case: tuple[Scene, Page, str]) -> None:
    """Outside the box of changes the pixels are unchanged, and a frame drawn alone is the same."""
    s, page, _ = case
    look = load("light")
    raster, before = Raster(s, page, look), None
    for frame in list(looked_at(s))[::7]:
        picture = raster.draw(frame)
        assert (Raster(s, page, look).draw(frame).pixels == picture.pixels).all()
        if before is not None:
            top, left, bottom, right = picture.changed
            same = before == picture.pixels
            same[top:bottom, left:right] = True
            assert same.all()
        before = picture.pixels.copy()


SIDES = st.sampled_from([120, 121, 159, 200, 240, 320])


@settings(max_examples=12, deadline=None)
@given(scenes(), st.sampled_from(sorted(STYLES)), SIDES | st.none(), SIDES | st.none())
def test_a_page_that_is_too_small_names_the_smallest_that_works(
    s: Scene, name: str, width: int | None, height: int | None
) -> None:
    """The hint is typed as it is, in addition to the given options or instead of them."""
    style = STYLES[name]
    shape = style.width, style.height
    try:
        wide, high = page_size(width, height, shape)
    except ConvanimError:
        reject()
    page, hint = attempt(s, wide, high, style=style)
    asked = re.search(r"width=(\d+)(?:, height=(\d+))? or more", hint)
    if page is not None or not asked:
        assert page or "save('FILE.json')" in hint
        reject()
    better = int(asked[1]), int(asked[2]) if asked[2] else height
    assert layout(s, *page_size(*better, shape), style=style)
    # One pixel less with the same shape is too small; the shape is the page's if both sides were given.
    same = shape if width is None or height is None else (wide, high)
    less = better[0] - 1
    smaller, hint = attempt(s, less, round(less * same[1] / same[0]), style=style)
    assert smaller is None, f"{less} px would do, not only {asked[1]}"
    assert "width=" in hint


def test_the_page_that_is_named_has_the_shape_that_was_typed() -> None:
    s = scene(Conv(3).trace(np.ones((5, 5), int), np.ones((3, 3), int)))
    assert attempt(s, 120, 120)[1] == "use width=143, height=143 or more, or a smaller input"
    assert attempt(s, 120, 68)[1] == "use width=240 or more, or a smaller input"  # the other side follows


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_view_has_its_page_in_every_template(name: str) -> None:
    style = STYLES[name]
    x, weight = np.arange(9).reshape(3, 3), np.arange(4).reshape(2, 2)
    for op, views in ((ConvTranspose(2, 2, 1), VIEWS["transposed"]), (Conv(2), VIEWS["conv"])):
        for view in views:
            s = scene(op.trace(x, weight), view)
            check_apart(s, layout(s, style.width, style.height, style=style))


@SETTINGS
@given(shown(), st.sampled_from(sorted(STYLES)))
def test_other_kinds_of_layer_keep_it_too(case: tuple[Trace, Scene], name: str) -> None:
    style = STYLES[name]
    page, _ = attempt(case[1], style.width, style.height, style=style)
    if page is None:
        reject()
    check_apart(case[1], page)


def test_a_style_without_changes_is_the_usual_page() -> None:
    s = scene(Conv(2).trace(np.ones((5, 5), int), np.ones((2, 2), int)))
    a, b = layout(s, 640, 360), layout(s, 640, 360, style=Style())
    assert [p.box for p in a.places.values()] == [p.box for p in b.places.values()]
    assert (a.title, a.tabs, a.captions) == (b.title, b.tabs, b.captions)


def test_a_row_is_broken_only_where_cells_get_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convanim.page.grids.MUCH", float("inf"))
    s = scene(ConvTranspose(3, 2).trace(np.ones((3, 3), int), np.ones((3, 3), int)), "overlap-add")
    wrapping = Style(1080, 1080, wrap=True)
    one, two = (layout(s, 1080, 1080, style=style).places for style in (Style(1080, 1080), wrapping))
    assert one["canvas"].x > one["stamp"].box.right
    assert two["canvas"].y > two["stamp"].box.bottom
    assert min(p.pitch for p in two.values()) > min(p.pitch for p in one.values())
    wide = (layout(s, 1280, 720, style=style).places for style in (Style(), Style(wrap=True)))
    assert len({tuple(p.box for p in places.values()) for places in wide}) == 1


@settings(max_examples=20, deadline=None)
@given(scenes(), st.booleans())
def test_what_a_style_leaves_out_is_not_there(s: Scene, kernel: bool) -> None:
    style = Style(panel_titles=False, notes=False, signs=False, kernel=kernel, counter=False, detail=False)
    page, _ = attempt(s, 1280, 720, style=style)
    if page is None:
        reject()
    check_apart(s, page)
    assert not page.signs
    assert not page.detail.text
    assert not page.counts
    assert all(place.note == 0 and not place.panel.titles for place in page.places.values())
    looked_up = [p for p in page.places.values() if p.panel.aside and p.panel.shade in ("kernel", "product")]
    assert kernel or not looked_up


def test_panels_that_are_left_out_leave_no_sign_behind() -> None:
    s = scene(ConvTranspose(3, 2).trace(np.ones((3, 3), int), np.ones((3, 3), int)), "overlap-add")
    assert [*layout(s, 1280, 720).places] == ["input", "kernel", "stamp", "canvas"]
    page = layout(s, 1280, 720, style=Style(kernel=False))
    assert [*page.places] == ["input", "canvas"]
    assert not page.signs


@pytest.mark.parametrize("name", templates())
@pytest.mark.parametrize(
    ("trace", "arrangement", "view"),
    [
        (Conv(3, padding=1).trace(np.arange(5), [1, 2, 3]), "row", "sliding"),
        (ConvTranspose(2, 2).trace(np.arange(3), [3, 5]), "row", "overlap-add"),
        (ConvTranspose(2, 2).trace([[1, 2], [3, 4]], [[1, 2], [3, 4]]), "isometric", "zero-insertion"),
        (ConvTranspose(2, 2).trace([[1, 2], [3, 4]], [[1, 2], [3, 4]]), "isometric", "overlap-add"),
    ],
)
def test_every_template_shows_what_moves(name: str, trace: Trace, arrangement: str, view: str) -> None:
    frames = {}
    for motion in ("step", "smooth"):
        animation = trace.animate(view=view, template=name, layout=arrangement, motion=motion, select="0..5")
        frames[motion] = animation.save(BytesIO(), "gif").frames
    assert frames["smooth"] > frames["step"]

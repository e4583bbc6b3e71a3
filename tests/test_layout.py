"""Layout: on every page nothing overlaps, is cut off or moves; checked by boxes and by rendered pixels."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import BOLD, load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.page import SMALLEST, Box, Page, Place, Text, glyphs, layout, page_size
from convanim.scene import VIEWS, Scene, scene
from convanim.scene.frame import Emphasis, Frame, Role
from convanim.trace import Trace
from test_scene import drawn

PAGES = [(640, 360), (1000, 500), (1280, 720), (400, 300), (1080, 1080), (720, 1280)]
SETTINGS = settings(max_examples=80)
#: The number of evenly spaced frames that are tested of a long animation; all of the opening and closing.
LOOKED_AT = 40

Named = tuple[str, Box]


#: The views in which a window or a stamp moves; the others have tests of their own.
WALKED = {"transposed": VIEWS["transposed"][:3], "conv": VIEWS["conv"][:1]}


@st.composite
def large(draw: st.DrawFn) -> Trace:
    """Layers with sides of up to 40 cells and kernels of up to 9, with short, long, negative and fractional numbers."""
    rank = draw(st.sampled_from([2, 2, 1]))

    def each(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * rank))

    most = draw(st.sampled_from([6, 12, 40]))
    kernel, stride, sizes = each(1, draw(st.sampled_from([3, 9]))), each(1, 4), each(1, most)
    padding, dilation = draw(st.just(0) | st.just(1) | st.builds(tuple, st.just(each(0, 4)))), each(1, 2)
    transposed = draw(st.booleans())
    extra = {"output_padding": tuple(min(1, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))}
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["digits", "small", "long", "quarters", "floats", "tiny"]))
    make = {
        "digits": lambda n: numbers.integers(0, 10, n),
        "small": lambda n: numbers.integers(-9, 10, n),
        "long": lambda n: numbers.integers(-(10**6), 10**6, n),
        "quarters": lambda n: numbers.integers(-40, 40, n) / 4,
        "floats": lambda n: numbers.normal(0, 30, n),
        "tiny": lambda n: numbers.normal(0, 1e-5, n),
    }[kind]
    bias = draw(st.sampled_from([None, make(1)]))
    try:
        if transposed:
            op: Any = ConvTranspose(kernel, stride, padding, dilation=dilation, **draw(st.sampled_from([{}, extra])))
        else:
            op = Conv(kernel, stride, padding, dilation=dilation)
        trace: Trace = op.trace(make(sizes), make(kernel), bias)
    except ConvanimError:
        reject()
    return trace


@st.composite
def laid_out(draw: st.DrawFn, traces: st.SearchStrategy[Trace]) -> tuple[Scene, Page]:
    """A scene on a page that is not too small for it."""
    trace = draw(traces)
    s = scene(trace, draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"])))
    width, height = draw(st.sampled_from(PAGES))
    page, refusal = attempt(s, width, height, captions=draw(st.sampled_from([True, True, False])))
    if page is None:
        assert re.search("smaller input|width=", refusal), refusal
        reject()
    return s, page


def attempt(s: Scene, width: int, height: int, **options: Any) -> tuple[Page | None, str]:
    """A page, or the hint with which it is refused."""
    try:
        return layout(s, width, height, **options), ""
    except ConvanimError as refusal:
        return None, refusal.hint


def looked_at(s: Scene) -> Iterator[Frame]:
    opening, steps = s.beats.opening, s.beats.steps * s.beats.each
    between = {opening + i * max(steps - 1, 1) // LOOKED_AT for i in range(LOOKED_AT + 1)}
    chosen = {*range(opening), *between, *range(opening + steps, s.beats.total)}
    return (s.frame(i) for i in sorted(chosen) if i < s.beats.total)


def ink(text: Text) -> Box:
    """The box that the drawn glyphs of a text cover."""
    drawn_line = glyphs.line(text.text, text.size, text.bold)
    rows, columns = (np.flatnonzero(drawn_line.coverage.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Box(text.baseline, text.x, text.baseline, text.x)
    top = text.baseline - drawn_line.rise
    return Box(top + rows[0], text.x + columns[0], top + rows[-1] + 1, text.x + columns[-1] + 1)


def meet(a: Box, b: Box) -> bool:
    return a.top < b.bottom and b.top < a.bottom and a.left < b.right and b.left < a.right


def hull(*boxes: Box) -> Box:
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return Box(min(tops), min(lefts), max(bottoms), max(rights))


def both(text: Text) -> Box:
    """The box of a text according to the layout, extended to its drawn glyphs."""
    return hull(text.box, ink(text)) if text.text else Box(text.baseline, text.x, text.baseline, text.x)


def grid_box(page: Page, place: Place) -> Box:
    """A grid with the outlines that may lie on its edge."""
    out = (page.stroke - place.line + 1) // 2
    top, left, bottom, right = place.box
    return Box(top - out, left - out, bottom + out, right + out)


def standing(page: Page) -> list[Named]:
    """Everything on the page except captions and step count: named boxes."""
    things = [("title", both(page.title))] if page.title.text else []
    if page.detail.text:
        things.append(("detail", both(page.detail)))
    for tab in page.tabs:
        things.append((f"tab {tab.idle.text!r}", hull(both(tab.idle), both(tab.current), tab.underline)))
    things += [(f"sign {sign.text}", ink(sign)) for sign in page.signs]
    for name, place in page.places.items():
        things.append((f"grid {name}", grid_box(page, place)))
        if any(place.panel.titles):
            titles = [both(place.title._replace(text=title)) for title in place.panel.titles]
            things.append((f"title of {name}", hull(*titles)))
        if place.scale:
            low, bar, high = place.scale
            things += [(f"low of {name}", both(low)), (f"bar of {name}", bar), (f"high of {name}", both(high))]
    return things


def spoken(s: Scene, page: Page) -> list[Named]:
    """Every fitted caption of the tested frames, and the step count: one box per line."""
    if not page.captions and not page.counts:
        return []
    lines: list[list[Box]] = [[] for _ in page.captions]
    counts = []
    for frame in looked_at(s):
        for i, caption in enumerate(frame.captions[: len(page.captions)]):
            texts = page.lines(i, caption)
            for text in texts:
                # Text may be reduced to fit, but its position is the same in every frame.
                assert (text.x, text.bold) == (page.captions[i].x, False)
                assert text.baseline == page.captions[i].baseline or len(texts) == 2
                assert page.smallest <= text.size <= page.captions[i].size
                if text.text:
                    lines[i].append(both(text))
            assert not meet(*map(ink, texts)) if len(texts) == 2 else True
        if page.counts:
            counts.append(page.counted(frame.step, s.beats.steps))
    assert {c.x + round(glyphs.width(c.text, c.size)) for c in counts if c.text} <= {page.counter.x}
    spoken_lines = [(f"caption {i}", hull(*boxes)) for i, boxes in enumerate(lines) if boxes]
    counted = [both(c) for c in counts if c.text]
    return [*spoken_lines, *([("counter", hull(*counted))] if counted else [])]


@SETTINGS
@given(laid_out(large() | drawn()))
def test_nothing_overlaps_and_nothing_leaves_the_page(case: tuple[Scene, Page]) -> None:
    check_apart(*case)


def check_apart(s: Scene, page: Page) -> None:
    things = [*standing(page), *spoken(s, page)]
    for (a, one), (b, other) in combinations(things, 2):
        assert not meet(one, other), f"{a} {one} and {b} {other} on {page.width}×{page.height}: {s.title}"
    for name, (top, left, bottom, right) in things:
        inside = top >= 0 and left >= 0 and bottom <= page.height and right <= page.width
        assert inside, f"{name} {top, left, bottom, right} leaves {page.width}×{page.height}: {s.title}"


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


def numbers_of(s: Scene, page: Page) -> Iterator[tuple[Place, Text, Text | None]]:
    """Every distinct number of the tested frames, with the note beside it, as placed in a cell."""
    met = set()
    for frame in looked_at(s):
        for name, grid in frame.grids.items():
            place = page.places.get(name)  # a style may leave a panel out
            if not place or not place.number:
                continue
            cells = np.argwhere(~np.isin(grid.roles, (Role.NONE, Role.PENDING))).tolist()
            for row, column in cells:
                note = grid.notes.get((row, column), "") if place.note else ""
                bold = Emphasis(grid.emphasis[row, column]) in BOLD
                overlap = grid.roles[row, column] == Role.OVERLAP
                met.add((name, place.panel.numerals.text(grid.values[row, column].item()), bold, note, overlap))
    for name, number, bold, note, overlap in sorted(met):
        place = page.places[name]
        yield (
            place,
            place.number_text(number, bold=bool(bold)),
            place.note_text(note, centred=bool(overlap)) if note and place.holds(note) else None,
        )


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
    texts = [page.title, page.detail, *(t.idle for t in page.tabs), *page.signs, *page.captions, page.counter]
    texts += [place.title for place in page.places.values()]
    texts += [text for p in page.places.values() if p.scale for text in (p.scale[0], p.scale[2])]
    assert all(text.size >= SMALLEST for text in texts)
    for name, place in page.places.items():
        assert place.number == 0 or place.number >= SMALLEST, name
        assert place.note == 0 or place.note >= SMALLEST, name
        assert not (place.number and place.scale), name  # only a shade has a scale
    for frame in looked_at(s):
        for i, _ in enumerate(page.captions):
            fitted, whole = page.caption(i, frame.captions[i]).text, frame.captions[i].text()
            assert bool(fitted) == bool(whole)
            assert whole.startswith(fitted) or "…" in fitted


def test_a_shortened_caption_keeps_its_result() -> None:
    trace = Conv(9).trace(np.full((9, 9), -123456), np.full((9, 9), 7))
    s = scene(trace)
    page = layout(s, 640, 360)
    text = page.caption(0, s.frame(s.beats.total - 2).captions[0]).text
    assert re.fullmatch(r"output\[0,0\] = (−123456·7 \+ )+… \+ −123456·7 = −70000\d+|output.*… .* = −69999552", text), (
        text
    )


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
    """Meanwhile the canvas holds −1000000, in the end only 50000 and −50000: neighbours differ by one."""
    x = np.tile(20 - abs(np.arange(-20, 21))[:, None], (1, 11))
    s = scene(ConvTranspose((2, 1)).trace(x, [[50_000], [-50_000]]), "overlap-add")
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
    for frame in looked_at(s):
        pixels = raster.draw(frame).pixels
        assert (pixels[free] == paper).all()
        edge = np.concatenate([pixels[:4].ravel(), pixels[-4:].ravel(), pixels[:, :4].ravel(), pixels[:, -4:].ravel()])
        assert (edge == paper).all()


@PIXELS
@given(laid_out(large() | drawn()))
def test_ink_does_not_touch_the_edge_of_its_cell(case: tuple[Scene, Page]) -> None:
    """A cut-off number would leave ink in the outermost pixels of its cell."""
    s, page = case
    raster = Raster(s, page, load("dark"))
    for frame in looked_at(s):
        pixels = raster.draw(frame).pixels
        for name, place in page.places.items():
            grid = frame.grids[name]
            # Hatching, folded corners, the dots of padding without lines, and outlines do reach the edge.
            marked = (Role.NONE, Role.CROPPED, Role.UNUSED, Role.COPIED, *([] if place.line else [Role.PADDING]))
            plain = ~np.isin(grid.roles, marked)
            for o in grid.outlines:
                rows, columns = np.indices(grid.roles.shape)
                near = (rows >= o.top - 1) & (rows <= o.bottom) & (columns >= o.left - 1) & (columns <= o.right)
                inner = (rows > o.top) & (rows < o.bottom - 1) & (columns > o.left) & (columns < o.right - 1)
                plain &= ~near | inner
            for row, column in np.argwhere(plain).tolist()[:200]:
                top, left, bottom, right = place.cell(row, column)
                cell = pixels[top:bottom, left:right]
                ring = np.concatenate([cell[0], cell[-1], cell[:, 0], cell[:, -1]])
                assert len(set(ring.tolist())) == 1, f"{name}[{row},{column}]: {s.title}"

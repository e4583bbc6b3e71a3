"""Pages, read back: the boxes of everything on them, and what must not overlap."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from convanim.draw import theme
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.page import Box, Page, Place, Text, Tilt, glyphs, layout
from convanim.scene import Scene, scene
from convanim.scene.frame import Emphasis, Frame, Role
from convanim.template import read, templates
from convanim.trace import Trace

from .scenes import WALKED

PAGES = [(640, 360), (1000, 500), (1280, 720), (400, 300), (1080, 1080), (720, 1280)]


#: The number of evenly spaced frames that are tested of a long animation; all of the opening and closing.
LOOKED_AT = 40


Named = tuple[str, Box]


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
        things.append((f"tab {tab.idle.text!r}", hull(both(tab.idle), both(tab.current), tab.dot, both(tab.number))))
    if page.bar:
        things.append(("progress", hull(*page.progress(1, 2))))
    things += [(f"sign {sign.text}", ink(sign)) for sign in page.signs]
    things += [(f"head {head.text}", ink(head)) for head in page.heads]
    things += [("hairline", rule) for rule in page.rules]
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
                assert text.bold == text.chipped
                assert text.baseline == page.captions[i].text.baseline or len({t.baseline for t in texts}) > 1
                assert page.smallest <= text.size <= page.captions[i].text.size
                if text.text:
                    lines[i].append(both(text))
            assert not texts or texts[0].box.left == page.captions[i].text.x
            drawn = [text for text in texts if text.text.strip()]
            assert not any(meet(ink(a), ink(b)) for a, b in combinations(drawn, 2)), drawn
        if page.counts:
            counts.append(page.counted(frame.step, s.beats.steps))
    assert {c.x + round(glyphs.width(c.text, c.size)) for c in counts if c.text} <= {page.counter.x}
    spoken_lines = [(f"caption {i}", hull(*boxes)) for i, boxes in enumerate(lines) if boxes]
    counted = [both(c) for c in counts if c.text]
    return [*spoken_lines, *([("counter", hull(*counted))] if counted else [])]


def told(texts: Sequence[Text]) -> str:
    """The pieces of a caption as one line."""
    return "".join(text.text for text in texts)


def check_apart(s: Scene, page: Page) -> None:
    things = [*standing(page), *spoken(s, page)]
    for (a, one), (b, other) in combinations(things, 2):
        assert not meet(one, other), f"{a} {one} and {b} {other} on {page.width}×{page.height}: {s.title}"
    for name, (top, left, bottom, right) in things:
        inside = top >= 0 and left >= 0 and bottom <= page.height and right <= page.width
        assert inside, f"{name} {top, left, bottom, right} leaves {page.width}×{page.height}: {s.title}"


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
                bold = theme.bold(Role(grid.roles[row, column]), Emphasis(grid.emphasis[row, column]))
                overlap = grid.roles[row, column] == Role.OVERLAP
                met.add((name, place.panel.numerals.text(grid.values[row, column].item()), bold, note, overlap))
    for name, number, bold, note, overlap in sorted(met):
        place = page.places[name]
        yield (
            place,
            place.number_text(number, bold=bool(bold)),
            place.note_text(note, centred=bool(overlap)) if note and place.holds(note) else None,
        )


STYLES = {name: read(name).style for name in templates()}


def sizes(s: Scene, page: Page) -> Iterator[int]:
    """The size of every text that the page ever shows, px."""
    texts = [page.title, page.detail, *page.signs, *page.heads]
    texts += [text for tab in page.tabs for text in (tab.idle, tab.current)]
    texts += [text for place in page.places.values() if place.scale for text in (place.scale[0], place.scale[2])]
    yield from (text.size for text in texts if text.text)
    for place in page.places.values():
        yield from (size for size in (place.number, place.note) if size)
        yield from (place.title.size for title in place.panel.titles if title)
    for frame in looked_at(s):
        fitted = page.said(frame.captions)
        yield from (text.size for texts in fitted for text in texts if text.text)
        yield from ([page.counted(frame.step, s.beats.steps).size] if page.counts else [])


def tilts(page: Page) -> list[Tilt]:
    return [place for place in page.places.values() if isinstance(place, Tilt)]


def ends(place: Tilt) -> list[tuple[int, int]]:
    return list(place.corners(0, 0, *place.panel.shape))


def filled(page: Page, *polygons: list[Any]) -> NDArray[np.bool_]:
    """The pixels of some polygons, drawn by Pillow."""
    image = Image.new("1", (page.width, page.height))
    for polygon in polygons:
        ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in polygon], fill=1)
    return np.array(image)


def words(s: Scene, page: Page) -> Iterator[tuple[str, Any]]:
    """Everything except the planes: texts, scales, flat grids."""
    names = {f"grid {place.panel.name}" for place in tilts(page)}
    yield from (thing for thing in (*standing(page), *spoken(s, page)) if thing[0] not in names)


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

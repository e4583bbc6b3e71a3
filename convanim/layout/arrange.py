"""A page for a scene: title, phases, grids and captions, each in its place.

Knows scenes and how wide text is. Must not know colours, or what a frame shows.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from convanim import glyphs
from convanim.errors import ConvanimError
from convanim.layout.grids import TooSmall, grids
from convanim.layout.isometric import isometric
from convanim.layout.measures import LARGEST_SIDE, SMALLEST_SIDE, Measures
from convanim.layout.page import Box, Page, Tab, Text, counted
from convanim.layout.row import row, strips
from convanim.layout.seen import seen
from convanim.layout.style import USUAL, Style
from convanim.scene import Contents
from convanim.words import Catalogue, parts_of

#: Of so many grids a page is too small for all of them rather than for one.
CROWD = 8
#: Strips of two layers are joined by lines where their cells keep such a part of their size.
LEAST = 0.55

Placing = Callable[[Contents, Measures], object]
#: Arrangements besides the flat one: what places the panels, and how linked cells are joined.
JOINED = {"isometric": (isometric, "planes"), "row": (row, "fan")}


def layout(
    scene: Contents,
    width: int,
    height: int,
    *,
    title: str | None = None,
    captions: bool = True,
    style: Style = USUAL,
    words: Catalogue | None = None,
    arrangement: str = "flat",
) -> Page:
    """Place a scene on a page of these px.

    Args:
        arrangement: how the panels stand: "isometric", "row", and any other name is flat. `choose` tells which suits.
        title: instead of the scene's own.
        captions: False leaves the captions and the step count out, and gives their room to the grids.
        style: the sizes of its type, and what appears.
        words: those in which the steps are counted, where the scene is in another language.

    Raises:
        ConvanimError: the page is too small for the scene; the sentence says what would do.

    Example:
        >>> from convanim.ops import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> sorted(layout(s, 1280, 720).places)
        ['kernel', 'output', 'stage']
    """
    if not captions:
        style = replace(style, captions=False, counter=False)
    scene = seen(scene, style)
    lines_said = scene.captions if style.captions else 0
    m = Measures(width, height, max(lines_said, int(style.counter)), style)
    big, body, small = m.sizes
    most = counted(scene.beats.steps, scene.beats.steps, words)
    counter_room = round(glyphs.width(most, small)) + m.of(30, 12) if style.counter else 0
    first = m.bottom + m.of(18, 10) + round(0.95 * body)
    lines = tuple(Text("", m.margin, first + i * m.caption_line, body) for i in range(lines_said))
    said = (scene.title if title is None else title) if style.title else ""
    heading = Text(said, m.margin, m.title_baseline, big, bold=True)
    try:
        wide = glyphs.width(heading.text, big, bold=True)
    except ConvanimError as error:
        where = "" if title is None else f"the title {title[:60]!r}: "
        raise ConvanimError(f"{where}{error.message}", error.hint) from None
    if wide > width - 2 * m.margin:
        if title is not None:
            raise ConvanimError(
                f"the title {title[:60]!r} is wider than the page", "use a shorter title or a larger --width"
            )
        heading = heading._replace(text=parts_of(scene.title)[-1])
    place, links = JOINED.get(arrangement, (grids, ""))
    if arrangement == "compare" and strips(scene) and _stands(scene, m):
        place, links = JOINED["row"]
    try:
        places, signs = place(scene, m)
    except TooSmall:
        raise _too_small(scene, m, place) from None
    detail = Text(scene.detail if style.detail else "", 0, heading.baseline, small)
    left = width - m.margin - round(glyphs.width(detail.text, small))
    free = heading.x + glyphs.width(heading.text, big, bold=True) + m.of(40, 16)
    detail = detail._replace(x=left) if left > free else detail._replace(text="", x=width - m.margin)
    return Page(
        width,
        height,
        heading,
        detail,
        _tabs(scene, m, small) if style.phases else (),
        places,
        signs,
        lines,
        width - 2 * m.margin - counter_room,
        Text("", width - m.margin, first + max(0, m.captions - 1) * m.caption_line, small),
        m.of(5, 2),
        style.counter,
        m.smallest,
        style.motion_colours,
        words,
        links,
    )


def _tabs(scene: Contents, m: Measures, size: int) -> tuple[Tab, ...]:
    """The phases along the top; the longest in one word where the page is narrow, none where even that is too wide."""
    gap, baseline = m.of(34, 12), m.phases_baseline
    names = [p.label for p in scene.phases]
    while True:
        texts = [f"{i}  {name}" for i, name in enumerate(names, start=1)]
        wides = [round(max(glyphs.width(t, size), glyphs.width(t, size, bold=True))) for t in texts]
        if sum(wides) + gap * (len(wides) - 1) <= m.width - 2 * m.margin:
            break
        long = [i for i, phase in enumerate(scene.phases) if names[i] != phase.short]
        if not long:
            return ()
        longest = max(long, key=wides.__getitem__)
        names[longest] = scene.phases[longest].short
    tabs, x = [], m.margin
    for text, wide in zip(texts, wides, strict=True):
        under = baseline + m.of(14, 6)
        line = Box(under, x, under + m.of(3, 2), x + wide)
        tabs.append(Tab(Text(text, x, baseline, size), Text(text, x, baseline, size, bold=True), line))
        x += wide + gap
    return tuple(tabs)


def _too_small(scene: Contents, m: Measures, place: Placing) -> ConvanimError:
    """What is said then: the smallest page of this shape that would do, so that typing it instead works."""
    rows, columns = (max(p.shape[i] for p in scene.panels) for i in (0, 1))
    told = f"a grid of {rows}×{columns} cells does not fit on a page of {m.width}×{m.height} px"
    if len(scene.panels) > CROWD:
        told = (
            f"{len(scene.panels)} grids of up to {rows}×{columns} cells do not fit on a page of {m.width}×{m.height} px"
        )
    wide, high = _ratio(m)
    less, enough = m.width, min(LARGEST_SIDE, LARGEST_SIDE * wide // high)
    if enough <= less or not _fits(scene, m, enough, place):
        return ConvanimError(told, "use a smaller input or fewer channels, or write the numbers with -o FILE.json")
    while enough - less > 1:
        middle = (less + enough) // 2
        less, enough = (less, middle) if _fits(scene, m, middle, place) else (middle, enough)
    # Both sides, as nobody knows here which were typed; so low a page was not, and follows from its width.
    side = f" --height {_shape(m, enough)}" if m.height >= SMALLEST_SIDE else ""
    return ConvanimError(told, f"use --width {enough}{side} or more, or a smaller input")


def _stands(scene: Contents, m: Measures) -> bool:
    """Whether there is room for the lines between strips without a number less, or much smaller cells."""
    with suppress(TooSmall):
        joined, alone = (place(scene, m)[0].values() for place in (row, grids))
        larger = min(p.pitch for p in joined) >= LEAST * min(p.pitch for p in alone)
        return larger and sum(p.number > 0 for p in joined) >= sum(p.number > 0 for p in alone)
    return False


def _fits(scene: Contents, m: Measures, width: int, place: Placing) -> bool:
    try:
        place(scene, Measures(width, _shape(m, width), m.captions, m.style))
    except TooSmall:
        return False
    return True


def _ratio(m: Measures) -> tuple[int, int]:
    """The shape of a page: its style's, where its sides differ from that by a rounding only."""
    style = m.style.width, m.style.height
    usual = round(m.width * style[1] / style[0]) == m.height or round(m.height * style[0] / style[1]) == m.width
    return style if usual else (m.width, m.height)


def _shape(m: Measures, width: int) -> int:
    """The height of a page of this width and of the shape of another one."""
    wide, high = _ratio(m)
    return round(width * high / wide)

"""The layout of a scene on a page: title, phases, grids and captions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from convanim.errors import ConvanimError
from convanim.language.words import Catalogue, join, parts_of, say, translate
from convanim.layers import times
from convanim.page import glyphs
from convanim.page.grids import Placed, TooSmall, grids
from convanim.page.lens import magnifying
from convanim.page.measures import LARGEST_SIDE, SMALLEST_SIDE, Measures
from convanim.page.opened import opened
from convanim.page.page import Page, Place, Tab, counted, middle
from convanim.page.row import row, strips
from convanim.page.seen import seen
from convanim.page.stories import told
from convanim.page.style import USUAL, Style
from convanim.page.texts import LEAST as SHRUNK
from convanim.page.texts import Box, Slot, Text
from convanim.page.tilted.isometric import isometric, many
from convanim.scene import Contents
from convanim.scene.frame import stories

#: From this number of grids on, a message about too small a page blames their number.
CROWD = 8
#: The minimum fraction of their size that grids keep beside a magnified window.
KEPT = 0.6
#: Strips of two layers are joined by lines if their cells keep at least this fraction of their size.
LEAST = 0.55
#: Fractions of a template's text sizes that a message may suggest for the scene to fit.
PARTS = 0.75, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02

Placing = Callable[[Contents, Measures], Placed]
#: Layouts besides the flat one: the function that places the panels, and how linked cells are joined.
JOINED: dict[str, tuple[Placing, str]] = {"isometric": (isometric, "planes"), "row": (row, "fan")}


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
    """Place a scene on a page of this size in px.

    Args:
        arrangement: the layout: "isometric", "row", or any other name for flat. `choose` selects one that suits. Planes
            of many cells are flat if tilted ones would be too small.
        title: a title instead of the scene's own.
        captions: if False, captions and step count are left out, and the grids get their room.
        style: the text sizes, and which parts appear.
        words: the catalogue for the step count, if the scene is in another language than English.

    Raises:
        ConvanimError: the page is too small for the scene; the hint says which size would do.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> sorted(layout(s, 1280, 720).places)
        ['kernel', 'output', 'stage']
    """
    if not captions:
        style = replace(style, captions=False, counter=False)
    scene = seen(scene, style)
    heads = stories(scene)
    lines_said = scene.captions - len(heads) if style.captions else 0
    m = Measures(width, height, max(lines_said, int(style.counter)), style, storied=bool(heads))
    place, links = JOINED.get(arrangement, (grids, ""))
    if place is isometric:
        place = partial(isometric, words=words)
    if arrangement == "compare" and strips(scene) and _stands(scene, m):
        place, links = JOINED["row"]

    def tried(m: Measures) -> Page:
        small = m.sizes[2]
        heading, lines = _heading(scene, m, title), _lines(scene, m, words)
        tabs = _tabs(scene, m, small) if style.phases else ()
        counter = Text("", m.width - m.margin, _first(m) + max(0, m.captions - 1) * m.caption_line, small)
        later = [
            *(slot.text for slot in lines),
            *[counter._replace(x=m.margin)] * style.counter,
        ]
        _within(m, [heading, *(tab.current for tab in tabs), *(text._replace(text="…") for text in later)])
        (places, signs), head = told(heads, m, partial(place, scene))
        if place is grids and not heads:
            places, signs = _magnified(scene, m, (places, signs), words)
        scales = [text for p in places.values() if p.scale for text in (p.scale[0], p.scale[2])]
        detail = _detail(scene, m, heading, shrunk(places, words))
        _within(m, [detail, *(p.title for p in places.values()), *scales, *signs, *head.titles])
        return Page(
            m.width,
            m.height,
            heading,
            detail,
            tabs,
            places,
            signs,
            (*head.captions, *lines),
            counter,
            m.of(5, 2),
            m.of(5, 2) if style.counter else 0,
            style.counter,
            m.smallest,
            style.motion_colours,
            words,
            links,
            head.titles,
            head.rules,
        )

    try:
        return tried(m)
    except TooSmall as error:
        if links == "planes" and many(scene):
            return layout(scene, width, height, title=title, captions=captions, style=style, words=words)
        raise _too_small(scene, m, tried, str(error)) from None


def shrunk(places: dict[str, Place], words: Catalogue | None = None) -> str:
    """What is said of grids with more cells than the page has pixels for them; "" if there are none."""
    fitted = (place for place in places.values() if place.per > 1)
    sizes = [(p.box.bottom - p.box.top, p.box.right - p.box.left)[1 if p.tall else 0 :] for p in fitted]
    return translate(say("input fitted to {size} pixels", size=times(sizes[0])), words) if sizes else ""


def _detail(scene: Contents, m: Measures, heading: Text, more: str) -> Text:
    """The layer's arguments in the corner, as much of them as there is room for beside the heading."""
    small, told = m.sizes[2], scene.detail if m.style.detail else ""
    free = heading.x + glyphs.width(heading.text, heading.size, bold=True) + m.of(40, 16)
    tried = [join("   ", [told, more]) if told and more else told or more, more or told]
    # What comes first counts most: which channels are drawn.
    parts = parts_of(told)
    tried += [join("   ", parts[:n]) for n in range(len(parts) - 1, 0, -1)]
    for text in tried:
        left = m.width - m.margin - round(glyphs.width(text, small))
        if left > free:
            return Text(text, left, heading.baseline, small)
    return Text("", m.width - m.margin, heading.baseline, small)


def _magnified(scene: Contents, m: Measures, plain: Placed, words: Catalogue | None) -> Placed:
    """The places with a magnified window, if it is needed, can be read and does not make the grids much smaller.

    Where a kernel has no room beside the window, the window alone shows the factors, unless a phase turns the kernel.
    """
    places, _ = plain
    if not m.style.numbers:
        return plain
    if found := opened(scene, places, m, words):
        return found, ()
    slides = all(phase.key in ("pad", "slide") for phase in scene.phases)
    for some in (scene, *[seen(scene, replace(m.style, kernel=False))] * slides):
        if larger := magnifying(some, places, words):
            with suppress(TooSmall):
                found, other = grids(larger, m)
                (source,) = {place.panel.magnifies[0] for place in found.values() if place.panel.magnifies}
                wide, before = (box.right - box.left for box in (found[source].box, places[source].box))
                factors = some is scene or all(place.note for place in found.values() if place.panel.magnifies)
                if wide >= KEPT * before and factors:
                    return found, other
    return plain


def _within(m: Measures, texts: Iterable[Text]) -> None:
    """Check that no text is cut off at an edge of the page.

    Raises:
        TooSmall: a text would be cut off.
    """
    for text in texts:
        box = text.box
        if text.text and (min(box.top, box.left) < 0 or box.bottom > m.height or box.right > m.width):
            raise TooSmall(f"{'type' if text.text == '…' else repr(text.text) + ' in type'} of {text.size} px")


def _heading(scene: Contents, m: Measures, title: str | None) -> Text:
    """The title; the scene's own is reduced to its sizes if the page is too narrow for all of it.

    Raises:
        ConvanimError: the given title has a character that no font has, or is wider than the page.
        TooSmall: the page is too narrow for the sizes alone.
    """
    said, size, free = scene.title if title is None else title, m.sizes[0], m.width - 2 * m.margin
    heading = Text(said if m.style.title else "", m.margin, m.title_baseline, size, bold=True)
    if heading.text and size > m.height:  # measuring such large text is slow
        raise TooSmall(f"a title in type of {size} px")
    try:
        wide = glyphs.width(heading.text, size, bold=True)
    except ConvanimError as error:
        where = "" if title is None else f"the title {title[:60]!r}: "
        raise ConvanimError(f"{where}{error.args[0]}", error.args[1]) from None
    if wide <= free:
        return heading
    if title is not None:
        raise ConvanimError(
            f"the title {title[:60]!r} is wider than the page", "use a shorter `title` or a larger `width`"
        )
    heading = heading._replace(text=parts_of(scene.title)[-1])
    if glyphs.width(heading.text, size, bold=True) > free:
        raise TooSmall(f"the title {heading.text!r} in type of {size} px")
    return heading


def _first(m: Measures) -> int:
    """The baseline of the first caption."""
    return m.bottom + m.of(18, 10) + round(0.95 * m.sizes[1])


def _lines(scene: Contents, m: Measures, words: Catalogue | None) -> tuple[Slot, ...]:
    """The places of the captions at the foot of the page, as wide as the step count leaves them.

    Raises:
        TooSmall: there is no room even for an ellipsis.
    """
    _, body, small = m.sizes
    most, free = counted(scene.beats.steps, scene.beats.steps, words), m.width - 2 * m.margin
    if max(small * m.style.counter, body * bool(scene.captions and m.style.captions)) > m.height:
        raise TooSmall(f"type of {max(body, small)} px")
    if m.style.counter:
        count = round(glyphs.width(most, small))
        if count > free:
            raise TooSmall(f"the step count in type of {small} px")
        free -= count + m.of(30, 12)
    count = scene.captions - len(stories(scene)) if m.style.captions else 0
    if count and glyphs.width("…", max(m.smallest, round(SHRUNK * body))) > free:
        raise TooSmall(f"a caption in type of {body} px")
    return tuple(Slot(Text("", m.margin, _first(m) + i * m.caption_line, body), free, m.smallest) for i in range(count))


def _tabs(scene: Contents, m: Measures, size: int) -> tuple[Tab, ...]:
    """The phases along the top: the longest names are shortened to one word on a narrow page, or all are left out."""
    gap, baseline = m.of(44, 12), m.phases_baseline
    digit = max(m.smallest, round(0.72 * size))
    dot = round(1.8 * digit)
    beside = dot + round(0.5 * size)
    names, short = [_capital(p.label) for p in scene.phases], [_capital(p.short) for p in scene.phases]
    for _ in range(len(names) + 1):  # each pass shortens one more name
        wides = [round(max(glyphs.width(t, size), glyphs.width(t, size, bold=True))) + beside for t in names]
        if sum(wides) + gap * (len(wides) - 1) <= m.width - 2 * m.margin:
            break
        long = [i for i, name in enumerate(names) if name != short[i]]
        if not long:
            return ()
        longest = max(long, key=wides.__getitem__)
        names[longest] = short[longest]
    tabs, x = [], m.margin
    top = baseline - round((dot + glyphs.CAPITALS * size) / 2)
    for i, (text, wide) in enumerate(zip(names, wides, strict=True), start=1):
        number = Text(str(i), x + round((dot - glyphs.width(str(i), digit, bold=True)) / 2), 0, digit, bold=True)
        number = number._replace(baseline=top + middle(dot, digit))
        name = Text(text, x + beside, baseline, size)
        tabs.append(Tab(Box(top, x, top + dot, x + dot), number, name, name._replace(bold=True)))
        x += wide + gap
    return tuple(tabs)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _too_small(scene: Contents, m: Measures, tried: Callable[[Measures], object], what: str) -> ConvanimError:
    """The error for a page that is too small, with the smallest page of this shape that would do.

    Args:
        tried: a function that places everything on another page.
        what: the text that does not fit; "" if it is the grids.
    """

    def fits(other: Measures) -> bool:
        try:
            tried(other)
        except TooSmall:
            return False
        return True

    def page(width: int) -> Measures:
        return replace(m, width=width, height=_shape(m, width))

    rows, columns = (max(p.shape[i] for p in scene.panels) for i in (0, 1))
    told = what or f"a grid of {rows}×{columns} cells"
    do = "does"
    if not what and len(scene.panels) > CROWD:
        told, do = f"{len(scene.panels)} grids of up to {rows}×{columns} cells", "do"
    told = f"{told} {do} not fit on a page of {m.width}×{m.height} px"
    wide, high = _ratio(m)
    largest, less = min(LARGEST_SIDE, LARGEST_SIDE * wide // high), m.width
    # Small pages first, as they are faster to lay out.
    larger = [min(m.width << n, largest) for n in range(1, 1 + (largest // m.width).bit_length()) if m.width < largest]
    enough = next((width for width in larger if fits(page(width))), 0)
    if not enough:
        smaller = next((style for part in PARTS if fits(replace(m, style=(style := _less(m.style, part))))), None)
        if not smaller:
            return ConvanimError(
                told, "use a smaller input or fewer channels, or write the numbers with `save('FILE.json')`"
            )
        sizes = f"title = {smaller.title_size}, caption = {smaller.caption_size}, small = {smaller.small_size}"
        least = f", smallest = {smaller.smallest:g}" if smaller.smallest else ""
        return ConvanimError(told, f"use smaller type under [type] in the template, as {sizes}{least}")
    while enough - less > 1:
        middle = (less + enough) // 2
        less, enough = (less, middle) if fits(page(middle)) else (middle, enough)
    # Name both sides, as either may have been typed; a lower page must have followed from its width.
    side = f", height={_shape(m, enough)}" if m.height >= SMALLEST_SIDE else ""
    return ConvanimError(told, f"use `width={enough}{side}` or more, or a smaller input")


def _less(style: Style, part: float) -> Style:
    """A style with its text sizes scaled by a factor, within the limits of a template."""
    title, caption, small = (
        max(6, round(part * size)) for size in (style.title_size, style.caption_size, style.small_size)
    )
    return replace(
        style, title_size=title, caption_size=caption, small_size=small, smallest=round(part * style.smallest, 1)
    )


def _stands(scene: Contents, m: Measures) -> bool:
    """Whether lines between strips fit without losing numbers or making cells much smaller."""
    with suppress(TooSmall):
        joined, alone = (told(stories(scene), m, partial(place, scene))[0][0].values() for place in (row, grids))
        larger = min(p.pitch for p in joined) >= LEAST * min(p.pitch for p in alone)
        return larger and sum(p.number > 0 for p in joined) >= sum(p.number > 0 for p in alone)
    return False


def _ratio(m: Measures) -> tuple[int, int]:
    """The aspect ratio of a page: its style's, if the sides differ from that by rounding only."""
    style = m.style.width, m.style.height
    usual = round(m.width * style[1] / style[0]) == m.height or round(m.height * style[0] / style[1]) == m.width
    return style if usual else (m.width, m.height)


def _shape(m: Measures, width: int) -> int:
    """The height of a page of this width and the shape of another page."""
    wide, high = _ratio(m)
    return round(width * high / wide)

"""Finding the places: as large as fits, in rows, in the middle of the room there is.

Knows scenes and how wide text is. Must not know colours, or what a frame shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from convanim import glyphs
from convanim.errors import ConvanimError
from convanim.layout.measures import LARGEST_SIDE, LINES_FROM, SMALLEST_CELL, Measures
from convanim.layout.page import SMALLEST, Box, Page, Place, Tab, Text, middle
from convanim.scene import Scene
from convanim.scene.frame import Panel


def layout(scene: Scene, width: int, height: int, *, title: str | None = None, captions: bool = True) -> Page:
    """Place a scene on a page of these px.

    Args:
        title: instead of the scene's own.
        captions: False leaves the captions and the step count out, and gives their room to the grids.

    Raises:
        ConvanimError: the page is too small for the scene; the sentence says what would do.

    Example:
        >>> from convanim.ops import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> sorted(layout(s, 1280, 720).places)
        ['kernel', 'output', 'stage']
    """
    m = Measures(width, height, scene.captions if captions else 0)
    big, body, small = m.sizes
    counter_room = round(glyphs.width(f"step {scene.beats.steps} / {scene.beats.steps}", small)) + m.of(30, 12)
    first = m.bottom + m.of(18, 10) + round(0.95 * body)
    lines = tuple(Text("", m.margin, first + i * m.caption_line, body) for i in range(m.captions))
    heading = Text(scene.title if title is None else title, m.margin, m.of(62, 26), big, bold=True)
    if glyphs.width(heading.text, big, bold=True) > width - 2 * m.margin:
        if title is not None:
            raise ConvanimError(
                f"the title {title[:60]!r} is wider than the page", "use a shorter one, or a larger --width"
            )
        heading = heading._replace(text=scene.title.split("   ")[-1])
    try:
        places, signs = _places(scene, m)
    except _TooSmall:
        raise _too_small(scene, m) from None
    detail = Text(scene.detail, 0, heading.baseline, small)
    left = width - m.margin - round(glyphs.width(detail.text, small))
    free = heading.x + glyphs.width(heading.text, big, bold=True) + m.of(40, 16)
    detail = detail._replace(x=left) if left > free else detail._replace(text="", x=width - m.margin)
    return Page(
        width,
        height,
        heading,
        detail,
        _tabs(scene, m, small),
        places,
        signs,
        lines,
        width - 2 * m.margin - counter_room,
        Text("", width - m.margin, lines[-1].baseline if lines else 0, small),
        m.of(5, 2),
    )


def _tabs(scene: Scene, m: Measures, size: int) -> tuple[Tab, ...]:
    """The phases along the top; the longest in one word where the page is narrow, none where even that is too wide."""
    gap, baseline = m.of(34, 12), m.of(108, 46)
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


def _places(scene: Scene, m: Measures) -> tuple[dict[str, Place], tuple[Text, ...]]:
    """The panels in their rows: as large as fits; a foot under the grids only where a shade needs its scale."""
    places, signs = _stack(scene, m, 0)
    if any(place.shaded for place in places.values()):
        # On a page too narrow for the scales the grids stay without them.
        with suppress(_TooSmall):
            return _stack(scene, m, round(1.9 * m.sizes[2]))
    return places, signs


def _stack(scene: Scene, m: Measures, foot: int) -> tuple[dict[str, Place], tuple[Text, ...]]:
    """The rows of panels above each other, in the middle of the room there is."""
    spare = m.of(10, 4)
    room = m.bottom - m.top - len(scene.rows) * (m.title_line + foot) - (len(scene.rows) - 1) * spare
    tallest = [max(p.shape[0] for p in row) for row in scene.rows]
    shares = [room * t // sum(tallest) for t in tallest]
    pitches = [_pitches(row, share, m, scales=foot > 0) for row, share in zip(scene.rows, shares, strict=True)]
    if scene.traces and len(scene.traces[0].axes) == 1:
        pitches = _alike(scene, pitches, m)
    worst = min(p for row in pitches for p in row)
    if worst < SMALLEST_CELL:
        raise _TooSmall

    places: dict[str, Place] = {}
    signs: list[Text] = []
    used = [
        max(p * panel.shape[0] for p, panel in zip(*both, strict=True))
        for both in zip(pitches, scene.rows, strict=True)
    ]
    y = m.top + max(0, (room - sum(used)) // (len(used) + 1))
    between = spare + max(0, (room - sum(used)) // (len(used) + 1))
    for row, ps, high in zip(scene.rows, pitches, used, strict=True):
        xs = _across(row, ps, m, scales=foot > 0)
        for panel, pitch, x in zip(row, ps, xs, strict=True):
            top = y + m.title_line + (high - pitch * panel.shape[0]) // 2
            places[panel.name] = _place(panel, x, top, pitch, m, scales=foot > 0)
            if panel.sign:
                size = m.of(44, 18)
                gap = _gap(panel, m)
                before = places[row[row.index(panel) - 1].name].box.right if panel is not row[0] else x - gap
                left = round((before + x - glyphs.width(panel.sign, size)) / 2)
                signs.append(Text(panel.sign, left, y + m.title_line + middle(high, size), size))
        y += m.title_line + high + foot + between
    return places, tuple(signs)


def _alike(scene: Scene, pitches: list[list[int]], m: Measures) -> list[list[int]]:
    """One width of cell for the strips that stand above each other, so that the eye can go straight down."""
    pairs = [list(zip(row, ps, strict=True)) for row, ps in zip(scene.rows, pitches, strict=True)]
    same = min(pitch for row in pairs for panel, pitch in row if not panel.aside)
    aside = max(same, m.of(46, 20))
    return [[min(pitch, aside) if panel.aside else same for panel, pitch in row] for row in pairs]


def _pitches(row: Sequence[Panel], high: int, m: Measures, *, scales: bool) -> list[int]:
    """The largest cells with which a row of panels fits into the width and into this height."""
    cap = m.of(84, 12)
    walked = [p for p in row if not p.aside]
    for most in range(cap, 0, -1):
        pitches = {p.name: min(most, high // p.shape[0]) for p in walked}
        # What is looked up need not be larger than what is walked over, unless it could not be read then.
        aside = max(min(pitches.values()), m.of(46, 20)) if walked else cap
        pitches |= {p.name: min(most, aside, high // p.shape[0]) for p in row if p.aside}
        ordered = [pitches[p.name] for p in row]
        if sum(_slots(row, ordered, m, scales=scales)) + _gaps(row, m) <= m.width - 2 * m.margin:
            return ordered
    return [0] * len(row)


def _slots(row: Sequence[Panel], pitches: Sequence[int], m: Measures, *, scales: bool) -> list[int]:
    """The width that each panel takes: its grid, the longest of its titles, or a shade's scale."""
    slots = []
    for p, pitch in zip(row, pitches, strict=True):
        words = [round(glyphs.width(t, m.sizes[2], bold=True)) for t in p.titles]
        side = pitch - _line(pitch, m)
        if scales and side > 0 and p.colours is None and not _sizes(p, side, m)[0]:
            _, _, text = _scale(p, *_range(p), 0, 0, m.sizes[2], m)
            words.append(text.box.right)
        slots.append(max(p.shape[1] * pitch + m.of(2), *words))
    return slots


def _gap(panel: Panel, m: Measures) -> int:
    """The least room before a panel: more where a sign stands in it."""
    return m.of(76, 30) if panel.sign else m.of(44, 16)


def _gaps(row: Sequence[Panel], m: Measures) -> int:
    # A sign that begins a row takes its room on both sides, so that the grid stays in the middle.
    return sum(_gap(p, m) for p in row[1:]) + (2 * _gap(row[0], m) if row[0].sign else 0)


def _across(row: Sequence[Panel], pitches: Sequence[int], m: Measures, *, scales: bool) -> list[int]:
    """The left edges of a row's panels: spread over the width, but not further apart than the eye likes to jump."""
    slots = _slots(row, pitches, m, scales=scales)
    free = m.width - 2 * m.margin - sum(slots)
    gap = min(free // max(1, len(row) - 1), m.of(170, 40)) if len(row) > 1 else 0
    x = m.margin + (free - gap * (len(row) - 1)) // 2
    xs = []
    for slot in slots:
        xs.append(x)
        x += slot + gap
    return xs


def _place(panel: Panel, x: int, y: int, pitch: int, m: Measures, *, scales: bool) -> Place:
    line = _line(pitch, m)
    small = m.sizes[2]
    title = Text("", x, y - round(0.55 * small), small, bold=True)
    number, note = _sizes(panel, pitch - line, m) if panel.colours is None else (0, 0)
    low, high = _range(panel)
    scale = (
        None
        if number or not scales or panel.colours is not None
        else _scale(panel, low, high, x, y + panel.shape[0] * pitch, small, m)
    )
    return Place(panel, x, y, pitch, line, number, note, title, scale, low, high)


def _line(pitch: int, m: Measures) -> int:
    """The width of the grid lines between cells of this pitch."""
    return m.of(2) if pitch >= m.of(24, 16) else 1 if pitch >= LINES_FROM else 0


def _sizes(panel: Panel, side: int, m: Measures) -> tuple[int, int]:
    """The sizes of numbers and notes in cells of this side; 0 for what cannot be read."""
    widest = panel.numerals.widest(panel.values)
    # Bold, because a number is bold while it is new.
    per_size = glyphs.width(widest, 100, bold=True) / 100
    most = min(m.of(30), int(0.9 * side / per_size), int(0.42 * side if not panel.notes else 0.38 * side + 0.5))
    number = most if most >= SMALLEST else 0
    if not number or not panel.notes:
        return number, 0
    note = max(SMALLEST, round(0.23 * side))
    note = min(note, int((side - 4) / (glyphs.width(panel.notes, 100) / 100)))
    if note < SMALLEST:
        return number, 0
    top = side - max(1, round(0.07 * side)) - round(glyphs.CAPITALS * note)
    for size in range(number, SMALLEST, -1):  # a smaller number may leave room for the note under it
        if middle(side, size) + 1 < top:
            return size, note
    return number, 0


def _range(panel: Panel) -> tuple[float, float]:
    """The values that the ends of a shade stand for: of counts from nothing on, else what there is."""
    return (0, panel.heat) if panel.heat else (panel.values.min().item(), panel.values.max().item())


def _scale(
    panel: Panel, least: float, most: float, x: int, bottom: int, size: int, m: Measures
) -> tuple[Text, Box, Text]:
    """Under a shaded grid: its least value, a bar from low to high, its greatest value."""
    if least < 0 < most:  # as far to one side as to the other
        most = max(-least, most)
        least = -most
    low, high = panel.numerals.text(least), panel.numerals.text(most)
    baseline = bottom + round(1.55 * size)
    tall, wide, gap = round(0.7 * size), m.of(96, 48), m.of(8, 4)
    left = x + round(glyphs.width(low, size)) + gap
    bar = Box(baseline - tall, left, baseline, left + wide)
    return Text(low, x, baseline, size), bar, Text(high, left + wide + gap, baseline, size)


class _TooSmall(Exception):
    """The scene does not fit on the page."""


def _too_small(scene: Scene, m: Measures) -> ConvanimError:
    """What is said then: the narrowest page of this shape that would do."""
    rows, columns = (max(p.shape[i] for p in scene.panels) for i in (0, 1))
    told = f"a grid of {rows}×{columns} cells does not fit on a page of {m.width}×{m.height} px"
    low, high = m.width, min(LARGEST_SIDE, LARGEST_SIDE * m.width // m.height)
    if not _fits(scene, m, high):
        return ConvanimError(told, "use a smaller input, or -o FILE.json for the numbers")
    while high - low > 10:
        middle_width = (low + high) // 2
        low, high = (low, middle_width) if _fits(scene, m, middle_width) else (middle_width, high)
    side = f" --height {round(high * m.height / m.width)}" if m.height * 16 != m.width * 9 else ""
    return ConvanimError(told, f"use --width {high}{side} or more, or a smaller input")


def _fits(scene: Scene, m: Measures, width: int) -> bool:
    try:
        _stack(scene, Measures(width, round(width * m.height / m.width), m.captions), 0)
    except _TooSmall:
        return False
    return True

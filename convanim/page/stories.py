"""Two stories on one page: each has rows of its own with its title and its caption, and a hairline stands between them.

The titles and captions stand in a column at the left, or above the rows where that leaves more room for cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from convanim.page import glyphs
from convanim.page.grids import Placed, TooSmall
from convanim.page.measures import Measures
from convanim.page.scales import Ends, ends, rules
from convanim.page.texts import Box, Slot, Text, cut, wrapped

#: The widths of the column as parts of the page, the widest one first.
COLUMNS = 0.24, 0.2, 0.16
#: The widest title above a row, as a part of the page, that leaves its caption room beside it.
BESIDE = 0.45
#: Cells in the column's arrangement are taken up to this fraction of their size in the other one.
WORTH = 0.95


class Heads(NamedTuple):
    """What belongs to the stories besides their grids.

    Attributes:
        titles: the lines of their titles.
        rules: the hairline between them.
        captions: where each has its caption.
    """

    titles: tuple[Text, ...] = ()
    rules: tuple[Box, ...] = ()
    captions: tuple[Slot, ...] = ()


def told(titles: Sequence[str], m: Measures, place: Callable[[Measures], Placed]) -> tuple[Placed, Heads]:
    """The panels of two stories, and what belongs to them, in the arrangement with the larger cells.

    Args:
        titles: of the stories; none if the page has a single one.
        place: a function that places the panels on a page.

    Raises:
        TooSmall: there is no room for one of them.
    """
    if not titles:
        return place(m), Heads()
    best: tuple[Placed, Heads] | None = None
    for tried in (*(_beside(titles, m, part) for part in COLUMNS), _above(titles, m)):
        with suppress(TooSmall):
            placed = place(tried)
            found = [ends(placed[0].values(), story) for story in range(len(titles))]
            heads = (_in_column if tried.column else _on_lines)(titles, found, tried)
            if best is None or _read(placed) > _read(best[0], 1 / WORTH):
                best = placed, heads
    if best is None:
        raise TooSmall
    return best


def _read(placed: Placed, part: float = 1) -> tuple[int, float]:
    places = placed[0].values()
    return sum(p.number > 0 for p in places), part * min(p.pitch for p in places)


def _beside(titles: Sequence[str], m: Measures, part: float) -> Measures:
    """The page with a column of this width that is wide enough for each word of the titles."""
    body = m.sizes[1]
    words = [round(glyphs.width(word, body, bold=True)) for title in titles for word in title.split()]
    wide = max([0, *(words if m.style.panel_titles else ()), *([round(part * m.room)] if m.style.captions else ())])
    return replace(m, column=wide + m.of(40, 14) if wide else 0)


def _above(titles: Sequence[str], m: Measures) -> Measures:
    """The page with a line above each story, or two if a title leaves its caption too little room."""
    lines = 0
    if m.style.panel_titles or m.style.captions:
        lines = 2 if m.style.captions and _widest(titles, m) > BESIDE * m.room else 1
    return replace(m, head=lines * m.caption_line + m.of(6, 2) if lines else 0)


def _widest(titles: Sequence[str], m: Measures) -> int:
    if not m.style.panel_titles:
        return 0
    return max(round(glyphs.width(title, m.sizes[1], bold=True)) for title in titles)


def _in_column(titles: Sequence[str], found: Sequence[Ends], m: Measures) -> Heads:
    """The titles and captions in the column.

    Raises:
        TooSmall: the rows of a story are lower than its title and a line of its caption.
    """
    body, line = m.sizes[1], m.caption_line
    wide = m.column - m.of(40, 14)
    between = tuple(rules(found, m))
    feet = [*(rule.top - m.of(6, 2) for rule in between), m.bottom]
    out: list[Text] = []
    slots: list[Slot] = []
    for title, story, foot in zip(titles, found, feet, strict=True):
        baseline = story.baseline + round(glyphs.CAPITALS * (body - m.sizes[2]))  # capitals begin at one height
        for text in wrapped(title, body, wide, bold=True) if m.style.panel_titles else ():
            out.append(Text(text, m.margin, baseline, body, bold=True))
            baseline += line
        baseline += m.of(6, 2) if m.style.panel_titles else 0
        most = 1 + (foot - round(0.24 * body) - baseline) // line
        if (out[-1].box.bottom > foot if out else False) or (m.style.captions and most < 1):
            raise TooSmall
        slots.append(Slot(Text("", m.margin, baseline, body), wide, m.smallest, most))
    return Heads(tuple(out), between, tuple(slots) if m.style.captions else ())


def _on_lines(titles: Sequence[str], found: Sequence[Ends], m: Measures) -> Heads:
    body, line, widest = m.sizes[1], m.caption_line, _widest(titles, m)
    lower = widest > BESIDE * m.room  # the caption has a line of its own
    out: list[Text] = []
    slots: list[Slot] = []
    for title, (top, _, _) in zip(titles, found, strict=True):
        baseline = top - m.of(6, 2) - round(0.3 * body)
        own = baseline - line if lower and m.style.captions else baseline
        if m.style.panel_titles:
            out.append(Text(cut(title, body, m.room, bold=True), m.margin, own, body, bold=True))
        x = m.margin if lower or not widest else m.margin + widest + m.of(30, 10)
        slots.append(Slot(Text("", x, baseline, body), m.width - m.margin - x, m.smallest))
    return Heads(tuple(out), tuple(rules(found, m)), tuple(slots) if m.style.captions else ())

"""The row layout of scenes with one axis: strips above each other, with room for the lines that join their cells."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from convanim.errors import ConvanimError
from convanim.page import glyphs
from convanim.page.grids import Placed, TooSmall, fitted
from convanim.page.measures import Measures
from convanim.page.page import Place
from convanim.page.scales import above
from convanim.page.texts import Text
from convanim.scene import Contents
from convanim.scene.frame import Panel, Rows

#: The room for lines between two strips, as parts of the usual one.
SHORTER = 1, 0.75, 0.6, 0.45


@dataclass(frozen=True)
class Strips:
    """The rows of a scene of one axis.

    Attributes:
        rows: from top to bottom.
        joined: the numbers of rows whose cells are linked to those of the row below.
        partner: for each linked panel, the name of the panel that it is linked to.
    """

    rows: Rows
    joined: tuple[int, ...]
    partner: dict[str, str]

    def under(self, number: int) -> bool:
        """Whether lines reach a row from above and none leave it below: then its titles stand under it."""
        return number - 1 in self.joined and number not in self.joined


def strips(scene: Contents) -> Strips | None:
    """The rows in this layout; None if no lines would join them.

    Panels that are looked up, such as a kernel, come first, out of the way of the lines.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> found = strips(scene(Conv(kernel_size=2).trace([1, 2, 3], [1, 1])))
        >>> [[panel.name for panel in row] for row in found.rows], found.joined
        ([['kernel'], ['stage'], ['output']], (1,))
    """
    if not scene.traces or len(scene.traces[0].axes) != 1 or len(scene.blocks) != 1 or not scene.beats.steps:
        return None
    found = scene.links(0)
    # Each of two layers has strips of its own.
    groups = [(p.group, p.layer) for p in scene.panels if p.group]
    if not found or len(groups) != len(set(groups)):
        return None  # lines to one of several planes would cross the others
    ends = {name for link in found for name in (link.panel, link.other)}
    (rows,) = scene.blocks
    alone = [row for row in rows if len(row) == 1 and row[0].aside and row[0].name not in ends]
    first = (tuple(replace(row[0], sign="") for row in alone),) if alone else ()
    rows = (*first, *(row for row in rows if row not in alone))
    at = {p.name: number for number, row in enumerate(rows) for p in row}
    pairs = [sorted((at[link.panel], at[link.other])) for link in found]
    if any(below - above != 1 for above, below in pairs):
        return None
    partner = {link.panel: link.other for link in found} | {link.other: link.panel for link in found}
    return Strips(rows, tuple(sorted({above for above, _ in pairs})), partner)


@dataclass(frozen=True)
class _Lower(Measures):
    """The lengths of a page whose grids begin lower down, to leave room for lines."""

    lines: int = 0

    @property
    def top(self) -> int:
        return super().top + self.lines


def row(scene: Contents, m: Measures) -> Placed:
    """The panels' places, and the signs between them.

    Raises:
        ConvanimError: the scene has no linked strips.
        TooSmall: cells would be too small to be distinguished.
    """
    found = strips(scene)
    if found is None:
        raise ConvanimError("`layout` 'row' needs one input strip and one output strip", 'use `layout="flat"`')
    usual = m.of(64, 26) if len(found.joined) == 1 else m.of(48, 20)
    best: Placed | None = None
    for part in SHORTER:  # shorter lines may leave room for numbers, or for larger cells
        with suppress(TooSmall):
            placed = _spread(found, m, round(part * usual))
            if best is None or _seen(placed) > _seen(best):
                best = placed
        if best and all(place.number for place in best[0].values()):
            break
    if best is None:
        raise TooSmall
    return best


def _seen(placed: Placed) -> tuple[int, int]:
    """The number of strips whose numbers can be read, and the size of the smallest cells, in fours of px."""
    places = placed[0].values()
    return sum(place.number > 0 for place in places), min(place.pitch for place in places) // 4


def _spread(found: Strips, m: Measures, least: int) -> Placed:
    """The places with at least this much room for the lines between two strips, px.

    Raises:
        TooSmall: cells would be too small to be distinguished.
    """
    # A small gap keeps texts from touching.
    room = least * len(found.joined) + m.of(10, 2) * (len(found.rows) + 1 - len(found.joined))
    lower = _Lower(
        m.width, m.height, m.captions, m.style, strips=True, column=m.column, head=m.head, storied=m.storied, lines=room
    )
    places, signs = fitted(((found.rows,),), lower)
    tops, bottoms = zip(*(_ends(found, number, places, m) for number in range(len(found.rows))), strict=True)
    heights = [bottom - top for top, bottom in zip(tops, bottoms, strict=True)]
    free = m.bottom - m.top - sum(heights)
    rest = max(0, free - least * len(found.joined))
    between = least + min(m.of(110, 44), 6 * rest // (10 * len(found.joined)))
    # The remaining height is shared by the other gaps, including those at the top and bottom.
    other = max(0, free - between * len(found.joined)) // (len(heights) + 1 - len(found.joined))
    moved: dict[str, Place] = {}
    moved_signs: list[Text] = []
    shifts = _shifts(found, places, m) if len(found.joined) > 1 else [0] * len(heights)
    y = m.top + other
    for number, high in enumerate(heights):
        by = y - tops[number]
        shift = shifts[number]
        for panel in found.rows[number]:
            place = places[panel.name]
            beside = shift
            if len(found.rows[number]) == len(found.joined) == 1:
                beside = _beside(place, places[found.partner.get(panel.name, panel.name)], m)
            if place.scale and number in found.joined:
                place = _scaled_above(place, found.rows[number], places, m)
            moved[panel.name] = _moved(place, beside, by, m, under=found.under(number))
        for sign in signs:
            if tops[number] - m.title_line <= sign.baseline <= bottoms[number]:
                moved_signs.append(sign.moved(shift, by))
        y += high + (between if number in found.joined else other)
    return moved, tuple(moved_signs)


def _ends(found: Strips, number: int, places: dict[str, Place], m: Measures) -> tuple[int, int]:
    """The top and bottom of a row with its titles and scales, before it is moved."""
    some = [places[p.name] for p in found.rows[number]]
    under = found.under(number)
    top = min(p.box.top for p in some) - (m.of(5, 2) if under else m.title_line)
    if m.storied and (not number or found.rows[number - 1][0].layer != some[0].panel.layer):
        top -= m.head + (m.of(20, 8) if number else 0)
    bottom = max(p.box.bottom for p in some) + m.of(5, 2) + (m.title_line if under else 0)
    scaled = any(p.scale for p in some) and number not in found.joined
    return top, bottom + (round(1.9 * m.sizes[2]) if scaled else 0)


def _beside(place: Place, partner: Place, m: Measures) -> int:
    """The shift to the right that centres a strip on its partner, px."""
    wanted = (partner.box.left + partner.box.right - place.box.left - place.box.right) // 2
    return max(min(wanted, m.width - m.margin - _right(place)), min(0, m.left - place.box.left))


def _shifts(found: Strips, places: dict[str, Place], m: Measures) -> list[int]:
    """The shift to the right of each row, px, so that all linked pairs are centred on the page, or as nearly as
    possible for every row."""
    middles, ends = [], []
    for panels in found.rows:
        row = [places[p.name] for p in panels]
        joined = [place for place in row if place.panel.name in found.partner] or row[:1]
        middles.append((joined[0].box.left + joined[0].box.right) // 2)
        least = min(0, m.left - min(place.box.left for place in row))
        ends.append((least, max(least, m.width - m.margin - max(map(_right, row)))))
    lowest, highest = (
        pick(at + end[i] for at, end in zip(middles, ends, strict=True)) for i, pick in enumerate((max, min))
    )
    if m.column and lowest > highest:  # without the column there is room for one axis
        raise TooSmall
    axis = max(lowest, min(m.left + m.room // 2, highest))
    return [max(least, min(axis - at, most)) for at, (least, most) in zip(middles, ends, strict=True)]


def _right(place: Place) -> int:
    """The right edge of a strip with its title and its scale, px."""
    words = [glyphs.width(title, place.title.size, bold=True) for title in place.panel.titles]
    return max(place.box.right, round(place.x + max(words, default=0)), place.scale[2].box.right if place.scale else 0)


def _scaled_above(place: Place, row: Sequence[Panel], places: dict[str, Place], m: Measures) -> Place:
    """A strip with its scale beside its title, as there are lines below it; without one if there is no room."""
    explained = above(place, m)
    free = min((places[p.name].x for p in row if places[p.name].x > place.x), default=m.width - m.margin)
    return replace(place, scale=explained if explained[2].box.right <= free else None)


def _moved(place: Place, beside: int, by: int, m: Measures, *, under: bool) -> Place:
    """A place moved right and down, with its title below it if lines come from above."""
    small = m.sizes[2]
    x, y = place.x + beside, place.y + by
    title = place.title._replace(x=place.title.x + beside)
    title, further = title._replace(baseline=title.baseline + by), by
    if under:
        foot = place.box.bottom + by + m.of(5, 2)
        title, further = title._replace(baseline=foot + round(1.05 * small)), by + m.title_line
    return replace(place, x=x, y=y, title=title, scale=place.scale and place.scale.moved(beside, further))

"""Adds scales (legends) for shaded grids in empty parts of the page, without moving or shrinking anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from convanim.page import glyphs
from convanim.page.kin import Kin, scale
from convanim.page.measures import Measures
from convanim.page.page import Place, Scale
from convanim.page.texts import Box, Text


def explained(places: dict[str, Place], signs: Sequence[Text], kin: Kin) -> dict[str, Place]:
    """The places, each shaded grid with a scale if there is room for one: under the grid, beside its title, or upright
    at its side.

    Grids that share a range share one scale, which stands at one of them that has room.
    """
    if not kin.m.style.scales:
        return places
    places = dict(places)
    for panel in kin.panels.values():
        alike = [places[p.name] for p in kin.alike(panel) if places[p.name].shaded]
        if any(place.scale for place in alike):
            continue
        found = ((place, spot) for place in alike for spot in _spots(place, kin.m) if _free(spot, places, signs, kin.m))
        for place, spot in found:
            places[place.panel.name] = replace(place, scale=spot)
            break
    return places


def above(place: Place, m: Measures) -> Scale:
    """The scale of a grid on the line of its title, to the right of its longest title."""
    x = round(place.title.x + _titled(place)) + m.of(30, 12)
    found = scale(place.panel, place.low, place.high, x, 0, m)
    return found.moved(0, place.title.baseline - found.low.baseline)


def beside(place: Place, m: Measures) -> Iterator[Scale]:
    """An upright scale to the right of a grid, and one to its left; the least value is at the foot."""
    low, _, high = scale(place.panel, place.low, place.high, 0, 0, m)
    size = low.size
    thick, gap, apart = round(0.5 * size), m.of(9, 4), m.of(5, 3)
    tall = max(place.box.bottom - place.box.top, round(2.6 * size))
    top = (place.box.top + place.box.bottom - tall) // 2
    words = max(text.box.right - text.box.left for text in (low, high))
    for x in (place.box.right + gap, place.box.left - gap - words - apart - thick):
        upright = Box(top, x, top + tall, x + thick)
        pen = upright.right + apart
        at = top + round(glyphs.CAPITALS * size)
        yield Scale(low._replace(x=pen, baseline=top + tall), upright, high._replace(x=pen, baseline=at))


def _spots(place: Place, m: Measures) -> Iterator[Scale]:
    """The positions where a scale may stand, the default one first."""
    yield scale(place.panel, place.low, place.high, place.x, place.box.bottom - place.line, m)
    yield above(place, m)
    yield from beside(place, m)


def _free(spot: Scale, places: dict[str, Place], signs: Sequence[Text], m: Measures) -> bool:
    """Whether a position for a scale is free and not too close to anything else."""
    near = m.of(8, 4)
    box = spot.box
    box = Box(box.top - near // 2, box.left - near, box.bottom + near // 2, box.right + near)
    inside = m.margin // 2 <= box.left and box.right <= m.width - m.margin // 2
    inside = inside and (box.left >= m.left or not m.column)
    foot = max(spot.bar.bottom, spot.low.baseline)  # figures do not reach below the baseline
    if not inside or box.top < m.top or foot > m.bottom + near // 2:
        return False
    if m.storied and any(box.meets(other) for other in _reserved(places, m)):
        return False
    return not any(box.meets(other) for other in _standing(places, signs))


class Ends(NamedTuple):
    """The top of the rows of a story, the baseline of its first titles, and its bottom, px."""

    top: int
    baseline: int
    bottom: int


def ends(places: Iterable[Place], story: int) -> Ends:
    """Where the rows of a story begin and end, without its own title."""
    mine = [place for place in places if place.panel.layer == story]
    titled = [place.title for place in mine if any(place.panel.titles)]
    tops = [place.box.top for place in mine]
    bottom = max(max(place.box.bottom, place.scale.box.bottom if place.scale else 0) for place in mine)
    first = min([text.baseline for text in titled], default=min(tops))
    return Ends(min([*tops, *(text._replace(text="X").box.top for text in titled)]), first, bottom)


def rules(found: Sequence[Ends], m: Measures) -> Iterator[Box]:
    """The hairlines between stories."""
    for story in found[1:]:
        y = story.top - m.head - m.of(10, 4)
        yield Box(y, m.margin, y + m.of(1.4), m.width - m.margin)


def _reserved(places: Mapping[str, Place], m: Measures) -> Iterator[Box]:
    """Where the titles of stories and the hairline between them stand."""
    found = [ends(places.values(), story) for story in (0, 1)]
    yield from rules(found, m)
    yield from (Box(story.top - m.head, 0, story.top, m.width) for story in found if m.head)


def _standing(places: dict[str, Place], signs: Sequence[Text]) -> Iterator[Box]:
    """The boxes that are occupied already."""
    for sign in signs:
        yield sign.box
    for place in places.values():
        yield place.box
        if any(place.panel.titles):
            line = place.title._replace(text="").box
            yield line._replace(right=line.left + round(_titled(place)))
        if place.scale:
            yield place.scale.box


def _titled(place: Place) -> float:
    """The width of a place's longest title, px."""
    return max((glyphs.width(title, place.title.size, bold=True) for title in place.panel.titles), default=0)

"""The search for the positions and sizes of grids: the largest cells that fit, in blocks side by side, centred."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from convanim.page.block import Block, Pitches, strip
from convanim.page.kin import Kin
from convanim.page.measures import FITTED_FROM, READ, ROOMY, SMALLEST_CELL, Measures
from convanim.page.page import Place
from convanim.page.scales import explained
from convanim.page.seen import broken
from convanim.page.texts import Text
from convanim.scene import Contents
from convanim.scene.frame import Blocks, Panel, arrangements, panels_of

#: The minimum growth of cells for breaking a row in two: if the style wraps, and otherwise.
GAIN, MUCH = 1.08, 1.5
#: The number of cells along a side from which a picture is meant.
PICTURE = 64
#: Cells of a large grid that are smaller than this (px) have any size: some have a pixel more than others.
UNEVEN_BELOW = 6
#: Weights tried for a row of strips, so that its numbers become readable.
WEIGHTS = 2, 3


#: The places of some panels, by name, and the signs between them.
Placed = tuple[dict[str, Place], tuple[Text, ...]]


class TooSmall(Exception):
    """The scene does not fit on the page."""


def grids(scene: Contents, m: Measures) -> Placed:
    """The panels' places, and the signs between them; scales are added where there is room left.

    Raises:
        TooSmall: cells would be too small to be distinguished.
    """
    m = replace(m, strips=bool(scene.traces) and len(scene.traces[0].axes) == 1)
    places, signs = fitted((scene.blocks, *arrangements(scene)), m)
    panels = [place.panel for place in places.values()]
    return explained(places, signs, Kin(((tuple(panels),),), m)), signs


def fitted(arrangements: Sequence[Blocks], m: Measures) -> Placed:
    """The panels' places, and the signs between them; a row of grids has scales below it only where shades need them.

    A scale takes height and may cost the numbers of other grids, which are worth more.

    Args:
        arrangements: of the same panels, the default one first.

    Raises:
        TooSmall: cells would be too small to be distinguished.
    """
    m = replace(m, most=max(max(panel.shape) for panel in panels_of(arrangements[0])))
    whole: Placed | None = None
    with suppress(TooSmall):
        whole = _placed(arrangements, m)
        if not _explained(whole, m):
            whole = None
        elif m.most < FITTED_FROM or _even_cells(whole, m):
            return whole
    if m.most < FITTED_FROM:
        raise TooSmall
    # The pixels along the longest side: the most with which everything fits.
    best, fewer, more = whole, FITTED_FROM - 1, UNEVEN_BELOW * m.most
    while more - fewer > 1:
        tried = (fewer + more) // 2
        with suppress(TooSmall):
            found = _placed([_reduced(blocks, m.most / tried, m) for blocks in arrangements], m)
            if _explained(found, m):
                fewer, best = tried, _restored(found, arrangements[0], m.most / tried)
                continue
        more = tried
    if best is None:
        raise TooSmall
    return best


def _even_cells(whole: Placed, m: Measures) -> bool:
    """Whether cells that all have the same whole number of pixels are large enough."""
    least = UNEVEN_BELOW if m.most >= PICTURE else SMALLEST_CELL
    return min(place.pitch for place in whole[0].values()) >= least


def _explained(found: Placed, m: Measures) -> bool:
    """Whether the numbers beside a magnified window, and in it, can be read; True if there is none."""
    panels = [(place.panel, place) for place in found[0].values()]
    looked_up = [place.number for panel, place in panels if panel.aside and max(panel.shape) < FITTED_FROM]
    lenses = [place.pitch for panel, place in panels if panel.magnifies]
    return not lenses or (all(looked_up) and min(lenses) >= m.of(46, ROOMY))


def _reduced(blocks: Blocks, per: float, m: Measures) -> Blocks:
    """The panels with as many cells as they have pixels, if several cells of large ones share a pixel."""

    def fewer(panel: Panel) -> Panel:
        if max(panel.shape) < FITTED_FROM:
            return panel
        high, wide = (math.ceil(side / per - 1e-9) for side in panel.shape)
        return replace(panel, shape=(1 if strip(panel, m) else high, wide))

    return tuple(tuple(tuple(map(fewer, row)) for row in rows) for rows in blocks)


def _restored(found: Placed, blocks: Blocks, per: float) -> Placed:
    """The places of reduced panels for the panels themselves."""
    own = {panel.name: panel for panel in panels_of(blocks)}
    places = {
        name: place
        if place.panel.shape == own[name].shape
        else replace(place, panel=replace(place.panel, shape=own[name].shape), pitch=1, per=per / place.pitch)
        for name, place in found[0].items()
    }
    return places, found[1]


def _placed(arrangements: Sequence[Blocks], m: Measures) -> Placed:
    """The places with the largest whole number of pixels per cell.

    Raises:
        TooSmall: not even a pixel per cell fits.
    """
    blocks = _wrapped(_arranged(arrangements, m), m)
    best, weight = _strips_read(blocks, m)
    shaded = [name for name, place in best[0].items() if place.shaded]
    numbered = [name for name, place in best[0].items() if place.number]
    told: frozenset[str] = frozenset()
    for some in (shaded, *([name] for name in shaded)):
        if m.style.scales and not told.issuperset(some):
            with suppress(TooSmall):  # the page is too narrow for this scale
                tried = stack(blocks, m, told.union(some), weight)
                if all(tried[0][name].number for name in numbered):
                    best, told = tried, told.union(some)
    return best


def _strips_read(blocks: Blocks, m: Measures) -> tuple[Placed, int]:
    """The places, and the weight of a row of strips: more than one if that makes numbers readable."""
    best, weight = stack(blocks, m), 1
    read = {name for name, place in best[0].items() if place.number}
    for more in WEIGHTS if len(read) < len(best[0]) else ():
        with suppress(TooSmall):
            tried = stack(blocks, m, weight=more)
            if read < {name for name, place in tried[0].items() if place.number}:
                return tried, more
    return best, weight


def _arranged(arrangements: Sequence[Blocks], m: Measures) -> Blocks:
    """The arrangement with the largest cells; the default one unless another is better.

    A magnified window that can be read counts most, readable numbers more than the size of cells, and the smallest
    cells more than the others.
    """
    best, most = arrangements[0], (False, -1, 0, 0)
    for tried in arrangements if len(arrangements) > 1 else ():
        with suppress(TooSmall):
            placed = stack(tried, m)
            places = placed[0].values()
            pitches = [place.pitch for place in places]
            found = _explained(placed, m), sum(place.number > 0 for place in places), min(pitches), sum(pitches)
            if found > most:
                best, most = tried, found
    return best


def _wrapped(blocks: Blocks, m: Measures) -> Blocks:
    """The panels as they are, or with their row broken in two if that makes the smallest cells clearly larger.

    Numbers that become readable count like larger cells, and no number may be lost.
    """
    gain = GAIN if m.style.wrap else MUCH
    best, read, smallest = blocks, -1, 0.0
    for tried in (blocks, *broken(blocks)):
        with suppress(TooSmall):
            places = stack(tried, m)[0].values()
            found, pitch = sum(place.number > 0 for place in places), min(place.pitch for place in places)
            if found >= read and (pitch > smallest or (found > read and GAIN * pitch > smallest)):
                best, read, smallest = tried, found, pitch if tried is not blocks else gain * pitch
    return best


def stack(arrangement: Blocks, m: Measures, told: Collection[str] = (), weight: int = 1) -> Placed:
    """The places, with scales under these panels if they are shaded.

    Args:
        weight: how many rows of cells a row of strips counts for when height is shared with other grids.

    Raises:
        TooSmall: cells would be too small to be distinguished.
    """
    kin = Kin(arrangement, m)
    blocks = [Block(rows, kin, told, weight) for rows in arrangement]
    most: Pitches = {}
    # Each pass reduces a shared size by at least 1 px, until the cells fit or are too small.
    for _ in range(m.cell * len(kin.panels) + 1):
        widths = _widths(blocks, most, m)
        pitches: Pitches = {}
        for block, width in zip(blocks, widths, strict=True):
            pitches |= block.pitches(width, most)
        if m.strips:
            pitches = _alike(kin.panels.values(), pitches, m)
        shared = kin.shared(pitches)
        if shared == pitches:
            break
        most = {name: pitch for name, pitch in shared.items() if not kin.alone(name)}
        if _indistinct(kin, most):
            raise TooSmall
    if _indistinct(kin, pitches):
        raise TooSmall
    pitches = _even(kin, pitches, m)
    places: dict[str, Place] = {}
    signs: list[Text] = []
    left = m.left
    for block, width in zip(blocks, widths, strict=True):
        block.put(places, signs, left, width, pitches)
        left += width + m.of(76, 30)
    return places, tuple(signs)


def _indistinct(kin: Kin, pitches: Pitches) -> bool:
    """Whether cells are too small to be seen, or in a small grid to be distinguished."""
    small = (name for name in pitches if max(kin.panels[name].shape) < FITTED_FROM)
    return min(pitches.values(), default=1) < 1 or any(pitches[name] < SMALLEST_CELL for name in small)


def _even(kin: Kin, pitches: Pitches, m: Measures) -> Pitches:
    """Reduce cells that are larger than they need to be.

    A kernel's cells need not be much larger than those of the grids, unless its numbers would be unreadable, and
    cells without numbers are of nearly the same size.
    """
    walked = [pitches[name] for name, panel in kin.panels.items() if not panel.aside]
    most = m.cell if m.style.numbers else 3 * min(pitches.values()) // 2

    def enough(panel: Panel) -> int:
        if not panel.aside:
            return most
        least = 0 if m.storied else m.of(46, ROOMY if panel.magnifies else READ)
        return min(most, max(5 * max(walked) // 4, least) if walked else m.cell)

    even = kin.shared({n: min(p, enough(kin.panels[n])) for n, p in pitches.items()})
    lost = any(kin.sizes(panel, pitches[n])[0] and not kin.sizes(panel, even[n])[0] for n, panel in kin.panels.items())
    return pitches if lost else even


def _widths(blocks: Sequence[Block], most: Pitches, m: Measures) -> list[int]:
    """The widths of the blocks: what the largest common size of cells needs, and the rest in proportion to it."""
    free = m.room - m.of(76, 30) * (len(blocks) - 1)
    if len(blocks) == 1:
        return [free]
    for pitch in range(m.cell, 0, -1):
        needs = [block.need(pitch, most) for block in blocks]
        if sum(needs) <= free:
            return [need + (free - sum(needs)) * need // sum(needs) for need in needs]
    return [free // len(blocks)] * len(blocks)


def _alike(panels: Iterable[Panel], pitches: Pitches, m: Measures) -> Pitches:
    """One cell size for strips that stand above each other, so that their columns line up."""
    panels = list(panels)
    same = min(pitches[p.name] for p in panels if not p.aside)
    aside = max(same, m.of(46, READ))
    return {p.name: min(pitches[p.name], aside) if p.aside else same for p in panels}

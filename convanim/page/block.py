"""A block of panels: rows stacked vertically, with cells as large as the block's width and the page's height allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from convanim.page import glyphs
from convanim.page.bands import Band, bands, gap, tall
from convanim.page.kin import Kin
from convanim.page.measures import GAPS_FROM, READ, ROOMY, Measures
from convanim.page.page import Place, middle
from convanim.page.texts import Text
from convanim.scene.frame import Panel, Rows

Pitches = dict[str, int]
#: The resolution with which rows get extra height, as parts of their share.
FINE = 32


class Block:
    """Rows of panels, each as wide as the block.

    Args:
        rows: from top to bottom.
        kin: which panels share sizes and ranges.
        told: names of the panels that have scales when they are shaded.
        weight: how many rows of cells a row of strips counts for when height is shared out.
    """

    def __init__(self, rows: Rows, kin: Kin, told: Collection[str], weight: int = 1) -> None:
        self.rows, self.kin, self.m = rows, kin, kin.m
        self._told = kin.scaled.intersection(told)
        self._bands = bands(rows, kin, self._told)
        m = self.m
        foot = round(1.9 * m.sizes[2])
        #: The height of the scales under each row, px.
        self._feet = [foot if any(p.name in self._told for p in row) else 0 for row in rows]
        #: The minimum gap below each row but the last, px: larger between two stories.
        self._spare = [m.of(20, 8) if _apart(*two) else m.of(10, 4) for two in pairwise(rows)]
        #: The height of the lines above each row that belong to a story, px.
        self._heads = [m.head, *(m.head if _apart(*two) else 0 for two in pairwise(rows))]
        self._room = m.bottom - m.top - len(rows) * m.title_line - sum(self._feet) - sum(self._spare) - sum(self._heads)
        tallest = [max(p.shape[0] for p in row) for row in rows]
        if max(tallest) > 1:
            tallest = [max(t, weight) if all(p.aside for p in row) else t for t, row in zip(tallest, rows, strict=True)]
        if any(panel.magnifies for row in rows for panel in row):  # factors need room below their numbers
            tallest = [t * (6 if row[0].magnifies else 5) for t, row in zip(tallest, rows, strict=True)]
        self._shares = [self._room * t // sum(tallest) for t in tallest]

    def need(self, most: int, shared: Pitches) -> int:
        """The block's width with cells of at most this size, px; a kernel alone is as large as its numbers need."""
        if all(panel.aside for row in self.rows for panel in row):
            most = max(most, self.m.of(46, ROOMY))
        return max(band.width(self._at_most(band, self._shares, most, shared)) for band in self._bands)

    def pitches(self, width: int, shared: Pitches) -> Pitches:
        """The largest cells with which the block fits into this width; `shared` is their maximum."""
        found = self._filled(self._shares, width, shared)
        # If the width limits a row, the other rows get the height that it leaves, in proportion.
        low, high = 0, 8 * FINE
        while len(self._bands) > 1 and high - low > 1:
            more = (low + high) // 2
            larger = self._filled([share + share * more // FINE for share in self._shares], width, shared)
            # A tall panel that grows must not take width from the small panels beside it.
            if sum(self._used(larger)) <= self._room and all(larger[name] >= found[name] for name in found):
                low, found = more, larger
            else:
                high = more
        return found

    def _filled(self, heights: Sequence[int], width: int, shared: Pitches) -> Pitches:
        """The largest cells with which each band fits into the width, and each row into its height."""
        found: Pitches = {}
        for band in self._bands:
            found |= self._largest(band, heights, width, shared)
        return found

    def _used(self, pitches: Pitches) -> list[int]:
        """The heights of the rows' grids, px."""
        return [max(pitches[p.name] * p.shape[0] for p in row) for row in self.rows]

    def _largest(self, band: Band, heights: Sequence[int], width: int, shared: Pitches) -> Pitches:
        """The largest cells with which a band fits into the width, and each of its rows into its height."""
        # Cells larger than the heights allow need not be tried.
        tried = max(heights[n] // p.shape[0] for n, row in zip(band.numbers, band.rows, strict=True) for p in row)
        for most in range(min(self.m.cell, max(tried, 1)), 0, -1):
            pitches = self._at_most(band, heights, most, shared)
            if band.fits(pitches, width):
                return pitches
        return {p.name: 0 for row in band.rows for p in row}

    def _at_most(self, band: Band, heights: Sequence[int], most: int, shared: Pitches) -> Pitches:
        """Cells of at most this size that fit into the heights of their rows."""
        m, pitches = self.m, dict[str, int]()
        for number, row in zip(band.numbers, band.rows, strict=True):
            high = heights[number]
            fit = {p.name: min(most, high // p.shape[0], shared.get(p.name, most)) for p in row}
            walked = [fit[p.name] for p in row if not p.aside]
            # A kernel's cells need not be larger than those of the grids, unless its numbers would be unreadable.
            aside = max(min(walked), m.of(46, READ)) if walked else most
            pitches |= {p.name: min(fit[p.name], aside) if p.aside else fit[p.name] for p in row}
        return self.kin.shared(pitches)

    def _tall(self, pitches: Pitches, used: Sequence[int]) -> dict[str, int]:
        """The height of the cells of strips whose cells are narrow, px: that of other cells, if half of what is free
        between the rows allows it."""
        narrow = [[p.name for p in row if strip(p, self.m) and self._narrow(p, pitches[p.name])] for row in self.rows]
        count = sum(map(bool, narrow))
        if not count:
            return {}
        more = max(0, self._room - sum(used)) // (2 * count)
        tall = min(high + more for high, names in zip(used, narrow, strict=True) if names)
        most = max(pitches[name] for names in narrow for name in names)
        return dict.fromkeys((name for names in narrow for name in names), max(most, min(self.m.of(46, 20), tall)))

    def _narrow(self, panel: Panel, pitch: int) -> bool:
        return pitch < GAPS_FROM and not self.kin.sizes(panel, pitch)[0]

    def _free(self, used: Sequence[int]) -> tuple[int, set[int]]:
        """The free height between and around the rows, px, and the rows that have no gap below them."""
        # Rows with aligned columns stand close together; the others share the free height.
        tied = {r for band in self._bands for r in band.numbers if r + 1 in band.numbers}
        close = {r for r in tied if not _apart(self.rows[r], self.rows[r + 1])}
        return max(0, (self._room - sum(used)) // (len(self.rows) + 1 - len(close))), close

    def put(self, places: dict[str, Place], signs: list[Text], left: int, width: int, pitches: Pitches) -> None:
        """Place the panels and signs from this left edge on, centred vertically."""
        m = self.m
        strips = self._tall(pitches, self._used(pitches))
        highs = {p.name: p.shape[0] * strips.get(p.name, pitches[p.name]) for row in self.rows for p in row}
        used = [max(highs[p.name] for p in row) for row in self.rows]
        free, close = self._free(used)
        xs: dict[str, int] = {}
        for band in self._bands:
            xs |= band.across(pitches, left, width)
        y = m.top + free
        for number, (row, high) in enumerate(zip(self.rows, used, strict=True)):
            y += self._heads[number]
            for i, panel in enumerate(row):
                x, pitch = xs[panel.name], pitches[panel.name]
                group = tall(panel, row, highs, self.kin)
                scaled = panel.name in self._told and self.kin.shaded(panel, pitch)
                at = y + m.title_line + (high - group) // 2
                high_cell = strips.get(panel.name, 0)
                places[panel.name] = self.kin.place(panel, x, at, pitch, scaled=scaled, tall=high_cell)
                if panel.sign:
                    beside = [places[other.name].box for other in row[max(i - 1, 0) : i + 1]]
                    # Beside a low panel, a larger sign would reach into the panel's title.
                    size = max(m.smallest, min(m.sign, *(box.bottom - box.top for box in beside)))
                    before = beside[0].right if i else x - gap(panel, m)
                    at = round((before + x - glyphs.width(panel.sign, size)) / 2)
                    signs.append(Text(panel.sign, at, y + m.title_line + middle(high, size), size))
            spare = self._spare[number] if number < len(self._spare) else 0
            y += m.title_line + high + self._feet[number] + spare + (0 if number in close else free)


def strip(panel: Panel, m: Measures) -> bool:
    """Whether a panel is a strip of one axis, whose narrow cells may be tall."""
    return m.strips and panel.shape[0] == 1


def _apart(one: Sequence[Panel], other: Sequence[Panel]) -> bool:
    """Whether two rows belong to two stories."""
    return one[0].layer != other[0].layer

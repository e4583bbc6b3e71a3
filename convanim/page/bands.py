"""The horizontal positions of panels in the rows of a block, with room for titles, signs and scales."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile

from convanim.page.kin import Kin, scale
from convanim.page.measures import Measures
from convanim.scene.frame import Panel, Rows

Row = tuple[Panel, ...]
Pitches = Mapping[str, int]


@dataclass(frozen=True)
class Band:
    """Rows that are tied by panels with a common left edge; an ordinary row is a band of its own.

    Attributes:
        rows: from top to bottom.
        numbers: the numbers of these rows in the block, from 0.
        ties: pairs of names of panels in two rows that have the same left edge.
        kin: which panels share sizes and ranges.
        told: names of the panels that have scales when they are shaded.
    """

    rows: Rows
    numbers: tuple[int, ...]
    ties: tuple[tuple[str, str], ...]
    kin: Kin
    told: Collection[str]

    def width(self, pitches: Pitches) -> int:
        """The minimum width with cells of these sizes, px."""
        key = tuple(pitches[p.name] for row in self.rows for p in row)
        if key not in self._widths:  # the same sizes are tried many times
            self._widths[key] = self._packed(pitches, 0)[1]
        return self._widths[key]

    @cached_property
    def _widths(self) -> dict[tuple[int, ...], int]:
        return {}

    def fits(self, pitches: Pitches, width: int) -> bool:
        """Whether the band fits into this width, px; a quick test rules out most sizes."""
        for row, gaps in zip(self.rows, self._least, strict=True):
            if sum(p.shape[1] * pitches[p.name] for p in row) + gaps > width:
                return False
        return self.width(pitches) <= width

    @cached_property
    def _least(self) -> list[int]:
        """The minimum total width of the gaps in each row, px."""
        return [sum(self._gaps(row, 0)) for row in self.rows]

    def across(self, pitches: Pitches, left: int, width: int) -> dict[str, int]:
        """The left edges of the panels in a block with this left edge and width.

        Panels are spread over the width, up to a maximum gap.
        """
        m = self.kin.m
        if not self.ties and not any(p.group for p in self.rows[0]):
            slots = self._slots(self.rows[0], pitches)
            free, between = width - sum(slots), max(1, len(slots) - 1)
            gap = min(free // between, m.of(170, 40)) if len(slots) > 1 else 0
            x, xs = left + (free - gap * (len(slots) - 1)) // 2, {}
            for panel, slot in zip(self.rows[0], slots, strict=True):
                xs[panel.name] = x
                x += slot + gap
            return xs
        more = m.of(126, 24)
        while more and self._packed(pitches, more)[1] > width:
            more -= 1
        xs, wide = self._packed(pitches, more)
        return {name: x + left + (width - wide) // 2 for name, x in xs.items()}

    def _packed(self, pitches: Pitches, more: int) -> tuple[dict[str, int], int]:
        """The leftmost positions of the panels with gaps wider by `more` px, and the total width."""
        rows = [(row, self._slots(row, pitches), self._gaps(row, more)) for row in self.rows]
        xs = {p.name: 0 for row in self.rows for p in row}
        for _ in range(len(xs) + 1):  # each pass finds the final position of at least one panel
            before = dict(xs)
            for row, slots, gaps in rows:
                right = 0
                for panel, slot, gap in zip(row, slots, gaps, strict=True):
                    xs[panel.name] = max(xs[panel.name], right + gap)
                    right = xs[panel.name] + slot
            for a, b in self.ties:
                xs[a] = xs[b] = max(xs[a], xs[b])
            if xs == before:
                break
        else:
            raise AssertionError(f"{self.ties}: panels stand in another order than those that they follow")
        # A leading sign takes the same room on both sides, so that the grids stay centred.
        return xs, max(xs[row[-1].name] + slots[-1] + gaps[0] for row, slots, gaps in rows)

    def _gaps(self, row: Row, more: int) -> list[int]:
        """The gap before each panel: 0 before the first one unless a sign stands there."""
        m = self.kin.m
        gaps = [gap(row[0], m) if row[0].sign else 0]
        for a, b in pairwise(row):
            if a.group and a.group == b.group and not b.sign:  # panels of one group stand close together
                gaps.append(min(m.of(28, 10) + more, m.of(64, 20)))
            else:
                gaps.append(gap(b, m) + more)
        return gaps

    def _slots(self, row: Row, pitches: Pitches) -> list[int]:
        """The width of each panel: that of its grid, its longest title or its scale."""
        kin, m = self.kin, self.kin.m
        slots = [p.shape[1] * pitches[p.name] + m.of(2) for p in row]
        gaps = self._gaps(row, 0)
        for i, (p, (untitled, beside)) in enumerate(zip(row, self._beside[row], strict=True)):
            _reach_over(slots, gaps, i, i + (untitled or self._lower(row, i, pitches)), kin.title(p))
            if p.name in self.told and kin.shaded(p, pitches[p.name]):
                _, _, high = scale(p, *kin.range(p), 0, 0, m)
                _reach_over(slots, gaps, i, i + beside, high.box.right)
        return slots

    def _lower(self, row: Row, i: int, pitches: Pitches) -> int:
        """The number of panels to the right that begin so far below a panel that its title may stand above theirs."""
        if row[i].group:
            return 0
        highs = {p.name: p.shape[0] * pitches[p.name] for p in row}
        least = tall(row[i], row, highs, self.kin) - 2 * self.kin.m.title_line
        return len(list(takewhile(lambda p: tall(p, row, highs, self.kin) <= least, row[i + 1 :])))

    @cached_property
    def _beside(self) -> dict[Row, list[tuple[int, int]]]:
        """For each panel, the number of panels to its right that its title may extend over, and its scale.

        These are panels of the same group and height, whose top and bottom edges are aligned.
        """
        found: dict[Row, list[tuple[int, int]]] = {}
        for row in self.rows:
            found[row] = []
            for i, p in enumerate(row):
                beside = list(takewhile(lambda other: p.group and _kind(other) == _kind(p), row[i + 1 :]))  # noqa: B023
                untitled = len(list(takewhile(lambda other: not any(other.titles), beside)))
                found[row].append((untitled, len(beside)))
        return found


def _kind(panel: Panel) -> tuple[str, int, str, bool]:
    return panel.group, panel.shape[0], panel.shade, bool(panel.heat)


def _reach_over(slots: list[int], gaps: Sequence[int], first: int, last: int, needed: int) -> None:
    """Widen the last of some slots until `needed` px fit over all of them."""
    missing = needed - sum(slots[first : last + 1]) - sum(gaps[first + 1 : last + 1])
    slots[last] += max(0, missing)


def bands(rows: Rows, kin: Kin, told: Collection[str]) -> list[Band]:
    """The rows of a block as bands: tied rows form one band."""
    at = {p.name: number for number, row in enumerate(rows) for p in row}
    ties = [
        (leader.name, p.name)
        for row in rows
        for p in row
        if (leader := kin.leader(p)).name in at and at[leader.name] != at[p.name]
    ]
    first = list(range(len(rows)))  # the first row of each row's band
    for a, b in ties:
        joined = {first[at[a]], first[at[b]]}
        first = [min(joined) if f in joined else f for f in first]
    found = []
    for f in dict.fromkeys(first):
        numbers = tuple(number for number in range(len(rows)) if first[number] == f)
        inside = tuple((a, b) for a, b in ties if at[a] in numbers)
        found.append(Band(tuple(rows[number] for number in numbers), numbers, inside, kin, told))
    return found


def gap(panel: Panel, m: Measures) -> int:
    """The minimum gap before a panel, px: wider if a sign stands in it."""
    return m.of(76, 30) if panel.sign else m.of(44, 16)


def tall(panel: Panel, row: Sequence[Panel], highs: Mapping[str, int], kin: Kin) -> int:
    """The height of the grids in a row whose tops are aligned with this panel's, px; `highs` are those of all grids."""

    def first(p: Panel) -> Panel:
        leader = kin.leader(p)
        return leader if leader in row else p

    return max(highs[p.name] for p in row if first(p) is first(panel))

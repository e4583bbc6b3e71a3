"""Which panels look alike: those that share a cell size, and those whose numbers are sized and scaled together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from convanim.page import glyphs
from convanim.page.measures import DIGITS, FITTED_FROM, GAPS_FROM, LINES_FROM, Measures
from convanim.page.page import Place, Scale, inked, middle, note_top
from convanim.page.texts import Box, Text
from convanim.scene.frame import Blocks, Panel

#: Subscript digits, and their size as a fraction of the text's size.
SUBSCRIPTS, SUBSCRIPT = frozenset("₀₁₂₃₄₅₆₇₈₉"), 0.65


class Kin:
    """The panels of a scene on a page, grouped by shared cell sizes, number sizes and ranges.

    Args:
        blocks: the panels of a scene.
        m: the lengths of the page.

    Attributes:
        panels: the panels by name.
    """

    def __init__(self, blocks: Blocks, m: Measures) -> None:
        self._rows = [row for block in blocks for row in block]
        self.panels = {p.name: p for row in self._rows for p in row}
        self.m = m
        self._widths: dict[str, int] = {}
        self._alike: dict[str, list[Panel]] = {}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._sizes: dict[tuple[str, int], tuple[int, int]] = {}

    def leader(self, panel: Panel) -> Panel:
        """The panel that this one follows, directly or through others; itself if it follows none."""
        seen = {panel.name}
        while panel.follows and panel.follows not in seen:
            panel = self.panels[panel.follows]
            seen.add(panel.name)
        return panel

    def shared(self, pitches: Mapping[str, int]) -> dict[str, int]:
        """Cell sizes, px, with shared ones reduced to their minimum."""
        least: dict[str, int] = {}
        for name, pitch in pitches.items():
            family = self._family[name]
            least[family] = min(least.get(family, pitch), pitch)
        return {name: least[self._family[name]] for name in pitches}

    def alone(self, name: str) -> bool:
        """Whether no other panel shares this one's cell size."""
        return list(self._family.values()).count(self._family[name]) == 1

    @cached_property
    def _family(self) -> dict[str, str]:
        """For each panel, the name of the set that shares its cell size."""
        family = {name: name for name in self.panels}
        for name, panel in self.panels.items():
            others = [p.name for p in self.panels.values() if p.group and p.group == panel.group]
            joined = {family[other] for other in (name, self.leader(panel).name, *others)}
            first = min(joined)
            family = {n: first if f in joined else f for n, f in family.items()}
        return family

    def group(self, panel: Panel) -> list[Panel]:
        """The panels that share this one's number size and range, including itself."""
        same = [p for p in self.panels.values() if panel.group and p.group == panel.group]
        return same or [panel]

    def alike(self, panel: Panel) -> list[Panel]:
        """The panels of its group that one scale describes: those with the same colour ramp."""
        if panel.name not in self._alike:
            kind = panel.shade, bool(panel.heat), panel.white
            self._alike[panel.name] = [p for p in self.group(panel) if (p.shade, bool(p.heat), p.white) == kind]
        return self._alike[panel.name]

    def range(self, panel: Panel) -> tuple[float, float]:
        """The values at the ends of a panel's shade: the range of its group, which includes zero."""
        if panel.name not in self._ranges:
            alike = self.alike(panel)
            tops = [p.heat or p.white for p in alike]
            ends = [(0, top) if top else _ends(p.values) for p, top in zip(alike, tops, strict=True)]
            for p in alike:
                self._ranges[p.name] = min(0, *(low for low, _ in ends)), max(0, *(high for _, high in ends))
        return self._ranges[panel.name]

    @cached_property
    def scaled(self) -> set[str]:
        """The panels that have a scale when they are shaded: for each scale the first panel in the lowest row."""
        lowest: dict[str, str] = {}
        for row in self._rows:
            firsts: dict[str, str] = {}
            for panel in row:
                firsts.setdefault(self.alike(panel)[0].name, panel.name)
            lowest |= firsts
        return set(lowest.values())

    def title(self, panel: Panel) -> int:
        """The width of a panel's longest title, px."""
        if panel.name not in self._widths:
            widths = [round(glyphs.width(t, self.m.sizes[2], bold=True)) for t in panel.titles]
            self._widths[panel.name] = max(widths, default=0)
        return self._widths[panel.name]

    def sizes(self, panel: Panel, pitch: int) -> tuple[int, int]:
        """The sizes of numbers and notes in cells of this pitch; 0 if they are unreadable anywhere in the group."""
        key = panel.name, pitch
        if key not in self._sizes:
            group = self.group(panel)
            side = pitch - spacing(pitch)
            found = [_sizes(p, side, self.m) for p in group]
            number = min(number for number, _ in found)
            noted = [note for p, (_, note) in zip(group, found, strict=True) if p.notes]
            for p in group:
                self._sizes[p.name, pitch] = number, min(noted) if number and p.notes else 0
        return self._sizes[key]

    def shaded(self, panel: Panel, pitch: int) -> bool:
        """Whether a panel is shaded by value in cells of this pitch."""
        gap = spacing(pitch)
        means = panel.colours is None and panel.numerals.measures and self.shades(panel, gap)
        return means and pitch > gap and not self.sizes(panel, pitch)[0]

    def shades(self, panel: Panel, gap: int) -> bool:
        """Whether cells are shaded by value: a picture always is, with what is computed from it, and so are large grids
        without gaps or lines between their cells (px), which would be an area of one colour."""
        large = not gap and max(panel.shape) >= FITTED_FROM
        return self.m.style.shades or large or self._pictured

    @cached_property
    def _pictured(self) -> bool:
        return any(panel.white for panel in self.panels.values())

    def place(self, panel: Panel, x: int, y: int, pitch: int, *, scaled: bool, tall: int = 0) -> Place:
        """The place of a flat grid whose upper left corner is here, with a title above, and a scale below if asked.

        Args:
            tall: the height of the cells of a strip, px; 0 if they are square.
        """
        number, note = self.sizes(panel, pitch)
        low, high = self.range(panel)
        small = self.m.sizes[2]
        title = Text("", x, y - round(0.55 * small), small, bold=True)
        explained = scale(panel, low, high, x, y + panel.shape[0] * (tall or pitch), self.m) if scaled else None
        plain = not self.shades(panel, spacing(pitch))
        shaded = not number and (panel.colours is not None or self.shaded(panel, pitch))
        at = panel, x, y, pitch, 0 if shaded and pitch < GAPS_FROM else spacing(pitch)
        return Place(*at, number, note, title, explained, low, high, plain, tall=tall)


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    return values.min().item(), values.max().item()


def spacing(pitch: int) -> int:
    """The gap between upright cells of this pitch, px."""
    return max(1, round(pitch / 16)) if pitch >= LINES_FROM else 0


def line(pitch: int, m: Measures) -> int:
    """The width of the lines between tilted cells of this pitch, px."""
    return m.of(2) if pitch >= m.of(24, 16) else 1 if pitch >= LINES_FROM else 0


def _sizes(panel: Panel, side: int, m: Measures) -> tuple[int, int]:
    """The sizes of numbers and notes in cells of this side; 0 if they are unreadable."""
    if panel.colours is not None or not m.style.numbers:
        return 0, 0
    widest = panel.numerals.widest(panel.values)
    # Bold is the widest: a number is bold while it is new.
    per_size = glyphs.width(widest, 100, bold=True) / 100
    high = int(0.42 * side if not panel.notes else 0.38 * side + 0.5)
    # The smallest readable digits may fill more of a cell than larger ones should.
    # Letters have no shade that could stand for them.
    read = max(DIGITS, m.smallest) if panel.numerals.measures else m.smallest
    high = max(high, read) if 0.5 * side >= glyphs.CAPITALS * read else high
    most = min(max(read, m.number(side)), int(0.9 * side / per_size), high)
    number = most if most >= read else 0
    if not number or not panel.notes:
        return number, 0
    _, drop = inked(panel.notes)
    # Subscripts are smaller than the text that they belong to.
    least = m.smallest if not SUBSCRIPTS.intersection(panel.notes) else round(m.smallest / SUBSCRIPT)
    note = max(least, min(round(0.23 * side), round(0.6 * number), m.sizes[1]))
    note = min(note, int((side - (8 if drop else 4)) / (glyphs.width(panel.notes, 100) / 100)))
    if note < least:
        return number, 0
    # Brackets and subscripts extend further than digits do, and must touch neither the number nor an outline.
    top, gap = note_top(panel.notes, side, note), 1 if not drop else max(2, round(0.15 * note))
    for size in range(number, read - 1, -1):  # a smaller number may leave room for the note
        if middle(side, size) + gap < top:
            return size, note
    return number, 0


def scale(panel: Panel, least: float, most: float, x: int, bottom: int, m: Measures) -> Scale:
    """The scale under a shaded grid: its least value, a bar from low to high, its greatest value."""
    if least < 0 < most:  # symmetric around zero
        most = max(-least, most)
        least = -most
    low, high = panel.numerals.text(least), panel.numerals.text(most)
    size = m.sizes[2]
    baseline = bottom + round(1.55 * size)
    tall, wide, gap = round(0.7 * size), m.of(96, 48), m.of(8, 4)
    left = x + round(glyphs.width(low, size)) + gap
    bar = Box(baseline - tall, left, baseline, left + wide)
    return Scale(Text(low, x, baseline, size), bar, Text(high, left + wide + gap, baseline, size))

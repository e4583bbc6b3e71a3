"""A stack of two tilted planes on one lattice, and the positions of their labels and of the panels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from math import ceil, hypot, inf

from convanim.page import glyphs
from convanim.page.crossed import Lines, crossed
from convanim.page.kin import Kin, line, scale
from convanim.page.lattice import Lattice
from convanim.page.measures import DIGITS, FITTED_FROM
from convanim.page.page import Place
from convanim.page.texts import Box, Text, around
from convanim.page.tilted.side import Side
from convanim.page.tilted.tilt import Tilt, number_size, sizes, written
from convanim.scene.frame import Panel

Corner = tuple[float, float]
#: The largest distance of a label beside the planes to its own plane, px: a label that would be farther stands above
#: or below its plane.
NEAR = 15


class Stack:
    """Two planes above each other, with cells of one size, and the labels and panels around them.

    Coordinates are relative to the first corner of the lower plane until `places` centres everything on the page.

    Args:
        lower, upper: the planes.
        lattice: the vectors between cells.
        kin: which panels share sizes and ranges.
        side: the panels at their left.
        lean: the offset to the right of the upper plane, per px of height.
        inset: the magnified window at their right; the plane under the window has no notes then.
    """

    def __init__(
        self,
        two: tuple[Panel, Panel],
        lattice: Lattice,
        kin: Kin,
        side: Side,
        lean: float = 0,
        inset: Side | None = None,
    ) -> None:
        lower, upper = self.lower, self.upper = two
        self.lattice, self.kin, self.side = lattice, kin, side
        self.lean, self.inset = lean, inset
        m = self.m = kin.m
        self.pitch = round(lattice.area**0.5)
        self.line = line(self.pitch, m)
        # The maximum size of numbers, with which they can be read on small pages, too; a page may leave them all out.
        largest = max(m.type(m.style.number_size, 1), ceil(DIGITS / glyphs.CAPITALS))
        self._most = min(largest, round(0.52 * self.pitch)) if m.style.numbers else 0
        self._pad = m.of(5, 2) + 1
        (ax, ay), (dx, dy) = lattice
        rows, columns = ((lower.shape[i] + upper.shape[i]) / 2 for i in (0, 1))
        room = m.bottom - m.top - 2 * self._pad - 3  # px for rounding
        tall = (sum(lower.shape[0] * dy - lower.shape[1] * ay for lower in (lower, upper))) / 2
        # The vertical distance of the planes' centres: 0 gap between facing edges, the minimum gap, and the preferred
        # maximum, which may be reduced.
        self._least, most = (
            min(
                (columns * lattice.area + gap * dx) / (dx + lean * dy),
                (rows * lattice.area + gap * ax) / (ax + lean * ay) if ax + lean * ay > 0 else inf,
            )
            for gap in (m.of(46, 18), m.of(150, 60))
        )
        self._free = room - tall
        self._between = round(max(min(self._free, most), self._least))
        self.ends = [corners(lower.shape, lattice, 0, 0)]
        mid = lattice.at(lower.shape[0] / 2, lower.shape[1] / 2)
        own = lattice.at(upper.shape[0] / 2, upper.shape[1] / 2)
        self._up = round(mid[0] - own[0] + lean * self._between), round(mid[1] - own[1] - self._between)
        self.ends.append(corners(upper.shape, lattice, *self._up))
        self.hull = hull([*self.ends[0], *self.ends[1]])

    @property
    def fits(self) -> bool:
        """Whether the stack fits on the page with the minimum gap between the planes."""
        if self._free < self._least:
            return False
        m = self.m
        top, left, bottom, right = self.extent
        return bottom - top <= m.bottom - m.top and right - left <= m.width - 2 * m.margin

    @cached_property
    def room(self) -> float:
        """The maximum size of numbers in the cells of both planes, px."""
        return min(written(panel, self.lattice, self.line) for panel in (self.lower, self.upper))

    @property
    def grown(self) -> Stack:
        """The same planes with the side panels' cells as large as there is room for, but smaller than the planes'."""
        stack = self
        if self.inset:
            stack = stack._larger(self.inset, self.m.cell, inset=True)
        return stack._larger(self.side, min(round(0.8 * self.pitch), self.m.cell), inset=False)

    def _larger(self, side: Side, most: int, *, inset: bool) -> Stack:
        """The same planes beside panels whose cells are as large as there is room for, at most `most` px."""

        def beside(pitch: int) -> Stack:
            larger = replace(side, pitch=pitch)
            sides = (self.side, self.lean, larger) if inset else (larger, self.lean, self.inset)
            return Stack((self.lower, self.upper), self.lattice, self.kin, *sides)

        low = side.pitch
        high = max(low, most)
        while low < high:
            pitch = (low + high + 1) // 2
            low, high = (pitch, high) if beside(pitch).fits else (low, pitch - 1)
        return beside(low)

    def sizes(self, panel: Panel) -> tuple[int, int, tuple[int, int]]:
        """The sizes of a plane's numbers and notes, px (0 for none), and where notes end.

        A number that measures something is left out where its digits would be lower than `DIGITS`, and notes where an
        inset shows them.
        """
        least = self.m.smallest
        if panel.numerals.measures:
            least = max(least, ceil(DIGITS / glyphs.CAPITALS))
            if self.inset and self.inset.panels[0].magnifies == (panel.name, -1):
                return number_size(panel, self.lattice, self.line, self._most, least), 0, (0, 0)
        return sizes(panel, self.lattice, self.line, self._most, least, self.m.smallest)

    def reads(self, name: str) -> bool:
        """Whether the numbers and the notes of a plane can be read."""
        panel = self.lower if self.lower.name == name else self.upper
        number, note, _ = self.sizes(panel)
        return number > 0 and (not panel.notes or note >= DIGITS)

    @cached_property
    def number(self) -> int:
        """The size of the lower plane's numbers, px; 0 for none."""
        return self.sizes(self.lower)[0]

    def crossed(self, ends: Lines) -> int:
        """The number of times that lines cross numbers of the lower plane."""
        size = self.number
        return crossed(ends, self.lower.shape, self.lattice, self._up, size, 0.7 * size) if size else 0

    def _bare(self, panel: Panel) -> bool:
        """Whether cells show what they are instead of their values, as an inset shows those that matter now."""
        return not self.kin.shades(panel, self.line) or (self.inset is not None and max(panel.shape) < FITTED_FROM)

    @property
    def extent(self) -> Box:
        """The box around everything."""
        return around([self._plane_box, *self._boxes])

    @property
    def _plane_box(self) -> Box:
        xs, ys = zip(*self.hull, strict=True)
        pad = self._pad
        return Box(int(min(ys)) - pad, int(min(xs)) - pad, int(max(ys)) + pad + 1, int(max(xs)) + pad + 1)

    def _label(self, panel: Panel) -> tuple[int, int]:
        """The width and height of a plane's title with the scale under it, px."""
        small = self.m.sizes[2]
        wide, high = self.kin.title(panel), round(1.1 * small)
        if self._shaded(panel):
            wide = max(wide, scale(panel, *self.kin.range(panel), 0, 0, self.m)[2].box.right)
            high += round(1.6 * small)
        return wide, high

    def _shaded(self, panel: Panel) -> bool:
        bare = self._bare(panel) or not self.m.style.scales
        return not bare and not self.sizes(panel)[0] and panel.colours is None and panel.numerals.measures

    @cached_property
    def _boxes(self) -> list[Box]:
        """The boxes of the planes' labels, the lower one's first, and of the panels at the side."""
        gap = self.m.of(8, 4) + self._pad
        _, _, bottom, _ = self._plane_box
        boxes = []
        (low_wide, low_high), (up_wide, up_high) = (self._label(p) for p in (self.lower, self.upper))
        foot = max(y for _, y in self.ends[0])
        for wide, high, y in (
            (low_wide, low_high, round(foot) - low_high),
            (up_wide, up_high, round(min(y for _, y in self.ends[1]))),
        ):
            x = round(max(reach(self.hull, y - self._pad, y + high + self._pad))) + gap
            boxes.append(Box(y, x, y + high, x + wide))
        # A plane that is much wider than the other one keeps the label beside them away from the other one.
        far = [distance(box, ends) > NEAR for box, ends in zip(boxes, self.ends, strict=True)]
        (foot_x, foot_y), (peak_x, peak_y) = (
            most(ends, key=lambda end: end[1]) for most, ends in zip((max, min), self.ends, strict=True)
        )
        if far[0] and foot_y >= max(y for _, y in self.hull):
            y, x = round(foot_y) + self._pad, round(foot_x)
            boxes[0] = Box(y, x, y + low_high, x + low_wide)
        if far[1] and peak_y <= min(y for _, y in self.hull):
            y, x = round(peak_y) - self._pad, round(peak_x)
            boxes[1] = Box(y - up_high, x, y, x + up_wide)
        if self.inset:
            boxes.append(self._beside(self.inset, boxes, gap))
        wide, high = self.side.size
        if not high:
            return boxes
        top, _, bottom, _ = self._plane_box
        bottom = max(bottom, top + high)
        # Try the positions closest to the planes, and the top and bottom.
        tops = [top, bottom - high]
        lefts = [round(min(reach(self.hull, y - self._pad, y + high + self._pad))) - gap - wide for y in tops]
        best = 0 if lefts[0] >= lefts[1] - self.m.of(60, 20) else 1
        return [*boxes, Box(tops[best], lefts[best], tops[best] + high, lefts[best] + wide)]

    def _beside(self, inset: Side, labels: Sequence[Box], gap: int) -> Box:
        """The box of the inset, as far to the left as planes and labels allow, and rather at the lower plane."""
        wide, high = inset.size
        top, _, bottom, _ = self._plane_box
        low, up = labels
        found = []
        for y in (bottom - high, low.top - gap - high, up.bottom + gap, top):
            if y < min(top, bottom - high):
                continue
            met = reach(self.hull, y - self._pad, y + high + self._pad)
            met += [label.right for label in labels if y - gap < label.bottom and label.top < y + high + gap]
            found.append((round(max(met)) + 2 * gap, y))
        x, y = min(found, key=lambda at: at[0])
        return Box(y, x, y + high, x + wide)

    def places(self) -> dict[str, Place]:
        """The places, centred in the available area; the planes are centred on the page if possible."""
        m, small = self.m, self.m.sizes[2]
        top, left, bottom, right = self.extent
        plane = self._plane_box
        x = (m.width - plane.left - plane.right) // 2
        x = max(min(x, m.width - m.margin - right), m.margin - left)
        y = m.top + (m.bottom - m.top - (bottom - top)) // 2 - top
        found: dict[str, Place] = {}
        for panel, (ox, oy), label in zip((self.lower, self.upper), ((0, 0), self._up), self._boxes[:2], strict=True):
            number, note, corner = self.sizes(panel)
            low, high = self.kin.range(panel)
            title = Text("", x + label.left, y + label.top + round(0.8 * small), small, bold=True)
            explained = None
            if self._shaded(panel):
                explained = scale(panel, low, high, title.x, title.baseline, m)
            texts, ends = (number, note, title, explained), (low, high, self._bare(panel))
            at = panel, x + ox, y + oy, self.pitch, self.line
            found[panel.name] = Tilt(*at, *texts, *ends, lattice=self.lattice, corner=corner)
        others = [side for side in (self.inset, self.side) if side and side.size[1]]
        for side, box in zip(others, self._boxes[2:], strict=True):
            found |= {p.panel.name: p for p in side.places(x + box.left, y + box.top)}
        return found


def corners(shape: tuple[int, int], lattice: Lattice, x: int, y: int) -> list[Corner]:
    """The corners of a plane whose first corner is at (x, y)."""
    rows, columns = shape
    at = [lattice.at(row, column) for row, column in ((0, 0), (0, columns), (rows, columns), (rows, 0))]
    return [(x + right, y + down) for right, down in at]


def hull(points: Sequence[Corner]) -> list[Corner]:
    """The convex hull of some points, in order around it.

    Example:
        >>> hull([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)])
        [(0, 0), (2, 0), (2, 2), (0, 2)]
    """
    found: list[Corner] = []
    for some in (sorted(points), sorted(points, reverse=True)):
        half: list[Corner] = []
        for p in some:
            while len(half) > 1 and _turn(half[-2], half[-1], p) <= 0:
                half.pop()
            half.append(p)
        found += half[:-1]
    return found


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def distance(box: Box, area: Sequence[Corner]) -> float:
    """The distance between a box and a convex polygon beside it, px.

    Example:
        >>> distance(Box(0, 13, 4, 20), [(0, 0), (10, 0), (10, 8), (0, 8)])
        3.0
    """
    ends = [(x, y) for y in (box.top, box.bottom) for x in (box.left, box.right)]
    found = [hypot(max(box.left - x, 0, x - box.right), max(box.top - y, 0, y - box.bottom)) for x, y in area]
    for (x1, y1), (x2, y2) in pairwise([*area, area[0]]):
        dx, dy = x2 - x1, y2 - y1
        for x, y in ends:
            part = min(max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy), 0), 1)
            found.append(hypot(x - x1 - part * dx, y - y1 - part * dy))
    return min(found)


def reach(around: Sequence[Corner], top: float, bottom: float) -> list[float]:
    """Values of x that include the minimum and maximum of a polygon between two heights.

    Example:
        >>> sorted(reach([(0, 0), (10, 0), (10, 10)], 5, 6))
        [5.0, 6.0, 10.0, 10.0]
    """
    found = []
    for (x1, y1), (x2, y2) in pairwise([*around, around[0]]):
        if max(y1, y2) < top or min(y1, y2) > bottom:
            continue
        for y in {min(max(y1, top), bottom), min(max(y2, top), bottom)}:
            found.append(x1 + (x2 - x1) * (y - y1) / (y2 - y1) if y1 != y2 else float(x1))
            found += [] if y1 != y2 else [float(x2)]
    return found

"""Two tilted planes above each other, what is looked up flat at their side, and room for the lines between.

Knows scenes, and which two panels are planes. Must not know colours, what a frame shows, or what else is on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from convanim.errors import ConvanimError
from convanim.layout.bands import scale
from convanim.layout.grids import TooSmall
from convanim.layout.kin import Kin, line
from convanim.layout.measures import SMALLEST_CELL, Measures
from convanim.layout.page import Box, Place, Text
from convanim.layout.tilt import Lattice, Step, Tilt, number_size, sizes
from convanim.scene import Scene
from convanim.scene.frame import Panel
from convanim.scene.links import links

Corner = tuple[float, float]
#: The steps along a row and down a column, px, as parts of the former: one for wide pages, a steeper one for tall ones.
SHAPES = ((46, -15, 34, 24), (38, -19, 28, 26))
#: A flatter one for small cells that would not fit otherwise.
FLAT = (46, -14, 36, 20)


def planes(scene: Scene) -> tuple[Panel, Panel] | None:
    """The panels that are planes, the lower one first: what is read, and what is written. None where it is not two.

    Example:
        >>> from convanim.ops import ConvTranspose
        >>> from convanim.scene import scene
        >>> t = ConvTranspose(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])
        >>> [panel.name for panel in planes(scene(t, "overlap-add"))]
        ['input', 'canvas']
    """
    if not scene.traces or len(scene.traces[0].axes) != 2 or not scene.beats.steps:
        return None
    first = links(scene.frame(scene.beats.opening + scene.beats.each - 1))
    if len(first) != 1:
        return None
    (link,) = first
    named = {p.name: p for p in scene.panels}
    lower, upper = (link.other, link.panel) if link.stamps else (link.panel, link.other)
    groups = [p.group for p in scene.panels if p.group]
    if any(groups.count(named[name].group) > 1 for name in (lower, upper)):
        return None  # other planes than these have their turn later
    return named[lower], named[upper]


def isometric(scene: Scene, m: Measures) -> tuple[dict[str, Place], tuple[Text, ...]]:
    """The panels' places; there are no signs, since what they would stand between lies above each other.

    Raises:
        ConvanimError: there are not two planes.
        TooSmall: cells would be too small to be told apart.
    """
    two = planes(scene)
    if two is None:
        raise ConvanimError("layout 'isometric' joins two planes, and here are others", "use --layout flat")
    kin = Kin(scene.blocks, m)
    side = Side(tuple(p for p in scene.panels if p not in two), kin)
    best: Stack | None = None
    for shape in (*SHAPES, FLAT):
        if shape is FLAT and best:
            break
        low, high = 1, m.of(150, 30)
        while low < high:  # the widest step along a row with which it fits
            wide = (low + high + 1) // 2
            stack = _stack(two, shape, wide, kin, side)
            if stack and stack.fits:
                low = wide
                if best is None or stack.lattice.area > best.lattice.area:
                    best = stack
            else:
                high = wide - 1
    if best is None:
        raise TooSmall
    return best.places(), ()


def _stack(two: tuple[Panel, Panel], shape: Sequence[int], wide: int, kin: Kin, side: Side) -> Stack | None:
    """Planes with a step of so many px along a row, where cells can be told apart then."""
    ax, ay, dx, dy = (round(part * wide / shape[0]) for part in shape)
    lattice = Lattice(Step(ax, ay), Step(dx, dy))
    if min(ax, -ay, dx, dy) < 1 or lattice.area < SMALLEST_CELL**2:
        return None
    return Stack(*two, lattice, kin, side)


@dataclass(frozen=True)
class Side:
    """The flat panels at the side, above each other.

    Attributes:
        panels: from top to bottom.
        kin: what the panels share.
    """

    panels: tuple[Panel, ...]
    kin: Kin

    @cached_property
    def pitch(self) -> int:
        """The size of their cells, px: that of a kernel in the flat layout, where it leaves the planes enough room."""
        m = self.kin.m
        for pitch in range(m.of(46, 20), SMALLEST_CELL, -1):
            wide, high = self._size(pitch)
            if wide <= 0.3 * m.width and high <= m.bottom - m.top:
                return pitch
        if self._size(SMALLEST_CELL)[1] > m.bottom - m.top:
            raise TooSmall
        return SMALLEST_CELL

    @cached_property
    def size(self) -> tuple[int, int]:
        """Their width and height, px, with titles and scales; 0 where there are none."""
        return self._size(self.pitch) if self.panels else (0, 0)

    def _size(self, pitch: int) -> tuple[int, int]:
        m = self.kin.m
        wide = max(max(p.shape[1] * pitch + m.of(5, 2), self.kin.title(p), self._scale(p, pitch)) for p in self.panels)
        high = sum(p.shape[0] * pitch + m.title_line + self._foot(p, pitch) for p in self.panels)
        return wide, high + (len(self.panels) - 1) * m.of(16, 6) + m.of(5, 2)

    def _foot(self, panel: Panel, pitch: int) -> int:
        return round(1.9 * self.kin.m.sizes[2]) if self.kin.shaded(panel, pitch) else 0

    def _scale(self, panel: Panel, pitch: int) -> int:
        if not self.kin.shaded(panel, pitch):
            return 0
        return scale(panel, *self.kin.range(panel), 0, 0, self.kin.m)[2].box.right

    def places(self, left: int, top: int) -> Iterator[Place]:
        """Their places, from this corner on."""
        if not self.panels:
            return
        m, pitch, small = self.kin.m, self.pitch, self.kin.m.sizes[2]
        for panel in self.panels:
            y = top + m.title_line
            number, note = self.kin.sizes(panel, pitch)
            title = Text("", left, y - round(0.55 * small), small, bold=True)
            low, high = self.kin.range(panel)
            foot = self._foot(panel, pitch)
            explained = scale(panel, low, high, left, y + panel.shape[0] * pitch, m) if foot else None
            yield Place(panel, left, y, pitch, line(pitch, m), number, note, title, explained, low, high)
            top = y + panel.shape[0] * pitch + foot + m.of(16, 6)


class Stack:
    """Two planes above each other, with cells of one size, and what stands around them.

    Everything is first placed from the first corner of the lower plane, and then moved to the middle of the page.

    Args:
        lower, upper: the planes.
        lattice: their cells.
        kin: what the panels share.
        side: what stands at their left.
    """

    def __init__(self, lower: Panel, upper: Panel, lattice: Lattice, kin: Kin, side: Side) -> None:
        self.lower, self.upper, self.lattice, self.kin, self.side = lower, upper, lattice, kin, side
        m = self.m = kin.m
        self.pitch = round(lattice.area**0.5)
        self.line = line(self.pitch, m)
        # Nothing is read in a cell that is smaller than its least number: a page may leave them all out.
        self._most = min(m.type(m.style.number_size, 1), round(0.52 * self.pitch)) if m.style.numbers else 0
        self._pad = m.of(5, 2) + 1
        (ax, ay), (dx, dy) = lattice
        rows, columns = ((lower.shape[i] + upper.shape[i]) / 2 for i in (0, 1))
        # The least distance of their middles at which two planes of the same lattice do not meet.
        apart = min(columns * lattice.area / dx, rows * lattice.area / ax)
        room = m.bottom - m.top - 2 * self._pad - 3  # for what rounding adds
        tall = (sum(lower.shape[0] * dy - lower.shape[1] * ay for lower in (lower, upper))) / 2
        self._free = room - tall - apart
        self._between = round(apart + max(min(self._free, m.of(150, 60)), 0))
        self.ends = [corners(lower.shape, lattice, 0, 0)]
        mid = lattice.at(lower.shape[0] / 2, lower.shape[1] / 2)
        own = lattice.at(upper.shape[0] / 2, upper.shape[1] / 2)
        self._up = round(mid[0] - own[0]), round(mid[1] - own[1] - self._between)
        self.ends.append(corners(upper.shape, lattice, *self._up))
        self.hull = hull([*self.ends[0], *self.ends[1]])
        self._labels = [self._label(p) for p in (lower, upper)]
        self._boxes = self._around()

    @property
    def fits(self) -> bool:
        """Whether it fits on the page, with the least room for lines between the planes."""
        m = self.m
        top, left, bottom, right = self.extent
        high = bottom - top <= m.bottom - m.top
        return self._free >= m.of(46, 18) and high and right - left <= m.width - 2 * m.margin

    @property
    def extent(self) -> Box:
        """The box around everything."""
        boxes = [self._plane_box, *self._boxes]
        tops, lefts, bottoms, rights = zip(*boxes, strict=True)
        return Box(min(tops), min(lefts), max(bottoms), max(rights))

    @property
    def _plane_box(self) -> Box:
        xs, ys = zip(*self.hull, strict=True)
        pad = self._pad
        return Box(int(min(ys)) - pad, int(min(xs)) - pad, int(max(ys)) + pad + 1, int(max(xs)) + pad + 1)

    def _label(self, panel: Panel) -> tuple[int, int]:
        """The width and height of a plane's title, and of the scale under it."""
        small = self.m.sizes[2]
        wide, high = self.kin.title(panel), round(1.1 * small)
        if self._shaded(panel):
            wide = max(wide, scale(panel, *self.kin.range(panel), 0, 0, self.m)[2].box.right)
            high += round(1.6 * small)
        return wide, high

    def _shaded(self, panel: Panel) -> bool:
        number = number_size(panel, self.lattice, self.line, self._most, self.m.smallest)
        return (
            self.m.style.shades
            and self.m.style.scales
            and not number
            and panel.colours is None
            and panel.numerals.measures
        )

    def _around(self) -> list[Box]:
        """The boxes of the planes' labels, the lower one's first, and that of the panels at the side."""
        gap = self.m.of(26, 8) + self._pad
        _, _, bottom, _ = self._plane_box
        boxes = []
        (low_wide, low_high), (up_wide, up_high) = self._labels
        foot = max(y for _, y in self.ends[0])
        for wide, high, y in (
            (low_wide, low_high, round(foot) - low_high),
            (up_wide, up_high, round(min(y for _, y in self.ends[1]))),
        ):
            x = round(max(reach(self.hull, y - self._pad, y + high + self._pad))) + gap
            boxes.append(Box(y, x, y + high, x + wide))
        wide, high = self.side.size
        if not high:
            return boxes
        top, _, bottom, _ = self._plane_box
        bottom = max(bottom, top + high)
        # Where it comes nearest to the planes; higher up, where there is little between.
        tops = [top, bottom - high]
        lefts = [round(min(reach(self.hull, y - self._pad, y + high + self._pad))) - gap - wide for y in tops]
        best = 0 if lefts[0] >= lefts[1] - self.m.of(60, 20) else 1
        return [*boxes, Box(tops[best], lefts[best], tops[best] + high, lefts[best] + wide)]

    def places(self) -> dict[str, Place]:
        """Everything in the middle of the room there is; the planes in the page's, where that can be."""
        m, small = self.m, self.m.sizes[2]
        top, left, bottom, right = self.extent
        plane = self._plane_box
        x = (m.width - plane.left - plane.right) // 2
        x = max(min(x, m.width - m.margin - right), m.margin - left)
        y = m.top + (m.bottom - m.top - (bottom - top)) // 2 - top
        found: dict[str, Place] = {}
        for panel, (ox, oy), label in zip((self.lower, self.upper), ((0, 0), self._up), self._boxes[:2], strict=True):
            number, note, corner = sizes(panel, self.lattice, self.line, self._most, m.smallest)
            low, high = self.kin.range(panel)
            title = Text("", x + label.left, y + label.top + round(0.8 * small), small, bold=True)
            explained = None
            if self._shaded(panel):
                explained = scale(panel, low, high, title.x, title.baseline, m)
            found[panel.name] = Tilt(
                *(
                    panel,
                    x + ox,
                    y + oy,
                    self.pitch,
                    self.line,
                    number,
                    note,
                    title,
                    explained,
                    low,
                    high,
                    not m.style.shades,
                ),
                lattice=self.lattice,
                corner=corner,
            )
        if self.side.size[1]:
            box = self._boxes[2]
            found |= {p.panel.name: p for p in self.side.places(x + box.left, y + box.top)}
        return found


def corners(shape: tuple[int, int], lattice: Lattice, x: int, y: int) -> list[Corner]:
    """The corners of a plane whose first one lies there."""
    rows, columns = shape
    at = [lattice.at(row, column) for row, column in ((0, 0), (0, columns), (rows, columns), (rows, 0))]
    return [(x + right, y + down) for right, down in at]


def hull(points: Sequence[Corner]) -> list[Corner]:
    """The convex hull of some points, once around.

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


def reach(around: Sequence[Corner], top: float, bottom: float) -> list[float]:
    """Places along x up to which a polygon reaches between two heights: its least and its greatest are among them.

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

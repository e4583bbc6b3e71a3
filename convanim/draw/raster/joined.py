"""The lines between cells that belong together: from corner to corner of two planes, or fans between two strips.

Knows the places of both, and what a frame links. Must not know how cells look, files or time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convanim.draw.raster.strokes import Blends, around, clear_of, draw, stroke
from convanim.layout import Box, Page, Place, Tilt
from convanim.scene.frame import Frame, Link

Pixels = NDArray[np.uint8]
Point = tuple[int, int]
#: Letters stay in front of lines, with a narrow margin.
_LETTERS = ("text", "muted", "kernel.factor", "overlap.factor")

#: How far the lines between planes keep from letters, in parts of the size of numbers: digits are no further apart.
AROUND = 0.24


class Joined:
    """Draws the lines of a page.

    Args:
        page: where the panels lie, and how they are joined.
        blends: what strokes make of the colours below.
    """

    def __init__(self, page: Page, blends: Blends) -> None:
        self.page, self._blends = page, blends
        self._hidden: dict[str, NDArray[np.bool_]] = {}
        self._letters = np.zeros(256, bool)
        self._letters[blends.palette.inked(_LETTERS)] = True
        self._halo = max(1, round(0.4 * page.stroke))
        self._thin = max(1.0, 0.36 * page.stroke)

    def draw(self, pixels: Pixels, base: Pixels, frame: Frame) -> list[Box]:
        """The lines of a frame, over all but letters and the plane that they end behind; the boxes around them."""
        if not self.page.links:
            return []
        boxes = []
        for link in frame.links:
            if link.panel not in self.page.places or link.other not in self.page.places:
                continue
            one, other = self.page.places[link.panel], self.page.places[link.other]
            if isinstance(one, Tilt) and isinstance(other, Tilt):
                boxes.append(self._between(pixels, base, link, one, other))
            elif link.cells and self.page.links == "fan":
                boxes.append(self._fan(pixels, base, link, one, other))
        return boxes

    def _between(self, pixels: Pixels, base: Pixels, link: Link, one: Tilt, other: Tilt) -> Box:
        """From the corners of the window to those of the cell; the upper plane hides what lies behind it."""
        row, column = (at + by for at, by in zip(link.cell, link.moved, strict=True))
        top, left, bottom, right, _, _, down, across = link.window
        window = one.corners(top + down, left + across, bottom + down, right + across)
        pairs = list(zip(window, other.corners(row, column, row + 1, column + 1), strict=True))
        upper = one if link.stamps else other
        # Lines end beside a number rather than between its digits or in the middle of one.
        halo = max(self._halo, round(AROUND * max(one.number, other.number)))
        self._lines(pixels, base, pairs, self._thin, "muted", self._behind(upper), halo)
        return around([point for pair in pairs for point in pair], self._thin)

    def _fan(self, pixels: Pixels, base: Pixels, link: Link, one: Place, other: Place) -> Box:
        """From each cell under the window to the one cell."""
        out = self.page.stroke // 2
        down = one.y < other.y

        def end(place: Place, cell: Point, moved: tuple[float, float], *, lower: bool) -> Point:
            top, left = place.at(cell[0] + moved[0], cell[1] + moved[1])
            side = place.pitch + place.line
            return left + side // 2, (top - out) if lower else (top + side + out)

        at = end(other, link.cell, link.moved, lower=down)
        by = link.window.down, link.window.across
        pairs = [(end(one, cell, by, lower=not down), at) for cell in link.cells]
        width = max(1.0, 0.4 * self.page.stroke)
        self._lines(pixels, base, pairs, width, "kernel.stroke", None, self._halo)
        return around([point for pair in pairs for point in pair], width)

    def _lines(
        self,
        pixels: Pixels,
        base: Pixels,
        pairs: list[tuple[Point, Point]],
        width: float,
        ink: str,
        keep: NDArray[np.bool_] | None,
        halo: int,
    ) -> None:
        table = self._blends.table(ink)
        for (x, y), (to_x, to_y) in pairs:
            free = clear_of(base, x, y, stroke(to_x - x, to_y - y, width), self._letters, halo)
            draw(pixels, x, y, free, table, keep)

    def _behind(self, place: Tilt) -> NDArray[np.bool_]:
        """The pixels of a plane, with those of an outline on its edge."""
        name = place.panel.name
        if name not in self._hidden:
            (ax, ay), (dx, dy) = place.lattice
            y, x = np.arange(self.page.height)[:, None] + 0.5 - place.y, np.arange(self.page.width) + 0.5 - place.x
            area, pad = place.lattice.area, max(place.line / 2 + 0.5, 1)
            rows, columns = place.panel.shape
            column, row = (x * dy - y * dx) / area, (y * ax - x * ay) / area
            wide, tall = pad * np.hypot(dx, dy) / area, pad * np.hypot(ax, ay) / area
            inside = (column >= -wide) & (column <= columns + wide) & (row >= -tall) & (row <= rows + tall)
            self._hidden[name] = inside
        return self._hidden[name]

"""The flat panels beside two tilted planes, such as the kernel, stacked above each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from convanim.page.grids import TooSmall
from convanim.page.kin import Kin, scale
from convanim.page.measures import READ, SMALLEST_CELL
from convanim.page.page import Place
from convanim.scene.frame import Panel


@dataclass(frozen=True)
class Side:
    """A column of flat panels beside the planes.

    Attributes:
        panels: from top to bottom.
        kin: which panels share sizes and ranges.
        pitch: the size of their cells, px.
    """

    panels: tuple[Panel, ...]
    kin: Kin
    pitch: int

    @classmethod
    def usual(cls, panels: tuple[Panel, ...], kin: Kin) -> Side:
        """The column with cells as large as a kernel's in the flat layout, or smaller to leave the planes enough room.

        Raises:
            TooSmall: even the smallest cells would leave the planes too little room.
        """
        m = kin.m
        sides = [cls(panels, kin, pitch) for pitch in range(m.of(46, READ), SMALLEST_CELL - 1, -1)]
        if not panels:
            return sides[0]
        for side in sides:
            wide, high = side.size
            if high <= m.bottom - m.top and (wide <= 0.3 * m.width or side.pitch == SMALLEST_CELL):
                return side
        raise TooSmall

    @classmethod
    def read(cls, panels: tuple[Panel, ...], kin: Kin) -> Side:
        """A column of magnified cells, as small as their numbers and notes allow.

        Raises:
            TooSmall: there is no room for it.
        """
        m = kin.m
        for pitch in range(m.of(46, READ), 2 * m.cell):  # wide numbers need wide cells
            side = cls(panels, kin, pitch)
            if all(kin.sizes(p, pitch)[0] and (kin.sizes(p, pitch)[1] or not p.notes) for p in panels):
                wide, high = side.size
                if high <= m.bottom - m.top and wide <= 0.35 * m.width:
                    return side
                break
        raise TooSmall

    @cached_property
    def size(self) -> tuple[int, int]:
        """The width and height of the column with its titles and scales, px; (0, 0) without panels."""
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
        """The places of the panels, from this upper left corner on."""
        m, pitch = self.kin.m, self.pitch
        for panel in self.panels:
            foot = self._foot(panel, pitch)
            place = self.kin.place(panel, left, top + m.title_line, pitch, scaled=foot > 0)
            yield place
            top = place.y + panel.shape[0] * pitch + foot + m.of(16, 6)

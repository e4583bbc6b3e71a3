"""Cells on their way, drawn over the grids: inside a panel, or from one panel to another.

Knows where a cell in flight is and what lies over it. Must not know what moves, or when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs, theme
from convanim.draw.raster.cells import Sprites
from convanim.draw.raster.leaning import Leaning, spot
from convanim.layout import SMALLEST, Box, Page, Place, Tilt
from convanim.palette import Palette
from convanim.scene.frame import COLOURLESS, Emphasis, Float, Frame, Grid, Role

Pixels = NDArray[np.uint8]
#: Roles with dashed lines around their cells.
DASHED = frozenset({Role.PADDING, Role.CROPPED, Role.COPIED, Role.EMPTY})


class Floating:
    """Draws the floats of frames.

    Args:
        page: where the panels lie.
        palette, sprites: what cells are drawn with.
        leaning: what draws those in tilted planes.
    """

    def __init__(self, page: Page, palette: Palette, sprites: Sprites, leaning: Leaning) -> None:
        self._page, self._palette, self._sprites, self._leaning = page, palette, sprites, leaning
        self._between: dict[tuple[str, str, int], Place] = {}

    def draw(self, pixels: Pixels, base: Pixels, frame: Frame, *, flying: bool) -> list[Box]:
        """Draw the floats of a frame over its grids: the pixels that they cover.

        Args:
            pixels: (H, W), what is drawn on.
            base: the same without floats and outlines: what lies over cells that come out from under it.
            flying: those from one panel to another, which pass over the outlines, too; else the others.
        """
        boxes: list[Box] = []
        drawn = (f for f in frame.floats if (f.towards is not None) == flying and self._seen(f))
        for (panel, under), group in groupby(drawn, key=lambda f: (f.panel, f.under)):
            floats, place = list(group), self._page.places[panel]
            leans = self._leaning.takes
            among = {spot(f) for f in floats if leans(f)}
            found = (self._leaning.draw(pixels, f, among) if leans(f) else self._float(pixels, f) for f in floats)
            covered = [box for box in found if box]
            boxes += covered
            if not (under and covered):
                continue
            if isinstance(place, Tilt):
                self._leaning.cover(pixels, base, place, frame.grids[panel])
            else:
                for lid in _lids(place, frame.grids[panel]):
                    where = np.s_[lid.top : lid.bottom, lid.left : lid.right]
                    pixels[where] = base[where]
        return boxes

    def _seen(self, f: Float) -> bool:
        """Whether both ends of its way are on the page."""
        return all(name in self._page.places for name in (f.panel, f.towards[0] if f.towards else f.panel))

    def _float(self, pixels: Pixels, f: Float) -> Box | None:
        """Draw one: the pixels that it covers, None if it cannot be seen."""
        place = self._page.places[f.panel]
        top, left = place.at(f.row, f.column)
        if f.role == Role.NONE:
            inset = 0 if isinstance(place, Tilt) else place.line
            return self._note(pixels, place, f, top + inset, left + inset)
        seen = Box(0, 0, self._page.height, self._page.width)
        if f.towards is not None:
            name, row, column = f.towards
            other = self._page.places[name]
            down, across = other.at(row, column)
            top, left = round(top + (down - top) * f.part), round(left + (across - left) * f.part)
            place = self._on_the_way(place, other, f.part)
        elif f.clip is not None:
            start, stop = place.at(*f.clip[:2]), place.at(*f.clip[2:])
            seen = Box(*start, stop[0] + place.line, stop[1] + place.line)
        if f.size != 1:
            number = max(1, round(place.number * f.size)) if place.number else 0
            place = replace(place, pitch=max(place.line + 1, round(place.pitch * f.size)), number=number, note=0)
        cell = self._cell(place, f)
        high, wide = cell.shape
        box = Box(max(top, seen.top), max(left, seen.left), min(top + high, seen.bottom), min(left + wide, seen.right))
        if box.top >= box.bottom or box.left >= box.right:
            return None
        part = cell[box.top - top : box.bottom - top, box.left - left : box.right - left]
        pixels[box.top : box.bottom, box.left : box.right] = part
        return box

    def _note(self, pixels: Pixels, place: Place, f: Float, top: int, left: int) -> Box | None:
        """Write the small text of a cell over what is there already."""
        if not place.note or not place.holds(f.note):
            return None
        text = place.note_text(f.note)
        drawn = glyphs.line(text.text, text.size, text.bold)
        high, wide = drawn.coverage.shape
        top, left = top + text.baseline - drawn.rise, left + text.x
        box = Box(max(top, 0), max(left, 0), min(top + high, self._page.height), min(left + wide, self._page.width))
        if box.top >= box.bottom or box.left >= box.right:
            return None
        ink = drawn.coverage[box.top - top : box.bottom - top, box.left - left : box.right - left]
        paper, colour = (theme.fill(Role.KERNEL, Emphasis.ACTIVE), theme.note_ink(Role.KERNEL, Emphasis.ACTIVE))
        part = pixels[box.top : box.bottom, box.left : box.right]
        np.copyto(part, self._palette.ramp(paper, colour)[ink], where=ink > 0)
        return box

    def _on_the_way(self, start: Place, end: Place, part: float) -> Place:
        """How cells are drawn between two panels: of a size between theirs."""
        pitch = round(start.pitch + (end.pitch - start.pitch) * part)
        key = (start.panel.name, end.panel.name, pitch)
        if key not in self._between:
            # A number stays one on the way to a panel whose cells have no room for it.
            last = end.number or max(SMALLEST, start.number * end.pitch // start.pitch)
            number = round(start.number + (last - start.number) * part) if start.number else 0
            line = start.line if part < 0.5 else end.line
            self._between[key] = replace(start, pitch=pitch, line=line, number=number)
        return self._between[key]

    def _cell(self, place: Place, f: Float) -> Pixels:
        """A cell with the grid lines around it."""
        own = -1
        if f.colour is not None and f.role not in COLOURLESS - {Role.PADDING}:
            own = int(self._palette.nearest(np.array(f.colour, np.uint8)))
        sprite = self._sprites.of(place, f.role, f.emphasis, f.value, f.note if place.note else "", own)
        line = place.line
        if not line:
            return sprite
        cell = np.empty((place.pitch + line, place.pitch + line), np.uint8)
        if f.role in DASHED and f.emphasis != Emphasis.ACTIVE:
            cell[:] = self._palette.solid("page")
            dash = max(2, round(place.pitch / 9))
            drawn = np.flatnonzero(np.arange(place.pitch) // dash % 2 == 0)
            ink = self._palette.solid("dash")
            for edge in (np.s_[:line], np.s_[-line:]):
                cell[edge, drawn] = ink
                cell[drawn, edge] = ink
        else:
            cell[:] = self._palette.solid("line")
        cell[line:-line, line:-line] = sprite
        return cell


def _lids(place: Place, grid: Grid) -> Iterator[Box]:
    """Rectangles over all cells that are there, with their lines."""
    there = grid.roles != Role.NONE
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if len(rows):
        top, left = place.at(int(rows[0]), int(columns[0]))
        bottom, right = place.at(int(rows[-1]) + 1, int(columns[-1]) + 1)
        yield Box(top, left, bottom + place.line, right + place.line)

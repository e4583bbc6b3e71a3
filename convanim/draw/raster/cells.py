"""Cells as pixels: every distinct one is drawn once, and kept (a sprite).

Knows roles, emphasis and numbers, and the palette. Must not know where a cell lies, or the frame that it is in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs, theme
from convanim.layout import Place, Text
from convanim.palette import Palette
from convanim.scene.frame import COLOURLESS, Emphasis, Role

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
#: Sprites that are kept; beyond, the one drawn first goes.
KEPT = 1500
#: What hides a count: the kernel over it, or the paper of what is not looked at.
_OVER = (Emphasis.ACTIVE, Emphasis.QUIET, Emphasis.DIFFERENT)


class Sprites:
    """The cells of an animation, each drawn when it is first asked for.

    Args:
        palette: every colour that they can need.
        motion: whether the window colours the cells that it covers; if not, only its outline shows it.
    """

    def __init__(self, palette: Palette, *, motion: bool = True) -> None:
        self.palette, self.motion = palette, motion
        self._sprites: OrderedDict[tuple[object, ...], Pixels] = OrderedDict()

    def of(self, place: Place, role: int, emphasis: int, value: float, note: str, own: int = -1) -> Pixels:
        """A cell without its grid lines: (height, width) palette indices, not to be written to.

        Args:
            role, emphasis: of the cell, as whole numbers.
            note: the small text in its corner, "" for none.
            own: the index of its own colour, for a cell of a picture; -1 for others.
        """
        if emphasis == Emphasis.ACTIVE and (own >= 0 or not self.motion):  # the window's outline says it
            emphasis = Emphasis.NONE
        core = own if role == Role.PADDING and emphasis not in (Emphasis.QUIET, Emphasis.DIFFERENT) else -1
        if role in COLOURLESS or emphasis in (Emphasis.QUIET, Emphasis.DIFFERENT):
            own = -1
        shown = role not in (Role.NONE, Role.PENDING, Role.EMPTY)
        text = place.panel.numerals.text(value) if shown and place.number else ""
        counted = place.panel.heat and role in theme.HEATED and emphasis not in _OVER
        heat = theme.heat(value, place.high) if counted else -1
        # Letters that find no room leave the colour of their role: there is nothing that a shade could measure.
        plain = place.number or place.plain or not place.panel.numerals.measures
        shade = own if own >= 0 else -1 if plain else self._shade(place, role, emphasis, value, heat)
        key = (place.inside, place.line, place.number, place.note, role, emphasis, text, note, shade, heat, core)
        sprite = self._sprites.get(key)
        if sprite is None:
            sprite = self._draw(place, Role(role), Emphasis(emphasis), text, note, shade, heat)
            if core >= 0:  # its colour is known, and that it is padding, too
                sprite[place.leaning(_core(place.pitch - place.line))] = core
            self._sprites[key] = sprite
            if len(self._sprites) > KEPT:
                self._sprites.popitem(last=False)
        return sprite

    def _shade(self, place: Place, role: int, emphasis: int, value: float, heat: int) -> int:
        """The index that stands for a value where there is no room for numbers."""
        if heat >= 0:
            return self.palette.solid(f"heat.{heat}")
        plain = emphasis in (Emphasis.QUIET, Emphasis.DIFFERENT)
        if plain or (role not in theme.SHADED and emphasis != Emphasis.ACTIVE):
            return self.palette.solid(theme.fill(Role(role), Emphasis(emphasis)))
        kind = "kernel" if emphasis == Emphasis.ACTIVE else place.panel.shade
        low, high = place.low, place.high
        if place.signed:  # two ramps that meet at nothing
            kind, value, low, high = "negative" if value < 0 else kind, abs(value), 0, max(-low, high)
        steps = self.palette.shade(kind)
        part = (value - low) / (high - low) if high > low else 0.5
        return int(steps[int(min(len(steps) - 1, max(0, part * len(steps))))])  # a part of infinity stays at an end

    def _draw(
        self, place: Place, role: Role, emphasis: Emphasis, text: str, note: str, shade: int, heat: int
    ) -> Pixels:
        paper = theme.fill(role, emphasis) if heat < 0 else f"heat.{heat}"
        sprite = np.full(place.inside, self.palette.solid(paper) if shade < 0 else shade, np.uint8)
        if emphasis != Emphasis.ACTIVE and role in theme.HATCH:
            self._hatch(sprite, role)
        elif emphasis != Emphasis.ACTIVE and self._marked(place, role, shade):
            sprite[place.leaning(_MARKS[role](place.pitch - place.line, bool(text)))] = self.palette.solid(
                theme.MARK[role]
            )
        written: list[tuple[Text, str]] = []
        if text:
            written.append((place.number_text(text, bold=emphasis in theme.BOLD), theme.ink(role, emphasis)))
        if note and place.holds(note):
            ink = theme.note_ink(role, emphasis) if heat < 0 else "text"
            written.append((place.note_text(note, centred=role == Role.OVERLAP), ink))
        for line, ink in written:
            drawn = glyphs.line(line.text, line.size, line.bold)
            _stamp(sprite, drawn, line, self.palette.ramp(paper, ink), clear=role in theme.HATCH)
        return sprite

    def _marked(self, place: Place, role: Role, shade: int) -> bool:
        if role == Role.PADDING:  # the dashes around it say it, where there is room for lines
            return not place.line
        return role in theme.MARK and (shade < 0 or role not in theme.SHADED)

    def _hatch(self, sprite: Pixels, role: Role) -> None:
        rows, columns = np.indices(sprite.shape)
        gap = max(4, len(sprite) // 6)
        lean = rows + columns if role == Role.CROPPED else rows - columns
        sprite[lean % gap == 0] = self.palette.solid(theme.HATCH[role])


def _dots(side: int, numbered: bool) -> Mask:
    """A dot in each corner, or in the middle of a cell without a number: a zero that was put between others."""
    dot = max(1, round(side / (21 if numbered else 8)))
    line = np.zeros(side, bool)
    if numbered:
        away = max(1, side // 11)
        line[away : away + dot] = line[side - away - dot : side - away] = True
    else:
        dot += (side - dot) % 2  # in the very middle
        line[(side - dot) // 2 : (side + dot) // 2] = True
    return np.outer(line, line)


def _ear(side: int, numbered: bool) -> Mask:
    """A folded corner: a copy."""
    rows, columns = np.indices((side, side))
    ear: Mask = (side - 1 - columns) + rows < max(2, side // 6)
    return ear


def _cross(side: int, numbered: bool) -> Mask:
    """A small cross in the middle, where such a cell has no number: nothing is here."""
    rows, columns = np.abs(np.indices((side, side)) * 2 - (side - 1))
    thick, reach = max(1, round(side / 40)), max(2, side / 4.5)
    cross: Mask = (np.abs(rows - columns) < 2 * thick) & (np.maximum(rows, columns) < reach)
    return cross


def _core(side: int) -> Mask:
    """A square in the middle: the colour of a cell that is not the picture's."""
    line = np.abs(np.arange(side) * 2 - (side - 1)) < max(1, side / 4)
    return np.outer(line, line)


def _corner(side: int, numbered: bool) -> Mask:
    """A pixel in a corner: what is left of a dashed line."""
    corner = np.zeros((side, side), bool)
    corner[0, 0] = True
    return corner


#: Where the mark of a role is, in a cell of so many pixels with or without a number.
_MARKS: dict[Role, Callable[[int, bool], Mask]] = {
    Role.INSERTED: _dots,
    Role.PADDING: _corner,
    Role.COPIED: _ear,
    Role.EMPTY: _cross,
}


def _stamp(sprite: Pixels, drawn: glyphs.Line, text: Text, ramp: Pixels, *, clear: bool) -> None:
    """Write a text into a cell; what would stick out of the cell is not drawn."""
    top, left = text.baseline - drawn.rise, text.x
    rows = slice(max(top, 0), min(top + drawn.coverage.shape[0], len(sprite)))
    columns = slice(max(left, 0), min(left + drawn.coverage.shape[1], sprite.shape[1]))
    part = drawn.coverage[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if clear:  # a quiet place for the number among the hatching
        sprite[max(rows.start - 2, 0) : rows.stop + 2, max(columns.start - 2, 0) : columns.stop + 2] = ramp[0]
    sprite[rows, columns] = ramp[part]

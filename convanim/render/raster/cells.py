"""Cells as pixels: every distinct one is drawn once, and kept (a sprite).

Knows roles, emphasis and numbers, and the palette. Must not know where a cell lies, or the frame that it is in.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs, theme
from convanim.layout import Place, Text
from convanim.palette import Palette
from convanim.scene.frame import Emphasis, Role

Pixels = NDArray[np.uint8]
#: Sprites that are kept; beyond, the one drawn first goes.
KEPT = 1500


class Sprites:
    """The cells of an animation, each drawn when it is first asked for.

    Args:
        palette: every colour that they can need.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._sprites: OrderedDict[tuple[object, ...], Pixels] = OrderedDict()
        self._ranges: dict[str, tuple[float, float]] = {}

    def of(self, place: Place, role: int, emphasis: int, value: float, note: str) -> Pixels:
        """A cell without its grid lines: (side, side) palette indices, not to be written to.

        Args:
            role, emphasis: of the cell, as whole numbers.
            note: the small text in its corner, "" for none.
        """
        shown = role not in (Role.NONE, Role.PENDING)
        text = place.panel.numerals.text(value) if shown and place.number else ""
        shade = self._shade(place, role, emphasis, value) if not place.number else -1
        side = place.pitch - place.line
        key = (side, place.number, place.note, role, emphasis, text, note, shade)
        sprite = self._sprites.get(key)
        if sprite is None:
            sprite = self._sprites[key] = self._draw(place, Role(role), Emphasis(emphasis), text, note, shade)
            if len(self._sprites) > KEPT:
                self._sprites.popitem(last=False)
        return sprite

    def _shade(self, place: Place, role: int, emphasis: int, value: float) -> int:
        """The index that stands for a value where there is no room for numbers."""
        if emphasis == Emphasis.QUIET or (role not in theme.SHADED and emphasis != Emphasis.ACTIVE):
            return self.palette.solid(theme.fill(Role(role), Emphasis(emphasis)))
        kind = "kernel" if emphasis == Emphasis.ACTIVE else place.panel.shade
        low, high = self._range(place)
        if low < 0 < high:  # two ramps that meet at nothing
            kind, value, low, high = "negative" if value < 0 else kind, abs(value), 0, max(-low, high)
        steps = self.palette.shade(kind)
        part = (value - low) / (high - low) if high > low else 0.5
        return int(steps[min(len(steps) - 1, max(0, int(part * len(steps))))])

    def _range(self, place: Place) -> tuple[float, float]:
        name = place.panel.name
        if name not in self._ranges:
            self._ranges[name] = place.panel.values.min().item(), place.panel.values.max().item()
        return self._ranges[name]

    def _draw(self, place: Place, role: Role, emphasis: Emphasis, text: str, note: str, shade: int) -> Pixels:
        side = place.pitch - place.line
        paper = theme.fill(role, emphasis)
        sprite = np.full((side, side), self.palette.solid(paper) if shade < 0 else shade, np.uint8)
        if role in theme.HATCH and emphasis != Emphasis.ACTIVE:
            self._hatch(sprite, role)
        for line, ink in self._texts(place, role, emphasis, text, note):
            drawn = glyphs.line(line.text, line.size, line.bold)
            _stamp(sprite, drawn, line, self.palette.ramp(paper, ink), clear=role in theme.HATCH)
        return sprite

    @staticmethod
    def _texts(place: Place, role: Role, emphasis: Emphasis, text: str, note: str) -> list[tuple[Text, str]]:
        written: list[tuple[Text, str]] = []
        if text:
            written.append((place.number_text(text, bold=emphasis == Emphasis.WRITTEN), theme.ink(role, emphasis)))
        if note:
            written.append((place.note_text(note, centred=role == Role.OVERLAP), theme.note_ink(role, emphasis)))
        return written

    def _hatch(self, sprite: Pixels, role: Role) -> None:
        rows, columns = np.indices(sprite.shape)
        gap = max(4, len(sprite) // 6)
        lean = rows + columns if role == Role.CROPPED else rows - columns
        sprite[lean % gap == 0] = self.palette.solid(theme.HATCH[role])


def _stamp(sprite: Pixels, drawn: glyphs.Line, text: Text, ramp: Pixels, *, clear: bool) -> None:
    """Write a text into a cell; what would stick out of the cell is not drawn."""
    top, left = text.baseline - drawn.rise, text.x
    rows = slice(max(top, 0), min(top + drawn.coverage.shape[0], len(sprite)))
    columns = slice(max(left, 0), min(left + drawn.coverage.shape[1], len(sprite)))
    part = drawn.coverage[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if clear:  # a quiet place for the number among the hatching
        sprite[max(rows.start - 2, 0) : rows.stop + 2, max(columns.start - 2, 0) : columns.stop + 2] = ramp[0]
    sprite[rows, columns] = ramp[part]

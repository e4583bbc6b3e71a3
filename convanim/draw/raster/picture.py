"""A frame put together: the one before with the changed cells put in, and the outlines laid over a copy.

Knows the layout's places and a theme's palette. Must not know files or time, nor how a cell looks inside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim import glyphs, theme
from convanim.draw.raster.cells import Sprites
from convanim.draw.raster.floats import DASHED, Floating
from convanim.draw.raster.framed import framed
from convanim.draw.raster.joined import Joined
from convanim.draw.raster.leaning import Leaning
from convanim.draw.raster.strokes import Blends, mixes
from convanim.draw.raster.tilted import TiltedGrid
from convanim.layout import Box, Page, Place, Text, Tilt
from convanim.palette import NONE, Palette
from convanim.scene import Scene
from convanim.scene.frame import Frame, Grid, Outline, Role
from convanim.theme import Theme

Pixels = NDArray[np.uint8]
#: The grid lines around a cell of each role: 0 none, 1 dashed, 2 solid. Between two cells the greater one counts.
LINED = np.array([0 if role == Role.NONE else 1 if role in DASHED else 2 for role in Role], np.uint8)


class Picture(NamedTuple):
    """A frame as palette indices (H, W), and outside of which box nothing changed since the frame before.

    The array is used again for the next frame: copy it to keep it.
    """

    pixels: Pixels
    changed: Box


def palette(page: Page, look: Theme) -> Palette:
    """The colours that a scene can need on this page, known before the first frame."""
    places = page.places.values()
    shades: set[str] = set()
    for place in places:
        if place.shaded:
            shades |= {place.panel.shade, "kernel"}  # under the kernel every cell is the kernel's
            shades |= {"negative"} if place.signed else set()
        shades |= {"heat"} if place.panel.heat else set()
    pictures = [place.panel.colours for place in places if place.panel.colours is not None]
    stamps = any(place.panel.shade == "product" for place in places)
    slanted = mixes(look, stamps=stamps, tilted=page.links != "fan") if page.links else NONE
    numbers = any(place.number for place in places)
    return look.needed(numbers=numbers, shades=shades, pictures=pictures, stamps=stamps, slanted=slanted)


class Raster:
    """Draws the frames of a scene, one after the other.

    Args:
        scene: what is shown.
        page: where.
        look: in which colours.
    """

    def __init__(self, scene: Scene, page: Page, look: Theme) -> None:
        self.page, self.palette = page, palette(page, look)
        self._steps = scene.beats.steps
        self._paper = self.palette.solid("page")
        # What lies under the outlines, and the frame itself with them.
        self._base: Pixels = np.full((page.height, page.width), self._paper, np.uint8)
        self._pixels = self._base.copy()
        self._before: Frame | None = None
        self._outlined: list[Box] = []
        self._written: dict[str, tuple[Text, Box | None]] = {}
        self._sprites = Sprites(self.palette, motion=page.motion_colours)
        blends = self._blends = Blends(self.palette)
        self._joined = Joined(page, blends)
        tilted = (place for place in page.places.values() if isinstance(place, Tilt))
        self._tilted = {place.panel.name: TiltedGrid(place, blends, LINED) for place in tilted}
        leaning = Leaning(page, blends, self._tilted, LINED)
        self._floating = Floating(page, self.palette, self._sprites, leaning)
        self._dirty: list[Box] = []
        for text, ink in ((page.title, "text"), *((t, "muted") for t in (page.detail, *page.signs))):
            if text.text:
                self._write(text, ink)
        for place in page.places.values():
            self._draw_scale(place)

    def draw(self, frame: Frame) -> Picture:
        """The next frame."""
        before = {} if self._before is None else self._before.grids
        self._dirty = self._outlined if before else [Box(0, 0, self.page.height, self.page.width)]
        self._draw_words(frame)
        for name, place in self.page.places.items():
            self._draw_grid(place, frame.grids[name], before.get(name))
        for box in self._dirty:
            where = np.s_[box.top : box.bottom, box.left : box.right]
            self._pixels[where] = self._base[where]
        # What floats goes with the next frame, as the outlines do.
        self._outlined = self._floating.draw(self._pixels, self._base, frame, flying=False)
        self._outlined += [
            self._outline(place, outline)
            for name, place in self.page.places.items()
            for outline in frame.grids[name].outlines
        ]
        self._outlined += self._joined.draw(self._pixels, self._base, frame)
        self._outlined += self._floating.draw(self._pixels, self._base, frame, flying=True)
        self._before = frame
        return Picture(self._pixels, _hull([*self._dirty, *self._outlined]))

    # Words.

    def _draw_words(self, frame: Frame) -> None:
        page = self.page
        for i, tab in enumerate(page.tabs):
            current = i == frame.phase
            text = tab.current if current else tab.idle
            if self._replace(f"tab {i}", text, "text" if current else "muted"):
                self._fill(tab.underline, self.palette.solid("kernel.stroke" if current else "line"))
        for i, lines in enumerate(page.said(frame.captions)):
            keys = f"caption {i}", f"caption {i}, second line"
            texts = [*lines, lines[0]._replace(text="")][:2]
            if [self._written.get(key, (None, None))[0] for key in keys] != texts:
                for key in keys:  # one line lies over both places of two
                    self._replace(key, texts[0]._replace(text=""), "text")
                for key, text in zip(keys, texts, strict=True):
                    self._replace(key, text, "text")
        if page.counts:
            self._replace("counter", page.counted(frame.step, self._steps), "muted")
        for name, place in page.places.items():
            if place.panel.titles:
                self._replace(f"title {name}", place.title._replace(text=frame.grids[name].title), "text")

    def _replace(self, key: str, text: Text, ink: str) -> bool:
        """Write a text where another one stood, if it is another one."""
        before, box = self._written.get(key, (None, None))
        if before == text:
            return False
        if box:
            self._fill(box, self._paper)
        self._written[key] = text, self._write(text, ink) if text.text else None
        return True

    def _write(self, text: Text, ink: str) -> Box:
        """Write a text on the page: the pixels that it covers."""
        drawn = glyphs.line(text.text, text.size, text.bold)
        high, wide = drawn.coverage.shape
        box = Box(text.baseline - drawn.rise, text.x, text.baseline - drawn.rise + high, text.x + wide)
        self._base[box.top : box.bottom, box.left : box.right] = self.palette.ramp("page", ink)[drawn.coverage]
        self._dirty.append(box)
        return box

    def _fill(self, box: Box, index: int) -> None:
        self._base[box.top : box.bottom, box.left : box.right] = index
        self._dirty.append(box)

    def _draw_scale(self, place: Place) -> None:
        if place.scale is None:
            return
        least, bar, greatest = place.scale
        self._write(least, "muted")
        self._write(greatest, "muted")
        steps = self.palette.shade(place.panel.shade)
        if place.signed:
            steps = np.concatenate([self.palette.shade("negative")[::-1], steps])
        if place.panel.heat:
            steps = self.palette.shade("heat")
        high, wide = bar.bottom - bar.top, bar.right - bar.left
        along = max(high, wide)
        inks = steps[np.arange(along) * len(steps) // along]
        self._base[bar.top : bar.bottom, bar.left : bar.right] = inks if wide >= high else inks[::-1, None]

    # Grids.

    def _draw_grid(self, place: Place, grid: Grid, before: Grid | None) -> None:
        if grid is before:
            return
        if tilted := self._tilted.get(place.panel.name):
            self._dirty += tilted.draw(self._base, grid, before)
            return
        notes = grid.notes if place.note else {}
        if before is None or not np.array_equal(LINED[grid.roles], LINED[before.roles]):
            self._draw_lines(place, grid)
            changed = grid.roles != Role.NONE
        else:
            changed = (grid.roles != before.roles) | (grid.emphasis != before.emphasis)
            if grid.values is not before.values:
                changed |= grid.values != before.values
            if notes or before.notes:
                for cell in {*notes, *before.notes}:
                    if notes.get(cell) != before.notes.get(cell):
                        changed[cell] = True
            if grid.colours is not before.colours:
                changed |= _differ(grid.colours, before.colours)
        rows, columns = np.nonzero(changed)
        if not len(rows):
            return
        roles, emphases, values = (a[rows, columns].tolist() for a in (grid.roles, grid.emphasis, grid.values))
        own = [-1] * len(rows) if grid.colours is None else self.palette.nearest(grid.colours[rows, columns]).tolist()
        for row, column, role, emphasis, value, colour in zip(
            rows.tolist(), columns.tolist(), roles, emphases, values, own, strict=True
        ):
            top, left, bottom, right = place.cell(row, column)
            note = notes.get((row, column), "")
            self._base[top:bottom, left:right] = self._sprites.of(place, role, emphasis, value, note, colour)
        first, last = place.cell(rows[0], columns.min()), place.cell(rows[-1], columns.max())
        self._dirty.append(Box(first.top, first.left, last.bottom, last.right))

    # Lines.

    def _draw_lines(self, place: Place, grid: Grid) -> None:
        """All grid lines of a panel: solid beside a filled cell, dashed around padding, none where nothing is."""
        self._fill(place.box, self._paper)
        if not place.line:
            return
        rows, columns = grid.roles.shape
        kind = np.zeros((rows + 2, columns + 2), np.uint8)
        kind[1:-1, 1:-1] = LINED[grid.roles]
        across, down = np.maximum(kind[:-1], kind[1:]), np.maximum(kind[:, :-1], kind[:, 1:])
        dash = max(2, round(place.pitch / 9))
        for axis, kinds in ((0, across[:, 1:-1]), (1, down[1:-1])):
            for i, j in zip(*(a.tolist() for a in np.nonzero(kinds)), strict=True):
                self._line(place, axis, i, j, dash if kinds[i, j] == 1 else 0)

    def _line(self, place: Place, axis: int, i: int, j: int, dash: int) -> None:
        """One cell's length of a grid line: axis 0 lies across, above row i; axis 1 stands, left of column j."""
        top, left = place.y + i * place.pitch, place.x + j * place.pitch
        high, wide = (place.line, place.pitch + place.line) if axis == 0 else (place.pitch + place.line, place.line)
        part = self._base[top : top + high, left : left + wide]
        if not dash:
            part[:] = self.palette.solid("line")
            return
        along = np.arange(place.pitch) // dash % 2 == 0
        ink = self.palette.solid("dash")
        if axis == 0:
            part[:, : place.pitch][:, along] = ink
        else:
            part[: place.pitch][along] = ink

    def _outline(self, place: Place, outline: Outline) -> Box:
        """A frame around some cells, over everything: the pixels that it covers."""
        if isinstance(place, Tilt):
            return framed(self._pixels, place, self._blends, outline, self.page.stroke)
        if outline.dashed:
            return self._dashes(place, outline)
        thick = min(self.page.stroke, max(2, place.pitch // 6))
        out = (thick - place.line) // 2
        top, left = (at - out for at in place.at(outline.top + outline.down, outline.left + outline.across))
        bottom = top + (outline.bottom - outline.top) * place.pitch + place.line + 2 * out
        right = left + (outline.right - outline.left) * place.pitch + place.line + 2 * out
        resting = not outline.down and not outline.across
        if outline.role == Role.KERNEL and resting:  # dashes would look frayed under the kernel
            line = self.palette.solid("line")
            for row in range(outline.top + 1, outline.bottom):
                y = place.y + row * place.pitch
                self._pixels[y : y + place.line, left:right] = line
            for column in range(outline.left + 1, outline.right):
                x = place.x + column * place.pitch
                self._pixels[top:bottom, x : x + place.line] = line
        ink = self.palette.solid(theme.STROKE[outline.role])
        for where in (
            np.s_[top : top + thick, left:right],
            np.s_[bottom - thick : bottom, left:right],
            np.s_[top:bottom, left : left + thick],
            np.s_[top:bottom, right - thick : right],
        ):
            self._pixels[where] = ink
        return Box(top, left, bottom, right)

    def _dashes(self, place: Place, outline: Outline) -> Box:
        """A thin dashed frame inside some cells, where no number reaches: the pixels that it covers."""
        first = place.cell(outline.top, outline.left)
        last = place.cell(outline.bottom - 1, outline.right - 1)
        box = Box(first.top, first.left, last.bottom, last.right)
        thick = max(1, min(round(0.4 * self.page.stroke), (place.pitch - place.line) // 20))
        part = self._pixels[box.top : box.bottom, box.left : box.right]
        ink = self.palette.solid(theme.STROKE[outline.role])
        dash = max(2, place.pitch // 7)
        for edges in (part, part.T):  # each as lines across
            wide = edges.shape[1]
            count = wide // dash // 2 * 2 + 1  # odd, so that a dash lies in either corner
            drawn = np.arange(wide) * count // wide % 2 == 0
            edges[:thick, drawn] = ink
            edges[-thick:, drawn] = ink
        return box


def _differ(a: NDArray[np.uint8] | None, b: NDArray[np.uint8] | None) -> NDArray[np.bool_] | bool:
    """Which cells have other colours of their own: all of them, where only one of two grids has any."""
    if a is None or b is None:
        return True
    other: NDArray[np.bool_] = (a != b).any(axis=2)
    return other


def _hull(boxes: list[Box]) -> Box:
    if not boxes:
        return Box(0, 0, 0, 0)
    return Box(
        min(b.top for b in boxes), min(b.left for b in boxes), max(b.bottom for b in boxes), max(b.right for b in boxes)
    )

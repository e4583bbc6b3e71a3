"""Puts a frame together: the last one with the changed cells copied in, then outlines over a copy."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.draw.cells import changed, differing
from convanim.draw.compose import Composer
from convanim.draw.mosaic import covering, mosaic, shaded
from convanim.draw.palette import NONE, Colour, Palette
from convanim.draw.raster.blends import mixes
from convanim.draw.raster.paint import KEPT, Painter, hull, inside, touched
from convanim.draw.rules import LINED, lines
from convanim.draw.shapes import Poly, Shapes, Stroke, bounds
from convanim.draw.theme import Theme
from convanim.page import Box, Page, Place
from convanim.page.lens import magnified
from convanim.scene import Scene
from convanim.scene.frame import Frame, Grid

Pixels = NDArray[np.uint8]


class Picture(NamedTuple):
    """A frame as palette indices (H, W), and the box outside of which it equals the frame before.

    The array is reused for the next frame: copy it to keep it.
    """

    pixels: Pixels
    changed: Box


def palette(page: Page, look: Theme) -> Palette:
    """The palette of a scene on this page, known before the first frame."""
    places = page.places.values()
    shades: set[str] = set()
    for place in places:
        if place.shaded:
            shades |= {"grey" if place.panel.white else place.panel.shade}
            shades |= {"negative"} if place.low < 0 and not place.panel.white else set()
        shades |= {"heat"} if place.panel.heat else set()
    pictures = [place.panel.colours for place in places if place.panel.colours is not None]
    stamps = any(place.panel.shade == "product" for place in places)
    joined = page.paired or any(place.panel.magnifies for place in places)
    lines = page.links or (not pictures and joined)
    slanted = mixes(look, stamps=stamps, tilted=page.links not in ("", "fan")) if lines else NONE
    numbers = any(place.number for place in places)
    bare = numbers and not all(place.number for place in places)
    rounded = any(place.plain and place.radius and not (place.number or place.tilted) for place in places)
    return look.needed(
        numbers=numbers,
        bare=bare,
        rounded=rounded,
        shades=shades,
        pictures=pictures,
        stamps=stamps,
        slanted=slanted,
    )


class Raster:
    """Draws the frames of a scene, one after the other.

    Args:
        scene: the scene.
        page: its layout.
        look: its theme.
    """

    def __init__(self, scene: Scene, page: Page, look: Theme) -> None:
        self.page, self.palette = page, palette(page, look)
        self._composer = Composer(page, scene.beats.steps)
        self._painter = Painter(self.palette)
        # The page at rest, and the frame with the shapes over it.
        self._base: Pixels = np.full((page.height, page.width), self.palette.solid("page"), np.uint8)
        self._pixels = self._base.copy()
        self._before: Frame | None = None
        self._words: dict[str, tuple[Shapes, Box]] = {}
        self._panels: dict[str, Panel | DensePanel] = {
            name: (DensePanel if place.dense else Panel)(place, self._composer, self._painter)
            for name, place in page.places.items()
        }
        self._over: list[Box] = []
        for shape in self._composer.fixed():
            self._painter.paint(self._base, shape, self._base)

    def draw(self, frame: Frame) -> Picture:
        """The next frame."""
        frame = magnified(self.page, frame)
        first = self._before is None
        before = {} if self._before is None else self._before.grids
        dirty = [Box(0, 0, self.page.height, self.page.width)] if first else self._over
        dirty += self._write(self._composer.words(frame))
        for name, panel in self._panels.items():
            dirty += panel.draw(self._base, frame.grids[name], before.get(name))
        for box in dirty:
            where = np.s_[box.top : box.bottom, box.left : box.right]
            self._pixels[where] = self._base[where]
        # The shapes over the page are removed with the next frame.
        self._over = [self._painter.paint(self._pixels, shape, self._base) for shape in self._composer.over(frame)]
        self._before = frame
        return Picture(self._pixels, hull([*dirty, *self._over]))

    def _write(self, words: dict[str, Shapes]) -> list[Box]:
        """Replace the texts that have changed, and return the boxes of the changed pixels."""
        none: tuple[Shapes | None, Box] = None, Box(0, 0, 0, 0)
        before = {key: self._words.get(key, none) for key in words}
        new = [key for key, shapes in words.items() if before[key][0] != shapes]
        paper, boxes = self.palette.solid("page"), []
        for key in new:  # clear all old texts first, since a new one may overlap the place of another
            box = before[key][1]
            self._base[box.top : box.bottom, box.left : box.right] = paper
            boxes.append(box)
        for key in new:
            self._words[key] = words[key], self._painter.texts(self._base, words[key])
            boxes.append(self._words[key][1])
        return boxes


class DensePanel:
    """Draws a grid without gaps between its cells, then only the part in which they change.

    Args:
        place: its place on the page.
    """

    def __init__(self, place: Place, composer: Composer, painter: Painter) -> None:
        self._place, self._painter = place, painter
        self._shades: tuple[NDArray[Any], NDArray[np.uint16]] | None = None  # of values that stay the same

    def draw(self, base: Pixels, grid: Grid, before: Grid | None) -> list[Box]:
        """Draw the smallest part of the grid that holds all changes, and return its box."""
        if grid is before:
            return []
        part = shades = None
        if before is not None:
            found = differing(grid, before, notes=False)
            cells, wide = found.tobytes(), found.shape[1]
            if (first := cells.find(1)) < 0:
                return []
            down = slice(first // wide, cells.rfind(1) // wide + 1)
            columns = np.flatnonzero(found[down].any(axis=0))
            part = covering(self._place, down, slice(int(columns[0]), int(columns[-1]) + 1))
            if self._place.per == 1 and grid.values is before.values:
                if self._shades is None or self._shades[0] is not grid.values:
                    self._shades = grid.values, shaded(self._place, grid.values)
                shades = self._shades[1]
        return [self._painter.paint(base, mosaic(self._place, grid, part, shades), base)]


class Panel:
    """Draws the grid of one panel, then only the cells that change.

    Args:
        place: its place on the page.
    """

    def __init__(self, place: Place, composer: Composer, painter: Painter) -> None:
        self.place, self._composer, self._painter = place, composer, painter
        _, mask = inside(place.area, place.inside)
        # Upright cells are whole boxes between the lines; tilted cells are masked, and lines overlap their edges.
        self._mask = mask if place.tilted else None
        self._lines: list[tuple[Pixels, Pixels]] = []
        self._where: dict[tuple[int, int], tuple[slice, slice]] = {}
        self._drawn: dict[tuple[int, int, float, str, Colour | None], Pixels] = {}
        self._covers: dict[tuple[int, int], tuple[list[tuple[Pixels, Pixels]], bytes]] = {}
        self._lined: OrderedDict[tuple[int, bytes], tuple[Pixels, Pixels]] = OrderedDict()

    def draw(self, base: Pixels, grid: Grid, before: Grid | None) -> list[Box]:
        """Draw the cells that changed, and return their boxes."""
        if grid is before:
            return []
        relined = before is None or (
            self._mask is not None and not np.array_equal(LINED[grid.roles], LINED[before.roles])
        )
        rows, columns = np.nonzero(changed(self.place, grid, None if relined else before))
        extent = self._clear(base) if relined else None
        if len(rows):
            self._put(base, grid, rows, columns, lined=not relined)
        if extent:
            self._rule(base, lines(self.place, grid))
            return [extent]
        if not len(rows):
            return []
        top, left, bottom, right = map(int, (rows[0], columns.min(), rows[-1], columns.max()))
        if self._mask is None:  # between the lines
            first, last = self.place.cell(top, left), self.place.cell(bottom, right)
            return [Box(first.top, first.left, last.bottom, last.right)]
        corners = self.place.hull(top, left, bottom + 1, right + 1)
        return [_around(corners, base)]

    def _clear(self, base: Pixels) -> Box:
        """Clear the grid, including the lines around it."""
        around = self.place.hull(0, 0, *self.place.panel.shape, pad=0.5 if self.place.tilted else 0)
        self._painter.paint(base, Poly(around, "page"), base)
        return _around(around, base)

    def _put(self, base: Pixels, grid: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp], *, lined: bool) -> None:
        place = self.place
        roles, emphases, values = (a[rows, columns].tolist() for a in (grid.roles, grid.emphasis, grid.values))
        own: list[tuple[int, int, int] | None] = [None] * len(rows)
        if grid.colours is not None:
            shown = self._painter.palette.rounded(grid.colours[rows, columns])
            own = [(red, green, blue) for red, green, blue in shown.tolist()]
        notes = grid.notes if place.note else {}
        for row, column, role, emphasis, value, colour in zip(
            rows.tolist(), columns.tolist(), roles, emphases, values, own, strict=True
        ):
            at = row, column
            where = self._where.get(at)
            if where is None:
                top, left, bottom, right = place.cell(row, column)
                where = self._where[at] = np.s_[top:bottom, left:right]
            look = role, emphasis, value, notes.get(at, ""), colour
            drawn = self._drawn.get(look)
            if drawn is None:
                if len(self._drawn) > KEPT:
                    self._drawn.clear()
                cell = self._composer.cells.of(place, *look)
                drawn = self._drawn[look] = self._painter.sprite(cell).pixels
            if self._mask is None:
                base[where] = drawn
            else:
                np.copyto(base[where], self._with_lines(drawn, at) if lined else drawn, where=self._mask)

    def _rule(self, base: Pixels, shapes: Shapes) -> None:
        """Draw the lines, and store their pixels over cells that may change."""
        self._lines = []
        self._lined.clear()
        self._covers.clear()
        for shape in shapes:
            self._painter.paint(base, shape, base)
            if self._mask is not None and isinstance(shape, Stroke):
                (x, y), (rows, columns, cover, _) = touched(shape)
                whole = np.zeros_like(base)
                rows, columns = rows + y, columns + x
                seen = (rows >= 0) & (columns >= 0) & (rows < base.shape[0]) & (columns < base.shape[1])
                whole[rows[seen], columns[seen]] = cover[seen]
                self._lines.append((whole, self._painter.blends.table(str(shape.ink))))

    def _with_lines(self, drawn: Pixels, at: tuple[int, int]) -> Pixels:
        """A cell with the halves of the lines that overlap it; cells that are overlapped alike share it."""
        if at not in self._covers:
            covers = [(cover[self._where[at]], table) for cover, table in self._lines]
            self._covers[at] = covers, b"".join(cover.tobytes() for cover, _ in covers)
        covers, overlap = self._covers[at]
        key = id(drawn), overlap
        kept = self._lined.get(key)
        if kept is None:
            out = drawn
            for cover, table in covers:
                out = table[cover, out]
            kept = self._lined[key] = drawn, out  # a cached object keeps its id
            if len(self._lined) > KEPT:
                self._lined.popitem(last=False)
        return kept[1]


def _around(points: tuple[tuple[float, float], ...], base: Pixels) -> Box:
    """The box of the pixels that a polygon may touch."""
    (top, left, bottom, right), (high, wide) = bounds(points), base.shape
    return Box(max(int(top) - 1, 0), max(int(left) - 1, 0), min(int(bottom) + 2, high), min(int(right) + 2, wide))

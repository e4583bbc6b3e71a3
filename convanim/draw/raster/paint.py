"""Paints shapes as palette indices on an array; cells are cached as sprites, and strokes as coverage."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.draw.palette import Palette
from convanim.draw.raster.blends import ALL, Blends
from convanim.draw.shapes import (
    Card,
    Clipped,
    Fill,
    Hatch,
    Ink,
    Mosaic,
    Placed,
    Points,
    Poly,
    Rest,
    Ring,
    Shape,
    Shapes,
    Stroke,
    Veil,
    Words,
    bounds,
    boxes,
    rectangle,
    rounded,
    upright,
)
from convanim.page import Box, glyphs
from convanim.system import agg

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
#: The sizes of the caches of sprites, of words and chips, and of rings; beyond them, the oldest one is dropped.
KEPT, WORDS, RINGS = 1500, 500, 100
#: No colour has this index: a palette has at most 255.
UNUSED = 255

#: The level of a coverage from 0 to 255, and the least coverage that has one above 0.
_LEVEL = np.rint(np.arange(256) * (ALL / 255)).astype(np.uint8)
_LEAST = int(np.flatnonzero(_LEVEL)[0])


class Sprite(NamedTuple):
    """A cell as pixels, and a mask of those that belong to it; None for all."""

    pixels: Pixels
    mask: Mask | None


class Touched(NamedTuple):
    """The pixels that a stroke touches, the coverage of each, 1 to ALL, and the box around them."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    cover: NDArray[np.uint8]
    box: Box


class Painter:
    """Paints shapes on arrays of palette indices.

    Args:
        palette: all available colours.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette, self.blends = palette, Blends(palette)
        self._sprites: OrderedDict[int, tuple[Shapes, Sprite]] = OrderedDict()
        self._cards: OrderedDict[tuple[object, ...], Sprite] = OrderedDict()
        self._lines: OrderedDict[tuple[object, ...], tuple[Sprite, int]] = OrderedDict()
        self._chips: OrderedDict[tuple[object, ...], Sprite] = OrderedDict()
        self._rings: OrderedDict[tuple[Any, ...], tuple[NDArray[np.intp], Pixels]] = OrderedDict()
        self._bends: dict[tuple[str, str, int, int], list[Sprite]] = {}
        self._letters: dict[tuple[str, ...], Mask] = {}
        self._numbered: dict[tuple[Ink, ...], Pixels] = {}

    def paint(self, pixels: Pixels, shape: Shape, base: Pixels, x: int = 0, y: int = 0) -> Box:
        """Paint a shape moved by (x, y), and return the box of the pixels that it may touch.

        Args:
            pixels: (H, W), the array to paint on.
            base: the same page at rest, with the letters and with the cells that others emerge from under.
        """
        match shape:
            case Words():
                return self._words(pixels, shape, x, y)
            case Fill(box, ink):
                return _fill(pixels, _moved(box, x, y), self.palette.index(ink))
            case Card():
                return _blit(pixels, self._card(shape), x + shape.box.left, y + shape.box.top)
            case Ring():
                return self._ring(pixels, shape, x, y)
            case Mosaic(box):
                return _blit(pixels, Sprite(self.mosaic(shape), None), x + box.left, y + box.top)
            case Placed(left, top, shapes):
                return _blit(pixels, self.sprite(shapes), x + left, y + top)
            case Stroke():
                return self._stroke(pixels, shape, base, x, y)
            case Poly(points) | Veil(points) | Hatch(points) | Rest(_, points):
                return self._area(pixels, shape, points, base, x, y)
            case Clipped():
                return self._clipped(pixels, shape, base, x, y)

    def _area(
        self, pixels: Pixels, shape: Poly | Veil | Hatch | Rest, points: Points, base: Pixels, x: int, y: int
    ) -> Box:
        """Paint inside of a convex polygon."""
        box, mask = inside(_shift(points, x, y), pixels.shape)
        where = np.s_[box.top : box.bottom, box.left : box.right]
        view = pixels[where]
        match shape:
            case Rest():
                np.copyto(view, base[where], where=mask)
            case Veil(_, ink):
                # Quicker than an array of indices.
                seen = np.frombuffer(view.tobytes().translate(self.blends.veil(ink)), np.uint8)
                np.copyto(view, seen.reshape(view.shape), where=mask)
            case Poly(_, ink):
                view[mask] = self.palette.index(ink)
            case Hatch(_, ink, gap, falls):
                rows, columns = np.indices(mask.shape)
                rows, columns = rows + box.top - y, columns + box.left - x
                view[mask & ((rows - columns if falls else rows + columns) % gap == 0)] = self.palette.index(ink)
        return box

    def sprite(self, shapes: Shapes) -> Sprite:
        """Shapes as a cached sprite; the first shape covers all others."""
        kept = self._sprites.get(id(shapes))
        if kept is not None and kept[0] is shapes:
            return kept[1]
        first = shapes[0]
        mask = None
        if isinstance(first, Card):
            pixels, mask = self._card(first)
            pixels = pixels.copy()  # other shapes are painted on it
        elif isinstance(first, Fill):
            pixels = np.full((first.box.bottom, first.box.right), self.palette.index(first.ink), np.uint8)
        elif isinstance(first, Poly):
            _, _, bottom, right = bounds(first.points)
            pixels = np.full((ceil(bottom), ceil(right)), self.palette.index(first.ink), np.uint8)
            mask = inside(first.points, pixels.shape)[1]
        else:
            raise TypeError(f"{type(first).__name__} cannot be the ground of a cell")
        for shape in shapes[1:]:
            self.paint(pixels, shape, pixels)
        sprite = Sprite(pixels, mask)
        self._sprites[id(shapes)] = shapes, sprite  # a cached object keeps its id
        if len(self._sprites) > KEPT:
            self._sprites.popitem(last=False)
        return sprite

    def mosaic(self, shape: Mosaic) -> Pixels:
        """A mosaic as the pixels of its box."""
        numbered = self._numbered.get(shape.inks)  # one look-up, as the hash of a long tuple takes its time
        if numbered is None:
            numbered = np.array([self.palette.index(ink) for ink in shape.inks], np.uint8)
            self._numbered[shape.inks] = numbered
        cells = numbered[shape.numbers]
        if shape.colours is not None and shape.own is not None:
            cells[shape.own] = self.palette.nearest(shape.colours[shape.own])
        return shape.pixels(cells)

    def _card(self, card: Card) -> Sprite:
        (top, left, bottom, right), ink, radius, paper = card
        if not radius:
            return Sprite(np.full((bottom - top, right - left), self.palette.index(ink), np.uint8), None)
        key = bottom - top, right - left, ink, radius, paper
        if key not in self._cards:
            cover = rounded(card)
            self._cards[key] = Sprite(self.palette.ramp(paper, str(ink))[cover], cover > 0)
            if len(self._cards) > KEPT:
                self._cards.popitem(last=False)
        return self._cards[key]

    def _ring(self, pixels: Pixels, ring: Ring, x: int, y: int) -> Box:
        box, across = _moved(ring.box, x, y), pixels.shape[1]
        if _within(box, pixels.shape) != box or not pixels.flags.c_contiguous:
            return self._bent(pixels, ring, x, y)
        key = box.bottom - box.top, box.right - box.left, across, *ring[1:]
        kept = self._rings.get(key)
        if kept is None:
            alone = np.full(key[:2], UNUSED, np.uint8)
            self._bent(alone, ring, -ring.box.left, -ring.box.top)
            rows, columns = np.nonzero(alone != UNUSED)
            kept = self._rings[key] = rows * across + columns, alone[rows, columns]
            if len(self._rings) > RINGS:
                self._rings.popitem(last=False)
        at, colours = kept  # quicker than four sides and four corners
        pixels.ravel()[at + (box.top * across + box.left)] = colours
        return box

    def _bent(self, pixels: Pixels, ring: Ring, x: int, y: int) -> Box:
        """Paint the sides and corners of a ring."""
        index = self.palette.index(ring.ink)
        for side in ring.sides:
            _fill(pixels, _moved(side, x, y), index)
        key = ring.ink, ring.paper, ring.radius, ring.thick
        if key not in self._bends:
            # Only round corners have edges that are blended with the paper.
            ramp = self.palette.ramp(ring.paper, ring.ink) if ring.radius else np.full(256, index, np.uint8)
            self._bends[key] = [Sprite(ramp[cover], cover > 0) for _, _, cover in ring.bends]
        for (left, top, _), sprite in zip(ring.bends, self._bends[key], strict=True):
            _blit(pixels, sprite, x + left, y + top)
        return _within(_moved(ring.box, x, y), pixels.shape)

    def _words(self, pixels: Pixels, words: Words, x: int, y: int) -> Box:
        text, ink, paper = words
        key = text.text, text.size, text.bold, ink, paper
        kept = self._lines.get(key)
        if kept is None:
            drawn = glyphs.line(text.text, text.size, text.bold)
            sprite = Sprite(self.palette.ramp(str(paper), str(ink))[drawn.coverage], drawn.coverage > 0)
            kept = self._lines[key] = sprite, drawn.rise
            if len(self._lines) > WORDS:
                self._lines.popitem(last=False)
        return _blit(pixels, kept[0], x + text.x, y + text.baseline - kept[1])

    def texts(self, base: Pixels, shapes: Shapes) -> Box:
        """Paint texts on a page at rest, and return the box of the pixels that they may touch."""
        out, at = list[Box](), 0
        while at < len(shapes):
            shape, at = shapes[at], at + 1
            if isinstance(shape, Card) and at < len(shapes) and isinstance(number := shapes[at], Words):
                out.append(self._chip(base, shape, number))
                at += 1
            else:
                out.append(self.paint(base, shape, base))
        return hull(out)

    def _chip(self, base: Pixels, card: Card, words: Words) -> Box:
        """Paint a chip and the number on it; if it lies between the corners, they become one sprite."""
        (top, left, bottom, right), ink, radius, paper = card
        (text, x, y, size, bold, _), *inks = words
        key = bottom - top, right - left, ink, radius, paper, text, x - left, y - top, size, bold, *inks
        kept = self._chips.get(key)
        if kept is not None:
            return _blit(base, kept, left, top)
        whole, number = (self.paint(base, shape, base) for shape in (card, words))
        inner = top <= number.top and number.bottom <= bottom
        inner = inner and left + radius <= number.left and number.right <= right - radius
        if inner and whole == card.box:
            self._chips[key] = Sprite(base[top:bottom, left:right].copy(), self._card(card).mask)
            if len(self._chips) > WORDS:
                self._chips.popitem(last=False)
        return hull([whole, number])

    def _stroke(
        self, pixels: Pixels, stroke: Stroke, base: Pixels, x: int, y: int, within: Points = (), without: Points = ()
    ) -> Box:
        if upright(stroke) and not (stroke.halo or within or without):  # upright lines have no letters on them
            index = self.palette.index(stroke.ink)
            return hull([_fill(pixels, _moved(box, x, y), index) for box in boxes(stroke)])
        (left, top), (rows, columns, cover, box) = touched(stroke)
        box, wide = _moved(box, left + x, top + y), pixels.shape[1]
        whole = _within(box, pixels.shape) == box
        if not whole or within or without:
            rows, columns = rows + (top + y), columns + (left + x)
            seen = (rows >= 0) & (rows < pixels.shape[0]) & (columns >= 0) & (columns < wide)
            for area, wanted in ((within, True), (without, False)):
                if area:
                    seen &= _among(rows - y, columns - x, area) == wanted
            rows, columns, cover = rows[seen], columns[seen], cover[seen]
            at = rows * wide + columns
        else:
            at = rows * wide + (columns + ((top + y) * wide + left + x))
        if stroke.halo:
            free = ~self._near(base, at, stroke)
            at, cover = at[free], cover[free]
        if not len(at):
            return Box(0, 0, 0, 0)
        table = self.blends.table(str(stroke.ink), behind=() if stroke.halo else stroke.behind)
        pixels.put(at, table.ravel().take(cover * np.intp(256) + pixels.take(at)))
        return _within(box, pixels.shape)

    def _near(self, base: Pixels, at: NDArray[np.intp], stroke: Stroke) -> Mask:
        """A mask of the pixels at these positions that letters cover, with a margin of some px."""
        if stroke.behind not in self._letters:
            self._letters[stroke.behind] = np.zeros(256, bool)
            self._letters[stroke.behind][self.palette.inked(stroke.behind)] = True
        letters, flat, wide = self._letters[stroke.behind], base.ravel(), base.shape[1]
        near: Mask = letters[flat[at]]
        for away in range(1, stroke.halo + 1):
            for step in (away, -away, away * wide, -away * wide):
                near |= letters[flat.take(at + step, mode="clip")]
        return near

    def _clipped(self, pixels: Pixels, clipped: Clipped, base: Pixels, x: int, y: int) -> Box:
        if len(clipped.shapes) == 1 and isinstance(clipped.shapes[0], Stroke):  # few pixels of a large area
            return self._stroke(pixels, clipped.shapes[0], base, x, y, clipped.inside, clipped.outside)
        box, mask = Box(0, 0, *pixels.shape), None
        if clipped.inside:
            area = _shift(clipped.inside, x, y)
            if whole := rectangle(area):
                box = _within(whole, pixels.shape)
            else:
                box, mask = inside(area, pixels.shape)
        elif isinstance(clipped.shapes[0], Veil) and len(clipped.shapes) == 1:  # smaller than the page
            top, left, bottom, right = bounds(_shift(clipped.shapes[0].points, x, y))
            box = _within(Box(floor(top), floor(left), ceil(bottom), ceil(right)), pixels.shape)
        if clipped.outside:
            hidden, over = inside(_shift(clipped.outside, x, y), pixels.shape)
            mask = np.ones((box.bottom - box.top, box.right - box.left), bool) if mask is None else mask
            part = _within(_moved(hidden, -box.left, -box.top), mask.shape)
            top, left = part.top + box.top - hidden.top, part.left + box.left - hidden.left
            mask[part.top : part.bottom, part.left : part.right] &= ~over[
                top : top + part.bottom - part.top, left : left + part.right - part.left
            ]
        view, under = (some[box.top : box.bottom, box.left : box.right] for some in (pixels, base))
        if not view.size:
            return Box(0, 0, 0, 0)
        out = view if mask is None else view.copy()
        found = [self.paint(out, shape, under, x - box.left, y - box.top) for shape in clipped.shapes]
        if mask is not None:
            np.copyto(view, out, where=mask)
        return _moved(hull(found), box.left, box.top)


def touched(stroke: Stroke) -> tuple[tuple[int, int], Touched]:
    """The pixels that a stroke touches, relative to a pixel (x, y)."""
    top, left, _, _ = bounds(tuple(point for line in stroke.lines for point in line))
    x, y = floor(left), floor(top)
    moved = tuple(tuple((a - x, b - y) for a, b in line) for line in stroke.lines)
    return (x, y), _touched(moved, stroke.width, stroke.dash, filled=stroke.filled)


@lru_cache(maxsize=128)  # up to 40 KB each; the lines from a window to its cell differ in every frame
def _touched(lines: tuple[Points, ...], width: float, dash: float, *, filled: bool) -> Touched:
    """The coverage of lines that begin near the origin; equal lines elsewhere are only moved."""
    pad = ceil(width / 2) + 1
    _, _, bottom, right = bounds(tuple(point for line in lines for point in line))
    paths = [np.array(line, float) + pad for line in lines]
    cover = agg.cover(paths, (ceil(bottom) + 2 * pad + 1, ceil(right) + 2 * pad + 1), width, dash, filled=filled)
    at = np.flatnonzero(cover >= _LEAST)
    rows, columns = np.divmod(at, cover.shape[1])
    extent = Box(0, 0, 0, 0)
    if len(rows):
        extent = Box(*(int(at) - pad for at in (rows[0], columns.min(), rows[-1] + 1, columns.max() + 1)))
    return Touched(rows - pad, columns - pad, _LEVEL[cover.ravel()[at]], extent)


def inside(points: Points, shape: tuple[int, ...]) -> tuple[Box, Mask]:
    """The box around a convex polygon, and a mask of the pixels whose centres lie in it.

    A centre on a side belongs to only one of the two polygons that share the side.

    Args:
        shape: (height, width) of the page.
    """
    top, left, bottom, right = bounds(points)
    x, y = floor(left), floor(top)
    box = _within(Box(y, x, ceil(bottom), ceil(right)), shape)
    mask = _polygon(tuple((a - x, b - y) for a, b in points))
    return box, mask[box.top - y : box.bottom - y, box.left - x : box.right - x].copy()


def _among(rows: NDArray[np.intp], columns: NDArray[np.intp], area: Points) -> Mask:
    """A mask of the pixels whose centres lie in a convex polygon."""
    top, left, _, _ = bounds(area)
    y, x = floor(top), floor(left)
    mask = _polygon(tuple((a - x, b - y) for a, b in area))
    high, wide = mask.shape
    rows, columns = rows - y, columns - x
    there = (rows >= 0) & (rows < high) & (columns >= 0) & (columns < wide)
    found: Mask = mask[rows * there, columns * there] & there
    return found


@lru_cache(maxsize=64)
def _polygon(points: Points) -> Mask:
    _, _, bottom, right = bounds(points)
    y, x = np.arange(ceil(bottom))[:, None] + 0.5, np.arange(ceil(right))[None, :] + 0.5
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True))
    around = points if turn > 0 else points[::-1]
    mask = np.ones((ceil(bottom), ceil(right)), bool)
    for (px, py), (qx, qy) in zip(around, (*around[1:], around[0]), strict=True):
        side = (qx - px) * (y - py) - (qy - py) * (x - px)
        first = qy < py or (qy == py and qx > px)  # left and upper sides own the centres on them
        mask &= side >= 0 if first else side > 0
    return mask


def hull(found: list[Box] | tuple[Box, ...]) -> Box:
    """The box around other boxes; empty ones do not count."""
    there = [box for box in found if box[2] > box[0] and box[3] > box[1]]
    if not there:
        return Box(0, 0, 0, 0)
    tops, lefts, bottoms, rights = zip(*there, strict=True)
    return Box(min(tops), min(lefts), max(bottoms), max(rights))


def _blit(pixels: Pixels, sprite: Sprite, x: int, y: int) -> Box:
    drawn, mask = sprite
    high, wide = drawn.shape
    whole = Box(y, x, y + high, x + wide)
    if y >= 0 <= x and whole.bottom <= pixels.shape[0] and whole.right <= pixels.shape[1]:
        if mask is None:
            pixels[y : y + high, x : x + wide] = drawn
        else:
            np.copyto(pixels[y : y + high, x : x + wide], drawn, where=mask)
        return whole
    box = _within(whole, pixels.shape)
    part = np.s_[box.top - y : box.bottom - y, box.left - x : box.right - x]
    if mask is None:
        pixels[box.top : box.bottom, box.left : box.right] = drawn[part]
    else:
        np.copyto(pixels[box.top : box.bottom, box.left : box.right], drawn[part], where=mask[part])
    return box


def _fill(pixels: Pixels, box: Box, index: int) -> Box:
    box = _within(box, pixels.shape)
    pixels[box.top : box.bottom, box.left : box.right] = index
    return box


def _within(box: Box, shape: tuple[int, ...]) -> Box:
    if box.top >= 0 <= box.left and box.top <= box.bottom <= shape[0] and box.left <= box.right <= shape[1]:
        return box
    top, left = min(max(box.top, 0), shape[0]), min(max(box.left, 0), shape[1])
    return Box(top, left, max(top, min(box.bottom, shape[0])), max(left, min(box.right, shape[1])))


def _moved(box: Box, x: int, y: int) -> Box:
    return Box(box.top + y, box.left + x, box.bottom + y, box.right + x)


def _shift(points: Points, x: int, y: int) -> Points:
    return points if not (x or y) else tuple((a + x, b + y) for a, b in points)

"""Paints shapes with the drawing primitives of matplotlib's renderers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor
from typing import Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform, TransformedPath
from numpy.typing import NDArray

from convanim.draw.palette import LEVELS, mix
from convanim.draw.raster.paint import inside
from convanim.draw.regions import (
    Area,
    Region,
    area_of,
    corners,
    cut,
    ground_of,
    holds,
    part_within,
    parts_beside,
    shifted,
    written,
)
from convanim.draw.shapes import (
    VEIL,
    Card,
    Clipped,
    Fill,
    Hatch,
    Ink,
    Mosaic,
    Placed,
    Point,
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
from convanim.draw.theme import Theme
from convanim.page import Box, Page, glyphs

#: LaTeX's special characters, escaped.
_LATEX = {c: f"\\{c}" for c in "#$%&_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{
        sign: f"\\ensuremath{{{command}}}"
        for sign, command in {
            **{"×": r"\times", "·": r"\cdot", "−": "-", "→": r"\rightarrow", "≈": r"\approx", "≠": r"\neq"},
            **{"⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "∞": r"\infty", "√": r"\surd"},
            **{"Σ": r"\Sigma", "≤": r"\leq", "≥": r"\geq"},
        }.items()
    },
}


class Pen:
    """Paints shapes with the primitives of one renderer."""

    def __init__(
        self, renderer: Any, look: Theme, text: str, where: tuple[float, float, float], page: Page, clip: Bbox | None
    ) -> None:
        self._renderer, self._look, self._text, self._page = renderer, look, text, page
        left, bottom, self._scale = where
        high = page.height * self._scale
        self._pixels = hasattr(renderer, "buffer_rgba")
        # If page and canvas have the same pixels, text is copied from the raster.
        self._exact = self._pixels and self._scale == 1 and left.is_integer() and bottom.is_integer()
        flip = renderer.flipy()
        self._to = Affine2D().scale(self._scale, -self._scale).translate(left, bottom + high)
        self._corner, self._flip = (left, bottom + high), flip
        self._box = Bbox.from_bounds(left, bottom, page.width * self._scale, high)
        if clip is not None:
            self._box = Bbox.intersection(self._box, clip) or Bbox.null()
        self._point = self._scale / renderer.points_to_pixels(1.0)  # matplotlib's line widths are in points
        self._rest: Shapes = ()
        self.latex = False
        self._waiting: list[tuple[Words, float, float, Region, Area]] = []

    def paint(self, rest: Shapes, over: Shapes) -> None:
        """Paint a page at rest, and the shapes over it."""
        if not np.isfinite(self._box.get_points()).all():
            return
        self._rest, self._letters = rest, dict[tuple[str, ...], NDArray[np.bool_]]()
        for shape in (*rest, *over):
            self._paint(shape, 0, 0, None)
        self._write()

    def _paint(self, shape: Shape, x: float, y: float, region: Region) -> None:
        if self._waiting and self._covers(shape, x, y):
            self._write()
        match shape:
            case Fill() | Card():
                self._card(shape, x, y, region)
            case Ring():
                self._ring(shape, x, y, region)
            case Poly(points, ink) | Veil(points, ink):
                opacity = VEIL if isinstance(shape, Veil) else 1.0
                self._fill(self._rows(shifted(points, x, y)), ink, region, opacity)
            case Mosaic():
                self._mosaic(shape, x, y, region)
            case Placed(left, top, shapes):
                x, y = x + left, y + top
                self._paint(shapes[0], x, y, region)
                ground = shifted(ground_of(shapes[0]), x, y)
                for inner in shapes[1:]:
                    within = region if holds(ground, inner, x, y) else cut(region, inside=ground)
                    self._paint(inner, x, y, within)
            case Words():
                self._words(shape, x, y, region)
            case Hatch(area, ink, gap, falls):
                self._hatch(shifted(area, x, y), ink, gap, (y - x if falls else x + y + 1), falls, region)
            case Stroke():
                self._stroke(shape, x, y, region)
            case Clipped() | Rest():
                outside = shape.outside if isinstance(shape, Clipped) else ()
                within = cut(region, shifted(shape.inside, x, y), shifted(outside, x, y))
                for inner in shape.shapes if within is None or within else ():
                    self._paint(inner, x, y, within)

    def _card(self, shape: Fill | Card, x: float, y: float, region: Region) -> None:
        card = shape if isinstance(shape, Card) else Card(*shape, 0)
        if self._exact and card.radius:
            self._image(rounded(card), card.paper, card.ink, x + card.box.left, y + card.box.bottom, region)
        elif not card.radius:
            self._fill([corners(card.box, x, y)], card.ink, region)
        else:
            gc = self._context(card.ink, region)
            gc.set_antialiased(True)
            self._renderer.draw_path(gc, _round(card.box, card.radius, x, y), self._to, self._colour(card.ink))
            gc.restore()

    def _ring(self, ring: Ring, x: float, y: float, region: Region) -> None:
        if self._exact:
            sides = (corners(box, x, y) for box in ring.sides if box.bottom > box.top and box.right > box.left)
            self._fill(list(sides), ring.ink, region)
            for left, top, cover in ring.bends:
                self._image(cover, ring.paper, ring.ink, x + left, y + top + len(cover), region)
            return
        (top, left, bottom, right), half = ring.box, ring.thick / 2
        gc = self._context(ring.ink, region)
        gc.set_antialiased(True)
        gc.set_linewidth(ring.thick * self._point)
        middle = (top + half, left + half, bottom - half, right - half)
        self._renderer.draw_path(gc, _round(middle, max(0, ring.radius - half), x, y), self._to, None)
        gc.restore()

    def _mosaic(self, shape: Mosaic, x: float, y: float, region: Region) -> None:
        """All cells as one image, whose pixels are not smoothed."""
        cells = np.array([self._rgb(ink) for ink in shape.inks], np.uint8)[shape.numbers]
        if shape.colours is not None and shape.own is not None:
            cells[shape.own] = shape.colours[shape.own]
        image = np.dstack([cells, np.full(cells.shape[:2], 255, np.uint8)])
        (top, left, bottom, right), gc = shape.box, self._context("page", region)
        (x0, y0), (x1, y1) = self._to.transform([(left + x, bottom + y), (right + x, top + y)])
        if self._pixels:  # each pixel has the colour of the cell that its centre lies in
            columns, rows = (
                np.clip(((np.arange(round(a), round(b)) + 0.5 - a) / (b - a) * n).astype(int), 0, n - 1)
                for a, b, n in ((x0, x1, image.shape[1]), (y0, y1, len(image)))
            )
            self._renderer.draw_image(gc, round(x0), round(y0), np.ascontiguousarray(image[::-1][rows][:, columns]))
        else:
            at = Affine2D().scale(x1 - x0, y1 - y0)
            self._renderer.draw_image(gc, x0, y0, image[::-1], at)
        gc.restore()

    def _rows(self, area: Points) -> list[Points]:
        """A polygon as it is filled: for pixels, by those whose centres it contains."""
        if not self._exact:
            return [area]
        box, mask = inside(area, (self._page.height, self._page.width))
        ends = ((box.top + i, *(box.left + np.flatnonzero(row)[[0, -1]])) for i, row in enumerate(mask) if row.any())
        return [corners(Box(row, int(first), row + 1, int(last) + 1)) for row, first, last in ends]

    # Primitives.

    def _context(self, ink: Ink, region: Region) -> GraphicsContextBase:
        gc: GraphicsContextBase = self._renderer.new_gc()
        gc.set_foreground(self._colour(ink))
        gc.set_antialiased(not self._exact)
        gc.set_snap(False)
        gc.set_linewidth(0)
        box = self._box
        if region is not None:
            upright_box = rectangle(region[0]) if len(region) == 1 else None
            if upright_box:
                part = Bbox(
                    self._to.transform([(upright_box.left, upright_box.bottom), (upright_box.right, upright_box.top)])
                )
                box = Bbox.intersection(box, part) or Bbox.from_bounds(box.x0, box.y0, 0, 0)
            else:
                gc.set_clip_path(TransformedPath(_clip(region), self._to))
        gc.set_clip_rectangle(box)
        return gc

    def _colour(self, ink: Ink) -> tuple[float, float, float]:
        red, green, blue = self._look.colour(ink) if isinstance(ink, str) else ink
        return red / 255, green / 255, blue / 255

    def _fill(self, areas: Sequence[Points], ink: Ink, region: Region, opacity: float = 1.0) -> None:
        if not areas:
            return
        gc = self._context(ink, region)
        gc.set_alpha(opacity)
        self._renderer.draw_path(gc, _polygons(areas), self._to, self._colour(ink))
        gc.restore()

    def _lines(
        self,
        lines: Sequence[Points],
        ink: Ink,
        width: float,
        region: Region,
        dash: float = 0,
        cap: Any = "round",
        *,
        filled: bool = False,
    ) -> None:
        if not lines:
            return
        gc = self._context(ink, region)
        gc.set_antialiased(True)
        gc.set_linewidth(width * self._point)
        gc.set_capstyle("butt" if dash else cap)
        gc.set_joinstyle("round")
        if dash:
            gc.set_dashes(0, [dash * self._point] * 2)
        codes = [code for line in lines for code in _codes(line)]
        path = Path([point for line in lines for point in line], codes)
        self._renderer.draw_path(gc, path, self._to, self._colour(ink) if filled else None)
        gc.restore()

    # Shapes.

    def _stroke(self, stroke: Stroke, x: float, y: float, region: Region) -> None:
        lines = tuple(shifted(line, x, y) for line in stroke.lines)
        if upright(stroke) and not stroke.halo and not (stroke.dash and not self._pixels):
            moved = stroke._replace(lines=lines)
            self._fill(
                [corners(box) for box in boxes(moved) if box.right > box.left and box.bottom > box.top],
                stroke.ink,
                region,
            )
            return
        cut: list[Points] = []
        if stroke.behind:
            letters = self._near(stroke.behind, stroke.halo)
            uncut: list[Points] = []
            for line in lines:
                for a, b in pairwise(line):
                    parts = list(parts_beside((a, b), stroke.width, letters))
                    (uncut if parts == [(a, b)] else cut).extend(parts)
            lines = tuple(uncut)
        self._lines(lines, stroke.ink, stroke.width, region, stroke.dash, filled=stroke.filled)
        self._lines(cut, stroke.ink, stroke.width, region, stroke.dash, "butt")

    def _near(self, inks: tuple[str, ...], halo: int) -> NDArray[np.bool_]:
        """A mask of the page's pixels that letters in these inks cover, with a margin of `halo` px: (H, W)."""
        key = (*inks, str(halo))
        if key not in self._letters:
            there = np.zeros((self._page.height, self._page.width), bool)
            for (text, ink, _), x, y in written(self._rest):
                if ink in inks:
                    drawn = glyphs.line(text.text, text.size, text.bold)
                    top, left = int(y) + text.baseline - drawn.rise, int(x) + text.x
                    part = there[
                        max(top, 0) : max(top + len(drawn.coverage), 0),
                        max(left, 0) : max(left + drawn.coverage.shape[1], 0),
                    ]
                    seen = _steps(drawn.coverage)[max(-top, 0) :, max(-left, 0) :] > 0
                    part |= seen[: part.shape[0], : part.shape[1]]
            near = there.copy()
            for by in range(1, halo + 1):
                near[by:] |= there[:-by]
                near[:-by] |= there[by:]
                near[:, by:] |= there[:, :-by]
                near[:, :-by] |= there[:, by:]
            self._letters[key] = near
        return self._letters[key]

    def _hatch(self, area: Points, ink: Ink, gap: int, origin: float, falls: bool, region: Region) -> None:
        """Diagonals of pixels that touch at their corners; in vector formats, lines of the same width."""
        if self._exact:
            box, mask = inside(area, (self._page.height, self._page.width))
            middles = (np.argwhere(mask) + np.array([box.top, box.left])).tolist()
            pixels = [(r, c) for r, c in middles if ((r - c if falls else r + c + 1) - int(origin)) % gap == 0]
            self._fill([corners(Box(row, column, row + 1, column + 1)) for row, column in pixels], ink, region)
            return
        _, left, _, right = bounds(area)
        along = (y - x for x, y in area) if falls else (x + y for x, y in area)
        low, *_, high = sorted(along)
        lines = []
        for step in range(ceil((low - origin) / gap), floor((high - origin) / gap) + 1):
            at = origin + step * gap
            line = ((left, left + at), (right, right + at)) if falls else ((left, at - left), (right, at - right))
            if part := part_within(line, area):
                lines.append(part)
        self._lines(lines, ink, 0.5**0.5, region, cap="butt")

    def _words(self, words: Words, x: float, y: float, region: Region) -> None:
        text, ink, _ = words
        x, y = x + text.x, y + text.baseline
        if self._exact:
            self._stencil(words, x, y, region)
            return
        gc = self._context(ink, region)
        gc.set_antialiased(True)
        if self._text == "editable" and not self._pixels:
            size = text.size * self._point
            for run in glyphs.runs(text.text, text.size, text.bold):
                weight = "bold" if text.bold else "normal"
                font = FontProperties(family=[run.family, "sans-serif"], size=size, weight=weight, fname=str(run.file))
                left, low = self._to.transform((x + run.x, y))
                if self._flip:
                    low = self._renderer.height - low
                self._renderer.draw_text(gc, left, low, self._plain(run.text), font, 0)
        elif self._pixels:
            letters = glyphs.outlines(text.text, text.size, text.bold)
            if letters:
                points = np.concatenate([letter.points * (1, -1) + (x + letter.x, y) for letter in letters])
                codes = np.concatenate([letter.codes for letter in letters])
                gc.set_linewidth(letters[0].bold * self._point)
                self._renderer.draw_path(gc, Path(points, codes), self._to, self._colour(ink))
        else:
            self._waiting.append((words, x, y, region, area_of(words, x - text.x, y - text.baseline)))
        gc.restore()

    def _covers(self, shape: Shape, x: float, y: float) -> bool:
        """Whether a shape may cover text that is not written yet."""
        if isinstance(shape, Words | Placed | Clipped):  # decided by their parts
            return False
        if isinstance(shape, Stroke) and upright(shape):
            areas = [(box.left + x, box.top + y, box.right + x, box.bottom + y) for box in boxes(shape)]
        else:
            areas = [area_of(shape, x, y)]
        new, there = np.array(areas)[:, None], np.array([area for *_, area in self._waiting])[None]
        return bool(((new[..., :2] < there[..., 2:]) & (there[..., :2] < new[..., 2:])).all(axis=-1).any())

    def _write(self) -> None:
        """Write the waiting texts; each distinct glyph is drawn once and reused."""
        found: dict[tuple[Any, ...], tuple[glyphs.Outline, list[Point]]] = {}
        for words, x, y, region, _ in self._waiting:
            text, ink, _ = words
            for letter in glyphs.outlines(text.text, text.size, text.bold):
                key = ink, region, id(letter.points)  # cached glyphs keep their id
                found.setdefault(key, (letter, []))[1].append((x + letter.x, y))
        for (ink, region, _), (letter, places) in found.items():
            gc = self._context(ink, region)
            gc.set_linewidth(letter.bold * self._point)
            curves = Path(np.round(letter.points * self._scale, 2), letter.codes)  # rounding is not visible
            at = Path(np.round(self._to.transform(places), 2))
            self._renderer.draw_markers(gc, curves, IdentityTransform(), at, IdentityTransform(), self._colour(ink))
            gc.restore()
        self._waiting.clear()

    def _plain(self, text: str) -> str:
        """Text with LaTeX's special characters escaped."""
        return "".join(_LATEX.get(c, c) for c in text) if self.latex else text

    def _stencil(self, words: Words, x: float, y: float, region: Region) -> None:
        """Letters with the same pixels as in a GIF."""
        text, ink, paper = words
        drawn = glyphs.line(text.text, text.size, text.bold)
        self._image(drawn.coverage, paper, ink, x, y - drawn.rise + len(drawn.coverage), region)

    def _image(self, coverage: NDArray[np.uint8], paper: Ink, ink: Ink, x: float, foot: float, region: Region) -> None:
        """Pixels blended from paper to ink, with their lower left corner at (x, foot)."""
        if region is not None and len(region) == 1 and (box := rectangle(region[0])):
            # Agg draws a column and a row of an image beyond its clip rectangle.
            high, top = len(coverage), foot - len(coverage)
            low = min(max(0, round(box.bottom - top)), high)
            coverage = coverage[max(0, round(box.top - top)) : low]
            coverage = coverage[:, max(0, round(box.left - x)) : max(0, round(box.right - x))]
            x, foot = max(x, box.left), top + low
            if not coverage.size:
                return
        ramp = np.array(mix(self._rgb(paper), self._rgb(ink), LEVELS + 2), np.uint8)
        image = np.empty((*coverage.shape, 4), np.uint8)
        image[..., :3] = ramp[_steps(coverage)]
        image[..., 3] = np.where(coverage > 0, 255, 0)
        gc = self._context(ink, region)
        left, low = self._to.transform((x, foot))
        self._renderer.draw_image(gc, round(left), round(low), image[::-1])
        gc.restore()

    def _rgb(self, ink: Ink) -> tuple[int, int, int]:
        return self._look.colour(ink) if isinstance(ink, str) else ink


def _steps(coverage: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The blend levels between background and ink for a coverage."""
    return np.round(coverage / 255 * (LEVELS + 1)).astype(np.intp)


def _round(box: tuple[float, float, float, float], r: float, x: float, y: float) -> Path:
    """The outline of a rectangle (top, left, bottom, right) with round corners of this radius."""
    top, left, bottom, right = box
    out: list[Point] = []
    ends = ((left, top, 0, 1), (right, top, -1, 0), (right, bottom, 0, -1), (left, bottom, 1, 0))
    near = 0.4477 * r  # of a cubic curve that is a quarter of a circle
    for px, py, dx, dy in ends:  # around each corner, from the side before it to the one after it
        out += [(px + x + d * dx, py + y + d * dy) for d in (r, near)]
        out += [(px + x + d * dy, py + y - d * dx) for d in (near, r)]
    codes = [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4] * 4
    codes[0] = Path.MOVETO
    return Path([*out, out[0]], [*codes, Path.CLOSEPOLY])


def _codes(points: Points) -> Iterator[np.uint8]:
    yield Path.MOVETO
    yield from [Path.LINETO] * (len(points) - 2)
    yield Path.CLOSEPOLY if len(points) > 2 and points[0] == points[-1] else Path.LINETO


@lru_cache(maxsize=1024)
def _clip(region: tuple[Points, ...]) -> Path:
    """A visible region as a path that stays: matplotlib's Agg knows its last clip path by the address of the object."""
    return _polygons(region)


def _polygons(areas: Sequence[Points]) -> Path:
    closed = [(*area, area[0]) for area in areas]
    return Path([point for area in closed for point in area], [code for area in closed for code in _codes(area)])

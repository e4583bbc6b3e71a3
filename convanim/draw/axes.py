"""A frame as a matplotlib artist: on anybody's Axes, at any size, in pixels or as vectors.

Knows shapes, glyphs, a theme's colours, and matplotlib's renderers by their public primitives. Must not know what the
shapes are for, or files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from math import ceil, floor, hypot
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform, TransformedPath
from numpy.typing import NDArray

from convanim import glyphs
from convanim.draw.choices import DPI, TEXTS, pick
from convanim.draw.compose import Composer
from convanim.draw.raster.paint import inside
from convanim.draw.raster.picture import Picture, palette
from convanim.draw.shapes import (
    Clipped,
    Fill,
    Hatch,
    Ink,
    Placed,
    Point,
    Points,
    Poly,
    Rest,
    Shape,
    Shapes,
    Stroke,
    Words,
    bounds,
    boxes,
    rectangle,
    upright,
)
from convanim.errors import ConvanimError, shortly, whole
from convanim.layout import Box, Page
from convanim.palette import LEVELS, closest, mix
from convanim.scene import Scene
from convanim.scene.frame import Frame
from convanim.theme import Theme

#: What LaTeX takes for commands.
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


class FrameArtist(Artist):
    """A frame of an animation on an Axes.

    Usually made by `Animation.draw(ax)`.

    Args:
        scene: what is shown.
        page: where things lie.
        look: in which colours.
        numbers: the frames shown, by their numbers in the scene.
        number: which of them, from 0 on; negative numbers count from the end.
        text: "outlines", or "editable" for letters in the fonts of whoever opens an SVG, PDF or PGF. Canvases of
            pixels have no letters.
        extent: (left, right, bottom, top) in data coordinates, as for `Axes.imshow`; None for the Axes' whole box. The
            page keeps its shape, in the middle of it.

    Raises:
        ConvanimError: a number, a text or an extent that makes no sense.
    """

    def __init__(
        self,
        scene: Scene,
        page: Page,
        look: Theme,
        numbers: Sequence[int],
        number: int = -1,
        *,
        text: str = "outlines",
        extent: tuple[float, float, float, float] | None = None,
    ) -> None:
        super().__init__()
        self._scene, self._page, self._look, self._numbers = scene, page, look, numbers
        pick("text", text, TEXTS)
        self._text, self._extent = text, None if extent is None else _extent(extent)
        self._composer = Composer(page, scene.beats.steps)
        self.set_frame(number)

    def set_frame(self, number: int) -> None:
        """Show another of the frames; it is drawn when the canvas is drawn next.

        Args:
            number: from 0 on; negative numbers count from the end.

        Raises:
            ConvanimError: there is no such frame.
        """
        count = len(self._numbers)
        if not whole(number):
            raise ConvanimError(
                f"frame {shortly(number)} is not a whole number", "give an int, like 0, or -1 for the last"
            )
        if not -count <= number < count:
            raise ConvanimError(
                f"frame {number} does not exist: {count} frame{'s are' if count != 1 else ' is'} shown",
                f"use 0 to {count - 1}, or -1 for the last",
            )
        self.show(self._scene.frame(self._numbers[int(number)]))

    def show(self, frame: Frame) -> None:
        """Show a frame, also one on the way between two."""
        self._rest, self._over = self._composer.rest(frame), tuple(self._composer.over(frame))
        self.stale = True

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """The page's box on the canvas, in its pixels."""
        left, bottom, scale = self._where()
        return Bbox.from_bounds(left, bottom, self._page.width * scale, self._page.height * scale)

    def draw(self, renderer: Any) -> None:
        """Draw the frame through a renderer of matplotlib's."""
        if not self.get_visible():
            return
        left, bottom, scale = self._where()
        if scale > 0:
            renderer.open_group("convanim", gid=self.get_gid())
            # What somebody set for their own drawings does not change what a frame looks like.
            with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42, "path.simplify": False, "path.snap": False}):
                pen = _Pen(renderer, self._look, self._text, (left, bottom, scale), self._page, self._clip())
                pen.latex = type(getattr(self.get_figure(), "canvas", None)).__name__ == "FigureCanvasPgf"
                pen.paint(self._rest, self._over)
            renderer.close_group("convanim")
        self.stale = False

    def _clip(self) -> Bbox | None:
        box = self.get_clip_box() if self.get_clip_on() else None
        return None if box is None else Bbox(box.get_points())

    def _where(self) -> tuple[float, float, float]:
        """Where the page's lower left corner is on the canvas, and how long one of its pixels is there."""
        axes = self.axes
        if axes is None:
            raise ConvanimError("the frame is on no Axes", "use Animation.draw(ax), or ax.add_artist")
        box = axes.bbox
        if self._extent:
            (left, right, bottom, top) = self._extent
            box = Bbox(axes.transData.transform([(left, bottom), (right, top)]))
        low, high = np.minimum(box.p0, box.p1), np.maximum(box.p0, box.p1)
        wide, tall = self._page.width, self._page.height
        scale = float(min((high[0] - low[0]) / wide, (high[1] - low[1]) / tall))
        if abs(scale - 1) < 1e-6:  # sizes in inches are no whole pixels
            scale = 1.0
        x, y = (float(low[i] + (high[i] - low[i] - side * scale) / 2) for i, side in enumerate((wide, tall)))
        if scale == 1:
            x, y = (float(round(at)) if abs(at - round(at)) < 1e-3 else at for at in (x, y))
        return x, y, scale


def on_axes(ax: Any) -> Axes:
    """The Axes of the caller.

    Raises:
        ConvanimError: it is none.
    """
    if not isinstance(ax, Axes):
        hint = (
            "give one of its axes, like figure.axes[0]" if isinstance(ax, Figure) else "give ax, as from fig.subplots()"
        )
        raise ConvanimError(f"{shortly(ax)} is not a matplotlib Axes", hint)
    return ax


def _extent(extent: Any) -> tuple[float, float, float, float]:
    try:
        left, right, bottom, top = (float(at) for at in extent)
        if np.isfinite([left, right, bottom, top]).all() and left != right and bottom != top:
            return left, right, bottom, top
    except (TypeError, ValueError):
        pass
    raise ConvanimError(f"extent {shortly(extent)} is no box", "give (left, right, bottom, top), like (0, 16, 0, 9)")


def page_figure(page: Page) -> tuple[Figure, Axes]:
    """A figure of the page's size at 96 dots an inch, filled by one Axes without ticks."""
    with rc_context(_plain()):
        figure = Figure(figsize=(_inches(page.width), _inches(page.height)), dpi=DPI, frameon=False)
        axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


@cache
def _plain() -> Any:
    """Matplotlib's own settings, whatever the user has set: for files that are ours alone."""
    drawn = ("figure", "axes", "savefig", "svg", "pdf", "pgf", "path", "agg", "text", "font", "image")
    plain: dict[Any, Any] = {k: v for k, v in mpl.rcParamsDefault.items() if k.partition(".")[0] in drawn}
    return plain | {
        "svg.hashsalt": "convanim",
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "pgf.rcfonts": False,
        "pgf.preamble": "",
    }


def settings() -> Any:
    """A context in which matplotlib writes the same file on every machine."""
    return rc_context(_plain())


def _inches(pixels: int) -> float:
    """So many px at 96 dots an inch that the canvas has no pixel less."""
    inches = pixels / DPI
    while int(inches * DPI) < pixels:
        inches = float(np.nextafter(inches, np.inf))
    return inches


class Canvas:
    """Draws the frames of a scene by matplotlib, as `Raster` does by arrays, in the same palette.

    Args:
        scene: what is shown.
        page: where.
        look: in which colours.
    """

    def __init__(self, scene: Scene, page: Page, look: Theme) -> None:
        self.page, self.palette = page, palette(page, look)
        figure, axes = page_figure(page)
        self._artist = FrameArtist(scene, page, look, [0], 0)
        axes.add_artist(self._artist)
        self._canvas: Any = FigureCanvasAgg(figure)
        self._known: dict[int, int] = {}

    def colours(self, frame: Frame) -> NDArray[np.uint8]:
        """A frame as it is drawn, before it gets the palette's colours: (H, W, 3)."""
        self._artist.show(frame)
        with settings():
            self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def draw(self, frame: Frame) -> Picture:
        """A frame in the palette's colours; each pixel may have changed."""
        red, green, blue = np.moveaxis(self.colours(frame).astype(np.int64), -1, 0)
        codes, where = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
        indices = closest(
            np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8), self.palette.colours
        )
        return Picture(indices[where].reshape(red.shape), Box(0, 0, self.page.height, self.page.width))


Line = tuple[Point, Point]


class _Pen:
    """Draws shapes through the primitives of one renderer."""

    def __init__(
        self, renderer: Any, look: Theme, text: str, where: tuple[float, float, float], page: Page, clip: Bbox | None
    ) -> None:
        self._renderer, self._look, self._text, self._page = renderer, look, text, page
        left, bottom, self._scale = where
        high = page.height * self._scale
        self._pixels = hasattr(renderer, "buffer_rgba")
        # Where a pixel of the page is one of the canvas, text is what it is elsewhere, too.
        self._exact = self._pixels and self._scale == 1 and left.is_integer() and bottom.is_integer()
        flip = renderer.flipy()
        self._to = Affine2D().scale(self._scale, -self._scale).translate(left, bottom + high)
        self._corner, self._flip = (left, bottom + high), flip
        self._box = Bbox.from_bounds(left, bottom, page.width * self._scale, high)
        if clip is not None:
            self._box = Bbox.intersection(self._box, clip) or Bbox.null()
        self._point = self._scale / renderer.points_to_pixels(1.0)  # matplotlib's widths are in points
        self._rest: Shapes = ()
        self.latex = False
        self._waiting: list[tuple[Words, float, float, Region, Area]] = []

    def paint(self, rest: Shapes, over: Shapes) -> None:
        """Paint a page at rest, and what lies over it."""
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
            case Fill(box, ink):
                self._fill([_corners(box, x, y)], ink, region)
            case Poly(points, ink):
                self._fill(self._rows(_shift(points, x, y)), ink, region)
            case Placed(left, top, shapes):
                x, y = x + left, y + top
                self._paint(shapes[0], x, y, region)
                ground = _shift(_ground(shapes[0]), x, y)
                for inner in shapes[1:]:
                    within = region if _holds(ground, inner, x, y) else _cut(region, inside=ground)
                    self._paint(inner, x, y, within)
            case Words():
                self._words(shape, x, y, region)
            case Hatch(area, ink, gap, falls):
                self._hatch(_shift(area, x, y), ink, gap, (y - x if falls else x + y + 1), falls, region)
            case Stroke():
                self._stroke(shape, x, y, region)
            case Clipped(shapes, within_it, outside):
                within = _cut(region, _shift(within_it, x, y), _shift(outside, x, y))
                for inner in shapes if within is None or within else ():
                    self._paint(inner, x, y, within)
            case Rest(shapes, area):
                within = _cut(region, _shift(area, x, y))
                for inner in shapes if within else ():
                    self._paint(inner, x, y, within)

    def _rows(self, area: Points) -> list[Points]:
        """A polygon as it is filled: where pixels count, by those that have their middle in it."""
        if not self._exact:
            return [area]
        box, mask = inside(area, (self._page.height, self._page.width))
        ends = ((box.top + i, *(box.left + np.flatnonzero(row)[[0, -1]])) for i, row in enumerate(mask) if row.any())
        return [_corners(Box(row, int(first), row + 1, int(last) + 1)) for row, first, last in ends]

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
                gc.set_clip_path(TransformedPath(_polygons(region), self._to))
        gc.set_clip_rectangle(box)
        return gc

    def _colour(self, ink: Ink) -> tuple[float, float, float]:
        red, green, blue = self._look.colour(ink) if isinstance(ink, str) else ink
        return red / 255, green / 255, blue / 255

    def _fill(self, areas: Sequence[Points], ink: Ink, region: Region) -> None:
        if not areas:
            return
        gc = self._context(ink, region)
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
        self._renderer.draw_path(gc, path, self._to, None)
        gc.restore()

    # Shapes.

    def _stroke(self, stroke: Stroke, x: float, y: float, region: Region) -> None:
        lines = tuple(_shift(line, x, y) for line in stroke.lines)
        if upright(stroke) and not stroke.halo and not (stroke.dash and not self._pixels):
            moved = stroke._replace(lines=lines)
            self._fill(
                [_corners(box) for box in boxes(moved) if box.right > box.left and box.bottom > box.top],
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
                    parts = list(_apart((a, b), stroke.width, letters))
                    (uncut if parts == [(a, b)] else cut).extend(parts)
            lines = tuple(uncut)
        self._lines(lines, stroke.ink, stroke.width, region, stroke.dash)
        self._lines(cut, stroke.ink, stroke.width, region, stroke.dash, "butt")

    def _near(self, inks: tuple[str, ...], halo: int) -> NDArray[np.bool_]:
        """Which pixels of the page have letters in some inks, or lie a few px beside or above or under one: (H, W)."""
        key = (*inks, str(halo))
        if key not in self._letters:
            there = np.zeros((self._page.height, self._page.width), bool)
            for (text, ink, _), x, y in _written(self._rest):
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
        """Diagonals of pixels that touch at their corners; elsewhere lines as wide as these are across."""
        if self._exact:
            box, mask = inside(area, (self._page.height, self._page.width))
            middles = (np.argwhere(mask) + np.array([box.top, box.left])).tolist()
            pixels = [(r, c) for r, c in middles if ((r - c if falls else r + c + 1) - int(origin)) % gap == 0]
            self._fill([_corners(Box(row, column, row + 1, column + 1)) for row, column in pixels], ink, region)
            return
        _, left, _, right = bounds(area)
        along = (y - x for x, y in area) if falls else (x + y for x, y in area)
        low, *_, high = sorted(along)
        lines = []
        for step in range(ceil((low - origin) / gap), floor((high - origin) / gap) + 1):
            at = origin + step * gap
            line = ((left, left + at), (right, right + at)) if falls else ((left, at - left), (right, at - right))
            if part := _within(line, area):
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
                family = {"family": run.family} if run.family == "DejaVu Sans" else {"fname": str(run.file)}
                font = FontProperties(size=size, weight="bold" if text.bold else "normal", **family)  # type: ignore[arg-type]
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
            self._waiting.append((words, x, y, region, _area(words, x - text.x, y - text.baseline)))
        gc.restore()

    def _covers(self, shape: Shape, x: float, y: float) -> bool:
        """Whether a shape may cover words that are not written yet."""
        if isinstance(shape, Words | Placed | Clipped):  # it is asked of what they consist of
            return False
        if isinstance(shape, Stroke) and upright(shape):
            areas = [(box.left + x, box.top + y, box.right + x, box.bottom + y) for box in boxes(shape)]
        else:
            areas = [_area(shape, x, y)]
        new, there = np.array(areas)[:, None], np.array([area for *_, area in self._waiting])[None]
        return bool(((new[..., :2] < there[..., 2:]) & (there[..., :2] < new[..., 2:])).all(axis=-1).any())

    def _write(self) -> None:
        """Write the words that wait: each distinct letter is drawn once, and used where it stands."""
        found: dict[tuple[Any, ...], tuple[glyphs.Outline, list[Point]]] = {}
        for words, x, y, region, _ in self._waiting:
            text, ink, _ = words
            for letter in glyphs.outlines(text.text, text.size, text.bold):
                key = ink, region, id(letter.points)  # what glyphs keep keeps its id
                found.setdefault(key, (letter, []))[1].append((x + letter.x, y))
        for (ink, region, _), (letter, places) in found.items():
            gc = self._context(ink, region)
            gc.set_linewidth(letter.bold * self._point)
            curves = Path(np.round(letter.points * self._scale, 2), letter.codes)  # shorter as text, and as good
            at = Path(np.round(self._to.transform(places), 2))
            self._renderer.draw_markers(gc, curves, IdentityTransform(), at, IdentityTransform(), self._colour(ink))
            gc.restore()
        self._waiting.clear()

    def _plain(self, text: str) -> str:
        """Text of which LaTeX takes nothing for a command."""
        return "".join(_LATEX.get(c, c) for c in text) if self.latex else text

    def _stencil(self, words: Words, x: float, y: float, region: Region) -> None:
        """Letters by the pixels that they have in a GIF."""
        text, ink, paper = words
        drawn = glyphs.line(text.text, text.size, text.bold)
        ramp = np.array(mix(self._rgb(paper), self._rgb(ink), LEVELS + 2), np.uint8)
        image = np.empty((*drawn.coverage.shape, 4), np.uint8)
        image[..., :3] = ramp[_steps(drawn.coverage)]
        image[..., 3] = np.where(drawn.coverage > 0, 255, 0)
        gc = self._context(ink, region)
        left, low = self._to.transform((x, y - drawn.rise + len(drawn.coverage)))
        self._renderer.draw_image(gc, round(left), round(low), image[::-1])
        gc.restore()

    def _rgb(self, ink: Ink) -> tuple[int, int, int]:
        return self._look.colour(ink) if isinstance(ink, str) else ink


#: What is seen: all of the page for None, otherwise convex polygons without a common pixel; none of it for ().
Region = tuple[Points, ...] | None
#: The (left, top, right, bottom) of something on the page, px.
Area = tuple[float, float, float, float]


def _steps(coverage: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The steps between paper and ink that stand for a coverage."""
    return np.round(coverage / 255 * (LEVELS + 1)).astype(np.intp)


def _shift(points: Points, x: float, y: float) -> Points:
    return tuple((a + x, b + y) for a, b in points)


def _corners(box: Box, x: float = 0, y: float = 0) -> Points:
    top, left, bottom, right = box
    return _shift(((left, top), (right, top), (right, bottom), (left, bottom)), x, y)


def _codes(points: Points) -> Iterator[np.uint8]:
    yield Path.MOVETO
    yield from [Path.LINETO] * (len(points) - 2)
    yield Path.CLOSEPOLY if len(points) > 2 and points[0] == points[-1] else Path.LINETO


def _polygons(areas: Sequence[Points]) -> Path:
    closed = [(*area, area[0]) for area in areas]
    return Path([point for area in closed for point in area], [code for area in closed for code in _codes(area)])


def _ground(shape: Shape) -> Points:
    if isinstance(shape, Fill):
        return _corners(Box(0, 0, shape.box.bottom, shape.box.right))
    if isinstance(shape, Poly):
        return shape.points
    raise TypeError(f"{type(shape).__name__} cannot be the ground of a cell")


def _area(shape: Shape, x: float, y: float) -> Area:
    """Where a shape that is moved by (x, y) may draw."""
    match shape:
        case Fill(box, _):
            top, left, bottom, right = map(float, box)
        case Words(text, _, _):
            drawn = glyphs.line(text.text, text.size, text.bold)
            top, left = text.baseline - drawn.rise, text.x
            bottom, right = top + drawn.coverage.shape[0], left + drawn.coverage.shape[1]
        case Poly(points, _) | Hatch(points, _, _, _) | Rest(_, points):
            top, left, bottom, right = bounds(points)
        case Stroke(lines, width):
            top, left, bottom, right = bounds(tuple(point for line in lines for point in line))
            top, left, bottom, right = top - width, left - width, bottom + width, right + width
        case _:
            raise TypeError(f"{type(shape).__name__} is more than one shape")
    return left + x, top + y, right + x, bottom + y


def _holds(ground: Points, shape: Shape, x: float, y: float) -> bool:
    """Whether a shape, moved by (x, y), lies in a convex polygon for sure, so that it need not be clipped."""
    match shape:
        case Fill(box, _):
            points = _corners(box)
        case Poly(points, _) | Hatch(points, _, _, _):
            pass
        case Words():
            left, top, right, bottom = _area(shape, 0, 0)
            points = ((left, top), (right, bottom), (left, bottom), (right, top))
        case Placed(left, top, shapes):
            points = _shift(_ground(shapes[0]), left, top)
        case Stroke() if upright(shape) and not shape.halo:
            points = tuple(point for box in boxes(shape) for point in _corners(box))
        case _:
            return False
    moved = _shift(points, x, y)
    return all(min(_side(a, b, p) for p in moved) >= -1e-9 for a, b in _sides(ground))


def _sides(area: Points) -> Iterator[Line]:
    """The sides of a convex polygon, which lies to the same hand of each of them."""
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*area, area[0])))
    around = area if turn > 0 else area[::-1]
    yield from pairwise((*around, around[0]))


def _side(a: Point, b: Point, p: Point) -> float:
    """On which hand of a line a point lies, and how far, in parts of the line's length."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _half(area: Points, a: Point, b: Point, sign: int) -> Points:
    """The part of a convex polygon on one hand of a line."""
    out: list[Point] = []
    for p, q in pairwise((*area, area[0])) if area else ():
        here, there = sign * _side(a, b, p), sign * _side(a, b, q)
        if here >= 0:
            out.append(p)
        if here * there < 0:
            part = here / (here - there)
            out.append((p[0] + (q[0] - p[0]) * part, p[1] + (q[1] - p[1]) * part))
    return tuple(out) if len(out) > 2 else ()


_EVERYTHING: Points = ((-1e5, -1e5), (1e5, -1e5), (1e5, 1e5), (-1e5, 1e5))


def _cut(region: Region, inside: Points = (), outside: Points = ()) -> Region:
    """What of a region lies in one convex polygon, and outside of another."""
    if inside:
        if region is None:
            region = (inside,)
        else:
            for a, b in _sides(inside):
                region = tuple(part for area in region if (part := _half(area, a, b, 1)))
    if outside:
        left, rest = [], (_EVERYTHING,) if region is None else region
        for a, b in _sides(outside):
            left += [part for area in rest if (part := _half(area, a, b, -1))]
            rest = tuple(part for area in rest if (part := _half(area, a, b, 1)))
        region = tuple(left)
    return region


def _within(line: Line, area: Points) -> Line | None:
    """The part of a line in a convex polygon."""
    (ax, ay), (bx, by) = line
    first, last = 0.0, 1.0
    for a, b in _sides(area):
        here, there = _side(a, b, line[0]), _side(a, b, line[1])
        if here < 0 and there < 0:
            return None
        if here * there < 0:
            part = here / (here - there)
            first, last = (max(first, part), last) if here < 0 else (first, min(last, part))
    if first >= last:
        return None
    return (ax + (bx - ax) * first, ay + (by - ay) * first), (ax + (bx - ax) * last, ay + (by - ay) * last)


def _apart(line: Line, width: float, letters: NDArray[np.bool_]) -> Iterator[Line]:
    """The parts of a line that keep away from letters."""
    (ax, ay), (bx, by) = line
    long = hypot(bx - ax, by - ay)
    count = max(2, ceil(long * 4) + 1)
    parts = np.linspace(0, 1, count)
    hidden = np.zeros(count, bool)
    for off in (0.0, -width / 2 + 0.25, width / 2 - 0.25):
        x = ax + (bx - ax) * parts - (by - ay) / max(long, 1e-9) * off
        y = ay + (by - ay) * parts + (bx - ax) / max(long, 1e-9) * off
        rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
        seen = (rows >= 0) & (rows < letters.shape[0]) & (columns >= 0) & (columns < letters.shape[1])
        hidden |= letters[rows * seen, columns * seen] & seen
    if not hidden.any():
        yield line
        return
    edges = np.flatnonzero(np.diff(np.pad(~hidden, 1).astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        if last - first > 1:
            start, end = parts[first], parts[last - 1]
            yield (ax + (bx - ax) * start, ay + (by - ay) * start), (ax + (bx - ax) * end, ay + (by - ay) * end)


def _written(shapes: Shapes, x: float = 0, y: float = 0) -> Iterator[tuple[Words, float, float]]:
    """The words of a page at rest, and by how much each is moved."""
    for shape in shapes:
        if isinstance(shape, Words):
            yield shape, x, y
        elif isinstance(shape, Placed):
            yield from _written(shape.shapes, x + shape.x, y + shape.y)

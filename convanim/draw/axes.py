"""A frame as a matplotlib artist on any Axes, at any size, in pixels or as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from convanim.draw.choices import DPI
from convanim.draw.compose import Composer
from convanim.draw.palette import closest
from convanim.draw.pen import Pen
from convanim.draw.raster.picture import Picture, palette
from convanim.draw.theme import Theme
from convanim.errors import ConvanimError, shortly, whole
from convanim.look import OPTIONS
from convanim.page import Box, Page
from convanim.page.lens import magnified
from convanim.scene import Scene
from convanim.scene.frame import Frame


class FrameArtist(Artist):
    """A frame of an animation on an Axes.

    Usually made by `Animation.draw(ax)`.

    Args:
        scene: the scene.
        page: its layout.
        look: its theme.
        numbers: the numbers of the available frames in the scene.
        number: the index of the frame among these, from 0; negative indices count from the end.
        text: "outlines", or "editable" for letters in the fonts of the viewer of an SVG, PDF or PGF. It makes no
            difference in pixels.
        extent: (left, right, bottom, top) in data coordinates, as for `Axes.imshow`; None for the whole Axes. The
            page keeps its aspect ratio and is centred.

    Raises:
        ConvanimError: an invalid number, text or extent.
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
        OPTIONS["text"].check(text)
        self._text, self._extent = text, None if extent is None else _extent(extent)
        self._composer = Composer(page, scene.beats.steps)
        self.set_frame(number)

    def set_frame(self, number: int) -> None:
        """Select another frame, which appears when the canvas is drawn next.

        Args:
            number: from 0; negative numbers count from the end.

        Raises:
            ConvanimError: the frame does not exist.
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
        """Show a frame, which may be one in motion."""
        frame = magnified(self._page, frame)
        self._rest, self._over = self._composer.rest(frame), tuple(self._composer.over(frame))
        self.stale = True

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """The box of the page on the canvas, in its pixels."""
        left, bottom, scale = self._where()
        return Bbox.from_bounds(left, bottom, self._page.width * scale, self._page.height * scale)

    def draw(self, renderer: Any) -> None:
        """Draw the frame with a renderer of matplotlib."""
        if not self.get_visible():
            return
        left, bottom, scale = self._where()
        if scale > 0:
            renderer.open_group("convanim", gid=self.get_gid())
            # The user's own settings do not change the look of a frame.
            with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42, "path.simplify": False, "path.snap": False}):
                pen = Pen(renderer, self._look, self._text, (left, bottom, scale), self._page, self._clip())
                pen.latex = type(getattr(self.get_figure(), "canvas", None)).__name__ == "FigureCanvasPgf"
                pen.paint(self._rest, self._over)
            renderer.close_group("convanim")
        self.stale = False

    def _clip(self) -> Bbox | None:
        box = self.get_clip_box() if self.get_clip_on() else None
        return None if box is None else Bbox(box.get_points())

    def _where(self) -> tuple[float, float, float]:
        """The page's lower left corner on the canvas, and the scale."""
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
        if abs(scale - 1) < 1e-6:  # sizes in inches are not whole pixels
            scale = 1.0
        x, y = (float(low[i] + (high[i] - low[i] - side * scale) / 2) for i, side in enumerate((wide, tall)))
        if scale == 1:
            x, y = (float(round(at)) if abs(at - round(at)) < 1e-3 else at for at in (x, y))
        return x, y, scale


def on_axes(ax: Any) -> Axes:
    """Check that an object is an Axes, and return it.

    Raises:
        ConvanimError: it is another object.
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
    """A figure of the page's size at 96 dots per inch, with one Axes without ticks that fills it."""
    with rc_context(_plain()):
        figure = Figure(figsize=(_inches(page.width), _inches(page.height)), dpi=DPI, frameon=False)
        axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


@cache
def _plain() -> Any:
    """Matplotlib's defaults instead of the user's settings, for convanim's own files."""
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
    """A length in inches for a canvas of this many px at 96 dots per inch, rounded so that no pixel is lost."""
    inches = pixels / DPI
    while int(inches * DPI) < pixels:
        inches = float(np.nextafter(inches, np.inf))
    return inches


class Canvas:
    """Draws the frames of a scene with matplotlib, like `Raster`, and in the same palette.

    Args:
        scene: the scene.
        page: its layout.
        look: its theme.
    """

    def __init__(self, scene: Scene, page: Page, look: Theme) -> None:
        self.page, self.palette = page, palette(page, look)
        figure, axes = page_figure(page)
        self._artist = FrameArtist(scene, page, look, [0], 0)
        axes.add_artist(self._artist)
        self._canvas: Any = FigureCanvasAgg(figure)
        self._known: dict[int, int] = {}

    def colours(self, frame: Frame) -> NDArray[np.uint8]:
        """A frame before its colours are reduced to the palette: (H, W, 3)."""
        self._artist.show(frame)
        with settings():
            self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def draw(self, frame: Frame) -> Picture:
        """A frame in the palette's colours, in which each pixel may have changed."""
        red, green, blue = np.moveaxis(self.colours(frame).astype(np.int64), -1, 0)
        codes, where = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
        indices = closest(
            np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8), self.palette.colours
        )
        return Picture(indices[where].reshape(red.shape), Box(0, 0, self.page.height, self.page.width))

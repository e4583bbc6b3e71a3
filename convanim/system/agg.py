"""Strokes and areas as coverage, drawn by matplotlib's Agg.

The only module that uses a private part of matplotlib: loading its compiled core takes a millisecond, while the public
backend would take longer than a whole animation. If the core is missing or has changed, the public backend is used.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.system import compiled

Coverage = NDArray[np.uint8]


#: The codes of a path's vertices, as in `matplotlib.path.Path`.
_MOVETO, _LINETO, _CLOSEPOLY = 1, 2, 79


class _Path(NamedTuple):
    """The attributes of a path that matplotlib's Agg reads."""

    vertices: NDArray[np.float64]
    codes: NDArray[np.uint8]
    should_simplify: bool = False
    simplify_threshold: float = 0.0


class _Pen:
    """The attributes of a graphics context that matplotlib's Agg reads: black, antialiased, round caps and joins."""

    _alpha, _forced_alpha, _rgb = 1.0, True, (0.0, 0.0, 0.0, 1.0)
    _antialiased, _capstyle, _joinstyle = True, "round", "round"
    _cliprect = _hatch = None

    def __init__(self, width: float, dash: float) -> None:
        self._linewidth = width
        self._dashes = 0.0, ((dash, dash) if dash else None)
        if dash:
            self._capstyle = "butt"

    def get_dashes(self) -> tuple[float, tuple[float, float] | None]:
        return self._dashes  # matplotlib 3.10 reads the attribute, later ones call the method

    def get_clip_path(self) -> tuple[None, None]:
        return None, None

    def get_snap(self) -> bool:
        return False

    def get_hatch_path(self, density: float = 6.0) -> None:
        return None

    def get_hatch_color(self) -> tuple[float, ...]:
        return self._rgb

    def get_hatch_linewidth(self) -> float:
        return 1.0

    def get_sketch_params(self) -> None:
        return None


def cover(
    paths: list[NDArray[np.float64]], size: tuple[int, int], width: float, dash: float = 0.0, *, filled: bool = False
) -> Coverage:
    """The coverage of each pixel by some lines, 0 to 255: (height, width) of `size`.

    Args:
        paths: vertices (x, y) of each line, (n, 2), in px from the upper left corner; equal ends close the line.
        size: (height, width), px.
        width: the width of the lines, px.
        dash: the length of dashes and gaps, px; 0 for solid lines.
        filled: whether the area inside closed lines counts, too.

    Example:
        >>> cover([np.array([[1.0, 1.5], [3.0, 1.5]])], (3, 4), 1.0)[1].tolist()
        [84, 255, 255, 84]
    """
    high, wide = size
    vertices = np.concatenate(paths)
    vertices[:, 1] = high - vertices[:, 1]  # matplotlib's y axis points up
    codes = np.full(len(vertices), _LINETO, np.uint8)
    start = 0
    for path in paths:
        codes[start] = _MOVETO
        start += len(path)
        if (path[0] == path[-1]).all() and len(path) > 2:
            codes[start - 1] = _CLOSEPOLY
    renderer = _core()(wide, high, 72)
    _draw(renderer, _Pen(width, dash), _Path(vertices, codes), _Pen._rgb if filled else None)
    return np.asarray(renderer)[..., 3].copy()


def fill(points: NDArray[np.float64], codes: NDArray[np.uint8], size: tuple[int, int], width: float = 0.0) -> Coverage:
    """The coverage of each pixel by the inside of curves, 0 to 255: (height, width) of `size`.

    Args:
        points, codes: vertices (n, 2) and codes (n,) of a matplotlib path, in px from the lower left corner, y upwards.
        size: (height, width), px.
        width: the width of a line around the curves, px; 0 for none.

    Example:
        >>> corners = np.array([[0, 0], [2, 0], [2, 0.5], [0, 0.5], [0, 0]])
        >>> fill(corners, np.array([1, 2, 2, 2, 79], np.uint8), (2, 2)).tolist()
        [[0, 0], [128, 128]]
    """
    high, wide = size
    renderer = _core()(wide, high, 72)
    _draw(renderer, _Pen(width, 0.0), _Path(points, codes), (0.0, 0.0, 0.0, 1.0))
    return np.asarray(renderer)[..., 3].copy()


def _draw(renderer: Any, pen: _Pen, path: _Path, face: tuple[float, ...] | None = None) -> None:
    renderer.draw_path(pen, path, np.eye(3), face)


@cache
def _core() -> Any:
    """Matplotlib's Agg renderer: its compiled core, or the public backend in its place."""
    try:
        Core: Any = compiled.load("backends._backend_agg").RendererAgg  # noqa: N806 - a class
        renderer = Core(4, 4, 72)
        line = _Path(np.array([[0.0, 2.0], [4.0, 2.0]]), np.array([_MOVETO, _LINETO], np.uint8))
        _draw(renderer, _Pen(1.0, 0.0), line)
        if np.asarray(renderer).shape == (4, 4, 4):
            return Core
    except (ImportError, AttributeError, TypeError, ValueError):
        pass
    return _public


def _public(wide: int, high: int, dpi: float) -> Any:
    from matplotlib.backends import backend_agg
    from matplotlib.transforms import Affine2D

    agg: Any = backend_agg
    renderer = agg.RendererAgg(wide, high, dpi)

    class Public:
        """The public renderer, with the arguments of its core."""

        def draw_path(self, pen: _Pen, path: _Path, transform: NDArray[np.float64], face: Any) -> None:
            gc = renderer.new_gc()
            gc.set_linewidth(pen._linewidth)
            gc.set_capstyle(pen._capstyle)
            gc.set_joinstyle(pen._joinstyle)
            gc.set_dashes(*pen._dashes)
            gc.set_snap(False)
            renderer.draw_path(gc, path, Affine2D(transform), face)

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.uint8]:
            return np.asarray(renderer.buffer_rgba())

    return Public()

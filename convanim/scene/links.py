"""Which cells of a frame belong together: those under a window, and the one that they are added up in or come from.

Knows frames, and reads all of it out of their outlines, emphasis and light that is on its way. Must not know
scenes, pixels, or where panels stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from convanim.scene.frame import Emphasis, Frame, Grid, Outline, Role
from convanim.scene.pair import BELOW

#: Roles of the outline around the one cell at the other end.
_POINTS = (Role.DONE, Role.DATA)


class Link(NamedTuple):
    """A window over one panel and one cell of another.

    Attributes:
        panel: the name of the panel with the window.
        window: its outline there.
        cells: (row, column) of each cell that takes part: a dilated kernel leaves gaps. Empty while a stamp has not
            landed yet.
        other, cell: the panel with the one cell, and its (row, column).
        moved: how far the one cell's outline is from its cell while it is on its way, (down, across) in cells.
        stamps: whether values go from the one cell to those of the window, rather than the other way.
    """

    panel: str
    window: Outline
    cells: tuple[tuple[int, int], ...]
    other: str
    cell: tuple[int, int]
    moved: tuple[float, float]
    stamps: bool


def links(frame: Frame) -> tuple[Link, ...]:
    """The links of a frame: of two scenes in lockstep those of each, of a frame in which nothing happens none.

    Example:
        >>> from convanim.ops import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2, dilation=2).trace([1, 2, 3, 4], [1, 1]))
        >>> [(link.cells, link.cell) for link in links(s.frame(s.beats.opening))]
        [(((0, 0), (0, 2)), (0, 0))]
    """
    found: list[Link] = []
    for below in (False, True):
        grids = {name: grid for name, grid in frame.grids.items() if name.startswith(BELOW) == below}
        windows = {
            name: outline
            for name, grid in grids.items()
            for outline in grid.outlines
            if outline.role == Role.KERNEL and not outline.dashed
        }
        for name, window in windows.items():
            for other, point in _points(grids, windows):
                stamps = point.role == Role.DATA
                cells = _under(grids[name], window)
                if window.down or window.across:
                    cells = _lit(frame, name, window) or cells
                found.append(
                    Link(name, window, cells, other, (point.top, point.left), (point.down, point.across), stamps)
                )
    return tuple(found)


def _points(grids: dict[str, Grid], windows: dict[str, Outline]) -> Iterator[tuple[str, Outline]]:
    """The outlines around single cells, in panels that have no window of their own."""
    for name, grid in grids.items():
        if name in windows:  # what won under a window is marked there, too
            continue
        for outline in grid.outlines:
            one = outline.bottom - outline.top == outline.right - outline.left == 1
            if one and outline.role in _POINTS and not outline.dashed:
                yield name, outline


def _under(grid: Grid, window: Outline) -> tuple[tuple[int, int], ...]:
    top, left = max(window.top, 0), max(window.left, 0)
    part = grid.emphasis[top : window.bottom, left : window.right]
    taking = (part == Emphasis.ACTIVE) | (part == Emphasis.WRITTEN)
    return tuple((top + row, left + column) for row, column in np.argwhere(taking).tolist())


def _lit(frame: Frame, name: str, window: Outline) -> tuple[tuple[int, int], ...]:
    """The cells under a window on its way where it will be: those whose light goes with it."""
    lights = {
        f.clip for f in frame.floats if f.panel == name and f.clip and f.emphasis == Emphasis.ACTIVE and not f.under
    }
    found = set()
    for clip in lights:
        top, left, bottom, right = (
            round(at - by) for at, by in zip(clip, (window.down, window.across) * 2, strict=True)
        )
        found |= {(row, column) for row in range(top, bottom) for column in range(left, right)}
    return tuple(sorted(found))

"""Outlines around tilted cells: solid ones around a window or one cell, dashed ones inside of cells.

Knows the geometry of a tilted place and how thick a stroke is. Must not know how cells look, files or time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convanim.draw.raster.strokes import Blends, around, draw, stroke
from convanim.layout import Box, Tilt
from convanim.scene.frame import Outline, Role
from convanim.theme import STROKE

Pixels = NDArray[np.uint8]
Point = tuple[float, float]


def framed(pixels: Pixels, place: Tilt, blends: Blends, outline: Outline, thick: int) -> Box:
    """Draw a frame around some cells, over everything: the box of the pixels that it touches.

    Args:
        blends: what strokes make of the colours below.
        thick: how thick it may be, px.
    """
    top, left, bottom, right, role, dashed, down, across = outline
    table = blends.table(STROKE[role])
    if dashed:
        return _dashes(pixels, place, table, outline, max(1, round(0.4 * thick)))
    if role == Role.KERNEL and place.line and not (down or across):  # dashes would look frayed under the kernel
        line = blends.table("line", behind=("text", "muted"))
        for row in range(top + 1, bottom):
            _stroke(pixels, place.node(row, left), place.node(row, right), place.line, line)
        for column in range(left + 1, right):
            _stroke(pixels, place.node(top, column), place.node(bottom, column), place.line, line)
    width = min(thick, max(2, place.pitch // 6))
    ends = place.corners(top + down, left + across, bottom + down, right + across)
    for one, other in zip(ends, (*ends[1:], ends[0]), strict=True):
        _stroke(pixels, one, other, width, table)
    return around(ends, width)


def _dashes(pixels: Pixels, place: Tilt, table: Pixels, outline: Outline, thick: int) -> Box:
    """A thin dashed frame inside some cells, where no number reaches."""
    inset = min(0.3, (0.5 * place.line + thick + 1) * place.pitch / place.lattice.area)
    top, left = outline.top + inset, outline.left + inset
    bottom, right = outline.bottom - inset, outline.right - inset
    nodes = [place.lattice.at(*node) for node in ((top, left), (top, right), (bottom, right), (bottom, left))]
    ends = [(place.x + x, place.y + y) for x, y in nodes]
    for (x, y), (to_x, to_y) in zip(ends, (*ends[1:], ends[0]), strict=True):
        parts = max(1, round(np.hypot(to_x - x, to_y - y) / max(4, 2 * place.pitch // 7)))
        for i in range(parts):  # each part begins and ends with half a gap
            a, b = (i + 0.2) / parts, (i + 0.8) / parts
            start = x + (to_x - x) * a, y + (to_y - y) * a
            _stroke(pixels, start, (x + (to_x - x) * b, y + (to_y - y) * b), thick, table)
    return around(ends, thick)


def _stroke(pixels: Pixels, start: Point, end: Point, width: float, table: Pixels) -> None:
    x, y = round(start[0]), round(start[1])
    draw(pixels, x, y, stroke(round(end[0]) - x, round(end[1]) - y, width), table)

"""Slanted strokes: which pixels they touch, how much of each, and which colour that makes of the one before.

Knows the palette and what inks are called. Must not know cells, places or frames. A stroke is cut to pixels once, for
its length and width, and then only moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import ceil, hypot
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.layout import Box
from convanim.palette import LEVELS, Colours, Palette
from convanim.scene.frame import Role
from convanim.theme import FILL, Theme

Pixels = NDArray[np.uint8]
#: How much of a pixel is covered, from 1 to all of it.
ALL = LEVELS + 1
_DATA, _INSERTED, _PENDING = FILL[Role.DATA], FILL[Role.INSERTED], FILL[Role.PENDING]
_KERNEL, _DONE, _OVERLAP = FILL[Role.KERNEL], FILL[Role.DONE], FILL[Role.OVERLAP]
#: The inks of slanted strokes, each with what it mostly lies on; of inks and of papers the most used come first.
MEETS = {
    "line": ["page", _DATA, _DONE, _PENDING, _KERNEL, _INSERTED, _OVERLAP],
    "muted": ["page", _KERNEL, _DATA, _DONE, _PENDING, _INSERTED],
    "kernel.stroke": [_KERNEL, _DATA, "page", _DONE, _INSERTED, _PENDING],
    "done.stroke": [_DONE, _PENDING, "page", _KERNEL],
    "dash": [_INSERTED, "page", FILL[Role.CROPPED], FILL[Role.UNUSED]],
    "data.stroke": [_DATA, "page"],
}
#: Inks that few images have: where a window moves, and where stamps are added.
RARE = {False: ("dash", "data.stroke"), True: ("kernel.stroke", "done.stroke", "dash")}
#: Between strips there is only the page, and what is drawn at its cells' edges.
FANS = {"kernel.stroke": MEETS["kernel.stroke"]}


class Stroke(NamedTuple):
    """Pixels below and right of where a stroke starts, and how much of each it covers, 1 to ALL."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    cover: NDArray[np.uint8]


@lru_cache(4096)
def stroke(across: float, down: float, width: float) -> Stroke:
    """A straight stroke with round ends.

    Args:
        across, down: where it ends, from the upper left corner of a pixel, px.
        width: px.

    Example:
        >>> stroke(4, 0, 2).rows.min(), stroke(4, 0, 2).rows.max()
        (np.int64(-1), np.int64(0))
    """
    if abs(across) > abs(down):
        turned = stroke(down, across, width)
        return Stroke(turned.columns, turned.rows, turned.cover)
    more = ceil(width / 2) + 1
    rows = np.arange(int(min(0, down)) - more, int(max(0, down)) + more + 1)[:, None]
    lean = across / down if down else 0.0
    low, high = sorted((0.0, across))
    middle = np.floor(np.clip(lean * (rows + 0.5), low, high)).astype(np.intp)
    columns = middle + np.arange(-2 * more, 2 * more + 1)
    length = hypot(across, down)
    along = np.zeros(columns.shape)
    if length:
        along = np.clip(((columns + 0.5) * across + (rows + 0.5) * down) / length**2, 0, 1)
    away = np.hypot(columns + 0.5 - along * across, rows + 0.5 - along * down)
    cover = cut(away, width)
    found = cover > 0
    return Stroke(np.broadcast_to(rows, columns.shape)[found], columns[found], cover[found])


def cut(away: NDArray[np.float64], width: float) -> NDArray[np.uint8]:
    """How much a stroke covers of pixels whose middles are so far away from its own middle: 0 to ALL."""
    part = np.clip(width / 2 + 0.5 - np.abs(away), 0, 1) * min(width, 1)
    return np.rint(ALL * part).astype(np.uint8)


def mixes(look: Theme, *, stamps: bool = False, tilted: bool = True) -> Colours:
    """The colours, (n, 3), that slanted strokes need besides those of letters; the most used first.

    Args:
        stamps: whether products lie on the page, which may lean.
        tilted: whether cells lean; or else only fans are slanted.
    """
    pairs = []
    for ink, papers in (MEETS if tilted else FANS).items():
        more = [FILL[Role.PRODUCT]] if stamps and ink == "line" else []
        pairs += [(ink in RARE[stamps], place, ink, paper) for place, paper in enumerate([*more, *papers])]
    pairs.sort(key=lambda pair: pair[:2])
    found = [_mixed(np.array([look.colour(paper)]), np.array(look.colour(ink))) for _, _, ink, paper in pairs]
    return np.concatenate(found).reshape(-1, 3).astype(np.uint8)


def _mixed(papers: NDArray[np.integer], ink: NDArray[np.integer]) -> NDArray[np.float64]:
    """The colours between some papers (n, 3) and an ink, (LEVELS, n, 3)."""
    parts = np.arange(1, ALL)[:, None, None] / ALL
    mixed: NDArray[np.float64] = np.floor(papers + (ink - papers.astype(float)) * parts + 0.5)
    return mixed


class Blends:
    """What a stroke makes of the colours that it lies on.

    Args:
        palette: every colour there is.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._tables: dict[tuple[str, bool], Pixels] = {}

    def table(self, ink: str, *, behind: Iterable[str] = ()) -> Pixels:
        """The index for how much is covered, 0 to ALL, and the index before: (ALL + 1, 256).

        Args:
            behind: inks of letters that the stroke leaves as they are.
        """
        letters = tuple(behind)
        key = ink, bool(letters)
        if key not in self._tables:
            self._tables[key] = self._table(ink, letters)
        return self._tables[key]

    def _table(self, ink: str, letters: tuple[str, ...]) -> Pixels:
        colours = self.palette.colours.astype(np.int64)
        count, index = len(colours), self.palette.solid(ink)
        wanted = _mixed(colours, colours[index]).reshape(-1, 3)
        # The nearest colour there is: squared distances without the part that is the same for all.
        nearest = ((colours**2).sum(axis=1) - 2 * wanted @ colours.T).argmin(axis=1)
        found = np.zeros((ALL + 1, 256), np.uint8)
        found[0, :] = np.arange(256)
        found[1:ALL, :count] = nearest.reshape(LEVELS, count)
        found[ALL, :] = index
        kept = self.palette.inked(letters)
        found[:, kept] = kept
        return found


def clear_of(base: Pixels, x: int, y: int, some: Stroke, letters: NDArray[np.bool_], halo: int) -> Stroke:
    """A stroke without its pixels that touch letters, or lie so many px beside or above or under one.

    Args:
        base: the page without strokes.
        x, y: where the stroke begins.
        letters: for each index, whether it is one of letters.
    """
    rows, columns = some.rows + y, some.columns + x
    meets = letters[base[rows, columns]]
    for away in range(1, halo + 1):
        for down, right in ((0, away), (0, -away), (away, 0), (-away, 0)):
            at = np.clip(rows + down, 0, len(base) - 1), np.clip(columns + right, 0, base.shape[1] - 1)
            meets |= letters[base[at]]
    free = ~meets
    return Stroke(some.rows[free], some.columns[free], some.cover[free])


def draw(
    pixels: Pixels, x: float, y: float, some: Stroke, table: Pixels, keep: NDArray[np.bool_] | None = None
) -> None:
    """Lay a stroke over pixels, from (x, y) on; where `keep` is true they stay as they are."""
    rows, columns, cover = some.rows + int(y), some.columns + int(x), some.cover
    if keep is not None:
        free = ~keep[rows, columns]
        rows, columns, cover = rows[free], columns[free], cover[free]
    pixels[rows, columns] = table[cover, pixels[rows, columns]]


def around(points: Iterable[tuple[float, float]], width: float) -> Box:
    """The box of the pixels that strokes between some points may touch."""
    xs, ys = zip(*points, strict=True)
    more = ceil(width / 2) + 1
    return Box(int(min(ys)) - more, int(min(xs)) - more, int(max(ys)) + more + 1, int(max(xs)) + more + 1)

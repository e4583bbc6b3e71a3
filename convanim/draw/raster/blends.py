"""Blending tables: the palette indices of antialiased strokes over other colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from convanim.draw.palette import LEVELS, Colours, Palette, closest
from convanim.draw.shapes import VEIL
from convanim.draw.theme import FILL, Theme
from convanim.scene.frame import Role

Pixels = NDArray[np.uint8]
#: The number of coverage levels of a pixel; this one is full coverage.
ALL = LEVELS + 1
_DATA, _INSERTED, _PENDING = FILL[Role.DATA], FILL[Role.INSERTED], FILL[Role.PENDING]
_KERNEL, _DONE, _OVERLAP = FILL[Role.KERNEL], FILL[Role.DONE], FILL[Role.OVERLAP]
#: The inks of slanted strokes, each with its backgrounds, both in order of frequency.
MEETS = {
    "line": ["page", _DATA, _DONE, _PENDING, _KERNEL, _INSERTED, _OVERLAP],
    "kernel.stroke": [_KERNEL, _DATA, "page", _DONE, _INSERTED, _PENDING],
    "done.stroke": [_DONE, _PENDING, "page", _KERNEL],
    "dash": [_INSERTED, "page", FILL[Role.CROPPED], FILL[Role.UNUSED]],
    "data.stroke": [_DATA, "page"],
}
#: Less frequent inks: where a window moves, and where stamps are added.
RARE = {False: ("dash", "data.stroke"), True: ("kernel.stroke", "done.stroke", "dash")}
#: The colours below the veil between planes.
VEILED = ("page", _INSERTED, _DONE, _PENDING, _DATA, "data.lit", "data.deep", "done.lit", "done.deep", "line", "dash")
#: The inks of letters, which stay as they are under a veil.
LETTERS = ("text", "muted", "zero", "kernel.factor", "overlap.factor")
#: Between strips there is only the page's background, and the edges of cells.
FANS = {"kernel.stroke": MEETS["kernel.stroke"]}


def mixes(look: Theme, *, stamps: bool = False, tilted: bool = True) -> Colours:
    """The colours (n, 3) that slanted strokes need besides those of text; the most frequent first.

    Args:
        stamps: whether tilted products are on the page.
        tilted: whether cells are tilted; if not, only fans are slanted.
    """
    pairs = []
    for ink, papers in (MEETS if tilted else FANS).items():
        more = [FILL[Role.PRODUCT]] if stamps and ink == "line" else []
        pairs += [(ink in RARE[stamps], place, ink, paper) for place, paper in enumerate([*more, *papers])]
    pairs.sort(key=lambda pair: pair[:2])
    found = [_mixed(np.array([look.colour(paper)]), np.array(look.colour(ink))) for _, _, ink, paper in pairs]
    edges = np.concatenate(found).reshape(-1, 3).astype(np.uint8)
    below = np.array([look.colour(name) for name in VEILED], np.uint8)
    return np.concatenate([veiled(below, look.colour("kernel.stroke")), edges]) if tilted else edges


def veiled(papers: Colours, ink: Sequence[int] | NDArray[np.integer]) -> Colours:
    """The colours (n, 3) of backgrounds under a veil of an ink."""
    mixed: Colours = np.floor(papers + (np.asarray(ink) - papers.astype(float)) * VEIL + 0.5).astype(np.uint8)
    return mixed


def _mixed(papers: NDArray[np.integer], ink: NDArray[np.integer]) -> NDArray[np.float64]:
    """The blended colours between backgrounds (n, 3) and an ink, (LEVELS, n, 3)."""
    parts = np.arange(1, ALL)[:, None, None] / ALL
    mixed: NDArray[np.float64] = np.floor(papers + (ink - papers.astype(float)) * parts + 0.5)
    return mixed


class Blends:
    """Blending tables for strokes.

    Args:
        palette: all available colours.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._tables: dict[tuple[str, bool], Pixels] = {}
        self._veils: dict[str, bytes] = {}

    def table(self, ink: str, *, behind: Iterable[str] = ()) -> Pixels:
        """The new palette index for each coverage, 0 to ALL, and old index: (ALL + 1, 256).

        Args:
            behind: inks of letters that stay in front of the stroke.
        """
        letters = tuple(behind)
        key = ink, bool(letters)
        if key not in self._tables:
            self._tables[key] = self._table(ink, letters)
        return self._tables[key]

    def veil(self, ink: str) -> bytes:
        """The new palette index for each of the 256 old ones under a veil."""
        if ink not in self._veils:
            found = np.arange(256, dtype=np.uint8)
            colours = self.palette.colours
            found[: len(colours)] = closest(veiled(colours, colours[self.palette.solid(ink)]), colours)
            kept = self.palette.inked(LETTERS)
            found[kept] = kept
            self._veils[ink] = found.tobytes()
        return self._veils[ink]

    def _table(self, ink: str, letters: tuple[str, ...]) -> Pixels:
        colours = self.palette.colours.astype(np.int64)
        count, index = len(colours), self.palette.solid(ink)
        wanted = _mixed(colours, colours[index]).reshape(-1, 3)
        # The nearest colour: squared distances without the term that is the same for all.
        there = colours[: self.palette.blending]
        nearest = ((there**2).sum(axis=1) - 2 * wanted @ there.T).argmin(axis=1)
        found = np.zeros((ALL + 1, 256), np.uint8)
        found[0, :] = np.arange(256)
        found[1:ALL, :count] = nearest.reshape(LEVELS, count)
        found[ALL, :] = index
        kept = self.palette.inked(letters)
        found[:, kept] = kept
        return found

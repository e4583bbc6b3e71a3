"""The one palette of an animation: exact colours, each with an index.

Knows colours by name, and which of them meet at the edges of letters. Must not know roles, frames or positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
#: Steps between paper and ink at the edges of letters: side by side at real size nobody tells three from six, and the
#: files are a tenth smaller.
LEVELS = 3
#: Steps of a shade that stands for a value.
SHADES = 16
#: A GIF has 256; one of them stands for what does not change.
ROOM = 255

#: Text and lines that most frames have, the most used first.
OFTEN = (("page", "text"), ("page", "muted"), ("data.fill", "text"))
THIN = ("line", "kernel.stroke", "done.stroke", "data.stroke")


class Palette:
    """The exact colours of one animation, each with an index.

    Args:
        colour: what a name stands for, as (red, green, blue).
        pairs: (paper, ink) where text is written on a fill.
        solids: further colours by name.
        shades: ramps whose steps stand for values: those named "shade.{name}_low" and "..._high".

    Attributes:
        colours: (n, 3) uint8, n <= 255.
    """

    def __init__(
        self,
        colour: Callable[[str], Colour],
        pairs: Iterable[tuple[str, str]],
        solids: Iterable[str],
        shades: Iterable[str],
    ) -> None:
        self._colour = colour
        pairs, solids = list(pairs), list(solids)
        self._index: dict[Colour, int] = {}
        self._ramps: dict[tuple[str, str], NDArray[np.uint8]] = {}
        self._shades: dict[str, NDArray[np.uint8]] = {}
        # What is used most gets the lowest numbers: an image is coded in as few bits as its largest number needs.
        often, rest = set(OFTEN) & set(pairs), set(pairs) - set(OFTEN)
        self._mix(sorted(often, key=OFTEN.index)[:1])
        self._add_all(name for name in THIN if name in set(solids))
        self._mix(sorted(often, key=OFTEN.index))
        for role in sorted(set(shades)):
            mixed = mix(colour(f"shade.{role}_low"), colour(f"shade.{role}_high"), SHADES)
            self._shades[role] = np.array([self._add(c) for c in mixed], np.uint8)
        self._mix(sorted(rest))
        self._add_all(solids)
        if len(self._index) > ROOM:
            raise AssertionError(f"{len(self._index)} colours do not fit in a GIF's palette")
        self.colours: NDArray[np.uint8] = np.array(list(self._index), np.uint8)

    def _mix(self, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            self._ramps[pair] = self._ramp(*map(self._colour, pair))

    def _add_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._add(self._colour(name))

    def _add(self, colour: Colour) -> int:
        return self._index.setdefault(colour, len(self._index))

    def _ramp(self, paper: Colour, ink: Colour) -> NDArray[np.uint8]:
        steps = [self._add(c) for c in mix(paper, ink, LEVELS + 2)]
        ramp: NDArray[np.uint8] = np.array(steps, np.uint8)[np.round(np.arange(256) / 255 * (LEVELS + 1)).astype(int)]
        return ramp

    def solid(self, name: str) -> int:
        """The index of a colour."""
        return self._index[self._colour(name)]

    def ramp(self, paper: str, ink: str) -> NDArray[np.uint8]:
        """The index for each coverage 0 to 255 of an ink on a paper."""
        return self._ramps[paper, ink]

    def shade(self, role: str) -> NDArray[np.uint8]:
        """The indices that stand for a role's values, from low to high."""
        return self._shades[role]


def mix(low: Colour, high: Colour, steps: int) -> list[Colour]:
    """Colours at even distances from one to another, both included, mixed in sRGB.

    Example:
        >>> mix((0, 0, 0), (255, 255, 255), 3)
        [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    """
    a, b = np.array(low), np.array(high)
    return [_rgb(a + (b - a) * i / (steps - 1)) for i in range(steps)]


def _rgb(colour: NDArray[np.float64]) -> Colour:
    red, green, blue = (int(c + 0.5) for c in colour)
    return red, green, blue

"""The palette of an animation: exact colours, each with an index."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Colours = NDArray[np.uint8]
#: Blend levels between background and ink at the edges of letters: nobody can distinguish three from six at real
#: size, and files are a tenth smaller.
LEVELS = 3
#: Steps of a shade for values; counts have fewer steps, so that a difference of one is visible, and the grey values of
#: pictures more.
SHADES, STEPS = 16, {"heat": 9, "grey": 64}
#: A GIF has 256 colours, one of which marks unchanged pixels.
ROOM = 255

NONE: Colours = np.zeros((0, 3), np.uint8)

#: The colours in most images of an animation, the most frequent first: (paper, ink), and lines.
OFTEN: tuple[str | tuple[str, str], ...] = (
    ("page", "text"),
    *("kernel.stroke", "done.stroke"),
    ("kernel.fill", "kernel.factor"),
    *(("data.lit", "text"), ("data.fill", "text"), ("kernel.lit", "text"), ("done.fill", "text")),
    *("pending.fill", ("page", "muted"), ("inserted.fill", "zero"), ("padding.fill", "zero"), "ring"),
    ("page", "kernel.stroke"),
    *(("page", "data.lit"), ("page", "data.fill"), ("page", "done.fill")),
    *(("page", "done.stroke"), ("data.lit", "kernel.fill"), ("page", "pending.fill")),
    *(("page", "kernel.lit"), ("done.lit", "text"), ("page", "done.lit")),
    *(("kernel.fill", "text"), ("page", "kernel.fill"), ("kernel.stroke", "kernel.lit")),
    "dash",
)
#: The same for animations with stamps.
STAMPED: tuple[str | tuple[str, str], ...] = (
    ("page", "text"),
    *(("product.fill", "text"), ("page", "product.fill")),
    *("data.stroke", "kernel.stroke", ("page", "kernel.stroke"), "ring"),
    *(("data.lit", "text"), ("overlap.lit", "text"), ("kernel.lit", "text")),
    *(("done.fill", "text"), ("page", "done.fill")),
    *(("data.fill", "text"), ("page", "data.fill")),
    ("page", "muted"),
    *("line", "pending.fill", ("kernel.fill", "text"), ("page", "overlap.lit"), ("page", "kernel.lit")),
    ("page", "pending.fill"),
    *(("page", "data.lit"), ("page", "data.stroke")),
    *(("kernel.stroke", "kernel.lit"), ("inserted.fill", "text"), ("page", "inserted.fill")),
    ("overlap.lit", "overlap.factor"),
    *(("done.lit", "text"), ("page", "done.lit")),
    *(("overlap.fill", "text"), ("overlap.fill", "overlap.factor"), ("page", "overlap.fill")),
    "dash",
)


class Palette:
    """The exact colours of one animation, each with an index.

    Args:
        colour: returns the (red, green, blue) of a name.
        pairs: (paper, ink) of text on a fill. If there are too many colours, the edges of the less frequent ones get
            the nearest colours.
        solids: further colours by name.
        shades: colour ramps for values, by name.
        pictures: further colours, (n, 3) uint8 each, which are exact if there is room for all of them, otherwise
            reduced to the available number.
        often: those of the pairs and colours that most images have, the most frequent first.
        slanted: colours (n, 3) of the edges of slanted strokes, the most frequent first; n < 100.

    Attributes:
        colours: (n, 3) uint8, n <= 255.
        blending: the number of first colours that strokes are blended with: beside shades, which most images have, a
            rare colour that happens to be closest would give images a larger index.
    """

    def __init__(
        self,
        colour: Callable[[str], Colour],
        pairs: Iterable[tuple[str, str]],
        solids: Iterable[str],
        shades: Iterable[str],
        pictures: Sequence[Colours] = (),
        often: Sequence[str | tuple[str, str]] = OFTEN,
        slanted: Colours = NONE,
    ) -> None:
        self._colour = colour
        pairs, solids, shades = list(pairs), list(solids), set(shades)
        self._index: dict[Colour, int] = {}
        self._mixed: dict[tuple[str, str], list[Colour]] = {}
        self._shades: dict[str, NDArray[np.uint8]] = {}
        # Every colour itself has an index; edges of the least frequent letters may have to do with similar colours.
        names = [
            *solids,
            *(name for pair in pairs for name in pair),
            *(name for role in shades for name in steps(role)),
        ]
        self._exact = set(map(colour, names))
        self._spare = ROOM - len(self._exact)
        # Frequent colours have low indices: an image is encoded in as few bits as its largest index needs.
        paint = set(solids)
        # Where a role's values have shades, its fill is rare.
        shaded = {f"{role}.fill" for role in shades}
        for name in often:
            if name in pairs and not shaded.intersection(name):
                self._mix([name])
            elif isinstance(name, str) or not shades:  # without numbers there are only fills or shades
                self._add_all({name if isinstance(name, str) else name[0]} & paint)
        rest = set(pairs).difference(self._mixed)
        for role in sorted(shades):
            self._shades[role] = np.array([self._add(colour(name)) for name in steps(role)], np.uint8)
        edges: list[Colour] = [(red, green, blue) for red, green, blue in slanted.tolist()]
        few = bool(shades) and not pictures and len({*self._index, *edges}) < 128
        if few or not shades:
            self._add_edges(edges)
        else:  # shades fill most cells, and may be reduced if the edges need room
            pictures = [*pictures, slanted]
        self.blending = len(self._index) if few else ROOM
        self._mix(sorted(rest))
        self._add_all(solids)
        if len(self._index) > ROOM:
            raise AssertionError(f"{len(self._index)} colours do not fit in a GIF's palette")
        given = np.concatenate([_codes(p) for p in (NONE, *pictures)])
        self._codes, first, counts = np.unique(given, return_index=True, return_counts=True)
        order = np.argsort(first)
        wanted = _colours(self._codes[order])
        for own in _fewer(wanted, counts[order], ROOM - len(self._index), self._index):
            self._add(own)
        self.colours: Colours = np.array(list(self._index), np.uint8)
        self._nearest = closest(_colours(self._codes), self.colours)
        self._ramps = {pair: self._ramp(mixed) for pair, mixed in self._mixed.items()}

    def _mix(self, pairs: Iterable[tuple[str, str]]) -> None:
        for paper, ink in pairs:
            mixed = self._mixed[paper, ink] = mix(self._colour(paper), self._colour(ink), LEVELS + 2)
            self._add_edges(mixed)

    def _add_edges(self, colours: Iterable[Colour]) -> None:
        """Add the colours of edges as long as there is room for them besides the exact ones."""
        for colour in colours:
            new = colour not in self._index and colour not in self._exact
            if not new or self._spare > 0:
                self._add(colour)
                self._spare -= new

    def _add_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._add(self._colour(name))

    def _add(self, colour: Colour) -> int:
        return self._index.setdefault(colour, len(self._index))

    def _ramp(self, mixed: Sequence[Colour]) -> NDArray[np.uint8]:
        there = closest(np.array(mixed, np.uint8), self.colours)
        ramp: NDArray[np.uint8] = there[np.round(np.arange(256) / 255 * (LEVELS + 1)).astype(int)]
        return ramp

    def solid(self, name: str) -> int:
        """The index of a colour."""
        return self._index[self._colour(name)]

    def index(self, ink: str | Colour) -> int:
        """The index of a colour by name, or of a picture's colour."""
        if isinstance(ink, str):
            return self.solid(ink)
        index = self._index.get(ink)
        return int(self.nearest(np.array(ink, np.uint8))) if index is None else index

    def rounded(self, colours: Colours) -> Colours:
        """A picture's colours (..., 3) as they are shown: the nearest available ones."""
        return self.colours[self.nearest(colours)]

    def ramp(self, paper: str, ink: str) -> NDArray[np.uint8]:
        """The index for each coverage 0 to 255 of an ink on a paper."""
        return self._ramps[paper, ink]

    def inked(self, inks: Iterable[str]) -> NDArray[np.uint8]:
        """The indices of letters in these inks and of their edges, but not of their backgrounds."""
        wanted = set(inks)
        edges = {colour for (_, ink), mixed in self._mixed.items() if ink in wanted for colour in mixed}
        papers = {mixed[0] for mixed in self._mixed.values()}
        return np.array(sorted(self._index[c] for c in edges - papers if c in self._index), np.uint8)

    def shade(self, role: str) -> NDArray[np.uint8]:
        """The indices for a role's values, from low to high."""
        return self._shades[role]

    def nearest(self, colours: Colours) -> NDArray[np.uint8]:
        """The indices of a picture's colours, (..., 3) uint8 to (...); means of several may be closest to any other."""
        codes = _codes(colours)
        at = np.searchsorted(self._codes, codes)
        known = self._codes.take(at, mode="clip") == codes if len(self._codes) else np.zeros(codes.shape, bool)
        found = np.zeros(codes.shape, np.uint8)
        found[known] = self._nearest[at[known]]
        if not known.all():
            new, where = np.unique(codes[~known], return_inverse=True)
            found[~known] = closest(_colours(new), self.colours)[where]
        return found


def steps(shade: str) -> list[str]:
    """The names of the colours of a ramp, from the least value to the greatest; the page, which is zero, is not among
    them.

    Example:
        >>> steps("data")[:2], len(steps("heat"))
        (['shade.data.0', 'shade.data.1'], 9)
    """
    start = shade if shade == "heat" else f"shade.{shade}"
    return [f"{start}.{i}" for i in range(STEPS.get(shade, SHADES))]


def _codes(colours: Colours) -> NDArray[np.int64]:
    """Colours (..., 3) as one number each (...)."""
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    codes: NDArray[np.int64] = red << 16 | green << 8 | blue
    return codes


def _colours(codes: NDArray[np.int64]) -> Colours:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)


def _fewer(wanted: Colours, often: NDArray[np.int64], room: int, there: Container[Colour]) -> list[Colour]:
    """The colours that are not there yet, reduced to `room` similar ones if there are too many.

    Args:
        often: how often each of them occurs.
    """
    new = [colour for red, green, blue in wanted.tolist() if (colour := (red, green, blue)) not in there]
    if len(new) <= room or not room:
        return new[:room]
    from PIL import Image

    image = Image.fromarray(np.repeat(wanted, often, axis=0)[None])
    # Median cut in a fixed order, then each colour moved to the mean of those that it replaces.
    reduced = image.quantize(room, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    flat = (reduced.getpalette() or [])[: 3 * room]
    return list(dict.fromkeys(zip(*[iter(flat)] * 3, strict=True)))


def closest(wanted: Colours, there: Colours) -> NDArray[np.uint8]:
    """The index of the closest colour in RGB for each colour (n, 3): (n,)."""
    out = np.zeros(len(wanted), np.uint8)
    known = there.astype(np.float64)
    squares = (known**2).sum(axis=1)
    for start in range(0, len(wanted), 4096):  # in blocks, since every pair takes memory
        # |a - b|² without |a|², which is the same for all b; these integers are exact in floats.
        away = squares - 2 * (wanted[start : start + 4096].astype(np.float64) @ known.T)
        out[start : start + 4096] = away.argmin(axis=1)
    return out


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

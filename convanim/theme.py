"""Themes: which role has which ink.

Knows colours and the one palette that an animation needs. Must not know frames or positions. A theme is a file in
templates/themes; a new look is a new file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.scene.frame import Emphasis, Role

#: In a wheel templates/ lies inside the package, in a checkout beside it.
_PLACES = (Path(__file__).parent / "templates", Path(__file__).parent.parent / "templates")
#: Steps between paper and ink at the edges of letters: side by side at real size nobody tells three from six, and the
#: files are a tenth smaller.
LEVELS = 3
#: Steps of a shade that stands for a value.
SHADES = 16

#: Text and lines that most frames have, the most used first.
OFTEN = (("page", "text"), ("page", "muted"), ("data.fill", "text"))
THIN = ("line", "kernel.stroke", "done.stroke", "data.stroke")

FILL = {
    Role.NONE: "page",
    Role.DATA: "data.fill",
    Role.INSERTED: "inserted.fill",
    Role.PADDING: "padding.fill",
    Role.CROPPED: "cropped.fill",
    Role.UNUSED: "unused.fill",
    Role.KERNEL: "kernel.fill",
    Role.PRODUCT: "product.fill",
    Role.PENDING: "pending.fill",
    Role.DONE: "done.fill",
    Role.OVERLAP: "overlap.fill",
}
STROKE = {
    Role.DATA: "data.stroke",
    Role.KERNEL: "kernel.stroke",
    Role.PRODUCT: "product.stroke",
    Role.DONE: "done.stroke",
    Role.OVERLAP: "overlap.stroke",
}
#: Roles whose numbers are not the point.
QUIET = {Role.INSERTED, Role.PADDING, Role.CROPPED, Role.UNUSED}
HATCH = {Role.CROPPED: "cropped.hatch", Role.UNUSED: "unused.hatch"}
#: Which ramp stands for the values of a role where cells are too small for numbers.
SHADE = {
    Role.DATA: "data",
    Role.KERNEL: "kernel",
    Role.PRODUCT: "product",
    Role.DONE: "done",
    Role.OVERLAP: "done",
}


def fill(role: Role, emphasis: Emphasis) -> str:
    """The name of a cell's fill: under the kernel every cell is the kernel's."""
    return "kernel.fill" if emphasis == Emphasis.ACTIVE else FILL[role]


def ink(role: Role) -> str:
    """The name of the ink of a cell's number."""
    return "muted" if role in QUIET else "text"


def note_ink(role: Role, emphasis: Emphasis) -> str:
    """The name of the ink of the small text in a cell's corner."""
    return "overlap.factor" if role == Role.OVERLAP and emphasis != Emphasis.ACTIVE else "kernel.factor"


class _Fill(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    fill: str


class _Tint(_Fill, frozen=True):
    stroke: str


class _Inked(_Tint, frozen=True):
    factor: str


class _Hatched(_Fill, frozen=True):
    hatch: str


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a theme's file holds: every colour is "#rrggbb"."""

    page: str
    text: str
    muted: str
    line: str
    dash: str
    data: _Tint
    kernel: _Inked
    product: _Tint
    done: _Tint
    overlap: _Inked
    inserted: _Fill
    padding: _Fill
    cropped: _Hatched
    unused: _Hatched
    pending: _Fill
    shade: dict[str, str]


class Theme:
    """A theme: colours by name, such as "page", "kernel.fill" or "shade.data_low".

    Example:
        >>> load("light").colour("page")
        (255, 255, 255)
    """

    def __init__(self, name: str, colours: dict[str, tuple[int, int, int]]) -> None:
        self.name, self._colours = name, colours

    def colour(self, name: str) -> tuple[int, int, int]:
        """A colour as (red, green, blue), 0 to 255."""
        return self._colours[name]

    def needed(self, *, numbers: bool, shades: Iterable[str]) -> Palette:
        """The colours of a page with or without numbers in cells, and with these shades instead of some."""
        pairs = {("page", "text"), ("page", "muted")}
        if numbers:
            pairs |= {(fill(role, emphasis), ink(role)) for role in Role for emphasis in Emphasis}
            pairs |= {("kernel.fill", "kernel.factor"), ("overlap.fill", "overlap.factor")}
        solids = ["page", "text", "line", "dash", *STROKE.values(), *HATCH.values(), *FILL.values()]
        return self.palette(pairs, solids, shades)

    def palette(self, pairs: Iterable[tuple[str, str]], solids: Iterable[str], shades: Iterable[str]) -> Palette:
        """The colours that an animation can need, known before its first frame.

        Args:
            pairs: (paper, ink) where text is written on a fill.
            solids: further colours by name.
            shades: roles whose values are shown as shade: data, kernel, product, done.
        """
        return Palette(self, pairs, solids, shades)


class Palette:
    """The exact colours of one animation, each with an index.

    Attributes:
        colours: (n, 3) uint8, n <= 255.
    """

    def __init__(
        self, theme: Theme, pairs: Iterable[tuple[str, str]], solids: Iterable[str], shades: Iterable[str]
    ) -> None:
        self._theme = theme
        pairs, solids = list(pairs), list(solids)
        self._index: dict[tuple[int, int, int], int] = {}
        self._ramps: dict[tuple[str, str], NDArray[np.uint8]] = {}
        self._shades: dict[str, NDArray[np.uint8]] = {}
        # What is used most gets the lowest numbers: an image is coded in as few bits as its largest number needs.
        often, rest = set(OFTEN) & set(pairs), set(pairs) - set(OFTEN)
        self._mix(sorted(often, key=OFTEN.index)[:1])
        self._add_all(name for name in THIN if name in set(solids))
        self._mix(sorted(often, key=OFTEN.index))
        for role in sorted(set(shades)):
            low, high = (np.array(theme.colour(f"shade.{role}_{end}")) for end in ("low", "high"))
            mixed = [low + (high - low) * i / (SHADES - 1) for i in range(SHADES)]
            self._shades[role] = np.array([self._add(_rgb(c)) for c in mixed], np.uint8)
        self._mix(sorted(rest))
        self._add_all(solids)
        if len(self._index) > 255:
            raise AssertionError(f"{len(self._index)} colours do not fit in a GIF's palette")
        self.colours: NDArray[np.uint8] = np.array(list(self._index), np.uint8)

    def _mix(self, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            self._ramps[pair] = self._ramp(*map(self._theme.colour, pair))

    def _add_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._add(self._theme.colour(name))

    def _add(self, colour: tuple[int, int, int]) -> int:
        return self._index.setdefault(colour, len(self._index))

    def _ramp(self, paper: tuple[int, int, int], ink: tuple[int, int, int]) -> NDArray[np.uint8]:
        a, b = np.array(paper), np.array(ink)
        steps = [self._add(_rgb(a + (b - a) * i / (LEVELS + 1))) for i in range(LEVELS + 2)]
        ramp: NDArray[np.uint8] = np.array(steps, np.uint8)[np.round(np.arange(256) / 255 * (LEVELS + 1)).astype(int)]
        return ramp

    def solid(self, name: str) -> int:
        """The index of a colour."""
        return self._index[self._theme.colour(name)]

    def ramp(self, paper: str, ink: str) -> NDArray[np.uint8]:
        """The index for each coverage 0 to 255 of an ink on a paper."""
        return self._ramps[paper, ink]

    def shade(self, role: str) -> NDArray[np.uint8]:
        """The indices that stand for a role's values, from low to high."""
        return self._shades[role]


def _rgb(colour: NDArray[np.float64]) -> tuple[int, int, int]:
    red, green, blue = (int(c + 0.5) for c in colour)
    return red, green, blue


def templates() -> Path:
    """The folder of the templates."""
    for place in _PLACES:
        if (place / "themes").is_dir():
            return place
    raise ConvanimError("the folder templates/ is missing from this installation", "install convanim again")


def themes() -> list[str]:
    """The names of the themes that are there.

    Example:
        >>> {"light", "dark"} <= set(themes())
        True
    """
    return sorted(path.stem for path in (templates() / "themes").glob("*.toml"))


@cache
def load(name: str) -> Theme:
    """The theme of that name.

    Raises:
        ConvanimError: there is none.
    """
    known = themes()
    if not isinstance(name, str):
        raise ConvanimError(f"theme {name!r} is not a name", f"use one of {', '.join(known)}")
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}" if close else f"use one of {', '.join(known)}"
        raise ConvanimError(f"theme {name!r} is not known", hint)
    try:
        file = msgspec.toml.decode((templates() / "themes" / f"{name}.toml").read_bytes(), type=_File)
    except msgspec.MsgspecError as error:
        raise ConvanimError(f"theme {name}.toml: {error}", "compare it with light.toml") from None
    flat: dict[str, str] = {}
    for key, value in msgspec.to_builtins(file).items():
        flat |= {key: value} if isinstance(value, str) else {f"{key}.{inner}": c for inner, c in value.items()}
    for key, colour in flat.items():
        if not re.fullmatch("#[0-9a-f]{6}", colour):
            raise ConvanimError(f"theme {name}.toml: {key} = {colour!r} is not a colour", 'write it like "#0b63b8"')
    return Theme(name, {key: _parse(colour) for key, colour in flat.items()})


def _parse(colour: str) -> tuple[int, int, int]:
    number = int(colour.removeprefix("#"), 16)
    return number >> 16, number >> 8 & 255, number & 255

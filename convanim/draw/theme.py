"""Themes: the colours of roles. A theme is a file in templates/themes, or the user's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from convanim.assets import templates
from convanim.draw import themefile
from convanim.draw.palette import NONE, OFTEN, STAMPED, STEPS, Colour, Colours, Palette, mix, steps
from convanim.errors import ConvanimError
from convanim.scene.frame import Emphasis, Role

#: The name of both themes of PAIR, one for light pages and one for dark ones.
AUTO = "auto"
PAIR = ("light", "dark")

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
    Role.COPIED: "padding.fill",
    Role.EMPTY: "padding.fill",
}
STROKE = {
    Role.DATA: "data.stroke",
    Role.KERNEL: "kernel.stroke",
    Role.PRODUCT: "product.stroke",
    Role.DONE: "done.stroke",
    Role.OVERLAP: "overlap.stroke",
}
#: The tints of roles with a colour of their own; "lit" is deeper than "fill", and "deep" is the deepest.
TINTED = {Role.DATA: "data", Role.KERNEL: "kernel", Role.PRODUCT: "product", Role.DONE: "done", Role.OVERLAP: "overlap"}
#: The emphases of cells that matter now, which have a deeper colour of their role.
LIT = (Emphasis.ACTIVE, Emphasis.WRITTEN)
#: The positions of deeper tints on the way from the fill to the stroke of a theme that does not give them.
_DEEPER = {"lit": 0.32, "deep": 0.85}
#: The fills of emphases that override those of the role.
_OVER = {Emphasis.QUIET: "page", Emphasis.DIFFERENT: "overlap.fill"}
#: Emphases with bold numbers, which do not rely on colour; so are those of the terms of a sum.
_BOLD = frozenset({Emphasis.WRITTEN, Emphasis.DIFFERENT})
#: Roles with subdued numbers.
QUIET = {Role.INSERTED, Role.PADDING, Role.CROPPED, Role.UNUSED, Role.COPIED, Role.EMPTY}
#: Roles whose numbers are zeros.
ZEROS = {Role.INSERTED, Role.PADDING}
#: The fills of cells whose factors stand on a rectangle with round corners.
CHIPS = "data.lit", "padding.fill"
HATCH = {Role.CROPPED: "cropped.hatch", Role.UNUSED: "unused.hatch"}
#: The ink of the marks that distinguish other cells without a tint from pending ones.
MARK = {Role.PADDING: "dash", Role.COPIED: "dash", Role.EMPTY: "dash"}
#: Roles that are shaded by value in cells too small for numbers; the ramp is the panel's.
SHADED = frozenset({Role.DATA, Role.KERNEL, Role.PRODUCT, Role.DONE, Role.OVERLAP, Role.COPIED})
#: The colour ramps for values, each from the page to a colour of the theme.
RAMPS = "data", "kernel", "product", "done", "negative"
#: Roles whose cells are filled by their count in a panel of counts.
HEATED = frozenset({Role.DONE, Role.OVERLAP})


#: The dots of the phases: the current one has a rim.
DOTS = {
    *(("page", "inserted.fill"), ("inserted.fill", "text")),
    *(("page", "kernel.stroke"), ("kernel.stroke", "kernel.lit"), ("kernel.lit", "text")),
}


def fill(role: Role, emphasis: Emphasis, *, bare: bool = False) -> str:
    """The name of a cell's fill: a deeper one under the kernel, and the page's background for quiet cells.

    Args:
        bare: whether cells show no numbers, which leaves room for stronger colours.

    Example:
        >>> fill(Role.DATA, Emphasis.NONE), fill(Role.DATA, Emphasis.ACTIVE), fill(Role.PADDING, Emphasis.ACTIVE)
        ('data.fill', 'data.lit', 'padding.fill')
    """
    if bare and emphasis == Emphasis.QUIET:  # no muted number shows that it is there
        return "pending.fill"
    if emphasis in _OVER or role not in TINTED:
        return _OVER.get(emphasis, FILL[role])
    lit = emphasis in LIT
    if bare:
        return f"{TINTED[role]}.{'deep' if lit else 'lit' if role == Role.DATA else 'fill'}"
    return f"{TINTED[role]}.{'lit' if lit else 'fill'}"


def ink(role: Role, emphasis: Emphasis = Emphasis.NONE) -> str:
    """The name of the ink of a cell's number."""
    if emphasis == Emphasis.DIFFERENT:
        return "text"
    if emphasis != Emphasis.QUIET and role in ZEROS:
        return "zero"
    return "muted" if role in QUIET or emphasis == Emphasis.QUIET else "text"


def bold(role: Role, emphasis: Emphasis) -> bool:
    """Whether a cell's number is bold."""
    return emphasis in _BOLD or (emphasis == Emphasis.ACTIVE and role in TINTED)


def note_ink(role: Role, emphasis: Emphasis) -> str:
    """The name of the ink of the small text in a cell's corner: a factor of a zero is as subdued as the zero."""
    if role == Role.OVERLAP and emphasis != Emphasis.QUIET:
        return "overlap.factor"
    if emphasis == Emphasis.ACTIVE and role not in ZEROS:
        return "kernel.factor"
    return ink(role, emphasis)


class Theme:
    """A theme: colours by name, such as "page", "kernel.fill", "ring", or a step of a shade.

    The steps are "shade.data.0" to "shade.data.15", and so on for the other shades, and "heat.0" to "heat.8".

    Example:
        >>> load("light").colour("page")
        (255, 255, 255)
    """

    def __init__(self, name: str, colours: dict[str, Colour]) -> None:
        for role in TINTED.values():
            start, end = (np.array(colours[f"{role}.{tint}"]) for tint in ("fill", "stroke"))
            for tint, part in _DEEPER.items():
                red, green, blue = np.rint(start + (end - start) * part).astype(int).tolist()
                colours.setdefault(f"{role}.{tint}", (red, green, blue))
        colours.setdefault("zero", colours["muted"])
        page, black, white = colours["page"], (0, 0, 0), (255, 255, 255)
        counts = mix(colours["shade.heat_low"], colours["shade.heat_high"], STEPS["heat"] - 1)
        made = dict(zip(steps("heat"), [page, *counts], strict=True))
        made |= dict(zip(steps("grey"), mix(black, white, STEPS["grey"]), strict=True))
        for shade in RAMPS:  # zero is the page, and the least value already differs from it
            names = steps(shade)
            made |= dict(zip(names, mix(page, colours[f"shade.{shade}_high"], len(names) + 1)[1:], strict=True))
        made["ring"] = mix(page, colours["dash"], 5)[3]
        made["ghost"] = mix(page, colours["dash"], 4)[1]
        self.name, self._colours = name, colours | made

    def colour(self, name: str) -> Colour:
        """A colour as (red, green, blue), 0 to 255."""
        return self._colours[name]

    def needed(
        self,
        *,
        numbers: bool,
        bare: bool = False,
        rounded: bool = False,
        shades: Iterable[str],
        pictures: Sequence[Colours] = (),
        stamps: bool = False,
        slanted: Colours = NONE,
    ) -> Palette:
        """The palette of a page with or without numbers in cells, with these shades and pictures.

        Args:
            bare: whether some cells have no numbers although others have.
            rounded: whether cells without numbers have round corners.
            stamps: whether products are added, which changes the most frequent colours.
            slanted: the colours of the edges of slanted strokes, the most frequent first.
        """
        shades = set(shades)
        # A picture needs most of the colours, and only stamps have sums and products beside it.
        absent = () if stamps or not pictures else (Role.PRODUCT, Role.OVERLAP)
        roles = [role for role in Role if role not in absent]
        fills = {fill(role, emphasis, bare=not numbers) for role in roles for emphasis in Emphasis}
        strokes = [name for role, name in STROKE.items() if role not in absent]
        # Corners are round.
        pairs = {("page", name) for name in ("text", "muted", "ring", "ghost", *strokes, *fills)}
        pairs |= DOTS
        tinted = [name for role, name in TINTED.items() if role not in absent]
        pairs |= {pair for name in tinted for pair in (("page", f"{name}.lit"), (f"{name}.lit", "text"))}
        if numbers:
            pairs |= {(fill(role, emphasis), ink(role, emphasis)) for role in roles for emphasis in Emphasis}
            pairs |= {
                ("kernel.fill", "kernel.factor"),
                *((paper, "kernel.fill") for paper in CHIPS),
                *((f"overlap.{tint}", "overlap.factor") for tint in ("fill", "lit") if not absent),
            }
        if bare or not numbers:
            more = {fill(role, emphasis, bare=True) for role in Role for emphasis in Emphasis}
            fills |= more
            pairs |= {("page", name) for name in more if rounded}
        solids = [
            "page",
            "text",
            "line",
            "dash",
            "ring",
            *STROKE.values(),
            *HATCH.values(),
            *FILL.values(),
            *sorted(fills),
        ]
        if "heat" in shades:
            pairs |= {pair for step in steps("heat") for pair in ((step, "text"), ("page", step)) if numbers}
            solids += steps("heat")
        return Palette(self.colour, pairs, solids, shades, pictures, STAMPED if stamps else OFTEN, slanted)

    def palette(self, pairs: Iterable[tuple[str, str]], solids: Iterable[str], shades: Iterable[str]) -> Palette:
        """The palette of an animation, known before its first frame.

        Args:
            pairs: (paper, ink) of text on a fill.
            solids: further colours by name.
            shades: colour ramps for values: data, kernel, product, done, negative.
        """
        return Palette(self.colour, pairs, solids, shades)


def themes() -> list[str]:
    """The names of the built-in themes.

    Example:
        >>> {"light", "dark"} <= set(themes())
        True
    """
    return sorted(path.stem for path in (templates() / "themes").glob("*.toml"))


def is_file(name: str) -> bool:
    """Whether the name of a theme is that of a file: it ends in .toml or contains a slash.

    Example:
        >>> is_file("dark"), is_file("mine.toml")
        (False, True)
    """
    return name.lower().endswith(".toml") or "/" in name


def load(name: str | Path) -> Theme:
    """A built-in theme by name, or a theme from a file: a path ends in .toml or contains a slash.

    Raises:
        ConvanimError: an unknown name, or the file is not a theme.
    """
    if isinstance(name, Path) or (isinstance(name, str) and is_file(name)):
        return _own(Path(name))
    known = themes()
    if not isinstance(name, str):
        raise ConvanimError(f"`theme` {name!r} is not a name", f"use one of {', '.join(known)}")
    if name == AUTO:
        raise ConvanimError(
            f"theme {AUTO!r} stands for two files, {' and '.join(PAIR)}",
            "write both with `save_pair`",
        )
    if name not in known:
        close = difflib.get_close_matches(name, [*known, AUTO], 1)
        hint = f"did you mean {close[0]}" if close else f"use one of {', '.join(known)}, or a file like mine.toml"
        raise ConvanimError(f"`theme` {name!r} is not known", hint)
    return _ours(templates() / "themes" / f"{name}.toml")


def _own(path: Path) -> Theme:
    if not os.path.exists(path):  # noqa: PTH110 - pathlib's raises for odd names
        close = difflib.get_close_matches(path.stem, themes(), 1)
        hint = f"did you mean {close[0]}" if close else "name an existing file"
        raise ConvanimError(f"`theme` {str(path)!r} does not exist", hint)
    return Theme(path.stem, themefile.read(path))


@cache
def _ours(path: Path) -> Theme:
    return Theme(path.stem, themefile.read(path))

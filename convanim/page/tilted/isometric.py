"""The isometric layout: two tilted planes above each other, and flat panels, such as the kernel, at their side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import product

from convanim.errors import ConvanimError
from convanim.language.words import Catalogue
from convanim.page.crossed import lines
from convanim.page.grids import TooSmall
from convanim.page.kin import Kin
from convanim.page.lattice import Lattice, Step
from convanim.page.lens import inset
from convanim.page.measures import FITTED_FROM, SMALLEST_CELL, Measures
from convanim.page.page import Place
from convanim.page.texts import Text
from convanim.page.tilted.side import Side
from convanim.page.tilted.stack import Stack
from convanim.scene import Contents
from convanim.scene.frame import Panel

#: Shapes of cells (along x, y, down x, y), px, to be scaled: one for wide pages, a steeper one for tall ones.
SHAPES = ((46, -15, 34, 24), (38, -19, 28, 26))
#: Shapes for pages much wider than high: rows rise less, which leaves more height for cells.
WIDE = (*SHAPES[:1], (52, -12, 36, 26), (46, -15, 46, 20), (44, -18, 48, 18))
#: A flatter shape for small cells that would not fit otherwise.
FLAT = (46, -14, 36, 20)
#: Offsets to the right of the upper plane per px of height, so that it may come down beside the lower one.
LEANS = (0.0, 0.25, 0.5, 0.75)
#: The aspect ratio from which an area counts as much wider than high.
WIDE_FROM = 1.6
#: Numbers (or cells without numbers) that are smaller by at most this fraction count as equally large.
ALIKE = 0.06
#: The minimum fraction of their area that cells keep beside an inset.
KEPT = 0.35


def planes(scene: Contents) -> tuple[Panel, Panel] | None:
    """The two panels that are drawn as planes, the one that is read first; None unless there are exactly two.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> from convanim.scene import scene
        >>> t = ConvTranspose(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])
        >>> [panel.name for panel in planes(scene(t, "overlap-add"))]
        ['input', 'canvas']
    """
    if not scene.traces or len(scene.traces[0].axes) != 2 or not scene.beats.steps:
        return None
    first = scene.links(0)
    if len(first) != 1:
        return None
    (link,) = first
    named = {p.name: p for p in scene.panels}
    lower, upper = (link.other, link.panel) if link.stamps else (link.panel, link.other)
    groups = [p.group for p in scene.panels if p.group]
    if any(groups.count(named[name].group) > 1 for name in (lower, upper)):
        return None
    return named[lower], named[upper]


def many(scene: Contents) -> bool:
    """Whether a plane has more cells along an axis than a tilted one has room for."""
    return max(max(panel.shape) for panel in planes(scene) or scene.panels) >= FITTED_FROM


def isometric(
    scene: Contents, m: Measures, words: Catalogue | None = None
) -> tuple[dict[str, Place], tuple[Text, ...]]:
    """The panels' places. There are no signs, since the panels lie above each other.

    Where cells have no room for numbers and factors that can be read, a flat inset beside the planes shows those of
    the window.

    Args:
        words: the catalogue for the titles of the inset, if the scene is in another language than English.

    Raises:
        ConvanimError: the scene does not have two planes.
        TooSmall: cells would be too small to be distinguished.
    """
    two = planes(scene)
    if two is None:
        raise ConvanimError("`layout` 'isometric' needs one input plane and one output plane", 'use `layout="flat"`')
    aside = tuple(p for p in scene.panels if p not in two)
    best = _best(scene, two, aside, m)
    (link,) = scene.links(0)
    shown = inset(scene, link, words) if m.style.numbers and not best.reads(link.panel) else ()
    for right in (shown, shown[:1])[: len(shown)]:  # a low page has no room for the result, which the caption tells
        with suppress(TooSmall):
            beside = _best(scene, two, aside, m, right)
            if beside.lattice.area >= KEPT * best.lattice.area:
                best = beside
                break
    return best.grown.places(), ()


def _best(
    scene: Contents, two: tuple[Panel, Panel], aside: tuple[Panel, ...], m: Measures, right: tuple[Panel, ...] = ()
) -> Stack:
    """The stack with the largest numbers or cells.

    Args:
        aside: the flat panels at the left.
        right: those of an inset.

    Raises:
        TooSmall: none fits.
    """
    kin = Kin((((*two, *aside, *right),),), m)
    side = Side.usual(aside, kin)
    beside = Side.read(right, kin) if right else None
    wide = m.width - 2 * m.margin >= WIDE_FROM * (m.bottom - m.top)
    ways = product(WIDE, LEANS) if wide else product(SHAPES, LEANS[:1])
    found = [stack for shape, lean in ways if (stack := _largest(two, shape, lean, kin, side, beside))]
    found = found or [stack for stack in [_largest(two, FLAT, 0, kin, side, beside)] if stack]
    if not found:
        raise TooSmall
    return _choose(found, scene) if wide else max(found, key=lambda stack: stack.lattice.area)


def _choose(found: Sequence[Stack], scene: Contents) -> Stack:
    """The stack with about the largest numbers, and among these the fewest under lines, then the most upright one."""
    if not any(stack.number for stack in found):
        least = (1 - ALIKE) * max(stack.lattice.area for stack in found)
        return min((stack for stack in found if stack.lattice.area >= least), key=lambda stack: stack.lean)
    least = (1 - ALIKE) * max(stack.room for stack in found)
    alike = [stack for stack in found if stack.room >= least]
    if len(alike) == 1:
        return alike[0]
    drawn = lines(scene)
    return min(alike, key=lambda stack: (stack.crossed(drawn), stack.lean, -stack.room))


def _largest(
    two: tuple[Panel, Panel], shape: Sequence[int], lean: float, kin: Kin, side: Side, inset: Side | None
) -> Stack | None:
    """The stack with cells of this shape, as large as fits; None if none fits."""
    best: Stack | None = None
    low, high = 1, kin.m.of(150, 30)
    while low < high:  # binary search for the longest vector along a row that fits
        wide = (low + high + 1) // 2
        ax, ay, dx, dy = (round(part * wide / shape[0]) for part in shape)
        lattice = Lattice(Step(ax, ay), Step(dx, dy))
        seen = min(ax, -ay, dx, dy) >= 1 and lattice.area >= SMALLEST_CELL**2
        if seen and (stack := Stack(two, lattice, kin, side, lean, inset)).fits:
            low, best = wide, stack
        else:
            high = wide - 1
    return best

"""A magnified window beside a grid whose numbers do not fit: the covered cells with their values and factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from convanim.language.numerals import Numerals
from convanim.language.words import Catalogue, say, translate
from convanim.page.page import Page, Place
from convanim.page.seen import Seen
from convanim.scene import Contents
from convanim.scene.frame import Blocks, Cell, Frame, Grid, Link, Outline, Panel, Role

#: The number of placements whose windows are measured: those of an adaptive pooling differ by a cell.
MEASURED = 64
#: The name of a whole plane that is shown at reading size.
WHOLE = "current"
#: The title of a magnified window, of the cell that it writes, and of the windows of a picture's channels.
TITLE, RESULT, CHANNELS = say("window"), say("result"), (say("red"), say("green"), say("blue"))


def magnifying(scene: Contents, places: Mapping[str, Place], words: Catalogue | None = None) -> Contents | None:
    """The scene with its window magnified, if it has a single one, over a grid without numbers; otherwise None."""
    link = _single(scene)
    if link is None or places[link.panel].number or places[link.panel].plain:
        return None
    lenses = _lenses(scene, link, words)
    if not lenses:
        return None
    named = {panel.name: panel for panel in scene.panels}
    first, last = (link.other, link.panel) if link.stamps else (link.panel, link.other)
    between = (*(panel for panel in scene.panels if panel.name not in (first, last)), *lenses)
    ends = named[first], named[last]
    aside, *others = _arranged(ends, between)
    return Seen(scene, aside, tuple(others))


def _single(scene: Contents) -> Link | None:
    """The link of the first placement, if it is the only one, between two panels that appear."""
    if not scene.beats.steps or len(scene.traces[0].axes) < 2:
        return None
    links = scene.links(0)
    names = {panel.name for panel in scene.panels}
    return links[0] if len(links) == 1 and {links[0].panel, links[0].other} <= names else None


def reach(scene: Contents) -> tuple[int, int]:
    """The rows and columns of the largest window."""
    steps = scene.beats.steps
    alike = all(least == most for axis in scene.traces[0].axes for least, most in [axis.sizes])
    some = range(1) if alike else range(0, steps, max(1, steps // MEASURED))
    windows = [found[0].window for n in some if (found := scene.links(n))]
    return max(w.bottom - w.top for w in windows), max(w.right - w.left for w in windows)


def _lenses(scene: Contents, link: Link, words: Catalogue | None = None) -> tuple[Panel, ...]:
    """The magnified window of a link: a panel, one for each channel of a picture, or none for letters."""
    shape = reach(scene)
    (source,) = (panel for panel in scene.panels if panel.name == link.panel)
    if source.colours is not None:
        return tuple(magnifier(source, shape, translate(name, words), i) for i, name in enumerate(CHANNELS))
    return (magnifier(source, shape, translate(TITLE, words)),) if source.numerals.measures else ()


def inset(scene: Contents, link: Link, words: Catalogue | None = None) -> tuple[Panel, ...]:
    """The magnified window of a link, and the cell that it writes unless it is a stamp; none for letters and pictures.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> [(panel.titles, panel.shape) for panel in inset(s, s.links(0)[0])]
        [(('window',), (2, 2)), (('result',), (1, 1))]
    """
    (other,) = (panel for panel in scene.panels if panel.name == link.other)
    lenses = _lenses(scene, link, words)
    if len(lenses) != 1:
        return ()
    return (
        lenses if link.stamps else (*lenses, replace(magnifier(other, (1, 1), translate(RESULT, words)), name=RESULT))
    )


def magnifier(source: Panel, shape: tuple[int, int], title: str, channel: int = -1) -> Panel:
    """The panel of a magnified window, or of one channel of a picture."""
    values, numerals = source.values, source.numerals
    if channel >= 0:
        values = np.array([0, 255])
        numerals = Numerals(values)
    return Panel(
        f"lens {channel}" if channel >= 0 else "lens",
        shape,
        (title,) if source.titles else (),
        numerals,
        values,
        source.notes,
        aside=True,
        shade=source.shade,
        white=source.white,
        group="lens" if channel >= 0 else "",
        magnifies=(source.name, channel),
    )


def _arranged(ends: tuple[Panel, Panel], between: tuple[Panel, ...]) -> Iterator[Blocks]:
    """The kernel and the magnified window between input and output, or below both of them."""
    first, last = ends
    two = tuple(between[i : i + 2] for i in range(0, len(between), 2))
    one = tuple((panel,) for panel in between)
    yield (((first,),), one if len(between) < 4 else two, ((last,),))
    yield (((first, last), between),)
    if len(between) > 2:
        yield (((first,),), two if len(between) < 4 else one, ((last,),))


def magnified(page: Page, frame: Frame) -> Frame:
    """A frame with the contents of the page's magnified windows; nothing is in them if no window lies on the input."""
    lenses = {name: place.panel for name, place in page.places.items() if place.panel.magnifies}
    if not lenses or lenses.keys() <= frame.grids.keys():
        return frame
    grids = dict(frame.grids)
    for name, panel in lenses.items():
        source, channel = panel.magnifies or ("", -1)
        if name == WHOLE:
            grids[name] = frame.grids[_written(page, frame, source)]
            continue
        if name == RESULT:
            windows = (_around(link.cell) for link in frame.links if link.other == source)
        else:
            windows = (link.window for link in frame.links if link.panel == source)
        grids[name] = _enlarged(panel, frame.grids[source], next(windows, None), channel)
    return replace(frame, grids=grids)


def _written(page: Page, frame: Frame, source: str) -> str:
    """The name of the plane that is written, or was written last, of those that belong together with this one."""
    for link in frame.links:
        return link.other
    group = page.places[source].panel.group
    planes = [name for name, place in page.places.items() if place.panel.group == group]
    begun = [name for name in planes if (frame.grids[name].roles != Role.PENDING).any()]
    return begun[-1] if begun else source


def _around(cell: Cell) -> Outline:
    row, column = cell
    return Outline(row, column, row + 1, column + 1, Role.DONE)


def _enlarged(panel: Panel, grid: Grid, window: Outline | None, channel: int) -> Grid:
    """The cells of a grid under a window."""
    roles = np.full(panel.shape, Role.NONE, np.uint8)
    values = np.zeros(panel.shape, grid.values.dtype if channel < 0 else np.int64)
    emphasis = np.zeros(panel.shape, np.uint8)
    if window is None:
        return Grid("", roles, values, emphasis)
    top, left = window.top, window.left
    bottom, right = (min(at) for at in zip(window[2:4], (top + panel.shape[0], left + panel.shape[1]), strict=True))
    under = np.s_[top:bottom, left:right]
    part = np.s_[: bottom - top, : right - left]
    roles[part], emphasis[part] = grid.roles[under], grid.emphasis[under]
    shown = grid.values if channel < 0 or grid.colours is None else grid.colours[..., channel]
    values[part] = shown[under]
    inside = {
        (r - top, c - left): note for (r, c), note in grid.notes.items() if top <= r < bottom and left <= c < right
    }
    outline = Outline(0, 0, bottom - top, right - left, window.role)
    return Grid(panel.titles[0] if panel.titles else "", roles, values, emphasis, inside, (outline,))

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
from convanim.scene.frame import Blocks, Frame, Grid, Link, Outline, Panel, Role

#: The number of placements whose windows are measured: those of an adaptive pooling differ by a cell.
MEASURED = 64
#: The title of a magnified window, and of those of a picture's channels.
TITLE, CHANNELS = say("window"), (say("red"), say("green"), say("blue"))


def magnifying(scene: Contents, places: Mapping[str, Place], words: Catalogue | None = None) -> Contents | None:
    """The scene with its window magnified, if it has a single one, over a grid without numbers; otherwise None."""
    steps = scene.beats.steps
    links = scene.links(0) if steps and len(scene.traces[0].axes) > 1 else ()
    if len(links) != 1:
        return None
    (link,) = links
    named = {panel.name: panel for panel in scene.panels}
    if not {link.panel, link.other} <= named.keys() or places[link.panel].number or places[link.panel].plain:
        return None
    some = range(0, steps, max(1, steps // MEASURED))
    windows = [found[0].window for n in some if (found := scene.links(n))]
    shape = max(w.bottom - w.top for w in windows), max(w.right - w.left for w in windows)
    source = named[link.panel]
    if source.colours is not None:
        lenses = tuple(_lens(source, shape, translate(name, words), i) for i, name in enumerate(CHANNELS))
    elif source.numerals.measures:
        lenses = (_lens(source, shape, translate(TITLE, words)),)
    else:
        return None
    first, last = (link.other, link.panel) if link.stamps else (link.panel, link.other)
    between = (*(panel for panel in scene.panels if panel.name not in (first, last)), *lenses)
    ends = named[first], named[last]
    aside, *others = _arranged(ends, between)
    return Seen(scene, aside, tuple(others))


def _lens(source: Panel, shape: tuple[int, int], title: str, channel: int = -1) -> Panel:
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
        link = next((link for link in frame.links if link.panel == source), None)
        grids[name] = _enlarged(panel, frame.grids[source], link, channel)
    return replace(frame, grids=grids)


def _enlarged(panel: Panel, grid: Grid, link: Link | None, channel: int) -> Grid:
    """The cells of a grid under a window."""
    roles = np.full(panel.shape, Role.NONE, np.uint8)
    values = np.zeros(panel.shape, grid.values.dtype if channel < 0 else np.int64)
    emphasis = np.zeros(panel.shape, np.uint8)
    if link is None:
        return Grid("", roles, values, emphasis)
    top, left = link.window.top, link.window.left
    bottom, right = (
        min(at) for at in zip(link.window[2:4], (top + panel.shape[0], left + panel.shape[1]), strict=True)
    )
    under = np.s_[top:bottom, left:right]
    part = np.s_[: bottom - top, : right - left]
    roles[part], emphasis[part] = grid.roles[under], grid.emphasis[under]
    shown = grid.values if channel < 0 or grid.colours is None else grid.colours[..., channel]
    values[part] = shown[under]
    inside = {
        (r - top, c - left): note for (r, c), note in grid.notes.items() if top <= r < bottom and left <= c < right
    }
    outline = Outline(0, 0, bottom - top, right - left, Role.KERNEL)
    return Grid(panel.titles[0] if panel.titles else "", roles, values, emphasis, inside, (outline,))

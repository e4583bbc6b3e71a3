"""Many channels on one page: what the current sum reads and writes at reading size, and all planes small beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from convanim.language.words import Catalogue, say, translate
from convanim.page.kin import Kin, spacing
from convanim.page.lens import WHOLE, magnifier, reach
from convanim.page.measures import FITTED_FROM, SMALLEST_CELL, Measures
from convanim.page.page import Place
from convanim.page.texts import Text, headed
from convanim.scene import Contents
from convanim.scene.frame import Panel

#: The title of the small planes of the input.
INPUT = say("input")
#: The number of small planes of the output in a row, and the smallest cells with numbers that are tried, px.
ROW, LEAST = 4, 20


@dataclass(frozen=True)
class Parts:
    """The panels of a layer with several channels.

    Attributes:
        planes, windows, kernels: the planes of the input, the magnified windows on them, and their kernels.
        sums: the strip of the channels' sums.
        current: the plane of the output that is written.
        outputs: all planes of the output, if there are several.
    """

    planes: tuple[Panel, ...]
    windows: tuple[Panel, ...]
    kernels: tuple[Panel, ...]
    sums: Panel
    current: Panel
    outputs: tuple[Panel, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them."""
        return (*self.planes, *self.windows, *self.kernels, self.sums, self.current, *self.outputs)


def opened(
    scene: Contents, places: Mapping[str, Place], m: Measures, words: Catalogue | None = None
) -> dict[str, Place] | None:
    """The places of a layer with several channels whose numbers cannot all be read; None if they can, or never could.

    Args:
        places: those in which every plane has the same size.
        words: the catalogue for the titles, if the scene is in another language than English.
    """
    parts = _parts(scene, words)
    if parts is None or not m.style.numbers:
        return None
    usual = [places[p.name] for p in scene.panels if p.name in places]
    if all(place.number for place in usual) or any(place.plain for place in usual):
        return None
    kin = Kin(((parts.panels,),), m)
    rows = [a_row for a_row in range(len(parts.planes), 1, -1) if len(parts.planes) % a_row == 0]
    pitches = range(m.cell, LEAST - 1, -1)
    tables = [_Table(parts, kin, *sizes) for sizes in product(rows, (m.of(28, 10), m.of(14, 6)), pitches)]
    found = [table for table in tables if table.fits]
    if not found:
        return None
    best = max(found, key=lambda table: (table.seen, table.pitch, table.a_row, table.between))
    return {place.panel.name: place for place in best.places()}


def _parts(scene: Contents, words: Catalogue | None) -> Parts | None:
    """The panels, if a sum reads several planes, each with a kernel of its own."""
    if not scene.beats.steps or len(scene.traces[0].axes) != 2:
        return None
    links = scene.links(0)
    named = {panel.name: panel for panel in scene.panels}
    if not links or any(link.stamps or not {link.panel, link.other} <= named.keys() for link in links):
        return None
    read, written = named[links[0].panel], named[links[0].other]
    planes = tuple(p for p in scene.panels if p.group and p.group == read.group)
    outputs = tuple(p for p in scene.panels if p is written or (p.group and p.group == written.group))
    kernels = tuple(p for p in scene.panels if p.shade == "kernel" and p.follows)
    strips = [p for p in scene.panels if p.shade == "product"]
    others = len(planes) + len(outputs) + len(kernels) + len(strips)
    if [p.follows for p in kernels] != [p.name for p in planes] or len(strips) != 1 or others != len(scene.panels):
        return None
    if read.colours is not None or not read.numerals.measures:
        return None
    shape, titled = reach(scene), bool(read.titles)
    windows = tuple(
        replace(magnifier(p, shape, ""), name=f"window {i}", titles=(), notes="", group="window")
        for i, p in enumerate(planes)
    )
    kernels = tuple(replace(p, titles=_heads(p)) for p in kernels)
    small = tuple(
        replace(p, titles=(translate(INPUT, words),) if titled and not i else ()) for i, p in enumerate(planes)
    )
    if len(outputs) == 1:
        return Parts(small, windows, kernels, strips[0], outputs[0], ())
    titles = tuple(title for p in outputs for title in p.titles)
    current = replace(written, name=WHOLE, titles=titles, group="", magnifies=(outputs[0].name, -1))
    return Parts(small, windows, kernels, strips[0], current, tuple(replace(p, titles=()) for p in outputs))


def _heads(panel: Panel) -> tuple[str, ...]:
    """The titles of a panel without what is said about them."""
    heads = (headed(Text(title, 0, 0, 9))[0].text for title in panel.titles)
    return tuple(dict.fromkeys(heads))


@dataclass(frozen=True)
class _Table:
    """The parts with cells of some sizes: columns of plane, window and kernel above the strip, and the output beside.

    Attributes:
        a_row: the number of columns before the next ones stand below them.
        between: the gap between columns, px.
        pitch: the size of the cells that are read, px.
    """

    parts: Parts
    kin: Kin
    a_row: int
    between: int
    pitch: int

    @property
    def _free(self) -> int:
        """The least gap between rows, px."""
        return self.kin.m.of(8, 3)

    @property
    def _fan(self) -> int:
        """The height of the lines from windows to their magnified copies, px."""
        return self.kin.m.of(20, 8)

    @cached_property
    def _column(self) -> int:
        """The width of a column, px."""
        parts, kin = self.parts, self.kin
        read = max(p.shape[1] for p in (parts.windows[0], parts.kernels[0])) * self.pitch
        return max(read, *(kin.title(p) for p in parts.kernels)) + kin.m.of(2)

    @cached_property
    def _small(self) -> int:
        """The size of the small planes' cells, px: as high as the page allows, and no wider than their column."""
        rows, columns = self.parts.planes[0].shape
        high = (self.kin.m.bottom - self.kin.m.top - self._height(0)) // (self._stacked * rows)
        return min(high, self._column // columns)

    @property
    def _stacked(self) -> int:
        return len(self.parts.planes) // self.a_row

    def _height(self, small: int) -> int:
        m, parts = self.kin.m, self.parts
        rows = (
            parts.planes[0].shape[0] * small
            + sum(p.shape[0] for p in (parts.windows[0], parts.kernels[0])) * self.pitch
        )
        lines = 2 * m.title_line + self._fan + 3 * self._free
        return self._stacked * (lines + rows) + m.title_line + self._strip

    @cached_property
    def _strip(self) -> int:
        """The size of the cells of the strip, px: as large as its numbers need."""
        most = 2 * self.pitch
        return next((p for p in range(self.pitch, most) if self.kin.sizes(self.parts.sums, p)[0]), most)

    @property
    def _left(self) -> int:
        wide = self.a_row * (self._column + self.between) - self.between
        return max(wide, self.parts.sums.shape[1] * self._strip)

    @cached_property
    def _written(self) -> tuple[int, int]:
        """The sizes of the cells of the current plane of the output, and of all its planes, px."""
        m, parts = self.kin.m, self.parts
        rows, columns = parts.current.shape
        free = m.room - self._left - 2 * self.between
        high = m.bottom - m.top - m.title_line
        many = -(-len(parts.outputs) // ROW)
        gap = m.of(10, 4)
        current = min(free // columns, m.cell, (high - many * (gap + rows * m.of(9, SMALLEST_CELL))) // rows)
        if not many:
            return current, 0
        wide = min(ROW, len(parts.outputs))
        small = min(
            current // 2,
            (free - (wide - 1) * gap) // (wide * columns),
            ((high - rows * current) // many - gap) // rows,
        )
        return current, small

    @property
    def fits(self) -> bool:
        """Whether everything that is read can be read."""
        parts, kin = self.parts, self.kin
        current, outputs = self._written
        read = (parts.windows[0], self.pitch), (parts.kernels[0], self.pitch), (parts.sums, self._strip)
        small = (self._small, outputs) if parts.outputs else (self._small,)
        return (
            min(small) >= SMALLEST_CELL
            and 5 * current >= 4 * self.pitch
            and all(kin.sizes(panel, pitch)[0] for panel, pitch in (*read, (parts.current, current)))
        )

    @property
    def seen(self) -> bool:
        """Whether the windows on the small planes can be seen at a glance."""
        return 3 * self._small >= self.pitch

    def places(self) -> Iterator[Place]:
        """The places: the output stands at the right, and what is left of the height is shared by the rows."""
        m, parts = self.kin.m, self.parts
        current, outputs = self._written
        rows, columns = parts.current.shape
        right = max(columns * current, self.kin.title(parts.current))
        wide = self._left + 2 * self.between + right
        left = m.left + max(0, (m.room - wide) // 2)
        free = m.bottom - m.top - self._height(self._small)
        more = min(free // (3 * self._stacked + 1), m.of(30, 12))
        y = m.top + (free - 3 * self._stacked * more) // 2
        for first in range(0, len(parts.planes), self.a_row):
            titles = m.title_line, self._fan, m.title_line
            sizes = self._small, self.pitch, self.pitch
            for panels, above, pitch in zip((parts.planes, parts.windows, parts.kernels), titles, sizes, strict=True):
                y += above
                for i, panel in enumerate(panels[first : first + self.a_row]):
                    yield self._place(panel, left + i * (self._column + self.between), y, pitch)
                y += panels[0].shape[0] * pitch + self._free + more
        y += m.title_line
        yield self._place(parts.sums, left, y, self._strip)
        x, many = left + wide - right, -(-len(parts.outputs) // ROW)
        gap = m.of(10, 4)
        high = m.title_line + rows * current + many * (gap + rows * outputs)
        y = m.top + (m.bottom - m.top - high) // 2 + m.title_line
        yield self._place(parts.current, x, y, current)
        y += rows * current + gap
        for i, panel in enumerate(parts.outputs):
            row, column = divmod(i, ROW)
            yield self._place(panel, x + column * (columns * outputs + gap), y + row * (rows * outputs + gap), outputs)

    def _place(self, panel: Panel, x: int, y: int, pitch: int) -> Place:
        place = self.kin.place(panel, x, y, pitch, scaled=False)
        small = panel in self.parts.planes or panel in self.parts.outputs
        return replace(place, plain=True, line=spacing(pitch)) if small and max(panel.shape) < FITTED_FROM else place

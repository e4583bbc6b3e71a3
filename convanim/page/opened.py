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

#: The titles of the small planes of the input, and of kernels below each other.
INPUT, KERNEL = say("input"), say("kernel")
#: The number of small planes of the output in a row, and the smallest cells with numbers that are tried, px.
ROW, LEAST = 4, 20
#: The size of small cells from which on a window is easily followed over them, px.
FOLLOWED = 6


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
    gaps = m.of(28, 10), m.of(14, 6)
    tables = [_Table(parts, kin, *sizes) for sizes in product(rows, gaps, pitches)]
    if len(parts.planes) <= ROW:
        lined = _lined(parts, words)
        tables += [_Lines(lined, Kin(((lined.panels,),), m), 1, *sizes) for sizes in product(gaps, pitches)]
    found = [table for table in tables if table.fits]
    if not found:
        return None
    best = max(found, key=lambda table: (table.seen, table.told_apart, table.pitch, table.a_row, table.between))
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


def _lined(parts: Parts, words: Catalogue | None) -> Parts:
    """The parts with one title above all kernels, which stand below each other."""
    title = (translate(KERNEL, words),)
    kernels = tuple(replace(p, titles=title if p.titles and not i else ()) for i, p in enumerate(parts.kernels))
    return replace(parts, kernels=kernels)


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

    @property
    def _right(self) -> int:
        """The width of the output, px."""
        return max(self.parts.current.shape[1] * self._written[0], self.kin.title(self.parts.current))

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

    @property
    def told_apart(self) -> int:
        """The size of the small planes' cells, px, up to that at which a window can be followed over them."""
        return min(self._small, FOLLOWED)

    def places(self) -> Iterator[Place]:
        """The places: the output stands at the right, and what is left of the height is shared by the rows."""
        m, parts = self.kin.m, self.parts
        left, right = self._edges
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
        yield self._place(parts.sums, left, y + m.title_line, self._strip)
        yield from self._results(right)

    @property
    def _edges(self) -> tuple[int, int]:
        """The left edges of what is read and of the output."""
        m = self.kin.m
        left = m.left + max(0, (m.room - self._left - 2 * self.between - self._right) // 2)
        return left, left + self._left + 2 * self.between

    def _results(self, x: int) -> Iterator[Place]:
        """The plane that is written, with all planes of the output below it."""
        m, parts = self.kin.m, self.parts
        current, outputs = self._written
        rows, columns = parts.current.shape
        gap, many = m.of(10, 4), -(-len(parts.outputs) // ROW)
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


class _Lines(_Table):
    """The parts in lines: plane, window and kernel of each channel beside each other; the strip above the output."""

    @property
    def _high(self) -> int:
        """The height of a line, px."""
        return max(p.shape[0] for p in (self.parts.windows[0], self.parts.kernels[0])) * self.pitch

    @cached_property
    def _small(self) -> int:
        return self._high // self.parts.planes[0].shape[0]

    def _height(self, small: int) -> int:
        return self.kin.m.title_line + len(self.parts.planes) * (self._high + self._free) - self._free

    @cached_property
    def _wides(self) -> tuple[int, int, int]:
        """The widths of a plane, of a window and of a kernel, px."""
        parts = self.parts
        plane = max(parts.planes[0].shape[1] * self._small, self.kin.title(parts.planes[0]))
        read = (p.shape[1] * self.pitch for p in (parts.windows[0], parts.kernels[0]))
        return plane, next(read), max(next(read), self.kin.title(parts.kernels[0]))

    @property
    def _left(self) -> int:
        return sum(self._wides) + 3 * self.between

    @property
    def _above(self) -> int:
        """The height of the strip above the output, px."""
        return self.kin.m.title_line + self._strip + 2 * self._free

    @property
    def _aside(self) -> int:
        """The width of the small planes of the output beside the current one, px."""
        columns = self.parts.current.shape[1]
        return -(-len(self.parts.outputs) // ROW) * (self.kin.m.of(10, 4) + columns * self._written[1])

    @property
    def _right(self) -> int:
        sums = max(self.parts.sums.shape[1] * self._strip, self.kin.title(self.parts.sums))
        return max(super()._right + self._aside, sums)

    @cached_property
    def _written(self) -> tuple[int, int]:
        m, (rows, columns) = self.kin.m, self.parts.current.shape
        high, gap, many = m.bottom - m.top - m.title_line - self._above, m.of(10, 4), len(self.parts.outputs)
        outputs = min(m.of(18, 8), (high // min(ROW, many) - gap) // rows) if many else 0
        free = m.room - self._left - 2 * self.between - -(-many // ROW) * (gap + columns * outputs)
        return min(free // columns, m.cell, high // rows), outputs

    @property
    def fits(self) -> bool:
        """Whether everything that is read can be read."""
        m = self.kin.m
        wide = self._left + 2 * self.between + self._right
        return self._height(0) <= m.bottom - m.top and wide <= m.room and super().fits

    def places(self) -> Iterator[Place]:
        """The places: the lines share what is left of the height."""
        m, parts = self.kin.m, self.parts
        left, right = self._edges
        free = m.bottom - m.top - self._height(0)
        more = min(free // len(parts.planes), m.of(30, 12))
        y = m.top + m.title_line + (free - (len(parts.planes) - 1) * more) // 2
        plane, window, _ = self._wides
        for panels in zip(parts.planes, parts.windows, parts.kernels, strict=True):
            xs = left, left + plane + 2 * self.between, left + plane + window + 3 * self.between
            for panel, x, pitch in zip(panels, xs, (self._small, self.pitch, self.pitch), strict=True):
                yield self._place(panel, x, y, pitch)
            y += self._high + self._free + more
        current, outputs = self._written
        rows, columns = parts.current.shape
        gap = m.of(10, 4)
        high = self._above + m.title_line + rows * current
        y = m.top + (m.bottom - m.top - high) // 2 + m.title_line
        yield self._place(parts.sums, right, y, self._strip)
        y += self._above
        yield self._place(parts.current, right, y, current)
        y = min(y, m.bottom - min(ROW, len(parts.outputs)) * (rows * outputs + gap))
        for i, panel in enumerate(parts.outputs):
            column, row = divmod(i, ROW)
            x = right + columns * (current + column * outputs) + (1 + column) * gap
            yield self._place(panel, x, y + row * (rows * outputs + gap), outputs)

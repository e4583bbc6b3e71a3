"""Slabs: arrays with channels or three axes, shown as planes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.language.numerals import Numerals
from convanim.language.words import join, say
from convanim.layers import Operation
from convanim.scene.frame import Blocks, Panel, Rows

#: The maximum number of planes that can be shown side by side.
MOST = 8
#: The hint if there are more.
FEWER = "use a smaller `input`, or write the numbers with `save('FILE.json')`"


#: The number of planes in a row.
ROW = 4


@dataclass(frozen=True)
class Slab:
    """An array (C, *n) as planes: one per channel, or per slice of three axes.

    Attributes:
        name: the name of its panels, followed by a number if there are several.
        title: the title of its panels.
        channels, sizes: C and n.
        words: names of the channels, such as red, green and blue, instead of their numbers.
        given: whether it is the layer's input, whose planes are titled by channel only.

    Example:
        >>> Slab("stage", "input", 2, (4, 4), given=True).titles
        ('channel 0', 'channel 1')
        >>> Slab("output", "output", 1, (3, 2, 2)).titles
        ('output, slice 0', 'output, slice 1', 'output, slice 2')
        >>> Slab("output", "output", 2, (3, 2, 2)).place(13)
        (3, 0, 1)
    """

    name: str
    title: str
    channels: int
    sizes: tuple[int, ...]
    words: tuple[str, ...] = ()
    given: bool = False

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of each plane; a single axis is one row."""
        rows, columns = (1, *self.sizes)[-2:]
        return rows, columns

    @property
    def deep(self) -> int:
        """The number of slices of each channel."""
        return self.sizes[0] if len(self.sizes) == 3 else 1

    @cached_property
    def count(self) -> int:
        """The number of planes."""
        return self.channels * self.deep

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The panels' names."""
        return (self.name,) if self.count == 1 else tuple(f"{self.name} {i}" for i in range(self.count))

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """The panels' titles."""
        if self.count == 1 and not self.words:
            return (self.title,)
        given = self.given
        words = [w if given else join(" ", [self.title, w]) for w in self.words]
        numbers = map(str, range(self.channels))
        channels = words or [say("channel {n}", n=c) if given else join(" ", [self.title, c]) for c in numbers]
        if self.deep == 1:
            return tuple(channels)
        if self.channels == 1 and not words:
            channels = [""] if given else [self.title]
        slices = [say("slice {n}", n=d) for d in range(self.deep)]
        return tuple(join(", ", [c, s]) if c else s for c in channels for s in slices)

    def panels(self, numerals: Numerals, values: NDArray[Any], notes: str = "", **options: Any) -> tuple[Panel, ...]:
        """A panel for each plane; several are one group."""
        named = zip(self.names, self.titles, strict=True)
        options |= {"group": self.name if self.count > 1 else ""}
        return tuple(Panel(name, self.shape, (title,), numerals, values, notes, **options) for name, title in named)

    def planes(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array (C, *n) as (planes, rows, columns)."""
        return array.reshape(self.count, *self.shape)

    def place(self, number: int) -> tuple[int, int, int]:
        """The plane, row and column of a flat index through all planes."""
        rows, columns = self.shape
        above, column = divmod(int(number), columns)
        plane, row = divmod(above, rows)
        return plane, row, column

    def at(self, cell: Sequence[int]) -> tuple[int, int, int]:
        """The plane, row and column of a cell (channel, *place)."""
        channel, *along = cell
        depth = along[0] if len(along) == 3 else 0
        row, column = (0, *along)[-2:]
        return channel * self.deep + depth, row, column


def wrapped(panels: Sequence[Panel], a_row: int = ROW) -> Rows:
    """Planes in short rows, so that they are drawn large.

    Example:
        >>> [len(row) for row in wrapped(range(8))]
        [4, 4]
    """
    return tuple(tuple(panels[i : i + a_row]) for i in range(0, len(panels), a_row))


def crowded(left: Sequence[Panel], aside: Rows, right: Sequence[Panel]) -> tuple[Blocks, ...]:
    """Alternative arrangements for more planes than one row holds: stacked with the kernels between or beside them.

    Args:
        left, right: the planes that are read and written.
        aside: rows of kernels and other panels.

    Example:
        >>> crowded(range(8), (), [9])
        ((((0, 1, 2, 3), (4, 5, 6, 7), (9,)),), (((0, 1, 2, 3), (4, 5, 6, 7)), ((9,),)))
    """
    if max(len(left), len(right)) <= ROW:
        return ()
    looked_up = [p for row in aside for p in row]
    kernels = [p for p in looked_up if p.shade == "kernel"]
    others = tuple(p for p in looked_up if p.shade != "kernel")
    planes, weights, results = wrapped(left), wrapped(kernels), wrapped(right)
    lined = len(kernels) == len(left)
    above = tuple(row for pair in zip(planes, weights, strict=True) for row in pair) if lined else (*planes, *weights)
    strips = (others,) if others else ()
    under = ((*others, *right),) if len(right) <= ROW else (*strips, *results)
    found: list[Blocks] = [((*above, *under),), (planes, (*weights, *strips, *results))]
    if weights:
        found.append((planes, (*weights, *strips), results))
    return tuple(found)


def check(op: Operation, *slabs: Slab) -> None:
    """Refuse a layer with too many planes to show.

    Raises:
        ConvanimError: the message says which, the hint what would do.
    """
    for slab in slabs:
        if slab.count > MOST:
            what = "slices, padding included" if slab.deep > 1 else "channels"
            told = f"{slab.count} {slab.title} {what}"
            hint = FEWER if slab.deep > 1 else FEWER.replace("a smaller `input`", "fewer channels")
            raise ConvanimError(f"{op} has {told}, but a picture shows at most {MOST}", hint)

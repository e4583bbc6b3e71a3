"""What is on the page at one moment, as data.

Knows grids of (role, value, emphasis), outlines and captions. Must not know colours, pixels or time. Text, raster and
vector renderers draw the same frames, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import product
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from convanim.numerals import MINUS, Numerals
from convanim.words import join

Cells = NDArray[np.uint8]


class Role(IntEnum):
    """What a cell is. Only a theme knows how a role looks."""

    NONE = 0  # not there (yet): the page shows
    DATA = 1
    INSERTED = 2
    PADDING = 3
    CROPPED = 4
    UNUSED = 5
    KERNEL = 6
    PRODUCT = 7
    PENDING = 8  # there, without a value yet
    DONE = 9
    OVERLAP = 10
    COPIED = 11  # padding that holds what a cell of the input holds
    EMPTY = 12  # around the input, and nothing: padding that cannot win, cells beyond the padding


#: Roles of cells that hold no value of their own, or one that does not count: a picture's colour is not shown there.
COLOURLESS = frozenset({Role.NONE, Role.INSERTED, Role.PADDING, Role.CROPPED, Role.UNUSED, Role.PENDING, Role.EMPTY})


class Emphasis(IntEnum):
    """What is happening to a cell just now."""

    NONE = 0
    ACTIVE = 1  # the kernel covers it
    WRITTEN = 2  # it has just got this value
    QUIET = 3  # it has no part in what is looked at
    DIFFERENT = 4  # it differs from the cell that it is compared with


class Turn(IntEnum):
    """How a kernel lies beside the way in which it was given."""

    GIVEN = 0
    MIRRORED = 1  # on the way to being rotated
    ROTATED = 2  # by 180 degrees


class Outline(NamedTuple):
    """A frame around the cells [top:bottom, left:right] of a grid, in the colour of a role.

    Dashed, it is thin and lies inside the cells: what is remembered rather than looked at now, such as the greatest
    value of a window that has gone on. On its way from one place to the next it is `down` and `across` from its cells,
    in cells.
    """

    top: int
    left: int
    bottom: int
    right: int
    role: Role
    dashed: bool = False
    down: float = 0.0
    across: float = 0.0


#: The row and column of a cell, and such cells by panel.
Cell = tuple[int, int]
Places = Mapping[str, tuple[Cell, ...]]


class Link(NamedTuple):
    """A window over one panel, and the cell of another panel that its step writes or reads.

    Attributes:
        panel: the name of the panel with the window.
        window: its outline there.
        cells: each cell that takes part: a dilated kernel leaves gaps. Empty while a stamp has not landed yet.
        other, cell: the panel with the one cell, and that cell.
        stamps: whether values go from the one cell to those of the window, rather than the other way.
        moved: how far the one cell's outline is from its cell while it is on its way, (down, across) in cells.
    """

    panel: str
    window: Outline
    cells: tuple[Cell, ...]
    other: str
    cell: Cell
    stamps: bool = False
    moved: tuple[float, float] = (0.0, 0.0)


class Move(NamedTuple):
    """Values that a step takes over as they are: those of some cells of a panel, to as many places of another one."""

    panel: str
    cells: tuple[Cell, ...]
    other: str
    places: tuple[Cell, ...]


class Float(NamedTuple):
    """A cell on its way, drawn over the grids.

    Attributes:
        panel: the panel among whose cells it is counted, and like whose cells it looks.
        row, column: where it is, in cells of that panel; between two cells, too.
        role, value, emphasis, note, colour: of the cell; `colour` is (red, green, blue) for a picture's own. One of the
            role NONE is no cell but the note alone.
        towards: the panel, row and column to which it is on the way, where that is another panel...
        part: ... and how much of that way it has gone, 0 to 1.
        size: how large it is, 1 for as large as the panel's cells.
        clip: (top, left, bottom, right) in cells of the panel: only that part of it is seen.
        under: the cells of the panel that are there lie over it.
    """

    panel: str
    row: float
    column: float
    role: int
    value: Any
    emphasis: int = 0
    note: str = ""
    colour: tuple[int, int, int] | None = None
    towards: tuple[str, float, float] | None = None
    part: float = 0.0
    size: float = 1.0
    clip: tuple[float, float, float, float] | None = None
    under: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """A place for one grid, kept through the whole animation.

    Attributes:
        name: what the frames call it.
        shape: (rows, columns) in cells, the most that it ever shows.
        titles: every title that it ever has; a wide one may run on over panels
            of the same group and height whose only title is "".
        numerals: how its numbers are written.
        values: every number that it ever shows, for the room they need and the range of a shade.
        notes: the longest small text that its cells ever carry besides the number, "" for none.
        sign: "×" or "=" where one stands between this panel and the one before.
        aside: it is looked up rather than walked over (a kernel, a stamp) and may be drawn smaller.
        shade: the theme's ramp that stands for its values where cells are too small for numbers: "data", "kernel",
            "product" or "done".
        heat: the greatest count that it shows, 0 where it shows no counts: cells of the roles DONE and OVERLAP are then
            filled by their value, from nothing to this, whether or not numbers are written on them.
        colours: (n, 3) uint8, every colour that it ever shows, for a picture in its own colours; None for numbers.
        group: panels of one group share the size of their cells and numbers, and the range of a shade; where numbers
            do not fit in one of them, they go away in all.
        follows: the name of a panel whose size of cells it shares. In the same row it shares the top, too, so that rows
            of cells line up; in another row of the same block the left edge, so that columns do.
        holds: "input" or "output" where it holds that of its layer, or a plane of it.
        layer: of two layers beside each other the one that it belongs to, 0 or 1.
    """

    name: str
    shape: tuple[int, int]
    titles: tuple[str, ...]
    numerals: Numerals
    values: NDArray[Any]
    notes: str = ""
    sign: str = ""
    aside: bool = False
    shade: str = "done"
    heat: int = 0
    colours: NDArray[np.uint8] | None = None
    group: str = ""
    follows: str = ""
    holds: Literal["", "input", "output"] = ""
    layer: int = 0


#: Panels as they stand on the page: rows, read left to right; and such rows side by side.
Rows = tuple[tuple[Panel, ...], ...]
Blocks = tuple[Rows, ...]


class OneBlock:
    """A scene whose panels stand in rows, each over the whole width."""

    rows: Rows

    @property
    def blocks(self) -> Blocks:
        """The rows as the only block."""
        return (self.rows,)


@runtime_checkable
class Rearranged(Protocol):
    """A scene whose panels may stand in other ways, too: on each page in the one that gives the largest cells."""

    @property
    def others(self) -> tuple[Blocks, ...]:
        """The same panels in other arrangements than the usual one."""


def arrangements(scene: object) -> tuple[Blocks, ...]:
    """The ways besides the usual one in which a scene's panels may stand; of most scenes there are none."""
    return scene.others if isinstance(scene, Rearranged) else ()


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """The state of one panel: arrays of the panel's shape, and what is drawn over them.

    Attributes:
        title: one of the panel's.
        roles, values, emphasis: (rows, columns), of each cell.
        notes: the small text of some cells.
        outlines: drawn over the cells, in this order.
        colours: (rows, columns, 3) uint8, of a picture in its own colours; every one is among the panel's. Cells that
            hold a value (not pending, padding, inserted, cropped or unused) are filled with theirs.
        turn: of a kernel.
    """

    title: str
    roles: Cells
    values: NDArray[Any]
    emphasis: Cells
    notes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    outlines: tuple[Outline, ...] = ()
    colours: NDArray[np.uint8] | None = None
    turn: Turn = Turn.GIVEN


@dataclass(frozen=True, slots=True)
class Caption:
    """A line of live arithmetic: `subject = term + term = result   remark`. Any part may be empty.

    `relation` stands before the terms, `outcome` before the result: "=", "≈" where something is rounded, "+=". The
    terms stand between `opens` and `closes`, with `between` them: a sum of products, or `max(1, 5, 3)`.
    """

    subject: str = ""
    terms: tuple[str, ...] = ()
    result: str = ""
    remark: str = ""
    relation: str = "="
    outcome: str = "="
    opens: str = ""
    closes: str = ""
    between: str = " + "

    def text(self, most: int | None = None) -> str:
        """As one line, with at most so many terms: the first ones, an ellipsis and the last.

        Example:
            >>> Caption("y", ("1·2", "3·4", "5·6"), "44").text(2)
            'y = 1·2 + … + 5·6 = 44'
            >>> Caption("y", ("1", "−5"), "1", opens="max(", closes=")", between=", ").text()
            'y = max(1, −5) = 1'
        """
        terms = list(self.terms)
        if most is not None and len(terms) > most:
            terms = [*terms[: max(most - 1, 0)], "…", *terms[-1:]] if most else ["…"]
        line = self.subject
        # A negative number is taken away; as a factor it stands in brackets and stays as it is.
        said = self.between.join(terms).replace(f" + {MINUS}", f" {MINUS} ")
        told = f"{self.opens}{said}{self.closes}" if terms else ""
        for sign, part in ((self.relation, told), (self.outcome, self.result)):
            line += f" {sign} {part}" if line and part else part
        return f"{line}   {self.remark}" if line and self.remark else line + self.remark


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """The page at one moment.

    Attributes:
        phase: which of the scene's phases is current.
        grids: the panels' states, by panel name.
        captions: the scene's caption lines.
        step: the placement shown, counted from 1; 0 before the first one.
        links: which cells the placement joins; none where nothing happens.
        reads, writes: the cells whose values the placement reads, by panel, padding left out, and those that have just
            been written.
        moves: the values that it takes over as they are.
        floats: cells on their way, drawn over the grids in this order. The frames of a scene have none.
    """

    phase: int
    grids: Mapping[str, Grid]
    captions: tuple[Caption, ...]
    step: int = 0
    links: tuple[Link, ...] = ()
    reads: Places = field(default_factory=dict)
    writes: Places = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    floats: tuple[Float, ...] = ()


#: What parts two phases that run at once.
BESIDE = " | "


class Phase(NamedTuple):
    """One phase of an animation.

    Attributes:
        key: what it is, the same in every language: "pad", "slide", "crop", ...
        name, word: it in a few words, and in one.
        beside: what the layer beside it does at the same time.
    """

    key: str
    name: str
    word: str
    beside: Phase | None = None

    @property
    def label(self) -> str:
        """Both in a few words."""
        return join(BESIDE, [self.name, self.beside.name]) if self.beside else self.name

    @property
    def short(self) -> str:
        """Both in a word each."""
        return join(BESIDE, [self.word, self.beside.word]) if self.beside else self.word


class Beats(NamedTuple):
    """How the frames of a scene follow each other: opening, then `steps` placements of `each` frames, then closing.

    `row` is the number of placements in the first row, which is shown step by step however many follow.
    """

    opening: int
    steps: int
    each: int
    closing: int
    row: int

    @property
    def total(self) -> int:
        """The number of frames."""
        return self.opening + self.steps * self.each + self.closing


def lattice(rows: Iterable[int], columns: Iterable[int]) -> tuple[Cell, ...]:
    """The cells in some rows and columns, row by row.

    Example:
        >>> lattice(range(0, 3, 2), range(2))
        ((0, 0), (0, 1), (2, 0), (2, 1))
    """
    return tuple(product(rows, columns))


def placed(links: Iterable[Link], *, written: bool = True, reads: Places | None = None) -> dict[str, Any]:
    """What a placement joins, reads and writes, as the fields of its frame.

    Args:
        links: of the placement.
        written: whether its result is there. A stamp that has not landed has a window without cells.
        reads: instead of all cells under its windows, where some hold padding or zeros that were inserted.

    Example:
        >>> link = Link("canvas", Outline(0, 0, 1, 2, Role.KERNEL), ((0, 0), (0, 1)), "input", (0, 0), stamps=True)
        >>> placed([link])["writes"], placed([link], written=False)["links"][0].cells
        ({'canvas': ((0, 0), (0, 1))}, ())
    """
    links = tuple(links)
    ends = [((link.panel, link.cells), (link.other, (link.cell,)), link.stamps) for link in links]
    return {
        "links": tuple(link if written or not link.stamps else link._replace(cells=()) for link in links),
        "reads": by_panel(one if stamps else many for many, one, stamps in ends) if reads is None else reads,
        "writes": by_panel(many if stamps else one for many, one, stamps in ends) if written else {},
    }


def by_panel(places: Iterable[tuple[str, tuple[Cell, ...]]]) -> Places:
    """Cells of several panels, each once.

    Example:
        >>> by_panel([("stage 0", ((0, 0), (0, 1))), ("stage 1", ((0, 0),)), ("stage 0", ((0, 1),))])
        {'stage 0': ((0, 0), (0, 1)), 'stage 1': ((0, 0),)}
    """
    found: dict[str, dict[Cell, None]] = {}
    for name, cells in places:
        found.setdefault(name, {}).update(dict.fromkeys(cells))
    return {name: tuple(cells) for name, cells in found.items()}


def around(cells: Iterable[Cell], role: Role) -> Outline:
    """The outline around some cells.

    Example:
        >>> around([(0, 1), (2, 4)], Role.KERNEL)[:4]
        (0, 1, 3, 5)
    """
    rows, columns = zip(*cells, strict=True)
    return Outline(min(rows), min(columns), max(rows) + 1, max(columns) + 1, role)


def still(grid: Grid, title: str | None = None, **changes: Any) -> Grid:
    """A grid at rest: no notes, outlines or emphasis but those given."""
    at_rest: dict[str, Any] = {"roles": grid.roles, "values": grid.values, "emphasis": np.zeros_like(grid.roles)}
    at_rest |= {"colours": grid.colours, "turn": grid.turn}
    return Grid(title or grid.title, **{**at_rest, **changes})


def whole(title: str, role: Role, values: NDArray[Any]) -> Grid:
    """A grid whose cells all have one role, at rest."""
    return Grid(title, np.full(values.shape, role, np.uint8), values, np.zeros(values.shape, np.uint8))


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """A spatial array as rows and columns: one axis becomes a single row."""
    return array.reshape(1, -1) if array.ndim == 1 else array

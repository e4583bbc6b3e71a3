"""A frame: the contents of the page at one moment, as data, which text, raster and vector renderers all draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Numerals
from convanim.language.words import join
from convanim.scene.caption import Caption

Cells = NDArray[np.uint8]


class Role(IntEnum):
    """The role of a cell. Only a theme knows how a role looks."""

    NONE = 0  # not there (yet): the page's background shows
    DATA = 1
    INSERTED = 2
    PADDING = 3
    CROPPED = 4
    UNUSED = 5
    KERNEL = 6
    PRODUCT = 7
    PENDING = 8  # there, but without a value yet
    DONE = 9
    OVERLAP = 10
    COPIED = 11  # padding that copies a cell of the input
    EMPTY = 12  # padding without a value: that of a maximum, or cells beyond the padding


#: Roles of cells without a value of their own, or with one that is not used: a picture's colour is not shown there.
COLOURLESS = frozenset({Role.NONE, Role.INSERTED, Role.PADDING, Role.CROPPED, Role.UNUSED, Role.PENDING, Role.EMPTY})


class Emphasis(IntEnum):
    """What is happening to a cell at this moment."""

    NONE = 0
    ACTIVE = 1  # the kernel covers it
    WRITTEN = 2  # it has just received this value
    QUIET = 3  # it takes no part in the placement
    DIFFERENT = 4  # it differs from the corresponding cell of the other layer


class Turn(IntEnum):
    """The orientation of a kernel relative to how it was given."""

    GIVEN = 0
    MIRRORED = 1  # on the way to being rotated
    ROTATED = 2  # by 180 degrees


class Outline(NamedTuple):
    """An outline around the cells [top:bottom, left:right] of a grid, in the colour of a role.

    A dashed outline is thin and lies inside the cells: it marks what is kept, such as the maximum of a window that has
    moved on. While an outline moves, `down` and `across` are its offset in cells.
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
    """A window over one panel, and the cell of another panel that its placement writes or reads.

    Attributes:
        panel: the name of the panel with the window.
        window: the outline of the window.
        cells: the cells under the window that take part (a dilated kernel leaves gaps); empty until a stamp has landed.
        other, cell: the panel of the single cell, and that cell.
        stamps: whether values flow from the single cell to the window, rather than the other way.
        moved: the offset of the single cell's outline while it moves, (down, across) in cells.
    """

    panel: str
    window: Outline
    cells: tuple[Cell, ...]
    other: str
    cell: Cell
    stamps: bool = False
    moved: tuple[float, float] = (0.0, 0.0)


class Move(NamedTuple):
    """Values that a placement copies unchanged: from cells of one panel to as many cells of another."""

    panel: str
    cells: tuple[Cell, ...]
    other: str
    places: tuple[Cell, ...]


class Float(NamedTuple):
    """A moving cell, drawn over the grids.

    Attributes:
        panel: the panel whose coordinates and look it has.
        row, column: its position, in cells of that panel; fractions are allowed.
        role, value, emphasis, note, colour: as for a cell; `colour` is (red, green, blue) for a picture. With the role
            NONE only the note is drawn.
        towards: the panel, row and column that it moves to, if that is another panel.
        part: the fraction of that way it has covered down and across the page, 0 to 1 each.
        turn: the fraction of a turn by 180 degrees about the middle of its panel; its number stays upright.
        clip: (top, left, bottom, right) in cells of the panel: the part of the page in which it is visible.
        under: whether the panel's own cells are drawn over it.
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
    part: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    clip: tuple[float, float, float, float] | None = None
    under: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """A panel, which shows one grid throughout the animation.

    Attributes:
        name: its key in the frames.
        shape: (rows, columns) in cells, the largest that it ever shows.
        titles: every title that it ever has; a wide one may extend over panels
            of the same group and height whose only title is "".
        numerals: the formatting of its numbers.
        values: every number that it ever shows, which determines the size of numbers and the range of a shade.
        notes: the longest small text in any of its cells besides the number, "" for none.
        sign: "×" or "=" if one stands between the panel before and this one.
        aside: whether it is only looked up (a kernel, a stamp) and may be drawn smaller.
        shade: the theme's colour ramp for its values if cells are too small for numbers: "data", "kernel",
            "product" or "done".
        heat: the greatest count that it shows, or 0 if it shows no counts: cells of the roles DONE and OVERLAP are then
            shaded by their value, from 0 to this, whether or not they show numbers.
        white: the value that is white, if it holds the grey values of a picture, or 0: cells too small for numbers
            are then shaded from black to white.
        colours: (n, 3) uint8, every colour that a picture ever shows; None for numbers.
        group: panels of one group share the size of cells and numbers, and the range of a shade; if numbers do not fit
            in one of them, all of them go without.
        follows: the name of a panel whose cell size it shares. In the same row the tops are aligned, too, so that rows
            of cells line up; in another row of the same block the left edges, so that columns do.
        magnifies: for a window that is shown magnified, the name of the panel that it lies on, and the number of a
            picture's channel, or -1.
        holds: "input" or "output" if it shows the layer's input or output, or a plane of it.
        layer: the number of its layer or story if there are two, 0 or 1.
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
    white: int = 0
    colours: NDArray[np.uint8] | None = None
    group: str = ""
    follows: str = ""
    magnifies: tuple[str, int] | None = None
    holds: Literal["", "input", "output"] = ""
    layer: int = 0


#: The arrangement of panels on the page: rows, read left to right, and blocks of such rows side by side.
Rows = tuple[tuple[Panel, ...], ...]
Blocks = tuple[Rows, ...]


def panels_of(blocks: Blocks) -> tuple[Panel, ...]:
    """All panels of some blocks, block by block and row by row."""
    return tuple(panel for block in blocks for row in block for panel in row)


def in_rows(panels: tuple[Panel, ...], axes: int) -> Blocks:
    """Panels in a single row, or for a layer of one axis, whose grids are long strips, each in a row of its own."""
    return ((panels,),) if axes > 1 else (tuple((panel,) for panel in panels),)


def arrangements(scene: object) -> tuple[Blocks, ...]:
    """The alternative arrangements of a scene's panels, its `others`; each page uses the one with the largest cells.

    Most scenes have none.
    """
    others: tuple[Blocks, ...] = getattr(scene, "others", ())
    return others


def stories(scene: object) -> tuple[str, ...]:
    """The titles of the stories that a scene tells at once, from top to bottom; most scenes tell one, without a title.

    Each has rows of its own: the panels of the second are of layer 1. The scene has one caption for each, and one for
    both.
    """
    titles: tuple[str, ...] = getattr(scene, "stories", ())
    return titles


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """The state of a panel: arrays of the panel's shape, and what is drawn over them.

    Attributes:
        title: one of the panel's titles.
        roles, values, emphasis: (rows, columns), one entry for each cell.
        notes: the small text in some cells.
        outlines: drawn over the cells, in this order.
        colours: (rows, columns, 3) uint8, for a picture in its own colours, which are among the panel's. Cells that
            hold a value (not pending, padding, inserted, cropped or unused) are filled with them.
        turn: the orientation of a kernel.
    """

    title: str
    roles: Cells
    values: NDArray[Any]
    emphasis: Cells
    notes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    outlines: tuple[Outline, ...] = ()
    colours: NDArray[np.uint8] | None = None
    turn: Turn = Turn.GIVEN


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """The contents of the page at one moment.

    Attributes:
        phase: the number of the scene's current phase.
        grids: the states of the panels, by name.
        captions: the scene's caption lines.
        step: the placement that is shown, counted from 1; 0 before the first one.
        links: the cells that the placement links; none if nothing happens.
        reads, writes: the cells that the placement reads, except padding, and has just written, by panel.
        moves: the values that it copies unchanged.
        floats: moving cells, drawn over the grids in this order. The frames of a scene have none.
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


#: The separator of two simultaneous phases.
BESIDE = " | "


class Phase(NamedTuple):
    """One phase of an animation.

    Attributes:
        key: its name in every language: "pad", "slide", "crop", ...
        name, word: its name in the animation's language, in a few words and in one.
        beside: the simultaneous phase of the layer beside it.
    """

    key: str
    name: str
    word: str
    beside: Phase | None = None

    @property
    def label(self) -> str:
        """The names of both phases in a few words."""
        return join(BESIDE, [self.name, self.beside.name]) if self.beside else self.name

    @property
    def short(self) -> str:
        """The names of both phases in one word each."""
        return join(BESIDE, [self.word, self.beside.word]) if self.beside else self.word


class Beats(NamedTuple):
    """The sequence of a scene's frames: opening, then `steps` placements of `each` frames, then closing.

    `row` is the number of placements in the first row, which are shown one by one however many follow.
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
    """The links, reads and writes of a placement, as the fields of its frame.

    Args:
        links: the links of the placement.
        written: whether its result is there. The window of a stamp that has not landed has no cells.
        reads: replaces all cells under the windows, if some of them are padding or inserted zeros.

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
    """Merge the cells of several panels, each cell once.

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
    """A grid at rest, without notes, outlines or emphasis unless given."""
    at_rest: dict[str, Any] = {"roles": grid.roles, "values": grid.values, "emphasis": np.zeros_like(grid.roles)}
    at_rest |= {"colours": grid.colours, "turn": grid.turn}
    return Grid(title or grid.title, **{**at_rest, **changes})


def whole(title: str, role: Role, values: NDArray[Any]) -> Grid:
    """A grid at rest whose cells all have one role."""
    return Grid(title, np.full(values.shape, role, np.uint8), values, np.zeros(values.shape, np.uint8))


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """A spatial array as rows and columns: a single axis becomes one row."""
    return array.reshape(1, -1) if array.ndim == 1 else array

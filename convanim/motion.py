"""What moves from one frame to the next: the frames on the way between two frames of a scene.

Knows frames, and reads off two of them what has moved: cells that spread, rings that grow, a kernel that turns, windows
that slide, values that land. Must not know scenes of any kind, colours, pixels or files.

Scenes do not say what moves. Two frames that differ in a way that is none of these have nothing in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from math import cos, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.scene.frame import Caption, Emphasis, Float, Frame, Grid, Outline, Role, still
from convanim.timeline import TURN, Shot, eased

#: More cells than these are not moved one by one: nobody could follow them, and they take time to draw.
MOST = 400

Floats = tuple[Float, ...]
#: What moves, given the part of the way, 0 to 1.
Moving = Callable[[float], Floats]
Mask = NDArray[np.bool_]


def moving(frame: Callable[[int], Frame], shots: Sequence[Shot], tick: int) -> Iterator[tuple[Frame, int]]:
    """The frames that are shown, with those on the way between them, and for how many ms each.

    Args:
        frame: the frame of a number.
        shots: which frames, and how long; what is on the way takes its time from the frame that it leads to.
        tick: ms of a frame on the way; 0 for none.
    """
    before: Frame | None = None
    at = 0
    while at < len(shots):
        here, time = frame(shots[at].frame), shots[at].milliseconds
        words: tuple[Caption, ...] | None = None
        most = None
        if tick and before is not None and at + 1 < len(shots) and _retitled(before, here):
            after = frame(shots[at + 1].frame)
            if _half_turned(before, here, after):  # the turn is one motion, however many frames tell of it
                words, most = here.captions, TURN
                here, time, at = after, time + shots[at + 1].milliseconds, at + 1
        parts = eased(time, tick, *([most] if most else [])) if tick and before is not None else []
        tween = Tween(before, here) if before is not None and parts else None
        if tween and tween.moves:
            for part in parts:
                way = tween.frame(part)
                yield (replace(way, captions=words) if words and part < 0.5 else way), tick
            time -= tick * len(parts)
        yield here, time
        before, at = here, at + 1


class Tween:
    """The way from one frame to another.

    The words are those of the frame that it leads to. What is written there is written when it gets there.

    Args:
        before, after: two frames of one scene.

    Attributes:
        moves: whether there is anything to see on the way.
    """

    def __init__(self, before: Frame, after: Frame) -> None:
        self.before, self.after = before, after
        self._grids: dict[str, Grid] = dict(after.grids)
        self._moving: list[Moving] = []
        self._slides: dict[str, list[tuple[Outline, float, float]]] = {}
        for name, grid in after.grids.items():
            then = before.grids.get(name)
            if then is not None and then is not grid and then.roles.shape == grid.roles.shape:
                self._panel(name, then, grid)
        for flight in (self._stamp(), self._carried()):
            if flight:
                self._moving.append(flight)
        self.moves = bool(self._moving or self._slides)
        if self.moves:
            for name, grid in self._grids.items():
                if name in before.grids:
                    self._grids[name] = _not_yet(before.grids[name], grid)

    def frame(self, part: float) -> Frame:
        """The frame at a part of the way: the first of the two at 0, the other at 1."""
        if part <= 0:
            return self.before
        if part >= 1 or not self.moves:
            return self.after
        grids = dict(self._grids)
        for name, slides in self._slides.items():
            on_way = tuple(o._replace(down=d * (part - 1), across=a * (part - 1)) for o, d, a in slides)
            grids[name] = replace(grids[name], outlines=on_way)
        floats = tuple(f for moving in self._moving for f in moving(part))
        return replace(self.after, grids=grids, floats=floats)

    # What happens inside a panel.

    def _panel(self, name: str, then: Grid, now: Grid) -> None:
        turned = then.title != now.title and _turned(then, now)
        if turned and 1 < now.roles.size <= MOST:
            empty = np.full_like(now.roles, Role.NONE)
            self._grids[name] = still(now, title=then.title, roles=empty)
            self._moving.append(lambda part: _turning(name, then, part))
            return
        spread = _spread(then, now)
        if spread:
            self._grids[name] = replace(now, roles=np.full_like(now.roles, Role.NONE), notes={})
            rows, columns = spread
            self._moving.append(lambda part: _spreading(name, now, rows, columns, part))
            return
        new = (then.roles == Role.NONE) & (now.roles != Role.NONE)
        if new.any() and (ring := _ring(then, now)) and new.sum() <= MOST:
            notes = {cell: note for cell, note in now.notes.items() if not new[cell]}
            self._grids[name] = replace(now, roles=np.where(new, Role.NONE, now.roles).astype(np.uint8), notes=notes)
            self._moving.append(lambda part: _growing(name, now, new, ring, part))
        self._slide(name, then, now)

    def _slide(self, name: str, then: Grid, now: Grid) -> None:
        """Outlines that have gone on, and the light under the kernel's."""
        stay = set(then.outlines) & set(now.outlines)
        came = [o for o in then.outlines if o not in stay and not o.dashed]
        slides: list[tuple[Outline, float, float]] = []
        for outline in now.outlines:
            down = across = 0
            start = next((o for o in came if outline not in stay and not outline.dashed and _alike(o, outline)), None)
            if start:
                came.remove(start)
                down, across = outline.top - start.top, outline.left - start.left
                if outline.role == Role.KERNEL:
                    self._light(name, then, now, outline, (down, across))
            slides.append((outline, down, across))
        if any(down or across for _, down, across in slides):
            self._slides[name] = slides

    def _light(self, name: str, then: Grid, now: Grid, window: Outline, moved: tuple[int, int]) -> None:
        """The cells under a window are lit as it passes over them, a part of a cell at a time."""
        down, across = moved
        lit, was = now.emphasis == Emphasis.ACTIVE, then.emphasis == Emphasis.ACTIVE
        box = np.s_[window.top : window.bottom, window.left : window.right]
        from_box = np.s_[window.top - down : window.bottom - down, window.left - across : window.right - across]
        under = lit[box]
        inside = under.sum() == lit.sum() and was[from_box].sum() == was.sum()
        if not lit.any() or not inside or not np.array_equal(under, was[from_box]) or 4 * under.sum() > MOST:
            return
        notes = {cell: note for cell, note in now.notes.items() if not lit[cell]}
        calm = np.where(lit, Emphasis.NONE, now.emphasis).astype(np.uint8)
        self._grids[name] = replace(self._grids[name], emphasis=calm, notes=notes)
        # A window without gaps is one light; of one with gaps each tap is.
        taps = [(0, 0, *under.shape)] if under.all() else [(r, c, r + 1, c + 1) for r, c in np.argwhere(under).tolist()]

        def lights(part: float) -> Floats:
            top, left = window.top + down * (part - 1), window.left + across * (part - 1)
            return tuple(
                _cell(name, now, r, c, emphasis=Emphasis.ACTIVE, clip=clip)
                for clip in ((top + t[0], left + t[1], top + t[2], left + t[3]) for t in taps)
                for r, c in _touched(clip, now.roles.shape)
            )

        self._moving.append(lights)

    # What goes from panel to panel.

    @cached_property
    def _new(self) -> dict[str, list[tuple[int, int]]]:
        """The cells of each panel that the frame has just written."""
        found = {}
        for name, grid in self.after.grids.items():
            if name in self.before.grids and grid is not self.before.grids[name]:
                new = _written(self.before.grids[name], grid)
                if new.any():
                    found[name] = [(r, c) for r, c in np.argwhere(new).tolist()]
        return found

    def _stamp(self) -> Moving | None:
        """A product that lands on the canvas where it is added."""
        products = [name for name, g in self.after.grids.items() if (g.roles == Role.PRODUCT).all()]
        if len(products) != 1:
            return None
        name, stamp = products[0], self.after.grids[products[0]]
        found = [n for n, c in self._new.items() if n != name and len(c) == stamp.roles.size and self._window(n)]
        if len(found) != 1 or stamp.roles.size > MOST:
            return None
        canvas, cells = found[0], self._new[found[0]]
        start = [(r, c) for r in range(stamp.roles.shape[0]) for c in range(stamp.roles.shape[1])]
        return lambda part: tuple(
            _cell(name, stamp, *at, towards=(canvas, *to), part=part) for at, to in zip(start, cells, strict=True)
        )

    def _window(self, name: str) -> bool:
        return any(o.role == Role.KERNEL for o in self.after.grids[name].outlines)

    def _carried(self) -> Moving | None:
        """A value that is taken over as it is: a maximum, or a cell that is put in its place."""
        # Where there is a kernel, values are multiplied: those that a factor of one leaves alone are no exception.
        if len(self._new) != 1 or any("kernel" in name for name in self.after.grids):
            return None
        ((target, cells),) = self._new.items()
        marked = [
            (name, o)
            for name, grid in self.after.grids.items()
            for o in grid.outlines
            if name != target and not o.dashed and (o.bottom - o.top, o.right - o.left) == (1, 1)
        ]
        if len(cells) != 1 or len(marked) != 1:
            return None
        name, mark = marked[0]
        source, (cell,) = self.after.grids[name], cells
        if source.values[mark.top, mark.left] != self.after.grids[target].values[cell]:
            return None
        role = self.after.grids[target].roles[cell]
        return lambda part: (
            _cell(name, source, mark.top, mark.left, role=int(role), towards=(target, *cell), part=part),
        )


def _cell(name: str, grid: Grid, row: int, column: int, at: tuple[float, float] | None = None, **more: Any) -> Float:
    """A cell of a grid as one that floats, at its own place or another."""
    colour = None
    if grid.colours is not None:
        red, green, blue = grid.colours[row, column].tolist()
        colour = (red, green, blue)
    where: tuple[float, float] = at or (row, column)
    role = more.pop("role", int(grid.roles[row, column]))
    return Float(name, where[0], where[1], role, grid.values[row, column], colour=colour, **more)


def _written(then: Grid, now: Grid) -> Mask:
    """The cells that have just been written, and were not so before."""
    new: Mask = now.emphasis == Emphasis.WRITTEN
    if then.roles.shape != new.shape or not new.any():
        return np.zeros_like(new)
    same: Mask = (then.emphasis == Emphasis.WRITTEN) & (then.roles == now.roles) & (then.values == now.values)
    new &= ~same
    return new


def _not_yet(then: Grid, now: Grid) -> Grid:
    """A grid in which what is written is not there yet."""
    new = _written(then, now)
    if not new.any():
        return now
    notes = {cell: note for cell, note in now.notes.items() if not new[cell]}
    notes |= {cell: note for cell, note in then.notes.items() if new[cell]}
    colours = now.colours
    if colours is not None and then.colours is not None:
        colours = np.where(new[..., None], then.colours, colours)
    return replace(
        now,
        roles=np.where(new, then.roles, now.roles),
        values=np.where(new, then.values, now.values),
        emphasis=np.where(new, then.emphasis, now.emphasis),
        notes=notes,
        colours=colours,
    )


# Sliding.


def _alike(a: Outline, b: Outline) -> bool:
    """Whether an outline may be another one that has moved."""
    return a.role == b.role and (a.bottom - a.top, a.right - a.left) == (b.bottom - b.top, b.right - b.left)


def _touched(clip: tuple[float, float, float, float], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The cells of a grid that a rectangle covers at least a part of."""
    top, left, bottom, right = clip
    rows = range(max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom))))
    columns = range(max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right))))
    return [(r, c) for r in rows for c in columns]


# Spreading.


def _spread(then: Grid, now: Grid) -> tuple[tuple[Any, Any], tuple[Any, Any]] | None:
    """Where the rows and the columns of an input stood, and where they stand, if it has been spread."""
    if not (now.roles == Role.INSERTED).any() or now.roles.size > MOST:
        return None
    places = []
    for grid in (then, now):
        data = grid.roles == Role.DATA
        rows, columns = np.flatnonzero(data.any(axis=1)), np.flatnonzero(data.any(axis=0))
        present = _hull(grid.roles != Role.NONE)
        if not len(rows) or not data[np.ix_(rows, columns)].all():
            return None
        if present != (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1):
            return None  # something lies around it that would have to move, too
        places.append((rows, columns))
    (a, b), (c, d) = places
    if len(a) != len(c) or len(b) != len(d) or (np.array_equal(a, c) and np.array_equal(b, d)):
        return None
    if not np.array_equal(then.values[np.ix_(a, b)], now.values[np.ix_(c, d)]):
        return None
    return (a, c), (b, d)


def _spreading(name: str, now: Grid, rows: tuple[Any, Any], columns: tuple[Any, Any], part: float) -> Floats:
    """The cells of the spread input on their way; the zeros come out from under the values."""
    found = []
    for r, c in np.argwhere(now.roles != Role.NONE).tolist():
        start = [float(np.interp(n, there, here)) for n, (here, there) in ((r, rows), (c, columns))]
        at = (start[0] + (r - start[0]) * part, start[1] + (c - start[1]) * part)
        found.append((int(r in rows[1]) + int(c in columns[1]), _cell(name, now, r, c, at=at)))
    return tuple(f for _, f in sorted(found, key=lambda pair: pair[0]))


# Growing.

Box = tuple[int, int, int, int]


def _hull(there: Mask) -> Box | None:
    """The rectangle (top, left, bottom, right) that cells fill, or None if they fill none."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return (top, left, bottom, right) if there[top:bottom, left:right].all() else None


def _ring(then: Grid, now: Grid) -> tuple[Box, Box] | None:
    """The rectangle that was there and the one around it that has come, if this is all that has come."""
    inner, outer = _hull(then.roles != Role.NONE), _hull(now.roles != Role.NONE)
    if not inner or not outer:
        return None
    around = outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    return (inner, outer) if around else None


def _growing(name: str, now: Grid, new: Mask, ring: tuple[Box, Box], part: float) -> Floats:
    """The cells of a ring that come out from under what it lies around."""
    inner, outer = ring
    floats = []
    for r, c in np.argwhere(new).tolist():
        at, low, high = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
        for axis, n in ((0, r), (1, c)):
            first, last, start, stop = inner[axis], inner[axis + 2], outer[axis], outer[axis + 2]
            hidden = (first - start) if n < first else (last - stop) if n >= last else 0
            at[axis] = n + hidden * (1 - part)
            low[axis], high[axis] = (start, first) if n < first else (last, stop) if n >= last else (first, last)
        note, clip = now.notes.get((r, c), ""), (low[0], low[1], high[0], high[1])
        floats.append(_cell(name, now, r, c, at=(at[0], at[1]), note=note, clip=clip, under=True))
    return tuple(floats)


# Turning.


def _turned(then: Grid, now: Grid) -> bool:
    kernels = (then.roles == Role.KERNEL).all() and (now.roles == Role.KERNEL).all()
    return bool(kernels and np.array_equal(then.values[::-1, ::-1], now.values))


def _retitled(before: Frame, after: Frame) -> list[str]:
    """The kernels whose titles have changed."""
    both = before.grids.keys() & after.grids.keys()
    panels = [(name, before.grids[name], after.grids[name]) for name in sorted(both)]
    return [name for name, then, now in panels if then.title != now.title and (now.roles == Role.KERNEL).all()]


def _half_turned(before: Frame, here: Frame, after: Frame) -> bool:
    """Whether a kernel that is turned between two frames is mirrored in the one between them."""
    return any(
        name in _retitled(before, here)
        and name in _retitled(before, after)
        and _turned(before.grids[name], after.grids[name])
        and np.array_equal(before.grids[name].values[:, ::-1], here.grids[name].values)
        for name in _retitled(here, after)
    )


def _turning(name: str, then: Grid, part: float) -> Floats:
    """The cells of a kernel on their way around its middle: upright, apart from each other, and inside the panel."""
    turn = part * pi
    along, aside = cos(turn), sin(turn)
    high, wide = then.roles.shape
    middle = (high - 1) / 2, (wide - 1) / 2
    larger = max(abs(along), abs(aside))
    reach = [abs(along) * middle[i] + abs(aside) * middle[1 - i] + larger / 2 for i in (0, 1)]
    near = min(high / 2 / reach[0], wide / 2 / reach[1])
    size = near * larger
    floats = []
    for r in range(high):
        for c in range(wide):
            down, across = (r - middle[0]) * near, (c - middle[1]) * near
            at = (across * aside + down * along, across * along - down * aside)
            place = (high / 2 + at[0] - size / 2, wide / 2 + at[1] - size / 2)
            floats.append(_cell(name, then, r, c, at=place, size=size))
    return tuple(floats)

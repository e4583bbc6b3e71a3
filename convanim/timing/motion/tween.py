"""Tweens: the motion between two frames, found by comparing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from convanim.scene.frame import Cell, Emphasis, Float, Frame, Grid, Link, Move, Outline, Role, Turn, still
from convanim.timing.motion import paths
from convanim.timing.motion.paths import MOST, Floats, Route

#: The moving cells at a fraction of the way, 0 to 1.
Moving = Callable[[float], Floats]
Mask = NDArray[np.bool_]


class Tween:
    """The motion from one frame to another.

    Its texts are those of the second frame, and what that frame writes appears at the end.

    Args:
        before, after: two frames of one scene.

    Attributes:
        moves: whether anything moves.
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
        self._new = self._came()
        for move in after.moves:
            if len(move.cells) <= MOST and self._new.get(move.other, set()).issuperset(move.places):
                route = paths.route(move.cells, move.places)
                if route:
                    self._moving.append(self._fly(move, route))
        self.moves = bool(self._moving or self._slides)
        if self.moves:
            for name, grid in self._grids.items():
                if name in before.grids:
                    self._grids[name] = _not_yet(before.grids[name], grid)

    def frame(self, part: float) -> Frame:
        """The frame at a fraction of the way: the first frame at 0, the second at 1."""
        if part <= 0:
            return self.before
        if part >= 1 or not self.moves:
            return self.after
        grids = dict(self._grids)
        for name, slides in self._slides.items():
            on_way = tuple(o._replace(down=d * (part - 1), across=a * (part - 1)) for o, d, a in slides)
            grids[name] = replace(grids[name], outlines=on_way)
        floats = tuple(f for moving in self._moving for f in moving(part))
        links = tuple(self._link(link, part) for link in self.after.links)
        return replace(self.after, grids=grids, floats=floats, links=links)

    def _link(self, link: Link, part: float) -> Link:
        """A moving link, without the cells that its stamp has not reached yet."""
        cells = tuple(cell for cell in link.cells if cell not in self._new.get(link.panel, ()))
        down, across = self._way(link.panel, link.window[:4], part)
        window = link.window._replace(down=down, across=across)
        row, column = link.cell
        moved = self._way(link.other, (row, column, row + 1, column + 1), part)
        return link._replace(window=window, cells=cells, moved=moved)

    def _way(self, name: str, box: tuple[int, ...], part: float) -> tuple[float, float]:
        """The offset of the outline around some cells."""
        slides = self._slides.get(name, ())
        down, across = next(((d, a) for o, d, a in slides if o[:4] == box and not o.dashed), (0, 0))
        return down * (part - 1), across * (part - 1)

    # Motion within a panel.

    def _panel(self, name: str, then: Grid, now: Grid) -> None:
        if (then.turn, now.turn) == (Turn.GIVEN, Turn.ROTATED) and 1 < now.roles.size <= MOST:
            empty = np.full_like(now.roles, Role.NONE)
            self._grids[name] = replace(still(now, roles=empty), title="")  # its corners pass over the title
            self._moving.append(lambda part: paths.turning(name, then, part))
            return
        spread = paths.spread(then, now)
        if spread:
            self._grids[name] = replace(now, roles=np.full_like(now.roles, Role.NONE), notes={})
            rows, columns = spread
            self._moving.append(lambda part: paths.spreading(name, now, rows, columns, part))
            return
        new = (then.roles == Role.NONE) & (now.roles != Role.NONE)
        if new.any() and (ring := paths.ring(then, now)) and new.sum() <= MOST:
            notes = {cell: note for cell, note in now.notes.items() if not new[cell]}
            self._grids[name] = replace(now, roles=np.where(new, Role.NONE, now.roles).astype(np.uint8), notes=notes)
            self._moving.append(lambda part: paths.growing(name, now, new, ring, part))
        self._slide(name, then, now)

    def _slide(self, name: str, then: Grid, now: Grid) -> None:
        """Outlines that have moved, and the light under the kernel's outline."""
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
        """The cells under a window light up as it passes over them, a fraction of a cell at a time."""
        down, across = moved
        lit, was = now.emphasis == Emphasis.ACTIVE, then.emphasis == Emphasis.ACTIVE
        box = np.s_[window.top : window.bottom, window.left : window.right]
        from_box = np.s_[window.top - down : window.bottom - down, window.left - across : window.right - across]
        under = lit[box]
        inside = under.sum() == lit.sum() and was[from_box].sum() == was.sum()
        if not lit.any() or not inside or not np.array_equal(under, was[from_box]) or 4 * under.sum() > MOST:
            return
        # The kernel's factors move along a row; on the way to another row they would cross the numbers.
        own = {c: n for c, n in now.notes.items() if lit[c] and then.notes.get((c[0], c[1] - across)) == n and not down}
        # Other notes belong to the cell and stay.
        stay = {c: n for c, n in now.notes.items() if then.notes.get(c) == n and not (lit[c] and was[c])}
        notes = {cell: note for cell, note in now.notes.items() if not lit[cell] or cell in stay}
        calm = np.where(lit, Emphasis.NONE, now.emphasis).astype(np.uint8)
        self._grids[name] = replace(self._grids[name], emphasis=calm, notes=notes)
        # A window without gaps is a single light; in one with gaps each tap is.
        taps = [(0, 0, *under.shape)] if under.all() else [(r, c, r + 1, c + 1) for r, c in np.argwhere(under).tolist()]

        def lights(part: float) -> Floats:
            back = down * (part - 1), across * (part - 1)
            top, left = window.top + back[0], window.left + back[1]
            lit_now = tuple(
                paths.cell(name, now, r, c, emphasis=Emphasis.ACTIVE, clip=clip, note=stay.get((r, c), ""))
                for clip in ((top + t[0], left + t[1], top + t[2], left + t[3]) for t in taps)
                for r, c in paths.touched(clip, now.roles.shape)
            )
            return lit_now + tuple(
                Float(name, r + back[0], c + back[1], Role.NONE, 0, Emphasis.ACTIVE, n) for (r, c), n in own.items()
            )

        self._moving.append(lights)

    # Motion between panels.

    def _came(self) -> dict[str, set[Cell]]:
        """The cells that the second frame has written and the first had not, by panel."""
        found = {}
        for name, cells in self.after.writes.items():
            if name in self.before.grids:
                new = _written(self.before.grids[name], self.after.grids[name])
                found[name] = {cell for cell in cells if new[cell]}
        return found

    def _fly(self, move: Move, route: Route) -> Moving:
        """Values that move to where they are copied, with the look of the target; products look like products."""
        source, target = self.after.grids[move.panel], self.after.grids[move.other]
        ways = [
            (cell, to, source.roles[cell] if source.roles[cell] == Role.PRODUCT else target.roles[to])
            for cell, to in zip(move.cells, move.places, strict=True)
        ]
        return lambda part: tuple(
            paths.cell(move.panel, source, *cell, role=int(role), towards=(move.other, *to), part=route(part))
            for cell, to, role in ways
        )


def _written(then: Grid, now: Grid) -> Mask:
    """The cells that have just been written, and were not before."""
    new: Mask = now.emphasis == Emphasis.WRITTEN
    if then.roles.shape != new.shape or not new.any():
        return np.zeros_like(new)
    same: Mask = (then.emphasis == Emphasis.WRITTEN) & (then.roles == now.roles) & (then.values == now.values)
    new &= ~same
    return new


def _not_yet(then: Grid, now: Grid) -> Grid:
    """A grid without the cells that have just been written."""
    new = _written(then, now)
    if not new.any():
        return now
    # What the first frame has written is no longer new.
    old = then.emphasis == Emphasis.WRITTEN
    held = np.where(old & (then.roles == Role.OVERLAP), Role.DONE, then.roles)
    notes = {cell: note for cell, note in now.notes.items() if not new[cell]}
    notes |= {cell: note for cell, note in then.notes.items() if new[cell] and not old[cell]}
    colours = now.colours
    if colours is not None and then.colours is not None:
        colours = np.where(new[..., None], then.colours, colours)
    return replace(
        now,
        roles=np.where(new, held, now.roles).astype(np.uint8),
        values=np.where(new, then.values, now.values),
        emphasis=np.where(new, np.where(old, Emphasis.NONE, then.emphasis), now.emphasis).astype(np.uint8),
        notes=notes,
        colours=colours,
    )


def _alike(a: Outline, b: Outline) -> bool:
    """Whether an outline may be another one that has moved."""
    return a.role == b.role and (a.bottom - a.top, a.right - a.left) == (b.bottom - b.top, b.right - b.left)

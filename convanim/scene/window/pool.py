"""Pooling: a window slides, and reduces the cells under it to their maximum, mean or norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.explanation.arithmetic import sides
from convanim.language.words import join, plural, rejoin, say
from convanim.layers import times
from convanim.scene.caption import Caption
from convanim.scene.captions import combined, detail, output_cell, place, size_formula
from convanim.scene.frame import (
    Cells,
    Frame,
    Outline,
    Phase,
    Role,
)
from convanim.scene.window.stage import layers, roles
from convanim.scene.window.window import SURVEYED, Seen, Where, WindowScene
from convanim.trace import PoolTrace, Step
from convanim.trace.taps import Ints

#: The phase of each kind of pooling.
WALKS = {
    "max": say("slide and take the maximum"),
    "mean": say("slide and take the mean"),
    "norm": say("slide and take the norm"),
}
#: The remark for padding under the window of a mean that includes it.
COUNTS = plural("{n} cell of padding counts as a zero", "{n} cells of padding count as zeros")
#: Up to this many output cells have room for the place of their maximum on every usual page.
NOTED = 16


class PoolScene(WindowScene):
    """A window slides and leaves one value; the positions of maxima stay marked in the input and the output.

    Args:
        trace: of a pooling in gather order.
        words: the names of the channels.

    Raises:
        ConvanimError: too many planes to show.
    """

    trace: PoolTrace

    def __init__(self, trace: PoolTrace, words: Sequence[str] = ()) -> None:
        self._max = trace.op.combine == "max"
        self._counts = trace.op.counts_padding
        # The flat indices of the maxima through all planes; -1 for none.
        sizes = trace.x.shape[1:]
        self._notes_kept: list[str] = []
        if self._max:
            where = trace.where.reshape(-1)
            self._won = np.stack(np.unravel_index(np.maximum(where, 0), sizes), axis=-1)
            self._none = where < 0
            if len(trace) <= SURVEYED and not words:  # in colours there is no number to stand under
                won = zip(self._won.tolist(), self._none.tolist(), strict=True)
                self._notes_kept = ["" if none else place(cell) for cell, none in won]
        super().__init__(trace, words)

    def _detail(self) -> str:
        op = self.trace.op
        more = [f"p = {op.power:g}"] * (op.combine == "norm")
        more += [say("rounded up")] * getattr(op, "ceil_mode", False)
        return join("   ", [detail(self.trace), *more])

    def _phases(self) -> tuple[Phase, ...]:
        slide = Phase("slide", WALKS[self.trace.op.combine], say("slide"))
        around = Phase("pad", say("pad") if self._padded else say("round the size up"), say("pad"))
        return (around, slide) if self._rings else (slide,)

    @property
    def _rings(self) -> bool:
        return any(a.before or a.after or a.beyond for a in self.trace.axes)

    def _roles(self) -> Cells:
        """Padding that counts is zeros; padding that does not count, and cells beyond it, are empty."""
        zeros = self._counts or self.trace.op.combine == "norm"
        shown = roles(*self.lines, ring=Role.PADDING if zeros else Role.EMPTY)
        for i, axis in enumerate(self.trace.axes, start=len(self.lines) - len(self.trace.axes)):
            if axis.beyond:
                np.moveaxis(shown, i, 0)[axis.padded :] = Role.EMPTY
        if not zeros:  # empty cells are not marked as unused
            shown[(shown == Role.UNUSED) & (layers(*self.lines) > 0)] = Role.EMPTY
        return shown

    def _open(self) -> list[Frame]:
        layer = self._spread(layers(*self.lines))
        unused = self.stage_roles == Role.UNUSED
        alone = np.where(layer == 0, Role.DATA, Role.NONE).astype(np.uint8)
        told = say("input {size}, {told}", size=times(self.trace.x.shape[1:]), told=rejoin(self.detail, ", "))
        frames = [self._set(0, alone, self.stage_values, told)]
        shown = alone
        inside = self._spread(self._inside())
        for now, remark in (
            (np.where(inside & ~unused, self.stage_roles, Role.NONE), self._padding_remark()),
            (
                np.where(unused, alone, self.stage_roles),
                say("the last window sticks out: the output's size is rounded up"),
            ),
            (self.stage_roles, say("no window reaches the hatched cells")),
        ):
            # Input that no window reaches keeps its role until the last opening frame.
            grown = np.where(unused & (alone == Role.DATA) & (now == Role.NONE), Role.DATA, now).astype(np.uint8)
            if (grown != shown).any():
                frames.append(self._set(0, grown, self.stage_values, remark))
                shown = grown
        return frames

    def _spread(self, array: NDArray[Any]) -> NDArray[Any]:
        return self.left.planes(np.broadcast_to(array, (self.left.channels, *array.shape)))

    def _inside(self) -> NDArray[np.bool_]:
        """A mask of the cells that are not beyond the padding."""
        inside = np.ones([line.size for line in self.lines], bool)
        for i, axis in enumerate(self.trace.axes, start=len(self.lines) - len(self.trace.axes)):
            np.moveaxis(inside, i, 0)[axis.padded :] = False
        return inside

    def _padding_remark(self) -> str:
        wide = sides([(a.before, a.after) for a in self.trace.axes])
        if self._max:
            return say("pad by {n}: padding never wins a maximum, so it holds nothing", n=wide)
        if self.trace.op.combine == "norm":
            return say("pad by {n}: padding adds nothing to the sum", n=wide)
        counts = say("pad by {n}: padding counts as zeros in the mean", n=wide)
        return counts if self._counts else say("pad by {n}: padding does not count in the mean", n=wide)

    def look(self, step: Step, *, written: bool) -> Seen:
        """What a placement shows on the stage, and its arithmetic."""
        cell = step.writes[0].tolist()
        depths, (rows, columns), window = self._windows(cell)
        planes = [cell[0] * self.left.deep + d for d in depths]
        outlines: dict[int, tuple[Outline, ...]] = {p: (Outline(*window, Role.KERNEL),) for p in planes}
        if written and step.winner is not None:
            plane, row, column = self._on_stage(step.reads[step.winner].tolist())
            outlines[plane] += (Outline(row, column, row + 1, column + 1, Role.DONE),)
        under = self.stage_roles[planes][:, rows, columns]
        return Seen(self._caption(step, under), dict.fromkeys(planes, (rows, columns)), {}, outlines)

    def _caption(self, step: Step, under: Cells) -> Caption:
        subject = output_cell(step.writes[0].tolist(), self.right.channels)
        whole, empty, padding = (
            int(n) for n in (under.size, (under == Role.EMPTY).sum(), (under == Role.PADDING).sum())
        )
        caption = combined(step, self.numerals, self.trace.op, subject, (whole, whole - empty))
        return replace(caption, remark=self._remark(step, empty, padding))

    def _remark(self, step: Step, empty: int, padding: int) -> str:
        if self._max and not len(step.terms):
            return say("only padding under the window, and padding never wins")
        if self._max:
            told = [say("padding never wins a maximum")] if empty and self._padded else []
            if self._notes_kept and step.winner is not None:  # what stands under the maximum in the output
                cell = place(step.reads[step.winner, 1:].tolist())
                told.append(say("{cell}: {place} of the maximum", cell=cell, place=self._axes_named))
            return join("; ", told)
        if padding and self._counts:
            return COUNTS(padding)
        if empty and not self._counts and self._padded and self.trace.op.combine == "mean":
            return say("padding does not count")
        return say("what sticks out does not count") if empty and self.trace.op.combine == "mean" else ""

    @property
    def _axes_named(self) -> str:
        """What the numbers in a place in brackets count."""
        return (say("cell"), say("row and column"), say("slice, row and column"))[len(self.trace.axes) - 1]

    @property
    def _padded(self) -> bool:
        return any(a.before or a.after for a in self.trace.axes)

    # The marks that maxima leave.

    def _marks(self, placements: int) -> Ints:
        if not self._max:
            return super()._marks(placements)
        numbers = np.flatnonzero(~self._none[:placements])
        cells: Any = numbers // prod(self.trace.shape[1:]), *self._won[numbers].T
        return np.stack(np.broadcast_arrays(*self._on_stage(cells)), axis=-1)

    def _remembered(self, plane: int, cells: int) -> dict[Where, str]:
        if not self._notes_kept:
            return {}
        wide = self.right.shape[1]
        first = plane * self.answer[0].size
        notes = self._notes_kept[first : first + cells]
        return {divmod(i, wide): note for i, note in enumerate(notes) if note}

    def _notes(self) -> tuple[str, str]:
        return "", max(self._notes_kept, key=len, default="")

    def closing(self) -> Caption:
        """The last caption: the size of the output."""
        caption = size_formula(self.trace.axes)
        if any(a.beyond for a in self.trace.axes):
            return replace(caption, remark=say("rounded up: the last window may stick out"))
        if self._notes_kept and len(self.trace) <= NOTED and not caption.remark:
            told = say("in brackets: {place} of the maximum, from 0", place=self._axes_named)
            return replace(caption, remark=told)
        return caption

"""The canvas of a transposed layer, onto which its kernel is stamped: its sums as numbers or as letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.explanation.arithmetic import sides
from convanim.language.numerals import Factors, Numerals, unique
from convanim.language.symbols import Symbols
from convanim.language.words import join, marked, say
from convanim.layers import Axis
from convanim.scene.captions import factor, span
from convanim.scene.frame import Link, Outline, Role, flat, lattice
from convanim.scene.whole.letters import BIAS, Letters
from convanim.trace import ConvTrace, Step

#: Up to this many stamps, every intermediate number is computed in advance; with more, only bounds.
SURVEYED = 400
#: The number of states of a canvas that are kept: frames are mostly requested in order, and each needs two.
KEPT = 4
#: A sum of more letters than this is abbreviated.
LONGEST_SUM = 3

Array = NDArray[Any]
Numbering = tuple[Numerals, Numerals, Numerals, Numerals]


def landing(axes: Sequence[Axis], wide: int, number: int) -> Link:
    """The link between the cell of this number in an input `wide` columns wide, and the canvas cells of its stamp."""
    cell = divmod(number, wide)
    along = [(0, 1, 1, 1), *((a.lead, a.stride, a.reach, a.dilation) for a in axes)][-2:]
    rows, columns = (
        range(lead + at * stride, lead + at * stride + reach, dilation)
        for at, (lead, stride, reach, dilation) in zip(cell, along, strict=True)
    )
    where = Outline(rows.start, columns.start, rows.stop, columns.stop, Role.KERNEL)
    return Link("canvas", where, lattice(rows, columns), "input", cell, stamps=True)


def landed(
    sums: Array, hits: NDArray[np.int64], x: Array, kernel: Array, axes: Sequence[Axis], between: tuple[int, int]
) -> None:
    """Add the stamps of some input cells to a canvas, for all of them at once.

    Args:
        sums: (..., rows, columns), the canvas; `hits`: the number of products in each of its cells, (rows, columns).
        x, kernel: the input and the kernel, with the same leading axes as the canvas.
        between: the numbers of the first stamp, and of the one after the last.
    """
    start, stop = between
    wide = x.shape[-1]
    first, last = start // wide, -(-stop // wide)
    there = np.arange(first * wide, last * wide).reshape(-1, wide)
    there = (there >= start) & (there < stop)
    part = np.where(there, x[..., first:last, :], 0)
    for i, j in np.ndindex(*kernel.shape[-2:]):
        where = _met(axes, (first, 0), (last - first, wide), (i, j))
        sums[(..., *where)] += part * kernel[..., i, j][..., None, None]
        hits[where] += there


def _met(
    axes: Sequence[Axis], first: tuple[int, int], counts: tuple[int, int], at: tuple[int, int]
) -> tuple[slice, slice]:
    """The cells of the canvas that one cell of the kernel meets, for a rectangle of the input."""
    along = [(0, 1, 1), *((a.lead, a.stride, a.dilation) for a in axes)][-2:]
    begins = [lead + i * stride + k * apart for (lead, stride, apart), i, k in zip(along, first, at, strict=True)]
    rows, columns = (
        slice(begin, begin + (n - 1) * stride + 1, stride)
        for begin, n, (_, stride, _) in zip(begins, counts, along, strict=True)
    )
    return rows, columns


def extremes(blank: Array, x: Array, kernel: Array, axes: Sequence[Axis]) -> Array:
    """The least and the greatest sum that a canvas ever holds.

    A cell is met by the last row and column of the kernel first, as stamps fall row by row.

    Args:
        blank: the canvas before the first stamp, (rows, columns).
        x, kernel: the input and the kernel, (rows, columns) each.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> axes = ConvTranspose(2).axes((2,))
        >>> extremes(np.zeros((1, 3)), np.array([[3, 4]]), np.array([[1, -2]]), axes).tolist()
        [-8.0, 3.0]
    """
    sums, least, most = blank.copy(), blank.copy(), blank.copy()
    high, wide = x.shape
    for i, j in reversed(list(np.ndindex(*kernel.shape))):
        where = _met(axes, (0, 0), (high, wide), (i, j))
        sums[where] += x * kernel[i, j]
        np.minimum(least, sums, out=least)
        np.maximum(most, sums, out=most)
    return np.array([least.min(), most.max()])


def stamped(value: str) -> str:
    """A value of the input times the kernel."""
    return join(" · ", [marked(value, "data"), marked(say("kernel"), "kernel")])


def cropped_by(axes: Sequence[Axis]) -> str:
    """What the padding of a transposed layer takes from each side of the canvas."""
    return say("crop by {n}", n=sides([(a.before, a.after) for a in axes]))


def cropping(axes: Sequence[Axis]) -> str:
    """The same, and why."""
    return join(": ", [cropped_by(axes), say("the padding of a transposed layer is cut off")])


def covered(axes: Sequence[Axis], where: Outline) -> str:
    """The cells under a stamp in slice notation, with a step where the kernel is dilated."""
    return span(list(zip(where[:2], where[2:4], (1, *(a.dilation for a in axes))[-2:], strict=True))[-len(axes) :])


class Canvas:
    """The canvas with numbers.

    Args:
        trace: of a transposed layer in scatter order, with one channel and one or two axes.

    Attributes:
        shape: (rows, columns).
        x, kernel, answer: the input, the kernel and the output, (rows, columns) each.
        products: every number that a stamp ever holds.
        shown: every number that the canvas ever shows.
        numerals: the formatting of the input, the kernel, the stamp and the canvas.
        bias: the bias as text, "" for none.
    """

    x: Array
    kernel: Array
    answer: Array
    products: Array
    shown: Array
    numerals: Numbering
    bias: str

    def __init__(self, trace: ConvTrace) -> None:
        self.trace = trace
        high, wide = (1, *trace.canvas[1:])[-2:]
        self.shape = high, wide
        #: The sums and the number of products in each cell after some numbers of stamps, the latest ones.
        self._states: dict[int, tuple[Array, NDArray[np.int64]]] = {}
        self._set_out()

    def _set_out(self) -> None:
        trace = self.trace
        self.x, self.kernel, self.answer = (flat(a) for a in (trace.x[0], trace.weight[0, 0], trace.answer[0]))
        own = None if trace.bias is None else trace.bias[0].item()
        self.bias = "" if own is None else Numerals(np.array([own])).text(own)
        # Sums of products need no more decimals than the products do.
        self.products = unique(np.multiply.outer(unique(self.x), unique(self.kernel)))
        self.shown = self._survey()
        x, kernel, products = Numerals(self.x), Factors(self.kernel), Numerals(self.products)
        self.numerals = x, kernel, products, Numerals(self.shown, self.products)

    def _survey(self) -> Array:
        """Every number that the canvas ever shows; with many stamps, the final ones, and the least and greatest sum."""
        final = self.trace.filled()
        sums = [final.ravel(), self.answer.ravel(), np.zeros(1, final.dtype)]
        if len(self.trace) <= SURVEYED:
            sums += [self.after(i + 1)[self.cells(step)] for i, step in enumerate(self.trace)]
        elif min(self.x.min(), self.kernel.min()) < 0:  # sums may shrink again
            sums.append(extremes(self._blank(), self.x, self.kernel, self.trace.axes))
        return unique(np.concatenate(sums))

    def cells(self, step: Step) -> tuple[Array, Array]:
        """The slices of rows and columns that a step writes."""
        columns = step.writes[:, -1]
        return (step.writes[:, -2] if len(self.trace.axes) == 2 else np.zeros_like(columns)), columns

    def _state(self, stamps: int) -> tuple[Array, NDArray[np.int64]]:
        """The sums and the number of products in each cell after the first stamps, made from an earlier state."""
        if stamps not in self._states:
            earlier = max((n for n in self._states if n < stamps), default=0)
            held = self._states.get(earlier) or (self._blank(), np.zeros(self.shape, np.int64))
            sums, hits = (array.copy() for array in held)
            if stamps > earlier:
                self._land(sums, hits, earlier, stamps)
            self._states[stamps] = sums, hits
            if len(self._states) > KEPT:
                del self._states[next(iter(self._states))]
        return self._states[stamps]

    def _blank(self) -> Array:
        return np.zeros(self.shape, self.trace.answer.dtype)

    def _land(self, sums: Array, hits: NDArray[np.int64], start: int, stop: int) -> None:
        landed(sums, hits, self.x, self.kernel, self.trace.axes, (start, stop))

    def hit(self, stamps: int) -> NDArray[np.bool_]:
        """A mask of the cells that the first stamps have hit."""
        return self._state(stamps)[1] > 0

    def after(self, stamps: int) -> Array:
        """The values on the canvas after the first `stamps` stamps."""
        return self._state(stamps)[0].copy()

    def value(self, step: Step) -> str:
        """The value that a step reads, as text."""
        return self.numerals[0].text(step.values[0].item())

    def product(self, step: Step) -> Array:
        """What a step stamps, in the kernel's shape."""
        return step.written.reshape(self.kernel.shape)

    def notes(self, number: int) -> dict[tuple[int, int], str]:
        """The sum of a stamp in each cell that already holds something: 1 + 3."""
        step = self.trace[number]
        cells = self.cells(step)
        before, hit = self.after(number), self.hit(number)
        _, _, term, total = self.numerals
        return {
            (r, c): f"{total.text(b)} + {factor(term.text(t))}"
            for r, c, b, t, met in zip(
                *(a.tolist() for a in (*cells, before[cells], step.written, hit[cells])), strict=True
            )
            if met
        }

    def longest_note(self) -> str:
        """The longest note; with very many stamps there are none."""
        if len(self.trace) > SURVEYED:
            return ""
        return max((n for i in range(len(self.trace)) for n in self.notes(i).values()), key=len, default="")

    def sum(self, number: int, cell: tuple[int, int]) -> str:
        """The sum that a stamp makes in a cell that already holds something: 1 + 3 = 4."""
        total = self.numerals[3].text(self.after(number + 1)[cell].item())
        return join(" = ", [self.notes(number)[cell], marked(total, "overlap")])

    def result(self, rows: slice, columns: slice) -> Array:
        """The final canvas: its kept part with the bias added."""
        done = self.after(len(self.trace))
        if self.trace.bias is not None:
            done[rows, columns] += self.trace.bias[0]
        return done


class LetteredCanvas(Canvas):
    """The canvas with letters: one product, then the number of products, in the end the output's letter.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> canvas = LetteredCanvas(ConvTranspose(2).trace([1, 2], [3, 4]).by_input())
        >>> [canvas.numerals[3].text(code) for code in canvas.after(2)[0]], canvas.sum(1, (0, 1))
        (['b₀w₀', 'Σ₂', 'b₁w₁'], 'Σ₂ = b₀w₁ + b₁w₀')
    """

    def _set_out(self) -> None:
        letters = self._letters = Letters(self.trace)
        self.x, self.answer = flat(letters.x), flat(letters.answer)
        self.kernel = flat(letters.weight)
        self.bias = BIAS if self.trace.bias is not None else ""
        pair = [("b", letters.shapes[0]), ("w", letters.shapes[1])]
        # A cell cannot hold more products than the kernel has weights.
        many = self.kernel.size + 1
        total = Symbols(pair, [("Σ", (many,))], [("c", letters.shapes[2])])
        self._pairs, self._counts, self._ends = (total.codes(kind) for kind in range(3))
        x, kernel, _ = letters.numerals
        self.numerals = x, kernel, Symbols(pair), total
        self.products = self._pairs.ravel()
        self.shown = np.concatenate([np.zeros(1, np.int64), self.products, self._counts, self._ends.ravel()])

    def _codes(self, step: Step) -> Array:
        """The codes of a step's products."""
        places = self._letters.weight[tuple(step.factors[:, 2:].T)] - 1
        by_place = self._pairs[tuple(step.reads[0, 1:])].ravel()
        return np.asarray(by_place[places])

    def after(self, stamps: int) -> Array:
        """The codes on the canvas after the first `stamps` stamps."""
        last, hits = self._state(stamps)
        return np.where(hits > 1, self._counts[np.minimum(hits, len(self._counts) - 1)], last)

    def _blank(self) -> Array:
        return np.zeros(self.shape, np.int64)  # the code of the last product

    def _land(self, sums: Array, hits: NDArray[np.int64], start: int, stop: int) -> None:
        for number in range(start, stop):
            step = self.trace[number]
            cells = self.cells(step)
            sums[cells] = self._codes(step)
            hits[cells] += 1

    def value(self, step: Step) -> str:
        """The letter that a step reads."""
        return self.numerals[0].text(self._letters.x[tuple(step.reads[0, 1:])].item())

    def product(self, step: Step) -> Array:
        """What a step stamps, in the kernel's shape."""
        return self._codes(step).reshape(self.kernel.shape)

    def notes(self, number: int) -> dict[tuple[int, int], str]:
        """The product that a stamp adds to each cell that already holds something: … + b₀₁w₁₀."""
        step = self.trace[number]
        cells = self.cells(step)
        hit, term = self.hit(number), self.numerals[2]
        return {
            (r, c): f"… + {term.text(code)}"
            for r, c, code, met in zip(*(a.tolist() for a in (*cells, self._codes(step), hit[cells])), strict=True)
            if met
        }

    def sum(self, number: int, cell: tuple[int, int]) -> str:
        """All products that a cell holds once a stamp has landed."""
        found = []
        for i in range(number + 1):
            step = self.trace[i]
            rows, columns = self.cells(step)
            here = (rows == cell[0]) & (columns == cell[1])
            found += [self.numerals[2].text(code) for code in self._codes(step)[here].tolist()]
        told = found if len(found) <= LONGEST_SUM else [*found[: LONGEST_SUM - 1], "…", found[-1]]
        return f"{self.numerals[3].text(self._counts[len(found)].item())} = {' + '.join(told)}"

    def result(self, rows: slice, columns: slice) -> Array:
        """The final canvas: the output's letters in its kept part."""
        done = self.after(len(self.trace))
        done[rows, columns] = self._ends.reshape(self.answer.shape)
        return done

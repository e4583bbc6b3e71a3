"""The base class of traces, which finds the steps of a layer from its taps and verifies them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsIndex, overload

import numpy as np

from convanim.errors import CheckFailed, ConvanimError
from convanim.layers import LARGEST, Axis, Operation, times
from convanim.layers.axis import resampled
from convanim.look import Look, takes
from convanim.trace.arrays import Array, absolute, same
from convanim.trace.engine import padded, taps_of
from convanim.trace.given import Given
from convanim.trace.part import Part
from convanim.trace.step import Block, Mode, Step
from convanim.trace.taps import NOWHERE, Ints, Taps

if TYPE_CHECKING:
    from pathlib import Path

    from convanim.animation import Animation

Order = Literal["gather", "scatter"]


#: The number of terms that a replay processes at once: large enough for numpy, small enough for a cache.
BLOCK = 2**18
#: The maximum number of steps that are computed together when one of them is asked for.
NEAR = 64
#: The maximum numbers of terms, which take some seconds to check, and of cells: three channels of 1024 × 1024 fit.
MOST_TERMS, MOST_CELLS = 200_000_000, 5_000_000


class Trace:
    """A layer over an input, step by step.

    Made by `op.trace(...)`. Its steps have one of two orders over the same taps: "gather", one step per output cell
    (the window slides), or "scatter", one step per input cell (the kernel is stamped and added).

    Attributes:
        op: the operation.
        shape: the shape (C_out, *o) of the output, which is computed on first use.
        x: (C, *n), int64 or float64.
        axes: the arithmetic of each spatial axis.
        channels: the number of output channels.
        order: "gather" or "scatter".
        canvas: the shape that the steps write to: (C_out, *full) for the scatter order of a transposed layer, cropped
            afterwards; otherwise the shape of the output.
        part: which channels of the layer are followed; None for all of them.
        item: which item of a batch the input was, and of how many; None if it was alone.
        weight, bias: those of a convolution, in PyTorch's layout and (C_out,); None if there are none.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> t = ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]])
        >>> t.output.tolist(), len(t), len(t.by_input())
        ([[0, 4, 1], [8, 16, 6], [4, 12, 9]], 9, 4)
        >>> t[4].terms.tolist()
        [0, 2, 2, 12]
    """

    weight: Array | None = None
    bias: Array | None = None
    #: Which channels of the layer are followed; None for all of them.
    part: Part | None = None
    #: The item of a batch and the number of items, if the input was one of several.
    item: tuple[int, int] | None = None

    def __init__(
        self, op: Operation, x: Array, axes: Sequence[Axis], channels: int, given: Given, order: Order
    ) -> None:
        self.op, self.x, self.axes, self.channels = op, x, tuple(axes), channels
        self._given = given
        sizes = tuple(a.output for a in self.axes)
        extents = [("output", channels, sizes)]
        if not resampled(self.axes):
            extents.append(("padded input", len(x), tuple(a.stage for a in self.axes)))
        if self._cropped:
            extents.append(("canvas", channels, tuple(a.canvas for a in self.axes)))
        self._extents = [x.shape, *((planes, *extent) for _, planes, extent in extents)]
        for what, planes, extent in extents:
            if planes * prod(extent) > LARGEST:
                raise ConvanimError(
                    f"the {what} of {op} would be {times(extent)}, more than {LARGEST} cells",
                    "use a smaller input, stride or padding",
                )
        self.shape = channels, *sizes
        #: Values that are computed on first use, shared by both orders.
        self._kept: dict[str, Any] = {}
        self._walk(order)

    # Methods that each kind of layer implements.

    #: Whether the scatter order writes to a canvas that is cropped afterwards.
    _cropped = False

    def _apply(self) -> Array:
        """The output (C_out, *o), computed without any order."""
        raise NotImplementedError

    def _ask(self, *arrays: Array) -> Array:
        """The oracle's output (C_out, *o) for these arrays."""
        raise NotImplementedError

    def _arrays(self) -> tuple[Any, ...]:
        """The arrays that the layer was given, the input first."""
        return (self.x,)

    def _walk(self, order: Order) -> None:
        """Lay out the steps in an order."""
        self.order = order
        cropped = self._cropped and order == "scatter"
        self.canvas = (self.channels, *(a.canvas if cropped else a.output for a in self.axes))
        for made in ("taps", "_tables", "_sides", "_places", "_latest"):  # those of the previous order
            vars(self).pop(made, None)

    # Computed on first use, since a refused layer needs none of it.

    @cached_property
    def taps(self) -> tuple[Taps, ...]:
        """The taps of each axis, including those that the scatter order of a transposed layer crops."""
        cropped = self._cropped and self.order == "scatter"
        return tuple(taps_of(a, cropped=cropped) for a in self.axes)

    @cached_property
    def _tables(self) -> tuple[Ints, ...]:
        return tuple(t.by_source() if self.order == "scatter" else t.by_target() for t in self.taps)

    @cached_property
    def _sides(self) -> tuple[Ints, ...]:
        # One more at the end, which `NOWHERE` refers to.
        return tuple(np.append(t.target if self.order == "scatter" else t.source, 0) for t in self.taps)

    @cached_property
    def _places(self) -> tuple[Ints, ...]:
        return tuple(np.append(t.k, 0) for t in self.taps)

    def _again(self, order: Order) -> Self:
        """The same trace in another order, with shared axes, values and output."""
        other = copy(self)
        other._walk(order)
        return other

    def _meet(self, own: Ints, k: Sequence[Ints]) -> tuple[Ints, Any]:
        """The channels that a step's channel meets at each position of the kernel, and a mask of those that exist.

        Args:
            own: (n,) the channels of the steps.
            k: for each axis the position in the kernel, (n, taps).

        Returns:
            (n, channels, taps or 1), and a mask that broadcasts against it.
        """
        return own[:, None, None], True

    def _weigh(self, reads: Sequence[Ints], writes: Sequence[Ints], k: Sequence[Ints], numbers: Sequence[Ints]) -> Any:
        """For each tap its indices in the weight, and the weight."""
        return list(k), np.ones((), np.int64)

    def _enter(self, values: Array, weights: Array) -> Array:
        """The terms that enter the result of a step."""
        return np.asarray(values * weights)

    def _gathered(self, terms: Array, there: Any, cells: Ints) -> Array:
        """The results of steps in gather order, from the terms (n, t) where `there` is true; cells (n, 1 + rank)."""
        return np.asarray(np.where(there, terms, 0).sum(axis=1))

    def _finished(self, canvas: Array) -> Array:
        """The output from the canvas after all steps in scatter order."""
        return canvas

    _start: float = 0
    _mode: Mode = "add"

    # Input and output in their user's layout.

    @property
    def given(self) -> tuple[int, ...]:
        """The input's shape as it was given, without a channel axis if there was none."""
        return self._given.outward(self.x).shape

    @property
    def how_given(self) -> Given:
        """The position of the channels in the input, and so in the output."""
        return self._given

    @property
    def layers(self) -> tuple[Trace, ...]:
        """The traces of the plain layers that are shown in a row: this one, unless its layer is several."""
        return (self,)

    @property
    def terms(self) -> int:
        """The maximum number of terms in all steps."""
        return len(self) * self._taps_a_step()

    def bounded(self) -> None:
        """Refuse a layer that is too large to check and to show, before anything is computed for it.

        Raises:
            ConvanimError: more than `MOST_CELLS` cells, or more than `MOST_TERMS` terms.

        Example:
            >>> from convanim.layers import Conv
            >>> Conv(kernel_size=2).trace([1, 2, 3], [1, 1]).bounded()
        """
        cells = max(self._extents, key=prod)
        if prod(cells) > MOST_CELLS:
            raise ConvanimError(
                f"{self.op} has a grid of {times(cells)} cells, and at most {MOST_CELLS:,} are computed step by step",
                "use a smaller input, or only its sizes with convanim explain",
            )
        terms = self._pairs * prod(a.taps for a in self.axes)
        if terms > MOST_TERMS:
            raise ConvanimError(
                f"{self.op} has up to {terms:,} multiplications, and at most {MOST_TERMS:,} are computed step by step",
                "use a smaller input, a smaller kernel or fewer channels, or only its sizes with convanim explain",
            )

    @property
    def _pairs(self) -> int:
        """The number of pairs of an input channel and an output channel that meet."""
        return self.channels

    @property
    def output(self) -> Array:
        """The output, with its channels where the input had them.

        (*o,) for one channel given without a channel axis, otherwise (C_out, *o), or (*o, C_out) in the keras and jax
        conventions; with a leading axis of length 1 if the input was a batch of one.
        """
        return self._given.outward(self._answer)

    @property
    def _answer(self) -> Array:
        if "answer" not in self._kept:
            self._kept["answer"] = self._apply()
            self._kept["answer"].flags.writeable = False
        answer: Array = self._kept["answer"]
        return answer

    @property
    def answer(self) -> Array:
        """The output as (C_out, *o), whatever the convention."""
        return self._answer

    @property
    def whole(self) -> tuple[int, int]:
        """The numbers of input and output channels of the whole layer, of which a part may be followed."""
        return (len(self.x), self.channels) if self.part is None else self.part.whole

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The sizes of the input and of the output, without channels."""
        return self.x.shape[1:], self.shape[1:]

    @property
    def listed(self) -> Array:
        """The output as planes, one after the other, as descriptions list it."""
        return self._answer

    @property
    def padded(self) -> Array:
        """The input (C, *n) with the copies that its padding mode puts around it; zeros are not stored."""
        return padded(self.x, self.axes)

    def by_input(self) -> Self:
        """The same taps in the order of the input's cells: the kernel is stamped and added.

        Example:
            >>> from convanim.layers import ConvTranspose
            >>> ConvTranspose(kernel_size=2).trace([1, 10], [1, 2]).by_input()[1].terms.tolist()
            [10, 20]
        """
        return self if self.order == "scatter" else self._again("scatter")

    def by_output(self) -> Self:
        """The same taps in the order of the output's cells: the window slides.

        Example:
            >>> from convanim.layers import ConvTranspose
            >>> ConvTranspose(kernel_size=2).trace([1, 10], [1, 2]).by_output()[1].terms.tolist()
            [2, 10]
        """
        return self if self.order == "gather" else self._again("gather")

    # Steps.

    @property
    def cells(self) -> tuple[int, ...]:
        """The grid of the steps, row-major: (C_out, *o) to gather, (C_in, *n) to scatter."""
        return self.x.shape if self.order == "scatter" else self.shape

    def __len__(self) -> int:
        return prod(self.cells)

    @overload
    def __getitem__(self, number: SupportsIndex) -> Step: ...
    @overload
    def __getitem__(self, number: slice) -> list[Step]: ...
    def __getitem__(self, number: SupportsIndex | slice) -> Step | list[Step]:
        if isinstance(number, slice):
            return [self[i] for i in range(len(self))[number]]
        if not isinstance(number, int | np.integer):
            raise TypeError(f"the number of a step is an integer, not {type(number).__name__}")
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no step {number}: they are 0 to {len(self) - 1}")
        number = int(number) % len(self)
        block, at = self._near(number)
        reads, factors, weights = block.of(at, "reads"), block.of(at, "factors"), block.weighed(at)
        values = self.x[tuple(reads.T)]
        terms = self._enter(values, weights)
        if self.order == "scatter":
            writes = block.of(at, "writes")
            return Step("stamp", number, reads, factors, values, weights, terms, writes, terms, self._mode)
        target = self._target(number)
        written = self._gathered(terms[None], True, target)
        extra = self._told(terms, target)
        return Step("slide", number, reads, factors, values, weights, terms, target, written, "set", **extra)

    def _target(self, number: int) -> Ints:
        """The cell that a step in gather order writes, (1, 1 + rank)."""
        return np.array(np.unravel_index([number], self.cells)).T

    def _told(self, terms: Array, target: Ints) -> dict[str, Any]:
        """Further attributes of a step in gather order: the winner, the divisor."""
        return {}

    def __iter__(self) -> Iterator[Step]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        mine, theirs = (self.op, self.order, self._given), (other.op, other.order, other._given)
        arrays = self._arrays(), other._arrays()
        return mine == theirs and len(arrays[0]) == len(arrays[1]) and all(map(same, *arrays))

    __hash__ = None  # type: ignore[assignment]  # arrays are not hashable

    def __repr__(self) -> str:
        return f"<Trace of {self.op} over {times(self.x.shape)}: {len(self)} steps in {self.order} order>"

    _latest: tuple[int, Block] | None = None

    def _near(self, number: int) -> tuple[Block, int]:
        """The block that holds a step, and the step's position in it: neighbours are often asked for in turn."""
        latest = self._latest  # another thread may replace it
        if latest is None or not 0 <= number - latest[0] < latest[1].shape[0]:
            size = min(NEAR, max(1, BLOCK // NEAR // self._taps_a_step()))
            start = number // size * size
            latest = self._latest = start, self._block(start, min(start + size, len(self)))
        return latest[1], number - latest[0]

    def _block(self, start: int, stop: int) -> Block:
        """Steps start..stop as arrays; a step's taps are all pairs of (other channel, product of the axes' taps)."""
        cells = np.array(np.unravel_index(np.arange(start, stop), self.cells))
        scatter = self.order == "scatter"
        along = [table[at] for table, at in zip(self._tables, cells[1:], strict=True)]
        picks = np.indices([t.shape[1] for t in along]).reshape(len(along), -1)
        numbers = [t[:, pick] for t, pick in zip(along, picks, strict=True)]
        there: Any = np.logical_and.reduce([n != NOWHERE for n in numbers])
        met = [side[n] for side, n in zip(self._sides, numbers, strict=True)]
        k = [places[n] for places, n in zip(self._places, numbers, strict=True)]
        other, meets = self._meet(cells[0], k)

        shape = (stop - start, other.shape[1], there.shape[1])
        here = [c[:, None, None] for c in cells]
        away = [other, *(m[:, None] for m in met)]
        reads, writes = (here, away) if scatter else (away, here)
        factors, weights = self._weigh(reads, writes, [a[:, None] for a in k], [n[:, None] for n in numbers])
        return Block(shape, reads, factors, writes, weights, there[:, None] & meets)

    # Verification.

    def replay(self) -> Array:
        """The output (C_out, *o) computed again, from an empty canvas and the steps alone.

        Example:
            >>> from convanim.layers import Conv
            >>> Conv(kernel_size=2).trace([1, 2, 3], [1, 1]).replay().tolist()
            [[3, 5]]
        """
        filled = self.filled()
        return self._finished(filled) if self.order == "scatter" else filled

    def filled(self) -> Array:
        """The canvas after all steps; in scatter order before it is cropped, divided or biased."""
        canvas = np.full(self.canvas, self._start, self._answer.dtype)
        size = max(1, BLOCK // self._taps_a_step())
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            block = self._block(start, stop)
            there = block.flat(block.there)
            terms = block.flat(self._enter(self.x[tuple(block.reads)], block.weights))
            if self.order == "scatter":
                where = tuple(block.flat(w)[there] for w in block.writes)
                if self._mode == "set":
                    canvas[where] = terms[there]
                else:
                    (np.add if self._mode == "add" else np.maximum).at(canvas, where, terms[there])
            else:
                cells = np.array(np.unravel_index(np.arange(start, stop), self.cells)).T
                canvas[tuple(cells.T)] = self._gathered(terms, there, cells)
        return canvas

    def _taps_a_step(self) -> int:
        return prod(t.shape[1] for t in self._tables)

    def verify(self) -> None:
        """Check the output against the replay of the steps and against the oracle.

        Integers must agree exactly, floats up to rounding (the order of the additions differs).

        Raises:
            CheckFailed: they do not agree, and nothing based on this trace may be shown.
            ConvanimError: the layer is too large to check, see `bounded`.
        """
        self.bounded()
        expected = self._ask(*self._arrays())
        for other, name in ((self.replay(), "replay of its steps"), (expected, "oracle")):
            if not self.agrees(other):
                raise CheckFailed(
                    f"the output of {self.op} differs from the {name}", "please report this layer and input"
                )

    def agrees(self, other: Array) -> bool:
        """Whether another output (C_out, *o) is equal: exactly for integers, else up to rounding."""
        if other.shape != self.shape:
            return False
        if self._answer.dtype.kind == "i":
            return bool((other == self._answer).all())
        # The rounding error of a sum depends on the sizes of its terms, not on their total.
        sizes = np.abs(self._ask(*map(absolute, self._arrays())))
        with np.errstate(invalid="ignore"):  # infinity minus infinity; equal infinities are accepted below
            near = np.abs(other - self._answer) <= 1e-13 * np.sqrt(self._taps_a_step()) * sizes
        # Not "no cell differs": comparisons with NaN are false, and NaN must not pass.
        return bool((near | (other == self._answer)).all())

    # Animations and files.

    @takes(Look)
    def animate(self, **options: Any) -> Animation:
        """An animation of this trace; its keyword arguments are the fields of `convanim.look.Look`.

        Raises:
            ConvanimError: as for `Animation`.

        Example:
            >>> from convanim.layers import Conv
            >>> len(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate())
            4
        """
        from convanim.animation import Animation

        return Animation(self, **options)

    def save(self, path: str | Path) -> None:
        """Check the trace and write its steps to a file, as JSON or in another format that `convanim formats` lists.

        Args:
            path: a file name that ends in .json, which `load` reads back, or in the suffix of another such format.

        Raises:
            ConvanimError: another suffix, or a file that cannot be written.
            CheckFailed: the trace disagrees with its replay or with the oracle; nothing is written.

        Example:
            >>> import tempfile
            >>> from convanim.layers import Conv
            >>> done = Conv(kernel_size=2).trace([1, 2, 3], [1, 1])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     done.save(f"{folder}/t.json")
            ...     Trace.load(f"{folder}/t.json") == done
            True
        """
        from pathlib import Path

        from convanim.write import formats

        formats.save_trace(self, Path(path), formats.trace_format(Path(path)))

    @staticmethod
    def load(path: str | Path) -> Trace:
        """Read a trace from JSON. The file is data, and its output must be what its operation computes.

        Raises:
            ConvanimError: the file does not exist, is not a trace, or claims an output that is not its operation's.
        """
        from convanim.write import tracefile

        return tracefile.load(path)

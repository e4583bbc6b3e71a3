"""The trace itself: steps in order, with their values, and its proof.

Knows how the steps of a layer are found from taps. A step is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, prod
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from convanim import doors, oracle
from convanim.errors import CheckFailed, ConvanimError
from convanim.ops import LARGEST, Axis, Operation, times
from convanim.taps import NOWHERE
from convanim.trace.arrays import Array, absolute, bound, numbers, per_channel, same, with_channels
from convanim.trace.engine import apply, taps_of
from convanim.trace.step import Block, Step

Order = Literal["gather", "scatter"]


#: Terms that a replay handles at once: large enough for numpy, small enough for a cache.
BLOCK = 2**18


class Trace:
    """A layer over an input, step by step.

    Made by `op.trace(x, weight, bias)`. Its steps come in one of two orders over the same taps: "gather", one step an
    output cell (the window slides), or "scatter", one step an input cell (the kernel is stamped and added).

    Attributes:
        op: the operation.
        x, weight, bias: (C, *n), PyTorch's layout, (C_out,) or None; all int64 or all float64.
        axes: the arithmetic of each spatial axis.
        order: "gather" or "scatter".
        canvas: what the steps write on. (C_out, *full) for the scatter order of a transposed layer, which is cropped
            afterwards; otherwise the output's own shape.

    Example:
        >>> from convanim.ops import ConvTranspose
        >>> t = ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]])
        >>> t.output.tolist(), len(t), len(t.by_input())
        ([[0, 4, 1], [8, 16, 6], [4, 12, 9]], 9, 4)
        >>> t[4].terms.tolist()
        [0, 2, 2, 12]
    """

    def __init__(
        self, op: Operation, x: Array, weight: Array, bias: Array | None, *, planar: bool, order: Order
    ) -> None:
        self.op, self.x, self.weight, self.bias, self.order = op, x, weight, bias, order
        self._planar = planar
        self.axes: tuple[Axis, ...] = op.axes(x.shape[1:])
        self.channels = weight.shape[1] * op.groups if op.transposed else weight.shape[0]
        sizes = tuple(a.output for a in self.axes)
        stage, canvas = tuple(a.stage for a in self.axes), tuple(a.canvas for a in self.axes)
        extents = ("output", self.channels, sizes), ("padded input", len(x), stage), ("canvas", self.channels, canvas)
        for what, channels, extent in extents:
            if channels * prod(extent) > LARGEST:
                raise ConvanimError(
                    f"the {what} of {op} would be {times(extent)}, more than {LARGEST} cells",
                    "use a smaller input, stride or padding",
                )
        cropped = op.transposed and order == "scatter"
        self.canvas = (self.channels, *(canvas if cropped else sizes))
        self.taps = tuple(taps_of(a, cropped=cropped) for a in self.axes)
        self._tables = tuple(t.by_source() if order == "scatter" else t.by_target() for t in self.taps)
        self._answer = apply(op, x, weight, bias, tuple(map(taps_of, self.axes)), (self.channels, *sizes))
        self._answer.flags.writeable = False

    @property
    def given(self) -> tuple[int, ...]:
        """The input's shape as it was given: without a channel axis where there was none."""
        return self.x.shape[1:] if self._planar else self.x.shape

    @property
    def output(self) -> Array:
        """The layer's answer: (*o,) for one channel given without a channel axis, otherwise (C_out, *o)."""
        return self._answer[0] if self._planar else self._answer

    def by_input(self) -> Trace:
        """The same taps in the order of the input's cells: the kernel is stamped and added.

        Example:
            >>> from convanim.ops import ConvTranspose
            >>> ConvTranspose(kernel_size=2).trace([1, 10], [1, 2]).by_input()[1].terms.tolist()
            [10, 20]
        """
        return self._ordered("scatter")

    def by_output(self) -> Trace:
        """The same taps in the order of the output's cells: the window slides.

        Example:
            >>> from convanim.ops import ConvTranspose
            >>> ConvTranspose(kernel_size=2).trace([1, 10], [1, 2]).by_output()[1].terms.tolist()
            [2, 10]
        """
        return self._ordered("gather")

    def _ordered(self, order: Order) -> Trace:
        if order == self.order:
            return self
        return Trace(self.op, self.x, self.weight, self.bias, planar=self._planar, order=order)

    @property
    def cells(self) -> tuple[int, ...]:
        """The grid that the steps walk over, row-major: (C_out, *o) to gather, (C_in, *n) to scatter."""
        return self.x.shape if self.order == "scatter" else self._answer.shape

    def __len__(self) -> int:
        return prod(self.cells)

    def __getitem__(self, number: int) -> Step:
        if not isinstance(number, int | np.integer):
            raise TypeError(f"steps are numbered by integers, not {type(number).__name__}")
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no step {number}: they are 0 to {len(self) - 1}")
        number = int(number) % len(self)
        block = self._block(number, number + 1)
        there = block.there[0]
        reads, factors = block.reads[0][there], block.factors[0][there]
        values, weights = self.x[tuple(reads.T)], self.weight[tuple(factors.T)]
        terms = values * weights
        if self.order == "scatter":
            return Step(
                "stamp", number, reads, factors, values, weights, terms, block.writes[0][there], terms, mode="add"
            )
        target = block.writes[0][:1]
        total = terms.sum(keepdims=True)
        if self.bias is not None:
            total = total + self.bias[target[0, 0]]
        return Step("slide", number, reads, factors, values, weights, terms, target, total, mode="set")

    def __iter__(self) -> Iterator[Step]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        mine, theirs = self._state(), other._state()
        return mine[:3] == theirs[:3] and all(same(a, b) for a, b in zip(mine[3:], theirs[3:], strict=True))

    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def _state(self) -> tuple[Any, ...]:
        return self.op, self.order, self._planar, self.x, self.weight, self.bias

    def __repr__(self) -> str:
        return f"<Trace of {self.op} over {times(self.x.shape)}: {len(self)} steps in {self.order} order>"

    def _block(self, start: int, stop: int) -> Block:
        """Steps start..stop as arrays; the taps of a step are all pairs of (other channel of the group, place)."""
        cells = np.array(np.unravel_index(np.arange(start, stop), self.cells))
        kernel = self.weight.shape[2:]
        places = np.array(np.unravel_index(np.arange(prod(kernel)), kernel))
        if self.op.transposed and self.order == "gather":
            places = places[:, ::-1]  # the rotated kernel, so that the cells read come in row-major order
        met = [table[at][:, place] for table, at, place in zip(self._tables, cells[1:], places, strict=True)]
        there = np.logical_and.reduce([m != NOWHERE for m in met])

        own = cells[0]  # the channel that the step belongs to; the others are all those of its group
        scatter = self.order == "scatter"
        inputs, outputs = self.x.shape[0] // self.op.groups, self.channels // self.op.groups
        mine, others = (inputs, outputs) if scatter else (outputs, inputs)
        other = (own // mine * others)[:, None] + np.arange(others)

        shape = (stop - start, others, prod(kernel))
        here = [np.broadcast_to(c[:, None, None], shape) for c in cells]
        there_cells = [np.broadcast_to(other[:, :, None], shape), *(np.broadcast_to(m[:, None], shape) for m in met)]
        reads, writes = (here, there_cells) if scatter else (there_cells, here)
        # PyTorch's layout: the first axis of the weight is a whole channel, the second one inside its group.
        first, second = (reads[0], writes[0] % outputs) if self.op.transposed else (writes[0], reads[0] % inputs)
        factors = [first, second, *(np.broadcast_to(p, shape) for p in places)]
        flat = (stop - start, -1)
        r, f, w = (np.stack(rows, axis=-1).reshape(*flat, len(rows)) for rows in (reads, factors, writes))
        return Block(r, f, w, np.broadcast_to(there[:, None], shape).reshape(flat))

    def replay(self) -> Array:
        """The output again, (C_out, *o), from an empty canvas and the steps alone.

        Example:
            >>> from convanim.ops import Conv
            >>> Conv(kernel_size=2).trace([1, 2, 3], [1, 1]).replay().tolist()
            [[3, 5]]
        """
        canvas = self.filled()
        if self.op.transposed and self.order == "scatter":
            canvas = canvas[(slice(None), *(slice(a.before, a.before + a.output) for a in self.axes))]
        return canvas if self.bias is None else canvas + per_channel(self.bias, canvas)

    def filled(self) -> Array:
        """What stands on the canvas after all steps, before it is cropped and without the bias."""
        canvas = np.zeros(self.canvas, self._answer.dtype)
        per_step = self.weight[0].size * (self.channels if self.op.groups == 1 else 1)
        size = max(1, BLOCK // per_step)
        for start in range(0, len(self), size):
            block = self._block(start, min(start + size, len(self)))
            there = block.there
            # Where there is no tap the indices are those of some other cell: harmless, as zero is read instead.
            values = np.where(there, self.x[tuple(np.moveaxis(block.reads, -1, 0))], 0)
            terms = values * self.weight[tuple(np.moveaxis(block.factors, -1, 0))]
            if self.order == "scatter":
                np.add.at(canvas, tuple(np.moveaxis(block.writes[there], -1, 0)), terms[there])
            else:
                canvas[tuple(np.moveaxis(block.writes[:, 0], -1, 0))] = terms.sum(axis=1)
        return canvas

    def verify(self) -> None:
        """Hold the output against the replay of the steps and against the oracle.

        Integers must agree exactly, floats up to rounding (the order of the additions differs).

        Raises:
            CheckFailed: they do not agree; nothing that rests on this trace may be shown.
        """
        expected = self._ask(self.x, self.weight, self.bias)
        for other, name in ((self.replay(), "replay of its steps"), (expected, "oracle")):
            if not self.agrees(other):
                raise CheckFailed(
                    f"the output of {self.op} differs from the {name}", "please report this layer and input"
                )

    def agrees(self, other: Array) -> bool:
        """Whether another answer (C_out, *o) is this one: to the last digit for integers, else up to rounding."""
        if other.shape != self._answer.shape:
            return False
        if self._answer.dtype.kind == "i":
            return bool((other == self._answer).all())
        # Sums of the same terms in another order differ by a few roundings of their sizes, not of their total.
        sizes = self._ask(*map(absolute, (self.x, self.weight, self.bias)))
        # Not "no cell is off": NaN compares as false, and must not pass.
        return bool((np.abs(other - self._answer) <= 1e-13 * np.sqrt(self.weight.size) * sizes).all())

    def _ask(self, x: Array, weight: Array, bias: Array | None) -> Array:
        """The oracle's answer to this layer."""
        stride, dilation = [a.stride for a in self.axes], [a.dilation for a in self.axes]
        padding = [(a.before, a.after) for a in self.axes]
        if self.op.transposed:
            sizes = [a.output for a in self.axes]
            answer = oracle.transpose(x, weight, stride, padding, dilation, self.op.groups, sizes)
        else:
            answer = oracle.convolve(x, weight, stride, padding, dilation, self.op.groups)
        return answer if bias is None else answer + per_channel(bias, answer)

    def animate(self, **options: Any) -> Any:
        """An `Animation` of this trace: see there for `view`, `theme`, sizes and pace.

        Example:
            >>> from convanim.ops import Conv
            >>> len(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate())
            4
        """
        return doors.through("animate")(self, **options)

    def save(self, path: Any) -> None:
        """Write the trace as JSON, after checking it: see `convanim.write.tracefile`.

        Args:
            path: a name that ends in .json.

        Raises:
            ConvanimError: another suffix, or a place that cannot be written.
            CheckFailed: the trace disagrees with its replay or with the oracle; nothing is written.

        Example:
            >>> import tempfile
            >>> from convanim.ops import Conv
            >>> done = Conv(kernel_size=2).trace([1, 2, 3], [1, 1])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     done.save(f"{folder}/t.json")
            ...     Trace.load(f"{folder}/t.json") == done
            True
        """
        doors.through("save trace")(self, path)

    @staticmethod
    def load(path: Any) -> Trace:
        """Read a trace back from JSON. It is data: the output in the file must be what its operation gives.

        Raises:
            ConvanimError: no such file, not a trace, or one whose output is not what its operation gives.
        """
        loaded: Trace = doors.through("load trace")(path)
        return loaded


def trace(
    op: Operation, x: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, order: Order = "gather"
) -> Trace:
    """Trace an operation over an input: the body of `op.trace`; see there.

    Example:
        >>> from convanim.ops import Conv
        >>> trace(Conv(kernel_size=1), [1, 2, 3], [2]).output.tolist()
        [2, 4, 6]
    """
    x, weight = numbers("input", x), numbers("weight", weight)
    x, weight, planar = with_channels(op, x, weight)
    channels = weight.shape[1] * op.groups if op.transposed else weight.shape[0]
    if bias is not None:
        given = numbers("bias", bias).reshape(-1)
        if len(given) not in (1, channels):
            raise ConvanimError(
                f"the bias has {len(given)} values for {channels} output channels", f"give 1 or {channels}"
            )
        bias = np.broadcast_to(given, (channels,))
    arrays = [x, weight] if bias is None else [x, weight, bias]
    if any(a.dtype.kind == "f" for a in arrays):
        arrays = [a.astype(np.float64) for a in arrays]
    elif bound(*arrays) > np.iinfo(np.int64).max:
        raise ConvanimError("a sum can exceed 64 bits", "use smaller integers, or floats")
    if arrays[0].dtype.kind == "f" and not isfinite(bound(*arrays)):
        raise ConvanimError("a sum can be too large for a 64-bit float", "use smaller values")
    return Trace(op, *arrays, *([None] if bias is None else []), planar=planar, order=order)

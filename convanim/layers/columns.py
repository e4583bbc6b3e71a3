"""Unfold and Fold: the windows of a picture as the columns of a matrix (im2col), and back by addition (col2im)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, ClassVar

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.arguments import Sizes, at
from convanim.layers.axis import Axis, times
from convanim.layers.operation import Operation, Record

if TYPE_CHECKING:  # the trace imports this module
    from numpy.typing import ArrayLike

    from convanim.trace.columns import ColumnsTrace


class Columns(Operation):
    """The base class of Unfold and Fold, which have two axes, as in PyTorch."""

    family: ClassVar[str] = "columns"
    lines: ClassVar[str] = "columns"

    kernel_size: Sizes
    dilation: Sizes
    padding: Sizes
    stride: Sizes

    def _check(self) -> None:
        if self.convention != "torch":
            raise ConvanimError(
                f"the columns of {type(self).__name__} are PyTorch's, and {self.rules.title} has another layout",
                "use `convention` torch",
            )
        padding = self.padding
        numbers = isinstance(padding, int) or (
            isinstance(padding, tuple) and all(isinstance(side, int) for side in padding)
        )
        if not numbers:
            raise ConvanimError(
                f"`padding` {padding!r} of {type(self).__name__} is not one number per axis",
                "use for example 1 or (1, 0)",
            )
        if self.rank != 2:
            raise ConvanimError(
                f"{type(self).__name__} has two axes, not {self.rank}", "give two numbers, or a single one"
            )

    @property
    def rank(self) -> int:
        """The number of spatial axes, which is 2."""
        return super().rank or 2

    @property
    def block(self) -> int:
        """The number of cells in a window, which are a column for each channel."""
        return prod(at(self.kernel_size, i) for i in range(2))

    def _slid(self, i: int, n: int) -> Axis:
        """The axis i of the window that slides over a picture with n cells there."""
        k, d, p, s = (at(v, i) for v in (self.kernel_size, self.dilation, self.padding, self.stride))
        reach = d * (k - 1) + 1
        if reach > n + 2 * p:
            raise ConvanimError(
                f"kernel size {reach} is larger than the picture, {n} padded to {n + 2 * p}, along axis {i}",
                "use a smaller `kernel size`, or more `padding`",
            )
        return Axis(n, (n + 2 * p - reach) // s + 1, k, s, p, p, d)

    def trace(self, x: ArrayLike, *, batch: int | None = None) -> ColumnsTrace:
        """Follow every value to its place: see `convanim.trace.Trace`.

        Args:
            x: of an Unfold (H, W) or (C, H, W), of a Fold (C·k·k, L); also in a batch.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: a shape that does not fit, NaN or infinity.

        Example:
            >>> columns = Unfold(2).trace([[1, 2, 3], [4, 5, 6]]).output
            >>> columns.tolist()
            [[1, 2], [2, 3], [4, 5], [5, 6]]
            >>> Fold((2, 3), 2).trace(columns).output.tolist()
            [[[1, 4, 3], [4, 10, 6]]]
        """
        traced: ColumnsTrace = self._traced(x, batch=batch)
        return traced


@dataclass(frozen=True, repr=False)
class Unfold(Columns):
    """The windows of a picture as columns: (C, H, W) becomes (C·k·k, L), with one column for each of the L positions.

    Row c·k·k + i·k + j of a column is row i, column j of the window in channel c. Padding cells are zeros. The product
    of a convolution's kernels, as rows, and these columns is its output.

    Args:
        kernel_size, dilation, padding, stride: those of the window, an int or one int per axis, in PyTorch's order.

    Source: PyTorch's Unfold; im2col in Chellapilla, Puri and Simard, High performance convolutional neural networks for
    document processing (2006).

    Example:
        >>> Unfold(kernel_size=2, stride=2).trace([[1, 2, 3, 4], [5, 6, 7, 8]]).output.tolist()
        [[1, 3], [2, 4], [5, 7], [6, 8]]
    """

    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1

    words: ClassVar[str] = say("Unfold (im2col)")
    called: ClassVar[tuple[str, str]] = say("unfold"), say("an unfold")
    record: ClassVar[Record] = Record("unfold", "Unfold(2)", "unfold im2col")

    def channels(self, inputs: int) -> int:
        """The number of rows of the columns."""
        return inputs * self.block

    def outputs(self, axes: Sequence[Axis]) -> list[int]:
        """The sizes of the matrix for one channel: (k·k, L)."""
        return [self.block, prod(a.output for a in axes)]

    def _axis(self, i: int, n: int) -> Axis:
        return self._slid(i, n)


@dataclass(frozen=True, repr=False)
class Fold(Columns):
    """Columns back to their windows, (C·k·k, L) to (C, H, W): where windows overlap, their values are added.

    It is the transpose of `Unfold`, not its inverse: `Fold` of `Unfold` is the picture times the number of windows over
    each cell.

    Args:
        output_size: (H, W), or an int for a square.
        kernel_size, dilation, padding, stride: those of the window, an int or one int per axis, in PyTorch's order.

    Source: PyTorch's Fold; ONNX Col2Im.

    Example:
        >>> Fold(output_size=3, kernel_size=2).trace([[1, 1, 1, 1]] * 4).output.tolist()
        [[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]
    """

    output_size: Sizes
    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = say("Fold (col2im)")
    called: ClassVar[tuple[str, str]] = say("fold"), say("a fold")
    record: ClassVar[Record] = Record("fold", "Fold(3, 2)", "fold col2im", {"output_size": 3})

    def _check(self) -> None:
        super()._check()
        if isinstance(self.output_size, tuple) and None in self.output_size:
            raise ConvanimError("`output_size` of Fold needs both sizes", "give numbers, like (3, 3)")

    @property
    def places(self) -> tuple[Axis, ...]:
        """The transposed axes: from the positions of the window to the cells of the picture.

        Raises:
            ConvanimError: the window is larger than the padded picture.
        """
        slid = [self._slid(i, at(self.output_size, i)) for i in range(2)]
        return tuple(
            Axis(a.output, a.input, a.kernel, a.stride, a.before, a.after, a.dilation, transposed=True) for a in slid
        )

    def axes(self, sizes: Sequence[int]) -> tuple[Axis, ...]:
        """The arithmetic of each axis for a matrix of these sizes, (C·k·k, L).

        Raises:
            ConvanimError: the matrix does not have the rows and columns of the windows.
        """
        axes = self.places
        count = prod(a.input for a in axes)
        if len(sizes) != 2 or sizes[0] < 1 or sizes[0] % self.block or sizes[1] != count:
            windows = times([a.input for a in axes])
            raise ConvanimError(
                f"{self} takes {count} columns, one for each of its {windows} windows, of {self.block} rows for each "
                f"channel, but the input is {times(sizes)}",
                f"give an input of {self.block}x{count}",
            )
        return axes

    @property
    def least(self) -> int:
        """The number of rows for one channel."""
        return self.block

    def channels(self, inputs: int) -> int:
        """The number of channels of columns with this many rows."""
        return max(inputs // self.block, 1)

"""Pooling and unpooling: their arguments and output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.arguments import Padding, Sizes, at, pair, sizes_of
from convanim.layers.axis import Axis, times
from convanim.layers.conventions import KNOWN, check_padding, ring
from convanim.layers.operation import Operation, Record

if TYPE_CHECKING:  # the trace imports this module
    from numpy.typing import ArrayLike

    from convanim.trace import PoolTrace, UnpoolTrace

Combine = Literal["sum", "mean", "max", "norm"]


@dataclass(frozen=True, repr=False)
class Window(Operation):
    """The base class of pooling and unpooling: a window with a stride."""

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Padding = 0

    known_in: ClassVar[tuple[str, ...]] = tuple(KNOWN)

    def _check(self) -> None:
        check_padding(self.convention, "pool", self.padding, self.known_in)

    def step(self, i: int) -> int:
        """The stride along axis i: by default the kernel size, in JAX and ONNX 1."""
        default: Sizes = self.kernel_size if self.rules.window else 1
        step: int = at(default if self.stride is None else self.stride, i)
        return step


@dataclass(frozen=True, repr=False)
class Pooling(Operation):
    """The base class of all poolings: each window becomes its maximum, its mean or its norm."""

    family: ClassVar[str] = "pools"

    combine: ClassVar[Combine]

    @property
    def counts_padding(self) -> bool:
        """Whether the result includes the padding, which only a mean may do."""
        return False

    @property
    def power(self) -> int | float:
        """The power of the values in the sum, which is not 1 for a norm only."""
        return 1

    def trace(
        self, x: ArrayLike, *, channels: int | Sequence[int] | None = None, batch: int | None = None
    ) -> PoolTrace:
        """Follow every window of this layer over an input: see `convanim.trace.Trace`.

        Args:
            x: (L,), (H, W) or (C, H, W), and so on; channels last in the keras and jax conventions. If no
                argument determines the number of axes, three axes are read as (C, H, W) and four as (C, D, H, W).
            channels: the numbers of the channels to follow; None for all.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: a shape that does not fit, NaN or infinity.

        Example:
            >>> done = MaxPool(kernel_size=2).trace([[1, 2, 0, 1], [4, 3, 1, 5]])
            >>> done.output.tolist(), done.indices.tolist()
            ([[4, 5]], [[4, 7]])
        """
        traced: PoolTrace = self._traced(x, channels=channels, batch=batch)
        return traced


@dataclass(frozen=True, repr=False)
class Pool(Window, Pooling):
    """The base class of poolings with a kernel: output o = floor((i + 2p - d(k-1) - 1) / s) + 1, or rounded up."""

    dilation: Sizes = 1
    ceil_mode: bool = False

    def _check(self) -> None:
        super()._check()
        if self.ceil_mode and self.convention in ("keras", "jax"):
            raise ConvanimError(
                f"{self.rules.title} has no `ceil_mode`", "use `padding` same, or `convention` torch or onnx"
            )

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d = at(self.kernel_size, i), self.step(i), at(self.dilation, i)
        reach = d * (k - 1) + 1
        if isinstance(self.padding, str):
            before, after = ring(self.padding, self.convention, n, s, reach)
        else:
            before, after = pair(self.padding, i)
            if self.convention == "torch" and max(before, after) * 2 > k:  # whatever the dilation
                raise ConvanimError(
                    f"`padding` {max(before, after)} is more than half of the kernel size {k} along axis {i}",
                    f"use at most {k // 2}, the limit of PyTorch",
                )
        padded = n + before + after
        if reach > padded:
            raise ConvanimError(
                f"kernel size {reach} is larger than the input, {n} padded to {padded}, along axis {i}",
                f"use a `kernel size` of at most {(padded - 1) // d + 1}, or more `padding`",
            )
        output = (padded - reach) // s + 1
        # ONNX's padding words leave nothing to round.
        if self.ceil_mode and not (self.convention == "onnx" and isinstance(self.padding, str)):
            output = -(-(padded - reach) // s) + 1
            output -= (output - 1) * s >= n + before  # no window starts in the padding at the end
        return Axis(n, output, k, s, before, after, d)


@dataclass(frozen=True, repr=False)
class MaxPool(Pool):
    """The maximum of each window; padding never wins.

    Args:
        kernel_size, stride, padding, dilation: an int, or one int per axis; padding also as (before, after) pairs or
            a word of the convention. The stride is the kernel size by default (JAX and ONNX: 1).
        ceil_mode: round the output's size up; the last window may extend beyond the padding, but not start in it.

    Source: PyTorch's MaxPool2d; ONNX MaxPool.

    Example:
        >>> MaxPool(kernel_size=2).axes((5,))[0].output, MaxPool(kernel_size=2, ceil_mode=True).axes((5,))[0].output
        (2, 3)
    """

    words: ClassVar[str] = say("Max pooling")
    called: ClassVar[tuple[str, str]] = say("max pooling"), say("a max pooling")
    record: ClassVar[Record] = Record("pool", "MaxPool(2)", "maxpool maxpooling pool pooling")
    combine: ClassVar[Combine] = "max"


@dataclass(frozen=True, repr=False)
class AvgPool(Pool):
    """The mean of each window.

    Args:
        count_include_pad: whether the mean includes the padding as zeros; by default as in the convention
            (PyTorch and JAX: yes). Cells beyond the padding, under a window of ceil_mode, are never included.

    The other arguments are those of `MaxPool`.

    Source: PyTorch's AvgPool2d; ONNX AveragePool.

    Example:
        >>> AvgPool(kernel_size=2, padding=1).trace([4, 4]).output.tolist()
        [2.0, 2.0]
        >>> AvgPool(kernel_size=2, padding=1, count_include_pad=False).trace([4, 4]).output.tolist()
        [4.0, 4.0]
    """

    count_include_pad: bool | None = None

    words: ClassVar[str] = say("Average pooling")
    called: ClassVar[tuple[str, str]] = say("average pooling"), say("an average pooling")
    record: ClassVar[Record] = Record(
        "pool",
        "AvgPool(2)",
        "avgpool avgpooling averagepool averagepooling meanpool meanpooling",
        {"mode": "avg"},
    )
    combine: ClassVar[Combine] = "mean"

    def _check(self) -> None:
        super()._check()
        if self.convention == "keras" and self.count_include_pad:
            raise ConvanimError("Keras never counts the padding in an average", "leave `count_include_pad` out")

    @property
    def counts_padding(self) -> bool:
        """Whether the mean includes the padding."""
        return self.rules.counts_padding if self.count_include_pad is None else self.count_include_pad


@dataclass(frozen=True, repr=False)
class LpPool(Pool):
    """The p-norm of each window: (sum of x^p)^(1/p).

    Args:
        norm_type: p. PyTorch takes powers of the values themselves, ONNX of their absolute values.

    The other arguments are those of `MaxPool`. PyTorch's LPPool has no padding and no dilation; here padding adds
    nothing to the sum.

    Source: PyTorch's LPPool2d; ONNX LpPool.

    Example:
        >>> LpPool(kernel_size=2).trace([3, 4]).output.tolist()
        [5.0]
    """

    norm_type: int | float = 2

    words: ClassVar[str] = say("Lp pooling")
    called: ClassVar[tuple[str, str]] = say("lp pooling"), say("a lp pooling")
    record: ClassVar[Record] = Record("pool", "LpPool(2)", "lppool lppooling l2pool", {"mode": "lp"})
    combine: ClassVar[Combine] = "norm"
    known_in: ClassVar[tuple[str, ...]] = ("torch", "onnx")

    @property
    def power(self) -> int | float:
        """The power of the values in the sum."""
        return self.norm_type

    def _check(self) -> None:
        super()._check()
        if self.convention not in self.known_in:
            raise ConvanimError(f"{self.rules.title} has no Lp pooling", "use `convention` torch or onnx")


@dataclass(frozen=True, repr=False)
class MaxUnpool(Window):
    """Values return to the positions of their maxima, with zeros elsewhere: output o = (i - 1)s - 2p + k, unless given.

    Args:
        kernel_size, stride, padding: those of the max pooling that it undoes.

    Source: PyTorch's MaxUnpool2d; ONNX MaxUnpool.

    Example:
        >>> pooled = MaxPool(kernel_size=2).trace([[1, 2, 0, 1], [4, 3, 1, 5]])
        >>> MaxUnpool(kernel_size=2).trace(pooled).output.tolist()
        [[0, 0, 0, 0], [4, 0, 0, 5]]
    """

    family: ClassVar[str] = "unpool"

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = say("Max unpooling")
    called: ClassVar[tuple[str, str]] = say("max unpooling"), say("a max unpooling")
    record: ClassVar[Record] = Record("unpool", "MaxUnpool(2)", "maxunpool maxunpooling unpool unpooling")
    known_in: ClassVar[tuple[str, ...]] = ("torch", "onnx")

    def _check(self) -> None:
        if self.convention in self.known_in and isinstance(self.padding, str) and self.padding != "valid":
            raise ConvanimError(
                f"unpooling with `padding` {self.padding!r} does not determine the output size",
                "give the padding as numbers",
            )
        super()._check()
        if self.convention not in self.known_in:
            raise ConvanimError(f"{self.rules.title} has no max unpooling", "use `convention` torch or onnx")

    def trace(
        self,
        x: ArrayLike | PoolTrace,
        indices: ArrayLike | None = None,
        output_size: int | Sequence[int] | Literal["default"] | None = None,
        *,
        batch: int | None = None,
    ) -> UnpoolTrace:
        """Trace every value back to its position: see `convanim.trace.Trace`.

        Args:
            x: the pooled values, (L,), (H, W) or (C, H, W) and so on; or the trace of a max pooling, which provides
                the rest.
            indices: the flat index of each value in the output, counted row by row in each channel from 0 (in ONNX
                through all channels), in the shape of `x`. If two values have the same index, the last one remains.
            output_size: the spatial sizes of the output, as several inputs of a pooling give the same output. "default"
                is the frameworks' default, (i - 1)s - 2p + k. If not given, it is the size of the pooling's input
                if `x` is its trace, otherwise the default. The indices count cells of this output: with
                rows of another length they refer to other cells than those of the maxima.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: shapes or indices that do not fit.

        Example:
            >>> pooled = MaxPool(kernel_size=2).trace([[0, 0, 0], [1, 0, 0]])
            >>> MaxUnpool(kernel_size=2).trace(pooled).output.tolist()
            [[0, 0, 0], [1, 0, 0]]
            >>> MaxUnpool(kernel_size=2).trace(pooled, output_size="default").output.tolist()
            [[0, 0], [0, 1]]
        """
        traced: UnpoolTrace = self._traced(x, indices, output_size, batch=batch)
        return traced

    def _axis(self, i: int, n: int) -> Axis:
        k, s = at(self.kernel_size, i), self.step(i)
        before, after = (0, 0) if isinstance(self.padding, str) else pair(self.padding, i)
        output = (n - 1) * s + k - before - after
        if output < 1:
            raise ConvanimError(
                f"`padding` {before} + {after} crops the whole output of {(n - 1) * s + k} cells along axis {i}",
                "use less `padding`",
            )
        return Axis(n, output, k, s, before, after, transposed=True)

    def sized(self, axes: Sequence[Axis], output_size: int | Sequence[int] | None) -> tuple[Axis, ...]:
        """The axes with the given sizes, which may differ from the formula's by less than a stride.

        Raises:
            ConvanimError: sizes that no input of the pooling could have had.
        """
        if output_size is None:
            return tuple(axes)
        told = sizes_of("output_size", output_size)
        wanted = (told,) * len(axes) if isinstance(told, int) else told
        if len(wanted) != len(axes):
            raise ConvanimError(
                f"an output of {times(wanted)} does not have the {len(axes)} axes of the input",
                "give one size per axis",
            )
        for i, (a, size) in enumerate(zip(axes, wanted, strict=True)):
            if not a.output - a.stride < size < a.output + a.stride or size < 1:
                low, high = max(1, a.output - a.stride + 1), a.output + a.stride - 1
                raise ConvanimError(
                    f"an output of {times(wanted)} does not fit along axis {i}, where the default is {a.output}",
                    f"use {low} to {high} there" if low < high else f"use {low} there",
                )
        return tuple(
            Axis(a.input, o, a.kernel, a.stride, a.before, a.after, transposed=True)
            for a, o in zip(axes, wanted, strict=True)
        )

"""Adaptive poolings, whose windows follow from the sizes of the input and of the output."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.arguments import at
from convanim.layers.axis import Axis
from convanim.layers.operation import Record
from convanim.layers.pools import Combine, Pooling


@dataclass(frozen=True)
class Adapted(Axis):
    """One axis of an adaptive pooling: output cell t reads the input cells ⌊t·i / o⌋ to ⌈(t + 1)·i / o⌉ − 1.

    `kernel` is the size of the largest window. If the windows are regular, `stride` is their distance, or 1 if there is
    only one; otherwise it has no meaning.

    Example:
        >>> [Adapted.along(5, 3).window(t) for t in range(3)]
        [(0, 2), (1, 4), (3, 5)]
        >>> Adapted.along(5, 3).sizes, Adapted.along(7, 3).sizes, Adapted.along(7, 3).regular
        ((2, 3), (3, 3), True)
    """

    @classmethod
    def along(cls, cells: int, output: int) -> Adapted:
        """The axis of an input of this size."""
        whole, rest = divmod(cells, output)
        # The window of cell t has ⌈(t·rest mod output + rest) / output⌉ cells more than `whole`.
        most = whole + (rest > 0) + (rest > gcd(rest, output))
        return cls(cells, output, most, whole if output > 1 and whole else 1)

    def window(self, cell: int) -> tuple[int, int]:
        """The cells of the input under the window of an output cell."""
        return cell * self.input // self.output, -(-(cell + 1) * self.input // self.output)

    @property
    def sizes(self) -> tuple[int, int]:
        """The sizes of the smallest and of the largest window."""
        return -(-self.input // self.output), self.kernel

    @property
    def regular(self) -> bool:
        """Whether a pooling with a kernel and a stride has the same windows."""
        whole, rest = divmod(self.input, self.output)
        return self.output == 1 or rest == 0 or (rest == 1 and whole > 0)

    @property
    def taps(self) -> int:
        """The maximum number of pairs of an input cell and an output cell that meet."""
        return self.input + self.output  # neighbouring windows share one cell at most

    @property
    def unused(self) -> int:
        """Every cell is in a window."""
        return 0

    @property
    def beyond(self) -> int:
        """No window extends beyond the input."""
        return 0


@dataclass(frozen=True, repr=False)
class AdaptivePool(Pooling):
    """The base class of adaptive poolings: the output has the given size, whatever that of the input."""

    lines: ClassVar[str] = "adaptive"

    output_size: int | tuple[int | None, ...]

    def _check(self) -> None:
        sizes = self.output_size if isinstance(self.output_size, tuple) else (self.output_size,)
        if self.convention in ("jax", "onnx") and set(sizes) != {1}:
            raise ConvanimError(
                f"{self.rules.title} has no adaptive pooling but the global one",
                "use `output_size` 1, or `convention` torch or keras",
            )
        if self.convention == "keras" and None in sizes:
            raise ConvanimError("Keras needs a size for every axis", "give numbers, or use `convention` torch")

    def _axis(self, i: int, n: int) -> Axis:
        size = at(self.output_size, i)
        return Adapted.along(n, n if size is None else size)


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPool(AdaptivePool):
    """The mean of each window of an adaptive pooling, divided by the number of cells in that window.

    With an output size of 1 it is global average pooling: one window covers the whole input.

    Args:
        output_size: an int, or one int per axis; None keeps the size of an axis.

    Source: PyTorch's AdaptiveAvgPool2d; Keras's GlobalAveragePooling2D; ONNX GlobalAveragePool.

    Example:
        >>> AdaptiveAvgPool(output_size=2).trace([1, 2, 3, 4, 6]).output.tolist()
        [2.0, 4.333333333333333]
        >>> AdaptiveAvgPool(output_size=1).trace([[1, 2], [3, 6]]).output.tolist()
        [[3.0]]
    """

    words: ClassVar[str] = say("Adaptive average pooling")
    called: ClassVar[tuple[str, str]] = say("adaptive average pooling"), say("an adaptive average pooling")
    record: ClassVar[Record] = Record(
        "pool",
        "AdaptiveAvgPool(3)",
        "adaptiveavgpool adaptiveavgpooling adaptiveaveragepool adaptiveaveragepooling adaptivemeanpool adaptivepool "
        "adaptivepooling globalavgpool globalavgpooling globalaveragepool globalaveragepooling globalmeanpool "
        "globalpool globalpooling",
        {"mode": "adaptive-avg", "output_size": 3},
    )
    combine: ClassVar[Combine] = "mean"


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPool(AdaptivePool):
    """The maximum of each window of an adaptive pooling; with an output size of 1, of the whole input.

    Args:
        output_size: an int, or one int per axis; None keeps the size of an axis.

    Source: PyTorch's AdaptiveMaxPool2d; Keras's GlobalMaxPooling2D; ONNX GlobalMaxPool.

    Example:
        >>> done = AdaptiveMaxPool(output_size=2).trace([1, 2, 3, 4, 6])
        >>> done.output.tolist(), done.indices.tolist()
        ([3, 6], [2, 4])
    """

    words: ClassVar[str] = say("Adaptive max pooling")
    called: ClassVar[tuple[str, str]] = say("adaptive max pooling"), say("an adaptive max pooling")
    record: ClassVar[Record] = Record(
        "pool",
        "AdaptiveMaxPool(3)",
        "adaptivemaxpool adaptivemaxpooling globalmaxpool globalmaxpooling",
        {"mode": "adaptive-max", "output_size": 3},
    )
    combine: ClassVar[Combine] = "max"

"""The arithmetic of sizes along one axis of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: The maximum size in a layer: far more than can be shown, and it keeps every product within 64 bits.
LARGEST = 2**24


@dataclass(frozen=True)
class Axis:
    """One axis of a layer for a known input; all sizes in cells.

    `before` and `after` are the padding of a convolution (around the input) or the crop of a transposed one (if
    negative, the output begins before the first stamp). `mode` is the padding mode.

    Example:
        >>> Axis(input=3, output=5, kernel=3, stride=2, before=1, after=1, transposed=True).ring
        (1, 1)
    """

    input: int
    output: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    output_padding: int = 0
    transposed: bool = False
    mode: str = "zeros"

    @property
    def reach(self) -> int:
        """The extent of the dilated kernel in cells: d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """The size of a convolution's input with its padding."""
        return self.input + self.before + self.after

    def window(self, cell: int) -> tuple[int, int]:
        """The cells of the stage under the window of an output cell, as (first, end); also for an array of cells."""
        first = cell if self.transposed else cell * self.stride
        return first, first + self.reach

    @property
    def regular(self) -> bool:
        """Whether all windows have the same size and distance: those of the kernel and the stride."""
        return True

    @property
    def sizes(self) -> tuple[int, int]:
        """The sizes of the smallest and of the largest window, without what dilation leaves out."""
        return self.kernel, self.kernel

    @property
    def taps(self) -> int:
        """The maximum number of pairs of an input cell and an output cell that meet."""
        # A cell meets each position of the kernel once, unless padding copies it.
        return self.kernel * (min(self.input, self.output) if self.mode == "zeros" else self.output)

    @property
    def unused(self) -> int:
        """The cells at the end of a convolution's padded input that no window reaches, as the size was rounded down."""
        return 0 if self.transposed else max(0, self.padded - (self.output - 1) * self.stride - self.reach)

    @property
    def beyond(self) -> int:
        """The cells of the last window beyond the padded input, as the size was rounded up."""
        return 0 if self.transposed else max(0, (self.output - 1) * self.stride + self.reach - self.padded)

    @property
    def spread(self) -> int:
        """The size of a transposed layer's input with s - 1 zeros between neighbours: (i - 1)s + 1."""
        return (self.input - 1) * self.stride + 1

    @property
    def full(self) -> int:
        """The size of a transposed layer's canvas before cropping: (i - 1)s + d(k - 1) + 1."""
        return (self.input - 1) * self.stride + self.reach

    @property
    def lead(self) -> int:
        """The cells of the canvas before the first stamp, which a negative crop adds."""
        return max(0, -self.before)

    @property
    def canvas(self) -> int:
        """The size of the canvas of all stamps and output cells; output padding may extend beyond the stamps."""
        return self.lead + max(self.full, self.before + self.output)

    @property
    def kept(self) -> slice:
        """The part of the canvas that is the output."""
        return slice(self.lead + self.before, self.lead + self.before + self.output)

    @property
    def ring(self) -> tuple[int, int]:
        """The zeros before and after a transposed layer's spread input: d(k - 1) - p, the last plus the output padding.

        Negative numbers crop.
        """
        return self.reach - 1 - self.before, self.output + self.before - self.spread

    @property
    def stage(self) -> int:
        """The size of the stage that the window slides over: the padded input, or the spread and padded one."""
        return self.output + self.reach - 1 if self.transposed else self.padded + self.beyond


@dataclass(frozen=True)
class Resampled(Axis):
    """One axis of a fixed upsampling, on which each output cell has a position between input cells.

    `kernel` is the number of input cells that an output cell may read; `place` is its coordinate system: "half_pixel",
    "asymmetric" or "align_corners"; `way` is "nearest", "bilinear" or "nails", and `ratio` is output / input, as a
    fraction (numerator, denominator), which differs from the sizes' ratio if a size was rounded down. `rounding`
    selects the nearest cell: the "floor" of the position, or the position rounded, halves "up" or "down".
    """

    way: str = "nearest"
    place: str = "asymmetric"
    ratio: tuple[int, int] = (1, 1)
    rounding: str = "floor"


def resampled(axes: Sequence[Axis]) -> list[Resampled]:
    """The axes of a fixed upsampling; none of any other layer."""
    return [a for a in axes if isinstance(a, Resampled)]


def times(sizes: Sequence[int], sign: str = "×") -> str:
    """Sizes as text: 3×3, or with the sign "x" as they are typed.

    Example:
        >>> times((3, 4)), times((3, 4), "x")
        ('3×4', '3x4')
    """
    return sign.join(map(str, sizes))

"""One axis of a layer: the arithmetic of its sizes.

Knows whole numbers. Must not know operations or values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: No size of a layer may exceed this: it is far beyond what can be looked at, and keeps every product within 64 bits.
LARGEST = 2**24


@dataclass(frozen=True)
class Axis:
    """One axis of a layer once the input is known: all sizes in cells.

    `before` and `after` are the padding of a convolution (a ring around the input) or of a transposed one (a crop;
    where it is negative, the output begins before the first stamp). `mode` says what the ring holds.

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
        """Cells from the first to the last one under the kernel: d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """Size of a convolution's input with its padding."""
        return self.input + self.before + self.after

    @property
    def unused(self) -> int:
        """Cells at the end of a convolution's padded input that no window reaches: what the floor leaves."""
        return 0 if self.transposed else max(0, self.padded - (self.output - 1) * self.stride - self.reach)

    @property
    def beyond(self) -> int:
        """Cells by which the last window sticks out of the padded input: what rounding up costs."""
        return 0 if self.transposed else max(0, (self.output - 1) * self.stride + self.reach - self.padded)

    @property
    def spread(self) -> int:
        """Size of a transposed layer's input once s - 1 zeros stand between neighbours: (i - 1)s + 1."""
        return (self.input - 1) * self.stride + 1

    @property
    def full(self) -> int:
        """Size of a transposed layer's canvas before anything is cropped: (i - 1)s + d(k - 1) + 1."""
        return (self.input - 1) * self.stride + self.reach

    @property
    def lead(self) -> int:
        """Cells of the canvas before the first stamp: those that a negative crop adds."""
        return max(0, -self.before)

    @property
    def canvas(self) -> int:
        """Size of the canvas that holds every stamp and every output cell: output padding may go beyond the stamps."""
        return self.lead + max(self.full, self.before + self.output)

    @property
    def kept(self) -> slice:
        """The part of the canvas that is the output."""
        return slice(self.lead + self.before, self.lead + self.before + self.output)

    @property
    def ring(self) -> tuple[int, int]:
        """Zeros before and after a transposed layer's spread input: d(k - 1) - p, at the end output padding more.

        Negative ones are cropped.
        """
        return self.reach - 1 - self.before, self.output + self.before - self.spread

    @property
    def stage(self) -> int:
        """Size of what the window slides over: the padded input, or the spread and padded one."""
        return self.output + self.reach - 1 if self.transposed else self.padded + self.beyond


@dataclass(frozen=True)
class Resampled(Axis):
    """One axis of a fixed upsampling: each output cell lies at a place between input cells.

    `kernel` is the number of input cells that an output cell may read, `place` says where it lies: "half_pixel",
    "asymmetric" or "align_corners"; `way` is "nearest", "bilinear" or "nails", and `ratio` is output / input, as a
    fraction (numerator, denominator), which is not output / input where a scale factor was rounded down. `rounding`
    says which cell the nearest one is: "floor" of the place, or the place rounded, a half "up" or "down".
    """

    way: str = "nearest"
    place: str = "asymmetric"
    ratio: tuple[int, int] = (1, 1)
    rounding: str = "floor"


def times(sizes: Sequence[int], sign: str = "×") -> str:
    """Sizes as they are written: 3×3; with the sign "x" as they are typed.

    Example:
        >>> times((3, 4)), times((3, 4), "x")
        ('3×4', '3x4')
    """
    return sign.join(map(str, sizes))

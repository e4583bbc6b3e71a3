"""Fixed upsampling (nearest, bilinear, bed of nails) and pixel shuffle: their arguments and output sizes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, ClassVar

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.arguments import Factors, Sizes, at
from convanim.layers.axis import LARGEST, Axis, Resampled
from convanim.layers.operation import Operation, Record

if TYPE_CHECKING:  # the trace imports this module
    from numpy.typing import ArrayLike

    from convanim.trace import ShuffleTrace, UpsampleTrace


@dataclass(frozen=True, repr=False)
class Upsample(Operation):
    """Upsampling without learned weights: nearest, bilinear or bed of nails.

    Args:
        size: the output size, or
        scale_factor: output / input; the output is rounded down.
        mode: 'nearest' copies, 'bilinear' (on any number of axes) interpolates, 'nails' inserts zeros.
        align_corners: bilinear only: align the first and last cells of input and output.
        coordinates: the position of output cells between input cells: 'half_pixel' (aligned centres), 'asymmetric'
            (aligned edges) or 'align_corners'. By default the convention's: half_pixel for bilinear; for nearest
            asymmetric in PyTorch and Keras, half_pixel in JAX and ONNX.

    At the borders the outermost cell is repeated; otherwise bilinear values would fade there.

    Source: PyTorch's Upsample; ONNX Resize; jax.image.resize; Odena, Dumoulin and Olah (2016) for its purpose.

    Example:
        >>> Upsample(scale_factor=2).trace([[1, 2], [3, 4]]).output.tolist()
        [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
        >>> Upsample(scale_factor=2, mode="bilinear").trace([0, 4]).output.tolist()
        [0.0, 1.0, 3.0, 4.0]
    """

    family: ClassVar[str] = "upsample"

    size: Sizes | None = None
    scale_factor: Factors | None = None
    mode: str = "nearest"
    align_corners: bool = False
    coordinates: str | None = field(default=None, kw_only=True)

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = say("Upsampling")
    called: ClassVar[tuple[str, str]] = say("upsampling"), say("an upsampling")
    record: ClassVar[Record] = Record(
        "upsample",
        "Upsample(scale_factor=2)",
        "upsample upsampling interpolate interpolation resize upsamplingnearest upsamplingbilinear upsamplenearest "
        "upsamplebilinear bilinear nearest imageresize",
    )

    def _check(self) -> None:
        if (self.size is None) == (self.scale_factor is None):
            given = "both `size` and `scale_factor`" if self.size is not None else "neither `size` nor `scale_factor`"
            raise ConvanimError(f"an upsampling has {given}", "give one of them, like `scale_factor=2`")
        if self.align_corners and self.mode != "bilinear":
            raise ConvanimError(
                f"`align_corners` cannot be combined with `mode` {self.mode}", "use `mode` bilinear or leave it out"
            )
        if self.align_corners and self.coordinates not in (None, "align_corners"):
            raise ConvanimError(
                f"`align_corners` cannot be combined with `coordinates` {self.coordinates}", "leave one of them out"
            )
        if self.mode == "nails" and self.coordinates is not None:
            raise ConvanimError("`coordinates` cannot be combined with `mode` nails", "leave them out")
        if self.mode == "nearest" and self.coordinates == "align_corners":
            raise ConvanimError(
                "`coordinates` align_corners cannot be combined with `mode` nearest", "use half_pixel or asymmetric"
            )
        factors = self.scale_factor if isinstance(self.scale_factor, tuple) else (self.scale_factor or 1,)
        wants_whole = (
            "nails upsample" if self.mode == "nails" else "Keras upsamples" if self.convention == "keras" else ""
        )
        if wants_whole and (self.size is not None or any(f != int(f) for f in factors)):
            asked = f"`size` {self.size}" if self.size is not None else f"`scale_factor` {self.scale_factor}"
            raise ConvanimError(f"{wants_whole} by integer factors only, not by {asked}", "use `scale_factor=2`")

    @property
    def place(self) -> str:
        """The coordinate system that applies."""
        if self.align_corners:
            return "align_corners"
        if self.coordinates is not None:
            return self.coordinates
        if self.mode == "bilinear" or (self.mode == "nearest" and self.convention in ("jax", "onnx")):
            return "half_pixel"
        return "asymmetric"

    def trace(
        self, x: ArrayLike, *, channels: int | Sequence[int] | None = None, batch: int | None = None
    ) -> UpsampleTrace:
        """Trace the input cells of every output cell: see `convanim.trace.Trace`.

        Args:
            x: (L,), (H, W) or (C, H, W), and so on; channels last in the keras and jax conventions.
            channels: the numbers of the channels to follow; None for all.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: a shape that does not fit, NaN or infinity.
        """
        traced: UpsampleTrace = self._traced(x, channels=channels, batch=batch)
        return traced

    def _axis(self, i: int, n: int) -> Axis:
        output, ratio = self._resized(i, n)
        if not 1 <= output <= LARGEST:
            raise ConvanimError(
                f"`scale_factor` {at(self.scale_factor, i)} turns {n} cells into {output} along axis {i}",
                "use a larger factor" if output < 1 else "use a smaller factor",
            )
        if self.convention == "jax" and self.mode == "bilinear" and output < n:
            raise ConvanimError(
                f"JAX smooths when it downsamples, here from {n} to {output} along axis {i}", "use `convention` torch"
            )
        step = max(1, int(ratio))
        kernel = {"nearest": step, "bilinear": 2}.get(self.mode, 1)
        return Resampled(
            *(n, output, kernel, step),
            transposed=True,
            way=self.mode,
            place=self.place,
            ratio=(ratio.numerator, ratio.denominator),
            rounding="down" if self.convention == "onnx" else "up" if self.place == "half_pixel" else "floor",
        )

    def _resized(self, i: int, n: int) -> tuple[int, Fraction]:
        """The output's size along axis i, and the ratio output / input."""
        if self.size is not None:
            return at(self.size, i), Fraction(at(self.size, i), n)
        factor = at(self.scale_factor, i)
        if self.convention == "onnx":  # ONNX stores scales as 32-bit floats
            factor = struct.unpack("f", struct.pack("f", factor))[0]
            return floor(n * Fraction(factor)), Fraction(factor)
        output = floor(n * factor)
        if self.convention != "torch":  # Keras has integer factors, JAX sizes
            return output, Fraction(max(output, 1), n)
        # The decimal as typed: 1.1 is 11/10, not a binary fraction. PyTorch copies an axis whose size is unchanged.
        same = self.mode == "bilinear" and output == n
        return output, Fraction(1) if same else Fraction(str(factor))


@dataclass(frozen=True, repr=False)
class Shuffle(Operation):
    """The base class of pixel shuffle and unshuffle, which convert r x r channels to blocks of r x r cells.

    In the order CRD (PyTorch), channel c·r² + i·r + j is row i and column j of channel c; in DCR (the default of ONNX,
    and TensorFlow's) it is channel (i·r + j)·C + c.
    """

    family: ClassVar[str] = "shuffle"

    order: str | None = field(default=None, kw_only=True)

    @property
    def depth_first(self) -> bool:
        """Whether the channels of one block are C apart (DCR) instead of adjacent (CRD)."""
        return (self.order or ("CRD" if self.convention == "torch" else "DCR")) == "DCR"

    @property
    def rank(self) -> int:
        """Always two axes."""
        return 2

    @property
    def factor(self) -> int:
        """r, the number of rows and columns of a block."""
        raise NotImplementedError

    def trace(self, x: ArrayLike, *, batch: int | None = None) -> ShuffleTrace:
        """Trace every value to its position: see `convanim.trace.Trace`.

        Args:
            x: (C, H, W); (H, W, C) in the keras and jax conventions.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: channels or sizes that are not a multiple of r x r (or r).
        """
        traced: ShuffleTrace = self._traced(x, batch=batch)
        return traced


@dataclass(frozen=True, repr=False)
class PixelShuffle(Shuffle):
    """Depth to space: (C·r², H, W) becomes (C, H·r, W·r).

    Args:
        upscale_factor: r.
        order: 'CRD' or 'DCR'; by default CRD in the torch convention, DCR in the others.

    Source: Shi et al., Real-time single image and video super-resolution (2016); ONNX DepthToSpace.

    Example:
        >>> PixelShuffle(2).trace([[[1]], [[2]], [[3]], [[4]]]).output.tolist()
        [[[1, 2], [3, 4]]]
    """

    upscale_factor: int

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = say("Pixel shuffle")
    called: ClassVar[tuple[str, str]] = say("pixel shuffle"), say("a pixel shuffle")
    record: ClassVar[Record] = Record(
        "shuffle", "PixelShuffle(2)", "pixelshuffle depthtospace subpixel subpixelconv shuffle"
    )

    @property
    def factor(self) -> int:
        """r, the number of rows and columns of a block."""
        return self.upscale_factor

    @property
    def least(self) -> int:
        """The channels of one block."""
        return self.factor**2

    def channels(self, inputs: int) -> int:
        """The number of output channels: C of C·r²."""
        r = self.factor
        if inputs % r**2:
            raise ConvanimError(
                f"{inputs} channels cannot be shuffled into cells of {r}×{r}",
                f"give a multiple of {r**2} channels, as {'`(H, W, C)`' if self.rules.last else '`(C, H, W)`'}",
            )
        return inputs // r**2

    def _axis(self, i: int, n: int) -> Axis:
        return Axis(n, n * self.factor, self.factor, self.factor, transposed=True)


@dataclass(frozen=True, repr=False)
class PixelUnshuffle(Shuffle):
    """Space to depth: (C, H·r, W·r) becomes (C·r², H, W).

    Args:
        downscale_factor: r.
        order: 'CRD' or 'DCR'; by default CRD in the torch convention, DCR in the others.

    Source: PyTorch's PixelUnshuffle; ONNX SpaceToDepth.

    Example:
        >>> PixelUnshuffle(2).trace([[1, 2], [3, 4]]).output.tolist()
        [[[1]], [[2]], [[3]], [[4]]]
    """

    downscale_factor: int

    words: ClassVar[str] = say("Pixel unshuffle")
    called: ClassVar[tuple[str, str]] = say("pixel unshuffle"), say("a pixel unshuffle")
    record: ClassVar[Record] = Record(
        "shuffle", "PixelUnshuffle(2)", "pixelunshuffle spacetodepth unshuffle", {"inverse": True}
    )

    @property
    def factor(self) -> int:
        """r, the number of rows and columns of a block."""
        return self.downscale_factor

    def channels(self, inputs: int) -> int:
        """The number of output channels: C·r²."""
        return inputs * self.factor**2

    def _axis(self, i: int, n: int) -> Axis:
        r = self.factor
        if n % r:
            raise ConvanimError(f"{n} cells along axis {i} are not a multiple of {r}", f"use a multiple of {r}")
        return Axis(n, n // r, r, r)

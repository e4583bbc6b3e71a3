"""Convolution and transposed convolution: their arguments and output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.arguments import Padding, Sizes, at, pair
from convanim.layers.axis import LARGEST, Axis, times
from convanim.layers.conventions import KNOWN, Convention, check_padding, crop, ring
from convanim.layers.operation import Operation, Record

if TYPE_CHECKING:  # the trace imports this module
    from numpy.typing import ArrayLike

    from convanim.trace import ConvTrace


@dataclass(frozen=True, repr=False)
class Weighted(Operation):
    """The base class of `Conv` and `ConvTranspose`."""

    family: ClassVar[str] = "convolutions"

    kernel_size: Sizes
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = field(default=1, kw_only=True)
    groups: int = field(default=1, kw_only=True)
    in_channels: int | None = field(default=None, kw_only=True)
    out_channels: int | None = field(default=None, kw_only=True)

    def _check(self) -> None:
        check_padding(self.convention, "transposed" if self.transposed else "conv", self.padding, KNOWN)
        if self.convention == "keras" and _most(self.stride) > 1 and _most(self.dilation) > 1:
            raise ConvanimError(
                f"Keras cannot combine `stride` {self.stride} with `dilation` {self.dilation}",
                "use only one of them, or `convention` torch",
            )
        for name in ("in_channels", "out_channels"):
            count = getattr(self, name)
            if count is not None and count % self.groups:
                raise ConvanimError(
                    f"`groups` {self.groups} does not divide {name} {count}", "use a common divisor of both counts"
                )

    @property
    def slides_rotated(self) -> bool:
        """Whether the kernel slides rotated by 180 degrees, compared with the one that is given."""
        raise NotImplementedError

    @property
    def held_rotated(self) -> bool:
        """Whether a trace holds the given kernel rotated by 180 degrees.

        Its weights are those of PyTorch's layer: a convolution slides them, and a transposed one stamps them.
        """
        return self.slides_rotated != self.transposed

    def takes(self, shape: Sequence[int]) -> None:
        """Refuse an input with another number of channels than the layer has, if that is known.

        Args:
            shape: the shape of the input with its channels, which are first or last as in the convention.

        Raises:
            ConvanimError: the message names both numbers, the hint the shape to give instead.

        Example:
            >>> Conv(3, in_channels=3).takes((5, 5, 3))
            Traceback (most recent call last):
            ...
            convanim.errors.ConvanimError: the input 5×5×3 has 5 channels, which come first in PyTorch, and the layer \
takes 3; give an input of 3x5x5.
        """
        last = self.rules.last
        channels = shape[-1] if last else shape[0]
        if self.convention == "scipy" and channels > 1 == self.groups:
            raise ConvanimError(
                f"SciPy's functions have no channels, and the input {times(shape)} has {channels}",
                f"give one of them alone, of {times(shape[1:], 'x')}, or filter each one with `groups` {channels}",
            )
        if self.in_channels in (None, channels):
            return
        there = self.in_channels == (shape[0] if last else shape[-1])  # channels at the other end
        sizes = list(shape[1:] if last == there else shape[:-1])
        right = [*sizes, self.in_channels] if last else [self.in_channels, *sizes]
        has = "one channel" if channels == 1 else f"{channels} channels"
        raise ConvanimError(
            f"the input {times(shape)} has {has}, which come {'last' if last else 'first'} in "
            f"{self.rules.title}, and the layer takes {self.in_channels}",
            f"give an input of {times(right, 'x')}",
        )

    def trace(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        bias: ArrayLike | None = None,
        *,
        channels: int | Sequence[int] | None = None,
        out_channels: int | Sequence[int] | None = None,
        batch: int | None = None,
    ) -> ConvTrace:
        """Follow every multiplication of this layer over an input: see `convanim.trace.Trace`.

        Args:
            x: (L,), (H, W) or (C, H, W), and so on, with or without a channel axis, or with a leading axis for a batch.
                The channels come last in the keras and jax conventions: (H, W, C).
            weight: PyTorch's layout, conv (C_out, C_in / groups, *k), transposed (C_in, C_out / groups, *k); also in
                ONNX. In Keras (*k, C_in / groups, C_out) and (*k, C_out, C_in), in JAX (*k, C_in / groups, C_out)
                for both. With one channel the kernel (*k) alone will do.
            bias: a number, or (C_out,).
            channels: the numbers of the input channels to draw; None for as many as can be looked at. The sums are
                over all of them, whichever are drawn.
            out_channels: the numbers of the output channels to compute, or how many of them, from the first; None for
                all. `weight` and `bias` are those of the whole layer.
            batch: the item of a batch; None for the first one of several, which a warning tells.

        Raises:
            ConvanimError: shapes that do not fit, a channel or an item that does not exist, NaN or infinity, sums
                beyond 64 bits.

        Example:
            >>> Conv(kernel_size=2).trace([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]).output.tolist()
            [[37, 47], [67, 77]]
            >>> Conv(1).trace([[[1]], [[10]]], [[[[1]], [[1]]], [[[2]], [[3]]]], out_channels=[1]).output.tolist()
            [[[32]]]
        """
        traced: ConvTrace = self._traced(x, weight, bias, channels=channels, out_channels=out_channels, batch=batch)
        return traced


@dataclass(frozen=True, repr=False)
class Conv(Weighted):
    """Convolution in the sense of deep learning (cross-correlation): output o = floor((i + 2p - d(k-1) - 1) / s) + 1.

    In the scipy convention it is that of signal processing, which rotates the kernel by 180 degrees.

    Args:
        kernel_size, stride, dilation: an int, or one int per axis.
        padding: cells added around the input: an int, one int per axis, one (before, after) pair per axis, or a word:
            'valid' none, 'same' as in the convention (PyTorch: stride 1 only; the others: ceil(i / s) outputs, the
            smaller half first; SciPy: k - 1, the larger half first), 'same_lower' the larger half first, 'causal' all
            of it first, 'full' d(k-1) on both sides.
        padding_mode: the values of the padding: 'zeros', 'reflect' (without the cell at the edge), 'symmetric' (with
            it), 'replicate' or 'circular'.
        flip: whether the kernel is rotated by 180 degrees before it slides, which makes this a convolution in the
            sense of mathematics; by default only in the scipy convention.
        groups: channels are split into this many groups.
        in_channels, out_channels: the numbers of channels, if known. An input with channels must have `in_channels`;
            weights may hold only the first of the output channels. A kernel without channels has one of each.
        convention: 'torch', 'keras', 'jax', 'onnx' or 'scipy'. SciPy has neither stride nor dilation.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), relationship 6.

    Example:
        >>> Conv(kernel_size=3, stride=2, padding=1)
        Conv(kernel_size=3, stride=2, padding=1)
        >>> Conv(kernel_size=3, convention="scipy").trace([1, 2, 3, 4], [1, 0, -1]).output.tolist()
        [2, 2]
    """

    padding_mode: str = field(default="zeros", kw_only=True)
    flip: bool | None = field(default=None, kw_only=True)

    words: ClassVar[str] = say("Convolution")
    called: ClassVar[tuple[str, str]] = say("convolution"), say("a convolution")
    record: ClassVar[Record] = Record(
        "conv",
        "Conv(3)",
        "conv convolution convolve crosscorrelation atrousconv convgeneraldilated convwithgeneralpadding",
    )

    def _usual(self, name: str) -> Any:
        return self.rules.flips if name == "flip" else super()._usual(name)

    @property
    def slides_rotated(self) -> bool:
        """Whether the kernel is flipped."""
        return bool(self.flip)

    def _check(self) -> None:
        super()._check()
        if self.flip is None:
            object.__setattr__(self, "flip", self._usual("flip"))
        for name, way in _NOT_IN_SCIPY.items():
            if self.convention == "scipy" and _most(getattr(self, name)) > 1:
                raise ConvanimError(
                    f"SciPy has no `{name}`, but {getattr(self, name)} was given",
                    f"{way}, or use `convention` torch with `flip`",
                )
        if self.convention == "torch" and self.padding == "same" and _most(self.stride) > 1:
            raise ConvanimError(
                f"PyTorch has no `padding` 'same' with `stride` {self.stride}",
                "give the padding as numbers, or use `convention` keras, jax or onnx for ceil(i / s) outputs",
            )
        if self.padding == "causal" and (self.rank or 1) > 1:
            raise self._not_causal()

    @staticmethod
    def _not_causal() -> ConvanimError:
        return ConvanimError("`padding` 'causal' is not defined for several axes", "use it with one axis")

    def _axis(self, i: int, n: int) -> Axis:
        if self.padding == "causal" and i:
            raise self._not_causal()
        k, s, d = at(self.kernel_size, i), at(self.stride, i), at(self.dilation, i)
        reach = d * (k - 1) + 1
        if isinstance(self.padding, str):
            before, after = ring(self.padding, self.convention, n, s, reach)
        else:
            before, after = pair(self.padding, i)
        padded = n + before + after
        if reach > padded:
            span = f"{k} (dilated to {reach})" if d > 1 else f"{k}"
            inside = f"{n} padded to {padded}" if padded > n else f"{n}"
            swapped = self.convention == "scipy" and self.padding in (0, "valid")
            swaps = ", and SciPy would swap the two" if swapped else ""
            raise ConvanimError(
                f"kernel size {span} is larger than the input, {inside}, along axis {i}{swaps}",
                f"use a `kernel size` of at most {(padded - 1) // d + 1}, or more `padding`",
            )
        if self.convention == "scipy" and self.padding == "same" and k > n and self.rank == 1:
            raise ConvanimError(
                f"kernel size {k} is larger than the input, {n}, where NumPy would swap the two for {k} cells and "
                f"SciPy keep the input's {n}",
                f"give the longer one as the input, or SciPy's `padding` as numbers, {before}:{after}",
            )
        # A reflection has the cells of the input except its edge, others all of them; SciPy repeats them.
        most = {"reflect": n - 1, "circular": n, "symmetric": n}.get(self.padding_mode, max(before, after))
        if max(before, after) > most and self.convention != "scipy":
            raise ConvanimError(
                f"{self.padding_mode} padding {max(before, after)} is more than an input of {n} has to copy, "
                f"along axis {i}",
                f"use at most {most}, or `padding mode` replicate",
            )
        return Axis(n, (padded - reach) // s + 1, k, s, before, after, d, mode=self.padding_mode)

    def backward(self, sizes: Sequence[int]) -> ConvTranspose:
        """The layer that maps the gradient with respect to this layer's output to that with respect to its input.

        It has this layer's weights as they slide, and the same taps in the opposite direction.

        Args:
            sizes: the spatial sizes of this layer's input.

        Raises:
            ConvanimError: the layer does not fit such an input, or its padding is not zeros.

        Source: Dumoulin and Visin (2016), section 4.1.

        Example:
            >>> Conv(kernel_size=3, stride=2, padding=1).backward((6, 6))
            ConvTranspose(kernel_size=3, stride=2, padding=1, output_padding=1)
        """
        if self.padding_mode != "zeros":
            raise ConvanimError(
                f"the gradient of {self} is not a transposed convolution, as its padding copies cells",
                "use `padding mode` zeros",
            )
        axes = self.axes(sizes)
        return ConvTranspose(
            self.kernel_size,
            self.stride,
            _shortest([(a.before, a.after) for a in axes]),
            dilation=self.dilation,
            groups=self.groups,
            in_channels=self.out_channels,
            out_channels=self.in_channels,
            output_padding=_shortest([a.unused for a in axes]),
        )


@dataclass(frozen=True, repr=False)
class ConvTranspose(Weighted):
    """Transposed convolution: output o = (i - 1)s - 2p + d(k-1) + output_padding + 1.

    Args:
        kernel_size, stride, dilation: an int, or one int per axis.
        padding: the crop of the full result: an int, one int per axis, one (before, after) pair per axis, or a
            word: 'valid' crops nothing, 'same' gives i * s (Keras, JAX, ONNX), 'full' crops d(k-1). In the jax
            convention numbers are the padding around the input with its inserted zeros, d(k-1) minus the crop.
        output_padding: an edge at the end that is not cropped, less than max(stride, dilation). By default 0,
            but in Keras and JAX the one with which 'valid' gives i * s + max(k - s, 0).
        groups: channels are split into this many groups.
        in_channels, out_channels: the numbers of channels, if known. An input with channels must have `in_channels`;
            weights may hold only the first of the output channels. A kernel without channels has one of each.
        convention: 'torch', 'keras', 'jax' or 'onnx'. In jax the kernel is not rotated.
        transpose_kernel: in the jax convention, rotate the kernel and take its weights as (*k, C_out, C_in), like the
            other conventions.

    Source: Dumoulin and Visin (2016), relationship 14; PyTorch's ConvTranspose2d for dilation and output padding.

    Example:
        >>> ConvTranspose(kernel_size=3, stride=2)
        ConvTranspose(kernel_size=3, stride=2)
    """

    output_padding: Sizes | None = field(default=None, kw_only=True)
    transpose_kernel: bool = field(default=False, kw_only=True)

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = say("Transposed convolution")
    called: ClassVar[tuple[str, str]] = say("transposed convolution"), say("a transposed convolution")
    record: ClassVar[Record] = Record(
        "transposed",
        "ConvTranspose(3, stride=2)",
        "convtranspose convtransposed transposeconv transposedconv transposedconvolution deconv deconvolution "
        "convbackpropinput fractionallystridedconv upconv transposed transpose",
    )

    def _usual(self, name: str) -> Any:
        # Keras and JAX have rules of their own for a missing output padding.
        return 0 if name == "output_padding" and self.convention in ("torch", "onnx") else super()._usual(name)

    @property
    def rules(self) -> Convention:
        """The rules of the convention; with `transpose_kernel`, JAX's with a rotated kernel."""
        return replace(super().rules, rotates=True) if self.transpose_kernel else super().rules

    @property
    def slides_rotated(self) -> bool:
        """Whether the kernel is stamped as it is given."""
        return self.rules.rotates

    def _check(self) -> None:
        super()._check()
        if self.output_padding is None:
            object.__setattr__(self, "output_padding", self._usual("output_padding"))
        if self.transpose_kernel and self.convention != "jax":
            raise ConvanimError(
                f"{self.rules.title} has no transpose_kernel: it always rotates the kernel",
                "leave it out, or use `convention` jax",
            )
        if self.convention == "jax" and self.output_padding is not None:
            raise ConvanimError(
                f"JAX has no `output padding`, but {self.output_padding} was given",
                "use more padding at the end, such as `padding=((1, 2),)`",
            )

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d, extra = (at(v, i) for v in (self.kernel_size, self.stride, self.dilation, self.output_padding))
        reach = d * (k - 1) + 1
        most = s if self.convention == "keras" else max(s, d)
        if extra is not None and extra >= most:
            named = f"`stride` = {s}" if self.convention == "keras" else f"max(`stride`, `dilation`) = {most}"
            raise ConvanimError(
                f"`output padding` {extra} is not smaller than {named} along axis {i}",
                f"use at most {most - 1}, or a larger input",
            )
        padding = self.padding if isinstance(self.padding, str) else pair(self.padding, i)
        if self.convention == "keras" and padding == (0, 0):
            padding = "valid"
        before, after, output, extra = crop(padding, extra, self.convention, n, s, reach)
        if output < 1:
            full = (n - 1) * s + reach
            raise ConvanimError(
                f"`padding` {before} + {after} crops the whole output of {full} cells along axis {i}",
                f"use a `padding` of at most {(full + extra - 1) // 2}"
                if self.convention != "jax"
                else f"use more `padding`: {reach - 1} crops nothing",
            )
        return Axis(n, output, k, s, before, after, d, extra, transposed=True)


def check_groups(op: Weighted, channels: int, sizes: Sequence[int]) -> None:
    """Refuse an input whose channels are not a multiple of the groups.

    Raises:
        ConvanimError: the message names the groups and channels, the hint a shape that would do.
    """
    if channels % op.groups:
        wanted = op.in_channels or op.groups
        right = [*sizes, wanted] if op.rules.last else [wanted, *sizes]
        has = "one channel" if channels == 1 else f"{channels} channels"
        raise ConvanimError(
            f"`groups` {op.groups} need an input whose channels are a multiple of {op.groups}, and this one has {has}",
            f"give an input of {times(right, 'x')}",
        )


def check_weight(op: Weighted, shape: Sequence[int]) -> None:
    """Refuse a weight of more cells than an array may have, before it takes memory."""
    if prod(shape) > LARGEST:
        raise ConvanimError(
            f"the weight of {op} would be {times(shape)}, more than {LARGEST} cells",
            "use fewer channels, or a smaller kernel",
        )


#: What SciPy's functions do not have, and what there is instead.
_NOT_IN_SCIPY = {
    "stride": "take every second or third cell of the output",
    "dilation": "insert zeros between the values of the kernel",
}


def _most(sizes: Sizes) -> int:
    return sizes if isinstance(sizes, int) else max(sizes)


def _shortest(each: Sequence[Any]) -> Any:
    """One value if all axes agree, and one number for a pair of equal sides."""
    told = [v[0] if isinstance(v, tuple) and v[0] == v[1] else v for v in each]
    return told[0] if len(set(told)) == 1 and not isinstance(told[0], tuple) else tuple(told)

"""Convolution and transposed convolution: what is asked for, and the sizes that follow.

Knows each layer's arguments and formula. Must not know values, order or pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from convanim import doors
from convanim.errors import ConvanimError
from convanim.ops.arguments import Padding, Sizes, at, halves, padding_of, pair, sizes_of, whole
from convanim.ops.axis import Axis, times


@dataclass(frozen=True)
class Operation:
    """What convolution and transposed convolution share; see `Conv` and `ConvTranspose`."""

    kernel_size: Sizes
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = field(default=1, kw_only=True)
    groups: int = field(default=1, kw_only=True)

    transposed: ClassVar[bool] = False
    words: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if name == "padding":
                checked: Any = padding_of(value)
            elif name == "groups":
                checked = whole(name, value, 1)
            else:
                checked = sizes_of(name, value, 0 if name == "output_padding" else 1)
            object.__setattr__(self, name, checked)
        self.rank  # noqa: B018 - the arguments must agree on a number of axes

    def __str__(self) -> str:
        """The layer's notation, with what differs from the defaults: `parse` reads it back."""
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        inside = ", ".join(f"{name}={value!r}" for name, value, default in given if value != default)
        return f"{type(self).__name__}({inside})"

    __repr__ = __str__

    @property
    def rank(self) -> int | None:
        """The number of spatial axes, where the arguments settle it; None where they fit any."""
        named = [f.name for f in fields(self) if isinstance(getattr(self, f.name), tuple)]
        ranks = {name: len(getattr(self, name)) for name in named}
        if len(set(ranks.values())) > 1:
            told = " and ".join(f"{name} {getattr(self, name)!r}" for name in ranks)
            raise ConvanimError(f"{told} differ in their number of axes", "give one number for every axis, or just one")
        return next(iter(ranks.values()), None)

    def axes(self, sizes: Sequence[int]) -> tuple[Axis, ...]:
        """The arithmetic of each axis for an input of these spatial sizes, (H, W) order.

        Raises:
            ConvanimError: the layer does not fit such an input.

        Example:
            >>> [a.output for a in ConvTranspose(kernel_size=3, stride=2, padding=1).axes((3, 3))]
            [5, 5]
        """
        rank = self.rank if self.rank is not None else len(sizes)
        if len(sizes) != rank:
            raise ConvanimError(
                f"{self} has {rank} axes but the input {times(sizes)} has {len(sizes)}",
                "give both the same number of axes",
            )
        if any(n < 1 for n in sizes):
            raise ConvanimError(f"an input of {times(sizes)} has no cells", "use sizes of 1 or more")
        return tuple(self._axis(i, n) for i, n in enumerate(sizes))

    def _axis(self, i: int, n: int) -> Axis:
        raise NotImplementedError

    def trace(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """Follow every multiplication of this layer over an input: see `convanim.trace.Trace`.

        Args:
            x: (L,), (H, W) or (C, H, W), and so on: with or without a channel axis.
            weight: PyTorch's layout, conv (C_out, C_in / groups, *k), transposed (C_in, C_out / groups, *k), or only
                the kernel (*k) where there is one channel.
            bias: a number, or (C_out,).

        Raises:
            ConvanimError: shapes that do not fit, NaN or infinity, sums beyond 64 bits.

        Example:
            >>> Conv(kernel_size=2).trace([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]).output.tolist()
            [[37, 47], [67, 77]]
        """
        return doors.through("trace")(self, x, weight, bias)


@dataclass(frozen=True, repr=False)
class Conv(Operation):
    """Convolution as deep learning means it (cross-correlation): output o = floor((i + 2p - d(k-1) - 1) / s) + 1.

    Args:
        kernel_size, stride, dilation: an int, or one an axis.
        padding: zeros around the input: an int, one an axis, one (before, after) pair an axis, or a word: 'valid' none,
            'same' ceil(i / s) outputs with the smaller half first, 'same_lower' the larger half first, 'full' d(k-1).
        groups: channels are split into this many groups.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), relationship 6.

    Example:
        >>> Conv(kernel_size=3, stride=2, padding=1)
        Conv(kernel_size=3, stride=2, padding=1)
    """

    words: ClassVar[str] = "Convolution"

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d = at(self.kernel_size, i), at(self.stride, i), at(self.dilation, i)
        reach = d * (k - 1) + 1
        if isinstance(self.padding, str):
            total = {"valid": 0, "full": 2 * (reach - 1)}.get(self.padding, max(0, (-(-n // s) - 1) * s + reach - n))
            before, after = halves(total, self.padding)
        else:
            before, after = pair(self.padding, i)
        padded = n + before + after
        if reach > padded:
            span = f"{k} (dilated to {reach})" if d > 1 else f"{k}"
            inside = f"{n} padded to {padded}" if padded > n else f"{n}"
            raise ConvanimError(
                f"kernel size {span} is larger than the input, {inside}, along axis {i}",
                f"use a kernel size of at most {(padded - 1) // d + 1}, or more padding",
            )
        return Axis(n, (padded - reach) // s + 1, k, s, before, after, d)


@dataclass(frozen=True, repr=False)
class ConvTranspose(Operation):
    """Transposed convolution: output o = (i - 1)s - 2p + d(k-1) + output_padding + 1.

    Args:
        kernel_size, stride, dilation: an int, or one an axis.
        padding: what is cropped from the full result: an int, one an axis, one (before, after) pair an axis, or the
            word of the convolution whose transpose this is ('same' gives i * s, 'valid' crops nothing).
        output_padding: an edge at the end that is not cropped; less than max(stride, dilation).
        groups: channels are split into this many groups.

    Source: Dumoulin and Visin (2016), relationship 14; PyTorch's ConvTranspose2d for dilation and output padding.

    Example:
        >>> ConvTranspose(kernel_size=3, stride=2)
        ConvTranspose(kernel_size=3, stride=2)
    """

    output_padding: Sizes = field(default=0, kw_only=True)

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = "Transposed convolution"

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d, extra = (at(v, i) for v in (self.kernel_size, self.stride, self.dilation, self.output_padding))
        reach = d * (k - 1) + 1
        if extra >= max(s, d):
            raise ConvanimError(
                f"output padding {extra} is not below max(stride, dilation) = {max(s, d)} along axis {i}",
                f"use at most {max(s, d) - 1}: a larger one is a different input size",
            )
        full = (n - 1) * s + reach
        if isinstance(self.padding, str):
            if extra and self.padding.startswith("same"):
                raise ConvanimError(
                    f"padding '{self.padding}' with output padding {extra} leaves the size open",
                    "give the padding in numbers, or leave the output padding out",
                )
            total = {"valid": 0, "full": 2 * (reach - 1)}.get(self.padding, reach - s)
            before, after = halves(max(total, 0), self.padding)
            extra -= min(total, 0)
        else:
            before, after = pair(self.padding, i)
        output = full - before - after + extra
        if output < 1:
            raise ConvanimError(
                f"padding {before} + {after} crops the whole transposed result, {full} long, along axis {i}",
                f"use a padding of at most {(full + extra - 1) // 2}",
            )
        return Axis(n, output, k, s, before, after, d, extra, transposed=True)

"""Depthwise and separable convolutions, whose groups are the channels of their input, as plain convolutions."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from convanim.commands import View
from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers.convolutions import Conv
from convanim.layers.operation import Operation, Record

if TYPE_CHECKING:  # the trace imports this module
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from convanim.trace.separable import SeparableTrace


@dataclass(frozen=True, repr=False)
class DepthwiseConv(Conv):
    """Depthwise convolution: each channel is filtered separately, with `depth_multiplier` kernels of its own.

    It is a convolution with as many groups as its input has channels, which `layers` makes.

    Args:
        depth_multiplier: the number of output channels for each input channel.
        in_channels: the number of input channels, if known; that of the output channels follows from it.

    Example:
        >>> DepthwiseConv(3, convention="keras").layers(8)
        (Conv(kernel_size=3, groups=8, in_channels=8, out_channels=8, convention='keras'),)
    """

    depth_multiplier: int = field(default=1, kw_only=True)

    family: ClassVar[str] = "separable"
    record: ClassVar[Record] = Record("conv", "DepthwiseConv(3)", "")

    def _check(self) -> None:
        super()._check()
        if self.groups > 1:
            raise ConvanimError(f"`groups` {self.groups} cannot be combined with one group per channel", "leave it out")

    def layers(self, channels: int) -> tuple[Conv, ...]:
        """The plain convolutions that this layer is for an input with this number of channels, in their order.

        Raises:
            ConvanimError: the layer takes another number of channels.
        """
        if self.in_channels not in (None, channels):
            has = "one channel" if channels == 1 else f"{channels} channels"
            raise ConvanimError(
                f"the input has {has}, and {self} takes {self.in_channels}",
                f"give an input of {self.in_channels} channels, which come "
                f"{'last' if self.rules.last else 'first'} in {self.rules.title}",
            )
        given: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(Conv)}
        counts = {"in_channels": channels, "out_channels": channels * self.depth_multiplier}
        return (Conv(**given | {"groups": channels, **counts}),)


@dataclass(frozen=True, repr=False)
class SeparableConv(DepthwiseConv):
    """Separable convolution: a depthwise one, and a pointwise (1×1) one, which mixes the channels.

    Args:
        depth_multiplier: as for `DepthwiseConv`.
        in_channels, out_channels: the numbers of channels before the first and after the second layer, if known.

    Source: Chollet, Xception: Deep learning with depthwise separable convolutions (2017), section 1.

    Example:
        >>> for op in SeparableConv((3, 3), out_channels=16).layers(8):
        ...     print(op)
        Conv(kernel_size=(3, 3), groups=8, in_channels=8, out_channels=8)
        Conv(kernel_size=(1, 1), in_channels=8, out_channels=16)
        >>> x, depthwise, pointwise = [[[1, 2, 3]], [[4, 5, 6]]], [[[[1, 1]]], [[[1, -1]]]], [[[[10]], [[1]]]]
        >>> SeparableConv((1, 2)).trace(x, depthwise, pointwise).output.tolist()
        [[[29, 49]]]
    """

    words: ClassVar[str] = say("Separable convolution")
    called: ClassVar[tuple[str, str]] = say("separable convolution"), say("a separable convolution")
    record: ClassVar[Record] = Record("conv", "SeparableConv(3)", "")
    views: ClassVar[dict[str, View]] = {
        "sliding": View(
            "Each channel is filtered on its own, and then all of them are mixed.", "beside.separable:SeparableScene"
        )
    }

    def layers(self, channels: int) -> tuple[Conv, Conv]:
        """The depthwise and the pointwise convolution."""
        (first,) = super().layers(channels)
        size = (1,) * self.rank if self.rank else 1
        mixed = channels * self.depth_multiplier
        return first, Conv(size, in_channels=mixed, out_channels=self.out_channels, convention=self.convention)

    def trace(  # type: ignore[override]
        self,
        x: ArrayLike,
        weight: ArrayLike,
        pointwise: ArrayLike,
        bias: ArrayLike | None = None,
        *,
        depthwise_bias: ArrayLike | None = None,
        channels: int | Sequence[int] | None = None,
        out_channels: int | Sequence[int] | None = None,
        batch: int | None = None,
    ) -> SeparableTrace:
        """Follow every multiplication of both layers over an input.

        Args:
            x: as for `Conv.trace`.
            weight: of the depthwise layer: (C · m, 1, *k), and in Keras (*k, C, m); m is the depth multiplier.
            pointwise: of the pointwise layer: (C_out, C · m, 1, 1), and in Keras (1, 1, C · m, C_out).
            bias: that of the pointwise layer, (C_out,) or a number.
            depthwise_bias: that of the depthwise layer, (C · m,) or a number.
            channels, out_channels, batch: as for `Conv.trace`; the output channels are those of the pointwise layer.

        Raises:
            ConvanimError: as for `Conv.trace`.
        """
        told: Any = {"depthwise_bias": depthwise_bias, "channels": channels, "out_channels": out_channels}
        made: SeparableTrace = self._traced(x, weight, pointwise, bias, batch=batch, **told)
        return made


#: Both, by their names; they have no commands of their own.
KINDS: dict[str, type[Operation]] = {one.__name__: one for one in (DepthwiseConv, SeparableConv)}

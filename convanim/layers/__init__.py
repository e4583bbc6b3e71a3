"""Operations: the layers with their checked arguments, and the arithmetic of their sizes.

Nothing here imports numpy, so that --help stays fast.
"""

from convanim.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePool
from convanim.layers.axis import LARGEST, Axis, Resampled, times
from convanim.layers.convolutions import Conv, ConvTranspose, Weighted
from convanim.layers.kinds import KINDS
from convanim.layers.notation import LONGEST_NOTATION, parse
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, MaxUnpool, Pool, Pooling
from convanim.layers.resize import PixelShuffle, PixelUnshuffle, Shuffle, Upsample
from convanim.layers.separable import DepthwiseConv, SeparableConv

__all__ = [
    "KINDS",
    "LARGEST",
    "LONGEST_NOTATION",
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AdaptivePool",
    "AvgPool",
    "Axis",
    "Conv",
    "ConvTranspose",
    "DepthwiseConv",
    "LpPool",
    "MaxPool",
    "MaxUnpool",
    "Operation",
    "PixelShuffle",
    "PixelUnshuffle",
    "Pool",
    "Pooling",
    "Resampled",
    "SeparableConv",
    "Shuffle",
    "Upsample",
    "Weighted",
    "parse",
    "times",
]

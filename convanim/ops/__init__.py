"""Operations: the layers with their checked arguments, and the arithmetic of their sizes.

Nothing here imports numpy, so that --help stays fast.
"""

from convanim.ops.axis import LARGEST, Axis, Resampled, times
from convanim.ops.layers import Conv, ConvTranspose, Weighted
from convanim.ops.notation import KINDS, LONGEST_NOTATION, parse
from convanim.ops.operation import Operation
from convanim.ops.pools import AvgPool, LpPool, MaxPool, MaxUnpool, Pool
from convanim.ops.reading import from_line
from convanim.ops.resize import PixelShuffle, PixelUnshuffle, Shuffle, Upsample

__all__ = [
    "KINDS",
    "LARGEST",
    "LONGEST_NOTATION",
    "AvgPool",
    "Axis",
    "Conv",
    "ConvTranspose",
    "LpPool",
    "MaxPool",
    "MaxUnpool",
    "Operation",
    "PixelShuffle",
    "PixelUnshuffle",
    "Pool",
    "Resampled",
    "Shuffle",
    "Upsample",
    "Weighted",
    "from_line",
    "parse",
    "times",
]

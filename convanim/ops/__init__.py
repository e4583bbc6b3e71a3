"""Operations: what was asked for, checked, and the sizes that follow from it.

Knows the layers' arguments, their arithmetic along each axis and their notation. Must not know values, order or
pictures; imports no numpy, so that asking for help stays quick.
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

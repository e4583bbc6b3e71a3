"""Operations: what was asked for, checked, and the sizes that follow from it.

Knows the layers' arguments, their arithmetic along each axis and their notation. Must not know values, order or
pictures; imports no numpy, so that asking for help stays quick.
"""

from convanim.ops.axis import LARGEST, Axis, times
from convanim.ops.layers import Conv, ConvTranspose, Operation
from convanim.ops.notation import LONGEST_NOTATION, parse

__all__ = ["LARGEST", "LONGEST_NOTATION", "Axis", "Conv", "ConvTranspose", "Operation", "parse", "times"]

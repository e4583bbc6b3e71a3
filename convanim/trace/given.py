"""How an input was given, and how its answer is given back: channels first or last, without channels, in a batch of 1.

Knows shapes. Must not know taps or order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convanim.errors import ConvanimError
from convanim.ops import Operation, times
from convanim.trace.arrays import Array


@dataclass(frozen=True)
class Given:
    """The way from an array as it is given to (C, *n), and back.

    Attributes:
        planar: without a channel axis.
        batch: with an axis of length 1 before everything.
        last: with the channels last.
    """

    planar: bool = False
    batch: bool = False
    last: bool = False

    def outward(self, array: Array) -> Array:
        """An array (C, *n) as its user has it.

        Example:
            >>> Given(batch=True, last=True).outward(np.zeros((3, 4, 5))).shape
            (1, 4, 5, 3)
        """
        if self.planar:
            return np.asarray(array[0])
        turned: Array = np.moveaxis(array, 0, -1) if self.last else array
        return turned[None] if self.batch else turned


def taken_in(op: Operation, x: Array, rank: int | None = None) -> tuple[Array, Given]:
    """An input as (C, *n), and how it was given.

    Args:
        rank: the number of spatial axes; without it the operation's, or one less than `x` has from three axes on.

    Raises:
        ConvanimError: a number of axes that does not fit, a batch of more than one.
    """
    told = rank if rank is not None else op.rank
    if not 1 <= x.ndim <= 5:
        raise ConvanimError(f"an input with {x.ndim} axes is not supported", "give (L,), (H, W) or (C, H, W)")
    axes = told if told is not None else min(x.ndim, 2) if x.ndim < 4 else x.ndim - 1
    more = x.ndim - axes
    last = op.rules.last
    form = "(H, W) or (H, W, C)" if last else "(H, W) or (C, H, W)"
    if not 0 <= more <= 2 or not 1 <= axes <= 3:
        raise ConvanimError(f"an input of shape {times(x.shape)} does not have the {axes} axes of {op}", f"give {form}")
    if more == 2:
        if len(x) != 1:
            one = times(x.shape[1:], "x")
            raise ConvanimError(
                f"an input of shape {times(x.shape)} is a batch of {len(x)}", f"give one of them alone, of {one}"
            )
        x = x[0]
    if more and last:
        x = np.moveaxis(x, -1, 0)
    return (x if more else x[None]), Given(planar=not more, batch=more == 2, last=last)

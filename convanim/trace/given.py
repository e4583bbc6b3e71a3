"""The layout of a given input, and so of its output: channels first, last or none, and a batch of 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convanim.errors import ConvanimError
from convanim.layers import Operation, times
from convanim.trace.arrays import Array


@dataclass(frozen=True)
class Given:
    """The conversion between an array in its user's layout and (C, *n).

    Attributes:
        planar: without a channel axis.
        batch: with a leading axis of length 1.
        last: with the channels last.
    """

    planar: bool = False
    batch: bool = False
    last: bool = False

    def outward(self, array: Array) -> Array:
        """An array (C, *n) in its user's layout.

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
        rank: the number of spatial axes; by default the operation's, or one less than those of `x` from three on.

    Raises:
        ConvanimError: the number of axes does not fit, or the batch is larger than one.
    """
    told = rank if rank is not None else op.rank
    if not 1 <= x.ndim <= 5:
        raise ConvanimError(f"an input with {x.ndim} axes is not supported", "give `(L,)`, `(H, W)` or `(C, H, W)`")
    axes = told if told is not None else min(x.ndim, 2) if x.ndim < 4 else x.ndim - 1
    more = x.ndim - axes
    last = op.rules.last
    form = "`(H, W)` or `(H, W, C)`" if last else "`(H, W)` or `(C, H, W)`"
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

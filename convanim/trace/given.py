"""The layout of a given input, and so of its output: channels first, last or none, and a batch of 1."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, ConvanimWarning, shortly, whole
from convanim.layers import MaxUnpool, Operation, Weighted, times
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


def one_item(
    op: Operation, x: Any, given: tuple[Any, ...], batch: int | None
) -> tuple[Any, tuple[Any, ...], tuple[int, int] | None]:
    """One item of a batch of several, with its further inputs, its number and the size of the batch.

    What is not a batch, and a batch of one, stay as they are.

    Args:
        x: the input of an operation, and `given` what follows it: weights, or the indices of an unpooling.
        batch: the number of the item; None for the first one, which a warning tells.

    Raises:
        ConvanimError: there is no such item, or the input has no axis for a batch.

    Example:
        >>> from convanim.layers import MaxPool
        >>> one_item(MaxPool((1, 1)), np.ones((2, 3, 4, 5)), (), 1)[0].shape
        (3, 4, 5)
    """
    shape = _shape(x)
    axes = _axes_of_item(op, shape, given, batched=batch is not None)
    several = axes is not None and len(shape) == axes + 1 and shape[0] > 1
    if batch is None and not several:
        return x, given, None
    if batch is not None and (not whole(batch) or (axes is None and len(shape) < 4) or len(shape) != (axes or 3) + 1):
        if not whole(batch):
            raise ConvanimError(f"`batch` {shortly(batch)} is not the number of an item", "use 0 for the first one")
        told = f"an input of shape {times(shape)}" if shape else "this input"
        raise ConvanimError(f"`batch` {batch} needs a batch, and {told} is none for {op}", "leave `batch` out")
    count, number = shape[0], int(batch or 0)
    if not 0 <= number < count:
        raise ConvanimError(
            f"item {number} of the batch does not exist: it has {count}", f"use `batch` 0 to {count - 1}"
        )
    if batch is None:
        told = f"item 0 of the batch of {count} is shown; choose another one with `batch`"
        warnings.warn(ConvanimWarning(f"{told}, from 0 to {count - 1}."), stacklevel=5)
    if isinstance(op, MaxUnpool) and given and _shape(given[0]) == shape:
        given = (given[0][number], *given[1:])
    return x[number], given, (number, count) if count > 1 else None


def _shape(x: Any) -> tuple[int, ...]:
    """The shape of an array, a tensor or a list; () for a trace, and for lists that are refused later."""
    if hasattr(x, "op"):
        return ()
    try:
        return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
    except Exception:  # arrays of other libraries may refuse in any way
        return ()


def _axes_of_item(op: Operation, shape: tuple[int, ...], given: tuple[Any, ...], *, batched: bool) -> int | None:
    """The number of axes of an input with channels, without a batch; None if arguments do not determine it."""
    from convanim.layers.columns import Fold

    if isinstance(op, Fold):
        return 2
    if op.rank is not None:
        return op.rank + 1
    if isinstance(op, Weighted) and given:
        weights = len(_shape(given[0]))
        return weights - 1 if weights == len(shape) and (weights > 3 or batched) else None
    return None

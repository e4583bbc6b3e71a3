"""A layer that was asked for, and the values that its makers share.

Knows options, as text or as values. Must not know which layer takes which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convanim.errors import ConvanimError
from convanim.ops import Operation, times
from convanim.source import read_number, read_padding, read_sizes

_SHAPE = re.compile(r"\s*\d+(\s*[xX×]\s*\d+)*\s*", re.ASCII)


@dataclass(frozen=True, eq=False)
class Request:
    """A layer with what it is given.

    Attributes:
        op: the layer.
        given: what `op.trace` takes.
        sizes: of the input, without channels.
        colours: whether the input is a picture with colours, and they stay colours in the layer.
        notes: what was chosen for whoever asked, one sentence each.
        output_size: of an unpooling, where it was asked for: sizes, or "default".
    """

    op: Operation
    given: tuple[Any, ...]
    sizes: tuple[int, ...]
    colours: bool = True
    notes: tuple[str, ...] = ()
    output_size: Any = None

    def trace(self) -> Any:
        """The trace of the layer."""
        return self.op.trace(*self.given)  # type: ignore[attr-defined]


def spatial(op: Operation, x: Any, rank: int) -> tuple[int, ...]:
    """The sizes of an input along its `rank` axes, without channels."""
    if x.ndim == rank:
        return tuple(x.shape)
    return tuple(x.shape[:-1][-rank:] if op.rules.last else x.shape[-rank:])


def unbatched(x: Any, axes: int, *, last: bool, channels: bool = False) -> Any:
    """The item of a batch of one over `axes` axes, and any other array as it is.

    The item is (C, *n), or (*n, C) with the channels last; it is *n where there is one channel that need not stay.

    Example:
        >>> import numpy as np
        >>> [unbatched(np.ones(shape), 2, last=False).shape for shape in ((1, 1, 3, 4), (1, 2, 3, 4), (2, 3, 4))]
        [(3, 4), (2, 3, 4), (2, 3, 4)]
    """
    if x.ndim != axes + 2 or len(x) != 1:
        return x
    axis = -1 if last else 0
    return x[0].squeeze(axis) if x[0].shape[axis] == 1 and not channels else x[0]


def one_item(x: Any, axes: int) -> Any:
    """An input as it is, unless it is a batch of several for a layer of `axes` axes.

    Raises:
        ConvanimError: it is; the sentence has the shape of one of them.
    """
    if x.ndim == axes + 2:
        raise ConvanimError(
            f"--input {typed_shape(x.shape)} is a batch of {len(x)} for a layer of {axes} axes",
            f"use one of them alone: --input {typed_shape(x.shape[1:])}",
        )
    return x


def last_axis(made: Request, typed: str) -> tuple[str, ...]:
    """What to say of an input that looks as if its colours came last, where the convention has channels first."""
    x = made.given[0]
    shape = tuple(getattr(x, "shape", ()))
    if made.op.rules.last or not 2 < len(shape) < 5 or shape[-1] not in (3, 4) or shape[0] < 5:
        return ()
    read = "a volume" if len(made.sizes) == len(shape) else f"{shape[0]} channels of {times(shape[1:])}"
    first = times((shape[-1], *shape[:-1]), "x")
    return (
        f"--input {typed[:40]} of {times(shape)} is read as {read}; if its last axis holds the colours, "
        f"give it as {first}, or use a layer of the keras convention, whose channels come last.",
    )


def common(typed: dict[str, Any]) -> dict[str, Any]:
    """The arguments that every layer takes."""
    return {"convention": typed.get("convention") or "torch"}


def each(typed: dict[str, Any], name: str, default: int | None = None) -> Any:
    """One size for all axes, or one each, or what holds where none was given."""
    value = typed.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        return value
    sizes = read_sizes(value, what=f"--{name.replace('_', '-')}")
    return sizes[0] if len(sizes) == 1 else sizes


def padding_of(typed: dict[str, Any]) -> Any:
    """The padding, which is none where none was given."""
    value = typed.get("padding") or 0
    return read_padding(value, what="--padding") if isinstance(value, str) else value


def bias_of(typed: dict[str, Any]) -> Any:
    """The bias, if there is one."""
    value = typed.get("bias")
    return read_number(value, what="--bias") if isinstance(value, str) else value


def is_shape(kernel: Any) -> bool:
    """Whether a kernel says how large it is, and not what is in it.

    Example:
        >>> [is_shape(kernel) for kernel in ("3x3", 3, (3, 2), "[[0, 1]]", [[0, 1]])]
        [True, True, True, False, False]
    """
    return bool(_SHAPE.fullmatch(kernel)) if isinstance(kernel, str) else not isinstance(kernel, list)


def in_text(value: Any) -> Any:
    """A number, one for each axis, or one before and after each, as it is typed; words and flags are so already.

    Example:
        >>> in_text(2), in_text((2, 1)), in_text(((1, 2), (0, 1)))
        ('2', '2x1', '1:2x0:1')
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Sequence):
        return "x".join(":".join(map(str, part)) if isinstance(part, Sequence) else str(part) for part in value)
    return str(value)


def of_axes(axes: int, typed: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Refuse an option that was typed for another number of axes than the layer has.

    Raises:
        ConvanimError: the option and its value, and how it is typed for this number of axes.

    Example:
        >>> of_axes(2, {"padding": "1:2"}, {"padding": ((1, 2),)})
        Traceback (most recent call last):
        ...
        convanim.errors.ConvanimError: --padding 1:2 has values for one axis, but there are 2; write 1:2x1:2.
    """
    for name in ("stride", "padding", "dilation", "output_padding"):
        value = arguments.get(name)
        if isinstance(value, tuple) and len(value) != axes:
            each_side = [":".join(map(str, one if isinstance(one, tuple) else (one,))) for one in value]
            right = (each_side + each_side[-1:] * axes)[:axes]
            told = "one axis" if len(value) == 1 else f"{len(value)} axes"
            are = "is one" if axes == 1 else f"are {axes}"
            raise ConvanimError(
                f"--{name.replace('_', '-')} {in_text(typed[name]).strip()} has values for {told}, but there {are}",
                f"write {'x'.join(right)}",
            )


def typed_shape(shape: Sequence[int]) -> str:
    """A shape as it is typed: 3x3."""
    return times(shape).replace("×", "x")

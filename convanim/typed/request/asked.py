"""The result of a request, and helpers that read options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from convanim.commands import COMMANDS
from convanim.errors import ConvanimError
from convanim.layers import DepthwiseConv, Operation, Weighted, times
from convanim.look import Option
from convanim.typed import read_number, read_padding, read_sizes

_SHAPE = re.compile(r"\s*\d+(\s*[xX×]\s*\d+)*\s*", re.ASCII)


@dataclass(frozen=True, eq=False)
class Request:
    """A layer with its inputs.

    Attributes:
        op: the layer.
        given: the arguments of `op.trace`.
        sizes: the spatial sizes of the input.
        colours: whether the input is a picture in colour, and the layer keeps its channels separate.
        notes: the choices that were made for the user, one sentence each.
        output_size: the requested output of an unpooling: sizes, or "default".
        grey: whether the input is a picture in grey values.
        options: the keyword arguments of `op.trace`: which channels are chosen.
        item: which item of a batch the input is, and of how many.
    """

    op: Operation
    given: tuple[Any, ...]
    sizes: tuple[int, ...]
    colours: bool = True
    notes: tuple[str, ...] = ()
    output_size: Any = None
    grey: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    item: tuple[int, int] | None = None

    @property
    def whole(self) -> Operation:
        """The layer with the numbers of channels of its weights, if it does not state them.

        A kernel without channels leaves them open.

        Example:
            >>> from convanim.typed.request import request
            >>> request("transposed", x="4x3x3", kernel="4x2x3x3").whole
            ConvTranspose(kernel_size=3, in_channels=4, out_channels=2)
        """
        op, rank = self.op, len(self.sizes)
        if not isinstance(op, Weighted) or isinstance(op, DepthwiseConv) or self.given[1].ndim != rank + 2:
            return op
        shape = self.given[1].shape
        read, written = shape[-2:] if op.rules.last else shape[1::-1]  # inputs and outputs, of a group or of all
        if op.transposed and op.rules.rotates:
            read, written = written, read
        if op.transposed:
            written *= op.groups
        else:
            read *= op.groups
        counts: dict[str, Any] = {"in_channels": op.in_channels or read, "out_channels": op.out_channels or written}
        return op if set(counts.values()) == {1} else replace(op, **counts)

    def trace(self) -> Any:
        """The trace of the layer."""
        made = self.op.trace(*self.given, **self.options)  # type: ignore[attr-defined]
        made.item = made.item or self.item
        return made


def spatial(op: Operation, x: Any, rank: int) -> tuple[int, ...]:
    """The sizes of an input along its `rank` axes, without channels."""
    if x.ndim == rank:
        return tuple(x.shape)
    return tuple(x.shape[:-1][-rank:] if op.rules.last else x.shape[-rank:])


def unbatched(x: Any, axes: int, *, last: bool, channels: bool = False) -> Any:
    """The item of a batch of one over `axes` axes; any other array unchanged.

    The item is (C, *n), or (*n, C) with the channels last; it is *n if it has one channel that need not be kept.

    Example:
        >>> import numpy as np
        >>> [unbatched(np.ones(shape), 2, last=False).shape for shape in ((1, 1, 3, 4), (1, 2, 3, 4), (2, 3, 4))]
        [(3, 4), (2, 3, 4), (2, 3, 4)]
    """
    if x.ndim != axes + 2 or len(x) != 1:
        return x
    axis = -1 if last else 0
    return x[0].squeeze(axis) if x[0].shape[axis] == 1 and not channels else x[0]


def last_axis(made: Request, typed: str) -> tuple[str, ...]:
    """A note about an input whose channels seem to come last, if the convention has them first."""
    x = made.given[0]
    shape = tuple(getattr(x, "shape", ()))
    if made.op.rules.last or not 2 < len(shape) < 5 or shape[-1] not in (3, 4) or shape[0] < 5:
        return ()
    read = "a volume" if len(made.sizes) == len(shape) else f"{shape[0]} channels of {times(shape[1:])}"
    first = times((shape[-1], *shape[:-1]), "x")
    return (
        f"`input` {typed[:40]} of {times(shape)} is read as {read}; if its last axis holds the colours, "
        f"give it as {first}, or use `convention` keras, whose channels come last.",
    )


def argument_of(option: Option, op: type[Operation]) -> str:
    """The argument of an operation that an option sets; "" if it sets none."""
    return next((name for name in option.fields if name in op.__dataclass_fields__), "")


def arguments(kind: str, op: type[Operation], typed: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an operation from the options of a command that set them.

    Example:
        >>> from convanim.layers import MaxPool
        >>> MaxPool(**arguments("pool", MaxPool, {"kernel": "2x3", "padding": "1", "ceil_mode": True}))
        MaxPool(kernel_size=(2, 3), padding=1, ceil_mode=True)
    """
    options = {name: one for one in COMMANDS[kind].arguments if (name := argument_of(one, op))}
    told = {name: read_as(one.reads, one.name, typed.get(one.name, one.default)) for name, one in options.items()}
    return {name: value for name, value in told.items() if value is not None}


def read_as(way: str, name: str, value: Any) -> Any:
    """The value of an option, if it is text that is read in one of the ways of `Option.reads`."""
    if not isinstance(value, str) or not way:
        return value
    what = f"`{name}`"
    if way == "padding":
        return read_padding(value, what=what)
    parts = re.split(r"\s*[xX×]\s*", value.strip())
    if way == "factors":
        read: tuple[Any, ...] = tuple(read_number(part, what=what) for part in parts)
    elif way == "kept" and "-" in value:
        read = tuple(None if part == "-" else read_sizes(part, what=what)[0] for part in parts)
    else:
        read = tuple(read_sizes(value, what=what))
    return read if len(read) > 1 else read[0]


def bias_of(typed: dict[str, Any]) -> Any:
    """The bias, if there is one."""
    value = typed.get("bias")
    return read_number(value, what="`bias`") if isinstance(value, str) else value


def is_shape(kernel: Any) -> bool:
    """Whether a kernel is given by its shape instead of its values.

    Example:
        >>> [is_shape(kernel) for kernel in ("3x3", 3, (3, 2), "[[0, 1]]", [[0, 1]])]
        [True, True, True, False, False]
    """
    return bool(_SHAPE.fullmatch(kernel)) if isinstance(kernel, str) else not isinstance(kernel, list)


def in_text(value: Any) -> Any:
    """A number, one for each axis, or (before, after) pairs, as they are typed; words and flags unchanged.

    Example:
        >>> in_text(2), in_text((2, 1)), in_text(((1, 2), (0, 1))), in_text((3, None))
        ('2', '2x1', '1:2x0:1', '3x-')
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Sequence):
        return "x".join(
            ":".join(map(str, part)) if isinstance(part, Sequence) else "-" if part is None else str(part)
            for part in value
        )
    return str(value)


def of_axes(axes: int, typed: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Refuse an option that has values for another number of axes than the layer has.

    Raises:
        ConvanimError: the message has the option and its value, the hint the value for this number of axes.

    Example:
        >>> of_axes(2, {"padding": "1:2"}, {"padding": ((1, 2),)})
        Traceback (most recent call last):
        ...
        convanim.errors.ConvanimError: padding 1:2 has values for one axis, but there are 2; write 1:2x1:2.
    """
    for name in ("stride", "padding", "dilation", "output_padding"):
        value = arguments.get(name)
        if isinstance(value, tuple) and len(value) != axes:
            each_side = [":".join(map(str, one if isinstance(one, tuple) else (one,))) for one in value]
            right = (each_side + each_side[-1:] * axes)[:axes]
            told = "one axis" if len(value) == 1 else f"{len(value)} axes"
            are = "is one" if axes == 1 else f"are {axes}"
            raise ConvanimError(
                f"`{name}` {in_text(typed[name]).strip()} has values for {told}, but there {are}",
                f"write {'x'.join(right)}",
            )


def typed_shape(shape: Sequence[int]) -> str:
    """A shape as it is typed: 3x3."""
    return times(shape).replace("×", "x")

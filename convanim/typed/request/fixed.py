"""Requests for layers without weights."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from convanim.commands import COMMANDS
from convanim.errors import ConvanimError, shortly
from convanim.layers import KINDS, MaxPool, MaxUnpool, Operation, Pooling, Upsample
from convanim.typed import read_array
from convanim.typed.request.asked import Request, argument_of, arguments, of_axes, read_as, spatial, unbatched
from convanim.typed.request.chosen import options_of


def fixed(op: Operation, x: Any, colours: bool, typed: dict[str, Any] | None = None) -> Request:
    """A request for a layer without weights."""
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    x = _planar(op, x)
    rank = op.rank if op.rank is not None else min(x.ndim, 2) if x.ndim < 4 else 3
    options = options_of(typed or {})
    if options and not isinstance(op, Pooling | Upsample):
        raise ConvanimError(f"`channels` of {op} cannot be chosen", "leave it out")
    return Request(op, (x,), spatial(op, x, rank), options=options)


def plain(kind: str, x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """The layer of a command that takes nothing but an input: its arguments are the options that set them."""
    op = _selected(kind, typed)
    if kind == "upsample" and typed.get("size") is None and typed.get("scale_factor") is None:
        typed = typed | {"scale_factor": 2}
    made = arguments(kind, op, typed)
    _suited(x, colours, typed, made)
    return fixed(op(**made), x, colours, typed)


def _selected(kind: str, typed: dict[str, Any]) -> type[Operation]:
    """The operation that the words and flags among the options of a command select.

    Raises:
        ConvanimError: one of its options is missing, or another one does not belong to it.
    """
    options = {one.name: one for one in COMMANDS[kind].arguments}
    kinds = [op for op in KINDS.values() if op.record.command == kind]
    told = {name: typed.get(name) or one.default for name, one in options.items() if one.selects}
    op = next(op for op in kinds if all(op.record.options.get(n, options[n].default) == v for n, v in told.items()))
    chosen = " ".join(f"`{name}` {value}" for name, value in told.items())
    for name, one in options.items():
        if typed.get(name, one.default) is None and argument_of(one, op) in op.required():
            raise ConvanimError(f"{chosen} needs `{name}`", f"use for example `{name}` {one.sample}")
    for name, one in options.items():
        asked = str(typed.get(name, one.default)) not in ("None", str(one.default))
        if asked and one.fields and not argument_of(one, op):
            having = [other.record.options for other in kinds if argument_of(one, other)]
            way = " ".join(f"`{n}` {v}" for n, v in having[0].items())
            raise ConvanimError(
                f"`{name}` cannot be combined with {chosen}", f"use {way}" if len(having) == 1 else "leave it out"
            )
    return op


def _suited(x: Any, colours: bool, typed: dict[str, Any], made: dict[str, Any]) -> None:
    """Refuse options for another number of axes than the kernel has, or than the input if the kernel has one number."""
    kernel, padding = made.get("kernel_size"), made.get("padding")
    if isinstance(kernel, tuple):
        of_axes(len(kernel), typed, made)
    elif isinstance(padding, tuple) and len(padding) == 1:  # 1:2 would turn an axis of a plane into channels
        of_axes(2 if colours or x.ndim == 3 else min(x.ndim, 3), typed, made)


def unpool(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A max unpooling of a pooling's input or, with `indices`, of pooled values."""
    window = arguments("unpool", MaxUnpool, typed)
    _suited(x, colours, typed, window)
    op = MaxUnpool(**window)
    size: Any = typed.get("output_size")
    if size is not None and str(size).strip() != "default":
        if not re.search(r"\d", str(size)):
            raise ConvanimError(f"`output_size` {shortly(size)} is not a size", "write sizes, like 5x5, or default")
        size = read_as("sizes", "output_size", size)
    if typed.get("indices") is None:
        pooling = MaxPool(**window)
        pooled = fixed(pooling, x, colours)
        sizes = tuple(axis.output for axis in pooling.axes(pooled.sizes))
        done = pooled.given[0] if typed.get("fill") == "none" else pooled.trace()
        return Request(op, (done, None, size), sizes, output_size=size)
    fill: Any = "none" if typed.get("fill") == "none" else "range"
    indices = _planar(op, read_array(typed["indices"], what="`indices`", fill=fill))
    made = fixed(op, x, colours)
    return replace(made, given=(*made.given, indices, size), output_size=size)


def _planar(op: Operation, x: Any) -> Any:
    """The plane in a batch of one with one channel; another batch of one stays, since it may be three axes, too."""
    plane = unbatched(x, 2, last=op.rules.last)
    return plane if plane.ndim == 2 and op.rank in (None, 2) else x

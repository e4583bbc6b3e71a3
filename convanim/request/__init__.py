"""What was typed, as a layer and what it is given.

Knows the text of options and which layer takes which. Must not know a command line's library, or what is done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from convanim.errors import ConvanimError
from convanim.ops import Conv, ConvTranspose, MaxUnpool, Weighted, parse
from convanim.ops.arguments import convention_of
from convanim.request.asked import Request, spatial, typed_shape, unbatched
from convanim.request.fixed import fixed, pool, shuffle, unpool, upsample
from convanim.request.weighted import averages, for_channels, share, weighted
from convanim.source import read_array, read_number, read_picture, read_sizes
from convanim.source.files import PICTURES
from convanim.source.typed import unquoted

__all__ = ["Request", "compared", "request"]


def request(kind: str, **typed: Any) -> Request:
    """A layer from the text of its options.

    Args:
        kind: conv, transposed, pool, unpool, upsample or shuffle.
        typed: the options' values by name; `x` is the input.

    Raises:
        ConvanimError: a value that cannot be read, or that cannot be combined with another.

    Example:
        >>> asked = request("pool", x="4x4", kernel="2", mode="max")
        >>> asked.op, asked.trace().output.tolist()
        (MaxPool(kernel_size=2), [[6, 8], [14, 16]])
    """
    typed = {name: unquoted(value) if isinstance(value, str) else value for name, value in typed.items()}
    if typed.get("seed", 0) < 0:
        raise ConvanimError(f"--seed {typed['seed']} is negative", "use 0 or more")
    if typed["x"] == typed.get("kernel") == "-":
        raise ConvanimError("--input and --kernel cannot both be read from standard input", "put one into a file")
    x, colours = _input(**{name: typed.get(name) for name in ("x", "fill", "seed", "resize", "grey")})
    if typed.get("convention") is not None:
        typed["convention"] = convention_of("--convention", typed["convention"])
    made = _MAKERS[kind](x, colours, typed)
    return replace(made, colours=colours)


def _input(x: Any, fill: Any, seed: Any, resize: str | None, grey: bool | None) -> tuple[Any, bool]:
    """The input, and whether it has colours (and so three channels, first)."""
    picture = x.lower().endswith(PICTURES)
    if picture:
        wanted = None if resize is None else read_sizes(resize, what="--resize")
        planes = read_picture(x, what="--input", resize=wanted, colour=not grey)
        if grey:
            return planes, False
        coloured = bool((planes != planes[0]).any())
        return (planes, True) if coloured else (planes[0], False)
    if resize is not None:
        raise ConvanimError(f"--resize {resize} is for pictures, and --input {x[:40]!r} is none", "leave it out")
    if grey:
        raise ConvanimError(f"--grey is for pictures, and --input {x[:40]!r} is none", "leave it out")
    return read_array(x, what="--input", fill=fill or "range", seed=seed or 0), False


def _layer(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A layer from its notation; the kernel's values are typed or counted up."""
    op = parse(typed["notation"])
    if isinstance(op, MaxUnpool):
        raise ConvanimError(f"{op} needs the places of the maxima", "use convanim unpool")
    if not isinstance(op, Weighted):
        for name in ("kernel", "bias"):
            if typed.get(name) is not None:
                raise ConvanimError(f"--{name} cannot be combined with {op}, which has no weights", "leave it out")
        return fixed(op, x, colours)
    plane = unbatched(x, 2, last=op.rules.last).ndim == 2
    rank = op.rank or (2 if colours or plane else min(x.ndim, 3))
    size = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * rank
    kernel = typed.get("kernel") or typed_shape(size)
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    fill: Any = typed.get("fill") or "range"
    seed = typed.get("seed") or 0
    weight = read_array(kernel, what="--kernel", fill=fill, seed=seed + 1)
    if averages(kernel, colours, typed):
        weight, fill = np.full(weight.shape, share(op, size)), None
    if weight.ndim == len(size):
        x = unbatched(x, len(size), last=op.rules.last)
    if weight.ndim == x.ndim - 1:
        weight = for_channels(op, x, weight, typed | {"kernel": kernel}, fill, seed)
    bias = None if typed.get("bias") is None else read_number(typed["bias"], what="--bias")
    return Request(op, (x, weight, bias), spatial(op, x, len(size)))


def compared(first: str, second: str, **typed: Any) -> tuple[Request, Request]:
    """Two layers, each from its notation, over one input; `typed` is that of a layer, without its convention.

    An input with channels is typed with the channels first, whatever the conventions.
    """
    both = []
    for notation in (first, second):
        asked = request("layer", notation=notation, **typed)
        if asked.op.rules.last and len(asked.sizes) < asked.given[0].ndim and not asked.colours:
            x = np.moveaxis(asked.given[0], 0, -1)
            asked = replace(asked, given=(x, *asked.given[1:]))
        both.append(asked)
    return both[0], both[1]


_MAKERS: dict[str, Callable[[Any, bool, dict[str, Any]], Request]] = {
    "conv": weighted(Conv),
    "transposed": weighted(ConvTranspose),
    "pool": pool,
    "unpool": unpool,
    "upsample": upsample,
    "shuffle": shuffle,
    "layer": _layer,
}

"""Requests: a layer and its inputs from options, given as text or as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly
from convanim.layers import Conv, ConvTranspose, DepthwiseConv, MaxUnpool, Operation, Weighted, times
from convanim.layers.arguments import convention_of
from convanim.layers.evaluated import read_values
from convanim.layers.notation import read
from convanim.typed import read_array, read_picture, read_sizes
from convanim.typed.examples import DISTINCT, ONE_DIGIT
from convanim.typed.files import PICTURES
from convanim.typed.request.asked import Request, bias_of, is_shape, last_axis, spatial, unbatched
from convanim.typed.request.chosen import channels_of, item_of, one_item, options_of
from convanim.typed.request.fixed import fixed, plain, unpool
from convanim.typed.request.weighted import HIGHEST, LOWEST, averages, example_kernel, for_channels, share, weighted
from convanim.typed.typed import unquoted

#: The default maximum number of output channels that are shown: with an input they fit on a page.
SHOWN = 4

__all__ = ["Request", "compared", "request"]


def request(kind: str, **typed: Any) -> Request:
    """Create a layer and its inputs from options.

    Args:
        kind: one of `convanim.commands.COMMANDS`, or "layer" for a layer in a notation.
        typed: the options by name, each as text or as a value: arrays are lists, sizes are integers or
            tuples of them; `x` is the input.

    Raises:
        ConvanimError: a value that cannot be read, or that cannot be combined with another.

    Example:
        >>> asked = request("pool", x="4x4", kernel="2", mode="max")
        >>> asked.op, asked.trace().output.tolist()
        (MaxPool(kernel_size=2), [[48, 40], [47, 38]])
    """
    typed = {name: unquoted(value) if isinstance(value, str) else value for name, value in typed.items()}
    if typed.get("seed", 0) < 0:
        raise ConvanimError(f"`seed` {typed['seed']} is negative", "use 0 or more")
    if typed["x"] == typed.get("kernel") == "-":
        raise ConvanimError("`input` and `kernel` cannot both be read from standard input", "put one into a file")
    x, colours = _input(kind, **{name: typed.get(name) for name in ("x", "fill", "seed", "resize", "grey")})
    x, item = item_of(x, typed.get("batch"))
    for name in ("channels", "out_channels"):
        typed[name] = channels_of(name, typed.get(name))
    if typed.get("convention") is not None:
        typed["convention"] = convention_of("convention", typed["convention"])
    made = _MAKERS.get(kind, partial(plain, kind))(x, colours, typed)
    notes = (*made.notes, *last_axis(made, str(typed["x"]).strip()))
    grey = not colours and _is_picture(typed["x"]) and getattr(made.given[0], "ndim", 0) == len(made.sizes) == 2
    return replace(made, colours=colours and made.colours, grey=grey, notes=notes, item=item or made.item)


#: The commands that animate layers with weights; a notation may be of one, and is compared with one.
WITH_WEIGHTS = ("conv", "transposed", "layer")


def _is_picture(x: Any) -> bool:
    return isinstance(x, str) and x.lower().endswith(PICTURES)


def _input(kind: str, x: Any, fill: Any, seed: Any, resize: str | None, grey: bool | None) -> tuple[Any, bool]:
    """The input, and whether it is a picture in colour (with three channels first)."""
    if _is_picture(x):
        wanted = None if resize is None else read_sizes(resize, what="`resize`")
        planes = read_picture(x, what="`input`", resize=wanted, colour=not grey)
        if grey:
            return planes, False
        coloured = bool((planes != planes[0]).any())
        return (planes, True) if coloured else (planes[0], False)
    if resize is not None:
        raise ConvanimError(f"`resize` {resize} needs a picture, and `input` {shortly(x)} is not one", "leave it out")
    if grey:
        raise ConvanimError(f"`grey` needs a picture, and `input` {shortly(x)} is not one", "leave it out")
    values = ONE_DIGIT if kind in WITH_WEIGHTS else DISTINCT
    return read_array(x, what="`input`", fill=fill or "example", seed=seed or 0, values=values), False


def _layer(x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A layer from its notation, with a kernel that is typed or filled."""
    values = {} if typed.get("set") is None else read_values(typed["set"])
    op, notes, kernel = read(typed["notation"], values)
    if kernel is not None and typed.get("kernel") is None:
        typed = typed | {"kernel": kernel}
    made = _of_operation(op, x, colours, typed)
    return replace(made, notes=(*(f"{note}." for note in notes), *made.notes))


def _of_operation(op: Operation, x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    if isinstance(op, MaxUnpool):
        raise ConvanimError(f"{op} needs the positions of the maxima", "use convanim unpool")
    plane = unbatched(x, 2, last=op.rules.last).ndim == 2
    most = 2 if isinstance(op, DepthwiseConv) else 3  # whose channels have an axis
    rank = op.rank or (2 if colours or plane or not isinstance(op, Weighted) else min(x.ndim, most))
    if typed.get("channels_first") and op.rules.last and x.ndim == rank + 1 and not colours:
        x = np.moveaxis(x, 0, -1)
    if not isinstance(op, Weighted):
        for name in ("kernel", "bias", "out_channels"):
            if typed.get(name) is not None:
                raise ConvanimError(f"`{name}` cannot be combined with {op}, which has no weights", "leave it out")
        return fixed(op, x, colours, typed)
    if isinstance(op, DepthwiseConv):
        return _of_channels(op, rank, x, colours, typed)
    return _of_notation(op, rank, x, colours, typed)


def _of_channels(op: DepthwiseConv, rank: int, x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    """A depthwise convolution as the plain one that it is for this input, or a separable one."""
    from convanim.trace.separable import of_groups  # late, since explanations of other layers need no trace

    last, notes = op.rules.last, list[str]()
    x = unbatched(x, rank, last=last, channels=True)
    if x.ndim == rank and op.in_channels in (None, 1):
        whole = times([*x.shape, 3] if last else [3, *x.shape], "x")
        notes.append(f"the input has one channel; type `input` {whole} for three.")
        x = np.expand_dims(x, -1 if last else 0)
    op.takes(x.shape if x.ndim > rank else (*x.shape, 1) if last else (1, *x.shape))
    channels = op.in_channels or 1 if x.ndim == rank else 3 if colours else x.shape[-1 if last else -rank - 1]
    first, *rest = op.layers(channels)
    made = _of_notation(first, rank, x, colours, typed | ({"bias": None, "out_channels": None} if rest else {}))
    x, weight, bias = made.given
    weight, notes = of_groups(op, weight, channels, rank), [*notes, *made.notes]
    if not rest:
        return replace(made, given=(x, weight, bias), notes=tuple(notes))
    shape, mixed = [axis.output for axis in first.axes(made.sizes)], first.out_channels or 1
    outputs, told = _outputs(rest[0], typed.get("out_channels"))
    size, fill = (1,) * rank, typed.get("fill") or "example"
    between = np.broadcast_to(0, [*shape, mixed] if last else [mixed, *shape])
    wanted = typed | {"kernel": size, "out_channels": outputs}
    pointwise = for_channels(rest[0], between, np.broadcast_to(0, size), wanted, fill, typed.get("seed") or 0)
    options = {**made.options, **options_of({"out_channels": typed.get("out_channels")}, made=True)}
    made = replace(made, op=replace(op, in_channels=channels), given=(x, weight, pointwise, bias_of(typed)))
    return replace(made, colours=False, options=options, notes=(*notes, *told))


def _of_notation(op: Weighted, rank: int, x: Any, colours: bool, typed: dict[str, Any]) -> Request:
    size = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * rank
    kernel = typed.get("kernel") or size
    if colours and op.convention == "scipy" and op.groups == 1:
        op = replace(op, groups=3)  # each colour separately, as in OpenCV
    if colours and op.rules.last:
        x = np.moveaxis(x, 0, -1)
    fill: Any = typed.get("fill") or "example"
    seed = typed.get("seed") or 0
    what = "`kernel_size`" if kernel is size else "`kernel`"
    weight = read_array(kernel, what=what, fill=fill, seed=seed + 1, low=LOWEST, high=HIGHEST)
    if averages(kernel, colours, typed):
        weight, fill = np.full(weight.shape, share(op, size)), None
    if op.rank is None and weight.ndim == rank + 1 == x.ndim + 1 > 3:  # weights with channels leave an axis for those
        rank, size = rank - 1, size[1:]
    if weight.ndim == rank:
        x = unbatched(x, rank, last=op.rules.last)
    x, item = one_item(x, rank)
    if x.ndim == rank and typed.get("out_channels") is not None:
        x = np.expand_dims(x, -1 if op.rules.last else 0)
    notes, outputs = _fitting(op, rank, x), None
    if fill == "example" and is_shape(kernel):
        weight = example_kernel(op, weight, x)
    if weight.ndim == x.ndim - 1:
        outputs, told = _outputs(op, typed.get("out_channels"))
        notes = (*notes, *told)
        weight = for_channels(op, x, weight, typed | {"kernel": kernel, "out_channels": outputs}, fill, seed)
    options = options_of(typed, made=outputs is not None)
    stay = op.out_channels is None or (op.groups == outputs == 3)
    given = x, weight, bias_of(typed)
    return Request(op, given, spatial(op, x, len(size)), stay, notes, options=options, item=item)


def _fitting(op: Weighted, rank: int, x: Any) -> tuple[str, ...]:
    """Refuse an input with channels that the layer does not have; return a note if only the layer has channels."""
    if x.ndim > rank:
        op.takes(x.shape)
    elif op.groups == 1 and {op.in_channels, op.out_channels} - {None, 1}:
        whole = [*x.shape, op.in_channels or 1] if op.rules.last else [op.in_channels or 1, *x.shape]
        return (f"one of the layer's channels is shown; type `input` {times(whole, 'x')} to show more of them.",)
    return ()


def _outputs(op: Weighted, asked: Any) -> tuple[Any, tuple[str, ...]]:
    """The output channels that are shown, or their number, and a note about the others."""
    if isinstance(asked, tuple):
        if op.out_channels is not None:
            from convanim.trace.part import numbers_of  # late, as in `_of_channels`

            numbers_of("out_channels", asked, op.out_channels)
        return asked, ()
    if asked is None and op.out_channels is not None:
        asked = op.out_channels if op.groups > 1 else min(op.out_channels, SHOWN)
        if asked < op.out_channels:
            told = f"{asked} of the {op.out_channels} output channels are shown"
            return asked, (f"{told}; choose others with `out_channels`.",)
    if asked is not None and op.out_channels is not None and asked > op.out_channels:
        raise ConvanimError(f"{op} has fewer than {asked} output channels", f"use `out_channels` {op.out_channels}")
    return asked, ()


def compared(first: str, second: str, **typed: Any) -> tuple[Request, Request]:
    """Two layers from their notations over one input; `typed` has the options of a layer except its convention.

    The channels of the input come first, whatever the conventions.
    """
    a, b = (request("layer", notation=notation, channels_first=True, **typed) for notation in (first, second))
    return a, b


#: The commands that take more than an input and the arguments of a layer.
_MAKERS: dict[str, Callable[[Any, bool, dict[str, Any]], Request]] = {
    "conv": weighted(Conv),
    "transposed": weighted(ConvTranspose),
    "unpool": unpool,
    "layer": _layer,
}

"""Blocks of an explanation for separable convolutions: both layers, and the work of each and of both."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from convanim.explanation import convolutions
from convanim.explanation.arithmetic import multiplications
from convanim.explanation.blocks import output_block, rows_of, window_block, words
from convanim.layers import Axis, DepthwiseConv, SeparableConv, times


def blocks(op: DepthwiseConv, axes: Sequence[Axis], asked: None) -> list[str]:
    """The blocks of an explanation."""
    if not isinstance(op, SeparableConv):
        return convolutions.blocks(op if op.in_channels is None else op.layers(op.in_channels)[0], axes, asked)
    return [output_block(axes), window_block(axes), *words(op, axes), *both(op, axes)]


def both(op: SeparableConv, axes: Sequence[Axis]) -> list[str]:
    """The two layers with their shapes, and their work if the numbers of channels are known."""
    into, out = ([getattr(a, name) for a in axes] for name in ("input", "output"))
    first, second = op.layers(op.in_channels or 1)
    if op.in_channels is None:
        known = [("depthwise", "one kernel for each channel"), ("pointwise", "a 1×1 convolution of all of them")]
        known.append(("work", "counted if the layer has its in_channels"))
        return [rows_of("Two layers in a row", known)]
    inputs, mixed, outputs = op.in_channels, first.out_channels or 1, op.out_channels

    def shaped(count: int | None, sizes: Sequence[int]) -> str:
        whole = [str(count or "?")]
        sized = [*map(str, sizes)]
        return "×".join([*sized, *whole] if op.rules.last else [*whole, *sized])

    rows = [
        ("depthwise", f"{shaped(inputs, into)} → {shaped(mixed, out)}   {first}"),
        ("pointwise", f"{shaped(mixed, out)} → {shaped(outputs, out)}   {second}"),
    ]
    told = [rows_of("Two layers in a row", rows)]
    if outputs is None:
        return told
    return [*told, work(op, axes)]


def work(op: SeparableConv, axes: Sequence[Axis]) -> str:
    """The parameters and multiplications of both layers, their sum, and those of one convolution instead of both."""
    found = counted(op, axes)
    names = ("depthwise", "pointwise", "both", "one convolution")
    columns = [[f"{found[name][what]:,}" for name in names] for what in ("weights", "multiplications")]
    wide = [max(map(len, column)) for column in columns]
    rows = [
        (name, f"{weights:>{wide[0]}} weights, {products:>{wide[1]}} multiplications that involve an input value")
        for name, weights, products in zip(names, *columns, strict=True)
    ]
    one, two = found["one convolution"]["multiplications"], found["both"]["multiplications"]
    size = times([a.kernel for a in axes])
    instead = f"of {size} that mixes all channels: {one / two:.2g} times as many multiplications"
    more = [("", instead), ("biases", f"{op.out_channels}, after the pointwise layer, if it has them")]
    return rows_of("Work", [*rows, *more])


def counted(op: SeparableConv, axes: Sequence[Axis]) -> dict[str, dict[str, int]]:
    """The numbers of weights and of multiplications by layer; the numbers of channels must be known.

    Example:
        >>> op = SeparableConv((3, 3), in_channels=8, out_channels=16)
        >>> found = counted(op, op.axes((6, 6)))
        >>> found["both"], found["one convolution"]
        ({'weights': 200, 'multiplications': 3200}, {'weights': 1152, 'multiplications': 18432})
    """
    inputs, outputs = op.in_channels or 1, op.out_channels or 1
    mixed, kernel, cells = inputs * op.depth_multiplier, prod(a.kernel for a in axes), prod(a.output for a in axes)
    done = multiplications(axes)
    pairs = {
        "depthwise": {"weights": mixed * kernel, "multiplications": mixed * done},
        "pointwise": {"weights": mixed * outputs, "multiplications": mixed * outputs * cells},
    }
    added = {what: sum(one[what] for one in pairs.values()) for what in ("weights", "multiplications")}
    one = {"weights": inputs * outputs * kernel, "multiplications": inputs * outputs * done}
    return {**pairs, "both": added, "one convolution": one}

"""The search for layers that map one size to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from convanim.errors import ConvanimError
from convanim.explanation.arithmetic import count, evenness, multiplications
from convanim.layers import LARGEST, Axis, Conv, ConvTranspose, Operation, times

#: The default search range. Padding of the kernel's size or more only adds windows of nothing but zeros.
KERNELS, STRIDES = range(1, 8), range(1, 5)
#: The maximum number of layers with different arguments along each axis; more are refused.
MOST = 10_000


@dataclass(frozen=True)
class Found:
    """A layer that maps the sizes to each other.

    Attributes:
        op: the layer.
        multiplications: its products of an input value and a weight, from one channel to one.
        even: whether every inner cell has the same number of products; always true of a convolution.
    """

    op: Operation
    multiplications: int
    even: bool


def solve(
    sizes: Sequence[int], output: Sequence[int], kernels: Iterable[int] = KERNELS, strides: Iterable[int] = STRIDES
) -> list[Found]:
    """Every convolution and transposed convolution that gives `output` from an input of `sizes`.

    It tries these kernel sizes and strides, every padding below the kernel size (the same before and after), every
    output padding, and no dilation, so an empty list is a proof. If layers with the same arguments along all axes
    exist, only these are returned.

    Args:
        sizes, output: (H, W), or any number of axes.

    Returns:
        Layers without checkerboard artefacts first, then by their multiplications.

    Raises:
        ConvanimError: the sizes differ in their number of axes, or are not positive; or there are too many layers.

    Example:
        >>> [str(found.op) for found in solve((7,), (14,), kernels=[4], strides=[2])]
        ['ConvTranspose(kernel_size=4, stride=2, padding=1)']
    """
    sizes, output, kernels, strides = tuple(sizes), tuple(output), tuple(kernels), tuple(strides)
    if len(sizes) != len(output):
        raise ConvanimError(
            f"an input of {times(sizes)} and an output of {times(output)} differ in their number of axes",
            "give both the same number",
        )
    for name, numbers in (("size", (*sizes, *output)), ("kernel size", kernels), ("stride", strides)):
        wrong = [n for n in numbers if not 1 <= n <= LARGEST]
        if wrong:
            raise ConvanimError(f"{name} {wrong[0]} is not between 1 and {LARGEST}", "use 1 or more")
    pairs = list(zip(sizes, output, strict=True))
    # For each kind of layer, for each axis: the arguments that fit it.
    kinds = [
        [{_arguments(axis): axis for axis in along(i, o, kernels, strides)} for i, o in pairs]
        for along in (_convs, _transposes)
    ]
    alike: list[tuple[Axis, ...]] = []
    for choices in kinds:
        common = set.intersection(*(set(axes) for axes in choices))
        alike += [tuple(axes[same] for axes in choices) for same in sorted(common)]
    many = sum(prod(map(len, choices)) for choices in kinds)
    if not alike and many > MOST:
        raise ConvanimError(
            f"{many} layers with different arguments for each axis map these sizes",
            "try fewer with `kernel` or `stride`",
        )
    apart = [] if alike else [axes for choices in kinds for axes in product(*(c.values() for c in choices))]
    found = [
        Found(_layer(axes), multiplications(axes), not axes[0].transposed or all(evenness(a)[0] for a in axes))
        for axes in alike or apart
    ]
    return sorted(found, key=lambda f: (not f.even, f.multiplications, str(f.op)))


def report(sizes: Sequence[int], output: Sequence[int], found: Sequence[Found], most: int = 20) -> str:
    """The result as text: one layer per line, or a statement that there is none.

    Example:
        >>> print(report((7,), (14,), solve((7,), (14,), kernels=[2, 3], strides=[2])))
        7 → 14: 2 layers
          14 multiplications  ConvTranspose(kernel_size=2, stride=2)
          20 multiplications  ConvTranspose(kernel_size=3, stride=2, padding=1, output_padding=1)  (checkerboard)
    """
    head = f"{times(sizes)} → {times(output)}: "
    if not found:
        return (
            head + "no layer; every padding below the kernel size and every output padding was tried, without dilation"
        )
    shown = found[:most]
    width = max(len(str(f.multiplications)) for f in shown)
    lines = [
        f"  {f.multiplications:>{width}} multiplications  {f.op}" + ("" if f.even else "  (checkerboard)")
        for f in shown
    ]
    rest = [f"  and {len(found) - most} more; narrow the search with --kernel or --stride"] * (len(found) > most)
    return "\n".join([head + count(len(found), "layer"), *lines, *rest])


def _convs(i: int, o: int, kernels: Iterable[int], strides: Iterable[int]) -> Iterable[Axis]:
    for k, s in product(kernels, strides):
        for p in range(k):
            if i + 2 * p >= k and (i + 2 * p - k) // s + 1 == o:
                yield Axis(i, o, k, s, p, p)


def _transposes(i: int, o: int, kernels: Iterable[int], strides: Iterable[int]) -> Iterable[Axis]:
    for k, s in product(kernels, strides):
        for p in range(k):
            extra = o - ((i - 1) * s + k - 2 * p)
            if 0 <= extra < s:
                yield Axis(i, o, k, s, p, p, output_padding=extra, transposed=True)


def _arguments(axis: Axis) -> tuple[int, ...]:
    return axis.kernel, axis.stride, axis.before, axis.output_padding


def _layer(axes: Sequence[Axis]) -> Operation:
    kernel, stride, padding, extra = (n[0] if len(set(n)) == 1 else n for n in zip(*map(_arguments, axes), strict=True))
    if axes[0].transposed:
        return ConvTranspose(kernel, stride, padding, output_padding=extra)
    return Conv(kernel, stride, padding)

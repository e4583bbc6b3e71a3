"""The arithmetic of a layer's sizes in words and numbers, for explanations and captions alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import Any

from convanim.language.numerals import MINUS
from convanim.language.words import join, plural, say
from convanim.layers import Axis, times

#: Counted things with their plurals that appear on a page; others appear in the shell only.
COUNTED = {
    "zero": plural("{n} zero", "{n} zeros"),
    "cell": plural("{n} cell", "{n} cells"),
    "common cell": plural("{n} common cell", "{n} common cells"),
    "input cell": plural("{n} input cell", "{n} input cells"),
    "product": plural("{n} product", "{n} products"),
    "value": plural("{n} value", "{n} values"),
    "slice": plural("{n} slice", "{n} slices"),
    "row": plural("{n} row", "{n} rows"),
    "column": plural("{n} column", "{n} columns"),
}


def alike(axes: Sequence[Axis]) -> bool:
    """Whether all axes have the same arithmetic."""
    return len(set(axes)) == 1


def per_axis(numbers: Sequence[int]) -> str:
    """One number if all axes agree, otherwise one for each: 2, or 2×1.

    Example:
        >>> per_axis([2, 2]), per_axis([2, 1])
        ('2', '2×1')
    """
    return str(numbers[0]) if len(set(numbers)) == 1 else times(numbers)


def shortest(each: Sequence[Any]) -> Any:
    """A layer's argument in its shortest form: one value if all axes agree, one number for a pair of equal sides.

    Example:
        >>> shortest([3, 3]), shortest([3, 2]), shortest([(1, 1), (1, 1)]), shortest([(0, 1), (0, 1)])
        (3, (3, 2), 1, ((0, 1), (0, 1)))
    """
    told = [v[0] if isinstance(v, tuple) and v[0] == v[1] else v for v in each]
    return told[0] if len(set(told)) == 1 and not isinstance(told[0], tuple) else tuple(told)


def count(number: int, thing: str) -> str:
    """A number of things: 1 zero, 2 zeros.

    Example:
        >>> count(1, "zero"), count(2, "zero")
        ('1 zero', '2 zeros')
    """
    if thing in COUNTED:
        return COUNTED[thing](number)
    end = "es" if thing.endswith(("s", "x")) else "s"
    return f"{number} {thing}" if number == 1 else f"{number} {thing}{end}"


def rings(axes: Sequence[Axis]) -> list[tuple[int, int]]:
    """The zeros around the stage of the window, (before, after) along each axis; negative numbers crop."""
    return [a.ring if a.transposed else (a.before, a.after) for a in axes]


def sides(pairs: Sequence[tuple[int, int]]) -> str:
    """Padding as it is typed: 1, or 1×0, or 1:2×0:1 (before:after).

    Example:
        >>> sides([(1, 1), (1, 1)]), sides([(0, 1), (0, 1)]), sides([(1, 1), (0, 2)])
        ('1', '0:1', '1×0:2')
    """
    told = [str(a) if a == b else f"{a}:{b}" for a, b in pairs]
    return (told[0] if len(set(told)) == 1 else "×".join(told)).replace("-", MINUS)


def arguments(axes: Sequence[Axis], apart: str = "   ") -> str:
    """A layer's arguments in words, without those that have their usual values.

    Example:
        >>> arguments([Axis(input=3, output=7, kernel=3, stride=2, transposed=True)])
        'kernel 3   stride 2'
    """
    stride, dilation, extra = (
        per_axis([getattr(a, n) for a in axes]) for n in ("stride", "dilation", "output_padding")
    )
    padding = sides([(a.before, a.after) for a in axes])
    even = all(a.regular for a in axes)
    told = [
        (say("kernel {n}", n=times([a.kernel for a in axes])), even),
        (say("windows {n}", n="×".join(map(window_sizes, axes))), not even),
        (say("stride {n}", n=stride), even and stride != "1"),
        (say("padding {n}", n=padding), padding != "0"),
        (say("dilation {n}", n=dilation), dilation != "1"),
        (say("output padding {n}", n=extra), extra != "0"),
    ]
    return join(apart, [text for text, unusual in told if unusual])


def window_sizes(axis: Axis) -> str:
    """The sizes of the windows along an axis: 3, or 2–3."""
    least, most = axis.sizes
    return f"{most}" if least == most else f"{least}–{most}"


def output_formula(transposed: bool) -> str:
    """The formula of the output's size."""
    if transposed:
        return "(i − 1)·s + d(k − 1) + 1 − p − p′ + op"
    return "⌊(i + p + p′ − d(k − 1) − 1) / s⌋ + 1"


def output_sum(axis: Axis) -> str:
    """The calculation of the output's size along one axis, without its result."""
    a = axis
    span = f"{a.kernel}" if a.dilation == 1 else f"({a.dilation}·{a.kernel - 1} + 1)"
    if a.transposed:
        # A negative crop adds cells.
        sides = [f" {'+' if side < 0 else '−'} " for side in (a.before, a.after)]
        crop = sides[0] + (f"2·{abs(a.before)}" if a.before == a.after else f"{abs(a.before)}{sides[1]}{abs(a.after)}")
        extra = f" + {a.output_padding}" if a.output_padding else ""
        return f"({a.input} − 1)·{a.stride} + {span}" + (crop if a.before or a.after else "") + extra
    pad = f"2·{a.before}" if a.before == a.after else f"{a.before} + {a.after}"
    inside = f"{a.input}" + (f" + {pad}" if a.before or a.after else "") + f" − {span}"
    if a.beyond:
        return f"⌈({inside}) / {a.stride}⌉ + 1"
    return f"{inside} + 1" if a.stride == 1 else f"⌊({inside}) / {a.stride}⌋ + 1"


def evenness(axis: Axis) -> tuple[bool, int, int]:
    """Whether a transposed layer overlaps evenly, and the minimum and maximum number of products in an inner cell.

    Output cells fall into s classes by their index modulo s; position j of the kernel serves class j·d mod s.

    Example:
        >>> evenness(Axis(input=3, output=7, kernel=3, stride=2, transposed=True))
        (False, 1, 2)
    """
    shared = gcd(axis.dilation, axis.stride)
    met = axis.stride // shared  # classes that are served; a common factor leaves others out
    fewest, most = 0 if shared > 1 else axis.kernel // met, -(-axis.kernel // met)
    return fewest == most, fewest, most


def even_kernel(axis: Axis) -> int | None:
    """The kernel size nearest to an axis' own that overlaps evenly; of two, the larger; None if there is none.

    A dilation with a factor in common with the stride leaves some cells out, whatever the size.

    Example:
        >>> [even_kernel(Axis(input=3, output=9, kernel=k, stride=3, transposed=True)) for k in (1, 3, 4, 5)]
        [3, 3, 3, 6]
        >>> even_kernel(Axis(input=3, output=9, kernel=3, stride=2, dilation=2, transposed=True)) is None
        True
    """
    if gcd(axis.dilation, axis.stride) > 1:
        return None
    less = axis.kernel - axis.kernel % axis.stride
    sizes = [k for k in (less + axis.stride, less) if k > 0]
    return min(sizes, key=lambda k: abs(k - axis.kernel))


def remainder(axis: Axis) -> str:
    """The remainder that decides whether the overlap is even: k mod s, or a remark on dilation and stride.

    Example:
        >>> remainder(Axis(input=3, output=7, kernel=3, stride=2, transposed=True))
        'k mod s = 3 mod 2 = 1'
    """
    s, k = axis.stride, axis.kernel
    if axis.dilation == 1:
        return f"k mod s = {k} mod {s} = {k % s}"
    return say("dilation {d} with stride {s}", d=axis.dilation, s=s)


def multiplications(axes: Sequence[Axis]) -> int:
    """The number of products that one output channel takes from one input channel.

    Example:
        >>> multiplications([Axis(input=3, output=1, kernel=3)] * 2)
        9
    """
    return prod(map(_products, axes))


def _products(axis: Axis) -> int:
    """The number of taps of an axis, calculated without creating them."""
    if axis.mode != "zeros":
        return axis.output * axis.kernel
    wide = axis.output if axis.transposed else axis.input
    return _reaching(axis, axis.before + wide) - _reaching(axis, axis.before)


def overlap(axis: Axis, cell: int) -> int:
    """The number of products in one output cell of a transposed layer, along one axis.

    Example:
        >>> [overlap(Axis(input=3, output=7, kernel=3, stride=2, transposed=True), cell) for cell in range(7)]
        [1, 1, 2, 1, 2, 1, 1]
    """
    return _reaching(axis, axis.before + cell + 1) - _reaching(axis, axis.before + cell)


def _reaching(axis: Axis, end: int) -> int:
    """The number of pairs of a narrow cell n and a position k of the kernel with n * stride + k * dilation < end."""
    s, d = axis.stride, axis.dilation
    cells = axis.input if axis.transposed else axis.output
    # Every cell counts up to position `whole`, none from `last` on, and ⌈(end - k * d) / s⌉ between them.
    whole, last = (min(max(-(-at // d), 0), axis.kernel) for at in (end - (cells - 1) * s, end))
    return whole * cells + _floors(last - whole, s, d, end - (last - 1) * d + s - 1)


def _floors(terms: int, divisor: int, step: int, first: int) -> int:
    """The sum of ⌊(first + i * step) / divisor⌋ over i < terms, by Euclid's algorithm: lattice points under a line."""
    total = 0
    while terms > 0:
        total += terms * (terms - 1) // 2 * (step // divisor) + terms * (first // divisor)
        step, first = step % divisor, first % divisor
        # The remaining points, counted by columns instead of rows.
        terms, first = divmod(step * terms + first, divisor)
        divisor, step = step, divisor
    return total

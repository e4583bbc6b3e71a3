"""The reasons why two layers give different outputs for one input, derived from their axes, conventions and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from convanim.explanation.arithmetic import count, per_axis, sides
from convanim.explanation.difference import Difference
from convanim.language.numerals import beside
from convanim.language.printed import Printed
from convanim.language.words import join, say
from convanim.layers import Pooling, Shuffle, Weighted, times
from convanim.layers.axis import resampled
from convanim.trace import ConvTrace, Trace, UnpoolTrace
from convanim.trace.engine import under

SAME = say("they are the same layer: every cell equal")


class Cause(NamedTuple):
    """One difference between two traces; `value` is True for numbers, and False for arguments and rules."""

    text: str
    value: bool = False


def why(a: Trace, b: Trace, align: str = "index") -> str:
    """The reasons why two traces give different outputs, in one line.

    Raises:
        ConvanimError: the numbers of axes differ.

    Example:
        >>> from convanim.layers import Conv
        >>> one, two = Conv(3, 2, "same", convention="keras"), Conv(3, 2, 1)
        >>> why(*(op.trace([1, 2, 3, 4, 5, 6], [1, 1, 1]) for op in (one, two)))
        "padding is 0:1 ('same') in Keras and 1 in PyTorch"
    """
    found = causes(a, b)
    texts = [cause.text for cause in found]
    if found and all(cause.value for cause in found):
        texts[0] = say("only {what}", what=texts[0])
    told = join("; ", texts)
    if Difference(a, b, align).none:
        return say("every cell equal, although {told}", told=told) if told else SAME
    return told


def causes(a: Trace, b: Trace) -> list[Cause]:
    """The differences between two traces that can make their outputs differ, with the sizes first.

    Example:
        >>> from convanim.layers import AvgPool
        >>> one, two = (AvgPool(2, padding=1, convention=c) for c in ("torch", "onnx"))
        >>> for cause in causes(one.trace([1, 2, 3, 4]), two.trace([1, 2, 3, 4])):
        ...     print(cause.text)
        the stride is 2 in PyTorch and 1 in ONNX
        padding counts in the average of PyTorch and not in that of ONNX
    """
    names = Difference(a, b).names
    return [cause for find in (_kind, _geometry, _rules, _resampling, _values) for cause in find(a, b, names)]


def report(a: Trace, b: Trace, align: str = "index") -> Printed:
    """A comparison of two traces in several lines: sizes, equal cells, the first difference, and the reasons.

    Raises:
        ConvanimError: the layers are too large to compute: see `Trace.bounded`.

    Example:
        >>> from convanim.layers import Conv
        >>> print(report(Conv(2).trace([1, 2, 3], [1, 1]), Conv(2, dilation=2).trace([1, 2, 3], [1, 1])))
        the first    Conv(kernel_size=2)   3 → 2
        the second   Conv(kernel_size=2, dilation=2)   3 → 1
        equal        0 of 1 common cell
        differs      output[0]: 3 in the first, 4 in the second
        alone        the first has 1 cell more
        why          the dilation is 1 in the first and 2 in the second
    """
    a.bounded()
    b.bounded()
    d = Difference(a, b, align)
    rows = [
        (name, f"{t.op}   {' → '.join(map(times, t.sizes))}" + _channels(t))
        for name, t in zip(d.names, (a, b), strict=True)
    ]
    rows.append(("equal", f"{d.equal.sum()} of {count(d.equal.size, 'cell' if d.sized else 'common cell')}"))
    if d.first is not None:
        one, two = d.values
        rows.append(("differs", f"{d.place}: {one} in {d.names[0]}, {two} in {d.names[1]}"))
    alone = [f"{name} has {count(n, 'cell')} more" for name, n in zip(d.names, d.only, strict=True) if n]
    rows += [("alone", ", ".join(alone))] * bool(alone)
    rows.append(("why", why(a, b, align)))
    width = max(len(head) for head, _ in rows)
    return Printed("\n".join(f"{head:<{width}}   {text}" for head, text in rows))


def _channels(trace: Trace) -> str:
    channels = len(trace.listed)
    return f", {count(channels, 'channel')}" if channels > 1 else ""


Names = tuple[str, str]


def _each(subject: str, told: Iterable[object], names: Names) -> str:
    """`the stride is 1 in the first and 2 in the second`."""
    one, two = told
    return say("{subject} {one} in {a} and {two} in {b}", subject=subject, one=one, two=two, a=names[0], b=names[1])


def _kind(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    if a.op.words != b.op.words:
        yield Cause(say("the first is {a}, the second {b}", a=a.op.called[1], b=b.op.called[1]))
        return
    ins, outs = ([getattr(t.op, f"{way}_channels", None) for t in (a, b)] for way in ("in", "out"))
    if None not in ins and ins[0] != ins[1]:
        yield Cause(_each(say("the input channels are"), ins, names))
    if None in outs or outs[0] == outs[1]:
        outs = [len(a.listed), len(b.listed)]
    if outs[0] != outs[1]:
        yield Cause(_each(say("the output channels are"), outs, names))
    if isinstance(a.op, Weighted) and isinstance(b.op, Weighted) and a.op.groups != b.op.groups:
        yield Cause(_each(say("the groups are"), (a.op.groups, b.op.groups), names))


def _geometry(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    """Kernel, stride, padding and so on, compared by their numbers rather than their words."""
    both = [*a.axes, *b.axes]
    if resampled(both) or len({x.transposed for x in both}) > 1:
        return
    sizes = [[x.output for x in t.axes] for t in (a, b)]
    if not all(x.regular for x in both):
        if sizes[0] != sizes[1]:
            yield Cause(_each(say("the output size is"), map(times, sizes), names))
        return
    shuffles = isinstance(a.op, Shuffle)
    lists: Sequence[tuple[str, Callable[[Any], int]]] = (
        (say("the factor is") if shuffles else say("the kernel is"), lambda x: x.kernel),
        (say("the stride is"), lambda x: x.stride),
        (say("the dilation is"), lambda x: x.dilation),
    )
    for subject, get in lists[:1] if shuffles else lists:
        one, two = ([get(x) for x in t.axes] for t in (a, b))
        if one != two:
            yield Cause(_each(subject, map(per_axis, (one, two)), names))
    yield from _padding(a, b, names)
    extra = [[x.output_padding for x in t.axes] for t in (a, b)]
    if extra[0] != extra[1]:
        yield Cause(_each(say("output padding is"), map(per_axis, extra), names))
    ceil = [getattr(t.op, "ceil_mode", False) for t in (a, b)]
    if ceil[0] != ceil[1] and any(x.beyond for x in both):
        rounds = ceil.index(True)
        yield Cause(say("{name} rounds its size up, to {size}", name=names[rounds], size=times(sizes[rounds])))
    if isinstance(a, UnpoolTrace) and sizes[0] != sizes[1]:
        yield Cause(_each(say("the output size is"), map(times, sizes), names))


def _padding(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    one, two = ([(x.before, x.after) for x in t.axes] for t in (a, b))
    asked, other = (getattr(t.op, "padding", None) for t in (a, b))
    if one != two:
        told = [sides(one), sides(two)]
        if asked == other:
            way = repr(asked) if isinstance(asked, str) else say("padding {n}", n=asked)
            subject = say("{way} crops", way=way) if a.op.transposed else say("{way} pads", way=way)
        else:
            subject = say("the crop is") if a.op.transposed else say("padding is")
            told = [f"{t} ({p!r})" if isinstance(p, str) else t for t, p in zip(told, (asked, other), strict=True)]
        yield Cause(_each(subject, told, names))
    if a.axes[0].mode != b.axes[0].mode and any(map(any, (*one, *two))):
        yield Cause(_each(say("the padding mode is"), (a.axes[0].mode, b.axes[0].mode), names))


def _rules(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    """The differences in what the layers compute from the cells of a window."""
    p, q = a.op, b.op
    if isinstance(p, Pooling) and isinstance(q, Pooling) and p.combine == q.combine:
        yield from _pooled(p, q, a, b, names)
    if isinstance(p, Shuffle) and isinstance(q, Shuffle) and p.depth_first != q.depth_first and len(a.x) > 1:
        one, two = ("DCR" if op.depth_first else "CRD" for op in (p, q))
        yield Cause(_each(say("the order of the channels is"), (one, two), names))


def _pooled(p: Pooling, q: Pooling, a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    axes = (*a.axes, *b.axes)
    if p.counts_padding != q.counts_padding and any(x.before or x.after for x in axes):
        counts, leaves = names if p.counts_padding else names[::-1]
        told = say("padding counts in the average of {a} and not in that of {b}", a=counts, b=leaves)
        yield Cause(_divided(told, a, b))
    if p.power != q.power:
        yield Cause(_each(say("the norm is"), (p.power, q.power), names))
    if p.combine == "norm" and p.convention != q.convention:
        if p.power % 2 and (a.x < 0).any():
            yield Cause(say("PyTorch takes the powers of the values, ONNX those of their sizes"))
        if any(x.beyond for x in axes):
            yield Cause(say("PyTorch scales up what a window that sticks out holds, ONNX does not"))


def _divided(told: str, a: Trace, b: Trace) -> str:
    """The cause, extended by the first mean with different divisors."""
    if a.answer.shape != b.answer.shape:
        return told
    one, two = (under(t.axes, padding=t.op.counts_padding) for t in (a, b))  # type: ignore[attr-defined]
    cells = np.argwhere(one != two)
    if not len(cells):
        return told
    cell = tuple(cells[0].tolist())
    place = join("", [say("output"), f"[{','.join(map(str, cell))}]"])
    return say("{told}: {cell} is divided by {a} and by {b}", told=told, cell=place, a=one[cell], b=two[cell])


def _resampling(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    one, two = (resampled(t.axes) for t in (a, b))
    if not one or not two:
        return
    if one[0].way != two[0].way:
        yield Cause(_each(say("the mode is"), (one[0].way, two[0].way), names))
    elif one[0].place != two[0].place:
        yield Cause(_each(say("the coordinates are"), (one[0].place, two[0].place), names))
    factors = [[Fraction(*x.ratio) for x in axes] for axes in (one, two)]
    if factors[0] != factors[1]:
        told = ("×".join(map(str, f[:1] if len(set(f)) == 1 else f)) for f in factors)
        yield Cause(_each(say("the factor is"), told, names))


def _values(a: Trace, b: Trace, names: Names) -> Iterator[Cause]:
    """The differences between the given numbers: the input, the weights, the bias, the positions of maxima."""
    yield from _array(say("input"), say("the input values differ"), a.x, b.x, names, a.x.shape[0] > 1)
    if isinstance(a, UnpoolTrace) and isinstance(b, UnpoolTrace):
        yield from _array(say("place"), say("the places of the maxima differ"), a.places, b.places, names, len(a.x) > 1)
    if not isinstance(a, ConvTrace) or not isinstance(b, ConvTrace) or a.op.transposed != b.op.transposed:
        return
    if a.weight.shape == b.weight.shape and not np.array_equal(a.weight, b.weight):
        if a.op.held_rotated != b.op.held_rotated and np.array_equal(a.kernel, b.kernel):
            unrotated, rotated = names if b.op.slides_rotated else names[::-1]
            yield Cause(say("{a} does not rotate the kernel, {b} does", a=unrotated, b=rotated))
        else:
            many = max(a.weight.shape[:2]) > 1
            yield from _array(say("kernel"), say("the weights differ"), a.weight, b.weight, names, many, bare=2)
    none = np.zeros(1, np.int64)
    one, two = (none if t.bias is None else t.bias for t in (a, b))
    if a.channels == b.channels and (one != two).any():
        if a.channels == 1:
            yield Cause(_each(say("the bias is"), beside(one.item(), two.item()), names), value=True)
        else:
            yield Cause(say("the biases differ"), value=True)


def _array(name: str, text: str, one: Any, two: Any, names: Names, channels: bool, bare: int = 1) -> Iterator[Cause]:
    """The first of the values that differ, from both arrays."""
    if one.shape != two.shape:
        yield Cause(
            _each(say("the size of the {what} is", what=name), (times(v.shape[bare:]) for v in (one, two)), names)
        )
        return
    cells = np.argwhere(one != two)
    if len(cells):
        cell = cells[0]
        inside = cell if channels else cell[bare:]
        told = beside(one[tuple(cell)].item(), two[tuple(cell)].item())
        place = join("", [name, f"[{','.join(map(str, inside))}]"])
        yield Cause(_each(say("{text}: {cell} is", text=text, cell=place), told, names), value=True)

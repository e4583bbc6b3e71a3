"""The arithmetic of a layer in words and with its own numbers.

Knows an operation and the sizes it meets. Must not know values or pictures. What the captions of an animation say about
sizes, zeros and padding comes from here too, so that both say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import gcd, prod

from convanim.errors import ConvanimError
from convanim.numerals import MINUS
from convanim.ops import LARGEST, Axis, Operation, times
from convanim.taps import Taps
from convanim.trace.engine import taps_of

#: An overlap pattern longer than this is cut; it repeats anyway.
LONGEST_PATTERN = 24


def alike(axes: Sequence[Axis]) -> bool:
    """Whether all axes have the same arithmetic, so that one stands for all."""
    return len(set(axes)) == 1


def per_axis(numbers: Sequence[int]) -> str:
    """One number for all axes where they agree, otherwise one each: 2, or 2×1.

    Example:
        >>> per_axis([2, 2]), per_axis([2, 1])
        ('2', '2×1')
    """
    return str(numbers[0]) if len(set(numbers)) == 1 else times(numbers)


def count(number: int, thing: str) -> str:
    """A number of things: 1 zero, 2 zeros.

    Example:
        >>> count(1, "zero"), count(2, "zero")
        ('1 zero', '2 zeros')
    """
    plural = "es" if thing.endswith(("s", "x")) else "s"
    return f"{number} {thing}" if number == 1 else f"{number} {thing}{plural}"


def rings(axes: Sequence[Axis]) -> list[tuple[int, int]]:
    """The zeros put around what the window slides over, (before, after) along each axis; negative ones are cropped."""
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
    """A layer's arguments in words, those that differ from the usual.

    Example:
        >>> arguments([Axis(input=3, output=7, kernel=3, stride=2, transposed=True)])
        'kernel 3   stride 2'
    """
    told = [
        ("kernel", times([a.kernel for a in axes]), ""),
        ("stride", per_axis([a.stride for a in axes]), "1"),
        ("padding", sides([(a.before, a.after) for a in axes]), "0"),
        ("dilation", per_axis([a.dilation for a in axes]), "1"),
        ("output padding", per_axis([a.output_padding for a in axes]), "0"),
    ]
    return apart.join(f"{name} {value}" for name, value, usual in told if value != usual)


def ring_name(axes: Sequence[Axis]) -> str:
    """What the ring of padding is called: p, k−1−p, or d(k−1)−p where the kernel is dilated."""
    if not axes[0].transposed:
        return "p"
    return "k−1−p" if all(a.dilation == 1 for a in axes) else "d(k−1)−p"


def output_formula(transposed: bool) -> str:
    """The size of the output, in letters."""
    if transposed:
        return "(i − 1)·s + d(k − 1) + 1 − p − p′ + op"
    return "⌊(i + p + p′ − d(k − 1) − 1) / s⌋ + 1"


def output_sum(axis: Axis) -> str:
    """The size of the output along one axis, in numbers, without its result."""
    a = axis
    span = f"{a.kernel}" if a.dilation == 1 else f"({a.dilation}·{a.kernel - 1} + 1)"
    if a.transposed:
        # A negative crop is cells that are added.
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
    """Whether a transposed layer overlaps evenly, and the fewest and most products that meet in one inner cell.

    Cells of the output fall into s classes by their place modulo s; the kernel's place j serves class j·d mod s.

    Example:
        >>> evenness(Axis(input=3, output=7, kernel=3, stride=2, transposed=True))
        (False, 1, 2)
    """
    met = Counter(j * axis.dilation % axis.stride for j in range(axis.kernel))
    per_class = [met[c] for c in range(axis.stride)]
    return len(set(per_class)) == 1, min(per_class), max(per_class)


def even_kernel(axis: Axis) -> int | None:
    """The kernel size nearest to an axis' own with which its overlap is even; of two the larger; None for none.

    A dilation that shares a factor with the stride leaves some cells out whatever the size.

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
    """What decides whether the overlap is even: k mod s, or the dilation and the stride.

    Example:
        >>> remainder(Axis(input=3, output=7, kernel=3, stride=2, transposed=True))
        'k mod s = 3 mod 2 = 1'
    """
    s, k = axis.stride, axis.kernel
    return f"k mod s = {k} mod {s} = {k % s}" if axis.dilation == 1 else f"dilation {axis.dilation} with stride {s}"


def multiplications(axes: Sequence[Axis]) -> int:
    """How many products of an input value and a weight one output channel takes from one input channel.

    Example:
        >>> multiplications([Axis(input=3, output=1, kernel=3)] * 2)
        9
    """
    return prod(len(_taps(a).k) for a in axes)


def explain(op: Operation, sizes: Sequence[int]) -> str:
    """The arithmetic of a layer for an input of these sizes, as text of several lines.

    Raises:
        ConvanimError: the layer does not fit an input of these sizes.

    Example:
        >>> from convanim.ops import Conv
        >>> print(explain(Conv(kernel_size=3, stride=2), (6, 6)).splitlines()[0])
        Conv(kernel_size=3, stride=2)   6×6 → 2×2
    """
    axes = op.axes(sizes)
    blocks = [
        f"{op}   {times(sizes)} → {times([a.output for a in axes])}",
        _output_block(axes),
        _transposed_block(axes) if op.transposed else _conv_block(axes),
        _summary(axes),
        _work(op, axes),
    ]
    return "\n\n".join(blocks)


def _named(axes: Sequence[Axis]) -> list[tuple[str, Axis]]:
    """Each axis with its name; a single one for all where they agree."""
    names = {1: ["along the line"], 2: ["rows", "columns"], 3: ["depth", "rows", "columns"]}
    known = names.get(len(axes), [f"axis {i}" for i in range(len(axes))])
    return [("every axis", axes[0])] if alike(axes) and len(axes) > 1 else list(zip(known, axes, strict=True))


def _rows(head: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(left) for left, _ in rows)
    return "\n".join([head, *(f"  {left:<{width}}  {right}" for left, right in rows)])


def _output_block(axes: Sequence[Axis]) -> str:
    rows = [("in letters", "o = " + output_formula(axes[0].transposed))]
    rows += [(name, f"o = {output_sum(a)} = {a.output}") for name, a in _named(axes)]
    return _rows("Output size", rows)


def _conv_block(axes: Sequence[Axis]) -> str:
    rows = []
    for name, a in _named(axes):
        rows.append((name, f"padding {a.before} before and {a.after} after: {a.input} → {a.stage}, stride {a.stride}"))
        if a.unused:
            rows.append(("", f"the floor leaves {count(a.unused, 'cell')} at the end unused"))
    return _rows("A window slides over the padded input", rows)


def _transposed_block(axes: Sequence[Axis]) -> str:
    gather, scatter = [], []
    for name, a in _named(axes):
        before, after = a.ring
        extra = " + op" if a.output_padding else ""
        gather += [
            (name, f"zeros inserted    s − 1 = {a.stride - 1} between neighbours: {a.input} → {a.spread}"),
            ("", f"ring of padding   d(k − 1) − p = {before} before, d(k − 1) − p′{extra} = {after} after"),
            ("", f"then              {a.spread} → {a.stage}; the kernel, rotated by 180°, slides with stride 1"),
        ]
        added = a.canvas - a.full
        kept = a.output_padding - added
        keeps = f"; output padding keeps {kept} of that" if kept else ""
        adds = f"; output padding adds {added} that no product reaches" if added else ""
        scatter.append(
            (
                name,
                f"canvas (i − 1)·s + d(k − 1) + 1 = {a.full}, crop {a.before} before and {a.after} after{keeps}{adds}",
            )
        )
    return "\n\n".join(
        _rows(head, [(left, right.replace(" -", " " + MINUS)) for left, right in rows])
        for head, rows in (
            ("By zero insertion: the same result as a convolution", gather),
            ("By overlap-add: every input value stamps the kernel", scatter),
        )
    )


def _summary(axes: Sequence[Axis]) -> str:
    """The table of standard and transposed convolution, this layer's row with its own numbers."""
    head = ("operation", "zeros inserted", "padding", "stride", "output size")
    standard = ("standard", "0", "p", "s", "⌊(i + 2p − d(k−1) − 1)/s⌋ + 1")
    transposed = ("transposed", "s − 1", "d(k−1) − p", "1", "(i − 1)s + d(k−1) + 1 − 2p + op")
    inserted = per_axis([a.stride - 1 if a.transposed else 0 for a in axes])
    stride = per_axis([1 if a.transposed else a.stride for a in axes])
    own = ("this layer", inserted, sides(rings(axes)), stride, times([a.output for a in axes]))
    table = [head, standard, transposed, own]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in table)


def _work(op: Operation, axes: Sequence[Axis]) -> str:
    placements, kernel = prod(a.output for a in axes), prod(a.kernel for a in axes)
    done = multiplications(axes)
    others = "; the others meet a zero" if placements * kernel > done else ""
    rows = [
        ("multiplications", f"{done} that involve an input value, for each pair of channels"),
        ("", f"({count(placements, 'placement')} × {count(kernel, 'weight')} = {placements * kernel}{others})"),
    ]
    warnings = []
    for name, a in _named(axes):
        if op.transposed:
            pattern = _taps(a).overlap().tolist()
            shown = " ".join(map(str, pattern[:LONGEST_PATTERN])) + (" …" if len(pattern) > LONGEST_PATTERN else "")
            rows.append(("overlap counts", f"{shown}   ({name})"))
            warnings += _uneven(name, a)
    return "\n".join([_rows("Work", rows), *warnings])


def _uneven(name: str, axis: Axis) -> list[str]:
    even, fewest, most = evenness(axis)
    if even or axis.input == 1:
        return []
    s, k = axis.stride, axis.kernel
    cures = [c for c in (k - k % s, k - k % s + s) if c > 0]
    cure = " or ".join(map(str, cures)) if axis.dilation == 1 else ""
    told = f"; kernel size {cure} would be even" if cure else ""
    return [f"warning: the overlap is uneven ({name}): {fewest} to {most} products a cell, as {remainder(axis)}{told}"]


def _taps(axis: Axis) -> Taps:
    if axis.kernel * min(axis.input, axis.output) > LARGEST:
        raise ConvanimError(
            f"a kernel of {axis.kernel} over {axis.input} cells makes too many products to count",
            "use a smaller kernel or input",
        )
    return taps_of(axis)

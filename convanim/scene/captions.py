"""The live arithmetic: captions made from steps and sizes, never typed.

Knows how a sum, a stamp and a size formula are said. Must not know where a caption stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convanim.arithmetic import alike, count, output_sum
from convanim.numerals import MINUS, Numerals
from convanim.ops import Axis, times
from convanim.scene.frame import Caption
from convanim.trace import Step, Trace


def heading(trace: Trace) -> str:
    """What a page is headed with: the layer's name, and the sizes that it maps to each other."""
    axes = trace.axes
    return f"{trace.op.words}   {times([a.input for a in axes])} → {times([a.output for a in axes])}"


def place(cell: Sequence[int]) -> str:
    """A cell's place as it is written.

    Example:
        >>> place((1, 2))
        '[1,2]'
    """
    return f"[{','.join(map(str, cell))}]"


def span(slices: Sequence[tuple[int, int, int]]) -> str:
    """A rectangle of cells as it is sliced, from (start, stop, step) of each axis.

    Example:
        >>> span([(2, 5, 1), (0, 5, 2)])
        '[2:5, 0:5:2]'
    """
    return f"[{', '.join(f'{a}:{b}' + (f':{s}' if s > 1 else '') for a, b, s in slices)}]"


def shortest(each: Sequence[Any]) -> Any:
    """What a layer's argument is for all axes: one value where they agree, a pair of equal sides as one number.

    Example:
        >>> shortest([3, 3]), shortest([3, 2]), shortest([(1, 1), (1, 1)]), shortest([(0, 1), (0, 1)])
        (3, (3, 2), 1, ((0, 1), (0, 1)))
    """
    told = [v[0] if isinstance(v, tuple) and v[0] == v[1] else v for v in each]
    return told[0] if len(set(told)) == 1 and not isinstance(told[0], tuple) else tuple(told)


def factor(text: str) -> str:
    """A number as the right hand factor of a product: negative ones stand in brackets."""
    return f"({text})" if text.startswith(MINUS) else text


def product_sum(step: Step, numerals: tuple[Numerals, Numerals, Numerals], bias: Any, nothing: str) -> Caption:
    """The sum that one placement computes, terms of zero left out: `output[1,2] = 5·2 + 6·1 = 16`.

    Args:
        step: a placement in gather order.
        numerals: of the input, the kernel and the output.
        bias: the number added to the sum, or None.
        nothing: why no product is there, for the case that the window meets no input value.
    """
    x, kernel, answer = numerals
    subject = f"output{place(step.writes[0, 1:].tolist())}"
    counted = step.terms != 0
    pairs = list(zip(step.values[counted].tolist(), step.weights[counted].tolist(), strict=True))
    # Only the first number of a sum may begin with a minus.
    terms = [f"{factor(x.text(a)) if i else x.text(a)}·{factor(kernel.text(b))}" for i, (a, b) in enumerate(pairs)]
    remark = "" if pairs else "every product is zero" if len(step.terms) else nothing
    total = step.written[0].item()
    exact = all(x.exact(a) and kernel.exact(b) for a, b in pairs)
    if bias is not None:
        own = Numerals(np.array([bias]))
        terms.append(f"bias {factor(own.text(bias))}")
        exact = exact and own.exact(bias)
    # A rounded number is not equal to what it stands for.
    relation, outcome = ("=" if e else "≈" for e in (exact, exact and answer.exact(total)))
    return Caption(subject, tuple(terms), answer.text(total), remark, relation, outcome)


def size_formula(axes: Sequence[Axis]) -> Caption:
    """The size of the output with its own numbers, and what a floor leaves unused."""
    sizes = times([a.output for a in axes])
    told = [output_sum(a) for a in axes]
    result = str(axes[0].output) if alike(axes) else sizes
    parts = told[:1] if alike(axes) else [" × ".join(f"({t})" for t in told)]
    names = ("row", "column") if len(axes) == 2 else ("cell",)
    unused = [count(a.unused, name) for name, a in zip(names, axes, strict=True) if a.unused]
    remark = f"the floor leaves {' and '.join(unused)} unused" if unused else ""
    return Caption("output size", tuple(parts), result, remark)

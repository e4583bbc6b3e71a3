"""The live arithmetic: captions made from steps and sizes, never typed.

Knows how a sum, a stamp and a size formula are said. Must not know where a caption stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.arithmetic import alike, output_sum
from convanim.numerals import MINUS, Numerals
from convanim.ops import Axis, times
from convanim.scene.frame import Caption
from convanim.trace import Step


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
    terms = [
        f"{x.text(a)}·{factor(kernel.text(b))}"
        for a, b in zip(step.values[counted].tolist(), step.weights[counted].tolist(), strict=True)
    ]
    result = answer.text(step.written[0].item())
    if bias is not None:
        terms.append(f"bias {factor(answer.text(bias))}")
    if not terms:
        return Caption(subject, (), result, "every product is zero" if len(step.terms) else nothing)
    # A rounded number is not equal to what it stands for.
    exact = not any(n.rounded for n in numerals)
    return Caption(subject, tuple(terms), result, relation="=" if exact else "≈")


def size_formula(axes: Sequence[Axis]) -> Caption:
    """The size of the output with its own numbers, and what a floor leaves unused."""
    sizes = times([a.output for a in axes])
    told = [output_sum(a) for a in axes]
    result = str(axes[0].output) if alike(axes) else sizes
    parts = told[:1] if alike(axes) else [" × ".join(f"({t})" for t in told)]
    left = sorted({a.unused for a in axes} - {0})
    names = ("row", "column") if len(axes) == 2 else ("cell",)
    unused = [n for n, a in zip(names, axes, strict=True) if a.unused]
    remark = f"the floor leaves {' or '.join(map(str, left))} {' and '.join(unused)} unused" if unused else ""
    return Caption("output size", tuple(parts), result, remark)

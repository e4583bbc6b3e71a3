"""Captions: the live arithmetic as text, made from steps and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from convanim.explanation.arithmetic import alike, arguments, count, output_sum
from convanim.language.numerals import MINUS, Numerals
from convanim.language.words import both, join, marked, plural, say
from convanim.layers import Axis, Operation, Pooling, times
from convanim.scene.caption import Caption
from convanim.trace import Step, Trace

OUTPUT = say("output")
#: How many cells or products a sum leaves out.
ZERO_CELLS = plural("{n} of {m} cells is a zero", "{n} of {m} cells are zeros")
ZERO_PRODUCTS = plural("{n} of {m} products is zero", "{n} of {m} products are zero")
#: Exponents with superscript characters.
SUPERSCRIPTS: dict[float, str] = dict(zip(range(2, 10), "²³⁴⁵⁶⁷⁸⁹", strict=True))


def heading(trace: Trace, name: str = "") -> str:
    """The heading of a page: the layer's name (or `name`), and its input and output sizes."""
    before, after = [a.input for a in trace.axes], [a.output for a in trace.axes]
    inputs, outputs = trace.whole
    if max(inputs, outputs) > 1:
        before, after = (with_channels(trace.op, *given) for given in ((inputs, before), (outputs, after)))
    return join("   ", [name or trace.op.words, f"{times(before)} → {times(after)}"])


def with_channels(op: Operation, channels: int, sizes: Sequence[int]) -> list[int]:
    """Sizes with the number of channels first or last, as in the layer's convention.

    Example:
        >>> from convanim.layers import Conv
        >>> with_channels(Conv(3), 3, (4, 5)), with_channels(Conv(3, convention="keras"), 3, (4, 5))
        ([3, 4, 5], [4, 5, 3])
    """
    return [*sizes, channels] if op.rules.last else [channels, *sizes]


def detail(trace: Trace, drawn: int | None = None) -> str:
    """The layer's arguments for the corner of a page, with its convention unless that is PyTorch's.

    Args:
        drawn: as for `left_out`.
    """
    mode = trace.axes[0].mode
    told = *left_out(trace, drawn), rules(trace.op), arguments(trace.axes), mode.replace("zeros", "")
    return join("   ", [part for part in told if part])


def plain_detail(trace: Trace, axes: Sequence[Axis] | None = None) -> str:
    """What a page leaves out and the arguments of a layer, without its convention; by default of the trace's axes."""
    return join("   ", [*left_out(trace), arguments(trace.axes if axes is None else axes)])


def left_out(trace: Trace, drawn: int | None = None) -> list[str]:
    """What a page leaves out: channels of the layer, and the other items of a batch.

    Args:
        drawn: the number of input channels that are drawn; by default all that are followed.
    """
    (inputs, outputs), told = trace.whole, []
    shown = len(trace.x) if drawn is None else drawn
    grouped = trace.part is not None and trace.part.groups > 1
    if shown < len(trace.x) and not grouped:
        told.append(say("{n} of {m} channels; the sum is over all {m}", n=shown, m=inputs))
    elif shown < len(trace.x):
        told.append(say("{n} of {m} channels; the sum is over the group", n=shown, m=inputs))
    elif shown == 1 < inputs and trace.part is not None:
        told.append(say("channel {n} of {m}", n=trace.part.inputs[0], m=inputs))
    elif shown < inputs:
        told.append(say("{n} of {m} channels", n=shown, m=inputs))
    if trace.channels == 1 < outputs and trace.part is not None:
        told.append(say("output channel {n} of {m}", n=trace.part.outputs[0], m=outputs))
    elif trace.channels < outputs:
        told.append(say("{n} of {m} output channels", n=trace.channels, m=outputs))
    if trace.item is not None:
        told.append(say("item {n} of a batch of {m}", n=trace.item[0], m=trace.item[1]))
    return told


def rules(op: Operation) -> str:
    """The convention and the word that it explains, `Keras: same`; empty for PyTorch."""
    if op.convention == "torch":
        return ""
    word = getattr(op, "padding", None)
    return join(": ", [op.rules.title, word]) if isinstance(word, str) else op.rules.title


def place(cell: Sequence[int]) -> str:
    """A cell's position in brackets.

    Example:
        >>> place((1, 2))
        '[1,2]'
    """
    return f"[{','.join(map(str, cell))}]"


def output_cell(cell: Sequence[int], channels: int, what: str = OUTPUT) -> str:
    """A cell (channel, *place) of an output in a caption, with its channel if there are several.

    Args:
        what: the name of another grid.

    Example:
        >>> output_cell((0, 1, 2), 1), output_cell((0, 1, 2), 3)
        ('output[1,2]', 'output[0, 1,2]')
    """
    channel, *along = cell
    inside = ",".join(map(str, along))
    return join("", [what, f"[{channel}, {inside}]" if channels > 1 else f"[{inside}]"])


def span(slices: Sequence[tuple[int, int, int]]) -> str:
    """A rectangle of cells in slice notation, from (start, stop, step) of each axis.

    Example:
        >>> span([(2, 5, 1), (0, 5, 2)])
        '[2:5, 0:5:2]'
    """
    return f"[{', '.join(f'{a}:{b}' + (f':{s}' if s > 1 else '') for a, b, s in slices)}]"


def factor(text: str) -> str:
    """A number as the right-hand factor of a product; negative ones are in brackets."""
    return f"({text})" if text.startswith(MINUS) else text


def product_sum(
    step: Step, numerals: tuple[Numerals, Numerals, Numerals], bias: Any, nothing: str, cells: int = 0
) -> Caption:
    """The sum that a placement computes, without terms of zero: `output[1,2] = 5·2 + 6·1 = 16`.

    Args:
        step: a placement in gather order.
        numerals: the formatting of the input, the kernel and the output.
        bias: the number added to the sum, or None.
        nothing: the remark if the window meets no input value.
        cells: the number of cells under the window, if the sum is to say how many of them it leaves out.
    """
    x, kernel, answer = numerals
    subject = output_cell(step.writes[0].tolist(), 1)
    counted = step.terms != 0
    pairs = list(zip(step.values[counted].tolist(), step.weights[counted].tolist(), strict=True))
    # Only the first number of a sum may begin with a minus sign.
    terms = [product(factor(x.text(a)) if i else x.text(a), factor(kernel.text(b))) for i, (a, b) in enumerate(pairs)]
    counts = [abs(a * b) for a, b in pairs]
    remark = _left_out(step, cells) if pairs else say("every product is zero") if len(step.terms) else nothing
    total = step.written[0].item()
    exact = all(x.exact(a) and kernel.exact(b) for a, b in pairs)
    if bias is not None:
        own = Numerals(np.array([bias]))
        terms.append(say("bias {value}", value=factor(own.text(bias))))
        counts.append(np.inf)  # is never left out
        exact = exact and own.exact(bias)
    # A rounded number is only approximately equal.
    relation, outcome = ("=" if e else "≈" for e in (exact, exact and answer.exact(total)))
    result = marked(answer.text(total), "done")
    numbers = tuple(np.flatnonzero(counted).tolist())
    sizes = tuple(counts)
    return Caption(subject, tuple(terms), result, remark, relation, outcome, weights=sizes, seen=True, numbers=numbers)


def product(a: str, b: str) -> str:
    """A value of the input times a weight of the kernel."""
    return join("·", [marked(a, "data"), marked(b, "kernel")])


def _left_out(step: Step, cells: int) -> str:
    """Why a sum has fewer terms than the window has cells."""
    zeros, less = cells - np.count_nonzero(step.values), cells - np.count_nonzero(step.terms)
    if less <= 0:
        return ""
    return ZERO_CELLS(int(zeros), m=cells) if zeros == less else ZERO_PRODUCTS(int(less), m=cells)


def combined(
    step: Step, numerals: tuple[Numerals, Numerals], op: Pooling, subject: str, scale: tuple[int, int]
) -> Caption:
    """The result of a pooling window: `max(1, 5, 3, 2) = 5`, `(1 + 5 + 3 + 2) / 4 = 2.75`, `√(3² + 4²) = 5`.

    Args:
        step: a placement in gather order.
        numerals: the formatting of the input and the output.
        subject: the output cell.
        scale: the cells of a full window and those of this one inside the input, for which PyTorch's norm compensates.
    """
    x, answer = numerals
    values, total = step.values.tolist(), step.written[0].item()
    exact = all(x.exact(v) for v in values)
    result = marked(answer.text(total), "done")
    relation, outcome = ("=" if e else "≈" for e in (exact, exact and answer.exact(total)))
    sized = [v if op.combine == "max" else abs(v) for v in values]
    numbers = tuple(range(len(values)))
    made = Caption(subject, (), result, "", relation, outcome, weights=tuple(sized), seen=True, numbers=numbers)
    if not values:
        return made
    terms: tuple[str, ...] = tuple(marked(x.text(v), "data") for v in values)
    if op.combine == "max":
        return replace(made, terms=terms, opens="max(", closes=")", between=", ")
    if op.combine == "mean":
        opens, closes = ("(", ")") if len(terms) > 1 else ("", "")
        return replace(made, terms=terms, opens=opens, closes=f"{closes} / {step.divisor}")
    opens, closes, power = _root(op.power)
    if op.convention == "onnx":
        terms = tuple(join("", ["|", t, "|"]) if t.startswith(MINUS) else t for t in terms)
    powers = tuple(join("", [marked(factor(t), "data") if power and t.startswith(MINUS) else t, power]) for t in terms)
    if scale[0] != scale[1] and op.convention == "torch":
        opens, closes = f"{opens}(", f")·{scale[0]} / {scale[1]}{closes}"
    return replace(made, terms=powers, opens=opens, closes=closes)


def _root(p: float) -> tuple[str, str, str]:
    """What encloses the powers of a norm, and the exponent of each."""
    if p == 1:
        return "", "", ""
    exponent = SUPERSCRIPTS.get(p, f"^{p:g}")
    return ("√(", ")", exponent) if p == 2 else ("(", f")^(1/{p:g})", exponent)


def size_formula(axes: Sequence[Axis]) -> Caption:
    """The formula of the output's size with its numbers, and what its floor leaves unused."""
    sizes = times([a.output for a in axes])
    if not all(a.regular for a in axes):
        return Caption(say("output size"), (), sizes, say("cell t reads cells ⌊t·i / o⌋ to ⌈(t + 1)·i / o⌉ − 1"))
    told = [output_sum(a) for a in axes]
    result = str(axes[0].output) if alike(axes) else sizes
    parts = told[:1] if alike(axes) else [" × ".join(f"({t})" for t in told)]
    names = ("slice", "row", "column")[-len(axes) :] if len(axes) > 1 else ("cell",)
    unused = [count(a.unused, name) for name, a in zip(names, axes, strict=True) if a.unused]
    remark = say("the floor leaves {cells} unused", cells=both(unused)) if unused else ""
    return Caption(say("output size"), tuple(parts), result, remark)

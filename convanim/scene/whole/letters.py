"""A layer with letters instead of numbers: b for the input, w for the kernel, c for the output, β for the bias."""

from __future__ import annotations

import numpy as np

from convanim.language.symbols import Symbols
from convanim.language.words import marked
from convanim.scene.caption import Caption
from convanim.scene.captions import product
from convanim.trace import ConvTrace, Step

BIAS = "β"


class Letters:
    """The letters of a layer with one channel.

    Attributes:
        numerals: the formatting of the codes of the input, the kernel and the output.
        x, kernel, answer: the codes, in the layer's own shapes; the kernel as in its convention.
        weight: the kernel's codes in the layout of the trace's weights.

    Example:
        >>> from convanim.layers import Conv
        >>> done = Conv(kernel_size=2).trace([1, 2, 3], [4, 5])
        >>> Letters(done).sum(done[1]).text()
        'c₁ = b₁·w₀ + b₂·w₁'
    """

    def __init__(self, trace: ConvTrace) -> None:
        self.shapes = trace.x.shape[1:], trace.weight.shape[2:], trace.shape[1:]
        x, kernel, answer = (Symbols([(letter, n)]) for letter, n in zip("bwc", self.shapes, strict=True))
        self.numerals = x, kernel, answer
        self.x, self.kernel, self.answer = x.codes(), kernel.codes(), answer.codes()
        self.weight = np.flip(self.kernel) if trace.op.held_rotated else self.kernel
        self._bias = [BIAS] if trace.bias is not None else []

    def products(self, step: Step) -> list[tuple[str, str]]:
        """The two symbols of each product of a step."""
        x, kernel, _ = self.numerals
        read, factors = self.x[tuple(step.reads[:, 1:].T)], self.weight[tuple(step.factors[:, 2:].T)]
        return [(x.text(a), kernel.text(b)) for a, b in zip(read.tolist(), factors.tolist(), strict=True)]

    def sum(self, step: Step, nothing: str = "") -> Caption:
        """The sum that one placement in gather order computes: `c₀₀ = b₀₀·w₀₀ + b₀₁·w₀₁`.

        Args:
            nothing: the remark if the window meets no input value.
        """
        subject = self.numerals[2].text(self.answer[tuple(step.writes[0, 1:])].item())
        terms = [product(*pair) for pair in self.products(step)]
        return Caption(
            marked(subject, "done"), (*terms, *self._bias), "" if terms or self._bias else "0", "" if terms else nothing
        )

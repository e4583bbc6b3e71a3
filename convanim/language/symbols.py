"""Symbols with indices instead of numbers: b₀₁ for a cell, b₀₁w₁₀ for a product.

A grid of symbols holds codes, which are integers, so that code for numbers also works for symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.language.numerals import Numerals

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

#: A kind of symbols: one letter or several, each with the sizes of its indices.
Kind = Sequence[tuple[str, Sequence[int]]]


def symbol(letter: str, place: Sequence[int]) -> str:
    """A letter with its indices, which are separated by commas if one of them exceeds 9.

    Example:
        >>> symbol("w", (0, 1)), symbol("w", (2, 10)), symbol("w", (12,))
        ('w₀₁', 'w₂,₁₀', 'w₁₂')
    """
    apart = "," if any(i > 9 for i in place) else ""
    return letter + apart.join(map(str, place)).translate(_SUBSCRIPTS)


class Symbols(Numerals):
    """Formats codes as symbols; code 0 is a zero.

    Example:
        >>> numerals = Symbols([("b", (2, 2))], [("b", (2, 2)), ("w", (3,))])
        >>> [numerals.text(code) for code in (0, *numerals.codes()[1])]
        ['0', 'b₁₀', 'b₁₁']
        >>> numerals.text(numerals.codes(1)[0, 1, 2])
        'b₀₁w₂'
    """

    measures = False

    def __init__(self, *kinds: Kind) -> None:
        self.rounded = False
        self._kinds = kinds
        self._shapes = [tuple(n for _, sizes in kind for n in sizes) for kind in kinds]
        self._ends = list(accumulate((prod(shape) for shape in self._shapes), initial=1))
        self._seen: dict[Any, str] = {}

    def codes(self, kind: int = 0) -> NDArray[np.int64]:
        """The codes of one kind of symbols, in an array with one axis per index."""
        return np.arange(self._ends[kind], self._ends[kind + 1]).reshape(self._shapes[kind])

    def _write(self, code: Any) -> str:
        if code == 0:
            return "0"
        kind = next(i for i, end in enumerate(self._ends[1:]) if code < end)
        place = [int(i) for i in np.unravel_index(int(code) - self._ends[kind], self._shapes[kind])]
        words = []
        for letter, sizes in self._kinds[kind]:
            words.append(symbol(letter, place[: len(sizes)]))
            place = place[len(sizes) :]
        return "".join(words)

    def exact(self, value: Any) -> bool:
        """Always true."""
        return True

    def widest(self, values: NDArray[Any]) -> str:
        """The longest symbol among these codes, or one of the same length."""
        # The last symbol of a kind has the largest indices.
        last = [end - 1 for end in self._ends[1:] if ((values > 0) & (values < end)).any()]
        return max((self.text(code) for code in last), key=len, default="0")

"""Numbers as readable text: real minus signs, no float noise, and as many digits as make sense."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

MINUS = "\u2212"
INFINITY = "\u221e"
#: A float has at most this many decimals; if that is inexact, the largest has this many digits.
DECIMALS, DIGITS = 4, 3
#: The denominators of fractions.
BELOW = range(2, 17)
#: Smaller and larger floats are written with an exponent.
SMALL, LARGE = 1e-3, 1e6


def unique(values: NDArray[Any]) -> NDArray[Any]:
    """The distinct values of an array, sorted: as by `np.unique`, which imports all of `numpy.ma`.

    Example:
        >>> unique(np.array([[2, 1], [1, 3]])).tolist()
        [1, 2, 3]
    """
    ordered = np.sort(values, axis=None)
    new = np.ones(ordered.size, bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def beside(one: float, two: float) -> tuple[str, str]:
    """Two numbers for a comparison, with the same precision; with all digits if they would look equal otherwise.

    Example:
        >>> beside(19 / 3, 6.25), beside(1.0, 1.0000001), beside(2, -3)
        (('6.33', '6.25'), ('1.0', '1.0000001'), ('2', '−3'))
    """
    alike = Numerals(np.array([one, two]))
    a, b = alike.text(one), alike.text(two)
    return (a, b) if a != b else (repr(one), repr(two))


def _below(values: NDArray[Any]) -> int:
    """The least denominator that all numbers have in common, 0 for none; none is larger than one but whole numbers."""
    parts = np.abs(values[values != np.round(values)])
    if (parts > 1).any():
        return 0
    for below in BELOW:
        if (np.abs(values * below - np.round(values * below)) <= 1e-12 * below).all():
            return below
    return 0


class Numerals:
    """Formats the numbers of one grid consistently.

    Integers are written in full, infinity as its sign, and floats with the fewest decimals (up to four) that are
    exact for all of them; otherwise rounded to three digits of the largest, and `rounded` is true.

    Example:
        >>> Numerals(np.array([-2, 10])).text(-2)
        '−2'
        >>> Numerals(np.array([0.5, 1.25])).text(0.5)
        '0.5'
        >>> thirds = Numerals(np.array([1 / 3, 2.0]))
        >>> thirds.text(1 / 3), thirds.text(2.0), thirds.rounded
        ('0.33', '2.00', True)
        >>> Numerals(np.array([2.0, -np.inf])).text(-np.inf)
        '−∞'
    """

    #: Whether numbers measure something, so that a shade may represent them.
    measures = True

    def __init__(self, *groups: NDArray[Any]) -> None:
        values = np.concatenate([np.ravel(g) for g in groups])
        if values.dtype.kind == "f":  # infinity has no digits
            values = values[np.isfinite(values)]
        self.rounded = False
        self._kind = "i" if values.dtype.kind == "i" else "f"
        self._decimals = 0
        self._seen: dict[Any, str] = {}
        if self._kind == "f":
            self._settle(values)

    def _settle(self, values: NDArray[Any]) -> None:
        sizes = np.abs(values)
        largest = float(sizes.max(initial=0))
        smallest = float(sizes[sizes > 0].min(initial=np.inf))
        if largest >= LARGE or smallest < SMALL:
            self._kind, self.rounded = "e", any(float(f"{v:.{DIGITS}g}") != v for v in unique(values).tolist())
            return
        for self._decimals in range(DECIMALS + 1):
            # 0.1 + 0.2 is shown as 0.3: a difference by rounding is noise.
            if (np.abs(np.round(values, self._decimals) - values) <= 1e-12 * max(largest, 1)).all():
                return
        self.rounded = True
        self._decimals = max(0, DIGITS - 1 - int(np.floor(np.log10(largest))))

    def text(self, value: Any) -> str:
        """One number as text."""
        known = self._seen.get(value)
        if known is None:
            if len(self._seen) > 10_000:
                self._seen.clear()
            known = self._seen[value] = self._write(value).replace("-", MINUS).replace("inf", INFINITY)
        return known

    def _write(self, value: Any) -> str:
        if self._kind == "i":
            return str(int(value))
        if value in (inf, -inf):
            return str(value)
        if self._kind == "e":
            number, _, exponent = f"{value:.{DIGITS}g}".partition("e")
            return "0" if value == 0 else number + (f"e{int(exponent)}" if exponent else "")
        text = f"{value:.{self._decimals}f}"
        if float(text) == 0:  # a number that rounds to zero has no sign
            text = text.lstrip("-")
        if not self.rounded and "." in text:
            text = text.rstrip("0").rstrip(".")
        return text

    def exact(self, value: Any) -> bool:
        """Whether the text of a number is exact.

        Example:
            >>> thirds = Numerals(np.array([1 / 3, 2.0]))
            >>> thirds.exact(1 / 3), thirds.exact(2.0)
            (False, True)
        """
        return (
            not self.rounded
            or value in (inf, -inf)
            or abs(float(self.text(value).replace(MINUS, "-")) - value) <= 1e-12 * abs(value)
        )

    def widest(self, values: NDArray[Any]) -> str:
        """The longest text among these values."""
        if self._kind == "i":  # the longest integers are the minimum and maximum
            return max((self.text(v) for v in (values.min().item(), values.max().item())), key=len)
        return max((self.text(v) for v in unique(values).tolist()), key=len)


class Factors(Numerals):
    """Formats weights as `Numerals` does, but as fractions those that would need more than one decimal.

    Example:
        >>> [Factors(np.array([9, 3, 16]) / 16).text(n / 16) for n in (9, -12, 16)]
        ['9/16', '−3/4', '1']
        >>> Factors(np.array([1 / 3, 2.0])).text(1 / 3), Factors(np.array([0.5])).text(0.5)
        ('1/3', '0.5')
    """

    def __init__(self, *groups: NDArray[Any]) -> None:
        super().__init__(*groups)
        values = unique(np.concatenate([np.ravel(g) for g in groups]))
        long = self._kind == "f" and (self.rounded or self._decimals > 1) and np.isfinite(values).all()
        self._below = _below(values) if long else 0
        self.rounded = self.rounded and not self._below

    def _write(self, value: Any) -> str:
        if not self._below:
            return super()._write(value)
        return str(Fraction(round(value * self._below), self._below))

    def exact(self, value: Any) -> bool:
        """Whether the text of a number is exact."""
        return bool(self._below) or super().exact(value)

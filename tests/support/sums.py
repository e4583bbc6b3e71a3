"""A parser of the sums in captions."""

import re
from fractions import Fraction
from math import ceil, floor

TOKEN = re.compile(r"\d+(?:\.\d+)?(?:e−?\d+)?|max|[−+·/×⌊⌋⌈⌉(),]")


class Sum:
    """A parser of captions: sums, products, quotients, maxima, roundings, with real minus signs."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == text.replace(" ", ""), f"{text!r} is not arithmetic"

    @classmethod
    def of(cls, text: str) -> Fraction:
        reader = cls(text)
        value = reader.sum()
        assert not reader.tokens, f"{text!r} goes on after its end"
        return value

    def sum(self) -> Fraction:
        value = self.product()
        while self.tokens and self.tokens[0] in "+−":
            sign = 1 if self.tokens.pop(0) == "+" else -1
            value += sign * self.product()
        return value

    def product(self) -> Fraction:
        value = self.one(first=True)
        while self.tokens and self.tokens[0] in "·/":
            by = self.tokens.pop(0)
            other = self.one(first=False)
            value = value * other if by == "·" else value / other
        return value

    def one(self, *, first: bool) -> Fraction:
        sign = self.tokens.pop(0)
        if sign == "−":
            assert first, "a negative right hand factor stands without brackets"
            return -self.one(first=False)
        if sign == "max":
            assert self.tokens.pop(0) == "("
            values = [self.sum()]
            while self.tokens[0] == ",":
                self.tokens.pop(0)
                values.append(self.sum())
            assert self.tokens.pop(0) == ")"
            return max(values)
        if sign in "(⌊⌈":
            value = self.sum()
            assert self.tokens.pop(0) == {"(": ")", "⌊": "⌋", "⌈": "⌉"}[sign]
            return value if sign == "(" else Fraction(floor(value) if sign == "⌊" else ceil(value))
        return Fraction(sign.replace("−", "-"))

"""Words that can be told in another language: English that remembers how it was made.

Knows templates, values and catalogues of translations. Must not know what is said, or on which page it stands. Whoever
puts words together writes `say("{n} of them", n=3)` instead of an f-string, and `join` instead of `str.join`: the
result reads as English everywhere, and only `translate` looks inside. What is no `Said` (numbers, formulas, a layer's
notation) stays as it is in every language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from convanim.errors import ConvanimError

#: What parts texts from each other and reads otherwise in other languages: `a, b`, `a; b`, `a: b`.
SEPARATORS = (", ", "; ", ": ")


class Said(str):
    """A text in English that knows its template and values, or the parts that it was joined from.

    Attributes:
        template: English with {names} for values; "" for joined parts.
        values: by name; a value may be `Said`, too.
        parts, between: what was joined, and with what; no parts where there is a template.
    """

    template: str
    values: Mapping[str, str]
    parts: tuple[str, ...]
    between: str

    def __new__(
        cls,
        text: str,
        template: str = "",
        values: Mapping[str, str] | None = None,
        parts: tuple[str, ...] = (),
        between: str = "",
    ) -> Said:
        """Make one from its text and how it was made; `say` and `join` do that."""
        said = super().__new__(cls, text)
        said.template, said.values, said.parts, said.between = template, values or {}, parts, between
        return said


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The words of one language.

    Attributes:
        code: what is typed for it, such as "de".
        name: what its speakers call it.
        words: translations by English template.
        separators: what stands between joined texts, by the English of it; those that it leaves out are as in English.
    """

    code: str
    name: str
    words: Mapping[str, str]
    separators: Mapping[str, str] = field(default_factory=dict)

    def between(self, sign: str) -> str:
        """What stands between joined texts where English has this sign."""
        return self.separators.get(sign, sign)

    def of(self, template: str) -> str:
        """The translation of a template.

        Raises:
            ConvanimError: there is none. English in its place would look like a choice.
        """
        try:
            return self.words[template]
        except KeyError:
            raise ConvanimError(
                f"the language {self.code} has no words for {template!r}",
                f"add them to templates/lang/{self.code}.toml, or leave --lang out",
            ) from None


def say(template: str, **values: Any) -> str:
    """English from a template: a literal, so that a test can find it and hold the catalogues against it.

    Example:
        >>> text = say("{n} zeros between neighbouring {what}", n=3, what=say("rows"))
        >>> text, text.template  # typed as str, which it is to everybody else
        ('3 zeros between neighbouring rows', '{n} zeros between neighbouring {what}')
    """
    told = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    return Said(template.format(**told), template, told)


def plural(one: str, many: str) -> Callable[..., str]:
    """What says a number of things: the first template for {n} = 1, the second one for all others.

    Example:
        >>> zeros = plural("{n} zero", "{n} zeros")
        >>> zeros(1), zeros(2)
        ('1 zero', '2 zeros')
    """

    def counted(n: int | str, **values: Any) -> str:
        return say(one if n == 1 else many, n=n, **values)

    return counted


def join(between: str, parts: Iterable[str]) -> str:
    """Texts in a row. Parts that were joined with the same sign are taken one by one; empty ones stay.

    Example:
        >>> join(", ", [say("kernel {n}", n=3), join(", ", ["a", "b"])]).parts
        ('kernel 3', 'a', 'b')
    """
    flat: list[str] = []
    for part in parts:
        joined = isinstance(part, Said) and part.parts and part.between == between
        flat += parts_of(part) if joined else [part]
    return Said(between.join(flat), parts=tuple(flat), between=between)


def parts_of(text: str) -> tuple[str, ...]:
    """What a text was joined from; the text alone where it was not."""
    return text.parts if isinstance(text, Said) and text.parts else (text,)


def rejoin(text: str, between: str) -> str:
    """The parts of a joined text with another sign between them.

    Example:
        >>> rejoin(join("   ", ["kernel 3", "stride 2"]), ", ")
        'kernel 3, stride 2'
    """
    return join(between, parts_of(text))


def both(parts: Iterable[str]) -> str:
    """One thing, or several of them with "and" between.

    Example:
        >>> both(["1 row", "1 column"])
        '1 row and 1 column'
    """
    return reduce(lambda a, b: say("{a} and {b}", a=a, b=b), parts)


def translate(text: str, catalogue: Catalogue | None) -> str:
    """A text in the words of a catalogue, from the inside out; None is English.

    Raises:
        ConvanimError: the catalogue has no translation.

    Example:
        >>> german = Catalogue("de", "Deutsch", {"{n} rows": "{n} Zeilen"})
        >>> translate(join(" × ", [say("{n} rows", n=3), "4"]), german)
        '3 Zeilen × 4'
        >>> translate(join(": ", ["p", "4"]), Catalogue("fr", "Français", {}, {": ": " : "}))
        'p : 4'
    """
    if catalogue is None or not isinstance(text, Said):
        return text
    if text.parts:
        parts = tuple(translate(part, catalogue) for part in text.parts)
        return Said(catalogue.between(text.between).join(parts), parts=parts, between=text.between)
    if not text.template:
        return text
    return catalogue.of(text.template).format(**{n: translate(v, catalogue) for n, v in text.values.items()})

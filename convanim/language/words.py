"""Translatable text: English that remembers the template and values that it was made from.

Code uses `say("{n} of them", n=3)` instead of an f-string, and `join` instead of `str.join`. The result is English
until `translate` looks inside. Text that is not `Said` (numbers, formulas, a layer's notation) is the same in every
language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from string import Formatter
from typing import Any

from convanim.errors import ConvanimError

#: Separators that other languages may write differently: `a, b`, `a; b`, `a: b`.
SEPARATORS = (", ", "; ", ": ")
#: From this character on, scripts have no spaces between words.
WORDLESS = "\u2e80"


class Said(str):
    """A text in English that knows its template and values, or the parts that it was joined from.

    Attributes:
        template: English text with {names} for values; "" for joined parts.
        values: the values by name; a value may be `Said`, too.
        parts, between: the joined parts and their separator; no parts if there is a template.
    """

    template: str
    values: Mapping[str, str]
    parts: tuple[str, ...]
    between: str
    #: Its pieces with their marks, once they are known.
    _spans: tuple[tuple[str, str], ...] | None = None

    def __new__(
        cls,
        text: str,
        template: str = "",
        values: Mapping[str, str] | None = None,
        parts: tuple[str, ...] = (),
        between: str = "",
    ) -> Said:
        """Create one from its text and its origin; `say` and `join` call this."""
        said = super().__new__(cls, text)
        said.template, said.values, said.parts, said.between = template, values or {}, parts, between
        return said


class Marked(Said):
    """A text, or a number, with a mark that says what it is on the page: the input, the kernel, a result.

    Attributes:
        mark: the name of a theme's colour.
    """

    mark: str


def marked(text: str, mark: str) -> Marked:
    """A text with a mark, which stays with it in joined texts and in templates.

    Example:
        >>> spans_of(join("·", [marked("2", "data"), "x"]))
        (('2', 'data'), ('·', ''), ('x', ''))
    """
    made = Marked(text, parts=(text,))
    made.mark, made._spans = mark, ((str(text), mark),)
    return made


def spans_of(text: str) -> tuple[tuple[str, str], ...]:
    """The pieces of a text with their marks, "" for none.

    Example:
        >>> spans_of(say("{a} and {b}", a=marked("2", "data"), b="3"))
        (('2', 'data'), (' and ', ''), ('3', ''))
    """
    if not isinstance(text, Said) or not (text.parts or text.values):
        return ((text, ""),)
    if text._spans is None:
        text._spans = tuple(_spans(text))
    return text._spans


def _spans(text: Said) -> Iterator[tuple[str, str]]:
    pieces: list[str] = []
    if text.parts:
        for part in text.parts:
            pieces += [text.between, part] if pieces else [part]
    else:
        pieces = _filled(text.template, text.values)
    for piece in pieces:
        if piece:
            yield from spans_of(piece)


def _filled(template: str, values: Mapping[str, str]) -> list[str]:
    """The pieces of a template with its values between them."""
    pieces = []
    for words, name, _, _ in Formatter().parse(template):
        pieces += [words, *([values[name]] if name else [])]
    return pieces


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The words of one language.

    Attributes:
        code: its code, such as "de".
        name: its own name.
        words: translations by English template.
        separators: separators of joined texts, by the English one; missing ones are as in English.
    """

    code: str
    name: str
    words: Mapping[str, str]
    separators: Mapping[str, str] = field(default_factory=dict)

    def between(self, sign: str) -> str:
        """The separator for an English one."""
        return self.separators.get(sign, sign)

    def of(self, template: str) -> str:
        """The translation of a template.

        Raises:
            ConvanimError: there is none. English in its place would look intentional.
        """
        try:
            return self.words[template]
        except KeyError:
            raise ConvanimError(
                f"the language {self.code} has no words for {template!r}",
                f"add them to templates/lang/{self.code}.toml, or leave `lang` out",
            ) from None


def say(template: str, **values: Any) -> str:
    """English text from a template, which must be a literal, so that a test can check the catalogues against it.

    Example:
        >>> text = say("{n} zeros between neighbouring {what}", n=3, what=say("rows"))
        >>> text, text.template  # a str for all other code
        ('3 zeros between neighbouring rows', '{n} zeros between neighbouring {what}')
    """
    told = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    return Said(template.format(**told), template, told)


def plural(one: str, many: str) -> Callable[..., str]:
    """A function that counts things: with the first template for {n} = 1, the second one for all other numbers.

    Example:
        >>> zeros = plural("{n} zero", "{n} zeros")
        >>> zeros(1), zeros(2)
        ('1 zero', '2 zeros')
    """

    def counted(n: int | str, **values: Any) -> str:
        return say(one if n == 1 else many, n=n, **values)

    return counted


def join(between: str, parts: Iterable[str]) -> str:
    """Join texts. Parts that were joined with the same separator are flattened; empty ones stay.

    Example:
        >>> join(", ", [say("kernel {n}", n=3), join(", ", ["a", "b"])]).parts
        ('kernel 3', 'a', 'b')
    """
    flat: list[str] = []
    for part in parts:
        joined = isinstance(part, Said) and not isinstance(part, Marked) and part.parts and part.between == between
        flat += parts_of(part) if joined else [part]
    return Said(between.join(flat), parts=tuple(flat), between=between)


def parts_of(text: str) -> tuple[str, ...]:
    """The parts that a text was joined from; otherwise the text alone."""
    return text.parts if isinstance(text, Said) and text.parts else (text,)


def rejoin(text: str, between: str) -> str:
    """The parts of a joined text with another separator.

    Example:
        >>> rejoin(join("   ", ["kernel 3", "stride 2"]), ", ")
        'kernel 3, stride 2'
    """
    return join(between, parts_of(text))


def both(parts: Iterable[str]) -> str:
    """One thing, or several with "and" between them.

    Example:
        >>> both(["1 row", "1 column"])
        '1 row and 1 column'
    """
    return reduce(lambda a, b: say("{a} and {b}", a=a, b=b), parts)


def translate(text: str, catalogue: Catalogue | None) -> str:
    """A text in the language of a catalogue, translated from the inside out; None is English.

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
    if isinstance(text, Marked):
        return marked(translate(text.parts[0], catalogue), text.mark)
    if text.parts:
        parts = tuple(translate(part, catalogue) for part in text.parts)
        between = catalogue.between(text.between)
        return Said(between.join(parts), parts=parts, between=between)
    if not text.template:
        return text
    values = {name: translate(value, catalogue) for name, value in text.values.items()}
    template = catalogue.of(text.template)
    if all(mark == "" for value in values.values() for _, mark in spans_of(value)):
        return template.format(**values)
    return join("", _filled(template, values))

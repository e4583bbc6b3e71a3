"""A caption: a line of live arithmetic as data, whose numbers know what they are on the page."""

from __future__ import annotations

from dataclasses import dataclass

from convanim.language.numerals import MINUS
from convanim.language.words import marked, spans_of

#: A piece of text, and its mark: the role whose colour it has on the page, one of these, or "" for none.
Span = tuple[str, str]
#: The marks of a result that is not known yet, and of a remark beside a sum.
WAITING, REMARK = "waiting", "remark"


@dataclass(frozen=True, slots=True)
class Caption:
    """A line of live arithmetic: `subject = term + term = result   remark`. Any part may be empty.

    `relation` comes before the terms and `outcome` before the result: "=", "≈" for rounded values, "+=". The
    terms are enclosed by `opens` and `closes` and separated by `between`: a sum of products, or `max(1, 5, 3)`.

    Attributes:
        weights: how much each term counts; if not all of them fit, those that count least are left out.
        seen: whether the cell that is the subject is outlined, so that a page need not name it.
        waits: whether the result is not known yet; a page keeps its room.
        numbers: the cell of each term among the cells that the placement reads; none for terms without one.
    """

    subject: str = ""
    terms: tuple[str, ...] = ()
    result: str = ""
    remark: str = ""
    relation: str = "="
    outcome: str = "="
    opens: str = ""
    closes: str = ""
    between: str = " + "
    weights: tuple[float, ...] = ()
    seen: bool = False
    waits: bool = False
    numbers: tuple[int, ...] = ()

    def text(self, most: int | None = None) -> str:
        """The caption as one line of at most `most` terms, those that count most, and an ellipsis for the others.

        Example:
            >>> Caption("y", ("1·2", "3·4", "5·6"), "44", weights=(2, 12, 30)).text(2)
            'y = 3·4 + 5·6 + … = 44'
            >>> Caption("y", ("1", "−5"), "1", opens="max(", closes=")", between=", ").text()
            'y = max(1, −5) = 1'
        """
        line = self.sum(most)
        return f"{line}   {self.remark}" if line and self.remark else line + self.remark

    def sum(self, most: int | None = None) -> str:
        """The same line without the remark."""
        line = self.subject
        # A negative term is subtracted; a negative factor is in brackets.
        said = self.between.join(self.kept(most)).replace(f" + {MINUS}", f" {MINUS} ")
        told = f"{self.opens}{said}{self.closes}" if said else ""
        for sign, part in ((self.relation, told), (self.outcome, "" if self.waits else self.result)):
            line += f" {sign} {part}" if line and part else part
        return line

    def spans(self, most: int | None = None) -> tuple[Span, ...]:
        """The same line for a page, in pieces: numbers with a mark, and what stands between them.

        Example:
            >>> from convanim.language.words import join, marked
            >>> product = join("·", [marked("2", "data"), marked("(−1)", "kernel")])
            >>> Caption("y", (product,), marked("−2", "done"), seen=True).spans()
            (('2', 'data'), (' · ', ''), ('−1', 'kernel'), (' = ', ''), ('−2', 'done'))
        """
        parts = [] if self.seen and self.terms else [self.subject]
        terms = self.kept(most)
        told: list[str] = [self.opens]
        for i, term in enumerate(terms):
            negative = term.startswith(MINUS) and self.between == " + " and spans_of(term)[0] == (term, "")
            between = f" {MINUS} " if negative else self.between
            told += [between, term[len(MINUS) :] if negative else term] if i else [term]
        result = marked(self.result, WAITING) if self.waits and self.result else self.result
        for sign, some in ((self.relation, [*told, self.closes] if terms else []), (self.outcome, [result])):
            if any(some):
                parts += [f" {sign} ", *some] if any(parts) else some
        spans = [span for part in parts for span in spans_of(part)]
        remark = list(spans_of(self.remark)) if self.remark else []
        if any(parts) and remark:
            remark = [("   ", ""), *((text, mark or REMARK) for text, mark in remark)]
        return _merged([*spans, *remark])

    def kept(self, most: int | None) -> list[str]:
        """The terms that count most, in their order, and an ellipsis if that is not all of them."""
        if most is None or len(self.terms) <= most:
            return list(self.terms)
        counts = self.weights or (0.0,) * len(self.terms)
        kept = sorted(sorted(range(len(self.terms)), key=lambda i: -counts[i])[:most])
        return [*(self.terms[i] for i in kept), "…"]


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """Spans with their unmarked neighbours in one piece; a number on a chip needs no brackets, but room around it."""
    out: list[Span] = []
    for text, mark in spans:
        if mark and mark != REMARK:
            out.append((text.removeprefix("(").removesuffix(")"), mark))
        elif text:
            before = out.pop()[0] if out and out[-1][1] == mark else ""
            out.append((before + (" · " if text == "·" else text), mark))
    return tuple(out)

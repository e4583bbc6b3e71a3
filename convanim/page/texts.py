"""Texts on a page: boxes and lines in whole pixels, and captions fitted into the room that they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from convanim.language.words import WORDLESS, Said, join, parts_of
from convanim.page import glyphs
from convanim.scene.caption import REMARK, Caption, Span

#: The marks of pieces of a caption that stand on no chip.
PLAIN = "", REMARK
#: Separators of a caption's clauses, of which the last may be left out; the first separator that occurs counts.
CLAUSES = "; ", ", "
#: The indices of cells in brackets.
INDICES = re.compile(r"\[[^\]]*\]")
#: A caption is reduced to the first fraction of its size before it is shortened, and never below the second.
NEARLY, LEAST = 0.8, 0.7
#: The distance of the lines of a caption as a multiple of its size.
APART = 1.35
#: The distance from what a title names to what is said about it, as a fraction of the size; no more than ", " takes.
AFTER = 0.45
#: The room in a chip beside its number, and above and below it, as fractions of the size.
BESIDE, ABOVE = 0.22, 0.26


class Box(NamedTuple):
    """A rectangle in px: [top, bottom) x [left, right)."""

    top: int
    left: int
    bottom: int
    right: int

    def moved(self, across: int, down: int) -> Box:
        """The box further to the right and further down, px."""
        return Box(self.top + down, self.left + across, self.bottom + down, self.right + across)

    def meets(self, other: Box) -> bool:
        """Whether the two boxes overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def around(boxes: Iterable[Box]) -> Box:
    """The box around some boxes."""
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    return Box(min(tops), min(lefts), max(bottoms), max(rights))


class Text(NamedTuple):
    """A line of text: the x of its start, its baseline and its size in px.

    Attributes:
        mark: the role whose chip it stands on, or another mark of a caption's span, "" for none.
    """

    text: str
    x: int
    baseline: int
    size: int
    bold: bool = False
    mark: str = ""

    @property
    def chipped(self) -> bool:
        """Whether it stands on a chip."""
        return self.mark not in PLAIN

    @property
    def chip(self) -> Box:
        """The box of the chip under a number with a mark."""
        beside, above = round(BESIDE * self.size), round(ABOVE * self.size)
        right = self.x + round(glyphs.width(self.text, self.size, self.bold))
        top = self.baseline - round(glyphs.CAPITALS * self.size)
        return Box(top - above, self.x - beside, self.baseline + above, right + beside)

    @property
    def box(self) -> Box:
        """The box that the text may cover, from the top of capitals to the bottom of descenders."""
        if self.chipped:
            return self.chip
        high, low = round(glyphs.CAPITALS * self.size), round(0.24 * self.size)
        right = self.x + round(glyphs.width(self.text, self.size, self.bold))
        return Box(self.baseline - high, self.x, self.baseline + low, right)

    def moved(self, across: int, down: int) -> Text:
        """The text further to the right and further down, px."""
        return self._replace(x=self.x + across, baseline=self.baseline + down)


class Slot(NamedTuple):
    """The room of a caption.

    Attributes:
        text: its first line, without words.
        width: the width of its lines, px.
        smallest: the minimum size of its letters, px.
        lines: the number of lines that it may take.
    """

    text: Text
    width: int
    smallest: int
    lines: int = 1

    @property
    def box(self) -> Box:
        """The box that the caption may cover; two lines in the place of one reach a little further."""
        baseline, size = self.text.baseline, self.text.size
        foot = baseline + round(((self.lines - 1) * APART + 0.6) * size)
        return Box(baseline - round(1.2 * size), self.text.x, foot, self.text.x + self.width)


def headed(title: Text) -> tuple[Text, ...]:
    """A title as what it names, in bold, and what is said about it: "input", and "padded" beside it."""
    name, *rest = parts_of(title.text)
    if not rest or not isinstance(title.text, Said) or title.text.between in ("", " "):  # "output 1" is one name
        return (title,)
    named = title._replace(text=name)
    x = title.x + round(glyphs.width(name, title.size, bold=True) + AFTER * title.size)
    return named, title._replace(text=join(title.text.between, rest), x=x, bold=False)


def in_two(slot: Slot, caption: Caption, foot: int) -> tuple[Text, ...]:
    """A remark in two lines, centred on its place, if it is too long for one and they end above `foot`; else empty."""
    place, width, smallest, _ = slot
    if caption.subject:
        return ()
    text, size = caption.text(), max(smallest, round(LEAST * place.size))
    two = _halves(text, size) if glyphs.width(text, round(NEARLY * place.size)) > width else None
    if not two or max(glyphs.width(half, size) for half in two) > width:
        return ()
    apart, down = round(1.3 * size), round(glyphs.CAPITALS * (size - place.size) / 2)
    first = place.baseline + down - apart // 2
    if first + apart + round(0.24 * size) > foot:
        return ()
    return tuple(Text(half, place.x, first + i * apart, size) for i, half in enumerate(two))


def in_line(slot: Slot, caption: Caption) -> tuple[Text, ...]:
    """A caption in pieces, with as many of its terms or clauses as fit at about its full size.

    If it still does not fit, it is reduced down to `LEAST`, then cut after a whole word.
    """
    place, width, smallest, _ = slot

    def fits(spans: tuple[Span, ...], part: float = 1) -> bool:
        return wide(spans, round(part * place.size)) <= width

    spans, most = caption.spans(), len(caption.terms)
    if fits(spans):
        return set_out(spans, place, width) or (place,)
    if caption.subject and caption.remark:
        caption = replace(caption, remark="")
        spans = caption.spans()
    while not fits(spans) and most > 2:
        most -= 1
        spans = caption.spans(most)
    if not caption.subject and not fits(spans, NEARLY):
        spans = ((_shortened(caption.text(), lambda text: fits(((text, ""),))), ""),)
    least = max(smallest, round(LEAST * place.size))
    size = next((size for size in range(place.size, least, -1) if fits(spans, size / place.size)), least)
    while not fits(spans, size / place.size) and most > 0:
        most -= 1
        spans = caption.spans(most)
    if not fits(spans, size / place.size):
        spans = ((cut(caption.text(most), size, width), ""),)
    return set_out(spans, place._replace(size=size), width) or (place,)


def in_column(slot: Slot, caption: Caption) -> tuple[Text, ...]:
    """A caption in several lines, as large as fits; its remark begins a line, and terms and clauses are left out."""
    place, width, smallest, most = slot
    least, high = max(smallest, round(LEAST * place.size)), (most - 1) * round(APART * place.size)
    for some in _shorter(caption):
        parts = [replace(some, remark="").spans(), Caption(remark=some.remark).spans()]
        for size in range(place.size, least - 1, -1):
            lines = [line for part in parts for line in _broken(part, size, width)]
            narrow = all(wide(line, size) <= width for line in lines)
            if narrow and (len(lines) - 1) * round(APART * size) <= high:
                return _stacked(lines, place._replace(size=size)) or (place,)
    lines = [((line, ""),) for line in wrapped(caption.text(), least, width)]
    if len(lines) > most:
        last = " ".join(text for ((text, _),) in lines[most - 1 :])
        lines = [*lines[: most - 1], ((cut(f"{last} …", least, width), ""),)]
    return _stacked(lines, place._replace(size=least))


def _stacked(lines: Iterable[tuple[Span, ...]], place: Text) -> tuple[Text, ...]:
    """Lines below each other, the first of them at a place."""
    apart = round(APART * place.size)
    return tuple(text for i, line in enumerate(lines) for text in set_out(line, place.moved(0, i * apart)))


def _shorter(caption: Caption) -> Iterator[Caption]:
    """A caption with fewer and fewer terms, and then with fewer clauses of its remark."""
    fewer = caption
    yield caption
    for most in range(len(caption.terms) - 1, 1, -1):
        fewer = replace(caption, terms=tuple(caption.kept(most)))
        yield fewer
    for remark in _fewer(caption.remark):
        yield replace(fewer, remark=remark)
    if caption.subject:
        yield replace(fewer, remark="")


def _broken(spans: Sequence[Span], size: int, width: float) -> Iterator[tuple[Span, ...]]:
    """The lines of a caption's pieces: broken between words and before signs, but not within a product."""
    line: list[Span] = []
    for group in _groups(spans):
        if line and wide((*line, *group), size) > width:
            yield tuple(line)
            line = [(group[0][0].lstrip(), group[0][1]), *group[1:]]
        else:
            line += group
    if line:
        yield tuple(line)


def _groups(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """The pieces that stand on one line: words, or a sign with the number that follows it."""
    group: list[Span] = []
    for text, mark in spans:
        ends = [0, *_ends(text), len(text)] if mark in PLAIN else [0, len(text)]
        for first, last in pairwise(ends):
            piece = text[first:last]
            if not piece.strip():
                group += [(piece, mark)] if group else []
                continue
            if group and mark in PLAIN and (first or piece[0] == " ") and not piece.startswith(" ·"):
                yield group
                group = []
            group.append((piece, mark))
    if group:
        yield group


@lru_cache(maxsize=64)  # the same pieces are tried several times
def wide(spans: tuple[Span, ...], size: int) -> int:
    """The width of a caption's pieces with their chips, px."""
    x, right, room = 0.0, 0, round(BESIDE * size)
    for text, mark in spans:
        chipped = mark not in PLAIN
        beside, across = room if chipped else 0, glyphs.width(text, size, chipped)
        right = round(x + beside) + round(across) + beside
        x += across + 2 * beside
    return right


def set_out(spans: tuple[Span, ...], at: Text, width: int = 0) -> tuple[Text, ...]:
    """The pieces of a caption one after the other, from a place on; numbers with a mark are bold, on chips.

    Args:
        width: the width of the caption, px. If there is room, a remark begins in its middle, so that it stays in place
            while the sum before it changes.
    """
    texts, x, room = [], float(at.x), round(BESIDE * at.size)
    for i, (text, mark) in enumerate(spans):
        chipped = mark not in PLAIN
        beside = room if chipped else 0
        if mark == REMARK and width:
            stop = at.x + width // 2
            x = stop if x < stop and stop + wide(spans[i:], at.size) <= at.x + width else x
            width = 0
        texts.append(Text(text, round(x + beside), at.baseline, at.size, chipped, mark))
        x += glyphs.width(text, at.size, chipped) + 2 * beside
    return tuple(texts)


def _shortened(text: str, fits: Callable[[str], bool]) -> str:
    """The first clauses of a text, as many as fit but at least one."""
    tried = _fewer(text)
    return next(filter(fits, tried), tried[-1] if tried else text)


def _fewer(text: str) -> list[str]:
    """A text with fewer and fewer of its clauses."""
    between = next((some for some in CLAUSES if some in text), CLAUSES[0])
    clauses = text.split(between)
    return [between.join([*clauses[:n], "…"]) for n in range(len(clauses) - 1, 0, -1)]


def _ends(text: str) -> list[int]:
    """The indices where a text may be broken: after a word, but not within the indices of cells, as in `[3:8, 0:5]`;
    before the arguments of a layer; and anywhere in a script without spaces."""
    inside = [match.span() for match in INDICES.finditer(text)]
    return [
        n
        for n in range(1, len(text))
        if (text[n] == " " and not any(first < n < last for first, last in inside))
        or max(text[n - 1], text[n]) >= WORDLESS
        or (text[n - 1] == "(" and text[: n - 1][-1:].isalnum())
    ]


def _halves(text: str, size: int) -> tuple[str, str] | None:
    """A text broken into two lines of about the same length; None if it has only one word."""
    tried = [(text[:n].rstrip(), text[n:].lstrip()) for n in _ends(text)]
    return min(tried, key=lambda two: max(glyphs.width(half, size) for half in two), default=None)


def cut(text: str, size: int, width: float, *, bold: bool = False) -> str:
    """The first words of a text that fit, or all of it; for scripts without spaces, the first characters."""
    if glyphs.width(text, size, bold) <= width:
        return text
    tried = (text[:n].rstrip(" ,;:") + " …" for n in reversed(_ends(text)))
    return next((some for some in tried if glyphs.width(some, size, bold) <= width), "…")


def wrapped(text: str, size: int, width: float, *, bold: bool = False) -> list[str]:
    """The lines of a text in a column; a word that is wider than the column is cut.

    Example:
        >>> wrapped("output[1,2] = 2·8 + 5·2 = 26", 20, 160)
        ['output[1,2] =', '2·8 + 5·2 = 26']
        >>> wrapped("ConvTranspose(kernel_size=5, stride=3)", 20, 180)
        ['ConvTranspose(', 'kernel_size=5,', 'stride=3)']
    """
    lines, rest = [], text.strip()
    while rest and glyphs.width(rest, size, bold) > width:
        fitting = [n for n in _ends(rest) if glyphs.width(rest[:n], size, bold) <= width]
        if not fitting:
            first = next(iter(_ends(rest)), len(rest))
            lines.append(_shrunk(rest[:first], size, width, bold=bold))
            rest = rest[first:].strip()
            continue
        lines.append(rest[: fitting[-1]].rstrip())
        rest = rest[fitting[-1] :].strip()
    return [*lines, rest] if rest else lines


def _shrunk(word: str, size: int, width: float, *, bold: bool) -> str:
    """As many characters of a word as fit, and an ellipsis."""
    tried = (word[:n] + "…" for n in range(len(word) - 1, 0, -1))
    return next((some for some in tried if glyphs.width(some, size, bold) <= width), "…")

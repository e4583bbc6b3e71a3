"""Writes frames as PDF, a page for each; cells and letters are stored once, without a date or a version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, BinaryIO
from zlib import compress

from convanim.draw.shapes import VEIL
from convanim.write.drawing import EM, TENTHS
from convanim.write.moments import Item, Moments, shapes_of

if TYPE_CHECKING:
    from convanim.write.film import Film

#: Points, 1/72 inch, in a pixel, 1/96 inch.
POINT = 0.75
#: The distance of the control points of a quarter of a circle, as a fraction of its radius.
_ROUND = 0.5523
#: The operators for the commands of an SVG path.
_COMMANDS = {"M": "m", "L": "l", "Q": "c", "C": "c"}


class Pen:
    """Shapes as operators of a page.

    Args:
        moments: the frames, with their tables.
        shared: whether cells and letters are forms, which pages share. On one page the compression finds what repeats.
    """

    def __init__(self, moments: Moments, *, shared: bool) -> None:
        self._moments, self._shared = moments, shared
        self.forms: dict[str, str] = {}
        self._letters: list[tuple[float, str]] = []
        self._colours: list[str] = []

    def shapes(self, items: Iterable[Item]) -> str:
        """Some shapes, back to front."""
        return "\n".join(map(self.shape, items))

    def shape(self, item: Item) -> str:
        """One shape."""
        match item:
            case ["f", ink, x, y, width, height, radius, *line]:
                path = _rectangle(x, y, width, height, radius)
                return f"{_n(line[0])} w {self._ink(ink, 'RG')} {path} S" if line else f"{self._ink(ink)} {path} f"
            case ["p", ink, points, opacity]:
                drawn = f"{self._ink(ink)} {_line([*points, *points[:2]])} f"
                return drawn if opacity == 1 else f"q /T gs {drawn} Q"
            case ["s", ink, width, lines, dash, cap]:
                how = (f"[{_n(dash)}] 0 d " if dash else "") + "1 J 1 j " * cap
                drawn = f"{how}{_n(width)} w {self._ink(ink, 'RG')} {' '.join(map(_line, lines))} S"
                return f"q {drawn} Q" if how else drawn
            case ["w", ink, size, x, baseline, *letters]:
                scale = _n(size / EM, 5)
                text = self._text(size, *letters)
                return f"q {scale} 0 0 {scale} {_n(x)} {_n(baseline)} cm {self._ink(ink)} {text} Q"
            case ["g", x, y, sprite]:
                return self.shape(["a", x, y, sprite]) + "\n" + self.shape(["b", x, y, sprite])
            case ["a" | "b" as part, x, y, sprite]:
                shapes = self._moments.tables.sprites[sprite][part == "b"]
                return f"q 1 0 0 1 {_n(x)} {_n(y)} cm {self._form(f'{part}{sprite}', lambda: self.shapes(shapes))} Q"
            case ["c", inside, outside, inner]:
                return self._clipped(inside, outside, self.shapes(inner))
        raise AssertionError(item)

    def _ink(self, number: int, operator: str = "rg") -> str:
        if number >= len(self._colours):
            self._colours = self._moments.colours
        code = self._colours[number]
        return f"{' '.join(_n(int(code[i : i + 2], 16) / 255, 3) for i in (1, 3, 5))} {operator}"

    def _form(self, name: str, make: Callable[[], str]) -> str:
        if not self._shared:
            return make()
        if name not in self.forms:
            self.forms[name] = make()
        return f"/{name} Do"

    def _text(self, size: int, letters: Sequence[int], offsets: Sequence[int] | None = None) -> str:
        if max(letters) >= len(self._letters):
            self._letters = self._moments.letters
        shown = [self._letters[number] for number in letters]
        pens = list(accumulate((advance for advance, _ in shown), initial=0.0))
        if offsets is not None:
            pens = [offset / TENTHS / size * EM for offset in offsets]
        seen = [(number, path, x) for number, (_, path), x in zip(letters, shown, pens, strict=False) if path]
        out = []
        for (_, _, before), (number, path, x) in pairwise([(0, "", 0.0), *seen]):
            moved = f"1 0 0 1 {_n(x - before, 1)} 0 cm " if x != before else ""
            out.append(moved + self._form(f"l{number}", lambda path=path: f"{_letter(path)} f"))  # type: ignore[misc]
        return " ".join(out)

    def _clipped(self, inside: list[float], outside: list[float], inner: str) -> str:
        clips = f"{_line([*inside, *inside[:2]])} W n " if inside else ""
        if outside:
            clips += f"{_rectangle(0, 0, *self._moments.size, 0)} {_line([*outside, *outside[:2]])} W* n "
        return f"q {clips}{inner} Q"


def write_pdf(
    film: Film, file: BinaryIO, numbers: Sequence[int], title: str, about: str, done: Callable[[int], object]
) -> None:
    """Write the frames of some numbers, a page for each; `done` is called with the number of pages."""
    moments = Moments(film)
    pen, (width, height) = Pen(moments, shared=len(numbers) > 1), film.size
    flipped = f"{POINT} 0 0 -{POINT} 0 {_n(POINT * height)} cm\n"  # y points upwards in a PDF
    contents = []
    for i, number in enumerate(numbers, start=1):
        contents.append(flipped + pen.shapes(shapes_of(moments.of(number))))
        done(i)
    pages = range(5, 5 + 2 * len(contents), 2)
    forms = {name: pages.stop + i for i, name in enumerate(pen.forms)}
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(f'{n} 0 R' for n in pages)}]"
        f"/MediaBox[0 0 {_n(POINT * width)} {_n(POINT * height)}]/Resources 3 0 R>>".encode(),
        f"<</ExtGState<</T<</ca {VEIL}>>>>/XObject<<{' '.join(f'/{name} {n} 0 R' for name, n in forms.items())}>>"
        ">>".encode(),
        f"<</Title{_string(title)}/Subject{_string(about)}>>".encode(),
    ]
    for page, text in zip(pages, contents, strict=True):
        objects += [f"<</Type/Page/Parent 2 0 R/Contents {page + 1} 0 R>>".encode(), _stream("", text)]
    box = f"/Type/XObject/Subtype/Form/Resources 3 0 R/BBox[{-EM} {-2 * EM} {4 * EM} {4 * EM}]"
    objects += [_stream(box, text) for text in pen.forms.values()]
    file.write(_document(objects))


def _document(objects: Sequence[bytes]) -> bytes:
    """A file with these objects, numbered from 1; the first is its catalogue, the fourth its title."""
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    parts += [b"%d 0 obj\n%b\nendobj\n" % (number, made) for number, made in enumerate(objects, start=1)]
    *starts, end = accumulate(map(len, parts))
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<</Size {count}/Root 1 0 R/Info 4 0 R>>\nstartxref\n"
    return b"".join([*parts, f"{tail}{end}\n%%EOF\n".encode()])


def _stream(fields: str, text: str) -> bytes:
    data = compress(text.encode(), 9)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (fields.encode(), len(data), data)


def _string(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def _n(number: float, decimals: int = 2) -> str:
    """A number in as few characters as possible."""
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _line(points: Sequence[float]) -> str:
    """A path through some points, which is closed if it ends where it began."""
    shut = len(points) > 4 and list(points[:2]) == list(points[-2:])
    there = points[:-2] if shut else points
    first, *rest = (f"{_n(x)} {_n(y)}" for x, y in zip(there[::2], there[1::2], strict=True))
    return " ".join([f"{first} m", *(f"{point} l" for point in rest), *["h"] * shut])


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> str:
    if not radius:
        return f"{_n(x)} {_n(y)} {_n(width)} {_n(height)} re"
    right, low = x + width, y + height
    # Each corner: where the curve begins, its corner and where it ends.
    turns = [
        ((right - radius, y), (right, y), (right, y + radius)),
        ((right, low - radius), (right, low), (right - radius, low)),
        ((x + radius, low), (x, low), (x, low - radius)),
        ((x, y + radius), (x, y), (x + radius, y)),
    ]
    out = [f"{_n(x + radius)} {_n(y)} m"]
    for a, corner, b in turns:
        bent = [tuple(p + (c - p) * _ROUND for p, c in zip(point, corner, strict=True)) for point in (a, b)]
        out.append(f"{_n(a[0])} {_n(a[1])} l {' '.join(_n(v) for point in (*bent, b) for v in point)} c")
    return " ".join([*out, "h"])


def _letter(path: str) -> str:
    """The SVG path of a letter, in which a quadratic curve becomes a cubic one."""
    out, at = [], (0, 0)
    for command, numbers in re.findall(r"([A-Zz])([^A-Zz]*)", path):
        if command == "z":
            out.append("h")
            continue
        values = [int(number) for number in re.findall(r"-?\d+", numbers)]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command == "Q":
            (x, y), end = points
            points = [*((round((a + 2 * x) / 3), round((b + 2 * y) / 3)) for a, b in (at, end)), end]
        out.append(f"{' '.join(f'{x} {y}' for x, y in points)} {_COMMANDS[command]}")
        at = points[-1]
    return " ".join(out)

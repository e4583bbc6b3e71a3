"""Writes frames as PDF, a page for each; the letters are an embedded font, and there is no date or version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO
from zlib import compress

from convanim.draw.shapes import VEIL
from convanim.write.drawing import EM, TENTHS
from convanim.write.moments import Item, Moments, shapes_of
from convanim.write.truetype import truetype

if TYPE_CHECKING:
    from convanim.write.film import Film

#: Points, 1/72 inch, in a pixel, 1/96 inch.
POINT = 0.75
#: The distance of the control points of a quarter of a circle, as a fraction of its radius.
_ROUND = 0.5523
#: A table of what the glyphs of a font mean, up to its lines.
_CMAP = """/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CMapType 2 def
/CMapName/Letters def/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
1 begincodespacerange<0000><FFFF>endcodespacerange
"""
#: Widths in a PDF, and moves between letters, are in thousandths of the size of the text.
_THOUSAND = 1000


class Pen:
    """Shapes as operators of a page.

    Args:
        moments: the frames, with their tables.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._cells: dict[tuple[str, int], str] = {}
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
                at = f"/L {size} Tf 1 0 0 -1 {_n(x)} {_n(baseline)} Tm"
                return f"BT {at} {self._ink(ink)} {self._text(size, *letters)} ET"
            case ["g", x, y, sprite]:
                return self.shape(["a", x, y, sprite]) + "\n" + self.shape(["b", x, y, sprite])
            case ["a" | "b" as part, x, y, sprite]:
                return f"q 1 0 0 1 {_n(x)} {_n(y)} cm {self._cell(part, sprite)} Q"
            case ["c", inside, outside, inner]:
                return self._clipped(inside, outside, self.shapes(inner))
        raise AssertionError(item)

    def _ink(self, number: int, operator: str = "rg") -> str:
        if number >= len(self._colours):
            self._colours = self._moments.colours
        code = self._colours[number]
        return f"{' '.join(_n(int(code[i : i + 2], 16) / 255, 3) for i in (1, 3, 5))} {operator}"

    def _cell(self, part: str, sprite: int) -> str:
        """A part of a cell. The compression finds what repeats, so that a form for it would take more bytes."""
        if (part, sprite) not in self._cells:
            self._cells[part, sprite] = self.shapes(self._moments.tables.sprites[sprite][part == "b"])
        return self._cells[part, sprite]

    def _text(self, size: int, letters: Sequence[int], offsets: Sequence[int] | None = None) -> str:
        if max(letters) >= len(self._letters):
            self._letters = self._moments.letters
        out, pen = "", 0.0
        for i, number in enumerate(letters):
            advance, path = self._letters[number]
            if offsets is not None and path:
                moved = round((pen - offsets[i] / TENTHS / size * EM) * _THOUSAND / EM)
                out += f">{moved}<" if moved else ""
                pen -= moved * EM / _THOUSAND
            out += f"{number + 1:04x}"  # glyph 0 is no letter
            pen += advance
        return f"[<{out}>] TJ"

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
    pen, (width, height) = Pen(moments), film.size
    flipped = f"{POINT} 0 0 -{POINT} 0 {_n(POINT * height)} cm\n"  # y points upwards in a PDF
    contents = []
    for i, number in enumerate(numbers, start=1):
        contents.append(flipped + pen.shapes(shapes_of(moments.of(number))))
        done(i)
    pages = range(10, 10 + 2 * len(contents), 2)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(f'{n} 0 R' for n in pages)}]"
        f"/MediaBox[0 0 {_n(POINT * width)} {_n(POINT * height)}]/Resources 3 0 R>>".encode(),
        f"<</ExtGState<</T<</ca {VEIL}>>>>/Font<</L 5 0 R>>>>".encode(),
        b"<</Title%b/Subject%b>>" % (_string(title), _string(about)),
        *_font(moments, 5),
    ]
    for page, text in zip(pages, contents, strict=True):
        objects += [f"<</Type/Page/Parent 2 0 R/Contents {page + 1} 0 R>>".encode(), _stream("", text.encode())]
    file.write(_document(objects))


def _font(moments: Moments, first: int) -> list[bytes]:
    """The font of the letters as five objects, numbered from `first`; it says which characters they are."""
    letters = moments.letters
    made = truetype(letters)
    name = f"{''.join(chr(65 + byte % 26) for byte in sha256(made).digest()[:6])}+Letters"
    widths = " ".join(_n(advance * _THOUSAND / EM) for advance, _ in letters)
    characters = [letter.encode("utf-16-be").hex() for letter, _ in moments.tables.glyphs]
    named = [f"<{number:04x}> <{character}>" for number, character in enumerate(characters, start=1)]
    # A block of a table has at most a hundred lines.
    blocks = [named[start : start + 100] for start in range(0, len(named), 100)]
    table = "".join(f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar\n" for block in blocks)
    return [
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
        f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R>>".encode(),
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDToGIDMap/Identity"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {first + 2} 0 R/W[1[{widths}]]>>".encode(),
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[-500 -500 2000 1500]/ItalicAngle 0"
        f"/Ascent 1000/Descent -250/CapHeight 728/StemV 80/FontFile2 {first + 3} 0 R>>".encode(),
        _stream(f"/Length1 {len(made)}", made),
        _stream("", f"{_CMAP}{table}endcmap end end".encode()),
    ]


def _document(objects: Sequence[bytes]) -> bytes:
    """A file with these objects, numbered from 1; the first is its catalogue, the fourth its title."""
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    parts += [b"%d 0 obj\n%b\nendobj\n" % (number, made) for number, made in enumerate(objects, start=1)]
    *starts, end = accumulate(map(len, parts))
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<</Size {count}/Root 1 0 R/Info 4 0 R>>\nstartxref\n"
    return b"".join([*parts, f"{tail}{end}\n%%EOF\n".encode()])


def _stream(fields: str, content: bytes) -> bytes:
    data = compress(content, 9)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (fields.encode(), len(data), data)


def _string(text: str) -> bytes:
    """A text of any characters; a line's end within a string would be changed by readers."""
    code = b"\xfe\xff" + text.encode("utf-16-be", "replace")
    for byte, written in ((b"\\", rb"\\"), (b"(", rb"\("), (b")", rb"\)"), (b"\r", rb"\r")):
        code = code.replace(byte, written)
    return b"(%b)" % code


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

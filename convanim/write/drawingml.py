"""Frames as DrawingML, the native shapes of office programs, in which all text can be edited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, groupby
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from convanim.draw.compose import Composer
from convanim.draw.shapes import (
    VEIL,
    Card,
    Clipped,
    Fill,
    Hatch,
    Ink,
    Mosaic,
    Placed,
    Points,
    Poly,
    Ring,
    Shape,
    Stroke,
    Veil,
    Words,
    bounds,
)
from convanim.page import Box, Text, glyphs
from convanim.page.texts import headed
from convanim.scene.frame import Frame
from convanim.write.drawing import letters_of, lines_of, printed

if TYPE_CHECKING:
    from convanim.write.film import Film

#: English Metric Units in a pixel of 1/96 inch, and in a point.
PX = 9525
#: The typeface, which all systems have or replace by one of the same widths, and how far it rises above the baseline.
TYPEFACE, RISE, LINE = "Arial", 0.905, 1.149
_SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


class Slide:
    """The shapes of one frame as DrawingML, back to front.

    Args:
        film: the animation.
        frame: the frame.
        composer: the composer of its page.
    """

    def __init__(self, film: Film, frame: Frame, composer: Composer) -> None:
        self._film, self._title = film, headed(film.page.title)  # the title is a part of the slide
        self._ids = count(10)  # the slide itself and its title have lower ones
        over = list(composer.over(frame))
        behind = [one for one in over if isinstance(one, Clipped) or (isinstance(one, Stroke) and one.behind)]
        self._grounds: list[str] = []
        self._letters: list[str] = []
        for shape in composer.rest(frame)[1:]:  # the first is the page itself
            if isinstance(shape, Placed):
                self._cell(shape, joined=not behind)
            elif not (isinstance(shape, Words) and shape.text in self._title):
                self._grounds.extend(self._shape(shape))
        under = [text for shape in behind for text in self._shape(shape)]
        above = [text for shape in over if shape not in behind for text in self._shape(shape)]
        self._parts = [*self._grounds, *under, *self._letters, *above]

    def group(self, alt: str) -> str:
        """All shapes as one group, with its alternative text."""
        wide, high = (side * PX for side in self._film.size)
        frame = f'<a:off x="0" y="0"/><a:ext cx="{wide}" cy="{high}"/>'
        frame += frame.replace("a:off", "a:chOff").replace("a:ext", "a:chExt")
        return (
            f"<p:grpSp {_SPACES}><p:nvGrpSpPr>"
            f'<p:cNvPr id="9" name="frame" descr={quoteattr(printed(alt))}/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
            f"<p:grpSpPr><a:xfrm>{frame}</a:xfrm></p:grpSpPr>{''.join(self._parts)}</p:grpSp>"
        )

    def _cell(self, cell: Placed, *, joined: bool) -> None:
        """A cell; its number is the text of its ground, unless something lies between them."""
        start = letters_of(cell.shapes)
        lower, upper = list(cell.shapes[:start]), list(cell.shapes[start:])
        text = None
        if joined and len(lower) == 1 and isinstance(lower[0], Fill | Card):
            text = next((one for one in upper if isinstance(one, Words) and _centred(one.text, lower[0].box)), None)
        for shape in lower:
            self._grounds.extend(self._shape(shape, cell.x, cell.y, text))
        for shape in upper:
            if shape is not text:
                self._letters.extend(self._shape(shape, cell.x, cell.y))

    def _shape(  # noqa: PLR0912 - one for each kind
        self, shape: Shape, x: int = 0, y: int = 0, inner: Words | None = None
    ) -> Iterator[str]:
        """A shape moved by (x, y), with a text within."""
        match shape:
            case Fill(box, ink) | Card(box, ink):
                round_off = shape.radius if isinstance(shape, Card) else 0
                yield self._box(_moved(box, x, y), round_off, self._fill(ink), inner)
            case Mosaic():
                for ink, parts in _runs(shape).items():
                    yield self._free(parts, x, y, self._fill(ink))
            case Ring((top, left, bottom, right), ink, radius, thick):
                half = thick / 2
                middle = (left + half + x, top + half + y, right - left - thick, bottom - top - thick)
                yield self._box(middle, max(0, radius - half), f"<a:noFill/>{self._line(ink, thick)}")
            case Poly(points, ink):
                yield self._free([points], x, y, self._fill(ink))
            case Veil(points, ink):
                yield self._free([points], x, y, self._fill(ink, VEIL))
            case Hatch(area, ink, gap, falls):
                lines = list(lines_of(area, gap, falls=falls))
                yield self._free(lines, x, y, self._line(ink, 0.7), closed=False)
            case Stroke():
                slanted = any(a[0] != b[0] and a[1] != b[1] for a, *_, b in shape.lines)
                line = self._line(shape.ink, shape.width, dash=shape.dash, rounded=slanted and not shape.dash)
                fill = self._fill(shape.ink) if shape.filled else ""
                yield self._free(shape.lines, x, y, fill + line, closed=False)
            case Words(text, ink):
                yield self._words(text, x, y, ink, align=self._side(text, placed=bool(x or y)))
            case Clipped((Veil(points, ink),), (), outside):  # where two outlines overlap, there is no fill
                yield self._free([points, outside], x, y, self._fill(ink, VEIL))
            case Placed():
                for one in shape.shapes:
                    yield from self._shape(one, x + shape.x, y + shape.y)
            case _:  # frames at rest have no others
                raise AssertionError(shape)

    def _fill(self, ink: Ink, opacity: float = 1) -> str:
        red, green, blue = self._film.theme.colour(ink) if isinstance(ink, str) else ink
        alpha = f'<a:alpha val="{round(100_000 * opacity)}"/>' if opacity < 1 else ""
        colour = f'<a:srgbClr val="{red:02X}{green:02X}{blue:02X}">{alpha}</a:srgbClr>'
        return f"<a:solidFill>{colour}</a:solidFill>"

    def _line(self, ink: Ink, width: float, *, dash: float = 0, rounded: bool = False) -> str:
        how = "<a:round/>" if rounded else '<a:miter lim="800000"/>'
        if dash:
            part = round(100_000 * dash / width)
            how = f'<a:custDash><a:ds d="{part}" sp="{part}"/></a:custDash>{how}'
        cap = ' cap="rnd"' if rounded else ' cap="flat"'
        return f'<a:ln w="{round(width * PX)}"{cap}>{self._fill(ink)}{how}</a:ln>'

    def _box(
        self, box: tuple[float, float, float, float], radius: float, paint: str, inner: Words | None = None
    ) -> str:
        left, top, wide, high = box
        kind, values = "rect", ""
        if radius and min(wide, high) > 0:
            kind = "roundRect"
            values = f'<a:gd name="adj" fmla="val {min(50_000, round(100_000 * radius / min(wide, high)))}"/>'
        shape = f'<a:prstGeom prst="{kind}"><a:avLst>{values}</a:avLst></a:prstGeom>{paint}'
        return self._made(left, top, wide, high, shape, self._said(inner.text, inner.ink) if inner else "")

    def _free(self, lines: Sequence[Points], x: float, y: float, paint: str, *, closed: bool = True) -> str:
        """Some lines or areas as one freeform."""
        top, left, bottom, right = bounds(tuple(point for line in lines for point in line))
        wide, high = max(0.01, right - left), max(0.01, bottom - top)
        path = []
        for line in lines:
            shut = closed or (len(line) > 2 and line[0] == line[-1])
            points = line[:-1] if shut and not closed else line
            for i, (a, b) in enumerate(points):
                name = "lnTo" if i else "moveTo"
                path.append(f'<a:{name}><a:pt x="{_at(a - left)}" y="{_at(b - top)}"/></a:{name}>')
            path.append("<a:close/>" * shut)
        fill = "" if "solidFill" in paint.partition("<a:ln")[0] else ' fill="none"'
        shape = (
            "<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/>"
            '<a:rect l="0" t="0" r="r" b="b"/><a:pathLst>'
            f'<a:path w="{_at(wide)}" h="{_at(high)}"{fill}>{"".join(path)}</a:path></a:pathLst></a:custGeom>'
        )
        return self._made(left + x, top + y, wide, high, shape + ("<a:noFill/>" if fill else "") + paint)

    def _words(self, text: Text, x: int, y: int, ink: Ink, *, align: str) -> str:
        """A text in a box of its own; its start, its middle or its end is that of the text on the page."""
        wide, high = glyphs.width(text.text, text.size, text.bold), LINE * text.size
        shape = '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/>'
        top = text.baseline - RISE * text.size
        return self._made(text.x + x, top + y, wide, high, shape, self._said(text, ink, align), box=True)

    def _side(self, text: Text, *, placed: bool) -> str:
        """Where a text stays if another typeface is wider: in its cell or chip, or at the nearer edge of the page."""
        if placed or text.mark:
            return "ctr"
        return "r" if text.x > 0.7 * self._film.width else "l"

    def _said(self, text: Text, ink: Ink, align: str = "ctr") -> str:
        size, weight = round(75 * text.size), ' b="1"' if text.bold else ""
        return (
            '<p:txBody><a:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"/><a:lstStyle/>'
            f'<a:p><a:pPr algn="{align}"/><a:r><a:rPr sz="{size}"{weight} dirty="0">{self._fill(ink)}'
            f'<a:latin typeface="{TYPEFACE}"/></a:rPr><a:t>{escape(printed(text.text))}</a:t></a:r></a:p></p:txBody>'
        )

    def _made(
        self, left: float, top: float, wide: float, high: float, shape: str, said: str = "", *, box: bool = False
    ) -> str:
        number, kind = next(self._ids), "text" if box else "shape"
        drawn = shape if "<a:ln" in shape else f"{shape}<a:ln><a:noFill/></a:ln>"
        about = ' txBox="1"' * box
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{kind} {number}"/><p:cNvSpPr{about}/><p:nvPr/></p:nvSpPr>'
            f'<p:spPr><a:xfrm><a:off x="{round(left * PX)}" y="{round(top * PX)}"/>'
            f'<a:ext cx="{round(wide * PX)}" cy="{round(high * PX)}"/></a:xfrm>{drawn}</p:spPr>{said}</p:sp>'
        )


def _moved(box: Box, x: int, y: int) -> tuple[float, float, float, float]:
    """The (left, top, width, height) of a box moved by (x, y)."""
    return box.left + x, box.top + y, box.right - box.left, box.bottom - box.top


def _runs(shape: Mosaic) -> dict[Ink, list[Points]]:
    """The rectangles of each ink in a mosaic; neighbours in a row are one rectangle."""
    found: dict[Ink, list[Points]] = {}
    high, wide = shape.numbers.shape
    top, left, bottom, right = shape.box
    down, across = (bottom - top) / high, (right - left) / wide
    for row in range(high):
        inks: list[Ink] = [shape.inks[number] for number in shape.numbers[row].tolist()]
        if shape.colours is not None and shape.own is not None:
            for column in np.flatnonzero(shape.own[row]).tolist():
                red, green, blue = shape.colours[row, column].tolist()
                inks[column] = red, green, blue
        start = 0
        for ink, run in groupby(inks):
            end = start + len(list(run))
            ends = left + start * across, left + end * across
            y = top + row * down
            found.setdefault(ink, []).append(((ends[0], y), (ends[1], y), (ends[1], y + down), (ends[0], y + down)))
            start = end
    return found


def _centred(text: Text, box: Box) -> bool:
    """Whether a text stands in the middle of a box, to a few pixels."""
    middle = text.x + glyphs.width(text.text, text.size, text.bold) / 2, text.baseline - glyphs.CAPITALS * text.size / 2
    centre = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return all(abs(a - b) <= 2 for a, b in zip(middle, centre, strict=True))


def _at(number: float) -> int:
    """A coordinate within a freeform, in hundredths of a pixel."""
    return max(0, round(100 * number))

"""Writes frames as SVG: one of them, or all of them with a clock in CSS, which also runs inside of `<img>`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape  # that of xml.sax imports urllib.request
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO
from zlib import crc32

from convanim.write.drawing import EM, TENTHS, printed
from convanim.write.moments import Item, Moments, Span, shapes_of, spans

if TYPE_CHECKING:
    from convanim.timing.pace import Shot
    from convanim.write.film import Film

#: What begins all names until the picture is done; no text of a picture can contain it.
_OWN = "\0"


class Canvas:
    """Shapes as elements; cells, texts and letters are defined once, on first use.

    Args:
        moments: the frames, with their tables.
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._defined: dict[str, str] = {}
        self._texts: dict[str, int] = {}
        self._letters: list[tuple[float, str]] = []
        self._colours: list[str] = []

    @property
    def defs(self) -> str:
        """The definitions that are used."""
        return "".join(self._defined.values())

    def shapes(self, items: Iterable[Item]) -> str:
        """Some shapes, back to front."""
        return "".join(map(self.shape, items))

    def shape(self, item: Item) -> str:
        """One shape."""
        match item:
            case ["f", ink, x, y, width, height, radius, *line]:
                where = f' x="{x}" y="{y}"' if x or y else ""
                curve, colour = f' rx="{radius}"' if radius else "", self._ink(ink)
                paint = f'fill="none" stroke="{colour}" stroke-width="{line[0]}"' if line else f'fill="{colour}"'
                return f'<rect{where} width="{width}" height="{height}"{curve} {paint}/>'
            case ["p", ink, points, opacity]:
                more = f' opacity="{opacity}"' if opacity < 1 else ""
                return f'<path d="{_line([*points, *points[:2]])}" fill="{self._ink(ink)}"{more}/>'
            case ["s", ink, width, lines, dash, cap]:
                more = f' stroke-dasharray="{dash}"' if dash else ""
                more += ' stroke-linecap="round" stroke-linejoin="round"' if cap else ""
                path, colour = "".join(map(_line, lines)), self._ink(ink)
                return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{more}/>'
            case ["w", ink, size, x, baseline, *letters]:
                number = self._texts.setdefault(repr((size, letters)), len(self._texts))
                return self._use(f"t{number}", x, baseline, lambda: self._text(size, *letters), self._ink(ink))
            case ["g", x, y, sprite]:
                return self.shape(["a", x, y, sprite]) + self.shape(["b", x, y, sprite])
            case ["a" | "b" as part, x, y, sprite]:
                shapes = self._moments.tables.sprites[sprite][part == "b"]
                return self._use(f"{part}{sprite}", x, y, lambda: f"<g>{self.shapes(shapes)}</g>")
            case ["c", inside, outside, inner]:
                return self._clipped(inside, outside, self.shapes(inner))
        raise AssertionError(item)

    def _ink(self, number: int) -> str:
        if number >= len(self._colours):
            self._colours = self._moments.colours
        return self._colours[number]

    def _use(self, name: str, x: float, y: float, make: Callable[[], str], fill: str = "") -> str:
        """A defined element at a place; the older spelling of `href` is the one that all drawing programs know."""
        if name not in self._defined:
            tag, rest = make().split(">", 1)
            self._defined[name] = f'{tag} id="{_OWN}{name}">{rest}' if rest else f'{tag[:-1]} id="{_OWN}{name}"/>'
        where = "".join(f' {key}="{value}"' for key, value in (("x", x), ("y", y), ("fill", fill)) if value)
        return f'<use xlink:href="#{_OWN}{name}"{where}/>'

    def _text(self, size: int, letters: Sequence[int], offsets: Sequence[int] | None = None) -> str:
        if max(letters) >= len(self._letters):
            self._letters = self._moments.letters
        scale, shown = size / EM, [self._letters[number] for number in letters]
        pens = accumulate((advance for advance, _ in shown), initial=0.0)
        places = pens if offsets is None else (offset / TENTHS / scale for offset in offsets)
        uses = [
            self._use(f"l{number}", round(x, 1), 0, lambda path=path: f'<path d="{path}"/>')  # type: ignore[misc]
            for number, (_, path), x in zip(letters, shown, places, strict=False)
            if path
        ]
        return f'<g transform="scale({scale:g})">{"".join(uses)}</g>'

    def _clipped(self, inside: list[float], outside: list[float], inner: str) -> str:
        width, height = self._moments.size
        page = [0, 0, width, 0, width, height, 0, height, 0, 0]
        paths = [_line([*inside, *inside[:2]])] if inside else []
        paths += [_line(page) + _line([*outside, *outside[:2]])] if outside else []
        for path in paths:
            name = f"k{crc32(path.encode()):x}"
            self._defined[name] = f'<clipPath id="{_OWN}{name}"><path d="{path}" clip-rule="evenodd"/></clipPath>'
            inner = f'<g clip-path="url(#{_OWN}{name})">{inner}</g>'
        return inner


def write_svg(film: Film, file: BinaryIO, number: int, title: str, description: str) -> None:
    """Write the frame of a number."""
    moments = Moments(film)
    canvas = Canvas(moments)
    _write(file, film, canvas, canvas.shapes(shapes_of(moments.of(number))), title, description)


def write_animated(film: Film, file: BinaryIO, shots: Sequence[Shot], title: str, description: str) -> None:
    """Write all frames: each shape with the times at which it is seen.

    The last frame is what is seen without the animation: in programs that have none, and by readers who
    prefer reduced motion.
    """
    moments = Moments(film)
    canvas, times = Canvas(moments), list(accumulate((shot.milliseconds for shot in shots), initial=0))
    clock = Clock(times, film.plays)
    body = "".join(
        clock.shown(span, canvas.shapes(span.items))
        for _, seen in spans(moments, (shot.frame for shot in shots))
        for span in seen
    )
    _write(file, film, canvas, clock.style + body, title, description)


class Clock:
    """The times at which shapes are seen, as CSS.

    Args:
        times: the start of each frame, and the end of the last one, ms.
        plays: the number of plays; 0 repeats forever.
    """

    def __init__(self, times: Sequence[int], plays: int) -> None:
        self._times, self._plays, self._rules = times, plays or "infinite", dict[tuple[int, int], str]()

    def shown(self, span: Span, inner: str) -> str:
        """Shapes that are seen in some of the frames."""
        last = len(self._times) - 1
        if span.end == last and not span.first:
            return inner
        name = f"{_OWN}{span.first}-{span.end}"
        steps = [(span.first, "visible"), (span.end, "hidden")]
        if span.first:
            steps.insert(0, (0, "hidden"))
        frames = "".join(f"{self._percent(at)}{{visibility:{how}}}" for at, how in steps if at < last)
        self._rules[span.first, span.end] = f".{name}{{animation-name:{name}}}@keyframes {name}{{{frames}}}"
        rest = "" if span.end == last else ' visibility="hidden"'
        return f'<g class="{_OWN} {name}"{rest}>{inner}</g>'

    def _percent(self, at: int) -> str:
        return f"{100 * self._times[at] / self._times[-1]:.4f}".rstrip("0").rstrip(".") + "%"

    @property
    def style(self) -> str:
        """The style sheet."""
        play = f".{_OWN}{{animation:{self._times[-1]}ms step-end {self._plays}}}"
        return f"<style>@media not (prefers-reduced-motion:reduce){{{play}{''.join(self._rules.values())}}}</style>"


def _write(file: BinaryIO, film: Film, canvas: Canvas, body: str, title: str, description: str) -> None:
    width, height = film.size
    # Pictures within one page share its names, so each picture has its own.
    own = f"c{crc32((canvas.defs + body).encode()):x}"
    heading, about = (escape(printed(text), quote=False) for text in (title, description))
    told = f'<title id="{_OWN}t">{heading}</title><desc id="{_OWN}d">{about}</desc>'
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{_OWN}t {_OWN}d" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"{told}\n<defs>{canvas.defs}</defs>\n{body}\n</svg>\n"
    )
    file.write(text.replace(_OWN, own).encode())


def _line(points: Sequence[float]) -> str:
    """A path through some points, which is closed if it ends where it began."""
    shut = len(points) > 4 and list(points[:2]) == list(points[-2:])
    there = points[:-2] if shut else points
    path = "L".join(f"{x} {y}" for x, y in zip(there[::2], there[1::2], strict=True))
    return f"M{path}{'z' * shut}"

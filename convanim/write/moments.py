"""Frames one after another as whole pictures: the shapes of `drawing` in the layers of the player, back to front."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from convanim.write.drawing import Drawing, Tables, colours
from convanim.write.film import Film

#: A shape as in `drawing.Drawing`, or the lower ("a") or upper ("b") part of a cell: `["a", x, y, sprite]`.
Item = list[Any]


class Layer(NamedTuple):
    """Shapes that are replaced together, such as one text, or the cells of one panel.

    Attributes:
        name: its name; the layers of all frames have one order.
        items: the shapes that the frame has there, by what they stand for.
    """

    name: str
    items: dict[Any, list[Item]]


class Moments:
    """The layers of the frames of an animation.

    Attributes:
        size: the width and height of the page, px.
        tables: what is stored once.
    """

    def __init__(self, film: Film) -> None:
        self._film, self.size, self.tables = film, film.size, Tables()
        self._drawing = Drawing(film.page, film.scene.beats.steps, self.tables)
        self._places = [
            (panel["name"], list(zip(panel["at"][::2], panel["at"][1::2], strict=True)))
            for panel in self._drawing.panels
        ]
        width, height = film.size
        page = ["f", self.tables.ink("page"), 0, 0, width, height, 0]
        self._fixed = Layer("fixed", {"": [page, *self._drawing.fixed()]})
        self._cells: dict[int, int] = {}
        self._words: dict[str, list[Item]] = {}
        self._rules: dict[str, list[Item]] = {}

    @property
    def colours(self) -> list[str]:
        """The colour of each ink so far, as #rrggbb."""
        return colours(self.tables.inks, self._film.theme)

    @property
    def letters(self) -> list[tuple[float, str]]:
        """The advance of each letter so far, and its path."""
        return [(advance, path) for _, advance, path in self.tables.glyphs.values()]

    def of(self, number: int) -> Iterator[Layer]:
        """The layers of the frame of a number; frames may follow in any order."""
        found = self._drawing.add(self._film.scene.frame(number))
        changes = found.get("c", [])
        self._cells.update(zip(changes[::2], changes[1::2], strict=True))
        self._words |= found.get("t", {})
        self._rules |= found.get("l", {})
        yield self._fixed
        yield Layer("words", dict(self._words))
        yield from self._grids("a")
        yield Layer("rules", dict(self._rules))
        yield Layer("under", {"": found.get("u", [])})
        yield from self._grids("b")
        yield Layer("over", {"": found.get("o", [])})

    def _grids(self, part: str) -> Iterator[Layer]:
        """The lower or the upper parts of the cells, a layer for each panel."""
        first, sprites = 0, self.tables.sprites
        for name, places in self._places:
            yield Layer(
                f"{part} {name}",
                {
                    i: [[part, *at, number]]
                    for i, at in enumerate(places)
                    if (number := self._cells.get(first + i, 0)) and sprites[number][part == "b"]
                },
            )
            first += len(places)


def shapes_of(layers: Iterable[Layer]) -> Iterator[Item]:
    """The shapes of one frame, back to front."""
    return (item for layer in layers for items in layer.items.values() for item in items)


class Span(NamedTuple):
    """Shapes that are shown from the start of one frame to the start of another, by their numbers."""

    first: int
    end: int
    items: list[Item]


def spans(moments: Moments, numbers: Iterable[int]) -> Iterator[tuple[str, list[Span]]]:
    """What each layer shows, and when.

    Shapes of a layer with the same time are one span, as no two of them overlap; spans follow in order of time.
    """
    shown: dict[str, dict[Any, tuple[int, list[Item]]]] = {}
    done: dict[str, dict[tuple[int, int], list[Item]]] = {}
    count = 0
    for at, number in enumerate(numbers):
        count = at + 1
        for name, items in moments.of(number):
            now, ended = shown.setdefault(name, {}), done.setdefault(name, {})
            for key in [key for key, (_, old) in now.items() if items.get(key) != old]:
                first, old = now.pop(key)
                ended.setdefault((first, at), []).extend(old)
            for key, new in items.items():
                if new and key not in now:
                    now[key] = at, new
    for name, ended in done.items():
        for first, old in shown[name].values():
            ended.setdefault((first, count), []).extend(old)
        yield name, [Span(first, end, items) for (first, end), items in sorted(ended.items(), key=lambda span: span[0])]

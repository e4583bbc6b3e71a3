"""A panel that turns about its middle as one rigid block, with upright numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, pi, sin

from convanim.draw.cells import Cells
from convanim.draw.shapes import Card, Point, Poly, Shape, Stroke, Words
from convanim.page import Box, Page, Place, Text
from convanim.page.texts import around
from convanim.scene.frame import Float

#: The least radius of a corner and the distance from other parts of the page, px.
_EDGE, _APART = 0.5, 2


class Turns:
    """Composes turning panels.

    Args:
        page: the layout of the page.
        cells: the shapes of cells.
    """

    def __init__(self, page: Page, cells: Cells) -> None:
        self._page, self._cells = page, cells
        texts = [page.title, page.detail, *page.signs, *page.heads, *map(_longest_title, page.places.values())]
        self._boxes = [text.box for text in texts if text.text]
        self._boxes += [*page.rules, *(slot.box for slot in page.captions)]
        self._boxes += [around([tab.current.box, tab.dot]) for tab in page.tabs]

    def of(self, place: Place, floats: Sequence[Float]) -> Iterator[Shape]:
        """The cells of a panel, all turned by the same angle, and then their numbers."""
        (rows, columns), gap = place.panel.shape, 0 if place.tilted else place.line / place.pitch
        down, across = (rows + gap) / 2, (columns + gap) / 2
        along, aside = cos(pi * floats[0].turn), sin(pi * floats[0].turn)

        def at(row: float, column: float, size: float) -> Point:
            y, x = size * (row - down), size * (column - across)
            right, low = place.lattice.at(down + y * along + x * aside, across + x * along - y * aside)
            return place.x + right, place.y + low

        corners = [at(row, column, 1) for row in (gap, rows) for column in (gap, columns)]
        size = self._room(place, at(down, across, 1), corners)
        words: list[Shape] = []
        for f in floats:
            ground, *rest = self._cells.of(place, f.role, f.emphasis, f.value, f.note if place.note else "", f.colour)
            if not isinstance(ground, Card | Poly):
                raise TypeError(f"{type(ground).__name__} cannot be the ground of a cell")
            edge = max(_EDGE, ground.radius if isinstance(ground, Card) else 0)
            near, far = gap + edge / place.pitch, 1 - edge / place.pitch
            corner = ((near, near), (near, far), (far, far), (far, near))
            ends = [at(f.row + low, f.column + right, size) for low, right in corner]
            yield Stroke(((*ends, ends[0]),), 2 * edge * size, ground.ink, filled=True)
            (tall, wide), half = place.inside, (1 + gap) / 2
            x, y = at(f.row + half, f.column + half, size)
            for shape in rest:
                if isinstance(shape, Words):
                    words.append(shape._replace(text=_moved(shape.text, (wide / 2, tall / 2), (x, y), size)))
        yield from words

    def _room(self, place: Place, middle: Point, corners: Sequence[Point]) -> float:
        """The size at which a turned panel touches nothing else on the page, at most 1."""
        wide, tall = (max(abs(corner[i] - middle[i]) for corner in corners) for i in (0, 1))
        x, y = middle
        page = self._page
        size = min(1.0, min(x, page.width - x) / wide, min(y, page.height - y) / tall)
        for box in self._obstacles(place):
            beside = max(box.left - x, x - box.right) - _APART
            above = max(box.top - y, y - box.bottom) - _APART
            size = min(size, max(beside / wide, above / tall))
        return size

    def _obstacles(self, place: Place) -> Iterator[Box]:
        """Whatever else is on the page, except the panel's own title; another kernel leaves half of the gap to it."""
        own_title = _longest_title(place).box
        yield from (box for box in self._boxes if box != own_title)
        for other in self._page.places.values():
            if other is place:
                continue
            box = other.box
            if other.panel.shade == place.panel.shade == "kernel":
                own = place.box
                right, low = max(0, (box.left - own.right) // 2), max(0, (box.top - own.bottom) // 2)
                left, top = max(0, (own.left - box.right) // 2), max(0, (own.top - box.bottom) // 2)
                box = Box(box.top - low, box.left - right, box.bottom + top, box.right + left)
            yield box


def _longest_title(place: Place) -> Text:
    """The longest title that a panel ever has, where it stands."""
    return place.title._replace(text=max(place.panel.titles, key=len, default=""))


def _moved(text: Text, old: Point, new: Point, size: float) -> Text:
    """A text of another size, in the same direction from another point."""
    top, left, bottom, right = text.box
    smaller = text._replace(size=max(1, round(size * text.size)))
    box = smaller.box
    x = new[0] + ((left + right) / 2 - old[0]) * size - (box.right - box.left) / 2
    middle = new[1] + ((top + bottom) / 2 - old[1]) * size
    return smaller._replace(x=round(x), baseline=round(smaller.baseline + middle - (box.top + box.bottom) / 2))

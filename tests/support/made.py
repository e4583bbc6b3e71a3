"""Artificial scenes with any panels, which layout and renderers must draw whether or not a view needs them yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.language.numerals import Numerals
from convanim.page import Page, layout
from convanim.page.style import USUAL, Style
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Beats,
    Blocks,
    Frame,
    Grid,
    Panel,
    Phase,
    Role,
    Rows,
    whole,
)
from convanim.trace import Trace

Pixels = NDArray[np.uint8]


def panel(name: str, values: Any, title: str = "", **options: Any) -> Panel:
    """A panel with these values; its title is its name by default."""
    array = np.asarray(values)
    return Panel(name, array.shape, (title or name,), Numerals(array), array, **options)


def grid(panel: Panel, role: Role = Role.DONE, **changes: Any) -> Grid:
    """A panel's values with the same role."""
    values = panel.values.reshape(panel.shape)
    return replace(whole(panel.titles[0], role, values), **changes)


class Made:
    """A scene of given blocks (or rows of one) and frames; by default one frame with every panel's values."""

    title, detail = "Made by hand", ""
    traces: tuple[Trace, ...] = ()
    phases = (Phase("look", "look", "look"),)
    captions = 1

    def __init__(self, rows: Rows | Blocks, *frames: dict[str, Grid]) -> None:
        self.blocks: Blocks = rows if isinstance(rows[0][0], tuple) else (rows,)
        self.panels = tuple(panel for block in self.blocks for row in block for panel in row)
        rest = {p.name: grid(p) for p in self.panels}
        self._frames = [Frame(0, {**rest, **grids}, (Caption(remark="one line"),)) for grids in frames or ({},)]
        self.beats = Beats(len(self._frames), 0, 1, 0, 1)

    def frame(self, number: int) -> Frame:
        return self._frames[number]


def shot(
    s: Made, number: int = 0, look: str = "light", width: int = 640, height: int = 360, style: Style = USUAL
) -> tuple[Page, Pixels]:
    """A frame of an artificial scene, in colours."""
    page = layout(s, width, height, style=style)
    raster = Raster(s, page, load(look))
    return page, raster.palette.colours[raster.draw(s.frame(number)).pixels]


def cell(page: Page, rgb: Pixels, name: str, row: int, column: int) -> Pixels:
    """The pixels of a cell, in colours."""
    top, left, bottom, right = page.places[name].cell(row, column)
    return rgb[top:bottom, left:right]

"""The style of a page: which parts appear on it, and the sizes of its text in px."""

from __future__ import annotations

from dataclasses import dataclass

#: Smaller text than this (px) is unreadable and is left out.
SMALLEST = 9
#: The page size (px) that all lengths are given for; on other pages they scale.
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Style:
    """How a page is set. Without arguments it is the default style.

    Attributes:
        width, height: the page size in px that the other sizes are meant for; on another page they scale with it.
        title_size, caption_size, small_size, number_size: sizes of the kinds of text, px; `number_size` is a maximum.
        smallest: the minimum size of text, in percent of the page's height; it is never less than 9 px.
        cell: the maximum side of a cell, px.
        small: the maximum side of a cell, in percent of the page's height, for a layer whose grids are all smaller than
            5 × 5. Numbers grow with the cells, up to 1.3 times their usual size.
        wrap: whether a row of panels is broken in two as soon as its cells grow a little; by default only if they grow
            by half.
        title, detail, phases, panel_titles, captions, counter, numbers, notes, signs, scales: whether these appear.
        shades: whether cells too small for numbers are shaded by value; if not, they have the colour of their role.
        kernel: whether kernels and stamps have panels of their own.
        motion_colours: whether cells under the window are lit; if not, only its outline marks them.

    Example:
        >>> Style(captions=False).counter
        True
    """

    width: int = WIDTH
    height: int = HEIGHT
    title_size: int = 30
    caption_size: int = 25
    small_size: int = 18
    number_size: int = 30
    smallest: float = 0.0
    cell: int = 84
    small: float = 15.0
    wrap: bool = False
    title: bool = True
    detail: bool = True
    phases: bool = True
    panel_titles: bool = True
    captions: bool = True
    counter: bool = True
    numbers: bool = True
    notes: bool = True
    signs: bool = True
    scales: bool = True
    shades: bool = True
    kernel: bool = True
    motion_colours: bool = True


#: The default style.
USUAL = Style()

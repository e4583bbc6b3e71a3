"""What appears on a page, and how large its type is.

Knows words for the parts of a page, and sizes in px. Must not know scenes, nor where anything lies.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Below this size (px) a text cannot be read, and is not shown.
SMALLEST = 9
#: All lengths are given for a page of this size (px) and scale with it.
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Style:
    """How a page is set; without any change it is the usual page.

    Attributes:
        width, height: px of the page that the sizes are meant for; on another page they scale with it.
        title_size, caption_size, small_size, number_size: of the four kinds of text, px; numbers are at most so large.
        smallest: no text is smaller than so many percent of the page's height, nor than 9 px.
        cell: the largest side of a cell, px.
        small: the cells of a layer whose grids are all smaller than 5 × 5 grow up to so many percent of the page's
            height, and its numbers with them, up to 1.3 times their usual size.
        wrap: whether a row of panels is broken into two where cells get a little larger by that; without it, where they
            grow by half.
        title, detail, phases, panel_titles, captions, counter, numbers, notes, signs, scales: whether these appear.
        shades: whether a shade stands for values where there are no numbers; without it cells have the colour of their
            role.
        kernel: whether kernels and stamps have a place of their own.
        motion_colours: whether cells take the kernel's colour while the window covers them; without it only its
            outline shows where it is.

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


#: The usual page.
USUAL = Style()

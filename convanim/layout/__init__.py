"""Where things lie on the page, in whole pixels.

Knows the page's size, the panels and how wide text is. Must not know colours, or what a frame shows. Everything that
stays through an animation gets its place here once; nothing moves later.
"""

from convanim.layout.arrange import layout
from convanim.layout.choose import LAYOUTS, choose, known, suited, view_of
from convanim.layout.measures import fits, page_size
from convanim.layout.page import Box, Page, Place, Text
from convanim.layout.style import SMALLEST, USUAL, Style
from convanim.layout.tilt import Tilt

__all__ = [
    "LAYOUTS",
    "SMALLEST",
    "USUAL",
    "Box",
    "Page",
    "Place",
    "Style",
    "Text",
    "Tilt",
    "choose",
    "fits",
    "known",
    "layout",
    "page_size",
    "suited",
    "view_of",
]

"""The layout of a page: the place of every panel and text in whole pixels, the same throughout the animation."""

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

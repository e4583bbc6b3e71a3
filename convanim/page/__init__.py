"""The layout of a page: the place of every panel and text in whole pixels, the same throughout the animation."""

from convanim.page.arrange import layout, shrunk
from convanim.page.choose import LAYOUTS, choose, known, suited, view_of
from convanim.page.measures import page_size
from convanim.page.page import Page, Place
from convanim.page.style import SMALLEST, USUAL, Style
from convanim.page.texts import Box, Text
from convanim.page.tilted.tilt import Tilt

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
    "known",
    "layout",
    "page_size",
    "shrunk",
    "suited",
    "view_of",
]

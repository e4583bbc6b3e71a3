"""What can be chosen about drawing, as words that are checked before anything is loaded that draws.

Knows the words. Must not know what they do.
"""

from __future__ import annotations

from convanim.errors import ConvanimError, shortly, whole

#: What draws: arrays of palette indices, fast; or matplotlib, which also draws vectors and any number of dots per inch.
RENDERERS = ("raster", "matplotlib")
#: What text is written as: curves that look the same everywhere, or letters that a program for drawings can change.
TEXTS = ("outlines", "editable")
#: Dots per inch at which a pixel of the page is a pixel of the picture: those of CSS, so that an SVG has its size, too.
DPI = 96
#: Pixels of a picture at the most; so many take 600 MB while they are written.
MOST = 150_000_000


def pick(what: str, given: object, words: tuple[str, ...]) -> None:
    """Check a choice of words.

    Raises:
        ConvanimError: it is none of them.

    Example:
        >>> pick("text", "curves", TEXTS)
        Traceback (most recent call last):
        convanim.errors.ConvanimError: text 'curves' is not known; use outlines or editable.
    """
    if given not in words:
        raise ConvanimError(f"{what} {shortly(given)} is not known", f"use {' or '.join(words)}")


def pick_dpi(dpi: object, width: int, height: int) -> int:
    """Check the dots per inch of a page of some size, px.

    Raises:
        ConvanimError: it is not a whole number above 0, or the picture would be too large.
    """
    if not whole(dpi) or int(str(dpi)) < 1:
        raise ConvanimError(f"dpi {shortly(dpi)} is not a whole number above 0", f"give an int, like 300; {DPI} is 1:1")
    scale = int(str(dpi)) / DPI
    most = int(min((MOST / width / height) ** 0.5, 65535 / max(width, height)) * DPI)
    if int(str(dpi)) > most:
        raise ConvanimError(
            f"dpi {dpi} makes a picture of {width * scale:,.0f} x {height * scale:,.0f} px",
            f"use at most {most} for a page of {width} x {height} px",
        )
    return int(str(dpi))

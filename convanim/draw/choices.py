"""Options of drawing, checked before any drawing library is imported."""

from __future__ import annotations

from convanim.errors import ConvanimError, shortly, whole

#: The resolution at which pixels of page and picture are the same. It is that of CSS, which gives an SVG its size.
DPI = 96
#: The maximum number of pixels of a picture, which take 600 MB while they are written.
MOST = 150_000_000


def pick_dpi(dpi: object, width: int, height: int) -> int:
    """Check the dots per inch for a page of this size, px.

    Raises:
        ConvanimError: not a whole number above 0, or the picture would be too large.
    """
    if not whole(dpi) or int(str(dpi)) < 1:
        raise ConvanimError(f"`dpi` {shortly(dpi)} is not a whole number above 0", f"use for example 300; {DPI} is 1:1")
    scale = int(str(dpi)) / DPI
    most = int(min((MOST / width / height) ** 0.5, 65535 / max(width, height)) * DPI)
    if int(str(dpi)) > most:
        raise ConvanimError(
            f"`dpi` {dpi} makes a picture of {width * scale:,.0f} x {height * scale:,.0f} px",
            f"use at most {most} for a page of {width} x {height} px",
        )
    return int(str(dpi))

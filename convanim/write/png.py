"""Writes PNG: single frames with their exact palette."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def write_png(
    file: BinaryIO, pixels: NDArray[np.uint8], palette: NDArray[np.uint8], comment: str, description: str = ""
) -> None:
    """Write palette indices (H, W) with their colours (n, 3) and words; nothing in it varies between runs.

    Args:
        comment: what made it.
        description: what it shows, for who cannot see it.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> write_png(buffer, np.zeros((2, 3), np.uint8), np.array([[255, 0, 0]], np.uint8), "red")
        >>> Image.open(buffer).convert("RGB").getpixel((0, 0))
        (255, 0, 0)
    """
    image = Image.fromarray(pixels)
    image.putpalette(palette.tobytes())
    text = PngInfo()
    text.add_itxt("Comment", comment)
    if description:
        text.add_itxt("Description", description)
    image.save(file, "PNG", optimize=True, pnginfo=text)

"""Writes figures of matplotlib as SVG, PDF, PGF, and PNG at any resolution, without dates and versions."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape  # that of xml.sax imports urllib.request
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from convanim.draw.axes import settings
from convanim.draw.choices import DPI


def write_svg(file: BinaryIO, figure: Figure, title: str, description: str) -> None:
    """Write a figure with its title and a description of its contents."""
    metadata = {"Title": title, "Date": None, "Creator": None, "Format": None, "Type": None}
    written = BytesIO()
    with settings():
        figure.savefig(written, format="svg", dpi=72, metadata=metadata)
    told = f"</title>\n <desc>{escape(description, quote=False)}</desc>".encode()
    file.write(written.getvalue().replace(b"</title>", told, 1))


def write_pdf(file: BinaryIO, pages: Iterable[Figure], title: str, description: str) -> None:
    """Write one page for each figure; the same figure may be yielded again after a change."""
    metadata = {"Title": title, "Subject": description, "Creator": None, "Producer": None, "CreationDate": None}
    with settings(), PdfPages(file, metadata=metadata) as pdf:
        for figure in pages:
            figure.savefig(pdf, format="pdf")


def write_pgf(file: BinaryIO, figure: Figure) -> None:
    """Write a file for LaTeX's `\\input`."""
    written = BytesIO()
    with settings():
        figure.savefig(written, format="pgf")
    file.write(written.getvalue())


def write_dots(file: BinaryIO, figure: Figure, dpi: int, comment: str, description: str) -> None:
    """Write a figure as a PNG with `dpi` dots per inch."""
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)
    with settings():
        canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    text = PngInfo()
    text.add_itxt("Comment", comment)
    text.add_itxt("Description", description)
    image.save(file, "PNG", optimize=True, pnginfo=text, dpi=(dpi, dpi))
    figure.set_dpi(DPI)

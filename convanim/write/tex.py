"""Writes the lines for LaTeX that show the pages of a PDF in a beamer frame, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from convanim.errors import ConvanimError

#: As large as the frame allows, with the shape of the page.
_FIT = r"width=\linewidth,height=0.96\textheight,keepaspectratio"


def overlays(pdf: Path, alt: str, times: Sequence[int]) -> dict[str, bytes]:
    """A file that shows each page on an overlay of its own, which every viewer can step through."""
    shown = [rf"  \includegraphics<{n}>[page={n},{_FIT}]{{{_named(pdf)}}}%" for n in range(1, len(times) + 1)]
    return {f"{pdf.stem}.tex": _frame(alt, "An overlay for each step.", shown)}


def animate(pdf: Path, alt: str, times: Sequence[int]) -> dict[str, bytes]:
    """A file that plays the pages with the package animate, and its timeline.

    Args:
        times: the duration of each page, ms.
    """
    timeline, stem = f"{pdf.stem}-timeline.txt", _named(pdf).removesuffix(".pdf")
    # A line for each page: the frames per second from there on, and the number of the page from 0.
    rates = "".join(f":{1000 / time:.6g}:{n}\n" for n, time in enumerate(times))
    shown = [rf"  \animategraphics[controls,{_FIT},timeline={{{timeline}}}]{{1}}{{{stem}}}{{}}{{}}%"]
    about = r"In the preamble: \usepackage{animate}. It plays in viewers with JavaScript, such as Adobe Reader."
    return {f"{pdf.stem}.tex": _frame(alt, about, shown), timeline: rates.encode()}


#: The ways to show the pages, by the name of the option's value.
WAYS = {"overlays": overlays, "animate": animate}


def _frame(alt: str, about: str, shown: Sequence[str]) -> bytes:
    lines = [f"% {' '.join(alt.split())}", f"% {about}", r"\begin{frame}[plain]", r"  \centering"]
    return "\n".join([*lines, *shown, r"\end{frame}", ""]).encode()


def _named(pdf: Path) -> str:
    """The name of the PDF for LaTeX.

    Raises:
        ConvanimError: LaTeX would not read the name as it stands.
    """
    if pdf.suffix != ".pdf" or not re.fullmatch(r"[A-Za-z0-9_-]+", pdf.stem):
        raise ConvanimError(
            f"LaTeX cannot include a file of the name {pdf.name!r}", "use letters, digits, - and _, such as up.pdf"
        )
    return pdf.name

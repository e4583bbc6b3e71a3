"""Pairs of files for light and dark pages, and the HTML that selects one of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from convanim.draw.theme import PAIR
from convanim.errors import ConvanimError
from convanim.write.files import numbered
from convanim.write.formats import FORMATS, Saved, listed, pick_format


class Pair(NamedTuple):
    """A written pair of files.

    Attributes:
        light, dark: the two files.
        snippet: the `<picture>` element that shows each reader the matching file.
    """

    light: Saved
    dark: Saved
    snippet: str


def pair_names(path: Path | None, format: str | None = None) -> tuple[Path, Path]:
    """The names of the two files for one name.

    Raises:
        ConvanimError: a stream, a series, or a format without pictures of a page.

    Example:
        >>> [str(p) for p in pair_names(Path("up.gif"))]
        ['up-light.gif', 'up-dark.gif']
    """
    if path is None:
        raise ConvanimError(
            "`theme` auto writes two files, but a stream is a single one", "name a file with `save('up.gif')`"
        )
    kind = pick_format(path, format)
    if not FORMATS[kind].embeds:
        why = "is not a picture that a page can show" if FORMATS[kind].draws else "has no colours"
        pictures = listed(only=lambda form: form.embeds)
        raise ConvanimError(f"`theme` auto writes two pictures, and {kind} {why}", f"use {pictures}")
    if numbered(path):
        raise ConvanimError(f"`theme` auto cannot write the series {path.name}", "write one series with each theme")
    light, dark = (path.with_name(f"{path.stem}-{theme}{path.suffix}") for theme in PAIR)
    return light, dark


def snippet(light: Path, dark: Path, alt: str) -> str:
    """The HTML for a README, which shows the dark picture on dark pages, and the light one on others.

    The addresses are as typed; absolute paths are reduced to the name, since no page can follow them.

    Example:
        >>> print(snippet(Path("a b.gif"), Path("/x/c.gif"), "1 < 2"))
        <picture>
          <source media="(prefers-color-scheme: dark)" srcset="c.gif">
          <img src="a%20b.gif" alt="1 &lt; 2">
        </picture>
    """
    from html import escape

    at = [escape(quote(path.name if path.is_absolute() else path.as_posix())) for path in (light, dark)]
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{at[1]}">\n'
        f'  <img src="{at[0]}" alt="{escape(" ".join(alt.split()))}">\n'
        "</picture>"
    )

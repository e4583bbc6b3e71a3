"""Two files of one animation, one for light and one for dark pages, and the HTML that selects one of them.

Knows how the two are named and that both are written or none. Must not know what is drawn, or a command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from convanim.animation import Animation
from convanim.errors import ConvanimError, shortly
from convanim.formats import FORMATS, Progress, Saved, listed, pick_format
from convanim.theme import PAIR
from convanim.trace import Trace
from convanim.write.files import numbered, whole_file


class Pair(NamedTuple):
    """What was written.

    Attributes:
        light, dark: the two files.
        snippet: the `<picture>` element that shows each reader the matching file.
    """

    light: Saved
    dark: Saved
    snippet: str


def pair_names(path: Path | None, format: str | None = None) -> tuple[Path, Path]:
    """The two files that a name stands for.

    Raises:
        ConvanimError: a stream, a series, or a format that is not a picture of a page.

    Example:
        >>> [str(p) for p in pair_names(Path("up.gif"))]
        ['up-light.gif', 'up-dark.gif']
    """
    if path is None:
        raise ConvanimError("theme auto writes two files, but a stream is a single one", "name a file like -o up.gif")
    kind = pick_format(path, format)
    if not FORMATS[kind].embeds:
        why = "is not a picture that a page can show" if FORMATS[kind].draws else "has no colours"
        pictures = listed(only=lambda form: form.embeds)
        raise ConvanimError(f"theme auto writes two pictures, and {kind} {why}", f"use {pictures}")
    if numbered(path):
        raise ConvanimError(f"theme auto cannot write the series {path.name}", "write one series with each theme")
    light, dark = (path.with_name(f"{path.stem}-{theme}{path.suffix}") for theme in PAIR)
    return light, dark


def save_pair(
    trace: Trace, path: str | Path, format: str | None = None, progress: Progress | None = None, **look: Any
) -> Pair:
    """Write an animation in the light and in the dark theme; either both files are written or none.

    Args:
        trace: the trace to show.
        path: "up.gif" is written as up-light.gif and up-dark.gif.
        format: gif, webp, apng or png, if the name has no suffix.
        progress: called with (number of frames done, total number of frames).
        look: the options of `Animation`, except for the theme.

    Raises:
        ConvanimError: as for `Animation` and its `save`, or the format is not one that a page shows as a picture.
        CheckFailed: the trace disagrees with its replay or with the oracle.
    """
    if "theme" in look:
        raise ConvanimError("a pair is always in the themes light and dark", "leave theme out")
    if not isinstance(path, str | Path):
        raise ConvanimError(f"{shortly(path)} is not the name of a file", "give a file name like up.gif")
    path = Path(path)
    names, kind = pair_names(path, format), pick_format(path, format)
    light, dark = (Animation(trace, **look, theme=theme) for theme in PAIR)
    light.page  # noqa: B018 - refused before any file is made, if at all
    with whole_file(names[0]) as first, whole_file(names[1]) as second:
        saved = light.save(first, kind, _part(progress, 0)), dark.save(second, kind, _part(progress, 1))
        first.flush()  # a full disk is noticed here, before either file is in its place
        second.flush()
    shown = [replace(s, path=name) for s, name in zip(saved, names, strict=True)]
    return Pair(shown[0], shown[1], snippet(*names, light.alt))


def snippet(light: Path, dark: Path, alt: str) -> str:
    """The lines for a README: the dark picture where the reader's page is dark, the light one elsewhere.

    The addresses are as typed; of a path from the root only the name is left, since no page can follow the rest.

    Example:
        >>> print(snippet(Path("a b.gif"), Path("/x/c.gif"), "1 < 2"))
        <picture>
          <source media="(prefers-color-scheme: dark)" srcset="c.gif">
          <img src="a%20b.gif" alt="1 &lt; 2">
        </picture>
    """
    at = [escape(quote(path.name if path.is_absolute() else path.as_posix())) for path in (light, dark)]
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{at[1]}">\n'
        f'  <img src="{at[0]}" alt="{escape(" ".join(alt.split()))}">\n'
        "</picture>"
    )


def _part(progress: Progress | None, number: int) -> Progress | None:
    """What tells the frames of one of the two files as a half of all frames."""
    if progress is None:
        return None
    tell: Callable[[int, int], None] = progress
    return lambda done, total: tell(number * total + done, 2 * total)

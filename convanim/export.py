"""Exports: the files that suit a place where people teach, and the lines to paste there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any, NamedTuple

from convanim.animation import Animation
from convanim.draw.theme import PAIR
from convanim.errors import ConvanimError, shortly
from convanim.trace import Trace
from convanim.write.files import whole_file
from convanim.write.formats import FORMATS, Saved
from convanim.write.vectors import Progress

MB = 1_000_000
#: The height of the buttons below a player, px.
_BAR = 60


class Part(NamedTuple):
    """A file of a place.

    Attributes:
        suffix: what follows the name of the layer: ".gif", or "-%s.gif" for one in each theme of the pair.
        look: options of its animation.
        most: its maximum size in bytes; 0 for no limit.
    """

    suffix: str
    look: dict[str, Any] = {}  # noqa: RUF012 - never changed
    most: int = 0


@dataclass(frozen=True)
class Place:
    """A program or a site that shows animations.

    Attributes:
        about: what the files are for it, in a sentence.
        parts: its files.
        lines: what to paste or to do; `{name}`, `{alt}`, `{width}` and `{tall}`, which is the height with the
            buttons of a player, are filled in.
        written: how a text is written in these lines.
        room: the width and the height that a slide has for a frame, px, which is scaled to them; None for a document.
    """

    about: str
    parts: tuple[Part, ...]
    lines: str
    written: Callable[[str], str] = field(default=str)
    room: tuple[int, int] | None = None


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>$|{}])", r"\\\1", text)


_STYLE = "border: 0; max-width: 100%"
_PLAYER = f'<iframe src="{{name}}.html" title="{{alt}}" width="{{width}}" height="{{tall}}" style="{_STYLE}"></iframe>'
_STILL = Part(".png", {"select": "last"})
_STILLS = Part("-%s.png", {"select": "last"})
_SLIDES = Part(".pptx", most=100 * MB)
_VECTORS = Part(".svg", {"animated": True})


def _picture(suffix: str) -> str:
    """A picture for light and dark pages, which stands still for readers who prefer that, and on paper."""
    still = "(prefers-reduced-motion: reduce)"
    return f"""
        <picture>
          <source media="{still} and (prefers-color-scheme: dark)" srcset="{{name}}-dark.png">
          <source media="{still}, print" srcset="{{name}}-light.png">
          <source media="(prefers-color-scheme: dark)" srcset="{{name}}-dark.{suffix}">
          <img src="{{name}}-light.{suffix}" alt="{{alt}}" width="{{width}}">
        </picture>"""


#: Every place, by its name at the command line. The limits of size are those that the places state.
PLACES = {
    "powerpoint": Place(
        "slides in native shapes, a slide for each step, and the last frame for handouts",
        (_SLIDES, _STILL),
        "In PowerPoint: Home > New Slide > Reuse Slides, and choose {name}.pptx.",
    ),
    "gslides": Place(
        "slides in native shapes, a GIF for one slide that moves, and the last frame for handouts",
        (_SLIDES, Part(".gif", most=50 * MB), _STILL),
        """
        In Google Slides: File > Import slides > Upload, and choose {name}.pptx.
        For one slide that moves: Insert > Image > Upload from computer, and choose {name}.gif.
        Its alternative text (Ctrl+Alt+Y): {alt}""",
    ),
    "keynote": Place(
        "slides in native shapes, a video for one slide that moves, and the last frame for handouts",
        (_SLIDES, Part(".mp4"), _STILL),
        """
        In Keynote: File > Open, choose {name}.pptx, and copy its slides.
        For one slide that moves: drag {name}.mp4 onto the slide.
        Its description (Format > Movie): {alt}""",
    ),
    "beamer": Place(
        "a PDF with a page for each step, and the frame that steps through its pages",
        (Part(".pdf", {"tex": "overlays"}),),
        r"\input{{{name}}}",
    ),
    "reveal": Place(
        "the player, and the last frame for places without scripts",
        (Part(".html"), _STILL),
        f"""
        <section>
          {_PLAYER}
        </section>""",
        escape,
        room=(912, 600),  # a slide has 960×700 px, of which the styles leave 95 %, and the buttons need theirs
    ),
    "quarto": Place(
        "the player for HTML, and the last frame, which is sharp on paper, for PDF, Word and EPUB",
        (Part(".html"), Part(".png", {"select": "last", "dpi": 288})),
        f"""
        ::: {{{{.content-visible when-format="html:js"}}}}
        {_PLAYER}
        :::
        ::: {{{{.content-visible unless-format="html:js"}}}}
        ![]({{name}}.png){{{{fig-alt="{{alt}}"}}}}
        :::""",
        escape,
        room=(912, 520),  # a slide has 1050×700 px, and mostly a heading
    ),
    "marp": Place(
        "an animation as vectors for HTML, and the last frame for PDF and PowerPoint, which hold pictures only",
        (_VECTORS, _STILL),
        """
        ![w:{width} {alt}]({name}.svg)
        For PDF and PowerPoint, type {name}.png there, and run marp with --allow-local-files.""",
        _markdown,
        room=(1120, 560),  # a slide has 1280×720 px, and its style leaves 78 px at each side
    ),
    "jupyter": Place(
        "the player, and the last frame for places without scripts",
        (Part(".html"), _STILL),
        """
        from IPython.display import IFrame
        IFrame("{name}.html", width={width}, height={tall})""",
    ),
    "sphinx": Place(
        "an animation as vectors for HTML, and the last frame for LaTeX",
        (_VECTORS, Part(".pdf", {"select": "last"})),
        """
        .. image:: {name}.*
           :width: {width}px
           :alt: {alt}""",
        lambda alt: alt.replace("\\", r"\\"),
    ),
    "mkdocs": Place(
        "animations as vectors for light and dark pages, and the last frames",
        (Part("-%s.svg", {"animated": True}), _STILLS),
        _picture("svg"),
        escape,
    ),
    "github": Place(
        "GIFs for light and dark pages, which GitHub lets readers pause, and the last frames",
        (Part("-%s.gif", most=5 * MB), _STILLS),
        _picture("gif"),
        escape,
    ),
}


class Exported(NamedTuple):
    """What was exported of a layer.

    Attributes:
        saved: its files.
        lines: what to paste, or to do.
    """

    saved: list[Saved]
    lines: str


def export(
    traces: Sequence[Trace],
    place: str,
    folder: str | Path,
    *,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
    **look: Any,
) -> list[Exported]:
    """Write the files of some layers for a place into a folder: all of them, or none.

    Args:
        traces: the layers.
        place: one of `PLACES`.
        folder: it is created if only its last part does not exist.
        names: the names of the files, without suffix; by default the names of the layers.
        progress: called with the number of files that are done, and the number of all.
        look: options of `convanim.look.Look`, except those that the place decides.

    Raises:
        ConvanimError: the place is unknown, a file is larger than the place allows, or cannot be written.

    Example:
        >>> from convanim.layers import Conv
        >>> trace = Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])
        >>> print(export([trace], "beamer", getfixture("tmp_path"), width=640)[0].lines)
        \\input{conv}
    """
    if place not in PLACES:
        near = get_close_matches(str(place), PLACES, 1)
        raise ConvanimError(f"`place` {shortly(place)} is not known", f"use {' or '.join(near or PLACES)}")
    chosen = PLACES[place]
    named = list(names) if names is not None else _names(traces)
    for name in named:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
            raise ConvanimError(f"the name {name[:40]!r} is not a name for files", "use letters, digits, - and _")
    if len({name.lower() for name in named}) < len(traces) or len(named) != len(traces):
        raise ConvanimError(f"{', '.join(named)} are not {len(traces)} different names", "give each layer its own")
    paired = any("%s" in part.suffix for part in chosen.parts)
    if paired and look.get("theme") is not None:
        raise ConvanimError(f"the files for {place} are in the themes light and dark", "leave `theme` out")
    files = [(n, part, theme) for n in range(len(traces)) for part in chosen.parts for theme in _themes(part)]
    out: list[list[Saved]] = [[] for _ in traces]
    with TemporaryDirectory() as scratch, _made(Path(folder)) as target:
        for done, (n, part, theme) in enumerate(files, start=1):
            own = look | part.look | ({"theme": theme} if theme else {})
            name = named[n] + (part.suffix % theme if theme else part.suffix)
            saved = _saved(traces[n], Path(scratch) / name, place, part.most, own)
            out[n].append(replace(saved, path=target / name))
            if progress:
                progress(done, len(files))
        with ExitStack() as stack:
            for file in sorted(Path(scratch).iterdir()):
                stack.enter_context(whole_file(target / file.name, follow=False)).write(file.read_bytes())
    return [Exported(out[n], _lines(chosen, traces[n], named[n], look)) for n in range(len(traces))]


def _saved(trace: Trace, path: Path, place: str, most: int, look: dict[str, Any]) -> Saved:
    """Write a file; an animation of pixels that is too large for its place is reduced, and another one is refused."""
    reduced = most and FORMATS[path.suffix[1:]].tick
    saved = Animation(trace, **look | ({"max_size": most} if reduced else {})).save(path)
    if most and saved.size > most:
        raise ConvanimError(
            f"{path.name} has {saved.size:,} bytes, which are {saved.size - most:,} more than {place} takes",
            "use a smaller layer, or a template with fewer parts, such as minimal",
        )
    return saved


def _themes(part: Part) -> Sequence[str]:
    return PAIR if "%s" in part.suffix else ("",)


def _lines(place: Place, trace: Trace, name: str, look: dict[str, Any]) -> str:
    animation = Animation(trace, **look)
    alt = place.written(" ".join(animation.alt.split()))
    wide, high = animation.size
    if place.room:
        scale = min(most / side for most, side in zip(place.room, animation.size, strict=True))
        wide, high = round(scale * wide), round(scale * high)
    return dedent(place.lines).strip().format(name=name, alt=alt, width=wide, tall=high + _BAR)


def _names(traces: Sequence[Trace]) -> list[str]:
    """The names of the layers for files; a number follows one that is used before."""
    names: list[str] = []
    for trace in traces:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(trace.op).__name__).lower()
        used = sum(bool(re.fullmatch(rf"{name}(-\d+)?", one)) for one in names)
        names.append(f"{name}-{used + 1}" if used else name)
    return names


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """A folder, which is created if it does not exist, and then removed if something fails."""
    new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "name a folder within one that exists"
        raise ConvanimError(f"the folder {folder} cannot be created: {reason}", hint) from None
    try:
        yield folder
    except BaseException:
        if new:
            folder.rmdir()
        raise

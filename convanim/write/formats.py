"""The file formats: one record per format, from which everything that depends on the format derives.

Modules that draw and write are imported on use, since the help of commands reads the records, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from convanim.draw.choices import DPI
from convanim.errors import ConvanimError, shortly
from convanim.write import images, vectors
from convanim.write.files import whole_file
from convanim.write.vectors import Progress

if TYPE_CHECKING:
    from convanim.trace import Trace
    from convanim.write.film import Film

#: The duration of a frame in motion, ms: one frame of a video.
MOVING = 40


@dataclass(frozen=True)
class Saved:
    """The properties of a written file.

    Attributes:
        path: the file, or None for a stream.
        format: its suffix, as in `FORMATS`.
        width, height: the size of the page in px, 0 for text.
        frames: the number of frames in the file; for a trace, the number of steps.
        seconds: the duration, 0 for a format without time.
        size: the size of the file in bytes.
        left_out: the number of the `steps` that are not shown.
        given_up: what was reduced to keep the maximum size, in words; "" for nothing.
        fitted: the number of pixels that a large input was fitted to, in words; "" for none.
    """

    path: Path | None
    format: str
    width: int
    height: int
    frames: int
    seconds: float
    size: int
    left_out: int
    steps: int
    given_up: str = ""
    fitted: str = ""


@dataclass(frozen=True)
class Format:
    """A file format. Its messages, restrictions and size limits derive from these attributes.

    Attributes:
        suffix: the suffix of its files, without the dot.
        use: a sentence about what it is for.
        write: writes an animation, and returns the number of images in the file and their duration in seconds.
        still: for files with one frame, instead of `write`: writes the frame of a number.
        trace: for files of a trace, instead of frames: writes its steps.
        about: a short description for a list of formats.
        draws: whether it has a page and colours; text has none.
        embeds: whether `<img>` can show it.
        tick: the duration of a frame in motion, ms, for formats with time, which can be reduced for a maximum size; 0
            for others.
        even: whether its sides must be even.
        pages: for files with one frame, or several selected ones: writes these.
        vector: whether it contains shapes and letters rather than pixels.
        edits: whether its letters can be those of a font instead of shapes.
        lasts: what its frames do if they have a duration, although none of them is in motion; "" for other formats.
        beside: the options that give it files beside it, and functions that make these, by name, for its path.
        dots: whether it supports other resolutions.
        others: how it is written instead where an option of the animation asks for it, by the name of that option;
            the fields of that format then hold.
        needs: the module that it requires, and the extra that installs it.
    """

    suffix: str
    use: str
    write: Callable[[Film, BinaryIO, Progress], tuple[int, float]] | None = None
    still: Callable[[Film], Callable[[BinaryIO, int], None]] | None = None
    trace: Callable[[Trace, BinaryIO], object] | None = None
    about: str = ""
    draws: bool = True
    embeds: bool = True
    tick: int = 0
    even: bool = False
    pages: Callable[[Film, BinaryIO, Progress], int] | None = None
    vector: bool = False
    edits: bool = False
    lasts: str = ""
    beside: Mapping[str, Callable[[Film, Path], dict[str, bytes]]] = field(default_factory=dict)
    dots: bool = False
    needs: tuple[str, str] | None = None
    others: Mapping[str, Format] = field(default_factory=dict)

    def asked(self, look: Mapping[str, Any]) -> Format:
        """This format, or the other one that the options of an animation ask for.

        Raises:
            ConvanimError: it has no such other one, or a module that it requires is not installed.
        """
        form = self
        for option, given in _OTHERS.items():
            if not look[option]:
                continue
            if option not in self.others:
                why = "plays as it is" if self.tick or self.lasts else "does not play"
                why = next((f"plays with `{_OTHERS[other]}`" for other in self.others), why)
                others = listed(only=lambda form: option in form.others)  # noqa: B023 - called here
                raise ConvanimError(
                    f"a .{self.suffix} {why}, but `{given}` was given", f"leave `{given}` out, or write {others}"
                )
            form = self.others[option]
        form.installed()
        return form

    def installed(self) -> None:
        """Refuse a format whose module is not installed.

        Raises:
            ConvanimError: it is missing.
        """
        if self.needs and find_spec(self.needs[0]) is None:
            raise ConvanimError(
                f"a .{self.suffix} cannot be written without {self.needs[0]}",
                f"pip install 'convanim[{self.needs[1]}]'",
            )

    def save(self, film: Film, file: BinaryIO, progress: Progress) -> tuple[int, float]:
        """Write an animation, or its last frame if the format holds only one.

        Returns:
            the number of images in the file, where equal frames count as one, and their duration in seconds.
        """
        if self.write:
            return self.write(film, file, progress)
        if self.pages and (film.selected or film.tex) and len(film) > 1:
            return self.pages(film, file, progress), 0.0
        assert self.still, f".{self.suffix} is not made of frames"  # noqa: S101 - see `trace`
        self.still(film)(file, film.plan.shots[-1].frame)
        progress(1, 1)
        return 1, 0.0

    @property
    def lacks(self) -> str:
        """The reason why options of the page or of time have no effect on such a file, in words."""
        if self.draws:
            return f"a .{self.suffix} holds no time"
        return "a trace has no page" if self.trace else "text has no page"

    def size(self, film: Film) -> tuple[int, int]:
        """The width and height of the picture in the file, px; 0 without one."""
        if not self.draws:
            return 0, 0
        if film.dpi and self.dots:
            return film.width * film.dpi // DPI, film.height * film.dpi // DPI
        return film.width + film.width % 2 * self.even, film.height + film.height % 2 * self.even

    def aside(self, film: Film, target: Path | None) -> dict[str, bytes]:
        """The contents of the files beside a file, by name.

        Raises:
            ConvanimError: `target` is None, which stands for a stream.
        """
        asked = _aside(film)
        if asked and not target:
            option = next(iter(asked))
            raise ConvanimError("a stream has no file beside it", f"leave `{option}` out, or name a file")
        return {n: data for option in asked for n, data in self.beside[option](film, cast(Path, target)).items()}

    def check(self, film: Film) -> None:
        """Refuse options that this format does not support.

        Raises:
            ConvanimError: dots per inch, editable text or a renderer without a meaning here.
        """
        if film.dpi is not None and not self.dots:
            why = " is not made of dots" if self.vector or not self.draws else " has one dot for each px of the page"
            raise ConvanimError(
                f"a .{self.suffix}{why}, but `dpi` {film.dpi} was given", "leave `dpi` out, or write a .png"
            )
        if film.text == "editable" and not self.edits:
            raise ConvanimError(
                f"a .{self.suffix} has no text that could be edited as part of a drawing",
                f"leave `text` out, or write {listed(only=lambda form: form.edits)}",
            )
        for option, value in _aside(film).items():
            if option not in self.beside:
                having = listed(only=lambda form: option in form.beside)  # noqa: B023 - called here
                raise ConvanimError(
                    f"a .{self.suffix} has no such file beside it, but `{option}` {value!r} was given",
                    f"leave `{option}` out, or write {having}",
                )
        if film.renderer and not self.draws:
            raise ConvanimError(
                f"a .{self.suffix} is not drawn, but `renderer` {film.renderer!r} was given", "leave it out"
            )
        if film.renderer == "raster" and (self.vector or film.dpi is not None):
            what = f"a .{self.suffix}" if self.vector else f"`dpi` {film.dpi}"
            raise ConvanimError(f"the raster renderer draws px of the page, not {what}", 'use `renderer="matplotlib"`')


#: The options that ask for another way to write a format, as they are given.
_OTHERS = {"animated": "animated", "as_": 'as_="video"'}


def _aside(film: Film) -> dict[str, str]:
    """The options with which a film asks for files beside its own, and their values."""
    asked = {"script": film.script if film.script == "external" else None, "tex": film.tex}
    return {option: value for option, value in asked.items() if value}


def _json(trace: Trace, file: BinaryIO) -> None:
    from convanim.write.tracefile import write_trace

    write_trace(file, trace)


def trace_format(path: Path) -> Format:
    """The format of a file that a trace is saved to.

    Raises:
        ConvanimError: the name has another suffix.
    """
    form = FORMATS.get(path.suffix.lower().removeprefix("."))
    if form is None or not form.trace:
        formats = listed(only=lambda form: form.trace is not None)
        raise ConvanimError(f"a trace cannot be saved as {path.name}", f"use a name that ends in {formats}")
    return form


def _csv(trace: Trace, file: BinaryIO) -> None:
    from convanim.write.csvfile import write_csv

    write_csv(file, trace)


def save_trace(trace: Trace, target: Path | BinaryIO, form: Format, *, limited: bool = False) -> Saved:
    """Check a trace and write its steps; it need not be possible to draw it.

    Args:
        form: a format with `trace`.
        limited: whether a maximum size was given, which a trace cannot keep.

    Raises:
        ConvanimError: the file cannot be written.
        CheckFailed: the trace disagrees with its replay or with the oracle; nothing is written.
    """
    assert form.trace, f".{form.suffix} does not hold a trace"  # noqa: S101 - asked for by the callers
    if limited:
        raise ConvanimError(
            f"`max size` cannot be combined with .{form.suffix}", "leave it out: a trace is always complete"
        )
    if len(trace.layers) > 1:
        raise ConvanimError(
            f"a .{form.suffix} holds the steps of one layer, and {trace.op} is two",
            "write each of them alone, in Python with `trace.depthwise.save` and `trace.pointwise.save`",
        )
    trace.verify()
    with whole_file(target) if isinstance(target, Path) else nullcontext(target) as file:
        counted = Counting(file)
        form.trace(trace, cast(BinaryIO, counted))
    path = target if isinstance(target, Path) else None
    return Saved(path, form.suffix, 0, 0, len(trace), 0.0, counted.size, 0, len(trace))


_VIDEO = ("imageio_ffmpeg", "video")
#: Every format, the default one first.
FORMATS = {
    kind.suffix: kind
    for kind in (
        Format(
            "gif",
            "An animation that every browser and viewer shows.",
            partial(images.animated, "gif"),
            tick=MOVING,
        ),
        Format(
            "webp",
            "An animation, smaller than a GIF; browsers and most viewers show it.",
            partial(images.animated, "webp"),
            about="smaller",
            tick=MOVING,
        ),
        Format(
            "apng",
            "An animation for programs without WebP; others show its first frame.",
            partial(images.animated, "apng"),
            tick=MOVING,
        ),
        *(
            Format(
                name,
                use,
                partial(images.animated, name),
                about="video",
                embeds=False,
                tick=MOVING,
                even=True,
                needs=_VIDEO,
            )
            for name, use in (
                ("mp4", "A video (H.264) for slides and video players."),
                ("webm", "A video with a free codec (VP9)."),
            )
        ),
        Format(
            "html",
            "A page with a player, as vectors: buttons, keys, and the cells that belong together.",
            vectors.html,
            about="a player",
            embeds=False,
            vector=True,
            lasts="the player goes",
            beside={"script": vectors.script},
        ),
        Format(
            "png",
            "One frame in pixels, or a file for each frame.",
            still=images.png,
            about="the last frame; a-%03d.png for all frames",
            dots=True,
        ),
        Format(
            "svg",
            "One frame as vectors, for web pages and drawing programs; with --animated all of them.",
            still=vectors.svg,
            about="vectors",
            vector=True,
            edits=True,
            others={
                "animated": Format(
                    "svg", "An animation as vectors.", vectors.animated_svg, vector=True, lasts="an animated .svg goes"
                )
            },
        ),
        Format(
            "pdf",
            "One frame as vectors, or a page for each selected frame, for LaTeX and slides.",
            still=vectors.pdf,
            embeds=False,
            pages=vectors.pages,
            beside={"tex": vectors.tex},
            vector=True,
            edits=True,
        ),
        Format(
            "pgf",
            "One frame as LaTeX commands.",
            still=partial(vectors.vector, "pgf"),
            embeds=False,
            vector=True,
            edits=True,
        ),
        Format(
            "pptx",
            "A slide for each frame, in native shapes that can be edited; with --as video one slide with the video.",
            vectors.slides,
            about="slides",
            embeds=False,
            vector=True,
            needs=("pptx", "slides"),
            others={
                "as_": Format(
                    "pptx",
                    "A slide with a video.",
                    images.video_slide,
                    embeds=False,
                    tick=MOVING,
                    even=True,
                    needs=_VIDEO,
                )
            },
        ),
        Format("txt", "The frames as text.", vectors.txt, draws=False, embeds=False),
        Format(
            "json", "The trace: every step with its values.", trace=_json, about="the trace", draws=False, embeds=False
        ),
        Format(
            "csv",
            "The trace as a table, with a row for each product.",
            trace=_csv,
            about="its products as a table",
            draws=False,
            embeds=False,
        ),
    )
}


def listed(*, dot: str = ".", told: bool = False, only: Callable[[Format], bool] = lambda kind: True) -> str:
    """The formats as a list for a sentence or a help text, like ".gif, .png or .txt".

    Args:
        dot: the prefix of each.
        told: whether to add the description of each.
        only: selects some of them.

    Example:
        >>> listed(only=lambda kind: not kind.draws)
        '.txt, .json or .csv'
    """
    names = [f"{dot}{f.suffix}{f' ({f.about})' * bool(told and f.about)}" for f in FORMATS.values() if only(f)]
    return " or ".join([", ".join(names[:-1]), names[-1]][not names[:-1] :])


def pick_format(target: Path | None, given: str | None = None) -> str:
    """The format of a file's suffix, or of an explicit choice.

    Raises:
        ConvanimError: the format is unknown or missing, or a module that it requires is not installed.

    Example:
        >>> pick_format(Path("up.GIF"))
        'gif'
    """
    if given is not None:
        if not isinstance(given, str):
            raise ConvanimError(f"`format` {shortly(given)} is not a string", f"use {listed(dot='')}")
        kind, what = given.lower(), f"`format` {given!r} is not known"
    elif target is None:
        raise ConvanimError("a stream needs a format", f"use one of {listed(dot='')}")
    else:
        kind = target.suffix.lower().removeprefix(".")
        what = f"unknown format {target.suffix!r} of {target.name}" if kind else f"{target.name!r} has no suffix"
    if kind not in FORMATS:
        raise ConvanimError(what, f"use {listed(dot='' if given is not None else '.')}")
    FORMATS[kind].installed()
    return kind


class Counting:
    """A file that counts the bytes written to it."""

    def __init__(self, file: Any) -> None:
        self._file, self.size = file, 0

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        self.size += len(data)
        return int(self._file.write(data) or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

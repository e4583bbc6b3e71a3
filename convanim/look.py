"""The options of an animation: the record from which everything that knows an option takes it.

`Trace.animate` and `Animation` take their keyword arguments from it, and so do the options of the command line with
their help, the config file, the keys of templates and of gallery entries, and the notes about options without effect.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from inspect import Parameter, cleandoc, signature
from textwrap import fill
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from convanim.errors import ConvanimError, shortly

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from convanim.template import Template
    from convanim.trace import Trace

_Options = ParamSpec("_Options")
_Self = TypeVar("_Self")
_First = TypeVar("_First")
_Result = TypeVar("_Result")
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class Option:
    """What is known of an option besides its name, its type and its default.

    Attributes:
        about: what it sets, in sentences.
        section: the section of the help that lists it; "" if no command has it.
        shared: whether all commands that draw have it; if not, only those whose layer it suits.
        metavar: what stands for its value in the help.
        usual: the default that None stands for, for the help; a template has it as the default of its key.
        choices: its possible values, if they are a few words.
        needs: what a file needs for the option to have an effect: a "page", "words", "time", "play" (images that
            follow each other) or "frames"; "" if every file has it.
        table: the table of a template with a key of this name, "" for the top level; None if it has none.
        limits: the least and the greatest value of the template's key.
        sample: a value for an example, if it has no default.
        shows: the parts of a page, as in the table [show] of a template, that it shows or hides.
        single: whether it belongs to a single picture, and so has no default in a config file.
        entry: whether an entry of a gallery has it.
        fields: of an option of a layer, the arguments of operations that it sets; an operation has one of them at most.
        reads: how its text is read: as "sizes" (2x1), as sizes of which some are "kept" (2x-), as "padding" (1:2x0:1),
            as "factors" (1.5x2), or "" if it is taken as it is.
        selects: whether it selects one of the operations of its command.
        noted: a notation of a layer in which it is an argument, for commands that have no such option.
        required: whether the command cannot do without it.
        files: whether its value may be a file.
    """

    about: str
    section: str = ""
    shared: bool = True
    metavar: str | None = None
    usual: str | int | None = None
    choices: tuple[str, ...] = ()
    needs: str = ""
    table: str | None = None
    limits: tuple[float, float] | None = None
    sample: Any = None
    shows: tuple[str, ...] = ()
    single: bool = False
    entry: bool = True
    fields: tuple[str, ...] = ()
    reads: str = ""
    selects: bool = False
    noted: str = ""
    required: bool = False
    files: bool = False
    name: str = ""
    annotation: str = ""
    default: Any = None

    @property
    def key(self) -> str:
        """Its name where keywords of Python may be names, too: "as" for `as_`."""
        return self.name.rstrip("_")

    @property
    def words(self) -> str:
        """Its name in a message, without backticks: "max size" for `max_size`."""
        return re.sub(r"_(?=.)", " ", self.name)

    @property
    def kind(self) -> type:
        """The type of its value on the command line and in files: text where several are possible."""
        named = self.annotation.split(" | ")
        return next((kind for kind in (bool, str, float, int) if kind.__name__ in named), str)

    def check(self, value: object) -> None:
        """Refuse a value that is not one of the choices.

        Raises:
            ConvanimError: another value.

        Example:
            >>> OPTIONS["text"].check("curves")
            Traceback (most recent call last):
                ...
            convanim.errors.ConvanimError: text 'curves' is not known; use outlines or editable.
        """
        typed, unset = isinstance(value, str), value is None and self.default is None
        if self.choices and not unset and not (typed and value in self.choices):
            close = difflib.get_close_matches(str(value), self.choices, 1) if typed else []
            hint = f"did you mean {close[0]}" if close else f"use {' or '.join(self.choices)}"
            raise ConvanimError(f"`{self.words}` {shortly(value)} is not known", hint)


def _option(default: _Value, about: str, section: str = "", **more: Any) -> _Value:
    """A field with its record; a type checker sees its default."""
    made: _Value = field(default=default, metadata={"option": Option(about=about, section=section, **more)})
    return made


# fmt: off
@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """The options of an animation."""

    view: str | None = _option(
        None, "How to show the layer: one of its views, which convanim views lists.", "Picture",
        shared=False, metavar="VIEW", usual="the first view of the layer")
    beside: Trace | None = _option(
        None, "The trace of another layer over the same input, for a comparison.", shared=False)
    align: str = _option(
        "index", "Compare output cells of the same index, or of the same position where padding or crops differ.",
        "Picture", shared=False, choices=("index", "cells"))
    symbols: bool = _option(
        False, "Show indexed letters instead of values.", "Picture", shared=False, needs="frames")
    colours: bool = _option(
        False, "Take the input for a picture: three channels for red, green and blue, or one for grey values.",
        shared=False)
    saturate: bool = _option(
        False, "Say that the colours of sums are clipped at 255.", "Picture", shared=False, needs="frames")
    grad: ArrayLike | None = _option(
        None, "Gradient with respect to the output, for the view backward.", "Picture",
        shared=False, metavar="ARRAY", usual="ones", needs="frames")
    template: str | Path | Template | None = _option(
        None, "Page template: default, slide, readme, square, paper, minimal, solarized, or your own file (./my.toml). "
        "The options below override its settings.", "Picture", metavar="NAME", needs="page")
    layout: str | None = _option(
        None, "Page layout: flat, isometric, row, slices, matrix or compare.", "Picture",
        metavar="NAME", usual="depends on the layer", needs="page")
    theme: str | Path | None = _option(
        None, "Colour theme: light, dark, solarized, print, high-contrast, or your own file (mine.toml). On the "
        "command line, auto writes FILE-light and FILE-dark, and prints HTML that shows each reader the matching one.",
        "Picture", metavar="NAME", usual="light", needs="page", table="")
    lang: str = _option(
        "en", "Language of the text on the page: de, ja, ...", "Picture", metavar="CODE", needs="words")
    width: int | None = _option(
        None, "Width of the page in px. Width or height alone keeps the aspect ratio.", "Picture",
        metavar="PX", usual=1280, needs="page", table="page", limits=(120, 4096))
    height: int | None = _option(
        None, "Height of the page in px.", "Picture",
        metavar="PX", usual=720, needs="page", table="page", limits=(120, 4096))
    seconds_per_step: float | None = _option(
        None, "Duration of a step in seconds.", "Pace", metavar="S", needs="time", table="pace", sample=0.5,
        usual="0.6 to 1.8, less if the animation would exceed 30 s")
    hold_first: float | None = _option(
        None, "Duration of the first frame in seconds.", "Pace",
        metavar="S", usual="1.6", needs="time", table="pace", sample=1)
    hold_last: float | None = _option(
        None, "Duration of the last frame in seconds.", "Pace",
        metavar="S", usual="3", needs="time", table="pace", sample=3)
    plays: int = _option(
        0, "Number of times the animation plays; 0 repeats it forever.", "Pace", metavar="N", needs="play")
    select: str | int | Sequence[int] | None = _option(
        None, "Frames to write (0,4,8 or 2..6 or last or all), or steps as numbered in the picture (step:12).", "Pace",
        metavar="FRAMES", needs="frames", single=True)
    animated: bool = _option(
        False, "Let a .svg play, also within an <img>.", "File", needs="frames", single=True, entry=False)
    as_: str | None = _option(
        None, "What a .pptx holds instead of a slide for each frame: one slide with the video.", "File",
        metavar="KIND", choices=("video",), needs="frames", single=True)
    motion: str | None = _option(
        None, "smooth to animate the movement between steps, step for none; auto is smooth for files up to 1 MB or "
        "--max-size, for videos always, and step for frames that were selected.", "Pace",
        metavar="NAME", usual="auto", choices=("auto", "step", "smooth"), needs="play", table="")
    max_size: int | str | None = _option(
        None, "Largest file size: 1MB, 500KB. An animation drops frames to stay below it.", "File",
        metavar="SIZE", table="", sample="1MB")
    title: str | None = _option(
        None, "Title of the page, instead of the layer's name and sizes.", "Picture",
        metavar="TEXT", needs="words", single=True)
    caption: bool | None = _option(
        None, "Show the line of arithmetic and the step counter.", "Picture",
        needs="words", shows=("captions", "counter"))
    numbers: bool | None = _option(
        None, "Show the values in the cells; cells without numbers are shaded by value.", "Picture",
        needs="page", shows=("numbers",))
    renderer: str | None = _option(
        None, "raster, or matplotlib, which is slower and draws any file.", "File",
        metavar="NAME", usual="depends on the file", choices=("raster", "matplotlib"), needs="frames")
    text: str = _option(
        "outlines", "Text of a .svg, .pdf or .pgf: outlines, or editable.", "File",
        metavar="KIND", choices=("outlines", "editable"), needs="frames")
    dpi: int | None = _option(
        None, "Dots per inch of a .png; at 96 a pixel of the page is one of the file.", "File",
        metavar="N", needs="frames")
    script: str = _option(
        "inline", "Script of a .html: inline, or external, which writes convanim-player.js beside it.", "File",
        metavar="PLACE", choices=("inline", "external"), needs="frames", entry=False)
    tex: str | None = _option(
        None, "Write a .pdf with a page for each step, and beside it the lines for LaTeX's beamer: overlays, or "
        "animate, the package, with the time of each step.", "File",
        metavar="WAY", choices=("overlays", "animate"), needs="frames", single=True, entry=False)
    made_by: str | None = _option(
        None, "The origin that the comment of the file names.", usual="the layer", shared=False)
# fmt: on


#: All options by name, in the order of a command.
OPTIONS: dict[str, Option] = {
    one.name: replace(one.metadata["option"], name=one.name, annotation=one.type, default=one.default)
    for one in fields(Look)
}


#: The options that all commands that draw have.
COMMON = tuple(name for name, option in OPTIONS.items() if option.section and option.shared)


def _documented() -> str:
    """The list of all options for a docstring."""
    told = []
    for name, option in OPTIONS.items():
        usual = f" Default: {option.usual}." if option.usual is not None else ""
        told.append(fill(f"{name}: {option.about}{usual}", 112, initial_indent=" " * 4, subsequent_indent=" " * 8))
    return "\n".join(["Args:", *told])


Look.__doc__ = f"The options of an animation.\n\n{_documented()}\n"


def takes(
    record: Callable[_Options, object],
) -> Callable[[Callable[Concatenate[_Self, ...], _Result]], Callable[Concatenate[_Self, _Options], _Result]]:
    """Give a method the fields of a record as its keyword arguments, for type checkers, editors and `help`."""
    return partial(_give, record)


def takes_after_one(
    record: Callable[_Options, object],
) -> Callable[
    [Callable[Concatenate[_Self, _First, ...], _Result]], Callable[Concatenate[_Self, _First, _Options], _Result]
]:
    """The same for a method with a positional argument of its own."""
    return partial(_give, record)


def _give(record: Callable[..., object], method: Any) -> Any:
    own = signature(method)
    kept = [one for one in own.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    method.__signature__ = own.replace(parameters=[*kept, *signature(record).parameters.values()])
    if method.__doc__ and record.__doc__:  # python -OO has neither
        arguments = cleandoc(record.__doc__).partition("\n\n")[2]
        method.__doc__ = f"{cleandoc(method.__doc__)}\n\n{arguments}"
    return method

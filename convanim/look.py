"""The options of an animation: the record from which `Trace.animate` and `Animation` take their keyword arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from inspect import Parameter, cleandoc, signature
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from convanim.template import Template
    from convanim.trace import Trace

_Options = ParamSpec("_Options")
_Self = TypeVar("_Self")
_First = TypeVar("_First")
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """The options of an animation.

    Args:
        view: one of `convanim.scene.views_of(trace.op)`; the first of them by default.
        beside: the trace of another layer over the same input, for a comparison.
        align: "index" compares the output cells of the same index, "cells" those of the same position, which differ if
            the paddings or crops differ.
        symbols: whether letters with indices replace the values.
        colours: whether the three channels of the input are the red, green and blue of a picture.
        saturate: whether colours are clipped at 255.
        grad: the gradient with respect to the output, for view "backward"; ones by default.
        template: "slide", "paper", ... or a path to your own file; the options below override its keys.
        layout: "flat", "isometric", "row", "slices", "matrix" or "compare"; by default the one that suits the scene.
        theme: the name of a theme, or a path to your own file; `Animation.save_pair` writes a light and a dark file.
        lang: the language of the words on the page, "en", "de", ...; the catalogues are in templates/lang.
        width, height: the size of the page in px, by default 1280 x 720; one alone keeps the shape of the template.
        seconds_per_step: the duration of a placement; by default a long animation lasts at most 30 s, or as long as
            the template allows.
        hold_last: the duration of the last frame in seconds.
        plays: the number of plays; 0 repeats forever.
        select: the frames to show, by number or as "0,4,8", "2..6", "last"; "step:12" is the placement with the step
            number 12, with its sum written.
        title: the title of the page; derived from the layer by default.
        caption: whether the line of arithmetic and the step number are shown.
        motion: "step", or "smooth" to show moving cells and windows, in formats with time.
        max_size: the maximum size of a file in bytes, or as "1MB", "500KB"; an animation reduces its frame rate for it,
            then leaves out the frames in between, then placements.
        renderer: "raster", or "matplotlib", which is slower and almost the same; by default the one that suits the
            file, as vectors and other resolutions than 96 dpi need matplotlib.
        text: in SVG, PDF and PGF "outlines", or "editable" for letters in the viewer's fonts.
        dpi: dots per inch of a PNG; at 96 a pixel of the page is one of the file, at 300 there are ten times as many.
        made_by: the origin that the comment of the file names; by default the layer.
    """

    view: str | None = None
    beside: Trace | None = None
    align: str = "index"
    symbols: bool = False
    colours: bool = False
    saturate: bool = False
    grad: ArrayLike | None = None
    template: str | Path | Template | None = None
    layout: str | None = None
    theme: str | Path | None = None
    lang: str = "en"
    width: int | None = None
    height: int | None = None
    seconds_per_step: float | None = None
    hold_last: float | None = None
    plays: int = 0
    select: str | int | Sequence[int] | None = None
    title: str | None = None
    caption: bool | None = None
    motion: str | None = None
    max_size: int | str | None = None
    renderer: str | None = None
    text: str = "outlines"
    dpi: int | None = None
    made_by: str | None = None


#: The names of all options.
OPTIONS = tuple(option.name for option in fields(Look))
CONTENTS = ("view", "beside", "align", "symbols", "colours", "saturate", "grad", "made_by")


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

"""The settings of an animation: a template, and the options that override its keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from convanim.errors import ConvanimError
from convanim.page import Style, page_size
from convanim.template.files import DEFAULT, read
from convanim.template.keys import ShowTable, Template


@dataclass(frozen=True)
class Settings:
    """The settings of an animation: a template with the options that override its keys.

    Attributes:
        theme: the name or the file of a theme.
        layout: the name of a layout, None for the one that suits the layer.
        motion, max_size: as they are typed.
        width, height: the page's size, px.
        seconds_per_step, hold_last, longest: durations in seconds, as for `timeline.plan`.
        title: a title instead of the layer's own.
        style: text sizes, and which parts appear.
        template: all keys of the template.
    """

    theme: str | Path
    layout: str | None
    motion: str
    max_size: int | str | None
    width: int
    height: int
    seconds_per_step: float | None
    hold_last: float | None
    longest: float
    title: str | None
    style: Style
    template: Template


def settle(
    template: str | Path | Template | None = None,
    *,
    theme: str | Path | None = None,
    layout: str | None = None,
    motion: str | None = None,
    max_size: int | str | None = None,
    width: int | None = None,
    height: int | None = None,
    seconds_per_step: float | None = None,
    hold_last: float | None = None,
    title: str | None = None,
    caption: bool | None = None,
) -> Settings:
    """Combine a template with options that override its keys; an option that is None leaves its key unchanged.

    Raises:
        ConvanimError: the template cannot be read, or the page is too small or too large.

    Example:
        >>> settle("square", width=540).height
        540
    """
    base = _checked(template) if isinstance(template, Template) else read(DEFAULT if template is None else template)
    shown = msgspec.structs.asdict(base.show)
    if caption is not None:
        shown |= {"captions": caption, "counter": caption}
    if title is not None:  # a given title is always shown
        shown["title"] = True
    wide, high = page_size(width, height, (base.page.width, base.page.height))
    return Settings(
        base.theme if theme is None else theme,
        (None if base.layout == "auto" else base.layout) if layout is None else layout,
        base.motion if motion is None else motion,
        base.max_size if max_size is None else max_size,
        wide,
        high,
        base.pace.seconds_per_step if seconds_per_step is None else seconds_per_step,
        base.pace.hold_last if hold_last is None else hold_last,
        base.pace.longest,
        title,
        msgspec.structs.replace(base, show=ShowTable(**shown)).style,
        base,
    )


def _checked(template: Template) -> Template:
    """Validate a template that was made in Python, where nothing has checked its values yet."""
    try:
        return msgspec.convert(msgspec.to_builtins(template), Template)
    except msgspec.ValidationError as error:
        raise ConvanimError(
            f"this is not a template: {error}", "see docs/templates.md for its keys and values"
        ) from None

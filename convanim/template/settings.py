"""The settings of an animation: a template, and the options that override its keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from convanim.errors import ConvanimError
from convanim.look import OPTIONS, Look
from convanim.page import Style, page_size
from convanim.template.files import DEFAULT, read
from convanim.template.keys import ShowTable, Template


class Settings(NamedTuple):
    """The settings of an animation: its options, with the keys of the template for those that are not given.

    Attributes:
        look: the options; `layout` is None for the one that suits the layer.
        style: text sizes, and which parts appear.
        template: all keys of the template.
    """

    look: Look
    style: Style
    template: Template

    @property
    def theme(self) -> str | Path:
        """The name or the file of a theme."""
        return self.template.theme if self.look.theme is None else self.look.theme

    @property
    def size(self) -> tuple[int, int]:
        """The width and the height of the page, px."""
        return self.look.width or self.template.page.width, self.look.height or self.template.page.height

    @property
    def pace(self) -> dict[str, Any]:
        """The durations, as for `timeline.plan`."""
        given = {name: getattr(self.look, name) for name, option in OPTIONS.items() if option.table == "pace"}
        return msgspec.structs.asdict(self.template.pace) | given


def settle(look: Look | None = None) -> Settings:
    """Combine the options of an animation with its template: an option that is None leaves its key unchanged.

    Raises:
        ConvanimError: the template cannot be read, or the page is too small or too large.

    Example:
        >>> settle(Look(template="square", width=540)).look.height
        540
    """
    look = look or Look()
    template = DEFAULT if look.template is None else look.template
    base = _checked(template) if isinstance(template, Template) else read(template)
    shown, keys = msgspec.structs.asdict(base.show), {}
    for name, option in OPTIONS.items():
        value = getattr(look, name)
        if option.table is not None and value is None:
            keys[name] = getattr(getattr(base, option.table) if option.table else base, name)
        if option.shows and value is not None:
            shown |= dict.fromkeys(option.shows, value)
    if look.title is not None:  # a given title is always shown
        shown["title"] = True
    if look.layout is None:
        keys["layout"] = None if base.layout == "auto" else base.layout
    keys["width"], keys["height"] = page_size(look.width, look.height, (base.page.width, base.page.height))
    return Settings(replace(look, **keys), msgspec.structs.replace(base, show=ShowTable(**shown)).style, base)


def _checked(template: Template) -> Template:
    """Validate a template that was made in Python, where nothing has checked its values yet."""
    try:
        return msgspec.convert(msgspec.to_builtins(template), Template)
    except msgspec.ValidationError as error:
        raise ConvanimError(
            f"this is not a template: {error}", "see docs/templates.md for its keys and values"
        ) from None

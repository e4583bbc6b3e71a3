"""A fence for pymdownx.superfences, in MkDocs or Zensical: the layer on its first line, then a line for each option."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from convanim.embed import FORMS, part, subject, told
from convanim.errors import ConvanimError, shortly
from convanim.write.html import script

#: MkDocs counts the warnings of its own loggers: with --strict they end the build.
_log = logging.getLogger("mkdocs.plugins.convanim")
_OPTION = re.compile(r":([\w-]+):(?:\s+(.*))?")


class _Page:
    """What is kept for one page: whether it has the script."""

    def __init__(self) -> None:
        self.scripted = False

    def reset(self) -> None:
        """Python-Markdown calls this before another page."""
        self.scripted = False


def fence_in(root: str) -> Callable[..., str]:
    """The formatter for a project whose pages are in another folder than `docs`.

    Args:
        root: that folder; files that a fence names must be in it.
    """
    return partial(_formatted, root)


def fence(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **_: Any) -> str:
    """The formatter: HTML for the text of a fence. superfences passes the arguments."""
    return _formatted("docs", source, language, css_class, options, md)


def _formatted(
    root: str, source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **_: Any
) -> str:
    try:
        return f'<div class="{escape(css_class)}">{_made(source, root, md)}</div>'
    except Exception as error:  # superfences would show the text of the fence without a reason
        message = told(error)
        rows = source.splitlines()
        row = next((row for row in rows if row.startswith(f":{subject(message)}:")), rows[0] if rows else "")
        _log.warning("convanim: %s, %s: %s", _page(md), shortly(row), message)
        return f"<pre>{escape(source)}\n\n{escape(message)}</pre>"


def _page(md: Any) -> str:
    """The name of the page, which MkDocs gives to the processor of its links."""
    names = (getattr(getattr(one, "file", None), "src_uri", "") for one in md.treeprocessors)
    return next(filter(None, names), "a page")


def _made(source: str, root: str, md: Any) -> str:
    """The part of the page, with the script if it is the first player on the page."""
    layer, options = read(source)
    shown = part(layer, options, Path(root))
    if shown.form != FORMS[0]:
        kind, (wide, high) = shown.moving, shown.animation.size
        picture = f"data:image/{kind};base64,{b64encode(shown.made(kind)).decode()}"
        return f'<img src="{picture}" alt="{escape(shown.alt)}" width="{wide}" height="{high}">'
    html = shown.made("html").decode()
    page = next((one for one in md.registeredExtensions if isinstance(one, _Page)), None)
    if page is None:
        md.registerExtension(page := _Page())
    if page.scripted:
        return html
    page.scripted = True
    # An address rather than text, which MkDocs would put into the index of its search.
    return f'{html}<script src="data:text/javascript;base64,{b64encode(script()).decode()}"></script>'


def read(source: str) -> tuple[str, dict[str, str]]:
    """The layer of a fence and its options.

    Raises:
        ConvanimError: a line after the first option is none.

    Example:
        >>> read("Conv(2)\\n:input: 3x3\\n:symbols:")
        ('Conv(2)', {'input': '3x3', 'symbols': ''})
    """
    layer, options = list[str](), dict[str, str]()
    for line in source.splitlines():
        found = _OPTION.fullmatch(line.strip())
        if found and found[1] in options:
            raise ConvanimError(f"{found[1]} is given twice", "remove one of the lines")
        if found:
            options[found[1]] = (found[2] or "").strip()
        elif line.strip() and options:
            raise ConvanimError(f"{line.strip()[:60]!r} is not an option", "write a line like :input: 3x3")
        else:
            layer.append(line)
    return "\n".join(layer), options

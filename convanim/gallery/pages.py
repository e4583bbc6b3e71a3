"""The gallery's pages: a table for a code host, and one file for a browser that needs nothing from elsewhere.

Knows descriptions, what the manifest says of their files, and the pages' templates. Looks at no picture.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.command import command
from convanim.gallery.description import Entry, Folder, files_of
from convanim.theme import templates

if TYPE_CHECKING:
    from jinja2 import Environment

    from convanim.gallery.records import Manifest, Record

NAMES = ("README.md", "index.html")
_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_{}[]#+!|~"} | {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}


def key(folder: Folder, manifest: Manifest) -> str:
    """What the pages are made from, as a digest: while it stays the same, so do they."""
    parts = (folder.settings, folder.entries, manifest.entries, manifest.versions)
    return digest.digest(
        digest.of_page_maker().encode(), *(msgspec.json.encode(part, order="sorted") for part in parts)
    )


def pages(folder: Folder, manifest: Manifest) -> dict[str, bytes]:
    """The pages by their names. Entries that were never made are left out."""
    shown = [
        card(name, entry, manifest.entries[name]) for name, entry in folder.entries.items() if name in manifest.entries
    ]
    shown.sort(key=lambda one: (one["position"], one["name"]))
    tags = sorted({tag for one in shown for tag in one["tags"]})
    told = {"title": folder.settings.title, "about": folder.settings.about, "entries": shown, "tags": tags}
    told["version"] = manifest.versions.get("convanim", "")
    return {name: rendered(name, told) for name in NAMES}


def rendered(name: str, told: dict[str, Any]) -> bytes:
    """A page from its template, with every value escaped as the page needs it."""
    return _environment().get_template(name).render(told).encode()


def card(name: str, entry: Entry, record: Record) -> dict[str, Any]:
    """What the pages say of an entry."""
    files = [
        {"name": file, "href": quote(file), "kind": file.rpartition(".")[2], "size": _size(made.size)}
        for file, made in record.files.items()
        if file in files_of(name, entry) and not file.startswith("stills/")
    ]
    pictures = {PurePosixPath(file).suffix: file for file in record.files if "/" not in file}
    still = next((f for f in record.files if f.startswith("stills/")), pictures.get(".png"))
    shape = record.files[still] if still else None
    gif = pictures.get(".gif")
    title = entry.title or record.heading
    try:
        typed = command(name, entry, entry.formats[0])
    except ConvanimError:  # the layer of an entry that was made before and is wrong now
        typed = ""
    return {
        "name": name,
        "title": title,
        "alt": entry.alt or record.heading,
        "tags": entry.tags,
        "replaces": entry.replaces,
        "files": files,
        "still": quote(still) if still else None,
        "gif": quote(gif) if gif else None,
        "seconds": record.files[gif].seconds if gif else 0,
        "width": shape.width if shape else 0,
        "height": shape.height if shape else 0,
        "command": typed,
        "words": record.words,
        "position": entry.position,
        "search": " ".join([name, title, entry.layer, *entry.tags, entry.replaces or ""]).lower(),
    }


def _size(count: int) -> str:
    return f"{count / 1000:,.0f} KB" if count >= 1000 else f"{count} bytes"


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise ConvanimError("the gallery's pages need jinja2", "pip install jinja2") from None
    made = Environment(
        loader=FileSystemLoader(templates() / "gallery"),
        autoescape=lambda name: name is None or name.endswith(".html"),  # noqa: S701 - Markdown has filters of its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["md"] = _markdown
    made.filters["code"] = _code
    return made


def _markdown(text: str) -> str:
    """Text as it is, in a cell of a table of Markdown.

    Example:
        >>> print(_markdown("a|b *c*"))
        a\\|b \\*c\\*
    """
    return " ".join(text.split()).translate(_MARKDOWN)


def _code(text: str) -> str:
    """Text as code in a cell of a table; the bar is the one sign that a table takes for its own.

    Example:
        >>> print(_code("a `b`|c"))
        `` a `b`\\|c ``
    """
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{' '.join(text.split()).replace('|', chr(92) + '|')}{space}{fence}"

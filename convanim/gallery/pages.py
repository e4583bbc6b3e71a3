"""The gallery's pages: a table for a code host, and one file for a browser that needs nothing from elsewhere.

Knows descriptions, what the manifest says of their files, and the pages' templates. Looks at no picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.command import command
from convanim.gallery.description import Entry, files_of, stems
from convanim.gallery.folder import Folder
from convanim.theme import AUTO, templates

if TYPE_CHECKING:
    from jinja2 import Environment

    from convanim.gallery.manifest import Manifest, Record

NAMES = ("README.md", "index.html")
_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_{}[]#+!|~"} | {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}


def key(folder: Folder, manifest: Manifest) -> str:
    """What the pages are made from, as a digest: while it stays the same, so do they."""
    parts = [msgspec.json.encode(part, order="sorted") for part in (folder.settings, manifest.versions)]
    names = (name.encode() for name in folder.entries)
    entries = (folder.entries.json(name) for name in folder.entries)
    records = (name.encode() + manifest.entries.json(name) for name in sorted(manifest.entries))
    return digest.of_many(chain([digest.of_page_maker().encode()], parts, names, entries, records))


def pages(folder: Folder, manifest: Manifest) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The pages by their names, in pieces. Entries that were never made are left out."""
    order, tags = [], set[str]()
    for name, entry in folder.entries.items():
        if name in manifest.entries:
            order.append((entry.position, name))
            tags.update(entry.tags)
    order.sort()
    told = {"title": folder.settings.title, "about": folder.settings.about, "tags": sorted(tags), "count": len(order)}
    told["version"] = manifest.versions.get("convanim", "")
    for page in NAMES:
        cards = (card(name, folder.entries[name], manifest.entries[name]) for _, name in order)
        yield page, pieces(page, told | {"entries": cards})


def rendered(name: str, told: dict[str, Any]) -> bytes:
    """A page from its template, with every value escaped as the page needs it."""
    return b"".join(pieces(name, told))


def pieces(name: str, told: dict[str, Any]) -> Iterator[bytes]:
    """The same in pieces of some kilobytes, so that a page of ten thousand entries is never in memory as a whole."""
    stream = _environment().get_template(name).stream(told)
    stream.enable_buffering(200)
    return (piece.encode() for piece in stream)


def card(name: str, entry: Entry, record: Record) -> dict[str, Any]:
    """What the pages say of an entry."""
    files = [
        {"name": file, "href": quote(file), "kind": _kind(entry, file), "size": _size(made.size)}
        for file, made in record.files.items()
        if file in files_of(name, entry) and not file.startswith("stills/")
    ]
    first, *second = stems(name, entry).values()  # the light one and the dark one, where there are both
    still, gif = _still(record, first), f"{first}.gif" if f"{first}.gif" in record.files else None
    dark = _still(record, second[0]) if second else None
    shape = record.files[still] if still else None
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
        "dark": quote(dark) if dark else None,
        "gif": quote(gif) if gif else None,
        "seconds": record.files[gif].seconds if gif else 0,
        "width": shape.width if shape else 0,
        "height": shape.height if shape else 0,
        "command": typed,
        "words": record.words,
        "position": entry.position,
        "search": " ".join([name, title, entry.layer, *entry.tags, entry.replaces or ""]).lower(),
    }


def _still(record: Record, stem: str) -> str | None:
    return next((file for file in (f"stills/{stem}.png", f"{stem}.png") if file in record.files), None)


def _kind(entry: Entry, file: str) -> str:
    """What a link to a file says: gif, or gif light where there is a dark one, too."""
    stem, _, kind = file.rpartition(".")
    return f"{kind} {stem.rpartition('-')[2]}" if entry.theme == AUTO else kind


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

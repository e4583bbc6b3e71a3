"""The pages of a gallery: README.md for a code host, and index.html, a single file without external resources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from convanim.assets import templates
from convanim.draw.theme import AUTO, PAIR, load
from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.description import Entry, Section, command, files_of, stems
from convanim.gallery.folder import Folder, paths
from convanim.gallery.records import Manifest, Record
from convanim.look import Look
from convanim.template.settings import settle
from convanim.write.formats import FORMATS

if TYPE_CHECKING:
    from jinja2 import Environment

_MARKDOWN = {ord(c): f"\\{c}" for c in "\\`*_{}[]#+!|~"} | {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}


class Pages:
    """The pages of a gallery: names in order, and each card created when a page needs it."""

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self.folder, self.manifest, self.settings = folder, manifest, folder.settings
        self.entries = {name: entry for name, entry in folder.entries.items() if name in manifest.entries}
        self.suffix = self.settings.pair.suffix if self.settings.pair else ""
        firsts = (n for n in self.entries if (first := n.removesuffix(self.suffix)) == n or first not in self.entries)
        self.order = sorted((*self._place(name), name) for name in firsts)

    def key(self) -> str:
        """The digest of everything that the pages are made from."""
        told = (self.settings, self.manifest.versions, self.folder.entries, self.manifest.entries)
        return digest.digest(digest.engine().encode(), *map(digest.encoded, told))

    def page(self, name: str) -> Iterator[bytes]:
        """A page in pieces of a few kilobytes, so that a page of ten thousand entries is never in memory as a whole."""
        stream = _environment().get_template(name).stream(self._told())
        stream.enable_buffering(200)
        return digest.marked(piece.encode() for piece in stream)

    def _told(self) -> dict[str, Any]:
        """The values for a page's template."""
        settings, tags = self.settings, Counter[str]()
        for *_, name in self.order:
            tags.update({tag for one in self._both(name) for tag in self.entries[one].tags})
        replaced = [name for *_, name in self.order if self.entries[name].replaces]
        return {
            "title": settings.title,
            "about": " ".join(settings.about.split()),
            "links": settings.links,
            "labels": settings.pair.labels if settings.pair else (),
            "hero": self._card(settings.hero) if settings.hero in self.entries else None,
            "tags": sorted(tags.items()),
            "count": len(self.order),
            "sections": self._sections(),
            "replaced": partial(map, self._card, replaced),
            "some_replaced": bool(replaced),
        }

    def _sections(self) -> Iterator[dict[str, Any]]:
        """The sections of the pages; `cards` creates the cards of one whenever it is called."""
        known = [*self.settings.sections, Section(title="More" if self.settings.sections else "Pictures")]
        for number, part in groupby(self.order, key=lambda place: place[0]):
            cards = partial(map, self._card, [name for *_, name in part])
            yield {"id": f"s-{number}", "title": known[number].title, "about": known[number].about, "cards": cards}

    def _card(self, name: str) -> dict[str, Any]:
        """The card of an entry, with `other` for the entry that shares it."""
        first, *second = (
            card(one, self.entries[one], self.manifest.entries[one], self.folder.root) for one in self._both(name)
        )
        tags = [*first["tags"], *(tag for other in second for tag in other["tags"])]
        return first | {"other": second[0] if second else None, "tags": list(dict.fromkeys(tags))}

    def _both(self, name: str) -> tuple[str, ...]:
        """An entry, and the one that shares its card."""
        other = name + self.suffix
        return (name, other) if self.suffix and other in self.entries else (name,)

    def _place(self, name: str) -> tuple[int, int, int]:
        """The sort key of an entry: its section, its index in that section's list, its position."""
        entry, rest = self.entries[name], len(self.settings.sections)
        for number, section in enumerate(self.settings.sections):
            if name in section.entries:
                return number, section.entries.index(name), entry.position
            if not set(section.tags).isdisjoint(entry.tags):
                return number, len(section.entries), entry.position
            if not section.tags and not section.entries:
                rest = min(rest, number)
        return rest, 0, entry.position


def rendered(name: str, told: dict[str, Any]) -> bytes:
    """A page from its template, with every value escaped for the page's format."""
    return _environment().get_template(name).render(told).encode()


def card(name: str, entry: Entry, record: Record, root: Path = Path()) -> dict[str, Any]:
    """The card of an entry; its own theme or template is in `root`."""
    files = []
    for file in (file for file in record.files if file in files_of(name, entry) and not file.startswith("stills/")):
        stem, _, kind = file.rpartition(".")
        label = f"{kind} {stem.rpartition('-')[2]}" if entry.theme == AUTO else kind  # gif light, gif dark
        size = record.files[file].size
        told = f"{size / 1000:,.0f} KB" if size >= 1000 else f"{size} bytes"
        files.append({"name": file, "href": quote(file), "kind": label, "size": told})
    first, *second = stems(name, entry).values()  # the light and the dark one, if there are both
    still, dark = (
        next((file for stem in some for file in (f"stills/{stem}.png", f"{stem}.png") if file in record.files), None)
        for some in ([first], second)
    )
    playing = (f"{first}.{kind}" for kind, form in FORMATS.items() if form.embeds and form.tick)
    gif = next((file for file in playing if file in record.files), None)
    paper = _paper(root, entry)
    try:
        typed = command(name, entry, entry.formats[0])
    except ConvanimError:  # the layer has become invalid since the last build
        typed = ""
    more = (name, entry.layer, entry.compare, entry.view, entry.layout, entry.template, entry.theme, entry.motion)
    return {
        "name": name,
        "title": " ".join((entry.title or record.heading).split()),
        "alt": " ".join((entry.alt or record.heading).split()),
        "tags": entry.tags,
        "replaces": entry.replaces,
        "files": files,
        "source": quote(f"{name}.toml"),
        **{key: file and quote(file) for key, file in (("still", still), ("dark", dark), ("gif", gif))},
        "width": record.files[still].width if still else 0,
        "height": record.files[still].height if still else 0,
        "paper": "#{:02x}{:02x}{:02x}".format(*paper),
        "lit": sum(paper) > 3 * 128,
        "command": typed,
        "words": record.words,
        "more": " ".join(part for part in more if part),  # found by the search, but not shown on the card
    }


def _paper(root: Path, entry: Entry) -> tuple[int, int, int]:
    """The background colour of an entry; white if its theme cannot be read any more."""
    theme = PAIR[0] if entry.theme == AUTO else entry.theme
    try:
        found = paths(root, Entry(layer="", input="", template=entry.template, theme=theme))
        return _page_colour(found.get(entry.template or "", entry.template), found.get(theme or "", theme))
    except ConvanimError:
        return 255, 255, 255


@lru_cache(100)
def _page_colour(template: str | Path | None, theme: str | Path | None) -> tuple[int, int, int]:
    return load(settle(Look(template=template, theme=theme)).theme).colour("page")


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise ConvanimError("the pages of a gallery require jinja2", "pip install jinja2") from None
    made = Environment(
        loader=FileSystemLoader(templates() / "gallery"),
        autoescape=lambda name: name is None or name.endswith(".html"),  # noqa: S701 - Markdown has filters of its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"md": _markdown, "fenced": _fenced, "address": _address}
    return made


def _markdown(text: str) -> str:
    """Text escaped for a cell of a Markdown table.

    Example:
        >>> print(_markdown("a|b *c*"))
        a\\|b \\*c\\*
    """
    return " ".join(text.split()).translate(_MARKDOWN)


def _address(text: str) -> str:
    """An address escaped for the target of a Markdown link.

    Example:
        >>> print(_address("a b.html?c=1&d=(2)#e"))
        a%20b.html?c=1&amp;d=%282%29#e
    """
    return quote(text, safe="%/:?#@!$&*+,;=~").replace("&", "&amp;")


def _fenced(text: str) -> str:
    """Text as a block of shell commands, with a fence longer than any in the text.

    Example:
        >>> print(_fenced("convanim conv --title '```'"))
        ````sh
        convanim conv --title '```'
        ````
    """
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}sh\n{text}\n{fence}"

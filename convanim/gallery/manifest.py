"""What was made of every entry, and from what: the file that belongs in version control.

Knows its form. Entries are kept packed and written one by one, so that ten thousand of them take little room. Must not
know how anything is made, nor what else a build remembers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery.description import check_name
from convanim.gallery.digest import of_parts
from convanim.gallery.packed import Packed
from convanim.inputfile import read_bytes

KIND, VERSION = "convanim gallery", 1
LARGEST = 1 << 28  # bytes of a manifest, or of what else a gallery keeps beside it: those of 100,000 entries
PAGES = ("README.md", "index.html")
#: A file as it can be made of an entry: `possible` looks at the rest of its name.
_FILE = re.compile(r"(?:stills/)?([^/\\]+?)(?:-light|-dark)?\.([a-z0-9]{1,8})")


class File(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """A file as it was made: digests of its bytes and of what is seen; its size in bytes, px, frames and seconds."""

    bytes: str
    pixels: str
    size: int
    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = 0.0


class Record(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An entry as it was made: digests of its description and of its arithmetic, its heading, its files by name.

    `words` explain it, where the description wants that.
    """

    description: str
    trace: str
    heading: str
    words: str = ""
    files: dict[str, File]


class Manifest:
    """Everything that was made, and by which versions.

    Attributes:
        entries: records by the name of their entry; put a new one in place of one that is to change.
        pages, orphans: the digests of the pages, and of files that no description makes any more, by name.
    """

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.entries: Packed[Record] = Packed(Record)
        self.pages: dict[str, str] = {}
        self.orphans: dict[str, str] = {}

    def digest(self) -> str:
        """The digest of its file."""
        return of_parts(self.lines())

    def lines(self) -> Iterator[bytes]:
        """The manifest as it stands in its file, an entry at a time: JSON with every key in order.

        Example:
            >>> print(b"".join(Manifest().lines()).decode()[:17])
            {
             "entries": {},
        """
        yield b"{\n "
        opening = b'"entries": {'
        for name in sorted(self.entries):
            told = msgspec.json.format(self.entries.json(name), indent=1).replace(b"\n", b"\n  ")
            yield opening + b"\n  " + msgspec.json.encode(name) + b": " + told
            opening = b","
        yield b"\n }" if self.entries else opening + b"}"
        for key, value in (
            ("kind", KIND),
            ("orphans", self.orphans),
            ("pages", self.pages),
            ("version", VERSION),
            ("versions", self.versions),
        ):
            told = msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1).replace(b"\n", b"\n ")
            yield b',\n "' + key.encode() + b'": ' + told
        yield b"\n}\n"


class _Told(msgspec.Struct):
    """The manifest's file, its entries not yet read."""

    kind: str = KIND
    version: int = VERSION
    versions: dict[str, str] = {}
    entries: dict[str, msgspec.Raw] = {}
    pages: dict[str, str] = {}
    orphans: dict[str, str] = {}


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; where there is not a file, nothing was made.

    Raises:
        ConvanimError: it is none, or names files outside its folder.
    """
    made = Manifest()
    try:
        data = read_bytes(path, LARGEST, follow=False)
        found = msgspec.json.decode(data, type=_Told)
        for name in list(found.entries):
            made.entries[name] = record = msgspec.json.decode(found.entries.pop(name), type=Record)
            _possible(path, record.files)
    except FileNotFoundError:
        return made
    except OSError as error:
        raise ConvanimError(
            f"{path} cannot be read: {(error.strerror or '').lower()}", "remove it and build again"
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        conflict = re.search(rb"^<<<<<<< ", data, re.MULTILINE)
        if conflict:
            line = data.count(b"\n", 0, conflict.start()) + 1
            raise ConvanimError(
                f"{path} line {line} begins an unresolved merge conflict",
                "type git checkout --ours manifest.json in its folder, then build the gallery",
            ) from None
        raise ConvanimError(
            f"{path} is not a manifest: {error}", "restore it with git, or remove it and build again"
        ) from None
    if (found.kind, found.version) != (KIND, VERSION):
        raise ConvanimError(f"{path} is not a manifest of version {VERSION}", "remove it and build again")
    made.versions, made.pages, made.orphans = found.versions, found.pages, found.orphans
    _possible(path, made.orphans)
    _possible(path, (name for name in made.pages if name not in PAGES))
    return made


def possible(name: str) -> bool:
    """Whether a file can have been made of an entry: only such ones are ever written or removed.

    Example:
        >>> [possible(name) for name in ("up.gif", "stills/up-dark.png", "up.toml", "../up.gif", "manifest.json", "")]
        [True, True, False, False, False, False]
    """
    found = _FILE.fullmatch(name)
    if not found or found[2] == "toml":
        return False
    try:
        check_name(found[1])
    except ConvanimError:
        return False
    return True


def _possible(path: Path, names: Iterable[str]) -> None:
    """Refuse names that no build has written: what they lead to may be anybody's."""
    for name in names:
        if not possible(name):
            raise ConvanimError(f"{path} names {name[:100]!r}, which is not a file of any entry", "restore it with git")

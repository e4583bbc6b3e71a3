"""The manifest, for version control: what was built for every entry, and from what."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery.description import check_name
from convanim.gallery.digest import encoded
from convanim.system.inputfile import read_bytes

KIND, VERSION = "convanim gallery", 1
LARGEST = 1 << 28  # bytes of a manifest, journal or cache; enough for 100,000 entries
PAGES = ("README.md", "index.html")
#: The name of a file of an entry; `possible` checks the rest.
_FILE = re.compile(r"(?:stills/)?([^/\\]+?)(?:-light|-dark)?\.([a-z0-9]{1,8})")


class File(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The record of a file: digests of its bytes and pixels; its size in bytes, px, frames and seconds."""

    bytes: str
    pixels: str
    size: int
    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = 0  # an int: msgspec omits defaults by identity


class Record(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The record of an entry: digests of its description and arithmetic, its heading, its files by name.

    `words` is its explanation, if the description asks for one.
    """

    description: str
    trace: str
    heading: str
    words: str = ""
    files: dict[str, File]


class Manifest(msgspec.Struct):
    """The records of all entries, and the versions used; the digests of pages and orphaned files, by name."""

    entries: dict[str, Record] = {}
    pages: dict[str, str] = {}
    orphans: dict[str, str] = {}
    versions: dict[str, str] = {}
    kind: str = KIND
    version: int = VERSION

    def told(self) -> bytes:
        """The manifest as JSON with sorted keys.

        Example:
            >>> print(Manifest().told().decode()[:17])
            {
             "entries": {},
        """
        return msgspec.json.format(encoded(self), indent=1) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; without a file it is empty.

    Raises:
        ConvanimError: the file is not a manifest, or names files outside its folder.
    """
    try:
        data = read_bytes(path, LARGEST, follow=False)
        made = msgspec.json.decode(data, type=Manifest)
    except FileNotFoundError:
        return Manifest()
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
    if (made.kind, made.version) != (KIND, VERSION):
        raise ConvanimError(f"{path} is not a manifest of version {VERSION}", "remove it and build again")
    files = [file for record in made.entries.values() for file in record.files]
    for name in (*files, *made.orphans, *(name for name in made.pages if name not in PAGES)):
        if not possible(name):  # such a file may belong to anybody
            raise ConvanimError(f"{path} names {name[:100]!r}, which is not a file of any entry", "restore it with git")
    return made


def possible(name: str) -> bool:
    """Whether a file can be one of an entry: no others are ever written or removed.

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

"""What was made of every entry, and from what: the file that belongs in version control.

Knows its form. Must not know how anything is made, nor what else a build remembers.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery.description import check_name
from convanim.gallery.digest import encoded
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
    seconds: float = 0  # not 0.0: a default is left out by its identity, which only small ints keep between processes


class Record(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An entry as it was made: digests of its description and of its arithmetic, its heading, its files by name.

    `words` explain it, where the description wants that.
    """

    description: str
    trace: str
    heading: str
    words: str = ""
    files: dict[str, File]


class Manifest(msgspec.Struct):
    """Everything that was made, and by which versions; the digests of the pages and of orphaned files, by name."""

    entries: dict[str, Record] = {}
    pages: dict[str, str] = {}
    orphans: dict[str, str] = {}
    versions: dict[str, str] = {}
    kind: str = KIND
    version: int = VERSION

    def told(self) -> bytes:
        """The manifest as it stands in its file: JSON with every key in order.

        Example:
            >>> print(Manifest().told().decode()[:17])
            {
             "entries": {},
        """
        return msgspec.json.format(encoded(self), indent=1) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; where there is not a file, nothing was made.

    Raises:
        ConvanimError: it is none, or names files outside its folder.
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
        if not possible(name):  # what it leads to may be anybody's
            raise ConvanimError(f"{path} names {name[:100]!r}, which is not a file of any entry", "restore it with git")
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

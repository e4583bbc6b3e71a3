"""The state of a gallery between builds: its manifest, the journal of a running build, and the cache.

The manifest (in git) records what every entry was built from and the result. The journal (not in git) records what a
build is about to write, so that a killed build leaves no doubt. The cache (not in git) records for which program the
manifest was last verified, and saves reading files whose time and size are unchanged.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from convanim.errors import ConvanimError, reason
from convanim.gallery.description import check_name
from convanim.gallery.digest import digest, encoded, is_marked, of_bytes, of_parts
from convanim.system.inputfile import open_regular, prepared, read_bytes
from convanim.write.files import lock, whole_file

KIND, VERSION = "convanim gallery", 1
MANIFEST, JOURNAL, CACHE = "manifest.json", ".journal", ".cache.json"
PAGES = ("README.md", "index.html")
ALL_PAGES = "/pages"  # their name in the cache, which no entry can have
LARGEST = 1 << 28  # bytes of a manifest, journal or cache; enough for 100,000 entries
#: The digest of anything that is not a regular file, or is unreadable.
NO_FILE = "no file"
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

    def told(self) -> dict[str, str]:
        """The digests of its files."""
        return {name: file.bytes for name, file in self.files.items()}


@prepared
class Manifest(msgspec.Struct):
    """The records of all entries, and the versions used; the digests of pages and orphaned files, by name."""

    entries: dict[str, Record] = {}
    pages: dict[str, str] = {}
    orphans: dict[str, str] = {}
    versions: dict[str, str] = {}
    kind: str = KIND
    version: int = VERSION

    def told(self) -> bytes:
        """The manifest as JSON with sorted keys."""
        return msgspec.json.format(encoded(self), indent=1) + b"\n"


@prepared
class _Line(msgspec.Struct):
    """A line of the journal."""

    name: str
    record: Record
    versions: dict[str, str] = {}


@prepared
class _Cache(msgspec.Struct):
    """`right`: the key for which each entry, and the pages, were last verified; `files`: "mtime size digest"."""

    right: dict[str, str] = {}
    files: dict[str, str] = {}


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; without a file it is empty.

    Raises:
        ConvanimError: the file is not a manifest, or names files outside its folder.
    """
    again = "remove it and build again"
    try:
        data = read_bytes(path, LARGEST, follow=False)
        made = msgspec.json.decode(data, type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ConvanimError(f"{path} cannot be read: {reason(error)}", again) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if conflict := re.search(rb"^<<<<<<< ", data, re.MULTILINE):
            line = data.count(b"\n", 0, conflict.start()) + 1
            raise ConvanimError(
                f"{path} line {line} begins an unresolved merge conflict",
                "type git checkout --ours manifest.json in its folder, then build the gallery",
            ) from None
        raise ConvanimError(f"{path} is not a manifest: {error}", f"restore it with git, or {again}") from None
    if (made.kind, made.version) != (KIND, VERSION):
        raise ConvanimError(f"{path} is not a manifest of version {VERSION}", again)
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
    with contextlib.suppress(ConvanimError):
        if (found := _FILE.fullmatch(name)) and found[2] != "toml":
            check_name(found[1])
            return True
    return False


class Records:
    """The records of one gallery.

    Attributes:
        manifest: what was built, including the journal of a killed build if its files exist.

    Raises:
        ConvanimError: the manifest is invalid.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal: BinaryIO | None = None
        self._folder = os.path.join(folder, "")  # noqa: PTH118 - as text, with a slash at its end
        self.manifest = read_manifest(folder / MANIFEST)
        self._before = of_bytes(self.manifest.told())
        self._cache = _Cache()  # one that is missing or broken is ignored
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._cache = msgspec.json.decode(read_bytes(folder / CACHE, LARGEST, follow=False), type=_Cache)
        self._known = set(self.manifest.orphans.items())
        for record in self.manifest.entries.values():
            self._known.update(record.told().items())
        lines: list[bytes] = []
        with contextlib.suppress(OSError):
            lines = read_bytes(folder / JOURNAL, LARGEST, follow=False).splitlines()
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # the last line may be incomplete
                made = msgspec.json.decode(line, type=_Line)
                if all(map(possible, made.record.files)):
                    self._known.update(made.record.told().items())
                    if self._there(made.record.told()):
                        self.put(made.name, made.record, made.versions)

    def put(self, name: str, record: Record, versions: dict[str, str]) -> None:
        """Record an entry and what built it; files that it had before, and no longer has, become orphans."""
        if before := self.manifest.entries.get(name):
            self.manifest.orphans |= {file: told for file, told in before.told().items() if file not in record.files}
        self.manifest.entries[name] = record
        self.manifest.versions = {k: v for k, v in versions.items() if k != "source"} or self.manifest.versions

    def on_disk(self, name: str) -> str | None:
        """The current digest of a file; None if it does not exist, and NO_FILE if it is not a regular file."""
        path = f"{self._folder}{name}"
        try:
            found = os.lstat(path)  # faster than pathlib, for every file of every build
            if not stat.S_ISREG(found.st_mode):
                return NO_FILE
            stamp = f"{found.st_mtime_ns} {found.st_size} "
            kept = self._cache.files.get(name, "")
            if not kept.startswith(stamp):
                with open_regular(path, follow=False) as file:
                    kept = stamp + of_parts(iter(partial(file.read, 1 << 20), b""))
                self._cache.files[name] = kept
            return kept[len(stamp) :]
        except (FileNotFoundError, NotADirectoryError):
            self._cache.files.pop(name, None)
            return None
        except OSError:  # unreadable, or circular links
            return NO_FILE

    def _there(self, files: dict[str, str]) -> bool:
        return all(self.on_disk(name) == told for name, told in files.items())

    def refused(self, files: Iterable[str], *, force: bool = False) -> str | None:
        """The reason why some of these files may not be written or removed; None if all may.

        A link is such a reason: its target is elsewhere, and not an output.

        Args:
            force: whether files that the user edited may be overwritten.
        """
        names = list(files)
        for name in names:
            path = self.folder / name
            above = path.parent
            if above != self.folder and (above.is_symlink() or (above.exists() and not above.is_dir())):
                return f"{above.name} is {'a link' if above.is_symlink() else 'no folder'}; move it elsewhere."
            if self.on_disk(name) == NO_FILE:
                other = "a folder" if path.is_dir() else "not a file that can be read"
                return f"{name} is {'a link' if path.is_symlink() else other}; move it elsewhere."
        edited = [] if force else [name for name in names if not self.ours(name)]
        if edited:
            return f"edited by hand: {', '.join(edited)}; move it elsewhere, or build with --force to replace it."
        return None

    def ours(self, name: str) -> bool:
        """Whether a file is missing or exactly as a build made it, so that it may be replaced."""
        told = self.on_disk(name)
        if told is None or (name, told) in self._known or told == self.manifest.pages.get(name):
            return True
        with contextlib.suppress(OSError):
            return name in PAGES and is_marked(read_bytes(self.folder / name, LARGEST, follow=False))
        return False

    def right(self, name: str, key: str) -> bool:
        """Whether an entry, or all pages, were verified for this key, and their files are unchanged."""
        if self._cache.right.get(name) != self._held(name, key):
            return False
        if name == ALL_PAGES:
            return all(self.on_disk(page) == self.manifest.pages.get(page) for page in PAGES)
        return self._there(self.manifest.entries[name].told())

    def found_right(self, name: str, key: str) -> None:
        """Record that an entry, or all pages, have been verified."""
        self._cache.right[name] = self._held(name, key)

    def _held(self, name: str, key: str) -> str:
        """The value in the cache, which an edited record does not match."""
        return digest(key.encode(), encoded(self.manifest.entries.get(name)))

    def announce(self, name: str, record: Record, versions: dict[str, str]) -> None:
        """Write to the journal what is about to be written."""
        if self._journal is None:
            raise RuntimeError("no build is at work")
        self._known.update(record.told().items())
        line = b"\n" + msgspec.json.encode(_Line(name, record, versions)) + b"\n"  # the last line may be incomplete
        if self._journal.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @classmethod
    @contextmanager
    def building(cls, folder: Path) -> Iterator[Records]:
        """The records during a build: one build at a time, and its results are kept however it ends.

        Raises:
            ConvanimError: another build is running, or the folder cannot be written to.
        """
        for path in (folder / name for name in (MANIFEST, JOURNAL, CACHE)):
            if path.is_symlink() or (os.path.lexists(path) and not path.is_file()):
                raise ConvanimError(f"{path} is a link, or not a regular file", "remove it and build again")
        with lock(folder.resolve(), wait=False) as held:
            if held is False:
                raise ConvanimError(f"another build is running in {folder}", "wait until it has finished")
            records = cls(folder)  # read after locking, as another build may just have ended
            try:
                journal = records._journal = open_regular(folder / JOURNAL, "ab", follow=False)
            except OSError as error:
                told = f"{folder} cannot be written to: {reason(error)}"
                raise ConvanimError(told, "use a folder in which you can write") from None
            with journal:
                try:
                    yield records
                finally:
                    records.save()
                    journal.close()
                    with contextlib.suppress(OSError):  # a remaining journal does no harm
                        (folder / JOURNAL).unlink()

    def save(self) -> None:
        """Write the manifest, if it changed, and the cache."""
        told = self.manifest.told()
        if of_bytes(told) != self._before or not (self.folder / MANIFEST).exists():
            with whole_file(self.folder / MANIFEST, follow=False) as file:
                file.write(told)
        there = {*self.manifest.entries, ALL_PAGES}
        self._cache.right = {name: key for name, key in self._cache.right.items() if name in there}
        self.save_cache()

    def save_cache(self) -> None:
        """Write the cache, if possible; without it the next check is slower, with the same result."""
        with contextlib.suppress(ConvanimError), whole_file(self.folder / CACHE, follow=False) as file:
            file.write(encoded(self._cache) + b"\n")

"""What a gallery remembers of its last build: the manifest, the journal of a build at work, and the cache.

The manifest (in git) says of every entry what it was made from and what came out. The journal (not in git) says what a
build is about to write, before it does, so that one that is killed leaves no doubt. The cache (not in git) says for
which program the manifest was last found right, and spares reading files whose time and size are as they were.
Knows files and digests. Must not know how anything is made.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery.digest import of_bytes
from convanim.write.files import whole_file

MANIFEST, JOURNAL, CACHE = "manifest.json", ".journal", ".cache.json"
KIND, VERSION = "convanim gallery", 1
PAGES = "/pages"  # what the cache calls them; no entry can have this name


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


class Manifest(msgspec.Struct, kw_only=True):
    """Everything that was made, and by which versions."""

    kind: str = KIND
    version: int = VERSION
    versions: dict[str, str] = {}
    entries: dict[str, Record] = {}
    pages: dict[str, str] = {}
    orphans: dict[str, str] = {}


class _Line(msgspec.Struct):
    """A line of the journal."""

    name: str
    record: Record


class _Cache(msgspec.Struct):
    """`right`: by entry, the description and program for which its record holds; `files`: mtime, size, digest."""

    right: dict[str, str] = {}
    files: dict[str, tuple[int, int, str]] = {}


class Records:
    """The memory of one gallery.

    Attributes:
        manifest: what was made, the journal of a killed build put in where its files are there.

    Raises:
        ConvanimError: the manifest is there and is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _manifest(folder / MANIFEST)
        self._before = msgspec.json.encode(self.manifest, order="sorted")
        self._cache: _Cache = _forgiving(folder / CACHE, _Cache)
        self._known: dict[str, set[str]] = {}
        for record in self.manifest.entries.values():
            self._know(record)
        for file, told in self.manifest.orphans.items():
            self._known.setdefault(file, set()).add(told)
        for name, record in self._journalled():
            self._know(record)
            if all(self.on_disk(file) == made.bytes for file, made in record.files.items()):
                self.manifest.entries[name] = record
        self._journal: IO[bytes] | None = None

    def on_disk(self, name: str) -> str | None:
        """The digest of a file as it is now; None where there is none."""
        path = self.folder / name
        try:
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_size
            kept = self._cache.files.get(name)
            if kept and kept[:2] == stamp:
                return kept[2]
            told = of_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConvanimError(f"{path} cannot be read: {(error.strerror or '').lower()}", "mend it") from None
        self._cache.files[name] = (*stamp, told)
        return told

    def ours(self, name: str) -> bool:
        """Whether a file is absent or just as a build made it: then it may be replaced."""
        told = self.on_disk(name)
        return told is None or told in self._known.get(name, ()) or told == self.manifest.pages.get(name)

    def right(self, name: str, key: str) -> bool:
        """Whether an entry was found right for this description and program, and its files are all as they were."""
        record = self.manifest.entries.get(name)
        if record is None or self._cache.right.get(name) != key:
            return False
        return all(self.on_disk(file) == made.bytes for file, made in record.files.items())

    def page_key(self) -> str | None:
        """What the pages were last made from."""
        return self._cache.right.get(PAGES)

    def found_right(self, name: str, key: str) -> None:
        """Remember that an entry is as it should be."""
        self._cache.right[name] = key

    def announce(self, name: str, record: Record) -> None:
        """Write down what is about to be written."""
        if self._journal is None:
            raise RuntimeError("no build is at work")
        self._know(record)
        self._journal.write(msgspec.json.encode(_Line(name, record)) + b"\n")
        self._journal.flush()

    @contextmanager
    def building(self) -> Iterator[None]:
        """While a build is at work: one at a time, and what it made is kept whatever ends it.

        Raises:
            ConvanimError: another build is at work, or the folder cannot be written to.
        """
        path = self.folder / JOURNAL
        try:
            self._journal = path.open("ab")
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise ConvanimError(f"{self.folder} cannot be written to: {reason}", "build where you may write") from None
        with self._journal:
            _lock(self._journal, self.folder)
            for left in self.folder.glob("**/.convanim.*.part"):  # of a build that was killed
                with contextlib.suppress(OSError):
                    for part in left.iterdir():
                        part.unlink()
                    left.rmdir()
            try:
                yield
            finally:
                self.save()
            path.unlink(missing_ok=True)

    def save(self) -> None:
        """Write the manifest, if it changed, and the cache."""
        after = msgspec.json.encode(self.manifest, order="sorted")
        if after != self._before or not (self.folder / MANIFEST).exists():
            with whole_file(self.folder / MANIFEST) as file:
                file.write(msgspec.json.format(after, indent=1) + b"\n")
            self._before = after
        self._cache.right = {k: v for k, v in self._cache.right.items() if k in self.manifest.entries or k == PAGES}
        there = {f for record in self.manifest.entries.values() for f in record.files} | set(self.manifest.pages)
        self._cache.files = {k: v for k, v in self._cache.files.items() if k in there}
        self.save_cache()

    def save_cache(self) -> None:
        """Write the cache, where that is possible; without it the next look takes longer, and says the same."""
        with contextlib.suppress(ConvanimError), whole_file(self.folder / CACHE) as file:
            file.write(msgspec.json.encode(self._cache, order="sorted") + b"\n")

    def _know(self, record: Record) -> None:
        for file, made in record.files.items():
            self._known.setdefault(file, set()).add(made.bytes)

    def _journalled(self) -> Iterator[tuple[str, Record]]:
        try:
            lines = (self.folder / JOURNAL).read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                told = msgspec.json.decode(line, type=_Line)
            except msgspec.MsgspecError:  # the last one, of a build that was killed while it wrote it
                continue
            yield told.name, told.record


def _lock(file: IO[bytes], folder: Path) -> None:
    """One build at a time; the system lets go of it when a build ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: every file is still replaced in one step
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConvanimError(f"another build is at work in {folder}", "wait for it") from None
    except OSError:  # a file system without locks
        return


def _manifest(path: Path) -> Manifest:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise ConvanimError(f"{path} cannot be read: {(error.strerror or '').lower()}", "mend it") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConvanimError(
            f"{path} is not a manifest: {error}", "get it back from git, or remove it and build again"
        ) from None
    if (found.kind, found.version) != (KIND, VERSION):
        raise ConvanimError(f"{path} is not a manifest of version {VERSION}", "remove it and build again")
    for files in ([*r.files] for r in found.entries.values()), ([*found.orphans, *found.pages],):
        for name in (name for some in files for name in some):
            if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):  # noqa: PTH117 - on any system
                raise ConvanimError(f"{path} names {name!r}, outside the gallery", "get it back from git")
    return found


def _forgiving(path: Path, kind: type[Any]) -> Any:
    """A file that may be gone or broken: then it says nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return kind()

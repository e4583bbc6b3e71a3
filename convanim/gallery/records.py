"""The state of a gallery between builds: its manifest, the journal of a running build, and the cache.

The manifest (in git) records what every entry was built from and the result. The journal (not in git) records what a
build is about to write, so that a killed build leaves no doubt. The cache (not in git) records for which program the
manifest was last verified, and saves reading files whose time and size are unchanged.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery import manifest
from convanim.gallery.digest import digest, encoded, is_marked, of_bytes, of_parts
from convanim.gallery.manifest import Record, possible, read_manifest
from convanim.system.inputfile import open_regular, read_bytes
from convanim.write.files import whole_file

MANIFEST, JOURNAL, CACHE = "manifest.json", ".journal", ".cache.json"
#: The digest of anything that is not a regular file, or is unreadable.
NO_FILE = "no file"
PAGES = "/pages"  # their name in the cache, which no entry can have


class _Line(msgspec.Struct):
    """A line of the journal."""

    name: str
    record: Record


class _Cache(msgspec.Struct):
    """`right`: the key for which each entry, and the pages, were last verified; `files`: "mtime size digest"."""

    right: dict[str, str] = {}
    files: dict[str, str] = {}


class Records:
    """The records of one gallery.

    Attributes:
        manifest: what was built, including the journal of a killed build if its files exist.

    Raises:
        ConvanimError: the manifest is invalid.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._folder = os.path.join(folder, "")  # noqa: PTH118 - as text, with a slash at its end
        self.manifest = read_manifest(folder / MANIFEST)
        self._before = of_bytes(self.manifest.told())
        try:
            self._cache = msgspec.json.decode(read_bytes(folder / CACHE, manifest.LARGEST, follow=False), type=_Cache)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # missing or broken: ignored
            self._cache = _Cache()
        self._known = set(self.manifest.orphans.items())
        for record in self.manifest.entries.values():
            self._know(record)
        for line in self._journalled():
            self._know(line.record)
            if all(self.on_disk(file) == made.bytes for file, made in line.record.files.items()):
                self.put(line.name, line.record)
        self._journal: IO[bytes] | None = None

    def put(self, name: str, record: Record) -> None:
        """Record a built entry; files that it had before, and no longer has, become orphans."""
        before = self.manifest.entries.get(name)
        if before:
            self.manifest.orphans |= {f: made.bytes for f, made in before.files.items() if f not in record.files}
        self.manifest.entries[name] = record

    def on_disk(self, name: str) -> str | None:
        """The current digest of a file; None if it does not exist, and NO_FILE if it is not a regular file."""
        path = f"{self._folder}{name}"
        try:
            found = os.lstat(path)  # faster than pathlib, for every file of every build
            if not stat.S_ISREG(found.st_mode):
                return NO_FILE
            stamp = f"{found.st_mtime_ns} {found.st_size} "
            kept = self._cache.files.get(name, "")
            if kept.startswith(stamp):
                return kept[len(stamp) :]
            with open_regular(path, follow=False) as file:
                told = of_parts(iter(partial(file.read, 1 << 20), b""))
        except (FileNotFoundError, NotADirectoryError):
            self._cache.files.pop(name, None)
            return None
        except OSError:  # unreadable, or circular links
            return NO_FILE
        self._cache.files[name] = stamp + told
        return told

    def refused(self, files: Iterable[str], *, force: bool = False) -> str | None:
        """The reason why some of these files may not be written or removed; None if all may.

        A link is such a reason: its target is elsewhere, and not an output.

        Args:
            force: whether files that the user edited may be overwritten.
        """
        names = list(files)
        obstacle = next(filter(None, map(self._obstacle, names)), None)
        edited = [] if obstacle or force else [name for name in names if not self.ours(name)]
        if edited:
            return f"edited by hand: {', '.join(edited)}; move it elsewhere, or build with --force to replace it."
        return obstacle

    def _obstacle(self, name: str) -> str | None:
        path = self.folder / name
        above = path.parent
        if above != self.folder and (above.is_symlink() or (above.exists() and not above.is_dir())):
            return f"{above.name} is {'a link' if above.is_symlink() else 'no folder'}; move it elsewhere."
        if path.is_symlink():
            return f"{name} is a link; move it elsewhere."
        if path.is_dir():
            return f"{name} is a folder; move it elsewhere."
        if self.on_disk(name) == NO_FILE:
            return f"{name} is not a file that can be read; move it elsewhere."
        return None

    def ours(self, name: str) -> bool:
        """Whether a file is missing or exactly as a build made it, so that it may be replaced."""
        told = self.on_disk(name)
        if told is None or (name, told) in self._known or told == self.manifest.pages.get(name):
            return True
        if name not in manifest.PAGES or told == NO_FILE:
            return False
        try:
            return is_marked(read_bytes(self.folder / name, manifest.LARGEST, follow=False))
        except OSError:
            return False

    def right(self, name: str, key: str) -> bool:
        """Whether an entry was verified for this key, and its files are unchanged."""
        record = self.manifest.entries.get(name)
        if record is None or self._cache.right.get(name) != self._held(name, key):
            return False
        return all(self.on_disk(file) == made.bytes for file, made in record.files.items())

    def pages_right(self, key: str) -> bool:
        """Whether the pages were verified for this key, and are unchanged."""
        made = self.manifest.pages
        return self._cache.right.get(PAGES) == self._held(PAGES, key) and all(
            self.on_disk(name) == made.get(name) for name in manifest.PAGES
        )

    def found_right(self, name: str, key: str) -> None:
        """Record that an entry, or the pages, have been verified."""
        self._cache.right[name] = self._held(name, key)

    def _held(self, name: str, key: str) -> str:
        """The value in the cache, which an edited record does not match."""
        return digest(key.encode(), encoded(self.manifest.entries.get(name)))

    def announce(self, name: str, record: Record) -> None:
        """Write to the journal what is about to be written."""
        if self._journal is None:
            raise RuntimeError("no build is at work")
        self._know(record)
        line = b"\n" + msgspec.json.encode(_Line(name, record)) + b"\n"  # the last line may be incomplete
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
        with _alone(folder):
            records = cls(folder)  # read after locking, as another build may just have ended
            try:
                records._journal = open_regular(folder / JOURNAL, "ab", follow=False)
            except OSError as error:
                reason = (error.strerror or "").lower()
                raise ConvanimError(
                    f"{folder} cannot be written to: {reason}", "use a folder in which you can write"
                ) from None
            with records._journal:
                try:
                    yield records
                finally:
                    records.save()
                    records._journal.close()
                    with contextlib.suppress(OSError):  # a remaining journal does no harm
                        (folder / JOURNAL).unlink()

    def save(self) -> None:
        """Write the manifest, if it changed, and the cache."""
        told = self.manifest.told()
        if of_bytes(told) != self._before or not (self.folder / MANIFEST).exists():
            with whole_file(self.folder / MANIFEST, follow=False) as file:
                file.write(told)
        there = {*self.manifest.entries, PAGES}
        self._cache.right = {name: key for name, key in self._cache.right.items() if name in there}
        self.save_cache()

    def save_cache(self) -> None:
        """Write the cache, if possible; without it the next check is slower, with the same result."""
        with contextlib.suppress(ConvanimError), whole_file(self.folder / CACHE, follow=False) as file:
            file.write(encoded(self._cache) + b"\n")

    def _know(self, record: Record) -> None:
        self._known.update((file, made.bytes) for file, made in record.files.items())

    def _journalled(self) -> Iterator[_Line]:
        try:
            lines = read_bytes(self.folder / JOURNAL, manifest.LARGEST, follow=False).splitlines()
        except OSError:
            return
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):  # the last line may be incomplete
                told = msgspec.json.decode(line, type=_Line)
                if all(map(possible, told.record.files)):
                    yield told


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Allow one build at a time, by a lock of the folder that the system releases however a build ends."""
    try:
        import fcntl
    except ImportError:  # Windows: every file is still replaced in one step
        yield
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConvanimError(f"another build is running in {folder}", "wait until it has finished") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(number)

"""Files that are written completely or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from convanim.errors import ConvanimError, reason

#: The names of temporary folders.
_PREFIX, _SUFFIX = ".convanim.", ".part"
#: The bytes that are kept before they are written: the images of an animation are small.
_BUFFER = 1 << 18
_NUMBER = re.compile(r"%(0?\d{0,2})d")


def numbered(path: Path) -> bool:
    """Whether a name is the pattern of a series of files: frame-%03d.png.

    Example:
        >>> numbered(Path("a-%03d.png")), numbered(Path("100%.png"))
        (True, False)
    """
    return bool(_NUMBER.search(path.name))


@contextmanager
def whole_file(path: Path, *, follow: bool = True, new: bool = False) -> Iterator[BinaryIO]:
    """Write to a temporary file beside the target and rename it on success; otherwise nothing is left.

    A replaced file keeps its mode.

    Args:
        follow: whether to write through links, pipes and devices; if false, they are refused.
        new: whether an existing file is an error rather than replaced.

    Raises:
        ConvanimError: the folder is missing or not writable, the disk is full, and the like.
    """
    with _refusals(path):
        mode = stat.S_IFREG
        with suppress(FileNotFoundError):
            mode = path.stat().st_mode  # refuses circular links and unreadable folders
        if path.is_symlink():
            if not follow:
                raise ConvanimError(f"{path} is a link", "remove it, or name another place")
            path = path.resolve()  # the link stays and points to the new file
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            if not follow:
                raise ConvanimError(f"{path} is not a regular file", "remove it, or name another place")
            with path.open("wb") as device:  # pipes and devices are written to, not replaced
                yield device
            return
        with _scratch(path) as folder:
            part = folder / "part"
            with part.open("wb", _BUFFER) as file:
                _keep_mode(part, path)
                yield file
            if new:
                _put_new(part, path)
            else:
                part.replace(path)


def _keep_mode(part: Path, target: Path) -> None:
    """Give a file the mode of the one that it replaces, so that nobody else can read it; a new one follows umask."""
    with suppress(FileNotFoundError):
        part.chmod(stat.S_IMODE(target.stat().st_mode) & 0o777)


def _put_new(part: Path, target: Path) -> None:
    """Give a file its name in one step, unless the name is taken."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise ConvanimError(f"{target} already exists", "use another name") from None
    except OSError:  # a file system without hard links, where the last of two simultaneous writers wins
        if os.path.lexists(target):
            raise ConvanimError(f"{target} already exists", "use another name") from None
        part.replace(target)


@contextmanager
def whole_series(pattern: Path) -> Iterator[Callable[[int], BinaryIO]]:
    """Write many files, all or none of which appear at the end: yields a function that opens the file of a number.

    Args:
        pattern: a path with %d or %03d in its name for the number.

    Raises:
        ConvanimError: as for `whole_file`.
    """
    with _refusals(pattern), _scratch(pattern) as folder:
        yield lambda number: (folder / str(number)).open("wb")
        targets = {part: pattern.with_name(_named(pattern.name, int(part.name))) for part in folder.iterdir()}
        for target in targets.values():
            if target.is_dir():
                raise ConvanimError(f"{target} is a folder", "use another name")
        for part, target in targets.items():
            _keep_mode(part, target)
            part.replace(target)


def _named(pattern: str, number: int) -> str:
    return _NUMBER.sub(lambda match: f"{number:{match[1]}d}", pattern)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn errors of the file system into a `ConvanimError`."""
    if "\0" in str(path):
        raise ConvanimError(f"{str(path)!r} has a zero byte in it", "use another name")
    try:
        yield
    except OSError as error:
        raise ConvanimError(
            f"{path} cannot be written: {reason(error)}", "choose a writable place with enough room"
        ) from None


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A temporary folder beside a target, removed at the end."""
    if path.is_dir():
        raise ConvanimError(f"{path} is a folder", f"name a file in this folder, like {path / 'up.gif'}")
    if not path.parent.is_dir():
        raise ConvanimError(
            f"the folder {path.parent} of {path.name} does not exist", "create it or name another folder"
        )
    _sweep(path.parent.resolve())
    with _held(path.parent) as folder:
        yield folder


@contextmanager
def _held(parent: Path) -> Iterator[Path]:
    """A temporary folder that is locked while it is in use, to distinguish it from that of a killed process."""
    import tempfile  # like `shutil`, slow to import, and not needed by commands that only print

    while True:
        with tempfile.TemporaryDirectory(prefix=_PREFIX, suffix=_SUFFIX, dir=parent) as name, lock(name, wait=True):
            if os.path.isdir(name):  # noqa: PTH112 - it may have been removed before it was locked
                yield Path(name)
                return


@cache
def _sweep(parent: Path) -> None:
    """Remove the temporary folders of killed processes; once for each folder, as it may have many files."""
    import shutil

    for left in parent.glob(f"{_PREFIX}*{_SUFFIX}"):
        with lock(left, wait=False) as idle:
            if idle:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def lock(folder: str | Path, *, wait: bool) -> Iterator[bool | None]:
    """The lock of a folder, which the system releases however a process ends.

    Waiting means waiting for another process that removes the folder. The value is false if another process has the
    lock, and None if the system or the disk has no locks, as on Windows. Writing does not need them, but folders of
    killed processes stay there.
    """
    number, held = -1, None
    try:
        import fcntl

        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        held = True
    except BlockingIOError:
        held = False
    except (ImportError, OSError):
        pass
    try:
        yield held
    finally:
        if number >= 0:
            os.close(number)

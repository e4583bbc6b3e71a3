"""Files that are there whole or not at all.

Knows temporary files and what a file system says no to. Must not know what is written.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from convanim.errors import ConvanimError

_NUMBER = re.compile(r"%(0?\d{0,2})d")


def numbered(path: Path) -> bool:
    """Whether a name stands for a series of files: frame-%03d.png.

    Example:
        >>> numbered(Path("a-%03d.png")), numbered(Path("100%.png"))
        (True, False)
    """
    return bool(_NUMBER.search(path.name))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write to a temporary file beside the target, and rename it when all is well; otherwise nothing is left.

    Raises:
        ConvanimError: the folder is missing or not writable, the disk is full, and the like.
    """
    if os.path.islink(path):  # noqa: PTH114 - unlike pathlib's it says no, rather than raising, to odd names
        path = path.resolve()  # the link stays, and leads to the new file
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112, PTH113
        with path.open("wb") as device:  # a pipe or a device is written to, not replaced
            yield device
        return
    with _scratch(path) as folder:
        part = folder / "part"
        with part.open("wb") as file:
            yield file
        part.replace(path)


@contextmanager
def whole_series(pattern: Path) -> Iterator[Callable[[int], BinaryIO]]:
    """Write many files, of which all appear in the end or none: yields what opens the file of a number.

    Args:
        pattern: a path whose name has %d or %03d where the number goes.

    Raises:
        ConvanimError: as for `whole_file`.
    """
    with _scratch(pattern) as folder:
        yield lambda number: (folder / str(number)).open("wb")
        targets = {part: pattern.with_name(_named(pattern.name, int(part.name))) for part in folder.iterdir()}
        for target in targets.values():
            if target.is_dir():
                raise ConvanimError(f"{target} is a folder", "use another name")
        for part, target in targets.items():
            part.replace(target)


def _named(pattern: str, number: int) -> str:
    return _NUMBER.sub(lambda match: f"{number:{match[1]}d}", pattern)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A folder beside a target, gone in the end; what the file system says no to is told as one sentence."""
    if "\0" in str(path):
        raise ConvanimError(f"{str(path)!r} has a zero byte in it", "use another name")
    try:
        if path.is_dir():
            raise ConvanimError(f"{path} is a folder", f"name a file in it, like {path / 'up.gif'}")
        if not path.parent.is_dir():
            raise ConvanimError(f"the folder {path.parent} of {path.name} does not exist", "make it or name another")
        with tempfile.TemporaryDirectory(prefix=".convanim.", suffix=".part", dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConvanimError(
            f"{path} cannot be written: {reason}", "name a place with room where you may write"
        ) from None

"""Input files as bytes or as TOML, read without waiting forever and without filling memory.

Knows which files are safe to read: regular ones of a bounded size, and TOML of a bounded depth. Must not know what is
in them. Everything that is wrong is an OSError or a ValueError whose text a caller puts into its own sentence.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

#: Bytes of a TOML file: more than any description, template, theme or catalogue has.
LARGEST_TOML = 1 << 20
#: Tables and lists inside one another, and parts of a dotted key: Python's parser takes memory for the square of them.
DEEPEST_TOML = 30
#: Of a whole number: 300 digits. Python itself refuses to read or to say one of more than some thousands.
_BITS = 1000
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
#: A key of too many parts, at the places where a key can stand: in a new line, in a table's head, in an inline table.
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{{DEEPEST_TOML}}}", re.MULTILINE)
# Without O_NONBLOCK, opening a pipe waits for its writer. Windows lacks these flags, and pipes among its files.
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_MODES = {"rb": os.O_RDONLY, "ab": os.O_WRONLY | os.O_APPEND | os.O_CREAT}


def open_regular(path: str | Path, mode: Literal["rb", "ab"] = "rb", *, follow: bool = True) -> BinaryIO:
    """Open a regular file. The opened file itself is checked, so a pipe cannot replace it after the check.

    Args:
        mode: "rb" to read, or "ab" to add to the end, without a buffer; then a file that is not there is made.
        follow: whether the path may be a symbolic link.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe, a device or a socket, or a link that is not followed.
        ValueError: the path has a zero byte.
    """
    if not follow and os.path.islink(path):  # noqa: PTH114 - pathlib's raises for odd names
        raise OSError(errno.ELOOP, "it is a link", str(path))

    def opener(name: str, _: int) -> int:
        # A signal may end this process between any two lines. The number belongs to the file as soon as there is
        # one, so it is never closed twice.
        number = os.open(name, _MODES[mode] | _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)), 0o666)
        kind = os.fstat(number).st_mode
        if stat.S_ISREG(kind):
            return number
        os.close(number)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        raise OSError(errno.EINVAL, "it is not a regular file", name)

    file: Any = open(path, mode, buffering=-1 if mode == "rb" else 0, opener=opener)  # noqa: SIM115
    return cast(BinaryIO, file)


def read_bytes(path: str | Path, most: int, *, follow: bool = True) -> bytes:
    """Read a regular file of at most `most` bytes.

    Raises:
        OSError, ValueError: as for `open_regular`, or the file is larger.

    Example:
        >>> try:
        ...     read_bytes(os.devnull, 100)
        ... except OSError as error:
        ...     print(error.strerror)
        it is not a regular file
    """
    with open_regular(path, follow=follow) as file:
        data = file.read(
            most + 1
        )  # not its size: a file may grow, and some of the system's own say that they are empty
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is not TOML, a whole number has more than 300 digits, or keys or values are nested too deeply.
            The text ends in the place, as `(at line 3, column 1)`, where that is known.

    Example:
        >>> parse_toml("a.b = 1")
        {'a': {'b': 1}}
        >>> parse_toml("a = 0x" + "f" * 400)
        Traceback (most recent call last):
            ...
        ValueError: a whole number has more than 300 digits (at line 1, column 1)
    """
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.end()) + 1
        raise ValueError(f"a key has more than {DEEPEST_TOML} parts (at line {line}, column 1)")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # Python's own limit for the digits of an int
        raise _too_long(text) from None
    level: list[Any] = [found]
    for _ in range(DEEPEST_TOML):
        level = [value for one in level for value in (one.values() if isinstance(one, dict) else one)]
        if any(isinstance(value, int) and value.bit_length() > _BITS for value in level):
            raise _too_long(text)
        level = [value for value in level if isinstance(value, dict | list)]
    if level:
        raise ValueError("it is nested too deeply")
    return found


def _too_long(text: str) -> ValueError:
    found = re.search(rf"[\dA-Fa-f_]{{{_BITS // 4}}}", text)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return ValueError(f"a whole number has more than 300 digits (at line {line}, column 1)")

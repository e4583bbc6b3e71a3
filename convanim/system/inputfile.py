"""Reads input files as bytes or TOML, without waiting forever and without filling memory.

Errors are an OSError or a ValueError whose text the caller puts into a message.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, cast

#: The maximum size of a TOML file in bytes; larger than any description, template, theme or catalogue.
LARGEST_TOML = 1 << 20
#: The maximum depth of nested tables, lists and dotted keys: Python's parser needs memory for its square.
DEEPEST_TOML = 30
#: The maximum size of a whole number, 300 digits. Python refuses to convert numbers of thousands of digits.
_BITS = 1000
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
#: A key with too many parts, wherever a key can be: at the start of a line, in a table's header, in an inline table.
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{{DEEPEST_TOML}}}", re.MULTILINE)
#: A key before its =, alone or with its tables: width, page.width, "page".width.
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
# Without O_NONBLOCK, opening a pipe waits for its writer. Windows has neither these flags nor pipes as files.
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_MODES = {"rb": os.O_RDONLY, "ab": os.O_WRONLY | os.O_APPEND | os.O_CREAT}


_Kind = TypeVar("_Kind", bound=type[Any])


def prepared(kind: _Kind) -> _Kind:
    """Have msgspec examine a type of files when it is defined: its first use in two threads at once ends Python."""
    import msgspec  # not needed by what reads other files

    msgspec.json.Decoder(kind)
    return kind


def open_regular(path: str | Path, mode: Literal["rb", "ab"] = "rb", *, follow: bool = True) -> BinaryIO:
    """Open a regular file. The opened file itself is checked, so a pipe cannot replace it after the check.

    Args:
        mode: "rb" to read, or "ab" to append without a buffer, which creates a missing file.
        follow: whether the path may be a symbolic link.

    Raises:
        OSError: the file cannot be opened, or is a folder, a pipe, a device or a socket, or a link without `follow`.
        ValueError: the path has a null byte.
    """
    if not follow and os.path.islink(path):  # noqa: PTH114 - pathlib's raises for odd names
        raise OSError(errno.ELOOP, "it is a link", str(path))

    def opener(name: str, _: int) -> int:
        # A signal may end this process between any two lines. The file owns the descriptor from the start, so it is
        # never closed twice.
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
        # Not by its size alone: files may grow, and some system files claim to be empty.
        data = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if data is None or len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        ValueError: it is not TOML, a whole number has more than 300 digits, or keys or values are nested too deeply.
            The text ends with the position, as `(at line 3, column 1)`, if that is known.

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


def line_of(text: str, key: tuple[str, ...]) -> int:
    """The line, from 1, of a key in a TOML text, or of its table; 0 if neither is found.

    Example:
        >>> line_of('theme = "dark"\\n[page]\\nwidth = 3\\n', ("page", "width"))
        3
    """
    table: tuple[str, ...] = ()
    best = (0, 0)
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\[\]#]+?)\s*\]", line):
            table = found = _parts(header[1])
        elif named := _KEY.match(line):
            found = (*table, *_parts(named[1]))
        else:
            continue
        if found == key[: len(found)] and len(found) > best[0]:
            best = len(found), number
    return best[1]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))

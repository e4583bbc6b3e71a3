"""The files that an entry names, and those that a template among them names in its turn.

Knows which keys name files, where those lie, and where a worker lays them. Must not know what is in them, but for the
two keys by which a template leads to other files beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from convanim import template, theme
from convanim.errors import ConvanimError
from convanim.gallery.description import FILE_KEYS, Entry
from convanim.inputfile import LARGEST_TOML, parse_toml, read_bytes
from convanim.source.files import ARRAYS, PICTURES

_FILES = (*ARRAYS, *PICTURES, ".toml")
MOST = 20  # files that a template leads to
LARGEST = 1 << 30  # bytes of a file: more than any array or picture that can be shown


def named(entry: Entry) -> Iterator[tuple[str, str]]:
    """The keys of an entry that name files, with the names.

    Example:
        >>> list(named(Entry(layer="Conv(2)", input="x.csv", kernel="2x2")))
        [('input', 'x.csv')]
    """
    for key in FILE_KEYS:
        text = getattr(entry, key)
        if isinstance(text, str) and _IS_FILE.get(key, _is_array_file)(text.strip()):
            yield key, text


def paths(root: Path, entry: Entry) -> dict[str, Path]:
    """Where the files lie that an entry needs, whether they are there or not, by the names that lead to them.

    Raises:
        ConvanimError: one lies outside the root.
    """
    found: dict[str, Path] = {}
    for key, text in named(entry):
        try:
            path, inside = (root / text.strip()).resolve(), root.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a zero byte, or links that go in a circle
            raise ConvanimError(f"{key} {text!r} cannot be read: {error}".lower(), "name another file") from None
        if not path.is_relative_to(inside):
            raise ConvanimError(f"{key} {text!r} lies outside {inside}", "move the file into the root of the gallery")
        found[text] = path
        if key == "template":
            for name, beside in _beside(path):
                found.setdefault(os.path.join(os.path.dirname(text), name), beside)  # noqa: PTH118, PTH120 - as typed
    return found


def contents(root: Path, entry: Entry) -> dict[str, bytes]:
    """What is in the files that an entry needs, by the names that lead to them.

    Raises:
        ConvanimError: one cannot be read, or lies outside the root.
    """
    found = {}
    for text, path in paths(root, entry).items():
        try:
            found[text] = read_bytes(path, LARGEST)
        except (OSError, ValueError) as error:
            key = next((key for key, own in named(entry) if own == text), "template")
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise ConvanimError(f"{key} {text!r} cannot be read: {reason}", "name an existing file") from None
    return found


def laid(name: str) -> PurePosixPath:
    """Where a worker lays a file, seen from its own folder: files that are beside one another stay so.

    Example:
        >>> str(laid("data/x.csv")), str(laid("../x.csv")), str(laid("/home/x.csv"))
        ('0/data/x.csv', '1/x.csv', 'whole/home/x.csv')
    """
    path = os.path.normpath(name.strip()).replace("\\", "/")
    parts = [part for part in PurePosixPath(path).parts if part != "/"]
    up = parts.count("..")  # at the beginning, after norming
    first = "whole" if os.path.isabs(name.strip()) else str(up)  # noqa: PTH117 - as typed
    return PurePosixPath(first, *(part.replace(":", "") for part in parts[up:]))


def _is_array_file(text: str) -> bool:
    return text.lower().endswith(_FILES)


#: Whether a text names a file: what the stage that reads it says. Other keys are arrays.
_IS_FILE = {"template": template.is_file, "theme": theme.is_file}


def _beside(own: Path) -> Iterator[tuple[str, Path]]:
    """The files that a template leads to: what it extends, and their themes. What is wrong with it is told later."""
    folder, waiting, met = own.parent, [own.name], set[Path]()
    while waiting and len(met) <= MOST:
        name = waiting.pop()
        path = Path(os.path.normpath(folder / name))
        if path in met or not path.is_file() or not path.resolve().is_relative_to(folder):
            continue
        met.add(path)
        if path != own:
            yield name, path
        try:
            table = parse_toml(read_bytes(path, LARGEST_TOML).decode("utf-8-sig"))
        except (OSError, ValueError):
            continue
        for key, is_file in (("extends", template.is_file), ("theme", theme.is_file)):
            other = table.get(key)
            if isinstance(other, str) and is_file(other):
                waiting.append(os.path.join(os.path.dirname(name), other))  # noqa: PTH118, PTH120 - as typed

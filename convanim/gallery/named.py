"""The files that an entry names, and those that its template names in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from convanim import template
from convanim.draw import theme
from convanim.errors import ConvanimError
from convanim.gallery.description import FILE_KEYS, Entry
from convanim.system.inputfile import LARGEST_TOML, parse_toml, read_bytes
from convanim.typed.files import ARRAYS, PICTURES

_FILES = (*ARRAYS, *PICTURES, ".toml")
MOST = 20  # the maximum number of files that a template refers to
LARGEST = 1 << 30  # bytes of a file; larger than any array or picture that can be shown


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
    """The paths of the files that an entry needs, existing or not, by the names that refer to them.

    Raises:
        ConvanimError: a file is outside the root.
    """
    found: dict[str, Path] = {}
    for key, text in named(entry):
        try:
            path, inside = (root / text.strip()).resolve(), root.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, or circular links
            raise ConvanimError(f"{key} {text!r} cannot be read: {error}".lower(), "name another file") from None
        if not path.is_relative_to(inside):
            raise ConvanimError(f"{key} {text!r} lies outside {inside}", "move the file into the root of the gallery")
        found[text] = path
        if key == "template":
            for name, beside in _beside(path):
                found.setdefault(os.path.join(os.path.dirname(text), name), beside)  # noqa: PTH118, PTH120 - as typed
    return found


def contents(root: Path, entry: Entry) -> dict[str, bytes]:
    """The contents of the files that an entry needs, by the names that refer to them.

    Raises:
        ConvanimError: a file cannot be read, or is outside the root.
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
    """The path of a file relative to a worker's folder, which keeps files beside each other.

    Example:
        >>> str(laid("data/x.csv")), str(laid("../x.csv")), str(laid("/home/x.csv"))
        ('0/data/x.csv', '1/x.csv', 'whole/home/x.csv')
    """
    path = os.path.normpath(name.strip()).replace("\\", "/")
    parts = [part for part in PurePosixPath(path).parts if part != "/"]
    up = parts.count("..")  # leading ones, in a normalised path
    first = "whole" if os.path.isabs(name.strip()) else str(up)  # noqa: PTH117 - as typed
    return PurePosixPath(first, *(part.replace(":", "") for part in parts[up:]))


def _is_array_file(text: str) -> bool:
    return text.lower().endswith(_FILES)


#: The functions that decide whether a text names a file. Other keys are arrays.
_IS_FILE = {"template": template.is_file, "theme": theme.is_file}


def _beside(own: Path) -> Iterator[tuple[str, Path]]:
    """The files that a template refers to: its bases, and their themes. Errors in it are reported later."""
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

"""Reads descriptions as TOML tables, and merges them with those that they extend."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from convanim.errors import ConvanimError
from convanim.gallery.description import check_name, line_of
from convanim.system.inputfile import LARGEST_TOML, parse_toml, read_bytes

DEEPEST = 20  # the maximum depth of entries that extend each other
SETTINGS = "gallery.toml"

#: The keys of a description including inherited ones, and the depth of its bases.
_Whole = tuple[dict[str, Any], int]


class Tables:
    """The descriptions of one folder.

    Attributes:
        names: all names, sorted.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._bases = path, dict[str, _Whole]()
        try:
            self.names = sorted(file.name[:-5] for file in path.iterdir() if is_description(file.name))
        except OSError as error:
            raise ConvanimError(f"{path} cannot be read: {(error.strerror or '').lower()}", "name another") from None
        self._there = frozenset(self.names)

    def own(self, name: str) -> tuple[dict[str, Any], str]:
        """A description without what it extends: its table, and its text.

        Raises:
            ConvanimError: the name or the file is invalid.
        """
        check_name(name)
        return read_table(self._path / f"{name}.toml")

    def whole(self, name: str, above: tuple[str, ...] = ()) -> _Whole:
        """A description merged with what it extends; later keys win. Each base is merged once.

        Args:
            above: the descriptions that extend it.

        Raises:
            ConvanimError: it cannot be read, or extends a missing description, itself, or too many.
        """
        table, text = self.own(name)
        bases = table.pop("extends", [])
        line = line_of(text, "extends")
        at = f"{name}.toml line {line}" if line else f"{name}.toml"
        bases = [bases] if isinstance(bases, str) else bases
        if not isinstance(bases, list) or not all(isinstance(other, str) for other in bases):
            raise ConvanimError(f"{at}: extends is not a name or a list of names", 'write extends = "up"')
        found, deep, chain = dict[str, Any](), 0, (*above, name)
        for other in bases:
            if other in chain:
                raise ConvanimError(
                    f"{at}: {' extends '.join((*chain, other))}, which is circular", "remove one of these keys"
                )
            if other not in self._there:
                raise ConvanimError(f"{at}: extends {other[:60]!r}, which does not exist", near(other, self.names))
            if other not in self._bases and len(chain) <= DEEPEST:
                try:
                    self.own(other)
                except ConvanimError:  # the base itself reports the reason
                    raise ConvanimError(
                        f"{at}: extends {other!r}, which cannot be read", f"correct {other}.toml"
                    ) from None
                self._bases[other] = self.whole(other, chain)
            inherited, below = self._bases.get(other, ({}, DEEPEST))
            deep = max(deep, below + 1)
            if deep > DEEPEST:
                raise ConvanimError(f"{at}: more than {DEEPEST} entries extend one another", "extend fewer entries")
            found |= inherited
        return found | table, deep


def placed(folder: Path, name: str, key: str) -> str:
    """The file and line of an entry's key: in its own file, in what it extends, or in the folder's defaults.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.toml").write_text('extends = "_b"')
        ...     _ = (Path(folder) / "_b.toml").write_text('layer = "Conv(2)"\\nwidth = 640')
        ...     placed(Path(folder), "a", "width"), placed(Path(folder), "a", "height")
        ('_b.toml line 2', 'a.toml')
    """
    for file, text in _texts(folder, name, set()):
        line = line_of(text, key)
        if line:
            return f"{file} line {line}"
    return f"{name}.toml"


def _texts(folder: Path, name: str, met: set[str]) -> Iterator[tuple[str, str]]:
    """The texts that may contain a key of an entry, the one that wins first."""
    first = not met
    met.add(name)
    try:
        table, text = read_table(folder / f"{name}.toml")
    except ConvanimError:  # reported elsewhere
        return
    yield f"{name}.toml", text
    bases = table.get("extends", [])
    for other in reversed([bases] if isinstance(bases, str) else bases if isinstance(bases, list) else []):
        if isinstance(other, str) and other not in met:
            yield from _texts(folder, other, met)
    if first and (folder / SETTINGS).exists():
        text = read_table(folder / SETTINGS)[1]
        before = re.match(r"(?s).*?^\s*\[\s*defaults\s*\]", text, re.MULTILINE)
        yield SETTINGS, "\n" * text.count("\n", 0, before.end()) + text[before.end() :] if before else ""


def read_table(path: Path) -> tuple[dict[str, Any], str]:
    """The table of a TOML file, and its text.

    Raises:
        ConvanimError: the file cannot be read, or is not TOML.
    """
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
            raise ConvanimError(f"{path.name} is a link that leaves its folder", "replace the link by the file")
        text = read_bytes(path, LARGEST_TOML).decode()
    except (OSError, RuntimeError) as error:  # RuntimeError: circular links
        reason = (getattr(error, "strerror", None) or "it is a link to itself").lower()
        large = isinstance(error, OSError) and error.errno == errno.EFBIG
        raise ConvanimError(
            f"{path.name} cannot be read: {reason}",
            "put arrays into a .npy or .csv file" if large else "make the file readable",
        ) from None
    except UnicodeDecodeError as error:
        raise ConvanimError(f"{path.name} is not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    try:
        return parse_toml(text.removeprefix("\ufeff")), text
    except ValueError as error:
        what = " ".join(str(error).split())[:200]
        raise ConvanimError(f"{path.name} is not TOML: {what}", 'write lines like layer = "Conv(3)"') from None


def is_description(file: str) -> bool:
    """Whether a file name is that of a description; names with a leading dot belong to editors or the system.

    Example:
        >>> [is_description(name) for name in ("up.toml", "gallery.toml", ".#up.toml", "up.gif")]
        [True, False, False, False]
    """
    return file.endswith(".toml") and file != SETTINGS and not file.startswith(".")


def near(word: str, known: list[str]) -> str:
    """A hint for an unknown word."""
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]}" if close else f"use one of {', '.join(known[:40])}"

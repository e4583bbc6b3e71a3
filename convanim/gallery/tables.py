"""Reads a gallery's TOML files: descriptions merged with those that they extend, and the settings of the gallery.

An error names the file, the line and the key.
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from convanim.errors import ConvanimError, reason, shortly
from convanim.gallery.description import FIELDS, Entry, Pair, Section, Settings, check_name
from convanim.system.inputfile import LARGEST_TOML, line_of, parse_toml, read_bytes

SETTINGS = "gallery.toml"
DEEPEST = 20  # the maximum depth of entries that extend each other
#: A scheme that a link may not have: any but these.
_SCHEME = re.compile(r"(?!(?:https?|mailto):)[^/?#:]*:", re.IGNORECASE)
#: How required keys are written.
_FORMS = {
    **{"layer": 'layer = "Conv(3, stride=2)"', "input": 'input = "5x5"'},
    **{"title": 'title = "Poolings"', "suffix": 'suffix = "-page"'},
}

#: The keys of a description with those it inherits, each with its value and its file, and the depth of its bases.
_Whole = tuple[dict[str, tuple[Any, str]], int]


class Tables:
    """The descriptions of one folder as they are written, and its settings.

    Attributes:
        names: all names, sorted. Files with a leading dot belong to editors or the system.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._bases = path, dict[str, _Whole]()
        try:
            files = [file.name for file in path.iterdir() if file.suffix == ".toml" and file.name != SETTINGS]
        except OSError as error:
            raise ConvanimError(f"{path} cannot be read: {reason(error)}", "name another") from None
        self.names = dict.fromkeys(sorted(file[:-5] for file in files if not file.startswith(".")))
        self.settings = _settings(path / SETTINGS) if (path / SETTINGS).exists() else Settings()

    def own(self, name: str) -> dict[str, Any]:
        """A description without what it extends."""
        check_name(name)
        return _read_table(self.path / f"{name}.toml")[0]

    def whole(self, name: str, above: tuple[str, ...] = ()) -> _Whole:
        """A description merged with what it extends; later keys win. Each base is merged once.

        Args:
            above: the descriptions that extend it.
        """
        table = self.own(name)
        bases = table.pop("extends", [])
        bases = [bases] if isinstance(bases, str) else bases
        found, deep, chain = dict[str, tuple[Any, str]](), 0, (*above, name)

        def wrong(told: str, hint: str) -> ConvanimError:
            return ConvanimError(f"{_at(self.path / f'{name}.toml', 'extends')}: {told}", hint)

        if not isinstance(bases, list) or not all(isinstance(other, str) for other in bases):
            raise wrong("extends is not a name or a list of names", 'write extends = "up"')
        for other in bases:
            if other in chain:
                raise wrong(f"{' extends '.join((*chain, other))}, which is circular", "remove one of these keys")
            if other not in self.names:
                raise wrong(f"extends {other[:60]!r}, which does not exist", near(other, self.names))
            if other not in self._bases and len(chain) <= DEEPEST:
                try:
                    self.own(other)
                except ConvanimError:  # the base itself reports the reason
                    raise wrong(f"extends {other!r}, which cannot be read", f"correct {other}.toml") from None
                self._bases[other] = self.whole(other, chain)
            inherited, below = self._bases.get(other, ({}, DEEPEST))
            deep = max(deep, below + 1)
            if deep > DEEPEST:
                raise wrong(f"more than {DEEPEST} entries extend one another", "extend fewer entries")
            found |= inherited
        return found | {key: (value, f"{name}.toml") for key, value in table.items()}, deep

    def entry(self, name: str) -> Entry:
        """A description as an entry, with its defaults."""
        table = self.settings.defaults | {key: value for key, (value, _) in self.whole(name)[0].items()}
        for key in table:
            if key not in FIELDS:
                raise ConvanimError(f"{self.place(name, key)}: {key!r} is not a key", near(key, [*FIELDS, "extends"]))
        entry: Entry = _convert(table, Entry, partial(self.place, name))
        return entry

    def place(self, name: str, key: str = "") -> str:
        """The file and line of an entry's key: in its own file, in what it extends, or in the folder's defaults."""
        with suppress(ConvanimError):  # files that have changed meanwhile
            file = self.whole(name)[0].get(key, ("", SETTINGS if key in self.settings.defaults else f"{name}.toml"))[1]
            return _at(self.path / file, *(["defaults"] if file == SETTINGS else []), key)
        return f"{name}.toml"


def _at(path: Path, *key: str) -> str:
    """The name of a TOML file, with the line of a key if it is found."""
    line = line_of(_read_table(path)[1], key)
    return f"{path.name} line {line}" if line else path.name


def _read_table(path: Path) -> tuple[dict[str, Any], str]:
    """The table of a TOML file, and its text."""
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
            raise ConvanimError(f"{path.name} is a link that leaves its folder", "replace the link by the file")
        text = read_bytes(path, LARGEST_TOML).decode()
    except (OSError, RuntimeError) as error:  # RuntimeError: circular links
        why = reason(error) if isinstance(error, OSError) else "it is a link to itself"
        large = getattr(error, "errno", None) == errno.EFBIG
        hint = "put arrays into a .npy or .csv file" if large else "make the file readable"
        raise ConvanimError(f"{path.name} cannot be read: {why}", hint) from None
    except UnicodeDecodeError as error:
        raise ConvanimError(f"{path.name} is not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    try:
        return parse_toml(text.removeprefix("\ufeff")), text
    except ValueError as error:
        what = " ".join(str(error).split())[:200]
        raise ConvanimError(f"{path.name} is not TOML: {what}", 'write lines like layer = "Conv(3)"') from None


def _settings(path: Path) -> Settings:
    made: Settings = _convert(_read_table(path)[0], Settings, partial(_at, path))
    for key in made.defaults:
        if key not in FIELDS:
            told = f"{_at(path, 'defaults', key)}: {key!r} is not a key of an entry"
            raise ConvanimError(told, near(key, [*FIELDS, "extends"]))
    for label, address in made.links.items():
        # Browsers ignore control characters and leading blanks in a scheme, so neither is allowed.
        if not address.isprintable() or address != address.strip() or _SCHEME.match(address):
            told = f"{shortly(address)}, the address of {shortly(label)}, does not begin with https:"
            raise ConvanimError(
                f"{_at(path, 'links')}: {told}",
                "write an address that begins with http:, https: or mailto:, or a relative one like ../README.md",
            )
    if re.match(r"[/\\]|[A-Za-z]:", made.root):
        raise ConvanimError(f"{_at(path, 'root')}: root {made.root!r} is absolute", 'write it like ".."')
    return made


def _convert(table: dict[str, Any], kind: type[Any], at: Callable[..., str]) -> Any:
    """A table as a struct; `at` returns the place of a key, given with its tables, or that of the file."""
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, ValueError) as error:
        told, _, place = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", place)[0]
        above = [key] if key else []
        if unknown := re.search(r"unknown field `([^`]*)`", told):
            part: type[Any] = {"sections": Section, "pair": Pair}.get(key, kind)
            hint = near(unknown[1], (field.name for field in msgspec.structs.fields(part)))
            raise ConvanimError(f"{at(*above, unknown[1])}: {unknown[1]!r} is not a key", hint) from None
        if missing := re.search(r"required field `([^`]*)`", told):
            raise ConvanimError(f"{at(*above)} has no {missing[1]}", f"write {_FORMS[missing[1]]}") from None
        told = told.replace("`", "").replace("Expected", "needs").replace(" | null", "").replace("array", "list")
        raise ConvanimError(f"{at(key)}: {key} {told}", "see docs/gallery.md for its values") from None


def near(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word."""
    close = difflib.get_close_matches(word, names := list(known), 1)
    return f"did you mean {close[0]}" if close else f"use one of {', '.join(names[:40])}"

"""Reads a gallery's folder: each TOML file becomes an entry, with defaults and inherited keys.

Values that only a later stage can check are checked there; `Folder.placed` adds their file and line to the message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from convanim.errors import ConvanimError, shortly
from convanim.gallery import tables
from convanim.gallery.description import (
    FIELDS,
    FILE_KEYS,
    Entry,
    Pair,
    Section,
    Settings,
    check_name,
    files_of,
    is_address,
    line_of,
)
from convanim.gallery.named import contents, named
from convanim.gallery.tables import SETTINGS, Tables, near


@dataclass(frozen=True)
class Folder:
    """The descriptions of a gallery.

    Attributes:
        path: the folder.
        entries: the entries by name, sorted; those whose names begin with _ only serve as bases.
        broken: error messages of the other entries by name, with file, line and key.
        inputs: the files of this folder that any entry reads, in lower case; they are never overwritten.
    """

    path: Path
    settings: Settings
    entries: dict[str, Entry]
    broken: dict[str, str] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()

    @property
    def root(self) -> Path:
        """The folder that file names and commands are relative to."""
        return self.path / self.settings.root

    def files(self, name: str) -> dict[str, bytes]:
        """The contents of the files that an entry names, by name.

        Raises:
            ConvanimError: a file cannot be read, or is outside the gallery's root.
        """
        return contents(self.root, self.entries[name])

    def placed(self, name: str, told: str) -> str:
        """A message about an entry, preceded by the file to repair and the line of the key."""
        key = re.split(r"[ =]", told.removeprefix("--"), maxsplit=1)[0].replace("-", "_").strip("'\"")
        # An error inside a layer is on the layer's line.
        if key not in FIELDS and key in self.entries[name].layer:
            key = "layer"
        return f"{tables.placed(self.path, name, key)}: {told}"


def read_folder(path: str | Path) -> Folder:
    """Read a gallery. An entry that cannot be read does not stop the others, and is listed in `broken`.

    Raises:
        ConvanimError: the folder does not exist, or its gallery.toml is invalid.
    """
    path = Path(path)
    if not path.is_dir():
        raise ConvanimError(
            f"{path} is not a folder", "name the folder with the descriptions, or create one with convanim new"
        )
    settings = _settings(path / SETTINGS)
    broken: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    given = Tables(path)
    _check_named(settings, given.names)
    for name in given.names:
        try:
            if name.startswith("_"):
                given.own(name)
            else:
                entries[name] = _typed(name, settings.defaults | given.whole(name)[0], path)
        except ConvanimError as error:
            told = str(error)
            broken[name] = told if re.match(r"\S+\.toml\b", told) else f"{name}.toml: {told}"
    inputs = _inputs(path, path / settings.root, entries)
    for name, told in list(_taken(entries, inputs)):
        broken[name] = f"{name}.toml: {told}"
        del entries[name]
    return Folder(path, settings, entries, broken, frozenset(inputs))


def _check_named(settings: Settings, names: list[str]) -> None:
    """Raise an error if the pages name an entry that does not exist."""
    told = (
        ("hero", [settings.hero] if settings.hero else []),
        ("entries", [n for s in settings.sections for n in s.entries]),
    )
    for key, entries in told:
        for name in entries:
            if name not in names:
                raise ConvanimError(f"{SETTINGS}: {key} names {name[:60]!r}, which does not exist", near(name, names))


def _inputs(folder: Path, root: Path, entries: dict[str, Entry]) -> dict[str, str]:
    """The files of a folder that its entries read, in lower case, each with one of these entries."""
    texts = {text: name for name in reversed(entries) for _, text in named(entries[name]) if "\0" not in text}
    inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - text with a final slash
    found = {os.path.realpath(root / text.strip()): name for text, name in texts.items()}
    return {
        path[len(inside) :].replace(os.sep, "/").lower(): name
        for path, name in found.items()
        if path.startswith(inside)
    }


def _taken(entries: dict[str, Entry], inputs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Entries with a file that is also another entry's, or is read by one, on a case-insensitive disk."""
    seen: dict[str, str] = {}
    for name, entry in entries.items():
        files = {file.lower(): file for file in files_of(name, entry)}
        read = next((file for file in files if file in inputs), None)
        same = next((file for file in files if file in seen), None)
        if read:
            reader = "its" if inputs[read] == name else f"{inputs[read]}.toml's"
            yield name, f"its file {files[read]} is also {reader} input; give it another stem, or rename the input."
        elif same:
            yield name, f"its file {files[same]} is also that of {seen[same]}.toml; give one of them another stem."
        else:
            seen |= dict.fromkeys(files, name)


def _settings(path: Path) -> Settings:
    if not path.exists():
        return Settings()
    table, text = tables.read_table(path)

    def at(key: str) -> str:
        line = line_of(text, key)
        return f"{path.name} line {line}" if line else path.name

    made: Settings = _convert(table, Settings, at)
    for key in made.defaults:
        if key not in FIELDS:
            raise ConvanimError(f"{at(key)}: {key!r} is not a key of an entry", _near(key))
    for label, address in made.links.items():
        if not is_address(address):
            raise ConvanimError(
                f"{at('links')}: {shortly(address)}, the address of {shortly(label)}, does not begin with https:",
                "write an address that begins with http:, https: or mailto:, or a relative one like ../README.md",
            )
    if re.match(r"[/\\]|[A-Za-z]:", made.root):
        raise ConvanimError(f"{at('root')}: root {made.root!r} is absolute", 'write it like ".."')
    return made


def _typed(name: str, table: dict[str, Any], folder: Path) -> Entry:
    """The entry for a description's keys."""

    def at(key: str) -> str:
        return tables.placed(folder, name, key)

    for key in table:
        if key not in FIELDS:
            raise ConvanimError(f"{at(key)}: {key!r} is not a key", _near(key))
    for key, form in (("layer", 'layer = "Conv(3, stride=2)"'), ("input", 'input = "5x5"')):
        if key not in table:
            raise ConvanimError(f"{name}.toml has no {key}", f"write {form}")
    entry: Entry = _convert(table, Entry, at)
    wrong = next(_wrong(entry), None)
    if wrong:
        key, what, hint = wrong
        raise ConvanimError(f"{at(key)}: {what}", hint)
    if any(str(getattr(entry, key)).strip() == "-" for key in FILE_KEYS):
        raise ConvanimError(f"{name}.toml reads from standard input", "name a file")
    return entry


def _wrong(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """The invalid values of an entry for any layer: key, message, hint."""
    if not entry.formats or len({kind.lower() for kind in entry.formats}) < len(entry.formats):
        yield "formats", f"formats {list(entry.formats)} are empty or contain a format twice", 'write ["gif"]'
    for kind in entry.formats:
        if not re.fullmatch("[a-z0-9]{1,8}", kind):
            yield "formats", f"formats has {kind!r}, which is not a suffix", 'write ["gif"]'
    for key in ("stem", "replaces"):
        value = getattr(entry, key)
        if value is not None:
            try:
                check_name(value, key)
            except ConvanimError as error:
                yield key, *error.args
    for key in FIELDS:
        value = getattr(entry, key)
        if isinstance(value, int | float | list) and not _kept(value):
            yield key, f"{key} contains a value that is not a finite number", "write numbers like 0.5"


def _kept(value: Any) -> bool:
    """Whether JSON preserves a value: no date, infinity or NaN."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):
        return False


def _convert(table: dict[str, Any], kind: type[Any], at: Callable[[str], str]) -> Any:
    """A table as a struct; `at` returns the place of a key."""
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, ValueError) as error:
        told, _, place = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", place)[0]
        unknown = re.search(r"unknown field `([^`]*)`", told)
        if unknown:
            parts: dict[str, type[Any]] = {"sections": Section, "pair": Pair}
            known = [f.name for f in msgspec.structs.fields(parts.get(key, kind))]
            raise ConvanimError(f"{at(unknown[1])}: {unknown[1]!r} is not a key", _near(unknown[1], known)) from None
        what = told.replace("`", "").replace("Expected", "needs").replace(" | null", "").replace("array", "list")
        raise ConvanimError(f"{at(key)}: {key} {what}", "see docs/gallery.md for its values") from None


def _near(key: str, known: list[str] | None = None) -> str:
    return near(key, known if known is not None else [*FIELDS, "extends"])

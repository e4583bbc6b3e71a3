"""A gallery's folder read: each small TOML file as an entry, with defaults and with what it extends.

Knows files and lines. Must not know what a layer means or how anything is drawn: a value that only a later stage can
judge is judged there, and comes back here to be told with its file and line (`Folder.placed`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from convanim.errors import ConvanimError
from convanim.gallery.description import (
    FIELDS,
    FILE_KEYS,
    Entry,
    Pair,
    Section,
    Settings,
    check_name,
    files_of,
    line_of,
)
from convanim.gallery.packed import Packed

LARGEST = 1 << 20  # bytes of a description: the arrays of a picture belong into a file of their own
DEEPEST = 20  # entries that extend one another
SETTINGS = "gallery.toml"
_FILES = (".npy", ".csv", ".tsv", ".png", ".jpg", ".jpeg", ".bmp", ".toml")
_KEPT = 1000  # descriptions that others extend, and that are kept while the folder is read

#: A description as it stands: its table, and its text.
Raw = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Folder:
    """A gallery as it is described.

    Attributes:
        path: the folder.
        entries: by name, in the order of their names; those that begin with _ are only there to be extended.
        broken: what is wrong with the others, by name, as a sentence with file, line and key.
    """

    path: Path
    settings: Settings
    entries: Packed[Entry]
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """From where files are named and commands are typed."""
        return self.path / self.settings.root

    def files(self, name: str) -> dict[str, bytes]:
        """The contents of the files that an entry names, by name.

        Raises:
            ConvanimError: one cannot be read, or lies outside the gallery's root.
        """
        found = {}
        for key in FILE_KEYS:
            text = self.entries[name].text(key)
            if text is None or not text.strip().lower().endswith(_FILES):
                continue
            path, root = (self.root / text.strip()).resolve(), self.root.resolve()
            if not path.is_relative_to(root):
                raise ConvanimError(f"{key} {text!r} lies outside {root}", "put the file into the gallery's root")
            try:
                found[text] = path.read_bytes()
            except (OSError, ValueError) as error:
                reason = (getattr(error, "strerror", None) or str(error)).lower()
                raise ConvanimError(f"{key} {text!r} cannot be read: {reason}", "name a file that is there") from None
        return found

    def placed(self, name: str, told: str) -> str:
        """A sentence about an entry with its file in front, and the line of the key that it begins with."""
        path = self.path / f"{name}.toml"
        key = re.split(r"[ =]", told.removeprefix("--"), maxsplit=1)[0].replace("-", "_").strip("'\"")
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        # What is wrong with a word inside a layer is wrong on the layer's line.
        line = line_of(text, key) or (line_of(text, "layer") if key in self.entries[name].layer else None)
        return f"{path.name}{f' line {line}' if line else ''}: {told}"


def read_folder(path: str | Path) -> Folder:
    """Read a gallery. An entry that cannot be read stops no other: it is told in `broken`.

    Raises:
        ConvanimError: there is no such folder, or its gallery.toml is wrong.
    """
    path = Path(path)
    if not path.is_dir():
        raise ConvanimError(f"{path} is not a folder", "name the folder that holds the descriptions")
    settings = _settings(path / SETTINGS)
    broken: dict[str, str] = {}
    entries = Packed(Entry)
    try:
        names = sorted(file.stem for file in path.iterdir() if _is_description(file.name))
    except OSError as error:
        raise ConvanimError(f"{path} cannot be read: {(error.strerror or '').lower()}", "name another") from None
    there = frozenset(names)
    for key, named in (("hero", [settings.hero]), ("entries", [n for s in settings.sections for n in s.entries])):
        for other in named:
            if other is not None and other not in there:
                raise ConvanimError(f"{SETTINGS}: {key} names {other[:60]!r}, which is not there", _near(other, names))

    @lru_cache(_KEPT)
    def base(name: str) -> Raw | None:
        """A description that another one extends; None where there is none, or it is told elsewhere as broken."""
        try:
            return _read(path, name) if name in there else None
        except ConvanimError:
            return None

    for name in names:
        try:
            raw = _read(path, name)
        except ConvanimError as error:
            broken[name] = f"{name}.toml: {error}" if not str(error).startswith(name) else str(error)
            continue
        if name.startswith("_"):
            continue
        try:
            entries[name] = _typed(name, raw, base, names, settings.defaults)
        except ConvanimError as error:
            broken[name] = str(error)
    for name, other, file in _twice(entries):
        broken[name] = f"{name}.toml: its file {file} is also that of {other}.toml; give one of them another stem."
        del entries[name]
    return Folder(path, settings, entries, broken)


def _is_description(file: str) -> bool:
    return file.endswith(".toml") and file not in (SETTINGS, ".toml")


def _read(folder: Path, name: str) -> Raw:
    check_name(name)
    return _table(folder / f"{name}.toml")


def _twice(entries: Mapping[str, Entry]) -> list[tuple[str, str, str]]:
    """The entries whose file is also another's, on a disk that does not tell A from a."""
    seen: dict[str, str] = {}
    found = []
    for name, entry in entries.items():
        same = [(seen[f.lower()], f) for f in files_of(name, entry) if f.lower() in seen]
        if same:
            found.append((name, *same[0]))
        else:
            seen |= {f.lower(): name for f in files_of(name, entry)}
    return found


def _settings(path: Path) -> Settings:
    if not path.exists():
        return Settings()
    table, text = _table(path)
    made: Settings = _convert(path.name, table, Settings, text)
    for key in made.defaults:
        if key not in FIELDS:
            raise ConvanimError(f"{_at(path.name, text, key)}: {key!r} is no key of an entry", _near(key))
    if re.match(r"[/\\]|[A-Za-z]:", made.root):
        raise ConvanimError(f"{_at(path.name, text, 'root')}: root {made.root!r} is absolute", 'write it like ".."')
    return made


def _table(path: Path) -> Raw:
    """A TOML file as it stands, and its text."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConvanimError(
                f"{path.name} has {path.stat().st_size >> 20} MB", "put arrays into a .npy or .csv file"
            )
        text = path.read_bytes().decode()
    except OSError as error:
        raise ConvanimError(f"{path.name} cannot be read: {(error.strerror or '').lower()}", "mend it") from None
    except UnicodeDecodeError as error:
        raise ConvanimError(f"{path.name} is not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    try:
        return msgspec.toml.decode(text.removeprefix("\ufeff")), text
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        what = " ".join(str(error).split())[:200]
        raise ConvanimError(f"{path.name} is not TOML: {what}", 'write lines like layer = "Conv(3)"') from None


def _typed(name: str, raw: Raw, base: Callable[[str], Raw | None], names: list[str], defaults: dict[str, Any]) -> Entry:
    """An entry of a description; `base` gives the others, and `names` are all there are."""
    table = defaults | dict(_chain(name, raw, base, names, ()))
    table.pop("extends", None)
    text = raw[1]
    for key in table:
        if key not in FIELDS:
            raise ConvanimError(f"{_at(f'{name}.toml', text, key)}: {key!r} is no key", _near(key))
    for key, form in (("layer", 'layer = "Conv(3, stride=2)"'), ("input", 'input = "5x5"')):
        if key not in table:
            raise ConvanimError(f"{name}.toml has no {key}", f"write {form}")
    entry: Entry = _convert(f"{name}.toml", table, Entry, text)
    wrong = next(_wrong(entry), None)
    if wrong:
        key, what, hint = wrong
        raise ConvanimError(f"{_at(f'{name}.toml', text, key)}: {what}", hint)
    if any((entry.text(key) or "").strip() == "-" for key in FILE_KEYS):
        raise ConvanimError(f"{name}.toml reads from standard input", "name a file")
    return entry


def _wrong(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """What of an entry cannot be, whatever the layer: key, what is wrong, what to type instead."""
    if not entry.formats or len({kind.lower() for kind in entry.formats}) < len(entry.formats):
        yield "formats", f"formats {list(entry.formats)} are none, or one twice", 'write ["gif"]'
    for kind in entry.formats:
        if not re.fullmatch("[a-z0-9]{1,8}", kind):
            yield "formats", f"formats has {kind!r}, which is no suffix", 'write ["gif"]'
    for key in ("stem", "replaces"):
        value = getattr(entry, key)
        if value is not None:
            try:
                check_name(value, key)
            except ConvanimError as error:
                yield key, error.message, error.hint
    for key in FIELDS:
        value = getattr(entry, key)
        if isinstance(value, int | float | list) and not _kept(value):
            yield key, f"{key} holds a value that is no finite number", "write numbers like 0.5"


def _kept(value: Any) -> bool:
    """Whether JSON keeps a value as it is: no date, infinity or NaN."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (OverflowError, RecursionError, msgspec.MsgspecError):
        return False


def _chain(
    name: str, raw: Raw, base: Callable[[str], Raw | None], names: list[str], below: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """The keys of an entry after those of what it extends, so that later ones win."""
    table, text = raw
    bases = table.get("extends", [])
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not all(isinstance(other, str) for other in bases):
        at = _at(f"{name}.toml", text, "extends")
        raise ConvanimError(f"{at}: extends is not a name or a list of names", 'write extends = "up"')
    for other in bases:
        at = _at(f"{name}.toml", text, "extends")
        if other in (*below, name):
            raise ConvanimError(f"{at}: {' extends '.join((*below, name, other))}, a circle", "leave one of them out")
        if len(below) >= DEEPEST:
            raise ConvanimError(f"{at}: more than {DEEPEST} entries extend one another", "extend fewer")
        found = base(other)
        if found is None:
            raise ConvanimError(f"{at}: extends {other[:60]!r}, which is not there", _near(other, names))
        yield from _chain(other, found, base, names, (*below, name))
    yield from table.items()


def _convert(file: str, table: dict[str, Any], kind: type[Any], text: str) -> Any:
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, ValueError) as error:
        told, _, place = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", place)[0]
        unknown = re.search(r"unknown field `([^`]*)`", told)
        if unknown:
            parts: dict[str, type[Any]] = {"sections": Section, "pair": Pair}
            known = [f.name for f in msgspec.structs.fields(parts.get(key, kind))]
            raise ConvanimError(
                f"{_at(file, text, unknown[1])}: {unknown[1]!r} is no key", _near(unknown[1], known)
            ) from None
        what = told.replace("`", "").replace("Expected", "needs").replace(" | null", "").replace("array", "list")
        raise ConvanimError(f"{_at(file, text, key)}: {key} {what}", "see docs/gallery.md for what it takes") from None


def _at(file: str, text: str, key: str) -> str:
    line = line_of(text, key)
    return f"{file} line {line}" if line else file


def _near(key: str, known: list[str] | None = None) -> str:
    names = known if known is not None else [*FIELDS, "extends"]
    close = difflib.get_close_matches(key, names, 1)
    return f"did you mean {close[0]}" if close else f"use one of {', '.join(names[:40])}"

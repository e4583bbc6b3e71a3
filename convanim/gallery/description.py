"""What an entry of a gallery is: one small TOML file, typed, with defaults and with what it extends.

Knows keys, files and lines. Must not know what a layer means or how anything is drawn: a value that only a later
stage can judge is judged there, and comes back here to be told with its file and line (`Folder.placed`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from convanim.errors import ConvanimError

LARGEST = 1 << 20  # bytes of a description: the arrays of a picture belong into a file of their own
DEEPEST = 20  # entries that extend one another
SETTINGS = "gallery.toml"
_NAME = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
#: Names that Windows keeps for devices, whatever comes after a dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
_TAKEN = {"readme", "index", "gallery", "manifest"}
#: Keys whose values may name a file, which is then part of the description.
FILE_KEYS = ("input", "kernel", "grad", "indices", "theme", "template")
_FILES = (".npy", ".csv", ".tsv", ".png", ".jpg", ".jpeg", ".bmp", ".toml")

Array = str | int | list[Any]


class Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """A description, with its defaults and what it extends already put in.

    Keys that `Animation` knows by the same name are handed to it as they are: a new one needs a line here, and its
    place among the options in `command.ORDER`.

    Attributes:
        layer: a notation, or a line of PyTorch, Keras, Flax or ONNX; `compare`: a second one to show beside it.
        input, kernel, indices, grad: arrays as they are typed at a shell, or as lists.
        formats: one file each.
        title, alt: on the gallery's page; made from the layer where they are left out.
        drawn_title: in the picture, instead of the one made from the layer.
        tags: to filter by.
        replaces: the name of the public figure that it stands for.
        explained: the arithmetic in words stands on the page too.
        position: where it stands on the pages; those of one position stand by their names.
        stem: the name of its files without their suffix, where that is not the entry's name.
    """

    layer: str
    compare: str | None = None
    input: Array
    kernel: Array | None = None
    bias: str | float | None = None
    fill: str | None = None
    seed: int | None = None
    resize: str | None = None
    grey: bool = False
    out_channels: int | None = None
    indices: Array | None = None
    backward: bool = False
    grad: Array | None = None
    view: str | None = None
    symbols: bool = False
    saturate: bool = False
    template: str | None = None
    layout: str | None = None
    theme: str | None = None
    lang: str | None = None
    width: int | None = None
    height: int | None = None
    seconds_per_step: float | None = None
    hold_last: float | None = None
    plays: int | None = None
    select: str | int | None = None
    motion: str | None = None
    max_size: str | int | None = None
    caption: bool = True
    drawn_title: str | None = None
    formats: tuple[str, ...] = ("gif",)
    title: str | None = None
    alt: str | None = None
    tags: tuple[str, ...] = ()
    replaces: str | None = None
    explained: bool = False
    position: int = 100
    stem: str | None = None

    def text(self, key: str) -> str | None:
        """A value as it is typed at a shell.

        Example:
            >>> Entry(layer="Conv(2)", input=[[0, 1], [2, 3]], bias=0.5).text("input")
            '[[0,1],[2,3]]'
        """
        value = getattr(self, key)
        if value is None or isinstance(value, str):
            return value
        return json.dumps(value, separators=(",", ":"))


class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What gallery.toml says: of the whole gallery, and what its entries have where they say nothing.

    Attributes:
        title, about: of the gallery's pages.
        root: the folder from which files are named and commands are typed, as seen from the gallery; "..", often.
        defaults: keys of an entry.
    """

    title: str = "Gallery"
    about: str = ""
    root: str = "."
    defaults: dict[str, Any] = {}


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
    entries: dict[str, Entry]
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


FIELDS = tuple(f.name for f in msgspec.structs.fields(Entry))
#: What each key is where it is left out; of layer and input nothing is.
DEFAULTS: dict[str, Any] = {f.name: f.default for f in msgspec.structs.fields(Entry)}


def read_folder(path: str | Path) -> Folder:
    """Read a gallery. An entry that cannot be read stops no other: it is told in `broken`.

    Raises:
        ConvanimError: there is no such folder, or its gallery.toml is wrong.
    """
    path = Path(path)
    if not path.is_dir():
        raise ConvanimError(f"{path} is not a folder", "name the folder that holds the descriptions")
    settings = _settings(path / SETTINGS)
    raw: dict[str, tuple[dict[str, Any], str]] = {}
    broken: dict[str, str] = {}
    try:
        names = sorted(file.stem for file in path.glob("*.toml") if file.name != SETTINGS)
    except OSError as error:
        raise ConvanimError(f"{path} cannot be read: {(error.strerror or '').lower()}", "name another") from None
    for name in names:
        try:
            check_name(name)
            raw[name] = _table(path / f"{name}.toml")
        except ConvanimError as error:
            broken[name] = f"{name}.toml: {error}" if not str(error).startswith(name) else str(error)
    entries = {}
    for name in raw:
        if name.startswith("_"):
            continue
        try:
            entries[name] = _typed(name, raw, settings.defaults)
        except ConvanimError as error:
            broken[name] = str(error)
    for name, other, file in _twice(entries):
        broken[name] = f"{name}.toml: its file {file} is also that of {other}.toml; give one of them another stem."
        del entries[name]
    return Folder(path, settings, entries, broken)


def check_name(name: str, what: str = "name") -> None:
    """Refuse a name that is no file name everywhere, or that leaves the folder.

    Raises:
        ConvanimError: it cannot be the name of an entry.

    Example:
        >>> check_name("up-2.x")
        >>> check_name("../up")
        Traceback (most recent call last):
            ...
        convanim.errors.ConvanimError: name '../up' is not plain; use letters, digits, - and _, 100 at most.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise ConvanimError(f"{what} {name[:60]!r} is not plain", "use letters, digits, - and _, 100 at most")
    if name.lower().split(".")[0] in _DEVICES:
        raise ConvanimError(f"{what} {name!r} is kept by Windows for a device", "use another")
    if name.lower() in _TAKEN:
        raise ConvanimError(f"{what} {name!r} is taken by the gallery itself", "use another")


def line_of(text: str, key: str) -> int | None:
    """The line, from 1, on which a key of a TOML file stands.

    Example:
        >>> line_of('layer = "Conv(2)"\\nwidth = 640', "width")
        2
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
            return number
    return None


def files_of(name: str, entry: Entry) -> list[str]:
    """The names of the files that are made of an entry, in the gallery's folder; a GIF has a still for pages.

    Example:
        >>> files_of("up", Entry(layer="Conv(2)", input="3x3", formats=("gif", "txt")))
        ['up.gif', 'up.txt', 'stills/up.png']
    """
    stem = entry.stem or name
    made = [f"{stem}.{kind}" for kind in entry.formats]
    return [*made, f"stills/{stem}.png"] if "gif" in entry.formats else made


def _twice(entries: dict[str, Entry]) -> list[tuple[str, str, str]]:
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


def _table(path: Path) -> tuple[dict[str, Any], str]:
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


def _typed(name: str, raw: dict[str, tuple[dict[str, Any], str]], defaults: dict[str, Any]) -> Entry:
    table = defaults | dict(_chain(name, raw, ()))
    table.pop("extends", None)
    text = raw[name][1]
    for key in table:
        if key not in FIELDS:
            raise ConvanimError(f"{_at(f'{name}.toml', text, key)}: {key!r} is no key", _near(key))
    for key, form in (("layer", 'layer = "Conv(3, stride=2)"'), ("input", 'input = "5x5"')):
        if key not in table:
            raise ConvanimError(f"{name}.toml has no {key}", f"write {form}")
    entry: Entry = _convert(f"{name}.toml", table, Entry, text)
    where = _at(f"{name}.toml", text, "formats")
    if not entry.formats or len({kind.lower() for kind in entry.formats}) < len(entry.formats):
        raise ConvanimError(f"{where}: formats {list(entry.formats)} are none, or one twice", 'write ["gif"]')
    for kind in entry.formats:
        if not re.fullmatch("[a-z0-9]{1,8}", kind):
            raise ConvanimError(f"{where}: formats has {kind!r}, which is no suffix", 'write ["gif"]')
    for key in ("stem", "replaces"):
        value = getattr(entry, key)
        if value is not None:
            try:
                check_name(value, key)
            except ConvanimError as error:
                at = _at(f"{name}.toml", text, key)
                raise ConvanimError(f"{at}: {error.message}", error.hint) from None
    if any((entry.text(key) or "").strip() == "-" for key in FILE_KEYS):
        raise ConvanimError(f"{name}.toml reads from standard input", "name a file")
    return entry


def _chain(name: str, raw: dict[str, tuple[dict[str, Any], str]], below: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The keys of an entry after those of what it extends, so that later ones win."""
    table, text = raw[name]
    bases = table.get("extends", [])
    at = _at(f"{name}.toml", text, "extends")
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConvanimError(f"{at}: extends is not a name or a list of names", 'write extends = "up"')
    for base in bases:
        if base in (*below, name):
            raise ConvanimError(f"{at}: {' extends '.join((*below, name, base))}, a circle", "leave one of them out")
        if len(below) >= DEEPEST:
            raise ConvanimError(f"{at}: more than {DEEPEST} entries extend one another", "extend fewer")
        if base not in raw:
            raise ConvanimError(f"{at}: extends {base[:60]!r}, which is not there", _near(base, list(raw)))
        yield from _chain(base, raw, (*below, name))
    yield from table.items()


def _convert(file: str, table: dict[str, Any], kind: type[Any], text: str) -> Any:
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, ValueError) as error:
        told, _, place = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", place)[0]
        unknown = re.search(r"unknown field `([^`]*)`", told)
        if unknown:
            known = [f.name for f in msgspec.structs.fields(kind)]
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

"""Reads a gallery's folder: each TOML file becomes an entry, with defaults, inherited keys and the files it names.

Values that only a later stage can check are checked there; `Folder.placed` adds their file and line to the message.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from convanim import template
from convanim.assets import templates
from convanim.draw import theme
from convanim.errors import ConvanimError, reason
from convanim.gallery.description import FIELDS, FILE_KEYS, Entry, Settings, check_name, files_of
from convanim.gallery.tables import SETTINGS, Tables, near
from convanim.system.inputfile import LARGEST_TOML, parse_toml, read_bytes
from convanim.typed.archives import apart
from convanim.typed.files import PICTURES, is_array_file

MOST = 20  # the maximum number of files that a template refers to
LARGEST = 1 << 30  # bytes of a file that an entry names; larger than any array or picture that can be shown


@dataclass(frozen=True)
class Folder:
    """The descriptions of a gallery.

    Attributes:
        path: the folder; `root`: the folder that file names and commands are relative to.
        tables: the descriptions as written.
        entries: the entries by name, sorted; those whose names begin with _ only serve as bases.
        broken: error messages of the other entries by name, with file, line and key.
        inputs: the files of this folder that any entry reads, in lower case; they are never overwritten.
    """

    path: Path
    root: Path
    settings: Settings
    tables: Tables
    entries: dict[str, Entry]
    broken: dict[str, str]
    inputs: dict[str, str]

    def files(self, name: str) -> dict[str, bytes]:
        """The contents of the files that an entry names, by name; an error if one cannot be read."""
        return contents(self.root, self.entries[name])

    def placed(self, name: str, told: str) -> str:
        """A message about an entry, preceded by the file to repair and the line of the key."""
        key = re.split(r"[ =]", told.removeprefix("--"), maxsplit=1)[0].replace("-", "_").strip("'\"")
        if key not in FIELDS and key in self.entries[name].layer:  # an error inside a layer
            key = "layer"
        return f"{self.tables.place(name, key)}: {told}"


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
    tables = Tables(path)
    settings, broken, entries = tables.settings, dict[str, str](), dict[str, Entry]()
    for key, names in (("hero", [settings.hero]), *(("entries", part.entries) for part in settings.sections)):
        if wrong := next((name for name in names if name and name not in tables.names), None):
            told = f"{SETTINGS}: {key} names {wrong[:60]!r}, which does not exist"
            raise ConvanimError(told, near(wrong, tables.names))
    for name in tables.names:
        try:
            if name.startswith("_"):
                tables.own(name)
            else:
                entries[name] = _typed(name, tables)
        except ConvanimError as error:
            told = str(error)
            broken[name] = told if re.match(r"\S+\.toml\b", told) else f"{name}.toml: {told}"
    root = path / settings.root
    inputs = _inputs(path, root, entries)
    for name, told in list(_taken(entries, inputs)):
        broken[name] = f"{name}.toml: {told}"
        del entries[name]
    return Folder(path, root, settings, tables, entries, broken, inputs)


def _inputs(folder: Path, root: Path, entries: dict[str, Entry]) -> dict[str, str]:
    """The files of a folder that its entries read, in lower case, each with one of these entries."""
    texts = {text: name for name in reversed(entries) for _, text in named(entries[name]) if "\0" not in text}
    inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - text with a final slash
    found = {os.path.realpath(root / text.strip()): name for text, name in texts.items()}
    return {p[len(inside) :].replace(os.sep, "/").lower(): n for p, n in found.items() if p.startswith(inside)}


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


def _typed(name: str, tables: Tables) -> Entry:
    """An entry whose values are possible for some layer."""
    entry = tables.entry(name)
    for key, what, hint in _wrong(entry):
        raise ConvanimError(f"{tables.place(name, key)}: {what}", hint)
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
        try:
            check_name("any" if value is None else value, key)
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


def named(entry: Entry) -> Iterator[tuple[str, str]]:
    """The keys of an entry that name files, with the names.

    Example:
        >>> list(named(Entry(layer="Conv(2)", input="x.csv", kernel="2x2")))
        [('input', 'x.csv')]
    """
    tests = {"template": template.is_file, "theme": theme.is_file}  # all other keys are arrays
    for key in FILE_KEYS:
        text = getattr(entry, key)
        if isinstance(text, str) and tests.get(key, _is_array_file)(text.strip()):
            yield key, text


def _is_array_file(text: str) -> bool:
    return is_array_file(text) or text.lower().endswith((*PICTURES, ".toml"))


def paths(root: Path, entry: Entry) -> dict[str, Path]:
    """The paths of the files that an entry needs, existing or not, by the names that refer to them.

    Raises:
        ConvanimError: a file is outside the root, where a gallery may not read.
    """
    found: dict[str, Path] = {}
    for key, text in named(entry):
        try:
            path, inside = (root / apart(text)[0].strip()).resolve(), root.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, or circular links
            raise ConvanimError(f"{key} {text!r} cannot be read: {error}".lower(), "name another file") from None
        if not path.is_relative_to(inside):
            raise ConvanimError(f"{key} {text!r} lies outside {inside}", "move the file into this folder")
        found[text] = path
        if key == "template":
            for name, beside in _beside(path):
                found.setdefault(os.path.join(os.path.dirname(text), name), beside)  # noqa: PTH118, PTH120 - as typed
    return found


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
        with suppress(OSError, ValueError):
            table = parse_toml(read_bytes(path, LARGEST_TOML).decode("utf-8-sig"))
            for key, is_file in (("extends", template.is_file), ("theme", theme.is_file)):
                if isinstance(other := table.get(key), str) and is_file(other):
                    waiting.append(os.path.join(os.path.dirname(name), other))  # noqa: PTH118, PTH120 - as typed


def contents(root: Path, entry: Entry) -> dict[str, bytes]:
    """The contents of the files that an entry needs, by the names that refer to them."""
    found = {}
    for text, path in paths(root, entry).items():
        try:
            found[text] = read_bytes(path, LARGEST)
        except (OSError, ValueError) as error:
            key = next((key for key, own in named(entry) if own == text), "template")
            raise ConvanimError(f"{key} {text!r} cannot be read: {reason(error)}", "name an existing file") from None
    return found


class Watch:
    """The last known state of a folder. Create it before a build, so that changes during the build are noticed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     watch = Watch(Path(folder))
        ...     _ = (Path(folder) / "a.toml").write_text("")
        ...     watch.changed(), watch.changed()
        (True, False)
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, dict[Path, tuple[int, int]]()
        self.changed()

    def changed(self) -> bool:
        """Whether a description, a file that one names, or a theme has changed since the last call."""
        files = [*self._folder.glob("*.toml"), *templates().rglob("*.toml")]
        with suppress(ConvanimError):  # reported by the build
            folder = read_folder(self._folder)
            for entry in folder.entries.values():
                with suppress(ConvanimError):
                    files += paths(folder.root, entry).values()
        before, self._before = self._before, {}
        for path in files:
            with suppress(OSError, ValueError):  # not a file name, or removed meanwhile
                found = path.stat()
                self._before[path] = found.st_mtime_ns, found.st_size
        return before != self._before

    def changes(self, every: float = 0.5) -> Iterator[None]:
        """Yield at each change, forever; checks once per `every` seconds."""
        while True:
            if self.changed():
                yield
            time.sleep(every)

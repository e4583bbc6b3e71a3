"""Reads a gallery's folder: each TOML file becomes an entry, with defaults, inherited keys and the files it names.

Values that only a later stage can check are checked there; `Folder.placed` adds their file and line to the message.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from convanim import template
from convanim.assets import templates
from convanim.draw import theme
from convanim.errors import ConvanimError, reason, shortly
from convanim.gallery.description import FIELDS, FILE_KEYS, Entry, Pair, Section, Settings, check_name, files_of
from convanim.system.inputfile import LARGEST_TOML, line_of, parse_toml, read_bytes
from convanim.typed.files import ARRAYS, PICTURES

SETTINGS = "gallery.toml"
DEEPEST = 20  # the maximum depth of entries that extend each other
MOST = 20  # the maximum number of files that a template refers to
LARGEST = 1 << 30  # bytes of a file that an entry names; larger than any array or picture that can be shown
#: A scheme that a link may not have: any but these.
_SCHEME = re.compile(r"(?!(?:https?|mailto):)[^/?#:]*:", re.IGNORECASE)
#: How required keys are written.
_FORMS = {
    **{"layer": 'layer = "Conv(3, stride=2)"', "input": 'input = "5x5"'},
    **{"title": 'title = "Poolings"', "suffix": 'suffix = "-page"'},
}

#: The keys of a description with those it inherits, each with its value and its file, and the depth of its bases.
_Whole = tuple[dict[str, tuple[Any, str]], int]


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
    tables: _Tables
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
    tables = _Tables(path)
    settings, broken, entries = tables.settings, dict[str, str](), dict[str, Entry]()
    for key, names in (("hero", [settings.hero]), *(("entries", part.entries) for part in settings.sections)):
        if wrong := next((name for name in names if name and name not in tables.names), None):
            told = f"{SETTINGS}: {key} names {wrong[:60]!r}, which does not exist"
            raise ConvanimError(told, _near(wrong, tables.names))
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


class _Tables:
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
                raise wrong(f"extends {other[:60]!r}, which does not exist", _near(other, self.names))
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

    def place(self, name: str, key: str) -> str:
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
    made: Settings = _convert(_read_table(path)[0], Settings, path.name, lambda *key: _at(path, *key))
    for key in made.defaults:
        if key not in FIELDS:
            told = f"{_at(path, 'defaults', key)}: {key!r} is not a key of an entry"
            raise ConvanimError(told, _near(key, [*FIELDS, "extends"]))
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


def _typed(name: str, tables: _Tables) -> Entry:
    """An entry with its defaults and inherited keys, if its values are possible for some layer."""
    table = tables.settings.defaults | {key: value for key, (value, _) in tables.whole(name)[0].items()}
    for key in table:
        if key not in FIELDS:
            raise ConvanimError(f"{tables.place(name, key)}: {key!r} is not a key", _near(key, [*FIELDS, "extends"]))
    entry: Entry = _convert(table, Entry, f"{name}.toml", lambda key, *_: tables.place(name, key))
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
        try:
            check_name(getattr(entry, key) or "any", key)
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


def _convert(table: dict[str, Any], kind: type[Any], file: str, at: Callable[..., str]) -> Any:
    """A table as a struct; `at` returns the place of a key, given with its tables."""
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, ValueError) as error:
        told, _, place = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", place)[0]
        if unknown := re.search(r"unknown field `([^`]*)`", told):
            part: type[Any] = {"sections": Section, "pair": Pair}.get(key, kind)
            hint = _near(unknown[1], (field.name for field in msgspec.structs.fields(part)))
            what = f"{at(*([key] if key else []), unknown[1])}: {unknown[1]!r} is not a key"
        elif missing := re.search(r"required field `([^`]*)`", told):
            what = f"{at(key) if key else file} has no {missing[1]}"
            hint = f"write {_FORMS[missing[1]]}"
        else:
            told = told.replace("`", "").replace("Expected", "needs").replace(" | null", "").replace("array", "list")
            what, hint = f"{at(key)}: {key} {told}", "see docs/gallery.md for its values"
        raise ConvanimError(what, hint) from None


def _near(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word."""
    close = difflib.get_close_matches(word, names := list(known), 1)
    return f"did you mean {close[0]}" if close else f"use one of {', '.join(names[:40])}"


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
    return text.lower().endswith((*ARRAYS, *PICTURES, ".toml"))


def paths(root: Path, entry: Entry) -> dict[str, Path]:
    """The paths of the files that an entry needs, existing or not, by the names that refer to them.

    Raises:
        ConvanimError: a file is outside the root, where a gallery may not read.
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

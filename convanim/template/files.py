"""Reads templates from files, with the templates that they extend, and reports errors with file, line and key."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from convanim import assets
from convanim.draw import theme
from convanim.errors import ConvanimError, reason
from convanim.system.inputfile import LARGEST_TOML, line_of, parse_toml, read_bytes
from convanim.template.keys import PaceTable, Template, described, example, tables
from convanim.timing.budget import read_size
from convanim.timing.timeline import milliseconds

#: The default template.
DEFAULT = "default"


def templates() -> list[str]:
    """The names of the built-in templates.

    Example:
        >>> {"default", "slide", "paper"} <= set(templates())
        True
    """
    return sorted(path.stem for path in assets.templates().glob("*.toml"))


def read(name: str | Path) -> Template:
    """The template of a name or of a file: a path ends in .toml or contains a slash.

    Raises:
        ConvanimError: the template does not exist or is invalid; the message names file, line and key.
    """
    if not isinstance(name, str | Path):
        raise ConvanimError(f"template {name!r} is not a name or a path", f"use one of {', '.join(templates())}")
    own = isinstance(name, Path) or is_file(name)
    source = _Source.of_file(Path(name), str(name)) if own else _Source.of_name(str(name), "`template`")
    return msgspec.convert(_whole(source, [source.path]), Template)


def is_file(name: str) -> bool:
    """Whether the name of a template is that of a file: it ends in .toml or contains a slash.

    Example:
        >>> is_file("slide"), is_file("mine.toml"), is_file("looks/mine")
        (False, True, True)
    """
    return name.endswith(".toml") or "/" in name or "\\" in name


def _whole(source: _Source, met: list[Path]) -> dict[str, Any]:
    """All keys of a template, including those that it inherits."""
    own: dict[str, Any] = source.checked()
    if "extends" not in own:
        return own
    base = source.extended(own.pop("extends"))
    if base.path in met:
        raise ConvanimError(
            f"{source.at('extends')}: {' extends '.join(p.name for p in [*met, base.path])}, which is circular",
            f'let one of them extend "{DEFAULT}"',
        )
    merged = _whole(base, [*met, base.path])
    merged.pop("about", None)
    for key, value in own.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


@dataclass(frozen=True)
class _Source:
    """The text of a template, and its source.

    Attributes:
        path: the path of the file, with all links resolved.
        told: its name in messages.
    """

    path: Path
    told: str
    text: str

    @classmethod
    def of_name(cls, name: str, what: str) -> _Source:
        """A built-in template."""
        known = templates()
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}" if close else f"use one of {', '.join(known)}, or a file like ./my.toml"
            raise ConvanimError(f"{what} {name[:60]!r} is not known", hint)
        return cls.of_file(assets.templates() / f"{name}.toml", f"{name}.toml")

    @classmethod
    def of_file(cls, path: Path, told: str) -> _Source:
        """A template in the user's own file."""
        hint = f"name a template like {DEFAULT}, or a file like ./my.toml"
        try:
            if path.is_dir():
                raise ConvanimError(f"{told} is a folder", hint)
            data = read_bytes(path, LARGEST_TOML)
            path = path.resolve()
        except ConvanimError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a name with a null byte
            raise ConvanimError(f"template {told[:200]!r} cannot be read: {reason(error)}", hint) from None
        try:
            return cls(path, told, data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConvanimError(f"{told}, line {line}: this is not UTF-8", "save the file as UTF-8") from None

    def at(self, *key: str) -> str:
        """The file and line of a key."""
        line = line_of(self.text, key)
        return f"{self.told}, line {line}" if line else self.told

    def checked(self) -> dict[str, Any]:
        """The keys of this file alone, validated."""
        try:
            keys = parse_toml(self.text)
        except ValueError as error:
            raise ConvanimError(*self._no_toml(str(error))) from None
        try:
            found = msgspec.convert(keys, Template)
        except msgspec.ValidationError as error:
            raise self._wrong(str(error), keys) from None
        for name in PaceTable.__struct_fields__:
            if name in keys.get("pace", {}):
                self._told(("pace", name), milliseconds, getattr(found.pace, name), f"pace.{name}")
        if found.max_size is not None:
            self._told(("max_size",), read_size, found.max_size, "max_size")
        if "theme" in keys:
            if theme.is_file(found.theme):
                keys["theme"] = str(self._beside("theme", found.theme, "a theme like light"))
            self._told(("theme",), theme.load, keys["theme"])
        return keys

    def _told(self, key: tuple[str, ...], check: Any, *values: Any) -> None:
        """Run the check of a later stage on a value, and add the file and line to its error."""
        try:
            check(*values)
        except ConvanimError as error:
            raise ConvanimError(f"{self.at(*key)}: {error.message}", error.hint) from None

    def extended(self, name: str) -> _Source:
        """The template that this one extends; a file must be in the same folder."""
        if not is_file(name):
            return _Source.of_name(name, f"{self.at('extends')}: template")
        path = self._beside("extends", name, f'a template like "{DEFAULT}"')
        return _Source.of_file(path, path.name)

    def _beside(self, key: str, name: str, other: str) -> Path:
        """The file that a key names, which must be in this file's folder, whatever the current directory is."""
        where, folder = self.at(key), self.path.parent
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError):
            path = Path("/")
        if not path.is_relative_to(folder):
            raise ConvanimError(
                f"{where}: {key} {name[:60]!r} is not in the folder of {self.path.name}",
                "put both files into one folder",
            )
        if not path.is_file():
            raise ConvanimError(
                f"{where}: {key} {name[:60]!r} does not exist beside {self.path.name}",
                f"name a file of its folder, or {other}",
            )
        return path

    def _no_toml(self, error: str) -> tuple[str, str]:
        match = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", error, re.S)
        said, line = (match[1], match[2] or str(self.text.count("\n") + 1)) if match else (error, "1")
        said = said.splitlines()[0][:100]
        told = f"{self.told}, line {line}: this is not TOML: {said[:1].lower()}{said[1:]}"
        return told, 'write lines like theme = "dark"'

    def _wrong(self, error: str, keys: dict[str, Any]) -> ConvanimError:
        """The error for an unknown key, or for an invalid value."""
        match = re.fullmatch(r"(.*?)(?: - at `\$\.?(.*)`)?", error, re.S)
        said, path = (match[1], match[2] or "") if match else (error, "")
        key = tuple(path.split(".")) if path else ()
        unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said, re.S)
        if unknown:
            key = (*key, unknown[1])
            table = next((kind for name, kind in tables() if name == ".".join(key[:-1])), Template)
            known = table.__struct_fields__
            close = difflib.get_close_matches(key[-1], known, 1)
            # The key may be in the wrong table.
            other = [name for name, _, _ in described() if name.rpartition(".")[2] == key[-1]]
            near = [*close, *other]
            hint = f"did you mean {near[0]}" if near else f"use one of {', '.join(known)}"
            shown = ".".join(part if re.fullmatch(r"[\w-]+", part) else repr(part[:60]) for part in key)
            return ConvanimError(f"{self.at(*key)}: {shown[:90]} is not a key", hint)
        value: Any = keys
        for part in key:
            value = value.get(part) if isinstance(value, dict) else None
        name = ".".join(key)
        wanted = next((kind for known, kind, _ in described() if known == name), f"a table, [{name}]")
        near = difflib.get_close_matches(value, re.findall(r'"(.*?)"', wanted), 1) if isinstance(value, str) else []
        told = f'"{value[:60]}"' if isinstance(value, str) else str(value).lower()[:60]
        return ConvanimError(
            f"{self.at(*key)}: {name} = {told} is not {wanted}",
            f'did you mean "{near[0]}"' if near else f"write {example(name)}",
        )

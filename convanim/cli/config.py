"""Defaults of the look: from the environment and from the config file of a project, for commands that draw or describe.

Knows where both are found, and how a wrong value in them is told. Galleries and Python calls do not use them.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click

from convanim.cli.options import LAYERS, LOOK, options_of
from convanim.errors import ConvanimError, shortly
from convanim.look import COMMON, OPTIONS

#: The name of a variable is this and the key in capitals.
PREFIX = "CONVANIM_"
FILE, SHARED = "convanim.toml", "pyproject.toml"
#: What a pyproject.toml has in it that says anything to this program; others are not parsed.
_OURS = re.compile(rb"""tool["']?\s*\.\s*["']?convanim|\[\s*["']?tool["']?\s*\]""")
#: The keys, with the options that they are defaults of. Frames and a title belong to a single picture.
KEYS = {option.name: option for option in options_of(LOOK) if option.name in COMMON and not OPTIONS[option.name].single}
#: Values that a key takes in a file, by the type of its option.
KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "integer": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "boolean": (bool, "true or false"),
    "text": (str, "a string in quotes"),
}


class Setting(NamedTuple):
    """A value and where it was found: the words for a person, and the folder of a file."""

    value: Any
    place: str
    folder: Path | None = None


def defaults(command: str | None) -> dict[str, Any]:
    """What click's `default_map` holds for a command; a value is checked when it is needed."""
    kinds = (*LAYERS, "layer", "compare")
    if command not in (*kinds, "describe") or "_CONVANIM_COMPLETE" in os.environ:
        return {}
    held: dict[str, Callable[[], Any]]
    try:
        held = {name: partial(_checked, name, setting) for name, setting in settings().items()}
    except ConvanimError as error:  # told when a value is needed, so that --help is not refused
        held = dict.fromkeys(KEYS, partial(_refuse, error))
    return {command: dict.fromkeys(kinds, held) if command == "describe" else held}


def rows() -> Iterator[dict[str, Any]]:
    """Every key with its value, and where that comes from.

    Raises:
        ConvanimError: a file or a value is wrong.
    """
    found = settings()
    for name, option in KEYS.items():
        if name in found:
            yield {"name": name, "value": _checked(name, found[name]), "source": found[name].place}
        else:
            default = option.default if isinstance(option.default, str | int) else None
            yield {"name": name, "value": default, "source": "default"}


def settings() -> dict[str, Setting]:
    """The keys that the environment or a config file sets; the environment comes first.

    Raises:
        ConvanimError: the config file cannot be read, or has a key that is not known.
    """
    typed = {name: os.environ.get(PREFIX + name.upper()) for name in KEYS}
    return _of_file() | {name: Setting(text, PREFIX + name.upper()) for name, text in typed.items() if text}


def _refuse(error: ConvanimError) -> NoReturn:
    raise error


def _of_file() -> dict[str, Setting]:
    """The keys of the nearest config file: in this folder, or in a parent as far as the root of a repository."""
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return {}
    folders = [here, *here.parents]
    root = next((i for i, folder in enumerate(folders) if os.path.lexists(folder / ".git")), 0)
    for folder in folders[: root + 1]:
        for name in (FILE, SHARED):
            if os.path.lexists(folder / name) and (found := _read(folder, name)) is not None:
                return found
    return {}


def _read(folder: Path, name: str) -> dict[str, Setting] | None:
    """The keys of a file; None for a pyproject.toml that says nothing to this program."""
    from convanim.system.inputfile import LARGEST_TOML, line_of, parse_toml, read_bytes

    told = os.path.relpath(folder / name)
    shared = name == SHARED
    try:
        path = _inside(folder, name)
        data = read_bytes(path, LARGEST_TOML) if path else b""
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that go in a circle
        if shared:
            return None
        reason = (getattr(error, "strerror", None) or "it is a link to itself").lower()
        raise ConvanimError(f"{told} cannot be read: {reason}", "make it a file of TOML, or remove it") from None
    if path is None and not shared:
        raise ConvanimError(f"{told} is a link to a file outside its folder", "put the file itself there")
    if shared and not _OURS.search(data):
        return None
    try:
        text = data.decode("utf-8-sig")
        table = parse_toml(text)
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).rstrip(".")
        raise ConvanimError(f"{told} is not TOML: {why}", 'write lines like theme = "dark"') from None
    if shared:
        tools = table.get("tool")
        if not isinstance(tools, dict) or "convanim" not in tools:
            return None
        table = tools["convanim"]
    if not isinstance(table, dict):
        raise ConvanimError(
            f"{told}: tool.convanim is not a table", 'write [tool.convanim] and theme = "dark" below it'
        )
    found = {}
    for key, value in table.items():
        line = line_of(text, ("tool", "convanim", key) if shared else (key,))
        place = f"{told}, line {line}" if line else told
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {close[0]}" if close else f"use {', '.join(KEYS)}"
            raise ConvanimError(f"{place}: {key[:60]!r} is not a key", hint)
        found[key] = Setting(value, place, folder)
    return found


def _inside(folder: Path, name: str) -> Path | None:
    """The file of a name with all links followed; None if it is not in the folder."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else None


def _checked(name: str, setting: Setting) -> Any:
    """A value as its option takes it.

    Raises:
        ConvanimError: it is not one; the variable, or the file and the line are named.
    """
    from convanim.draw.theme import AUTO
    from convanim.layers import Conv
    from convanim.page import known

    given, place, folder = setting
    kind, wanted = KINDS[KEYS[name].type.name]
    wrong = folder and (not isinstance(given, kind) or (isinstance(given, bool) and kind is not bool))
    if wrong and not (name == "max_size" and isinstance(given, int) and not isinstance(given, bool)):
        raise ConvanimError(
            f"{place}: {name} = {shortly(given)} is not {wanted}", f"write {wanted}, or remove this key"
        )
    try:
        value = KEYS[name].type.convert(given, None, None)
    except click.BadParameter:
        raise ConvanimError(f"{place}: {shortly(given)} is not {wanted}", f"set it to {wanted}") from None
    if folder and name in ("theme", "template"):
        value = _beside(name, value, place, folder)
    try:
        if name == "layout":
            known(value)
        elif (name, value) != ("theme", AUTO):  # what is left is judged as an option of an animation is
            Conv(1).trace([[1]], [[1]]).animate(**{name: value})
    except ConvanimError as error:
        raise ConvanimError(f"{place}: {error.message}", error.hint) from None
    return value


def _beside(name: str, value: str, place: str, folder: Path) -> str:
    """The file that a config file names, from this folder: it must lie in that of the config file, links followed."""
    from convanim import template
    from convanim.draw import theme

    if not (theme if name == "theme" else template).is_file(value):
        return value
    try:
        path = _inside(folder, value)
    except (OSError, ValueError, RuntimeError):
        path = None
    if path is None:
        raise ConvanimError(f"{place}: {name} {value[:60]!r} is not in the folder of this file", "put it there")
    found = os.path.relpath(path)
    return found if found.lower().endswith(".toml") or os.sep in found else f".{os.sep}{found}"

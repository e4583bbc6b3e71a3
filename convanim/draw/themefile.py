"""Reads theme files: TOML with colours by name, and a message for each error in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from convanim.errors import ConvanimError, reason
from convanim.system.inputfile import LARGEST_TOML, parse_toml, prepared, read_bytes

#: The keys that follow from the others if they are left out.
OPTIONAL = ("lit", "deep", "zero")


class _Fill(msgspec.Struct, frozen=True):
    fill: str


class _Tint(_Fill, frozen=True, kw_only=True):
    stroke: str
    lit: str = ""
    deep: str = ""


class _Inked(_Tint, frozen=True, kw_only=True):
    factor: str


class _Hatched(_Fill, frozen=True):
    hatch: str


class _Shade(msgspec.Struct, frozen=True):
    data_high: str
    kernel_high: str
    product_high: str
    done_high: str
    negative_high: str
    heat_low: str
    heat_high: str


@prepared
class _File(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a theme file: every colour is "#rrggbb"."""

    page: str
    text: str
    muted: str
    line: str
    dash: str
    zero: str = ""
    data: _Tint
    kernel: _Inked
    product: _Tint
    done: _Tint
    overlap: _Inked
    inserted: _Fill
    padding: _Fill
    cropped: _Hatched
    unused: _Hatched
    pending: _Fill
    shade: _Shade


def read(path: Path) -> dict[str, tuple[int, int, int]]:
    """The colours of a theme file by dotted name, such as "page" or "kernel.fill", as (red, green, blue).

    Raises:
        ConvanimError: the file cannot be read or is not a theme; the message names the file and the key.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.toml"
        ...     _ = path.write_text('pgae = "#ffffff"')
        ...     try:
        ...         read(path)
        ...     except ConvanimError as error:
        ...         print(error.hint)
        did you mean page
    """
    told = f"theme {path}"
    try:
        held = read_bytes(path, LARGEST_TOML)
    except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
        raise ConvanimError(f"{told} cannot be read: {reason(error)}", "name an existing file") from None
    try:
        written = parse_toml(held.decode("utf-8-sig"))
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).rstrip(".")
        raise ConvanimError(f"{told} is not TOML: {why}", 'write lines like page = "#ffffff"') from None
    for slip in _slips(told, written):
        raise slip
    flat = _flat(msgspec.to_builtins(msgspec.convert(written, _File)))
    return {key: _parse(colour) for key, colour in flat.items() if colour}


def _slips(told: str, written: dict[str, Any]) -> Iterator[ConvanimError]:
    """The errors in a file: unknown keys first, since one may be a misspelt missing key."""
    sections = {field.name: _keys(field.type) for field in msgspec.structs.fields(_File)}
    known = [key for name, inner in sections.items() for key in ([f"{name}.{i}" for i in inner] if inner else [name])]
    for name, value in written.items():
        inner = sections.get(name, ())
        if name not in sections:
            yield ConvanimError(f"{told}: the key {name!r} is not known", _near(name, list(sections)))
        elif isinstance(value, dict) != bool(inner):
            what = f'[{name}] and below it {inner[0]} = "#0b63b8"' if inner else f'{name} = "#0b63b8"'
            yield ConvanimError(f"{told}: {name} = {_short(value)} is in the wrong place", f"write {what}")
        for key in value if isinstance(value, dict) else ():
            if key not in inner:
                yield ConvanimError(f"{told}: the key {f'{name}.{key}'!r} is not known", _near(key, list(inner)))
    flat = _flat(written)
    for key in known:
        if key not in flat and key.rpartition(".")[2] in OPTIONAL:
            continue
        if key not in flat:
            section, _, last = key.rpartition(".")
            where = f" below [{section}]" if section else " at the top"
            yield ConvanimError(f"{told}: {key} is missing", f'write {last} = "#0b63b8", or another colour,{where}')
        elif not (isinstance(flat[key], str) and re.fullmatch("#[0-9a-fA-F]{6}", flat[key])):
            said = f"{told}: {key} = {_short(flat[key])} is not a colour"
            yield ConvanimError(said, 'write it in red, green and blue, like "#0b63b8"')


def _keys(kind: Any) -> tuple[str, ...]:
    """The keys of a section; none for a colour."""
    return () if kind is str else tuple(field.name for field in msgspec.structs.fields(kind))


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]}" if close else f"use {', '.join(known)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _flat(written: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in written.items():
        flat |= {f"{key}.{inner}": c for inner, c in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _parse(colour: str) -> tuple[int, int, int]:
    number = int(colour.removeprefix("#"), 16)
    return number >> 16, number >> 8 & 255, number & 255

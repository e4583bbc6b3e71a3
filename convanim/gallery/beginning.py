"""A new entry: a description that can be built at once.

Knows the form of a description. Never replaces one that is there.
"""

from __future__ import annotations

from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery.description import Entry, check_name
from convanim.gallery.folder import read_folder
from convanim.gallery.work import animate
from convanim.write.files import whole_file


def begin(folder: str | Path, name: str, layer: str, x: str) -> Path:
    """Write NAME.toml for a layer over an input; both are tried first.

    Raises:
        ConvanimError: the name is not plain or taken, or the layer cannot be shown.
    """
    check_name(name)
    described = read_folder(folder)
    taken = {other.lower(): other for other in (*described.entries, *described.broken)}
    if name.lower() in taken:
        raise ConvanimError(f"{described.path / taken[name.lower()]}.toml is there already", "use another name")
    heading = str(animate(Entry(layer=layer, input=x)).alt)
    lines = [
        f"layer = {_quoted(layer)}",
        f"input = {_quoted(x)}",
        f"title = {_quoted(heading)}",
        f"alt = {_quoted(heading)}",
        "tags = []",
    ]
    path = described.path / f"{name}.toml"
    with whole_file(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return path


def _quoted(text: str) -> str:
    """Text as TOML writes it.

    Example:
        >>> print(_quoted('a "b"'), _quoted("c" + chr(92)))
        'a "b"' 'c\\'
    """
    if "'" not in text and text.isprintable():
        return f"'{text}'" if '"' in text or "\\" in text else f'"{text}"'
    told = "".join({"\\": "\\\\", '"': '\\"'}.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return f'"{told}"'

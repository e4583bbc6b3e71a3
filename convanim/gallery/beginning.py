"""Creates new entries: descriptions that can be built at once. Existing ones are never replaced."""

from __future__ import annotations

import json
import re
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery.description import Entry, check_name
from convanim.gallery.folder import contents, paths, read_folder
from convanim.gallery.work import animate
from convanim.write.files import whole_file

WIDTH = 640  # px: readable beside text, and a small file


def begin(folder: str | Path, name: str, layer: str, x: str) -> Path:
    """Write NAME.toml for a layer and an input, after checking both. The folder is created if necessary.

    Args:
        x: an array, or the name of a file relative to the root of the gallery.

    Raises:
        ConvanimError: the name is invalid or taken, or the layer cannot be shown.
    """
    check_name(name)
    path = Path(folder)
    root = path
    if path.exists():
        described = read_folder(path)
        root = described.root
        taken = {other.lower(): other for other in (*described.entries, *described.broken)}
        taken |= {file.stem.lower(): file.stem for file in path.glob("_*.toml")}
        if name.lower() in taken:
            raise ConvanimError(f"{path / taken[name.lower()]}.toml already exists", "use another name")
    entry = Entry(layer=layer, input=x, width=WIDTH)
    contents(root, entry)  # raises the errors that a build would raise
    shown = animate(entry, {text: str(file) for text, file in paths(root, entry).items()})
    lines = [
        f"layer = {_quoted(layer)}",
        f"input = {_quoted(x)}",
        f"width = {WIDTH}",
        f"title = {_quoted(re.sub(r'   +', ', ', str(shown.scene.title)))}",
        f"alt = {_quoted(str(shown.alt))}",
        "tags = []",
    ]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConvanimError(
            f"{path} cannot be created: {(error.strerror or '').lower()}", "name another folder"
        ) from None
    path /= f"{name}.toml"
    with whole_file(path, new=True, follow=False) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return path


def _quoted(text: str) -> str:
    """Text as a TOML string, which equals a JSON string except for one character.

    Example:
        >>> print(_quoted('a "b"'))
        "a \\"b\\""
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

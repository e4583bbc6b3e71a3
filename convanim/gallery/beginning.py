"""Creates new entries: descriptions that can be built at once. Existing ones are never replaced."""

from __future__ import annotations

import json
import re
from pathlib import Path

from convanim.errors import ConvanimError, reason
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
    folder = root = Path(folder)
    if folder.exists():
        described = read_folder(folder)
        root = described.root
        if taken := next((other for other in described.tables.names if other.lower() == name.lower()), None):
            raise ConvanimError(f"{folder / taken}.toml already exists", "use another name")
    entry = Entry(layer=layer, input=x, width=WIDTH)
    contents(root, entry)  # raises the errors that a build would raise
    shown = animate(entry, {text: str(file) for text, file in paths(root, entry).items()})
    table = {
        "layer": layer,
        "input": x,
        "width": WIDTH,
        "title": re.sub(r"   +", ", ", str(shown.scene.title)),
        "alt": str(shown.alt),
        "tags": [],
    }
    # A string of JSON is one of TOML, except for one character.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConvanimError(f"{folder} cannot be created: {reason(error)}", "name another folder") from None
    path = folder / f"{name}.toml"
    with whole_file(path, new=True, follow=False) as file:
        file.write("".join(lines).replace("\x7f", "\\u007f").encode())
    return path

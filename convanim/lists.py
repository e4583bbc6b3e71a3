"""The lists of formats, themes, templates and views, each item with a sentence about it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from convanim import assets
from convanim.commands import COMMANDS
from convanim.draw import theme
from convanim.errors import ConvanimError
from convanim.system.inputfile import LARGEST_TOML, read_bytes
from convanim.template import Template, read, templates
from convanim.write.formats import FORMATS

Row = dict[str, Any]
#: TOML files in a project's folder that are neither themes nor templates, even if all of their keys are a template's.
OTHERS = ("convanim.toml", "pyproject.toml")


def formats() -> Iterator[Row]:
    """The file formats, in the order of the help.

    Example:
        >>> next(formats())["name"]
        'gif'
    """
    for kind in FORMATS.values():
        yield {
            "name": kind.suffix,
            "about": kind.use,
            "animated": kind.tick > 0,
            "vector": kind.vector,
            "requires": f"convanim[{kind.needs[1]}]" if kind.needs and not find_spec(kind.needs[0]) else None,
        }


def views() -> Iterator[Row]:
    """The views of each kind of layer, the default one first.

    Example:
        >>> [row["name"] for row in views() if row["layer"] == "conv"]
        ['sliding', 'matrix', 'overlap', 'receptive', 'backward']
    """
    for kind, command in COMMANDS.items():
        for number, (name, view) in enumerate(command.views.items()):
            ways = {"symbols": bool(view.lettered), "colours": bool(view.coloured)}
            yield {"layer": kind, "name": name, "about": view.about, "default": number == 0, **ways}


def list_themes() -> Iterator[Row]:
    """The built-in themes, and theme files in the current folder, each described by its first comment."""
    for name in theme.themes():
        yield {"name": name, "about": _comment(assets.templates() / "themes" / f"{name}.toml"), "file": False}
    yield {"name": theme.AUTO, "about": "Two files, one in the light and one in the dark theme.", "file": False}
    for path in _own():
        try:
            theme.load(path)
        except ConvanimError:
            continue
        yield {"name": path.name, "about": _comment(path), "file": True}


def list_templates() -> Iterator[Row]:
    """The built-in templates, and template files in the current folder."""
    names: list[str | Path] = [*templates(), *_own()]
    for name in names:
        try:
            found = read(name)
        except ConvanimError:
            continue
        if found != Template() or isinstance(name, str):  # an empty file is not a template
            about = found.about or ""
            about = f"{about[:1].upper()}{about[1:].rstrip('.')}." if about else ""
            yield {"name": str(name), "about": about, "file": isinstance(name, Path)}


def _own() -> list[Path]:
    """The files of the current folder that may be a theme or a template."""
    try:
        found = [Path(path.name) for path in Path().iterdir() if path.name.endswith(".toml")]
    except OSError:
        return []
    return sorted(path for path in found if path.name not in OTHERS)


def _comment(path: Path) -> str:
    """The first line of a file, if that is a comment, without the name in front of it."""
    first = read_bytes(path, LARGEST_TOML).decode("utf-8-sig").partition("\n")[0]
    if not first.startswith("#"):
        return ""
    about = first.lstrip("# ").strip()
    name, _, rest = about.partition(": ")
    about = rest if name.lower().replace(" ", "-") == path.stem else about
    return f"{about[:1].upper()}{about[1:]}"[:200]


#: The functions that create the lists, by the names of their commands.
LISTS = {"formats": formats, "themes": list_themes, "templates": list_templates, "views": views}

"""Animations as parts of other pages: what a directive or a fence asks for, as a player or as a picture."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import msgspec

from convanim.animation import Animation
from convanim.draw.theme import AUTO
from convanim.errors import ConvanimError, shortly
from convanim.gallery import digest
from convanim.gallery.description import DEFAULTS, FILE_KEYS, Entry
from convanim.gallery.folder import contents, named, paths
from convanim.gallery.tables import near
from convanim.gallery.work import animate, laid_out, sentence
from convanim.write.formats import FORMATS

#: The forms of a part.
FORMS = ("player", "picture")
#: The keys of an entry that belong to the pages or files of a gallery, or are written in another way here.
_OTHERS = {
    *("layer", "formats", "title", "drawn_title", "tags", "replaces", "explained", "position", "stem"),
    *("renderer", "text", "dpi", "as"),
}
#: The options of a part: the keys of a gallery's entry, the form, and the title in the picture.
KEYS = ("format", "title", *(key for key in DEFAULTS if key not in _OTHERS))
#: What a value of a type is called, and one as an example.
_SAMPLES: dict[type, tuple[str, str]] = {
    int: ("a whole number", "640"),
    float: ("a number", "0.5"),
    bool: ("true or false", "true"),
    str: ("text", "dark"),
}
_TYPES = {one.name: one.type for one in msgspec.structs.fields(Entry)}


@dataclass(frozen=True)
class Part:
    """An animation that a page contains.

    Attributes:
        entry: its description.
        form: one of `FORMS`.
        root: the folder that has all files.
        files: the contents of the files that it names.
    """

    entry: Entry
    form: str
    root: Path
    files: dict[str, bytes] = field(repr=False)

    @cached_property
    def animation(self) -> Animation:
        """The animation, planned but not drawn.

        Raises:
            ConvanimError: a value that cannot be read, or cannot be combined with another.
        """
        with laid_out(self.files) as places:
            return animate(self.entry, places)

    @property
    def alt(self) -> str:
        """The alternative text."""
        return " ".join((self.entry.alt or self.animation.alt).split())

    @property
    def sources(self) -> list[Path]:
        """The files that it depends on."""
        return list(paths(self.root, self.entry).values())

    @property
    def moving(self) -> str:
        """The suffix of its picture: one frame does not move."""
        return "gif" if len(self.animation) > 1 else "png"

    def key(self, kind: str) -> str:
        """The digest of everything that affects what `made` returns."""
        return digest.key(self.entry, digest.of_entry(self.entry, self.files) + kind)

    def made(self, kind: str) -> bytes:
        """The bytes of the part.

        Args:
            kind: "html" for the element of a player, "gif" for all frames, "png" or "pdf" for the last one.
        """
        shown = self.animation
        if kind == "html":
            return shown.player(self.alt).encode()
        if kind == "png":
            return shown.still()
        file, last = BytesIO(), FORMATS[kind].still
        if last:
            shown.prove()
            last(shown)(file, shown.plan.shots[-1].frame)
        else:
            shown.save(file, kind)
        return file.getvalue()


def part(layer: str, options: Mapping[str, Any], root: Path, folder: str = "") -> Part:
    """A part from its options, as a page has them.

    Args:
        layer: a notation, or a line of a framework.
        options: the values by key, as text or typed; "" sets a flag.
        root: the folder that files must be in.
        folder: the folder within the root that names of files start from; those that begin with / start from the root.

    Raises:
        ConvanimError: an unknown key, a value of another type, or a file that cannot be read or lies outside the root.

    Example:
        >>> part("Conv(2)", {"input": "3x3", "width": "480"}, Path()).entry.width
        480
    """
    table: dict[str, Any] = {}
    for key, value in options.items():
        if key not in KEYS:
            raise ConvanimError(f"{key[:60]!r} is not an option", near(key, KEYS))
        table[key] = "true" if value == "" and bool in _kinds(key) else value
    if not layer.strip():
        raise ConvanimError("the layer is missing", "write one like ConvTranspose(3, stride=2)")
    if "input" not in table:
        raise ConvanimError("the input is missing", "write :input: 3x3")
    form = table.pop("format", FORMS[0])
    if form not in FORMS:
        raise ConvanimError(f"format {str(form)[:60]!r} is not known", f"use {' or '.join(FORMS)}")
    table["layer"], table["drawn_title"] = " ".join(layer.split()), table.pop("title", None)
    entry = _placed(_typed(table), folder)
    if entry.theme == AUTO:
        if form != FORMS[0]:
            raise ConvanimError(f"theme {AUTO} needs a player", "leave `format` out, or use light or dark")
        entry = msgspec.structs.replace(entry, theme=None)
    return Part(entry, form, root, contents(root, entry))


def told(error: Exception) -> str:
    """What went wrong, in a sentence with options as a page writes them."""
    return sentence(error, lambda code: re.sub(r"^(\w+)=[\"']?(.*?)[\"']?$", r":\1: \2", code))


def subject(message: str) -> str:
    """The first word of a message, which is that of an option if it is about one."""
    return re.split(r"[ =]", message, maxsplit=1)[0].strip("'\"`:")


def _kinds(key: str) -> tuple[Any, ...]:
    kind = _TYPES.get(key)
    return get_args(kind) or (kind,)


def _typed(table: dict[str, Any]) -> Entry:
    """A table of texts as an entry."""
    try:
        return msgspec.convert(table, Entry, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        key = re.split(r"[.\[`]", str(error).partition(" - at `$.")[2])[0]
        what, sample = next(_SAMPLES[kind] for kind in (*_kinds(key), str) if kind in _SAMPLES)
        raise ConvanimError(f"{key} {shortly(table.get(key))} is not {what}", f"write :{key}: {sample}") from None


def _placed(entry: Entry, folder: str) -> Entry:
    """An entry whose files are named from the root."""
    if any(str(getattr(entry, key)).strip() == "-" for key in FILE_KEYS):
        raise ConvanimError("a page cannot read from standard input", "name a file")
    new = {
        key: posixpath.normpath(
            text.strip()[1:] if text.strip().startswith("/") else posixpath.join(folder, text.strip())
        )
        for key, text in named(entry)
    }
    return msgspec.structs.replace(entry, **new)

"""What decides whether two things are the same: digests of descriptions, traces, pixels, files and the program itself.

Knows bytes and versions. Must not know where anything is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import msgspec

from convanim import __version__, fonts
from convanim.errors import ConvanimError
from convanim.formats import FORMATS
from convanim.inputfile import read_bytes
from convanim.spoken import catalogue
from convanim.theme import templates

if TYPE_CHECKING:
    from convanim.trace import Trace

_LARGEST_FONT = 1 << 28  # bytes: a Chinese and Japanese one in all its weights has a tenth of that
LENGTH = 32  # hexadecimal digits that are kept of a SHA-256: 128 bits
PACKAGE = Path(__file__).resolve().parent.parent
#: Parts of the package that no entry's files depend on: how a person asks for them, and what is done with them.
_APART = {
    "cli.py",
    "cli_files.py",
    "cli_gallery.py",
    "shell.py",
    "options.py",
    "preload.py",
    "__main__.py",
    "gallery",
    "templates",
}
#: And those of the gallery that they do depend on.
_MAKING = {f"gallery/{name}.py" for name in ("description", "command", "digest", "named", "work")}


def digest(*parts: bytes) -> str:
    """The digest of some bytes, distinguished from the same bytes in other parts.

    Example:
        >>> digest(b"ab", b"c") == digest(b"a", b"bc")
        False
    """
    return of_many(parts)


def of_many(parts: Iterable[bytes]) -> str:
    """The same of bytes that come one by one."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()[:LENGTH]


def of_bytes(data: bytes) -> str:
    """The digest of a file: its SHA-256, as other programs tell it, cut to 32 digits."""
    return hashlib.sha256(data).hexdigest()[:LENGTH]


def of_parts(parts: Iterable[bytes]) -> str:
    """The digest of a file that comes in parts."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()[:LENGTH]


def of_entry(told: bytes, files: Mapping[str, bytes]) -> str:
    """The digest of a description: what it and what it extends say, as JSON, and the files that it names."""
    return digest(told, *(part for name in sorted(files) for part in (name.encode(), files[name])))


def key(description: str, told: bytes) -> str:
    """What decides whether an entry is out of date: its description, the program, and the fonts that it may need.

    Fonts of this machine are no part of a description's own digest, which is the same everywhere.

    Args:
        told: what the description says, as JSON.
    """
    return digest(description.encode(), engine().encode(), _wide_fonts() if _is_wide(told.decode()) else b"")


def _is_wide(told: str) -> bool:
    """Whether a description may need fonts that do not come along: for its language, or for its own words."""
    if any(map(fonts.wide, told)) or (os.environ.get(fonts.ASKED) and not told.isascii()):
        return True
    lang = msgspec.json.decode(told, type=_Lang).lang
    return lang is not None and _speaks_wide(lang)


class _Lang(msgspec.Struct):
    lang: str | None = None


@cache
def _speaks_wide(lang: str) -> bool:
    try:
        words = catalogue(lang)
    except ConvanimError:  # told when the entry is made
        return False
    return words is not None and any(map(fonts.wide, f"{words}"))


@cache
def _wide_fonts() -> bytes:
    """The digest of the files that characters are taken from which the usual font lacks."""
    try:
        files = [path for pair in fonts.candidates() for path in pair if path]
        return digest(*(of_bytes(read_bytes(path, _LARGEST_FONT)).encode() for path in files)).encode()
    except (ConvanimError, OSError):  # told when the entry is made
        return b"none"


@contextmanager
def written(parts: Iterable[bytes]) -> Iterator[tuple[IO[bytes], str]]:
    """Bytes in a file that nobody sees, at its beginning, and their digest.

    Raises:
        ConvanimError: there is no room for them.
    """
    try:
        with TemporaryFile() as file:
            sha = hashlib.sha256()
            for part in parts:
                sha.update(part)
                file.write(part)
            file.seek(0)
            yield file, sha.hexdigest()[:LENGTH]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConvanimError(f"a temporary file cannot be written: {reason}", "free disk space") from None


def of_traces(traces: Iterable[Trace]) -> str:
    """The digest of arithmetic: every value and every step, as they stand in a trace's file."""
    from convanim.write.tracefile import write_trace

    told = []
    for trace in traces:
        file = BytesIO()
        write_trace(file, trace)
        told.append(file.getvalue())
    return digest(*told)


def of_pixels(data: bytes, kind: str) -> tuple[str, dict[str, Any]]:
    """The digest of what is seen, and its size: decoded frames with their times. Other files are seen as their bytes.

    Neighbours that are equal are one frame here, however a file cuts them.
    """
    form = FORMATS[kind]
    if not form.embeds:
        return of_bytes(data), {}
    from PIL import Image, ImageSequence

    shown: list[list[Any]] = []
    with Image.open(BytesIO(data)) as image:
        size = {"width": image.width, "height": image.height}
        for frame in ImageSequence.Iterator(image):
            seen = hashlib.sha256(frame.convert("RGB").tobytes()).digest()
            lasts = round(frame.info.get("duration", 0))
            if shown and shown[-1][0] == seen:
                shown[-1][1] += lasts
            else:
                shown.append([seen, lasts])
    time = {"frames": len(shown), "seconds": sum(lasts for _, lasts in shown) / 1000} if form.tick else {}
    return digest(*(seen + str(lasts).encode() for seen, lasts in shown)), size | time


@cache
def engine() -> str:
    """The digest of everything besides a description that decides what is drawn, down to the font engine's own bytes.

    The package's sources are part of it, so that a checkout with changes is never taken for a release.
    """
    matplotlib = find_spec("matplotlib")
    places = matplotlib.submodule_search_locations if matplotlib else None
    fonts = [f.read_bytes() for place in places or () for f in sorted(Path(place).glob("ft2font*.so"))]
    return digest(msgspec.json.encode(versions(), order="sorted"), *fonts)


@cache
def versions() -> dict[str, str]:
    """The versions that decide what is drawn, by name; `source` is the digest of the package and its templates."""
    known = {name: version(name) for name in ("numpy", "matplotlib", "pillow")}
    return {"convanim": __version__, "source": _source()} | known


def freetype() -> str:
    """The version of the font engine. Loads it."""
    from convanim.glyphs import FREETYPE

    return FREETYPE


def of_page_maker() -> str:
    """The digest of what makes the pages: their templates, and the modules that fill and mark them."""
    files = [
        PACKAGE / "gallery" / "pages.py",
        PACKAGE / "gallery" / "mark.py",
        *sorted((templates() / "gallery").iterdir()),
    ]
    return digest(*(part for path in files for part in (path.name.encode(), path.read_bytes())))


def _source() -> str:
    looks = templates()
    named = [(path.relative_to(PACKAGE), path) for path in sorted(PACKAGE.rglob("*.py"))]
    named = [(name, path) for name, path in named if name.parts[0] not in _APART or name.as_posix() in _MAKING]
    files = [path for path in sorted(looks.rglob("*")) if path.is_file()]
    named += [(name, path) for path in files if (name := path.relative_to(looks)).parts[0] != "gallery"]
    return digest(*(part for name, path in named for part in (name.as_posix().encode(), path.read_bytes())))

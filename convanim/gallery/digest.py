"""Digests, which decide whether descriptions, traces, pixels, files and the program itself are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convanim import __version__
from convanim.assets import templates
from convanim.errors import ConvanimError
from convanim.page import fonts
from convanim.write.formats import FORMATS

if TYPE_CHECKING:
    from convanim.gallery.description import Entry
    from convanim.trace import Trace

_MARK = b"<!-- convanim:"


def digest(*parts: bytes) -> str:
    """The digest of several parts; the same bytes split differently have another digest.

    Example:
        >>> digest(b"ab", b"c") == digest(b"a", b"bc")
        False
    """
    return of_parts(part for told in parts for part in (len(told).to_bytes(8, "big"), told))


def of_bytes(data: bytes) -> str:
    """The digest of a file."""
    return of_parts([data])


def of_parts(parts: Iterable[bytes]) -> str:
    """The digest of a file that arrives in parts: 32 hexadecimal digits of its SHA-256, 128 bits."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()[:32]


def marked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts of a page, followed by a comment that reveals later edits."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
        yield part
    yield _MARK + sha.hexdigest().encode() + b" -->\n"


def is_marked(page: bytes) -> bool:
    """Whether a page is exactly as some build wrote it, perhaps in another branch or with Windows' line ends."""
    page = page.replace(b"\r\n", b"\n")
    text, mark, _ = page.rpartition(_MARK)
    return bool(mark) and b"".join(marked([text])) == page


def encoded(value: Any) -> bytes:
    """A value as JSON with sorted keys: the same bytes everywhere."""
    return msgspec.json.encode(value, order="sorted")


def of_entry(entry: Entry, files: Mapping[str, bytes]) -> str:
    """The digest of a description: the keys of it and its bases, and the files that it names."""
    return digest(encoded(entry), *(part for name in sorted(files) for part in (name.encode(), files[name])))


def key(entry: Entry, description: str) -> str:
    """The key that decides whether an entry is up to date: the digests of its description, the program, and fonts.

    This machine's fonts are not part of a description's own digest, which is the same everywhere.
    """
    plain = entry.lang is None and encoded(entry).isascii()
    return digest(description.encode(), engine().encode(), b"" if plain else _fonts())


@cache
def _fonts() -> bytes:
    """The files with characters that the default font lacks, and their modification times."""
    try:
        files = [path for pair in fonts.candidates() for path in pair if path]
        return "".join(f"{path} {(found := path.stat()).st_size} {found.st_mtime_ns}\n" for path in files).encode()
    except (ConvanimError, OSError):  # reported when the entry is built
        return b"none"


def of_traces(traces: Iterable[Trace]) -> str:
    """The digest of the arithmetic: every value and every step, as in a trace's file."""
    from convanim.write.tracefile import write_trace

    files = []
    for trace in traces:
        write_trace(file := BytesIO(), trace)
        files.append(file.getvalue())
    return digest(*files)


def frames(data: bytes) -> Iterator[tuple[Any, int]]:
    """The decoded frames of a picture as RGB images, with their durations in ms."""
    from PIL import Image, ImageSequence

    with Image.open(BytesIO(data), formats=("GIF", "PNG", "WEBP")) as image:
        for frame in ImageSequence.Iterator(image):
            yield frame.convert("RGB"), round(frame.info.get("duration", 0))


def of_pixels(data: bytes, kind: str) -> tuple[str, dict[str, Any]]:
    """The digest of a picture's decoded frames and their durations, and its size. Other files are digested as bytes.

    Equal consecutive frames count as one, however the file stores them.
    """
    form = FORMATS[kind]
    if form.vector or not form.embeds:
        return of_bytes(data), {}
    shown: list[list[Any]] = []
    shape: dict[str, Any] = {}
    for frame, lasts in frames(data):
        shape = {"width": frame.width, "height": frame.height}
        seen = hashlib.sha256(frame.tobytes()).digest()
        if shown and shown[-1][0] == seen:
            shown[-1][1] += lasts
        else:
            shown.append([seen, lasts])
    if form.tick:
        shape |= {"frames": len(shown), "seconds": sum(lasts for _, lasts in shown) / 1000}
    return digest(*(seen + str(lasts).encode() for seen, lasts in shown)), shape


@cache
def engine() -> str:
    """The digest of everything that affects a file besides its description, including matplotlib's engines."""
    matplotlib = find_spec("matplotlib")
    places = matplotlib.submodule_search_locations if matplotlib else None
    modules = "ft2font*.so", "backends/_backend_agg*.so"
    engines = [f.read_bytes() for place in places or () for name in modules for f in sorted(Path(place).glob(name))]
    return digest(encoded(versions()), *engines)


@cache
def versions() -> dict[str, str]:
    """The versions that affect drawing, by name.

    `source` is the digest of the package and its templates, so that a modified checkout is never taken for a release.
    """
    package = Path(__file__).resolve().parent.parent
    files = {p.relative_to(package).as_posix(): p for p in package.rglob("*.py")}
    files |= {p.relative_to(templates()).as_posix(): p for p in templates().rglob("*.*")}
    source = digest(*(part for name in sorted(files) for part in (name.encode(), files[name].read_bytes())))
    return {"convanim": __version__, "source": source, **{n: version(n) for n in ("numpy", "matplotlib", "pillow")}}


def all_versions() -> dict[str, str]:
    """The same including the font engine, which is imported for it."""
    from convanim.page.glyphs import FREETYPE

    return versions() | {"freetype": FREETYPE}


def differing(then: Mapping[str, str], now: Mapping[str, str], word: str) -> str:
    """A short description of the versions that differ: 'numpy 1, now 2'."""
    return "; ".join(
        f"{name} {then.get(name, 'none')}, {word} {now[name]}" for name in now if then.get(name) != now[name]
    )

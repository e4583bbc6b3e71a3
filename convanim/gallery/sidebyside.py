"""Compares the old and new frames of an entry side by side on one page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from convanim.errors import ConvanimError
from convanim.gallery.folder import read_folder
from convanim.gallery.pages import rendered
from convanim.gallery.planner import choose
from convanim.gallery.work import Task, work
from convanim.system.inputfile import read_bytes
from convanim.write.files import whole_file
from convanim.write.formats import FORMATS

MOST = 60  # the maximum number of pairs of frames on a page
LARGEST = 1 << 28  # the maximum size of a picture to compare with, bytes
MISSING = "build it first, or name another file with --old"


class Shown(NamedTuple):
    """A decoded frame: (H, W, 3) colours, and its start in ms."""

    pixels: NDArray[np.uint8]
    start: int
    lasts: int


def diff(folder: str | Path, name: str, target: Path, *, old: str | Path | None = None) -> str:
    """Write a page that compares the frames of an entry in the gallery with those that it makes now.

    The page shows only frames that differ, at most 60 pairs.

    Args:
        old: another file to compare with, instead of the file in the gallery.

    Returns:
        the result, in one line.

    Raises:
        ConvanimError: the entry does not exist, or it has nothing to compare.
    """
    described = read_folder(folder)
    (chosen,) = choose(described, [name])[:1]
    if chosen in described.broken:
        raise ConvanimError(described.broken[chosen].rstrip(".?"), "correct the description first")
    entry = described.entries[chosen]
    made = work(Task(chosen, entry, described.files(chosen)))
    if made.error:
        raise ConvanimError(f"{chosen}.toml: {made.error}".rstrip(".?"))
    pictures = [file for file in made.files if FORMATS[file.rpartition(".")[2]].embeds]
    if not pictures:
        raise ConvanimError(
            f"{chosen} has no picture to compare, only {', '.join(entry.formats)}", "add the gif format"
        )
    path = Path(old) if old is not None else described.path / pictures[0]
    try:
        data = read_bytes(path, LARGEST)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConvanimError(f"{path.name} cannot be read: {reason}", MISSING) from None
    before, after = _frames(data, path.name), _frames(made.files[pictures[0]], pictures[0])
    pairs = list(zip_longest(before, after))
    differ = [(i, a, b) for i, (a, b) in enumerate(pairs) if not _alike(a, b)]
    line = f"{len(differ)} of {len(pairs)} frames differ" if differ else f"all {len(pairs)} frames are equal"
    rows = [
        {"number": i, "old": a and _uri(a.pixels), "new": b and _uri(b.pixels), "told": _told(a, b)}
        for i, a, b in differ[:MOST]
    ]
    page = rendered("diff.html", {"name": chosen, "line": line, "rows": rows, "more": len(differ) - len(rows)})
    with whole_file(target, follow=False) as file:
        file.write(page)
    return f"{target}: {line}"


def _frames(data: bytes, name: str) -> list[Shown]:
    try:
        with Image.open(BytesIO(data), formats=("GIF", "PNG")) as image:
            shown, start = [], 0
            for frame in ImageSequence.Iterator(image):
                lasts = round(frame.info.get("duration", 0))
                shown.append(Shown(np.array(frame.convert("RGB")), start, lasts))
                start += lasts
            return shown
    except (OSError, ValueError, SyntaxError):
        raise ConvanimError(f"{name} cannot be read: it is not a GIF or a PNG", MISSING) from None


def _alike(a: Shown | None, b: Shown | None) -> bool:
    return bool(a and b and a.lasts == b.lasts and np.array_equal(a.pixels, b.pixels))


def _told(a: Shown | None, b: Shown | None) -> str:
    """A short description of the difference between two frames."""
    if a is None or b is None:
        return "only in the new file" if a is None else "only in the old file"
    told = [] if a.lasts == b.lasts else [f"{a.lasts} ms, now {b.lasts} ms"]
    if a.pixels.shape != b.pixels.shape:
        told.append("another size")
    elif (other := (a.pixels != b.pixels).any(axis=-1)).any():
        ys, xs = np.nonzero(other)
        told.append(f"{other.sum():,} pixels, in x {xs.min()} to {xs.max()}, y {ys.min()} to {ys.max()}")
    return "; ".join(told)


def _uri(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"

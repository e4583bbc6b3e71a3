"""Compares the old and new frames of an entry side by side on one page."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convanim.errors import ConvanimError, reason
from convanim.gallery.builder import choose
from convanim.gallery.digest import frames
from convanim.gallery.folder import read_folder
from convanim.gallery.pages import rendered
from convanim.gallery.work import Task, work
from convanim.system.inputfile import read_bytes
from convanim.write.files import whole_file
from convanim.write.formats import FORMATS

MOST = 60  # the maximum number of pairs of frames on a page
LARGEST = 1 << 28  # the maximum size of a picture to compare with, bytes

#: The (H, W, 3) colours of a frame, and its duration in ms; none where the other animation has more frames.
_Frame = tuple[NDArray[np.uint8], int] | None


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
    forms = {file: FORMATS[file.rpartition(".")[2]] for file in made.files}
    pictures = [file for file, form in forms.items() if form.embeds and not form.vector]
    if not pictures:
        told = f"{chosen} has no picture to compare, only {', '.join(entry.formats)}"
        raise ConvanimError(told, "add the gif format")
    path = Path(old) if old is not None else described.path / pictures[0]
    try:
        before = _frames(read_bytes(path, LARGEST))
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's own errors have no reason of the system
        why = reason(error) if getattr(error, "strerror", None) else "it is not a GIF, a PNG or a WebP"
        told = f"{path.name} cannot be read: {why}"
        raise ConvanimError(told, "build it first, or name another file with `old`") from None
    pairs = list(zip_longest(before, _frames(made.files[pictures[0]])))
    differ = [(i, a, b, told) for i, (a, b) in enumerate(pairs) if (told := _told(a, b))]
    line = f"{len(differ)} of {len(pairs)} frames differ" if differ else f"all {len(pairs)} frames are equal"
    rows = [{"number": i, "old": _uri(a), "new": _uri(b), "told": told} for i, a, b, told in differ[:MOST]]
    page = rendered("diff.html", {"name": chosen, "line": line, "rows": rows, "more": len(differ) - len(rows)})
    with whole_file(target, follow=False) as file:
        file.write(page)
    return f"{target}: {line}"


def _frames(data: bytes) -> list[_Frame]:
    return [(np.array(frame), lasts) for frame, lasts in frames(data)]


def _told(a: _Frame, b: _Frame) -> str:
    """A short description of the difference between two frames; empty if they are equal."""
    if a is None or b is None:
        return "only in the new file" if a is None else "only in the old file"
    (before, lasted), (after, lasts) = a, b
    told = [] if lasted == lasts else [f"{lasted} ms, now {lasts} ms"]
    if before.shape != after.shape:
        told.append("another size")
    elif (other := (before != after).any(axis=-1)).any():
        ys, xs = np.nonzero(other)
        told.append(f"{other.sum():,} pixels, in x {xs.min()} to {xs.max()}, y {ys.min()} to {ys.max()}")
    return "; ".join(told)


def _uri(frame: _Frame) -> Any:
    if frame is None:
        return None
    Image.fromarray(frame[0]).save(file := BytesIO(), "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"

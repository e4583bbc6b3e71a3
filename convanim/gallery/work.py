"""Builds the files of one entry in memory: the task of a worker, which may be on another machine."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from convanim.animation import Animation
from convanim.draw.theme import AUTO, PAIR
from convanim.errors import ConvanimError, ConvanimWarning, reason, spelt
from convanim.explanation import explain
from convanim.gallery import digest
from convanim.gallery.description import FILE_KEYS, LOOK, Entry, asked, made_by, moves, stems
from convanim.gallery.records import File, Record
from convanim.layers import Weighted, parse
from convanim.lightdark import pair_names
from convanim.typed import read_array
from convanim.typed.archives import apart
from convanim.typed.request import compared, request
from convanim.write.formats import pick_format

#: What is written in a description for what a message names in Python; the rest are keys of the same names.
_WRITTEN = {
    **{"save('FILE.json')": 'formats = ["json"]', "colours=False": "grey = true"},
    **{"as_": "as", 'as_="video"': 'as = "video"'},
}


@dataclass(frozen=True)
class Task:
    """An entry to be built, with the contents of the files that it names, and the digest of all that.

    Attributes:
        error: why the files cannot be read; then the result is this error.
    """

    name: str
    entry: Entry
    files: dict[str, bytes]
    description: str = ""
    error: str = ""


@dataclass(frozen=True)
class Result:
    """The result of a task: files by their name in the gallery and their record, or an error.

    Attributes:
        error: the error message.
        versions: the versions of the worker.
    """

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    record: Record | None = None
    error: str = ""
    versions: dict[str, str] = field(default_factory=dict)


def work(task: Task) -> Result:
    """Build the files of an entry. Errors are part of the result, and never raised."""
    try:
        if not task.error:
            return Result(task.name, *_made(task), versions=digest.all_versions())
    except Exception as error:  # a bug must not stop a build of thousands of entries
        return Result(task.name, error=sentence(error, lambda code: _WRITTEN.get(code, code)))
    return Result(task.name, error=task.error)


def sentence(error: Exception, spelling: Callable[[str], str]) -> str:
    """What went wrong, in a sentence for a report; `spelling` writes what a message names as code."""
    if isinstance(error, ConvanimError):
        error.args = tuple(spelt(text, spelling) for text in error.args)
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; use a smaller input."
    if isinstance(error, OSError):
        return f"a temporary file cannot be written: {reason(error)}; free disk space."
    what = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    return f"this is a fault of convanim ({what}); please report it."


def _made(task: Task) -> tuple[dict[str, bytes], Record]:
    """The files of an entry, and their record for the manifest."""
    entry, files, told = task.entry, dict[str, bytes](), dict[str, File]()
    if entry.theme == AUTO:
        for kind in entry.formats:
            pair_names(Path(f"{task.name}.{kind}"))  # refuses formats without colours
    with laid_out(task.files) as paths:
        drawn = {stem: animate(entry, paths, theme) for theme, stem in stems(task.name, entry).items()}
    for kind in entry.formats:
        for stem, animation in drawn.items():
            animation.save(file := BytesIO(), pick_format(None, kind))
            files[f"{stem}.{kind}"] = file.getvalue()
    if moves(entry):
        for stem, animation in drawn.items():
            files[f"stills/{stem}.png"] = animation.still(len(animation) * 2 // 3)  # during the steps
    for name, data in files.items():
        pixels, shape = digest.of_pixels(data, name.rpartition(".")[2])
        told[name] = File(bytes=digest.of_bytes(data), pixels=pixels, size=len(data), **shape)
    first = next(iter(drawn.values()))
    trace: Any = first.trace
    return files, Record(
        description=task.description,
        trace=digest.of_traces(first.scene.traces),
        heading=str(first.alt),
        words=str(explain(trace.op, tuple(axis.input for axis in trace.axes))) if entry.explained else "",
        files=told,
    )


@contextmanager
def laid_out(files: dict[str, bytes]) -> Iterator[dict[str, str]]:
    """The files that an entry names, in a temporary folder; most entries have none and need no folder."""
    if not files:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="convanim") as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvanimWarning)  # the entry's command shows it with the real file name
        # As far below the folder as a name leads up, so that files keep their places relative to each other.
        base = Path(scratch, *["in"] * (1 + max(text.count("..") for text in files)))
        names = {text: re.sub(r"^[/\\]+", "absolute/", apart(text)[0].strip().replace(":", "")) for text in files}
        paths = {text: os.path.normpath(base / name) for text, name in names.items()}
        for text, path in paths.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(files[text])
        try:
            yield {text: f"{path}::{apart(text)[1]}" if apart(text)[1] else path for text, path in paths.items()}
        except ConvanimError as error:
            for text, path in paths.items():
                error.args = tuple(said.replace(path, apart(text)[0]) for said in error.args)
            raise


def animate(entry: Entry, paths: dict[str, str] | None = None, theme: str | None = None) -> Animation:
    """The animation of an entry.

    Args:
        paths: the paths of the files that it names.
        theme: "light" or "dark", for an entry with both.

    Raises:
        ConvanimError: a value that cannot be read, or cannot be combined with another.

    Example:
        >>> animate(Entry(layer="Conv(2)", input="3x3")).trace.output.tolist()
        [[51, 52], [55, 50]]
    """
    kind, options = asked(entry)
    files = {key: (paths or {}).get(value, value) for key in FILE_KEYS if isinstance(value := options.get(key), str)}
    options = {"fill": None, "seed": 0, "kernel": None} | options | files
    options["x"] = options["input"]
    look = {name: options.pop(key) for key, name in LOOK.items() if key in options} | {"made_by": made_by(entry)}
    grad, backward = look.pop("grad", None), options.pop("backward", False)
    if entry.theme == AUTO:
        look["theme"] = theme or PAIR[0]
    if kind == "compare":
        given = ("x", "kernel", "bias", "channels", "out_channels", "batch", "fill", "seed", "resize", "grey")
        a, b = compared(entry.layer, entry.compare or "", **{key: options.get(key) for key in given})
        return Animation(a.trace(), beside=b.trace(), **look)
    ready = request(kind, **options, **({"notation": entry.layer} if kind == "layer" else {}))
    op: Any = ready.op
    layer = parse(entry.layer) if kind != "layer" else op
    if isinstance(layer, Weighted) and layer.axes(ready.sizes) != op.axes(ready.sizes):
        told = f"kernel has the size {op.kernel_size}, but {layer} has the size {layer.kernel_size}"
        raise ConvanimError(told, "give a kernel of that size")
    if backward or grad is not None:
        look["view"] = "backward"
    if grad is not None:
        look["grad"] = read_array(grad, what="grad", fill=options["fill"] or "example", seed=options["seed"])
    return Animation(ready.trace(), colours=ready.colours or ready.grey, **look)

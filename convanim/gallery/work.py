"""Builds the files of one entry in memory: the task of a worker, which may be on another machine."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from convanim.animation import Animation
from convanim.draw.theme import AUTO, PAIR
from convanim.errors import ConvanimError, ConvanimWarning, spelt
from convanim.gallery import digest
from convanim.gallery.command import asked, made_by
from convanim.gallery.description import FILE_KEYS, Entry, moves, stems
from convanim.gallery.manifest import File, Record
from convanim.layers import Weighted, parse
from convanim.lightdark import pair_names
from convanim.look import OPTIONS
from convanim.typed.request import compared, request
from convanim.write.formats import pick_format

#: The keys that `Animation` takes under the same names.
_LOOK = tuple(name for name in OPTIONS if name != "grad")
_LAYER = ("x", "kernel", "bias", "out_channels", "fill", "seed", "resize", "grey")


@dataclass(frozen=True)
class Task:
    """An entry to be built, with the contents of the files that it names, and the digest of all that."""

    name: str
    entry: Entry
    files: dict[str, bytes]
    description: str = ""


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
        files, record = _made(task)
        return Result(task.name, files, record, versions=digest.all_versions())
    except ConvanimError as error:
        error.args = tuple(spelt(text, _written) for text in error.args)
        return Result(task.name, error=str(error))
    except MemoryError:
        return Result(task.name, error="there is not enough memory; use a smaller input.")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Result(task.name, error=f"a temporary file cannot be written: {reason}; free disk space.")
    except Exception as error:  # a bug must not stop a build of thousands of entries
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        return Result(task.name, error=f"this is a fault of convanim ({what}); please report it.")


def _written(code: str) -> str:
    """What is written in a description for what a message names in Python: mostly a key of the same name."""
    return {"save('FILE.json')": 'formats = ["json"]', "colours=False": "grey = true"}.get(code, code)


def _made(task: Task) -> tuple[dict[str, bytes], Record]:
    """The files of an entry, and their record for the manifest."""
    with _scratch(task) as paths:
        try:
            both = _themes(task, paths)
            animation = next(iter(both.values()))
        except ConvanimError as error:
            for text, path in paths.items():
                error.args = tuple(said.replace(path, text) for said in error.args)
            raise
    files = {}
    for kind in task.entry.formats:
        for stem, drawn in both.items():
            file = BytesIO()
            drawn.save(file, pick_format(None, kind))
            files[f"{stem}.{kind}"] = file.getvalue()
    if moves(task.entry):
        for stem, drawn in both.items():
            files[f"stills/{stem}.png"] = drawn.still(len(drawn) * 2 // 3)  # during the steps
    told = {}
    for name, data in files.items():
        pixels, shape = digest.of_pixels(data, name.rpartition(".")[2])
        told[name] = File(bytes=digest.of_bytes(data), pixels=pixels, size=len(data), **shape)
    return files, Record(
        description=task.description,
        trace=digest.of_traces(animation.scene.traces),
        heading=str(animation.alt),
        words=explained(animation.trace) if task.entry.explained else "",
        files=told,
    )


@contextmanager
def _scratch(task: Task) -> Iterator[dict[str, str]]:
    """The files that an entry names, in a temporary folder; most entries have none and need no folder."""
    if not task.files:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="convanim") as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvanimWarning)  # the entry's command shows it with the real file name
        # As far below the folder as a name leads up, so that files keep their places relative to each other.
        base = Path(scratch, *["in"] * (1 + max(text.count("..") for text in task.files)))
        names = {text: re.sub(r"^[/\\]+", "absolute/", text.strip().replace(":", "")) for text in task.files}
        paths = {text: Path(os.path.normpath(base / name)) for text, name in names.items()}
        for text, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(task.files[text])
        yield {text: str(path) for text, path in paths.items()}


def _themes(task: Task, paths: dict[str, str]) -> dict[str, Animation]:
    """The animations of an entry by the stems of their files: one, or a light and a dark one."""
    if task.entry.theme == AUTO:
        for kind in task.entry.formats:
            pair_names(Path(f"{task.name}.{kind}"))  # refuses formats without colours
    return {stem: animate(task.entry, paths, theme) for theme, stem in stems(task.name, task.entry).items()}


def animate(entry: Entry, paths: dict[str, str] | None = None, theme: str | None = None) -> Animation:
    """The animation of an entry.

    Args:
        paths: the paths of the files that it names.
        theme: "light" or "dark", for an entry with both.

    Raises:
        ConvanimError: a value that cannot be read, or cannot be combined with another.

    Example:
        >>> animate(Entry(layer="Conv(2)", input="3x3")).trace.output.tolist()
        [[37, 47], [67, 77]]
    """
    kind, options = asked(entry)
    by = made_by(entry)
    for key in FILE_KEYS:
        value = options.get(key)
        if isinstance(value, str):
            options[key] = (paths or {}).get(value, value)
    look = {key: options.pop(key) for key in _LOOK if key in options}
    if entry.theme == AUTO:
        look["theme"] = theme or PAIR[0]
    options = dict[str, Any]() | {"fill": None, "seed": 0, "kernel": None} | options | {"x": options["input"]}
    grad, backward = options.pop("grad", None), options.pop("backward", False)
    if kind == "compare":
        layers = {name: options.get(name) for name in _LAYER}
        a, b = (each.trace() for each in compared(entry.layer, entry.compare or "", **layers))
        return Animation(a, beside=b, made_by=by, **look)
    if kind == "layer":
        options["notation"] = entry.layer
    ready = request(kind, **options)
    if kind != "layer":
        _agree(entry, ready.op, ready.sizes)
    if backward or grad is not None:
        look["view"] = "backward"
    if grad is not None:
        from convanim.typed import read_array

        look["grad"] = read_array(grad, what="grad", fill=options["fill"] or "range", seed=options["seed"])
    return Animation(ready.trace(), colours=ready.colours, made_by=by, **look)


def explained(trace: Any) -> str:
    """The arithmetic of a layer in words, without its code in the frameworks."""
    from convanim.explanation import explain

    return explain(trace.op, tuple(axis.input for axis in trace.axes))


def _agree(entry: Entry, op: Any, sizes: tuple[int, ...]) -> None:
    """Refuse a kernel whose shape is not the layer's."""
    layer = parse(entry.layer)
    if isinstance(layer, Weighted) and layer.axes(sizes) != op.axes(sizes):
        size, other = op.kernel_size, layer.kernel_size
        raise ConvanimError(
            f"kernel has the size {size}, but {layer} has the size {other}", "give a kernel of that size"
        )

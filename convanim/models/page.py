"""The page of a model: a grid for each layer, the cells that depend on each other, a table, and players."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convanim import __version__
from convanim.assets import templates
from convanim.draw.theme import PAIR, load
from convanim.errors import ConvanimError
from convanim.language.words import say, translate
from convanim.layers import Axis, times
from convanim.models.graph import Graph, Node, same
from convanim.models.reach import sources
from convanim.models.rows import Row, joined, shape_of
from convanim.models.small import player, small_of
from convanim.scene.spoken import catalogue
from convanim.write.drawing import Tables
from convanim.write.files import whole_file
from convanim.write.formats import Saved
from convanim.write.html import filled, labels, packed, script, short_script

if TYPE_CHECKING:
    from convanim.language.words import Catalogue

Progress = Callable[[int, int], None]
#: The script beside a page that has none of its own.
SCRIPT = "convanim-model.js"
#: The maximum number of pairs of cells that a page stores, and of layers.
MOST_PAIRS, MOST_LAYERS = 3_000_000, 2_000
#: The inks of the page's own parts.
NAMED = (
    "page",
    "text",
    "muted",
    "line",
    "pending.fill",
    "data.fill",
    "data.stroke",
    "kernel.fill",
    "kernel.stroke",
    "done.stroke",
)

_LABELS = {
    "layer": say("Layer"),
    "slice": say("Slice"),
    "row": say("Row"),
    "column": say("Column"),
    "cells": say("The cell"),
    "told": say(
        "Cell {cell} of {layer} depends on {n} of {all} cells of the input, {area}.",
        **{name: "{" + name + "}" for name in ("cell", "layer", "n", "all", "area")},
    ),
    "onward": say("{n} of {all} cells of {layer} depend on it.", n="{n}", all="{all}", layer="{layer}"),
    "slices": say("slices {first} to {last}", first="{first}", last="{last}"),
    "rows": say("rows {first} to {last}", first="{first}", last="{last}"),
    "columns": say("columns {first} to {last}", first="{first}", last="{last}"),
    "read": say("cells read: {n}", n="{n}"),
    "reached": say("cells that depend on it: {n}", n="{n}"),
    "player": say("Player"),
    "close": say("Close"),
    "small": say("The same operation on a small input with example values and one channel."),
    "real": say("With its own weights:"),
    "after": say("then {layers}", layers="{layers}"),
    "from": say("reads {layers}", layers="{layers}"),
    "none": say("no positions"),
}
_TEXTS = {
    "lead": say("Click a cell: the cells that it depends on are blue, and those that depend on it are green."),
    "deep": say(
        "Each map has slices, rows and columns: its grid shows all slices at once, and marks a cell if it is marked in "
        "any of them."
    ),
    "table": say("All layers"),
    "fit": say("What does not fit"),
    "notes": say("Notes"),
}
_HEADS = (
    *(say("Layer"), say("Operation"), say("Output size"), say("Parameters"), say("Effective stride")),
    *(say("Receptive field"), say("Padding offset"), say("Layer in convanim")),
)


def save(
    graph: Graph,
    rows: Sequence[Row],
    path: Path,
    progress: Progress,
    *,
    theme: str | None = None,
    lang: str = "en",
    script: str = "inline",
) -> Saved:
    """Write the page.

    Raises:
        ConvanimError: the name does not end in .html, maps have more than three axes, or the model is too large.
    """
    if path.suffix.lower() != ".html":
        raise ConvanimError(f"{path.name} is not a name for a page of a model", "use one that ends in .html")
    nodes = graph.nodes
    if not any(node.sizes for node in nodes):
        raise ConvanimError(f"no layer of {graph.name} has positions that are followed", "list its layers without -o")
    rank = max(len(node.sizes or ()) for node in nodes)
    if rank > 3:
        raise ConvanimError(
            f"a page shows maps of up to three axes, and these have {rank}", "list the layers without -o"
        )
    if len(nodes) > MOST_LAYERS:
        raise ConvanimError(f"{graph.name} has {len(nodes):,} layers", f"a page has at most {MOST_LAYERS:,}")
    words, tables = catalogue(lang), Tables()
    data = _Data(graph.name, tables, words, {"theme": theme, "lang": lang})
    layers = []
    for number, node in enumerate(nodes, start=1):
        layers.append(data.layer(node))
        progress(number, len(nodes))
    for name in NAMED:
        tables.ink(name)
    texts = {key: translate(text, words) for key, text in _LABELS.items()}
    shown = {"labels": texts, "layers": layers, "pairs": data.pairs, "players": data.players, "file": graph.name}
    themes = [load(name) for name in ([theme] if theme else PAIR)]
    shared = tables.data(themes, NAMED)
    pages = [colours[shared["named"]["page"]] for colours in shared["colours"]]
    external = script == "external"
    page = filled(
        (templates() / "player" / "model.html").read_text("utf-8"),
        {
            "lang": words.code if words else "en",
            "title": escape(graph.name),
            "comment": escape(f"Made with convanim {__version__}, free to use under the MIT licence."),
            "scheme": "light dark" if pages[1:] else "light",
            **{name: _both(shared, name) for name in ("page", "text", "line")},
            "accent": _both(shared, "kernel.stroke"),
            "lead": escape(" ".join(translate(_TEXTS[key], words) for key in ("lead", "deep")[: 1 + (rank > 2)])),
            "summary": escape(_summary(graph, rows)),
            "data": packed(shown | {"shared": {"labels": labels(words)} | shared}),
            "table": _table(graph, rows, words),
            "script": f'<script src="{SCRIPT}" defer></script>'
            if external
            else f"<script>{_script().decode()}</script>",
        },
    )
    with whole_file(path) as file:
        file.write(page)
    if external:
        with whole_file(path.with_name(SCRIPT)) as file:
            file.write(_script())
    return Saved(path, "html", 0, 0, len(rows), 0.0, len(page), 0, len(rows))


def _script() -> bytes:
    return script() + b"\n" + short_script("model.js")


def _both(shared: dict[str, Any], name: str) -> str:
    values = [colours[shared["named"][name]] for colours in shared["colours"]]
    return f"light-dark({', '.join(values)})" if values[1:] else str(values[0])


def _summary(graph: Graph, rows: Sequence[Row]) -> str:
    shapes = [row.output for row in rows if row.output]
    start = graph.nodes[0]
    first = (start.channels or 1, *(start.sizes or ()))
    return f"{times(first)} → {times(shapes[-1])}" if shapes else times(first)


# --- the data of the script -------------------------------------------------------------------------------------------


class _Data:
    """What the script shows: the layers, the pairs of cells that they connect, and a player for each operation."""

    def __init__(self, name: str, tables: Tables, words: Catalogue | None, look: dict[str, Any]) -> None:
        self.name, self.tables, self.words, self.look = name, tables, words, look
        self.known: dict[Axis, int] = {}
        self.pairs: list[dict[str, Any]] = []
        self.left = MOST_PAIRS
        self.players: list[dict[str, Any]] = []
        self.numbers: dict[str, int | None] = {}

    def layer(self, node: Node) -> dict[str, Any]:
        """A layer as data."""
        reads = [[source, [self._way(axis) for axis in axes]] for source, axes in node.reads]
        told: dict[str, Any] = {"name": node.name, "kind": node.kind, "size": node.sizes, "reads": reads}
        more = {
            "passes": int(node.passes and node.op is None),
            "shape": times(shape_of(node) or ()),
            "faults": [translate(text, self.words) for text in node.faults],
            "player": self._player(node),
        }
        return told | {name: value for name, value in more.items() if value or (value is not None and name == "player")}

    def _way(self, axis: Axis) -> int:
        """The number of the pairs of an axis; -1 if every cell stays in its place."""
        if same(axis):
            return -1
        if axis not in self.known:
            # An estimate first, since a table of all pairs may not fit into memory.
            products = (axis.input if axis.transposed else axis.output) * axis.kernel
            rough = max(axis.input, axis.output, products // 8) > MOST_PAIRS
            table = () if rough else sources(axis)
            self.left -= sum(map(len, table))
            if rough or self.left < 0:
                told = f"the layers of {self.name} connect more than {MOST_PAIRS:,} pairs of cells"
                raise ConvanimError(told, "use a smaller `input`")
            self.known[axis] = len(self.pairs)
            self.pairs.append(_coded(axis.input, table))
        return self.known[axis]

    def _player(self, node: Node) -> int | None:
        """The number of the player of an operation; None if it has none."""
        small = small_of(node)
        if small is None:
            return None
        key = f"{small[0]} {small[1].shape}"
        if key not in self.numbers:
            one = player(*small, self.tables, **self.look)
            self.numbers[key] = len(self.players) if one else None
            self.players += [one] if one else []
        return self.numbers[key]


def _coded(size: int, table: Sequence[Sequence[int]]) -> dict[str, Any]:
    """What the cells of an axis read: their number for each cell, and all of them, as differences."""
    flat = np.array([cell for row in table for cell in row], np.int64)
    return {"size": size, "count": [len(row) for row in table], "cells": np.diff(flat, prepend=0).tolist()}


# --- the table, which needs no script ---------------------------------------------------------------------------------


def _table(graph: Graph, rows: Sequence[Row], words: Catalogue | None) -> str:
    heads = "".join(f'<th scope="col">{escape(translate(head, words))}</th>' for head in _HEADS)
    body = "\n".join(_row(row) for row in rows)
    title = escape(translate(_TEXTS["table"], words))
    parts = [
        f'<h2 id="table">{title}</h2>',
        '<div class="scroll" role="region" aria-labelledby="table" tabindex="0"><table>',
        f"<thead><tr>{heads}</tr></thead>",
        f"<tbody>\n{body}\n</tbody></table></div>",
    ]
    faults = [(row.name, text) for row in rows for text in row.faults]
    notes = [("", text) for text in graph.notes] + [(row.name, text) for row in rows for text in row.notes]
    for key, some in (("fit", faults), ("notes", notes)):
        if some:
            parts.append(f"<h2>{escape(translate(_TEXTS[key], words))}</h2>\n<ul>{''.join(_items(some, words))}</ul>")
    return "\n".join(parts)


def _items(some: Sequence[tuple[str, str]], words: Catalogue | None) -> Iterator[str]:
    for name, text in some:
        told = escape(translate(text, words))
        yield f"\n<li>{f'<b>{escape(name)}</b>: ' if name else ''}{told}</li>"


def _row(row: Row) -> str:
    cells = [
        escape(row.kind),
        times(row.output) if row.output else "?",
        f"{row.parameters:,}" if row.parameters else "",
        *(joined(row.stride), joined(row.field), joined(row.offset)),
    ]
    numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells[1:])
    line = f"<td><code>{escape(row.line)}</code></td>" if row.line else "<td></td>"
    fault = ' class="fault"' if row.faults else ""
    return f'<tr{fault}><th scope="row">{escape(row.name)}</th><td>{cells[0]}</td>{numbers}{line}</tr>'

"""Explorers: a layer with every combination of some arguments, on one page with a slider for each argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from convanim import __version__
from convanim.animation import Animation
from convanim.assets import templates
from convanim.errors import ConvanimError
from convanim.explanation import explain
from convanim.language.words import say, translate
from convanim.layers import times
from convanim.layers.writing import lines
from convanim.scene.description import Transcript
from convanim.typed.request import request
from convanim.write.drawing import Tables
from convanim.write.files import whole_file
from convanim.write.formats import Saved
from convanim.write.html import NAMED, drawn, filled, labels, last_of_each, packed, script, themes_of

#: The arguments that can be varied, by the command of the layer.
VARIED = {
    "conv": ("kernel", "stride", "padding", "dilation"),
    "transposed": ("kernel", "stride", "padding", "dilation", "output_padding"),
    "pool": ("kernel", "stride", "padding", "dilation"),
}
#: The maximum number of combinations, and of placements in all of them.
MOST, MOST_STEPS = 400, 40_000
#: What the parts of the page say.
_LABELS = {
    "kernel": say("kernel size"),
    "stride": say("stride"),
    "padding": say("padding on each side"),
    "dilation": say("dilation"),
    "output_padding": say("output padding"),
    "size": say("output size"),
    "none": say("No such layer"),
    "code": say("In other frameworks"),
    "copy": say("Copy"),
    "copied": say("Copied"),
}


class Sweep:
    """Every combination of some arguments of a layer, each of which is traced and verified.

    Args:
        kind: "conv", "transposed" or "pool".
        x: the input, as at the command line: a shape such as "3x3", or an array.
        ranges: the values of each argument to vary; those that are left out keep their default.
        look: options of `convanim.look.Look`, such as `theme` or `lang`.

    Raises:
        ConvanimError: another kind or argument, too many combinations, or none that exists.
        CheckFailed: a trace disagrees with its replay or with the oracle.

    Example:
        >>> found = Sweep("transposed", "3", {"kernel": range(2, 4), "stride": range(1, 3)})
        >>> len(found), found.valid
        (4, 4)
    """

    def __init__(self, kind: str, x: Any, ranges: Mapping[str, Sequence[int]], **look: Any) -> None:
        if kind not in VARIED:
            raise ConvanimError(f"a sweep of {kind!r} is not possible", f"use {', '.join(VARIED)}")
        if unknown := set(ranges) - set(VARIED[kind]):
            raise ConvanimError(
                f"{kind} has no `{min(unknown).replace('_', ' ')}` to vary", f"vary {', '.join(VARIED[kind])}"
            )
        count = prod(len(values) for values in ranges.values())
        if count > MOST:
            raise ConvanimError(f"these are {count:,} combinations", f"vary less: at most {MOST} fit on a page")
        self.kind, self.ranges, self._tables = kind, {name: list(values) for name, values in ranges.items()}, Tables()
        self._left = MOST_STEPS
        self.found = {
            ",".join(map(str, values)): self._one(x, dict(zip(self.ranges, values, strict=True)), look)
            for values in product(*self.ranges.values())
        }
        if not self.valid:
            raise ConvanimError("none of these layers exists", next(iter(self.found.values()))["error"])

    def __len__(self) -> int:
        """The number of combinations, with those that do not exist."""
        return len(self.found)

    @property
    def valid(self) -> int:
        """The number of layers that exist."""
        return sum("error" not in one for one in self.found.values())

    def _one(self, x: Any, arguments: dict[str, int], look: dict[str, Any]) -> dict[str, Any]:
        """What the page shows for one combination, or the reason why there is no such layer."""
        try:
            asked = request(self.kind, x=x, **{name: str(value) for name, value in arguments.items()})
            animation = Animation(asked.trace(), **look)
            animation.page  # noqa: B018 - raises its errors
        except ConvanimError as error:
            return {"error": str(error)}
        animation.prove()
        self._film = animation
        shots = list(last_of_each(animation))
        self._left -= len(shots)
        if self._left < 0:
            raise ConvanimError(
                f"these layers have more than {MOST_STEPS:,} steps", "use a smaller `input`, or vary less"
            )
        told = Transcript(animation.scene, None, animation.words)
        data, _ = drawn(animation, shots, self._tables, told, lambda done, total: None)
        op, sizes = asked.op, asked.sizes
        block = explain(op, sizes).split("\n\n")[1].splitlines()
        code = [
            {"name": line.framework, "code": line.code, "note": line.note}
            for line in lines(op, sizes)
            if line.code or line.note
        ]
        shown = {"size": f"{times(sizes)} → {times(animation.trace.answer.shape[1:])}", "layer": str(op), "code": code}
        return data | {"start": len(shots) - 1, "facts": shown | {"formula": [line.strip() for line in block[1:]]}}

    def save(self, path: str | Path, progress: Callable[[int, int], None] | None = None) -> Saved:
        """Write the page.

        Raises:
            ConvanimError: the name does not end in .html, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() != ".html":
            raise ConvanimError(f"{path.name} is not a name for an explorer", "use one that ends in .html")
        film = self._film
        words = film.words
        data: dict[str, Any] = {
            "shared": {"labels": labels(words)} | self._tables.data(themes_of(film), NAMED),
            "labels": {key: translate(label, words) for key, label in _LABELS.items()},
            "arguments": [{"name": name, "values": values} for name, values in self.ranges.items()],
            "found": self.found,
        }
        named = translate(film.scene.title.partition(",")[0], words)
        pages = [colours[data["shared"]["named"]["page"]] for colours in data["shared"]["colours"]]
        folder = templates() / "player"
        page = filled(
            (folder / "explorer.html").read_text("utf-8"),
            {
                "lang": words.code if words else "en",
                "title": escape(named),
                "comment": escape(f"Made with convanim {__version__}, free to use under the MIT licence."),
                "scheme": "light dark" if pages[1:] else "light",
                "page": f"light-dark({', '.join(pages)})" if pages[1:] else pages[0],
                "data": packed(data),
                "player": script().decode(),
                "script": (folder / "explorer.js").read_text("utf-8"),
            },
        )
        with whole_file(path) as file:
            file.write(page)
        if progress:
            progress(len(self), len(self))
        return Saved(path, "html", *film.size, len(self), 0.0, len(page), 0, len(self))

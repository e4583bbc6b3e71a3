"""The available layouts, and the choice of the one that suits a scene."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from convanim.errors import ConvanimError
from convanim.page.row import strips
from convanim.page.tilted.isometric import planes
from convanim.scene import Contents

#: Every layout with a short description.
LAYOUTS = {
    "flat": "grids side by side",
    "isometric": "two tilted planes and the lines between",
    "row": "strips above each other, joined by fans of lines",
    "slices": "the planes of channels or of a third axis side by side",
    "matrix": "the layer as a matrix",
    "compare": "two layers side by side",
}


def known(name: str | None) -> str | None:
    """Check that a layout of this name exists, and return the name.

    Raises:
        ConvanimError: an unknown layout.

    Example:
        >>> known("row")
        'row'
    """
    if name is None:
        return None
    if name not in LAYOUTS:
        close = difflib.get_close_matches(str(name), LAYOUTS, 1)
        hint = f"did you mean {close[0]}" if close else f"use one of {', '.join(LAYOUTS)}"
        raise ConvanimError(f"`layout` {name!r} is not known", hint)
    return name


def view_of(name: str | None, view: str | None, views: Collection[str]) -> str | None:
    """The view that a layout needs: the matrix layout has a view of its own, and others take the view that is given.

    Args:
        views: the views of the layer.

    Raises:
        ConvanimError: layout and view exclude each other, or the layer has no matrix.

    Example:
        >>> view_of("matrix", None, ["sliding", "matrix"]), view_of("flat", "overlap", ["sliding", "overlap"])
        ('matrix', 'overlap')
    """
    if name != "matrix":
        return view
    if view not in (None, "matrix"):
        raise ConvanimError(f"`layout` 'matrix' cannot be combined with `view` {view!r}", "leave one of them out")
    if "matrix" not in views:
        raise ConvanimError(
            "`layout` 'matrix' is only for convolutions and transposed convolutions", 'use `layout="flat"`'
        )
    return "matrix"


def choose(scene: Contents, view: str, name: str | None = None, *, two: bool = False) -> str:
    """The layout of a scene; by default the one that suits it best.

    Args:
        view: the view that the scene shows.
        name: the requested layout.
        two: whether the scene compares two layers.

    Raises:
        ConvanimError: an unknown layout, or one that does not suit the scene; the hint names one that does.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> choose(scene(Conv(kernel_size=2).trace([1, 2, 3], [1, 1])), "sliding")
        'row'
    """
    name, usual = known(name), _usual(scene, view, two=two)
    if name is None or name == usual or (name == "flat" and usual == "row"):
        return name or usual
    if name == "isometric" and usual == "flat" and planes(scene):
        return name
    hint = f'use `layout="{usual}"`'
    if two:
        raise ConvanimError(f"`layout` {name!r} cannot show a comparison of two layers", hint)
    if name == "compare":
        raise ConvanimError(
            "`layout` 'compare' needs two layers", f'give another layer with `beside`, or use `layout="{usual}"`'
        )
    raise ConvanimError(f"`layout` {name!r} needs {_SHOWS[name]}, but {_here(scene, view, usual)}", hint)


def suited(scene: Contents, usual: str, wanted: str) -> str:
    """The layout that a template requests if it suits the scene, else the usual one.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> line = scene(Conv(kernel_size=2).trace([1, 2, 3], [1, 1]))
        >>> suited(line, "row", "isometric"), suited(line, "row", "flat")
        ('row', 'flat')
    """
    tilted = wanted == "isometric" and usual == "flat" and planes(scene)
    return wanted if tilted or (wanted, usual) == ("flat", "row") else usual


#: What each layout needs from a scene.
_SHOWS = {
    "flat": "one plane of input and one of output",
    "isometric": "one plane of input and one of output",
    "row": "an input and an output of one axis",
    "slices": "several channels or a third axis",
}


def _usual(scene: Contents, view: str, *, two: bool) -> str:
    """The layout that suits a scene best."""
    if two:
        return "compare"
    if view == "matrix":
        return "matrix"
    if strips(scene):
        return "row"
    groups = [p.group for p in scene.panels if p.group]
    return "slices" if len(set(groups)) < len(groups) else "flat"


def _here(scene: Contents, view: str, usual: str) -> str:
    """The reason for another layout, as it ends a message."""
    if usual == "matrix":
        return "this view is a matrix"
    if usual == "slices":
        return "this layer has several planes"
    rank = len(scene.traces[0].axes)
    if usual == "row" or rank == 1:
        return "this layer has one axis"
    return "this layer has one input and one output plane" if planes(scene) else f"view {view!r} shows more grids"

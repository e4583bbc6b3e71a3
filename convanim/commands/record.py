"""The records of a command that animates a kind of layer: its options, its words and its views."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from convanim.look import Option


def given(name: str, about: str, kind: type = str, default: Any = None, **more: Any) -> Option:
    """An option of the input, or of what else a layer is given besides its arguments."""
    return Option(name=name, about=about, annotation=kind.__name__, default=default, section="Layer", **more)


def sets(name: str, about: str, kind: type = str, default: Any = None, **more: Any) -> Option:
    """An option that sets an argument of an operation, by default the one of the same name."""
    return given(name, about, kind, default, **{"fields": (name,), **more})


def but(option: Option, **more: Any) -> Option:
    """The same option with other words for another command."""
    return replace(option, **more)


class View(NamedTuple):
    """A view of an operation.

    A scene is named as MODULE:CLASS in `convanim.scene`, "" if there is none. It is made of a trace in the order of the
    view and, if it has parameters of these names, of `symbols`, `saturate` and `grad`.

    Attributes:
        about: what it shows, in one sentence.
        make: its scene.
        coloured: the scene for pictures in their own colours.
        lettered: the scene for letters.
        flat: whether it shows one channel over one or two axes only, except in colours.
        scatters: whether it follows the cells of the input rather than those of the output.
    """

    about: str
    make: str
    coloured: str = ""
    lettered: str = ""
    flat: bool = False
    scatters: bool = False


class Command(NamedTuple):
    """A command that animates a kind of layer.

    Attributes:
        kinds: the operations, each as MODULE:CLASS in `convanim.layers`.
        called: its layer with an article, for short help texts.
        about: its description.
        arguments: the options of its layer, in the order in which a command is written.
        examples: what is typed after the command in two examples.
        views: the views of its layer; the first one is the default.
        shown: further options of these views.
        page: the name of its page in the documentation, if that is not the command.
    """

    kinds: tuple[str, ...]
    called: str
    about: str
    arguments: tuple[Option, ...]
    examples: tuple[str, str]
    views: dict[str, View]
    shown: tuple[Option, ...] = ()
    page: str = ""

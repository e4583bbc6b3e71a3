"""The records of a command that animates a kind of layer: its options, its words and its views."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from convanim.look import Option


@dataclass(frozen=True, kw_only=True)
class Argument(Option):
    """An option that describes the layer or its input, besides what is known of every option.

    Attributes:
        fields: the arguments of operations that it sets; an operation has one of them at most.
        reads: how its text is read: as "sizes" (2x1), as sizes of which some are "kept" (2x-), as "padding" (1:2x0:1),
            as "factors" (1.5x2), or "" if it is taken as it is.
        selects: whether it selects one of the operations of its command.
        required: whether the command cannot do without it.
        files: whether its value may be a file.
    """

    fields: tuple[str, ...] = ()
    reads: str = ""
    selects: bool = False
    required: bool = False
    files: bool = False


def given(name: str, about: str, kind: type = str, default: Any = None, **more: Any) -> Argument:
    """An option of the input, or of what else a layer is given besides its arguments."""
    return Argument(name=name, about=about, annotation=kind.__name__, default=default, section="Layer", **more)


def sets(name: str, about: str, kind: type = str, default: Any = None, **more: Any) -> Argument:
    """An option that sets an argument of an operation, by default the one of the same name."""
    return given(name, about, kind, default, **{"fields": (name,), **more})


def but(option: Argument, **more: Any) -> Argument:
    """The same option with other words for another command."""
    return replace(option, **more)


@dataclass(frozen=True)
class View:
    """A view of an operation. A scene is named as MODULE:FUNCTION in `convanim.scene`; "" if there is none.

    Attributes:
        about: what it shows, in one sentence.
        make: the function that makes its scene from a trace, in any order, and `Shown`.
        coloured: the function for pictures in their own colours.
        lettered: the function for letters.
        flat: whether it shows one channel over one or two axes only, except in colours.
        scatters: whether it follows the cells of the input rather than those of the output.
    """

    about: str
    make: str
    coloured: str = ""
    lettered: str = ""
    flat: bool = False
    scatters: bool = False


@dataclass(frozen=True)
class Command:
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
    arguments: tuple[Argument, ...]
    examples: tuple[str, str]
    views: dict[str, View]
    shown: tuple[Option, ...] = ()
    page: str = ""

"""The command that writes the files for a place where people teach."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from convanim.cli.files import closing, command_line
from convanim.cli.helptext import offering
from convanim.cli.options import LAYER, LETTERS, SWEEP, VIEW
from convanim.cli.shell import Command, progress_bar, say
from convanim.errors import ConvanimWarning


def _places() -> tuple[str, ...]:
    from convanim.export import PLACES

    return tuple(PLACES)


class _Place(click.ParamType):  # type: ignore[type-arg]
    """The name of a place; it is checked when the command runs, so that the help is fast."""

    name = "place"


@click.command(cls=Command, short_help="Write the files for slides, documents or a README, and the lines to paste.")
@click.argument("layers", nargs=-1, required=True, metavar="LAYER...")
@click.option(
    "--for",
    "place",
    required=True,
    type=_Place(),
    metavar="PLACE",
    shell_complete=offering(_places),
    help="powerpoint, gslides, keynote, beamer, reveal, quarto, marp, jupyter, sphinx, mkdocs or github.",
)
@click.option(
    "-o", "--output", "folder", required=True, metavar="FOLDER", help="Folder to write to; it is created if necessary."
)
@LAYER
@VIEW
@LETTERS
@SWEEP
@click.option("--quiet", is_flag=True, help="Print only the lines to paste.")
def export(layers: tuple[str, ...], *, place: str, folder: str, quiet: bool, **typed: Any) -> None:
    """Write the files that suit a place where people teach, and print the lines to paste there.

    LAYER is written as for `convanim layer`; there may be several. All files are written, or none.

    \b
    convanim export 'ConvTranspose(3, stride=2, padding=1)' --input 3x3 --for reveal -o slides
    convanim export 'Conv(3)' 'MaxPool(2)' --input 6x6 --for github -o pictures
    """
    from convanim.export import export as write
    from convanim.typed.request import request

    look = {
        name: typed.pop(name)
        for name in ("view", "template", "layout", "theme", "lang", "width", "height", "symbols", "saturate")
    }
    asked = [request("layer", notation=layer, **typed) for layer in layers]
    for note in dict.fromkeys(note for one in asked for note in one.notes):
        warnings.warn(note, ConvanimWarning, stacklevel=2)
    look |= {"colours": asked[0].colours, "made_by": command_line()}
    with progress_bar("files", quiet=quiet) as progress:
        done = write([one.trace() for one in asked], place, Path(folder), progress=progress, **look)
    for one in done:
        if not quiet:
            for saved in one.saved:
                say(closing(saved), err=True)
        for line in one.lines.splitlines():
            say(line, err=False)

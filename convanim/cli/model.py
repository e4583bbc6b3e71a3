"""The command that lists the layers of a model, animates one of them, and writes a page of all of them."""

from __future__ import annotations

import re
from typing import Any

import click

from convanim.cli.files import look_of, save
from convanim.cli.options import JSON, VIEW, file
from convanim.cli.shell import Command, print_json, progress_bar
from convanim.errors import ConvanimError, printable

#: The options that a page of the whole chain has.
_PAGE = {"source", "x", "output", "theme", "lang", "script", "quiet", "open_it", "layer", "as_json"}
_SHAPE = re.compile(r"\d+([xX×]\d+)*")


@click.command(cls=Command, short_help="List the layers of an ONNX model, animate one, or write a page of all.")
@click.argument("source", metavar="MODEL")
@click.option("--layer", metavar="NAME", help="The layer to animate: its name, or a part of it between slashes.")
@click.option("--input", "x", metavar="ARRAY", help="The input of the model, such as x.npy; or its size: 3x224x224.")
@click.option("--channels", metavar="NUMBERS", help="Input channels of the layer to draw: 0,3. The sums are over all.")
@click.option("--out-channels", metavar="N", help="Number of output channels to show, or which ones: 0,3 or 4..7.")
@VIEW
@JSON
@file(required=False)
def model(source: str, *, layer: str | None, x: str | None, as_json: bool, **typed: Any) -> None:
    """List the layers of the file MODEL (.onnx) with their sizes, effective strides and receptive fields.

    With --layer and -o, animate one layer with its own weights, and with its own activations if --input is an array.
    With -o m.html alone, write a page of the whole chain, on which a click on a cell shows its receptive field.

    \b
    convanim model m.onnx
    convanim model m.onnx --layer conv1 --input x.npy -o conv1.gif
    convanim model m.onnx -o m.html
    """
    from convanim.typed.request.chosen import channels_of

    output = typed["output"]
    chosen = {name: channels_of(name, typed.pop(name)) for name in ("channels", "out_channels")}
    if as_json and output is not None:
        raise ConvanimError("--json cannot be combined with -o", "leave one of them out")
    if layer is not None and output is None:
        named = re.sub(r"[^\w.-]+", "-", layer).strip("-")
        raise ConvanimError("--layer needs a file to write", f"add -o {named or 'layer'}.gif")
    if layer is None:
        _whole(output)
    look = look_of(typed)
    view = typed.pop("view")
    from convanim.models import Model

    found = Model(source, _given(x))
    if layer is not None:
        save(found.trace(layer, **chosen), look, view=view, **typed)
    elif output is not None:
        with progress_bar("layers", quiet=typed["quiet"]) as progress:
            saved = found.save(output, progress, **{name: look[name] for name in ("theme", "lang", "script")})
        if not typed["quiet"]:
            click.echo(f"{printable(output)}, {len(found.rows)} layers, {saved.size / 1000:,.0f} KB")
        if typed["open_it"]:
            click.launch(output)
    elif as_json:
        print_json(found.facts())
    else:
        click.echo("\n".join(printable(line) for line in str(found).splitlines()))


def _whole(output: str | None) -> None:
    """Refuse the options of an animation where there is none."""
    context = click.get_current_context()
    for option in context.command.params:
        typed = context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if typed and option.name not in _PAGE:
            raise ConvanimError(f"{option.opts[-1]} needs a layer", "add --layer NAME")
    if output is not None and not output.lower().endswith(".html"):
        raise ConvanimError(f"{output} can show one layer only", "add --layer NAME, or write all layers with -o m.html")


def _given(x: str | None) -> Any:
    """The input as an array, or its shape as a tuple."""
    if x is None:
        return None
    from convanim.typed import read_array, read_sizes

    return read_sizes(x, what="--input") if _SHAPE.fullmatch(x.strip()) else read_array(x, what="--input")

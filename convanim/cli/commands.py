"""The commands of the command line, except those of the gallery.

Large modules are imported when a command runs, so that `--help` is fast.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

import click

from convanim import __version__
from convanim.cli.export import export
from convanim.cli.files import idle, look_of, save, target_of, typed_look
from convanim.cli.gallery import gallery, new
from convanim.cli.helptext import offering
from convanim.cli.model import model
from convanim.cli.options import ALIGN, EXPLAINED, FILE, JSON, LAYER, LAYERS, LETTERS, SWEEP, TOLD, VIEW, file
from convanim.cli.shell import Program, print_json
from convanim.commands import COMMANDS, NOTATION
from convanim.errors import ConvanimError, ConvanimWarning, printable
from convanim.look import COMMON

EXAMPLES = """\b
Examples:
  convanim transposed --input 3x3 --kernel 3x3 --stride 2 --padding 1 -o up.gif
  convanim transposed --input '[[0,1],[2,3]]' --kernel '[[4,1],[2,3]]' --view overlap-add -o sum.gif
  convanim conv --input photo.png --resize 12x12 --kernel 3 --padding 1 --padding-mode reflect -o photo.gif
  convanim conv --input 5x5 --kernel 3x3 --width 640 --select last -o result.png
  convanim pool --mode max --input 4x4 --kernel 2 -o pool.gif
  convanim layer 'torch.nn.ConvTranspose2d(1, 1, 3, stride=2)' --input 3x3 -o mine.gif
  convanim compare 'Conv(3, padding=1)' "Conv(3, padding='same', convention='keras')" --input 6x6 -o both.gif
  convanim explain transposed --input 3x3 --kernel 3x3 --stride 2
  convanim solve --input 7x7 --output 14x14 --kernel 3..5 --stride 2
  convanim sweep transposed --input 3 --kernel 2..4 --stride 1..3 --padding 0..1 -o explore.html

\b
Shell completion: eval "$(_CONVANIM_COMPLETE=bash_source convanim)", or zsh_source,
fish_source or powershell_source; see docs/options.md.
"""

DOCUMENTATION = f"https://github.com/convanim/convanim/blob/v{__version__}/docs"


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, message="convanim %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Animate the arithmetic of convolution layers.

    Shows every position of the kernel and every addition of convolutions, transposed convolutions, pooling and
    upsampling. Follows the conventions of PyTorch, Keras, JAX and ONNX, and compares all numbers with an independent
    computation before it writes a file.
    """
    from convanim.cli.config import defaults

    ctx.default_map = defaults(ctx.invoked_subcommand)


main.add_command(gallery)
main.add_command(new)
main.add_command(export)
main.add_command(model)


@main.group(short_help="Print the arithmetic of a layer.")
def explain() -> None:
    """Print the arithmetic of a layer: sizes, padding, multiplications, overlaps, and its code in each framework."""


@main.group(short_help="Describe an animation in words.")
def describe() -> None:
    """Describe an animation in words: one sentence for the alternative text of an image, then every step."""


def _view(kind: str) -> Any:
    known = tuple(COMMANDS[kind].views)
    help_text = f"How to show the layer: {', '.join(known[:-1])} or {known[-1]}." if known[1:] else f"Only {known[0]}."
    offer = offering(lambda: known)
    return click.option("--view", metavar="VIEW", shell_complete=offer, help=f"{help_text}  [default: {known[0]}]")


def _epilog(kind: str) -> str:
    """Two examples of a command, and a link to its documentation."""
    command = COMMANDS[kind]
    examples = "\n".join(f"  convanim {kind} {words}" for words in command.examples)
    return f"\b\nExamples:\n{examples}\n\n\b\nDocumentation: {DOCUMENTATION}/{command.page or kind}.md"


def _add(kind: str) -> None:
    """Add the commands that animate, explain and describe a kind of layer."""
    layer, shown = LAYERS[kind]
    called = COMMANDS[kind].called

    def animate(**typed: Any) -> None:
        _animate(kind, **typed)

    def tell(**typed: Any) -> None:
        _explain(kind, **typed)

    def say_all(**typed: Any) -> None:
        _describe(kind, **typed)

    command = layer(_view(kind)(shown(FILE(animate))))
    main.command(kind, short_help=f"Animate {called}.", help=COMMANDS[kind].about, epilog=_epilog(kind))(command)
    explain.command(kind, help=f"Print the arithmetic of {called}.")(layer(EXPLAINED(tell)))
    command = layer(_view(kind)(shown(TOLD(say_all))))
    describe.command(kind, help=f"Describe the animation of {called} in words.")(command)


for _kind in LAYERS:
    _add(_kind)


@main.command(short_help="Animate a layer given as a line of code.")
@click.argument("notation")
@LAYER
@VIEW
@LETTERS
@FILE
def layer(**typed: Any) -> None:
    """Animate the layer NOTATION, written in convanim's notation or as a line of PyTorch, Keras, Flax or ONNX.

    \b
    convanim layer 'ConvTranspose(3, stride=2)' --input 3x3 -o up.gif
    convanim layer 'torch.nn.Conv2d(1, 1, 3, padding=1)' --input 5x5 -o mine.gif
    """
    _animate("layer", **typed)


@explain.command("layer")
@click.argument("notation")
@LAYER
@EXPLAINED
def explain_layer(**typed: Any) -> None:
    """Print the arithmetic of the layer NOTATION, written as for `convanim layer`."""
    _explain("layer", **typed)


@describe.command("layer")
@click.argument("notation")
@LAYER
@VIEW
@LETTERS
@TOLD
def describe_layer(**typed: Any) -> None:
    """Describe the animation of the layer NOTATION in words."""
    _describe("layer", **typed)


@main.command(short_help="Compare two layers on the same input.")
@click.argument("first")
@click.argument("second")
@LAYER
@ALIGN
@JSON
@file(required=False)
def compare(first: str, second: str, *, align: str, as_json: bool, **typed: Any) -> None:
    """Compare two layers on the same input, step by step.

    FIRST and SECOND are written as for `convanim layer`. Without -o, the comparison is printed in words. The exit code
    is 0 whether or not the results agree.

    \b
    convanim compare 'Conv(3, padding=1)' "Conv(3, padding='same', convention='keras')" --input 6x6
    """
    from convanim.explanation.compare import report
    from convanim.typed.request import compared

    look, target = look_of(typed), typed["output"]
    if target is not None and as_json:
        raise ConvanimError("--json cannot be combined with -o", "leave one of them out")
    if target is not None:
        from convanim.write.formats import pick_format

        _idle(pick_format(*target_of(target, typed["format"])), typed)
    layers = {name: typed.pop(name) for name in ("x", *(one.name for one in NOTATION if one.name != "input"))}
    both = compared(first, second, **layers)
    _note(*both)
    a, b = (asked.trace() for asked in both)
    if target is None and as_json:
        from convanim import facts

        print_json(facts.compared(a, b, align))
        return
    if target is None:
        click.echo(report(a, b, align))
        return
    save(a, look, beside=b, align=align, **typed)


#: The commands that list what there is, with what is said of each.
LISTED = {
    "formats": ("List the file formats.", ""),
    "themes": ("List the colour themes.", "Theme files in the current folder are listed, too."),
    "templates": ("List the page templates.", "Template files in the current folder are listed, too."),
    "views": ("List the views of each kind of layer.", "The first view of a layer is its default."),
}


def _list(name: str) -> None:
    """Add a command that lists what there is."""

    @main.command(name, short_help=LISTED[name][0], help=" ".join(LISTED[name]))
    @JSON
    def listing(as_json: bool) -> None:
        from convanim.lists import LISTS

        rows = list(LISTS[name]())
        if as_json:
            print_json({name: rows})
            return
        columns = [name for name in ("layer", "name") if name in rows[0]]
        wide = [max(len(printable(row[column])) for row in rows) for column in columns]
        for row in rows:
            cells = [f"{printable(row[column]):<{width}}" for column, width in zip(columns, wide, strict=True)]
            more = f" (pip install '{row['requires']}')" if row.get("requires") else ""
            click.echo("  ".join([*cells, printable(row["about"]) + more]).rstrip())


for _name in LISTED:
    _list(_name)


@main.command(short_help="Show the defaults of the look, and where they come from.")
@JSON
def config(as_json: bool) -> None:
    """Show the defaults of options such as --theme, and whether they come from a CONVANIM_ variable or a config file.

    A config file is the table [tool.convanim] of a pyproject.toml, or a convanim.toml, in the current folder or in a
    parent folder of the same repository.
    """
    from convanim.cli.config import rows

    found = list(rows())
    if as_json:
        print_json({"config": found})
        return
    for row in found:
        value = "" if row["value"] is None else printable(str(row["value"]))
        click.echo(f"{row['name']:<16}  {value:<14}  {printable(row['source'])}")


@main.command(short_help="Find the layers that map one size to another.")
@click.option("--input", "x", required=True, metavar="SIZES", help="Input size: 7x7.")
@click.option("--output", "y", required=True, metavar="SIZES", help="Output size: 14x14.")
@click.option(
    "--kernel", default="1..7", show_default=True, metavar="RANGE", help="Kernel sizes to try, such as 3 or 3..5."
)
@click.option("--stride", default="1..4", show_default=True, metavar="RANGE", help="Strides to try, such as 2 or 1..2.")
@JSON
def solve(x: str, y: str, kernel: str, stride: str, as_json: bool) -> None:
    """List every convolution and transposed convolution that maps one size to another.

    Layers without checkerboard artefacts come first, then those with the fewest multiplications. Every padding below
    the kernel size and every output padding is tried, without dilation. The exit code is 1 if there is no such layer.
    """
    from convanim.explanation.search import report
    from convanim.explanation.search import solve as found_by
    from convanim.typed import read_sizes

    sizes, output = read_sizes(x, what="--input"), read_sizes(y, what="--output")
    found = found_by(sizes, output, _range(kernel, "--kernel"), _range(stride, "--stride"))
    if as_json:
        from convanim import facts

        print_json(facts.solved(sizes, output, found))
    else:
        click.echo(report(sizes, output, found))
    if not found:
        sys.exit(1)


@main.command(short_help="Explore a layer with sliders.")
@click.argument("kind", type=click.Choice(["conv", "transposed", "pool"]))
@click.option("--input", "x", required=True, metavar="ARRAY", help="The input: 3, 3x3, an array or a file.")
@click.option("--kernel", default="3", show_default=True, metavar="RANGE", help="Kernel sizes, such as 3 or 2..4.")
@click.option("--stride", metavar="RANGE", help="Strides, such as 1..3.")
@click.option("--padding", metavar="RANGE", help="Paddings, such as 0..1.")
@click.option("--dilation", metavar="RANGE", help="Dilations, such as 1..2.")
@click.option("--output-padding", metavar="RANGE", help="Output paddings of a transposed convolution, such as 0..1.")
@click.option(
    "--view",
    metavar="VIEW",
    shell_complete=offering(lambda: tuple(COMMANDS["transposed"].views)),
    help="How to show each layer.",
)
@SWEEP
@click.option("-o", "--output", required=True, metavar="FILE", help="File to write: a page such as explore.html.")
@click.option("--quiet", is_flag=True, help="Print nothing except errors.")
def sweep(kind: str, x: str, output: str, *, quiet: bool, **typed: Any) -> None:
    """Write a page with a slider for each argument of a layer, over every combination of their values.

    The page shows the output size and its formula, the frames of each layer, and its line in each framework.
    Combinations that do not exist say why. All of them are traced and verified before the page is written.

    \b
    convanim sweep transposed --input 3 --kernel 2..4 --stride 1..3 --padding 0..1 -o explore.html
    """
    from convanim.sweep import VARIED, Sweep

    ranges = {
        name: _range(typed.pop(name), f"--{name.replace('_', '-')}", least=int("padding" not in name))
        for name in VARIED["transposed"]
        if typed[name] is not None or typed.pop(name)
    }
    found = Sweep(kind, x, ranges, **{name: value for name, value in typed.items() if value is not None})
    saved = found.save(output)
    if not quiet:
        click.echo(f"{printable(output)}, {found.valid} of {len(found)} layers exist, {saved.size / 1000:,.0f} KB")


@describe.command("compare")
@click.argument("first")
@click.argument("second")
@LAYER
@ALIGN
@TOLD
def describe_compare(first: str, second: str, *, align: str, alt: bool, as_json: bool, **typed: Any) -> None:
    """Describe the comparison of two layers in words."""
    from convanim.typed.request import compared

    look = look_of(typed)
    both = compared(first, second, **typed)
    _note(*both)
    a, b = (asked.trace() for asked in both)
    _tell(a, {"beside": b, "align": align, "select": look["select"]}, alt=alt, lang=look["lang"], as_json=as_json)


def _range(text: str, what: str, least: int = 1) -> range:
    first, _, last = text.partition("..")
    if not re.fullmatch(r"\d{1,4}", first, re.ASCII) or (last and not re.fullmatch(r"\d{1,4}", last, re.ASCII)):
        raise ConvanimError(f"{what} {text[:40]!r} is not a range of numbers", "write it like 3 or 3..5")
    low, high = int(first), int(last or first)
    if not least <= low <= high <= 64:
        raise ConvanimError(f"{what} {text} is not an increasing range within {least}..64", "write it like 3..5")
    return range(low, high + 1)


def _explain(kind: str, *, as_json: bool, **typed: Any) -> None:
    # Invalid options are reported even though nothing is drawn; without options, their modules are not imported.
    look = look_of(typed) if typed_look() else {name: typed.pop(name) for name in COMMON}
    asked, shown = _asked(kind, **typed | {"fill": "none"})  # sizes need no values
    if look["layout"] or shown["view"] or shown["symbols"]:
        from convanim.page import view_of
        from convanim.scene import Shown, pick_view, views_of

        view = view_of(look["layout"], shown["view"], views_of(asked.op))
        pick_view(asked.op, view, Shown(shown["symbols"], asked.colours))
    if as_json:
        from convanim import facts

        print_json(facts.explained(asked.whole, asked.sizes, asked.output_size))
    else:
        from convanim.explanation import explain as told

        click.echo(told(asked.whole, asked.sizes, asked.output_size))


def _describe(kind: str, *, alt: bool, as_json: bool, **typed: Any) -> None:
    look = look_of(typed)
    asked, shown = _asked(kind, **typed)
    _tell(asked.trace(), shown | {"select": look["select"]}, alt=alt, lang=look["lang"], as_json=as_json)


def _tell(trace: Any, shown: dict[str, Any], *, alt: bool, lang: str, as_json: bool) -> None:
    from convanim.animation import Animation
    from convanim.language.words import translate
    from convanim.scene.description import LISTS_ALL, transcript

    animation = Animation(trace, lang=lang, **shown)
    animation.prove()
    frames = (shot.frame for shot in animation.plan.shots)
    if as_json:
        from convanim import facts

        told = facts.described(animation.scene, animation.alt, animation.words, frames)
        print_json({"alt": told["alt"]} if alt else told)
        return
    click.echo(animation.alt)
    if not alt:
        click.echo()
        for line in transcript(animation.scene, words=animation.words, frames=frames):
            click.echo(line)
        if animation.plan.left_out:
            click.echo(translate(LISTS_ALL, animation.words))


def _idle(written: str, typed: dict[str, Any]) -> None:
    """Warn about options without an effect."""
    filled = any(_SHAPE.fullmatch(str(typed.get(name) or "")) for name in ("x", "kernel", "grad", "indices"))
    filled = filled or typed.get("kernel", "") is None  # a missing kernel is filled
    for note in idle(written, sheet=typed["sheet"] is not None, arrays=filled):
        warnings.warn(note, ConvanimWarning, stacklevel=3)


#: An array that is given as a shape, and therefore filled.
_SHAPE = re.compile(r"\s*['\"]?\s*\d+(\s*[x×]\s*\d+)*\s*['\"]?\s*")


def _animate(kind: str, **typed: Any) -> None:
    from convanim.write.formats import pick_format

    look = look_of(typed)
    written = pick_format(*target_of(typed["output"], typed["format"]))
    _idle(written, typed)
    saving = {name: typed.pop(name) for name in ("output", "format", "quiet", "open_it", "sheet")}
    asked, shown = _asked(kind, quiet=saving["quiet"], **typed)
    save(asked.trace(), look, **shown, **saving)


def _note(*asked: Any) -> None:
    """Print the notes of the requests, each sentence once."""
    for note in (note for one in asked for note in one.notes):
        warnings.warn(note, ConvanimWarning, stacklevel=2)


def _asked(
    kind: str, *, view: str | None, backward: bool = False, grad: str | None = None, **typed: Any
) -> tuple[Any, dict[str, Any]]:
    """The requested layer, and how to show it."""
    from convanim.typed import read_array
    from convanim.typed.request import request

    shown: dict[str, Any] = {name: typed.pop(name) for name in ("symbols", "saturate") if name in typed}
    if backward or grad is not None:
        if view not in (None, "backward"):
            raise ConvanimError(f"--backward cannot be combined with --view {view}", "use only one of them")
        view = "backward"
    asked = request(kind, **typed)
    _note(asked)
    if grad is not None:
        shown["grad"] = read_array(grad, what="--grad", fill=typed["fill"] or "example", seed=typed["seed"])
    return asked, {"view": view, "colours": asked.colours or asked.grey, **shown}

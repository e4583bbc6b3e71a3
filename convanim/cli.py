"""The pipeline for a person at a shell.

Knows options and what is printed; no arithmetic, no drawing. Everything heavy is imported when a command runs, so that
asking for help is quick.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from convanim import __version__
from convanim.cli_files import look_of, save, target_of
from convanim.cli_gallery import gallery, new
from convanim.errors import ConvanimError
from convanim.options import FILE, LAYER, LAYERS, SHOWN, TOLD, UNUSED, VIEW, VIEWS, file
from convanim.shell import Program

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

\b
Documentation: the README. Completion for your shell: eval "$(_CONVANIM_COMPLETE=bash_source convanim)"
"""

#: What stands at the head of each command's help page.
ABOUT = {
    "conv": """Animate a convolution: padding, sliding, the sum.

    With --backward its gradient too: the backward pass of a convolution is the forward pass of a transposed one.
    """,
    "transposed": """Animate a transposed convolution: zeros inserted and a window that slides, or stamps added up.""",
    "pool": """Animate a pooling: the greatest value under a window, which is remembered, the mean, or the p-norm.""",
    "unpool": """Animate a max unpooling: values go back to where the maximum was, zeros elsewhere.

    --input is what was pooled; with --indices it is the pooled values.
    """,
    "upsample": """Animate a fixed upsampling, beside the transposed convolution that equals it where one does.""",
    "shuffle": """Animate a pixel shuffle (depth to space), or with --inverse its opposite.""",
}


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, message="convanim %(version)s")
def main() -> None:
    """Show convolution arithmetic happening.

    Traces every kernel placement and every overlap addition of convolutions, transposed convolutions and their
    relatives, under the conventions of PyTorch, Keras, JAX and ONNX, checks the numbers against an independent oracle,
    and turns them into an animation.
    """


main.add_command(gallery)
main.add_command(new)


@main.group(short_help="Print the arithmetic of a layer.")
def explain() -> None:
    """Print the arithmetic of a layer: sizes, zeros, padding, work, overlaps, and its line in each framework."""


@main.group(short_help="Tell what an animation shows, in words.")
def describe() -> None:
    """Tell what an animation shows: one sentence, for an image's alternative text, and every step."""


def _view(kind: str) -> Any:
    known = VIEWS[kind]
    help_text = f"{', '.join(known[:-1])} or {known[-1]}." if len(known) > 1 else f"{known[0]}."
    return click.option("--view", metavar="VIEW", help=f"{help_text}  [default: {known[0]}]")


def _add(kind: str) -> None:
    """A command that animates a kind of layer, and one that explains it."""
    options, called = LAYERS[kind]

    def animate(**typed: Any) -> None:
        _animate(kind, **typed)

    def tell(**typed: Any) -> None:
        _explain(kind, **typed)

    def say_all(**typed: Any) -> None:
        _describe(kind, **typed)

    command = FILE(animate)
    if kind in SHOWN:
        command = SHOWN[kind](command)
    command = options(_view(kind)(command))
    main.command(kind, short_help=f"Animate {called}.", help=ABOUT[kind])(command)
    explain.command(kind, help=f"Print the arithmetic of {called}.")(options(UNUSED(tell)))
    command = TOLD(say_all)
    if kind in SHOWN:
        command = SHOWN[kind](command)
    describe.command(kind, help=f"Tell {called} in words.")(options(_view(kind)(command)))


for _kind in LAYERS:
    _add(_kind)


@main.command(short_help="Animate a layer from its notation.")
@click.argument("notation")
@LAYER
@VIEW
@SHOWN["layer"]
@FILE
def layer(**typed: Any) -> None:
    """Animate the layer that NOTATION says: convanim's own, or a line of PyTorch, Keras, Flax or ONNX.

    \b
    convanim layer 'ConvTranspose(3, stride=2)' --input 3x3 -o up.gif
    convanim layer 'torch.nn.Conv2d(1, 1, 3, padding=1)' --input 5x5 -o mine.gif
    """
    _animate("layer", **typed)


@explain.command("layer")
@click.argument("notation")
@LAYER
@UNUSED
def explain_layer(**typed: Any) -> None:
    """Print the arithmetic of the layer that NOTATION says."""
    _explain("layer", **typed)


@describe.command("layer")
@click.argument("notation")
@LAYER
@VIEW
@SHOWN["layer"]
@TOLD
def describe_layer(**typed: Any) -> None:
    """Tell in words the layer that NOTATION says."""
    _describe("layer", **typed)


@main.command(short_help="Show two layers side by side on one input.")
@click.argument("first")
@click.argument("second")
@LAYER
@file(required=False)
def compare(first: str, second: str, **typed: Any) -> None:
    """Show two layers, two conventions or two framework lines side by side in lockstep on the same input.

    Without -o only the comparison in words is printed. Exit code 0 whether they agree or not.

    \b
    convanim compare 'Conv(3, padding=1)' "Conv(3, padding='same', convention='keras')" --input 6x6
    """
    from convanim.compare import report
    from convanim.request import compared

    look, target = look_of(typed), typed["output"]
    layers = {name: typed.pop(name) for name in ("x", "kernel", "bias", "fill", "seed", "resize", "grey")}
    a, b = (asked.trace() for asked in compared(first, second, **layers))
    if target is None:
        click.echo(report(a, b))
        return
    save(a, look, beside=b, **typed)


@main.command(short_help="Find the layers that map one size to another.")
@click.option("--input", "x", required=True, metavar="SIZES", help="The size that comes in: 7x7.")
@click.option("--output", "y", required=True, metavar="SIZES", help="The size that must come out: 14x14.")
@click.option("--kernel", default="1..7", show_default=True, metavar="RANGE", help="Kernel sizes to try: 3, or 3..5.")
@click.option("--stride", default="1..4", show_default=True, metavar="RANGE", help="Strides to try.")
def solve(x: str, y: str, kernel: str, stride: str) -> None:
    """List every convolution and transposed convolution that maps one size to another.

    Those without checkerboards come first, then the cheapest. Exit code 1 where there is none: every padding below
    the kernel size and every output padding was tried, without dilation.
    """
    from convanim.search import report
    from convanim.search import solve as found_by
    from convanim.source import read_sizes

    sizes, output = read_sizes(x, what="--input"), read_sizes(y, what="--output")
    found = found_by(sizes, output, _range(kernel, "--kernel"), _range(stride, "--stride"))
    click.echo(report(sizes, output, found))
    if not found:
        sys.exit(1)


@describe.command("compare")
@click.argument("first")
@click.argument("second")
@LAYER
@TOLD
def describe_compare(first: str, second: str, *, alt: bool, **typed: Any) -> None:
    """Tell in words two layers side by side on the same input."""
    from convanim.request import compared

    look = look_of(typed)
    a, b = (asked.trace() for asked in compared(first, second, **typed))
    _tell(a, {"beside": b}, alt=alt, lang=look["lang"])


def _range(text: str, what: str) -> range:
    first, _, last = text.partition("..")
    if not re.fullmatch(r"\d{1,4}", first, re.ASCII) or (last and not re.fullmatch(r"\d{1,4}", last, re.ASCII)):
        raise ConvanimError(f"{what} {text[:40]!r} is not a range of numbers", "write 3, or 3..5")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 64:
        raise ConvanimError(f"{what} {text} does not go up from 1 or more, to 64 at most", "write it like 3..5")
    return range(low, high + 1)


def _explain(kind: str, **typed: Any) -> None:
    from convanim.explanation import explain as told

    look = look_of(typed)  # says what is wrong with it, though nothing is drawn
    asked, shown = _asked(kind, **typed)
    if look["layout"] or shown["view"] or shown["symbols"]:
        from convanim.layout import view_of
        from convanim.scene import Shown, pick_view, views_of

        view = view_of(look["layout"], shown["view"], views_of(asked.op))
        pick_view(asked.op, view, Shown(shown["symbols"], asked.colours))
    click.echo(told(asked.op, asked.sizes))


def _describe(kind: str, *, alt: bool, **typed: Any) -> None:
    look = look_of(typed)
    asked, shown = _asked(kind, **typed)
    _tell(asked.trace(), shown, alt=alt, lang=look["lang"])


def _tell(trace: Any, shown: dict[str, Any], *, alt: bool, lang: str) -> None:
    from convanim.animation import Animation
    from convanim.description import transcript

    animation = Animation(trace, lang=lang, **shown)
    animation.prove()
    click.echo(animation.alt)
    if not alt:
        click.echo()
        for line in transcript(animation.scene, words=animation.words):
            click.echo(line)


def _animate(kind: str, **typed: Any) -> None:
    from convanim.formats import DRAWN, pick_format
    from convanim.layout import fits

    look = look_of(typed)
    written = pick_format(*target_of(typed["output"], typed["format"]))
    saving = {name: typed.pop(name) for name in ("output", "format", "quiet", "open_it", "sheet")}
    asked, shown = _asked(kind, **typed)
    if written in DRAWN:  # before the arithmetic, which may take long
        fits(asked.op, asked.sizes)
    save(asked.trace(), look, **shown, **saving)


def _asked(
    kind: str, *, view: str | None, backward: bool = False, grad: str | None = None, **typed: Any
) -> tuple[Any, dict[str, Any]]:
    """The layer that was asked for, and what of it is shown."""
    from convanim.request import request
    from convanim.source import read_array

    shown: dict[str, Any] = {name: typed.pop(name) for name in ("symbols", "saturate") if name in typed}
    if backward or grad is not None:
        if view not in (None, "backward"):
            raise ConvanimError(f"--backward does not go with --view {view}", "leave one of them out")
        view = "backward"
    asked = request(kind, **typed)
    if grad is not None:
        shown["grad"] = read_array(grad, what="--grad", fill=typed["fill"] or "range", seed=typed["seed"])
    return asked, {"view": view, "colours": asked.colours, **shown}

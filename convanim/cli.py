"""The pipeline for a person at a shell.

Knows options and what is printed; no arithmetic, no drawing. Everything heavy is imported when a command runs, so that
asking for help is quick.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from convanim import __version__
from convanim.errors import ConvanimError
from convanim.options import FILE, LAYER, TRANSPOSED, UNUSED
from convanim.shell import Program, say

EXAMPLES = """\b
Examples:
  convanim transposed --input 3x3 --kernel 3x3 --stride 2 --padding 1 -o up.gif
  convanim transposed --input '[[0,1],[2,3]]' --kernel '[[4,1],[2,3]]' --view overlap-add -o sum.gif
  convanim conv --input photo.csv --kernel '[[1,0,-1]]' --padding same --theme dark -o edges.gif
  convanim conv --input 5x5 --kernel 3x3 --width 640 --select last -o result.png
  convanim explain transposed --input 3x3 --kernel 3x3 --stride 2
  convanim solve --input 7x7 --output 14x14 --kernel 3..5 --stride 2

\b
Documentation: the README. Completion for your shell: eval "$(_CONVANIM_COMPLETE=bash_source convanim)"
"""

#: Options that do not change the picture, and so are not told in the file's comment.
SILENT = {"output", "format", "quiet", "open_it"}
#: Options that an animation takes as they are.
LOOK = (
    *("theme", "width", "height", "title", "caption"),
    *("seconds_per_step", "hold_last", "plays", "select"),
)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, message="convanim %(version)s")
def main() -> None:
    """Show convolution arithmetic happening.

    Traces every kernel placement and every overlap addition of a convolution or a transposed convolution, checks the
    numbers against an independent oracle, and turns them into an animation.
    """


@main.command(short_help="Animate a convolution.")
@LAYER
@FILE
def conv(**options: Any) -> None:
    """Animate a convolution: padding, sliding, the sum."""
    _animate("conv", view=None, **options)


@main.command(short_help="Animate a transposed convolution.")
@LAYER
@TRANSPOSED
@click.option(
    "--view", default="zero-insertion", show_default=True, metavar="VIEW", help="zero-insertion, overlap-add or both."
)
@FILE
def transposed(**options: Any) -> None:
    """Animate a transposed convolution: zeros inserted and a window that slides, or stamps that are added."""
    _animate("transposed", **options)


@main.group(short_help="Print the arithmetic of a layer.")
def explain() -> None:
    """Print the arithmetic of a layer: sizes, zeros, padding, work, overlaps."""


@explain.command("conv")
@LAYER
@UNUSED
def explain_conv(**options: Any) -> None:
    """Print the arithmetic of a convolution."""
    _explain("conv", **options)


@explain.command("transposed")
@LAYER
@TRANSPOSED
@UNUSED
def explain_transposed(**options: Any) -> None:
    """Print the arithmetic of a transposed convolution."""
    _explain("transposed", **options)


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


def _range(text: str, what: str) -> range:
    first, _, last = text.partition("..")
    if not re.fullmatch(r"\d{1,4}", first, re.ASCII) or (last and not re.fullmatch(r"\d{1,4}", last, re.ASCII)):
        raise ConvanimError(f"{what} {text[:40]!r} is not a range of numbers", "write 3, or 3..5")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 64:
        raise ConvanimError(f"{what} {text} does not go up from 1 or more, to 64 at most", "write it like 3..5")
    return range(low, high + 1)


def _explain(kind: str, **options: Any) -> None:
    from convanim.arithmetic import explain as told

    op, x, _, _ = _layer(kind, **options)
    click.echo(told(op, x.shape))


def _layer(
    kind: str,
    *,
    x: str,
    kernel: str,
    stride: str,
    padding: str,
    dilation: str,
    bias: str | None,
    fill: Any,
    seed: int,
    output_padding: str = "0",
) -> tuple[Any, Any, Any, Any]:
    """The operation, its input, kernel and bias, from what was typed."""
    from convanim.ops import Conv, ConvTranspose
    from convanim.source import read_array, read_number, read_padding, read_sizes

    if x.strip() == kernel.strip() == "-":
        raise ConvanimError("--input and --kernel cannot both be read from standard input", "put one into a file")
    if seed < 0:
        raise ConvanimError(f"--seed {seed} is negative", "use 0 or more")
    values = read_array(x, what="--input", fill=fill, seed=seed)
    if re.fullmatch(r"\s*\d+\s*", kernel, re.ASCII):
        kernel = "x".join([kernel.strip()] * values.ndim)  # one number: the same along every axis of the input
    # The kernel's random numbers are others than the input's, and of both signs.
    weight = read_array(kernel, what="--kernel", fill=fill, seed=seed + 1, low=-2, high=2)
    if weight.ndim != values.ndim:
        raise ConvanimError(
            f"--kernel is {'x'.join(map(str, weight.shape))} but --input is {'x'.join(map(str, values.shape))}",
            "give both the same number of axes; a row of a picture is [[1,0,-1]]",
        )

    def each(text: str, what: str) -> Any:
        sizes = read_sizes(text, what=what)
        return sizes[0] if len(sizes) == 1 else sizes

    arguments = {
        "kernel_size": weight.shape[0] if len(set(weight.shape)) == 1 else weight.shape,
        "stride": each(stride, "--stride"),
        "padding": read_padding(padding, what="--padding"),
        "dilation": each(dilation, "--dilation"),
    }
    number = None if bias is None else read_number(bias, what="--bias")
    if kind == "conv":
        return Conv(**arguments), values, weight, number
    extra = each(output_padding, "--output-padding")
    return ConvTranspose(**arguments, output_padding=extra), values, weight, number


def _animate(
    kind: str, *, output: str, format: str | None, quiet: bool, open_it: bool, view: str | None, **options: Any
) -> None:
    look = {name: options.pop(name) for name in LOOK}
    from convanim.animation import DRAWN, Animation, pick_format, save_trace
    from convanim.layout import fits, page_size
    from convanim.theme import load

    target = None if output == "-" else Path(output)
    if target is None and format is None:
        raise ConvanimError("-o - does not tell the format", "add --format gif, png, txt or json")
    if target is None and sys.stdout is None:
        raise ConvanimError("standard output is closed", "open it, or name a file")
    written = pick_format(target, format)
    stream: Any = sys.stdout.buffer if target is None else target
    page_size(look["width"], look["height"])
    load(look["theme"])
    op, x, weight, bias = _layer(kind, **options)
    if written in DRAWN:  # before the arithmetic, which may take long
        fits(op, x.shape)
    trace = op.trace(x, weight, bias)
    with _Progress(quiet=quiet) as progress:
        if written == "json":  # any trace can be saved, also one that no page holds
            saved = save_trace(trace, stream, view)
        else:
            animation = Animation(trace, view=view, made_by=_command(), **look)
            saved = animation.save(stream, format, progress)
    if not quiet:
        say(_closing(saved), err=target is None)
    if open_it and target is not None:
        click.launch(str(target))


def _command() -> str:
    """The command as it could be typed again, without what does not change the picture."""
    context = click.get_current_context()
    words = ["convanim", context.info_name or ""]
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if not given or option.name in SILENT:
            continue
        value = context.params[option.name or ""]
        if isinstance(value, bool):
            words.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            words += [option.opts[0], str(value)]
    return shlex.join(words)


def _closing(saved: Any) -> str:
    told = [str(saved.path or "standard output")]
    if saved.width:
        told.append(f"{saved.width}×{saved.height} px")
    thing = "step" if saved.format == "json" else "frame"
    told.append(f"{saved.frames} {thing}{'' if saved.frames == 1 else 's'}")
    if saved.seconds:
        told.append(f"{saved.seconds:.1f} s")
    told.append(f"{saved.size / 1000:,.0f} KB" if saved.size >= 1000 else f"{saved.size} bytes")
    line = ", ".join(told)
    if saved.left_out:
        line += f"; {saved.left_out:,} of {saved.steps:,} placements left out, --select all shows every one"
    return line


class _Progress:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __call__(self, done: int, total: int) -> None:
        if not self._wanted or (done % 16 and done != total):  # a terminal is slower than a frame
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label="frames", file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

"""The options that commands share, and what their help says.

Knows names, forms and defaults. Must not know what a command does with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


ARRAY = (
    "A shape (5, 5x5), a literal ([[0,1],[2,3]]), a .npy, .csv or .tsv file, a picture (its grey values), "
    "or - for CSV on standard input."
)
EACH = "One number for every axis, or one each: 2x1."

LAYER = _options(
    click.option("--input", "x", required=True, metavar="ARRAY", help=ARRAY),
    click.option("--kernel", required=True, metavar="ARRAY", help="Likewise. One number is a square kernel."),
    click.option("--stride", default="1", metavar="N", help=EACH, show_default=True),
    click.option(
        "--padding",
        default="0",
        metavar="N",
        show_default=True,
        help="A number, one each (1x0), before:after (1:2x0:1), or valid, same, same_lower, full.",
    ),
    click.option("--dilation", default="1", metavar="N", help=EACH, show_default=True),
    click.option("--bias", metavar="NUMBER", help="Added to every output cell."),
    click.option(
        "--fill",
        type=click.Choice(["range", "ones", "random"]),
        default="range",
        show_default=True,
        help="The values where only a shape is given.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="For --fill random."),
)
TRANSPOSED = click.option("--output-padding", default="0", metavar="N", show_default=True, help=EACH)
FILE = _options(
    click.option(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help=".gif, .png (last frame; a-%03d.png all), .txt, .json; - for standard output.",
    ),
    click.option("--format", metavar="FORMAT", help="gif, png, txt or json, where the file's name does not say it."),
    click.option("--theme", default="light", show_default=True, metavar="NAME", help="light or dark."),
    click.option("--width", type=int, metavar="PX", help="Page width; one side alone makes it 16:9.  [default: 1280]"),
    click.option("--height", type=int, metavar="PX", help="Page height.  [default: 720]"),
    click.option(
        "--seconds-per-step",
        type=float,
        metavar="S",
        help="Time of a placement.  [default: 0.6 to 1.8, and less where all would last over 30 s]",
    ),
    click.option("--hold-last", type=float, metavar="S", help="Time of the last frame.  [default: 3]"),
    click.option("--plays", type=int, default=0, show_default=True, help="How often it runs; 0 for ever."),
    click.option(
        "--select",
        metavar="FRAMES",
        help="Frames (0,4,8 or 2..6 or last or all), or placements as the picture counts them (step:12).",
    ),
    click.option("--title", metavar="TEXT", help="Instead of the layer's name and sizes."),
    click.option("--caption/--no-caption", default=True, help="The line of arithmetic and the step count."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    click.option("--open", "open_it", is_flag=True, help="Open the file when it is done."),
)


# A command that makes a picture can be asked to explain itself: what only a picture needs is taken and not used.
UNUSED = _options(
    *(
        click.option(*names, hidden=True, expose_value=False)
        for names in (
            *(("-o", "--output"), ("--format",), ("--view",), ("--theme",), ("--width",), ("--height",)),
            *(("--seconds-per-step",), ("--hold-last",), ("--plays",), ("--select",), ("--title",)),
        )
    ),
    *(
        click.option(name, is_flag=True, hidden=True, expose_value=False)
        for name in ("--caption/--no-caption", "--quiet", "--open")
    ),
)

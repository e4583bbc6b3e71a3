"""The options that commands share, and what their help says.

Knows names, forms and defaults. Must not know what a command does with them.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _options(*options: Callable[..., Any]) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# What the operations take, said again so that asking for help need not load them; a test holds both together.
CONVENTIONS = ("torch", "keras", "jax", "onnx")
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")

ARRAY = (
    "A shape (5, 5x5), a literal ([[0,1],[2,3]]), a .npy, .csv or .tsv file, a picture (.png, .jpg), "
    "or - for CSV on standard input."
)
EACH = "One number for every axis, or one each: 2x1."

INPUT_ALONE = _options(
    click.option("--input", "x", required=True, metavar="ARRAY", help=ARRAY),
    click.option(
        "--fill",
        type=click.Choice(["range", "ones", "random"]),
        help="The values where only a shape is given.  [default: range; of a kernel over colours, a mean]",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="For --fill random."),
    click.option("--resize", metavar="SIZES", help="Fit a picture into so many cells: 4x4."),
    click.option("--grey", is_flag=True, help="The grey values of a picture with colours."),
)
INPUT = _options(
    INPUT_ALONE,
    click.option(
        "--convention",
        type=click.Choice(CONVENTIONS),
        default="torch",
        show_default=True,
        help="Whose rules decide what the options leave open; keras and jax have the channels last.",
    ),
)
_STRIDE = click.option("--stride", metavar="N", help=f"{EACH}  [default: 1]")
_PADDING = click.option(
    "--padding",
    default="0",
    metavar="N",
    show_default=True,
    help="A number, one each (1x0), before:after (1:2x0:1), or a word of the convention: valid, same, ...",
)
_DILATION = click.option("--dilation", default="1", metavar="N", help=EACH, show_default=True)

WEIGHTED = _options(
    INPUT,
    click.option(
        "--kernel",
        required=True,
        metavar="ARRAY",
        help="Likewise. One number is a square kernel. Over a picture's colours a shape alone is a mean.",
    ),
    _STRIDE,
    _PADDING,
    _DILATION,
    click.option("--groups", type=int, metavar="N", help="Groups of channels.  [default: 1; 3 for colours]"),
    click.option("--out-channels", type=int, metavar="N", help="Channels of the output.  [default: one a group]"),
    click.option("--bias", metavar="NUMBER", help="Added to every output cell."),
)
CONV = _options(
    WEIGHTED,
    click.option(
        "--padding-mode",
        type=click.Choice(PADDING_MODES),
        default="zeros",
        show_default=True,
        help="What the padding holds.",
    ),
)
TRANSPOSED = _options(
    WEIGHTED, click.option("--output-padding", metavar="N", help=f"{EACH}  [default: 0, or the convention's]")
)
_WINDOW = _options(
    INPUT,
    click.option("--kernel", required=True, metavar="SIZES", help=f"Cells of the window. {EACH}"),
    click.option("--stride", metavar="N", help=f"{EACH}  [default: the kernel; in jax and onnx 1]"),
    _PADDING,
)
POOL = _options(
    _WINDOW,
    click.option(
        "--mode",
        type=click.Choice(["max", "avg", "lp"]),
        default="max",
        show_default=True,
        help="The greatest value, the mean, or the p-norm.",
    ),
    _DILATION,
    click.option("--ceil-mode", is_flag=True, help="Round the output's size up."),
    click.option(
        "--count-include-pad/--no-count-include-pad",
        default=None,
        help="Whether the padding counts in a mean.  [default: the convention's; torch: yes]",
    ),
    click.option("--norm-type", type=float, metavar="P", help="p of --mode lp.  [default: 2]"),
)
UNPOOL = _options(
    _WINDOW,
    click.option("--indices", metavar="ARRAY", help="Where the maxima were; then --input is what was pooled already."),
)
UPSAMPLE = _options(
    INPUT,
    click.option(
        "--mode",
        type=click.Choice(["nearest", "bilinear", "nails"]),
        default="nearest",
        show_default=True,
        help="Copies, mixtures of neighbours, or zeros between.",
    ),
    click.option("--scale-factor", metavar="N", help="Output / input: 2, 1.5, or one each, 2x3.  [default: 2]"),
    click.option("--size", metavar="SIZES", help="Of the output, instead of a factor."),
    click.option("--align-corners", is_flag=True, help="First and last cells lie on each other (bilinear)."),
    click.option(
        "--coordinates",
        type=click.Choice(["half_pixel", "asymmetric", "align_corners"]),
        help="Where an output cell lies between input cells.  [default: the convention's]",
    ),
)
SHUFFLE = _options(
    INPUT,
    click.option("--factor", type=int, default=2, show_default=True, metavar="R", help="Side of a cell."),
    click.option("--inverse", is_flag=True, help="Unshuffle: space to depth."),
    click.option(
        "--order", type=click.Choice(["CRD", "DCR"]), help="Of the channels.  [default: CRD in torch, else DCR]"
    ),
)
LAYER = _options(
    INPUT_ALONE,
    click.option("--kernel", metavar="ARRAY", help="The kernel's values.  [default: 1, 2, ...; over colours a mean]"),
    click.option("--bias", metavar="NUMBER", help="Added to every output cell."),
)
BACKWARD = _options(
    click.option("--backward", is_flag=True, help="The gradient with respect to the input, beside the forward pass."),
    click.option("--grad", metavar="ARRAY", help="With respect to the output.  [default: ones]"),
)
#: The views of each kind of layer, the usual one first; a test holds them against the scenes.
VIEWS = {
    "conv": ("sliding", "matrix", "overlap", "backward"),
    "transposed": ("zero-insertion", "overlap-add", "both", "matrix", "overlap"),
    "pool": ("sliding", "overlap"),
    "unpool": ("placing",),
    "upsample": ("beside", "reading", "overlap"),
    "shuffle": ("moving",),
}
#: The layers that a command line knows, with the options of each and what they are called.
LAYERS: dict[str, tuple[Decorator, str]] = {
    "conv": (CONV, "a convolution"),
    "transposed": (TRANSPOSED, "a transposed convolution"),
    "pool": (POOL, "a pooling"),
    "unpool": (UNPOOL, "a max unpooling"),
    "upsample": (UPSAMPLE, "a fixed upsampling"),
    "shuffle": (SHUFFLE, "a pixel shuffle, or its opposite"),
}

THEME = (
    "light, dark, solarized, high-contrast or print; your own file, mine.toml; "
    "or auto: FILE-light and FILE-dark, and the lines that show a README's reader the one that fits."
)
LANG = click.option(
    "--lang", default="en", show_default=True, metavar="CODE", help="Of the words on the page: de, ja, ..."
)
LOOK = _options(
    click.option(
        "--template",
        metavar="NAME",
        help="How the page is set: default, slide, readme, square, paper, minimal, solarized, or your own ./my.toml. "
        "The options below take the place of its keys.",
    ),
    click.option(
        "--layout",
        metavar="NAME",
        help="flat, isometric, row, slices, matrix or compare.  [default: what suits the layer]",
    ),
    click.option("--theme", metavar="NAME", help=f"{THEME}  [default: the template's]"),
    LANG,
    click.option("--width", type=int, metavar="PX", help="Page width; one side keeps the shape.  [default: 1280]"),
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
    click.option(
        "--sheet",
        type=int,
        metavar="COLUMNS",
        help="One .png with several frames in so many columns: the selected ones, or a good handful.",
    ),
    click.option("--motion", metavar="NAME", help="step, or smooth: things on their way, too.  [default: step]"),
    click.option("--max-size", metavar="SIZE", help="Of the file: 1MB, 500KB. A GIF gives up what it must for it."),
    click.option("--title", metavar="TEXT", help="Instead of the layer's name and sizes."),
    click.option("--caption/--no-caption", default=None, help="The line of arithmetic and the step count."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    click.option("--open", "open_it", is_flag=True, help="Open the file when it is done."),
)


def file(*, required: bool) -> Decorator:
    """The options of a command that writes a file."""
    return _options(
        click.option(
            "-o",
            "--output",
            required=required,
            metavar="FILE",
            help=".gif, .png (last frame; a-%03d.png all), .txt, .json; - for standard output.",
        ),
        click.option("--format", metavar="FORMAT", help="gif, png, txt or json, where the name does not say."),
        LOOK,
    )


FILE = file(required=True)
SYMBOLS = click.option("--symbols", is_flag=True, help="Letters with indices instead of values.")
SATURATE = click.option("--saturate", is_flag=True, help="Say that the colours of sums clip at 255.")
#: What more of a kind of layer can be shown.
SHOWN: dict[str, Decorator] = {
    "conv": _options(SYMBOLS, SATURATE, BACKWARD),
    "transposed": _options(SYMBOLS, SATURATE),
    "pool": SATURATE,
    "upsample": SATURATE,
    "layer": _options(SYMBOLS, SATURATE),
}


def _unused(*options: Decorator, but: tuple[str, ...] = ()) -> Decorator:
    """The same options, taken without being told of, but for those of these names.

    A command that makes a picture can be asked to explain or describe itself, where what only a picture needs changes
    nothing.
    """

    def command() -> None: ...

    _options(*options)(command)
    hidden = [copy(option) for option in reversed(command.__click_params__) if option.name not in but]  # type: ignore[attr-defined]
    for option in hidden:
        option.hidden, option.required = True, False

    def decorate(decorated: Callable[..., Any]) -> Callable[..., Any]:
        decorated.__dict__.setdefault("__click_params__", []).extend(reversed(hidden))
        return decorated

    return decorate


VIEW = click.option("--view", metavar="VIEW", help="One of the views that the layer's own command has.")
UNUSED = _unused(VIEW, SYMBOLS, SATURATE, BACKWARD, FILE)
#: What a description takes besides the layer and what is shown of it.
TOLD = _options(
    click.option("--alt", is_flag=True, help="The sentence alone, for an alternative text."),
    LANG,
    _unused(FILE, but=("lang",)),
)

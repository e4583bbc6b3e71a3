"""The options that commands share, with their help texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any, NamedTuple

import click

from convanim.cli.helptext import files, offering
from convanim.look import COMMON, OPTIONS
from convanim.write.formats import listed

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Convention(click.Choice):  # type: ignore[type-arg]
    """A choice that passes unknown values on to the layers, which accept aliases: pytorch, tf, flax."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text as it was typed."""
        return value


def _options(*options: Decorator) -> Decorator:
    """The options combined; each is created once, however many commands have it."""
    return _having(_made(options))


def _having(made: list[click.Parameter]) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        command.__dict__.setdefault("__click_params__", []).extend(made)
        return command

    return decorate


def options_of(*options: Decorator) -> list[click.Option]:
    """The options of a decorator in the order of the help."""
    return [option for option in reversed(_made(options)) if isinstance(option, click.Option)]


def _made(options: tuple[Decorator, ...]) -> list[click.Parameter]:
    """The options in click's order, the last one first."""

    def command() -> None: ...

    for option in reversed(options):
        option(command)
    made: list[click.Parameter] = command.__dict__.get("__click_params__", [])
    return made


# The values that the operations accept, repeated so that --help need not import them; a test compares the two.
CONVENTIONS = ("torch", "keras", "jax", "onnx")
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")

ARRAY = (
    "A shape (5, 5x5), an array ([[0,1],[2,3]]), a file with a table (.csv, .txt), an array (.npy) or a picture "
    "(.png, .jpg, .tif), or - for a table from standard input."
)
PER_AXIS = "one number for all axes, or one number per axis (2x1)."

INPUT_ALONE = _options(
    click.option("--input", "x", required=True, metavar="ARRAY", shell_complete=files(), help=ARRAY),
    click.option(
        "--fill",
        type=click.Choice(["range", "ones", "random"]),
        help="Values of an array given as a shape.  [default: range; the mean for a kernel over colours]",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed for --fill random."),
    click.option("--resize", metavar="SIZES", help="Resize a picture to this many cells: 4x4."),
    click.option("--grey", is_flag=True, help="Convert a picture to grey values."),
)
INPUT = _options(
    INPUT_ALONE,
    click.option(
        "--convention",
        type=Convention(CONVENTIONS),
        default="torch",
        show_default=True,
        help="Framework whose defaults and padding rules apply. keras and jax put the channels last.",
    ),
)
_STRIDE = click.option("--stride", metavar="N", help=f"Stride: {PER_AXIS}  [default: 1]")
_PADDING = click.option(
    "--padding",
    default="0",
    metavar="N",
    show_default=True,
    help="Padding: one number for all axes, one number per axis (1x0), before:after (1:2x0:1), "
    "or a word of the convention (valid, same, ...).",
)
_DILATION = click.option("--dilation", default="1", metavar="N", help=f"Dilation: {PER_AXIS}", show_default=True)

WEIGHTED = _options(
    INPUT,
    click.option(
        "--kernel",
        required=True,
        metavar="ARRAY",
        shell_complete=files(),
        help="Kernel, given like --input. A single number gives a square kernel. For a picture with colours, "
        "a kernel given as a shape is the mean of its window.",
    ),
    _STRIDE,
    _PADDING,
    _DILATION,
    click.option("--groups", type=int, metavar="N", help="Number of channel groups.  [default: 1; 3 for colours]"),
    click.option("--out-channels", type=int, metavar="N", help="Number of output channels.  [default: one per group]"),
    click.option("--bias", metavar="NUMBER", help="Added to every output cell."),
)
CONV = _options(
    WEIGHTED,
    click.option(
        "--padding-mode",
        type=click.Choice(PADDING_MODES),
        default="zeros",
        show_default=True,
        help="Values of the padding.",
    ),
)
TRANSPOSED = _options(
    WEIGHTED,
    click.option(
        "--output-padding", metavar="N", help=f"Output padding: {PER_AXIS}  [default: 0, or the convention's]"
    ),
)
_WINDOW = _options(
    click.option("--stride", metavar="N", help=f"Stride: {PER_AXIS}  [default: the kernel size; 1 in jax and onnx]"),
    _PADDING,
)
POOL = _options(
    INPUT,
    click.option("--kernel", metavar="SIZES", help=f"Kernel size: {PER_AXIS} Required unless --mode is adaptive."),
    _WINDOW,
    click.option(
        "--mode",
        type=click.Choice(["max", "avg", "lp", "adaptive-max", "adaptive-avg"]),
        default="max",
        show_default=True,
        help="Maximum, average, or p-norm; adaptive windows follow from --output-size.",
    ),
    click.option(
        "--output-size",
        metavar="SIZES",
        help="Output size of an adaptive pooling, such as 3 or 3x2; 1 is global pooling, and - keeps an axis (3x-).",
    ),
    _DILATION,
    click.option("--ceil-mode", is_flag=True, help="Round the output size up."),
    click.option(
        "--count-include-pad/--no-count-include-pad",
        default=None,
        help="Include the padding in the average.  [default: the convention's; torch includes it]",
    ),
    click.option("--norm-type", type=float, metavar="P", help="The exponent p of --mode lp.  [default: 2]"),
)
UNPOOL = _options(
    INPUT,
    click.option("--kernel", required=True, metavar="SIZES", help=f"Kernel size: {PER_AXIS}"),
    _WINDOW,
    click.option(
        "--indices", metavar="ARRAY", help="Positions of the maxima. With this option, --input gives the pooled values."
    ),
    click.option(
        "--output-size",
        metavar="SIZES",
        help="Sizes of the output, such as 5x5, or 'default' for the framework's default sizes.  "
        "[default: the sizes of the pooling's input; with --indices, 'default']",
    ),
)
UPSAMPLE = _options(
    INPUT,
    click.option(
        "--mode",
        type=click.Choice(["nearest", "bilinear", "nails"]),
        default="nearest",
        show_default=True,
        help="Interpolation: nearest neighbour, bilinear, or bed of nails (zeros in between).",
    ),
    click.option(
        "--scale-factor",
        metavar="N",
        help="Output size divided by input size: 2, 1.5, or one number per axis (2x3).  [default: 2]",
    ),
    click.option("--size", metavar="SIZES", help="Output size, instead of a factor."),
    click.option("--align-corners", is_flag=True, help="Align the corner cells of input and output (bilinear)."),
    click.option(
        "--coordinates",
        type=click.Choice(["half_pixel", "asymmetric", "align_corners"]),
        help="Position of an output cell among the input cells.  [default: the convention's]",
    ),
)
SHUFFLE = _options(
    INPUT,
    click.option("--factor", type=int, default=2, show_default=True, metavar="R", help="Upscale factor."),
    click.option("--inverse", is_flag=True, help="Apply the inverse, space to depth."),
    click.option(
        "--order",
        type=click.Choice(["CRD", "DCR"]),
        help="Order of the channels.  [default: CRD in torch, otherwise DCR]",
    ),
)
_COLUMNS = _options(
    INPUT_ALONE,
    click.option("--kernel", required=True, metavar="SIZES", help=f"Kernel size: {PER_AXIS}"),
    _STRIDE,
    click.option("--padding", default="0", metavar="N", show_default=True, help=f"Padding: {PER_AXIS}"),
    _DILATION,
)
UNFOLD = _COLUMNS
FOLD = _options(
    click.option("--output-size", required=True, metavar="SIZES", help="Size of the picture: 3x3, or 3 for a square."),
    _COLUMNS,
)
LAYER = _options(
    INPUT_ALONE,
    click.option(
        "--out-channels",
        type=int,
        metavar="N",
        help="Number of output channels to show.  [default: those of NOTATION, up to 4]",
    ),
    click.option(
        "--kernel",
        metavar="ARRAY",
        help="Values of the kernel.  [default: 1, 2, ...; the mean for a picture with colours]",
    ),
    click.option("--bias", metavar="NUMBER", help="Added to every output cell."),
)


def _languages() -> list[str]:
    from convanim.scene.spoken import languages

    return languages()


def _templates() -> list[str]:
    from convanim.template.files import templates

    return templates()


def _themes() -> list[str]:
    from convanim.draw.theme import AUTO, themes

    return [*themes(), AUTO]


def _layouts() -> tuple[str, ...]:
    from convanim.page import LAYOUTS

    return tuple(LAYOUTS)


#: The names that a shell offers for an option, and whether its value may also be a file.
OFFERED: dict[str, tuple[Callable[[], Iterable[str]], bool]] = {
    "template": (_templates, True),
    "layout": (_layouts, False),
    "theme": (_themes, True),
    "lang": (_languages, False),
}


def look(name: str) -> Decorator:
    """An option of an animation, from its record."""
    option = OPTIONS[name]
    flag = f"--{name.replace('_', '-')}"
    if option.kind is bool and option.default is None:
        flag += f"/--no-{flag[2:]}"
    find, files_too = OFFERED.get(name, (lambda: option.choices, False))
    usual = f"  [default: {option.usual}]" if option.usual is not None else ""
    return click.option(
        flag,
        type=option.kind,
        is_flag=option.kind is bool,
        default=option.default,
        show_default=option.default is not None and option.default is not False,
        metavar=option.metavar,
        shell_complete=offering(find, files=files_too),
        help=option.about + usual,
    )


LANG, SYMBOLS, SATURATE = look("lang"), look("symbols"), look("saturate")
LETTERS = _options(SYMBOLS, SATURATE)
BACKWARD = _options(
    click.option(
        "--backward", is_flag=True, help="Show the gradient with respect to the input beside the forward pass."
    ),
    look("grad"),
)
ALIGN = look("align")
LOOK = _options(
    *(look(name) for name in COMMON),
    click.option(
        "--sheet",
        type=int,
        metavar="COLUMNS",
        help="Write a contact sheet, one .png with several frames in this many columns.",
    ),
    click.option("--quiet", is_flag=True, help="Print nothing except errors."),
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
            shell_complete=files(),
            help=f"File to write: {listed(told=True)}. - is standard output.",
        ),
        click.option(
            "--format", metavar="FORMAT", help=f"File format ({listed(dot='')}), if the file name has no suffix."
        ),
        LOOK,
    )


FILE = file(required=True)


class Layer(NamedTuple):
    """A kind of layer on the command line: all that its commands and their help need.

    Attributes:
        options: the options of the layer.
        called: its name with an article, for short help texts.
        about: the description of the command that animates it.
        examples: what is typed after the command in two examples.
        page: the name of its page in the documentation, if that is not the command.
        shown: further options of its views.
    """

    options: Decorator
    called: str
    about: str
    examples: tuple[str, str]
    shown: Decorator = _options()
    page: str = ""


#: The kinds of layer by their commands.
LAYERS = {
    "conv": Layer(
        CONV,
        "a convolution",
        """Animate a convolution: a kernel slides over the padded input.

        With --backward the gradient is shown beside it: the backward pass of a convolution is the forward pass of a
        transposed convolution.
        """,
        ("--input 5x5 --kernel 3 -o conv.gif", "--input 6x6 --kernel 3 --stride 2 --padding 1 -o strided.gif"),
        _options(LETTERS, BACKWARD),
    ),
    "transposed": Layer(
        TRANSPOSED,
        "a transposed convolution",
        "Animate a transposed convolution, by zero insertion or by overlap-add (see --view).",
        (
            "--input 3x3 --kernel 3 --stride 2 --padding 1 -o up.gif",
            "--input 2x2 --kernel 2 --stride 2 --view overlap-add -o sum.gif",
        ),
        LETTERS,
    ),
    "pool": Layer(
        POOL,
        "a pooling",
        """Animate max, average, Lp or adaptive pooling. Max pooling also shows the position of each maximum.

        Adaptive pooling is given by its output size: --mode adaptive-avg --output-size 3. With output size 1 it is
        global pooling, whose only window is the whole input.
        """,
        ("--input 4x4 --kernel 2 -o pool.gif", "--input 5x5 --kernel 3 --mode avg --ceil-mode -o mean.gif"),
        SATURATE,
    ),
    "unpool": Layer(
        UNPOOL,
        "a max unpooling",
        """Animate max unpooling: each value returns to the position of the maximum; all other cells are zero.

        --input gives the input of the pooling. With --indices, it gives the pooled values instead.
        """,
        ("--input 4x4 --kernel 2 -o unpool.gif", "--input 4x4 --kernel 2 --output-size 5x5 -o wide.gif"),
    ),
    "upsample": Layer(
        UPSAMPLE,
        "a fixed upsampling",
        "Animate a fixed upsampling beside the equivalent transposed convolution, if there is one.",
        ("--input 2x2 -o up.gif", "--input 2x2 --mode bilinear --scale-factor 3 -o linear.gif"),
        SATURATE,
    ),
    "unfold": Layer(
        UNFOLD,
        "an unfold (im2col)",
        """Animate an unfold, im2col: each window of the input becomes a column of a matrix.

        A convolution is the product of its kernels, as rows, and these columns.
        """,
        ("--input 3x3 --kernel 2 -o unfold.gif", "--input 2x4x4 --kernel 2 --stride 2 -o channels.gif"),
    ),
    "fold": Layer(
        FOLD,
        "a fold (col2im)",
        """Animate a fold, col2im: each column of the input is added to its window in a picture.

        The input is a matrix with a row for each cell of the window (for each channel), and a column for each position.
        """,
        (
            "--input 4x4 --output-size 3 --kernel 2 -o fold.gif",
            "--input 4x4 --output-size 4 --kernel 2 --stride 2 -o tiles.gif",
        ),
        page="unfold",
    ),
    "shuffle": Layer(
        SHUFFLE,
        "a pixel shuffle or its inverse",
        "Animate a pixel shuffle (depth to space), or its inverse with --inverse.",
        ("--input 4x2x2 -o shuffle.gif", "--input 4x4 --inverse -o unshuffle.gif"),
    ),
}


def _unused(*options: Decorator, but: tuple[str, ...] = ()) -> Decorator:
    """The same options, hidden from the help, except for those named in `but`.

    The options of a command that draws can then be passed to `explain` and `describe`, which ignore those that only
    affect the picture.
    """

    hidden: list[Any] = [copy(option) for option in _made(options) if option.name not in but]
    for option in hidden:
        option.hidden, option.required = True, False
    return _having(hidden)


VIEW = look("view")
UNUSED = _unused(VIEW, SYMBOLS, SATURATE, BACKWARD, FILE)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
#: The options of an explanation besides the layer.
EXPLAINED = _options(JSON, UNUSED)
#: The options of a description besides the layer and its view.
TOLD = _options(
    click.option("--alt", is_flag=True, help="Print only the alternative text, one sentence."),
    JSON,
    LANG,
    _unused(FILE, but=("lang",)),
)

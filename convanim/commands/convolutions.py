"""The commands of convolutions and transposed convolutions."""

from __future__ import annotations

from convanim.commands.record import Command, View, but, given, sets
from convanim.commands.shared import (
    BIAS,
    CHANNELS,
    CONVENTIONS,
    DILATION,
    INPUT,
    INPUT_ALONE,
    OVERLAP,
    PADDING,
    PER_AXIS,
    RECEPTIVE,
    SATURATE,
    STRIDE,
    SYMBOLS,
)
from convanim.look import OPTIONS

# fmt: off
_REST = (
    given("kernel",
        "Kernel, given like --input. A single number gives a square kernel. For a picture with colours, a kernel given "
        "as a shape is the mean of its window.", metavar="ARRAY", required=True, files=True),
    STRIDE,
    PADDING,
    DILATION,
    sets("groups", "Number of channel groups.", int, metavar="N", usual="1; 3 for colours",
        noted="Conv(3, groups=2)"),
    CHANNELS,
    given("out_channels", "Number of output channels, or which ones to show: 0,3 or 4..7, or [5] for one.",
        metavar="N", usual="one per group, or those of the kernel"),
    BIAS,
)
_WEIGHTED = (*INPUT, *_REST)
_MATRIX = View(
    "The layer as a matrix, whose rows are multiplied one by one.", "whole.matrix:MatrixScene",
    lettered="whole.matrix:MatrixScene", flat=True)

CONV = Command(
    ("convolutions:Conv",),
    "a convolution",
    """Animate a convolution: a kernel slides over the padded input.

    With --backward the gradient is shown beside it: the backward pass of a convolution is the forward pass of a
    transposed convolution.
    """,
    (
        *INPUT_ALONE,
        but(INPUT[-1], choices=(*CONVENTIONS, "scipy"),
            about=f"{INPUT[-1].about} scipy flips the kernel, as signal processing does."),
        *_REST,
        sets("padding_mode", "Values of the padding.", default="zeros",
            choices=("zeros", "reflect", "symmetric", "replicate", "circular"),
            noted='Conv(3, padding=1, padding_mode="reflect")'),
        sets("flip", "Rotate the kernel by 180 degrees first, as in signal processing.", bool,
            usual="only in scipy", noted="Conv(3, flip=True)"),
    ),
    ("--input 5x5 --kernel 3 -o conv.gif", "--input 6x6 --kernel 3 --stride 2 --padding 1 -o strided.gif"),
    {
        "sliding": View(
            "The kernel slides over the padded input.", "views:slid", coloured="window.colour:ColourScene",
            lettered="views:slid"),
        "matrix": _MATRIX,
        "overlap": OVERLAP,
        "receptive": RECEPTIVE,
        "backward": View(
            "The gradient with respect to the input, beside the forward pass.", "beside.backward:BackwardScene",
            flat=True),
    },
    (
        SYMBOLS,
        SATURATE,
        given("backward", "Show the gradient with respect to the input beside the forward pass.", bool, default=False),
        OPTIONS["grad"],
    ),
)
TRANSPOSED = Command(
    ("convolutions:ConvTranspose",),
    "a transposed convolution",
    "Animate a transposed convolution, by zero insertion or by overlap-add (see --view).",
    (
        *_WEIGHTED,
        sets("output_padding", f"Output padding: {PER_AXIS}", reads="sizes", metavar="N",
            usual="0, or the convention's",
            noted="ConvTranspose(3, stride=2, output_padding=1)"),
    ),
    (
        "--input 3x3 --kernel 3 --stride 2 --padding 1 -o up.gif",
        "--input 2x2 --kernel 2 --stride 2 --view overlap-add -o sum.gif",
    ),
    {
        "zero-insertion": View("Zeros are inserted into the input, and the rotated kernel slides over it.",
            "views:slid", lettered="views:slid"),
        "overlap-add": View("Each input value scales the kernel, and the products are added to the output.",
            "stamp.scatter:ScatterScene", coloured="stamp.stamps:StampScene", lettered="stamp.scatter:ScatterScene",
            flat=True, scatters=True),
        "both": View("Zero insertion and overlap-add side by side.", "beside.both:BothScene", flat=True),
        "matrix": _MATRIX,
        "overlap": OVERLAP,
    },
    (SYMBOLS, SATURATE),
)
#: The options of a layer that is given in a notation, which has its arguments.
NOTATION = (
    *INPUT_ALONE,
    given("set", "What names in NOTATION stand for: k=3 for a number, w=64x3x7x7 for the shape of an array.",
        metavar="NAME=N"),
    given("kernel", "Values of the kernel.", metavar="ARRAY", usual="1, 2, ...; the mean for a picture with colours"),
    CHANNELS,
    given("out_channels", "Number of output channels to show, or which ones: 0,3 or 4..7, or [5] for one.",
        metavar="N", usual="those of NOTATION, up to 4"),
    BIAS,
)

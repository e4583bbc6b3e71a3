"""Options and views that several kinds of layers have."""

from __future__ import annotations

from convanim.commands.record import View, but, given, sets
from convanim.look import OPTIONS

# fmt: off
CONVENTIONS = ("torch", "keras", "jax", "onnx")
ARRAY = (
    "A shape (5, 5x5), an array ([[0,1],[2,3]]), a file with a table (.csv, .txt), an array (.npy; m.npz::key[0] or "
    "m.safetensors::key by its name) or a picture (.png, .jpg, .tif), or - for a table from standard input."
)
PER_AXIS = "one number for all axes, or one number per axis (2x1)."

#: The input of a layer whose convention is known.
INPUT_ALONE = (
    given("input", ARRAY, required=True, metavar="ARRAY", files=True),
    given("fill", "Values of an array given as a shape.", choices=("example", "range", "ones", "random"),
          usual="example; the mean for a kernel over colours"),
    given("seed", "Seed for --fill random.", int, 0),
    given("resize", "Resize a picture to this many cells: 4x4.", metavar="SIZES"),
    given("grey", "Convert a picture to grey values.", bool, default=False),
    given("batch", "Item of an input that is a batch, from 0.", int, metavar="N", usual="0, with a note"),
)
INPUT = (
    *INPUT_ALONE,
    sets("convention", "Framework whose defaults and padding rules apply. keras and jax put the channels last.",
        default="torch", choices=CONVENTIONS, noted='Conv(3, convention="keras")'),
)
#: The options of the kernel of a layer without weights: its sizes, not its values.
WINDOW = sets("kernel", f"Kernel size: {PER_AXIS}", fields=("kernel_size",), reads="sizes", metavar="SIZES",
    required=True, sample=2)
STRIDE = sets("stride", f"Stride: {PER_AXIS}", reads="sizes", metavar="N", usual="1", noted="Conv(3, stride=2)")
PADDING = sets("padding",
    "Padding: one number for all axes, one number per axis (1x0), before:after (1:2x0:1), or a word of the convention "
    "(valid, same, ...).", default="0", reads="padding", metavar="N", noted="Conv(3, padding=1)")
DILATION = sets("dilation", f"Dilation: {PER_AXIS}", default="1", reads="sizes", metavar="N",
    noted="Conv(3, dilation=2)")
CHANNELS = given("channels",
    "Input channels to draw, by their numbers from 0: 3, or 0,3, or 4..7. The sums are over all channels.",
    metavar="NUMBERS", usual="as many as can be looked at")
ALONE = but(CHANNELS, about="Channels to show, by their numbers from 0: 3, or 0,3, or 4..7.")
BIAS = given("bias", "Added to every output cell.", metavar="NUMBER")

SYMBOLS, SATURATE = OPTIONS["symbols"], OPTIONS["saturate"]

RECEPTIVE = View("The input cells that one cell depends on after several such layers, and the paths between them.",
    "whole.receptive:ReceptiveScene", flat=True)
OVERLAP = View("The number of products, or of windows, that meet in each cell.",
    "stamp.overlap:OverlapScene", flat=True)

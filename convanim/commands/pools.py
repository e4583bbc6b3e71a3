"""The commands of poolings and of max unpooling."""

from __future__ import annotations

from convanim.commands.record import Command, View, but, given, sets
from convanim.commands.shared import ALONE, DILATION, INPUT, OVERLAP, PADDING, RECEPTIVE, SATURATE, STRIDE, WINDOW

# fmt: off
_STRIDE = but(STRIDE, usual="the kernel size; 1 in jax and onnx")

POOL = Command(
    ("pools:MaxPool", "pools:AvgPool", "pools:LpPool", "adaptive:AdaptiveMaxPool", "adaptive:AdaptiveAvgPool"),
    "a pooling",
    """Animate max, average, Lp or adaptive pooling. Max pooling also shows the position of each maximum.

    Adaptive pooling is given by its output size: --mode adaptive-avg --output-size 3. With output size 1 it is
    global pooling, whose only window is the whole input.
    """,
    (
        *INPUT,
        ALONE,
        but(WINDOW, about=f"{WINDOW.about} Required unless --mode is adaptive.", required=False),
        _STRIDE,
        PADDING,
        given("mode", "Maximum, average, or p-norm; adaptive windows follow from --output-size.", default="max",
            choices=("max", "avg", "lp", "adaptive-max", "adaptive-avg"), selects=True,
            noted="MaxPool(2)', 'AvgPool(2)' or 'Upsample(scale_factor=2, mode=\"bilinear\")"),
        DILATION,
        sets("ceil_mode", "Round the output size up.", bool, default=False, noted="MaxPool(2, ceil_mode=True)"),
        sets("count_include_pad", "Include the padding in the average.", bool,
            usual="the convention's; torch includes it", noted="AvgPool(2, count_include_pad=True)"),
        sets("norm_type", "The exponent p of --mode lp.", float, metavar="P", usual="2",
            noted="LpPool(2, norm_type=3)"),
        sets("output_size",
            "Output size of an adaptive pooling, such as 3 or 3x2; 1 is global pooling, and - keeps an axis (3x-).",
            reads="kept", sample="3, or 1 for one window over the whole input", metavar="SIZES",
            noted="AdaptiveAvgPool(3)"),
    ),
    ("--input 4x4 --kernel 2 -o pool.gif", "--input 5x5 --kernel 3 --mode avg --ceil-mode -o mean.gif"),
    {
        "sliding": View("The window slides over the padded input.",
            "window.pool:PoolScene", coloured="window.colour:ColourScene"),
        "overlap": OVERLAP,
        "receptive": RECEPTIVE,
    },
    (SATURATE,),
)
UNPOOL = Command(
    ("pools:MaxUnpool",),
    "a max unpooling",
    """Animate max unpooling: each value returns to the position of the maximum; all other cells are zero.

    --input gives the input of the pooling. With --indices, it gives the pooled values instead.
    """,
    (
        *INPUT,
        WINDOW,
        _STRIDE,
        PADDING,
        given("indices", "Positions of the maxima. With this option, --input gives the pooled values.",
            metavar="ARRAY"),
        given("output_size", "Sizes of the output, such as 5x5, or 'default' for the framework's default sizes.",
            metavar="SIZES", usual="the sizes of the pooling's input; with --indices, 'default'"),
    ),
    ("--input 4x4 --kernel 2 -o unpool.gif", "--input 4x4 --kernel 2 --output-size 5x5 -o wide.gif"),
    {"placing": View("Each value returns to the position of its maximum.", "window.unpool:UnpoolScene")},
)

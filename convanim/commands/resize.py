"""The commands of fixed upsamplings and of pixel shuffles."""

from __future__ import annotations

from convanim.commands.record import Command, View, given, sets
from convanim.commands.shared import ALONE, INPUT, OVERLAP, SATURATE

# fmt: off
UPSAMPLE = Command(
    ("resize:Upsample",),
    "a fixed upsampling",
    "Animate a fixed upsampling beside the equivalent transposed convolution, if there is one.",
    (
        *INPUT,
        ALONE,
        sets("mode", "Interpolation: nearest neighbour, bilinear, or bed of nails (zeros in between).",
            default="nearest", choices=("nearest", "bilinear", "nails")),
        sets("scale_factor", "Output size divided by input size: 2, 1.5, or one number per axis (2x3).",
            reads="factors", metavar="N", usual="2", noted="Upsample(scale_factor=2)"),
        sets("size", "Output size, instead of a factor.", reads="sizes", metavar="SIZES", noted="Upsample(size=7)"),
        sets("align_corners", "Align the corner cells of input and output (bilinear).", bool, default=False,
            noted='Upsample(scale_factor=2, mode="bilinear", align_corners=True)'),
        sets("coordinates", "Position of an output cell among the input cells.",
            choices=("half_pixel", "asymmetric", "align_corners"), usual="the convention's",
            noted='Upsample(scale_factor=2, coordinates="asymmetric")'),
    ),
    ("--input 2x2 -o up.gif", "--input 2x2 --mode bilinear --scale-factor 3 -o linear.gif"),
    {
        "beside": View("The upsampling beside the equal transposed convolution, if there is one.", "views:beside"),
        "reading": View(
            "Each output cell reads the input cells around its position.", "window.upsample:UpsampleScene",
            coloured="window.colour:ColourScene"),
        "overlap": OVERLAP,
    },
    (SATURATE,),
)
SHUFFLE = Command(
    ("resize:PixelShuffle", "resize:PixelUnshuffle"),
    "a pixel shuffle or its inverse",
    "Animate a pixel shuffle (depth to space), or its inverse with --inverse.",
    (
        *INPUT,
        sets("factor", "Upscale factor.", int, 2, fields=("upscale_factor", "downscale_factor"), metavar="R",
            noted="PixelShuffle(2)"),
        given("inverse", "Apply the inverse, space to depth.", bool, default=False, selects=True,
            noted="PixelUnshuffle(2)"),
        sets("order", "Order of the channels.", choices=("CRD", "DCR"), usual="CRD in torch, otherwise DCR",
            noted='PixelShuffle(2, order="DCR")'),
    ),
    ("--input 4x2x2 -o shuffle.gif", "--input 4x4 --inverse -o unshuffle.gif"),
    {"moving": View("Each value moves to its new position.", "window.shuffle:ShuffleScene")},
)

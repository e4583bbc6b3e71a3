"""The views of each kind of layer: one table for the scenes, the command line and its help, and the lists.

It names the function that makes a scene instead of importing it, so that help needs no scene.
"""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """A view of an operation. A scene is named as MODULE:FUNCTION in `convanim.scene`; "" if there is none.

    Attributes:
        about: what it shows, in one sentence.
        make: the function that makes its scene from a trace, in any order, and `Shown`.
        coloured: the function for pictures in their own colours.
        lettered: the function for letters.
        flat: whether it shows one channel over one or two axes only, except in colours.
        scatters: whether it follows the cells of the input rather than those of the output.
    """

    about: str
    make: str
    coloured: str = ""
    lettered: str = ""
    flat: bool = False
    scatters: bool = False


_MATRIX = View(
    "The layer as a matrix, whose rows are multiplied one by one.", "views:matrix", lettered="views:matrix", flat=True
)
_RECEPTIVE = View(
    "The input cells that one cell depends on after several such layers, and the paths between them.",
    "whole.receptive:ReceptiveScene",
    flat=True,
)
_OVERLAP = View("The number of products, or of windows, that meet in each cell.", "views:counted", flat=True)

#: The views of each kind of layer, by the command of the layer; the first view is the default.
TABLE = {
    "transposed": {
        "zero-insertion": View(
            "Zeros are inserted into the input, and the rotated kernel slides over it.",
            "views:slid",
            lettered="views:slid",
        ),
        "overlap-add": View(
            "Each input value scales the kernel, and the products are added to the output.",
            "views:stamped",
            coloured="views:stamped_in_colours",
            lettered="views:stamped",
            flat=True,
            scatters=True,
        ),
        "both": View("Zero insertion and overlap-add side by side.", "views:both", flat=True),
        "matrix": _MATRIX,
        "overlap": _OVERLAP,
    },
    "conv": {
        "sliding": View(
            "The kernel slides over the padded input.", "views:slid", coloured="views:coloured", lettered="views:slid"
        ),
        "matrix": _MATRIX,
        "overlap": _OVERLAP,
        "receptive": _RECEPTIVE,
        "backward": View(
            "The gradient with respect to the input, beside the forward pass.", "views:backward", flat=True
        ),
    },
    "pool": {
        "sliding": View("The window slides over the padded input.", "views:pooled", coloured="views:coloured"),
        "overlap": _OVERLAP,
        "receptive": _RECEPTIVE,
    },
    "unpool": {"placing": View("Each value returns to the position of its maximum.", "views:unpooled")},
    "upsample": {
        "beside": View("The upsampling beside the equal transposed convolution, if there is one.", "views:beside"),
        "reading": View(
            "Each output cell reads the input cells around its position.", "views:read", coloured="views:coloured"
        ),
        "overlap": _OVERLAP,
    },
    "unfold": {
        "columns": View("Each window of the picture becomes a column of the matrix.", "window.columns:columns"),
    },
    "fold": {
        "columns": View(
            "Each column is added to its window; where windows overlap, values add up.", "window.columns:columns"
        ),
    },
    "shuffle": {"moving": View("Each value moves to its new position.", "views:shuffled")},
}

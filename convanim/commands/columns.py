"""The commands of unfold and fold."""

from __future__ import annotations

from convanim.commands.record import Command, View, but, sets
from convanim.commands.shared import DILATION, INPUT_ALONE, PADDING, PER_AXIS, STRIDE, WINDOW

# fmt: off
_COLUMNS = (*INPUT_ALONE, WINDOW, STRIDE, but(PADDING, about=f"Padding: {PER_AXIS}"), DILATION)

UNFOLD = Command(
    ("columns:Unfold",),
    "an unfold (im2col)",
    """Animate an unfold, im2col: each window of the input becomes a column of a matrix.

    A convolution is the product of its kernels, as rows, and these columns.
    """,
    _COLUMNS,
    ("--input 3x3 --kernel 2 -o unfold.gif", "--input 2x4x4 --kernel 2 --stride 2 -o channels.gif"),
    {"columns": View("Each window of the picture becomes a column of the matrix.", "window.columns:ColumnsScene")},
)
FOLD = Command(
    ("columns:Fold",),
    "a fold (col2im)",
    """Animate a fold, col2im: each column of the input is added to its window in a picture.

    The input is a matrix with a row for each cell of the window (for each channel), and a column for each position.
    """,
    (
        *_COLUMNS,
        sets("output_size", "Size of the picture: 3x3, or 3 for a square.", reads="kept", metavar="SIZES",
            required=True),
    ),
    (
        "--input 4x4 --output-size 3 --kernel 2 -o fold.gif",
        "--input 4x4 --output-size 4 --kernel 2 --stride 2 -o tiles.gif",
    ),
    {
        "columns": View(
            "Each column is added to its window; where windows overlap, values add up.", "window.columns:ColumnsScene"),
    },
    page="unfold",
)

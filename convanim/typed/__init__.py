"""Reads arrays, pictures, sizes and paddings from typed text."""

from convanim.typed.cells import MAX_CELLS, MAX_DIMENSIONS
from convanim.typed.files import MAX_BYTES
from convanim.typed.pictures import read_picture
from convanim.typed.typed import MAX_LITERAL, Fill, Padding, read_array, read_number, read_padding, read_sizes

__all__ = [
    "MAX_BYTES",
    "MAX_CELLS",
    "MAX_DIMENSIONS",
    "MAX_LITERAL",
    "Fill",
    "Padding",
    "read_array",
    "read_number",
    "read_padding",
    "read_picture",
    "read_sizes",
]

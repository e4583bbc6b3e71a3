"""Files as arrays: .npy and tables.

Knows formats, and that a file is data: never unpickled, looked at before it is loaded. Must not know options.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import warnings
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.source.cells import HIGHEST, MAX_CELLS, NOT_FINITE, check_shape, number, short

MAX_BYTES = 2 * MAX_CELLS  # 32 MB of CSV: a cell and its comma take two bytes, so these bytes never hold more cells
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")


def from_file(text: str, stdin: BinaryIO | None) -> NDArray[Any]:
    """The array in a .npy, .csv or .tsv file, or in the CSV on standard input that `-` stands for."""
    try:
        # A program without a console has no sys.stdin, which is as good as an empty one.
        piped = nullcontext(stdin or getattr(sys.stdin, "buffer", None) or io.BytesIO())
        with piped if text == "-" else Path(text).open("rb") as file:
            return _npy(file) if text.lower().endswith(".npy") else _table(file, tabs=text.lower().endswith(".tsv"))
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it, or a closed stdin
        why = f"cannot be read ({getattr(error, 'strerror', None) or 'it cannot be opened'})"
        raise ConvanimError(why, "give a file that exists and can be read, or pipe CSV into -") from None


def _npy(file: BinaryIO) -> NDArray[Any]:
    # Version 3 of the format is for structured arrays, which are refused anyway.
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file from Python 2 is a good file
            shape, _, dtype = headers[np.lib.format.read_magic(file)](file)
            if dtype.kind not in "biuf" or dtype.itemsize > 8:
                raise ConvanimError(f"has the dtype {short(str(dtype))}", "save it as int64 or float64")
            check_shape(shape)
            file.seek(0)
            loaded: NDArray[Any] = np.load(file, allow_pickle=False)
    except ConvanimError:
        raise
    except Exception:  # numpy reads the header as Python text and lets out whatever that parser raises
        raise ConvanimError("is cut short or is not a .npy file", "save it again with numpy.save") from None
    if dtype.kind == "f":
        if not np.isfinite(loaded).all():
            place = np.argwhere(~np.isfinite(loaded))[0].tolist()
            raise ConvanimError(f"has {loaded[tuple(place)]} at {place}, which {NOT_FINITE}", "save finite numbers")
        return loaded.astype(np.float64, order="C")
    if int(loaded.max()) > HIGHEST:
        raise ConvanimError(f"has {loaded.max()}, which does not fit in int64", "save it as int64 or float64")
    return loaded.astype(np.int64, order="C")


def _table(file: BinaryIO, *, tabs: bool) -> NDArray[Any]:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ConvanimError(f"has more than {MAX_BYTES} bytes", "use a .npy file or a smaller table")
    # The semicolon before the comma: beside a semicolon a comma is a decimal comma, and refused as such.
    first = re.search(rb"[^\s\xef\xbb\xbf][^\r\n]*", data)
    delimiter = "\t" if tabs else next((mark for mark in ";\t" if first and mark.encode() in first[0]), ",")
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig"), delimiter=delimiter, strict=True)
    cells: array[Any] = array("q")  # not a list: 8 bytes a cell where int objects take 40
    width = 0
    try:
        for row in lines:
            if len(row) <= 1 and not "".join(row).strip():
                continue
            width = width or len(row)
            if len(row) != width:
                why = f"is ragged: line {lines.line_num} has {len(row)} cells where the first has {width}"
                raise ConvanimError(why, "give rows of equal length")
            for column, cell in enumerate(row, 1):
                value = number(cell.strip(), lines.line_num, column)
                if isinstance(value, float) and cells.typecode == "q":
                    cells = array("d", cells)
                cells.append(value)
    except UnicodeDecodeError:
        raise ConvanimError("is not UTF-8 text", "save it as UTF-8") from None
    except csv.Error as error:
        raise ConvanimError(f"has a broken cell in line {lines.line_num} ({error})", "write plain numbers") from None
    if not cells:
        raise ConvanimError("has no numbers in it", "write one row of numbers a line")
    return np.array(cells).reshape((-1, width) if len(cells) > width else width)

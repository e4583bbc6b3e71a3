"""Reads tables of numbers from text of people, spreadsheets and programs, and refuses ambiguous ones."""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.typed.cells import MINUSES, beside_floats, grouped, number, short

_MARKED = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
}  # UTF-32 precedes UTF-16, as its first mark begins like UTF-16's
_MARKED |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_TRUTH = {"true": "1", "false": "0"}
#: Names of a column of row numbers: pandas leaves its own empty, and reads it back as Unnamed.
_INDEX = {"", "#", "index", "id", "unnamed: 0"}
# 2020-01-01, 1_000 and (1+2j) are refused as cells, and not skipped as names.
_LIKE_A_NUMBER = re.compile(r"[-+(.,]*[0-9]|[-+]?(nan|inf|infinity|true|false)\Z", re.IGNORECASE)
_OF_NUMBERS = re.compile(r"^(?=[^0-9\n]*[0-9])[-+0-9.eE,;\t\" ]++$", re.MULTILINE)
_NO_COMMENT = re.compile(r"^[ \t]*[^#\s].*$", re.MULTILINE)


def table(data: bytes, *, tabs: bool, tell: Callable[[str], None]) -> NDArray[Any]:
    r"""The numbers of a table: int64, or float64 if one of them has a decimal point or an exponent.

    Args:
        data: text with one row of numbers in each line, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.
            Commas, semicolons, tabs or spaces separate the numbers. A # starts a comment. A comma is a decimal
            comma if semicolons or tabs separate the numbers and no number has a decimal point.
        tabs: whether only tabs can separate the numbers.
        tell: called with a note about a skipped header row or index column, to follow the name of the file.

    Returns:
        (rows, columns), or (columns,) for a single row.

    Raises:
        ConvanimError: there are no numbers, a cell is not a number or is ambiguous, rows differ in length, or the
            encoding is unknown.

    Example:
        >>> table(b"x;y\n1,5;2\n", tabs=False, tell=print).tolist()
        has a header row ('x, y'), which is skipped
        [1.5, 2.0]
    """
    text = _text(data)
    mark = "\t" if tabs else _separator(text)
    cell_of = _Cells(mark, decimals=mark in ";\t" and mark in text)
    rows = _rows(text, mark)
    first = next(rows, None)
    head, first = (first, next(rows, None)) if first and _is_head(first[1]) else (None, first)
    if not first:
        if head:
            number(next(filter(None, head[1])), head[0], 1)
        raise ConvanimError("contains no numbers", "write one row of numbers per line")
    width = len(first[1])
    if head:
        _check_head(head[1], *first, mark)
    label = first[1][0] if _has_index((head or first)[1], first[1]) else None
    cells: array[Any] = array("q")  # 8 bytes per cell, while int objects in a list take 40
    for line, row in chain([first], rows):
        if len(row) != width:
            raise ConvanimError(
                f"is ragged: line {line} has {_cells(len(row))}, but the first row has {width}",
                "give rows of equal length" + (", and separate decimal commas by semicolons" if mark == "," else ""),
            )
        if label and _LIKE_A_NUMBER.match(row[0]) and not _LIKE_A_NUMBER.match(label):
            number(label, first[0], 1)  # the column also contains numbers
        for column, cell in enumerate(row):
            if column or label is None:
                value = cell_of(cell, line, column + 1)
                if isinstance(value, float) and cells.typecode == "q":
                    cells = array("d", map(beside_floats, cells))
                cells.append(value if cells.typecode == "q" else beside_floats(value))
    if mark == "," and (told := grouped(text)):
        tell(told)
    if head:
        tell(f"has a header row ({short(', '.join(head[1]))}), which is skipped")
    if label is not None:
        tell(f"has an index column (from {short(label)} on), which is skipped")
        width -= 1
    return np.array(cells).reshape((-1, width) if len(cells) > width else width)


class _Cells:
    """Reads cells, and remembers how their decimals are written."""

    def __init__(self, mark: str, *, decimals: bool) -> None:
        self.mark, self.decimals = mark, decimals
        self.seen: dict[str, str] = {}

    def __call__(self, cell: str, line: int, column: int) -> int | float:
        if len(cell) < 19 and cell.isdecimal() and cell.isascii():  # most cells; these always fit into int64
            return int(cell)
        for sign in ",.":
            if sign in cell:
                self.seen.setdefault(sign, f"{short(cell)} in line {line}, column {column}")
        if "," in cell and not self.decimals and _LIKE_A_NUMBER.match(cell):
            why = f"has {self.seen[',']}, whose comma may be a decimal comma or a thousands separator"
            raise ConvanimError(why, "write decimal points, or separate the numbers by semicolons")
        if len(self.seen) > 1:
            why = f"has both {self.seen[',']} and {self.seen['.']}, and either may be the decimal separator"
            raise ConvanimError(why, "write all numbers with decimal points and without thousands separators")
        if " " in cell and _LIKE_A_NUMBER.match(cell):
            why = f"has {short(cell)} in line {line}, column {column}, which is not a single number"
            raise ConvanimError(why, "separate all numbers in the same way, and write them without spaces")
        return number(_TRUTH.get(cell.lower(), cell.replace(",", ".")), line, column)


def _cells(count: int) -> str:
    return f"{count} cell{'s' * (count != 1)}"


def _text(data: bytes) -> str:
    encoding = next((name for start, name in _MARKED.items() if data.startswith(start)), "utf-8-sig")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        why = "is not UTF-8 text, nor UTF-16 with a byte order mark"
        raise ConvanimError(why, "save it as CSV in UTF-8, or give a file of another format the right suffix")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"\Asep=.\n", "\n", text)  # Excel's separator line is redundant
    return text if text.isascii() else text.translate(MINUSES)


def _separator(text: str) -> str:
    """The separator, found in the first line of only numbers: between words it may be punctuation."""
    line = _OF_NUMBERS.search(text) or _NO_COMMENT.search(text)
    bare = re.sub('"[^"]*"?', "", line[0]) if line else ""
    return next((mark for mark in ";\t," if mark in bare.strip()), " ")


def _rows(text: str, mark: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are neither empty nor comments, with their numbers."""
    lines = (_without_comment(line, mark) for line in io.StringIO(text))
    rows = csv.reader(lines, delimiter=mark, strict=True, skipinitialspace=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()  # separators at the end of a line
            if cells:
                yield rows.line_num, cells
    except csv.Error as error:
        raise ConvanimError(f"has a broken cell in line {rows.line_num} ({error})", "write plain numbers") from None


def _without_comment(line: str, mark: str) -> str:
    start = line.lstrip(" ")
    if start.startswith("#") and not (mark != " " and start.startswith(f"#{mark}")):  # a column of row numbers
        return ""
    if "#" in line and _LIKE_A_NUMBER.match(start):
        line = line.partition("#")[0]
    return " ".join(line.split()) if mark == " " else line


def _is_head(row: list[str]) -> bool:
    """Whether a first row is a header: with names or, as pandas writes without names, 0, 1, 2."""
    counted = [str(place) for place in range(len(row) - 1)]
    return not any(map(_LIKE_A_NUMBER.match, row)) or (len(row) > 1 and row == ["", *counted])


def _check_head(head: list[str], line: int, row: list[str], mark: str) -> None:
    names, width = len(head), len(row)
    # A title has one cell; but before two columns of a table from R it may be the name of the second one.
    title = names == 1 and (width != 2 or mark in ";,")
    if not (names == width or title or (mark == " " and names > width)):
        raise ConvanimError(
            f"is ragged: line {line} has {_cells(width)}, but the header row has {names}",
            "name every column (a column of row numbers: index), or delete the header row",
        )


def _has_index(head: list[str], row: list[str]) -> bool:
    """Whether the first column contains names or numbers of rows, judged by the header or the first row."""
    if len(row) < 2 or not row[0]:
        return False
    named = not _LIKE_A_NUMBER.match(row[0]) and all(map(_LIKE_A_NUMBER.match, row[1:]))
    return named or (len(head) == len(row) and head[0].lower() in _INDEX)

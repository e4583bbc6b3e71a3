"""What a user typed for an array, a size or a padding, as numbers.

Knows the four ways to write an array (a shape, a literal, a file, standard input), how sizes and paddings are spelled,
and what is too large or not finite. Must not know any operation, option parser or picture: whether a stride of 0 makes
sense is for the operation to say.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import re
import sys
import warnings
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError

Fill = Literal["range", "ones", "random"]
_Stdin = BinaryIO | None
Padding = int | tuple[int, ...] | tuple[tuple[int, int], ...] | str

MAX_DIMENSIONS = 4  # channels, depth, height, width
MAX_CELLS = 2**24
MAX_BYTES = 2 * MAX_CELLS  # 32 MB of CSV: a cell and its comma take two bytes, so these bytes never hold more cells
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
MAX_LITERAL = 1_000_000  # characters
WORDS = ("valid", "same", "same_lower", "full")

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # int64
_SUFFIXES = ".npy, .csv, .tsv, .png or .jpg"
_SHAPE_LIKE = re.compile(r"[-+.,:*()\seExX×]*[0-9][-+.,:*()\seExX×0-9]*")  # also the misspelt shapes: 5,5 (5x5) 5*5
_JOIN = re.compile("[xX×]")
_WHOLE = re.compile(r"[-+]?[0-9]+")
# float() alone would also take 1_000 and the digits of other scripts.
_DECIMAL = re.compile(r"(?ai)[-+]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?|nan|inf|infinity)")
_NOT_IN_LITERAL = re.compile(r'"[^"]*"?|\b[^\W0-9]\w*|[^\[\]\s,.eE0-9+-]')
_NOT_FINITE = "is not finite, and a trace proves itself by equality, which NaN (or infinity minus infinity) never has"


def read_array(
    text: str, *, what: str, fill: Fill = "range", seed: int = 0, low: int = 0, high: int = 9, stdin: _Stdin = None
) -> NDArray[Any]:
    """Read an array from a shape, a literal, a file or standard input.

    Args:
        text: a shape (`4x6`), JSON (`[[0,1],[2,3]]`), a path ending in .npy, .csv or .tsv, or `-` for CSV on `stdin`.
        what: the place that errors name, such as `--input`.
        fill: the values for a shape: 1 to n in row-major order, ones, or integers in [low, high] drawn with `seed`.
        seed, low, high: of the random fill; seed is 0 or more, low and high are included.
        stdin: bytes to read for `-`; `sys.stdin.buffer` if None.

    Returns:
        int64 or float64, C order, finite, 1 to 4 axes as written ((H, W) in 2-D; a lone CSV line is 1-D).

    Raises:
        ConvanimError: the text is none of these, or what it names is unreadable, too large, ragged, empty, not finite.

    Example:
        >>> read_array("2x3", what="--input").tolist()
        [[1, 2, 3], [4, 5, 6]]
        >>> read_array("[0, 0.5]", what="--kernel").dtype
        dtype('float64')
    """
    with _place(what, text):
        if len(text) > MAX_LITERAL:
            raise ConvanimError(f"has {len(text)} characters", f"put more than {MAX_LITERAL} in a .npy or .csv file")
        text = text.strip()
        if text.lower().endswith(PICTURES):
            return _picture(text)
        if text == "-" or text.lower().endswith((".npy", ".csv", ".tsv")):
            return _file(text, stdin)
        if text.startswith("["):
            return _literal(text)
        if _SHAPE_LIKE.fullmatch(text):
            return _filled(_sizes(text), fill, seed, low, high)
        with suppress(OSError, ValueError):  # text that no file can be named by
            if text and (path := Path(text)).exists():
                why = "is a directory" if path.is_dir() else "is a file with an unknown suffix"
                raise ConvanimError(why, f"give a file that ends in {_SUFFIXES}")
        forms = f"a shape (5x5), a literal ([[0,1],[2,3]]), a {_SUFFIXES} file, or - for CSV on standard input"
        raise ConvanimError("is not an array", f"type {forms}")


def read_sizes(text: str, *, what: str) -> tuple[int, ...]:
    """Read sizes joined by x (or X, or ×), one for each axis: `5`, `4x6`, `2x3x4`.

    Zero and negative sizes are let through: an operation refuses them in its own words.

    Raises:
        ConvanimError: a size is absent, not a whole number, or larger than any array may be (2**24).

    Example:
        >>> read_sizes("4x6", what="--stride")
        (4, 6)
    """
    with _place(what, text):
        return _sizes(text)


def read_padding(text: str, *, what: str) -> Padding:
    """Read a padding: `1`, one number for each axis, `before:after` for each axis, or a word.

    Returns:
        an int for one number; else one number for each axis; else one (before, after) for each axis as soon as one axis
        has a colon; else the word itself: valid, same, same_lower or full.

    Raises:
        ConvanimError: a number is absent, not whole or too large, or the word is unknown (the near one is suggested).

    Example:
        >>> [read_padding(text, what="--padding") for text in ("1", "2x1", "1:2x0:1", "1x0:1", "same")]
        [1, (2, 1), ((1, 2), (0, 1)), ((1, 1), (0, 1)), 'same']
    """
    with _place(what, text):
        text = text.strip()
        if text in WORDS:
            return text
        if text and not re.search(r"[0-9]", text):
            # same_upper is what ONNX calls same; by its letters it is nearest to same_lower, the opposite.
            near = ["same"] if text.lower() == "same_upper" else difflib.get_close_matches(text.lower(), WORDS, n=1)
            hint = f"did you mean {near[0]}" if near else "type 1, 2x1, 1:2x0:1, or " + ", ".join(WORDS)
            raise ConvanimError("is neither numbers nor a known word", hint)
        axes = [[_size(side) for side in part.split(":")] for part in _JOIN.split(text)]
        if max(map(len, axes)) > 2:
            raise ConvanimError("has an axis with more than two sides", "write before:after, as in 1:2x0:1")
        if ":" in text:
            return tuple((axis[0], axis[-1]) for axis in axes)
        return tuple(axis[0] for axis in axes) if len(axes) > 1 else axes[0][0]


def read_number(text: str, *, what: str) -> int | float:
    """Read one number, such as a bias.

    Args:
        text: digits for an int, or a float.
        what: the option, which begins the error's sentence.

    Raises:
        ConvanimError: not a number, not finite, or beyond int64.

    Example:
        >>> read_number("-0.5", what="--bias")
        -0.5
    """
    try:
        return _number(text.strip())
    except ConvanimError as error:
        # _number speaks of a cell that "has ..."; here it is all there is.
        told = error.message.removeprefix("has ").replace(", which", "", 1)
        raise ConvanimError(f"{what} {told}", error.hint) from None


@contextmanager
def _place(what: str, text: str) -> Iterator[None]:
    """Put the option and the value before the reason: the readers below raise a reason only ("has the size 0, ...")."""
    try:
        yield
    except ConvanimError as error:
        raise ConvanimError(f"{what} {_short(text)} {error.message}", error.hint) from None


def _short(text: str) -> str:
    # The end is kept because a path says most there; repr keeps control characters from the terminal.
    return repr(text if len(text) <= 60 else f"{text[:36]}...{text[-20:]}")


def _size(part: str) -> int:
    part = part.strip()
    if not part:
        raise ConvanimError("has an absent size", "write whole numbers joined by x, as in 4x6")
    value = float(part) if _DECIMAL.fullmatch(part) else 0.0
    if abs(value) > MAX_CELLS:
        raise ConvanimError(f"has the size {_short(part)}, which is too large", f"use at most {MAX_CELLS}")
    if not _WHOLE.fullmatch(part):
        numbers = re.findall(r"-?[0-9.]+", part)
        hint = f"write {'x'.join(numbers)} for sizes" if "," in part else "write whole numbers, as in 5 or 4x6"
        if "," in part:
            hint += f", or [{','.join(numbers)}] for values"
        raise ConvanimError(f"has {_short(part)}, which is not a whole number", hint)
    return int(value)  # exact, since it is at most 2**24; int(part) would refuse thousands of leading zeros


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_size(part) for part in _JOIN.split(text))


def _check_shape(shape: Sequence[int]) -> None:
    """Refuse a shape before anything is allocated for it."""
    if not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise ConvanimError(f"has {len(shape)} dimensions", f"use 1 to {MAX_DIMENSIONS}")
    if min(shape) < 1:
        raise ConvanimError(f"has the size {_short(str(min(shape)))}, which is not positive", "use sizes of 1 or more")
    if math.prod(shape) > MAX_CELLS:
        raise ConvanimError("is too large", f"use at most {MAX_CELLS} cells")


def _filled(shape: tuple[int, ...], fill: Fill, seed: int, low: int, high: int) -> NDArray[Any]:
    _check_shape(shape)
    if fill == "range":
        return np.arange(1, math.prod(shape) + 1, dtype=np.int64).reshape(shape)
    if fill == "ones":
        return np.ones(shape, dtype=np.int64)
    if seed < 0 or not _LOWEST <= low <= high <= _HIGHEST:
        why = f"cannot be filled with random integers from {low} to {high} with seed {seed}"
        raise ConvanimError(why, "use int64 bounds, the low one not above the high one, and a seed of 0 or more")
    return np.random.default_rng(seed).integers(low, high, size=shape, dtype=np.int64, endpoint=True)


def _number(token: str, line: int = 0, column: int = 0) -> int | float:
    """Read one cell; a line above 0 is the place for the error."""
    why, hint = "is not a number", "put a number there, with a point for decimals"
    with suppress(ValueError):
        if _WHOLE.fullmatch(token):
            why, hint = "does not fit in int64", f"use integers from {_LOWEST} to {_HIGHEST}, or write it as a float"
            if _LOWEST <= (whole := int(token)) <= _HIGHEST:  # int() itself refuses thousands of digits
                return whole
        elif _DECIMAL.fullmatch(token):
            if math.isfinite(value := float(token)):
                return value
            why, hint = _NOT_FINITE, "put a finite number there"
    place = (_short(token) if token else "an empty cell") + (f" in line {line}, column {column}" if line else "")
    raise ConvanimError(f"has {place}, which {why}", hint)


def _picture(name: str) -> NDArray[Any]:
    """The grey values of a picture, 0 (black) to 255 (white)."""
    import imageio.v3 as imageio

    try:
        _check_shape(imageio.improps(name, plugin="pillow").shape[:2])  # from the file's head, before it is decoded
        return np.asarray(imageio.imread(name, plugin="pillow", mode="L"), np.int64)
    except ConvanimError:
        raise
    except Exception as error:  # decoders let many kinds of their own errors out
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read as a picture"
        raise ConvanimError(why, "give a .png or .jpg file that is there") from None


def _literal(text: str) -> NDArray[Any]:
    # With words and strings out and the depth known, the JSON parser meets nothing that it could recurse on.
    if odd := _NOT_IN_LITERAL.search(text):
        _number(odd[0])
    if max(accumulate(1 if bracket == "[" else -1 for bracket in re.findall(r"[\[\]]", text))) > MAX_DIMENSIONS:
        raise ConvanimError("has too many dimensions", f"nest at most {MAX_DIMENSIONS} brackets")
    try:
        rows: list[Any] = [json.loads(text, parse_int=_number, parse_float=_number)]
    except json.JSONDecodeError as error:
        why = f"is not a JSON list at character {error.pos + 1} ({error.msg})"
        raise ConvanimError(why, "write it as in [[0,1],[2,3]]") from None
    shape: list[int] = []
    while any(isinstance(row, list) for row in rows):  # one axis a turn
        lengths = [len(row) if isinstance(row, list) else None for row in rows]
        if len(set(lengths)) > 1:
            place = next(place for place, length in enumerate(lengths) if length != lengths[0])
            kind, first = ("a number" if n is None else f"a list of {n}" for n in (lengths[place], lengths[0]))
            where = [int(i) for i in np.unravel_index(place, shape)]
            raise ConvanimError(f"is ragged: {where} is {kind} where the first is {first}", "give equal lengths")
        shape.append(len(rows[0]))
        rows = list(chain.from_iterable(rows))
    if not rows:
        raise ConvanimError("is empty", "put at least one number in every list")
    return np.array(rows, dtype=np.float64 if any(isinstance(x, float) for x in rows) else np.int64).reshape(shape)


def _file(text: str, stdin: _Stdin) -> NDArray[Any]:
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
                raise ConvanimError(f"has the dtype {_short(str(dtype))}", "save it as int64 or float64")
            _check_shape(shape)
            file.seek(0)
            loaded: NDArray[Any] = np.load(file, allow_pickle=False)
    except ConvanimError:
        raise
    except Exception:  # numpy reads the header as Python text and lets out whatever that parser raises
        raise ConvanimError("is cut short or is not a .npy file", "save it again with numpy.save") from None
    if dtype.kind == "f":
        if not np.isfinite(loaded).all():
            place = np.argwhere(~np.isfinite(loaded))[0].tolist()
            raise ConvanimError(f"has {loaded[tuple(place)]} at {place}, which {_NOT_FINITE}", "save finite numbers")
        return loaded.astype(np.float64, order="C")
    if int(loaded.max()) > _HIGHEST:
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
                number = _number(cell.strip(), lines.line_num, column)
                if isinstance(number, float) and cells.typecode == "q":
                    cells = array("d", cells)
                cells.append(number)
    except UnicodeDecodeError:
        raise ConvanimError("is not UTF-8 text", "save it as UTF-8") from None
    except csv.Error as error:
        raise ConvanimError(f"has a broken cell in line {lines.line_num} ({error})", "write plain numbers") from None
    if not cells:
        raise ConvanimError("has no numbers in it", "write one row of numbers a line")
    return np.array(cells).reshape((-1, width) if len(cells) > width else width)

"""Reads typed arrays (a shape, a literal, a file, standard input), sizes, paddings and numbers."""

from __future__ import annotations

import difflib
import json
import math
import re
from contextlib import suppress
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.typed.cells import (
    DECIMAL,
    GROUPED,
    HIGHEST,
    LOWEST,
    MAX_CELLS,
    MAX_DIMENSIONS,
    MAX_FILLED,
    MINUSES,
    WHOLE,
    beside_floats,
    check_shape,
    grouped,
    number,
    placed,
    short,
)
from convanim.typed.examples import ONE_DIGIT, example
from convanim.typed.files import PICTURES, from_file, is_array_file
from convanim.typed.pictures import read_picture

Fill = Literal["example", "range", "ones", "random", "none"]
Padding = int | tuple[int, ...] | tuple[tuple[int, int], ...] | str
MAX_LITERAL = 1_000_000  # characters
WORDS = ("valid", "same", "same_upper", "same_lower", "full", "causal")
_SUFFIXES = ".npy, .npz, .safetensors, .csv, .tsv, .txt, .png or .jpg"
_SHAPE_LIKE = re.compile(r"[-+.,:*()\seExX×]*[0-9][-+.,:*()\seExX×0-9]*")  # also misspelt shapes: 5,5 (5x5) 5*5
_JOIN = re.compile("[xX×]")
_ROWS = re.compile(r"\[?[-+.,;\seE0-9]+\]?")  # 0,1;2,3 as in MATLAB
_QUOTED = re.compile(r"""(['"])([^'"]*)\1""")
_NOT_IN_LITERAL = re.compile(r'"[^"]*"?|\b[^\W0-9]\w*|[^\[\]\s,.eE0-9+-]')


def read_array(
    text: str | int | tuple[int, ...] | list[Any],
    *,
    what: str,
    fill: Fill = "range",
    seed: int = 0,
    low: int = 0,
    high: int = 9,
    values: NDArray[Any] = ONE_DIGIT,
    stdin: BinaryIO | None = None,
) -> NDArray[Any]:
    """Read an array from a shape, a literal, a file or standard input, or convert a value.

    Args:
        text: a shape (`4x6`), JSON (`[[0,1],[2,3]]`), rows (`0,1;2,3`), a path with a suffix of ARRAYS or PICTURES,
            `file::key[0,0]` for a part of an array in a .npz or .safetensors file, or `-` for a table on `stdin`.
            Quotes around it are removed, since some shells pass them on. Or a value: a list of numbers or of lists, or
            a shape as a whole number or a tuple of them.
        what: the name of the value in error messages, such as `--input`.
        fill: the values for a shape: 1 to n in row-major order, ones, integers in [low, high] drawn with `seed`, the
            values of an example input, or none: zeros that take no memory, for results that depend on sizes only.
        seed, low, high: the parameters of the random fill; seed is 0 or more, low and high are included.
        values: those of the example fill.
        stdin: bytes to read for `-`; `sys.stdin.buffer` if None.

    Returns:
        int64 or float64, C order, finite, 1 to 4 axes as written ((H, W) in 2-D; a lone CSV line is 1-D).

    Raises:
        ConvanimError: the text is none of these, or the array is unreadable, too large, ragged, empty or not finite.

    Example:
        >>> read_array("2x3", what="--input").tolist()
        [[1, 2, 3], [4, 5, 6]]
        >>> read_array("[0, 0.5]", what="--kernel").dtype
        dtype('float64')
    """
    if not isinstance(text, str):
        with placed(what, "x".join(map(str, text)) if isinstance(text, tuple) else str(text)):
            if isinstance(text, list):
                return _array(_cells(text))
            return _filled((text,) if isinstance(text, int) else text, fill, seed, low, high, values)
    text = unquoted(text)
    if text.lower().endswith(PICTURES) and len(text) <= MAX_LITERAL:
        return read_picture(text, what=what, colour=False)
    with placed(what, text) as tell:
        if len(text) > MAX_LITERAL:
            raise ConvanimError(f"has {len(text)} characters", f"put more than {MAX_LITERAL} in a .npy or .csv file")
        if text == "-" or is_array_file(text):
            return from_file(text, stdin, tell)
        text = text.translate(MINUSES)
        if ";" in text and _ROWS.fullmatch(text):
            if told := grouped(text.strip("[]").replace(";", "\n")):
                tell(told)
            return _rows(text)
        if text.startswith("["):
            return _literal(text)
        if _SHAPE_LIKE.fullmatch(text):
            return _filled(_sizes(text), fill, seed, low, high, values)
        there = False
        with suppress(OSError, ValueError):  # text that cannot be a file name
            there = bool(text) and Path(text).exists()
        if there:
            why = "is a directory" if Path(text).is_dir() else "is a file with an unknown suffix"
            raise ConvanimError(why, f"give a file that ends in {_SUFFIXES}")
        forms = f"a shape (5x5), a literal ([[0,1],[2,3]]), a {_SUFFIXES} file, or - for CSV on standard input"
        raise ConvanimError("is not an array", f"type {forms}")


def read_sizes(text: str, *, what: str) -> tuple[int, ...]:
    """Read sizes joined by x (or X, or ×), one per axis: `5`, `4x6`, `2x3x4`.

    Zero and negative sizes are accepted here, and refused by the operation.

    Raises:
        ConvanimError: a size is missing, not an integer, or larger than the limit of arrays (2**24).

    Example:
        >>> read_sizes("4x6", what="--stride")
        (4, 6)
    """
    with placed(what, text):
        return _sizes(unquoted(text))


def read_padding(text: str, *, what: str) -> Padding:
    """Read a padding: `1`, one number per axis, `before:after` per axis, or a word.

    Returns:
        an int for a single number; a tuple of one number per axis; a tuple of one (before, after) pair per axis if any
        axis has a colon; or the word itself.

    Raises:
        ConvanimError: a number is missing, not an integer or too large, or the word is unknown.

    Example:
        >>> [read_padding(text, what="--padding") for text in ("1", "2x1", "1:2x0:1", "1x0:1", "same")]
        [1, (2, 1), ((1, 2), (0, 1)), ((1, 1), (0, 1)), 'same']
    """
    with placed(what, text):
        text = unquoted(text)
        if text in WORDS:
            return text
        if text and not re.search(r"[0-9]", text):
            near = difflib.get_close_matches(text.lower(), WORDS, n=1)
            hint = f"did you mean {near[0]}" if near else "type 1, 2x1, 1:2x0:1, or " + ", ".join(WORDS)
            raise ConvanimError("is neither numbers nor a known word", hint)
        axes = [[_size(side) for side in part.split(":")] for part in _JOIN.split(text)]
        if max(map(len, axes)) > 2:
            raise ConvanimError("has more than two numbers for one axis", "write before:after, as in 1:2x0:1")
        if ":" in text:
            return tuple((axis[0], axis[-1]) for axis in axes)
        return tuple(axis[0] for axis in axes) if len(axes) > 1 else axes[0][0]


def read_number(text: str, *, what: str) -> int | float:
    """Read one number, such as a bias.

    Args:
        text: digits for an int, or a float.
        what: the name of the option, with which the error message begins.

    Raises:
        ConvanimError: not a number, not finite, or beyond int64.

    Example:
        >>> read_number("-0.5", what="--bias")
        -0.5
    """
    try:
        return number(unquoted(text))
    except ConvanimError as error:
        # _number's message is about a cell that "has ..."; here the cell is the whole value.
        message, hint = error.args
        told = message.removeprefix("has ").replace(", which", "", 1)
        raise ConvanimError(f"{what} {told}", hint) from None


def unquoted(text: str) -> str:
    """A text without surrounding blanks and one pair of quotes: cmd.exe passes single quotes on.

    Example:
        >>> unquoted("'[[0,1],[2,3]]'"), unquoted(' "3x3" '), unquoted("it's")
        ('[[0,1],[2,3]]', '3x3', "it's")
    """
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    return quoted[2].strip() if quoted else text


def _size(part: str) -> int:
    part = part.strip()
    if not part:
        raise ConvanimError("lacks a size", "write whole numbers joined by x, as in 4x6")
    value = float(part) if DECIMAL.fullmatch(part) else 0.0
    if abs(value) > MAX_CELLS:
        raise ConvanimError(f"has the size {short(part)}, which is too large", f"use at most {MAX_CELLS}")
    if not WHOLE.fullmatch(part):
        numbers = [re.sub(r"\b0+(?=[0-9])", "", number) for number in re.findall(r"-?[0-9.]+", part)]
        hint = "write whole numbers, as in 5 or 4x6"
        if "," in part:
            many = f"write {'x'.join(numbers)} for sizes, or [{','.join(numbers)}] for values"
            hint = f"write {part.replace(',', '')} for one number" if GROUPED.fullmatch(part) else many
        raise ConvanimError(f"has {short(part)}, which is not a whole number", hint)
    return int(value)  # exact up to 2**24; int(part) would refuse thousands of leading zeros


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_size(part) for part in _JOIN.split(text))


def _filled(shape: tuple[int, ...], fill: Fill, seed: int, low: int, high: int, values: NDArray[Any]) -> NDArray[Any]:
    check_shape(shape)
    if fill == "none":
        return np.broadcast_to(np.int64(0), shape)
    if (cells := math.prod(shape)) > MAX_FILLED:
        raise ConvanimError(
            f"has {cells:,} cells, and at most {MAX_FILLED:,} are computed step by step",
            "use a smaller shape, or only its sizes with convanim explain",
        )
    if fill == "range":
        return np.arange(1, math.prod(shape) + 1, dtype=np.int64).reshape(shape)
    if fill == "example":
        return example(shape, values)
    if fill == "ones":
        return np.ones(shape, dtype=np.int64)
    if seed < 0 or not LOWEST <= low <= high <= HIGHEST:
        why = f"cannot be filled with random integers from {low} to {high} with seed {seed}"
        raise ConvanimError(why, "use int64 bounds, the low one not above the high one, and a seed of 0 or more")
    return np.random.default_rng(seed).integers(low, high, size=shape, dtype=np.int64, endpoint=True)


def _rows(text: str) -> NDArray[Any]:
    # One pair of brackets and a final semicolon are usual in MATLAB and NumPy; cells are separated by commas or blanks.
    rows = [re.split(r"\s*,\s*|\s+", row.strip()) for row in text.strip("[]").strip().removesuffix(";").split(";")]
    return _array([[number(cell) for cell in row] for row in rows])


def _literal(text: str) -> NDArray[Any]:
    # Without words and strings, and with a known depth, the JSON parser cannot recurse too deeply.
    if odd := _NOT_IN_LITERAL.search(text):
        number(odd[0])
    if max(accumulate(1 if bracket == "[" else -1 for bracket in re.findall(r"[\[\]]", text))) > MAX_DIMENSIONS:
        raise ConvanimError("has too many dimensions", f"nest at most {MAX_DIMENSIONS} brackets")
    try:
        rows: list[Any] = [json.loads(text, parse_int=number, parse_float=number)]
    except json.JSONDecodeError as error:
        why = f"is not a JSON list at character {error.pos + 1} ({error.msg})"
        raise ConvanimError(why, "write it as in [[0,1],[2,3]]") from None
    return _array(rows[0])


def _cells(listed: list[Any], depth: int = 1) -> list[Any]:
    """A list of numbers unchanged; anything else in it is refused with the messages for text."""
    if depth > MAX_DIMENSIONS:
        raise ConvanimError("has too many dimensions", f"nest at most {MAX_DIMENSIONS} brackets")
    return [_cells(cell, depth + 1) if isinstance(cell, list) else number(str(cell)) for cell in listed]


def _array(listed: list[Any]) -> NDArray[Any]:
    rows: list[Any] = [listed]
    shape: list[int] = []
    while any(isinstance(row, list) for row in rows):  # one axis per pass
        lengths = [len(row) if isinstance(row, list) else None for row in rows]
        if len(set(lengths)) > 1:
            place = next(place for place, length in enumerate(lengths) if length != lengths[0])
            kind, first = ("a number" if n is None else f"a list of {n}" for n in (lengths[place], lengths[0]))
            where = [int(i) for i in np.unravel_index(place, shape)]
            raise ConvanimError(
                f"is ragged: {where} is {kind}, but the first is {first}", "write lists of equal lengths"
            )
        shape.append(len(rows[0]))
        rows = list(chain.from_iterable(rows))
    if not rows:
        raise ConvanimError("is empty", "write at least one number in every list")
    if any(isinstance(x, float) for x in rows):
        return np.array([beside_floats(x) for x in rows], np.float64).reshape(shape)
    return np.array(rows, np.int64).reshape(shape)

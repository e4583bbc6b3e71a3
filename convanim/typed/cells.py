"""Single numbers, the limits of arrays, and places in error messages."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from convanim.errors import ConvanimError, ConvanimWarning

MAX_DIMENSIONS = 5  # of weights: two for channels, depth, height, width
MAX_CELLS = 2**24
MAX_FILLED = 5_000_000  # cells of an array given as a shape: as many as are computed step by step
LOWEST, HIGHEST = -(2**63), 2**63 - 1  # int64
EXACT = 2**53  # up to here a float has every integer
WHOLE = re.compile(r"[-+]?[0-9]+")
# float() alone would also accept 1_000 and the digits of other scripts.
DECIMAL = re.compile(r"(?ai)[-+]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?|nan|inf|infinity)")
#: One number with commas between its thousands, of which a zero at the beginning of a group tells.
GROUPED = re.compile(r"^[ \t]*-?[1-9][0-9]{0,2}(?:,[0-9]{3})*?,0[0-9]{2}(?:,[0-9]{3})*[ \t]*$", re.MULTILINE)
#: Signs that word processors, spreadsheets and web pages put before a negative number.
MINUSES = str.maketrans(dict.fromkeys("−–‐‑﹣－", "-"))
NOT_FINITE = (
    "is not finite; a trace is verified by comparing numbers for equality, and NaN and infinity cannot be compared"
)


def short(text: str) -> str:
    """A wrong value for an error message: its beginning and its end, at most 60 characters."""
    # The end is kept because a path says most there; repr keeps control characters from the terminal.
    return repr(text if len(text) <= 60 else f"{text[:36]}...{text[-20:]}")


@contextmanager
def placed(what: str, text: str) -> Iterator[Callable[[str], None]]:
    """Prefix errors with the option and the value: the readers raise only a reason ("has the size 0, ...").

    Yields a function for warnings about a valid value, with the same prefix.
    """
    try:
        yield lambda why: warnings.warn(f"{what} {short(text)} {why}.", ConvanimWarning, stacklevel=2)
    except ConvanimError as error:
        message, hint = error.args
        raise ConvanimError(f"{what} {short(text)} {message}", hint) from None


def check_shape(shape: Sequence[int]) -> None:
    """Refuse an invalid shape before anything is allocated for it."""
    if not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise ConvanimError(f"has {len(shape)} dimensions", f"use 1 to {MAX_DIMENSIONS}")
    if min(shape) < 1:
        raise ConvanimError(f"has the size {short(str(min(shape)))}, which is not positive", "use sizes of 1 or more")
    if math.prod(shape) > MAX_CELLS:
        raise ConvanimError("is too large", f"use at most {MAX_CELLS} cells")


def grouped(rows: str) -> str:
    """What to say of rows of numbers, one in each line, of which one may be a number with thousands separators.

    Example:
        >>> grouped("1,2\\n1,000")
        "has '1,000', which is read as 2 numbers; write 1000 for one number"
        >>> grouped("001,002"), grouped("1,234")
        ('', '')
    """
    row = GROUPED.search(rows)
    if row is None:
        return ""
    told = row[0].strip()
    one = told.replace(",", "")
    return f"has {short(told)}, which is read as {told.count(',') + 1} numbers; write {one} for one number"


def beside_floats(value: int | float) -> int | float:
    """A number of an array of floats, unless it is an integer that none of them is."""
    if isinstance(value, int) and float(value) != value:
        raise ConvanimError(
            f"has {value} beside numbers with a decimal point, and as one of them it would be {float(value):.0f}",
            f"write all numbers as integers, or use at most {EXACT}",
        )
    return value


def number(token: str, line: int = 0, column: int = 0) -> int | float:
    """Read one cell; `line` and `column` are named in errors if `line` is above 0."""
    token = token if token.isascii() else token.translate(MINUSES)
    why, hint = "is not a number", "write a number, with a decimal point"
    with suppress(ValueError):
        if WHOLE.fullmatch(token):
            why, hint = "does not fit in int64", f"use integers from {LOWEST} to {HIGHEST}, or write it as a float"
            if LOWEST <= (whole := int(token)) <= HIGHEST:  # int() refuses thousands of digits
                return whole
        elif DECIMAL.fullmatch(token):
            if math.isfinite(value := float(token)):
                return value
            why, hint = NOT_FINITE, "write a finite number"
    place = (short(token) if token else "an empty cell") + (f" in line {line}, column {column}" if line else "")
    raise ConvanimError(f"has {place}, which {why}", hint)

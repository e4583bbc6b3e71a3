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
LOWEST, HIGHEST = -(2**63), 2**63 - 1  # int64
WHOLE = re.compile(r"[-+]?[0-9]+")
# float() alone would also accept 1_000 and the digits of other scripts.
DECIMAL = re.compile(r"(?ai)[-+]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?|nan|inf|infinity)")
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
        raise ConvanimError(f"{what} {short(text)} {error.message}", error.hint) from None


def check_shape(shape: Sequence[int]) -> None:
    """Refuse an invalid shape before anything is allocated for it."""
    if not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise ConvanimError(f"has {len(shape)} dimensions", f"use 1 to {MAX_DIMENSIONS}")
    if min(shape) < 1:
        raise ConvanimError(f"has the size {short(str(min(shape)))}, which is not positive", "use sizes of 1 or more")
    if math.prod(shape) > MAX_CELLS:
        raise ConvanimError("is too large", f"use at most {MAX_CELLS} cells")


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

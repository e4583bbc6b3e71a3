"""The exceptions of convanim, and helpers for their messages."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable
from typing import Any

#: The maximum length of a message, in characters.
_LONGEST = 500
#: Words longer than any path or name that is typed.
_LONG_WORD = re.compile(r"\S{201,}")
#: What a message names as code: an argument, alone or with its value, a shape, or a method that is called. Backticks in
#: what somebody typed stay as they are.
_CODE = re.compile(r"(?<![\w'\"])`([a-z]\w*(?: [a-z]+)*(?:[=(][^`]*)?|\([^`]*\))`(?![\w'\"])")


class ConvanimError(ValueError):
    """An error in the input. Its message says in one sentence what is wrong, where, and what to use instead.

    The command line prints the same sentence with its options in the place of arguments. Both texts therefore name an
    argument in backticks, alone or with its value, as it is written in Python.

    Args:
        message: what is wrong, with the value and its place; no full stop at the end.
        hint: what to use instead; no full stop at the end.

    Example:
        >>> print(ConvanimError("`stride` 0 is not positive", "use `stride=1` or more"))
        stride 0 is not positive; use stride=1 or more.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)

    @property
    def message(self) -> str:
        """What is wrong, as Python has it; `args` keep the backticks."""
        return spelt(self.args[0])

    @property
    def hint(self) -> str:
        """What to use instead, as Python has it."""
        return spelt(self.args[1])

    def __str__(self) -> str:
        if not self.hint:
            return f"{readable(self.message)}."
        return f"{readable(self.message)}; {readable(self.hint)}{'?' if self.hint.startswith('did you mean') else '.'}"


class ConvanimWarning(UserWarning):
    """A part of an input was left out, described in one sentence; the command line prints it and continues."""

    def __str__(self) -> str:
        return spelt(super().__str__())


class CheckFailed(ConvanimError):
    """The computed output differs from that of the independent oracle, so nothing is written: a bug in convanim."""

    exit_code = 1


def spelt(text: str, spelling: Callable[[str], str] = str) -> str:
    """A message with what it names as code in some spelling, and without the backticks; by default as in Python.

    Example:
        >>> spelt('use `view="matrix"` or leave `colours` out', str.upper)
        'use VIEW="MATRIX" or leave COLOURS out'
    """
    return _CODE.sub(lambda code: spelling(code[1]), text)


def printable(text: str) -> str:
    """A text with its control characters as escapes, so that none of them reaches a terminal.

    Example:
        >>> printable("a\\x1b[31m.gif")
        'a\\\\x1b[31m.gif'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def readable(text: str) -> str:
    """A message that quotes input, on one line and without the middle of parts that are too long.

    Example:
        >>> len(readable(f"stride {'9' * 5000} is not a size"))
        164
    """
    text = _LONG_WORD.sub(lambda word: f"{word[0][:80]}...{word[0][-60:]}", printable(text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


def shortly(value: Any) -> str:
    """Return the repr of a value for an error message, on one line and shortened.

    Example:
        >>> shortly([1, 2]), shortly("a" * 99)
        ('[1, 2]', "'aaaaaaaaaaaa...aaaaaaaaaaaaa'")
    """
    return " ".join(reprlib.repr(value).split())


def reason(error: Exception) -> str:
    """The system's reason for an error, for the middle of a sentence.

    Example:
        >>> import errno, os
        >>> reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        'no space left on device'
    """
    return (getattr(error, "strerror", None) or str(error)).lower()


def whole(value: Any) -> bool:
    """Return whether a value is an integer: an int or a NumPy integer, but not a bool.

    Example:
        >>> whole(3), whole(True), whole(3.0)
        (True, False, False)
    """
    try:
        return not isinstance(value, bool) and int(value.__index__()) == value
    except (AttributeError, TypeError):
        return False

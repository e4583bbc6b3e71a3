"""The exceptions of convanim, and helpers for their messages."""

from __future__ import annotations

import re
import reprlib
from typing import Any

#: The maximum length of a message, in characters.
_LONGEST = 500
#: Words longer than any path or name that is typed.
_LONG_WORD = re.compile(r"\S{201,}")


class ConvanimError(ValueError):
    """An error in the input. Its message says in one sentence what is wrong, where, and what to use instead.

    Args:
        message: what is wrong, with the value and its place; no full stop at the end.
        hint: what to use instead; no full stop at the end.

    Example:
        >>> print(ConvanimError("stride 0 is not positive", "use 1 or more"))
        stride 0 is not positive; use 1 or more.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        message = readable(self.message)
        if not self.hint:
            return f"{message}."
        return f"{message}; {readable(self.hint)}{'?' if self.hint.startswith('did you mean') else '.'}"


class ConvanimWarning(UserWarning):
    """A part of an input was left out, described in one sentence; the command line prints it and continues."""


class CheckFailed(ConvanimError):
    """The computed output differs from that of the independent oracle, so nothing is written: a bug in convanim."""

    exit_code = 1


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

"""What can go wrong, as one family.

Knows how an error reads and which exit code it has. Must not know what any part of the program does.
"""

from __future__ import annotations

import re
import reprlib
from typing import Any

#: Characters of a message.
_LONGEST = 500
#: Longer than the paths and names that anybody types.
_LONG_WORD = re.compile(r"\S{201,}")


class ConvanimError(Exception):
    """Wrong input, said in one sentence: what is wrong, where, and what to type instead.

    Args:
        message: the offending value and its place, without a full stop.
        hint: what to type instead, without a full stop.

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
        return f"{message}; {readable(self.hint)}." if self.hint else f"{message}."


class ConvanimWarning(UserWarning):
    """What was left out of an input that could be read, in one sentence; the command line prints it and goes on."""


class CheckFailed(ConvanimError):
    """The program disagrees with itself: an answer differs from the oracle's, so nothing is written."""

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
    """A sentence in which what was typed is said again: on one line, and without the middle of what is too long.

    Example:
        >>> len(readable(f"stride {'9' * 5000} is not a size"))
        164
    """
    text = _LONG_WORD.sub(lambda word: f"{word[0][:80]}...{word[0][-60:]}", printable(text))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


def shortly(value: Any) -> str:
    """A wrong value as it stands in a sentence: on one line, and never long.

    Example:
        >>> shortly([1, 2]), shortly("a" * 99)
        ('[1, 2]', "'aaaaaaaaaaaa...aaaaaaaaaaaaa'")
    """
    return " ".join(reprlib.repr(value).split())


def whole(value: Any) -> bool:
    """Whether a value from Python is a whole number: an int, or one of NumPy's, and no bool.

    Example:
        >>> whole(3), whole(True), whole(3.0)
        (True, False, False)
    """
    try:
        return not isinstance(value, bool) and int(value.__index__()) == value
    except (AttributeError, TypeError):
        return False

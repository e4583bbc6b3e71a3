"""What can go wrong, as one family.

Knows how an error reads and which exit code it has. Must not know what any part of the program does.
"""

from __future__ import annotations

import reprlib
from typing import Any

#: Characters of a message.
_LONGEST = 1000


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
        message = self.message
        if len(message) > _LONGEST:  # what was typed is said again, but nobody reads pages of it
            message = f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 4 :]}"
        return f"{message}; {self.hint}." if self.hint else f"{message}."


class CheckFailed(ConvanimError):
    """The program disagrees with itself: an answer differs from the oracle's, so nothing is written."""

    exit_code = 1


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

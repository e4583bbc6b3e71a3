"""Methods that lead on to a later stage: `op.trace(...)`, `trace.animate(...)`.

A stage may not import the stages that stand on it, and yet people like to write the whole way as one line. So a stage
asks here for what lies behind a door, and the package's root, which may know everything, says what that is. Knows
names and callables; must not know any stage.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the package's root waits for nothing but this module
    from collections.abc import Callable
    from typing import Any

_behind: dict[str, Callable[[], Callable[..., Any]]] = {}


def lead(door: str, find: Callable[[], Callable[..., Any]]) -> None:
    """Say how to find what lies behind a door; it is looked for only when it is needed."""
    _behind[door] = find


def through(door: str) -> Callable[..., Any]:
    """What lies behind a door.

    Example:
        >>> lead("twice", lambda: lambda n: 2 * n)
        >>> through("twice")(21)
        42
    """
    return _behind[door]()

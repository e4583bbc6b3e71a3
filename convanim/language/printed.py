"""Texts of several lines, which a notebook prints instead of quoting."""

from __future__ import annotations

from typing import Any


class Printed(str):
    """A text of several lines.

    Example:
        >>> Printed("one\\ntwo") == "one\\ntwo"
        True
    """

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write the lines as they are; IPython and notebooks call this."""
        printer.text(str(self))

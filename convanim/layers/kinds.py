"""Every kind of operation by its name; what is said of each is in its record, beside its arguments."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convanim.commands import COMMANDS
from convanim.layers.operation import Operation


def _kinds() -> dict[str, type[Operation]]:
    places = (place.partition(":") for command in COMMANDS.values() for place in command.kinds)
    return {name: getattr(import_module(f"convanim.layers.{module}"), name) for module, _, name in places}


#: In the order of the commands, in which messages list them.
KINDS = _kinds()


def lines_in(name: str) -> Any:
    """The module that reads and writes the lines of an operation for all frameworks."""
    return import_module(f"convanim.layers.lines.{name}")


def modules() -> list[Any]:
    """All of these modules."""
    return [lines_in(name) for name in dict.fromkeys(op.lines for op in KINDS.values()) if name]

"""A layer that was asked for, and the pieces of text that its makers share.

Knows the text of options. Must not know which layer takes which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convanim.ops import Operation, times
from convanim.source import read_sizes


@dataclass(frozen=True, eq=False)
class Request:
    """A layer with what it is given.

    Attributes:
        op: the layer.
        given: what `op.trace` takes.
        sizes: of the input, without channels.
        colours: whether the input is a picture with colours.
    """

    op: Operation
    given: tuple[Any, ...]
    sizes: tuple[int, ...]
    colours: bool = False

    def trace(self) -> Any:
        """The trace of the layer."""
        return self.op.trace(*self.given)  # type: ignore[attr-defined]


def spatial(op: Operation, x: Any, rank: int) -> tuple[int, ...]:
    """The sizes of an input along its `rank` axes, without channels."""
    if x.ndim == rank:
        return tuple(x.shape)
    return tuple(x.shape[:-1][-rank:] if op.rules.last else x.shape[-rank:])


def common(typed: dict[str, Any]) -> dict[str, Any]:
    """The arguments that every layer takes."""
    return {"convention": typed.get("convention") or "torch"}


def each(typed: dict[str, Any], name: str, default: int | None = None) -> Any:
    """One size for all axes, or one each, or what holds where none was typed."""
    if typed.get(name) is None:
        return default
    sizes = read_sizes(typed[name], what=f"--{name.replace('_', '-')}")
    return sizes[0] if len(sizes) == 1 else sizes


def typed_shape(shape: Sequence[int]) -> str:
    """A shape as it is typed: 3x3."""
    return times(shape).replace("×", "x")

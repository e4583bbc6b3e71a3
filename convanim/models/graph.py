"""A model as data: its layers in order, and along which axis arithmetic each one reads those before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NamedTuple

from convanim.errors import ConvanimError, shortly
from convanim.explanation.arithmetic import evenness
from convanim.language.words import say
from convanim.layers import Axis, ConvTranspose, Operation, Resampled

#: The name of the first node, which stands for the input of the chain.
INPUT = "input"


@dataclass(frozen=True)
class Joined(Axis):
    """One axis of a map that is a part of the output: the output cells beside it do not read it."""


class Read(NamedTuple):
    """What a layer reads: the number of another node, and the arithmetic of each axis."""

    source: int
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Node:
    """A layer of a model, or its input.

    Attributes:
        name, kind: its own name, and that of its operation in the framework: "Conv".
        sizes: the spatial sizes of its output, (H, W) order; None where positions are not followed.
        channels: their number in the output, if known.
        reads: what it reads; several for a sum or a concatenation, none for what has no positions.
        op: the operation, if it is one of convanim's.
        parameters: how many numbers it has learned.
        shape: the whole shape of the output, if known.
        notes, faults: sentences about it; faults are contradictions.
    """

    name: str
    kind: str
    sizes: tuple[int, ...] | None = None
    channels: int | None = None
    reads: tuple[Read, ...] = ()
    op: Operation | None = None
    parameters: int = 0
    shape: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether each cell of the output reads the cell in the same place only."""
        return len(self.reads) == 1 and all(map(same, self.reads[0].axes))

    @property
    def merges(self) -> bool:
        """Whether it reads several layers."""
        return len(self.reads) > 1


@dataclass(frozen=True)
class Graph:
    """The layers of a model in the order in which they are computed; the first node is the input.

    Attributes:
        name: the name of the file, or the class of the model.
        nodes: the input and the layers.
        notes: sentences about what is not followed at all.
    """

    name: str
    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()

    def find(self, name: str) -> int:
        """The number of a layer: by its name, or by a part of it between slashes that no other layer has.

        Raises:
            ConvanimError: there is no such layer; the hint has the nearest names.

        Example:
            >>> graph = Graph("m", (Node("input", ""), Node("/features/conv1/Conv", "Conv")))
            >>> graph.find("conv1")
            1
        """
        names = [node.name for node in self.nodes]
        if name in names:
            return names.index(name)
        inner = [i for i, known in enumerate(names) if f"/{name.strip('/')}/" in f"/{known.strip('/')}/"]
        able = [i for i in inner if self.nodes[i].op] or inner
        if len(able) == 1:
            return able[0]
        if able:
            raise ConvanimError(f"several layers are called {shortly(name)}", f"use {_listed(names[i] for i in able)}")
        layers = names[1:]
        shown = [known for known, node in zip(names, self.nodes, strict=True) if node.op]
        close = get_close_matches(name, layers, 3, 0.4) or shown or layers
        raise ConvanimError(
            f"{self.name} has no layer {shortly(name)}", f"use one of its layers, such as {_listed(close)}"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:3])


def same(axis: Axis) -> bool:
    """Whether an axis leaves every cell in its place.

    Example:
        >>> same(Axis(3, 3, 1)), same(Axis(3, 3, 3, before=1, after=1)), same(Axis(3, 5, 1, before=1, after=1))
        (True, False, False)
    """
    plain = not isinstance(axis, Resampled) and axis.kernel == axis.stride == 1 and axis.regular
    return plain and not axis.before and axis.input == axis.output


def still(sizes: Sequence[int]) -> tuple[Axis, ...]:
    """Axes along which every cell stays in its place."""
    return tuple(Axis(n, n, 1) for n in sizes)


def spread(n: int) -> Axis:
    """The axis of a map of one cell that is repeated n times."""
    return Resampled(1, n, n, n, transposed=True, way="nearest", ratio=(n, 1))


def checked(node: Node, declared: Sequence[int | None] | None = None, whose: str = "") -> Node:
    """A node with what is wrong with it: other sizes than declared, and an uneven overlap.

    Args:
        declared: the shape of the output as stated elsewhere; None where it is unknown.
        whose: who states it.

    Example:
        >>> checked(Node("a", "Conv", (4, 4), 2, shape=(1, 2, 4, 4)), (1, 2, 5, 4), "the file").faults
        ('its output is 1×2×4×4, and the file says 1×2×5×4',)
    """
    if node.shape and declared is not None:
        agree = len(declared) == len(node.shape) and all(
            there in (None, here) for there, here in zip(declared, node.shape, strict=True)
        )
        if not agree:
            ours, theirs = ("×".join("?" if n is None else str(n) for n in shape) for shape in (node.shape, declared))
            told = say("its output is {ours}, and {whose} says {theirs}", ours=ours, whose=whose, theirs=theirs)
            return replace(node, faults=(*node.faults, told))
    return node


def uneven(op: Operation, axes: Sequence[Axis]) -> tuple[str, ...]:
    """A sentence about a transposed convolution whose stamps overlap unevenly."""
    if not isinstance(op, ConvTranspose):
        return ()
    odd = [axis for axis in axes if not evenness(axis)[0]]
    if not odd:
        return ()
    return (
        say(
            "its stamps overlap unevenly (checkerboard): the kernel size {k} is not a multiple of the stride {s}",
            k=odd[0].kernel,
            s=odd[0].stride,
        ),
    )

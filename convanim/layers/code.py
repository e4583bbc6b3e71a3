"""Helpers that put code together, and properties of a layer's axes that several frameworks need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from convanim.layers.axis import Axis, Resampled, resampled
from convanim.layers.convolutions import Weighted
from convanim.layers.operation import Operation
from convanim.layers.pools import Pool

#: Longer code is broken after its opening bracket, with one or several arguments per line.
WIDTH = 110


@dataclass(frozen=True)
class Line:
    """The code of a layer in one framework.

    Attributes:
        framework: "PyTorch", "Keras", "JAX" or "ONNX".
        code: an expression of one or several lines; "" if the framework has no such layer.
        note: a remark on the code; without code, why there is none and what comes closest. May be "".
    """

    framework: str
    code: str
    note: str = ""


@dataclass(frozen=True)
class Place:
    """The context of a layer: the arithmetic of its axes, and its channels."""

    axes: tuple[Axis, ...]
    inputs: int
    outputs: int

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.axes)

    @property
    def pads(self) -> list[tuple[int, int]]:
        """(before, after) along each axis: padding, or crop."""
        return [(a.before, a.after) for a in self.axes]

    @property
    def covered(self) -> list[tuple[int, int]]:
        """The padding with which a window that only rounds down covers everything that this layer's windows cover.

        With ceil_mode, cells of a window beyond the padding count as padding; windows that would lie in the padding are
        left out, which reduces it.
        """
        return [(a.before, _end(a)) for a in self.axes]

    @property
    def own(self) -> list[tuple[int, int]]:
        """The part of `covered` that is this layer's own padding."""
        return [(a.before, min(a.after, _end(a))) for a in self.axes]

    def each(self, name: str) -> Any:
        """One number if all axes agree, otherwise a tuple with one for each."""
        return one_or_each([getattr(a, name) for a in self.axes])

    def every(self, name: str) -> tuple[int, ...]:
        """One number per axis."""
        return tuple(getattr(a, name) for a in self.axes)


def _end(axis: Axis) -> int:
    end = axis.after + axis.beyond
    fits = (axis.input + axis.before + end - axis.reach) // axis.stride + 1
    return end if fits == axis.output else max(0, last_end(axis) - axis.input)


def flipped(op: Weighted) -> list[str]:
    """The note for a layer whose weight must be rotated by 180 degrees, compared with the one that is given."""
    if not op.held_rotated:
        return []
    return ["the weight is JAX's, rotated by 180°" if op.transposed else "the weight is the kernel, rotated by 180°"]


#: Code and a note; and the functions that write them for each kind of operation, of which the first match counts.
Written = tuple[str, str]
Writers = tuple[tuple[type[Operation], Callable[[Any, "Place"], Written]], ...]


class NoLine(Exception):
    """A framework has no such layer; the text is the note that says why, and what comes closest."""


def chosen(framework: str, writers: Writers, op: Operation, place: Place) -> Line:
    """The line of the first writer for this kind of operation; "" with a note if there is none."""
    write = next((write for kind, write in writers if isinstance(op, kind)), None)
    if write is None:
        return Line(framework, "", f"none: {framework} has no {op.called[0]}")
    return _line(framework, write, op, place)


def lines_of(module: Any, op: Operation, place: Place) -> list[Line]:
    """The lines of an operation from the functions torch, keras, jax and onnx of a module."""
    names = {"PyTorch": module.torch, "Keras": module.keras, "JAX": module.jax, "ONNX": module.onnx}
    return [_line(framework, write, op, place) for framework, write in names.items()]


def _line(framework: str, write: Callable[[Any, Place], Written], op: Operation, place: Place) -> Line:
    try:
        return Line(framework, *write(op, place))
    except NoLine as none:
        return Line(framework, "", str(none))


class Code(str):
    """Code that is inserted into other code unchanged, while text is quoted."""

    __slots__ = ()


def one_or_each(values: Sequence[Any]) -> Any:
    """One value if all axes agree, otherwise a tuple.

    Example:
        >>> one_or_each([2, 2]), one_or_each([2, 1])
        (2, (2, 1))
    """
    return values[0] if len(set(values)) == 1 else tuple(values)


def written(value: Any) -> str:
    """A value as code: text in double quotes, code unchanged.

    Example:
        >>> written(("same", 1, [2, Code("x")]))
        '("same", 1, [2, x])'
    """
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        inside = ", ".join(map(written, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def call(name: str, *given: Any, **named: Any) -> Code:
    """A call without the arguments that are None. If it is long, its arguments are on lines of their own.

    Example:
        >>> print(call("pool", Code("x"), (2, 2), padding="same", strides=None))
        pool(x, (2, 2), padding="same")
    """
    told = [*map(written, given), *(f"{word}={written(value)}" for word, value in named.items() if value is not None)]
    flat = f"{name}({', '.join(told)})"
    if len(flat) <= WIDTH and "\n" not in flat:
        return Code(flat)
    rows = [""]
    for piece in told:
        if rows[-1] and (len(rows[-1]) + len(piece) + 2 > WIDTH - 4 or "\n" in rows[-1] + piece):
            rows.append("")
        rows[-1] += f", {piece}" if rows[-1] else piece
    return Code("\n".join([f"{name}(", *(f"    {row.replace(chr(10), chr(10) + '    ')}," for row in rows[:-1]),
                           f"    {rows[-1].replace(chr(10), chr(10) + '    ')}", ")"]))  # fmt: skip


def several(opening: str, parts: Sequence[str], closing: str) -> Code:
    """Parts in brackets, one per line; a single part alone."""
    if len(parts) == 1:
        return Code(parts[0])
    inside = [f"    {part.replace(chr(10), chr(10) + '    ')}," for part in parts]
    return Code("\n".join([opening, *inside, closing]))


# Properties of a pooling.


def last_end(axis: Axis) -> int:
    """The end of the last window, in cells of the input."""
    return (axis.output - 1) * axis.stride + axis.reach - axis.before


def meets_padding(place: Place) -> bool:
    """Whether any window contains a cell outside the input."""
    return any(a.before > 0 or last_end(a) > a.input for a in place.axes)


def averages_padding(op: Pool, place: Place) -> bool:
    """Whether this is a mean that includes the padding."""
    return op.counts_padding and meets_padding(place)


def scaled_beyond(op: Pool, place: Place) -> bool:
    """Whether this is PyTorch's Lp pooling with a window beyond the input, whose sum it scales up."""
    return op.combine == "norm" and op.convention == "torch" and any(a.beyond for a in place.axes)


def signed(op: Pool) -> bool:
    """Whether powers of values and of their absolute values may differ."""
    return op.power % 2 != 0


def window(place: Place) -> int:
    """The number of cells in a window."""
    return prod(a.kernel for a in place.axes)


# Properties of an upsampling.


def is_exact(place: Place) -> bool:
    """Whether the ratio of the sizes is exactly the scale factor."""
    return all(a.ratio[0] * a.input == a.ratio[1] * a.output for a in resampled(place.axes))


def is_whole(place: Place) -> bool:
    """Whether every factor is an integer."""
    return all(a.ratio[1] == 1 for a in resampled(place.axes))


def copies(place: Place, coordinates: str, rounding: str) -> bool:
    """Whether nearest upsampling copies the same cells as with these coordinates and this rounding.

    Example:
        >>> from convanim.layers import Upsample
        >>> twice = Place(Upsample(scale_factor=2).axes((3,)), 1, 1)
        >>> copies(twice, "half_pixel", "up")
        True
    """
    return all((coordinates, rounding) in _alike(a) for a in resampled(place.axes))


def _alike(axis: Resampled) -> set[tuple[str, str]]:
    own, (up, down) = (axis.place, axis.rounding), axis.ratio
    alike = {own}
    # The centre of an output cell lies on the edge between two cells for odd / even ratios only.
    if own[0] == "half_pixel" and not (up % 2 and down % 2 == 0):
        alike |= {("half_pixel", "up"), ("half_pixel", "down")}
    whole = {("asymmetric", "floor"), ("half_pixel", "up"), ("half_pixel", "down")}
    return alike | whole if down == 1 and own in whole else alike


def factors(place: Place) -> tuple[int, ...]:
    """Integer factors, one per axis."""
    return tuple(a.ratio[0] for a in resampled(place.axes))

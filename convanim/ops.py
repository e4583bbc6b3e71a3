"""Operations: what was asked for, checked, and the sizes that follow from it.

Knows the layers' arguments, their arithmetic along each axis and their notation. Must not know values, order or
pictures; imports no numpy, so that asking for help stays quick.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from convanim import doors
from convanim.errors import ConvanimError

Sizes = int | tuple[int, ...]
Padding = int | str | tuple[int | tuple[int, int], ...]

PADDING_WORDS = ("valid", "same", "same_lower", "full")
#: No size of a layer may exceed this: it is far beyond what can be looked at, and keeps every product within 64 bits.
LARGEST = 2**24
LONGEST_NOTATION = 1000


@dataclass(frozen=True)
class Axis:
    """One axis of a layer once the input is known: all sizes in cells.

    `before` and `after` are the padding of a convolution (a ring of zeros) or of a transposed one (a crop).

    Example:
        >>> Axis(input=3, output=5, kernel=3, stride=2, before=1, after=1, transposed=True).ring
        (1, 1)
    """

    input: int
    output: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    output_padding: int = 0
    transposed: bool = False

    @property
    def reach(self) -> int:
        """Cells from the first to the last one under the kernel: d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def unused(self) -> int:
        """Cells at the end of a convolution's padded input that no window reaches: what the floor leaves."""
        if self.transposed:
            return 0
        return self.input + self.before + self.after - (self.output - 1) * self.stride - self.reach

    @property
    def spread(self) -> int:
        """Size of a transposed layer's input once s - 1 zeros stand between neighbours: (i - 1)s + 1."""
        return (self.input - 1) * self.stride + 1

    @property
    def full(self) -> int:
        """Size of a transposed layer's canvas before anything is cropped: (i - 1)s + d(k - 1) + 1."""
        return (self.input - 1) * self.stride + self.reach

    @property
    def canvas(self) -> int:
        """Size of the canvas that holds every stamp and every output cell: output padding may go beyond the stamps."""
        return max(self.full, self.before + self.output)

    @property
    def ring(self) -> tuple[int, int]:
        """Zeros before and after the spread input of a transposed layer: d(k - 1) - p. Negative ones are cropped."""
        return self.reach - 1 - self.before, self.output + self.before - self.spread

    @property
    def stage(self) -> int:
        """Size of what the window slides over: the padded input, or the spread and padded one."""
        return self.output + self.reach - 1 if self.transposed else self.input + self.before + self.after


@dataclass(frozen=True)
class Operation:
    """What convolution and transposed convolution share; see `Conv` and `ConvTranspose`."""

    kernel_size: Sizes
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = field(default=1, kw_only=True)
    groups: int = field(default=1, kw_only=True)

    transposed: ClassVar[bool] = False
    words: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if name == "padding":
                checked: Any = _padding(value)
            elif name == "groups":
                checked = _whole(name, value, 1)
            else:
                checked = _sizes(name, value, 0 if name == "output_padding" else 1)
            object.__setattr__(self, name, checked)
        self.rank  # noqa: B018 - the arguments must agree on a number of axes

    def __str__(self) -> str:
        """The layer's notation, with what differs from the defaults: `parse` reads it back."""
        given = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        inside = ", ".join(f"{name}={value!r}" for name, value, default in given if value != default)
        return f"{type(self).__name__}({inside})"

    __repr__ = __str__

    @property
    def rank(self) -> int | None:
        """The number of spatial axes, where the arguments settle it; None where they fit any."""
        named = [f.name for f in fields(self) if isinstance(getattr(self, f.name), tuple)]
        ranks = {name: len(getattr(self, name)) for name in named}
        if len(set(ranks.values())) > 1:
            told = " and ".join(f"{name} {getattr(self, name)!r}" for name in ranks)
            raise ConvanimError(f"{told} differ in their number of axes", "give one number for every axis, or just one")
        return next(iter(ranks.values()), None)

    def axes(self, sizes: Sequence[int]) -> tuple[Axis, ...]:
        """The arithmetic of each axis for an input of these spatial sizes, (H, W) order.

        Raises:
            ConvanimError: the layer does not fit such an input.

        Example:
            >>> [a.output for a in ConvTranspose(kernel_size=3, stride=2, padding=1).axes((3, 3))]
            [5, 5]
        """
        rank = self.rank if self.rank is not None else len(sizes)
        if len(sizes) != rank:
            raise ConvanimError(
                f"{self} has {rank} axes but the input {times(sizes)} has {len(sizes)}",
                "give both the same number of axes",
            )
        if any(n < 1 for n in sizes):
            raise ConvanimError(f"an input of {times(sizes)} has no cells", "use sizes of 1 or more")
        return tuple(self._axis(i, n) for i, n in enumerate(sizes))

    def _axis(self, i: int, n: int) -> Axis:
        raise NotImplementedError

    def trace(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """Follow every multiplication of this layer over an input: see `convanim.trace.Trace`.

        Args:
            x: (L,), (H, W) or (C, H, W), and so on: with or without a channel axis.
            weight: PyTorch's layout, conv (C_out, C_in / groups, *k), transposed (C_in, C_out / groups, *k), or only
                the kernel (*k) where there is one channel.
            bias: a number, or (C_out,).

        Raises:
            ConvanimError: shapes that do not fit, NaN or infinity, sums beyond 64 bits.

        Example:
            >>> Conv(kernel_size=2).trace([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]).output.tolist()
            [[37, 47], [67, 77]]
        """
        return doors.through("trace")(self, x, weight, bias)


@dataclass(frozen=True, repr=False)
class Conv(Operation):
    """Convolution as deep learning means it (cross-correlation): output o = floor((i + 2p - d(k-1) - 1) / s) + 1.

    Args:
        kernel_size, stride, dilation: an int, or one an axis.
        padding: zeros around the input: an int, one an axis, one (before, after) pair an axis, or a word: 'valid' none,
            'same' ceil(i / s) outputs with the smaller half first, 'same_lower' the larger half first, 'full' d(k-1).
        groups: channels are split into this many groups.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), relationship 6.

    Example:
        >>> Conv(kernel_size=3, stride=2, padding=1)
        Conv(kernel_size=3, stride=2, padding=1)
    """

    words: ClassVar[str] = "Convolution"

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d = _at(self.kernel_size, i), _at(self.stride, i), _at(self.dilation, i)
        reach = d * (k - 1) + 1
        if isinstance(self.padding, str):
            total = {"valid": 0, "full": 2 * (reach - 1)}.get(self.padding, max(0, (-(-n // s) - 1) * s + reach - n))
            before, after = _halves(total, self.padding)
        else:
            before, after = _pair(self.padding, i)
        padded = n + before + after
        if reach > padded:
            span = f"{k} (dilated to {reach})" if d > 1 else f"{k}"
            inside = f"{n} padded to {padded}" if padded > n else f"{n}"
            raise ConvanimError(
                f"kernel size {span} is larger than the input, {inside}, along axis {i}",
                f"use a kernel size of at most {(padded - 1) // d + 1}, or more padding",
            )
        return Axis(n, (padded - reach) // s + 1, k, s, before, after, d)


@dataclass(frozen=True, repr=False)
class ConvTranspose(Operation):
    """Transposed convolution: output o = (i - 1)s - 2p + d(k-1) + output_padding + 1.

    Args:
        kernel_size, stride, dilation: an int, or one an axis.
        padding: what is cropped from the full result: an int, one an axis, one (before, after) pair an axis, or the
            word of the convolution whose transpose this is ('same' gives i * s, 'valid' crops nothing).
        output_padding: an edge at the end that is not cropped; less than max(stride, dilation).
        groups: channels are split into this many groups.

    Source: Dumoulin and Visin (2016), relationship 14; PyTorch's ConvTranspose2d for dilation and output padding.

    Example:
        >>> ConvTranspose(kernel_size=3, stride=2)
        ConvTranspose(kernel_size=3, stride=2)
    """

    output_padding: Sizes = field(default=0, kw_only=True)

    transposed: ClassVar[bool] = True
    words: ClassVar[str] = "Transposed convolution"

    def _axis(self, i: int, n: int) -> Axis:
        k, s, d, extra = (_at(v, i) for v in (self.kernel_size, self.stride, self.dilation, self.output_padding))
        reach = d * (k - 1) + 1
        if extra >= max(s, d):
            raise ConvanimError(
                f"output padding {extra} is not below max(stride, dilation) = {max(s, d)} along axis {i}",
                f"use at most {max(s, d) - 1}: a larger one is a different input size",
            )
        full = (n - 1) * s + reach
        if isinstance(self.padding, str):
            if extra and self.padding.startswith("same"):
                raise ConvanimError(
                    f"padding '{self.padding}' with output padding {extra} leaves the size open",
                    "give the padding in numbers, or leave the output padding out",
                )
            total = {"valid": 0, "full": 2 * (reach - 1)}.get(self.padding, reach - s)
            before, after = _halves(max(total, 0), self.padding)
            extra -= min(total, 0)
        else:
            before, after = _pair(self.padding, i)
        output = full - before - after + extra
        if output < 1:
            raise ConvanimError(
                f"padding {before} + {after} crops the whole transposed result, {full} long, along axis {i}",
                f"use a padding of at most {(full + extra - 1) // 2}",
            )
        return Axis(n, output, k, s, before, after, d, extra, transposed=True)


KINDS: dict[str, type[Operation]] = {"Conv": Conv, "ConvTranspose": ConvTranspose}


def parse(text: str) -> Operation:
    """Read a layer's notation; the opposite of `str`. It is read as data, never run.

    Raises:
        ConvanimError: not a known layer, or its arguments are wrong.

    Example:
        >>> parse("ConvTranspose(3, stride=2)") == ConvTranspose(kernel_size=3, stride=2)
        True
    """
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    form = "write it like ConvTranspose(kernel_size=3, stride=2)"
    if len(text) > LONGEST_NOTATION:
        raise ConvanimError(f"{shown} is {len(text)} characters long, too long for a layer", form)
    try:
        with warnings.catch_warnings():  # of odd literals, which are refused below anyway
            warnings.simplefilter("ignore")
            call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError
        name = call.func.id
        positional = [ast.literal_eval(node) for node in call.args]
        named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg is not None}
        if len(named) != len(call.keywords):
            raise ValueError
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ConvanimError(f"{shown} is not a layer", form) from None
    if name not in KINDS:
        raise ConvanimError(f"{name!r} in {shown} is not a layer", _near(name, KINDS))
    kind = KINDS[name]
    arguments = [f.name for f in fields(kind)]
    places = [f.name for f in fields(kind) if not f.kw_only]
    for word in named:
        if word not in arguments:
            raise ConvanimError(f"{word!r} in {shown} is no argument of {name}", _near(word, arguments))
    placed = places[: len(positional)]
    if len(positional) > len(places) or set(placed) & set(named) or "kernel_size" not in {*placed, *named}:
        raise ConvanimError(f"{shown} needs a kernel_size, and each argument once and by name after padding", form)
    return kind(*positional, **named)


def times(sizes: Sequence[int]) -> str:
    """Sizes as they are written: 3×3.

    Example:
        >>> times((3, 4))
        '3×4'
    """
    return "×".join(map(str, sizes))


def _near(word: str, known: Sequence[str] | dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, 1, 0.4)
    return f"did you mean {close[0]}" if close else "use one of " + ", ".join(known)


def _whole(name: str, value: Any, lowest: int) -> int:
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None or isinstance(value, bool):
        raise ConvanimError(f"{name} {_short(value)} is not a whole number", f"use {lowest} or more")
    if number < lowest:
        raise ConvanimError(f"{name} {_short(number)} is too small", f"use {lowest} or more")
    if number > LARGEST:
        raise ConvanimError(f"{name} {_short(number)} is too large", f"use at most {LARGEST}")
    return int(number)


def _short(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python does not write integers of thousands of digits
        text = "of thousands of digits"
    return text if len(text) <= 40 else text[:37] + "..."


def _sizes(name: str, value: Any, lowest: int) -> Sizes:
    if not isinstance(value, (tuple, list)):
        return _whole(name, value, lowest)
    if not value:
        raise ConvanimError(f"{name} {value!r} is empty", "give one number, or one for every axis")
    return tuple(_whole(name, v, lowest) for v in value)


def _padding(value: Any) -> Padding:
    if isinstance(value, str):
        if value not in PADDING_WORDS:
            raise ConvanimError(f"padding {_short(value)} is not known", _near(value, PADDING_WORDS))
        return value
    if isinstance(value, (tuple, list)) and value:
        return tuple(_sides(v) if isinstance(v, (tuple, list)) else _whole("padding", v, 0) for v in value)
    if isinstance(value, (tuple, list)):
        raise ConvanimError(f"padding {value!r} is empty", "give one number, or one for every axis")
    return _whole("padding", value, 0)


def _sides(value: Sequence[Any]) -> tuple[int, int]:
    if len(value) != 2:
        raise ConvanimError(f"padding {_short(value)} is not a (before, after) pair", "give two numbers, like (0, 1)")
    return _whole("padding", value[0], 0), _whole("padding", value[1], 0)


def _at(sizes: Sizes, i: int) -> int:
    return sizes if isinstance(sizes, int) else sizes[i]


def _pair(padding: int | tuple[int | tuple[int, int], ...], i: int) -> tuple[int, int]:
    here = padding if isinstance(padding, int) else padding[i]
    return (here, here) if isinstance(here, int) else here


def _halves(total: int, word: str) -> tuple[int, int]:
    small, large = total // 2, total - total // 2
    return (large, small) if word == "same_lower" else (small, large)

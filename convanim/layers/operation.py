"""The base class of all operations: checked arguments, notation and axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar

from convanim.commands import View
from convanim.errors import ConvanimError
from convanim.layers.arguments import CHECKS, short
from convanim.layers.axis import Axis, times
from convanim.layers.conventions import KNOWN, Convention


@dataclass(frozen=True)
class Record:
    """The words for an operation: how it is typed at the command line, written as an example, and called elsewhere.

    Attributes:
        command: the command that animates it.
        options: the values of that command's options that select this operation, where their defaults do not.
        example: its shortest useful notation.
        aliases: its common names, in lower case and without the number of axes, separated by spaces.
    """

    command: str
    example: str
    aliases: str
    options: Mapping[str, str | bool | int] = field(default_factory=dict)

    def __str__(self) -> str:
        """The command with its options, as they are typed.

        Example:
            >>> print(Record("pool", "AvgPool(2)", "avgpool", {"mode": "avg"}))
            pool --mode avg
        """
        options = ((f"--{name.replace('_', '-')}", value) for name, value in self.options.items())
        return " ".join([self.command, *(name if value is True else f"{name} {value}" for name, value in options)])


@dataclass(frozen=True)
class Operation:
    """An operation with its arguments.

    Attributes:
        convention: the framework whose rules apply by default: "torch", "keras", "jax", "onnx" or "scipy".
        transposed: whether the layer reads the narrow side and writes the wide one.
        words: the name of the layer in text.
        called: its name within a sentence, without and with an article.
        family: the name of the modules in `trace` and `explanation` that know this operation.
        lines: the module of `layers/lines` that reads and writes its lines; "" if those are with the lines of others.
        record: the words for it, from which commands, gallery entries and hints are made.
        views: its views, if it has others than the command of its record.
    """

    convention: str = field(default="torch", kw_only=True)

    transposed: ClassVar[bool] = False
    words: ClassVar[str] = ""
    called: ClassVar[tuple[str, str]] = "", ""
    family: ClassVar[str]
    lines: ClassVar[str] = ""
    record: ClassVar[Record]
    views: ClassVar[Mapping[str, View]] = {}

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and f.default not in (None, MISSING):
                raise ConvanimError(f"`{f.name}` is None", "leave it out or give a value")
            object.__setattr__(self, f.name, CHECKS[f.name](f.name, value))
        self.rank  # noqa: B018 - the arguments must agree on a number of axes
        if self.rules.only and type(self).__name__ not in self.rules.only:
            raise ConvanimError(f"{self.rules.title} has no {self.called[0]}", "use `convention` torch")
        self._check()

    def _check(self) -> None:
        """Refuse arguments that are valid on their own but not together."""

    @classmethod
    def required(cls) -> list[str]:
        """The names of the arguments without a default."""
        return [f.name for f in fields(cls) if f.default is MISSING]

    def _usual(self, name: str) -> Any:
        """The default value of an argument."""
        return next(f.default for f in fields(self) if f.name == name)

    @property
    def rules(self) -> Convention:
        """The rules of the convention."""
        return KNOWN[self.convention]

    def __str__(self) -> str:
        """The notation of the layer, with the arguments that differ from their defaults; `parse` reads it."""
        names = [*(f.name for f in fields(self) if f.name != "convention"), "convention"]
        given = [(name, getattr(self, name)) for name in names]
        inside = ", ".join(f"{name}={value!r}" for name, value in given if value != self._usual(name))
        return f"{type(self).__name__}({inside})"

    __repr__ = __str__

    @property
    def rank(self) -> int | None:
        """The number of spatial axes, if the arguments determine it; otherwise None."""
        named = [f.name for f in fields(self) if isinstance(getattr(self, f.name), tuple)]
        ranks = {name: len(getattr(self, name)) for name in named}
        if len(set(ranks.values())) > 1:
            told = " and ".join(f"`{name}` {getattr(self, name)!r}" for name in ranks)
            raise ConvanimError(
                f"{told} differ in their number of axes", "give one number per axis, or a single number"
            )
        return next(iter(ranks.values()), None)

    def axes(self, sizes: Sequence[int]) -> tuple[Axis, ...]:
        """The arithmetic of each axis for an input of these spatial sizes, (H, W) order.

        Raises:
            ConvanimError: the layer does not fit such an input.

        Example:
            >>> from convanim.layers import ConvTranspose
            >>> [a.output for a in ConvTranspose(kernel_size=3, stride=2, padding=1).axes((3, 3))]
            [5, 5]
        """
        if not isinstance(sizes, Sequence) or not all(isinstance(n, int) for n in sizes):
            raise ConvanimError(f"sizes {short(sizes)} are not whole numbers", "give one number per axis, like (5, 5)")
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

    def outputs(self, axes: Sequence[Axis]) -> list[int]:
        """The sizes of the output, without channels, from the axes."""
        return [a.output for a in axes]

    @property
    def least(self) -> int:
        """The smallest number of input channels, for layers without weights."""
        return 1

    def channels(self, inputs: int) -> int:
        """The number of output channels, for layers without weights.

        Raises:
            ConvanimError: the layer does not fit this number of input channels.
        """
        return inputs

    def _traced(self, *given: Any, **options: Any) -> Any:
        from convanim.trace import trace

        return trace(self, *given, **options)

"""The operators of ONNX: which positions of its input each one reads.

An operator or an attribute that is not known is named, and what depends on it has no positions: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.layers import Axis, Operation, Pool, Weighted, times
from convanim.layers.adaptive import Adapted
from convanim.models.graph import Joined, Node, Read, spread, still, uneven
from convanim.models.onnxfile import call_of
from convanim.models.versions import operation

#: Operators that act on each cell alone.
POINTWISE = frozenset(
    (
        *("Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Mish"),
        *(
            "Tanh",
            "Softplus",
            "Softsign",
            "ThresholdedRelu",
            "Clip",
            "Identity",
            "Dropout",
            "BatchNormalization",
            "LRN",
        ),
        *(
            "Cast",
            "Abs",
            "Neg",
            "Exp",
            "Log",
            "Sqrt",
            "Erf",
            "Floor",
            "Ceil",
            "Round",
            "Sign",
            "Reciprocal",
            "Sin",
            "Cos",
        ),
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "IsNaN", "Not", "Shrink"),
    )
)
#: Operators that scale a whole map by its own statistics, which are not counted as a dependence.
SCALED = frozenset(
    (
        "InstanceNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "MeanVarianceNormalization",
        "LpNormalization",
    )
)
#: Operators that combine maps cell by cell.
CELLWISE = frozenset(
    (
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Pow",
        "Max",
        "Min",
        "Sum",
        "Mean",
        "PRelu",
        "Where",
        "And",
        "Or",
        "Equal",
        "Greater",
        "Less",
    )
)
#: Operators after which there are no positions any more.
ENDS = frozenset(
    ("Flatten", "Gemm", "MatMul", "Reshape", "Squeeze", "ArgMax", "TopK", "NonMaxSuppression", "RNN", "LSTM", "GRU")
)
_SPATIAL = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool")
_SPATIAL += ("Resize", "Upsample", "DepthToSpace", "SpaceToDepth")  # type: ignore[assignment]


@dataclass(frozen=True)
class Map:
    """A value of the graph with positions: the node that makes it, its shape, and the place of its channels.

    Attributes:
        node: the number of the node.
        shape: the whole shape.
        channel: the axis of the channels; the first axis is the batch, all others are positions.
    """

    node: int
    shape: tuple[int, ...]
    channel: int = 1

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that are positions."""
        return tuple(i for i in range(1, len(self.shape)) if i != self.channel)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes along them."""
        return tuple(self.shape[i] for i in self.axes)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.shape[self.channel]

    def with_sizes(self, sizes: Sequence[int], channels: int | None = None) -> tuple[int, ...]:
        """The shape with other sizes."""
        shape, left = list(self.shape), list(sizes)
        for i in self.axes:
            shape[i] = left.pop(0)
        shape[self.channel] = self.channels if channels is None else channels
        return tuple(shape)


class Stop(Exception):
    """The reason why the positions are not followed through a node."""


class Operators:
    """What the operators of a file read, or of a model in memory, whose calls are taken for operators.

    Args:
        file: the model: the shapes of its values by name, those that are constants, and the attributes of its nodes.
    """

    #: The axis of the channels where they begin.
    channel = 1

    def __init__(self, file: Any) -> None:
        self.file, self.maps = file, dict[str, Map]()
        self.makers: dict[str, int] = {}
        self.shapes = file.shapes

    def known(self, node: Any, made: Node) -> tuple[Node, Map]:
        """The node with what it reads, and the map that it makes.

        Raises:
            Stop: positions end here, or are not followed.
        """
        kind, first = made.kind, self.maps.get(node.input[0]) if node.input else None
        kind = node.op_type if node.domain in ("", "ai.onnx") else kind
        told = self.file.attributes(node)
        if kind in CELLWISE or kind == "Concat":
            return self._merge(kind, node, made, told)
        if first is None:
            raise Stop(say("positions are not followed through its first input"))
        if kind in POINTWISE:
            return replace(made, **_still(first)), first
        if kind in SCALED or kind in ("Softmax", "LogSoftmax", "Hardmax"):
            return self._scaled(kind, made, first, told)
        if kind in _SPATIAL:
            return self.spatial(node, made, first, told)
        others: dict[str, Callable[[Any, Node, Map, dict[str, Any]], tuple[Node, Map]]] = {
            **{"Pad": self._pad, "Slice": self._slice, "Transpose": self._transpose, "Split": self._split},
            **{"ReduceMean": self._reduce, "ReduceMax": self._reduce, "ReduceSum": self._reduce},
            **{"GlobalLpPool": self._reduce, "MatMul": self._matrix},
        }
        if kind in others:
            return others[kind](node, made, first, told)
        if kind == "Reshape" and self.shapes.get(node.output[0]) == first.shape:
            return replace(made, **_still(first)), first
        if kind in ENDS:
            raise Stop(say("{kind} ends the chain: its output has no positions", kind=made.kind))
        raise Stop(say("positions are not followed through {kind}", kind=made.kind))

    def spatial(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        """The node of a layer that is one of convanim's operations, and the map that it makes."""
        if first.channel != 1:
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        constants: dict[str, Any] = {}
        for place, name in enumerate(node.input[1:], start=1):
            if node.op_type in ("Conv", "ConvTranspose"):
                shape = self.file.shape(name) or self.shapes.get(name)
                if place == 1 and (shape is None or None in shape):
                    raise Stop(say("the shape of its kernel is not known"))
                constants[name] = tuple(n or 0 for n in shape) if shape else ()
            elif (value := self.file.value(name)) is not None:
                constants[name] = tuple(value.tolist()) if value.ndim else ()
        try:
            op = operation(call_of(node, told), constants, first.shape, self.file.opset)
            channels = self._channels(op, constants, node, first)
            made, out = self.applied(op, made, first, channels)
        except ConvanimError as error:
            raise Stop(say("{kind} is not followed: {why}", kind=made.kind, why=str(error).rstrip("."))) from None
        self._ceiled(op, made.reads[0].axes, node, out.shape)
        return made, out

    def applied(self, op: Operation, made: Node, first: Map, channels: int) -> tuple[Node, Map]:
        """The node of an operation, and the map that it makes.

        Raises:
            ConvanimError: it does not fit the sizes.
        """
        axes = op.axes(first.sizes)
        if isinstance(op, Weighted):
            op = replace(op, in_channels=first.channels, out_channels=channels)
        out = first.with_sizes(op.outputs(axes), channels)
        return replace(made, op=op, reads=(Read(first.node, axes),), notes=uneven(op, axes)), replace(first, shape=out)

    def _channels(self, op: Operation, constants: Mapping[str, Any], node: Any, first: Map) -> int:
        if not isinstance(op, Weighted):
            return op.channels(first.channels)
        shape = constants[node.input[1]]
        takes = shape[0] if op.transposed else shape[1] * op.groups
        if takes != first.channels:
            raise ConvanimError(f"its kernel takes {takes} channels, and its input has {first.channels}", "")
        return int(shape[1] * op.groups if op.transposed else shape[0])

    def _ceiled(self, op: Operation, axes: Sequence[Axis], node: Any, out: tuple[int, ...]) -> None:
        """Stop at a pooling whose size is rounded up in a case for which older opsets have no rule."""
        if not (isinstance(op, Pool) and op.ceil_mode) or self.file.opset >= 22:
            return
        more = [a for a in axes if -(-(a.padded - a.reach) // a.stride) + 1 > a.output]
        if not more or self.file.declared.get(node.output[0]) == out:
            return
        raise Stop(
            say(
                "{kind} rounds up, and opset {n} does not say whether a window may start in the padding; convert the "
                "model to opset 22",
                kind=node.op_type,
                n=self.file.opset,
            )
        )

    def _merge(self, kind: str, node: Any, made: Node, told: dict[str, Any]) -> tuple[Node, Map]:
        parts = [self.maps.get(name) for name in node.input if name]
        here = [part for part in parts if part is not None]
        for name, part in zip([n for n in node.input if n], parts, strict=True):
            if part is None and name in self.makers:
                raise Stop(say("positions are not followed through one of its inputs"))
        rank, channel = len(here[0].shape), here[0].channel
        if any(len(part.shape) != rank or part.channel != channel for part in here):
            raise Stop(say("its inputs have their axes in different orders"))
        if kind == "Concat":
            return self._concat(node, made, here, parts, told)
        constants = [
            shape for name in node.input if name and name not in self.maps and (shape := self.file.shape(name))
        ]
        shapes = [part.shape for part in here] + [
            (1,) * (rank - len(s)) + tuple(s) for s in constants if len(s) <= rank
        ]
        if any(len(s) > rank for s in constants):
            raise Stop(say("its inputs have their axes in different orders"))
        out = [max(sides) for sides in zip(*shapes, strict=True)]
        faults = [
            say("its inputs are {sizes}, which do not fit together; crop or pad one of them",
                sizes=" | ".join(times(s) for s in shapes))
            for i, n in enumerate(out) if any(s[i] not in (1, n) for s in shapes)
        ][:1]  # fmt: skip
        if faults:
            raise ConvanimError(faults[0])
        whole = Map(0, tuple(out), channel)
        reads = tuple(
            Read(p.node, tuple(_fitting(n, m) for n, m in zip(p.sizes, whole.sizes, strict=True))) for p in here
        )
        return replace(made, reads=_distinct(reads)), whole

    def _concat(
        self, node: Any, made: Node, here: Sequence[Map], parts: Sequence[Map | None], told: dict[str, Any]
    ) -> tuple[Node, Map]:
        rank, channel = len(here[0].shape), here[0].channel
        axis = told.get("axis", 1) % rank
        if axis == 0 or (len(here) < len(parts) and axis != channel):
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        if any(a.shape[i] != here[0].shape[i] for a in here for i in range(rank) if i != axis):
            told_sizes = " | ".join(times(part.shape) for part in here)
            raise ConvanimError(say("its inputs are {sizes}, which do not fit together; crop or pad one of them",
                                    sizes=told_sizes))  # fmt: skip
        total = sum(part.shape[axis] for part in here)
        shape = tuple(total if i == axis else n for i, n in enumerate(here[0].shape))
        if axis == channel:
            inferred = self.shapes.get(node.output[0])
            whole = Map(0, shape, channel)
            if len(here) < len(parts) and inferred and inferred[axis]:
                whole = replace(whole, shape=tuple(n or 1 for n in inferred))
            return replace(made, reads=_distinct(tuple(Read(p.node, still(p.sizes)) for p in here))), whole
        reads, done = [], 0
        for part in here:
            n = part.shape[axis]
            moved = Joined(n, total, 1, before=done, after=total - done - n)
            reads.append(
                Read(part.node, tuple(moved if i == axis else Axis(part.shape[i], part.shape[i], 1) for i in part.axes))
            )
            done += n
        return replace(made, reads=tuple(reads)), Map(0, shape, channel)

    def _scaled(self, kind: str, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        whole = say("{kind} depends on the whole map; its receptive field is that of its cells alone", kind=made.kind)
        last = kind == "LayerNormalization" and first.channel == len(first.shape) - 1
        able = last or (kind not in SCALED and self.file.opset >= 13)
        channelwise = able and told.get("axis", -1) % len(first.shape) == first.channel
        return replace(made, notes=() if channelwise else (whole,), **_still(first)), first

    def _matrix(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        shape = tuple(self.shapes.get(node.output[0]) or ())
        fixed = not any(name in self.makers for name in node.input[1:])
        if not fixed or first.channel != len(shape) - 1 or shape[:-1] != first.shape[:-1]:
            raise Stop(say("{kind} ends the chain: its output has no positions", kind=made.kind))
        return self._moved(made, first, still(first.sizes), shape[-1])

    def _pad(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        pads = told.get("pads", told.get("paddings")) or self._ints(node, 1)
        rank = len(first.shape)
        mode = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}.get(
            told.get("mode", "constant")
        )
        axes = self._ints(node, 3) or list(range(rank))
        if pads is None or mode is None or len(pads) != 2 * len(axes):
            raise Stop(say("the padding of {kind} is not a constant", kind=made.kind))
        sides = dict(zip((a % rank for a in axes), zip(pads[: len(axes)], pads[len(axes) :], strict=True), strict=True))
        if sides.get(0, (0, 0)) != (0, 0):
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        lines = []
        for i, n in zip(first.axes, first.sizes, strict=True):
            before, after = sides.get(i, (0, 0))
            if n + before + after < 1 or (mode == "reflect" and max(before, after) >= n):
                raise ConvanimError(f"its pads {before} and {after} do not fit a size of {n}")
            lines.append(
                Axis(
                    n,
                    n + before + after,
                    1,
                    before=before,
                    after=after,
                    mode=mode if max(before, after) > 0 else "zeros",
                )
            )
        return self._moved(made, first, lines, first.channels + sum(sides.get(first.channel, (0, 0))))

    def _slice(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        starts, ends = (told.get(word) or self._ints(node, place) for word, place in (("starts", 1), ("ends", 2)))
        if starts is None or ends is None or (len(node.input) > 4 and node.input[4] and self._ints(node, 4) is None):
            raise Stop(say("the bounds of {kind} are not constants", kind=made.kind))
        rank = len(first.shape)
        axes = told.get("axes") or self._ints(node, 3) or list(range(len(starts)))
        steps = told.get("steps") or self._ints(node, 4) or [1] * len(starts)
        cut = {a % rank: slice(*some) for a, *some in zip(axes, starts, ends, steps, strict=True)}
        batch = range(first.shape[0])
        if batch[cut.get(0, slice(None))] != batch or any(part.step < 1 for part in cut.values()):
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        lines = []
        for i, n in zip(first.axes, first.sizes, strict=True):
            kept = range(n)[cut.get(i, slice(None))]
            if not kept:
                raise ConvanimError(f"it leaves no cell of {n} along axis {i}")
            lines.append(Axis(n, len(kept), 1, kept.step, -kept.start, 0))
        channels = len(range(first.channels)[cut.get(first.channel, slice(None))])
        return self._moved(made, first, lines, channels)

    def _split(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        if told.get("axis", 0) % len(first.shape) != first.channel:
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        shape = self.shapes.get(node.output[0])
        channels = shape[first.channel] if shape else None
        return self._moved(made, first, still(first.sizes), channels or first.channels)

    def _transpose(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        rank = len(first.shape)
        turned = told.get("perm") or list(range(rank))[::-1]
        if (
            sorted(turned) != list(range(rank))
            or turned[0] != 0
            or [i for i in turned if i in first.axes] != list(first.axes)
        ):
            raise Stop(say("positions are not followed through {kind}", kind=made.kind))
        shape = tuple(first.shape[i] for i in turned)
        return replace(made, **_still(first)), Map(0, shape, turned.index(first.channel))

    def _reduce(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        rank = len(first.shape)
        axes = list(first.axes) if made.kind == "GlobalLpPool" else told.get("axes") or self._ints(node, 1)
        over = {a % rank for a in axes} if axes else set(range(rank))
        if over == {first.channel} and told.get("keepdims", 1):
            return self._moved(made, first, still(first.sizes), 1)
        if not told.get("keepdims", 1) or over != set(first.axes):
            raise Stop(say("{kind} ends the chain: its output has no positions", kind=made.kind))
        return self._moved(made, first, [Adapted.along(n, 1) for n in first.sizes])

    def _ints(self, node: Any, place: int) -> list[int] | None:
        name = node.input[place] if len(node.input) > place else ""
        value = self.file.value(name) if name else None
        return None if value is None else [int(n) for n in value.ravel()]

    def _moved(self, made: Node, first: Map, axes: Sequence[Axis], channels: int | None = None) -> tuple[Node, Map]:
        out = first.with_sizes([axis.output for axis in axes], channels)
        return replace(made, reads=(Read(first.node, tuple(axes)),)), replace(first, shape=out)


def _still(first: Map) -> dict[str, Any]:
    return {"reads": (Read(first.node, still(first.sizes)),)}


def _fitting(n: int, m: int) -> Axis:
    return spread(m) if n == 1 < m else Axis(n, n, 1)


def _distinct(reads: tuple[Read, ...]) -> tuple[Read, ...]:
    return tuple(dict.fromkeys(reads))

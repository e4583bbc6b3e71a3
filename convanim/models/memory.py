"""Models in memory: the calls that a framework makes, read by the rules of the operators of ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers import Operation
from convanim.layers.calls import Call, Pad
from convanim.layers.reading import read_call
from convanim.layers.reading.modules import of_module
from convanim.models.graph import INPUT, Graph, Node
from convanim.models.nodes import Chain
from convanim.models.operators import POINTWISE, Map
from convanim.models.versions import plain

#: The operator of ONNX that reads the same positions as a layer or a function, by its name in lower case.
_ALIKE = {
    "Add": "add radd iadd sub rsub isub subtract mul rmul imul multiply div rdiv truediv rtruediv itruediv divide "
    "true_divide floor_divide pow rpow power maximum minimum average where lerp addcmul addcdiv copy gt lt ge le eq ne "
    "greater less equal logical_and logical_or masked_fill remainder fmod atan2",
    "Concat": "cat concat concatenate",
    "Flatten": "flatten",
    "Reshape": "reshape view unflatten unsqueeze expand_dims reshape_as view_as",
    "MatMul": "linear dense matmul mm bmm",
    "Split": "chunk split tensor_split split_with_sizes glu",
    "Slice": "getitem narrow",
    "Pad": "pad",
    "Transpose": "permute transpose swapaxes movedim moveaxis",
    "ReduceMean": "mean sum amax amin",
    "Identity": "clone contiguous detach to type type_as float double half bfloat16 cpu cuda data alias square rsqrt "
    "log1p expm1 log2 log10 nan_to_num clamp converttotensor normalization inputlayer rescaling channelshuffle "
    "channel_shuffle",
}
#: The same by the beginning of the name: `Softmax2d` is one of several.
_BEGINS = {
    "Softmax": "softmax softmin logsoftmax log_softmax",
    "LayerNormalization": "layernorm layer_norm",
    "InstanceNormalization": "instancenorm instance_norm groupnorm group_norm normalize rms unitnorm",
    "Identity": "activation alphadropout alpha_dropout batchnorm batch_norm celu dropout elu feature gaussian gelu "
    "hard identity leaky localresponse local_response logsigmoid mish prelu relu rrelu selu sigmoid silu softplus "
    "softsign spatialdropout swish syncbatchnorm tanh threshold",
}
_POINTWISE = frozenset(map(str.lower, POINTWISE))
#: The modes of a padding as ONNX calls them; others are not followed.
MODES = {"zeros": "constant", "replicate": "edge", "circular": "wrap", "reflect": "reflect"}


@dataclass(frozen=True)
class Step:
    """A call in a model, as if it were a node of ONNX.

    Attributes:
        name, kind: its name, and that of its layer or function: "Conv2d".
        input, output: the names of the values that it takes and makes.
        op_type: the operator of ONNX that reads the same positions; "" if there is none.
        told: the attributes of that operator.
        op: the operation, if it is one of convanim's.
        parameters: how many numbers it has learned.
        wrong: why it is not followed.
    """

    name: str
    kind: str
    input: Sequence[str]
    output: Sequence[str]
    op_type: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    op: Operation | None = None
    parameters: int = 0
    wrong: str = ""
    domain: str = ""


class Recording:
    """The calls of a model in their order, and the shapes of all values, with a batch.

    Args:
        name: the class of the model.
        framework: its name in messages.
        shape: that of the input.
        channel: the axis of its channels.
    """

    def __init__(self, name: str, framework: str, shape: Sequence[int], channel: int) -> None:
        self.name, self.framework, self.channel = name, framework, channel
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {INPUT: tuple(shape)}
        self.declared: dict[str, tuple[int, ...]] = {}
        self.opset = 22  # whose rules for poolings and resizings leave nothing open
        self._counted: set[int] = set()
        #: What must live for as long as the recording, since it is told from others by its id.
        self.kept: list[Any] = []

    def value(self, shape: Sequence[int]) -> str:
        """The name of a new value of this shape."""
        name = f"v{len(self.shapes)}"
        self.shapes[name] = tuple(shape)
        return name

    def attributes(self, step: Step) -> dict[str, Any]:
        """The attributes of a step."""
        return step.told

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a value."""
        return self.shapes.get(name)

    def count(self, arrays: Sequence[Any]) -> int:
        """How many numbers are in arrays that no step has had before."""
        self.kept += arrays
        new = {id(one): prod(one.shape) for one in arrays if id(one) not in self._counted}
        self._counted |= set(new)
        return sum(new.values())


def alike(name: str) -> str:
    """The operator of ONNX that reads the same positions; "" if none is known.

    Example:
        >>> alike("__radd__"), alike("MaxPool2d"), alike("LeakyReLU"), alike("Concatenate")
        ('Add', '', 'Identity', 'Concat')
    """
    low = name.strip("_").lower()
    if low in _POINTWISE:
        return "Identity"
    exact = (kind for kind, names in _ALIKE.items() if low in names.split())
    return next(exact, "") or next(
        (kind for kind, begins in _BEGINS.items() if low.startswith(tuple(begins.split()))), ""
    )


def layer(module: Any) -> dict[str, Any]:
    """What a layer does, as fields of a `Step`, if it is one of convanim's operations."""
    try:
        return {"op_type": "Conv", "op": of_module(module).op}
    except ConvanimError as error:
        known = not error.message.endswith("is not a layer that can be shown")
        return {"wrong": str(error).rstrip(".")} if known else {}


def call(made: Call, rank: int, channel: int = 1) -> dict[str, Any]:
    """What the call of a layer or a function does, as fields of a `Step`, on an array with some number of axes."""
    try:
        found = read_call(made)
    except ConvanimError as error:
        return {"wrong": str(error).rstrip(".")}
    if isinstance(found, Pad):
        sides = [(0, 0)] * rank
        end = rank if channel == 1 else rank - 1
        sides[end - len(found.pads) : end] = found.pads
        return padded(sides, MODES.get(found.mode, found.mode))
    return {"op_type": "Conv", "op": found} if found else {}


def padded(sides: Sequence[tuple[int, int]], mode: str) -> dict[str, Any]:
    """What a padding does, from two numbers for each axis, as fields of a `Step`."""
    return {
        "op_type": "Pad",
        "told": {"pads": [one for side in zip(*sides, strict=True) for one in side], "mode": mode},
    }


def sliced(index: Any, rank: int) -> dict[str, Any]:
    """What an index does, as fields of a `Step`; none if it does not keep all axes.

    Example:
        >>> sliced((..., slice(1, -1)), 4)["told"]
        {'starts': [1], 'ends': [-1], 'axes': [3], 'steps': [1]}
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (isinstance(part, slice) or part is ...) for part in parts):
        return {}
    if ... in parts:
        at = parts.index(...)
        parts[at : at + 1] = [slice(None)] * (rank - len(parts) + 1)
    cut = [(i, part) for i, part in enumerate(parts) if part != slice(None)]
    if not cut:
        return {"op_type": "Identity"}
    starts = [part.start or 0 for _, part in cut]
    ends = [2**31 if part.stop is None else part.stop for _, part in cut]
    told = {"starts": starts, "ends": ends, "axes": [i for i, _ in cut], "steps": [part.step or 1 for _, part in cut]}
    return {"op_type": "Slice", "told": told}


class _Recorded(Chain):
    """Reads the steps of a recording in order."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, "", recording.framework)
        shape = recording.shapes[INPUT]
        self.channel = recording.channel
        self.begin(INPUT, Map(0, shape, self.channel % len(shape)) if len(shape) >= 3 else None)

    def spatial(self, node: Any, made: Node, first: Map, told: dict[str, Any]) -> tuple[Node, Map]:
        shape = self.shapes[node.output[0]]
        channels = shape[first.channel if len(shape) == len(first.shape) else -1]
        return self.applied(plain(node.op), made, first, channels or 1)

    def _compared(self, made: Node, name: str, inferred: Sequence[int | None] | None) -> Node:
        flat = len(inferred or ()) < len(made.shape or ())  # a global pooling without the axes of its map
        return made if flat else super()._compared(made, name, tuple(inferred or ()))

    def _out(self, node: Any, place: int, name: str, out: Map) -> None:
        if len(self.shapes[name]) == len(out.shape):
            super()._out(node, place, name, out)


def read(recording: Recording) -> Graph:
    """The layers of a model from its calls."""
    chain = _Recorded(recording)
    for step in recording.steps:
        chain.add(step, Node(step.name, step.kind, parameters=step.parameters), step.wrong)
    return Graph(recording.name, tuple(chain.nodes))

"""Reads the nodes of an ONNX graph in order, as layers with names, sizes and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

from convanim.errors import ConvanimError
from convanim.language.words import say
from convanim.models.given import given_input
from convanim.models.graph import INPUT, Graph, Node, Read, checked, still
from convanim.models.onnxfile import OnnxFile, Shape, stated
from convanim.models.operators import CELLWISE, POINTWISE, Map, Operators, Stop

#: Operators whose values are learned.
LEARNED = {
    "BatchNormalization": slice(1, 3),
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "MatMul", "PRelu"), slice(1, None)),
}
LEARNED |= dict.fromkeys(
    ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "Add", "Mul"), slice(0, None)
)

#: Convolutions of quantised values, and the place of their kernel among the inputs.
QUANTISED = {"QLinearConv": 3, "ConvInteger": 1}


class Chain(Operators):
    """The layers of a model, one node after the other, of a file or of a model in memory.

    Args:
        file: the model: its values by name, their shapes, and the attributes of its nodes.
        whose: who states the shapes of values, and who infers them.
    """

    def __init__(self, file: Any, *whose: str) -> None:
        super().__init__(file)
        self.nodes: list[Node] = []
        self.made: dict[int, Any] = {}
        self.whose = whose
        self._names: dict[str, int] = {}

    def begin(self, name: str, start: Map | None) -> None:
        """Begin with an input; None if it has no positions."""
        if start is None:
            self.nodes = [Node(INPUT, "", shape=tuple(n or 1 for n in self.shapes.get(name) or ()) or None)]
            return
        self.nodes = [Node(INPUT, "", start.sizes, start.channels, shape=start.shape)]
        self.maps[name] = start

    def add(self, node: Any, made: Node, wrong: str = "") -> None:
        """Add a node.

        Args:
            node: it has names of values as `input` and `output`, an `op_type` and a `domain`.
            made: the layer, without what it reads and without sizes.
            wrong: why it is not followed.
        """
        number = len(self.nodes)
        self._names[made.name] = seen = self._names.get(made.name, 0) + 1
        made = made if seen == 1 else replace(made, name=f"{made.name}#{seen}")
        shape = self.shapes.get(node.output[0]) if node.output else None
        whole = tuple(n for n in shape if n is not None) if shape and None not in shape else None
        out: Map | None = None
        if any(one in self.maps for one in node.input):
            try:
                if wrong:
                    raise Stop(say("{kind} is not followed: {why}", kind=made.kind, why=wrong))
                made, out = self.known(node, made)
            except Stop as stop:
                made = replace(made, notes=(stop.args[0],))
            except ConvanimError as error:
                made = replace(made, faults=(f"{error}".rstrip("."),))
        elif whole and len(whole) >= 3 and self._begins(node):
            start = Map(0, whole, self.channel % len(whole))
            self.nodes[0] = Node(INPUT, "", start.sizes, start.channels, shape=whole)
            told = say("the chain begins here: the input of the model has no positions")
            made, out = replace(made, notes=(told,), reads=(Read(0, still(start.sizes)),)), start
        if out is None:
            made = replace(made, shape=whole)
        else:
            made = replace(made, sizes=out.sizes, channels=out.channels, shape=out.shape)
            made = self._compared(made, node.output[0], shape)
        self.made[number] = node
        self.nodes.append(made)
        # The scales that a quantisation finds are numbers without a place.
        made_here = node.output[:1] if node.op_type == "DynamicQuantizeLinear" else node.output
        for place, one in enumerate(made_here):
            self.makers[one] = number
            self.maps.pop(one, None)  # a value that is changed in place
            if out is not None:
                self._out(node, place, one, replace(out, node=number))

    def _begins(self, node: Any) -> bool:
        """Whether a node makes the first value that has positions."""
        return node.op_type in ("Reshape", "Unsqueeze") and not any(node.sizes for node in self.nodes)

    def _out(self, node: Any, place: int, name: str, out: Map) -> None:
        if node.op_type == "Split":
            shape = self.shapes.get(name)
            out = replace(out, shape=out.with_sizes(out.sizes, shape[out.channel] if shape else out.channels))
        self.maps[name] = out
        self.shapes[name] = out.shape

    def _compared(self, made: Node, name: str, inferred: Shape | None) -> Node:
        """A node with a fault if its output is stated, or inferred by others, with another shape."""
        for whose, shape in zip(self.whose, (self.file.declared.get(name), inferred), strict=True):
            if (found := checked(made, shape, whose)) is not made:
                return found
        return made


class Reader(Chain):
    """Reads the nodes of a file in order.

    Args:
        file: the model.
        given: the shape of its input, or the part of it that the file does not state; None if the file states it.

    Raises:
        ConvanimError: the input has no size, or another one than given.
    """

    def __init__(self, file: OnnxFile, given: Sequence[int] | None = None) -> None:
        self.source, shape = given_input(file, given)
        self._weights: dict[str, str] = {}  # what is computed from weights, such as their values without scales
        super().__init__(file, say("the file"), say("ONNX's shape inference"))
        self.shapes |= {one.name: known for one in file.inputs if (known := stated(one.type)) is not None}
        if shape is not None:
            self.shapes[self.source] = shape
        self.begin(self.source, self._start(self.source, shape) if shape and len(shape) >= 3 else None)

    def _start(self, name: str, shape: tuple[int, ...]) -> Map:
        """The input, whose channels are last if all layers that read it move them."""
        names, layers = {name}, []
        for node in self.file.model.graph.node:
            if not names.isdisjoint(node.input):
                if node.op_type in POINTWISE | CELLWISE | {"Pad", "Slice", "Concat"}:
                    names |= set(node.output)
                else:
                    layers.append(node)
        last = len(shape) - 1
        turned = [n.op_type == "Transpose" and self.file.attributes(n).get("perm", [0, 0])[1] == last for n in layers]
        return Map(0, shape, last if turned and all(turned) else 1)

    def graph(self) -> Graph:
        """The graph of all nodes that depend on an input."""
        given = {one.name for one in self.file.inputs}
        for node in self.file.model.graph.node:
            depends = any(name in self.makers or name in given for name in node.input)
            if not depends or node.op_type == "Shape":
                folded = self.file.fold(node)
                if not folded and not depends:  # it computes weights from weights
                    self.shapes |= self.file.infer(node)
                    self._weights |= dict.fromkeys(node.output, self._weights.get(node.input[0], node.input[0])
                                                   if node.input else "")  # fmt: skip
                if folded or not depends:
                    continue
            kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
            wrong = self.file.wrong(node) if kind == node.op_type else ""
            self.shapes |= {} if wrong else self.file.infer(node)
            plain = self._plain(node)
            self.add(plain, Node(self._named(plain), kind, parameters=self._parameters(plain)), wrong)
        notes = []
        if len(self.file.inputs) > 1:
            names = ", ".join(one.name for one in self.file.inputs if one.name != self.source)
            told = say(
                "positions are followed from the input {name}, not from {others}", name=self.source, others=names
            )
            notes.append(told)
        return Graph(self.file.name, tuple(self.nodes), tuple(notes))

    def _plain(self, node: Any) -> Any:
        """A quantised convolution as one without scales and zero points, which has the same positions."""
        if node.op_type not in QUANTISED or len(node.input) <= QUANTISED[node.op_type]:
            return node
        plain = self.file.onnx.NodeProto()
        plain.CopyFrom(node)
        plain.op_type = "Conv"
        del plain.input[:]
        plain.input.extend((node.input[0], node.input[QUANTISED[node.op_type]]))
        return plain

    def _named(self, node: Any) -> str:
        name: str = node.name or (node.output[0] if node.output else node.op_type)
        weight = node.input[1] if len(node.input) > 1 else ""
        if name.startswith("node_") and weight in self.file.initial and weight.endswith(".weight"):
            name = weight.removesuffix(".weight")  # PyTorch numbers its nodes, and keeps the names of weights
        return name

    def _parameters(self, node: Any) -> int:
        learned = [self._weights.get(name, name) for name in node.input[LEARNED.get(node.op_type, slice(0, 0))]]
        return sum(prod(self.file.initial[name].dims) for name in learned if name in self.file.initial)


class Reading(NamedTuple):
    """The layers of a file, the name of the input that they are followed from, and their nodes by number."""

    graph: Graph
    source: str
    made: dict[int, Any]


def read(file: OnnxFile, given: Sequence[int] | None = None) -> Reading:
    """The layers of a file.

    Raises:
        ConvanimError: as for `Reader`.
    """
    reader = Reader(file, given)
    return Reading(reader.graph(), reader.source, reader.made)

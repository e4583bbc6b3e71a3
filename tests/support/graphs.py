"""Graphs of ONNX for tests, built node by node, and their values by ONNX's reference evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from support.needs import need_module

onnx = need_module("onnx", promised=True)
need_module("onnx.reference", promised=True)
helper = onnx.helper


class Graph:
    """A graph that grows at its end.

    Args:
        shape: of the input, with the batch.
        opset: the version of the operators.
        ones: whether all weights are 1, so that the output shows what it depends on.
    """

    def __init__(self, *shape: int | str | None, opset: int = 17, ones: bool = False) -> None:
        self.shape, self.opset, self.ones = shape, opset, ones
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.at, self.channels = "x", shape[1] if len(shape) > 1 else 1
        self.random = np.random.default_rng(0)

    def constant(self, values: Any, kind: Any = None) -> str:
        """A constant, and its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, kind: str, *more: str, name: str = "", of: Sequence[str] = (), **attributes: Any) -> str:
        """A node that reads the end of the graph, or other values, and further inputs."""
        out = f"v{len(self.nodes)}"
        read = [*(of or [self.at]), *more]
        self.nodes.append(
            helper.make_node(kind, read, [out], name=name or f"{kind.lower()}{len(self.nodes)}", **attributes)
        )
        self.at = out
        return out

    def weights(self, shape: Sequence[int]) -> str:
        values = np.ones(shape) if self.ones else self.random.normal(size=shape)
        return self.constant(values, np.float32)

    def conv(self, channels: int, k: int, name: str = "", *, rank: int = 2, up: bool = False, **attributes: Any) -> str:
        """A convolution, or a transposed one, with a square kernel; one number as padding stands for all sides."""
        group = attributes.get("group", 1)
        ins = int(self.channels or 1)
        shape = (ins, channels // group, *[k] * rank) if up else (channels, ins // group, *[k] * rank)
        for word, count in (("pads", 2 * rank), ("strides", rank), ("dilations", rank), ("output_padding", rank)):
            if isinstance(attributes.get(word), int):
                attributes[word] = [attributes[word]] * count
        bias = [] if self.ones else [self.weights((channels,))]
        self.channels = channels
        return self.add("ConvTranspose" if up else "Conv", self.weights(shape), *bias, name=name, **attributes)

    def pool(self, kind: str = "MaxPool", k: int = 2, s: int = 2, name: str = "", **attributes: Any) -> str:
        return self.add(kind, name=name, kernel_shape=[k, k], strides=[s, s], **attributes)

    def model(self, outputs: Sequence[str] = (), stated: Sequence[tuple[str, Sequence[int]]] = ()) -> Any:
        """The model; `stated` has shapes that the file declares."""
        taken = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, self.shape)]
        made = [helper.make_empty_tensor_value_info(name) for name in outputs or [self.at]]
        told = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in stated]
        graph = helper.make_graph(self.nodes, "graph", taken, made, self.constants, value_info=told)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10
        return model

    def values(self, x: Any) -> dict[str, Any]:
        """The output of every node, by the name of the node."""
        names = [node.output[0] for node in self.nodes]
        with np.errstate(all="ignore"):
            found = onnx.reference.ReferenceEvaluator(self.model(names)).run(None, {"x": np.asarray(x, np.float32)})
        return {node.name: value for node, value in zip(self.nodes, found, strict=True)}


def dependences(build: Any, sizes: Sequence[int]) -> dict[str, Any]:
    """What each cell of each node depends on, by the definition: a mask (*cells of the node, *cells of the input).

    Every cell of the input is 1 in one item of a batch and 0 in all others; with weights of 1, what is not 0 depends on
    it. Channels are summed.

    Args:
        build: makes the graph for a batch of some size, with weights of 1.
        sizes: of the input.
    """
    cells = int(np.prod(sizes))
    hot = np.eye(cells, dtype=np.float32).reshape(cells, 1, *sizes)
    found = build(cells).values(hot)
    masks = {}
    for name, value in found.items():
        lit = np.abs(value).sum(axis=1) > 1e-6
        masks[name] = np.moveaxis(lit.reshape(*sizes, *lit.shape[1:]), range(len(sizes)), range(-len(sizes), 0))
    return masks

"""Reads an ONNX file as data: its graph, its constants and weights, and the activations that its evaluator computes.

Nothing in the file is trusted: sizes are limited, and data outside the file come from its own folder only, never
through a link.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError, reason, shortly
from convanim.layers.calls import Call
from convanim.system.inputfile import open_regular, read_bytes

#: The maximum size of a file in bytes: that of a large image classifier. A protobuf may have 2 GiB.
LARGEST = 2**30
#: The maximum number of nodes, of values in a constant that is not a weight, and of values that a constant node makes.
MOST_NODES, MOST_VALUES, MOST_FOLDED = 20_000, 2**16, 2**12
#: The maximum number of values and of multiplications in a model that is evaluated: about a minute.
MOST_CELLS, MOST_PRODUCTS = 2**26, 2 * 10**9
#: Files that hold code which runs when they are loaded.
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")
_EXPORT = 'export the model in Python with torch.onnx.export(model, x, "m.onnx"), and give m.onnx'
_KERAS = 'export the model in Python with model.export("m.onnx", format="onnx"), and give m.onnx'
#: Operators on the sizes of other values, which are computed while the graph is read.
_FOLDED = (
    *("Add", "Sub", "Mul", "Div", "Mod", "Floor", "Ceil", "Neg", "Abs", "Cast", "Concat", "Gather", "Slice", "Squeeze"),
    *("Unsqueeze", "Reshape", "Transpose", "Identity", "Min", "Max", "Equal", "Where", "ReduceProd", "Sqrt", "Round"),
    *("ConstantOfShape", "Expand", "Range", "Tile"),
)
#: Operators that run others, perhaps without end.
_LOOPS = ("Loop", "Scan", "If", "SequenceMap")

Array = NDArray[Any]
Shape = tuple[int | None, ...]


class OnnxFile:
    """A model of ONNX.

    Args:
        model: the model, as `onnx.load` returns it.
        name: its name in messages.
        folder: the folder of its external data; None if there is none.
    """

    def __init__(self, model: Any, name: str, folder: Path | None = None) -> None:
        self.model, self.name, self.folder, self.onnx = model, name, folder, imported()
        graph = model.graph
        if not graph.node:
            raise ConvanimError(f"{name} has no layers", "give the file of a whole model")
        if any(
            not isinstance(text, str) for text in _texts(model)
        ):  # protobuf gives bytes that are not UTF-8 as they are
            raise ConvanimError(f"{name} has a name that is not a text", "export the model again")
        if len(graph.node) > MOST_NODES:
            raise ConvanimError(f"{name} has {len(graph.node):,} nodes", f"use a model of at most {MOST_NODES:,}")
        if negative := next((one for one in graph.initializer if min(one.dims, default=0) < 0), None):
            told = f"the tensor {shortly(negative.name)} of {name} has the shape {[*negative.dims]}"
            raise ConvanimError(told, "export the model again")
        self._in_order(graph)
        self.opset = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 1)
        known = self.onnx.defs.onnx_opset_version()
        if self.opset < 1:
            raise ConvanimError(f"{name} uses opset {self.opset}, which does not exist", "export the model again")
        if self.opset > known:
            raise ConvanimError(
                f"{name} uses opset {self.opset}, and the installed onnx {self.onnx.__version__} knows {known} at most",
                "update it with pip install -U onnx",
            )
        self.initial = {one.name: one for one in graph.initializer}
        self.sparse = {one.values.name for one in graph.sparse_initializer}
        self.functions = {(one.domain, one.name) for one in model.functions}
        self._values: dict[str, Array | None] = {}
        self._elements = {one.name: one.data_type for one in graph.initializer}
        self._elements |= {one.name: one.type.tensor_type.elem_type or 1 for one in graph.input}
        #: The shapes of values, which are found while the graph is read.
        self.shapes: dict[str, Shape] = {}

    def _in_order(self, graph: Any) -> None:
        """Refuse a graph in which a node reads what is made after it."""
        made = {name: number for number, node in enumerate(graph.node) for name in node.output if name}
        for number, node in enumerate(graph.node):
            if late := next((name for name in node.input if made.get(name, -1) >= number), None):
                told = (
                    f"{shortly(node.name or node.op_type)} in {self.name} reads {shortly(late)}, which is made after it"
                )
                raise ConvanimError(f"{told}: the graph has a cycle or is not in order", "export the model again")

    # --- shapes -------------------------------------------------------------------------------------------------------

    @cached_property
    def inputs(self) -> list[Any]:
        """The inputs that are given, without those that have a value in the file."""
        return [one for one in self.model.graph.input if one.name not in self.initial]

    def kind(self, name: str) -> np.dtype[Any]:
        """The type of the numbers of an input."""
        one = next(one for one in self.model.graph.input if one.name == name)
        found: np.dtype[Any] = np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type or 1))
        return found

    @cached_property
    def declared(self) -> dict[str, Shape]:
        """The shapes that the file states, by the names of values."""
        graph = self.model.graph
        return {
            one.name: shape for one in (*graph.value_info, *graph.output, *graph.input) if (shape := stated(one.type))
        }

    def infer(self, node: Any) -> dict[str, Shape]:
        """The shapes of what a node makes by ONNX's own rules, from those of its inputs; none if these are not known.

        Its compiled rules end the process for some sizes below 1, so one node is inferred at a time.
        """
        if node.domain not in ("", "ai.onnx") or any(one.g.node or one.graphs for one in node.attribute):
            return {}
        helper, known, data = self.onnx.helper, {}, {}
        for name in filter(None, node.input):
            weight = name in self.initial and (prod(self.initial[name].dims) > 256 or external(self.initial[name]))
            shape = self.shapes.get(name) or self.shape(name)
            if shape is None or any(n is not None and n < 1 for n in shape):
                return {}
            known[name] = helper.make_tensor_type_proto(self._elements.get(name, 1), shape)
            if not weight and (value := self.value(name)) is not None:
                data[name] = self.onnx.numpy_helper.from_array(value, name)
                known[name] = helper.make_tensor_type_proto(data[name].data_type, value.shape)
        try:
            schema = self.onnx.defs.get_schema(node.op_type, self.opset, "")
            imports = [helper.make_opsetid("", self.opset)]
            found = self.onnx.shape_inference.infer_node_outputs(schema, node, known, data, opset_imports=imports)
        except Exception:  # the errors of its C++ code have no common class
            return {}
        self._elements |= {name: kind.tensor_type.elem_type or 1 for name, kind in found.items()}
        return {name: shape for name, kind in found.items() if (shape := stated(kind)) is not None}

    # --- values -------------------------------------------------------------------------------------------------------

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a value of the file."""
        if name in self.initial:
            return tuple(self.initial[name].dims)
        known = self.value(name)
        return None if known is None else known.shape

    def value(self, name: str) -> Array | None:
        """A constant of the graph, or None; weights are not read here."""
        if name not in self._values and name in self.initial:
            one = self.initial[name]
            self._values[name] = None
            if prod(one.dims) <= MOST_VALUES:
                with suppress(ConvanimError):  # what needs it says that it is not known
                    self._values[name] = self._read(one)
        return self._values.get(name)

    def keep(self, name: str, value: Array) -> None:
        """Take a value for a constant."""
        self._values[name] = value

    def _read(self, tensor: Any) -> Array:
        try:
            found: Array = np.asarray(self.onnx.numpy_helper.to_array(self._local(tensor)))
        except ConvanimError:
            raise
        except Exception as error:  # too few bytes, an unknown type, and the like
            raise ConvanimError(
                f"the tensor {shortly(tensor.name)} of {self.name} cannot be read: {str(error)[:100]}",
                "export the model again",
            ) from None
        return found

    def _local(self, tensor: Any) -> Any:
        """A tensor with its data inside, which may lie in another file of the same folder."""
        if not external(tensor):
            return tensor
        told = {entry.key: entry.value for entry in tensor.external_data}
        place = told.get("location", "")
        what = f"the tensor {shortly(tensor.name)} of {self.name}"
        parts = PurePosixPath(place.replace("\\", "/")).parts
        if self.folder is None or not parts or place.startswith(("/", "\\")) or ":" in place or ".." in parts:
            raise ConvanimError(
                f"{what} has its data in {shortly(place)}, which is not in the folder of the file",
                "put the data beside the file, or export the model as one file",
            )
        path = self.folder.joinpath(*parts)
        try:
            offset, wanted = int(told.get("offset", 0)), int(told.get("length", 0))
        except ValueError:
            raise ConvanimError(f"{what} has an offset or a length that is not a number", "export it again") from None
        for step in (path, *path.parents):  # no link on the way
            if step == self.folder:
                break
            if step.is_symlink():
                raise ConvanimError(f"{what} has its data behind the link {step.name}", "put the file itself there")
        try:
            with open_regular(path, follow=False) as file:
                size = os.fstat(file.fileno()).st_size
                wanted = wanted or size - offset
                if offset < 0 or not 0 <= wanted <= min(size - offset, LARGEST):
                    raise ConvanimError(
                        f"{what} needs {wanted:,} bytes at {offset:,}, and {path.name} has {size:,}", "export it again"
                    )
                file.seek(offset)
                data = file.read(wanted)
        except (OSError, ValueError) as error:
            if isinstance(error, ConvanimError):
                raise
            raise ConvanimError(f"{what} has its data in {path.name}, which cannot be read: {reason(error)}",
                                "put it beside the file") from None  # fmt: skip
        copy = self.onnx.TensorProto()
        copy.CopyFrom(tensor)
        del copy.external_data[:]
        copy.data_location, copy.raw_data = self.onnx.TensorProto.DEFAULT, data
        return copy

    def attributes(self, node: Any) -> dict[str, Any]:
        """The attributes of a node as numbers, words and lists; an attribute that is a tensor as an array."""
        told = {}
        for one in node.attribute:
            value = self.onnx.helper.get_attribute_value(one) if not one.ref_attr_name else None
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            if isinstance(value, self.onnx.TensorProto):
                value = self._read(value)
            told[one.name] = (
                value if isinstance(value, int | float | str | np.ndarray) or value is None else list(value)
            )
        return told

    def wrong(self, node: Any) -> str:
        """What is wrong with a node by the operator's schema; "" if nothing is, or if the operator has none."""
        context = self.onnx.checker.DEFAULT_CONTEXT
        context.opset_imports = {one.domain: one.version for one in self.model.opset_import}
        try:
            self.onnx.checker.check_node(node, context)
        except Exception as error:  # its own class, or that of its C++ code
            return " ".join(str(error).split(". ==>")[0].split())[:160]
        return ""

    def fold(self, node: Any) -> bool:
        """Compute a node from constants, if it is one that computes sizes; return whether it was."""
        kind, own = node.op_type, node.domain in ("", "ai.onnx")
        if not own or len(node.output) != 1:
            return False
        if kind == "Constant":
            value = next(iter(self.attributes(node).values()), None)
            self.keep(node.output[0], np.asarray(value))
            return True
        if kind == "Shape":
            shape = self.shape(node.input[0]) or self.shapes.get(node.input[0])
            if not shape or None in shape:
                return False
            told = self.attributes(node)
            self.keep(node.output[0], np.array(shape[slice(told.get("start"), told.get("end"))], np.int64))
            return True
        given = {name: self.value(name) for name in node.input if name}
        known = [value for value in given.values() if value is not None and value.size <= 256]
        if kind not in _FOLDED or not known or len(known) < len(given) or _grown(kind, known) > MOST_FOLDED:
            return False
        try:
            self.keep(node.output[0], np.asarray(self._run([node], given, [node.output[0]])[0]))
        except Exception:  # the evaluator raises whatever numpy does
            return False
        return True

    # --- evaluation ---------------------------------------------------------------------------------------------------

    def evaluate(self, wanted: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        """Values of the graph, computed by ONNX's reference evaluator.

        Args:
            wanted: the names of the values.
            given: the inputs.

        Raises:
            ConvanimError: it cannot compute them, or it would take too long.
        """
        nodes = self._before(wanted)
        odd = {n.op_type for n in nodes if n.op_type in _LOOPS or (n.domain, n.op_type) in self.functions}
        if odd:
            raise ConvanimError(f"the model has the operator {min(odd)}, which is not evaluated")
        if missing := {n for node in nodes for n in node.input if n in {i.name for i in self.inputs}} - set(given):
            raise ConvanimError(f"the model also needs its input {shortly(min(missing))}")
        self._affordable(nodes)
        used = {n for node in nodes for n in node.input} | set(wanted)
        weights = {name: self._read(one) for name, one in self.initial.items() if name in used}
        try:
            return [np.asarray(found) for found in self._run(nodes, {**weights, **given}, wanted)]
        except Exception as error:  # unknown operators and shapes that do not fit raise errors of all kinds
            raise ConvanimError(f"the evaluator of ONNX fails: {' '.join(str(error).split())[:120]}") from None

    def _run(self, nodes: Sequence[Any], given: Mapping[str, Array | None], wanted: Sequence[str]) -> list[Any]:
        helper = self.onnx.helper
        made = {name for node in nodes for name in node.output}
        told = {name: value for name, value in given.items() if value is not None and name not in made}
        taken = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in told.items()
        ]
        passed = [name for name in wanted if name in told]
        out = [helper.make_empty_tensor_value_info(name) for name in wanted if name not in told]
        results = dict(zip(passed, (told[name] for name in passed), strict=True))
        if out:
            graph = helper.make_graph(nodes, "part", taken, out)
            model = helper.make_model(graph, opset_imports=self.model.opset_import, functions=self.model.functions)
            run = import_module("onnx.reference").ReferenceEvaluator(model)
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results |= dict(zip([one.name for one in out], run.run(None, told), strict=True))
        return [results[name] for name in wanted]

    def _before(self, wanted: Iterable[str]) -> list[Any]:
        """The nodes that some values depend on, in order."""
        need, found = set(wanted), []
        for node in reversed(self.model.graph.node):
            if need & set(node.output):
                need |= set(node.input)
                found.append(node)
        return found[::-1]

    def _affordable(self, nodes: Collection[Any]) -> None:
        cells = products = 0
        for node in nodes:
            for name in node.output:
                shape = self.shapes.get(name)
                size = prod(n or 1 for n in shape) if shape else 0
                cells = max(cells, size)
                if node.op_type in ("Conv", "ConvTranspose") and len(node.input) > 1:
                    weight = self.shape(node.input[1]) or ()
                    products += size * prod(weight[1:] if node.op_type == "Conv" else weight[2:])
        if cells > MOST_CELLS or products > MOST_PRODUCTS:
            raise ConvanimError(f"it would take {max(cells, products):,} multiplications in ONNX's evaluator")


def imported() -> Any:
    """The package onnx.

    Raises:
        ConvanimError: it is not installed.
    """
    try:
        onnx = import_module("onnx")
        import_module("onnx.shape_inference")
        import_module("onnx.checker")
    except ImportError:
        raise ConvanimError(
            "reading an ONNX file needs the package onnx, which is not installed", "type pip install 'convanim[onnx]'"
        ) from None
    return onnx


def loaded(path: str | Path) -> OnnxFile:
    """The model in a file, whose data are not executed.

    Raises:
        ConvanimError: it cannot be read, is too large, or is of another kind.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in PICKLED:
        raise ConvanimError(
            f"{path.name} may hold a pickle, which runs code when it is loaded, so it is never loaded", _EXPORT
        )
    if suffix in (".h5", ".hdf5", ".keras", ".pb", ".tflite"):
        raise ConvanimError(f"{path.name} is not an ONNX file", _KERAS)
    if suffix in (".safetensors", ".npz", ".npy"):
        raise ConvanimError(f"{path.name} holds weights without the layers that use them", _EXPORT)
    try:
        data = read_bytes(path, LARGEST)
    except (OSError, ValueError) as error:
        raise ConvanimError(f"{path} cannot be read: {reason(error)}", "give an .onnx file") from None
    if data[:2] == b"\x80\x02" or data[:4] == b"PK\x03\x04":
        raise ConvanimError(
            f"{path.name} is a pickle or an archive and not an ONNX file, so it is never loaded", _EXPORT
        )
    onnx = imported()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:  # protobuf's errors, whose class depends on its version
        raise ConvanimError(f"{path.name} is truncated or is not an ONNX file", _EXPORT) from None
    if not model.HasField("graph"):
        raise ConvanimError(f"{path.name} is not an ONNX file: it has no graph", _EXPORT)
    return OnnxFile(model, path.name, path.absolute().parent)


def _texts(model: Any) -> Iterator[Any]:
    """All names in a model."""
    graph = model.graph
    yield from (one.domain for one in model.opset_import)
    for one in model.functions:
        yield from (one.name, one.domain)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output, *(a.name for a in node.attribute))
    for tensor in graph.initializer:
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))
    yield from (one.name for one in (*graph.input, *graph.output, *graph.value_info))


def _grown(kind: str, values: Sequence[Array]) -> float:
    """An upper bound of the number of values that an operator makes, of those that can make more than they get."""
    first, *rest = values
    if kind == "ConstantOfShape":
        return float(np.abs(first.astype(float)).prod())
    if kind in ("Expand", "Tile") and rest:
        return float(first.size * np.abs(rest[0].astype(float)).prod())
    if kind == "Range" and len(rest) == 2 and rest[1].all():
        return float(np.abs((rest[0].astype(float) - first) / rest[1]).max(initial=0))
    return 0.0


def external(tensor: Any) -> bool:
    """Whether the data of a tensor lie in another file."""
    return bool(tensor.data_location == 1 or len(tensor.external_data))


def stated(kind: Any) -> Shape | None:
    """The shape that a type states, None for a size without a number; None if it states none."""
    tensor = kind.tensor_type
    if not kind.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    return tuple(one.dim_value if one.HasField("dim_value") and one.dim_value > 0 else None for one in tensor.shape.dim)


def call_of(node: Any, told: Mapping[str, Any]) -> Call:
    """A node as the call that makes it, which the readers of lines take."""
    plain = {word: value for word, value in told.items() if value is not None}
    return Call("make_node", (node.op_type, list(node.input), list(node.output)), plain)

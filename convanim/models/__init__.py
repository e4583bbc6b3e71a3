"""Whole models: their layers with sizes, receptive fields and strides, as a table and as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError, shortly
from convanim.models import memory, nodes, onnxfile
from convanim.models.fields import analysed
from convanim.models.graph import Graph
from convanim.models.reach import mask, reached
from convanim.models.rows import Row, shape_of, table

if TYPE_CHECKING:
    from convanim.animation import Animation
    from convanim.trace import Trace
    from convanim.write.formats import Saved

__all__ = ["Model", "model"]

#: Frameworks whose models are not followed.
_OTHERS = ("flax", "haiku", "equinox", "tinygrad", "mlx", "paddle", "tf_keras", "tensorflow")


def model(source: Any, x: Any = None) -> Model:
    """The layers of a model, with their sizes, receptive fields and strides.

    Args:
        source: the path of an ONNX file, a model that `onnx.load` returned, a `torch.nn.Module`, which runs once, or a
            Keras model.
        x: its input, or the shape of its input, such as (3, 224, 224); needed where the model does not state it.

    Raises:
        ConvanimError: it cannot be read, or the input does not fit.

    Example:
        With `convanim[onnx]`, `model("m.onnx").rows[0].line` is the first layer of a file, such as
        MaxPool(kernel_size=(2, 2), stride=2, convention='onnx'). A pickle is never opened:

        >>> model("net.pt")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        convanim.errors.ConvanimError: net.pt may hold a pickle, which runs code when it is loaded, ...
    """
    return Model(source, x)


class Model:
    """A model as `model` reads it; the arguments are the same."""

    def __init__(self, source: Any, x: Any = None) -> None:
        self._x = None if x is None or _is_shape(x) else _array(x)
        given = None if x is None else tuple(x) if self._x is None else self._x.shape
        self._file: onnxfile.OnnxFile | None = None
        self._source = source
        self._reading: nodes.Reading | None = None
        if isinstance(source, str | Path):
            self._file = onnxfile.loaded(source)
        elif hasattr(source, "graph") and hasattr(source, "opset_import"):
            self._file = onnxfile.OnnxFile(source, "the model")
        if self._file is not None:
            self._reading = nodes.read(self._file, given)
            self.graph: Graph = self._reading.graph
        else:
            self.graph = memory.read(_calls(source).record(source, () if x is None else x))
        self.graph, self.fields = analysed(self.graph)
        self.rows = [Row(self.graph, n, self.fields[n]) for n in range(1, len(self.graph.nodes))]

    @property
    def name(self) -> str:
        """The name of the file, or the class of the model."""
        return self.graph.name

    @property
    def parameters(self) -> int:
        """The number of all learned parameters."""
        return sum(row.parameters for row in self.rows)

    def __str__(self) -> str:
        """The table of the layers, with sentences about some of them below."""
        return "\n".join(table(self.graph, self.rows))

    def facts(self) -> dict[str, Any]:
        """The table as data for `--json`."""
        start = self.graph.nodes[0]
        told = {"model": self.name, "input": shape_of(start), "parameters": self.parameters}
        return told | {"notes": [*map(str, self.graph.notes)], "layers": [row.facts() for row in self.rows]}

    def reads(self, name: str, cell: Sequence[int]) -> dict[str, NDArray[np.bool_]]:
        """The cells of all earlier layers that one cell of a layer depends on, as a mask for each layer.

        Args:
            name: the layer.
            cell: its index, one number per axis.

        Raises:
            ConvanimError: there is no such layer or cell, or its positions are not followed.
        """
        found = reached(self.graph, self.graph.find(name), cell)
        return {self.graph.nodes[n].name: mask(cells, self.graph.nodes[n].sizes or ()) for n, cells in found.items()}

    def trace(
        self,
        name: str,
        *,
        channels: int | Sequence[int] | None = None,
        out_channels: int | Sequence[int] | None = None,
    ) -> Trace:
        """The trace of one layer of a file, with its real weights; with its real activations if there is an input.

        Otherwise the input of the layer is seeded, which a warning says.

        Args:
            name: the layer.
            channels: the numbers of the input channels to draw; the sums are over all of them.
            out_channels: the numbers of the output channels to show, or how many of them; by default the first four.

        Raises:
            ConvanimError: there is no such layer, or it cannot be shown.
        """
        from convanim.models.shown import trace_of

        number = self.graph.find(name)
        if self._file is None or self._reading is None:
            raise ConvanimError("the model is in memory", "use trace_module with its layer")
        return trace_of(self._file, self._reading, number, self._x, channels, out_channels)

    def animate(self, name: str, **options: Any) -> Animation:
        """The animation of one layer: as `trace`, also of a model in memory.

        Args:
            name: the layer.
            options: `channels` and `out_channels` of `trace`, and those of `convanim.look.Look`.

        Raises:
            ConvanimError: there is no such layer, or it cannot be shown.
        """
        from convanim.animation import Animation
        from convanim.models.shown import watched

        if self._file is None:
            return watched(self._source, self.graph, self.graph.find(name), self._x, options)
        chosen = {word: options.pop(word) for word in ("channels", "out_channels") if word in options}
        return Animation(self.trace(name, **chosen), **options)

    def save(self, path: str | Path, progress: Callable[[int, int], None] | None = None, **options: Any) -> Saved:
        """Write the page of the whole chain, an .html file.

        Args:
            path: the file.
            progress: called with the number of layers that are done, and of all.
            options: `theme`, `lang`, and `script` ("inline", or "external" for a script beside the page).

        Raises:
            ConvanimError: the name does not end in .html, or maps have more than three axes.
        """
        from convanim.models.page import save

        return save(self.graph, self.rows, Path(path), progress or (lambda done, total: None), **options)


def _calls(source: Any) -> Any:
    """The module that records the calls of a model in memory.

    Raises:
        ConvanimError: it is no model of PyTorch or Keras.
    """
    from convanim.live import homes_of
    from convanim.models import kerascalls, torchcalls

    homes = homes_of(source)
    if hasattr(source, "named_modules") and not hasattr(source, "get_config"):
        return torchcalls
    if "keras" in homes and hasattr(source, "layers"):
        return kerascalls
    if other := next(iter(homes & set(_OTHERS)), None):
        told = f"{shortly(type(source).__name__)} is of {other}, whose models are not followed"
        raise ConvanimError(told, "export it to ONNX, or give its layers to trace_module, one after the other")
    raise ConvanimError(
        f"{shortly(source)} is not a model", "give the path of an ONNX file, or a model of PyTorch or Keras"
    )


def _array(x: Any) -> NDArray[Any]:
    if isinstance(x, np.ndarray | list | tuple):
        return np.asarray(x)
    from convanim.live import array

    return array(x)


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple | list) and all(isinstance(n, int) and not isinstance(n, bool) for n in x)

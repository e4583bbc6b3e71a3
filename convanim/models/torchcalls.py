"""The calls that a module of PyTorch makes on an example input: its layers, and the functions between them.

PyTorch is not imported: whoever has a module has loaded it.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from convanim.errors import ConvanimError
from convanim.layers import times
from convanim.layers.calls import Call
from convanim.live import called
from convanim.models.graph import INPUT
from convanim.models.memory import Recording, Step, alike, call, layer, sliced

#: Where the layers are at home that are taken as a whole; the calls inside all other modules are followed.
_HOMES = ("torch.nn", "torch.ao.nn")
_FIT = "crop or pad what does not fit, or give another `x`"
_EXPORT = 'export it with torch.onnx.export(model, (x,), "m.onnx"), and give m.onnx'


def record(model: Any, x: Any) -> Recording:
    """The calls of a module.

    Args:
        model: a `torch.nn.Module`. It runs once in evaluation mode, without gradients, and is left as it was.
        x: its input, or the shape of it, with or without a batch.

    Raises:
        ConvanimError: the module does not take the input, or its calls are not seen.
    """
    model = getattr(model, "_orig_mod", model)  # of torch.compile
    given = _tensor(model, x)
    recording = Recording(type(model).__name__, "PyTorch", given.shape, 1)
    names = {part: name for name, part in model.named_modules()}
    recorder = _Recorder(recording, names, given)
    training, handles = {part: part.training for part in names}, []
    torch = sys.modules["torch"]
    try:
        for part in names:
            part.training = False
            handles.append(part.register_forward_pre_hook(recorder.enter))
            handles.append(part.register_forward_hook(recorder.leave, with_kwargs=True))
        with torch.random.fork_rng(devices=[]), _mode(recorder):
            called(model, given)
    except ConvanimError as error:
        if not recorder.where:
            raise
        raise ConvanimError(f"{recorder.where}: {error.message.partition(': ')[2]}", _FIT) from None
    except RuntimeError as error:  # of modules that cannot have hooks
        raise ConvanimError(f"the calls of {recording.name} are not seen: {str(error)[:100]}", _EXPORT) from None
    finally:
        for handle in handles:
            handle.remove()
        for part, flag in training.items():
            part.training = flag
    if not recording.steps:
        raise ConvanimError(
            f"no calls of {recording.name} are seen, perhaps since it is compiled",
            f"give the plain module, or {_EXPORT}",
        )
    return recording


def _tensor(model: Any, x: Any) -> Any:
    """The input with a batch, as the module's weights are."""
    torch = sys.modules["torch"]
    shape = tuple(x) if isinstance(x, tuple | list) else tuple(x.shape)
    if len(shape) < 2 or min(shape) < 1:
        raise ConvanimError("the model needs the shape of its input", "give one with channels, such as `x=(3, 32, 32)`")
    layers = (re.search(r"(?:Conv|ConvTranspose|Pool|Norm)([123])d$", type(part).__name__) for part in model.modules())
    rank = next((int(found[1]) for found in layers if found), 2)
    if not hasattr(x, "detach"):
        x = torch.as_tensor(np.random.default_rng(0).normal(size=shape) if isinstance(x, tuple | list) else x)
    like = next((one for one in model.parameters() if one.is_floating_point()), torch.zeros(1))
    x = x.detach()[None] if len(shape) == rank + 1 else x.detach()
    return x.to(like)


def _mode(recorder: _Recorder) -> Any:
    """The context in which PyTorch tells a recorder of every function that it calls."""

    class Mode(sys.modules["torch"].overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
            try:
                made = function(*given, **(named or {}))
            except Exception:
                recorder.failed(function, given)
                raise
            recorder.function(function, given, named or {}, made)
            return made

    return Mode()


class _Recorder:
    """Turns calls into steps.

    Args:
        recording: gets the steps.
        names: the modules and their names.
        x: the input.
    """

    def __init__(self, recording: Recording, names: dict[Any, str], x: Any) -> None:
        self.recording, self.names = recording, names
        self.path: list[Any] = []
        #: Which call failed, with the sizes of what it was given.
        self.where = ""
        self.inside = 0  # of layers that are taken as a whole
        # The values that depend on the input, by the id of their tensor, which lives for as long as PyTorch needs it.
        self.values: dict[int, tuple[Any, str]] = {}
        self._named(x, INPUT)

    def _named(self, tensor: Any, name: str) -> str:
        self.values[id(tensor)] = weakref.ref(tensor), name
        return name

    def name(self, tensor: Any) -> str:
        """The name of a tensor that depends on the input, or of a constant of its shape."""
        known = self.values.get(id(tensor))
        return known[1] if known and known[0]() is tensor else self.recording.value(tensor.shape)

    def depends(self, tensor: Any) -> bool:
        known = self.values.get(id(tensor))
        return known is not None and known[0]() is tensor

    def enter(self, module: Any, given: Any) -> None:
        """A module is called."""
        self.path.append(module)
        self.inside += _whole(module)

    def leave(self, module: Any, given: Any, named: Any, made: Any) -> None:
        """A module returns."""
        given = (given, named)
        self.path.pop()
        self.inside -= _whole(module)
        if _whole(module) and not self.inside:
            does = _layer(module, next(_tensors(given), None))
            self._add(self.names[module], type(module).__name__, given, made, does, [*module.parameters()])

    def failed(self, function: Any, given: Any) -> None:
        """A function raises an error."""
        if not self.where:
            sizes = " | ".join(times(one.shape) for one in _tensors(given) if self.depends(one))
            self.where = f"{self._path(_kind(function))} does not take its input, which is {sizes}" if sizes else ""

    def _path(self, kind: str) -> str:
        """The name of a function: where it is called, and its own, which that of a layer of PyTorch has no need of."""
        path = self.names[self.path[-1]] if self.path else ""
        return path if self.inside and path else f"{path}.{kind}".strip(".")

    def function(self, function: Any, given: Any, named: dict[str, Any], made: Any) -> None:
        """A function returns."""
        if self.inside:
            return
        kind = _kind(function)
        if kind == "setitem":
            made = given[0]
        first = next(_tensors(given), None)
        does = {} if first is None else _function(kind, first, given, named)
        parameter = sys.modules["torch"].nn.Parameter
        learned = [one for one in _tensors((given, named)) if isinstance(one, parameter)]
        self._add(self._path(kind), kind, (given, named), made, does, learned)

    def _add(self, name: str, kind: str, given: Any, made: Any, does: dict[str, Any], learned: Sequence[Any]) -> None:
        read, out = [*_tensors(given)], [*_tensors(made)]
        if not out or not any(map(self.depends, read)):
            return
        taken = [self.name(one) for one in read]
        outputs = [self._named(one, self.recording.value(one.shape)) for one in out]
        parameters = self.recording.count(learned)
        self.recording.steps.append(Step(name, kind, taken, outputs, parameters=parameters, **does))


def _kind(function: Any) -> str:
    """The name of a function, or of the attribute of a tensor that it reads."""
    name: str = getattr(function, "__name__", "function")
    if name == "__get__":
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return name.strip("_")


def _whole(module: Any) -> bool:
    """Whether a module is a layer of PyTorch, and not one that calls others."""
    home = type(module).__module__
    return home.startswith(_HOMES) and home not in ("torch.nn.modules.container", "torch.nn.modules.module")


def _tensors(value: Any) -> Iterator[Any]:
    """All tensors in a value."""
    if isinstance(value, sys.modules["torch"].Tensor):
        yield value
    elif isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)


def _layer(module: Any, x: Any) -> dict[str, Any]:
    """What a layer does, as fields of a `Step`."""
    kind = type(module).__name__
    rule = alike(kind)
    if rule == "LayerNormalization":
        return {"op_type": rule, "told": {"axis": -len(module.normalized_shape)}}
    if rule == "Softmax":
        return {"op_type": rule, "told": {"axis": 1 if getattr(module, "dim", None) is None else module.dim}}
    if rule == "Split":
        return {"op_type": rule, "told": {"axis": module.dim}}
    if rule:
        return {"op_type": rule}
    if "Pad" in kind and x is not None:
        around = module.padding
        return call(Call(f"nn.{kind}", (), {"padding": around if isinstance(around, int) else tuple(around)}), x.ndim)
    return layer(module)


def _function(kind: str, x: Any, given: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """What a function does, as fields of a `Step`."""
    rule, rank = alike(kind), len(x.shape)

    def argument(place: int, *words: str, usual: Any = None) -> Any:
        found = next((named[word] for word in words if word in named), None)
        return found if found is not None else given[place] if len(given) > place else usual

    told: dict[str, Any] = {}
    if kind in ("max", "min") and sum(1 for _ in _tensors((given, named))) == 2:
        rule = "Add"
    elif kind == "getitem":
        return sliced(given[1], rank)
    elif kind == "narrow":
        dim, start, length = (argument(i, word) for i, word in enumerate(("dim", "start", "length"), start=1))
        return sliced((*[slice(None)] * (dim % rank), slice(start, start + length)), rank)
    elif kind in ("pad", "movedim", "moveaxis") or not rule:
        plain = {word: _plain(value) for word, value in named.items()}
        return call(Call(f"F.{kind.removesuffix('_with_indices')}", tuple(map(_plain, given)), plain), rank)
    elif rule in ("Concat", "Softmax"):
        told = {"axis": argument(1, "dim", "axis", usual=0 if rule == "Concat" else -1)}
    elif rule == "Split":
        told = {"axis": argument(1, "dim", usual=-1) if kind == "glu" else argument(2, "dim", "axis", usual=0)}
    elif rule == "LayerNormalization":
        told = {"axis": -len(argument(1, "normalized_shape"))}
    elif rule == "ReduceMean":
        dims = argument(1, "dim", "axis", usual=range(rank))
        told = {"axes": [dims] if isinstance(dims, int) else [*dims], "keepdims": argument(2, "keepdim", usual=0)}
    elif kind == "permute":
        dims = argument(1, "dims")
        told = {"perm": [n % rank for n in (given[1:] if isinstance(dims, int) else dims)]}
    elif rule == "Transpose":
        order, pair = [*range(rank)], [argument(1, "dim0", "axis0") % rank, argument(2, "dim1", "axis1") % rank]
        order[pair[0]], order[pair[1]] = order[pair[1]], order[pair[0]]
        told = {"perm": order}
    return {"op_type": rule, "told": told}


def _plain(value: Any) -> Any:
    """An argument as numbers and words; a tensor as its shape."""
    if isinstance(value, sys.modules["torch"].Tensor):
        return tuple(value.shape)
    return tuple(map(_plain, value)) if isinstance(value, tuple | list) else value

"""Stand-ins for PyTorch and Keras, of which models in memory are made: arrays without values, layers and functions.

They have what the real ones promise and no more: modules with hooks, a mode that is told of every function, symbolic
tensors that know the call that made them.
"""

# mypy: ignore-errors

from __future__ import annotations

from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import numpy as np


class Tensor:
    """An array of zeros."""

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.ndim = len(self.shape)

    def detach(self):
        return self

    def to(self, other):
        return self

    def is_floating_point(self):
        return True

    def __getitem__(self, index):
        return Tensor((1, *self.shape)) if index is None else dispatch(getitem, self, index)

    def __add__(self, other):
        return dispatch(add, self, other)

    __radd__ = __add__


class Parameter(Tensor):
    pass


MODES = []


def dispatch(function, *given, **named):
    """Call a function, or tell the mode."""
    if not MODES:
        return function(*given, **named)
    mode = MODES.pop()
    try:
        return mode.__torch_function__(function, (), given, named)
    finally:
        MODES.append(mode)


class Mode:
    def __enter__(self):
        MODES.append(self)

    def __exit__(self, *error):
        MODES.remove(self)


def like(x):
    return np.broadcast_to(np.float32(0), x.shape)


def getitem(x, index):
    return Tensor(like(x)[index].shape)


getitem.__name__ = "__getitem__"


def add(x, y):
    shapes = [one.shape for one in (x, y) if isinstance(one, Tensor)]
    return Tensor(np.broadcast_shapes(*shapes))


def cat(tensors, dim=0):
    return Tensor(np.concatenate([like(one) for one in tensors], dim).shape)


def relu(x, inplace=False):
    return x if inplace else Tensor(x.shape)


def pad(x, pad, mode="constant", value=None):
    sides = [(0, 0)] * x.ndim
    for i in range(len(pad) // 2):
        sides[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    return Tensor(n + a + b for n, (a, b) in zip(x.shape, sides, strict=True))


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None):
    return Tensor((*x.shape[:2], *(n * scale_factor for n in x.shape[2:])))


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return Tensor((*x.shape[:2], *(n // kernel_size for n in x.shape[2:])))


def conv2d(x, weight, bias=None, stride=1, padding=0):
    out = [(n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    if min(out) < 1:
        raise RuntimeError("kernel size can't be greater than actual input size")
    return Tensor((x.shape[0], weight.shape[0], *out))


def roll(x, shifts, dims):
    return Tensor(x.shape)


def mean(x, dim=None, keepdim=False):
    return Tensor(np.mean(like(x), tuple(dim), keepdims=keepdim).shape)


def flatten(x, start=0):
    return Tensor((*x.shape[:start], int(np.prod(x.shape[start:]))))


def permute(x, *dims):
    return Tensor(x.shape[i] for i in dims)


def chunk(x, chunks, dim=0):
    return [Tensor(part.shape) for part in np.array_split(like(x), chunks, dim)]


class Module:
    """Has children by name, and hooks."""

    def __init__(self, **parts):
        self.training, self.before, self.after, self.parts = True, [], [], {}
        for name, part in parts.items():
            setattr(self, name, part)
            if isinstance(part, Module):
                self.parts[name] = part

    def named_children(self):
        return self.parts.items()

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, part in self.parts.items():
            yield from part.named_modules(f"{prefix}.{name}".strip("."))

    def modules(self):
        return (part for _, part in self.named_modules())

    def parameters(self):
        return (value for part in self.modules() for value in vars(part).values() if isinstance(value, Parameter))

    def register_forward_pre_hook(self, hook):
        self.before.append(hook)
        return SimpleNamespace(remove=lambda: self.before.remove(hook))

    def register_forward_hook(self, hook, *, with_kwargs=False):
        assert with_kwargs
        self.after.append(hook)
        return SimpleNamespace(remove=lambda: self.after.remove(hook))

    def __call__(self, *given, **named):
        for hook in self.before:
            hook(self, given)
        made = self.forward(*given, **named)
        for hook in self.after:
            hook(self, given, named, made)
        return made


class Conv2d(Module):
    def __init__(self, c_in, c_out, k, stride=1, padding=0):
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = c_in, c_out, (k, k)
        self.stride, self.padding = (stride, stride), (padding, padding)
        self.weight, self.bias = Parameter((c_out, c_in, k, k)), Parameter((c_out,))

    def forward(self, x):
        return dispatch(conv2d, x, self.weight, self.bias, self.stride[0], self.padding[0])


class ReLU(Module):
    def forward(self, x):
        return dispatch(relu, x, inplace=True)


class MaxPool2d(Module):
    kernel_size, stride, padding = 2, 2, 0

    def forward(self, x):
        return dispatch(max_pool2d, x, self.kernel_size)


class ZeroPad2d(Module):
    def __init__(self, padding):
        super().__init__()
        self.padding = padding

    def forward(self, x):
        return dispatch(pad, x, self.padding)


class Sequential(Module):
    def __init__(self, *parts):
        super().__init__(**{str(n): part for n, part in enumerate(parts)})

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x


for kind in (Module, Conv2d, ReLU, MaxPool2d, ZeroPad2d, Sequential):
    home = {Sequential: "container", Module: "module"}.get(kind, "layers")
    kind.__module__ = f"torch.nn.modules.{home}"


def torch(monkeypatch):
    """Take the stand-in for PyTorch for the package that is loaded."""
    made = ModuleType("torch")
    made.Tensor, made.nn = Tensor, SimpleNamespace(Parameter=Parameter, Module=Module)
    made.overrides = SimpleNamespace(TorchFunctionMode=Mode)
    made.random = SimpleNamespace(fork_rng=lambda devices: nullcontext())
    made.no_grad, made.zeros, made.as_tensor = nullcontext, lambda n: Tensor((n,)), lambda x: Tensor(x.shape)
    monkeypatch.setitem(__import__("sys").modules, "torch", made)
    return made


# --- Keras ------------------------------------------------------------------------------------------------------------


class KerasTensor:
    def __init__(self, shape, history=None):
        self.shape, self._keras_history = tuple(shape), history


class Operation:
    """Records its calls, as `_inbound_nodes`."""

    count = 0

    def __init__(self, name=""):
        Operation.count += 1
        self.name = name or f"{type(self).__name__.lower()}_{Operation.count}"
        self._inbound_nodes, self._outbound_nodes, self.weights = [], [], []

    def __call__(self, *given, **named):
        read = [one for part in given for one in (part if isinstance(part, list) else [part])]
        read = [one for one in read if isinstance(one, KerasTensor)]
        out = KerasTensor(self.made(*given, **named), (self, len(self._inbound_nodes), 0))
        arguments = SimpleNamespace(args=given, kwargs=named)
        node = SimpleNamespace(operation=self, input_tensors=read, output_tensors=[out], arguments=arguments)
        self._inbound_nodes.append(node)
        for one in read:
            one._keras_history[0]._outbound_nodes.append(node)
        return out

    def made(self, *given, **named):
        return self.call(*given, **named).shape


class InputLayer(Operation):
    def __init__(self, shape):
        super().__init__()
        self.output = KerasTensor(shape, (self, 0, 0))
        self._inbound_nodes.append(
            SimpleNamespace(operation=self, input_tensors=[], output_tensors=[self.output], arguments=None)
        )


class Conv2D(Operation):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", name="", **more):
        super().__init__(name)
        self.config = {"filters": filters, "kernel_size": (kernel_size,) * 2, "strides": (strides,) * 2}
        self.config |= {"padding": padding} | more
        self.weights = [KerasTensor((kernel_size, kernel_size, 1, filters))]

    def get_config(self):
        return self.config

    def made(self, x):
        k, s, same = self.config["kernel_size"][0], self.config["strides"][0], self.config["padding"] == "same"
        out = [-(-n // s) if same else (n - k) // s + 1 for n in x.shape[1:-1]]
        return (x.shape[0], *out, self.config["filters"])


class UpSampling2D(Operation):
    def get_config(self):
        return {"size": (2, 2), "interpolation": "nearest"}

    def made(self, x):
        return (x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3])


class Concatenate(Operation):
    axis = -1

    def made(self, parts):
        return (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))


class GetItem(Operation):
    def made(self, x, index):
        return like(x)[index].shape


class Pad(Operation):
    def __init__(self, pad_width, mode="constant"):
        super().__init__()
        self.pad_width, self.mode = pad_width, mode

    def made(self, x):
        return tuple(n + a + b for n, (a, b) in zip(x.shape, self.pad_width, strict=True))


class Add(Operation):
    def made(self, x, y):
        return np.broadcast_shapes(*(one.shape for one in (x, y) if isinstance(one, KerasTensor)))


class Layer(Operation):
    """A layer whose `call` is somebody's own."""

    @property
    def layers(self):
        return [part for part in vars(self).values() if isinstance(part, Operation)]

    def _flatten_layers(self):
        return [self, *(one for part in self.layers for one in getattr(part, "_flatten_layers", lambda p=part: [p])())]

    def get_config(self):
        return {}


for kind in (Operation, InputLayer, Conv2D, UpSampling2D, Concatenate, GetItem, Pad, Add, Layer):
    kind.__module__ = "keras.src.layers"


def keras(monkeypatch):
    """Take the stand-in for Keras for the package that is loaded."""
    made = ModuleType("keras")
    made.Input = lambda batch_shape: InputLayer(batch_shape).output
    made.Model = Layer
    monkeypatch.setitem(__import__("sys").modules, "keras", made)
    return made

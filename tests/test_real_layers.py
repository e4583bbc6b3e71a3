"""Layers of real networks in memory, as lines and as they are printed, against the framework's own output.

Every test needs a framework and is skipped without it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import convanim as ca
from convanim.errors import ConvanimError, ConvanimWarning
from convanim.layers import Operation
from convanim.layers.notation import read
from support.needs import need_module
from support.networks import lines_of_layers, networks

#: What is around the layers, and is not shown.
AROUND = ("BatchNorm", "ReLU", "Tanh", "ConstantPad")
NETWORKS = ("UNet", "Generator", "Stem", "WaveNetBlock", "InvertedResidual", "ESPCN")


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    """No warning of ours, above all none of a difference."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvanimWarning)
        warnings.filterwarnings("ignore", "4 of the")
        yield


def leaves(model: Any) -> dict[str, tuple[Any, str, dict[str, int]]]:
    """The layers of a model by their paths, each with its line and the numbers of the names in that."""
    found = {}
    for path, part in model.named_modules():
        for (kind, name), line in lines_of_layers().items():
            if kind == type(part).__name__:
                found[f"{path}.{name}".lstrip(".")] = (part.get_submodule(name), line, part.names)
    return found


def recorded(model: Any, x: Any) -> dict[str, tuple[Any, Any]]:
    """What reaches each layer the first time, and what leaves it."""
    seen: dict[str, tuple[Any, Any]] = {}

    def record(name: str) -> Any:
        def hook(_: Any, given: Any, out: Any) -> None:
            if name not in seen:  # cloned, because an activation may change it in place
                seen[name] = (given[0].clone(), out.clone())

        return hook

    layers = [(name, part) for name, part in model.named_modules() if not [*part.children()]]
    handles = [part.register_forward_hook(record(name)) for name, part in layers]
    with need_module("torch").no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return seen


def traced(op: Operation, layer: Any, x: Any) -> Any:
    weights = [part.detach().numpy() for part in layer.parameters()]
    return op.trace(x[1].numpy(), *weights).output  # type: ignore[attr-defined]


@pytest.mark.parametrize("network", NETWORKS)
def test_pytorch_in_memory_as_a_line_and_printed(network: str) -> None:
    model, x = networks(need_module("torch"))[network]
    layers, seen = leaves(model), recorded(model, x)
    shown = {name: found for name, found in layers.items() if not type(found[0]).__name__.startswith(AROUND)}
    assert len(shown) >= 3
    for name, (layer, line, names) in shown.items():
        given, theirs = seen[name]
        theirs = theirs[1].numpy()
        ours = ca.parse(layer)
        forms = {"module": ours, "line": ca.parse(line, names)}
        printed = read(f"  ({name}): {layer}")
        if not any("does not say" in note for note in printed.notes):
            forms |= {"printed": ca.parse(repr(layer)), "printed in a model": printed.op}
        for form, op in forms.items():
            assert np.allclose(traced(op, layer, given), theirs, atol=1e-5), (network, name, form)
        count = len(theirs)
        chosen = list(range(count)) if getattr(layer, "groups", 1) == 1 and "Conv" in type(layer).__name__ else None
        trace = ca.trace_module(layer, given, batch=1, out_channels=chosen)
        assert np.allclose(trace.output, theirs, atol=1e-5), (network, name)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "pool is used 2 times")
            watched = ca.watch(model, name, x, batch=1).trace
        assert np.allclose(watched.x, given[1].numpy()), (network, name)
        assert np.allclose(watched.output, theirs[: len(watched.output)], atol=1e-5), (network, name)
    around = {name for name, found in layers.items() if name not in shown}
    for name in around - {"pad"}:  # padding alone is read, and refused for another reason
        with pytest.raises(ConvanimError, match="is not a layer that can be shown"):
            ca.trace_module(layers[name][0], seen[name][0])


def test_pytorch_padding_before_a_layer_as_one_line() -> None:
    model, x = networks(need_module("torch"))["WaveNetBlock"]
    lines = lines_of_layers()
    both = f"{lines['WaveNetBlock', 'pad']}\n{lines['WaveNetBlock', 'filter']}"
    op = ca.parse(both, model.names)
    assert op.padding == ((4, 0),)  # type: ignore[attr-defined]
    theirs = model.filter(model.pad(x))[1].detach().numpy()
    assert np.allclose(traced(op, model.filter, x), theirs, atol=1e-5)


def test_pytorch_modules_with_their_ways() -> None:
    torch = need_module("torch")
    nn = torch.nn
    x = torch.randn(2, 4, 9, 8)
    norm = nn.utils.parametrizations.weight_norm
    for layer in (nn.Conv2d(4, 3, 3).half(), nn.Conv2d(4, 3, 3).double(), norm(nn.Conv2d(4, 3, 3)),
                  nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 3, 3)).eval(),
                  nn.MaxPool2d(2, return_indices=True), nn.Unfold(2)):  # fmt: skip
        given = x.to(next(iter(layer.parameters()), x).dtype)
        assert ca.trace_module(layer, given, batch=1).output.size
        assert str(ca.parse(repr(layer))) == str(read(repr(layer)).op)
    assert ca.parse(repr(norm(nn.Conv2d(4, 3, 3)))) == ca.parse(repr(nn.Conv2d(4, 3, 3)))
    conv = nn.Conv2d(4, 3, 3)
    for plain in (x.numpy(), x[0].numpy(), x[0].tolist(), (10 * x).long()):
        assert ca.trace_module(conv, plain).output.shape == (3, 7, 6)
    with pytest.warns(ConvanimWarning, match="1 is used 2 times, and its first use is shown"):
        assert ca.watch(nn.Sequential(conv, pool := nn.MaxPool2d(2), pool), "1", x).trace.output.shape == (3, 3, 3)
    lazy = nn.LazyConv2d(3, 3)
    with pytest.raises(ConvanimError, match="the layer has no weights yet"):
        ca.trace_module(lazy, x)
    lazy(x)
    assert ca.trace_module(lazy, x).output.shape == (3, 7, 6)
    with pytest.raises(ConvanimError, match=r"is not a layer that can be shown.*watch\(model, '0', x\)"):
        ca.trace_module(nn.Sequential(conv), x)
    with pytest.raises(ConvanimError, match="training mode"):
        ca.watch(nn.Sequential(nn.Dropout(), conv), "1", x)


def test_keras_layers() -> None:
    keras = need_module("keras")
    layers = keras.layers
    x = np.random.default_rng(1).normal(size=(2, 9, 8, 4)).astype("float32")
    for layer in (
        layers.Conv2D(3, 3, strides=2, padding="same"), layers.Conv2D(4, (3, 1), dilation_rate=(2, 1), use_bias=False),
        layers.Conv2D(4, 3, groups=2), layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        layers.Conv2DTranspose(3, 2, strides=3), layers.DepthwiseConv2D(3, strides=2),
        layers.DepthwiseConv2D(3, depth_multiplier=2), layers.SeparableConv2D(3, 3),
        layers.MaxPooling2D(2), layers.MaxPooling2D(3, 2, "same"),
        layers.AveragePooling2D(3, strides=1, padding="same"), layers.GlobalAveragePooling2D(),
        layers.GlobalMaxPooling2D(keepdims=True), layers.UpSampling2D(2),
        layers.UpSampling2D((2, 3), interpolation="bilinear"),
    ):  # fmt: skip
        layer(x)
        for given, batch in ((x, 1), (x[1], 0)):
            assert ca.trace_module(layer, given, batch=batch).output.size, layer.name
    layer = layers.Conv2D(3, 3, activation="relu")
    layer(x)
    with pytest.warns(ConvanimWarning, match="the activation of Conv2D is not drawn") as told:
        assert ca.trace_module(layer, x).output.size
    assert len(told) == 1  # and no difference
    first = layers.Conv2D(3, 3, data_format="channels_first")
    first.build((None, 4, 9, 8))
    with pytest.raises(ConvanimError, match="has its channels first"):
        ca.trace_module(first, x)
    parts = [layers.Conv2D(3, 3, name="a"), layers.Dropout(0.5), layers.MaxPooling2D(2, name="b")]
    model = keras.Sequential([keras.Input((9, 8, 4)), *parts])
    found = ca.watch(model, "b", x, batch=1).trace
    assert np.allclose(np.moveaxis(found.x, 0, -1), np.asarray(parts[0](x).cpu().detach())[1], atol=1e-5)
    with pytest.raises(ConvanimError, match="no inputs yet"):
        ca.watch(keras.Sequential([layers.Conv2D(3, 3, name="a")]), "a", x)


def test_flax_layers_in_memory_and_printed() -> None:
    nnx, linen, jax = need_module("flax.nnx"), need_module("flax.linen"), need_module("jax")
    x = np.random.default_rng(1).normal(size=(2, 9, 8, 4)).astype("float32")
    rngs = nnx.Rngs(0)
    layers = [
        nnx.Conv(4, 3, (3, 3), rngs=rngs),
        nnx.Conv(4, 3, (3, 3), strides=2, padding="VALID", use_bias=False, rngs=rngs),
        nnx.Conv(4, 4, (3, 1), feature_group_count=2, kernel_dilation=(2, 1), rngs=rngs),
        nnx.Conv(4, 3, (3, 3), padding="CIRCULAR", rngs=rngs),
        nnx.ConvTranspose(4, 3, (3, 3), strides=(2, 2), rngs=rngs),
    ]
    plain = [linen.Conv(3, (3, 3), strides=(2, 2)), linen.ConvTranspose(3, (4, 4), strides=(2, 2), padding="VALID")]
    layers += [layer.bind(layer.init(jax.random.key(0), x)) for layer in plain]
    for layer in layers:
        assert ca.trace_module(layer, x, batch=1).output.size
        printed = re.sub(r"\x1b\[[0-9;]*m", "", repr(layer))
        ours, theirs = ca.parse(printed), ca.parse(layer)
        assert ours.axes((9, 8)) == theirs.axes((9, 8)), printed
        assert (type(ours), getattr(ours, "groups", 1)) == (type(theirs), getattr(theirs, "groups", 1))
    with pytest.raises(ConvanimError, match="no weights of its own"):
        ca.trace_module(plain[0], x)


def test_tinygrad_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV", "PYTHON")  # a device that needs no compiler
    tinygrad = need_module("tinygrad")
    nn, x = tinygrad.nn, np.random.default_rng(1).normal(size=(2, 4, 7, 6)).astype("float32")
    for layer in (nn.Conv2d(4, 3, 3, stride=2, padding=1), nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1),
                  nn.Conv2d(4, 4, (3, 1), groups=2, bias=False)):  # fmt: skip
        for given in (tinygrad.Tensor(x), x, x[1]):
            assert ca.trace_module(layer, given).output.size
    weight = nn.Conv2d(4, 3, 3).weight
    op = ca.parse("x.conv2d(w, stride=2, padding=1).relu()", {"w": weight.shape})
    theirs = tinygrad.Tensor(x).conv2d(weight, stride=2, padding=1).numpy()[1]
    assert np.allclose(op.trace(x[1], weight.numpy()).output, theirs, atol=1e-5)  # type: ignore[attr-defined]
    op, theirs = ca.parse("x.max_pool2d((3, 3), 2)"), tinygrad.Tensor(x).max_pool2d((3, 3), 2).numpy()[1]
    assert np.allclose(op.trace(x[1]).output, theirs)  # type: ignore[attr-defined]

"""Layers in memory, with their own weights: read by their attributes, traced, and compared with their own output."""

from __future__ import annotations

import sys
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import convanim as ca
from convanim.errors import ConvanimError, ConvanimWarning
from support.needs import need_module
from support.refusals import refused


def made(name: str, home: str = "torch.nn.modules.conv", base: type = object, **attributes: Any) -> Any:
    """An object of a class like a framework's."""
    return type(name, (base,), {"__module__": home, **attributes})()


def conv(**more: Any) -> Any:
    rng = np.random.default_rng(1)
    weight = rng.integers(-3, 4, (2, 3, 3, 3)).astype(float)
    told = {"in_channels": 3, "out_channels": 2, "kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1)}
    told |= {"dilation": (1, 1), "groups": 1, "padding_mode": "zeros", "output_padding": (0, 0), "transposed": False}
    return made("Conv2d", **told | {"weight": weight, "bias": np.array([1.0, -1.0])} | more)


OURS = "Conv((3, 3), stride=(2, 2), padding=(1, 1), dilation=(1, 1), in_channels=3, out_channels=2)"
FRAMEWORKS = {"torch", "keras", "flax", "tinygrad", "jax"}


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        (conv(), OURS),
        (made("MyConv", "mine", type(conv())), OURS),
        (made("AvgPool2d", "torch.nn.modules.pooling", kernel_size=3, stride=1, padding=1, ceil_mode=False,
              count_include_pad=False, divisor_override=None),
         "AvgPool(kernel_size=(3, 3), stride=1, padding=1, count_include_pad=False)"),
        (made("Upsample", "torch.nn.modules.upsampling", scale_factor=2.0, mode="bilinear", align_corners=None),
         "Upsample(scale_factor=(2.0, 2.0), mode='bilinear')"),
        (made("AdaptiveAvgPool2d", "torch.nn.modules.pooling", output_size=(1, 1)),
         "AdaptiveAvgPool(output_size=(1, 1))"),
        (made("Conv2D", "keras.src.layers", get_config=lambda self: {"name": "c", "filters": 2, "kernel_size": (3, 3),
              "strides": (1, 1), "padding": "same", "dilation_rate": (1, 1), "groups": 1, "activation": "relu",
              "kernel_initializer": {"a": 1}}),
         "Conv((3, 3), stride=(1, 1), padding='same', dilation=(1, 1), out_channels=2, convention='keras')"),
        (made("Conv", "flax.nnx.nn", out_features=4, kernel_size=(3, 3), strides=1, padding="SAME", kernel_dilation=1),
         "Conv(kernel_size=(3, 3), padding='same', out_channels=4, convention='jax')"),
    ],
)  # fmt: skip
def test_parse_takes_a_module(module: Any, wanted: str) -> None:
    assert ca.parse(module) == ca.parse(wanted)


def test_the_trace_has_the_own_weights_and_one_item_of_the_batch() -> None:
    module, x = conv(), np.random.default_rng(2).integers(0, 9, (2, 3, 5, 5))
    trace = ca.trace_module(module, x, batch=1)
    padded = np.pad(x[1], ((0, 0), (1, 1), (1, 1)))
    wanted = np.array([
        [[(padded[:, r : r + 3, c : c + 3] * w).sum() + b for c in (0, 2, 4)] for r in (0, 2, 4)]
        for w, b in zip(module.weight, module.bias, strict=True)
    ])  # fmt: skip
    assert np.array_equal(trace.output, wanted)
    assert np.array_equal(ca.trace_module(module, x[1]).output, wanted)
    assert np.array_equal(ca.trace_module(module, x[1], out_channels=[1]).output, wanted[1:])
    animation = ca.show(module, x, batch=1, width=960)
    assert animation.trace.op == trace.op


def test_a_difference_is_told() -> None:
    class Odd(type(conv())):  # type: ignore[misc]
        def __call__(self, x: Any) -> Any:
            return np.zeros((1, 2, 3, 3))

    with pytest.warns(ConvanimWarning, match="the module's own output differs by up to"):
        ca.trace_module(Odd(), np.ones((1, 3, 5, 5)))
    many = conv(out_channels=8, weight=np.ones((8, 3, 3, 3)), bias=None)
    with pytest.warns(ConvanimWarning, match=r"4 of the 8 output channels are shown"):
        assert len(ca.trace_module(many, np.ones((3, 5, 5))).output) == 4
    with pytest.warns(ConvanimWarning) as told:
        ca.show(many, np.ones((3, 5, 5)))
    assert told[0].filename == __file__


def test_watch_takes_what_reaches_an_inner_layer() -> None:
    inner, hooks = conv(), []
    type(inner).register_forward_pre_hook = lambda self, hook: (
        hooks.append(hook),
        SimpleNamespace(remove=hooks.clear),
    )[1]
    model = SimpleNamespace(named_modules=lambda: [("", None), ("features.0", inner)], training=False)

    class Model(SimpleNamespace):
        def __call__(self, x: Any) -> None:
            for hook in hooks:
                hook(inner, (x * 2,))

    model = Model(**vars(model))
    x = np.random.default_rng(3).integers(0, 9, (1, 3, 5, 5))
    found = ca.watch(model, "features.0", x)
    assert np.array_equal(found.trace.x, 2 * x[0])
    assert hooks == []
    refused(lambda: ca.watch(model, "features.1", x), "the model has no layer 'features.1'")
    model.training, model.named_modules = True, lambda: [("a", inner), ("b", made("Dropout2d"))]
    refused(lambda: ca.watch(model, "a", x), "training mode")
    refused(lambda: ca.watch(3, "a", x), "no layer")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ca.parse(3), "builtins.int is not a layer that can be shown"),
        (lambda: ca.parse(made("Linear", "torch.nn")), "torch.nn.Linear is not a layer"),
        (lambda: ca.trace_module(conv(), np.ones((2, 3, 5, 5)), batch=2), "item 2 of the batch does not exist"),
        (lambda: ca.trace_module(conv(), np.ones((2, 5, 5))), "3"),
        (lambda: ca.trace_module(conv(), "x"), "is not an array of numbers"),
        (lambda: ca.trace_module(conv(), np.ones((3, 5, 5)), out_channels=[2]), "`out_channels` 2 does not exist"),
        (lambda: ca.trace_module(made("Conv2D", "keras.layers", get_weights=lambda self: [], get_config=lambda self: {
            "filters": 1, "kernel_size": (2, 2)}), np.ones((3, 3, 1))), "no weights yet"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, says: str) -> None:
    with pytest.raises(ConvanimError) as caught:
        call()
    assert says in caught.value.args[0] + caught.value.args[1]


def test_nothing_is_imported() -> None:
    before = {name for name in sys.modules if name.partition(".")[0] in ("torch", "keras", "flax", "tinygrad", "jax")}
    ca.trace_module(conv(), np.ones((3, 5, 5)))
    assert {
        name for name in sys.modules if name.partition(".")[0] in ("torch", "keras", "flax", "tinygrad", "jax")
    } == before


def test_tinygrad_layers_and_their_own_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEV", "PYTHON")  # a device that needs no compiler
    tinygrad = need_module("tinygrad")
    x = tinygrad.Tensor.randn(2, 4, 7, 7)
    for layer in (tinygrad.nn.Conv2d(4, 3, 3, stride=2, padding=1), tinygrad.nn.ConvTranspose2d(4, 2, 3, stride=2)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvanimWarning)
            assert ca.trace_module(layer, x, batch=1).output.size


def test_torch_layers_and_their_own_output() -> None:
    torch = need_module("torch")
    nn = torch.nn
    torch.manual_seed(0)
    x = torch.randn(2, 4, 7, 7)
    weight_norm = nn.utils.parametrizations.weight_norm
    layers = [
        nn.Conv2d(4, 3, 3, stride=2, padding=1),
        nn.Conv2d(4, 4, 3, groups=2, bias=False),
        nn.Conv2d(4, 2, 3, padding="same", padding_mode="reflect"),
        nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1),
        nn.Conv2d(4, 9, (1, 5), dilation=(1, 1)),
        nn.MaxPool2d(3, 2, 1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        nn.LPPool2d(2, 2),
        nn.AdaptiveAvgPool2d((3, 2)),
        nn.AdaptiveMaxPool2d(2),
        nn.Upsample(scale_factor=2),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        nn.UpsamplingBilinear2d(scale_factor=2),
        nn.PixelShuffle(2),
        weight_norm(nn.Conv2d(4, 2, 3)),
        nn.Conv2d(4, 2, 3).bfloat16().float().requires_grad_(True),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvanimWarning)
        warnings.filterwarnings("ignore", "4 of the 9")
        for layer in layers:
            assert ca.trace_module(layer, x, batch=1).output.size
    model = nn.Sequential(nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()), nn.MaxPool2d(2), nn.Dropout(0.5)).eval()
    found = ca.watch(model, "1", x, batch=1)
    assert np.allclose(found.trace.x, model[0](x)[1].detach().numpy())
    refused(lambda: ca.watch(model.train(), "1", x), "training mode")

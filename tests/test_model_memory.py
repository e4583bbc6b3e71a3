"""Models in memory: stand-ins for PyTorch and Keras, and the real ones, against their own export to ONNX."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim.errors import ConvanimError, ConvanimWarning
from convanim.models import Model, model
from support import memory as fake
from support.needs import need_module
from support.networks import networks


def figures(found: Model) -> list[Any]:
    """What the table says of the layers with windows, of sums and of concatenations, whatever they are called."""
    merged = ("add", "mul", "cat", "concat", "concatenate", "multiply", "mean", "reducemean", "adaptiveavgpool2d")
    return [
        (row.output, row.stride, row.field, row.offset) for row in found.rows if row.line or row.kind.lower() in merged
    ]


def outputs(found: Model) -> dict[str, Any]:
    return {row.name: row.output for row in found.rows}


class Net(fake.Module):
    """A small U-Net of layers and functions, with or without the crop."""

    def __init__(self, *, crop: bool = True) -> None:
        super().__init__(down=fake.Sequential(fake.Conv2d(1, 2, 3), fake.ReLU()), up=fake.Conv2d(2, 2, 3))
        self.crop = crop

    def forward(self, x: Any) -> Any:
        skip = self.down(x)
        y = fake.dispatch(fake.interpolate, self.up(fake.dispatch(fake.max_pool2d, skip, 2)), scale_factor=2)
        y = fake.dispatch(fake.pad, y, (1, 1, 1, 1))
        if self.crop:
            skip = skip[:, :, 1:-1, 1:-1]
        for size in range(y.shape[2]):  # control flow that no symbolic trace follows
            if size > skip.shape[2]:
                raise AssertionError
        y = fake.dispatch(fake.cat, [skip, y], 1) if self.crop else fake.dispatch(fake.roll, y, 1, 2) + 1
        return 0 + y


def test_the_calls_of_a_module_like_one_of_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.torch(monkeypatch)
    net = Net()
    for x in ((1, 16, 16), (1, 1, 16, 16), np.zeros((1, 16, 16))):
        found = model(net, x)
        assert outputs(found) == {
            **{"down.0": (2, 14, 14), "down.1": (2, 14, 14), "max_pool2d": (2, 7, 7), "up": (2, 5, 5)},
            **{"interpolate": (2, 10, 10), "pad": (2, 12, 12), "getitem": (2, 12, 12), "cat": (4, 12, 12)},
            "add": (4, 12, 12),
        }
    assert not any(row.faults for row in found.rows)
    rows = {row.name: row for row in found.rows}
    assert (rows["down.0"].kind, rows["down.0"].parameters, rows["down.0"].field) == ("Conv2d", 20, (3, 3))
    assert rows["up"].line == "Conv(kernel_size=(3, 3), in_channels=2, out_channels=2)"
    assert rows["cat"].field == rows["add"].field == (8, 8)
    assert found.parameters == 20 + 38
    assert found.reads("getitem", (0, 0))["input"][1:4, 1:4].all()
    assert net.training
    assert net.down.parts["0"].training
    assert not net.down.parts["0"].before
    assert not net.down.parts["0"].after


def test_what_is_not_followed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.torch(monkeypatch)
    rows = {row.name: row for row in model(Net(crop=False), (1, 16, 16)).rows}
    assert rows["roll"].notes == ("positions are not followed through roll",)
    assert rows["add"].field is None

    class Shared(fake.Module):
        def forward(self, x: Any) -> Any:
            y = self.conv(self.pad(x))
            z = self.conv(fake.dispatch(fake.permute, fake.dispatch(fake.permute, y, 0, 2, 3, 1), 0, 3, 1, 2))
            parts = fake.dispatch(fake.chunk, z, 2, dim=1)
            pooled = fake.dispatch(fake.mean, parts[1], dim=(2, 3), keepdim=True)
            return fake.dispatch(fake.flatten, parts[0] + pooled, 1)

    net = Shared(conv=fake.Conv2d(2, 2, 3), pad=fake.ZeroPad2d((1, 2, 0, 1)))
    found = model(net, (2, 8, 8))
    assert outputs(found) == {
        **{"pad": (2, 9, 11), "conv": (2, 7, 9), "permute": (2, 7, 9), "permute#2": (2, 7, 9), "conv#2": (2, 5, 7)},
        **{"chunk": (1, 5, 7), "mean": (1, 1, 1), "add": (1, 5, 7), "flatten": (35,)},
    }
    assert found.rows[-1].notes == ("flatten ends the chain: its output has no positions",)
    assert found.parameters == 38  # of a layer that is used twice
    assert not any(row.faults for row in found.rows)


def test_sizes_are_those_of_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.torch(monkeypatch)

    class Wrong(fake.MaxPool2d):
        def forward(self, x: Any) -> Any:
            return fake.Tensor((*x.shape[:2], 3, 3))

    Wrong.__module__ = fake.MaxPool2d.__module__
    found = model(fake.Sequential(fake.Conv2d(1, 1, 3), Wrong()), (1, 10, 10))
    assert found.rows[1].faults == ("Wrong: its output is 1×1×4×4, and PyTorch says 1×1×3×3".removeprefix("Wrong: "),)


def test_models_that_cannot_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.torch(monkeypatch)
    with pytest.raises(ConvanimError, match="the model needs the shape of its input; give one with channels"):
        model(Net())
    told = r"down\.0 does not take its input, which is 1×1×2×2: .*; crop or pad what does not fit, or give another x"
    with pytest.raises(ConvanimError, match=told):
        model(Net(), (1, 2, 2))

    class Compiled(fake.Module):
        def forward(self, x: Any) -> Any:
            return fake.Tensor(x.shape)

    with pytest.raises(ConvanimError, match=r"no calls of Compiled are seen.*export it with torch\.onnx\.export"):
        model(Compiled(), (1, 8, 8))
    with pytest.raises(ConvanimError, match="up needs the input of the model; give an array instead of a shape"):
        model(Net(), (1, 16, 16)).animate("up")
    linen = type("Net", (), {"__module__": "flax.linen.module"})
    with pytest.raises(ConvanimError, match=r"is of flax, whose models are not followed; export it to ONNX, or give"):
        model(linen(), (1, 16, 16))
    with pytest.raises(ConvanimError, match="is not a model; give the path of an ONNX file, or a model of PyTorch"):
        model(3)


class Block(fake.Layer):
    """A layer of somebody's own, with operations between its layers."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__("block")
        self.a, self.b, self.broken = fake.Conv2D(3, 3, padding="same", name="a"), fake.Conv2D(3, 1, name="b"), broken

    def call(self, x: Any) -> Any:
        if self.broken:
            raise TypeError("a symbolic tensor has no values")
        return fake.Add()(x, self.b(self.a(x)))

    def made(self, x: Any) -> Any:
        return x.shape


class KerasNet(fake.Layer):
    def __init__(self, *, broken: bool = False) -> None:
        super().__init__("net")
        self.block, self.up = Block(broken=broken), fake.UpSampling2D("up")
        self.first = fake.Conv2D(3, 3, 2, "same", name="first")

    def call(self, x: Any) -> Any:
        y = self.up(self.block(self.first(x)))
        y = fake.Pad([(0, 0), (1, 0), (1, 0), (0, 0)])(y)
        return fake.Concatenate("cat")([fake.GetItem("crop")(y, (slice(None), slice(1, None), slice(1, None))), x])


for kind in (Block, KerasNet):
    kind.__module__ = "keras_of_somebody"


def test_the_calls_of_a_model_like_one_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.keras(monkeypatch)
    net = KerasNet()
    found = model(net, (8, 6, 2))
    rows = {row.name: row for row in found.rows}
    names = ["first", "block/a", "block/b", "up", "crop", "cat"]
    assert [name for name in rows if name in names] == names
    assert rows["block/a"].output == (3, 4, 3)
    assert rows["up"].output == rows["crop"].output == (3, 8, 6)
    assert rows["cat"].output == (5, 8, 6)
    assert (rows["first"].field, rows["cat"].field) == ((3, 3), (7, 7))
    assert rows["first"].line == (
        "Conv(kernel_size=(3, 3), stride=2, padding='same', in_channels=2, out_channels=3, convention='keras')"
    )
    assert not any(row.faults for row in found.rows)
    for layer in (net.first, net.block, net.block.a):
        assert not layer._inbound_nodes
    with pytest.raises(ConvanimError, match=r"the model needs the shape of its input; give one with channels"):
        model(net)


def test_a_layer_of_keras_that_calls_what_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake.keras(monkeypatch)
    rows = {row.name: row for row in model(KerasNet(broken=True), (8, 8, 2)).rows}
    assert rows["block"].notes == ("positions are not followed through Block",)
    assert rows["up"].field is None
    with pytest.raises(
        ConvanimError, match=r"Block cannot be followed: a symbolic tensor.*; export it with model\.exp"
    ):
        model(Block(broken=True), (8, 8, 2))


# --- the real ones ----------------------------------------------------------------------------------------------------


@pytest.fixture
def pytorch() -> Any:
    return need_module("torch")


@pytest.mark.parametrize("name", ["UNet", "Generator", "Stem", "WaveNetBlock", "InvertedResidual", "ESPCN"])
def test_pytorch_gives_the_table_of_its_own_export(name: str, tmp_path: Path, pytorch: Any) -> None:
    need_module("onnx")
    net, x = networks(pytorch)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytorch.onnx.export(net, (x,), str(tmp_path / "m.onnx"), dynamo=False)
    ours = model(net, tuple(x.shape))
    assert figures(ours) == figures(model(tmp_path / "m.onnx"))
    assert len(figures(ours)) >= 3
    assert not any(row.faults for row in ours.rows)
    assert ours.parameters == sum(part.numel() for part in net.parameters())


def test_pytorch_modules_with_their_ways(pytorch: Any) -> None:
    nn, F = pytorch.nn, pytorch.nn.functional  # noqa: N806

    class Ways(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.drop = nn.Conv2d(2, 4, 3, padding=1), nn.Dropout(0.5)
            self.norm, self.linear = nn.LayerNorm(4), nn.Linear(4, 6)
            self.kernel = nn.Parameter(pytorch.ones(6, 1, 3, 3))

        def forward(self, x: Any) -> Any:
            if x.mean() < 100:  # depends on values
                x = self.drop(self.conv(x))
            x = self.linear(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
            x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.kernel, groups=6)
            a, b = x.chunk(2, dim=1)
            x = F.max_pool2d(a * b.sigmoid(), 2) + F.avg_pool2d(F.gelu(a), kernel_size=2)
            x = F.interpolate(x, scale_factor=2)[..., 1:-1, :].relu_()
            return x.mean((2, 3)).view(1, -1)

    net = Ways()
    before = pytorch.random.get_rng_state()
    found = model(net, (2, 8, 8))
    assert bool((before == pytorch.random.get_rng_state()).all())
    assert net.training
    assert not any(row.faults for row in found.rows)
    rows = {row.name: row for row in found.rows}
    assert rows["conv2d"].field == (5, 5)
    assert rows["getitem"].output == (3, 6, 8)
    assert rows["relu"].field == (6, 6)
    assert "ends the chain" in rows["mean"].notes[0]
    compiled = pytorch.compile(net)
    assert outputs(model(compiled, (2, 8, 8))) == outputs(found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = pytorch.jit.trace(nn.Sequential(nn.Conv2d(2, 4, 3)), pytorch.zeros(1, 2, 8, 8))
    with pytest.raises(ConvanimError, match=r"no calls of \w+ are seen.*, or export it with torch\.onnx\.export"):
        model(script, (2, 8, 8))
    with pytest.raises(ConvanimError, match="conv does not take its input, which is 1×3×8×8: Given groups=1"):
        model(net, (3, 8, 8))
    with pytest.raises(ConvanimError, match=r"in training mode, where its dropout changes values; call model\.eval"):
        model(net, np.ones((2, 8, 8))).animate("conv")
    shown = model(net.eval(), np.ones((2, 8, 8))).animate("conv")
    assert np.allclose(shown.trace.output, net.conv(pytorch.ones(1, 2, 8, 8))[0, :4].detach().numpy(), atol=1e-5)


def test_a_skip_connection_without_its_crop(pytorch: Any) -> None:
    nn = pytorch.nn

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.up = nn.Conv2d(1, 1, 5), nn.ConvTranspose2d(1, 1, 3, 2)

        def forward(self, x: Any) -> Any:
            y = self.conv(x)
            return self.up(y[..., ::2, ::2]) + pytorch.nn.functional.pad(x[..., 3:, 3:], (1, 0, 1, 0))

    rows = {row.name: row for row in model(Shifted(), (1, 13, 13)).rows}
    assert "checkerboard" in rows["up"].notes[0]
    # A cell at i: the centre of what it reads is i + 1 above, and i + 2 in the skip connection.
    assert rows["add"].faults == ("the branches that meet here are shifted by 1, in cells of the input",)
    told = r"add does not take its input, which is 1×1×9×9 \| 1×1×10×10: The size of .*; crop or pad what does not fit"
    with pytest.raises(ConvanimError, match=told):
        model(Shifted(), (1, 12, 12))


def _keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return need_module("keras")


def test_keras_functional_nested_and_subclassed_models() -> None:
    keras = _keras()
    parts, ops = keras.layers, keras.ops
    start = keras.Input((None, None, 1))
    a = parts.Conv2D(4, 3, padding="same", activation="relu", name="a")(start)
    b = parts.Conv2DTranspose(4, 2, 2, name="b")(parts.MaxPooling2D(name="pool")(a))
    inner = keras.Model(start, parts.Concatenate(name="cat")([a, b]), name="inner")

    class Block(parts.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="block")
            self.deep = parts.DepthwiseConv2D(3, padding="same", name="deep")

        def call(self, x: Any) -> Any:
            return ops.relu(x + self.deep(x))

    class Net(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.block = inner, Block()
            self.head = keras.Sequential([parts.Cropping2D(1), parts.Conv2D(2, 1, name="last")], name="head")

        def call(self, x: Any, training: Any = None) -> Any:
            return self.head(ops.pad(self.block(self.inner(x)), [[0, 0], [1, 1], [1, 1], [0, 0]])[:, 1:-1, 1:-1])

    net = Net()
    found = model(net, (8, 6, 1))
    rows = {row.name: row for row in found.rows}
    assert [rows[name].output for name in ("inner/a", "inner/b", "inner/cat", "block/deep", "head/last")] == [
        *((4, 8, 6), (4, 8, 6), (8, 8, 6), (8, 8, 6), (2, 6, 4))
    ]
    assert rows["head/last"].field == (6, 6)
    assert "groups=8" in rows["block/deep"].line
    assert not any(row.faults for row in found.rows)
    assert inner.get_layer("a").output.shape[-1] == 4  # it has one call, as before
    x = np.ones((1, 8, 6, 1), np.float32)
    assert net(x).shape[1:3] == rows["head/last"].output[1:]
    with pytest.warns(ConvanimWarning, match="the activation of Conv2D is not drawn"):
        shown = model(inner, x).animate("a")
    assert shown.trace.output.shape == (8, 6, 4)


def test_a_sequential_of_keras() -> None:
    keras = _keras()
    parts = keras.layers
    net = keras.Sequential(
        [keras.Input((8, 8, 1)), parts.Conv2D(4, 3, 2, "same"), parts.ReLU(), parts.Conv2DTranspose(2, 4, 2, "same")]
    )
    found = model(net)
    assert [row.output for row in found.rows] == [(4, 4, 4), (4, 4, 4), (2, 8, 8)]
    assert found.parameters == net.count_params()


def test_keras_gives_the_figures_of_its_own_export(tmp_path: Path) -> None:
    keras = _keras()
    need_module("onnx")
    parts = keras.layers
    start = keras.Input((16, 16, 3))
    a = parts.Conv2D(4, 3, padding="same", activation="relu")(start)
    b = parts.DepthwiseConv2D(3, 2, padding="same")(parts.MaxPooling2D()(a))
    c = parts.UpSampling2D(4, interpolation="bilinear")(b)
    net = keras.Model(start, parts.Cropping2D(1)(parts.Concatenate()([a, c])))
    net(np.zeros((1, 16, 16, 3), np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            net.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
        except ImportError as error:
            pytest.skip(str(error))
    ours, theirs = model(net).rows[-1], model(tmp_path / "m.onnx").rows[-1]
    assert (ours.output, ours.stride, ours.field, ours.offset) == (
        *((8, 14, 14), theirs.stride, theirs.field, theirs.offset),
    )
    assert theirs.output == ours.output

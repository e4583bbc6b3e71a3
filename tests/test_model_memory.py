"""Models in memory: a Sequential of PyTorch or Keras, duck-typed, and the real ones where they are installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convanim.errors import ConvanimError
from convanim.models import model


def layer(kind: str, home: str = "torch.nn", **attributes: Any) -> Any:
    """Stands for a layer of PyTorch."""
    parts = {"__module__": home, "children": lambda self: [], "parameters": lambda self: [], **attributes}
    return type(kind, (), parts)()


def sequence(*layers: Any) -> Any:
    parts = {"__module__": "torch.nn", "named_modules": None, "children": lambda self: [*layers]}
    parts["named_children"] = lambda self: [(str(n), one) for n, one in enumerate(layers)]
    return type("Sequential", (), parts)()


CONV = {"in_channels": 1, "out_channels": 4, "kernel_size": (3, 3), "stride": (2, 2), "padding": (1, 1)}


def test_a_sequence_like_one_of_pytorch() -> None:
    up = {"in_channels": 4, "out_channels": 2, "kernel_size": (3, 3), "stride": (2, 2), "output_padding": (0, 0)}
    inner = sequence(layer("Conv2d", **CONV), layer("ReLU"))
    found = model(sequence(inner, layer("ConvTranspose2d", **up), layer("Flatten"), layer("Linear")), (1, 9, 9))
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["0.0", "0.1", "1", "2", "3"]
    assert rows["0.0"].output == (4, 5, 5)
    assert rows["1"].output == (2, 11, 11)
    assert "checkerboard" in rows["1"].notes[0]
    assert rows["2"].field is None
    assert "Conv2d" in str(found)


def test_what_is_not_a_sequence(tmp_path: Any) -> None:
    block = layer("Block", children=lambda self: [1])
    with pytest.raises(
        ConvanimError, match=r"0 is a Block, whose layers need not be in a row; export it with torch\.onnx"
    ):
        model(sequence(block), (1, 9, 9))
    other = sequence()
    type(other).__name__ = "Net"
    with pytest.raises(ConvanimError, match="Net is not a Sequential, so the order of its layers is not known; export"):
        model(other, (1, 9, 9))
    with pytest.raises(ConvanimError, match="the model needs the shape of its input"):
        model(sequence(layer("ReLU")))
    found = model(sequence(layer("Conv2d", **CONV), layer("Magic")), (3, 9, 9))
    assert found.rows[0].faults == ("it takes 1 channels, and its input has 3",)
    with pytest.raises(ConvanimError, match="0 needs the input of the model; give an array instead of a shape"):
        model(sequence(layer("Conv2d", **CONV)), (1, 9, 9)).animate("0")


def test_the_real_pytorch() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2)),
        *(nn.ConvTranspose2d(4, 2, 4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)),
    )
    x = torch.zeros(1, 1, 8, 8)
    assert model(net, x.numpy()).rows[0].output == (4, 8, 8)  # with a batch
    found = model(net, x[0].numpy())
    for n, row in enumerate(found.rows):
        assert row.output is None or row.output == tuple(net[: n + 1](x).shape[1:]), row.name
    assert found.parameters == sum(p.numel() for p in net.parameters())
    assert found.animate("5").trace.output.shape == (2, 16, 16)


def test_the_real_keras() -> None:
    keras = pytest.importorskip("keras")
    parts = keras.layers
    net = keras.Sequential(
        [keras.Input((8, 8, 1)), parts.Conv2D(4, 3, 2, "same"), parts.ReLU(), parts.Conv2DTranspose(2, 4, 2, "same")]
    )
    found = model(net, (8, 8, 1))
    assert [row.output for row in found.rows] == [(4, 4, 4), (4, 4, 4), (2, 8, 8)]
    animation = model(net, np.ones((1, 8, 8, 1), np.float32)).animate(net.layers[0].name)
    assert animation.trace.output.size

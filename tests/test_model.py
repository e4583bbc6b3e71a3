"""Whole models: sizes, receptive fields and strides against published figures and ONNX's evaluator."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.models import Model, model
from support.commands import run
from support.graphs import Graph, dependences, onnx


def outputs(found: Model) -> dict[str, Any]:
    return {row.name: row.output for row in found.rows}


def fields(found: Model, axis: int = -1) -> dict[str, Any]:
    return {row.name: row.field[axis] for row in found.rows if row.field}


def unet(size: int, depth: int, *, valid: bool = False, base: int = 2, corner: bool = False) -> Graph:
    """The U-Net of Ronneberger, Fischer and Brox (2015), with or without padding."""
    g, around = Graph(1, 1, size, size), 0 if valid else 1
    skips = []

    def two(channels: int, name: str) -> None:
        for j in (1, 2):
            g.conv(channels, 3, f"{name}.{j}", pads=around)
            g.add("Relu")

    sides, n = [], size
    for d in range(depth):
        two(base << d, f"down{d}")
        n -= 4 if valid else 0
        skips.append((g.at, g.channels))
        sides.append(n)
        g.pool(name=f"pool{d}")
        n //= 2
    two(base << depth, "middle")
    n -= 4 if valid else 0
    for d in reversed(range(depth)):
        g.conv(base << d, 2, f"up{d}", up=True, strides=2)
        n *= 2
        deep, (skip, channels) = g.at, skips[d]
        if valid:
            start = 0 if corner else (sides[d] - n) // 2
            bounds = [g.constant([v, v], np.int64) for v in (start, start + n)]
            skip = g.add("Slice", *bounds, g.constant([2, 3], np.int64), name=f"crop{d}", of=[skip])
        g.at = g.add("Concat", name=f"cat{d}", of=[deep, skip], axis=1)
        g.channels = int(g.channels or 0) + int(channels or 0)
        two(base << d, f"out{d}")
        n -= 4 if valid else 0
    g.conv(2, 1, "head")
    return g


# --- published figures ------------------------------------------------------------------------------------------------


def test_lenet() -> None:
    """LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition (1998), section II.B.

    C1 6@28x28 with 156 parameters, S2 6@14x14, C3 16@10x10, S4 16@5x5, C5 120@1x1 with 48,120 parameters, F6 84 with
    10,164. Here C3 is connected to all maps of S2 (2,416 parameters instead of 1,516), and pooling learns nothing.
    The fields follow from section II.A: 5x5 and 2x2 windows, so that a unit of C5 sees all 32x32 pixels.
    """
    g = Graph(1, 1, 32, 32)
    g.conv(6, 5, "C1")
    g.add("Tanh")
    g.pool("AveragePool", name="S2")
    g.conv(16, 5, "C3")
    g.pool("AveragePool", name="S4")
    g.conv(120, 5, "C5")
    g.add("Flatten", name="flat")
    g.add("Gemm", g.weights((120, 84)), g.weights((84,)), name="F6")
    found = model(g.model())
    sizes = {"C1": (6, 28, 28), "S2": (6, 14, 14), "C3": (16, 10, 10), "S4": (16, 5, 5), "C5": (120, 1, 1)}
    assert {name: outputs(found)[name] for name in sizes} == sizes
    assert {row.name: row.parameters for row in found.rows if row.parameters} == {
        **{"C1": 156, "C3": 2416, "C5": 48120, "F6": 10164}
    }
    assert {name: fields(found)[name] for name in sizes} == {"C1": 5, "S2": 6, "C3": 14, "S4": 16, "C5": 32}
    flat = next(row for row in found.rows if row.name == "flat")
    assert (flat.output, flat.field) == ((120,), None)
    assert flat.notes == ("Flatten ends the chain: its output has no positions",)


def test_vgg() -> None:
    """VGG-16 of Simonyan and Zisserman (2014): 3x3 convolutions with padding 1 and 2x2 pooling on 224x224.

    The receptive fields, effective strides and padding offsets are those of table 1 and its code in Araujo, Norris and
    Sim, Computing receptive fields of convolutional neural networks (2019): VGG-16 has 212, 32 and 90 at its end.
    Section 2.3 of Simonyan and Zisserman: two layers have a field of 5x5, and three one of 7x7.
    """
    g = Graph(1, 3, 224, 224)
    for block, (count, channels) in enumerate(((2, 8), (2, 8), (3, 8), (3, 8), (3, 8)), start=1):
        for layer in range(1, count + 1):
            g.conv(channels, 3, f"conv{block}_{layer}", pads=1)
            g.add("Relu")
        g.pool(name=f"pool{block}")
    found = model(g.model())
    last = found.rows[-1]
    assert (last.name, last.output, last.field, last.offset) == ("pool5", (8, 7, 7), (212, 212), (90, 90))
    assert last.stride == (Fraction(32), Fraction(32))
    assert fields(found)["conv1_2"] == 5
    three = Graph(1, 1, 9, 9)
    for _ in range(3):
        three.conv(1, 3)
    assert model(three.model()).rows[-1].field == (7, 7)


def test_dcgan_generator() -> None:
    """Radford, Metz and Chintala, Unsupervised representation learning with DCGANs (2015), figure 1.

    Four fractionally-strided convolutions lead from 4x4 over 8x8, 16x16 and 32x32 to 64x64. The kernels are those of
    PyTorch's DCGAN example, 4x4 with stride 2 and padding 1.
    """
    g = Graph(1, 10, 1, 1)
    g.conv(8, 4, "project", up=True)
    for layer in range(4):
        g.add("BatchNormalization", *[g.weights((g.channels,)) for _ in range(4)])
        g.add("Relu")
        g.conv(8, 4, f"up{layer}", up=True, strides=2, pads=1)
    found = model(g.model())
    sizes = [outputs(found)[name][1] for name in ("project", "up0", "up1", "up2", "up3")]
    assert sizes == [4, 8, 16, 32, 64]
    assert found.rows[-1].stride == (Fraction(1, 16),) * 2
    assert all(not row.faults for row in found.rows)
    assert not any("checkerboard" in note for row in found.rows for note in row.notes)  # 4 is a multiple of 2


def test_unet() -> None:
    """Ronneberger, Fischer and Brox, U-Net (2015), figure 1: 572x572 to 388x388, with the sizes of all maps there.

    388 cells see all 572, so that the field of each must be at least 572 - 388 + 1 = 185 wide. It differs over the 16
    phases of the four upsamplings, from 188 to 204.
    """
    found = model(unet(572, 4, valid=True).model())
    sizes = {name: shape[1] for name, shape in outputs(found).items()}
    down = {f"down{d}.2": n for d, n in enumerate((568, 280, 136, 64))}
    rest = {"middle.2": 28, "up3": 56, "out3.2": 52, "up2": 104, "out2.2": 100, "up1": 200, "out1.2": 196, "up0": 392}
    assert {name: sizes[name] for name in (*down, *rest, "head")} == {**down, **rest, "head": 388}
    wide = [found.reads("head", (0, c))["input"].any(axis=0).sum() for c in range(16)]
    assert (min(wide), max(wide)) == (188, 204)
    assert fields(found)["head"] == 204
    assert fields(found)["middle.2"] == 140
    first = [int(np.flatnonzero(found.reads("head", (c, c))["input"].any(axis=0))[0]) for c in (0, 387)]
    last = [int(np.flatnonzero(found.reads("head", (c, c))["input"].any(axis=0))[-1]) for c in (0, 387)]
    assert (first[0], last[1]) == (0, 571)
    assert not any(row.faults for row in found.rows)  # every crop is in the middle


def test_unet_with_crops_at_the_corner() -> None:
    found = model(unet(92, 2, valid=True, corner=True).model())
    faults = {row.name: row.faults for row in found.rows if row.faults}
    assert set(faults) == {"cat1", "cat0"}
    assert "shifted by 8, in cells of the input" in faults["cat1"][0]


def test_wavenet() -> None:
    """Van den Oord et al., WaveNet (2016), section 2.1: dilations 1, 2, 4, ..., 512 with kernels of 2 see 1024 samples.

    Figure 3 shows the dilations 1, 2, 4, 8, whose field is 16.
    """
    g = Graph(1, 1, 1100)
    for layer in range(10):
        before = g.at
        g.conv(1, 2, f"dilated{layer}", rank=1, dilations=2**layer, pads=[2**layer, 0])
        g.add("Tanh")
        g.add("Add", before, name=f"add{layer}")
    found = model(g.model())
    assert [fields(found)[f"dilated{n}"] for n in (3, 9)] == [16, 1024]
    assert found.rows[-1].output == (1, 1100)
    assert not any(row.faults for row in found.rows)
    read = found.reads("add9", (1099,))["input"]
    assert np.flatnonzero(read).tolist() == list(range(1100 - 1024, 1100))


# --- the definition ---------------------------------------------------------------------------------------------------


def compared(build: Any, sizes: tuple[int, ...]) -> Model:
    """Compare all cells of all nodes with what they depend on by the definition; return the model."""
    found = model(build(1).model())
    for name, masks in dependences(build, sizes).items():
        row = next(row for row in found.rows if row.name == name)
        cells = masks.shape[: len(sizes)]
        assert row.output is not None
        assert row.output[1:] == cells, name
        for cell in np.ndindex(*cells):
            ours = found.reads(name, cell)["input"]
            assert np.array_equal(ours, masks[cell]), (name, cell)
    return found


def test_every_operator_reads_what_it_depends_on() -> None:
    def build(batch: int) -> Graph:
        g = Graph(batch, 1, 9, 8, ones=True)
        g.conv(2, 3, pads=[1, 1, 0, 1], dilations=[1, 2])
        skip = g.add("Pad", g.constant([0, 0, 1, 0, 0, 0, 0, 2], np.int64), mode="reflect")
        g.conv(2, 3, up=True, strides=2, pads=1, output_padding=1)
        g.pool(k=3, s=2, pads=[1, 1, 1, 1])
        g.add("Add", skip)
        g.add("Resize", "", g.constant([1, 1, 2, 1.5], np.float32), mode="linear")
        g.add("Resize", "", g.constant([1, 1, 0.5, 2], np.float32), mode="nearest")
        g.add("Slice", g.constant([1, -6], np.int64), g.constant([8, 99], np.int64), g.constant([2, 3], np.int64))
        g.add("Concat", g.at, axis=3)
        g.pool("AveragePool", k=2, s=1)
        whole = g.add("GlobalAveragePool")
        g.add("Add", whole, of=[g.nodes[-2].output[0]])
        return g

    compared(build, (9, 8))


LAYERS = st.sampled_from(("conv", "up", "max", "resize", "linear", "pad", "crop", "residual", "shuffle"))


def grown(g: Graph, kind: str, k: int, s: int) -> None:
    """A layer that fits whatever comes before it."""
    if kind == "conv":
        g.conv(1, k, strides=s, pads=k // 2)
    elif kind == "up":
        g.conv(1, k, up=True, strides=min(s, k))
    elif kind == "max":
        g.pool(k=k, s=s, pads=[k // 2] * 4)
    elif kind in ("resize", "linear"):
        g.add("Resize", "", g.constant([1, 1, s, 1], np.float32), mode="linear" if kind == "linear" else "nearest",
              coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    elif kind == "pad":
        g.add("Pad", g.constant([0, 0, 1, 0, 0, 0, s, 1], np.int64), mode="edge")
    elif kind == "crop":
        g.add("Slice", g.constant([1], np.int64), g.constant([2**31], np.int64), g.constant([2 + s % 2], np.int64))
    elif kind == "residual":
        before = g.at
        g.conv(1, 3, pads=1)
        g.add("Relu")
        g.add("Add", before)
    else:
        g.conv(4, 1)
        g.add("DepthToSpace", blocksize=2)
        g.channels = 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(LAYERS, st.integers(2, 3), st.integers(1, 2)), min_size=1, max_size=4))
def test_chains_of_layers_read_what_they_depend_on(layers: list[tuple[str, int, int]]) -> None:
    def build(batch: int) -> Graph:
        g = Graph(batch, 1, 5, 4, ones=True)
        for layer in layers:
            grown(g, *layer)
        return g

    compared(build, (5, 4))


LINES = st.tuples(st.booleans(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2))


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4))
def test_fields_are_the_extents_of_cells_far_from_the_borders(layers: list[tuple[bool, int, int, int]]) -> None:
    """Stride, field and offset of a long row, from the cells that one in its middle depends on."""

    def build(batch: int) -> Graph:
        g = Graph(batch, 1, 200, ones=True)
        for up, k, s, d in layers:
            if up and d == 1:
                g.conv(1, k, rank=1, up=True, strides=min(s, k), pads=0)
            else:
                g.conv(1, k, rank=1, strides=s, pads=1, dilations=d)
        return g

    try:
        found = model(build(1).model())
    except ValueError:
        return
    row = found.rows[-1]
    if row.faults or row.field is None or row.stride is None or row.stride[0] is None:
        return
    masks = dependences(build, (200,))[row.name]
    cells = [np.flatnonzero(mask) for mask in masks]
    inner = [(n, c) for n, c in enumerate(cells) if len(c) and c[0] > 60 and c[-1] < 140]
    q = int(np.prod([min(s, k) for up, k, s, d in layers if up and d == 1], dtype=int))  # after which all repeats
    p = row.stride[0] * q
    if len(inner) < 2 * q or p.denominator > 1:
        return
    assert row.field[0] == max(int(c[-1] - c[0]) + 1 for _, c in inner)
    pairs = [(a, b) for (n, a), (m, b) in zip(inner, inner[q:], strict=False) if m == n + q]
    assert all(b[0] - a[0] == p for a, b in pairs)
    # The field of the first cell, from one as many whole periods further on.
    n, first = next((n, c[0]) for n, c in inner if n % q == 0)
    assert row.offset == (-(first - n // q * p),)


# --- the layers of real networks, with their activations -------------------------------------------------------------


def dcgan() -> Graph:
    """The generator of Radford, Metz and Chintala (2015), with PyTorch's example's kernels."""
    g = Graph(1, 6, 1, 1)
    g.conv(5, 4, "project", up=True)
    for layer in range(2):
        g.add("Relu")
        g.conv(4, 4, f"up{layer}", up=True, strides=2, pads=1)
    return g


def resnet_stem() -> Graph:
    """The first layers of He et al., Deep residual learning (2015)."""
    g = Graph(1, 3, 16, 16)
    g.conv(4, 7, "conv1", strides=2, pads=3)
    g.add("Relu")
    g.pool(k=3, name="pool", pads=[1, 1, 1, 1])
    return g


def wavenet_block() -> Graph:
    """A gated, dilated and causal block of van den Oord et al., WaveNet (2016)."""
    g = Graph(1, 2, 20)
    before, channels = g.at, g.channels
    halves = []
    for gate in ("Tanh", "Sigmoid"):
        g.at, g.channels = before, channels
        g.conv(3, 2, f"dilated {gate}", rank=1, dilations=4, pads=[4, 0])
        halves.append(g.add(gate))
    g.add("Mul", of=halves)
    g.conv(2, 1, "project", rank=1)
    g.add("Add", before)
    return g


def mobilenet_block() -> Graph:
    """An inverted residual of Sandler et al., MobileNetV2 (2018): expand, filter each channel, project."""
    g = Graph(1, 3, 9, 9)
    g.conv(6, 1, "expand")
    g.add("Relu")
    g.conv(6, 3, "depthwise", strides=2, pads=1, group=6)
    g.add("Relu")
    g.conv(4, 1, "project")
    return g


def espcn() -> Graph:
    """The head of Shi et al., Real-time single image and video super-resolution (2016): a convolution and a shuffle."""
    g = Graph(1, 1, 8, 8)
    g.conv(4, 5, "conv1", pads=2)
    g.add("Tanh")
    g.conv(4, 3, "conv2", pads=1)
    g.add("DepthToSpace", name="shuffle", blocksize=2, mode="CRD")
    return g


@pytest.mark.filterwarnings("ignore:.* channels are shown")
@pytest.mark.parametrize(
    ("made", "layers"),
    [
        (lambda: unet(16, 2), 15),
        *[(dcgan, 3), (resnet_stem, 2), (wavenet_block, 3), (mobilenet_block, 3), (espcn, 3)],
    ],
    ids=["U-Net", "DCGAN generator", "ResNet stem", "WaveNet block", "MobileNet block", "ESPCN head"],
)
def test_every_layer_of_a_network_has_the_values_of_the_evaluator(made: Any, layers: int) -> None:
    g = made()
    x = np.random.default_rng(7).normal(size=g.shape).astype(np.float32)
    found, theirs = model(g.model(), x), g.values(x)
    compared = 0
    for row in (row for row in found.rows if row.line):
        answer = theirs[row.name][0]
        ours = found.trace(row.name).output
        near = 1e-6 * np.abs(answer).max()  # the evaluator computes in float32
        np.testing.assert_allclose(
            ours, answer[: len(ours)].reshape(ours.shape), rtol=1e-5, atol=near, err_msg=row.name
        )
        compared += 1
    assert compared == layers


# --- the command line -------------------------------------------------------------------------------------------------


def saved(g: Graph, path: Path) -> Path:
    onnx.save(g.model(), path)
    return path


def small() -> Graph:
    g = Graph(1, 2, 6, 6)
    g.conv(5, 3, "/features/conv1/Conv", pads=1)
    g.add("Relu", name="relu")
    g.pool(name="pool")
    g.conv(3, 3, "up", up=True, strides=2)
    return g


def test_the_list(tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "m.onnx")
    done = run("model", path)
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert lines[0] == "m.onnx: input 2×6×6, 233 parameters"
    assert lines[2].split() == ["layer", "operation", "output", "parameters", "stride", "field", "offset"]
    assert lines[3].split() == ["/features/conv1/Conv", "Conv", "5×6×6", "95", "1", "3", "1"]
    assert lines[6].split() == ["up", "ConvTranspose", "3×7×7", "138", "1", "6", "3"]
    assert "its stamps overlap unevenly (checkerboard): the kernel size 3 is not a multiple of the stride 2" in done.out
    assert "pool                  MaxPool(kernel_size=(2, 2), stride=2, convention='onnx')" in done.out
    told = json.loads(run("model", path, "--json").out)
    assert told["input"] == [2, 6, 6]
    assert told["layers"][0] == {
        **{"name": "/features/conv1/Conv", "kind": "Conv", "input": [2, 6, 6], "output": [5, 6, 6], "parameters": 95},
        "layer": "Conv(kernel_size=(3, 3), padding=1, in_channels=2, out_channels=5, convention='onnx')",
        **{"effective_stride": [1.0, 1.0], "receptive_field": [3, 3], "padding_offset": [1, 1]},
        **{"notes": [], "faults": []},
    }


def test_a_layer_with_its_own_weights_and_activations(tmp_path: Path) -> None:
    g = small()
    path = saved(g, tmp_path / "m.onnx")
    x = np.random.default_rng(3).normal(size=(1, 2, 6, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    theirs = g.values(x)
    for name, node in (("conv1", "/features/conv1/Conv"), ("pool", "pool"), ("up", "up")):
        done = run("model", path, "--layer", name, "--input", tmp_path / "x.npy", "-o", tmp_path / "t.json")
        assert done.code == 0, done
        ours = np.array(json.loads((tmp_path / "t.json").read_text("utf-8"))["output"])
        answer = theirs[node][0]
        assert np.allclose(ours, answer[: len(ours)], atol=1e-5), name
        assert "seeded" not in done.err
    done = run("model", path, "--layer", "conv1", "-o", tmp_path / "c.gif")
    assert done.code == 0, done
    assert "the input of /features/conv1/Conv is seeded, and not an activation of the model: no --input is" in done.err
    assert "4 of the 5 output channels are shown; choose others with --out-channels" in done.err
    assert (tmp_path / "c.gif").stat().st_size > 1000
    done = run("model", path, "--layer", "conv1", "--out-channels", "4,0", "-o", tmp_path / "t.json")
    assert len(json.loads((tmp_path / "t.json").read_text("utf-8"))["output"]) == 2


def test_a_layer_whose_activations_cannot_be_computed(tmp_path: Path) -> None:
    g = Graph(1, 1, 4, 4)
    g.add("Magic", name="magic", domain="my.domain")
    g.nodes[-1].domain = "my.domain"
    g.at = "x"
    g.conv(1, 2, "conv")
    loop = onnx.helper.make_node("Identity", ["x"], ["unused"])
    g.nodes.append(loop)
    found = model(g.model(), np.zeros((1, 1, 4, 4)))
    assert found.trace("conv").output.shape == (1, 3, 3)
    assert next(row for row in found.rows if row.name == "magic").notes == (
        "positions are not followed through my.domain.Magic",
    )

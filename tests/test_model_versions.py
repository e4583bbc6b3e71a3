"""Operators of ONNX in all their versions: the shapes are those of the reference evaluator, or the version is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convanim.errors import ConvanimError
from convanim.models import Model, model
from support.graphs import Graph, onnx


def shapes_agree(g: Graph) -> Model:
    """Compare the shape of each layer with that of the evaluator; return the model."""
    found = model(g.model())
    shape = [n or 1 for n in g.shape]
    theirs = g.values(np.random.default_rng(0).normal(size=shape))
    for row in found.rows:
        assert row.output == theirs[row.name].shape[1:], row.name
        assert not row.faults
        assert row.field is not None, row.notes
    return found


@pytest.mark.parametrize("word", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
@pytest.mark.parametrize("kind", ["Conv", "MaxPool", "AveragePool"])
def test_auto_pad(kind: str, word: str) -> None:
    g = Graph(1, 1, 9, 12)
    how: dict[str, Any] = {"auto_pad": word, "strides": [2, 3]}
    if kind == "Conv":
        g.conv(2, 3, **how)
    else:
        g.add(kind, kernel_shape=[3, 3], **how)
    row = model(g.model()).rows[-1]
    assert row.output == (2 if kind == "Conv" else 1, *((5, 4) if word.startswith("SAME") else (4, 4)))
    assert not row.faults


@pytest.mark.parametrize("word", ["NOTSET", "SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("wanted", [[8, 9], [9, 11], [7, 8]])
def test_output_shape_of_a_transposed_convolution(word: str, wanted: list[int]) -> None:
    """The crop follows the rule in the operator's text, and the values are those of the evaluator."""
    g = Graph(1, 2, 4, 5)
    g.conv(3, 3, "up", up=True, strides=2, output_shape=wanted, **({} if word == "NOTSET" else {"auto_pad": word}))
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 5)).astype(np.float32)
    total = [2 * (n - 1) + 3 - out for n, out in zip((4, 5), wanted, strict=True)]
    op = model(g.model()).graph.nodes[1].op
    before = [t // 2 if word == "SAME_UPPER" else t - t // 2 for t in total]
    axes = op.axes((4, 5)) if op else ()
    assert [(a.before, a.after, a.output) for a in axes] == [
        (b, t - b, out) for b, t, out in zip(before, total, wanted, strict=True)
    ]
    done = model(g.model(), x).trace("up")
    full = Graph(1, 2, 4, 5)
    full.conv(3, 3, "up", up=True, strides=2)
    answer = full.values(x)["up"][0]
    kept = answer[:, before[0] : before[0] + wanted[0], before[1] : before[1] + wanted[1]]
    assert np.allclose(done.output, kept, atol=1e-5)


def test_a_kernel_without_kernel_shape_and_a_convolution_of_groups() -> None:
    g = Graph(1, 4, 9, 9)
    g.conv(8, 3, group=4, strides=2, pads=1)
    g.conv(4, 2, up=True, group=2, strides=2)
    found = model(g.model())  # the evaluator has no transposed convolution with groups
    assert [row.output for row in found.rows] == [(8, 5, 5), (4, 10, 10)]
    assert [row.parameters for row in found.rows] == [8 * 9 + 8, 8 * 2 * 4 + 4]
    with pytest.warns(UserWarning, match="4 of the 8 output channels are shown"):
        done = model(g.model(), np.ones((4, 9, 9))).trace(found.rows[0].name)
    assert done.output.shape == (4, 5, 5)


@pytest.mark.parametrize("opset", [10, 12, 18, 22])
def test_pooling_that_rounds_up(opset: int) -> None:
    g = Graph(1, 1, 6, 6, opset=opset)
    g.pool(k=3, s=2, ceil_mode=1)  # in all versions the same
    assert model(g.model()).rows[0].output == (1, 3, 3)
    g = Graph(1, 1, 5, 5, opset=opset)
    g.pool(k=2, s=3, pads=[0, 0, 1, 1], ceil_mode=1)  # a window that would start in the padding
    row = model(g.model()).rows[0]
    if opset >= 22:
        assert row.output == (1, 2, 2)
    else:
        assert row.field is None
        assert f"opset {opset} does not say whether a window may start in the padding" in row.notes[0]


@pytest.mark.parametrize(
    ("mode", "place", "rounding"),
    [
        ("nearest", "asymmetric", "floor"),
        ("nearest", "half_pixel", "round_prefer_floor"),
        ("linear", "half_pixel", None),
        ("linear", "pytorch_half_pixel", None),
        ("linear", "align_corners", None),
        ("linear", "asymmetric", None),
    ],
)
@pytest.mark.parametrize("given", ["scales", "sizes", "axes"])
def test_resize_has_the_values_of_the_evaluator(mode: str, place: str, rounding: str | None, given: str) -> None:
    g = Graph(1, 2, 4, 5, opset=19)
    how: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": place, "cubic_coeff_a": -0.75}
    if rounding:
        how["nearest_mode"] = rounding
    if given == "scales":
        g.add("Resize", "", g.constant([1, 1, 2, 3], np.float32), name="up", **how)
    elif given == "sizes":
        g.add("Resize", "", "", g.constant([1, 2, 8, 15], np.int64), name="up", **how)
    else:
        g.add("Resize", "", g.constant([3, 2], np.float32), name="up", axes=[3, 2], **how)
    found = shapes_agree(g)
    assert found.rows[0].output == (2, 8, 15)
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 5)).astype(np.float32)
    done = model(g.model(), x).trace("up")
    assert np.allclose(done.output, g.values(x)["up"][0], atol=1e-5)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"mode": "cubic"}, "the mode cubic is not supported"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "tf_crop_and_resize"),
        ({"nearest_mode": "ceil"}, "ceil"),
        ({"keep_aspect_ratio_policy": "not_larger"}, "keep_aspect_ratio_policy"),
        ({"mode": "linear", "antialias": 1}, "antialias"),
    ],
)
def test_a_resize_that_is_not_supported_is_named(how: dict[str, Any], said: str) -> None:
    g = Graph(1, 1, 4, 4, opset=19)
    g.add("Resize", "", "", g.constant([1, 1, 8, 8], np.int64), name="up", **how)
    row = model(g.model()).rows[0]
    assert row.output is not None  # the size is ONNX's own
    assert row.field is None
    assert row.notes[0].startswith("Resize is not followed: ")
    assert said in row.notes[0]


def test_upsample_and_resize_of_old_opsets() -> None:
    for opset, kind in ((7, "Upsample"), (9, "Upsample"), (10, "Resize")):
        g = Graph(1, 1, 3, 3, opset=opset)
        if opset == 7:
            g.add("Upsample", scales=[1.0, 1.0, 2.0, 2.0], mode="nearest")
        else:
            g.add(kind, g.constant([1, 1, 2, 2], np.float32), mode="nearest")
        found = model(g.model())
        assert found.rows[0].output == (1, 6, 6)
        assert np.flatnonzero(found.reads(found.rows[0].name, (3, 0))["input"].any(axis=1)).tolist() == [1]
    g = Graph(1, 1, 4, 4, opset=10)
    g.add("Resize", g.constant([1, 1, 0.5, 0.5], np.float32), mode="nearest")
    assert "opset 10 does not say how nearest rounds in smaller maps" in model(g.model()).rows[0].notes[0]


def test_transposed_convolutions_before_opset_11() -> None:
    g = Graph(1, 1, 4, 4, opset=10)
    g.conv(1, 3, up=True, strides=2, auto_pad="SAME_UPPER")
    assert "auto_pad SAME_UPPER of ConvTranspose has two meanings before opset 11" in model(g.model()).rows[0].notes[0]
    g = Graph(1, 1, 4, 4, opset=10)
    g.conv(1, 3, up=True, strides=2, output_shape=[8, 8])
    assert "another meaning before opset 11" in model(g.model()).rows[0].notes[0]


def test_channels_last_as_keras_exports_them() -> None:
    g = Graph(1, 8, 8, 3)
    g.add("Transpose", perm=[0, 3, 1, 2])
    g.channels = 3
    g.conv(4, 3, "conv", auto_pad="SAME_UPPER", strides=2)
    g.add("Transpose", perm=[0, 2, 3, 1], name="back")
    g.add("Concat", g.at, axis=3, name="twice")
    found = model(g.model())
    assert found.graph.nodes[0].sizes == (8, 8)
    assert {row.name: row.output for row in found.rows}["conv"] == (4, 4, 4)
    twice = found.rows[-1]
    assert (twice.output, twice.field) == ((8, 4, 4), (3, 3))


def test_sizes_that_the_graph_computes() -> None:
    """Resize to the size of another map, as PyTorch exports F.interpolate(x, size=y.shape[2:])."""
    g = Graph(1, 2, 7, 9)
    g.conv(2, 3, pads=1)
    skip = g.at
    g.pool(ceil_mode=0)
    small = g.at
    g.add("Shape", of=[skip])
    g.add("Slice", g.constant([2], np.int64), g.constant([4], np.int64), g.constant([0], np.int64))
    target = g.add("Concat", g.at, of=[g.constant([1, 2], np.int64)], axis=0)
    g.add("Resize", "", "", target, name="up", of=[small], mode="linear")
    g.add("Add", skip, name="sum")
    found = model(g.model())
    assert [row.name for row in found.rows] == ["conv0", "maxpool1", "up", "sum"]
    assert found.rows[-1].output == (2, 7, 9)
    assert found.rows[-1].field


def test_what_only_passes_and_what_ends() -> None:
    g = Graph(1, 2, 6, 6)
    g.conv(4, 3, pads=1)
    for kind in ("LeakyRelu", "Sigmoid", "Identity", "Clip"):
        g.add(kind)
    g.add("InstanceNormalization", g.weights((4,)), g.weights((4,)), name="norm")
    g.add("Mul", g.constant([[[[2]]]], np.float32), name="scale")
    g.add("GlobalAveragePool", name="mean")
    g.add("Flatten", name="flat")
    g.add("Gemm", g.weights((4, 3)), name="dense")
    found = model(g.model())
    rows = {row.name: row for row in found.rows}
    assert rows["scale"].field == (3, 3)
    assert rows["norm"].notes == (
        "InstanceNormalization depends on the whole map; its receptive field is that of its cells alone",
    )
    assert (rows["mean"].output, rows["mean"].stride, rows["mean"].field) == ((4, 1, 1), (None, None), (8, 8))
    assert rows["dense"].output == (3,)
    assert rows["dense"].field is None


def test_a_chain_that_begins_with_a_reshape() -> None:
    g = Graph(1, 10)
    g.add("Gemm", g.weights((10, 32)), name="project")
    g.add("Reshape", g.constant([1, 8, 2, 2], np.int64), name="reshape")
    g.channels = 8
    g.conv(1, 4, "up", up=True, strides=2, pads=1)
    found = model(g.model())
    rows = {row.name: row for row in found.rows}
    assert rows["reshape"].notes == ("the chain begins here: the input of the model has no positions",)
    assert (rows["up"].output, rows["up"].stride) == ((1, 4, 4), (0.5, 0.5))


def test_several_inputs_and_batches() -> None:
    helper = onnx.helper
    g = Graph("N", 1, 6, 6)
    g.conv(1, 3, "conv")
    whole = g.model()
    whole.graph.input.append(helper.make_tensor_value_info("mask", onnx.TensorProto.FLOAT, [1]))
    found = model(whole)
    assert found.graph.notes == ("positions are followed from the input x, not from mask",)
    assert found.rows[0].output == (1, 4, 4)
    with pytest.warns(UserWarning, match="the first of the 3 items of the batch is used"):
        model(whole, np.ones((3, 1, 6, 6))).trace("conv")


def test_circular_padding_as_pytorch_exports_it() -> None:
    """Slices of both ends are joined to the map, which is what the padding mode reads, too."""
    g = Graph(1, 1, 6, 5)
    for axis, n in ((2, 6), (3, 5)):
        here, parts = g.at, []
        for start, end in ((n - 1, n), (0, 1)):
            bounds = [g.constant([v], np.int64) for v in (start, end, axis)]
            parts.append(g.add("Slice", *bounds, of=[here]))
        g.add("Concat", here, parts[1], of=[parts[0]], axis=axis)
    g.conv(1, 3, "conv")
    found = model(g.model())
    assert not any(row.faults for row in found.rows)
    lit = np.argwhere(found.reads("conv", (0, 0))["input"]).tolist()
    assert lit == [[i, j] for i in (0, 1, 5) for j in (0, 1, 4)]


def test_constants_that_the_graph_computes() -> None:
    """The padding of a Pad node as PyTorch exports it, and a kernel that is computed from another one."""
    g = Graph(1, 1, 6, 6)
    zeros = g.add("ConstantOfShape", of=[g.constant([4], np.int64)], value=onnx.numpy_helper.from_array(np.array([0])))
    pads = g.add("Concat", zeros, g.constant([0, 0, 1, 2], np.int64), of=[g.constant([0, 0, 1, 2], np.int64)], axis=0)
    whole = g.add("Gather", g.constant([0, 1, 2, 3, 8, 9, 10, 11], np.int64), of=[pads], axis=0)
    padded = g.add("Pad", whole, name="pad", of=["x"])
    kernel = g.add("Transpose", of=[g.weights((3, 3, 1, 2))], perm=[3, 2, 0, 1])
    g.add("Conv", kernel, name="conv", of=[padded])
    found = model(g.model(), np.ones((6, 6)))
    assert [(row.name, row.output) for row in found.rows] == [("pad", (1, 8, 10)), ("conv", (2, 6, 8))]
    assert np.allclose(found.trace("conv").output, g.values(np.ones((1, 1, 6, 6)))["conv"][0], atol=1e-5)


def test_pytorchs_numbered_nodes_are_called_as_their_weights() -> None:
    g = Graph(1, 1, 6, 6)
    g.conv(1, 3, "node_conv2d_7")
    whole = g.model()
    weight = whole.graph.node[0].input[1]
    next(one for one in whole.graph.initializer if one.name == weight).name = "features.0.weight"
    whole.graph.node[0].input[1] = "features.0.weight"
    assert model(whole).rows[0].name == "features.0"


def test_a_map_that_is_resized_to_another_one_is_noted_only() -> None:
    g = Graph(1, 1, 33, 33)
    g.conv(1, 3, pads=1)
    skip = g.at
    g.pool()
    g.add("Resize", "", "", g.constant([1, 1, 33, 33], np.int64), mode="linear")
    g.add("Add", skip, name="sum")
    row = model(g.model()).rows[-1]
    assert row.faults == ()
    assert row.notes == ("the branches that meet here have different effective strides: 32/33 1",)


def test_channels_last_behind_casts_and_padding() -> None:
    """As Keras exports a model on PyTorch, and with a batch that is sliced whole, as tf2onnx does."""
    g = Graph(1, 8, 8, 3)
    g.add("Cast", name="cast", to=1)
    g.add("Pad", g.constant([0, 1, 1, 0, 0, 1, 1, 0], np.int64), name="pad")
    g.add("Transpose", name="first", perm=[0, 3, 1, 2])
    g.channels = 3
    g.conv(4, 3, "conv")
    bounds = [g.constant(v, np.int64) for v in ([0, 0, 1, 1], [2**31 - 1, 2**31 - 1, -1, -1], [0, 1, 2, 3])]
    g.add("Slice", *bounds, name="crop")
    found = model(g.model())
    assert found.rows[1].output == (3, 10, 10)
    assert found.rows[-2].output == (4, 8, 8)
    assert (found.rows[-1].output, found.rows[-1].field, found.rows[-1].offset) == ((4, 6, 6), (3, 3), (0, 0))


def test_a_matrix_product_over_the_channels_stays_in_place() -> None:
    """As ConvNeXt has it: channels last, a normalisation of each cell, and two products."""
    g = Graph(1, 2, 6, 6)
    g.conv(4, 3, "conv", pads=1)
    g.add("Transpose", name="last", perm=[0, 2, 3, 1])
    g.add("LayerNormalization", g.weights((4,)), g.weights((4,)), name="norm", axis=-1)
    g.add("MatMul", g.weights((4, 5)), name="product")
    g.add("Transpose", name="first", perm=[0, 3, 1, 2])
    rows = {row.name: row for row in model(g.model()).rows}
    assert rows["norm"].notes == ()
    assert (rows["product"].output, rows["product"].field) == ((5, 6, 6), (3, 3))
    assert rows["first"].field == (3, 3)


def test_quantised_models_in_their_three_forms() -> None:
    """Scales beside the layer, in the operator, and found while it runs: positions and parameters are the same."""
    x, w = (1, 2, 8, 8), np.arange(-18, 18).reshape(2, 2, 3, 3)

    def around(g: Graph) -> tuple[str, str]:
        return g.constant(0.5, np.float32), g.constant(0, np.int8)

    beside, inside, running = (Graph(*x, opset=19) for _ in range(3))
    scale, zero = around(beside)
    kernel = beside.add("DequantizeLinear", scale, zero, of=[beside.constant(w, np.int8)])
    beside.at = "x"
    beside.add("QuantizeLinear", scale, zero)
    beside.add("DequantizeLinear", scale, zero)
    beside.add("Conv", kernel, name="conv", strides=[2, 2], pads=[1, 1, 1, 1])
    scale, zero = around(inside)
    inside.add("QuantizeLinear", scale, zero)
    more = (scale, zero, inside.constant(w, np.int8), scale, zero, scale, zero)
    inside.add("QLinearConv", *more, name="conv", strides=[2, 2], pads=[1, 1, 1, 1])
    running.nodes.append(onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "y_scale", "y_zero"]))
    scaled = running.add("Mul", running.constant(0.5, np.float32), name="scales", of=["y_scale"])
    kernel = running.constant(w + 128, np.uint8)
    running.add("ConvInteger", kernel, "y_zero", name="conv", of=["y"], strides=[2, 2], pads=[1, 1, 1, 1])
    running.add("Cast", to=1)
    running.add("Mul", scaled, name="end")
    for g in (beside, inside, running):
        found = model(g.model())
        row = found.rows[found.graph.find("conv") - 1]
        assert (row.output, row.field, row.offset, row.parameters) == ((2, 4, 4), (3, 3), (1, 1), 36), row.kind
        assert not any(row.faults for row in found.rows)
        assert found.rows[-1].field == (3, 3)
    assert found.rows[-1].output == (2, 4, 4)
    told = "the weights of conv are quantised, and their scales are not drawn; give the model before it was quantised"
    with pytest.raises(ConvanimError, match=told):
        model(inside.model()).trace("conv")

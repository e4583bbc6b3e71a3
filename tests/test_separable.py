"""Depthwise and separable convolutions: the arithmetic of both layers, their page, and their lines."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

import convanim as ca
from convanim.errors import CheckFailed, ConvanimWarning
from convanim.explanation.separable import counted
from convanim.layers import DepthwiseConv, SeparableConv, parse
from convanim.layers.notation import read
from convanim.layers.writing import lines
from convanim.scene import scene
from convanim.trace.separable import SeparableTrace
from convanim.typed.request import request
from support.commands import run
from support.needs import need_module
from support.refusals import refused

KERAS = {"convention": "keras"}


def separable(x: Any, depthwise: Any, pointwise: Any, bias: Any, stride: int, dilation: int, same: bool) -> Any:
    """Keras' SeparableConv2D over (H, W, C), in loops: depthwise (k, k, C, m), pointwise (1, 1, C·m, F)."""
    high, wide, channels = x.shape
    k, _, _, each = depthwise.shape
    reach = dilation * (k - 1) + 1
    sizes, before = [], []
    for n in (high, wide):
        out = -(-n // stride) if same else (n - reach) // stride + 1
        sizes.append(out)
        before.append(max(0, (out - 1) * stride + reach - n) // 2 if same else 0)
    filters = pointwise.shape[-1]
    result = np.zeros((*sizes, filters))
    for r, c in product(*map(range, sizes)):
        between = np.zeros(channels * each)
        for channel, m, i, j in product(range(channels), range(each), range(k), range(k)):
            row, column = r * stride - before[0] + i * dilation, c * stride - before[1] + j * dilation
            if 0 <= row < high and 0 <= column < wide:
                between[channel * each + m] += x[row, column, channel] * depthwise[i, j, channel, m]
        for f in range(filters):
            result[r, c, f] = sum(between[n] * pointwise[0, 0, n, f] for n in range(channels * each)) + bias[f]
    return result


def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).integers(-4, 5, shape)


@pytest.mark.parametrize(
    ("stride", "dilation", "padding", "each"),
    [(1, 1, "valid", 1), (1, 1, "same", 2), (2, 1, "same", 1), (2, 1, "valid", 3), (1, 2, "same", 1)],
)
def test_the_output_is_that_of_the_definition(stride: int, dilation: int, padding: str, each: int) -> None:
    x, depthwise, pointwise, bias = (
        numbers(1, 6, 5, 3),
        numbers(2, 3, 3, 3, each),
        numbers(3, 1, 1, 3 * each, 4),
        numbers(4, 4),
    )
    op = SeparableConv(3, stride, padding, dilation=dilation, depth_multiplier=each, **KERAS)
    done = op.trace(x, depthwise, pointwise, bias)
    done.verify()
    wanted = separable(x, depthwise, pointwise, bias, stride, dilation, padding == "same")
    assert np.array_equal(done.output, wanted)
    assert np.array_equal(done.replay(), np.moveaxis(wanted, -1, 0))
    assert len(done) == len(done.depthwise) + len(done.pointwise) == len(list(done))
    some = op.trace(x, depthwise, pointwise, bias, out_channels=[3, 1])
    assert np.array_equal(some.output, wanted[..., [1, 3]])


def test_a_depthwise_layer_filters_each_channel_alone() -> None:
    x, weight = numbers(1, 5, 5, 3), numbers(2, 2, 2, 3, 2)
    done = DepthwiseConv(2, depth_multiplier=2, **KERAS).trace(x, weight)
    done.verify()
    for channel, m in product(range(3), range(2)):
        alone = ca.Conv(2).trace(x[..., channel], weight[..., channel, m]).output
        assert np.array_equal(done.output[..., 2 * channel + m], alone)
    line = request("layer", notation="layers.DepthwiseConv2D(3)", x="6x6x3")
    assert (line.op.groups, line.trace().output.shape) == (3, (4, 4, 3))


def test_numbers_that_are_wrong_are_not_shown() -> None:
    done = SeparableConv(2).trace(numbers(1, 2, 4, 4), numbers(2, 2, 1, 2, 2), numbers(3, 3, 2, 1, 1))
    done.pointwise._kept["answer"] = done.pointwise.answer + 1
    with pytest.raises(CheckFailed):
        done.animate().prove()


@pytest.mark.parametrize(("channels", "each", "outputs"), [(2, 1, 3), (4, 1, 1), (3, 2, 2), (8, 1, 9)])
def test_each_frame_shows_the_arithmetic_of_its_layer(channels: int, each: int, outputs: int) -> None:
    op = SeparableConv(2, depth_multiplier=each)
    mixed = channels * each
    x, weight, pointwise = numbers(1, channels, 3, 4), numbers(2, mixed, 1, 2, 2), numbers(3, outputs, mixed, 1, 1)
    whole = op.trace(x, weight, pointwise)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shown = whole.animate()
    made, first = shown.scene, whole.depthwise.answer
    steps, drawn = made.beats.steps, [n for panel in made.panels for n in [panel.name] if n.startswith("output")]
    titles = [panel.titles[0] for panel in made.panels if panel.name in drawn]
    between = [int(title.removeprefix("filtered ")) for title in titles] if len(drawn) > 1 else [0]
    assert between == list(range(len(between)))
    for step in range(steps):
        frame = made.frame(made.beats.opening + made.beats.each * (step + 1) - 1)
        (written,) = [(name, cell) for name, cells in frame.writes.items() for cell in cells]
        name, cell = written
        value = frame.grids[name].values[cell]
        if name.startswith("mixed"):
            sums = frame.grids["mixed sums"].values
            assert sums.sum() == value
            output = int(name.split()[-1]) if outputs > 1 else 0
            assert (
                value
                == whole.answer[(output, *cell)]
                == sum(first[n][cell] * pointwise[output, n, 0, 0] for n in range(mixed))
            )
            for plane, n in zip(drawn, between, strict=True):
                assert frame.grids[plane].values[cell] == first[n][cell]
        else:
            plane = between[drawn.index(name)]
            assert value == first[(plane, *cell)]
    assert frame.step == steps
    last = made.frame(made.beats.total - 1)
    assert len(last.grids) == len(made.panels)


def test_of_many_channels_some_are_drawn_and_a_note_says_so() -> None:
    op = SeparableConv(2, out_channels=9)
    trace = op.trace(numbers(1, 8, 3, 3), numbers(2, 8, 1, 2, 2), numbers(3, 9, 8, 1, 1))
    with pytest.warns(ConvanimWarning) as told:
        shown = trace.animate()
    assert [str(one.message) for one in told] == [
        "3 of the 8 input channels are shown; choose others with channels.",
        "4 of the 9 output channels are shown; choose others with out_channels.",
    ]
    assert shown.scene.detail.startswith("3 of 8 channels; the sum is over all 8   4 of 9 output channels")
    chosen = op.trace(
        numbers(1, 8, 3, 3), numbers(2, 8, 1, 2, 2), numbers(3, 9, 8, 1, 1), channels=[0, 7], out_channels=[5]
    )
    titles = [title for panel in scene(chosen).panels for title in panel.titles]
    assert {"channel 0", "channel 7", "filtered 0", "filtered 7", "output 5"} <= set(titles)


def test_lines_of_two_layers() -> None:
    pasted = read("nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 1))")
    assert pasted.op == SeparableConv((3, 3), in_channels=8, out_channels=16)
    assert pasted.notes[-1] == (
        "the pointwise layer reads the output of the depthwise one without nn.BatchNorm2d and nn.ReLU"
    )
    assert parse(str(pasted.op)) == pasted.op
    padded = parse("nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(4, 8, 3, groups=4), nn.Conv2d(8, 2, 1))")
    assert padded == SeparableConv(
        (3, 3), 1, ((1, 1), (1, 1)), padding_mode="reflect", in_channels=4, out_channels=2, depth_multiplier=2
    )
    refused(lambda: parse("nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 16, 1))"), "not a single layer but 2")
    refused(
        lambda: parse("nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 3))"), "not a single layer but 2"
    )
    refused(
        lambda: parse("nn.Sequential(nn.Conv2d(8, 16, 3, groups=8), nn.Conv2d(8, 4, 1))"),
        "before it makes 16",
    )
    refused(lambda: parse("DepthwiseConv(3, groups=2)"), "one group per channel")


def test_what_explain_prints_is_written_back() -> None:
    for op in (
        SeparableConv((3, 3), 2, in_channels=4, out_channels=6),
        SeparableConv((3, 3), in_channels=2, out_channels=1, depth_multiplier=3),
    ):
        found = {line.framework: line.code for line in lines(op, (7, 7))}
        again = parse(found["PyTorch"])
        assert (again.axes((7, 7)), again.layers(op.in_channels)[1]) == (op.axes((7, 7)), op.layers(op.in_channels)[1])
        keras = parse(found["Keras"])
        assert replace(keras, in_channels=op.in_channels, convention="torch", padding=0) == op
        assert '"filtered"' in found["ONNX"]


def test_the_work_of_both_layers_is_counted() -> None:
    op = SeparableConv((3, 3), 1, 1, in_channels=3, out_channels=8, depth_multiplier=2)
    found = counted(op, op.axes((5, 5)))
    x, weight = np.ones((3, 5, 5), int), np.ones((6, 1, 3, 3), int)
    done = op.trace(x, weight, np.ones((8, 6, 1, 1), int))
    taken = [sum(len(step.terms) for step in layer) for layer in (done.depthwise, done.pointwise)]
    assert [found[name]["multiplications"] for name in ("depthwise", "pointwise", "both")] == [*taken, sum(taken)]
    assert [found[name]["weights"] for name in ("depthwise", "pointwise", "both")] == [54, 48, 102]
    told = str(ca.explain(op, (5, 5)))
    assert "depthwise  3×5×5 → 6×5×5" in told
    assert f"both             102 weights, {sum(taken):>5,} multiplications" in told
    assert "counted if the layer has its in_channels" in str(ca.explain(parse("layers.SeparableConv2D(8, 3)"), (5, 5)))


def test_at_the_shell(tmp_path: Any) -> None:
    line = "keras.layers.SeparableConv2D(2, 3)"
    done = run("layer", line, "--input", "4x4x2", "-o", tmp_path / "s.gif", "--width", "480", "--motion", "step")
    assert (done.code, done.err) == (0, ""), done
    for kind in ("json", "csv"):
        done = run("layer", line, "--input", "4x4x2", "-o", tmp_path / f"s.{kind}")
        assert (done.code, "write each of them alone" in done.err) == (2, True), done
    told = run("describe", "layer", line, "--input", "4x4x2").out
    assert told.startswith("Separable convolution, 4×4×2 → 2×2×2")
    assert "step 9 of 16: output[0, 0,0] = " in told
    done = run("compare", line, "keras.layers.Conv2D(2, 3)", "--input", "2x4x4")
    assert "why          the first is a separable convolution, the second a convolution" in done.out
    done = run("explain", "layer", line, "--input", "4x4x2", "--json")
    assert '"both": {"weights": 22, "multiplications": 88}' in done.out.replace("\n", "")
    done = run(
        "layer",
        "nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1))",
        "--input",
        "6x6",
        "-o",
        tmp_path / "x.gif",
    )
    assert (done.code, "give an input of 8x6x6" in done.err) == (2, True), done
    done = run("layer", line, "--input", "4x4", "-o", tmp_path / "x.png", "--view", "matrix")
    assert (done.code, "use sliding" in done.err) == (2, True), done
    assert not (tmp_path / "x.gif").exists()


def test_three_axes_are_not_drawn() -> None:
    done = SeparableConv((2, 2, 2)).trace(numbers(1, 2, 3, 3, 3), numbers(2, 2, 1, 2, 2, 2), numbers(3, 2, 2, 1, 1, 1))
    done.verify()
    refused(lambda: scene(done), "at most two are drawn")
    refused(done.by_input, "no order of its input's cells")


def test_layers_in_memory_of_keras() -> None:
    keras = need_module("keras")
    x = np.random.default_rng(1).normal(size=(2, 7, 8, 3)).astype("float32")
    kinds = keras.layers
    for layer in (
        kinds.SeparableConv2D(3, 3), kinds.SeparableConv2D(4, 3, strides=2, padding="same", depth_multiplier=2),
        kinds.SeparableConv2D(2, 3, dilation_rate=2, padding="same", use_bias=False),
        kinds.DepthwiseConv2D(3, depth_multiplier=2),
    ):  # fmt: skip
        theirs = np.asarray(keras.ops.convert_to_numpy(layer(x)))
        done = ca.trace_module(layer, x, batch=1)
        done.verify()
        assert np.allclose(done.output, theirs[1], atol=1e-4)


def test_a_sequential_of_pytorch_in_memory() -> None:
    torch = need_module("torch")
    model = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3, groups=4, padding=1), torch.nn.Conv2d(8, 3, 1))
    x = torch.rand(1, 4, 6, 6)
    done = ca.trace_module(model, x)
    assert isinstance(done, SeparableTrace)
    assert np.allclose(done.output, model(x).detach().numpy(), atol=1e-5)

"""Adaptive poolings: their windows, the pooling that equals them, their pictures, commands and lines."""

import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from convanim.cli.commands import main
from convanim.explanation import explain
from convanim.gallery.description import Entry, made_by
from convanim.layers import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, parse
from convanim.layers.adaptive import Adapted
from convanim.scene import scene
from support.refusals import refused

sizes = st.integers(1, 40)


@given(sizes, sizes)
def test_the_facts_of_an_axis_are_those_of_its_windows(cells, output):
    axis = Adapted.along(cells, output)
    windows = [axis.window(t) for t in range(output)]
    lengths = {end - first for first, end in windows}
    steps = {b[0] - a[0] for a, b in pairwise(windows)}
    assert axis.sizes == (min(lengths), max(lengths))
    assert axis.regular == (len(lengths) == 1 and (not steps or (len(steps) == 1 and steps != {0})))
    assert not axis.regular or not steps or steps == {axis.stride}
    assert sum(end - first for first, end in windows) <= axis.taps


@given(sizes, sizes)
def test_the_equal_layer_is_equal(cells, output):
    op, x = AdaptiveAvgPool(output), np.arange(cells) ** 2
    row = next(line for line in explain(op, (cells,)).splitlines() if "equal layer" in line)
    if "none" not in row:
        equal = parse(row.split("equal layer")[1])
        assert type(equal) is AvgPool
        assert equal.trace(x).output.tolist() == op.trace(x).output.tolist()


def test_a_picture_has_a_window_of_its_own_size_at_each_step():
    done = AdaptiveMaxPool((3, 2)).trace(np.arange(35).reshape(5, 7))
    shown = scene(done)
    frames = [shown.frame(i) for i in range(shown.beats.total)]
    boxes = {f.step: f.grids["stage"].outlines for f in frames if f.links}
    drawn = [max((o.bottom - o.top, o.right - o.left) for o in boxes[step]) for step in range(1, 7)]
    assert drawn == [(2, 4), (2, 4), (3, 4), (3, 4), (2, 4), (2, 4)]


def test_a_mean_is_divided_by_its_own_window():
    done = AdaptiveAvgPool(3).trace(np.arange(5))
    assert [step.divisor for step in done] == [2, 3, 2]
    assert [str(scene(done).frame(i).captions[0].closes) for i in (2, 4, 6)] == [") / 2", ") / 3", ") / 2"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--mode adaptive-avg", "--mode adaptive-avg needs --output-size; use for example --output-size 3"),
        ("--mode max", "--mode max needs --kernel; use for example --kernel 2"),
        ("--mode adaptive-avg --output-size 2 --kernel 2", "--kernel cannot be combined with --mode adaptive-avg"),
        ("--mode adaptive-max --output-size 2 --padding 1", "--padding cannot be combined with --mode adaptive-max"),
        ("--mode adaptive-max --output-size 2 --ceil-mode", "--ceil-mode cannot be combined with"),
        ("--mode avg --kernel 2 --output-size 2", "--output-size cannot be combined with --mode avg"),
        ("--mode adaptive-avg --output-size 3x2x1", "does not have the 3 axes of AdaptiveAvgPool"),
        ("--mode adaptive-avg --output-size wide", "--output-size 'wide'"),
        ("--mode adaptive-avg --output-size 0", "--output-size"),
        ("--mode adaptive-avg --output-size 3 --convention onnx", "no adaptive pooling but the global one"),
    ],
)
def test_wrong_options_are_refused(words, told, tmp_path):
    done = CliRunner().invoke(main, ["pool", "--input", "5x5", *words.split(), "-o", str(tmp_path / "a.gif")])
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_writes_the_trace(tmp_path):
    target = tmp_path / "t.json"
    words = f"pool --mode adaptive-max --input 5x7 --output-size 2x- -o {target}"
    assert CliRunner().invoke(main, words.split()).exit_code == 0
    assert json.loads(target.read_text())["operation"] == "AdaptiveMaxPool(output_size=(2, None))"


def test_an_entry_of_a_gallery_becomes_the_command():
    made = made_by(Entry(layer="AdaptiveAvgPool((3, None))", input="5x5"))
    assert made == "convanim pool --input 5x5 --mode adaptive-avg --output-size 3x-"


LINES = [
    ("torch.nn.AdaptiveAvgPool2d((3, None))", AdaptiveAvgPool((3, None))),
    ("nn.AdaptiveMaxPool1d(4, return_indices=True)", AdaptiveMaxPool((4,))),
    ("F.adaptive_avg_pool2d(x, 1)", AdaptiveAvgPool((1, 1))),
    ("x = F.adaptive_max_pool3d(x, output_size=(1, 2, 3))", AdaptiveMaxPool((1, 2, 3))),
    ("layers.GlobalAveragePooling2D(keepdims=True)(x)", AdaptiveAvgPool((1, 1), convention="keras")),
    ("keras.layers.GlobalMaxPool1D()", AdaptiveMaxPool((1,), convention="keras")),
    ("keras.layers.AdaptiveAveragePooling2D((3, 2))", AdaptiveAvgPool((3, 2), convention="keras")),
    ("onnx.helper.make_node('GlobalMaxPool', ['x'], ['y'])", AdaptiveMaxPool(1, convention="onnx")),
    ("jnp.mean(x, axis=(1, 2))", AdaptiveAvgPool((1, 1), convention="jax")),
    ("x.mean(axis=(1, 2), keepdims=True)", AdaptiveAvgPool((1, 1), convention="jax")),
    ("x.mean(dim=[-1, -2])", AdaptiveAvgPool((1, 1))),
    ("torch.amax(x, dim=(2, 3, 4))", AdaptiveMaxPool((1, 1, 1))),
]


@pytest.mark.parametrize(("line", "op"), LINES)
def test_lines_of_frameworks_are_read(line, op):
    assert parse(line) == op


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nn.AdaptiveAvgPool2d()", "no output_size"),
        ("nn.AdaptiveAvgPool2d(2, strid=1)", "'strid'"),
        ("layers.GlobalMaxPooling2D(pool_size=2)", "'pool_size'"),
        ("x.mean(axis=0)", "not the spatial axes"),
        ("x.mean()", "no axis"),
        ("AdaptiveAvgPool()", "no output_size"),
        ("AdaptiveAvgPool(None)", "output_size"),
        ("AdaptiveAvgPool((2, 0))", "output_size"),
        ("AdaptiveAvgPool((3, None), convention='keras')", "Keras needs a size for every axis"),
        ("AdaptiveMaxPool(3, convention='jax')", "JAX has no adaptive pooling but the global one"),
        ("nn.Sequential(nn.ZeroPad2d(1), nn.AdaptiveAvgPool2d(1))", "cannot be combined with the padding"),
    ],
)
def test_wrong_lines_are_refused(line, told):
    refused(lambda: parse(line), told)

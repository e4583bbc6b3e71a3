import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convanim as ca
from convanim.explanation import explain
from convanim.layers import (
    KINDS,
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    Upsample,
    times,
)
from convanim.layers.writing import lines
from convanim.typed.request import request
from support.operations import OF, operations
from support.refusals import refused


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind in OF])  # test_columns has the others
@settings(max_examples=max(100, settings.default.max_examples))
@given(data=st.data())
def test_every_operation_is_explained(kind, data):
    op, sizes = data.draw(operations(kind))
    text, outputs = explain(op, sizes), [a.output for a in op.axes(sizes)]
    assert text.splitlines()[0] == f"{op}   {times(sizes)} → {times(outputs)}"
    own, _, theirs = text.partition("\n\nIn other frameworks\n")
    rows = [row.strip() for row in theirs.splitlines()]
    for line in lines(op, sizes):
        assert all(row.strip() in rows for row in line.code.splitlines())
        assert line.note in theirs
    if kind in (MaxPool, AvgPool, LpPool):
        told = [int(n) for n in re.findall(r"o = .* = (\d+)$", own, re.MULTILINE)]
        less = [int(n) for n in re.findall(r"^ +(\d+) less, as", own, re.MULTILINE)]
        assert sum(told) - sum(less) in (sum(outputs), outputs[0])
    if isinstance(op, Conv | ConvTranspose | MaxPool) and isinstance(op.padding, str):
        assert f"Padding {op.padding!r} in {op.rules.title}" in own


def test_words_are_resolved():
    text = explain(Conv(3, 2, padding="same", convention="keras"), (6, 6))
    assert "Padding 'same' in Keras\n  every axis  0 before and 1 after are padded" in text


def test_what_an_upsampling_reads():
    text = explain(Upsample(scale_factor=2, mode="bilinear"), (2, 2))
    assert "reads x0   0.75·x0 + 0.25·x1   0.25·x0 + 0.75·x1   x1" in text
    assert "(t + ½)·u − ½" in text
    assert "u = 1/2" in text
    assert "reads x0   0   x1   0" in explain(Upsample(scale_factor=2, mode="nails"), (2,))


def test_rounding_up_is_told():
    text = explain(AvgPool(3, 2, 1, ceil_mode=True), (6, 6))
    assert "⌈(6 + 2·1 − 3) / 2⌉ + 1 = 4" in text
    assert "sticks out by 1 cell beyond the padding" in text
    left = explain(MaxPool(2, 2, 1, ceil_mode=True), (3,))
    assert "1 less, as no window starts after the input: 2" in left
    assert "the windows leave 1 cell at the end unused" in left


@pytest.mark.parametrize("wrong", [3, None, "Conv(3)", Conv])
def test_what_is_no_layer_is_refused(wrong):
    refused(lambda: ca.explain(wrong, (3,)), "is not a layer")


@pytest.mark.parametrize("wrong", [3, None, "33", (3.0, 3)])
def test_what_are_no_sizes_is_refused(wrong):
    refused(lambda: ca.explain(Conv(3), wrong))


@pytest.mark.parametrize(
    ("typed", "line", "sizes"),
    [
        ({"kernel": "8x3x3x3"}, "nn.Conv2d(3, 8, 3)", "3x6x6"),
        ({"kernel": "3x3"}, "nn.Conv2d(3, 1, 3)", "3x6x6"),
        ({"kernel": "3x3", "out_channels": "4"}, "nn.Conv2d(3, 4, 3)", "3x6x6"),
        ({"kernel": "3x3", "groups": 3}, "nn.Conv2d(3, 3, 3, groups=3)", "3x6x6"),
        ({"kernel": "3x3x3x8", "convention": "keras"}, "Conv2D(8, 3)", "6x6x3"),
        ({"kernel": "3x3x2x6", "convention": "keras", "kind": "transposed"}, "Conv2DTranspose(2, 3)", "4x4x6"),
        ({"kernel": "3x3x6x2", "convention": "jax", "kind": "transposed"}, None, "4x4x6"),
        ({"kernel": "6x2x3x3", "kind": "transposed"}, "nn.ConvTranspose2d(6, 2, 3)", "6x4x4"),
    ],
)
def test_weights_from_an_array_are_counted_like_those_of_a_line(tmp_path, typed, line, sizes):
    kind = typed.pop("kind", "conv")
    shape = [int(n) for n in typed["kernel"].split("x")]
    np.save(tmp_path / "w.npy", np.ones(shape, int))
    for kernel in (typed["kernel"], str(tmp_path / "w.npy")):
        own = request(kind, x=sizes, **typed | {"kernel": kernel}).whole
        inputs, outputs = (own.in_channels, own.out_channels)
        rows = re.search(r"parameters +(\d+) weights", explain(own, (6, 6)))
        assert int(rows[1]) == inputs * outputs * 9 // own.groups
        if line:
            theirs = ca.parse(line)
            assert outputs == theirs.out_channels
            assert theirs.in_channels in (None, inputs)
    assert request("conv", x="6x6", kernel="3x3").whole == Conv(3)  # no channels to count

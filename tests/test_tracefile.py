import json

import numpy as np
import pytest
from hypothesis import given

from convanim.layers import Conv, ConvTranspose
from convanim.trace import Trace
from support.refusals import refused
from support.weighted import layers


def small():
    """A layer with everything: padding, stride, a bias, channels."""
    op = ConvTranspose(kernel_size=(3, 2), stride=2, padding=1, output_padding=1, groups=2)
    x, weight = np.arange(12).reshape(2, 2, 3) - 5, np.arange(24).reshape(2, 2, 3, 2) - 7
    return op.trace(x, weight, [1, -2, 3, 4])


@given(layers())
def test_a_saved_trace_is_read_back_whole(tmp_path_factory, case):
    done = case.trace()
    path = tmp_path_factory.mktemp("trace") / "layer.json"
    for ordered in (done, done.by_input()):
        ordered.save(path)
        back = Trace.load(path)
        assert back == ordered
        assert back.order == ordered.order
        assert back.output.dtype == ordered.output.dtype
        assert np.array_equal(back.output, ordered.output)


def test_the_file_tells_every_step_to_other_programs(tmp_path):
    done = small().by_input()
    done.save(tmp_path / "t.json")
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["operation"] == str(done.op)
    assert told["output"] == done.output.tolist()
    assert told["axes"][0] == {
        "input": 2, "output": 4, "kernel": 3, "stride": 2, "dilation": 1, "padding": [1, 1], "output_padding": 1
    }  # fmt: skip
    assert len(told["steps"]) == len(done)
    canvas = np.zeros(told["canvas"], int)
    for step in told["steps"]:
        for place, value in zip(step["writes"], step["written"], strict=True):
            canvas[tuple(place)] += value
    cropped = canvas[:, 1 : 1 + 4, 1 : 1 + 5] + np.array(told["bias"]).reshape(-1, 1, 1)
    assert np.array_equal(cropped, done.output[:, :, :5])


def tampered(folder, **changes):
    """A file of a trace with some of its keys changed, or removed for the value `...`."""
    path = folder / "t.json"
    Conv(2).trace(np.arange(18).reshape(2, 3, 3), np.ones((1, 2, 2, 2), int), 1).save(path)
    told = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in told.items() if value is not ...}))
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"output": [[[0, 0], [0, 0]]]},
        {"output": [[[53, 61], [77, 86]]]},
        {"output": [[53, 61], [77, 85]]},
        {"output": 53},
        {"output": ["a"]},
        {"output": []},
        {"input": [[1, 2], [3]]},
        {"input": []},
        {"input": None},
        {"input": {"a": 1}},
        {"input": [[[10**30] * 3] * 3] * 2},
        {"input": [[[2**63, -1, 1]] * 3] * 2},
        {"input": json.loads("[" * 90 + "1" + "]" * 90)},
        {"weight": "abc"},
        {"weight": [1]},
        {"bias": [10**400]},
        {"bias": [2**63]},
        {"bias": ["a"]},
        {"bias": []},
        {"bias": [1, 2]},
        {"given": {"planar": True, "batch": False, "last": False}},
        {"given": {"planar": False, "batch": False}},
        {"given": {"planar": False, "batch": False, "last": 1}},
        {"given": {"planar": False, "batch": False, "last": False, "first": True}},
        {"given": []},
        {"given": None},
        {"operation": "Conv(3)"},
        {"operation": "Conv(2, padding=16777216)"},
        {"operation": "__import__('os').abort()"},
        {"operation": 3},
        {"order": "sideways"},
        {"version": 1},
        {"version": 3},
        {"version": 10**30},
        {"kind": "a sonnet"},
        *(
            {key: ...}
            for key in ("kind", "version", "operation", "order", "given", "input", "weight", "bias", "output")
        ),
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_tampered_file_is_refused(tmp_path, changes):
    path = tampered(tmp_path, **changes)
    refused(lambda: Trace.load(path))


def test_an_untouched_file_is_not_refused(tmp_path):
    assert Trace.load(tampered(tmp_path)).output.tolist() == [[[53, 61], [77, 85]]]


def test_large_integers_in_a_file_must_be_right_to_the_last_digit(tmp_path):
    path = tmp_path / "t.json"
    Conv(1).trace([10**12], [1]).save(path)
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"output": [10**12 + 1]}))
    refused(lambda: Trace.load(path), "output")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b"{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\x00",
        b'{"kind": "\xff"}',
        b"1" * 10_000,
        b'{"kind": NaN}',
        b"GIF89a",
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_what_is_no_trace_is_refused(tmp_path, content):
    path = tmp_path / "t.json"
    path.write_bytes(content)
    refused(lambda: Trace.load(path), "t.json", "not a trace")


@pytest.mark.parametrize("name", ["", "none.json", "a" * 300 + ".json", "a\0b.json"])
def test_a_file_that_is_not_there_is_refused(tmp_path, name):
    refused(lambda: Trace.load(f"{tmp_path}/{name}"))


@pytest.mark.parametrize("name", ["t.gif", "t", "", "no/such/t.json", "a" * 300 + ".json", "a\0b.json", "folder.json"])
def test_a_name_that_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "folder.json").mkdir()
    refused(lambda: small().save(f"{tmp_path}/{name}"))
    assert [p.name for p in tmp_path.iterdir()] == ["folder.json"]


def test_saving_again_replaces_the_whole_file(tmp_path):
    path = tmp_path / "t.JSON"
    small().save(path)
    small().by_input().save(path)
    assert Trace.load(path).order == "scatter"
    assert [p.name for p in tmp_path.iterdir()] == ["t.JSON"]

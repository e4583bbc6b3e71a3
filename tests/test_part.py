"""Parts of a layer: which channels are followed and drawn, and items of batches, compared with definitions in loops."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convanim as ca
from convanim.errors import ConvanimError, ConvanimWarning
from convanim.layers import times
from convanim.scene import scene
from support import definitions
from support.commands import run
from support.refusals import check, refused


@st.composite
def layers(draw: st.DrawFn) -> dict[str, Any]:
    """A layer with its weights in PyTorch's layout, its input, and a choice of channels that is valid."""
    transposed, groups = draw(st.booleans()), draw(st.sampled_from([1, 1, 1, 2, 3]))
    per_in, per_out = draw(st.integers(1, 9 if groups == 1 else 3)), draw(st.integers(1, 4))
    rank, kernel = draw(st.sampled_from([1, 2, 2])), draw(st.integers(1, 3))
    stride, padding, dilation = draw(st.integers(1, 2)), draw(st.integers(0, 1)), draw(st.integers(1, 2))
    sizes = tuple(draw(st.integers(5, 6)) for _ in range(rank))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    inputs, outputs = per_in * groups, per_out * groups
    shape = (inputs, per_out) if transposed else (outputs, per_in)
    numbers = rng.integers if draw(st.booleans()) else rng.uniform
    x, weight = numbers(-5, 6, (2, inputs, *sizes)), numbers(-3, 4, (*shape, *(kernel,) * rank))
    bias = draw(st.sampled_from([None, rng.integers(-9, 10, outputs)]))
    if groups == 1:
        out = draw(st.sets(st.integers(0, outputs - 1), min_size=1))
        drawn = draw(st.none() | st.sets(st.integers(0, inputs - 1), min_size=1, max_size=8))
    else:  # as many output channels of each group that is shown, and some of the input channels of each
        used = draw(st.sets(st.integers(0, groups - 1), min_size=1))
        within = draw(st.sets(st.integers(0, per_out - 1), min_size=1))
        out = {g * per_out + o for g in used for o in within}
        some = draw(st.none() | st.sets(st.integers(0, per_in - 1), min_size=1))
        drawn = None if some is None else {g * per_in + c for g in used for c in some}
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    known = draw(st.booleans())
    counts = {"in_channels": inputs, "out_channels": outputs} if known else {}
    op = (ca.ConvTranspose if transposed else ca.Conv)(kernel, **options, **counts)
    return {"op": op, "x": x, "weight": weight, "bias": bias, "out": sorted(out), "drawn": drawn, "options": options}


def whole(case: dict[str, Any], x: Any, weight: Any = None) -> Any:
    """The output of all channels, from the definition."""
    define = definitions.conv_transpose if case["op"].transposed else definitions.conv
    y = define(x, case["weight"] if weight is None else weight, **case["options"])
    bias = 0 if case["bias"] is None or weight is not None else case["bias"].reshape(-1, *(1,) * (y.ndim - 1))
    return y + bias


@settings(max_examples=120, deadline=None)
@given(layers(), st.integers(0, 1))
def test_the_output_is_that_of_the_whole_layer_at_the_chosen_channels(case: dict[str, Any], batch: int) -> None:
    op, drawn = case["op"], None if case["drawn"] is None else sorted(case["drawn"])
    chosen = {"channels": drawn, "out_channels": case["out"], "batch": batch if op.rank or case["x"].ndim > 3 else None}
    x = case["x"] if chosen["batch"] is not None else case["x"][batch]
    trace = op.trace(x, case["weight"], case["bias"], **chosen)
    trace.verify()
    assert np.allclose(trace.answer, whole(case, case["x"][batch])[case["out"]])
    assert trace.part.outputs == tuple(case["out"])
    assert trace.whole == (case["x"].shape[1], len(whole(case, case["x"][batch])))
    again = op.trace(x, case["weight"], case["bias"], batch=chosen["batch"])
    if op.groups == 1:
        assert again.only(case["out"]) == op.trace(x, case["weight"], case["bias"], **chosen | {"channels": None})


def numbers_in(text: str) -> list[float]:
    """The terms of a caption, without the words around them."""
    return [
        float(word.replace("−", "-")) for word in re.findall(r"(?<![\w,])−?\d+(?:\.\d+)?(?! other)(?![\w\]])", text)
    ]


@settings(max_examples=60, deadline=None)
@given(layers())
def test_the_drawn_sums_add_up_to_the_real_one(case: dict[str, Any]) -> None:
    case["x"], case["weight"] = np.rint(case["x"]).astype(int), np.rint(case["weight"]).astype(int)
    op, x, drawn = case["op"], case["x"][0], None if case["drawn"] is None else sorted(case["drawn"])
    if x.shape[0] * len(case["out"]) == 1 or len(case["out"]) > 8:
        return
    trace = op.trace(x, case["weight"], case["bias"], channels=drawn, out_channels=case["out"])
    made = scene(trace)
    if not hasattr(made, "drawn"):  # a single channel, which is shown without partial sums
        return
    y, read = whole(case, x), [trace.part.inputs[c] for c in made.drawn]
    assert drawn is None or read == drawn
    assert [made.frame(0).grids[name].title for name in made.left.names] == list(made.left.titles)
    per_group = x.shape[0] // op.groups
    alone = {c: whole(case, np.where(np.arange(len(x)).reshape(-1, *(1,) * (x.ndim - 1)) == c, x, 0), case["weight"])
             for c in read}  # fmt: skip
    others = per_group - len(read) // trace.op.groups
    for number in range(0, len(trace), 5):
        caption = made.look(trace[number], written=True).caption
        o, *cell = trace[number].writes[0].tolist()
        at = (case["out"][o], *cell)
        assert numbers_in(caption.result) == [y[at]]
        if per_group == 1:
            continue
        group = case["out"][o] // (y.shape[0] // op.groups)
        sums = [alone[c][at] for c in read if c // per_group == group]
        bias = [] if case["bias"] is None else [case["bias"][case["out"][o]]]
        rest = [y[at] - sum(sums) - sum(bias)] if others else []
        assert [numbers_in(term)[-1] for term in caption.terms] == [*sums, *rest, *bias]
        assert ("other channel" in " ".join(caption.terms)) == bool(others)
        shown = " ".join(caption.kept(1 + bool(others) + len(bias)))  # what is not drawn is never left out
        assert ("other channel" in shown) == bool(others)


RNG = np.random.default_rng(3)
X, W = RNG.integers(0, 9, (64, 5, 5)), RNG.integers(-2, 3, (128, 64, 3, 3))
BIG = ca.Conv(3, in_channels=64, out_channels=128)


def test_what_the_page_says() -> None:
    made = BIG.trace(X, W, channels=[3, 0], out_channels=[5]).animate().scene
    assert made.title == "Convolution   64×5×5 → 128×3×3"
    channels = "2 of 64 channels; the sum is over all 64   output channel 5 of 128"
    assert made.detail == f"{channels}   kernel 3×3   w[output, channel]"
    titles = [grid.title for grid in made.frame(1).grids.values()]
    assert titles == [
        "channel 0",
        "channel 3",
        "w[5,0]",
        "w[5,3]",
        "one sum per channel, and one of 62 others",
        "output 5",
    ]
    assert made.frame(1).captions[0].text().startswith("output[5, 0,0] = ")
    first = BIG.trace(X, W, out_channels=2).animate().scene
    assert first.detail.startswith("3 of 64 channels; the sum is over all 64   2 of 128 output channels")
    last = ca.Conv(3, convention="keras").trace(np.moveaxis(X, 0, -1), np.moveaxis(W, (0, 1), (3, 2)), out_channels=[7])
    assert last.animate().scene.title == "Convolution   5×5×64 → 3×3×128"
    nine = ca.Conv(3).trace(X[:9], W[:1, :9], channels=range(8)).animate().scene
    assert " + 1 other channel: " in nine.frame(1).captions[0].text()


def test_groups_without_a_chosen_channel_are_left_out() -> None:
    depthwise = ca.Conv(3, groups=64, in_channels=64, out_channels=128)
    weight = RNG.integers(-2, 3, (128, 1, 3, 3))
    trace = depthwise.trace(X, weight, channels=[2])
    assert (trace.part.inputs, trace.part.outputs, trace.op.groups) == ((2,), (4, 5), 1)
    assert np.array_equal(trace.answer, definitions.conv(X, weight, groups=64)[4:6])
    channels = "channel 2 of 64   2 of 128 output channels"
    assert trace.animate().scene.detail == f"{channels}   kernel 3×3   groups 64   w[output, channel]"
    halves = ca.Conv(3, groups=2).trace(X, W[:8, :32], channels=[0, 40], out_channels=[1, 6])
    assert halves.animate().scene.detail.startswith("2 of 64 channels; the sum is over the group   2 of 8 output")


def test_as_many_channels_as_can_be_looked_at() -> None:
    with pytest.warns(ConvanimWarning, match="4 of the 128 output channels are shown; choose others with out_channels"):
        shown = BIG.trace(X, W).animate()
    assert shown.trace.part.outputs == (0, 1, 2, 3)
    shown.prove()
    with pytest.warns(ConvanimWarning, match="4 of the 64 channels are shown; choose others with channels"):
        pooled = ca.MaxPool((2, 2)).trace(X).animate()
    assert pooled.scene.title == "Max pooling   64×5×5 → 64×2×2"
    assert pooled.scene.detail.startswith("4 of 64 channels   4 of 64 output channels")
    chosen = ca.MaxPool((2, 2)).trace(X, channels=[9, 5])
    assert np.array_equal(chosen.output, [X[c, :4, :4].reshape(2, 2, 2, 2).max((1, 3)) for c in (5, 9)])
    assert chosen.animate().scene.frame(1).grids["stage 1"].title == "channel 9"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ca.Conv(3).trace(X, W[:8]).animate()


def test_floats_of_many_channels_need_little_memory() -> None:
    x, w = RNG.normal(size=(64, 40, 40)), RNG.normal(size=(64, 64, 3, 3))
    assert ca.Conv(3, padding=1).trace(x, w, out_channels=[1]).animate(width=640).scene.beats.steps == 1600


BATCH = RNG.integers(0, 9, (3, 2, 4, 4))


@pytest.mark.parametrize(
    ("op", "more", "wanted"),
    [
        (ca.Conv(2), (RNG.integers(0, 4, (3, 2, 2, 2)),), definitions.conv),
        (ca.ConvTranspose(2, stride=2), (RNG.integers(0, 4, (2, 3, 2, 2)),), definitions.conv_transpose),
        (ca.MaxPool((2, 2)), (), lambda x: x.reshape(2, 2, 2, 2, 2).max((2, 4))),
        (ca.AvgPool((2, 2)), (), lambda x: x.reshape(2, 2, 2, 2, 2).mean((2, 4))),
        (ca.Upsample(scale_factor=(2, 2)), (), lambda x: x.repeat(2, 1).repeat(2, 2)),
        (ca.AdaptiveMaxPool((1, 1)), (), lambda x: x.max((1, 2), keepdims=True)),
        (ca.Unfold((4, 4)), (), lambda x: x.reshape(32, 1)),
    ],
)
def test_an_item_of_a_batch(op: Any, more: tuple[Any, ...], wanted: Any) -> None:
    options = {"stride": 2} if isinstance(op, ca.ConvTranspose) else {}
    trace = op.trace(BATCH, *more, batch=2)
    assert np.array_equal(trace.output, wanted(BATCH[2], *more, **options))
    assert trace.item == (2, 3)
    with pytest.warns(ConvanimWarning, match="item 0 of the batch of 3 is shown; choose another one with batch"):
        first = op.trace(BATCH, *more)
    assert np.array_equal(first.output, wanted(BATCH[0], *more, **options))
    assert first.item == (0, 3)
    assert "item 2 of a batch of 3" in trace.animate().alt
    assert np.array_equal(op.trace(BATCH.tolist(), *more, batch=-1 % 3).output, trace.output)
    refused(lambda: op.trace(BATCH, *more, batch=3), "item 3 of the batch does not exist: it has 3")
    refused(lambda: op.trace(BATCH, *more, batch=-1), "item -1")
    refused(lambda: op.trace(BATCH, *more, batch="a"), "batch 'a' is not the number of an item")
    refused(lambda: op.trace(BATCH[0], *more, batch=0), "batch 0 needs a batch")


def test_an_unpooling_takes_the_positions_of_the_same_item() -> None:
    x, places = np.array([[[[5]]], [[[7]]]]), np.array([[[[0]]], [[[3]]]])
    assert ca.MaxUnpool((2, 2)).trace(x, places, batch=1).output.tolist() == [[[0, 0], [0, 7]]]


def test_a_batch_of_one_stays_a_batch() -> None:
    trace = ca.Conv(2).trace(BATCH[:1], np.ones((1, 2, 2, 2), int))
    assert (trace.item, trace.output.shape) == (None, (1, 1, 3, 3))


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"channels": [64]}, "channels 64 does not exist: there are 64, counted from 0"),
        ({"channels": []}, "channels [] are not numbers of channels"),
        ({"channels": "0"}, "channels '0' are not numbers"),
        ({"channels": [0.5]}, "are not numbers"),
        ({"channels": -1}, "channels -1 does not exist"),
        ({"out_channels": 129}, "out_channels 129 is more than the 128 there are"),
        ({"out_channels": 0}, "out_channels 0 is not positive"),
        ({"out_channels": [True]}, "are not numbers"),
        ({"out_channels": [128]}, "out_channels 128 does not exist"),
        ({"out_channels": {}}, "are not numbers"),
    ],
)
def test_channels_that_do_not_exist(chosen: dict[str, Any], says: str) -> None:
    refused(lambda: BIG.trace(X, W, **chosen), says)


def test_channels_of_other_groups() -> None:
    op, weight = ca.Conv(3, groups=4), W[:8, :16]
    refused(lambda: op.trace(X, weight, channels=[0], out_channels=[7]), "input channel 0 is in another group than")
    refused(lambda: op.trace(X, weight, out_channels=[0, 1, 2]), "not equally many of each of their 2 groups")
    refused(lambda: op.trace(X, weight, channels=[0], out_channels=[0, 7]), "channels [0] are not equally many of each")
    refused(lambda: BIG.trace(X[0], W[0, 0], channels=[5]), "an input of 5×5 has no channels to choose from")
    refused(lambda: ca.Conv(3).trace(X, W, out_channels=1).backward(), "the gradient needs all output channels")


# The command line.


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=np.stack([X, X + 1]), w=W)


def told(*typed: str) -> tuple[str, str]:
    """The alternative text of a command, and its notes."""
    code, out, err = run("describe", *typed, "--alt")
    assert code == 0, err
    return out, err


SUMS = "one sum per channel, and one of 62 others"
LINE = ("layer", "nn.Conv2d(64, 128, 3)")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("typed", "says", "notes"),
    [
        ((*LINE, "--input", "64x5x5"), "64×5×5 → 128×3×3 (3 of 64 channels; the sum is over all 64, 4 of 128 output",
         ["4 of the 128 output channels are shown; choose others with --out-channels."]),
        ((*LINE, "--input", "64x5x5", "--channels", "0,3", "--out-channels", "[5]"), "(2 of 64 channels; the", []),
        ((*LINE, "--input", "64x5x5", "--out-channels", "4..5"), ", 2 of 128 output channels", []),
        ((*LINE, "--input", "a.npz::x", "--kernel", "a.npz::w", "--out-channels", "5,"),
         "output channel 5 of 128, item 0 of a batch of 2",
         ["item 0 of the batch of 2 is shown; choose another one with --batch, from 0 to 1."]),
        (("conv", "--input", "a.npz::x", "--kernel", "a.npz::w", "--batch", "1"), "item 1 of a batch of 2",
         ["4 of the 128 output channels are shown"]),
        (("conv", "--input", "a.npz::x", "--kernel", "3"), "item 0 of a batch of 2", ["item 0 of the batch of 2"]),
        (("conv", "--input", "a.npz::x[0]", "--kernel", "a.npz::w", "--out-channels", "2"), "2 of 128 output", []),
        (("conv", "--input", "3x5x5", "--kernel", "3x3", "--out-channels", "2,4"), "3×5×5 → 5×3×3 (2 of 5 output", []),
        (("pool", "--input", "a.npz::x", "--kernel", "2", "--batch", "0", "--channels", "9"),
         "channel 9 of 64, output channel 9", []),
        (("layer", "nn.Conv2d(64, 64, 3, groups=64)", "--input", "64x5x5", "--channels", "3"),
         "channel 3 of 64, output channel 3", []),
    ],
)  # fmt: skip
def test_commands(typed: tuple[str, ...], says: str, notes: list[str]) -> None:
    out, err = told(*typed)
    assert says in out
    assert err.count("\n") == len(notes)
    assert all(note in err for note in notes)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ((*LINE, "--input", "64x5x5", "--channels", "64"), "--channels 64 does not exist: there are 64"),
        ((*LINE, "--input", "64x5x5", "--channels", "x"), "--channels 'x' are not numbers of channels; type 4 or 0,3"),
        ((*LINE, "--input", "64x5x5", "--out-channels", "[128]"), "--out-channels 128 does not exist"),
        ((*LINE, "--input", "64x5x5", "--out-channels", "7..4"), "type 4 for how many, or 0,3 or 4..7 for which ones"),
        ((*LINE, "--input", "64x5x5", "--out-channels", "0.." + "9" * 7), "are not numbers of channels"),
        ((*LINE, "--input", "63x5x5"), "has 63 channels, which come first in PyTorch, and the layer takes 64"),
        ((*LINE, "--input", "5x5", "--channels", "3"), "has no channels to choose from"),
        ((*LINE, "--input", "a.npz::x", "--batch", "2"), "--batch 2 does not exist: --input 2x64x5x5 has 2 items"),
        ((*LINE, "--input", "5x5", "--batch", "0"), "--batch 0 needs a batch, and --input 5x5 has 2 axes"),
        (("shuffle", "--input", "4x2x2", "--channels", "1"), "No such option"),
        (("layer", "nn.PixelShuffle(2)", "--input", "4x2x2", "--channels", "1"), "cannot be chosen"),
    ],
)
def test_commands_that_are_refused(typed: tuple[str, ...], says: str) -> None:
    code, out, err = run("describe", *typed)
    assert (code, out) == (2, "")
    assert says in err
    if "No such option" not in says:
        check(code, out, err)


def test_explain_has_the_channels_of_the_layer() -> None:
    _, out, _ = run("explain", *LINE, "--input", "8x8")
    assert out.startswith("Conv(kernel_size=(3, 3), in_channels=64, out_channels=128)   64×8×8 → 128×6×6\n")
    assert "2,654,208 multiplications for 64 × 128 = 8192 pairs" in out  # 36 · 9 · 64 · 128
    assert "73,728 weights, and 128 biases" in out
    _, out, _ = run("explain", "layer", "keras.layers.Conv2D(128, 3)", "--input", "8x8")
    assert "8×8 → 6×6" in out  # the number of input channels is unknown


@pytest.mark.usefixtures("files")
def test_a_gallery_entry_chooses_channels(tmp_path: Path) -> None:
    text = 'layer = "nn.Conv2d(64, 128, 3)"\ninput = "a.npz::x"\nkernel = "a.npz::w"\nformats = ["json"]\n'
    (tmp_path / "one.toml").write_text(text + "batch = 1\nchannels = [0, 3]\nout_channels = [5]\n")
    (tmp_path / "two.toml").write_text(text + 'batch = 0\nchannels = "0,3"\nout_channels = "[5]"\n')
    code, out, err = run("gallery", "build", "--folder", tmp_path, "--jobs", "1")
    assert code == 0, out + err
    for name, x in (("one", X + 1), ("two", X)):
        assert json.loads((tmp_path / f"{name}.json").read_text())["output"] == definitions.conv(x, W[5:6]).tolist()


def test_a_saved_trace_keeps_its_channels(tmp_path: Path) -> None:
    trace = BIG.trace(X, W, np.arange(128), channels=[0, 3], out_channels=[5, 7])
    trace.save(tmp_path / "a.json")
    again = ca.Trace.load(tmp_path / "a.json")
    assert again == trace
    assert again.part == trace.part
    told = json.loads((tmp_path / "a.json").read_text())
    told["part"]["outputs"] = [5]
    (tmp_path / "b.json").write_text(json.dumps(told))
    with pytest.raises(ConvanimError, match="do not have the recorded channels"):
        ca.Trace.load(tmp_path / "b.json")
    assert times(again.whole) == "64×128"


def test_a_table_has_the_numbers_of_the_whole_layer(tmp_path: Path) -> None:
    weight = RNG.integers(-2, 3, (128, 1, 3, 3))
    ca.Conv(3, groups=64).trace(X, weight, channels=[2], out_channels=[5]).save(tmp_path / "a.csv")
    head, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert head.startswith("step,group,output_channel,output_row,output_column,input_channel,input_row")
    assert first.startswith("0,2,5,0,0,2,0")
    BIG.trace(X, W, channels=[3], out_channels=[100]).save(tmp_path / "b.csv")
    rows = [row.split(",") for row in (tmp_path / "b.csv").read_text().splitlines()[1:]]
    assert {row[1] for row in rows} == {"100"}
    assert {int(row[4]) for row in rows} == set(range(64))


@pytest.mark.parametrize("kind", [ca.Conv, ca.ConvTranspose])
def test_the_scale_of_partial_sums_fits_them(kind: type[ca.Conv | ca.ConvTranspose]) -> None:
    x, weight = RNG.integers(-9, 10, (12, 21, 21)), RNG.integers(-9, 10, (12, 12, 2, 2))
    made: Any = kind(2).trace(x, weight, 7, out_channels=[3]).animate().scene
    sums = np.array([made._split(made.trace, made.trace[number]) for number in range(len(made.trace))])
    assert sums.shape[1] == 4
    assert (made._sums.min(), made._sums.max()) == (sums.min(), sums.max())

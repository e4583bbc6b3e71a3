"""Pairs of scenes: both end together, show the same cells, and end with correct results.

`python -m pytest tests/test_pairs.py --renew` writes the golden files again; then read the difference.
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convanim.draw.text import frame_text, heading
from convanim.errors import ConvanimError
from convanim.explanation.compare import why
from convanim.explanation.difference import Difference
from convanim.explanation.equals import equal_layer
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool, PixelShuffle, Upsample
from convanim.page import layout
from convanim.scene import Scene, compared
from convanim.scene.beside.backward import BackwardScene
from convanim.scene.beside.compare import GROUP
from convanim.scene.beside.equal import EqualScene
from convanim.scene.beside.pair import BELOW, Pair
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Emphasis,
    Frame,
    Grid,
    Link,
    Outline,
    Role,
)
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.window.gather import GatherScene
from convanim.trace import ConvTrace, Trace
from support.scenes import compared_traces, drawn, facts, frames, upsampled

GOLDEN = Path(__file__).parent / "golden_pairs"
SETTINGS = settings(max_examples=40)


def check(s: Scene) -> list[Frame]:
    """Check the properties of every scene, and return its frames."""
    panels = {p.name: p for p in s.panels}
    assert len(panels) == len(s.panels)
    assert [p for block in s.blocks for row in block for p in row] == list(s.panels)
    assert all(p.follows in panels or not p.follows for p in s.panels)
    told = frames(s)
    for frame in told:
        assert set(frame.grids) == set(panels)
        assert len(frame.captions) == s.captions
        assert 0 <= frame.phase < len(s.phases)
        assert 0 <= frame.step <= s.beats.steps
        for name, grid in frame.grids.items():
            high, wide = panels[name].shape
            assert grid.roles.shape == grid.values.shape == grid.emphasis.shape == (high, wide)
            assert grid.title in panels[name].titles
            assert all(0 <= o.top < o.bottom <= high and 0 <= o.left < o.right <= wide for o in grid.outlines)
    steps = [frame.step for frame in told]
    assert steps == sorted(steps)
    assert steps[-1] == s.beats.steps
    assert [facts(s.frame(i)) for i in reversed(range(len(told)))] == [facts(f) for f in reversed(told)]
    return told


def outlines(grid: Grid, role: Role, *, dashed: bool = False) -> list[tuple[int, ...]]:
    return [tuple(o[:4]) for o in grid.outlines if o.role == role and o.dashed == dashed]


# --- lockstep -------------------------------------------------------------------------------------------------------


class Counted:
    """A scene with one empty panel: only its beats count, and its frames say their number."""

    def __init__(self, opening: int, steps: int, each: int, closing: int) -> None:
        own = GatherScene(Conv(1).trace([1], [1]))
        self.panels, self.blocks, self.phases, self.traces = own.panels, own.blocks, own.phases, own.traces
        self.title = self.detail = ""
        self.captions = 1
        self.beats = own.beats._replace(opening=opening, steps=steps, each=each, closing=closing, row=1)
        self._frame = own.frame(0)

    def links(self, step: int) -> tuple[Link, ...]:
        assert 0 <= step < self.beats.steps
        return ()

    def frame(self, number: int) -> Frame:
        assert 0 <= number < self.beats.total
        return replace(self._frame, captions=(Caption(str(number)),))


counted = st.builds(Counted, st.integers(1, 4), st.integers(1, 30), st.integers(1, 3), st.integers(1, 3))


@given(counted, counted, st.none() | st.integers(1, 30))
def test_both_begin_and_end_together_and_each_goes_on_evenly(a: Counted, b: Counted, steps: int | None) -> None:
    pair = Pair(a, b, steps)
    n = pair.beats.steps
    assert n == (steps or max(a.beats.steps, b.beats.steps))
    done = [pair.at(pair.beats.opening + i).made for i in range(n)]
    for which, own in enumerate((a.beats.steps, b.beats.steps)):
        counts = [0, *(d[which] for d in done)]
        assert counts[1] >= 1
        assert counts[-1] == own
        assert all(Fraction(own, n) * i <= c < Fraction(own, n) * i + 1 for i, c in enumerate(counts))
    last = pair.at(pair.beats.total - 1)
    for shown, scene in ((last.above, a), (last.below, b)):
        assert shown.captions[0].subject == str(scene.beats.total - 1)
    first = pair.at(0)
    assert first.above.captions[0].subject == first.below.captions[0].subject == "0"


@given(counted, counted)
def test_a_scene_that_waits_shows_its_last_step(a: Counted, b: Counted) -> None:
    pair = Pair(a, b)
    for i in range(pair.beats.steps):
        now = pair.at(pair.beats.opening + i)
        assert any(now.moved)
        for shown, own, done in zip((now.above, now.below), (a, b), now.made, strict=True):
            assert shown.captions == (Caption(str(own.beats.opening + done * own.beats.each - 1)),)


def test_names_in_the_lower_scene_stay_together() -> None:
    t = ConvTranspose(2).trace([1, 2], [1, 1])
    below = ScatterScene(t.by_input())
    below.panels = tuple(replace(p, follows="canvas", group="all") for p in below.panels)
    for panel in Pair(GatherScene(t.by_output()), below).lower:
        assert panel.name.startswith(BELOW)
        assert (panel.follows, panel.group) == (f"{BELOW}canvas", f"{BELOW}all")


# --- a convolution and its gradient ---------------------------------------------------------------------------------


@st.composite
def convolved(draw: st.DrawFn) -> tuple[ConvTrace, Any]:
    """A convolution that can be drawn, and a gradient of its output."""
    trace = draw(drawn(most=4))
    if not isinstance(trace, ConvTrace) or trace.op.transposed:
        reject()
    if trace.axes[0].mode != "zeros":  # other modes have another gradient
        bias = None if trace.bias is None else trace.bias[0]
        trace = replace(trace.op, padding_mode="zeros").trace(trace.x[0], trace.weight[0, 0], bias)  # type: ignore[call-arg]
    return trace, draw(arrays(np.int64, trace.output.shape, elements=st.integers(-3, 3)))


@SETTINGS
@given(convolved())
def test_the_window_and_the_stamp_are_the_same_cells_of_the_same_step(case: tuple[ConvTrace, Any]) -> None:
    trace, grad = case
    s = BackwardScene(trace, grad)
    told = check(s)
    assert s.beats.steps == len(trace)
    for i in range(s.beats.steps):
        grids = told[s.beats.opening + i].grids
        (window,), (stamp,) = outlines(grids["stage"], Role.KERNEL), outlines(grids[f"{BELOW}canvas"], Role.KERNEL)
        assert window == stamp
        (cell,), (read,) = outlines(grids["output"], Role.DONE), outlines(grids[f"{BELOW}input"], Role.DATA)
        assert cell == read
        row, column = cell[:2]
        place = f"[{row},{column}]" if len(trace.axes) == 2 else f"[{column}]"
        forward, back, _ = told[s.beats.opening + i].captions
        assert forward.subject == f"output{place}"
        value = grids[f"{BELOW}input"].values[row, column]
        assert Fraction(back.text().removeprefix("grad input += ").partition(" · kernel")[0].replace("−", "-")) == value


@SETTINGS
@given(convolved())
def test_what_is_left_below_is_the_gradient(case: tuple[ConvTrace, Any]) -> None:
    """The layer is linear: the gradient of sum(grad · output) follows from the outputs for unit inputs."""
    trace, grad = case
    s = BackwardScene(trace, grad)
    canvas = s.frame(s.beats.total - 1).grids[f"{BELOW}canvas"]
    found = canvas.values[canvas.roles == Role.DONE]
    op, kernel = trace.op, trace.weight[0, 0]
    expected = []
    for i in range(trace.x.size):
        unit = np.zeros(trace.x.size, np.int64)
        unit[i] = 1
        expected.append((op.trace(unit.reshape(trace.x.shape[1:]), kernel).output * grad).sum())
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(1, np.abs(kernel).max()))
    *_, joint = s.frame(s.beats.total - 1).captions
    assert joint.text() == (
        "the same taps, read the other way round; the backward pass of one is the forward pass of the other"
    )
    for shown in s.traces:
        shown.verify()


def test_an_unused_edge_larger_than_the_input_stays_on_the_canvas() -> None:
    check(BackwardScene(Conv(2, 3, ((0, 3),)).trace([1], [1, 2])))


def test_without_a_gradient_it_is_ones() -> None:
    s = BackwardScene(Conv(2).trace([1, 2, 3], [10, 1]))
    assert s.frame(0).grids[f"{BELOW}input"].values.tolist() == [[1, 1]]
    assert s.frame(s.beats.total - 1).grids[f"{BELOW}canvas"].values.tolist() == [[10, 11, 1]]


def test_what_has_no_gradient_of_this_kind_is_refused() -> None:
    with pytest.raises(ConvanimError, match="cannot be shown; use the gradient of a convolution"):
        BackwardScene(ConvTranspose(2).trace([1], [1, 1]))
    with pytest.raises(ConvanimError, match="copies cells"):
        BackwardScene(Conv(2, padding=1, padding_mode="replicate").trace([1, 2], [1, 1]))
    with pytest.raises(ConvanimError, match="has shape 3, but the output has 2"):
        BackwardScene(Conv(2).trace([1, 2, 3], [1, 1]), [1, 2, 3])


# --- two layers compared --------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(compared_traces())
def test_cells_that_differ_stand_out_and_the_first_is_pointed_at_from_then_on(
    case: tuple[Trace, Trace],
) -> None:
    try:
        s = compared(*case)
    except ConvanimError as refusal:
        if "a picture shows at most" not in str(refusal):
            raise
        reject()
    d = Difference(*case)
    told = check(s)
    outputs = [
        [p.name for p in s.panels if p.group == GROUP and p.name.startswith(BELOW) == low] for low in (False, True)
    ]
    pointed_at = False
    for frame in told:
        stacks = [np.stack([frame.grids[n].roles for n in names]) for names in outputs]
        loud = [np.stack([frame.grids[n].emphasis for n in names]) == Emphasis.DIFFERENT for names in outputs]
        new = [np.stack([frame.grids[n].emphasis for n in names]) == Emphasis.WRITTEN for names in outputs]
        there = [
            ((v != Role.PENDING) & (v != Role.NONE)).reshape(t.answer.shape) for v, t in zip(stacks, case, strict=True)
        ]
        shared = tuple(slice(n) for n in d.common)
        both = there[0][shared] & there[1][shared]
        for o, n, trace in zip(loud, new, case, strict=True):
            o, n = (v.reshape(trace.answer.shape) for v in (o, n))  # noqa: PLW2901
            assert (o[shared] == (both & ~d.equal & ~n[shared])).all()
            assert o.sum() == o[shared].sum()  # cells that only one has are not compared
        due = d.first is not None and bool(both[d.first])
        pointed_at = pointed_at or due
        for names, trace in zip(outputs, case, strict=True):
            marks = [
                (plane, o[0], o[1])
                for plane, n in enumerate(names)
                for o in outlines(frame.grids[n], Role.OVERLAP)
                if o[2] - o[0] == o[3] - o[1] == 1
            ]
            if due and d.first is not None:
                flat = np.ravel_multi_index(d.first, trace.answer.shape)
                shape = (len(names), *frame.grids[names[0]].roles.shape)
                assert tuple(int(v) for v in np.unravel_index(flat, shape)) in marks
            else:
                assert not marks
        assert due == pointed_at  # a mark stays to the end
    assert told[-1].captions == (Caption(), Caption(), Caption(remark=f"{d.told}; {why(*case)}"))
    assert pointed_at == (d.first is not None)


@pytest.mark.parametrize(("small", "large"), [(0, 1), (1, 0)])
def test_cells_that_only_one_has_are_framed_from_the_start(small: int, large: int) -> None:
    ops = {small: Conv(3), large: Conv(3, padding=1)}
    x = np.arange(16).reshape(4, 4)
    s = compared(*(ops[i].trace(x, np.ones((3, 3), int)) for i in (0, 1)))
    names = {0: "output", 1: f"{BELOW}output"}
    for frame in frames(s):
        framed = outlines(frame.grids[names[large]], Role.OVERLAP, dashed=True)
        assert framed == [(2, 0, 4, 4), (0, 2, 2, 4)]
        assert not outlines(frame.grids[names[small]], Role.OVERLAP, dashed=True)


def test_an_upsampling_is_compared_without_the_layer_that_equals_it() -> None:
    x = [[1, 2], [3, 4]]
    s = compared(Upsample(scale_factor=2).trace(x), ConvTranspose(2, 2).trace(x, [[1, 1], [1, 1]]))
    check(s)
    assert [p.name for p in s.panels] == ["stage", "output", "below stage", "below kernel", "below output"]


def test_the_last_phase_says_what_the_marks_mean_and_equal_outputs_need_none() -> None:
    x, k = np.arange(16).reshape(4, 4), np.ones((3, 3), int)
    same, padded = Conv(3).trace(x, k), Conv(3, padding=1).trace(x, k)
    cut = Conv(3, padding=((0, 1), (0, 1))).trace(x, k)  # the common cells are equal
    labels = [compared(same, other).phases[-1].label for other in (same, padded, cut)]
    assert labels == ["compare", "compare: bold = different, dashed = only in one", "compare: dashed = only in one"]
    s = compared(same, same)
    for name in ("output", f"{BELOW}output"):
        grid = s.frame(s.beats.total - 1).grids[name]
        assert (grid.roles == Role.DONE).all()
        assert not grid.emphasis.any()
        assert not grid.outlines


def test_each_layer_is_named_by_what_differs_and_in_full_at_the_beginning() -> None:
    x, k = np.arange(36).reshape(6, 6), np.ones((3, 3), int)
    one, two = Conv(3, 2, "same", convention="keras").trace(x, k), Conv(3, 2, 1).trace(x, k)
    s = compared(one, two)
    first = s.frame(0)
    assert s.stories == ("Keras: padding='same'", "PyTorch: padding=1")
    assert [c.text() for c in first.captions] == [
        "Conv(3, stride=2, padding='same')",
        "Conv(3, stride=2, padding=1)",
        "",
    ]
    pools = compared(MaxPool(2).trace(x), AvgPool(2).trace(x))
    assert pools.stories[0] == "MaxPool(2)"
    same = compared(two, Conv(3, 2, 1).trace(x, k + 1))
    assert same.stories == ("The first", "The second")


def test_other_inputs_are_refused() -> None:
    with pytest.raises(ConvanimError, match="have different inputs"):
        compared(Conv(1).trace([1], [1]), Conv(1).trace([2], [1]))


def test_several_channels_are_compared_plane_by_plane() -> None:
    x = np.arange(32).reshape(8, 2, 2)
    s = compared(PixelShuffle(2).trace(x), PixelShuffle(2, order="DCR").trace(x))
    last = s.frame(s.beats.total - 1)
    assert "the first that differs is output[0,0,1]: 4 and 8" in last.captions[2].remark
    assert Outline(0, 1, 1, 2, Role.OVERLAP) in last.grids["output 0"].outlines
    assert Outline(0, 1, 1, 2, Role.OVERLAP) not in last.grids["output 1"].outlines


# --- an upsampling and its layer ------------------------------------------------------------------------------------


@SETTINGS
@given(upsampled())
def test_an_upsampling_and_its_layer_end_in_the_same_numbers(trace: Any) -> None:
    if len(trace.x) > 1 or len(trace.axes) > 2:
        with pytest.raises(ConvanimError, match="give an input of one channel"):
            EqualScene(trace)
        return
    s = EqualScene(trace)
    told = check(s)
    assert s.beats.steps == len(trace)
    last = told[-1]
    assert last.grids["output"].values.ravel().tolist() == trace.output.ravel().tolist()
    found = equal_layer(trace.op, trace.x.shape[1:])
    assert (f"{BELOW}canvas" in last.grids) == found.exact
    if found.exact:
        canvas = last.grids[f"{BELOW}canvas"]
        shown = canvas.values[canvas.roles == Role.DONE]
        np.testing.assert_allclose(shown, trace.output.ravel(), rtol=0, atol=1e-12 * 40)
        assert last.captions[2].text() == "both ways give the same numbers"
        assert str(found.layer) in last.captions[1].text()
    else:
        text = "; ".join(c.text() for c in last.captions if c.text())
        assert text == f"no transposed convolution equals it: {found.reason}"
    for shown_trace in s.traces:
        shown_trace.verify()


# --- on a page, and as text -----------------------------------------------------------------------------------------

X = [
    [1, 2, 0, 1, 3, 1],
    [0, 1, 2, 2, 1, 2],
    [1, 0, 3, 1, 0, 0],
    [2, 1, 1, 0, 2, 1],
    [0, 3, 2, 1, 1, 3],
    [1, 1, 0, 2, 0, 1],
]
K = [[1, 0, 2], [-1, 1, 0], [0, 2, 1]]
Y = [[1, 2, 5], [4, 3, 0], [2, 6, 7]]

#: Golden files: scenes, and the frames that are included.
CASES: dict[str, tuple[Any, list[int]]] = {
    "backward": (
        lambda: BackwardScene(Conv(3, 2, 1).trace([r[:5] for r in X[:5]], K), [[1, -1, 2], [0, 3, 1], [2, 1, -2]]),
        [0, 1, 2, 6, 10, 11, 12, 13],
    ),
    "backward_one_axis": (lambda: BackwardScene(Conv(3, 2).trace([1, 2, 3, 4, 5, 6], [1, 2, 1]), [1, 2]), []),
    "same_in_keras_and_padding_in_torch": (
        lambda: compared(Conv(3, 2, "same", convention="keras").trace(X, K), Conv(3, 2, 1).trace(X, K)),
        [0, 1, 2, 3, 7, 12, 13],
    ),
    "kernels_of_keras_and_jax": (
        lambda: compared(
            *(
                ConvTranspose(2, 2, "same", convention=c).trace([[1, 2], [3, 4]], [[1, 2], [3, 5]])
                for c in ("keras", "jax")
            )
        ),
        [],
    ),
    "averages": (
        lambda: compared(*(AvgPool(2, 2, 1, count_include_pad=c).trace([[4, 8], [12, 16]]) for c in (True, False))),
        [],
    ),
    "sizes": (
        lambda: compared(ConvTranspose(2, 2).trace([1, 2, 3], [1, 2]), ConvTranspose(2).trace([1, 2, 3], [1, 2])),
        [],
    ),
    "nearest": (lambda: EqualScene(Upsample(scale_factor=2).trace([[1, 2], [3, 4]])), []),
    "bilinear_with_corners": (
        lambda: EqualScene(Upsample(size=5, mode="bilinear", align_corners=True).trace(Y)),
        [0, 1, 2, 13, 25, 26, 27, 28],
    ),
    "bilinear_has_none": (lambda: EqualScene(Upsample(scale_factor=2, mode="bilinear").trace([1, 2, 4])), []),
}


def told(name: str) -> str:
    make, numbers = CASES[name]
    s = make()
    numbers = numbers or list(range(s.beats.total))
    return heading(s) + "".join("\n" + frame_text(s, s.frame(i), i, 0) for i in numbers)


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_as_in_the_golden_file(name: str, request: pytest.FixtureRequest) -> None:
    path, text = GOLDEN / f"{name}.txt", told(name)
    if request.config.getoption("--renew", default=False):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.exists(), f"{path} is not there: write it with --renew, and read it"
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("width", [1280, 640])
@pytest.mark.parametrize("name", CASES)
def test_it_fits_on_a_page_with_its_numbers(name: str, width: int) -> None:
    s = CASES[name][0]()
    page = layout(s, width, width * 9 // 16)
    assert set(page.places) == {p.name for p in s.panels}
    assert all(place.number for place in page.places.values()) or width == 640

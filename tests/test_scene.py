"""Scenes against the definition: stages by np.insert and np.pad, stamps by a loop, captions by a parser of sums."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.scene import Scene, scene
from convanim.scene.caption import Caption
from convanim.scene.frame import (
    Emphasis,
    Role,
)
from convanim.scene.stamp import canvas
from convanim.trace import Trace
from support.scenes import PADS, WALKED, drawn, facts, frames, number, result_of
from support.sums import Sum

Array = NDArray[Any]
SETTINGS = settings(max_examples=60)


@st.composite
def seen(draw: st.DrawFn, **options: Any) -> tuple[Trace, str, Scene]:
    """A trace, one of its views, and the scene."""
    trace = draw(drawn(**options))
    view = draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"]))
    return trace, view, scene(trace, view)


def flat(array: Array) -> Array:
    return array.reshape(1, -1) if array.ndim == 1 else array


# --- what every scene keeps ----------------------------------------------------------------------------------------


@SETTINGS
@given(seen())
def test_every_frame_has_every_panel_in_its_shape_and_with_a_title_it_promised(case: tuple[Trace, str, Scene]) -> None:
    _, _, s = case
    panels = {p.name: p for p in s.panels}
    assert [p for block in s.blocks for row in block for p in row] == list(s.panels)
    for frame in frames(s):
        assert set(frame.grids) == set(panels)
        assert len(frame.captions) == s.captions
        assert 0 <= frame.phase < len(s.phases)
        for name, grid in frame.grids.items():
            shape = panels[name].shape
            assert grid.roles.shape == grid.values.shape == grid.emphasis.shape == shape
            assert grid.title in panels[name].titles
            assert all(0 <= r < shape[0] and 0 <= c < shape[1] for r, c in grid.notes)
            for o in grid.outlines:
                assert 0 <= o.top < o.bottom <= shape[0]
                assert 0 <= o.left < o.right <= shape[1]


@SETTINGS
@given(seen())
def test_the_last_frame_is_the_output(case: tuple[Trace, str, Scene]) -> None:
    trace, view, s = case
    last = s.frame(s.beats.total - 1)
    shown = result_of(s, last)
    assert len(shown) == (2 if view == "both" else 1)
    for values in shown:
        if trace.output.dtype.kind == "i":
            assert values.tolist() == trace.output.ravel().tolist()
        else:  # stamps are added in another order
            np.testing.assert_allclose(values, trace.output.ravel(), rtol=1e-9, atol=1e-9)
    assert all((g.emphasis == 0).all() and not g.notes for g in last.grids.values())


@SETTINGS
@given(seen(), st.randoms(use_true_random=False))
def test_frames_are_the_same_in_any_order_and_stay_as_they_are(case: tuple[Trace, str, Scene], random: Any) -> None:
    trace, view, s = case
    kept = frames(s)
    told = [facts(frame) for frame in kept]
    other = scene(trace, view)
    for i in random.sample(range(len(kept)), len(kept)):
        assert facts(other.frame(i)) == told[i]
    assert [facts(frame) for frame in kept] == told


@SETTINGS
@given(seen())
def test_beats_count_the_frames_and_the_steps(case: tuple[Trace, str, Scene]) -> None:
    _, _, s = case
    beats, shown = s.beats, [frame.step for frame in frames(s)]
    assert beats.total == beats.opening + beats.steps * beats.each + beats.closing
    each = [i // beats.each + 1 for i in range(beats.steps * beats.each)]
    assert shown == [0] * beats.opening + each + [beats.steps] * beats.closing
    assert 1 <= beats.row <= beats.steps


@SETTINGS
@given(seen())
def test_every_phase_is_shown_and_the_first_frame_is_in_the_first(case: tuple[Trace, str, Scene]) -> None:
    _, view, s = case
    phases = [frame.phase for frame in frames(s)]
    assert phases[0] == 0
    if view != "overlap-add":  # there the first three phases repeat with every stamp
        assert phases == sorted(phases)


# --- the stage -----------------------------------------------------------------------------------------------------


def stage_by_definition(trace: Trace) -> tuple[Array, Array]:
    """Values and roles of the finished stage, built with np.insert and np.pad alone."""
    values = trace.x[0]
    kinds = np.full(values.shape, int(Role.DATA))
    axes = trace.axes
    for i, a in enumerate(axes):
        if a.transposed:
            between = np.repeat(np.arange(1, a.input), a.stride - 1)
            values = np.insert(values, between, 0, axis=i)
            kinds = np.insert(kinds, between, int(Role.INSERTED), axis=i)
    ring = [(a.before, a.after) for a in axes]
    if axes[0].transposed:
        reach = [a.dilation * (a.kernel - 1) for a in axes]
        ring = [(r - a.before, r - a.after + _edge(a)) for a, r in zip(axes, reach, strict=True)]
    added = [(max(b, 0), max(e, 0)) for b, e in ring]
    mode = axes[0].mode
    around = Role.PADDING if mode == "zeros" else Role.COPIED
    values = np.pad(values, added, mode=PADS[mode])
    kinds = np.pad(kinds, added, constant_values=int(around))
    for i, (before, after) in enumerate(ring):
        along = np.moveaxis(kinds, i, 0)
        along[: max(-before, 0)] = Role.CROPPED
        along[len(along) - max(-after, 0) :] = Role.CROPPED
    if not axes[0].transposed:
        for i, a in enumerate(axes):
            read = (a.output - 1) * a.stride + a.dilation * (a.kernel - 1) + 1
            np.moveaxis(kinds, i, 0)[read:] = Role.UNUSED
    return flat(values), flat(kinds)


def _edge(axis: Any) -> int:
    """The output padding, from the sizes: output cells beyond (i - 1)s - p - p' + d(k - 1) + 1."""
    reach = axis.dilation * (axis.kernel - 1) + 1
    return int(axis.output - ((axis.input - 1) * axis.stride - axis.before - axis.after + reach))


@SETTINGS
@given(drawn())
def test_the_stage_is_the_input_with_zeros_inserted_and_padded(trace: Trace) -> None:
    values, kinds = stage_by_definition(trace)
    s = scene(trace)
    opening = [s.frame(i).grids["stage"] for i in range(s.beats.opening)]
    later = [s.frame(i).grids["stage"] for i in range(s.beats.opening, s.beats.total)]
    for grid in [opening[-1], *later]:
        assert grid.roles.tolist() == kinds.tolist()
        assert grid.values.tolist() == values.tolist()


@SETTINGS
@given(drawn())
def test_the_opening_spreads_the_input_and_grows_the_ring(trace: Trace) -> None:
    s = scene(trace)
    cells = [int((s.frame(i).grids["stage"].roles != Role.NONE).sum()) for i in range(s.beats.opening)]
    assert cells == sorted(cells)
    for i in range(s.beats.opening):
        grid = s.frame(i).grids["stage"]
        if trace.axes[0].mode != "zeros":
            continue
        # The whole input is preserved, and everything else is zero.
        assert sorted(grid.values[grid.values != 0].tolist()) == sorted(trace.x[trace.x != 0].tolist())
        assert not grid.values[np.isin(grid.roles, (Role.INSERTED, Role.PADDING, Role.NONE))].any()
        if i == 0 or s.phases[s.frame(i).phase].short == "insert":
            assert grid.values[grid.roles == Role.DATA].tolist() == trace.x.ravel().tolist()
    first, last = (s.frame(i).grids["kernel"].values for i in (0, s.beats.opening - 1))
    kernel = flat(trace.weight[0, 0])
    assert first.tolist() == kernel.tolist()
    assert last.tolist() == (np.rot90(kernel, 2) if trace.op.transposed else kernel).tolist()


@SETTINGS
@given(drawn())
def test_unused_and_cropped_cells_are_counted_as_the_axes_say(trace: Trace) -> None:
    s = scene(trace)
    stage = s.frame(s.beats.total - 1).grids["stage"].roles
    sizes = (1, *(a.stage for a in trace.axes))[-2:]
    unused = (0, *(a.unused for a in trace.axes))[-2:]
    if trace.op.transposed:
        assert int((stage == Role.CROPPED).sum()) == stage.size - sizes[0] * sizes[1]
        assert not (stage == Role.UNUSED).any()
    else:
        assert stage.shape == sizes
        assert int((stage == Role.UNUSED).sum()) == stage.size - (sizes[0] - unused[0]) * (sizes[1] - unused[1])
        assert not (stage == Role.CROPPED).any()


@SETTINGS
@given(drawn(numbers=("small", "long", "quarters")))
def test_window_times_factors_is_what_is_written(trace: Trace) -> None:
    s = scene(trace)
    answer, kernel = trace.output.ravel().tolist(), trace.weight[0, 0]
    bias = 0 if trace.bias is None else trace.bias[0].item()
    exact = not s.panels[1].numerals.rounded
    for i in range(s.beats.opening, s.beats.total - s.beats.closing):
        frame = s.frame(i)
        stage, output = frame.grids["stage"], frame.grids["output"]
        under = np.argwhere(stage.emphasis == Emphasis.ACTIVE).tolist()
        assert sorted(stage.notes) == [tuple(cell) for cell in under]
        assert len(under) == kernel.size
        slid = frame.grids["kernel"].values.ravel().tolist()
        window = [stage.values[tuple(cell)].item() for cell in under]
        total = sum(Fraction(a) * Fraction(b) for a, b in zip(window, slid, strict=True)) + Fraction(bias)
        assert total == Fraction(answer[frame.step - 1])
        if exact:
            factors = [number(stage.notes[tuple(cell)].removeprefix("×")) for cell in under]
            assert factors == [Fraction(f) for f in slid]
        written = i - s.beats.opening == frame.step * s.beats.each - 1
        done = output.roles.ravel() == Role.DONE
        assert done.tolist() == [n < frame.step - 1 + written for n in range(done.size)]
        assert output.values.ravel()[done].tolist() == answer[: frame.step - 1 + written]
        new = np.flatnonzero(output.emphasis == Emphasis.WRITTEN).tolist()
        assert new == ([frame.step - 1] if written else [])


# --- overlap-add ---------------------------------------------------------------------------------------------------


def stamps(trace: Trace) -> list[tuple[Array, Array]]:
    """For each input cell, row by row: the canvas with its stamp alone, and a mask of the cells that it touches."""
    x, kernel = flat(trace.x[0]), flat(trace.weight[0, 0])
    stride, dilation = ((1, *(getattr(a, n) for a in trace.axes))[-2:] for n in ("stride", "dilation"))
    shape = (1, *(max(a.full, a.before + a.output) for a in trace.axes))[-2:]
    alone = []
    for r, c in np.ndindex(x.shape):
        canvas, hit = np.zeros(shape, x.dtype), np.zeros(shape, bool)
        for j, k in np.ndindex(kernel.shape):
            at = r * stride[0] + j * dilation[0], c * stride[1] + k * dilation[1]
            canvas[at], hit[at] = x[r, c] * kernel[j, k], True
        alone.append((canvas, hit))
    return alone


@SETTINGS
@given(drawn().filter(lambda t: t.op.transposed))
def test_the_canvas_is_the_sum_of_the_stamps_so_far(trace: Trace) -> None:
    s = scene(trace, "overlap-add")
    alone = stamps(trace)
    canvas, hit = np.zeros_like(alone[0][0]), np.zeros_like(alone[0][1])
    for n, (stamp, touched) in enumerate(alone):
        own = [s.frame(s.beats.opening + n * s.beats.each + i) for i in range(s.beats.each)]
        for frame in own[:-1]:
            grid = frame.grids["canvas"]
            assert grid.values.tolist() == canvas.tolist()
            assert (grid.roles == np.where(hit, Role.DONE, Role.PENDING)).all()
        met, before = hit & touched, canvas.copy()
        canvas, hit = canvas + stamp, hit | touched
        last = own[-1]
        grid = last.grids["canvas"]
        assert grid.values.tolist() == canvas.tolist()
        roles = np.where(met, Role.OVERLAP, np.where(hit, Role.DONE, Role.PENDING))
        assert (grid.roles == roles).all()
        assert ((grid.emphasis == Emphasis.WRITTEN) == touched).all()
        assert sorted(grid.notes) == [tuple(cell) for cell in np.argwhere(met).tolist()]
        assert last.grids["stamp"].values.ravel().tolist() == stamp[touched].tolist()
        count = int(met.sum())
        said = last.captions[0].remark
        assert said == "no overlap" if not count else re.match(rf"{count} cells? overlaps?: ", said)
        if trace.x.dtype.kind == "i":
            for cell, note in grid.notes.items():
                first, second = note.split(" + ")
                assert (number(first), number(second)) == (before[cell], stamp[cell])


@SETTINGS
@given(drawn().filter(lambda t: t.op.transposed))
def test_the_crop_leaves_the_output(trace: Trace) -> None:
    s = scene(trace, "overlap-add")
    total = sum(canvas for canvas, _ in stamps(trace))
    rows, columns = (slice(b, b + n) for b, n in zip(*_inside(trace), strict=True))
    closing = [s.frame(s.beats.total - s.beats.closing + i).grids["canvas"] for i in range(s.beats.closing)]
    kept = np.zeros(total.shape, bool)
    kept[rows, columns] = True
    for grid in closing:
        np.testing.assert_allclose(grid.values[~kept].astype(float), total[~kept].astype(float))
    assert ((closing[-1].roles == Role.CROPPED) == ~kept).all()
    assert (closing[-1].roles[kept] == Role.DONE).all()


def _inside(trace: Trace) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (0, *(a.before for a in trace.axes))[-2:], (1, *(a.output for a in trace.axes))[-2:]


# --- captions ------------------------------------------------------------------------------------------------------


def sides_of(caption: Caption) -> tuple[str, str]:
    """The sum and the result of a caption, with the bias as a plain term."""
    line = caption.text().split("   ")[0]
    _, *parts = re.split(r" [=≈] ", line)
    return parts[0].replace("bias ", ""), parts[-1]


@SETTINGS
@given(seen(numbers=("small", "long", "quarters")))
def test_captions_are_true_sums(case: tuple[Trace, str, Scene]) -> None:
    trace, view, s = case
    if view == "overlap-add":
        reject()
    answer = trace.output.ravel().tolist()
    each = s.beats.each
    for n in range(s.beats.steps):
        caption = s.frame(s.beats.opening + n * each + each - 1).captions[0]
        cell = np.unravel_index(n, trace.output.shape)
        assert caption.subject == f"output[{','.join(map(str, cell))}]"
        assert "-" not in caption.text()
        total, result = sides_of(caption)
        if caption.relation == "=":
            assert Sum.of(total) == Sum.of(result) == Fraction(answer[n])
        assert caption.relation == "=" or any(p.numerals.rounded for p in s.panels)
        if each == 2:
            before = s.frame(s.beats.opening + n * each).captions[0]
            assert before.terms == caption.terms


def test_a_bias_is_written_as_it_is_added() -> None:
    """The output needs no decimals here, but the bias does."""
    s = scene(Conv(kernel_size=1).trace([0.75, 1.75], [1.0], 0.25))
    caption = s.frame(s.beats.total - 2).captions[0]
    total, result = sides_of(caption)
    assert Sum.of(total) == Sum.of(result) == 2, caption.text()


def test_a_rounded_bias_is_not_said_to_be_equal() -> None:
    """0.125·0.125 + 0.984375 is 1, but a sum with a bias of 0.984 is not."""
    s = scene(Conv(kernel_size=1).trace([0.125], [0.125], 0.984375))
    caption = s.frame(s.beats.total - 2).captions[0]
    total, result = sides_of(caption)
    assert caption.relation == "≈" or Sum.of(total) == Sum.of(result), caption.text()


@SETTINGS
@given(drawn(numbers=("small",)))
def test_an_empty_sum_says_why_and_that_is_true(trace: Trace) -> None:
    s = scene(trace)
    for i in range(s.beats.opening, s.beats.total - s.beats.closing):
        frame = s.frame(i)
        caption, stage = frame.captions[0], frame.grids["stage"]
        under = stage.emphasis == Emphasis.ACTIVE
        products = (stage.values[under] * frame.grids["kernel"].values.ravel()).tolist()
        bias = [] if trace.bias is None else [""]
        assert len(caption.terms) == sum(p != 0 for p in products) + len(bias)
        if caption.terms:
            continue
        written = frame.grids["output"].emphasis.any()
        assert (caption.result, caption.waits) == ("0", not written)
        met = {Role(r) for r in stage.roles[under].tolist()}
        if Role.DATA in met:
            assert caption.remark == "every product is zero"
        else:
            said = {Role.INSERTED: "an inserted zero" in caption.remark, Role.PADDING: "padding" in caption.remark}
            assert {role for role, told in said.items() if told} == met
            assert caption.remark.startswith("every input under the window is ")


@SETTINGS
@given(seen(numbers=("small",)))
def test_the_size_formula_gives_the_size(case: tuple[Trace, str, Scene]) -> None:
    trace, _, s = case
    caption = s.frame(s.beats.total - 1).captions[0]
    assert caption.subject == "output size"
    sizes = [a.output for a in trace.axes]
    told = caption.terms[0].split(" × ")
    assert [Sum.of(part) for part in told] == (sizes if len(told) > 1 else sizes[:1])
    assert caption.result == ("×".join(map(str, sizes)) if len(told) > 1 else str(sizes[0]))
    if len(told) == 1:
        assert len(set(sizes)) == 1


# --- numbers as they are shown --------------------------------------------------------------------------------------


@SETTINGS
@given(seen(numbers=("quarters",)))
def test_a_number_that_is_not_called_rounded_is_exact(case: tuple[Trace, str, Scene]) -> None:
    _, _, s = case
    check_exact(s)


def test_numbers_of_many_stamps_are_exact_too() -> None:
    x = np.zeros((21, 21))
    x[0, 0], x[0, 1] = 1.0, 0.25
    check_exact(scene(ConvTranspose(1).trace(x, [[0.5]]), "overlap-add"), only=slice(0, 6))


def check_exact(s: Scene, only: slice = slice(None)) -> None:
    panels = [p for p in s.panels if not p.numerals.rounded]
    for frame in frames(s)[only]:
        for panel in panels:
            grid = frame.grids[panel.name]
            shown = grid.values[~np.isin(grid.roles, (Role.NONE, Role.PENDING))].tolist()
            wrong = {v: panel.numerals.text(v) for v in shown if number(panel.numerals.text(v)) != Fraction(v)}
            assert not wrong, f"{panel.name}: {wrong}"


# --- bias, and what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", WALKED["transposed"])
def test_a_bias_is_seen_to_be_added(view: str) -> None:
    op = ConvTranspose(kernel_size=2, padding=1)
    s = scene(op.trace([[0, 1], [2, 3]], [[4, 1], [2, 3]], -7), view)
    assert all(v.tolist() == [16 - 7] for v in result_of(s, s.frame(s.beats.total - 1)))
    said = [c.text() for frame in frames(s) for c in frame.captions]
    if view != "overlap-add":
        assert any(" + bias (−7) = 9" in line for line in said)
    if view != "zero-insertion":
        assert any(phase.short == "bias" for phase in s.phases)
        assert any(line.startswith("add the bias −7 to every output cell") for line in said)


ONES = np.ones
REFUSED = [
    (Conv(2).trace(ONES((9, 3, 3), int), ONES((1, 9, 2, 2), int), channels=range(9)), None, "9 input channels"),
    (Conv(2).trace(ONES((3, 3), int), ONES((9, 1, 2, 2), int)), None, "9 output channels"),
    (Conv(2).trace(ONES((9, 3, 3), int), ONES((2, 2, 2), int)), None, "9 input slices"),
    (ConvTranspose(2).trace(ONES((2, 3, 3), int), ONES((2, 1, 2, 2), int)), "overlap-add", "2 and 1 channels"),
    (ConvTranspose(2).trace(ONES((3, 3, 3), int), ONES((2, 2, 2), int)), "both", "3 axes"),
    (Conv(2).trace(ONES((3, 3), int), ONES((2, 2), int)), "both", "'both' is not known for a convolution"),
    (ConvTranspose(2).trace([1], [1, 2]), "sliding", "'sliding' is not known for a transposed convolution"),
    (ConvTranspose(2).trace([1], [1, 2]), "", "'' is not known"),
]


@pytest.mark.parametrize(("trace", "view", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(trace: Trace, view: str | None, said: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(said)) as refusal:
        scene(trace, view)
    assert refusal.value.hint
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).count(". ") == 0


@pytest.mark.parametrize("view", ["overlap-add", "both"])
def test_a_canvas_is_not_stamped_again_for_every_frame(view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = ConvTranspose(3, stride=2).trace(np.arange(400).reshape(20, 20) % 10, np.arange(9).reshape(3, 3))
    shown = scene(trace, view)
    landed, asked = canvas.landed, []

    def counted(*args: Any) -> None:
        asked.append(args[-1][1] - args[-1][0])
        landed(*args)

    monkeypatch.setattr(canvas, "landed", counted)
    for i in range(shown.beats.total):
        shown.frame(i)
    assert 0 < sum(asked) <= 2 * 400, "each stamp lands about once"

"""Properties of the scenes of every kind of layer."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
)
from convanim.page import layout
from convanim.scene import Scene, scene
from convanim.scene.frame import COLOURLESS, Emphasis, Frame, Grid, Role
from convanim.scene.window.pool import PoolScene
from convanim.scene.window.unpool import UnpoolScene
from convanim.trace import Trace
from support.scenes import facts, frames, number, planar, pooled, shown, shuffled, upsampled
from support.sums import Sum

SETTINGS = settings(max_examples=80)
NEVER = "padding never wins a maximum"
MAXIMUM = "of the maximum"
ONLY = "only padding under the window, and padding never wins"


def outputs(frame: Frame) -> list[Grid]:
    return [grid for name, grid in frame.grids.items() if name.split()[0] == "output"]


def stages(frame: Frame) -> list[Grid]:
    return [grid for name, grid in frame.grids.items() if name.split()[0] == "stage"]


def marked(frame: Frame) -> set[tuple[int, int, int]]:
    """The marked cells of the stage."""
    return {(i, int(r), int(c)) for i, g in enumerate(stages(frame)) for r, c in np.argwhere(g.roles == Role.DONE)}


def outlined(grids: list[Grid]) -> list[tuple[Any, Any]]:
    """The roles and values of the outlined cells."""
    return sorted((int(g.roles[o.top, o.left]), g.values[o.top, o.left].item()) for g in grids for o in g.outlines)


def placements(s: Scene) -> list[Frame]:
    """The last frame of every placement."""
    return [s.frame(s.beats.opening + (n + 1) * s.beats.each - 1) for n in range(s.beats.steps)]


# --- what every scene keeps ------------------------------------------------------------------------------------------


@SETTINGS
@given(shown())
def test_every_frame_has_every_panel_in_its_shape_and_with_a_title_it_promised(case: tuple[Trace, Scene]) -> None:
    _, s = case
    panels = {p.name: p for p in s.panels}
    assert sorted(panels) == sorted(p.name for block in s.blocks for row in block for p in row)
    phases = []
    for frame in frames(s):
        assert set(frame.grids) == set(panels)
        assert len(frame.captions) == s.captions
        phases.append(frame.phase)
        for name, grid in frame.grids.items():
            shape = panels[name].shape
            assert grid.roles.shape == grid.values.shape == grid.emphasis.shape == shape
            assert grid.title in panels[name].titles
            assert all(0 <= r < shape[0] and 0 <= c < shape[1] for r, c in grid.notes)
            assert all(0 <= o.top < o.bottom <= shape[0] and 0 <= o.left < o.right <= shape[1] for o in grid.outlines)
            seen = grid.values[~np.isin(grid.roles, (*COLOURLESS, Role.COPIED))]
            known = panels[name].values
            assert not seen.size or seen[np.isfinite(seen)].max(initial=known.min()) <= known.max() + 1e-9
    assert phases == sorted(phases)
    assert phases[0] == 0
    assert max(phases) == len(s.phases) - 1


@SETTINGS
@given(shown())
def test_the_last_frame_is_the_output(case: tuple[Trace, Scene]) -> None:
    trace, s = case
    grids = outputs(s.frame(s.beats.total - 1))
    shape = (len(grids), *grids[0].values.shape)
    assert np.array_equal(np.stack([g.values for g in grids]), trace.answer.reshape(shape))
    roles = np.stack([g.roles for g in grids])
    assert not np.isin(roles, (Role.NONE, Role.PENDING)).any()
    # Cells shown as inserted zeros are zeros.
    assert not trace.answer.reshape(shape)[roles == Role.INSERTED].any()
    assert all((g.emphasis == 0).all() and not g.outlines for g in grids)


@SETTINGS
@given(shown(), st.randoms(use_true_random=False))
def test_frames_are_the_same_in_any_order_and_stay_as_they_are(case: tuple[Trace, Scene], random: Any) -> None:
    _, s = case
    kept = frames(s)
    told = [facts(frame) for frame in kept]
    for i in random.sample(range(len(kept)), len(kept)):
        assert facts(s.frame(i)) == told[i]
    assert [facts(frame) for frame in kept] == told


@SETTINGS
@given(shown())
def test_beats_count_the_frames_and_the_steps(case: tuple[Trace, Scene]) -> None:
    _, s = case
    beats, seen = s.beats, [frame.step for frame in frames(s)]
    each = [i // beats.each + 1 for i in range(beats.steps * beats.each)]
    assert seen == [0] * beats.opening + each + [beats.steps] * beats.closing
    assert 1 <= beats.row <= beats.steps


@settings(max_examples=25)
@given(shown(), st.sampled_from([1280, 640]))
def test_every_frame_can_be_drawn(case: tuple[Trace, Scene], width: int) -> None:
    _, s = case
    try:
        page = layout(s, width, width * 9 // 16)
    except ConvanimError as refusal:
        assert "does not fit on a page" in str(refusal)  # noqa: PT017
        return
    raster = Raster(s, page, load("light"))
    drawn = [raster.draw(frame).pixels.copy() for frame in frames(s)]
    # A frame on its own is drawn as after the ones before it.
    alone = Raster(s, page, load("light")).draw(s.frame(s.beats.total - 1)).pixels
    assert np.array_equal(drawn[-1], alone)


# --- channels, groups and slices -------------------------------------------------------------------------------------


@SETTINGS
@given(planar())
def test_the_sums_of_the_planes_are_those_under_the_windows_and_add_up_to_the_output(trace: Trace) -> None:
    s = scene(trace)
    if not any(p.name.startswith("stage") for p in s.panels) or any(p.numerals.rounded for p in s.panels):
        return
    answer = trace.answer.ravel().tolist()
    for frame, wanted in zip(placements(s), answer, strict=True):
        grids = stages(frame)
        sums = []
        for grid in grids:
            under = np.argwhere(grid.emphasis == Emphasis.ACTIVE).tolist()
            assert sorted(grid.notes) == [tuple(cell) for cell in under]
            if under:
                factors = [number(grid.notes[tuple(cell)].removeprefix("×")) for cell in under]
                values = [Fraction(grid.values[tuple(cell)].item()) for cell in under]
                sums.append(sum(a * b for a, b in zip(values, factors, strict=True)))
        if "sums" in frame.grids:
            assert frame.grids["sums"].values.ravel().tolist() == sums
        channel = int(np.unravel_index(frame.step - 1, trace.answer.shape)[0])
        bias = 0 if trace.bias is None else trace.bias[channel].item()
        assert sum(sums) + Fraction(bias) == Fraction(wanted)
        caption = frame.captions[0]
        if caption.outcome == "=" and caption.relation == "=" and caption.terms:
            text = caption.text().split("   ")[0].partition(" = ")[2].replace("bias ", "")
            left, right = text.rsplit(" = ", 1)
            assert Sum.of(left) == Sum.of(right) == Fraction(wanted)


@SETTINGS
@given(planar(), st.booleans())
def test_a_kernel_that_slides_rotated_says_so_and_a_slice_keeps_the_number_it_was_given_with(
    trace: Trace, given_as: bool
) -> None:
    s = scene(trace)
    kernel, rotates = trace.kernel, trace.op.slides_rotated
    frame = s.frame(0) if given_as else placements(s)[-1]
    shown = [g for name, g in frame.grids.items() if name.split()[0] == "kernel" and g.title]
    assert shown
    for grid in shown:
        turned = rotates and not given_as
        assert grid.title.endswith(", turned") == turned
        pair = re.search(r"w\[(\d+),(\d+)\]", grid.title)
        own = kernel[int(pair[1]), int(pair[2])] if pair else kernel[0, 0]
        part = re.search(r"slice (\d+)", grid.title)
        plane = np.atleast_2d(own[int(part[1])] if part else own)
        if own.ndim == 3 and own.shape[0] == 1:
            plane = own[0]
        np.testing.assert_array_equal(grid.values, plane[::-1, ::-1] if turned else plane)


def test_the_slices_of_a_rotated_kernel_come_the_other_way_round() -> None:
    s = scene(ConvTranspose(2).trace(np.ones((1, 1, 1), int), np.arange(8).reshape(2, 2, 2)))
    first, last = s.frame(0), placements(s)[-1]
    assert [first.grids[f"kernel {i}"].title for i in (0, 1)] == ["kernel, slice 0", "kernel, slice 1"]
    assert [last.grids[f"kernel {i}"].title for i in (0, 1)] == [
        "kernel, slice 1, turned",
        "kernel, slice 0, turned",
    ]
    assert last.grids["kernel 0"].values.tolist() == [[7, 6], [5, 4]]


def test_sizes_have_the_channels_where_the_convention_has_them() -> None:
    x, k = np.ones((4, 5, 3), int), np.ones((3, 3, 3, 1), int)
    s = scene(Conv(3, convention="keras").trace(x, k))
    assert s.title == "Convolution   4×5×3 → 2×3×1"
    assert s.frame(0).captions[0].text().startswith("input 4×5×3, Keras")
    s = scene(Conv(3).trace(np.moveaxis(x, -1, 0), np.ones((1, 3, 3, 3), int)))
    assert s.title == "Convolution   3×4×5 → 1×2×3"
    s = scene(MaxPool(2, convention="keras").trace(x))
    assert s.title == "Max pooling   4×5×3 → 2×2×3"


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("r", [1, 2, 3])
def test_no_two_places_of_a_block_share_a_colour_but_those_of_one_row(r: int, inverse: bool) -> None:
    kind = PixelUnshuffle if inverse else PixelShuffle
    x = np.arange(r * r * 4).reshape((1, 2 * r, 2 * r) if inverse else (r * r, 2, 2))
    s = scene(kind(r).trace(x))
    assert s.phases[0].label == "move each value"
    last = s.frame(s.beats.total - 1)
    flat = last.grids["input" if inverse else "output"].roles
    block = flat[:r, :r].tolist()
    assert (flat == np.tile(block, (2, 2))).all()
    each = 1 if r < 3 else r
    assert len({role for row in block for role in row}) == r * r // each
    assert all(len(set(row)) == r // each for row in block)
    deep = [g.roles for name, g in last.grids.items() if name.split()[0] == ("output" if inverse else "input")]
    assert [set(roles.ravel().tolist()) for roles in deep] == [{role} for row in block for role in row]


def test_channels_outside_the_group_rest() -> None:
    s = scene(Conv(2, groups=2).trace(np.ones((2, 3, 3), int), np.ones((2, 1, 2, 2), int)))
    first, last = placements(s)[0], placements(s)[-1]
    assert [(g.emphasis == Emphasis.QUIET).all() for g in stages(first)] == [False, True]
    assert [(g.emphasis == Emphasis.QUIET).all() for g in stages(last)] == [True, False]


def test_three_axes_pad_whole_slices() -> None:
    s = scene(Conv(2, padding=1).trace(np.ones((1, 2, 2), int), np.ones((2, 2, 2), int)))
    grids = stages(s.frame(s.beats.total - 1))
    assert [(g.roles == Role.PADDING).all() for g in grids] == [True, False, True]
    window = [bool((g.emphasis == Emphasis.ACTIVE).any()) for g in stages(placements(s)[0])]
    assert window == [True, True, False]


# --- pooling ---------------------------------------------------------------------------------------------------------


@SETTINGS
@given(pooled())
def test_a_window_is_what_its_caption_combines(trace: Trace) -> None:
    try:
        s = scene(trace)
    except ConvanimError:
        return
    for frame, wanted in zip(placements(s), trace.answer.ravel().tolist(), strict=True):
        values: list[float] = []
        for grid in stages(frame):
            here = (grid.emphasis == Emphasis.ACTIVE) & ~np.isin(grid.roles, (Role.EMPTY, Role.PADDING))
            values += grid.values[here].tolist()
        padding = sum(int(((g.emphasis == Emphasis.ACTIVE) & (g.roles == Role.PADDING)).sum()) for g in stages(frame))
        caption = frame.captions[0]
        assert caption.result == s.panels[-1].numerals.text(wanted)
        if isinstance(trace.op, MaxPool):
            assert wanted == max(values, default=-np.inf)
            assert len(caption.terms) == len(values)
        elif isinstance(trace.op, AvgPool):
            assert caption.closes.endswith(f" / {len(values) + padding}")
            np.testing.assert_allclose(wanted, sum(values) / (len(values) + padding), rtol=1e-12)


@SETTINGS
@given(pooled((MaxPool,)))
def test_winners_are_outlined_and_remembered(trace: Trace) -> None:
    try:
        s = scene(trace)
    except ConvanimError:
        return
    before: set[tuple[int, int, int]] = set()
    for frame, wanted in zip(placements(s), trace.answer.ravel().tolist(), strict=True):
        won = [
            (i, o.top, o.left)
            for i, g in enumerate(stages(frame))
            for o in g.outlines
            if o.role == Role.DONE and not o.dashed
        ]
        assert len(won) == (wanted != -np.inf)
        assert marked(frame) == before
        for plane, row, column in won:
            assert stages(frame)[plane].values[row, column] == wanted
        before |= set(won)
    assert marked(s.frame(s.beats.total - 1)) == before


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (MaxPool(2).trace([[1, 5], [3, 2]]), f"output[0,0] = max(1, 5, 3, 2) = 5   [0,1]: row and column {MAXIMUM}"),
        (AvgPool(2).trace([[1, 5], [3, 2]]), "output[0,0] = (1 + 5 + 3 + 2) / 4 = 2.75"),
        (AvgPool(2).trace([[1, -5], [3, 2]]), "output[0,0] = (1 − 5 + 3 + 2) / 4 = 0.25"),
        (LpPool(2).trace([3, 4]), "output[0] = √(3² + 4²) = 5"),
        (LpPool(2, norm_type=3).trace([1, 0]), "output[0] = (1³ + 0³)^(1/3) = 1"),
        (LpPool(2, norm_type=1).trace([1, 2]), "output[0] = 1 + 2 = 3"),
        (LpPool(2, convention="onnx").trace([-3, 4]), "output[0] = √(|−3|² + 4²) = 5"),
        (LpPool(2, ceil_mode=True).trace([0, 1, 1]), "output[1] = √((1²)·2 / 1) ≈ 1.41"),
        (AvgPool(2, 1, 1).trace([2, 2]), "output[0] = 2 / 2 = 1   1 cell of padding counts as a zero"),
        (AvgPool(2, 1, 1, count_include_pad=False).trace([2, 2]), "output[0] = 2 / 1 = 2   padding does not count"),
        (MaxPool(2, 1, 1).trace([-2, -2]), f"output[0] = max(−2) = −2   {NEVER}; [0]: cell {MAXIMUM}"),
        (MaxPool(1, 1, 1, convention="onnx").trace([7]), f"output[0] = −∞   {ONLY}"),
    ],
)  # fmt: skip
def test_a_pooling_says_its_arithmetic(trace: Trace, said: str) -> None:
    assert said in [frame.captions[0].text() for frame in placements(scene(trace))]


def test_rounding_up_is_shown_and_said() -> None:
    s = scene(MaxPool(2, ceil_mode=True).trace([[1, 2, 3]] * 3))
    said = " ".join(c.text() for frame in frames(s) for c in frame.captions)
    assert "sticks out" in said
    assert "⌈(3 − 2) / 2⌉ + 1 = 2" in said
    assert (stages(s.frame(1))[0].roles[:, -1] == Role.EMPTY).all()


# --- unpooling -------------------------------------------------------------------------------------------------------


def test_each_value_goes_where_its_maximum_was() -> None:
    pool = MaxPool(2).trace([[1, 5, 0, 2], [3, 2, 8, 1], [4, 4, 1, 6], [0, 9, 3, 3]])
    s = UnpoolScene(MaxUnpool(2).trace(pool))
    said = [frame.captions[0].text() for frame in placements(s)]
    assert said[0] == "output[0,1] = input[0,0] = 5   where the maximum was"
    last = outputs(s.frame(s.beats.total - 1))[0]
    assert last.roles[0].tolist() == [Role.INSERTED, Role.DONE, Role.INSERTED, Role.INSERTED]


def test_the_pooling_that_is_undone_comes_first() -> None:
    pool = MaxPool(2).trace([[1, 5, 0, 2], [3, 2, 8, 1]])
    s = UnpoolScene(MaxUnpool(2).trace(pool), pool)
    assert [phase.short for phase in s.phases] == ["pool", "unpool"]
    assert pool in s.traces
    remembered = s.frame(s.beats.opening - 2).grids["pooled stage"].roles == Role.DONE
    assert np.argwhere(remembered).tolist() == [[0, 1], [1, 2]]


def test_of_two_values_with_one_place_the_last_stays_and_it_is_said() -> None:
    s = scene(MaxUnpool(2, 1).trace([4, 7], [1, 1]))
    assert "the last value stays" in s.frame(s.beats.total - 2).captions[0].text()


# --- upsampling and shuffling ----------------------------------------------------------------------------------------


@SETTINGS
@given(upsampled())
def test_an_output_cell_is_what_it_reads_times_the_notes(trace: Trace) -> None:
    try:
        s = scene(trace)
    except ConvanimError:
        return
    for frame, wanted in zip(placements(s), trace.answer.ravel().tolist(), strict=True):
        total, cells = 0.0, 0
        for grid in stages(frame):
            for cell in np.argwhere(grid.emphasis == Emphasis.ACTIVE).tolist():
                note = grid.notes.get(tuple(cell), "×1")
                total, cells = total + grid.values[tuple(cell)].item() * float(number(note[1:])), cells + 1
        assert cells <= 2 ** len(trace.axes)
        np.testing.assert_allclose(total, wanted, atol=0.2)


def test_upsampling_says_what_it_reads() -> None:
    for trace, said in (
        (Upsample(scale_factor=2).trace([1, 3]), "output[1] = input[0] = 1"),
        (Upsample(scale_factor=2, mode="bilinear").trace([0, 4]), "output[1] = 4·1/4 = 1"),
        (Upsample(scale_factor=2, mode="nails").trace([1, 3]), "output[1] = 0   no nail here: a zero between them"),
    ):
        assert placements(scene(trace))[1].captions[0].text() == said


@SETTINGS
@given(shuffled())
def test_every_value_moves_with_the_role_of_its_channel(trace: Trace) -> None:
    s = scene(trace)
    for frame in placements(s):
        left, right = [g for n, g in frame.grids.items() if n.startswith("input")], outputs(frame)
        assert outlined(left) == outlined(right) != []


def test_many_values_move_cell_by_cell() -> None:
    s = scene(PixelShuffle(2).trace(np.arange(64).reshape(4, 4, 4)))
    assert s.beats.steps == 16
    assert s.frame(1).captions[0].text() == "output[0:2, 0:2] = 0, 16, 32, 48"


# --- conventions, padding modes --------------------------------------------------------------------------------------


def test_jax_slides_the_kernel_as_it_is_given_and_stamps_it_rotated() -> None:
    trace = ConvTranspose(2, 2, "same", convention="jax").trace([[1, 2], [3, 4]], [[1, 2], [3, 4]])
    s = scene(trace)
    remarks = [s.frame(i).captions[0].remark for i in range(s.beats.opening)]
    assert "JAX does not turn the kernel: it slides as it is given" in remarks
    assert {s.frame(i).grids["kernel"].values.tobytes() for i in range(s.beats.total)} == {trace.kernel.tobytes()}
    assert s.detail.startswith("JAX: same")
    below = scene(trace, "overlap-add").frame(0).grids["kernel"]
    assert below.title == "kernel, turned"
    assert below.values.tolist() == [[4, 3], [2, 1]]


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "replicate", "circular"])
def test_a_copied_cell_says_which_cell_it_copies(mode: str) -> None:
    x = np.arange(20).reshape(4, 5)
    s = scene(Conv(3, padding=((2, 1), (1, 3)), padding_mode=mode).trace(x, np.ones((3, 3), int)))
    grid = s.frame(s.beats.opening - 1).grids["stage"]
    assert set(grid.notes) == {tuple(c) for c in np.argwhere(grid.roles == Role.COPIED).tolist()}
    for cell, note in grid.notes.items():
        assert grid.values[cell] == x[tuple(map(int, re.findall(r"\d+", note)))]
    assert s.frame(1).captions[0].text().startswith(f"{mode}: the ring copies")
    assert mode in s.detail


def test_a_scene_of_pooling_takes_names_of_channels() -> None:
    s = PoolScene(MaxPool(2).trace(np.ones((3, 2, 2), int)), ("red", "green", "blue"))  # type: ignore[arg-type]
    assert [p.titles[0] for p in s.panels] == ["red", "green", "blue", "output red", "output green", "output blue"]

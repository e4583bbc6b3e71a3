"""Links: the linked cells of a frame are those that a step of the trace reads and writes."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings

from convanim.errors import ConvanimError
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool, MaxUnpool, PixelShuffle, Upsample
from convanim.scene import Scene, scene, views_of
from convanim.scene.frame import Link
from convanim.trace import ConvTrace
from support.scenes import small

SETTINGS = settings(max_examples=60)
COUNT = np.arange(1, 17).reshape(4, 4)


VIEWED = [
    scene(trace, view)
    for trace in (
        Conv(2, dilation=2).trace(COUNT, COUNT[:2, :2]),
        ConvTranspose(3, 2, 1).trace(COUNT, COUNT[:3, :3]),
        ConvTranspose(3, 2).trace(COUNT[0], COUNT[0, :3]),
        MaxPool(2).trace(COUNT),
        MaxUnpool(2).trace(MaxPool(2).trace(COUNT)),
        Upsample(scale_factor=2).trace(COUNT),
        PixelShuffle(2).trace(np.arange(16).reshape(4, 2, 2)),
    )
    for view in views_of(trace.op)
]


def steps(s: Scene, part: int = -1) -> list[tuple[Link, ...]]:
    """The links of every placement, by default in its last frame."""
    opening, count, each, _, _ = s.beats
    return [s.frame(opening + i * each + part % each).links for i in range(count)]


def cells(places: Any) -> set[tuple[int, int]]:
    return {(0, *p)[-2:] for p in np.asarray(places)[:, 1:].tolist()}


def made(trace: ConvTrace, view: str) -> Scene:
    try:
        return scene(trace, view)
    except ConvanimError:
        reject()


@SETTINGS
@given(small(transposed=False))
def test_a_window_is_joined_to_the_cell_that_its_step_writes(trace: ConvTrace) -> None:
    gather = trace.by_output()
    before = (0, *(a.before for a in trace.axes))[-2:]
    for number, found in enumerate(steps(made(trace, "sliding"))):
        (link,) = found
        assert (link.panel, link.other, link.stamps) == ("stage", "output", False)
        assert {link.cell} == cells(gather[number].writes)
        # The stage contains the input after the leading padding.
        under = {(r - before[0], c - before[1]) for r, c in link.cells}
        assert cells(gather[number].reads) <= under if len(gather[number].reads) else True
        assert len(under) == trace.kernel[0, 0].size
        top, left, bottom, right = link.window[:4]
        rows, columns = zip(*link.cells, strict=True)
        assert (min(rows), min(columns), max(rows) + 1, max(columns) + 1) == (top, left, bottom, right)


@SETTINGS
@given(small(transposed=True))
def test_a_stamp_is_joined_to_the_cell_that_its_step_reads(trace: ConvTrace) -> None:
    scatter = trace.by_input()
    for number, found in enumerate(steps(made(trace, "overlap-add"))):
        (link,) = found
        assert (link.panel, link.other, link.stamps) == ("canvas", "input", True)
        assert {link.cell} == cells(scatter[number].reads)
        assert len(link.cells) == trace.kernel[0, 0].size


def test_a_stamp_that_has_not_landed_has_a_window_without_cells() -> None:
    s = scene(ConvTranspose(2).trace(COUNT, COUNT[:2, :2]), "overlap-add")
    assert s.beats.each == 3
    assert steps(s, 0) == [()] * 16
    assert {link.cells for (link,) in steps(s, 1)} == {()}


@pytest.mark.parametrize("s", VIEWED, ids=lambda s: f"{s.title} {type(s).__name__}")
def test_a_scene_tells_the_links_of_a_step_without_drawing_its_frame(s: Scene) -> None:
    assert [s.links(i) for i in range(s.beats.steps)] == steps(s)


def test_each_value_that_is_shuffled_is_joined_to_its_place() -> None:
    done = PixelShuffle(2).trace(np.arange(16).reshape(4, 2, 2))
    for (link,) in steps(scene(done)):
        ((row, column),) = link.cells
        # Channel c of a block of 2 x 2 goes to row c // 2 and column c % 2 of the block.
        block = divmod(int(link.panel.removeprefix("input ")), 2)
        assert link.cell == (2 * row + block[0], 2 * column + block[1])


def test_a_dilated_window_has_gaps() -> None:
    ((first,), *_) = steps(scene(Conv(2, dilation=2).trace(COUNT, COUNT[:2, :2])))
    assert first.cells == ((0, 0), (0, 2), (2, 0), (2, 2))
    assert first.window[:4] == (0, 0, 3, 3)


@pytest.mark.parametrize(
    ("s", "panel", "other"),
    [
        (scene(MaxPool(2).trace(COUNT)), "stage", "output"),
        (scene(MaxUnpool(2).trace(MaxPool(2).trace(COUNT))), "input", "output"),
        (scene(Upsample(scale_factor=2).trace(COUNT), "reading"), "stage", "output"),
    ],
    ids=["pool", "unpool", "upsample"],
)
def test_what_wins_under_a_window_is_no_end_of_a_link(s: Scene, panel: str, other: str) -> None:
    assert {(link.panel, link.other) for (link,) in steps(s)} == {(panel, other)}


def test_two_scenes_in_lockstep_have_links_of_their_own() -> None:
    found = steps(scene(ConvTranspose(2).trace(COUNT[:2, :2], COUNT[:2, :2]), "both"))
    assert {(link.panel, link.other) for link in found[0]} == {("stage", "output"), ("below canvas", "below input")}


def test_where_nothing_happens_nothing_is_joined() -> None:
    s = scene(ConvTranspose(2, 2, 1, output_padding=1).trace(COUNT, COUNT[:2, :2]), "overlap-add")
    closing = range(s.beats.total - s.beats.closing, s.beats.total)
    assert [s.frame(i).links for i in (0, *closing)] == [()] * (1 + s.beats.closing)


def taps(axis: Any) -> list[tuple[int, int]]:
    """The cells (wide, narrow) that meet along an axis: wide = narrow * stride - padding + k * dilation."""
    narrow = axis.input if axis.transposed else axis.output
    return [(i * axis.stride - axis.before + k * axis.dilation, i) for i in range(narrow) for k in range(axis.kernel)]


def across(each: list[list[int]]) -> set[tuple[int, int]]:
    return set(product(*[[0], *each][-2:]))


def gathered(trace: ConvTrace, cell: tuple[int, ...], *, padded: bool) -> set[tuple[int, int]]:
    """The cells read for an output cell, of the input or of the padded and spread stage."""
    found = []
    for a, o in zip(trace.axes, cell, strict=True):
        if a.transposed:
            first, apart = (max(a.dilation * (a.kernel - 1) - a.before, 0), a.stride) if padded else (0, 1)
            found.append([first + apart * narrow for wide, narrow in taps(a) if wide == o])
        else:
            first = a.before if padded else 0
            found.append([first + wide for wide, narrow in taps(a) if narrow == o and 0 <= wide < a.input])
    return across(found)


def scattered(trace: ConvTrace, cell: tuple[int, ...]) -> set[tuple[int, int]]:
    """The canvas cells that an input cell is stamped on, before cropping."""
    pairs = zip(trace.axes, cell, strict=True)
    return across([[a.kept.start + wide for wide, narrow in taps(a) if narrow == i] for a, i in pairs])


def walked(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(product(*map(range, sizes)))


@SETTINGS
@given(small(transposed=False))
def test_windows_read_and_write_what_the_taps_say(trace: ConvTrace) -> None:
    outputs = walked(trace.answer.shape[1:])
    for view, stage in (("sliding", "stage"), ("overlap", "input")):
        s = made(trace, view)
        for number, cell in enumerate(outputs):
            frame = s.frame(s.beats.opening + (number + 1) * s.beats.each - 1)
            assert set(frame.reads[stage]) == gathered(trace, cell, padded=True)
            assert frame.writes == {"output": ((0, *cell)[-2:],)}
            if s.beats.each > 1:
                assert s.frame(s.beats.opening + number * s.beats.each).writes == {}


@SETTINGS
@given(small(transposed=True))
def test_stamps_read_and_write_what_the_taps_say(trace: ConvTrace) -> None:
    s = made(trace, "overlap-add")
    for number, cell in enumerate(walked(trace.x.shape[1:])):
        frame = s.frame(s.beats.opening + (number + 1) * s.beats.each - 1)
        assert frame.reads == {"input": ((0, *cell)[-2:],)}
        assert set(frame.writes["canvas"]) == scattered(trace, cell)
        (move,) = frame.moves
        assert (move.panel, move.other, move.places) == ("stamp", "canvas", frame.writes["canvas"])
    s = made(trace, "zero-insertion")
    for number, cell in enumerate(walked(trace.answer.shape[1:])):
        frame = s.frame(s.beats.opening + (number + 1) * s.beats.each - 1)
        assert set(frame.reads["stage"]) == gathered(trace, cell, padded=True)
        assert frame.writes == {"output": ((0, *cell)[-2:],)}


@SETTINGS
@given(small())
def test_a_matrix_reads_and_writes_the_same_cells_laid_out_in_a_line(trace: ConvTrace) -> None:
    s = made(trace, "matrix")
    wide, size = trace.x.shape[-1], trace.answer.shape[1:]
    for number, cell in enumerate(walked(size)):
        frame = s.frame(s.beats.opening + (number + 1) * s.beats.each - 1)
        read = gathered(trace, cell, padded=False)
        assert {max(at) for at in frame.reads["flat input"]} == {row * wide + column for row, column in read}
        assert set(frame.reads.get("input", read)) == read
        assert [max(at) for at in frame.writes["flat output"]] == [number]
        assert frame.writes.get("output", ((0, *cell)[-2:],)) == ((0, *cell)[-2:],)


@SETTINGS
@given(small(transposed=True))
def test_two_scenes_in_lockstep_read_and_write_each_what_is_its_own(trace: ConvTrace) -> None:
    s = made(trace, "both")
    above, below = (walked(shape[1:]) for shape in (trace.answer.shape, trace.x.shape))
    stamps = 0
    for number, cell in enumerate(above):
        frame = s.frame(s.beats.opening + number)
        assert set(frame.reads["stage"]) == gathered(trace, cell, padded=True)
        if -(-(number + 1) * len(below) // len(above)) > -(-number * len(below) // len(above)):
            stamps = -(-(number + 1) * len(below) // len(above))
            assert set(frame.writes["below canvas"]) == scattered(trace, below[stamps - 1])
            assert {move.other for move in frame.moves} == {"below canvas"}
        else:
            assert "below input" not in frame.reads
            assert frame.moves == ()
    assert stamps == len(below)


def test_a_value_that_comes_through_unchanged_moves_to_its_place() -> None:
    (move,) = made(MaxPool(2).trace(COUNT), "sliding").frame(2).moves
    assert move == ("stage", ((1, 1),), "output", ((0, 0),))
    averaged = scene(AvgPool(2).trace(COUNT))
    assert not any(averaged.frame(i).moves for i in range(averaged.beats.total))
    counted = scene(Conv(1).trace(np.ones((2, 2), int), [[1]]), "overlap")  # a count is not a copied value
    assert not any(counted.frame(i).moves for i in range(counted.beats.total))

"""Links: the cells of a frame that are joined are those that a step of the trace reads and writes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from small import small

from convanim.errors import ConvanimError
from convanim.ops import Conv, ConvTranspose, MaxPool, MaxUnpool, Upsample
from convanim.scene import Scene, scene
from convanim.scene.links import Link, links
from convanim.trace import ConvTrace

SETTINGS = settings(max_examples=60)
COUNT = np.arange(1, 17).reshape(4, 4)


def steps(s: Scene, part: int = -1) -> list[tuple[Link, ...]]:
    """The links of every placement, in its last frame without a choice."""
    opening, count, each, _, _ = s.beats
    return [links(s.frame(opening + i * each + part % each)) for i in range(count)]


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
        # The stage holds the input after what is padded in front.
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
    assert [links(s.frame(i)) for i in (0, *closing)] == [()] * (1 + s.beats.closing)

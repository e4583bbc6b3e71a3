"""Overlap counts against plain loops over the steps, and the statements about checkerboards."""

from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.text import frame_text
from convanim.draw.theme import load
from convanim.explanation.arithmetic import even_kernel, evenness
from convanim.layers import AvgPool, Axis, Conv, ConvTranspose, MaxPool, MaxUnpool, Upsample
from convanim.page import layout
from convanim.scene.description import TOLD, transcript
from convanim.scene.frame import Emphasis, Role
from convanim.scene.stamp.overlap import OverlapScene
from convanim.scene.whole.counts import Counts, cured
from convanim.trace import Trace
from support.scenes import small

SETTINGS = settings(max_examples=80)
X3, X4 = np.arange(9).reshape(3, 3), np.arange(16).reshape(4, 4)


def up(k: int, s: int, p: int = 0, n: int = 3, **options: int) -> Trace:
    trace: Trace = ConvTranspose(k, s, p, **options).trace(np.arange(n * n).reshape(n, n), np.ones((k, k), int))
    return trace


def by_hand(trace: Trace, steps: int) -> np.ndarray:
    """The counts after some steps, one tap at a time."""
    canvas = np.zeros(trace.canvas[1:], int)
    for i in range(steps):
        step = trace[i]
        if trace.order == "gather":
            canvas[tuple(step.writes[0, 1:])] = len(step.reads)
        else:
            np.add.at(canvas, tuple(step.writes[:, 1:].T), 1)
    return canvas.reshape(1, -1) if canvas.ndim == 1 else canvas


OTHERS = [
    MaxPool(2).trace(X4),
    AvgPool(3, 2, 1, ceil_mode=True).trace(X4),
    Upsample(scale_factor=2).trace(X3),
    Upsample(scale_factor=2, mode="bilinear").trace(X3),
    Upsample(size=(4, 7), mode="bilinear").trace(X3),
    Upsample(scale_factor=2, mode="nails").trace([1, 2, 3]),
    Upsample(size=(2, 1)).trace(X3),
    MaxUnpool(2).trace(MaxPool(2).trace(X4)),
    Conv(3, padding=2, padding_mode="reflect").trace(X4, np.ones((3, 3), int)),
]


@SETTINGS
@given(small() | st.sampled_from(OTHERS), st.data())
def test_the_counts_are_those_of_the_steps(trace: Trace, data: st.DataObject) -> None:
    trace = data.draw(
        st.sampled_from([trace.by_input(), trace.by_output()])
        if trace.weight is not None
        else st.just(OverlapScene(trace).trace)
    )
    steps = data.draw(st.integers(0, len(trace)))
    assert (Counts(trace).after(steps) == by_hand(trace, steps)).all()


@SETTINGS
@given(small() | st.sampled_from(OTHERS))
def test_every_frame_shows_the_counts_so_far(trace: Trace) -> None:
    s = OverlapScene(trace)
    for number in range(s.beats.total):
        frame = s.frame(number)
        assert set(frame.grids) == {p.name for p in s.panels}
        assert len(frame.captions) == s.captions
        assert 0 <= frame.phase < len(s.phases)
        for panel in s.panels:
            grid = frame.grids[panel.name]
            assert grid.roles.shape == grid.values.shape == grid.emphasis.shape == panel.shape
            assert grid.title in panel.titles
            for o in grid.outlines:
                assert 0 <= o.top < o.bottom <= panel.shape[0]
                assert 0 <= o.left < o.right <= panel.shape[1]
        landed = number >= s.beats.opening and (number - s.beats.opening) % s.beats.each == s.beats.each - 1
        if frame.step and (landed or number >= s.beats.opening + s.beats.steps * s.beats.each):
            for name, layer in s.layers.items():
                assert (frame.grids[name].values == by_hand(layer.trace, frame.step)).all()
    last = s.frame(s.beats.total - 1)
    for name, layer in s.layers.items():
        grid = last.grids[name]
        settled = np.isin(grid.roles, [Role.DONE, Role.OVERLAP])
        assert grid.values[settled].tolist() == layer.all[layer.kept].ravel().tolist()
        assert (grid.roles[~settled] == Role.CROPPED).all()
        assert not grid.emphasis.any()


@SETTINGS
@given(small(transposed=True))
def test_inside_are_the_cells_that_no_further_input_would_reach(trace: Trace) -> None:
    """The same layer over an input with one more cell on every side has the same inner counts."""
    own = Counts(trace.by_input())
    op = ConvTranspose(
        tuple(a.kernel for a in trace.axes),
        tuple(a.stride for a in trace.axes),
        dilation=tuple(a.dilation for a in trace.axes),
    )
    larger = np.ones([a.input + 2 for a in trace.axes], int)
    wide = Counts(op.trace(larger, np.ones(op.kernel_size, int)).by_input()).all
    steps = (1, *(a.stride for a in trace.axes))[-2:]
    first = [s if len(trace.axes) == 2 or i else 0 for i, s in enumerate(steps)]
    shape = (1, *(a.full for a in trace.axes))[-2:]
    middle = wide[tuple(slice(f, f + n) for f, n in zip(first, shape, strict=True))]
    alone = op.trace(np.ones([a.input for a in trace.axes], int), np.ones(op.kernel_size, int)).by_input()
    same = Counts(alone).all == middle
    rows, columns = Counts(alone).inside or (slice(0), slice(0))
    outlined = np.zeros_like(same)
    outlined[rows, columns] = True
    # A kernel smaller than the stride also leaves cells at the end that nothing reaches.
    assert same[outlined].all()
    if all(a.reach >= a.stride and a.dilation == 1 for a in trace.axes):
        assert (same == outlined).all()
    assert own.inside is None or (own.all[own.inside] <= prod(evenness(a)[2] for a in trace.axes)).all()


@pytest.mark.parametrize(("k", "s", "row"), [
    (3, 2, [1, 1, 2, 1, 2, 1, 1]),
    (4, 2, [1, 1, 2, 2, 2, 2, 1, 1]),
    (2, 2, [1, 1, 1, 1, 1, 1]),
])  # fmt: skip
def test_the_published_statement(k: int, s: int, row: list[int]) -> None:
    line = ConvTranspose(k, s).trace([1, 2, 3], [1] * k)
    assert Counts(line.by_input()).all.tolist() == [row]
    plane = Counts(up(k, s).by_input())
    assert (plane.all == np.outer(row, row)).all()
    assert plane.uneven == (k % s != 0)
    assert plane.inside is not None
    assert (len(np.unique(plane.all[plane.inside])) > 1) == plane.uneven
    assert list(OverlapScene(line).layers) == (["output", "cured"] if k == 3 else ["output"])


@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 4), st.integers(2, 5))
def test_the_cure_is_even_and_no_nearer_size_is(k: int, s: int, d: int, n: int) -> None:
    axis = Axis(n, (n - 1) * s + d * (k - 1) + 1, k, s, dilation=d, transposed=True)
    even = [c for c in range(1, 20) if evenness(Axis(n, 1, c, s, dilation=d, transposed=True))[0]]
    cure = even_kernel(axis)
    assert (cure is None) == (not even)
    if cure is not None:
        assert cure in even
        assert abs(cure - k) == min(abs(c - k) for c in even)


@SETTINGS
@given(small(transposed=True))
def test_the_layer_beside_it_is_even_and_as_large_as_can_be(trace: Trace) -> None:
    own = Counts(trace.by_input())
    assume(own.uneven)
    other = cured(trace)
    assert (other is None) == any(np.gcd(a.dilation, a.stride) > 1 for a in trace.axes if a.input > 1)
    if other is None:
        return
    other.verify()
    assert not Counts(other.by_input()).uneven
    for a, b in zip(trace.axes, other.axes, strict=True):
        assert (a.input, a.stride, a.dilation, b.output_padding) == (b.input, b.stride, b.dilation, 0)
        possible = [b.full - 2 * p for p in range(b.full) if b.full > 2 * p]
        assert abs(b.output - a.output) == min(abs(o - a.output) for o in possible)


WORDS = {
    (3, 2): "k mod s = 3 mod 2 = 1: cells get 1 to 4 products, a checkerboard",
    (4, 2): "k mod s = 4 mod 2 = 0: even, 4 products everywhere inside",
    (2, 2): "k mod s = 2 mod 2 = 0: even, 1 product everywhere inside",
    (1, 2): "k mod s = 1 mod 2 = 1: cells get 0 to 1 product, a checkerboard",
    (3, 1): "k mod s = 3 mod 1 = 0: even, 9 products everywhere inside",
}


@pytest.mark.parametrize(("k", "s"), WORDS)
def test_what_is_said(k: int, s: int) -> None:
    scene = OverlapScene(up(k, s))
    assert scene.frame(scene.beats.total - 1).captions[0].text() == WORDS[k, s]


def test_what_is_said_of_others() -> None:
    def last(trace: Trace) -> str:
        s = OverlapScene(trace)
        return s.frame(s.beats.total - 1).captions[0].text()

    assert last(up(3, 2, dilation=2)) == "dilation 2 with stride 2: cells get 0 to 9 products, a checkerboard"
    assert last(up(3, 2, n=6, dilation=3)) == "dilation 3 with stride 2: cells get 1 to 4 products, a checkerboard"
    assert last(up(9, 3, n=2)) == "k mod s = 9 mod 3 = 0: even, too small an input for any cell to get all 9 products"
    assert last(ConvTranspose((3, 2), 2).trace(X3, np.ones((3, 2), int))).startswith(
        "rows k mod s = 3 mod 2 = 1; columns k mod s = 2 mod 2 = 0: cells get 1 to 2 products, stripes"
    )
    assert last(Conv(3, padding=1).trace(X4, np.ones((3, 3), int))) == (
        "inside 9 input cells, at the border down to 4: padding is not read"
    )
    assert last(MaxPool(2).trace(X4)) == "every window reads 4 input cells: even"
    assert last(Upsample(scale_factor=2).trace(X3)) == "every output cell gets 1 product: even"


def test_the_titles_name_the_cure() -> None:
    def titles(trace: Trace) -> list[str]:
        return [p.titles[0] for p in OverlapScene(trace).panels[1:]]

    assert titles(up(3, 2)) == ["products: kernel 3", "kernel 4 instead of 3"]
    assert titles(up(3, 2, 1, output_padding=1)) == ["products: kernel 3", "kernel 4 instead of 3"]
    assert titles(up(8, 5)) == ["products: kernel 8", "kernel 10 instead of 8, padding 1"]
    assert [p.label for p in OverlapScene(up(8, 5)).phases] == ["stamp and count", "crop", "even or uneven?"]


def test_the_line_of_three_as_it_is_told() -> None:
    s = OverlapScene(ConvTranspose(3, 2).trace([1, 2, 3], [1, 2, 1]))
    told = frame_text(s, s.frame(4), 4, 600) + "\n" + frame_text(s, s.frame(s.beats.total - 1), 7, 3000)
    assert (
        told
        == """\
frame 4 (600 ms)   stamp and count   2 of 3
input
  1 <2>   3
products: kernel 3
  1   1 <2> <1> <1>   _   _
kernel 4 instead of 3
  1   1 <2> <2> <1> <1>   _   _
kernel 3: input[1] adds 1 to 3 cells, 1 of them already written
kernel 4: input[1] adds 1 to 4 cells, 2 of them already written

frame 7 (3000 ms)   even or uneven?   3 of 3
input
1 2 3
products: kernel 3
1 1 2 1 2 1 1
kernel 4 instead of 3
1 1 2 2 2 2 1 1
k mod s = 3 mod 2 = 1: cells get 1 to 2 products, stripes
k mod s = 4 mod 2 = 0: even, 2 products everywhere inside
"""
    )


def test_a_window_counts_what_it_reads() -> None:
    s = OverlapScene(Conv(3, padding=1).trace(X4, np.ones((3, 3), int)))
    first = s.frame(1)
    assert first.captions[0].text() == "output[0,0] reads 4 input cells, the window's other 5 are padding"
    assert np.argwhere(first.grids["input"].emphasis == Emphasis.ACTIVE).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    copies = OverlapScene(Conv(3, padding=1, padding_mode="reflect").trace(X4, np.ones((3, 3), int))).frame(1)
    assert copies.grids["output"].values[0, 0] == 9
    assert copies.grids["input"].values[0].tolist() == [5, 4, 5, 6, 7, 6]


def test_counts_are_drawn_as_heat() -> None:
    s = OverlapScene(up(3, 2))
    raster = Raster(s, layout(s, 1280, 720), load("light"))
    picture = raster.draw(s.frame(s.beats.total - 1))
    place = raster.page.places["output"]
    colours = {}
    for count, at in ((1, (0, 0)), (2, (0, 2)), (4, (2, 2))):
        box = place.cell(*at)
        colours[count] = picture.pixels[box.top + 4, box.left + 4]
        assert colours[count] == raster.palette.solid(f"heat.{2 * count}")
    assert len(set(colours.values())) == 3


# --- in words ---------------------------------------------------------------------------------------------------------


def test_an_upsampling_is_named_by_its_factor_and_not_by_a_kernel() -> None:
    s = OverlapScene(Upsample(scale_factor=1.5).trace([[1, 2], [3, 4]]))
    assert s.detail == "nearest   factor 1.5   measured from cell edge to cell edge"
    s = OverlapScene(Upsample(size=3, align_corners=True, mode="bilinear").trace([1, 2]))
    assert s.detail == "bilinear   size 3   corners aligned"


@SETTINGS
@given(small(ConvTranspose))
def test_a_description_ends_with_the_counts_that_are_shown(case: Trace) -> None:
    assume(len(case.x) == case.channels == 1 and len(case.axes) < 3)
    s = OverlapScene(case)
    assume(all(layer.all[layer.kept].size <= TOLD for layer in s.layers.values()))
    last = s.frame(s.beats.total - 1)
    told = list(transcript(s, 0))[-len(s.layers) :]
    for (name, layer), line in zip(s.layers.items(), told, strict=True):
        counts = layer.all[layer.kept]
        title, numbers = line.rsplit(": ", 1)
        assert title == last.grids[name].title
        assert [[int(n) for n in row.split()] for row in numbers.split(" / ")] == counts.tolist()

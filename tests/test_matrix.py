"""The matrix view: its matrix against unit vectors, transposes and the output; its frames against the steps."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.text import frame_text
from convanim.draw.theme import load
from convanim.layers import Conv, ConvTranspose
from convanim.page import layout
from convanim.scene.frame import Emphasis, Grid, Role
from convanim.scene.whole.matrix import MOST, MatrixScene, entries, forward
from convanim.trace import ConvTrace
from support.refusals import refused
from support.scenes import small

SETTINGS = settings(max_examples=100)
X3, X5, K3 = np.arange(9).reshape(3, 3), np.arange(25).reshape(5, 5), np.arange(1, 10).reshape(3, 3)


def by_units(trace: ConvTrace) -> np.ndarray:
    """A layer's matrix, with one column per input cell: the layer's output for a single 1 there."""
    columns = []
    for cell in range(trace.x[0].size):
        one = np.zeros(trace.x[0].size, int)
        one[cell] = 1
        columns.append(trace.op.trace(one.reshape(trace.x[0].shape), trace.kernel[0, 0]).answer.ravel())
    return np.stack(columns, axis=1)


@SETTINGS
@given(small(most=3))
def test_the_matrix_times_the_input_is_the_output(trace: ConvTrace) -> None:
    values, taps = entries(trace)
    bias = 0 if trace.bias is None else trace.bias[0]
    assert (values @ trace.x.ravel() + bias == trace.answer.ravel()).all()
    assert (values == by_units(trace)).all()
    assert not values[taps == 0].any()
    assert (entries(trace.by_input()).values == values).all()
    # Also from the steps: each row is what one placement multiplies.
    for number, step in enumerate(trace.by_output()):
        row = np.zeros(trace.x.size, int)
        np.add.at(row, np.ravel_multi_index(tuple(step.reads[:, 1:].T), trace.x.shape[1:]), step.weights)
        assert (row == values[number]).all()


@pytest.mark.parametrize("mode", ["reflect", "symmetric", "replicate", "circular"])
def test_padding_that_copies_adds_weights_up(mode: str) -> None:
    trace = Conv(3, padding=1, padding_mode=mode).trace([[1, 2], [3, 4]], K3)
    values, taps = entries(trace)
    assert (values @ trace.x.ravel() == trace.answer.ravel()).all()
    assert taps.sum() == 36
    assert MatrixScene(trace).frame(2).grids["matrix"].values.tolist() == values.tolist()
    refused(lambda: MatrixScene(trace, symbols=True), mode, "sums of weights")


def test_a_kernel_that_is_not_rotated_lies_in_the_matrix_as_it_multiplies() -> None:
    x, weight = np.array([[1], [10]]), np.array([3, 4]).reshape(2, 1, 1)
    trace = ConvTranspose(2, convention="jax", padding="valid").trace(x, weight)
    values, _ = entries(trace)
    assert (values @ [1, 10] == trace.answer.ravel()).all()
    s = MatrixScene(trace, symbols=True)
    texts = [s.numerals[1].text(code) for code in s.matrix[:, 0].tolist()]
    assert [{"w₀": 3, "w₁": 4, "0": 0}[t] for t in texts] == values[:, 0].tolist()


@SETTINGS
@given(small(transposed=True, most=3))
def test_the_matrix_of_a_transposed_layer_is_the_transpose_of_a_convolutions(trace: ConvTrace) -> None:
    op = forward(trace.axes)
    assume(op is not None)
    conv = op.trace(np.ones([a.output for a in trace.axes], int), trace.weight[0, 0])
    assert (entries(trace).values == entries(conv).values.T).all()
    # And vice versa: the gradient of that convolution is this layer.
    assert (entries(conv.backward()).values == entries(trace).values).all()


def test_which_convolution_it_is() -> None:
    def of(op: ConvTranspose, *sizes: int) -> str:
        return str(forward(op.axes(sizes)))

    assert of(ConvTranspose(3, 2, 1, output_padding=1), 3, 3) == "Conv(kernel_size=3, stride=2, padding=1)"
    assert of(ConvTranspose((3, 2), (2, 1), dilation=2), 3, 3) == "Conv(kernel_size=(3, 2), stride=(2, 1), dilation=2)"
    assert (
        of(ConvTranspose(3, 2, "same", convention="keras"), 3, 3)
        == "Conv(kernel_size=3, stride=2, padding=((0, 1), (0, 1)))"
    )
    # Output padding beyond the stride: no convolution has this number of outputs.
    assert of(ConvTranspose(2, 1, dilation=3, output_padding=2), 3) == "None"


@SETTINGS
@given(small(), st.booleans(), st.booleans())
def test_every_frame_is_in_step_with_the_trace(trace: ConvTrace, symbols: bool, turned: bool) -> None:
    assume(max(trace.x.size, trace.answer.size) <= MOST)
    s = MatrixScene(trace, symbols=symbols, turned=turned)
    trace = trace.by_output()
    _, taps = entries(trace)
    panels = {p.name: p for p in s.panels}

    def upright(grid: Grid) -> tuple[Any, Any]:
        return (grid.roles.T, grid.emphasis.T) if turned else (grid.roles, grid.emphasis)

    for number in range(s.beats.total):
        frame = s.frame(number)
        assert set(frame.grids) == set(panels)
        assert len(frame.captions) == s.captions
        for name, grid in frame.grids.items():
            assert grid.roles.shape == grid.values.shape == grid.emphasis.shape == panels[name].shape
            assert grid.title in panels[name].titles
            for o in grid.outlines:
                assert 0 <= o.top < o.bottom <= panels[name].shape[0]
                assert 0 <= o.left < o.right <= panels[name].shape[1]
        roles, emphasis = upright(frame.grids["matrix"])
        assert ((roles == Role.KERNEL) == ((taps > 0) & (number > 0))).all()
        read, done = (frame.grids[f"flat {n}"] for n in ("input", "output"))
        if not frame.step or number == s.beats.total - 1:
            assert not any(g.emphasis.any() for g in frame.grids.values())
            continue
        row = frame.step - 1
        step = trace[row]
        assert (np.argwhere(emphasis == Emphasis.ACTIVE)[:, 0] == row).all()
        # The entries in use are exactly those of the input cells that are read.
        assert ((emphasis[row] == Emphasis.ACTIVE) == (read.emphasis.ravel() == Emphasis.ACTIVE)).all()
        assert (read.emphasis == Emphasis.ACTIVE).sum() == len(step.reads)
        written = (done.roles == Role.DONE).sum()
        assert written == row + ((number - s.beats.opening) % s.beats.each == s.beats.each - 1)
        if len(trace.axes) == 2:
            assert (frame.grids["input"].emphasis.ravel() == read.emphasis.ravel()).all()
            assert (frame.grids["output"].roles.ravel() == done.roles.ravel()).all()
    last = s.frame(s.beats.total - 1).grids
    assert (last["flat output"].roles == Role.DONE).all()
    if not symbols:
        values = last["matrix"].values.T if turned else last["matrix"].values
        total = values @ last["flat input"].values.ravel() + (0 if trace.bias is None else trace.bias[0])
        assert total.tolist() == last["flat output"].values.ravel().tolist() == trace.answer.ravel().tolist()


def test_the_kernel_shows_which_weights_a_row_holds() -> None:
    s = MatrixScene(ConvTranspose(3, 2, 1).trace(X3, K3))
    kernel = s.frame(s.beats.opening + 2 * 1).grids["kernel"]  # output[0,1] lies between two input cells
    assert np.argwhere(kernel.emphasis == Emphasis.WRITTEN).tolist() == [[1, 0], [1, 2]]


def test_tall_matrices_are_turned_and_say_so() -> None:
    tall = MatrixScene(ConvTranspose(3).trace(X3, K3))
    assert tall.turned
    assert tall.panels[3].name == "flat input"
    assert tall.panels[3].shape == (9, 1)
    grid = tall.frame(1).grids["matrix"]
    assert grid.title == "matrix of the convolution, 9×25: read its columns"
    assert (grid.values == entries(Conv(3).trace(X5, K3)).values).all()
    assert tall.frame(1).captions[0].text() == (
        "25×9, the transpose of the matrix of Conv(kernel_size=3): that matrix, read by columns"
    )
    assert tall.phases[2].label == "multiply column by column"
    upright = MatrixScene(ConvTranspose(3).trace([[1, 2], [3, 4]], K3))
    assert not upright.turned
    assert upright.frame(1).grids["matrix"].title == "matrix 16×4"
    assert upright.frame(1).captions[0].text() == "16×4, the transpose of the matrix of Conv(kernel_size=3)"
    wide = MatrixScene(Conv(3, padding=2).trace(X3, K3))
    assert wide.frame(1).grids["matrix"].title == "matrix transposed to 9×25: read its columns"


def test_what_is_too_large_is_refused() -> None:
    MatrixScene(Conv(3).trace(np.ones((8, 8), int), K3))
    error = refused(lambda: MatrixScene(Conv(3).trace(np.ones((9, 8), int), K3)), "42×72")
    assert "at most 64" in str(error.hint)


@pytest.mark.parametrize(
    "trace",
    [
        Conv(3).trace(X5, K3),
        ConvTranspose(3).trace(X3, K3),
        Conv(3, 2, 1).trace(X5, K3),
        ConvTranspose(3, 2, 1).trace(X3, K3),
    ],
)
def test_letters_can_be_read_on_a_page_and_everything_lines_up(trace: ConvTrace) -> None:
    s = MatrixScene(trace, symbols=True)
    page = layout(s, 1280, 720)
    assert all(place.number for place in page.places.values())
    matrix, read, done = (page.places[n] for n in ("matrix", "flat input", "flat output"))
    across, down = (done, read) if s.turned else (read, done)
    assert matrix.pitch == across.pitch == down.pitch
    assert across.x == matrix.x
    assert down.y == matrix.y
    assert (across.y > matrix.y) == s.turned
    assert (down.x < matrix.x) == s.turned
    small = [page.places[n] for n in ("input", "kernel", "output")]
    assert max(p.box.right for p in small) < min(matrix.x, down.x)
    assert all(a.box.bottom < b.y for a, b in pairwise(small))
    raster = Raster(s, page, load("light"))
    for number in range(s.beats.total):
        raster.draw(s.frame(number))


def test_a_line_as_a_matrix_as_it_is_told() -> None:
    s = MatrixScene(ConvTranspose(3, 2).trace([1, 2, 3], [1, 2, 1], 1))
    told = """\
frame 1 (900 ms)   lay the kernel out in a matrix
kernel
1 2 1
input
1 2 3
matrix 7×3   output
1 _ _        _
2 _ _        _
1 1 _        _
_ 2 _        _
_ 1 1        _
_ _ 2        _
_ _ 1        _
7×3, the transpose of the matrix of Conv(kernel_size=3, stride=2)

frame 7 (400 ms)   multiply row by row   3 of 7
kernel
<1>   2 <1>
input
[1] [2]   3
matrix 7×3    output
  1   _   _     2
  2   _   _     3
[1] [1]   _   <4>
  _   2   _     _
  _   1   1     _
  _   _   2     _
  _   _   1     _
output[2] = 1·1 + 2·1 + bias 1 = 4

frame 16 (3000 ms)   multiply row by row   7 of 7
kernel
1 2 1
input
1 2 3
matrix 7×3   output
1 _ _        2
2 _ _        3
1 1 _        4
_ 2 _        5
_ 1 1        6
_ _ 2        7
_ _ 1        4
output = matrix · input + bias: 9 of 7·3 = 21 entries hold a weight
"""
    shown = ((1, 900), (7, 400), (16, 3000))
    assert "\n".join(frame_text(s, s.frame(n), n, time) for n, time in shown) == told


def test_a_plane_of_letters_as_it_is_told() -> None:
    s = MatrixScene(Conv(2).trace([[1, 2, 3], [4, 5, 6]], [[1, 2], [3, 4]]), symbols=True)
    told = """\
frame 5 (400 ms)   multiply row by row   2 of 2
input
  b₀₀ [b₀₁] [b₀₂]
  b₁₀ [b₁₁] [b₁₂]
kernel
<w₀₀> <w₀₁>
<w₁₀> <w₁₁>
output
  c₀₀ <c₀₁>
input, flattened
  b₀₀ [b₀₁] [b₀₂]   b₁₀ [b₁₁] [b₁₂]
matrix 2×6                            output
  w₀₀   w₀₁     _   w₁₀   w₁₁     _     c₀₀
    _ [w₀₀] [w₀₁]     _ [w₁₀] [w₁₁]   <c₀₁>
c₀₁ = b₀₁·w₀₀ + b₀₂·w₀₁ + b₁₁·w₁₀ + b₁₂·w₁₁
"""
    assert frame_text(s, s.frame(5), 5, 400) == told

"""The receptive view: its counts against products of matrices, and its sizes against perturbed inputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.layers import AvgPool, Conv, MaxPool
from convanim.scene import scene
from convanim.scene.whole.matrix import entries
from convanim.scene.whole.receptive import MOST, ReceptiveScene
from support.commands import run
from support.refusals import refused


def shown(op, n=9):
    """The scene of a layer over a square input."""
    return ReceptiveScene(op.trace(np.ones((n, n), int), *([np.ones((3, 3), int)] if isinstance(op, Conv) else [])))


@given(
    size=st.integers(4, 9), stride=st.integers(1, 3), padding=st.integers(0, 2), dilation=st.integers(1, 2),
    mode=st.sampled_from(["zeros", "reflect", "circular"]),
)  # fmt: skip
def test_paths_are_counted_by_matrices_of_ones(size, stride, padding, dilation, mode):
    op = Conv(2, stride, padding, dilation=dilation, padding_mode=mode)
    made = ReceptiveScene(op.trace(np.ones(size, int), np.ones(2, int)))
    last = made.counts[0][0]
    counts, at = last, [0] * len(made.layers)
    for i, (axis,) in reversed(list(enumerate(made.layers))):
        taps = entries(op.trace(np.ones(axis.input, int), np.ones(2, int))).taps
        counts, at[i] = counts @ taps, 1
        np.testing.assert_array_equal(made.counts[len(made.layers) - i][0], counts)
    assert last.sum() == 1
    assert last[(len(last) - 1) // 2] == 1
    assert all(at)


@pytest.mark.parametrize("op", [Conv(3), Conv(3, 2, 1), Conv(3, dilation=2), AvgPool(2), AvgPool(3, 2)])
def test_exactly_the_cells_that_are_reached_change_the_output(op):
    made = shown(op, 13)
    layers = len(made.layers)

    def last(x):
        for _ in range(layers):
            x = op.trace(x, *([np.ones((3, 3))] if isinstance(op, Conv) else [])).output
        return x[tuple((n - 1) // 2 for n in x.shape)]

    rng, blank = np.random.default_rng(1), np.zeros((13, 13))
    for row, column in rng.integers(0, 13, (12, 2)).tolist():
        changed = blank.copy()
        changed[row, column] = 1
        if isinstance(op, Conv):  # with a kernel of ones the output is the number of paths
            assert last(changed) == made.counts[-1][row, column]
        assert (last(changed) != last(blank)) == (made.counts[-1][row, column] > 0)


@pytest.mark.parametrize(
    ("op", "n", "sizes"),
    [
        (Conv(3), 9, [3, 5, 7, 9]),
        (Conv(3, 2), 31, [3, 7, 15, 31]),
        (MaxPool(2), 8, [2, 4, 8]),
        (Conv(3, dilation=2), 9, [5, 9]),
    ],
)
def test_the_receptive_field_grows_by_its_formula(op, n, sizes):
    made = shown(op, n)
    assert len(made.layers) == len(sizes) <= MOST
    assert [made.frame(1 + i).captions[0].result for i in range(len(sizes))] == [str(size) for size in sizes]
    terms = [made.frame(1 + i).captions[0].terms for i in range(len(sizes))]
    assert [eval(f"{a} + {b}".replace("·", "*").replace("−", "-")) for a, b in terms] == sizes  # noqa: S307


def test_the_stack_ends_where_nothing_is_gained():
    assert len(shown(Conv(3, padding=1), 5).layers) == 2  # the whole input is reached
    assert len(shown(MaxPool(1)).layers) == 1
    assert len(shown(Conv(3), 4).layers) == 1  # the output of 2×2 is too small for another
    assert len(shown(Conv(3), 13).layers) == MOST


def test_cells_in_the_padding_are_announced():
    made = shown(Conv(3, 2, 1))
    assert [made.frame(1 + i).captions[0].remark for i in range(4)] == ["partly padding"] * 4
    assert made.frame(made.beats.total - 1).captions[0].remark == "4 layers: one cell depends on 81 input cells"


def test_the_command_line_has_the_view(tmp_path):
    done = run("conv", "--input", "7", "--kernel", "3", "--view", "receptive", "-o", tmp_path / "a.txt")
    assert done.code == 0
    assert "receptive field = (5 − 1)·1 + 3 = 7" in (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert run("describe", "pool", "--input", "8x8", "--kernel", "2", "--view", "receptive").code == 0
    deep = Conv(3).trace(np.ones((2, 5, 5), int), np.ones((1, 2, 3, 3), int))
    refused(lambda: scene(deep, "receptive"), "shows one channel")
    assert (
        run("conv", "--input", "7", "--kernel", "3", "--view", "receptive", "--symbols", "-o", tmp_path / "b.txt").code
        == 2
    )

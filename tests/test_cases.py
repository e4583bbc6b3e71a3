"""Published numbers: worked examples of tutorials, checked against the definition, and well-known figures."""

import numpy as np
import pytest

from convanim.explanation import explain
from convanim.explanation.arithmetic import evenness
from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    MaxPool,
    MaxUnpool,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
    parse,
)
from support.weighted import FIELD

SQUARE = [[0, 1], [2, 3]]
#: The input and the kernel of the numerical figures: Dumoulin and Visin, A guide to convolution arithmetic (2016), 1.1.
FIGURE = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
FIGURE_KERNEL = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


def proved(trace):
    """A trace that agrees with its replay and with the oracle, in both orders."""
    trace.verify()
    trace.by_input().verify()
    return trace


def test_tc_2x2_k2_a():
    done = proved(ConvTranspose(2).trace(SQUARE, [[4, 1], [2, 3]]))
    assert done.output.tolist() == [[0, 4, 1], [8, 16, 6], [4, 12, 9]]


def test_tc_2x2_k2_b():
    done = proved(ConvTranspose(2).trace(SQUARE, [[0, 1], [2, 3]]))
    assert done.output.tolist() == [[0, 0, 1], [0, 4, 6], [4, 12, 9]]
    stamps = [step.written.reshape(2, 2).tolist() for step in done.by_input()]
    assert stamps == [[[0, 0], [0, 0]], [[0, 1], [2, 3]], [[0, 2], [4, 6]], [[0, 3], [6, 9]]]


def test_tc_2x2_k2_s2():
    done = proved(ConvTranspose(2, stride=2).trace(SQUARE, [[0, 1], [2, 3]]))
    assert done.output.tolist() == [[0, 0, 0, 1], [0, 0, 2, 3], [0, 2, 0, 3], [4, 6, 6, 9]]
    assert [len(step.terms) for step in done] == [1] * 16  # side by side, no overlap


def test_conv_3x3_k2():
    done = proved(Conv(2).trace([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]))
    assert done.output.tolist() == [[37, 47], [67, 77]]
    assert (done[0].values.tolist(), done[0].weights.tolist()) == ([1, 2, 4, 5], [1, 2, 3, 4])
    assert done[0].terms.tolist() == [1, 4, 12, 20]
    assert done[0].written.tolist() == [37]


def test_conv_5_k3_s2():
    x = np.arange(25).reshape(5, 5)
    done = proved(Conv(3, 2, "valid").trace(x, np.ones((3, 3), int)))
    assert done.output.tolist() == [[54, 72], [144, 162]]


@pytest.mark.parametrize(("padding", "size"), [(1, 3), (0, 2)])
def test_conv_floor(padding, size):
    op = Conv(3, 2, padding)
    done = proved(op.trace(np.ones((6, 6), int), np.ones((3, 3), int)))
    assert done.output.shape == (size, size)
    assert [a.unused for a in done.axes] == [1, 1]
    assert "the floor leaves 1 cell at the end unused" in explain(op, (6, 6))


@pytest.mark.parametrize(("padding", "size"), [("valid", 9), ("same", 8)])
def test_keras_valid_and_same(padding, size):
    x, weight = np.arange(48).reshape(1, 4, 4, 3), np.arange(27).reshape(3, 3, 1, 3) - 13
    done = proved(ConvTranspose(3, 2, padding, convention="keras").trace(x, weight))
    assert done.output.shape == (1, size, size, 1)


@pytest.mark.parametrize("dilation", [1, 2])
def test_conv1d_transpose(dilation):
    steps, filters, stride = np.arange(8).reshape(4, 2), 3, 3 - dilation  # Keras has one or the other
    op = ConvTranspose(3, stride, dilation=dilation, convention="keras")
    done = proved(op.trace(steps, np.arange(2 * filters * 3).reshape(3, filters, 2)))
    assert done.output.shape == ((4 - 1) * stride + dilation * 2 + 1, filters)


RGB = np.array(
    [
        [[255, 0, 0, 255], [255, 255, 0, 0], [0, 255, 255, 255], [255, 0, 255, 0]],
        [[0, 255, 0, 255], [0, 0, 255, 255], [0, 0, 255, 255], [0, 255, 255, 0]],
        [[0, 0, 255, 255], [0, 255, 255, 0], [255, 0, 0, 255], [255, 255, 255, 0]],
    ]
)


def rgb(kernel, extra):
    """A picture with separate channels, and the number of taps that end in each row."""
    op = ConvTranspose(kernel, 4, output_padding=extra, groups=3)
    done = proved(op.trace(RGB, np.ones((3, 1, kernel, kernel), int)))
    return np.minimum(done.output, 255), done.taps[0].overlap().tolist()


def test_rgb_k3_s4():
    picture, taps = rgb(3, 1)
    assert picture.shape == (3, 16, 16)
    assert taps == [1, 1, 1, 0] * 4
    assert not picture[:, 3::4].any()
    assert not picture[:, :, 3::4].any()


def test_rgb_k4_s4():
    picture, taps = rgb(4, 0)
    assert taps == [1] * 16  # no overlap, since k = s, contrary to the tutorial
    assert np.array_equal(picture, RGB.repeat(4, axis=1).repeat(4, axis=2))


def test_rgb_k5_s4():
    picture, taps = rgb(5, 0)
    assert picture.shape == (3, 17, 17)
    assert taps == [1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1]
    assert picture[:, 1, 4].tolist() == [255, 255, 0]  # red and green meet: yellow
    assert picture[:, 1, 13].tolist() == [255, 255, 255]  # white stays white


def test_four_steps():
    op = ConvTranspose(3, 2, padding=1)
    x, weight = np.arange(9).reshape(3, 3), np.arange(9).reshape(3, 3) - 4
    done = proved(op.trace(x, weight))
    axis = done.axes[0]
    assert (axis.stride - 1, axis.ring, axis.spread, axis.output) == (1, (1, 1), 5, 5)
    stage = np.zeros((7, 7), int)
    stage[1:6:2, 1:6:2] = x
    assert Conv(3).trace(stage, weight[::-1, ::-1]).output.tolist() == done.output.tolist()


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_the_stage_is_2i_minus_1_for_stride_2_only(stride):
    (axis,) = ConvTranspose(3, stride).axes((3,))
    assert axis.spread == 2 * stride + 1
    assert (axis.spread == 2 * 3 - 1) == (stride == 2)


@pytest.mark.parametrize(
    ("notation", "size", "row"),
    [
        ("Conv(3, 2, padding=1)", 6, ["0", "1", "2", "3×3"]),
        ("ConvTranspose(3, 2, padding=1)", 3, ["1", "1", "1", "5×5"]),
        ("ConvTranspose(4, 3, padding=2)", 3, ["2", "1", "1", "6×6"]),
        ("ConvTranspose(3, padding=((3, 0), (3, 0)))", 4, ["0", "−1:2", "1", "3×3"]),
    ],
)
def test_summary(notation, size, row):
    (line,) = (line for line in explain(parse(notation), (size, size)).splitlines() if line.startswith("this layer"))
    assert line.removeprefix("this layer").split() == row


@pytest.mark.parametrize(
    ("kernel", "counts", "even"),
    [
        (3, [1, 1, 2, 1, 2, 1, 1], (False, 1, 2)),
        (4, [1, 1, 2, 2, 2, 2, 1, 1], (True, 2, 2)),
        (2, [1, 1, 1, 1, 1, 1], (True, 1, 1)),
    ],
)
def test_checkerboard(kernel, counts, even):
    op = ConvTranspose(kernel, 2)
    ones = op.trace([1, 1, 1], [1] * kernel)
    assert ones.output.tolist() == ones.taps[0].overlap().tolist() == counts
    assert evenness(ones.axes[0]) == even
    assert ("warning" in explain(op, (3,))) == (not even[0])


def test_connectivity():
    """The matrix of a transposed convolution is the transpose of the convolution's: many-to-one and one-to-many."""
    weight = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    down = np.zeros((4, 25), int)
    for step in Conv(3, 2).trace(np.ones((5, 5), int), weight):
        down[step.number, step.reads[:, 1] * 5 + step.reads[:, 2]] = step.weights
    up = np.zeros((25, 4), int)
    for step in ConvTranspose(3, 2).trace(np.ones((2, 2), int), weight).by_input():
        up[step.writes[:, 1] * 5 + step.writes[:, 2], step.number] = step.weights
    assert np.array_equal(down.T, up)
    assert (down != 0).sum(axis=1).tolist() == [9] * 4


@pytest.mark.parametrize(("name", "notation", "size", "wanted"), FIELD)
def test_placements_of_the_figures_that_the_field_shows(name, notation, size, wanted):
    op = parse(notation)
    kernel = op.kernel_size
    x, weight = np.arange(size**2).reshape(size, size), np.arange(kernel**2).reshape(kernel, kernel) - 3
    done = proved(op.trace(x, weight))
    assert done.output.shape == (wanted, wanted), name
    assert len(done) == len(list(done)) == wanted**2
    assert len(done.by_input()) == size**2


@pytest.mark.parametrize("down", FIELD[:7], ids=lambda row: row[0])
def test_each_figure_has_its_way_back(down):
    """The transposed layer of a figure maps that convolution's output size to its input size."""
    back = {row[0]: row for row in FIELD}[down[0] + "_transposed"]
    assert (back[2], back[3]) == (down[3], down[2])


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("nearest", [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]),
        (
            "bilinear",  # half-pixel centres: weights of 1/4 and 3/4, clamped at the border
            [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]],
        ),
        ("nails", [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]),
    ],
)
def test_up_nearest_bilinear_nails(mode, wanted):
    assert proved(Upsample(scale_factor=2, mode=mode).trace([[1, 2], [3, 4]])).output.tolist() == wanted


def test_up_maxunpool():
    pool = proved(MaxPool(2).trace([[1, 2, 0, 1], [5, 0, 2, 3], [4, 1, 0, 6], [0, 2, 7, 1]]))
    assert pool.output.tolist() == [[5, 3], [4, 7]]
    back = proved(MaxUnpool(2).trace(pool))
    assert back.output.tolist() == [[0, 0, 0, 0], [5, 0, 0, 3], [4, 0, 0, 0], [0, 0, 7, 0]]


def test_numerical_figures():
    assert proved(Conv(3).trace(FIGURE, FIGURE_KERNEL)).output.tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]
    strided = proved(Conv(3, 2, padding=1).trace(FIGURE, FIGURE_KERNEL))
    assert strided.output.tolist() == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]
    assert proved(MaxPool(3, 1).trace(FIGURE)).output.tolist() == [[3, 3, 3], [3, 3, 3], [3, 2, 3]]
    mean = proved(AvgPool(3, 1).trace(FIGURE)).output
    assert np.round(mean, 1).tolist() == [[1.7, 1.7, 1.7], [1.0, 1.2, 1.8], [1.1, 0.8, 1.3]]


def test_pixel_shuffle_and_unshuffle():
    x = [[[1]], [[2]], [[3]], [[4]]]
    done = proved(PixelShuffle(2).trace(x))
    assert done.output.tolist() == [[[1, 2], [3, 4]]]
    assert proved(PixelUnshuffle(2).trace(done.output)).output.tolist() == x

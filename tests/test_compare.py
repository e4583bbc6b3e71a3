"""The reasons why two layers differ: every cause is true, and the one argument that was changed is among them."""

import numpy as np
import pytest
from hypothesis import given, settings

from convanim.errors import ConvanimError
from convanim.explanation.compare import SAME, causes, report, why
from convanim.explanation.difference import Difference
from convanim.layers import AvgPool, Conv, ConvTranspose, LpPool, MaxPool, MaxUnpool, PixelShuffle, Upsample
from convanim.trace import Trace
from support.scenes import pairs

SETTINGS = settings(max_examples=150)


@SETTINGS
@given(pairs())
def test_the_one_argument_that_was_changed_is_told_and_no_other(case: tuple[Trace, Trace, str, str]) -> None:
    a, b, changed, word = case
    told = why(a, b)
    found = [cause.text for cause in causes(a, b)]
    if Difference(a, b).none:
        assert told == SAME or told == "every cell equal, although " + "; ".join(found)
    else:
        word = word or ("the crop is" if a.op.transposed else "padding is")
        assert word in told
    allowed = 2 if changed == "kernel_size" else 1
    assert len(found) <= allowed, found


@SETTINGS
@given(pairs())
def test_the_first_that_differs_is_the_first(case: tuple[Trace, Trace, str, str]) -> None:
    a, b, _, _ = case
    d = Difference(a, b)
    rows, columns = (min(m, n) for m, n in zip(a.answer.shape[1:], b.answer.shape[1:], strict=True))
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    near = [bool(np.isclose(a.answer[0][cell], b.answer[0][cell], rtol=1e-9, atol=1e-9)) for cell in cells]
    assert d.equal.sum() == sum(near)
    first = next((cell for cell, same in zip(cells, near, strict=True) if not same), None)
    assert d.first == (None if first is None else (0, *first))
    assert d.only == (a.answer.size - len(cells), b.answer.size - len(cells))
    assert f"{sum(near)} of {len(cells)} " in report(a, b)


X = [
    [1, 2, 0, 1, 3, 1],
    [0, 1, 2, 2, 1, 2],
    [1, 0, 3, 1, 0, 0],
    [2, 1, 1, 0, 2, 1],
    [0, 3, 2, 1, 1, 3],
    [1, 1, 0, 2, 0, 1],
]
K = [[1, 0, 2], [-1, 1, 0], [0, 2, 1]]


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        (
            Conv(3, 2, "same", convention="keras").trace(X, K),
            Conv(3, 2, 1).trace(X, K),
            "padding is 0:1 ('same') in Keras and 1 in PyTorch",
        ),
        (
            Conv(3, 2, "same_lower", convention="onnx").trace(X, K),
            Conv(3, 2, "same", convention="keras").trace(X, K),
            "padding is 1:0 ('same_lower') in ONNX and 0:1 ('same') in Keras",
        ),
        (
            ConvTranspose(3, 2, "same", convention="jax").trace(X, K),
            ConvTranspose(3, 2, "same", convention="keras").trace(X, K),
            "JAX does not rotate the kernel, Keras does",
        ),
        (
            ConvTranspose(3, 2, 1).trace(X, K),
            ConvTranspose(3, 2, ((1, 1), (1, 1)), convention="jax").trace(X, K),
            "JAX does not rotate the kernel, PyTorch does",
        ),
        (
            ConvTranspose(3, 2, 0).trace(X, K),
            ConvTranspose(3, 2, 0, convention="jax").trace(X, np.flip(K).tolist()),
            "padding 0 crops 0 in PyTorch and 2 in JAX",
        ),
        (
            ConvTranspose(2, 3, "valid").trace(X, [[1, 2], [3, 4]]),
            ConvTranspose(2, 3, "valid", convention="keras").trace(X, [[1, 2], [3, 4]]),
            "output padding is 0 in PyTorch and 1 in Keras",
        ),
        (
            AvgPool(3, 2, 1).trace(X),
            AvgPool(3, 2, 1, count_include_pad=False).trace(X),
            "padding counts in the average of the first and not in that of the second: "
            "output[0,0] is divided by 9 and by 4",
        ),
        (
            AvgPool(2).trace(X),
            AvgPool(2, convention="onnx").trace(X),
            "the stride is 2 in PyTorch and 1 in ONNX",
        ),
        (
            Upsample(scale_factor=1.5).trace(X),
            Upsample(scale_factor=1.5, convention="onnx").trace(X),
            "every cell equal, although the coordinates are asymmetric in PyTorch and half_pixel in ONNX",
        ),
        (
            PixelShuffle(2).trace(np.arange(32).reshape(8, 2, 2)),
            PixelShuffle(2, order="DCR").trace(np.arange(32).reshape(8, 2, 2)),
            "the order of the channels is CRD in the first and DCR in the second",
        ),
        (
            LpPool(2, norm_type=3, convention="onnx", stride=2).trace([[-1, 2], [3, 4]]),
            LpPool(2, norm_type=3).trace([[-1, 2], [3, 4]]),
            "PyTorch takes the powers of the values, ONNX those of their sizes",
        ),
        (
            MaxPool(2).trace(X),
            AvgPool(2).trace(X),
            "the first is a max pooling, the second an average pooling",
        ),
        (
            Conv(3).trace(X, K),
            Conv(3).trace(X, [[1, 0, 2], [-1, 4, 0], [0, 2, 1]]),
            "only the weights differ: kernel[1,1] is 1 in the first and 4 in the second",
        ),
        (
            Conv(1).trace([1, 2], [3]),
            Conv(1).trace([1, 5], [3], 1),
            "only the input values differ: input[1] is 2 in the first and 5 in the second; "
            "the bias is 0 in the first and 1 in the second",
        ),
        (
            MaxUnpool(2).trace([[1]], [[0]]),
            MaxUnpool(2).trace([[1]], [[3]]),
            "only the places of the maxima differ: place[0,0] is 0 in the first and 3 in the second",
        ),
        (Conv(3).trace(X, K), Conv(3).trace(X, K), SAME),
        (
            Conv(3, 2).trace(X, K),
            Conv(3, 2, ((0, 1), (0, 1))).trace([row[:5] for row in X[:5]], K),
            "every cell equal, although padding is 0 in the first and 0:1 in the second; "
            "the size of the input is 6×6 in the first and 5×5 in the second",
        ),
        (
            Conv(3, 2).trace(X, K),
            Conv(3, 2, convention="jax").trace(X, K),
            SAME,
        ),
        (
            Upsample(scale_factor=2).trace(X),
            Upsample(scale_factor=2, coordinates="half_pixel").trace(X),
            "every cell equal, although the coordinates are asymmetric in the first and half_pixel in the second",
        ),
    ],
)
def test_why(one: Trace, two: Trace, told: str) -> None:
    assert why(one, two) == told


def test_groups_and_channels_are_told() -> None:
    x = np.arange(8).reshape(2, 4)
    one, two = Conv(1).trace(x, np.ones((2, 2, 1), int)), Conv(1, groups=2).trace(x, np.ones((2, 1, 1), int))
    assert why(one, two) == "the groups are 1 in the first and 2 in the second"
    more = Conv(1).trace(x, np.ones((3, 2, 1), int))
    assert why(one, more) == "the output channels are 2 in the first and 3 in the second"
    assert Difference(one, more).only == (0, 4)


def test_floats_are_equal_up_to_rounding_and_told_apart_where_they_are_not() -> None:
    x, k = [0.1, 0.2, 0.3], [1.0, 1.0, 1.0]
    one, two = Conv(3).trace(x, k), Conv(3).trace(x[::-1], k)
    assert one.output != two.output
    assert Difference(one, two).none
    three = Conv(3).trace([0.1, 0.2, 0.3000001], k)
    first, second = Difference(one, three).values
    assert first != second


def test_infinity_is_equal_to_itself() -> None:
    """A max pooling of nothing but padding is minus infinity."""
    pools = [MaxPool(1, 1, 1, convention="onnx").trace([1, 2 + i]) for i in range(2)]
    d = Difference(*pools)
    assert d.equal.tolist() == [[True, True, False, True]]
    assert d.values == ("2", "3")


def test_layers_of_other_axes_are_refused() -> None:
    with pytest.raises(ConvanimError, match=r"has 1 axes and .* 2"):
        why(Conv(1).trace([1], [1]), Conv(1).trace([[1]], [[1]]))


def test_the_report() -> None:
    one, two = Conv(3, 2, "same", convention="keras").trace(X, K), Conv(3, 2, 1).trace(X, K)
    assert report(one, two) == (
        "Keras     Conv(kernel_size=3, stride=2, padding='same', convention='keras')   6×6 → 3×3\n"
        "PyTorch   Conv(kernel_size=3, stride=2, padding=1)   6×6 → 3×3\n"
        "equal     0 of 9 cells\n"
        "differs   output[0,0]: 5 in Keras, 2 in PyTorch\n"
        "why       padding is 0:1 ('same') in Keras and 1 in PyTorch"
    )


def test_equal_layers_need_no_reason() -> None:
    t = Conv(3).trace(X, K)
    assert report(t, t).splitlines()[2:] == ["equal        16 of 16 cells", f"why          {SAME}"]

"""Inputs of traces: 64-bit numbers with exact sums, in shapes that fit; all others get one sentence."""

import numpy as np
import pytest

from convanim.errors import ConvanimError, ConvanimWarning
from convanim.layers import Conv, ConvTranspose, MaxPool
from support.refusals import refused

INT64 = np.iinfo(np.int64)
with np.errstate(over="ignore"):  # infinite if a long double is no longer than a double
    BEYOND = np.array([10], np.longdouble) ** 4000


def test_integers_stay_integers_up_to_the_last_bit():
    assert Conv(2).trace([2**53 + 1, 0], [1, 0]).output.tolist() == [2**53 + 1]
    done = ConvTranspose(1).trace([INT64.max - 3], [1], bias=[3])
    assert done.output.tolist() == [INT64.max]
    assert done.output.dtype == np.int64
    done.verify()
    assert Conv(1).trace(np.array([True, False]), np.uint8([255])).output.tolist() == [255, 0]
    assert Conv(1).trace(np.float32([0.1]), [1]).output.dtype == np.float64


@pytest.mark.parametrize(
    ("x", "weight", "bias"),
    [
        ([2**62], [2], None),
        ([INT64.max], [1], 1),
        ([INT64.min], [-1], None),
        ([2**32] * 2, [2**30, 2**30], None),
        ([-(2**62)], [4], None),
    ],
)
def test_sums_beyond_64_bits_are_refused(x, weight, bias):
    refused(lambda: Conv(len(weight)).trace(x, weight, bias), "64 bits")
    assert np.isfinite(Conv(len(weight)).trace(np.array(x, float), weight, bias).output).all()


class OfAnotherLibrary:
    """An array that refuses conversion, like PyTorch's parameters with requires_grad."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ([], "empty"),
        ([[]], "empty"),
        ([[1, 2], [3]], "ragged"),
        ([1, None], "None instead of real numbers"),
        ([1, "a"], "instead of real numbers"),
        ("12", "instead of real numbers"),
        ([1 + 2j], r"complex numbers instead of real numbers"),
        ([{}], "dict objects instead"),
        ([2**64], "integers beyond 64 bits"),
        ([-(2**70), 1.5], "integers beyond 64 bits"),
        (np.array([], object), "empty"),
        ([2**63], "64"),
        ([2**63, -1], "64"),
        (np.array([2**63], np.uint64), "64"),
        ([10**400, 1], "64"),
        ([float("nan")], "NaN"),
        ([1, float("inf")], "infinity"),
        ([float("-inf")], "infinity"),
        (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        (BEYOND, "infinity"),
        (OfAnotherLibrary(), "non-numbers"),
    ],
)
@pytest.mark.parametrize("what", ["input", "weight", "bias"])
def test_what_is_not_a_number_of_64_bits_is_refused(what, bad, named):
    arrays = {"input": [1], "weight": [1], "bias": 1} | {what: bad}
    refused(lambda: Conv(1).trace(*arrays.values()), f"the {what}", named)


def test_the_message_says_what_to_give_instead():
    assert refused(lambda: Conv(1).trace([2**64], [1])).hint == "use smaller integers, or floats"
    assert refused(lambda: Conv(1).trace([1j], [1])).hint == "give np.real(x) or np.abs(x)"


def test_floats_that_grow_beyond_all_are_refused():
    refused(lambda: Conv(2).trace([1e200, 0.0], [0.0, 1e200]), "too large")  # in some order of the cells
    refused(lambda: Conv(1).trace([1e200], [1e200]), "too large")
    refused(lambda: Conv(2).trace([1e308, 1e308], [1.0, 1.0]), "too large")
    refused(lambda: Conv(1).trace([1e308], [1.0], [1e308]), "too large")


@pytest.mark.parametrize(
    ("op", "x", "weight"),
    [
        (ConvTranspose(2, padding=1), [1e200, 1.0], [1e200, 1.0]),  # too large only in the crop
        (ConvTranspose(3, padding=2), [1e308, 1e308, 1e308], [-1.0, 1.0, 1.0]),  # or in another order of additions
        (Conv(2), [1e200, 0.0], [0.0, 1e200]),  # only by the bound of the sums
    ],
)
def test_large_floats_are_refused_or_proved(op, x, weight):
    try:
        done = op.trace(x, weight)
    except ConvanimError as error:
        said = str(error)
    else:
        said = ""
        for ordered in (done, done.by_input()):
            assert np.array_equal(ordered.replay(), done.output.reshape(1, -1))
            ordered.verify()
    assert said == "" or "too large" in said


@pytest.mark.parametrize(
    ("op", "x", "weight", "named"),
    [
        (Conv(2), (3, 4, 4), (1, 2, 2, 2), ["3 channels", "for 2"]),
        (Conv(2, groups=2), (4, 4, 4), (2, 4, 2, 2), ["4 channels", "for 8"]),
        (ConvTranspose(2), (3, 4, 4), (2, 3, 2, 2), ["3 channels", "for 2"]),
        (Conv(2, groups=2), (3, 4, 4), (2, 1, 2, 2), ["groups 2", "3"]),
        (Conv(2, groups=3), (3, 4, 4), (4, 1, 2, 2), ["groups 3", "4"]),
        (Conv(3), (4, 4), (2, 2), ["2×2", "3×3"]),
        (Conv((3, 2)), (4, 4), (2, 3), ["2×3", "3×2"]),
        (Conv(2), (4, 4, 4, 4), (2, 2), ["2×2", "4×4×4×4"]),
        (Conv(2), (4,), (2, 2, 2), ["1 channels", "for 2"]),
        (Conv(3), (4, 4), (1, 2, 3, 3), ["1 channels", "for 2"]),
        (Conv(3), (3,), (1, 3), ["1×3", "3"]),
        (ConvTranspose(3), (1,), (1, 3), ["1×3", "1"]),
        (Conv(1), (), (), []),
        (Conv(1), (), (1,), []),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both_sizes(op, x, weight, named):
    refused(lambda: op.trace(np.ones(x, int), np.ones(weight, int)), *named)


def test_more_axes_than_can_be_proved_are_refused():
    """A layer of four axes is either traced and verified, or refused at once."""
    with pytest.raises(ConvanimError), pytest.warns(ConvanimWarning, match="item 0 of the batch of 2"):
        Conv(1).trace(np.ones((2, 2, 2, 2), int), np.ones((1, 1, 1, 1), int))


@pytest.mark.parametrize("bias", [[1, 2, 3], [[1, 2], [3, 4]]])
def test_a_bias_of_another_length_is_refused(bias):
    refused(lambda: Conv(1).trace(np.ones((1, 3), int), np.ones((2, 1, 1), int), bias), f"{np.size(bias)} values", "2")


def test_one_bias_is_for_all_channels():
    done = Conv(1).trace([[1, 2]], [[[1]], [[2]]], 10)
    assert done.output.tolist() == [[11, 12], [12, 14]]
    assert done.bias.tolist() == [10, 10]


def test_an_output_beyond_the_limit_is_refused_before_it_is_made():
    said = refused(lambda: Conv(1, padding=2**20).trace([[1]], [[1]]), "2097153×2097153")
    assert "smaller" in said.hint


@pytest.mark.parametrize(
    "op",
    [
        Conv(1, stride=2**24, padding=2**24),
        ConvTranspose(1, stride=2**24, padding=((2**23 - 5, 2**23), (2**23 - 5, 2**23))),
    ],
)
def test_a_stage_beyond_memory_is_refused_or_proved(op):
    """A small input and output, with a padded or spread input of petabytes between them."""
    said = ""
    try:
        done = op.trace(np.ones((2, 2), int), np.ones((1, 1), int))
        done.verify()
        done.by_input().verify()
    except ConvanimError as error:
        said = error.hint
    assert said or done.output.shape


def test_a_kernel_of_other_axes_than_the_arguments_name() -> None:
    with pytest.raises(ConvanimError, match=r"has 2 axes, and the kernel of shape 2 has 1; give a kernel and an input"):
        Conv(2, padding=(1, 0)).trace([1, 2, 3], [1, 1])


def test_an_integer_that_a_float_cannot_hold_is_refused_beside_floats() -> None:
    with pytest.raises(ConvanimError, match="the input holds 9007199254740993 beside floats"):
        MaxPool(1).trace([9007199254740993, 1.5])
    assert MaxPool(1).trace([9007199254740992, 1.5, True]).output.tolist() == [9007199254740992.0, 1.5, 1.0]

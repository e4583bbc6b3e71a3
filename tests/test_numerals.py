import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convanim.language.numerals import MINUS, Factors, Numerals
from support.weighted import thorough

INTS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20), min_size=1, max_size=20)
FLOATS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-1000, 1000)
    | st.integers(-80, 80).map(lambda n: n / 8)
    | st.integers(-9, 9).map(float),
    min_size=1,
    max_size=20,
)


#: A smaller difference, beside numbers around 1, is a rounding error: 0.1 + 0.2 is 0.3.
NOISE = Decimal("1e-12")


def value(text):
    """The number in a text."""
    return Decimal(text.replace(MINUS, "-"))


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0], ["0"]),
        ([-2, 10], ["−2", "10"]),
        ([2**63 - 1, -(2**63)], ["9223372036854775807", "−9223372036854775808"]),
        ([9.0, -1.0], ["9", "−1"]),
        ([0.5, 1.25, 3.0, -0.125], ["0.5", "1.25", "3", "−0.125"]),
        ([0.1, 0.2, 0.1 + 0.2], ["0.1", "0.2", "0.3"]),
        ([1 / 3, 2.0], ["0.33", "2.00"]),
        ([-1 / 3, 0.0], ["−0.333", "0.000"]),
        ([1 / 3, 12.0], ["0.3", "12.0"]),
        ([1 / 3, 1234.0], ["0", "1234"]),
        ([0.0987654, 0.0123456], ["0.0988", "0.0123"]),
        ([1e-5, 0.0], ["1e−5", "0"]),
        ([1e6, 2.0], ["1e6", "2"]),
        ([-1.25e30], ["−1.25e30"]),
        ([-0.0, 0.0], ["0", "0"]),
    ],
)
def test_numbers_as_people_read_them(values, texts):
    array = np.array(values)
    numerals = Numerals(array)
    assert [numerals.text(v) for v in array] == texts


@thorough
@given(INTS)
def test_integers_are_written_in_full(values):
    numerals = Numerals(np.array(values, np.int64))
    assert [numerals.text(v) for v in values] == [str(v).replace("-", MINUS) for v in values]
    assert not numerals.rounded


@thorough
@given(FLOATS)
@example([-0.001, 1 / 3, 2.5])
@example([-0.0, 1 / 3e9])
@example([1.5e-323])
@example([999999.5, 0.0005])
def test_floats_are_written_without_noise(values):
    numerals = Numerals(np.array(values))
    for v in values:
        text = numerals.text(v)
        assert re.fullmatch(rf"{MINUS}?\d+(\.\d+)?(e{MINUS}?\d+)?", text), text
        assert not re.fullmatch(rf"{MINUS}0(\.0*)?", text), "nothing has no sign"
        assert len(text) <= 12
        if not numerals.rounded:
            assert abs(value(text) - Decimal(v)) <= NOISE * max(1, *(abs(Decimal(x)) for x in values))
            assert not re.search(r"\.\d*0$", text)


@thorough
@given(FLOATS)
@example([0.3125])
@example([0.0987654, -0.0123456])
@example([999.9996, 0.3333])
def test_what_is_rounded_is_said_to_be_and_keeps_three_digits_of_the_largest(values):
    numerals = Numerals(np.array(values))
    told = [value(numerals.text(v)) for v in values]
    largest = max(abs(Decimal(v)) for v in values)
    for shown, v in zip(told, values, strict=True):
        # Half a unit of the third digit is at most this.
        assert abs(shown - Decimal(v)) <= Decimal("0.005") * largest
    noise = NOISE * max(1, largest)
    assert numerals.rounded or all(abs(shown - Decimal(v)) <= noise for shown, v in zip(told, values, strict=True))


@thorough
@given(st.lists(st.integers(-9, 9), min_size=1).map(lambda ns: [float(n) for n in ns]))
def test_whole_floats_are_written_as_whole(values):
    numerals = Numerals(np.array(values))
    assert [numerals.text(v) for v in values] == [str(int(v)).replace("-", MINUS) for v in values]


@thorough
@given(st.one_of(INTS.map(lambda v: np.array(v, np.int64)), FLOATS.map(np.array)))
def test_no_text_is_wider_than_the_widest(values):
    numerals = Numerals(values)
    texts = [numerals.text(v) for v in values]
    assert numerals.widest(values) in texts
    assert len(numerals.widest(values)) == max(map(len, texts))


def test_the_last_of_many_numbers_counts_as_well():
    """Rounding and width depend on all values, however many there are."""
    many = np.array([*range(-999, 1000), 1_234_567.0])
    numerals = Numerals(many)
    assert numerals.text(1_234_567.0) == "1.23e6"
    assert numerals.rounded
    many = np.array([*(np.arange(6000) / 1000), 999.501])
    assert Numerals(many).widest(many) == "999.501"


def test_several_groups_are_written_alike():
    numerals = Numerals(np.array([[1.0, 2.0]]), np.array([0.25]))
    assert (numerals.text(2.0), numerals.text(0.25)) == ("2", "0.25")
    mixed = Numerals(np.array([1, 2]), np.array([0.5]))
    assert (mixed.text(1), mixed.text(0.5)) == ("1", "0.5")


def test_the_same_number_is_always_the_same_text():
    numerals = Numerals(np.arange(30_000))
    first = [numerals.text(n) for n in range(30_000)]
    assert first == [numerals.text(np.int64(n)) for n in range(30_000)] == [str(n) for n in range(30_000)]


@given(st.integers(2, 16), st.lists(st.integers(-16, 16), min_size=1, max_size=9))
def test_a_fraction_is_the_weight_itself(below: int, tops: list[int]) -> None:
    weights = np.array([min(max(top, -below), below) / below for top in tops])
    factors = Factors(weights)
    for weight in weights.tolist():
        assert factors.exact(weight)
        assert float(Fraction(factors.text(weight).replace("−", "-"))) == weight


@pytest.mark.parametrize("weights", [[2.25, 0.5], [0.1234], [1 / 17], [np.pi], [0.25, np.inf], [1e-9, 0.25]])
def test_weights_that_are_no_simple_fractions_stay_decimals(weights: list[float]) -> None:
    factors, usual = Factors(np.array(weights)), Numerals(np.array(weights))
    assert [factors.text(w) for w in weights] == [usual.text(w) for w in weights]
    assert factors.rounded == usual.rounded

"""Example values: the input and the kernel cannot be mixed up, and sums stay short."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convanim.layers import Conv, ConvTranspose
from convanim.typed.examples import DISTINCT, ONE_DIGIT, WEIGHTS, example, kernel
from convanim.typed.request import request


def test_no_value_of_the_input_is_a_weight() -> None:
    weights = {weight for some in WEIGHTS.values() for weight in some}
    assert set(ONE_DIGIT.tolist()) == set(range(4, 10))
    assert not set(ONE_DIGIT.tolist()) & weights
    assert all(len(set(some)) == 3 and 0 not in some for some in WEIGHTS.values())


@pytest.mark.parametrize("shape", [(2, 2), (3,), (3, 3), (4, 4), (5, 5), (3, 2), (2, 3, 3)])
def test_a_turned_kernel_looks_different(shape: tuple[int, ...]) -> None:
    for op in (Conv(shape[-2:]), ConvTranspose(shape[-2:], 2)):
        weights = kernel(op, shape, 1)
        assert (np.flip(weights) != weights).any()


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        *[("conv", {"x": f"{n}x{n}", "kernel": "2x2"}) for n in (4, 5, 7)],
        *[("conv", {"x": f"{n}x{n}", "kernel": "3x3", "padding": "1"}) for n in (4, 5, 7)],
        *[("transposed", {"x": f"{n}x{n}", "kernel": f"{k}", "stride": "2"}) for n in (2, 3, 4) for k in (2, 3, 4)],
        ("conv", {"x": "9", "kernel": "3"}),
        ("conv", {"x": "3x5x5", "kernel": "3x3", "padding": "1"}),
        ("conv", {"x": "8x5x5", "kernel": "3x3", "padding": "1", "out_channels": 8}),
        ("layer", {"x": "3x5x5", "notation": "torch.nn.Conv2d(3, 2, 3)"}),
        ("conv", {"x": "9x9", "kernel": "5x5"}),
    ],
)  # fmt: skip
def test_sums_have_at_most_two_digits(kind: str, typed: dict[str, Any]) -> None:
    trace = request(kind, **typed).trace()
    assert np.abs(trace.answer).max() < 100
    assert not set(np.unique(trace.x)) & set(np.unique(trace.weight))


def test_a_maximum_is_the_only_one_in_its_window() -> None:
    for n in range(3, 9):
        x = example((n, n), DISTINCT)
        for k in (2, 3):
            windows = np.lib.stride_tricks.sliding_window_view(x, (k, k)).reshape(-1, k * k)
            assert ((windows == windows.max(axis=1, keepdims=True)).sum(axis=1) == 1).all()


def test_an_example_may_be_chosen_and_numbers_that_are_given_stay() -> None:
    chosen, usual = (request("conv", x="4x4", kernel="3x3", **fill).given for fill in ({"fill": "example"}, {}))
    for one, other in zip(chosen[:2], usual[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    counted = request("conv", x="4x4", kernel="3x3", fill="range").given
    assert counted[0].ravel().tolist() == list(range(1, 17))
    given = request("conv", x="4x4", kernel="[[1, 2], [3, 4]]").given
    assert given[1].ravel().tolist() == [1, 2, 3, 4]


def test_no_two_amounts_of_the_first_picture_agree() -> None:
    """The zeros between cells, the ring, the stride, the kernel and the output of the README's first layer."""
    asked = request("transposed", x="2x2", kernel="4x4", stride="2")
    (axis, _) = asked.op.axes((2, 2))
    amounts = [axis.stride - 1, axis.before, axis.ring[0], axis.stride, axis.kernel, axis.output]
    assert len(set(amounts)) == len(amounts)


def test_the_readme_says_how_large_its_first_picture_is() -> None:
    root = Path(__file__).parent.parent
    said = re.search(r"(\d+) images in (\d+) KB", " ".join((root / "README.md").read_text(encoding="utf-8").split()))
    assert said
    with Image.open(root / "gallery/up.gif") as image:
        assert int(said[1]) == image.n_frames
    assert int(said[2]) == round((root / "gallery/up.gif").stat().st_size / 1000)

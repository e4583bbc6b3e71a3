"""The layer that equals an upsampling: the same numbers in every cell, or a true reason why there is none."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convanim.errors import ConvanimError
from convanim.explanation.equals import equal_layer, equal_trace
from convanim.layers import ConvTranspose, Upsample
from convanim.trace import UpsampleTrace
from convanim.trace.taps import Taps

SETTINGS = settings(max_examples=150)


@st.composite
def upsamplings(draw: st.DrawFn) -> tuple[Upsample, np.ndarray[Any, Any]]:
    """An upsampling of one or two axes, and an input for it."""
    rank = draw(st.sampled_from([1, 2]))
    mode = draw(st.sampled_from(["nearest", "bilinear", "nails"]))
    whole = st.integers(1, 5)
    options: dict[str, Any] = {"mode": mode, "convention": draw(st.sampled_from(["torch", "onnx", "jax"]))}
    if mode == "nails" or draw(st.booleans()):
        factors = whole if mode == "nails" else whole | st.sampled_from([0.5, 1.5, 2.5, 1.25])
        options["scale_factor"] = draw(factors | st.tuples(*[factors] * rank))
    else:
        options["size"] = draw(st.tuples(*[st.integers(1, 13)] * rank))
    places = [None, "half_pixel", "asymmetric", "align_corners"][: {"nails": 1, "nearest": 3, "bilinear": 4}[mode]]
    options["coordinates"] = draw(st.sampled_from(places))
    x = draw(arrays(np.int64, draw(st.tuples(*[st.integers(1, 5)] * rank)), elements=st.integers(-9, 9)))
    try:
        op = Upsample(**options)
        op.axes(x.shape)
    except ConvanimError:
        reject()
    return op, x


@SETTINGS
@given(upsamplings())
def test_the_equal_layer_gives_the_same_output(case: tuple[Upsample, Any]) -> None:
    op, x = case
    found = equal_layer(op, x.shape)
    traced: UpsampleTrace = op.trace(x)
    other = equal_trace(traced)
    assert (other is None) == (not found.exact)
    if found.layer is None or other is None:
        assert found.reason
        return
    assert other.answer.shape == traced.answer.shape
    other.verify()
    if op.mode == "bilinear":
        np.testing.assert_allclose(other.answer, traced.answer, rtol=0, atol=1e-12 * 9)
    else:
        assert other.answer.tolist() == traced.answer.tolist()
    assert found.layer.trace(x, found.kernel).answer.shape == traced.answer.shape
    assert other.output.shape == traced.output.shape


@SETTINGS
@given(
    arrays(np.int64, st.lists(st.integers(2, 5), min_size=1, max_size=2).map(tuple), elements=st.integers(-9, 9)),
    st.integers(2, 6),
    st.sampled_from(["half_pixel", "asymmetric"]),
)
def test_the_closest_layer_is_equal_inside_and_everywhere_once_the_input_is_extended(
    x: Any, s: int, place: str
) -> None:
    op = Upsample(scale_factor=s, mode="bilinear", coordinates=place)
    found = equal_layer(op, x.shape)
    assert found.layer is not None
    assert not found.exact
    traced = op.trace(x).output
    near = found.layer.trace(x, found.kernel).output
    assert near.shape == traced.shape
    first, last = (s // 2, s // 2) if place == "half_pixel" else (0, s - 1)
    inside = tuple(slice(first, n - last) for n in traced.shape)
    np.testing.assert_allclose(near[inside], traced[inside], rtol=0, atol=1e-11)
    # Repeat the outermost cells around the input, and crop their outputs.
    layer = ConvTranspose(found.layer.kernel_size, s, found.layer.padding, output_padding=found.layer.output_padding)
    wider = layer.trace(np.pad(x, 1, mode="edge"), found.kernel).output
    mended = wider[tuple(slice(s, s + n) for n in traced.shape)]
    np.testing.assert_allclose(mended, traced, rtol=0, atol=1e-11)


@given(st.integers(1, 9), st.integers(1, 9))
def test_nearest_by_a_whole_factor_is_the_same_from_centres_and_from_edges(n: int, s: int) -> None:
    ways = ("half_pixel", "up"), ("asymmetric", "floor")
    one, two = (Taps.resampled(n, n * s, "nearest", place, (s, 1), rounding) for place, rounding in ways)
    assert one.source.tolist() == two.source.tolist() == [t // s for t in range(n * s)]


@given(st.integers(2, 6), st.integers(2, 14), st.sampled_from(["nearest", "half_pixel", "asymmetric", "align_corners"]))
def test_where_none_is_told_no_kernel_with_that_stride_would_do(n: int, size: int, how: str) -> None:
    """A column of an upsampling's matrix is the kernel shifted by the stride: here no shift maps one to the next."""
    options: dict[str, Any] = {"mode": "nearest"} if how == "nearest" else {"mode": "bilinear", "coordinates": how}
    op = Upsample(size=size, **options)
    found = equal_layer(op, (n,))
    axis = op.axes((n,))[0]
    matrix = Taps.resampled(axis.input, axis.output, axis.way, axis.place, axis.ratio).matrix()  # type: ignore[attr-defined]
    # With strides of a full size or more, no two stamps meet in an output cell, so that any matrix would do.
    does = [s for s in range(1, size) if _moved(matrix, s)]
    if found.exact:
        stride = found.layer.stride if found.layer else 0
        assert stride in does or stride == size
    elif found.layer is not None:
        assert found.layer.stride not in does


def _moved(matrix: Any, stride: int) -> bool:
    """Whether each column is the previous one shifted down by the stride, as far as both are visible."""
    return all(np.allclose(a[:-stride], b[stride:]) for a, b in zip(matrix.T, matrix.T[1:], strict=False))


@pytest.mark.parametrize(
    ("op", "sizes", "layer", "weights", "reason"),
    [
        (Upsample(scale_factor=2), (3, 3), ConvTranspose(2, 2), [1, 1], ""),
        (Upsample(scale_factor=3, mode="nails"), (3,), ConvTranspose(1, 3, output_padding=2), [1], ""),
        (
            Upsample(size=(5, 9), mode="bilinear", align_corners=True),
            (3, 3),
            ConvTranspose((3, 7), (2, 4), (1, 3)),
            [0.5, 1, 0.5],
            "",
        ),
        (
            Upsample(scale_factor=2, mode="bilinear"),
            (3,),
            ConvTranspose(4, 2, 1),
            [0.25, 0.75, 0.75, 0.25],
            "at the border the outermost cell is repeated; "
            "inside it is ConvTranspose(kernel_size=4, stride=2, padding=1)",
        ),
        (
            Upsample(scale_factor=3, mode="bilinear"),
            (3,),
            ConvTranspose(5, 3, 1),
            [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3],
            "at the border the outermost cell is repeated; "
            "inside it is ConvTranspose(kernel_size=5, stride=3, padding=1)",
        ),
        (
            Upsample(scale_factor=2, mode="bilinear", coordinates="asymmetric"),
            (3,),
            ConvTranspose(3, 2, 1, output_padding=1),
            [0.5, 1, 0.5],
            "at the end the outermost cell is repeated; "
            "inside it is ConvTranspose(kernel_size=3, stride=2, padding=1, output_padding=1)",
        ),
        (Upsample(scale_factor=1.5), (4,), None, None, "the factor 3/2 is no whole number, and a stride is"),
        (
            Upsample(size=8, mode="bilinear", align_corners=True),
            (4,),
            None,
            None,
            "(o − 1) / (i − 1) = 7/3 is no whole number, and a stride is",
        ),
        (Upsample(size=1, mode="bilinear", align_corners=True), (4,), None, None, "the output is a single cell"),
        (Upsample(scale_factor=2, mode="bilinear"), (1,), ConvTranspose(2, 2), [1, 1], ""),
        (Upsample(scale_factor=1, mode="bilinear"), (4,), ConvTranspose(1), [1], ""),
    ],
)
def test_layers(op: Upsample, sizes: tuple[int, ...], layer: Any, weights: Any, reason: str) -> None:
    found = equal_layer(op, sizes)
    assert found.layer == layer
    assert found.reason == reason
    if weights is not None:
        np.testing.assert_allclose(found.weights[0], weights, rtol=0, atol=1e-15)

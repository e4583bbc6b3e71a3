"""Convolutions of signal processing, compared with NumPy, SciPy and, where it is installed, OpenCV.

SciPy is there in CI. A line is read and traced with an input and a kernel, the same line is evaluated with the
same arrays, and both results must agree in every cell; so must the line that is written for the layer.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from convanim import Conv, MaxPool, parse
from convanim.errors import ConvanimError
from convanim.explanation import explain
from convanim.explanation.compare import report
from convanim.layers.convolutions import ConvTranspose
from convanim.layers.notation import read
from convanim.layers.writing import lines
from convanim.scene.frame import Emphasis, Turn
from convanim.scene.views import Shown, scene
from convanim.scene.whole.letters import Letters
from convanim.scene.whole.matrix import MatrixScene
from support.commands import run
from support.needs import need_module
from support.refusals import refused

scipy = need_module("scipy", promised=True)
need_module("scipy.ndimage", promised=True)
need_module("scipy.signal", promised=True)

Array = NDArray[Any]
many = settings(max_examples=max(300, settings.default.max_examples))

MODES = ("full", "same", "valid")
BORDERS = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant")
#: Each function as a line, with its numbers of axes.
LINES = [
    *((f"np.{name}(x, k, mode={mode!r})", (1,)) for name in ("convolve", "correlate") for mode in MODES),
    ("np.convolve(x, k)", (1,)),
    ("np.correlate(x, k)", (1,)),
    *(
        (f"scipy.signal.{name}(x, k, mode={mode!r}, method='direct')", (1, 2, 3))
        for name in ("convolve", "correlate")
        for mode in MODES
    ),
    ("scipy.signal.convolve(x, k)", (1, 2)),
    ("scipy.signal.fftconvolve(x, k, 'same')", (1, 2)),
    ("scipy.signal.oaconvolve(x, k, mode='same')", (1, 2)),
    *(
        (f"scipy.signal.{name}2d(x, k, {mode!r}, boundary={boundary!r})", (2,))
        for name in ("convolve", "correlate")
        for mode in MODES
        for boundary in ("fill", "wrap", "symm")
    ),
    ("scipy.signal.convolve2d(x, k)", (2,)),
    *(
        (f"scipy.ndimage.{name}(x, k, mode={mode!r})", (1, 2, 3))
        for name in ("convolve", "correlate")
        for mode in BORDERS
    ),
    *((f"scipy.ndimage.{name}1d(x, k, mode={mode!r})", (1,)) for name in ("convolve", "correlate") for mode in BORDERS),
    ("scipy.ndimage.convolve(x, k)", (1, 2)),
]


@st.composite
def arrays(draw: st.DrawFn, rank: int) -> tuple[Array, Array]:
    """An input and a kernel, which may have more cells than the input along an axis."""
    most = (6, 5) if rank < 3 else (3, 3)
    sizes, window = (draw(st.tuples(*[st.integers(1, n)] * rank)) for n in most)
    number = st.integers(-9, 9)
    x, k = (np.array(draw(st.lists(number, min_size=n, max_size=n)), float) for n in map(prod, (sizes, window)))
    return x.reshape(sizes), k.reshape(window)


def evaluated(code: str, x: Array, k: Array) -> Array:
    names = {"np": np, "numpy": np, "scipy": scipy, "x": x, "k": k, "w": k}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes that no frequency suits
        return np.asarray(eval(code, names))  # noqa: S307 - one of the lines above, or convanim's own


def traced(op: Any, x: Array, k: Array) -> Array:
    done = op.trace(x, k)
    done.verify()
    assert np.array_equal(done.kernel[0, 0], k)
    return np.asarray(done.output)


def equal(one: Array, two: Array) -> bool:
    return one.shape == two.shape and bool(np.allclose(one, two, rtol=0, atol=1e-9))


@pytest.mark.parametrize(("line", "ranks"), LINES, ids=[line for line, _ in LINES])
@settings(max_examples=max(30, settings.default.max_examples // 4))
@given(data=st.data())
def test_a_line_is_what_the_function_computes(line: str, ranks: tuple[int, ...], data: st.DataObject) -> None:
    x, k = data.draw(arrays(data.draw(st.sampled_from(ranks))))
    op = read(line, {"k": k.shape}).op
    longer = any(n < m for n, m in zip(x.shape, k.shape, strict=True))
    if longer and (op.padding == 0 or (op.padding == "same" and x.ndim == 1)):  # SciPy or NumPy swaps the two
        refused(lambda: op.trace(x, k), "is larger than the input")
    else:
        assert equal(traced(op, x, k), evaluated(line, x, k)), (op, x, k)


@many
@given(st.data())
def test_what_is_written_for_scipy_computes_the_layer(data: st.DataObject) -> None:
    rank = data.draw(st.sampled_from([1, 2, 2, 3]))
    x, k = data.draw(arrays(rank))
    side = st.integers(0, 3)
    padding = data.draw(st.sampled_from(["valid", "same", "full"]) | side | st.tuples(*[st.tuples(side, side)] * rank))
    mode = data.draw(st.sampled_from(["zeros", "reflect", "symmetric", "replicate", "circular"]))
    strides = data.draw(st.just(1) | st.tuples(*[st.integers(1, 3)] * rank))
    convention = "scipy" if np.max(strides) == 1 and data.draw(st.booleans()) else "torch"
    try:
        op: Any = Conv(
            k.shape, strides, padding, padding_mode=mode, flip=data.draw(st.booleans()), convention=convention
        )
        ours = traced(op, x, k)
    except ConvanimError:
        assume(False)
    line = lines(op, x.shape)[-1]
    assert line.framework == "SciPy"
    assert equal(ours, evaluated(line.code, x, k)), (op, line.code)
    if np.max(strides) == 1:
        again = read(line.code.replace("w", "k") if " w" not in line.code else line.code, {"w": k.shape}).op
        assert equal(ours, traced(again, x, k)), (op, line.code, again)


@many
@given(st.data())
def test_a_flip_is_the_rotated_kernel_in_any_convention(data: st.DataObject) -> None:
    x, k = data.draw(arrays(2))
    padding = data.draw(st.integers(0, 2))
    try:
        flipped, rotated = (
            Conv(k.shape, 1, padding, flip=True).trace(x, k),
            Conv(k.shape, 1, padding).trace(x, np.flip(k)),
        )
    except ConvanimError:
        assume(False)
    assert np.array_equal(flipped.output, rotated.output)
    flipped.verify()
    assert np.array_equal(flipped.backward().output, rotated.backward().output)


# OpenCV.


@pytest.mark.parametrize("border", ["CONSTANT", "REPLICATE", "REFLECT", "REFLECT_101", "DEFAULT"])
@settings(max_examples=max(50, settings.default.max_examples // 2))
@given(data=st.data())
def test_opencv_filters_as_its_line_says(border: str, data: st.DataObject) -> None:
    cv2 = pytest.importorskip("cv2", reason="compares with OpenCV, which is not installed")
    x, k = data.draw(arrays(2))
    line = f"cv2.filter2D(x, -1, k, borderType=cv2.BORDER_{border})"
    op = read(line, {"k": k.shape}).op
    assert equal(traced(op, x, k), eval(line, {"cv2": cv2, "x": x, "k": k}))  # noqa: S307


# What is shown and said.


def turns(op: Any, x: Any, w: Any) -> list[Turn]:
    made = scene(op.trace(x, w))
    grids = [made.frame(i).grids for i in range(made.beats.total)]
    return [max(grid.turn for name, grid in each.items() if name.startswith("kernel")) for each in grids]


@pytest.mark.parametrize("x", [np.arange(16).reshape(4, 4), np.arange(48).reshape(3, 4, 4)])
def test_the_page_shows_the_flip(x: Array) -> None:
    groups = 3 if x.ndim == 3 else 1
    w = np.arange(4).reshape(2, 2) if groups == 1 else np.arange(12).reshape(3, 1, 2, 2)
    shown = turns(Conv(2, padding="same", convention="scipy", groups=groups), x, w)
    assert shown[0] == Turn.GIVEN
    assert shown[-1] == Turn.ROTATED
    assert set(turns(Conv(2, padding="same", convention="scipy", flip=False, groups=groups), x, w)) == {Turn.GIVEN}
    if groups == 3:  # in the colours of a picture, too
        picture = scene(Conv(2, convention="scipy", groups=groups).trace(x, w), shown=Shown(colours=True))
        frames = [picture.frame(i) for i in range(picture.beats.total)]
        assert [frame.grids["red kernel"].turn for frame in frames[:2]] == [Turn.GIVEN, Turn.ROTATED]
        assert frames[-1].grids["red kernel"].values.tolist() == [[3, 2], [1, 0]]
    made = scene(Conv(2, convention="scipy", groups=groups).trace(x, w))
    assert [phase.key for phase in made.phases] == ["rotate", "slide"]


def test_letters_and_the_matrix_know_the_given_kernel() -> None:
    done = Conv(2, flip=True).trace([1, 2, 3], [4, 5])
    assert Letters(done).sum(done[1]).text() == "c₁ = b₁·w₁ + b₂·w₀"
    for options in ({"view": "matrix"}, {"symbols": True}, {"view": "matrix", "symbols": True}):
        assert len(done.animate(**options)) > 2
    used = MatrixScene(Conv(2, 1, ((1, 0),), flip=True).trace([1, 2, 3], [4, 5])).frame(2).grids["kernel"]
    assert used.emphasis.ravel().tolist() == [Emphasis.WRITTEN, 0]  # the padding meets the last of the given weights


def test_compare_shows_convolution_beside_cross_correlation() -> None:
    told = run("compare", "np.convolve(x, [1, 0, -1], 'same')", "np.correlate(x, [1, 0, -1], 'same')", "--input", "5")
    assert "the second does not rotate the kernel, the first does" in told.out
    told = run("compare", "signal.convolve(x, k)", "nn.Conv1d(1, 1, 3, padding=2)", "--set", "k=3", "--input", "5")
    assert "PyTorch does not rotate the kernel, SciPy does" in told.out
    even = run("compare", "signal.correlate(x, k, 'same')", "signal.correlate2d(x, k, 'same')", "--set", "k=2x2",
               "--input", "3x3")  # fmt: skip
    assert "padding is 1:0 ('same') in the first and 0:1 in the second" in even.out
    one, two = (Conv(2, flip=flip).trace([1, 2, 3], [1, 1]) for flip in (False, True))
    assert "they are the same layer" in report(one, two)  # a symmetric kernel


def test_the_kernel_of_a_line_is_the_kernel_that_slides(tmp_path: Any) -> None:
    done = run(
        "layer", "np.convolve([1, 2, 3, 4], [1, 0, -1], 'valid')", "--input", "[1,2,3,4]", "-o", tmp_path / "a.json"
    )
    assert done.code == 0
    assert '"output": [[2, 2]]' in (tmp_path / "a.json").read_text()
    assert read("np.convolve(x, np.array([0.25, 0.5, 0.25]))").kernel == [0.25, 0.5, 0.25]
    assert read("np.convolve(x, np.array([1, 2, 1]) / 4)").kernel is None  # another kernel than the list


def test_a_slice_of_the_output_is_not_drawn_and_said() -> None:
    assert read("np.convolve(x, [1, 1], 'same')[::2]").notes == ("[::2] after the call is not drawn",)


def test_every_line_is_said_beside_those_of_the_frameworks() -> None:
    assert 'numpy.convolve(x, w, "same")' in explain(parse("np.convolve(x, [1, 2, 1], 'same')"), (6,))
    assert 'numpy.correlate(x, w, "valid")' in explain(Conv(3), (6,))
    for op, says in [
        (Conv(3, in_channels=3, out_channels=8), "SciPy's functions have no channels"),
        (Conv(3, dilation=2), "SciPy has no dilation"),
        (Conv(3, 2), "SciPy has no stride: this keeps some of all cells"),
        (Conv(3, padding=1, padding_mode="symmetric"), "PyTorch has no symmetric padding"),
        (Conv(3, flip=True), "the weight is the kernel, rotated by 180°"),
    ]:
        assert says in explain(op, (6, 6))
    assert "SciPy" not in explain(MaxPool(2), (6, 6))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv(3, 2, convention="scipy"), "SciPy has no stride, but 2 was given"),
        (lambda: Conv(3, dilation=2, convention="scipy"), "SciPy has no dilation"),
        (lambda: ConvTranspose(3, convention="scipy"), "SciPy has no transposed convolution"),
        (lambda: MaxPool(2, convention="scipy"), "SciPy has no max pooling"),
        (lambda: Conv(3, padding="causal", convention="scipy"), "SciPy has no padding 'causal'"),
        (lambda: Conv(3, flip="yes"), "flip 'yes' is not a bool"),
        (lambda: Conv(3, convention="scipy").axes((2, 2)), "and SciPy would swap the two"),
        (lambda: Conv((5,), padding="same", convention="scipy").axes((3,)), "NumPy would swap the two for 5 cells"),
        (lambda: Conv(2, convention="scipy").trace(np.ones((3, 4, 4)), np.ones((1, 3, 2, 2))), "have no channels"),
        (lambda: parse("convolve(x, k)"), "may be NumPy's, scipy.signal's or scipy.ndimage's"),
        (lambda: parse("np.convolve(x)"), "np.convolve has no v"),
        (lambda: parse("np.convolve(x, [1, [2]])"), "rows of different lengths"),
        (lambda: parse("np.convolve(x, [1], ['same'])"), "mode=('same',) of np.convolve is not known"),
        (lambda: parse("signal.convolve2d(x, [1, 2])"), "has one axis"),
        (lambda: parse("signal.convolve2d(x, [[1]], boundary=['fill'])"), "boundary=('fill',)"),
        (lambda: parse("signal.convolve2d(x, [[1]], fillvalue=1)"), "fillvalue=1"),
        (lambda: parse("ndimage.convolve(x, [[1]], mode=['wrap'])"), "mode=('wrap',)"),
        (lambda: parse("ndimage.convolve1d(x, [1, 1], axis=2)"), "axis=2"),
        (lambda: parse("cv2.filter2D(x, -1, [[1]], borderType=cv2.BORDER_WRAP)"), "cv2.BORDER_WRAP"),
        (lambda: parse("cv2.filter2D(x, -1, [[1]], anchor=(0, 0))"), "anchor=(0, 0)"),
        (lambda: parse("np.convolve(np.pad(x, 1), [1, 1], 'valid')"), "two numbers for each axis"),
        (lambda: parse("np.convolve(np.pad(x, 'a'), [1, 1], 'valid')"), "two numbers for each axis"),
        (lambda: parse("np.convolve(np.pad(x, ((1, 1),), mode='mean'), [1, 1], 'valid')"), "mode='mean'"),
    ],
)
def test_bad_requests_say_what_to_change(make: Any, says: str) -> None:
    refused(make, says)

"""Values and sizes against JAX and Flax, if they are installed.

Every new shape is compiled, so there are fewer layers than elsewhere.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.decoders import close
from support.fixed import along, pools, upsamples
from support.needs import need_module
from support.weighted import layers

jax = need_module("jax")
linen = need_module("flax.linen")
jax.config.update("jax_enable_x64", True)
JAX = ("jax",)
fewer = settings(max_examples=max(100, settings.default.max_examples // 20))


@pytest.fixture(autouse=True)
def forget_what_was_compiled():
    yield
    jax.clear_caches()


def batch(array):
    """(C, *n) as a batch of one with its channels last."""
    return np.moveaxis(np.asarray(array, np.float64), 0, -1)[None]


def back(answer):
    """A batch of one with its channels last as (C, *n)."""
    return np.moveaxis(np.asarray(answer)[0], -1, 0)


def spoken(padding, rank):
    """Padding in Flax's form: a word in capitals, or one pair per axis."""
    if isinstance(padding, str):
        return padding.upper()
    return [(p, p) if isinstance(p, int) else p for p in (along(padding, i) for i in range(rank))]


def every(value, rank):
    """One number per axis."""
    return tuple(along(value, i) for i in range(rank))


@fewer
@given(layers(transposed=False, conventions=JAX, modes=("zeros",)))
def test_convolutions(case):
    rank, asked = len(case.lines), case.arguments
    around = asked["padding"] if asked["padding"] != "full" else tuple((a.before, a.after) for a in case.lines)
    weight = np.moveaxis(case.arrays[1].astype(float), (0, 1), (-1, -2))
    kernel, stride, dilation = (every(asked[name], rank) for name in ("kernel_size", "stride", "dilation"))
    layer = linen.Conv(
        case.outputs, kernel, stride, spoken(around, rank), kernel_dilation=dilation,
        feature_group_count=case.groups, use_bias=False, param_dtype=np.float64,
    )  # fmt: skip
    theirs = back(layer.apply({"params": {"kernel": weight}}, batch(case.arrays[0])))
    assert close(unbiased(case), theirs)


@fewer
@given(layers(transposed=True, conventions=JAX))
def test_transposed_convolutions(case):
    rank, asked = len(case.lines), case.arguments
    if case.groups > 1:  # it has none
        return
    weight = np.moveaxis(case.arrays[1].astype(float), (0, 1), (-2, -1))
    kernel, stride, dilation = (every(asked[name], rank) for name in ("kernel_size", "stride", "dilation"))
    layer = linen.ConvTranspose(
        case.outputs, kernel, stride, spoken(asked["padding"], rank), kernel_dilation=dilation, use_bias=False,
        param_dtype=np.float64,
    )  # fmt: skip
    theirs = back(layer.apply({"params": {"kernel": weight}}, batch(case.arrays[0])))
    assert close(unbiased(case), theirs)


def unbiased(case):
    """The output without the bias, which is not compared here."""
    return case.op.trace(case.x, case.weight).answer


@pytest.mark.parametrize("combine", ["max", "mean"])
@fewer
@given(st.data())
def test_pooling(combine, data):
    case = data.draw(pools(combine, JAX))
    rank, asked = case.array.ndim - 1, case.arguments
    if np.max(asked["dilation"]) > 1 or asked.get("count_include_pad") is False:  # it has none; a mean of nothing
        return
    stride = every(asked.get("stride", 1), rank)
    pool = {"max": linen.max_pool, "mean": linen.avg_pool}[combine]
    theirs = back(pool(batch(case.array), every(asked["kernel"], rank), stride, spoken(asked.get("padding", 0), rank)))
    assert close(case.trace().answer, theirs)


@fewer
@given(upsamples(JAX))
def test_resizing(case):
    asked = case.arguments
    done = case.trace()
    usual = asked.get("coordinates") is None and not asked.get("align_corners")
    if asked["mode"] == "nails" or not usual:  # it has one kind of coordinates
        return
    shape = (len(case.array), *(a.output for a in done.axes))
    how = {"nearest": "nearest", "bilinear": "linear"}[asked["mode"]]
    theirs = np.asarray(jax.image.resize(np.asarray(case.array, np.float64), shape, how))
    if how == "linear":
        assert close(done.answer, theirs)
        return
    # In 32-bit floats, a position between two cells may be rounded to either of them if o is not a power of two.
    sure = np.ix_(range(len(case.array)), *(np.flatnonzero(~doubtful(a)) for a in done.axes))
    assert np.array_equal(done.answer[sure], theirs[sure])


def doubtful(axis):
    """Cells whose positions are between two input cells."""
    t = np.arange(axis.output)
    return (2 * t + 1) * axis.input % (2 * axis.output) == 0


def test_its_shuffle_is_flax_s_reshape():
    """Flax has no layer for it; this is the usual code."""
    from convanim.layers import PixelShuffle

    x = np.arange(2 * 3 * 8).reshape(2, 3, 8)
    cells = x.reshape(2, 3, 2, 2, 2).transpose(0, 2, 1, 3, 4).reshape(4, 6, 2)
    assert np.array_equal(PixelShuffle(2, convention="jax").trace(x).output, cells)

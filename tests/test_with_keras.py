"""Values and sizes against Keras, if it and one of its backends are installed: TensorFlow, JAX or PyTorch."""

import importlib.util
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from support.fixed import adaptive_pools, along, pools, shuffles, upsamples
from support.needs import need_module
from support.weighted import layers

BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
installed = [name for name, module in BACKENDS.items() if importlib.util.find_spec(module)]
if not installed:
    pytest.skip("Keras has no backend here: pip install '.[keras]'", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", installed[0])
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = need_module("keras")
KERAS = ("keras",)
fewer = settings(max_examples=max(100, settings.default.max_examples // 20))
pytestmark = pytest.mark.filterwarnings("ignore")  # what its backends say of each other


def batch(array):
    """(C, *n) as a batch of one with its channels last."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(array, np.float32), 0, -1)[None])


def back(answer):
    """A batch of one with its channels last as (C, *n)."""
    return np.moveaxis(np.asarray(keras.ops.convert_to_numpy(answer))[0], -1, 0)


def near(got, wanted):
    """Equality up to the rounding of 32-bit floats, since TensorFlow does not support all layers in 64 bits."""
    scale = max(1.0, float(np.abs(wanted).max()))
    return got.shape == wanted.shape and np.allclose(got, wanted, rtol=0, atol=1e-5 * scale)


def every(value, rank):
    """One number per axis."""
    return tuple(along(value, i) for i in range(rank))


@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@fewer
@given(st.data())
def test_convolutions(transposed, data):
    case = data.draw(layers(transposed, conventions=KERAS, modes=("zeros",)))
    rank, asked = len(case.lines), case.arguments
    if transposed and case.groups > 1:  # it has none
        return
    kernel, stride, dilation = (every(asked[name], rank) for name in ("kernel_size", "stride", "dilation"))
    if rank == 3 and max(stride) > 1 and keras.backend.backend() == "tensorflow":
        return  # its Conv3D of strides gives, for some kernels, memory that was never written
    how = {"padding": asked["padding"] or "valid", "dilation_rate": dilation, "use_bias": False}
    if transposed:
        extra = asked["output_padding"]
        # An even kernel with output padding 0 is refused by TensorFlow's 'same', which would be less than i * s long.
        if extra is not None and asked["padding"] == "same":
            spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
            if any(span % 2 + along(extra, i) == 0 for i, span in enumerate(spans)):
                return
        how["output_padding"] = None if extra is None else every(extra, rank)
    else:
        how["groups"] = case.groups
    make = getattr(keras.layers, f"Conv{rank}DTranspose" if transposed else f"Conv{rank}D")
    layer = make(case.outputs, kernel, stride, **how)
    x = batch(case.arrays[0])
    layer.build(x.shape)
    layer.set_weights([np.ascontiguousarray(np.moveaxis(case.arrays[1].astype(np.float32), (0, 1), (-1, -2)))])
    assert near(case.op.trace(case.x, case.weight).answer, back(layer(x)))


@pytest.mark.parametrize("combine", ["max", "mean"])
@fewer
@given(st.data())
def test_pooling(combine, data):
    case = data.draw(pools(combine, KERAS))
    rank, asked = case.array.ndim - 1, case.arguments
    if np.max(asked["dilation"]) > 1:  # it has none
        return
    if combine == "mean" and asked["padding"] == "same" and keras.backend.backend() == "torch":
        return  # that backend counts wrongly
    stride = None if asked.get("stride") is None else every(asked["stride"], rank)
    kind = {"max": "MaxPooling", "mean": "AveragePooling"}[combine]
    layer = getattr(keras.layers, f"{kind}{rank}D")(every(asked["kernel"], rank), stride, padding=asked["padding"])
    try:
        done = case.trace()
    except ConvanimError:  # windows over nothing but padding
        return
    assert near(done.answer, back(layer(batch(case.array))))


@fewer
@given(adaptive_pools(KERAS))
def test_adaptive_pooling(case):
    rank, size = case.array.ndim - 1, every(case.arguments["output_size"], case.array.ndim - 1)
    kind = "MaxPooling" if case.op.combine == "max" else "AveragePooling"
    done = case.trace()
    if all(a.output <= a.input for a in done.axes):  # some backends give nan for larger outputs
        assert near(done.answer, back(getattr(keras.layers, f"Adaptive{kind}{rank}D")(size)(batch(case.array))))
    if set(size) == {1}:
        layer = getattr(keras.layers, f"Global{kind}{rank}D")(keepdims=True)
        assert near(done.answer, back(layer(batch(case.array))))


@fewer
@given(upsamples(KERAS))
def test_upsampling(case):
    asked, rank = case.arguments, case.array.ndim - 1
    usual = asked.get("coordinates") is None and not asked.get("align_corners")
    if asked["mode"] == "nails" or not usual or (asked["mode"] == "bilinear" and rank != 2):  # it has none
        return
    factor = every(asked["scale_factor"], rank)
    if rank == 2:
        layer = keras.layers.UpSampling2D(factor, interpolation=asked["mode"])
    else:
        layer = getattr(keras.layers, f"UpSampling{rank}D")(factor if rank > 1 else factor[0])
    assert near(case.trace().answer, back(layer(batch(case.array))))


@pytest.mark.parametrize("up", [True, False], ids=["shuffle", "unshuffle"])
@fewer
@given(st.data())
def test_pixel_shuffle(up, data):
    case = data.draw(shuffles(up))
    r = case.arguments["r"]
    if case.arguments["order"] != "DCR" or r == 1:  # which it refuses
        return
    move = keras.ops.nn.depth_to_space if up else keras.ops.nn.space_to_depth
    assert near(case.trace().answer, back(move(batch(case.array), r)))

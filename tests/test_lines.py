"""Every line of code for a framework is run in it, and read back.

A framework that is not installed is skipped. Keras runs on TensorFlow if that is installed, otherwise on JAX.
"""

import importlib.util
import os
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import (
    KINDS,
    AdaptivePool,
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxUnpool,
    Shuffle,
    Upsample,
    parse,
)
from convanim.layers.columns import Columns
from convanim.layers.writing import lines
from convanim.trace.engine import taps_of, under
from support.operations import cases, operations

pytestmark = pytest.mark.filterwarnings("ignore")  # the frameworks' own
os.environ.setdefault("KERAS_BACKEND", "tensorflow" if importlib.util.find_spec("tensorflow") else "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FRAMEWORKS = ["PyTorch", "Keras", "JAX", "ONNX"]
#: Columns have a shape of their own, and tests in test_columns.py.
DRAWN = [kind for kind in KINDS.values() if not issubclass(kind, Columns)]
#: Layers that a framework does not have.
NEVER = [("Keras", LpPool), ("Keras", MaxUnpool), ("JAX", MaxUnpool)]
many = settings(
    max_examples=max(50, settings.default.max_examples),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def library(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def of_torch(code, case):
    torch = library("torch")
    x = torch.tensor(case.x[None])
    indices = None if case.indices is None else torch.tensor(case.indices[None])
    made = eval(code, {"torch": torch, "x": x, "indices": indices})  # noqa: S307 - convanim's own line
    if isinstance(made, torch.nn.Module):
        made = made.double()
        for layer in made.modules():
            if getattr(layer, "weight", None) is not None:
                assert (layer.in_channels, layer.out_channels) == case.channels
                layer.weight.data = torch.tensor(case.trace.weight.astype(float))
                layer.bias.data[:] = 0
        made = made(x) if indices is None else made(x, indices)
    return made.detach().numpy()[0]


def last(array):
    """(C, *n) as a batch with channels last, or weights (A, B, *k) as (*k, B, A)."""
    return np.moveaxis(array, 0, -1)[None]


def of_keras(code, case):
    keras = library("keras")
    if keras.backend.backend() == "jax":
        library("jax").config.update("jax_enable_x64", True)
    kind = "float32" if keras.backend.backend() == "tensorflow" else "float64"  # TensorFlow pools no doubles in 3-D
    keras.config.set_floatx(kind)
    x = keras.ops.convert_to_tensor(last(case.x).astype(kind))
    made = eval(code, {"keras": keras, "x": x})  # noqa: S307
    if isinstance(made, keras.layers.Layer):
        made.build(x.shape) if isinstance(made, keras.Sequential) else made(x)
        for layer in made.layers if isinstance(made, keras.Sequential) else [made]:
            if layer.weights:
                weight = np.moveaxis(case.trace.weight.astype(float), (0, 1), (-1, -2))
                layer.set_weights([weight, np.zeros(case.channels[1])])
        made = made(x)
    return infinite(np.moveaxis(keras.ops.convert_to_numpy(made)[0], -1, 0).astype(float))


def of_jax(code, case):
    jax = library("jax")
    flax = library("flax")
    jax.config.update("jax_enable_x64", True)
    w = None
    if case.trace.weight is not None:
        kernel, groups = case.trace.kernel.astype(float), case.op.groups
        if case.op.transposed and groups > 1:  # (g, C_in / g, C_out / g, *k) to (*k, C_in / g, g, C_out / g)
            parts = np.moveaxis(kernel.reshape(groups, -1, *kernel.shape[1:]), (1, 0, 2), (-3, -2, -1))
            w = parts.reshape(*parts.shape[:-2], -1)
        else:
            w = np.moveaxis(kernel, (0, 1), (-2, -1) if case.op.transposed else (-1, -2))
    names = {"jax": jax, "flax": flax, "x": jax.numpy.asarray(last(case.x)), "w": w}
    return np.moveaxis(np.asarray(eval(code, names))[0], -1, 0)  # noqa: S307


def of_onnx(code, case, kind=float):
    onnx = library("onnx")
    made = eval(code, {"onnx": onnx})  # noqa: S307
    nodes = made if isinstance(made, list) else [made]
    feeds = {"x": case.x[None].astype(kind)}
    if case.trace.weight is not None:
        feeds["w"] = case.trace.weight.astype(kind)
    if case.indices is not None:
        planes = np.arange(len(case.indices)).reshape(-1, *(1,) * len(case.sizes))
        feeds["indices"] = (case.indices + planes * int(np.prod(case.trace.answer.shape[1:])))[None]
    floats = onnx.TensorProto.DOUBLE if kind is float else onnx.TensorProto.FLOAT
    kinds = {name: onnx.TensorProto.INT64 if name == "indices" else floats for name in feeds}
    ins = [onnx.helper.make_tensor_value_info(n, kinds[n], a.shape) for n, a in feeds.items()]
    out = onnx.helper.make_tensor_value_info("y", floats, None)
    graph = onnx.helper.make_graph(nodes, "layer", ins, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    return model, feeds


def of_evaluator(code, case):
    """The result of the reference evaluator for some nodes; where it is wrong, that of ONNX Runtime.

    In onnx 1.23 it is wrong for groups of transposed layers, crops by Pad, windows of nothing but padding, and Lp
    windows beyond the input.
    """
    model, feeds = of_onnx(code, case)
    evaluator = library("onnx.reference").ReferenceEvaluator
    try:
        theirs = evaluator(model).run(None, feeds)[0][0]
        if same(theirs, case.trace.answer):
            return theirs
    except (ValueError, RuntimeError, IndexError) as error:
        theirs = error
    try:
        import onnxruntime
    except ImportError:
        reject()
    model, feeds = of_onnx(code, case, np.float32)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), quiet, providers=["CPUExecutionProvider"])
    told = session.run(None, feeds)[0][0].astype(float)
    return infinite(told)


def infinite(values):
    """Windows of nothing but padding: some frameworks return the lowest float instead of minus infinity."""
    return np.where(values < -3e38, -np.inf, values)


def same(theirs, ours):
    return theirs.shape == ours.shape and np.allclose(theirs, ours, rtol=1e-5, atol=1e-5)


RUN = {"PyTorch": of_torch, "Keras": of_keras, "JAX": of_jax, "ONNX": of_evaluator}


def line_of(case, framework):
    return next(line for line in lines(case.op, case.sizes, case.channels) if line.framework == framework)


@pytest.mark.parametrize(
    ("framework", "kind"),
    [pytest.param(f, k, id=f"{f}-{k.__name__}") for f in FRAMEWORKS for k in DRAWN if (f, k) not in NEVER],
)
@many
@given(data=st.data())
def test_a_line_does_what_the_layer_does(framework, kind, data):
    case = data.draw(cases(kind))
    line = line_of(case, framework)
    assert line.code or line.note
    assume(line.code)
    if "TensorFlow refuses" in line.note and os.environ["KERAS_BACKEND"] == "tensorflow":
        reject()
    theirs = RUN[framework](line.code, case)
    ours = case.trace.answer
    assert same(theirs, ours), (line.code, theirs, ours)


def meant(op, sizes):
    """The effect of an operation on an input of these sizes, whatever its notation."""
    axes = [(a.input, a.output, a.kernel, a.stride, a.dilation, a.before, a.mode) for a in op.axes(sizes)]
    extras = {name: getattr(op, name) for name in ("groups", "norm_type", "mode", "depth_first") if hasattr(op, name)}
    if isinstance(op, Conv | ConvTranspose):
        extras["rotates"] = op.rules.rotates or not op.transposed
    return type(op), axes, extras


@pytest.mark.parametrize("framework", ["PyTorch", "Keras", "ONNX"])
@pytest.mark.parametrize("kind", DRAWN)
@many
@given(data=st.data())
def test_a_line_is_read_back(framework, kind, data):
    if (framework, kind) in NEVER or (framework == "Keras" and issubclass(kind, Shuffle)):
        return
    op, sizes = data.draw(operations(kind))
    line = next(line for line in lines(op, sizes) if line.framework == framework)
    assume(line.code and ".functional." not in line.code and not line.code.startswith("keras.ops"))
    if isinstance(op, Conv | ConvTranspose) and op.held_rotated:
        reject()  # the line cannot express a rotated kernel
    try:
        again = parse(line.code)
    except ConvanimError as error:
        # Padding before a pooling that rounds up, and zeros before a transposed layer's output, are not a single layer.
        if not re.search("cannot be combined with the|is not a single layer", str(error)):
            raise
        return
    ours, theirs = meant(op, sizes), meant(again, sizes)
    if isinstance(op, MaxUnpool):
        ours, theirs = ((o[0], [a[:4] for a in o[1]]) for o in (ours, theirs))
    if isinstance(op, AdaptivePool):  # or the pooling with the same windows
        ours, theirs = ([taps_of(a).matrix().tolist() for a in o.axes(sizes)] for o in (op, again))
    if isinstance(op, Upsample):  # other coordinates with the same cells
        ours, theirs = ([taps_of(a).matrix().tolist() for a in o.axes(sizes)] for o in (op, again))
    if isinstance(op, Conv) and op.padding_mode != "zeros":
        ours, theirs = (([a[:6] for a in o[1]], o[2]) for o in (ours, theirs))
    assert theirs == ours, line.code
    if isinstance(op, AvgPool):

        def counted(o):
            return under(o.axes(sizes), padding=o.counts_padding).tolist()

        assert counted(again) == counted(op), line.code

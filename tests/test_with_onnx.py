"""Values and sizes against the ONNX reference evaluator, where it is installed; in CI it is.

The evaluator is not the specification: where it does something else than the operator's text, exactly that case is
left out, and says why.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.layers import AvgPool
from support.decoders import close
from support.fixed import adaptive_pools, along, pools, shuffles, unpools, upsamples
from support.needs import need_module
from support.weighted import layers, thorough

onnx = need_module("onnx", promised=True)
need_module("onnx.reference", promised=True)
ONNX = ("onnx",)
WORDS = {"valid": "VALID", "same": "SAME_UPPER", "same_upper": "SAME_UPPER", "same_lower": "SAME_LOWER"}


def evaluated(operator, *inputs, outputs=1, **attributes):
    """What one node gives, without the axis of the batch; an input that is None is left out."""
    helper = onnx.helper
    names = ["" if array is None else f"i{n}" for n, array in enumerate(inputs)]
    fed = {name: array for name, array in zip(names, inputs, strict=True) if array is not None}
    told = {name: value for name, value in attributes.items() if value is not None}
    node = helper.make_node(operator, names, [f"o{n}" for n in range(outputs)], **told)
    taken = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in fed.items()
    ]
    made = [helper.make_tensor_value_info(f"o{n}", onnx.TensorProto.INT64 if n else 11, None) for n in range(outputs)]
    graph = helper.make_graph([node], "one", taken, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx.defs.onnx_opset_version())])
    model.ir_version = min(model.ir_version, 10)
    with np.errstate(all="ignore"):
        answers = onnx.reference.ReferenceEvaluator(model).run(None, fed)
    return answers[0][0] if outputs == 1 else [answer[0] for answer in answers]


def batch(array):
    """A batch of one."""
    return np.asarray(array, np.float64)[None]


def padded(padding, rank):
    """Padding as the operators take it: a word, or the sides before and then those after."""
    if isinstance(padding, str) and padding in WORDS:
        return {"auto_pad": WORDS[padding]}
    pairs = [(p, p) if isinstance(p, int) else p for p in (along(padding, i) for i in range(rank))]
    return {"pads": [a for a, _ in pairs] + [b for _, b in pairs]}


def of_axes(case, rank, *names):
    """Arguments with a number for every axis."""
    asked = case.arguments
    return {f"{n}s": [along(asked[n], i) for i in range(rank)] for n in names if asked.get(n) is not None}


def biased(case, answer):
    """The operators' own bias is not what is compared here."""
    return answer if case.bias is None else answer + np.array(case.bias).reshape(-1, *[1] * (answer.ndim - 1))


@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@thorough
@given(st.data())
def test_convolutions(transposed, data):
    case = data.draw(layers(transposed, conventions=ONNX, modes=("zeros",)))
    rank, asked = len(case.lines), case.arguments
    # 'full' is a word of ours: it is given in numbers.
    around = asked["padding"] if asked["padding"] != "full" else tuple((a.before, a.after) for a in case.lines)
    how = of_axes(case, rank, "stride", "dilation") | padded(around, rank) | {"group": case.groups}
    if transposed:
        # The evaluator crashes with groups unless each has one channel in and one out.
        if case.groups > 1 and not case.groups == case.inputs == case.outputs:
            return
        extra = [along(asked["output_padding"] or 0, i) for i in range(rank)]
        # It takes an output padding of the stride or more for an error, though less than the dilation is allowed.
        if any(e >= line.stride for e, line in zip(extra, case.lines, strict=True)):
            return
        how |= {"output_padding": extra}
    theirs = evaluated(
        "ConvTranspose" if transposed else "Conv", *map(batch, case.arrays[:1]), case.stamped.astype(float), **how
    )
    assert close(case.trace().answer, biased(case, theirs))


def sound(case, done):
    """Whether the evaluator pools as the text says. Left out are:

    - words with a stride beyond the kernel: a total below zero is halved, so that it reads late, or crashes;
    - words with a dilation, where it does not dilate the kernel's reach;
    - windows that ceil_mode lets stick out, for which it divides by the wrong number;
    - windows that ceil_mode drops since they would start in the padding, which it goes through all the same.
    """
    axes = done.axes
    if isinstance(case.arguments.get("padding"), str):
        return all(a.dilation == 1 and a.stride <= a.kernel for a in axes)
    if not case.arguments["ceil_mode"]:
        return True
    return all(a.beyond == 0 and (a.padded - a.reach) // a.stride + 1 == a.output for a in axes)


def pooling(case, rank):
    how = of_axes(case, rank, "stride", "dilation") | padded(case.arguments.get("padding", 0), rank)
    kernel = [along(case.arguments["kernel"], i) for i in range(rank)]
    return how | {"kernel_shape": kernel, "ceil_mode": int(case.arguments["ceil_mode"] and "pads" in how)}


@thorough
@given(pools("max", ONNX))
def test_max_pooling(case):
    done = case.trace()
    word = case.arguments.get("padding")
    # Undilated and with a stride of 1 it takes an older way, for two axes only, whose indices forget the channel.
    older = all(a.stride == a.dilation == 1 for a in done.axes)
    # SAME_LOWER has floor(i / s) cells there instead of ceil(i / s); SAME_UPPER halves totals below zero.
    odd = word == "same_lower" or (word == "same" and any(a.stride > a.reach for a in done.axes))
    if older or odd or (done.where < 0).any():  # of padding alone it makes nothing, 0 or a crash
        return
    values, where = evaluated("MaxPool", batch(case.array), outputs=2, **pooling(case, len(done.axes)))
    assert np.array_equal(done.answer, values)
    indices = done.indices if not case.given.planar else done.indices[None]
    assert np.array_equal(indices[0] if case.given.batch else indices, where)


@thorough
@given(pools("mean", ONNX))
def test_average_pooling(case):
    try:
        done = case.trace()
    except Exception:
        return
    if not sound(case, done):
        return
    counted = case.op.counts_padding if isinstance(case.op, AvgPool) else False
    theirs = evaluated(
        "AveragePool", batch(case.array), **pooling(case, len(done.axes)), count_include_pad=int(counted)
    )
    assert close(done.answer, theirs)


@thorough
@given(adaptive_pools(ONNX))
def test_global_pooling(case):
    if case.array.ndim != 3:  # the evaluator takes the last two axes, whatever their number
        return
    kind = "GlobalMaxPool" if case.op.combine == "max" else "GlobalAveragePool"
    assert close(case.trace().answer, evaluated(kind, batch(case.array)))


@thorough
@given(pools("norm", ONNX))
def test_lp_pooling(case):
    done = case.trace()
    if not sound(case, done) or case.arguments["norm_type"] == 2.5:  # it takes whole numbers only
        return
    theirs = evaluated("LpPool", batch(case.array), **pooling(case, len(done.axes)), p=case.arguments["norm_type"])
    assert close(done.answer, theirs)


@thorough
@given(unpools())
def test_unpooling(case):
    done = case.trace()
    # With a size it counts the places in the default one; so does the operator's own test, against its text.
    if case.convention != "onnx" or case.more[1] is not None:
        return
    axes = done.axes
    pads = [a.before for a in axes] + [a.after for a in axes]
    planes = np.arange(len(case.array)).reshape(-1, *[1] * len(axes))
    places = case.places + np.prod(case.arguments["output_sizes"]) * planes
    how = {"kernel_shape": [a.kernel for a in axes], "strides": [a.stride for a in axes], "pads": pads}
    theirs = evaluated("MaxUnpool", batch(case.array), places[None].astype(np.int64), **how)
    assert np.array_equal(done.answer, theirs)


@thorough
@given(upsamples(ONNX))
def test_resizing(case):
    asked, rank = case.arguments, case.array.ndim - 1
    if asked["mode"] == "nails":  # ONNX has none
        return
    done = case.trace()
    factors = [along(asked.get("scale_factor", 1), i) for i in range(rank)]
    rounded = "size" not in asked and any(f * a.input != a.output for f, a in zip(factors, done.axes, strict=True))
    if rounded and done.op.place == "align_corners":  # it lays the corners of the size before it was rounded down
        return
    sizes = np.array([1, len(case.array), *(a.output for a in done.axes)], np.int64) if "size" in asked else None
    scales = None if sizes is not None else np.array([1, 1, *factors], np.float32)
    given_ = [batch(case.array), None, scales] + ([sizes] if sizes is not None else [])
    mode = "linear" if asked["mode"] == "bilinear" else "nearest"
    theirs = evaluated("Resize", *given_, mode=mode, coordinate_transformation_mode=done.op.place)
    sure = np.ix_(range(len(done.x)), *(np.flatnonzero(~doubtful(a)) for a in done.axes))
    assert done.answer.shape == theirs.shape
    assert np.allclose(done.answer[sure], theirs[sure], rtol=0, atol=1e-6 * max(1, np.abs(theirs).max()))


def doubtful(axis):
    """Cells whose places lie on a cell, or between two, but not in floats: the evaluator may take the wrong one."""
    up, down = axis.ratio
    t = [Fraction(t) for t in range(axis.output)]
    if axis.place == "align_corners":
        up, down = max(axis.output - 1, 1), axis.input - 1
    shift = Fraction(1, 2) if axis.place == "half_pixel" else 0
    places = [(p + shift) * Fraction(down, up) - shift for p in t]
    return np.array([up & (up - 1) != 0 and (2 * p).denominator == 1 and p != 0 for p in places], bool)


@pytest.mark.parametrize("up", [True, False], ids=["shuffle", "unshuffle"])
@thorough
@given(st.data())
def test_pixel_shuffle(up, data):
    case = data.draw(shuffles(up))
    r, order = case.arguments["r"], case.arguments["order"]
    if not up and order == "CRD" and onnx.defs.onnx_opset_version() < 28:  # it has no such mode
        return
    theirs = evaluated(
        "DepthToSpace" if up else "SpaceToDepth",
        batch(case.array),
        blocksize=r,
        mode=order if up or order == "CRD" else None,
    )
    assert np.array_equal(case.trace().answer, theirs)

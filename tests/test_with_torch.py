"""Values and sizes against PyTorch, where it is installed: the framework whose arguments and layouts are ours."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.layers import Conv
from support.decoders import close
from support.fixed import Case, adaptive_pools, along, pools, shuffles, unpools, upsamples
from support.needs import need_module
from support.weighted import layers, thorough

torch = need_module("torch")
functional = torch.nn.functional
TORCH = ("torch",)


def tensor(array):
    """A batch of one."""
    return torch.tensor(array, dtype=torch.float64)[None]


def of_torch(case):
    """PyTorch's output (C_out, *o) of a drawn layer; unequal sides are padded or cropped around its own call."""
    rank, arguments = len(case.lines), case.arguments
    x, weight = (torch.tensor(a, dtype=torch.float64) for a in case.arrays)
    bias = None if case.bias is None else torch.tensor(case.bias, dtype=torch.float64).expand(case.outputs)
    given_ = {name: arguments[name] for name in ("stride", "dilation", "groups")} | {"bias": bias}
    around = [side for line in case.lines[::-1] for side in (line.before, line.after)]
    own = [line.before for line in case.lines] if around[::2] == around[1::2] else 0
    if not case.op.transposed:
        if (case.mode != "zeros" and max(around) > 0) or own == 0:
            x = functional.pad(x[None], around, mode=case.mode.replace("zeros", "constant"))[0]
            own = 0
        return getattr(functional, f"conv{rank}d")(x[None], weight, padding=own, **given_)[0].numpy()
    extra = [line.extra for line in case.lines]
    up = getattr(functional, f"conv_transpose{rank}d")
    out = up(x[None], weight, padding=own, output_padding=extra, **given_)[0].numpy()
    if own != 0:
        return out
    return out[(..., *(slice(line.before, out.shape[i + 1] - line.after) for i, line in enumerate(case.lines)))]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@thorough
@given(st.data())
def test_convolutions(transposed, rank, data):
    case = data.draw(layers(transposed, ranks=(rank,), conventions=TORCH))
    ours, theirs = case.trace().answer, of_torch(case)
    # Its sums are floats in an order of its own: large integers are exact in ours, and up to 2^53 in its.
    assert close(ours, theirs)
    if case.values in ("small", "eighths", "weights"):
        assert np.array_equal(ours, theirs)


def symmetric(case: Case, rank: int):
    """The padding as PyTorch takes it, or None where it takes no such padding."""
    sides = [along(case.arguments.get("padding", 0), i) for i in range(rank)]
    pairs = [(s, s) if isinstance(s, int) else s for s in sides]
    halves = [along(case.arguments["kernel"], i) // 2 for i in range(rank)]
    fit = all(a == b <= half for (a, b), half in zip(pairs, halves, strict=True))
    return [a for a, _ in pairs] if fit else None


@thorough
@given(pools("max", TORCH))
def test_max_pooling(case):
    rank = case.array.ndim - 1
    padding = symmetric(case, rank)
    if padding is None:
        return
    asked = {name: case.arguments.get(name) for name in ("stride", "dilation", "ceil_mode")}
    pool = getattr(functional, f"max_pool{rank}d")
    theirs, where = pool(tensor(case.array), case.arguments["kernel"], padding=padding, return_indices=True, **asked)
    done = case.trace()
    assert np.array_equal(done.answer, theirs[0].numpy())
    own = done.where >= 0  # of a window over nothing but padding its place is any
    assert np.array_equal(done.where[own], where[0].numpy()[own])


@thorough
@given(pools("mean", TORCH))
def test_average_pooling(case):
    rank, asked = case.array.ndim - 1, case.arguments
    padding = symmetric(case, rank)
    if padding is None or np.max(asked["dilation"]) > 1:  # it has none
        return
    counted = {} if asked["count_include_pad"] is None else {"count_include_pad": asked["count_include_pad"]}
    pool = getattr(functional, f"avg_pool{rank}d")
    ours = {"stride": asked.get("stride"), "ceil_mode": asked["ceil_mode"]} | counted
    theirs = pool(tensor(case.array), asked["kernel"], padding=padding, **ours)
    assert close(case.trace().answer, theirs[0].numpy())


@thorough
@given(adaptive_pools(TORCH))
def test_adaptive_pooling(case):
    rank, done = case.array.ndim - 1, case.trace()
    size = case.arguments["output_size"]
    if rank == 1 and None in np.atleast_1d(size):  # it takes None from two axes on
        return
    if case.op.combine == "mean":
        theirs = getattr(functional, f"adaptive_avg_pool{rank}d")(tensor(case.array), size)
        assert close(done.answer, theirs[0].numpy())
        return
    theirs, where = getattr(functional, f"adaptive_max_pool{rank}d")(tensor(case.array), size, return_indices=True)
    assert np.array_equal(done.answer, theirs[0].numpy())
    assert np.array_equal(done.where, where[0].numpy())


@thorough
@given(pools("norm", TORCH))
def test_lp_pooling(case):
    rank, asked = case.array.ndim - 1, case.arguments
    if np.max(asked["dilation"]) > 1 or symmetric(case, rank) != [0] * rank:  # it has neither
        return
    pool = getattr(functional, f"lp_pool{rank}d")
    stride, kernel = asked.get("stride"), asked["kernel"]
    kernel = kernel[0] if rank == 1 and isinstance(kernel, tuple) else kernel
    stride = stride[0] if rank == 1 and isinstance(stride, tuple) else stride
    theirs = pool(tensor(case.array), asked["norm_type"], kernel, stride, asked["ceil_mode"])
    assert close(case.trace().answer, theirs[0].numpy())


@thorough
@given(unpools())
def test_unpooling(case):
    done = case.trace()
    rank = len(done.axes)
    if case.convention != "torch" or any(a.before != a.after for a in done.axes):
        return
    planes = case.places.reshape(len(case.array), -1).tolist()
    if any(len(set(plane)) < len(plane) for plane in planes):
        return  # two values for one cell: which of them stays, it leaves open
    unpool = getattr(functional, f"max_unpool{rank}d")
    kernel, stride = [a.kernel for a in done.axes], [a.stride for a in done.axes]
    where = torch.tensor(case.places)[None]
    padding, size = [a.before for a in done.axes], [a.output for a in done.axes]
    theirs = unpool(tensor(case.array), where, kernel, stride, padding, output_size=size)
    assert np.array_equal(done.answer, theirs[0].numpy())


@thorough
@given(upsamples(TORCH))
def test_upsampling(case):
    rank, asked = case.array.ndim - 1, case.arguments
    mode, at = asked["mode"], case.op.place
    if mode == "nails" or (mode == "bilinear" and asked.get("coordinates") is not None):  # it has neither
        return
    done = case.trace()
    # Of a small picture it does not look at the factor where an axis keeps its size or doubles it.
    odd = mode == "nearest" and rank == 2 and "scale_factor" in asked
    if odd and any(a.output in (a.input, 2 * a.input) for a in done.axes):
        return
    mixed = ["linear", "bilinear", "trilinear"][rank - 1]
    word = mixed if mode == "bilinear" else "nearest" if at == "asymmetric" else "nearest-exact"
    how = {name: asked[name] for name in ("size", "scale_factor") if name in asked}
    align = {"align_corners": at == "align_corners"} if mode == "bilinear" else {}
    theirs = functional.interpolate(tensor(case.array), mode=word, **how, **align)[0].numpy()
    if mode == "bilinear":
        assert close(done.answer, theirs)
    elif on_an_edge(done):
        assert done.answer.shape == theirs.shape
    else:
        assert np.array_equal(done.answer, theirs)


def on_an_edge(done):
    """Whether a place lies on the edge of two cells, so that PyTorch's floats of 32 bits may take either one."""
    for a in done.axes:
        up, down = a.ratio
        half = int(a.place == "half_pixel")
        whole = (up & (up - 1) == 0) or down == 1
        if not whole and any((2 * t + half) * down % (2 * up) == 0 for t in range(1, a.output)):
            return True
    return False


@pytest.mark.parametrize("up", [True, False], ids=["shuffle", "unshuffle"])
@thorough
@given(st.data())
def test_pixel_shuffle(up, data):
    case = data.draw(shuffles(up))
    if case.arguments["order"] != "CRD":
        return
    theirs = (functional.pixel_shuffle if up else functional.pixel_unshuffle)(tensor(case.array), case.arguments["r"])
    assert np.array_equal(case.trace().answer, theirs[0].numpy())


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_same_is_pytorchs_same_for_its_stride(size, kernel, dilation, transposed):
    """PyTorch pads 'same' at the end first, as we do; it has no such word for a transposed layer."""
    x, weight = torch.arange(size, dtype=torch.float64)[None], torch.arange(kernel, dtype=torch.float64)[None, None] + 1
    ours = Conv(kernel, padding="same", dilation=dilation).trace(x.numpy(), weight.numpy()).output
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an even kernel makes it copy its input, of which it warns
        theirs = functional.conv1d(x, weight, padding="same", dilation=dilation)
    assert np.array_equal(ours, theirs.numpy())
    if transposed:
        with pytest.raises(TypeError):
            torch.nn.ConvTranspose1d(1, 1, kernel, padding="same")(x)


@given(layers(transposed=False, conventions=TORCH, modes=("zeros",)))
def test_the_transpose_is_pytorchs_gradient(case):
    """The gradient of a convolution with respect to its input is the transposed convolution with the same weights."""
    down = case.op.trace(*case.arrays)
    x, weight = (torch.tensor(a, dtype=torch.float64) for a in case.arrays)
    x.requires_grad_()
    around = [side for line in case.lines[::-1] for side in (line.before, line.after)]
    stride, dilation = [line.stride for line in case.lines], [line.dilation for line in case.lines]
    conv = getattr(functional, f"conv{len(case.lines)}d")
    out = conv(functional.pad(x, around)[None], weight, stride=stride, dilation=dilation, groups=case.groups)[0]
    y = np.arange(down.output.size).reshape(down.output.shape) % 7 - 3
    out.backward(torch.tensor(y, dtype=torch.float64))
    ours, theirs = down.backward(y).output, x.grad.numpy()
    assert np.allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, float(np.abs(theirs).max())))


def test_parameters_of_a_layer_can_be_traced():
    """What PyTorch users have at hand: a layer with its weights, gradients and all."""
    layer = torch.nn.Conv2d(2, 3, 3, padding=1)
    x = torch.rand(2, 5, 5)
    ours = Conv(3, padding=1).trace(x, layer.weight.detach(), layer.bias.detach()).output
    assert np.allclose(ours, layer(x[None])[0].detach().numpy(), atol=1e-5)

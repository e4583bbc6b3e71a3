"""Values and sizes against PyTorch, where it is installed: the framework whose arguments and layouts are ours."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers import Case, layers, thorough

from convanim.ops import Conv, ConvTranspose

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import warns of what is not installed beside it
    torch = pytest.importorskip("torch")

functional = torch.nn.functional


def of_torch(case: Case):
    """PyTorch's output (C_out, *o) of a drawn layer; unequal sides are padded or cropped around its own call."""
    rank = len(case.lines)
    x, weight = (torch.tensor(a, dtype=torch.float64) for a in case.arrays)
    bias = None if case.bias is None else torch.tensor(case.bias, dtype=torch.float64).expand(case.outputs)
    given_ = {
        "stride": [line.stride for line in case.lines],
        "dilation": [line.dilation for line in case.lines],
        "groups": case.groups,
        "bias": bias,
    }
    equal = all(line.before == line.after for line in case.lines)
    own = [line.before for line in case.lines] if equal else 0
    if not case.op.transposed:
        if not equal:
            x = functional.pad(x, [side for line in case.lines[::-1] for side in (line.before, line.after)])
        return getattr(functional, f"conv{rank}d")(x[None], weight, padding=own, **given_)[0].numpy()
    extra = [line.extra for line in case.lines]
    up = getattr(functional, f"conv_transpose{rank}d")
    out = up(x[None], weight, padding=own, output_padding=extra, **given_)[0].numpy()
    if equal:
        return out
    return out[(..., *(slice(line.before, out.shape[i + 1] - line.after) for i, line in enumerate(case.lines)))]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@thorough
@given(st.data())
def test_pytorch_gives_the_same_values(transposed, rank, data):
    case = data.draw(layers(transposed, ranks=(rank,)))
    ours, theirs = case.trace().output, of_torch(case)
    assert ours.reshape(theirs.shape).shape == theirs.shape
    # Its sums are floats in an order of its own: large integers are exact in ours, and up to 2^53 in its.
    scale = max(1.0, float(np.abs(theirs).max()))
    assert np.allclose(ours.reshape(theirs.shape), theirs, rtol=0, atol=1e-9 * scale)
    if case.values in ("small", "eighths", "weights"):
        assert np.array_equal(ours.reshape(theirs.shape), theirs)


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


@given(layers(transposed=False))
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
    up = ConvTranspose(
        tuple(a.kernel for a in down.axes),
        tuple(stride),
        tuple((a.before, a.after) for a in down.axes),
        dilation=tuple(dilation),
        output_padding=tuple(a.unused for a in down.axes),
        groups=case.groups,
    )
    ours, theirs = up.trace(y, case.arrays[1]).output, x.grad.numpy()
    assert np.allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, float(np.abs(theirs).max())))


def test_parameters_of_a_layer_can_be_traced():
    """What PyTorch users have at hand: a layer with its weights, gradients and all."""
    layer = torch.nn.Conv2d(2, 3, 3, padding=1)
    x = torch.rand(2, 5, 5)
    ours = Conv(3, padding=1).trace(x, layer.weight.detach(), layer.bias.detach()).output
    assert np.allclose(ours, layer(x[None])[0].detach().numpy(), atol=1e-5)

"""Arguments that are wrong on their own, together, for a convention or for an input: one sentence with the values."""

import numpy as np
import pytest

from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
)
from support.refusals import refused

ONES = np.ones((4, 4, 4), int)
ONNX, KERAS, JAX = ({"convention": name} for name in ("onnx", "keras", "jax"))


def pooled(*given, **options):
    return MaxPool(*given, **options).trace([1, 2, 3, 4])


@pytest.mark.parametrize(
    ("make", "named", "hinted"),
    [
        # Features of conventions.
        (lambda: Conv(3, convention="theano"), "convention 'theano'", "torch"),
        (lambda: Conv(3, convention=1), "convention 1", "torch, keras, jax, onnx"),
        (lambda: Conv(3, convention=None), "convention is None", "leave it out"),
        (lambda: Conv(3, 2, "same"), "'same' with stride 2", "keras, jax or onnx"),
        (lambda: Conv(3, (1, 2), "same"), "'same' with stride (1, 2)", "numbers"),
        (lambda: Conv(3, padding="causal"), "PyTorch has no padding 'causal'", "keras or jax"),
        (lambda: Conv((3, 3), padding="causal", **JAX), "'causal' is not defined for several axes", "one axis"),
        (lambda: Conv(3, padding="causal", **JAX).axes((5, 5)), "'causal'", "one axis"),
        (lambda: ConvTranspose(3, 2, "same"), "PyTorch has no padding 'same' for transposed", "keras or jax or onnx"),
        (lambda: ConvTranspose(3, 2, "same_lower", **JAX), "JAX has no padding 'same_lower'", "onnx"),
        (lambda: Conv(3, padding=1, **KERAS), "not accept numbers as the padding of convolutions", "valid or same"),
        (lambda: ConvTranspose(3, padding=(1, 1), **KERAS), "such as (1, 1)", "valid or same"),
        (lambda: MaxPool(3, padding=1, **KERAS), "padding of pooling layers, such as 1", "valid or same"),
        (lambda: Conv(3, 2, dilation=2, **KERAS), "combine stride 2 with dilation 2", "one of them"),
        (lambda: ConvTranspose(3, 2, output_padding=1, **JAX), "no output padding, but 1 was given", "more padding"),
        (lambda: ConvTranspose(3, padding=0, **JAX).axes((2,)), "crops the whole", "2 crops nothing"),
        (lambda: MaxPool(2, padding="same"), "PyTorch has no padding 'same' for pooling", "numbers"),
        (lambda: MaxPool(2, padding="full", **ONNX), "ONNX has no padding 'full'", "numbers"),
        (lambda: MaxPool(2, ceil_mode=True, **KERAS), "Keras has no ceil_mode", "same"),
        (lambda: AvgPool(2, count_include_pad=True, **KERAS), "never counts the padding", "count_include_pad"),
        (lambda: LpPool(2, **JAX), "JAX has no Lp pooling", "torch or onnx"),
        (lambda: MaxUnpool(2, **KERAS), "Keras has no max unpooling", "torch or onnx"),
        (lambda: MaxUnpool(2, padding="same", **ONNX), "padding 'same'", "numbers"),
        (lambda: Upsample(scale_factor=1.5, **KERAS), "Keras upsamples by integer factors only, not by scale", "=2"),
        (lambda: Upsample(size=5, **KERAS), "not by size 5", "scale_factor=2"),
        (lambda: Upsample(size=2, mode="bilinear", **JAX).axes((5,)), "JAX smooths", "torch"),
        # Output padding.
        (lambda: ConvTranspose(3, 2, output_padding=2).axes((3,)), "output padding 2", "at most 1"),
        (lambda: ConvTranspose(3, 2, output_padding=2, **KERAS).axes((3,)), "stride = 2", "at most 1"),
        (lambda: ConvTranspose(3, 1, dilation=2, output_padding=1, **KERAS).axes((3,)), "stride = 1", "at most 0"),
        # Padding modes.
        (lambda: Conv(3, padding_mode="mirror"), "padding_mode 'mirror'", "circular"),
        (lambda: Conv(3, padding=3, padding_mode="reflect").axes((3,)), "reflect padding 3", "at most 2"),
        (lambda: Conv(3, padding=4, padding_mode="circular").axes((3,)), "circular padding 4", "at most 3"),
        # Pooling.
        (lambda: MaxPool(2, padding=2).axes((4,)), "padding 2 is more than half of the kernel size 2", "at most 1"),
        (lambda: MaxPool(3, padding=2, dilation=2).axes((9,)), "half of the kernel size 3", "at most 1"),
        (lambda: MaxPool(3, padding=((0, 2),)).axes((4,)), "padding 2", "at most 1"),
        (lambda: MaxPool(5).axes((4,)), "kernel size 5 is larger than the input, 4", "at most 4"),
        (lambda: MaxPool(3, dilation=2).axes((4,)), "kernel size 5", "at most 2"),
        (lambda: MaxPool(2, ceil_mode=1), "ceil_mode 1", "True or False"),
        (lambda: MaxPool(2, ceil_mode="yes"), "ceil_mode 'yes'", "True or False"),
        (lambda: AvgPool(2, count_include_pad=0), "count_include_pad 0", "True or False"),
        (lambda: AvgPool(2, 1, 3, **ONNX).trace([1, 2]), "output [0]", "count_include_pad=True"),
        (lambda: AvgPool(2).trace([2**63 - 1, 1]), "64 bits", "smaller"),
        (lambda: AvgPool(2).trace([1, 2]).indices, "does not have positions of maxima", "MaxPool"),
        (lambda: LpPool(2, norm_type=0), "norm_type 0", "for example 2"),
        (lambda: LpPool(2, norm_type=-2), "norm_type -2", "for example 2"),
        (lambda: LpPool(2, norm_type=float("inf")), "norm_type inf", "for example 2"),
        (lambda: LpPool(2, norm_type="2"), "norm_type '2'", "for example 2"),
        (lambda: LpPool(2, norm_type=True), "norm_type True", "for example 2"),
        (lambda: LpPool(2, norm_type=3).trace([-1, 0]), "negative and has no root", "even norm_type"),
        (lambda: LpPool(2, norm_type=2.5).trace([-1.0, 4]), "negative and has no root", "onnx"),
        (lambda: LpPool(2, norm_type=1000).trace([10.0, 0]), "too large for a 64-bit float", "smaller values"),
        (lambda: LpPool(2, norm_type=1e-300).trace([2.0, 4]), "too large for a 64-bit float", "larger norm_type"),
        # Unpooling.
        (lambda: MaxUnpool(2).trace([1, 2]), "the positions of the maxima", "indices"),
        (lambda: MaxUnpool(2).trace([1, 2], [0]), "have shape 1, but the input has 2", "one index for each"),
        (lambda: MaxUnpool(2).trace([1, 2], [0, 4]), "index 4 is not in an output of 4", "0 to 3"),
        (lambda: MaxUnpool(2).trace([1, 2], [0, -1]), "index -1", "0 to 3"),
        (lambda: MaxUnpool(2).trace([1, 2], [0.0, 1.0]), "not whole numbers", "max pooling"),
        (lambda: MaxUnpool((2,), 2, **ONNX).trace([[1], [3]], [[0], [1]]), "index 1 is not in channel 1", "2 to 3"),
        (lambda: MaxUnpool(2).trace([1, 2], [0, 1], (7,)), "an output of 7", "3 to 5"),
        (lambda: MaxUnpool(2, 1).trace([1, 2], [0, 1], (4,)), "an output of 4", "use 3 there"),
        (lambda: MaxUnpool(2).trace([1, 2], [0, 1], (4, 4)), "4×4", "one size per axis"),
        (lambda: MaxUnpool(2).trace([1, 2], [0, 1], (4.0,)), "output_size 4.0", "1 or more"),
        (lambda: MaxUnpool(2).trace(pooled(2), output_size="x"), "output_size 'x'", '"default"'),
        (lambda: MaxUnpool(2).trace(AvgPool(2).trace([1, 2])), "does not have positions of maxima", "MaxPool"),
        (lambda: MaxUnpool(2).trace(pooled(2), [0, 1]), "has its own indices", "leave indices out"),
        (lambda: MaxUnpool(2, 1).trace(pooled(2)), "an output of 4", "use 3 there"),
        (lambda: MaxUnpool((2, 2)).trace(pooled(2)), "has 2 axes but the input 2 has 1", "same number"),
        (lambda: MaxUnpool(1, 1, 1, **ONNX).trace(pooled(1, 1, 1, **ONNX)), "held only padding", "less padding"),
        (lambda: MaxUnpool(2, padding=3).axes((1,)), "padding 3 + 3", "less padding"),
        # Upsampling.
        (Upsample, "neither size nor scale_factor", "scale_factor=2"),
        (lambda: Upsample(size=4, scale_factor=2), "both size and scale_factor", "one of them"),
        (lambda: Upsample(scale_factor=2, align_corners=True), "mode nearest", "bilinear"),
        (lambda: Upsample(scale_factor=2, mode="bilinear", align_corners=1), "align_corners 1", "True or False"),
        (lambda: Upsample(scale_factor=2, coordinates="align_corners"), "mode nearest", "half_pixel"),
        (lambda: Upsample(scale_factor=2, coordinates="half"), "coordinates 'half'", "half_pixel"),
        (lambda: Upsample(scale_factor=2, mode="nails", coordinates="half_pixel"), "mode nails", "leave them out"),
        (lambda: Upsample(2, None, "bilinear", True, coordinates="asymmetric"), "asymmetric", "one of them"),
        (lambda: Upsample(scale_factor=1.5, mode="nails"), "not by scale_factor 1.5", "scale_factor=2"),
        (lambda: Upsample(size=4, mode="nails"), "not by size 4", "scale_factor=2"),
        (lambda: Upsample(scale_factor=2, mode="bicubic"), "mode 'bicubic'", "bilinear"),
        (lambda: Upsample(scale_factor=0), "scale_factor 0", "for example 2"),
        (lambda: Upsample(scale_factor=-1.5), "scale_factor -1.5", "for example 2"),
        (lambda: Upsample(scale_factor=float("nan")), "scale_factor nan", "for example 2"),
        (lambda: Upsample(scale_factor=10**400), "scale_factor", "at most 16777216"),
        (lambda: Upsample(scale_factor="2"), "scale_factor '2'", "for example 2"),
        (lambda: Upsample(scale_factor=True), "scale_factor True", "for example 2"),
        (lambda: Upsample(scale_factor=()), "scale_factor ()", "for example 2"),
        (lambda: Upsample(size=0), "size 0", "1 or more"),
        (lambda: Upsample(scale_factor=0.1).axes((5,)), "turns 5 cells into 0", "larger factor"),
        (lambda: Upsample(scale_factor=2**24).axes((5,)), "turns 5 cells into", "smaller factor"),
        # Pixel shuffle.
        (lambda: PixelShuffle(2).trace(np.ones((3, 2, 2), int)), "3 channels", "multiple of 4"),
        (lambda: PixelShuffle(2).trace([[1, 2], [3, 4]]), "1 channels", "multiple of 4"),
        (lambda: PixelUnshuffle(2).trace([[1, 2, 3], [4, 5, 6]]), "3 cells along axis 1", "multiple of 2"),
        (lambda: PixelShuffle(2).trace([1, 2, 3, 4]), "does not have the 2 axes", "(C, H, W)"),
        (lambda: PixelShuffle(0), "upscale_factor 0", "1 or more"),
        (lambda: PixelShuffle((2, 2)), "upscale_factor (2, 2)", "1 or more"),
        (lambda: PixelShuffle(None), "upscale_factor None", "1 or more"),
        (lambda: PixelShuffle(2, order="RCD"), "order 'RCD'", "CRD"),
        # Inputs and gradients.
        (lambda: Conv(2, groups=3).trace(ONES, np.ones((3, 1, 2, 2), int)), "groups 3 need an input", "3x4x4"),
        (lambda: Conv(2, groups=2).trace(ONES, np.ones((3, 2, 2, 2), int)), "groups 2 does not divide", "common"),
        (lambda: MaxPool(1).trace(np.ones((1,) * 6, int)), "6 axes", "(C, H, W)"),
        (lambda: MaxPool(1).trace(3), "0 axes", "(C, H, W)"),
        (lambda: MaxPool(1).trace([]), "empty", "one cell"),
        (lambda: MaxPool(1).trace("abc"), "holds text", "integers"),
        (lambda: Upsample(scale_factor=2).trace([[1, 2], [3]]), "ragged", "equal length"),
        (lambda: PixelShuffle(1).trace([[float("nan")]]), "NaN", "finite"),
        (lambda: Conv(3, 1, 1, padding_mode="reflect").trace([1, 2, 3], [1, 2, 3]).backward(), "copies", "zeros"),
        (lambda: ConvTranspose(3).trace([1, 2, 3], [1, 2, 3]).backward(), "cannot be shown", "of a convolution"),
        (lambda: Conv(3).trace([1, 2, 3], [1, 2, 3]).backward([1, 2]), "shape 2, but the output has 1", "same shape"),
        (lambda: Conv(1).trace([1], [2**40]).backward([2**40]), "64 bits", "smaller"),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_value_and_a_way_out(make, named, hinted):
    assert hinted in refused(make, named).hint


def test_a_window_that_would_start_in_the_padding_is_left_out():
    """Not an error: PyTorch and ONNX round the size up, then drop that window."""
    assert MaxPool(2, 2, 1, ceil_mode=True).axes((2,))[0].output == 2
    assert MaxPool(2, 2, 1, ceil_mode=True).axes((3,))[0].output == 2
    assert MaxPool(2, 2, ceil_mode=True).axes((3,))[0].output == 2
    assert MaxPool(2, 3, 1, ceil_mode=True).trace([5, 6, 7]).output.tolist() == [5, 7]
    assert MaxPool(1, 3, ceil_mode=True).axes((3,))[0].output == 1  # the next one would start at the end


def test_numbers_of_numpy_are_numbers():
    assert Upsample(scale_factor=np.float32(1.5)) == Upsample(scale_factor=1.5)
    assert Upsample(scale_factor=np.int64(2)) == Upsample(scale_factor=2.0) == Upsample(scale_factor=2)
    assert str(LpPool(2, norm_type=np.float64(2.5))) == "LpPool(kernel_size=2, norm_type=2.5)"


def test_one_output_size_stands_for_every_axis():
    assert MaxUnpool(2).trace([[1]], [[8]], 3).output.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("convention", ["torch", "keras", "jax", "onnx"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_batch_of_one_with_weights_is_no_bare_kernel(convention, rank):
    """The input has as many axes as the weights, none of which is the kernel's alone."""
    last = convention in ("keras", "jax")
    x = np.arange(3 * 5**rank).reshape(1, *[5] * rank, 3) if last else np.arange(3 * 5**rank).reshape(1, 3, *[5] * rank)
    weight = np.ones((*[2] * rank, 3, 4) if last else (4, 3, *[2] * rank), int)
    done = Conv(2, convention=convention).trace(x, weight)
    assert done.output.shape == ((1, *[4] * rank, 4) if last else (1, 4, *[4] * rank))

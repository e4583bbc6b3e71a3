"""Lines of other frameworks become operations; test_lines.py reads convanim's own lines back."""

from dataclasses import replace

import pytest

from convanim.layers import (
    AvgPool,
    Conv,
    ConvTranspose,
    LpPool,
    MaxPool,
    MaxUnpool,
    Operation,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
    Weighted,
    parse,
)
from convanim.layers.reading import from_line
from support.refusals import refused

SAME = [
    ("torch.nn.Conv2d(3, 8, 3)", Conv((3, 3))),
    ("nn.Conv2d(3, 8, kernel_size=(3, 5), stride=2, padding='same')", None),
    ("Conv1d(1, 1, 3, 2, 1, 2, 1, False)", Conv((3,), 2, 1, dilation=2)),
    ("self.up = nn.ConvTranspose2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))", None),
    ("nn.Conv3d(1, 1, 3, padding_mode='circular', padding=1, bias=False)(x)",
     Conv((3, 3, 3), 1, 1, padding_mode="circular")),
    ("torch.nn.MaxPool2d(2, return_indices=True, ceil_mode=True)", MaxPool((2, 2), ceil_mode=True)),
    ("nn.AvgPool1d(3, 2, 1, count_include_pad=False)", AvgPool((3,), 2, 1, count_include_pad=False)),
    ("nn.LPPool2d(2, 3, stride=2)", LpPool((3, 3), 2)),
    ("nn.MaxUnpool2d(2, stride=2)", MaxUnpool((2, 2), 2)),
    ("nn.Upsample(scale_factor=2, mode='trilinear', align_corners=True)",
     Upsample(scale_factor=(2, 2, 2), mode="bilinear", align_corners=True)),
    ("nn.Upsample(size=4, mode='nearest-exact')", Upsample(size=4, coordinates="half_pixel")),
    ("torch.nn.PixelShuffle(3)", PixelShuffle(3)),
    ("nn.PixelUnshuffle(downscale_factor=3)", PixelUnshuffle(3)),
    ("nn.Sequential(nn.ZeroPad2d((0, 1, 2, 3)), nn.Conv2d(1, 1, 3))", Conv((3, 3), padding=((2, 3), (0, 1)))),
    ("keras.layers.Conv2D(8, 3, strides=2, padding='SAME', name='c')",
     Conv((3, 3), 2, "same", convention="keras")),
    ("tf.keras.layers.Conv1D(8, 3, padding='causal', dilation_rate=2)",
     Conv((3,), padding="causal", dilation=2, convention="keras")),
    ("layers.Conv2DTranspose(8, 3, 2, 'same', output_padding=1, kernel_initializer='zeros')",
     ConvTranspose((3, 3), 2, "same", output_padding=1, convention="keras")),
    ("layers.MaxPooling2D()(x)", MaxPool((2, 2), convention="keras")),
    ("AveragePooling1D(3, 2, padding='same')", AvgPool((3,), 2, "same", convention="keras")),
    ("UpSampling2D(2, interpolation='bilinear')",
     Upsample(scale_factor=(2, 2), mode="bilinear", convention="keras")),
    ("nn.Conv(features=8, kernel_size=(3, 3), strides=2)", Conv((3, 3), 2, "same", convention="jax")),
    ("nn.Conv(8, (3, 3), padding='CIRCULAR')",
     Conv((3, 3), padding=((1, 1), (1, 1)), padding_mode="circular", convention="jax")),
    ("flax.linen.ConvTranspose(8, (3, 3), (2, 2), padding='VALID')",
     ConvTranspose((3, 3), (2, 2), "valid", convention="jax")),
    ("nn.ConvTranspose(8, (3,), (2,), 'SAME', transpose_kernel=True)",
     ConvTranspose((3,), (2,), "same", transpose_kernel=True, convention="jax")),
    ("nn.max_pool(x, (2, 2), strides=(2, 2), padding='SAME')", MaxPool((2, 2), (2, 2), "same", convention="jax")),
    ("nn.avg_pool(x, (2,), count_include_pad=False)",
     AvgPool((2,), padding="valid", count_include_pad=False, convention="jax")),
    ("helper.make_node('Conv', ['x', 'w'], ['y'], kernel_shape=[3, 3], auto_pad='SAME_UPPER', strides=[2, 2])",
     Conv((3, 3), (2, 2), "same_upper", convention="onnx")),
    ("onnx.helper.make_node('ConvTranspose', ['x', 'w'], ['y'], kernel_shape=[3], pads=[0, 1], group=2)",
     ConvTranspose((3,), padding=((0, 1),), groups=2, convention="onnx")),
    ("make_node('LpPool', ['x'], ['y'], kernel_shape=[2, 2], p=3)", LpPool((2, 2), norm_type=3, convention="onnx")),
    ("onnx.helper.make_node('DepthToSpace', ['x'], ['y'], blocksize=2, mode='CRD')",
     PixelShuffle(2, order="CRD", convention="onnx")),
]  # fmt: skip


def bare(op: Operation) -> Operation:
    """A layer without its numbers of channels."""
    return replace(op, in_channels=None, out_channels=None) if isinstance(op, Weighted) else op


@pytest.mark.parametrize(("text", "wanted"), SAME)
def test_a_line_becomes_an_operation(text, wanted):
    if wanted is None:
        refusable = text.startswith("nn.Conv2d")  # PyTorch refuses 'same' with a stride
        if refusable:
            refused(lambda: from_line(text), "'same'")
        else:
            assert from_line(text).kernel_size == (3, 5)
        return
    assert bare(from_line(text)) == wanted
    assert parse(text) == from_line(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nn.AvgPool2d(2, divisor_override=3)", "divisor_override=3"),
        ("nn.Upsample(scale_factor=2, mode='bicubic')", "bicubic"),
        ("nn.Upsample(scale_factor=1.5, recompute_scale_factor=True)", "recompute_scale_factor"),
        ("nn.Conv2d(1, 1, 3, strid=2)", "'strid'"),
        ("nn.Conv2d(1, 1, k)", "kernel_size"),
        ("nn.Conv2d(1, 1)", "no kernel_size"),
        ("nn.Conv2d(*sizes)", "nn.Conv2d"),
        ("nn.Conv2d(1, 1, **more)", "nn.Conv2d"),
        ("nn.Linear(3, 4)", "nn.Linear"),
        ("nn.Conv(8, 3)", "number of axes"),
        ("nn.Conv(8, (3, 3), input_dilation=2)", "input_dilation=2"),
        ("jax.lax.conv_general_dilated(x, w, (2, 2), 'SAME')", "is w, an array of unknown shape"),
        ("helper.make_node('Gemm', ['x'], ['y'])", "'Gemm'"),
        ("helper.make_node('Conv', ['x', 'w'], ['y'])", "no kernel_shape"),
        ("helper.make_node('Conv', ['x', 'w'], ['y'], kernel_shape=[3], pads=[1])", "pads"),
        ("helper.make_node('Conv', ['x', 'w'], ['y'], kernel_shape=[3], ceil_mode=1)", "another operator"),
        ("nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))", "not a single layer"),
        ("nn.Sequential(nn.ZeroPad2d(1), nn.PixelShuffle(2))", "cannot be combined with the padding"),
        ("nn.Sequential()", "not a single layer"),
        ("[]", "not a single layer"),
        ("import os", "is not a layer"),
        ("__import__('os').system('true')", "not a known layer"),
        ("nn.Conv2d(1, 1, 3" , "is not closed"),
        ("nn." + "a" * 5000 + "()", "too long"),
        ("(" * 900 + "nn.Conv2d(1,1,3)" + ")" * 900, "is not a layer"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_by_its_name(text, named):
    refused(lambda: from_line(text), named)


def test_own_notation_stays_own():
    assert parse("Conv(3, 2)") == Conv(3, 2)
    assert parse("Upsample(scale_factor=2, mode='bilinear')") == Upsample(scale_factor=2, mode="bilinear")
    assert parse("MaxPool(kernel_size=2)") == MaxPool(2)

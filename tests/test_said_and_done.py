"""Messages and behaviour agree: following the command line's advice works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import convanim as ca
from convanim.layers.conventions import ALIASES, KNOWN
from convanim.layers.reading.names import kind_of
from convanim.scene import scene
from support import definitions
from support.commands import run


def drawn(tmp_path: Path, *words: str) -> str:
    """The text output of a command."""
    code, _, told = run(*words, "-o", str(tmp_path / "o.txt"))
    assert code == 0, told
    return (tmp_path / "o.txt").read_text()


# --- an unpooling's output size --------------------------------------------------------------------------------------

ROWS = [[1, 2, 8, 3, 0], [7, 0, 4, 1, 0]]


def test_an_unpooling_shows_the_size_that_the_framework_takes_by_itself(tmp_path: Path) -> None:
    text = drawn(tmp_path, "unpool", "--input", str(ROWS), "--kernel", "2", "--output-size", "default")
    assert "1×2 → 2×4" in text
    assert "the maximum was at [1,0]" in text
    assert "1×2 → 2×5" in drawn(tmp_path, "unpool", "--input", str(ROWS), "--kernel", "2")
    wider = ["--indices", "[[5,2]]", "--output-size", "2x5"]
    assert "1×2 → 2×5" in drawn(tmp_path, "unpool", "--input", "[[7,8]]", "--kernel", "2", *wider)


@pytest.mark.parametrize("size", ["default", None, (2, 5), (2, 4), (3, 3)])
def test_an_unpooling_of_any_size_is_what_the_definition_gives(size: object) -> None:
    pooled = ca.MaxPool(2).trace(ROWS)
    done = ca.MaxUnpool(2).trace(pooled, output_size=size)
    done.verify()
    sizes = {"default": (2, 4), None: (2, 5)}.get(size, size)  # type: ignore[call-overload]
    wanted = definitions.max_unpool(np.array([[[7, 8]]]), np.array([[[5, 2]]]), sizes)
    assert np.array_equal(done.answer, wanted)


def test_a_place_beyond_the_asked_size_is_told_with_the_size_that_holds_it() -> None:
    code, _, told = run("unpool", "--input", "5x5", "--kernel", "2", "--output-size", "default", "-o", "x.gif")
    assert code == 2
    assert "PyTorch refuses it too" in told
    assert "5x5" in told


@pytest.mark.parametrize(("size", "hint"), [("9", "use 3 to 5"), ("big", "5x5, or default"), ("2x2x2", "one size per")])
def test_an_output_size_that_cannot_be_is_refused(size: str, hint: str) -> None:
    code, _, told = run("unpool", "--input", "5x5", "--kernel", "2", "--output-size", size, "-o", "x.gif")
    assert (code, hint in told) == (2, True), told


def test_an_explained_unpooling_has_the_size_that_was_asked_for() -> None:
    _, told, _ = run("explain", "unpool", "--input", "5x5", "--kernel", "2", "--output-size", "5")
    assert "2×2 → 5×5" in told
    with pytest.raises(ca.ConvanimError, match="belongs to MaxUnpool"):
        ca.explain(ca.Conv(2), (3, 3), output_size=3)


def test_rows_as_long_as_those_that_were_pooled_keep_the_usual_words() -> None:
    pooled = ca.MaxPool(2).trace([[1, 2], [3, 4], [5, 6]])
    s = scene(ca.MaxUnpool(2).trace(pooled, output_size="default"))
    assert s.phases[-1].label == "put each value where it was"


# --- names of conventions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "own"), [*ALIASES.items(), ("PyTorch", "torch"), ("ONNX", "onnx"), ("Flax", "jax")])
def test_a_convention_is_known_by_the_names_that_people_have_for_it(name: str, own: str, tmp_path: Path) -> None:
    assert ca.Conv(3, convention=name) == ca.Conv(3, convention=own)
    assert ca.parse(f"Conv(3, convention={name!r})") == ca.Conv(3, convention=own)
    typed = ["--input", "4x4", "--kernel", "2x2"]  # SciPy has no channels
    if not KNOWN[own].only:
        last = KNOWN[own].last
        typed = ["--input", "4x4x2" if last else "2x4x4", "--kernel", "2x2x2x1" if last else "1x2x2x2"]
    assert drawn(tmp_path, "conv", *typed, "--convention", name) == drawn(tmp_path, "conv", *typed, "--convention", own)


def test_an_unknown_convention_is_told_with_those_that_there_are() -> None:
    code, _, told = run("conv", "--input", "4x4", "--kernel", "2", "--convention", "caffe", "-o", "x.gif")
    assert code == 2
    assert "use one of torch, keras, jax, onnx" in told


# --- channels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["4x5x5", "5x5x3"])
def test_an_input_has_the_channels_that_the_line_says(shape: str, tmp_path: Path) -> None:
    """The advised shape works, too."""
    line = "nn.Conv2d(3, 8, 3)"
    for command in (
        ["layer", line, "-o", str(tmp_path / "o.png")],
        ["explain", "layer", line],
        ["describe", "layer", line],
    ):
        code, _, told = run(*command, "--input", shape)
        assert code == 2
        assert "the layer takes 3; give an input of 3x5x5" in told
    assert "3×5×5 → 8×3×3" in drawn(tmp_path, "layer", line, "--input", "3x5x5")


def test_the_output_channels_of_a_line_are_shown_and_those_left_out_are_told(tmp_path: Path) -> None:
    code, _, told = run("layer", "nn.Conv2d(3, 8, 3)", "--input", "3x5x5", "-o", str(tmp_path / "o.json"))
    assert code == 0
    assert "4 of the 8 output channels" in told
    assert "3×5×5 → 8×3×3" in drawn(tmp_path, "layer", "nn.Conv2d(3, 8, 3)", "--input", "3x5x5", "--out-channels", "8")
    code, _, told = run("layer", "nn.Conv2d(3, 8, 3)", "--input", "3x5x5", "--out-channels", "9", "-o", "x.png")
    assert (code, "use --out-channels 8" in told) == (2, True)


def test_one_channel_of_many_is_told(tmp_path: Path) -> None:
    _, _, told = run("layer", "nn.Conv2d(3, 8, 3)", "--input", "5x5", "-o", str(tmp_path / "o.txt"))
    assert "type --input 3x5x5" in told
    _, _, told = run("layer", "nn.Conv2d(1, 1, 3)", "--input", "5x5", "-o", str(tmp_path / "o.txt"))
    assert told == ""


@pytest.mark.parametrize(
    ("line", "inputs", "outputs"),
    [
        ("nn.ConvTranspose2d(16, 33, 3)", 16, 33),
        ("nn.Conv1d(in_channels=2, out_channels=c, kernel_size=3)", 2, None),
        ("layers.Conv2D(8, 3)", None, 8),
        ("layers.Conv2DTranspose(filters=8, kernel_size=3)", None, 8),
        ("flax.linen.Conv(features=4, kernel_size=(3, 3))", None, 4),
        ("Conv(3, in_channels=2)", 2, None),
    ],
)
def test_a_line_keeps_its_channels(line: str, inputs: int | None, outputs: int | None) -> None:
    op = ca.parse(line)
    assert (op.in_channels, op.out_channels) == (inputs, outputs)  # type: ignore[attr-defined]
    assert ca.parse(str(op)) == op


def test_channels_are_checked_in_python() -> None:
    op = ca.Conv(3, in_channels=3, out_channels=2)
    with pytest.raises(ca.ConvanimError, match="give an input of 3x5x5"):
        op.trace(np.ones((4, 5, 5)), np.ones((2, 4, 3, 3)))
    with pytest.raises(ca.ConvanimError, match="makes 4 channels, and the layer has 2"):
        op.trace(np.ones((3, 5, 5)), np.ones((4, 3, 3, 3)))
    with pytest.raises(ca.ConvanimError, match="groups 2 does not divide in_channels 3"):
        ca.Conv(3, groups=2, in_channels=3)
    assert op.trace(np.ones((3, 5, 5)), np.ones((1, 3, 3, 3))).output.shape == (1, 3, 3)
    back = op.backward((5, 5))
    assert (back.in_channels, back.out_channels) == (2, 3)


@pytest.mark.parametrize(
    "command", ["layer Conv((3,3))", "layer nn.MaxPool2d(2)", "conv --kernel 3x3", "pool --kernel 2"]
)
def test_colours_that_come_last_are_told_with_what_to_type(command: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(108).reshape(6, 6, 3))
    _, _, told = run(*command.split(), "--input", str(tmp_path / "x.npy"), "-o", str(tmp_path / "o.json"))
    assert "read as 6 channels of 6×3" in told
    assert "give it as 3x6x6" in told


@pytest.mark.parametrize("command", ["conv --kernel 3 --groups 32", "layer Conv(3,groups=32)"])
def test_groups_say_what_the_input_should_look_like(command: str) -> None:
    code, _, told = run(*command.split(), "--input", "5x5", "-o", "x.png")
    assert code == 2
    assert "this one has one channel; give an input of 32x5x5" in told


@pytest.mark.parametrize(("x", "w"), [((1, 3, 8, 8), (8, 3, 3, 3)), ((1, 2, 8), (2, 2, 3))])
def test_a_batch_of_one_and_weights_with_channels_are_a_layer(
    x: tuple[int, ...], w: tuple[int, ...], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.arange(np.prod(x)).reshape(x))
    np.save(tmp_path / "w.npy", np.arange(np.prod(w)).reshape(w))
    files = ["--input", str(tmp_path / "x.npy"), "--kernel", str(tmp_path / "w.npy")]
    code, _, told = run("conv", *files, "-o", str(tmp_path / "o.json"))
    assert code == 0, told


@pytest.mark.parametrize("command", ["conv --kernel 3x3", "pool --kernel 2x2", "layer Conv((3,3))"])
def test_an_item_of_a_batch_is_shown_and_told(command: str, tmp_path: Path) -> None:
    code, _, told = run(*command.split(), "--input", "8x8x8x8", "-o", str(tmp_path / "o.json"))
    assert (code, told) == (
        0,
        "Note: item 0 of the batch of 8 is shown; choose another one with --batch, from 0 to 7.\n",
    )
    assert run(*command.split(), "--input", "8x8x8x8", "--batch", "0", "-o", str(tmp_path / "p.json")).err == ""
    assert (tmp_path / "o.json").read_text() == (tmp_path / "p.json").read_text()


def test_layers_that_differ_in_their_channels_are_told_apart() -> None:
    _, told, _ = run("compare", "nn.Conv2d(3, 8, 3)", "nn.Conv2d(3, 16, 3)", "--input", "3x5x5")
    assert "the output channels are 8 in the first and 16 in the second" in told
    _, told, _ = run("compare", "nn.Conv2d(3, 8, 3)", "nn.Conv2d(6, 8, 3)", "--input", "5x5")
    assert "the input channels are 3 in the first and 6 in the second" in told
    assert "the same layer" not in told


# --- suggestions -----------------------------------------------------------------------------------------------------

#: Common names of layers, and the layer that they mean.
MEANT = {
    "Conv": "conv Convolution conv2 cnv Conv2 convolve conv1d Conv2D cross_correlation",
    "ConvTranspose": "deconv Deconv2d deconvolution Deconvolution2D ConvTransposed ConvTranpose TransposedConv "
    "conv_transpose ConvTranspose2d Conv2DTranspose upconv transpose_conv",
    "MaxPool": "maxpool MaxPol MaxPooling max_pool2d pool",
    "AvgPool": "avgpool AveragePool MeanPool AvgPooling avg_pool1d",
    "LpPool": "LPPool lppool2d",
    "MaxUnpool": "MaxUnpooling max_unpool2d unpooling",
    "Upsample": "upsample UpSampling interpolate Upsampl resize UpsamplingNearest2d",
    "PixelShuffle": "pixel_shuffle depth_to_space PixelShufle SubPixelConv",
    "PixelUnshuffle": "pixelunshuffle space_to_depth",
}
NAMED = [(name, kind) for kind, names in MEANT.items() for name in names.split()]


@pytest.mark.parametrize(("name", "kind"), NAMED)
def test_the_layer_that_is_suggested_is_the_one_that_was_meant_and_can_be_typed(name: str, kind: str) -> None:
    for line in (f"{name}(x, w)", f"Foo.{name}(x, w)", f"F.{name}(x, w)"):
        hint = hint_of(line)
        if "as in " in hint:
            assert type(ca.parse(hint.partition("as in ")[2])).__name__ == kind
        elif "did you mean" in hint:  # a name of the framework
            own = hint.removeprefix("did you mean ")
            assert kind_of(own)[0] == kind
            assert "known layer" not in hint_of(f"{own}(2, 2, 2)")


def hint_of(line: str) -> str:
    """The hint for a line; empty if it can be read."""
    try:
        ca.parse(line)
    except ca.ConvanimError as error:
        return error.hint
    return ""


@pytest.mark.parametrize(("name", "kind"), NAMED)
def test_the_command_that_is_suggested_runs(name: str, kind: str, tmp_path: Path) -> None:
    code, _, told = run(name)
    if "no command" not in told:
        assert code == 2
        assert "did you mean" not in told.lower() or name in ("conv2", "cnv"), told
        return
    words = told.strip().rstrip(".").partition("; use ")[2].split()[1:]
    typed = ["--input", "4x4" if words[0] != "shuffle" or "--inverse" in words else "4x2x2"]
    kernel = [] if words[0] in ("upsample", "shuffle") or "--output-size" in words else ["--kernel", "2"]
    assert run(*words, *typed, *kernel, "-o", str(tmp_path / "o.json"))[0] == 0
    kinds = {"conv": "Conv", "transposed": "ConvTranspose", "unpool": "MaxUnpool", "upsample": "Upsample"}
    assert kinds.get(words[0], kind) == kind


@pytest.mark.parametrize(
    ("name", "what"),
    [
        *(("nn.ReLU()", "an activation"), ("ReLU()", "an activation"), ("nn.BatchNorm2d(3)", "a normalisation")),
        *(("nn.Linear(3, 4)", "every value with every other"), ("layers.Dense(3)", "every value with every other")),
        *(("GlobalLpPool()", "a pooling with a norm"), ("tf.image.extract_patches(x)", "a rearrangement of windows")),
        ("nn.FractionalMaxPool2d(2)", "random windows"),
        *(
            ("nn.Dropout2d(0.5)", "randomly"),
            ("nn.Flatten()", "a change of shape"),
            ("nn.LeakyReLU(0.1)", "activation"),
        ),
        *(("nn.GroupNorm(2, 4)", "a normalisation"), ("layers.LayerNormalization()", "a normalisation")),
    ],
)
def test_a_layer_that_is_not_shown_is_told_what_it_is(name: str, what: str) -> None:
    with pytest.raises(ca.ConvanimError) as told:
        ca.parse(name)
    assert what in told.value.message
    assert "the supported layers are Conv, ConvTranspose" in told.value.hint
    assert "did you mean" not in str(told.value)


@pytest.mark.parametrize(
    "line",
    [
        "layers.Conv2D(1, ksize=3)",
        "nn.Conv2d(1, 1, kernel=3)",
        "nn.Conv2d(1, 1, filter_size=3)",
        "nn.MaxPool2d(pool_size=3)",
        "layers.MaxPooling2D(kernel_size=3)",
        "nn.Conv2d(1, 1, 3, strides=2)",
        "layers.Conv2D(1, 3, stride=2)",
        "nn.Conv2d(1, 1, 3, pad=1)",
        "nn.Conv2d(1, 1, 3, dilation_rate=2)",
        "nn.Conv2d(1, 1, 3, group=1)",
        "nn.Conv2d(nin=1, out_channels=1, kernel_size=3)",
        "Conv(ksize=3)",
        "Conv(3, strides=2)",
        "PixelShuffle(block_size=2)",
        "Upsample(scale=2)",
        "LpPool(2, p=3)",
    ],
)
def test_an_argument_that_is_suggested_is_taken(line: str) -> None:
    for _ in range(3):
        try:
            ca.parse(line)
            return
        except ca.ConvanimError as error:
            wrong, right = error.message.split("'")[1], error.hint.partition("did you mean ")[2]
            line = line.replace(f"{wrong}=", f"{right}=")
    pytest.fail(line)


@pytest.mark.parametrize(("option", "value"), [("--ksize", "2"), ("--pad", "1"), ("--strides", "2"), ("--rate", "1")])
def test_an_option_that_is_suggested_is_taken(option: str, value: str, tmp_path: Path) -> None:
    kernel = [] if option == "--ksize" else ["--kernel", "2"]
    _, _, told = run("conv", "--input", "4x4", *kernel, option, value, "-o", "x.png")
    right = told.split("Did you mean '")[1].split("'")[0]
    assert run("conv", "--input", "4x4", *kernel, right, value, "-o", str(tmp_path / "o.json"))[0] == 0


# --- numbers side by side --------------------------------------------------------------------------------------------


def test_numbers_that_are_compared_have_one_precision(tmp_path: Path) -> None:
    layers = ["AvgPool(3, 1)", "AvgPool(2, 1)", "--input", "[[1,2,3],[4,5,6],[7,14,15]]"]
    _, told, _ = run("compare", *layers)
    assert "output[0,0]: 6.33 in the first, 3.00 in the second" in told
    assert "6.33 and 3.00" in drawn(tmp_path, "compare", *layers)


@pytest.mark.parametrize(("values", "told"), [((0.5, 1 / 3), "0.500 in the first and 0.333"), ((2, 0.25), "2 in the")])
def test_a_bias_and_a_kernel_are_told_with_one_precision(values: tuple[float, float], told: str) -> None:
    from convanim.explanation.compare import why

    x, w = [1, 2, 3], [1, 1]
    assert told in why(*(ca.Conv(2).trace(x, w, bias=v) for v in values))
    assert told in why(*(ca.Conv(2).trace(x, [v, 1]) for v in values))


# --- a kernel that JAX rotates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["'SAME'", "'VALID'", "((1, 2), (2, 0))"])
def test_a_flax_line_with_a_rotated_kernel_is_jaxs(padding: str) -> None:
    """The oracle is JAX's definition: zeros between and around the cells, then a correlation."""
    line = f"flax.linen.ConvTranspose(3, (3, 3), (2, 2), {padding}, transpose_kernel=True)"
    op = ca.parse(line)
    assert ca.parse(str(op)) == op
    assert op.rules.title == "JAX"
    _, told, _ = run("explain", "layer", line, "--input", "2x4x4")
    assert "transpose_kernel=True" in told.split("JAX")[-1]
    rng = np.random.default_rng(3)
    x, w = rng.integers(-5, 5, (4, 4, 2)), rng.integers(-5, 5, (3, 3, 3, 2))  # (*k, C_out, C_in)
    done = op.trace(x, w)  # type: ignore[attr-defined]
    done.verify()
    plain = ca.parse(line.replace("True", "False"))
    turned = np.swapaxes(w[::-1, ::-1], -1, -2)  # the meaning of the argument in JAX
    assert np.array_equal(done.output, plain.trace(x, turned).output)  # type: ignore[attr-defined]


def test_only_jax_has_a_transpose_kernel() -> None:
    with pytest.raises(ca.ConvanimError, match="PyTorch has no transpose_kernel"):
        ca.ConvTranspose(3, transpose_kernel=True)


# --- colours, and hints that can be typed ----------------------------------------------------------------------------


def test_a_photo_in_an_ordinary_layer_gives_a_picture(tmp_path: Path) -> None:
    from PIL import Image

    cells = np.random.default_rng(1).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    Image.fromarray(cells).save(tmp_path / "photo.png")
    words = ["layer", "nn.Conv2d(3, 64, 7, stride=2, padding=3)", "--input", str(tmp_path / "photo.png")]
    code, _, told = run(*words, "--resize", "12x12", "--select", "last", "-o", str(tmp_path / "o.png"))
    assert code == 0, told
    assert "4 of the 64 output channels are shown" in told
    assert (tmp_path / "o.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("conv --input 2x5x5 --kernel 3x3 --view backward", "conv --input 5x5 --kernel 3x3 --view backward"),
        ("transposed --input 2x5x5 --kernel 3x3 --view overlap", "transposed --input 5x5 --kernel 3x3 --view overlap"),
    ],
)
def test_what_a_view_needs_is_told_as_it_is_typed(line: str, instead: str, tmp_path: Path) -> None:
    code, _, told = run(*line.split(), "-o", str(tmp_path / "o.txt"))
    assert code == 2
    assert "give an input and a kernel of one channel, such as 5x5 and 3x3" in told
    assert run(*instead.split(), "-o", str(tmp_path / "o.txt"))[0] == 0


def test_no_hint_advises_what_cannot_be_typed() -> None:
    """Hints are written for Python, and also read in a shell."""
    package = Path(ca.__file__).parent
    turns = ("trace one channel", "print the report", "use Python", "in Python instead", '"scale it first"')
    found = [(p.name, t) for p in package.rglob("*.py") for t in turns if t in p.read_text(encoding="utf-8")]
    assert not found


# --- outputs that begin in different places --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "size"),
    [
        ("ConvTranspose(3, 2)", "ConvTranspose(3, 2, padding=1)", "3x3"),
        ("ConvTranspose(3, 2, padding=((2, 0), (0, 1)))", "ConvTranspose(3, 2, padding=((0, 1), (1, 0)))", "3x3"),
        ("Conv(3, 2, padding=((2, 0), (0, 0)))", "Conv(3, 2)", "6x6"),
        ("Conv(3)", "Conv(3, padding=1)", "5x5"),
    ],
)
def test_aligned_outputs_of_other_crops_are_equal_cell_by_cell(
    first: str, second: str, size: str, tmp_path: Path
) -> None:
    """The cells that both keep of one result are equal, whatever each leaves out."""
    words = ["compare", first, second, "--input", size]
    assert "every cell equal" not in run(*words)[1]
    code, told, _ = run(*words, "--align", "cells")
    assert code == 0, told
    equal, _, all_of_them = told.split("equal ")[1].split("common")[0].strip().partition(" of ")
    assert int(equal) == int(all_of_them) > 0
    assert "dashed = only in one" in drawn(tmp_path, *words, "--align", "cells", "--select", "last")


def test_outputs_that_cannot_be_aligned_are_told() -> None:
    code, _, told = run("compare", "Conv(3, 2)", "Conv(3, 2, padding=1)", "--input", "6x6", "--align", "cells")
    assert (code, "1 cell apart, which is not a multiple of the stride 2" in told) == (2, True), told
    code, _, told = run("compare", "Conv(3)", "ConvTranspose(3)", "--input", "6x6", "--align", "cells")
    assert (code, "cannot be aligned" in told) == (2, True), told
    with pytest.raises(ca.ConvanimError, match="no effect"):
        ca.Conv(1).trace([1], [1]).animate(align="cells")


def test_an_entry_of_a_gallery_is_aligned_by_its_key() -> None:
    from convanim.gallery.description import Entry, made_by

    entry = Entry(layer="Conv(3)", compare="Conv(3, padding=1)", input="5x5", align="cells")
    assert made_by(entry) == "convanim compare 'Conv(3)' 'Conv(3, padding=1)' --input 5x5 --align cells"
    with pytest.raises(ca.ConvanimError, match="align cannot be combined with"):
        made_by(Entry(layer="Conv(3)", input="5x5", align="cells"))

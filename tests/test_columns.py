"""Unfold and Fold: their values, their proof, their pictures, commands and lines of code."""

from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convanim.cli.commands import main
from convanim.errors import ConvanimError
from convanim.explanation import explain
from convanim.gallery.description import Entry, made_by
from convanim.layers import Conv, parse
from convanim.layers.columns import Fold, Unfold
from convanim.layers.writing import lines
from convanim.scene import scene
from convanim.scene.description import transcript
from convanim.scene.frame import Emphasis, Role
from convanim.scene.window.columns import MOST_COLUMNS, MOST_ROWS
from convanim.trace import Trace
from support import definitions
from support.decoders import close
from support.refusals import refused

both = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
WINDOW = {
    "kernel_size": both,
    "dilation": st.just(1) | both,
    "padding": st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2)),
    "stride": both,
}


@st.composite
def pictures(draw):
    """The arguments of an Unfold, and a picture that it fits."""
    window = draw(st.fixed_dictionaries(WINDOW))
    shape = draw(st.integers(1, 2)), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    x = np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 10, shape)
    try:
        Unfold(**window).axes(shape[1:])
    except ConvanimError:
        window = {"kernel_size": 1}
    return window, x


def proved(done, folder):
    """A trace whose both orders are verified, and that is the same from its file."""
    for ordered in (done.by_output(), done.by_input()):
        ordered.verify()
        assert np.array_equal(ordered.replay(), done.answer)
    done.save(folder / "t.json")
    assert Trace.load(folder / "t.json") == done
    return done


@given(pictures())
def test_unfold_and_fold_are_their_definitions(tmp_path_factory, case):
    window, x = case
    columns = definitions.unfold(x, **window)
    done = proved(Unfold(**window).trace(x), tmp_path_factory.getbasetemp())
    assert np.array_equal(done.output, columns)
    # Other columns than those of a picture, whose overlapping cells differ.
    other = columns * 2 + np.arange(columns.size).reshape(columns.shape)
    back = proved(Fold(x.shape[1:], **window).trace(other), tmp_path_factory.getbasetemp())
    assert np.array_equal(back.output, definitions.fold(other, x.shape[1:], **window))
    assert (columns * other).sum() == (x * back.output).sum()  # one is the transpose of the other


@given(pictures())
def test_a_convolution_is_a_product_with_the_columns(case):
    window, x = case
    op = Conv(
        window["kernel_size"], window.get("stride", 1), window.get("padding", 0), dilation=window.get("dilation", 1)
    )
    kernel = tuple(a.kernel for a in op.axes(x.shape[1:]))
    weight = np.arange(2 * len(x) * np.prod(kernel)).reshape(2, len(x), *kernel)
    done = op.trace(x, weight)
    product = weight.reshape(2, -1) @ Unfold(**window).trace(x).output
    assert np.array_equal(product.reshape(done.answer.shape), done.answer)


def test_shapes_are_those_of_pytorch():
    assert Unfold(2).trace(np.ones((3, 4))).output.shape == (4, 6)
    assert Unfold(2).trace(np.ones((1, 2, 3, 4))).output.shape == (1, 8, 6)
    assert Fold((3, 4), 2).trace(np.ones((8, 6))).output.shape == (2, 3, 4)
    assert Fold((3, 4), 2).trace(np.ones((1, 8, 6))).output.shape == (1, 2, 3, 4)
    assert Fold((3, 4), 2).trace(np.ones((8, 6))).given == (8, 6)


@given(pictures())
def test_frameworks_agree(case):
    window, x = case
    torch = pytest.importorskip("torch")
    picture = torch.tensor(x[None], dtype=torch.float64)
    columns = torch.nn.functional.unfold(picture, **window)
    assert close(Unfold(**window).trace(x).output.astype(float), columns[0].numpy())
    back = torch.nn.functional.fold(columns, x.shape[1:], **window)
    assert close(Fold(x.shape[1:], **window).trace(columns[0].numpy()).output, back[0].numpy())


def run(op, sizes, x):
    """The results of the lines for an operation in the frameworks that are installed, by their names."""
    found = {}
    written = {line.framework: line.code for line in lines(op, sizes)}
    modules = {"torch": "PyTorch", "keras": "Keras", "jax": "JAX"}
    for module, name in modules.items():
        try:
            names = {module: pytest.importorskip(module), "x": x[None].astype("float32")}
        except pytest.skip.Exception:
            continue
        made = eval(written[name], names) if written[name] else None  # noqa: S307 - convanim's own line
        if module == "torch" and made is not None:
            made = made(names["torch"].tensor(names["x"]))
        if made is not None and module != "jax":
            found[name] = np.asarray(made)[0]
    return found


@given(pictures())
def test_the_lines_compute_the_same(case):
    window, x = case
    op = Unfold(**window)
    done = op.trace(x)
    for name, theirs in run(op, x.shape[1:], x).items():
        assert close(done.output.astype(float), theirs.astype(float)), name
    back = Fold(x.shape[1:], **window)
    for name, theirs in run(back, done.output.shape, done.output).items():
        assert close(back.trace(done.output).output.astype(float), theirs.astype(float)), name


@given(pictures())
def test_the_nodes_of_onnx_compute_the_same(case):
    onnx = pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    window, x = case
    op, columns = Fold(x.shape[1:], **window), Unfold(**window).trace(x).output
    code = next(line.code for line in lines(op, columns.shape) if line.framework == "ONNX")
    nodes = eval(code, {"onnx": onnx})  # noqa: S307
    kind, info = onnx.TensorProto.DOUBLE, onnx.helper.make_tensor_value_info
    ins, outs = [info("x", kind, columns[None].shape)], [info("y", kind, None)]
    graph = onnx.helper.make_graph(nodes, "fold", ins, outs)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    theirs = reference.ReferenceEvaluator(model).run(None, {"x": columns[None].astype(float)})[0][0]
    assert close(op.trace(columns).output.astype(float), theirs)


@given(pictures())
def test_lines_are_read_back(case):
    window, x = case
    for op, sizes in ((Unfold(**window), x.shape[1:]), (Fold(x.shape[1:], **window), None)):
        given_ = sizes or (op.block, int(np.prod([a.input for a in op.places])))
        for line in lines(op, given_):
            if line.code and line.framework in ("PyTorch", "Keras"):
                assert parse(line.code) == op


def test_a_column_is_lit_beside_its_window():
    shown = scene(Unfold(2).trace([[1, 2, 3], [4, 5, 6], [7, 8, 9]]))
    frame = shown.frame(shown.beats.opening + 2 * 1 + 1)  # the second column, written
    assert [tuple(o[:4]) for o in frame.grids["stage"].outlines] == [(0, 1, 2, 3)]
    assert [tuple(o[:4]) for o in frame.grids["columns"].outlines] == [(0, 1, 4, 2)]
    assert (frame.grids["columns"].emphasis[:, 1] == Emphasis.WRITTEN).all()
    assert frame.grids["columns"].values[:, 1].tolist() == [2, 3, 5, 6]
    assert frame.captions[0].text() == "column 1 = 2, 3, 5, 6"
    assert frame.writes == {"columns": ((0, 1), (1, 1), (2, 1), (3, 1))}


def test_a_fold_adds_and_counts_what_overlaps():
    shown = scene(Fold(3, 2).trace(np.ones((4, 4), int)))
    last = shown.frame(shown.beats.total - 1).grids["output"]
    assert last.values.tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (last.roles == Role.OVERLAP).tolist() == [[False, True, False], [True] * 3, [False, True, False]]
    assert last.notes == {(0, 1): "Σ2", (1, 0): "Σ2", (1, 1): "Σ4", (1, 2): "Σ2", (2, 1): "Σ2"}
    first = shown.frame(shown.beats.opening + 1).grids["output"]
    assert first.values.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    told = list(transcript(shown))
    assert told[2] == "step 2 of 4: output[0:2, 1:3] += 1, 1, 1, 1 (column 1: 2 cells already had a sum)"
    assert told[-1] == "output: 1 2 1 / 2 4 2 / 1 2 1"


@given(pictures())
def test_every_frame_shows_the_numbers_of_the_trace(case):
    window, x = case
    for done in (Unfold(**window).trace(x), Fold(x.shape[1:], **window).trace(Unfold(**window).trace(x).output)):
        matrix = done.columns(done.x if done.op.transposed else done.answer)
        if matrix.shape[0] > MOST_ROWS or matrix.shape[1] > MOST_COLUMNS:
            refused(partial(scene, done), "a picture shows at most")
            continue
        shown = scene(done)
        frames = [shown.frame(i) for i in range(shown.beats.total)]
        last = frames[-1].grids
        if done.op.transposed:
            inside = tuple(slice(a.before, a.before + a.output) for a in done.axes)
            planes = [last[name].values[inside] for name in shown.slab.names]
            assert np.array_equal(np.stack(planes), done.answer)
        else:
            assert np.array_equal(last["columns"].values, done.output)
        assert (
            max(frame.step for frame in frames) == done.columns(done.x if done.op.transposed else done.answer).shape[1]
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("unfold --input 28x28 --kernel 3", "has 676 columns of 9 rows here, but a picture shows at most 64 columns"),
        ("unfold --input 9x3x3 --kernel 2", "9 input channels"),
        ("unfold --input 3x3 --kernel 5", "kernel size 5 is larger than the picture"),
        (
            "unfold --input 5 --kernel 2",
            "an input of shape 5 does not have the 2 axes of Unfold(kernel_size=2); give HxW or CxHxW",
        ),
        ("unfold --input 3x3 --kernel 2 --padding same", "is not one number per axis"),
        ("unfold --input 3x3 --kernel 2 --stride 0", "--stride"),
        ("unfold --input 3x3 --kernel 2x2x2", "two axes"),
        ("unfold --input 3x3", "--kernel"),
        ("fold --input 4x5 --output-size 3 --kernel 2", "give an input of 4x4"),
        ("fold --input 3x4 --output-size 3 --kernel 2", "give an input of 4x4"),
        ("fold --input 4x4 --kernel 2", "--output-size"),
        ("fold --input 4x4 --output-size 3x- --kernel 2", "--output-size of Fold needs both sizes"),
        ("fold --input 2x2x4x4 --output-size 3 --kernel 2", "are not a matrix"),
    ],
)
def test_wrong_options_are_refused(words, told, tmp_path):
    done = CliRunner().invoke(main, [*words.split(), "-o", str(tmp_path / "a.gif")])
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert told in done.stderr, done.stderr


@pytest.mark.parametrize("words", ["unfold --input 3x3 --kernel 2", "fold --input 4x4 --output-size 3 --kernel 2"])
def test_the_commands_write_explain_and_describe(words, tmp_path):
    runner = CliRunner()
    target = tmp_path / "a.gif"
    assert runner.invoke(main, [*words.split(), "--width", "400", "-o", str(target)]).exit_code == 0
    assert target.read_bytes()[:3] == b"GIF"
    for command in ("explain", "describe"):
        done = runner.invoke(main, [command, *words.split(), "--json"])
        assert done.exit_code == 0, done.stderr


def test_an_entry_of_a_gallery_becomes_the_command():
    made = made_by(Entry(layer="Fold((3, 4), 2, padding=1)", input="4x20"))
    assert made == "convanim fold --input 4x20 --kernel 2 --padding 1 --output-size 3x4"


@pytest.mark.parametrize(
    ("line", "op"),
    [
        ("torch.nn.Unfold((2, 3), padding=1)", Unfold((2, 3), padding=1)),
        ("nn.Fold((4, 5), 2, 1, 0, 2)", Fold((4, 5), 2, 1, 0, 2)),
        ("F.unfold(x, 3, stride=2)", Unfold(3, stride=2)),
        ("y = torch.nn.functional.fold(x, output_size=(3, 3), kernel_size=2)", Fold((3, 3), 2)),
        ("keras.ops.unfold(x, 2, dilation=2)", Unfold(2, dilation=2)),
        ("Fold(3, 2)", Fold(3, 2)),
    ],
)
def test_lines_of_frameworks_are_read(line, op):
    assert parse(line) == op


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nn.Unfold()", "no kernel_size"),
        ("nn.Fold(kernel_size=2)", "no output_size"),
        ("Fold(3)", "no kernel_size; write it like Fold(output_size=2, kernel_size=2)"),
        ("F.unfold(x, 2, strid=1)", "'strid'"),
        ("Unfold(2, convention='keras')", "another layout"),
        ("Unfold((2, 2, 2))", "two axes"),
        ("tf.image.extract_patches(x, 2)", "another layout"),
    ],
)
def test_wrong_lines_are_refused(line, told):
    error = refused(lambda: parse(line))
    assert told in str(error)


def test_the_arithmetic_is_explained():
    told = explain(Unfold(2), (3, 4))
    assert told.splitlines()[0] == "Unfold(kernel_size=2)   3×4 → 4×6"
    assert "2·3 = 6 columns" in told


def test_comparisons_have_the_shapes_of_the_matrices():
    runner = CliRunner()
    told = runner.invoke(main, ["compare", "Unfold(2)", "Unfold(2, dilation=2)", "--input", "3x3"]).stdout
    assert "3×3 → 4×4\n" in told
    assert "3×3 → 4×1\n" in told
    told = runner.invoke(main, ["compare", "Fold(3, 2)", "Fold(3, 2)", "--input", "4x4"]).stdout
    assert "4×4 → 3×3\n" in told


def test_a_picture_in_colours_is_unfolded_in_grey(tmp_path):
    Image.fromarray(np.arange(75, dtype=np.uint8).reshape(5, 5, 3)).save(tmp_path / "p.png")
    words = ["unfold", "--input", str(tmp_path / "p.png"), "--kernel", "2", "-o", str(tmp_path / "a.gif")]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stderr) == (
        2,
        "Error: an unfold cannot be shown in colours; use --grey, which converts the picture.\n",
    )
    assert CliRunner().invoke(main, [*words, "--grey"]).exit_code == 0

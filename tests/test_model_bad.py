"""Models that cannot be read or followed: one sentence each, and nothing is executed or read outside of the folder."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim import models
from convanim.errors import ConvanimError
from convanim.models import model, onnxfile
from support.commands import run
from support.graphs import Graph, onnx


def small(*shape: Any) -> Graph:
    g = Graph(*(shape or (1, 1, 6, 6)))
    g.conv(2, 3, "features.conv1")
    g.add("Relu", name="relu")
    g.conv(2, 3, "features.conv2")
    return g


def refused(*words: Any) -> str:
    """The message of a command that is refused: one line, without a traceback, with exit code 2."""
    done = run("model", *words)
    assert (done.code, done.err.count("\n"), done.out) == (2, 1, ""), done
    assert "Traceback" not in done.err
    return done.err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(small().model(), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.pkl", "m.bin", "m.ckpt"])
def test_a_pickle_is_never_loaded(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    told = refused(tmp_path / name)
    assert f"{name} may hold a pickle, which runs code when it is loaded, so it is never loaded" in told
    assert "torch.onnx.export(model" in told
    (tmp_path / "m.onnx").write_bytes(b"\x80\x02cos\nsystem\n.")
    assert "m.onnx is a pickle or an archive and not an ONNX file" in refused(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.onnx", None, "cannot be read: no such file or directory; give an .onnx file"),
        ("m.onnx", b"", "is not an ONNX file: it has no graph"),
        ("m.onnx", b"hello, world", "is truncated or is not an ONNX file"),
        ("m.onnx", b"PK\x03\x04zip", "is a pickle or an archive"),
        ("m.h5", b"", "m.h5 is not an ONNX file; export the model in Python with model.export("),
        ("m.keras", b"", "m.keras is not an ONNX file"),
        ("w.safetensors", b"", "w.safetensors holds weights without the layers that use them"),
        ("w.npz", b"", "holds weights without the layers"),
    ],
)
def test_files_of_other_kinds(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert says in refused(tmp_path / name)


def test_truncated_large_and_odd_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        done = run("model", path)
        assert done.code in (0, 2), done
        assert "Traceback" not in done.err
    monkeypatch.setattr(onnxfile, "LARGEST", 100)
    path.write_bytes(whole)
    assert "it has more than 100 bytes" in refused(path)


def test_broken_bytes(path: Path) -> None:
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(80):
        broken = bytearray(whole)
        for place in random.integers(0, len(broken), 3):
            broken[place] = random.integers(256)
        path.write_bytes(broken)
        for words in ((path,), (path, "--layer", "features.conv1", "-o", path.with_suffix(".json"))):
            done = run("model", *words)
            assert done.code in (0, 1, 2), done
            assert "Traceback" not in done.err, done


def outside(folder: Path, location: str, **more: str) -> Path:
    """A model whose weights lie in another file."""
    whole = small().model()
    tensor = next(one for one in whole.graph.initializer if len(one.raw_data) == 72)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (folder / "m.onnx").write_bytes(whole.SerializeToString())
    return folder / "m.onnx"


def test_external_data_come_from_the_folder_of_the_file_only(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    weights = np.arange(18, dtype=np.float32)
    for place in (tmp_path / "secret.bin", folder / "w.bin", folder / "sub" / "w.bin"):
        place.write_bytes(b"\0" * 8 + weights.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "away").symlink_to(tmp_path)
    layer = ("--layer", "features.conv1", "-o", tmp_path / "t.json")
    for location in ("../secret.bin", str(tmp_path / "secret.bin"), "sub/../../secret.bin", "..\\secret.bin", ""):
        told = refused(outside(folder, location, offset="8"), *layer)
        assert "which is not in the folder of the file; put the data beside the file" in told
        assert run("model", folder / "m.onnx").code == 0  # the list needs no weights
    for location in ("link.bin", "away/secret.bin"):
        assert "has its data behind the link" in refused(outside(folder, location), *layer)
    for location in ("w.bin", "sub/w.bin"):
        done = run("model", outside(folder, location, offset="8", length="72"), *layer)
        assert done.code == 0, done
    assert "needs 72 bytes at 80, and w.bin has 80" in refused(
        outside(folder, "w.bin", offset="80", length="72"), *layer
    )
    assert "an offset or a length that is not a number" in refused(outside(folder, "w.bin", offset="x"), *layer)
    assert "which cannot be read: no such file" in refused(outside(folder, "none.bin"), *layer)
    assert "cannot be read" in refused(outside(folder, "w.bin", length="4"), *layer)


def test_sizes_that_are_not_known(tmp_path: Path) -> None:
    onnx.save(small("N", 1, "H", "W").model(), tmp_path / "m.onnx")
    told = refused(tmp_path / "m.onnx")
    assert "the input 'x' of m.onnx has no fixed size: 1×1×?×?; give one, such as --input 1x224x224" in told
    for given in ("8x9", "1x8x9", "1x1x8x9", "4x1x8x9"):
        done = run("model", tmp_path / "m.onnx", "--input", given)
        assert "2×4×5" in done.out, done
    assert "has 4 axes, and 1×1×1×8×9 has 5" in refused(tmp_path / "m.onnx", "--input", "1x1x1x8x9")
    assert "is ?×1×?×?, which 3×8×8 does not fit" in refused(tmp_path / "m.onnx", "--input", "3x8x8")
    g = small()
    whole = g.model()
    whole.graph.input[0].type.tensor_type.ClearField("shape")
    onnx.save(whole, tmp_path / "m.onnx")
    assert "has no shape; give its whole shape, such as --input 1x3x224x224" in refused(tmp_path / "m.onnx")


def test_an_input_that_is_too_small_stands_at_its_layer(tmp_path: Path) -> None:
    onnx.save(small("N", 1, "H", "W").model(), tmp_path / "m.onnx")
    done = run("model", tmp_path / "m.onnx", "--input", "4x4")
    assert done.code == 0
    assert "features.conv2: Conv is not followed: kernel size 3 is larger than the input, 2, along axis 0" in done.out


def test_names_and_options(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.gif"
    told = refused(path, "--layer", "features.conv3", "-o", out)
    assert "m.onnx has no layer 'features.conv3'; use one of its layers, such as features.conv" in told
    assert "relu cannot be shown: Relu has no animation; use a layer such as" in refused(
        path, "--layer", "relu", "-o", out
    )
    assert "--layer needs a file to write; add -o features.conv1.gif" in refused(path, "--layer", "features.conv1")
    assert "can show one layer only; add --layer NAME, or write all layers with -o m.html" in refused(path, "-o", out)
    assert "--json cannot be combined with -o" in refused(path, "--json", "-o", tmp_path / "m.html")
    assert "--view needs a layer; add --layer NAME" in refused(path, "--view", "matrix", "-o", tmp_path / "m.html")
    words = (path, "--layer", "features.conv1", "-o", out)
    for option in ("--channels", "--out-channels"):
        assert option in refused(*words, option, "x")
        assert option in refused(*words, option, "0,2")
    assert "--input 'none.npy' cannot be read" in refused(path, "--input", "none.npy")
    assert not list(tmp_path.glob("*.gif"))


def test_an_unknown_opset_and_empty_graphs(tmp_path: Path) -> None:
    g = small()
    g.opset = 999
    (tmp_path / "m.onnx").write_bytes(g.model().SerializeToString())
    told = refused(tmp_path / "m.onnx")
    assert "m.onnx uses opset 999, and the installed onnx" in told
    assert "update it with pip install -U onnx" in told
    (tmp_path / "m.onnx").write_bytes(Graph(1, 1, 4, 4).model(["x"]).SerializeToString())
    assert "m.onnx has no layers" in refused(tmp_path / "m.onnx")


def test_weights_that_do_not_fit_the_layer(tmp_path: Path) -> None:
    g = Graph(1, 3, 6, 6)
    g.channels = 2
    g.conv(4, 3, "conv")
    row = model(g.model()).rows[0]
    assert row.notes == ("Conv is not followed: its kernel takes 2 channels, and its input has 3",)


def test_custom_operators_loops_and_functions_are_named(path: Path) -> None:
    g = small()
    g.nodes[1] = onnx.helper.make_node("Magic", ["v0"], ["v1"], name="magic", domain="org.example")
    found = model(g.model(), np.zeros((1, 1, 6, 6)))
    rows = {row.name: row for row in found.rows}
    assert rows["magic"].notes == ("positions are not followed through org.example.Magic",)
    assert rows["features.conv2"].field is None
    with pytest.raises(ConvanimError, match=r"features\.conv2 cannot be shown"):
        found.trace("features.conv2")
    many = Graph(1, 1, 64, 64)
    for _ in range(3):
        many.conv(1024, 3, pads=1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model(many.model(), np.zeros((1, 1, 64, 64))).trace("conv2")
    assert "it would take 38,692,454,400 multiplications" in str(told[0].message)


def test_without_the_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert (
        "reading an ONNX file needs the package onnx, which is not installed; type pip install 'convanim[onnx]'"
        in refused(path)
    )


def test_python(tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match=r"3 is not a model; give the path of an ONNX file"):
        model(3)
    found = model(small().model())
    with pytest.raises(ConvanimError, match=r"cell \(4, 0\) is outside of features\.conv1, which is 4×4; use 0 to 3×3"):
        found.reads("features.conv1", (4, 0))
    with pytest.raises(ConvanimError, match=r"m\.txt is not a name for a page of a model; use one that ends in \.html"):
        found.save(tmp_path / "m.txt")
    four = Graph(1, 1, 4, 4, 4, 4)
    four.add("Relu")
    with pytest.raises(ConvanimError, match="a page shows maps of up to three axes, and these have 4; list the layers"):
        model(four.model()).save(tmp_path / "m.html")
    assert models.model is model


def test_a_graph_that_is_not_in_order(path: Path) -> None:
    for node, value in ((0, "v2"), (1, "v1"), (1, "v2")):
        whole = small().model()
        whole.graph.node[node].input[0] = value
        path.write_bytes(whole.SerializeToString())
        told = f"in m.onnx reads '{value}', which is made after it: the graph has a cycle or is not in order; export"
        for words in ((path,), (path, "-o", path.with_suffix(".html"))):
            assert told in refused(*words)
    assert not path.with_suffix(".html").exists()


def test_sizes_that_nothing_has(path: Path, tmp_path: Path) -> None:
    whole = small().model()
    whole.graph.initializer[0].dims[0] = -4
    path.write_bytes(whole.SerializeToString())
    assert "the tensor 'c0' of m.onnx has the shape [-4]; export the model again" in refused(path)
    path.write_bytes(small(1, 1, 2**31 - 1, 2**31 - 1).model().SerializeToString())
    assert "connect more than 3,000,000 pairs of cells; use a smaller --input" in refused(
        path, "-o", tmp_path / "m.html"
    )
    up = Graph(1, 1, 64, 64)
    up.conv(1, 3, "up", up=True, strides=10**6)
    path.write_bytes(up.model().SerializeToString())
    assert "connect more than 3,000,000 pairs of cells; use a smaller --input" in refused(
        path, "-o", tmp_path / "m.html"
    )
    whole = small().model()
    whole.opset_import[0].version = -3
    path.write_bytes(whole.SerializeToString())
    assert "m.onnx uses opset -3, which does not exist; export the model again" in refused(path)
    with path.open("wb") as file:
        file.truncate(2**34)  # a sparse file, which is not read
    assert "it has more than 1,073,741,824 bytes" in refused(path)
    g = Graph(1, 1, 6, 6)
    g.add("Relu", name="only")
    path.write_bytes(g.model().SerializeToString())
    told = refused(path, "--layer", "xyz", "-o", tmp_path / "a.gif")
    assert "m.onnx has no layer 'xyz'; use one of its layers, such as only" in told


def test_a_deep_network_with_a_skip_connection_at_each_layer() -> None:
    """Its extents repeat along the map, so that the work grows with the number of layers and not with its square."""
    import time

    g = Graph(1, 1, 16, 16)
    for n in range(600):
        before = g.at
        g.conv(1, 3, f"c{n}", pads=1)
        g.add("Add", before, name=f"a{n}")
    start = time.process_time()
    found = model(g.model())
    assert time.process_time() - start < 20  # it took a minute and a half
    assert found.rows[-1].field == (1201, 1201)
    assert found.rows[-1].offset == (600, 600)

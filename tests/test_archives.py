"""Arrays by their name in .npz and .safetensors files, compared with NumPy and with the format's own library."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.typed import read_array
from convanim.typed.archives import LONGEST_HEADER
from support.commands import run
from support.needs import need_module
from support.refusals import check

WEIGHT = np.arange(-8, 10).reshape(3, 2, 3)


def tensors(**arrays: Any) -> bytes:
    """A .safetensors file, written by its description; an array is (dtype, shape, bytes)."""
    header, data = {"__metadata__": {"format": "np"}}, b""
    for name, (kind, shape, own) in arrays.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(own)]}
        data += own
    return with_header(json.dumps(header).encode(), data)


def with_header(text: bytes, data: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + data


def read(path: Path, key: str = "") -> Any:
    return read_array(f"{path}::{key}" if key else str(path), what="--kernel")


def refusal(path: Path, key: str = "") -> str:
    with pytest.raises(ConvanimError) as caught:
        read(path, key)
    return str(caught.value)


@pytest.fixture(params=["a.npz", "a.safetensors", "A.SafeTensors"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".npz":
        np.savez(path, **{"conv.weight": WEIGHT, "b[0]": np.array([1.5, 2])})
    else:
        parts = {"conv.weight": ("I32", [3, 2, 3], WEIGHT.astype("<i4").tobytes())}
        parts["b[0]"] = ("F16", [2], np.array([1.5, 2], "<f2").tobytes())
        path.write_bytes(tensors(**parts))
    return path


@pytest.mark.parametrize(
    ("index", "wanted"),
    [
        ("", WEIGHT),
        ("[0,1]", WEIGHT[0, 1]),
        ("[-1]", WEIGHT[-1]),
        (" [ :2 , 0 ]", WEIGHT[:2, 0]),
        ("[:, 1:]", WEIGHT[:, 1:]),
        ("[]", WEIGHT),
    ],
)
def test_a_part_of_an_array_by_its_name(file: Path, index: str, wanted: Any) -> None:
    found = read(file, f"conv.weight{index}")
    assert found.dtype == np.int64
    assert found.tolist() == wanted.tolist()


def test_a_name_that_ends_like_an_index(file: Path) -> None:
    assert read(file, "b[0]").tolist() == [1.5, 2]
    assert read(file, "b[0][1:]").tolist() == [2]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "holds 2 arrays ('conv.weight', 'b[0]'); name one of them: FILE::conv.weight."),
        ("[0]", "holds 2 arrays"),
        ("cov.weight", "has no array 'cov.weight'; use one of its 2 arrays ('conv.weight')."),
        ("xyz[0]", "has no array 'xyz'; use one of its 2 arrays ('conv.weight', 'b[0]')."),
        ("conv.weight[3]", "has the index 3 for an axis of 3; use 0 to 2."),
        ("conv.weight[0,-3]", "has the index -3 for an axis of 2"),
        ("conv.weight[2:1]", "has the index 2:1 for an axis of 3"),
        ("conv.weight[0,0,0]", "leaves a single number; give fewer numbers."),
        ("conv.weight[0,0,0,0]", "has the index '[0,0,0,0]' for an array of 3×2×3; use up to 3 numbers or ranges"),
        ("conv.weight[::2]", "has the index '[::2]' for an array of 3×2×3"),
        ("conv.weight[__import__('os')]", "has the index"),
        ("conv.weight[0", "has no array 'conv.weight[0'"),
        ("x" * 5000, "has no array"),
    ],
)
def test_names_that_are_not_there(file: Path, key: str, says: str) -> None:
    assert says in refusal(file, key)


def test_many_names_are_listed_by_their_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    one = ("F32", [1], bytes(4))
    path.write_bytes(tensors(**{f"layer{i}.weight": one for i in range(60)}))
    assert "use one of its 60 arrays ('layer0.weight', 'layer1.weight', 'layer2.weight', " in refusal(path, "zzz")
    assert refusal(path, "zzz").endswith("'layer5.weight', ...).")
    assert "('layer59.weight', " in refusal(path, "layer59.weigth")


def test_a_single_array_needs_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", WEIGHT)
    assert read(tmp_path / "a.npy", "[0]").tolist() == WEIGHT[0].tolist()
    assert "holds one array without a name; give the file alone" in refusal(tmp_path / "a.npy", "w")
    np.savez(tmp_path / "a.npz", WEIGHT)
    assert read(tmp_path / "a.npz").tolist() == read(tmp_path / "a.npz", "arr_0").tolist() == WEIGHT.tolist()


KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
KINDS |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}


@pytest.mark.parametrize(("kind", "dtype"), KINDS.items())
def test_every_type_of_numbers(kind: str, dtype: str, tmp_path: Path) -> None:
    values = np.array([[0, 1], [1, 100]]).astype(dtype)
    (tmp_path / "a.safetensors").write_bytes(tensors(w=(kind, [2, 2], values.tobytes())))
    found = read(tmp_path / "a.safetensors")
    assert found.tolist() == values.astype(float).tolist()
    assert found.dtype == (np.float64 if kind.startswith("F") else np.int64)


@given(st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=1, max_size=4))
def test_bfloat16_is_the_upper_half_of_a_float(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("b") / "a.safetensors"
    words = [np.float32(v).tobytes()[2:] for v in values]
    path.write_bytes(tensors(w=("BF16", [len(values)], b"".join(words))))
    assert read(path).tolist() == [float(np.frombuffer(b"\0\0" + word, "<f4")[0]) for word in words]


def test_files_of_the_formats_own_library(tmp_path: Path) -> None:
    numpy = need_module("safetensors.numpy", promised=True)
    rng = np.random.default_rng(4)
    arrays = {f"a{i}": rng.normal(size=rng.integers(1, 5, rng.integers(1, 5))) for i in range(8)}
    arrays = {name: array.astype(rng.choice(["f2", "f4", "f8"])) for name, array in arrays.items()}
    numpy.save_file(arrays, tmp_path / "a.safetensors", metadata={"made": "by a test"})
    for name, array in arrays.items():
        assert np.array_equal(read(tmp_path / "a.safetensors", name), array.astype(float))
    ml_dtypes = need_module("ml_dtypes")
    halves = rng.normal(size=(3, 5)).astype(ml_dtypes.bfloat16)
    numpy.save_file({"w": halves}, tmp_path / "b.safetensors")
    assert np.array_equal(read(tmp_path / "b.safetensors"), halves.astype(float))


FOUR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is truncated or is not a .safetensors file; save it again with safetensors.numpy.save_file"),
        (b"PK\x03\x04", "is not a .safetensors file"),
        (with_header(b"[1, 2]"), "is not a .safetensors file"),
        (with_header(b"{}"), "holds 0 arrays; save an array into it"),
        (with_header(b'{"a": 3}'), "is not a .safetensors file"),
        (with_header(b"[" * 100_000), "is not a .safetensors file"),
        (with_header(b"\xff\xfe"), "is not a .safetensors file"),
        ((2**63).to_bytes(8, "little"), "is not a .safetensors file"),
        ((LONGEST_HEADER).to_bytes(8, "little") + b"{", "is truncated"),
        (with_header(json.dumps({"a": FOUR}).encode(), bytes(3)), "is truncated"),
        (with_header(json.dumps({"a": FOUR | {"shape": [2]}}).encode(), bytes(8)), "is not a .safetensors file"),
        (with_header(json.dumps({"a": FOUR | {"shape": [True]}}).encode(), bytes(8)), "is not a .safetensors file"),
        (with_header(json.dumps({"a": FOUR | {"shape": ["1"]}}).encode(), bytes(8)), "is not a .safetensors file"),
        (with_header(json.dumps({"a": FOUR | {"data_offsets": [-4, 0]}}).encode(), bytes(8)), "is not a .safetensors"),
        (with_header(json.dumps({"a": FOUR | {"data_offsets": [2**70, 2**70 + 4]}}).encode()), "is not a .safetensors"),
        (with_header(json.dumps({"a": FOUR | {"shape": [2**30]}}).encode()), "is too large; use at most"),
        (with_header(json.dumps({"a": FOUR | {"shape": []}}).encode(), bytes(4)), "has 0 dimensions"),
        (tensors(a=("F8_E4M3", [1], b"1")), "has 'a' of the dtype 'F8_E4M3'; save it as float32 or int64"),
        (tensors(a=("F32", [1], np.float32(np.nan).tobytes())), "has nan at [0], which is not finite"),
        (tensors(a=("BF16", [1], b"\x80\x7f")), "has inf at [0]"),
        (tensors(a=("U64", [1], b"\xff" * 8)), "which does not fit in int64"),
        (tensors(a=("F32", [0], b"")), "the size '0', which is not positive"),
    ],
)  # fmt: skip
def test_safetensors_that_are_refused(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    assert says in refusal(tmp_path / "a.safetensors")


class Trap:
    """Its pickle would write a file when it is loaded."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("trap"),)


@pytest.mark.parametrize("name", ["m.pt", "m.PTH", "m.bin", "m.pkl", "m.ckpt", "m.pt::conv.weight", "m.joblib::w[0]"])
def test_a_pickle_is_never_opened(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name.partition("::")[0]).write_bytes(pickle.dumps(Trap()))
    code, out, err = run("explain", "conv", "--input", "5x5", "--kernel", name)
    check(code, out, err, "is never opened; export its arrays where you trust it, with safetensors.torch.save_file")
    assert not Path("trap").exists()
    Path("m.npz").write_bytes(pickle.dumps(Trap()))
    assert "is not a .npz file" in refusal(Path("m.npz"))
    np.savez(tmp_path / "m.npz", w=np.array([Trap()], object))
    assert "has the dtype 'object'" in refusal(Path("m.npz"), "w")
    assert not Path("trap").exists()


def test_files_of_keras_say_how_to_export(tmp_path: Path) -> None:
    assert "is a file of Keras; export its arrays with numpy.savez" in refusal(tmp_path / "m.keras", "w")


def test_kernel_and_input_of_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=np.arange(16).reshape(4, 4), w=np.ones((2, 1, 2, 2), int))
    code, _, err = run("conv", "--input", "a.npz::x", "--kernel", "a.npz::w[0,0]", "-o", "a.json", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(Path("a.json").read_text())["output"] == [[[10, 14, 18], [26, 30, 34], [42, 46, 50]]]


def test_a_gallery_entry_names_an_array_in_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(16).reshape(4, 4), w=np.ones((2, 1, 2, 2), int))
    text = 'layer = "Conv(2)"\ninput = "a.npz::x"\nkernel = "a.npz::w[0,0]"\nformats = ["txt"]\n'
    (tmp_path / "one.toml").write_text(text)
    (tmp_path / "two.toml").write_text(text.replace("::w", "::v"))
    code, out, err = run("gallery", "build", "--folder", tmp_path, "--jobs", "1")
    assert code == 1, out + err
    assert "10 14 18" in " ".join((tmp_path / "one.txt").read_text().split())
    assert "'a.npz::v[0,0]' has no array 'v'; use one of its 2 arrays ('x', 'w')" in out + err

import io
import sys
import time
import warnings
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from convanim.errors import ConvanimError, ConvanimWarning
from convanim.typed import MAX_BYTES, read_array, read_number, read_padding, read_sizes
from support import refusals
from support.refusals import check_sentence

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def read(text, **options):
    return read_array(text, what="--input", **options)


def refused(text, **options):
    """The message with which it is refused."""
    error = refusals.refused(lambda: read(text, **options))
    check_sentence(error, "--input ")
    return str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", [1, 2, 3, 4, 5]),
        ("+2", [1, 2]),
        ("2x3", [[1, 2, 3], [4, 5, 6]]),
        (" 2 X 2 ", [[1, 2], [3, 4]]),
        ("1×2", [[1, 2]]),
        ("1x1x1x2", [[[[1, 2]]]]),
        ("[[0,1],[2,3]]", [[0, 1], [2, 3]]),
        (" [ -1 ] ", [-1]),
        ("[\u22121, 2]", [-1, 2]),
        ("[[[[7]]]]", [[[[7]]]]),
        (f"[{INT64_MIN}, {INT64_MAX}]", [INT64_MIN, INT64_MAX]),
    ],
)
def test_shapes_and_integer_literals(text, expected):
    array = read(text)
    assert array.dtype == np.int64
    assert array.tolist() == expected


@pytest.mark.parametrize(("text", "expected"), [("[1, 2.5]", [1.0, 2.5]), ("[[1e3], [-0.5]]", [[1000.0], [-0.5]])])
def test_any_float_makes_a_literal_float64(text, expected):
    array = read(text)
    assert array.dtype == np.float64
    assert array.tolist() == expected


def test_fills():
    assert read("2x2", fill="ones").tolist() == [[1, 1], [1, 1]]
    drawn = read("40x40", fill="random", seed=3, low=-1, high=1)
    assert drawn.dtype == np.int64
    assert set(drawn.ravel().tolist()) == {-1, 0, 1}
    assert np.array_equal(drawn, read("40x40", fill="random", seed=3, low=-1, high=1))
    assert not np.array_equal(drawn, read("40x40", fill="random", seed=4, low=-1, high=1))
    assert read("3", fill="random", low=INT64_MAX, high=INT64_MAX).tolist() == [INT64_MAX] * 3


@pytest.mark.parametrize("options", [{"low": 5, "high": 4}, {"high": 2**63}, {"low": -(2**63) - 1}, {"seed": -1}])
def test_a_random_fill_that_cannot_be_drawn(options):
    assert "cannot be filled with random integers from" in refused("3", fill="random", **options)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a shape (5x5), a literal ([[0,1],[2,3]]), a .npy, .npz, .safetensors, .csv, .tsv, .txt, .png or .jpg"),
        ("hello", "'hello' is not an array; type a shape (5x5), a literal"),
        ("{}", "is not an array"),
        ("nul\0", r"'nul\x00' is not an array"),
        ("\ud800", "is not an array"),
        ("1" * 3 + "a" * 5000, "is not an array"),
        ("1e9x1e9", "the size '1e9', which is too large; use at most 16777216"),
        ("9" * 5000, "which is too large"),
        ("5000x5000", "'5000x5000' is too large; use at most 16777216 cells"),
        ("2.5x3", "'2.5', which is not a whole number"),
        ("1e1", "'1e1', which is not a whole number"),
        ("5,5", "'5,5', which is not a whole number; write 5x5 for sizes, or [5,5] for values"),
        ("0x5", "the size '0', which is not positive; use sizes of 1 or more"),
        ("-3x3", "the size '-3', which is not positive"),
        ("5x", "lacks a size"),
        ("5xx5", "lacks a size"),
        ("1x1x1x1x1x1", "has 6 dimensions; use 1 to 5"),
        ("[]", "'[]' is empty"),
        ("[[],[]]", "is empty"),
        ("[[1,2],[3]]", "is ragged: [1] is a list of 1, but the first is a list of 2"),
        ("[1,[2]]", "is ragged: [1] is a list of 1, but the first is a number"),
        ("[[[1],[2]],[[3],4]]", "is ragged: [1, 1] is a number, but the first is a list of 1"),
        ("[[[[[[1]]]]]]", "too many dimensions; nest at most 5"),
        ("[" * 100_000, "too many dimensions"),
        ("[1," * 100_000 + "1" + "]" * 100_000, "too many dimensions"),
        ('[{"a":' * 100_000, "which is not a number"),
        ("[1,2", "is not a JSON list at character 5"),
        ("[1,2,]", "is not a JSON list at character"),
        ("[1][2]", "is not a JSON list at character 4 (Extra data)"),
        ("]]]][1]", "is not an array"),
        ("[01]", "is not a JSON list"),
        ("[1_000]", "has '_', which is not a number"),
        ("[٣]", "has '٣', which is not a number"),
        ("[1, true]", "has 'true', which is not a number"),
        ("[null]", "has 'null', which is not a number"),
        ('[1, "2"]', "has '\"2\"', which is not a number"),
        ("[1, NaN]", "has 'NaN', which is not finite; a trace is verified by comparing"),
        ("[-Infinity]", "has 'Infinity', which is not finite"),
        ("[1e999]", "has '1e999', which is not finite"),
        (f"[{INT64_MAX + 1}]", "has '9223372036854775808', which does not fit in int64"),
        ("[" + "1" * 5000 + "]", "does not fit in int64"),
        ("[" + "1," * 500_000 + "1]", "has 1000003 characters; put more than 1000000 in a .npy or .csv file"),
        ("missing.csv", "'missing.csv' cannot be read (No such file or directory); give a file that exists"),
        ("nul\0.csv", "cannot be read"),
        ("\ud800.npy", "cannot be read"),
        ("a" * 5000 + ".npy", "cannot be read"),
    ],
)
def test_bad_text_is_refused(text, says):
    started = time.perf_counter()
    assert says in refused(text)
    assert time.perf_counter() - started < 2


# Sizes and paddings.


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", (5,)), ("4x6", (4, 6)), ("2X3×4", (2, 3, 4)), ("0x-1", (0, -1)), (" 1 x 2 ", (1, 2)), ("0" * 5000, (0,))],
)
def test_sizes(text, expected):
    assert read_sizes(text, what="--stride") == expected


@pytest.mark.parametrize(
    "text", ["", " ", "x", "2x", "1.5", "2.0", "two", "٣", "1_0", "nan", "inf", "1e400", "ınf", "1:2"]
)
def test_bad_sizes(text):
    with pytest.raises(ConvanimError) as caught:
        read_sizes(text, what="--stride")
    check_sentence(caught.value, "--stride ")
    assert repr(text) in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-1", -1),
        ("2x1", (2, 1)),
        ("1:2", ((1, 2),)),
        ("1:2x0:1", ((1, 2), (0, 1))),
        ("1×0:1", ((1, 1), (0, 1))),
        ("valid", "valid"),
        (" same ", "same"),
        ("same_lower", "same_lower"),
        ("full", "full"),
    ],
)
def test_paddings(text, expected):
    assert read_padding(text, what="--padding") == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vald", "did you mean valid"),
        ("SAME", "did you mean same"),
        ("same-lower", "did you mean same_lower"),
        ("zebra", "type 1, 2x1, 1:2x0:1, or valid, same, same_upper, same_lower, full, causal"),
        ("", "lacks a size"),
        ("1:", "lacks a size"),
        ("1:2:3", "more than two numbers for one axis; write before:after"),
        ("1.5", "not a whole number"),
        ("1:2y", "'2y', which is not a whole number"),
    ],
)
def test_bad_paddings(text, says):
    with pytest.raises(ConvanimError) as caught:
        read_padding(text, what="--padding")
    check_sentence(caught.value, "--padding ")
    assert says in str(caught.value)
    assert repr(text) in caught.value.message


# Tables.


def piped(data):
    return read("-", stdin=io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,2,3", [1, 2, 3]),
        (b"7\n", [7]),
        (b"1\n2\n", [[1], [2]]),
        (b"\xef\xbb\xbf\r\n1, 2\r\n\r\n3 ,-4\r\n  \r\n", [[1, 2], [3, -4]]),
        (b"1;2\n3;4", [[1, 2], [3, 4]]),
        (b"1\t2\n3\t4", [[1, 2], [3, 4]]),
        (b'"1","2"', [1, 2]),
        (b"1,2\r3,4", [[1, 2], [3, 4]]),
    ],
)
def test_integer_tables(data, expected):
    array = piped(data)
    assert array.dtype == np.int64
    assert array.tolist() == expected


def test_one_float_makes_a_table_float64():
    array = piped(b"1,2\n.5,1e2")
    assert array.dtype == np.float64
    assert array.tolist() == [[1.0, 2.0], [0.5, 100.0]]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "contains no numbers"),
        (b"\n \n", "contains no numbers"),
        (b"a,b\nc,d", "has 'c' in line 2, column 1, which is not a number"),
        (b"1,2\n\n3,x", "has 'x' in line 3, column 2, which is not a number"),
        (b"1,,2\n", "has an empty cell in line 1, column 2"),
        (b"1,2\n3", "is ragged: line 2 has 1 cell, but the first row has 2"),
        (b"1,1_000", "has '1_000' in line 1, column 2"),
        (b"1,nan", "has 'nan' in line 1, column 2, which is not finite"),
        (b"-inf", "has '-inf' in line 1, column 1, which is not finite"),
        (b"1,9223372036854775808", "line 1, column 2, which does not fit in int64"),
        (b"\xff\xfe1", "is not UTF-8 text, nor UTF-16 with a byte order mark; save it as CSV in UTF-8"),
        (b'1,"2', "has a broken cell in line 1"),
        (b"1" * 200_000, "has a broken cell in line 1"),
    ],
)
def test_bad_tables(data, says):
    assert says in refused("-", stdin=io.BytesIO(data))


def test_a_table_is_read_bounded():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            assert 0 < size <= MAX_BYTES + 1
            return b"1" * size

    assert f"has more than {MAX_BYTES} bytes" in refused("-", stdin=Endless())


def test_standard_input_is_the_default_and_may_be_missing(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1,2")))
    assert read("-").tolist() == [1, 2]
    monkeypatch.setattr(sys, "stdin", None)
    assert "contains no numbers" in refused("-")
    closed = io.BytesIO()
    closed.close()
    assert "cannot be read" in refused("-", stdin=closed)


INT_TABLES = hnp.arrays(np.int64, st.tuples(st.integers(2, 5), st.integers(1, 5)))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
FLOAT_TABLES = hnp.arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(1, 5)), elements=FINITE)


@given(INT_TABLES | FLOAT_TABLES, st.sampled_from([(".csv", ","), (".CSV", ";"), (".csv", "\t"), (".tsv", "\t")]))
def test_tables_round_trip(tmp_path_factory, table, form):
    suffix, delimiter = form
    path = tmp_path_factory.getbasetemp() / f"table{suffix}"
    path.write_text("\n".join(delimiter.join(map(repr, row)) for row in table.tolist()), encoding="utf-8")
    back = read(str(path))
    assert back.dtype == table.dtype
    assert np.array_equal(back, table)


@given(INT_TABLES | FLOAT_TABLES)
def test_literals_round_trip(table):
    back = read(repr(table.tolist()))
    assert back.dtype == table.dtype
    assert np.array_equal(back, table)


def test_a_tsv_is_never_split_at_commas(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("1,5\n")
    assert "has '1,5' in line 1, column 1, whose comma may be a decimal comma or a thousands separator" in refused(
        str(path)
    )


# numpy files.


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i2", ">i4", "u4", "i8", "u8", "f2", ">f4", "f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_round_trip(tmp_path, dtype, order, version):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype, order=order)
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, array, version=version)
    back = read(str(path))
    assert back.dtype == (np.float64 if array.dtype.kind == "f" else np.int64)
    assert back.flags.c_contiguous
    assert back.dtype.isnative
    assert np.array_equal(back, array)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array(5), "has 0 dimensions; use 1 to 5"),
        (np.zeros((1,) * 6), "has 6 dimensions"),
        (np.zeros((2, 0)), "the size '0', which is not positive"),
        (np.array([1j]), "has the dtype 'complex128'; save its real part (a.real) or its absolute values (abs(a))"),
        (np.array(["a"]), "has the dtype '<U1'"),
        (np.array([1], dtype="m8[s]"), "has the dtype"),
        (np.zeros(2, dtype=[("a", "i4")]), "has the dtype"),
        (np.zeros(2, dtype=[("é" * 40, "i4")]), "has the dtype"),
        (np.array([[0, 1], [2, np.nan]]), "has nan at [1, 1], which is not finite; a trace is verified"),
        (np.array([np.inf], dtype="f2"), "has inf at [0]"),
        (np.array([2**63], dtype="u8"), "has 9223372036854775808, which does not fit in int64"),
    ],
)
def test_bad_npy(tmp_path, array, says):
    path = tmp_path / "a.npy"
    np.save(path, array)
    assert says in refused(str(path))


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert "has the dtype 'object'" in refused(str(path))


def header(shape, descr="'<i8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is truncated or is not a .npy file; save it again with numpy.save"),
        (b"PK\x03\x04 an .npz under another name", "is not a .npy file"),
        (b"\x93NUMPY\x03\x00\x00\x00\x00\x00", "is not a .npy file"),
        (header("(3,)") + bytes(23), "is truncated"),
        (header("(1000000000, 1000000000)"), "is too large; use at most 16777216 cells"),
        (header("(-1,)"), "the size '-1', which is not positive"),
        (header(f"({'-' + '9' * 4000},)"), "which is not positive"),
        (header(f"({','.join(['9' * 2000] * 4)})"), "is too large"),
        (header("(" * 4000), "is not a .npy file"),
        (header("(1,)", "'<i8"), "is not a .npy file"),
        (header("(1,)", "[1, 2]"), "is not a .npy file"),
    ],
)
def test_broken_npy(tmp_path, data, says):
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    assert says in refused(str(path))


def test_a_npy_of_python_2_is_read_without_a_warning(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(header("(2L,)") + np.array([5, 6]).tobytes())
    assert read(str(path)).tolist() == [5, 6]


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_npy_is_an_array_or_a_refusal(tmp_path_factory, data):
    good = header("(2, 2)", "'<f8'") + np.arange(4.0).tobytes()
    place = data.draw(st.integers(6, len(good) - 1))
    bad = good[:place] + data.draw(st.binary(max_size=8)) + good[place + data.draw(st.integers(0, 8)) :]
    path = tmp_path_factory.getbasetemp() / "damaged.npy"
    path.write_bytes(bad)
    try:
        assert np.isfinite(read(str(path))).all()
    except ConvanimError as error:
        check_sentence(error, "--input ")


# Paths.


def test_other_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes.md").write_text("1,2")
    Path("folder.csv").mkdir()
    assert (
        "'notes.md' is a file with an unknown suffix; give a file that ends in .npy, .npz, .safetensors, .csv, "
        in refused("notes.md")
    )
    assert "is a directory" in refused(".")
    assert "'folder.csv' cannot be read (Is a directory)" in refused("folder.csv")
    long = f"{tmp_path}/{'deep' * 30}/end.csv"
    assert "deepdeep/end.csv'" in refused(long)


# Anything at all.

NEARLY = st.text(alphabet="0123456789xX×.,:;-+eE[](){}\" NaInftrul_'٣ı\n\t\0/", max_size=24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,1;2,3", [[0, 1], [2, 3]]),
        ("[0 1; 2 3;]", [[0, 1], [2, 3]]),
        ("0.5, -1 ; 2e1, 3", [[0.5, -1], [20, 3]]),
        ("1;2", [[1], [2]]),
        ("'[[0,1],[2,3]]'", [[0, 1], [2, 3]]),  # cmd.exe
        ("'0,1;2,3'", [[0, 1], [2, 3]]),
        ("' 2x2 '", [[1, 2], [3, 4]]),
        ('"[5]"', [5]),
    ],
)
def test_rows_and_what_shells_hand_on(text, expected):
    assert read_array(text, what="--input").tolist() == expected


@pytest.mark.parametrize(
    "text", ["0,1;2", "0,,1;2,3", ";", "1,2;x", "[[0,1];[2,3]]", "1-2;3", "'1;2", "1" * 100_000 + "x;"]
)
def test_rows_that_are_none(text):
    with pytest.raises(ConvanimError, match=r"^--input .*; "):
        read_array(text, what="--input")


def test_sizes_in_quotes():
    assert read_sizes("'2x1'", what="--stride") == (2, 1)
    assert read_padding("'same'", what="--padding") == "same"
    assert read_number("'-0.5'", what="--bias") == -0.5


@settings(max_examples=500)
@given(st.text() | NEARLY | NEARLY.map("[{}]".format))
@example("-")
@example("[ı]")
@example("ınf")
@example("--")
@example("[" + "-" * 50 + "]")
def test_any_text_is_read_or_refused_in_one_sentence(text):
    options = {"what": "--input", "stdin": io.BytesIO(b"")}
    for reader in (read_array, read_sizes, read_padding):
        try:
            value = reader(text, **(options if reader is read_array else {"what": "--input"}))
        except ConvanimError as error:
            check_sentence(error, "--input ")
        else:
            if reader is read_array:
                assert value.dtype in (np.int64, np.float64)
                assert np.isfinite(value).all()
                assert 1 <= value.ndim <= 4
            elif reader is read_sizes:
                assert all(type(size) is int for size in value)


def test_a_picture_gives_its_grey_values(tmp_path: Path) -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    imageio.imwrite(tmp_path / "a.png", grey)
    imageio.imwrite(tmp_path / "b.PNG", np.stack([grey] * 3, axis=-1))
    for name in ("a.png", "b.PNG"):
        read = read_array(str(tmp_path / name), what="--input")
        assert (read.dtype, read.tolist()) == (np.int64, grey.tolist())


@pytest.mark.parametrize(
    ("content", "says"), [(None, "cannot be read"), (b"hello", "is not a picture that can be read")]
)
def test_what_is_no_picture_is_refused(content: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConvanimError, match=says):
        read_array(str(file), what="--input")


@pytest.mark.parametrize("text", ["[9007199254740993,1.5]", "1.5,9007199254740993;1,2", "-"])
def test_an_integer_that_a_float_cannot_hold_is_refused_beside_floats(text: str) -> None:
    told = refused(text, stdin=io.BytesIO(b"9007199254740993,1.5\n"))
    assert "has 9007199254740993 beside numbers with a decimal point" in told
    assert "9007199254740992" in told
    assert read(text.replace("1.5", "1"), stdin=io.BytesIO(b"9007199254740993,1\n")).max() == 9007199254740993
    assert read("[9007199254740992,1.5]").tolist() == [9007199254740992.0, 1.5]


@pytest.mark.parametrize("text", ["1,000,000;2,000,000", "-"])
def test_thousands_separators_are_told(text: str) -> None:
    with pytest.warns(ConvanimWarning, match=r"has '1,000,000', which is read as 3 numbers; write 1000000 for one"):
        assert read(text, stdin=io.BytesIO(b"1,000,000\n2,000,000\n")).tolist() == [[1, 0, 0], [2, 0, 0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read("100,200,300;1,2,3").tolist() == [[100, 200, 300], [1, 2, 3]]
        assert read("001,002;003,004").tolist() == [[1, 2], [3, 4]]


def test_sizes_without_values_take_no_memory() -> None:
    array = read("4096x4096", fill="none")
    assert (array.shape, array.strides, array.max()) == ((4096, 4096), (0, 0), 0)
    assert "has 16,777,216 cells, and at most 5,000,000" in refused("4096x4096")

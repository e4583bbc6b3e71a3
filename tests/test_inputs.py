"""Real-world files: each is read as numbers, or refused with a hint.

The files are made byte by byte, or by NumPy and Pillow, never by convanim.
"""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convanim.errors import ConvanimError, ConvanimWarning
from convanim.typed import read_array, read_picture
from convanim.typed.request import request
from support.commands import run
from support.refusals import check

SQUARE = [[1, 2], [3, 4]]
HEAD = "has a header row"
INDEX = "has an index column"

# The file's contents, the numbers that are read, and the notes about skipped parts.
READ: dict[str, tuple[bytes, list[Any], tuple[str, ...]]] = {
    "a byte order mark": (b"\xef\xbb\xbf1,2\n3,4\n", SQUARE, ()),
    "UTF-16 of Windows": ("1\t2\r\n3\t4\r\n".encode("utf-16"), SQUARE, ()),
    "UTF-16, the high byte first": (b"\xfe\xff" + "1,2\n3,4".encode("utf-16-be"), SQUARE, ()),
    "UTF-32": ("1,2\n3,4".encode("utf-32"), SQUARE, ()),
    "line ends of Windows": (b"1,2\r\n3,4\r\n", SQUARE, ()),
    "line ends of old Macs": (b"1,2\r3,4\r", SQUARE, ()),
    "semicolons": (b"1;2\n3;4\n", SQUARE, ()),
    "tabs": (b"1\t2\n3\t4\n", SQUARE, ()),
    "blanks after commas": (b"1, 2\n3, 4\n", SQUARE, ()),
    "blanks": (b"1 2\n3 4\n", SQUARE, ()),
    "aligned columns": (b"   1.0    2.0\n  -3.0    4.5\n", [[1, 2], [-3, 4.5]], ()),
    "decimal commas between semicolons": (b"1,5;2\n-3;,5e1\n", [[1.5, 2], [-3, 5]], ()),
    "decimal commas between tabs": (b"1,5\t2\n-3\t4\n", [[1.5, 2], [-3, 4]], ()),
    "decimal points between semicolons": (b"1.5;2\n3;4\n", [[1.5, 2], [3, 4]], ()),
    "a header row": (b"a,b\n1,2\n3,4\n", SQUARE, (f"{HEAD} ('a, b'), which is skipped.",)),
    "a quoted header row": (b'"a, or b","c\nd"\n1,2\n3,4\n', SQUARE, (HEAD,)),
    "a header row with semicolons": ("Größe;x\n1,5;2\n3;4\n".encode(), [[1.5, 2], [3, 4]], ("'Größe, x'",)),
    "a title above": (b"Edges, vertical\n1;2;3\n4;5;6\n", [[1, 2, 3], [4, 5, 6]], ("'Edges, vertical'",)),
    "what Excel says of the separator": (b"sep=;\na;b\n1;2\n3;4\n", SQUARE, (HEAD,)),
    "comments": (b"# made by hand\n1,2 # first\n  # half\n3,4\n", SQUARE, ()),
    "a comment with other separators": (b"# a;b;c\n1,2\n3,4\n", SQUARE, ()),
    "empty lines": (b"\n1,2\n\n \n3,4\n\n", SQUARE, ()),
    "commas at the ends": (b"1,2,\n3,4,\n", SQUARE, ()),
    "empty cells of a spreadsheet": (b"1,2,,\n3,4,,\n,,,\n", SQUARE, ()),
    "quoted numbers": (b'"1","2"\n"3","4"\n', SQUARE, ()),
    "a minus of typesetting": ("\u22121,2\n3,\u22124\n".encode(), [[-1, 2], [3, -4]], ()),
    "a dash for a minus": ("\u20131;2\n3;\u20134,5\n".encode(), [[-1, 2], [3, -4.5]], ()),
    "truth": (b"True,False\nFALSE,TRUE\n", [[1, 0], [0, 1]], ()),
    "pandas, without names": (b",0,1\n0,1,2\n1,3,4\n", SQUARE, (HEAD, INDEX)),
    "pandas, with names": (b",a,b\n0,1,2\n1,3,4\n", SQUARE, (HEAD, INDEX)),
    "pandas, read and written again": (b"Unnamed: 0,a,b\n0,1,2\n1,3,4\n", SQUARE, (HEAD, INDEX)),
    "a series over days": (b",a,b\n2020-01-01,1,2\n2020-01-02,3,4\n", SQUARE, (HEAD, INDEX)),
    "an index with its name": (b"index;a;b\n0;1,5;2\n1;3;4\n", [[1.5, 2], [3, 4]], (HEAD, INDEX)),
    "a column of names": (b"up,1,2\ndown,3,4\n", SQUARE, (f"{INDEX} (from 'up' on), which is skipped.",)),
    "one column": (b"1,5;\n2;\n", [[1.5], [2]], ()),
    "a column with a header row": (b"values\n1\n2\n", [[1], [2]], (HEAD,)),
    "a lone row": (b"1;2,5;3", [1, 2.5, 3], ()),
}

# The file's contents, and the message that refuses it.
REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "contains no numbers; write one row of numbers per line"),
    "comments alone": (b"# 1,2\n", "contains no numbers"),
    "a header row alone": (b"a,b\n", "has 'a' in line 1, column 1, which is not a number"),
    "quoted decimal commas": (b'"1,5",2\n', "has '1,5' in line 1, column 1, whose comma may be a decimal comma or"),
    "decimal commas and blanks": (
        b"1,5 2,5\n",
        "has '5 2' in line 1, column 2, which is not a single number; separate all",
    ),
    "both decimal signs": (b"1,5;2.5\n", "has both '1,5' in line 1, column 1 and '2.5' in line 1, column 2"),
    "thousands and decimals": (b"1.234,5;1\n", "has both '1.234,5' in line 1"),
    "rows of unequal length": (b"1,5,2\n1,2\n", "line 2 has 2 cells, but the first row has 3; give rows of equal"),
    "a name too few": (b"a b\n1 2 3\n", "line 2 has 3 cells, but the header row has 2; name every column"),
    "R's row names": (b'"x"\n"1" 5\n"2" 6\n', "line 2 has 2 cells, but the header row has 1; name every column"),
    "a missing value": (b"1,,2\n3,4,5\n", "has an empty cell in line 1, column 2"),
    "a missing corner": (b",2,3\n4,5,6\n", "has an empty cell in line 1, column 1"),
    "a missing value at the end": (b"1,2\n3,\n", "line 2 has 1 cell, but the first row has 2"),
    "NaN": (b"1,nan\n", "has 'nan' in line 1, column 2, which is not finite"),
    "two header rows": (b"a,b\nm,s\n1,2\n", "has 'm' in line 2, column 1, which is not a number"),
    "days without a header row": (b"2020-01-01,5\n", "has '2020-01-01' in line 1, column 1, which is not a number"),
    "names only at first": (b"a,1\n2,3\n", "has 'a' in line 1, column 1, which is not a number"),
    "complex numbers": (b"(1+2j),3\n", "has '(1+2j)' in line 1, column 1, which is not a number"),
    "another encoding": (
        "Größe\n1\n".encode("cp1252"),
        "is not UTF-8 text, nor UTF-16 with a byte order mark; save it",
    ),
    "UTF-16 without a mark": ("1,2".encode("utf-16-le"), "is not UTF-8 text, nor UTF-16 with a byte order mark"),
    "a spreadsheet": (b"PK\x03\x04\x14\0\0\0", "is not UTF-8 text"),
}


def read(text: str, **more: Any) -> tuple[list[Any], list[str]]:
    """The numbers of an array, and the notes about it."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        numbers = read_array(text, what="--input", **more).tolist()
    assert all(one.category is ConvanimWarning for one in told)
    return numbers, [str(one.message) for one in told]


@pytest.mark.parametrize("kind", READ)
def test_tables_that_are_read(kind: str, tmp_path: Path) -> None:
    data, numbers, says = READ[kind]
    path = tmp_path / "with a blank, größer.csv"
    path.write_bytes(data)
    for got, told in (read(str(path)), read("-", stdin=io.BytesIO(data))):
        assert got == numbers
        assert len(told) == len(says)
        assert all(said in one and one.startswith("--input '") for said, one in zip(says, told, strict=True))


@pytest.mark.parametrize("kind", REFUSED)
def test_tables_that_are_refused(kind: str, tmp_path: Path) -> None:
    data, says = REFUSED[kind]
    (tmp_path / "a.csv").write_bytes(data)
    for text, stdin in ((str(tmp_path / "a.csv"), None), ("-", io.BytesIO(data))):
        with pytest.raises(ConvanimError) as caught:
            read(text, stdin=stdin)
        assert says in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize("options", [{}, {"delimiter": ","}, {"delimiter": "\t"}, {"fmt": "%8.3f"}, {"header": "a b"}])
@pytest.mark.parametrize("suffix", ["csv", "txt", "dat"])
def test_what_numpy_writes_as_text(options: dict[str, Any], suffix: str, tmp_path: Path) -> None:
    np.savetxt(tmp_path / f"a.{suffix}", SQUARE, **options)
    assert read(str(tmp_path / f"a.{suffix}")) == (SQUARE, [])


def test_what_is_left_out_is_said_once_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    typed = ("conv", "--input", tmp_path / "a.csv", "--kernel", "[[1]]", "-o", tmp_path / "a.json")
    code, out, err = run(*typed)
    assert (code, out) == (0, f"{tmp_path / 'a.json'}, 4 steps, 1 KB\n")
    assert err.startswith(f"Note: --input '{str(tmp_path)[:10]}")
    assert err.count(f"{HEAD} ('a, b'), which is skipped.\n") == 1
    assert json.loads((tmp_path / "a.json").read_text())["output"] == [SQUARE]
    assert run(*typed, "--quiet") == (0, "", "")


# NumPy's files.


def test_a_npz_of_one_array(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", np.asfortranarray(SQUARE))
    assert read(str(tmp_path / "a.npz")) == (SQUARE, [])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"a": [1], "b": [2]}, "holds 2 arrays ('a', 'b'); name one of them: FILE::a"),
        ({f"a{i}": [1] for i in range(9)}, "holds 9 arrays ('a0', 'a1', 'a2', 'a3', 'a4', 'a5', ...); name"),
        ({}, "holds 0 arrays"),
        ({"a": np.array([{}], dtype=object)}, "has the dtype 'object'"),
        (b"", "is truncated or is not a .npz file; save it again with numpy.savez"),
        (b"PK\x05\x06" + b"\xff" * 18, "is truncated or is not a .npz file"),
    ],
)
def test_npz_that_are_refused(data: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(data) if isinstance(data, bytes) else np.savez(path, **data)
    with pytest.raises(ConvanimError) as caught:
        read(str(path))
    assert says in str(caught.value)


def test_a_small_npz_that_would_fill_the_memory(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", np.zeros(2**25, np.int8))
    assert (tmp_path / "a.npz").stat().st_size < 2**16
    with pytest.raises(ConvanimError, match="is too large; use at most"):
        read(str(tmp_path / "a.npz"))


BATCH = np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3)  # the sums of 2×2 are 12, 16, 24, 28


@pytest.mark.parametrize(
    ("kind", "typed", "output"),
    [
        ("conv", {"kernel": "[[1,1],[1,1]]"}, [[12, 16], [24, 28]]),
        ("conv", {"kernel": "2", "fill": "ones"}, [[12, 16], [24, 28]]),
        ("conv", {"kernel": "[[[[1,1],[1,1]]]]"}, [[[12, 16], [24, 28]]]),
        ("conv", {"kernel": "[[1,1],[1,1]]", "convention": "jax"}, [[12, 16], [24, 28]]),
        ("layer", {"notation": "Conv(2)", "fill": "ones"}, [[12, 16], [24, 28]]),
        ("layer", {"notation": "nn.Conv2d(1, 1, 2)", "fill": "ones"}, [[12, 16], [24, 28]]),
        ("layer", {"notation": "MaxPool(2, stride=1)"}, [[5, 6], [8, 9]]),
        ("pool", {"kernel": "2", "stride": "1"}, [[5, 6], [8, 9]]),
        ("upsample", {"size": "1x1"}, [[1]]),
        ("unpool", {"kernel": "3"}, [[0, 0, 0], [0, 0, 0], [0, 0, 9]]),
    ],
)
def test_a_batch_of_one_is_its_plane(kind: str, typed: dict[str, Any], output: list[Any], tmp_path: Path) -> None:
    last = typed.get("convention") == "jax"
    np.save(tmp_path / "a.npy", BATCH.transpose(0, 2, 3, 1) if last else BATCH)
    assert request(kind, x=str(tmp_path / "a.npy"), **typed).trace().output.tolist() == output


def test_a_batch_of_one_with_channels_meets_its_weights(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 3, 8, 8)))
    np.save(tmp_path / "w.npy", np.ones((8, 3, 3, 3)))
    for kernel, value in ((str(tmp_path / "w.npy"), 27), ("[[1,1],[1,1]]", 12), ("1", 3)):
        output = request("conv", x=str(tmp_path / "x.npy"), kernel=kernel, fill="ones").trace().output
        assert (output == value).all()


# Pictures.

RGB = np.array([[[255, 0, 1], [10, 20, 30], [7, 8, 9]], [[0, 255, 2], [40, 50, 60], [1, 2, 3]]], np.uint8)
GREY16 = np.array([[0, 87, 174], [261, 700, 65535]], np.uint16)


def png(depth: int, kind: int, row: bytes, width: int = 2) -> bytes:
    """A PNG of one row, byte by byte: Pillow writes no 16 bits of colour."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, kind, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" + row))]
    told = (
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in [*chunks, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


def tiff(bits: int, samples: int, photo: int, data: bytes, form: int = 1) -> bytes:
    """An uncompressed TIFF of one row of two pixels: header, ten tags, bits of each sample, pixels."""
    depth = (258, samples, bits if samples == 1 else 134)  # one sample is in the tag, more are after the last one
    one = [
        (256, 2),
        (257, 1),
        (259, 1),
        (262, photo),
        (273, 140),
        (277, samples),
        (278, 1),
        (279, len(data)),
        (339, form),
    ]
    tags = sorted([depth, *((tag, 1, value) for tag, value in one)])
    entries = b"".join(struct.pack("<HHII", tag, 3, count, value) for tag, count, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I3H", 0, bits, bits, bits) + data


def pillow(suffix: str, image: Image.Image, **options: Any) -> bytes:
    """A picture encoded by Pillow."""
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


def turned() -> Image.Exif:
    """An upright camera: the stored picture is displayed rotated clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def palette() -> Image.Image:
    image = Image.fromarray(np.array([[2, 0, 1]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 9, 8, 7])
    return image


COLOURS = RGB.transpose(2, 0, 1).tolist()
PALETTE = [[[9, 255, 0]], [[8, 0, 255]], [[7, 0, 0]]]
BROWN = Image.new("CMYK", (16, 16), (51, 102, 204, 51))  # (1 - c)(1 - k): 0.8, 0.6 and 0.2 of 0.8
PICTURES: dict[str, tuple[str, Callable[[], bytes], Any]] = {
    "colours as PNG": (".png", lambda: pillow("PNG", Image.fromarray(RGB)), COLOURS),
    "colours as TIFF": (".tif", lambda: pillow("TIFF", Image.fromarray(RGB)), COLOURS),
    "colours as TIFF, packed": (".TIFF", lambda: pillow("TIFF", Image.fromarray(RGB), compression="tiff_lzw"), COLOURS),
    "colours as WebP": (".webp", lambda: pillow("WEBP", Image.fromarray(RGB), lossless=True), COLOURS),
    "a palette as PNG": (".png", lambda: pillow("PNG", palette()), PALETTE),
    "a palette as GIF": (".gif", lambda: pillow("GIF", palette()), PALETTE),
    "a palette as TIFF": (".tif", lambda: pillow("TIFF", palette()), PALETTE),
    "16 bits as PNG": (".png", lambda: pillow("PNG", Image.fromarray(GREY16)), [GREY16.tolist()] * 3),
    "16 bits as TIFF": (".tif", lambda: pillow("TIFF", Image.fromarray(GREY16)), [GREY16.tolist()] * 3),
    "16 bits, the high byte first": (".png", lambda: png(16, 0, b"\x02\xbc\x00\x01"), [[[700, 1]]] * 3),
    "16 bits with a sign": (".tif", lambda: tiff(16, 1, 1, struct.pack("<2h", -700, 1), 2), [[[-700, 1]]] * 3),
    "one bit": (".png", lambda: png(1, 0, b"\x40"), [[[0, 255]]] * 3),
    "white as 0 in 8 bits": (".tif", lambda: tiff(8, 1, 0, b"\0\xc8"), [[[255, 55]]] * 3),
    "transparency": (".png", lambda: png(8, 6, b"\xff\0\0\xff\0\0\0\x33"), [[[255, 204]], [[0, 204]], [[0, 204]]]),
    "a turned JPEG": (
        ".jpg",
        lambda: pillow("JPEG", Image.fromarray(np.repeat([[0] * 8 + [255] * 8], 8, 0).astype(np.uint8)), exif=turned()),
        np.repeat([[0]] * 8 + [[255]] * 8, 8, 1)[None].repeat(3, 0).tolist(),
    ),
    "inks": (".jpg", lambda: pillow("JPEG", BROWN, quality=100), np.full((3, 16, 16), 1) * [[[163]], [[122]], [[41]]]),
}
UNREAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "white as 0 in 16 bits": (".tif", lambda: tiff(16, 1, 0, bytes(4)), "has signed or 32-bit pixels, or pixels"),
    "32 bits": (".tif", lambda: tiff(32, 1, 1, bytes(8)), "has signed or 32-bit pixels"),
    "8 bits with a sign": (".tif", lambda: tiff(8, 1, 1, b"\xff\x01", 2), "has signed or 32-bit"),
    "fractions": (
        ".tif",
        lambda: tiff(32, 1, 1, bytes(8), 3),
        "has pixels that are not integers; save its values",
    ),
    "nothing": (".webp", lambda: b"", "is truncated or is not a picture that can be read"),
    "a program for a printer": (".tif", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not a picture that can be read"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_that_are_read(kind: str, tmp_path: Path) -> None:
    suffix, made, numbers = PICTURES[kind]
    path = tmp_path / f"a picture, größer{suffix}"
    path.write_bytes(made())
    got = read_picture(str(path), what="--input")
    near = 3 if suffix == ".jpg" else 0
    assert np.abs(got - np.array(numbers)).max() <= near


#: Two pixels of 16 bits per channel, of which the upper byte is the colour.
DEEP = {
    "colours": (".png", lambda: png(16, 2, bytes([9, 255, 8, 1, 7, 1] * 2)), [[[9, 9]], [[8, 8]], [[7, 7]]]),
    "grey and transparency": (".png", lambda: png(16, 4, bytes([9, 255, 255, 255] * 2)), [[[9, 9]]] * 3),
    "colours as TIFF": (".tif", lambda: tiff(16, 3, 2, struct.pack("<6H", *[9 << 8, 8 << 8, 7 << 8] * 2)), None),
}


@pytest.mark.parametrize("kind", DEEP)
def test_of_16_bits_of_colour_the_upper_ones_are_read_and_that_is_said(kind: str, tmp_path: Path) -> None:
    suffix, made, numbers = DEEP[kind]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(made())
    with pytest.warns(ConvanimWarning, match="has 16 bits for each of the channels .*, of which the upper 8 are read"):
        assert read_picture(str(path), what="--input").tolist() == (numbers or [[[9, 9]], [[8, 8]], [[7, 7]]])


@pytest.mark.parametrize("kind", UNREAD)
def test_pictures_that_are_refused(kind: str, tmp_path: Path) -> None:
    suffix, made, says = UNREAD[kind]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(made())
    check(*run("conv", "--input", path, "--kernel", "1", "-o", tmp_path / "b.json"), says)
    assert not (tmp_path / "b.json").exists()


def test_several_frames_are_told(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (4, 4), (9, 9, 9)), Image.new("RGB", (4, 4))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    code, _, err = run("conv", "--input", tmp_path / "a.gif", "--kernel", "[[1]]", "-o", tmp_path / "a.json")
    assert code == 0
    assert err.startswith("Note: --input ")
    assert (
        "has several frames, of which the first is read; to use another frame, save it as a separate picture.\n" in err
    )
    assert json.loads((tmp_path / "a.json").read_text())["output"] == [[[9] * 4] * 4]


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors", "a.webp", "a.csv", "a.npy"])
def test_a_file_of_gigabytes_is_not_loaded(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(
            {"a.webp": b"RIFF\xf0\xff\xff\xffWEBPVP8 ", "a.npy": b"\x93NUMPY\2\0\xff\xff\xff\x7f"}.get(name, b"")
        )
        file.truncate(2**32)  # a sparse file
    tracemalloc.start()
    code, out, err = run("explain", "conv", "--input", tmp_path / name, "--kernel", "1")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    check(code, out, err, name)
    assert most < 2**28


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "a.csv").chmod(0)
    check(*run("explain", "conv", "--input", tmp_path / "a.csv", "--kernel", "1"), "cannot be read (Permission denied)")

import struct
import time
import zlib
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from convanim.errors import ConvanimError, ConvanimWarning
from convanim.typed import MAX_CELLS, read_array, read_picture
from support import refusals
from support.refusals import check_sentence

PIXELS = np.array([[[255, 0, 1], [10, 20, 30], [7, 8, 9]], [[0, 255, 2], [40, 50, 60], [1, 2, 3]]], np.uint8)  # (2, 3)
PLANES = PIXELS.transpose(2, 0, 1).tolist()


def read(path, **options):
    return read_picture(str(path), what="--input", **options)


def refused(path, **options):
    """The message with which it is refused."""
    error = refusals.refused(lambda: read(path, **options))
    check_sentence(error, "--input ")
    return str(error)


def saved(folder, image, suffix=".png", **options):
    path = folder / f"a{suffix}"
    image.save(path, **options)
    return path


def png(width, height, depth, kind, rows, *more):
    """A PNG file, byte by byte, including those that Pillow would not write."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = [(b"IHDR", head), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    told = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


# Pixels.


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp"])
def test_colours_are_three_planes_and_exact(suffix, tmp_path):
    planes = read(saved(tmp_path, Image.fromarray(PIXELS), suffix))
    assert (planes.dtype, planes.flags.c_contiguous) == (np.int64, True)
    assert planes.tolist() == PLANES


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_a_jpeg_of_one_colour(suffix, tmp_path):
    planes = read(saved(tmp_path, Image.new("RGB", (16, 8), (200, 100, 50)), suffix, quality=100, subsampling=0))
    assert planes.shape == (3, 8, 16)
    assert np.abs(planes - np.array([200, 100, 50])[:, None, None]).max() <= 2


def test_a_grey_picture_is_three_equal_planes(tmp_path):
    grey = PIXELS[..., 0]
    assert read(saved(tmp_path, Image.fromarray(grey))).tolist() == [grey.tolist()] * 3


def test_black_and_white(tmp_path):
    assert read(saved(tmp_path, Image.fromarray(np.array([[True, False]])))).tolist() == [[[255, 0]]] * 3


def test_without_colour_the_values_are_those_of_read_array(tmp_path):
    path = saved(tmp_path, Image.fromarray(PIXELS))
    grey = read(path, colour=False)
    assert (grey.dtype, grey.flags.c_contiguous) == (np.int64, True)
    assert grey.tolist() == read_array(str(path), what="--input").tolist() == [[76, 18, 8], [150, 48, 2]]


def palette():
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 9, 8, 7])
    image.putdata([2, 0, 1])
    return image


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_palette(suffix, tmp_path):
    assert read(saved(tmp_path, palette(), suffix)).tolist() == [[[9, 255, 0]], [[8, 0, 255]], [[7, 0, 0]]]


def test_a_palette_with_a_transparent_colour(tmp_path):
    shown = [[[9, 255, 0]], [[8, 255, 255]], [[7, 255, 0]]]
    assert read(saved(tmp_path, palette(), transparency=0)).tolist() == shown


def test_half_transparent_palette(tmp_path):
    some = read(saved(tmp_path, palette(), transparency=bytes([51, 255, 0])))  # a fifth
    assert some.tolist() == [[[255, 255, 0]], [[255, 204, 255]], [[255, 204, 0]]]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([2, 4]))))
def test_transparency_shows_white_rounded_once(tmp_path_factory, pixels):
    path = saved(tmp_path_factory.getbasetemp(), Image.fromarray(pixels))
    colours = [0, 0, 0] if pixels.shape[2] == 2 else [0, 1, 2]
    assert read(path).tolist() == [[[on_white(cell[c], cell[-1]) for cell in row] for row in pixels] for c in colours]


def on_white(value, alpha):
    share = Fraction(int(alpha), 255)
    return floor(share * int(value) + (1 - share) * 255 + Fraction(1, 2))


def test_a_transparent_colour_of_a_grey_picture(tmp_path):
    image = Image.fromarray(np.array([[3, 4, 5]], np.uint8))
    assert read(saved(tmp_path, image, transparency=4), colour=False).tolist() == [[3, 255, 5]]


def test_16_bits_of_grey_are_kept(tmp_path):
    deep = np.array([[0, 87, 255, 256, 0x7FFF, 0xFFFF]], np.uint16)
    path = saved(tmp_path, Image.fromarray(deep))
    assert read(path, colour=False).tolist() == deep.tolist()
    assert read(path).tolist() == [deep.tolist()] * 3
    assert read(path, resize=(1, 3), colour=False).tolist() == [[44, 256, 0xBFFF]]  # means, halves up


def test_a_transparent_colour_of_16_bits_is_that_colour_alone(tmp_path):
    grey = png(3, 1, 16, 0, b"\0" + struct.pack(">3H", 0x1200, 0x1234, 0x5678), (b"tRNS", b"\x12\x34"))
    (tmp_path / "a.png").write_bytes(grey)
    assert read(tmp_path / "a.png", colour=False).tolist() == [[0x1200, 0xFFFF, 0x5678]]


def test_ink_becomes_light(tmp_path):
    path = saved(tmp_path, Image.new("CMYK", (8, 8), (0, 0, 0, 255)), ".jpg", quality=100)
    assert read(path).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_stands_upright(orientation, suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(PIXELS), suffix, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image)).transpose(2, 0, 1)
    assert read(path).tolist() == expected.tolist()
    assert expected.shape == ((3, 2, 3) if orientation < 5 else (3, 3, 2))
    assert read(path, resize=(1, 5)).shape == (3, 1, 5)


ODD_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\xff\0\0\0"  # the orientation is text


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", ODD_EXIF])
def test_an_orientation_that_says_nothing_turns_nothing(exif, tmp_path):
    assert read(saved(tmp_path, Image.fromarray(PIXELS), exif=exif)).tolist() == PLANES


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".gif", "GIF"), (".webp", "WEBP"), (".tif", "TIFF")])
def test_of_several_frames_the_first_is_read_and_that_is_said(suffix, kind, tmp_path):
    path = two_frames(tmp_path, suffix, kind)
    with pytest.warns(ConvanimWarning, match=rf"^--input '.*a{suffix}' has several frames, of which the first is read"):
        assert read(path).tolist() == np.full((3, 8, 8), 255).tolist()


def test_behind_a_photograph_nothing_else_is_meant(tmp_path):
    assert read(two_frames(tmp_path, ".jpg", "MPO")).tolist() == np.full((3, 8, 8), 255).tolist()


def two_frames(folder, suffix, kind):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ((255, 255, 255), (0, 0, 0)))
    options = {"lossless": True} if kind == "WEBP" else {}
    return saved(folder, first, suffix, format=kind, save_all=True, append_images=[second], **options)


# Sizes.


def covered(old, size):
    """For each new cell, the old cells that it covers, and how much of them: by the definition, in fractions."""
    if size >= old:
        middles = (Fraction(2 * j + 1, 2) * old / size for j in range(size))
        return [{floor(middle): Fraction(1)} for middle in middles]
    edges = [(Fraction(j * old, size), Fraction((j + 1) * old, size)) for j in range(size)]
    return [{i: min(b, Fraction(i + 1)) - max(a, Fraction(i)) for i in range(floor(a), ceil(b))} for a, b in edges]


def averaged(plane, sizes):
    rows, columns = (covered(old, size) for old, size in zip(plane.shape, sizes, strict=True))
    return [[_mean(plane, row, column) for column in columns] for row in rows]


def _mean(plane, row, column):
    total = sum(a * b * int(plane[i, j]) for i, a in row.items() for j, b in column.items())
    return floor(total / (sum(row.values()) * sum(column.values())) + Fraction(1, 2))


SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7), st.just(3))), SIZES)
def test_resized_is_the_average_of_what_is_covered(tmp_path_factory, pixels, sizes):
    path = saved(tmp_path_factory.getbasetemp(), Image.fromarray(pixels))
    planes = read(path, resize=sizes)
    assert (planes.dtype, planes.shape) == (np.int64, (3, *sizes))
    assert planes.tolist() == [averaged(pixels[..., c], sizes) for c in range(3)]


@pytest.mark.parametrize(
    ("row", "size", "expected"),
    [
        ([0, 255, 10, 20], 2, [128, 15]),  # 127.5 is rounded up
        ([0, 30, 60], 2, [10, 50]),  # two thirds of 0 and a third of 30
        ([1, 2], 4, [1, 1, 2, 2]),
        ([1, 2, 3], 4, [1, 2, 2, 3]),  # centres at 0.375, 1.125, 1.875 and 2.625 are in cells 0, 1, 1 and 2
        ([5], 3, [5, 5, 5]),
        ([9, 8, 7], 3, [9, 8, 7]),
    ],
)
def test_resized_rows_and_columns(row, size, expected, tmp_path):
    line = np.array([row], np.uint8)
    assert read(saved(tmp_path, Image.fromarray(line)), resize=(1, size), colour=False).tolist() == [expected]
    upright = saved(tmp_path, Image.fromarray(np.ascontiguousarray(line.T)))
    assert read(upright, resize=(size, 1), colour=False).tolist() == [[value] for value in expected]


def test_a_large_photograph_is_fitted_and_that_is_said(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (4000, 3000), (200, 100, 50)))
    told = r"has 3000x4000 pixels; the input is fitted to 768x1024, and `?-*resize`? sets another size"
    with pytest.warns(ConvanimWarning, match=told):
        planes = read(path)
    assert planes.shape == (3, 768, 1024)
    assert [np.unique(plane).tolist() for plane in planes] == [[200], [100], [50]]
    with pytest.warns(ConvanimWarning, match="is fitted to"):
        assert read(path, colour=False).shape == (768, 1024)
    started = time.perf_counter()
    planes = read(path, resize=(2, 3))
    assert time.perf_counter() - started < 10
    assert planes.tolist() == [[[value] * 3] * 2 for value in (200, 100, 50)]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16", "1", "CMYK"])
@pytest.mark.parametrize("turned", [1, 6])
def test_every_kind_of_large_picture_is_fitted(mode, turned, tmp_path):
    shape, deep = (2100, 3000), mode == "I;16"
    left = np.zeros(shape, np.uint16 if deep else np.uint8)
    left[:, :1500] = 60000 if deep else 255
    image = Image.fromarray(left) if deep else Image.fromarray(left).convert("RGB").convert(mode)
    suffix, exif = (".jpg" if mode == "CMYK" else ".png"), Image.Exif()
    exif[0x0112] = turned
    path = saved(tmp_path, image, suffix, exif=exif)
    with pytest.warns(ConvanimWarning, match="is fitted to"):
        planes = read(path)
    assert planes.shape == ((3, 717, 1024) if turned == 1 else (3, 1024, 717))
    bright, dark = (planes[:, :, 9], planes[:, :, -9]) if turned == 1 else (planes[:, 9], planes[:, -9])
    assert bright.min() >= (60000 if deep else 252)
    assert dark.max() <= 3


@pytest.mark.parametrize(
    ("resize", "says"),
    [
        ((), "cannot be resized to '', which is 0 sizes; give a height and a width, as in 32x48"),
        ((5,), "cannot be resized to '5', which is 1 size; give a height and a width"),
        ((3, 4, 5), "cannot be resized to '3x4x5', which is 3 sizes"),
        ((0, 5), "cannot be resized to '0x5', which is not positive"),
        ((5, -1), "cannot be resized to '5x-1', which is not positive"),
        ((2.5, 3), "cannot be resized to '2.5x3', which is not whole numbers"),
        ((MAX_CELLS, MAX_CELLS), "which is too large; use at most 5592405 cells"),
        ((3000, 3000), "cannot be resized to '3000x3000', which is too large"),
    ],
)
def test_sizes_that_no_picture_is_given(resize, says, tmp_path):
    assert says in refused(saved(tmp_path, Image.fromarray(PIXELS)), resize=resize)


# Refused files.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is not a picture; give a file that ends in .png, .jpg, .jpeg, .bmp, .gif, .tif, .tiff, .webp"),
        ("5x5", "'5x5' is not a picture"),
        ("a.heic", "'a.heic' is not a picture"),
        ("missing.png", "'missing.png' cannot be read (No such file or directory); give a picture that exists"),
        ("nul\0.png", "cannot be read (it cannot be opened)"),
        ("\ud800.jpg", "cannot be read"),
        ("a" * 5000 + ".png", "cannot be read"),
    ],
)
def test_names_that_are_no_pictures(text, says):
    assert says in refused(text)


def test_a_folder_is_no_picture(tmp_path):
    (tmp_path / "a.png").mkdir()
    assert "cannot be read (Is a directory)" in refused(tmp_path / "a.png")


BROKEN = "is truncated or is not a picture that can be read; save it again as .png or .jpg"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", BROKEN),
        (b"hello", BROKEN),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", BROKEN),  # no Ghostscript is started
        (png(3, 1, 8, 2, b"\0\1\2"), BROKEN),
        (png(0, 1, 8, 2, b"\0"), BROKEN),
        (png(60000, 60000, 8, 2, b"\0"), "is too large; use at most 67108864"),
        (png(12000, 12000, 8, 2, b"\0"), "is too large; use at most 67108864"),
        (png(8193, 8192, 8, 2, b"\0"), "is too large; use at most 67108864"),
        (png(2**31 - 1, 2**31 - 1, 8, 2, b"\0"), "is too large"),
    ],
)
@pytest.mark.parametrize("resize", [None, (2, 2)])
def test_what_is_in_the_file_is_no_picture(data, says, resize, tmp_path):
    (tmp_path / "a.png").write_bytes(data)
    started = time.perf_counter()
    assert says in refused(tmp_path / "a.png", resize=resize)
    assert time.perf_counter() - started < 2


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_picture_is_an_array_or_a_refusal(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    suffix = data.draw(st.sampled_from([".png", ".jpg", ".bmp"]))
    exif = Image.Exif()
    exif[0x0112] = 6
    good = saved(folder, Image.fromarray(PIXELS), suffix, **({} if suffix == ".bmp" else {"exif": exif})).read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = good[:place] + data.draw(st.binary(max_size=8)) + good[place + data.draw(st.integers(0, 8)) :]
    path = folder / f"damaged{suffix}"
    path.write_bytes(bad)
    try:
        values = read(path, resize=(2, 2))
    except ConvanimError as error:
        check_sentence(error, "--input ")
    else:
        assert values.shape == (3, 2, 2)
        assert 0 <= values.min() <= values.max() <= 255

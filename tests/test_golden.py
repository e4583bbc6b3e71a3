"""Golden text: whole animations as text, for reading and reviews.

`python -m pytest tests/test_golden.py --renew` writes the files again; then read the difference like prose. The sums in
them are recomputed here from the text alone, so that no renewal can make a wrong one right.
"""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim.animation import Animation
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool, MaxUnpool, PixelShuffle, Upsample
from convanim.scene import scene
from convanim.scene.frame import Role
from convanim.trace import Trace
from support.sums import Sum

GOLDEN = Path(__file__).parent / "golden"
LARGEST = 25_000  # bytes that a reviewer can read


def digits(*shape: int) -> Any:
    """Small mixed numbers, including zeros, ones and negative ones."""
    n = int(np.prod(shape))
    return (np.arange(n) * 7 % 11 - 3).reshape(shape)


K2, K3, K4 = [[0, 1], [2, 3]], [[1, 0, -1], [2, 1, 0], [0, -2, 3]], digits(4, 4)
TINY = [[0, 1], [2, 3]]
#: Red and green above blue and white.
PICTURE = np.moveaxis(np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]]), -1, 0)

#: Well-known figures by name, and other animations that must read well.
CASES: dict[str, tuple[Trace, dict[str, Any]]] = {
    "no_padding_no_strides": (Conv(3).trace(digits(4, 4), K3), {}),
    "arbitrary_padding_no_strides": (
        Conv(4, padding=2).trace(digits(5, 5), K4),
        {"select": "0..4,17,33..34,73,last"},
    ),
    "padding_strides_odd": (Conv(3, 2, 1).trace(digits(6, 6), K3), {}),
    "dilation": (Conv(3, dilation=2).trace(digits(7, 7), K3), {"select": "0..3,8..9,last"}),
    "no_padding_strides_transposed": (
        ConvTranspose(3, 2).trace(TINY, K3),
        {"select": "0..11,16..17,30..33,54..last"},
    ),
    "padding_strides_odd_transposed": (
        ConvTranspose(3, 2, 1, output_padding=1).trace(digits(3, 3), K3),
        {"select": "0..15,24..25,42..43,78..last"},
    ),
    "padding_strides_odd_transposed_overlap_add": (
        ConvTranspose(3, 2, 1, output_padding=1).trace(digits(3, 3), K3),
        {"view": "overlap-add", "select": "0..6,13..15,25..last"},
    ),
    "tc-2x2-k2-b_overlap_add": (ConvTranspose(2).trace(TINY, K2), {"view": "overlap-add"}),
    "tc-2x2-k2-s2_both": (
        ConvTranspose(2, 2).trace(TINY, [[4, 1], [2, 3]]),
        {"view": "both", "select": "0..9,15..last"},
    ),
    "one_axis": (ConvTranspose(3, 2).trace([1, -2, 3], [1, 2, -1]), {}),
    "one_axis_overlap_add": (ConvTranspose(3, 2).trace([1, -2, 3], [1, 2, -1]), {"view": "overlap-add"}),
    "quarters": (Conv(2).trace([[0.5, -1.25, 2], [0.75, 3, 0]], [[2, 0.5], [-0.25, 1]]), {}),
    "thirds": (Conv(2).trace(np.array([[1, -2, 4], [5, 0, 2]]) / 3, np.array([[1, 2], [3, 5]]) / 7), {}),
    "thirds_overlap_add": (
        ConvTranspose(2).trace(np.array([[1, -2]]) / 3, np.array([[1, 2], [3, 5]]) / 7, 1 / 6),
        {"view": "overlap-add"},
    ),
    "bias": (Conv(2).trace([[1, 0, 0], [2, 0, 0]], [[1, -1], [0, 2]], -3), {}),
    "bias_overlap_add": (ConvTranspose(2, padding=1).trace(TINY, [[4, 1], [2, 3]], 5), {"view": "overlap-add"}),
    "cropped": (ConvTranspose(2, padding=2).trace(digits(4, 4), [[4, 1], [2, 3]]), {}),
    "floor": (Conv(2, (3, 2)).trace(digits(7, 5), [[1, -1], [2, 3]]), {"select": "0..3,last"}),
    "padding_reflect": (Conv(3, padding=1, padding_mode="reflect").trace(digits(4, 4), K3), {"select": "0..6,last"}),
    "jax_same_transposed": (
        ConvTranspose(2, 2, "same", convention="jax").trace(TINY, [[4, 1], [2, 3]]),
        {"select": "0..8,last"},
    ),
    "max_pooling": (MaxPool(2, ceil_mode=True).trace(digits(3, 5)), {}),
    "max_pooling_padding": (MaxPool(3, 2, 1).trace(digits(4, 4)), {}),
    "average_pooling_padding": (AvgPool(3, 2, 1).trace(digits(4, 4)), {}),
    "max_unpooling": (MaxUnpool(2).trace(MaxPool(2).trace(digits(4, 4))), {}),
    "upsampling_bilinear": (
        Upsample(scale_factor=2, mode="bilinear").trace([[0, 4], [8, -4]]),
        {"view": "reading", "select": "0..12,last"},
    ),
    "upsampling_nails": (
        Upsample(scale_factor=2, mode="nails").trace(TINY),
        {"view": "reading", "select": "0..6,last"},
    ),
    "pixel_shuffle": (PixelShuffle(2).trace(digits(4, 2, 2)), {"select": "0..5,last"}),
    "channels": (
        Conv(2, padding=((0, 1), (0, 0))).trace(digits(3, 3, 3), digits(2, 3, 2, 2), [1, -2]),
        {"select": "0..5,16,last"},
    ),
    "depthwise": (Conv(2, groups=2).trace(digits(2, 3, 3), digits(2, 1, 2, 2)), {"select": "0..3,12,last"}),
    "three_axes": (Conv(2, padding=1).trace(digits(1, 2, 2), digits(2, 2, 2)), {"select": "0..4,20,last"}),
    "rgb-k3-s2": (
        ConvTranspose(3, 2, groups=3).trace(PICTURE, np.ones((3, 1, 3, 3), int)),
        {"colours": True, "saturate": True},
    ),
    "rgb_max_pooling": (MaxPool(1, 1).trace(PICTURE), {"colours": True}),
}


def told(name: str) -> str:
    trace, options = CASES[name]
    file = io.BytesIO()
    Animation(trace, **options).save(file, "txt")
    return file.getvalue().decode()


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_as_in_the_golden_file(name: str, request: pytest.FixtureRequest) -> None:
    path, text = GOLDEN / f"{name}.txt", told(name)
    if request.config.getoption("--renew", default=False):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.exists(), f"{path} is not there: write it with --renew, and read it"
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_has_its_case_and_can_be_read() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)
    for path in GOLDEN.iterdir():
        text = path.read_bytes()
        assert len(text) < LARGEST, path.name
        assert b"\r" not in text
        assert all(line == line.rstrip() for line in text.decode().split("\n")), path.name


@pytest.mark.parametrize("name", CASES)
def test_every_sum_in_a_golden_file_is_right(name: str) -> None:
    text = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    for terms, result in re.findall(
        r"(?m)^(?:output|red|green|blue)(?:\[[\d, ]+\]| size) = (.+) = (.+?)(?:   .*)?$", text
    ):
        if terms.startswith("input"):  # a value that is only copied
            continue
        told_sizes = [Sum.of(side) for side in terms.replace("bias ", "").split(" × ")]
        sizes = [Sum.of(side) for side in result.split("×")]
        assert told_sizes == sizes[: len(told_sizes)], f"{terms} = {result}"
    for result, terms in re.findall(r"<(\S+) = (\S+ \+ \S+)>", text):  # rounded numbers are "≈"
        assert Sum.of(terms) == Sum.of(result), f"{result} = {terms}"


def test_a_wrong_sum_would_be_noticed() -> None:
    assert len(re.findall(r"(?m)^output\[[\d,]+\] = .+ = ", told("no_padding_no_strides"))) == 4
    assert len(re.findall(r"<\S+ = \S+ \+ \S+>", told("tc-2x2-k2-b_overlap_add"))) == 7


# --- a reader of sums ----------------------------------------------------------------------------------------------


def test_the_reader_of_sums() -> None:
    assert Sum.of("5·2 + 6·1") == 16
    assert Sum.of("⌊(7 + 1 + 2 − 2) / 3⌋ + 1") == 3
    assert Sum.of("max(1, −5, 3) − 1") == 2
    assert Sum.of("−4·(−4) + −5·2") == 6
    for wrong in ("4·−4", "-3", "4 + x"):
        with pytest.raises(AssertionError):
            Sum.of(wrong)


# --- what is said in words is true ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "kernel", "stride", "said"),
    [
        ((5,), (2,), (2,), ["1 cell unused"]),
        ((7,), (2,), (3,), ["2 cells unused"]),
        ((5, 4), (2, 2), (2, 2), ["1 row unused"]),
        ((5, 5), (2, 2), (2, 2), ["1 row", "column", "unused"]),
        ((7, 7), (2, 2), (3, 3), ["2 rows", "columns", "unused"]),
        ((7, 5), (2, 2), (3, 2), ["2 rows", "1 column", "unused"]),
    ],
)
def test_what_the_floor_leaves_is_counted_in_words(
    sizes: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], said: list[str]
) -> None:
    s = scene(Conv(kernel, stride).trace(np.ones(sizes, int), np.ones(kernel, int)))
    remark = s.frame(s.beats.total - 1).captions[0].remark
    assert all(part in remark for part in said), remark
    assert " 2 row " not in remark
    assert " or " not in remark, remark


def test_only_zeros_that_are_added_are_said_to_be_added() -> None:
    """Rows are cropped here and columns padded: one word cannot describe both."""
    s = scene(ConvTranspose(2, 1, (2, 0)).trace(np.ones((4, 4), int), np.ones((2, 2), int)))
    remarks = {s.frame(i).captions[0].remark for i in range(s.beats.opening)}
    assert not any(re.search("zeros? added: −", r) for r in remarks), remarks


def test_one_row_of_several_cells_is_not_one_cell() -> None:
    s = scene(ConvTranspose(2, (3, 1)).trace(np.ones((1, 3), int), np.ones((2, 2), int)))
    assert not any("one cell" in s.frame(i).captions[0].remark for i in range(s.beats.opening))


@pytest.mark.parametrize("kernel", [(1, 3), (3, 1), (3, 3), (3,)])
def test_a_rotation_that_is_said_to_go_on_goes_on(kernel: tuple[int, ...]) -> None:
    s = scene(ConvTranspose(kernel).trace(np.ones((2,) * len(kernel), int), np.ones(kernel, int)))
    remarks = [s.frame(i).captions[0].remark for i in range(s.beats.opening)]
    for i, remark in enumerate(remarks):
        if remark.endswith("…"):
            assert any("…" in later for later in remarks[i + 1 : i + 2]), remark
        if ": …" in remark:
            assert remarks[i - 1].endswith("…"), remark


def test_only_the_output_gets_the_bias_and_is_said_to() -> None:
    s = scene(ConvTranspose(2, padding=1).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]], 5), "overlap-add")
    said = [s.frame(i) for i in range(s.beats.total) if "every output cell" in s.frame(i).captions[0].text()][-1]
    roles = said.grids["canvas"].roles
    assert (roles == Role.CROPPED).any()
    assert "every cell" not in said.captions[0].text() or "output" in said.captions[0].text()


def test_output_padding_beyond_the_stamps_is_not_said_to_be_kept() -> None:
    """Nothing is cropped at the end, so output padding adds a row of zeros instead of keeping one."""
    s = scene(
        ConvTranspose(1, 2, ((1, 0), (0, 0)), output_padding=(1, 0)).trace(np.ones((3, 2), int), [[1]]), "overlap-add"
    )
    remarks = {s.frame(i).captions[0].remark for i in range(s.beats.total)}
    assert not any("keeps" in r for r in remarks), remarks

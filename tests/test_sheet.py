"""Contact sheets: every tile is its frame, to the pixel; read back with Pillow."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import convanim as ca
from convanim.draw.raster.sheet import Sheet
from convanim.errors import ConvanimError
from convanim.scene.frame import Beats
from convanim.timing.timeline import handful
from support.commands import run

COMMAND = ["transposed", "--input", "3x3", "--kernel", "3x3", "--stride", "2", "--padding", "1", "--width", "480"]


def animation(**options: object) -> ca.Animation:
    trace = ca.ConvTranspose(3, stride=2, padding=1).trace(np.arange(9).reshape(3, 3), np.ones((3, 3), int))
    return trace.animate(width=480, **options)  # type: ignore[no-any-return]


@pytest.mark.parametrize("columns", [1, 3, 4, 9])
@pytest.mark.parametrize("template", ["default", "paper", "minimal"])
def test_each_tile_is_its_frame(columns: int, template: str) -> None:
    shown = animation(select="0,4,step:3..5,last", template=template)
    file = BytesIO()
    saved = shown.save(file, "png", sheet=columns)
    image = Image.open(file)
    assert image.mode == "P"
    assert image.size == (saved.width, saved.height)
    assert saved.frames == len(shown) == 6
    pixels = np.array(image.convert("RGB"))
    palette = shown_palette(shown)
    sheet = Sheet(palette, (shown.width, shown.height), 6, columns)
    used = np.zeros(pixels.shape[:2], bool)
    for i in range(6):
        top, left = sheet.corner(i)
        where = np.s_[top : top + shown.height, left : left + shown.width]
        assert (pixels[where] == shown.pixels(i)).all(), i
        assert not used[where].any()
        used[where] = True
    rows = -(-6 // columns)
    assert saved.height > rows * shown.height
    assert saved.width > min(columns, 6) * shown.width


def shown_palette(shown: ca.Animation) -> object:
    from convanim.draw.raster import palette

    return palette(shown.page, shown.theme)


def test_two_sheets_are_the_same_file() -> None:
    a, b = BytesIO(), BytesIO()
    animation().save(a, "png", sheet=2)
    animation().save(b, "png", sheet=2)
    assert a.getvalue() == b.getvalue()


@given(
    st.builds(Beats, st.integers(0, 5), st.integers(0, 900), st.integers(1, 3), st.integers(1, 3), st.just(1)),
    st.integers(2, 40),
)
def test_a_handful_is_in_order_and_ends_with_the_result(beats: Beats, most: int) -> None:
    chosen = handful(beats, most)
    assert chosen == sorted(set(chosen))
    assert chosen[0] >= 0
    assert chosen[-1] == beats.total - 1
    assert len(chosen) <= max(most, 3)
    done = [n - beats.opening for n in chosen[1:] if beats.opening <= n < beats.total - beats.closing]
    assert all((n + 1) % beats.each == 0 for n in done)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(3, 40))
def test_the_handful_is_spread_over_rows_and_columns(down: int, across: int, most: int) -> None:
    beats = Beats(2, down * across, 1, 1, across)
    places = [divmod(n - 2, across) for n in handful(beats, most)[1:-1]]
    rows, columns = zip(*places, strict=True)
    count = min(most - 2, down * across)
    assert len(places) == count
    if 1 < count <= max(down, across):  # with more, some are side by side
        assert (len(set(rows)), len(set(columns))) == (min(down, count), min(across, count))
        assert (places[0], places[-1]) == ((0, 0), (down - 1, across - 1))


def test_windows_of_a_sheet_do_not_all_lie_at_one_edge() -> None:
    beats = ca.Conv(3, padding=1).trace(np.ones((6, 6), int), np.ones((3, 3), int)).animate().scene.beats
    steps = [(n - beats.opening) // beats.each + 1 for n in handful(beats, 6)[1:-1]]
    assert steps == [1, 15, 22, 36]


def test_the_command_writes_a_sheet(tmp_path: Path) -> None:
    target = tmp_path / "sheet.png"
    done = run(*COMMAND, "--sheet", "4", "-o", str(target))
    assert done.code == 0, done.err
    assert ", 8 frames, " in done.out
    with Image.open(target) as image:
        assert "--sheet 4" in str(image.info)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.gif", ["--sheet", "4"], "a sheet is a single .png, and a.gif is not; name a file like sheet.png"),
        ("a.json", ["--sheet", "4"], "a sheet is a single .png"),
        ("a-%02d.png", ["--sheet", "4"], "a sheet is a single .png"),
        ("a.png", ["--sheet", "0"], "a sheet of 0 columns is not possible; use 1 to 64"),
        ("a.png", ["--sheet", "65"], "a sheet of 65 columns"),
        ("a.png", ["--sheet", "9", "--select", "all", "--width", "4000"], "too large for one file; use --width "),
    ],
)
def test_what_cannot_be_a_sheet_is_refused(name: str, options: list[str], said: str, tmp_path: Path) -> None:
    done = run(*COMMAND, *options, "-o", str(tmp_path / name))
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())


def test_the_width_that_a_refused_sheet_names_works() -> None:
    with pytest.raises(ConvanimError, match="too large") as refused:
        Sheet(shown_palette(animation()), (4000, 2250), 60, 6)
    width = int(str(refused.value).partition("width=")[2].partition(" ")[0])
    assert Sheet(shown_palette(animation()), (width, round(width * 2250 / 4000)), 60, 6).pixels.size


def test_a_sheet_keeps_its_size_or_is_not_written(tmp_path: Path) -> None:
    shown = animation(max_size="2KB")
    with pytest.raises(ConvanimError, match="max size 2KB is too small") as caught:
        shown.save(tmp_path / "sheet.png", sheet=2)
    assert not list(tmp_path.iterdir())
    named = caught.value.hint.removeprefix("use ").partition(" or more")[0]
    animation(max_size=named).save(tmp_path / "sheet.png", sheet=2)
    assert (tmp_path / "sheet.png").stat().st_size > 2000

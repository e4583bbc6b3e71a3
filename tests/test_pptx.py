"""Presentations: native shapes with text, alternative text and notes, which LibreOffice shows as the frames."""

from __future__ import annotations

import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from convanim import ConvTranspose
from convanim.errors import ConvanimError
from convanim.gallery.description import Entry, command
from convanim.gallery.work import Task, work
from support.commands import run
from support.needs import need, need_module

pptx = need_module("pptx", promised=True)

X, W = np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3)
UP = ConvTranspose(kernel_size=3, stride=2, padding=1).trace(X, W)


def written(**look: Any) -> tuple[Any, bytes]:
    """An animation, and its presentation."""
    animation = UP.animate(**look)
    animation.save(file := BytesIO(), "pptx")
    return animation, file.getvalue()


def opened(data: bytes) -> Any:
    return pptx.Presentation(BytesIO(data))


def test_a_slide_for_each_frame_has_native_shapes_and_notes() -> None:
    animation, data = written(select="0,12,last", template="slide")
    deck = opened(data)
    assert (deck.slide_width, deck.slide_height) == tuple(9525 * side for side in animation.size)
    assert len(deck.slides) == 3
    slide = deck.slides[2]
    assert slide.shapes.title.text_frame.text == "Transposed convolution  3×3 → 5×5"
    (group,) = [shape for shape in slide.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.GROUP]
    texts = [shape.text_frame.text for shape in group.shapes if shape.has_text_frame and shape.text_frame.text]
    values = [int(value) for value in UP.output.ravel()]
    assert {str(value) for value in values} <= set(texts)
    assert "3×3 → 5×5" in group._element.nvGrpSpPr.cNvPr.get("descr")
    assert "output size" in slide.notes_slide.notes_text_frame.text.lower()
    assert not [shape for shape in group.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.PICTURE]


def test_a_number_is_the_text_of_its_cell() -> None:
    (slide,) = opened(written(select="last")[1]).slides
    (group,) = [shape for shape in slide.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.GROUP]
    cells = [
        shape.text_frame.text
        for shape in group.shapes
        if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.AUTO_SHAPE and shape.has_text_frame
    ]
    for value in UP.output.ravel():
        assert str(int(value)) in cells


def test_the_bytes_are_the_same_on_every_run_and_know_no_date() -> None:
    _, data = written(select="0..2")
    assert data == written(select="0..2")[1]
    with zipfile.ZipFile(BytesIO(data)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert file.testzip() is None


@pytest.mark.parametrize(
    "look",
    [{"select": "0,8,20,last"}, {"select": "9,20", "layout": "isometric", "theme": "dark"}],
    ids=str,
)
def test_libreoffice_shows_the_frames(tmp_path: Path, look: dict[str, Any]) -> None:
    animation, data = written(**look)
    (tmp_path / "a.pptx").write_bytes(data)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [need("soffice"), profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, tmp_path / "a.pptx"]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    subprocess.run([need("pdftoppm"), "-r", "96", "-png", "a.pdf", "a"], cwd=tmp_path, check=True)
    seen = [Image.open(path).convert("RGB") for path in sorted(tmp_path.glob("a-*.png"))]
    assert len(seen) == len(animation)

    def soft(image: Image.Image) -> Any:  # the typeface is another one
        small = image.resize(animation.size).filter(ImageFilter.GaussianBlur(6))
        return np.asarray(small).astype(int)

    frames = [soft(Image.fromarray(animation.pixels(number))) for number in range(len(animation))]
    for number, page in enumerate(seen):
        off = [np.abs(soft(page) - frame).mean() for frame in frames]
        assert off[number] == min(off), number
        assert off[number] < 1.5, off


def test_one_slide_with_the_video() -> None:
    need_module("imageio_ffmpeg", promised=True)
    animation, data = written(select="0..3", as_="video", width=640)
    (slide,) = opened(data).slides
    (movie,) = [shape for shape in slide.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.MEDIA]
    assert movie._element.nvPicPr.cNvPr.get("descr") == animation.alt
    assert "step" in slide.notes_slide.notes_text_frame.text.lower()
    with zipfile.ZipFile(BytesIO(data)) as file:
        (video,) = [file.read(name) for name in file.namelist() if name.endswith(".mp4")]
        (poster,) = [file.read(name) for name in file.namelist() if name.startswith("ppt/media/") and "png" in name]
    assert video[4:8] == b"ftyp"
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(poster)).convert("RGB")), animation.pixels(-1))


def test_a_slide_with_a_video_is_asked_for_everywhere(tmp_path: Path) -> None:
    need_module("imageio_ffmpeg", promised=True)
    given = UP.animate(as_="video", width=320, made_by="")
    given.save(file := BytesIO(), "pptx")
    words = ("transposed", "--input", "3x3", "--kernel", "3", "--stride", "2", "--padding", "1", "--width", "320")
    done = run(*words, "--as", "video", "-o", tmp_path / "up.pptx")
    assert (done.code, done.err) == (0, "")
    table = {"layer": str(UP.op), "input": "3x3", "width": 320, "formats": ("pptx",), "as": "video"}
    entry = Entry(**table)
    made = work(Task("up", entry, {}))
    assert not made.error
    assert "--as video" in command("up", entry, "pptx")
    for data in (file.getvalue(), (tmp_path / "up.pptx").read_bytes(), made.files["up.pptx"]):
        assert len(opened(data).slides) == 1
        with zipfile.ZipFile(BytesIO(data)) as content:
            assert [name for name in content.namelist() if name.endswith(".mp4")]


def test_a_video_in_another_file_is_refused_in_the_words_of_each_place(tmp_path: Path) -> None:
    with pytest.raises(
        ConvanimError, match=r'^a \.gif plays as it is, but as_="video" was given; leave as_="video" out'
    ):
        UP.animate(as_="video").save(tmp_path / "a.gif")
    with pytest.raises(ConvanimError, match=r"^as_ 'movie' is not known; did you mean video\?$"):
        UP.animate(as_="movie")
    words = ("conv", "--input", "3x3", "--kernel", "2", "--as")
    for kind, why in (("gif", "plays as it is"), ("svg", "plays with --animated"), ("json", "does not play")):
        done = run(*words, "video", "-o", tmp_path / f"a.{kind}")
        assert done.code == 2
        assert done.err == f"Error: a .{kind} {why}, but --as video was given; leave --as video out, or write .pptx.\n"
    done = run(*words, "movie", "-o", tmp_path / "a.pptx")
    assert (done.code, done.err) == (2, "Error: --as 'movie' is not known; did you mean video?\n")
    wrong = work(Task("up", Entry(layer="Conv(2)", input="3x3", **{"as": "video"}), {}))
    assert wrong.error == 'a .gif plays as it is, but as = "video" was given; leave as = "video" out, or write .pptx.'
    assert not list(tmp_path.iterdir())


def test_markup_is_text() -> None:
    title = '<a:b> & "x" ]]> \u202eabc'
    animation, data = written(select="last", title=title, width=2400)
    (slide,) = opened(data).slides
    assert slide.shapes.title.text_frame.text.startswith('<a:b> & "x" ]]>')
    assert animation.size[0] == 2400


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("convanim.write.formats.find_spec", lambda name: None)
    with pytest.raises(ConvanimError, match=r"cannot be written without pptx; pip install 'convanim\[slides\]'"):
        UP.animate().save(tmp_path / "a.pptx")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_slides(tmp_path: Path) -> None:
    done = run("conv", "--input", "3x3", "--kernel", "2", "--select", "0..1", "-o", tmp_path / "a.pptx")
    assert (done.code, done.err) == (0, "")
    assert len(pptx.Presentation(tmp_path / "a.pptx").slides) == 2

"""PDF files: their pages are the frames, and pdflatex shows them in beamer, as overlays and with animate."""

from __future__ import annotations

import re
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from convanim import ConvTranspose
from convanim.errors import ConvanimError
from support.commands import run
from support.needs import need

X, W = np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3)
UP = ConvTranspose(kernel_size=3, stride=2, padding=1).trace(X, W)
#: What the talk shows; the dark page stands out from the white one of beamer.
SHOWN: dict[str, Any] = {"select": "0..4", "theme": "dark", "title": "100% of $x_1$ & \\input{y}"}


def pages(path: Path, dots: int = 96) -> list[NDArray[np.uint8]]:
    """The pages of a PDF as pixels."""
    subprocess.run([need("pdftoppm"), "-r", str(dots), "-png", path, path.with_suffix("")], check=True)
    found = sorted(path.parent.glob(f"{path.stem}-*.png"))
    return [np.asarray(Image.open(one).convert("RGB")) for one in found]


def apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The share of the pixels that differ by more than the edges of letters do."""
    return float((np.abs(one.astype(int) - other.astype(int)).max(axis=-1) > 128).mean())


@pytest.mark.parametrize(
    "look",
    [
        {"theme": "dark"},
        {"layout": "isometric", "view": "overlap-add"},
        {"view": "matrix", "lang": "ja"},
        {"template": "paper"},
    ],
    ids=str,
)
def test_each_page_is_its_frame(tmp_path: Path, look: dict[str, Any]) -> None:
    shown = UP.animate(**{"width": 640, "select": "0,9,12"} | look)
    shown.save(tmp_path / "a.pdf")
    seen = pages(tmp_path / "a.pdf")
    frames = [shown.pixels(number) for number in range(3)]
    assert len(seen) == 3
    for number, page in enumerate(seen):
        assert page.shape == frames[number].shape
        off = [apart(page, frame) for frame in frames]
        assert off[number] < 0.01
        assert off[number] == min(off)


def test_a_page_is_small_and_the_same_every_time() -> None:
    def made(select: str) -> bytes:
        UP.animate(select=select).save(file := BytesIO(), "pdf")
        return file.getvalue()

    assert max(len(made(select)) for select in ("0", "step:13", "last")) < 10_000
    assert len(made("all")) / len(UP.animate(select="all")) < 4_000
    assert made("all") == made("all")


def test_the_letters_are_one_font_whose_text_can_be_searched(tmp_path: Path) -> None:
    UP.animate(select="step:13", title="世界 and Convolution").save(tmp_path / "a.pdf")
    listed = subprocess.run([need("pdffonts"), tmp_path / "a.pdf"], capture_output=True, text=True, check=True)
    (font,) = listed.stdout.splitlines()[2:]
    assert re.fullmatch(r"[A-Z]{6}\+Letters +CID TrueType +Identity-H +yes yes yes .*", font)
    found = subprocess.run([need("pdftotext"), "-layout", tmp_path / "a.pdf", "-"], capture_output=True, check=True)
    assert found.stderr == b""
    text = " ".join(found.stdout.decode().split())
    assert "世界 and Convolution" in text
    assert "5 · 5 = 25" in text


def test_a_page_without_words_has_no_letters(tmp_path: Path) -> None:
    shown = UP.animate(select="step:13", template="minimal", numbers=False)
    shown.save(tmp_path / "a.pdf")
    assert apart(pages(tmp_path / "a.pdf")[0], shown.pixels(0)) < 0.01


def test_the_title_is_text(tmp_path: Path) -> None:
    UP.animate(title="<b> (a) \\ ü", select="last").save(tmp_path / "a.pdf")
    told = subprocess.run([need("pdfinfo"), tmp_path / "a.pdf"], capture_output=True, text=True, check=True).stdout
    assert "Title:           <b> (a) \\ ü\n" in told


@pytest.fixture(scope="module")
def beamer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talk with one frame of each kind, by pdflatex."""
    folder = tmp_path_factory.mktemp("talk")
    for name, way in (("over", "overlays"), ("play", "animate")):
        UP.animate(tex=way, **SHOWN).save(folder / f"{name}.pdf")
    frames = r"\input{over} \input{play}"
    talk = rf"\documentclass[aspectratio=169]{{beamer}}\usepackage{{animate}}\begin{{document}}{frames}\end{{document}}"
    (folder / "talk.tex").write_text(talk, "utf-8")
    for _ in range(2):  # animate numbers its frames in the second run
        done = subprocess.run(
            [need("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "talk.tex"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    return folder


def test_beamer_shows_each_step_on_an_overlay(beamer: Path) -> None:
    seen = pages(beamer / "talk.pdf", 254)
    frames = [UP.animate(**SHOWN).pixels(number) for number in range(5)]
    assert len(seen) == 6
    for number, page in enumerate(seen[:5]):
        dark = np.abs(page.astype(int) - frames[0][0, 0]).max(axis=-1) < 8
        (rows, columns) = (np.flatnonzero(dark.mean(axis=axis) > 0.5) for axis in (1, 0))
        part = Image.fromarray(page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        assert part.width / part.height == pytest.approx(16 / 9, rel=0.02)
        found = np.asarray(part.resize((1280, 720), Image.Resampling.LANCZOS))
        off = [apart(found, frame) for frame in frames]
        assert off[number] == min(off), number
        assert off[number] < 0.01


def test_animate_gives_each_step_its_time(beamer: Path) -> None:
    plan = UP.animate(**SHOWN).plan
    lines = (beamer / "play-timeline.txt").read_text("utf-8").split()
    found = [(round(1000 / float(rate)), int(page)) for _, rate, page in (line.split(":") for line in lines)]
    assert [time for time, _ in found] == pytest.approx([shot.milliseconds for shot in plan.shots], abs=1)
    assert [page for _, page in found] == list(range(5))
    log = (beamer / "talk.log").read_text("utf-8", "replace")
    assert "Package animate Warning" not in log.replace("Package animate Warning: Rerun", "")
    assert re.search(r"5\s+frames\s+built", log)


@pytest.mark.parametrize(
    ("save", "told"),
    [
        (lambda a: a.save("a.gif"), "a .gif has no such file beside it, but tex 'overlays' was given"),
        (lambda a: a.save("a b.pdf"), "LaTeX cannot include a file of the name 'a b.pdf'"),
        (lambda a: a.save("a%.pdf"), "LaTeX cannot include a file of the name 'a%.pdf'"),
        (lambda a: a.save("a-%d.pdf"), "tex shows one .pdf, but a-%d.pdf names a series"),
        (lambda a: a.save(BytesIO(), "pdf"), "a stream has no file beside it; leave tex out"),
    ],
)
def test_what_latex_cannot_show_is_refused(
    save: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConvanimError, match=re.escape(told)):
        save(UP.animate(tex="overlays", width=640))
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_lines_beside_the_file(tmp_path: Path) -> None:
    done = run("conv", "--input", "3x3", "--kernel", "2", "--tex", "animate", "-o", tmp_path / "a.pdf")
    assert done.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-timeline.txt", "a.pdf", "a.tex"]
    refused = run("conv", "--input", "3x3", "--kernel", "2", "--tex", "beamer", "-o", tmp_path / "b.pdf")
    assert (refused.code, "--tex 'beamer' is not known; use overlays or animate" in refused.err) == (2, True)

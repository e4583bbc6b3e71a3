"""The Sphinx extension: projects are built, and their pages, books and papers show the frames."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convanim.embed import Part, part
from support.browser import alike, drive, resembles
from support.needs import need, need_module

need_module("sphinx", promised=True)

CONF = """\
extensions = ["convanim.sphinx"]
version = "1"
copyright = "none"
latex_elements = {"fontpkg": "", "fontenc": ""}  # the fonts that every TeX has
"""
INDEX = """\
Layers
======

.. convanim:: ConvTranspose(kernel_size=3, stride=2,
   padding=1)
   :input: 2x2
   :width: 640
   :title: <script>hacked=1</script> & "it's"

See :ref:`the figure <fig-conv>`.

.. convanim:: Conv(2)
   :input: 3x3
   :width: 480
   :format: picture
   :name: fig-conv
   :alt: a <b>bold</b> "alt"

   A caption with *emphasis*.

   A legend.

.. toctree::

   sub/other
"""
OTHER = """\
Other
=====

.. convanim:: MaxPool(2)
   :input: x.csv
   :width: 480
   :theme: auto

.. convanim:: torch.nn.Conv2d(1, 1, 2)
   :input: /sub/x.csv
   :width: 480
   :symbols:
"""


def project(folder: Path, index: str = INDEX, conf: str = "", **files: str) -> Path:
    """Write a project, and return its folder."""
    (folder / "sub").mkdir(parents=True)
    (folder / "conf.py").write_text(CONF + conf, "utf-8")
    (folder / "index.rst").write_text(index, "utf-8")
    for name, text in files.items():
        (folder / name.replace("_", "/").replace("/rst", ".rst").replace("/csv", ".csv")).write_text(text, "utf-8")
    return folder


def build(folder: Path, builder: str, *more: str) -> tuple[int, str]:
    """Build a project, and return the exit code and the warnings."""
    from sphinx.cmd.build import main

    errors = io.StringIO()
    with warnings.catch_warnings(), redirect_stderr(errors), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # Sphinx's own
        code = main(["-N", "-b", builder, "-d", str(folder / "trees"), *more, str(folder), str(folder / builder)])
    return code, errors.getvalue()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, built as a site, a book and a paper from the same documents."""
    folder = project(tmp_path_factory.mktemp("project") / "src", sub_other_rst=OTHER, sub_x_csv="1,2,3,4\n5,6,7,8\n")
    for builder in ("html", "epub", "latex", "text"):
        assert build(folder, builder, "-W", "-j2") == (0, ""), builder
    return folder


def parts(folder: Path) -> dict[str, Part]:
    up = {"input": "2x2", "width": 640, "title": '<script>hacked=1</script> & "it\'s"'}
    return {
        "up": part("ConvTranspose(3, stride=2, padding=1)", up, folder),
        "conv": part("Conv(2)", {"input": "3x3", "width": 480, "format": "picture"}, folder),
        "pool": part("MaxPool(2)", {"input": "x.csv", "width": 480}, folder, "sub"),
        "line": part("torch.nn.Conv2d(1, 1, 2)", {"input": "/sub/x.csv", "width": 480, "symbols": ""}, folder),
    }


def test_players_on_pages_show_the_frames(built: Path) -> None:
    shown = parts(built)
    alike(built / "html" / "index.html", shown["up"].animation)
    site = built / "html"  # the page is below the script
    shutil.copytree(site, built / "flat")
    other = (site / "sub" / "other.html").read_text("utf-8").replace('"../', '"')
    (built / "flat" / "other.html").write_text(other, "utf-8")
    alike(built / "flat" / "other.html", shown["pool"].animation, shown["line"].animation)


def test_a_picture_is_the_gif_and_markup_is_text(built: Path) -> None:
    page = (built / "html" / "index.html").read_text("utf-8")
    found = re.search(r'<figure[^>]* id="fig-conv">\s*<img alt="(.*?)" src="(.*?)"', page)
    assert found
    assert found[1] == "a &lt;b&gt;bold&lt;/b&gt; &quot;alt&quot;"
    animation = parts(built)["conv"].animation
    with Image.open(built / "html" / found[2]) as image:
        assert image.format == "GIF"
        image.seek(image.n_frames - 1)
        assert (np.asarray(image.convert("RGB")) == animation.pixels(-1)).all()
    assert "A caption with <em>emphasis</em>." in page
    seen = """return await page.evaluate(() => [
        window.hacked ?? null, document.querySelector("convanim-player").getAttribute("aria-label")])"""
    hacked, label = drive(built / "html" / "index.html", seen)
    assert hacked is None
    assert label.startswith('<script>hacked=1</script> & "it\'s": ')


def test_paper_has_vectors_of_the_last_frame(built: Path, tmp_path: Path) -> None:
    text = next((built / "latex").glob("*.tex")).read_text("utf-8")
    names = re.findall(r"includegraphics\{\{(convanim-\w+)\}\.pdf\}", text)
    assert len(names) == 4
    for name, shown in zip(names, parts(built).values(), strict=True):
        words = [need("pdftoppm"), "-r", "96", "-png", str(built / "latex" / f"{name}.pdf"), str(tmp_path / name)]
        subprocess.run(words, check=True)
        pages = list(tmp_path.glob(f"{name}*.png"))
        assert len(pages) == 1
        resembles(np.asarray(Image.open(pages[0]).convert("RGB")), shown.animation.pixels(-1))


def test_paper_compiles(built: Path, tmp_path: Path) -> None:
    paper = next((built / "latex").glob("*.tex")).name
    words = [need("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}", paper]
    done = subprocess.run(words, cwd=built / "latex", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    log = next(tmp_path.glob("*.log")).read_text("latin-1")
    assert len(set(re.findall(r"<use\s+(?:\./)?convanim-\w+", "".join(log.split("\n"))))) == 4, "pictures on the paper"


def test_a_book_has_pictures_and_no_script(built: Path) -> None:
    with zipfile.ZipFile(next((built / "epub").glob("*.epub"))) as book:
        names = book.namelist()
        page = book.read("index.xhtml").decode()
        pictures = [name for name in names if "convanim" in name]
        assert sorted(name.rpartition(".")[2] for name in pictures) == ["gif", "png", "png", "png"]
        assert not [name for name in names if name.endswith("player.js")]
        first = re.search(r'src="(_images/convanim-\w+\.png)"', page)
        assert first
        picture = np.asarray(Image.open(io.BytesIO(book.read(first[1]))).convert("RGB"))
    assert "<script" not in page
    assert (picture == parts(built)["up"].animation.pixels(-1)).all()


def test_text_has_the_alternative_text(built: Path) -> None:
    text = " ".join((built / "text" / "sub" / "other.txt").read_text("utf-8").split())
    assert f"[image: {parts(built)['pool'].alt}]" in text


def test_a_second_build_draws_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path / "src", sub_other_rst=OTHER, sub_x_csv="1,2,3,4\n5,6,7,8\n")
    assert build(folder, "html", "-W") == (0, "")
    drawn: list[str] = []
    made = Part.made
    monkeypatch.setattr(Part, "made", lambda self, kind: drawn.append(self.entry.layer) or made(self, kind))
    assert build(folder, "html", "-W", "-E") == (0, "")
    assert drawn == []
    time.sleep(0.01)
    (folder / "sub" / "x.csv").write_text("1,2,3,4\n5,6,7,9\n")
    assert build(folder, "html", "-W") == (0, "")
    assert drawn == ["MaxPool(2)", "torch.nn.Conv2d(1, 1, 2)"]
    assert "9" in (folder / "html" / "sub" / "other.html").read_text("utf-8")
    # A build for paper from the documents as read draws its own.
    drawn.clear()
    assert build(folder, "latex", "-W") == (0, "")
    assert len(drawn) == 4


WRONG = [
    ("Conv(9)\n   :input: 3x3", 0, "kernel size 9 is larger than the input, 3"),
    ("Convv(2)\n   :input: 3x3", 0, "Conv"),
    ("Conv(2)", 0, "the input is missing; write :input: 3x3"),
    ("Conv(2)\n   :inptu: 3x3", 1, "'inptu' is not an option; did you mean input?"),
    ("Conv(2)\n   :input: 3x3\n   :width: wide", 2, "width 'wide' is not a whole number; write :width: 640"),
    ("Conv(2)\n   :input: 3x3\n   :theme: lihgt", 2, "theme 'lihgt' is not known; did you mean light?"),
    ("Conv(2)\n   :input: 3x3\n   :format: movie", 2, "format 'movie' is not known; use player or picture"),
    ("Conv(2)\n   :input: 3x3\n   :format: picture\n   :theme: auto", 3, "theme auto needs a player"),
    ("Conv(2)\n   :input: ../x.csv", 1, "input '../x.csv' lies outside"),
    ("Conv(2)\n   :input: link.csv", 1, "input 'link.csv' lies outside"),
    ("Conv(2)\n   :input: none.csv", 1, "input 'none.csv' cannot be read"),
    ("Conv(2)\n   :input: -", 0, "a page cannot read from standard input"),
    ("__import__('os').mkdir('hacked')\n   :input: 3x3", 0, ""),
    ("Conv(2)\n   :input: 3x3\n   :view: overlap-add", 2, "view"),
    ("Conv(2)\n   :input: 3x3\n   :width: 10", 2, "width"),
]


def test_each_mistake_is_a_warning_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    text, lines = "Wrong\n=====\n\n", []
    for body, line, _ in WRONG:
        lines.append(text.count("\n") + 1 + line)
        text += f".. convanim:: {body}\n\n   A caption.\n\n" if "Convv" in body else f".. convanim:: {body}\n\n"
    folder = project(tmp_path / "src", text)
    (folder / "link.csv").symlink_to(tmp_path / "x.csv")
    code, told = build(folder, "html", "-W", "--keep-going")
    assert code == 1
    for line, (body, _, said) in zip(lines, WRONG, strict=True):
        found = [
            row for row in told.splitlines() if row.startswith(f"{folder / 'index.rst'}:{line}: WARNING: convanim: ")
        ]
        assert len(found) == 1, (body, told)
        assert said in found[0], body
        assert "fault of convanim" not in found[0], body
        assert found[0].count("; ") <= 1 or "use one of" in found[0], found[0]
    assert len(told.splitlines()) == len(WRONG) + ("treated as errors" in told), told
    assert "A caption." not in (folder / "html" / "index.html").read_text("utf-8")
    assert not Path("hacked").exists()


def test_documents_in_parallel(tmp_path: Path) -> None:
    """Sphinx divides the work from six documents on."""
    folder = project(tmp_path / "src", "All\n===\n\n.. toctree::\n   :glob:\n\n   page*\n")
    for number in range(7):
        size = "3x3" if number < 6 else "1x1"
        text = f"Page\n====\n\n.. convanim:: Conv(2)\n   :input: {size}\n   :title: {number}\n   :width: 480\n"
        (folder / f"page{number}.rst").write_text(text, "utf-8")
    code, told = build(folder, "html", "-j2", "-W", "--keep-going")
    assert code == 1
    assert told.count("WARNING") == 1
    assert "page6.rst:4: WARNING: convanim: kernel size 2 is larger than the input, 1" in told
    pages = [(folder / "html" / f"page{number}.html").read_text("utf-8") for number in range(7)]
    assert [page.count("<convanim-player ") for page in pages] == [1] * 6 + [0]
    assert len(list((folder / "trees" / "convanim").iterdir())) == 6


def test_defaults_and_the_language_of_the_project(tmp_path: Path) -> None:
    index = "Ebene\n=====\n\n.. convanim:: Conv(2)\n   :input: 3x3\n   :theme: light\n"
    conf = "language = 'de'\nconvanim_defaults = {'width': 480, 'theme': 'dark'}\n"
    folder = project(tmp_path / "src", index, conf)
    assert build(folder, "html", "-W") == (0, "")
    page = (folder / "html" / "index.html").read_text("utf-8")
    same = part("Conv(2)", {"input": "3x3", "lang": "de", "width": 480, "theme": "light"}, folder)
    assert same.made("html").decode() in page
    assert "Faltung" in same.alt


def test_the_extension_says_what_to_install() -> None:
    code = "import sys; sys.modules['sphinx'] = None; import convanim.sphinx"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | {"PYTHONUTF8": "1"}
    )
    assert done.stderr.splitlines()[-1].endswith("convanim.sphinx needs Sphinx: pip install 'convanim[sphinx]'")

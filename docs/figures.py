"""Draws the pictures of matplotlib.md, latex.md, player.md and slides.md in docs with their code; `make figures`.

The Python example that writes figure.png runs unchanged, the LaTeX document is compiled with the files that the
page's commands write, and Chromium shows the pages that those of player.md write. The files for slides and documents
are shown by programs that are free. Names of places on the command line, such as marp, select these pictures.

Needs pdflatex, pdftoppm, chromium, soffice and pandoc, from the Debian packages texlive-latex-extra, poppler-utils,
chromium, libreoffice-impress and pandoc; reveal.js, @marp-team/marp-cli and github-markdown-css in the folder that
NODE_MODULES names; and nbconvert, ipykernel, Sphinx and MkDocs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops, ImageOps

HERE = Path(__file__).resolve().parent


#: The fragments that say what each page shows, the size of the window, and the marks of the page's command.
SHOTS = {
    "player": ("step=13", (1100, 720), "up.html"),
    "explorer": ("stride=2&padding=1&kernel=3", (1100, 980), "sweep"),
}


#: How Chromium takes a picture.
BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=4000")
#: The folder of npm's packages.
NODE = Path(os.environ.get("NODE_MODULES", "node_modules")).resolve()
#: The commands of docs/slides.md.
COMMANDS = re.compile(r"^    convanim (export .*--for (\w+) .*)$", re.M)


def main() -> None:
    """Draw the pictures."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        places(scratch, sys.argv[1:] or list(PLACES))
        if sys.argv[1:]:
            return
        shots(scratch)
        page = (HERE / "matplotlib.md").read_text(encoding="utf-8")
        example = next(code for code in re.findall(r"```python\n(.*?)```", page, re.S) if "figure.png" in code)
        run(scratch, sys.executable, "-c", example)
        shutil.copy(scratch / "figure.png", HERE / "matplotlib.png")

        page = (HERE / "latex.md").read_text(encoding="utf-8")
        for line in re.findall(r"^    convanim (.* step\..*)$", page, re.M):
            run(scratch, sys.executable, "-m", "convanim", *shlex.split(line))
        (scratch / "page.tex").write_text(re.findall(r"```latex\n(.*?)```", page, re.S)[0], encoding="utf-8")
        run(scratch, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex")
        run(scratch, "pdftoppm", "-r", "110", "-png", "-singlefile", "page.pdf", "page")
        trimmed(Image.open(scratch / "page.png").convert("RGB"), 30).quantize(64).save(
            HERE / "latex.png", optimize=True
        )


def shots(folder: Path) -> None:
    """Take pictures of the pages that the commands of docs/player.md write."""
    page = (HERE / "player.md").read_text(encoding="utf-8")
    for name, (fragment, (width, height), mark) in SHOTS.items():
        line = next(line for line in re.findall(r"^    convanim (.*)$", page, re.M) if mark in line)
        run(folder, sys.executable, "-m", "convanim", *shlex.split(line))
        page_of = f"{(folder / shlex.split(line)[-1]).as_uri()}#{fragment}"
        picture = folder / f"{name}.png"
        run(folder, *BROWSER, f"--window-size={width},{height}", f"--screenshot={picture}", page_of)
        trimmed(Image.open(picture).convert("RGB"), 16).quantize(64).save(HERE / f"{name}.png", optimize=True)


def places(folder: Path, names: list[str]) -> None:
    """Take pictures of the files that the commands of docs/slides.md write, as free programs show them."""
    page = (HERE / "slides.md").read_text(encoding="utf-8")
    lines = {place: line for line, place in COMMANDS.findall(page)}
    for place in names:
        here, line = folder / place, lines[place]
        words = ["-m", "convanim", *shlex.split(line)[:-1], place]
        done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=True)
        shown = PLACES[place](here, done.stdout)
        shown = shown if place == "marp" else trimmed(shown, 12)
        shown.thumbnail((800, 800), Image.Resampling.LANCZOS)
        ImageOps.expand(shown, 1, "silver").quantize(128, kmeans=1).save(HERE / f"slides-{place}.png", optimize=True)


def pages_of(here: Path, document: str, *pages: int) -> list[Image.Image]:
    """Pages of a PDF."""
    out = []
    for number in pages:
        run(here, "pdftoppm", "-f", str(number), "-scale-to", "1000", "-png", "-singlefile", document, "shot")
        out.append(Image.open(here / "shot.png").convert("RGB"))
    return out


def shot(here: Path, name: str, *options: str, size: tuple[int, int] = (1000, 760)) -> Image.Image:
    """A page in Chromium."""
    window = f"--window-size={size[0]},{size[1]}"
    run(here, *BROWSER, *options, window, f"--screenshot={here / 'shot.png'}", (here / name).as_uri())
    return Image.open(here / "shot.png").convert("RGB")


def powerpoint(here: Path, _: str) -> Image.Image:
    """A slide of the .pptx in LibreOffice."""
    run(here, "soffice", "--headless", "--convert-to", "pdf", "conv.pptx")
    return pages_of(here, "conv.pdf", 7)[0]


def gslides(here: Path, _: str) -> Image.Image:
    """Six slides of the .pptx in LibreOffice."""
    run(here, "soffice", "--headless", "--convert-to", "pdf", "conv.pptx")
    sheet = Image.new("RGB", (800, 306), "white")
    for n, page in enumerate(pages_of(here, "conv.pdf", *range(2, 8))):
        page.thumbnail((256, 256), Image.Resampling.LANCZOS)
        sheet.paste(ImageOps.expand(page, 1, "silver"), (4 + n % 3 * 267, 4 + n // 3 * 151))
    return sheet


def keynote(here: Path, _: str) -> Image.Image:
    """The .mp4 in Chromium."""
    video = '<!doctype html><video src="conv.mp4#t=9" controls width="960">'
    (here / "video.html").write_text(video, encoding="utf-8")
    return shot(here, "video.html")


def beamer(here: Path, lines: str) -> Image.Image:
    """A page of a document."""
    deck = f"\\documentclass[aspectratio=169]{{beamer}}\n\\begin{{document}}\n{lines}\\end{{document}}\n"
    (here / "deck.tex").write_text(deck, encoding="utf-8")
    run(here, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "deck.tex")
    return pages_of(here, "deck.pdf", 7)[0]


def reveal(here: Path, lines: str) -> Image.Image:
    """A slide of a deck with the default settings."""
    dist = NODE / "reveal.js/dist"
    (here / "deck.html").write_text(
        '<!doctype html><meta charset="utf-8">'
        f'<link rel="stylesheet" href="{(dist / "reveal.css").as_uri()}">'
        f'<link rel="stylesheet" href="{(dist / "theme/white.css").as_uri()}">'
        f'<div class="reveal"><div class="slides">{lines}</div></div>'
        f'<script src="{(dist / "reveal.js").as_uri()}"></script><script>Reveal.initialize()</script>',
        encoding="utf-8",
    )
    return shot(here, "deck.html")


def quarto(here: Path, lines: str) -> Image.Image:
    """A slide that pandoc makes of the lines, as Quarto lets it, without the block that Quarto hides."""
    (here / "deck.md").write_text(
        f"## Convolution\n\n{lines.partition('::: {.content-visible unless')[0]}", encoding="utf-8"
    )
    run(here, "pandoc", "-t", "revealjs", "deck.md", "-o", "section.html")
    return reveal(here, (here / "section.html").read_text(encoding="utf-8"))


def marp(here: Path, lines: str) -> Image.Image:
    """A slide of a deck in HTML."""
    (here / "deck.md").write_text(lines.splitlines()[0], encoding="utf-8")
    run(
        here, "node", str(NODE / "@marp-team/marp-cli/marp-cli.js"), "deck.md", "--bespoke.osc=false", "-o", "deck.html"
    )
    return shot(here, "deck.html", size=(960, 540))


def jupyter(here: Path, lines: str) -> Image.Image:
    """A notebook as a page."""
    cell = {"cell_type": "code", "metadata": {}, "source": lines, "outputs": [], "execution_count": None}
    book = {"cells": [cell | {"id": "a"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (here / "page.ipynb").write_text(json.dumps(book), encoding="utf-8")
    run(here, sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "page.ipynb")
    return shot(here, "page.html")


def sphinx(here: Path, lines: str) -> Image.Image:
    """A page of a site."""
    (here / "conf.py").write_text('project = "Layers"\n', encoding="utf-8")
    (here / "index.rst").write_text(f"Convolution\n===========\n\n{lines}", encoding="utf-8")
    run(here, sys.executable, "-m", "sphinx", "-q", "-W", ".", "site")
    return shot(here, "site/index.html")


def mkdocs(here: Path, lines: str) -> Image.Image:
    """A page of a site."""
    docs = here.parent / "pages"
    shutil.copytree(here, docs / "docs")
    (docs / "docs/index.md").write_text(f"# Convolution\n\n{lines}", encoding="utf-8")
    (docs / "mkdocs.yml").write_text("site_name: Layers\n", encoding="utf-8")
    run(docs, sys.executable, "-m", "mkdocs", "build", "--strict", "-q")
    return shot(docs, "site/index.html")


def github(here: Path, lines: str) -> Image.Image:
    """The lines as Markdown, with the styles of GitHub, in a light and in a dark browser."""
    (here / "readme.md").write_text(f"## Convolution\n\n{lines}", encoding="utf-8")
    run(here, "pandoc", "-f", "gfm", "-t", "html", "readme.md", "-o", "body.html")
    styles = (NODE / "github-markdown-css/github-markdown.css").as_uri()
    body = (here / "body.html").read_text(encoding="utf-8")
    (here / "page.html").write_text(
        f'<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{styles}"><body style="margin: 0">'
        f'<div class="markdown-body" style="padding: 24px">{body}',
        encoding="utf-8",
    )
    pair = Image.new("RGB", (2 * 690, 490))
    for number, scheme in enumerate((1, 0)):
        shown = shot(here, "page.html", f"--blink-settings=preferredColorScheme={scheme}", size=(690, 490))
        pair.paste(shown, (number * 690, 0))
    return pair


#: The functions that take the pictures, by the place.
PLACES = {
    one.__name__: one
    for one in (powerpoint, gslides, keynote, beamer, reveal, quarto, marp, jupyter, sphinx, mkdocs, github)
}


def run(folder: Path, *words: str) -> None:
    """Run a command in a folder; show its output only if it fails."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def trimmed(image: Image.Image, border: int) -> Image.Image:
    """A picture with a white border, px, in place of its white edges."""
    box = ImageChops.invert(image).getbbox()
    if box is None:
        sys.exit("the page is empty")
    return ImageOps.expand(image.crop(box), border, "white")


if __name__ == "__main__":
    main()

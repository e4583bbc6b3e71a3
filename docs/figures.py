"""Draws the pictures of matplotlib.md, latex.md, player.md and slides.md in docs with their code; `make figures`.

The Python example that writes figure.png runs unchanged, the LaTeX document is compiled with the files that the
page's commands write, and Chromium shows the pages that those of player.md write. The files for slides and documents
are shown by the programs that are free: LibreOffice, beamer, reveal.js, nbconvert, Sphinx and MkDocs.

Needs pdflatex, pdftoppm, chromium and soffice, from the Debian packages texlive-latex-extra, poppler-utils, chromium
and libreoffice-impress; reveal.js in the folder that NODE_MODULES names; and nbconvert, ipykernel, Sphinx and MkDocs.
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


def main() -> None:
    """Draw the pictures."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        places(scratch)
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


def places(folder: Path) -> None:
    """Take pictures of the programs that show the files of `convanim export`."""
    for place in ("powerpoint", "beamer", "reveal", "jupyter", "sphinx", "mkdocs"):
        here = folder / place
        width = [] if place in ("powerpoint", "beamer", "reveal") else ["--width", "640"]
        words = ["-m", "convanim", "export", "Conv(3)", "--input", "5x5", "--for", place, *width, "-o", place]
        done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=True)
        lines = done.stdout[re.search(r"^(?!\S+, \d)", done.stdout, re.M).start() :]  # after the lines about the files
        picture = here / "shot.png"
        if place in ("powerpoint", "beamer"):
            if place == "beamer":
                deck = f"\\documentclass[aspectratio=169]{{beamer}}\n\\begin{{document}}\n{lines}\\end{{document}}\n"
                (here / "deck.tex").write_text(deck, encoding="utf-8")
                run(here, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "deck.tex")
            else:
                run(here, "soffice", "--headless", "--convert-to", "pdf", "conv.pptx")
            pages = "conv.pdf" if place == "powerpoint" else "deck.pdf"
            run(here, "pdftoppm", "-f", "7", "-scale-to", "1000", "-png", "-singlefile", pages, "shot")
        else:
            run(here, *BROWSER, "--window-size=1000,760", f"--screenshot={picture}", address(here, place, lines))
        shown = trimmed(Image.open(picture).convert("RGB"), 12)
        shown.thumbnail((800, 800), Image.Resampling.LANCZOS)
        ImageOps.expand(shown.quantize(48).convert("RGB"), 1, "silver").quantize(48).save(
            HERE / f"slides-{place}.png", optimize=True
        )


def address(here: Path, place: str, lines: str) -> str:
    """The address of a page with the lines to paste, made by the program of its place."""
    if place == "reveal":
        reveal = Path(os.environ["NODE_MODULES"]).resolve() / "reveal.js/dist"
        deck = (
            f'<link rel="stylesheet" href="{(reveal / "reveal.css").as_uri()}">'
            f'<link rel="stylesheet" href="{(reveal / "theme/white.css").as_uri()}">'
            f'<div class="reveal"><div class="slides">{lines.replace("conv.html", "conv.html#step=4")}</div></div>'
            f'<script src="{(reveal / "reveal.js").as_uri()}"></script>'
            "<script>Reveal.initialize({ width: 1320, height: 820, margin: 0.02 })</script>"
        )
        (here / "deck.html").write_text(f'<!doctype html><meta charset="utf-8">{deck}', encoding="utf-8")
        return (here / "deck.html").as_uri()
    if place == "jupyter":
        cell = {"cell_type": "code", "metadata": {}, "source": lines, "outputs": [], "execution_count": None}
        book = {"cells": [cell | {"id": "a"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (here / "page.ipynb").write_text(json.dumps(book), encoding="utf-8")
        run(here, sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "page.ipynb")
        return (here / "page.html").as_uri()
    if place == "sphinx":
        (here / "conf.py").write_text('project = "Layers"\n', encoding="utf-8")
        (here / "index.rst").write_text(f"Convolution\n===========\n\n{lines}", encoding="utf-8")
        run(here, sys.executable, "-m", "sphinx", "-q", "-W", ".", "site")
        return (here / "site/index.html").as_uri()
    docs = here.parent / "pages"
    shutil.copytree(here, docs / "docs")
    (docs / "docs/index.md").write_text(f"# Convolution\n\n{lines}", encoding="utf-8")
    (docs / "mkdocs.yml").write_text("site_name: Layers\n", encoding="utf-8")
    run(docs, sys.executable, "-m", "mkdocs", "build", "--strict", "-q")
    return (docs / "site/index.html").as_uri()


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

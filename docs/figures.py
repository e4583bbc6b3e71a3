"""Draws the pictures of matplotlib.md, latex.md and player.md in docs with the code of these pages; `make figures`.

The Python example that writes figure.png runs unchanged, the LaTeX document is compiled with the files that the
page's commands write, and Chromium shows the pages that those of player.md write. Needs pdflatex, pdftoppm and
chromium, from the Debian packages texlive-latex-base, texlive-pictures, poppler-utils and chromium.
"""

from __future__ import annotations

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


def main() -> None:
    """Draw the pictures."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
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
        address = f"{(folder / shlex.split(line)[-1]).as_uri()}#{fragment}"
        picture = folder / f"{name}.png"
        run(
            *(folder, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--window-size={width},{height}", "--virtual-time-budget=2000", f"--screenshot={picture}", address),
        )
        trimmed(Image.open(picture).convert("RGB"), 16).quantize(64).save(HERE / f"{name}.png", optimize=True)


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

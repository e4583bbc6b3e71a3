"""Draws the pictures of docs/matplotlib.md and docs/latex.md with the code of these pages; `make figures`.

The Python example that writes figure.png runs unchanged, and the LaTeX document is compiled with the files that the
page's commands write. Needs pdflatex and pdftoppm, from the Debian packages texlive-latex-base, texlive-pictures and
poppler-utils.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Draw both pictures."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
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


def run(folder: Path, *words: str) -> None:
    """Run a command in a folder; show its output only if it fails."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def trimmed(image: Image.Image, border: int) -> Image.Image:
    """Crop a picture's white edges to a border, px."""
    box = ImageChops.invert(image).getbbox()
    if box is None:
        sys.exit("the page is empty")
    left, top, right, bottom = box
    return image.crop((left - border, top - border, right + border, bottom + border))


if __name__ == "__main__":
    main()

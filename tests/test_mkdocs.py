"""The fence for MkDocs: strict builds succeed, pages show the frames, and mistakes end the build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convanim.embed import part
from convanim.mkdocs import fence, fence_in, read
from support.browser import alike, drive
from support.needs import need_module

markdown = need_module("markdown", promised=True)
for package in ("pymdownx", "mkdocs"):
    need_module(package, promised=True)

CONFIG = """\
site_name: Layers
site_url: ""
theme: {name: mkdocs, highlightjs: false}
use_directory_urls: false
markdown_extensions:
  - admonition
  - pymdownx.superfences:
      custom_fences:
        - name: convanim
          class: convanim
          format: !!python/name:convanim.mkdocs.fence
"""
PAGE = """\
# Layers

``` convanim
ConvTranspose(3, stride=2,
              padding=1)
:input: 2x2
:width: 640
:title: <script>hacked=1</script> & "it's" *here*
```

Words.

!!! note

    ``` convanim
    MaxPool(2)
    :input: data/x.csv
    :width: 480
    ```

``` convanim
Conv(2)
:input: 3x3
:width: 480
:format: picture
```
"""


def build(folder: Path, page: str) -> tuple[int, str]:
    """Build a project with one page, strictly; return the exit code and what is printed."""
    (folder / "docs" / "data").mkdir(parents=True)
    (folder / "mkdocs.yml").write_text(CONFIG, "utf-8")
    (folder / "docs" / "index.md").write_text(page, "utf-8")
    (folder / "docs" / "data" / "x.csv").write_text("1,2,3,4\n5,6,7,8\n")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    environment = os.environ | {"PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join(sys.path), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout + done.stderr


def test_a_strict_build_shows_the_frames(tmp_path: Path) -> None:
    code, told = build(tmp_path, PAGE)
    assert code == 0, told
    up = {"input": "2x2", "width": 640, "title": '<script>hacked=1</script> & "it\'s" *here*'}
    pool = part("MaxPool(2)", {"input": "data/x.csv", "width": 480}, tmp_path / "docs")
    site = tmp_path / "site"
    alike(site / "index.html", part("ConvTranspose(3, stride=2, padding=1)", up, tmp_path).animation, pool.animation)
    seen = """return await page.evaluate(() => [
        window.hacked ?? null, document.querySelectorAll("script[src^=data]").length,
        document.querySelector("img[src^='data:image/gif']").naturalWidth])"""
    assert drive(site / "index.html", seen) == [None, 1, 480]
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    words = " ".join(doc["text"] for doc in index["docs"])
    assert "Words." in words
    assert len(words) < 200, "neither frames nor scripts are in the index"


def test_a_mistake_ends_a_strict_build(tmp_path: Path) -> None:
    code, told = build(tmp_path, PAGE.replace(":width: 640", ":theme: lihgt"))
    assert code == 1
    assert "index.md, ':theme: lihgt': theme 'lihgt' is not known; did you mean light?" in told
    assert "1 warning" in told


def test_the_script_is_once_on_each_page() -> None:
    md = markdown.Markdown()
    text = "Conv(2)\n:input: 3x3\n:width: 480"
    made = [fence(text, "convanim", "convanim", {}, md).count("<script ") for _ in range(3)]
    assert made == [1, 0, 0]
    md.reset()
    assert fence(text, "convanim", "convanim", {}, md).count("<script ") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the layer is missing; write one like ConvTranspose(3, stride=2)."),
        ("Conv(2)", "the input is missing; write :input: 3x3."),
        ("Conv(2)\n:input: 3x3\nwidth: 3", "'width: 3' is not an option; write a line like :input: 3x3."),
        ("Conv(2)\n:input: 3x3\n:input: 4x4", "input is given twice; remove one of the lines."),
        ("Conv(2)\n:input: ../x.csv", "input '../x.csv' lies outside "),
        ("Conv(2)\n:input: 3x3\n:title: <b>\n:width: 1", "width 1 is not between 120 and 4096 px"),
    ],
    ids=str,
)
def test_a_mistake_is_a_warning_and_a_text(text: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    shown = fence_in("docs")(text, "convanim", "convanim", {}, markdown.Markdown())
    assert message in caplog.text
    assert shown.startswith("<pre>")
    assert "<b>" not in shown
    assert "convanim-player" not in shown


def test_what_a_fence_says() -> None:
    assert read("Conv(\n 2)\n\n:input: [[1, 2]]\n\n:numbers:") == (
        "Conv(\n 2)\n\n",
        {"input": "[[1, 2]]", "numbers": ""},
    )

"""Notebooks: nbconvert executes one to a page, whose players show the frames; texts are printed."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import convanim as ca
from convanim.explanation.compare import report
from support.browser import alike, drive
from support.needs import need_module

UP = "ca.ConvTranspose(3, stride=2, padding=1).trace([[1, 2], [3, 4]], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])"
CELLS = [
    "import convanim as ca",
    f"{UP}.animate(width=640)",
    "ca.Conv(2).trace([[1, 2, 3], [4, 5, 6]], [[1, 2], [3, 4]]).animate(width=480, theme='dark', title='<b>&')",
    "ca.explain(ca.Conv(3, stride=2), (6, 6))",
]


def animation(cell: str) -> Any:
    return eval(cell, {"ca": ca})  # noqa: S307 - the text above


def test_the_forms_of_an_animation() -> None:
    shown = animation(CELLS[1])
    bundle = shown._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/png", "text/plain"]
    assert bundle["text/html"] == shown._repr_html_()
    picture = Image.open(BytesIO(b64decode(bundle["image/png"]))).convert("RGB")
    assert (np.asarray(picture) == shown.pixels(-1)).all()
    assert bundle["text/plain"] == repr(shown)
    assert list(shown._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    assert list(shown._repr_mimebundle_(exclude={"text/html"})) == ["image/png", "text/plain"]
    assert len(bundle["text/html"]) < 150_000


def test_texts_are_printed_and_stay_texts() -> None:
    text = need_module("IPython.lib.pretty")
    told = ca.explain(ca.Conv(3), (5, 5))
    assert isinstance(told, str)
    assert text.pretty(told) == told.rstrip("\n")
    one, two = (ca.Conv(2, stride=s).trace([1, 2, 3], [1, 1]) for s in (1, 2))
    assert text.pretty(report(one, two)).splitlines()[0].startswith("the first ")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that nbconvert has executed and written as a page."""
    for name in ("ipykernel", "nbclient"):
        need_module(name, promised=True)
    nbformat, nbconvert = need_module("nbformat", promised=True), need_module("nbconvert", promised=True)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    folder = tmp_path_factory.mktemp("book")
    nbconvert.preprocessors.ExecutePreprocessor(timeout=100).preprocess(book, {})
    nbformat.write(book, folder / "book.ipynb")
    # The page is made of the stored results, without a kernel.
    text, _ = nbconvert.HTMLExporter(require_js_url="", mathjax_url="").from_filename(str(folder / "book.ipynb"))
    (folder / "book.html").write_text(text, "utf-8")
    return folder / "book.html"


def test_a_page_of_a_notebook_shows_the_frames(page: Path) -> None:
    alike(page, animation(CELLS[1]), animation(CELLS[2]))


def test_players_survive_being_taken_out_and_put_back(page: Path) -> None:
    found = drive(
        page,
        """
        await player.evaluate((p) => { p.go(4); const home = p.parentNode; p.remove(); home.append(p); });
        await player.getByRole("button", {name: "Next step"}).click();
        return await page.evaluate(() => [
          document.querySelector("convanim-player").at,
          [...document.querySelectorAll("convanim-player")].map((p) => p.getAttribute("aria-label")),
          [...document.querySelectorAll("pre")].map((p) => p.textContent).find((t) => t.includes("In other")),
        ]);
        """,
    )
    at, labels, told = found
    assert at == 5
    assert labels[1].startswith("<b>&: ")
    assert told.strip() == ca.explain(ca.Conv(3, stride=2), (6, 6)).strip()


def test_the_last_frame_shows_where_scripts_do_not_run(page: Path) -> None:
    seen = """
    const picture = player.locator("img");
    return await picture.evaluate((p) => [p.naturalWidth, p.checkVisibility(), p.alt]);
    """
    wide, visible, alt = drive(page, seen, javaScriptEnabled=False)
    assert (wide, visible) == (640, True)
    assert alt == animation(CELLS[1]).alt
    assert json.loads(page.with_suffix(".ipynb").read_text("utf-8"))["cells"][1]["outputs"][0]["data"].keys() == {
        *("text/html", "image/png", "text/plain")
    }

"""Exports: each place gets its files and its lines, all or none; reveal.js and Marp show what they are given."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import convanim.export as exports
from convanim import Conv, ConvTranspose, MaxPool
from convanim.errors import ConvanimError
from convanim.export import PLACES, Part, Place, export
from support.browser import drive, modules
from support.commands import run
from support.needs import need, need_module

UP = ConvTranspose(kernel_size=3, stride=2, padding=1).trace(np.arange(1, 10).reshape(3, 3), np.ones((3, 3), int))
NEEDS = {"powerpoint": ["pptx"], "gslides": ["pptx"], "keynote": ["pptx", "imageio_ffmpeg"]}
#: What begins a file of each kind.
BEGINS = {
    **{".gif": b"GIF89a", ".png": b"\x89PNG", ".svg": b"<svg ", ".pdf": b"%PDF", ".pptx": b"PK"},
    **{".html": b"<!doctype html>", ".tex": b"% Transposed"},
}


@pytest.mark.parametrize("place", PLACES)
def test_each_place_gets_its_files_and_lines(place: str, tmp_path: Path) -> None:
    for module in NEEDS.get(place, []):
        need_module(module, promised=True)
    (done,) = export([UP], place, tmp_path / "out", names=["up"], width=320, template="minimal")
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for name, data in files.items():
        assert data[:20].lower().startswith(BEGINS.get(Path(name).suffix, b"").lower()), name
    for saved in done.saved:
        assert saved.path is not None
        assert saved.size == len(files[saved.path.name])
    named = set(re.findall(r"up[\w-]*(?:\.[a-z0-9]+)?", done.lines))
    assert named, done.lines
    for name in named - {"up"}:  # each file that the lines name is there
        assert name in files
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    again = export([UP], place, tmp_path / "again", names=["up"], width=320, template="minimal")
    same = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert again[0].lines == done.lines
    assert {n: d for n, d in same.items() if n != "up.mp4"} == {n: d for n, d in files.items() if n != "up.mp4"}


def test_the_picture_of_a_readme_has_light_dark_and_still(tmp_path: Path) -> None:
    (done,) = export([UP], "github", tmp_path, width=320)
    sources: list[dict[str, str | None]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: Any) -> None:
            sources.append({"tag": tag, **dict(attributes)})

    Reader().feed(done.lines)
    assert [one["tag"] for one in sources] == ["picture", "source", "source", "source", "img"]
    assert sources[1]["srcset"] == "conv-transpose-dark.png"
    assert "reduce" in str(sources[1]["media"])
    assert sources[2]["srcset"] == "conv-transpose-light.png"
    assert sources[3]["srcset"] == "conv-transpose-dark.gif"
    assert sources[4]["src"] == "conv-transpose-light.gif"
    assert "3×3 → 5×5" in str(sources[4]["alt"])


def test_several_layers_share_a_folder_under_different_names(tmp_path: Path) -> None:
    x = np.arange(16).reshape(4, 4)
    traces = [Conv(2).trace(x, [[1, 2], [3, 4]]), MaxPool(2).trace(x), Conv(2).trace(x, [[1, 1], [1, 1]])]
    done = export(traces, "jupyter", tmp_path, width=320)
    assert [one.lines.splitlines()[-1] for one in done] == [
        f'IFrame("{name}.html", width=320, height=240)' for name in ("conv", "max-pool", "conv-2")
    ]
    assert len(list(tmp_path.iterdir())) == 6


def test_a_text_cannot_leave_the_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '"><script>alert(1)</script> ]( x) \\n {0}'
    monkeypatch.setattr(exports.Animation, "alt", evil)
    lines = {
        place: export([UP], place, tmp_path, width=320)[0].lines for place in ("reveal", "github", "quarto", "marp")
    }
    for place in ("reveal", "github", "quarto"):
        assert "<script" not in lines[place]
        assert html.escape(evil) in lines[place]
    assert r"\]( x)" in lines["marp"]
    assert "<script" not in lines["marp"].replace(r"\<script", "")


def test_nothing_stays_if_a_file_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (Part(".png", {"select": "last"}), Part(".html", most=1000))
    monkeypatch.setitem(PLACES, "jupyter", Place("", parts, ""))
    with pytest.raises(ConvanimError, match=r"has [\d,]+ bytes, which are [\d,]+ more than jupyter takes"):
        export([UP], "jupyter", tmp_path / "new", width=320)
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine.txt").write_text("x")
    with pytest.raises(ConvanimError, match="bytes"):
        export([UP], "jupyter", tmp_path / "old", width=320)
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["mine.txt"]


def test_a_gif_that_is_too_large_for_its_place_is_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLACES, "github", Place("", (Part(".gif", most=60_000),), "{name}"))
    (done,) = export([UP], "github", tmp_path, width=640)
    assert done.saved[0].size <= 60_000
    assert done.saved[0].given_up


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"place": "revel"}, "place 'revel' is not known; use reveal"),
        (
            {"place": "github", "theme": "dark"},
            "the files for github are in the themes light and dark; leave theme out",
        ),
        ({"names": ["../up"]}, "the name '../up' is not a name for files"),
        ({"names": ["a", "b"]}, "a, b are not 1 different names"),
        ({"folder": "no/where"}, "the folder no/where cannot be created: no such file or directory"),
        ({"folder": "file"}, "the folder file cannot be created: file exists"),
    ],
)
def test_wrong_requests(asked: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(ConvanimError, match=re.escape(told)):
        export([UP], **{"place": "jupyter", "folder": "out"} | asked)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command_prints_the_lines(tmp_path: Path) -> None:
    words = ["export", "Conv(2)", "MaxPool(2)", "--input", "4x4", "--width", "320", "--for"]
    done = run(*words, "beamer", "-o", tmp_path / "out")
    assert (done.code, done.out.splitlines()) == (0, [r"\input{conv}", r"\input{max-pool}"])
    assert "conv.pdf, 320×180 px" in done.err
    refused = run(*words, "beemer", "-o", tmp_path / "new")
    assert (refused.code, "--for 'beemer' is not known; use beamer" in refused.err) == (2, True)
    assert not (tmp_path / "new").exists()


def test_a_deck_of_reveal_starts_and_steps_the_player(tmp_path: Path) -> None:
    for name in ("reveal.js", "reveal.css"):
        shutil.copy(modules("reveal.js") / "dist" / name, tmp_path)
    (done,) = export([UP], "reveal", tmp_path, names=["up"], width=640)
    steps = "".join(f'<span class="fragment" data-step="{n}"></span>' for n in (1, 2, 3))
    (tmp_path / "deck.html").write_text(
        f"""<!doctype html><html lang="en"><title>deck</title><link rel="icon" href="data:,">
        <link rel="stylesheet" href="reveal.css"><div class="reveal"><div class="slides"><section>First</section>
        {done.lines.replace("</section>", steps + "</section>")}<section>Last</section></div></div>
        <script src="reveal.js"></script><script>
        const send = (event, to) => event.fragment.closest("section").querySelector("iframe")
          .contentWindow.postMessage({{convanim: "step", to}}, "*");
        Reveal.on("fragmentshown", (event) => send(event, Number(event.fragment.dataset.step)));
        Reveal.on("fragmenthidden", (event) => send(event, Number(event.fragment.dataset.step) - 1));
        Reveal.initialize({{transition: "none"}});</script></html>""",
        "utf-8",
    )
    found = drive(
        tmp_path / "deck.html",
        """
        const frame = () => page.frames().find((one) => one.url().endsWith("up.html"));
        const at = async () => {
          await page.waitForTimeout(400);
          return await frame().evaluate(() => {
            const player = document.querySelector("convanim-player");
            return [player.at, player.data.frames[player.at].s ?? 0, player.playing];
          });
        };
        const found = {};
        await page.waitForFunction(() => Reveal.isReady());
        await page.keyboard.press("ArrowRight");
        await page.waitForFunction(() => document.querySelector("iframe").contentDocument
          ?.querySelector("convanim-player")?.data);
        found.entered = await at();
        for (const key of ["one", "two", "three"]) { await page.keyboard.press("ArrowRight"); found[key] = await at(); }
        await page.keyboard.press("ArrowLeft");
        found.back = await at();
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("ArrowRight");
        await page.waitForTimeout(300);
        await page.keyboard.press("ArrowLeft");
        found.again = await at();
        return found;
        """,
    )
    assert found["entered"][0] <= 1
    assert [found[key][1:] for key in ("one", "two", "three")] == [[1, False], [2, False], [3, False]]
    assert found["back"][1] == 2


@pytest.mark.parametrize("size", [{"width": 1100, "height": 618}, {"template": "square"}])
def test_lines_fit_the_slide_of_their_program(size: dict[str, Any], tmp_path: Path) -> None:
    wide, high = UP.animate(**size).size
    for place, slide, bar in (("reveal", (960, 700), 60), ("quarto", (1050, 600), 60), ("marp", (1180, 590), 0)):
        (done,) = export([UP], place, tmp_path, **size)
        found = re.search(r"width=\"(\d+)\" height=\"(\d+)\"|!\[w:(\d+)", done.lines)
        assert found
        width = int(found[1] or found[3])
        height = int(found[2]) - bar if found[2] else round(width * high / wide)
        assert width <= 0.95 * slide[0]
        assert height + bar <= 0.97 * slide[1]
        assert height == pytest.approx(width * high / wide, abs=1)
        assert width > 0.85 * slide[0] or height + bar > 0.85 * slide[1]  # and fill it


def test_pandoc_reads_the_lines_for_quarto(tmp_path: Path) -> None:
    (done,) = export([UP], "quarto", tmp_path, names=["up"], width=320)
    words = [need("pandoc"), "--from", "markdown", "--to", "json"]
    read = subprocess.run(words, input=done.lines, capture_output=True, text=True, check=True)
    screen, paper = json.loads(read.stdout)["blocks"]
    assert screen["c"][0] == ["", ["content-visible"], [["when-format", "html:js"]]]
    assert paper["c"][0] == ["", ["content-visible"], [["unless-format", "html:js"]]]
    assert '<iframe src="up.html"' in json.dumps(screen, ensure_ascii=False).replace('\\"', '"')
    ((_, (_, _, attributes), label, (file, _)),) = [(one["t"], *one["c"]) for one in paper["c"][1][0]["c"]]
    assert (file, label) == ("up.png", [])
    assert attributes == [["fig-alt", UP.animate(width=320).alt]]


def marp(folder: Path, lines: str, file: str, *options: str) -> Path:
    """A file that Marp makes of a deck whose second slide has these lines."""
    (folder / "deck.md").write_text(f"# First\n\n---\n\n{lines}\n", "utf-8")
    environment = os.environ | {"CHROME_PATH": need("chromium"), "CHROME_NO_SANDBOX": "1"}
    program = modules("@marp-team/marp-cli") / "marp-cli.js"
    subprocess.run(
        [need("node"), program, "--no-config-file", *options, "deck.md", "-o", file],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return folder / file


def test_a_deck_of_marp_shows_the_whole_animation(tmp_path: Path) -> None:
    size: dict[str, Any] = {"template": "square", "width": 560}  # as high as a slide has room
    animation = UP.animate(**size)
    (done,) = export([UP], "marp", tmp_path, names=["up"], **size)
    line = done.lines.splitlines()[0]
    assert "run marp with --allow-local-files" in done.lines
    found = drive(
        Path(str(marp(tmp_path, line, "deck.html", "--bespoke.osc=false")) + "#2"),
        """
        const shown = page.locator("section img");
        await page.waitForTimeout(1000);
        await page.screenshot({ path: "SHOT" });
        return { ...(await shown.boundingBox()), alt: await shown.getAttribute("alt") };
        """.replace("SHOT", str(tmp_path / "html.png")),
        viewport={"width": 1280, "height": 720},
        reducedMotion=None,
        flags=["--force-prefers-reduced-motion"],  # the last frame
    )
    assert found["alt"] == animation.alt
    x, y, wide, high = (int(found[side]) for side in ("x", "y", "width", "height"))
    assert (wide, high) == animation.size
    assert min(x, y) >= 78
    assert x + wide <= 1280 - 78
    assert y + high <= 720 - 78

    still = line.replace("up.svg", "up.png")
    paper = marp(tmp_path, still, "deck.pdf", "--allow-local-files")
    words = ("-f", "2", "-scale-to-x", "1280", "-scale-to-y", "720", "-png", "-singlefile", paper, tmp_path / "pdf")
    subprocess.run([need("pdftoppm"), *words], check=True)
    with zipfile.ZipFile(marp(tmp_path, still, "deck.pptx", "--allow-local-files")) as file:
        (tmp_path / "pptx.png").write_bytes(file.read("ppt/media/Slide-2-image-1.png"))
    for kind in ("html", "pdf", "pptx"):
        slide = Image.open(tmp_path / f"{kind}.png").convert("RGB").resize((1280, 720))
        boxes = [(x + a, y + b, x + a + wide, y + b + high) for a in (0, 1) for b in (0, 1)]  # it lies half a px off
        last, first = (
            min(np.abs(soft(slide.crop(box)) - soft(Image.fromarray(animation.pixels(n)))).mean() for box in boxes)
            for n in (-1, 0)
        )
        assert last < 3 < first / 2, kind


def soft(image: Image.Image) -> Any:
    """A picture at half its size, since letters are antialiased in other ways."""
    return np.asarray(image.reduce(2)).astype(int)

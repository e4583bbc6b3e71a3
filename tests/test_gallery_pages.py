"""A gallery's pages: escaped, self-contained, small, and accessible (axe-core in Chromium); old and new frames."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from convanim.errors import ConvanimError
from convanim.gallery import read_folder
from convanim.gallery.records import read_manifest
from convanim.gallery.sidebyside import diff
from support.galleries import CONV, TEXT, here, put
from support.needs import need, need_module

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "gallery"
CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NASTY = '<script>alert("x")</script> | `a` *b* [c](d) & "e"'


class Page(HTMLParser):
    """The elements of a page as (name, attributes), and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_values_are_escaped(tmp_path: Path) -> None:
    told = json.dumps(NASTY)
    put(tmp_path, a=CONV + f"title = {told}\nalt = {told}\ntags = [{told}]\n")
    put(tmp_path, gallery=f"title = {told}\nabout = {told}\n")
    here(tmp_path)
    page = Page(tmp_path / "index.html")
    assert [name for name, _ in page.elements].count("script") == 1
    assert NASTY in page.text
    assert [a["alt"] for name, a in page.elements if name == "img"] == [NASTY]
    table = Page(tmp_path / "README.md")
    assert [a["alt"] for name, a in table.elements if name == "img"] == [NASTY]
    assert "script" not in [name for name, _ in table.elements]


def test_a_text_of_several_lines_stays_in_its_place(tmp_path: Path) -> None:
    put(
        tmp_path,
        a=CONV + 'alt = """one\n\ntwo | three"""\ntitle = "a\\nb"\nreplaces = "old"\ndrawn_title = "a  b `c`"\n',
    )
    here(tmp_path)
    text = (tmp_path / "README.md").read_text("utf-8")
    table = text[text.index("<table>") : text.index("</table>")]
    assert "\n\n" not in table  # would end the table
    assert 'alt="one two | three"' in table
    assert re.findall(r"^\|(.*)\|$", text, re.M)[2:] == [" old | a b | [a.gif](a.gif) "]
    assert "```sh\nconvanim conv --input 3x3 --kernel 2 --width 640 --title 'a  b `c`' -o a.gif\n```" in text


def test_every_file_is_reached_and_nothing_from_elsewhere() -> None:
    page = Page(OURS / "index.html")
    keys = ("src", "href", "data-gif")
    given = [value for _, a in page.elements for key, value in a.items() if key in keys and value]
    assert len(given) > 300
    for value in given:
        if not value.startswith(("data:,", "?tag=")):
            assert (OURS / value).is_file(), value
    assert "@import" not in page.text
    assert "url(" not in page.text
    shown = {path.name for path in OURS.glob("*.gif")}
    assert shown == {a["data-gif"] for _, a in page.elements if "data-gif" in a}
    links = re.findall(r'\]\(([^)]+)\)|(?:src|href)="([^"]+)"', (OURS / "README.md").read_text("utf-8"))
    assert {f"{path.stem}.toml" for path in OURS.glob("[!_]*.toml") if path.stem != "gallery"} >= {
        link for pair in links for link in pair if link.endswith(".toml")
    }
    for link in links:
        assert (OURS / "".join(link)).is_file(), link
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_there_is_little_to_load_before_a_gif() -> None:
    page = Page(OURS / "index.html")
    hero, *pictures = [a for name, a in page.elements if name == "img"]
    assert all(a["loading"] == "lazy" and a["width"] and a["height"] and a["alt"] for a in pictures)
    assert not [a["src"] for a in (hero, *pictures) if str(a["src"]).endswith(".gif")]
    # A browser loads the page and the stills of the first screens, which it may load in advance.
    ahead = [hero, *pictures[:15]]
    size = (OURS / "index.html").stat().st_size + sum((OURS / str(a["src"])).stat().st_size for a in ahead)
    assert size < 300_000


def test_no_animation_is_there_twice() -> None:
    found: dict[tuple[str, str | None], str] = {}
    entries = read_folder(OURS).entries
    for entry, record in read_manifest(OURS / "manifest.json").entries.items():
        for name, made in record.files.items():
            if name.endswith(".gif"):  # with half padding a layer and its transpose have the same figure
                assert found.setdefault((made.pixels, entries[entry].replaces), name) == name


def test_sections_and_shared_cards(tmp_path: Path) -> None:
    told = """
hero = "b"
pair = {suffix = "-x", labels = ["One", "Two"]}
[[sections]]
title = "First"
entries = ["c", "a"]
[[sections]]
title = "Rest"
[[sections]]
title = "Tagged"
tags = ["t"]
"""
    made = {name: CONV + f'title = "{name}"\n' for name in ("a", "b", "c", "d-x")}
    put(tmp_path, gallery=told, **made, **{"a-x": CONV, "e": CONV + 'tags = ["t"]\n', "none": TEXT})
    here(tmp_path)
    page = (tmp_path / "index.html").read_text("utf-8")
    order = re.findall(r'<h2 id="s-\d">(\w+)</h2>|<li id="e-([\w-]+)"', page)
    assert ["".join(pair) for pair in order] == ["First", "c", "a", "Rest", "b", "d-x", "none", "Tagged", "e"]
    card = page[page.index('id="e-a"') : page.index('id="s-1"')]
    assert re.findall(r'data-gif="([^"]+)"', card) == ["a.gif", "a-x.gif"]
    assert 'id="hero"' in page
    table = (tmp_path / "README.md").read_text("utf-8")
    assert '<a href="a-x.gif">two</a>' in table
    for wrong, why in (
        ('hero = "bb"\n', r"gallery\.toml: hero names 'bb', which does not exist; did you mean b"),
        ('[[sections]]\ntitle = "a"\ntag = ["b"]\n', r"gallery\.toml line 3: 'tag' is not a key; did you mean tags"),
        ('pair = {sufix = "-x"}\n', r"'sufix' is not a key; did you mean suffix"),
    ):
        put(tmp_path, gallery=wrong)
        with pytest.raises(ConvanimError, match=why):
            here(tmp_path)


def test_commands_can_be_copied_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, a=CONV + 'kernel = [[1, 2], [3, 4]]\ndrawn_title = "It\'s <b>"\n')
    here(tmp_path)
    wanted = """convanim conv --input 3x3 --kernel '[[1,2],[3,4]]' --width 640 --title 'It'"'"'s <b>' -o a.gif"""
    assert wanted in Page(tmp_path / "index.html").text


class Quiet(SimpleHTTPRequestHandler):
    """A server that records requests instead of printing them."""

    asked: list[str] = []  # noqa: RUF012 - one list for all of its objects is the point

    def log_message(self, format: str, *args: Any) -> None:
        self.asked.append(self.path)


def browse(tmp_path: Path, script: str, *flags: str, page: Path = OURS / "index.html") -> tuple[Any, list[str]]:
    """Run a script in a page in Chromium; return its `window.found`, and the files that the server sent.

    The script may await; it runs after the page's own.
    """
    site = tmp_path / "site"
    if not site.exists():
        shutil.copytree(page.parent, site)
    told = f"<script>(async()=>{{let f;try{{f=await(async()=>{{{script}}})()}}catch(e){{f=String(e)}}"
    told += 'const p=document.createElement("pre");p.id="found";p.textContent=JSON.stringify(f);'
    told += "document.body.append(p)})()</script></body>"
    (site / "probe.html").write_text((site / page.name).read_text("utf-8").replace("</body>", told), "utf-8")
    Quiet.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/probe.html"
        where = f"--user-data-dir={tmp_path / 'profile'}"
        command = [need("chromium"), *CHROMIUM, where, "--virtual-time-budget=20000", *flags, "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=90)
        server.shutdown()
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stdout[-500:]
    return json.loads(html.unescape(found[1])), list(Quiet.asked)


def axe() -> str:
    """The text of axe-core; AXE_CORE names its file."""
    path = os.environ.get("AXE_CORE")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("AXE_CORE does not name axe.min.js, of the package axe-core")
        pytest.skip("AXE_CORE does not name axe.min.js, of the package axe-core")
    return Path(path).read_text("utf-8")


LOOK = """
AXE
;document.documentElement.setAttribute("data-theme", "THEME");
for (const part of document.querySelectorAll("details")) part.open = true;
document.head.insertAdjacentHTML("beforeend", "<style>.cards>li{content-visibility:visible!important}</style>");
for (const button of document.querySelectorAll("[data-tag]")) if (button.dataset.tag === "matrix") button.click();
await new Promise(done => setTimeout(done, 500));
const found = await axe.run(document, {});
const told = found.violations.map(v => v.id + " " + v.nodes.slice(0, 3).map(n => n.html).join(" "));
return {violations: told, passed: found.passes.map(p => p.id)};
"""


@pytest.mark.parametrize("size", ["500,900", "1280,900", "1920,1080"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, theme: str, size: str) -> None:
    need("chromium")
    # A script element cannot contain axe unchanged, as its text contains "</script>".
    library = axe().replace("</script>", "<\\/script>")
    script = LOOK.replace("THEME", theme).replace("AXE", library)
    found, _ = browse(tmp_path, script, f"--window-size={size}")
    assert found["violations"] == []
    assert {"color-contrast", "image-alt", "button-name", "aria-allowed-attr"} <= set(found["passed"])


def test_search_and_its_address(tmp_path: Path) -> None:
    need("chromium")
    script = """
    const wait = () => new Promise(done => setTimeout(done, 100)), here = () => location.search;
    const shown = () => [...document.querySelectorAll(".cards>li")].filter(e => !e.hidden).map(e => e.id.slice(2));
    const search = document.getElementById("search"), found = {all: shown().length};
    const type = text => { search.value = text; search.dispatchEvent(new Event("input")); return shown(); };
    for (const text of TEXTS) found[text] = type(text);
    found.none = [type("nothing like it").length, document.getElementById("none").hidden];
    found.typed = here();
    document.getElementById("clear").click(); found.cleared = [here(), shown().length];
    document.querySelector("[data-tag=shuffle]").click(); found.tagged = [here(), shown()];
    history.back(); await wait(); found.back = [here(), shown().length];
    return found;
    """
    texts = ["stride 2", "overlap", "deconvolution", "checkerboard artifacts", "keras transposed", "conv_S2P1"]
    found, _ = browse(tmp_path, script.replace("TEXTS", json.dumps(texts)))
    names = {path.stem for path in OURS.glob("[!_]*.toml")} - {"gallery"}
    cards = {name for name in names if name.removesuffix("-page") == name or name.removesuffix("-page") not in names}
    assert found["all"] == len(cards)
    layers = {name: read_folder(OURS).entries[name].layer for name in cards}
    strided = {name for name, layer in layers.items() if re.search(r"strides?=2", layer)}
    assert strided <= set(found["stride 2"])
    assert not {"no_padding_no_strides", "tc-2x2-k2-a", "full_padding_no_strides"} & set(found["stride 2"])
    assert {name for name, layer in layers.items() if layer.startswith("ConvT")} <= set(found["deconvolution"])
    assert {"overlap", "overlap-add", "checkerboard", "rgb-k4-s4"} <= set(found["overlap"])
    assert "checkerboard" in found["checkerboard artifacts"]
    assert found["keras transposed"] == ["keras-valid", "keras-same", "conv1d-transpose"]
    assert found["conv_S2P1"][0] == "conv_S2P1"
    assert (found["none"], found["typed"]) == ([0, False], "?q=nothing+like+it")
    assert found["cleared"] == ["", len(cards)]
    assert found["tagged"] == ["?tag=shuffle", ["shuffle", "pixel_shuffle", "pixel_unshuffle"]]
    assert found["back"] == ["", len(cards)]


def test_playing_stopping_and_the_other_drawing(tmp_path: Path) -> None:
    need("chromium")
    script = """
    const shot = document.querySelector("#e-conv button.shot"), image = shot.querySelector("img"), found = [];
    const now = () => found.push(image.getAttribute("src") + " " + shot.getAttribute("aria-pressed"));
    const mouse = kind => { shot.dispatchEvent(new PointerEvent(kind, {pointerType: "mouse"})); now(); };
    const click = () => { shot.click(); now(); };
    shot.scrollIntoView(); now(); mouse("pointerenter"); await new Promise(done => setTimeout(done, 1000));
    click(); mouse("pointerleave");  // a click stops what the pointer began
    mouse("pointerenter"); mouse("pointerleave");
    click(); mouse("pointerleave"); click();  // one that was asked for plays on
    await new Promise(done => setTimeout(done, 3500));
    const two = document.querySelector("#e-padding_strides");
    const seen = () => [...two.querySelectorAll(".shot")].filter(e => e.offsetWidth).map(e => e.dataset.gif);
    const first = seen();
    two.querySelector("[data-side=b]").click();
    const theme = document.getElementById("theme"); theme.click();
    const hero = document.querySelector("#hero img").getAttribute("src");
    return {found, first, second: seen(), dark: document.documentElement.dataset.theme, hero};
    """
    found, asked = browse(tmp_path, script)
    still, gif = "stills/conv.png false", "conv.gif true"
    assert found["found"] == [still, gif, still, still, gif, still, gif, gif, still]
    assert (found["first"], found["second"]) == (["padding_strides.gif"], ["padding_strides-page.gif"])
    assert (found["dark"], found["hero"]) == ("dark", "up.gif")
    assert {path for path in asked if path.endswith(".gif")} == {"/conv.gif", "/up.gif"}


def test_nothing_moves_by_itself_where_motion_is_not_wanted(tmp_path: Path) -> None:
    need("chromium")
    script = """
    const shot = document.querySelector("#e-up button.shot"), found = [matchMedia("(prefers-reduced-motion)").matches];
    await new Promise(done => setTimeout(done, 3500));
    found.push(document.querySelector("#hero button").getAttribute("aria-pressed"));
    for (const step of ["pointerenter", "click"]) {
      shot.dispatchEvent(new PointerEvent(step, {pointerType: "mouse"}));
      found.push(shot.getAttribute("aria-pressed"));
    }
    return found;
    """
    assert browse(tmp_path, script, "--force-prefers-reduced-motion")[0] == [True, "false", "false", "true"]


# Old and new.


def test_differences_are_shown_side_by_side(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV))
    assert diff(tmp_path, "a", tmp_path / "d.html").endswith("frames are equal")
    put(tmp_path, a=CONV + 'fill = "ones"\n')
    line = diff(tmp_path, "a", tmp_path / "d.html")
    assert re.search(r"\d+ of \d+ frames differ", line)
    page = Page(tmp_path / "d.html")
    pictures = [a for name, a in page.elements if name == "img"]
    assert len(pictures) == 2 * int(line.split(": ")[1].split()[0])
    assert all(str(a["src"]).startswith("data:image/png;base64,") and a["alt"] for a in pictures)
    assert "pixels, in x" in page.text
    put(tmp_path, a=CONV + "seconds_per_step = 2\n")
    diff(tmp_path, "a", tmp_path / "d.html")
    assert re.search(r"\d+ ms, now \d+ ms", Page(tmp_path / "d.html").text)


def test_there_may_be_nothing_to_compare(tmp_path: Path) -> None:
    put(tmp_path, a=CONV, b=TEXT, c="layer = 1\n")
    for name, told in (("a", "a.gif cannot be read"), ("b", "has no picture"), ("c", "c.toml"), ("x", "no entry")):
        with pytest.raises(ConvanimError, match=told):
            diff(tmp_path, name, tmp_path / "d.html")
    (tmp_path / "old.gif").write_bytes(b"GIF89a")
    with pytest.raises(ConvanimError, match=r"old\.gif cannot be read"):
        diff(tmp_path, "a", tmp_path / "d.html", old=tmp_path / "old.gif")


def test_a_card_plays_the_animation_that_there_is_and_a_video_is_linked(tmp_path: Path) -> None:
    need_module("imageio_ffmpeg", promised=True)
    folder = put(tmp_path, up=f'{CONV}select = "0,last"\nformats = ["webp", "mp4"]')
    report = here(folder)
    assert not report.failed
    assert {path.name for path in folder.rglob("up.*")} == {"up.toml", "up.webp", "up.mp4", "up.png"}
    assert (folder / "stills" / "up.png").exists()
    page = (folder / "index.html").read_text()
    assert 'data-gif="up.webp"' in page
    assert 'href="up.mp4"' in page
    assert read_manifest(folder / "manifest.json").entries["up"].files["up.webp"].seconds > 1

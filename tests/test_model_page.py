"""The page of a model in Chromium: the cells that depend on each other, keys, players, policies, axe-core and size."""

from __future__ import annotations

import gzip
import json
import re
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim.models import model
from support.browser import drive, driven, modules
from support.commands import run
from support.graphs import Graph, onnx
from test_model import unet

READY = """
const m = page.locator("convanim-model");
await page.waitForFunction(() => document.querySelector("convanim-model").said);
const masks = (which) => m.evaluate((m, which) => Object.fromEntries([...m[which]].map(([number, parts]) => {
  const { name, size } = m.data.layers[number];
  const [rows, columns] = size.length > 1 ? size : [1, size[0]];
  const lit = [];
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++)
    if (parts.some((p) => (p.length > 1 ? p[0][i] && p[1][j] : p[0][j]))) lit.push(i * columns + j);
  return [name, lit];
})), which);
"""


def branched() -> Graph:
    g = Graph(1, 1, 12, 10)
    g.conv(2, 3, "a", pads=1)
    g.add("Relu", name="relu")
    skip = g.at
    g.pool(name="pool")
    g.conv(2, 3, "b", up=True, strides=2, pads=1, output_padding=1)
    g.add("Add", skip, name="sum")
    g.conv(3, 3, "c", dilations=2)
    g.add("Flatten", name="flat")
    return g


def saved(g: Graph, folder: Path, name: str = "m", **options: Any) -> Path:
    model(g.model(), None).save(folder / f"{name}.html", **options)
    return folder / f"{name}.html"


def data(path: Path) -> Any:
    found = re.search(r'<script type="application/gzip">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    return json.loads(gzip.decompress(b64decode(found[1])))


def test_a_clicked_cell_shows_what_it_depends_on_and_what_depends_on_it(tmp_path: Path) -> None:
    g = branched()
    path = saved(g, tmp_path)
    found = drive(
        path,
        READY
        + """
        const found = {};
        for (const [layer, cell] of [["c", [3, 2]], ["pool", [5, 0]], ["input", [0, 9]], ["sum", [11, 9]]]) {
          await page.evaluate((hash) => { location.hash = hash; }, `#layer=${layer}&cell=${cell}`);
          await page.waitForTimeout(60);
          found[layer] = [await masks("back"), await masks("on")];
        }
        return found;
        """,
    )
    ours = model(g.model())
    names = [node.name for node in ours.graph.nodes if node.sizes]
    for layer, cell in (("c", (3, 2)), ("pool", (5, 0)), ("input", (0, 9)), ("sum", (11, 9))):
        back, on = found[layer]
        theirs = {name: np.flatnonzero(mask).tolist() for name, mask in ours.reads(layer, cell).items()}
        assert back == theirs
        for name in names[names.index(layer) + 1 :]:
            sizes = ours.graph.nodes[ours.graph.find(name)].sizes
            assert sizes
            seen = [ours.reads(name, there).get(layer) for there in np.ndindex(*sizes)]
            lit = [n for n, mask in enumerate(seen) if mask is not None and mask[cell]]
            assert on.get(name, []) == lit, (layer, name)


def test_maps_of_three_axes_are_seen_along_the_first_one(tmp_path: Path) -> None:
    g = Graph(1, 1, 6, 8, 7)
    g.conv(2, 3, "a", rank=3, strides=[1, 2, 1])
    skip = g.at
    g.conv(2, 3, "b", rank=3, pads=1, dilations=1)
    g.add("Add", skip, name="sum")
    path = saved(g, tmp_path)
    assert "its grid shows all slices at once" in path.read_text("utf-8")
    found = drive(
        path,
        """
        const m = page.locator("convanim-model");
        await page.waitForFunction(() => document.querySelector("convanim-model").said);
        await page.evaluate((hash) => { location.hash = hash; }, "#layer=b&cell=3,0,4");
        await page.waitForTimeout(60);
        const found = {};
        found.said = await m.evaluate((m) => m.said.textContent);
        found.parts = await m.evaluate((m) => m.back.get(0).map((part) => part.map((mask) => [...mask])));
        const card = page.locator("convanim-model li.card").filter({hasText: "Add"});
        await card.locator("svg").click({position: {x: 3, y: 3}});
        found.clicked = await m.evaluate((m) => [m.number, m.cell]);
        await page.getByRole("spinbutton", {name: "Slice"}).fill("0");
        found.slice = await m.evaluate((m) => m.cell);
        found.union = await m.evaluate((m) => m.said.textContent);
        found.drawn = await m.evaluate((m) => m.shown[0].marks.getAttribute("d"));
        return found;
        """,
    )
    ours = model(g.model())
    mask = ours.reads("b", (3, 0, 4))["input"]
    assert f"Cell (3, 0, 4) of b depends on {mask.sum()} of 336 cells of the input, slices 2 to 5, " in found["said"]
    axes = [set(np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {i})))) for i in range(3)]
    assert [set(np.flatnonzero(one)) for one in found["parts"][0]] == axes
    assert found["clicked"] == [3, [1, 0, 0]]  # the slice in the middle
    assert found["slice"] == [0, 0, 0]
    assert f"depends on {ours.reads('sum', (0, 0, 0))['input'].sum()} of 336 cells" in found["union"]
    assert found["drawn"].startswith("M0 0h4v5h-4z")


def test_pointer_keys_and_the_player(tmp_path: Path) -> None:
    found = drive(
        saved(branched(), tmp_path, lang="en"),
        READY
        + """
        const found = {start: await m.evaluate((m) => m.said.textContent)};
        const card = page.locator("convanim-model li.card").filter({hasText: "MaxPool"});
        await card.locator("svg").click({position: {x: 3, y: 3}});
        found.clicked = await m.evaluate((m) => [m.number, m.cell]);
        found.said = await m.evaluate((m) => m.said.textContent);
        found.hash = await page.evaluate(() => location.hash);
        await page.getByRole("spinbutton", {name: "Row"}).focus();
        await page.keyboard.press("ArrowUp");
        await page.getByRole("spinbutton", {name: "Column"}).fill("99");
        found.keys = await m.evaluate((m) => m.cell);
        await page.getByRole("combobox", {name: "Layer"}).selectOption({label: "a"});
        found.layer = await m.evaluate((m) => [m.number, m.cell]);
        found.pressed = await page.getByRole("button", {name: "a", exact: true}).getAttribute("aria-pressed");
        await page.getByRole("button", {name: "sum", exact: true}).click();
        found.named = await m.evaluate((m) => m.said.textContent);
        await page.getByRole("button", {name: "Player: c"}).click();
        const dialog = page.getByRole("dialog");
        found.dialog = await dialog.innerText();
        const player = dialog.locator("convanim-player");
        await player.evaluate((p) => p.go(0));
        found.frames = await player.evaluate((p) => [p.at, p.last > 4]);
        await page.keyboard.press("Escape");
        found.closed = await page.getByRole("dialog").count();
        found.cards = await page.locator("convanim-model li.card").count();
        found.ends = await page.locator("convanim-model li.card").last().innerText();
        return found;
        """,
    )
    assert found["clicked"] == [3, [0, 0]]
    assert found["hash"] == "#layer=pool&cell=0,0"
    assert "pool depends on 9 of 120 cells of the input, rows 0 to 2, columns 0 to 2." in found["said"]
    assert found["said"].endswith("cells of c depend on it.")
    assert found["keys"] == [1, 4]
    assert found["layer"] == [1, [5, 4]]  # the middle
    assert found["pressed"] == "true"
    assert found["named"].startswith("Cell (5, 4) of sum")
    assert "Conv(kernel_size=(3, 3), dilation=2, convention='onnx')" in found["dialog"]
    assert "The same operation on a small input" in found["dialog"]
    assert found["frames"] == [0, True]
    assert found["closed"] == 0
    assert found["cards"] == 7  # relu is named at the layer that it follows
    assert "no positions" in found["ends"]


@pytest.mark.parametrize(("scheme", "wide"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_violation_and_a_phone_has_no_sideways_scrolling(tmp_path: Path, scheme: str, wide: int) -> None:
    library = modules("axe-core") / "axe.min.js"
    found = drive(
        saved(unet(36, 1, valid=True, corner=True), tmp_path),
        READY
        + f"""
        await page.addScriptTag({{path: {json.dumps(str(library))}}});
        const axes = async () => (await page.evaluate(() => axe.run(document, {{}}))).violations
          .map((v) => v.id + " " + v.nodes[0].html);
        const found = await axes();
        await page.getByRole("button", {{name: "Player: head"}}).click();
        found.push(...(await axes()));
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        return {{found, sideways}};
        """,
        colorScheme=scheme,
        viewport={"width": wide, "height": 800},
    )
    assert found == {"found": [], "sideways": False}


def test_policies_without_inline_scripts_and_pages_without_scripts(tmp_path: Path) -> None:
    path = saved(branched(), tmp_path, script="external")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["convanim-model.js", "m.html"]
    policy = (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; script-src 'self'\">"
    )
    text = path.read_text("utf-8")
    (tmp_path / "strict.html").write_text(text.replace("<head>", f"<head>{policy}", 1), "utf-8")
    found, errors = driven(tmp_path / "strict.html", READY + "return await m.evaluate((m) => m.said.textContent);")
    assert found.startswith("Cell (")
    assert all("style" in error for error in errors), errors  # that of the page around it
    assert "http" not in text.replace("http-equiv", "")
    rows = re.findall(r'<th scope="row">(\w+)</th>', text)
    assert rows == ["a", "relu", "pool", "b", "sum", "c", "flat"]  # the table needs no script


def test_markup_is_text(tmp_path: Path) -> None:
    evil = "'></script><script>hacked=1</script>{{ data }}<img src=x onerror=hacked=1>"
    g = Graph(1, 1, 5, 5)
    g.conv(1, 3, evil)
    g.add("Flatten", name=evil)
    path = saved(g, tmp_path)
    found = drive(
        path,
        READY
        + "return [await page.evaluate(() => window.hacked ?? null), await m.evaluate((m) => m.cards.innerText)];",
    )
    assert found[0] is None
    assert evil in found[1]


def test_faults_stand_at_their_layers(tmp_path: Path) -> None:
    g = Graph(1, 1, 8, 8)
    g.conv(1, 3, "a", pads=1)
    skip = g.at
    g.conv(1, 3, "b")
    g.add("Add", skip, name="sum")
    stated = [("v0", (1, 1, 9, 8))]
    found = model(g.model(stated=stated))
    faults = {row.name: row.faults for row in found.rows if row.faults}
    assert faults["a"] == ("its output is 1×1×8×8, and the file says 1×1×9×8",)
    assert "its inputs are 1×1×6×6 | 1×1×8×8, which do not fit together; crop or pad one of them" in faults["sum"][0]
    found.save(tmp_path / "m.html")
    shown = drive(tmp_path / "m.html", READY + 'return await page.locator("convanim-model .fault").allInnerTexts();')
    assert shown == [text for some in faults.values() for text in some]
    assert "<h2>What does not fit</h2>" in (tmp_path / "m.html").read_text("utf-8")


def test_size_time_bytes_and_language(tmp_path: Path) -> None:
    g = unet(256, 4)
    onnx.save(g.model(), tmp_path / "m.onnx")
    start = time.perf_counter()
    done = run("model", tmp_path / "m.onnx", "-o", tmp_path / "a.html")
    assert time.perf_counter() - start < 30  # 2 s here; the target of 5 s is for a machine that does nothing else
    assert (done.code, "a.html, 49 layers, " in done.out) == (0, True), done
    assert (tmp_path / "a.html").stat().st_size < 300_000
    run("model", tmp_path / "m.onnx", "-o", tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    run("model", tmp_path / "m.onnx", "-o", tmp_path / "c.html", "--lang", "de", "--theme", "dark")
    text = (tmp_path / "c.html").read_text("utf-8")
    assert '<html lang="de">' in text
    assert "Rezeptives Feld" in text
    assert "light-dark" not in text[: text.index("<script>")]
    assert data(tmp_path / "c.html")["labels"]["row"] == "Zeile"
    assert len(data(tmp_path / "c.html")["players"]) == 4

"""Explorers: every combination is proved, sliders choose one, and those that do not exist say why."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convanim import ConvTranspose
from convanim.errors import ConvanimError
from convanim.sweep import MOST, Sweep
from convanim.typed.request import request
from support.browser import drive, modules
from support.commands import run

UP = ("sweep", "transposed", "--input", "3", "--kernel", "2..4", "--stride", "1..3", "--padding", "0..1")


def data(path: Path) -> Any:
    found = re.search(r'<script type="application/gzip">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    return json.loads(gzip.decompress(b64decode(found[1])))


def test_each_combination_has_the_numbers_of_its_layer() -> None:
    found = Sweep("transposed", [1, 2, 3], {"kernel": [2, 3], "stride": [1, 2], "output_padding": [0, 1]}).found
    assert set(found) == {f"{k},{s},{o}" for k in (2, 3) for s in (1, 2) for o in (0, 1)}
    for key, one in found.items():
        k, s, o = map(int, key.split(","))
        if o >= s:
            assert "output padding 1 is not smaller than" in one["error"]
            continue
        op = ConvTranspose(k, stride=s, output_padding=o)
        answer = np.zeros((3 - 1) * s + k + o, int)
        for i, x in enumerate([1, 2, 3]):  # overlap-add by hand
            answer[i * s : i * s + k] += x * request("transposed", x=[1, 2, 3], kernel=str(k)).given[1]
        assert one["facts"]["layer"] == str(op)
        assert one["facts"]["size"] == f"3 → {len(answer)}"
        formulas = [frame["f"] for frame in one["frames"] if frame.get("w")]
        assert [int(re.findall(r"= (\d+)", f)[-1]) for f in formulas][: len(answer)] == answer.tolist()


def test_sliders_reasons_code_and_hover(tmp_path: Path) -> None:
    done = run(*UP, "--output-padding", "0..1", "-o", tmp_path / "e.html")
    assert (done.code, "30 of 36 layers exist" in done.out) == (0, True), done
    found = drive(
        tmp_path / "e.html",
        """
        const explorer = page.locator("convanim-explorer"), found = {};
        await page.waitForFunction(() => document.querySelector("convanim-explorer").player?.data);
        const told = () => explorer.evaluate((e) => [e.size.textContent, e.formula.textContent, e.line.textContent]);
        found.first = await told();
        await page.getByRole("slider", {name: "stride"}).fill("1");
        found.stride = await told();
        found.address = await page.evaluate(() => location.hash);
        await page.getByRole("slider", {name: "kernel size"}).focus();
        await page.keyboard.press("ArrowRight");
        found.kernel = await told();
        await page.getByRole("combobox", {name: "In other frameworks"}).selectOption("JAX");
        found.jax = await told();
        await page.getByRole("slider", {name: "stride"}).fill("0");
        await page.getByRole("slider", {name: "output padding"}).fill("1");
        found.none = await told();
        found.hidden = await explorer.evaluate((e) => getComputedStyle(e.player).visibility);
        found.struck = await explorer.evaluate((e) =>
          e.controls.map(({buttons}) => buttons.map((b) => b.classList.contains("none"))));
        await page.evaluate(() => { location.hash = "#kernel=4&stride=3&padding=1"; });
        await page.waitForTimeout(100);
        found.named = await told();
        const slot = await explorer.evaluate((e) => [...e.player.writes.keys()][2]);
        const cell = await explorer.evaluateHandle((e, slot) => e.player.grounds[slot], slot);
        await cell.asElement().click();
        found.pinned = await explorer.evaluate((e) => e.player.count.textContent);
        return found;
        """,
    )
    assert found["first"][0] == "3 → 4"
    assert found["stride"][0] == "3 → 6"
    assert "(3 − 1)·2 + 2" in found["stride"][1]
    assert found["stride"][2] == "torch.nn.ConvTranspose1d(1, 1, kernel_size=2, stride=2)"
    assert found["address"] == "#kernel=2&stride=2&padding=0&output_padding=0"
    assert found["kernel"][0] == "3 → 7"
    assert found["jax"][2].startswith("jax.lax.conv_transpose")
    assert found["none"][0] == "No such layer"
    assert "output padding 1 is not smaller than" in found["none"][1]
    assert found["hidden"] == "hidden"
    assert found["struck"][3] == [False, True]
    assert found["named"][0] == "3 → 8"
    assert found["pinned"] == "3 / 8"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, scheme: str) -> None:
    Sweep("conv", "4", {"kernel": [2, 3]}).save(tmp_path / "e.html")
    library = modules("axe-core") / "axe.min.js"
    found = drive(
        tmp_path / "e.html",
        f"""
        await page.waitForFunction(() => document.querySelector("convanim-explorer").player?.data);
        await page.addScriptTag({{path: {json.dumps(str(library))}}});
        return (await page.evaluate(() => axe.run(document, {{}}))).violations.map((v) => v.id + v.nodes[0].html);
        """,
        colorScheme=scheme,
    )
    assert found == []


def test_size_and_bytes(tmp_path: Path) -> None:
    names = {"kernel": range(2, 5), "stride": range(1, 4), "padding": range(3), "dilation": [1, 2]}
    Sweep("transposed", "3x3", {"kernel": [2], "stride": [1, 2]}, lang="de").save(tmp_path / "a.html")
    Sweep("transposed", "3x3", {"kernel": [2], "stride": [1, 2]}, lang="de").save(tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert "Kerngröße" in data(tmp_path / "a.html")["labels"].values()
    found = Sweep("transposed", "2x2", names)
    saved = found.save(tmp_path / "c.html")
    assert len(found) == 54
    assert saved.size < 54 * 15_000


def test_bad_input(tmp_path: Path) -> None:
    out = tmp_path / "e.html"
    for words, says in (
        (("--kernel", "4..2"), "--kernel 4..2 is not an increasing range within 1..64"),
        (("--kernel", "x"), "--kernel 'x' is not a range of numbers"),
        (("--kernel", "1..64", "--stride", "1..64"), "these are 4,096 combinations; vary less"),
        (("--kernel", "9"), "none of these layers exists"),
        (("--output-padding", "0..1"), "conv has no --output-padding to vary"),
        (("--theme", "nowhere"), "theme 'nowhere' is not known"),
    ):
        done = run("sweep", "conv", "--input", "4", *words, "-o", out)
        assert (done.code, done.err.count("\n")) == (2, 1), done
        assert says in done.err, done
        assert "Traceback" not in done.err
    assert run(*UP, "-o", tmp_path / "e.gif").err.count("use one that ends in .html") == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConvanimError, match=f"at most {MOST}"):
        Sweep("pool", "9", {"kernel": range(1, 60), "stride": range(1, 60)})
    with pytest.raises(ConvanimError, match="a sweep of 'upsample' is not possible"):
        Sweep("upsample", "9", {})

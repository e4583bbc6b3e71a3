"""The player in Chromium: its pictures are the frames, and keys, pointer, print, messages and policies act as told."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convanim import Conv, ConvTranspose
from convanim.errors import ConvanimError
from support.browser import drive, driven, modules, resembles
from support.commands import run

UP = ConvTranspose(kernel_size=3, stride=2, padding=1)
X, W = np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3)
AT = "const at = () => player.evaluate((p) => [p.at, p.playing]);"


def saved(path: Path, trace: Any = None, **look: Any) -> Any:
    """Save a player, and return an animation of all of its frames."""
    trace = trace or UP.trace(X, W)
    trace.animate(**look).save(path)
    return trace.animate(select="all", **look)


def data(path: Path) -> Any:
    found = re.search(r" data='([^']*)'", path.read_text("utf-8"))
    assert found
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize(
    "look",
    [
        {},
        {"theme": "dark"},
        {"layout": "isometric", "template": "minimal"},
        {"layout": "isometric", "view": "overlap-add"},
        {"view": "matrix"},
        {"width": 640},
    ],
    ids=str,
)
def test_the_picture_at_each_step_is_the_frame(tmp_path: Path, look: dict[str, Any]) -> None:
    animation = saved(tmp_path / "up.html", **look)
    wide, high = animation.size
    numbers = [0, len(animation) // 3, 2 * len(animation) // 3, len(animation) // 2, -1]  # back and forth
    body = f"""
    const svg = player.locator(".stage > svg"), where = DIRECTORY;
    for (const n of {json.dumps([n % len(animation) for n in numbers])}) {{
      await player.evaluate((p, n) => p.go(n), n);
      await svg.screenshot({{path: `${{where}}/${{n}}.png`}});
    }}
    """.replace("DIRECTORY", json.dumps(str(tmp_path)))
    drive(tmp_path / "up.html", body, viewport={"width": wide, "height": high + 400})
    for number in numbers:
        shot = Image.open(tmp_path / f"{number % len(animation)}.png").convert("RGB")
        resembles(np.asarray(shot), animation.pixels(number % len(animation)))


def test_keys_buttons_and_the_scrub_bar(tmp_path: Path) -> None:
    animation = saved(tmp_path / "up.html", plays=1)
    found = drive(
        tmp_path / "up.html",
        AT
        + """
        const found = {start: await at()};
        await player.focus();
        for (const key of ["Space", "End", "ArrowLeft", "Home", "ArrowRight", "ArrowRight"]) {
          await page.keyboard.press(key);
          found[key] = await at();
        }
        found.ring = await player.evaluate((p) => getComputedStyle(p, "::after").borderTopWidth);
        await player.getByRole("button", {name: "Previous step"}).click();
        found.back = await at();
        await player.getByRole("slider").fill("21");
        found.scrub = await at();
        found.told = await player.getByRole("slider").getAttribute("aria-valuetext");
        found.said = await player.getByRole("status").textContent();
        await player.getByRole("button", {name: "Play"}).click();
        await player.getByRole("combobox").selectOption("4");
        await page.waitForTimeout(900);
        found.fast = await at();
        await page.keyboard.press("End");
        await player.focus(); await page.keyboard.press("End"); await page.keyboard.press("Space");
        await page.waitForTimeout(30);
        found.again = await at();
        return found;
        """,
    )
    last = len(animation) - 1
    assert found["start"] == [0, True]
    assert found["ring"] == "3px"  # the focus is visible
    assert found["Space"][1] is False
    assert (found["End"], found["ArrowLeft"], found["Home"]) == ([last, False], [last - 1, False], [0, False])
    assert (found["ArrowRight"], found["back"], found["scrub"]) == ([2, False], [1, False], [21, False])
    assert found["told"] == found["said"]
    assert "step" in found["said"]
    assert found["fast"][0] >= 23
    assert found["again"] == [0, True]  # from the end it plays from the start


def test_a_cell_leads_to_its_step_and_lights_what_it_touches(tmp_path: Path) -> None:
    saved(tmp_path / "c.html", Conv(2).trace(np.arange(9).reshape(3, 3), [[1, 2], [3, 4]]))
    shown = data(tmp_path / "c.html")
    first = {panel["name"]: 0 for panel in shown["panels"]}
    total = 0
    for panel in shown["panels"]:
        first[panel["name"]], total = total, total + len(panel["at"]) // 2
    written = first["output"] + 3
    frame = max(i for i, f in enumerate(shown["frames"]) if written in f.get("w", ()))
    found = drive(
        tmp_path / "c.html",
        AT
        + f"""
        const cell = (slot) => player.evaluateHandle((p, slot) => p.grounds[slot], slot);
        await player.evaluate((p) => p.go(p.last));
        const lit = async (slot) => {{
          await (await cell(slot)).asElement().hover();
          return await player.evaluate((p) => [p.layers.light.children.length, p.tip.textContent]);
        }};
        const found = {{output: await lit({written})}};
        found.input = await lit({first[shown["panels"][0]["name"]] + 4});
        await (await cell({written})).asElement().click();
        found.clicked = await at();
        return found;
        """,
    )
    assert found["clicked"] == [frame, False]
    lit, formula = found["output"]
    assert lit == 5  # the cell and the four below the window
    assert formula.startswith("output[1,1] = ")
    assert found["input"] == [5, "results that use this value: 4"]


def test_a_number_of_the_caption_lights_its_cell(tmp_path: Path) -> None:
    saved(tmp_path / "c.html", Conv(2).trace([[0, 2, 3], [4, 5, 0], [7, 8, 9]], [[1, 2], [3, 4]]))
    step = next(f for f in data(tmp_path / "c.html")["frames"] if f.get("w"))
    stage = data(tmp_path / "c.html")["panels"][0]["name"]
    found = drive(
        tmp_path / "c.html",
        """
        await player.evaluate((p) => p.step(1));
        const found = [];
        for (const box of await player.locator(".terms rect").all()) {
          await box.hover();
          found.push(await player.evaluate((p) => p.layers.light.children.length));
        }
        return found;
        """,
    )
    assert stage == "stage"
    # 2·2 + 4·3 + 5·4 = 36: cells 1, 3 and 4 of the input, twice each, then the output.
    assert [term[0] for term in step["k"]] == [1, 1, 3, 3, 4, 4, step["w"][0]]
    assert found == [1] * 7


def test_addresses_messages_and_decks_drive_it(tmp_path: Path) -> None:
    saved(tmp_path / "up.html")
    found = drive(
        tmp_path / "up.html",
        AT
        + """
        const found = [await player.evaluate((p) => p.count.textContent)];
        await page.evaluate(() => { location.hash = "#step=9"; });
        await page.waitForTimeout(50);
        found.push(await player.evaluate((p) => p.count.textContent));
        const messages = [{convanim: "step", to: 3}, {convanim: "frame", to: 2}, {convanim: "constructor"}, null];
        for (const message of messages) {
          await page.evaluate((m) => window.postMessage(m), message);
          await page.waitForTimeout(50);
          found.push(await at());
        }
        await page.evaluate(() => {
          const event = new Event("slidechanged");
          event.currentSlide = document.querySelector("main");
          document.dispatchEvent(event);
        });
        found.push(await at());
        return found;
        """,
    )
    assert found[:2] == ["– / 25", "9 / 25"]
    step = next(i for i, f in enumerate(data(tmp_path / "up.html")["frames"]) if f.get("s") == 3 and f.get("w"))
    assert found[2:] == [[step, False], [2, False], [2, False], [2, False], [0, True]]


def test_reduced_motion_stays_at_the_answer(tmp_path: Path) -> None:
    animation = saved(tmp_path / "up.html")
    found = drive(tmp_path / "up.html", AT + "return await at();", reducedMotion="reduce")
    assert found == [len(animation) - 1, False]


def test_colours_follow_the_page_unless_a_theme_was_chosen(tmp_path: Path) -> None:
    saved(tmp_path / "both.html")
    saved(tmp_path / "one.html", theme="solarized")
    page = 'return await player.evaluate((p) => getComputedStyle(p.svg.querySelector(":scope > rect")).fill);'
    seen = [drive(tmp_path / "both.html", page, colorScheme=scheme) for scheme in ("light", "dark")]
    one = [drive(tmp_path / "one.html", page, colorScheme=scheme) for scheme in ("light", "dark")]
    assert seen[0] == "rgb(255, 255, 255)"
    assert seen[1] != seen[0]
    assert one[0] == one[1]


def test_two_on_one_page_and_policies_without_inline_scripts(tmp_path: Path) -> None:
    saved(tmp_path / "a.html", script="external")
    saved(tmp_path / "b.html", Conv(2).trace(X, [[1, 2], [3, 4]]), script="external")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html", "convanim-player.js"]
    one, other = ((tmp_path / f"{name}.html").read_text("utf-8") for name in "ab")
    second = other[other.index("<convanim-player ") : other.index("</convanim-player>") + len("</convanim-player>")]
    policy = (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; script-src 'self'\">"
    )
    page = one.replace("<head>", f"<head>{policy}", 1).replace("</main>", f"{second}</main>")
    (tmp_path / "two.html").write_text(page, "utf-8")
    found, errors = driven(
        tmp_path / "two.html",
        """
        await page.locator("convanim-player").nth(1).evaluate((p) => p.go(p.last));
        return await page.evaluate(() => [...document.querySelectorAll("convanim-player")].map((p) => [p.at, p.last]));
        """,
    )
    assert found[0][0] < found[0][1]
    assert found[1][0] == found[1][1]
    assert all("style" in error for error in errors), errors  # that of the page around it


def test_print_is_a_contact_sheet_with_the_answer(tmp_path: Path) -> None:
    animation = saved(tmp_path / "up.html")
    found = drive(
        tmp_path / "up.html",
        """
        await page.pdf({path: DIRECTORY + "/up.pdf"});
        return await player.evaluate((p) => [p.printed.children.length, p.data.sheet.at(-1)]);
        """.replace("DIRECTORY", json.dumps(str(tmp_path))),
    )
    assert found == [7, len(animation) - 1]
    assert (tmp_path / "up.pdf").stat().st_size > 20_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, scheme: str) -> None:
    saved(tmp_path / "up.html")
    library = modules("axe-core") / "axe.min.js"
    found = drive(
        tmp_path / "up.html",
        f"""
        await page.addScriptTag({{path: {json.dumps(str(library))}}});
        const found = await page.evaluate(() => axe.run(document, {{}}));
        return {{
          violations: found.violations.map((v) => v.id + " " + v.nodes[0].html),
          passes: found.passes.map((v) => v.id),
        }};
        """,
        colorScheme=scheme,
    )
    assert found["violations"] == []
    assert {"button-name", "color-contrast", "label"} <= set(found["passes"])


def test_markup_is_text(tmp_path: Path) -> None:
    evil = "'></script><script>hacked=1</script>]]>{{ data }}&quot;$\\alpha$"
    saved(tmp_path / "evil.html", title=evil, made_by=evil)
    found = drive(tmp_path / "evil.html", "return await page.evaluate(() => [window.hacked ?? null, document.title]);")
    assert found == [None, evil]


def test_size_bytes_and_bad_input(tmp_path: Path) -> None:
    saved(tmp_path / "a.html")
    saved(tmp_path / "b.html")
    text = (tmp_path / "a.html").read_bytes()
    assert text == (tmp_path / "b.html").read_bytes()
    assert len(text) < 120_000
    assert b"http" not in text.replace(b"http://www.w3.org/2000/svg", b"").replace(b"http-equiv", b"")
    words = ("transposed", "--input", "3x3", "--kernel", "3x3")
    done = run(*words, "-o", tmp_path / "c.gif", "--script", "external")
    assert (done.code, "a .gif has no such file beside it" in done.err) == (2, True)
    done = run(*words, "-o", tmp_path / "c.html", "--text", "editable")
    assert (done.code, "has no text that could be edited" in done.err) == (2, True)
    done = run(*words, "-o", tmp_path / "c.html", "--motion", "smooth")
    assert "--motion has no effect here" in done.err
    with pytest.raises(ConvanimError, match="a stream has no file beside it"), (tmp_path / "d").open("wb") as file:
        UP.trace(X, W).animate(script="external").save(file, "html")

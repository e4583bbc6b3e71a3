"""Pages in a real browser: a script that drives Chromium through playwright-core, with keys, pointer and print."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.needs import need

_RUN = """
import { chromium } from "MODULES/playwright-core/index.mjs";
const browser = await chromium.launch({
  executablePath: "CHROMIUM",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"].concat(
    FLAGS),
});
const context = await browser.newContext(OPTIONS);
const page = await context.newPage(), errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
await page.goto("URL");
const player = page.locator("convanim-player").first();
let found;
try { found = await (async () => {BODY})(); } finally { await browser.close(); }
console.log("FOUND" + JSON.stringify({ found, errors }));
"""


class _Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Send a file. The icon that browsers ask for is empty."""
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def alike(page: Path, *animations: Any) -> None:
    """Assert that the players of a page, in order, show the frames of the animations, back and forth."""
    numbers = [[n // 3, 2 * n // 3, n // 2, n - 1] for n in map(len, animations)]
    where = page.parent / "shots"
    where.mkdir(exist_ok=True)
    drive(
        page,
        f"""
        const players = await page.locator("convanim-player").all();
        const numbers = {json.dumps(numbers)}, where = {json.dumps(str(where))};
        if (players.length !== numbers.length) throw new Error(`${{players.length}} players`);
        for (const [i, player] of players.entries())
          for (const n of numbers[i]) {{
            await player.evaluate((p, n) => p.go(n), n);
            await player.locator(".stage > svg").screenshot({{path: `${{where}}/${{i}}-${{n}}.png`}});
          }}
        """,
        viewport={"width": 1920, "height": 1200},
    )
    for i, animation in enumerate(animations):
        for number in numbers[i]:
            shot = Image.open(where / f"{i}-{number}.png").convert("RGB")
            resembles(np.asarray(shot.resize(animation.size)), animation.pixels(number))


def resembles(theirs: Any, ours: Any) -> None:
    """Assert that two pictures differ only where letters and slanted edges are antialiased in another way."""
    assert theirs.shape == ours.shape
    off = np.abs(theirs.astype(int) - ours.astype(int)).max(axis=-1)
    assert off.mean() < 5
    assert (off > 100).mean() < 0.02


def modules(name: str) -> Path:
    """The folder of a npm package; NODE_MODULES names the folder that has it."""
    folder = Path(os.environ.get("NODE_MODULES", "node_modules")).absolute()
    if not (folder / name).is_dir():
        missing = f"NODE_MODULES has no {name}: npm install {name}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return folder / name


def drive(page: Path, body: str, **options: Any) -> Any:
    """Run a script in Node with a Chromium that shows a page of a local server, and return what it returns.

    The script has `page`, `player`, `context` and `errors`; an error in the page fails the test.

    Args:
        page: a file; the server serves its folder. Its name may end in a fragment, like "up.html#step=3".
        body: the statements.
        options: those of playwright's `newContext`, and `flags` of Chromium.
    """
    found, errors = driven(page, body, **options)
    assert not errors, errors
    return found


def driven(page: Path, body: str, **options: Any) -> tuple[Any, list[str]]:
    """The same, with the errors of the page."""
    folder = modules("playwright-core").parent
    chosen = {"viewport": {"width": 1280, "height": 900}} | options
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(page.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{page.name}"
        text = _RUN.replace("MODULES", str(folder)).replace("CHROMIUM", need("chromium")).replace("URL", url)
        script = page.parent / "drive.mjs"
        text = text.replace("FLAGS", json.dumps(chosen.pop("flags", [])))
        script.write_text(text.replace("OPTIONS", json.dumps(chosen)).replace("BODY", body), "utf-8")
        done = subprocess.run([need("node"), str(script)], capture_output=True, text=True, timeout=120, check=False)
        server.shutdown()
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    assert line, done.stdout[-500:] + done.stderr[-2000:]
    told = json.loads(line.removeprefix("FOUND"))
    return told.get("found"), told["errors"]

"""SVG files: in Chromium, within <img>, the picture at each time is the frame, and the last one where nothing moves."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from convanim import Conv, ConvTranspose
from convanim.errors import ConvanimError
from support.browser import drive
from support.commands import run
from support.needs import need, need_module

UP = ConvTranspose(kernel_size=3, stride=2, padding=1)
X, W = np.arange(1, 10).reshape(3, 3), np.arange(1, 10).reshape(3, 3)
SVG = "{http://www.w3.org/2000/svg}"
LOOKS: list[dict[str, Any]] = [
    {},
    {"theme": "dark", "plays": 2},
    {"layout": "isometric", "template": "minimal"},
    {"layout": "isometric", "view": "overlap-add"},
    {"view": "matrix", "width": 640},
    {"lang": "ja", "width": 640},
]


def written(trace: Any = None, **look: Any) -> tuple[Any, bytes]:
    """An animation, and its animated SVG."""
    animation = (trace or UP.trace(X, W)).animate(animated=True, **look)
    animation.save(file := BytesIO(), "svg")
    return animation, file.getvalue()


def at(data: bytes, milliseconds: int) -> bytes:
    """The picture with its clock stopped at a time."""
    stopped, count = re.subn(
        rb"(animation:[^}]+)}", rb"\1;animation-delay:-%dms;animation-play-state:paused}" % milliseconds, data
    )
    assert count == 1
    return stopped


def shown(folder: Path, names: list[str], size: tuple[int, int], **options: Any) -> dict[str, NDArray[np.int64]]:
    """What Chromium shows of some files within <img>."""
    (folder / "page.html").write_text(
        '<!doctype html><link rel="icon" href="data:,"><body style="margin:0"><img>', "utf-8"
    )
    body = f"""
    for (const name of {json.dumps(names)}) {{
      await page.evaluate((name) => new Promise((done) => {{
        const image = document.querySelector("img");
        image.onload = () => requestAnimationFrame(() => requestAnimationFrame(done));
        image.src = name;
      }}), name);
      await page.locator("img").screenshot({{path: `${{{json.dumps(str(folder))}}}/${{name}}.png`}});
    }}
    """
    drive(folder / "page.html", body, viewport={"width": size[0], "height": size[1]}, **options)
    return {name: np.asarray(Image.open(folder / f"{name}.png").convert("RGB")).astype(int) for name in names}


def alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two pictures differ only at edges of letters and of slanted lines."""
    off = np.abs(one.astype(int) - other.astype(int)).max(axis=-1)
    return one.shape == other.shape and bool(off.mean() < 5 and (off > 100).mean() < 0.02)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_picture_at_each_time_is_the_frame(tmp_path: Path, look: dict[str, Any]) -> None:
    animation, data = written(**look)
    starts = np.cumsum([0, *(shot.milliseconds for shot in animation.plan.shots)])
    numbers = [0, len(animation) // 3, len(animation) // 2, len(animation) - 1]
    for number in numbers:
        (tmp_path / f"{number}.svg").write_bytes(at(data, int(starts[number]) + 20))
    pictures = shown(tmp_path, [f"{number}.svg" for number in numbers], animation.size)
    frames = [animation.pixels(number) for number in numbers]
    for number, (picture, frame) in enumerate(zip(pictures.values(), frames, strict=True)):
        assert alike(picture, frame), numbers[number]
    off = [np.abs(picture - frames[0]).sum() for picture in pictures.values()]
    assert off[0] < min(off[1:])  # it has moved


def test_readers_who_prefer_reduced_motion_see_the_last_frame(tmp_path: Path) -> None:
    animation, data = written()
    (tmp_path / "up.svg").write_bytes(data)
    # Playwright's own emulation does not reach pictures within <img>.
    wished = {"flags": ["--force-prefers-reduced-motion"], "reducedMotion": None}
    seen = shown(tmp_path, ["up.svg"], animation.size, **wished)["up.svg"]
    assert alike(seen, animation.pixels(-1))
    assert np.abs(seen - animation.pixels(-1)).sum() < np.abs(seen - animation.pixels(0)).sum() / 10


def test_programs_without_animation_show_the_last_frame(tmp_path: Path) -> None:
    animation, data = written(theme="dark")
    (tmp_path / "up.svg").write_bytes(data)
    subprocess.run([need("rsvg-convert"), "up.svg", "-o", "up.png"], cwd=tmp_path, check=True)
    seen = np.asarray(Image.open(tmp_path / "up.png").convert("RGB"))
    assert alike(seen, animation.pixels(-1))
    assert not alike(seen, animation.pixels(len(animation) // 2))


def test_it_is_smaller_than_the_gif_and_the_same_on_every_run() -> None:
    animation, data = written()
    animation.trace.animate().save(gif := BytesIO(), "gif")
    assert len(gzip.compress(data)) < len(gif.getvalue()) / 5
    assert data == written()[1]


def test_one_frame_is_small_and_defines_each_cell_once() -> None:
    UP.trace(X, W).animate().save(file := BytesIO(), "svg")
    assert len(file.getvalue()) < 60_000
    root = ET.fromstring(file.getvalue())  # noqa: S314 - written here
    names = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(names) == len(set(names))
    used = {one.get("{http://www.w3.org/1999/xlink}href", "")[1:] for one in root.iter(f"{SVG}use")}
    assert used <= set(names)


def test_two_pictures_on_one_page_share_no_name() -> None:
    def names(data: bytes) -> set[bytes]:
        return set(re.findall(rb'id="([^"]*)"|class="(\S*)', data))

    assert not names(written()[1]) & names(written(theme="dark")[1])


def test_text_is_text_and_nothing_is_loaded_or_run() -> None:
    title = "<script>alert(1)</script> ]]> & \"'"
    _, data = written(title=title, width=2400)
    root = ET.fromstring(data)  # noqa: S314 - written here
    assert root.findtext(f"{SVG}title") == title
    told = root.findtext(f"{SVG}desc") or ""
    assert "3×3 → 5×5" in told
    assert "step 25" in told.lower()
    assert not list(root.iter(f"{SVG}script"))
    links = [value for one in root.iter() for key, value in one.items() if "href" in key]
    assert all(link.startswith("#") for link in links)
    assert b"url(" not in re.sub(rb"url\(#", b"", data)
    assert b"http" not in re.sub(rb'xmlns(:xlink)?="[^"]*"', b"", data)


def test_a_finite_number_of_plays_ends_at_the_last_frame() -> None:
    assert b"step-end 3}" in written(plays=3)[1]
    assert b"step-end infinite}" in written()[1]


@pytest.mark.parametrize(
    ("save", "told"),
    [
        (lambda a: a.save("a.gif"), "a .gif plays as it is, but animated was given; leave animated out, or write .svg"),
        (lambda a: a.save("a.png"), "a .png does not play, but animated was given"),
        (lambda a: a.save("a.json"), "a .json does not play, but animated was given"),
        (lambda a: a.save("a.pptx"), 'a .pptx plays with as_="video", but animated was given'),
        (lambda a: a.save("a-%02d.svg"), "a .svg file holds all frames"),
    ],
)
def test_what_cannot_play_is_refused(save: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if ".pptx" in told:
        need_module("pptx", promised=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConvanimError, match=re.escape(told)):
        save(Conv(2).trace(X, X[:2, :2]).animate(animated=True))
    assert not list(tmp_path.iterdir())


def test_the_command_names_the_option(tmp_path: Path) -> None:
    words = ["conv", "--input", "3x3", "--kernel", "2", "--animated", "-o"]
    done = run(*words, tmp_path / "a.svg", "--plays", "2")
    assert done.code == 0
    assert not done.err
    assert " frames, " in done.out
    refused = run(*words, tmp_path / "a.json")
    assert refused.code == 2
    assert "--animated" in refused.err
    assert not (tmp_path / "a.json").exists()

"""Pairs of files: each equals the file of its theme, both exist or neither, and all pages can select one."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

import convanim as ca
from convanim.errors import ConvanimError
from convanim.lightdark import pair_names, snippet
from convanim.trace import Trace
from convanim.write.gif import GifWriter
from support.commands import SMALL, run


@pytest.fixture
def trace() -> Trace:
    made: Trace = ca.ConvTranspose(kernel_size=2, stride=2).trace([[1, 2], [3, 4]], [[1, 0], [2, 1]])
    return made


@pytest.mark.parametrize("name", ["up.gif", "up.png", "two.words.gif", "UP.GIF"])
def test_each_file_is_what_its_theme_alone_gives(name: str, trace: Trace, tmp_path: Path) -> None:
    pair = trace.animate(width=480).save_pair(tmp_path / name)
    for theme, saved in zip(("light", "dark"), pair[:2], strict=True):
        wanted = io.BytesIO()
        alone = trace.animate(theme=theme, width=480).save(wanted, saved.format)
        assert saved.path == tmp_path / f"{Path(name).stem}-{theme}{Path(name).suffix}"
        assert saved.path.read_bytes() == wanted.getvalue()
        assert (saved.frames, saved.seconds, saved.size) == (alone.frames, alone.seconds, saved.path.stat().st_size)
    assert len(list(tmp_path.iterdir())) == 2


def test_progress_goes_once_to_the_end(trace: Trace, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    pair = trace.animate(width=480, motion="step").save_pair(tmp_path / "a.gif", progress=lambda *now: told.append(now))
    frames = pair.light.frames + pair.dark.frames
    assert told == sorted(told)
    assert {total for _, total in told} == {frames}
    assert (len(told), told[-1]) == (frames, (frames, frames))


# --- both or none ----------------------------------------------------------------------------------------------------


class Broken(Exception):
    pass


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("earlier", [True, False])
def test_where_the_second_fails_the_first_is_not_there_either(
    at: int, earlier: bool, trace: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if earlier:
        (tmp_path / "a-light.gif").write_text("light, as it was")
        (tmp_path / "a-dark.gif").write_text("dark, as it was")
    frames, written, add = len(trace.animate(width=480)), 0, GifWriter.add

    def failing(self: GifWriter, *args: Any, **options: Any) -> None:
        nonlocal written
        if written == frames + at:
            raise Broken
        written += 1
        add(self, *args, **options)

    monkeypatch.setattr(GifWriter, "add", failing)
    with pytest.raises(Broken):
        trace.animate(width=480).save_pair(tmp_path / "a.gif")
    assert written == frames + at
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == ({"a-light.gif": "light, as it was", "a-dark.gif": "dark, as it was"} if earlier else {})


@pytest.mark.parametrize("taken", ["a-light.gif", "a-dark.gif"])
def test_where_one_name_is_taken_by_a_folder_nothing_is_written(taken: str, trace: Trace, tmp_path: Path) -> None:
    (tmp_path / taken).mkdir()
    with pytest.raises(ca.ConvanimError, match=f"{taken} is a folder"):
        trace.animate(width=480).save_pair(tmp_path / "a.gif")
    assert [path.name for path in tmp_path.iterdir()] == [taken]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "format", "told"),
    [
        (None, "gif", "a stream is a single one; name a file with save('up.gif')"),
        (Path("a.txt"), None, "txt has no colours; use .gif, .webp, .apng, .png or .svg"),
        (Path("a.gif"), "json", "json has no colours"),
        (Path("a-%03d.png"), None, "cannot write the series a-%03d.png"),
        (Path("a.gfi"), None, "unknown format"),
    ],
)
def test_what_cannot_be_two_pictures_is_refused(path: Path | None, format: str | None, told: str) -> None:
    with pytest.raises(ca.ConvanimError, match=re.escape(told)):
        pair_names(path, format)


def test_an_animation_alone_says_where_pairs_are_made(trace: Trace) -> None:
    with pytest.raises(ca.ConvanimError, match="light and dark; write both with save_pair"):
        trace.animate(theme="auto")
    with pytest.raises(AttributeError, match="save_pair is now a method"):
        ca.save_pair  # noqa: B018 - its former name


# --- the snippet -----------------------------------------------------------------------------------------------------


class Read(HTMLParser):
    """The tags of a snippet with their attributes, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("alt", ["3×3 → 5×5", 'a "b" & <c>', "wide   apart"])
@pytest.mark.parametrize("name", ["up", "docs/a b", "50%, ünï", "a'b\"c"])
def test_a_browser_reads_the_names_and_the_words(name: str, alt: str) -> None:
    light, dark = pair_names(Path(f"{name}.gif"))
    (picture, _), (source, dim), (img, usual) = Read(snippet(light, dark, alt)).tags
    assert (picture, source, img) == ("picture", "source", "img")
    assert dim["media"] == "(prefers-color-scheme: dark)"
    assert unquote(dim["srcset"] or "") == str(dark)
    assert not set(dim["srcset"] or "") & set(" ,")  # these would end an address
    assert unquote(usual["src"] or "") == str(light)
    assert usual["alt"] == " ".join(alt.split())


def test_the_command_line_writes_both_and_prints_the_snippet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*SMALL, "--theme", "auto", "--select", "last", "--title", "A & B", "-o", "up.png")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert [line.partition(",")[0] for line in lines[:2]] == ["up-light.png", "up-dark.png"]
    alt = "A & B: " + run("describe", *SMALL, "--alt").out.strip()
    assert lines[2:] == snippet(Path("up-light.png"), Path("up-dark.png"), alt).splitlines()
    with Image.open("up-light.png") as light, Image.open("up-dark.png") as dark:
        pixels = [np.array(image.convert("L")) for image in (light, dark)]
        assert "--theme auto" in str(light.text["Comment"])  # type: ignore[attr-defined]
    assert pixels[0].mean() > 200
    assert pixels[1].mean() < 60
    quiet = run(*SMALL, "--theme", "auto", "--select", "last", "--quiet", "-o", "up.png")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


@pytest.mark.parametrize("words", [["-o", "-", "--format", "gif"], ["-o", "a.txt"], ["-o", "a-%d.png"]])
def test_the_command_line_refuses_before_any_work(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("convanim.typed.request.request", None)  # would fail if called
    done = run(*SMALL, "--theme", "auto", *words)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(
        r"Error: --theme auto [^\n]*; (?:use|write) [^\n]*\.|Error: .*; name [^\n]*\.", done.err.strip()
    )
    assert not list(tmp_path.iterdir())


def test_a_comparison_can_be_a_pair_too(tmp_path: Path) -> None:
    layers = ["compare", "Conv(2)", "Conv(2, padding=1)", "--input", "3x3", "--select", "last", "--theme", "auto"]
    assert run(*layers).code == 0  # only text, without colours
    assert run(*layers, "-o", tmp_path / "c.png").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c-dark.png", "c-light.png"]


@pytest.mark.parametrize(("path", "look"), [(3, {}), (None, {}), ("up.gif", {"theme": "dark"})])
def test_what_is_no_name_or_no_pair_is_refused(
    path: Any, look: Any, trace: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConvanimError, match=r"is not the name of a file|leave theme out"):
        trace.animate(**look).save_pair(path)
    assert not list(tmp_path.iterdir())

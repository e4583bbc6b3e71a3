"""Invalid, missing or interrupted input: one sentence, the right exit code, and nothing left behind.

The table contains the texts that must be named, with the hint after a semicolon. Disks and signals are in test_files.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import convanim as ca
from convanim.errors import ConvanimError
from convanim.typed import read_array
from support.commands import run
from support.refusals import check


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A folder that must be empty afterwards."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


CONV = "conv --input 5x5 --kernel 3"
UP = "transposed --input 3x3 --kernel 3"
TABLE: dict[str, list[str]] = {
    "conv --input 3x3 --kernel 5": ["kernel size 5", "axis 0"],
    "conv --input 5x3 --kernel 5x4": ["kernel size 4", "axis 1"],
    "conv --input 3x3 --kernel 3 --dilation 2": ["kernel size 3 (dilated to 5)", "axis 0"],
    "conv --input 2x2 --kernel 5 --padding 1": ["kernel size 5", "2 padded to 4"],
    f"{CONV} --stride 0": ["stride 0"],
    f"{CONV} --stride -2": ["stride -2"],
    f"{CONV} --stride 1x0": ["stride", "0"],
    f"{CONV} --stride 1x1x1": ["3 axes", "2"],
    f"{CONV} --stride 1.5": ["--stride", "1.5"],
    f"{CONV} --stride two": ["--stride", "two"],
    f"{CONV} --dilation 0": ["dilation 0"],
    f"{CONV} --padding -1": ["padding -1"],
    f"{CONV} --padding smae": ["--padding", "smae", "same"],
    f"{CONV} --padding 1:2:3": ["--padding", "1:2:3"],
    f"{UP} --output-padding 1": ["output-padding 1", "axis 0"],
    f"{UP} --stride 2 --output-padding 0x2": ["output-padding 2", "axis 1"],
    f"{UP} --output-padding -1": ["padding -1"],
    f"{UP} --padding 5": ["padding 5", "axis 0"],
    f"{UP} --view overlap-": ["overlap-", "overlap-add"],
    "conv --input 0x5 --kernel 3": ["--input", "0x5"],
    "conv --input -5 --kernel 3": ["--input", "-5"],
    "conv --input 5x5 --kernel 0": ["--kernel", "0"],
    "conv --input 5x5 --kernel 3x-3": ["--kernel", "3x-3"],
    "conv --input 5x5 --kernel 3x3x3": ["5 channels", "3×3×3 is for 3"],
    "conv --input 5 --kernel 3x3x3x3": ["--kernel is 3x3x3x3", "--input is 5"],
    "conv --input 400x5x5 --kernel 2": ["400 input slices, padding included, but a picture", "--input", "-o FILE.json"],
    "shuffle --input 400x5x5 --factor 2": [
        "400 input channels",
        "use fewer channels, or write the numbers with -o FILE.json",
    ],
    f"{CONV} --out-channels 0": ["--out-channels 0", "1 or more"],
    "conv --input 5x5 --kernel [[1]] --out-channels 99999999999999999999": ["would be 9999", "use fewer channels"],
    f"{CONV} --resize 4x4": ["--resize 4x4", "leave it out"],
    "pool --input 4x4 --kernel 2 --norm-type 2": ["--norm-type cannot be combined with --mode max", "--mode lp"],
    "pool --input 4x4 --kernel 2 --padding 2": ["padding 2 is more than half", "at most 1"],
    "pool --input 4x4 --kernel 2 --padding same": ["PyTorch has no padding 'same'", "numbers"],
    "upsample --input 2x2 --align-corners": ["--align-corners cannot be combined with --mode nearest", "bilinear"],
    "unpool --input 2x2 --kernel 2 --indices [[0,1],[2,99]]": ["index 99", "use 0 to 15"],
    "shuffle --input 3x2x2": ["3 channels", "multiple of 4"],
    f"{CONV} --padding same --stride 2": ["PyTorch has no --padding 'same' with --stride", "keras"],
    f"{CONV} --padding 1 --convention keras": ["Keras does not accept numbers as the padding", "valid or same"],
    f"{UP} --output-padding 2": ["output-padding 2", "at most 0"],
    "layer Conv2 --input 4x4": ["is not a layer", "write it like"],
    f"{CONV} --symbols --view overlap": ["cannot be shown in letters", "sliding"],
    f"{CONV} --saturate": ["colours", "picture"],
    "conv --input 5x5 --kernel [[1,2],[3]]": ["--kernel", "[[1,2],[3]]", "ragged"],
    "conv --input [] --kernel 3": ["--input", "[]", "empty"],
    "conv --input [[],[]] --kernel 3": ["--input", "[[],[]]", "empty"],
    "conv --input [1,NaN] --kernel 1": ["--input", "NaN"],
    "conv --input [1,-Infinity] --kernel 1": ["--input", "Infinity"],
    "conv --input [1,1e999] --kernel 1": ["--input", "1e999"],
    "conv --input [9e307,9e307] --kernel [9,9]": ["too large"],
    "conv --input [9223372036854775807,1] --kernel [9,9]": ["64 bits"],
    "conv --input 1e9x1e9 --kernel 3": ["--input", "1e9x1e9"],
    "conv --input 1000000000x1000000000 --kernel 3": ["--input", "1000000000x1000000000"],
    "conv --input 5x5 --kernel 1e9x1e9": ["--kernel", "1e9x1e9"],
    f"{CONV} --stride 1000000000": ["--stride", "1000000000"],
    f"{UP} --stride 10000000": ["10000000"],
    "conv --input nowhere.csv --kernel 3": ["--input", "nowhere.csv", "cannot be read"],
    "conv --input 5x5 --kernel nowhere.npy": ["--kernel", "nowhere.npy", "cannot be read"],
    "conv --input photo.jpg --kernel 3": ["--input", "photo.jpg"],
    "conv --input - --kernel -": ["--input", "--kernel", "standard input"],
    "conv --input - --kernel 3": ["--input", "'-'"],
    f"{CONV} --bias x": ["--bias", "x"],
    f"{CONV} --bias nan": ["bias", "NaN"],
    f"{CONV} --bias 1e999": ["bias", "1e999"],
    f"{CONV} --bias 99999999999999999999": ["bias", "99999999999999999999"],
    f"{CONV} --seed -1": ["--seed -1"],
    f"{CONV} --width 10": ["10", "width"],
    f"{CONV} --height 100000": ["100000", "height"],
    f"{CONV} --theme drak": ["theme", "drak", "dark"],
    f"{CONV} --lang dee": ["--lang 'dee'", "dee", "did you mean de"],
    f"{CONV} --layout isometrc": ["layout", "isometrc", "isometric"],
    f"{CONV} --plays -1": ["plays -1"],
    f"{CONV} --plays 70000": ["plays 70000"],
    f"{CONV} --select 99": ["select", "99", "0 to 19"],
    f"{CONV} --select odd": ["select", "odd"],
    f"{CONV} --select 5..2": ["select", "5..2", "2..5"],
    f"{CONV} --seconds-per-step 0": ["seconds-per-step 0 "],
    f"{CONV} --seconds-per-step 0.033": ["seconds-per-step 0.033", "0.03"],
    f"{CONV} --hold-last -1": ["hold-last -1"],
    f"{CONV} --hold-first nan": ["hold-first nan"],
    f"{CONV} --hold-last nan": ["hold-last nan"],
    f"{CONV} --hold-last inf": ["hold-last inf"],
    f"{CONV} --title \n": ["the title", r"'\n'", "use other characters there"],
    f"{CONV} --title 🎉": ["the title '🎉'", "use other characters, or install a font", "CONVANIM_FONT"],
    f"{CONV} --padding 1:2": ["--padding 1:2 has values for one axis", "write 1:2x1:2"],
    f"{CONV} --padding 1x2x3": ["--padding 1x2x3 has values for 3 axes", "write 1x2"],
    f"{CONV} --dilation 1x1x1": ["--dilation 1x1x1 has values for 3 axes", "write 1x1"],
    f"{UP} --stride 2 --output-padding 1x0x1": ["--output-padding 1x0x1 has values for 3 axes", "write 1x0"],
    "conv --input 5 --kernel 3 --padding 0:1x2": [
        "--padding 0:1x2 has values for 2 axes, but there is one",
        "write 0:1",
    ],
    "pool --input 4x4 --kernel 2 --padding 1:1": ["--padding 1:1 has values for one axis", "write 1:1x1:1"],
    "unpool --input 4x4 --kernel 2x2 --padding 0:1": ["--padding 0:1 has values for one axis", "write 0:1x0:1"],
    f"{CONV} --grey": ["--grey needs a picture, and --input '5x5' is not one", "leave it out"],
    "compare Conv(3) Conv(2) --input 5x5 --grey": ["--grey needs a picture"],
    "compare Conv(3) Conv(2) --input 5x5 --view matrix": ["--view", "compare", "one view", "leave it out"],
    "compare Conv(3) Conv(2) --input 5x5 --symbols": ["--symbols cannot be combined with compare", "leave it out"],
    "compare Conv(3) Conv(2) --input 5x5 --stride 2": ["--stride", "own notation", "'Conv(3, stride=2)'"],
    "layer Conv(3) --input 5x5 --padding-mode reflect": ["own notation", 'padding_mode="reflect"'],
    "upsample --input 2x2 --view both": ["is not known for an upsampling", "use beside or"],
    f"{UP} --symbols --view overlap": [
        "of a transposed convolution cannot be shown in letters",
        "use zero-insertion or overlap-add or matrix",
    ],
    f"{CONV} --title \udcff": [r"'\udcff'"],
}


SUFFIXES = ".gif, .webp, .apng, .mp4, .webm, .html, .png, .svg, .pdf, .pgf, .pptx, .txt, .json or .csv"


@pytest.mark.parametrize("line", TABLE)
def test_one_sentence(out: Path, line: str) -> None:
    check(*run(*line.split(" "), "-o", out / "a.gif"), *TABLE[line])


@pytest.mark.parametrize("line", [CONV, "compare Conv(3) Conv(2) --input 5x5", f"{CONV} --format gif"])
def test_a_pair_is_no_stream_and_needs_no_format(line: str) -> None:
    check(*run(*line.split(), "--theme", "auto", "-o", "-"), "a stream is a single one", "name a file with -o up.gif")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{CONV} --view nosuch", ["view 'nosuch'", "use sliding or matrix"]),
        ("layer Conv(3) --input 5x5 --view slidin", ["view 'slidin'", "did you mean sliding"]),
        (f"{UP} --view overlap --symbols", ["cannot be shown in letters"]),
        (f"{UP} --view overlap --layout matrix", ["cannot be combined with --view 'overlap'"]),
        (f"{CONV} --view matrix --backward", ["--backward cannot be combined with --view matrix"]),
    ],
)
def test_what_is_explained_looks_at_the_view_too(line: str, says: list[str]) -> None:
    check(*run("explain", *line.split()), *says)
    assert run("explain", *CONV.split(), "--view", "matrix")[0] == 0


def test_the_notation_that_is_named_instead_of_an_option_can_be_read() -> None:
    from convanim.cli.shell import NOTED
    from convanim.layers import parse

    for option, told in NOTED.items():
        for notation in re.findall("'(.*?)'", told):
            op = parse(notation)
            argument = option.removeprefix("--no-").removeprefix("--").replace("-", "_")
            assert hasattr(op, argument) or option in ("--mode", "--factor", "--inverse"), option


@pytest.mark.parametrize(
    "look",
    [{"view": "matrix"}, {"symbols": True}, {"saturate": True}, {"colours": True}, {"grad": [[1]]}],
)
def test_two_layers_have_one_view(look: dict[str, Any]) -> None:
    a, b = (ca.Conv(kernel_size=k).trace(np.ones((5, 5), int), np.ones((k, k), int)) for k in (2, 3))
    with pytest.raises(ConvanimError, match="cannot be combined with beside"):
        a.animate(beside=b, **look)


@pytest.mark.parametrize(
    "line", ["conv --input 5x5", f"{CONV} --nope", f"{CONV} --width x", f"{CONV} --fill x", "nope"]
)
def test_what_click_refuses(out: Path, line: str) -> None:
    check(*run(*line.split(), "-o", out / "a.gif"), hint=False)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", ["no numbers"]),
        (b"1,2\n3,b\n", ["'b'", "line 2, column 2"]),
        (b"1,2\n3\n", ["line 2", "ragged"]),
        (b"1,nan\n", ["'nan'", "line 1, column 2"]),
        (b"1,inf\n", ["'inf'", "line 1, column 2"]),
        (b"\xff\xfe1", ["UTF-16"]),
    ],
)
def test_tables(out: Path, data: bytes, says: list[str]) -> None:
    check(*run("conv", "--input", "-", "--kernel", "1", "-o", out / "a.gif", stdin=data), "--input", *says)
    (out.parent / "a.csv").write_bytes(data)
    check(*run("conv", "--input", out.parent / "a.csv", "--kernel", "1", "-o", out / "a.gif"), "a.csv", *says)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("boom"),)


def test_objects_are_never_unpickled(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out)
    np.save(out.parent / "a.npy", np.array([[Bomb()]], dtype=object), allow_pickle=True)
    check(*run("conv", "--input", out.parent / "a.npy", "--kernel", "1", "-o", "a.gif"), "--input", "a.npy", "object")


def test_a_place_that_is_no_array(out: Path) -> None:
    (out.parent / "folder.csv").mkdir()
    check(*run("conv", "--input", out.parent / "folder.csv", "--kernel", "1", "-o", out / "a.gif"), "folder.csv")
    (out.parent / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00")
    check(*run("conv", "--input", out.parent / "cut.npy", "--kernel", "1", "-o", out / "a.gif"), "cut.npy")


# Where to.


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.gf", ["'.gf'", SUFFIXES]),
        ("a", ["'a'", SUFFIXES]),
        ("nowhere/a.gif", ["nowhere", "does not exist"]),
        ("nowhere/a-%d.png", ["nowhere", "does not exist"]),
        ("../file/a.gif", ["file"]),
        ("../file/%d.png", ["file"]),
        ("/proc/self/x.gif", ["/proc/self/x.gif", "cannot be written"]),
        ("/proc/self/x-%d.png", ["/proc/self/x-%d.png", "cannot be written"]),
        ("../folder.gif", ["folder.gif is a folder"]),
        ("a" * 300 + ".gif", ["name too long"]),
        ("a" * 300 + "-%d.png", ["name too long"]),
        ("a" * 300 + "/a.gif", ["aaa"]),
        ("a\0.gif", [r"\x00"]),
        ("-", ["-o -", "--format"]),
    ],
)
def test_places(out: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: list[str]) -> None:
    monkeypatch.chdir(out)
    (out.parent / "file").write_text("")
    (out.parent / "folder.gif").mkdir()
    check(*run(*CONV.split(), "--width", "640", "-o", name), *says)


def test_a_format_that_is_none(out: Path) -> None:
    check(
        *run(*CONV.split(), "-o", out / "a.gif", "--format", "bmp"),
        "'bmp'",
        "gif, webp, apng, mp4, webm, html, png, svg, pdf, pgf, pptx, txt, json or csv",
    )


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root, or Windows, lets everybody write everywhere")
def test_a_folder_without_permission(out: Path) -> None:
    out.chmod(0o500)
    check(*run(*CONV.split(), "-o", out / "a.gif"), "permission denied")


# Too much.


class Ones(io.RawIOBase):
    """100 MB of CSV that must not be read to the end."""

    left = 100_000_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = (b"1," * (size // 2 + 1))[:size]
        self.left -= size
        return size


def test_a_hundred_megabytes(out: Path) -> None:
    stream = Ones()
    big = "1," * 50_000_000
    check(
        *run("conv", "--input", "-", "--kernel", "1", "-o", out / "a.gif", stdin=io.BufferedReader(stream)), "--input"
    )
    assert stream.left > 50_000_000
    (out.parent / "big.csv").write_text(big)
    check(*run("conv", "--input", out.parent / "big.csv", "--kernel", "1", "-o", out / "a.gif"), "big.csv")
    (out.parent / "big.csv").unlink()
    check(*run("conv", "--input", f"[{big}1]", "--kernel", "1", "-o", out / "a.gif"), "--input", "characters")
    check(*run("conv", "--input", "5", "--kernel", f"[{big}1]", "-o", out / "a.gif"), "--kernel", "characters")
    check(*run("conv", "--input", "5", "--kernel", "1" * 100_000_000, "-o", out / "a.gif"), "--kernel")
    with pytest.raises(ConvanimError, match="too long for a layer"):
        ca.parse(f"Conv([{big}])")
    with pytest.raises(ConvanimError, match="characters"):
        read_array("[" * 100_000_000, what="--input")


# Anything at all.


def mostly(good: str, bad: str) -> st.SearchStrategy[str]:
    """Three valid words per invalid one, so that about half of the commands succeed."""
    return st.sampled_from([*good.split(), *good.split(), *good.split(), *bad.split()])


INPUTS = mostly("4 3x3 4x5 5x4 6 [[1,2,3],[3,4.5,0],[0,1,1]]", "0 -1 1x 1e9x1e9 [1,[2]]")
KERNELS = mostly("1 2 2 3 2x1 [[1,-2],[3,4]]", "0 9x9 3x 2x2x2")
STEPS = mostly("1 1 2 1x1 2x1", "0 -1 3x 9999999999 nan")
PADDINGS = mostly("0 1 2x1 1:2x0:1 same full valid", "-1 smae 1:2:3 999999999")
WORDS = st.text(max_size=12) | st.sampled_from(
    ["nan", "-", "--", "-o", "@", "%d", "\udc80", "9" * 50, "../x", "\0.npy"]
)
NAMES = mostly("a.txt a.json a.gif a.png a-%d.png -", "a.gf a/b.txt .")
VALUES = {
    "--stride": STEPS,
    "--padding": PADDINGS,
    "--dilation": STEPS,
    "--output-padding": STEPS,
    "--bias": mostly("0 -1.5", "1e400 nan x 99999999999999999999"),
    "--fill": mostly("ones random", "x"),
    "--seed": mostly("0 7", "-1 99999999999999999999"),
    "--view": mostly("zero-insertion overlap-add both", "x"),
    "--format": mostly("txt PNG json", "x"),
    "--select": mostly("0 last 0..2 all 0,0", "2..0 99999 x ,"),
    "--width": mostly("320 480 640", "0 -1 99999 x 150"),
    "--height": mostly("300 360", "0 1e3 120"),
    "--seconds-per-step": mostly("0.06 1", "0 nan inf -1 0.025 0.02"),
    "--hold-first": mostly("0.02 1", "nan 1e9"),
    "--hold-last": mostly("0.02 1", "nan 1e9"),
    "--plays": mostly("0 3", "-1 65537"),
    "--theme": mostly("dark light", "x"),
    "--lang": mostly("de fr en", "x zz"),
    "--layout": mostly("flat", "x row isometric matrix compare"),
    "--title": st.text(max_size=12) | st.sampled_from(["", "A title", "\udc80"]),
    "--no-caption": st.none(),
    "--no-numbers": st.none(),
    "--quiet": st.none(),
}


@st.composite
def arguments(draw: st.DrawFn) -> list[str]:
    words = draw(mostly("conv transposed", "explain-conv explain-transposed")).split("-")
    words += [
        "--input",
        draw(INPUTS | WORDS) if draw(st.integers(0, 9)) == 7 else draw(INPUTS),
        "--kernel",
        draw(KERNELS),
    ]
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True)):
        value = draw(VALUES[name])
        words += [name] if value is None else [name, value]
    if words[0] != "explain":
        words += ["-o", draw(NAMES)]
        if words[-1] in ("-", ".") or draw(st.integers(0, 9)) == 7:
            words += ["--format", draw(VALUES["--format"])]
    return words + (draw(st.lists(WORDS, max_size=2)) if draw(st.integers(0, 9)) == 7 else [])


@settings(max_examples=300)
@given(words=arguments())
@example(words=["conv", "--input", "4x4", "--kernel", "2", "--width", "160", "-o", "a.gif"])
@example(words=["transposed", "--input", "1", "--kernel", "1", "--width", "120", "--view", "both", "-o", "a.png"])
def test_whatever_is_typed(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    with contextlib.chdir(folder):
        code, _, err = run(*words)
    assert code in (0, 1, 2)
    assert "Traceback" not in err
    assert code == 0 or err.startswith("Error: ")
    assert code == 0 or list(folder.iterdir()) == []
    assert not [p for p in folder.rglob("*") if p.suffix == ".part"]


@pytest.mark.parametrize("option", ["theme", "template", "layout", "lang", "motion", "max-size", "select"])
def test_what_was_typed_is_not_said_again_at_length(out: Path, option: str) -> None:
    typed = ["conv", "--input", "3x3", "--kernel", "2", "-o", out / "a.gif", f"--{option}", "x" * 100_000]
    code, told, err = run(*typed)
    assert (code, told, err.count("\n")) == (2, "", 1)
    assert len(err) < 1100
    assert ";" in err

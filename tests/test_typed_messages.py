"""What errors say at a shell names options as they are typed, in a gallery keys, in Python arguments; and it works."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import convanim as ca
from convanim.cli.commands import main
from convanim.cli.shell import OPTIONS as OTHERS
from convanim.cli.shell import TYPED, as_typed
from convanim.errors import spelt
from convanim.look import OPTIONS
from support.commands import commands, run
from support.needs import need_module

PACKAGE = Path(ca.__file__).parent
CONV = "conv --input 3x3 --kernel 2"

#: Command lines, what they are told, and the same command as the sentence advises it.
REFUSED = [
    (f"{CONV} --view slide -o o.txt", "--view 'slide' is not known for a convolution; did you mean sliding?"),
    (f"{CONV} --stride 0 -o o.txt", "--stride 0 is too small; use 1 or more."),
    (
        f"{CONV} --plays 70000 -o o.gif",
        "--plays 70000 is not between 0 and 65536; use 0 to repeat forever, or 1 to play",
    ),
    (f"{CONV} --sheet 99 -o o.png", "a sheet of 99 columns is not possible; use 1 to 64, like --sheet 4."),
    (f"{CONV} --sheet 2 --dpi 300 -o o.png", "--sheet cannot be combined with --dpi 300; leave one of them out."),
    (f"{CONV} --max-size 1XB -o o.gif", "--max-size '1XB' is not a size; write it like 1MB, 500KB or 80000."),
    (f"{CONV} --max-size 1KB -o o.gif", "--max-size 1KB is too small: this file needs at least"),
    (f"{CONV} --renderer agg -o o.gif", "--renderer 'agg' is not known; use raster or matplotlib."),
    (f"{CONV} --text x -o o.svg", "--text 'x' is not known; use outlines or editable."),
    (f"{CONV} --text editable -o o.gif", "leave --text out, or write .svg, .pdf or .pgf."),
    (f"{CONV} --dpi 300 -o o.gif", "but --dpi 300 was given; leave --dpi out, or write a .png."),
    (f"{CONV} --dpi 0 -o o.png", "--dpi 0 is not a whole number above 0; use for example 300; 96 is 1:1."),
    (f"{CONV} --motion x -o o.gif", "--motion 'x' is not known; use auto or step or smooth."),
    (f"{CONV} --theme drak -o o.gif", "--theme 'drak' is not known; did you mean dark?"),
    (f"{CONV} --template sldie -o o.gif", "--template 'sldie' is not known; did you mean slide?"),
    (f"{CONV} --lang xx -o o.gif", "--lang 'xx' is not known; use one of de, en,"),
    (f"{CONV} --layout isometrc -o o.gif", "--layout 'isometrc' is not known; did you mean isometric?"),
    (f"{CONV} --layout matrix --view overlap -o o.gif", "--layout 'matrix' cannot be combined with --view 'overlap';"),
    (f"{CONV} --format gfi -o o", "--format 'gfi' is not known; use gif,"),
    (f"{CONV} --select 99 -o o.gif", "--select '99' goes beyond the 10 frames; use 0 to 9."),
    (f"{CONV} --select 5..2 -o o.gif", "--select '5..2' runs backwards; write 2..5."),
    (f"{CONV} --seconds-per-step 0.123 -o o.gif", "--seconds-per-step 0.123 is not a multiple of 0.01 seconds,"),
    (f"{CONV} --hold-last 9999 -o o.gif", "--hold-last 9999 is not between 0.02 and 3600 seconds; use 3600 or less."),
    (f"{CONV} --plays 3 -o o.mp4", "leave --plays out, or write a .gif, .webp or .apng."),
    (f"{CONV} --symbols --view overlap -o o.txt", "--view 'overlap' of a convolution cannot be shown in letters;"),
    (f"{CONV} --saturate -o o.txt", "--saturate needs a picture with colours;"),
    (f"{CONV} --seed -1 -o o.txt", "--seed -1 is negative; use 0 or more."),
    (f"{CONV} --grey -o o.txt", "--grey needs a picture, and --input '3x3' is not one; leave it out."),
    (f"{CONV} --resize 4x4 -o o.txt", "--resize 4x4 needs a picture, and --input '3x3' is not one; leave it out."),
    (f"{CONV} --stride 1x1x1 -o o.txt", "--stride 1x1x1 has values for 3 axes, but there are 2; write 1x1."),
    (f"{CONV} --out-channels 0 -o o.txt", "--out-channels 0 is not positive; use 1 or more."),
    (
        "conv --input 2x3x3 --kernel 2 --view overlap -o o.txt",
        "--view 'overlap' shows one channel over one or two axes,",
    ),
    ("conv --input 2x3x3 --kernel 2 --symbols -o o.txt", "has more; leave --symbols out."),
    ("conv --input 60x60 --kernel 2 --view matrix -o o.txt", "64 output cells, or another --view."),
    ("conv --input 20x4x4 --kernel 2 -o o.txt", "use a smaller --input, or write the numbers with -o FILE.json."),
    ("conv --input - --kernel - -o o.txt", "--input and --kernel cannot both be read from standard input;"),
    ("conv --input 5x5 --kernel 9 -o o.txt", "use a --kernel of at most 5, or more --padding."),
    (
        "transposed --input 3x3 --kernel 3 --padding 3 -o o.txt",
        "--padding 3 + 3 crops the whole output of 5 cells along",
    ),
    (
        "transposed --input 3 --kernel 3 --output-padding 1 -o o.txt",
        "--output-padding 1 is not smaller than max(--stride,",
    ),
    ("pool --input 4x4 --kernel 2 --padding 2 -o o.txt", "--padding 2 is more than half of the kernel size 2 along"),
    ("pool --input 4x4 --kernel 2 --mode lp --norm-type 0 -o o.txt", "--norm-type 0.0 is not a number above 0;"),
    (
        "pool --input [[-1]] --kernel 1 --mode lp --norm-type 3 -o o.txt",
        "use an even --norm-type, or --convention onnx,",
    ),
    ("unpool --input 4x4 --kernel 2 --output-size 0 -o o.txt", "--output-size 0 is too small; use 1 or more."),
    ("unpool --input 4x4 --kernel 2 --padding same -o o.txt", "unpooling with --padding 'same' does not determine the"),
    ("upsample --input 2x2 --size 3 --scale-factor 2 -o o.txt", "an upsampling has both --size and --scale-factor;"),
    (
        "upsample --input 2x2 --mode nails --coordinates asymmetric -o o.txt",
        "--coordinates cannot be combined with --mode",
    ),
    ("upsample --input 4x4 --scale-factor 0.1 -o o.txt", "--scale-factor 0.1 turns 4 cells into 0 along axis 0; use a"),
    ("shuffle --input 3x2x2 -o o.txt", "give a multiple of 4 channels, as CxHxW."),
    ("shuffle --input 2x2x3 --convention keras -o o.txt", "give a multiple of 4 channels, as HxWxC."),
    ("shuffle --input 4x2x2 --factor 0 -o o.txt", "--factor 0 is too small; use 1 or more."),
    ("layer MaxPool(2) --input 4x4 --kernel 3 -o o.txt", "--kernel cannot be combined with MaxPool(kernel_size=2),"),
    ("layer Conv(2) --input 3x3 --view slide -o o.txt", "--view 'slide' is not known for a convolution; did you mean"),
    ("explain pool --input 4x4 --kernel 2 --padding 2", "--padding 2 is more than half of the kernel size 2 along"),
    ("describe conv --input 3x3 --kernel 2 --select 999", "--select '999' goes beyond the 10 frames; use 0 to 9."),
    ("solve --input 7x7x7 --output 14x13x12 --kernel 1..64 --stride 1..64", "try fewer with --kernel or --stride."),
    # An argument in a layer's notation is written there, and not an option.
    ("layer Conv(0) --input 3x3 -o o.txt", "kernel_size 0 is too small; use 1 or more."),
    ("layer Conv(5) --input 3x3 -o o.txt", "use a kernel size of at most 3, or more padding."),
    ("layer Upsample(size=3,scale_factor=2) --input 3x3 -o o.txt", "give one of them, like scale_factor=2."),
    ("gallery build --executor x --folder .", "--executor 'x' is not known; use dask:HOST:PORT,"),
]

#: A command that is refused, a part of it, and what the sentence says to type there instead.
FOLLOWED = [
    (f"{CONV} --view slide -o o.json", "slide", "sliding"),
    (f"{CONV} --layout compare -o o.txt", "--layout compare", "--layout flat"),
    (f"{CONV} --layout slices -o o.png --select last", "--layout slices", "--layout flat"),
    (f"{CONV} --renderer raster -o o.svg --select last", "--renderer raster", "--renderer matplotlib"),
    (f"{CONV} --theme auto -o - --format gif", "-o -", "-o up.gif"),
    (f"{CONV} --sheet 99 -o o.png", "--sheet 99", "--sheet 4"),
    (f"{CONV} --width 10 -o o.png --select last", "--width 10", "--width 640"),
    (f"{CONV} --seconds-per-step 0.123 -o o.gif --width 240", "0.123", "0.12"),
    (f"{CONV} --stride 2 --padding same -o o.json", "--padding same", "--padding same --convention keras"),
    (f"{CONV} --stride 2 --padding same -o o.json", "--padding same", "--padding same --convention jax or onnx"),
    (f"{CONV} --padding 1 --convention keras -o o.json", "--convention keras", "--convention torch"),
    (f"{CONV} --padding 3 --padding-mode reflect -o o.json", "--padding-mode reflect", "--padding-mode replicate"),
    (f"{CONV} --padding-mode circular --padding 1 --backward -o o.txt", "circular", "--padding-mode zeros"),
    (f"{CONV} --groups 2 -o o.json", "--input 3x3", "an input of 2x3x3"),
    ("conv --input 3x3x3 --kernel 2 --groups 2 -o o.json", "--input 3x3x3", "an input of 2x3x3"),
    ("conv --input 9x9 --kernel 2 --stride 2 --dilation 2 --convention keras -o o.json", "keras", "--convention torch"),
    ("conv --input 4x3x3 --kernel 2x2 --groups 2 --out-channels 3 -o o.json", "--out-channels 3", "--out-channels 4"),
    ("conv --input 20x4x4 --kernel 2 -o o.txt", "-o o.txt", "-o FILE.json"),
    ("conv --input 1,000 --kernel 2 -o o.json", "1,000", "1000"),
    ("conv --input 5,05 --kernel 2 -o o.json", "5,05", "5x5"),
    ("conv --input 5,05 --kernel 2 -o o.json", "5,05 --kernel 2", "[5,5] for values"),
    (
        "transposed --input 3 --kernel 3 --output-padding 1 --convention jax -o o.json",
        "--output-padding 1",
        "--padding 1:2",
    ),
    ("pool --input 4x4 --kernel 2 --ceil-mode --convention keras -o o.json", "--ceil-mode", "--padding same"),
    ("pool --input 4x4 --kernel 2 --ceil-mode --convention keras -o o.json", "keras", "--convention torch or onnx"),
    (
        "pool --input 4x4 --kernel 2 --count-include-pad -o o.json",
        "--count-include-pad",
        "--count-include-pad --mode avg",
    ),
    ("pool --input 4x4 --kernel 2 --mode lp --padding same -o o.json", "--mode lp", "--mode lp --convention onnx"),
    ("unpool --input 4x4 --kernel 2 --convention keras -o o.json", "keras", "--convention torch or onnx"),
    ("unpool --input 4x4 --kernel 2 --padding valid -o o.json", "--padding valid", "--padding valid --convention onnx"),
    ("upsample --input 2x2 --size 3 --mode nails -o o.json", "--size 3", "--scale-factor 2"),
    ("upsample --input 2x2 --align-corners -o o.json", "--align-corners", "--align-corners --mode bilinear"),
    ("upsample --input 2x2 --coordinates align_corners -o o.json", "align_corners", "half_pixel"),
    ("layer MaxUnpool(2) --input 4x4 -o o.json", "layer MaxUnpool(2)", "convanim unpool"),
    ("compare Conv(3) ConvTranspose(3) --input 6x6 --align cells", "--align cells", "--align index"),
    ("compare Conv(3) Conv(3,stride=2) --input 6x6 --layout flat -o o.txt", "--layout flat", "--layout compare"),
]


@pytest.mark.parametrize(("line", "told"), REFUSED)
def test_an_error_names_options_as_they_are_typed(
    line: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if line.endswith(".mp4"):
        need_module("imageio_ffmpeg", promised=True)
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*line.split())
    assert (code, told in err) == (2, True), err
    assert "`" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("line", "part", "instead"), FOLLOWED)
def test_what_an_error_says_to_type_works(
    line: str, part: str, instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*line.split())
    advised = instead.removeprefix(part).strip() if instead.startswith(part) else instead
    assert (code, err.count(advised.rpartition(" or ")[2]) > 0) == (2, True), err
    typed = (
        instead.replace("an input of", "--input").replace("convanim ", "").partition(" for ")[0].partition(" or ")[0]
    )
    if instead.startswith("--") and part in ("keras", "circular"):
        part = f"{instead.split(maxsplit=1)[0]} {part}"
    if instead.startswith("convanim"):
        typed += " --kernel 2"
    if part.endswith("--kernel 2"):
        typed += " --kernel 2"
    code, _, err = run(*line.replace(part, typed).split())
    assert code == 0, err


# --- every message of the package ---


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The strings of some code, with 1 in the place of each computed part; docstrings are left out."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | parts:
            yield node.lineno, node.value


FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def marks() -> Iterator[tuple[str, str]]:
    """What the package's messages name as code, with its place."""
    for name, tree in TREES.items():
        for line, text in texts(tree):
            found: list[str] = []
            spelt(text, lambda code, found=found: found.append(code) or code)  # type: ignore[misc]
            yield from ((code, f"{name}:{line}") for code in found)


def test_what_a_message_names_as_code_can_be_typed_at_a_command() -> None:
    known = [command for _, command in commands(main)]
    odd = {
        (code, place)
        for code, place in marks()
        if code not in ("1", "colours", "convanim layer")  # a computed name, one that no command has, a command
        and all(as_typed(command, code) == code for command in known)
    }
    layer = {name for op in (ca.Conv, ca.ConvTranspose, ca.MaxPool, ca.Upsample) for name in op.__dataclass_fields__}
    assert {code for code, _ in odd if code not in layer} == set(), odd
    assert len(list(marks())) > 120


#: Turns that only Python understands, or that name an option as nobody types it.
NAMES = "|".join([*OPTIONS, *OTHERS, "padding", "stride", "dilation", "groups", "norm_type"])
PYTHONIC = re.compile(
    rf"(?<![\w(=.\"])(?:{NAMES})=|\b(?:leave|use|with|give) (?:the )?(?:{NAMES}) (?:out\b|'|1)|(?<!checkout )--[a-z]"
)


@pytest.mark.parametrize("hint", ["use groups=3", "leave the view out", "use --width 640", "use align 'index'"])
def test_a_hint_that_names_an_argument_in_another_way_is_found(hint: str) -> None:
    assert PYTHONIC.search(hint)


def test_no_hint_names_an_argument_in_another_way() -> None:
    found = []
    for name, tree in TREES.items():
        if name.startswith("cli/"):  # what is only for a shell
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("ConvanimError", "ConvanimWarning"):
                for line, text in texts(node):
                    bare = re.sub(r"`[^`]*`|\w+\([^)]*\)?", "", text)  # marks, and notations of layers
                    found += [f"{name}:{line}: {hit[0]}" for hit in PYTHONIC.finditer(bare)]
    assert found == []


# --- the same in Python and in a gallery ---


def test_python_is_told_of_arguments() -> None:
    trace = ca.Conv(2).trace(np.ones((3, 3)), np.ones((2, 2)))
    for look, told in [
        ({"width": 10}, "width 10 is not between 120 and 4096 px; use for example width=1280 or width=640."),
        (
            {"layout": "compare"},
            "layout 'compare' needs two layers; give another layer with beside, or use layout=\"flat\".",
        ),
        ({"plays": -1}, "plays -1 is not between 0 and 65536; use 0 to repeat forever, or 1 to play once."),
        ({"max_size": "x"}, "max size 'x' is not a size; write it like 1MB, 500KB or 80000."),
    ]:
        with pytest.raises(ca.ConvanimError) as refused:
            trace.animate(**look)  # type: ignore[arg-type]
        assert str(refused.value) == told
        assert "`" not in refused.value.message + refused.value.hint


def test_a_gallery_is_told_of_keys(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('layer = "Conv(2)"\ninput = "5,5"\n')
    (tmp_path / "b.toml").write_text('layer = "Conv(2)"\ninput = "4x4"\nwidth = 10\n')
    (tmp_path / "c.toml").write_text('layer = "Conv((2, 2, 2))"\ninput = "20x4x4"\n')
    code, _, err = run(*f"gallery build --folder {tmp_path}".split())
    assert code == 1
    assert "a.toml line 2: input '5,5' has '5,5', which is not a whole number;" in err
    assert "b.toml line 3: width 10 is not between 120 and 4096 px; use for example width=1280 or width=640." in err
    assert 'or write the numbers with formats = ["json"].' in err
    assert "--" not in err.replace("---", "")
    assert run(*f"gallery build --jobs 0 --folder {tmp_path}".split()).err.startswith(
        "Error: --jobs 0 is not between 1 and 512;"
    )


def test_a_template_is_told_of_its_keys(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('theme = "auto"\n')
    told = run(*f"{CONV} --template {tmp_path}/t.toml -o {tmp_path}/o.gif".split()).err
    assert "line 1: theme 'auto' stands for two files, light and dark; write both with" in told


def test_a_value_with_backticks_is_said_as_it_was_typed() -> None:
    assert "--view 'a`b`c'" in run(*f"{CONV} --view a`b`c -o o.txt".split()).err


@pytest.mark.parametrize("code", TYPED)
def test_every_way_to_type_what_has_no_option_is_one(code: str) -> None:
    words = TYPED[code].removeprefix("convanim ").split()
    assert words[0] in main.commands or any(words[0] in p.opts for p in main.commands["conv"].params)

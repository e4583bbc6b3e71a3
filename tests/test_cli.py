"""The command line: every option does what the help says, and the closing line is true.

Most runs are in this process, for speed; pipes and terminals have processes of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import convanim
from convanim.cli.commands import main
from convanim.commands import COMMANDS
from convanim.commands.convolutions import CONV
from convanim.commands.shared import CONVENTIONS
from convanim.layers.conventions import KNOWN
from support.commands import SMALL, run
from support.decoders import decode_ffmpeg, decode_gifsicle, decode_pillow
from support.needs import need

UP = ["transposed", "--input", "2x2", "--kernel", "2x2", "--width", "640"]
FRAME = re.compile(r"^frame (\d+) \((\d+) ms\)[^\n]*?(?:   (\d+) of (\d+))?$", re.M)


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "convanim", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def saved(path: Path, *arguments: object, stdin: bytes = b"") -> str:
    """Run, and return the closing line."""
    code, out, err = run(*arguments, "-o", path, stdin=stdin)
    assert code == 0, err
    assert all(note.startswith("Note: --") for note in err.splitlines()), err
    assert out.count("\n") == 1
    return out.rstrip("\n")


def frames(path: Path, *arguments: object) -> list[tuple[int, int, int]]:
    """The (number, ms, placement) of each frame, as told by a .txt of the same options."""
    saved(path.with_suffix(".txt"), *arguments)
    told = FRAME.findall(path.with_suffix(".txt").read_text("utf-8"))
    return [(int(number), int(ms), int(step or 0)) for number, ms, step, _ in told]


def info(path: Path) -> str:
    return subprocess.run([need("gifsicle"), "--info", path], check=True, capture_output=True, text=True).stdout


def traced(path: Path, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
    saved(path / "t.json", *arguments, stdin=stdin)
    return dict(json.loads((path / "t.json").read_text("utf-8")))


# The layer.

OPTIONS = {
    "--stride 2": {"stride": (2, 2)},
    "--stride 2x1": {"stride": (2, 1)},
    "--dilation 2": {"dilation": (2, 2)},
    "--dilation 1x2 --stride 3x2": {"dilation": (1, 2), "stride": (3, 2)},
    "--padding 1": {"padding": ([1, 1], [1, 1])},
    "--padding 1x0": {"padding": ([1, 1], [0, 0])},
    "--padding 1:2x0:1": {"padding": ([1, 2], [0, 1])},
    "--padding valid": {"padding": ([0, 0], [0, 0])},
    "--padding same --convention onnx": {"padding": ([1, 1], [0, 1])},
    "--padding same_lower --convention onnx": {"padding": ([1, 1], [1, 0])},
    "--padding full": {"padding": ([2, 2], [1, 1])},
    "--bias -7": {},
    "--stride 3x2 --output-padding 2x1": {"stride": (3, 2), "output_padding": (2, 1)},
}


@pytest.mark.parametrize("kind", ["conv", "transposed"])
@pytest.mark.parametrize("options", OPTIONS)
def test_layer_options(tmp_path: Path, kind: str, options: str) -> None:
    if kind == "conv" and "output-padding" in options:
        assert "belongs to transposed" in run(kind, *options.split()).err
        return
    told = traced(tmp_path, kind, "--input", "6x5", "--kernel", "3x2", *options.split())
    wanted: dict[str, Any] = {"input": (6, 5), "kernel": (3, 2), "stride": (1, 1), "dilation": (1, 1)}
    for name, each in (wanted | OPTIONS[options]).items():
        assert tuple(axis[name] for axis in told["axes"]) == each
    assert told["bias"] == ([-7] if "bias" in options else None)
    assert told["operation"].startswith("Conv(" if kind == "conv" else "ConvTranspose(")


# Arrays.


def test_fills_and_seeds(tmp_path: Path) -> None:
    def values(*options: str) -> tuple[list[int], list[int]]:
        told = traced(tmp_path, *SMALL, *options)
        return np.ravel(told["input"]).tolist(), np.ravel(told["weight"]).tolist()

    assert values("--fill", "range") == (list(range(1, 26)), list(range(1, 10)))
    assert values() == values("--fill", "example")
    assert not set(values()[0]) & set(values()[1])
    assert values("--fill", "ones") == ([1] * 25, [1] * 9)
    drawn = values("--fill", "random")
    assert drawn == values("--fill", "random", "--seed", "0")
    assert drawn != values("--fill", "random", "--seed", "1")
    assert drawn[0][:9] != drawn[1]


def test_arrays_from_everywhere(tmp_path: Path) -> None:
    array = np.array([[1, -2, 3], [4, 5, 6]])
    np.save(tmp_path / "a.npy", array)
    (tmp_path / "a.csv").write_text("1,-2,3\n4,5,6\n")
    (tmp_path / "a.tsv").write_text("1\t-2\t3\n4\t5\t6\n")
    for source in ("a.npy", "a.csv", "a.tsv"):
        assert traced(tmp_path, "conv", "--input", tmp_path / source, "--kernel", "2")["input"] == [array.tolist()]
    literal = traced(tmp_path, "conv", "--input", "[[1,-2,3],[4,5,6]]", "--kernel", "2", "--fill", "ones")
    assert literal["input"] == [array.tolist()]
    piped = traced(tmp_path, "conv", "--input", "-", "--kernel", "2", stdin=b"1,-2,3\n4,5,6\n")
    assert piped["input"] == [array.tolist()]
    assert traced(tmp_path, *SMALL[:3], "--kernel", "-", stdin=b"1,2\n3,4\n")["weight"] == [[[[1, 2], [3, 4]]]]


# The file.


def test_closing_line_of_each_format(tmp_path: Path) -> None:
    path = tmp_path / "up.gif"
    line = saved(path, *SMALL)
    clip = decode_gifsicle(path)
    size = f"{path.stat().st_size / 1000:,.0f} KB"
    assert line == f"{path}, 640×360 px, {len(clip)} frames, {sum(ms for _, ms in clip) / 1000:.1f} s, {size}"
    assert clip[0][0].shape == (360, 640, 3)
    assert re.fullmatch(r".*up\.png, 640×360 px, 1 frame, \d+ KB", saved(tmp_path / "up.png", *SMALL))
    assert re.fullmatch(r".*up\.TXT, 15 frames, 16\.2 s, \d+ KB", saved(tmp_path / "up.TXT", *SMALL))
    assert re.fullmatch(r".*up\.json, .*\d+ KB", saved(tmp_path / "up.json", *SMALL))
    assert re.fullmatch(r".*%02d\.png, 640×360 px, 20 frames, \d+ KB", saved(tmp_path / "u%02d.png", *SMALL))
    assert {p.name for p in tmp_path.glob("u??.png")} == {f"u{i:02}.png" for i in range(20)}


@pytest.mark.parametrize("decode", [decode_pillow, decode_gifsicle, decode_ffmpeg])
def test_a_gif_lasts_as_long_as_its_frames(tmp_path: Path, decode: Any) -> None:
    options = [*SMALL, "--seconds-per-step", "0.3", "--hold-last", "2.5"]
    saved(tmp_path / "a.gif", *options)
    told = frames(tmp_path / "a", *options)
    assert sum(ms for _, ms in decode(tmp_path / "a.gif")) == sum(ms for _, ms, _ in told)
    assert told[-1][1] == 2500


def test_describe_says_what_the_file_holds(tmp_path: Path) -> None:
    saved(tmp_path / "a.gif", *SMALL)
    told = run("describe", *SMALL).out
    alt, empty, *lines = told.rstrip("\n").split("\n")
    assert empty == ""
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["comment"].decode().endswith(f"\n{alt}")
    steps = b"\n".join(line.encode() for line in lines)
    # A comment is split into blocks of 255 bytes, each after its length.
    file = (tmp_path / "a.gif").read_bytes()
    said, at = b"", file.rindex(b"\x21\xfe") + 2
    while file[at]:
        said, at = said + file[at + 1 : at + 1 + file[at]], at + 1 + file[at]
    assert said == steps
    assert run("describe", *SMALL, "--alt").out == f"{alt}\n"


def test_describe_tells_two_layers_at_once() -> None:
    layers = ["Conv(3, padding=1)", "Conv(3, padding='same', convention='keras')"]
    told = run("describe", "compare", *layers, "--input", "5x5")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    steps = [line for line in lines if line.startswith("step ")]
    assert len(steps) == 25
    both = ("PyTorch: padding=1: output[", "; Keras: padding='same': output[")
    assert all(words in line for line in steps for words in both)
    assert [line for line in lines if line.startswith("output of ")]


def test_describe_refuses_as_the_animation_does() -> None:
    wrong = run("describe", "conv", "--input", "5x5", "--kernel", "7x7")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == run("conv", "--input", "5x5", "--kernel", "7x7", "-o", "x.gif").err


@pytest.mark.parametrize(("plays", "said"), [(0, "loop forever"), (1, None), (2, "loop count 1"), (9, "loop count 8")])
def test_plays(tmp_path: Path, plays: int, said: str | None) -> None:
    saved(tmp_path / "a.gif", *UP, "--plays", plays)
    loops = re.findall(r"loop .*", info(tmp_path / "a.gif"))
    assert loops == ([said] if said else [])


def test_the_comment_is_the_command_that_makes_the_file_again(tmp_path: Path) -> None:
    options = ["--title", 'it\'s a "test" of ×', "--no-caption", "--bias", "-0.5", "--theme", "dark", "--plays", "2"]
    saved(tmp_path / "a.gif", *SMALL, *options, "--select", "last")
    saved(tmp_path / "a.png", *SMALL, *options, "--select", "last")
    with Image.open(tmp_path / "a.gif") as gif, Image.open(tmp_path / "a.png") as png:
        comment, alt = gif.info["comment"].decode().rsplit("\n", 1)
        assert png.text["Comment"] == comment  # type: ignore[attr-defined]
        assert png.text["Description"].startswith(alt)  # type: ignore[attr-defined]
    assert "MIT" in comment
    assert str(tmp_path) not in comment
    assert "-o" not in shlex.split(comment)
    program, *again = shlex.split(comment.split(". Made with")[0])
    assert program == "convanim"
    saved(tmp_path / "b.gif", *again)
    assert (tmp_path / "b.gif").read_bytes() == (tmp_path / "a.gif").read_bytes()


@pytest.mark.parametrize(
    ("select", "numbers"),
    [("0,4,8", [0, 4, 8]), ("2..6", [2, 3, 4, 5, 6]), ("last", [19]), ("17..last", [17, 18, 19]), ("all", range(20))],
)
def test_select(tmp_path: Path, select: str, numbers: list[int]) -> None:
    assert [number for number, _, _ in frames(tmp_path / "a", *SMALL, "--select", select)] == list(numbers)
    line = saved(tmp_path / "a-%03d.png", *SMALL, "--select", select)
    assert [int(p.stem[-3:]) for p in sorted(tmp_path.glob("*.png"))] == list(numbers)
    assert f"{len(numbers)} frame" in line


def last_picture(path: Path, *arguments: object) -> np.ndarray[Any, Any]:
    saved(path / "last.png", *arguments)
    with Image.open(path / "last.png") as image:
        return np.array(image.convert("RGB"))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ([], (1280, 720)),
        (["--width", "960"], (960, 540)),
        (["--height", "540"], (960, 540)),
        (["--width", "320"], (320, 180)),
        (["--width", "500", "--height", "700"], (500, 700)),
    ],
)
def test_page_sizes(tmp_path: Path, options: list[str], size: tuple[int, int]) -> None:
    assert last_picture(tmp_path, *SMALL[:5], *options).shape == (*size[::-1], 3)


def test_themes_title_and_captions(tmp_path: Path) -> None:
    light, dark = last_picture(tmp_path, *SMALL), last_picture(tmp_path, *SMALL, "--theme", "dark")
    assert light[0, 0].min() > 200
    assert dark[0, 0].max() < 80
    corner = np.s_[320:, 500:]  # the place of the step count
    assert np.unique(light[corner]).size > 1
    assert np.unique(last_picture(tmp_path, *SMALL, "--no-caption")[corner]).size == 1
    assert (last_picture(tmp_path, *SMALL, "--title", "Ones")[:60] != light[:60]).any()
    saved(tmp_path / "a.txt", *SMALL, "--title", "My title")
    assert (tmp_path / "a.txt").read_text("utf-8").startswith("My title\n")
    assert "output[0,0] = 5·2" in (tmp_path / "a.txt").read_text("utf-8")


def test_no_caption_holds_for_text_too(tmp_path: Path) -> None:
    saved(tmp_path / "a.txt", *SMALL, "--no-caption")
    text = (tmp_path / "a.txt").read_text("utf-8")
    assert "output[0,0] =" not in text
    assert "1 of 9" not in text


def test_views_differ(tmp_path: Path) -> None:
    told = {}
    for view in ("zero-insertion", "overlap-add", "both"):
        saved(tmp_path / "a.txt", *UP, "--stride", "2", "--view", view)
        told[view] = (tmp_path / "a.txt").read_text("utf-8")
    saved(tmp_path / "a.txt", *UP, "--stride", "2")
    assert (tmp_path / "a.txt").read_text("utf-8") == told["zero-insertion"]
    assert len(set(told.values())) == 3
    assert "·" in told["zero-insertion"]


def test_a_long_animation_is_paced_and_says_so(tmp_path: Path) -> None:
    layer = ["conv", "--input", "24x24", "--kernel", "3x3", "--width", "1280"]
    line = saved(tmp_path / "a.txt", *layer)
    assert sum(ms for _, ms, _ in frames(tmp_path / "a", *layer)) <= 30_000
    match = re.search(r"; (\d+) of 484 placements left out, (--select all) shows every one$", line)
    assert match
    assert 484 - int(match[1]) == len({step for _, _, step in frames(tmp_path / "a", *layer)} - {0})
    whole = frames(tmp_path / "a", *layer, *match[2].split())
    assert {step for _, _, step in whole} - {0} == set(range(1, 485))
    assert "left out" not in saved(tmp_path / "a.txt", *layer, "--select", "all")
    assert "left out" not in saved(tmp_path / "a.txt", *layer, "--seconds-per-step", "0.04")


# Shells, pipes and terminals.


@pytest.mark.parametrize("kind", ["gif", "png", "txt", "json"])
def test_standard_output_gets_the_same_bytes(tmp_path: Path, kind: str) -> None:
    saved(tmp_path / f"a.{kind}", *UP)
    done = process(*UP, "-o", "-", "--format", kind.upper(), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (tmp_path / f"a.{kind}").read_bytes()
    assert done.stderr.decode().startswith("standard output, ")
    assert not [
        line for line in done.stderr.splitlines()[1:] if not line.startswith(b"Note: --width")
    ]  # no progress bar
    assert [p.name for p in tmp_path.iterdir()] == [f"a.{kind}"]


def test_quiet(tmp_path: Path) -> None:
    assert run(*UP, "-o", tmp_path / "a.gif", "--quiet") == (0, "", "")
    done = process(*UP, "-o", "-", "--format", "txt", "--quiet")
    assert (done.returncode, done.stderr) == (0, b"")


def test_open_shows_the_finished_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, bool]] = []
    monkeypatch.setattr(click, "launch", lambda url: opened.append((url, Path(url).exists())))
    saved(tmp_path / "a.png", *UP, "--open")
    assert opened == [(str(tmp_path / "a.png"), True)]


def on_a_terminal(*arguments: object) -> str:
    pty = pytest.importorskip("pty", reason="Windows has no such terminals")
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "convanim", *map(str, arguments)]
    with subprocess.Popen(command, stderr=slave, stdout=subprocess.DEVNULL, env=os.environ | {"TERM": "xterm"}) as it:
        os.close(slave)
        told = b""
        with contextlib.suppress(OSError):  # a terminal whose other end is closed
            while part := os.read(master, 4096):
                told += part
    os.close(master)
    assert it.returncode == 0
    return told.decode()


def test_a_progress_bar_on_a_terminal_only(tmp_path: Path) -> None:
    told = on_a_terminal(*SMALL, "-o", tmp_path / "a.gif")
    assert "frames" in told
    assert "100%" in told
    assert on_a_terminal(*SMALL, "-o", tmp_path / "a.gif", "--quiet") == ""
    assert process(*SMALL, "-o", tmp_path / "a.gif").stderr == b""


def test_the_examples_of_the_help_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(colours).save("photo.png")
    told = [run(*words, "--help").out for words in ((), *((kind,) for kind in COMMANDS))]
    examples = [shlex.split(x)[1:] for x in re.findall(r"^ +(convanim .+)$", "\n".join(told), re.M)]
    assert len(examples) >= 5 + 2 * len(COMMANDS)
    for example in examples:
        done = run(*example)
        assert (done.code, done.err) == (0, ""), example
        if "-o" in example:
            assert Path(example[example.index("-o") + 1]).stat().st_size > 0
    assert decode_pillow("up.gif")


def loaded_by(*words: str) -> tuple[list[str], set[str]]:
    """Run a command in a fresh process, and return the lines that it prints and the modules that it loads."""
    probe = "import sys; from convanim.cli.commands import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe, *words], capture_output=True, text=True, check=True)
    *told, loaded = done.stdout.splitlines()
    return told, set(loaded.split())


@pytest.mark.parametrize("words", ["--help", "conv --help", "transposed -h", "explain -h", "--version"])
def test_help_needs_nothing_heavy(words: str) -> None:
    told, loaded = loaded_by(*words.split())
    assert told
    assert not {"numpy", "matplotlib", "PIL", "imageio", "msgspec"} & loaded


@pytest.mark.parametrize(
    "words",
    ["conv --input 5x5 --kernel 3x3", "pool --input 4x4 --kernel 2", "layer torch.nn.Conv2d(2,4,3) --input 5x5"],
)
def test_an_explanation_needs_no_trace(words: str) -> None:
    _, loaded = loaded_by("explain", *words.split())
    assert "convanim.explanation" in loaded
    assert not {name for name in loaded if name.startswith("convanim.trace") or name in {"matplotlib", "PIL"}}


def test_a_page_and_vectors_load_nothing_that_they_do_not_need(tmp_path: Path) -> None:
    for kind in ("html", "svg"):
        words = ["conv", "--input", "5x5", "--kernel", "3", "--quiet", "-o", str(tmp_path / f"a.{kind}")]
        _, loaded = loaded_by(*words)
        assert "convanim.write" in loaded
        ours = {f"convanim.{part}" for part in ("draw.raster.picture", "layers.reading", "layers.writing", "gallery")}
        assert not loaded & {*ours, "numpy.ma", "matplotlib", "PIL", "imageio", "hashlib", "zipfile"}


def test_version_and_explain() -> None:
    assert run("--version") == (0, f"convanim {convanim.__version__}\n", "")
    done = run("explain", "transposed", "--input", "3x3", "--kernel", "3x3", "--stride", "2")
    assert done.code == 0
    assert "3×3 → 7×7" in done.out
    assert "5×5 → 3×3" in run("explain", *SMALL[:5]).out
    shown = run()
    assert (shown.code, shown.out) == (2, "")
    assert "Usage: convanim" in shown.err


def test_completion() -> None:
    def complete(**variables: str) -> str:
        done = process(env=os.environ | variables)
        assert done.returncode == 0
        return done.stdout.decode()

    script = complete(_CONVANIM_COMPLETE="bash_source")
    checked = f"{script}\ncomplete -p convanim"
    shown = subprocess.run([need("bash"), "-c", checked], capture_output=True, text=True, check=True)
    assert shown.stdout.rstrip().endswith(" convanim")
    words = {"_CONVANIM_COMPLETE": "bash_complete", "COMP_WORDS": "convanim conv --the", "COMP_CWORD": "2"}
    assert "--theme" in complete(**words)

    script = complete(_CONVANIM_COMPLETE="powershell_source")
    assert "Register-ArgumentCompleter -Native -CommandName convanim" in script
    sent = set(re.findall(r"\$env:(\w+) =", script))
    for typed, offered in (
        (["conv", "--theme", "so"], ["solarized"]),
        (["conv", "--view", "'sl'", "--motion", ""], ["auto", "step", "smooth"]),
        (["conv", "--input", ".\\a b"], []),  # PowerShell completes file names by itself
    ):
        words = {"_CONVANIM_COMPLETE": "powershell_complete", "COMP_CWORD": str(len(typed))}
        words["COMP_WORDS"] = "\n".join(["convanim", *filter(None, typed)])
        assert set(words) == sent
        assert complete(**words).split() == offered


def test_a_command_that_makes_a_picture_can_be_asked_to_explain_itself(tmp_path: Path) -> None:
    words = ["transposed", "--input", "3x3", "--kernel", "3", "--stride", "2"]
    look = ["--view", "both", "--theme", "dark", "--width", "640", "--no-caption", "--select", "last", "--quiet"]
    plain, asked = run("explain", *words), run("explain", *words, *look, "-o", tmp_path / "a.gif")
    assert plain.code == asked.code == 0
    assert plain.out == asked.out != ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["explain conv", "explain layer Conv(3)", "describe layer Conv(3)", "describe conv"])
@pytest.mark.parametrize(
    "look", ["--layout isometrc", "--template slid", "--theme drak", "--lang dee", "--motion smoth", "--width 0"]
)
def test_a_look_that_is_not_used_is_looked_at(words: str, look: str) -> None:
    kernel = [] if "layer" in words else ["--kernel", "3"]
    asked = run(*words.split(), "--input", "5x5", *kernel, *look.split())
    animated = run("conv", "--input", "5x5", "--kernel", "3", *look.split(), "-o", "x.gif")
    assert (asked.code, asked.out) == (2, "")
    assert asked.err == animated.err


def test_the_program_runs_in_click_s_own_runner(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["conv", "--input", "4x4", "--kernel", "3", "-o", str(tmp_path / "a.txt")])
    assert (done.exit_code, (tmp_path / "a.txt").exists()) == (0, True)
    done = CliRunner().invoke(main, ["conv", "--input", "4x4", "--kernel", "9", "-o", str(tmp_path / "b.txt")])
    assert (done.exit_code, (tmp_path / "b.txt").exists()) == (2, False)
    assert "kernel size 9 is larger" in done.output


def test_what_help_says_is_what_the_layers_take() -> None:
    """The conventions are repeated so that --help imports no layer."""
    assert tuple(name for name, rules in KNOWN.items() if not rules.only) == CONVENTIONS
    assert {option.choices for option in CONV.arguments if option.name == "convention"} == {tuple(KNOWN)}


LAYER = {
    "conv": ["--input", "4x4", "--kernel", "3"],
    "transposed": ["--input", "2x2", "--kernel", "3"],
    "pool": ["--input", "4x4", "--kernel", "2"],
    "unpool": ["--input", "4x4", "--kernel", "2"],
    "upsample": ["--input", "2x2"],
    "shuffle": ["--input", "4x2x2"],
    "unfold": ["--input", "3x3", "--kernel", "2"],
    "fold": ["--input", "4x4", "--output-size", "3", "--kernel", "2"],
}


@pytest.mark.parametrize(("kind", "view"), [(k, v) for k in COMMANDS for v in COMMANDS[k].views])
@pytest.mark.parametrize("suffix", ["gif", "txt", "json"])
def test_every_view_of_every_layer(tmp_path: Path, kind: str, view: str, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    saved(file, kind, *LAYER[kind], "--view", view, *(["--width", "640"] if suffix == "gif" else []))
    assert file.stat().st_size > 100
    if suffix == "gif":
        assert decode_pillow(file)
    told = run("explain", kind, *LAYER[kind], "-o", file)
    assert told.code == 0
    assert "In other frameworks" in told.out


def test_two_layers_are_compared_in_words_and_in_pictures(tmp_path: Path) -> None:
    layers = ["Conv(3, 2, padding='same', convention='keras')", "nn.Conv2d(1, 1, 3, stride=2, padding=1)"]
    told = run("compare", *layers, "--input", "6x6")
    assert (told.code, told.err) == (0, "")
    assert "padding is 0:1 ('same') in Keras and 1 in PyTorch" in told.out
    saved(tmp_path / "a.gif", "compare", *layers, "--input", "6x6")
    same = run("compare", "Conv(3)", "nn.Conv2d(1, 1, 3)", "--input", "6x6")
    assert "differs" not in same.out


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_channels_and_colours(tmp_path: Path, convention: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    layer = ["conv", "--input", tmp_path / "a.png", "--resize", "4x5", "--kernel", "3", "--convention", convention]
    told = traced(tmp_path, *layer)
    assert np.shape(told["input"]) == (3, 4, 5)
    assert np.shape(told["output"]) == (3, 2, 3)
    saved(tmp_path / "a.gif", *layer, "--saturate", "--width", "640")
    told = traced(tmp_path, *layer, "--grey")
    assert np.shape(told["input"]) == (1, 4, 5)
    told = traced(tmp_path, *layer, "--groups", "1", "--out-channels", "2")
    assert np.shape(told["output"]) == (2, 2, 3)


def test_a_gradient_is_the_transposed_layer(tmp_path: Path) -> None:
    saved(tmp_path / "a.txt", *SMALL, "--backward", "--grad", "[[1,2,3],[4,5,6],[7,8,9]]")
    assert "the same taps, read the other way round" in (tmp_path / "a.txt").read_text("utf-8")
    wrong = run(*SMALL, "--grad", "2x2", "-o", tmp_path / "b.txt")
    assert wrong.code == 2
    assert "the gradient has shape 2×2, but the output has 3×3" in wrong.err
    assert not (tmp_path / "b.txt").exists()


def test_an_explanation_loads_nothing_that_draws() -> None:
    probe = """
import contextlib, sys
from convanim.cli.commands import main
with contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print("loaded:", *sorted({"convanim.page", "convanim.draw.theme", "matplotlib"} & set(sys.modules)))
"""
    for further, loaded in ([], b""), (["--theme", "dark"], b" convanim.draw.theme convanim.page"):
        command = [sys.executable, "-c", probe, "explain", "conv", "--input", "5x5", "--kernel", "3", *further]
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stdout.splitlines()[-1] == b"loaded:" + loaded
    wrong = run("explain", "conv", "--input", "5x5", "--kernel", "3", "--theme", "nope")
    assert wrong.code == 2
    assert "'nope'" in wrong.err

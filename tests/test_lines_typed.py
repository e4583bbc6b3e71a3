"""Random command lines over all commands and options, valid and broken, drawn with a seed.

    CONVANIM_LINES=5000 CONVANIM_SEED=7 python -m pytest -n 0 tests/test_lines_typed.py

Each ends in time with exit code 0 or 2; with 2 it prints one sentence and leaves nothing behind. The options are read
from the commands, so that a new one is included at once.
"""

from __future__ import annotations

import os
import random
import shlex
import signal
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from convanim.cli.commands import main
from support.commands import Run, commands, run

LINES = int(os.environ.get("CONVANIM_LINES", "60"))
SEED = int(os.environ.get("CONVANIM_SEED", "0"))
SECONDS = 30

#: Numbers, and after the bar those that are usually refused.
NUMBERS = "1 2 3 | 0 -1 1.5 x 99999999999999999999 1e400 nan"
STEPS = "1 2 1x1 2x1 | 0 -1 3x 9999999999 nan 1x1x1 '2'"
#: Values for the option of a name, its command's or another; and after the bar those that are usually refused.
VALUES: dict[str, str] = {
    "x": "4x4 5x5 6x4 4 8x8x2 4x4x4 [[1,2],[3,4]] 0,1;2,3 '3x3' a.csv a.npy a.png - | 3x3x3x3 1e9x1e9 [1,[2]] no.csv (",
    "kernel": "1 2 2x2 2x1 3 3x3 [[1,-2],[3,4]] 1,0;0,1 a.npy | 0 9x9 3x 2x2x2 -",
    **dict.fromkeys(("stride", "dilation", "output_padding", "factor"), STEPS),
    "scale_factor": "2 3 1.5 2x1 | 0 -1 nan 1e9 x",
    **dict.fromkeys(("size", "resize", "output_size"), "5 6x6 4x4 9x9 default | 0 -1 x 99999x99999"),
    "padding": "0 1 2x1 1:2x0:1 same full valid | causal same_lower -1 smae 1:2:3 999999999",
    **dict.fromkeys(("groups", "out_channels", "seed", "norm_type", "bias"), NUMBERS),
    "indices": "[[0,1],[2,3]] | [[0,99],[1,2]] 2x2 x",
    "grad": "2x2 3x3 4x4 [[1,2],[3,4]] | x -",
    "view": "sliding zero-insertion overlap-add both matrix overlap backward beside reading placing moving | x",
    "select": "0 last 0..2 all 0,0 step:1 | step:0 2..0 99999 x ,",
    "width": "320 480 640 400 200 1280 | 0 -1 99999 x 150",
    "height": "300 360 240 720 | 0 1e3 120",
    "sheet": "1 3 | 0 -1 999 x",
    "theme": "dark light print solarized high-contrast auto | x ./no.toml",
    "template": "slide readme square paper minimal solarized default | x ./no.toml /dev/null",
    "layout": "flat row isometric slices matrix compare | x",
    "lang": "de fr ja zh es en | x ../de",
    "motion": "step smooth | x",
    "max_size": "1MB 20KB 1GB | 1KB 0 -1 x 9e99MB",
    "seconds_per_step": "0.06 1 0.5 | 0 nan inf -1 0.025",
    "hold_first": "0.02 1 3 | nan 1e9 -1",
    "hold_last": "0.02 1 3 | nan 1e9 -1",
    "plays": "0 1 3 | -1 65537 x",
    "format": "txt PNG json gif | html x",
    "output": "a.txt a.json a.gif a.png a-%d.png | - a.gf no/b.txt . loop.gif g",
    "notation": "Conv(3) Conv(2,stride=2) ConvTranspose(3,stride=2) MaxPool(2) AvgPool(2) Upsample(scale_factor=2) "
    "Conv(3,padding='same',convention='keras') torch.nn.Conv2d(1,1,3) nn.MaxPool2d(2) LpPool(2) 'Conv(2)' | "
    "PixelShuffle(2) keras.layers.Conv2D(1,3) nn.Conv2d(3,8,3) Conv( Conv(0) MaxUnpool(2) ReLU() exit()",
    "patterns": "a b* | x ../a [",
    "name": "a b _c | x/y .. a.b",
    "jobs": "1 | 0 -1 x",
    "folder": "g | no a.csv /dev/null",
    "old": "a.gif | a.csv no.gif",
}
VALUES |= {
    "first": VALUES["notation"],
    "second": VALUES["notation"],
    "layer": VALUES["notation"],
    "y": "2x2 3x3 4x4 | x 0 9x9x9",
}
WORDS = [
    "",
    " ",
    "-",
    "--",
    "@",
    "%d",
    "\udc80",
    "9" * 5000,
    "../x",
    "\x1b[31m",
    "é×",
    "''",
    "🎉",
    "--input",
    "[" * 2000,
]
#: Options that open windows, or wait for a change.
NEVER = {"open_it", "watch", "help", "executor"}


COMMANDS = [(words, command) for words, command in commands(main) if not isinstance(command, click.Group)]


def value(draw: random.Random, param: click.Parameter) -> str:
    if draw.random() < 0.04:
        return draw.choice(WORDS)
    if isinstance(param.type, click.Choice):
        return draw.choice(list(param.type.choices)) if draw.random() < 0.95 else "x"
    good, _, bad = VALUES.get(param.name or "", "x | 1").partition(" | ")
    return draw.choice((good if draw.random() < 0.9 or not bad else bad).split(" "))


def line(draw: random.Random) -> list[str]:
    words, command = draw.choice(COMMANDS)
    typed = list(words)
    for param in command.params:
        if param.name in NEVER:
            continue
        if isinstance(param, click.Argument):
            typed += [value(draw, param)] * (param.nargs == 1 or draw.random() < 0.3) * (draw.random() < 0.98)
        elif draw.random() < (0.98 if param.required else 0.06):
            typed.append(draw.choice([*param.opts, *param.secondary_opts]))
            if not getattr(param, "is_flag", False):
                typed.append(value(draw, param))
    if draw.random() < 0.03:
        typed.insert(draw.randrange(len(typed) + 1), draw.choice(WORDS))
    return typed


def furnish(folder: Path) -> None:
    """Create the files that a line may name."""
    folder.mkdir()
    (folder / "a.csv").write_text("1,2,3\n4,5,6\n7,8,9\n")
    np.save(folder / "a.npy", np.arange(4).reshape(2, 2))
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5).save(folder / "a.png")
    (folder / "g").mkdir()
    (folder / "g" / "a.toml").write_text('layer = "Conv(2)"\ninput = "3x3"\nformats = ["txt"]\n')
    if hasattr(os, "symlink") and os.name == "posix":
        (folder / "loop.gif").symlink_to("loop.gif")


def late(*_: object) -> None:
    raise TimeoutError(f"it took more than {SECONDS} s")


def ran(words: list[str]) -> Run:
    if not hasattr(signal, "SIGALRM"):
        return run(*words, stdin=b"1,2\n3,4\n")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        return run(*words, stdin=b"1,2\n3,4\n")
    finally:
        signal.alarm(0)


def wrong(words: list[str], folder: Path) -> str | None:
    """The fault in how a command line ends, or None."""
    before = {path.relative_to(folder) for path in folder.rglob("*")}
    try:
        code, out, err = ran(words)
    except BaseException as error:  # a command line must not raise anything
        return f"{type(error).__name__}: {error}"
    new = {path.relative_to(folder) for path in folder.rglob("*")} - before
    gallery = words[0] in ("gallery", "new")
    # A solve without a result, and galleries with findings, also exit with 1.
    if code not in (0, 2) and not (code == 1 and (gallery or words[0] == "solve")):
        return f"exit code {code}: {err}"
    if "Traceback" in err + (out if not gallery else ""):
        return "a traceback"
    if any(path.suffix == ".part" or path.name.startswith(".convanim") for path in new):
        return f"left behind: {sorted(new)}"
    if code == 2 and (
        not err.startswith("Error: ") or err.count("\n") != 1 or len(err) > 1600 or not err[:-1].isprintable()
    ):
        return f"no sentence: {err!r}"
    if code == 2 and (out or new):
        return f"it failed, and yet: {out[:80]!r} {sorted(new)}"
    if code == 0 and not gallery and new and not all(path.name.startswith("a") or str(path) in words for path in new):
        return f"strayed: {sorted(new)}"
    return None


@pytest.mark.filterwarnings("ignore")
def test_any_line_ends_as_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(SEED)
    found = []
    for number in range(LINES):
        folder = tmp_path / str(number)
        furnish(folder)
        monkeypatch.chdir(folder)
        words = line(draw)
        if "-h" in words or "--help" in words:
            continue
        if problem := wrong(words, folder):
            found.append(f"{shlex.join(words)[:600]}\n    {problem[:600]}")
            if len(found) >= 20:
                break
    assert not found, "\n".join(found)


def test_the_generator_reaches_every_command_and_option() -> None:
    draw = random.Random(1)
    words = {word for _ in range(4000) for word in line(draw)}
    for _, command in COMMANDS:
        for param in command.params:
            assert (
                param.name in NEVER or isinstance(param, click.Argument) or words & {*param.opts, *param.secondary_opts}
            )

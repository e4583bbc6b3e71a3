"""Defaults of the look: an option comes before a variable, a variable before the config file, and both fail by name."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import convanim as ca
from convanim.cli.config import KEYS
from convanim.gallery import build
from convanim.look import COMMON
from support.commands import run

SMALL = ["conv", "--input", "4x4", "--kernel", "2"]
PAGE = (Path(ca.__file__).parent.parent / "docs/config.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without a config file, and no variables."""
    for name in KEYS:
        monkeypatch.delenv(f"CONVANIM_{name.upper()}", raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings() -> dict[str, tuple[Any, str]]:
    result = run("config", "--json")
    assert (result.code, result.err) == (0, "")
    rows = json.loads(result.out)["config"]
    return {row["name"]: (row["value"], row["source"]) for row in rows if row["source"] != "default"}


def size(*words: str) -> tuple[int, int]:
    result = run(*SMALL, "-o", "a.png", *words)
    assert result.code == 0, result.err
    with Image.open("a.png") as image:
        return image.size


def test_every_option_of_the_look_is_a_key_and_documented() -> None:
    assert set(COMMON) - set(KEYS) == {"select", "title", "animated", "as_", "tex"}
    for name in KEYS:
        assert f"`{name}`" in PAGE
        assert f"`CONVANIM_{name.upper()}`" in PAGE


def test_an_option_comes_before_a_variable_before_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size() == (1280, 720)
    Path("convanim.toml").write_text("width = 640\n")
    assert size() == (640, 360)
    monkeypatch.setenv("CONVANIM_WIDTH", "480")
    assert size() == (480, 270)
    assert size("--width", "320") == (320, 180)
    assert size("--height", "360") == (640, 360)  # not 480 x 360
    monkeypatch.setenv("CONVANIM_WIDTH", "")
    assert size() == (640, 360)


def test_the_nearest_file_of_the_repository_counts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "x"\n[tool.convanim]\ntheme = "print"\n')
    assert settings() == {"theme": ("print", "pyproject.toml, line 4")}
    monkeypatch.chdir(here / "deep/er")
    assert settings() == {"theme": ("print", "../../pyproject.toml, line 4")}
    Path("../pyproject.toml").write_text("[tool.ruff]\n# convanim\n")  # says nothing to this program
    assert settings() == {"theme": ("print", "../../pyproject.toml, line 4")}
    Path("../convanim.toml").write_text('lang = "de"\n')
    assert settings() == {"lang": ("de", "../convanim.toml, line 1")}
    Path(".git").write_text("gitdir: elsewhere")  # a worktree of its own ends the search
    assert settings() == {}
    Path(".git").unlink()
    (here / ".git").rmdir()  # and without a repository no parent is looked at
    assert settings() == {}


def test_a_variable_is_text_and_becomes_what_the_option_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"WIDTH": "640", "CAPTION": "no", "SECONDS_PER_STEP": "0.5", "MAX_SIZE": "1MB"}
    for name, text in given.items():
        monkeypatch.setenv(f"CONVANIM_{name}", text)
    values = {name: value for name, (value, _) in settings().items()}
    assert values == {"width": 640, "caption": False, "seconds_per_step": 0.5, "max_size": "1MB"}


WRONG = [
    ('them = "dark"', "'them' is not a key; did you mean theme?"),
    ('select = "last"', "'select' is not a key; use template, "),
    ("seconds-per-step = 1", "'seconds-per-step' is not a key; did you mean seconds_per_step?"),
    ('width = "640"', "width = '640' is not a whole number"),
    ("width = true", "width = True is not a whole number"),
    ("width = 1.5", "width = 1.5 is not a whole number"),
    ("width = 3", "width 3 is not between"),
    ("hold_last = nan", "hold last nan"),
    ("caption = 1", "caption = 1 is not true or false"),
    ("theme = 3", "theme = 3 is not a string"),
    ('theme = ["dark"]', "theme = ['dark'] is not a string"),
    ('theme = "drak"', "theme 'drak' is not known; did you mean dark?"),
    ('theme = "missing.toml"', "theme 'missing.toml' does not exist"),
    ('template = "slid"', "template 'slid' is not known; did you mean slide?"),
    ('layout = "isometrc"', "layout 'isometrc' is not known; did you mean isometric?"),
    ('lang = "xx"', "lang 'xx' is not known"),
    ('motion = "smoth"', "motion 'smoth'"),
    ('max_size = "1XB"', "max size '1XB' is not a size"),
    ('renderer = "agg"', "renderer 'agg' is not known"),
    ("plays = -1", "plays -1 is not between"),
]


@pytest.mark.parametrize(("line", "sentence"), WRONG)
def test_what_is_wrong_in_a_file_is_told_with_its_line(line: str, sentence: str) -> None:
    Path("convanim.toml").write_text(f"# ours\n\n{line}\n")
    for words in ([*SMALL, "-o", "a.gif"], ["config"]):
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert err.startswith(f"Error: convanim.toml, line 3: {sentence}")
        assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == [".git", "convanim.toml", "deep"]
    assert run("conv", "--help").code == run("formats").code == run("explain", *SMALL).code == 0


@pytest.mark.parametrize("name", ["convanim.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    "data", [b"tool.convanim.x = ", b"tool.convanim.x = '\xff'", b"tool.convanim = 3" + b"\nx = {" * 200]
)
def test_a_file_that_is_no_toml_is_told(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)
    code, _, err = run(*SMALL, "-o", "a.gif")
    assert code == 2
    assert err.startswith(f"Error: {name} is not TOML: ")


def test_a_table_that_is_none_is_told() -> None:
    Path("pyproject.toml").write_text("[tool]\nconvanim = 3\n")
    assert run(*SMALL, "-o", "a.gif").err.startswith("Error: pyproject.toml: tool.convanim is not a table; write ")


def test_a_wrong_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text, sentence in [
        ("WIDTH", "wide", "'wide' is not a whole number; set it to a whole number."),
        ("CAPTION", "maybe", "'maybe' is not true or false; set it to true or false."),
        ("THEME", "drak", "theme 'drak' is not known; did you mean dark?"),
    ]:
        with monkeypatch.context() as patched:
            patched.setenv(f"CONVANIM_{name}", text)
            code, out, err = run(*SMALL, "-o", "a.gif")
            assert (code, out, err) == (2, "", f"Error: CONVANIM_{name}: {sentence}\n")
    monkeypatch.setenv("CONVANIM_HOME", "someone else's")
    assert run(*SMALL, "-o", "a.txt").code == 0


# --- files: only those of the folder ---------------------------------------------------------------------------------


def test_nothing_outside_the_folder_is_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = here / "outside.toml"
    outside.write_text('theme = "print"\n')
    monkeypatch.chdir(here / "deep")
    (here / "deep/.git").mkdir()
    Path("link.toml").symlink_to(outside)
    for value in (str(outside), "../outside.toml", "link.toml", "er/../../outside.toml"):
        Path("convanim.toml").write_text(f"template = {json.dumps(value)}\n")
        code, _, err = run(*SMALL, "-o", "a.png")
        assert code == 2
        assert err.endswith(" is not in the folder of this file; put it there.\n")
    Path("convanim.toml").unlink()
    Path("convanim.toml").symlink_to(outside)
    assert "convanim.toml is a link to a file outside its folder" in run(*SMALL, "-o", "a.png").err
    Path("convanim.toml").unlink()
    Path("convanim.toml").symlink_to("convanim.toml")
    assert "Error: convanim.toml " in run(*SMALL, "-o", "a.png").err
    Path("convanim.toml").unlink()
    Path("convanim.toml").mkdir()
    assert "Error: convanim.toml cannot be read: " in run(*SMALL, "-o", "a.png").err


def test_a_file_is_named_from_the_folder_of_the_config_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "deep/ours.toml").write_text('about = "ours"\n[page]\nwidth = 500\nheight = 300\n')
    (here / "convanim.toml").write_text('template = "deep/ours.toml"\n')
    for folder in (".", "deep", "deep/er"):
        monkeypatch.chdir(here / folder)
        assert size() == (500, 300)


# --- what a file cannot have is left out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("dpi = 200", "a.gif"),
        ('text = "editable"', "a.png"),
        ('renderer = "raster"', "a.svg"),
        ('renderer = "matplotlib"', "a.txt"),
        ("max_size = 100", "a.json"),
        ('theme = "auto"', "a.txt"),
        ('theme = "auto"', "a-%03d.png"),
    ],
)
def test_a_default_that_a_file_cannot_have_is_left_out(line: str, output: str) -> None:
    Path("convanim.toml").write_text(line)
    code, _, err = run(*SMALL, "-o", output)
    assert (code, err) == (0, "")
    name, _, value = line.partition(" = ")
    code, _, err = run(*SMALL, "-o", output, f"--{name.replace('_', '-')}", value.strip('"'))
    assert code == 2  # the same option is refused


def test_a_layout_is_taken_where_it_suits() -> None:
    Path("convanim.toml").write_text('layout = "isometric"\nwidth = 640\n')
    assert run(*SMALL, "-o", "a.png").code == 0
    assert run(*SMALL, "-o", "b.png", "--layout", "isometric").code == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    code, _, err = run("shuffle", "--input", "4x2x2", "-o", "c.png")
    assert (code, err) == (0, "")
    assert run("shuffle", "--input", "4x2x2", "-o", "c.png", "--layout", "isometric").code == 2


def test_the_command_in_a_file_makes_it_again_without_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("convanim.toml").write_text('theme = "dark"\nwidth = 480\ntext = "editable"\ncaption = false\n')
    monkeypatch.setenv("CONVANIM_MOTION", "smooth")
    assert run(*SMALL, "-o", "a.gif").code == 0
    words = re.search(r"convanim (.*?)\. Made with", Path("a.gif").read_bytes().decode("latin-1"))
    assert words
    Path("convanim.toml").unlink()
    monkeypatch.delenv("CONVANIM_MOTION")
    assert run(*shlex.split(words[1]), "-o", "b.gif").code == 0
    assert Path("a.gif").read_bytes() == Path("b.gif").read_bytes()


def test_galleries_and_python_do_not_depend_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("gallery").mkdir()
    Path("gallery/small.toml").write_text('layer = "Conv(2)"\ninput = "3x3"\nwidth = 480\nformats = ["png"]')
    trace = ca.Conv(2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]])
    made = []
    for _ in range(2):
        build("gallery", jobs=1, force=True)
        made.append([Path("gallery/small.png").read_bytes(), trace.animate().still()])
        assert run("gallery", "check", "--jobs", "1", "--quiet").code == 0
        Path("gallery/small.png").unlink()
        Path("convanim.toml").write_text('theme = "dark"\nnonsense = 1\n')
        monkeypatch.setenv("CONVANIM_THEME", "drak")
    assert made[0] == made[1]


def test_completion_is_not_disturbed_by_a_wrong_file(here: Path) -> None:
    Path("convanim.toml").write_text("nonsense = 1\n")
    code = "import os; from convanim.cli.commands import main; main()"
    words = {"_CONVANIM_COMPLETE": "bash_complete", "COMP_WORDS": "convanim conv --theme d", "COMP_CWORD": "3"}
    root = str(Path(ca.__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **words, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
        cwd=here,
    )
    assert (ran.stdout, ran.stderr) == ("plain,dark\n", "")

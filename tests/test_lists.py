"""The commands that list formats, themes, templates and views name exactly what the options accept."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from convanim.commands import COMMANDS
from convanim.draw.theme import AUTO, themes
from convanim.draw.theme import templates as folder
from convanim.template import templates
from convanim.write.formats import FORMATS
from support.commands import SMALL, run
from test_facts import PAGE, keys

NAMES = {"formats": [*FORMATS], "themes": [*themes(), AUTO], "templates": templates()}


def listed(command: str) -> list[dict[str, Any]]:
    result = run(command, "--json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)[command]  # type: ignore[no-any-return]


@pytest.mark.parametrize("command", ["formats", "themes", "templates", "views"])
def test_each_has_a_name_and_a_sentence(command: str) -> None:
    rows = listed(command)
    if command in NAMES:
        assert [row["name"] for row in rows if not row.get("file")] == NAMES[command]
    text = run(command).out.splitlines()
    assert len(text) == len(rows)
    for row, line in zip(rows, text, strict=True):
        assert row["about"][:1].isupper()
        assert row["about"].endswith(".")
        assert row["name"] in line.split()
        assert row["about"] in line
    assert all(f"`{key}`" in PAGE for key in keys(rows))


def test_the_views_are_those_of_each_command() -> None:
    rows, views = listed("views"), {kind: tuple(made.views) for kind, made in COMMANDS.items()}
    assert {kind: tuple(row["name"] for row in rows if row["layer"] == kind) for kind in COMMANDS} == views
    assert [row["name"] for row in rows if row["default"]] == [
        views[kind][0] for kind in dict.fromkeys(row["layer"] for row in rows)
    ]


def test_files_of_the_current_folder_are_listed_where_the_option_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = (folder() / "themes/dark.toml").read_text().replace("# Dark: the same", "# Corporate colours on the same", 1)
    Path("corporate.toml").write_text(own)
    Path("handout.toml").write_text('extends = "paper"\nabout = "our handout"\ntheme = "corporate.toml"\n')
    Path("evil.toml").write_text('about = "\\u001b[31mred"\n')
    for name, text in {
        "convanim": 'theme = "dark"',
        "pyproject": "",
        "empty": "",
        "broken": "= 1",
        "entry": 'layer = "Conv(2)"',
    }.items():
        Path(f"{name}.toml").write_text(text)
    Path("latin.toml").write_bytes(b'about = "\xff"')
    Path("folder.toml").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.toml")
    Path("link.toml").symlink_to("nowhere")
    own_ones = {command: [row["name"] for row in listed(command) if row["file"]] for command in ("themes", "templates")}
    assert own_ones == {"themes": ["corporate.toml"], "templates": ["evil.toml", "handout.toml"]}
    assert (
        "corporate.toml  Corporate colours on the same hues on a near-black page, with light text.\n"
        in run("themes").out
    )
    assert "handout.toml  Our handout.\n" in run("templates").out
    assert "\x1b" not in run("templates").out
    for option, name in (("--theme", "corporate.toml"), ("--template", "handout.toml")):
        assert run(*SMALL, option, name, "-o", "a.png").code == 0
    shutil.rmtree("folder.toml")


def test_a_folder_that_is_gone_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert [row["name"] for row in listed("themes")] == NAMES["themes"]
    monkeypatch.chdir(tmp_path)

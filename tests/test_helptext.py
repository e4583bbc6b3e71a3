"""Help in sections, and completion in a shell."""

import re

import click
import pytest
from click.shell_completion import BashComplete

from convanim.cli import helptext
from convanim.cli.commands import main
from convanim.cli.options import LAYERS


def told(*words: str) -> str:
    command: click.Command = main
    context = click.Context(main, info_name="convanim")
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
        context = click.Context(command, info_name=word, parent=context)
    return command.get_help(context)


@pytest.mark.parametrize("kind", [*LAYERS, "layer"])
def test_options_stand_in_sections_with_the_required_ones_first(kind: str) -> None:
    text = told(kind)
    assert re.findall(r"^(\w+):$", text, re.M)[:4] == ["Layer", "Picture", "Pace", "File"]
    shown = re.findall(r"^  (-[^\s,]+)", text[text.index("Layer:") :], re.M)
    assert shown[0] == "--input"
    assert len(shown) == len(set(shown))
    assert "[required]" in text.split("Layer:")[1].split("--fill")[0]


@pytest.mark.parametrize("kind", [*LAYERS, "layer"])
def test_every_option_that_a_drawing_has_belongs_to_a_section(kind: str) -> None:
    known = {name for names in helptext.SECTIONS.values() for name in names}
    command = main.commands[kind]
    options = {option.name for option in command.params if isinstance(option, click.Option) and not option.hidden}
    assert options - known == {"quiet", "open_it"}


def test_a_command_of_few_options_has_one_list() -> None:
    assert "Options:" in told("solve")
    assert "Layer:" not in told("solve")


@pytest.mark.parametrize(
    ("typed", "begun", "offered"),
    [
        (["conv", "--theme"], "so", ["solarized"]),
        (["conv", "--view"], "", ["sliding", "matrix", "overlap", "receptive", "backward"]),
        (["transposed", "--template"], "sl", ["slide"]),
        (["pool", "--layout"], "iso", ["isometric"]),
        (["conv", "--lang"], "d", ["de"]),
        (["conv", "--motion"], "sm", ["smooth"]),
    ],
)
def test_a_shell_completes_names(typed: list[str], begun: str, offered: list[str]) -> None:
    shell = BashComplete(main, {}, "convanim", "_CONVANIM_COMPLETE")
    assert [item.value for item in shell.get_completions(typed, begun)] == offered


@pytest.mark.parametrize("typed", [["conv", "--input"], ["conv", "-o"], ["conv", "--theme"]])
def test_a_shell_completes_files(typed: list[str]) -> None:
    (item,) = BashComplete(main, {}, "convanim", "_CONVANIM_COMPLETE").get_completions(typed, "./mi")
    assert (item.type, item.value) == ("file", "./mi")

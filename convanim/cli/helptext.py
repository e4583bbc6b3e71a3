"""The layout of the help, in sections with required options first, and the completion of words in a shell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

from convanim.commands import COMMANDS, NOTATION
from convanim.commands.shared import INPUT
from convanim.look import OPTIONS

#: The options that distinguish layers, before those of every input.
_ALL = [one.name for one in INPUT]
_LAYERS = (*(made.arguments for made in COMMANDS.values()), NOTATION)
_OWN = dict.fromkeys(one.name for options in _LAYERS for one in options if one.name not in _ALL)
#: The options of each section of the help, by click's names; those of no section come last.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Layer": ("x", *_OWN, *_ALL[1:]),
    "Picture": (),
    "Pace": (),
    "File": ("output", "format", "sheet"),
}
for _name, _option in OPTIONS.items():
    if _option.section:
        SECTIONS[_option.section] += ("backward", _name) if _name == "grad" else (_name,)
_SECTION = {name: (section, place) for section, names in SECTIONS.items() for place, name in enumerate(names)}


class Command(click.Command):
    """A command whose help has its options in sections, unless there are few options or one section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, each with its required options first."""
        found: dict[str, list[tuple[bool, int, tuple[str, str]]]]
        found = {section: [] for section in (*SECTIONS, "Other options")}
        for option in self.get_params(ctx):
            if record := option.get_help_record(ctx):
                section, place = _SECTION.get(option.name or "", ("Other options", 0))
                found[section].append((not option.required, place, record))
        there = {section: records for section, records in found.items() if records}
        if sum(map(len, there.values())) < 10 or len(there) < 3:
            super().format_options(ctx, formatter)
            return
        for section, records in there.items():
            with formatter.section(section):
                formatter.write_dl([record for *_, record in sorted(records, key=lambda one: one[:2])])


def offering(find: Callable[[], Iterable[str]], *, files: bool = False) -> Callable[..., list[CompletionItem]]:
    """The completion of an option's value.

    Args:
        find: returns the names, called on completion only.
        files: whether the value may also be a file.
    """

    def offer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name) for name in find() if name.startswith(incomplete)]
        return names if names or not files else [CompletionItem(incomplete, type="file")]

    return offer


def files() -> Callable[..., list[CompletionItem]]:
    """The completion of file names."""
    return offering(list[Any], files=True)


@add_completion_class
class PowerShell(ShellComplete):
    """Completion in PowerShell, which click lacks. Where it offers nothing, PowerShell itself completes file names."""

    name = "powershell"
    # One word a line, as PowerShell has split them: a command line split again would lose the backslashes of paths.
    source_template = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $cursor)
    $env:COMP_WORDS = ($line.CommandElements | ForEach-Object { $_.ToString() }) -join "`n"
    $env:COMP_CWORD = $line.CommandElements.Count - [int]($word -ne '')
    $env:%(complete_var)s = 'powershell_complete'
    try { %(prog_name)s | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) } }
    finally { Remove-Item Env:COMP_WORDS, Env:COMP_CWORD, Env:%(complete_var)s }
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and what there is of that."""
        words, place = os.environ["COMP_WORDS"].splitlines(), int(os.environ["COMP_CWORD"])
        return words[1:place], "".join(words[place : place + 1])

    def complete(self) -> str:
        """The offered words, one a line."""
        offered = self.get_completions(*self.get_completion_args())
        return "\n".join(item.value for item in offered if item.type == "plain")

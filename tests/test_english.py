"""Texts for users are whole sentences with the field's nouns: pages, help, messages and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from convanim.cli.commands import main
from support.commands import commands

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
#: Phrases that are not English, and replacements.
TELEGRAPHIC = {
    r"\b(one|ints?|numbers?|pages?|products?|pairs?|rows?|columns?|processes|frames)( \([^)]*\) pair)?"
    r" an? (axis|axes|channel|cell|group|operation|step|page|tap|core|worker|entry)\b": "per",
    r"\bat the least\b": "at least",
    r"\b(is|are) no (known|key|layer|format|argument|number|text|file|picture|whole|multiple)\b": "is not a",
    r"(^|[.|(] ?)Likewise\b": "repeat what is meant",
    r"(^|[.:] )Of the\b": "name the noun first",
    r"\bhas not the\b": "does not have the",
    r"\bevery kind of eye\b": "colour-blind safe",
    r"\btold apart by\b": "distinguishable",
    r"\bBegin an entry\b": "create",
    r"\bhere are others\b": "say what is needed",
    r", happening\b": "say what the program does",
    r"\b(for ever|in so many)\b": "forever; in this many",
    r"\bunless told\b": "by default",
    r"\bwithout a choice\b": "by default",
    r"\bat the most\b": "at most",
    r"\bso many (px|cells|columns|dots|axes|bytes|numbers|channels)\b": "name the number",
    r"\bsomebody\b": "the user, or the passive",
    r"\bof ours\b": "built-in",
    r"\b(told|tells?( (it|them|those|these))?) apart\b": "distinguish",
    r"\bmade anew\b": "rebuilt, updated",
    r"\bnot understood\b": "not supported",
    r"\bis there already\b": "already exists",
    r"\b(make room|is cut short|is another program)\b": "free disk space; is truncated; runs another version",
    r"\ba file of your own\b": "your own file",
    r"\bnever run\b": "never executed",
    r"(\[default:|;) of (a|the)\b": "name the noun first",
    r"\bgives up what it must\b": "say what is reduced",
    r"(^|[.:] )Whose\b": "name the noun first",
    r"\bleaves? open\b": "say what is decided",
    r"\bwhat only an? \w+ needs\b": "the options of ...",
}


def faults(text: str) -> list[str]:
    """The telegraphic phrases of a text, each with a hint."""
    text = re.sub(r"[ \n]+", " ", text)
    return [f"{found[0]!r} ({hint})" for form, hint in TELEGRAPHIC.items() for found in re.finditer(form, text)]


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a module, except texts on the page, which are keys of the languages' catalogues."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    on_page = {id(a) for n in calls if n.func.id in ("say", "plural") for a in ast.walk(n)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in on_page:
            yield node.lineno, node.value


@pytest.mark.parametrize(
    "text",
    [
        *("one int an axis", "'x' is no known format", "Likewise. One number is a square kernel.", "Of the file"),
        *("[default: range; of a kernel over colours, a mean]", "Of the words on the page.", "A page an operation"),
        *("A GIF gives up what it must for it.", "Whose rules decide what the options leave open"),
        *("told apart by every kind of eye", "Begin an entry of a gallery.", "which has 5,000 bytes at the least"),
        *("layout 'isometric' joins two planes, and here are others", "Convolution arithmetic, happening."),
        "what only a picture needs changes nothing",
    ],
)
def test_a_telegraphic_turn_is_found(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages(page: Path) -> None:
    assert not faults(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("words", "command"), [*commands(main, ("convanim",))], ids=str)
def test_help(words: tuple[str, ...], command: click.Command) -> None:
    assert not faults(command.get_help(click.Context(command, info_name=" ".join(words))))


def test_messages_and_docstrings() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}": wrong
        for path in sorted((ROOT / "convanim").rglob("*.py"))
        for line, text in messages(path)
        if (wrong := faults(text))
    }
    assert not found

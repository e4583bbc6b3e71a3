"""Checks the documentation: relative links and pictures exist, and every example and command gives what the page says.

Only files of the project are read, so it needs no network.

    python docs/check.py
"""

import ast
import contextlib
import doctest
import functools
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from convanim.gallery import read_folder
from convanim.gallery.description import command

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,}).*\n(?P<body>(?:.*\n)*?)(?P=indent)(?P=mark) *$", re.M)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
LINKS = [
    re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'(][^)]*)?\)"),  # [text](target "title"), ![picture](target)
    re.compile(r"^ {0,3}\[[^\]^]+\]:\s*<?(\S+?)>?(?:\s|$)", re.M),  # [name]: target
    re.compile(r"<(?:img|a|source|video)\b[^>]*?\b(?:src|srcset|href)=[\"']([^\"' ]+)", re.I),
]
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.I)


def anchors(text: str) -> set[str]:
    """Return the link targets of a page's headings: lower case, words joined by hyphens."""
    titles = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Name each relative link of a page whose file or heading does not exist."""
    prose = CODE.sub("", FENCE.sub("", text))
    for target in (found for link in LINKS for found in link.findall(prose) if not ELSEWHERE.match(found)):
        name, _, anchor = unquote(target).partition("#")
        file = (ROOT / name.lstrip("/") if name.startswith("/") else page.parent / name) if name else page
        if not file.exists():
            yield f"{page.relative_to(ROOT)}: {target} does not exist"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page.relative_to(ROOT)}: {target} names no heading of {file.name}"


@functools.cache
def gallery_commands() -> list[list[str]]:
    """Return the words of each command that makes a picture of the gallery, with sorted options."""
    folder = read_folder(ROOT / "gallery")
    lines = [command(name, entry, kind) for name, entry in folder.entries.items() for kind in entry.formats]
    return [sorted(shlex.split(line)) for line in lines]


def missing(code: str) -> list[str]:
    """The packages that a Python block imports and that are not installed, such as a framework."""
    tree = ast.parse(code)
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names = plain + [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return sorted({name.partition(".")[0] for name in names if not find_spec(name.partition(".")[0])})


def commands(page: Path, text: str, left_out: set[str]) -> Iterator[str]:
    """Report untrue shell commands of a page.

    A block that begins with `$ convanim` shows the output of the command, and a Python block runs; any other `convanim`
    command with a file must be one of those that make the gallery's pictures. The packages without which a block cannot
    run are added to `left_out`.
    """
    known = gallery_commands()
    name = page.relative_to(ROOT)
    for fence in FENCE.finditer(text):
        shown = textwrap.dedent(fence["body"])
        if shown.startswith("$ convanim "):
            command, _, printed = shown.removeprefix("$ ").partition("\n")
            words = [sys.executable, "-m", *shlex.split(command)]
            if subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT).stdout != printed:
                yield f"{name}: {command} prints something else"
        if fence[0].lstrip(" `~").startswith("python") and not shown.startswith(">>>"):
            if needed := missing(shown):
                left_out.update(needed)
                continue
            with tempfile.TemporaryDirectory() as scratch:  # commands may write files
                words = [sys.executable, "-c", shown]
                ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=scratch)
            if ran.returncode:
                last = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
                yield f"{name}: the Python example fails: {last}"
    for line in re.findall(r"^    (?:.* && )?(convanim .* -o .*)$", text, re.M):
        if page.name == "README.md" and sorted(shlex.split(line)) not in known:
            yield f"{name}: {line} is not among the gallery's commands"


def failed_examples(page: Path, text: str, scratch: str) -> tuple[int, int]:
    """Run a page's fenced blocks that start with >>>, in order, as one session; return how many failed and ran."""
    runner, names = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE), {}
    for fence in FENCE.finditer(text):
        body = textwrap.dedent(fence["body"])
        if body.lstrip().startswith(">>>"):
            line = text.count("\n", 0, fence.start("body"))
            test = doctest.DocTestParser().get_doctest(body, names, page.name, str(page.relative_to(ROOT)), line)
            with contextlib.chdir(scratch):  # examples may write files
                runner.run(test, clear_globs=False)
            names = test.globs
    return runner.failures, runner.tries


def main() -> int:
    """Check every page, and return the exit code."""
    problems, failed, ran, left_out = [], 0, 0, set()
    with tempfile.TemporaryDirectory() as scratch:
        for page in PAGES:
            text = page.read_text(encoding="utf-8") if page.exists() else ""
            if not text:
                problems.append(f"{page.relative_to(ROOT)} is missing or empty")
            problems += [*broken_links(page, text), *commands(page, text, left_out)]
            page_failed, page_ran = failed_examples(page, text, scratch)
            failed, ran = failed + page_failed, ran + page_ran
    if left_out:
        print(f"not run are the Python blocks that need {', '.join(sorted(left_out))}")
    print(*problems, f"{len(PAGES)} pages, {len(problems)} problems, {ran} examples, {failed} failed", sep="\n")
    return 1 if problems or failed else 0


if __name__ == "__main__":
    sys.exit(main())

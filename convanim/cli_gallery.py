"""Many animations for a person at a shell: `convanim gallery` and `convanim new`.

Knows options and what is printed. Everything else is the gallery's.
"""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from convanim.errors import ConvanimError
from convanim.shell import fail, say

FOLDER = click.option("--folder", default="gallery", show_default=True, metavar="FOLDER", help="Of the descriptions.")
JOBS = click.option("--jobs", type=int, metavar="N", help="Processes.  [default: one a core]")
ELSEWHERE = click.option("--executor", metavar="WHERE", help="Where the work is done: dask:HOST:PORT for a cluster.")
QUIET = click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
PATTERNS = click.argument("patterns", nargs=-1, metavar="[NAME]...")


@click.group()
def gallery() -> None:
    """Make and check a folder of animations, each from a small description."""


@gallery.command(name="build", short_help="Make what is stale.")
@PATTERNS
@FOLDER
@JOBS
@ELSEWHERE
@click.option("--force", is_flag=True, help="Replace outputs that were edited by hand.")
@click.option("--prune", is_flag=True, help="Remove outputs that no description makes any more.")
@click.option("--watch", is_flag=True, help="Build again when a description changes, until Ctrl-C.")
@QUIET
def build_command(watch: bool, quiet: bool, **typed: Any) -> None:
    """Make what is stale in a gallery, all of it or the entries that NAMEs with * stand for.

    An entry that fails stops no other; exit code 1 then.

    \b
    convanim gallery build
    convanim gallery build 'conv_*' --jobs 2
    """
    try:
        if watch:
            from convanim.gallery.watching import Watch

            seen = Watch(Path(typed["folder"]))
            _build(quiet=quiet, **typed)
            for _ in seen.changes():
                try:
                    _build(quiet=quiet, **typed)
                except ConvanimError as error:  # a gallery.toml that is half typed, say
                    click.echo(f"Error: {error}", err=True)
        elif _build(quiet=quiet, **typed):
            sys.exit(1)
    except KeyboardInterrupt:
        fail("interrupted; what was made is kept.", 130)


def _build(
    patterns: tuple[str, ...], folder: str, jobs: int | None, executor: str | None, quiet: bool, **how: bool
) -> bool:
    from convanim.gallery import build

    start = time.perf_counter()
    with _executor(executor) as elsewhere, _Bar(quiet=quiet) as bar:
        report = build(folder, patterns, executor=elsewhere, jobs=jobs, progress=bar, **how)
    for sentence in dict.fromkeys(report.failed.values()):  # what is wrong in a base is wrong in many
        click.echo(f"Error: {sentence}", err=True)
    for file in report.removed:
        _tell(f"{file} removed: no description makes it any more", quiet=quiet)
    if report.orphaned:
        click.echo(f"{', '.join(report.orphaned)}: no description makes them any more; --prune removes them.", err=True)
    kept = len(report.kept) + len(report.same)
    told = f"{len(report.made)} made, {kept} as they were, {len(report.failed)} failed"
    _tell(f"{folder}: {told}, {time.perf_counter() - start:.1f} s", quiet=quiet)
    return bool(report.failed)


@gallery.command(name="check", short_help="Tell what is stale, missing or different.")
@PATTERNS
@FOLDER
@JOBS
@ELSEWHERE
@click.option("--quick", is_flag=True, help="Compare digests alone; make nothing.")
@QUIET
def check_command(
    patterns: tuple[str, ...], folder: str, jobs: int | None, executor: str | None, quick: bool, quiet: bool
) -> None:
    """Compare a gallery with what its descriptions give now; exit code 1 and a table where they differ.

    It says of each difference whether the arithmetic changed, the picture, or only the file's bytes.
    """
    from convanim.gallery import check

    with _executor(executor) as elsewhere, _Bar(quiet=quiet) as bar:
        found = check(folder, patterns, executor=elsewhere, jobs=jobs, quick=quick, progress=bar)
    if not found:
        _tell(f"{folder}: every file is what its description gives", quiet=quiet)
        return
    wide = [max(len(row[i]) for row in found) for i in (0, 1)]
    for row in found:
        click.echo(f"{row.name:<{wide[0]}}  {row.kind:<{wide[1]}}  {row.told}")
    sys.exit(1)


@gallery.command(name="diff", short_help="Old and new frames side by side.")
@click.argument("name")
@FOLDER
@click.option("--old", metavar="FILE", help="Instead of the gallery's own file.")
@click.option("-o", "--output", metavar="FILE", help="The page.  [default: NAME-diff.html]")
@QUIET
def diff_command(name: str, folder: str, old: str | None, output: str | None, quiet: bool) -> None:
    """Write a page that shows the frames of NAME as they are in the gallery beside those that it gives now."""
    from convanim.gallery.sidebyside import diff

    target = Path(output or f"{name}-diff.html")
    _tell(diff(folder, name, target, old=old), quiet=quiet)


@click.command(name="new", short_help="Begin an entry of a gallery.")
@click.argument("name")
@click.option("--from", "layer", required=True, metavar="LAYER", help="A notation, or a line of a framework.")
@click.option("--input", "x", default="5x5", show_default=True, metavar="ARRAY", help="As for convanim layer.")
@FOLDER
@QUIET
def new(name: str, layer: str, x: str, folder: str, quiet: bool) -> None:
    """Write the description of a new entry, NAME.toml, into a gallery, which is made where there is none.

    Files are named from the gallery's root, as in its descriptions.

    \b
    convanim new up --from 'ConvTranspose(3, stride=2)' --input 3x3
    """
    from convanim.gallery.beginning import begin

    path = begin(folder, name, layer, x)
    what = "entries that extend it take its keys" if name.startswith("_") else None
    there = "" if folder == "gallery" else f" --folder {shlex.quote(folder)}"
    _tell(f"{path} written; {what or f'convanim gallery build {name}{there} makes its files'}", quiet=quiet)


def _tell(line: str, *, quiet: bool) -> None:
    if not quiet:
        say(line, err=False)


def _executor(where: str | None) -> Any:
    """The executor that is meant; the usual one for none."""
    if where is None:
        return nullcontext(None)
    kind, _, address = where.partition(":")
    if kind != "dask" or not address:
        raise ConvanimError(f"executor {where!r} is not known", "use dask:HOST:PORT, or leave it out for processes")
    from convanim.gallery.remote import dask

    return dask(address)


class _Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> _Bar:
        return self

    def __call__(self, done: int, total: int) -> None:
        if not self._wanted:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label="entries", file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

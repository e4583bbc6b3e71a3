"""The commands `convanim gallery` and `convanim new`; the work is done by the package `convanim.gallery`."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from convanim.cli.options import JSON
from convanim.cli.shell import Command, Layers, fail, print_json, progress_bar, say
from convanim.errors import ConvanimError

FOLDER = click.option(
    "--folder", default="gallery", show_default=True, metavar="FOLDER", help="Folder of the descriptions."
)
JOBS = click.option("--jobs", type=int, metavar="N", help="Number of processes.  [default: one per core]")
ELSEWHERE = click.option("--executor", metavar="WHERE", help="Build on a Dask cluster: dask:HOST:PORT.")
QUIET = click.option("--quiet", is_flag=True, help="Print nothing except errors.")
PATTERNS = click.argument("patterns", nargs=-1, metavar="[NAME]...")


@click.group(cls=Layers)
def gallery() -> None:
    """Build and check a folder of animations from their descriptions."""


@gallery.command(name="build", short_help="Build the entries that are out of date.")
@PATTERNS
@FOLDER
@JOBS
@ELSEWHERE
@click.option("--force", is_flag=True, help="Replace outputs that were edited by hand.")
@click.option("--prune", is_flag=True, help="Remove outputs that no longer have a description.")
@click.option("--watch", is_flag=True, help="Build again whenever a description changes; stop with Ctrl-C.")
@QUIET
def build_command(watch: bool, quiet: bool, **typed: Any) -> None:
    """Build the entries of a gallery that are out of date: all of them, or those that match a NAME, such as 'conv_*'.

    If an entry fails, the others are still built, and the exit code is 1.

    \b
    convanim gallery build
    convanim gallery build 'conv_*' --jobs 2
    """
    try:
        if watch:
            from convanim.gallery.folder import Watch

            seen = Watch(Path(typed["folder"]))
            _build(quiet=quiet, **typed)
            for _ in seen.changes():
                try:
                    _build(quiet=quiet, **typed)
                except ConvanimError as error:  # a half-written gallery.toml, for example
                    click.echo(f"Error: {error}", err=True)
        elif _build(quiet=quiet, **typed):
            sys.exit(1)
    except KeyboardInterrupt:
        fail("interrupted; finished files are kept.", 130)


def _build(
    patterns: tuple[str, ...], folder: str, jobs: int | None, executor: str | None, quiet: bool, **how: bool
) -> bool:
    from convanim.gallery import build

    start = time.perf_counter()
    with _executor(executor) as elsewhere, progress_bar("entries", quiet=quiet) as bar:
        report = build(folder, patterns, executor=elsewhere, jobs=jobs, progress=bar, **how)
    for sentence in dict.fromkeys(report.failed.values()):  # an error in a base affects many entries
        click.echo(f"Error: {sentence}", err=True)
    for file in report.removed:
        _tell(f"{file} removed, as it no longer has a description", quiet=quiet)
    if report.orphaned:
        click.echo(f"{', '.join(report.orphaned)}: no longer described; --prune removes these files.", err=True)
    kept = len(report.kept) + len(report.same)
    told = f"{len(report.made)} made, {kept} unchanged, {len(report.failed)} failed"
    _tell(f"{folder}: {told}, {time.perf_counter() - start:.1f} s", quiet=quiet)
    return bool(report.failed)


@gallery.command(name="check", short_help="Report files that are stale, missing or different.")
@PATTERNS
@FOLDER
@JOBS
@ELSEWHERE
@click.option("--quick", is_flag=True, help="Compare digests only; do not make any file.")
@JSON
@QUIET
def check_command(
    patterns: tuple[str, ...],
    folder: str,
    jobs: int | None,
    executor: str | None,
    quick: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare the files of a gallery with what their descriptions give now.

    Prints a table of the differences: whether the arithmetic, the picture, or only the bytes of a file changed. The
    exit code is 1 if there are any.
    """
    from convanim.gallery import check

    with _executor(executor) as elsewhere, progress_bar("entries", quiet=quiet) as bar:
        found = check(folder, patterns, executor=elsewhere, jobs=jobs, quick=quick, progress=bar)
    if as_json:
        print_json({"folder": folder, "findings": [row._asdict() for row in found]})
        sys.exit(1 if found else 0)
    if not found:
        _tell(f"{folder}: every file matches its description", quiet=quiet)
        return
    wide = [max(len(row[i]) for row in found) for i in (0, 1)]
    for row in found:
        click.echo(f"{row.name:<{wide[0]}}  {row.kind:<{wide[1]}}  {row.told}")
    sys.exit(1)


@gallery.command(name="diff", short_help="Show old and new frames side by side.")
@click.argument("name")
@FOLDER
@click.option("--old", metavar="FILE", help="Old file to compare with.  [default: the file in the gallery]")
@click.option("-o", "--output", metavar="FILE", help="HTML page to write.  [default: NAME-diff.html]")
@QUIET
def diff_command(name: str, folder: str, old: str | None, output: str | None, quiet: bool) -> None:
    """Write an HTML page with the old and the new frames of the entry NAME side by side."""
    from convanim.gallery.sidebyside import diff

    target = Path(output or f"{name}-diff.html")
    _tell(diff(folder, name, target, old=old), quiet=quiet)


@click.command(name="new", cls=Command, short_help="Create a gallery entry.")
@click.argument("name")
@click.option(
    "--from", "layer", required=True, metavar="LAYER", help="Layer in convanim's notation or a line of a framework."
)
@click.option(
    "--input", "x", default="5x5", show_default=True, metavar="ARRAY", help="Input, given as for `convanim layer`."
)
@FOLDER
@QUIET
def new(name: str, layer: str, x: str, folder: str, quiet: bool) -> None:
    """Create a gallery entry: write its description, NAME.toml, and create the folder if it does not exist.

    File names are relative to the root of the gallery, as in all descriptions.

    \b
    convanim new up --from 'ConvTranspose(3, stride=2)' --input 3x3
    """
    from convanim.gallery.beginning import begin

    path = begin(folder, name, layer, x)
    what = "entries that extend it inherit its keys" if name.startswith("_") else None
    there = "" if folder == "gallery" else f" --folder {shlex.quote(folder)}"
    _tell(f"{path} written; {what or f'convanim gallery build {name}{there} makes its files'}", quiet=quiet)


def _tell(line: str, *, quiet: bool) -> None:
    if not quiet:
        say(line, err=False)


def _executor(where: str | None) -> Any:
    """The requested executor; by default the gallery starts processes."""
    if where is None:
        return nullcontext(None)
    kind, _, address = where.partition(":")
    if kind != "dask" or not address:
        raise ConvanimError(
            f"`executor` {where!r} is not known", "use dask:HOST:PORT, or leave it out to use processes"
        )
    from convanim.gallery.runner import dask

    return dask(address)

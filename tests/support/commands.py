"""Commands as a person types them, run in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click
import pytest

from convanim.cli.commands import main

SMALL = ["conv", "--input", "5x5", "--kernel", "3x3", "--width", "640"]


class Run(NamedTuple):
    """How a command ended: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def run(*arguments: object, stdin: Any = b"") -> Run:
    """Run a command, with bytes or a binary stream as its standard input."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", write_through=True) for _ in range(2)]
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin)
    try:
        with (
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
            pytest.raises(SystemExit) as stop,
        ):
            main([str(a) for a in arguments])
    finally:
        sys.stdin = before
    out, err = (s.buffer.getvalue().decode("utf-8", "surrogateescape") for s in streams)  # type: ignore[attr-defined]
    return Run(int(stop.value.code or 0), out, err)


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group with the words that name it, from the outside in."""
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))

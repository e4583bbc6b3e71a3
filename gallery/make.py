"""Make the pictures of the README from the commands beside this file, or check that they are what the commands make.

python gallery/make.py [--check]
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path

from convanim.cli import main

HERE = Path(__file__).resolve().parent


def make(line: str, folder: Path) -> Path:
    """Run one command of the list, with its file in a folder; the file."""
    words = shlex.split(line)[1:]
    at = words.index("-o") + 1
    target = folder / words[at]
    words[at] = str(target)
    try:
        main([*words, "--quiet"])
    except SystemExit as stop:
        if stop.code:
            raise
    return target


def run(*, check: bool) -> int:
    """Make or check every picture; the number of those that differ."""
    os.chdir(HERE.parent)  # the commands name their files as seen from the project
    lines = [line for line in (HERE / "commands.txt").read_text("utf-8").splitlines() if line.startswith("convanim ")]
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for line in lines:
            made = make(line, Path(scratch) if check else HERE)
            kept = HERE / made.name
            if check and (not kept.exists() or kept.read_bytes() != made.read_bytes()):
                wrong.append(f"{made.name} is not what its command makes: {line}")
    print("\n".join(wrong) if wrong else f"{len(lines)} pictures are {'what their commands make' if check else 'made'}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(1 if run(check="--check" in sys.argv[1:]) else 0)

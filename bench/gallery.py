"""Measures the time of a gallery's build: in one process, in two, and again without changes.

Only ratios within one run can be compared. The exit code is 1 if a promise is not kept.

Usage: python bench/gallery.py [--entries N] [--dask HOST:PORT]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENTRY = 'layer = "ConvTranspose({k}, stride={s}, padding={p})"\ninput = "{i}x{i}"\nwidth = 480\ntags = ["sweep"]\n'


def sweep(folder: Path, count: int) -> Path:
    """Write descriptions of transposed convolutions of many sizes."""
    folder.mkdir()
    made = 0
    while made < count:
        for i in range(2, 6):
            for k in range(2, 6):
                for s in range(1, 4):
                    for p in range(min(k, 2)):
                        if made < count and (i - 1) * s + k > 2 * p:
                            text = ENTRY.format(i=i, k=k, s=s, p=p)
                            (folder / f"i{i}k{k}s{s}p{p}-{made:05}.toml").write_text(text)
                            made += 1
    return folder


def build(folder: Path, *words: str) -> float:
    """The seconds of a build, including the program's start."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--folder", str(folder), "--quiet", *words]
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - start


def main() -> int:
    """Print the table, and return the exit code."""
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=200)
    options.add_argument("--dask")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        one = sweep(Path(scratch) / "one", given.entries)
        two = sweep(Path(scratch) / "two", given.entries)
        first, second = build(one, "--jobs", "1"), build(two, "--jobs", "2")
        again = min(build(one) for _ in range(3))
        rows = [
            ("all of it, 1 job", f"{first:.1f} s, {given.entries / first:.0f} entries a second", None),
            (
                "all of it, 2 jobs",
                f"{second:.1f} s, {first / second:.2f} x as fast (asked: 1.7)",
                first / second >= 1.7,
            ),
            ("nothing to do", f"{again:.2f} s, {again / first:.1%} of all of it (asked: under 1 s)", again < 1),
        ]
        if given.dask:
            far = build(sweep(Path(scratch) / "far", given.entries), "--executor", f"dask:{given.dask}")
            rows.append(("all of it, Dask", f"{far:.1f} s, {given.entries / far:.0f} entries a second", None))
        size = sum(path.stat().st_size for path in one.rglob("*.gif"))
        rows.append(("GIFs", f"{size / given.entries / 1000:.0f} KB each", None))
    for figure, measured, ok in rows:
        print(f"{figure:<20} {measured:<52} {'' if ok is None else 'ok' if ok else 'NOT KEPT'}")
    return int(any(ok is False for *_, ok in rows))


if __name__ == "__main__":
    sys.exit(main())

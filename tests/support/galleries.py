"""Small galleries in folders, for the tests: their descriptions, and what a build leaves behind."""

from __future__ import annotations

from pathlib import Path

from convanim.gallery import Report, build

CONV = 'layer = "Conv(2)"\ninput = "3x3"\nwidth = 640\n'
TEXT = CONV + 'formats = ["txt"]\n'


def put(folder: Path, **texts: str) -> Path:
    """Write descriptions into a folder, by name."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def here(folder: Path, *patterns: str, **how: bool) -> Report:
    """Build in this process."""
    return build(folder, patterns, jobs=1, **how)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder except the cache, which contains times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".cache.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

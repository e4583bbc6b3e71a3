"""Broken files: each is read, or refused in one sentence and soon, without messages from a decoder.

`CONVANIM_BROKEN_FILES=4000 CONVANIM_SEED=7 python -m pytest -n 0 tests/test_broken_files.py` tries more of them. A
failing file is named by its number, from which it can be created again.
"""

from __future__ import annotations

import io
import os
import random
import re
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convanim as ca
from convanim.errors import ConvanimError
from support.commands import run
from support.refusals import check

FILES = int(os.environ.get("CONVANIM_BROKEN_FILES", "210"))
SEED = int(os.environ.get("CONVANIM_SEED", "0"))
LONGEST = 20  # seconds for one file, on a busy machine
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def array(writer: Callable[..., None], **options: object) -> bytes:
    file = io.BytesIO()
    writer(file, np.arange(12.0).reshape(3, 4), **options)
    return file.getvalue()


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def trace() -> bytes:
    file = io.BytesIO()
    ca.ConvTranspose(2, stride=2).trace([[1, 2], [3, 4.5]], [[1, 0], [-1, 2]]).animate().save(file, "json")
    return file.getvalue()


def tensors() -> bytes:
    header = b'{"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}'
    return len(header).to_bytes(8, "little") + header + np.arange(4, dtype="<f4").tobytes()


def moving(kind: str) -> bytes:
    return picture(kind, save_all=True, append_images=[Image.new("RGB", (8, 8))])


WHOLE: dict[str, list[bytes]] = {
    ".csv": [
        b"a;b\n1,5;2\n-3;4\n",
        b"# made\n,x,y\n0,1,2\n1,3,4e2\n",
        "1\t2\r\n3\t4\r\n".encode("utf-16"),
        array(np.savetxt),
    ],
    ".npy": [array(np.save), array(np.lib.format.write_array, version=(2, 0))],
    ".safetensors": [tensors()],
    ".npz": [array(np.savez), array(np.savez_compressed)],
    ".png": [picture("PNG"), picture("PNG", "P"), picture("PNG", "I;16"), picture("PNG", "LA"), moving("PNG")],
    ".jpg": [picture("JPEG"), picture("JPEG", "CMYK"), picture("JPEG", progressive=True)],
    ".gif": [picture("GIF"), moving("GIF")],
    ".tif": [
        *(picture("TIFF", compression=how) for how in ("raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits")),
        *(picture("TIFF", mode) for mode in ("I;16", "P", "1")),
        moving("TIFF"),
    ],
    ".webp": [picture("WEBP"), picture("WEBP", lossless=True), moving("WEBP")],
    ".bmp": [picture("BMP"), picture("BMP", "P")],
    ".json": [trace()],
    ".template": [(TEMPLATES / f"{name}.toml").read_bytes() for name in ("slide", "paper")],
    ".theme": [(TEMPLATES / "themes" / f"{name}.toml").read_bytes() for name in ("light", "print")],
}
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
WORDS = (
    b"1e999",
    b"-1",
    b"9" * 5000,
    b"nan",
    b"\0",
    b"\xff",
    b'"',
    b"[" * 2000,
    b",",
    b"a.b.c",
    b"'''",
    b"#",
    b"\n",
    b"{}",
)

TEXT = b"0123456789.,;\t -eE#'\"\n[]={}x"


def broken(number: int) -> tuple[str, bytes]:
    """A file by its number: its suffix and its contents."""
    rng = random.Random(f"{SEED} {number}")
    suffix = sorted(WHOLE)[number % len(WHOLE)]
    data = rng.choice(WHOLE[suffix])
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(CHANGES)(rng, data, rng.choice(WHOLE[suffix]))
    return suffix, mended(data) if rng.random() < 0.7 else data


def place(rng: random.Random, data: bytes) -> int:
    """A position, often near the beginning, where the sizes are."""
    return rng.randrange(min(len(data), rng.choice((40, 200, 10**9))) + 1)


def cut(rng: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: place(rng, data)]


def replaced(rng: random.Random, data: bytes, _: bytes) -> bytes:
    at, count = place(rng, data), rng.choice((1, 1, 2, 8))
    new = bytes(rng.choices(TEXT, k=count)) if data.isascii() else rng.randbytes(count)
    return data[:at] + new + data[at + rng.choice((0, 1, 1, 2, 8)) :]


def numbered(rng: random.Random, data: bytes, _: bytes) -> bytes:
    if data.isascii():
        return worded(rng, data, data)
    at, form = place(rng, data), rng.choice(("B", "<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    return data[:at] + struct.pack(form, rng.choice(NUMBERS) % 256**size) + data[at + size :]


def worded(rng: random.Random, data: bytes, _: bytes) -> bytes:
    """Insert a word in place of a number, or anywhere."""
    found = [match.span() for match in re.finditer(rb"[0-9.]+", data[:100_000])] or [(0, 0)]
    start, end = rng.choice((rng.choice(found), (place(rng, data),) * 2))
    return data[:start] + rng.choice(WORDS) + data[end:]


def doubled(rng: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = sorted((place(rng, data), place(rng, data)))
    return data[:end] + data[start:end] * rng.choice((1, 1, 20)) + data[end:]


def joined(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: place(rng, data)] + other[place(rng, other) :]


CHANGES = (cut, replaced, replaced, replaced, numbered, numbered, worded, doubled, joined)


def mended(data: bytes) -> bytes:
    """A PNG with correct checksums, so that its decoder does not stop at the first of them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    whole, at = data[:8], 8
    while at + 12 <= len(data):
        end = at + 8 + struct.unpack_from(">I", data, at)[0]
        whole += data[at:end] + struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return whole + data[at:]


def test_a_broken_file_can_be_made_again() -> None:
    assert broken(5) == broken(5) != broken(5 + len(WHOLE))


@pytest.mark.parametrize("part", range(7))
def test_broken_files_are_read_or_refused(part: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(part, FILES, 7):
        suffix, data = broken(number)
        path = tmp_path / f"a{suffix if suffix not in ('.template', '.theme') else '.toml'}"
        path.write_bytes(data)
        started = time.monotonic()
        try:
            look_at(path, suffix, tmp_path / "b.png")
        except BaseException as error:
            error.add_note(f"file {number} of seed {SEED}, {suffix}: {data[:300]!r}")
            raise
        assert time.monotonic() - started < LONGEST, (number, suffix)
        assert capfd.readouterr() == ("", ""), (number, suffix)


def look_at(path: Path, suffix: str, out: Path) -> None:
    """Read it as a user would; every error must be one sentence."""
    if suffix == ".json":
        try:
            ca.Trace.load(path)
        except ConvanimError as error:
            check(error.exit_code, "", f"Error: {error}\n")
        return
    layer = ["conv", "--input", "2x2", "--kernel", "1"]
    if suffix in (".template", ".theme"):
        words = [*layer, f"--{suffix[1:]}", path, "--select", "0", "-o", out]
    else:
        words = ["explain", "conv", "--input", path, "--kernel", "1"]
    code, told, err = run(*words)
    if code:
        check(code, told, err)
        assert not out.exists()
    else:
        assert all(line.startswith("Note: ") for line in err.splitlines())
        out.unlink(missing_ok=True)

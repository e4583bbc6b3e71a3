"""Writes animated PNG with one exact palette (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from convanim.write.patches import Box, PatchWriter, Pixels

_KEEP, _OVER = 0, 1  # keep the image; blend it over the last one, which shows through its holes


class ApngWriter(PatchWriter):
    """Write an animated PNG.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> with ApngWriter(file, (2, 1), np.array([[255, 255, 255], [0, 0, 0]], np.uint8), plays=3) as apng:
        ...     apng.add(np.array([[0, 1]], np.uint8), 500)
        ...     apng.add(np.array([[1, 1]], np.uint8), 250)
        >>> image = Image.open(file)
        >>> image.n_frames, image.info["loop"]
        (2, 3)
    """

    name, widest, most_plays = "PNG", 65535, 2**31 - 1
    longest = 65535  # ms, a 16-bit number
    _sequence = 0

    def _coded(self, pixels: Pixels, differs: NDArray[np.bool_] | None) -> bytes:
        if differs is not None:
            pixels = np.where(differs, pixels, np.uint8(len(self._palette)))
        # Each row follows the number of its filter. No filter helps palette indices.
        return zlib.compress(np.pad(pixels, ((0, 0), (1, 0))).tobytes(), 9)

    def _image(self, box: Box, image: bytes, delay: int) -> bytes:
        top, left, bottom, right = box
        control = struct.pack(
            ">IIIIIHHBB",
            *(self._next(), right - left, bottom - top, left, top, delay, 1000),
            *(_KEEP, _OVER),
        )
        # The first image is also the still of programs without animation.
        data = _chunk(b"fdAT", struct.pack(">I", self._next()) + image) if self.images else _chunk(b"IDAT", image)
        return _chunk(b"fcTL", control) + data

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def _ends(self, length: int) -> tuple[bytes, bytes]:
        words = {"Comment": self._comment, "Description": "\n".join(self._said)}
        head = [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", *self._size, 8, 3, 0, 0, 0)),
            _chunk(b"acTL", struct.pack(">II", self.images, self._plays)),
            _chunk(b"PLTE", self._palette.tobytes() + bytes(3)),
            _chunk(b"tRNS", b"\xff" * len(self._palette) + b"\0"),
            *(_chunk(b"iTXt", f"{key}\0\0\0\0\0{text}".encode()) for key, text in words.items() if text),
        ]
        return b"".join(head), _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

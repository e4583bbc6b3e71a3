"""Writes lossless animated WebP (https://developers.google.com/speed/webp/docs/riff_container) by Pillow's encoder."""

from __future__ import annotations

import struct
from html import escape
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convanim.write.patches import Box, PatchWriter, Pixels

_XMP, _ALPHA, _ANIMATION = 1 << 2, 1 << 4, 1 << 1  # flags of the header
_METHOD = 3  # Pillow's lowest method with palettes; higher ones take longer and save nothing


class WebpWriter(PatchWriter):
    """Write an animated WebP.

    Example:
        >>> file = BytesIO()
        >>> with WebpWriter(file, (2, 1), np.array([[255, 255, 255], [0, 0, 0]], np.uint8), plays=3) as webp:
        ...     webp.add(np.array([[0, 1]], np.uint8), 500)
        ...     webp.add(np.array([[1, 1]], np.uint8), 250)
        >>> image = Image.open(file)
        >>> image.n_frames, image.info["loop"]
        (2, 3)
    """

    name, widest, most_plays = "WebP", 16383, 65535
    longest = 2**24 - 1  # ms
    grid = 2  # positions are stored halved

    def _coded(self, pixels: Pixels, differs: NDArray[np.bool_] | None) -> bytes:
        colours = self._palette[pixels]
        if differs is not None:
            seen = differs.view(np.uint8)[..., None]
            colours = np.concatenate([colours * seen, 255 * seen], axis=-1)
        file = BytesIO()
        Image.fromarray(colours).save(file, "WEBP", lossless=True, method=_METHOD)
        return file.getvalue()[12:]  # without the header of a file

    def _image(self, box: Box, image: bytes, delay: int) -> bytes:
        top, left, bottom, right = box
        numbers = (left // 2, top // 2, right - left - 1, bottom - top - 1, delay)
        # No flags: the image is blended over the last one, and kept.
        return _chunk(b"ANMF", b"".join(map(_three, numbers)) + b"\0" + image)

    def _ends(self, length: int) -> tuple[bytes, bytes]:
        tail = _chunk(b"XMP ", _xmp("\n".join([self._comment, *self._said])).encode())
        size = b"".join(_three(side - 1) for side in self._size)
        head = _chunk(b"VP8X", struct.pack("<I", _XMP | _ALPHA | _ANIMATION) + size)
        head += _chunk(b"ANIM", b"\xff\xff\xff\xff" + struct.pack("<H", self._plays))  # on white, never visible
        return b"RIFF" + struct.pack("<I", 4 + len(head) + length + len(tail)) + b"WEBP" + head, tail


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _xmp(text: str) -> str:
    """The comment as XMP metadata: the description of a picture."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )

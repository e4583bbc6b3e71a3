"""Reads pictures as arrays, with the channels first, resized if requested."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.system.inputfile import open_regular
from convanim.typed.cells import MAX_CELLS, placed, short
from convanim.typed.files import PICTURES, check_size

if TYPE_CHECKING:
    from PIL import Image

#: Supported formats, whatever the suffix: browsers save WebP as .png. The list is needed because Pillow would
#: otherwise try every format it knows, and run Ghostscript for one of them.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
ORIENTATION = 0x0112  # the EXIF tag
INTERPRETATION, SAMPLES = 262, 339  # tags of TIFF: PhotometricInterpretation, where 0 is white, and SampleFormat
SIGNED = 2
#: The maximum number of pixels of a file, and along each side of an input.
MOST, LARGEST = 2**26, 1024


def read_picture(
    text: str, *, what: str, resize: Sequence[int] | None = None, colour: bool = True
) -> NDArray[np.int64]:
    """Read a picture (PNG, JPEG, BMP, GIF, TIFF or WebP) as whole numbers: 0 to 255, or to 65535 for 16 bits of grey.

    The picture looks as in a viewer: rotated by its EXIF orientation, on white where it is transparent, with the
    colours of its palette. If it has several frames, the first one is read, with a ConvanimWarning.

    Args:
        text: the path.
        what: the name of the value in error messages, such as `--input`.
        resize: the size (H, W), regardless of the proportions, or None for the original size, or the largest one with
            at most 1024 pixels along each side, which is told with a ConvanimWarning. An axis that shrinks
            is averaged by area (rounded once, half up); an axis that grows repeats the nearest cell.
        colour: True for red, green and blue (three equal planes for a grey picture), False for grey values.

    Returns:
        (3, H, W), or (H, W) without colour.

    Raises:
        ConvanimError: the file does not exist, is not a picture, is too large (checked before it is decoded), or has
            values that are no colours (fractions, or negative ones), or `resize` has sizes that are not two, not
            positive, or too large.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGB", (4, 2), (255, 128, 0)).save(f"{folder}/orange.png")
        ...     read_picture(f"{folder}/orange.png", what="--input", resize=(1, 2)).tolist()
        [[[255, 255]], [[128, 128]], [[0, 0]]]
    """
    text = text.strip()
    planes = 3 if colour else 1
    with placed(what, text) as tell:
        if not text.lower().endswith(PICTURES):
            raise ConvanimError("is not a picture", f"give a file that ends in {', '.join(PICTURES)}")
        if resize is not None:
            _check_sizes(resize, planes)
        try:
            with open_regular(text) as file:
                check_size(file)
                pixels = _decoded(file, planes, tell, fit=resize is None)
        except ConvanimError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a name with a null byte
            why = f"cannot be read ({getattr(error, 'strerror', None) or 'it cannot be opened'})"
            raise ConvanimError(why, "give a picture that exists and can be read") from None
        high, wide = pixels.shape[:2]
        if resize is None and max(high, wide) > LARGEST:
            resize = tuple(max(1, round(side * LARGEST / max(high, wide))) for side in (high, wide))
    # One plane at a time, since its sums take eight times the memory of its pixels.
    cells = [pixels[..., plane] if resize is None else _resized(pixels[..., plane], resize) for plane in range(planes)]
    return np.stack(cells, dtype=np.int64) if colour else cells[0].astype(np.int64)


def _check_sizes(sizes: Sequence[int], planes: int) -> None:
    told = "x".join(str(size) for size in sizes)
    wrong, hint = f"cannot be resized to {short(told)}, which", "give a height and a width, as in 32x48"
    if len(sizes) != 2:
        raise ConvanimError(f"{wrong} is {len(sizes)} size{'s' * (len(sizes) != 1)}", hint)
    if not all(isinstance(size, int | np.integer) for size in sizes):
        raise ConvanimError(f"{wrong} is not whole numbers", hint)
    if min(sizes) < 1:
        raise ConvanimError(f"{wrong} is not positive", hint)
    if planes * math.prod(map(int, sizes)) > MAX_CELLS:
        raise ConvanimError(
            f"{wrong} is too large", f"use at most {MAX_CELLS // planes} cells, as in `resize=(32, 48)`"
        )


def _decoded(file: BinaryIO, planes: int, tell: Callable[[str], None], *, fit: bool) -> NDArray[Any]:
    """The upright pixels (H, W, planes), on white; if they are to `fit`, a large picture is already halved, or more."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about Pillow's own, larger limit, and odd metadata
            with Image.open(file, formats=FORMATS) as image:
                if math.prod(image.size) > MOST:
                    raise ConvanimError("is too large", f"use at most {MOST} pixels")
                deep = _check_depth(image)
                # A photograph (MPO) also contains a preview or a depth map, which is not meant.
                several = image.format != "MPO" and getattr(image, "is_animated", False)
                with _unheard() if image.format == "TIFF" else nullcontext():
                    image.load()
                upright = _upright(image)
                size = upright.size
                pixels = _flat(_smaller(upright) if fit else upright, planes)
    except ConvanimError:
        raise
    except Image.DecompressionBombError:
        raise ConvanimError("is too large", f"use at most {MOST} pixels") from None
    except Exception:  # decoders raise many kinds of errors
        why = "is truncated or is not a picture that can be read"
        raise ConvanimError(why, "save it again as .png or .jpg") from None
    if several:
        tell("has several frames, of which the first is read; to use another frame, save it as a separate picture")
    if deep:
        tell(f"has 16 bits for each of the channels {deep}, of which the upper 8 are read")
    if fit and max(size) > LARGEST:
        wide, high = (max(1, round(side * LARGEST / max(size))) for side in size)
        tell(f"has {size[1]}x{size[0]} pixels; the input is fitted to {high}x{wide}, and `resize` sets another size")
    return pixels


def _smaller(image: Image.Image) -> Image.Image:
    """A picture averaged over squares of pixels so that it is at least as large as it needs to be, to save memory."""
    times = max(image.size) // LARGEST
    if times < 2 or image.mode.startswith("I"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB").reduce(times)


@contextmanager
def _unheard() -> Iterator[None]:
    """Suppress the messages of libtiff, which writes to standard error itself."""
    try:
        kept = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _check_depth(image: Image.Image) -> str:
    """Refuse cells that Pillow would read with another sign, and fractions; return the channels of 16 bits, or ""."""
    packed, tags = str(getattr(image, "tile", "")), getattr(image, "tag_v2", {})
    grey = image.mode.startswith("I")
    if image.mode.startswith("F"):
        raise ConvanimError("has pixels that are not integers", "save its values in a .npy file")
    turned = tags.get(INTERPRETATION) == 0 if grey else SIGNED in tags.get(SAMPLES, ())
    if turned or (grey and ";32" in packed):
        raise ConvanimError(
            "has signed or 32-bit pixels, or pixels in which 0 is white", "save its values in a .npy file"
        )
    if not grey and image.format != "BMP" and ";16" in packed:  # a BMP may have 16 bits for all three colours
        return image.mode
    return ""


def _upright(image: Image.Image) -> Image.Image:
    from PIL.Image import Transpose as Turn

    turns = {
        2: Turn.FLIP_LEFT_RIGHT,
        3: Turn.ROTATE_180,
        4: Turn.FLIP_TOP_BOTTOM,
        5: Turn.TRANSPOSE,
        6: Turn.ROTATE_270,
        7: Turn.TRANSVERSE,
        8: Turn.ROTATE_90,
    }
    turn = None
    with suppress(Exception):  # unreadable metadata does not rotate the picture
        turn = turns.get(image.getexif().get(ORIENTATION, 1))
    return image if turn is None else image.transpose(turn)


def _flat(image: Image.Image, planes: int) -> NDArray[Any]:
    """The pixels (H, W, planes) without transparency."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, or 32
        deep = np.array(image, dtype=np.int32)
        deep[deep == image.info.get("transparency", -1)] = 65535
        return np.repeat(deep[..., None], planes, axis=2)
    if image.has_transparency_data:
        pixels = np.asarray(image.convert("RGBA"))
        alpha = pixels[..., 3].astype(np.uint16)  # 255 * 255 + 127 still fits
        shown = np.empty_like(pixels[..., :3])
        for plane in range(3):
            shown[..., plane] = (pixels[..., plane] * alpha + (255 - alpha) * 255 + 127) // 255
        image = Image.fromarray(shown)
    mode = "RGB" if planes == 3 else "L"
    return np.asarray(image.convert("RGB").convert(mode)).reshape(image.height, image.width, planes)


def _resized(plane: NDArray[Any], sizes: Sequence[int]) -> NDArray[np.int64]:
    """The averages (H, W) of the areas that the new cells cover, exact before they are rounded."""
    sums: NDArray[Any] = plane
    cells = 1
    for axis, size in enumerate(sizes):
        old = sums.shape[axis]
        if size < old:
            # The new borders are at multiples of 1/size of a cell. Between two of them are whole cells, minus the part
            # of the first before the border, plus the part of the last one: integers in units of 1/size.
            at, part = np.divmod(np.arange(size + 1) * old, size)
            lines = np.moveaxis(sums, axis, 0)
            whole = np.add.reduceat(lines, at[:-1], axis=0, dtype=np.int64)
            parts = part[:, None] * lines[np.minimum(at, old - 1)]  # at the end the part is 0
            sums, cells = np.moveaxis(size * whole + np.diff(parts, axis=0), 0, axis), cells * old
        else:
            sums = np.take(sums, (2 * np.arange(size) + 1) * old // (2 * size), axis)
    return (2 * sums.astype(np.int64) + cells) // (2 * cells)

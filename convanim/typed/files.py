"""Reads arrays from .npy, .npz and .safetensors files and tables.

Files are never unpickled, and checked before they are loaded.
"""

from __future__ import annotations

import io
import math
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.system.inputfile import open_regular
from convanim.typed.archives import MODELS, PICKLES, apart, choose, indexed, never_loaded, of_safetensors
from convanim.typed.cells import HIGHEST, MAX_CELLS, NOT_FINITE, check_shape, short
from convanim.typed.tables import table

MAX_BYTES = 2 * MAX_CELLS  # 32 MB of CSV, in which a cell takes at least two bytes
MAX_FILE = 2**28  # bytes; an array of MAX_CELLS floats has half of that
TABLES = (".csv", ".tsv", ".txt", ".dat")
ARRAYS = (".npy", ".npz", ".safetensors", *TABLES)
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def check_size(file: BinaryIO) -> None:
    """Refuse a file that is too large before a decoder loads it."""
    if (size := os.fstat(file.fileno()).st_size) > MAX_FILE:
        raise ConvanimError(f"has {size >> 20} MB", f"use a file of at most {MAX_FILE >> 20} MB")


def is_array_file(text: str) -> bool:
    """Whether a text names a file of an array by its suffix, maybe with the name of an array in it.

    Example:
        >>> [is_array_file(text) for text in ("a.npy", "m.safetensors::conv.weight[0]", "3x3")]
        [True, True, False]
    """
    return apart(text)[0].lower().endswith((*ARRAYS, *PICKLES, *MODELS))


def from_file(text: str, stdin: BinaryIO | None, tell: Callable[[str], None]) -> NDArray[Any]:
    """The array in a file with a suffix of ARRAYS, or in the CSV on standard input for `-`.

    `tell` is called with notes about what is left out.
    """
    name, key = apart(text)
    never_loaded(name)
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - pathlib's needs a valid path
    try:
        # A program without a console has no sys.stdin, which is treated as empty.
        piped = nullcontext(stdin or getattr(sys.stdin, "buffer", None) or io.BytesIO())
        with piped if name == "-" else open_regular(name) as file:
            if suffix == ".npy":
                return numbers(indexed(_npy(file), choose([""], key)[1]))
            if suffix == ".npz":
                check_size(file)
                return numbers(_npz(file, key))
            if suffix == ".safetensors":
                return numbers(of_safetensors(file, key))
            data = file.read(MAX_BYTES + 1)
    except ConvanimError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte, or a closed stdin
        why = f"cannot be read ({getattr(error, 'strerror', None) or 'it cannot be opened'})"
        raise ConvanimError(why, "give a file that exists and can be read, or pipe CSV into -") from None
    if len(data) > MAX_BYTES:
        raise ConvanimError(f"has more than {MAX_BYTES} bytes", "use a .npy file or a smaller table")
    return table(data, tabs=suffix == ".tsv", tell=tell)


def _npz(file: BinaryIO, key: str) -> NDArray[Any]:
    import zipfile

    try:
        with zipfile.ZipFile(file) as folder:
            names = {name.removesuffix(".npy"): name for name in folder.namelist()}
            name, index = choose(list(names), key)
            with folder.open(names[name]) as inner:
                return indexed(_npy(inner), index)
    except ConvanimError:
        raise
    except Exception:  # also the errors of every compression
        raise ConvanimError("is truncated or is not a .npz file", "save it again with numpy.savez") from None


def _npy(file: IO[bytes]) -> NDArray[Any]:
    # Version 3 of the format is for structured arrays, which are refused.
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files from Python 2 are valid
            start = io.BytesIO(file.read(2**16))  # numpy trusts the length that a header claims
            shape, fortran, dtype = headers[np.lib.format.read_magic(start)](start)
            if dtype.kind not in "biuf" or dtype.itemsize > 8:
                hint = "save its real part (a.real) or its absolute values (abs(a))" if dtype.kind == "c" else ""
                raise ConvanimError(f"has the dtype {short(str(dtype))}", hint or "save it as int64 or float64")
            check_shape(shape)
            # Not numpy.load, which would read the header again from a file that may have changed.
            cells = math.prod(shape)
            data = start.read() + file.read(cells * dtype.itemsize)
            loaded = np.frombuffer(data, dtype, cells).reshape(shape, order="F" if fortran else "C")
    except ConvanimError:
        raise
    except Exception:  # numpy parses the header as Python, and may raise any error of that parser
        raise ConvanimError("is truncated or is not a .npy file", "save it again with numpy.save") from None
    return loaded


def numbers(loaded: NDArray[Any]) -> NDArray[Any]:
    """An array as finite float64 or as int64.

    Raises:
        ConvanimError: a number is not finite, or does not fit in int64.
    """
    if loaded.dtype.kind == "f":
        if not np.isfinite(loaded).all():
            place = np.argwhere(~np.isfinite(loaded))[0].tolist()
            raise ConvanimError(f"has {loaded[tuple(place)]} at {place}, which {NOT_FINITE}", "save finite numbers")
        return loaded.astype(np.float64, order="C")
    if int(loaded.max()) > HIGHEST:
        raise ConvanimError(f"has {loaded.max()}, which does not fit in int64", "save it as int64 or float64")
    return loaded.astype(np.int64, order="C")

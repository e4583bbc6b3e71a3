"""Files that hold several arrays by name: which one `file::key[0,0]` means, and the arrays of .safetensors files.

A .safetensors file is a length, a JSON header and raw numbers. It is read here, as its own library opens paths by
itself, needs a further package for bfloat16, and would have to be installed.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.layers import times
from convanim.typed.cells import check_shape, short

#: Files whose loading can run code, or that only their own framework reads.
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib")
MODELS = (".h5", ".hdf5", ".keras")
#: The maximum length of a header in bytes, some hundred thousand arrays; other files seem to have a longer one.
LONGEST_HEADER = 2**24
#: The number of names that a message lists.
LISTED = 6
#: The types of numbers, little-endian; bfloat16 is the upper half of a float32.
_DTYPES = {"BOOL": "u1", "U8": "u1", "I8": "i1", "BF16": "<u2", "F16": "<f2", "F32": "<f4", "F64": "<f8"}
_DTYPES |= {f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (16, 32, 64)}
_ENDS = "|".join(re.escape(suffix) for suffix in (".npy", ".npz", ".safetensors", *PICKLES, *MODELS))
_KEYED = re.compile(rf"(.*?(?:{_ENDS}))::(.*)", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"\s*(-?[0-9]{1,9})\s*|\s*(-?[0-9]{0,9})\s*:\s*(-?[0-9]{0,9})\s*", re.ASCII)


def apart(text: str) -> tuple[str, str]:
    """The name of a file, and the name of an array in it with its index; "" if there is none.

    Example:
        >>> apart("m.safetensors::conv1.weight[0,0]"), apart("a.npz")
        (('m.safetensors', 'conv1.weight[0,0]'), ('a.npz', ''))
    """
    found = _KEYED.fullmatch(text) if "::" in text else None
    return (found[1].strip(), found[2].strip()) if found else (text, "")


def never_loaded(file: str) -> None:
    """Refuse a file whose loading can run code, or that only its framework reads; the hint says how to export it."""
    name = file.lower()
    torch = "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
    if name.endswith(PICKLES):
        raise ConvanimError(
            "may be a pickle, which can run code when it is loaded, and is never opened",
            f"export its arrays where you trust it, with {torch} or numpy.savez",
        )
    if name.endswith(MODELS):
        raise ConvanimError("is a file of Keras", "export its arrays with numpy.savez, such as layer.get_weights()")


def choose(names: Sequence[str], key: str) -> tuple[str, str]:
    """The name of an array among those of a file, and the index after it.

    Raises:
        ConvanimError: there is no such array, or there are several and none is named; the message lists them.

    Example:
        >>> choose(["a", "b"], "b[0, :2]"), choose(["a"], "")
        (('b', '0, :2'), ('a', ''))
    """
    if key in names:
        return key, ""
    name, bracket, index = key.rpartition("[") if key.endswith("]") else (key, "", "")
    name, index = (name.rstrip(), index[:-1]) if bracket else (key, "")
    if name in names or (not name and len(names) == 1):
        return name or names[0], index
    if not name:
        hint = f"name one of them: FILE::{printed(names[0])}" if names else "save an array into it"
        raise ConvanimError(f"holds {len(names)} arrays{_listed(names)}", hint)
    if names == [""]:
        raise ConvanimError("holds one array without a name", "give the file alone, or a part of it as in FILE::[0]")
    near = difflib.get_close_matches(name, names, LISTED, 0.5)
    raise ConvanimError(f"has no array {short(name)}", f"use one of its {len(names)} arrays{_listed(near or names)}")


def printed(name: str) -> str:
    """The name of an array in a hint."""
    return short(name)[1:-1]


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(short(name) for name in names[:LISTED])
    return f" ({told}{', ...' * (len(names) > LISTED)})" if told else ""


def indexed(array: NDArray[Any], index: str) -> NDArray[Any]:
    """A part of an array, by numbers and ranges as in Python: `0,0` or `:3, 0`.

    Raises:
        ConvanimError: these are no numbers, the array has no such part, or it is a single number.

    Example:
        >>> indexed(np.arange(12).reshape(3, 2, 2), "-1, :1").tolist()
        [[8, 9]]
    """
    if not index.strip():
        return array
    parts = [_PART.fullmatch(part) for part in index.split(",")]
    if len(parts) > array.ndim or None in parts:
        told = f"has the index {short(f'[{index}]')} for an array of {times(array.shape)}"
        raise ConvanimError(told, f"use up to {array.ndim} numbers or ranges, as in [0] or [:2]")
    at: list[int | slice] = []
    for part, size in zip(parts, array.shape, strict=False):
        one, first, last = part.groups()  # type: ignore[union-attr]
        at.append(int(one) if one else slice(*(int(end) if end else None for end in (first, last))))
        if (one and not -size <= int(one) < size) or (not one and not range(size)[at[-1]]):
            told = f"has the index {part[0].strip()} for an axis of {size}"  # type: ignore[index]
            raise ConvanimError(told, f"use 0 to {size - 1}")
    found = array[tuple(at)]
    if not isinstance(found, np.ndarray):
        raise ConvanimError(f"has the index [{index}], which leaves a single number", "give fewer numbers")
    return found


def of_safetensors(file: BinaryIO, key: str) -> NDArray[Any]:
    """An array of a .safetensors file, of which only the header and this array are read.

    Source: the format's description in the repository huggingface/safetensors.

    Raises:
        ConvanimError: the file is none, has no such array, or the array is too large or of an unknown type.
    """
    try:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            raise ValueError
        header = json.loads(file.read(length).decode())
        header.pop("__metadata__", None)
        name, index = choose(list(header), key)
        kind, shape, (start, end) = (header[name][word] for word in ("dtype", "shape", "data_offsets"))
        if kind not in _DTYPES:
            raise ConvanimError(f"has {short(name)} of the dtype {short(str(kind))}", "save it as float32 or int64")
        if any(type(number) is not int for number in (*shape, start, end)):
            raise ValueError
        check_shape(shape)
        dtype = np.dtype(_DTYPES[kind])
        size = math.prod(shape) * dtype.itemsize
        if start < 0 or end - start != size:
            raise ValueError
        file.seek(8 + length + start)
        loaded = np.frombuffer(file.read(size), dtype, math.prod(shape)).reshape(shape)
    except ConvanimError:
        raise
    except Exception:  # a header may be any JSON, and nested too deeply
        raise ConvanimError(
            "is truncated or is not a .safetensors file", "save it again with safetensors.numpy.save_file"
        ) from None
    return indexed((loaded.astype("<u4") << 16).view("<f4") if kind == "BF16" else loaded, index)

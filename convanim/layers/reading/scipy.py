"""Reads the functions of signal processing, whose kernel is an array: those of NumPy, SciPy and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import short
from convanim.layers.calls import PADS, Call, Pad, Unread, bound
from convanim.layers.convolutions import Conv

_NUMPY = ("np", "numpy", "jnp", "jax.numpy", "cp", "cupy")
_SIGNAL = ("scipy.signal", "signal", "sp.signal", "sps", "ss", "jax.scipy.signal")
_IMAGES = ("scipy.ndimage", "ndimage", "sp.ndimage", "ndi", "nd")
_OPENCV = ("cv2", "cv")
#: Functions whose name tells where they are at home.
_BARE = {
    **dict.fromkeys(("convolve2d", "correlate2d", "fftconvolve", "oaconvolve"), "scipy.signal"),
    **dict.fromkeys(("convolve1d", "correlate1d"), "scipy.ndimage"),
    "filter2D": "cv2",
}
NAMES = ("convolve", "correlate", *_BARE)

#: What each function calls a padding mode.
_BOUNDARIES = {"fill": "zeros", "wrap": "circular", "symm": "symmetric"}
_BORDERS = {
    **{"reflect": "symmetric", "mirror": "reflect", "nearest": "replicate", "wrap": "circular", "constant": "zeros"},
    **{"grid-mirror": "symmetric", "grid-wrap": "circular", "grid-constant": "zeros"},
}
_OPENCV_BORDERS = {
    **{"CONSTANT": "zeros", "REPLICATE": "replicate", "REFLECT": "symmetric"},
    **dict.fromkeys(("REFLECT_101", "REFLECT101", "DEFAULT"), "reflect"),
}
#: Functions that make arrays of sizes.
_MAKERS = ("ones", "zeros", "full", "empty", "hanning", "hamming", "blackman", "rand", "randn")
_ARRAYS = ("x", "a", "input", "in1", "src", "array", "dst", "output", "method", "precision", "preferred_element_type")


def read(call: Call) -> Conv | Pad | None:
    """The layer of a call, or None if it is another function.

    Raises:
        ConvanimError: an unsupported argument, or a kernel whose shape the line does not state.

    Example:
        >>> read(Call("np.convolve", ([1, 2, 3], [1, 1], "same")))
        Conv(kernel_size=(2,), padding='same', convention='scipy')
    """
    home = call.home or _BARE.get(call.last, "")
    if call.last == "pad" and home in _NUMPY:
        return _pad(call)
    if call.last in NAMES and not home:
        raise ConvanimError(
            f"{call.last} alone may be NumPy's, scipy.signal's or scipy.ndimage's, which differ",
            f"write np.{call.last}, signal.{call.last} or ndimage.{call.last}",
        )
    flip = call.last not in ("correlate", "correlate2d", "correlate1d", "filter2D")
    if home in _NUMPY and call.last in ("convolve", "correlate"):
        return _signal(call, ("a", "v", "mode"), 1, flip=flip, usual="full" if flip else "valid")
    if home in _SIGNAL and call.last in ("convolve2d", "correlate2d"):
        return _signal(call, ("in1", "in2", "mode", "boundary", "fillvalue"), 2, flip=flip)
    if home in _SIGNAL and call.last in ("convolve", "correlate", "fftconvolve", "oaconvolve"):
        return _signal(call, ("in1", "in2", "mode", "method", "axes"), 0, flip=flip)
    if home in _IMAGES and call.last in ("convolve", "correlate", "convolve1d", "correlate1d"):
        return _image(call, flip=flip)
    return _opencv(call) if home in _OPENCV and call.last == "filter2D" else None


def _signal(call: Call, names: Sequence[str], rank: int, *, flip: bool, usual: str = "full") -> Conv:
    """A function with the modes full, same and valid."""
    got = bound(_without(call, names, names[1]), names, _ARRAYS, fillvalue=(0,), axes=(None,))
    shape = kernel(call, names[1], _argument(call, names, names[1]), rank)
    mode: Any = got.get("mode", usual)
    if mode not in ("full", "same", "valid"):
        raise ConvanimError(f"mode={short(mode)} of {call.name} is not known", "use full, same or valid")
    boundary = got.get("boundary", "fill")
    if not isinstance(boundary, str) or boundary not in _BOUNDARIES:
        raise ConvanimError(f"boundary={short(boundary)} of {call.name} is not known", "use fill, wrap or symm")
    padding: Any = 0 if mode == "valid" else mode
    if mode == "same" and call.last == "correlate2d":  # it centres even kernels in another way
        padding = _exactly(shape, early=True)
    return Conv(shape, 1, padding, padding_mode=_BOUNDARIES[boundary], flip=flip, convention="scipy")


def _image(call: Call, *, flip: bool) -> Conv:
    """A function of scipy.ndimage, whose output has the size of its input."""
    line = call.last.endswith("1d")
    names = ("input", "weights", *["axis"] * line, "output", "mode", "cval", "origin", *["axes"] * (not line))
    got = bound(_without(call, names, "weights"), names, _ARRAYS, cval=(0,), origin=(0,), axes=(None,))
    shape = kernel(call, "weights", _argument(call, names, "weights"), int(line))
    if line:  # along one axis of a picture
        if got.get("axis", -1) not in (0, 1, -1):
            raise ConvanimError(f"axis={short(got['axis'])} of {call.name} is not supported", "use 0, 1 or -1")
        if "axis" in got:
            shape = (shape[0], 1) if got["axis"] == 0 else (1, shape[0])
    mode: Any = got.get("mode", "reflect")
    if not isinstance(mode, str) or mode not in _BORDERS:
        raise ConvanimError(f"mode={short(mode)} of {call.name} is not known", f"use {', '.join(list(_BORDERS)[:5])}")
    padding = _exactly(shape, early=flip)
    return Conv(shape, 1, padding, padding_mode=_BORDERS[mode], flip=flip, convention="scipy")


def _opencv(call: Call) -> Conv:
    """cv2.filter2D, which does not flip the kernel."""
    names = ("src", "ddepth", "kernel", "dst", "anchor", "delta", "borderType")
    given = _without(call, names, "kernel", "borderType")
    bound(given, names, (*_ARRAYS, "ddepth"), anchor=((-1, -1), None), delta=(0,))
    shape = kernel(call, "kernel", _argument(call, names, "kernel"), 2)
    border = _argument(call, names, "borderType")
    name = border.text if isinstance(border, Unread) else "cv2.BORDER_DEFAULT" if border is None else short(border)
    mode = _OPENCV_BORDERS.get(name.rpartition("BORDER_")[2])
    if mode is None:
        raise ConvanimError(
            f"borderType={name[:60]} of {call.name} is not supported",
            f"use one of {', '.join(f'cv2.BORDER_{word}' for word in list(_OPENCV_BORDERS)[:4])}",
        )
    return Conv(shape, 1, _exactly(shape, early=False), padding_mode=mode, flip=False, convention="scipy")


def _pad(call: Call) -> Pad:
    """numpy.pad before a function."""
    names = ("array", "pad_width", "mode", "constant_values")
    got = bound(_without(call, names, "array"), names, _ARRAYS, "pad_width")
    width, mode = got["pad_width"], PADS.get(str(got.get("mode", "constant")))
    if mode is None:
        raise ConvanimError(f"mode={short(got['mode'])} of {call.name} is not supported", f"use {', '.join(PADS)}")
    match width:
        case ((_, _), *_) if all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in width):
            return Pad(tuple((pair[0], pair[1]) for pair in width), mode, got.get("constant_values", 0))
    raise ConvanimError(
        f"pad_width={short(width)} of {call.name} does not have two numbers for each axis",
        "write it as ((1, 1),), or ((1, 1), (1, 1)) for two axes",
    )


def _exactly(shape: Sequence[int], *, early: bool) -> tuple[tuple[int, int], ...]:
    """The padding that keeps the size; the smaller half of an odd total is the `early` one, or the late one."""
    halves = [((k - 1) // 2, k // 2) for k in shape]
    return tuple(pair if early else (pair[1], pair[0]) for pair in halves)


def _argument(call: Call, names: Sequence[str], word: str) -> Any:
    """An argument as it was given, or None."""
    return (dict(zip(names, call.given, strict=False)) | call.named).get(word)


def _without(call: Call, names: Sequence[str], *words: str) -> Call:
    """A call with nothing in the place of its arrays, of which only the shapes count."""
    given = tuple(None if name in words else value for name, value in zip(names, call.given, strict=False))
    named = {word: value for word, value in call.named.items() if word not in words}
    return Call(call.name, (*given, *call.given[len(names) :]), named, call.notes)


def kernel(call: Call, word: str, value: Any, rank: int) -> tuple[int, ...]:
    """The shape of a kernel of `rank` axes, or of any number of them for 0.

    It is that of a list of numbers, of np.ones((3, 3)) and the like, or the value of a name.
    """
    if value is None:
        raise ConvanimError(f"{call.name} has no {word}", f"write it like {call.name}(x, [1, 2, 1])")
    values = _numbers(value)
    shape = _shape(value) if values is None else _extent(values)
    if rank == 1 and isinstance(value, tuple) and len(value) > 1:  # the values in round brackets
        shape, values = (len(value),), [*value]
    if values is None and isinstance(value, list) and not any(isinstance(row, Call | Unread) for row in value):
        raise ConvanimError(
            f"{word} of {call.name} has rows of different lengths, or other things than numbers",
            "write it like [1, 2, 1], or [[0, 1], [1, 0]] for two axes",
        )
    if shape is None or not all(type(size) is int and size > 0 for size in shape):
        text = value.text if isinstance(value, Unread | Call) else word
        name = value.unknown if isinstance(value, Unread) and value.unknown else text
        raise ConvanimError(
            f"{word} of {call.name} is {text[:60]}, an array of unknown shape",
            f"say which shape it has with `set` '{name[:80]}={'x'.join(['3'] * (rank or 2))}'",
        )
    if (rank and len(shape) != rank) or not 1 <= len(shape) <= 3:
        axes = "one axis" if len(shape) == 1 else f"{len(shape)} axes"
        right = ("", "1 axis, such as 3", "2 axes, such as 3x3")[rank] or "one to three axes"
        raise ConvanimError(f"{word} of {call.name} has {axes}", f"give a kernel of {right}")
    if values is not None:
        call.kernel.append(values)
    return shape


def _numbers(value: Any) -> list[Any] | None:
    """A kernel whose values are in the line: a list of numbers, or an array of it."""
    if isinstance(value, Call) and value.last in ("array", "asarray") and value.given:
        return _numbers(value.given[0])
    return value if isinstance(value, list) and _extent(value) else None


def _extent(values: Any) -> tuple[int, ...] | None:
    """The shape of nested lists of numbers; None for anything else, and for rows of different lengths."""
    if isinstance(values, int | float) and not isinstance(values, bool):
        return ()
    if not isinstance(values, list | tuple) or not values:
        return None
    first, *others = map(_extent, values)
    return None if first is None or any(other != first for other in others) else (len(values), *first)


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array: from its sizes, as `set` gives them, or from the call that makes it."""
    if type(value) is int:
        return (value,)
    if isinstance(value, tuple):
        return value
    if isinstance(value, Unread) and len(value.inside) == 1:  # np.ones(3) / 3
        return _extent(_numbers(value.inside[0])) or _shape(value.inside[0])
    if isinstance(value, Call) and value.last in _MAKERS and value.given:
        sizes = value.given if value.last in ("rand", "randn") else value.given[0]
        return _shape(tuple(sizes) if isinstance(sizes, list) else sizes)
    return None

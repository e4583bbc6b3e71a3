"""SciPy's and NumPy's code: expressions of arrays `x` and `w` without channels."""

from __future__ import annotations

from convanim.layers import Conv
from convanim.layers.code import Code, NoLine, Place, Writers, Written, call

#: The padding modes in numpy.pad, in scipy.signal's functions of two axes, and in scipy.ndimage.
_PADS = {
    **{"zeros": None, "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"},
}
_BOUNDARIES = {"zeros": None, "symmetric": "symm", "circular": "wrap"}
_BORDERS = {
    **{"zeros": "constant", "reflect": "mirror", "symmetric": "reflect", "replicate": "nearest", "circular": "wrap"},
}
X, W = Code("x"), Code("w")


def _conv(op: Conv, place: Place) -> Written:
    name = "convolve" if op.flip else "correlate"
    if place.inputs * place.outputs > 1:
        raise NoLine(f"none: SciPy's functions have no channels; a sum of scipy.signal.{name} over them comes closest")
    if max(place.every("dilation")) > 1:
        raise NoLine(f"none: SciPy has no dilation; scipy.signal.{name} of a kernel with zeros inserted comes closest")
    code, note = _whole(op, place, name)
    if max(strides := place.every("stride")) == 1:
        return code, note
    kept = ", ".join(f"::{s}" if s > 1 else ":" for s in strides)
    notes = [note] * bool(note)
    return f"{code}[{kept}]", "; ".join([*notes, "SciPy has no stride: this keeps some of all cells"])


def _whole(op: Conv, place: Place, name: str) -> Written:
    """The call that computes all cells, whatever the stride."""
    pads, kernel = place.pads, place.every("kernel")
    full = [(k - 1, k - 1) for k in kernel]
    # Of an even kernel, the functions differ in the cell that they call its middle.
    late, early = [(k // 2, (k - 1) // 2) for k in kernel], [((k - 1) // 2, k // 2) for k in kernel]
    words = {"valid": [(0, 0)] * place.rank, "same": late, "full": full}
    word = next((word for word, sides in words.items() if pads == sides), None)
    mode = op.padding_mode if any(map(any, pads)) else "zeros"
    fits = all(k <= n for k, n in zip(kernel, place.every("input"), strict=True))
    if place.rank == 1 and mode == "zeros" and word and fits:
        return call(f"numpy.{name}", X, W, word), ""
    if place.rank == 2 and mode in _BOUNDARIES:
        flat = words if op.flip else {**words, "same": early}
        if known := next((word for word, sides in flat.items() if pads == sides), None):
            return call(f"scipy.signal.{name}2d", X, W, known, boundary=_BOUNDARIES[mode]), ""
    if mode == "zeros" and word:
        return call(f"scipy.signal.{name}", X, W, word), ""
    if pads == (early if op.flip else late):
        return call(f"scipy.ndimage.{name}", X, W, mode=_BORDERS[mode]), "x holds floats, as the output has its type"
    padded = call("numpy.pad", X, tuple(pads), mode=_PADS[mode])
    return call("numpy." + name if place.rank == 1 else f"scipy.signal.{name}", padded, W, "valid"), ""


#: The function that writes the line of each kind of operation.
WRITERS: Writers = ((Conv, _conv),)

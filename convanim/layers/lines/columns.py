"""The lines of Unfold and Fold in every framework, read and written."""

from __future__ import annotations

from typing import Any

from convanim.layers.calls import TORCH, Call, bound
from convanim.layers.code import Code, NoLine, Place, Written, several
from convanim.layers.code import call as written
from convanim.layers.columns import Columns, Fold, Unfold

NAMES = ("Unfold", "Fold", "unfold", "fold")
_FUNCTIONS = ("F", "functional", "nn.functional", "torch.nn.functional", "ops", "keras.ops")


def read(call: Call) -> Columns | None:
    """The operation of a call, or None if it is neither.

    Raises:
        ConvanimError: an unknown or a missing argument.
    """
    layer = call.last in NAMES[:2] and call.home in TORCH
    if not layer and not (call.last in NAMES[2:] and call.home in _FUNCTIONS):
        return None
    kind = Fold if call.last.lower() == "fold" else Unfold
    # The functions have the names of the layers' arguments, after the input.
    names = ("output_size", "kernel_size", "dilation", "padding", "stride")[kind is Unfold :]
    given = [] if layer else ["x" if call.home.endswith("ops") else "input"]
    got = bound(call, (*given, *names), given, "kernel_size")
    if kind is Fold:
        bound(call, (*given, *names), given, "output_size")
    return kind(**got)


_LAYOUT = ("NHWC", "HWIO", "NHWC")


def _arguments(op: Columns) -> dict[str, Any]:
    usual = {"dilation": 1, "padding": 0, "stride": 1}
    given = {name: getattr(op, name) for name in usual}
    size = {"output_size": _both(op.output_size)} if isinstance(op, Fold) else {}
    return size | {"kernel_size": op.kernel_size} | {n: v if v != usual[n] else None for n, v in given.items()}


def _both(size: Any) -> Any:
    return size if isinstance(size, tuple) else (size, size)


def torch(op: Columns, place: Place) -> Written:
    """PyTorch's layer."""
    return written(f"torch.nn.{type(op).__name__}", **_arguments(op)), ""


def keras(op: Columns, place: Place) -> Written:
    """Keras's function, whose channels come first, as PyTorch's do."""
    # A fold's axes are transposed: the input are the windows, the output is the picture.
    left = [a.output + a.before + a.after - a.full for a in place.axes]
    if isinstance(op, Fold) and any(n or a.stride > a.reach for n, a in zip(left, place.axes, strict=True)):
        raise NoLine("none: some backends of Keras fold to another size if some cells are in no window")
    return written(f"keras.ops.{type(op).__name__.lower()}", Code("x"), **_arguments(op)), "x has its channels first"


def jax(op: Columns, place: Place) -> Written:
    """JAX's function of patches, which keeps the positions as axes."""
    if isinstance(op, Fold):
        raise NoLine("none: JAX has no fold; the gradient of jax.lax.conv_general_dilated_patches comes closest")
    pads, dilation = tuple(place.pads), place.every("dilation")
    told = {"rhs_dilation": dilation if set(dilation) != {1} else None, "dimension_numbers": _LAYOUT}
    shape = place.every("kernel"), place.every("stride"), pads
    code = written("jax.lax.conv_general_dilated_patches", Code("x"), *shape, **told)
    return code, "the positions stay two axes, and the rows of the columns are the last one"


def onnx(op: Columns, place: Place) -> Written:
    """ONNX's Col2Im, whose sizes are inputs."""
    if not isinstance(op, Fold):
        raise NoLine("none: ONNX has Col2Im, but not its transpose; Conv with one kernel for each row comes closest")
    node = "onnx.helper.make_node"
    sizes = [
        written(node, "Constant", list[str](), [name], value_ints=list(place.every(axis)))
        for name, axis in (("image", "output"), ("block", "kernel"))
    ]
    usual = {"dilations": (place.every("dilation"), 1), "strides": (place.every("stride"), 1)}
    told: dict[str, Any] = {name: list(v) if set(v) != {u} else None for name, (v, u) in usual.items()}
    before = [a.before for a in place.axes]
    pads = [*before, *before] if any(before) else None
    fold = written(node, "Col2Im", ["x", "image", "block"], ["y"], pads=pads, **told)
    return several("[", [*sizes, fold], "]"), ""

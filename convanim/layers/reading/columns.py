"""Reads Unfold and Fold: the layers and functions of PyTorch, and the functions of Keras."""

from __future__ import annotations

from convanim.layers.columns import Fold, Unfold
from convanim.layers.operation import Operation
from convanim.layers.reading import torch
from convanim.layers.reading.calls import Call, bound

NAMES = ("Unfold", "Fold", "unfold", "fold")
_FUNCTIONS = ("F", "functional", "nn.functional", "torch.nn.functional", "ops", "keras.ops")


def read(call: Call) -> Operation | None:
    """The operation of a call, or None if it is neither.

    Raises:
        ConvanimError: an unknown or a missing argument.
    """
    layer = call.last in NAMES[:2] and call.home in torch.HOMES
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

"""The same layer as code of each framework, to paste, or the reason why there is none.

Frameworks are not imported; tests run every line against its framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import dedent

from convanim.errors import ConvanimError
from convanim.layers import Conv, DepthwiseConv, Operation, Weighted
from convanim.layers.arguments import short, whole
from convanim.layers.code import Line, Place, chosen, lines_of, several
from convanim.layers.kinds import lines_in
from convanim.layers.writing import jax, keras, onnx, scipy, torch

__all__ = ["Line", "lines"]

_FRAMEWORKS = {"PyTorch": torch, "Keras": keras, "JAX": jax, "ONNX": onnx}


def lines(op: Operation, sizes: Sequence[int], channels: tuple[int, int] | None = None) -> list[Line]:
    """The code of each framework for a layer with an input of these sizes.

    PyTorch's and Keras's lines are layers, JAX's is an expression of `x` (channels last) and `w`, ONNX's a node or list
    of nodes from "x" and "w" to "y". Weights have the framework's layout. A convolution has an expression of NumPy or
    SciPy as well, where `x` and `w` have no channels. If a framework has no such layer, `code` is "", and `note` says
    why and what comes closest.

    Args:
        op: any operation.
        sizes: the input's sizes, in (H, W) order. The code may depend on them, as with padding 'same'.
        channels: (in, out); by default those of the layer, or one per group, or as many as a shuffle needs.

    Raises:
        ConvanimError: the layer does not fit an input of these sizes or channels.

    Example:
        >>> from convanim.layers import Conv
        >>> for line in lines(Conv(kernel_size=3, stride=2, convention="keras", padding="same"), (6, 6)):
        ...     print(line.code)
        torch.nn.Sequential(
            torch.nn.ZeroPad2d((0, 1, 0, 1)),
            torch.nn.Conv2d(1, 1, kernel_size=3, stride=2),
        )
        keras.layers.Conv2D(1, 3, strides=2, padding="same")
        jax.lax.conv_general_dilated(x, w, (2, 2), ((0, 1), (0, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC"))
        onnx.helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
        scipy.signal.correlate(numpy.pad(x, ((0, 1), (0, 1))), w, "valid")[::2, ::2]
    """
    if not isinstance(op, Operation):
        raise ConvanimError(f"{short(op)} is not a layer", "use one like Conv(kernel_size=3)")
    axes = op.axes(sizes)
    if not 1 <= len(axes) <= 3:
        raise ConvanimError(f"no framework has a layer of {len(axes)} axes", "use one to three")
    place = Place(tuple(axes), *_channels(op, channels))
    if isinstance(op, DepthwiseConv):
        return _in_a_row(op, sizes, place)
    if op.lines:
        return lines_of(lines_in(op.lines), op, place)
    found = [chosen(framework, module.WRITERS, op, place) for framework, module in _FRAMEWORKS.items()]
    return [*found, chosen("SciPy", scipy.WRITERS, op, place)] if isinstance(op, Conv) else found


def _in_a_row(op: DepthwiseConv, sizes: Sequence[int], place: Place) -> list[Line]:
    """The code of a layer that is one or two plain convolutions; Keras has a layer of its own for it."""
    first, *rest = op.layers(op.in_channels or place.inputs)
    own = keras.WRITERS if place.rank < 3 else ()
    found = {line.framework: line for line in lines(first, sizes) if line.framework != "SciPy"}
    if rest:
        second = lines(rest[0], [a.output for a in place.axes], (rest[0].in_channels or 1, op.out_channels or 1))
        for line in second:
            one = found.get(line.framework)
            if one is not None and one.code:
                code, told = _joined(line.framework, one.code, line.code)
                found[line.framework] = Line(line.framework, code, "; ".join(filter(None, [one.note, told])))
    made = [chosen(name, own, op, place) if name == "Keras" and own else line for name, line in found.items()]
    if op.in_channels is None and place.inputs == 1:
        single = "for an input of one channel"
        made = [
            line if line.framework == "Keras" else replace(line, note="; ".join(filter(None, [line.note, single])))
            for line in made
        ]
    return made


def _joined(framework: str, one: str, two: str) -> tuple[str, str]:
    """The code of two layers in a row, and a note about the weights of the second."""
    if framework == "PyTorch":
        return several("torch.nn.Sequential(", [one, two], ")"), ""
    if framework == "Keras":
        return several("keras.Sequential([", [one, two], "])"), ""
    told = "v are the weights of the pointwise layer"
    if framework == "JAX":
        inner = one.replace("\n", "\n    ")
        return two.replace("x, w", f"\n    {inner},\n    v", 1), told
    nodes = dedent(one[1:-1]).strip().rstrip(",") if one.startswith("[") else one
    ends = nodes.replace('["y"]', '["filtered"]'), two.replace('["x", "w"]', '["filtered", "v"]')
    return several("[", ends, "]"), told


def _channels(op: Operation, channels: tuple[int, int] | None) -> tuple[int, int]:
    if channels is None:
        if isinstance(op, Weighted):
            return op.in_channels or op.groups, op.out_channels or op.groups
        inputs = op.least
        return inputs, op.channels(inputs)
    if not isinstance(channels, tuple | list) or len(channels) != 2:
        raise ConvanimError(f"channels {short(channels)} are not a pair", "give (in, out), like (3, 8)")
    inputs, outputs = (whole("channels", c, 1) for c in channels)
    if isinstance(op, Weighted):
        if inputs % op.groups or outputs % op.groups:
            raise ConvanimError(
                f"groups {op.groups} does not divide {inputs} and {outputs} channels", "use a common divisor"
            )
    elif op.channels(inputs) != outputs:
        raise ConvanimError(
            f"{op} makes {op.channels(inputs)} channels of {inputs}, not {outputs}",
            f"use ({inputs}, {op.channels(inputs)})",
        )
    return inputs, outputs

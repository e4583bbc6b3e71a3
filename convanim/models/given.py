"""The input of an ONNX model, and the sizes that it has or gets."""

from __future__ import annotations

from collections.abc import Sequence

from convanim.errors import ConvanimError
from convanim.layers import times
from convanim.models.onnxfile import OnnxFile, stated


def given_input(file: OnnxFile, given: Sequence[int] | None) -> tuple[str, tuple[int, ...] | None]:
    """The input whose positions are followed, and its shape with a batch.

    Args:
        given: the shape, with or without the batch and the channels.

    Raises:
        ConvanimError: a size is not known, or differs from that of the file.
    """
    if not file.inputs:
        raise ConvanimError(f"{file.name} has no input", "export the model with one")
    ranked = [(one.name, shape) for one in file.inputs if (shape := stated(one.type)) is not None]
    name, shape = next(((n, s) for n, s in ranked if len(s) >= 3), (file.inputs[0].name, stated(file.inputs[0].type)))
    if shape is None:
        if given is None or len(given) < 3:
            raise ConvanimError(
                f"the input {name!r} of {file.name} has no shape", "give its whole shape, such as `input` 1x3x224x224"
            )
        return name, tuple(given)
    whole: list[int | None] = [shape[0] or 1, *shape[1:]] if shape else []
    if given is not None:
        if len(given) > len(whole):
            told = f"the input {name!r} of {file.name} has {len(whole)} axes, and {times(given)} has {len(given)}"
            raise ConvanimError(told, f"give {_told(shape)}")
        last = whole[len(whole) - len(given) :]
        batch = len(given) == len(whole)  # which may have more items than the model takes
        if any(m not in (None, n) for n, m in list(zip(given, last, strict=True))[batch:]):
            raise ConvanimError(
                f"the input {name!r} of {file.name} is {_told(shape)}, which {times(given)} does not fit",
                "give another `input`, or export the model with dynamic axes",
            )
        whole[len(whole) - len(given) :] = [last[0], *given[1:]] if batch else given
    if None in whole:
        need = _told(tuple(n if i else 1 for i, n in enumerate(whole)))
        raise ConvanimError(
            f"the input {name!r} of {file.name} has no fixed size: {need}",
            f"give one, such as `input` {times([n or (3 if i == 1 else 224) for i, n in enumerate(whole)][1:], 'x')}",
        )
    return name, tuple(n or 1 for n in whole)


def _told(shape: Sequence[int | None]) -> str:
    return "×".join("?" if n is None else str(n) for n in shape)

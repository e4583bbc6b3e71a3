"""The results of commands as data for `--json`: numbers and short strings by name, as docs/json.md lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import prod
from typing import TYPE_CHECKING, Any

from convanim.explanation import sized
from convanim.explanation.arithmetic import evenness, multiplications
from convanim.explanation.separable import counted
from convanim.layers import Axis, Operation, Resampled, SeparableConv, Weighted
from convanim.layers.writing import lines

if TYPE_CHECKING:
    from convanim.explanation.search import Found
    from convanim.language.words import Catalogue
    from convanim.scene import Scene
    from convanim.trace import Trace

Facts = dict[str, Any]


def layer(op: Operation) -> Facts:
    """A layer: its notation, its class, and all of its arguments.

    Example:
        >>> from convanim.layers import MaxPool
        >>> told = layer(MaxPool(2))
        >>> told["layer"], told["arguments"]["kernel_size"]
        ('MaxPool(kernel_size=2)', 2)
    """
    return {"layer": str(op), "kind": type(op).__name__, "arguments": asdict(op)}


def explained(op: Operation, sizes: Sequence[int], output_size: int | Sequence[int] | str | None = None) -> Facts:
    """The arithmetic of a layer: what `explain` prints.

    Raises:
        ConvanimError: as for `explain`.

    Example:
        >>> from convanim.layers import Conv
        >>> told = explained(Conv(3, stride=2), (6, 6))
        >>> told["output_size"], told["multiplications"], told["axes"][0]["unused"]
        ([2, 2], 36, 1)
    """
    axes, outputs = sized(op, sizes, output_size)
    told = layer(op) | {"input_size": list(sizes), "output_size": outputs, "axes": [_axis(axis) for axis in axes]}
    if isinstance(op, Weighted):
        told["placements"], told["weights"] = prod(outputs), prod(a.kernel for a in axes)
        told["multiplications"] = multiplications(axes)
    if isinstance(op, SeparableConv) and op.in_channels and op.out_channels:
        told["layers"] = [layer(one) for one in op.layers(op.in_channels)]
        told["work"] = counted(op, axes)
    written = lines(op, sizes) if len(sizes) <= 3 else []
    told["frameworks"] = [{"name": w.framework, "code": w.code or None, "note": w.note or None} for w in written]
    return told


def _axis(axis: Axis) -> Facts:
    told = asdict(axis)
    if isinstance(axis, Resampled):
        return told
    if not axis.transposed:
        windows = {"fewest": axis.sizes[0], "most": axis.sizes[1], "regular": axis.regular}
        return told | {"unused": axis.unused, "beyond": axis.beyond, "windows": windows}
    even, fewest, most = evenness(axis)
    zeros = dict(zip(("before", "after"), axis.ring, strict=True))
    products = {"fewest": fewest, "most": most, "even": even}
    return told | {"spread": axis.spread, "ring": zeros, "canvas": axis.canvas, "products_per_cell": products}


def solved(sizes: Sequence[int], output: Sequence[int], found: Iterable[Found]) -> Facts:
    """The layers that map one size to another: what `solve` prints, without a limit.

    Example:
        >>> from convanim.explanation.search import solve
        >>> solved((7,), (14,), solve((7,), (14,), [4], [2]))["layers"][0]["multiplications"]
        26
    """
    layers = [layer(f.op) | {"multiplications": f.multiplications, "even": f.even} for f in found]
    return {"input_size": list(sizes), "output_size": list(output), "layers": layers}


def compared(a: Trace, b: Trace, align: str = "index") -> Facts:
    """The differences of two traces over one input, and the reasons: what `compare` prints.

    Raises:
        ConvanimError: as for `convanim.explanation.compare.report`.

    Example:
        >>> from convanim.layers import Conv
        >>> told = compared(*(Conv(2, dilation=d).trace([1, 2, 3], [1, 1]) for d in (1, 2)))
        >>> told["equal"], told["first_difference"]
        (0, {'cells': [[0, 0], [0, 0]], 'values': [3, 4]})
    """
    from convanim.explanation.compare import causes
    from convanim.explanation.difference import Difference

    a.bounded()
    b.bounded()
    d = Difference(a, b, align)
    values = [t.answer[cell].item() for t, cell in zip((a, b), d.firsts, strict=False)]
    first = {"cells": [list(cell) for cell in d.firsts], "values": values} if values else None
    return {
        "layers": [
            layer(t.op) | {"input_shape": list(t.x.shape), "output_shape": list(t.shape), "alone": alone}
            for t, alone in zip((a, b), d.only, strict=True)
        ],
        "align": align,
        "compared": int(d.equal.size),
        "equal": int(d.equal.sum()),
        "first_difference": first,
        "causes": [str(cause.text) for cause in causes(a, b)],
    }


def described(scene: Scene, alt: str, words: Catalogue | None, frames: Iterable[int]) -> Facts:
    """An animation in words: what `describe` prints. Its lines are an iterator, as there may be many.

    Args:
        scene: the scene, in the language of `words`.
        alt: its alternative text.
        words: the catalogue of that language; None is English.
        frames: the numbers of the frames to include.
    """
    from convanim.scene.description import lines_of

    def told() -> Iterator[Facts]:
        for number, frame, line in lines_of(scene, words=words, frames=frames):
            phase = scene.phases[frame.phase].key
            yield {"frame": number, "step": frame.step or None, "phase": phase, "text": str(line)}

    results = [layer(t.op) | {"input_shape": list(t.x.shape), "output": t.answer} for t in scene.traces]
    beats = scene.beats
    return {"alt": str(alt), "steps": beats.steps, "frames": beats.total, "layers": results, "lines": told()}

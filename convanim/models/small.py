"""Small pictures of the operations of a model: one channel, an input of a few cells, and example values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convanim.animation import Animation
from convanim.errors import ConvanimError
from convanim.layers import Operation, PixelShuffle, Pool, Shuffle, Upsample, Weighted
from convanim.layers.adaptive import AdaptivePool
from convanim.models.graph import Node
from convanim.scene.description import Transcript
from convanim.typed.examples import DISTINCT, ONE_DIGIT, example
from convanim.typed.request import request
from convanim.write.drawing import Tables
from convanim.write.html import drawn, last_of_each

#: The maximum size of the input of a small picture, with one and with two axes.
_SMALL = {1: 24, 2: 9}


def small_of(node: Node) -> tuple[Operation, Any] | None:
    """The operation of a layer with one channel, and a small input for it; None if it needs a large one.

    Example:
        >>> from convanim.layers import Conv
        >>> op, x = small_of(Node("a", "Conv", op=Conv((3, 3), stride=2, in_channels=64, out_channels=64)))
        >>> op, x.shape
        (Conv(kernel_size=(3, 3), stride=2), (7, 7))
    """
    op, rank = node.op, len(node.reads[0].axes) if node.reads else (node.op.rank if node.op else None) or 2
    values = ONE_DIGIT if isinstance(op, Weighted) else DISTINCT
    if isinstance(op, Weighted):
        op = replace(op, in_channels=None, out_channels=None, groups=1)
    if isinstance(op, Upsample) and op.size is not None:
        axes = node.reads[0].axes
        if any(a.output % a.input for a in axes):
            return None
        op = replace(op, size=None, scale_factor=tuple(a.output // a.input for a in axes))
    if op is None or rank not in _SMALL:
        return None
    if isinstance(op, Shuffle):
        channels, n = (op.factor**2, 2) if isinstance(op, PixelShuffle) else (1, 2 * op.factor)
        return op, example((channels, n, n), values)
    if isinstance(op, AdaptivePool):
        return op, example((4,) * rank, values)
    sizes = []
    for i in range(rank):
        fits = [n for n in range(3, _SMALL[rank] + 1) if _enough(op, i, n)]
        if not fits:
            return None
        sizes.append(fits[0])
    return op, example(tuple(sizes), values)


def _enough(op: Operation, i: int, n: int) -> bool:
    """Whether an input of size n along axis i lets a window move."""
    try:
        axis = op.axes((n,) * (op.rank or i + 1))[i]
    except ConvanimError:
        return False
    return axis.transposed or (axis.output >= 3 and n > axis.stride and (isinstance(op, Weighted | Pool)))


def player(op: Operation, x: Any, tables: Tables, **look: Any) -> dict[str, Any] | None:
    """The frames of a small picture; None if the layer has none."""
    try:
        typed = {"kernel": "x".join(map(str, _kernel(op, x.ndim)))} if isinstance(op, Weighted) else {}
        asked = request("layer", notation=str(op), x=x.tolist(), **typed)
        animation = Animation(asked.trace(), width=960, **look)
        animation.page  # noqa: B018 - raises its errors
    except ConvanimError:
        return None
    animation.prove()
    told = Transcript(animation.scene, None, animation.words)
    shots = list(last_of_each(animation))
    data, _ = drawn(animation, shots, tables, told, lambda done, total: None)
    return data | {"line": str(op), "start": len(shots) - 1}


def _kernel(op: Weighted, rank: int) -> tuple[int, ...]:
    size = op.kernel_size
    return size if isinstance(size, tuple) else (size,) * rank

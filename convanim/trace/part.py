"""Parts of a layer with weights: the channels that a trace follows, and those that a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convanim.errors import ConvanimError, shortly, whole
from convanim.layers import Weighted
from convanim.trace.arrays import Array

#: Which channels: their numbers, or, of output channels, how many from the first.
Wanted = int | Sequence[int] | None


@dataclass(frozen=True)
class Part:
    """Some channels of a layer. The sums are always over all input channels of the layer, or of the group.

    Attributes:
        inputs, outputs: the numbers of the channels of the input and of the output in the whole layer.
        whole: the numbers of input and output channels of the layer.
        groups: the number of groups of the layer; those without an output channel are left out.
        drawn: the positions in the input of the channels to draw; None for as many as can be looked at.

    Example:
        >>> part = Part((0, 1, 2), (5,), (3, 8), drawn=(2,))
        >>> part.chosen, Part((0,), (0,), (1, 1)).chosen
        (True, False)
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    whole: tuple[int, int]
    groups: int = 1
    drawn: tuple[int, ...] | None = None

    @property
    def chosen(self) -> bool:
        """Whether some channels are left out."""
        return (len(self.inputs), len(self.outputs)) != self.whole or self.drawn is not None

    def within(self, other: Part) -> Part:
        """A part of another part, in the numbers of the whole layer."""
        inputs = tuple(other.inputs[i] for i in self.inputs)
        outputs = tuple(other.outputs[o] for o in self.outputs)
        drawn = self.drawn
        if drawn is None and other.drawn is not None:
            drawn = tuple(self.inputs.index(i) for i in other.drawn if i in self.inputs) or None
        return replace(other, inputs=inputs, outputs=outputs, drawn=drawn)


def numbers_of(name: str, wanted: Wanted, count: int) -> tuple[int, ...]:
    """The numbers of channels in increasing order.

    Args:
        name: the argument that names them.
        wanted: their numbers; of output channels also how many of them, from the first.
        count: the number of channels that there are.

    Raises:
        ConvanimError: these are no numbers, or there is no such channel.

    Example:
        >>> numbers_of("channels", [3, 0], 8), numbers_of("channels", 3, 8), numbers_of("out_channels", 3, 8)
        ((0, 3), (3,), (0, 1, 2))
    """
    listed: Any = [wanted] if whole(wanted) else wanted
    found = list(listed) if isinstance(listed, Iterable) and not isinstance(listed, str) else []
    if not found or not all(map(whole, found)):
        told = f"`{name}` {shortly(wanted)} are not numbers of channels"
        raise ConvanimError(told, f"give a list, like `{name}=[0, 1]`")
    if name == "out_channels" and whole(wanted):
        if not 1 <= found[0] <= count:
            few = "is not positive" if found[0] < 1 else f"is more than the {count} there are"
            raise ConvanimError(f"`{name}` {shortly(wanted)} {few}", f"use 1 to {count}")
        return tuple(range(int(found[0])))
    if bad := [n for n in found if not 0 <= n < count]:
        there = "there is one channel" if count == 1 else f"there are {count}"
        hint = f"use 0 to {count - 1}" if count > 1 else "leave it out"
        raise ConvanimError(f"`{name}` {shortly(bad[0])} does not exist: {there}, counted from 0", hint)
    return tuple(sorted({int(n) for n in found}))


def parted(
    op: Weighted, x: Array, weight: Array, bias: Array | None, channels: Wanted = None, out_channels: Wanted = None
) -> tuple[Weighted, Array, Array, Array | None, Part]:
    """The part of a layer that makes some of its output channels, with its input and weights.

    Args:
        x: (C, *n).
        weight: in PyTorch's layout, of all output channels or of the first ones.
        bias: (C_out,) or None.
        channels: the numbers of the input channels to draw.
        out_channels: the numbers of the output channels.

    Raises:
        ConvanimError: a channel that does not exist, that is in another group than the others, or groups of which
            different numbers of channels are wanted.
    """
    groups, inputs = op.groups, len(x)
    rows = weight.shape[1] * groups if op.transposed else weight.shape[0]
    mine, others = inputs // groups, rows // groups  # in each group
    total = rows if groups > 1 or op.out_channels is None else op.out_channels
    drawn = None if channels is None else numbers_of("channels", channels, inputs)
    if out_channels is not None:
        outputs = numbers_of("out_channels", out_channels, rows)
    elif drawn is not None and groups > 1:
        outputs = tuple(o for o in range(rows) if any(o // others == c // mine for c in drawn))
    else:
        outputs = tuple(range(rows))
    of_group = [[o for o in outputs if o // others == g] for g in range(groups)]
    used = [g for g, own in enumerate(of_group) if own]
    if len({len(of_group[g]) for g in used}) > 1:
        raise ConvanimError(
            f"`out_channels` {shortly(list(outputs))} are not equally many of each of their {len(used)} groups",
            f"choose them from one group, such as `out_channels={[*range(others)][:4]}`",
        )
    kept = [c for c in range(inputs) if c // mine in used]
    if drawn is not None and (far := [c for c in drawn if c not in kept]):
        raise ConvanimError(
            f"input channel {far[0]} is in another group than output channel {outputs[0]}, which does not read it",
            f"use `channels={kept[:4]}`",
        )
    if drawn is not None and len({sum(c // mine == g for c in drawn) for g in used}) > 1:
        raise ConvanimError(
            f"`channels` {shortly(list(drawn))} are not equally many of each of the {len(used)} groups that are shown",
            f"choose output channels of one group, such as `out_channels={[*range(others)][:4]}`",
        )
    part = Part(
        tuple(kept), outputs, (inputs, total), groups, None if drawn is None else tuple(kept.index(c) for c in drawn)
    )
    if op.transposed:
        columns = [[o % others for o in of_group[g]] for g in used]
        picked = [weight[g * mine : (g + 1) * mine][:, some] for g, some in zip(used, columns, strict=True)]
        weight = np.concatenate(picked)
    else:
        weight = weight[list(outputs)]
    if len(used) < groups:
        counts = {"in_channels": len(kept), "out_channels": len(outputs)}
        had: dict[str, Any] = {name: count for name, count in counts.items() if getattr(op, name) is not None}
        op = replace(op, groups=len(used), **had)
    return op, x[kept], weight, None if bias is None else bias[list(outputs)], part
